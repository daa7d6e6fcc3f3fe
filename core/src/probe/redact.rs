//! Secrets kept out of everything that a run tells: each is replaced by its name, wherever and however it is written.

use base64::Engine as _;
use serde_json::Value as Json;

use super::evaluate::is_of_type;
use super::template::as_text;
use super::url::{Url, encode_in_path, is_refused, percent_encode};
use crate::document::probe::JsonType;

/// The shortest secret: a shorter one would be found in everything, and its absence would tell it.
pub(crate) const SHORTEST: usize = 4;

/// What the names of secrets begin with where they stand for them.
const PLACEHOLDER: &str = "redacted.";
/// And those of secrets that no header and no URL can carry: a replay must fail where the run did.
const UNFIT: &str = "redacted.unfit.";
/// And those of secrets that a header can carry, and a URL only encoded.
const BLANK: &str = "redacted.blank.";
/// And of what was no text in JSON.
const TYPES: [(&str, JsonType); 5] = [
    ("redacted.array.", JsonType::Array),
    ("redacted.boolean.", JsonType::Boolean),
    ("redacted.integer.", JsonType::Integer),
    ("redacted.number.", JsonType::Number),
    ("redacted.object.", JsonType::Object),
];

/// The secrets of a run and how they may be written.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that a part does not hide the whole.
    forms: Vec<(Vec<u8>, String)>,
    /// Those that the flow names in the open.
    hosts: Vec<String>,
}

impl Redactor {
    /// Of a run that may speak to these hosts.
    pub(crate) fn for_hosts(hosts: Vec<String>) -> Self {
        Self { forms: Vec::new(), hosts }
    }

    /// Adds a secret. Shorter ones than [`SHORTEST`] are the caller's concern; what the flow names in the open is none.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if self.hosts.iter().any(|host| host == value) {
            return;
        }
        let (plain, marked) = (placeholder(name), self.marked(name, value));
        if value.chars().count() < SHORTEST || value == plain || value == marked || self.knows(value) {
            return;
        }
        let standard = base64::engine::general_purpose::STANDARD.encode(value);
        let mut encoded = vec![
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value),
            standard.trim_end_matches('=').to_owned(),
        ];
        let mut as_it_is = vec![value.to_owned()];
        if value.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._~".contains(c)) {
            let percent = percent_encode(value);
            encoded.extend([lower_hex(&percent), percent.replace("%20", "+"), percent, encode_in_path(value)]);
            let quoted = in_json(value);
            // Within JSON, and where results quote it.
            as_it_is.extend(quoted.iter().map(|form| form.replace('\\', "\\\\").replace('"', "\\\"")));
            as_it_is.extend(quoted);
            as_it_is.push(value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"));
            // As results show where a request went.
            as_it_is.extend(as_url(value).map(|url| url.to_string()));
        }
        // Encoded it has nothing that could be unfit.
        encoded.retain(|form| !as_it_is.contains(form));
        let mut forms: Vec<(String, &str)> = as_it_is.into_iter().map(|form| (form, marked.as_str())).collect();
        forms.extend(encoded.into_iter().map(|form| (form, plain.as_str())));
        forms.sort();
        forms.dedup();
        self.forms.extend(forms.into_iter().map(|(form, placeholder)| (form.into_bytes(), placeholder.to_owned())));
        self.forms.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    }

    /// What stands for a secret where it is written as it is: whatever the machine looks at before it sends a request, it
    /// finds the same. A host that the flow names is no secret.
    fn marked(&self, name: &str, value: &str) -> String {
        let plain = plain(name);
        if is_unfit_for_headers(value) {
            return format!("{UNFIT}{plain}");
        }
        if is_unfit_for_urls(value) {
            return format!("{BLANK}{plain}");
        }
        let placeholder = placeholder(name);
        match as_url(value) {
            Some(url) if self.hosts.contains(&url.host().to_string()) => {
                url.with_path(format!("/{placeholder}")).to_string()
            }
            _ if value.starts_with('/') => format!("/{placeholder}"),
            _ => placeholder,
        }
    }

    /// Adds credentials that a plugin put together: where a secret is known to be in them, or its name stands for it in
    /// a replay, nothing is left to hide.
    pub(crate) fn add_made(&mut self, name: &str, value: &str) {
        if !value.starts_with(PLACEHOLDER) && self.text(value) == value {
            self.add(name, value);
        }
    }

    /// What stands for a list or an object that is a secret as a whole.
    pub(crate) fn of_whole(&self, value: &Json) -> Option<String> {
        // Most flows have none, and to write each would take long.
        let is_whole = |form: &[u8]| matches!(form.first(), Some(b'{' | b'['));
        if !self.forms.iter().any(|(form, _)| is_whole(form)) {
            return None;
        }
        let text = as_text(value);
        let found = self.forms.iter().find(|(form, _)| form == text.as_bytes());
        found.map(|(_, placeholder)| typed_placeholder(value, placeholder))
    }

    fn knows(&self, value: &str) -> bool {
        self.forms.iter().any(|(form, _)| form == value.as_bytes())
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        if self.forms.is_empty() {
            return text.to_owned();
        }
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// The bytes without secrets.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            match self.forms.iter().find(|(form, _)| rest.starts_with(form)) {
                Some((form, placeholder)) => {
                    clean.extend_from_slice(placeholder.as_bytes());
                    rest = rest.get(form.len()..).unwrap_or_default();
                }
                None => {
                    clean.push(*first);
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
        clean
    }
}

/// What stands for a secret: only characters that every encoding leaves alone.
pub(crate) fn placeholder(name: &str) -> String {
    format!("{PLACEHOLDER}{}", plain(name))
}

/// What stands for what is no text in JSON and has a secret in it, given as text without it.
pub(crate) fn typed_placeholder(value: &Json, clean: &str) -> String {
    let kind = match value {
        Json::Array(_) => JsonType::Array,
        Json::Object(_) => JsonType::Object,
        Json::Bool(_) => JsonType::Boolean,
        Json::Number(_) if is_of_type(value, JsonType::Integer) => JsonType::Integer,
        Json::Number(_) => JsonType::Number,
        Json::String(_) | Json::Null => return clean.to_owned(),
    };
    let prefix = TYPES.iter().find(|(_, known)| *known == kind).map_or(PLACEHOLDER, |(prefix, _)| *prefix);
    format!("{prefix}{clean}")
}

/// The type of what such a placeholder stands for; nothing for any other text.
pub(crate) fn type_behind(text: &str) -> Option<JsonType> {
    TYPES.iter().find(|(prefix, _)| text.starts_with(*prefix)).map(|(_, kind)| *kind)
}

/// The placeholder of this secret in a text, which is one of a replay.
pub(crate) fn standing_for<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let plain = plain(name);
    [UNFIT, BLANK, PLACEHOLDER].iter().find_map(|prefix| {
        let placeholder = format!("{prefix}{plain}");
        text.match_indices(&placeholder).map(|(at, found)| (at + found.len(), found)).find_map(|(end, found)| {
            let goes_on = text.get(end..)?.starts_with(|c: char| c == '.' || c.is_ascii_alphanumeric());
            (!goes_on).then_some(found)
        })
    })
}

/// Whether no header can have this value, or it stands for one that none can: a line break would begin another header,
/// or another request.
pub(crate) fn is_unfit_for_headers(value: &str) -> bool {
    value.contains(|c: char| c.is_control() && c != '\t') || value.contains(UNFIT)
}

/// Whether no URL can have this text as it is, or what stands in it for a secret.
pub(crate) fn is_unfit_for_urls(text: &str) -> bool {
    text.contains(is_refused) || text.contains(UNFIT) || text.contains(BLANK)
}

/// A value that is about to be encoded, after which nothing in it is unfit for a URL.
pub(crate) fn encoded(value: &str) -> String {
    value.replace(UNFIT, PLACEHOLDER).replace(BLANK, PLACEHOLDER)
}

fn as_url(value: &str) -> Option<Url> {
    // Most secrets are none.
    value.contains("://").then(|| value.parse().ok()).flatten()
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect()
}

/// As writers of JSON have it between quotes. Beside what all must escape, some escape `/` and all but ASCII (PHP), all but
/// ASCII (Python), what means something in HTML (Go, Rails), or all of these and `+` (.NET).
fn in_json(value: &str) -> Vec<String> {
    let html = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    let dotnet = |c: char| html(c) || !c.is_ascii() || matches!(c, '"' | '\'' | '+' | '`');
    let lower = |unit: u16| format!("\\u{unit:04x}");
    let upper = |unit: u16| format!("\\u{unit:04X}");
    let ascii = escaped(value, |c| !c.is_ascii(), lower);
    vec![
        escaped(value, |_| false, lower),
        ascii.replace('/', "\\/"),
        ascii,
        escaped(value, html, lower),
        escaped(value, dotnet, upper),
    ]
}

fn escaped(value: &str, also: impl Fn(char) -> bool, unit: impl Fn(u16) -> String) -> String {
    let mut text = String::new();
    for c in value.chars() {
        if also(c) {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|part| unit(*part)));
        } else if c != '"' && c != '\\' && c >= ' ' {
            text.push(c);
        } else {
            let quoted = Json::from(c.to_string()).to_string();
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            text.push_str(inner.unwrap_or_default());
        }
    }
    text
}

/// `%2F` as `%2f`.
fn lower_hex(encoded: &str) -> String {
    let mut lower = String::with_capacity(encoded.len());
    let mut digits = 0;
    for c in encoded.chars() {
        lower.push(if digits > 0 { c.to_ascii_lowercase() } else { c });
        digits = if c == '%' { 2_u8 } else { digits.saturating_sub(1) };
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let mut redactor = Redactor::default();
        redactor.add("secrets.pw", "p\"w/ä é&1");
        for text in [
            "p\"w/ä é&1",
            "p\\\"w/ä é&1",
            r#"p\"w/\u00e4 \u00e9&1"#,
            r#"p\"w\/\u00e4 \u00e9&1"#,
            r#"p\"w/ä é\u00261"#,
            r"p\u0022w/\u00E4 \u00E9\u00261",
            "p&quot;w/ä é&amp;1",
        ] {
            assert_eq!(redactor.text(&format!("<{text}>")), "<redacted.blank.secrets.pw>", "{text}");
        }
        for text in
            ["p%22w%2F%C3%A4%20%C3%A9%261", "p%22w%2f%c3%a4%20%c3%a9%261", "p%22w/%C3%A4%20%C3%A9&1", "cCJ3L8OkIMOpJjE"]
        {
            assert_eq!(redactor.text(&format!("<{text}>")), "<redacted.secrets.pw>", "{text}");
        }
        assert_eq!(redactor.text("p w"), "p w");
    }

    #[test]
    fn what_no_header_can_carry_stays_so_without_its_secret() {
        let mut redactor = Redactor::default();
        redactor.add("token", "a\r\nb: c");
        redactor.add("other", "a\tb c");
        let (token, other) = (redactor.text("a\r\nb: c"), redactor.text("a\tb c"));
        assert!(is_unfit_for_headers(&token) && !is_unfit_for_headers(&other), "{token} {other}");
        assert!(is_unfit_for_urls(&token) && is_unfit_for_urls(&other), "{token} {other}");
        assert!(!is_unfit_for_urls(&redactor.text("a%0D%0Ab%3A%20c")) && !is_unfit_for_urls(&encoded(&other)));
        // What a replay is told is known by that name already.
        let mut replayed = Redactor::default();
        replayed.add("token", &token);
        assert_eq!(replayed.text(&token), token);
    }

    #[test]
    fn what_a_request_can_go_to_stays_so_without_its_secret() {
        let mut redactor = Redactor::for_hosts(vec!["shop.example".to_owned()]);
        for (name, secret, stands) in [
            ("signed", "https://shop.example:443/up?sig=a%2Fb", "https://shop.example/redacted.signed"),
            ("there", "https://there.example/up?sig=a", "redacted.there"),
            ("path", "/up?sig=c", "/redacted.path"),
        ] {
            redactor.add(name, secret);
            assert_eq!(redactor.text(secret), stands);
            let mut replayed = Redactor::for_hosts(vec!["shop.example".to_owned()]);
            replayed.add(name, stands);
            assert_eq!(replayed.text(stands), stands);
        }
        // As the machine writes the URL.
        assert_eq!(redactor.text("https://shop.example/up?sig=a%2Fb&n=1"), "https://shop.example/redacted.signed&n=1");
    }

    #[test]
    fn a_host_that_the_flow_names_is_no_secret() {
        let mut redactor = Redactor::for_hosts(vec!["shop.example".to_owned()]);
        redactor.add("cookie.host", "shop.example");
        redactor.add("cookie.other", "there.example");
        assert_eq!(redactor.text("shop.example there.example"), "shop.example redacted.cookie.other");
    }

    #[test]
    fn a_placeholder_is_found_where_it_ends() {
        for (text, found) in [
            ("a=redacted.token2 b=redacted.token;", Some("redacted.token")),
            ("redacted.token.more", None),
            ("<redacted.unfit.token>", Some("redacted.unfit.token")),
            ("token", None),
        ] {
            assert_eq!(standing_for("token", text), found, "{text}");
        }
    }

    #[test]
    fn the_longest_secret_is_replaced_first() {
        let mut redactor = Redactor::default();
        redactor.add("a", "hunter");
        redactor.add("b", "hunter2");
        assert_eq!(redactor.text("hunter2 hunter"), "redacted.b redacted.a");
    }
}
