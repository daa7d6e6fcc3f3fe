//! The document that rules read, made once per decision.

use std::collections::BTreeMap;

use super::Fact;
use crate::decision::{Burned, Cause, Finding, HoldKind, Outcome, Reading, Standing};
use crate::document::Points;
use crate::gate::Look;
use crate::gate::health::{Judged, Mark, Nothing};
use crate::gate::windows::Windows;
use crate::policy::{ObjectivePlan, SloPlan};
use crate::snapshot::{Asked, Cohort, ProbeResult, Snapshot, Target};
use crate::{Duration, Instant, Name, Share};

const WEEKDAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

/// The document; its shape is [`super::INPUT`].
pub(crate) fn document(
    look: Look<'_>,
    annotations: &Fact,
    windows: &[Windows<'_>],
    score: Option<Points>,
    findings: &[Finding],
) -> Fact {
    let snapshot = look.snapshot;
    let release = &snapshot.release;
    Fact::map([
        ("now", Some(Fact::text(snapshot.now))),
        ("time", Some(time(snapshot.now))),
        (
            "release",
            Some(Fact::map([
                ("service", Some(Fact::text(&release.service))),
                ("environment", Some(Fact::text(&release.environment))),
                ("revision", Some(Fact::text(&release.revision))),
                ("stable", Some(Fact::text(&release.stable))),
                ("attempt", Some(Fact::Integer(i64::from(release.attempt.get())))),
                ("startedAt", Some(Fact::text(release.started_at))),
                ("changeClass", release.change_class.as_ref().map(Fact::text)),
            ])),
        ),
        ("asked", Some(asked(snapshot.asked))),
        ("stage", Some(Fact::text(snapshot.stage))),
        ("weightPercent", percent(snapshot.weight)),
        ("since", Some(Fact::text(snapshot.since))),
        (
            "elapsed",
            Some(Fact::map([
                ("releaseSeconds", Some(seconds(snapshot.now.since(release.started_at)))),
                ("stepSeconds", Some(seconds(snapshot.now.since(snapshot.since)))),
            ])),
        ),
        ("target", Some(target(&snapshot.target))),
        ("annotations", Some(annotations.clone())),
        ("facts", Some(snapshot.facts.to_fact())),
        ("observations", Some(observations(look))),
        ("scores", Some(Fact::map([("health", score.map(|score| Fact::Integer(i64::from(score.get()))))]))),
        ("burnRates", Some(burn_rates(look, windows))),
        ("budgets", Some(budgets(findings))),
        ("calendar", calendar(findings)),
        ("probes", Some(probes(snapshot))),
        ("running", Some(running(snapshot))),
        ("passed", Some(passed(snapshot))),
        ("findings", Some(findings.iter().map(finding).collect())),
    ])
}

fn time(now: Instant) -> Fact {
    let seconds = now.millis() / 1000;
    let weekday = usize::try_from(seconds / 86_400 % 7).ok().and_then(|day| WEEKDAYS.get(day));
    let date = now.to_string().get(..10).map(Fact::text);
    let whole = |value: u64| i64::try_from(value).ok().map(Fact::Integer);
    Fact::map([
        ("unixSeconds", whole(seconds)),
        ("date", date),
        ("weekday", weekday.map(Fact::text)),
        ("hour", whole(seconds / 3600 % 24)),
        ("minute", whole(seconds / 60 % 60)),
    ])
}

fn asked(asked: Asked) -> Fact {
    let (what, to) = match asked {
        Asked::Start => ("start", None),
        Asked::Advance { to } => ("advance", percent(to)),
        Asked::Promote => ("promote", None),
        Asked::Keep => ("keep", None),
    };
    Fact::map([("what", Some(Fact::text(what))), ("toPercent", to)])
}

/// A share in percent: whole where it is whole.
fn percent(share: Share) -> Option<Fact> {
    Fact::number(f64::from(share.ppm()) / 10_000.0)
}

fn seconds(duration: Duration) -> Fact {
    Fact::Integer(i64::try_from(duration.millis() / 1000).unwrap_or(i64::MAX))
}

fn observations(look: Look<'_>) -> Fact {
    let Some(plan) = &look.policy.health else { return Fact::map([]) };
    let observed = plan.metrics.iter().zip(&look.folded.tallies).filter_map(|(metric, tally)| {
        let Mark { slot, judged } = tally.latest?;
        let start = plan.grid.start_of(slot);
        let mut observed = observation(&judged);
        observed.insert("start".to_owned(), Fact::text(start));
        observed.insert("end".to_owned(), Fact::text(start.plus(plan.grid.every())));
        Some((metric.name.as_str().to_owned(), observed.into_iter().collect()))
    });
    observed.collect()
}

fn observation(judged: &Judged) -> BTreeMap<String, Fact> {
    let (reading, missing) = match judged {
        Judged::Read { reading, missing, .. } => (Some(reading), missing.as_ref()),
        Judged::Nothing(nothing) => (None, Some(nothing)),
    };
    let known = match reading {
        None => Vec::new(),
        Some(Reading::Share { bad, total }) => vec![("bad", Some(Fact::from(*bad))), ("total", Some((*total).into()))],
        Some(Reading::Compared { bad, total, baseline_bad, baseline_total }) => vec![
            ("bad", Some(Fact::from(*bad))),
            ("total", Some((*total).into())),
            ("baselineBad", Some((*baseline_bad).into())),
            ("baselineTotal", Some((*baseline_total).into())),
        ],
        Some(Reading::Latency { quantile: _, above, at_most }) => {
            vec![("aboveSeconds", above.and_then(Fact::measured)), ("atMostSeconds", at_most.and_then(Fact::measured))]
        }
        Some(Reading::Later { quantile: _, schema: _, buckets }) => {
            vec![("bucketsLater", Some(Fact::Integer(i64::from(*buckets))))]
        }
        Some(Reading::Gauge { value }) => vec![("value", Fact::measured(*value))],
        Some(Reading::GaugeCompared { value, baseline }) => {
            vec![("value", Fact::measured(*value)), ("baselineValue", Fact::measured(*baseline))]
        }
        Some(Reading::Events { count, baseline }) => {
            vec![("count", Some(Fact::from(*count))), ("baselineCount", baseline.map(Fact::from))]
        }
    };
    let missing = missing.and_then(|nothing| match nothing {
        Nothing::Missing { missing, .. } => serde_json::to_value(missing).ok().as_ref().and_then(Fact::of_json),
        Nothing::WrongForm { .. } => Some(Fact::text("wrongForm")),
        Nothing::NoTraffic { .. } => Some(Fact::text("noTraffic")),
        Nothing::TooFew { .. } => Some(Fact::text("tooFewRequests")),
    });
    let all = known.into_iter().chain([("missing", missing)]);
    all.filter_map(|(key, fact)| Some((key.to_owned(), fact?))).collect()
}

/// The fastest rate of all objectives, per SLO and window.
fn burn_rates(look: Look<'_>, windows: &[Windows<'_>]) -> Fact {
    let Some(plan) = &look.policy.budget else { return Fact::map([]) };
    let rates = plan.slos.iter().zip(windows).map(|(slo, windows)| {
        let mut rates: BTreeMap<String, f64> = BTreeMap::new();
        for objective in &slo.objectives {
            for (window, rate) in objective_rates(slo, objective, windows) {
                let known = rates.entry(window.to_string()).or_insert(rate);
                *known = known.max(rate);
            }
        }
        let rates = rates.into_iter().filter_map(|(window, rate)| Some((window, Fact::measured(rate)?)));
        (slo.name.as_str().to_owned(), rates.collect())
    });
    rates.collect()
}

fn objective_rates(slo: &SloPlan, objective: &ObjectivePlan, windows: &Windows<'_>) -> Vec<(Duration, f64)> {
    let mut rates = Vec::new();
    for (_, condition) in &objective.pairs {
        let pair = condition.pair();
        let seen = |length| windows.rolling(slo, objective.number, None, length).ok();
        let burned = Burned::new(objective.number, condition, seen(pair.long).as_ref(), seen(pair.short).as_ref());
        for window in [&burned.long, &burned.short] {
            rates.extend(burned.rate(window).map(|rate| (window.window, rate)));
        }
    }
    rates
}

/// The least that is left of all objectives, per SLO.
fn budgets(findings: &[Finding]) -> Fact {
    let mut budgets: BTreeMap<String, Fact> = BTreeMap::new();
    let mut least: BTreeMap<&str, f64> = BTreeMap::new();
    for finding in findings {
        let Some(slo) = &finding.subject else { continue };
        let left = match &finding.cause {
            Cause::BudgetLeft { left, .. } => Some(*left),
            Cause::BudgetFrozen { left, .. } | Cause::BudgetExempt { left, .. } => *left,
            Cause::BudgetThin { .. } | Cause::BudgetUnknown { .. } => None,
            _ => continue,
        };
        budgets.entry(slo.as_str().to_owned()).or_insert_with(|| Fact::map([]));
        if let Some(left) = left {
            let known = least.entry(slo.as_str()).or_insert(left);
            *known = known.min(left);
        }
    }
    for (slo, left) in least {
        budgets.insert(slo.to_owned(), Fact::map([("left", Fact::measured(left))]));
    }
    budgets.into_iter().collect()
}

fn target(target: &Target) -> Fact {
    let labels = target
        .labels
        .as_ref()
        .map(|labels| labels.iter().map(|(key, value)| (key.as_str().to_owned(), Fact::text(value))).collect::<Fact>());
    Fact::map([
        ("cluster", target.cluster.as_ref().map(Fact::text)),
        ("server", target.server.as_ref().map(Fact::text)),
        ("namespace", target.namespace.as_ref().map(Fact::text)),
        ("labels", labels),
    ])
}

/// What all calendars say together; nothing where none is asked.
fn calendar(findings: &[Finding]) -> Option<Fact> {
    let mut of_calendars = findings.iter().filter(|finding| finding.code().starts_with("calendar.")).peekable();
    of_calendars.peek()?;
    let (mut open, mut until) = (true, None);
    for finding in of_calendars {
        open &= finding.outcome == Outcome::Pass;
        until = until.max(finding.until);
    }
    Some(Fact::map([("open", Some(Fact::Bool(open))), ("until", until.map(Fact::text))]))
}

fn probes(snapshot: &Snapshot) -> Fact {
    let mut newest: BTreeMap<(&str, Cohort), &ProbeResult> = BTreeMap::new();
    for result in &snapshot.probes {
        let known = newest.entry((result.flow.as_str(), result.cohort)).or_insert(result);
        // Of two at the same instant the order of the verdicts decides, not that of the host.
        if (known.at, known.verdict) < (result.at, result.verdict) {
            *known = result;
        }
    }
    let mut flows: BTreeMap<String, BTreeMap<String, Fact>> = BTreeMap::new();
    for ((flow, cohort), result) in newest {
        let cohort = match cohort {
            Cohort::Canary => "canary",
            Cohort::Baseline => "baseline",
        };
        let run = Fact::map([
            ("verdict", Some(Fact::text(result.verdict.as_str()))),
            ("ageSeconds", Some(seconds(snapshot.now.since(result.at)))),
        ]);
        flows.entry(flow.to_owned()).or_default().insert(cohort.to_owned(), run);
    }
    flows.into_iter().map(|(flow, runs)| (flow, runs.into_iter().collect())).collect()
}

fn running(snapshot: &Snapshot) -> Fact {
    let mut running: Vec<_> = snapshot.running.iter().collect();
    running.sort();
    let entry = |it: &&crate::Running| {
        Fact::map([
            ("service", Some(Fact::text(&it.service))),
            ("environment", Some(Fact::text(&it.environment))),
            ("revision", Some(Fact::text(&it.revision))),
        ])
    };
    running.iter().map(entry).collect()
}

fn passed(snapshot: &Snapshot) -> Fact {
    let mut passed: Vec<_> = snapshot.passed.iter().collect();
    passed.sort();
    let entry = |it: &&crate::Passed| {
        Fact::map([
            ("environment", Some(Fact::text(&it.environment))),
            ("revision", Some(Fact::text(&it.revision))),
            ("ageSeconds", Some(seconds(snapshot.now.since(it.at)))),
        ])
    };
    passed.iter().map(entry).collect()
}

fn finding(finding: &Finding) -> Fact {
    let (gate, _) = finding.code().split_once('.').unwrap_or_default();
    let (outcome, kind) = match finding.outcome {
        Outcome::Pass => ("pass", "none"),
        Outcome::Hold(HoldKind::Waiting) => ("hold", "waiting"),
        Outcome::Hold(HoldKind::Blocked) => ("hold", "blocked"),
        Outcome::Hold(HoldKind::Blind) => ("hold", "blind"),
        Outcome::Fail => ("fail", "none"),
    };
    let facts = finding.cause.serialize_facts(serde_json::value::Serializer).ok();
    Fact::map([
        ("gate", Some(Fact::text(gate))),
        ("code", Some(Fact::text(finding.code()))),
        ("subject", Some(Fact::text(finding.subject.as_ref().map_or("", Name::as_str)))),
        ("outcome", Some(Fact::text(outcome))),
        ("hold", Some(Fact::text(kind))),
        ("dryRun", Some(Fact::Bool(finding.standing == Standing::DryRun))),
        ("until", finding.until.map(Fact::text)),
        ("facts", Some(facts.as_ref().and_then(Fact::of_json).unwrap_or_else(|| Fact::map([])))),
    ])
}
