//! Multi-window conditions against Prometheus 2.42: alike without guards, only weaker with them.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

#[path = "support/prometheus.rs"]
mod prometheus;
mod support;

use std::collections::BTreeMap;

use davy::slo::{Burn, Guards, Measured, Mode, Pair, Target, Why, Window, increase};
use davy::{Asked, Cause, Duration, Engine, Part, Seen, Share, SloWindow, Snapshot, State, Unclear};
use prometheus::{Alert, Case, Oracle};
use support::{Slo, alert, engine_with, name, slo, snapshot, window};

/// What a host that scrapes every minute would measure.
fn measured(case: &Case, alert: &Alert<'_>, length: Duration) -> Measured {
    let window = Window { end: alert.now, length };
    let total = increase(case.series("req_total"), window, Mode::Prometheus2);
    let expected = length.millis() / 60_000;
    let observed = total.map_or(0, |total| total.samples as u64).min(expected);
    Measured {
        bad: increase(case.series("err_total"), window, Mode::Prometheus2).map(|bad| bad.total),
        total: total.map(|total| total.total),
        sparse: false,
        coverage: Share::from_ppm(u32::try_from(observed * 1_000_000 / expected).unwrap()),
        newest: total.map(|total| total.to),
    }
}

fn judge(case: &Case, alert: &Alert<'_>, guards: &Guards) -> Burn {
    let budget = "99.9%".parse::<Target>().unwrap().budget();
    let pair = Pair { long: alert.long, short: alert.short, threshold: alert.threshold.parse().unwrap() };
    let (long, short) = (measured(case, alert, alert.long), measured(case, alert, alert.short));
    pair.against(budget).judge(&long, &short, guards, alert.now).burn
}

/// Counts `case: before → after`.
fn tally(mut of: impl FnMut(&Case, &Alert<'_>) -> (String, String)) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for case in &Oracle::read().cases {
        for alert in case.alerts() {
            let (before, after) = of(case, &alert);
            if before != after {
                *tally.entry(format!("{}: {before} -> {after}", case.name)).or_default() += 1;
            }
        }
    }
    tally
}

#[test]
fn without_guards_davy_burns_exactly_where_prometheus_alerts() {
    let (mut compared, mut burning) = (0, 0);
    for case in &Oracle::read().cases {
        for alert in case.alerts() {
            let burn = judge(case, &alert, &Guards::NONE);
            assert_eq!(burn == Burn::Burning, alert.value.is_some(), "{} at {}: {burn:?}", case.name, alert.now);
            compared += 1;
            burning += usize::from(burn == Burn::Burning);
        }
    }
    assert_eq!((compared, burning), (132, 25));
}

#[test]
fn where_prometheus_is_silent_davy_says_whether_it_knows() {
    let found = tally(|case, alert| {
        let silent = alert.value.is_none();
        let burn = judge(case, alert, &Guards::NONE);
        (
            if silent { "silent".to_owned() } else { "alert".to_owned() },
            match burn {
                Burn::Burning => "alert".to_owned(),
                Burn::NotBurning => "silent".to_owned(),
                Burn::Unknown(why) => format!("{why:?}"),
            },
        )
    });
    let expected = [
        // The series of errors appears with the first error: its absence is no zero, unless declared so.
        ("errors_absent_until_first: silent -> NoErrorSeries", 2),
        ("no_traffic: silent -> NoTraffic", 2),
        // Fewer than two samples in both windows.
        ("partial_window_start_nonzero: silent -> NoData", 1),
        ("partial_window_start_zero: silent -> NoData", 1),
        ("series_ends: silent -> NoData", 1),
        ("steady_br1: silent -> NoData", 4),
    ];
    assert_eq!(found, expected.map(|(text, count)| (text.to_owned(), count)).into());
}

#[test]
fn guards_only_weaken_and_every_difference_is_known() {
    let short = |burn: Burn| match burn {
        Burn::Burning => "burning".to_owned(),
        Burn::NotBurning => "not burning".to_owned(),
        Burn::Unknown(Why::Partial { .. }) => "partial".to_owned(),
        Burn::Unknown(Why::Stale { .. }) => "stale".to_owned(),
        Burn::Unknown(why) => format!("{why:?}"),
    };
    let found = tally(|case, alert| {
        let (plain, guarded) = (judge(case, alert, &Guards::NONE), judge(case, alert, &Guards::default()));
        assert!(guarded == plain || matches!(guarded, Burn::Unknown(_)), "{plain:?} became {guarded:?}");
        (short(plain), short(guarded))
    });
    let expected = [
        // Barely above the limit: it may be chance.
        ("fast_burn_2pct: burning -> Unsure", 2),
        ("slow_burn_0_7pct: burning -> Unsure", 2),
        // Exactly on the limit: rounding alone makes Prometheus alert. The series is younger than the window, too.
        ("steady_br1: burning -> partial", 2),
        // A single error among ten requests an hour.
        ("low_traffic_one_error: burning -> FewErrors { bad: 1.0 }", 8),
        // More than five minutes without a sample.
        ("gap_7min: not burning -> stale", 1),
        ("series_ends: not burning -> stale", 2),
        // The series is younger than the window.
        ("partial_window_start_nonzero: not burning -> partial", 2),
        ("partial_window_start_zero: not burning -> partial", 2),
        ("steady_br1: not burning -> partial", 8),
    ];
    assert_eq!(found, expected.map(|(text, count)| (text.to_owned(), count)).into());
}

// The same through the gate.

/// An SLO whose only pair of windows is the one of an alert, and which only ever holds.
fn engine_of(alert: &Alert<'_>, annotations: &str) -> Engine {
    let threshold: f64 = alert.threshold.trim_end_matches('x').parse().unwrap();
    let pair = self::alert("page", threshold, &alert.long.to_string(), &alert.short.to_string());
    let objectives = "{ target: 0.999 }".to_owned();
    let slo = Slo { objectives, alerts: vec![pair], ..slo("availability").with(annotations) };
    engine_with("budget: { slos: [availability], burn: { page: hold } }", &[slo])
}

fn seen(amount: Option<f64>) -> Seen {
    amount.map_or(Seen::Nothing(davy::Missing::NoData), Seen::Amount)
}

/// What a host would hand in of one window.
fn window_of(case: &Case, alert: &Alert<'_>, length: Duration) -> SloWindow {
    let Measured { bad, total, coverage, newest, .. } = measured(case, alert, length);
    let (from, end) = (alert.now.minus(length), alert.now);
    SloWindow { from, end, part: Part::Bad(seen(bad)), total: seen(total), coverage, newest, ..window("1h", 0.0, 0.0) }
}

/// `burning`, `not burning`, or why it is not known.
fn gate(engine: &Engine, case: &Case, alert: &Alert<'_>) -> String {
    let slos = [alert.long, alert.short].map(|length| window_of(case, alert, length)).to_vec();
    let mut seen = Snapshot { now: alert.now, slos, ..snapshot(Asked::Promote) };
    (seen.since, seen.release.started_at) = (alert.now, alert.now);
    let decision = engine.decide(&State::new(), &seen).decision;
    let burn = decision.findings.iter().find(|finding| finding.code().starts_with("burn.")).unwrap();
    assert_eq!(burn.subject, Some(name("availability")));
    match &burn.cause {
        Cause::BurnBurning { .. } => "burning".to_owned(),
        Cause::BurnCalm { .. } => "not burning".to_owned(),
        Cause::BurnThin { why, .. } | Cause::BurnUnknown { why, .. } => match why {
            Unclear::Partial { .. } => "partial".to_owned(),
            Unclear::Stale { .. } => "stale".to_owned(),
            why => format!("{why:?}"),
        },
        other => panic!("{other:?}"),
    }
}

const NO_GUARDS: &str = "davy/coverage: 0%, davy/minErrors: '0', davy/confidence: 0%, davy/staleness: '3650d'";

#[test]
fn without_guards_the_gate_burns_exactly_where_prometheus_alerts() {
    let (mut compared, mut burning) = (0, 0);
    for case in &Oracle::read().cases {
        for alert in case.alerts() {
            let burn = gate(&engine_of(&alert, NO_GUARDS), case, &alert);
            assert_eq!(burn == "burning", alert.value.is_some(), "{} at {}: {burn}", case.name, alert.now);
            compared += 1;
            burning += usize::from(burn == "burning");
        }
    }
    assert_eq!((compared, burning), (132, 25));
}

#[test]
fn guards_weaken_the_gate_in_these_cases_alone() {
    let (mut kinds, mut same) = (BTreeMap::new(), BTreeMap::new());
    let found = tally(|case, alert| {
        let plain = gate(&engine_of(alert, NO_GUARDS), case, alert);
        let guarded = gate(&engine_of(alert, ""), case, alert);
        let kind = |burn: &str| {
            if ["burning", "not burning"].contains(&burn) { burn.to_owned() } else { "unknown".to_owned() }
        };
        let kinds = if plain == guarded { &mut same } else { &mut kinds };
        *kinds.entry((kind(&plain), kind(&guarded))).or_insert(0) += 1;
        (plain, guarded)
    });
    let count = |from: &str, to: &str, number: usize| ((from.to_owned(), to.to_owned()), number);
    // Nothing becomes burning or calm, and what is unknown stays so, though the reason may be another.
    let expected =
        [count("burning", "unknown", 14), count("not burning", "unknown", 15), count("unknown", "unknown", 0)];
    assert_eq!(kinds, expected.into_iter().filter(|(_, number)| *number > 0).collect());
    let unchanged =
        [count("burning", "burning", 11), count("not burning", "not burning", 81), count("unknown", "unknown", 11)];
    assert_eq!(same, unchanged.into());
    let expected = [
        ("fast_burn_2pct: burning -> Unsure", 2),
        ("slow_burn_0_7pct: burning -> Unsure", 2),
        ("steady_br1: burning -> partial", 2),
        ("low_traffic_one_error: burning -> FewErrors { bad: 1.0 }", 8),
        ("gap_7min: not burning -> stale", 1),
        ("series_ends: not burning -> stale", 2),
        ("partial_window_start_nonzero: not burning -> partial", 2),
        ("partial_window_start_zero: not burning -> partial", 2),
        ("steady_br1: not burning -> partial", 8),
    ];
    assert_eq!(found, expected.map(|(text, count)| (text.to_owned(), count)).into());
}
