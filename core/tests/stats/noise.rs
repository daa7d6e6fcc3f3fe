//! The second key: what must hold of it whatever is counted.

use davy::stats::{Arm, ByReplica, Declared, Estimate, Grid, Method, Noise, Pair, RATIOS, RatioTest, discount, sick};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::arm;
use crate::runner::{breaks, holds};

const BOUND: f64 = 1.1;

type Interval = ((u64, u64), Vec<(u64, u64)>);

/// Events and requests of the canary, and of each replica of the baseline.
fn interval(replicas: usize) -> impl Strategy<Value = Interval> {
    let counts = || (0..60_u64, 60..4000_u64);
    (counts(), vec(counts(), replicas))
}

fn rollout() -> impl Strategy<Value = Vec<Interval>> {
    (1..12_usize).prop_flat_map(|replicas| vec(interval(replicas), 1..12))
}

fn folded(rollout: &[Interval], place: impl Fn(usize) -> usize) -> Noise<8> {
    let test = RatioTest::new(Grid::new(RATIOS).unwrap(), BOUND).unwrap();
    let mut noise = Noise::new();
    for (step, (canary, baseline)) in rollout.iter().enumerate() {
        let mut replicas: Vec<(usize, Arm)> =
            baseline.iter().enumerate().map(|(number, (bad, all))| (place(number), arm(*bad, *all))).collect();
        replicas.sort_by_key(|(place, _)| *place);
        let sum = |of: fn(&(u64, u64)) -> u64| baseline.iter().map(of).sum::<u64>();
        let pair = Pair { canary: arm(canary.0, canary.1), baseline: arm(sum(|one| one.0), sum(|one| one.1)) };
        let seen = ByReplica { pair, canary: 1 + (step % 3) as u32, baseline: &replicas };
        noise.fold(BOUND, step / 3, &seen, &test.increment(&pair));
    }
    noise
}

fn estimates(noise: &Noise<8>) -> impl Iterator<Item = Estimate> + '_ {
    let methods = [Method::Replicas, Method::FewReplicas, Method::History, Method::Declared];
    let of = move |window| methods.map(|method| noise.estimate_by(method, window, BOUND, Declared::ERRORS, Some(0.01)));
    (0..4).flat_map(of).flatten()
}

#[test]
fn a_part_of_the_evidence_counts_and_never_more_than_all_of_it() {
    holds(150, rollout(), |rollout| {
        for estimate in estimates(&folded(&rollout, |place| place)) {
            prop_assert!((0.0..=1.0).contains(&estimate.counted), "{estimate:?}");
            let known = estimate.method == Method::Declared || estimate.replicas > 1;
            prop_assert!(!known || estimate.freedom > 0.0, "{estimate:?}");
            prop_assert!(estimate.variance >= estimate.chance, "{estimate:?}");
            prop_assert!(estimate.e.is_finite() && estimate.noise >= 0.0, "{estimate:?}");
        }
        Ok(())
    });
}

#[test]
fn which_replica_has_which_place_changes_nothing() {
    holds(100, rollout(), |rollout| {
        let (plain, turned) = (folded(&rollout, |place| place), folded(&rollout, |place| 63 - 5 * place));
        for (one, other) in estimates(&plain).zip(estimates(&turned)) {
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(1e-9);
            prop_assert!(close(one.counted, other.counted) || one.most < 1e-9, "{one:?} {other:?}");
        }
        Ok(())
    });
}

#[test]
fn more_noise_never_leaves_more_of_the_evidence() {
    let by_freedom = |freedom: fn(f64) -> f64| {
        move |(chance, more, most): (f64, f64, f64)| {
            let (less, noisier) =
                (discount(chance, most, freedom(chance)), discount(chance * more, most, freedom(chance)));
            prop_assert!(noisier <= less, "more counts of a noisier one: {less} {noisier}");
            Ok(())
        }
    };
    let any = || (0.001..1.0_f64, 0.1..1.0_f64, 0.0..500.0_f64);
    holds(1000, any(), by_freedom(|_| 9.0));
    holds(1000, any(), |(chance, more, most)| {
        prop_assert!(discount(chance, most, 9.0 * more) <= discount(chance, most, 9.0));
        Ok(())
    });
    breaks(1000, any(), "more counts", |(chance, more, most): (f64, f64, f64)| {
        let (less, noisier) = (discount(chance, most, 9.0), discount(chance / more, most, 9.0));
        prop_assert!(noisier <= less, "more counts of a noisier one: {less} {noisier}");
        Ok(())
    });
}

#[test]
fn replicas_that_are_all_alike_leave_everything() {
    let alike: Vec<Interval> = (0..20).map(|_| ((15, 1000), vec![(10, 1000); 30])).collect();
    let estimate = folded(&alike, |place| place).estimate(0, BOUND, Declared::ERRORS, None).unwrap();
    assert_eq!(estimate.method, Method::Replicas);
    assert!(estimate.noise.abs() < 1e-12 && estimate.counted > 0.999, "{estimate:?}");
    assert_eq!(estimate.least_detectable(100.0), None);
}

#[test]
fn what_is_always_different_needs_replicas_and_what_passes_needs_time() {
    let of = |bad: fn(usize, usize) -> u64| {
        let all: Vec<Interval> =
            (0..40).map(|k| ((100, 10_000), (0..10).map(|replica| (bad(k, replica), 10_000)).collect())).collect();
        folded(&all, |place| place).estimate(0, BOUND, Declared::ERRORS, None).unwrap()
    };
    let offset = of(|_, replica| 60 + 9 * replica as u64);
    assert!(offset.needs_replicas() && offset.noise > 0.05, "{offset:?}");
    let passing = of(|k, replica| 60 + 9 * ((k * 7 + replica * 3) % 10) as u64);
    assert!(!passing.needs_replicas() && passing.noise < 0.01, "{passing:?}");
    assert!(passing.least_detectable(100.0) < offset.least_detectable(100.0));
}

#[test]
fn one_replica_far_worse_is_sick_and_one_far_better_is_not() {
    let with = |bad: u64| {
        let all: Vec<Interval> = (0..8)
            .map(|_| ((10, 1000), (0..10).map(|replica| (if replica == 4 { bad } else { 10 }, 1000)).collect()))
            .collect();
        sick(&folded(&all, |place| place))
    };
    assert_eq!(with(60), [4]);
    assert!(with(12).is_empty() && with(0).is_empty());
    // Where most replicas had no event at all, one is no sign.
    let rare: Vec<Interval> = (0..8).map(|k| ((0, 10), vec![(0, 10), (0, 10), (u64::from(k == 3), 10)])).collect();
    assert!(sick(&folded(&rare, |place| place)).is_empty());
}

#[test]
fn a_replica_that_is_forgotten_is_compared_no_longer() {
    let all: Vec<Interval> =
        (0..8).map(|_| ((10, 1000), vec![(60, 1000), (10, 1000), (11, 1000), (9, 1000)])).collect();
    let mut noise = folded(&all, |place| place);
    let before = noise.estimate(0, BOUND, Declared::ERRORS, None).unwrap();
    noise.forget(0);
    let after = noise.estimate(0, BOUND, Declared::ERRORS, None).unwrap();
    assert_eq!((before.replicas, after.replicas), (4, 3));
    assert!(after.noise < before.noise);
}

#[test]
fn the_sums_survive_as_json_and_forged_ones_do_not() {
    let all: Vec<Interval> = (0..9).map(|k| ((k, 1000), vec![(10, 1000), (k, 1000)])).collect();
    let noise = folded(&all, |place| 3 * place);
    let json = serde_json::to_string(&noise).unwrap();
    assert_eq!(serde_json::from_str::<Noise<8>>(&json).unwrap(), noise);
    assert!(serde_json::from_str::<Noise<9>>(&json).is_err());
    assert!(serde_json::from_str::<Noise<8>>(&json[..json.len() - 12]).is_err());
    for forged in ["\"\"", "\"AAAAAAAAAAA\"", "[]"] {
        assert!(serde_json::from_str::<Noise<8>>(forged).is_err(), "{forged}");
    }
}
