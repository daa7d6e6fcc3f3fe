//! `davy calendar list`: the coming weeks, for people, programs and calendar applications.

use clap::ValueEnum;
use davy::calendar::{Effect, IcsEntry, Span, TZDB_VERSION, ics_text};
use davy::{Digest, Duration, Instant, PlannedWindow, Text, WindowSpan};
use serde::Serialize;

use super::clock;
use super::explain::kind;
use super::which::{Which, WhichArgs, option};
use crate::error::Error;
use crate::policy::columns;
use crate::{Ended, ExitCode, terminal};

/// List when windows are open in the coming weeks
///
/// All windows of the environment, or of the calendars where there is no policy; those that are known to concern
/// something else than what is given are left out.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
    /// Up to this instant; four weeks, unless given
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// One kind of windows
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindArg {
    /// Windows in which changes may go on
    Allow,
    /// Freezes
    Deny,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum ListFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For calendar applications, to be subscribed to: an iCalendar file
    Ics,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    at: Instant,
    until: Instant,
    tzdb: &'static str,
    spans: Vec<WindowSpan>,
}

/// No list reaches further: readers of calendars take no event that lasts longer than this either.
const FURTHEST: Duration = Duration::from_minutes(366 * 1440);

pub(crate) fn run(args: &Args) -> Ended {
    let which = args.which.read()?;
    let at = which.at;
    let until = args.until.unwrap_or_else(|| at.plus(Duration::from_minutes(28 * 1440)));
    if until <= at {
        return Err(Error::NotAfter { at, until });
    }
    if until.since(at) > FURTHEST {
        return Err(Error::TooFar { at, until });
    }
    let spans = spans(&which, until, args.kind)?;
    let answer = match args.format {
        ListFormat::Json => {
            format!("{}\n", serde_json::to_string_pretty(&Listed { at, until, tzdb: TZDB_VERSION, spans })?)
        }
        ListFormat::Text => text(&spans, args, at, until),
        ListFormat::Ics => ics(&spans, at, until),
    };
    terminal::print(&answer)?;
    Ok(ExitCode::SUCCESS)
}

fn spans(which: &Which, until: Instant, of: Option<KindArg>) -> Result<Vec<WindowSpan>, Error> {
    let wanted = |plan: &&PlannedWindow| match of {
        None => true,
        Some(KindArg::Allow) => plan.window().effect == Effect::Allow,
        Some(KindArg::Deny) => plan.window().effect == Effect::Deny,
    };
    Ok(WindowSpan::all(which.all().into_iter().filter(wanted), which.whom(), which.at, until)?)
}

/// Why a window is there, and who is responsible.
fn notes(span: &WindowSpan) -> String {
    let text = |before: &str, text: &Option<Text>| text.as_ref().map(|text| format!("{before}{text}"));
    let unclear = span.unclear.as_ref().map(|missing| format!("may concern others alone: give `{}`", option(missing)));
    let notes = [text("", &span.reason), text("owner ", &span.owner), text("", &span.ticket), unclear];
    notes.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn text(spans: &[WindowSpan], args: &Args, at: Instant, until: Instant) -> String {
    let zone = &args.which.zone;
    if spans.is_empty() {
        return format!("No window is open from {} to {}.\n", clock::shown(zone, at), clock::shown(zone, until));
    }
    let head = ["from", "until", "kind", "window", "why"].map(str::to_owned);
    let row = |span: &WindowSpan| {
        // What has begun already is told from what will.
        let start = if span.start < at {
            format!("since {}", clock::shown(zone, span.start))
        } else {
            clock::shown(zone, span.start)
        };
        let start = if span.start == Instant::EPOCH { "always".to_owned() } else { start };
        let window = span.window.to_string();
        [
            start,
            clock::shown(zone, span.end),
            kind(span.kind, span.hard).to_owned(),
            window,
            terminal::printable(&notes(span)),
        ]
    };
    let rows: Vec<_> = spans.iter().map(row).collect();
    columns(&head, &rows)
}

fn ics(spans: &[WindowSpan], at: Instant, until: Instant) -> String {
    let entry = |span: &WindowSpan| {
        let what = if span.kind == Effect::Deny { "Freeze" } else { "Change window" };
        let why = span.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        // Of the same window, no two spans start at the same instant.
        let uid = Digest::of(format!("{}\n{}", span.window, span.start).as_bytes()).to_string();
        let uid = uid.trim_start_matches("sha256:").get(..32).unwrap_or_default().to_owned();
        let hard = if span.hard { "\nNothing passes it but an override by name." } else { "" };
        // What has no beginning or end would not be shown: it is cut to what is listed.
        let long = span.end.since(span.start) > FURTHEST;
        let cut = Span { start: span.start.max(at), end: span.end.min(until) };
        IcsEntry {
            uid: format!("{uid}@davy"),
            span: if long { cut } else { Span { start: span.start, end: span.end } },
            summary: format!("{what} {}{why}", span.window),
            description: format!("{}{hard}", notes(span)),
            category: what.to_uppercase(),
        }
    };
    ics_text("Change windows and freezes", at, &spans.iter().map(entry).collect::<Vec<_>>())
}
