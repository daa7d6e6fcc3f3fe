//! Properties of SLO arithmetic, each with a planted bug that breaks it.
//!
//! A property takes the function under test. One run takes davy's and must find nothing; another takes one
//! with a realistic defect and must find a counterexample.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

#[path = "properties/runner.rs"]
mod runner;

use davy::slo::{
    Burn, Condition, Counted, ErrorBudget, Events, Guards, Judged, Measured, Mode, Pair, Sample, Series, Slot, Target,
    Why, Window, count, increase, lower_bound, sum, surely_exceeds,
};
use davy::{Count, Duration, Instant, Share};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use runner::{breaks, holds};

const CASES: u32 = 500;
/// How often the counters of [`History`] are scraped.
const SCRAPE: u64 = 15_000;

/// Every request of a process, and when it was scraped and restarted.
#[derive(Debug, Clone)]
struct History {
    /// Milliseconds and whether it was bad, in any order.
    requests: Vec<(u64, bool)>,
    /// After which scrapes it began anew.
    restarts: Vec<bool>,
}

impl History {
    /// A counter of the requests that `counts`, scraped on the grid; a restart leaves a sample of 0 behind,
    /// as a host adds that knows when processes begin.
    fn counter(&self, counts: impl Fn(bool) -> bool) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut begun = None;
        for (scrape, restarts) in self.restarts.iter().enumerate() {
            let now = scrape as u64 * SCRAPE;
            let seen = self.requests.iter().filter(|(at, bad)| begun < Some(*at) && *at <= now && counts(*bad));
            samples.push(Sample { at: millis(now), value: seen.count() as f64 });
            if *restarts {
                samples.push(Sample { at: millis(now + 1), value: 0.0 });
                begun = Some(now);
            }
        }
        samples
    }

    /// Counted one by one: bad requests and all of them after `start`, up to `end`.
    fn requests_within(&self, start: u64, end: u64) -> (u64, u64) {
        let within = || self.requests.iter().filter(|(at, _)| start < *at && *at <= end);
        (within().filter(|(_, bad)| *bad).count() as u64, within().count() as u64)
    }

    /// Milliseconds of the last scrape.
    fn end(&self) -> u64 {
        (self.restarts.len() as u64 - 1) * SCRAPE
    }
}

fn millis(millis: u64) -> Instant {
    Instant::from_millis(millis.cast_signed())
}

fn history() -> impl Strategy<Value = History> {
    (3..40_usize).prop_flat_map(|scrapes| {
        let requests = prop::collection::vec((1..scrapes as u64 * SCRAPE, prop::bool::weighted(0.05)), 0..400);
        let restarts = prop::collection::vec(prop::bool::weighted(0.1), scrapes);
        (requests, restarts).prop_map(|(requests, restarts)| History { requests, restarts })
    })
}

/// Bad and all events.
fn counts() -> impl Strategy<Value = (u64, u64)> {
    let total = prop_oneof![1..50_u64, 1..100_000_u64, 1..Count::MAX.get() / 2];
    total.prop_flat_map(|total| {
        let bad = prop_oneof![0..=total.min(20), 0..=total / 100, 0..=total, Just(total)];
        (bad, Just(total))
    })
}

fn target() -> impl Strategy<Value = Target> {
    let written = prop::sample::select(&["99.9%", "99%", "99.95%", "90%", "0%", "100%", "99.9999%"][..]);
    let any = (0..=1_000_000_000_000_u64)
        .prop_map(|units| format!("{}.{:010}%", units / 10_u64.pow(10), units % 10_u64.pow(10)));
    prop_oneof![written.prop_map(str::to_owned), any].prop_map(|text| text.parse().unwrap())
}

fn events((bad, total): (u64, u64)) -> Events {
    Events::of_bad(Count::new(bad).unwrap(), Count::new(total).unwrap()).unwrap()
}

// The gate's arithmetic against brute force over events.

/// A fifth of the budget of 200 scrapes in 20 of them, and in the last 4: twice the 30 bad of 1000 allowed.
fn pair() -> (Pair, ErrorBudget) {
    let scrapes = |scrapes: u64| Duration::from_millis(scrapes * SCRAPE);
    let pair = Pair::new("20%".parse().unwrap(), scrapes(200), scrapes(20), scrapes(4)).unwrap();
    (pair, "97%".parse::<Target>().unwrap().budget())
}

/// How an evaluator sees one window of a history.
type Evaluator = fn(&History, Window) -> Option<(f64, f64)>;

fn by_increase(history: &History, window: Window) -> Option<(f64, f64)> {
    let (bad, all) = (history.counter(|bad| bad), history.counter(|_| true));
    let of = |samples| increase(Series::new(samples).unwrap(), window, Mode::Exact).map(|found| found.total);
    of(&bad).zip(of(&all))
}

fn agrees_with_brute_force(
    evaluate: Evaluator,
    above: fn(&Condition, &[Measured; 2]) -> bool,
) -> impl Fn(History) -> TestCaseResult {
    move |history| {
        let (pair, budget) = pair();
        let condition = pair.against(budget);
        let now = millis(history.end());
        let mut burns = true;
        let mut seen = Vec::new();
        for length in [pair.long, pair.short] {
            let start = history.end().saturating_sub(length.millis());
            let (bad, total) = history.requests_within(start, history.end());
            burns &= bad * 1000 > 2 * 30 * total;
            let found = evaluate(&history, Window { end: now, length });
            prop_assert_eq!(found, Some((bad as f64, total as f64)), "counts in {}", length);
            let (bad, total) = found.unzip();
            seen.push(Measured { bad, total, sparse: false, coverage: Share::ALL, newest: Some(now) });
        }
        let found = above(&condition, &[seen[0], seen[1]]);
        prop_assert_eq!(found, burns, "burning");
        Ok(())
    }
}

fn judged(condition: &Condition, seen: &[Measured; 2]) -> bool {
    condition.judge(&seen[0], &seen[1], &Guards::NONE, Instant::EPOCH).burn == Burn::Burning
}

#[test]
fn the_gate_agrees_with_counting_every_event() {
    holds(CASES, history(), agrees_with_brute_force(by_increase, judged));
    // Both answers occur.
    breaks(CASES, history(), "burning", agrees_with_brute_force(by_increase, |_, _| false));
    breaks(CASES, history(), "burning", agrees_with_brute_force(by_increase, |_, _| true));
}

#[test]
fn brute_force_notices_a_sum_taken_before_resets() {
    fn no_resets(history: &History, window: Window) -> Option<(f64, f64)> {
        let (bad, all) = (history.counter(|bad| bad), history.counter(|_| true));
        let of = |samples: &[Sample]| {
            let until = samples.partition_point(|sample| sample.at <= window.end);
            let from = samples.partition_point(|sample| sample.at <= window.end.minus(window.length));
            Some(samples.get(until.checked_sub(1)?)?.value - samples.get(from.checked_sub(1)?)?.value)
        };
        of(&bad).zip(of(&all))
    }
    breaks(CASES, history(), "counts in", agrees_with_brute_force(no_resets, judged));
}

#[test]
fn brute_force_notices_extrapolation() {
    fn extrapolated(history: &History, window: Window) -> Option<(f64, f64)> {
        let (bad, all) = (history.counter(|bad| bad), history.counter(|_| true));
        let of = |samples| increase(Series::new(samples).unwrap(), window, Mode::Prometheus3).map(|found| found.total);
        of(&bad).zip(of(&all))
    }
    breaks(CASES, history(), "counts in", agrees_with_brute_force(extrapolated, judged));
}

#[test]
fn brute_force_notices_a_comparison_that_is_not_strict() {
    fn not_strict(condition: &Condition, seen: &[Measured; 2]) -> bool {
        seen.iter().all(|seen| {
            let ratio = Events::of_bad_amount(seen.bad.unwrap(), seen.total.unwrap()).unwrap().ratio();
            ratio.is_some_and(|ratio| ratio >= condition.limit())
        })
    }
    // On the limit: 60 bad of 1000, all in the last scrapes.
    let on_the_limit = (1..50_u64, 1..SCRAPE).prop_map(|(times, at)| History {
        requests: (0..50 * times).map(|request| (3 * SCRAPE + at, request < 3 * times)).collect(),
        restarts: vec![false; 6],
    });
    holds(50, on_the_limit.clone(), agrees_with_brute_force(by_increase, judged));
    breaks(50, on_the_limit, "burning", agrees_with_brute_force(by_increase, not_strict));
}

// Disjoint counts.

fn slots_add_up(counted: fn(Series<'_>, Slot) -> Option<u64>) -> impl Fn((History, u64)) -> TestCaseResult {
    move |(history, every)| {
        let samples = history.counter(|_| true);
        let series = Series::new(&samples).unwrap();
        let lookback = Duration::from_millis(every + SCRAPE);
        let slots = (0..=history.end() / every).map(|slot| Slot {
            start: millis(slot * every),
            end: millis((slot + 1) * every),
            lookback,
        });
        let events: u64 = slots.filter_map(|slot| counted(series, slot)).sum();
        prop_assert_eq!(events, history.requests_within(0, history.end()).1, "events in slots");
        Ok(())
    }
}

fn in_slot(series: Series<'_>, slot: Slot) -> Option<u64> {
    match count(series, slot).unwrap() {
        Counted::NoData => None,
        Counted::Events { events, .. } => Some(events.get()),
    }
}

#[test]
fn every_event_falls_into_one_slot() {
    holds(CASES, (history(), 1000..200_000_u64), slots_add_up(in_slot));
}

#[test]
fn slots_notice_rounded_rates() {
    fn from_rate(series: Series<'_>, slot: Slot) -> Option<u64> {
        let window = Window { end: slot.end, length: slot.end.since(slot.start) };
        increase(series, window, Mode::Prometheus2).map(|found| found.total.round() as u64)
    }
    breaks(CASES, (history(), 1000..200_000_u64), "events in slots", slots_add_up(from_rate));
}

// Sums.

fn sums_add_up(summed: fn(&[Series<'_>], Window) -> Option<f64>) -> impl Fn(Vec<History>) -> TestCaseResult {
    move |replicas| {
        let end = replicas.iter().map(History::end).max().unwrap_or(0);
        let counters: Vec<Vec<Sample>> = replicas.iter().map(|history| history.counter(|_| true)).collect();
        let series: Vec<Series<'_>> = counters.iter().map(|samples| Series::new(samples).unwrap()).collect();
        let window = Window { end: millis(end + 1), length: Duration::from_millis(end + 1) };
        let expected: u64 = replicas.iter().map(|history| history.requests_within(0, history.end()).1).sum();
        prop_assert_eq!(summed(&series, window), Some(expected as f64), "summed");
        Ok(())
    }
}

#[test]
fn resets_are_handled_per_series_before_summing() {
    let replicas = || prop::collection::vec(history(), 1..4);
    holds(
        300,
        replicas(),
        sums_add_up(|series, window| sum(series.iter().copied(), window, Mode::Exact).map(|sum| sum.total)),
    );
    breaks(
        300,
        replicas(),
        "summed",
        sums_add_up(|series, window| {
            let ends: Vec<Instant> = series.iter().flat_map(|one| one.samples()).map(|sample| sample.at).collect();
            let mut times = ends;
            times.sort_unstable();
            times.dedup();
            let at = |instant| series.iter().filter_map(|one| Some(one.until(instant).samples().last()?.value)).sum();
            let summed: Vec<Sample> =
                times.into_iter().map(|instant| Sample { at: instant, value: at(instant) }).collect();
            increase(Series::new(&summed).unwrap(), window, Mode::Exact).map(|found| found.total)
        }),
    );
}

// Scale.

#[test]
fn a_counter_of_other_units_rises_by_other_units() {
    type Rise = fn(&[Sample], Window) -> Option<f64>;
    let property = |rise: Rise| {
        move |(history, exponent, shift, length): (History, i32, u64, u64)| {
            let samples = history.counter(|_| true);
            let scaled: Vec<Sample> = samples
                .iter()
                .map(|sample| Sample {
                    at: sample.at.plus(Duration::from_millis(shift)),
                    value: sample.value * libm::ldexp(1.0, exponent),
                })
                .collect();
            let window = |by: u64| Window { end: millis(history.end() + by), length: Duration::from_millis(length) };
            let expected = rise(&samples, window(0)).map(|total| total * libm::ldexp(1.0, exponent));
            prop_assert_eq!(rise(&scaled, window(shift)), expected, "scaled");
            Ok(())
        }
    };
    let given = || (history(), -20..20_i32, 0..1_000_000_000_u64, 1..600_000_u64);
    fn total(samples: &[Sample], window: Window, mode: Mode) -> Option<f64> {
        increase(Series::new(samples).unwrap(), window, mode).map(|found| found.total)
    }
    holds(CASES, given(), property(|samples, window| total(samples, window, Mode::Exact)));
    holds(CASES, given(), property(|samples, window| total(samples, window, Mode::Prometheus2)));
    holds(CASES, given(), property(|samples, window| total(samples, window, Mode::Prometheus3)));
    // An absolute tolerance does not scale.
    let tolerant: Rise =
        |samples, window| total(samples, window, Mode::Exact).map(|total| if total < 1.0 { 0.0 } else { total });
    breaks(CASES, given(), "scaled", property(tolerant));
}

#[test]
fn more_traffic_of_the_same_quality_burns_the_same() {
    type Reading = fn(ErrorBudget, Events) -> Option<f64>;
    let property = |reading: Reading| {
        move |((bad, total), times, target): ((u64, u64), u64, Target)| {
            let times = times.min(Count::MAX.get() / total);
            let budget = target.budget();
            let (one, many) = (events((bad, total)), events((bad * times, total * times)));
            prop_assert_eq!(reading(budget, one), reading(budget, many), "burn rate");
            Ok(())
        }
    };
    let given = || (counts(), 1..10_000_u64, target());
    holds(CASES, given(), property(ErrorBudget::burn_rate));
    holds(CASES, given(), property(ErrorBudget::left));
    holds(CASES, given(), property(|_, events| events.ratio()));
    // Three roundings, as the division of two divisions has.
    breaks(
        CASES,
        given(),
        "burn rate",
        property(|budget, events| Some(events.bad() / (budget.as_fraction() * events.total()))),
    );
}

// Errors never help.

type Left = fn(ErrorBudget, Events) -> Option<f64>;

fn an_error_never_improves(left: Left) -> impl Fn(((u64, u64), Target)) -> TestCaseResult {
    move |((bad, total), target)| {
        let left = |bad, total| left(target.budget(), events((bad, total)));
        let before = left(bad, total);
        // A good event turned bad, where there is one, and a bad event more.
        if bad < total {
            let turned = left(bad + 1, total);
            prop_assert!(turned < before, "{turned:?} left, {before:?} before");
        }
        let more = left(bad + 1, total + 1);
        prop_assert!(more <= before, "{more:?} left, {before:?} before");
        Ok(())
    }
}

#[test]
fn the_budget_never_improves_when_an_error_is_added() {
    // Budgets of nothing, of which the first error took everything; and counts small enough to tell apart.
    let given = || {
        let small = counts().prop_map(|(bad, total)| (bad.min(1 << 24), total.min(1 << 24)));
        (small, target().prop_filter("has a budget", |target| !target.budget().is_zero()))
    };
    holds(CASES, given(), an_error_never_improves(ErrorBudget::left));
    let clamped: Left = |budget, events| budget.left(events).map(|left| left.max(0.0));
    breaks(CASES, given(), "left", an_error_never_improves(clamped));
    // One decimal, as slo-generator rounds.
    let rounded: Left = |budget, events| budget.left(events).map(|left| (left * 10.0).round() / 10.0);
    breaks(CASES, given(), "left", an_error_never_improves(rounded));
    let float: Left = |budget, events| Some(1.0 - events.bad() / (events.total() * budget.as_fraction()));
    let all_bad = || (1..1000_u64, target()).prop_map(|(total, target)| ((total, total), target));
    holds(CASES, all_bad(), an_error_never_improves(ErrorBudget::left));
    breaks(CASES, all_bad(), "left", an_error_never_improves(float));
}

#[test]
fn the_largest_counts_never_improve_either() {
    let given = (counts(), target());
    let weakly = |((bad, total), target): ((u64, u64), Target)| {
        let left = |bad, total| target.budget().left(events((bad, total)));
        prop_assert!(left(bad + 1, total + 1) <= left(bad, total), "left");
        prop_assert!(bad == total || left(bad + 1, total) <= left(bad, total), "left");
        Ok(())
    };
    holds(CASES, given, weakly);
}

// Guards.

fn amount() -> impl Strategy<Value = Option<f64>> {
    let number = prop_oneof![
        4 => (0..2000_u32).prop_map(f64::from),
        2 => 0.0..2000.0,
        1 => prop::sample::select(&[0.0, f64::NAN, f64::INFINITY, -1.0, 1e300][..]),
    ];
    prop::option::weighted(0.95, number)
}

fn measured() -> impl Strategy<Value = Measured> {
    let given = (amount(), amount(), any::<bool>(), 0..=1_000_000_u32, prop::option::weighted(0.9, 0..1_000_000_i64));
    given.prop_map(|(bad, total, sparse, ppm, newest)| {
        // Most of the time as bad events of all events are: the smaller of the two.
        let ordered = match (bad, total) {
            (Some(bad), Some(total)) if total < bad && !sparse => (Some(total), Some(bad)),
            other => other,
        };
        let (bad, total) = ordered;
        Measured { bad, total, sparse, coverage: Share::from_ppm(ppm), newest: newest.map(Instant::from_millis) }
    })
}

fn guards() -> impl Strategy<Value = Guards> {
    let given = (0..=1_000_000_u32, prop::option::of(0..1_000_000_u64), 0..500_u32, 0..20_u32, 0..=1_000_000_u32);
    given.prop_map(|(coverage, staleness, events, errors, confidence)| Guards {
        coverage: Share::from_ppm(coverage),
        staleness: staleness.map(Duration::from_millis),
        events: Count::from(events),
        errors: Count::from(errors),
        confidence: Share::from_ppm(confidence),
    })
}

/// What judges; davy, or davy with a defect.
type Judge = fn(&Condition, &[Measured; 2], &Guards) -> Judged;

const NOW: Instant = Instant::from_millis(1_000_000);

fn davy(condition: &Condition, seen: &[Measured; 2], guards: &Guards) -> Judged {
    condition.judge(&seen[0], &seen[1], guards, NOW)
}

fn guards_only_weaken(judge: Judge) -> impl Fn((Measured, Measured, Guards, Target)) -> TestCaseResult {
    move |(long, short, guards, target)| {
        let condition = pair().0.against(target.budget());
        let seen = [long, short];
        let (plain, guarded) = (judge(&condition, &seen, &Guards::NONE), judge(&condition, &seen, &guards));
        let parts = [(plain.burn, guarded.burn), (plain.long, guarded.long), (plain.short, guarded.short)];
        for (plain, guarded) in parts {
            let weaker = same(plain, guarded) || matches!(guarded, Burn::Unknown(_));
            prop_assert!(weaker, "{plain:?} became {guarded:?}");
        }
        // The rule of both windows, and that nothing unknown decides alone.
        let all_burn = [guarded.long, guarded.short].iter().all(|burn| *burn == Burn::Burning);
        prop_assert_eq!(guarded.burn == Burn::Burning, all_burn, "both became one");
        Ok(())
    }
}

/// Equal, whatever NaN the reasons carry.
fn same(a: Burn, b: Burn) -> bool {
    a == b || matches!((a, b), (Burn::Unknown(_), Burn::Unknown(_)))
}

#[test]
fn guards_only_weaken_what_is_burning_and_only_question_what_is_not() {
    let given = || (measured(), measured(), guards(), target());
    holds(4 * CASES, given(), guards_only_weaken(davy));
    // A gap is taken for calm.
    let calm: Judge = |condition, seen, guards| {
        let judged = davy(condition, seen, guards);
        let burn = if seen[0].coverage < guards.coverage { Burn::NotBurning } else { judged.burn };
        Judged { burn, ..judged }
    };
    breaks(4 * CASES, given(), "became NotBurning", guards_only_weaken(calm));
    // Missing data are taken for the worst.
    let alarmed: Judge = |condition, seen, guards| {
        let judged = davy(condition, seen, guards);
        let burn = if matches!(judged.long, Burn::Unknown(Why::Partial { .. })) { Burn::Burning } else { judged.burn };
        Judged { burn, ..judged }
    };
    breaks(4 * CASES, given(), "became Burning", guards_only_weaken(alarmed));
    // What is unknown is left out.
    let lenient: Judge = |condition, seen, guards| {
        let judged = davy(condition, seen, guards);
        let unknown = matches!(judged.short, Burn::Unknown(_));
        Judged { burn: if unknown { judged.long } else { judged.burn }, ..judged }
    };
    breaks(4 * CASES, given(), "became", guards_only_weaken(lenient));
}

#[test]
fn more_errors_in_the_same_traffic_never_end_a_burn() {
    type Proved = fn(Events, f64) -> bool;
    let property = |proved: Proved| {
        move |((bad, total), limit): ((u64, u64), f64)| {
            let more = events((bad.saturating_add(1).min(total), total));
            prop_assert!(!proved(events((bad, total)), limit) || proved(more, limit), "one more error ended it");
            Ok(())
        }
    };
    let given = || (counts(), 0.0..1.0);
    holds(CASES, given(), property(|events, limit| surely_exceeds(events, limit, Share::from_ppm(950_000))));
    // With no good event left, 0 · ln 0 is no number, and no number is below alpha.
    let not_a_number: Proved = |events, limit| {
        let good = events.total() - events.bad();
        surely_exceeds(events, limit, Share::from_ppm(950_000)) && (good * libm::log1p(good) / good).is_finite()
    };
    breaks(CASES, given(), "one more error", property(not_a_number));
}

#[test]
fn a_bound_is_the_largest_limit_that_is_exceeded() {
    type Bound = fn(Events, Share) -> Option<f64>;
    let property = |bound: Bound| {
        move |((bad, total), ppm): ((u64, u64), u32)| {
            let (events, confidence) = (events((bad, total)), Share::from_ppm(ppm));
            let bound = bound(events, confidence).unwrap();
            prop_assert!(bad == 0 || bound < events.ratio().unwrap(), "above the ratio: {}", bound);
            prop_assert!(bad == 0 || surely_exceeds(events, bound, confidence), "not exceeded: {}", bound);
            let above = f64::from_bits(bound.to_bits() + 1);
            prop_assert!(!surely_exceeds(events, above, confidence), "not the largest: {}", bound);
            Ok(())
        }
    };
    let given = || (counts(), 500_000..1_000_000_u32);
    holds(200, given(), property(lower_bound));
    let wilson: Bound = |events, _| {
        let (n, r, z) = (events.total(), events.ratio()?, 1.645);
        Some(
            (r + z * z / (2.0 * n) - z * (r * (1.0 - r) / n + z * z / (4.0 * n * n)).sqrt()).max(0.0)
                / (1.0 + z * z / n),
        )
    };
    breaks(200, given(), "not", property(wilson));
}

// Any input at all.

fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![3 => 0.0..1e6, 1 => any::<f64>(), 1 => (0..50_u32).prop_map(f64::from)];
    let at = prop_oneof![3 => 0..10_000_i64, 1 => any::<i64>()];
    let sorted = any::<bool>();
    (prop::collection::vec((at, value), 0..30), sorted).prop_map(|(mut plain, sorted)| {
        if sorted {
            plain.sort_by_key(|(at, _)| *at);
            plain.dedup_by_key(|(at, _)| Instant::from_millis(*at));
        }
        plain.into_iter().map(|(at, value)| Sample { at: Instant::from_millis(at), value }).collect()
    })
}

#[test]
fn whatever_is_accepted_rises_by_a_number_and_never_falls() {
    type Rise = fn(&[Sample], Window, Mode) -> Option<f64>;
    let property = |rise: Rise| {
        move |(samples, end, length): (Vec<Sample>, i64, u64)| {
            let window = Window { end: Instant::from_millis(end), length: Duration::from_millis(length) };
            for mode in [Mode::Exact, Mode::Prometheus2, Mode::Prometheus3] {
                let total = rise(&samples, window, mode);
                prop_assert!(total.is_none_or(|total| total.is_finite() && total >= 0.0), "{:?} of {:?}", total, mode);
            }
            if let Ok(series) = Series::new(&samples) {
                let slot = Slot { start: window.end.minus(window.length), end: window.end, lookback: window.length };
                let _ = count(series, slot);
            }
            Ok(())
        }
    };
    let given = || {
        let end = prop_oneof![0..20_000_i64, any::<i64>()];
        (any_samples(), end, prop_oneof![0..20_000_u64, any::<u64>()])
    };
    holds(
        CASES,
        given(),
        property(|samples, window, mode| Some(increase(Series::new(samples).ok()?, window, mode)?.total)),
    );
    // Without the check of values and times.
    let unchecked: Rise = |samples, _, _| Some(samples.last()?.value - samples.first()?.value);
    breaks(CASES, given(), "of", property(unchecked));
}
