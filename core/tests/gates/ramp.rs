//! The ramp: steps, blast radius and dependencies.

use davy::{Asked, Cause, Duration, HoldKind, Passed, Running, Verdict};

use crate::support::*;
use crate::{RAMP, passed, running};

// Steps.

#[test]
fn a_step_lasts_as_long_as_the_policy_says() {
    let at_time = |clock: &str| look(RAMP, advance("25%"), |seen| seen.now = at(clock));
    let early = at_time("09:39:59");
    assert_eq!(said(&early), "hold steps.dwell");
    let hold = early.hold.unwrap();
    assert_eq!((hold.kind, hold.until), (HoldKind::Waiting, Some(at("09:40"))));
    assert_eq!(hold.retry_after, Some(Duration::from_secs(1)));
    assert_eq!(said(&at_time("09:40")), "proceed");
    // It lasts from when the weight was reached, not from when the release began.
    let later = look(RAMP, advance("25%"), |seen| (seen.now, seen.since) = (at("09:45"), at("09:10")));
    assert_eq!(said(&later), "hold steps.dwell");
    assert_eq!(later.hold.unwrap().until, Some(at("09:50")));
}

#[test]
fn the_step_in_force_is_the_highest_one_reached() {
    let at_weight = |weight: &str| look(RAMP, advance("25%"), |seen| seen.weight = share(weight));
    assert_eq!(said(&at_weight("24.9999%")), "hold steps.dwell");
    assert_eq!(said(&look(RAMP, advance("50%"), |seen| seen.weight = share("25%"))), "proceed");
    // Below the first step nothing has to last.
    assert_eq!(said(&look(RAMP, advance("5%"), |seen| seen.weight = share("0%"))), "proceed");
}

const EXPOSED: &str = "steps: [{ weight: 5%, minRequests: 500 }], health: { judge: threshold, every: 1m, settle: 0s, \
                       warmUp: 1m, metrics: [{ name: errors, bad: b, total: t, max: 1% }, { name: journey, probe: pay, max: 1% }] }";

#[test]
fn a_step_needs_requests_of_judged_intervals_over_the_whole_rollout() {
    let mut watch = Watch::of(EXPOSED);
    let seen = |errors, journey| [canary("errors", counts(0, errors)), canary("journey", counts(0, journey))];
    // The warm-up does not count, nor does the baseline, nor do the requests of a second metric.
    watch.sees(seen(9000, 1));
    let beside = [seen(300, 200).as_slice(), &[baseline("errors", counts(0, 9000))]].concat();
    let first = watch.sees(beside);
    assert_eq!(said(&first), "hold steps.exposure");
    let cause = Cause::StepsExposure { at_least: count(500), requests: count(300) };
    assert_eq!(finding(&first, "steps.exposure").cause, cause);
    assert_eq!(first.hold.unwrap().kind, HoldKind::Waiting);
    assert_eq!(said(&watch.sees(seen(199, 1))), "hold steps.exposure");
    assert_eq!(said(&watch.sees(seen(1, 1))), "proceed");
}

#[test]
fn a_step_is_not_skipped() {
    let to = |weight: &str| look("steps: [{ weight: 5% }, { weight: 25% }, { weight: 50% }]", advance(weight), |_| {});
    assert_eq!(said(&to("25%")), "proceed");
    assert_eq!(said(&to("10%")), "proceed");
    let skips = to("25.0001%");
    assert_eq!(said(&skips), "hold steps.skipped");
    assert_eq!(skips.hold.unwrap().kind, HoldKind::Blocked);
}

#[test]
fn promote_comes_after_the_last_step() {
    let at_weight = |weight: &str| {
        let spec = "steps: [{ weight: 5% }, { weight: 25% }, { weight: 50% }]";
        said(&look(spec, Asked::Promote, |seen| seen.weight = share(weight)))
    };
    assert_eq!(at_weight("49.9999%"), "hold steps.unfinished");
    assert_eq!(at_weight("50%"), "proceed");
}

#[test]
fn a_step_is_told_to_be_met_only_when_it_is() {
    let met = |at_least: &str| {
        let decision = look(&format!("steps: [{{ weight: 5%, atLeast: {at_least} }}]"), Asked::Promote, |_| {});
        codes(&decision).contains(&"steps.met")
    };
    assert!(met("0s"));
    assert!(!met("9h"));
}

#[test]
fn advance_is_no_way_around_promote() {
    // The flow was never run, which `promote` would wait for.
    let spec = "probes: [pay], steps: [{ weight: 5% }, { weight: 50% }]";
    let beyond = |asked| look(spec, asked, |seen| seen.weight = share("50%")).verdict;
    assert_eq!(beyond(Asked::Promote), Verdict::Hold);
    assert_eq!(beyond(advance("51%")), Verdict::Hold);
    assert_eq!(beyond(advance("100%")), Verdict::Hold);
}

#[test]
fn starting_and_watching_are_not_asked_about_steps() {
    for asked in [Asked::Start, Asked::Keep] {
        let decision = look(RAMP, asked, |_| {});
        assert_eq!(said(&decision), "proceed");
        assert!(!codes(&decision).iter().any(|code| code.starts_with("steps.")), "{decision}");
    }
}

#[test]
fn an_environment_has_its_own_ramp() {
    let spec = format!("{RAMP}, environments: {{ prod: {{ steps: [{{ weight: 5% }}] }}, staging: {{}} }}");
    assert_eq!(said(&look(&spec, Asked::Promote, |_| {})), "proceed");
    let staging = look(&spec, Asked::Promote, |seen| seen.release.environment = name("staging"));
    assert_eq!(said(&staging), "hold steps.dwell steps.unfinished");
}

// Blast radius.

#[test]
fn a_radius_that_is_kept_is_told_to_those_who_ask_for_more() {
    let within = |asked, to_hold: bool| {
        let decision = look(RADIUS, asked, |seen| {
            if to_hold {
                seen.running = vec![running("basket", "prod", "r2"), running("search", "prod", "r2")];
            }
        });
        codes(&decision).contains(&"blast-radius.within")
    };
    for asked in [Asked::Start, advance("25%"), Asked::Promote] {
        assert!(within(asked, false), "{asked}");
    }
    assert!(!within(Asked::Keep, false));
    assert!(!within(Asked::Start, true), "it is told or broken, not both");
}

const RADIUS: &str = "environments: { prod: { blastRadius: { maxWeight: 50%, concurrent: 2 } } }";

#[test]
fn the_largest_weight_bounds_advance_and_nothing_else() {
    assert_eq!(said(&look(RADIUS, advance("50%"), |_| {})), "proceed");
    let too_far = look(RADIUS, advance("50.0001%"), |_| {});
    assert_eq!(said(&too_far), "hold blast-radius.weight");
    assert_eq!(too_far.hold.unwrap().kind, HoldKind::Blocked);
    assert_eq!(said(&look(RADIUS, Asked::Promote, |_| {})), "proceed");
}

#[test]
fn so_many_releases_run_at_once_this_one_included() {
    let (other, third) = (running("basket", "prod", "r8"), running("search", "prod", "r9"));
    let start = |others: &[Running]| said(&look(RADIUS, Asked::Start, |seen| seen.running = others.to_vec()));
    assert_eq!(start(&[]), "proceed");
    assert_eq!(start(std::slice::from_ref(&other)), "proceed");
    assert_eq!(start(&[other.clone(), third.clone()]), "hold blast-radius.concurrent");
    // This release, other environments, and the same release twice are no others.
    assert_eq!(start(&[other.clone(), running("checkout", "prod", "r2")]), "proceed");
    assert_eq!(start(&[other.clone(), running("search", "staging", "r9")]), "proceed");
    assert_eq!(start(&[other.clone(), other.clone()]), "proceed");
    // Another revision of this service is another release.
    assert_eq!(start(&[other.clone(), running("checkout", "prod", "r3")]), "hold blast-radius.concurrent");
    // Two that run already do not wait for each other.
    for asked in [advance("25%"), Asked::Promote] {
        let both = look(RADIUS, asked, |seen| seen.running = vec![other.clone(), third.clone()]);
        assert_eq!(said(&both), "proceed");
    }
}

// Dependencies.

const AFTER_STAGING: &str = "environments: { staging: {}, prod: { requires: [{ environment: staging, soak: 2h }] } }";

#[test]
fn a_required_environment_was_passed_by_the_same_revision() {
    let with = |passed: Vec<Passed>| said(&look(AFTER_STAGING, Asked::Start, |seen| seen.passed = passed));
    assert_eq!(with(vec![]), "hold dependencies.not-passed:staging");
    assert_eq!(with(vec![passed("staging", "r1", "06:00")]), "hold dependencies.not-passed:staging");
    assert_eq!(with(vec![passed("dev", "r2", "06:00")]), "hold dependencies.not-passed:staging");
    assert_eq!(with(vec![passed("staging", "r2", "09:31")]), "hold dependencies.not-passed:staging");
    assert_eq!(with(vec![passed("staging", "r2", "06:00")]), "proceed");
}

#[test]
fn the_soak_ends_by_itself_and_counts_from_the_latest_time() {
    let with = |times: &[&str]| {
        look(AFTER_STAGING, Asked::Start, |seen| {
            seen.passed = times.iter().map(|clock| passed("staging", "r2", clock)).collect();
        })
    };
    assert_eq!(said(&with(&["07:30"])), "proceed");
    let soaking = with(&["07:30:01"]);
    assert_eq!(said(&soaking), "hold dependencies.soaking:staging");
    assert_eq!(soaking.hold.unwrap().until, Some(at("09:30:01")));
    assert_eq!(soaking.hold.unwrap().kind, HoldKind::Blocked);
    assert_eq!(said(&with(&["06:00", "08:00"])), "hold dependencies.soaking:staging");
}
