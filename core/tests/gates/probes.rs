//! Flows that must pass, and the live stage.

use davy::{Asked, Cause, Decision, Guarantee, HoldKind, Outside, ProbeResult, ProbeVerdict, Stage, Verdict};

use crate::COMPARED;
use crate::support::*;

// Probes.

const FLOW: &str = "probes: [{ flow: pay, within: 10m, patience: 2 }]";

fn probed(spec: &str, results: &[ProbeResult]) -> Decision {
    look(spec, Asked::Promote, |seen| seen.probes = results.to_vec())
}

#[test]
fn a_flow_passed_within_its_freshness() {
    let passed_at = |clock: &str| said(&probed(FLOW, &[run("pay", clock, ProbeVerdict::Pass)]));
    assert_eq!(passed_at("09:20"), "proceed");
    assert_eq!(passed_at("09:19:59"), "hold probes.stale:pay");
    assert_eq!(passed_at("09:30"), "proceed");
    // The future has not happened, and what came before the release says nothing about it.
    assert_eq!(passed_at("09:31"), "hold probes.stale:pay");
    let long = "probes: [{ flow: pay, within: 10h }]";
    assert_eq!(said(&probed(long, &[run("pay", "08:59", ProbeVerdict::Pass)])), "hold probes.stale:pay");
    assert_eq!(said(&probed(long, &[run("pay", "09:00", ProbeVerdict::Pass)])), "proceed");
    // The short form is fresh for a quarter of an hour.
    assert_eq!(said(&probed("probes: [pay]", &[run("pay", "09:15", ProbeVerdict::Pass)])), "proceed");
    assert_eq!(said(&probed("probes: [pay]", &[run("pay", "09:14", ProbeVerdict::Pass)])), "hold probes.stale:pay");
}

#[test]
fn neither_another_flow_nor_the_baseline_passes_for_the_canary() {
    let pass = run("pay", "09:29", ProbeVerdict::Pass);
    let stale = probed(FLOW, &[run("login", "09:29", ProbeVerdict::Pass), of_baseline(pass)]);
    assert_eq!(said(&stale), "hold probes.stale:pay");
    let hold = stale.hold.unwrap();
    assert_eq!(hold.kind, HoldKind::Blind);
}

#[test]
fn enough_failures_in_a_row_fail_the_release() {
    let after = |results: &[(&str, ProbeVerdict)]| {
        let results: Vec<ProbeResult> = results.iter().map(|(clock, verdict)| run("pay", clock, *verdict)).collect();
        probed(FLOW, &results)
    };
    let (pass, fail) = (ProbeVerdict::Pass, ProbeVerdict::Fail);
    let once = after(&[("09:25", pass), ("09:29", fail)]);
    assert_eq!(said(&once), "hold probes.failing:pay");
    assert_eq!(once.hold.unwrap().kind, HoldKind::Waiting);
    let twice = after(&[("09:28", fail), ("09:29", fail)]);
    assert_eq!(said(&twice), "abort probes.failed:pay");
    let failed = finding(&twice, "probes.failed");
    assert_eq!(failed.cause, Cause::ProbesFailed { at: at("09:29"), failures: count(2) });
    assert_eq!(failed.guarantee, Guarantee::Outside(Outside::SingleRuns));
    assert_eq!(said(&after(&[("09:27", fail), ("09:28", pass), ("09:29", fail)])), "hold probes.failing:pay");
    assert_eq!(said(&after(&[("09:27", fail), ("09:28", fail), ("09:29", pass)])), "proceed");
    // Of two results of one instant the worse counts, in either order.
    assert_eq!(said(&after(&[("09:29", pass), ("09:29", fail)])), "hold probes.failing:pay");
    assert_eq!(said(&after(&[("09:29", fail), ("09:29", pass)])), "hold probes.failing:pay");
}

#[test]
fn a_prober_that_fails_between_two_failures_washes_nothing_away() {
    for nothing in [ProbeVerdict::Error, ProbeVerdict::Skipped] {
        let results = [("09:27", ProbeVerdict::Fail), ("09:28", nothing), ("09:29", ProbeVerdict::Fail)];
        let results = results.map(|(clock, verdict)| run("pay", clock, verdict));
        assert_eq!(said(&probed(FLOW, &results)), "abort probes.failed:pay", "{nothing:?}");
    }
}

#[test]
fn a_flow_that_fails_fails_the_release_even_when_nothing_is_asked() {
    let fail = || ["09:28", "09:29"].map(|clock| run("pay", clock, ProbeVerdict::Fail)).to_vec();
    for asked in [Asked::Start, advance("25%"), Asked::Promote, Asked::Keep] {
        assert_eq!(said(&look(FLOW, asked, |seen| seen.probes = fail())), "abort probes.failed:pay");
    }
    let live = look(FLOW, Asked::Keep, |seen| (seen.probes, seen.stage) = (fail(), Stage::Live));
    assert_eq!(said(&live), "rollback probes.failed:pay");
}

#[test]
fn a_flow_that_fails_against_both_cohorts_points_upstream() {
    let failures = || ["09:28", "09:29"].map(|clock| run("pay", clock, ProbeVerdict::Fail)).to_vec();
    let beside = |baseline: &[(&str, ProbeVerdict)]| {
        let runs = baseline.iter().map(|(clock, verdict)| of_baseline(run("pay", clock, *verdict)));
        probed(FLOW, &failures().into_iter().chain(runs).collect::<Vec<_>>())
    };
    let upstream = beside(&[("09:29", ProbeVerdict::Fail)]);
    assert_eq!(said(&upstream), "hold probes.upstream:pay");
    assert_eq!(upstream.hold.unwrap().kind, HoldKind::Blocked);
    let failed = "abort probes.failed:pay";
    assert_eq!(said(&beside(&[("09:29", ProbeVerdict::Pass)])), failed);
    assert_eq!(said(&beside(&[("09:29", ProbeVerdict::Degraded)])), failed);
    assert_eq!(said(&beside(&[("09:25", ProbeVerdict::Fail), ("09:29", ProbeVerdict::Pass)])), failed);
    // A prober that fails says nothing; the run before it does.
    assert_eq!(said(&beside(&[("09:29", ProbeVerdict::Error)])), failed);
    let before = beside(&[("09:28", ProbeVerdict::Fail), ("09:29", ProbeVerdict::Error)]);
    assert_eq!(said(&before), "hold probes.upstream:pay");
    // What is not fresh excuses nobody.
    assert_eq!(said(&beside(&[("09:19", ProbeVerdict::Fail)])), failed);
    assert_eq!(said(&beside(&[("09:20", ProbeVerdict::Fail)])), "hold probes.upstream:pay");
}

#[test]
fn a_prober_that_did_not_run_leaves_the_release_blind() {
    for nothing in [ProbeVerdict::Error, ProbeVerdict::Skipped] {
        let earlier = run("pay", "09:28", ProbeVerdict::Pass);
        let decision = probed(FLOW, &[earlier, run("pay", "09:29", nothing)]);
        assert_eq!(said(&decision), "hold probes.not-run:pay", "{nothing:?}");
        assert_eq!(decision.hold.unwrap().kind, HoldKind::Blind);
    }
}

#[test]
fn a_slow_flow_passes_or_waits_as_the_policy_says() {
    let slow = [run("pay", "09:29", ProbeVerdict::Degraded)];
    assert_eq!(said(&probed("probes: [{ flow: pay }]", &slow)), "proceed");
    assert_eq!(said(&probed("probes: [{ flow: pay, degraded: pass }]", &slow)), "proceed");
    let waits = probed("probes: [{ flow: pay, degraded: hold }]", &slow);
    assert_eq!(said(&waits), "hold probes.degraded:pay");
    assert_eq!(waits.hold.unwrap().kind, HoldKind::Waiting);
}

#[test]
fn a_failed_flow_stays_failed_when_it_passes_again() {
    let mut watch = Watch::of(FLOW).asks(Asked::Keep);
    watch.snapshot.now = at("09:30");
    watch.snapshot.probes = ["09:28", "09:29"].map(|clock| run("pay", clock, ProbeVerdict::Fail)).to_vec();
    watch.looks();
    watch.snapshot.now = at("09:32");
    watch.snapshot.probes = vec![run("pay", "09:31", ProbeVerdict::Pass)];
    assert_eq!(said(&watch.looks()), "abort probes.failed:pay");
}

// The live stage.

#[test]
fn the_bake_is_watched_until_it_ends() {
    let spec = "bake: { for: 30m }";
    let live_at = |clock: &str| {
        look(spec, Asked::Keep, |seen| (seen.now, seen.since, seen.stage) = (at(clock), at("09:10"), Stage::Live))
    };
    let watching = live_at("09:39:59");
    assert_eq!(finding(&watching, "bake.watching").cause, Cause::BakeWatching { ends: at("09:40") });
    let done = live_at("09:40");
    assert_eq!(finding(&done, "bake.done").cause, Cause::BakeDone { ended: at("09:40") });
    assert_eq!((watching.verdict, done.verdict), (Verdict::Proceed, Verdict::Proceed));
    let canary = look(spec, Asked::Keep, |_| {});
    assert!(!codes(&canary).iter().any(|code| code.starts_with("bake.")), "{canary}");
}

#[test]
fn a_live_release_is_compared_only_with_what_the_policy_names() {
    let live = |bake: &str, metric: &str| {
        let mut watch = Watch::of(&format!("{bake}{}", threshold(&[metric]))).live().asks(Asked::Keep);
        said(&watch.sees([canary("errors", counts(1, 100)), baseline("errors", counts(1, 100))]))
    };
    assert_eq!(live("bake: { for: 30m, against: retained }, ", COMPARED), "proceed");
    assert_eq!(live("bake: { for: 30m }, ", COMPARED), "hold bake.no-reference");
    assert_eq!(live("", COMPARED), "hold bake.no-reference");
    // An absolute limit compares with nothing, and a dry run decides nothing.
    assert_eq!(live("bake: { for: 30m }, ", ERRORS), "proceed");
    assert_eq!(live("bake: { for: 30m }, ", &format!("{COMPARED}, dryRun: true")), "proceed");
}
