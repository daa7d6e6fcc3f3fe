//! The fast path: columns of numbers that never touch JSON.

use davy::{Cohort, Name, Series, SeriesValues};

use crate::bytes::{column, davy_bytes};
use crate::error::Error;
use crate::sized::Grows;

/// Whose traffic.
pub type davy_cohort = u32;

/// What a series holds.
pub type davy_form = u32;

/// The new revision's traffic.
pub const DAVY_CANARY: davy_cohort = 0;
/// The stable traffic that it is compared with.
pub const DAVY_BASELINE: davy_cohort = 1;

/// Bad events of all events: `bad`, `total`.
pub const DAVY_COUNTS: davy_form = 0;
/// Numbers of events: `total`.
pub const DAVY_EVENTS: davy_form = 1;
/// Values that go up and down; NaN and infinities count as missing: `gauge`.
pub const DAVY_GAUGE: davy_form = 2;
/// Classic cumulative buckets: `bounds` with `bounds_len`, `bad` with `rows × bounds_len` cumulative counts, `total`.
pub const DAVY_BUCKETS: davy_form = 3;
/// Native histograms: `schema`, `zero`, `offsets` with `rows + 1`, `index` and `bad` with as many values as the last offset says.
pub const DAVY_HISTOGRAM: davy_form = 4;

/// The values of one metric of one cohort, or of one replica of it, over `rows` intervals. Set it to zero, then fill what its form
/// needs. `DAVY_NO_DATA` stands for a count that the source does not have. Everything is only read during the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_series {
    /// The size of this structure as the caller knows it, in bytes.
    pub size: usize,
    /// The metric's name in the policy.
    pub metric: davy_bytes,
    /// Which pod or zone; empty where counts are not kept apart.
    pub replica: davy_bytes,
    /// Whose traffic.
    pub cohort: davy_cohort,
    /// What it holds.
    pub form: davy_form,
    /// How many intervals there are.
    pub rows: usize,
    /// When each begins, in milliseconds since 1970 UTC.
    pub starts_ms: *const i64,
    /// Bad events, or the counts of buckets.
    pub bad: *const u64,
    /// All events.
    pub total: *const u64,
    /// Values that go up and down.
    pub gauge: *const f64,
    /// Rising upper bounds in seconds, without the infinite one.
    pub bounds: *const f64,
    /// How many bounds there are.
    pub bounds_len: usize,
    /// The resolution of native histograms, from -4 to 8.
    pub schema: i8,
    /// Requests that took no measurable time.
    pub zero: *const u64,
    /// Where each interval's buckets begin; one more than there are intervals.
    pub offsets: *const usize,
    /// Rising bucket indexes of each interval.
    pub index: *const i32,
}

// SAFETY: in C's layout, the size first, and nothing but numbers and pointers.
unsafe impl Grows for davy_series {}

impl davy_series {
    /// The columns where they lie.
    ///
    /// # Safety
    /// They are as long as they say, and readable for `'a`.
    pub(crate) unsafe fn view<'a>(&self) -> Result<Series<'a>, Error> {
        // SAFETY: the caller's promise.
        let metric = name(unsafe { self.metric.text() }?)?;
        // SAFETY: the caller's promise.
        let replica = match unsafe { self.replica.text() }? {
            "" => None,
            replica => Some(name(replica)?),
        };
        let cohort = match self.cohort {
            DAVY_CANARY => Cohort::Canary,
            DAVY_BASELINE => Cohort::Baseline,
            other => return Err(Error::usage(format!("there is no cohort {other}"))),
        };
        // SAFETY: the caller's promise.
        let starts = unsafe { column(self.starts_ms, self.rows) }?;
        // SAFETY: the caller's promise.
        let values = unsafe { self.values() }?;
        Ok(Series { metric, cohort, replica, starts, values })
    }

    /// # Safety
    /// As for [`Self::view`].
    unsafe fn values<'a>(&self) -> Result<SeriesValues<'a>, Error> {
        let rows = self.rows;
        // SAFETY: the caller's promise.
        let counts = |data, len| unsafe { column::<u64>(data, len) };
        Ok(match self.form {
            DAVY_COUNTS => SeriesValues::Counts { bad: counts(self.bad, rows)?, total: counts(self.total, rows)? },
            DAVY_EVENTS => SeriesValues::Events(counts(self.total, rows)?),
            // SAFETY: the caller's promise.
            DAVY_GAUGE => SeriesValues::Gauge(unsafe { column(self.gauge, rows) }?),
            DAVY_BUCKETS => SeriesValues::Buckets {
                // SAFETY: the caller's promise.
                bounds: unsafe { column(self.bounds, self.bounds_len) }?,
                at_most: counts(self.bad, rows.saturating_mul(self.bounds_len))?,
                total: counts(self.total, rows)?,
            },
            DAVY_HISTOGRAM => {
                // SAFETY: the caller's promise.
                let offsets = unsafe { column(self.offsets, rows.saturating_add(1)) }?;
                let buckets = offsets.last().copied().unwrap_or(0);
                SeriesValues::Histogram {
                    schema: self.schema,
                    zero: counts(self.zero, rows)?,
                    offsets,
                    // SAFETY: the caller's promise.
                    index: unsafe { column(self.index, buckets) }?,
                    count: counts(self.bad, buckets)?,
                }
            }
            other => return Err(Error::usage(format!("there is no form {other}"))),
        })
    }
}

fn name(text: &str) -> Result<Name, Error> {
    text.parse().map_err(|error: davy::NameError| Error::usage(error.to_string()))
}
