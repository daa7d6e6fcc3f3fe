//! Calendars of change windows and freezes: may a change go on now, and when next?
//!
//! Pure arithmetic, exact across time zones. Schedules are expanded on the clock on the wall and mapped to instants under
//! an explicit policy for times that the clock skips ([`Gap`]) or shows twice ([`Fold`]); the zone database is in the binary
//! ([`TZDB_VERSION`]).
//!
//! ```
//! use davy::calendar::{Change, Moment, outlook};
//! # use davy::calendar::{Effect, Ends, Fold, Gap, Gates, Length, Precedence, Starts, Timing, Window, Zone};
//! # let office_hours = Window {
//! #     name: "office-hours".parse()?, effect: Effect::Allow, hard: false,
//! #     timing: Timing::new(
//! #         Starts::Cron("0 9 * * MON-FRI".parse()?), Ends::After(Length::exact("8h".parse()?)?),
//! #         Zone::new("Europe/Berlin")?, Gap::Skip, Fold::First,
//! #     ),
//! #     manual: false, overrun: false, gates: Gates::ALL, exempt: vec![], valid_from: None, valid_until: None,
//! #     precedence: Precedence::Strict,
//! # };
//! let change = Change { moment: Moment::Start, manual: false, class: None, began: None };
//! let friday_night = "2026-11-27T20:00:00Z".parse()?;
//! let outlook = outlook(&[&office_hours], &change, friday_night);
//! assert!(!outlook.ruling.is_open());
//! assert_eq!(outlook.turns.at().map(|at| at.to_string()).as_deref(), Some("2026-11-30T08:00:00Z"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`Cron`], [`Rule`], [`Recurrence`] | sets of local times |
//! | [`Timing`] | starts, lengths and a zone: spans of instants |
//! | [`Window`] | a timing with a meaning |
//! | [`rule`], [`outlook`] | what windows together say of a change, now and next |
//! | [`Ics`], [`ics_text`] | iCalendar files, read and written |

mod argo;
mod civil;
mod cron;
mod error;
mod ics;
mod outlook;
mod precedence;
mod recurrence;
mod timing;
mod window;
mod zone;

pub use civil::Local;
pub use cron::Cron;
pub use error::CalendarError;
pub use ics::{Ics, IcsEntry, IcsEvent, ics_text};
pub(crate) use outlook::outlook_with;
pub use outlook::{HORIZON, Outlook, Turn, outlook};
pub(crate) use precedence::rule_of;
pub use precedence::{Change, Ruling, rule};
pub use recurrence::{Recurrence, Rule};
pub use timing::{Ends, Fold, Gap, Length, Span, Starts, Timing};
pub use window::{Effect, Gates, Moment, Phase, Precedence, Window};
pub use zone::{TZDB_VERSION, Zone};
