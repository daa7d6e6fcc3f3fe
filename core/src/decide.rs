//! The decision: collect findings, then take the strictest.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::comparison::Shadowed;
use crate::decision::{Cause, Decision, Finding, Hold, HoldKind, Outcome, Standing, Verdict};
use crate::document::{AfterHold, CountedHold, HoldLimit};
use crate::engine::{Engine, Step};
use crate::gate::health::{Folded, Irregular};
use crate::gate::overrides::Waivers;
use crate::gate::{
    Look, ask, bake, blast_radius, budget, burn, calendar, data, dependencies, health, overrides, probes, steps,
    windows,
};
use crate::policy::Policy;
use crate::rule::{self, ReadyRule, RuleInput};
use crate::snapshot::{Asked, Snapshot};
use crate::state::{Course, ReleaseState, ServiceState, State};
use crate::{Digest, Instant};

/// One look at a release.
pub(crate) fn decide<'a>(engine: &'a Engine, state: &'a State, snapshot: &'a Snapshot) -> Step<'a> {
    decide_and_show(engine, state, snapshot, &mut |_, _| {})
}

/// The same, and `shown` gets to see the rules that were judged and what they read.
pub(crate) fn decide_and_show<'a>(
    engine: &'a Engine,
    state: &'a State,
    snapshot: &'a Snapshot,
    shown: &mut dyn FnMut(&[ReadyRule], &RuleInput),
) -> Step<'a> {
    let mut findings = Vec::with_capacity(16);
    let policy = find_policy(engine, snapshot, &mut findings);
    let belongs = belongs(engine, state, snapshot, &mut findings);
    let known = state.attempt().filter(|_| belongs);

    let plan = policy.and_then(|policy| policy.health.as_ref());
    let fits = |folded: &&Folded| folded.fits(plan);
    let mut folded = known.map(|known| &known.folded).filter(fits).map_or_else(|| Folded::new(plan), Clone::clone);
    let irregular = plan.map_or_else(Irregular::default, |plan| folded.fold(plan, snapshot));
    let mut course = known.map_or_else(|| Course::new(snapshot.now), |known| known.course.clone());
    judge_clock(snapshot, &course, &mut findings);

    let mut score = None;
    let own_service = state.service().service.as_ref().is_none_or(|service| *service == snapshot.release.service);
    let mut frozen = if own_service { state.service().frozen.clone() } else { Vec::new() };
    if let Some(policy) = policy {
        let look = Look { policy, snapshot, folded: &folded, irregular: &irregular };
        ask::judge(look, &mut findings);
        data::judge(look, &mut findings);
        score = health::judge(look, &mut findings);
        probes::judge(look, &mut findings);
        let windows = policy.budget.as_ref().map_or_else(Vec::new, |plan| windows::sorted(plan, snapshot));
        course.uneasy = burn::judge(look, &windows, course.uneasy.as_deref(), &mut findings);
        frozen = budget::judge(look, &windows, &frozen, &mut findings);
        calendar::judge(look, &mut findings);
        bake::judge(look, &mut findings);
        steps::judge(look, &mut findings);
        blast_radius::judge(look, &mut findings);
        dependencies::judge(look, &mut findings);
    }
    overrides::forced(snapshot, &mut findings);
    // Rules see what the gates found, failures that are latched included, and never each other's findings.
    recall_latched(&course, |finding| !is_of_rules(finding), &mut findings);
    let rules = policy.map_or(&[][..], |_| engine.rules(&snapshot.release.environment));
    if let Some(policy) = policy.filter(|_| !rules.is_empty()) {
        let look = Look { policy, snapshot, folded: &folded, irregular: &irregular };
        let windows = policy.budget.as_ref().map_or_else(Vec::new, |plan| windows::sorted(plan, snapshot));
        let input = RuleInput::new(rule::document(look, engine.annotations(), &windows, score, &findings));
        rule::judge(rules, &input, snapshot.asked, &mut findings);
        shown(rules, &input);
    }
    recall_latched(&course, is_of_rules, &mut findings);
    let waivers = policy.map(|policy| Waivers::new(policy, snapshot));
    let weigh = |findings: &mut [Finding]| {
        waivers.iter().for_each(|waivers| waivers.lower(findings));
        drop_what_was_not_asked_for(snapshot.asked, findings);
    };
    weigh(&mut findings);
    if let Some(limit) = policy.and_then(|policy| policy.hold_limit.as_ref()) {
        course.holding = holding_since(limit, &course, &findings, snapshot);
        let known = findings.iter().any(|finding| matches!(finding.cause, Cause::HoldLimit { .. }));
        findings.extend(judge_hold_limit(limit, &course, snapshot.now).filter(|_| !known));
        weigh(&mut findings);
    }
    if let Some(waivers) = waivers {
        let mut noted = waivers.findings(&findings);
        findings.append(&mut noted);
    }
    latch(&mut course, &findings, snapshot.now);
    let mut differences = rule::differences(rules, snapshot, &findings, |finding| is_needed(snapshot.asked, finding));
    findings.append(&mut differences);
    course.latest = course.latest.max(snapshot.now);

    let mut decision = combine(snapshot, score, findings);
    let next = if belongs && policy.is_some() {
        let service = ServiceState { service: Some(snapshot.release.service.clone()), frozen };
        let (policy, release) = (engine.digest(), snapshot.release.clone());
        State::with(service, ReleaseState { policy, release, folded, course })
    } else {
        state.clone()
    };
    // Whatever it finds comes after the decision and cannot change it.
    let shadow = engine.shadow().map(|shadow| {
        let begun = state.shadow().map_or_else(|| Cow::Owned(state.next_release()), Cow::Borrowed);
        let step = decide(shadow, &begun, snapshot);
        decision.shadow = Some(Shadowed::beside(&decision, &step.decision, shadow.digest()));
        step.state
    });
    Step { decision, state: next.with_shadow(shadow), engine, prior: state, snapshot }
}

/// Every finding lands in the decision; the strictest that counts is the verdict.
pub(crate) fn combine(
    snapshot: &Snapshot,
    score: Option<crate::document::Points>,
    mut findings: Vec<Finding>,
) -> Decision {
    findings.sort_by_key(|finding| Reverse(finding.effective()));
    let outcome = findings.iter().map(Finding::effective).max().unwrap_or(Outcome::Pass);
    Decision {
        verdict: Verdict::of(outcome, snapshot.stage),
        asked: snapshot.asked,
        stage: snapshot.stage,
        weight: snapshot.weight,
        release: snapshot.release.clone(),
        at: snapshot.now,
        hold: match outcome {
            Outcome::Hold(kind) => Some(hold(kind, &findings)),
            Outcome::Pass | Outcome::Fail => None,
        },
        score,
        findings,
        shadow: None,
    }
}

fn hold(kind: HoldKind, findings: &[Finding]) -> Hold {
    let holding = || findings.iter().filter(|finding| matches!(finding.effective(), Outcome::Hold(_)));
    let all_known = holding().all(|finding| finding.until.is_some());
    Hold {
        kind,
        until: holding().filter_map(|finding| finding.until).max().filter(|_| all_known),
        retry_after: holding().filter_map(|finding| finding.retry_after).min(),
    }
}

fn find_policy<'a>(engine: &'a Engine, snapshot: &Snapshot, findings: &mut Vec<Finding>) -> Option<&'a Policy> {
    let release = &snapshot.release;
    if release.service != *engine.service() {
        let cause = Cause::ReleaseUnknownService { expected: engine.service().clone() };
        findings.push(Finding::hold(HoldKind::Blind, cause).about(&release.service));
        return None;
    }
    let policy = engine.policy(&release.environment);
    if policy.is_none() {
        let known = engine.environments().cloned().collect();
        let finding = Finding::hold(HoldKind::Blocked, Cause::ReleaseUnknownEnvironment { known });
        findings.push(finding.about(&release.environment));
    }
    policy
}

/// Whether the state is this release's under this policy; a fresh one is everybody's.
fn belongs(engine: &Engine, state: &State, snapshot: &Snapshot, findings: &mut Vec<Finding>) -> bool {
    let release = &snapshot.release;
    let other_service = state.service().service.as_ref().is_some_and(|service| *service != release.service);
    let other_release = state.attempt().is_some_and(|known| known.release != *release);
    let other_policy = |digest: Digest| state.attempt().is_some_and(|known| known.policy != digest);
    let cause = if other_service || other_release {
        Cause::StateOtherRelease {}
    } else if other_policy(engine.digest()) {
        Cause::StateOtherPolicy {}
    } else {
        return true;
    };
    findings.push(Finding::hold(HoldKind::Blind, cause));
    false
}

fn judge_clock(snapshot: &Snapshot, course: &Course, findings: &mut Vec<Finding>) {
    let latest = course.latest.max(snapshot.release.started_at).max(snapshot.since);
    if snapshot.now < latest {
        findings.push(Finding::hold(HoldKind::Blind, Cause::ClockBackwards { latest }).until(latest, snapshot.now));
    }
}

/// Failures that ended the release stay, even when the evidence for them is lost.
fn recall_latched(course: &Course, which: impl Fn(&Finding) -> bool, findings: &mut Vec<Finding>) {
    for latched in course.latched.iter().filter(|latched| which(latched)) {
        let same = |finding: &&mut Finding| finding.code() == latched.code() && finding.subject == latched.subject;
        let still = |finding: &Finding| finding.effective() == Outcome::Fail;
        match findings.iter_mut().filter(same).find(|finding| still(finding)) {
            Some(finding) => finding.latched_at = latched.latched_at,
            None => findings.push(latched.clone()),
        }
    }
}

fn is_of_rules(finding: &Finding) -> bool {
    finding.code().starts_with("rules.")
}

fn latch(course: &mut Course, findings: &[Finding], now: Instant) {
    course.latched = findings
        .iter()
        .filter(|finding| finding.effective() == Outcome::Fail || (finding.latched_at.is_some() && is_waived(finding)))
        .map(|finding| Finding {
            latched_at: finding.latched_at.or(Some(now)),
            standing: Standing::Counts,
            ..finding.clone()
        })
        .collect();
}

fn is_waived(finding: &Finding) -> bool {
    matches!(finding.standing, Standing::Waived(_))
}

fn drop_what_was_not_asked_for(asked: Asked, findings: &mut [Finding]) {
    for finding in findings {
        let counts = matches!(finding.standing, Standing::Counts | Standing::Softened);
        if counts && !is_needed(asked, finding) {
            finding.standing = Standing::NotAsked;
        }
    }
}

/// What is asked decides what is required. Failures, and what a person forces, always count.
fn is_needed(asked: Asked, finding: &Finding) -> bool {
    let Outcome::Hold(kind) = finding.effective() else { return true };
    let (gate, _) = finding.code().split_once('.').unwrap_or_default();
    let untrusted_data =
        matches!(finding.cause, Cause::DataConflict { .. } | Cause::DataLate { .. } | Cause::DataOffGrid { .. });
    match (gate, asked) {
        // Nothing has been measured before the start.
        ("health" | "plugin" | "probes" | "data", Asked::Start) => untrusted_data,
        // More traffic needs no flow that fails; one that has not run yet can wait for `promote`.
        ("probes", Asked::Advance { .. }) => {
            !matches!(finding.cause, Cause::ProbesStale { .. } | Cause::ProbesNotRun { .. })
        }
        // Watching waits for nothing, but must not be blind.
        ("probes", Asked::Keep) => false,
        ("health", Asked::Advance { .. }) => health::is_needed(asked, &finding.cause),
        ("health" | "plugin" | "data" | "burn", Asked::Keep) => kind == HoldKind::Blind,
        ("budget", Asked::Keep) => false,
        ("rules", Asked::Keep) => kind == HoldKind::Blind,
        // Whether a service with little traffic is well is a question of handing it everyone.
        ("burn" | "budget", Asked::Start | Asked::Advance { .. }) => {
            !matches!(finding.cause, Cause::BurnThin { .. } | Cause::BudgetThin { .. })
        }
        _ => true,
    }
}

/// Since when a hold that counts has lasted. A wait that knows its end is a plan and does not count.
fn holding_since(limit: &HoldLimit, course: &Course, findings: &[Finding], snapshot: &Snapshot) -> Option<Instant> {
    let counted: &[CountedHold] =
        limit.kinds.as_ref().map_or(&[CountedHold::Waiting, CountedHold::Blind], |kinds| &kinds.value);
    let counts = |finding: &Finding| match finding.effective() {
        Outcome::Hold(kind) => {
            let planned = kind == HoldKind::Waiting && finding.until.is_some();
            !planned && counted.iter().any(|counted| counted.kind() == kind)
        }
        Outcome::Pass | Outcome::Fail => false,
    };
    if findings.iter().any(counts) {
        return course.holding.or(Some(snapshot.now));
    }
    // Watching asks for nothing and so ends no wait for it.
    let only_blind = counted.iter().all(|counted| counted.kind() == HoldKind::Blind);
    course.holding.filter(|_| snapshot.asked == Asked::Keep && !only_blind)
}

fn judge_hold_limit(limit: &HoldLimit, course: &Course, now: Instant) -> Option<Finding> {
    let since = course.holding?;
    let after = limit.after.value;
    if now < since.plus(after) {
        return None;
    }
    let cause = Cause::HoldLimit { since, after };
    let finding = match limit.then.value {
        AfterHold::Fail => Finding::fail(cause),
        AfterHold::Hold => Finding::hold(HoldKind::Blocked, cause),
    };
    Some(finding.from(&limit.position))
}
