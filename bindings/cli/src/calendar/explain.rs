//! `davy calendar explain`: every window that concerns a change, and what it does to it.

use davy::calendar::Effect;
use davy::{ChangeWindow, ExplainedChange, WindowRole};

use super::clock;
use super::next::{ChangeArgs, note_unclear};
use super::which::WhichArgs;
use crate::policy::columns;
use crate::terminal::Format;
use crate::{Ended, terminal};

/// Say what every window does to a change at an instant, and who is responsible
///
/// Exit codes: 0 it may go on, 3 it is held, 1 error, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    change: ChangeArgs,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Ended {
    let which = args.which.read()?;
    let explained = ExplainedChange::of(which.all(), which.whom(), &args.change.change(), which.at);
    let answer = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&explained)?),
        Format::Text => text(&explained, args),
    };
    terminal::print(&answer)?;
    Ok(note_unclear(&explained.outlook))
}

fn text(explained: &ExplainedChange, args: &Args) -> String {
    let zone = &args.which.zone;
    let verdict = match (explained.outlook.ruling.is_open(), explained.outlook.unclear.is_empty()) {
        (true, true) => "may go on",
        (true, false) => "is held as long as it is unclear whom windows concern, and otherwise may go on",
        (false, _) => "is held",
    };
    let at = clock::shown(zone, explained.at);
    let mut text = format!("At {at} the change {verdict}: {}\n", terminal::printable(&explained.sentence));
    if !explained.outlook.windows.is_empty() {
        let head = ["window", "kind", "now", "open", "changes", "why"].map(str::to_owned);
        let row = |window: &ChangeWindow| {
            let open = window.open.map_or("-".to_owned(), |span| {
                format!("{} … {}", clock::shown(zone, span.start), clock::shown(zone, span.end))
            });
            let changes = window.changes.map_or("never".to_owned(), |at| clock::shown(zone, at));
            [
                window.window.to_string(),
                kind(window.effect, window.hard).to_owned(),
                does(window.role).to_owned(),
                open,
                changes,
                notes(window),
            ]
        };
        let rows: Vec<_> = explained.outlook.windows.iter().map(row).collect();
        text += "\n";
        text += &columns(&head, &rows);
    }
    text
}

pub(super) const fn kind(effect: Effect, hard: bool) -> &'static str {
    match (effect, hard) {
        (Effect::Allow, _) => "allow",
        (Effect::Deny, false) => "deny",
        (Effect::Deny, true) => "deny, hard",
    }
}

const fn does(role: WindowRole) -> &'static str {
    match role {
        WindowRole::Blocks => "in the way",
        WindowRole::Allows => "allows it",
        WindowRole::Exempts => "exempts its class",
        WindowRole::NotGated => "gates other things",
        WindowRole::NotValid => "not in force",
        WindowRole::Silent => "silent",
    }
}

fn notes(window: &ChangeWindow) -> String {
    let owner = window.owner.as_ref().map(|owner| format!("owner {owner}"));
    let text = |text: &Option<davy::Text>| text.as_ref().map(ToString::to_string);
    let notes = [text(&window.reason), owner, text(&window.ticket)];
    terminal::printable(&notes.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
