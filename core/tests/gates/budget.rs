//! Budgets: when a spent one freezes releases, when the freeze ends, and whom it lets through.

use davy::{
    Amount, Asked, Cause, Decision, Duration, Engine, Finding, Flip, FlipBound, FlipOf, HoldKind, NoFlip, Outcome,
    Part, Seen, SloWindow, Snapshot, Stage, State, Unclear, Verdict,
};

use crate::support::*;

fn one_slo() -> Engine {
    engine_with(BUDGET, &[slo("availability")])
}

/// 30 days of a million events, with this part of the budget of a hundredth left.
fn left(percent: f64) -> SloWindow {
    window("30d", 100.0 * (100.0 - percent), 1_000_000.0)
}

/// Calm pairs, and this window.
fn and_calm(period: impl Into<Option<SloWindow>>) -> Vec<SloWindow> {
    calm().into_iter().take(2).chain(period.into()).collect()
}

/// A look that carries the service's state from release to release.
struct Service {
    engine: Engine,
    state: State,
    release: u32,
}

impl Service {
    fn of(spec: &str) -> Self {
        Self { engine: engine_with(spec, &[slo("availability")]), state: State::new(), release: 1 }
    }

    /// The next release asks to go further.
    fn next(&mut self, change: impl FnOnce(&mut Snapshot)) -> Decision {
        self.release += 1;
        let mut seen = Snapshot { now: now(), ..snapshot(advance("25%")) };
        seen.release.revision = name(&format!("r{}", self.release));
        change(&mut seen);
        let state = State::from_json(&self.state.next_release().to_json()).unwrap();
        let step = self.engine.decide(&state, &seen);
        let decision = step.decision;
        self.state = step.state;
        decision
    }

    fn sees(&mut self, period: impl Into<Option<SloWindow>>) -> String {
        said(&self.next(|seen| seen.slos = and_calm(period)))
    }
}

fn of_budget(decision: &Decision) -> &Finding {
    let found: Vec<&Finding> =
        decision.findings.iter().filter(|finding| finding.code().starts_with("budget.")).collect();
    assert_eq!(found.len(), 1, "{decision}");
    found[0]
}

const FROZEN: &str = "hold budget.frozen:availability";
const UNKNOWN: &str = "hold budget.unknown:availability";

// When it begins and ends.

#[test]
fn a_budget_that_is_spent_freezes_and_one_that_is_just_used_up_does_not() {
    assert_eq!(Service::of(BUDGET).sees(left(1.0)), "proceed");
    assert_eq!(Service::of(BUDGET).sees(left(0.0)), "proceed");
    assert_eq!(Service::of(BUDGET).sees(left(-0.01)), FROZEN);
    let early = "budget: { slos: [availability], freezeBelow: 10% }";
    assert_eq!(Service::of(early).sees(left(10.0)), "proceed");
    assert_eq!(Service::of(early).sees(left(9.99)), FROZEN);
}

#[test]
fn a_freeze_outlives_the_release_and_ends_when_enough_is_left_again() {
    for (spec, ends) in [
        (BUDGET, 5.0),
        ("budget: { slos: [availability], unfreezeAt: 20% }", 20.0),
        ("budget: { slos: [availability], unfreezeAt: 0% }", 0.0),
        ("budget: { slos: [availability], freezeBelow: 30% }", 35.0),
        ("budget: { slos: [availability], freezeBelow: 98% }", 100.0),
    ] {
        let mut service = Service::of(spec);
        assert_eq!(service.sees(left(-50.0)), FROZEN);
        assert_eq!(service.sees(left(ends - 0.01)), FROZEN, "{spec}");
        assert_eq!(service.sees(left(ends)), "proceed", "{spec}");
        // Between the two the present state goes on.
        assert_eq!(service.sees(left(ends - 0.01)), if ends == 0.0 { FROZEN } else { "proceed" }, "{spec}");
    }
}

#[test]
fn a_freeze_says_since_when() {
    let mut service = Service::of(BUDGET);
    let since = |decision: &Decision| match of_budget(decision).cause {
        Cause::BudgetFrozen { since, .. } => since,
        _ => panic!("{decision}"),
    };
    assert_eq!(since(&service.next(|seen| seen.slos = and_calm(left(-1.0)))), now());
    let later = now().plus(Duration::from_minutes(3));
    let again = service.next(|seen| (seen.now, seen.slos) = (later, and_calm(left(-2.0))));
    assert_eq!(since(&again), now());
    assert_eq!(again.hold.unwrap().kind, HoldKind::Blocked);
}

#[test]
fn what_is_not_known_neither_begins_nor_ends_a_freeze() {
    let amount = Seen::Amount;
    let with = |bad, total| SloWindow { part: Part::Bad(bad), total, ..left(0.0) };
    let unknown: Vec<(Option<SloWindow>, &str, Unclear)> = vec![
        (None, UNKNOWN, Unclear::NoData),
        (Some(window("29d", 0.0, 1.0)), UNKNOWN, Unclear::NoData),
        (Some(with(Seen::Nothing(davy::Missing::NoData), amount(5.0))), UNKNOWN, Unclear::NoErrorSeries),
        (Some(with(amount(f64::NAN), amount(5.0))), UNKNOWN, Unclear::Invalid),
        (Some(with(amount(6.0), amount(5.0))), UNKNOWN, Unclear::Invalid),
        (Some(SloWindow { newest: None, ..left(50.0) }), UNKNOWN, Unclear::Stale { age: None }),
        (
            Some(SloWindow { coverage: share("80%"), ..left(50.0) }),
            UNKNOWN,
            Unclear::Partial { coverage: share("80%") },
        ),
        // Traffic alone would help here, so going further need not wait for it.
        (Some(with(amount(0.0), amount(0.0))), "proceed", Unclear::NoTraffic),
        (Some(with(amount(1.0), amount(5.0))), "proceed", Unclear::FewErrors { bad: 1.0 }),
    ];
    for (period, told, why) in unknown {
        let mut service = Service::of(BUDGET);
        assert_eq!(service.sees(period.clone()), told, "{period:?}");
        assert_eq!(service.sees(left(1.0)), "proceed", "{period:?} began a freeze");
        assert_eq!(service.sees(left(-1.0)), FROZEN);
        assert_eq!(service.sees(period.clone()), FROZEN, "{period:?}");
        assert_eq!(service.sees(left(4.0)), FROZEN, "{period:?} ended the freeze");
        let (Cause::BudgetUnknown { why: found, .. } | Cause::BudgetThin { why: found, .. }) =
            of_budget(&look_with(&one_slo(), Asked::Promote, and_calm(period))).cause
        else {
            panic!()
        };
        assert_eq!(found, why);
    }
}

#[test]
fn what_was_seen_of_a_period_with_gaps_may_already_be_too_much() {
    let gaps = |percent| SloWindow { coverage: share("10%"), ..left(percent) };
    assert_eq!(Service::of(BUDGET).sees(gaps(-1.0)), FROZEN);
    assert_eq!(Service::of(BUDGET).sees(gaps(1.0)), UNKNOWN);
    // Half known and frozen early: what is left of what was seen is below the limit.
    let early = "budget: { slos: [availability], freezeBelow: 10% }";
    assert_eq!(Service::of(early).sees(gaps(9.0)), FROZEN);
    assert_eq!(Service::of(early).sees(gaps(11.0)), UNKNOWN);
}

#[test]
fn a_service_younger_than_its_period_has_no_gaps_before_it_was_born() {
    let day = |coverage: &str| SloWindow {
        oldest: Some(now().minus(Duration::from_minutes(3 * 24 * 60))),
        coverage: share(coverage),
        ..left(50.0)
    };
    // Three days of thirty, of which nine tenths must be there.
    assert_eq!(Service::of(BUDGET).sees(day("10%")), "proceed");
    assert_eq!(Service::of(BUDGET).sees(day("9%")), "proceed");
    assert_eq!(Service::of(BUDGET).sees(day("8.9%")), UNKNOWN);
    let known_from = |decision: &Decision| match of_budget(decision).cause {
        Cause::BudgetLeft { known_from, .. } => known_from,
        _ => panic!("{decision}"),
    };
    let decision = look_with(&one_slo(), Asked::Promote, and_calm(day("10%")));
    assert_eq!(known_from(&decision), Some(now().minus(Duration::from_minutes(3 * 24 * 60))));
}

#[test]
fn too_few_errors_freeze_nothing() {
    let few = |bad, total| SloWindow { part: Part::Bad(Seen::Amount(bad)), total: Seen::Amount(total), ..left(0.0) };
    let told = |spec: &str, annotation: &str, period: SloWindow| {
        let engine = engine_with(spec, &[slo("availability").with(annotation)]);
        said(&look_with(&engine, Asked::Promote, and_calm(period)))
    };
    let thin = "hold budget.thin:availability";
    assert_eq!(told(BUDGET, "", few(1.0, 5.0)), thin);
    assert_eq!(told(BUDGET, "", few(2.0, 5.0)), FROZEN);
    assert_eq!(told(BUDGET, "davy/minErrors: '1'", few(1.0, 5.0)), FROZEN);
    assert_eq!(told(BUDGET, "davy/minEvents: '6'", few(5.0, 5.0)), thin);
    assert_eq!(told("budget: { slos: [availability], thinTraffic: pass }", "", few(1.0, 5.0)), "proceed");
    // So it is where a freeze begins before all is spent.
    assert_eq!(told("budget: { slos: [availability], freezeBelow: 10% }", "", few(1.0, 101.0)), thin);
    assert_eq!(told("budget: { slos: [availability], freezeBelow: 10% }", "", few(2.0, 202.0)), FROZEN);
}

#[test]
fn an_error_more_never_asks_less() {
    // Too few errors over gaps are a matter of the gaps.
    let gaps = |bad| SloWindow { coverage: share("10%"), ..window("30d", bad, 5.0) };
    assert_eq!([0.0, 1.0].map(|bad| Service::of(BUDGET).sees(gaps(bad))), [UNKNOWN; 2]);
    assert_eq!(Service::of(BUDGET).sees(gaps(2.0)), FROZEN);
}

// Whom it stops.

#[test]
fn exempt_classes_go_on_and_the_freeze_stays() {
    let mut service = Service::of("budget: { slos: [availability], exempt: [security, reliability] }");
    assert_eq!(service.sees(left(-1.0)), FROZEN);
    let mut told = |class: Option<&str>, period: Option<SloWindow>| {
        let decision = service.next(|seen| {
            seen.release.change_class = class.map(name);
            seen.slos = and_calm(period);
        });
        (said(&decision), of_budget(&decision).code())
    };
    for class in ["security", "reliability"] {
        assert_eq!(told(Some(class), Some(left(4.0))), ("proceed".to_owned(), "budget.exempt"));
        assert_eq!(told(Some(class), None), ("proceed".to_owned(), "budget.exempt"), "it is known to be frozen");
    }
    for class in [None, Some("feature"), Some("Security")] {
        assert_eq!(told(class, Some(left(4.0))), (FROZEN.to_owned(), "budget.frozen"));
    }
    assert_eq!(told(Some("security"), Some(left(5.0))), ("proceed".to_owned(), "budget.left"));
}

#[test]
fn environments_do_not_freeze_each_other() {
    let mut service = Service::of("budget: { slos: [availability] }, environments: { staging: {}, prod: {} }");
    let told = |service: &mut Service, environment: &str, percent| {
        said(&service.next(|seen| {
            seen.release.environment = name(environment);
            seen.slos = and_calm(left(percent));
        }))
    };
    assert_eq!(told(&mut service, "prod", -1.0), FROZEN);
    assert_eq!(told(&mut service, "staging", 4.0), "proceed");
    assert_eq!(told(&mut service, "prod", 4.0), FROZEN, "staging did not end it");
    assert_eq!(told(&mut service, "staging", -1.0), FROZEN);
    assert_eq!(told(&mut service, "prod", 5.0), "proceed");
    assert_eq!(told(&mut service, "staging", 4.0), FROZEN);
}

#[test]
fn a_freeze_never_blocks_an_abort_or_a_rollback() {
    let spec = format!("{BUDGET}, bake: {{ for: 1h, against: retained }}, probes: [pay], {}", threshold(&[ERRORS]));
    let burning = [
        vec![window("1h", 2000.0, 10_000.0), window("5m", 200.0, 1000.0), left(-50.0)],
        vec![by_canary(window("5m", 50.0, 100.0)), by_baseline(window("5m", 0.0, 100.0))],
    ]
    .concat();
    let failing: [&dyn Fn(&mut Snapshot); 4] = [
        &|seen| seen.intervals = crate::bad(),
        &|seen| seen.probes = vec![run("pay", "09:29", davy::ProbeVerdict::Fail)],
        &|seen| seen.overrides = vec![override_that(davy::OverrideAction::Abort)],
        &|seen| seen.slos = burning.clone(),
    ];
    for (stage, verdict) in [(Stage::Canary, Verdict::Abort), (Stage::Live, Verdict::Rollback)] {
        for asked in [Asked::Start, advance("25%"), Asked::Promote, Asked::Keep] {
            for fails in failing {
                let mut seen = Snapshot { now: now(), stage, slos: and_calm(left(-50.0)), ..snapshot(asked) };
                fails(&mut seen);
                let decision = engine_with(&spec, &[slo("availability")]).decide(&State::new(), &seen).decision;
                assert_eq!(decision.verdict, verdict, "{decision}");
                assert_eq!(of_budget(&decision).outcome, Outcome::Hold(HoldKind::Blocked));
            }
        }
    }
}

#[test]
fn whoever_only_watches_is_not_told_of_a_freeze() {
    for period in [Some(left(-50.0)), None, Some(window("30d", 0.0, 0.0))] {
        let decision = look_with(&one_slo(), Asked::Keep, and_calm(period.clone()));
        assert_eq!(said(&decision), "proceed", "{period:?}");
    }
}

#[test]
fn a_freeze_is_no_hold_that_ends_a_release() {
    let mut watch =
        Watch::by(engine_with(&format!("{BUDGET}, holdLimit: {{ after: 1m, then: fail }}"), &[slo("availability")]));
    for clock in ["09:30", "09:32", "09:34"] {
        watch.snapshot.now = at(clock);
        watch.snapshot.slos = and_calm(left(-1.0)).into_iter().map(|seen| ending(at(clock), seen)).collect();
        assert_eq!(said(&watch.looks()), FROZEN);
    }
}

#[test]
fn a_freeze_survives_another_policy_and_ends_with_its_slo() {
    let mut service = Service::of(BUDGET);
    assert_eq!(service.sees(left(-1.0)), FROZEN);
    service.engine = engine_with(&format!("{BUDGET}, steps: []"), &[slo("availability")]);
    assert_eq!(service.sees(left(4.0)), FROZEN);
    service.engine = engine_with("budget: { slos: [latency] }", &[slo("latency")]);
    let latency = |seen: SloWindow| SloWindow { slo: name("latency"), ..seen };
    assert_eq!(said(&service.next(|seen| seen.slos = calm().into_iter().map(latency).collect())), "proceed");
    service.engine = one_slo();
    assert_eq!(service.sees(left(4.0)), "proceed", "it was forgotten");
}

#[test]
fn the_state_of_another_service_freezes_nothing() {
    let mut service = Service::of(BUDGET);
    assert_eq!(service.sees(left(-1.0)), FROZEN);
    let basket = |text: String| text.replace("checkout", "basket");
    let files = [("rollouts.yaml", basket(document(BUDGET))), ("slo.yaml", slo("availability").text())];
    service.engine = Engine::new(&davy::Bundle::from_files(files).unwrap());
    let decision = service.next(|seen| {
        seen.release.service = name("basket");
        seen.slos = and_calm(left(4.0));
    });
    assert_eq!(said(&decision), "hold state.other-release");
    assert_eq!(of_budget(&decision).code(), "budget.left");
}

#[test]
fn a_waiver_lets_a_release_through_a_freeze_and_the_freeze_stays() {
    let mut service = Service::of(BUDGET);
    let waived = service.next(|seen| {
        seen.slos = and_calm(left(-1.0));
        seen.overrides = vec![waive(&["budget.frozen"])];
    });
    assert_eq!(said(&waived), "proceed");
    assert_eq!(service.sees(left(4.0)), FROZEN);
}

// What is left.

/// The part that is left, and how long it lasts.
fn measured(slo: Slo, windows: Vec<SloWindow>) -> (f64, Option<String>) {
    let decision = look_with(&engine_with(BUDGET, &[slo]), Asked::Promote, windows);
    match &of_budget(&decision).cause {
        Cause::BudgetLeft { left, lasts, .. } => ((left * 1e6).round() / 1e6, lasts.map(|lasts| lasts.to_string())),
        Cause::BudgetFrozen { left, .. } => ((left.unwrap() * 1e6).round() / 1e6, None),
        _ => panic!("{decision}"),
    }
}

#[test]
fn what_is_left_is_never_clamped_and_lasts_as_the_fastest_long_window_says() {
    let with = |bad, period| vec![window("1h", bad, 10_000.0), window("5m", 0.0, 1000.0), period];
    assert_eq!(measured(slo("availability"), with(0.0, left(75.0))), (0.75, None), "it never ends");
    assert_eq!(measured(slo("availability"), with(100.0, left(75.0))), (0.75, Some("22d12h".to_owned())));
    assert_eq!(measured(slo("availability"), with(1000.0, left(75.0))), (0.75, Some("2d6h".to_owned())));
    assert_eq!(measured(slo("availability"), with(0.0, left(-300.0))), (-3.0, None));
    assert_eq!(measured(slo("availability"), vec![left(100.0)]), (1.0, None), "how fast it goes is not known");
}

#[test]
fn a_part_of_a_composite_is_spent_as_its_weight_says() {
    let part = |weight: &str| {
        let objectives = format!("{{ target: 0.99, {}, compositeWeight: {weight} }}", indicator("b", "t"));
        let slo = Slo { indicator: String::new(), objectives, ..slo("availability") };
        measured(slo, vec![window("1h", 50.0, 10_000.0), window("5m", 0.0, 1000.0), left(75.0)])
    };
    assert_eq!(part("1"), (0.75, Some("45d".to_owned())));
    assert_eq!(part("2"), (0.5, Some("15d".to_owned())));
    assert_eq!(part("5"), (-0.25, None));
}

/// From the beginning of November in Berlin to `now`: 22 days and 10.5 hours of 30 days.
fn november(bad: f64, total: f64) -> SloWindow {
    SloWindow { from: "2026-10-31T23:00:00Z".parse().unwrap(), ..window("30d", bad, total) }
}

fn monthly() -> Slo {
    let calendar = "calendar: { startTime: '2026-01-01 00:00:00', timeZone: Europe/Berlin }";
    Slo { period: format!("{{ duration: 1M, isRolling: false, {calendar} }}"), ..slo("availability") }
}

#[test]
fn the_rest_of_a_calendar_period_is_expected_to_bring_as_much_traffic_as_its_beginning() {
    let elapsed = (22.0 * 24.0 + 10.5) / (30.0 * 24.0);
    let expected = |consumed: f64| ((1.0 - consumed * elapsed) * 1e6).round() / 1e6;
    // So far a hundredth of the events was bad, which is all that was allowed of them, and not all of the month's.
    assert_eq!(measured(monthly(), and_calm(november(10_000.0, 1_000_000.0))).0, expected(1.0));
    assert_eq!(measured(monthly(), and_calm(november(20_000.0, 1_000_000.0))).0, expected(2.0));
    assert!(expected(1.0) > 0.25 && expected(2.0) < 0.0);
}

#[test]
fn a_calendar_period_begins_at_its_turn_and_nowhere_else() {
    let engine = engine_with(BUDGET, &[monthly()]);
    let told = |period: SloWindow| said(&look_with(&engine, Asked::Promote, and_calm(period)));
    let from = |from: &str| SloWindow { from: from.parse().unwrap(), ..november(0.0, 1000.0) };
    assert_eq!(told(from("2026-10-31T23:00:00Z")), "proceed");
    for other in ["2026-11-01T00:00:00Z", "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z", "2026-10-24T09:30:00Z"] {
        assert_eq!(told(from(other)), UNKNOWN, "{other}");
    }
    // The same window of a while ago is as old as its newest sample.
    let old = SloWindow { end: at("09:20"), newest: Some(at("09:20")), ..november(0.0, 1000.0) };
    assert_eq!(told(old), UNKNOWN);
    // The host is told where it begins.
    let wanted = engine.requirements(&State::new(), &snapshot(Asked::Keep).release, Asked::Keep, Stage::Live, now());
    assert_eq!(wanted[0].from.to_string(), "2026-10-31T23:00:00Z");
    // A month later it has been forgotten what was spent, and a freeze ends with the next look at the new month.
    let mut service = Service { engine, state: State::new(), release: 1 };
    assert_eq!(service.sees(november(50_000.0, 1_000_000.0)), FROZEN);
    let december = "2026-12-01T09:30:00Z".parse().unwrap();
    let first_day =
        SloWindow { from: "2026-11-30T23:00:00Z".parse().unwrap(), ..ending(december, november(0.0, 1000.0)) };
    let later = service.next(|seen| {
        seen.now = december;
        seen.slos = calm().into_iter().take(2).map(|seen| ending(december, seen)).chain([first_day]).collect();
    });
    assert_eq!(said(&later), "proceed");
}

#[test]
fn bad_slices_spend_the_budget_of_slices() {
    let slices = Slo {
        method: "Timeslices",
        objectives: "{ target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m }".to_owned(),
        ..slo("availability")
    };
    let minutes = 30.0 * 24.0 * 60.0;
    assert_eq!(measured(slices.clone(), and_calm(window("30d", 216.0, minutes))).0, 0.5);
    assert_eq!(measured(slices, and_calm(window("30d", 864.0, minutes))).0, -1.0);
}

#[test]
fn each_objective_freezes_by_itself_and_the_one_with_the_least_left_is_told() {
    let both = Slo { objectives: "{ target: 0.99 }, { target: 0.98 }".to_owned(), ..slo("availability") };
    let mut service = Service { engine: engine_with(BUDGET, &[both]), state: State::new(), release: 1 };
    let second = |seen: &SloWindow| SloWindow { objective: 2.try_into().unwrap(), ..seen.clone() };
    let mut told = |first: f64, of_second: f64| {
        let pairs = and_calm(None);
        let decision = service.next(|seen| {
            let seconds = pairs.iter().map(second).chain([second(&left(of_second))]);
            seen.slos = pairs.iter().cloned().chain([left(first)]).chain(seconds).collect();
        });
        match &of_budget(&decision).cause {
            Cause::BudgetLeft { objective, left, .. } => (objective.get(), "left", (left * 100.0).round()),
            Cause::BudgetFrozen { objective, left, .. } => (objective.get(), "frozen", (left.unwrap() * 100.0).round()),
            _ => panic!("{decision}"),
        }
    };
    // The second budget is twice the first: of the same errors it has more left.
    assert_eq!(told(50.0, 50.0), (1, "left", 50.0));
    assert_eq!(told(50.0, -20.0), (2, "left", 40.0));
    assert_eq!(told(-10.0, 100.0), (1, "frozen", -10.0));
    assert_eq!(told(1.0, -200.0), (2, "frozen", -50.0));
    assert_eq!(told(100.0, -99.0), (2, "frozen", 1.0), "the first has recovered");
    assert_eq!(told(4.0, 100.0), (1, "left", 4.0));
}

#[test]
fn a_budget_of_nothing_is_spent_with_the_first_error() {
    let strict = || Slo { objectives: "{ target: 1 }".to_owned(), ..slo("availability").with("davy/minErrors: '1'") };
    let mut service = Service { engine: engine_with(BUDGET, &[strict()]), state: State::new(), release: 1 };
    assert_eq!(service.sees(window("30d", 0.0, 1000.0)), "proceed");
    let spent = service.next(|seen| seen.slos = and_calm(window("30d", 1.0, 1000.0)));
    assert_eq!(said(&spent), FROZEN);
    // Infinitely much is no number of a record.
    assert!(matches!(of_budget(&spent).cause, Cause::BudgetFrozen { left: None, .. }));
    assert_eq!(of_budget(&spent).flip, Err(NoFlip::NoValue));
    assert_eq!(service.sees(window("30d", 0.0, 1000.0)), "proceed");
}

#[test]
fn duplicates_and_the_newest_window_count_for_periods_too() {
    let told =
        |more: SloWindow| said(&look_with(&one_slo(), Asked::Promote, [and_calm(left(50.0)), vec![more]].concat()));
    assert_eq!(told(left(50.0)), "proceed");
    assert_eq!(told(left(-50.0)), UNKNOWN);
    assert_eq!(told(ending(at("09:29"), left(-50.0))), "proceed");
    assert_eq!(told(ending(at("09:31"), left(-50.0))), "proceed");
    // What is told of cohorts says nothing of the whole.
    assert_eq!(told(by_canary(left(-50.0))), "proceed");
}

// Flips.

#[test]
fn a_flip_is_the_least_that_must_be_left() {
    let flip = |value: f64, observed: f64| Flip {
        of: FlipOf::BudgetLeft,
        bound: FlipBound::AtLeast,
        value: Amount::Number(value),
        observed: Amount::Number(observed),
    };
    let spec = "budget: { slos: [availability], freezeBelow: 25%, unfreezeAt: 50% }";
    // A freeze that begins would not have begun at `freezeBelow`.
    let mut service = Service::of(spec);
    let begun = service.next(|seen| seen.slos = and_calm(left(0.0)));
    assert_eq!(of_budget(&begun).flip, Ok(flip(0.25, 0.0)));
    assert_eq!(Service::of(spec).sees(left(25.0)), "proceed");
    assert_eq!(Service::of(spec).sees(left(24.9999)), FROZEN);
    // One that has begun ends at `unfreezeAt`.
    let goes_on = service.next(|seen| seen.slos = and_calm(left(25.0)));
    assert_eq!(of_budget(&goes_on).flip, Ok(flip(0.5, 0.25)));
    let frozen = service.state.clone();
    assert_eq!(service.sees(left(50.0)), "proceed");
    service.state = frozen;
    assert_eq!(service.sees(left(49.9999)), FROZEN);
}
