//! One sentence per cause.

use crate::decision::{Amount, Bound, Cause, Finding, FlipBound, FlipOf, IgnoredOverride, NoFlip, Reading};
use crate::snapshot::{Cohort, Missing};
use crate::{Count, Instant};

/// What was found, in one sentence without a full stop.
///
/// ```
/// # let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
/// # let json = br#"{ "now": "2026-11-23T10:00:00Z", "asked": "promote", "stage": "canary", "weight": "5%",
/// #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
/// #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
/// # let snapshot = davy::Snapshot::from_json(json)?;
/// # let (engine, state) = (davy::Engine::new(&bundle), davy::State::new());
/// let step = engine.decide(&state, &snapshot);
/// for finding in step.decision.reasons() {
///     println!("{}", davy::render::sentence(finding));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn sentence(finding: &Finding) -> String {
    let about = finding.subject.as_ref().map_or("", |subject| subject.as_str());
    let plural = |count: &Count, one: &str, many: &str| {
        if *count == Count::from(1) { format!("1 {one}") } else { format!("{count} {many}") }
    };
    let intervals = |count: &Count| plural(count, "interval", "intervals");
    match &finding.cause {
        Cause::ReleaseUnknownService { expected } => {
            format!("the release is about the service `{about}`, the policy about `{expected}`")
        }
        Cause::ReleaseUnknownEnvironment { known } => {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("the policy does not name the environment `{about}`; it names {}", known.join(", "))
        }
        Cause::StateOtherRelease {} => {
            "the state belongs to another release, attempt or service; begin with `next_release` of the last one"
                .to_owned()
        }
        Cause::StateOtherPolicy {} => {
            "the state was made under another policy; begin anew and hand in all intervals of this attempt".to_owned()
        }
        Cause::ClockBackwards { latest } => format!("the clock went back: {latest} was seen already"),
        Cause::AskedAlreadyLive { asked } => format!("asked to {asked}, but the release already serves everyone"),
        Cause::AskedNotHigher { weight, to } => format!("asked to advance to {to}, but the weight is {weight} already"),
        Cause::DataConflict { start, intervals: count } => {
            format!("{} came again with other counts, first that of {start}; the first counts stand", intervals(count))
        }
        Cause::DataLate { start, intervals: count } => {
            format!("{} came after a later one was judged, first that of {start}; it is not counted", intervals(count))
        }
        Cause::DataOffGrid { start, end, every } => {
            format!("the interval {start} to {end} is not one of the grid of {every}")
        }
        Cause::DataStale { expected, newest: Some(newest) } => {
            format!("the newest interval ends at {newest}; the one that ends at {expected} is missing")
        }
        Cause::DataStale { expected, newest: None } => {
            format!("there is no interval at all; the one that ends at {expected} is missing")
        }
        Cause::DataFirstInterval { closes } => format!("the first judged interval closes at {closes}"),
        Cause::StepsDwell { at_least, elapsed } => {
            format!("this step lasts at least {at_least}; {elapsed} have passed")
        }
        Cause::StepsExposure { at_least, requests } => {
            format!("this step needs {at_least} judged requests of the canary; there were {requests}")
        }
        Cause::StepsSkipped { to, next } => format!("the next step is {next}, not {to}"),
        Cause::StepsEnded { to, last } => format!("the ramp ends at {last}; beyond it comes `promote`, not {to}"),
        Cause::StepsUnfinished { weight, last } => {
            format!("the ramp goes to {last} before everyone; it is at {weight}")
        }
        Cause::StepsMet { weight } => format!("the step at {weight} has lasted long enough and seen enough"),
        Cause::BakeWatching { ends } => format!("the live release is watched until {ends}"),
        Cause::BakeDone { ended } => format!("the bake ended at {ended}"),
        Cause::BakeNoReference {} => {
            "metrics compare with a baseline, but `bake.against` does not say with which in the live stage".to_owned()
        }
        Cause::HealthWithinLimits { reading, limit, failed } => {
            let earlier =
                if *failed > Count::ZERO { format!("; {} failed before", intervals(failed)) } else { String::new() };
            format!("{about}: {}, {}{earlier}", read(reading), limited(limit))
        }
        Cause::HealthLimitExceeded { reading, limit, start, failed } => {
            format!(
                "{about}: {}, {}; interval of {start}, {} failed by then",
                read(reading),
                limited(limit),
                intervals(failed)
            )
        }
        Cause::HealthBreachTolerated { reading, limit, bad_in_a_row, patience, failed } => {
            let row = format!("{bad_in_a_row} bad in a row, {patience} count as a failure, {failed} so far");
            format!("{about}: {}, {}; {row}", read(reading), limited(limit))
        }
        Cause::HealthInconclusive { reading, limit } => {
            format!("{about}: undecided: {}, {}", read(reading), limited(limit))
        }
        Cause::HealthOutsideLimits { reading, limit } => format!("{about}: {}, {}", read(reading), limited(limit)),
        Cause::HealthTooInconclusive { inconclusive, tolerated } => {
            format!(
                "{about}: {} undecided or bad, {tolerated} are tolerated; a person must decide",
                intervals(inconclusive)
            )
        }
        Cause::HealthNoTraffic { cohort } => format!("{about}: {} had no requests", the(*cohort)),
        Cause::HealthTooFewRequests { cohort, requests, needed } => {
            format!("{about}: {} had {}, {needed} are needed", the(*cohort), plural(requests, "request", "requests"))
        }
        Cause::HealthNoData { cohort, missing } => format!("{about}: {} of {}", nothing(*missing), the(*cohort)),
        Cause::HealthDataFailed { cohort, missing, start } => {
            format!(
                "{about}: {} of {} in the interval of {start}, which the policy counts as bad",
                nothing(*missing),
                the(*cohort)
            )
        }
        Cause::HealthWrongForm { cohort } => {
            format!("{about}: what was observed of {} does not have the form that the metric needs", the(*cohort))
        }
        Cause::HealthHorizon { horizon } => format!("{about}: still undecided after the horizon of {horizon}"),
        Cause::HealthArgoRunning { taken } => {
            format!("{about}: {} taken, the analysis goes on", plural(taken, "measurement", "measurements"))
        }
        Cause::HealthArgoErrors { errors } => {
            format!("{about}: {} in a row, which Argo treats as a failure", plural(errors, "error", "errors"))
        }
        Cause::HealthArgoInconclusive { taken, inconclusive } => {
            format!(
                "{about}: ended inconclusive after {}, {inconclusive} of them undecided; a person must decide",
                plural(taken, "measurement", "measurements")
            )
        }
        Cause::HealthArgoUnsuccessful { taken } => {
            format!("{about}: {} taken without enough successes in a row", plural(taken, "measurement", "measurements"))
        }
        Cause::HealthArgoSuccessful { taken } => {
            format!("{about}: successful after {}", plural(taken, "measurement", "measurements"))
        }
        Cause::HealthArgoStopped {} => format!("{about}: stopped because another metric ended the analysis"),
        Cause::HealthFlaggerFailedChecks { failed_checks, threshold } => {
            format!("{} reached the threshold of {threshold}", plural(failed_checks, "failed check", "failed checks"))
        }
        Cause::HealthFlaggerCheckFailed { failed_checks, threshold } => {
            format!("the newest check failed: {failed_checks} of {threshold}, and good checks do not reset the count")
        }
        Cause::ProbesPassed { at } => format!("{about}: passed at {at}"),
        Cause::ProbesDegraded { at } => format!("{about}: passed slowly at {at}"),
        Cause::ProbesFailed { at, failures } => {
            format!(
                "{about}: failed against the canary, last at {at}, {} in a row",
                plural(failures, "failure", "failures")
            )
        }
        Cause::ProbesFailing { at, failures, patience } => {
            format!("{about}: failed at {at}, {failures} in a row; {patience} fail the release")
        }
        Cause::ProbesUpstream { at } => {
            format!("{about}: failed at {at} against canary and baseline alike: the cause lies upstream of both")
        }
        Cause::ProbesStale { latest: Some(latest), within } => {
            format!("{about}: the newest run against the canary ended at {latest}, more than {within} ago")
        }
        Cause::ProbesStale { latest: None, within } => {
            format!("{about}: was not run against the canary; a run of the last {within} is needed")
        }
        Cause::ProbesNotRun { at } => format!("{about}: the run at {at} was skipped, or the prober itself failed"),
        Cause::DependenciesNotPassed {} => format!("this revision has not passed `{about}`"),
        Cause::DependenciesSoaking { passed_at, soak } => {
            format!("this revision passed `{about}` at {passed_at} and soaks there for {soak}")
        }
        Cause::DependenciesMet { passed_at } => format!("this revision passed `{about}` at {passed_at}"),
        Cause::BlastRadiusWeight { to, max } => format!("asked to advance to {to}; this environment allows {max}"),
        Cause::BlastRadiusConcurrent { running, allowed } => {
            let others = plural(running, "other release is running", "other releases are running");
            format!("{others} here; {allowed} may run at once")
        }
        Cause::BlastRadiusWithin {} => "not more is at stake than this environment allows".to_owned(),
        Cause::OverrideHold { by, reason, expires } => format!("{by} holds the release until {expires}: {reason}"),
        Cause::OverrideAbort { by, reason } => format!("{by} ended the release: {reason}"),
        Cause::OverrideWaived { by, reason, expires } => format!("{by} waives findings until {expires}: {reason}"),
        Cause::OverrideIgnored { why } => format!("the override `{about}` did not act: {}", ignored(*why)),
        Cause::HoldLimit { since, after } => {
            format!("held since {since}, longer than the {after} that the policy allows")
        }
    }
}

/// What would have changed a finding, in one sentence.
#[must_use]
pub fn flip_sentence(finding: &Finding) -> String {
    let flip = match &finding.flip {
        Ok(flip) => flip,
        Err(NoFlip::NoValue) => return "there is no value yet".to_owned(),
        Err(NoFlip::NotOneNumber) => return "no single number".to_owned(),
        Err(NoFlip::NotANumber) => return "not a number".to_owned(),
        Err(NoFlip::Person) => return "a person".to_owned(),
    };
    let sign = match flip.bound {
        FlipBound::AtMost => "≤",
        FlipBound::AtLeast => "≥",
    };
    let of = match flip.of {
        FlipOf::BadEvents => " bad events",
        FlipOf::Events => " events",
        FlipOf::Seconds => " s",
        FlipOf::BucketsLater => " buckets later",
        FlipOf::Gauge => "",
        FlipOf::Weight => " asked for",
        FlipOf::Time => "",
        FlipOf::Requests => " requests",
        FlipOf::RunningReleases => " other releases",
        FlipOf::Failures => " failures in a row",
    };
    format!("{sign} {}{of}; it was {}", amount(&flip.value), amount(&flip.observed))
}

fn amount(amount: &Amount) -> String {
    match amount {
        Amount::Count(count) => count.to_string(),
        Amount::Share(share) => share.to_string(),
        Amount::Number(number) => decimal(*number),
        Amount::Instant(instant) => instant.to_string(),
    }
}

/// At most four significant decimals, so that 0.30000000000000004 reads as 0.3.
fn decimal(number: f64) -> String {
    let text = format!("{number:.4}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn percent(part: Count, whole: Count) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let percent = if whole == Count::ZERO { 0.0 } else { part.get() as f64 * 100.0 / whole.get() as f64 };
    format!("{percent:.2} %")
}

fn read(reading: &Reading) -> String {
    let range = |above: &Option<f64>, at_most: &Option<f64>| match (above, at_most) {
        (Some(above), Some(at_most)) => format!("between {} s and {} s", decimal(*above), decimal(*at_most)),
        (None, Some(at_most)) => format!("at most {} s", decimal(*at_most)),
        (Some(above), None) => format!("more than {} s", decimal(*above)),
        (None, None) => "unknown".to_owned(),
    };
    match reading {
        Reading::Share { bad, total } => format!("{bad} of {total} are bad ({})", percent(*bad, *total)),
        Reading::Compared { bad, total, baseline_bad, baseline_total } => format!(
            "{bad} of {total} are bad ({}), of the baseline {baseline_bad} of {baseline_total} ({})",
            percent(*bad, *total),
            percent(*baseline_bad, *baseline_total)
        ),
        Reading::Latency { quantile, above, at_most } => format!("{quantile} is {}", range(above, at_most)),
        Reading::Later { quantile, buckets, schema } => {
            let factor = libm::exp2(f64::from(*buckets) * libm::exp2(-f64::from(*schema)));
            format!("{quantile} is {} × the baseline's, to the bucket", decimal(factor))
        }
        Reading::Gauge { value } => format!("the value is {}", decimal(*value)),
        Reading::GaugeCompared { value, baseline } => {
            format!("the value is {}, the baseline's {}", decimal(*value), decimal(*baseline))
        }
        Reading::Events { count, baseline: Some(baseline) } => format!("{count} events, of the baseline {baseline}"),
        Reading::Events { count, baseline: None } => format!("{count} events"),
    }
}

fn limited(bound: &Bound) -> String {
    match bound {
        Bound::Share(share) => format!("at most {share} is healthy"),
        Bound::Seconds(seconds) => format!("at most {} s is healthy", decimal(*seconds)),
        Bound::Range { min: Some(min), max: Some(max) } => {
            format!("from {} to {} is healthy", decimal(*min), decimal(*max))
        }
        Bound::Range { min: Some(min), max: None } => format!("at least {} is healthy", decimal(*min)),
        Bound::Range { min: None, max: Some(max) } => format!("at most {} is healthy", decimal(*max)),
        Bound::Range { min: None, max: None } => "any value is healthy".to_owned(),
        Bound::Events(count) => format!("at most {count} are healthy"),
        Bound::Times { tolerate, unacceptable } => {
            format!("up to {tolerate} of the baseline is healthy, more than {unacceptable} is not")
        }
        Bound::Slower { tolerate, unacceptable } => {
            format!("up to {tolerate} slower is healthy, more than {unacceptable} is not")
        }
    }
}

fn the(cohort: Cohort) -> &'static str {
    match cohort {
        Cohort::Canary => "the canary",
        Cohort::Baseline => "the baseline",
    }
}

fn nothing(missing: Missing) -> &'static str {
    match missing {
        Missing::NoData => "no data",
        Missing::Nan => "NaN",
        Missing::PositiveInfinity => "+Inf",
        Missing::NegativeInfinity => "-Inf",
    }
}

fn ignored(why: IgnoredOverride) -> &'static str {
    match why {
        IgnoredOverride::Unverified => "it is not verified, and would have loosened",
        IgnoredOverride::NotInForce => "it has not begun, or has ended",
        IgnoredOverride::TooLong => "it lives longer than the policy allows",
        IgnoredOverride::OutOfScope => "it is about another release",
        IgnoredOverride::NothingToWaive => "none of the findings that it names may be waived",
    }
}

/// The instant a hold ends, for headlines.
pub(super) fn until(until: Option<Instant>) -> String {
    until.map_or(String::new(), |until| format!(" until {until}"))
}
