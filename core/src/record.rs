//! Records: sealed decisions that can be replayed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::decision::Decision;
use crate::engine::{Engine, Step};
use crate::snapshot::{Interval, Snapshot, SnapshotError};
use crate::state::State;
use crate::{CanonicalError, Digest, canonical_json, shadow};

/// The meaning of decisions. Bumped whenever the same inputs would be decided differently.
pub const SEMANTICS: u32 = 1;

/// A sealed decision: what was decided, and digests of everything that it was decided from.
///
/// Its bytes are canonical JSON (RFC 8785). Beside it travel, by digest, the prior state and the
/// snapshot; with them and the bundle, [`Record::replay`] decides again and compares bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    content: Content,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    semantics: u32,
    /// Who says to have made it: a claim that no replay can check.
    engine: String,
    bundle: Digest,
    inputs: Inputs,
    decision: Decision,
    /// The digest of the state that the decision left behind.
    state: Digest,
}

/// Digests of what a decision was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inputs {
    /// The prior state, as [`State::digest`] takes it.
    pub state: Digest,
    /// The snapshot's canonical JSON without its intervals.
    pub snapshot: Digest,
    /// The chain over the digests of the snapshot's intervals, as they were handed in, in time order.
    pub intervals: Digest,
    /// The chain over all judged intervals of the release, which the state carries on.
    pub judged: Digest,
}

/// A record that does not replay.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ReplayError {
    /// Not a record.
    #[error("R001: not a record: {0}")]
    Unreadable(#[from] SnapshotError),
    /// The bytes of a record are canonical.
    #[error("R002: the record's bytes are not in canonical form, so its digest means nothing")]
    NotCanonical,
    /// Made by an engine that means something else by its decisions.
    #[error("R003: the record has semantics {record}; this engine has semantics {SEMANTICS}")]
    OtherSemantics {
        /// The record's.
        record: u32,
    },
    /// One of the inputs is not the one that the record names.
    #[error(
        "R004: the {what} is not the one that the record was made from: the record names {expected}, this one is {found}"
    )]
    OtherInput {
        /// Which input.
        what: &'static str,
        /// The digest in the record.
        expected: Digest,
        /// The digest of what was handed in.
        found: Digest,
    },
    /// The same inputs, another decision.
    #[error("R005: the same inputs decide differently: the record says {recorded}, this engine {decided}")]
    OtherDecision {
        /// The record's verdict and digest.
        recorded: String,
        /// The new verdict and digest.
        decided: String,
    },
    /// The inputs have no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl Record {
    /// Reads a record's bytes.
    ///
    /// # Errors
    /// [`ReplayError::Unreadable`] or [`ReplayError::NotCanonical`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReplayError> {
        let content: Content = crate::snapshot::read(bytes)?;
        let record = Self { bytes: canonical_json(&content)?, content };
        if record.bytes == bytes { Ok(record) } else { Err(ReplayError::NotCanonical) }
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// What was decided.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.content.decision
    }

    /// The bundle that decided.
    #[must_use]
    pub fn bundle(&self) -> Digest {
        self.content.bundle
    }

    /// Digests of what it was decided from.
    #[must_use]
    pub fn inputs(&self) -> &Inputs {
        &self.content.inputs
    }

    /// Decides again from the same inputs and compares every byte.
    ///
    /// # Errors
    /// [`ReplayError`] where an input is another one, or the decision is.
    pub fn replay(&self, engine: &Engine, prior: &State, snapshot: &Snapshot) -> Result<(), ReplayError> {
        if self.content.semantics != SEMANTICS {
            return Err(ReplayError::OtherSemantics { record: self.content.semantics });
        }
        let again = engine.decide(prior, snapshot).seal()?;
        let (was, is) = (&self.content, &again.content);
        for (what, expected, found) in [
            ("bundle", was.bundle, is.bundle),
            ("prior state", was.inputs.state, is.inputs.state),
            ("snapshot", was.inputs.snapshot, is.inputs.snapshot),
            ("list of intervals", was.inputs.intervals, is.inputs.intervals),
        ] {
            if expected != found {
                return Err(ReplayError::OtherInput { what, expected, found });
            }
        }
        let (expected, found) = (was.decision.shadow.as_ref().map(|shadow| shadow.bundle), shadow::digest_of(engine));
        if expected != found {
            // What stands for no bundle is the digest of nothing.
            let [expected, found] = [expected, found].map(|bundle| bundle.unwrap_or_else(|| Digest::of(b"")));
            return Err(ReplayError::OtherInput { what: "shadow's bundle", expected, found });
        }
        // Another patch version of the engine with the same semantics must decide the same.
        let engine_of_record = Content { engine: was.engine.clone(), ..again.content };
        if canonical_json(&engine_of_record)? == self.bytes {
            return Ok(());
        }
        let describe = |content: &Content, digest: Digest| format!("{} ({digest})", content.decision.verdict);
        let decided = describe(&engine_of_record, Digest::of(&again.bytes));
        Err(ReplayError::OtherDecision { recorded: describe(was, self.digest()), decided })
    }
}

pub(crate) fn seal(step: &Step<'_>) -> Result<Record, CanonicalError> {
    let content = Content {
        semantics: SEMANTICS,
        engine: concat!("davy ", env!("CARGO_PKG_VERSION")).to_owned(),
        bundle: step.engine.digest(),
        inputs: Inputs {
            state: step.prior.digest()?,
            snapshot: Digest::of(&canonical_json(&WithoutIntervals::of(step.snapshot))?),
            intervals: chain(&step.snapshot.intervals),
            judged: step.state.attempt().map_or(Digest::of(b""), |release| release.folded.chain),
        },
        decision: step.decision.clone(),
        state: step.state.digest()?,
    };
    Ok(Record { bytes: canonical_json(&content)?, content })
}

fn chain(intervals: &[Interval]) -> Digest {
    let mut digests: Vec<_> = intervals.iter().map(|interval| (interval.start(), interval.digest())).collect();
    digests.sort();
    digests.into_iter().fold(Digest::of(b""), |chain, (_, digest)| chain.chain(digest))
}

/// A snapshot's other fields, lists in an order that does not depend on the host.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithoutIntervals<'a> {
    now: crate::Instant,
    release: &'a crate::Release,
    asked: crate::Asked,
    stage: crate::Stage,
    weight: crate::Share,
    since: crate::Instant,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    manual: bool,
    #[serde(skip_serializing_if = "crate::Target::is_unknown")]
    target: &'a crate::Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plugins: Vec<&'a crate::plugin::PluginObservation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slos: Vec<&'a crate::SloWindow>,
    probes: Vec<&'a crate::ProbeResult>,
    running: Vec<&'a crate::Running>,
    passed: Vec<&'a crate::Passed>,
    #[serde(skip_serializing_if = "crate::Facts::is_empty")]
    facts: &'a crate::Facts,
    overrides: Vec<&'a crate::Override>,
}

impl<'a> WithoutIntervals<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        fn sorted<T: Ord>(items: &[T]) -> Vec<&T> {
            let mut sorted: Vec<&T> = items.iter().collect();
            sorted.sort();
            sorted
        }
        Self {
            now: snapshot.now,
            release: &snapshot.release,
            asked: snapshot.asked,
            stage: snapshot.stage,
            weight: snapshot.weight,
            since: snapshot.since,
            manual: snapshot.manual,
            target: &snapshot.target,
            history: (!snapshot.history.is_empty()).then(|| chain(&snapshot.history)),
            plugins: sorted_by_text(&snapshot.plugins),
            slos: sorted_by_text(&snapshot.slos),
            probes: sorted(&snapshot.probes),
            running: sorted(&snapshot.running),
            passed: sorted(&snapshot.passed),
            facts: &snapshot.facts,
            overrides: sorted(&snapshot.overrides),
        }
    }
}

/// In the order of their canonical text, which is the same for every host.
fn sorted_by_text<T: Serialize>(items: &[T]) -> Vec<&T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort_by_cached_key(|item| canonical_json(item).unwrap_or_default());
    sorted
}
