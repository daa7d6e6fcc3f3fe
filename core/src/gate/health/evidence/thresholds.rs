//! Where slow requests are counted: thresholds that the baseline alone chooses.

use crate::Count;

/// Requests of the baseline in the interval that chooses thresholds.
pub(super) const ENOUGH_TO_CHOOSE: u64 = 20;

/// Where latency must be shown to be good enough: in the middle, between, and in the tail.
pub(crate) fn proved_at<T: Copy>(chosen: &[T]) -> Vec<T> {
    places_to_prove(chosen.len()).iter().filter_map(|place| chosen.get(*place).copied()).collect()
}

pub(super) fn places_to_prove(thresholds: usize) -> Vec<usize> {
    let places = [0, thresholds / 2, thresholds.saturating_sub(1)];
    let mut all: Vec<usize> = places.into_iter().filter(|place| *place < thresholds).collect();
    all.dedup();
    all
}

/// `−d ln(share of slow requests)/d ln(threshold)` around a bound, between its neighbours; 1 where there are none.
pub(super) fn steepness<B: Copy + PartialEq>(slower: &[(B, Count)], at: &B, apart: impl Fn(B, B) -> f64) -> f64 {
    let Some(place) = slower.iter().position(|(bound, _)| bound == at) else { return 1.0 };
    let neighbour = |place: Option<usize>| {
        place.and_then(|place| slower.get(place)).filter(|(_, above)| *above > Count::ZERO).copied()
    };
    let own = neighbour(Some(place));
    let (before, after) = (neighbour(place.checked_sub(1)).or(own), neighbour(Some(place + 1)).or(own));
    let (Some((from, more)), Some((to, fewer))) = (before, after) else { return 1.0 };
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    let fall = libm::log(more.get() as f64 / fewer.get() as f64);
    let steepness = fall / apart(from, to);
    if steepness.is_finite() && steepness > 0.0 { steepness } else { 1.0 }
}
