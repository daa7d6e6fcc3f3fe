//! The snapshot of a look, put together from what it begins with, what differs and what was observed.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_json::Value as Json;

use super::PolicyTests;
use crate::document::data::{Data, Traced};
use crate::document::decode::Report;
use crate::document::diagnostic::{DiagnosticCode as Code, Position, did_you_mean, shown};
use crate::document::{SharedSnapshot, Spanned, TestCase, TestLook, TestSpan};
use crate::engine::Engine;
use crate::snapshot::{Cohort, Interval, Observation, SloWindow, Snapshot, SnapshotError, read};
use crate::{Duration, Instant, Name};

/// More intervals than this in one span are a slip.
const MOST_INTERVALS: u64 = 10_000;

/// What a document says about one snapshot.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) file: Option<&'a Spanned<String>>,
    pub(super) snapshot: Option<&'a Spanned<Data>>,
    pub(super) from: Option<&'a Spanned<Name>>,
    patch: Option<&'a Spanned<Data>>,
    pub(super) spans: Option<&'a Vec<TestSpan>>,
    windows: Option<&'a Spanned<Vec<Data>>>,
    at: Option<&'a Spanned<Duration>>,
}

macro_rules! view_of {
    ($($Record:ty),*) => { $(
        impl<'a> From<&'a $Record> for View<'a> {
            fn from(record: &'a $Record) -> Self {
                Self {
                    file: record.file.as_ref(),
                    snapshot: record.snapshot.as_ref(),
                    from: record.from.as_ref(),
                    patch: record.patch.as_ref(),
                    spans: record.intervals.as_ref().map(|spans| &spans.value),
                    windows: record.slos.as_ref(),
                    at: record.at.as_ref(),
                }
            }
        }
    )* };
}
view_of!(SharedSnapshot, TestCase, TestLook);

impl<'a> View<'a> {
    /// Where the first thing that it says stands.
    pub(super) fn position(self) -> Option<&'a Position> {
        let spans = self.spans.and_then(|spans| spans.first()).map(|span| &span.position);
        let data = [self.snapshot, self.patch].into_iter().flatten().map(|data| &data.position);
        let given = [
            self.file.map(|file| &file.position),
            self.from.map(|from| &from.position),
            self.at.map(|at| &at.position),
            self.windows.map(|windows| &windows.position),
            spans,
        ];
        given.into_iter().flatten().chain(data).min()
    }
}

/// Puts snapshots together.
pub(super) struct Scenes<'a> {
    engine: &'a Engine,
    files: &'a BTreeMap<String, Vec<u8>>,
    shared: BTreeMap<&'a Name, Result<Snapshot, Vec<crate::Diagnostic>>>,
}

impl<'a> Scenes<'a> {
    /// With the snapshots that the tests share.
    pub(super) fn new(tests: &'a PolicyTests, engine: &'a Engine, files: &'a BTreeMap<String, Vec<u8>>) -> Self {
        let mut scenes = Self { engine, files, shared: BTreeMap::new() };
        for (name, shared) in tests.shared() {
            let snapshot = scenes.snapshot(View::from(shared), None);
            scenes.shared.insert(&name.value, snapshot);
        }
        scenes
    }

    /// The snapshot of a view, or what is wrong with it. `before` is that of the look before it.
    pub(super) fn snapshot(
        &self,
        view: View<'_>,
        before: Option<&Snapshot>,
    ) -> Result<Snapshot, Vec<crate::Diagnostic>> {
        let mut report = Report::default();
        if let Some(Err(wrong)) = view.from.and_then(|from| self.shared.get(&from.value)) {
            return Err(wrong.clone());
        }
        self.build(view, before, &mut report).ok_or(report.diagnostics)
    }

    fn build(&self, view: View<'_>, before: Option<&Snapshot>, report: &mut Report) -> Option<Snapshot> {
        let base = match (view.file, view.snapshot, view.from) {
            (Some(file), ..) => self.file(file, report)?,
            (_, Some(data), _) => read_traced(&data.value.traced(), &data.position, report)?,
            (_, _, Some(from)) => self.shared.get(&from.value)?.as_ref().ok()?.clone(),
            _ => before?.clone(),
        };
        let mut snapshot = match view.patch {
            Some(patch) => {
                // Plain data with finite numbers: nothing of it has no JSON.
                let base = serde_json::to_value(&base).unwrap_or(Json::Null);
                read_traced(&patch.value.patched_onto(&base), &patch.position, report)?
            }
            None => base,
        };
        if let Some(at) = view.at {
            snapshot.now = snapshot.release.started_at.plus(at.value);
        }
        for span in view.spans.into_iter().flatten() {
            self.observe(span, &mut snapshot, report)?;
        }
        for data in view.windows.iter().flat_map(|windows| &windows.value) {
            let window: SloWindow = read_traced(&data.traced(), &view.windows?.position, report)?;
            snapshot.slos.retain(|known| key(known) != key(&window));
            snapshot.slos.push(window);
        }
        Some(snapshot)
    }

    fn file(&self, file: &Spanned<String>, report: &mut Report) -> Option<Snapshot> {
        let Some(bytes) = self.files.get(&file.value) else {
            let hint = did_you_mean(&file.value, self.files.keys().map(String::as_str))
                .unwrap_or_else(|| "paths are seen from the folder of this file".to_owned());
            report.error(Code::TestFile, &file.position, format!("there is no file `{}`", shown(&file.value)), hint);
            return None;
        };
        let refused = |cause: SnapshotError| {
            let to_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let file = file.value.as_str().into();
            refuse(&cause, &Position { file, line: to_u32(cause.line), column: to_u32(cause.column) }, report);
        };
        Snapshot::from_json(bytes).map_err(refused).ok()
    }

    /// Puts the observations of a span into the snapshot's intervals.
    fn observe(&self, span: &TestSpan, snapshot: &mut Snapshot, report: &mut Report) -> Option<()> {
        let environment = &snapshot.release.environment;
        let Some(every) = self.engine.every(environment) else {
            let message =
                format!("the policy has no environment `{environment}`, so it is not known how long intervals are");
            report.error(Code::Name, &span.position, message, None);
            return None;
        };
        let observed: Option<Vec<Observation>> = span
            .observations
            .value
            .iter()
            .map(|data| read_traced(&data.traced(), &span.observations.position, report))
            .collect();
        let observed = observed?;
        let started = snapshot.release.started_at;
        let [from, to] = [&span.from, &span.to].map(|offset| started.plus(offset.value).millis());
        let (first, last) = (from.div_ceil(every.millis().max(1)), to / every.millis().max(1));
        if first >= last {
            let message = format!("no interval of {every} lies between {} and {}", span.from.value, span.to.value);
            let hint =
                format!("intervals begin at whole multiples of {every} on the clock; the release began at {started}");
            report.error(Code::Range, &span.position, message, hint);
            return None;
        }
        if last - first > MOST_INTERVALS {
            let message = format!("the span holds {} intervals; at most {MOST_INTERVALS} are made", last - first);
            report.error(Code::Budget, &span.position, message, "shorten it".to_owned());
            return None;
        }
        for slot in first..last {
            let start = Instant::EPOCH.plus(every.times(slot));
            match with(snapshot, start, start.plus(every), &observed) {
                Ok(()) => {}
                Err(cause) => {
                    report.error(Code::TestSnapshot, &span.observations.position, cause.to_string(), None);
                    return None;
                }
            }
        }
        Some(())
    }
}

/// What a window is about.
fn key(window: &SloWindow) -> (&Name, NonZeroU32, Option<Cohort>, Instant, Instant) {
    (&window.slo, window.objective, window.cohort, window.from, window.end)
}

/// Puts observations into the interval from `start` to `end`, which is added where it is missing.
fn with(
    snapshot: &mut Snapshot,
    start: Instant,
    end: Instant,
    observed: &[Observation],
) -> Result<(), crate::IntervalError> {
    let known = snapshot.intervals.iter_mut().find(|known| (known.start(), known.end()) == (start, end));
    let replaced =
        |old: &&Observation| observed.iter().any(|new| (&new.metric, new.cohort) == (&old.metric, old.cohort));
    let kept = known.iter().flat_map(|known| known.observations()).filter(|old| !replaced(old));
    let interval = Interval::new(start, end, kept.chain(observed).cloned().collect())?;
    match known {
        Some(known) => *known = interval,
        None => snapshot.intervals.push(interval),
    }
    Ok(())
}

/// Reads data that a document holds; what is wrong with it is reported where it stands.
fn read_traced<T: serde::de::DeserializeOwned>(traced: &Traced, whole: &Position, report: &mut Report) -> Option<T> {
    read(traced.bytes()).map_err(|cause| refuse(&cause, traced.place(cause.column).unwrap_or(whole), report)).ok()
}

fn refuse(cause: &SnapshotError, position: &Position, report: &mut Report) {
    report.error(Code::TestSnapshot, position, format!("{}: {}", cause.code, cause.message), cause.hint.clone());
}
