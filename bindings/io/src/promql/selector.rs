//! A selector of series: a metric's name and matchers of its labels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::error::{TextError, shown};
use super::expression;
use super::lex::{Kind, Token, lex, quote, syntax, unquote};
use crate::prometheus::Labels;

/// The label that holds a metric's name.
pub(crate) const NAME: &str = "__name__";

/// How a label's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Match {
    Equal,
    NotEqual,
    Like,
    NotLike,
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) how: Match,
    pub(crate) value: String,
}

/// Conditions that a series must meet, all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selector(Vec<Matcher>);

impl Selector {
    /// A text that is a selector and nothing else, narrowed by `matchers`.
    pub(crate) fn raw(text: &str, matchers: &[Matcher]) -> Result<Self, TextError> {
        let tokens = lex(text)?;
        let (name, braces) = match tokens.as_slice() {
            [] => return Err(TextError::NoSeries { text: shown(text) }),
            [name, rest @ ..] if name.kind == Kind::Name => (Some(name), rest),
            all => (None, all),
        };
        let plain = match braces {
            [] => name.is_some(),
            [open, .., close] => {
                open.is("{") && close.is("}") && braces.iter().filter(|token| token.is("{")).count() == 1
            }
            _ => false,
        };
        if !plain {
            return Err(expression::not_raw(text, &tokens));
        }
        let mut selector = Self::of(text, name.copied(), braces)?;
        selector.0.extend_from_slice(matchers);
        Ok(selector)
    }

    /// The series of a counter that is known by its name.
    pub(crate) fn named(name: &str, matchers: &[Matcher]) -> Result<Self, TextError> {
        match lex(name).as_deref() {
            Ok([token]) if token.kind == Kind::Name => Self::raw(name, matchers),
            _ => Err(TextError::Name { name: shown(name) }),
        }
    }

    /// `up` of the targets with one of these jobs and one of these instances.
    pub(crate) fn up<'t>(jobs: impl Iterator<Item = &'t str>, instances: impl Iterator<Item = &'t str>) -> Self {
        let one_of = |label: &str, values: Vec<String>| Matcher {
            label: label.to_owned(),
            how: Match::Like,
            value: values.join("|"),
        };
        Self(vec![
            Matcher { label: NAME.to_owned(), how: Match::Equal, value: "up".to_owned() },
            one_of("job", jobs.map(literally).collect()),
            one_of("instance", instances.map(literally).collect()),
        ])
    }

    /// Series among which are all of these. Labels with few values are compared, the others left open.
    pub(crate) fn of_all(all: &[&Labels]) -> Self {
        const FEW: usize = 30;
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (label, value) in all.iter().flat_map(|labels| labels.iter()) {
            values.entry(label).or_default().insert(value);
        }
        let everywhere = |label: &str| all.iter().all(|labels| !labels.get(label).is_empty());
        let few = values.into_iter().filter(|(label, values)| everywhere(label) && values.len() <= FEW);
        let matcher = |(label, values): (&str, BTreeSet<&str>)| {
            let label = label.to_owned();
            match values.first() {
                Some(only) if values.len() == 1 => Matcher { label, how: Match::Equal, value: (*only).to_owned() },
                _ => {
                    let values: Vec<String> = values.into_iter().map(literally).collect();
                    Matcher { label, how: Match::Like, value: values.join("|") }
                }
            }
        };
        Self(few.map(matcher).collect())
    }

    /// From a name, and tokens that begin and end with braces.
    pub(super) fn of(text: &str, name: Option<Token<'_>>, braces: &[Token<'_>]) -> Result<Self, TextError> {
        let mut matchers = Vec::new();
        if let Some(name) = name {
            matchers.push(Matcher { label: NAME.to_owned(), how: Match::Equal, value: name.text.to_owned() });
        }
        if let [_, inner @ .., _] = braces {
            matchers.extend(parse_matchers(text, inner)?);
        }
        if matchers.is_empty() {
            return Err(TextError::NoSeries { text: shown(text) });
        }
        Ok(Self(matchers))
    }

    /// The same, narrowed.
    pub(super) fn narrowed(mut self, matchers: &[Matcher]) -> Self {
        self.0.extend_from_slice(matchers);
        self
    }

    /// The labels that narrow `whole` down to this, if this is surely a part of it: the same metric, and
    /// every condition of `whole`.
    pub(crate) fn narrows(&self, whole: &Self) -> Option<Vec<&str>> {
        let name = |selector: &Self| -> Option<Matcher> {
            let mut names = selector.0.iter().filter(|matcher| matcher.label == NAME);
            names.next().filter(|name| name.how == Match::Equal && names.next().is_none()).cloned()
        };
        let own = name(self)?;
        if Some(own) != name(whole) || !whole.0.iter().all(|matcher| self.0.contains(matcher)) {
            return None;
        }
        let more = self.0.iter().filter(|matcher| !whole.0.contains(matcher));
        Some(more.map(|matcher| matcher.label.as_str()).collect())
    }

    /// The labels whose value the selector says outright.
    pub(crate) fn exact(&self) -> impl Iterator<Item = (&str, &str)> {
        let equal = self.0.iter().filter(|matcher| matcher.how == Match::Equal);
        equal.map(|matcher| (matcher.label.as_str(), matcher.value.as_str()))
    }
}

/// A list of matchers, as the sources of a policy have them.
pub(crate) fn matchers(text: &str) -> Result<Vec<Matcher>, TextError> {
    let tokens = lex(text)?;
    match tokens.as_slice() {
        [open, inner @ .., close] if open.is("{") && close.is("}") => parse_matchers(text, inner),
        bare => parse_matchers(text, bare),
    }
}

fn parse_matchers(text: &str, mut tokens: &[Token<'_>]) -> Result<Vec<Matcher>, TextError> {
    let mut found = Vec::new();
    while let [first, ..] = tokens {
        let value = |token: &Token<'_>| {
            unquote(token.text).ok_or_else(|| syntax(text, token.at, "a string with an escape that does not exist"))
        };
        let (matcher, rest) = match tokens {
            // A metric's name in quotes, as Prometheus 3 has it.
            [name, rest @ ..] if name.kind == Kind::Text && rest.first().is_none_or(|next| next.is(",")) => {
                (Matcher { label: NAME.to_owned(), how: Match::Equal, value: value(name)? }, rest)
            }
            [label, how, quoted, rest @ ..]
                if matches!(label.kind, Kind::Name | Kind::Text) && quoted.kind == Kind::Text =>
            {
                let how = match how.text {
                    "=" => Match::Equal,
                    "!=" => Match::NotEqual,
                    "=~" => Match::Like,
                    "!~" => Match::NotLike,
                    _ => return Err(syntax(text, how.at, "expected `=`, `!=`, `=~` or `!~`")),
                };
                let label = if label.kind == Kind::Name { label.text.to_owned() } else { value(label)? };
                (Matcher { label, how, value: value(quoted)? }, rest)
            }
            _ => return Err(syntax(text, first.at, "expected a matcher such as `code=\"500\"`")),
        };
        found.push(matcher);
        tokens = match rest {
            [comma, rest @ ..] if comma.is(",") => rest,
            [] => rest,
            [other, ..] => return Err(syntax(text, other.at, "expected `,` between matchers")),
        };
    }
    Ok(found)
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first name stands in front, as people write it.
        let named = self
            .0
            .iter()
            .position(|matcher| matcher.label == NAME && matcher.how == Match::Equal && is_plain(&matcher.value, true));
        if let Some(name) = named.and_then(|place| self.0.get(place)) {
            f.write_str(&name.value)?;
        }
        let rest: Vec<&Matcher> =
            self.0.iter().enumerate().filter(|(place, _)| Some(*place) != named).map(|(_, matcher)| matcher).collect();
        if rest.is_empty() { Ok(()) } else { write!(f, "{{{}}}", list(&rest)) }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            Match::Equal => "=",
            Match::NotEqual => "!=",
            Match::Like => "=~",
            Match::NotLike => "!~",
        };
        if is_plain(&self.label, false) { f.write_str(&self.label) } else { f.write_str(&quote(&self.label)) }?;
        write!(f, "{how}{}", quote(&self.value))
    }
}

/// A regular expression that matches this text alone (RE2 syntax).
fn literally(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Matchers as they stand between braces.
pub(super) fn list<M: fmt::Display>(matchers: &[M]) -> String {
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    texts.join(",")
}

/// Whether a name needs no quotes.
fn is_plain(name: &str, colons: bool) -> bool {
    let accept = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    name.starts_with(|c: char| accept(c) && !c.is_ascii_digit()) && name.chars().all(accept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary() -> Vec<Matcher> {
        matchers("revision=\"r2\"").unwrap()
    }

    #[test]
    fn matchers_are_added_to_whatever_a_selector_has() {
        for (text, selector) in [
            ("a", "a{revision=\"r2\"}"),
            ("a{}", "a{revision=\"r2\"}"),
            ("a{b='c',}", "a{b=\"c\",revision=\"r2\"}"),
            ("{__name__=\"a\",b!~`\\d`}", "a{b!~\"\\\\d\",revision=\"r2\"}"),
            ("{\"a.b\",'c d'=\"e\"}", "{__name__=\"a.b\",\"c d\"=\"e\",revision=\"r2\"}"),
            (" job:a # the rule's\n{ b =~ \"x{2}\" }", "job:a{b=~\"x{2}\",revision=\"r2\"}"),
        ] {
            assert_eq!(Selector::raw(text, &canary()).unwrap().to_string(), selector, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_says_what_to_write_instead() {
        for (text, found, instead) in [
            ("rate(a{b=\"c\"}[5m])", "`rate(…)`", Some("a{b=\"c\"}")),
            ("sum by (pod) (increase(a[1m]))", "`sum`", Some("a")),
            ("a[5m]", "a range", Some("a")),
            ("a offset 5m", "`offset`", Some("a")),
            ("a @ 12", "`@`", Some("a")),
            ("a / b", "`/`", None),
            ("a + a", "`+`", Some("a")),
            ("a or vector(0)", "`or`", Some("a")),
            ("(a)", "`(`", Some("a")),
            ("1", "a number", None),
        ] {
            let error = Selector::raw(text, &[]).unwrap_err();
            let TextError::NotRaw { found: really, instead: suggested, .. } = &error else { panic!("{text}: {error}") };
            assert_eq!((really.as_str(), suggested.as_deref()), (found, instead), "{text}");
        }
    }

    #[test]
    fn broken_texts_are_refused_where_they_break() {
        for (text, column) in
            [("a{b}", 3), ("a{b=c}", 3), ("a{b=\"c\" d=\"e\"}", 9), ("a{b==\"c\"}", 4), ("a{b=\"\\q\"}", 5)]
        {
            let error = Selector::raw(text, &[]).unwrap_err();
            assert!(matches!(error, TextError::Syntax { column: at, .. } if at == column), "{text}: {error}");
        }
        for text in ["", " # nothing", "{}"] {
            assert!(matches!(Selector::raw(text, &[]), Err(TextError::NoSeries { .. })), "{text}");
        }
        assert!(matchers("revision").is_err());
        assert!(matchers("revision=\"a\", zone!=\"b\"").is_ok_and(|found| found.len() == 2));
        assert!(matchers("").is_ok_and(|found| found.is_empty()));
    }

    #[test]
    fn a_part_is_known_by_the_labels_that_narrow_it() {
        let raw = |text| Selector::raw(text, &canary()).unwrap();
        let labels = |part, whole| raw(part).narrows(&raw(whole)).map(|labels| labels.join(" "));
        assert_eq!(labels("a{code=~\"5..\"}", "a").as_deref(), Some("code"));
        assert_eq!(labels("a{code=\"5\",x=\"y\"}", "a{x=\"y\"}").as_deref(), Some("code"));
        assert_eq!(labels("a", "a").as_deref(), Some(""));
        assert_eq!(labels("a{code=\"5\"}", "a{x=\"y\"}"), None);
        assert_eq!(labels("b{code=\"5\"}", "a"), None);
        assert_eq!(labels("{__name__=~\"a.*\",code=\"5\"}", "{__name__=~\"a.*\"}"), None);
    }

    #[test]
    fn targets_are_named_literally() {
        let up = Selector::up(["api"].into_iter(), ["10.0.0.1:80", "a|b\\"].into_iter());
        assert_eq!(up.to_string(), r#"up{job=~"api",instance=~"10\\.0\\.0\\.1:80|a\\|b\\\\"}"#);
    }

    #[test]
    fn series_are_found_by_what_they_have_in_common() {
        let labels = |code: &str, zone: Option<&str>| -> Labels {
            let common = [("__name__", "a"), ("pod", "p.1"), ("code", code)];
            common.into_iter().chain(zone.map(|zone| ("zone", zone))).collect()
        };
        let (one, two, three) = (labels("500", None), labels("503", None), labels("503", Some("eu")));
        assert_eq!(Selector::of_all(&[&one]).to_string(), "a{code=\"500\",pod=\"p.1\"}");
        assert_eq!(Selector::of_all(&[&one, &two, &three]).to_string(), "a{code=~\"500|503\",pod=\"p.1\"}");
        let many: Vec<Labels> = (0..31).map(|code| labels(&code.to_string(), None)).collect();
        assert_eq!(Selector::of_all(&many.iter().collect::<Vec<_>>()).to_string(), "a{pod=\"p.1\"}");
    }

    #[test]
    fn events_have_the_name_of_a_counter() {
        assert_eq!(
            Selector::named("restarts:total", &canary()).unwrap().to_string(),
            "restarts:total{revision=\"r2\"}"
        );
        for name in ["a b", "crash-loops", "", "a{}", "9"] {
            assert!(matches!(Selector::named(name, &[]), Err(TextError::Name { .. })), "{name}");
        }
    }
}
