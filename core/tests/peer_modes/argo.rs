//! Argo Rollouts, restated and compared, and its surprises one by one.

use davy::{Cause, Decision, HoldKind, Observation, Verdict};

use crate::support::*;
use crate::{Answer, Lcg, assert_each_is_common};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Successful,
    Running,
    Inconclusive,
    Error,
    Failed,
}

/// Which conditions a metric has.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Conditions {
    Success,
    Failure,
    Both,
}

#[derive(Debug, Clone, Copy)]
struct ArgoMetric {
    conditions: Conditions,
    dry_run: bool,
    count: Option<u64>,
    /// -1 is off.
    failure_limit: i64,
    inconclusive_limit: i64,
    consecutive_error_limit: i64,
    /// 0 is off.
    consecutive_success_limit: u64,
}

/// Argo's defaults.
const ARGO: ArgoMetric = ArgoMetric {
    conditions: Conditions::Success,
    dry_run: false,
    count: None,
    failure_limit: 0,
    inconclusive_limit: 0,
    consecutive_error_limit: 4,
    consecutive_success_limit: 0,
};

#[derive(Debug, Clone, Copy)]
struct ArgoResult {
    phase: Phase,
    count: u64,
    failed: i64,
    inconclusive: i64,
    consecutive_error: i64,
    consecutive_success: u64,
    latest: Option<Answer>,
}

impl ArgoMetric {
    /// `evaluateResult`: every comparison with NaN is false, and `result[0]` of nothing is an error.
    fn measure(self, answer: Answer) -> Phase {
        let Some(value) = answer.times() else { return Phase::Error };
        match self.conditions {
            Conditions::Success if value <= 1.0 => Phase::Successful,
            Conditions::Success => Phase::Failed,
            Conditions::Failure if value > 1.0 => Phase::Failed,
            Conditions::Failure => Phase::Successful,
            Conditions::Both if value > 3.0 => Phase::Failed,
            Conditions::Both if value <= 1.5 => Phase::Successful,
            Conditions::Both => Phase::Inconclusive,
        }
    }

    fn has_an_end(self) -> bool {
        self.count.is_some() || self.consecutive_success_limit > 0
    }

    fn document(self, name: &str) -> String {
        let (limits, condition) = match self.conditions {
            Conditions::Success => ("max: 1%", ", condition: success"),
            Conditions::Failure => ("max: 1%", ", condition: failure"),
            Conditions::Both => ("tolerate: 1.5x, unacceptable: 3x", ""),
        };
        let count = self.count.map(|count| format!(", count: {count}")).unwrap_or_default();
        format!(
            "name: {name}, bad: b, total: t, {limits}, dryRun: {}, argo: {{ failureLimit: {}, inconclusiveLimit: {}, \
             consecutiveErrorLimit: {}, consecutiveSuccessLimit: {}{count}{condition} }}",
            self.dry_run,
            self.failure_limit,
            self.inconclusive_limit,
            self.consecutive_error_limit,
            self.consecutive_success_limit,
        )
    }
}

impl ArgoResult {
    const fn new() -> Self {
        Self {
            phase: Phase::Running,
            count: 0,
            failed: 0,
            inconclusive: 0,
            consecutive_error: 0,
            consecutive_success: 0,
            latest: None,
        }
    }

    fn take(&mut self, metric: ArgoMetric, answer: Answer) {
        self.latest = Some(answer);
        let measured = metric.measure(answer);
        self.consecutive_error = if measured == Phase::Error { self.consecutive_error + 1 } else { 0 };
        self.consecutive_success = if measured == Phase::Successful { self.consecutive_success + 1 } else { 0 };
        self.count += u64::from(measured != Phase::Error);
        self.failed += i64::from(measured == Phase::Failed);
        self.inconclusive += i64::from(measured == Phase::Inconclusive);
        self.phase = self.assess(metric);
    }

    /// `assessMetricStatus`: later rules override earlier ones.
    fn assess(&self, metric: ArgoMetric) -> Phase {
        let mut bad = None;
        if metric.failure_limit >= 0 && self.failed > metric.failure_limit {
            bad = Some(Phase::Failed);
        }
        if self.inconclusive > metric.inconclusive_limit {
            bad = Some(Phase::Inconclusive);
        }
        if self.consecutive_error > metric.consecutive_error_limit {
            bad = Some(Phase::Error);
        }
        if let Some(phase) = bad {
            return phase;
        }
        let wants_successes = metric.consecutive_success_limit > 0;
        if wants_successes && self.consecutive_success >= metric.consecutive_success_limit {
            return Phase::Successful;
        }
        if metric.count.is_some_and(|count| self.count >= count) {
            return match (metric.failure_limit >= 0, wants_successes) {
                (true, true) => Phase::Inconclusive,
                (false, true) => Phase::Failed,
                (_, false) => Phase::Successful,
            };
        }
        Phase::Running
    }
}

/// An analysis run: a metric that counts and ends badly ends the others, which are then successful.
struct ArgoRun(Vec<(ArgoMetric, ArgoResult)>);

impl ArgoRun {
    fn of(metrics: &[ArgoMetric]) -> Self {
        Self(metrics.iter().map(|metric| (*metric, ArgoResult::new())).collect())
    }

    fn tick(&mut self, answers: &[Answer]) {
        let ended_badly = |(metric, result): &(ArgoMetric, ArgoResult)| {
            !metric.dry_run && matches!(result.phase, Phase::Failed | Phase::Error | Phase::Inconclusive)
        };
        let terminating = self.0.iter().any(ended_badly);
        for ((metric, result), answer) in self.0.iter_mut().zip(answers) {
            match result.phase {
                Phase::Running if terminating => result.phase = Phase::Successful,
                Phase::Running => result.take(*metric, *answer),
                _ => {}
            }
        }
    }

    /// What a rollout does that waits for this analysis; davy holds besides while it cannot see.
    fn verdict(&self) -> Verdict {
        let counting = || self.0.iter().filter(|(metric, _)| !metric.dry_run);
        match counting().map(|(_, result)| result.phase).max() {
            Some(Phase::Failed | Phase::Error) => Verdict::Abort,
            Some(Phase::Inconclusive) => Verdict::Hold,
            // Without an end it runs in the background and holds nothing up.
            Some(Phase::Running) => {
                let waits = |(metric, result): &(ArgoMetric, ArgoResult)| {
                    let blind = result.latest.and_then(Answer::times).is_none_or(|value| !value.is_finite());
                    result.phase == Phase::Running && (metric.has_an_end() || blind)
                };
                if counting().any(waits) { Verdict::Hold } else { Verdict::Proceed }
            }
            Some(Phase::Successful) | None => Verdict::Proceed,
        }
    }
}

/// What davy says after these answers.
fn argo(metric: ArgoMetric, answers: &str) -> String {
    said(&argo_decision(metric, answers))
}

fn argo_decision(metric: ArgoMetric, answers: &str) -> Decision {
    let mut watch = Watch::of(&health("judge: argo", &[&metric.document("errors")]));
    let mut last = None;
    for answer in answers.chars().map(Answer::of) {
        if answer == Answer::Gap {
            watch.misses(1);
        } else {
            last = Some(watch.sees(answer.observed("errors")));
        }
    }
    last.unwrap()
}

#[test]
fn random_measurements_end_as_argo_ends_them() {
    let mut random = Lcg(7);
    let mut verdicts = Vec::new();
    for round in 0..400 {
        let metrics: Vec<ArgoMetric> = (0..=random.below(3)).map(|_| random_metric(&mut random)).collect();
        let documents: Vec<String> =
            metrics.iter().zip(["a", "b", "c"]).map(|(metric, name)| metric.document(name)).collect();
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let spec = health("judge: argo", &documents);
        for _ in 0..12 {
            let (mut run, mut watch, mut story) = (ArgoRun::of(&metrics), Watch::of(&spec), Vec::new());
            for _ in 0..10 {
                let mut answers: Vec<Answer> = metrics.iter().map(|_| random.pick(&Answer::ALL)).collect();
                // A minute that nobody reported has nothing for any metric.
                if answers.contains(&Answer::Gap) {
                    answers.fill(Answer::Gap);
                }
                run.tick(&answers);
                story.push(answers.clone());
                if answers.contains(&Answer::Gap) {
                    watch.misses(1);
                    continue;
                }
                let observations: Vec<Observation> =
                    answers.iter().zip(["a", "b", "c"]).flat_map(|(answer, name)| answer.observed(name)).collect();
                let decision = watch.sees(observations);
                assert_eq!(decision.verdict, run.verdict(), "round {round}\n{metrics:#?}\n{story:?}\n{decision}");
                verdicts.push(decision.verdict);
            }
        }
    }
    assert_each_is_common(&verdicts);
}

fn random_metric(random: &mut Lcg) -> ArgoMetric {
    ArgoMetric {
        conditions: random.pick(&[Conditions::Success, Conditions::Failure, Conditions::Both]),
        dry_run: random.below(5) == 0,
        count: random.pick(&[None, Some(1), Some(3), Some(6)]),
        failure_limit: random.pick(&[-1, 0, 1, 3]),
        inconclusive_limit: random.pick(&[0, 0, 1, 3]),
        consecutive_error_limit: random.pick(&[0, 1, 4, 4]),
        consecutive_success_limit: random.pick(&[0, 0, 1, 3]),
    }
}

#[test]
fn a_failure_limit_of_three_fails_at_the_fourth_failure() {
    let metric = ArgoMetric { failure_limit: 3, ..ARGO };
    assert_eq!(argo(metric, "bbb"), "proceed");
    assert_eq!(argo(metric, "bgbgbg"), "proceed");
    assert_eq!(argo(metric, "bbbb"), "abort health.limit-exceeded:errors");
    assert_eq!(argo(metric, "bgbgbgb"), "abort health.limit-exceeded:errors");
}

#[test]
fn the_defaults_are_those_of_argo() {
    let plain = health("judge: argo", &["name: errors, bad: b, total: t, max: 1%"]);
    let after = |answers: &str| {
        let mut watch = Watch::of(&plain);
        answers.chars().map(|letter| said(&watch.sees(Answer::of(letter).observed("errors")))).last().unwrap()
    };
    assert_eq!(after("g"), "proceed");
    assert_eq!(after("b"), "abort health.limit-exceeded:errors");
    assert_eq!(after("----"), "hold health.no-data:errors");
    assert_eq!(after("-----"), "abort health.argo-errors:errors");
}

#[test]
fn errors_in_a_row_over_the_limit_abort() {
    let metric = ArgoMetric { consecutive_error_limit: 2, ..ARGO };
    assert_eq!(argo(metric, "--"), "hold health.no-data:errors");
    assert_eq!(argo(metric, "--g--g--g"), "proceed");
    let ended = argo_decision(metric, "g---");
    assert_eq!(said(&ended), "abort health.argo-errors:errors");
    let Cause::HealthArgoErrors { errors } = finding(&ended, "health.argo-errors").cause else { panic!("{ended}") };
    assert_eq!(errors, count(3));
}

#[test]
fn an_empty_answer_is_an_error_and_no_failure() {
    let metric = ArgoMetric { failure_limit: 0, consecutive_error_limit: 9, ..ARGO };
    assert_eq!(argo(metric, "--------g"), "proceed");
    assert_eq!(argo(metric, "........g"), "proceed");
    // So is an answer that cannot be compared.
    let mut watch = Watch::of(&health("judge: argo", &[&metric.document("errors")]));
    assert_eq!(said(&watch.sees([canary("errors", gauge(9.0))])), "hold health.wrong-form:errors");
    assert_eq!(said(&watch.sees(Answer::Good.observed("errors"))), "proceed");
}

#[test]
fn errors_do_not_count_as_measurements() {
    let metric = ArgoMetric { count: Some(3), ..ARGO };
    assert_eq!(argo(metric, "gg-"), "hold health.no-data:errors");
    assert_eq!(argo(metric, "gg--."), "hold health.no-data:errors");
    assert_eq!(argo(metric, "gg-g"), "proceed");
}

#[test]
fn what_nan_means_depends_on_the_condition() {
    for nan in ["n", "0"] {
        let once = |conditions| argo(ArgoMetric { conditions, count: Some(1), ..ARGO }, nan);
        assert_eq!(once(Conditions::Success), "abort health.data-failed:errors");
        assert_eq!(once(Conditions::Failure), "proceed");
        assert_eq!(once(Conditions::Both), "hold health.argo-inconclusive:errors");
    }
}

#[test]
fn infinity_is_beyond_any_multiple_of_the_baseline() {
    let mut watch = Watch::of(&health("judge: argo", &["name: load, gauge: g, tolerate: 1.1x, unacceptable: 2x"]));
    let infinite = davy::Observed::Missing(davy::Missing::PositiveInfinity);
    let decision = watch.sees([canary("load", infinite), baseline("load", gauge(0.5))]);
    assert_eq!(said(&decision), "abort health.data-failed:load");
}

#[test]
fn infinity_is_beyond_a_maximum() {
    for conditions in [Conditions::Success, Conditions::Failure, Conditions::Both] {
        let decision = argo_decision(ArgoMetric { conditions, ..ARGO }, "i");
        assert_eq!(decision.verdict, Verdict::Abort, "{conditions:?}\n{decision}");
    }
}

#[test]
fn while_it_runs_without_an_end_a_blind_metric_holds_all_the_same() {
    // Argo would let the steps pass; what cannot be evaluated never does here.
    let metric = ArgoMetric { conditions: Conditions::Failure, ..ARGO };
    assert_eq!(argo(metric, "gn"), "hold health.no-data:errors");
    assert_eq!(argo(metric, "g0"), "hold health.no-traffic:errors");
    assert_eq!(argo(metric, "gng"), "proceed");
}

#[test]
fn without_an_end_it_runs_in_the_background() {
    assert_eq!(argo(ARGO, "ggggg"), "proceed");
    assert_eq!(argo(ArgoMetric { count: Some(6), ..ARGO }, "ggggg"), "hold health.argo-running:errors");
    assert_eq!(argo(ArgoMetric { consecutive_success_limit: 6, ..ARGO }, "ggggg"), "hold health.argo-running:errors");
}

#[test]
fn a_count_with_both_limits_ends_inconclusive() {
    let both = ArgoMetric { count: Some(3), failure_limit: 2, consecutive_success_limit: 2, ..ARGO };
    assert_eq!(argo(both, "gbg"), "hold health.argo-inconclusive:errors");
    let successes_alone = ArgoMetric { failure_limit: -1, ..both };
    assert_eq!(argo(successes_alone, "gbg"), "abort health.argo-unsuccessful:errors");
    let failures_alone = ArgoMetric { consecutive_success_limit: 0, ..both };
    assert_eq!(argo(failures_alone, "gbg"), "proceed");
    // Whatever the last measurement was: it is the count that ended it.
    assert_eq!(argo(successes_alone, "bgb"), "abort health.argo-unsuccessful:errors");
    assert_eq!(argo(successes_alone, "bgn"), "abort health.argo-unsuccessful:errors");
}

#[test]
fn a_count_reached_with_tolerated_failures_is_successful() {
    let metric = ArgoMetric { count: Some(3), failure_limit: 3, ..ARGO };
    assert_eq!(argo(metric, "bbb"), "proceed");
    let unlimited = ArgoMetric { failure_limit: -1, ..metric };
    assert_eq!(argo(unlimited, "bbb"), "proceed");
}

#[test]
fn enough_successes_in_a_row_end_it_early() {
    let metric = ArgoMetric { count: Some(9), failure_limit: 9, consecutive_success_limit: 3, ..ARGO };
    assert_eq!(argo(metric, "gbgg"), "hold health.argo-running:errors");
    assert_eq!(argo(metric, "gbggg"), "proceed");
    assert_eq!(argo(metric, "gg-gg"), "hold health.argo-running:errors");
}

#[test]
fn of_two_rules_that_apply_at_once_the_later_decides() {
    // The third measurement is the last of the count and the second success in a row.
    let metric = ArgoMetric { count: Some(3), failure_limit: 1, consecutive_success_limit: 2, ..ARGO };
    assert_eq!(argo(metric, "bgg"), "proceed");
    // The third measurement is the last of the count and one failure too many.
    assert_eq!(argo(metric, "bgb"), "abort health.limit-exceeded:errors");
    let undecided = ArgoMetric { conditions: Conditions::Both, count: Some(2), inconclusive_limit: 1, ..ARGO };
    assert_eq!(argo(undecided, "uu"), "hold health.argo-inconclusive:errors");
    assert_eq!(argo(undecided, "ug"), "proceed");
}

#[test]
fn minus_one_switches_off_the_failure_limit_alone() {
    assert_eq!(argo(ArgoMetric { failure_limit: -1, ..ARGO }, "bbbbbbbb"), "proceed");
    // Argo compares the other limits as they are: 0 > -1. Here they do the same or are refused.
    let inconclusive = ArgoMetric { inconclusive_limit: -1, ..ARGO };
    let error = ArgoMetric { consecutive_error_limit: -1, ..ARGO };
    for (metric, expected) in
        [(inconclusive, "hold health.argo-inconclusive:errors"), (error, "abort health.argo-errors:errors")]
    {
        let document = document(&health("judge: argo", &[&metric.document("errors")]));
        if davy::Bundle::from_files([("rollouts.yaml", document)]).is_ok() {
            assert_eq!(argo(metric, "g"), expected);
        }
    }
}

#[test]
fn an_inconclusive_end_waits_for_a_person_for_ever() {
    let metric = ArgoMetric { conditions: Conditions::Both, ..ARGO }.document("errors");
    let spec = format!("holdLimit: {{ after: 10m, then: fail }}, {}", health("judge: argo", &[&metric]));
    let mut watch = Watch::of(&spec);
    let paused = watch.sees(Answer::Between.observed("errors"));
    let hold = paused.hold.unwrap();
    assert_eq!((hold.kind, hold.until, hold.retry_after), (HoldKind::Blocked, None, None));
    // Nothing is measured any more, and no time ends it.
    for _ in 0..30 {
        let later = watch.sees(Answer::Bad.observed("errors"));
        assert_eq!(said(&later), "hold health.argo-inconclusive:errors");
    }
}

#[test]
fn nothing_is_measured_after_the_end() {
    let metric = ArgoMetric { count: Some(2), ..ARGO };
    assert_eq!(argo(metric, "ggbbbbb"), "proceed");
    assert_eq!(argo(metric, "gg-------"), "proceed");
}

#[test]
fn a_dry_run_never_counts_and_stops_no_other() {
    let dry = ArgoMetric { dry_run: true, ..ARGO };
    assert_eq!(argo(dry, "b"), "proceed");
    assert_eq!(argo(dry, "-----"), "proceed");
    let metrics = [dry.document("dry"), ArgoMetric { count: Some(2), ..ARGO }.document("errors")];
    let mut watch = Watch::of(&health("judge: argo", &[&metrics[0], &metrics[1]]));
    let both = |dry: Answer, errors: Answer| [dry.observed("dry"), errors.observed("errors")].concat();
    assert_eq!(said(&watch.sees(both(Answer::Bad, Answer::Good))), "hold health.argo-running:errors");
    assert_eq!(said(&watch.sees(both(Answer::Bad, Answer::Bad))), "abort health.limit-exceeded:errors");
}

#[test]
fn a_metric_that_ends_badly_makes_the_others_successful() {
    let ends = ArgoMetric { conditions: Conditions::Both, ..ARGO }.document("ends");
    let runs = ArgoMetric { count: Some(9), ..ARGO }.document("runs");
    let mut watch = Watch::of(&health("judge: argo", &[&ends, &runs]));
    let both = |ends: Answer, runs: Answer| [ends.observed("ends"), runs.observed("runs")].concat();
    let paused = watch.sees(both(Answer::Between, Answer::Good));
    assert_eq!(said(&paused), "hold health.argo-inconclusive:ends");
    // This one is not measured any more, and so does not fail.
    let later = watch.sees(both(Answer::Bad, Answer::Bad));
    assert_eq!(said(&later), "hold health.argo-inconclusive:ends");
    assert!(codes(&later).contains(&"health.argo-stopped"), "{later}");
}

#[test]
fn in_one_measurement_the_worst_end_counts() {
    let unsure = ArgoMetric { conditions: Conditions::Both, ..ARGO }.document("unsure");
    let fails = ARGO.document("fails");
    let mut watch = Watch::of(&health("judge: argo", &[&unsure, &fails]));
    let both = [Answer::Between.observed("unsure"), Answer::Bad.observed("fails")].concat();
    assert_eq!(said(&watch.sees(both)), "abort health.limit-exceeded:fails");
}
