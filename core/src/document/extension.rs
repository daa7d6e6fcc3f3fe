//! What OpenSLO v1 cannot say, as annotations of its documents.

use super::decode::{Named, Report, Spanned};
use super::diagnostic::{DiagnosticCode as Code, did_you_mean, shown};
use crate::slo::{Guards, Mode, Scaling};
use crate::{Count, Duration, Share};

/// What every key of ours begins with.
const PREFIX: &str = "davy/";
/// The keys of an SLO.
const OF_SLO: [&str; 8] = [
    "davy/scaling",
    "davy/coverage",
    "davy/staleness",
    "davy/minEvents",
    "davy/minErrors",
    "davy/confidence",
    "davy/sparseErrors",
    "davy/increase",
];
/// The keys of an alert condition.
const OF_CONDITION: [&str; 1] = ["davy/shortWindow"];

/// davy's extensions of an OpenSLO `SLO`: annotations in its `metadata`, all of them text.
///
/// | annotation | value | default |
/// |---|---|---|
/// | `davy/scaling` | `thresholds`, or `windows` for budgets shorter than two weeks: how the Workbook's pairs fit the period | `thresholds` |
/// | `davy/coverage` | the least part of the expected samples with which a window can be called calm | `90%` |
/// | `davy/staleness` | the oldest that the newest sample may be | `5m` |
/// | `davy/minEvents` | the fewest events of a burning window | `"0"` |
/// | `davy/minErrors` | the fewest bad events of a burning window | `"2"` |
/// | `davy/confidence` | how sure it must be that the ratio exceeds the limit | `95%` |
/// | `davy/sparseErrors` | `"true"` where the series of bad events is missing until there is one | `"false"` |
/// | `davy/increase` | how counters become events: `exact`, `prometheus2` or `prometheus3` | `exact` |
///
/// An `AlertCondition` may have `davy/shortWindow`, the second window of its pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extensions {
    /// How the Workbook's pairs fit the period.
    pub scaling: Scaling,
    /// What an answer must rest on.
    pub guards: Guards,
    /// Whether missing bad events are zero while all events are there and fresh.
    pub sparse_errors: bool,
    /// How counters become events.
    pub increase: Mode,
}

impl Default for Extensions {
    fn default() -> Self {
        Self { scaling: Scaling::Thresholds, guards: Guards::default(), sparse_errors: false, increase: Mode::Exact }
    }
}

impl Extensions {
    /// Reads the annotations of an SLO; those of others are none of our business.
    pub(crate) fn read(annotations: Option<&Named<Spanned<String>>>, report: &mut Report) -> Self {
        let mut read = Self::default();
        for (key, text) in ours(annotations, &OF_SLO, report) {
            let value = text.value.as_str();
            let guards = &mut read.guards;
            let expected = match key {
                "davy/scaling" => set(&mut read.scaling, scaling(value), "`thresholds` or `windows`"),
                "davy/coverage" => set(&mut guards.coverage, value.parse().ok(), "a percentage such as `90%`"),
                "davy/staleness" => set(&mut guards.staleness, value.parse().ok().map(Some), "a duration such as `5m`"),
                "davy/minEvents" => set(&mut guards.events, count(value), "a whole number in quotes"),
                "davy/minErrors" => set(&mut guards.errors, count(value), "a whole number in quotes"),
                "davy/confidence" => set(&mut guards.confidence, confidence(value), "a percentage below `100%`"),
                "davy/sparseErrors" => set(&mut read.sparse_errors, value.parse().ok(), "`\"true\"` or `\"false\"`"),
                _ => set(&mut read.increase, mode(value), "`exact`, `prometheus2` or `prometheus3`"),
            };
            refuse(expected, text, report);
        }
        read
    }

    /// Reads the second window of an alert condition's pair, if it is given.
    pub(crate) fn short_window(
        annotations: Option<&Named<Spanned<String>>>,
        report: &mut Report,
    ) -> Option<Spanned<Duration>> {
        let mut short = None;
        for (_, text) in ours(annotations, &OF_CONDITION, report) {
            let window = text.value.parse().ok().map(|value| Spanned { value, position: text.position.clone() });
            refuse(set(&mut short, window.map(Some), "a duration such as `5m`"), text, report);
        }
        short
    }

    /// Reports every annotation of ours where none has a meaning.
    pub(crate) fn none(annotations: &Named<Spanned<String>>, report: &mut Report) {
        ours(Some(annotations), &[], report);
    }
}

/// Our annotations; unknown ones are reported.
fn ours<'a>(
    annotations: Option<&'a Named<Spanned<String>>>,
    known: &[&str],
    report: &mut Report,
) -> Vec<(&'a str, &'a Spanned<String>)> {
    let mut ours = Vec::new();
    for (name, text) in annotations.into_iter().flat_map(|annotations| &annotations.0) {
        let key = name.value.as_str();
        if known.contains(&key) {
            ours.push((key, text));
        } else if key.starts_with(PREFIX) {
            let hint = did_you_mean(key, known.iter().copied()).unwrap_or_else(|| match known {
                [] => "only an SLO and an AlertCondition have extensions".to_owned(),
                known => format!("known here: {}", known.join(", ")),
            });
            report.error(Code::UnknownKey, &name.position, format!("unknown extension `{}`", shown(key)), hint);
        }
    }
    ours
}

/// Sets what could be read; otherwise says what was expected.
fn set<T>(slot: &mut T, read: Option<T>, expected: &'static str) -> Option<&'static str> {
    match read {
        Some(value) => {
            *slot = value;
            None
        }
        None => Some(expected),
    }
}

fn refuse(expected: Option<&'static str>, text: &Spanned<String>, report: &mut Report) {
    if let Some(expected) = expected {
        let message = format!("expected {expected}, found `{}`", shown(&text.value));
        report.error(Code::BadValue, &text.position, message, None);
    }
}

fn scaling(text: &str) -> Option<Scaling> {
    match text {
        "thresholds" => Some(Scaling::Thresholds),
        "windows" => Some(Scaling::Windows),
        _ => None,
    }
}

fn mode(text: &str) -> Option<Mode> {
    match text {
        "exact" => Some(Mode::Exact),
        "prometheus2" => Some(Mode::Prometheus2),
        "prometheus3" => Some(Mode::Prometheus3),
        _ => None,
    }
}

fn count(text: &str) -> Option<Count> {
    text.parse().ok().and_then(|number: u64| Count::new(number).ok())
}

fn confidence(text: &str) -> Option<Share> {
    text.parse().ok().filter(|share| *share < Share::ALL)
}
