//! A flow of five steps over loopback, and beside it the same five requests hard-coded on bare ureq.
//!
//! Both ask a server of this process that answers from memory, or the one that `DAVY_BENCH_SERVER` names (`hurl/run`). The floor has 14 hard-coded checks and no interpreter,
//! cookies, patterns or results.
#![expect(clippy::panic, reason = "a bench that cannot go on should stop")]

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use davy::probe::Plan;
use davy::{ProbeFlows, ProbeVerdict};
use davy_io::probe::{Prober, ProberConfig, Stop, Target};
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector as _, NextTimeout, TcpConnector};

const BODY: &str =
    r#"{"id":"c-17","total":31.5,"items":[{"sku":"A1","price":9.5},{"sku":"A2","price":12},{"sku":"A3","price":10}]}"#;

/// Answers every request with the same, on connections that stay.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answer) = (stream, answer.clone()) else { continue };
            let _ = stream.set_nodelay(true);
            thread::spawn(move || {
                let mut read = Vec::new();
                let mut part = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut part) {
                    read.extend_from_slice(part.get(..count).unwrap_or_default());
                    if read.ends_with(b"\r\n\r\n") {
                        read.clear();
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

fn flow(address: SocketAddr) -> Arc<Plan> {
    let step = |number: u32| {
        format!(
            "    - id: s{number}\n      request: {{ path: \"/cart/${{cart}}/items\", query: {{ n: 2 }}, headers: {{ accept: application/json }} }}\n      expect: {{ status: 200, header: {{ content-type: {{ contains: json }} }}, jsonpath: {{ $.total: {{ gt: 0 }}, \"$.items[*].price\": {{ all: {{ gt: 0 }} }} }} }}\n"
        )
    };
    let steps: String = (1..5).map(step).collect();
    let text = format!(
        "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: shop }}\nspec:\n  targets: {{ here: {{ baseUrl: \"http://{address}\", addressPolicy: any }} }}\n  steps:\n    - {{ id: cart, request: {{ path: / }}, capture: {{ cart: {{ jsonpath: $.id }} }}, expect: {{ status: 200, body: {{ regex: \"A[0-9]+\" }} }} }}\n{steps}"
    );
    let flows = ProbeFlows::from_files([("shop.yaml", text)]).unwrap_or_else(|error| panic!("{error}"));
    Arc::clone(flows.iter().next().unwrap_or_else(|| panic!("the flow is there")))
}

/// Takes the address as it is: ureq's own resolver would start a thread for it.
#[derive(Debug)]
struct Literal(SocketAddr);

impl Resolver for Literal {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

fn bare(address: SocketAddr) -> Agent {
    let config = Config::builder().proxy(None).http_status_as_error(false).build();
    Agent::with_parts(config, ().chain(TcpConnector::default()), Literal(address))
}

fn five(agent: &Agent, address: SocketAddr) {
    for number in 0..5 {
        let url =
            if number == 0 { format!("http://{address}/") } else { format!("http://{address}/cart/c-17/items?n=2") };
        let mut answer = agent.get(&url).call().unwrap_or_else(|error| panic!("{error}"));
        let text = answer.body_mut().read_to_string().unwrap_or_else(|error| panic!("{error}"));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        assert!(answer.status() == 200 && json.pointer("/total").is_some() && json.pointer("/items/0/price").is_some());
    }
}

fn main() {
    let given = std::env::var("DAVY_BENCH_SERVER").ok().and_then(|address| address.parse().ok());
    let address = given.unwrap_or_else(server);
    let plan = flow(address);
    let target = Target::new("here".parse().unwrap_or_else(|_| panic!("a name")));
    assert!(IpAddr::is_loopback(&address.ip()));
    let prober = |keep_connections| {
        let config = ProberConfig { keep_connections, ..ProberConfig::default() };
        Prober::new(config).unwrap_or_else(|error| panic!("{error}"))
    };
    let (fresh, kept, stop, agent) = (prober(false), prober(true), Stop::new(), bare(address));
    let run = |prober: &Prober| {
        let ran = prober.run(&plan, &target, &stop).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ran.result.verdict, ProbeVerdict::Pass, "{:?}", ran.result);
        ran
    };
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("probe over loopback, five steps");
    group.bench_function("davy, connections kept between runs", |bencher| bencher.iter(|| black_box(run(&kept))));
    group.bench_function("floor: bare ureq, connection kept", |bencher| bencher.iter(|| five(&agent, address)));
    group.bench_function("davy, a new connection for every run", |bencher| bencher.iter(|| black_box(run(&fresh))));
    group.bench_function("floor: bare ureq, a new connection for every five", |bencher| {
        bencher.iter(|| five(&bare(address), address));
    });
    group.finish();
    criterion.final_summary();
}
