//! `judge: groupSequential`: an exact test at looks that are fixed beforehand, and only there.

use davy::stats::{Arm, GroupSequential, Pair, Spending};
use davy::{Asked, Guarantee};

use super::support::*;

const ERRORS: &str = "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";
const RAMP: &str = "steps: [{ weight: 5%, atLeast: 5m }, { weight: 25%, atLeast: 5m }]";

fn watch(metrics: &[&str]) -> Watch {
    Watch::of(&format!("{RAMP}, {}", health("judge: groupSequential", metrics))).asks(Asked::Keep)
}

/// Ten minutes of these counts, on the ramp.
fn sees(watch: &mut Watch, minute: u64, bad: u64, baseline_bad: u64) -> davy::Decision {
    watch.snapshot.weight = share(if minute <= 5 { "5%" } else { "25%" });
    let total = if minute <= 5 { 150 } else { 750 };
    watch.sees([canary("errors", counts(bad, total)), baseline("errors", counts(baseline_bad, 3000 - total))])
}

/// Looks that were taken, and those that are planned.
fn looks(decision: &davy::Decision) -> (u64, u64) {
    match finding(decision, "health.not-crossed").cause {
        davy::Cause::HealthNotCrossed { looks, planned } => (looks.get(), planned.get()),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn the_gate_looks_as_the_exact_test_does() {
    let weights = [0.05, 0.05, 0.05, 0.05, 0.05, 0.25, 0.25, 0.25, 0.25, 0.25];
    let spending = Spending::new(share("1%"), weights.map(|w| w * (1.0 - w))).unwrap().tolerating(1.1).unwrap();
    let arm = |bad: u64, total: u64| Arm::new(count(bad), count(total)).unwrap();
    for worse in [1, 2, 3, 6] {
        let (mut gate, mut test) = (watch(&[ERRORS]), GroupSequential::new());
        for minute in 1..=10 {
            let (total, bad) = if minute <= 5 { (150, worse + minute % 2) } else { (750, 7 * worse + minute % 3) };
            let decision = sees(&mut gate, minute, bad, 28);
            let pair = Pair { canary: arm(bad, total), baseline: arm(28, 3000 - total) };
            let crossed = test.look(&spending, &pair).unwrap().crossed;
            let expected = if crossed { "abort health.crossed" } else { "proceed" };
            assert_eq!(said(&decision), expected, "{worse} {minute}");
        }
        // Between the two it depends on the boundary, which is the same.
        assert!(worse == 2 || worse == 3 || test.has_crossed() == (worse == 6), "{worse}");
    }
}

#[test]
fn after_the_last_look_nothing_is_judged() {
    let mut gate = watch(&[ERRORS]);
    for minute in 1..=10 {
        assert_eq!(said(&sees(&mut gate, minute, if minute <= 5 { 1 } else { 7 }, 28)), "proceed");
    }
    for minute in 11..20 {
        let decision = sees(&mut gate, minute, 700, 28);
        assert_eq!(said(&decision), "proceed");
        assert_eq!(looks(&decision), (10, 10));
    }
}

#[test]
fn intervals_that_never_came_are_looks_that_saw_nothing() {
    let mut gate = watch(&[ERRORS]);
    sees(&mut gate, 1, 1, 28);
    gate.misses(3);
    let decision = sees(&mut gate, 5, 1, 28);
    assert_eq!(looks(&decision), (5, 10));
    gate.misses(1_000_000);
    assert_eq!(looks(&sees(&mut gate, 1_000_006, 1, 28)), (10, 10));
}

#[test]
fn no_hold_of_health_delays_the_ramp() {
    let mut gate = watch(&[ERRORS]);
    for minute in 1..=4 {
        // Twice the errors: suspicious, and not enough to abort.
        gate.snapshot.asked = advance("25%");
        assert_eq!(said(&sees(&mut gate, minute, 3, 28)), "hold steps.dwell", "{minute}");
    }
    gate.snapshot.asked = advance("25%");
    assert_eq!(said(&sees(&mut gate, 5, 3, 28)), "proceed");
}

#[test]
fn a_retry_or_a_late_ramp_is_outside_the_guarantee_and_holds() {
    let mut late = watch(&[ERRORS]).asks(Asked::Promote);
    for _ in 0..9 {
        let seen = [canary("errors", counts(2, 150)), baseline("errors", counts(28, 2850))];
        late.sees(seen);
    }
    let decision = late.looks();
    assert!(codes(&decision).contains(&"health.schedule-left"), "{decision}");
    assert!(matches!(finding(&decision, "health.not-crossed").guarantee, Guarantee::Outside(_)));

    let mut again = watch(&[ERRORS]).asks(advance("25%"));
    again.snapshot.release.attempt = 2.try_into().unwrap();
    assert!(codes(&sees(&mut again, 1, 1, 28)).contains(&"health.retried"));

    let mut live = watch(&[ERRORS]).live();
    let decision = live.sees([canary("errors", counts(2, 150)), baseline("errors", counts(28, 2850))]);
    assert!(!codes(&decision).contains(&"health.schedule-left"), "{decision}");
}

#[test]
fn importance_divides_the_probability_of_a_false_abort() {
    let spread = |importance: &str| {
        let other =
            format!("name: search, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x, importance: {importance}");
        let mut gate = watch(&[ERRORS, &other]);
        let seen = |minute: u64| {
            vec![
                canary("errors", counts(4 + minute % 2, 150)),
                baseline("errors", counts(28, 2850)),
                canary("search", counts(1, 150)),
                baseline("search", counts(28, 2850)),
            ]
        };
        (1..=5).find(|minute| said(&gate.sees(seen(*minute))).starts_with("abort"))
    };
    let (even, little) = (spread("1"), spread("999"));
    assert!(
        even.is_some() && little.is_none_or(|little| even.is_some_and(|even| even <= little)),
        "{even:?} {little:?}"
    );
}

#[test]
fn what_is_good_enough_is_proved_as_ever() {
    let mut gate = watch(&[ERRORS]);
    for minute in 1..=10 {
        gate.snapshot.asked = Asked::Promote;
        let total = 200_000;
        gate.snapshot.weight = share(if minute <= 5 { "5%" } else { "25%" });
        let decision = gate.sees([canary("errors", counts(2000, total)), baseline("errors", counts(2000, total))]);
        if minute == 10 {
            assert_eq!(said(&decision), "proceed");
        }
    }
}
