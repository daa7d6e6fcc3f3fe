//! SLOs and what is seen of them: from calm to burning, half known, and beyond what a host could mean.

use std::num::NonZeroU32;

use davy::{Cohort, Count, Duration, Instant, Missing, Part, Seen, Share, SloWindow};
use proptest::prelude::*;
use proptest::sample::select;

use super::traffic::{missing, name};

/// The SLOs of every policy here, used or not: one over events of thirty days with two pairs of windows, and a
/// composite of two parts over a calendar month, whose series of errors is sparse.
pub(crate) const DOCUMENTS: [(&str, &str); 2] = [
    (
        "availability",
        "apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  indicator: { spec: { ratioMetric: { raw: { metricSource: { spec: { query: r } } }, rawType: failure } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.99 }]
  alertPolicies:
    - { spec: { conditions: [{ spec: { severity: page, condition: { op: gt, threshold: 10, lookbackWindow: 1h } } }] } }
    - { spec: { conditions: [{ spec: { severity: ticket, condition: { op: gt, threshold: 5, lookbackWindow: 2h } } }] } }
",
    ),
    (
        "latency",
        "apiVersion: openslo/v1
kind: SLO
metadata: { name: latency, annotations: { davy/sparseErrors: 'true', davy/minEvents: '10', davy/coverage: 50% } }
spec:
  timeWindow: [{ duration: 1M, isRolling: false, calendar: { startTime: '2026-01-01 00:00:00', timeZone: Europe/Berlin } }]
  budgetingMethod: Occurrences
  objectives:
    - { target: 0.99, compositeWeight: 2, indicator: { spec: { thresholdMetric: { metricSource: { spec: { query: v } } } } }, op: lt, value: 1 }
    - { target: 0.95, indicator: { spec: { thresholdMetric: { metricSource: { spec: { query: w } } } } }, op: gte, value: 1 }
  alertPolicies:
    - { spec: { conditions: [{ spec: { severity: page, condition: { op: gt, threshold: 10, lookbackWindow: 1h } } }] } }
",
    ),
];

/// What a policy says about budgets.
pub(crate) const BUDGETS: [&str; 3] = [
    "{ slos: [availability] }",
    "{ slos: [latency, availability], burn: { page: fail, ticket: fail }, thinTraffic: pass, freezeBelow: 10%, exempt: [security] }",
    "{ slos: [availability], burn: { page: hold }, unfreezeAt: 50% }",
];

/// The objectives of [`DOCUMENTS`], and the pairs of windows of each in minutes.
const OBJECTIVES: [(&str, u32, &[[u64; 2]]); 3] =
    [("availability", 1, &[[60, 5], [120, 10]]), ("latency", 1, &[[60, 5]]), ("latency", 2, &[[60, 5]])];

/// What is seen of every objective at one look.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    /// Four bits for each of five things of each objective; 0 is calm.
    signs: u64,
    /// Which windows are missing, bit by bit.
    lost: u64,
    odd: Option<SloWindow>,
}

/// Whether a window is calm (`C`), near its limit, burning, thin, idle or without errors known, by four bits.
const WHOLE: &[u8; 16] = b"CCCCCCNBBBBBTTIX";
const CANARY: &[u8; 16] = b"CCCCNBBBBBBBBTIX";
const BASELINE: &[u8; 16] = b"CCCCCCCCCNBBBTIX";
/// Bad events of a million in the period.
const SPENT: [u32; 16] = [0, 0, 0, 0, 100, 100, 5000, 5000, 5000, 9600, 9600, 9600, 20_000, 20_000, 20_000, 20_000];
/// In percent.
const COVERAGE: [u32; 16] = [100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 90, 89, 40, 0];

fn level(level: u8) -> (Seen, Seen) {
    let of = |bad, total| (Seen::Amount(bad), Seen::Amount(total));
    match level {
        b'C' => of(1.0, 1000.0),
        b'N' => of(60.5, 1000.0),
        b'B' => of(600.0, 1000.25),
        b'T' => of(1.0, 2.0),
        b'I' => of(0.0, 0.0),
        _ => (Seen::Nothing(Missing::NoData), Seen::Amount(1000.0)),
    }
}

/// Any weather; most of it is fit to be judged.
pub(crate) fn weather() -> BoxedStrategy<Weather> {
    let lost = prop_oneof![4 => Just(0_u64), 1 => any::<u64>().prop_map(|bits| 1 << (bits % 64)), 1 => any::<u64>()];
    let odd = proptest::option::weighted(0.2, odd_window());
    // Boxed: a run has several, which together would not fit a thread's stack.
    (any::<u64>(), lost, odd).prop_map(|(signs, lost, odd)| Weather { signs, lost, odd }).boxed()
}

impl Weather {
    /// Every budget burns, of canary and baseline alike, and is spent.
    pub(crate) fn burning() -> Self {
        let of_objective = 0x0_c_a_8_7;
        Self { signs: of_objective | of_objective << 20 | of_objective << 40, lost: 0, odd: None }
    }

    /// The windows of the SLOs that are `watched`, up to `now`.
    pub(crate) fn windows(&self, watched: &str, now: Instant) -> Vec<SloWindow> {
        let mut windows = Vec::new();
        for (place, (slo, objective, pairs)) in
            OBJECTIVES.iter().enumerate().filter(|(_, (slo, ..))| watched.contains(slo))
        {
            let sign = |thing: usize| (self.signs >> (20 * place + 4 * thing)) as usize & 15;
            let window = |cohort, length: Duration, (bad, total): (Seen, Seen)| SloWindow {
                slo: name(slo),
                objective: NonZeroU32::new(*objective).unwrap(),
                cohort,
                from: now.minus(length),
                end: now,
                part: Part::Bad(bad),
                total,
                coverage: Share::from_ppm(COVERAGE[sign(4)] * 10_000),
                oldest: None,
                newest: Some(now),
                resets: Count::ZERO,
            };
            let (whole, canary, baseline) = (WHOLE[sign(0)], CANARY[sign(1)], BASELINE[sign(2)]);
            for [long, short] in pairs.iter().map(|pair| pair.map(Duration::from_minutes)) {
                windows.push(window(None, long, level(whole)));
                windows.push(window(None, short, level(whole)));
                windows.push(window(Some(Cohort::Canary), short, level(canary)));
                windows.push(window(Some(Cohort::Baseline), short, level(baseline)));
            }
            let period = (Seen::Amount(f64::from(SPENT[sign(3)])), Seen::Amount(1e6));
            let mut period = window(None, Duration::from_minutes(30 * 24 * 60), period);
            if *slo == "latency" {
                let begins: Instant = "2026-10-31T23:00:00Z".parse().unwrap();
                period.from = begins.min(now.minus(Duration::from_secs(1)));
            }
            windows.push(period);
        }
        let lost = |at: usize| self.lost >> (at % 64) & 1 == 1;
        let kept = windows.into_iter().enumerate().filter(|(at, _)| !lost(*at)).map(|(_, window)| window);
        kept.chain(self.odd.iter().cloned()).collect()
    }
}

/// What JSON can hold, at its edges.
pub(crate) fn odd_window() -> impl Strategy<Value = SloWindow> {
    any_window().prop_map(|window| {
        let end = window.end.max(window.from.plus(Duration::from_millis(1)));
        SloWindow { from: window.from.min(end.minus(Duration::from_millis(1))), end, ..window }
    })
}

/// What a program can hold: windows that end before they begin, and instants at the ends of time.
pub(crate) fn any_window() -> impl Strategy<Value = SloWindow> {
    let first: Instant = "2026-11-23T09:00:00Z".parse().unwrap();
    let near = (0..600_u64).prop_map(move |seconds| first.plus(Duration::from_secs(seconds)));
    let instant =
        || prop_oneof![6 => near.clone(), 1 => Just(Instant::EPOCH), 1 => Just(Instant::MAX), 1 => Just(first)];
    let lengths = prop_oneof![
        4 => select(vec![5, 10, 60, 120]).prop_map(Duration::from_minutes),
        2 => Just(Duration::from_minutes(30 * 24 * 60)),
        1 => any::<u64>().prop_map(Duration::from_millis),
        1 => Just(Duration::ZERO),
    ];
    let cohort = select(vec![None, None, Some(Cohort::Canary), Some(Cohort::Baseline)]);
    let whose = (select(vec!["availability", "latency", "unknown"]), cohort, select(vec![1, 1, 1, 2, u32::MAX]));
    let part = (any::<bool>(), seen(), seen(), (0..=Share::ALL.ppm()).prop_map(Share::from_ppm));
    let samples = (proptest::option::of(instant()), proptest::option::weighted(0.8, instant()), 0..3_u32);
    (whose, instant(), any::<bool>(), lengths, part, samples).prop_map(
        |(
            (slo, cohort, objective),
            end,
            backwards,
            length,
            (good, part, total, coverage),
            (oldest, newest, resets),
        )| {
            let objective = NonZeroU32::new(objective).unwrap();
            let from = if backwards && length == Duration::ZERO {
                end.plus(Duration::from_secs(9))
            } else {
                end.minus(length)
            };
            let part = if good { Part::Good(part) } else { Part::Bad(part) };
            let resets = Count::from(resets);
            SloWindow { slo: name(slo), objective, cohort, from, end, part, total, coverage, oldest, newest, resets }
        },
    )
}

fn seen() -> impl Strategy<Value = Seen> {
    let edges = vec![0.0, -0.0, -1.0, 0.5, 5e-324, 1e15, 9_007_199_254_740_993.0, 1e21, 1e308, -1e308, f64::MAX];
    prop_oneof![
        4 => (0..2000_u32).prop_map(|amount| Seen::Amount(f64::from(amount))),
        1 => select(edges).prop_map(Seen::Amount),
        1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(Seen::Amount),
        1 => missing().prop_map(Seen::Nothing),
    ]
}
