//! `kind: PolicyTest`: what a policy must decide, and about what.

use super::data::Data;
use super::declare::{keywords, record};
use super::decode::{Named, Spanned};
use super::rollout::ApiVersion;
use crate::{Duration, HoldKind, Name, Outcome, Standing, Verdict};

keywords! {
    /// The kind of a document that holds policy tests.
    pub enum PolicyTestKind {
        /// Tests of a policy.
        PolicyTest = "PolicyTest",
    }
}

record! {
    /// Tests of one policy: snapshots, and what must be decided from them.
    pub struct PolicyTestDocument {
        /// The version of the language.
        api_version: ApiVersion = "apiVersion", required;
        /// The kind of the document.
        kind: PolicyTestKind = "kind", required;
        /// Its name, and notes about it.
        metadata: PolicyTestMetadata = "metadata", required;
        /// The tests.
        spec: PolicyTestSpec = "spec", required;
    }
}

record! {
    /// The name of a set of tests.
    pub struct PolicyTestMetadata {
        /// What reports call it.
        name: Name = "name", required;
        /// Free notes.
        annotations: Named<String> = "annotations", optional;
    }
}

record! {
    /// The tests of one policy.
    pub struct PolicyTestSpec {
        /// The policy: a file or a folder, as seen from the folder of this file. That folder itself, unless given.
        policy: String = "policy", optional;
        /// Snapshots that several tests begin with, by name. One may begin with another that stands before it.
        snapshots: Named<SharedSnapshot> = "snapshots", optional;
        /// The tests.
        tests: Vec<TestCase> = "tests", required;
    }
}

record! {
    /// A snapshot that several tests begin with. It begins as exactly one of `file`, `snapshot` and `from` says.
    pub struct SharedSnapshot {
        /// A file with the snapshot's JSON, as seen from the folder of this file.
        file: String = "file", optional;
        /// The snapshot itself.
        snapshot: Data = "snapshot", optional;
        /// Another shared snapshot.
        from: Name = "from", optional;
        /// What differs, merged in as RFC 7396 says: mappings key by key, `null` removes, everything else replaces.
        patch: Data = "patch", optional;
        /// What was observed in the intervals of a span.
        intervals: Vec<TestSpan> = "intervals", optional;
        /// Windows of SLOs, as in a snapshot. Each takes the place of the one of the same SLO, objective, cohort and span.
        slos: Vec<Data> = "slos", optional;
        /// When it was taken, as the time since the release began. Unless given, `now` stays as it is.
        at: Duration = "at", optional;
    }
}

record! {
    /// A test: one look, or several in a row as `looks`.
    pub struct TestCase {
        /// What it shows.
        name: String = "name", required;
        /// A file with the snapshot's JSON, as seen from the folder of this file.
        file: String = "file", optional;
        /// The snapshot itself.
        snapshot: Data = "snapshot", optional;
        /// The shared snapshot that it begins with.
        from: Name = "from", optional;
        /// What differs, merged in as RFC 7396 says: mappings key by key, `null` removes, everything else replaces.
        patch: Data = "patch", optional;
        /// What was observed in the intervals of a span.
        intervals: Vec<TestSpan> = "intervals", optional;
        /// Windows of SLOs, as in a snapshot. Each takes the place of the one of the same SLO, objective, cohort and span.
        slos: Vec<Data> = "slos", optional;
        /// When it was taken, as the time since the release began. Unless given, `now` stays as it is.
        at: Duration = "at", optional;
        /// What must be decided.
        expect: Expectation = "expect", optional;
        /// Several looks in a row. Each is handed the state that the one before it left.
        looks: Vec<TestLook> = "looks", optional;
    }
}

record! {
    /// One of several looks. Without `file`, `snapshot` and `from` it begins with the snapshot of the look before it.
    pub struct TestLook {
        /// A file with the snapshot's JSON, as seen from the folder of this file.
        file: String = "file", optional;
        /// The snapshot itself.
        snapshot: Data = "snapshot", optional;
        /// The shared snapshot that it begins with.
        from: Name = "from", optional;
        /// What differs, merged in as RFC 7396 says: mappings key by key, `null` removes, everything else replaces.
        patch: Data = "patch", optional;
        /// What was observed in the intervals of a span.
        intervals: Vec<TestSpan> = "intervals", optional;
        /// Windows of SLOs, as in a snapshot. Each takes the place of the one of the same SLO, objective, cohort and span.
        slos: Vec<Data> = "slos", optional;
        /// When it was taken, as the time since the release began. Unless given, `now` stays as it is.
        at: Duration = "at", optional;
        /// Which state the look is handed.
        state: CarriedState = "state", default(CarriedState::Carried);
        /// What must be decided.
        expect: Expectation = "expect", optional;
    }
}

keywords! {
    /// The state that a look is handed.
    pub enum CarriedState {
        /// The one that the look before it left.
        Carried = "carried",
        /// What the look before it left for the next release, or the next attempt, of the service.
        NextRelease = "nextRelease",
        /// None: nothing was judged before.
        New = "new",
    }
}

record! {
    /// The same observations in each interval of the policy's grid that lies within a span. They replace what was observed
    /// there of the same metrics and cohorts; everything else stays.
    pub struct TestSpan {
        /// Where the span begins, as the time since the release began.
        from: Duration = "from", required;
        /// Where it ends.
        to: Duration = "to", required;
        /// What was observed, as in a snapshot: `{ metric: errors, cohort: canary, bad: 3, total: 1204 }`.
        observations: Vec<Data> = "observations", required;
    }
}

record! {
    /// What must be decided. Short form: the verdict alone.
    pub struct Expectation short "verdict" {
        /// The verdict.
        verdict: ExpectedVerdict = "verdict", required;
        /// What is waited for.
        hold: ExpectedHold = "hold", optional;
        /// The findings that made the verdict, all of them and no others, such as `steps.dwell` or `health.no-data:errors`.
        reasons: Vec<Spanned<String>> = "reasons", optional;
        /// Findings that occur, whatever they weigh.
        codes: Vec<Spanned<String>> = "codes", optional;
        /// Findings that do not occur.
        absent: Vec<Spanned<String>> = "absent", optional;
        /// Findings that occur, with what they say.
        findings: Vec<ExpectedFinding> = "findings", optional;
    }
}

record! {
    /// A finding that occurs. Short form: its code alone.
    pub struct ExpectedFinding short "code" {
        /// Its code, with its subject or without, such as `steps.dwell` or `health.no-data:errors`.
        code: String = "code", required;
        /// Its outcome, before anything lowered it.
        outcome: ExpectedOutcome = "outcome", optional;
        /// The kind of a hold.
        hold: ExpectedHold = "hold", optional;
        /// Whether it counts.
        standing: ExpectedStanding = "standing", optional;
        /// Facts that it holds; others are not looked at.
        facts: Data = "facts", optional;
    }
}

/// Declares words that stand for values of a decision.
macro_rules! words_for {
    ($(#[doc = $doc:literal])* $Word:ident for $Value:ty { $( $(#[doc = $variant_doc:literal])* $pattern:pat => $Variant:ident = $word:literal; )* }) => {
        keywords! {
            $(#[doc = $doc])*
            pub enum $Word { $( $(#[doc = $variant_doc])* $Variant = $word, )* }
        }

        impl $Word {
            /// The word for a value.
            pub(crate) fn of(value: &$Value) -> Self {
                match value { $( $pattern => Self::$Variant, )* }
            }
        }
    };
}

words_for! {
    /// A verdict.
    ExpectedVerdict for Verdict {
        /// Do what was asked.
        Verdict::Proceed => Proceed = "proceed";
        /// Change nothing and ask again.
        Verdict::Hold => Hold = "hold";
        /// Take all traffic from the canary.
        Verdict::Abort => Abort = "abort";
        /// Go back to the stable revision.
        Verdict::Rollback => Rollback = "rollback";
    }
}

words_for! {
    /// What a hold waits for.
    ExpectedHold for HoldKind {
        /// More data or time.
        HoldKind::Waiting => Waiting = "waiting";
        /// A window, dependency, limit or person.
        HoldKind::Blocked => Blocked = "blocked";
        /// Something that could not be evaluated.
        HoldKind::Blind => Blind = "blind";
    }
}

words_for! {
    /// An outcome of a finding.
    ExpectedOutcome for Outcome {
        /// Nothing against the release.
        Outcome::Pass => Pass = "pass";
        /// Not now.
        Outcome::Hold(_) => Hold = "hold";
        /// Stop and go back.
        Outcome::Fail => Fail = "fail";
    }
}

words_for! {
    /// Whether a finding counts.
    ExpectedStanding for Standing {
        /// It counts.
        Standing::Counts => Counts = "counts";
        /// A dry run.
        Standing::DryRun => DryRun = "dryRun";
        /// What was asked does not need it.
        Standing::NotAsked => NotAsked = "notAsked";
        /// The health score is high enough without it.
        Standing::Tolerated => Tolerated = "tolerated";
        /// The health score holds the release instead of failing it.
        Standing::Softened => Softened = "softened";
        /// An override lowers it.
        Standing::Waived(_) => Waived = "waived";
    }
}
