//! Classic buckets and native histograms per interval.

use davy::{Query, Requirement};

use crate::support::store::Store;
use crate::support::{START, by_pod, codes, prometheus, said, soon, wanted};

fn quarters(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (-1000..).map(|n| n * 15 - 293).skip_while(move |second| *second < from).take_while(move |second| *second <= to)
}

fn bucket(pod: &str, le: &str) -> String {
    format!("latency_bucket{{job=\"shop\",instance=\"{pod}:80\",pod=\"{pod}\",revision=\"r2\",le=\"{le}\"}}")
}

fn observed(store: &Store, requirement: Requirement) -> (Vec<String>, Vec<&'static str>) {
    let server = store.serve();
    let observations = prometheus(&server).observe(&[requirement], soon());
    (said(&observations), codes(&observations))
}

fn buckets(from: i64, to: i64) -> Requirement {
    wanted(Query::Buckets("latency_bucket".to_owned()), from, to)
}

fn native(from: i64, to: i64) -> Requirement {
    wanted(Query::Histogram("latency".to_owned()), from, to)
}

/// Each second one request: of four, two are at most 0.1 s and three at most 1 s.
fn classic(store: &Store, pod: &str, from: i64, to: i64, since: i64) {
    for (le, of_four) in [("+Inf", 4), ("0.1", 2), ("1.0", 3)] {
        let value =
            move |second: i64| if second > since { (second - since) * of_four } else { (5000 + second) * of_four };
        store.add(&bucket(pod, le), quarters(from, to).map(|second| (START + second, value(second))));
    }
}

#[test]
fn buckets_are_differences_of_each_series() {
    let store = Store::default();
    classic(&store, "a", -300, 90, 1000);
    let (intervals, notes) = observed(&store, buckets(0, 60));
    assert_eq!(intervals, ["{atMost:[[0.1,60],[1.0,90]],total:120}"; 2]);
    assert!(notes.is_empty(), "{notes:?}");
    classic(&store, "b", -300, 90, 1000);
    assert_eq!(observed(&store, buckets(0, 30)).0, ["{atMost:[[0.1,120],[1.0,180]],total:240}"]);
    let one = "{atMost:[[0.1,60],[1.0,90]],total:120}";
    assert_eq!(observed(&store, by_pod(buckets(0, 30))).0, [format!("a:{one} b:{one}")]);
}

#[test]
fn a_restart_is_one_of_all_buckets() {
    // At 30 the process restarts; by 37 the small bucket has passed its old value, the others have not.
    let store = Store::default();
    for (le, before, after) in [("0.1", 5, 7), ("1", 80, 8), ("+Inf", 90, 9)] {
        store.add(
            &bucket("a", le),
            quarters(-300, 60).map(|second| (START + second, if second > 30 { after } else { before })),
        );
    }
    assert_eq!(observed(&store, buckets(30, 60)).0, ["{atMost:[[0.1,7],[1.0,8]],total:9}"]);
}

#[test]
fn the_first_requests_of_a_path_count_too() {
    let store = Store::default();
    classic(&store, "a", -300, 60, 1000);
    let path = |le: &str| bucket("a", le).replace("revision", "path=\"/new\",revision");
    for (le, value) in [("0.1", 0), ("1", 1), ("+Inf", 3)] {
        store.add(&path(le), quarters(37, 60).map(|second| (START + second, value)));
    }
    let (intervals, _) = observed(&store, buckets(0, 60));
    assert_eq!(
        intervals,
        ["{atMost:[[0.1,60],[1.0,90]],total:120}".to_owned(), "{atMost:[[0.1,60],[1.0,91]],total:123}".to_owned()]
    );
}

#[test]
fn buckets_that_do_not_go_together_are_no_answer() {
    let with = |change: &dyn Fn(&Store)| {
        let store = Store::default();
        classic(&store, "a", -300, 60, 1000);
        change(&store);
        observed(&store, buckets(0, 30))
    };
    let no_answer = (vec!["noAnswer".to_owned()], vec!["I054"]);
    let steady = || quarters(-300, 60).map(|second| (START + second, 1));
    // A histogram with other bounds, one without the infinite bucket, a bound twice, one that is none.
    assert_eq!(
        with(&|store| _ = store.add(&bucket("b", "0.2"), steady()).add(&bucket("b", "+Inf"), steady())),
        no_answer
    );
    let shifted = |store: &Store| {
        ["0.2", "1", "+Inf"].into_iter().for_each(|le| _ = store.add(&bucket("b", le), steady()));
    };
    assert_eq!(with(&shifted), no_answer);
    assert_eq!(with(&|store| _ = store.add(&bucket("b", "0.1"), steady())), no_answer);
    assert_eq!(with(&|store| _ = store.add(&bucket("a", "1"), steady())), no_answer);
    assert_eq!(with(&|store| _ = store.add(&bucket("a", "fast"), steady())), no_answer);
    // A smaller bucket that holds more than a larger one.
    let more = |store: &Store| {
        store.add(&bucket("a", "0.5"), quarters(-300, 60).map(|second| (START + second, 50 * second + 100_000)));
    };
    assert_eq!(with(&more), no_answer);
    // A bucket that was not scraped with the others.
    let late = |store: &Store| {
        _ = store.add(&bucket("a", "0.5"), quarters(-300, 60).map(|second| (START + second + 2, second + 1000)))
    };
    assert_eq!(with(&late), no_answer);
    // Nothing at all is something else.
    assert_eq!(observed(&Store::default(), buckets(0, 30)), (vec!["noData".to_owned()], vec![]));
}

#[test]
fn a_histogram_that_comes_back_goes_on_from_what_it_was() {
    let away = |second: &i64| !(-3000..30).contains(second);
    let store = Store::default();
    classic(&store, "a", -300, 60, 1000);
    for (le, value) in [("0.1", 5), ("1.0", 7), ("+Inf", 9)] {
        let path = bucket("a", le).replace("revision", "path=\"/idle\",revision");
        let value = move |second: i64| if second < 0 { value } else { value + 2 };
        store.add(&path, quarters(-4000, 60).filter(away).map(|second| (START + second, value(second))));
    }
    assert_eq!(observed(&store, buckets(30, 60)).0, ["{atMost:[[0.1,62],[1.0,92]],total:122}"]);
    let store = Store::default();
    let steady = |second: i64| histogram(3, 0, &[(1, second + 5000)]);
    natively(&store, "a", quarters(-300, 60), steady);
    let series = "latency{job=\"shop\",instance=\"a:80\",pod=\"a\",path=\"/idle\",revision=\"r2\"}";
    let idle = |second: i64| histogram(3, 0, &[(2, if second < 0 { 40 } else { 41 })]);
    store.add(series, quarters(-4000, 60).filter(away).map(|second| (START + second, idle(second))));
    assert_eq!(observed(&store, native(30, 60)).0, ["{buckets:[[1,30],[2,1]],schema:3,zero:0}"]);
}

/// A native histogram as the API writes it: buckets of `2^(1/2^schema)` by upper bound.
fn histogram(schema: i32, zero: i64, buckets: &[(i32, i64)]) -> String {
    let bound = |index: i32| (f64::from(index) * (-f64::from(schema)).exp2()).exp2();
    let count = zero + buckets.iter().map(|(_, count)| count).sum::<i64>();
    let around_zero = (zero > 0).then(|| format!("[3,\"-0.001\",\"0.001\",\"{zero}\"]"));
    let positive =
        buckets.iter().map(|(index, count)| format!("[0,\"{}\",\"{}\",\"{count}\"]", bound(index - 1), bound(*index)));
    let buckets: Vec<String> = around_zero.into_iter().chain(positive).collect();
    format!("{{\"count\":\"{count}\",\"sum\":\"1\",\"buckets\":[{}]}}", buckets.join(","))
}

fn natively(store: &Store, pod: &str, seconds: impl Iterator<Item = i64>, value: impl Fn(i64) -> String) {
    let series = format!("latency{{job=\"shop\",instance=\"{pod}:80\",pod=\"{pod}\",revision=\"r2\"}}");
    store.add(&series, seconds.map(|second| (START + second, value(second))));
}

#[test]
fn native_histograms_are_differences_bucket_by_bucket() {
    let store = Store::default();
    natively(&store, "a", quarters(-300, 60), |second| {
        histogram(3, second + 1000, &[(-20, 2 * second + 1000), (0, 7)])
    });
    let one = "{buckets:[[-20,60]],schema:3,zero:30}";
    assert_eq!(observed(&store, native(0, 60)), (vec![one.to_owned(), one.to_owned()], vec![]));
    // A coarser replica makes the sum as coarse.
    natively(&store, "b", quarters(-300, 60), |second| histogram(2, 0, &[(-10, second + 1000)]));
    assert_eq!(observed(&store, native(0, 30)).0, ["{buckets:[[-10,90]],schema:2,zero:30}"]);
    assert_eq!(
        observed(&store, by_pod(native(0, 30))).0,
        [format!("a:{one} b:{{buckets:[[-10,30]],schema:2,zero:0}}")]
    );
}

#[test]
fn every_schema_is_known_by_its_bounds() {
    for schema in -4..=8 {
        for index in [-300, -7, 0, 1, 40] {
            let exponent = f64::from(index) * (-f64::from(schema)).exp2();
            if !(-60.0..60.0).contains(&exponent) {
                continue;
            }
            let store = Store::default();
            natively(&store, "a", quarters(-300, 30), |second| histogram(schema, 0, &[(index, second + 1000)]));
            let (intervals, notes) = observed(&store, native(0, 30));
            assert_eq!(intervals, [format!("{{buckets:[[{index},30]],schema:{schema},zero:0}}")], "{notes:?}");
        }
    }
}

#[test]
fn a_native_histogram_restarts_when_a_bucket_falls_and_not_when_it_gets_coarser() {
    let interval = |before: String, after: String| {
        let store = Store::default();
        natively(&store, "a", quarters(-300, 60), |second| if second > 30 { after.clone() } else { before.clone() });
        observed(&store, native(30, 60)).0.remove(0)
    };
    // The count rises, but a bucket falls: everything is new.
    assert_eq!(
        interval(histogram(3, 0, &[(1, 5), (2, 5)]), histogram(3, 0, &[(1, 20), (2, 1)])),
        "{buckets:[[1,20],[2,1]],schema:3,zero:0}"
    );
    assert_eq!(interval(histogram(3, 9, &[(1, 5)]), histogram(3, 2, &[(1, 20)])), "{buckets:[[1,20]],schema:3,zero:2}");
    // A bucket is gone.
    assert_eq!(interval(histogram(3, 0, &[(1, 5)]), histogram(3, 0, &[(2, 9)])), "{buckets:[[2,9]],schema:3,zero:0}");
    // Two buckets became one, which holds both and one more.
    assert_eq!(
        interval(histogram(3, 0, &[(1, 5), (2, 5)]), histogram(2, 0, &[(1, 11)])),
        "{buckets:[[1,1]],schema:2,zero:0}"
    );
    // Finer is only a new process.
    assert_eq!(interval(histogram(2, 0, &[(1, 5)]), histogram(3, 0, &[(1, 6)])), "{buckets:[[1,6]],schema:3,zero:0}");
    // What the bucket around zero swallowed is still counted once.
    let wide = histogram(0, 9, &[(3, 2)]).replace("0.001", "1");
    assert_eq!(interval(histogram(0, 1, &[(-3, 5), (3, 1)]), wide), "{buckets:[[3,1]],schema:0,zero:3}");
    // The first requests of all.
    assert_eq!(interval(histogram(0, 0, &[]), histogram(3, 1, &[(1, 2)])), "{buckets:[[1,2]],schema:3,zero:1}");
    assert_eq!(interval(histogram(3, 0, &[(1, 2)]), histogram(3, 0, &[(1, 2)])), "{buckets:[],schema:3,zero:0}");
}

#[test]
fn histograms_that_are_not_of_latencies_are_no_answer() {
    for odd in [
        histogram(3, 0, &[(1, 5)]).replace("[0,", "[1,"),
        histogram(3, 0, &[(1, 5)]).replace("[0,", "[2,"),
        histogram(3, 0, &[(1, 5)]).replace("\"5\"]", "\"5.5\"]"),
        // Bounds of one's own.
        r#"{"count":"5","sum":"1","buckets":[[0,"1","3","5"]]}"#.to_owned(),
        r#"{"count":"5","sum":"1","buckets":[[0,"1","2","5"],[0,"2","8","5"]]}"#.to_owned(),
        r#"{"count":"5","sum":"1","buckets":[[0,"-Inf","2","5"]]}"#.to_owned(),
        r#"{"count":"5","sum":"1","buckets":[[0,"2","+Inf","5"]]}"#.to_owned(),
    ] {
        let store = Store::default();
        natively(&store, "a", quarters(-300, 60), |_| odd.clone());
        assert_eq!(observed(&store, native(0, 30)), (vec!["noAnswer".to_owned()], vec!["I055"]), "{odd}");
    }
    let store = Store::default();
    natively(&store, "a", quarters(-300, 60), |_| histogram(3, 0, &[(1, 5)]).replace("\"5\"", "\"NaN\""));
    assert_eq!(observed(&store, native(0, 30)).0, ["NaN"]);
    // Plain numbers are no histogram at all.
    let store = Store::default();
    natively(&store, "a", quarters(-300, 60), |_| "5".to_owned());
    assert_eq!(observed(&store, native(0, 30)), (vec!["noAnswer".to_owned()], vec!["I055"]));
}
