//! What the tests share: a server that plays what it is told, a small Prometheus, and requirements.

pub(crate) mod peer;
pub(crate) mod relay;
pub(crate) mod server;
pub(crate) mod store;

use std::time::Duration;

use davy::{Cohort, Instant, Interval, Query, Requirement};
use davy_io::prometheus::Prometheus;
use davy_io::{ClientConfig, Deadline, Observations, Retry};
use server::Server;

/// The instant that tests count seconds from, 2023-11-14T22:00:00Z: long ago, as data are when they are asked for.
pub(crate) const START: i64 = 1_699_999_200;

pub(crate) fn at(second: i64) -> Instant {
    Instant::from_millis((START + second) * 1000)
}

pub(crate) fn soon() -> Deadline {
    Deadline::within(Duration::from_secs(5))
}

/// A client that loses patience soon.
pub(crate) fn impatient(url: &str) -> ClientConfig {
    let mut config = ClientConfig::new(url).unwrap();
    config.silence = Duration::from_millis(300);
    config.retry = Retry { attempts: 2, pause: Duration::from_millis(5), longest: Duration::from_millis(10) };
    config
}

pub(crate) fn prometheus(server: &Server) -> Prometheus {
    Prometheus::new(impatient(&server.url())).unwrap()
}

/// A metric of the canary in intervals of half a minute.
pub(crate) fn wanted(query: Query, from: i64, to: i64) -> Requirement {
    Requirement {
        about: "metric".parse().unwrap(),
        source: Some("prom".parse().unwrap()),
        query,
        objective: None,
        cohort: Some(Cohort::Canary),
        selector: Some("revision=\"r2\"".to_owned()),
        replica: None,
        from: at(from),
        to: at(to),
        every: Some(davy::Duration::from_secs(30)),
    }
}

/// Bad ones of all requests.
pub(crate) fn errors(from: i64, to: i64) -> Requirement {
    let query =
        Query::Bad { bad: "http_requests_total{code=~\"5..\"}".to_owned(), total: "http_requests_total".to_owned() };
    wanted(query, from, to)
}

pub(crate) fn by_pod(requirement: Requirement) -> Requirement {
    Requirement { replica: Some("pod".parse().unwrap()), ..requirement }
}

/// What each interval says, in short: `bad/total`, a number, or why there is none.
pub(crate) fn said(observations: &Observations) -> Vec<String> {
    observations.intervals.iter().map(said_in).collect()
}

fn said_in(interval: &Interval) -> String {
    let json = serde_json::to_value(interval).unwrap();
    let one = |observation: &serde_json::Value| {
        let text = |key: &str| observation.get(key).map(|value| value.to_string().replace('"', ""));
        let replica = text("replica").map(|name| format!("{name}:")).unwrap_or_default();
        let counts = text("bad").zip(text("total")).map(|(bad, total)| format!("{bad}/{total}"));
        let value =
            counts.or_else(|| ["missing", "gauge", "events", "buckets", "histogram"].into_iter().find_map(text));
        replica + &value.unwrap()
    };
    json["observations"].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The codes of all notes.
pub(crate) fn codes(observations: &Observations) -> Vec<&'static str> {
    observations.notes.iter().map(|note| note.problem.code()).collect()
}
