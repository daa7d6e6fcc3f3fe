//! What a host is asked to fetch for its budgets.

use davy::{Asked, Finding, HoldKind, SloWindow, Snapshot, Stage, State};

use crate::burn::{AGAINST_SLO, asks, kind};
use crate::support::*;

const SOURCE: &str = "sources: { prom: { prometheus: 'http://p:9090', canary: 'revision=\"${revision}\"', \
                      baseline: 'revision=\"${stable}\"' } }";

/// `length`, `length of cohort`: what is to be fetched, in the order given.
fn wanted(spec: &str, slos: &[Slo], asked: Asked, stage: Stage) -> Vec<String> {
    let engine = engine_with(&format!("{SOURCE}, {spec}"), slos);
    let seen = snapshot(asked);
    let wanted = engine.requirements(&State::new(), &seen.release, asked, stage, now());
    wanted
        .iter()
        .map(|one| {
            assert_eq!((one.to, one.source.as_ref().map(|source| source.as_str())), (now(), Some("prom")));
            assert_eq!(one.selector.is_some(), one.cohort.is_some());
            let length = one.to.since(one.from);
            one.cohort
                .map_or(length.to_string(), |cohort| format!("{length} of {}", format!("{cohort:?}").to_lowercase()))
        })
        .collect()
}

#[test]
fn windows_of_cohorts_are_asked_for_where_a_burn_may_fail_by_them() {
    let page = || [slo("availability")];
    let (whole, cohorts) = (["30d", "1h", "5m"], ["30d", "1h", "5m", "5m of canary", "5m of baseline"]);
    assert_eq!(wanted(BUDGET, &page(), Asked::Start, Stage::Canary), whole);
    for asked in [advance("25%"), Asked::Promote, Asked::Keep] {
        assert_eq!(wanted(BUDGET, &page(), asked, Stage::Canary), cohorts);
        assert_eq!(wanted(BUDGET, &page(), asked, Stage::Live), whole, "there is no baseline");
        assert_eq!(wanted(AGAINST_SLO, &page(), asked, Stage::Live), whole);
        let retained = "budget: { slos: [availability] }, bake: { for: 2h, against: retained }";
        assert_eq!(wanted(retained, &page(), asked, Stage::Live), cohorts);
        let ticket = [Slo { alerts: vec![alert("ticket", 10.0, "1h", "5m")], ..slo("availability") }];
        assert_eq!(wanted(BUDGET, &ticket, asked, Stage::Canary), whole, "a ticket never fails");
        assert_eq!(
            wanted("budget: { slos: [availability], burn: { page: hold } }", &page(), asked, Stage::Canary),
            whole
        );
    }
}

#[test]
fn every_window_is_asked_for_once() {
    // Pairs that share windows, and one as long as the period.
    let alerts =
        vec![alert("page", 10.0, "1h", "5m"), alert("page", 2.0, "1h", "1h"), alert("ticket", 1.0, "30d", "1h")];
    let shared = [Slo { alerts, ..slo("availability") }];
    let expected = ["30d", "1h", "5m", "1h of canary", "5m of canary", "1h of baseline", "5m of baseline"];
    assert_eq!(wanted(BUDGET, &shared, Asked::Keep, Stage::Canary), expected);
}

#[test]
fn a_selector_names_the_revisions_and_a_query_what_to_ask() {
    let engine = engine_with(&format!("{SOURCE}, {BUDGET}"), &[slo("availability").with("davy/increase: prometheus2")]);
    let seen = snapshot(Asked::Keep);
    let wanted = engine.requirements(&State::new(), &seen.release, Asked::Keep, Stage::Canary, now());
    let canary = wanted.iter().find(|wanted| wanted.cohort == Some(davy::Cohort::Canary)).unwrap();
    assert_eq!(canary.selector.as_deref(), Some("revision=\"r2\""));
    let json = serde_json::to_value(canary).unwrap();
    let query = serde_json::json!({ "slo": {
        "sli": { "bad": { "bad": "bad", "total": "total", "counter": true } }, "budgeting": "occurrences", "increase": "prometheus2",
    } });
    assert_eq!((&json["query"], &json["objective"]), (&query, &serde_json::json!(1)));
}

#[test]
fn a_host_that_fetches_what_is_asked_for_is_never_told_that_there_is_no_data() {
    let composite = format!("{{ target: 0.99, {} }}, {{ target: 0.9, {} }}", indicator("a", "b"), indicator("c", "d"));
    let month =
        "{ duration: 1M, isRolling: false, calendar: { startTime: '2026-01-01 00:00:00', timeZone: Europe/Berlin } }";
    let slos = [
        Slo { alerts: Vec::new(), ..slo("availability") },
        Slo { indicator: String::new(), objectives: composite, ..slo("latency") },
        Slo { period: month.to_owned(), alerts: Vec::new(), ..slo("freshness") },
    ];
    let engine = engine_with("budget: { slos: [availability, latency, freshness] }", &slos);
    for stage in [Stage::Canary, Stage::Live] {
        for asked in asks() {
            let mut seen = Snapshot { now: now(), stage, ..snapshot(asked) };
            let wanted = engine.requirements(&State::new(), &seen.release, asked, stage, now());
            seen.slos = wanted
                .iter()
                .map(|one| SloWindow {
                    slo: one.about.clone(),
                    objective: one.objective.unwrap(),
                    cohort: one.cohort,
                    from: one.from,
                    end: one.to,
                    ..window("5m", 1.0, 1000.0)
                })
                .collect();
            let decision = engine.decide(&State::new(), &seen).decision;
            let blind: Vec<&Finding> =
                decision.findings.iter().filter(|finding| kind(finding) == Some(HoldKind::Blind)).collect();
            assert!(blind.is_empty(), "{} in {stage}: {blind:?}", asked);
        }
    }
}

#[test]
fn before_a_start_only_budgets_are_asked_for_and_elsewhere_nothing() {
    let engine = engine_with(
        &format!("{BUDGET}, probes: [pay], {}, environments: {{ prod: {{}} }}", threshold(&[ERRORS])),
        &[slo("availability")],
    );
    let mut release = snapshot(Asked::Start).release;
    let wanted =
        |release: &davy::Release, asked| engine.requirements(&State::new(), release, asked, Stage::Canary, now());
    assert!(wanted(&release, Asked::Start).iter().all(|wanted| wanted.objective.is_some()));
    assert!(wanted(&release, Asked::Keep).iter().any(|wanted| wanted.objective.is_none()));
    release.environment = name("staging");
    assert_eq!(wanted(&release, Asked::Start), []);
}

#[test]
fn the_workbooks_pairs_are_watched_unless_the_slo_has_its_own() {
    let of = |slo: Slo| {
        let engine = engine_with(BUDGET, &[Slo { alerts: Vec::new(), ..slo }]);
        let seen = snapshot(Asked::Start);
        let wanted = engine.requirements(&State::new(), &seen.release, Asked::Start, Stage::Canary, now());
        wanted.iter().map(|wanted| wanted.to.since(wanted.from).to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(slo("availability")), "30d 3d 1d 6h 2h 1h 30m 5m");
    let week = Slo { period: "{ duration: 7d, isRolling: true }".to_owned(), ..slo("availability") };
    assert_eq!(of(week.clone().with("davy/scaling: windows")), "7d 16h48m 5h36m 1h24m 28m 14m 7m 1m10s");
    assert_eq!(of(week), "7d 3d 1d 6h 2h 1h 30m 5m");
}
