//! `kind: Rollout`: how one service is released.

use super::budget::Budget;
use super::declare::{keywords, record};
use super::decode::{Named, Spanned};
use super::health::Health;
use super::later::Trust;
use super::rules::RuleEntry;
use crate::{Count, Duration, HoldKind, Name, Share};

/// The longest life of a waiver, unless the policy says otherwise.
pub(crate) const LONGEST_WAIVER: Duration = Duration::from_minutes(24 * 60);

keywords! {
    /// The version of the language.
    pub enum ApiVersion {
        /// The first version.
        V1 = "davy/v1",
    }
}

keywords! {
    /// The kind of a document.
    pub enum Kind {
        /// How one service is released.
        Rollout = "Rollout",
    }
}

record! {
    /// How one service is released: its ramp, what is watched, and what each environment asks for.
    pub struct Rollout {
        /// The version of the language.
        api_version: ApiVersion = "apiVersion", required;
        /// The kind of the document.
        kind: Kind = "kind", required;
        /// Which service, and free notes about it.
        metadata: Metadata = "metadata", required;
        /// The rules of the release.
        spec: Spec = "spec", required;
    }
}

record! {
    /// Which service, and free notes about it.
    pub struct Metadata {
        /// The service's name, as the snapshot's `release.service` gives it.
        name: Name = "name", required;
        /// Free notes such as the owner; shown on the published page, never judged.
        annotations: Named<String> = "annotations", optional;
    }
}

record! {
    /// The rules of a release.
    pub struct Spec {
        /// Where metrics come from, by name; adapters read it.
        sources: Named<Source> = "sources", optional;
        /// The ramp: weights that rise, each with what must be seen before the next.
        steps: Vec<Step> = "steps", optional;
        /// How long the live stage is watched after `promote`.
        bake: Bake = "bake", optional;
        /// What is measured and when that is healthy.
        health: Health = "health", optional;
        /// Synthetic flows that must pass before `promote`, and whose failure fails the release.
        probes: Vec<ProbeRequirement> = "probes", optional;
        /// Error budgets: burn alerts and freezes.
        budget: Budget = "budget", optional;
        /// Calendars of this bundle that say when it may go further, by name; those of an organisation or cluster need no naming.
        calendars: Vec<Spanned<Name>> = "calendars", optional;
        /// What happens when a hold lasts.
        hold_limit: HoldLimit = "holdLimit", optional;
        /// What a signed human override may do.
        overrides: OverridePolicy = "overrides", optional;
        /// Rules in Rego and CEL, over what was observed and what the gates found.
        rules: Vec<RuleEntry> = "rules", optional;
        /// Settings per environment, refining those above. Once given, other environments are refused.
        environments: Named<Environment> = "environments", optional;
    }
    later {
        /// Signatures and attestations that the artifact must carry.
        "trust": Trust;
    }
}

record! {
    /// A Prometheus server and how it tells the cohorts apart.
    pub struct Source {
        /// The server's URL.
        prometheus: String = "prometheus", required;
        /// Label matchers that select the canary; `${revision}` stands for the revision.
        canary: String = "canary", optional;
        /// Label matchers that select the baseline; `${stable}` stands for the stable revision.
        baseline: String = "baseline", optional;
        /// The label that names a replica.
        replica: Name = "replica", optional;
        /// How long it keeps its data; lint compares it with the windows of SLOs.
        retention: Duration = "retention", optional;
    }
}

record! {
    /// One step of the ramp.
    pub struct Step {
        /// Share of the traffic that the canary gets in this step.
        weight: Share = "weight", required;
        /// How long the release stays in this step before it may go further.
        at_least: Duration = "atLeast", default(Duration::ZERO);
        /// Requests that the canary must have served in judged intervals, over the whole rollout, before it may leave this step.
        min_requests: Count = "minRequests", default(Count::ZERO);
    }
}

keywords! {
    /// What the live stage is compared with.
    pub enum BakeReference {
        /// Replicas of the old revision that keep serving a part of the traffic.
        Retained = "retained",
        /// Numbers frozen before the rollout. Not supported yet.
        Reference = "reference",
        /// The error budgets of `budget`. Metrics that compare with a baseline are shown and do not count.
        Slo = "slo",
    }
}

record! {
    /// The live stage: the new revision serves everyone and is rolled back by itself until the bake ends.
    /// A host that still asks after the end gets an honest answer: a failure rolls back then too.
    pub struct Bake {
        /// How long after `promote`.
        duration: Duration = "for", required;
        /// What it is compared with. Metrics with `max` or `min` need no comparison.
        against: BakeReference = "against", optional;
    }
}

keywords! {
    /// What a `degraded` result of a probe means.
    pub enum Degraded {
        /// The flow works, slowly: it passes and the finding says so.
        Pass = "pass",
        /// The release waits until the flow is fast again.
        Hold = "hold",
    }
}

record! {
    /// A synthetic flow that must pass. Short form: its name alone.
    pub struct ProbeRequirement short "flow" {
        /// The flow's name.
        flow: Name = "flow", required;
        /// How fresh a result must be to count.
        within: Duration = "within", default(Duration::from_minutes(15));
        /// Failures in a row that fail the release; fewer make it wait.
        patience: Count = "patience", default(Count::from(1));
        /// What a `degraded` result means.
        degraded: Degraded = "degraded", default(Degraded::Pass);
    }
}

record! {
    /// What happens when a hold lasts. Waits that know their end, such as a step that must last, do not count.
    pub struct HoldLimit {
        /// How long without a break.
        after: Duration = "after", required;
        /// What happens then.
        then: AfterHold = "then", required;
        /// Which holds count. A freeze (`blocked`) counts only when it is named.
        kinds: Vec<CountedHold> = "kinds", optional;
    }
}

keywords! {
    /// What happens when a hold has lasted too long.
    pub enum AfterHold {
        /// The release fails: abort, or rollback in the live stage.
        Fail = "fail",
        /// It goes on holding, now `blocked` until a person acts.
        Hold = "hold",
    }
}

keywords! {
    /// A kind of hold that a limit counts.
    pub enum CountedHold {
        /// More data or time is needed.
        Waiting = "waiting",
        /// A window, dependency, limit or person says no.
        Blocked = "blocked",
        /// Something could not be evaluated.
        Blind = "blind",
    }
}

impl CountedHold {
    /// The kind of hold that is meant.
    #[must_use]
    pub const fn kind(self) -> HoldKind {
        match self {
            Self::Waiting => HoldKind::Waiting,
            Self::Blocked => HoldKind::Blocked,
            Self::Blind => HoldKind::Blind,
        }
    }
}

record! {
    /// What a signed human override may do.
    pub struct OverridePolicy {
        /// Codes of failing findings that a verified waiver may lower, such as `health.limit-exceeded`. Holds may always be waived.
        waive_fails: Vec<Spanned<String>> = "waiveFails", optional;
        /// The longest life of a waiver; longer ones are ignored.
        longest: Duration = "longest", default(LONGEST_WAIVER);
    }
}

record! {
    /// What one environment asks for. Every key refines the one above it.
    pub struct Environment, blank {
        /// The ramp; replaces the one above.
        steps: Vec<Step> = "steps", optional;
        /// The live stage; replaces the one above.
        bake: Bake = "bake", optional;
        /// Health, key by key; metrics are refined by name.
        health: Health = "health", optional;
        /// Required flows; replace those above.
        probes: Vec<ProbeRequirement> = "probes", optional;
        /// Error budgets; replace those above.
        budget: Budget = "budget", optional;
        /// Calendars by name; replaces the list above.
        calendars: Vec<Spanned<Name>> = "calendars", optional;
        /// What happens when a hold lasts; replaces the one above.
        hold_limit: HoldLimit = "holdLimit", optional;
        /// What overrides may do; replaces the one above.
        overrides: OverridePolicy = "overrides", optional;
        /// Rules; replace those above.
        rules: Vec<RuleEntry> = "rules", optional;
        /// Environments that the same revision must have passed.
        requires: Vec<Dependency> = "requires", optional;
        /// How much may be at stake at once.
        blast_radius: BlastRadius = "blastRadius", optional;
    }
}

record! {
    /// An environment that the same revision must have passed.
    pub struct Dependency {
        /// Its name.
        environment: Name = "environment", required;
        /// How long it must have been passed.
        soak: Duration = "soak", default(Duration::ZERO);
    }
}

record! {
    /// How much may be at stake at once.
    pub struct BlastRadius {
        /// The largest weight that `advance` may ask for.
        max_weight: Share = "maxWeight", optional;
        /// How many releases may run in this environment at once, this one included.
        concurrent: Count = "concurrent", optional;
    }
}
