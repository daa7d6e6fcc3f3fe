//! What was seen of an SLO in one window: of the whole service, or of one cohort.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Cohort, Missing};
use crate::slo::Measured;
use crate::{Count, Duration, Instant, Name, Share};

/// Good or bad events of all events of an SLO in one window.
///
/// Amounts come from counters and need not be whole: Prometheus extrapolates. What is not a possible amount,
/// such as more bad events than events, is read and never compared.
///
/// ```
/// let json = r#"{ "slo": "availability", "from": "2026-11-23T11:00:00Z", "end": "2026-11-23T12:00:00Z",
///                 "bad": 3, "total": 1204, "coverage": "100%", "newest": "2026-11-23T12:00:00Z" }"#;
/// let window: davy::SloWindow = serde_json::from_str(json)?;
/// assert_eq!(window.length().to_string(), "1h");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SloWindow {
    /// The SLO.
    pub slo: Name,
    /// Which of its objectives, from 1.
    pub objective: NonZeroU32,
    /// Whose traffic; nothing for the whole service.
    pub cohort: Option<Cohort>,
    /// Where the window begins.
    pub from: Instant,
    /// Where it ends.
    pub end: Instant,
    /// The events that the indicator counts. Of an SLO over time slices they are slices.
    pub part: Part,
    /// All events or slices.
    pub total: Seen,
    /// The part of the samples expected in the window that were there.
    pub coverage: Share,
    /// The oldest sample in the window, if it is known. A service that is younger than the window has none before.
    pub oldest: Option<Instant>,
    /// The newest sample.
    pub newest: Option<Instant>,
    /// How often counters began anew.
    pub resets: Count,
}

/// What an indicator counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// Bad events.
    Bad(Seen),
    /// Good events.
    Good(Seen),
}

/// An amount, or why there is none.
///
/// An amount that is not finite is the same as the word for it, and is written so: JSON has no number for it.
#[derive(Debug, Clone, Copy)]
pub enum Seen {
    /// So much.
    Amount(f64),
    /// Nothing usable.
    Nothing(Missing),
}

/// A window as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Plain {
    slo: Name,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    objective: NonZeroU32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cohort: Option<Cohort>,
    from: Instant,
    end: Instant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bad: Option<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    good: Option<Seen>,
    total: Seen,
    coverage: Share,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oldest: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Instant>,
    #[serde(default, skip_serializing_if = "is_zero")]
    resets: Count,
}

fn first() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn is_first(objective: &NonZeroU32) -> bool {
    *objective == NonZeroU32::MIN
}

fn is_zero(count: &Count) -> bool {
    *count == Count::ZERO
}

impl SloWindow {
    /// How long it is.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.end.since(self.from)
    }

    /// For the arithmetic of burn rates. `sparse`: a missing series of bad events says zero.
    pub(crate) fn measured(&self, sparse: bool) -> Measured {
        let total = self.total.amount();
        let (bad, sparse) = match self.part {
            Part::Bad(bad) => (bad.amount(), sparse),
            Part::Good(good) => (good.amount().zip(total).map(|(good, total)| bad_of(good, total)), false),
        };
        // A sample from after the window says nothing about how fresh the window is.
        let newest = self.newest.map(|newest| newest.min(self.end));
        Measured { bad, total, sparse, coverage: self.coverage, newest }
    }
}

/// What is not good; rounding may not make it negative.
fn bad_of(good: f64, total: f64) -> f64 {
    const ROUNDING: f64 = 1e-9;
    let bad = total - good;
    if bad < 0.0 && -bad <= total * ROUNDING { 0.0 } else { bad }
}

impl Seen {
    /// No series is nothing; what is no number stays no number, so that it is refused where it is used.
    fn amount(self) -> Option<f64> {
        match self {
            Self::Amount(amount) => Some(amount),
            Self::Nothing(Missing::NoData) => None,
            Self::Nothing(_) => Some(f64::NAN),
        }
    }

    /// As it is written.
    fn written(self) -> Result<f64, Missing> {
        match self {
            Self::Amount(amount) if amount.is_finite() => Ok(amount),
            Self::Amount(amount) if amount.is_nan() => Err(Missing::Nan),
            Self::Amount(amount) if amount > 0.0 => Err(Missing::PositiveInfinity),
            Self::Amount(_) => Err(Missing::NegativeInfinity),
            Self::Nothing(missing) => Err(missing),
        }
    }
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.written() == other.written()
    }
}

impl Serialize for SloWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (bad, good) = match self.part {
            Part::Bad(bad) => (Some(bad), None),
            Part::Good(good) => (None, Some(good)),
        };
        Plain {
            slo: self.slo.clone(),
            objective: self.objective,
            cohort: self.cohort,
            from: self.from,
            end: self.end,
            bad,
            good,
            total: self.total,
            coverage: self.coverage,
            oldest: self.oldest,
            newest: self.newest,
            resets: self.resets,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SloWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plain = Plain::deserialize(deserializer)?;
        let part = match (plain.bad, plain.good) {
            (Some(bad), None) => Part::Bad(bad),
            (None, Some(good)) => Part::Good(good),
            _ => return Err(de::Error::custom("S028: a window has either `bad` or `good` events")),
        };
        if plain.end <= plain.from {
            return Err(de::Error::custom(format!(
                "S020: the window ends at {}, which is not after its start",
                plain.end
            )));
        }
        Ok(Self {
            slo: plain.slo,
            objective: plain.objective,
            cohort: plain.cohort,
            from: plain.from,
            end: plain.end,
            part,
            total: plain.total,
            coverage: plain.coverage,
            oldest: plain.oldest,
            newest: plain.newest,
            resets: plain.resets,
        })
    }
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.written() {
            Ok(amount) => amount.serialize(serializer),
            Err(missing) => missing.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Seen;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, or one of `noData`, `NaN`, `+Inf`, `-Inf` and `noAnswer`")
            }
            #[expect(clippy::cast_precision_loss, reason = "an amount of events, which need not be whole")]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seen, E> {
                Ok(Seen::Amount(number as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "an amount of events, which need not be whole")]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Seen, E> {
                Ok(Seen::Amount(number as f64))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Seen, E> {
                Ok(Seen::Amount(number))
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<Seen, E> {
                Missing::deserialize(de::value::StrDeserializer::new(word)).map(Seen::Nothing)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Seen, A::Error> {
                digits_kept(map).map(Seen::Amount)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A number where a host's tree has switched on serde_json's `arbitrary_precision`: an object with the number's text
/// under a name that only serde_json uses.
fn digits_kept<'de, A: de::MapAccess<'de>>(mut map: A) -> Result<f64, A::Error> {
    const KEY: &str = "$serde_json::private::Number";
    let no_number = || de::Error::invalid_type(de::Unexpected::Map, &"a number");
    let Some(text) = map.next_entry::<String, String>()?.filter(|(key, _)| key == KEY).map(|(_, text)| text) else {
        return Err(no_number());
    };
    serde_json::from_str(&text).map_err(|_| no_number())
}
