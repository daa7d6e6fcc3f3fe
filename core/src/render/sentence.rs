//! One sentence per cause.

use super::calendar;
use crate::calendar::Ruling;
use crate::decision::{
    Amount, Bound, Burned, Cause, Condition, Finding, FlipBound, FlipOf, IgnoredOverride, Limit, NoFlip, Reading,
    Unclear, WindowSeen,
};
use crate::kayenta::Label;
use crate::snapshot::{Cohort, Missing};
use crate::stats::RatioLimits;
use crate::{Count, Duration, Instant, Name};

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
        Cause::HealthHarm { suspect, reached, needed } => format!(
            "the canary is worse than tolerated: the evidence is {} to 1, {} abort; first look at {}",
            odds(*reached),
            odds(*needed),
            suspect.as_ref().map_or("all metrics", Name::as_str)
        ),
        Cause::HealthSuspicion { suspect, reached, needed, score } => format!(
            "the canary may be worse than tolerated: the evidence is {} to 1, {} abort (score {}); first look at {}",
            odds(*reached),
            odds(*needed),
            score.get(),
            suspect.as_ref().map_or("all metrics", Name::as_str)
        ),
        Cause::HealthNoHarm { reached, needed, score } => format!(
            "no sign beyond chance and noise that the canary is worse than tolerated: the evidence is {} to 1, {} abort (score {})",
            odds(*reached),
            odds(*needed),
            score.get()
        ),
        Cause::HealthWithinNoise { suspect, intervals, first, second, needed } => format!(
            "the evidence is within the noise: for {intervals} intervals {} to 1 if requests were independent, {} to 1 with the noise, {} abort; first look at {}",
            odds(*first),
            odds(*second),
            odds(*needed),
            suspect.as_ref().map_or("all metrics", Name::as_str)
        ),
        Cause::HealthNoise { metric, seen, first, second, needed } => {
            super::noise::sentence(metric, seen, (*first, *second, *needed))
        }
        Cause::HealthReplicasLeftOut { replicas } => {
            format!("left out of the baseline, as they are far worse than the others: {}", names(replicas))
        }
        Cause::HealthSickReplicas { replicas } => format!(
            "far worse than the rest of the baseline, which makes the canary look good: {}; with so few replicas they cannot be left out",
            names(replicas)
        ),
        Cause::HealthProved { shown, needed: _, score, ratio } => {
            format!("{about}: proved good enough, {} to 1{} (score {})", odds(*shown), times(*ratio), score.get())
        }
        Cause::HealthNotProved { shown, needed, score, ratio } => format!(
            "{about}: not proved good enough yet: {} to 1, {} are needed{} (score {})",
            odds(*shown),
            odds(*needed),
            times(*ratio),
            score.get()
        ),
        Cause::HealthReversed { intervals: recent, score, ratio } => format!(
            "{about}: was proved good enough, but the last {} speak against it{} (score {})",
            intervals(recent),
            times(*ratio),
            score.get()
        ),
        Cause::HealthCrossed { suspect, events, looks, planned } => format!(
            "{suspect}: {events} bad events of the canary at look {looks} of {planned} are more than the fixed schedule allows"
        ),
        Cause::HealthNotCrossed { looks, planned } if looks < planned => {
            format!("no metric has more bad events than its fixed schedule allows, at look {looks} of {planned}")
        }
        Cause::HealthNotCrossed { planned, .. } => {
            format!("no metric had more bad events than its fixed schedule allows; all {planned} looks are taken")
        }
        Cause::HealthScheduleLeft { weight } => format!(
            "the fixed schedule has another weight than {weight} about now: its guarantee is void; begin anew with `judge: evidence`"
        ),
        Cause::HealthRetried { attempt } => {
            format!("a fixed schedule is planned for one attempt, and this is attempt {attempt}")
        }
        Cause::HealthTooManyEvents { unjudged } => {
            format!("{unjudged} looks had too many events for the exact test; use `judge: evidence`")
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
        Cause::HealthKayentaLabel { label, ratio, canary, baseline } => {
            let ratio = ratio.map_or(String::new(), |ratio| format!(", {} times the baseline", decimal(ratio)));
            format!("{about}: {}{ratio}, from {canary} values beside {baseline}", called(*label))
        }
        Cause::HealthKayentaWaiting { intervals: taken, needed } => {
            format!("the first analysis takes {needed} intervals; there are {taken}")
        }
        Cause::HealthKayentaRunning { score, marginal, analyses, of } => {
            format!("score {}, above {}, at analysis {analyses} of {of}", decimal(*score), decimal(*marginal))
        }
        Cause::HealthKayentaPassed { score, pass } => {
            format!("score {} at the last analysis; {} were needed", decimal(*score), decimal(*pass))
        }
        Cause::HealthKayentaFailed { score, needed, analyses, ended_by, mostly_no_data } => {
            let why = match (ended_by, mostly_no_data) {
                (Some(metric), _) => format!(" because `{metric}` is critical"),
                (None, true) => " because half of the metrics had no data".to_owned(),
                (None, false) => String::new(),
            };
            format!("score {}{why} at analysis {analyses}; not enough beside {}", decimal(*score), decimal(*needed))
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
        Cause::PluginMeasured { cohort, plugin, engine, fuel, start } => {
            let plugin = plugin.map_or_else(|| "code of the host".to_owned(), |digest| digest.to_string());
            let fuel = fuel.map(|fuel| format!(" with {fuel} units of fuel")).unwrap_or_default();
            format!("{about}: {plugin} measured {} in the interval of {start} on {engine}{fuel}", the(*cohort))
        }
        Cause::PluginRejected { cohort, message, start } => {
            format!("{about}: the plugin cannot measure {} in the interval of {start}: `{message}`", the(*cohort))
        }
        Cause::PluginFaulted { cohort, fault, detail, start } => format!(
            "{about}: the plugin failed on {} in the interval of {start}: {}, `{detail}`",
            the(*cohort),
            fault.as_str()
        ),
        Cause::PluginOther { found, start } => {
            let found = found.map_or_else(|| "code of the host".to_owned(), |digest| format!("the plugin {digest}"));
            format!("{about}: measured by {found} from the interval of {start} on, which the policy does not name")
        }
        Cause::PluginUnrecorded { start, intervals: count } => format!(
            "{about}: {} from {start} on have results that no plugin is recorded to have computed",
            intervals(count)
        ),
        Cause::ProbesStale { latest: Some(latest), within } => {
            format!("{about}: the newest run against the canary ended at {latest}, more than {within} ago")
        }
        Cause::ProbesStale { latest: None, within } => {
            format!("{about}: was not run against the canary; a run of the last {within} is needed")
        }
        Cause::ProbesNotRun { at } => format!("{about}: the run at {at} was skipped, or the prober itself failed"),
        Cause::BurnCalm { nearest } => format!("{about}: no pair of windows burns; the nearest: {}", burned(nearest)),
        Cause::BurnCanary { burned: seen, canary, baseline } => format!(
            "{about}: {}; in the last {} the canary burns ({}) and the baseline does not ({})",
            burned(seen),
            canary.window,
            events(canary),
            events(baseline)
        ),
        Cause::BurnShared { burned: seen, canary, baseline } => format!(
            "{about}: {}; canary ({}) and baseline ({}) burn alike",
            burned(seen),
            events(canary),
            events(baseline)
        ),
        Cause::BurnUnattributed { burned: seen, canary, baseline } => format!(
            "{about}: {}; whether the canary ({}) or the baseline ({}) does it cannot be said",
            burned(seen),
            events(canary),
            events(baseline)
        ),
        Cause::BurnLive { burned: seen } => format!("{about}: {}; it did not before the live stage", burned(seen)),
        Cause::BurnBefore { burned: seen } => {
            format!("{about}: {}; it was not calm before the live stage either", burned(seen))
        }
        Cause::BurnBurning { burned: seen } => format!("{about}: {}", burned(seen)),
        Cause::BurnThin { burned: seen, why } => format!("{about}: {}: {}", unclear(why), burned(seen)),
        Cause::BurnUnknown { burned: seen, why } => {
            format!("{about}: whether it burns is not known: {}: {}", unclear(why), burned(seen))
        }
        Cause::BudgetLeft { objective: _, left, lasts, known_from: _ } => {
            let minutes = |lasts: &Duration| Duration::from_minutes(lasts.millis() / 60_000);
            let lasts = lasts
                .as_ref()
                .map_or(String::new(), |lasts| format!("; at the present rate it lasts {}", minutes(lasts)));
            format!("{about}: {} of the error budget is left{lasts}", part(*left))
        }
        Cause::BudgetFrozen { objective: _, left, below, unfreeze_at, since } => {
            let left = left.map_or("what is left is not known".to_owned(), |left| format!("{} is left", part(left)));
            format!(
                "{about}: {left} of the error budget, frozen since {since} for less than {below}; it ends at {unfreeze_at}"
            )
        }
        Cause::BudgetExempt { objective: _, class, left } => {
            let left = left.map_or("an unknown part".to_owned(), part);
            format!("{about}: {left} of the error budget is left, and changes of the class `{class}` may go on")
        }
        Cause::BudgetThin { objective: _, why } | Cause::BudgetUnknown { objective: _, why } => {
            format!("{about}: what is left of the error budget is not known: {}", unclear(why))
        }
        Cause::CalendarOpen { ruling, turns, windows, .. } => calendar::open(*ruling, *turns, windows),
        Cause::CalendarClosed { ruling, turns, windows, .. } => calendar::closed(*ruling, *turns, windows),
        Cause::CalendarHardFrozen { turns, windows, .. } => calendar::closed(Ruling::HardFrozen, *turns, windows),
        Cause::CalendarTargetUnknown { missing } => {
            format!("whether the window `{about}` concerns this release is not known: the snapshot has no `{missing}`")
        }
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
        Cause::RulesFail { message, conditions, .. }
        | Cause::RulesDeny { message, conditions, .. }
        | Cause::RulesHold { message, conditions, .. }
        | Cause::RulesWarn { message, conditions, .. } => format!("{about}: {message}{}", because(conditions)),
        Cause::RulesPassed {} => format!("{about}: nothing against it"),
        Cause::RulesMissing { paths } => {
            let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            let are = if paths.len() == 1 { "is" } else { "are" };
            format!("{about}: {} {are} not there, and the rule does not say what that means", paths.join(", "))
        }
        Cause::RulesBroken { problem } => format!("{about}: the rule could not be evaluated: {problem}"),
        Cause::RulesExhausted { limit } => match limit {
            Limit::Instructions(most) => format!("{about}: the rule was stopped after {most} instructions"),
            Limit::Work(most) => format!("{about}: the rule could look at more than {most} values of this input"),
            Limit::Findings(most) => format!("{about}: the rule has more than {most} findings"),
        },
        Cause::RulesNoLanguage { language } => {
            format!("{about}: the engine was made without `{language}`, and cannot judge this rule")
        }
        Cause::RulesShadow { verdict, instead_of: None } => {
            format!("{about}: if this rule counted, the verdict would be {verdict}")
        }
        Cause::RulesShadow { verdict, instead_of: Some(replaced) } => {
            format!("{about}: with this rule instead of `{replaced}` the verdict would be {verdict}")
        }
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
        FlipOf::BudgetLeft => " of the error budget left",
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

fn called(label: Label) -> &'static str {
    match label {
        Label::Pass => "no difference that counts",
        Label::High => "higher than the baseline",
        Label::Low => "lower than the baseline",
        Label::NoData => "no values, which does not count",
        Label::NoDataFail => "no values, which counts against it",
        Label::Error => "could not be compared, which does not count",
    }
}

/// At most four significant decimals, so that 0.30000000000000004 reads as 0.3.
pub(super) fn decimal(number: f64) -> String {
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

/// A power of ten as a number that people compare.
pub(super) fn odds(power: f64) -> String {
    if power < 6.0 { decimal((libm::exp10(power) * 10.0).round() / 10.0) } else { format!("10^{power:.0}") }
}

/// The limits on a ratio, as far as there are any.
fn times(limits: Option<RatioLimits>) -> String {
    let two = |ratio: f64| decimal((ratio * 100.0).round() / 100.0);
    match limits.map(|limits| (limits.above, limits.below)) {
        Some((Some(above), Some(below))) if above <= below => {
            format!(", {} to {} times the baseline's", two(above), two(below))
        }
        // The ratio changed.
        Some((Some(above), Some(below))) => {
            format!(", once above {} and once below {} times the baseline's", two(above), two(below))
        }
        Some((Some(above), None)) => format!(", above {} times the baseline's", two(above)),
        Some((None, Some(below))) => format!(", below {} times the baseline's", two(below)),
        Some((None, None)) | None => String::new(),
    }
}

fn names(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// Both windows of a pair, as burn rates.
fn burned(burned: &Burned) -> String {
    let rate = |seen: &WindowSeen| match (burned.rate(seen), seen.ratio()) {
        (Some(rate), _) => format!("{}x", decimal(rate)),
        (None, Some(ratio)) if ratio > 0.0 => "infinitely fast".to_owned(),
        (None, Some(_)) => "0x".to_owned(),
        (None, None) => "unknown".to_owned(),
    };
    format!(
        "burn rate {} over {} ({}) and {} over {} ({}), {}x is too fast",
        rate(&burned.long),
        burned.long.window,
        events(&burned.long),
        rate(&burned.short),
        burned.short.window,
        events(&burned.short),
        decimal(burned.threshold)
    )
}

fn events(seen: &WindowSeen) -> String {
    let number = |amount: Option<f64>| amount.map_or("unknown".to_owned(), decimal);
    format!("{} of {} bad", number(seen.bad), number(seen.total))
}

fn unclear(why: &Unclear) -> String {
    match why {
        Unclear::NoData => "no data".to_owned(),
        Unclear::NoErrorSeries => "no series of bad events".to_owned(),
        Unclear::Stale { age: Some(age) } => format!("the newest sample is {age} old"),
        Unclear::Stale { age: None } => "nobody knows how old the newest sample is".to_owned(),
        Unclear::NoTraffic => "no traffic".to_owned(),
        Unclear::Invalid => "the numbers are no numbers of events".to_owned(),
        Unclear::Partial { coverage } => format!("only {coverage} of the expected samples are there"),
        Unclear::FewEvents { total } => format!("{} events are too few to say", decimal(*total)),
        Unclear::FewErrors { bad } => format!("{} bad events are too few to say", decimal(*bad)),
        Unclear::Unsure => "it may be chance".to_owned(),
        Unclear::Twice => "one window was given twice, with other numbers".to_owned(),
    }
}

/// What was true when a rule fired.
fn because(conditions: &[Condition]) -> String {
    let one = |condition: &Condition| {
        let values: Vec<String> =
            condition.values.iter().map(|operand| format!("{} is {}", operand.path, operand.value)).collect();
        match (&condition.text, values.is_empty()) {
            (Some(text), true) => text.to_string(),
            (Some(text), false) => format!("{text} ({})", values.join(", ")),
            (None, _) => values.join(", "),
        }
    };
    let all: Vec<String> = conditions.iter().map(one).filter(|one| !one.is_empty()).collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join("; ")) }
}

/// A part of a budget, which may be negative.
fn part(part: f64) -> String {
    format!("{} %", decimal(part * 100.0))
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
        Missing::NoAnswer => "no usable answer from the source",
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
