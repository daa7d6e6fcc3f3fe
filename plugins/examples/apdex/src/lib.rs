//! Apdex from classic latency buckets: satisfied requests whole, tolerated ones half, of all.

use davy_plugin::{Buckets, Observed, metric, parameters};

parameters! {
    /// When users are satisfied.
    pub struct Patience {
        /// Seconds within which a request satisfies; best a bound of the buckets.
        target: f64,
        /// Seconds within which it is tolerated; four times the target unless given.
        tolerable: Option<f64> = None,
        /// Fewer requests than this say nothing.
        least: u64 = 1,
    }
}

metric! {
    name: "apdex", measures: value("1"), window: 1,
    summary: "Apdex of an interval's requests, from 0 (all frustrated) to 1 (all satisfied)",
    inputs: { latency: buckets "Cumulative buckets of latencies in seconds" },
    fn evaluate(patience: &Patience, seen: &Observed) -> Result<f64, String> {
        let buckets = seen.latest_buckets("latency").ok_or("replicas have different buckets, or none")?;
        if buckets.total < patience.least.max(1) {
            return Err(format!("{} requests are too few", buckets.total));
        }
        let satisfied = within(&buckets, patience.target)?;
        let tolerated = within(&buckets, patience.tolerable.unwrap_or(4.0 * patience.target))?;
        // Half of the tolerated ones, the satisfied not among them.
        let score = satisfied as f64 + tolerated.saturating_sub(satisfied) as f64 / 2.0;
        Ok(score / buckets.total as f64)
    }
}

/// Requests that certainly took no longer: those of the largest bound that is not above. Where no bound is at the limit the
/// score is too low, never too high.
fn within(buckets: &Buckets, limit: f64) -> Result<u64, String> {
    let known = buckets.at_most.iter().rfind(|(bound, _)| *bound <= limit);
    known.map(|(_, count)| *count).ok_or_else(|| format!("no bucket ends at or below {limit} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apdex(parameters: &str, at_most: &[(f64, u64)], total: u64) -> Result<davy_plugin::Outcome, String> {
        evaluate(parameters, &Observed::minutes(1).buckets("latency", at_most, total))
    }

    #[test]
    fn the_example_of_the_specification_is_three_quarters() {
        // Apdex 1.1: 100 samples, T = 3 s; 60 within 3 s, 30 between 3 and 12 s, 10 beyond.
        assert_eq!(apdex(r#"{ "target": 3 }"#, &[(3.0, 60), (12.0, 90)], 100), Ok(0.75.into()));
    }

    #[test]
    fn the_ends_of_the_scale_are_reached() {
        assert_eq!(apdex(r#"{ "target": 0.5 }"#, &[(0.5, 7), (2.0, 7)], 7), Ok(1.0.into()));
        assert_eq!(apdex(r#"{ "target": 0.5 }"#, &[(0.5, 0), (2.0, 0)], 7), Ok(0.0.into()));
    }

    #[test]
    fn a_limit_between_bounds_never_flatters() {
        let buckets = [(0.1, 10), (0.25, 50), (1.0, 90), (2.5, 100)];
        // 0.3 s counts what took 0.25 s, and 1.2 s what took 1 s.
        assert_eq!(apdex(r#"{ "target": 0.3 }"#, &buckets, 100), Ok(0.7.into()));
        assert_eq!(apdex(r#"{ "target": 0.25, "tolerable": 2.5 }"#, &buckets, 100), Ok(0.75.into()));
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        let buckets = [(0.1, 10)];
        assert_eq!(apdex(r#"{ "target": 0.05 }"#, &buckets, 10), Err("no bucket ends at or below 0.05 s".into()));
        assert_eq!(apdex(r#"{ "target": 1, "least": 50 }"#, &buckets, 10), Err("10 requests are too few".into()));
        assert_eq!(apdex(r#"{ "target": 1 }"#, &buckets, 0), Err("0 requests are too few".into()));
        assert!(apdex("{}", &buckets, 10).is_err(), "the target has no default");
        let mixed = Observed::minutes(1).buckets("latency", &[(0.1, 1)], 1).buckets("latency", &[(0.2, 1)], 1);
        assert!(evaluate(r#"{ "target": 1 }"#, &mixed).is_err());
    }

    #[test]
    fn replicas_are_added_up() {
        let seen = Observed::minutes(1).buckets("latency", &[(1.0, 10), (4.0, 10)], 10).buckets(
            "latency",
            &[(1.0, 0), (4.0, 10)],
            10,
        );
        assert_eq!(evaluate(r#"{ "target": 1 }"#, &seen), Ok(0.75.into()));
    }
}
