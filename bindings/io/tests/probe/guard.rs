//! What a flow may not speak to, however it is written. Nothing is dialled: the server would have seen it.

use std::sync::Arc;

use davy::ProbeVerdict as Verdict;
use davy::probe::{Event, TransportFault as Fault};
use davy_io::probe::{Prober, ProberConfig};

use crate::server::Server;
use crate::support::{Names, fault, plan, plan_with, run};

const EXPECT: &str = "expect: { status: 200, body: { minBytes: 1 } }";

fn prober(names: Arc<Names>) -> Prober {
    Prober::new(ProberConfig { lookup: names, ..ProberConfig::default() }).unwrap()
}

#[test]
fn a_name_with_one_address_that_may_not_be_spoken_to_is_refused_whole() {
    let server = Server::plain();
    for (address, policy) in [
        ("127.0.0.1", "publicOnly"),
        ("127.0.0.1", "privateToo"),
        ("::1", "privateToo"),
        ("::ffff:127.0.0.1", "publicOnly"),
        ("::127.0.0.1", "publicOnly"),
        ("64:ff9b::7f00:1", "publicOnly"),
        ("2002:7f00:1::", "publicOnly"),
        ("0.0.0.0", "privateToo"),
        ("10.0.0.1", "publicOnly"),
        ("172.16.0.1", "publicOnly"),
        ("192.168.0.1", "publicOnly"),
        ("100.64.0.1", "publicOnly"),
        ("169.254.169.254", "privateToo"),
        ("169.254.1.1", "privateToo"),
        ("fd00:ec2::254", "privateToo"),
        ("fe80::1", "privateToo"),
        ("fc00::1", "publicOnly"),
        ("198.18.0.1", "privateToo"),
        ("224.0.0.1", "privateToo"),
        ("255.255.255.255", "privateToo"),
    ] {
        for all in [vec![address], vec!["93.184.215.14", address]] {
            let names = Names::new(&[("shop.example", &[all.as_slice()])]);
            let base = format!("http://shop.example:{}", server.address.port());
            let spec = format!("  steps: [{{ id: a, request: {{ path: / }}, {EXPECT} }}]\n");
            let result = run(&prober(names), &plan_with(&base, &format!("addressPolicy: {policy}"), &spec));
            assert_eq!((result.verdict, fault(&result)), (Verdict::Error, Fault::Blocked), "{address} {policy}");
            assert!(result.slos.is_empty());
        }
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_name_that_points_elsewhere_a_moment_later_leads_nowhere() {
    // DNS rebinding: whoever asks twice gets another address the second time. This one is asked once per run.
    let (server, other) = (Server::plain(), Server::plain());
    let names = Names::new(&[("shop.example", &[&["127.0.0.1"], &["127.0.0.2"]])]);
    let base = format!("http://shop.example:{}", server.address.port());
    let spec = format!(
        "  steps:\n    - {{ id: a, request: {{ path: /liar }}, {EXPECT} }}\n    - {{ id: b, request: {{ path: /redirect, query: {{ to: /ok }} }}, {EXPECT} }}\n"
    );
    let prober = prober(Arc::clone(&names));
    let result = run(&prober, &plan(&base, &spec));
    assert_eq!(result.verdict, Verdict::Pass, "{result:?}");
    assert_eq!(names.asked.lock().unwrap().len(), 1);
    assert!(other.seen().is_empty());
    // The next run asks anew, and what it is told is checked anew.
    let names = Names::new(&[("shop.example", &[&["93.184.215.14"], &["127.0.0.1"]])]);
    let found = davy_io::probe::Lookup::look_up(&*names, "shop.example", std::time::Duration::ZERO).unwrap();
    assert!(!found[0].is_loopback());
    let spec = format!("  steps: [{{ id: a, request: {{ path: / }}, {EXPECT} }}]\n");
    let result = run(&self::prober(names), &plan_with(&base, "addressPolicy: publicOnly", &spec));
    assert_eq!(fault(&result), Fault::Blocked);
}

#[test]
fn the_same_place_twice_is_asked_on_one_connection_and_under_one_policy() {
    let server = Server::plain();
    let names = Names::new(&[("shop.example", &[&["127.0.0.1"]])]);
    let config = ProberConfig { lookup: names, keep_connections: true, ..ProberConfig::default() };
    let prober = Prober::new(config).unwrap();
    let base = format!("http://shop.example:{}", server.address.port());
    let spec = format!("  steps: [{{ id: a, request: {{ path: /ok }}, {EXPECT} }}]\n");
    for _ in 0..2 {
        assert_eq!(run(&prober, &plan(&base, &spec)).verdict, Verdict::Pass);
    }
    let connections: Vec<usize> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections[0], connections[1]);
    // A connection that another policy allowed is not one that this policy allows.
    let result = run(&prober, &plan_with(&base, "addressPolicy: publicOnly", &spec));
    assert_eq!(fault(&result), Fault::Blocked);
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn redirects_lead_to_no_place_that_the_flow_may_not_speak_to() {
    let server = Server::plain();
    let port = server.address.port();
    let names = Names::new(&[
        ("shop.example", &[&["127.0.0.1"]]),
        ("inner.example", &[&["10.0.0.1"]]),
        ("localhost", &[&["127.0.0.1"]]),
    ]);
    for to in [
        format!("http://127.0.0.1:{port}/ok"),
        format!("http://localhost:{port}/ok"),
        format!("http://[::1]:{port}/ok"),
        format!("http://[::ffff:127.0.0.1]:{port}/ok"),
        format!("http://2130706433:{port}/ok"),
        format!("http://0177.0.0.1:{port}/ok"),
        format!("http://0x7f.1:{port}/ok"),
        format!("http://127.1:{port}/ok"),
        format!("http://shop.example@127.0.0.1:{port}/ok"),
        format!("http://shop.example:{port}@evil.example/ok"),
        format!("http://evil.example:{port}/ok"),
        format!("//evil.example:{port}/ok"),
        format!("http://shop.example.:{port}\\@evil.example/ok"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://shop.example/".to_owned(),
        format!("http://inner.example:{port}/ok"),
    ] {
        let base = format!("http://shop.example:{port}");
        let quoted = to.replace('\\', "\\\\");
        let spec = format!(
            "  steps: [{{ id: a, request: {{ path: /redirect, query: {{ to: \"{quoted}\" }} }}, {EXPECT} }}]\n"
        );
        let before = server.seen().len();
        let result = run(&prober(Arc::clone(&names)), &plan(&base, &spec));
        assert_eq!(result.verdict, Verdict::Fail, "{to}: {result:?}");
        assert_eq!(server.seen().len(), before + 1, "{to} was followed");
    }
}

#[test]
fn a_host_that_forgets_to_check_is_found_out_by_the_machine() {
    // The negative control of the guard: the machine is told by whom it was answered, and believes no careless host.
    let plan = plan_with(
        "http://shop.example",
        "addressPolicy: publicOnly",
        &format!("  steps: [{{ id: a, request: {{ path: / }}, {EXPECT} }}]\n"),
    );
    let now = "2026-11-26T10:00:00Z".parse().unwrap();
    let inputs = davy::probe::Inputs::new("here".parse().unwrap(), 1);
    let mut run = davy::probe::ProbeRun::new(plan, inputs, now).unwrap();
    let davy::probe::Next::Effect(id, _) = run.poll(now) else { panic!() };
    let answer =
        r#"{ "status": 200, "version": "1.1", "headers": [], "body": "x", "peer": { "address": "127.0.0.1" } }"#;
    run.handle(now, id, Event::Http(Box::new(serde_json::from_str(answer).unwrap()))).unwrap();
    let davy::probe::Next::Done(result) = run.poll(now) else { panic!() };
    assert_eq!(fault(&result), Fault::Blocked);
}
