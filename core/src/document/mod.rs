//! The documents of a bundle: their language, how they are read, and what is wrong with them.

mod budget;
mod calendar;
pub(crate) mod data;
mod declare;
pub(crate) mod decode;
pub(crate) mod diagnostic;
mod expected;
mod extension;
mod health;
mod kayenta;
mod later;
mod openslo;
mod plugin;
mod policy_test;
pub mod probe;
mod rollout;
mod rules;
pub(crate) mod schema;
pub(crate) mod yaml;

pub use budget::{Budget, Burn, BurnOutcome, ThinTraffic};
pub(crate) use calendar::weekday_bits;
pub use calendar::{
    CalendarDocument, CalendarKind, CalendarScope, CalendarSpec, CalendarWindow, Combine, DateRange, DurationMode,
    FoldRule, GapRule, GatedMoment, Glob, PrecedenceRule, Selector, TimeOfDay, Weekday, WeeklyRange, WindowKind,
    ZoneName,
};
pub use data::Data;
pub use decode::{Named, Spanned};
pub use diagnostic::{BundleError, Diagnostic, DiagnosticCode, Position, Severity, did_you_mean};
pub use expected::Expected;
pub use extension::Extensions;
pub use health::{
    ArgoCondition, ArgoLimit, ArgoSettings, FlaggerSettings, Health, Importance, Judge, JudgeBeside, Limit, Metric,
    NoData, OnInconclusive, Points, PointsError, Quantile, QuantileError, ScoreLimits,
};
pub use kayenta::{
    KayentaDirection, KayentaEffectSize, KayentaMeasure, KayentaMetric, KayentaNanStrategy, KayentaOutlierStrategy,
    KayentaOutliers, KayentaSettings,
};
pub use later::{Attestation, Trust};
pub(crate) use openslo::SloDocuments;
pub use openslo::{
    AlertConditionDocument, AlertConditionEntry, AlertConditionKind, AlertConditionSpec, AlertPolicyDocument,
    AlertPolicyEntry, AlertPolicyKind, AlertPolicySpec, BudgetingMethod, BurnCondition, CalendarStart, ConditionKind,
    DataSourceDocument, DataSourceKind, DataSourceSpec, ExtensibleMetadata, Free, MetricHolder, MetricSource, Notes,
    NotificationTargetDocument, NotificationTargetKind, NotificationTargetSpec, Number, Objective, OpenSloKind,
    OpenSloVersion, Operator, PlainMetadata, RatioMetric, RawType, ServiceDocument, ServiceKind, ServiceSpec,
    SliDocument, SliKind, SliSpec, SliceLength, SloDocument, SloDuration, SloKind, SloSpec, TargetFraction,
    TargetPercent, TimeWindow,
};
pub use plugin::{Form, Measures, MetricInputQuery, MetricPluginUse, OnFault, Parameters, StepPluginUse};
pub use policy_test::{
    CarriedState, Expectation, ExpectedFinding, ExpectedHold, ExpectedOutcome, ExpectedStanding, ExpectedVerdict,
    PolicyTestDocument, PolicyTestKind, PolicyTestMetadata, PolicyTestSpec, SharedSnapshot, TestCase, TestLook,
    TestSpan,
};
pub(crate) use rollout::LONGEST_WAIVER;
pub use rollout::{
    AfterHold, ApiVersion, Bake, BakeReference, BlastRadius, CountedHold, Degraded, Dependency, Environment, HoldLimit,
    Kind, Metadata, OverridePolicy, ProbeRequirement, Rollout, Source, Spec, Step,
};
pub use rules::{RuleEntry, RuleOutcome};
