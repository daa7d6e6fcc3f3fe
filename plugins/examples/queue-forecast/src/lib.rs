//! How full a queue will be: its trend over the last intervals, carried on.
//!
//! The trend is the median of the slopes between all pairs of intervals (Theil 1950, Sen 1968): a single spike does not bend
//! it, as it would a line of least squares.

use davy_plugin::{Observed, Series, metric, parameters};

parameters! {
    /// How much the queue takes, and how far ahead to look.
    pub struct Ahead {
        /// Length of the queue at which it is full.
        capacity: f64,
        /// How many minutes ahead.
        minutes: f64 = 30.0,
        /// The least number of intervals with a value.
        least: u32 = 5,
    }
}

metric! {
    name: "queue-forecast", measures: value("1"), window: 5,
    summary: "How full the fullest queue will be in a while, as a share of its capacity",
    inputs: { depth: gauge "Length of the queue, one series per queue" },
    fn evaluate(ahead: &Ahead, seen: &Observed) -> Result<f64, String> {
        if !(ahead.capacity > 0.0 && ahead.minutes >= 0.0) {
            return Err("a capacity is above 0, and nobody looks back with `minutes` below 0".to_owned());
        }
        let every = seen.every as f64 / 60_000.0;
        let queues = seen.of("depth").filter(|queue| queue.is_current(seen.window));
        let mut fullest: Option<f64> = None;
        for queue in queues {
            let length = forecast(queue, ahead.minutes / every, ahead.least)?;
            fullest = Some(fullest.map_or(length, |other| other.max(length)));
        }
        Ok(fullest.ok_or("no queue was observed")?.max(0.0) / ahead.capacity)
    }
}

/// The length so many intervals after the newest.
fn forecast(queue: &Series, intervals: f64, least: u32) -> Result<f64, String> {
    let points: Vec<(f64, f64)> = queue.gauges().map(|(at, value)| (f64::from(at), value)).collect();
    if points.len() < least.max(2) as usize {
        return Err(format!("{} values are too few for a trend", points.len()));
    }
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (index, (at, value)) in points.iter().enumerate() {
        slopes.extend(points.iter().skip(index + 1).map(|(later, then)| (then - value) / (later - at)));
    }
    let slope = median(&mut slopes);
    // The line's height is a median too: that of the values, each carried along the slope to the newest interval.
    let newest = points.last().map_or(0.0, |(at, _)| *at);
    let mut heights: Vec<f64> = points.iter().map(|(at, value)| value + slope * (newest - at)).collect();
    Ok(median(&mut heights) + slope * intervals)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 { at(middle) } else { (at(middle.wrapping_sub(1)) + at(middle)) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_plugin::{Data, Outcome};

    fn full(parameters: &str, depth: &[f64]) -> Result<f64, String> {
        let seen = Observed::minutes(depth.len() as u32).gauge("depth", depth);
        evaluate(parameters, &seen).map(|outcome| match outcome {
            Outcome::Value(value) => value,
            Outcome::Counts(_) => f64::NAN,
        })
    }

    #[test]
    fn a_straight_line_goes_on() {
        // 3 a minute from 10: after 5 minutes more it is 10 + 3 · 9 = 37 of 100.
        let depth = [10.0, 13.0, 16.0, 19.0, 22.0];
        assert_eq!(full(r#"{ "capacity": 100, "minutes": 5 }"#, &depth), Ok(0.37));
        assert_eq!(full(r#"{ "capacity": 100, "minutes": 0 }"#, &depth), Ok(0.22));
    }

    #[test]
    fn a_spike_does_not_bend_it() {
        let calm = full(r#"{ "capacity": 100, "minutes": 5 }"#, &[10.0; 9]);
        assert_eq!(calm, Ok(0.1));
        assert_eq!(
            full(r#"{ "capacity": 100, "minutes": 5 }"#, &[10.0, 10.0, 10.0, 95.0, 10.0, 10.0, 10.0, 10.0, 10.0]),
            calm
        );
    }

    #[test]
    fn the_slope_is_that_of_scipy() {
        // scipy.stats.theilslopes([4, 7, 3.5, 9, 8, 13.5], [0, 1, 2, 4, 5, 7]).slope
        let seen = Observed { window: 8, ..Observed::minutes(8) };
        let series = Series {
            input: "depth".to_owned(),
            replica: None,
            at: vec![0, 1, 2, 4, 5, 7],
            data: Data::Gauge(vec![4.0, 7.0, 3.5, 9.0, 8.0, 13.5]),
        };
        let at = |minutes: f64| {
            let seen = Observed { series: vec![series.clone()], ..seen.clone() };
            match evaluate(&format!(r#"{{ "capacity": 1, "minutes": {minutes} }}"#), &seen) {
                Ok(Outcome::Value(value)) => value,
                _ => f64::NAN,
            }
        };
        assert!((at(1.0) - at(0.0) - 1.25).abs() < 1e-12, "{}", at(1.0) - at(0.0));
    }

    #[test]
    fn the_fullest_queue_counts_and_none_is_below_empty() {
        let seen = Observed::minutes(5).with("depth", Some("a"), Data::Gauge(vec![5.0, 4.0, 3.0, 2.0, 1.0])).with(
            "depth",
            Some("b"),
            Data::Gauge(vec![20.0; 5]),
        );
        assert_eq!(evaluate(r#"{ "capacity": 40 }"#, &seen), Ok(0.5.into()));
        assert_eq!(full(r#"{ "capacity": 40 }"#, &[5.0, 4.0, 3.0, 2.0, 1.0]), Ok(0.0));
    }

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(full(r#"{ "capacity": 1 }"#, &[1.0; 4]), Err("4 values are too few for a trend".to_owned()));
        assert_eq!(full(r#"{ "capacity": 1 }"#, &[]), Err("no queue was observed".to_owned()));
        assert!(full(r#"{ "capacity": 0 }"#, &[1.0; 5]).is_err());
        assert!(full("{}", &[1.0; 5]).is_err());
    }
}
