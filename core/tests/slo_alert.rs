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

use std::collections::BTreeMap;

use davy::slo::{Burn, Guards, Measured, Mode, Pair, Target, Why, Window, increase};
use davy::{Duration, Share};
use prometheus::{Alert, Case, Oracle};

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
fn tally(of: impl Fn(&Case, &Alert<'_>) -> (String, String)) -> BTreeMap<String, usize> {
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
        // Exactly on the limit: rounding alone makes Prometheus alert.
        ("steady_br1: burning -> Unsure", 2),
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
