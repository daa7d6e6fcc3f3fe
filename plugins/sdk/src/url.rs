//! References, such as those of the headers `Location` and `Link`.

/// What a reference means on the page of this URL: RFC 3986, section 5.2. Without a fragment, which no request has.
///
/// ```
/// use davy_plugin::resolve;
///
/// assert_eq!(resolve("https://shop.example/v1/items?page=1", "?page=2"), "https://shop.example/v1/items?page=2");
/// assert_eq!(resolve("https://shop.example/v1/items", "//cdn.example/x"), "https://cdn.example/x");
/// ```
#[must_use]
pub fn resolve(page: &str, reference: &str) -> String {
    let (page, reference) = (Parts::of(page), Parts::of(reference.trim()));
    let scheme = reference.scheme.or(page.scheme);
    let (authority, path, query) = if reference.scheme.is_some() || reference.authority.is_some() {
        (reference.authority, without_dots(reference.path), reference.query)
    } else if reference.path.is_empty() {
        (page.authority, page.path.to_owned(), reference.query.or(page.query))
    } else if reference.path.starts_with('/') {
        (page.authority, without_dots(reference.path), reference.query)
    } else {
        let folder = match page.path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/"),
            None if page.authority.is_some() => "/".to_owned(),
            None => String::new(),
        };
        (page.authority, without_dots(&format!("{folder}{}", reference.path)), reference.query)
    };
    let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme}:"));
    let authority = authority.map_or_else(String::new, |authority| format!("//{authority}"));
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}{authority}{path}{query}")
}

/// The parts of a reference: RFC 3986, appendix B.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = match text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (Some(authority), rest)
            }
            None => (None, rest),
        };
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        Self { scheme, authority, path, query }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            other => kept.push(other),
        }
        if segments.peek().is_none() && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn references_mean_what_the_rfc_says() {
        // RFC 3986, sections 5.4.1 and 5.4.2, without fragments.
        let cases = [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("http:g", "http:g"),
        ];
        for (reference, expected) in cases {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference), expected, "{reference}");
        }
        assert_eq!(resolve("https://shop.example", "g?t=1:2"), "https://shop.example/g?t=1:2");
        assert_eq!(resolve("/l?p=1", "?p=2"), "/l?p=2", "also where the page's host is not known");
    }
}
