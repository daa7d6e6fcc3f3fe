//! Parts of the language that are read and checked, and refused until their gates exist.

use super::declare::{keywords, record};
use crate::{Name, Share};

record! {
    /// Error budgets: burn alerts and freezes.
    pub struct Budget {
        /// SLOs by name.
        slos: Vec<Name> = "slos", required;
        /// What a burning alert means.
        burn: Burn = "burn", optional;
        /// No release goes further when less than this is left of a budget.
        freeze_below: Share = "freezeBelow", default(Share::ZERO);
        /// The freeze ends when this much is left again.
        unfreeze_at: Share = "unfreezeAt", optional;
        /// Change classes that a freeze lets through.
        exempt: Vec<Name> = "exempt", optional;
    }
}

record! {
    /// What a burning alert means.
    pub struct Burn {
        /// A pair of windows that pages.
        page: BurnOutcome = "page", default(BurnOutcome::Fail);
        /// A pair of windows that opens a ticket.
        ticket: BurnOutcome = "ticket", default(BurnOutcome::Hold);
    }
}

keywords! {
    /// What a burning alert means for the release.
    pub enum BurnOutcome {
        /// It fails.
        Fail = "fail",
        /// It holds.
        Hold = "hold",
    }
}

record! {
    /// What the artifact must carry.
    pub struct Trust {
        /// Kinds of attestations.
        require: Vec<Attestation> = "require", required;
    }
}

keywords! {
    /// A kind of attestation.
    pub enum Attestation {
        /// A signature over the deployed manifest.
        SignedManifest = "signed-manifest",
        /// SLSA provenance of the artifact.
        SlsaProvenance = "slsa-provenance",
    }
}
