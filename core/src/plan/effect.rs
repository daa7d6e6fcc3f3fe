//! What may be true of a canary.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::policy::{Criterion, LatencyLimit, MetricPlan, Proof, beyond};
use crate::{Factor, Share};

/// What is true of a canary. As text: `2x as many`, `25% slower`, `2x as slow`, `1.5% bad`, `3 events an interval`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// It is the baseline again.
    None,
    /// So many times as many bad events.
    Times(Factor),
    /// Requests take so many times as long.
    Slower(Factor),
    /// This share of its events is bad.
    Share(Share),
    /// It has so many events per interval.
    Events(f64),
}

const fn factor(thousandths: u32) -> Factor {
    Factor::from_thousandths(thousandths)
}

/// What is often asked about, beside what the policy calls unacceptable.
const USUAL_COUNTS: [Effect; 3] = [Effect::Times(factor(2000)), Effect::Times(factor(5000)), Effect::Share(Share::ALL)];
const USUAL_EVENTS: [Effect; 2] = [Effect::Times(factor(2000)), Effect::Times(factor(10_000))];
const USUAL_LATENCIES: [Effect; 2] = [Effect::Slower(factor(1250)), Effect::Slower(factor(2000))];
/// From small to large, in thousandths: which of them is the least that is seen.
const TIMES: [u32; 12] = [1100, 1250, 1500, 1750, 2000, 2500, 3000, 5000, 10_000, 20_000, 50_000, 100_000];
const SLOWER: [u32; 10] = [1050, 1100, 1150, 1200, 1250, 1350, 1500, 1750, 2000, 5000];

impl Effect {
    /// What the policy calls unacceptable.
    pub(super) fn unacceptable(metric: &MetricPlan, proof: &Proof) -> Self {
        let share = |limit: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share in millionths")]
            let ppm = (beyond(limit) * f64::from(Share::ALL.ppm())).round() as u32;
            Self::Share(Share::from_ppm(ppm))
        };
        match (proof, metric.criterion) {
            (Proof::Share { .. }, Criterion::BadShare { max: Some(max), .. }) => share(max.as_fraction()),
            (Proof::Share { .. }, Criterion::Latency { limit: LatencyLimit::Quantile { quantile, .. }, .. }) => {
                share(quantile.beyond())
            }
            (Proof::Rate { .. }, Criterion::Events { max }) => {
                #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
                let max = max.get() as f64;
                Self::Events(max * crate::policy::BEYOND)
            }
            (Proof::Shift { unacceptable, .. }, _) => {
                Self::Slower(factor(unacceptable.ppm().div_ceil(1000).saturating_add(1000)))
            }
            (_, Criterion::BadShare { relative: Some(relative), .. }) => Self::Times(relative.unacceptable),
            (_, Criterion::Latency { limit: LatencyLimit::Slow(slow), .. }) => Self::Times(slow.relative.unacceptable),
            (_, Criterion::Latency { limit: LatencyLimit::Slower { relative, .. }, .. }) => {
                Self::Times(relative.unacceptable)
            }
            // No test has another criterion.
            _ => Self::None,
        }
    }

    /// What else is often asked about.
    pub(super) fn usual(proof: &Proof, metric: &MetricPlan) -> &'static [Self] {
        match (proof, metric.criterion) {
            (Proof::Rate { .. }, _) => &USUAL_EVENTS,
            (_, Criterion::Latency { .. }) => &USUAL_LATENCIES,
            _ => &USUAL_COUNTS,
        }
    }

    /// From small to large.
    pub(super) fn rising(metric: &MetricPlan) -> Vec<Self> {
        match metric.criterion {
            Criterion::Latency { .. } => SLOWER.iter().map(|times| Self::Slower(factor(*times))).collect(),
            _ => TIMES.iter().map(|times| Self::Times(factor(*times))).collect(),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no change"),
            Self::Times(times) => write!(f, "{times} as many"),
            Self::Slower(times) if times.thousandths() < 2000 => {
                let more = Share::from_ppm(times.thousandths().saturating_sub(1000).saturating_mul(1000));
                write!(f, "{more} slower")
            }
            Self::Slower(times) => write!(f, "{times} as slow"),
            Self::Share(share) => write!(f, "{share} bad"),
            Self::Events(events) => write!(f, "{events} events an interval"),
        }
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
