//! How much of a queue is free.

use davy_plugin::{Observed, metric, parameters};

parameters! {
    /// What counts as too full.
    pub struct Full {
        /// Length of the queue at which nothing is free.
        limit: f64 = 100.0,
    }
}

metric! {
    name: "queue-headroom", measures: value("1"), window: 1,
    summary: "How much of the queue is free, from 0 to 1",
    inputs: { depth: gauge "Length of the queue" },
    fn evaluate(full: &Full, seen: &Observed) -> Result<f64, String> {
        let depth = seen.latest_gauge("depth").ok_or("no depth was observed")?;
        Ok((1.0 - depth / full.limit).max(0.0))
    }
}

#[test]
fn a_queue_that_is_half_full_has_half_its_room() {
    assert_eq!(evaluate("{}", &Observed::minutes(1).gauge("depth", &[50.0])), Ok(0.5.into()));
}

#[test]
fn nothing_is_said_of_a_queue_that_was_not_seen() {
    assert_eq!(evaluate("{}", &Observed::minutes(1)), Err("no depth was observed".to_owned()));
}
