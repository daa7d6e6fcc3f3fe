//! The worlds as `wit-bindgen` sees them. `export_metric!` and `export_step!` tie a plugin's functions to them.
#![allow(missing_docs, clippy::all, unreachable_pub, unsafe_code, reason = "generated, for the macros alone")]

pub mod metric {
    wit_bindgen::generate!({
        path: "../wit",
        world: "metric",
        pub_export_macro: true,
        export_macro_name: "export_world_metric",
        default_bindings_module: "davy_plugin::bindings::metric",
    });
    pub use exports::davy::plugin::measure as world;

    impl From<world::Observed> for crate::Observed {
        fn from(seen: world::Observed) -> Self {
            let all = |series: Vec<world::Series>| series.into_iter().map(Into::into).collect();
            Self {
                start: seen.start,
                every: seen.every,
                window: seen.window,
                series: all(seen.series),
                baseline: all(seen.baseline),
            }
        }
    }

    impl From<world::Series> for crate::Series {
        fn from(series: world::Series) -> Self {
            let data = match series.data {
                world::Data::Counts(all) => crate::Data::Counts(
                    all.into_iter().map(|one| crate::Counts { bad: one.bad, total: one.total }).collect(),
                ),
                world::Data::Events(all) => crate::Data::Events(all),
                world::Data::Gauge(all) => crate::Data::Gauge(all),
                world::Data::Buckets(all) => crate::Data::Buckets(
                    all.into_iter().map(|one| crate::Buckets { at_most: one.at_most, total: one.total }).collect(),
                ),
                world::Data::Histogram(all) => crate::Data::Histogram(
                    all.into_iter()
                        .map(|one| crate::Histogram { schema: one.schema, zero: one.zero, buckets: one.buckets })
                        .collect(),
                ),
            };
            Self { input: series.input, replica: series.replica, at: series.at, data }
        }
    }

    impl From<crate::Outcome> for world::Outcome {
        fn from(outcome: crate::Outcome) -> Self {
            match outcome {
                crate::Outcome::Value(value) => Self::Value(value),
                crate::Outcome::Counts(counts) => Self::Counts(world::Counts { bad: counts.bad, total: counts.total }),
            }
        }
    }

    impl From<crate::MetricDescription> for world::Description {
        fn from(said: crate::MetricDescription) -> Self {
            let form = |form| match form {
                crate::Form::Counts => world::Form::Counts,
                crate::Form::Events => world::Form::Events,
                crate::Form::Gauge => world::Form::Gauge,
                crate::Form::Buckets => world::Form::Buckets,
                crate::Form::Histogram => world::Form::Histogram,
            };
            let input = |input: crate::Input| world::Input {
                name: input.name.to_owned(),
                summary: input.summary.to_owned(),
                form: form(input.form),
                optional: input.optional,
            };
            Self {
                name: said.name.to_owned(),
                version: said.version.to_owned(),
                summary: said.summary.to_owned(),
                measures: match said.measures {
                    crate::Measures::Counts => world::Measures::Counts,
                    crate::Measures::Value(unit) => world::Measures::Value(unit.to_owned()),
                    crate::Measures::Comparison(unit) => world::Measures::Comparison(unit.to_owned()),
                },
                window: said.window,
                inputs: said.inputs.into_iter().map(input).collect(),
                parameters: said.parameters,
            }
        }
    }
}

pub mod step {
    wit_bindgen::generate!({
        path: "../wit",
        world: "probe-step",
        pub_export_macro: true,
        export_macro_name: "export_world_step",
        default_bindings_module: "davy_plugin::bindings::step",
    });
    pub use exports::davy::plugin::step as world;

    impl From<world::Event> for crate::Event {
        fn from(event: world::Event) -> Self {
            match event {
                world::Event::Begin => Self::Begin,
                world::Event::Failed(kind) => Self::Failed(kind),
                world::Event::Answered(answer) => Self::Answered(crate::Response {
                    status: answer.status,
                    headers: answer.headers.into_iter().map(|header| (header.name, header.value)).collect(),
                    body: answer.body,
                    truncated: answer.truncated,
                    duration: answer.duration,
                }),
            }
        }
    }

    impl From<crate::Action> for world::Action {
        fn from(action: crate::Action) -> Self {
            match action {
                crate::Action::Send { state, request } => Self::Send(world::Next {
                    state,
                    request: world::Request {
                        method: request.method,
                        url: request.url,
                        headers: request
                            .headers
                            .into_iter()
                            .map(|(name, value)| world::Header { name, value })
                            .collect(),
                        body: request.body,
                    },
                }),
                crate::Action::Done(conclusion) => Self::Done(world::Conclusion {
                    checks: conclusion.checks.into_iter().map(Into::into).collect(),
                    captures: conclusion
                        .captures
                        .into_iter()
                        .map(|capture| world::Capture { name: capture.name, value: capture.value })
                        .collect(),
                }),
            }
        }
    }

    impl From<crate::Check> for world::Check {
        fn from(check: crate::Check) -> Self {
            Self {
                what: check.what,
                outcome: match check.verdict {
                    crate::Verdict::Pass => world::Outcome::Pass,
                    crate::Verdict::Degraded => world::Outcome::Degraded,
                    crate::Verdict::Fail => world::Outcome::Fail,
                },
                expected: check.expected,
                actual: check.actual,
            }
        }
    }

    impl From<crate::StepDescription> for world::Description {
        fn from(said: crate::StepDescription) -> Self {
            Self {
                name: said.name.to_owned(),
                version: said.version.to_owned(),
                summary: said.summary.to_owned(),
                parameters: said.parameters,
                captures: said.captures.into_iter().map(str::to_owned).collect(),
            }
        }
    }
}

#[macro_export]
macro_rules! export_metric {
    ($describe:ident, $evaluate:ident) => {
        const _: () = {
            struct Plugin;
            impl $crate::bindings::metric::world::Guest for Plugin {
                fn describe() -> $crate::bindings::metric::world::Description {
                    $describe().into()
                }
                fn evaluate(
                    parameters: String,
                    observed: $crate::bindings::metric::world::Observed,
                ) -> Result<$crate::bindings::metric::world::Outcome, String> {
                    $evaluate(&parameters, &observed.into()).map(Into::into)
                }
            }
    $crate::bindings::metric::export_world_metric!(Plugin with_types_in $crate::bindings::metric);
        };
    };
}

#[macro_export]
macro_rules! export_step {
    ($describe:ident, $turn:ident) => {
        const _: () = {
            struct Plugin;
            impl $crate::bindings::step::world::Guest for Plugin {
                fn describe() -> $crate::bindings::step::world::Description {
                    $describe().into()
                }
                fn turn(
                    at: $crate::bindings::step::world::Situation,
                    state: Vec<u8>,
                    event: $crate::bindings::step::world::Event,
                ) -> Result<$crate::bindings::step::world::Action, String> {
                    let situation = $crate::Situation {
                        base_url: at.base_url,
                        now: at.now,
                        random: at.random,
                        requests: at.requests,
                    };
                    $turn(&at.parameters, &situation, &state, &event.into()).map(Into::into)
                }
            }
    $crate::bindings::step::export_world_step!(Plugin with_types_in $crate::bindings::step);
        };
    };
}
