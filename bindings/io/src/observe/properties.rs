//! What holds for every counter: each event once, in one interval, and nothing but missing where it is not known.

use std::collections::BTreeMap;

use davy::slo::Sample;
use davy::{Cohort, Duration, Instant, Missing, Observed};
use proptest::prelude::*;

use super::counts;
use super::native;
use super::scene::Scene;
use super::target::Stretch;
use crate::prometheus::{Bounds, Bucket, HistogramSample, Labels, Series};

const LOOKBACK: Duration = Duration::from_minutes(5);
const FIRST: i64 = 1_000_000;
/// Samples of a series before the first interval, and after it.
const BEFORE: usize = 24;
const SCRAPES: usize = 64;

/// One process, scraped every quarter of a minute.
#[derive(Debug, Clone)]
struct Process {
    /// Seconds after whole quarters.
    offset: i64,
    counters: Vec<Counter>,
    /// Scrapes before which it began anew.
    restarts: Vec<bool>,
}

/// One of its counters.
#[derive(Debug, Clone)]
struct Counter {
    /// The scrape at which it is first exported.
    born: usize,
    rises: Vec<u32>,
}

fn process() -> impl Strategy<Value = Process> {
    let counter = (prop_oneof![3 => Just(0), 1 => 1..SCRAPES], prop::collection::vec(0..50_u32, SCRAPES));
    let counters = prop::collection::vec(counter.prop_map(|(born, rises)| Counter { born, rises }), 1..4);
    let restarts = prop::collection::vec(prop::bool::weighted(0.03), SCRAPES);
    (0..15_i64, counters, restarts).prop_map(|(offset, mut counters, restarts)| {
        // Something is there from the beginning: a new process is another matter.
        counters[0].born = 0;
        Process { offset, counters, restarts }
    })
}

impl Process {
    fn second(&self, scrape: usize) -> i64 {
        FIRST + 15 * (i64::try_from(scrape).unwrap() - i64::try_from(BEFORE).unwrap()) + self.offset
    }

    /// The series, without the scrapes that failed.
    fn series(&self, failed: &[usize]) -> Vec<Series> {
        let of = |(number, counter): (usize, &Counter)| {
            let mut value = 1000.0;
            let mut samples = Vec::new();
            for scrape in counter.born..SCRAPES {
                // A series that begins later has counted nothing before.
                let fresh = self.restarts[scrape] || (scrape == counter.born && scrape > 0);
                value = if fresh { 0.0 } else { value } + f64::from(counter.rises[scrape]);
                if !failed.contains(&scrape) {
                    samples.push(Sample { at: Instant::from_millis(self.second(scrape) * 1000), value });
                }
            }
            let labels = [("__name__", "c"), ("job", "j"), ("instance", "i")];
            let labels: Labels = labels.into_iter().chain([("code", &*number.to_string())]).collect();
            Series { labels, samples, histograms: Vec::new() }
        };
        self.counters.iter().enumerate().map(of).collect()
    }

    /// The events between two instants as the samples show them, without any of the code that is tested.
    fn events(&self, from: i64, to: i64) -> u64 {
        let mut events = 0.0;
        for series in self.series(&[]) {
            let mut before: Option<f64> = Some(0.0).filter(|_| series.samples.len() < SCRAPES);
            for Sample { at, value } in series.samples {
                let second = i64::try_from(at.millis()).unwrap() / 1000;
                let rise = before.map_or(0.0, |before| if value < before { value } else { value - before });
                events += if from < second && second <= to { rise } else { 0.0 };
                before = Some(value);
            }
        }
        events as u64
    }
}

fn stretch(start: i64, length: i64) -> Stretch {
    let at = |second: i64| Instant::from_millis(second * 1000);
    Stretch { start: at(start), end: at(start + length), lookback: LOOKBACK }
}

fn observed(series: &[Series], stretch: Stretch) -> Observed {
    let mut scene = Scene::new(None, &[series.iter().collect()]);
    let mut all = counts::events(&mut scene, &"m".parse().unwrap(), Cohort::Canary, stretch);
    assert_eq!(all.len(), 1);
    all.remove(0).observed
}

fn intervals(length: i64) -> impl Iterator<Item = i64> {
    let whole = 15 * i64::try_from(SCRAPES - BEFORE - 1).unwrap();
    (0..whole / length).map(move |number| FIRST + number * length)
}

fn is_missing(observed: &Observed) -> bool {
    *observed == Observed::Missing(Missing::NoData)
}

fn events(events: u64) -> Observed {
    Observed::Events(davy::Count::new(events).unwrap())
}

const LENGTHS: [i64; 5] = [15, 30, 45, 60, 150];

proptest! {
    #[test]
    fn every_event_is_counted_once(process in process(), length in prop::sample::select(&LENGTHS[..])) {
        let series = process.series(&[]);
        let mut sum = 0;
        for start in intervals(length) {
            let expected = process.events(start, start + length);
            prop_assert_eq!(observed(&series, stretch(start, length)), events(expected));
            sum += expected;
        }
        let end = intervals(length).last().unwrap() + length;
        prop_assert_eq!(sum, process.events(FIRST, end));
    }

    #[test]
    fn an_interval_depends_on_nothing_but_its_look_back(
        process in process(), length in prop::sample::select(&LENGTHS[..]), failed in prop::collection::vec(0..SCRAPES, 0..6),
    ) {
        let series = process.series(&failed);
        for start in intervals(length) {
            let stretch = stretch(start, length);
            let inside = |sample: &Sample| sample.at >= stretch.start.minus(LOOKBACK) && sample.at <= stretch.end;
            let cut = |series: &Series| {
                let samples = series.samples.iter().copied().filter(inside).collect();
                Series { samples, ..series.clone() }
            };
            let alone: Vec<Series> = series.iter().map(cut).collect();
            prop_assert_eq!(observed(&alone, stretch), observed(&series, stretch));
        }
    }

    #[test]
    fn a_failed_scrape_hides_intervals_and_changes_none(
        process in process(), length in prop::sample::select(&LENGTHS[..]), failed in prop::collection::vec(1..SCRAPES, 1..4),
    ) {
        let series = process.series(&failed);
        for start in intervals(length) {
            let end = start + length;
            let seen = observed(&series, stretch(start, length));
            let failed = || failed.iter().map(|scrape| process.second(*scrape)).filter(|second| start < *second && *second <= end);
            // A scrape that is due at the very end may come a moment after it, and belongs to the next interval.
            let due = failed().filter(|second| *second > end - 2).min();
            let expected = events(process.events(start, due.map_or(end, |due| due - 1)));
            prop_assert!(is_missing(&seen) || seen == expected, "{seen:?} instead of {expected:?} at {start}");
            let touched = failed().any(|second| Some(second) != due);
            prop_assert!(!touched || is_missing(&seen), "{seen:?} at {start}, where a scrape is missing");
        }
    }

    #[test]
    fn what_vanishes_is_never_counted(process in process(), last in 30..50_usize) {
        let gone: Vec<usize> = (last..SCRAPES).collect();
        let series = process.series(&gone);
        for start in intervals(30).filter(|start| *start >= process.second(last - 1)) {
            let seen = observed(&series, stretch(start, 30));
            prop_assert!(is_missing(&seen), "{seen:?} at {start}");
        }
    }

    #[test]
    fn native_histograms_lose_and_invent_nothing(
        rises in prop::collection::vec(prop::collection::btree_map(-40..40_i32, 1..9_u64, 0..5), SCRAPES),
        restarts in prop::collection::vec(prop::bool::weighted(0.05), SCRAPES),
        // A process gets coarser when it has too many buckets, and fine again when it restarts.
        coarser in prop::collection::vec(prop::bool::weighted(0.1), SCRAPES),
    ) {
        let second = |scrape: usize| FIRST + 15 * (i64::try_from(scrape).unwrap() - i64::try_from(BEFORE).unwrap()) + 7;
        let mut histograms = Vec::new();
        let (mut schema, mut all): (i32, BTreeMap<i32, u64>) = (5, BTreeMap::new());
        let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
        for scrape in 0..SCRAPES {
            if restarts[scrape] {
                (schema, all) = (5, BTreeMap::new());
            }
            if coarser[scrape] && schema > -4 {
                schema -= 1;
                let mut merged = BTreeMap::new();
                all.iter().for_each(|(index, count)| *merged.entry(((index - 1) >> 1) + 1).or_default() += count);
                all = merged;
            }
            for (index, count) in &rises[scrape] {
                *all.entry(((index - 1) >> (5 - schema)) + 1).or_default() += count;
            }
            let rise: u64 = rises[scrape].values().sum();
            *expected.entry((second(scrape) - FIRST - 1).div_euclid(30)).or_default() += rise;
            let bound = |index: i32| (f64::from(index) * (-f64::from(schema)).exp2()).exp2();
            let buckets = all.iter().map(|(index, count)| Bucket {
                bounds: Bounds::OpenLeft, left: bound(index - 1), right: bound(*index), count: *count as f64,
            });
            let count = all.values().sum::<u64>() as f64;
            histograms.push(HistogramSample { at: Instant::from_millis(second(scrape) * 1000), count, sum: 0.0, buckets: buckets.collect() });
        }
        let labels: Labels = [("__name__", "h"), ("job", "j"), ("instance", "i")].into_iter().collect();
        let series = Series { labels, samples: Vec::new(), histograms };
        for start in intervals(30) {
            let mut scene = Scene::new(None, &[vec![&series]]);
            let all = native::histograms(&mut scene, &"m".parse().unwrap(), Cohort::Canary, stretch(start, 30));
            let Observed::Histogram(histogram) = &all[0].observed else { panic!("{all:?}") };
            // A restart is hidden where every bucket has passed its old count: then less is counted, never more.
            let most = expected.get(&((start - FIRST) / 30)).copied().unwrap_or(0);
            let hidden = restarts.iter().enumerate().any(|(scrape, restart)| *restart && start < second(scrape) && second(scrape) <= start + 30);
            let total = histogram.total().get();
            prop_assert!(total == most || (hidden && total < most), "{total} of {most}");
        }
    }
}
