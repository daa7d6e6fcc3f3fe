//! The sum of all values, as a plugin of davy.

use davy_plugin::{Observed, Series, metric};

metric! {
    name: "sum", measures: value("1"), window: 1,
    summary: "The sum of all values",
    inputs: { samples: gauge "Values" },
    fn evaluate(_none: &(), seen: &Observed) -> Result<f64, String> {
        Ok(seen.of("samples").flat_map(Series::gauges).map(|(_, value)| value).sum())
    }
}
