//! All metrics together: a score per group, and one for the canary.

use std::collections::{BTreeMap, BTreeSet};

use super::Label;
use crate::stats::length;

/// A metric as the score counts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted<'a> {
    /// What it is called.
    pub label: Label,
    /// Whether its label, if it is not [`Label::Pass`], ends the canary alone.
    pub critical: bool,
    /// The groups that it belongs to; it counts in each.
    pub groups: &'a [&'a str],
}

/// The score of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupScore<'a> {
    /// Its name.
    pub group: &'a str,
    /// Passes of all labels that count, from 0 to 100; 0 where none counts.
    pub score: f64,
    /// Whether no label counts. Then the group adds its whole weight all the same.
    pub no_data: bool,
}

/// The score of the canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored<'a> {
    /// From 0 to 100, to two decimals; more where weights add up to more.
    pub score: f64,
    /// The first critical metric that ended the canary, by its place.
    pub ended_by: Option<usize>,
    /// Whether at least half of the metrics have no data, which makes the score 0.
    pub mostly_no_data: bool,
    /// In the order of their names.
    pub groups: Vec<GroupScore<'a>>,
}

/// Scores metrics that count; those that are muted are left out by the caller. `weights` are of groups, in percent;
/// groups without one share evenly what the others leave of 100.
///
/// ```
/// use davy::kayenta::{Counted, Label, score};
/// let of = |label, group: &'static [&'static str]| Counted { label, critical: false, groups: group };
/// let metrics = [of(Label::Pass, &["latency"]), of(Label::Pass, &["latency"]), of(Label::High, &["errors"])];
/// let scored = score(&metrics, &[("latency".to_owned(), 75.0), ("errors".to_owned(), 25.0)].into());
/// assert_eq!(scored.score, 75.0);
/// ```
#[must_use]
pub fn score<'a>(metrics: &[Counted<'a>], weights: &BTreeMap<String, f64>) -> Scored<'a> {
    let groups: BTreeSet<&str> = metrics.iter().flat_map(|metric| metric.groups).copied().collect();
    let groups: Vec<GroupScore<'a>> = groups.into_iter().map(|group| group_score(group, metrics)).collect();
    let ended_by = metrics.iter().position(|metric| metric.critical && metric.label != Label::Pass);
    let without_data = metrics.iter().filter(|metric| metric.label == Label::NoData).count();
    let mostly_no_data = !metrics.is_empty() && 2 * without_data >= metrics.len();
    let score = if ended_by.is_some() || mostly_no_data { 0.0 } else { weighted(&groups, weights) };
    Scored { score, ended_by, mostly_no_data, groups }
}

fn group_score<'a>(group: &'a str, metrics: &[Counted<'a>]) -> GroupScore<'a> {
    let (mut passed, mut all) = (0, 0);
    for metric in metrics.iter().filter(|metric| metric.groups.contains(&group)) {
        match metric.label {
            Label::Pass => (passed, all) = (passed + 1, all + 1),
            Label::High | Label::Low | Label::NoDataFail => all += 1,
            Label::NoData | Label::Error => {}
        }
    }
    let score = if all == 0 { 0.0 } else { length(passed) / length(all) * 100.0 };
    GroupScore { group, score, no_data: all == 0 }
}

fn weighted(groups: &[GroupScore<'_>], weights: &BTreeMap<String, f64>) -> f64 {
    let given: f64 = weights.values().sum();
    let without = groups.iter().filter(|group| !weights.contains_key(group.group)).count();
    let share = if without == 0 { 0.0 } else { (100.0 - given) / length(without) };
    let add = |sum: f64, group: &GroupScore<'_>| {
        let weight = weights.get(group.group).copied().unwrap_or(share);
        let score = if group.no_data { 100.0 } else { group.score };
        sum + score * (weight / 100.0)
    };
    rounded(groups.iter().fold(0.0, add))
}

/// To two decimals, halves up, of the shortest decimal that names the number: 33.335 becomes 33.34 although the
/// nearest double is below it.
fn rounded(score: f64) -> f64 {
    let text = format!("{score}");
    let Some((whole, decimals)) = text.split_once('.') else { return score };
    if decimals.len() <= 2 {
        return score;
    }
    let kept: f64 = format!("{whole}.{}", decimals.get(..2).unwrap_or("00")).parse().unwrap_or(score);
    let up = decimals.as_bytes().get(2).is_some_and(|digit| *digit >= b'5');
    let hundredths = (kept * 100.0).round() + if up { score.signum() } else { 0.0 };
    hundredths / 100.0
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "two decimals")]
mod tests {
    use super::*;

    #[test]
    fn scores_are_rounded_as_their_decimals_say() {
        assert_eq!(
            [33.335, 33.334_999, 100.0 / 3.0, 66.666_666_7, 75.0, 0.005, 0.0].map(rounded),
            [33.34, 33.33, 33.33, 66.67, 75.0, 0.01, 0.0]
        );
        assert_eq!(rounded(99.995), 100.0);
    }

    #[test]
    fn the_quirks_of_the_score_are_kept() {
        let of = |label, groups| Counted { label, critical: false, groups };
        let none = BTreeMap::new();
        let score = |metrics: &[Counted<'_>], weights: &BTreeMap<String, f64>| score(metrics, weights).score;
        // An error is in no count: alone in its group it adds the whole weight of the group.
        let errors = [of(Label::Error, &["a"][..]), of(Label::High, &["b"][..])];
        assert_eq!(score(&errors, &none), 50.0);
        // A weighted group without metrics takes its weight away.
        let gone: BTreeMap<String, f64> = [("a".to_owned(), 40.0), ("gone".to_owned(), 60.0)].into();
        assert_eq!(score(&[of(Label::Pass, &["a"][..])], &gone), 40.0);
        // What weights leave of 100 is shared, also where they leave less than nothing.
        let some: BTreeMap<String, f64> = [("a".to_owned(), 120.0)].into();
        assert_eq!(score(&[of(Label::Pass, &["a"][..]), of(Label::Pass, &["b"][..])], &some), 100.0);
        // A metric counts in each of its groups, and one in none counts in none.
        let twice = [of(Label::High, &["a", "b"][..]), of(Label::Pass, &["a"][..])];
        assert_eq!(score(&twice, &none), 25.0);
        assert_eq!(score(&[of(Label::Pass, &[][..])], &none), 0.0);
        assert_eq!(score(&[], &none), 0.0);
    }
}
