//! Arithmetic of service level objectives: from raw counters to "the budget burns".
//!
//! Everything here is a pure function of numbers. It knows counts, durations, instants and shares, and
//! nothing of documents, gates or snapshots; it allocates nothing but the texts of errors, and panics on no
//! input.
//!
//! | step | begin with |
//! |---|---|
//! | samples of one counter, checked | [`Series`] |
//! | its rise in a window, exactly or as Prometheus computes it | [`increase`], [`rate`], [`sum`] |
//! | its rise in one slot of a grid, as whole events counted once | [`count`], [`count_buckets`] |
//! | bad events of all events | [`Events`], [`Slices`] |
//! | a target and its budget: burn rate, consumed, left, exhaustion | [`Target`], [`ErrorBudget`] |
//! | its period, rolling or by a calendar | [`Period`] |
//! | how fast is too fast | [`Threshold`], [`Pair`] |
//! | whether it burns | [`Condition::judge`] |
//!
//! ```
//! use davy::slo::{Burn, Guards, Measured, Mode, Pair, Sample, Scaling, Series, Target, Window, increase};
//! use davy::{Duration, Instant, Share};
//!
//! // Two counters of a pod, scraped every minute for an hour: 2 % of 600 requests a minute fail.
//! let minutes = |per_minute: i32| (0..=60).map(move |m| Sample {
//!     at: Instant::from_millis(i64::from(m) * 60_000),
//!     value: f64::from(m * per_minute),
//! }).collect::<Vec<_>>();
//! let (bad, all) = (minutes(12), minutes(600));
//! let (bad, all) = (Series::new(&bad)?, Series::new(&all)?);
//!
//! let now = Instant::from_millis(3_600_000);
//! let seen = |length: Duration| {
//!     let window = Window { end: now, length };
//!     let total = increase(all, window, Mode::Exact);
//!     Measured {
//!         bad: increase(bad, window, Mode::Exact).map(|bad| bad.total),
//!         total: total.map(|total| total.total),
//!         sparse: false,
//!         coverage: Share::ALL,
//!         newest: total.map(|total| total.to),
//!     }
//! };
//! let [(_, fast), ..] = Pair::workbook("30d".parse()?, Scaling::Windows)?;
//! let condition = fast.against("99.9%".parse::<Target>()?.budget());
//! let judged = condition.judge(&seen(fast.long), &seen(fast.short), &Guards::default(), now);
//! assert_eq!(judged.burn, Burn::Burning);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alert;
mod bound;
mod budget;
mod counter;
mod events;
mod exact;
mod increase;
mod pair;
mod period;
mod slices;
mod slot;
mod target;
mod threshold;

pub use alert::{Burn, Condition, Guards, Judged, Measured, Why};
pub use bound::{lower_bound, surely_exceeds};
pub use budget::Exhaustion;
pub use counter::{MAX_VALUE, Sample, Series, SeriesError};
pub use events::{Events, EventsError};
pub use increase::{Increase, Mode, Sum, Window, increase, rate, sum};
pub use pair::{Pair, Scaling, Urgency};
pub use period::{Calendar, CalendarLength, Period, PeriodError, PeriodSpan};
pub use slices::Slices;
pub use slot::{Counted, Slot, SlotError, count, count_buckets, count_together};
pub use target::{ErrorBudget, Target, TargetError};
pub use threshold::{Threshold, ThresholdError};
