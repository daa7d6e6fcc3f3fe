//! How much replicas are assumed to differ, before there are any to look at.

use serde::Serialize;
use thiserror::Error;

use crate::Share;
use crate::stats::Disturbance;

/// How alike neighbouring intervals are, where noise has memory.
const CORRELATION: Share = Share::from_ppm(700_000);

/// How much replicas of one revision vary by themselves. By default they do not: requests are independent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variation {
    /// How many of their requests are bad.
    pub errors: Varies,
    /// How long requests take.
    pub latency: Varies,
}

/// Relative standard deviations of one replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Varies {
    /// From one interval to the next, without memory.
    pub spread: Share,
    /// The same with memory,
    pub drift: Share,
    /// whose correlation between neighbouring intervals this is.
    pub correlation: Share,
    /// Always different.
    pub offset: Share,
}

/// A name that no kind of noise has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Q006: `{name}` is no kind of noise such as `mixed`; `davy policy simulate --help` names them")]
pub struct UnknownNoise {
    /// What was given.
    pub name: String,
}

impl Variation {
    /// What a plan knows of a kind of noise, by the names that `davy policy simulate --noise` draws them under: what all
    /// replicas share is no noise between them, and replicas that are cold or sick are left out. Nothing where replicas
    /// do not vary.
    ///
    /// # Errors
    /// [`UnknownNoise`].
    ///
    /// ```
    /// use davy::plan::Variation;
    /// assert_eq!(Variation::of_kind("none")?, None);
    /// assert_eq!(Variation::of_kind("offset-5")?.map(|noise| noise.errors.offset), Some("5%".parse::<davy::Share>()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_kind(name: &str) -> Result<Option<Self>, UnknownNoise> {
        let (errors, latency) = match name {
            "none" | "common" | "cold-start" | "restarts" | "sick-replica" => return Ok(None),
            "dispersed-0.3" => (Varies::by(30, 0, 0), Varies::by(3, 0, 0)),
            "dispersed-0.5" => (Varies::by(50, 0, 0), Varies::by(5, 0, 0)),
            "drift" => (Varies::by(0, 30, 0), Varies::by(0, 5, 0)),
            "offset-2" => (Varies::by(0, 0, 2), Varies::by(0, 0, 2)),
            "offset-5" => (Varies::by(0, 0, 5), Varies::by(0, 0, 5)),
            "mixed" => (Varies::by(30, 10, 2), Varies::by(3, 2, 2)),
            "hard" => (Varies::by(50, 30, 5), Varies::by(5, 5, 5)),
            _ => return Err(UnknownNoise { name: name.to_owned() }),
        };
        Ok(Some(Self { errors, latency }))
    }
}

impl Varies {
    /// By so many per cent.
    const fn by(spread: u32, drift: u32, offset: u32) -> Self {
        Self {
            spread: Share::from_ppm(spread * 10_000),
            drift: Share::from_ppm(drift * 10_000),
            correlation: if drift > 0 { CORRELATION } else { Share::ZERO },
            offset: Share::from_ppm(offset * 10_000),
        }
    }

    /// Of counts that change by so many per cent where this changes by one.
    pub(super) fn disturbance(self, steepness: f64) -> Disturbance {
        let of = |share: Share| steepness * share.as_fraction();
        Disturbance {
            spread: of(self.spread),
            drift: of(self.drift),
            correlation: self.correlation.as_fraction(),
            offset: of(self.offset),
        }
    }
}
