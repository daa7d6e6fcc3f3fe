//! The binary beside a real Prometheus: one look, waiting, watching, and a server that dies.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Place, Ran};

const ROLLOUT: &str = r#"
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  sources:
    prom: { prometheus: "http://127.0.0.1:1", canary: 'revision="${revision}"', baseline: 'revision="${stable}"', replica: pod }
  health:
    judge: threshold
    every: 15s
    settle: 0s
    warmUp: 0s
    metrics: [{ name: errors, from: prom, bad: 'http_requests_total{code="500"}', total: http_requests_total, max: 5% }]
  budget: { slos: [availability], burn: { ticket: hold } }
"#;

const AVAILABILITY: &str = r#"
apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  indicator:
    metadata: { name: errors }
    spec:
      ratioMetric:
        counter: true
        bad: { metricSource: { metricSourceRef: prom, type: Prometheus, spec: { query: 'http_requests_total{code="500"}' } } }
        total: { metricSource: { metricSourceRef: prom, type: Prometheus, spec: { query: http_requests_total } } }
  timeWindow: [{ duration: 6h, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.95 }]
  alertPolicies:
    - kind: AlertPolicy
      metadata: { name: page }
      spec:
        conditions:
          - kind: AlertCondition
            metadata: { name: page }
            spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: 1.5, lookbackWindow: 1h } }
"#;

/// A server with some hours of data up to now, and an hour beyond.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// Of the canary `r2` so many of 100 requests fail in the last 20 minutes. Nothing where there is no Prometheus.
    fn start(place: &Place, failing: u64) -> Option<Self> {
        if Command::new("prometheus").arg("--version").output().is_err() {
            assert!(std::env::var_os("DAVY_REQUIRE_PROMETHEUS").is_none(), "prometheus is missing");
            eprintln!("SKIPPED: prometheus is not installed");
            return None;
        }
        place.write("data.om", &metrics(failing));
        let blocks = place.tool("promtool", &["tsdb", "create-blocks-from", "openmetrics", "data.om", "data"]);
        assert_eq!(blocks.code, 0, "{}", blocks.err);
        place.write("prometheus.yml", "");
        // Taken and given back: nobody else asks for it in between.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut process = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=10y"])
            .arg(format!("--web.listen-address={address}"))
            .current_dir(place.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ready = (0..100).any(|_| {
            sleep(Duration::from_millis(100));
            std::net::TcpStream::connect(&address).is_ok()
        });
        if !ready {
            let _ = process.kill();
            panic!("prometheus does not listen");
        }
        sleep(Duration::from_millis(500));
        Some(Self { process, url: format!("http://{address}") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// So many minutes ago, as the command line takes it.
fn ago(minutes: u64) -> String {
    let instant = davy::Instant::EPOCH.plus(davy::Duration::from_secs(seconds() - minutes * 60));
    instant.to_string()
}

fn metrics(failing: u64) -> String {
    let now = seconds();
    let mut out = "# TYPE http_requests counter\n".to_owned();
    let (first, last) = ((now - 7 * 3600) / 15 * 15, now + 3600);
    for (revision, pod, per_scrape) in [("r1", "a", 600), ("r1", "b", 600), ("r2", "c", 400)] {
        for code in ["200", "500"] {
            let mut value = 0;
            for second in (first..last).step_by(15) {
                let begun = revision == "r1" || second > now - 1500;
                let bad = if revision == "r2" && second > now - 1200 { per_scrape * failing / 100 } else { 1 };
                value += match (begun, code) {
                    (false, _) => 0,
                    (true, "500") => bad,
                    (true, _) => per_scrape - bad,
                };
                if begun || second > now - 1560 {
                    let labels = format!("revision=\"{revision}\",pod=\"{pod}\",code=\"{code}\"");
                    writeln!(out, "http_requests_total{{{labels}}} {value} {second}").unwrap();
                }
            }
        }
    }
    out.push_str("# EOF\n");
    out
}

fn place() -> Place {
    let place = Place::new();
    place.write("policy/rollouts.yaml", ROLLOUT);
    place.write("policy/availability.yaml", AVAILABILITY);
    place
}

fn davy(place: &Place, verb: &str, url: &str, more: &[&str]) -> Ran {
    let started = ago(15);
    let release = ["--revision", "r2", "--stable", "r1", "--weight", "25%", "--started", &started];
    place.run(&[&[verb, "--policy", "policy", "--prometheus", url], &release[..], more].concat())
}

#[test]
fn a_healthy_release_may_go_on() {
    let place = place();
    let Some(server) = Server::start(&place, 0) else { return };
    let ran = davy(&place, "decide", &server.url, &["--asked", "50%", "--state", "state.json", "--record", "r.jsonl"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("budget.left"), "{}", ran.out);
    // The next look needs only what is new, and the release is known from the state.
    let args = ["decide", "--policy", "policy", "--prometheus", &server.url, "--revision", "r2", "--stable", "r1"];
    let again = place.run(&[&args[..], &["--asked", "50%", "--weight", "25%", "--state", "state.json"]].concat());
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert_eq!(place.run(&["replay", "r.jsonl"]).code, 0);
}

#[test]
fn a_canary_that_burns_the_budget_is_aborted() {
    let place = place();
    let Some(server) = Server::start(&place, 100) else { return };
    let ran = davy(&place, "decide", &server.url, &["--asked", "promote", "--format", "json"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    for code in ["burn.canary", "health.limit-exceeded"] {
        assert!(ran.out.contains(code), "{code}: {}", ran.out);
    }
}

#[test]
fn a_watch_records_every_look_and_ends_with_the_verdict() {
    let place = place();
    let Some(server) = Server::start(&place, 100) else { return };
    let ran = davy(&place, "run", &server.url, &["--for", "1m", "--record", "looks.jsonl", "--asked", "keep"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert_eq!(place.read("looks.jsonl").lines().count(), 1);
    let ran = davy(
        &place,
        "run",
        &server.url,
        &["--for", "3s", "--record", "looks.jsonl", "--asked", "keep", "--stage", "live"],
    );
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    assert_eq!(place.run(&["replay", "looks.jsonl"]).code, 0);
}

#[test]
fn a_dead_server_makes_davy_blind_and_nothing_else() {
    let place = place();
    let ran = davy(&place, "decide", "http://127.0.0.1:1", &["--asked", "promote", "--timeout", "1s"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("blind") && ran.err.contains("127.0.0.1:1"), "{}{}", ran.out, ran.err);
}

#[test]
fn waiting_ends_when_its_time_is_up() {
    let place = place();
    let begun = std::time::Instant::now();
    let ran =
        davy(&place, "decide", "http://127.0.0.1:1", &["--asked", "promote", "--timeout", "300ms", "--wait", "2s"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_url_with_a_password_is_refused_without_showing_it() {
    let ran = davy(&place(), "decide", "http://ana:hunter2@prometheus:9090", &[]);
    assert_eq!(ran.code, 1);
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
}
