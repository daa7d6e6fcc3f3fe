//! `kind: ProbeFlow`: one journey, where it runs, how often, and what is promised about it.

use super::step::ProbeStep;
use super::value::{ByteSize, Keyed, RetryOn, SecretSource, Template};
use crate::document::declare::{keywords, record};
use crate::document::decode::{Named, Spanned};
use crate::document::rollout::ApiVersion;
use crate::document::{WeeklyRange, ZoneName};
use crate::slo::Target;
use crate::{Count, Digest, Duration, Factor, Name, Share};

keywords! {
    /// The kind of a document that holds a flow.
    pub enum FlowKind {
        /// A synthetic journey.
        ProbeFlow = "ProbeFlow",
    }
}

record! {
    /// A synthetic journey: requests in order, what is expected of the answers, and where and how often it runs.
    pub struct ProbeFlow {
        /// The version of the language.
        api_version: ApiVersion = "apiVersion", required;
        /// The kind of the document.
        kind: FlowKind = "kind", required;
        /// Its name, and notes about it.
        metadata: ProbeMetadata = "metadata", required;
        /// The journey.
        spec: FlowSpec = "spec", required;
    }
}

record! {
    /// A name, and notes about what has it.
    pub struct ProbeMetadata {
        /// The name that others refer to, such as a rollout's `probes`.
        name: Name = "name", required;
        /// Free notes such as the owner; never judged.
        annotations: Named<String> = "annotations", optional;
    }
}

record! {
    /// A journey.
    pub struct FlowSpec {
        /// Libraries of shared actions, under the names by which `use` calls them.
        imports: Named<Import> = "imports", optional;
        /// Where it can run: one flow for many environments.
        targets: Named<ProbeTarget> = "targets", required;
        /// Secrets by reference; `${secrets.name}` stands for one. No output ever shows its value.
        secrets: Named<Secret> = "secrets", optional;
        /// How often it runs and from where. A flow without it runs only when asked.
        schedule: Schedule = "schedule", optional;
        /// Objectives that its runs count for.
        slos: Vec<SloBinding> = "slos", optional;
        /// What every request does unless its step says otherwise.
        defaults: Defaults = "defaults", optional;
        /// What comes before the journey, such as a login. Its failure fails the flow.
        setup: Vec<ProbeStep> = "setup", optional;
        /// The journey.
        steps: Vec<ProbeStep> = "steps", required;
        /// What cleans up. It always runs and never changes the verdict of the flow.
        teardown: Vec<ProbeStep> = "teardown", optional;
        /// What recordings keep.
        record: RecordResponses = "record", optional;
        /// How answers may differ in shape from those that were recorded.
        drift: Drift = "drift", optional;
    }
}

record! {
    /// A library of shared actions, pinned to its content.
    pub struct Import {
        /// Its path, relative to this file.
        file: String = "file", required;
        /// The SHA-256 of the file.
        digest: Digest = "digest", optional;
    }
}

record! {
    /// One environment that the flow can run against.
    pub struct ProbeTarget {
        /// Where paths of requests begin; `http` or `https`.
        base_url: String = "baseUrl", required;
        /// Other hosts that requests and redirects may go to, such as an identity provider.
        allow_hosts: Vec<Spanned<String>> = "allowHosts", optional;
        /// Which addresses may be spoken to.
        address_policy: AddressPolicy = "addressPolicy", default(AddressPolicy::PublicOnly);
        /// Whether this is a place to try things: what is too loose for production is allowed.
        staging: bool = "staging", default(false);
        /// Encryption.
        tls: TlsSettings = "tls", optional;
        /// Values that differ between targets; `${vars.name}` stands for one.
        vars: Named<Spanned<Template>> = "vars", optional;
        /// How requests reach the canary alone.
        canary: Route = "canary", optional;
        /// How requests reach the baseline alone.
        baseline: Route = "baseline", optional;
    }
}

keywords! {
    /// Which addresses may be spoken to.
    pub enum AddressPolicy {
        /// Addresses of the public internet.
        PublicOnly = "publicOnly",
        /// Private networks too; never this machine, link-local addresses or a cloud's metadata service.
        PrivateToo = "privateToo",
        /// Any address.
        Any = "any",
    }
}

record! {
    /// Encryption of the connection.
    pub struct TlsSettings, blank {
        /// The oldest version that is spoken.
        min_version: TlsVersion = "minVersion", default(TlsVersion::V1_2);
        /// Whether the certificate must be valid.
        verify: TlsVerify = "verify", default(TlsVerify::Full);
    }
}

keywords! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// RFC 5246.
        V1_2 = "1.2",
        /// RFC 8446.
        V1_3 = "1.3",
    }
}

keywords! {
    /// Whether the certificate must be valid.
    pub enum TlsVerify {
        /// The chain and the host's name.
        Full = "full",
        /// Nothing is checked.
        Off = "off",
    }
}

record! {
    /// How requests reach one cohort alone.
    pub struct Route {
        /// Headers to add, such as `x-canary: always`.
        headers: Keyed<Template> = "headers", optional;
        /// Another place where paths begin.
        base_url: String = "baseUrl", optional;
        /// `host:port` to connect to instead; the request still names the host of its URL.
        connect_to: String = "connectTo", optional;
    }
}

record! {
    /// A secret by reference. Short form: the reference alone.
    pub struct Secret short "from" {
        /// Where the host finds it: `env:NAME`, `file:path`, or `host:name` for a store of the host's own.
        from: SecretSource = "from", required;
    }
}

record! {
    /// How often the flow runs and from where.
    pub struct Schedule {
        /// From the start of one run to the start of the next.
        every: Duration = "every", required;
        /// How much of `every` the start is moved by, at random, so that probers do not strike together.
        jitter: Share = "jitter", optional;
        /// The longest that setup and steps may take together.
        timeout: Duration = "timeout", default(Duration::from_secs(30));
        /// The longest that the teardown may take on top.
        teardown_timeout: Duration = "teardownTimeout", default(Duration::from_secs(10));
        /// What happens when a run is due and the last one is not over.
        overlap: Overlap = "overlap", default(Overlap::Skip);
        /// Where it runs.
        locations: Vec<Spanned<Name>> = "locations", optional;
        /// Whether each location runs it each time.
        mode: LocationMode = "mode", default(LocationMode::Parallel);
        /// How many locations must agree before the flow counts as failing.
        quorum: Quorum = "quorum", optional;
        /// When runs may begin. Without any window, at any time.
        windows: Vec<RunWindow> = "windows", optional;
    }
}

record! {
    /// When runs may begin, or may not: such as never in a nightly maintenance.
    pub struct RunWindow {
        /// What it means.
        kind: RunWindowKind = "kind", required;
        /// Days of the week and times of day.
        weekly: Vec<WeeklyRange> = "weekly", required;
        /// The time zone whose clock is meant.
        zone: ZoneName = "zone", required;
    }
}

keywords! {
    /// What a window of a schedule means.
    pub enum RunWindowKind {
        /// Runs begin in it, and only in it or another such window.
        Allow = "allow",
        /// No run begins in it.
        Deny = "deny",
    }
}

keywords! {
    /// What happens when a run is due and the last one is not over.
    pub enum Overlap {
        /// The new one is skipped.
        Skip = "skip",
        /// The new one waits for its turn.
        Wait = "wait",
    }
}

keywords! {
    /// Which locations run the flow each time.
    pub enum LocationMode {
        /// All of them.
        Parallel = "parallel",
        /// One after the other, in turn.
        Rotate = "rotate",
    }
}

record! {
    /// How many locations must agree before the flow counts as failing.
    pub struct Quorum {
        /// So many locations fail …
        fail: Count = "fail", required;
        /// … of so many …
        of: Count = "of", required;
        /// … within this time.
        within: Duration = "within", required;
    }
}

record! {
    /// An objective that runs of the flow count for. A run is one event; one whose verdict is `error` or `skipped` is none.
    pub struct SloBinding {
        /// The name of the SLO.
        name: Name = "name", required;
        /// The part of runs that must be good.
        objective: Target = "objective", required;
        /// The period of the error budget.
        period: Duration = "period", required;
        /// With `within`: the step whose time counts. Without it, that of setup and steps together.
        step: Name = "step", optional;
        /// A run that passed is good only if it took no longer than this.
        within: Duration = "within", optional;
        /// Which attempt counts where there was more than one.
        on_retry: OnRetry = "onRetry", default(OnRetry::CountFirst);
    }
}

keywords! {
    /// Which attempt of a step counts for an objective.
    pub enum OnRetry {
        /// The first: a user's browser does not retry either.
        CountFirst = "countFirst",
        /// The last.
        CountLast = "countLast",
    }
}

record! {
    /// What every request does unless its step says otherwise.
    pub struct Defaults, blank {
        /// The longest that one attempt may take.
        timeout: Duration = "timeout", default(Duration::from_secs(5));
        /// The longest that connecting may take, encryption included.
        connect_timeout: Duration = "connectTimeout", default(Duration::from_secs(2));
        /// The longest answer that is read.
        max_body: ByteSize = "maxBody", default(ByteSize(1 << 20));
        /// Redirects.
        redirects: Redirects = "redirects", optional;
        /// How long cookies live.
        cookies: CookieScope = "cookies", default(CookieScope::Flow);
        /// When an attempt is repeated.
        retry: Retry = "retry", optional;
        /// Headers of every request.
        headers: Keyed<Template> = "headers", optional;
    }
}

record! {
    /// What happens to redirects.
    pub struct Redirects, blank {
        /// How many are followed; `0` leaves the redirect as the answer.
        max: Count = "max", default(Count::from(5));
        /// What happens at a redirect to another host, scheme or port.
        cross_host: CrossHost = "crossHost", default(CrossHost::StripAuth);
    }
}

keywords! {
    /// What happens at a redirect to another host, scheme or port.
    pub enum CrossHost {
        /// It is followed without credentials.
        StripAuth = "stripAuth",
        /// It is followed, and the credentials go along.
        KeepAuth = "keepAuth",
        /// It fails the step.
        Refuse = "refuse",
    }
}

keywords! {
    /// How long cookies live.
    pub enum CookieScope {
        /// As long as the run.
        Flow = "flow",
        /// They are not kept.
        None = "none",
    }
}

record! {
    /// When an attempt is repeated. The first attempt is still the one that counts.
    pub struct Retry, blank {
        /// Attempts in all, from 1 to 10.
        attempts: Count = "attempts", default(Count::from(1));
        /// How long to wait before the next one.
        backoff: Backoff = "backoff", optional;
        /// After what: `dns`, `connect`, `tls`, `timeout`, `closed`, `expectation`, or statuses such as `429` and `502-504`.
        on: Vec<Spanned<RetryOn>> = "on", optional;
        /// Whether the answer's `Retry-After` is waited for if it is longer.
        respect_retry_after: bool = "respectRetryAfter", default(true);
        /// The longest that all attempts of a step may take together.
        max_elapsed: Duration = "maxElapsed", optional;
    }
}

record! {
    /// How long to wait before the next attempt.
    pub struct Backoff, blank {
        /// How the waiting grows.
        kind: BackoffKind = "kind", default(BackoffKind::Exponential);
        /// The first wait.
        base: Duration = "base", default(Duration::from_millis(200));
        /// How many times as long each next one is.
        factor: Factor = "factor", default(Factor::from_thousandths(2000));
        /// The longest.
        max: Duration = "max", default(Duration::from_secs(5));
        /// How it is spread.
        jitter: Jitter = "jitter", default(Jitter::Full);
    }
}

keywords! {
    /// How the waiting grows.
    pub enum BackoffKind {
        /// It does not.
        Fixed = "fixed",
        /// By `base` each time.
        Linear = "linear",
        /// By `factor` each time.
        Exponential = "exponential",
    }
}

keywords! {
    /// How a wait is spread.
    pub enum Jitter {
        /// Anything between nothing and the wait.
        Full = "full",
        /// Exactly the wait.
        None = "none",
    }
}

record! {
    /// What recordings keep.
    pub struct RecordResponses {
        /// Which runs.
        keep: Keep = "keep", default(Keep::Failures);
        /// How many of the others.
        sample: Share = "sample", default(Share::ZERO);
        /// What is removed besides secrets, credentials and cookies: `header:name`, or a JSONPath.
        redact: Vec<Spanned<String>> = "redact", optional;
    }
}

keywords! {
    /// Which runs are recorded.
    pub enum Keep {
        /// None.
        None = "none",
        /// Those that did not pass.
        Failures = "failures",
        /// All of them.
        All = "all",
    }
}

record! {
    /// How answers may differ in shape from those that were recorded.
    pub struct Drift {
        /// The recording to compare with.
        baseline: String = "baseline", required;
        /// Differences that fail.
        fail_on: Vec<DriftKind> = "failOn", optional;
        /// Differences that are told.
        warn_on: Vec<DriftKind> = "warnOn", optional;
        /// How old the recording may be.
        max_age: Duration = "maxAge", default(Duration::from_minutes(60 * 24 * 90));
    }
}

keywords! {
    /// A difference in shape.
    pub enum DriftKind {
        /// A field that was always there is missing.
        Removed = "removed",
        /// A field has a type that it never had.
        TypeChanged = "typeChanged",
        /// A field is `null` that never was.
        NewlyNull = "newlyNull",
        /// A field is new.
        Added = "added",
    }
}
