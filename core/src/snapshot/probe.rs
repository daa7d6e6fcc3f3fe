//! Results of synthetic flows.

use serde::{Deserialize, Serialize};

use super::Cohort;
use crate::{Instant, Name};

/// One run of one flow against one cohort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeResult {
    /// The flow.
    pub flow: Name,
    /// Which cohort answered.
    pub cohort: Cohort,
    /// When the run ended.
    pub at: Instant,
    /// How it ended.
    pub verdict: ProbeVerdict,
}

/// How a run ended, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeVerdict {
    /// Every expectation held.
    Pass,
    /// Every expectation held, slower than wanted; or one of a step that only should hold did not.
    Degraded,
    /// It was not run.
    Skipped,
    /// The prober itself failed; this says nothing about the service.
    Error,
    /// An expectation did not hold.
    Fail,
}

impl ProbeVerdict {
    /// The word as JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Degraded => "degraded",
            Self::Skipped => "skipped",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}
