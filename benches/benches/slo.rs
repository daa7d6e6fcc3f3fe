//! SLO arithmetic: fifty SLOs judged from what was counted, and a day of a counter beside a plain sum of it.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Throughput};
use davy::slo::{
    Burn, Condition, ErrorBudget, Events, Guards, Measured, Mode, Pair, Sample, Scaling, Series, Target, Window,
    increase,
};
use davy::{
    Asked, Bundle, Cohort, Count, Duration, Engine, Instant, Part, Release, Seen, Share, SloWindow, Snapshot, Stage,
    State,
};

const SLOS: usize = 50;
/// 2026-11-23T12:00:00Z
const NOW: Instant = Instant::from_millis(1_795_435_200_000);

fn main() {
    let mut criterion = davy_benches::criterion();

    let mut group = criterion.benchmark_group("50 slos x 4 pairs");
    for traffic in [Traffic::Calm, Traffic::OneInFiveBurns, Traffic::AllNearTheLimit] {
        let folded: Vec<Folded> = (0..SLOS).map(|number| Folded::of(number, traffic)).collect();
        group.bench_function(BenchmarkId::new("judge and what is left", traffic.name()), |bencher| {
            bencher.iter(|| black_box(&folded).iter().map(Folded::judge).fold((0, 0.0), add));
        });
    }
    let (engine, snapshot) = whole();
    let state = State::new();
    group.bench_function("the whole decision, 800 windows", |bencher| {
        bencher.iter(|| engine.decide(&state, black_box(&snapshot)).decision.verdict);
    });
    group.finish();

    // A day at 15 s, with a restart every two hours.
    let samples: Vec<Sample> = (0..5760)
        .map(|scrape: u32| Sample {
            at: NOW.minus(Duration::from_secs(u64::from(5760 - scrape) * 15)),
            value: f64::from(scrape % 480) * 37.0,
        })
        .collect();
    let window = Window { end: NOW, length: Duration::from_minutes(24 * 60) };
    let series = Series::new(&samples).unwrap();
    let mut group = criterion.benchmark_group("a day at 15 s");
    group.throughput(Throughput::Elements(5760));
    group.bench_function("floor: the plain sum of the same array", |bencher| {
        bencher.iter(|| black_box(&samples).iter().map(|sample| sample.value).sum::<f64>());
    });
    for mode in [Mode::Exact, Mode::Prometheus2, Mode::Prometheus3] {
        group.bench_function(BenchmarkId::new("increase", format!("{mode:?}")), |bencher| {
            bencher.iter(|| increase(black_box(series), window, mode).unwrap().total);
        });
    }
    group.bench_function("check of the samples, once", |bencher| {
        bencher.iter(|| Series::new(black_box(&samples)).unwrap().len());
    });
    group.finish();
    criterion.final_summary();
}

fn add((burning, left): (usize, f64), (more, other): (usize, f64)) -> (usize, f64) {
    (burning + more, left + other)
}

#[derive(Debug, Clone, Copy)]
enum Traffic {
    Calm,
    OneInFiveBurns,
    /// Just above every limit, so that the exact tail decides.
    AllNearTheLimit,
}

impl Traffic {
    const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::OneInFiveBurns => "one in five burns",
            Self::AllNearTheLimit => "all near the limit",
        }
    }

    /// Bad events per event, in multiples of the limit.
    fn ratio(self, number: usize) -> f64 {
        match self {
            Self::OneInFiveBurns if number.is_multiple_of(5) => 3.0,
            Self::Calm | Self::OneInFiveBurns => 0.3,
            Self::AllNearTheLimit => 1.05,
        }
    }
}

/// One SLO: its conditions, and what was counted in the windows of each.
struct Folded {
    budget: ErrorBudget,
    pairs: [(Condition, Measured, Measured); 4],
    period: Events,
}

impl Folded {
    fn of(number: usize, traffic: Traffic) -> Self {
        let budget = "99.9%".parse::<Target>().unwrap().budget();
        let month = Duration::from_minutes(30 * 24 * 60);
        let pairs = Pair::workbook(month, Scaling::Thresholds).unwrap().map(|(_, pair)| {
            let condition = pair.against(budget);
            let of = |length: Duration| {
                let total = length.millis() / 100 + number as u64;
                let bad = (total as f64 * condition.limit() * traffic.ratio(number)) as u64;
                Measured::whole(Events::of_bad(count(bad), count(total)).unwrap(), NOW)
            };
            (condition, of(pair.long), of(pair.short))
        });
        Self { budget, pairs, period: Events::of_bad(count(10_000 + number as u64), count(25_920_000)).unwrap() }
    }

    fn judge(&self) -> (usize, f64) {
        let guards = Guards::default();
        let burns = |(condition, long, short): &&(Condition, Measured, Measured)| {
            condition.judge(long, short, &guards, NOW).burn == Burn::Burning
        };
        (self.pairs.iter().filter(burns).count(), self.budget.left(self.period).unwrap_or(0.0))
    }
}

/// An engine with fifty SLOs, and every window that it needs: of the service, of both cohorts, and the period.
fn whole() -> (Engine, Snapshot) {
    let name = |number: usize| format!("slo-{number:02}");
    let mut rollout = String::from(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: { name: checkout }\nspec:\n  sources: { prom: { prometheus: \"http://prometheus:9090\", canary: 'r=\"${revision}\"', baseline: 'r=\"${stable}\"', retention: 35d } }\n  steps: [{ weight: 5% }, { weight: 50% }]\n  bake: { for: 1h, against: slo }\n  holdLimit: { after: 2h, then: fail }\n  budget:\n    burn: { page: fail, ticket: fail }\n    slos: [",
    );
    for number in 0..SLOS {
        let _ = write!(rollout, "{}, ", name(number));
    }
    rollout.push_str("]\n");
    let slo = |number: usize| {
        let metric =
            |query: &str| format!("{{ metricSource: {{ metricSourceRef: prom, spec: {{ query: {query} }} }} }}");
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{ name: {} }}\nspec:\n  indicator: {{ spec: {{ ratioMetric: {{ counter: true, bad: {}, total: {} }} }} }}\n  timeWindow: [{{ duration: 30d, isRolling: true }}]\n  budgetingMethod: Occurrences\n  objectives: [{{ target: 0.999 }}]\n",
            name(number),
            metric(&format!("bad_{number}_total")),
            metric(&format!("all_{number}_total"))
        )
    };
    let files: Vec<(String, String)> = (0..SLOS)
        .map(|number| (format!("{}.yaml", name(number)), slo(number)))
        .chain([("rollouts.yaml".to_owned(), rollout)])
        .collect();
    let engine = Engine::new(&Bundle::from_files(files).unwrap());
    let text = |text: &str| text.parse().unwrap();
    let release = Release {
        service: text("checkout"),
        environment: text("prod"),
        revision: text("r2"),
        stable: text("r1"),
        attempt: 1.try_into().unwrap(),
        started_at: NOW.minus(Duration::from_minutes(30)),
        change_class: None,
    };
    let asked = Asked::Advance { to: "50%".parse().unwrap() };
    let wanted = engine.requirements(&State::new(), &release, asked, Stage::Canary, NOW);
    let window = |requirement: &davy::Requirement| {
        let share = requirement.cohort.map_or(20, |cohort| if cohort == Cohort::Canary { 1 } else { 19 });
        let total = requirement.to.since(requirement.from).millis() / 2000 * share;
        SloWindow {
            slo: requirement.about.clone(),
            objective: requirement.objective.unwrap(),
            cohort: requirement.cohort,
            from: requirement.from,
            end: requirement.to,
            part: Part::Bad(Seen::Amount((total / 3000) as f64)),
            total: Seen::Amount(total as f64),
            coverage: Share::ALL,
            oldest: Some(requirement.from),
            newest: Some(requirement.to),
            resets: Count::ZERO,
        }
    };
    let slos: Vec<SloWindow> = wanted.iter().map(window).collect();
    assert_eq!(slos.len(), 800, "seven windows of the service, eight of cohorts, and the period, of each");
    let snapshot = Snapshot {
        now: NOW,
        since: release.started_at,
        release,
        asked,
        stage: Stage::Canary,
        weight: "5%".parse().unwrap(),
        intervals: Vec::new(),
        slos,
        probes: Vec::new(),
        history: Vec::new(),
        plugins: Vec::new(),
        running: Vec::new(),
        passed: Vec::new(),
        manual: false,
        target: davy::Target::default(),
        overrides: Vec::new(),
        replica_starts: Vec::new(),
        noise_history: None,
        facts: davy::Facts::default(),
    };
    let decision = engine.decide(&State::new(), &snapshot).decision;
    assert_eq!(decision.verdict, davy::Verdict::Proceed, "{decision}");
    (engine, snapshot)
}

fn count(number: u64) -> Count {
    Count::new(number).unwrap()
}
