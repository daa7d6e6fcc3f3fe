//! A Prometheus that knows just enough: raw samples of selectors, and what time it is.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use super::server::{Play, Request, Server};

/// Series by name and labels, each with samples of second and value.
#[derive(Clone, Default)]
pub(crate) struct Store(Arc<Mutex<Vec<Stored>>>);

#[derive(Clone)]
struct Stored {
    labels: Vec<(String, String)>,
    /// Second since the epoch, and the value as the API writes it; a native histogram is an object.
    samples: Vec<(i64, String)>,
}

impl Store {
    /// Adds a series such as `up{job="a"}`.
    pub(crate) fn add<V: ToString>(&self, series: &str, samples: impl IntoIterator<Item = (i64, V)>) -> &Self {
        let (name, matchers) = parsed(series);
        let mut labels = vec![("__name__".to_owned(), name)];
        labels.extend(matchers.into_iter().map(|(label, _, value)| (label, value)));
        let samples = samples.into_iter().map(|(second, value)| (second, value.to_string())).collect();
        self.0.lock().unwrap().push(Stored { labels, samples });
        self
    }

    pub(crate) fn serve(&self) -> Server {
        let store = self.clone();
        Server::start(move |request| store.answer(request))
    }

    pub(crate) fn answer(&self, request: &Request) -> Play {
        let query = request.form["query"].as_str();
        if query == "time()" {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
            return Play::json(format!(
                r#"{{"status":"success","data":{{"resultType":"scalar","result":[{now},"{now}"]}}}}"#
            ));
        }
        let inner = query.strip_prefix("last_over_time(").and_then(|rest| rest.strip_suffix(')'));
        let range = inner.unwrap_or(query).rsplit_once('[');
        let range =
            range.and_then(|(selector, range)| Some((selector, range.strip_suffix("s]")?.parse::<f64>().ok()?)));
        let Some((selector, length)) = range else {
            return Play::status(400, r#"{"status":"error","errorType":"bad_data","error":"only ranges here"}"#);
        };
        let end: f64 = request.form["time"].parse().unwrap();
        let (name, matchers) = parsed(selector);
        let mut result = Vec::new();
        for stored in &*self.0.lock().unwrap() {
            let value = |label: &str| {
                stored.labels.iter().find(|(known, _)| known == label).map_or("", |(_, value)| value.as_str())
            };
            let fits = matchers.iter().all(|(label, how, wanted)| match how.as_str() {
                "=" => value(label) == wanted,
                "!=" => value(label) != wanted,
                "=~" => is_like(value(label), wanted),
                _ => !is_like(value(label), wanted),
            });
            #[expect(clippy::cast_precision_loss, reason = "seconds")]
            let inside = stored.samples.iter().filter(|(second, _)| (end - length..=end).contains(&(*second as f64)));
            let (histograms, values): (Vec<_>, Vec<_>) = inside.partition(|(_, value)| value.starts_with('{'));
            let histograms: Vec<String> = histograms.iter().map(|(second, it)| format!("[{second},{it}]")).collect();
            let values: Vec<String> = values.iter().map(|(second, it)| format!("[{second},\"{it}\"]")).collect();
            if value("__name__") == name && fits && !(values.is_empty() && histograms.is_empty()) {
                let labels: Vec<String> = stored.labels.iter().map(|(l, v)| format!("\"{l}\":\"{v}\"")).collect();
                let (labels, values, histograms) = (labels.join(","), values.join(","), histograms.join(","));
                let last = |all: &str| all.rsplit_once(",[").map_or(all.to_owned(), |(_, last)| format!("[{last}"));
                let samples = match (inner, histograms.is_empty()) {
                    (None, _) => format!(r#""values":[{values}],"histograms":[{histograms}]"#),
                    (Some(_), true) => format!(r#""value":{}"#, last(&values)),
                    (Some(_), false) => {
                        let last = histograms.rfind(",[1").map_or(&*histograms, |place| &histograms[place + 1..]);
                        format!(r#""histogram":{last}"#)
                    }
                };
                result.push(format!(r#"{{"metric":{{{labels}}},{samples}}}"#));
            }
        }
        let mut json = String::new();
        let (kind, result) = (if inner.is_some() { "vector" } else { "matrix" }, result.join(","));
        write!(json, r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{result}]}}}}"#).unwrap();
        Play::json(json)
    }
}

/// The name and matchers of a selector.
fn parsed(text: &str) -> (String, Vec<(String, String, String)>) {
    let Some((name, rest)) = text.split_once('{') else { return (text.to_owned(), Vec::new()) };
    let mut matchers = Vec::new();
    let mut rest = rest.strip_suffix('}').unwrap();
    while !rest.is_empty() {
        let (left, after) = rest.split_once('"').unwrap();
        let label = left.trim_end_matches(['=', '~', '!']);
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().unwrap() {
                (_, '\\') => value.push(chars.next().unwrap().1),
                (place, '"') => break place,
                (_, c) => value.push(c),
            }
        };
        matchers.push((label.to_owned(), left[label.len()..].to_owned(), value));
        rest = after[end + 1..].trim_start_matches(',');
    }
    (name.to_owned(), matchers)
}

/// Alternatives of characters, dots and escapes: as much of a regular expression as the tests need.
fn is_like(text: &str, pattern: &str) -> bool {
    pattern.split('|').any(|alternative| {
        let mut wanted = alternative.chars();
        let mut given = text.chars();
        loop {
            match wanted.next() {
                None => return given.next().is_none(),
                Some('.') => {
                    if given.next().is_none() {
                        return false;
                    }
                }
                Some('\\') => {
                    if given.next() != wanted.next() {
                        return false;
                    }
                }
                Some(c) => {
                    if given.next() != Some(c) {
                        return false;
                    }
                }
            }
        }
    })
}
