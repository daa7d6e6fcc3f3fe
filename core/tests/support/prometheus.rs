//! What Prometheus 2.42 computed, read from `tests/data/prometheus_increase.json`.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::BTreeMap;

use davy::slo::{Sample, Series, Window};
use davy::{Duration, Instant};
use serde::Deserialize;

/// The whole file.
#[derive(Deserialize)]
pub(crate) struct Oracle {
    epoch: i64,
    pub(crate) cases: Vec<Case>,
}

/// Series and what the server said of them.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    series: BTreeMap<String, Columns>,
    #[serde(skip)]
    samples: BTreeMap<String, Vec<Sample>>,
    #[serde(skip)]
    epoch: i64,
    calls: Vec<(String, String, Duration, i64, Option<String>)>,
    ratios: Vec<(Duration, i64, Option<String>)>,
    pairs: Vec<(String, Duration, Duration, i64, Option<String>)>,
}

#[derive(Deserialize)]
struct Columns {
    times: Vec<(i64, i64, i64)>,
    values: Vec<f64>,
}

/// A function of one series over a window.
pub(crate) struct Call<'a> {
    pub(crate) function: &'a str,
    pub(crate) name: &'a str,
    pub(crate) series: Series<'a>,
    pub(crate) window: Window,
    pub(crate) value: Option<f64>,
}

/// A multi-window condition at an instant.
pub(crate) struct Alert<'a> {
    pub(crate) threshold: &'a str,
    pub(crate) long: Duration,
    pub(crate) short: Duration,
    pub(crate) now: Instant,
    /// The ratio of the long window, if the condition held.
    pub(crate) value: Option<f64>,
}

impl Oracle {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/prometheus_increase.json");
        let mut oracle: Self = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in &mut oracle.cases {
            case.epoch = oracle.epoch;
            for (name, columns) in &case.series {
                let runs = columns.times.iter().copied();
                let seconds = runs.flat_map(|(start, step, count)| (0..count).map(move |i| start + i * step));
                let samples: Vec<Sample> = seconds
                    .zip(&columns.values)
                    .map(|(second, value)| Sample { at: instant(oracle.epoch, second), value: *value })
                    .collect();
                assert_eq!(samples.len(), columns.values.len());
                case.samples.insert(name.clone(), samples);
            }
        }
        oracle
    }
}

impl Case {
    /// The series of this name; empty if it does not exist.
    pub(crate) fn series(&self, name: &str) -> Series<'_> {
        self.samples.get(name).map_or(Series::EMPTY, |samples| Series::new(samples).unwrap())
    }

    pub(crate) fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        self.calls.iter().map(|(function, name, length, second, value)| Call {
            function,
            name,
            series: self.series(name),
            window: Window { end: instant(self.epoch, *second), length: *length },
            value: number(value.as_deref()),
        })
    }

    /// Windows and the ratio of bad requests in each.
    pub(crate) fn ratios(&self) -> impl Iterator<Item = (Window, Option<f64>)> {
        self.ratios.iter().map(|(length, second, value)| {
            (Window { end: instant(self.epoch, *second), length: *length }, number(value.as_deref()))
        })
    }

    pub(crate) fn alerts(&self) -> impl Iterator<Item = Alert<'_>> {
        self.pairs.iter().map(|(threshold, long, short, second, value)| Alert {
            threshold,
            long: *long,
            short: *short,
            now: instant(self.epoch, *second),
            value: number(value.as_deref()),
        })
    }
}

fn instant(epoch: i64, second: i64) -> Instant {
    Instant::from_millis((epoch + second) * 1000)
}

fn number(text: Option<&str>) -> Option<f64> {
    text.map(|text| text.parse().unwrap())
}
