//! More bad events of the canary never help it. Each property is run on a planted bug, too.

use std::num::NonZeroU32;

use davy::stats::{
    Forecast, Grid, KnownShareTest, Latency, LatencyPlan, ODDS, OddsTest, Pair, Process, RATIOS, RatioTest, Starts,
    noninferior_ratio,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::pair;
use crate::runner::{breaks, holds};

const CASES: u32 = 600;
const MOST: u64 = (1 << 53) - 1;

/// Traffic of any size, mostly small, with at least one good request in each arm.
fn traffic() -> impl Strategy<Value = Pair> {
    let size = || prop_oneof![1..200_u64, 1..100_000_u64, Just(MOST), 1..=MOST];
    (size(), size(), 0.0..1.0_f64, 0.0..1.0_f64).prop_map(|(canary, baseline, bad, baseline_bad)| {
        let part = |share: f64, of: u64| ((share * share * of as f64) as u64).min(of - 1);
        pair((part(bad, canary), canary), (part(baseline_bad, baseline), baseline))
    })
}

/// The same traffic with one more bad request of the canary, or of the baseline.
fn one_more(seen: &Pair, of_canary: u64, of_baseline: u64) -> Pair {
    let more = |side: davy::stats::Arm, by: u64| (side.events().get() + by, side.total().get());
    pair(more(seen.canary, of_canary), more(seen.baseline, of_baseline))
}

/// What an interval says must not fall in any size when the canary, and not rise when the baseline, does worse.
fn harm_is_monotone<const J: usize>(log_e: impl Fn(&Pair) -> [f64; J]) -> impl Fn(Pair) -> TestCaseResult {
    move |seen| {
        let (now, worse, excused) = (log_e(&seen), log_e(&one_more(&seen, 1, 0)), log_e(&one_more(&seen, 0, 1)));
        for size in 0..J {
            prop_assert!(worse[size] >= now[size], "worse for the canary: {now:?} {worse:?}");
            prop_assert!(excused[size] <= now[size], "worse for the baseline: {now:?} {excused:?}");
        }
        Ok(())
    }
}

fn negated<const J: usize>(log_e: impl Fn(&Pair) -> [f64; J]) -> impl Fn(&Pair) -> [f64; J] {
    move |seen| log_e(seen).map(|log_e| -log_e)
}

#[test]
fn one_more_bad_request_never_lowers_the_evidence_for_harm() {
    for bound in [1.0, 1.1] {
        let test = RatioTest::new(Grid::new(RATIOS).unwrap(), bound).unwrap();
        holds(CASES, traffic(), harm_is_monotone(|seen: &Pair| *test.increment(seen).logs()));
    }
    for guess in [1e-6, 0.01, 0.5, 0.999] {
        let test = OddsTest::new(Grid::new(ODDS).unwrap());
        let forecast = Forecast::new(guess).unwrap();
        holds(CASES, traffic(), harm_is_monotone(|seen: &Pair| *test.increment(seen, forecast).logs()));
    }
    let known = KnownShareTest::new(Grid::new(RATIOS).unwrap(), 0.01).unwrap();
    holds(CASES, traffic(), harm_is_monotone(|seen: &Pair| *known.increment(seen.canary).logs()));
}

#[test]
fn one_more_bad_request_never_raises_the_evidence_for_health() {
    let ratio = noninferior_ratio(1.5).unwrap();
    holds(CASES, traffic(), harm_is_monotone(negated(|seen: &Pair| *ratio.increment(seen).logs())));
    let odds = OddsTest::new(Grid::new(ODDS).unwrap().reciprocals());
    let forecast = Forecast::new(0.2).unwrap();
    holds(CASES, traffic(), harm_is_monotone(negated(|seen: &Pair| *odds.increment(seen, forecast).logs())));
    let known = KnownShareTest::new(Grid::new(RATIOS).unwrap().reciprocals(), 0.01).unwrap();
    holds(CASES, traffic(), harm_is_monotone(negated(|seen: &Pair| *known.increment(seen.canary).logs())));
}

#[test]
fn the_property_finds_a_formula_whose_rounding_is_not_monotone() {
    // Equal on paper; but where nearly all traffic is the canary's, the difference of two large terms wavers.
    let rounded = |seen: &Pair| {
        let of = |arm: davy::stats::Arm| (arm.events().get() as f64, arm.total().get() as f64);
        let ((canary_events, canary), (baseline_events, baseline)) = (of(seen.canary), of(seen.baseline));
        let theta = canary / (canary + baseline);
        [canary_events * libm::log(1.5) - (canary_events + baseline_events) * libm::log1p(theta * 0.5)]
    };
    breaks(20 * CASES, traffic(), "worse for the canary", harm_is_monotone(rounded));
    // And a guess that follows the canary.
    let test = OddsTest::new(Grid::new(ODDS).unwrap());
    let follows = |seen: &Pair| {
        let share = (seen.canary.events().get() as f64 + 0.5) / (seen.canary.total().get() as f64 + 1.0);
        *test.increment(seen, Forecast::new(share).unwrap()).logs()
    };
    breaks(CASES, traffic(), "worse for the canary", harm_is_monotone(follows));
}

/// A history, and where in it the canary had one more bad request.
fn histories() -> impl Strategy<Value = (Vec<Pair>, usize)> {
    let interval = (1..80_u64, 1..800_u64, 0.0..0.6_f64, 0.0..0.6_f64).prop_map(|(canary, baseline, bad, other)| {
        let part = |share: f64, of: u64| ((share * of as f64) as u64).min(of - 1);
        pair((part(bad, canary), canary), (part(other, baseline), baseline))
    });
    prop::collection::vec(interval, 1..20).prop_flat_map(|history| {
        let length = history.len();
        (Just(history), 0..length)
    })
}

#[test]
fn a_bad_request_is_never_forgiven_later() {
    let starts = Starts::Within(NonZeroU32::new(12).unwrap());
    let errors = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
    let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS).unwrap()), starts);
    let evidence = |history: &[Pair]| {
        let (mut process, mut latency) = (Process::new(), Latency::new(&[0.1]).unwrap());
        for seen in history {
            process.fold(starts, &errors.increment(seen));
            latency.fold(&plan, &[*seen]);
        }
        [process.e(starts), latency.e(&plan)]
    };
    holds(CASES, histories(), |(history, index)| {
        let mut worse = history.clone();
        worse[index] = one_more(&history[index], 1, 0);
        for (now, worse) in evidence(&history).into_iter().zip(evidence(&worse)) {
            // A power of two is rounded, so up to the last bits.
            prop_assert!(worse >= now * (1.0 - 1e-13), "{now} {worse}");
        }
        Ok(())
    });
    // A forecast from both arms would let a bad canary raise what is expected of everyone.
    let pooled = |history: &[Pair]| {
        let test = OddsTest::new(Grid::new(ODDS).unwrap());
        let (mut process, mut forecast) = (Process::new(), Forecast::new(0.1).unwrap());
        for seen in history {
            process.fold(starts, &test.increment(seen, forecast));
            forecast.fold(&Pair { canary: seen.baseline, baseline: seen.canary });
        }
        process.e(starts)
    };
    breaks(CASES, histories(), "forgiven", |(history, index)| {
        let mut worse = history.clone();
        worse[index] = one_more(&history[index], 1, 0);
        prop_assert!(pooled(&worse) >= pooled(&history) * (1.0 - 1e-13), "forgiven");
        Ok(())
    });
}

#[test]
fn more_traffic_is_another_matter() {
    // One more request that fails, beside a baseline of which most fail: a larger canary arm is expected to have more
    // events, and for the largest ratio that outweighs the event. Only in the same traffic is worse never better.
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.0).unwrap();
    let [.., now] = *test.increment(&pair((1, 1), (900, 1000))).logs();
    let [.., more] = *test.increment(&pair((2, 2), (900, 1000))).logs();
    assert!(more < now);
    // Where events are rare it does not happen.
    let rare = |canary: (u64, u64)| *test.increment(&pair(canary, (14, 1425))).logs();
    assert!(rare((3, 75)).iter().zip(rare((4, 76))).all(|(now, more)| more > *now));
}
