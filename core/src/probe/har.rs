//! HAR 1.2: what a browser recorded, as the answers of a run.

use std::sync::Arc;

use base64::Engine as _;
use serde::Deserialize;
use thiserror::Error;

use super::message::{
    Bytes, Effect, Event, HttpResponse, Micros, Peer, SecretValue, Timings, TransportError, TransportFault,
};
use super::plan::Plan;
use super::recording::Recording;
use super::redact::placeholder;
use super::result::FlowResult;
use super::run::{Inputs, Next, ProbeError, ProbeRun};
use super::url::Url;
use crate::document::probe::HttpVersion;
use crate::{Duration, Instant};

/// A file that is no HAR, or that a flow cannot be run on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HarError {
    /// Not JSON, or not as HAR 1.2 says.
    #[error("Q040: not HAR 1.2: {0}")]
    Unreadable(String),
    /// Too long.
    #[error("Q041: the file has {0} bytes; at most 67108864 are read")]
    TooLarge(usize),
    /// The run could not begin.
    #[error(transparent)]
    Start(#[from] ProbeError),
}

/// One exchange that a browser recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct HarEntry {
    /// When it began.
    pub started: Instant,
    /// The method.
    pub method: String,
    /// Where.
    pub url: String,
    /// The answer. Cookies and other headers are as they were recorded.
    pub response: HttpResponse,
}

#[derive(Deserialize)]
struct File {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Instant,
    request: Asked,
    response: Answered,
    #[serde(default)]
    timings: Times,
    #[serde(default, rename = "serverIPAddress")]
    address: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    status: u16,
    #[serde(default)]
    http_version: String,
    #[serde(default)]
    headers: Vec<Pair>,
    content: Content,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    text: String,
    #[serde(default)]
    encoding: String,
}

/// In milliseconds; -1 where a part did not take place.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Times {
    dns: Option<f64>,
    connect: Option<f64>,
    ssl: Option<f64>,
    send: Option<f64>,
    wait: Option<f64>,
    receive: Option<f64>,
}

/// Reads a HAR 1.2 file.
///
/// # Errors
/// [`HarError`].
pub fn read_har(bytes: &[u8]) -> Result<Vec<HarEntry>, HarError> {
    const MOST: usize = 64 << 20;
    if bytes.len() > MOST {
        return Err(HarError::TooLarge(bytes.len()));
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| HarError::Unreadable(error.to_string()))?;
    // A browser notes requests that it never sent, with the status 0.
    file.log.entries.into_iter().filter(|entry| entry.response.status != 0).map(read).collect()
}

fn read(entry: Entry) -> Result<HarEntry, HarError> {
    let content = entry.response.content;
    let body = if content.encoding == "base64" {
        let decoded = base64::engine::general_purpose::STANDARD.decode(&content.text);
        decoded.map_err(|error| HarError::Unreadable(format!("a body that is not base64: {error}")))?
    } else {
        content.text.into_bytes()
    };
    let version = match entry.response.http_version.to_ascii_lowercase().as_str() {
        "http/1.0" => HttpVersion::V1_0,
        "h2" | "http/2" | "http/2.0" => HttpVersion::V2,
        "h3" | "http/3" | "http/3.0" => HttpVersion::V3,
        _ => HttpVersion::V1_1,
    };
    let times = entry.timings;
    // HAR counts the time of encryption as part of connecting.
    let connect = times.connect.map(|connect| connect - times.ssl.filter(|ssl| *ssl > 0.0).unwrap_or_default());
    let timings = Timings {
        dns: micros(times.dns),
        connect: micros(connect),
        tls: micros(times.ssl),
        send: micros(times.send),
        wait: micros(times.wait),
        receive: micros(times.receive),
    };
    let address = entry.address.and_then(|text| text.trim_matches(['[', ']']).parse().ok());
    Ok(HarEntry {
        started: entry.started_date_time,
        method: entry.request.method,
        url: entry.request.url,
        response: HttpResponse {
            status: entry.response.status,
            version,
            headers: entry.response.headers.into_iter().map(|pair| (pair.name, pair.value)).collect(),
            body: Bytes(body),
            truncated: false,
            original_bytes: None,
            timings,
            peer: address.map(|address| Peer { address, tls: None }),
        },
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and less than nothing is nothing"
)]
fn micros(millis: Option<f64>) -> Option<Micros> {
    millis.filter(|millis| *millis >= 0.0).map(|millis| Micros((millis * 1000.0).round() as u64))
}

/// Runs a flow on what a browser recorded: each request gets the first answer to the same method and URL that was not
/// given yet, and where there is none the run ends with an error. Secrets are placeholders.
///
/// # Errors
/// [`HarError::Start`] where the flow cannot be run so.
pub fn run_on_har(
    plan: &Arc<Plan>,
    mut inputs: Inputs,
    entries: &[HarEntry],
) -> Result<(FlowResult, Option<Recording>), HarError> {
    let mut left: Vec<Option<&HarEntry>> = entries.iter().map(Some).collect();
    let mut now = entries.iter().map(|entry| entry.started).min().unwrap_or(Instant::EPOCH);
    inputs.record = true;
    let mut run = ProbeRun::new(Arc::clone(plan), inputs, now)?;
    loop {
        let (id, effect) = match run.poll(now) {
            Next::Done(result) => return Ok((*result, run.recording())),
            Next::Wait { until, .. } => {
                now = until;
                continue;
            }
            Next::Effect(id, effect) => (id, effect),
        };
        let event = match effect {
            Effect::Secret { name, .. } => Event::Secret(SecretValue(placeholder(&format!("secrets.{name}")))),
            Effect::Turn(_) => {
                Event::Turned(Box::new(super::turn::Turn::Failed("a HAR file holds no plugins".to_owned())))
            }
            Effect::Http(request) => {
                let fits = |entry: &HarEntry| {
                    entry.method == request.method.as_str()
                        && entry.url.parse::<Url>().is_ok_and(|url| url == request.url)
                };
                let found = left.iter_mut().find(|entry| entry.is_some_and(fits)).and_then(Option::take);
                found.map_or_else(
                    || {
                        let detail = format!("nothing was recorded for {} {}", request.method, request.url);
                        Event::HttpFailed(TransportError {
                            kind: TransportFault::Prober,
                            detail,
                            timings: Timings::default(),
                        })
                    },
                    |entry| Event::Http(Box::new(entry.response.clone())),
                )
            }
        };
        let took = match &event {
            Event::Http(response) => response.timings.total().map_or(0, |time| time.0 / 1000),
            _ => 0,
        };
        now = now.plus(Duration::from_millis(took));
        // An answer that came too late is refused, and the next poll says so.
        let _ = run.handle(now, id, event);
    }
}
