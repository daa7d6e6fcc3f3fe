//! Published anytime-valid methods, for comparison: no decision rests on them.
//!
//! Each is what its authors call valid at every look, under conditions that a progressive rollout breaks: requests
//! that are alike over the *whole* rollout, or a split that never changes. Counts pooled over a ramp while traffic
//! drifts make "Simpson's paradox" of them. They stand here so that simulations can show what that costs, and as
//! library functions for experiments that do meet the conditions. Numbers agree with the authors' implementations.
//!
//! | what | for | needs |
//! |---|---|---|
//! | [`BetaBinomialMixture`], [`bernoulli_interval`] | a share of events | identical requests |
//! | [`GammaExponentialMixture`], [`poly_stitching`] | sums with light tails | a declared tail |
//! | [`FixedSplit`] | a comparison of counts | one split for the whole rollout |
//! | [`CdfBand`], [`quantile_stitching`], [`quantile_p_value`] | distributions and quantiles | identical requests |
//! | [`BoundedMean`], [`BettingCapital`] | means of values in [0, 1] | a constant mean |
//! | [`asymptotic_margin`] | means, in the limit of much data | a burn-in |

mod bounded;
mod mixture;
mod quantile;
mod split;
mod stitching;

pub use bounded::{BettingCapital, BoundedMean, asymptotic_margin};
pub use mixture::{BetaBinomialMixture, GammaExponentialMixture, bernoulli_interval};
pub use quantile::quantile_p_value;
pub use split::FixedSplit;
pub use stitching::{CdfBand, poly_stitching, quantile_stitching};
