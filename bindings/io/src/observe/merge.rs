//! Intervals from several origins, put together before they are judged.

use std::collections::BTreeMap;

use davy::{Instant, Interval, IntervalError, Observation};

/// Puts intervals of the same span together: observations from Prometheus, from files, and the host's own
/// events. An interval is judged once and whole, so this comes before the decision.
///
/// # Errors
/// [`IntervalError`] where two origins tell of the same metric, cohort and replica.
///
/// ```
/// use davy_io::{file, merge};
/// let of = |rows: &str| file::csv(format!("start,end,metric,cohort,events\n{rows}").as_bytes());
/// let restarts = of("2026-11-23T10:00:00Z,2026-11-23T10:00:30Z,restarts,canary,0")?;
/// let crashes = of("2026-11-23T10:00:00Z,2026-11-23T10:00:30Z,crashes,canary,2")?;
/// let whole = merge(restarts.into_iter().chain(crashes))?;
/// assert_eq!((whole.len(), whole[0].observations().len()), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn merge(intervals: impl IntoIterator<Item = Interval>) -> Result<Vec<Interval>, IntervalError> {
    let mut spans: BTreeMap<(Instant, Instant), Vec<Observation>> = BTreeMap::new();
    for interval in intervals {
        let all = spans.entry((interval.start(), interval.end())).or_default();
        all.extend_from_slice(interval.observations());
    }
    spans.into_iter().map(|((start, end), observations)| Interval::new(start, end, observations)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(second: i64, metric: &str) -> Interval {
        let json = format!(
            r#"{{"start":"{}","end":"{}","observations":[{{"metric":"{metric}","cohort":"canary","events":1}}]}}"#,
            Instant::from_millis(second * 1000),
            Instant::from_millis((second + 30) * 1000),
        );
        Interval::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn intervals_of_one_span_become_one() {
        let merged = merge([interval(30, "a"), interval(0, "b"), interval(30, "c")]).unwrap();
        let sizes: Vec<usize> = merged.iter().map(|interval| interval.observations().len()).collect();
        assert_eq!(sizes, [1, 2]);
        assert_eq!(merge([]).unwrap(), []);
    }

    #[test]
    fn two_origins_of_one_metric_are_an_error() {
        assert!(matches!(merge([interval(0, "a"), interval(0, "a")]), Err(IntervalError::Twice { .. })));
    }
}
