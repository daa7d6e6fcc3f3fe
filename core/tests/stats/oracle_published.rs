//! Numbers of confseq and SciPy for the published methods that are compared with.

use davy::Count;
use davy::stats::Sides;
use davy::stats::published::{
    BetaBinomialMixture, BettingCapital, BoundedMean, CdfBand, FixedSplit, GammaExponentialMixture, asymptotic_margin,
    bernoulli_interval, poly_stitching, quantile_p_value, quantile_stitching,
};
use serde_json::Value;

use crate::oracle::{agree, cases, family, number, numbers, sides};

fn count(value: &Value) -> Count {
    Count::new(value.as_u64().unwrap()).unwrap()
}

#[test]
fn beta_binomial_mixtures() {
    for case in cases(&family("confseq_beta_binomial")) {
        let [s, v, v_opt, g, h, alpha] = ["s", "v", "v_opt", "g", "h", "alpha_opt"].map(|name| number(&case[name]));
        let mixture = BetaBinomialMixture::tuned(v_opt, alpha, g, h, sides(&case["one_sided"])).unwrap();
        agree(mixture.log_e(s, v), number(&case["log_mixture"]), case);
        agree(mixture.bound(v, alpha), number(&case["bound_alpha_opt"]), case);
    }
}

#[test]
fn gamma_exponential_mixtures() {
    for case in cases(&family("confseq_gamma_exponential")) {
        let [s, v, v_opt, c, alpha] = ["s", "v", "v_opt", "c", "alpha_opt"].map(|name| number(&case[name]));
        let mixture = GammaExponentialMixture::tuned(v_opt, alpha, c).unwrap();
        agree(mixture.log_e(s, v), number(&case["log_mixture"]), case);
        agree(mixture.bound(v, alpha), number(&case["bound"]), case);
    }
}

#[test]
fn stitched_bounds() {
    for case in cases(&family("confseq_poly_stitching")) {
        let [v, alpha, v_min, c, s, eta] = ["v", "alpha", "v_min", "c", "s", "eta"].map(|name| number(&case[name]));
        agree(poly_stitching(v, alpha, v_min, c, s, eta), number(&case["bound"]), case);
    }
    for case in cases(&family("confseq_double_stitching_quantile")) {
        let [p, t, alpha, t_opt, delta, s, eta] =
            ["p", "t", "alpha", "t_opt", "delta", "s", "eta"].map(|name| number(&case[name]));
        agree(quantile_stitching(p, t, alpha, t_opt, delta, s, eta), number(&case["bound_count"]), case);
    }
}

#[test]
fn shares_of_events() {
    for case in cases(&family("confseq_bernoulli_ci")) {
        let (alpha, tuned_for) = (number(&case["alpha"]), number(&case["t_opt"]));
        let (low, high) =
            bernoulli_interval(count(&case["successes"]), count(&case["trials"]), alpha, tuned_for).unwrap();
        let [expected_low, expected_high] = [0, 1].map(|end| number(&case["ci"][end]));
        agree(low, expected_low, case);
        agree(high, expected_high, case);
    }
}

#[test]
fn bands_around_distributions() {
    for case in cases(&family("confseq_empirical_process_lil")) {
        let [t, alpha, t_min, a] = ["t", "alpha", "t_min", "A"].map(|name| number(&case[name]));
        let band = CdfBand::new(alpha, t_min, a).unwrap();
        agree(band.c(), number(&case["C_ours"]), case);
        agree(band.radius(t), number(&case["bound"]), case);
        assert!(band.radius(t_min - 0.5).is_infinite());
    }
}

#[test]
fn quantiles_of_two_arms() {
    for case in cases(&family("confseq_quantile_ab")) {
        let [a, b] = ["a", "b"].map(|name| numbers(&case[name]));
        let [quantile, t_opt, alpha] = ["quantile", "t_opt", "alpha_opt"].map(|name| number(&case[name]));
        let p = quantile_p_value([&a, &b], quantile, t_opt, alpha).unwrap();
        agree(p, number(&case["p_value"]), &(quantile, a.len(), b.len()));
    }
}

#[test]
fn empirical_bernstein_limits() {
    let case = family("empirical_bernstein_cs");
    let mut mean = BoundedMean::new(2.0 * number(&case["alpha_each_side"]));
    assert_eq!(mean.limits(), (0.0, 1.0));
    let limits = numbers(&case["lower"]).into_iter().zip(numbers(&case["upper"]));
    for (x, (lower, upper)) in numbers(&case["x"]).into_iter().zip(limits) {
        mean.fold(x);
        agree(mean.limits().0, lower, &x);
        agree(mean.limits().1, upper, &x);
    }
}

#[test]
fn betting_capital() {
    let values = numbers(&family("empirical_bernstein_cs")["x"]);
    for case in cases(&family("betting_martingale")) {
        let mut capital = BettingCapital::new(number(&case["m"]), number(&case["alpha"]));
        for (x, expected) in values.iter().zip(numbers(&case["mart"])) {
            capital.fold(*x);
            agree(capital.e(), expected, case);
        }
    }
}

#[test]
fn counts_at_a_fixed_split() {
    for case in cases(&family("beta_binomial_conditional")) {
        let [theta, a, b] = ["theta0", "a0", "b0"].map(|name| number(&case[name]));
        let split = FixedSplit::new(theta, a, b).unwrap();
        let log_e = |sides| split.log_e(count(&case["xC"]), count(&case["xB"]), sides);
        agree(log_e(Sides::Two), number(&case["log_e_two_sided"]), case);
        agree(log_e(Sides::One), number(&case["log_e_one_sided_gt"]), case);
    }
}

#[test]
fn asymptotic_margins() {
    for case in cases(&family("asymptotic_cs")) {
        let [t, var, rho2, alpha] = ["t", "var", "rho2", "alpha"].map(|name| number(&case[name]));
        agree(asymptotic_margin(t, var, rho2, alpha), number(&case["margin_two_sided"]), case);
    }
}
