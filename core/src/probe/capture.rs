//! Values taken from an answer.

use serde_json::Value as Json;

use super::evaluate::{Answer, CheckOutcome, Checked, cookie_value, find, header_values, is_of_type, keep};
use super::plan::{CapturePlan, Source};
use super::redact::{SHORTEST, standing_for};
use super::template::as_text;

/// A capture that failed.
pub(crate) struct Refused {
    /// The expectation that it breaks.
    pub(crate) check: Box<Checked>,
    /// What was found all the same.
    pub(crate) value: Option<Json>,
}

/// The value of a capture; `secret` is the name under which it is kept out of results.
pub(crate) fn take(capture: &CapturePlan, secret: Option<&str>, answer: &Answer<'_>) -> Result<Option<Json>, Refused> {
    let fail = |expected: &str, actual: String, value: Option<Json>| {
        let check = Box::new(Checked {
            what: format!("capture {}", capture.name),
            at: capture.position.clone(),
            outcome: CheckOutcome::Fail,
            expected: expected.to_owned(),
            actual,
        });
        Err(Refused { check, value })
    };
    let found = match &capture.from {
        Source::Path(path) => match answer.json.map(|json| find(path, json)).unwrap_or_default().as_slice() {
            [one] => Some((*one).clone()),
            [] => None,
            several => Some(Json::Array(several.iter().map(|value| (*value).clone()).collect())),
        },
        Source::Header(name) => header_values(answer.response, name).into_iter().next(),
        Source::Cookie(name) => cookie_value(answer.response, name).map(Json::from),
        Source::Body => Some(Json::String(String::from_utf8_lossy(&answer.response.body.0).into_owned())),
    };
    let found = match (&capture.pattern, found) {
        (Some(pattern), Some(value)) => {
            let text = as_text(&value);
            let matched = pattern.captures(&text).and_then(|groups| groups.get(1).or_else(|| groups.get(0)));
            let matched = matched.map(|matched| matched.as_str());
            // In a replay a placeholder stands where the secret stood, and need not look as the pattern wants it.
            let standing = secret.and_then(|name| standing_for(name, &text));
            let found = standing.filter(|standing| !matched.is_some_and(|matched| matched.contains(*standing)));
            found.or(matched).map(Json::from)
        }
        (_, found) => found,
    };
    let Some(value) = found else {
        return if capture.optional { Ok(None) } else { fail("something", "nothing".to_owned(), None) };
    };
    if let Some(wanted) = capture.of_type.filter(|wanted| !is_of_type(&value, *wanted)) {
        // The value itself may be a secret.
        let actual = if secret.is_some() { "another type".to_owned() } else { keep(&value.to_string()) };
        return fail(&format!("of type {wanted}"), actual, Some(value));
    }
    if secret.is_some() && as_text(&value).chars().count() < SHORTEST {
        return fail("a secret that is long enough to be recognised", "fewer than 4 characters".to_owned(), None);
    }
    Ok(Some(value))
}
