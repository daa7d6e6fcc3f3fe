//! What can be told from a query: which counters it divides, which histogram it takes a quantile of, and which
//! matcher names the canary.

/// A query whose numbers davy can count for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Counted {
    /// A part of a whole, `sum(rate(part[…])) / sum(rate(total[…]))`, and by how much it is multiplied.
    Ratio { part: String, total: String, percent: bool },
    /// `histogram_quantile(…, sum(rate(buckets[…])) by (le))`, the quantile in percent.
    Quantile { buckets: String, percent: String },
}

/// What a query counts, if it has one of the usual forms.
pub(super) fn counted(query: &str) -> Option<Counted> {
    let text = without_space(query);
    quantile(&text).or_else(|| ratio(&text))
}

fn ratio(text: &str) -> Option<Counted> {
    let text = unwrapped(text);
    let (text, before) = text.strip_prefix("100*").map_or((text, false), |rest| (unwrapped(rest), true));
    let (part, rest) = rate_sum(text)?;
    let (total, rest) = rate_sum(rest.strip_prefix('/')?)?;
    let percent = match rest {
        "" => before,
        "*100" if !before => true,
        _ => return None,
    };
    Some(Counted::Ratio { part: part.to_owned(), total: total.to_owned(), percent })
}

fn quantile(text: &str) -> Option<Counted> {
    let inner = text.strip_prefix("histogram_quantile(")?;
    let (quantile, rest) = inner.split_once(',')?;
    let (buckets, rest) = rate_sum(rest)?;
    if rest != ")" || !buckets.split('{').next()?.ends_with("_bucket") {
        return None;
    }
    let quantile = quantile.parse::<f64>().ok().filter(|quantile| *quantile > 0.0 && *quantile < 1.0)?;
    // 0.99 · 100 is 99 to the fourth decimal.
    let percent = format!("{:.4}", quantile * 100.0);
    let percent = percent.trim_end_matches('0').trim_end_matches('.').to_owned();
    Some(Counted::Quantile { buckets: buckets.to_owned(), percent })
}

/// The selector within `sum(rate(…[…]))`, grouped or not, and what follows.
fn rate_sum(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("sum")?;
    let rest = grouped(rest).unwrap_or(rest).strip_prefix('(')?;
    let rest = ["rate(", "irate(", "increase("].iter().find_map(|function| rest.strip_prefix(function))?;
    let range = outside_quotes(rest, '[')?;
    let (selector, rest) = rest.split_at_checked(range)?;
    let (_, rest) = rest.split_once(']')?;
    let rest = rest.strip_prefix("))")?;
    let is_one = !selector.is_empty() && selector.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let plain = outside_quotes(selector, '(').is_none();
    (is_one && plain).then_some((selector, grouped(rest).unwrap_or(rest)))
}

/// What follows `by(…)`.
fn grouped(text: &str) -> Option<&str> {
    text.strip_prefix("by(")?.split_once(')').map(|(_, rest)| rest)
}

/// Without brackets around everything.
fn unwrapped(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return text };
    let mut depth = 0_i32;
    for c in inner.chars() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth < 0 {
            return text;
        }
    }
    unwrapped(inner)
}

fn without_space(text: &str) -> String {
    let mut quote = None;
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        match quote {
            Some(open) if c == open && !escaped => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
        if quote.is_some() || !c.is_whitespace() {
            out.push(c);
        }
    }
    out
}

/// Where a character first stands outside of strings.
fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (place, c) in text.char_indices() {
        match quote {
            Some(open) if c == open && !escaped => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == wanted => return Some(place),
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    None
}

/// A query without the one matcher whose value holds `marker`, and that matcher; nothing where there is none, or where
/// several differ.
pub(super) fn without_matcher(query: &str, marker: &str) -> Option<(String, String)> {
    let mut rest = query.to_owned();
    let mut matcher: Option<String> = None;
    while let Some(at) = rest.find(marker) {
        let open = rest.get(..at)?.rfind(['"', '\''])?;
        let quote = rest.get(open..)?.chars().next()?;
        let close = at + rest.get(at..)?.find(quote)? + 1;
        let before = rest.get(..open)?;
        let start = before.rfind([',', '{'])? + 1;
        let found = rest.get(start..close)?.trim().to_owned();
        if matcher.as_ref().is_some_and(|known| *known != found) {
            return None;
        }
        matcher = Some(found);
        // With the comma that parted it from its neighbour.
        let after = rest.get(close..)?;
        let trimmed = after.trim_start();
        let (start, after) = match trimmed.strip_prefix(',') {
            Some(after) => (start, after),
            None if rest.get(..start)?.ends_with(',') => (start - 1, after),
            None => (start, after),
        };
        rest = format!("{}{}", rest.get(..start)?, after);
    }
    matcher.map(|matcher| (rest, matcher))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_from_the_usual_forms() {
        let ratio = |part: &str, total: &str, percent| {
            Some(Counted::Ratio { part: part.to_owned(), total: total.to_owned(), percent })
        };
        for (query, expected) in [
            ("sum(rate(a{c=~\"5..\"}[5m])) / sum(rate(a[5m]))", ratio("a{c=~\"5..\"}", "a", false)),
            (
                "sum(\n rate(\n a{c!~\"5.*\"}[1m]\n )\n) \n/ \nsum(rate(a[1m]))\n* 100",
                ratio("a{c!~\"5.*\"}", "a", true),
            ),
            ("100 * (sum by (x) (increase(a[1h])) / sum(increase(b[1h])) by (x))", ratio("a", "b", true)),
            ("(sum(irate(a{d=\" [x] \"}[1m])) / sum(irate(b[1m])))", ratio("a{d=\" [x] \"}", "b", false)),
        ] {
            assert_eq!(counted(query), expected, "{query}");
        }
        let p99 = Some(Counted::Quantile { buckets: "a_bucket{b=\"c\"}".to_owned(), percent: "99".to_owned() });
        for query in [
            "histogram_quantile(0.99, sum(rate(a_bucket{b=\"c\"}[5m])) by (le))",
            "histogram_quantile( 0.990, sum by (le) ( rate(a_bucket{b=\"c\"}[5m]) ) )",
        ] {
            assert_eq!(counted(query), p99, "{query}");
        }
        for query in [
            "",
            "up",
            "sum(rate(a[5m]))",
            "sum(rate(a[5m])) / 2",
            "1 - sum(rate(a[5m])) / sum(rate(b[5m]))",
            "avg(rate(a[5m])) / sum(rate(b[5m]))",
            "sum(rate(a[5m]) + rate(c[5m])) / sum(rate(b[5m]))",
            "histogram_quantile(0.99, sum(rate(a[5m])) by (le))",
            "histogram_quantile(1.5, sum(rate(a_bucket[5m])) by (le))",
        ] {
            assert_eq!(counted(query), None, "{query}");
        }
    }

    #[test]
    fn the_matcher_of_the_canary_is_taken_out() {
        let taken = |query: &str| without_matcher(query, "{{ target }}");
        let of = |rest: &str, matcher: &str| Some((rest.to_owned(), matcher.to_owned()));
        let matcher = "w=~\"{{ target }}\"";
        assert_eq!(taken("a{w=~\"{{ target }}\"}"), of("a{}", matcher));
        assert_eq!(taken("a{n=\"x\", w=~\"{{ target }}\"}"), of("a{n=\"x\"}", matcher));
        assert_eq!(taken("a{w=~\"{{ target }}\", n=\"x\"}"), of("a{ n=\"x\"}", matcher));
        assert_eq!(
            taken("a{n=\"x\",w=~\"{{ target }}\",m=\"y\"} / b{w=~\"{{ target }}\"}"),
            of("a{n=\"x\",m=\"y\"} / b{}", matcher)
        );
        assert_eq!(taken("a{w=~\"{{ target }}-.*\"} / b{v=~\"{{ target }}\"}"), None);
        assert_eq!(taken("a{w=\"x\"}"), None);
    }
}
