//! What was seen of a change window.

use serde::{Deserialize, Serialize};

use crate::calendar::{Effect, Span};
use crate::document::CalendarScope;
use crate::{Instant, Name, Text};

/// A change window or freeze that concerns the release, at the time of the decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeWindow {
    /// `calendar/window`.
    pub window: Name,
    /// Who decides the calendar.
    pub scope: CalendarScope,
    /// What it means while it is open.
    pub effect: Effect,
    /// Whether nothing passes it.
    pub hard: bool,
    /// The span in which it is open now.
    pub open: Option<Span>,
    /// When it begins, ends or changes next.
    pub changes: Option<Instant>,
    /// What it does to this request.
    pub role: WindowRole,
    /// Why it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// Who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text>,
    /// Where it was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Text>,
}

/// What a window does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WindowRole {
    /// It stands in the way.
    Blocks,
    /// It is an open allow window.
    Allows,
    /// It would stand in the way, and does not concern this class of change.
    Exempts,
    /// It does not gate what is asked.
    NotGated,
    /// It does not exist yet, or no longer.
    NotValid,
    /// It changes nothing now.
    Silent,
}
