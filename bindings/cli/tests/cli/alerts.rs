//! The generated alert rules, asked by `promtool` whether they say what the gate says.

use std::fmt::Write as _;
use std::process::Command;

use davy::slo::{Mode, Sample, Series, Window, sum};
use davy::{
    Asked, Bundle, Count, Duration, Engine, Instant, Part, Release, Seen, Share, SloWindow, Snapshot, Stage, State,
};

use crate::support::Place;

/// Series that are asked about; each at two instants, by two SLOs.
const SERIES: u64 = 520;
const SCRAPE: Duration = Duration::from_secs(30);
/// The instants, in scrapes from the beginning.
const LOOKS: [u64; 2] = [130, 150];

const ROLLOUT: &str = "\
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  budget: { slos: [fast, slow], burn: { page: hold, ticket: hold }, freezeBelow: 0% }
";

/// One pair of windows over counters, judged without guards, as Prometheus judges.
fn slo(name: &str, severity: &str, long: &str, short: &str, threshold: &str, sparse: bool) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  annotations:
    davy/increase: prometheus2
    davy/coverage: 0%
    davy/staleness: 100d
    davy/minErrors: \"0\"
    davy/confidence: 0%
    davy/sparseErrors: \"{sparse}\"
spec:
  indicator:
    metadata: {{ name: errors }}
    spec:
      ratioMetric:
        counter: true
        bad: {{ metricSource: {{ type: Prometheus, spec: {{ query: bad }} }} }}
        total: {{ metricSource: {{ type: Prometheus, spec: {{ query: total }} }} }}
  timeWindow: [{{ duration: 30d, isRolling: true }}]
  budgetingMethod: Occurrences
  objectives: [{{ target: 0.99 }}]
  alertPolicies:
    - kind: AlertPolicy
      metadata: {{ name: burn }}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {{ name: burn, annotations: {{ davy/shortWindow: {short} }} }}
            spec:
              severity: {severity}
              condition: {{ kind: burnrate, op: gt, threshold: {threshold}, lookbackWindow: {long} }}
"
    )
}

fn files(sparse: bool) -> [(&'static str, String); 3] {
    [
        ("rollouts.yaml", ROLLOUT.to_owned()),
        ("fast.yaml", slo("fast", "page", "1h", "5m", "14.4", sparse)),
        ("slow.yaml", slo("slow", "ticket", "50m", "10m", "6", sparse)),
    ]
}

/// A small generator of numbers: the same series on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, parts: u64) -> bool {
        self.below(parts) == 0
    }
}

/// A counter at every scrape; nothing where the scrape is missing.
type Column = Vec<Option<u64>>;

/// Counters of two pods: traffic, errors from some instant on, restarts, gaps, late births, early deaths.
fn counters(number: u64) -> Vec<(Column, Column)> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
    let pods = 1 + numbers.below(2);
    let pace = [0, 1, 3, 10, 10, 500][numbers.below(6) as usize];
    let ratio = [0, 60, 140, 150, 300, 600, 1000][numbers.below(7) as usize];
    let (from, to) = (numbers.below(150), 90 + numbers.below(110));
    let pod = |numbers: &mut Numbers| {
        let (mut bad, mut total) = (0, 0);
        let mut pod = (Column::new(), Column::new());
        let (birth, death) = match numbers.below(6) {
            0 => (numbers.below(150), 999),
            1 => (0, 20 + numbers.below(140)),
            _ => (0, 999),
        };
        let errors_appear_late = numbers.one_in(3);
        for scrape in 0..=*LOOKS.iter().max().unwrap() {
            if numbers.one_in(90) {
                (bad, total) = (0, 0);
            }
            let requests = pace + if pace > 0 { numbers.below(pace + 1) } else { 0 };
            total += requests;
            if (from..to).contains(&scrape) {
                bad += (0..requests.min(200)).filter(|_| numbers.below(1000) < ratio).count() as u64
                    * if requests > 200 { requests / 200 } else { 1 };
            }
            let seen = (birth..death).contains(&scrape) && !numbers.one_in(25);
            pod.1.push(seen.then_some(total));
            pod.0.push((seen && (bad > 0 || !errors_appear_late)).then_some(bad));
        }
        pod
    };
    (0..pods).map(|_| pod(&mut numbers)).collect()
}

fn at(scrape: u64) -> Instant {
    Instant::EPOCH.plus(SCRAPE.times(scrape))
}

fn samples(column: &Column) -> Vec<Sample> {
    let sample = |(scrape, value): (u64, &Option<u64>)| {
        value.map(|value| Sample { at: at(scrape), value: f64::from(u32::try_from(value).unwrap()) })
    };
    (0..).zip(column).filter_map(sample).collect()
}

fn increase<'a>(columns: impl Iterator<Item = &'a Column>, window: Window) -> Seen {
    let samples: Vec<Vec<Sample>> = columns.map(samples).collect();
    let series = samples.iter().map(|samples| Series::new(samples).unwrap());
    let sum = sum(series, window, Mode::Prometheus2);
    sum.map_or(Seen::Nothing(davy::Missing::NoData), |sum| Seen::Amount(sum.total))
}

/// Whether the gate finds that each SLO burns.
fn gate(engine: &Engine, pods: &[(Column, Column)], now: Instant) -> [bool; 2] {
    let release = Release {
        service: "checkout".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        revision: "r2".parse().unwrap(),
        stable: "r1".parse().unwrap(),
        attempt: 1.try_into().unwrap(),
        started_at: Instant::EPOCH,
        change_class: None,
    };
    let wanted = engine.requirements(&State::new(), &release, Asked::Promote, Stage::Canary, now);
    let windows = wanted.iter().map(|wanted| {
        let window = Window { end: wanted.to, length: wanted.to.since(wanted.from) };
        SloWindow {
            slo: wanted.about.clone(),
            objective: wanted.objective.unwrap(),
            cohort: wanted.cohort,
            from: wanted.from,
            end: wanted.to,
            part: Part::Bad(increase(pods.iter().map(|pod| &pod.0), window)),
            total: increase(pods.iter().map(|pod| &pod.1), window),
            coverage: Share::ALL,
            oldest: None,
            newest: Some(now),
            resets: Count::ZERO,
        }
    });
    let snapshot = Snapshot {
        now,
        asked: Asked::Promote,
        stage: Stage::Canary,
        weight: Share::ZERO,
        since: release.started_at,
        release,
        intervals: Vec::new(),
        replica_starts: Vec::new(),
        noise_history: None,
        history: Vec::new(),
        plugins: Vec::new(),
        slos: windows.collect(),
        probes: Vec::new(),
        running: Vec::new(),
        passed: Vec::new(),
        overrides: Vec::new(),
        facts: davy::Facts::default(),
        manual: false,
        target: davy::Target::default(),
    };
    let decision = engine.decide(&State::new(), &snapshot).decision;
    ["fast", "slow"].map(|slo| {
        let of = |finding: &&davy::Finding| finding.subject.as_ref().is_some_and(|subject| subject.as_str() == slo);
        decision.findings.iter().filter(of).any(|finding| finding.code() == "burn.burning")
    })
}

fn values(column: &Column) -> String {
    let value = |value: &Option<u64>| value.map_or("_".to_owned(), |value| value.to_string());
    column.iter().map(value).collect::<Vec<_>>().join(" ")
}

/// One test of `promtool`: series, and what fires at each look.
fn test(out: &mut String, pods: &[(Column, Column)], fires: &[[bool; 2]]) {
    out.push_str("  - interval: 30s\n    input_series:\n");
    for (name, (bad, total)) in ["a", "b"].iter().zip(pods) {
        for (metric, column) in [("bad", bad), ("total", total)] {
            writeln!(out, "      - {{ series: '{metric}{{pod=\"{name}\"}}', values: '{}' }}", values(column)).unwrap();
        }
    }
    out.push_str("    alert_rule_test:\n");
    for (look, fires) in LOOKS.iter().zip(fires) {
        for ((slo, severity), fires) in [("fast", "page"), ("slow", "ticket")].iter().zip(fires) {
            writeln!(out, "      - eval_time: {}s\n        alertname: {slo}", look * 30).unwrap();
            if *fires {
                writeln!(
                    out,
                    "        exp_alerts:
          - exp_labels: {{ sloth_id: checkout-{slo}, sloth_service: checkout, sloth_slo: {slo}, sloth_severity: {severity} }}
            exp_annotations:
              title: \"({severity}) the error budget of {slo} burns too fast\"
              summary: \"checkout '{slo}' burns its error budget too fast\""
                )
                .unwrap();
            }
        }
    }
}

/// How `promtool` ends when told that these alerts fire; nothing where it is not installed.
fn promtool(sparse: bool, planted: bool) -> Option<(bool, String, [usize; 2])> {
    let present = Command::new("promtool").arg("--version").output().is_ok();
    if !present {
        assert!(std::env::var_os("DAVY_REQUIRE_PROMETHEUS").is_none(), "promtool is missing");
        eprintln!("SKIPPED: promtool is not installed");
        return None;
    }
    let place = Place::new();
    for (name, content) in files(sparse) {
        place.write(&format!("policy/{name}"), &content);
    }
    let rules = place.run(&["policy", "alerts", "policy"]);
    assert_eq!(rules.code, 0, "{}", rules.err);
    place.write("rules.yml", &rules.out);
    let checked = place.tool("promtool", &["check", "rules", "rules.yml"]);
    assert_eq!(checked.code, 0, "{}", checked.err);

    let engine = Engine::new(&Bundle::from_files(files(sparse)).unwrap());
    // Alerts read what was recorded at the same instant.
    let groups =
        ["sli-recordings", "alerts"].map(|what| ["fast", "slow"].map(|slo| format!("sloth-slo-{what}-checkout-{slo}")));
    let groups = groups.as_flattened().join(", ");
    let mut tests = format!("rule_files: [rules.yml]\nevaluation_interval: 5m\ngroup_eval_order: [{groups}]\ntests:\n");
    let mut seen = [0, 0];
    for number in 0..SERIES / 2 {
        let pods = counters(number + if sparse { SERIES } else { 0 });
        let mut fires: Vec<[bool; 2]> = LOOKS.iter().map(|look| gate(&engine, &pods, at(*look))).collect();
        for fires in fires.as_flattened() {
            seen[usize::from(*fires)] += 1;
        }
        if planted && number == SERIES / 4 {
            fires[0][0] = !fires[0][0];
        }
        test(&mut tests, &pods, &fires);
    }
    place.write("tests.yml", &tests);
    let ran = place.tool("promtool", &["test", "rules", "tests.yml"]);
    Some((ran.code == 0, ran.out + &ran.err, seen))
}

#[test]
fn the_generated_alerts_fire_when_the_gate_says_that_it_burns() {
    for sparse in [false, true] {
        let Some((agreed, said, [calm, burning])) = promtool(sparse, false) else { return };
        assert!(agreed, "{}", said.lines().take(60).collect::<Vec<_>>().join("\n"));
        assert!(calm > 100 && burning > 100, "{calm} calm and {burning} burning looks prove little");
    }
}

#[test]
fn one_wrong_expectation_among_all_is_noticed() {
    let Some((agreed, _, _)) = promtool(false, true) else { return };
    assert!(!agreed);
}
