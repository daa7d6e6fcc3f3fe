//! Time slices of a window, each computed by the server.
//!
//! Slices lie on whole multiples of their length, so that they are the same at every look; those that the
//! window holds whole count.

use std::collections::BTreeMap;

use davy::slo::{Events, Slices, Target};
use davy::{Duration, Instant, Missing, Seen};

use super::facts;
use super::{Measured, share};
use crate::observe::problem::Problem;
use crate::prometheus::Series;

/// The slices of one window.
pub(super) struct Slicing {
    pub(super) first_end: Instant,
    pub(super) last_end: Instant,
    slice: Duration,
    /// The part of a slice's events that must be good; nothing where its ratio counts.
    good: Option<Target>,
}

impl Slicing {
    /// The whole slices between two instants, if there are any.
    pub(super) fn new(from: Instant, to: Instant, slice: Duration, good: Option<Target>) -> Option<Self> {
        let length = slice.millis().max(1);
        let nth = |number: u64| Instant::EPOCH.plus(Duration::from_millis(length).times(number));
        let (first, last) = (from.millis().div_ceil(length).saturating_add(1), to.millis() / length);
        (first <= last).then(|| Self { first_end: nth(first), last_end: nth(last), slice, good })
    }

    /// The slices as events: bad ones of all that are known.
    pub(super) fn measure(
        &self,
        part: &[Series],
        total: &[Series],
        newest: &[Series],
        part_is_good: bool,
    ) -> Result<Measured, Problem> {
        let (part, total) = (by_time(part), by_time(total));
        let length = self.slice.millis().max(1);
        let expected = self.last_end.since(self.first_end).millis() / length + 1;
        let (mut bad, mut judged, mut idle) = (0.0, 0_u64, 0_u64);
        let mut oldest = None;
        for number in 0..expected {
            let end = self.first_end.plus(Duration::from_millis(length).times(number));
            // Where the whole is known and some slices have a part, those without one have none of it.
            let amounts = total.get(&end).map(|total| (part.get(&end).copied().unwrap_or(0.0), *total));
            let made = if part_is_good { Events::of_good_amount } else { Events::of_bad_amount };
            let Some(events) = amounts.and_then(|(part, total)| made(part, total).ok()) else { continue };
            oldest = oldest.or(Some(end.minus(self.slice)));
            match events.ratio() {
                None => idle += 1,
                Some(ratio) => {
                    judged += 1;
                    bad += self.good.map_or(ratio, |good| badness(events, good));
                }
            }
        }
        // A slice without traffic is good, but has no ratio.
        let known = judged + idle;
        let all = if self.good.is_some() { known } else { judged };
        let nothing = Seen::Nothing(Missing::NoData);
        Ok(Measured {
            part: if part.is_empty() { nothing } else { Seen::Amount(bad) },
            total: if known == 0 { nothing } else { Seen::Amount(amount(all)) },
            coverage: share(amount(known), amount(expected)),
            oldest,
            newest: facts::read_newest(newest),
            resets: 0,
        })
    }
}

/// 1 for a bad slice, 0 for a good one.
fn badness(events: Events, good: Target) -> f64 {
    let mut slices = Slices::default();
    slices.add(Some(events), good);
    amount(slices.bad().get())
}

#[expect(clippy::cast_precision_loss, reason = "a number of slices")]
const fn amount(slices: u64) -> f64 {
    slices as f64
}

fn by_time(series: &[Series]) -> BTreeMap<Instant, f64> {
    series.iter().flat_map(|series| &series.samples).map(|sample| (sample.at, sample.value)).collect()
}
