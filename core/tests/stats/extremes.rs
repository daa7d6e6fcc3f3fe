//! Counts that no service has: nothing is NaN, infinite or beyond its range, whatever comes after.

use std::num::NonZeroU32;

use davy::Count;
use davy::stats::{
    Exposed, Forecast, Grid, KnownRateTest, KnownShareTest, Latency, LatencyPlan, Level, ODDS, OddsTest, Pair, Peak,
    Process, RATIOS, RatioGrid, RatioRange, RatioTest, SLOW_SHARES, Starts, noninferior_ratio,
};
use proptest::prelude::*;

use crate::pair;
use crate::runner::holds;

const MOST: u64 = (1 << 53) - 1;
/// 2^1000.
const MOST_EVIDENCE: f64 = f64::from_bits(2023 << 52);
const COUNTS: [u64; 6] = [0, 1, 2, 1000, MOST / 2, MOST];

/// Every combination.
fn extremes() -> Vec<Pair> {
    let arms: Vec<(u64, u64)> =
        COUNTS.iter().flat_map(|total| COUNTS.iter().map(|events| (*(events.min(total)), *total))).collect();
    arms.iter().flat_map(|canary| arms.iter().map(|baseline| pair(*canary, *baseline))).collect()
}

fn increments(test: &RatioTest<8>, odds: &OddsTest<9>, share: f64, seen: &Pair) -> Vec<f64> {
    let known = KnownShareTest::new(Grid::new(RATIOS).unwrap(), share).unwrap();
    let mut all = test.increment(seen).logs().to_vec();
    all.extend(odds.increment(seen, Forecast::new(share).unwrap()).logs());
    all.extend(known.increment(seen.canary).logs());
    all
}

#[test]
fn increments_are_numbers() {
    let ends = Grid::new([1.0 + f64::EPSILON, 1.1, 1.5, 2.0, 3.0, 10.0, 1000.0, 1e6]).unwrap();
    for grid in [Grid::new(RATIOS).unwrap(), ends.clone(), ends.reciprocals()] {
        for bound in [1e-6, 1.0, 1e6] {
            let test = RatioTest::new(grid.clone(), bound).unwrap();
            let odds = OddsTest::new(Grid::new(ODDS).unwrap());
            for seen in extremes() {
                for share in [f64::MIN_POSITIVE, 0.5, 1.0 - f64::EPSILON] {
                    let all = increments(&test, &odds, share, &seen);
                    assert!(all.iter().all(|log_e| log_e.is_finite()), "{seen:?} {bound} {share}: {all:?}");
                }
            }
        }
    }
    let rate = KnownRateTest::new(Grid::new(RATIOS).unwrap(), 1e6).unwrap();
    for events in COUNTS {
        for exposure in [0.0, f64::MIN_POSITIVE, 1.0, 1e15] {
            let exposed = Exposed::new(Count::new(events).unwrap(), exposure).unwrap();
            assert!(rate.increment(exposed).logs().iter().all(|log_e| log_e.is_finite()));
            let test = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
            assert!(test.increment_of_events(exposed, exposed).logs().iter().all(|log_e| log_e.is_finite()));
        }
    }
    for exposure in [-1.0, f64::NAN, f64::INFINITY, 1e16] {
        assert!(Exposed::new(Count::ZERO, exposure).is_err());
    }
}

#[test]
fn evidence_stays_evidence_after_anything() {
    let planned = NonZeroU32::new(5).unwrap();
    let all = extremes();
    let intervals = prop::collection::vec(prop::sample::select(all), 1..40);
    let starts = prop::sample::select(vec![Starts::First, Starts::Within(planned), Starts::Open(planned)]);
    let level = Level::of("1%".parse().unwrap());
    let grid = RatioGrid::quarter_doublings();
    holds(200, (intervals, starts), |(intervals, starts)| {
        let harm = RatioTest::new(Grid::new(RATIOS).unwrap(), 1.1).unwrap();
        let health = noninferior_ratio(1.5).unwrap();
        let plan = LatencyPlan::new(OddsTest::new(Grid::new(ODDS).unwrap()), starts);
        let (mut process, mut good) = (Process::new(), Process::new());
        let (mut latency, mut range, mut peak) = (Latency::new(&SLOW_SHARES).unwrap(), RatioRange::new(), Peak::new());
        for seen in &intervals {
            process.fold(starts, &harm.increment(seen));
            good.fold(starts, &health.increment(seen));
            latency.fold(&plan, &[*seen; 5]);
            range.fold(&grid, seen);
            let evidence = [process.e(starts), good.e(starts), latency.e(&plan)];
            prop_assert!(evidence.iter().all(|e| (0.0..=MOST_EVIDENCE).contains(e)), "{evidence:?}");
            evidence.into_iter().for_each(|e| peak.fold(e));
            prop_assert!((0.0..=1.0).contains(&level.meter(peak.e())));
            let limits = range.limits(&grid, "98%".parse().unwrap());
            prop_assert!(limits.above.is_none_or(f64::is_finite) && limits.below.is_none_or(f64::is_finite));
        }
        // It is not poisoned either: what is read back goes on, and a bad interval still raises it.
        let json = serde_json::to_string(&(process, &latency, range, peak)).unwrap();
        let read: (Process<8>, Latency<9>, RatioRange<25>, Peak) = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &(process, latency, range, peak));
        let before = process.e(starts);
        process.fold(starts, &harm.increment(&pair((75, 75), (14, 1425))));
        prop_assert!(process.e(starts) >= before);
        Ok(())
    });
}
