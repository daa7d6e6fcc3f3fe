//! What change windows hold in store: how a change fares from now on, and when each window is open.

use serde::Serialize;
use thiserror::Error;

use crate::calendar::{Change, Effect, Span, TZDB_VERSION};
use crate::document::CalendarScope;
use crate::engine::Engine;
use crate::gate::ChangeOutlook;
use crate::gate::calendar::{asked, whom};
use crate::policy::{Concerns, PlannedWindow, Whom};
use crate::snapshot::{Release, Snapshot};
use crate::{Instant, Name, Text, render};

/// A list that would be longer than it may be. None is ever cut: what is missing could be the freeze that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there are more than {most} stretches of time until then: ask for an earlier end")]
pub struct AgendaTooLong {
    /// The most that it may hold.
    pub most: usize,
}

/// Why an engine does not tell what change windows hold in store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AgendaError {
    /// The release is one of another service.
    #[error("the policy is about the service `{expected}`, not about `{service}`")]
    UnknownService {
        /// The release's.
        service: Name,
        /// The policy's.
        expected: Name,
    },
    /// The policy says nothing of the release's environment.
    #[error("the policy has no environment `{environment}`")]
    UnknownEnvironment {
        /// The release's.
        environment: Name,
    },
    /// The list would be too long.
    #[error(transparent)]
    TooLong(#[from] AgendaTooLong),
}

/// What every window that concerns a change does to it at an instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedChange {
    /// When it is looked at.
    pub at: Instant,
    /// One sentence about it all, without a full stop.
    pub sentence: String,
    /// The version of the zone database.
    pub tzdb: &'static str,
    /// What the windows say, one by one.
    #[serde(flatten)]
    pub outlook: ChangeOutlook,
}

impl ExplainedChange {
    /// Explains what these windows do to a change.
    #[must_use]
    pub fn of<'a>(
        windows: impl IntoIterator<Item = &'a PlannedWindow>,
        whom: Whom<'_>,
        change: &Change<'_>,
        at: Instant,
    ) -> Self {
        let outlook = ChangeOutlook::of(windows, whom, change, at);
        Self { at, sentence: render::change_sentence(&outlook), tzdb: TZDB_VERSION, outlook }
    }
}

/// From an instant on, until the next stretch, whether a change may go on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeStretch {
    /// When it begins.
    pub from: Instant,
    /// Whether the change may go on. Where it is unclear whom windows concern, a decision would hold.
    pub open: bool,
    /// Why, in one sentence without a full stop.
    pub why: String,
    /// What the windows say, one by one.
    #[serde(flatten)]
    pub outlook: ChangeOutlook,
}

impl ChangeStretch {
    /// No list of stretches is longer.
    pub const MOST: usize = 10_000;

    /// How a change fares from `from` on: every turn up to `until`; without it, the next opening and when that closes.
    ///
    /// # Errors
    /// [`AgendaTooLong`] where the list would be longer than [`ChangeStretch::MOST`].
    pub fn all<'a>(
        windows: impl IntoIterator<Item = &'a PlannedWindow>,
        whom: Whom<'_>,
        change: &Change<'_>,
        from: Instant,
        until: Option<Instant>,
    ) -> Result<Vec<Self>, AgendaTooLong> {
        let windows: Vec<&PlannedWindow> = windows.into_iter().collect();
        let mut found: Vec<Self> = Vec::new();
        let mut next = Some(from);
        while let Some(from) = next {
            if found.len() >= Self::MOST {
                return Err(AgendaTooLong { most: Self::MOST });
            }
            let outlook = ChangeOutlook::of(windows.iter().copied(), whom, change, from);
            next = outlook.turns.at().filter(|at| match until {
                Some(until) => *at < until,
                None => found.len() < 2,
            });
            let open = outlook.ruling.is_open() && outlook.unclear.is_empty();
            found.push(Self { from, open, why: render::change_reason(&outlook), outlook });
        }
        Ok(found)
    }
}

/// A stretch of time in which a window is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowSpan {
    /// `calendar/window`.
    pub window: Name,
    /// Whether changes may go on in it, or not.
    pub kind: Effect,
    /// Whether nothing passes it but an override by name.
    pub hard: bool,
    /// When it opens.
    pub start: Instant,
    /// When it closes.
    pub end: Instant,
    /// Who set it up.
    pub scope: CalendarScope,
    /// What it depends on whether the window concerns the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unclear: Option<String>,
    /// Why it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Who is responsible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text>,
    /// Where it was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Text>,
}

impl WindowSpan {
    /// No list of spans is longer.
    pub const MOST: usize = 20_000;

    /// When the windows that concern a change, or may, are open between two instants: in order of time.
    ///
    /// # Errors
    /// [`AgendaTooLong`] where the list would be longer than [`WindowSpan::MOST`].
    pub fn all<'a>(
        windows: impl IntoIterator<Item = &'a PlannedWindow>,
        whom: Whom<'_>,
        from: Instant,
        until: Instant,
    ) -> Result<Vec<Self>, AgendaTooLong> {
        let mut found = Vec::new();
        for plan in windows {
            let unclear = match plan.concerns(whom) {
                Concerns::No => continue,
                Concerns::Unknown(missing) => Some(missing),
                Concerns::Yes => None,
            };
            for span in plan.window().spans(from, until) {
                if found.len() >= Self::MOST {
                    return Err(AgendaTooLong { most: Self::MOST });
                }
                found.push(Self::new(plan, span, unclear.clone()));
            }
        }
        found.sort_by(|a, b| (a.start, a.end, &a.window).cmp(&(b.start, b.end, &b.window)));
        Ok(found)
    }

    fn new(plan: &PlannedWindow, Span { start, end }: Span, unclear: Option<String>) -> Self {
        Self {
            window: plan.id(),
            kind: plan.window().effect,
            hard: plan.window().hard,
            start,
            end,
            scope: plan.scope(),
            unclear,
            reason: plan.reason().cloned(),
            owner: plan.owner().cloned(),
            ticket: plan.ticket().cloned(),
        }
    }
}

impl Engine {
    /// What change windows do to what a snapshot asks; nothing for `keep`, which no window is in the way of.
    ///
    /// A decision from the same snapshot holds for the same windows.
    ///
    /// # Errors
    /// [`AgendaError`] for a service or an environment that the policy says nothing of; a decision holds there.
    pub fn explain_windows(&self, snapshot: &Snapshot) -> Result<Option<ExplainedChange>, AgendaError> {
        let windows = self.windows_for(&snapshot.release)?;
        let asked = asked(snapshot);
        Ok(asked.map(|(whom, change)| ExplainedChange::of(windows, whom, &change, snapshot.now)))
    }

    /// How what a snapshot asks fares from its time on: every turn up to `until`; without it, the next opening and when
    /// that closes. Nothing for `keep`.
    ///
    /// # Errors
    /// [`AgendaError`] for a service or an environment that the policy says nothing of, and where the list would be
    /// longer than [`ChangeStretch::MOST`].
    pub fn next_windows(&self, snapshot: &Snapshot, until: Option<Instant>) -> Result<Vec<ChangeStretch>, AgendaError> {
        let windows = self.windows_for(&snapshot.release)?;
        let Some((whom, change)) = asked(snapshot) else { return Ok(Vec::new()) };
        Ok(ChangeStretch::all(windows, whom, &change, snapshot.now, until)?)
    }

    /// When the windows that concern a snapshot's release, or may, are open from its time on: in order of time.
    ///
    /// # Errors
    /// [`AgendaError`] for a service or an environment that the policy says nothing of, and where the list would be
    /// longer than [`WindowSpan::MOST`].
    pub fn list_windows(&self, snapshot: &Snapshot, until: Instant) -> Result<Vec<WindowSpan>, AgendaError> {
        let windows = self.windows_for(&snapshot.release)?;
        Ok(WindowSpan::all(windows, whom(snapshot), snapshot.now, until)?)
    }

    /// The windows that the release may be held by.
    fn windows_for(&self, release: &Release) -> Result<impl Iterator<Item = &PlannedWindow>, AgendaError> {
        if release.service != *self.service() {
            let (service, expected) = (release.service.clone(), self.service().clone());
            return Err(AgendaError::UnknownService { service, expected });
        }
        if self.policy(&release.environment).is_none() {
            return Err(AgendaError::UnknownEnvironment { environment: release.environment.clone() });
        }
        Ok(self.windows(&release.environment))
    }
}
