//! Answers that cannot be used: each is a typed error, none is a value.

use std::time::{Duration, SystemTime};

use davy::Instant;
use davy_io::prometheus::{Data, Prometheus, PrometheusError};
use davy_io::{ClientConfig, Deadline, Retry};

use crate::support::server::{Play, Server, http_date};

const VECTOR: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

fn prometheus(server: &Server) -> Prometheus {
    let mut config = ClientConfig::new(&server.url()).unwrap();
    config.silence = Duration::from_millis(200);
    config.retry = Retry { attempts: 2, pause: Duration::from_millis(5), longest: Duration::from_millis(10) };
    Prometheus::new(config).unwrap()
}

fn soon() -> Deadline {
    Deadline::within(Duration::from_secs(5))
}

fn instant(millis: i64) -> Instant {
    Instant::from_millis(millis)
}

fn ask(play: impl Fn() -> Play + Send + Sync + 'static) -> Result<Data, PrometheusError> {
    let server = Server::start(move |_| play());
    prometheus(&server).instant("up", instant(0), soon()).map(|answer| answer.data)
}

#[test]
fn a_question_says_when_and_how_long() {
    let server = Server::start(|request| {
        assert_eq!((request.path.as_str(), request.form["time"].as_str()), ("/api/v1/query", "1795415057.590"));
        let timeout: f64 = request.form["timeout"].parse().unwrap();
        assert!((1.0..=5.0).contains(&timeout), "{timeout}");
        Play::json(VECTOR)
    });
    let answer = prometheus(&server).instant("up", instant(1_795_415_057_590), soon()).unwrap();
    assert_eq!(answer.data, Data::Vector(Vec::new()));
}

#[test]
fn every_answer_that_is_none_is_an_error_with_a_code() {
    let html = || Play::json("<html>log in</html>").with("Content-Type", "text/html; charset=utf-8");
    let refused = |status, kind: &str| {
        Play::status(status, format!(r#"{{"status":"error","errorType":"{kind}","error":"because"}}"#))
    };
    let warned = || Play::json(VECTOR.replacen('{', r#"{"warnings":["one store did not answer"],"#, 1));
    type Plays = Box<dyn Fn() -> Play + Send + Sync>;
    let cases: Vec<(&str, Plays)> = vec![
        ("I005", Box::new(|| Play::Hangup)),
        ("I005", Box::new(|| Play::Half { body: VECTOR.as_bytes().to_vec() })),
        ("I005", Box::new(|| Play::Raw(b"\0\0garbage".to_vec()))),
        ("I006", Box::new(|| Play::Stall)),
        ("I006", Box::new(|| Play::StallInBody)),
        ("I020", Box::new(|| Play::json("{\"status\":\"succ"))),
        ("I020", Box::new(|| Play::json("[]"))),
        ("I020", Box::new(|| Play::json(""))),
        ("I021", Box::new(move || refused(400, "bad_data"))),
        ("I021", Box::new(move || refused(422, "execution"))),
        ("I021", Box::new(move || refused(503, "timeout"))),
        ("I022", Box::new(html)),
        ("I022", Box::new(|| Play::json(VECTOR).with("Content-Type", ""))),
        ("I023", Box::new(|| Play::status(401, ""))),
        ("I023", Box::new(|| Play::status(403, VECTOR))),
        ("I024", Box::new(|| Play::status(404, "404 page not found"))),
        ("I024", Box::new(|| Play::status(500, VECTOR))),
        ("I024", Box::new(|| Play::status(502, "<html>bad gateway").with("Content-Type", "text/html"))),
        ("I025", Box::new(warned)),
    ];
    for (number, (code, play)) in cases.into_iter().enumerate() {
        let error = ask(play).unwrap_err();
        assert_eq!(error.code(), code, "{number}: {error}");
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn a_server_that_comes_back_is_heard() {
    let server = Server::start(|request| if request.number == 0 { Play::status(503, "") } else { Play::json(VECTOR) });
    assert!(prometheus(&server).instant("up", instant(0), soon()).is_ok());
}

#[test]
fn remarks_are_kept_beside_data_that_stand() {
    let play = || Play::json(VECTOR.replacen('{', r#"{"infos":["it may not be a counter"],"#, 1));
    let server = Server::start(move |_| play());
    assert_eq!(prometheus(&server).instant("up", instant(0), soon()).unwrap().infos.len(), 1);
}

#[test]
fn clocks_that_disagree_are_an_error() {
    for (seconds, code) in [(0_i64, None), (-3, None), (3, None), (60, Some("I027")), (-60, Some("I027"))] {
        let now = move || {
            SystemTime::now() + Duration::from_secs(1000) - Duration::from_secs((1000 - seconds).unsigned_abs())
        };
        // By the header of any answer.
        let outcome = ask(move || Play::json(VECTOR).with("Date", http_date(now())));
        assert_eq!(outcome.err().map(|error| error.code()), code, "{seconds}");
        // And by the server's word.
        let server = Server::start(move |request| {
            assert_eq!(request.form["query"], "time()");
            assert!(!request.form.contains_key("time"));
            let time = now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
            Play::json(format!(r#"{{"status":"success","data":{{"resultType":"scalar","result":[{time},"{time}"]}}}}"#))
        });
        let outcome = prometheus(&server).check_clock(soon());
        assert_eq!(outcome.as_ref().err().map(PrometheusError::code), code, "{seconds}");
        if let Err(error) = outcome {
            assert!(error.to_string().contains(if seconds > 0 { "ahead of" } else { "behind" }), "{error}");
        }
    }
    let nan = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"NaN"]}}"#;
    let server = Server::start(move |_| Play::json(nan));
    assert!(prometheus(&server).check_clock(soon()).is_err());
}

#[test]
fn a_long_range_is_asked_for_in_parts_and_put_together() {
    // A server with Prometheus' own limit, whose value is the time.
    let server = Server::start(|request| {
        assert_eq!(request.path, "/api/v1/query_range");
        let number = |name: &str| request.form[name].parse::<f64>().unwrap();
        let (start, end, step) = (number("start"), number("end"), number("step"));
        let points = ((end - start) / step + 1.0).floor();
        if points > 11_000.0 {
            return Play::status(400, r#"{"status":"error","errorType":"bad_data","error":"too many points"}"#);
        }
        let mut values = Vec::new();
        let mut at = start;
        while at <= end {
            values.push(format!("[{at},\"{at}\"]"));
            at += step;
        }
        let values = values.join(",");
        Play::json(format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{values}]}}]}}}}"#
        ))
    });
    for points in [1_i64, 2, 9_999, 10_000, 10_001, 20_000, 20_001, 25_000] {
        let to = instant(points * 15_000);
        let answer =
            prometheus(&server).range("up", instant(15_000), to, davy::Duration::from_secs(15), soon()).unwrap();
        let Data::Matrix(series) = answer.data else { panic!() };
        let times: Vec<u64> = series[0].samples.iter().map(|sample| sample.at.millis() / 15_000).collect();
        assert_eq!(times, (1..=points.unsigned_abs()).collect::<Vec<_>>(), "{points}");
    }
}

#[test]
fn samples_that_nobody_asked_for_are_refused() {
    let server = Server::start(|_| {
        let result = r#"[{"metric":{},"values":[[1000000,"1"]]}]"#;
        Play::json(format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}"#))
    });
    let step = davy::Duration::from_secs(15);
    let outcome = prometheus(&server).range("up", instant(0), instant(60_000), step, soon());
    assert_eq!(outcome.unwrap_err().code(), "I026");
}
