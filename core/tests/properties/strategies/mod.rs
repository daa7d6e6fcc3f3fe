//! What properties are asked about: policies, traffic, runs of looks, and single cases with their state.

mod case;
mod policy;
mod run;
mod slos;
mod traffic;

pub(crate) use case::{Case, case, thorough_case};
pub(crate) use policy::{Kind, Policy, Shape, policy};
pub(crate) use run::{Run, at, closed, release, run, run_of, stage};
pub(crate) use slos::{DOCUMENTS, Weather, any_window, weather};
pub(crate) use traffic::{Evidence, Worsening, name, slots, worsen, worsenings};
