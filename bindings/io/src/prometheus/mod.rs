//! A Prometheus server, asked over its HTTP API.

mod answer;
mod error;

pub use answer::{Answer, AnswerError, Bounds, Bucket, Data, HistogramSample, Labels, Series, parse};
pub use error::PrometheusError;

use std::collections::BTreeMap;

use davy::{Duration, Instant};

use crate::client::{Client, ClientConfig, ClientError, Deadline, Reply};

/// The most steps of a range that are asked for at once; servers refuse more than 11 000.
const MOST_STEPS: u64 = 10_000;

/// What is assumed of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How far its clock may be from this one.
    pub clock_tolerance: Duration,
    /// How far back the last sample before a span may be, and how long a target that vanished is waited for.
    /// Prometheus' own look-back is five minutes too.
    pub lookback: Duration,
    /// SLO windows up to this length are computed here from raw samples, longer ones by the server.
    pub raw_windows: Duration,
}

impl Default for Settings {
    /// Five seconds of clock difference, five minutes of look-back, windows up to two hours from raw samples.
    fn default() -> Self {
        Self {
            clock_tolerance: Duration::from_secs(5),
            lookback: Duration::from_minutes(5),
            raw_windows: Duration::from_minutes(120),
        }
    }
}

/// A Prometheus server, or another one with its API. Cheap to clone, and shared between threads.
///
/// ```no_run
/// use std::time::Duration;
/// use davy_io::prometheus::Prometheus;
/// use davy_io::{ClientConfig, Deadline};
/// let server = Prometheus::new(ClientConfig::new("http://prometheus:9090")?)?;
/// let answer = server.instant("up", "2026-11-23T12:00:00Z".parse()?, Deadline::within(Duration::from_secs(5)))?;
/// println!("{:?}", answer.data);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Prometheus {
    client: Client,
    settings: Settings,
}

impl Prometheus {
    /// A server that is as usual. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ClientError`] for files that cannot be read.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        Self::with(config, Settings::default())
    }

    /// A server about which something else is assumed.
    ///
    /// # Errors
    /// As [`Prometheus::new`].
    pub fn with(config: ClientConfig, settings: Settings) -> Result<Self, ClientError> {
        Ok(Self { client: Client::new(config)?, settings })
    }

    /// What is assumed of the server.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The server's host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.client.host()
    }

    /// Evaluates an expression at one instant. Of a range such as `up[5m]` the answer holds the raw samples.
    ///
    /// # Errors
    /// [`PrometheusError`], also where the server warns of its own answer.
    pub fn instant(&self, query: &str, at: Instant, deadline: Deadline) -> Result<Answer, PrometheusError> {
        self.ask("/api/v1/query", &[("query", query), ("time", &seconds(at))], deadline)
    }

    /// Evaluates an expression at `from` and every `step` after it, up to `to`. More steps than a server
    /// answers at once are asked for in parts.
    ///
    /// # Errors
    /// As [`Prometheus::instant`], and [`PrometheusError::Unasked`] where the parts do not fit together.
    pub fn range(
        &self,
        query: &str,
        from: Instant,
        to: Instant,
        step: Duration,
        deadline: Deadline,
    ) -> Result<Answer, PrometheusError> {
        let step = step.max(Duration::from_millis(1));
        let mut whole = Answer { data: Data::Matrix(Vec::new()), warnings: Vec::new(), infos: Vec::new() };
        let mut joined: BTreeMap<Labels, Series> = BTreeMap::new();
        let mut start = from;
        loop {
            let end = start.plus(step.times(MOST_STEPS - 1)).min(to);
            let step_text = decimal(step.millis());
            let fields = [("query", query), ("start", &seconds(start)), ("end", &seconds(end)), ("step", &step_text)];
            let part = self.ask("/api/v1/query_range", &fields, deadline)?;
            let Data::Matrix(all) = part.data else { return Err(self.unasked("the result is no matrix")) };
            for series in all {
                let inside = |at: Instant| at >= start && at <= end;
                let mut times =
                    series.samples.iter().map(|sample| sample.at).chain(series.histograms.iter().map(|h| h.at));
                if !times.all(inside) {
                    return Err(self.unasked("samples lie outside of the range"));
                }
                match joined.get_mut(&series.labels) {
                    Some(known) => {
                        known.samples.extend(series.samples);
                        known.histograms.extend(series.histograms);
                    }
                    None => _ = joined.insert(series.labels.clone(), series),
                }
            }
            whole.infos.extend(part.infos);
            if end.plus(step) > to || end >= to {
                break;
            }
            start = end.plus(step);
        }
        whole.data = Data::Matrix(joined.into_values().collect());
        Ok(whole)
    }

    /// Asks the server what time it is.
    ///
    /// # Errors
    /// [`PrometheusError::Clock`] if its clock and this one differ by more than is tolerated.
    pub fn check_clock(&self, deadline: Deadline) -> Result<(), PrometheusError> {
        let (reply, answer) = self.reply("/api/v1/query", &[("query", "time()")], deadline)?;
        let Data::Scalar(time) = answer.data else { return Err(self.unasked("`time()` is no number")) };
        #[expect(clippy::cast_possible_truncation, reason = "a time that does not fit is far away all the same")]
        let theirs = Instant::from_millis((time.value * 1000.0) as i64);
        self.compare_clocks(&reply, theirs, Duration::ZERO)
    }

    pub(crate) fn unasked(&self, cause: impl Into<String>) -> PrometheusError {
        PrometheusError::Unasked { host: self.host().to_owned(), cause: cause.into() }
    }

    fn ask(&self, path: &str, fields: &[(&str, &str)], deadline: Deadline) -> Result<Answer, PrometheusError> {
        self.reply(path, fields, deadline).map(|(_, answer)| answer)
    }

    fn reply(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        deadline: Deadline,
    ) -> Result<(Reply, Answer), PrometheusError> {
        // What nobody waits for any more, the server need not compute.
        let left = deadline.left().map_or(1, |left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1));
        let timeout = decimal(left);
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("timeout", timeout.as_str())]).collect();
        let reply = self.client.post_form(path, &fields, deadline)?;
        if let Some(date) = reply.date {
            self.compare_clocks(&reply, date, Duration::from_secs(1))?;
        }
        let answer = self.read(&reply)?;
        Ok((reply, answer))
    }

    fn read(&self, reply: &Reply) -> Result<Answer, PrometheusError> {
        let host = || self.host().to_owned();
        let status = reply.status;
        let successful = (200..300).contains(&status);
        if matches!(status, 401 | 403) {
            return Err(PrometheusError::Unauthorized { host: host(), status });
        }
        if reply.content_type != "application/json" {
            return Err(if successful {
                let content_type = reply.content_type.chars().take(100).collect();
                PrometheusError::NotJson { host: host(), content_type, status }
            } else {
                PrometheusError::Status { host: host(), status }
            });
        }
        match parse(&reply.body) {
            Ok(_) if !successful => Err(PrometheusError::Status { host: host(), status }),
            Ok(answer) if !answer.warnings.is_empty() => {
                let warnings = answer.warnings.iter().map(|warning| answer::short(warning)).collect();
                Err(PrometheusError::Warned { host: host(), warnings })
            }
            Ok(answer) => Ok(answer),
            Err(AnswerError::Garbled { .. }) if !successful => Err(PrometheusError::Status { host: host(), status }),
            Err(cause) => Err(PrometheusError::Answer { host: host(), cause }),
        }
    }

    /// The server's clock showed `theirs`, or up to `resolution` more, while the request was on its way.
    fn compare_clocks(&self, reply: &Reply, theirs: Instant, resolution: Duration) -> Result<(), PrometheusError> {
        let ahead = theirs.since(reply.received);
        let behind = reply.sent.since(theirs.plus(resolution));
        let (by, direction) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
        let tolerance = self.settings.clock_tolerance;
        if by <= tolerance {
            return Ok(());
        }
        Err(PrometheusError::Clock { host: self.host().to_owned(), by, direction, tolerance })
    }
}

/// An instant as the API takes it: seconds since the epoch.
fn seconds(at: Instant) -> String {
    decimal(at.millis())
}

/// Milliseconds as seconds.
fn decimal(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}
