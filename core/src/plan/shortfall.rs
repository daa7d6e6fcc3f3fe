//! What a policy asks for and its traffic cannot give.

use std::fmt;

use serde::Serialize;
use std::num::NonZeroU32;

use super::Effect;
use crate::{Duration, Name, Share};

/// Something that the policy asks for and is not expected to happen in time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Shortfall {
    /// What the policy calls unacceptable is not expected to be detected before the horizon.
    Undetected {
        /// By this metric.
        metric: Name,
        /// What is unacceptable.
        effect: Effect,
        /// Since the start of the release.
        horizon: Duration,
        /// How long it takes at the first and at the last weight of the ramp; nothing if longer than any plan.
        at_steps: Vec<(Share, Option<Duration>)>,
        /// What the noise has to do with it; nothing if it would not be seen in time without noise either.
        #[serde(skip_serializing_if = "Option::is_none")]
        noise: Option<Hidden>,
    },
    /// A good canary is not expected to be proved good enough before the horizon, so that it is not promoted.
    Unproved {
        /// By this metric.
        metric: Name,
        /// Since the start of the release.
        horizon: Duration,
        /// How long it takes at the first and at the last weight of the ramp; nothing if longer than any plan.
        at_steps: Vec<(Share, Option<Duration>)>,
        /// What the noise has to do with it; nothing if it would not be proved in time without noise either.
        #[serde(skip_serializing_if = "Option::is_none")]
        noise: Option<Hidden>,
    },
}

/// What would be shown in time were requests independent, and noise between replicas hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hidden {
    /// When it would be shown, since the first judged interval began.
    pub independent: Duration,
    /// Where the noise is known from.
    pub source: NoiseSource,
}

/// Where the noise is known from that hides something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NoiseSource {
    /// Replicas of the baseline show it.
    Replicas {
        /// How many are told apart.
        count: NonZeroU32,
        /// Whether more of them would help, and more time would not.
        more_help: bool,
    },
    /// It is assumed, because no replicas are told apart.
    NoReplicas,
    /// It is assumed beside a limit that is known: nothing is compared with a baseline, and no replicas change that.
    KnownLimit,
}

impl Shortfall {
    /// The metric that falls short.
    #[must_use]
    pub const fn metric(&self) -> &Name {
        match self {
            Self::Undetected { metric, .. } | Self::Unproved { metric, .. } => metric,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        let noise = match self {
            Self::Undetected { noise, .. } | Self::Unproved { noise, .. } => noise,
        };
        match (self, noise) {
            (_, Some(Hidden { source: NoiseSource::NoReplicas, .. })) => {
                "tell replicas apart, and say how many there are in `expect: { replicas: ... }`"
            }
            (_, Some(Hidden { source: NoiseSource::Replicas { more_help: true, .. }, .. })) => {
                "add replicas, or learn the noise from past rollouts: more time does not help"
            }
            (Self::Undetected { .. }, Some(Hidden { source: NoiseSource::KnownLimit, .. })) => {
                "stay longer, or call only more than that unacceptable"
            }
            (Self::Unproved { .. }, Some(Hidden { source: NoiseSource::KnownLimit, .. })) => {
                "stay longer, or raise the limit; until then `onInconclusive` decides"
            }
            (Self::Undetected { .. }, _) => "raise the weights, stay longer, or call only more than that unacceptable",
            (Self::Unproved { .. }, _) => {
                "raise the weights, stay longer, raise `unacceptable`, or give an absolute `max`; until then `onInconclusive` decides"
            }
        }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at_steps, noise) = match self {
            Self::Undetected { metric, effect, horizon, at_steps, noise } => {
                write!(
                    f,
                    "`{metric}`: {effect} is unacceptable, and not expected to be detected before the horizon of {horizon}"
                )?;
                (at_steps, noise)
            }
            Self::Unproved { metric, horizon, at_steps, noise } => {
                write!(
                    f,
                    "`{metric}`: a good canary is not expected to be proved good enough before the horizon of {horizon}"
                )?;
                (at_steps, noise)
            }
        };
        for (place, (weight, takes)) in at_steps.iter().enumerate() {
            f.write_str(if place == 0 { ": it takes " } else { ", " })?;
            match takes {
                Some(takes) => write!(f, "{takes} at {weight}")?,
                None => write!(f, "much longer at {weight}")?,
            }
        }
        let Some(Hidden { independent, source }) = noise else { return Ok(()) };
        write!(f, "; independent requests would show it after {independent}, and the noise ")?;
        match source {
            NoiseSource::NoReplicas => f.write_str("hides it that is assumed where no replicas are told apart"),
            NoiseSource::KnownLimit => f.write_str("hides it that is assumed beside a limit, whatever replicas show"),
            NoiseSource::Replicas { count, more_help } => {
                let few = if *more_help { ": adding replicas helps, time does not" } else { "" };
                write!(f, "of {count} replicas hides it{few}")
            }
        }
    }
}
