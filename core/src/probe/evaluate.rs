//! Expectations against an answer: each by itself, with what was expected and what was there.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::cookies::name_and_value;
use super::language::AnswerFacts;
use super::message::{HttpResponse, Micros};
use super::plan::{Check, CheckTest, Foreign, Path, Phase, Test, TestKind};
use super::redact::type_behind;
use super::template::{Slots, as_text, json_text};
use crate::document::Position;
use crate::document::probe::JsonType;
use crate::{Digest, Duration, Instant};

/// One expectation and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checked {
    /// What it is about: `status`, `header content-type`, `$.cart.total`.
    pub what: String,
    /// Where the flow says so.
    pub at: Position,
    /// Whether it held.
    pub outcome: CheckOutcome,
    /// What was expected.
    pub expected: String,
    /// What was there.
    pub actual: String,
}

/// Whether an expectation held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckOutcome {
    /// There was nothing to judge, such as the time of a part that did not take place.
    NotJudged,
    /// It held.
    Pass,
    /// It held, worse than wanted.
    Degraded,
    /// It could not be judged, for this host lacks its language: the prober's fault.
    Unable,
    /// It did not hold.
    Fail,
}

/// The final answer of an attempt.
pub(crate) struct Answer<'a> {
    pub(crate) response: &'a HttpResponse,
    /// The body as JSON, if anything asked for it and it is JSON.
    pub(crate) json: Option<&'a Json>,
    pub(crate) duration: Micros,
    pub(crate) redirects: u32,
    pub(crate) now: Instant,
}

/// How much of a value is kept while the run goes on, in characters; [`shorten`] cuts it once all secrets are known,
/// so that no part of one is left at the cut.
const KEPT: usize = 4096;
/// How much is shown in the end.
const SHOWN: usize = 200;

/// Evaluates one expectation.
pub(crate) fn evaluate(check: &Check, answer: &Answer<'_>, slots: &Slots) -> Checked {
    let response = answer.response;
    let judged = match &check.test {
        CheckTest::Status(ranges) => {
            let wanted: Vec<String> = ranges
                .iter()
                .map(|range| {
                    if range.first == range.last {
                        range.first.to_string()
                    } else {
                        format!("{}-{}", range.first, range.last)
                    }
                })
                .collect();
            let held = ranges.iter().any(|range| range.contains(response.status));
            Judged::new("status", held, wanted.join(" or "), response.status.to_string())
        }
        CheckTest::Header(name, test) => {
            let values = header_values(response, name);
            judge(format!("header {name}"), test, &values.iter().collect::<Vec<_>>(), true, slots)
        }
        CheckTest::Cookie(name, test) => {
            let value = cookie_value(response, name).map(|value| Json::String(value.to_owned()));
            judge(format!("cookie {name}"), test, &value.iter().collect::<Vec<_>>(), true, slots)
        }
        CheckTest::Json(path, test) => match answer.json {
            Some(json) => judge(path.text.to_string(), test, &find(path, json), false, slots),
            None => Judged::new(path.text.to_string(), false, expected(test, slots), "the body is not JSON"),
        },
        CheckTest::Redirects(test) => judge("redirects", test, &[&Json::from(answer.redirects)], false, slots),
        CheckTest::Time { of, fail_above, degraded_above } => time(*of, *fail_above, *degraded_above, answer),
        CheckTest::TlsDays { fail_below, degraded_below } => tls_days(*fail_below, *degraded_below, answer),
        CheckTest::TlsVersion(oldest) => {
            let version = response.peer.as_ref().and_then(|peer| peer.tls.as_ref()).map(|tls| tls.version);
            let actual = version.map_or_else(|| "not encrypted".to_owned(), |version| version.to_string());
            Judged::new(
                "tls version",
                version.is_some_and(|version| version >= *oldest),
                format!("at least {oldest}"),
                actual,
            )
        }
        CheckTest::HttpVersion(version) => {
            let (expected, actual) = (version.as_str(), response.version.as_str());
            Judged::new("http version", expected == actual, expected, actual)
        }
        CheckTest::Foreign(foreign) => judge_foreign(foreign, answer),
        body => body_test(body, response),
    };
    let Judged { what, outcome, expected, actual } = judged;
    Checked { what, at: check.position.clone(), outcome, expected, actual }
}

fn judge_foreign(foreign: &Foreign, answer: &Answer<'_>) -> Judged {
    let Answer { response, json, duration, redirects, .. } = *answer;
    let facts = AnswerFacts { response, json, duration, redirects };
    let judged = foreign.compiled.as_ref().map(|compiled| compiled.judge(&facts));
    let (outcome, actual) = match judged {
        None => (CheckOutcome::Unable, "this host does not bring its language".to_owned()),
        Some(Ok(())) => (CheckOutcome::Pass, "so it is".to_owned()),
        Some(Err(why)) => (CheckOutcome::Fail, keep(&why)),
    };
    Judged { what: foreign.key.as_str().to_owned(), outcome, expected: foreign.shown.clone(), actual }
}

/// Whether a condition on one value holds; nothing where there is none.
pub(crate) fn holds(tests: &[Test], value: Option<&Json>, slots: &Slots) -> bool {
    let nodes: Vec<&Json> = value.into_iter().collect();
    tests.iter().all(|test| holds_for(test, &nodes, true, slots))
}

/// The values that a path finds.
pub(crate) fn find<'a>(path: &Path, json: &'a Json) -> Vec<&'a Json> {
    path.path.query(json).all()
}

/// The values of a header, each a text.
pub(crate) fn header_values(response: &HttpResponse, name: &str) -> Vec<Json> {
    let values = response.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
    let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
    // RFC 9110, section 5.3: several lines are one list. Cookies are the exception.
    match values.as_slice() {
        [] => Vec::new(),
        all if name == "set-cookie" => all.iter().map(|value| Json::from(*value)).collect(),
        all => vec![Json::String(all.join(", "))],
    }
}

/// The value of a cookie that the answer sets; the last one counts.
pub(crate) fn cookie_value<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    let set = response.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
    let pairs = set.filter_map(|(_, value)| name_and_value(value));
    pairs.filter(|(cookie, _)| *cookie == name).map(|(_, value)| value).next_back()
}

/// The beginning of a text, on one line, to be kept until the run is over.
pub(crate) fn keep(text: &str) -> String {
    cut(text, KEPT)
}

/// The beginning of a text, on one line, to be shown. Secrets must be out of it.
pub(crate) fn shorten(text: &str) -> String {
    cut(text, SHOWN)
}

fn cut(text: &str, most: usize) -> String {
    let plain = |c: char| if crate::text::breaks_lines(c) { ' ' } else { c };
    let mut short: String = text.chars().take(most).map(plain).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    short
}

struct Judged {
    what: String,
    outcome: CheckOutcome,
    expected: String,
    actual: String,
}

impl Judged {
    fn new(what: impl Into<String>, held: bool, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        let outcome = if held { CheckOutcome::Pass } else { CheckOutcome::Fail };
        Self { what: what.into(), outcome, expected: expected.into(), actual: actual.into() }
    }
}

fn judge(what: impl Into<String>, test: &Test, nodes: &[&Json], textual: bool, slots: &Slots) -> Judged {
    let held = holds_for(test, nodes, textual, slots);
    let actual = match nodes {
        [] => "nothing".to_owned(),
        [one] => shown(one),
        [first, rest @ ..] => keep(&format!("{} and {} more", shown(first), rest.len())),
    };
    Judged::new(what, held, expected(test, slots), actual)
}

fn shown(value: &Json) -> String {
    keep(&json_text(value))
}

/// Whether one key of a matcher holds. `textual`: the values are text that may stand for numbers.
fn holds_for(test: &Test, nodes: &[&Json], textual: bool, slots: &Slots) -> bool {
    let inner = |tests: &[Test], node: &Json| tests.iter().all(|test| holds_for(test, &[node], textual, slots));
    match &test.kind {
        TestKind::Exists(wanted) => nodes.is_empty() != *wanted,
        // Of nothing, nothing was seen to hold.
        TestKind::All(tests) => !nodes.is_empty() && nodes.iter().all(|node| inner(tests, node)),
        TestKind::Any(tests) => nodes.iter().any(|node| inner(tests, node)),
        TestKind::None(tests) => !nodes.iter().any(|node| inner(tests, node)),
        TestKind::Count(tests) => inner(tests, &Json::from(nodes.len())),
        _ => match nodes {
            [node] => holds_for_one(test, node, textual, slots),
            _ => false,
        },
    }
}

fn holds_for_one(test: &Test, node: &Json, textual: bool, slots: &Slots) -> bool {
    let same = |body: &super::template::Body| body.value(slots).is_ok_and(|wanted| equal(&wanted, node, textual));
    let number = || match node {
        Json::Number(number) => number.as_f64(),
        Json::String(text) if textual => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    let text = || match node {
        Json::String(text) => Some(text.as_str()),
        _ => None,
    };
    match &test.kind {
        TestKind::Equals(body) => same(body),
        TestKind::NotEquals(body) => body.value(slots).is_ok_and(|unwanted| !equal(&unwanted, node, textual)),
        TestKind::OneOf(bodies) => bodies.iter().any(same),
        TestKind::Above(limit) => number().is_some_and(|number| number > *limit),
        TestKind::AtLeast(limit) => number().is_some_and(|number| number >= *limit),
        TestKind::Below(limit) => number().is_some_and(|number| number < *limit),
        TestKind::AtMost(limit) => number().is_some_and(|number| number <= *limit),
        TestKind::Contains(body) => body.value(slots).is_ok_and(|wanted| match node {
            Json::String(text) => text.contains(&as_text(&wanted)),
            Json::Array(items) => items.iter().any(|item| equal(&wanted, item, false)),
            _ => false,
        }),
        TestKind::StartsWith(start) => text().is_some_and(|text| text.starts_with(start)),
        TestKind::EndsWith(end) => text().is_some_and(|text| text.ends_with(end)),
        TestKind::Regex(pattern) => text().is_some_and(|text| pattern.is_match(text)),
        TestKind::Type(wanted) => is_of_type(node, *wanted),
        TestKind::Empty(wanted) => is_empty(node) == Some(*wanted),
        // Judged with all values together.
        TestKind::Exists(_) | TestKind::All(_) | TestKind::Any(_) | TestKind::None(_) | TestKind::Count(_) => {
            holds_for(test, &[node], textual, slots)
        }
    }
}

/// Equality of JSON values, numbers by their value; text from a header also equals the number that it writes.
fn equal(wanted: &Json, node: &Json, textual: bool) -> bool {
    match (wanted, node) {
        (Json::Number(a), Json::Number(b)) => same_number(a, b),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, false)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b, false)))
        }
        (Json::Number(_) | Json::Bool(_), Json::String(text)) if textual => as_text(wanted) == *text,
        _ => wanted == node,
    }
}

fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (a.as_u64(), b.as_u64()) {
        return a == b;
    }
    a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a.total_cmp(&b).is_eq() || a.abs() + b.abs() <= 0.0)
}

pub(crate) fn is_of_type(value: &Json, wanted: JsonType) -> bool {
    if let Some(stood) = value.as_str().and_then(type_behind) {
        return wanted == stood || (wanted, stood) == (JsonType::Number, JsonType::Integer);
    }
    match wanted {
        JsonType::String => value.is_string(),
        JsonType::Number => value.is_number(),
        JsonType::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract().abs() <= 0.0)
        }
        JsonType::Boolean => value.is_boolean(),
        JsonType::Array => value.is_array(),
        JsonType::Object => value.is_object(),
        JsonType::Null => value.is_null(),
    }
}

fn is_empty(value: &Json) -> Option<bool> {
    match value {
        Json::String(text) => Some(text.is_empty()),
        Json::Array(items) => Some(items.is_empty()),
        Json::Object(entries) => Some(entries.is_empty()),
        _ => None,
    }
}

/// What a test asks for, in words.
fn expected(test: &Test, slots: &Slots) -> String {
    let body = |body: &super::template::Body| {
        body.value(slots).map_or_else(|_| "a value that was never set".to_owned(), |value| shown(&value))
    };
    let inner = |tests: &[Test]| tests.iter().map(|test| expected(test, slots)).collect::<Vec<_>>().join(" and ");
    match &test.kind {
        TestKind::Equals(value) => body(value),
        TestKind::NotEquals(value) => format!("not {}", body(value)),
        TestKind::OneOf(values) => values.iter().map(body).collect::<Vec<_>>().join(" or "),
        TestKind::Above(limit) => format!("> {limit}"),
        TestKind::AtLeast(limit) => format!(">= {limit}"),
        TestKind::Below(limit) => format!("< {limit}"),
        TestKind::AtMost(limit) => format!("<= {limit}"),
        TestKind::Contains(value) => format!("contains {}", body(value)),
        TestKind::StartsWith(start) => format!("begins with {start:?}"),
        TestKind::EndsWith(end) => format!("ends with {end:?}"),
        TestKind::Regex(pattern) => format!("matches {}", keep(pattern.as_str())),
        TestKind::Type(wanted) => format!("of type {wanted}"),
        TestKind::Exists(true) => "something".to_owned(),
        TestKind::Exists(false) => "nothing".to_owned(),
        TestKind::Empty(true) => "empty".to_owned(),
        TestKind::Empty(false) => "not empty".to_owned(),
        TestKind::All(tests) => format!("all {}", inner(tests)),
        TestKind::Any(tests) => format!("any {}", inner(tests)),
        TestKind::None(tests) => format!("none {}", inner(tests)),
        TestKind::Count(tests) => format!("count {}", inner(tests)),
    }
}

fn body_test(test: &CheckTest, response: &HttpResponse) -> Judged {
    let bytes = response.body.0.as_slice();
    let text = String::from_utf8_lossy(bytes);
    let cut = if response.truncated { " (cut off)" } else { "" };
    let length = response.bytes();
    let size = || format!("{length} bytes{cut}");
    match test {
        CheckTest::BodyEquals(wanted) => {
            let held = !response.truncated && text == wanted.as_str();
            Judged::new("body", held, format!("{:?}", keep(wanted)), format!("{:?}{cut}", keep(&text)))
        }
        CheckTest::BodyContains(wanted) => {
            let held = text.contains(wanted.as_str());
            Judged::new("body", held, format!("contains {:?}", keep(wanted)), format!("{:?}{cut}", keep(&text)))
        }
        CheckTest::BodyRegex(pattern) => {
            let expected = format!("matches {}", keep(pattern.as_str()));
            Judged::new("body", pattern.is_match(&text), expected, format!("{:?}{cut}", keep(&text)))
        }
        CheckTest::BodyDigest(wanted) => {
            let digest = Digest::of(bytes);
            let held = !response.truncated && digest == *wanted;
            Judged::new("body digest", held, wanted.to_string(), format!("{digest}{cut}"))
        }
        CheckTest::BodyAtLeast(least) => {
            Judged::new("body size", length >= *least, format!(">= {least} bytes"), size())
        }
        CheckTest::BodyAtMost(most) => {
            Judged::new("body size", !response.truncated && length <= *most, format!("<= {most} bytes"), size())
        }
        // The others are no tests of the body.
        _ => Judged::new("body", false, "", ""),
    }
}

fn time(of: Phase, fail_above: Option<Duration>, degraded_above: Option<Duration>, answer: &Answer<'_>) -> Judged {
    let timings = &answer.response.timings;
    let (what, measured) = match of {
        Phase::Whole => ("duration", Some(answer.duration)),
        Phase::Dns => ("phase dns", timings.dns),
        Phase::Connect => ("phase connect", timings.connect),
        Phase::Tls => ("phase tls", timings.tls),
        Phase::Send => ("phase send", timings.send),
        Phase::Wait => ("phase wait", timings.wait),
        Phase::Receive => ("phase receive", timings.receive),
    };
    let above = |limit: Option<Duration>| {
        limit.is_some_and(|limit| measured.is_some_and(|time| time > Micros::from_duration(limit)))
    };
    let outcome = match measured {
        None => CheckOutcome::NotJudged,
        Some(_) if above(fail_above) => CheckOutcome::Fail,
        Some(_) if above(degraded_above) => CheckOutcome::Degraded,
        Some(_) => CheckOutcome::Pass,
    };
    let limit = if outcome == CheckOutcome::Degraded { degraded_above } else { fail_above.or(degraded_above) };
    let expected = limit.map_or_else(String::new, |limit| format!("<= {limit}"));
    let actual = measured.map_or_else(|| "did not take place".to_owned(), |time| time.to_string());
    Judged { what: what.to_owned(), outcome, expected, actual }
}

fn tls_days(fail_below: Option<u64>, degraded_below: Option<u64>, answer: &Answer<'_>) -> Judged {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let chain = answer.response.peer.as_ref().and_then(|peer| peer.tls.as_ref()).map(|tls| tls.chain.as_slice());
    let first = chain.unwrap_or_default().iter().map(|certificate| certificate.not_after).min();
    let days = first.map(|expires| (expires.since(answer.now).millis() / DAY, expires > answer.now));
    let below =
        |limit: Option<u64>| limit.is_some_and(|limit| days.is_some_and(|(days, valid)| days < limit || !valid));
    let outcome = match days {
        None => CheckOutcome::Fail,
        Some(_) if below(fail_below) => CheckOutcome::Fail,
        Some(_) if below(degraded_below) => CheckOutcome::Degraded,
        Some(_) => CheckOutcome::Pass,
    };
    let limit = if outcome == CheckOutcome::Degraded { degraded_below } else { fail_below.or(degraded_below) };
    let actual = match days {
        None => "no certificate".to_owned(),
        Some((_, false)) => "expired".to_owned(),
        Some((days, true)) => format!("{days} days"),
    };
    let expected = limit.map_or_else(String::new, |limit| format!(">= {limit} days"));
    Judged { what: "tls expiry".to_owned(), outcome, expected, actual }
}
