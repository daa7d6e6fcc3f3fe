//! Counts per interval: every event once, in one interval, and nothing where it is not known.

use davy::{Query, Requirement};

use crate::support::server::{Play, Server};
use crate::support::store::Store;
use crate::support::{START, by_pod, codes, errors, prometheus, said, soon, wanted};

/// A scrape every quarter of a minute, at 7, 22, 37 … seconds, with a counter's value.
fn scrapes(seconds: impl IntoIterator<Item = i64>, value: impl Fn(i64) -> i64) -> Vec<(i64, i64)> {
    seconds.into_iter().map(|second| (START + second, value(second))).collect()
}

fn quarters(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (-1000..).map(|n| n * 15 - 293).skip_while(move |second| *second < from).take_while(move |second| *second <= to)
}

fn series(pod: &str, code: &str) -> String {
    format!("http_requests_total{{job=\"shop\",instance=\"{pod}:80\",pod=\"{pod}\",revision=\"r2\",code=\"{code}\"}}")
}

fn up(pod: &str) -> String {
    format!("up{{job=\"shop\",instance=\"{pod}:80\"}}")
}

fn observed(store: &Store, requirement: Requirement) -> (Vec<String>, Vec<&'static str>) {
    let server = store.serve();
    let observations = prometheus(&server).observe(&[requirement], soon());
    (said(&observations), codes(&observations))
}

#[test]
fn a_rise_belongs_to_the_interval_that_holds_its_later_sample() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 90), |second| 1000 + second));
    store.add(&series("a", "500"), scrapes(quarters(-300, 90), |second| if second >= 37 { 5 } else { 3 }));
    // From -8 to 22, 22 to 52, 52 to 82; the two errors are first seen at 37.
    assert_eq!(observed(&store, errors(0, 90)), (vec!["0/30".into(), "2/32".into(), "0/30".into()], vec![]));
}

#[test]
fn an_interval_is_the_same_whenever_it_is_fetched() {
    let store = Store::default();
    for pod in ["a", "b"] {
        store.add(
            &series(pod, "200"),
            scrapes(quarters(-300, 600), |second| if second > 200 { second } else { 1000 + second }),
        );
        store.add(&series(pod, "500"), scrapes(quarters(95, 600), |second| second / 40));
    }
    let (whole, _) = observed(&store, by_pod(errors(0, 600)));
    assert_eq!(whole.len(), 20);
    for (number, interval) in whole.iter().enumerate() {
        let from = 30 * i64::try_from(number).unwrap();
        assert_eq!(observed(&store, by_pod(errors(from, from + 30))).0[0], *interval);
        assert_eq!(observed(&store, by_pod(errors(from, 600))).0, whole[number..]);
    }
}

#[test]
fn replicas_are_kept_apart_where_they_have_names() {
    let store = Store::default();
    for (pod, pace) in [("a", 1), ("b", 2)] {
        store.add(&series(pod, "200"), scrapes(quarters(-300, 60), move |second| 1000 + pace * second));
    }
    assert_eq!(observed(&store, errors(0, 30)), (vec!["0/90".into()], vec![]));
    assert_eq!(observed(&store, by_pod(errors(0, 30))), (vec!["a:0/30 b:0/60".into()], vec![]));
    // What nobody labels is nobody's replica, and that is fine; half of it is not.
    let zone = |requirement| Requirement { replica: Some("zone".parse().unwrap()), ..requirement };
    assert_eq!(observed(&store, zone(errors(0, 30))), (vec!["0/90".into()], vec![]));
    store.add(&series("c", "200").replace("pod=\"c\",", ""), scrapes(quarters(-300, 60), |_| 5));
    assert_eq!(observed(&store, by_pod(errors(0, 30))), (vec!["0/90".into()], vec!["I059"]));
}

#[test]
fn a_restart_counts_from_zero_for_each_series_alone() {
    let store = Store::default();
    // One pod restarts at 30: the sum of both would fall, and each alone is right.
    store.add(
        &series("a", "200"),
        scrapes(quarters(-300, 60), |second| if second > 30 { second - 30 } else { 5000 + second }),
    );
    store.add(&series("b", "200"), scrapes(quarters(-300, 60), |second| 3000 + second));
    assert_eq!(observed(&store, by_pod(errors(0, 60))).0, ["a:0/30 b:0/30", "a:0/22 b:0/30"]);
}

#[test]
fn errors_that_never_happened_are_zero_where_that_is_known() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 60), |second| 1000 + second));
    // A part of all requests by a label that they have.
    assert_eq!(observed(&store, errors(0, 30)), (vec!["0/30".into()], vec![]));
    // A label that they do not have is a slip, or a new name in the new revision.
    let query = |bad: &str| Query::Bad { bad: bad.to_owned(), total: "http_requests_total".to_owned() };
    let slip = wanted(query("http_requests_total{status=~\"5..\"}"), 0, 30);
    assert_eq!(observed(&store, slip), (vec!["noData".into()], vec!["I056"]));
    // And so is a counter that nobody has seen.
    let apart = || wanted(query("http_errors_total"), 0, 30);
    assert_eq!(observed(&store, apart()), (vec!["noData".into()], vec!["I056"]));
    // Once one replica has it, the others have no errors.
    store.add(&series("b", "200"), scrapes(quarters(-300, 60), |second| 1000 + second));
    store.add(
        &series("b", "x").replace("http_requests", "http_errors"),
        scrapes(quarters(-300, 60), |second| 30 + second / 10),
    );
    assert_eq!(observed(&store, by_pod(apart())), (vec!["a:0/30 b:2/30".into()], vec![]));
    // Good events are no different: none of all requests is all bad.
    let good =
        Query::Good { good: "http_requests_total{code=\"204\"}".to_owned(), total: "http_requests_total".to_owned() };
    assert_eq!(observed(&store, wanted(good, 0, 30)), (vec!["60/60".into()], vec![]));
}

#[test]
fn the_first_errors_count_too() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 90), |second| 1000 + second));
    // Not exported before the first error: the scrape at 22 did not have it, the one at 37 has three.
    store.add(&series("a", "500"), scrapes(quarters(37, 90), |_| 3));
    assert_eq!(observed(&store, errors(0, 90)).0, ["0/30", "3/33", "0/30"]);
}

#[test]
fn a_series_that_comes_back_goes_on_from_what_it_was() {
    // Exporters leave out what stood still for five minutes, and bring it back with its old count.
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-4000, 90), |second| 10_000 + second));
    let away = |second: &i64| !(-3000..30).contains(second);
    store.add(
        &series("a", "500"),
        scrapes(quarters(-4000, 90).filter(away), |second| if second < 0 { 4000 } else { 4001 }),
    );
    assert_eq!(observed(&store, errors(0, 90)).0, ["0/30", "1/31", "0/30"]);
    // Also where the answer itself goes that far back.
    let (intervals, _) = observed(&store, errors(-3600, 90));
    assert_eq!(intervals[120..], ["0/30", "1/31", "0/30"]);
    // A process that began anew in the meantime has counted everything since.
    store.add(
        &series("a", "503"),
        scrapes(quarters(-4000, 90).filter(away), |second| if second < 0 { 4000 } else { 2 }),
    );
    assert_eq!(observed(&store, errors(0, 90)).0, ["0/30", "3/33", "0/30"]);
    // Nobody knows: no answer, rather than a wrong one.
    let server = Server::start(move |request| match request.form["query"].starts_with("last_over_time") {
        true => Play::status(422, r#"{"status":"error","errorType":"execution","error":"too much"}"#),
        false => store.answer(request),
    });
    let observations = prometheus(&server).observe(&[errors(0, 90)], soon());
    assert_eq!(
        (said(&observations), codes(&observations)),
        (vec!["0/30".into(), "noAnswer".into(), "0/30".into()], vec!["I021"])
    );
}

#[test]
fn what_a_new_process_counted_before_its_first_scrape_is_not_known() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 90), |second| 1000 + second));
    // First scraped at 37, with 700 requests and 90 errors on the clock.
    store.add(&series("b", "200"), scrapes(quarters(37, 90), |second| 700 + second));
    store.add(&series("b", "500"), scrapes(quarters(37, 90), |_| 90));
    assert_eq!(observed(&store, by_pod(errors(0, 90))).0, ["a:0/30", "a:0/30 b:0/15", "a:0/30 b:0/30"]);
    // A first sample alone counts nothing, and is nothing to judge by.
    let lone = Store::default();
    lone.add(&series("b", "200"), scrapes(quarters(22, 22), |_| 700));
    assert_eq!(observed(&lone, errors(0, 30)).0, ["noData"]);
}

#[test]
fn series_that_are_not_scraped_together_prove_nothing_about_each_other() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 90), |second| 1000 + second));
    // An exporter with its own times: that it has no sample at 22 does not say that it was at zero.
    store.add(&series("a", "500"), scrapes(quarters(37, 90).map(|second| second + 4), |_| 400));
    let (intervals, _) = observed(&store, errors(0, 90));
    assert!(intervals.iter().all(|interval| interval.starts_with("0/") || interval == "noData"), "{intervals:?}");
}

#[test]
fn a_failed_scrape_leaves_its_intervals_open() {
    let store = Store::default();
    let without = |gap: [i64; 2]| quarters(-300, 120).filter(move |second| !gap.contains(second));
    // 52 and 67 were not scraped: nobody knows what belongs to which side of 60.
    store.add(&series("a", "200"), scrapes(without([52, 67]), |second| 1000 + second));
    store.add(&up("a"), scrapes(quarters(-300, 120), |second| i64::from(![52, 67].contains(&second))));
    assert_eq!(
        observed(&store, errors(0, 120)),
        (vec!["0/30".into(), "noData".into(), "noData".into(), "0/30".into()], vec!["I058"])
    );
    // Also one alone, in the middle.
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(without([37, 37]), |second| 1000 + second));
    assert_eq!(observed(&store, errors(0, 120)).0, ["0/30", "noData", "0/30", "0/30"]);
    // The others cannot stand in for it.
    store.add(&series("b", "200"), scrapes(quarters(-300, 120), |second| 1000 + second));
    assert_eq!(observed(&store, errors(0, 60)).0, ["0/60", "noData"]);
    assert_eq!(observed(&store, by_pod(errors(0, 60))).0, ["a:0/30 b:0/30", "a:noData b:0/30"]);
}

#[test]
fn a_target_that_was_removed_is_counted_as_far_as_it_was_seen() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 120), |second| 1000 + second));
    store.add(&series("b", "200"), scrapes(quarters(-300, 40), |second| 1000 + second));
    store.add(&up("a"), scrapes(quarters(-300, 120), |_| 1));
    store.add(&up("b"), scrapes(quarters(-300, 40), |_| 1));
    let (intervals, notes) = observed(&store, by_pod(errors(0, 120)));
    assert_eq!(intervals, ["a:0/30 b:0/30", "a:0/30 b:0/15", "a:0/30", "a:0/30"]);
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn a_target_that_vanished_is_missing_until_it_is_forgotten() {
    // Down, or gone without an `up` that says so.
    for down in [true, false] {
        let store = Store::default();
        store.add(&series("a", "200"), scrapes(quarters(-300, 600), |second| 1000 + second));
        store.add(&series("b", "200"), scrapes(quarters(-300, 40), |second| 1000 + second));
        if down {
            store.add(&up("b"), scrapes(quarters(-300, 600), |second| i64::from(second <= 40)));
        }
        let (intervals, notes) = observed(&store, errors(0, 600));
        let missing: Vec<usize> = (0..20).filter(|number| intervals[*number] == "noData").collect();
        assert_eq!(missing, (1..=11).collect::<Vec<_>>(), "{intervals:?}");
        assert_eq!(notes, ["I058"]);
        assert_eq!(intervals[12], "0/30", "forgotten after the look-back");
    }
}

#[test]
fn nobody_left_is_no_data_and_not_no_traffic() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 40), |second| 1000 + second));
    store.add(&up("a"), scrapes(quarters(-300, 40), |_| 1));
    assert_eq!(observed(&store, errors(0, 120)).0, ["0/30", "0/15", "noData", "noData"]);
    assert_eq!(observed(&Store::default(), errors(0, 60)).0, ["noData", "noData"]);
    let idle = Store::default();
    idle.add(&series("a", "200"), scrapes(quarters(-300, 40), |_| 7));
    assert_eq!(observed(&idle, errors(0, 30)).0, ["0/0"]);
}

#[test]
fn values_that_are_no_numbers_stay_what_they_are() {
    for (value, said) in [
        ("NaN", "NaN"),
        ("+Inf", "+Inf"),
        ("-Inf", "-Inf"),
        ("-5", "noAnswer"),
        ("1.5", "noAnswer"),
        ("1e300", "noAnswer"),
    ] {
        let store = Store::default();
        store.add(&series("a", "200"), scrapes(quarters(-300, 40), |second| 1000 + second));
        let odd = quarters(-300, 40)
            .map(|second| (START + second, if second == 22 { value.to_owned() } else { "1".to_owned() }));
        store.add(&series("a", "500"), odd);
        assert_eq!(observed(&store, errors(-30, 30)).0, ["0/30", said], "{value}");
    }
}

#[test]
fn more_bad_than_all_is_no_answer() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-300, 40), |second| 1000 + second));
    store.add(
        &series("a", "x").replace("http_requests", "http_errors"),
        scrapes(quarters(-300, 40), |second| 1000 + 2 * second),
    );
    let query = Query::Bad { bad: "http_errors_total".to_owned(), total: "http_requests_total".to_owned() };
    assert_eq!(observed(&store, wanted(query, 0, 30)), (vec!["noAnswer".into()], vec!["I052"]));
}

#[test]
fn scrapes_that_are_rarer_than_intervals_are_told() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes((-5..=3).map(|n| n * 60 + 7), |second| 1000 + second));
    assert_eq!(
        observed(&store, errors(0, 120)),
        (vec!["0/60".into(), "noData".into(), "0/60".into(), "noData".into()], vec!["I057"])
    );
}

#[test]
fn events_of_a_source_are_a_counter_of_that_name() {
    let store = Store::default();
    let name = series("a", "x").replace("http_requests", "container_restarts");
    store.add(&name, scrapes(quarters(-300, 60), |second| i64::from(second > 30)));
    let query = || Query::Events("container_restarts_total".parse().unwrap());
    assert_eq!(observed(&store, wanted(query(), 0, 60)), (vec!["0".into(), "1".into()], vec![]));
    let sourceless = Requirement { source: None, ..wanted(query(), 0, 60) };
    assert_eq!(observed(&store, sourceless), (vec![], vec!["I061"]));
    let unnameable = wanted(Query::Events("crash-loops".parse().unwrap()), 0, 60);
    assert_eq!(observed(&store, unnameable), (vec![], vec!["I045"]));
}
