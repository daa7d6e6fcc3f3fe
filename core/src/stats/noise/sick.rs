//! Replicas of the baseline that are worse than the others: beside them, any canary looks good.

use libm::sqrt;

use super::sums::Noise;

/// From so much relative excess over the median on, in parts of 1 + the median.
const EXCESS: f64 = 0.4;
/// And so many standard deviations, the larger of what the others show and of chance.
const DEVIATIONS: f64 = 6.0;
/// With fewer expected events nothing is said: where most replicas have none, one event would be far more.
const ENOUGH: f64 = 5.0;
/// Of a normal distribution, the standard deviation beside the median absolute deviation.
const OF_NORMAL: f64 = 1.4826;

/// The places of replicas that have far more events than the others; never of those that have fewer.
///
/// Far is in median absolute deviations from the median (F. R. Hampel, Journal of the American Statistical
/// Association 69 (1974) 383); how many of them, and how much, comes from simulations.
///
/// To be asked after at least five intervals, of errors and of the threshold that half of the requests exceed; what
/// it finds is left out from the next interval on. So it knows the past only, and the guarantee of the first key
/// stays, as long as the replicas that are left share each interval's rate.
#[must_use]
pub fn sick<const J: usize>(noise: &Noise<J>) -> Vec<usize> {
    let mut excesses: Vec<f64> = noise.excesses().map(|(_, excess, _)| excess).collect();
    let Some(middle) = median(&mut excesses) else { return Vec::new() };
    excesses.iter_mut().for_each(|excess| *excess = (*excess - middle).abs());
    let spread = OF_NORMAL * median(&mut excesses).unwrap_or(0.0);
    let is_sick = |(_, excess, expected): &(usize, f64, f64)| {
        let beyond = excess - middle;
        let by_chance = sqrt((1.0 + middle).max(0.0) / expected);
        *expected >= ENOUGH && beyond > EXCESS * (1.0 + middle) && beyond > DEVIATIONS * spread.max(by_chance)
    };
    noise.excesses().filter(is_sick).map(|(place, ..)| place).collect()
}

fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    numbers.get(middle - 1).map(|lower| 0.5 * (lower + upper))
}
