//! Windows of SLOs: from raw samples where they are short, from a real server where they are long.
#![expect(clippy::float_cmp, reason = "whole numbers that floats hold exactly")]

use std::num::NonZeroU32;

use davy::document::Operator;
use davy::slo::Mode;
use davy::{Budgeting, Cohort, Count, Duration, Missing, Part, Query, Requirement, Seen, Sli, SloQuery, SloWindow};
use davy_io::prometheus::{Data, Prometheus};

use crate::live::{END, LATER, NOON, Watch, peer, told};
use crate::support::store::Store;
use crate::support::{START, at, codes, impatient, prometheus, soon, wanted};

fn quarters(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (0..).map(|n| n * 15 - 593).skip_while(move |second| *second < from).take_while(move |second| *second <= to)
}

fn query(sli: Sli) -> SloQuery {
    SloQuery { sli, budgeting: Budgeting::Occurrences, increase: Mode::Exact }
}

fn bad(bad: &str, total: &str) -> Sli {
    Sli::Bad { bad: bad.to_owned(), total: total.to_owned(), counter: true }
}

fn availability() -> SloQuery {
    query(bad("http_requests_total{code=~\"5..\"}", "http_requests_total"))
}

fn window(query: SloQuery, from: i64, to: i64) -> Requirement {
    let objective = NonZeroU32::new(2);
    Requirement { cohort: None, selector: None, every: None, objective, ..wanted(Query::Slo(query), from, to) }
}

fn seen(store: &Store, requirement: Requirement) -> (Option<SloWindow>, Vec<&'static str>) {
    let server = store.serve();
    let mut observations = prometheus(&server).observe(&[requirement], soon());
    let notes = codes(&observations);
    assert!(observations.intervals.is_empty());
    (observations.slos.pop(), notes)
}

fn amounts(window: &SloWindow) -> (Seen, Seen) {
    let (Part::Bad(part) | Part::Good(part)) = window.part;
    (part, window.total)
}

fn series(pod: &str, code: &str) -> String {
    format!("http_requests_total{{job=\"shop\",instance=\"{pod}:80\",pod=\"{pod}\",revision=\"r2\",code=\"{code}\"}}")
}

fn scrapes(seconds: impl Iterator<Item = i64>, value: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
    seconds.map(|second| (START + second, value(second))).collect()
}

const NO_DATA: Seen = Seen::Nothing(Missing::NoData);

#[test]
fn a_short_window_is_what_the_counters_rose_by() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-600, 300), |second| 1000.0 + second as f64));
    store.add(
        &series("b", "200"),
        scrapes(quarters(-600, 300), |second| if second > 100 { second as f64 } else { 9000.0 }),
    );
    // First seen in the window, right after a scrape without it.
    store.add(&series("a", "500"), scrapes(quarters(50, 300), |_| 4.0));
    let (window, notes) = seen(&store, window(availability(), 0, 300));
    let window = window.unwrap();
    assert_eq!((amounts(&window), notes), ((Seen::Amount(4.0), Seen::Amount(300.0 + 292.0 + 4.0)), vec![]));
    assert_eq!((window.from, window.end, window.objective.get(), window.cohort), (at(0), at(300), 2, None));
    assert_eq!((window.coverage.to_string(), window.resets), ("100%".to_owned(), Count::from(1)));
    assert_eq!((window.oldest, window.newest), (Some(at(7)), Some(at(292))));
}

#[test]
fn a_window_without_errors_says_so_and_leaves_the_meaning_to_the_policy() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-600, 300), |second| 1000.0 + second as f64));
    let (found, _) = seen(&store, window(availability(), 0, 300));
    assert_eq!(amounts(&found.unwrap()), (NO_DATA, Seen::Amount(300.0)));
    let (found, notes) = seen(&Store::default(), window(availability(), 0, 300));
    assert_eq!((amounts(found.as_ref().unwrap()), notes), ((NO_DATA, NO_DATA), vec![]));
    assert_eq!((found.unwrap().coverage.to_string(),), ("0%".to_owned(),));
    // Good events are told as good.
    let sli =
        Sli::Good { good: "http_requests_total".to_owned(), total: "http_requests_total".to_owned(), counter: true };
    let (found, _) = seen(&store, window(query(sli), 0, 300));
    assert_eq!(found.unwrap().part, Part::Good(Seen::Amount(300.0)));
}

#[test]
fn a_cohort_has_windows_of_its_own() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-600, 300), |second| 1000.0 + second as f64));
    store.add(
        &series("b", "200").replace("r2", "r1"),
        scrapes(quarters(-600, 300), |second| 1000.0 + 5.0 * second as f64),
    );
    let canary = Requirement {
        cohort: Some(Cohort::Canary),
        selector: Some("revision=\"r2\"".to_owned()),
        ..window(availability(), 0, 300)
    };
    let (found, _) = seen(&store, canary.clone());
    let found = found.unwrap();
    assert_eq!((found.cohort, found.total), (Some(Cohort::Canary), Seen::Amount(300.0)));
    let (found, notes) = seen(&store, Requirement { selector: None, ..canary });
    assert_eq!((found, notes), (None, vec!["I044"]));
}

#[test]
fn coverage_is_the_part_that_was_seen() {
    let of = |add: &dyn Fn(&Store)| {
        let store = Store::default();
        add(&store);
        seen(&store, window(availability(), 0, 300)).0.unwrap().coverage.to_string()
    };
    let rising = |second: i64| 1000.0 + second as f64;
    // A third without scrapes.
    let gap = |store: &Store| {
        _ = store.add(
            &series("a", "200"),
            scrapes(quarters(-600, 300).filter(|second| !(100..200).contains(second)), rising),
        );
    };
    assert_eq!(of(&gap), "65%");
    // A service that is younger than the window.
    let young = |store: &Store| _ = store.add(&series("a", "200"), scrapes(quarters(150, 300), rising));
    assert_eq!(of(&young), "47.6666%");
    // One of two targets went down; removed, it would not count.
    let down = |store: &Store| {
        store.add(&series("a", "200"), scrapes(quarters(-600, 300), rising));
        store.add(&series("b", "200"), scrapes(quarters(-600, 150), rising));
    };
    assert_eq!(of(&down), "73.6666%");
    let removed = |store: &Store| {
        down(store);
        store.add("up{job=\"shop\",instance=\"b:80\"}", scrapes(quarters(-600, 150), |_| 1.0));
    };
    assert_eq!(of(&removed), "100%");
}

#[test]
fn samples_count_alike_where_there_are_no_counters() {
    let store = Store::default();
    let gauge = "age{job=\"shop\",instance=\"a:80\"}";
    // 20 samples in the window, of which one is NaN.
    store.add(gauge, scrapes(quarters(-600, 300), |second| if second == 7 { f64::NAN } else { second as f64 / 300.0 }));
    let found = |sli: Sli| seen(&store, window(query(sli), 0, 300));
    let threshold = |op, limit| Sli::Threshold { value: "age".to_owned(), op, limit };
    let (lte, _) = found(threshold(Operator::Lte, 0.5));
    assert_eq!(lte.as_ref().unwrap().part, Part::Good(Seen::Amount(9.0)));
    assert_eq!(lte.unwrap().total, Seen::Amount(19.0));
    let (gt, _) = found(threshold(Operator::Gt, 0.5));
    assert_eq!(gt.unwrap().part, Part::Good(Seen::Amount(10.0)));
    let ratio = |of_good| Sli::Raw { ratio: "age".to_owned(), of_good };
    let (raw, notes) = found(ratio(false));
    let (Part::Bad(Seen::Amount(bad)), Seen::Amount(total)) = (raw.as_ref().unwrap().part, raw.unwrap().total) else {
        panic!()
    };
    assert!((bad - (22..=292).step_by(15).map(|second| f64::from(second) / 300.0).sum::<f64>()).abs() < 1e-9);
    assert_eq!((total, notes), (19.0, vec![]));
    let numbers = Sli::Bad { bad: "age".to_owned(), total: "age".to_owned(), counter: false };
    assert_eq!(found(numbers).0.unwrap().total, Seen::Nothing(Missing::Nan));
    // What is no ratio is no answer.
    store.add("age{job=\"shop\",instance=\"b:80\"}", scrapes(quarters(-600, 300), |_| 1.5));
    let (raw, notes) = found(ratio(true));
    assert_eq!((raw.unwrap().total, notes), (Seen::Nothing(Missing::NoAnswer), vec!["I064"]));
}

#[test]
fn a_window_that_cannot_be_had_is_left_out_and_told() {
    let store = Store::default();
    store.add(&series("a", "200"), scrapes(quarters(-600, 300), |second| 1000.0 + second as f64));
    let rate = query(bad("rate(http_requests_total[5m])", "http_requests_total"));
    assert_eq!(seen(&store, window(rate, 0, 300)), (None, vec!["I041"]));
    let sliced =
        SloQuery { budgeting: Budgeting::RatioTimeslices { slice: Duration::from_minutes(10) }, ..availability() };
    assert_eq!(seen(&store, window(sliced, 0, 300)), (None, vec!["I065"]));
    // This store knows no sums, as a server that fails would not.
    assert_eq!(seen(&store, window(availability(), -86_400, 300)), (None, vec!["I021"]));
    let odd = Store::default();
    odd.add(&series("a", "200"), scrapes(quarters(-600, 300), |_| -1.0));
    let (found, notes) = seen(&odd, window(availability(), 0, 300));
    assert_eq!((found.unwrap().total, notes), (Seen::Nothing(Missing::NoAnswer), vec!["I051"]));
}

/// What a real server says of one expression.
fn theirs(server: &Prometheus, query: &str, second: i64) -> f64 {
    let Data::Vector(series) = server.instant(query, at(second), soon()).unwrap().data else { panic!() };
    series[0].samples[0].value
}

fn from_peer(server: &Prometheus, requirement: Requirement) -> SloWindow {
    let mut observations = server.observe(&[requirement], soon());
    assert!(observations.notes.is_empty(), "{:?}", observations.notes);
    observations.slos.pop().unwrap()
}

fn number(seen: Seen) -> f64 {
    match seen {
        Seen::Amount(amount) => amount,
        Seen::Nothing(missing) => panic!("{missing:?}"),
    }
}

#[test]
fn both_ways_agree_with_the_server() {
    let Some(peer) = peer() else { return };
    let server = Prometheus::new(impatient(&peer.url())).unwrap();
    let r1 = |query: SloQuery, from, to| Requirement {
        cohort: Some(Cohort::Baseline),
        selector: Some("revision=\"r1\"".to_owned()),
        ..window(query, from, to)
    };
    for (from, to, length) in [
        (NOON - 3600, NOON, "1h"),
        (NOON - 300, NOON, "5m"),
        (NOON, NOON + 21_600, "6h"),
        (-1_728_000, NOON, "3888000s"),
    ] {
        let exact = from_peer(&server, r1(availability(), from, to));
        let like_theirs = from_peer(&server, r1(SloQuery { increase: Mode::Prometheus2, ..availability() }, from, to));
        for (select, window) in [(",code=~\"5..\"", 0), ("", 1)] {
            let query = format!("sum(increase(http_requests_total{{revision=\"r1\"{select}}}[{length}]))");
            let expected = theirs(&server, &query, to);
            let of = |seen: &SloWindow| if window == 0 { number(amounts(seen).0) } else { number(amounts(seen).1) };
            assert!((of(&like_theirs) / expected - 1.0).abs() < 1e-9, "{query}: {} {expected}", of(&like_theirs));
            // Where a counter rises steadily, the exact way and the extrapolated one find the same.
            let near = window == 0 || (of(&exact) / expected - 1.0).abs() < 0.01;
            assert!(near, "{query}: {} {expected}", of(&exact));
        }
        let fresh = at(to).since(exact.newest.unwrap());
        assert!(fresh <= Duration::from_secs(15), "{fresh}");
    }
    let month = from_peer(&server, r1(availability(), NOON - 30 * 86_400, NOON));
    // Half a day of thirty.
    assert!(
        month.coverage > "1.6%".parse().unwrap() && month.coverage < "1.75%".parse().unwrap(),
        "{}",
        month.coverage
    );
    assert!(month.oldest.unwrap().since(at(0)) <= Duration::from_minutes(5), "{:?}", month.oldest);
}

#[test]
fn slices_and_computed_values_come_from_the_server() {
    let Some(peer) = peer() else { return };
    let server = Prometheus::new(impatient(&peer.url())).unwrap();
    let minute = Duration::from_minutes(1);
    let of = |sli: Sli, budgeting, from: i64, to: i64| {
        let query = SloQuery { sli, budgeting, increase: Mode::Exact };
        let window = from_peer(&server, window(query, from, to));
        (window.part, number(window.total), window.coverage.to_string())
    };
    let worse =
        || bad("http_requests_total{revision=\"worse\",code=~\"5..\"}", "http_requests_total{revision=\"worse\"}");
    // Of fifteen minutes, the first begin before LATER; afterwards half of the traffic fails at 8 %.
    let timeslices = Budgeting::Timeslices { slice: minute, good: "99%".parse().unwrap() };
    let (part, total, coverage) = of(worse(), timeslices, NOON + 60, NOON + 960);
    assert_eq!((part, total, coverage.as_str()), (Part::Bad(Seen::Amount(10.0)), 15.0, "100%"));
    let (part, total, _) = of(worse(), Budgeting::RatioTimeslices { slice: minute }, NOON + 60, NOON + 960);
    let Part::Bad(Seen::Amount(ratios)) = part else { panic!("{part:?}") };
    // 0.1 % until LATER, and 4.05 % from then on.
    let later = f64::from(i32::try_from(NOON + 960 - LATER).unwrap()) / 60.0;
    assert!((ratios - (0.0405 * later + 0.001 * (15.0 - later))).abs() < 0.03, "{ratios}");
    assert_eq!(total, 15.0);
    // A window that is longer than anything that was seen.
    let (_, total, coverage) = of(worse(), timeslices, NOON - 2640, NOON + 960);
    assert_eq!((total, coverage.as_str()), (16.0, "26.6666%"));
    // An expression, looked at every so often.
    let value = "max(memory_ratio{revision=\"r1\"}) + 0.3 # of all pods";
    let threshold = |limit| Sli::Threshold { value: value.to_owned(), op: Operator::Lte, limit };
    for (limit, good) in [(0.95, 1.0), (0.85, 0.0)] {
        let (part, total, coverage) = of(threshold(limit), Budgeting::Occurrences, NOON - 3600, NOON);
        let Part::Good(Seen::Amount(part)) = part else { panic!("{part:?}") };
        assert!(total >= 60.0 && (part / total - good).abs() < 1e-9, "{part} {total}");
        assert_eq!(coverage, "100%");
        let (part, total, _) = of(threshold(limit), timeslices, NOON - 3600, NOON);
        assert_eq!((part, total), (Part::Bad(Seen::Amount(60.0 * (1.0 - good))), 60.0));
    }
    // A ratio that somebody recorded.
    let ratio = |text: &str| Sli::Raw { ratio: text.to_owned(), of_good: true };
    for (from, text) in [
        (NOON - 3600, "memory_ratio{pod=\"stable-1\"}"),
        (NOON - 36_000, "memory_ratio{pod=\"stable-1\"}"),
        (NOON - 3600, "avg(memory_ratio)"),
    ] {
        let (part, total, _) = of(ratio(text), Budgeting::Occurrences, from, NOON);
        let Part::Good(Seen::Amount(part)) = part else { panic!("{part:?}") };
        assert!((part / total - 0.6).abs() < 1e-9, "{text}: {part} {total}");
    }
    let odd = window(query(ratio("memory_ratio + 1")), NOON - 3600, NOON);
    assert_eq!(codes(&server.observe(&[odd], soon())), ["I064"]);
}

const SLO: &str = r#"
apiVersion: openslo/v1
kind: SLO
metadata: { name: availability }
spec:
  indicator:
    metadata: { name: errors }
    spec:
      ratioMetric:
        counter: true
        bad: { metricSource: { metricSourceRef: prom, type: Prometheus, spec: { query: 'http_requests_total{revision=~"r1|burning",code=~"5.."}' } } }
        total: { metricSource: { metricSourceRef: prom, type: Prometheus, spec: { query: 'http_requests_total{revision=~"r1|burning"}' } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ displayName: All, target: 0.998 }]
"#;

const ROLLOUT: &str = r#"
apiVersion: davy/v1
kind: Rollout
metadata: { name: checkout }
spec:
  sources:
    prom:
      prometheus: "http://prometheus:9090"
      canary: 'revision="${revision}"'
      baseline: 'revision="${stable}"'
      retention: 35d
  steps: [{ weight: 5% }, { weight: 50% }]
  budget: { slos: [availability], burn: { page: fail, ticket: hold }, freezeBelow: 0%, unfreezeAt: 5% }
"#;

#[test]
fn a_canary_that_burns_the_budget_is_aborted_and_its_baseline_is_not() {
    let Some(peer) = peer() else { return };
    let mut watch = Watch::with(&[ROLLOUT, SLO], "burning", &peer.url());
    let before = watch.verdicts_until(LATER - 30);
    assert!(before.iter().all(|told| told == "proceed"), "{before:#?}");
    watch.now = END - 60;
    let (decision, observed) = watch.look();
    assert!(told(&decision).starts_with("abort burn.canary"), "{} {:?}", told(&decision), observed.notes);
    // The same budget and the same minutes, but the canary is another.
    let mut innocent = Watch::with(&[ROLLOUT, &SLO.replace("r1|burning", "r1|burning|good")], "good", &peer.url());
    innocent.now = END - 60;
    let (decision, _) = innocent.look();
    assert!(told(&decision).starts_with("hold burn."), "{}", told(&decision));
}
