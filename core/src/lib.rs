//! Given what has been observed of a release, may it go further?
//!
//! `davy` is an embedded policy engine for progressive delivery. A host hands it what it observed
//! and gets back *proceed*, *hold*, *abort* or *roll back*, with every reason, what would have
//! changed it, and a record that can be replayed years later.
//!
//! ```
//! use davy::{Bundle, Engine, Snapshot, State};
//!
//! let bundle = Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;  // parse, check, lint
//! let engine = Engine::new(&bundle);                                                 // compile once, share
//! # let json = br#"{ "now": "2026-11-23T10:00:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
//! #   "since": "2026-11-23T10:00:00Z", "release": { "service": "checkout", "environment": "prod",
//! #   "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
//! let snapshot = Snapshot::from_json(json)?;
//! let state = State::new();                                                          // or what the last step left
//! let step = engine.decide(&state, &snapshot);                                       // pure, infallible
//! println!("{}", step.decision);                                                     // the sentence for 3 a.m.
//! let record = step.seal()?;                                                         // canonical bytes and digests
//! # record.replay(&engine, &state, &snapshot)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a decision is made
//!
//! A [`Bundle`] of documents compiles into an [`Engine`]: a set of gates. Each gate looks at one side
//! of the [`Snapshot`] and returns [`Finding`]s; the strictest is the [`Decision`]. Everything after
//! parsing is pure: no clock, network, files, threads, environment or randomness. Time is an argument.
//!
//! What survives between two looks is the [`State`]: hand back what the last step returned.
//!
//! The arithmetic of error budgets stands alone in [`slo`], that of change windows in [`calendar`], that of evidence in [`stats`],
//! Kayenta's judge in [`kayenta`]. [`testing`] tests policies.

mod agenda;
mod alerts;
mod bundle;
pub mod calendar;
mod canonical;
mod comparison;
mod count;
mod decide;
mod decision;
mod digest;
pub mod document;
mod engine;
mod gate;
pub mod kayenta;
mod learn;
mod lint;
mod name;
mod page;
pub mod plan;
pub mod plugin;
mod policy;
pub mod probe;
mod rate;
mod ratio;
mod record;
pub mod render;
mod requirements;
pub mod rule;
mod shadow;
pub mod slo;
mod snapshot;
mod starter;
mod state;
pub mod stats;
pub mod testing;
mod text;
mod time;

pub use agenda::{AgendaError, AgendaTooLong, ChangeStretch, ExplainedChange, WindowSpan};
pub use alerts::prometheus_rules;
pub use bundle::Bundle;
pub use canonical::{CanonicalError, canonical_json};
pub use comparison::{Comparison, Shadowed};
pub use count::{Count, CountError};
pub use decision::{
    Amount, Assumption, Bound, Burned, Cause, ChangeWindow, Condition, Decision, Finding, Flip, FlipBound, FlipOf,
    Guarantee, Hold, HoldKind, IgnoredOverride, Key, Limit, Method, NoFlip, NoiseSeen, Operand, Outcome, Outside,
    Reading, Standing, Unclear, Verdict, WindowRole, WindowSeen,
};
pub use digest::{Digest, DigestError};
pub use document::schema::{calendar_schema, policy_test_schema, probe_schema, rollout_schema};
pub use document::{BundleError, Diagnostic, Position, Severity};
pub use engine::{Engine, EngineBuilder, Step};
pub use gate::{ChangeOutlook, UnclearWindow};
pub use name::{Name, NameError};
pub use page::page;
pub use policy::{Budgeting, Calendars, Concerns, PlannedWindow, Query, Sli, SloQuery, Whom};
pub use probe::ProbeFlows;
pub use rate::{Rate, RateError};
pub use ratio::{Factor, RatioError, Share, Tolerance};
pub use record::{Inputs, Record, ReplayError, SEMANTICS};
pub use requirements::Requirement;
pub use rule::{Fact, FactError, Facts, Rule, RuleInput, RuleLanguage, rule_input_schema};
pub use shadow::ShadowError;
pub use snapshot::{
    Asked, Buckets, Cohort, Histogram, Interval, IntervalError, Missing, NoiseHistory, Observation, Observed, Override,
    OverrideAction, Part, Passed, ProbeResult, ProbeVerdict, Release, ReplicaStart, Running, Scope, Seen, Series,
    SeriesError, SeriesValues, SloWindow, Snapshot, SnapshotCode, SnapshotError, Stage, Target, Verification,
};
pub use starter::starter;
pub use state::State;
pub use text::{Text, TextError};
pub use time::{Duration, Instant, TimeError};

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
