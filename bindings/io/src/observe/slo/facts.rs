//! Everything about a long window in one question: each fact is a series that bears its name.

use std::collections::BTreeMap;

use davy::{Duration, Missing, Seen};

use super::indicator::{Indicator, length};
use super::{Measured, instant, seen, share};
use crate::observe::problem::Problem;
use crate::prometheus::Series;

/// The label that names a fact.
const FACT: &str = "davy_fact";

/// The question, and how many steps a window without gaps has.
pub(super) fn query(indicator: &Indicator, window: Duration) -> (String, u64) {
    // Gaps shorter than the server's look-back are not seen anyway.
    const FINEST: u64 = 60_000;
    const COARSEST: u64 = 300_000;
    let step = Duration::from_millis((window.millis() / 1000).clamp(FINEST, COARSEST));
    let steps = format!("[{}:{}]", length(window), length(step));
    let whole = indicator.whole();
    let (part, total) = indicator.over(window);
    let mut facts = vec![
        ("part".to_owned(), part),
        ("total".to_owned(), total),
        ("seen".to_owned(), format!("count_over_time(group({whole}){steps})")),
        ("oldest".to_owned(), format!("min_over_time(timestamp(group({whole})){steps})")),
    ];
    facts.extend(indicator.resets(window).map(|query| ("resets".to_owned(), query)));
    facts.extend(indicator.odd(window).map(|query| ("odd".to_owned(), query)));
    facts.extend(newest_facts(indicator));
    (named(&facts), window.millis() / step.millis().max(1))
}

/// The newest sample of each series that an indicator reads.
pub(super) fn newest(indicator: &Indicator) -> String {
    named(&newest_facts(indicator))
}

fn newest_facts(indicator: &Indicator) -> Vec<(String, String)> {
    let sources = indicator.sources();
    let of = |(number, selector)| (format!("newest{number}"), format!("max(timestamp({selector}))"));
    sources.into_iter().enumerate().map(of).collect()
}

fn named(facts: &[(String, String)]) -> String {
    let one = |(name, query): &(String, String)| format!("label_replace({query}, \"{FACT}\", \"{name}\", \"\", \"\")");
    facts.iter().map(one).collect::<Vec<_>>().join(" or ")
}

/// A window from the facts about it.
pub(super) fn measure(answer: &[Series], expected: u64) -> Result<Measured, Problem> {
    let facts = read(answer);
    let of = |name: &str| facts.get(name).copied();
    if let Some(odd) = of("odd").filter(|odd| *odd != 0.0) {
        let value = format!("{odd} values");
        return Err(Problem::NotARatio { series: "the indicator".to_owned(), value });
    }
    let amount = |name: &str| of(name).map_or(Seen::Nothing(Missing::NoData), seen);
    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    let coverage = share(of("seen").unwrap_or(0.0), expected.max(1) as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let resets = of("resets").unwrap_or(0.0) as usize;
    Ok(Measured {
        part: amount("part"),
        total: amount("total"),
        coverage,
        oldest: of("oldest").map(instant),
        newest: read_newest(answer),
        resets,
    })
}

/// The newest sample of the series that is behind the most.
pub(super) fn read_newest(answer: &[Series]) -> Option<davy::Instant> {
    let facts = read(answer);
    let newest = facts.iter().filter(|(name, _)| name.starts_with("newest")).map(|(_, value)| instant(*value));
    newest.min()
}

fn read(answer: &[Series]) -> BTreeMap<&str, f64> {
    let of = |series: &'_ Series| series.samples.first().map(|sample| sample.value);
    answer.iter().filter_map(|series| Some((series.labels.get(FACT), of(series)?))).collect()
}
