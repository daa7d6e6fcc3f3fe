//! The header `Link`, RFC 8288: which URL comes next.

/// The target of the first link whose relation is `next`.
#[must_use]
pub fn next_of(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some(from) = rest.find('<') {
        let inner = rest.get(from + 1..)?;
        let end = inner.find('>')?;
        let target = inner.get(..end)?;
        let (parameters, after) = until(',', inner.get(end + 1..)?);
        if relations(parameters).any(|relation| relation.eq_ignore_ascii_case("next")) {
            return Some(target.to_owned());
        }
        rest = after;
    }
    None
}

/// The text up to a separator, and what follows behind it; in quotes, nothing separates.
fn until(separator: char, text: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                return (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (text, "")
}

/// The relations that a link's parameters name: the first `rel` counts, and may name several.
fn relations(parameters: &str) -> impl Iterator<Item = &str> {
    let (mut rest, mut found) = (parameters, "");
    while found.is_empty() && !rest.is_empty() {
        let (one, after) = until(';', rest);
        if let Some((name, value)) = one.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            found = value;
        }
        rest = after;
    }
    found.trim().trim_matches('"').split_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::next_of;

    #[test]
    fn the_examples_of_the_rfc_and_of_github() {
        // RFC 8288, 3.5, with the relations that it names.
        assert_eq!(next_of(r#"<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter""#), None);
        let two = r#"</TheBook/chapter2>; rel="previous"; title*=UTF-8'de'letztes%20Kapitel, </TheBook/chapter4>; rel="next"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"#;
        assert_eq!(next_of(two).as_deref(), Some("/TheBook/chapter4"));
        assert_eq!(
            next_of(r#"<http://example.org/>; rel="start http://example.net/relation/other next""#).as_deref(),
            Some("http://example.org/")
        );
        let github = r#"<https://api.github.com/repositories/1/issues?page=2>; rel="next", <https://api.github.com/repositories/1/issues?page=5>; rel="last""#;
        assert_eq!(next_of(github).as_deref(), Some("https://api.github.com/repositories/1/issues?page=2"));
    }

    #[test]
    fn separators_in_quotes_do_not_mislead() {
        assert_eq!(next_of(r#"<a>; title="x; rel=next"; rel=prev"#), None);
        assert_eq!(next_of(r#"<a>; title="x; rel=prev"; rel="next""#).as_deref(), Some("a"));
        assert_eq!(next_of(r#"<a>; title="x, <b>; rel=\"next\""; rel="prev", <c>; rel=next"#).as_deref(), Some("c"));
        assert_eq!(next_of("<a?x=1,2>; REL=NEXT").as_deref(), Some("a?x=1,2"));
        for broken in ["", "<", "<a", "a; rel=next", "<a>", "<a>; rel", "<a>; rel=\"", "<a>; rel=prev; rel=next", ",,,"]
        {
            assert_eq!(next_of(broken), None, "{broken}");
        }
    }
}
