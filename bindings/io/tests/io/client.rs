//! The HTTP client beside servers that misbehave.

use std::time::{Duration, Instant, SystemTime};

use davy_io::{Auth, Client, ClientConfig, ClientError, Credential, Deadline, Retry, Secret};

use crate::support::server::{Play, Server, http_date};

fn quick(url: &str) -> ClientConfig {
    let mut config = ClientConfig::new(url).unwrap();
    config.silence = Duration::from_millis(200);
    config.retry = Retry { attempts: 3, pause: Duration::from_millis(5), longest: Duration::from_millis(10) };
    config
}

fn client(url: &str) -> Client {
    Client::new(quick(url)).unwrap()
}

fn soon() -> Deadline {
    Deadline::within(Duration::from_secs(5))
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::start(|_| Play::json("{}"));
    let client = client(&server.url());
    for _ in 0..20 {
        assert_eq!(client.post_form("/x", &[("a", "b c&d")], soon()).unwrap().body, b"{}");
    }
    assert_eq!((server.requests(), server.connections()), (20, 1));
}

#[test]
fn a_form_arrives_as_it_was_given() {
    let server = Server::start(|request| {
        assert_eq!(request.headers["user-agent"], concat!("davy/", env!("CARGO_PKG_VERSION")));
        assert_eq!(request.headers["accept"], "application/json");
        Play::json(format!("{} {}", request.path, request.form["query"]))
    });
    let query = "a{b=~\"5..|ü&=+%\"}";
    let reply = client(&format!("{}/under/", server.url())).post_form("/api/v1/query", &[("query", query)], soon());
    assert_eq!(String::from_utf8(reply.unwrap().body).unwrap(), format!("/under/api/v1/query {query}"));
}

#[test]
fn what_may_pass_is_tried_again() {
    for status in [429, 502, 503, 504] {
        let server =
            Server::start(move |request| if request.number < 2 { Play::status(status, "") } else { Play::json("{}") });
        assert_eq!(client(&server.url()).post_form("/", &[], soon()).unwrap().status, 200);
        assert_eq!(server.requests(), 3);
    }
    let server = Server::start(|request| if request.number < 2 { Play::Hangup } else { Play::json("{}") });
    assert_eq!(client(&server.url()).post_form("/", &[], soon()).unwrap().status, 200);
}

#[test]
fn what_does_not_pass_is_told_at_once() {
    for status in [400, 401, 404, 422, 500] {
        let server = Server::start(move |_| Play::status(status, "why"));
        let reply = client(&server.url()).post_form("/", &[], soon()).unwrap();
        assert_eq!((reply.status, reply.body.as_slice(), server.requests()), (status, &b"why"[..], 1));
    }
}

#[test]
fn the_last_of_all_attempts_is_the_answer() {
    let server = Server::start(|request| Play::status(503, format!("{}", request.number)));
    let reply = client(&server.url()).post_form("/", &[], soon()).unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (503, &b"2"[..]));
    let server = Server::start(|_| Play::Hangup);
    let error = client(&server.url()).post_form("/", &[], soon()).unwrap_err();
    assert!(matches!(error, ClientError::Transport { attempts: 3, .. }), "{error}");
}

#[test]
fn a_server_may_say_how_long_to_wait() {
    let server = Server::start(|request| match request.number {
        0 => Play::status(429, "").with("Retry-After", "1"),
        _ => Play::json("{}"),
    });
    let started = Instant::now();
    assert_eq!(client(&server.url()).post_form("/", &[], soon()).unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_secs(1));
    // Longer than there is time: the refusal is the answer, now.
    let later = http_date(SystemTime::now() + Duration::from_secs(100));
    let server = Server::start(move |_| Play::status(429, "").with("Retry-After", later.clone()));
    let started = Instant::now();
    assert_eq!(client(&server.url()).post_form("/", &[], soon()).unwrap().status, 429);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn silence_ends_with_the_time_that_it_is_given() {
    for play in [|| Play::Stall, || Play::StallInBody] {
        let server = Server::start(move |_| play());
        let started = Instant::now();
        let error = client(&server.url()).post_form("/", &[], soon()).unwrap_err();
        assert!(matches!(error, ClientError::Timeout { attempts: 3, .. }), "{error}");
        assert!((600..3000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }
}

#[test]
fn the_deadline_ends_all_attempts_together() {
    let server = Server::start(|_| Play::Stall);
    let mut config = quick(&server.url());
    config.silence = Duration::from_secs(60);
    config.retry.attempts = 100;
    let started = Instant::now();
    let error = Client::new(config).unwrap().post_form("/", &[], Deadline::within(Duration::from_millis(300)));
    assert!(matches!(error, Err(ClientError::Timeout { .. })), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    let passed = Deadline::within(Duration::ZERO);
    assert!(matches!(client(&server.url()).post_form("/", &[], passed), Err(ClientError::Deadline { .. })));
}

#[test]
fn an_answer_is_whole_or_none() {
    for play in [
        || Play::Half { body: b"{".to_vec() },
        || Play::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        || Play::Raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        || Play::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec()),
    ] {
        let server = Server::start(move |_| play());
        let error = client(&server.url()).post_form("/", &[], soon()).unwrap_err();
        assert!(matches!(error, ClientError::Transport { .. }), "{error}");
    }
}

#[test]
fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let server = Server::start(|_| Play::json(vec![b' '; 1000]));
    let with_limit = |largest| {
        let mut config = quick(&server.url());
        config.largest = largest;
        Client::new(config).unwrap().post_form("/", &[], soon())
    };
    assert_eq!(with_limit(1000).unwrap().body.len(), 1000);
    assert!(matches!(with_limit(999), Err(ClientError::TooLarge { limit: 999, .. })));
    // An announced size is not believed: nothing is reserved for it.
    let server = Server::start(|_| Play::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000\r\n\r\n{".to_vec()));
    assert!(matches!(client(&server.url()).post_form("/", &[], soon()), Err(ClientError::Transport { .. })));
}

#[test]
fn credentials_go_to_one_server_and_no_other() {
    let other = Server::start(|_| Play::json("{}"));
    let to = format!("{}/login?session=hunter2", other.url());
    for status in [301, 302, 303, 307, 308] {
        let to = to.clone();
        let server = Server::start(move |request| {
            assert_eq!(request.headers["authorization"], "Bearer hunter2");
            Play::status(status, "").with("Location", to.clone())
        });
        let mut config = quick(&server.url());
        config.auth = Some(Auth::Bearer(Credential::Given(Secret::new("hunter2"))));
        assert!(!format!("{config:?}").contains("hunter2"));
        let client = Client::new(config).unwrap();
        assert!(!format!("{client:?}").contains("hunter2"));
        let error = client.post_form("/", &[], soon()).unwrap_err();
        assert!(matches!(error, ClientError::Redirect { .. }), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("/login") && !shown.contains("hunter2"), "{shown}");
    }
    assert_eq!(other.requests(), 0);
}

#[test]
fn a_server_that_is_not_there_is_told_as_such() {
    let url = Server::start(|_| Play::Hangup).url();
    std::thread::sleep(Duration::from_millis(50));
    let error = client(&url).post_form("/", &[], soon()).unwrap_err();
    assert!(error.to_string().contains("connection refused"), "{error}");
    let error = client("http://no-such-host.invalid").post_form("/", &[], soon()).unwrap_err();
    assert_eq!(error.code(), "I005", "{error}");
    assert!(error.hint().is_some());
}
