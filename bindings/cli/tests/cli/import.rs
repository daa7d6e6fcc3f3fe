//! `davy import`: what comes in lints clean and decides, and what has no equal is named.

use serde_json::{Value, json};

use crate::support::{Place, Ran, feed};

const CANARY: &str = include_str!("../data/import/canary.yaml");

const TEMPLATE: &str = include_str!("../data/import/template.yaml");

const CONFIG: &str = include_str!("../data/import/config.json");

fn import(place: &Place, format: &str, text: &str, more: &[&str]) -> Ran {
    place.write("in.yaml", text);
    place.run(&[&["import", format, "in.yaml"], more].concat())
}

/// Imports into a folder, and lints it: no error, and no warning.
fn imported(format: &str, text: &str, more: &[&str]) -> (Place, String, String) {
    let place = Place::new();
    let ran = import(&place, format, text, &[more, &["--out", "policy"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let lint = place.run(&["lint", "--deny-warnings", "policy"]);
    assert_eq!(lint.code, 0, "{}{}\n{}", lint.out, lint.err, place.read("policy/rollouts.yaml"));
    let policy = place.read("policy/rollouts.yaml");
    (place, policy, ran.err)
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

/// Looks at a release minute by minute under the imported policy; gauges of the canary by name, `None` for no data.
fn decide(place: &Place, every: u64, minutes: u64, service: &str, observations: impl Fn(u64) -> Vec<Value>) -> Ran {
    let at = |seconds: u64| {
        let start: davy::Instant = "2026-11-23T09:00:00Z".parse().unwrap();
        start.plus(davy::Duration::from_secs(seconds)).to_string()
    };
    let intervals: Vec<Value> = (0..minutes)
        .map(|k| json!({ "start": at(k * every), "end": at((k + 1) * every), "observations": observations(k) }))
        .collect();
    let snapshot = json!({
        "now": at(minutes * every), "asked": "promote", "stage": "canary", "weight": "60%", "since": at(0),
        "release": { "service": service, "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": at(0) },
        "intervals": intervals,
    });
    feed(&mut place.command(&["decide", "--policy", "policy", "--snapshot", "-"]), &snapshot.to_string())
}

fn gauge(metric: &str, cohort: &str, value: f64) -> Value {
    json!({ "metric": metric, "cohort": cohort, "gauge": value })
}

#[test]
fn a_canary_of_flagger_is_judged_as_there() {
    let (place, policy, notes) = imported("flagger", CANARY, &[]);
    has(
        &policy,
        &[
            "judge: flagger",
            "every: 30s",
            "flagger: { threshold: 3 }",
            "{ weight: 20%, atLeast: 30s }",
            "{ weight: 60%, atLeast: 30s }",
            "holdLimit: { after: 1m, then: fail }",
            r#"canary: 'destination_workload=~"podinfo"', baseline: 'destination_workload=~"podinfo-primary"'"#,
            r#"gauge: 'floor(histogram_quantile(0.99, "#,
            "[1m])) * 100', min: 99 }",
            "name: \"404s-percentage\"",
            r#"destination_workload_namespace="test""#,
            // davy's own judge, where counters can be told.
            "{ name: request-success-rate-davy, judge: evidence, dryRun: true, from: prom, good: 'istio_requests_total{",
            "min: 99%, tolerate: 1.1x, unacceptable: 1.5x }",
            "buckets: 'istio_request_duration_milliseconds_bucket{",
            "quantile: p99, tolerate: 1.2x, unacceptable: 2x }",
        ],
    );
    assert!(!policy.contains("{{") && !policy.contains("404s-percentage-davy"), "{policy}");
    has(
        &notes,
        &[
            "in.yaml:26:7: `spec.analysis.webhooks` has no equal",
            "`spec.provider.secretRef` has no equal",
            "`spec.progressDeadlineSeconds` is about readiness there",
        ],
    );
    assert_eq!(notes.matches("has no equal").count(), 2, "{notes}");

    let watch = |rate: f64, minutes: u64| {
        decide(&place, 30, minutes, "podinfo", |_| {
            vec![
                gauge("404s-percentage", "canary", 1.0),
                gauge("request-duration", "canary", 120.0),
                gauge("request-success-rate", "canary", rate),
            ]
        })
    };
    assert_eq!(watch(99.9, 6).code, 0, "{}", watch(99.9, 6).out);
    assert_eq!(watch(98.0, 3).code, 3);
    let rolled_back = watch(98.0, 4);
    assert_eq!(rolled_back.code, 4, "{}", rolled_back.out);
    has(&rolled_back.out, &["health.flagger-failed-checks"]);
}

#[test]
fn what_flagger_does_not_say_is_said() {
    let place = Place::new();
    let without = CANARY.replace("provider: istio", "provider: gloo").replace("kind: MetricTemplate", "kind: Other");
    let ran = import(&place, "flagger", &without, &[]);
    assert_eq!(ran.code, 1);
    has(&ran.err, &["there is no metric that can be imported"]);
    let bare =
        CANARY.replace("thresholdRange: { min: 99 }", "").replace("thresholdRange: { max: 500 }", "threshold: 300");
    let ran = import(&place, "flagger", &bare, &[]);
    has(&ran.out, &["[1m])) * 100', min: 0 }", "max: 300 }"]);
    has(&ran.err, &["has no threshold, which Flagger takes for 0"]);
    let ran = import(&place, "flagger", CANARY, &["--strict"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    has(&ran.err, &["2 values have no equal"]);
}

#[test]
fn an_analysis_template_of_argo_is_judged_as_there() {
    let more = ["--arg", "service-name=checkout"];
    let (place, policy, notes) = imported("argo-analysis", TEMPLATE, &more);
    has(
        &policy,
        &[
            "judge: argo",
            "every: 30s",
            "warmUp: 2m",
            r#"prometheus: "http://prometheus.example.com:9090""#,
            r#"requests{service="checkout",code!~"5.*"}[5m]"#,
            "min: 0.95, argo: { count: 5, failureLimit: 3, condition: failure } }",
            "max: 0.5, dryRun: true, argo: { condition: failure } }",
            r#"{ name: success-rate-davy, judge: evidence, dryRun: true, from: prom, good: 'requests{service="checkout",code!~"5.*"}', total: 'requests{service="checkout"}', min: 95% }"#,
        ],
    );
    has(
        &notes,
        &[
            "`spec.measurementRetention` has no equal",
            "`spec.metrics[0].provider.prometheus.timeout` has no equal",
            "`spec.metrics[2]` has no equal",
            "`spec.metrics[2]` does not ask Prometheus, so it is left out",
            "`spec.metrics[0].interval` is 30s here, for all metrics",
        ],
    );
    assert_eq!(notes.matches("has no equal").count(), 3, "{notes}");

    let watch = |rate: f64, minutes: u64| {
        decide(&place, 30, minutes + 4, "success-rate", |_| {
            vec![gauge("latency", "canary", 9.0), gauge("success-rate", "canary", rate)]
        })
    };
    assert_eq!(watch(0.99, 4).code, 3, "five measurements are to be taken");
    assert_eq!(watch(0.99, 5).code, 0, "{}", watch(0.99, 5).out);
    assert_eq!(watch(0.9, 4).code, 4, "the fourth failure ends it");
    // With a baseline, davy's own judge compares.
    let place = Place::new();
    let ran = import(
        &place,
        "argo-analysis",
        TEMPLATE,
        &[&more[..], &["--canary", "hash=\"${revision}\"", "--baseline", "hash=\"${stable}\""]].concat(),
    );
    has(
        &ran.out,
        &["baseline: 'hash=\"${stable}\"'", "min: 95%, tolerate: 1.1x, unacceptable: 1.5x", "name: latency-davy"],
    );
}

#[test]
fn an_argument_without_a_value_is_asked_for() {
    let ran = import(&Place::new(), "argo-analysis", TEMPLATE, &[]);
    assert_eq!(ran.code, 1);
    has(&ran.err, &["`service-name` has no value; give it as `--arg service-name=VALUE`"]);
}

#[test]
fn a_canary_config_of_kayenta_is_judged_as_there() {
    let (place, policy, notes) = imported("kayenta", CONFIG, &[]);
    has(
        &policy,
        &[
            "metadata: { name: checkout }",
            "judge: kayenta",
            "every: 1m",
            "warmUp: 2m",
            "horizon: 30m",
            "kayenta: { pass: 90, marginal: 60, analysisEvery: 10m, groupWeights: { System: 40, Traffic: 60 } }",
            r#"canary: 'pod=~"checkout-canary.*"', baseline: 'pod=~"checkout-baseline.*"'"#,
            r#"gauge: 'avg(cpu_seconds{mode="user"})', kayenta: { direction: increase, effectSize: { allowedIncrease: 1.1, criticalIncrease: 1.5 }, outliers: { strategy: remove, outlierFactor: 2 }, groups: [System] }"#,
            "critical: true, kayenta: { direction: increase, nanStrategy: replace, mustHaveData: true, groups: [Traffic] } }",
            r#"{ name: queue, gauge: "queue", dryRun: true, kayenta: { groups: [System] } }"#,
            r#"{ name: errors-davy, judge: evidence, dryRun: true, from: prom, bad: 'requests{code=~"5.."}', total: 'requests{}', tolerate: 1.1x, unacceptable: 1.5x }"#,
        ],
    );
    has(
        &notes,
        &[
            "`canaryConfig.metrics[0].scopeName` has no equal",
            "`canaryConfig.metrics[2].analysisConfigurations.canary.direction` has no equal",
            "`canaryConfig.metrics[2].query.metricName` has no equal",
            "`executionRequest.scopes[0].step` has no equal",
            "asks `datadog`, not Prometheus: hand in its values as observations of `queue`",
        ],
    );

    let watch = |times: f64, minutes: u64| {
        decide(&place, 60, minutes + 2, "checkout", |k| {
            let level = |k: u64| 100.0 + (k * 7 % 11) as f64;
            let mut seen = Vec::new();
            for metric in ["CPU-used", "errors", "queue"] {
                let times = if metric == "errors" { times } else { 1.0 };
                seen.push(gauge(metric, "canary", level(k) * times));
                seen.push(gauge(metric, "baseline", level(k + 3)));
            }
            seen
        })
    };
    assert_eq!(watch(1.0, 9).code, 3, "nothing was analysed yet");
    assert_eq!(watch(1.0, 30).code, 0, "{}", watch(1.0, 30).out);
    let aborted = watch(2.0, 10);
    assert_eq!(aborted.code, 4, "{}", aborted.out);
    has(&aborted.out, &["score 0 because `errors` is critical at analysis 1"]);
}

#[test]
fn what_is_nothing_or_too_much_is_refused_and_no_file_is_overwritten() {
    let place = Place::new();
    for (format, text, expected) in [
        ("flagger", "a: [", "in.yaml`: 1:4: not well-formed"),
        ("flagger", "kind: Deployment\n", "there is no Canary among the documents"),
        ("kayenta", "{}", "`name` is missing"),
        ("kayenta", "{\"name\": \"a\"}\n---\n{\"name\": \"b\"}", "there are 2 of canary config"),
        ("kayenta", "{\"name\": \"a\"}", "there is no metric that can be imported"),
        ("argo-analysis", "kind: Rollout\n", "there is no AnalysisTemplate among the documents"),
    ] {
        let ran = import(&place, format, text, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{text}");
        assert!(ran.err.contains(expected), "{text}: {}", ran.err);
    }
    let first = import(&place, "kayenta", CONFIG, &["--out", "policy"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let second = import(&place, "kayenta", CONFIG, &["--out", "policy"]);
    assert_eq!(second.code, 1);
    has(&second.err, &["exists already"]);
}

#[test]
fn texts_that_are_hostile_end_in_an_answer() {
    let place = Place::new();
    let hostile = CONFIG.replace("CPU used", "x\\u001b[2J' }, evil: {").replace("checkout-config", "a\\nb: c");
    let ran = import(&place, "kayenta", &hostile, &[]);
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{}{}", ran.out, ran.err);
    for cut in (0..CANARY.len()).step_by(97).filter(|cut| CANARY.is_char_boundary(*cut)) {
        let ran = import(&place, "flagger", &CANARY[..cut], &[]);
        assert!([0, 1].contains(&ran.code), "{cut}: {}", ran.err);
        assert!(!ran.err.contains("no valid policy"), "{cut}: {}", ran.err);
    }
}
