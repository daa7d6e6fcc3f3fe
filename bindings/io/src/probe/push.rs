//! Metrics sent to an OpenTelemetry collector: OTLP over HTTP, in JSON.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;

use super::board::Board;
use super::stop::Stop;
use crate::client::{ClientError, wall_clock};

/// Where metrics are sent, and how often.
#[derive(Debug, Clone)]
pub struct Push {
    url: String,
    agent: Agent,
    every: Duration,
}

impl Push {
    /// To the collector at this URL, to which `/v1/metrics` is added unless it ends so.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(collector: &str, every: Duration) -> Result<Self, ClientError> {
        // What makes a URL to ask, and keeps passwords out of it, is the same as for any other server.
        crate::ClientConfig::new(collector)?;
        let base = collector.trim_end_matches('/');
        let url = if base.ends_with("/v1/metrics") { base.to_owned() } else { format!("{base}/v1/metrics") };
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(true)
            .max_redirects(0)
            .user_agent(concat!("davy/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(Duration::from_secs(10)))
            .build();
        Ok(Self { url, agent: config.into(), every })
    }

    /// Sends what the board holds now.
    ///
    /// # Errors
    /// What happened, in words.
    pub fn send(&self, board: &Mutex<Board>) -> Result<(), String> {
        let body = board.lock().unwrap_or_else(PoisonError::into_inner).to_otlp(wall_clock()).to_string();
        let sent = self.agent.post(&self.url).header("content-type", "application/json").send(body);
        sent.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Sends every so often until it is time to stop, and then once more. What cannot be sent is told and not kept:
    /// the next sums contain it.
    pub fn keep_sending(&self, board: &Mutex<Board>, stop: &Stop, complain: impl Fn(&str)) {
        loop {
            let last = stop.wait(self.every);
            if let Err(error) = self.send(board) {
                complain(&error);
            }
            if last {
                return;
            }
        }
    }
}
