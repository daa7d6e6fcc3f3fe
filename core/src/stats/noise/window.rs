//! What a window adds up: the evidence, what it varies by if requests are independent, and how replicas differ.

use super::own::Own;
use super::sums::length;
use crate::stats::arms::Arm;
use crate::stats::process::Increment;

/// One interval of one test, with what all windows need of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval<'a> {
    /// Events of the canary.
    pub(super) events: f64,
    /// Those that it would have at the baseline's mean, or at the known one: w.
    pub(super) expected: f64,
    /// The terms of VPc and VPb.
    pub(super) chance: (f64, f64),
    pub(super) canary_replicas: u32,
    /// Requests of the baseline, and its share of events.
    pub(super) baseline: f64,
    pub(super) mean: f64,
    /// Place, requests and events of each replica of the baseline.
    pub(super) replicas: &'a [(usize, Arm)],
}

impl<'a> Interval<'a> {
    /// Events and requests of both cohorts, and the replicas of the baseline.
    pub(super) fn of(
        bound: f64,
        (events, requests): (f64, f64),
        (bad, baseline): (f64, f64),
        canary_replicas: u32,
        replicas: &'a [(usize, Arm)],
    ) -> Self {
        let mean = if baseline > 0.0 { bad / baseline } else { 0.0 };
        let expected = requests * mean;
        let of_baseline = if baseline > 0.0 { requests * expected * (1.0 - mean) / baseline } else { 0.0 };
        let chance = (expected * (1.0 - (bound * mean).min(1.0)), of_baseline);
        Self { events, expected, chance, canary_replicas, baseline, mean, replicas }
    }

    /// Events of the canary beside a number that is known, and its variance by chance.
    pub(super) const fn known(events: f64, expected: f64, chance: f64) -> Self {
        Self { events, expected, chance: (chance, 0.0), canary_replicas: 1, baseline: 0.0, mean: 0.0, replicas: &[] }
    }
}

/// Sums since a window began.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window<const J: usize> {
    /// Logarithms of evidence per effect size.
    pub(super) logs: [f64; J],
    pub(super) expected: f64,
    pub(super) observed: f64,
    pub(super) chance_canary: f64,
    pub(super) chance_baseline: f64,
    pub(super) seat_chance: f64,
    pub(super) seat: f64,
    pub(super) seat_squares: f64,
    pub(super) squares: f64,
    pub(super) squares_per_replica: f64,
    pub(super) own: Own,
    /// Replicas of the canary that joined together: how many, and the share of each.
    pub(super) cohorts: Vec<(f64, f64)>,
    /// Residual and expected events of each replica of the baseline, by its place.
    pub(super) replicas: Vec<(f64, f64)>,
}

impl<const J: usize> Window<J> {
    pub(super) const fn new() -> Self {
        Self {
            logs: [0.0; J],
            expected: 0.0,
            observed: 0.0,
            chance_canary: 0.0,
            chance_baseline: 0.0,
            seat_chance: 0.0,
            seat: 0.0,
            seat_squares: 0.0,
            squares: 0.0,
            squares_per_replica: 0.0,
            own: Own::new(),
            cohorts: Vec::new(),
            replicas: Vec::new(),
        }
    }

    pub(super) fn fold(&mut self, increment: &Increment<J>, interval: &Interval<'_>) {
        self.fold_canary(increment, interval);
        self.fold_replicas(interval);
    }

    /// The same where the baseline's traffic is spread alike over so many replicas: for planning.
    pub(super) fn fold_alike(&mut self, increment: &Increment<J>, interval: &Interval<'_>, replicas: f64) {
        self.fold_canary(increment, interval);
        self.fold_seat(interval.baseline, interval.mean, replicas);
    }

    fn fold_canary(&mut self, increment: &Increment<J>, interval: &Interval<'_>) {
        for (sum, log_e) in self.logs.iter_mut().zip(increment.logs()) {
            *sum += log_e;
        }
        let (events, expected) = (interval.events, interval.expected);
        self.expected += expected;
        self.observed += events;
        self.chance_canary += interval.chance.0;
        self.chance_baseline += interval.chance.1;
        self.squares += expected * expected;
        self.own.fold(expected, events);
        self.join(interval.canary_replicas, expected);
    }

    /// Every replica of the canary has the same part of what is expected.
    fn join(&mut self, replicas: u32, expected: f64) {
        let seats = f64::from(replicas.max(1));
        self.squares_per_replica += expected * expected / seats;
        let mut left = seats;
        let mut split = None;
        for (place, (size, share)) in self.cohorts.iter_mut().enumerate() {
            if *size > left {
                split = Some((place, *size - left, *share));
                *size = left;
            }
            if left > 0.0 {
                *share += expected / seats;
            }
            left -= *size;
            if split.is_some() {
                break;
            }
        }
        if let Some((place, size, share)) = split {
            // Those that came last are gone; a cohort of none is no cohort.
            self.cohorts.insert(place + 1, (size, share));
            self.cohorts.retain(|(size, _)| *size > 0.0);
        } else if left > 0.0 {
            self.cohorts.push((left, expected / seats));
        }
    }

    fn fold_replicas(&mut self, interval: &Interval<'_>) {
        let (mut requests, mut present) = (0.0, 0.0);
        for &(place, arm) in interval.replicas {
            let (events, total) = arm.as_f64();
            if self.replicas.len() <= place {
                self.replicas.resize(place + 1, (0.0, 0.0));
            }
            if let Some((residual, expected)) = self.replicas.get_mut(place) {
                *residual += events - total * interval.mean;
                *expected += total * interval.mean;
            }
            requests += total;
            present += 1.0;
        }
        self.fold_seat(requests, interval.mean, present);
    }

    /// One of so many replicas of the baseline, that have so many requests together.
    fn fold_seat(&mut self, requests: f64, mean: f64, replicas: f64) {
        if replicas > 0.0 {
            let seat = requests * mean / replicas;
            self.seat_chance += requests / replicas * mean * (1.0 - mean);
            self.seat += seat;
            self.seat_squares += seat * seat;
        }
    }

    /// The noise of single intervals that the canary itself shows, and the correlation of neighbours.
    pub(super) fn own_noise(&self) -> (f64, f64) {
        if self.expected <= 0.0 {
            return (0.0, 0.0);
        }
        let ratio = self.observed / self.expected;
        let chance = ratio * self.chance_canary + ratio * ratio * self.chance_baseline;
        self.own.noise(ratio, self.squares, chance)
    }

    /// `Σ ΔJ_c·share_c²/E²`, or what one interval alone would say: 1 / the effective number of the canary's replicas.
    pub(super) fn canary_concentration(&self) -> f64 {
        let cohorts = self.cohorts.iter().fold(0.0, |sum, (size, share)| sum + size * share * share);
        (cohorts / (self.expected * self.expected)).max(self.squares_per_replica / self.squares)
    }

    /// The replicas of the baseline that have been there for long enough to be compared: `y_r`.
    pub(super) fn excesses(&self) -> impl Iterator<Item = f64> + '_ {
        let enough = self.seat / 8.0;
        self.replicas
            .iter()
            .filter(move |(_, expected)| *expected > 0.0 && *expected >= enough)
            .map(|(residual, expected)| residual / expected)
    }

    pub(super) fn forget(&mut self, place: usize) {
        if let Some(sums) = self.replicas.get_mut(place) {
            *sums = (0.0, 0.0);
        }
    }

    pub(super) fn write(&self, numbers: &mut Vec<f64>) {
        numbers.extend(self.logs);
        numbers.extend([
            self.expected,
            self.observed,
            self.chance_canary,
            self.chance_baseline,
            self.seat_chance,
            self.seat,
            self.seat_squares,
            self.squares,
            self.squares_per_replica,
        ]);
        self.own.write(numbers);
        for pairs in [&self.cohorts, &self.replicas] {
            #[expect(clippy::cast_precision_loss, reason = "a few replicas")]
            numbers.push(pairs.len() as f64);
            numbers.extend(pairs.iter().flat_map(|(a, b)| [*a, *b]));
        }
    }

    pub(super) fn read(numbers: &mut impl Iterator<Item = f64>, most: usize) -> Option<Self> {
        let mut window = Self::new();
        for log in &mut window.logs {
            *log = numbers.next()?;
        }
        for sum in [
            &mut window.expected,
            &mut window.observed,
            &mut window.chance_canary,
            &mut window.chance_baseline,
            &mut window.seat_chance,
            &mut window.seat,
            &mut window.seat_squares,
            &mut window.squares,
            &mut window.squares_per_replica,
        ] {
            *sum = numbers.next().filter(|sum| *sum >= 0.0)?;
        }
        window.own = Own::read(numbers)?;
        for pairs in [&mut window.cohorts, &mut window.replicas] {
            let length = length(numbers.next()?, most)?;
            for _ in 0..length {
                pairs.push((numbers.next()?, numbers.next().filter(|sum| *sum >= 0.0)?));
            }
        }
        Some(window)
    }
}
