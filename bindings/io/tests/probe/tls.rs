//! Encryption: whose certificate, until when, which version; and what is refused.

use davy::ProbeVerdict as Verdict;
use davy::probe::TransportFault as Fault;

use crate::server::Server;
use crate::support::{Authority, fault, only, plan_with, prober, run};

fn step(expect: &str) -> String {
    format!("  steps: [{{ id: a, request: {{ path: /ok }}, expect: {{ status: 200, {expect} }} }}]\n")
}

#[test]
fn what_the_other_side_showed_can_be_expected() {
    let authority = Authority::new();
    let server = Server::encrypted(authority.server("localhost", 40, None));
    let prober = authority.prober();
    let base = server.named("localhost");
    let cases = [
        ("tls: { daysToExpiry: 14, degradedBelowDays: 30, minVersion: \"1.3\" }", Verdict::Pass),
        ("tls: { daysToExpiry: 14, degradedBelowDays: 60 }", Verdict::Degraded),
        ("tls: { daysToExpiry: 41 }", Verdict::Fail),
        ("phase: { tls: { lte: 5s }, connect: { lte: 5s } }", Verdict::Pass),
    ];
    for (expect, verdict) in cases {
        let result = run(&prober, &plan_with(&base, "addressPolicy: any", &step(expect)));
        assert_eq!(result.verdict, verdict, "{expect}: {result:?}");
        assert!(only(&result).timings.tls.is_some_and(|time| time.0 > 0), "{result:?}");
        assert!(only(&result).expires.is_some());
    }
}

#[test]
fn the_chain_is_told_with_names_and_digests() {
    let authority = Authority::new();
    let server = Server::encrypted(authority.server("localhost", 40, None));
    let target = davy_io::probe::Target { record: true, ..crate::support::here() };
    let plan = plan_with(&server.named("localhost"), "addressPolicy: any", &step("body: { minBytes: 1 }"));
    let ran = authority.prober().run(&plan, &target, &davy_io::probe::Stop::new()).unwrap();
    let line = ran.recording.unwrap().to_line();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    let tls = &json["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|input| input.pointer("/event/event/http/peer/tls").cloned())
        .unwrap_or_else(|| panic!("{line}"));
    assert_eq!(tls["version"], "1.3");
    assert!(tls["cipher"].as_str().unwrap().starts_with("TLS13_"), "{tls}");
    let first = &tls["chain"][0];
    assert!(
        first["subject"].as_str().unwrap().contains("CN=") && first["digest"].as_str().unwrap().starts_with("sha256:")
    );
}

#[test]
fn certificates_that_are_not_valid_are_refused() {
    let authority = Authority::new();
    let prober_that_trusts = authority.prober();
    let expired = Server::encrypted(authority.server("localhost", -1, None));
    let other_name = Server::encrypted(authority.server("shop.example", 40, None));
    let good = Server::encrypted(authority.server("localhost", 40, None));
    let plain = Server::plain();
    let check = |prober: &davy_io::probe::Prober, base: String, target: &str| {
        run(prober, &plan_with(&base, target, &step("body: { minBytes: 1 }")))
    };
    for (server, what) in [(&expired, "expired"), (&other_name, "another name")] {
        let result = check(&prober_that_trusts, server.named("localhost"), "addressPolicy: any");
        assert_eq!((result.verdict, fault(&result)), (Verdict::Fail, Fault::Tls), "{what}");
    }
    // An authority that nobody named.
    assert_eq!(fault(&check(&prober(), good.named("localhost"), "addressPolicy: any")), Fault::Tls);
    // No encryption at all.
    let base = format!("https://localhost:{}", plain.address.port());
    assert_eq!(fault(&check(&prober_that_trusts, base, "addressPolicy: any")), Fault::Tls);
    // Where a staging target says so, nothing is checked.
    let off = "addressPolicy: any, staging: true, tls: { verify: off }";
    for server in [&expired, &other_name, &good] {
        assert_eq!(check(&prober(), server.named("localhost"), off).verdict, Verdict::Pass);
    }
}

#[test]
fn older_versions_than_the_target_allows_are_refused() {
    let authority = Authority::new();
    let old = Server::encrypted(authority.server("localhost", 40, Some(&rustls::version::TLS12)));
    let prober = authority.prober();
    let run = |target: &str, expect: &str| run(&prober, &plan_with(&old.named("localhost"), target, &step(expect)));
    assert_eq!(run("addressPolicy: any", "body: { minBytes: 1 }").verdict, Verdict::Pass);
    assert_eq!(run("addressPolicy: any", "tls: { minVersion: \"1.3\" }").verdict, Verdict::Fail);
    let strict = run("addressPolicy: any, tls: { minVersion: \"1.3\" }", "body: { minBytes: 1 }");
    assert_eq!(fault(&strict), Fault::Tls);
}
