//! What can be found, each with a stable code and its facts as data; prose is made from them elsewhere.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize, Serializer};

use crate::document::Quantile;
use crate::snapshot::{Cohort, Missing, Strict};
use crate::{Asked, Count, Duration, Factor, Instant, Name, Share, Text};

/// What was read of a metric in one interval, or of both cohorts where they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Reading {
    /// Bad events of all events.
    Share {
        /// Bad events.
        bad: Count,
        /// All events.
        total: Count,
    },
    /// Bad events of all events, of both cohorts.
    Compared {
        /// Bad events of the canary.
        bad: Count,
        /// All events of the canary.
        total: Count,
        /// Bad events of the baseline.
        baseline_bad: Count,
        /// All events of the baseline.
        baseline_total: Count,
    },
    /// The bucket that a quantile lies in.
    Latency {
        /// Which quantile.
        quantile: Quantile,
        /// Its lower bound in seconds, if it has one.
        above: Option<f64>,
        /// Its upper bound in seconds, if it has one.
        at_most: Option<f64>,
    },
    /// How many native buckets the canary's quantile lies later than the baseline's.
    Later {
        /// Which quantile.
        quantile: Quantile,
        /// The resolution of the buckets.
        schema: i8,
        /// Buckets later; negative is faster.
        buckets: i32,
    },
    /// A value; of several replicas, the worst.
    Gauge {
        /// The value.
        value: f64,
    },
    /// The mean values of both cohorts.
    GaugeCompared {
        /// The canary's.
        value: f64,
        /// The baseline's.
        baseline: f64,
    },
    /// A number of events.
    Events {
        /// The canary's.
        count: Count,
        /// The baseline's, if it was counted.
        baseline: Option<Count>,
    },
}

/// The limit that a reading is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Bound {
    /// At most this share of bad events.
    Share(Share),
    /// At most so many seconds.
    Seconds(f64),
    /// From `min` to `max`.
    Range {
        /// The smallest healthy value.
        min: Option<f64>,
        /// The largest healthy value.
        max: Option<f64>,
    },
    /// At most so many events.
    Events(Count),
    /// At most so many times the baseline.
    Times {
        /// Still healthy.
        tolerate: Factor,
        /// More is a failure.
        unacceptable: Factor,
    },
    /// At most so much slower than the baseline.
    Slower {
        /// Still healthy.
        tolerate: Share,
        /// More is a failure.
        unacceptable: Share,
    },
}

/// Why an override did not act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IgnoredOverride {
    /// Its signature was not verified, and it would have loosened.
    Unverified,
    /// It has not begun or has ended.
    NotInForce,
    /// It lives longer than the policy allows.
    TooLong,
    /// It is about another release.
    OutOfScope,
    /// It names findings that do not exist, or that the policy does not let it lower.
    NothingToWaive,
}

/// Declares the causes: variants, codes, facts, and their JSON.
macro_rules! causes {
    ($( $Variant:ident = $code:literal, $doc:literal { $( $field:ident : $T:ty, $field_doc:literal; )* } )*) => {
        /// What was found. [`Cause::code`] is stable; a new meaning gets a new code.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Cause {
            $( #[doc = $doc] $Variant { $( #[doc = $field_doc] $field: $T, )* }, )*
        }

        impl Cause {
            /// Every code, in the order of the gates.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// Every code with its meaning, for documentation.
            pub const MEANINGS: &'static [(&'static str, &'static str)] = &[$(($code, $doc)),*];

            /// The stable code, such as `health.limit-exceeded`.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $( Self::$Variant { .. } => $code, )* }
            }

            /// The facts alone, as a JSON object.
            pub(crate) fn serialize_facts<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $( Self::$Variant { $($field,)* } => {
                    #[derive(Serialize)]
                    #[serde(rename_all = "camelCase")]
                    struct Facts<'a> {
                        $( $field: &'a $T, )*
                        #[serde(skip)]
                        _lifetime: PhantomData<&'a ()>,
                    }
                    Facts { $($field,)* _lifetime: PhantomData }.serialize(serializer)
                } )* }
            }

            /// Puts a code and its facts together again.
            pub(crate) fn from_parts(code: &str, facts: serde_json::Value) -> Result<Self, serde_json::Error> {
                match code {
                    $( $code => {
                        #[derive(Deserialize)]
                        #[serde(rename_all = "camelCase", deny_unknown_fields)]
                        struct Facts { $( $field: $T, )* }
                        let Facts { $($field,)* } = Facts::deserialize(Strict(facts))?;
                        Ok(Self::$Variant { $($field,)* })
                    } )*
                    _ => Err(serde::de::Error::custom(format!("S030: no finding has the code `{code}`"))),
                }
            }
        }
    };
}

causes! {
    ReleaseUnknownService = "release.unknown-service", "the snapshot is about another service than the policy" {
        expected: Name, "the policy's service";
    }
    ReleaseUnknownEnvironment = "release.unknown-environment", "the policy does not name this environment" {
        known: Vec<Name>, "the environments that it names";
    }
    StateOtherRelease = "state.other-release", "the state belongs to another release, attempt or service" {}
    StateOtherPolicy = "state.other-policy", "the state was made under another policy" {}
    ClockBackwards = "clock.backwards", "the snapshot is older than an earlier one, or than the release" {
        latest: Instant, "the latest instant known";
    }
    AskedAlreadyLive = "asked.already-live", "the release already serves everyone" {
        asked: Asked, "what was asked";
    }
    AskedNotHigher = "asked.not-higher", "the weight asked for is not above the present one" {
        weight: Share, "the present weight";
        to: Share, "the weight asked for";
    }
    DataConflict = "data.conflict", "an interval that was already judged came again with other counts" {
        start: Instant, "the first such interval";
        intervals: Count, "how many";
    }
    DataLate = "data.late", "an interval came after a later one had been judged" {
        start: Instant, "the first such interval";
        intervals: Count, "how many";
    }
    DataOffGrid = "data.off-grid", "an interval is not one of the policy's grid" {
        start: Instant, "the first such interval";
        end: Instant, "its end";
        every: Duration, "the grid";
    }
    DataStale = "data.stale", "the newest closed interval is missing" {
        expected: Instant, "its end";
        newest: Option<Instant>, "the end of the newest one that is there";
    }
    DataFirstInterval = "data.first-interval", "the first judged interval is not closed yet" {
        closes: Instant, "when it closes";
    }
    StepsDwell = "steps.dwell", "the step has not lasted long enough" {
        at_least: Duration, "how long it must last";
        elapsed: Duration, "how long it has lasted";
    }
    StepsExposure = "steps.exposure", "the canary has not served enough requests to leave the step" {
        at_least: Count, "requests needed, over the whole rollout";
        requests: Count, "requests judged so far";
    }
    StepsSkipped = "steps.skipped", "the weight asked for skips a step" {
        to: Share, "the weight asked for";
        next: Share, "the next step";
    }
    StepsEnded = "steps.ended", "the weight asked for is above the last step; what follows is `promote`" {
        to: Share, "the weight asked for";
        last: Share, "the last step";
    }
    StepsUnfinished = "steps.unfinished", "the ramp has further steps before `promote`" {
        weight: Share, "the present weight";
        last: Share, "the last step";
    }
    StepsMet = "steps.met", "the step has lasted long enough and seen enough" {
        weight: Share, "the present weight";
    }
    BakeWatching = "bake.watching", "the live release is being watched" {
        ends: Instant, "when the bake ends";
    }
    BakeDone = "bake.done", "the bake is over" {
        ended: Instant, "when it ended";
    }
    BakeNoReference = "bake.no-reference", "metrics compare with a baseline, and the policy does not say with which one in the live stage" {}
    HealthWithinLimits = "health.within-limits", "the metric is within its limits" {
        reading: Reading, "the newest reading";
        limit: Bound, "its limit";
        failed: Count, "failed intervals so far";
    }
    HealthLimitExceeded = "health.limit-exceeded", "the metric broke its limit" {
        reading: Reading, "the reading that broke it";
        limit: Bound, "its limit";
        start: Instant, "the interval";
        failed: Count, "failed intervals by then";
    }
    HealthBreachTolerated = "health.breach-tolerated", "the newest interval is bad, and more of them are needed to fail" {
        reading: Reading, "the reading";
        limit: Bound, "its limit";
        bad_in_a_row: Count, "bad intervals in a row";
        patience: Count, "how many count as a failure";
        failed: Count, "failed intervals so far";
    }
    HealthInconclusive = "health.inconclusive", "the newest reading lies between healthy and failed" {
        reading: Reading, "the reading";
        limit: Bound, "its limit";
    }
    HealthTooInconclusive = "health.too-inconclusive", "more readings were undecided, or worse, than the policy tolerates" {
        inconclusive: Count, "how many were undecided or bad";
        tolerated: Count, "how many are tolerated";
    }
    HealthNoTraffic = "health.no-traffic", "a cohort had no requests" {
        cohort: Cohort, "which one";
    }
    HealthTooFewRequests = "health.too-few-requests", "a cohort had too few requests to be judged" {
        cohort: Cohort, "which one";
        requests: Count, "how many it had";
        needed: Count, "how many are needed";
    }
    HealthNoData = "health.no-data", "a cohort has no usable value" {
        cohort: Cohort, "which one";
        missing: Missing, "what the source said";
    }
    HealthDataFailed = "health.data-failed", "a value was missing, and the policy says that this fails" {
        cohort: Cohort, "which one";
        missing: Missing, "what the source said";
        start: Instant, "the interval";
    }
    HealthWrongForm = "health.wrong-form", "a cohort's observation does not have the form that the metric needs" {
        cohort: Cohort, "which one";
    }
    HealthHorizon = "health.horizon", "the horizon passed and the metric is still undecided" {
        horizon: Duration, "the horizon";
    }
    HealthArgoRunning = "health.argo-running", "the Argo measurement has not ended yet" {
        taken: Count, "measurements taken";
    }
    HealthArgoErrors = "health.argo-errors", "too many errors in a row, which Argo treats as a failure" {
        errors: Count, "errors in a row";
    }
    HealthArgoInconclusive = "health.argo-inconclusive", "the Argo measurement ended inconclusive; a person must decide" {
        taken: Count, "measurements taken";
        inconclusive: Count, "how many of them were inconclusive";
    }
    HealthArgoUnsuccessful = "health.argo-unsuccessful", "the Argo measurements ended without enough successes in a row" {
        taken: Count, "measurements taken";
    }
    HealthArgoSuccessful = "health.argo-successful", "the Argo measurement ended successful" {
        taken: Count, "measurements taken";
    }
    HealthArgoStopped = "health.argo-stopped", "another metric ended the Argo analysis, which counts this one as successful" {}
    HealthOutsideLimits = "health.outside-limits", "the newest reading is outside its limits; failed checks are counted over all metrics" {
        reading: Reading, "the reading";
        limit: Bound, "its limit";
    }
    HealthFlaggerFailedChecks = "health.flagger-failed-checks", "the failed checks reached Flagger's threshold" {
        failed_checks: Count, "failed checks";
        threshold: Count, "the threshold";
    }
    HealthFlaggerCheckFailed = "health.flagger-check-failed", "the newest Flagger check failed" {
        failed_checks: Count, "failed checks so far, never reset";
        threshold: Count, "the threshold";
    }
    ProbesPassed = "probes.passed", "the flow passed" {
        at: Instant, "when";
    }
    ProbesDegraded = "probes.degraded", "the flow passed slowly" {
        at: Instant, "when";
    }
    ProbesFailed = "probes.failed", "the flow failed against the canary and not against the baseline" {
        at: Instant, "when it last failed";
        failures: Count, "failures in a row";
    }
    ProbesFailing = "probes.failing", "the flow failed, and more failures in a row are needed to fail the release" {
        at: Instant, "when";
        failures: Count, "failures in a row";
        patience: Count, "how many are needed";
    }
    ProbesUpstream = "probes.upstream", "the flow failed against canary and baseline alike: the cause lies upstream" {
        at: Instant, "when it last failed against the canary";
    }
    ProbesStale = "probes.stale", "there is no fresh result of the flow against the canary" {
        latest: Option<Instant>, "the newest result";
        within: Duration, "how fresh it must be";
    }
    ProbesNotRun = "probes.not-run", "the flow was skipped, or the prober itself failed" {
        at: Instant, "when";
    }
    DependenciesNotPassed = "dependencies.not-passed", "the revision has not passed a required environment" {}
    DependenciesSoaking = "dependencies.soaking", "the revision has not soaked long enough in a required environment" {
        passed_at: Instant, "when it was passed";
        soak: Duration, "how long it must soak";
    }
    DependenciesMet = "dependencies.met", "the revision has passed and soaked in a required environment" {
        passed_at: Instant, "when it was passed";
    }
    BlastRadiusWeight = "blast-radius.weight", "the weight asked for is above the largest allowed" {
        to: Share, "the weight asked for";
        max: Share, "the largest weight";
    }
    BlastRadiusConcurrent = "blast-radius.concurrent", "too many releases are running in this environment" {
        running: Count, "other releases running";
        allowed: Count, "how many may run at once, this one included";
    }
    BlastRadiusWithin = "blast-radius.within", "not more is at stake than allowed" {}
    OverrideHold = "override.hold", "a person holds the release" {
        by: Text, "who";
        reason: Text, "why";
        expires: Instant, "until when";
    }
    OverrideAbort = "override.abort", "a person ends the release" {
        by: Text, "who";
        reason: Text, "why";
    }
    OverrideWaived = "override.waived", "a person waives findings" {
        by: Text, "who";
        reason: Text, "why";
        expires: Instant, "until when";
    }
    OverrideIgnored = "override.ignored", "an override did not act" {
        why: IgnoredOverride, "why";
    }
    HoldLimit = "hold.limit", "the release has held for longer than the policy allows" {
        since: Instant, "since when";
        after: Duration, "how long it may hold";
    }
}
