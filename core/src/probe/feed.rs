//! What runs say to an engine: runs for its gate, counts per interval for a composite metric, windows for error budgets.

use super::flows::ProbeFlows;
use super::plan::Plan;
use super::quorum::agreed;
use super::result::FlowResult;
use crate::policy::Query;
use crate::requirements::Requirement;
use crate::snapshot::{
    Cohort, Interval, Missing, Observation, Observed, Part, ProbeResult, ProbeVerdict, Seen, SloWindow,
};
use crate::{Count, Duration, Instant, Share};

/// What a snapshot takes from runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fed {
    /// For [`crate::Snapshot::intervals`]: of metrics by `probe`, how many runs failed of how many.
    pub intervals: Vec<Interval>,
    /// For [`crate::Snapshot::slos`]: of SLOs that flows are bound to, good and all runs.
    pub slos: Vec<SloWindow>,
    /// For [`crate::Snapshot::probes`].
    pub probes: Vec<ProbeResult>,
}

/// What runs answer to what an engine requires; [`crate::Engine::requirements`] says what that is.
///
/// - A metric by `probe` counts the runs that ended in each interval: failed ones of those that passed or failed. An
///   interval without runs is without traffic as long as the last run before its end is no older than the schedule
///   allows; otherwise the prober itself is missing, and so is the value.
/// - An SLO of the name to which a flow is bound counts that flow's events. The whole service is measured by runs that
///   asked for no cohort.
/// - A required flow gets its runs, under its quorum.
///
/// `of` is whose answers runs got that asked for no cohort, where the host knows.
#[must_use]
pub fn feed(flows: &ProbeFlows, results: &[FlowResult], wanted: &[Requirement], of: Option<Cohort>) -> Fed {
    let mut fed = Fed::default();
    let mut spans: std::collections::BTreeMap<(Instant, Instant), Vec<Observation>> = Default::default();
    for requirement in wanted {
        match (&requirement.query, requirement.cohort, requirement.every) {
            (Query::Probe(flow), Some(cohort), Some(every)) => {
                let plan = flows.get(flow.as_str()).map(|plan| &**plan);
                let runs = Runs::of(results, flow.as_str(), Some(cohort), of);
                for (start, end) in slots(requirement, every) {
                    let observed = runs.counts(plan, start, end);
                    let metric = requirement.about.clone();
                    spans.entry((start, end)).or_default().push(Observation {
                        metric,
                        cohort,
                        replica: None,
                        observed,
                    });
                }
            }
            (Query::Probe(flow), Some(cohort), None) => {
                let Some(plan) = flows.get(flow.as_str()) else { continue };
                let runs = agreed(plan, results, of).into_iter().filter(|run| run.cohort == cohort);
                fed.probes.extend(runs.filter(|run| requirement.from <= run.at && run.at <= requirement.to));
            }
            (Query::Slo(_), cohort, _) => fed.slos.extend(window(flows, results, requirement, cohort, of)),
            _ => {}
        }
    }
    let intervals = spans.into_iter().filter_map(|((start, end), all)| Interval::new(start, end, all).ok());
    fed.intervals = intervals.collect();
    fed
}

/// Whether runs can answer a requirement at all, so that no other source need be asked.
#[must_use]
pub fn answers(flows: &ProbeFlows, requirement: &Requirement) -> bool {
    match &requirement.query {
        Query::Probe(_) => true,
        Query::Slo(_) => flows.iter().any(|plan| plan.slos().any(|(name, ..)| *name == requirement.about)),
        _ => false,
    }
}

/// The runs of one flow for one cohort that say something about the service, by their ends.
struct Runs<'a>(Vec<&'a FlowResult>);

impl<'a> Runs<'a> {
    fn of(results: &'a [FlowResult], flow: &str, cohort: Option<Cohort>, of: Option<Cohort>) -> Self {
        let is_one = |result: &&FlowResult| {
            let own = if cohort.is_some() { result.cohort.or(of) } else { result.cohort };
            let decisive = !matches!(result.verdict, ProbeVerdict::Error | ProbeVerdict::Skipped);
            result.flow.as_str() == flow && own == cohort && decisive
        };
        let mut runs: Vec<&FlowResult> = results.iter().filter(is_one).collect();
        runs.sort_by_key(|result| result.ended);
        Self(runs)
    }

    fn counts(&self, plan: Option<&Plan>, start: Instant, end: Instant) -> Observed {
        let within = self.0.iter().filter(|run| start <= run.ended && run.ended < end);
        let (mut bad, mut total) = (0_u64, 0_u64);
        for run in within {
            total += 1;
            bad += u64::from(run.verdict == ProbeVerdict::Fail);
        }
        if total == 0 {
            let last = self.0.iter().map(|run| run.ended).rfind(|ended| *ended < end);
            let longest = plan.and_then(longest_gap);
            let is_quiet = last.zip(longest).is_some_and(|(last, longest)| end.since(last) <= longest);
            return if is_quiet {
                Observed::Counts { bad: Count::ZERO, total: Count::ZERO }
            } else {
                Observed::Missing(Missing::NoData)
            };
        }
        Observed::Counts { bad: count(bad), total: count(total) }
    }
}

/// How long a prober may say nothing: a run may be late by its jitter and take as long as it may.
fn longest_gap(plan: &Plan) -> Option<Duration> {
    let schedule = plan.schedule()?;
    let twice = schedule.every.times(2);
    Some(Duration::from_millis(twice.millis().saturating_add(plan.timeout.millis())))
}

fn slots(requirement: &Requirement, every: Duration) -> Vec<(Instant, Instant)> {
    /// More are asked for by nobody; an engine's own limit is lower.
    const MOST: usize = 1 << 20;
    let mut all = Vec::new();
    let mut start = requirement.from;
    while start < requirement.to && all.len() < MOST && every.millis() > 0 {
        let end = start.plus(every);
        all.push((start, end));
        start = end;
    }
    all
}

fn window(
    flows: &ProbeFlows,
    results: &[FlowResult],
    requirement: &Requirement,
    cohort: Option<Cohort>,
    of: Option<Cohort>,
) -> Option<SloWindow> {
    let (from, end) = (requirement.from, requirement.to);
    let bound = |plan: &&std::sync::Arc<Plan>| plan.slos().any(|(name, ..)| *name == requirement.about);
    let bound: Vec<&Plan> = flows.iter().filter(bound).map(|plan| &**plan).collect();
    if bound.is_empty() {
        return None;
    }
    let (mut good, mut total, mut expected) = (0_u64, 0_u64, 0_u64);
    let (mut oldest, mut newest) = (None::<Instant>, None::<Instant>);
    for plan in bound {
        // Of a flow without a schedule nobody knows how many there should be.
        expected = expected.saturating_add(plan.schedule().map_or(0, |schedule| schedule.runs_within(from, end)));
        let runs = Runs::of(results, plan.name().as_str(), cohort, of).0;
        for run in runs.into_iter().filter(|run| from <= run.ended && run.ended < end) {
            let events = run.slos.iter().filter(|event| event.slo == requirement.about);
            for event in events {
                total += 1;
                good += u64::from(event.good);
                oldest = Some(oldest.map_or(run.ended, |known| known.min(run.ended)));
                newest = Some(newest.map_or(run.ended, |known| known.max(run.ended)));
            }
        }
    }
    let seen = |amount: u64| match total {
        0 => Seen::Nothing(Missing::NoData),
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 runs")]
        _ => Seen::Amount(amount as f64),
    };
    Some(SloWindow {
        slo: requirement.about.clone(),
        objective: requirement.objective.unwrap_or(std::num::NonZeroU32::MIN),
        cohort,
        from,
        end,
        part: Part::Good(seen(good)),
        total: seen(total),
        coverage: coverage(total, expected),
        oldest,
        newest,
        resets: Count::ZERO,
    })
}

/// Runs of those expected. Of a flow without a schedule nobody knows how many there should have been: what is there is all.
fn coverage(seen: u64, expected: u64) -> Share {
    if expected == 0 {
        return if seen > 0 { Share::from_ppm(1_000_000) } else { Share::ZERO };
    }
    let part = u128::from(seen.min(expected)) * 1_000_000 / u128::from(expected);
    Share::from_ppm(u32::try_from(part).unwrap_or(1_000_000))
}

fn count(number: u64) -> Count {
    Count::new(number).unwrap_or(Count::MAX)
}
