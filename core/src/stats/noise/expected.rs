//! What the second key is expected to see, if every interval holds what it holds on average: for planning.

use libm::{erfc, exp, sqrt};

use super::estimate::{Declared, Estimate, Method, Seen};
use super::sums::{MOST_REPLICAS_U32, MOST_WINDOWS};
use super::window::{Interval, Window};
use crate::stats::growth::Traffic;
use crate::stats::process::Increment;

/// How much the events of one replica vary by themselves: relative standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Disturbance {
    /// From one interval to the next, without memory.
    pub spread: f64,
    /// The same with memory,
    pub drift: f64,
    /// whose correlation between neighbouring intervals this is, from 0 to 0.95.
    pub correlation: f64,
    /// Always different.
    pub offset: f64,
}

/// What one test is expected to have added up for the second key, and what that would show.
///
/// The sums are those of [`Noise`](super::Noise) with expected events in the place of events. By how much the variance
/// between replicas exceeds that of chance is what it does on average, where it does: a few replicas that are alike
/// seem to differ.
///
/// ```
/// use davy::stats::{Declared, Disturbance, ExpectedNoise, Grid, Method, RATIOS, RatioTest, Traffic};
///
/// let test = RatioTest::new(Grid::new(RATIOS)?, 1.1)?;
/// let traffic = Traffic::new((1250.0, 0.02), (23_750.0, 0.01))?;       // twice the errors, in 5 % of the traffic
/// let counted = |offset: f64| {
///     let mut noise = ExpectedNoise::new(10, Disturbance { offset, ..Disturbance::default() });
///     for _ in 0..60 {
///         noise.fold(1.1, 0, &traffic, 1, &test.growth(&traffic));
///     }
///     noise.estimate(0, 1.1, Declared::ERRORS).map(|estimate| (estimate.method, estimate.counted))
/// };
/// let (method, alike) = counted(0.0).expect("it began");
/// assert_eq!(method, Method::Replicas);
/// let (_, different) = counted(0.3).expect("it began");
/// assert!(alike > 4.0 * different, "{alike} {different}");             // ten replicas that are alike, and ten that are not
/// # Ok::<(), davy::stats::PlanError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedNoise<const J: usize> {
    replicas: u32,
    disturbance: Disturbance,
    windows: Vec<(Window<J>, Lasting)>,
}

/// What drift with memory adds up to over a window: with b the expected events of a replica,
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Lasting {
    /// `Σ ρ^(k−i)·b_i`,
    recent: f64,
    /// and `Σ ρ^|i−j|·b_i·b_j`.
    squares: f64,
}

/// The largest correlation between neighbours that is believed, as in what replicas show.
const MOST_CORRELATED: f64 = 0.95;

impl<const J: usize> ExpectedNoise<J> {
    /// Before the first interval; so many replicas of the baseline are told apart, 0 for none.
    #[must_use]
    pub fn new(replicas: u32, disturbance: Disturbance) -> Self {
        let replicas = replicas.min(MOST_REPLICAS_U32);
        Self { replicas, disturbance, windows: vec![(Window::new(), Lasting::default())] }
    }

    /// Takes in an interval of this traffic; `canary` is the number of the canary's replicas. The bound and the step are
    /// those of [`Noise::fold`](super::Noise::fold), the increment is the expected one.
    pub fn fold(&mut self, bound: f64, step: usize, traffic: &Traffic, canary: u32, increment: &Increment<J>) {
        let canary = canary.clamp(1, MOST_REPLICAS_U32);
        let interval = Interval::of(bound, traffic.canary(), traffic.baseline(), canary, &[]);
        self.fold_into(step, &interval, increment);
    }

    /// Takes in an interval of the canary alone, with so many events beside a number that is known, and its variance by
    /// chance.
    pub fn fold_known(&mut self, step: usize, events: f64, expected: f64, chance: f64, increment: &Increment<J>) {
        self.fold_into(step, &Interval::known(events, expected, chance), increment);
    }

    fn fold_into(&mut self, step: usize, interval: &Interval<'_>, increment: &Increment<J>) {
        let begun = step.saturating_add(1).min(MOST_WINDOWS);
        if self.windows.len() < begun {
            self.windows.resize_with(begun, || (Window::new(), Lasting::default()));
        }
        let replicas = f64::from(self.replicas);
        for (window, lasting) in &mut self.windows {
            window.fold_alike(increment, interval, replicas);
            let seat = if replicas > 0.0 { interval.baseline * interval.mean / replicas } else { 0.0 };
            lasting.recent = self.disturbance.correlation * lasting.recent + seat;
            lasting.squares += seat * (2.0 * lasting.recent - seat);
        }
    }

    /// What a window is expected to show, and its discounted evidence; nothing before it began.
    #[must_use]
    pub fn estimate(&self, window: usize, bound: f64, declared: Declared) -> Option<Estimate> {
        let (window, lasting) = self.windows.get(window)?;
        let replicas = usize::try_from(self.replicas).unwrap_or(usize::MAX);
        // A limit that is known is not compared with replicas.
        let replicas = if window.seat > 0.0 { replicas } else { 0 };
        let method = Method::of(replicas, false);
        let seen = if method == Method::Declared { self.of_canary(window) } else { self.of_replicas(window, *lasting) };
        Some(Estimate::by(method, window, Seen { replicas, ..seen }, bound, declared, None))
    }

    fn of_replicas(&self, window: &Window<J>, lasting: Lasting) -> Seen {
        let Disturbance { spread, drift, correlation, offset } = self.disturbance;
        let square = window.seat * window.seat;
        let by_noise =
            offset * offset + (spread * spread * window.seat_squares + drift * drift * lasting.squares) / square;
        let freedom = f64::from(self.replicas.saturating_sub(1));
        let interval_noise = spread * spread + drift * drift + offset * offset;
        // What is always different looks like drift with the longest memory.
        let lagged = correlation * drift * drift + offset * offset;
        Seen {
            replicas: 0,
            spread: window.seat_chance / square + excess(by_noise, window.seat_chance / square, freedom),
            interval_noise,
            correlation: if interval_noise > 0.0 { (lagged / interval_noise).min(MOST_CORRELATED) } else { 0.0 },
        }
    }

    /// What the canary's own intervals show: its replicas together vary less.
    fn of_canary(&self, window: &Window<J>) -> Seen {
        let Disturbance { spread, drift, correlation, .. } = self.disturbance;
        let alone = spread * spread + drift * drift;
        let shared = if window.squares > 0.0 { window.squares_per_replica / window.squares } else { 1.0 };
        let known = window.own.intervals() > 1 && alone > 0.0;
        Seen {
            replicas: 0,
            spread: 0.0,
            interval_noise: if known { alone * shared } else { 0.0 },
            correlation: if known { correlation * drift * drift / alone } else { 0.0 },
        }
    }
}

/// By how much an estimate of a variance, with so many degrees of freedom, exceeds what chance makes of it: the mean of
/// `max(0, s² − v0)`, with s² about normal around v0 and the noise.
fn excess(noise: f64, by_chance: f64, freedom: f64) -> f64 {
    let deviation = sqrt(2.0 / freedom.max(1.0)) * (noise + by_chance);
    if deviation <= 0.0 {
        return noise;
    }
    let z = noise / deviation;
    let density = exp(-0.5 * z * z) / sqrt(std::f64::consts::TAU);
    noise * 0.5 * erfc(-z / std::f64::consts::SQRT_2) + deviation * density
}
