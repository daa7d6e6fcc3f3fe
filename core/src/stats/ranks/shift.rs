//! By how much one sample lies above another: the estimate of Hodges and Lehmann, and its interval.

use super::exact::quantile;
use super::{Alternative, Correction, RankTest, exceeded_with, zeroin};

/// A shift, and the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The estimate of Hodges and Lehmann, in the unit of the samples.
    pub estimate: f64,
    /// The lower end of the interval; minus infinity where only the upper one is asked for.
    pub lower: f64,
    /// The upper end; infinite where only the lower one is asked for.
    pub upper: f64,
}

impl RankTest {
    /// The shift for which the ranks, after it is taken from `x`, say nothing any more; the ends are those for which
    /// they say just as much as `confidence` asks. R's `wilcox.test(conf.int = TRUE, exact = FALSE)`.
    ///
    /// `tolerance` is how near roots are found, in the unit of the samples: R's `tol.root`. Nothing where all values
    /// of a sample are equal to all of the other after some shift, or for a confidence outside (0, 1).
    #[must_use]
    pub fn shift(
        &self,
        confidence: f64,
        alternative: Alternative,
        correction: Correction,
        tolerance: f64,
    ) -> Option<Shift> {
        let out = (1.0 - confidence) / if alternative == Alternative::Differs { 2.0 } else { 1.0 };
        if !(out > 0.0 && out < 1.0) {
            return None;
        }
        // A one-sided question is corrected to its own side.
        let ahead = match (correction, alternative) {
            (Correction::None, _) | (_, Alternative::Differs) => 0.0,
            (_, Alternative::Greater) => 0.5,
            (_, Alternative::Less) => -0.5,
        };
        let both = if alternative == Alternative::Differs { correction } else { Correction::None };
        let at = |by: f64| Some(self.z(by, both)? - ahead / self.moved(by).deviation);
        let span = self.span();
        let end = |quantile: f64| {
            if at(span.0)? <= quantile {
                return Some(span.0);
            }
            if at(span.1)? >= quantile {
                return Some(span.1);
            }
            zeroin(span, tolerance, |by| Some(at(by)? - quantile))
        };
        let quantile = exceeded_with(out);
        let (lower, upper) = match alternative {
            Alternative::Differs => (end(quantile)?, end(-quantile)?),
            Alternative::Greater => (end(quantile)?, f64::INFINITY),
            Alternative::Less => (f64::NEG_INFINITY, end(-quantile)?),
        };
        let estimate = zeroin(span, tolerance, |by| self.z(by, Correction::None))?;
        Some(Shift { estimate, lower, upper })
    }

    /// The median of all differences, and the interval whose ends are differences: exact for samples without ties.
    /// R's `wilcox.test(conf.int = TRUE, exact = TRUE)`.
    ///
    /// Nothing where values are equal or a sample has fifty values or more, or for a confidence outside (0, 1).
    #[must_use]
    pub fn exact_shift(&self, confidence: f64, alternative: Alternative) -> Option<Shift> {
        let out = (1.0 - confidence) / if alternative == Alternative::Differs { 2.0 } else { 1.0 };
        let (m, n) = self.exact_sizes()?;
        let lowest = quantile(m, n, out)?.max(1);
        let mut differences: Vec<f64> = self.x.iter().flat_map(|x| self.y.iter().map(move |y| x - y)).collect();
        differences.sort_unstable_by(f64::total_cmp);
        let middle = differences.len() / 2;
        let estimate = if differences.len() % 2 == 1 {
            *differences.get(middle)?
        } else {
            (differences.get(middle.checked_sub(1)?)? + differences.get(middle)?) / 2.0
        };
        let lower = *differences.get(lowest.checked_sub(1)?)?;
        let upper = *differences.get(differences.len().checked_sub(lowest)?)?;
        let (lower, upper) = match alternative {
            Alternative::Differs => (lower, upper),
            Alternative::Greater => (lower, f64::INFINITY),
            Alternative::Less => (f64::NEG_INFINITY, upper),
        };
        Some(Shift { estimate, lower, upper })
    }
}
