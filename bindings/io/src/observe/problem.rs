//! What kept an observation from being made, or is worth knowing beside it.

use std::fmt;

use davy::{Duration, Name};
use thiserror::Error;

use crate::prometheus::PrometheusError;
use crate::promql::TextError;

/// Something that a person should see beside a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The metrics and SLOs that it is about; none where it is about the source as a whole.
    pub about: Vec<Name>,
    /// What it is.
    pub problem: Problem,
}

/// What can be wrong, or remarkable.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Problem {
    /// The source gave no answer that can be used.
    #[error(transparent)]
    Source(#[from] PrometheusError),
    /// The policy's text cannot be asked.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A source that nobody knows.
    #[error("I050: no server is known for {}", source_name.as_ref().map_or_else(|| "metrics without a source".to_owned(), |name| format!("the source `{name}`")))]
    NoServer {
        /// The source's name.
        source_name: Option<Name>,
    },
    /// A counter that does not count.
    #[error("I051: `{series}` does not count events: {cause}")]
    NotACounter {
        /// Which series.
        series: String,
        /// What tells.
        cause: String,
    },
    /// A part that is more than the whole.
    #[error("I052: {part} good or bad events of {total}")]
    MoreThanTotal {
        /// Good or bad events.
        part: u64,
        /// All events.
        total: u64,
    },
    /// Several values where one is wanted.
    #[error("I053: {series} series give a value for {}", replica.as_ref().map_or_else(|| "the whole cohort".to_owned(), |name| format!("the replica `{name}`")))]
    Ambiguous {
        /// Whose value.
        replica: Option<Name>,
        /// How many series.
        series: usize,
    },
    /// Classic buckets that do not go together.
    #[error("I054: the buckets of `{series}` cannot be used: {cause}")]
    Buckets {
        /// Which histogram.
        series: String,
        /// Why.
        cause: String,
    },
    /// A native histogram that cannot be used.
    #[error("I055: the histogram `{series}` cannot be used: {cause}")]
    Histogram {
        /// Which series.
        series: String,
        /// Why.
        cause: &'static str,
    },
    /// No series of good or bad events, and no proof that there were none.
    #[error("I056: there is no series `{selector}`, which need not mean that there were no such events")]
    NoPart {
        /// The selector of good or bad events.
        selector: String,
    },
    /// Samples are rarer than intervals.
    #[error("I057: samples come every {scrape}, too rarely for intervals of {every}")]
    RareSamples {
        /// The time between samples.
        scrape: Duration,
        /// The length of an interval.
        every: Duration,
    },
    /// Targets with failed scrapes, or that are gone without leave.
    #[error("I058: {targets} targets were not seen throughout, the first `{first}`")]
    Unseen {
        /// How many.
        targets: usize,
        /// One of them.
        first: String,
    },
    /// Replicas that cannot be told apart.
    #[error("I059: the label `{label}` does not name a replica in every series, so the cohort is counted as a whole")]
    NoReplica {
        /// The label.
        label: Name,
    },
    /// A remark of the server.
    #[error("I060: {host} remarks: {text}")]
    Remark {
        /// Whose.
        host: String,
        /// What.
        text: String,
    },
    /// Something that is not asked of Prometheus.
    #[error("I061: {what} come from elsewhere, and must be added to the intervals before they are judged")]
    NotHere {
        /// What.
        what: &'static str,
    },
    /// More than anybody would judge at once.
    #[error("I062: {intervals} intervals are too many to fetch at once")]
    TooMany {
        /// How many.
        intervals: u64,
    },
    /// Values that no interval or window can hold.
    #[error("I063: {0}")]
    Refused(String),
    /// A ratio that is none.
    #[error("I064: `{series}` has the value {value}, which is no ratio from 0 to 1")]
    NotARatio {
        /// Which series.
        series: String,
        /// Its value.
        value: String,
    },
    /// A window that is shorter than its slices.
    #[error("I065: the window of {window} holds no whole slice of {slice}")]
    NoSlice {
        /// The window's length.
        window: Duration,
        /// The slice's length.
        slice: Duration,
    },
}

impl From<&PrometheusError> for Problem {
    fn from(error: &PrometheusError) -> Self {
        Self::Source(error.clone())
    }
}

impl Problem {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(cause) => cause.code(),
            Self::Text(cause) => cause.code(),
            Self::NoServer { .. } => "I050",
            Self::NotACounter { .. } => "I051",
            Self::MoreThanTotal { .. } => "I052",
            Self::Ambiguous { .. } => "I053",
            Self::Buckets { .. } => "I054",
            Self::Histogram { .. } => "I055",
            Self::NoPart { .. } => "I056",
            Self::RareSamples { .. } => "I057",
            Self::Unseen { .. } => "I058",
            Self::NoReplica { .. } => "I059",
            Self::Remark { .. } => "I060",
            Self::NotHere { .. } => "I061",
            Self::TooMany { .. } => "I062",
            Self::Refused(_) => "I063",
            Self::NotARatio { .. } => "I064",
            Self::NoSlice { .. } => "I065",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Source(cause) => return cause.hint(),
            Self::Text(cause) => cause.hint(),
            Self::NoServer { .. } => "name the server of every source of the policy",
            Self::NotACounter { .. } => "counters are whole numbers from 0 on that only rise",
            Self::MoreThanTotal { .. } => "do both select the same traffic?",
            Self::Ambiguous { .. } => {
                "aggregate in the text, as with `max(…)`, or name the `replica` label of the source"
            }
            Self::Buckets { .. } => {
                "a histogram has one series per `le`, the last `+Inf`, and the same bounds everywhere"
            }
            Self::Histogram { .. } => "native histograms of latencies have exponential buckets above zero",
            Self::NoPart { .. } => {
                "select a part of `total`, as `http_requests_total{code=~\"5..\"}` is of `http_requests_total`, or export the counter from its zero on"
            }
            Self::RareSamples { .. } => "let `every` hold two scrapes, or scrape more often",
            Self::Unseen { .. } => {
                "is the replica down, or its page of metrics? A target that is removed loses its `up` too"
            }
            Self::NoReplica { .. } => "let every series have the label, or give the metric a source without `replica`",
            Self::TooMany { .. } => "is the release's start right, and is its state handed on?",
            Self::NotARatio { .. } => "divide the percentage by 100, or write good and total events",
            Self::Remark { .. } | Self::NotHere { .. } | Self::Refused(_) | Self::NoSlice { .. } => return None,
        })
    }

    /// Whether something could not be observed because of it, so that the decision will be blind there.
    #[must_use]
    pub fn blinds(&self) -> bool {
        !matches!(self, Self::Remark { .. } | Self::NoReplica { .. } | Self::NotHere { .. })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.about.iter().enumerate() {
            write!(f, "{}{name}", if place > 0 { ", " } else { "" })?;
        }
        write!(f, "{}{}", if self.about.is_empty() { "" } else { ": " }, self.problem)?;
        self.problem.hint().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

/// Notes as they are found; the same about several metrics becomes one.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, about: Option<&Name>, problem: Problem) {
        let place = self.0.iter().position(|known| known.problem == problem);
        match place.and_then(|place| self.0.get_mut(place)) {
            Some(known) => known.about.extend(about.filter(|name| !known.about.contains(name)).cloned()),
            None => self.0.push(Note { about: about.into_iter().cloned().collect(), problem }),
        }
    }

    pub(super) fn into_vec(self) -> Vec<Note> {
        self.0
    }
}
