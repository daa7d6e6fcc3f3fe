//! Burn: when an error budget burns too fast, and whose fault it is.

use davy::{
    Asked, Cause, Decision, Engine, Finding, HoldKind, Outcome, SloWindow, Snapshot, Stage, State, Unclear, Verdict,
};

use crate::support::*;

/// Everything that a host may ask for.
pub(crate) fn asks() -> [Asked; 4] {
    [Asked::Start, advance("25%"), Asked::Promote, Asked::Keep]
}

pub(crate) fn one_slo() -> Engine {
    engine_with(BUDGET, &[slo("availability")])
}

/// A look at windows under one SLO, by an engine that takes it as it is unless it has annotations.
pub(crate) fn see(annotations: &str, asked: Asked, windows: impl Into<Vec<SloWindow>>) -> Decision {
    look_with(&engine_with(BUDGET, &[slo("availability").with(annotations)]), asked, windows)
}

pub(crate) fn kind(finding: &Finding) -> Option<HoldKind> {
    match finding.outcome {
        Outcome::Hold(kind) => Some(kind),
        _ => None,
    }
}

/// The only finding of the gate.
pub(crate) fn of_burn(decision: &Decision) -> &Finding {
    let found: Vec<&Finding> = decision.findings.iter().filter(|finding| finding.code().starts_with("burn.")).collect();
    assert_eq!(found.len(), 1, "{decision}");
    found[0]
}

/// Why nothing can be said.
pub(crate) fn why(decision: &Decision) -> Unclear {
    match of_burn(decision).cause {
        Cause::BurnUnknown { why, .. } | Cause::BurnThin { why, .. } => why,
        _ => panic!("{decision}"),
    }
}

// Whose fault it is.

/// What a cohort may show in the short window.
const COHORTS: [&str; 7] = ["burning", "calm", "thin", "idle", "stale", "invalid", "missing"];

fn cohort(shows: &str) -> Vec<SloWindow> {
    let five = |bad, total| vec![window("5m", bad, total)];
    match shows {
        "burning" => five(50.0, 100.0),
        "calm" => five(1.0, 100.0),
        "thin" => five(1.0, 2.0),
        "idle" => five(0.0, 0.0),
        "stale" => vec![SloWindow { newest: None, ..window("5m", 50.0, 100.0) }],
        "invalid" => five(50.0, 10.0),
        _ => Vec::new(),
    }
}

pub(crate) fn with_cohorts(canary: &str, baseline: &str) -> Vec<SloWindow> {
    let (canary, baseline) = (cohort(canary).into_iter().map(by_canary), cohort(baseline).into_iter().map(by_baseline));
    burning().into_iter().chain(canary).chain(baseline).collect()
}

#[test]
fn a_burning_page_fails_where_the_canary_burns_and_the_baseline_does_not() {
    for canary in COHORTS {
        for baseline in COHORTS {
            let decision = look_with(&one_slo(), advance("25%"), with_cohorts(canary, baseline));
            // What is hidden may be a failure: whoever watches is blind.
            let hidden = |shows| ["stale", "invalid", "missing"].contains(&shows);
            let expected = match (canary, baseline) {
                ("burning", "calm") => ("abort burn.canary:availability", None),
                ("burning", "burning") => ("hold burn.shared:availability", Some(HoldKind::Blocked)),
                ("burning", other) if hidden(other) => ("hold burn.unattributed:availability", Some(HoldKind::Blind)),
                (one, other) if hidden(one) && (other == "calm" || hidden(other)) => {
                    ("hold burn.unattributed:availability", Some(HoldKind::Blind))
                }
                _ => ("hold burn.unattributed:availability", Some(HoldKind::Blocked)),
            };
            let found = (said(&decision), kind(of_burn(&decision)));
            assert_eq!((found.0.as_str(), found.1), expected, "{canary} beside {baseline}");
        }
    }
}

#[test]
fn a_canary_that_burns_alone_ends_the_release_whatever_is_asked() {
    for asked in asks() {
        let decision = look_with(&one_slo(), asked, with_cohorts("burning", "calm"));
        assert_eq!(said(&decision), "abort burn.canary:availability", "{}", asked);
    }
}

#[test]
fn a_canary_that_burns_in_a_calm_service_is_no_burn() {
    let windows = [calm(), vec![by_canary(window("5m", 50.0, 100.0)), by_baseline(window("5m", 0.0, 900.0))]].concat();
    let decision = look_with(&one_slo(), Asked::Promote, windows);
    assert_eq!((said(&decision).as_str(), of_burn(&decision).code()), ("proceed", "burn.calm"));
}

#[test]
fn before_the_start_nobody_is_blind_to_a_canary_that_does_not_exist() {
    let decision = look_with(&one_slo(), Asked::Start, burning());
    assert_eq!(said(&decision), "hold burn.unattributed:availability");
    assert_eq!(kind(of_burn(&decision)), Some(HoldKind::Blocked));
    let watched = look_with(&one_slo(), Asked::Keep, burning());
    assert_eq!(
        (said(&watched).as_str(), watched.hold.unwrap().kind),
        ("hold burn.unattributed:availability", HoldKind::Blind)
    );
}

#[test]
fn both_windows_must_exceed_the_limit() {
    let both = |long: f64, short: f64| {
        let windows = vec![window("1h", long, 10_000.0), window("5m", short, 1000.0), month()];
        of_burn(&look_with(&one_slo(), Asked::Promote, windows)).code()
    };
    assert_eq!(both(2000.0, 200.0), "burn.unattributed");
    assert_eq!(both(2000.0, 10.0), "burn.calm", "it is over");
    assert_eq!(both(100.0, 200.0), "burn.calm", "it has only begun");
    // On the limit, which is a tenth, nothing burns; just above it may be chance.
    assert_eq!(both(2000.0, 100.0), "burn.calm");
    assert_eq!(both(2000.0, 101.0), "burn.thin");
}

#[test]
fn a_policy_says_what_pages_and_tickets_mean() {
    let (page, ticket) = (alert("page", 10.0, "1h", "5m"), alert("ticket", 5.0, "1h", "5m"));
    let told = |burn: &str, alerts: Vec<String>| {
        let engine =
            engine_with(&format!("budget: {{ slos: [availability]{burn} }}"), &[Slo { alerts, ..slo("availability") }]);
        said(&look_with(&engine, Asked::Promote, with_cohorts("burning", "calm")))
    };
    let (fails, holds) = ("abort burn.canary:availability", "hold burn.burning:availability");
    let both = || vec![page.clone(), ticket.clone()];
    assert_eq!(told("", vec![page.clone()]), fails);
    assert_eq!(told("", vec![ticket.clone()]), holds);
    assert_eq!(told("", both()), fails);
    assert_eq!(told(", burn: { page: hold }", both()), holds);
    assert_eq!(told(", burn: { page: hold, ticket: fail }", vec![page.clone()]), holds);
    assert_eq!(told(", burn: { page: hold, ticket: fail }", both()), fails);
    // Every severity but a page is a ticket.
    assert_eq!(told("", vec![alert("PAGE", 10.0, "1h", "5m")]), fails);
    assert_eq!(told("", vec![alert("sev1", 10.0, "1h", "5m")]), holds);
}

#[test]
fn a_failure_stays_when_the_burn_is_over_or_its_windows_are_lost() {
    let mut watch = Watch::by(one_slo()).asks(Asked::Keep);
    (watch.snapshot.now, watch.snapshot.slos) = (now(), with_cohorts("burning", "calm"));
    assert_eq!(said(&watch.looks()), "abort burn.canary:availability");
    for windows in [calm(), Vec::new()] {
        watch.snapshot.slos = windows;
        watch.state = State::from_json(&watch.state.to_json()).unwrap();
        let again = watch.looks();
        assert_eq!(again.verdict, Verdict::Abort);
        assert_eq!(finding(&again, "burn.canary").latched_at, Some(now()));
    }
}

#[test]
fn a_waiver_lifts_a_burn_that_holds_and_one_that_fails_only_where_the_policy_allows_it() {
    let told = |spec: &str, windows: Vec<SloWindow>, waiver: &str| {
        let engine = engine_with(&format!("{BUDGET}{spec}"), &[slo("availability")]);
        let seen =
            Snapshot { now: now(), slos: windows, overrides: vec![waive(&[waiver])], ..snapshot(Asked::Promote) };
        engine.decide(&State::new(), &seen).decision.verdict
    };
    assert_eq!(told("", with_cohorts("burning", "burning"), "burn.shared:availability"), Verdict::Proceed);
    assert_eq!(told("", with_cohorts("burning", "calm"), "burn.canary"), Verdict::Abort);
    let allowed = ", overrides: { waiveFails: [burn.canary] }";
    assert_eq!(told(allowed, with_cohorts("burning", "calm"), "burn.canary"), Verdict::Proceed);
}

// The live stage.

pub(crate) const AGAINST_SLO: &str = "budget: { slos: [availability] }, bake: { for: 2h, against: slo }";

/// What is said minute by minute, in the canary stage and then in the live one.
fn stages(spec: &str, canary: &[Vec<SloWindow>], live: &[Vec<SloWindow>]) -> Vec<String> {
    let pairs = vec![alert("page", 10.0, "1h", "5m"), alert("page", 2.0, "6h", "30m")];
    let mut watch = Watch::by(engine_with(spec, &[Slo { alerts: pairs, ..slo("availability") }])).asks(Asked::Keep);
    let stages = canary.iter().map(|seen| (Stage::Canary, seen)).chain(live.iter().map(|seen| (Stage::Live, seen)));
    let mut told = Vec::new();
    for (stage, windows) in stages {
        watch.snapshot.now = now();
        (watch.snapshot.stage, watch.snapshot.slos) = (stage, windows.clone());
        // As a host keeps it.
        watch.state = State::from_json(&watch.state.to_json()).unwrap();
        told.push(said(&watch.looks()));
    }
    told
}

/// Whether the fast and the slow pair burn.
fn pairs(fast: bool, slow: bool) -> Vec<SloWindow> {
    let bad = |burns: bool| if burns { 0.3 } else { 0.0 };
    let part = |length, part: f64| window(length, part * 1000.0, 1000.0);
    vec![part("1h", bad(fast)), part("5m", bad(fast)), part("6h", bad(slow)), part("30m", bad(slow)), month()]
}

fn last(told: Vec<String>) -> String {
    told.into_iter().last().unwrap()
}

const ROLLBACK: &str = "rollback burn.live:availability";

#[test]
fn a_live_release_that_begins_to_burn_is_rolled_back() {
    assert_eq!(stages(AGAINST_SLO, &[pairs(false, false)], &[pairs(true, false)]), ["proceed", ROLLBACK]);
    // No bake is needed to watch a budget.
    assert_eq!(last(stages(BUDGET, &[pairs(false, false)], &[pairs(true, false)])), ROLLBACK);
    // The blame lies with the release even where cohorts are still told apart: everyone is served by it.
    let cohorts = [pairs(true, false), vec![by_canary(window("5m", 0.0, 9.0)), by_baseline(window("5m", 9.0, 9.0))]];
    assert_eq!(last(stages(AGAINST_SLO, &[pairs(false, false)], &[cohorts.concat()])), ROLLBACK);
}

#[test]
fn what_burned_before_the_live_stage_is_not_its_fault() {
    // Watching is not told of a hold that only blocks; asked for more, it is.
    assert_eq!(last(stages(AGAINST_SLO, &[pairs(true, false)], &[pairs(true, false)])), "proceed");
    let mut watch = Watch::by(engine_with(AGAINST_SLO, &[slo("availability")])).asks(Asked::Keep);
    (watch.snapshot.now, watch.snapshot.slos) = (now(), burning());
    watch.looks();
    let held = watch.live().looks();
    assert_eq!((of_burn(&held).code(), kind(of_burn(&held))), ("burn.before", Some(HoldKind::Blocked)));
}

#[test]
fn each_pair_is_remembered_by_itself() {
    // The slow pair burned before; the fast one begins to.
    assert_eq!(last(stages(AGAINST_SLO, &[pairs(false, true)], &[pairs(true, true)])), ROLLBACK);
    assert_eq!(last(stages(AGAINST_SLO, &[pairs(false, true)], &[pairs(false, true)])), "proceed");
}

#[test]
fn calm_once_and_it_is_the_releases_fault_when_it_burns_again() {
    let burns = || pairs(true, false);
    let told = stages(AGAINST_SLO, &[burns()], &[burns(), pairs(false, false), burns()]);
    assert_eq!(told[1..], ["proceed", "proceed", ROLLBACK]);
    // In the canary stage only the last look counts.
    assert_eq!(last(stages(AGAINST_SLO, &[burns(), pairs(false, false)], &[burns()])), ROLLBACK);
    assert_eq!(last(stages(AGAINST_SLO, &[pairs(false, false), burns()], &[burns()])), "proceed");
}

#[test]
fn what_was_not_known_before_the_live_stage_was_not_calm() {
    let burns = || pairs(true, false);
    assert_eq!(last(stages(AGAINST_SLO, &[], &[burns()])), "proceed", "no state at all");
    assert_eq!(last(stages(AGAINST_SLO, &[vec![month()]], &[burns()])), "proceed");
    // What is unknown in the live stage makes nobody forget that it was calm.
    assert_eq!(last(stages(AGAINST_SLO, &[pairs(false, false)], &[vec![month()], burns()])), ROLLBACK);
    assert_eq!(last(stages(AGAINST_SLO, &[], &[vec![month()], burns()])), "proceed");
}

#[test]
fn a_retained_baseline_is_asked_whose_fault_it_is() {
    let spec = "budget: { slos: [availability] }, bake: { for: 2h, against: retained }";
    let with = |canary: &str, baseline: &str| {
        let seen =
            Snapshot { stage: Stage::Live, slos: with_cohorts(canary, baseline), now: now(), ..snapshot(Asked::Keep) };
        let decision = engine_with(spec, &[slo("availability")]).decide(&State::new(), &seen).decision;
        (decision.verdict, of_burn(&decision).code())
    };
    assert_eq!(with("burning", "calm"), (Verdict::Rollback, "burn.canary"));
    assert_eq!(with("burning", "burning"), (Verdict::Proceed, "burn.shared"));
    assert_eq!(with("burning", "missing"), (Verdict::Hold, "burn.unattributed"));
}

#[test]
fn in_the_live_stage_a_ticket_holds_as_before() {
    let engine =
        engine_with(AGAINST_SLO, &[Slo { alerts: vec![alert("ticket", 10.0, "1h", "5m")], ..slo("availability") }]);
    let mut watch = Watch::by(engine).asks(Asked::Keep);
    (watch.snapshot.now, watch.snapshot.slos) = (now(), calm());
    watch.looks();
    watch.snapshot.slos = burning();
    let decision = watch.live().looks();
    assert_eq!(of_burn(&decision).code(), "burn.burning");
}

// Several pairs, objectives and SLOs.

#[test]
fn every_slo_is_told_of_by_itself() {
    let engine = engine_with("budget: { slos: [availability, latency] }", &[slo("availability"), slo("latency")]);
    let of = |slo: &str, seen: Vec<SloWindow>| {
        seen.into_iter().map(|seen| SloWindow { slo: name(slo), ..seen }).collect::<Vec<_>>()
    };
    let windows = [with_cohorts("burning", "calm"), of("latency", with_cohorts("burning", "burning"))].concat();
    let decision = look_with(&engine, Asked::Promote, windows);
    assert_eq!(decision.verdict, Verdict::Abort);
    let mut labels: Vec<String> =
        decision.findings.iter().map(label).filter(|label| label.starts_with("burn.")).collect();
    labels.sort();
    assert_eq!(labels, ["burn.canary:availability", "burn.shared:latency"]);
    // An SLO that the policy does not name is not judged.
    let engine = engine_with(BUDGET, &[slo("availability"), slo("latency")]);
    let decision =
        look_with(&engine, Asked::Promote, [calm(), of("latency", with_cohorts("burning", "calm"))].concat());
    assert_eq!(said(&decision), "proceed");
}

#[test]
fn each_objective_has_its_own_windows() {
    let loose = Slo { objectives: "{ target: 0.99 }, { target: 0.95 }".to_owned(), ..slo("availability") };
    let engine = engine_with(BUDGET, &[loose]);
    let second = |seen: Vec<SloWindow>| {
        seen.into_iter().map(|seen| SloWindow { objective: 2.try_into().unwrap(), ..seen }).collect::<Vec<_>>()
    };
    let told = |first: Vec<SloWindow>, of_second: Vec<SloWindow>| {
        look_with(&engine, Asked::Promote, [first, second(of_second)].concat())
    };
    // A fifth is ten times 1 % and more, and not ten times 5 %.
    assert_eq!(said(&told(with_cohorts("burning", "calm"), burning())), "abort burn.canary:availability");
    assert_eq!(said(&told(calm(), with_cohorts("burning", "calm"))), "proceed");
    assert_eq!(said(&told(calm(), Vec::new())), "hold budget.unknown:availability burn.unknown:availability");
    let Cause::BurnUnknown { burned, .. } =
        told(calm(), Vec::new()).findings.iter().find(|f| f.code() == "burn.unknown").unwrap().cause
    else {
        panic!()
    };
    assert_eq!(burned.objective.get(), 2);
}

#[test]
fn a_part_of_a_composite_burns_as_its_weight_says() {
    let part = |weight: &str| format!("{{ target: 0.99, {}, compositeWeight: {weight} }}", indicator("b", "t"));
    let told = |weight: &str| {
        let composite = Slo { indicator: String::new(), objectives: part(weight), ..slo("availability") };
        let decision = look_with(&engine_with(BUDGET, &[composite]), Asked::Promote, with_cohorts("burning", "calm"));
        let finding = of_burn(&decision);
        match &finding.cause {
            Cause::BurnCanary { burned, .. } | Cause::BurnCalm { nearest: burned } => (finding.code(), burned.limit),
            _ => panic!("{decision}"),
        }
    };
    assert_eq!(told("1"), ("burn.canary", 0.1));
    assert_eq!(told("2"), ("burn.canary", 0.05));
    assert_eq!(told("0.5"), ("burn.calm", 0.2), "a fifth is on the limit");
    assert_eq!(told("0.75").0, "burn.canary");
}

#[test]
fn slices_are_judged_as_events() {
    let slices = Slo {
        method: "Timeslices",
        objectives: "{ target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m }".to_owned(),
        ..slo("availability")
    };
    let engine = engine_with(BUDGET, &[slices]);
    let told = |long: f64, short: f64| {
        let windows = vec![window("1h", long, 60.0), window("5m", short, 5.0), window("30d", 100.0, 43_200.0)];
        said(&look_with(&engine, Asked::Promote, windows))
    };
    assert_eq!(told(20.0, 5.0), "hold burn.unattributed:availability");
    assert_eq!(told(20.0, 0.0), "proceed");
    assert_eq!(told(20.0, 1.0), "hold burn.thin:availability", "one bad slice is one bad event");
}

#[test]
fn of_several_pairs_the_strictest_is_told() {
    let alerts =
        vec![alert("ticket", 5.0, "30m", "1m"), alert("page", 10.0, "1h", "5m"), alert("page", 10.0, "2h", "10m")];
    let engine = engine_with(BUDGET, &[Slo { alerts, ..slo("availability") }]);
    let told = |more: Vec<SloWindow>| {
        let decision = look_with(&engine, Asked::Keep, [with_cohorts("burning", "calm"), more].concat());
        let mut codes: Vec<&str> = codes(&decision).into_iter().filter(|code| code.starts_with("burn.")).collect();
        codes.sort_unstable();
        codes.join(" ")
    };
    let ticket = || vec![window("30m", 200.0, 1000.0), window("1m", 20.0, 100.0)];
    let slow = |bad| vec![window("2h", bad, 20_000.0), window("10m", bad / 10.0, 2000.0)];
    let all = |parts: &[Vec<SloWindow>]| parts.concat();
    assert_eq!(told(all(&[ticket(), slow(0.0)])), "burn.burning burn.canary");
    assert_eq!(told(slow(0.0)), "burn.canary burn.unknown");
    // Two pages that burn are one finding: the same canary, the same baseline.
    assert_eq!(told(all(&[ticket(), slow(4000.0)])), "burn.burning burn.canary burn.unattributed");
}

#[test]
fn of_calm_pairs_the_nearest_to_burning_is_told() {
    let alerts = vec![alert("page", 10.0, "1h", "5m"), alert("ticket", 5.0, "2h", "10m")];
    let engine = engine_with(BUDGET, &[Slo { alerts, ..slo("availability") }]);
    let nearest = |fast: f64, slow: f64| {
        let (fast, slow) = (
            vec![window("1h", fast, 1000.0), window("5m", fast, 1000.0)],
            vec![window("2h", slow, 1000.0), window("10m", slow, 1000.0)],
        );
        let decision = look_with(&engine, Asked::Promote, [fast, slow, vec![month()]].concat());
        let Cause::BurnCalm { nearest } = of_burn(&decision).cause else { panic!("{decision}") };
        nearest.long.window.to_string()
    };
    assert_eq!(nearest(0.0, 0.0), "1h");
    assert_eq!(nearest(40.0, 19.0), "1h");
    assert_eq!(nearest(40.0, 21.0), "2h");
}

// Without a budget.

#[test]
fn a_target_of_everything_burns_with_one_error() {
    let all = |annotation: &str, bad: f64| {
        let strict = Slo { objectives: "{ target: 1 }".to_owned(), ..slo("availability").with(annotation) };
        let windows = vec![window("1h", bad, 1000.0), window("5m", bad, 1000.0), window("30d", 0.0, 1e6)];
        of_burn(&look_with(&engine_with(BUDGET, &[strict]), Asked::Promote, windows)).code()
    };
    assert_eq!(all("", 0.0), "burn.calm");
    assert_eq!(all("", 2.0), "burn.unattributed");
    assert_eq!(all("", 1.0), "burn.thin");
    assert_eq!(all("davy/minErrors: '1'", 1.0), "burn.unattributed");
}

#[test]
fn a_burn_is_outside_the_guarantee() {
    let decision = look_with(&one_slo(), Asked::Promote, burning());
    assert_eq!(of_burn(&decision).guarantee, davy::Guarantee::Outside(davy::Outside::FixedLimit));
}

// Flips.

#[test]
fn a_flip_is_the_most_bad_events_that_do_not_burn() {
    let with = |bad: f64, total: f64| {
        let windows = vec![window("1h", 2000.0, 10_000.0), window("5m", bad, total), month()];
        look_with(&one_slo(), Asked::Promote, windows)
    };
    for total in [20.0, 99.0, 100.0, 101.0, 1000.0, 123_456.0, 1000.5, 1e9] {
        let burning = with(total, total);
        let flip = of_burn(&burning).flip.unwrap_or_else(|why| panic!("{why:?}: {burning}"));
        let davy::Amount::Count(last) = flip.value else { panic!("{flip:?}") };
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let last = last.get() as f64;
        assert_eq!(of_burn(&with(last, total)).code(), "burn.calm", "{last} of {total}");
        assert_ne!(of_burn(&with(last + 1.0, total)).code(), "burn.calm", "{last} and one of {total}");
        assert_eq!(last, (total * 0.1).floor());
    }
    assert_eq!(of_burn(&with(4.5, 5.0)).flip.unwrap().observed, davy::Amount::Number(4.5));
    assert_eq!(of_burn(&with(4.0, 5.0)).flip.unwrap().observed, things(4));
}

#[test]
fn where_no_number_of_bad_events_is_calm_there_is_no_flip() {
    // What is calm in it is not known, for its gaps.
    let gaps = SloWindow { coverage: share("50%"), ..window("5m", 900.0, 1000.0) };
    let decision = look_with(&one_slo(), Asked::Promote, vec![window("1h", 2000.0, 10_000.0), gaps, month()]);
    assert_eq!(of_burn(&decision).code(), "burn.unattributed");
    assert_eq!(of_burn(&decision).flip, Err(davy::NoFlip::NotOneNumber));
}
