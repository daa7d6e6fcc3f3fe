//! From runs to a decision, without glue: the gate, a composite metric as counts per cohort, and error budgets.

use davy::probe::{FlowResult, SloEvent, answers, feed};
use davy::{
    Asked, Bundle, Cohort, Duration, Engine, Instant, Missing, Observed, Part, ProbeVerdict as Verdict, Seen, Snapshot,
    Stage, State, Verdict as Decided,
};

const ROLLOUT: &str = "
apiVersion: davy/v1
kind: Rollout
metadata: { name: shop }
spec:
  probes: [{ flow: shop, within: 5m, patience: 2 }]
  holdLimit: { after: 1h, then: fail }
  health:
    judge: threshold
    every: 30s
    settle: 0s
    warmUp: 0s
    metrics: [{ name: journey, probe: shop, max: 20%, patience: 1 }]
  budget: { slos: [journeys], burn: { page: hold } }
";

const FLOW: &str = "
apiVersion: davy/v1
kind: ProbeFlow
metadata: { name: shop }
spec:
  targets: { prod: { baseUrl: https://shop.example } }
  schedule: { every: 10s, jitter: 10%, timeout: 5s, teardownTimeout: 1s }
  slos: [{ name: journeys, objective: 90%, period: 30d }]
  defaults: { timeout: 4s }
  steps: [{ id: a, request: { path: / }, expect: { status: 200, body: { contains: a } } }]
";

/// The same name as the flow's objective: the runs are its events, and no server is asked for them.
const SLO: &str = "
apiVersion: openslo/v1
kind: SLO
metadata: { name: journeys }
spec:
  indicator:
    metadata: { name: journeys }
    spec:
      ratioMetric:
        counter: true
        good: { metricSource: { type: Prometheus, spec: { query: 'davy_probe_slo_events_total{slo=\"journeys\",result=\"good\"}' } } }
        total: { metricSource: { type: Prometheus, spec: { query: 'davy_probe_slo_events_total{slo=\"journeys\"}' } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.9 }]
";

fn bundle() -> Bundle {
    let files = [("rollouts.yaml", ROLLOUT), ("shop.yaml", FLOW), ("slo.yaml", SLO)];
    Bundle::from_files(files).unwrap_or_else(|error| panic!("{error}"))
}

fn start() -> Instant {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

fn run(cohort: Option<Cohort>, second: u64, verdict: Verdict) -> FlowResult {
    let at = start().plus(Duration::from_secs(second));
    let good = matches!(verdict, Verdict::Pass | Verdict::Degraded);
    let counts = !matches!(verdict, Verdict::Error | Verdict::Skipped);
    FlowResult {
        flow: "shop".parse().unwrap(),
        digest: davy::Digest::of(b""),
        target: "prod".parse().unwrap(),
        location: None,
        cohort,
        run: String::new(),
        started: at,
        ended: at,
        verdict,
        reason: None,
        flaky: false,
        evaluated: 1,
        steps: Vec::new(),
        slos: counts.then(|| SloEvent { slo: "journeys".parse().unwrap(), good }).into_iter().collect(),
    }
}

/// Runs of both cohorts every ten seconds for two minutes, and of the whole service.
fn runs(canary: impl Fn(u64) -> Verdict) -> Vec<FlowResult> {
    let seconds = (0..120).step_by(10).map(|second| second + 1);
    let of = |second| {
        [
            run(Some(Cohort::Canary), second, canary(second)),
            run(Some(Cohort::Baseline), second, Verdict::Pass),
            run(None, second, canary(second)),
        ]
    };
    seconds.flat_map(of).collect()
}

fn snapshot() -> Snapshot {
    let now = start().plus(Duration::from_secs(120));
    let json = format!(
        r#"{{ "now": "{now}", "asked": "promote", "stage": "canary", "weight": "50%", "since": "{0}", "release": {{ "service": "shop", "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": "{0}" }} }}"#,
        start()
    );
    Snapshot::from_json(json.as_bytes()).unwrap()
}

fn decide(results: &[FlowResult]) -> davy::Decision {
    let bundle = bundle();
    let engine = Engine::new(&bundle);
    let mut snapshot = snapshot();
    let wanted = engine.requirements(&State::new(), &snapshot.release, Asked::Promote, Stage::Canary, snapshot.now);
    assert!(wanted.iter().all(|wanted| answers(bundle.probes(), wanted)), "runs answer everything here");
    let fed = feed(bundle.probes(), results, &wanted, None);
    (snapshot.intervals, snapshot.slos, snapshot.probes) = (fed.intervals, fed.slos, fed.probes);
    engine.decide(&State::new(), &snapshot).decision
}

#[test]
fn runs_alone_decide_a_release() {
    let good = decide(&runs(|_| Verdict::Pass));
    let codes = |decision: &davy::Decision| -> Vec<String> {
        decision.findings.iter().map(|finding| finding.code().to_string()).collect()
    };
    assert!(codes(&good).iter().any(|code| code.starts_with("probes.")), "{:?}", codes(&good));
    assert_ne!(good.verdict, Decided::Abort, "{good}");
    // Of six runs in a minute more than one in five fail.
    let bad = decide(&runs(|second| if second % 20 == 1 { Verdict::Fail } else { Verdict::Pass }));
    assert_eq!(bad.verdict, Decided::Abort, "{bad}");
    assert!(bad.to_string().contains("journey"), "{bad}");
    // A prober that fails blames nobody, and decides nothing.
    let blind = decide(&runs(|_| Verdict::Error));
    assert_eq!(blind.verdict, Decided::Hold, "{blind}");
}

#[test]
fn counts_are_those_of_each_slot_and_cohort() {
    let bundle = bundle();
    let engine = Engine::new(&bundle);
    let snapshot = snapshot();
    let wanted = engine.requirements(&State::new(), &snapshot.release, Asked::Promote, Stage::Canary, snapshot.now);
    let mut results = runs(|second| if second == 31 { Verdict::Fail } else { Verdict::Pass });
    // In the third slot the prober failed, and in the last one it said nothing at all.
    results.retain(|result| result.ended < start().plus(Duration::from_secs(90)));
    for result in results.iter_mut().filter(|result| result.ended >= start().plus(Duration::from_secs(60))) {
        result.verdict = Verdict::Error;
        result.slos.clear();
    }
    let fed = feed(bundle.probes(), &results, &wanted, None);
    let seen: Vec<(u64, u64)> = fed
        .intervals
        .iter()
        .map(|interval| match interval.observations()[0].observed {
            Observed::Counts { bad, total } => (bad.get(), total.get()),
            Observed::Missing(Missing::NoData) => (99, 99),
            ref other => panic!("{other:?}"),
        })
        .collect();
    // Twenty seconds and the longest run are how long a prober may be silent; then it is missing, and not quiet.
    assert_eq!(seen, [(0, 3), (1, 3), (99, 99), (99, 99)]);
    let whole = fed.slos.iter().find(|window| window.cohort.is_none() && window.length() > Duration::from_minutes(60));
    let whole = whole.unwrap();
    let (Part::Good(Seen::Amount(good)), Seen::Amount(total)) = (whole.part, whole.total) else { panic!("{whole:?}") };
    assert!((good, total) == (5.0, 6.0), "{good} of {total}");
    // Six runs of all that the schedule has in so long.
    let due = u32::try_from(whole.length().millis() / 10_000).unwrap();
    assert_eq!(whole.coverage.ppm(), 6 * 1_000_000 / due);
    assert!(fed.probes.iter().any(|probe| probe.verdict == Verdict::Fail && probe.cohort == Cohort::Canary));
}
