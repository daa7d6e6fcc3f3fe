//! Policies: any mixture of metrics, limits, judges and gates that a bundle can express.

use std::fmt;

use davy::document::Judge;
use davy::{Bundle, Engine};
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::slos::{BUDGETS, DOCUMENTS};

/// A compiled policy of the service `checkout`, with what traffic needs to know of it.
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) text: String,
    pub(crate) bundle: Bundle,
    pub(crate) engine: Engine,
    pub(crate) metrics: Vec<Kind>,
}

/// What a policy may say. Tests narrow it to where their property is meant to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) judge: Judge,
    pub(crate) kinds: &'static [Kind],
    /// A score below 100 is enough.
    pub(crate) score: bool,
    /// `inconclusiveLimit`, and Argo metrics that can end inconclusive.
    pub(crate) inconclusive: bool,
    /// One of these, or none.
    pub(crate) hold_limits: &'static [&'static str],
    /// A horizon within the run.
    pub(crate) horizon: bool,
    /// Gates beside health and the hold limit.
    pub(crate) gates: bool,
}

/// The forms of a metric; each stands in a policy at most once, under its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Share,
    Compared,
    Capped,
    Native,
    Shift,
    Classic,
    Slow,
    Gauge,
    Band,
    Ratio,
    Events,
    Journey,
}

impl Shape {
    pub(crate) const THRESHOLD: Self = Self {
        judge: Judge::Threshold,
        kinds: &[
            Kind::Share,
            Kind::Compared,
            Kind::Capped,
            Kind::Native,
            Kind::Shift,
            Kind::Classic,
            Kind::Slow,
            Kind::Gauge,
            Kind::Band,
            Kind::Ratio,
            Kind::Events,
            Kind::Journey,
        ],
        score: true,
        inconclusive: true,
        hold_limits: &[
            "{ after: 1m, then: fail }",
            "{ after: 90s, then: fail, kinds: [blind] }",
            "{ after: 1m, then: hold, kinds: [blocked, waiting] }",
        ],
        horizon: true,
        gates: true,
    };
    pub(crate) const ARGO: Self = Self { judge: Judge::Argo, score: false, ..Self::THRESHOLD };
    pub(crate) const FLAGGER: Self = Self {
        judge: Judge::Flagger,
        kinds: &[Kind::Share, Kind::Native, Kind::Classic, Kind::Gauge, Kind::Band, Kind::Events, Kind::Journey],
        score: false,
        ..Self::THRESHOLD
    };
    pub(crate) const KAYENTA: Self = Self {
        judge: Judge::Kayenta,
        kinds: &[Kind::Share, Kind::Native, Kind::Classic, Kind::Gauge, Kind::Events, Kind::Journey],
        score: false,
        ..Self::THRESHOLD
    };
    /// Everything that each judge knows.
    pub(crate) const ALL: [Self; 4] = [Self::THRESHOLD, Self::ARGO, Self::FLAGGER, Self::KAYENTA];
}

impl Kind {
    /// Larger is worse: there is no lower limit.
    pub(crate) const ONE_SIDED: &'static [Kind] = &[
        Kind::Share,
        Kind::Compared,
        Kind::Capped,
        Kind::Native,
        Kind::Shift,
        Kind::Classic,
        Kind::Slow,
        Kind::Gauge,
        Kind::Ratio,
        Kind::Events,
        Kind::Journey,
    ];
    /// One-sided, and the canary alone decides.
    pub(crate) const ABSOLUTE: &'static [Kind] =
        &[Kind::Share, Kind::Native, Kind::Classic, Kind::Gauge, Kind::Events, Kind::Journey];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Compared => "compared",
            Self::Capped => "capped",
            Self::Native => "native",
            Self::Shift => "shift",
            Self::Classic => "classic",
            Self::Slow => "slow",
            Self::Gauge => "gauge",
            Self::Band => "band",
            Self::Ratio => "ratio",
            Self::Events => "events",
            Self::Journey => "journey",
        }
    }

    fn keys(self) -> &'static str {
        match self {
            Self::Share => "bad: b, total: t, max: 5%",
            Self::Compared => "bad: b, total: t, tolerate: 1.5x, unacceptable: 3x",
            Self::Capped => "bad: b, total: t, max: 10%, tolerate: 1.5x, unacceptable: 3x",
            Self::Native => "histogram: h, quantile: p90, max: 250ms",
            Self::Shift => "histogram: h, quantile: p50, tolerate: 10%, unacceptable: 50%",
            Self::Classic => "buckets: b, quantile: p90, max: 500ms",
            Self::Slow => "buckets: b, slowerThan: 300ms, tolerate: 1.5x, unacceptable: 3x",
            Self::Gauge => "gauge: g, max: 65%",
            Self::Band => "gauge: g, min: 0.15, max: 0.65",
            Self::Ratio => "gauge: g, tolerate: 1.2x, unacceptable: 2x",
            Self::Events => "events: e, max: 1",
            Self::Journey => "probe: login, max: 20%",
        }
    }

    /// The keys without those that this judge does not read.
    fn keys_under(self, judge: Judge) -> &'static str {
        match (judge, self) {
            (Judge::Kayenta, Self::Share) => "bad: b, total: t",
            (Judge::Kayenta, Self::Native) => "histogram: h, quantile: p90",
            (Judge::Kayenta, Self::Classic) => "buckets: b, quantile: p90",
            (Judge::Kayenta, Self::Gauge) => "gauge: g",
            (Judge::Kayenta, Self::Events) => "events: e",
            (Judge::Kayenta, Self::Journey) => "probe: login",
            _ => self.keys(),
        }
    }

    fn counts_requests(self) -> bool {
        !matches!(self, Self::Gauge | Self::Band | Self::Ratio | Self::Events)
    }

    fn is_compared(self) -> bool {
        matches!(self, Self::Compared | Self::Capped | Self::Shift | Self::Slow | Self::Ratio)
    }
}

/// A policy of this shape.
pub(crate) fn policy(shape: Shape) -> impl Strategy<Value = Policy> + use<> {
    (metrics(shape), health(shape), gates(shape)).prop_map(|((kinds, metrics), health, gates)| {
        let text = format!(
            "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  \
             bake: {{ for: 30m, against: retained }}\n{}  health:\n{health}    metrics:\n{metrics}  \
             environments:\n    staging: {{}}\n    prod:\n{}",
            gates.spec, gates.environment
        );
        Policy::compile(text, kinds)
    })
}

impl Policy {
    /// Every kind of metric that the judge knows.
    pub(crate) fn of_every_kind(shape: Shape) -> Self {
        let metric = |kind: &Kind| format!("      - {{ name: {}, {} }}\n", kind.name(), kind.keys_under(shape.judge));
        let metrics: String = shape.kinds.iter().map(metric).collect();
        let text = format!(
            "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  budget: {}\n  health:\n    \
             judge: {}\n    warmUp: 0s\n    metrics:\n{metrics}",
            BUDGETS[1], shape.judge
        );
        Self::compile(text, shape.kinds.to_vec())
    }

    pub(crate) fn compile(text: String, metrics: Vec<Kind>) -> Self {
        // Reading the others would take most of the time.
        let documents = DOCUMENTS.iter().copied().filter(|(slo, _)| watched(&text).contains(slo));
        let files = documents.map(|(slo, document)| (format!("{slo}.yaml"), document));
        let calendars = CALENDARS.iter().copied().filter(|_| text.contains("calendars:"));
        let files = files.chain(calendars.map(|(name, document)| (format!("{name}.yaml"), document)));
        let bundle = Bundle::from_files(files.chain([("rollouts.yaml".to_owned(), text.as_str())]));
        let bundle = bundle.unwrap_or_else(|error| panic!("{text}\n{error}"));
        Self { engine: Engine::new(&bundle), bundle, text, metrics }
    }
}

/// Windows that begin and end within a run, one that selects by what the snapshot may not say, and a freeze without end.
const CALENDARS: [(&str, &str); 2] = [
    (
        "minutes",
        r#"apiVersion: davy/v1
kind: Calendar
metadata: { name: minutes }
spec:
  zone: Europe/Berlin
  selector: { everything: true }
  windows:
    - { name: odd, kind: deny, cron: "1-59/4 * * * *", duration: 90s, manual: true, overrun: true, exempt: [security] }
    - { name: hard, kind: deny, hard: true, cron: "*/7 * * * *", duration: 45s, gates: [promote] }
    - { name: most, kind: allow, cron: "*/2 * * * *", duration: 100s, manual: true }
    - { name: eu, kind: deny, cron: "*/5 * * * *", duration: 1m, selector: { clusters: [eu-*], environments: [staging], match: any } }
"#,
    ),
    (
        "frozen",
        r#"apiVersion: davy/v1
kind: Calendar
metadata: { name: frozen }
spec:
  zone: UTC
  selector: { everything: true }
  windows:
    - { name: always, kind: deny, hard: true, cron: "* * * * *", duration: 1h }
"#,
    ),
];

/// The line of a policy that names its SLOs, if it has a budget.
pub(crate) fn watched(text: &str) -> &str {
    text.lines().find(|line| line.trim_start().starts_with("budget:")).unwrap_or_default()
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn metrics(shape: Shape) -> impl Strategy<Value = (Vec<Kind>, String)> {
    let kinds = btree_set(select(shape.kinds), 1..=3);
    (kinds, proptest::collection::vec(settings(shape), 3)).prop_map(move |(kinds, settings)| {
        let kinds: Vec<Kind> = kinds.into_iter().collect();
        let lines = kinds.iter().zip(&settings).map(|(kind, settings)| {
            let keys = kind.keys_under(shape.judge);
            format!("      - {{ name: {}, {keys}{} }}\n", kind.name(), settings.keys(*kind))
        });
        let mut lines: String = lines.collect();
        if settings.first().is_some_and(|settings| settings.beside) && shape.gates {
            lines += "      - { name: beside, judge: evidence, dryRun: true, bad: b, total: t, tolerate: 1.1x, unacceptable: 2x }\n";
        }
        (kinds.clone(), lines)
    })
}

/// How a metric's readings are counted.
#[derive(Debug, Clone)]
struct Settings {
    judge: Judge,
    importance: u8,
    critical: bool,
    dry_run: bool,
    threshold: Threshold,
    argo: Argo,
    kayenta: &'static str,
    /// Whether davy's own judge watches beside.
    beside: bool,
}

/// Settings of a metric under `judge: kayenta`.
const KAYENTA: [&str; 5] = [
    "{ groups: [one] }",
    "{ direction: increase, groups: [one, two] }",
    "{ direction: decrease, nanStrategy: replace, groups: [two] }",
    "{ mustHaveData: true, outliers: { strategy: remove }, groups: [one] }",
    "{ effectSize: { measure: cles, allowedIncrease: 0.6, allowedDecrease: 0.4 } }",
];

#[derive(Debug, Clone)]
struct Threshold {
    patience: Option<u8>,
    failure_limit: Option<u8>,
    consecutive_failure_limit: Option<u8>,
    inconclusive_limit: Option<u8>,
    no_data_fails: bool,
    min_requests: Option<u8>,
}

#[derive(Debug, Clone)]
struct Argo {
    count: Option<u8>,
    failure_condition: bool,
    failure_limit: i8,
    inconclusive_limit: u8,
    consecutive_error_limit: u8,
    consecutive_success_limit: u8,
}

fn settings(shape: Shape) -> impl Strategy<Value = Settings> {
    let dry_run = prop::bool::weighted(0.1);
    let beside = prop::bool::weighted(0.2);
    (1..=4_u8, prop::bool::weighted(0.3), dry_run, threshold(shape), argo(shape), select(KAYENTA.to_vec()), beside)
        .prop_map(move |(importance, critical, dry_run, threshold, argo, kayenta, beside)| Settings {
            judge: shape.judge,
            importance,
            critical,
            dry_run,
            threshold,
            argo,
            kayenta,
            beside,
        })
}

fn threshold(shape: Shape) -> impl Strategy<Value = Threshold> {
    let limit = || option::of(0..=2_u8);
    let undecided = option::weighted(0.8, 0..=1_u8);
    (option::of(1..=3_u8), limit(), limit(), undecided, any::<bool>(), option::of(select(vec![1, 50_u8]))).prop_map(
        move |(patience, failure_limit, consecutive_failure_limit, inconclusive_limit, no_data_fails, min_requests)| {
            Threshold {
                patience,
                failure_limit,
                consecutive_failure_limit,
                inconclusive_limit: inconclusive_limit.filter(|_| shape.inconclusive),
                no_data_fails,
                min_requests,
            }
        },
    )
}

fn argo(shape: Shape) -> impl Strategy<Value = Argo> {
    (option::of(1..=6_u8), any::<bool>(), -1..=2_i8, 0..=2_u8, 0..=4_u8, 0..=3_u8).prop_map(
        move |(count, failure_condition, failure_limit, inconclusive_limit, consecutive_error_limit, successes)| {
            // With an end, a failure limit and successes to wait for, Argo may end inconclusive.
            let may_end_undecided = count.is_some() && failure_limit >= 0;
            let consecutive_success_limit = if may_end_undecided && !shape.inconclusive { 0 } else { successes };
            Argo {
                count,
                failure_condition,
                failure_limit,
                inconclusive_limit,
                consecutive_error_limit,
                consecutive_success_limit,
            }
        },
    )
}

impl Settings {
    fn keys(&self, kind: Kind) -> String {
        let mut keys = String::new();
        let mut key = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                keys += &format!(", {name}: {value}");
            }
        };
        let text = |number: Option<u8>| number.map(|number| number.to_string());
        key("dryRun", self.dry_run.then(|| "true".to_owned()));
        let Threshold { patience, failure_limit, consecutive_failure_limit, inconclusive_limit, .. } = self.threshold;
        match self.judge {
            Judge::Flagger => {}
            Judge::Argo => key("argo", Some(self.argo.keys(kind))),
            Judge::Kayenta => {
                key("critical", self.critical.then(|| "true".to_owned()));
                key("kayenta", Some(self.kayenta.to_owned()));
            }
            _ => {
                key("importance", text(Some(self.importance)));
                key("critical", self.critical.then(|| "true".to_owned()));
                key("patience", text(patience));
                key("failureLimit", text(failure_limit));
                key("consecutiveFailureLimit", text(consecutive_failure_limit));
                key("inconclusiveLimit", text(inconclusive_limit));
                key("noData", self.threshold.no_data_fails.then(|| "fail".to_owned()));
                key("minRequests", text(self.threshold.min_requests).filter(|_| kind.counts_requests()));
            }
        }
        keys
    }
}

impl Argo {
    fn keys(&self, kind: Kind) -> String {
        let count = self.count.map_or(String::new(), |count| format!("count: {count}, "));
        let condition = if self.failure_condition && !kind.is_compared() { "condition: failure, " } else { "" };
        let Self { failure_limit, inconclusive_limit, consecutive_error_limit, consecutive_success_limit, .. } = self;
        format!(
            "{{ {count}{condition}failureLimit: {failure_limit}, inconclusiveLimit: {inconclusive_limit}, \
             consecutiveErrorLimit: {consecutive_error_limit}, consecutiveSuccessLimit: {consecutive_success_limit} }}"
        )
    }
}

fn health(shape: Shape) -> impl Strategy<Value = String> {
    let score = option::weighted(
        0.8,
        select(vec!["{ pass: 90, fail: 60 }", "{ pass: 50, fail: 30 }", "{ pass: 40, fail: 40 }"]),
    );
    (select(vec!["0s", "0s", "30s"]), any::<bool>(), any::<bool>(), score, 1..=3_u8).prop_map(
        move |(warm_up, short, fails, score, threshold)| {
            let horizon = if short && shape.horizon { "4m" } else { "24h" };
            let on_inconclusive = if fails { "fail" } else { "hold" };
            let judge = shape.judge;
            let mut text = format!("    judge: {judge}\n    every: 30s\n    settle: 15s\n    warmUp: {warm_up}\n");
            match (judge, score.filter(|_| shape.score)) {
                (Judge::Argo, _) => {}
                (Judge::Flagger, _) => text += &format!("    flagger: {{ threshold: {threshold} }}\n"),
                (Judge::Kayenta, _) => {
                    let horizon = if short && shape.horizon { "4m" } else { "12h" };
                    let lookback = if fails { ", lookback: 90s" } else { "" };
                    text += &format!("    horizon: {horizon}\n    kayenta: {{ analysisEvery: {threshold}m, groupWeights: {{ one: 40 }}{lookback} }}\n");
                }
                (_, score) => {
                    text += &format!("    horizon: {horizon}\n    onInconclusive: {on_inconclusive}\n");
                    text += &score.map_or(String::new(), |score| format!("    score: {score}\n"));
                }
            }
            text
        },
    )
}

/// The other gates: keys of the whole rollout, and keys of its environment `prod`.
#[derive(Debug, Clone)]
struct Gates {
    spec: String,
    environment: String,
}

fn gates(shape: Shape) -> impl Strategy<Value = Gates> {
    let one_of = |texts: &[&'static str]| {
        let nothing = std::iter::repeat_n(None, texts.len().max(1));
        select(texts.iter().copied().map(Some).chain(nothing).collect::<Vec<_>>())
    };
    (
        one_of(&["[{ weight: 5%, atLeast: 2m, minRequests: 300 }, { weight: 25%, atLeast: 3m }, { weight: 50% }]"]),
        one_of(&["[login]", "[{ flow: login, within: 2m, patience: 2, degraded: hold }]", "[login, search]"]),
        one_of(shape.hold_limits),
        one_of(&["[{ environment: staging, soak: 1h }]"]),
        one_of(&["{ maxWeight: 30%, concurrent: 1 }", "{ concurrent: 2 }"]),
        one_of(&["{ waiveFails: [probes.failed, health.limit-exceeded, burn.canary], longest: 4h }"]),
        (one_of(&BUDGETS), any::<bool>()),
        one_of(&["[minutes]"]),
    )
        .prop_map(
            move |(steps, probes, hold_limit, requires, blast_radius, overrides, (budget, against_slo), calendars)| {
                let line = |indent: &str, key: &str, value: Option<&str>| {
                    value
                        .filter(|_| shape.gates || key == "holdLimit")
                        .map_or(String::new(), |value| format!("{indent}{key}: {value}\n"))
                };
                let spec = [
                    line("  ", "steps", steps),
                    line("  ", "probes", probes),
                    line("  ", "holdLimit", hold_limit),
                    line("  ", "budget", budget),
                    line("  ", "calendars", calendars),
                ];
                let against = if shape.gates && budget.is_some() && against_slo { "slo" } else { "retained" };
                let environment = [
                    line("      ", "requires", requires),
                    line("      ", "blastRadius", blast_radius),
                    line("      ", "overrides", overrides),
                    format!("      bake: {{ for: 30m, against: {against} }}\n"),
                ];
                Gates { spec: spec.concat(), environment: environment.concat() }
            },
        )
}
