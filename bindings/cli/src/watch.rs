//! Looking at a release again and again until it is decided: every look is kept and recorded, the last one counts.

use crate::ExitCode;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use davy::plugin::Plugins;
use davy::{Bundle, Decision, Engine, State, Verdict};

use crate::error::Error;
use crate::observe::Eyes;
use crate::progress::Status;
use crate::{Ended, keep, load, record, terminal};

/// A release under watch.
pub(crate) struct Watch<'a> {
    pub(crate) bundle: &'a Bundle,
    /// The engine's shadow.
    pub(crate) shadow: Option<&'a Bundle>,
    pub(crate) engine: &'a Engine,
    pub(crate) eyes: Eyes<'a>,
    /// What measures the metrics that are measured by plugins.
    pub(crate) plugins: &'a Plugins,
    /// Where the state is read from and kept.
    pub(crate) state: Option<&'a Path>,
    /// Where every look is appended.
    pub(crate) record: Option<&'a Path>,
    /// How long to look again while nothing is decided; zero for one look.
    pub(crate) patience: Duration,
    /// Whether to go on watching a release that may proceed.
    pub(crate) past_proceed: bool,
}

impl Watch<'_> {
    /// Looks until the verdict is final or the patience ends, and prints the last decision.
    pub(crate) fn run(&self, print: impl Fn(&Decision) -> Result<(), Error>) -> Ended {
        let until = Instant::now() + self.patience;
        let (mut prior, mut unread) = match self.state.map_or_else(|| Ok(State::new()), load::state) {
            Ok(state) => (state, None),
            Err(error) => (State::new(), Some(error)),
        };
        let status = Status::new();
        loop {
            let mut snapshot = self.eyes.look(self.engine, &prior)?;
            davy_plugins::measure(self.engine, self.plugins, &mut snapshot);
            let step = self.engine.decide(&prior, &snapshot);
            let verdict = step.decision.verdict;
            let ends_release = matches!(verdict, Verdict::Abort | Verdict::Rollback);
            if !ends_release && let Some(error) = unread {
                return Err(error);
            }
            let goes_on = match verdict {
                Verdict::Hold => true,
                Verdict::Proceed => self.past_proceed,
                Verdict::Abort | Verdict::Rollback => false,
            };
            let pause = self.pause(&step.decision);
            let is_last = !goes_on || Instant::now() + pause > until;
            // An abort is said before anything else can go wrong.
            let printed = if is_last {
                status.clear();
                print(&step.decision)
            } else {
                status.show(&step.decision, pause);
                Ok(())
            };
            let recorded = self.record.map_or(Ok(()), |path| {
                keep::append(path, &record::line(&step, self.bundle, self.shadow, &prior, &snapshot)?)
            });
            let kept = match self.state {
                // A file that could not be read as a state may be somebody else's: it stays as it is. And a state
                // that goes further than the records would leave a gap that nobody can replay.
                Some(path) if unread.is_none() && (recorded.is_ok() || ends_release) => {
                    keep::replace(path, &step.state.to_json())
                }
                _ => Ok(()),
            };
            let errors: Vec<Error> =
                [unread.take(), printed.err(), recorded.err(), kept.err()].into_iter().flatten().collect();
            errors.iter().for_each(|error| terminal::complain(error));
            if is_last || !errors.is_empty() {
                return Ok(if errors.is_empty() || ends_release { code(verdict) } else { ExitCode::FAILURE });
            }
            prior = step.state;
            thread::sleep(pause);
        }
    }

    /// As soon as another answer is possible, and no sooner than a second from now.
    fn pause(&self, decision: &Decision) -> Duration {
        let every = self.engine.every(&decision.release.environment);
        let soonest = decision.hold.as_ref().and_then(|hold| hold.retry_after);
        let pause = soonest.into_iter().chain(every).min().map_or(60_000, davy::Duration::millis);
        Duration::from_millis(pause).max(Duration::from_secs(1))
    }
}

fn code(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::Proceed => 0,
        Verdict::Hold => 3,
        Verdict::Abort => 4,
        Verdict::Rollback => 5,
    })
}
