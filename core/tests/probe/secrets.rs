//! No output ever shows a secret, however the service repeats it.

use base64::Engine as _;
use davy::ProbeVerdict as Verdict;
use davy::probe::Event;

use crate::host::{Host, SECRET, plan, response};

const FLOW: &str = "  secrets: { pw: env:PW }
  steps:
    - id: login
      request: { method: POST, path: \"/login/${secrets.pw}\", query: { p: \"${secrets.pw}\" }, auth: { basic: { user: me, password: \"${secrets.pw}\" } }, json: { password: \"${secrets.pw}\" } }
      capture: { token: { jsonpath: $.token, redact: true } }
      expect:
        status: 200
        header: { x-echo: nothing }
        jsonpath: { $.echo: { equals: \"not ${secrets.pw}\" } }
        body: { equals: nothing }
      severity: should
    - id: use
      request: { path: /me, auth: { bearer: \"${token}\" }, headers: { x-token: \"${token}\" } }
      expect: { status: 200, body: { equals: x } }
      severity: should
  teardown: []
";
const TOKEN: &str = "t0ken-of-th3-session";
const COOKIE: &str = "c00kie-of-the-session";

#[test]
fn a_service_that_echoes_everything_tells_no_secret_to_anyone() {
    let plan = plan(FLOW);
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("me:{SECRET}"));
    let mut host = Host::new(|request, _| {
        let echo = format!("{} {:?} {}", request.url, request.headers, String::from_utf8_lossy(&request.body.0));
        let values: Vec<&str> = request.headers.iter().map(|header| header.value.as_str()).collect();
        let body = serde_json::json!({ "token": TOKEN, "echo": format!("{echo} {values:?} {SECRET}") });
        let mut response = response(200, &body.to_string());
        response.headers.push(("x-echo".to_owned(), format!("{SECRET} {values:?}")));
        response.headers.push(("set-cookie".to_owned(), format!("sid={COOKIE}; Path=/")));
        Event::Http(Box::new(response))
    });
    let mut run = host.begin(&plan);
    let result = host.finish(&mut run);
    assert_eq!(result.verdict, Verdict::Degraded);
    let percent: String = SECRET
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let canaries =
        [SECRET, TOKEN, COOKIE, &encoded, &percent, &base64::engine::general_purpose::STANDARD.encode(SECRET)];
    let recording = run.recording().unwrap();
    let outputs = [
        serde_json::to_string(&result).unwrap(),
        format!("{result:?}"),
        recording.to_line(),
        format!("{recording:?}"),
        format!("{run:?}"),
        format!("{:?}", run.sessions()),
        format!("{:?}", host.asked),
        format!("{:?}", run.poll(host.now)),
        format!("{:?}", Event::Secret(davy::probe::SecretValue(SECRET.to_owned()))),
    ];
    for (number, output) in outputs.iter().enumerate() {
        for canary in &canaries {
            assert!(!output.contains(canary), "output {number} tells {canary}: {output}");
        }
    }
    // The negative control: what the host sends does carry them.
    let sent = serde_json::to_string(&host.asked).unwrap();
    for canary in [&encoded, TOKEN, COOKIE, &percent] {
        assert!(sent.contains(canary), "{canary}");
    }
    assert!(outputs[0].contains("redacted.secrets.pw") && outputs[2].contains("redacted.token"));
    assert_eq!(recording.replay(&plan).unwrap().verdict, result.verdict);
}

#[test]
fn a_recording_leaves_out_what_the_flow_names() {
    let plan = plan(
        "  steps: [{ id: a, request: { path: / }, expect: { status: 200, jsonpath: { $.ok: true } } }]\n  record: { keep: all, redact: [header:X-Customer, \"$..email\"] }\n",
    );
    let mut host = Host::new(|_, _| {
        let mut response =
            response(200, r#"{"ok":true,"users":[{"email":"ana@example.org"}],"email":["ben@example.org"]}"#);
        response.headers.push(("x-customer".to_owned(), "ana".to_owned()));
        Event::Http(Box::new(response))
    });
    let mut run = host.begin(&plan);
    let result = host.finish(&mut run);
    let line = run.recording().unwrap().to_line();
    assert!(!line.contains("example.org") && !line.contains("\"ana\""), "{line}");
    assert_eq!(run.recording().unwrap().replay(&plan).unwrap().verdict, result.verdict);
}
