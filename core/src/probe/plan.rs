//! A compiled flow: what a run executes. Paths, patterns and references are resolved; nothing is looked up by name.

use std::sync::Arc;

use regex::Regex;
use serde_json_path::JsonPath;

use super::language::{Expectation, ExpectationKey};
use super::template::{Body, Text};
use super::url::Url;
use super::windows::RunWindows;
use crate::document::probe::{
    AddressPolicy, BackoffKind, CacheScope, CookieScope, CrossHost, DriftKind, HttpMethod, HttpVersion, JsonType, Keep,
    OnRetry, Overlap, RetryOn, SecretSource, StatusRange, StepSeverity, TlsVerify, TlsVersion,
};
use crate::document::{Position, StepPluginUse};
use crate::plugin::StepUse;
use crate::slo::Target as Objective;
use crate::{Digest, Duration, Factor, Instant, Name, Share};

/// A compiled flow, immutable and cheap to share. [`crate::ProbeFlows`] makes it.
#[derive(Debug)]
pub struct Plan {
    pub(crate) name: Name,
    pub(crate) position: Position,
    pub(crate) digest: Digest,
    pub(crate) targets: Vec<TargetPlan>,
    pub(crate) slots: Vec<SlotPlan>,
    pub(crate) secrets: Vec<SecretPlan>,
    pub(crate) ops: Vec<Op>,
    /// Where the journey begins in `ops`, and where the teardown does.
    pub(crate) steps_from: usize,
    pub(crate) teardown_from: usize,
    pub(crate) steps: Vec<StepPlan>,
    pub(crate) groups: Vec<GroupPlan>,
    pub(crate) cookies: CookieScope,
    pub(crate) schedule: Option<SchedulePlan>,
    pub(crate) timeout: Duration,
    pub(crate) teardown_timeout: Duration,
    pub(crate) slos: Vec<SloPlan>,
    pub(crate) keep: Keep,
    pub(crate) sample: Share,
    pub(crate) redact_headers: Vec<String>,
    pub(crate) redact_paths: Vec<Path>,
    pub(crate) drift: Option<DriftPlan>,
}

/// Slots that every run fills by itself, before those of the flow.
pub(crate) const TARGET_NAME: usize = 0;
pub(crate) const TARGET_BASE_URL: usize = 1;
pub(crate) const RUN_ID: usize = 2;
pub(crate) const RUN_LOCATION: usize = 3;

/// A place for a value.
#[derive(Debug, Clone)]
pub(crate) struct SlotPlan {
    pub(crate) name: String,
    pub(crate) secret: bool,
}

#[derive(Debug)]
pub(crate) struct SecretPlan {
    pub(crate) name: Name,
    pub(crate) source: SecretSource,
    pub(crate) slot: usize,
}

#[derive(Debug)]
pub(crate) struct TargetPlan {
    pub(crate) name: Name,
    pub(crate) base_url: Url,
    /// Hosts that may be spoken to, that of the base included.
    pub(crate) hosts: Vec<String>,
    pub(crate) policy: AddressPolicy,
    pub(crate) tls_min_version: TlsVersion,
    pub(crate) tls_verify: TlsVerify,
    /// Slots and their values.
    pub(crate) vars: Vec<(usize, String)>,
    pub(crate) canary: Option<RoutePlan>,
    pub(crate) baseline: Option<RoutePlan>,
}

#[derive(Debug, Clone)]
pub(crate) struct RoutePlan {
    pub(crate) headers: Vec<(String, Text)>,
    pub(crate) base_url: Option<Url>,
    pub(crate) connect_to: Option<String>,
}

/// One thing to do. Targets of jumps are indices of ops.
#[derive(Debug)]
pub(crate) enum Op {
    /// Ask.
    Request(usize),
    /// Gives a slot a value.
    Set { slot: usize, value: Text },
    /// Goes on behind `end` unless the condition holds; the steps in between are skipped.
    When { value: Text, tests: Vec<Test>, end: usize },
    /// Runs up to `end` for each item.
    Each { slot: usize, items: Items, max: u64, end: usize, label: String, position: Position },
    /// The end of [`Op::Each`].
    Next { each: usize },
    /// Takes the results of a group from the cache, if they are there.
    Enter { group: usize, end: usize },
    /// Keeps the results of a group.
    Leave { group: usize },
}

#[derive(Debug)]
pub(crate) enum Items {
    In(Vec<Text>),
    From(Text),
}

/// A shared action whose results are cached.
#[derive(Debug)]
pub(crate) struct GroupPlan {
    /// Which op enters it.
    pub(crate) enter: usize,
    pub(crate) key: String,
    pub(crate) ttl: Duration,
    pub(crate) scope: CacheScope,
    /// What its results depend on.
    pub(crate) inputs: Vec<usize>,
    pub(crate) outputs: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct StepPlan {
    /// With the names of the actions that it is part of: `session/token`.
    pub(crate) id: String,
    pub(crate) position: Position,
    pub(crate) severity: StepSeverity,
    /// What it asks; of a custom step, nothing.
    pub(crate) request: Option<RequestPlan>,
    /// The plugin that takes its turns.
    pub(crate) custom: Option<CustomPlan>,
    pub(crate) checks: Vec<Check>,
    pub(crate) captures: Vec<CapturePlan>,
    pub(crate) poll: Option<PollPlan>,
    pub(crate) retry: RetryPlan,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_body: u64,
    pub(crate) redirects: u64,
    pub(crate) cross_host: CrossHost,
}

impl Plan {
    /// The steps that plugins take.
    pub fn plugins(&self) -> impl Iterator<Item = StepUse<'_>> {
        self.steps.iter().filter_map(|step| {
            let custom = step.custom.as_ref()?;
            Some(StepUse { step: &step.id, document: &custom.document, digest: custom.plugin })
        })
    }
}

/// A step that a plugin takes.
#[derive(Debug)]
pub(crate) struct CustomPlan {
    pub(crate) plugin: Option<Digest>,
    pub(crate) native: Option<Name>,
    /// As the document has it, for what only the plugin itself can check.
    pub(crate) document: StepPluginUse,
    pub(crate) parameters: Body,
    /// Names and slots.
    pub(crate) captures: Vec<(String, usize)>,
    /// The most requests.
    pub(crate) turns: u32,
}

#[derive(Debug)]
pub(crate) struct RequestPlan {
    pub(crate) method: HttpMethod,
    pub(crate) place: Place,
    pub(crate) query: Vec<(String, Text)>,
    pub(crate) headers: Vec<(String, Text)>,
    pub(crate) auth: Option<AuthPlan>,
    pub(crate) body: Option<BodyPlan>,
    pub(crate) idempotency_key: bool,
}

#[derive(Debug)]
pub(crate) enum Place {
    Path(Text),
    Url(Text),
}

#[derive(Debug)]
pub(crate) enum AuthPlan {
    Basic { user: Text, password: Text },
    Bearer(Text),
}

#[derive(Debug)]
pub(crate) enum BodyPlan {
    Json(Body),
    Form(Vec<(Text, Text)>),
    Text(Text),
}

#[derive(Debug)]
pub(crate) struct PollPlan {
    pub(crate) until: Vec<Check>,
    pub(crate) every: Duration,
    pub(crate) max: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct RetryPlan {
    pub(crate) attempts: u32,
    pub(crate) kind: BackoffKind,
    pub(crate) base: Duration,
    pub(crate) factor: Factor,
    pub(crate) max: Duration,
    pub(crate) full_jitter: bool,
    pub(crate) on: Vec<RetryOn>,
    pub(crate) respect_retry_after: bool,
    pub(crate) max_elapsed: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct CapturePlan {
    pub(crate) name: Name,
    pub(crate) position: Position,
    pub(crate) slot: usize,
    pub(crate) from: Source,
    pub(crate) pattern: Option<Regex>,
    pub(crate) of_type: Option<JsonType>,
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) enum Source {
    Path(Path),
    Header(String),
    Cookie(String),
    Body,
}

/// A compiled path of RFC 9535.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) text: Arc<str>,
    pub(crate) path: JsonPath,
}

/// One expectation on one subject.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) position: Position,
    pub(crate) test: CheckTest,
}

#[derive(Debug)]
pub(crate) enum CheckTest {
    Status(Vec<StatusRange>),
    Header(String, Test),
    Cookie(String, Test),
    Json(Path, Test),
    BodyEquals(String),
    BodyContains(String),
    BodyRegex(Regex),
    BodyDigest(Digest),
    BodyAtLeast(u64),
    BodyAtMost(u64),
    Time { of: Phase, fail_above: Option<Duration>, degraded_above: Option<Duration> },
    TlsDays { fail_below: Option<u64>, degraded_below: Option<u64> },
    TlsVersion(TlsVersion),
    HttpVersion(HttpVersion),
    Redirects(Test),
    Foreign(Foreign),
}

/// An expectation in a language of its own; not compiled where nobody has said which languages there are.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) key: ExpectationKey,
    pub(crate) shown: String,
    pub(crate) compiled: Option<Arc<dyn Expectation>>,
}

/// What a time limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Whole,
    Dns,
    Connect,
    Tls,
    Send,
    Wait,
    Receive,
}

/// One key of a matcher.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) position: Position,
    pub(crate) kind: TestKind,
}

#[derive(Debug)]
pub(crate) enum TestKind {
    Equals(Body),
    NotEquals(Body),
    OneOf(Vec<Body>),
    Above(f64),
    AtLeast(f64),
    Below(f64),
    AtMost(f64),
    Contains(Body),
    StartsWith(String),
    EndsWith(String),
    Regex(Regex),
    Type(JsonType),
    Exists(bool),
    Empty(bool),
    All(Vec<Test>),
    Any(Vec<Test>),
    None(Vec<Test>),
    Count(Vec<Test>),
}

/// How often a flow runs and from where.
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulePlan {
    /// From start to start.
    pub every: Duration,
    /// How much of `every` a start may be moved by.
    pub jitter: Share,
    /// What happens when a run is due and the last one is not over.
    pub overlap: Overlap,
    /// Where it runs; empty for one place without a name.
    pub locations: Vec<Name>,
    /// Whether one location runs at a time.
    pub rotate: bool,
    /// How many locations must agree before the flow counts as failing; nothing where each speaks for itself.
    pub quorum: Option<QuorumPlan>,
    /// When runs may begin.
    pub windows: RunWindows,
}

/// How many locations must agree before a flow counts as failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumPlan {
    /// So many fail …
    pub fail: u64,
    /// … of so many …
    pub of: u64,
    /// … within this time.
    pub within: Duration,
}

/// How answers may differ in shape from those that were recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftPlan {
    /// The recording to compare with, as the flow names it.
    pub baseline: String,
    /// Differences that fail; missing and changed fields unless the flow says otherwise.
    pub fail_on: Vec<DriftKind>,
    /// Differences that are told.
    pub warn_on: Vec<DriftKind>,
    /// How old the recording may be.
    pub max_age: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SloPlan {
    pub(crate) name: Name,
    pub(crate) objective: Objective,
    pub(crate) period: Duration,
    /// The step's id, for the time of one step.
    pub(crate) step: Option<String>,
    pub(crate) within: Option<Duration>,
    pub(crate) on_retry: OnRetry,
}

impl SchedulePlan {
    /// How many locations run it at the same time; without names there is one.
    pub(in crate::probe) fn places_at_once(&self) -> u64 {
        if self.rotate { 1 } else { self.places() }
    }

    /// How many locations there are; without names there is one.
    pub(in crate::probe) fn places(&self) -> u64 {
        u64::try_from(self.locations.len()).unwrap_or(u64::MAX).max(1)
    }

    /// How many runs it has from one instant up to another.
    pub(in crate::probe) fn runs_within(&self, from: Instant, end: Instant) -> u64 {
        self.runs_in(self.windows.open_within(from, end))
    }

    /// How many runs it has in a stretch of this length, where it has most.
    pub(in crate::probe) fn most_runs_within(&self, length: Duration) -> u64 {
        self.runs_in(self.windows.most_open_within(length))
    }

    /// Whole runs in so much time in which they may begin.
    fn runs_in(&self, open: Duration) -> u64 {
        let rounds = open.millis().checked_div(self.every.millis()).unwrap_or_default();
        rounds.saturating_mul(self.places_at_once())
    }
}

impl RetryPlan {
    /// The longest wait behind an attempt, from 1.
    pub(crate) fn wait(&self, attempt: u32) -> Duration {
        let times = u64::from(attempt.max(1));
        let wait = match self.kind {
            BackoffKind::Fixed => self.base,
            BackoffKind::Linear => self.base.times(times),
            BackoffKind::Exponential => (1..times).fold(self.base, |wait, _| {
                let longer = u128::from(wait.millis()) * u128::from(self.factor.thousandths()) / 1000;
                Duration::from_millis(u64::try_from(longer).unwrap_or(u64::MAX)).min(self.max)
            }),
        };
        wait.min(self.max)
    }
}

impl Plan {
    /// The flow's name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The digest of the flow and everything that it imports.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The targets by name.
    pub fn targets(&self) -> impl Iterator<Item = &Name> {
        self.targets.iter().map(|target| &target.name)
    }

    /// Whether a target says how both the canary and the baseline are reached.
    #[must_use]
    pub fn is_paired(&self, target: &Name) -> bool {
        let found = self.targets.iter().find(|known| known.name == *target);
        found.is_some_and(|target| target.canary.is_some() && target.baseline.is_some())
    }

    /// How often it runs; nothing for a flow that runs only when asked.
    #[must_use]
    pub const fn schedule(&self) -> Option<&SchedulePlan> {
        self.schedule.as_ref()
    }

    /// Which runs are to be recorded, and how many of the others.
    #[must_use]
    pub const fn records(&self) -> (Keep, Share) {
        (self.keep, self.sample)
    }

    /// How its answers may differ in shape from those that were recorded; nothing where the flow does not say.
    #[must_use]
    pub const fn drift(&self) -> Option<&DriftPlan> {
        self.drift.as_ref()
    }

    /// Objectives that its runs count for: name, objective, period.
    pub fn slos(&self) -> impl Iterator<Item = (&Name, Objective, Duration)> {
        self.slos.iter().map(|slo| (&slo.name, slo.objective, slo.period))
    }
}
