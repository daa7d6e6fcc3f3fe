//! Proxies: none unless asked for, and then only to addresses that were checked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use davy::ProbeVerdict as Verdict;
use davy::probe::TransportFault as Fault;
use davy_io::probe::{Prober, ProberConfig, Proxy};

use crate::server::Server;
use crate::support::{Authority, Names, fault, one, plan_with, run};

/// A proxy that makes tunnels and remembers what it was asked; `answer` instead of a tunnel where there is one.
fn proxy(answer: Option<&'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                if stream.read_exact(&mut byte).is_err() {
                    break;
                }
                head.extend_from_slice(&byte);
            }
            let head = String::from_utf8(head).unwrap();
            told.lock().unwrap().push(head.clone());
            if let Some(answer) = answer {
                let _ = stream.write_all(answer.as_bytes());
                continue;
            }
            let to = head.split(' ').nth(1).unwrap();
            let onward = TcpStream::connect(to).unwrap();
            stream.write_all(b"HTTP/1.1 200 tunnel\r\nvia: test\r\n\r\n").unwrap();
            let (mut from, mut back) = (stream.try_clone().unwrap(), onward.try_clone().unwrap());
            let (mut stream, mut onward) = (stream, onward);
            thread::spawn(move || _ = std::io::copy(&mut from, &mut onward));
            thread::spawn(move || _ = std::io::copy(&mut back, &mut stream));
        }
    });
    (address, asked)
}

fn through(url: &str, names: Arc<Names>, authority: Option<&Authority>) -> Prober {
    let authorities = authority.map(Authority::file).into_iter().collect();
    Prober::new(ProberConfig {
        proxy: Some(Proxy::new(url).unwrap()),
        lookup: names,
        authorities,
        ..ProberConfig::default()
    })
    .unwrap()
}

#[test]
fn a_proxy_is_told_the_address_that_was_checked_and_not_the_name() {
    let authority = Authority::new();
    for server in [Server::plain(), Server::encrypted(authority.server("shop.example", 9, None))] {
        let (address, asked) = proxy(None);
        let names = Names::new(&[("shop.example", &[&["127.0.0.1"]])]);
        let prober = through(&format!("http://me:pa55word@{address}"), names, Some(&authority));
        let plan = one(&server.named("shop.example"), "/ok", "status: 200, body: { contains: Welcome }");
        assert_eq!(run(&prober, &plan).verdict, Verdict::Pass);
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].starts_with(&format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", server.address.port())),
            "{asked:?}"
        );
        assert!(asked[0].contains("Proxy-Authorization: Basic bWU6cGE1NXdvcmQ="), "{asked:?}");
    }
}

#[test]
fn no_proxy_leads_to_where_the_flow_may_not_go() {
    let (address, asked) = proxy(None);
    let names = Names::new(&[("shop.example", &[&["10.0.0.1"]])]);
    let prober = through(&format!("http://{address}"), names, None);
    let plan = plan_with(
        "http://shop.example",
        "addressPolicy: publicOnly",
        "  steps: [{ id: a, request: { path: / }, expect: { status: 200, body: { minBytes: 1 } } }]\n",
    );
    assert_eq!(fault(&run(&prober, &plan)), Fault::Blocked);
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn a_proxy_that_fails_is_the_probers_fault_and_one_that_finds_nobody_the_services() {
    for (answer, expected) in [
        (Some("HTTP/1.1 407 no\r\n\r\n"), (Verdict::Error, Fault::Prober)),
        (Some("nonsense\r\n\r\n"), (Verdict::Error, Fault::Prober)),
        (Some("HTTP/1.1 502 nobody\r\n\r\n"), (Verdict::Fail, Fault::Connect)),
    ] {
        let (address, _) = proxy(answer);
        let names = Names::new(&[("shop.example", &[&["127.0.0.1"]])]);
        let result = run(
            &through(&format!("http://{address}"), names, None),
            &one("http://shop.example:81", "/", "status: 200, body: { minBytes: 1 }"),
        );
        assert_eq!((result.verdict, fault(&result)), expected, "{answer:?}");
    }
}
