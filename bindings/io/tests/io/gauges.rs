//! Gauges per interval: plain series, and expressions.

use davy::{Query, Requirement};

use crate::support::server::{Play, Server};
use crate::support::store::Store;
use crate::support::{START, by_pod, codes, prometheus, said, soon, wanted};

fn quarters(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (0..).map(|n| n * 15 - 293).skip_while(move |second| *second < from).take_while(move |second| *second <= to)
}

fn gauge(text: &str, from: i64, to: i64) -> Requirement {
    wanted(Query::Gauge(text.to_owned()), from, to)
}

fn cpu(pod: &str, instance: &str) -> String {
    format!("cpu{{job=\"shop\",instance=\"{instance}\",pod=\"{pod}\",revision=\"r2\"}}")
}

fn observed(store: &Store, requirement: Requirement) -> (Vec<String>, Vec<&'static str>) {
    let server = store.serve();
    let observations = prometheus(&server).observe(&[requirement], soon());
    (said(&observations), codes(&observations))
}

fn values(seconds: impl Iterator<Item = i64>, value: impl Fn(i64) -> String) -> Vec<(i64, String)> {
    seconds.map(|second| (START + second, value(second))).collect()
}

#[test]
fn the_last_value_in_an_interval_counts() {
    let store = Store::default();
    store.add(&cpu("a", "a:80"), values(quarters(-300, 90), |second| format!("0.{}", second + 300)));
    assert_eq!(observed(&store, gauge("cpu", 0, 90)), (vec!["0.322".into(), "0.352".into(), "0.382".into()], vec![]));
    store.add(&cpu("b", "b:80"), values(quarters(-300, 90), |_| "0.5".to_owned()));
    assert_eq!(observed(&store, by_pod(gauge("cpu", 0, 30))).0, ["a:0.322 b:0.5"]);
}

#[test]
fn several_values_where_one_is_wanted_are_no_answer() {
    let store = Store::default();
    store.add(&cpu("a", "a:80"), values(quarters(-300, 90), |_| "0.1".to_owned()));
    store.add(&cpu("b", "b:80"), values(quarters(-300, 90), |_| "0.9".to_owned()));
    assert_eq!(observed(&store, gauge("cpu", 0, 30)), (vec!["noAnswer".into()], vec!["I053"]));
    // A pod that moved: one after the other.
    let store = Store::default();
    store.add(&cpu("a", "old:80"), values(quarters(-300, 10), |_| "0.1".to_owned()));
    store.add(&cpu("a", "new:80"), values(quarters(20, 90), |_| "0.9".to_owned()));
    assert_eq!(observed(&store, by_pod(gauge("cpu", 0, 30))).0, ["a:0.9"]);
}

#[test]
fn what_is_not_seen_has_no_value() {
    let store = Store::default();
    store.add(&cpu("a", "a:80"), values(quarters(-300, 40), |_| "0.1".to_owned()));
    store.add(&cpu("b", "b:80"), values(quarters(-300, 90), |_| "0.9".to_owned()));
    // Gone without leave: missing. A gap alone does not matter to the last value.
    assert_eq!(observed(&store, by_pod(gauge("cpu", 30, 90))).0, ["a:0.1 b:0.9", "a:noData b:0.9"]);
    store.add("up{job=\"shop\",instance=\"a:80\"}", values(quarters(-300, 40), |_| "1".to_owned()));
    assert_eq!(observed(&store, by_pod(gauge("cpu", 30, 90))).0, ["a:0.1 b:0.9", "b:0.9"]);
    assert_eq!(observed(&Store::default(), gauge("cpu", 0, 30)), (vec!["noData".into()], vec![]));
    for value in ["NaN", "+Inf", "-Inf"] {
        let store = Store::default();
        store.add(&cpu("a", "a:80"), values(quarters(-300, 90), |_| value.to_owned()));
        assert_eq!(observed(&store, gauge("cpu", 0, 30)).0, [value]);
    }
}

/// A server that answers an expression and the question how fresh it is, each by a function of the step.
fn computed(
    value: impl Fn(i64) -> String + Send + Sync + 'static,
    newest: impl Fn(i64) -> Option<i64> + Send + Sync + 'static,
) -> Server {
    Server::start(move |request| {
        let query = request.form["query"].as_str();
        if query == "time()" {
            return Store::default().answer(request);
        }
        let second = |name: &str| request.form[name].parse::<f64>().unwrap().round() as i64;
        let (start, end, step) = (second("start"), second("end"), second("step"));
        let steps = (0..=(end - start) / step).map(|n| start + n * step);
        let fresh = query.contains("timestamp(");
        let point = |at: i64| {
            let value = if fresh {
                newest(at - START).map(|newest| (START + newest).to_string())
            } else {
                Some(value(at - START))
            };
            value.map(|value| format!("[{at},\"{value}\"]"))
        };
        let values: Vec<String> = steps.filter_map(point).collect();
        let labels = if fresh { r#""davy_selector":"0""# } else { "" };
        if !fresh {
            assert_eq!(query, "max(rate(cpu_seconds_total{revision=\"r2\"}[1m]))");
        }
        Play::json(format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{{labels}}},"values":[{}]}}]}}}}"#,
            values.join(",")
        ))
    })
}

const EXPRESSION: &str = "max(rate(cpu_seconds_total[1m]))";

#[test]
fn an_expression_counts_where_all_of_its_series_are_fresh() {
    let observed = |server: Server| {
        let observations = prometheus(&server).observe(&[gauge(EXPRESSION, 0, 90)], soon());
        (said(&observations), codes(&observations))
    };
    let value = |second: i64| format!("0.{second}");
    let fresh = observed(computed(value, |second| Some(second - 8)));
    assert_eq!(fresh, (vec!["0.3".into(), "0.6".into(), "0.9".into()], vec![]));
    // Prometheus goes on for five minutes with what it saw last: 52 is not in the third interval.
    let stale = observed(computed(value, |second| Some((second - 8).min(52))));
    assert_eq!(stale.0, ["0.3", "0.6", "noData"]);
    // At the boundary it belongs to the interval before.
    let boundary = observed(computed(value, |second| Some(second - 30)));
    assert_eq!(boundary.0, ["noData"; 3]);
    let nothing = observed(computed(value, |_| None));
    assert_eq!(nothing.0, ["noData"; 3]);
    let nan = observed(computed(|_| "NaN".to_owned(), |second| Some(second - 8)));
    assert_eq!(nan.0, ["NaN"; 3]);
}

#[test]
fn an_expression_about_nothing_is_no_answer() {
    let store = Store::default();
    store.add(&cpu("a", "a:80"), values(quarters(-300, 90), |_| "0.1".to_owned()));
    let server = store.serve();
    for (text, code) in [("vector(0)", "I043"), ("cpu offset 5m", "I042"), ("cpu{", "I040")] {
        let requirements = [gauge(text, 0, 30), Requirement { about: "cpu".parse().unwrap(), ..gauge("cpu", 0, 30) }];
        let observations = prometheus(&server).observe(&requirements, soon());
        assert_eq!(
            (said(&observations), codes(&observations)),
            (vec!["0.1 noAnswer".to_owned()], vec![code]),
            "{text}"
        );
    }
}
