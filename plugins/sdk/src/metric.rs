//! Metrics: what they return, and the macro that makes one.

/// Bad events of all events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Bad events, at most `total`.
    pub bad: u64,
    /// All events.
    pub total: u64,
}

/// What a metric returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// A finite value.
    Value(f64),
    /// Counts.
    Counts(Counts),
}

impl From<f64> for Outcome {
    fn from(value: f64) -> Self {
        Self::Value(value)
    }
}

impl From<Counts> for Outcome {
    fn from(counts: Counts) -> Self {
        Self::Counts(counts)
    }
}

/// Makes a metric of a function: see the [crate's first page](crate).
///
/// It defines `describe()` and `evaluate(parameters, &observed)` for native tests, and on `wasm32` exports the world
/// `metric`. One per crate.
#[macro_export]
macro_rules! metric {
    (
        name: $name:literal, measures: $measures:ident $(($unit:literal))?, window: $window:literal,
        summary: $summary:literal,
        inputs: { $( $input:ident : $form:ident $($optional:ident)? $about:literal ),* $(,)? },
        fn evaluate($parameters:ident : &$Parameters:ty, $seen:ident : &$Seen:ty) -> Result<$Out:ty, String> $body:block
    ) => {
        /// What the metric says of itself.
        #[must_use]
        pub fn describe() -> $crate::MetricDescription {
            $crate::MetricDescription {
                name: $name,
                version: env!("CARGO_PKG_VERSION"),
                summary: $summary,
                measures: $crate::metric!(@measures $measures $($unit)?),
                window: $window,
                inputs: vec![$( $crate::Input {
                    name: stringify!($input),
                    summary: $about,
                    form: $crate::metric!(@form $form),
                    optional: $crate::metric!(@is_optional $($optional)?),
                } ),*],
                parameters: <$Parameters as $crate::Parameters>::schema(),
            }
        }

        /// Measures, with the parameters as JSON.
        ///
        /// # Errors
        /// Why nothing can be measured, in one sentence.
        pub fn evaluate(parameters: &str, seen: &$crate::Observed) -> Result<$crate::Outcome, String> {
            fn typed($parameters: &$Parameters, $seen: &$Seen) -> Result<$Out, String> $body
            typed(&<$Parameters as $crate::Parameters>::read(parameters)?, seen).map(Into::into)
        }

        #[cfg(target_arch = "wasm32")]
        $crate::export_metric!(describe, evaluate);
    };
    (@measures counts) => { $crate::Measures::Counts };
    (@measures value $unit:literal) => { $crate::Measures::Value($unit) };
    (@measures comparison $unit:literal) => { $crate::Measures::Comparison($unit) };
    (@form counts) => { $crate::Form::Counts };
    (@form events) => { $crate::Form::Events };
    (@form gauge) => { $crate::Form::Gauge };
    (@form buckets) => { $crate::Form::Buckets };
    (@form histogram) => { $crate::Form::Histogram };
    (@is_optional) => { false };
    (@is_optional optional) => { true };
}
