//! No flow, template, redirect or careless host reaches what only the prober can reach.

use davy::probe::{AddressKind, Event};
use davy::{ProbeFlows, ProbeVerdict as Verdict};

use crate::host::{Host, answer, plan, response, with_headers};

/// Addresses that a public-only target must never speak to.
const PRIVATE: [&str; 37] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.0.1",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "::7f00:1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001::1",
    "fc00::1",
    "fe80::1",
    "fd00:ec2::254",
];
const PUBLIC: [&str; 8] = [
    "1.1.1.1",
    "93.184.215.14",
    "172.15.0.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "64:ff9b::101:101",
];

#[test]
fn addresses_that_are_not_public_are_told_whatever_they_are_wrapped_in() {
    for text in PRIVATE {
        assert_ne!(AddressKind::of(text.parse().unwrap()), AddressKind::Public, "{text}");
    }
    for text in PUBLIC {
        assert_eq!(AddressKind::of(text.parse().unwrap()), AddressKind::Public, "{text}");
    }
    for text in ["2001:db8::1", "ff02::1", "3fff::1", "100::1", "5f00::1", "2002:c0a8:101::1"] {
        assert_ne!(AddressKind::of(text.parse().unwrap()), AddressKind::Public, "{text}");
    }
}

const ONE: &str = "  steps: [{ id: home, request: { path: / }, expect: { status: 200, body: { contains: hi } } }]\n";

#[test]
fn an_answer_from_a_private_address_is_refused_even_if_the_host_did_not_check() {
    for text in PRIVATE {
        let mut host = Host::new(|_, _| {
            let mut response = response(200, "hi");
            response.peer.as_mut().unwrap().address = text.parse().unwrap();
            Event::Http(Box::new(response))
        });
        let result = host.run(&plan(ONE));
        assert_eq!(result.verdict, Verdict::Error, "{text}");
        assert_eq!(result.evaluated, 0, "nothing that it said was looked at");
    }
    let silent = || {
        Host::new(|_, _| {
            let mut response = response(200, "hi");
            response.peer = None;
            Event::Http(Box::new(response))
        })
    };
    assert_eq!(silent().run(&plan(ONE)).verdict, Verdict::Error);
    let any = "  targets: { prod: { baseUrl: http://localhost:8080, addressPolicy: any } }\n".to_owned() + ONE;
    assert_eq!(silent().run(&plan(&any)).verdict, Verdict::Pass);
}

#[test]
fn policies_admit_what_they_say() {
    for (policy, address, verdict) in [
        ("publicOnly", "10.0.0.1", Verdict::Error),
        ("privateToo", "10.0.0.1", Verdict::Pass),
        ("privateToo", "fc00::1", Verdict::Pass),
        ("privateToo", "127.0.0.1", Verdict::Error),
        ("privateToo", "169.254.169.254", Verdict::Error),
        ("privateToo", "fd00:ec2::254", Verdict::Error),
        ("any", "127.0.0.1", Verdict::Pass),
    ] {
        let plan = plan(&format!(
            "  targets: {{ prod: {{ baseUrl: https://shop.example, addressPolicy: {policy} }} }}\n{ONE}"
        ));
        let mut host = Host::new(|_, _| {
            let mut response = response(200, "hi");
            response.peer.as_mut().unwrap().address = address.parse().unwrap();
            Event::Http(Box::new(response))
        });
        assert_eq!(host.run(&plan).verdict, verdict, "{policy} {address}");
    }
}

#[test]
fn no_redirect_leaves_the_hosts_that_are_allowed() {
    let plan = plan(
        "  targets: { prod: { baseUrl: https://shop.example, allowHosts: [idp.example, \"10.0.0.1\", localhost] } }\n  steps: [{ id: home, request: { path: / }, expect: { status: 200, body: { contains: hi } } }]\n",
    );
    for location in [
        "https://evil.example/",
        "//evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example#@shop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example\\@evil.example/",
        "http://10.0.0.1/",
        "http://localhost/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "data:text/html,hi",
        "https://shop.example:0/",
        "http:///x",
    ] {
        let mut host =
            Host::new(
                |_, number| {
                    if number == 0 { with_headers(302, &[("Location", location)], "") } else { answer(200, "hi") }
                },
            );
        let result = host.run(&plan);
        assert_eq!((result.verdict, host.asked.len()), (Verdict::Fail, 1), "{location}: {:?}", paths(&host.asked));
    }
    for location in ["https://idp.example/", "/x", "https://SHOP.example/", "http://shop.example/"] {
        let mut host =
            Host::new(
                |_, number| {
                    if number == 0 { with_headers(302, &[("Location", location)], "") } else { answer(200, "hi") }
                },
            );
        assert_eq!((host.run(&plan).verdict, host.asked.len()), (Verdict::Pass, 2), "{location}");
    }
}

fn paths(asked: &[davy::probe::HttpRequest]) -> Vec<String> {
    asked.iter().map(|request| request.url.to_string()).collect()
}

#[test]
fn a_captured_value_cannot_choose_the_host() {
    let plan = plan(
        "  steps:\n    - { id: a, request: { path: /a }, capture: { next: { jsonpath: $.next } } }\n    - { id: b, request: { path: \"${next}\" }, expect: { status: 200, body: { contains: x } } }\n    - { id: c, request: { url: \"${next}\" }, expect: { status: 200, body: { contains: x } } }\n",
    );
    for next in [
        "//evil.example/x",
        "/../..//evil.example/x",
        "@evil.example/",
        ".evil.example/",
        ":80@evil.example",
        "https://evil.example/",
        "\\\\evil.example",
        "/x y",
    ] {
        let body = serde_json::json!({ "next": next, "x": 1 }).to_string();
        let mut host = Host::new(|_, _| answer(200, &body));
        let result = host.run(&plan);
        assert_eq!(result.verdict, Verdict::Error, "{next}: the third step never fits");
        assert!(
            host.asked.iter().all(|request| request.url.host().to_string() == "shop.example"),
            "{next}: {:?}",
            paths(&host.asked)
        );
    }
}

#[test]
fn a_target_with_a_url_that_readers_disagree_about_is_refused() {
    for url in [
        "http://2130706433/",
        "https://user:pw@shop.example/",
        "http://0x7f.1/",
        "https://shop.example\\@evil/",
        "ftp://shop.example",
        "https://",
        "http://127.1",
    ] {
        let text = format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: a }}\nspec:\n  targets: {{ prod: {{ baseUrl: '{url}' }} }}\n{ONE}"
        );
        assert!(ProbeFlows::from_files([("a.yaml", text)]).is_err(), "{url}");
    }
}
