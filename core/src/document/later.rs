//! Parts of the language that are read and checked, and refused until their gates exist.

use super::declare::{keywords, record};
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
