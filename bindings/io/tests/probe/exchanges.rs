//! Answers of every kind, and what is made of them.

use std::time::{Duration, Instant};

use davy::ProbeVerdict as Verdict;
use davy::probe::TransportFault as Fault;

use crate::server::{HUGE, Server};
use crate::support::{fault, one, only, plan, prober, run};

#[test]
fn every_way_to_answer_badly_has_its_own_name() {
    let server = Server::plain();
    let prober = prober();
    let cases = [
        ("/garbage", Fault::Malformed),
        ("/badstatus", Fault::Malformed),
        ("/badchunk", Fault::Malformed),
        ("/badgzip", Fault::Malformed),
        ("/endless", Fault::Malformed),
        ("/half", Fault::Closed),
        ("/close", Fault::Closed),
        ("/never", Fault::Timeout),
        ("/drip", Fault::Timeout),
    ];
    for (path, expected) in cases {
        let result = run(&prober, &one(&server.base(), path, "status: 200, body: { minBytes: 1 }"));
        assert_eq!((result.verdict, fault(&result)), (Verdict::Fail, expected), "{path}: {result:?}");
    }
    let shut = one("http://127.0.0.1:1", "/", "status: 200, body: { minBytes: 1 }");
    assert_eq!(fault(&run(&prober, &shut)), Fault::Connect);
    let nobody = one("http://nobody.invalid", "/", "status: 200, body: { minBytes: 1 }");
    let result = run(&prober, &nobody);
    // Without any resolver it is the prober's fault and not the service's.
    let known = [(Verdict::Fail, Fault::NoSuchHost), (Verdict::Error, Fault::Resolver)];
    assert!(known.contains(&(result.verdict, fault(&result))), "{result:?}");
}

#[test]
fn unusual_answers_are_read() {
    let server = Server::plain();
    let prober = prober();
    let cases = [
        ("/ok", "status: 200, httpVersion: \"1.1\", body: { contains: Welcome }"),
        ("/old", "status: 200, httpVersion: \"1.0\", body: { equals: until the end }"),
        ("/chunked", "status: 200, jsonpath: { \"$.parts[*]\": { count: 2, all: { gt: 0 } } }"),
        ("/gzip", "status: 200, header: { content-encoding: gzip }, jsonpath: { $.packed: true }"),
        (
            "/binary",
            "status: 200, body: { digest: \"sha256:0ac2d8b85a3d8ca7f36b2d6f2a1e3b3e0a0f4e6c1b1b6f0f1b0a9b8c7d6e5f4a\" }",
        ),
        (
            "/headers",
            "status: 200, jsonpath: { \"$.headers['user-agent']\": { startsWith: davy-probe }, \"$.headers['accept-encoding']\": { exists: false } }",
        ),
    ];
    for (path, expect) in cases {
        let result = run(&prober, &one(&server.base(), path, expect));
        if path == "/binary" {
            assert!(only(&result).checks[1].actual.starts_with("sha256:"), "{result:?}");
        } else {
            assert_eq!(result.verdict, Verdict::Pass, "{path}: {result:?}");
        }
    }
}

#[test]
fn no_more_is_read_than_may_be_and_a_bomb_does_not_go_off() {
    let server = Server::plain();
    let prober = prober();
    for (path, most) in [("/huge", 65_536), ("/bomb", 65_536)] {
        let spec = format!(
            "  steps: [{{ id: a, maxBody: 64KiB, request: {{ path: {path} }}, expect: {{ status: 200, body: {{ minBytes: 1 }} }} }}]\n"
        );
        let result = run(&prober, &plan(&server.base(), &spec));
        assert_eq!(only(&result).bytes, most, "{path}: {result:?}");
        // What was cut off cannot be judged as a whole.
        assert_eq!(only(&result).status, Some(200));
    }
    let spec = "  steps: [{ id: a, maxBody: 8MiB, request: { path: /huge }, expect: { status: 200, body: { minBytes: 4194304 } } }]\n";
    let result = run(&prober, &plan(&server.base(), spec));
    assert_eq!((result.verdict, only(&result).bytes), (Verdict::Pass, HUGE as u64));
}

#[test]
fn the_parts_of_an_exchange_are_timed() {
    let server = Server::plain();
    let slow =
        run(&prober(), &one(&server.named("localhost"), "/slow", "status: 200, phase: { wait: { lte: 100ms } }"));
    assert_eq!(slow.verdict, Verdict::Fail);
    let timings = only(&slow).timings;
    assert!(timings.dns.is_some() && timings.connect.is_some() && timings.tls.is_none(), "{timings:?}");
    let wait = timings.wait.unwrap().0;
    assert!((145_000..900_000).contains(&wait), "{timings:?}");
    assert!(timings.total().unwrap().0 >= wait);
    // A step that takes too long tells how long it waited.
    let never = run(
        &prober(),
        &plan(
            &server.base(),
            "  steps: [{ id: a, timeout: 300ms, request: { path: /never }, expect: { status: 200, body: { minBytes: 1 } } }]\n",
        ),
    );
    let timings = only(&never).timings;
    let waited = timings.total().unwrap().0;
    assert!(timings.wait.is_some() && (250_000..2_000_000).contains(&waited), "{timings:?}");
}

#[test]
fn a_run_keeps_its_connection_and_the_next_run_makes_a_new_one() {
    let server = Server::plain();
    let prober = prober();
    let spec = "  steps:\n    - { id: a, request: { path: /ok }, expect: { status: 200, body: { minBytes: 1 } } }\n    - { id: b, request: { path: /ok }, expect: { status: 200, body: { minBytes: 1 } } }\n";
    let plan = plan(&server.base(), spec);
    let first = run(&prober, &plan);
    assert!(first.steps[0].attempts[0].timings.connect.is_some());
    assert!(first.steps[1].attempts[0].timings.connect.is_none(), "{first:?}");
    run(&prober, &plan);
    let connections: Vec<usize> = server.seen().iter().map(|seen| seen.connection).collect();
    assert!(connections[0] == connections[1] && connections[1] != connections[2], "{connections:?}");
}

#[test]
fn a_connection_that_was_closed_while_it_idled_is_no_fault_of_the_service() {
    let server = Server::plain();
    let spec = "  steps:\n    - { id: a, request: { path: /liar }, expect: { status: 200, body: { minBytes: 1 } } }\n    - { id: b, request: { path: /ok }, expect: { status: 200, body: { minBytes: 1 } } }\n    - { id: c, request: { path: /liar }, expect: { status: 200, body: { minBytes: 1 } } }\n    - { id: d, request: { method: POST, path: /ok, json: {} }, expect: { status: 200, body: { minBytes: 1 } } }\n  teardown: []\n";
    let result = run(&prober(), &plan(&server.base(), spec));
    assert_eq!(result.verdict, Verdict::Pass, "{result:?}");
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn a_flaky_service_passes_and_says_so() {
    let server = Server::plain();
    let spec = "  steps:\n    - id: a\n      request: { path: /flaky/a }\n      retry: { attempts: 2, on: [503], backoff: { base: 1ms } }\n      expect: { status: 200, body: { contains: there } }\n";
    let result = run(&prober(), &plan(&server.base(), spec));
    assert!(result.verdict == Verdict::Pass && result.flaky, "{result:?}");
    let attempts = &result.steps[0].attempts;
    assert_eq!(attempts.iter().map(|one| one.status).collect::<Vec<_>>(), [Some(503), Some(200)]);
}

#[test]
fn redirects_are_followed_as_browsers_do() {
    let server = Server::plain();
    let prober = prober();
    let base = server.base();
    let result =
        run(&prober, &one(&base, "/redirect?to=%2Fok", "status: 200, redirects: 1, body: { contains: Welcome }"));
    assert_eq!(result.verdict, Verdict::Pass, "{result:?}");
    let posts = "  steps: [{ id: a, request: { method: POST, path: /see-other, json: { a: 1 } }, expect: { status: 200, jsonpath: { $.method: GET, $.body: \"\" } } }]\n  teardown: []\n";
    assert_eq!(run(&prober, &plan(&base, posts)).verdict, Verdict::Pass);
    let around = run(&prober, &one(&base, "/around", "status: 200, body: { minBytes: 1 }"));
    assert!(around.verdict == Verdict::Fail && around.reason.as_deref().unwrap().contains("more than 5 redirects"));
}

#[test]
fn a_trace_runs_through_the_requests_of_a_run() {
    let server = Server::plain();
    let spec = "  steps:\n    - { id: a, request: { path: /ok }, expect: { status: 200, body: { minBytes: 1 } } }\n    - { id: b, request: { path: /ok }, expect: { status: 200, body: { minBytes: 1 } } }\n";
    let result = run(&prober(), &plan(&server.base(), spec));
    let parents: Vec<String> =
        server.seen().iter().map(|seen| seen.header("traceparent").unwrap().to_owned()).collect();
    let fields: Vec<Vec<&str>> = parents.iter().map(|parent| parent.split('-').collect()).collect();
    assert!(fields.iter().all(|fields| fields.len() == 4 && fields[1] == result.run), "{parents:?}");
    assert_ne!(fields[0][2], fields[1][2]);
}

#[test]
fn a_run_that_is_told_to_stop_does_not_wait() {
    let server = Server::plain();
    let spec = "  steps:\n    - id: a\n      request: { path: /ok }\n      poll: { until: { status: 404 }, every: 20s, max: 25s }\n      expect: { status: 404, body: { minBytes: 1 } }\n  teardown: [{ id: bye, request: { method: DELETE, path: /ok }, expect: { status: 200 } }]\n";
    let plan = plan(&server.base(), spec);
    let stop = davy_io::probe::Stop::new();
    let begun = Instant::now();
    let result = std::thread::scope(|scope| {
        let running = scope.spawn(|| prober().run(&plan, &crate::support::here(), &stop).unwrap().result);
        std::thread::sleep(Duration::from_millis(200));
        stop.stop();
        running.join().unwrap()
    });
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(result.verdict, Verdict::Skipped);
    // It cleans up nevertheless.
    assert_eq!(server.seen().last().unwrap().method, "DELETE");
}
