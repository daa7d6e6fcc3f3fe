//! Servers that fail, in part or altogether: what could not be had is said, and the rest counts.

use std::time::{Duration, Instant, SystemTime};

use davy::{Cohort, Query, Requirement};
use davy_io::prometheus::Prometheus;
use davy_io::{Deadline, Observations, Sources};

use crate::support::server::{Play, Server, http_date};
use crate::support::store::Store;
use crate::support::{START, codes, errors, impatient, prometheus, said, soon, wanted};

fn healthy() -> Store {
    let store = Store::default();
    for (revision, pod) in [("r1", "a"), ("r2", "b")] {
        for (metric, code) in [("http_requests_total", "200"), ("other_total", "")] {
            let series = format!(
                "{metric}{{job=\"shop\",instance=\"{pod}:80\",pod=\"{pod}\",revision=\"{revision}\",code=\"{code}\"}}"
            );
            store.add(&series, (-20..=20).map(|n| (START + n * 15, 1000 + n * 15)));
        }
    }
    store
}

fn other(from: i64, to: i64) -> Requirement {
    let query = Query::Bad { bad: "other_total{code=\"x\"}".to_owned(), total: "other_total".to_owned() };
    Requirement { about: "other".parse().unwrap(), ..wanted(query, from, to) }
}

fn of_source(name: &str, requirement: Requirement) -> Requirement {
    Requirement { source: Some(name.parse().unwrap()), ..requirement }
}

fn observe(server: &Server, requirements: &[Requirement]) -> Observations {
    prometheus(server).observe(requirements, soon())
}

#[test]
fn each_series_is_asked_for_once() {
    let server = healthy().serve();
    let baseline =
        Requirement { cohort: Some(Cohort::Baseline), selector: Some("revision=\"r1\"".to_owned()), ..errors(0, 60) };
    let twice = Requirement { about: "same".parse().unwrap(), ..errors(0, 60) };
    let later = Requirement { about: "later".parse().unwrap(), ..errors(30, 90) };
    let observations = observe(&server, &[errors(0, 60), baseline, twice, later]);
    assert_eq!(said(&observations), ["0/30 0/30 0/30", "0/30 0/30 0/30 0/30", "0/30"]);
    // The clock, and for each cohort all requests and the bad ones.
    assert_eq!(server.requests(), 5);
    assert!(server.connections() <= 4);
}

#[test]
fn a_server_that_does_not_answer_leaves_no_interval_behind() {
    for play in [
        || Play::Hangup,
        || Play::Stall,
        || Play::Raw(b"garbage".to_vec()),
        || Play::json("<html>"),
        || Play::status(500, ""),
        || Play::json(r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
        || Play::json(r#"{"status":"success","warnings":["x"],"data":{"resultType":"matrix","result":[]}}"#),
        || {
            Play::json(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#)
                .with("Date", http_date(SystemTime::now() - Duration::from_secs(600)))
        },
    ] {
        let server = Server::start(move |_| play());
        let observations = observe(&server, &[errors(0, 60), other(0, 60)]);
        assert!(observations.intervals.is_empty());
        assert!(observations.notes.iter().any(|note| note.problem.blinds()), "{:?}", observations.notes);
        let about = |name: &str| observations.notes.iter().flat_map(|note| &note.about).any(|it| it.as_str() == name);
        assert!(about("metric") && about("other"), "{:?}", observations.notes);
    }
}

#[test]
fn a_question_that_fails_does_not_silence_the_others() {
    let store = healthy();
    let server = Server::start(move |request| match request.form["query"].starts_with("other_total{") {
        true => Play::status(422, r#"{"status":"error","errorType":"execution","error":"too heavy"}"#),
        false => store.answer(request),
    });
    let observations = observe(&server, &[errors(0, 60), other(0, 60)]);
    assert_eq!((said(&observations), codes(&observations)), (vec!["0/30 noAnswer".to_owned(); 2], vec!["I021"]));
}

#[test]
fn one_dead_source_does_not_silence_another() {
    let alive = healthy().serve();
    let dead = Server::start(|_| Play::Hangup);
    let sources = Sources::default()
        .with("prom".parse().unwrap(), prometheus(&alive))
        .with("edge".parse().unwrap(), prometheus(&dead));
    let requirements = [errors(0, 60), of_source("edge", other(0, 60)), of_source("nowhere", other(0, 60))];
    let observations = sources.observe(&requirements[..2], soon());
    assert_eq!((said(&observations), codes(&observations)), (vec!["0/30 noAnswer".to_owned(); 2], vec!["I005"]));
    assert_eq!(codes(&sources.observe(&requirements[2..], soon())), ["I050"]);
    let sourceless = Requirement { source: None, ..errors(0, 60) };
    assert_eq!(codes(&sources.observe(std::slice::from_ref(&sourceless), soon())), ["I050"]);
    assert_eq!(said(&Sources::one(prometheus(&alive)).observe(&[sourceless], soon())), ["0/30"; 2]);
}

#[test]
fn the_deadline_holds_for_everything_together() {
    let server = Server::start(|_| Play::Stall);
    let mut config = impatient(&server.url());
    config.silence = Duration::from_secs(60);
    let server = Prometheus::new(config).unwrap();
    let requirements: Vec<Requirement> = (0..20)
        .map(|number| {
            let query = Query::Gauge(format!("gauge_{number}"));
            Requirement { about: format!("m{number}").parse().unwrap(), ..wanted(query, 0, 60) }
        })
        .collect();
    let started = Instant::now();
    let observations = server.observe(&requirements, Deadline::within(Duration::from_millis(500)));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(observations.intervals.is_empty());
}

#[test]
fn a_clock_that_is_wrong_silences_its_server() {
    let store = healthy();
    let server = Server::start(move |request| {
        if request.form["query"] != "time()" {
            return store.answer(request).with("Date", "");
        }
        let ahead = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64() + 30.0;
        Play::json(format!(r#"{{"status":"success","data":{{"resultType":"scalar","result":[1,"{ahead}"]}}}}"#))
    });
    let observations = observe(&server, &[errors(0, 60)]);
    assert_eq!((said(&observations), codes(&observations)), (vec![], vec!["I027"]));
}

#[test]
fn series_of_somebody_else_are_refused() {
    // Something on the way that forgets the matchers.
    let store = healthy();
    let server = Server::start(move |request| {
        let mut request = crate::support::server::Request {
            path: request.path.clone(),
            headers: request.headers.clone(),
            form: request.form.clone(),
            number: request.number,
        };
        let query = request.form["query"].replace("revision=\"r2\"", "").replace(",}", "}").replace("{}", "");
        request.form.insert("query".to_owned(), query);
        store.answer(&request)
    });
    let observations = observe(&server, &[errors(0, 60)]);
    assert_eq!((said(&observations), codes(&observations)), (vec![], vec!["I026"]));
}

#[test]
fn what_cannot_be_asked_says_what_to_write() {
    let server = healthy().serve();
    let bad = |bad: &str| {
        let query = Query::Bad { bad: bad.to_owned(), total: "other_total".to_owned() };
        Requirement { about: "broken".parse().unwrap(), ..wanted(query, 0, 30) }
    };
    let told = |requirement: Requirement| {
        let observations = observe(&server, &[errors(0, 30), requirement]);
        assert_eq!(said(&observations), ["noAnswer 0/30"]);
        observations.notes[0].to_string()
    };
    let rate = told(bad("sum(rate(http_requests_total{code=~\"5..\"}[5m]))"));
    assert!(rate.starts_with("broken: I041") && rate.contains("write `http_requests_total{code=~\"5..\"}`"), "{rate}");
    assert!(told(bad("http_requests_total{code=")).contains("column 20"));
    let nobody = told(Requirement { selector: None, ..bad("other_total") });
    assert!(nobody.contains("I044") && nobody.contains("canary: ''"), "{nobody}");
    let matchers = told(Requirement { selector: Some("revision".to_owned()), ..bad("other_total") });
    assert!(matchers.contains("I040"), "{matchers}");
    // Said outright, the text alone selects.
    let alone = Requirement { selector: Some(String::new()), ..errors(0, 30) };
    assert_eq!(said(&observe(&server, &[alone])), ["0/60"]);
}

#[test]
fn what_is_not_prometheus_business_is_left_to_others() {
    let server = healthy().serve();
    let probe = wanted(Query::Probe("login".parse().unwrap()), 0, 60);
    let run = Requirement { every: None, ..probe.clone() };
    let observations =
        observe(&server, &[Requirement { about: "probe".parse().unwrap(), ..probe }, run, errors(0, 30)]);
    assert_eq!((said(&observations), codes(&observations)), (vec!["0/30".to_owned()], vec!["I061"]));
    assert!(!observations.notes[0].problem.blinds());
    assert_eq!(observe(&server, &[]), Observations::default());
}

#[test]
fn what_would_be_asked_can_be_seen() {
    let server = healthy().serve();
    let expression =
        Requirement { about: "cpu".parse().unwrap(), ..wanted(Query::Gauge("max(cpu)".to_owned()), 0, 60) };
    let broken = Requirement { about: "broken".parse().unwrap(), ..wanted(Query::Buckets("a / b".to_owned()), 0, 60) };
    let sources = Sources::one(prometheus(&server));
    let (questions, notes) = sources.questions(&[errors(0, 60), other(0, 60), expression, broken]);
    let host = server.url().replace("http://", "");
    let texts: Vec<String> = questions.iter().map(|question| question.to_string().replace(&host, "host")).collect();
    assert_eq!(
        texts[0],
        "host: http_requests_total{revision=\"r2\"} from 2023-11-14T21:55:00Z to 2023-11-14T22:01:00Z"
    );
    assert_eq!(texts[1].split(' ').nth(1), Some("http_requests_total{code=~\"5..\",revision=\"r2\"}"));
    assert_eq!(texts[4], "host: max(cpu{revision=\"r2\"}) from 2023-11-14T22:00:30Z to 2023-11-14T22:01:00Z every 30s");
    assert_eq!((texts.len(), notes.len(), notes[0].problem.code(), server.requests()), (6, 1, "I041", 0));
}

#[test]
fn a_span_of_years_is_refused() {
    let server = healthy().serve();
    let years = Requirement { from: davy::Instant::EPOCH, ..errors(0, 60) };
    let observations = observe(&server, &[years]);
    assert_eq!((said(&observations), codes(&observations), server.requests()), (vec![], vec!["I062"], 0));
}

#[test]
fn a_long_span_is_fetched_in_parts_and_counts_every_event_once() {
    let store = Store::default();
    let series = "http_requests_total{job=\"shop\",instance=\"b:80\",pod=\"b\",revision=\"r2\",code=\"200\"}";
    // At whole quarters of a minute, so that samples lie on the boundaries of the parts.
    store.add(series, (-40..=900).map(|n| (START + n * 15, 10_000 + n)));
    let server = store.serve();
    let observations = observe(&server, &[errors(0, 13_500)]);
    assert_eq!(said(&observations), vec!["0/2"; 450]);
    // The clock, and twice four hours in parts of one.
    assert_eq!(server.requests(), 9);
}
