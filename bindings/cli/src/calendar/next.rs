//! `davy calendar next`: may a change go on now, and when does that turn?

use davy::calendar::{Change, Moment, Turn, Zone};
use davy::{ChangeOutlook, ChangeStretch, Instant, Name};

use super::clock;
use super::which::{WhichArgs, option};
use crate::error::Error;
use crate::policy::columns;
use crate::terminal::Format;
use crate::{Ended, ExitCode, terminal};

/// Say whether a change may go on, and when that turns
///
/// Exit codes: 0 it may go on, 3 it is held, 1 error, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    change: ChangeArgs,
    /// Every turn up to this instant; without it, the next opening and when that closes
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What a change wants.
#[derive(clap::Args)]
pub(super) struct ChangeArgs {
    /// What is asked: windows may gate some of it
    #[arg(long, value_enum, default_value = "start")]
    asked: MomentArg,
    /// What kind of change it is, such as `security`: freezes may let some kinds through
    #[arg(long, value_name = "CLASS")]
    change_class: Option<Name>,
    /// A person asks for it: some windows let that pass
    #[arg(long)]
    manual: bool,
    /// When the release began: some windows let one finish that began in time
    #[arg(long, value_name = "INSTANT")]
    started: Option<Instant>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum MomentArg {
    /// Begin the release
    Start,
    /// Give the canary more traffic
    Advance,
    /// Give it everyone
    Promote,
}

impl ChangeArgs {
    pub(super) fn change(&self) -> Change<'_> {
        let moment = match self.asked {
            MomentArg::Start => Moment::Start,
            MomentArg::Advance => Moment::Advance,
            MomentArg::Promote => Moment::Promote,
        };
        Change { moment, manual: self.manual, class: self.change_class.as_ref(), began: self.started }
    }
}

pub(crate) fn run(args: &Args) -> Ended {
    let which = args.which.read()?;
    if let Some(until) = args.until.filter(|until| *until <= which.at) {
        return Err(Error::NotAfter { at: which.at, until });
    }
    let stretches = ChangeStretch::all(which.all(), which.whom(), &args.change.change(), which.at, args.until)?;
    let answer = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&stretches)?),
        Format::Text => text(&stretches, &args.which.zone),
    };
    terminal::print(&answer)?;
    Ok(stretches.first().map_or(ExitCode::SUCCESS, |now| note_unclear(&now.outlook)))
}

/// The code to exit with; what keeps the answer from being certain is told.
pub(super) fn note_unclear(outlook: &ChangeOutlook) -> ExitCode {
    for unclear in &outlook.unclear {
        let (window, option) = (&unclear.window, option(&unclear.missing));
        terminal::note(&format!(
            "davy: whether `{window}` concerns the change is not known, which holds it: give `{option}`\n"
        ));
    }
    if outlook.ruling.is_open() && outlook.unclear.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

fn text(stretches: &[ChangeStretch], zone: &Zone) -> String {
    let head = ["from", "may it go on", "why"].map(str::to_owned);
    let row = |stretch: &ChangeStretch| {
        let answer = match (stretch.open, stretch.outlook.ruling.is_open()) {
            (true, _) => "yes",
            (false, true) => "unclear",
            (false, false) => "no",
        };
        [clock::shown(zone, stretch.from), answer.to_owned(), terminal::printable(&stretch.why)]
    };
    let rows: Vec<_> = stretches.iter().map(row).collect();
    let end = match stretches.last().map(|last| last.outlook.turns) {
        Some(Turn::Never) => "It stays so: no window ever changes that.\n".to_owned(),
        Some(Turn::NotBefore(at)) => format!("It stays so at least until {}.\n", clock::shown(zone, at)),
        Some(Turn::At { at, .. }) => format!("It turns at {}.\n", clock::shown(zone, at)),
        None => String::new(),
    };
    columns(&head, &rows) + &end
}
