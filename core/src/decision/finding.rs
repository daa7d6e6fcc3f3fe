//! One finding of one gate.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Cause;
use crate::document::Position;
use crate::{Count, Duration, Instant, Name, Share};

/// What one gate found out about one side of the snapshot.
///
/// As JSON, the cause is spread into `code` and `facts`.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What was found, with its facts.
    pub cause: Cause,
    /// The metric, flow, environment or override that it is about.
    pub subject: Option<Name>,
    /// Pass, hold or fail.
    pub outcome: Outcome,
    /// Whether the outcome counts.
    pub standing: Standing,
    /// For holds: when this ends by itself.
    pub until: Option<Instant>,
    /// For holds: how soon asking again may give another answer.
    pub retry_after: Option<Duration>,
    /// The one number that decides, or why there is none.
    pub flip: Result<Flip, NoFlip>,
    /// Whether the declared guarantee covers this finding.
    pub guarantee: Guarantee,
    /// The place in the policy that asks for this.
    pub source: Option<Position>,
    /// Since when this failure is latched: evidence that is lost later does not undo it.
    pub latched_at: Option<Instant>,
}

/// Pass, hold or fail; the order is the order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Nothing against it.
    Pass,
    /// Not now.
    Hold(HoldKind),
    /// Stop and go back.
    Fail,
}

/// Why a release holds; the order is the order of gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HoldKind {
    /// More data or time is needed.
    Waiting,
    /// A window, dependency, limit or person says no.
    Blocked,
    /// Something could not be evaluated.
    Blind,
}

/// Whether an outcome counts towards the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It counts.
    Counts,
    /// A dry run: shown, never counted.
    DryRun,
    /// What was asked does not need it.
    NotAsked,
    /// The health score is high enough without it.
    Tolerated,
    /// The health score holds the release instead of failing it.
    Softened,
    /// A verified override lowers it.
    Waived(Name),
}

/// The number that decides a finding: it passes while the quantity keeps the bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flip {
    /// Which quantity.
    pub of: FlipOf,
    /// At most, or at least.
    pub bound: FlipBound,
    /// The last value that passes.
    pub value: Amount,
    /// What it was.
    pub observed: Amount,
}

/// A quantity that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlipOf {
    /// Bad events of the canary in the interval.
    BadEvents,
    /// Events of the canary in the interval.
    Events,
    /// The canary's latency in seconds.
    Seconds,
    /// The canary's latency in native buckets later than the baseline's.
    BucketsLater,
    /// The gauge.
    Gauge,
    /// The weight asked for.
    Weight,
    /// The clock.
    Time,
    /// Requests of the canary.
    Requests,
    /// Other running releases.
    RunningReleases,
    /// Failures in a row.
    Failures,
    /// The part that is left of an error budget.
    BudgetLeft,
}

/// Which side of the value passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlipBound {
    /// The value and below.
    AtMost,
    /// The value and above.
    AtLeast,
}

/// A quantity with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Amount {
    /// A number of things.
    Count(Count),
    /// A share of the traffic.
    Share(Share),
    /// A plain number, in the unit of the quantity.
    Number(f64),
    /// A point in time.
    Instant(Instant),
}

/// Why no single number decides a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoFlip {
    /// There is no value yet: any value may pass.
    NoValue,
    /// Several numbers decide together.
    NotOneNumber,
    /// Only another state, policy or request changes it.
    NotANumber,
    /// A person decided.
    Person,
}

/// Whether the declared guarantee on false aborts covers a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Guarantee {
    /// Plain logic: no chance is involved.
    NotStatistical,
    /// Chance is involved, and the declared guarantee covers it under this assumption.
    Declared(Assumption),
    /// Chance is involved and nothing is guaranteed.
    Outside(Outside),
}

/// Under which assumption a guarantee holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Assumption {
    /// Requests fail or are slow independently of each other, given what they have in common with the baseline's.
    /// Retries, bad replicas and cold caches break it.
    IndependentRequests,
    /// Either that, which is proved; or replicas differ like Gaussian random effects, which is simulated.
    IndependentRequestsOrReplicas,
    /// The same, and nothing that was seen decided about weights, lengths, looks or another attempt.
    FixedSchedule,
}

/// Why nothing is guaranteed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outside {
    /// A fixed limit is compared again and again: the more looks, the more false failures.
    FixedLimit,
    /// The schedule that an exact test was planned for was not kept.
    ScheduleLeft,
    /// A synthetic flow is a sample of one.
    SingleRuns,
}

impl Outcome {
    /// 0 for pass, 1 for any hold, 2 for fail.
    pub(crate) const fn severity(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Hold(_) => 1,
            Self::Fail => 2,
        }
    }
}

impl Finding {
    /// The outcome that counts towards the verdict.
    #[must_use]
    pub fn effective(&self) -> Outcome {
        match (&self.standing, self.outcome) {
            (Standing::Counts, outcome) => outcome,
            (Standing::Softened, Outcome::Fail) => Outcome::Hold(HoldKind::Waiting),
            (Standing::Softened, outcome) => outcome,
            (Standing::DryRun | Standing::NotAsked | Standing::Tolerated | Standing::Waived(_), _) => Outcome::Pass,
        }
    }

    /// The stable code, such as `health.limit-exceeded`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.cause.code()
    }

    /// Its code, with its subject if it has one, such as `health.no-data:errors`: how overrides and tests name it.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{}:{subject}", self.code()),
            None => self.code().to_owned(),
        }
    }

    fn new(cause: Cause, outcome: Outcome) -> Self {
        Self {
            cause,
            subject: None,
            outcome,
            standing: Standing::Counts,
            until: None,
            retry_after: None,
            flip: Err(NoFlip::NotANumber),
            guarantee: Guarantee::NotStatistical,
            source: None,
            latched_at: None,
        }
    }

    pub(crate) fn pass(cause: Cause) -> Self {
        Self::new(cause, Outcome::Pass)
    }

    pub(crate) fn hold(kind: HoldKind, cause: Cause) -> Self {
        Self::new(cause, Outcome::Hold(kind))
    }

    pub(crate) fn fail(cause: Cause) -> Self {
        Self::new(cause, Outcome::Fail)
    }

    pub(crate) fn about(mut self, subject: &Name) -> Self {
        self.subject = Some(subject.clone());
        self
    }

    pub(crate) fn from(mut self, source: &Position) -> Self {
        self.source = Some(source.clone());
        self
    }

    /// A hold that ends by itself, which is also what flips it.
    pub(crate) fn until(mut self, until: Instant, now: Instant) -> Self {
        let flip = Flip {
            of: FlipOf::Time,
            bound: FlipBound::AtLeast,
            value: Amount::Instant(until),
            observed: Amount::Instant(now),
        };
        (self.until, self.retry_after, self.flip) = (Some(until), Some(until.since(now)), Ok(flip));
        self
    }

    pub(crate) fn retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    pub(crate) fn flips(mut self, of: FlipOf, bound: FlipBound, value: Amount, observed: Amount) -> Self {
        self.flip = Ok(Flip { of, bound, value, observed });
        self
    }

    pub(crate) fn no_flip(mut self, reason: NoFlip) -> Self {
        self.flip = Err(reason);
        self
    }

    pub(crate) fn declared(mut self, assumption: Assumption) -> Self {
        self.guarantee = Guarantee::Declared(assumption);
        self
    }

    pub(crate) fn outside(mut self, reason: Outside) -> Self {
        self.guarantee = Guarantee::Outside(reason);
        self
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Json<'a> {
            code: &'a str,
            #[serde(serialize_with = "Cause::serialize_facts")]
            facts: &'a Cause,
            subject: &'a Option<Name>,
            outcome: Outcome,
            standing: &'a Standing,
            #[serde(skip_serializing_if = "Option::is_none")]
            until: Option<Instant>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after: Option<Duration>,
            flip: Option<&'a Flip>,
            #[serde(skip_serializing_if = "Option::is_none")]
            no_flip: Option<&'a NoFlip>,
            guarantee: Guarantee,
            source: &'a Option<Position>,
            #[serde(skip_serializing_if = "Option::is_none")]
            latched_at: Option<Instant>,
        }
        Json {
            code: self.code(),
            facts: &self.cause,
            subject: &self.subject,
            outcome: self.outcome,
            standing: &self.standing,
            until: self.until,
            retry_after: self.retry_after,
            flip: self.flip.as_ref().ok(),
            no_flip: self.flip.as_ref().err(),
            guarantee: self.guarantee,
            source: &self.source,
            latched_at: self.latched_at,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Json {
            code: String,
            facts: serde_json::Value,
            subject: Option<Name>,
            outcome: Outcome,
            standing: Standing,
            until: Option<Instant>,
            retry_after: Option<Duration>,
            flip: Option<Flip>,
            no_flip: Option<NoFlip>,
            guarantee: Guarantee,
            source: Option<Position>,
            latched_at: Option<Instant>,
        }
        let json = Json::deserialize(deserializer)?;
        let flip = match (json.flip, json.no_flip) {
            (Some(flip), None) => Ok(flip),
            (None, Some(reason)) => Err(reason),
            _ => return Err(de::Error::custom("a finding has either `flip` or `noFlip`")),
        };
        Ok(Self {
            cause: Cause::from_parts(&json.code, json.facts).map_err(de::Error::custom)?,
            subject: json.subject,
            outcome: json.outcome,
            standing: json.standing,
            until: json.until,
            retry_after: json.retry_after,
            flip,
            guarantee: json.guarantee,
            source: json.source,
            latched_at: json.latched_at,
        })
    }
}
