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
    /// Every expectation held, slower than wanted.
    Degraded,
    /// It was not run.
    Skipped,
    /// The prober itself failed; this says nothing about the service.
    Error,
    /// An expectation did not hold.
    Fail,
}
