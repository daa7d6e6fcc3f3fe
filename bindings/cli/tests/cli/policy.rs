//! `davy init` and `davy policy`.

use davy::Cause;
use davy::document::DiagnosticCode;

use crate::support::Place;

#[test]
fn what_init_writes_lints_clean() {
    let place = Place::new();
    let ran = place.run(&["init", "shop/checkout"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(place.read("shop/checkout/rollouts.yaml").contains("name: \"checkout\""), "named after its directory");
    let ran = place.run(&["lint", "--deny-warnings", "shop/checkout"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "no errors, no warnings\n"));
}

#[test]
fn init_writes_here_under_a_name_of_ones_own() {
    let place = Place::new();
    std::fs::remove_file(place.path("rollouts.yaml")).unwrap();
    assert_eq!(place.run(&["init", "--name", "billing"]).code, 0);
    assert_eq!(place.read("rollouts.yaml"), davy::starter("billing"));
}

#[test]
fn init_never_overwrites() {
    let place = Place::new();
    let ran = place.run(&["init", "--name", "checkout"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("rollouts.yaml` exists already and is left as it is"), "{}", ran.err);
    assert_eq!(place.read("rollouts.yaml"), crate::support::POLICY);
}

#[test]
fn init_refuses_what_cannot_name_a_service_and_writes_nothing() {
    let place = Place::new();
    for name in ["", "check out", "-x", "x\" #", "x\"\n  namespace: \"y", "ünï"] {
        let ran = place.run(&["init", "new", &format!("--name={name}")]);
        assert_eq!(ran.code, 1, "{name}");
        assert!(ran.err.contains("cannot name a service") && ran.err.lines().count() == 1, "{}", ran.err);
    }
    assert_eq!(place.names(), ["rollouts.yaml"]);
}

#[test]
fn the_schema_is_the_librarys() {
    let ran = Place::new().run(&["policy", "schema"]);
    assert_eq!(ran.code, 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap(), davy::rollout_schema());
}

#[test]
fn show_prints_the_page() {
    let place = Place::new();
    let bundle = davy::Bundle::from_files([("rollouts.yaml", crate::support::POLICY)]).unwrap();
    for path in ["rollouts.yaml", "."] {
        let ran = place.run(&["policy", "show", path]);
        assert_eq!((ran.code, ran.out), (0, davy::page(&bundle)));
    }
    assert_eq!(place.run(&["policy", "show", "nowhere"]).code, 1);
}

#[test]
fn every_code_has_its_meaning() {
    let place = Place::new();
    let text = place.run(&["policy", "codes"]).out;
    let json: serde_json::Value =
        serde_json::from_str(&place.run(&["policy", "codes", "--format", "json"]).out).unwrap();
    let count = |kind: &str| json[kind].as_array().unwrap().len();
    assert_eq!((count("diagnostics"), count("findings")), (DiagnosticCode::ALL.len(), Cause::MEANINGS.len()));
    assert_eq!(text.lines().count(), DiagnosticCode::ALL.len() + Cause::MEANINGS.len());
    for start in ["D011  ", "L008  ", "health.limit-exceeded  "] {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap();
        assert!(line.trim_start_matches(start).trim().len() > 10, "{line}");
    }
    assert_eq!(json["diagnostics"][0], serde_json::json!({ "code": "D001", "meaning": "the file is not UTF-8" }));
}

const PLANNED: &str = "\
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  steps: [{ weight: 5%, atLeast: 10m }, { weight: 25%, atLeast: 10m }]
  health:
    horizon: 25m
    expect: { requests: 5/s, bad: 1% }
    metrics:
      - { name: cpu, gauge: g, max: 85% }
      - { name: errors, bad: a, total: b, tolerate: 1.1x, unacceptable: 2x }
";

const SEEN: &str = r#"{ "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
    "since": "2026-11-23T09:00:00Z",
    "release": { "service": "checkout", "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T09:00:00Z" },
    "intervals": [{ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z", "observations": [
        { "metric": "errors", "cohort": "baseline", "bad": 36000, "total": 1800000 }] }] }"#;

#[test]
fn a_plan_says_what_can_be_detected_and_when() {
    let place = Place::new();
    place.write("policy.yaml", PLANNED);
    let ran = place.run(&["policy", "plan", "policy.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for line in [
        "checkout: 5/s requests, 1% bad",
        "cpu     judged by its limits, outside the guarantee",
        "errors  2x as many, unacceptable",
        "`errors`: 2x as many is unacceptable, and not expected to be detected before the horizon of 25m: it takes",
        "That a good canary is promoted before the horizon of 25m is not expected.",
    ] {
        assert!(ran.out.lines().any(|it| it.starts_with(line)), "{line}\n{}", ran.out);
    }
    let lint = place.run(&["lint", "policy.yaml"]);
    assert!(lint.out.contains("L020") && lint.out.contains("L021"), "{}", lint.out);

    let busy = place.run(&["policy", "plan", "policy.yaml", "--traffic", "500/s", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&busy.out).unwrap();
    assert_eq!((&plan["estimate"]["requests"], &plan["estimate"]["bad"]), (&"500/s".into(), &"1%".into()));
    assert_eq!(plan["metrics"][1]["tests"][0]["effects"][0]["effect"], "2x as many");
    assert_eq!(plan["shortfalls"], serde_json::json!([]));
    place.write("seen.json", SEEN);
    let seen = place.run(&["policy", "plan", "policy.yaml", "--snapshot", "seen.json"]);
    assert!(
        seen.code == 0 && seen.out.lines().any(|line| line.starts_with("errors: 500/s requests, 2% bad")),
        "{}",
        seen.out
    );
    place.write("nothing.json", &SEEN.replace("baseline", "canary"));
    let nothing = place.run(&["policy", "plan", "policy.yaml", "--snapshot", "nothing.json"]);
    assert!(nothing.code == 1 && nothing.err.contains("Q007"), "{}", nothing.err);
    let noisy = |replicas| {
        let args = ["policy", "plan", "policy.yaml", "--traffic", "500/s", "--noise", "hard", "--replicas", replicas];
        place.run(&args).out
    };
    assert!(
        noisy("3").contains("the noise of 3 replicas hides it: adding replicas helps, time does not"),
        "{}",
        noisy("3")
    );
    assert!(noisy("30").contains("30 replicas with noise") && !noisy("30").contains("hides"), "{}", noisy("30"));
    for args in [["--traffic", "5"], ["--bad", "x"], ["--p50", "1"], ["--replicas", "0"], ["--noise", "x"]] {
        assert_eq!(place.run(&[&["policy", "plan", "policy.yaml"], &args[..]].concat()).code, 2, "{args:?}");
    }
    let ran = place.run(&["policy", "plan", "rollouts.yaml"]);
    assert!(ran.code == 1 && ran.err.contains("Q002"), "{}", ran.err);
}
