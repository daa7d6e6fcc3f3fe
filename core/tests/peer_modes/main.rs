//! The judges `argo` and `flagger`: the peers' counters, their surprises included.
//!
//! What the peers do is restated here from Argo Rollouts `analysis/analysis.go` and
//! `utils/evaluate/evaluate.go` and from Flagger `pkg/controller/scheduler*.go`, and compared.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod argo;
mod flagger;

use davy::{Observation, Verdict};
use support::*;

/// What a query answers in one measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    /// Within `max` and `tolerate`.
    Good,
    /// Beyond `tolerate`, up to `unacceptable`; within no other limit.
    Between,
    /// Beyond every limit.
    Bad,
    Nan,
    /// 0/0, which PromQL answers with NaN.
    NoTraffic,
    Infinite,
    /// An empty vector.
    Empty,
    /// Never reported.
    Gap,
}

impl Answer {
    const ALL: [Answer; 8] = [
        Answer::Good,
        Answer::Between,
        Answer::Bad,
        Answer::Nan,
        Answer::NoTraffic,
        Answer::Infinite,
        Answer::Empty,
        Answer::Gap,
    ];

    fn of(letter: char) -> Self {
        match letter {
            'g' => Self::Good,
            'u' => Self::Between,
            'b' => Self::Bad,
            'n' => Self::Nan,
            '0' => Self::NoTraffic,
            'i' => Self::Infinite,
            '-' => Self::Empty,
            '.' => Self::Gap,
            other => panic!("no answer {other}"),
        }
    }

    /// As a multiple of the baseline's 1 % of bad requests; `None` for an empty vector.
    fn times(self) -> Option<f64> {
        match self {
            Self::Good => Some(1.0),
            Self::Between => Some(2.0),
            Self::Bad => Some(9.0),
            Self::Nan | Self::NoTraffic => Some(f64::NAN),
            Self::Infinite => Some(f64::INFINITY),
            Self::Empty | Self::Gap => None,
        }
    }

    fn observed(self, metric: &str) -> Vec<Observation> {
        let of_canary = match self {
            Self::Good => counts(1, 100),
            Self::Between => counts(2, 100),
            Self::Bad => counts(9, 100),
            Self::Nan => NAN,
            Self::NoTraffic => counts(0, 0),
            Self::Infinite => INFINITE,
            Self::Empty => NO_DATA,
            Self::Gap => return Vec::new(),
        };
        vec![canary(metric, of_canary), baseline(metric, counts(1, 100))]
    }
}

/// The same random numbers in every run (Knuth's MMIX).
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.get(usize::try_from(self.below(from.len() as u64)).unwrap()).unwrap()
    }
}

/// Agreement means little where one of the verdicts hardly occurs.
fn assert_each_is_common(verdicts: &[Verdict]) {
    for verdict in [Verdict::Proceed, Verdict::Hold, Verdict::Abort] {
        let times = verdicts.iter().filter(|seen| **seen == verdict).count();
        assert!(times * 20 > verdicts.len(), "{verdict} {times} times of {}", verdicts.len());
    }
}
