//! Sentences about change windows.

use crate::Text;
use crate::calendar::{Effect, Ruling, Turn};
use crate::decision::{ChangeWindow, WindowRole};
use crate::gate::ChangeOutlook;

/// Whether a change may go on, why, and when that turns: one sentence without a full stop.
#[must_use]
pub fn change_sentence(outlook: &ChangeOutlook) -> String {
    let ChangeOutlook { ruling, turns, windows, .. } = outlook;
    if ruling.is_open() { open(*ruling, *turns, windows) } else { closed(*ruling, *turns, windows) }
}

/// Why a change may go on, or not: the same without when that turns.
#[must_use]
pub fn change_reason(outlook: &ChangeOutlook) -> String {
    let ChangeOutlook { ruling, windows, .. } = outlook;
    if ruling.is_open() { why_open(*ruling, windows) } else { why_closed(*ruling, windows) }
}

/// A release that may go on, and until when.
pub(super) fn open(ruling: Ruling, turns: Turn, windows: &[ChangeWindow]) -> String {
    let until = match turns {
        Turn::At { at, .. } => format!("; that ends at {at}"),
        Turn::Never | Turn::NotBefore(_) => String::new(),
    };
    format!("{}{until}", why_open(ruling, windows))
}

/// A release that may not go on, and from when on it may.
pub(super) fn closed(ruling: Ruling, turns: Turn, windows: &[ChangeWindow]) -> String {
    let until = match turns {
        Turn::At { at, .. } => format!("it may go on at {at}"),
        Turn::Never => "no window ever opens again".to_owned(),
        Turn::NotBefore(at) => format!("it does not open before {at}"),
    };
    format!("{}; {until}", why_closed(ruling, windows))
}

fn why_open(ruling: Ruling, windows: &[ChangeWindow]) -> String {
    match ruling {
        Ruling::Within => format!("within {}", listed(windows, WindowRole::Allows)),
        Ruling::Manual => "a person asks for it, and the windows in the way let that pass".to_owned(),
        Ruling::Overrun => "it began when it could have, and the windows in the way let it finish".to_owned(),
        _ if windows.is_empty() => "no change window concerns the release".to_owned(),
        _ => "no freeze is on".to_owned(),
    }
}

fn why_closed(ruling: Ruling, windows: &[ChangeWindow]) -> String {
    let blocks = listed(windows, WindowRole::Blocks);
    match ruling {
        Ruling::Outside => format!("outside {blocks}"),
        Ruling::HardFrozen => format!("frozen without exceptions by {blocks}"),
        _ => format!("frozen by {blocks}"),
    }
}

/// The windows of one role, each with its reason and who is responsible.
fn listed(windows: &[ChangeWindow], role: WindowRole) -> String {
    let mut listed: Vec<String> = windows.iter().filter(|window| window.role == role).map(one).collect();
    let more = listed.len().saturating_sub(3);
    listed.truncate(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", listed.join(", "))
}

fn one(window: &ChangeWindow) -> String {
    let until = match (window.effect, window.open) {
        (Effect::Deny, Some(span)) => Some(format!("until {}", span.end)),
        _ => None,
    };
    let text = |before: &str, text: &Option<Text>| text.as_ref().map(|text| format!("{before}{text}"));
    let notes = [until, text("", &window.reason), text("owner ", &window.owner), text("", &window.ticket)];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    match notes.is_empty() {
        true => format!("`{}`", window.window),
        false => format!("`{}` ({})", window.window, notes.join(", ")),
    }
}
