//! Gates: each judges one side of the snapshot and returns findings. None of them knows another.

pub(crate) mod ask;
pub(crate) mod bake;
pub(crate) mod blast_radius;
pub(crate) mod budget;
pub(crate) mod burn;
pub(crate) mod calendar;
pub(crate) mod data;
pub(crate) mod dependencies;
pub(crate) mod health;
pub(crate) mod overrides;
pub(crate) mod probes;
pub(crate) mod steps;
pub(crate) mod windows;

pub use calendar::{ChangeOutlook, UnclearWindow};

use crate::policy::Policy;
use crate::snapshot::Snapshot;
use health::{Folded, Irregular};

/// What a gate may look at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) folded: &'a Folded,
    pub(crate) irregular: &'a Irregular,
}
