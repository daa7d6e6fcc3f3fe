//! Results as other tools read them.

use davy::probe::{ProbeMetrics, json_lines, junit, slo_counts};
use davy::slo::Events;
use davy::{Cohort, Count, ProbeVerdict as Verdict};

use crate::host::{Host, answer, plan, start};

const FLOW: &str = "  targets: { prod: { baseUrl: https://shop.example, canary: { headers: { x-c: a } } } }
  schedule: { every: 30s, jitter: 10%, timeout: 10s }
  slos: [{ name: up, objective: 99%, period: 30d }]
  steps:
    - { id: home, request: { path: / }, expect: { status: 200, body: { contains: hi } } }
    - { id: cart, request: { path: /cart }, expect: { status: 200, body: { contains: \"<&>\" } }, severity: should }
";

fn results() -> Vec<davy::probe::FlowResult> {
    let plan = plan(FLOW);
    [(200, "hi <&>"), (200, "hi"), (500, "")]
        .map(|(status, body)| {
            let mut host = Host::new(|_, _| answer(status, body));
            host.inputs.location = Some("eu-1".parse().unwrap());
            host.inputs.cohort = Some(Cohort::Canary);
            host.run(&plan)
        })
        .to_vec()
}

#[test]
fn metrics_have_the_names_that_dashboards_know_and_ours() {
    let mut metrics = ProbeMetrics::default();
    results().iter().for_each(|result| metrics.add(result));
    let text = metrics.to_openmetrics();
    let labels = r#"flow="shop",target="prod",location="eu-1",cohort="canary""#;
    for line in [
        format!("probe_success{{{labels}}} 0"),
        format!("probe_duration_seconds{{{labels}}} 0.01"),
        format!("probe_http_status_code{{{labels}}} 500"),
        format!("probe_http_duration_seconds{{{labels},phase=\"connect\"}} 0"),
        format!("davy_probe_runs_total{{{labels},verdict=\"pass\",flaky=\"false\"}} 1"),
        format!("davy_probe_runs_total{{{labels},verdict=\"degraded\",flaky=\"false\"}} 1"),
        format!("davy_probe_runs_total{{{labels},verdict=\"fail\",flaky=\"false\"}} 1"),
        format!("davy_probe_slo_events_total{{{labels},slo=\"up\",result=\"good\"}} 2"),
        format!("davy_probe_slo_events_total{{{labels},slo=\"up\",result=\"bad\"}} 1"),
        format!("davy_probe_step_seconds_bucket{{{labels},step=\"home\",le=\"0.005\"}} 0"),
        format!("davy_probe_step_seconds_bucket{{{labels},step=\"home\",le=\"0.01\"}} 3"),
        format!("davy_probe_step_seconds_bucket{{{labels},step=\"home\",le=\"+Inf\"}} 3"),
        format!("davy_probe_step_seconds_sum{{{labels},step=\"home\"}} 0.03"),
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\nis not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n") && !text.contains("\n\n"));
    // Each family is told once, before its samples.
    let types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let mut unique = types.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(types.len(), unique.len());
    let otlp = metrics.to_otlp(start(), start());
    let sums = &otlp["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    assert_eq!(sums[1]["sum"]["dataPoints"][0]["asInt"], "2");
    assert_eq!(sums[1]["sum"]["dataPoints"][0]["timeUnixNano"], "1795428000000000000");
}

#[test]
fn the_probers_own_failure_is_none_of_the_service() {
    let [passed, ..] = &results()[..] else { panic!() };
    let ended = |verdict| davy::probe::FlowResult { verdict, ..passed.clone() };
    let mut metrics = ProbeMetrics::default();
    let newest = |metrics: &ProbeMetrics| {
        let text = metrics.to_openmetrics();
        let line = text.lines().find(|line| line.starts_with("probe_success{")).map(|line| line.ends_with(" 1"));
        let otlp = metrics.to_otlp(start(), start());
        let points = otlp["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][2]["gauge"]["dataPoints"].clone();
        assert_eq!(points.as_array().unwrap().len(), usize::from(line.is_some()));
        assert_eq!(text.contains("probe_http_duration_seconds{"), line.is_some());
        line
    };
    for (verdict, expected) in [
        (Verdict::Error, None),
        (Verdict::Pass, Some(true)),
        (Verdict::Skipped, Some(true)),
        (Verdict::Fail, Some(false)),
        (Verdict::Error, None),
        (Verdict::Skipped, None),
        (Verdict::Degraded, Some(true)),
    ] {
        metrics.add(&ended(verdict));
        assert_eq!(newest(&metrics), expected, "{verdict:?}");
    }
    assert!(metrics.to_openmetrics().contains("verdict=\"error\",flaky=\"false\"} 2\n"));
}

#[test]
fn results_are_events_of_objectives_and_results_of_the_snapshot() {
    let results = results();
    let counts = slo_counts(&results, "up");
    assert_eq!((counts.good, counts.bad), (Count::from(2), Count::from(1)));
    assert_eq!(Events::of_both(counts.good, counts.bad).ratio(), Some(1.0 / 3.0));
    let verdicts: Vec<Verdict> = results.iter().map(|result| result.to_probe_result().unwrap().verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Degraded, Verdict::Fail]);
}

#[test]
fn junit_is_well_formed_and_says_why() {
    let text = junit(&results());
    assert_eq!(text.matches("<testsuite ").count(), 3);
    assert_eq!(text.matches("<testcase ").count(), 5, "after a failure the rest is not run\n{text}");
    assert!(text.contains("<failure message=\"status: expected 200, found 500 (shop.yaml:"), "{text}");
    assert!(text.contains("contains &quot;&lt;&amp;&gt;&quot;"), "{text}");
    for open in ["testsuites", "testsuite", "testcase"] {
        assert_eq!(
            text.matches(&format!("<{open} ")).count() + text.matches(&format!("<{open}>")).count(),
            text.matches(&format!("</{open}>")).count()
        );
    }
    assert_eq!(json_lines(&results()).lines().count(), 3);
}
