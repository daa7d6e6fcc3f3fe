//! What importers share: limits, placeholders, and davy's own judge beside another.

use super::Refused;
use super::promql::{Counted, counted};
use super::text::{self, number};

/// The healthy values of a query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Range {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Range {
    /// As keys of a metric, each with a comma before it.
    pub(super) fn keys(self) -> String {
        let key = |name: &str, limit: Option<f64>| {
            limit.map_or(String::new(), |limit| format!(", {name}: {}", number(limit)))
        };
        key("min", self.min) + &key("max", self.max)
    }
}

/// What davy's own judge needs to watch the same thing.
pub(super) struct Beside<'a> {
    /// The query, without the matcher of a cohort.
    pub(super) query: &'a str,
    pub(super) source: &'a str,
    pub(super) range: Range,
    /// Whether there is a baseline to compare with.
    pub(super) compared: bool,
    /// What is still healthy, and what is not, as multiples of the baseline; davy's usual ones otherwise.
    pub(super) tolerance: Option<(f64, f64)>,
}

impl Beside<'_> {
    /// The keys of a metric that counts what the query divides; nothing where that cannot be told from it.
    pub(super) fn keys(&self) -> Option<String> {
        let times = |tolerate: f64, unacceptable: f64| {
            let (tolerate, unacceptable) = self.tolerance.unwrap_or((tolerate, unacceptable));
            format!(", tolerate: {}x, unacceptable: {}x", factor(tolerate), factor(unacceptable))
        };
        match counted(self.query)? {
            Counted::Ratio { part, total, percent } => {
                let (key, limit, value) = match (self.range.min, self.range.max) {
                    (Some(min), None) => ("good", "min", Some(min)),
                    (None, max) => ("bad", "max", max),
                    (Some(_), Some(_)) => return None,
                };
                let share = value.map(|value| if percent { value } else { value * 100.0 });
                let share = share.filter(|share| *share > 0.0 && *share < 100.0);
                let share = share.map(|share| format!(", {limit}: {}%", decimals(share, 4)));
                let compared = if self.compared { times(1.1, 1.5) } else { String::new() };
                let limits = share.unwrap_or_default() + &compared;
                let (part, total) = (text::query(&part), text::query(&total));
                (!limits.is_empty()).then(|| format!("from: {}, {key}: {part}, total: {total}{limits}", self.source))
            }
            Counted::Quantile { buckets, percent } => {
                let buckets = text::query(&buckets);
                // The unit of its limit is not known: only a comparison means the same in all of them.
                self.compared.then(|| {
                    format!("from: {}, buckets: {buckets}, quantile: p{percent}{}", self.source, times(1.2, 2.0))
                })
            }
        }
    }
}

/// A factor as documents write it, rounded to thousandths and held within what they can say.
fn factor(factor: f64) -> String {
    decimals(factor.clamp(1.0, 1000.0), 3)
}

fn decimals(number: f64, most: usize) -> String {
    let text = format!("{number:.most$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Fills in `{{ word }}`, with any space.
pub(super) fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, Refused> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((word, after)) = after.split_once("}}") else { break };
        let word = word.trim();
        out.push_str(before);
        out.push_str(&value(word).ok_or_else(|| Refused::Argument { name: word.to_owned() })?);
        rest = after;
    }
    Ok(out + rest)
}
