//! `davy probe`: run, record, replay, mutate, compare, serve; and decide from what flows found out.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Place, Ran};

/// A service that answers every request the same way; `broken` and `other` change its mind.
struct Service {
    address: SocketAddr,
    mood: Arc<AtomicU8>,
}

const FINE: u8 = 0;
const BROKEN: u8 = 1;
const OTHER: u8 = 2;
/// Only the canary is broken.
const CANARY: u8 = 3;

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, mood) = (listener.local_addr().unwrap(), Arc::new(AtomicU8::new(FINE)));
        let own = Arc::clone(&mood);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mood = own.load(Ordering::Relaxed);
                std::thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
                        head.push(byte[0]);
                    }
                    let is_canary = String::from_utf8_lossy(&head).contains("x-canary: always");
                    let (status, body) = match mood {
                        BROKEN => (500, r#"{"error":"oops"}"#),
                        CANARY if is_canary => (500, r#"{"error":"oops"}"#),
                        OTHER => (200, r#"{"total":"31.5","extra":1}"#),
                        _ => (200, r#"{"total":31.5,"items":[{"sku":"A1"}]}"#),
                    };
                    let _ = stream.write_all(
                        format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{body}", body.len()).as_bytes(),
                    );
                });
            }
        });
        Self { address, mood }
    }

    fn is(&self, mood: u8) {
        self.mood.store(mood, Ordering::Relaxed);
    }

    /// A place with a flow against it.
    fn place(&self, expect: &str, more: &str) -> Place {
        let place = Place::new();
        let flow = format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: shop }}\nspec:\n  targets:\n    here: {{ baseUrl: \"http://{}\", addressPolicy: any, canary: {{ headers: {{ x-canary: always }} }}, baseline: {{ headers: {{ x-canary: never }} }} }}\n  steps:\n    - {{ id: cart, request: {{ path: / }}, expect: {{ status: 200, {expect} }} }}\n{more}",
            self.address
        );
        place.write("flows/shop.yaml", &flow);
        place
    }
}

fn probe(place: &Place, args: &[&str]) -> Ran {
    place.run(&[&["probe"], args].concat())
}

const STRICT: &str =
    "jsonpath: { $.total: { type: number, gt: 0 }, \"$.items[*].sku\": { all: { type: string, empty: false } } }";
const LOOSE: &str = "jsonpath: { $.total: { exists: true } }";

#[test]
fn a_run_says_what_it_found_and_ends_with_its_verdict() {
    let service = Service::start();
    let place = service.place(STRICT, "");
    let ran = probe(&place, &["run", "flows"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.starts_with("pass: shop against here in "), "{}", ran.out);
    service.is(BROKEN);
    let ran = probe(&place, &["run", "flows", "--location", "eu-1"]);
    assert_eq!(ran.code, 4);
    assert!(ran.out.starts_with("fail: shop against here from eu-1 in "), "{}", ran.out);
    assert!(ran.out.contains("status: expected 200, found 500 (shop.yaml:8:"), "{}", ran.out);
    let ran = probe(&place, &["run", "flows/shop.yaml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((json["verdict"].as_str(), ran.code), (Some("fail"), 4));
    let ran = probe(&place, &["run", "flows", "--format", "junit"]);
    assert!(ran.out.contains("<testsuite name=\"shop\"") && ran.out.contains("<failure message="), "{}", ran.out);
    let ran = probe(&place, &["run", "flows", "--format", "openmetrics"]);
    assert!(ran.out.contains("probe_success{flow=\"shop\",target=\"here\"} 0") && ran.out.ends_with("# EOF\n"));
    let ran = probe(&place, &["run", "flows", "--format", "otlp"]);
    assert!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()["resourceMetrics"].is_array());
}

#[test]
fn the_probers_own_failures_and_wrong_arguments_have_their_own_codes() {
    let service = Service::start();
    let place = service.place(STRICT, "  secrets: { pw: \"env:DAVY_TEST_NO_SUCH_SECRET\" }\n");
    let text = place.read("flows/shop.yaml").replace("path: /", "path: /, headers: { x-key: \"${secrets.pw}\" }");
    place.write("flows/shop.yaml", &text);
    let ran = probe(&place, &["run", "flows"]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("DAVY_TEST_NO_SUCH_SECRET"), "{}", ran.out);
    for (args, code, says) in [
        (&["run", "flows", "--flow", "nobody"][..], 1, "`shop`"),
        (&["run", "flows", "--target", "nowhere"], 1, "`here`"),
        (&["run", "flows", "--proxy", "socks://x:pa55word@y"], 1, "a proxy is"),
        (&["run", "flows", "--ca", "rollouts.yaml"], 1, "no certificate"),
        (&["run", "nowhere"], 1, "cannot read"),
        (&["run"], 2, "Usage"),
        (&["serve", "flows"], 1, "no flow has a `schedule`"),
    ] {
        let ran = probe(&place, args);
        assert!(ran.code == code && ran.err.contains(says), "{args:?}: {} {}", ran.code, ran.err);
        assert!(!ran.err.contains("pa55word"));
    }
    place.write("flows/shop.yaml", &text.replace("status: 200", "stattus: 200"));
    let ran = probe(&place, &["lint", "flows"]);
    assert!(
        ran.code == 1 && ran.out.contains("error P001") && ran.out.contains("did you mean `status`?"),
        "{}",
        ran.out
    );
}

#[test]
fn recordings_are_replayed_broken_and_compared() {
    let service = Service::start();
    let place = service.place(LOOSE, "  drift: { baseline: before.jsonl, failOn: [removed] }\n");
    let ran = probe(&place, &["record", "flows", "--out", "flows/before.jsonl", "--runs", "2", "--pause", "10ms"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "2 runs recorded, the worst of them: pass\n"), "{}", ran.err);
    let ran = probe(&place, &["replay", "flows", "flows/before.jsonl"]);
    assert!(ran.code == 0 && ran.out.matches("pass: shop").count() == 2, "{} {}", ran.out, ran.err);
    // Nobody would notice most of what can break.
    let ran = probe(&place, &["mutate", "flows", "flows/before.jsonl"]);
    assert!(ran.code == 4 && ran.out.contains("does not notice that `/items` is missing"), "{}", ran.out);
    let ran = probe(&place, &["lint", "flows", "--recordings", "flows/before.jsonl"]);
    assert!(ran.code == 0 && ran.out.contains("warning P024"), "{}", ran.out);
    // Another shape.
    service.is(OTHER);
    probe(&place, &["record", "flows", "--out", "after.jsonl", "--runs", "1"]);
    let ran = probe(&place, &["drift", "flows", "after.jsonl"]);
    assert!(ran.code == 4 && ran.out.contains("fail: cart $.items removed"), "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("note: cart $.total typeChanged: was number, is string"), "{}", ran.out);
    assert_eq!(probe(&place, &["drift", "flows", "flows/before.jsonl"]).code, 0);
    // A recording that was tampered with comes to another result.
    let tampered = place.read("flows/before.jsonl").replace("\"status\":200", "\"status\":201");
    place.write("tampered.jsonl", &tampered);
    let ran = probe(&place, &["replay", "flows", "tampered.jsonl"]);
    assert!(ran.code == 1 && ran.err.contains("Q034"), "{} {}", ran.out, ran.err);
    // A stricter version of the flow: another flow, unless one asks what it would have said.
    let strict = place.read("flows/shop.yaml").replace(LOOSE, STRICT);
    place.write("flows/shop.yaml", &strict);
    let ran = probe(&place, &["replay", "flows", "after.jsonl"]);
    assert!(ran.code == 1 && ran.err.contains("Q030"), "{}", ran.err);
    let ran = probe(&place, &["replay", "flows", "after.jsonl", "--what-if"]);
    assert!(ran.code == 4 && ran.out.contains("expected of type number"), "{}", ran.out);
    let ran = probe(&place, &["lint", "flows", "--recordings", "flows/before.jsonl"]);
    assert!(ran.out.contains("P023"), "{}", ran.out);
    // With expectations on everything nothing goes unnoticed.
    place.write("fine.jsonl", "");
    service.is(FINE);
    probe(&place, &["record", "flows", "--out", "fine.jsonl", "--runs", "1"]);
    let ran = probe(&place, &["mutate", "flows", "fine.jsonl"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "no broken answers would go unnoticed\n"));
}

#[test]
fn what_a_browser_recorded_is_judged() {
    let service = Service::start();
    let place = service.place(STRICT, "");
    let har = serde_json::json!({ "log": { "version": "1.2", "creator": { "name": "x", "version": "1" }, "entries": [{
        "startedDateTime": "2026-11-26T10:00:00Z", "time": 12.5,
        "request": { "method": "GET", "url": format!("http://{}/", service.address), "httpVersion": "HTTP/1.1", "headers": [] },
        "response": { "status": 200, "httpVersion": "HTTP/1.1", "headers": [], "content": { "size": 37, "mimeType": "application/json", "text": "{\"total\":1,\"items\":[{\"sku\":\"A\"}]}" } },
        "timings": { "send": 1, "wait": 10, "receive": 1.5 } }] } });
    place.write("page.har", &har.to_string());
    let ran = probe(&place, &["har", "flows", "page.har", "--record", "browser.jsonl"]);
    assert!(ran.code == 0 && ran.out.starts_with("pass: shop"), "{} {}", ran.out, ran.err);
    assert_eq!(probe(&place, &["replay", "flows", "browser.jsonl"]).code, 0);
    place.write("page.har", "{}");
    assert!(probe(&place, &["har", "flows", "page.har"]).err.contains("Q040"));
}

#[test]
fn imports_are_found_wherever_a_flow_is_named_from() {
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let place = Place::new();
    for path in ["probes", "probes/checkout.yaml"] {
        let path = policies.join(path);
        let ran = probe(&place, &["lint", path.to_str().unwrap(), "--deny-warnings"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "no errors, no warnings\n"), "{}", ran.err);
    }
    let schema = probe(&place, &["schema"]);
    assert!(serde_json::from_str::<serde_json::Value>(&schema.out).unwrap()["oneOf"].is_array());
}

#[test]
fn a_service_of_probes_serves_metrics_and_ends_when_it_is_told_to() {
    let service = Service::start();
    let place = service.place(STRICT, "  schedule: { every: 200ms, jitter: 10%, timeout: 180ms, teardownTimeout: 10ms, locations: [eu-1, us-1] }\n  defaults: { timeout: 150ms }\n  record: { keep: all }\n");
    let ran = probe(&place, &["serve", "flows"]);
    assert!(ran.code == 1 && ran.err.contains("one of `eu-1`, `us-1`"), "{}", ran.err);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let args = [
        "probe",
        "serve",
        "flows",
        "--location",
        "eu-1",
        "--listen",
        &listen,
        "--results",
        "results.jsonl",
        "--record",
        "corpus.jsonl",
    ];
    let mut serving = place.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let metrics = loop {
        assert!(begun.elapsed() < Duration::from_secs(30), "no metrics");
        std::thread::sleep(Duration::from_millis(100));
        let Ok(mut stream) = std::net::TcpStream::connect(&listen) else { continue };
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if answer.contains("probe_success") {
            break answer;
        }
    };
    assert!(metrics.contains("probe_success{flow=\"shop\",target=\"here\",location=\"eu-1\"} 1"), "{metrics}");
    let told = std::process::Command::new("kill").args(["-TERM", &serving.id().to_string()]).status().unwrap();
    assert!(told.success() && serving.wait().unwrap().success());
    let mut said = String::new();
    serving.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("runs carried out"), "{said}");
    let lines = place.read("results.jsonl").lines().count();
    assert!(lines >= 1 && place.read("corpus.jsonl").lines().count() == lines);
    assert_eq!(probe(&place, &["replay", "flows", "corpus.jsonl"]).code, 0);
}

const ROLLOUT: &str = "\
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  probes: [{ flow: shop, patience: 1, within: 1h }]
  holdLimit: { after: 2h, then: fail }
";

#[test]
fn a_decision_sees_what_flows_found_out_and_tells_the_canary_from_upstream() {
    let service = Service::start();
    let decide = |mood: u8| {
        service.is(mood);
        let place = service.place(STRICT, "");
        place.write("bundle/rollouts.yaml", ROLLOUT);
        place.write("bundle/shop.yaml", &place.read("flows/shop.yaml"));
        let started = a_minute_ago();
        let ran = probe(&place, &["run", "flows", "--pair", "--format", "json"]);
        place.write("results.jsonl", &ran.out);
        place.write("intervals.jsonl", "");
        let ran = place.run(&[
            "decide",
            "--policy",
            "bundle",
            "--revision",
            "r2",
            "--stable",
            "r1",
            "--asked",
            "promote",
            "--weight",
            "50%",
            "--started",
            &started,
            "--intervals",
            "intervals.jsonl",
            "--probes",
            "results.jsonl",
        ]);
        (ran.code, ran.out + &ran.err)
    };
    let (code, said) = decide(FINE);
    assert_eq!(code, 0, "{said}");
    let (code, said) = decide(CANARY);
    assert_eq!(code, 4, "{said}");
    // What fails for both is upstream of the canary, and holds.
    let (code, said) = decide(BROKEN);
    assert_eq!(code, 3, "{said}");
}

/// A minute ago.
fn a_minute_ago() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    davy::Instant::from_millis(i64::try_from(since.as_millis()).unwrap() - 60_000).to_string()
}

/// A flow against the service whose only step a plugin takes.
fn by_plugin(service: &Service, keys: &str) -> Place {
    let place = Place::new();
    let text = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/plugins/ping.wat");
    let out = place.path("flows/ping.wasm");
    std::fs::create_dir(place.path("flows")).unwrap();
    let built = place.run(&["plugin", "build", text.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(built.code, 0, "{}", built.err);
    let digest = built.out.lines().find_map(|line| line.trim().strip_prefix("digest")).unwrap().trim().to_owned();
    place.write(
        "flows/ping.yaml",
        &format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: ping }}\nspec:\n  schedule: {{ every: 500ms, jitter: 10%, timeout: 400ms, teardownTimeout: 10ms }}\n  defaults: {{ timeout: 350ms }}\n  targets:\n    here: {{ baseUrl: \"http://{}\", addressPolicy: any }}\n  steps:\n    - {{ id: ping, wasm: {{ path: ping.wasm, digest: {digest}, turns: 1, {keys} }} }}\n",
            service.address
        ),
    );
    place
}

#[test]
fn steps_of_plugins_are_taken_recorded_and_replayed_without_them() {
    let service = Service::start();
    let place = by_plugin(&service, "captures: [token]");
    let fine = probe(&place, &["run", "flows", "--record", "runs.jsonl"]);
    assert_eq!(fine.code, 0, "{}{}", fine.out, fine.err);
    service.is(BROKEN);
    let broken = probe(&place, &["run", "flows/ping.yaml", "--record", "runs.jsonl"]);
    assert_eq!(broken.code, 4, "{}{}", broken.out, broken.err);
    assert!(broken.out.contains("not 200"), "{}", broken.out);
    // A replay hands the recorded turns to the machine, not to the plugin.
    let replayed = probe(&place, &["replay", "flows", "runs.jsonl"]);
    assert_eq!(replayed.code, 4, "{}{}", replayed.out, replayed.err);
    assert!(!replayed.out.contains("differs"), "{}", replayed.out);
}

#[test]
fn a_prober_that_serves_takes_the_steps_of_plugins() {
    let service = Service::start();
    let place = by_plugin(&service, "captures: [token]");
    let served = probe(&place, &["serve", "flows", "--results", "results.jsonl", "--for", "2500ms"]);
    assert_eq!(served.code, 0, "{}", served.err);
    let results = place.read("results.jsonl");
    assert!(results.lines().count() >= 1 && results.contains("\"pass\""), "{results}");
}

#[test]
fn steps_that_plugins_do_not_take_as_they_say_are_refused_where_they_stand() {
    let service = Service::start();
    for (keys, expected) in [
        ("captures: [cookie]", "the plugin `ping` does not capture `cookie`"),
        ("parameters: { tries: 10 }", "parameter tries: expected a whole number to 9, found `10`"),
        ("parameters: { tires: '${target.name}' }", "parameter tires: unknown parameter; known here: `tries`"),
    ] {
        let place = by_plugin(&service, keys);
        let linted = probe(&place, &["lint", "flows"]);
        assert!(linted.code == 1 && linted.out.contains(expected), "{}", linted.out);
        assert!(linted.out.contains("flows/ping.yaml:10:"), "{}", linted.out);
        let ran = probe(&place, &["run", "flows"]);
        assert!(ran.code == 1 && ran.err.contains(expected), "{}", ran.err);
    }
    // What only a run fills in is nobody's to check before.
    let open = by_plugin(&service, "parameters: { tries: '${target.name}' }");
    assert_eq!(probe(&open, &["lint", "flows"]).code, 0);
}
