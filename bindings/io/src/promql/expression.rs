//! An expression, narrowed to a cohort: matchers are put into every selector in it, and nothing else changes.

use super::error::{TextError, shown};
use super::lex::{Kind, Token, lex, syntax};
use super::selector::{Matcher, Selector, list};

/// Words that are followed by a list of labels.
const LABEL_LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Words that are no metric either.
const KEYWORDS: [&str; 8] = ["and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"];
/// Functions whose labels may stand before their argument.
const AGGREGATIONS: [&str; 14] = [
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
    "limitk",
    "limit_ratio",
];

/// An expression about a cohort, and the series that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) text: String,
    pub(crate) selectors: Vec<Selector>,
}

/// A selector in a text, and where more matchers go.
struct Found {
    selector: Selector,
    insert_at: usize,
    /// Whether there are braces, and whether anything is in them.
    braces: Option<bool>,
}

impl Expression {
    /// Narrows every selector of a text.
    pub(crate) fn narrowed(text: &str, matchers: &[Matcher]) -> Result<Self, TextError> {
        let tokens = lex(text)?;
        if let Some(token) = tokens.iter().find(|token| token.is("@") || token.is_word(&["offset"])) {
            return Err(TextError::OtherTime { text: shown(text), found: format!("`{}`", token.text) });
        }
        let found = selectors(text, &tokens)?;
        if found.is_empty() {
            return Err(TextError::NoSeries { text: shown(text) });
        }
        let mut narrowed = String::new();
        let mut copied = 0;
        for one in found.iter().filter(|_| !matchers.is_empty()) {
            narrowed.push_str(text.get(copied..one.insert_at).unwrap_or_default());
            copied = one.insert_at;
            narrowed.push_str(&match one.braces {
                None => format!("{{{}}}", list(matchers)),
                Some(false) => list(matchers),
                Some(true) => format!("{},", list(matchers)),
            });
        }
        narrowed.push_str(text.get(copied..).unwrap_or_default());
        let mut selectors: Vec<Selector> = found.into_iter().map(|one| one.selector.narrowed(matchers)).collect();
        selectors.sort();
        selectors.dedup();
        Ok(Self { text: narrowed, selectors })
    }
}

/// Says what makes a text more than a selector, and names the selector in it.
pub(super) fn not_raw(text: &str, tokens: &[Token<'_>]) -> TextError {
    let instead = selectors(text, tokens).ok().and_then(|found| {
        let mut texts: Vec<String> = found.iter().map(|one| one.selector.to_string()).collect();
        texts.sort();
        texts.dedup();
        texts.pop().filter(|_| texts.is_empty())
    });
    let mut depth = 0_usize;
    let mut found = None;
    for (place, token) in tokens.iter().enumerate() {
        depth = if token.is("{") { depth + 1 } else { depth.saturating_sub(usize::from(token.is("}"))) };
        if depth > 0 || token.is("}") {
            continue;
        }
        let call = tokens.get(place + 1).is_some_and(|next| next.is("("));
        found = match token.kind {
            Kind::Name if token.is_word(&LABEL_LISTS) || token.is_word(&KEYWORDS) => Some(format!("`{}`", token.text)),
            Kind::Name if call => Some(format!("`{}(…)`", token.text)),
            Kind::Name if token.is_word(&AGGREGATIONS) && place + 1 < tokens.len() => Some(format!("`{}`", token.text)),
            Kind::Name => None,
            Kind::Range => Some("a range".to_owned()),
            Kind::Number => Some("a number".to_owned()),
            Kind::Text => Some("a string".to_owned()),
            Kind::Sign => Some(format!("`{}`", token.text)),
        };
        if found.is_some() {
            break;
        }
    }
    match found {
        Some(found) => TextError::NotRaw { text: shown(text), found, instead },
        None => match tokens.iter().find(|token| token.is("{")) {
            Some(open) if !tokens.last().is_some_and(|token| token.is("}")) => {
                syntax(text, open.at, "`{` without its `}`")
            }
            _ => syntax(text, tokens.get(1).map_or(0, |token| token.at), "expected one selector"),
        },
    }
}

/// Every selector of a text, in order. What is neither a keyword nor followed by `(` is a metric.
fn selectors(text: &str, tokens: &[Token<'_>]) -> Result<Vec<Found>, TextError> {
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(token) = tokens.get(place).copied() {
        let next = tokens.get(place + 1);
        let next_is = |sign| next.is_some_and(|next| next.is(sign));
        place += 1;
        if token.is_word(&LABEL_LISTS) {
            if next_is("(") {
                place = behind(text, tokens, place, ")")?;
            }
            continue;
        }
        let labels_first = token.is_word(&AGGREGATIONS) && next.is_some_and(|next| next.is_word(&["by", "without"]));
        let name = match token.kind {
            Kind::Name if next_is("(") || labels_first || token.is_word(&KEYWORDS) => continue,
            Kind::Name => Some(token),
            Kind::Sign if token.is("{") => {
                place -= 1;
                None
            }
            _ => continue,
        };
        if !tokens.get(place).is_some_and(|open| open.is("{")) {
            let selector = Selector::of(text, name, &[])?;
            found.push(Found { selector, insert_at: token.end(), braces: None });
            continue;
        }
        let from = place;
        place = behind(text, tokens, from, "}")?;
        let braces = tokens.get(from..place).unwrap_or_default();
        let selector = Selector::of(text, name, braces)?;
        let insert_at = braces.first().map_or(token.end(), |open| open.end());
        found.push(Found { selector, insert_at, braces: Some(braces.len() > 2) });
    }
    Ok(found)
}

/// The place behind the bracket that closes the one at `from`; brackets of this kind do not nest.
fn behind(text: &str, tokens: &[Token<'_>], from: usize, close: &str) -> Result<usize, TextError> {
    let length = tokens.iter().skip(from).position(|token| token.is(close));
    length.map(|length| from + length + 1).ok_or_else(|| {
        let at = tokens.get(from).map_or(0, |token| token.at);
        syntax(text, at, format!("a bracket without its `{close}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::selector::matchers;
    use super::*;

    #[test]
    fn every_selector_is_narrowed_and_nothing_else_changes() {
        let canary = matchers("revision=\"r2\"").unwrap();
        const R: &str = "revision=\"r2\"";
        for (text, narrowed) in [
            ("cpu_ratio", format!("cpu_ratio{{{R}}}")),
            (
                "sum by (pod) (rate(cpu{mode!='idle'}[1m])) / on (pod) group_left(node) (cores{} > bool 0)",
                format!(
                    "sum by (pod) (rate(cpu{{{R},mode!='idle'}}[1m])) / on (pod) group_left(node) (cores{{{R}}} > bool 0)"
                ),
            ),
            ("max without(x)(a) unless b", format!("max without(x)(a{{{R}}}) unless b{{{R}}}")),
            ("sum(a) by (le)", format!("sum(a{{{R}}}) by (le)")),
            ("{__name__=~\"a|b\"} * 1e-3", format!("{{{R},__name__=~\"a|b\"}} * 1e-3")),
            (
                "quantile_over_time(.9, (a - b{x=\"}\"})[5m:15s])",
                format!("quantile_over_time(.9, (a{{{R}}} - b{{{R},x=\"}}\"}})[5m:15s])"),
            ),
            ("SUM BY (pod) (a) AND NaN != Inf", format!("SUM BY (pod) (a{{{R}}}) AND NaN != Inf")),
            // A metric may have the name of a function.
            ("rate / sum", format!("rate{{{R}}} / sum{{{R}}}")),
            (
                "label_replace(a, \"by\", \"$1\", \"on\", \"(.*)\") # b{c}",
                format!("label_replace(a{{{R}}}, \"by\", \"$1\", \"on\", \"(.*)\") # b{{c}}"),
            ),
        ] {
            assert_eq!(Expression::narrowed(text, &canary).unwrap().text, narrowed);
        }
    }

    #[test]
    fn the_series_that_are_read_are_known() {
        let expression = Expression::narrowed("a{x=\"y\"} / (a{x=\"y\"} + rate(b[5m]))", &[]).unwrap();
        let selectors: Vec<String> = expression.selectors.iter().map(ToString::to_string).collect();
        assert_eq!(selectors, ["a{x=\"y\"}", "b"]);
        assert_eq!(expression.text, "a{x=\"y\"} / (a{x=\"y\"} + rate(b[5m]))");
    }

    #[test]
    fn expressions_about_nothing_or_another_time_are_refused() {
        let refused = |text| Expression::narrowed(text, &[]).unwrap_err().code();
        assert_eq!(refused("vector(0)"), "I043");
        assert_eq!(refused("1 + 2"), "I043");
        assert_eq!(refused("a offset 5m"), "I042");
        assert_eq!(refused("a @ end()"), "I042");
        assert_eq!(refused("a{b=\"c\""), "I040");
        assert_eq!(refused("sum by (pod a"), "I040");
    }
}
