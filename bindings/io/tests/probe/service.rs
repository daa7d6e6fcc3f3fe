//! Flows on their schedules: nothing lost, nothing leaked, a clean stop, and metrics that others can read.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use davy::ProbeVerdict as Verdict;
use davy::probe::Recording;
use davy_io::probe::{
    Board, Endpoint, Job, Prober, ProberConfig, Push, Ran, ServiceConfig, Sink, Stop, Timetable, serve,
};

use crate::server::Server;
use crate::support::{plan, prober};

#[derive(Default)]
struct Kept {
    results: u64,
    recordings: u64,
    verdicts: BTreeMap<Verdict, u64>,
    runs: std::collections::BTreeSet<String>,
    locations: std::collections::BTreeSet<String>,
}

impl Sink for Kept {
    fn take(&mut self, ran: &Ran, recording: Option<&Recording>) -> Result<(), String> {
        self.results += 1;
        self.recordings += u64::from(recording.is_some());
        *self.verdicts.entry(ran.result.verdict).or_default() += 1;
        self.runs.insert(ran.result.run.clone());
        self.locations.extend(ran.result.location.as_ref().map(ToString::to_string));
        Ok(())
    }
}

fn now() -> davy::Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    davy::Instant::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn job(base: &str, spec: &str) -> Job {
    Job {
        plan: plan(base, spec),
        target: "here".parse().unwrap(),
        location: Some("eu-1".parse().unwrap()),
        paired: false,
        baseline: None,
    }
}

/// So many jobs, each with a name of its own.
fn jobs(base: &str, count: usize, spec: &str) -> Vec<Job> {
    let one = |number: usize| {
        let text = format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: flow-{number} }}\nspec:\n  targets: {{ here: {{ baseUrl: \"{base}\", addressPolicy: any }} }}\n{spec}"
        );
        let flows = davy::ProbeFlows::from_files([("flow.yaml", &text)]).unwrap_or_else(|error| panic!("{error}"));
        let plan = std::sync::Arc::clone(flows.iter().next().unwrap());
        Job {
            plan,
            target: "here".parse().unwrap(),
            location: Some("eu-1".parse().unwrap()),
            paired: false,
            baseline: None,
        }
    };
    (0..count).map(one).collect()
}

/// Runs jobs for a while.
fn served(jobs: Vec<Job>, prober: &Prober, time: Duration, config: ServiceConfig) -> (Kept, Board) {
    let mut kept = Kept::default();
    let board = Mutex::new(Board::new(now()));
    let stop = Stop::new();
    let table = Timetable::new(jobs, 7, now());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(time);
            stop.stop();
        });
        serve(prober, table, config, &board, &mut kept, &stop, &Stop::new());
    });
    (kept, board.into_inner().unwrap())
}

const STEP: &str =
    "  steps: [{ id: a, timeout: 2s, request: { path: /ok }, expect: { status: 200, body: { contains: Welcome } } }]\n";

#[test]
fn what_is_due_runs_and_is_recorded_and_labelled() {
    let server = Server::plain();
    let schedule = "  schedule: { every: 200ms, jitter: 10%, timeout: 150ms, teardownTimeout: 10ms, locations: [eu-1, us-1] }\n  record: { keep: all }\n";
    let spec = format!("{schedule}{}", STEP.replace("timeout: 2s", "timeout: 100ms"));
    let (kept, board) =
        served(vec![job(&server.base(), &spec)], &prober(), Duration::from_millis(2100), ServiceConfig::default());
    assert!((8..=12).contains(&kept.results), "{}", kept.results);
    assert!(kept.recordings == kept.results && kept.runs.len() as u64 == kept.results);
    assert_eq!(kept.locations.into_iter().collect::<Vec<_>>(), ["eu-1"]);
    let text = board.to_openmetrics();
    assert!(text.contains("location=\"eu-1\"") && text.contains("davy_prober_runs_total{result=\"good\"}"), "{text}");
    assert_eq!(board.prober().availability(), Some(1.0));
}

#[test]
fn answers_of_another_shape_are_measured() {
    let server = Server::plain();
    let spec = "  schedule: { every: 200ms, jitter: 1%, timeout: 150ms, teardownTimeout: 10ms }\n  steps: [{ id: a, timeout: 100ms, request: { path: /gzip }, expect: { status: 200, jsonpath: { $.packed: true } } }]\n";
    let mut job = job(&server.base(), spec);
    let mut before = davy::probe::Shapes::default();
    before.add("a", &serde_json::json!({ "packed": "yes", "gone": 1 }));
    job.baseline = Some(std::sync::Arc::new(before));
    let elsewhere = Job { location: Some("us-1".parse().unwrap()), ..job.clone() };
    let (_, mut board) = served(vec![job], &prober(), Duration::from_secs(1), ServiceConfig::default());
    // What is as it was in one place does not hide what is not in another.
    board.set_drift(&elsewhere, Vec::new());
    let text = board.to_openmetrics();
    for kind in ["removed", "typeChanged"] {
        let line = format!(
            "davy_probe_drift{{flow=\"shop\",target=\"here\",location=\"eu-1\",step=\"a\",kind=\"{kind}\"}} 1\n"
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn a_run_that_overlaps_is_skipped_and_blames_nobody() {
    let server = Server::plain();
    let spec = "  schedule: { every: 250ms, jitter: 1%, timeout: 230ms, teardownTimeout: 10ms }\n  steps: [{ id: a, timeout: 220ms, request: { path: /slow }, expect: { status: 200, body: { minBytes: 1 } } }]\n";
    // Three flows of 150 ms each, and one worker: more than there is time for.
    let config = ServiceConfig { workers: 1, ..ServiceConfig::default() };
    let (kept, board) = served(jobs(&server.base(), 3, spec), &prober(), Duration::from_secs(2), config);
    let counts = board.prober();
    assert!(counts.overlapping >= 3 && kept.results >= 5, "{counts:?}");
    assert_eq!(counts.availability(), Some(1.0));
}

#[test]
fn a_prober_that_cannot_run_what_is_due_says_so_in_its_own_indicator() {
    let spec = format!(
        "  secrets: {{ pw: \"file:/nowhere/at/all\" }}\n  schedule: {{ every: 100ms, jitter: 1%, timeout: 90ms, teardownTimeout: 10ms }}\n{}",
        STEP.replace("timeout: 2s", "timeout: 80ms")
            .replace("path: /ok", "path: /ok, headers: { x-key: \"${secrets.pw}\" }")
    );
    let (kept, board) =
        served(vec![job("http://127.0.0.1:1", &spec)], &prober(), Duration::from_secs(1), ServiceConfig::default());
    assert!(kept.results > 5 && board.prober().availability() == Some(0.0), "{:?}", board.prober());
    // The service is not blamed: its own counts have neither good nor bad events.
    assert!(!board.to_openmetrics().contains("verdict=\"fail\""));
}

#[test]
fn it_stops_at_once_after_its_grace_and_cleans_up() {
    let server = Server::plain();
    let spec = "  schedule: { every: 30s, jitter: 1%, timeout: 20s, teardownTimeout: 5s }\n  steps: [{ id: a, timeout: 1s, request: { path: /ok }, poll: { until: { status: 404 }, every: 1s, max: 15s }, expect: { status: 404, body: { minBytes: 1 } } }]\n  teardown: [{ id: bye, request: { method: DELETE, path: /ok }, expect: { status: 200 } }]\n";
    let plan = plan(&server.base(), spec);
    // A timetable that is asked as if it were time already.
    let job = Job { plan, target: "here".parse().unwrap(), location: None, paired: false, baseline: None };
    let table = Timetable::new([job], 7, now().minus(davy::Duration::from_secs(30)));
    let mut kept = Kept::default();
    let board = Mutex::new(Board::new(now()));
    let stop = Stop::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(600));
            stop.stop();
        });
        let config = ServiceConfig { workers: 2, grace: Duration::from_millis(300) };
        serve(&prober(), table, config, &board, &mut kept, &stop, &Stop::new());
    });
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(kept.verdicts.keys().copied().collect::<Vec<_>>(), [Verdict::Skipped]);
    assert_eq!(server.seen().last().unwrap().method, "DELETE");
}

#[test]
fn prometheus_reads_the_metrics() {
    let server = Server::plain();
    let prober = prober();
    let board = Mutex::new(Board::new(now()));
    for path in ["/close", "/flaky/x", "/ok"] {
        let spec = format!(
            "  slos: [{{ name: shop-availability, objective: 90%, period: 30d }}]\n  steps: [{{ id: a, request: {{ path: {path} }}, expect: {{ status: 200, body: {{ minBytes: 1 }} }} }}]\n"
        );
        board
            .lock()
            .unwrap()
            .add(&prober.run(&plan(&server.base(), &spec), &crate::support::here(), &Stop::new()).unwrap().result);
    }
    let text = board.lock().unwrap().to_openmetrics();
    let families = [
        "probe_success",
        "probe_duration_seconds",
        "probe_http_status_code",
        "davy_probe_runs_total",
        "davy_probe_step_seconds_bucket",
        "davy_probe_slo_events_total",
    ];
    for family in families {
        assert!(text.contains(family), "{family} in {text}");
    }
    // Prometheus' own tool, in the text format that it takes: without the mark of OpenMetrics' end.
    let Ok(mut tool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    else {
        assert!(std::env::var_os("DAVY_REQUIRE_PROMETHEUS").is_none(), "promtool is required and not there");
        eprintln!("SKIPPED: no promtool");
        return;
    };
    tool.stdin.take().unwrap().write_all(text.replace("# EOF\n", "").replace("# UNIT", "# units:").as_bytes()).unwrap();
    let said = tool.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&said.stderr).into_owned();
    // Its style rules are for the old text format, which names counters by their whole name; nothing else is amiss.
    assert!(!complaints.contains("error"), "{complaints}");
}

#[test]
fn the_endpoint_answers_what_it_has_and_survives_what_it_is_sent() {
    let board = Mutex::new(Board::new(now()));
    let endpoint = Endpoint::bind("127.0.0.1:0").unwrap();
    let address = endpoint.address().unwrap();
    let stop = Stop::new();
    std::thread::scope(|scope| {
        scope.spawn(|| endpoint.serve(&board, &stop));
        let ask = |request: &[u8]| {
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(request);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        };
        assert!(ask(b"GET /healthz HTTP/1.1\r\n\r\n").ends_with("\r\n\r\nok\n"));
        assert!(ask(b"GET /metrics?x=1 HTTP/1.1\r\n\r\n").ends_with("# EOF\n"));
        assert!(ask(b"HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
        assert!(ask(b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(b"POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        for garbage in [&b"\r\n\r\n"[..], b"GET", &[0xff; 20_000], b""] {
            ask(garbage);
        }
        assert!(ask(b"GET /healthz HTTP/1.1\r\n\r\n").ends_with("ok\n"));
        stop.stop();
    });
}

#[test]
fn metrics_are_sent_to_a_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let collector = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        let mut part = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                if length.is_some_and(|length| body.len() >= length.parse::<usize>().unwrap()) {
                    stream.write_all(b"HTTP/1.1 200 ok\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                    return text;
                }
            }
            let count = stream.read(&mut part).unwrap();
            read.extend_from_slice(&part[..count]);
        }
    });
    let server = Server::plain();
    let board = Mutex::new(Board::new(now()));
    let result = prober().run(&plan(&server.base(), STEP), &crate::support::here(), &Stop::new()).unwrap().result;
    board.lock().unwrap().add(&result);
    let push = Push::new(&format!("http://{address}"), Duration::from_secs(60)).unwrap();
    push.send(&board).unwrap();
    let sent = collector.join().unwrap();
    assert!(
        sent.starts_with("POST /v1/metrics HTTP/1.1\r\n")
            && sent.to_lowercase().contains("content-type: application/json")
    );
    let body: serde_json::Value = serde_json::from_str(sent.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["name"], "davy.probe.runs");
    assert!(push.send(&board).is_err(), "nobody listens any more");
}

/// How much memory this process has, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}

/// 200 flows a second with faults among the answers. `DAVY_SOAK_SECONDS` makes it longer than its few seconds.
#[test]
fn a_soak_loses_nothing_leaks_nothing_and_stops() {
    let seconds: u64 = std::env::var("DAVY_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let server = Server::plain();
    server.forget();
    let spec = "  schedule: { every: 1s, jitter: 5%, timeout: 900ms, teardownTimeout: 100ms }\n  slos: [{ name: shop, objective: 80%, period: 30d }]\n  steps: [{ id: a, timeout: 800ms, request: { path: /faulty }, expect: { status: 200, body: { contains: Welcome } } }]\n";
    let prober = Prober::new(ProberConfig::default()).unwrap();
    // What is allocated once is there before anything is measured.
    served(jobs(&server.base(), 200, spec), &prober, Duration::from_millis(1500), ServiceConfig::default());
    let before = resident();
    let begun = Instant::now();
    let (kept, board) =
        served(jobs(&server.base(), 200, spec), &prober, Duration::from_secs(seconds), ServiceConfig::default());
    let took = begun.elapsed();
    let grown = resident().saturating_sub(before);
    let counts = board.prober();
    let due = counts.carried_out + counts.failed + counts.missed + counts.overlapping + counts.cancelled;
    println!(
        "soak: {seconds} s, {} results of {due} due, {} runs/s, {counts:?}, {:?}, memory {before} KiB + {grown} KiB, stopped {:?} after the end",
        kept.results,
        kept.results / seconds,
        kept.verdicts,
        took.saturating_sub(Duration::from_secs(seconds))
    );
    // Every run that was carried out or failed has one result and one name.
    assert_eq!(kept.results, counts.carried_out + counts.failed + counts.cancelled);
    assert_eq!(kept.runs.len() as u64, kept.results);
    // A machine that is busy with other things lets runs overlap; none of them is lost without a word.
    assert!(kept.results > 100, "{counts:?}");
    let failed = kept.verdicts.get(&Verdict::Fail).copied().unwrap_or_default();
    // One answer in ten is a fault.
    assert!(failed * 20 > kept.results && failed * 6 < kept.results, "{failed} of {}", kept.results);
    assert_eq!(counts.failed, 0);
    assert!(grown < 16 << 10, "{grown} KiB more");
    assert!(took < Duration::from_secs(seconds + 15), "it does not stop");
}
