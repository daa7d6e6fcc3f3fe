//! How much a counter rose in a window: exactly, or with the bits that Prometheus computes.

use super::counter::{Sample, Series};
use crate::{Duration, Instant};

/// A span of time that ends at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its end. PromQL's `offset` is an earlier end.
    pub end: Instant,
    /// How far it reaches back.
    pub length: Duration,
}

/// Which samples belong to a window, and what is assumed about the time that they do not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// What was counted between the last sample at or before the window's start and the last one in it;
    /// nothing is extrapolated.
    ///
    /// Without a sample at or before the start, counting begins at the first sample in the window. The
    /// increases of adjoining windows add up to that of their union, so nothing is counted twice or
    /// lost. [`Series::since`] bounds how old the sample before the start may be. Prometheus 3 calls
    /// this an `anchored` range (experimental there; it gives 0 where a single sample leaves nothing to
    /// compare, and this gives nothing).
    Exact,
    /// `increase` and `rate` of Prometheus 2.42: the window is closed at both ends, `[end − length, end]`,
    /// and the increase is extrapolated towards its ends.
    ///
    /// Source: `extrapolatedRate` in `promql/functions.go` at v2.42.0. Equal in every bit on the cases of
    /// `tests/data/prometheus_increase.json`, which that server computed.
    Prometheus2,
    /// `increase` and `rate` of Prometheus 3: the window is open at its start, `(end − length, end]`, and
    /// a counter is extrapolated to its zero point only after the distance to the start was bounded.
    ///
    /// Source: `extrapolatedRate` in `promql/functions.go` from v3.0 on (the second rule from v2.51 on),
    /// without the experimental start timestamps. No server of that version was at hand: this is tested
    /// against the rules as written, not against a server's answers.
    Prometheus3,
}

/// How much one counter rose in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Increase {
    /// Events, not rounded: a whole number in [`Mode::Exact`] if the samples are, any number from 0 on
    /// otherwise. PromQL's `increase`.
    pub total: f64,
    /// Events per second of the window's length. PromQL's `rate`.
    pub per_second: f64,
    /// How many samples were used, at least two.
    pub samples: usize,
    /// How often the counter began anew between them. A reset is seen only as a fall of the value: one
    /// that is overtaken between two scrapes stays hidden.
    pub resets: usize,
    /// The instant of the first sample that was used; in [`Mode::Exact`] it may be before the window.
    pub from: Instant,
    /// The instant of the last sample that was used.
    pub to: Instant,
}

/// The sum of the increases of several counters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sum {
    /// Events, not rounded.
    pub total: f64,
    /// Events per second of the window's length.
    pub per_second: f64,
    /// How many series had an increase.
    pub series: usize,
    /// How many samples of them were used.
    pub samples: usize,
    /// How many counter resets were seen.
    pub resets: usize,
    /// The instant of the newest sample that was used.
    pub newest: Instant,
}

impl Window {
    /// In seconds, as Go's `Duration.Seconds` rounds them: whole seconds plus the rest.
    fn seconds(self) -> f64 {
        let millis = self.length.millis();
        to_f64(millis / 1000) + to_f64(millis % 1000 * 1_000_000) / 1e9
    }

    /// The start in milliseconds, before the epoch if need be.
    fn start(self) -> i64 {
        millis(self.end).saturating_sub_unsigned(self.length.millis())
    }
}

/// How much a counter rose in a window; nothing where fewer than two samples can be compared.
///
/// A fall of the value is a counter reset: what the counter held before it is added to the increase.
///
/// No increase is not an increase of zero: the first says that nothing is known.
///
/// ```
/// use davy::slo::{Mode, Sample, Series, Window, increase};
/// use davy::{Duration, Instant};
///
/// let minute = |m: i64, value: f64| Sample { at: Instant::from_millis(m * 60_000), value };
/// let samples = [minute(0, 100.0), minute(1, 160.0), minute(2, 40.0), minute(3, 100.0)];
/// let series = Series::new(&samples)?;
/// let window = Window { end: samples[3].at, length: Duration::from_minutes(2) };
///
/// let exact = increase(series, window, Mode::Exact).unwrap();
/// assert_eq!((exact.total, exact.resets), (100.0, 1));    // 40 since the restart, then 60
///
/// // Prometheus 3 leaves out the sample at the start, sees one minute of two, and extrapolates.
/// assert_eq!(increase(series, window, Mode::Prometheus2).unwrap().total, 100.0);
/// assert_eq!(increase(series, window, Mode::Prometheus3).unwrap().total, 100.0);
///
/// let later = Window { end: Instant::from_millis(3_600_000), length: Duration::from_minutes(5) };
/// assert_eq!(increase(series, later, Mode::Exact), None);
/// # Ok::<(), davy::slo::SeriesError>(())
/// ```
#[must_use]
pub fn increase(series: Series<'_>, window: Window, mode: Mode) -> Option<Increase> {
    let used = select(series, window, mode)?;
    let (first, last) = (used.first()?, used.last()?);
    let (raw, resets) = match mode {
        Mode::Exact => by_parts(used),
        Mode::Prometheus2 | Mode::Prometheus3 => by_correction(used),
    };
    let (total, per_second) = match mode {
        Mode::Exact => (raw, raw / window.seconds()),
        Mode::Prometheus2 | Mode::Prometheus3 => {
            let factor = extrapolation(used, raw, window, mode)?;
            // The factor first: with the division last, bits differ from Prometheus'.
            (raw * factor, raw * (factor / window.seconds()))
        }
    };
    Some(Increase { total, per_second, samples: used.len(), resets, from: first.at, to: last.at })
}

/// How much a counter rose per second of the window's length; nothing where [`increase`] has nothing.
///
/// ```
/// use davy::slo::{Mode, Sample, Series, Window, rate};
/// use davy::{Duration, Instant};
///
/// let samples = [0, 60, 120].map(|s| Sample { at: Instant::from_millis(s * 1000), value: s as f64 * 5.0 });
/// let window = Window { end: samples[2].at, length: Duration::from_minutes(2) };
/// assert_eq!(rate(Series::new(&samples)?, window, Mode::Prometheus2), Some(5.0));
/// # Ok::<(), davy::slo::SeriesError>(())
/// ```
#[must_use]
pub fn rate(series: Series<'_>, window: Window, mode: Mode) -> Option<f64> {
    increase(series, window, mode).map(|increase| increase.per_second)
}

/// The increases of several counters, each with its own resets, added in the order given; nothing where
/// none of them has an increase. PromQL's `sum(increase(…))` and `sum(rate(…))`.
///
/// The additions are plain, as in Prometheus 2. (Versions with compensated sums may differ in the last bit
/// from three series on.)
///
/// ```
/// use davy::slo::{Mode, Sample, Series, Window, sum};
/// use davy::{Duration, Instant};
///
/// let sample = |s: i64, value: f64| Sample { at: Instant::from_millis(s * 1000), value };
/// let pods = [[sample(0, 900.0), sample(60, 20.0)], [sample(0, 100.0), sample(60, 130.0)]];
/// let series = [Series::new(&pods[0])?, Series::new(&pods[1])?];
/// let window = Window { end: pods[0][1].at, length: Duration::from_minutes(1) };
/// let sum = sum(series, window, Mode::Exact).unwrap();
/// assert_eq!((sum.total, sum.resets), (50.0, 1));         // of the summed counters it would be 150
/// # Ok::<(), davy::slo::SeriesError>(())
/// ```
#[must_use]
pub fn sum<'a>(all: impl IntoIterator<Item = Series<'a>>, window: Window, mode: Mode) -> Option<Sum> {
    let increases = all.into_iter().filter_map(|series| increase(series, window, mode));
    increases.fold(None, |sum, one| {
        let Some(sum) = sum else {
            let Increase { total, per_second, samples, resets, from: _, to } = one;
            return Some(Sum { total, per_second, series: 1, samples, resets, newest: to });
        };
        Some(Sum {
            total: sum.total + one.total,
            per_second: sum.per_second + one.per_second,
            series: sum.series + 1,
            samples: sum.samples + one.samples,
            resets: sum.resets + one.resets,
            newest: sum.newest.max(one.to),
        })
    })
}

/// The samples that are compared, if there are at least two.
fn select(series: Series<'_>, window: Window, mode: Mode) -> Option<&[Sample]> {
    let start = window.start();
    let samples = series.until(window.end).samples();
    let first = match mode {
        Mode::Prometheus2 => samples.partition_point(|sample| millis(sample.at) < start),
        Mode::Prometheus3 => samples.partition_point(|sample| millis(sample.at) <= start),
        Mode::Exact => {
            let inside = samples.partition_point(|sample| millis(sample.at) <= start);
            samples.get(inside)?;
            inside.saturating_sub(1)
        }
    };
    samples.get(first..).filter(|used| used.len() >= 2)
}

/// Last minus first, plus what each reset took away, added in this order as Prometheus does.
fn by_correction(used: &[Sample]) -> (f64, usize) {
    let (Some(first), Some(last)) = (used.first(), used.last()) else { return (0.0, 0) };
    let mut resets = 0;
    let mut raw = last.value - first.value;
    let mut before = first.value;
    for sample in used {
        if sample.value < before {
            raw += before;
            resets += 1;
        }
        before = sample.value;
    }
    (raw, resets)
}

/// The rise of each part between resets: no large numbers cancel, so whole numbers below 2^53 stay exact.
fn by_parts(used: &[Sample]) -> (f64, usize) {
    let Some(first) = used.first() else { return (0.0, 0) };
    let mut resets = 0;
    let mut raw = 0.0;
    let mut base = first.value;
    let mut before = first.value;
    for sample in used {
        if sample.value < before {
            raw += before - base;
            base = 0.0;
            resets += 1;
        }
        before = sample.value;
    }
    (raw + (before - base), resets)
}

/// By which factor the time that the samples cover is stretched towards the window's ends.
///
/// An end that is about as near as the next sample would be is reached; otherwise half an average gap is
/// added. A counter is not stretched back beyond the point where it would have been zero.
fn extrapolation(used: &[Sample], raw: f64, window: Window, mode: Mode) -> Option<f64> {
    let (first, last) = (used.first()?, used.last()?);
    let seconds = |from: i64, to: i64| signed_to_f64(to.saturating_sub(from)) / 1000.0;
    let mut to_start = seconds(window.start(), millis(first.at));
    let mut to_end = seconds(millis(last.at), millis(window.end));
    let sampled = seconds(millis(first.at), millis(last.at));
    let average = sampled / to_f64(u64::try_from(used.len()).ok()?.checked_sub(1)?);
    let near = average * 1.1;
    let zero_point = if raw > 0.0 { sampled * (first.value / raw) } else { f64::INFINITY };
    if mode == Mode::Prometheus2 {
        to_start = to_start.min(zero_point);
    }
    if to_start >= near {
        to_start = average / 2.0;
    }
    if mode == Mode::Prometheus3 {
        to_start = to_start.min(zero_point);
    }
    if to_end >= near {
        to_end = average / 2.0;
    }
    Some((sampled + to_start + to_end) / sampled)
}

/// Milliseconds since the epoch; an instant is at most in the year 9999.
fn millis(instant: Instant) -> i64 {
    instant.millis().cast_signed()
}

#[expect(clippy::cast_precision_loss, reason = "rounds to nearest, as Go converts")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "rounds to nearest, as Go converts")]
fn signed_to_f64(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "every bit counts")]
mod tests {
    use super::*;

    /// Samples from (second, value).
    fn samples(plain: &[(i64, f64)]) -> Vec<Sample> {
        plain.iter().map(|&(second, value)| Sample { at: Instant::from_millis(second * 1000), value }).collect()
    }

    fn window(end: i64, seconds: u64) -> Window {
        Window { end: Instant::from_millis(end * 1000), length: Duration::from_secs(seconds) }
    }

    fn total(plain: &[(i64, f64)], window: Window, mode: Mode) -> Option<f64> {
        increase(Series::new(&samples(plain)).unwrap(), window, mode).map(|increase| increase.total)
    }

    /// Ten a minute, from the first minute of the epoch on.
    const STEADY: &[(i64, f64)] = &[(60, 10.0), (120, 20.0), (180, 30.0), (240, 40.0), (300, 50.0)];

    #[test]
    fn the_sample_at_the_start_belongs_to_the_window_in_prometheus_2_only() {
        let aligned = window(300, 120);
        let used = |mode| increase(Series::new(&samples(STEADY)).unwrap(), aligned, mode).unwrap().samples;
        assert_eq!(used(Mode::Prometheus2), 3);
        assert_eq!(used(Mode::Prometheus3), 2);
        assert_eq!(used(Mode::Exact), 3);
    }

    #[test]
    fn two_samples_are_compared_and_one_is_not() {
        let one_minute = window(300, 60);
        assert_eq!(total(STEADY, one_minute, Mode::Prometheus2), Some(10.0));
        assert_eq!(total(STEADY, one_minute, Mode::Prometheus3), None);
        assert_eq!(total(STEADY, one_minute, Mode::Exact), Some(10.0));
        for mode in [Mode::Exact, Mode::Prometheus2, Mode::Prometheus3] {
            assert_eq!(total(&[(300, 5.0)], window(300, 600), mode), None);
            assert_eq!(total(&[], window(300, 600), mode), None);
            assert_eq!(total(STEADY, window(300, 0), mode), None);
            assert_eq!(total(STEADY, window(30, 60), mode), None);
        }
    }

    #[test]
    fn a_series_born_in_the_window_is_extrapolated_as_each_version_says() {
        // Gaps of 60 s, 65 s from the start: near. It rose 20 from 5, so it was zero 30 s before.
        let near = &[(65, 5.0), (125, 15.0), (185, 25.0)];
        assert_eq!(total(near, window(185, 185), Mode::Prometheus2), Some(20.0 * (150.0 / 120.0)));
        assert_eq!(total(near, window(185, 185), Mode::Prometheus3), Some(20.0 * (150.0 / 120.0)));
        // 100 s from the start: far, half a gap is added. The zero point is 45 s before, which is within
        // 1.1 gaps: Prometheus 2 goes there, from 2.51 on the half gap is bounded first.
        let far = &[(100, 7.5), (160, 17.5), (220, 27.5)];
        assert_eq!(total(far, window(220, 220), Mode::Prometheus2), Some(20.0 * (165.0 / 120.0)));
        assert_eq!(total(far, window(220, 220), Mode::Prometheus3), Some(20.0 * (150.0 / 120.0)));
    }

    #[test]
    fn a_series_that_ends_early_is_extrapolated_by_half_a_gap() {
        for mode in [Mode::Prometheus2, Mode::Prometheus3] {
            assert_eq!(total(STEADY, window(600, 570), mode), Some(40.0 * (300.0 / 240.0)));
        }
        assert_eq!(total(STEADY, window(600, 570), Mode::Exact), Some(40.0));
    }

    #[test]
    fn resets_are_added_back_before_anything_is_extrapolated() {
        let twice = &[(60, 100.0), (120, 7.0), (180, 9.0), (240, 0.0), (300, 1.0)];
        for mode in [Mode::Exact, Mode::Prometheus2, Mode::Prometheus3] {
            let found = increase(Series::new(&samples(twice)).unwrap(), window(300, 241), mode).unwrap();
            assert_eq!(found.resets, 2);
        }
        assert_eq!(total(twice, window(300, 240), Mode::Exact), Some(10.0));
    }

    #[test]
    fn exact_keeps_small_rises_beside_a_large_reset() {
        let large = &[(60, 1e17), (120, 1.0), (180, 4.0)];
        assert_eq!(total(large, window(180, 120), Mode::Exact), Some(4.0));
    }

    #[test]
    fn exact_counts_from_the_last_sample_before_the_window() {
        assert_eq!(total(STEADY, window(270, 60), Mode::Exact), Some(10.0));
        let series = samples(STEADY);
        let increase = increase(Series::new(&series).unwrap(), window(270, 60), Mode::Exact).unwrap();
        assert_eq!((increase.from, increase.to), (Instant::from_millis(180_000), Instant::from_millis(240_000)));
        // Nothing new in the window: not zero, but nothing.
        assert_eq!(total(STEADY, window(330, 20), Mode::Exact), None);
    }

    #[test]
    fn windows_of_any_length_and_end_are_computed() {
        let series = samples(STEADY);
        let series = Series::new(&series).unwrap();
        for mode in [Mode::Exact, Mode::Prometheus2, Mode::Prometheus3] {
            for end in [Instant::EPOCH, Instant::from_millis(300_000), Instant::MAX] {
                for length in [0, 1, 1500, 86_400_000, i64::MAX.unsigned_abs(), u64::MAX].map(Duration::from_millis) {
                    let found = increase(series, Window { end, length }, mode);
                    assert!(found.is_none_or(|found| found.total.is_finite() && found.per_second >= 0.0));
                }
            }
        }
    }

    #[test]
    fn seconds_are_rounded_as_go_rounds_them() {
        // 1.3 s: whole seconds plus rest is another double than milliseconds over a thousand in general.
        let seconds = |millis| Window { end: Instant::MAX, length: Duration::from_millis(millis) }.seconds();
        assert_eq!(seconds(300_000), 300.0);
        assert_eq!(seconds(1_300), 1.0 + 0.3);
        let differs = (1..100_000_u32).find(|&ms| seconds(u64::from(ms)) != f64::from(ms) / 1000.0);
        assert!(differs.is_some(), "otherwise the distinction would be idle");
    }

    #[test]
    fn a_sum_needs_one_series_with_an_increase() {
        let (steady, single) = (samples(STEADY), samples(&[(60, 5.0)]));
        let (steady, single) = (Series::new(&steady).unwrap(), Series::new(&single).unwrap());
        let sum_of = |all: &[Series<'_>]| sum(all.iter().copied(), window(300, 240), Mode::Exact);
        assert_eq!(sum_of(&[]), None);
        assert_eq!(sum_of(&[single]), None);
        assert_eq!(sum_of(&[single, steady]), sum_of(&[steady]));
        assert_eq!(sum_of(&[steady, single, steady]).map(|sum| (sum.total, sum.series)), Some((80.0, 2)));
    }
}
