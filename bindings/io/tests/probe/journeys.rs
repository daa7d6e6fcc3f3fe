//! Whole journeys: the ready flows and libraries, against a shop that behaves and one that does not.

use std::path::Path;
use std::sync::Arc;

use davy::probe::{FlowPart, Plan, slo_counts};
use davy::{Cohort, ProbeFlows, ProbeVerdict as Verdict};
use davy_io::probe::{Prober, ProberConfig, SecretStore, Stop, Target};

use crate::server::{CLIENT_SECRET, PASSWORD, Server, TOKEN};
use crate::support::{Authority, plan_with, run};

#[derive(Debug)]
struct Store;

impl SecretStore for Store {
    fn get(&self, name: &str) -> Result<davy::probe::SecretValue, String> {
        match name {
            "report-token" => Ok(davy::probe::SecretValue(TOKEN.to_owned())),
            other => Err(format!("no `{other}`")),
        }
    }
}

/// A ready flow with its hosts replaced; the libraries that it imports stay as they are, digests and all.
fn ready(name: &str, change: impl Fn(String) -> String) -> Arc<Plan> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/probes");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let mut files = vec![(format!("{name}.yaml"), change(read(&folder.join(format!("{name}.yaml")))))];
    for entry in std::fs::read_dir(folder.join("lib")).unwrap() {
        let path = entry.unwrap().path();
        files.push((format!("lib/{}", path.file_name().unwrap().to_str().unwrap()), read(&path)));
    }
    let flows = ProbeFlows::from_files(files).unwrap_or_else(|error| panic!("{error}"));
    Arc::clone(flows.iter().next().unwrap())
}

struct Scene {
    server: Server,
    prober: Prober,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let authority = Authority::new();
        let server = Server::encrypted(authority.server("localhost", 90, None));
        let config =
            ProberConfig { authorities: vec![authority.file()], secrets: Arc::new(Store), ..ProberConfig::default() };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        std::fs::write(folder.path().join("client"), CLIENT_SECRET).unwrap();
        Self { server, prober: Prober::new(config).unwrap(), folder }
    }

    fn account(&self) -> Arc<Plan> {
        let file = self.folder.path().join("password").display().to_string();
        ready("account", |text| {
            text.replace(
                "baseUrl: https://shop.example",
                &format!("baseUrl: \"{}\", addressPolicy: any", self.server.named("localhost")),
            )
            .replace("/run/secrets/probe-password", &file)
        })
    }

    fn checkout(&self) -> Arc<Plan> {
        let file = self.folder.path().join("client").display().to_string();
        let base = self.server.named("localhost");
        ready("checkout", |text| {
            text.replace("baseUrl: https://shop.staging.example", &format!("baseUrl: \"{base}\""))
                .replace("allowHosts: [idp.staging.example]", "allowHosts: [localhost]")
                .replace("https://idp.staging.example", &base)
                .replace("addressPolicy: privateToo", "addressPolicy: any")
                .replace("env:PROBE_CLIENT_SECRET", &format!("file:{file}"))
        })
    }

    fn run(&self, plan: &Arc<Plan>, target: &str) -> davy::probe::FlowResult {
        let target = Target::new(target.parse().unwrap());
        self.prober.run(plan, &target, &Stop::new()).unwrap().result
    }
}

#[test]
fn a_login_by_form_a_page_behind_it_and_a_logout() {
    let scene = Scene::new();
    let result = scene.run(&scene.account(), "prod");
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    let parts = |part| result.steps.iter().filter(|step| step.part == part).count();
    assert_eq!((parts(FlowPart::Setup), parts(FlowPart::Steps), parts(FlowPart::Teardown)), (2, 5, 1));
    let seen = scene.server.seen();
    let submit = seen.iter().find(|seen| seen.method == "POST" && seen.path == "/login").unwrap();
    assert!(submit.body.contains("csrf_token=csrf-1-of-the-form") && submit.body.contains("email=probe"));
    assert_eq!(slo_counts([&result], "account-availability").good.get(), 1);
}

#[test]
fn a_purchase_with_a_token_captures_a_poll_and_a_teardown() {
    let scene = Scene::new();
    let plan = scene.checkout();
    let result = scene.run(&plan, "staging");
    assert_eq!(result.verdict, Verdict::Pass, "{result:#?}");
    let settled = result.steps.iter().find(|step| step.id == "settled").unwrap();
    assert_eq!(settled.attempts[0].polls, 2);
    let seen = scene.server.seen();
    let cart = seen.iter().find(|seen| seen.path == "/carts").unwrap();
    assert!(cart.header("idempotency-key").is_some_and(|key| key.len() == 36));
    let pay = seen.iter().find(|seen| seen.path.ends_with("/pay")).unwrap();
    assert!(pay.path.contains("cart-1") && pay.body.contains("31.5"));
    let last = seen.last().unwrap();
    assert_eq!((last.method.as_str(), last.path.as_str()), ("DELETE", "/orders/order-of-cart-1"));
    // The next run uses the token again; once it is revoked, a run gets itself a new one and passes.
    assert_eq!(scene.run(&plan, "staging").verdict, Verdict::Pass);
    assert_eq!(scene.server.tokens(), 1);
    scene.server.revoke();
    let renewed = scene.run(&plan, "staging");
    assert_eq!((renewed.verdict, scene.server.tokens()), (Verdict::Pass, 2), "{renewed:#?}");
}

#[test]
fn a_wrong_password_fails_and_is_not_told() {
    let scene = Scene::new();
    std::fs::write(scene.folder.path().join("password"), "wr0ng-pa55word").unwrap();
    let result = scene.run(&scene.account(), "prod");
    assert_eq!(result.verdict, Verdict::Fail);
    assert!(result.reason.as_deref().unwrap().starts_with("login/submit: status"), "{:?}", result.reason);
    assert!(!format!("{result:?}").contains("wr0ng-pa55word"));
    std::fs::remove_file(scene.folder.path().join("password")).unwrap();
    let result = scene.run(&scene.account(), "prod");
    assert_eq!(result.verdict, Verdict::Error, "a secret that is not there is the prober's fault: {result:?}");
    assert!(result.slos.is_empty());
}

#[test]
fn a_pair_tells_the_canary_from_what_is_broken_upstream() {
    let server = Server::plain();
    let target =
        "addressPolicy: any, canary: { headers: { x-canary: always } }, baseline: { headers: { x-canary: never } }";
    let prober = Prober::new(ProberConfig::default()).unwrap();
    let pair = |path: &str| {
        let spec = format!(
            "  steps: [{{ id: a, request: {{ path: {path} }}, expect: {{ status: 200, body: {{ minBytes: 1 }} }} }}]\n"
        );
        let plan = plan_with(&server.base(), target, &spec);
        let pair = prober.run_pair(&plan, &crate::support::here(), &Stop::new()).unwrap();
        assert_eq!(
            (pair.canary.result.cohort, pair.baseline.result.cohort),
            (Some(Cohort::Canary), Some(Cohort::Baseline))
        );
        (pair.canary.result.verdict, pair.baseline.result.verdict)
    };
    assert_eq!(pair("/pair"), (Verdict::Fail, Verdict::Pass));
    assert_eq!(pair("/upstream"), (Verdict::Fail, Verdict::Fail));
    assert_eq!(pair("/ok"), (Verdict::Pass, Verdict::Pass));
}

#[test]
fn cohorts_are_reached_by_another_place_or_another_connection() {
    let (stable, canary) = (Server::plain(), Server::plain());
    let spec = "  steps: [{ id: a, request: { path: /headers }, expect: { status: 200, jsonpath: { $.headers.host: { exists: true } } } }]\n";
    let prober = Prober::new(ProberConfig::default()).unwrap();
    let target = Target { cohort: Some(Cohort::Canary), ..crate::support::here() };
    for route in [format!("baseUrl: \"{}\"", canary.base()), format!("connectTo: \"{}\"", canary.address)] {
        let before = canary.seen().len();
        let allow = "allowHosts: [\"127.0.0.1\"]";
        let plan = plan_with(&stable.base(), &format!("addressPolicy: any, {allow}, canary: {{ {route} }}"), spec);
        assert_eq!(prober.run(&plan, &target, &Stop::new()).unwrap().result.verdict, Verdict::Pass, "{route}");
        assert_eq!(canary.seen().len(), before + 1, "{route}");
        let host = canary.seen().last().unwrap().header("host").unwrap().to_owned();
        // A connection elsewhere still names the host of the URL.
        let expected = if route.starts_with("connectTo") { stable.address } else { canary.address };
        assert_eq!(host, expected.to_string(), "{route}");
    }
    assert!(stable.seen().is_empty());
    run(&prober, &plan_with(&stable.base(), "addressPolicy: any", spec));
    assert_eq!(stable.seen().len(), 1);
}
