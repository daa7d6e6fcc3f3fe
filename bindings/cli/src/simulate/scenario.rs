//! What is true of the simulated release, how its ramp moves and how it is looked at.

use super::noise::Noise;

/// A named situation. In the first ones the canary is good, and an abort is false; in the others it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// The canary is the baseline again; the ramp follows the clock
    Identical,
    /// The same, and the ramp advances when the policy's judge lets it
    Judged,
    /// The same, and the ramp advances whenever the last interval looked bad
    Hurried,
    /// The same, and the ramp waits whenever the last interval looked bad
    Hesitant,
    /// The canary is 3 % slower and has 5 % more errors
    Benign,
    /// The canary is 5 % slower and has 10 % more errors: as bad as policies usually tolerate
    Boundary,
    /// The canary is the baseline again; it is held for twice the horizon and looked at every ten minutes
    LateLook,
    /// The canary is the baseline again; it is released three times, whatever was said
    ThreeAttempts,
    /// 1.5 times the errors
    #[value(name = "errors-1.5x")]
    Errors15,
    /// Twice the errors
    #[value(name = "errors-2x")]
    Errors2,
    /// Five times the errors
    #[value(name = "errors-5x")]
    Errors5,
    /// Every request and every probe fails
    Outage,
    /// Every request takes 1.25 times as long
    #[value(name = "latency-1.25x")]
    Latency125,
    /// Every request takes twice as long
    #[value(name = "latency-2x")]
    Latency2,
    /// Five times the errors from the twentieth interval on
    #[value(name = "late-errors-5x")]
    LateErrors5,
    /// Twice as slow from the twentieth interval on
    #[value(name = "late-latency-2x")]
    LateLatency2,
    /// Five times the errors once every metric is proved good; two intervals later promotion is asked for
    #[value(name = "proved-errors-5x")]
    ProvedErrors5,
    /// Twice the errors once every metric is proved good; two intervals later promotion is asked for
    #[value(name = "proved-errors-2x")]
    ProvedErrors2,
    /// 1.25 times as slow once every metric is proved good; two intervals later promotion is asked for
    #[value(name = "proved-latency-1.25x")]
    ProvedLatency125,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scenario {
    pub(super) effect: Effect,
    pub(super) onset: Onset,
    pub(super) ramp: Ramp,
    pub(super) noise: Noise,
    /// How many attempts at the same release.
    pub(super) attempts: u32,
    /// For how many horizons it is watched.
    pub(super) horizons: u64,
    /// How many intervals pass between two looks.
    pub(super) look_every: u64,
}

/// What the canary has, in multiples of the baseline's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Effect {
    pub(super) errors: f64,
    pub(super) latency: f64,
}

/// When the effect begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onset {
    /// With this interval, from 0.
    At(u64),
    /// With the interval after the policy's judge first finds every metric proved. Until then nobody asks for
    /// promotion, and then this many intervals later.
    Proved { asked_after: u64 },
}

/// How the canary gets more traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ramp {
    /// By the clock: each step as long as the policy says at least.
    Timed,
    /// When the policy's judge lets it.
    Judged,
    /// When the canary looked worse than the baseline in the last interval, by one standard error.
    Hurried,
    /// By the clock, but not while the canary looks worse by one standard error.
    Hesitant,
}

impl Name {
    pub(super) fn scenario(self, noise: Noise) -> Scenario {
        let identical = Scenario {
            effect: Effect::NONE,
            onset: Onset::At(0),
            ramp: Ramp::Timed,
            noise,
            attempts: 1,
            horizons: 1,
            look_every: 1,
        };
        let with = |errors, latency| Scenario { effect: Effect { errors, latency }, ..identical };
        let late = |errors, latency| Scenario { onset: Onset::At(20), ..with(errors, latency) };
        let proved = |errors, latency| Scenario { onset: Onset::Proved { asked_after: 2 }, ..with(errors, latency) };
        match self {
            Self::Identical => identical,
            Self::Judged => Scenario { ramp: Ramp::Judged, ..identical },
            Self::Hurried => Scenario { ramp: Ramp::Hurried, ..identical },
            Self::Hesitant => Scenario { ramp: Ramp::Hesitant, ..identical },
            Self::Benign => with(1.05, 1.03),
            Self::Boundary => with(1.1, 1.05),
            Self::LateLook => Scenario { horizons: 2, look_every: 20, ..identical },
            Self::ThreeAttempts => Scenario { attempts: 3, ..identical },
            Self::Errors15 => with(1.5, 1.0),
            Self::Errors2 => with(2.0, 1.0),
            Self::Errors5 => with(5.0, 1.0),
            Self::Outage => with(f64::INFINITY, 1.0),
            Self::Latency125 => with(1.0, 1.25),
            Self::Latency2 => with(1.0, 2.0),
            Self::LateErrors5 => late(5.0, 1.0),
            Self::LateLatency2 => late(1.0, 2.0),
            Self::ProvedErrors5 => proved(5.0, 1.0),
            Self::ProvedErrors2 => proved(2.0, 1.0),
            Self::ProvedLatency125 => proved(1.0, 1.25),
        }
    }

    /// Whether the canary is as good as the baseline, or worse by no more than policies usually tolerate.
    pub(super) fn is_good(self) -> bool {
        let effect = self.scenario(Noise::INDEPENDENT).effect;
        effect.errors <= 1.1 && effect.latency <= 1.05
    }

    pub(super) fn text(self) -> String {
        use clap::ValueEnum as _;
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Effect {
    pub(super) const NONE: Self = Self { errors: 1.0, latency: 1.0 };
}
