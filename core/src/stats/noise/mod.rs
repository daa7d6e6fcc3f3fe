//! The second key of an abort: the same evidence, discounted by the noise that replicas show.
//!
//! Requests are not independent. Pods differ, intervals are correlated, nodes are slow, and a test of requests takes
//! that for harm the more surely the more traffic there is. So an abort needs two keys:
//!
//! 1. the e-process, exact for independent requests, by its running maximum;
//! 2. the logarithms of the same likelihood ratios, multiplied by a factor κ before they are mixed: the part of their
//!    variance that is chance among requests, saturated as Student's t is for a variance that was itself estimated.
//!
//! An abort is then false with probability at most α if *either* requests are independent, which is proved, whatever
//! the second key does; *or* replicas differ like Gaussian random effects, which is simulated. Beside an outage, whose
//! own intervals are not discounted, only the first of these holds: see [`is_outage`].
//!
//! # Where the noise is seen
//!
//! | [`Method`] | from | when |
//! |---|---|---|
//! | `Replicas` | how the baseline's replicas differ | at least 8 of them |
//! | `FewReplicas` | the same, with degrees of freedom that also doubt what chance seems to explain | 3 to 7 |
//! | `History` | how they differed in past rollouts, pooled with today | at least 2, and 20 rollouts |
//! | `Declared` | the canary's own intervals, and noise that is assumed | otherwise: outside the guarantee |
//!
//! # Sums
//!
//! With n, x the requests and events of an interval, C the canary, B the baseline, r a replica of it, J and K the
//! numbers of replicas, `μ = xB/nB` and `w = nC·μ` what the canary's share of events would be, a window adds up
//!
//! ```text
//! E += w                           O += xC                       L_g += log e(g)
//! VPc += nC·μ·(1 − min(1, ρ0·μ))   VPb += nC²·μ(1−μ)/nB
//! R_r += x_r − n_r·μ               e_r += n_r·μ
//! B1 += nB·μ/K                     B2 += (nB·μ/K)²               Vb += nB/K·μ(1−μ)
//! W2 += w²                         W2J += w²/J                   share_c += w/J of every cohort c of the canary
//! ```
//!
//! One window spans everything; another begins at each step of the ramp, for what begins late. The noise of single
//! intervals is estimated over the whole rollout, from the residuals `x_r − n_r·μ` and their products with those of
//! the interval before. From these, `y_r = R_r/e_r` and its variance s² over replicas,
//!
//! ```text
//! vP = ρ0·VPc + ρ0²·VPb            c = ρ0²·(max(Σ ΔJ_c·share_c²/E², W2J/W2) + 1/K)
//! v0 = Vb/B1²                      F = max(1, (W2/E²)/(B2/B1²))
//! τ = max(F·max(0, s² − v0), σ²·(1+ρ)/(1−ρ)·W2/E²)
//! V = vP + c·E²·τ                  κ from vP/V with ν degrees of freedom
//! ```
//!
//! In the limit of equal traffic where replicas differ by much more than chance, one window and one look, T² is
//! exactly the square of Student's t, and `P(κ·L ≥ ln 1/a) ≤ 0.13·a`. Over sixty looks the factor is at most
//! [`strictness`], by simulation. Between these limits the degrees of freedom are F. E. Satterthwaite's (1946), an
//! approximation. For a single canary replica, anything valid under mere exchangeability of replicas finds nothing
//! at 1 % with fewer than 99 of them; so some model is needed, and this is the weakest that works with three.
//!
//! `(1+ρ)/(1−ρ)` is by how much noise of which neighbours are alike exceeds noise of which they are not, over many
//! intervals: M. S. Bartlett, Journal of the Royal Statistical Society 98 (1935) 536. Past rollouts are pooled with
//! today's replicas as prior degrees of freedom: G. K. Smyth, Statistical Applications in Genetics and Molecular
//! Biology 3 (2004) 3. F, and that the larger of two estimates is taken, are of the simulations alone.

mod estimate;
mod expected;
mod outage;
mod own;
mod saturation;
mod sick;
mod sums;
mod window;
mod within;

pub use estimate::{Declared, Estimate, FEW_REPLICAS, HISTORY_ROLLOUTS, MANY_REPLICAS, Method, strictness};
pub use expected::{Disturbance, ExpectedNoise};
pub use outage::is_outage;
pub(super) use outage::is_outage_of;
pub use saturation::discount;
pub use sick::sick;
pub use sums::{ByReplica, MOST_WINDOWS, Noise};
