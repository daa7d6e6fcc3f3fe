//! What can be found, each with a stable code and its facts as data; prose is made from them elsewhere.

use std::marker::PhantomData;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize, Serializer};

use super::Verdict;
use super::burned::{Burned, Unclear, WindowSeen};
use super::calendar::ChangeWindow;
use super::noise::NoiseSeen;
use super::ruled::{Condition, Limit};
use crate::calendar::{Ruling, Turn};
use crate::document::{Points, Quantile};
use crate::kayenta::Label;
use crate::snapshot::{Cohort, Missing, PluginFault, Strict};
use crate::stats::RatioLimits;
use crate::{Asked, Count, Digest, Duration, Factor, Instant, Name, Share, Text};

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
    HealthHarm = "health.harm", "the evidence that the canary is worse than tolerated has reached the level of an abort" {
        suspect: Option<Name>, "the metric that says most";
        reached: f64, "the most evidence so far, as a power of ten";
        needed: f64, "the level of this attempt, as a power of ten";
    }
    HealthSuspicion = "health.suspicion", "there is evidence that the canary is worse than tolerated, too much for more traffic and too little to abort" {
        suspect: Option<Name>, "the metric that says most";
        reached: f64, "the most evidence so far, as a power of ten";
        needed: f64, "the level of this attempt, as a power of ten";
        score: Points, "the health score";
    }
    HealthNoHarm = "health.no-harm", "there is little or no evidence that the canary is worse than tolerated" {
        reached: f64, "the most evidence so far, as a power of ten";
        needed: f64, "the level of this attempt, as a power of ten";
        score: Points, "the health score";
    }
    HealthWithinNoise = "health.within-noise", "the evidence would abort if requests were independent, and for a while it has been within the noise, be it seen between replicas or assumed" {
        suspect: Option<Name>, "the metric that says most";
        intervals: Count, "for how many intervals in a row";
        first: f64, "the most evidence as if requests were independent, as a power of ten";
        second: f64, "the evidence that the noise leaves, as a power of ten";
        needed: f64, "the level of this attempt, as a power of ten";
    }
    HealthNoise = "health.noise", "how much replicas and intervals differ by themselves, and what that leaves of the evidence" {
        metric: Name, "the metric whose test says most";
        seen: Box<NoiseSeen>, "what is known of its noise";
        first: f64, "the most evidence as if requests were independent, as a power of ten";
        second: f64, "the evidence that the noise leaves, as a power of ten";
        needed: f64, "the level of this attempt, as a power of ten";
    }
    HealthReplicasLeftOut = "health.replicas-left-out", "replicas of the baseline are far worse than the others and are left out" {
        replicas: Vec<Name>, "which ones";
    }
    HealthSickReplicas = "health.sick-replicas", "replicas of the baseline are far worse than the others, which makes the canary look good, and too few are left to do without them" {
        replicas: Vec<Name>, "which ones";
    }
    HealthProved = "health.proved", "the metric is good enough: what the policy calls unacceptable is ruled out" {
        shown: f64, "the most evidence so far, as a power of ten";
        needed: f64, "the level of a promotion, as a power of ten";
        score: Points, "the metric's own health score";
        ratio: Option<RatioLimits>, "how many times as often as the baseline the canary has bad events, with 95 % confidence at all looks together, if requests are independent; none where nothing is compared";
    }
    HealthNotProved = "health.not-proved", "it is not proved yet that the metric is good enough" {
        shown: f64, "the most evidence so far, as a power of ten";
        needed: f64, "the level of a promotion, as a power of ten";
        score: Points, "the metric's own health score";
        ratio: Option<RatioLimits>, "how many times as often as the baseline the canary has bad events, with 95 % confidence at all looks together, if requests are independent; none where nothing is compared";
    }
    HealthReversed = "health.reversed", "the metric was proved good enough, and the newest intervals speak against it" {
        intervals: Count, "how many intervals are looked at";
        score: Points, "the metric's own health score";
        ratio: Option<RatioLimits>, "how many times as often as the baseline the canary has bad events, with 95 % confidence at all looks together, if requests are independent; none where nothing is compared";
    }
    HealthCrossed = "health.crossed", "the canary has more bad events than its fixed schedule of looks allows" {
        suspect: Name, "the metric";
        events: Count, "bad events of the canary so far";
        looks: Count, "looks taken";
        planned: Count, "looks that are planned";
    }
    HealthNotCrossed = "health.not-crossed", "no metric has more bad events than its fixed schedule of looks allows" {
        looks: Count, "looks taken";
        planned: Count, "looks that are planned; what comes later is not judged";
    }
    HealthScheduleLeft = "health.schedule-left", "the canary does not have the weight that the fixed schedule has about now, so that nothing is guaranteed" {
        weight: Share, "the weight that it has";
    }
    HealthRetried = "health.retried", "a fixed schedule of looks is planned for one attempt" {
        attempt: Count, "which one this is";
    }
    HealthTooManyEvents = "health.too-many-events", "some looks had too many events for the exact test" {
        unjudged: Count, "how many looks";
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
    HealthKayentaLabel = "health.kayenta-label", "what Kayenta's judge called the metric at its latest analysis; the score of all metrics decides" {
        label: Label, "what it is called";
        ratio: Option<f64>, "the canary's mean by the baseline's";
        canary: Count, "values of the canary that were there";
        baseline: Count, "values of the baseline that were there";
    }
    HealthKayentaWaiting = "health.kayenta-waiting", "Kayenta's judge has not analysed anything yet" {
        intervals: Count, "intervals so far";
        needed: Count, "intervals of the first analysis";
    }
    HealthKayentaRunning = "health.kayenta-running", "the latest score is not marginal, and further analyses follow" {
        score: f64, "the score";
        marginal: f64, "at this score, or below it, an analysis fails";
        analyses: Count, "analyses so far";
        of: Count, "analyses in all";
    }
    HealthKayentaPassed = "health.kayenta-passed", "the score of the last analysis is high enough" {
        score: f64, "the score";
        pass: f64, "the score that was needed";
    }
    HealthKayentaFailed = "health.kayenta-failed", "the score of an analysis was too low" {
        score: f64, "the score";
        needed: f64, "the score that the last analysis needs; earlier ones, more than this";
        analyses: Count, "analyses by then";
        ended_by: Option<Name>, "the critical metric that made it 0";
        mostly_no_data: bool, "whether half of the metrics had no data, which made it 0";
    }
    PluginMeasured = "plugin.measured", "a plugin measured the metric in the newest interval" {
        cohort: Cohort, "whose traffic";
        plugin: Option<Digest>, "the digest of its bytes; nothing for code of the host";
        engine: Text, "what ran it";
        fuel: Option<Count>, "how much of its budget was spent";
        start: Instant, "the interval";
    }
    PluginRejected = "plugin.rejected", "the plugin says that it cannot measure the metric" {
        cohort: Cohort, "whose traffic";
        message: Text, "in its words";
        start: Instant, "the interval";
    }
    PluginFaulted = "plugin.faulted", "the plugin that measures the metric failed" {
        cohort: Cohort, "whose traffic";
        fault: PluginFault, "in what way";
        detail: Text, "more about it";
        start: Instant, "the interval";
    }
    PluginOther = "plugin.other", "the metric was measured by another plugin than the policy names" {
        found: Option<Digest>, "the digest of that one's bytes";
        start: Instant, "the first such interval";
    }
    PluginUnrecorded = "plugin.unrecorded", "the metric has results of which the snapshot does not say how a plugin computed them" {
        start: Instant, "the first such interval";
        intervals: Count, "how many there are";
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
    BurnCalm = "burn.calm", "no pair of windows of the SLO burns" {
        nearest: Burned, "the pair that is nearest to burning";
    }
    BurnCanary = "burn.canary", "the error budget burns too fast, in the short window of the canary and not of the baseline" {
        burned: Burned, "the whole service";
        canary: WindowSeen, "the canary's short window";
        baseline: WindowSeen, "the baseline's short window";
    }
    BurnShared = "burn.shared", "the error budget burns too fast, of canary and baseline alike" {
        burned: Burned, "the whole service";
        canary: WindowSeen, "the canary's short window";
        baseline: WindowSeen, "the baseline's short window";
    }
    BurnUnattributed = "burn.unattributed", "the error budget burns too fast, and it cannot be said whether the canary does it" {
        burned: Burned, "the whole service";
        canary: WindowSeen, "the canary's short window";
        baseline: WindowSeen, "the baseline's short window";
    }
    BurnLive = "burn.live", "the error budget began to burn too fast in the live stage" {
        burned: Burned, "the whole service";
    }
    BurnBefore = "burn.before", "the error budget burns too fast, and was not calm before the live stage" {
        burned: Burned, "the whole service";
    }
    BurnBurning = "burn.burning", "the error budget burns too fast, which the policy lets hold" {
        burned: Burned, "the whole service";
    }
    BurnThin = "burn.thin", "too few events to say whether the error budget burns" {
        burned: Burned, "what was seen";
        why: Unclear, "what is too little";
    }
    BurnUnknown = "burn.unknown", "it cannot be said whether the error budget burns" {
        burned: Burned, "what was seen";
        why: Unclear, "why not";
    }
    BudgetLeft = "budget.left", "enough is left of the error budget" {
        objective: NonZeroU32, "which objective of the SLO";
        left: f64, "the part that is left";
        lasts: Option<Duration>, "how long it lasts at the present burn rate";
        known_from: Option<Instant>, "where the data begin";
    }
    BudgetFrozen = "budget.frozen", "the error budget is spent: releases are frozen until some of it is left again" {
        objective: NonZeroU32, "which objective of the SLO";
        left: Option<f64>, "the part that is left, if it is known and finite";
        below: Share, "the freeze began below this";
        unfreeze_at: Share, "it ends from this on";
        since: Instant, "when it began";
    }
    BudgetExempt = "budget.exempt", "the error budget is spent, and changes of this class may go on" {
        objective: NonZeroU32, "which objective of the SLO";
        class: Name, "the class";
        left: Option<f64>, "the part that is left, if it is known and finite";
    }
    BudgetThin = "budget.thin", "too few events to say what is left of the error budget" {
        objective: NonZeroU32, "which objective of the SLO";
        why: Unclear, "what is too little";
    }
    BudgetUnknown = "budget.unknown", "it cannot be said what is left of the error budget" {
        objective: NonZeroU32, "which objective of the SLO";
        why: Unclear, "why not";
    }
    CalendarOpen = "calendar.open", "change windows and freezes let it go on" {
        ruling: Ruling, "by which rule";
        turns: Turn, "when they no longer do";
        windows: Vec<ChangeWindow>, "every window that concerns the release";
        tzdb: String, "the version of the time zone database";
    }
    CalendarClosed = "calendar.closed", "a freeze is on, or no change window is open" {
        ruling: Ruling, "by which rule";
        turns: Turn, "when it may go on";
        windows: Vec<ChangeWindow>, "every window that concerns the release";
        tzdb: String, "the version of the time zone database";
    }
    CalendarHardFrozen = "calendar.hard-frozen", "a freeze without exceptions is on" {
        turns: Turn, "when it may go on";
        windows: Vec<ChangeWindow>, "every window that concerns the release";
        tzdb: String, "the version of the time zone database";
    }
    CalendarTargetUnknown = "calendar.target-unknown", "it cannot be said whether a change window concerns the release" {
        missing: String, "the key of the snapshot that is missing";
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
    RulesFail = "rules.fail", "a rule fails the release" {
        message: Text, "why, in its author's words";
        code: Option<Name>, "the author's own code";
        conditions: Vec<Condition>, "what was true";
    }
    RulesDeny = "rules.deny", "a rule denies the start of the release, or holds it" {
        message: Text, "why, in its author's words";
        code: Option<Name>, "the author's own code";
        conditions: Vec<Condition>, "what was true";
    }
    RulesHold = "rules.hold", "a rule holds the release" {
        message: Text, "why, in its author's words";
        code: Option<Name>, "the author's own code";
        conditions: Vec<Condition>, "what was true";
    }
    RulesWarn = "rules.warn", "a rule lets the release go on, with a message" {
        message: Text, "why, in its author's words";
        code: Option<Name>, "the author's own code";
        conditions: Vec<Condition>, "what was true";
    }
    RulesPassed = "rules.passed", "a rule has nothing against the release" {}
    RulesMissing = "rules.missing", "a rule reads something that is not there, and does not say what that means" {
        paths: Vec<Text>, "what is not there";
    }
    RulesBroken = "rules.broken", "a rule could not be evaluated" {
        problem: Text, "why";
    }
    RulesExhausted = "rules.exhausted", "a rule needs more than a rule may" {
        limit: Limit, "what it used up";
    }
    RulesNoLanguage = "rules.no-language", "the engine was made without the language of a rule" {
        language: Name, "the language";
    }
    RulesShadow = "rules.shadow", "with a shadow rule in force the verdict would be another" {
        verdict: Verdict, "the other verdict";
        instead_of: Option<Name>, "the rule that it would replace";
    }
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
