//! History of noise: what healthy rollouts of a service showed. Compact, and adds up.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::error::{SnapshotError, read};
use crate::Name;
use crate::stats::{HISTORY_ROLLOUTS, Level};

/// What past healthy rollouts of a service, or the past of its baseline, showed of its noise.
///
/// It does not grow with the number of rollouts: per metric, window and age it holds a sum and a count, and of the
/// rollouts' highest evidence the largest. Histories of the same policy are put together with [`NoiseHistory::merge`].
///
/// The noise of past rollouts is used from 20 of them on. A release is ranked among them where they are `2^i / falseAborts − 1`
/// or more in its attempt `i`, for an attempt does not spend all of `falseAborts`: at 1 % from 199 in the first, 399 in the second.
///
/// ```
/// use davy::NoiseHistory;
///
/// let mut history = NoiseHistory::from_json(br#"{ "rollouts": 12 }"#)?;
/// history.merge(&NoiseHistory::from_json(br#"{ "rollouts": 9 }"#)?);
/// assert_eq!(history.rollouts(), 21);
/// # Ok::<(), davy::SnapshotError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoiseHistory {
    /// From how many rollouts it is.
    rollouts: u32,
    /// By metric, and test of it; then by window, then by class of age.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    noise: BTreeMap<Name, Vec<OfTest>>,
    /// The largest of the rollouts' highest evidence, falling, as natural logarithms.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "falling")]
    highest: Vec<f64>,
    /// Of how many rollouts the highest evidence is known.
    #[serde(default, skip_serializing_if = "is_zero")]
    ranked: u32,
}

type OfTest = Vec<Vec<Sum>>;

/// `s² − v0`, the variance between replicas beyond chance: its sum, and over how many intervals.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sum {
    sum: f64,
    of: u32,
}

/// How many of the highest are kept: enough for 1 % of 6400 rollouts.
const MOST_HIGHEST: usize = 64;
/// Limits on what is read: tests of a metric, windows, classes of age.
const MOST_TESTS: usize = 32;
const MOST_WINDOWS: usize = crate::stats::MOST_WINDOWS;
const MOST_CLASSES: usize = 64;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl NoiseHistory {
    /// Reads a history that [`NoiseHistory::to_json`] wrote.
    ///
    /// # Errors
    /// [`SnapshotError`] for anything else.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        read(bytes)
    }

    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Its numbers are finite and its keys are text, so there is nothing to refuse.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From how many healthy rollouts it is.
    #[must_use]
    pub const fn rollouts(&self) -> u32 {
        self.rollouts
    }

    /// Whether the noise of past rollouts is used: from 20 on.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.rollouts >= HISTORY_ROLLOUTS
    }

    /// Adds another history of the same policy.
    pub fn merge(&mut self, other: &Self) {
        self.rollouts = self.rollouts.saturating_add(other.rollouts);
        for (metric, tests) in &other.noise {
            for (test, windows) in tests.iter().enumerate() {
                for (window, classes) in windows.iter().enumerate() {
                    for (class, sum) in classes.iter().enumerate() {
                        self.add_sum(metric, test, window, class, *sum);
                    }
                }
            }
        }
        self.ranked = self.ranked.saturating_add(other.ranked);
        self.highest.extend(&other.highest);
        self.keep_the_highest();
    }

    /// One healthy rollout ended; `highest` is the largest evidence that it was ranked by.
    pub(crate) fn add_rollout(&mut self, highest: f64) {
        self.rollouts = self.rollouts.saturating_add(1);
        self.ranked = self.ranked.saturating_add(1);
        self.highest.push(libm::log(highest.max(f64::MIN_POSITIVE)));
        self.keep_the_highest();
    }

    /// What one interval showed.
    pub(crate) fn add(&mut self, metric: &Name, test: usize, window: usize, age: u32, spread: f64) {
        if spread.is_finite() {
            self.add_sum(metric, test, window, class(age), Sum { sum: spread, of: 1 });
        }
    }

    /// The mean of `s² − v0`, at least 0; nothing unless there is enough history of this.
    pub(crate) fn noise(&self, metric: &Name, test: usize, window: usize, age: u32) -> Option<f64> {
        let classes = self.noise.get(metric)?.get(test)?.get(window)?;
        // What is older than all that was seen is like the oldest.
        let at = class(age).min(classes.len().checked_sub(1)?);
        let sum = classes.get(..=at)?.iter().rfind(|sum| sum.of >= HISTORY_ROLLOUTS)?;
        let mean = sum.sum / f64::from(sum.of);
        (self.is_enough() && mean.is_finite()).then_some(mean.max(0.0))
    }

    /// The evidence by which past healthy rollouts rank at this level: more than it is seen with probability at most
    /// 1/evidence of the level, if rollouts are exchangeable. Nothing where there are too few: the evidence of the level,
    /// less one, is enough.
    ///
    /// With N rollouts it is the ⌈(1 − α)(N + 1)⌉-th smallest of their highest (V. Vovk, A. Gammerman, G. Shafer,
    /// "Algorithmic Learning in a Random World" (2005)).
    pub(crate) fn threshold(&self, level: Level) -> Option<f64> {
        let among = f64::from(self.ranked) + 1.0;
        let rank = libm::floor(among / level.evidence());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most as many as rollouts")]
        let from_top = (rank as usize).checked_sub(1)?;
        let kept = from_top.min(self.highest.len().checked_sub(1)?);
        // Above it, not at it.
        self.highest.get(kept).map(|log| libm::exp(log.min(MOST_LOG)) * (1.0 + f64::EPSILON))
    }

    fn add_sum(&mut self, metric: &Name, test: usize, window: usize, class: usize, sum: Sum) {
        if test >= MOST_TESTS || window >= MOST_WINDOWS || class >= MOST_CLASSES {
            return;
        }
        let tests = self.noise.entry(metric.clone()).or_default();
        let windows = grown(tests, test);
        let classes = grown(windows, window);
        let known = grown(classes, class);
        *known = Sum { sum: known.sum + sum.sum, of: known.of.saturating_add(sum.of) };
    }

    fn keep_the_highest(&mut self) {
        self.highest.sort_by(|a, b| b.total_cmp(a));
        self.highest.truncate(MOST_HIGHEST);
    }
}

/// Whatever order it comes in.
fn falling<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let mut highest = Vec::<f64>::deserialize(deserializer)?;
    highest.sort_by(|a, b| b.total_cmp(a));
    highest.truncate(MOST_HIGHEST);
    Ok(highest)
}

/// ln 2^1000.
const MOST_LOG: f64 = 693.0;

/// Ages in classes that widen: 1, 2, 3, 4, 6, 8, 12, 16 and so on are the youngest of theirs.
fn class(age: u32) -> usize {
    let age = age.max(1);
    let doublings = age.ilog2();
    if doublings == 0 {
        return 0;
    }
    let upper_half = age >> (doublings - 1) & 1;
    (2 * doublings - 1 + upper_half) as usize
}

fn grown<T: Clone + Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize(index + 1, T::default());
    }
    // It was just made as long as that.
    #[expect(clippy::indexing_slicing, reason = "the list was just made that long")]
    &mut list[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(evidence: u32) -> Level {
        Level::of(crate::Share::from_ppm(1_000_000 / evidence))
    }

    #[test]
    fn ages_fall_into_classes_that_widen() {
        let youngest: Vec<u32> = (1..=64).filter(|age| *age == 1 || class(*age) != class(age - 1)).collect();
        assert_eq!(youngest, [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]);
        assert!((1..100).all(|age| class(age + 1) - class(age) <= 1));
        assert!(class(u32::MAX) < MOST_CLASSES);
    }

    #[test]
    fn noise_is_known_from_twenty_rollouts_on() {
        let metric: Name = "errors".parse().unwrap();
        let mut history = NoiseHistory::default();
        for rollout in 0..20 {
            assert_eq!(history.noise(&metric, 0, 0, 5), None);
            history.add(&metric, 0, 0, 5, if rollout % 2 == 0 { 0.03 } else { 0.01 });
            history.add_rollout(1.0);
        }
        assert!(history.noise(&metric, 0, 0, 5).is_some_and(|noise| (noise - 0.02).abs() < 1e-12));
        assert!(history.noise(&metric, 0, 0, 999).is_some(), "as the oldest that was seen");
        assert_eq!(history.noise(&metric, 0, 0, 1), None);
        assert_eq!(history.noise(&metric, 0, 1, 5), None);
    }

    #[test]
    fn the_threshold_is_the_rank_that_the_level_asks_for() {
        let mut history = NoiseHistory::default();
        for rollout in 1..=98 {
            history.add_rollout(f64::from(rollout));
        }
        assert_eq!(history.threshold(level(100)), None, "98 are one too few for 1 %");
        history.add_rollout(99.0);
        let at = |history: &NoiseHistory, evidence| history.threshold(level(evidence)).unwrap();
        assert!((at(&history, 100) - 99.0).abs() < 1e-9);
        assert!((at(&history, 50) - 98.0).abs() < 1e-9);
        for rollout in 100..=199 {
            history.add_rollout(f64::from(rollout));
        }
        assert!((at(&history, 100) - 198.0).abs() < 1e-9);
    }

    #[test]
    fn an_attempt_ranks_among_as_many_rollouts_as_what_it_spends_needs() {
        for (attempt, enough) in [(1, 199), (2, 399)] {
            let level = Level::of_attempt("1%".parse().unwrap(), std::num::NonZeroU32::new(attempt).unwrap());
            let mut history = NoiseHistory::default();
            for _ in 1..enough {
                history.add_rollout(1.0);
            }
            assert_eq!(history.threshold(level), None, "attempt {attempt}");
            history.add_rollout(1.0);
            assert!(history.threshold(level).is_some(), "attempt {attempt}");
        }
    }

    #[test]
    fn histories_add_up_in_any_order_and_stay_small() {
        let metric: Name = "errors".parse().unwrap();
        let one = |seed: u32| {
            let mut history = NoiseHistory::default();
            for age in 1..=60 {
                history.add(&metric, 0, 0, age, f64::from(seed * age) / 1024.0);
            }
            history.add_rollout(f64::from(seed));
            history
        };
        let mut all = NoiseHistory::default();
        (1..=200).for_each(|seed| all.merge(&one(seed)));
        let mut backwards = NoiseHistory::default();
        (1..=200).rev().for_each(|seed| backwards.merge(&one(seed)));
        assert_eq!(all, backwards);
        assert_eq!((all.rollouts(), all.highest.len()), (200, MOST_HIGHEST));
        let json = all.to_json();
        assert!(json.len() < 2000, "{}", json.len());
        assert_eq!(NoiseHistory::from_json(&json).unwrap(), all);
    }
}
