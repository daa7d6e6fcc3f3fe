//! A secret planted in a run comes out nowhere: not in results, metrics, recordings, logs, the endpoint or a panic.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use davy::probe::{ProbeMetrics, Recording, json_lines, junit, survivors, text};
use davy_io::probe::{Board, Endpoint, Prober, ProberConfig, Proxy, Stop, Target};

use crate::server::{PASSWORD, Server, TOKEN, base64};
use crate::support::{here, plan};

/// Everything that libraries log, down to `DEBUG`. At `TRACE` the HTTP library writes the very bytes of the wire, which
/// the documentation of `davy_io::probe` warns of.
#[derive(Default)]
struct Logs(Mutex<Vec<String>>);

impl log::Log for Logs {
    fn enabled(&self, of: &log::Metadata<'_>) -> bool {
        of.level() <= log::Level::Debug
    }
    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {} {}", record.level(), record.target(), record.args()));
    }
    fn flush(&self) {}
}

static LOGS: Logs = Logs(Mutex::new(Vec::new()));

fn canaries() -> Vec<String> {
    let percent: String = PASSWORD
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let encoded = |text: &str| base64(text).trim_end_matches('=').to_owned();
    vec![
        PASSWORD.to_owned(),
        percent,
        encoded(PASSWORD),
        encoded(&format!("me:{PASSWORD}")),
        TOKEN.to_owned(),
        "c00kie-of-the-echo".to_owned(),
    ]
}

#[test]
fn a_service_that_repeats_everything_tells_no_secret_to_anyone() {
    log::set_logger(&LOGS).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let server = Server::plain();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pw"), PASSWORD).unwrap();
    let step = |id: &str, request: &str| {
        let first = id == "a";
        let capture = if first { "capture: { token-a: { jsonpath: $.token, redact: true } }, " } else { "" };
        let token = if first { "" } else { " ${token-a}" };
        format!(
            "    - {{ id: {id}, severity: should, request: {request}, {capture}expect: {{ status: 200, header: {{ x-echo: nothing }}, jsonpath: {{ $.echo: {{ equals: \"not ${{secrets.pw}}{token}\" }} }}, body: {{ equals: nothing }} }} }}\n"
        )
    };
    let spec = format!(
        "  secrets: {{ pw: \"file:{}/pw\" }}\n  steps:\n{}{}{}{}  teardown: []\n  slos: [{{ name: shop, objective: 90%, period: 30d }}]\n",
        folder.path().display(),
        step(
            "a",
            "{ method: POST, path: /echo, query: { p: \"${secrets.pw}\" }, json: { password: \"${secrets.pw}\" } }"
        ),
        step(
            "b",
            "{ method: POST, path: /echo, form: { password: \"${secrets.pw}\" }, auth: { basic: { user: me, password: \"${secrets.pw}\" } } }"
        ),
        step("c", "{ path: /echo, auth: { bearer: \"${token-a}\" }, headers: { x-key: \"${secrets.pw}\" } }"),
        step("d", "{ path: \"/redirect\", query: { to: \"/echo?${secrets.pw}\" } }")
            .replace("status: 200", "status: 404"),
    );
    let plan = plan(&server.base(), &spec);
    let prober = Prober::new(ProberConfig::default()).unwrap();
    let ran = prober.run(&plan, &Target { record: true, ..here() }, &Stop::new()).unwrap();
    let (result, recording) = (ran.result, ran.recording.unwrap());

    let mut metrics = ProbeMetrics::default();
    metrics.add(&result);
    let board = Mutex::new(Board::new(result.started));
    board.lock().unwrap().add(&result);
    let results = [result.clone()];
    let replayed = recording.replay(&plan).unwrap();
    // A thread that panics with everything in its hands.
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        panic!("{result:?} {recording:?} {prober:?} {plan:?}")
    }))
    .unwrap_err();
    let panicked = payload.downcast_ref::<String>().unwrap().clone();
    let outputs = [
        ("text", text(&result)),
        ("json", json_lines(&results)),
        ("junit", junit(&results)),
        ("openmetrics", metrics.to_openmetrics()),
        ("otlp", metrics.to_otlp(result.started, result.ended).to_string()),
        ("recording", recording.to_line()),
        ("replay", text(&replayed)),
        ("survivors", format!("{:?}", survivors(&plan, std::slice::from_ref(&recording)))),
        ("endpoint", endpoint(&board)),
        ("debug", format!("{result:?} {recording:?} {prober:?}")),
        ("panic", panicked),
        ("proxy", format!("{:?}", Proxy::new(&format!("http://me:{TOKEN}@127.0.0.1:1")).unwrap())),
        ("logs", LOGS.0.lock().unwrap().join("\n")),
    ];
    for (name, output) in &outputs {
        for canary in canaries() {
            let at = output.find(&canary);
            let around = at.map(|at| output[at.saturating_sub(300)..].chars().take(600).collect::<String>());
            assert!(at.is_none(), "{name} tells {canary}: {}", around.unwrap());
        }
    }
    // The negative controls: the service was told, it repeated everything, and the outputs speak of it.
    let seen: String =
        server.seen().iter().map(|seen| format!("{} {:?} {}", seen.query, seen.headers, seen.body)).collect();
    for canary in canaries() {
        assert!(seen.contains(&canary) || canary == base64(PASSWORD).trim_end_matches('='), "{canary} was never sent");
    }
    assert!(outputs[0].1.contains("redacted.secrets.pw") && outputs[5].1.contains("redacted.token"));
    assert!(outputs[12].1.contains("ureq"), "nothing was logged");
    assert_eq!(replayed.judgement(), result.judgement());
    assert_eq!(Recording::from_lines(&recording.to_line()).unwrap(), [recording]);
}

fn endpoint(board: &Mutex<Board>) -> String {
    let endpoint = Endpoint::bind("127.0.0.1:0").unwrap();
    let address = endpoint.address().unwrap();
    let stop = Arc::new(Stop::new());
    std::thread::scope(|scope| {
        scope.spawn(|| endpoint.serve(board, &stop));
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        stop.stop();
        answer
    })
}
