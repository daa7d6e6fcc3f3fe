//! Flagger, restated and compared, and its surprises one by one.

use davy::{Asked, Cause, Observed, State, Verdict};

use crate::support::*;
use crate::{Answer, Lcg, assert_each_is_common};

/// `failedChecks` of a canary, and whether it was rolled back.
#[derive(Debug, Clone, Copy)]
struct Flagger {
    threshold: u64,
    failed_checks: u64,
    rolled_back: bool,
    advanced: bool,
}

impl Flagger {
    fn new(threshold: u64) -> Self {
        Self { threshold, failed_checks: 0, rolled_back: false, advanced: false }
    }

    /// `advanceCanary`: the threshold is looked at before the checks, and one failing check ends the tick.
    fn tick(&mut self, fails: bool) {
        if self.rolled_back || self.failed_checks >= self.threshold {
            (self.rolled_back, self.advanced) = (true, false);
            return;
        }
        self.advanced = !fails;
        self.failed_checks += u64::from(fails);
    }

    fn verdict(self) -> Verdict {
        match (self.rolled_back, self.advanced) {
            (true, _) => Verdict::Abort,
            (false, true) => Verdict::Proceed,
            (false, false) => Verdict::Hold,
        }
    }
}

const WITH_MAX: &str = "name: errors, bad: b, total: t, max: 1%";

fn flagger(threshold: u64, answers: &str) -> String {
    let mut watch = Watch::of(&health(&format!("judge: flagger, flagger: {{ threshold: {threshold} }}"), &[WITH_MAX]));
    let mut last = String::new();
    for answer in answers.chars().map(Answer::of) {
        if answer == Answer::Gap {
            watch.misses(1);
        } else {
            last = said(&watch.sees(answer.observed("errors")));
        }
    }
    last
}

#[test]
fn random_ticks_end_as_flagger_ends_them() {
    let mut random = Lcg(11);
    let mut verdicts = Vec::new();
    for threshold in 1..=8 {
        let settings = format!("judge: flagger, flagger: {{ threshold: {threshold} }}");
        let spec = health(&settings, &[WITH_MAX, "name: journey, bad: b, total: t, max: 1%"]);
        for round in 0..400 {
            let (mut peer, mut watch, mut story) = (Flagger::new(threshold), Watch::of(&spec), Vec::new());
            for _ in 0..15 {
                // Mostly good, so that long sequences happen.
                let mut answer = || if random.below(4) > 0 { Answer::Good } else { random.pick(&Answer::ALL) };
                let answers = [answer(), answer()];
                story.push(answers);
                peer.tick(answers != [Answer::Good; 2]);
                if answers.contains(&Answer::Gap) {
                    watch.misses(1);
                    continue;
                }
                let decision = watch.sees([answers[0].observed("errors"), answers[1].observed("journey")].concat());
                assert_eq!(
                    decision.verdict,
                    peer.verdict(),
                    "threshold {threshold}, round {round}: {story:?}\n{decision}"
                );
                verdicts.push(decision.verdict);
            }
        }
    }
    assert_each_is_common(&verdicts);
}

const CHECK_FAILED: &str = "hold health.flagger-check-failed health.outside-limits:errors";
const ROLLED_BACK: &str = "abort health.flagger-failed-checks";

#[test]
fn failed_checks_are_never_reset_by_a_good_tick() {
    assert_eq!(flagger(3, "bgggggbgggggg"), "proceed");
    assert_eq!(flagger(3, "bgggggbgggggb"), CHECK_FAILED);
    assert_eq!(flagger(3, "bgggggbgggggbg"), ROLLED_BACK);
}

#[test]
fn the_rollback_comes_at_the_tick_after_the_threshold() {
    assert_eq!(flagger(1, "gb"), CHECK_FAILED);
    // Even when that tick is good.
    assert_eq!(flagger(1, "gbg"), ROLLED_BACK);
    assert_eq!(flagger(2, "gbb"), CHECK_FAILED);
    assert_eq!(flagger(2, "gbbg"), ROLLED_BACK);
    assert_eq!(flagger(2, "gbbb"), ROLLED_BACK);
}

#[test]
fn the_default_threshold_is_one() {
    let mut watch = Watch::of(&health("judge: flagger", &[WITH_MAX]));
    assert_eq!(said(&watch.sees(Answer::Bad.observed("errors"))), CHECK_FAILED);
    assert_eq!(said(&watch.sees(Answer::Good.observed("errors"))), ROLLED_BACK);
}

#[test]
fn no_data_and_nan_are_failed_checks() {
    for (answer, why) in [("-", "health.no-data"), ("n", "health.no-data"), ("0", "health.no-traffic")] {
        assert_eq!(flagger(3, answer), format!("hold health.flagger-check-failed {why}:errors"));
        assert_eq!(flagger(3, &format!("{}g", answer.repeat(3))), ROLLED_BACK);
    }
    assert_eq!(flagger(3, "g...g"), ROLLED_BACK);
    assert_eq!(flagger(3, "g..g"), "proceed");
}

#[test]
fn a_tick_is_one_failed_check_however_many_metrics_are_bad() {
    let spec =
        health("judge: flagger, flagger: { threshold: 2 }", &[WITH_MAX, "name: other, bad: b, total: t, max: 1%"]);
    let mut watch = Watch::of(&spec);
    let both = |answer: Answer| [answer.observed("errors"), answer.observed("other")].concat();
    let failed = watch.sees(both(Answer::Bad));
    let Cause::HealthFlaggerCheckFailed { failed_checks, threshold } =
        finding(&failed, "health.flagger-check-failed").cause
    else {
        panic!("{failed}")
    };
    assert_eq!((failed_checks, threshold), (count(1), count(2)));
    assert_eq!(said(&watch.sees(both(Answer::Good))), "proceed");
}

#[test]
fn the_bounds_of_a_range_are_within_it() {
    let check = |value: f64| {
        let mut watch = Watch::of(&health("judge: flagger", &["name: cpu, gauge: g, min: 1, max: 3"]));
        watch.sees([canary("cpu", gauge(value))]).verdict
    };
    assert_eq!([1.0, 2.0, 3.0].map(check), [Verdict::Proceed; 3]);
    assert_eq!([0.9, 3.1].map(check), [Verdict::Hold; 2]);
}

#[test]
fn infinity_passes_a_check_that_has_no_maximum_and_is_still_not_healthy() {
    let mut watch = Watch::of(&health("judge: flagger", &["name: cpu, gauge: g, min: 1"]));
    let decision = watch.sees([canary("cpu", Observed::Missing(davy::Missing::PositiveInfinity))]);
    assert_eq!(said(&decision), "hold health.no-data:cpu");
    assert_eq!(said(&watch.sees([canary("cpu", gauge(2.0))])), "proceed");
}

#[test]
fn a_failed_check_holds_every_step_and_hinders_no_watching() {
    let spec = health("judge: flagger, flagger: { threshold: 9 }", &[WITH_MAX]);
    let asked = |asked| Watch::of(&spec).asks(asked).sees(Answer::Bad.observed("errors")).verdict;
    assert_eq!(asked(Asked::Promote), Verdict::Hold);
    assert_eq!(asked(advance("25%")), Verdict::Hold);
    assert_eq!(asked(Asked::Keep), Verdict::Proceed);
}

#[test]
fn a_new_attempt_begins_with_no_failed_checks() {
    let spec = health("judge: flagger, flagger: { threshold: 1 }", &[WITH_MAX]);
    let mut watch = Watch::of(&spec);
    watch.sees(Answer::Bad.observed("errors"));
    watch.state = watch.state.next_release();
    watch.snapshot.release.attempt = watch.snapshot.release.attempt.saturating_add(1);
    watch.snapshot.release.started_at = minute(1);
    watch.snapshot.since = minute(1);
    assert_eq!(said(&watch.sees(Answer::Good.observed("errors"))), "proceed");
    assert_ne!(watch.state, State::new());
}
