//! Since when a regression may have lasted: weights over the start times.
//!
//! A process that multiplies increments from the first interval on looks at a late regression through all
//! the healthy intervals before it. So evidence is mixed over its start: a share γ_k of the bet begins at
//! interval k, and what has not begun is kept aside. The shares are fixed beforehand and add up to 1, so the
//! mixture remains a nonnegative supermartingale that begins at 1, and the guarantee is one over the whole
//! rollout. That is unlike CUSUM and the e-detectors of J. Shin, A. Ramdas, A. Rinaldo, "E-detectors" (2022),
//! which bound only how often they alarm. The recursion is that of Shiryaev and Roberts with weights: M. Pollak,
//! Annals of Statistics 13 (1985) 206; A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics
//! and safe anytime-valid inference" (2023).

use std::num::NonZeroU32;

use libm::log;

/// How the bet is spread over the intervals at which a regression may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// All of it at the first interval: for what must hold over the whole rollout, such as non-inferiority.
    First,
    /// Half of it at the first, half evenly over so many planned intervals, none later.
    Within(NonZeroU32),
    /// Half of it at the first, a quarter evenly over so many planned intervals, and a quarter over all
    /// later ones, as thin as `1/(k ln² k)`: for rollouts that may be held longer than planned.
    Open(NonZeroU32),
}

impl Starts {
    /// γ: the share that begins with the interval after `folded` others.
    pub(super) fn beginning(self, folded: u32) -> f64 {
        let first = if folded == 0 { 1.0 } else { 0.0 };
        match self {
            Self::First => first,
            Self::Within(planned) => 0.5 * first + evenly(0.5, folded, planned),
            Self::Open(planned) if folded < planned.get() => 0.5 * first + evenly(0.25, folded, planned),
            Self::Open(planned) => thinning(folded, planned) - thinning(folded.saturating_add(1), planned),
        }
    }

    /// The share that has not begun after `folded` intervals.
    pub(super) fn kept_aside(self, folded: u32) -> f64 {
        let left = |share: f64, planned: NonZeroU32| {
            share * f64::from(planned.get().saturating_sub(folded)) / f64::from(planned.get())
        };
        match self {
            _ if folded == 0 => 1.0,
            Self::First => 0.0,
            Self::Within(planned) => left(0.5, planned),
            Self::Open(planned) if folded < planned.get() => 0.25 + left(0.25, planned),
            Self::Open(planned) => thinning(folded, planned),
        }
    }
}

fn evenly(share: f64, folded: u32, planned: NonZeroU32) -> f64 {
    if folded < planned.get() { share / f64::from(planned.get()) } else { 0.0 }
}

/// What is left of a quarter after `folded` intervals, at least the planned ones. Differences of it add up to
/// the quarter by themselves, and are `1/(k ln² k)` in the limit.
fn thinning(folded: u32, planned: NonZeroU32) -> f64 {
    0.25 * log(f64::from(planned.get()) + 2.0) / log(f64::from(folded) + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_and_what_is_kept_aside_add_up_to_one() {
        let planned = |intervals| NonZeroU32::new(intervals).unwrap();
        let all = [
            Starts::First,
            Starts::Within(planned(1)),
            Starts::Within(planned(60)),
            Starts::Open(planned(1)),
            Starts::Open(planned(60)),
        ];
        for starts in all {
            let mut begun = 0.0;
            for folded in 0..5000 {
                assert!((begun + starts.kept_aside(folded) - 1.0).abs() < 1e-12, "{starts:?} {folded}");
                let beginning = starts.beginning(folded);
                assert!(beginning >= 0.0);
                begun += beginning;
            }
        }
    }

    #[test]
    fn an_open_end_leaves_something_for_every_interval() {
        let starts = Starts::Open(NonZeroU32::new(60).unwrap());
        assert!((0..200_000).all(|folded| starts.beginning(folded) > 1e-9));
        assert_eq!(Starts::Within(NonZeroU32::new(60).unwrap()).beginning(60).to_bits(), 0);
        assert!(starts.beginning(u32::MAX) >= 0.0 && starts.kept_aside(u32::MAX) > 0.0);
    }
}
