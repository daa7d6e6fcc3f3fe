//! What a browser recorded, as answers.

use davy::ProbeVerdict as Verdict;
use davy::probe::{HarError, Inputs, Micros, read_har, run_on_har};

use crate::host::plan;

const HAR: &str = r#"{ "log": { "version": "1.2", "creator": { "name": "a browser", "version": "1" }, "entries": [
  { "startedDateTime": "2026-11-23T10:00:00.000+01:00", "time": 61.5, "serverIPAddress": "93.184.215.14", "cache": {},
    "request": { "method": "GET", "url": "https://shop.example/cart?n=2#top", "httpVersion": "h2", "headers": [] },
    "response": { "status": 200, "statusText": "", "httpVersion": "h2", "headers": [{ "name": "Content-Type", "value": "application/json" }],
                  "content": { "size": 15, "mimeType": "application/json", "text": "eyJ0b3RhbCI6OX0=", "encoding": "base64" } },
    "timings": { "blocked": -1, "dns": 2, "connect": 30.5, "ssl": 20, "send": 0, "wait": 28, "receive": 1 } },
  { "startedDateTime": "2026-11-23T09:00:01Z", "request": { "method": "GET", "url": "https://shop.example/blocked" },
    "response": { "status": 0, "content": {} }, "timings": {} }
] } }"#;

#[test]
fn a_har_file_answers_a_run() {
    let entries = read_har(HAR.as_bytes()).unwrap();
    assert_eq!(entries.len(), 1);
    let timings = entries[0].response.timings;
    assert_eq!(
        (timings.connect, timings.tls, timings.total()),
        (Some(Micros(10_500)), Some(Micros(20_000)), Some(Micros(61_500)))
    );
    let flow = |path: &str| {
        plan(&format!(
            "  secrets: {{ t: env:T }}\n  steps: [{{ id: a, request: {{ path: /cart, query: {{ n: {path} }}, auth: {{ bearer: \"${{secrets.t}}\" }} }}, expect: {{ httpVersion: 2, jsonpath: {{ $.total: 9 }}, duration: 62ms }} }}]\n"
        ))
    };
    let inputs = || Inputs::new("prod".parse().unwrap(), 1);
    let plan = flow("2");
    let (result, recording) = run_on_har(&plan, inputs(), &entries).unwrap();
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    assert_eq!(recording.unwrap().replay(&plan).unwrap(), result);
    let (result, _) = run_on_har(&flow("3"), inputs(), &entries).unwrap();
    assert_eq!(result.verdict, Verdict::Error);
    assert!(result.reason.unwrap().contains("nothing was recorded for GET https://shop.example/cart?n=3"));
}

#[test]
fn what_is_no_har_is_refused() {
    for text in
        ["", "{}", "[]", r#"{"log":{"entries":[{}]}}"#, &HAR.replace("eyJ0", "!!!!"), &HAR.replace("200", "\"200\"")]
    {
        assert!(matches!(read_har(text.as_bytes()), Err(HarError::Unreadable(_))), "{text}");
    }
}
