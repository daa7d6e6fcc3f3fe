//! Error budgets against counting every event, and what a change of the evidence may change.

mod agrees;
mod changes;
mod events;
mod lasts;
mod model;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use davy::{Asked, Bundle, Decision, Engine, Instant, Release, Share, SloWindow, Snapshot, Stage, Verdict};
use proptest::prelude::*;
use proptest::sample::select;

use crate::strategies::{at, release};

/// The SLO that all of this is about: 99 % of twelve hours, two pairs that page and one that opens a ticket.
fn slo(annotations: &str) -> String {
    let pair = |severity: &str, threshold: &str, lookback: &str| {
        let condition = format!("condition: {{ op: gt, threshold: {threshold}, lookbackWindow: {lookback} }}");
        format!("{{ spec: {{ conditions: [{{ spec: {{ severity: {severity}, {condition} }} }}] }} }}")
    };
    let pairs = [pair("page", "10", "1h"), pair("ticket", "1.5", "3h"), pair("page", "2", "6h")];
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{ name: availability, annotations: {{ {annotations} }} }}\nspec:\n  \
         indicator: {{ spec: {{ ratioMetric: {{ raw: {{ metricSource: {{ spec: {{ query: r }} }} }}, rawType: failure }} }} }}\n  \
         timeWindow: [{{ duration: 12h, isRolling: true }}]\n  budgetingMethod: Occurrences\n  \
         objectives: [{{ target: 0.99 }}]\n  alertPolicies: [{}]\n",
        pairs.join(", ")
    )
}

/// Nothing but the plain comparison.
const NO_GUARDS: &str = "davy/coverage: 0%, davy/minErrors: '0', davy/confidence: 0%";

/// An engine whose live stage is judged by this SLO; compiled once for all cases of a test.
fn engine(budget: &str, annotations: &str) -> Engine {
    thread_local!(static KNOWN: RefCell<BTreeMap<(String, String), Engine>> = const { RefCell::new(BTreeMap::new()) });
    let key = (budget.to_owned(), annotations.to_owned());
    KNOWN.with_borrow_mut(|known| known.entry(key).or_insert_with(|| compile(budget, annotations)).clone())
}

fn compile(budget: &str, annotations: &str) -> Engine {
    let rollout = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  bake: {{ for: 2h, against: slo }}\n  \
         budget: {{ slos: [availability]{budget} }}\n"
    );
    let slo = slo(annotations);
    let bundle = Bundle::from_files([("rollouts.yaml", &rollout), ("slo.yaml", &slo)]);
    Engine::new(&bundle.unwrap_or_else(|error| panic!("{error}\n{rollout}{slo}")))
}

fn snapshot(now: Instant, stage: Stage, asked: Asked, slos: Vec<SloWindow>) -> Snapshot {
    Snapshot {
        now,
        release: release_of_all(),
        asked,
        stage,
        weight: if stage == Stage::Live { Share::ALL } else { Share::from_ppm(50_000) },
        since: at(0),
        intervals: Vec::new(),
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos,
        probes: Vec::new(),
        running: Vec::new(),
        passed: Vec::new(),
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual: false,
        target: davy::Target::default(),
    }
}

fn release_of_all() -> Release {
    release(at(0))
}

fn asked() -> impl Strategy<Value = Asked> {
    let to = Share::from_ppm(250_000);
    select(vec![Asked::Start, Asked::Advance { to }, Asked::Promote, Asked::Keep])
}

/// What the two gates found, whether it counts or not.
fn codes(decision: &Decision) -> BTreeSet<&'static str> {
    let of_gates = |code: &&str| code.starts_with("burn.") || code.starts_with("budget.");
    decision.findings.iter().map(davy::Finding::code).filter(of_gates).collect()
}

/// Whether it ends the release.
fn ends(decision: &Decision) -> bool {
    decision.verdict >= Verdict::Abort
}
