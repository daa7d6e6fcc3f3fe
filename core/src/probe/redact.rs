//! Secrets kept out of everything that a run tells: each is replaced by its name, wherever and however it is written.

use base64::Engine as _;

use super::url::percent_encode;

/// The shortest secret: a shorter one would be found in everything, and its absence would tell it.
pub(crate) const SHORTEST: usize = 4;

/// What the names of secrets begin with where they stand for them.
const PLACEHOLDER: &str = "redacted.";
/// And those of secrets that no header can carry: a replay must fail where the run did.
const UNFIT: &str = "redacted.unfit.";

/// The secrets of a run and how they may be written.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that a part does not hide the whole.
    forms: Vec<(Vec<u8>, String)>,
}

impl Redactor {
    /// Adds a secret. Shorter ones than [`SHORTEST`] are the caller's concern.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        let (fit, unfit) = (placeholder(name), unfit_placeholder(name));
        if value.chars().count() < SHORTEST || value == fit || value == unfit || self.knows(value) {
            return;
        }
        let placeholder = if is_unfit_for_headers(value) { unfit } else { fit };
        let json = serde_json::to_string(value).unwrap_or_default();
        let percent = percent_encode(value);
        let html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let standard = base64::engine::general_purpose::STANDARD.encode(value);
        let mut forms = vec![
            value.to_owned(),
            json.trim_matches('"').to_owned(),
            lower_hex(&percent),
            percent.replace("%20", "+"),
            percent,
            html,
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value),
            standard.trim_end_matches('=').to_owned(),
        ];
        forms.sort();
        forms.dedup();
        self.forms.extend(forms.into_iter().map(|form| (form.into_bytes(), placeholder.clone())));
        self.forms.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    }

    /// Adds credentials that a plugin put together: where a secret is known to be in them, or its name stands for it in
    /// a replay, nothing is left to hide.
    pub(crate) fn add_made(&mut self, name: &str, value: &str) {
        if !value.starts_with(PLACEHOLDER) && self.text(value) == value {
            self.add(name, value);
        }
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

/// Whether no header can have this value, or it stands for one that none can: a line break would begin another header,
/// or another request.
pub(crate) fn is_unfit_for_headers(value: &str) -> bool {
    value.contains(|c: char| c.is_control() && c != '\t') || value.contains(UNFIT)
}

fn unfit_placeholder(name: &str) -> String {
    format!("{UNFIT}{}", plain(name))
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect()
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
            "p%22w%2F%C3%A4%20%C3%A9%261",
            "p%22w%2f%c3%a4%20%c3%a9%261",
            "p&quot;w/ä é&amp;1",
            "cCJ3L8OkIMOpJjE",
        ] {
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
        // What a replay is told is known by that name already.
        let mut replayed = Redactor::default();
        replayed.add("token", &token);
        assert_eq!(replayed.text(&token), token);
    }

    #[test]
    fn the_longest_secret_is_replaced_first() {
        let mut redactor = Redactor::default();
        redactor.add("a", "hunter");
        redactor.add("b", "hunter2");
        assert_eq!(redactor.text("hunter2 hunter"), "redacted.b redacted.a");
    }
}
