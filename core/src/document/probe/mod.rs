//! `kind: ProbeFlow` and `kind: ProbeLibrary`: synthetic journeys, and the parts that they share.

mod expect;
mod flow;
mod library;
mod matcher;
mod request;
mod step;
mod value;

pub use expect::{BodyExpectation, Expectations, Phases, TimeLimit, TlsExpectation};
pub use flow::{
    AddressPolicy, Backoff, BackoffKind, CookieScope, CrossHost, Defaults, Drift, DriftKind, FlowKind, FlowSpec,
    Import, Jitter, Keep, LocationMode, OnRetry, Overlap, ProbeFlow, ProbeMetadata, ProbeTarget, Quorum,
    RecordResponses, Redirects, Retry, Route, RunWindow, RunWindowKind, Schedule, Secret, SloBinding, TlsSettings,
    TlsVerify, TlsVersion,
};
pub use library::{Action, Input, LibraryKind, LibrarySpec, Output, ProbeLibrary};
pub use matcher::{JsonType, Match, Matcher};
pub use request::{Auth, BasicAuth, HttpMethod, Request};
pub use step::{Cache, CacheScope, Capture, CaptureType, Foreach, Poll, ProbeStep, StepSeverity, Until, When};
pub use value::{
    ByteSize, HttpVersion, Keyed, OneOrMany, RetryOn, SecretSource, StatusRange, Template, Tree, TreeValue,
};
