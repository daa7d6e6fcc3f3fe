//! Error budgets: which SLOs are watched, what a burning one means, and when a spent one freezes releases.

use super::declare::{keywords, record};
use super::decode::Spanned;
use crate::{Name, Share};

record! {
    /// Error budgets: burn alerts and freezes.
    pub struct Budget {
        /// SLOs of this bundle, by name.
        slos: Vec<Spanned<Name>> = "slos", required;
        /// What a burning pair of windows means.
        burn: Burn = "burn", optional;
        /// No release goes further when less than this is left of a budget.
        freeze_below: Share = "freezeBelow", default(Share::ZERO);
        /// The freeze ends when this much is left again. 5 points above `freezeBelow` unless given.
        unfreeze_at: Share = "unfreezeAt", optional;
        /// Change classes that a freeze lets through, as the snapshot's `release.changeClass` gives them.
        exempt: Vec<Name> = "exempt", optional;
        /// What too few events to judge mean for `promote`. They never stop anything else.
        thin_traffic: ThinTraffic = "thinTraffic", default(ThinTraffic::Hold);
    }
}

record! {
    /// What a burning pair of windows means.
    pub struct Burn, blank {
        /// A pair that pages a person.
        page: BurnOutcome = "page", default(BurnOutcome::Fail);
        /// A pair that opens a ticket.
        ticket: BurnOutcome = "ticket", default(BurnOutcome::Hold);
    }
}

keywords! {
    /// What a burning pair of windows means for the release.
    pub enum BurnOutcome {
        /// It fails where the canary alone burns the budget in the short window, or the live release began to; otherwise it holds.
        Fail = "fail",
        /// It holds.
        Hold = "hold",
    }
}

keywords! {
    /// What too few events to judge an SLO mean for `promote`.
    pub enum ThinTraffic {
        /// The release waits.
        Hold = "hold",
        /// The finding says so and passes.
        Pass = "pass",
    }
}
