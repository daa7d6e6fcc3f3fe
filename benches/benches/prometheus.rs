//! One decision from a local Prometheus, end to end, beside the time that the server itself spends on its questions.
//!
//! Wants `prometheus` and `promtool` on the `PATH`; says so where they are not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on should stop"
)]

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration as Time, Instant as Clock};

use davy::{Asked, Bundle, Duration, Engine, Instant, Release, Snapshot, Stage, State};
use davy_io::prometheus::Prometheus;
use davy_io::{ClientConfig, Deadline, Sources};

/// 2023-11-14T22:00:00Z
const START: u64 = 1_699_999_200;
const DAY: u64 = 86_400;
/// When the release began, and when it is looked at.
const STARTED: u64 = START + DAY - 1800;
const NOW: u64 = START + DAY - 60;

const POLICY: &str = r#"
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  sources:
    prom: { prometheus: "http://prometheus:9090", canary: 'revision="${revision}"', baseline: 'revision="${stable}"', replica: pod, retention: 35d }
  steps: [{ weight: 5% }, { weight: 50% }]
  bake: { for: 1h, against: slo }
  holdLimit: { after: 2h, then: fail }
  health:
    judge: evidence
    every: 30s
    settle: 15s
    warmUp: 1m
    metrics:
      - { name: errors, from: prom, bad: 'http_requests_total{code="500"}', total: http_requests_total, tolerate: 1.2x, unacceptable: 3x }
      - { name: latency, from: prom, buckets: http_request_duration_seconds_bucket, tolerate: 1.2x, unacceptable: 3x }
  budget: { slos: [availability], burn: { page: fail, ticket: hold } }
"#;

const SLO: &str = r#"
apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: { metricSource: { metricSourceRef: prom, spec: { query: 'http_requests_total{code="500"}' } } }
        total: { metricSource: { metricSourceRef: prom, spec: { query: http_requests_total } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.99 }]
"#;

fn main() {
    if ["prometheus", "promtool"].iter().any(|tool| Command::new(tool).arg("--version").output().is_err()) {
        eprintln!("SKIPPED: `prometheus` and `promtool` are not on the PATH (Debian: apt-get install prometheus)");
        return;
    }
    let server = Server::start();
    let release = Release {
        service: "checkout".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        revision: "r2".parse().unwrap(),
        stable: "r1".parse().unwrap(),
        attempt: 1.try_into().unwrap(),
        started_at: at(STARTED),
        change_class: None,
    };
    let bundle = Bundle::from_files([("rollouts.yaml", POLICY), ("slo.yaml", SLO)]).unwrap();
    let engine = Engine::new(&bundle);
    let sources = Sources::one(Prometheus::new(ClientConfig::new(&server.url).unwrap()).unwrap());
    let look = |state: &State, now: Instant| {
        let asked = Asked::Advance { to: "50%".parse().unwrap() };
        let wanted = engine.requirements(state, &release, asked, Stage::Canary, now);
        let seen = sources.observe(&wanted, Deadline::within(Time::from_secs(20)));
        assert!(seen.notes.is_empty(), "{:?}", seen.notes);
        let snapshot = Snapshot {
            now,
            release: release.clone(),
            asked,
            stage: Stage::Canary,
            weight: "5%".parse().unwrap(),
            since: at(STARTED),
            intervals: seen.intervals,
            slos: seen.slos,
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
        let decision = engine.decide(state, &snapshot);
        (decision.state.clone(), decision.decision.clone(), wanted.len())
    };
    let (state, decision, _) = look(&State::new(), at(NOW - 30));
    assert_ne!(decision.verdict, davy::Verdict::Abort, "{decision}");

    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("one decision from a local Prometheus");
    for (what, state) in [("the newest interval", &state), ("half an hour at once", &State::new())] {
        let before = server.spent();
        let (mut looks, mut whole) = (0_u32, Time::ZERO);
        group.bench_function(what, |bencher| {
            bencher.iter(|| {
                let begun = Clock::now();
                let verdict = look(state, at(NOW)).1.verdict;
                whole += begun.elapsed();
                looks += 1;
                verdict
            });
        });
        if looks == 0 {
            continue;
        }
        let spent = server.spent();
        let each = |part: usize| (spent[part] - before[part]) / f64::from(looks) * 1000.0;
        let whole = whole.as_secs_f64() / f64::from(looks) * 1000.0;
        println!(
            "{what}: {whole:.2} ms a decision, on average of {looks}; in the server, of all its questions together: {:.2} ms of queries, {:.2} ms of requests with their encoding; {:.1} questions. {:.2} x its queries, {:.2} x its requests.",
            each(0),
            each(1),
            each(2) / 1000.0,
            whole / each(0),
            whole / each(1)
        );
    }
    group.finish();
    criterion.final_summary();
}

fn at(second: u64) -> Instant {
    Instant::EPOCH.plus(Duration::from_secs(second))
}

/// A server with a day of data: four pods of the stable revision, two of the new one.
struct Server {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("config.yml"), "global: { scrape_interval: 15s }\n").unwrap();
        fs::write(path("metrics.om"), metrics()).unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([path("metrics.om"), path("data")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", path("config.yml").display()))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, url: format!("http://{address}"), _folder: folder };
        let started = Clock::now();
        while server.get("/-/ready").is_none() {
            assert!(started.elapsed() < Time::from_secs(30), "Prometheus is not ready");
            std::thread::sleep(Time::from_millis(50));
        }
        server
    }

    fn get(&self, path: &str) -> Option<String> {
        ureq::get(format!("{}{path}", self.url)).call().ok()?.body_mut().read_to_string().ok()
    }

    /// Seconds spent on queries, seconds spent on requests with their encoding, and queries, since it began.
    fn spent(&self) -> [f64; 3] {
        let text = self.get("/metrics").unwrap();
        let sum = |wanted: &dyn Fn(&str) -> bool| {
            let values = text.lines().filter(|line| wanted(line)).filter_map(|line| line.rsplit(' ').next());
            values.filter_map(|value| value.parse::<f64>().ok()).sum::<f64>()
        };
        let engine = "prometheus_engine_query_duration_seconds_sum";
        let http = "prometheus_http_request_duration_seconds_sum{handler=\"/api/v1/query";
        let count = "prometheus_http_request_duration_seconds_count{handler=\"/api/v1/query";
        [
            // `inner_eval` spans preparation, evaluation and sorting without the wait for a turn.
            sum(&|line| {
                line.starts_with(engine)
                    && ["inner_eval", "prepare_time", "result_sort"].iter().any(|slice| line.contains(slice))
            }),
            sum(&|line| line.starts_with(http)),
            sum(&|line| line.starts_with(count)),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn metrics() -> String {
    let pods = [("r1", "a"), ("r1", "b"), ("r1", "c"), ("r1", "d"), ("r2", "e"), ("r2", "f")];
    let scrapes = |revision: &str| {
        let first = if revision == "r1" { START } else { STARTED };
        (first + 7..START + DAY).step_by(15).map(move |second| (second, second - first))
    };
    let mut out = String::from("# TYPE http_requests counter\n");
    let write = |out: &mut String, name: &str, labels: &str, revision: &str, per_second: f64| {
        for (second, age) in scrapes(revision) {
            let value = (age as f64 * per_second).floor();
            writeln!(out, "{name}{{job=\"checkout\",{labels}}} {value} {second}").unwrap();
        }
    };
    let labels = |(revision, pod): (&str, &str), more: &str| {
        format!("instance=\"{pod}:8080\",pod=\"{pod}\",revision=\"{revision}\"{more}")
    };
    for pod in pods {
        for (code, per_second) in [("200", 49.9), ("500", 0.1)] {
            write(&mut out, "http_requests_total", &labels(pod, &format!(",code=\"{code}\"")), pod.0, per_second);
        }
    }
    out.push_str("# TYPE http_request_duration_seconds histogram\n");
    for pod in pods {
        for (le, share) in [("0.05", 0.3), ("0.1", 0.7), ("0.25", 0.9), ("1.0", 0.99), ("5.0", 1.0), ("+Inf", 1.0)] {
            let labels = labels(pod, &format!(",le=\"{le}\""));
            write(&mut out, "http_request_duration_seconds_bucket", &labels, pod.0, 50.0 * share);
        }
    }
    out.push_str("# TYPE up gauge\n");
    for (revision, pod) in pods {
        for (second, _) in scrapes(revision) {
            writeln!(out, "up{{job=\"checkout\",instance=\"{pod}:8080\"}} 1 {second}").unwrap();
        }
    }
    out.push_str("# EOF\n");
    out
}
