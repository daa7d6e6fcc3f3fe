//! `davy calendar`: change windows and freezes as people look at them.

mod clock;
mod explain;
mod list;
mod next;
mod which;

use clap::Subcommand;

use crate::Ended;

/// See change windows and freezes: the coming weeks, the next opening, and why a change is held
///
/// None of them ever stops an abort or a rollback.
#[derive(Subcommand)]
pub(crate) enum Command {
    Next(next::Args),
    Explain(explain::Args),
    List(list::Args),
}

pub(crate) fn run(command: &Command) -> Ended {
    match command {
        Command::Next(args) => next::run(args),
        Command::Explain(args) => explain::run(args),
        Command::List(args) => list::run(args),
    }
}
