//! The documents of a bundle: their language, how they are read, and what is wrong with them.

mod declare;
pub(crate) mod decode;
pub(crate) mod diagnostic;
mod health;
mod later;
mod rollout;
pub(crate) mod schema;
pub(crate) mod yaml;

pub use decode::{Named, Spanned};
pub use diagnostic::{BundleError, Diagnostic, DiagnosticCode, Position, Severity};
pub use health::{
    ArgoCondition, ArgoLimit, ArgoSettings, FlaggerSettings, Health, Importance, Judge, Limit, Metric, NoData,
    OnInconclusive, Points, PointsError, Quantile, QuantileError, ScoreLimits,
};
pub use later::{Attestation, Budget, Burn, BurnOutcome, Trust};
pub(crate) use rollout::LONGEST_WAIVER;
pub use rollout::{
    AfterHold, ApiVersion, Bake, BakeReference, BlastRadius, CountedHold, Degraded, Dependency, Environment, HoldLimit,
    Kind, Metadata, OverridePolicy, ProbeRequirement, Rollout, Source, Spec, Step,
};
