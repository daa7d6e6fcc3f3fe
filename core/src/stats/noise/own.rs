//! Noise that the canary's own intervals show, for where no replicas do.

/// Sums over the canary's intervals, around a ratio that is known only at the end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Own {
    intervals: u32,
    events_squared: f64,
    events_expected: f64,
    lagged_events: f64,
    lagged_mixed: f64,
    lagged_expected: f64,
    last_expected: f64,
    last_events: f64,
}

/// The largest correlation between neighbours that is believed.
const MOST_CORRELATED: f64 = 0.9;

impl Own {
    pub(super) const fn new() -> Self {
        Self {
            intervals: 0,
            events_squared: 0.0,
            events_expected: 0.0,
            lagged_events: 0.0,
            lagged_mixed: 0.0,
            lagged_expected: 0.0,
            last_expected: 0.0,
            last_events: 0.0,
        }
    }

    pub(super) fn fold(&mut self, expected: f64, events: f64) {
        self.events_squared += events * events;
        self.events_expected += events * expected;
        if self.intervals > 0 {
            self.lagged_events += events * self.last_events;
            self.lagged_mixed += events * self.last_expected + self.last_events * expected;
            self.lagged_expected += expected * self.last_expected;
        }
        self.intervals = self.intervals.saturating_add(1);
        (self.last_expected, self.last_events) = (expected, events);
    }

    pub(super) const fn intervals(&self) -> u32 {
        self.intervals
    }

    /// The variance of one interval beyond chance, relative, and the correlation of neighbours, around `ratio`.
    pub(super) fn noise(&self, ratio: f64, squares: f64, chance: f64) -> (f64, f64) {
        if self.intervals < 2 || ratio <= 0.0 {
            return (0.0, 0.0);
        }
        let residuals = self.events_squared - 2.0 * ratio * self.events_expected + ratio * ratio * squares;
        let beyond = residuals - (1.0 - 1.0 / f64::from(self.intervals)) * chance;
        let variance = (beyond / (ratio * ratio * squares)).max(0.0);
        if !variance.is_finite() {
            return (0.0, 0.0);
        }
        let lagged = self.lagged_events - ratio * self.lagged_mixed + ratio * ratio * self.lagged_expected;
        let correlation = lagged / (ratio * ratio * self.lagged_expected * variance);
        let correlation =
            if self.intervals > 3 && correlation.is_finite() { correlation.clamp(0.0, MOST_CORRELATED) } else { 0.0 };
        (variance, correlation)
    }

    pub(super) fn write(&self, numbers: &mut Vec<f64>) {
        numbers.extend([
            f64::from(self.intervals),
            self.events_squared,
            self.events_expected,
            self.lagged_events,
            self.lagged_mixed,
            self.lagged_expected,
            self.last_expected,
            self.last_events,
        ]);
    }

    pub(super) fn read(numbers: &mut impl Iterator<Item = f64>) -> Option<Self> {
        let mut next = || numbers.next().filter(|sum| *sum >= 0.0);
        Some(Self {
            intervals: whole(next()?)?,
            events_squared: next()?,
            events_expected: next()?,
            lagged_events: next()?,
            lagged_mixed: next()?,
            lagged_expected: next()?,
            last_expected: next()?,
            last_events: next()?,
        })
    }
}

fn whole(number: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared with what it was")]
    let whole = number as u32;
    (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
}
