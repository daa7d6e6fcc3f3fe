//! What several locations say together: one that fails alone is more often the location's fault than the service's.

use std::collections::BTreeMap;

use super::plan::{Plan, QuorumPlan};
use super::result::FlowResult;
use crate::snapshot::{Cohort, ProbeResult, ProbeVerdict};
use crate::{Instant, Name};

/// What the locations of a flow say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consensus {
    /// So many fail that the flow counts as failing.
    Failing,
    /// So few can fail that it does not, whatever those say that have said nothing yet.
    Fine,
    /// Too few have said anything.
    Unknown,
}

/// What the newest runs of each location say at `now`, among results of one flow, target and cohort.
#[must_use]
pub fn consensus<'a>(quorum: QuorumPlan, results: impl IntoIterator<Item = &'a FlowResult>, now: Instant) -> Consensus {
    let mut newest: BTreeMap<Option<&Name>, (Instant, ProbeVerdict)> = BTreeMap::new();
    for result in results {
        let decisive = !matches!(result.verdict, ProbeVerdict::Error | ProbeVerdict::Skipped);
        if decisive && result.ended <= now && now.since(result.ended) <= quorum.within {
            let seen = (result.ended, result.verdict);
            // Of two at one instant the worse counts.
            newest.entry(result.location.as_ref()).and_modify(|known| *known = (*known).max(seen)).or_insert(seen);
        }
    }
    let count = |fails: bool| {
        let all = newest.values().filter(|(_, verdict)| (*verdict == ProbeVerdict::Fail) == fails);
        u64::try_from(all.count()).unwrap_or(u64::MAX)
    };
    let (failing, passing) = (count(true), count(false));
    if failing >= quorum.fail {
        Consensus::Failing
    } else if passing > quorum.of.saturating_sub(quorum.fail) {
        Consensus::Fine
    } else {
        Consensus::Unknown
    }
}

/// Results of a flow as a snapshot takes them, in the order of their ends: where the flow has a quorum, what the
/// locations say together after each run; otherwise every run by itself.
///
/// Together they fail where enough locations do. While too few have said anything, nothing was run: a gate is blind
/// then, and holds. Results of other flows and of other cohorts are left out. `of` is the cohort of runs that asked for
/// none, where the host knows whose answers they got.
#[must_use]
pub fn agreed(plan: &Plan, results: &[FlowResult], of: Option<Cohort>) -> Vec<ProbeResult> {
    let mut all: Vec<(Cohort, &FlowResult)> = results
        .iter()
        .filter(|result| result.flow == *plan.name())
        .filter_map(|result| Some((result.cohort.or(of)?, result)))
        .collect();
    all.sort_by_key(|(_, result)| result.ended);
    let quorum = plan.schedule().and_then(|schedule| schedule.quorum);
    let one = |(cohort, result): &(Cohort, &FlowResult)| {
        let mut seen = result.to_probe_result_of(*cohort);
        if let Some(quorum) = quorum {
            let others = all.iter().filter(|(other, one)| other == cohort && one.target == result.target);
            seen.verdict = match consensus(quorum, others.map(|(_, result)| *result), result.ended) {
                Consensus::Failing => ProbeVerdict::Fail,
                Consensus::Unknown => ProbeVerdict::Skipped,
                // One that fails alone does not pass either.
                Consensus::Fine if seen.verdict == ProbeVerdict::Fail => ProbeVerdict::Degraded,
                Consensus::Fine => seen.verdict,
            };
        }
        seen
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Duration};

    fn run(location: &str, second: u64, verdict: ProbeVerdict) -> FlowResult {
        let at = Instant::from_millis(1_800_000_000_000).plus(Duration::from_secs(second));
        FlowResult {
            flow: "shop".parse().unwrap(),
            digest: Digest::of(b""),
            target: "prod".parse().unwrap(),
            location: Some(location.parse().unwrap()),
            cohort: Some(Cohort::Canary),
            run: String::new(),
            started: at,
            ended: at,
            verdict,
            reason: None,
            flaky: false,
            evaluated: 1,
            steps: Vec::new(),
            slos: Vec::new(),
        }
    }

    fn said(runs: &[(&str, u64, ProbeVerdict)], second: u64) -> Consensus {
        let results: Vec<FlowResult> = runs.iter().map(|(place, at, verdict)| run(place, *at, *verdict)).collect();
        let quorum = QuorumPlan { fail: 2, of: 3, within: Duration::from_secs(90) };
        let now = Instant::from_millis(1_800_000_000_000).plus(Duration::from_secs(second));
        consensus(quorum, &results, now)
    }

    #[test]
    fn two_of_three_locations_decide() {
        use ProbeVerdict::{Error, Fail, Pass};
        type Runs<'a> = &'a [(&'a str, u64, ProbeVerdict)];
        let cases: [(Runs<'_>, Consensus); 9] = [
            (&[], Consensus::Unknown),
            (&[("eu", 1, Fail)], Consensus::Unknown),
            (&[("eu", 1, Pass)], Consensus::Unknown),
            (&[("eu", 1, Pass), ("us", 1, Pass)], Consensus::Fine),
            (&[("eu", 1, Fail), ("us", 1, Pass)], Consensus::Unknown),
            (&[("eu", 1, Fail), ("us", 1, Pass), ("ap", 1, Pass)], Consensus::Fine),
            (&[("eu", 1, Fail), ("us", 2, Fail)], Consensus::Failing),
            // The same location twice is one location, and its prober's failure says nothing.
            (&[("eu", 1, Fail), ("eu", 2, Fail), ("us", 2, Error)], Consensus::Unknown),
            // What a location said before its newest run is past.
            (&[("eu", 1, Fail), ("eu", 9, Pass), ("us", 2, Fail), ("ap", 3, Pass)], Consensus::Fine),
        ];
        for (runs, expected) in cases {
            assert_eq!(said(runs, 10), expected, "{runs:?}");
        }
        // What is older than `within` is past.
        assert_eq!(said(&[("eu", 0, Fail), ("us", 50, Fail)], 91), Consensus::Unknown);
        assert_eq!(said(&[("eu", 0, Fail), ("us", 50, Fail)], 90), Consensus::Failing);
        // What is still to come says nothing.
        assert_eq!(said(&[("eu", 20, Fail), ("us", 50, Fail)], 10), Consensus::Unknown);
    }
}
