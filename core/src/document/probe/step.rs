//! One step of a journey: a request or a shared action, and when, how often and until when it runs.

use super::expect::Expectations;
use super::flow::{Redirects, Retry};
use super::matcher::{JsonType, Match};
use super::request::Request;
use super::value::{ByteSize, Keyed, OneOrMany, StatusRange, Template};
use crate::document::StepPluginUse;
use crate::document::declare::{keywords, record};
use crate::document::decode::{Named, Spanned};
use crate::{Count, Duration, Name};

record! {
    /// One step: exactly one of `request`, `use` and `wasm`.
    pub struct ProbeStep {
        /// Its name, once per flow.
        id: Name = "id", optional;
        /// What is asked.
        request: Request = "request", optional;
        /// A plugin that takes the turns of the step.
        wasm: StepPluginUse = "wasm", optional;
        /// A shared action, as `import.action`.
        action: Name = "use", optional;
        /// What the action is given.
        with: Keyed<Template> = "with", optional;
        /// The name under which the caller sees what the action gives; the action's own unless given.
        called: Name = "as", optional;
        /// How long the results of the action are used again, by later runs too.
        cache: Cache = "cache", optional;
        /// Run only if this holds.
        when: When = "when", optional;
        /// Run once for each of these.
        foreach: Foreach = "foreach", optional;
        /// Ask again until this holds.
        poll: Poll = "poll", optional;
        /// Values to take from the answer; `${name}` stands for one in later steps.
        capture: Named<Capture> = "capture", optional;
        /// What is expected of the answer.
        expect: Expectations = "expect", optional;
        /// What a failure of the step means.
        severity: StepSeverity = "severity", default(StepSeverity::Must);
        /// The longest that one attempt may take.
        timeout: Duration = "timeout", optional;
        /// The longest answer that is read.
        max_body: ByteSize = "maxBody", optional;
        /// When an attempt is repeated; replaces the default.
        retry: Retry = "retry", optional;
        /// Redirects; replaces the default.
        redirects: Redirects = "redirects", optional;
    }
}

keywords! {
    /// What a failure of the step means.
    pub enum StepSeverity {
        /// The flow fails and goes on with the teardown.
        Must = "must",
        /// The flow goes on and is at best degraded.
        Should = "should",
    }
}

record! {
    /// A condition on a value that is known before the step.
    pub struct When {
        /// The value, such as `${target.name}`.
        value: Template = "value", required;
        /// What it must be.
        is: Match = "is", required;
    }
}

record! {
    /// A step that runs once for each item: exactly one of `in` and `from`.
    pub struct Foreach {
        /// The name of the item; `${name}` stands for it.
        called: Name = "as", required;
        /// The items.
        items: Vec<Spanned<Template>> = "in", optional;
        /// A captured list, such as `${ids}`.
        from: Template = "from", optional;
        /// The most items; more fail the step.
        max: Count = "max", default(Count::from(20));
    }
}

record! {
    /// A step that asks again until a condition holds.
    pub struct Poll {
        /// What the answer must be.
        until: Until = "until", required;
        /// How long between an answer and the next question.
        every: Duration = "every", default(Duration::from_secs(1));
        /// How long after the first question the condition must hold.
        max: Duration = "max", required;
    }
}

record! {
    /// What ends polling; all of it must hold.
    pub struct Until {
        /// Statuses such as `200`, `2xx` or `[200, 204]`.
        status: OneOrMany<StatusRange> = "status", optional;
        /// Values in a JSON answer, by RFC 9535 JSONPath.
        jsonpath: Keyed<Match> = "jsonpath", optional;
        /// Headers, by name.
        header: Keyed<Match> = "header", optional;
    }
}

record! {
    /// A value to take from the answer: one of `jsonpath`, `header` and `cookie`, or the body for `regex` alone.
    pub struct Capture {
        /// A value in a JSON answer, by RFC 9535 JSONPath.
        jsonpath: String = "jsonpath", optional;
        /// A header, by name.
        header: String = "header", optional;
        /// A cookie that the answer sets, by name.
        cookie: String = "cookie", optional;
        /// The part of the text that is meant: its first group, or the whole match.
        regex: String = "regex", optional;
        /// The type that it must have.
        of_type: CaptureType = "type", optional;
        /// Whether it is a secret: no output ever shows it.
        redact: bool = "redact", default(false);
        /// Whether the step passes without it; `${name}` is then empty.
        optional: bool = "optional", default(false);
    }
}

/// The type of a captured value.
pub type CaptureType = JsonType;

record! {
    /// How long the results of an action are used again.
    pub struct Cache {
        /// How long.
        ttl: Duration = "ttl", required;
        /// By whom.
        scope: CacheScope = "scope", default(CacheScope::Location);
    }
}

keywords! {
    /// Who uses a cached result.
    pub enum CacheScope {
        /// Runs against the same target, wherever they run.
        Target = "target",
        /// Runs against the same target from the same location.
        Location = "location",
    }
}
