//! The budget policy of one environment: its SLOs, what burning means, and when a spent budget freezes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SloPlan;
use crate::document::decode::Report;
use crate::document::diagnostic::did_you_mean;
use crate::document::{Budget, Burn, BurnOutcome, DiagnosticCode as Code, Position, ThinTraffic};
use crate::slo::Urgency;
use crate::{Name, Share};

/// How much more than `freezeBelow` must be left before a freeze ends, unless the policy says.
const HYSTERESIS_PPM: u32 = 50_000;

/// What the budget gates need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BudgetPlan {
    /// By name; at least one.
    pub(crate) slos: Vec<Arc<SloPlan>>,
    page: BurnOutcome,
    ticket: BurnOutcome,
    pub(crate) freeze_below: Share,
    pub(crate) unfreeze_at: Share,
    pub(crate) exempt: Vec<Name>,
    pub(crate) thin_traffic: ThinTraffic,
    pub(crate) position: Position,
}

impl BudgetPlan {
    /// Checks a budget against the SLOs of the bundle.
    pub(crate) fn compile(
        budget: &Budget,
        slos: &BTreeMap<Name, Arc<SloPlan>>,
        broken: bool,
        report: &mut Report,
    ) -> Option<Self> {
        if !budget.whole {
            return None;
        }
        let mut used: BTreeMap<&Name, &Arc<SloPlan>> = BTreeMap::new();
        for name in &budget.slos.value {
            match slos.get(&name.value) {
                Some(_) if used.contains_key(&name.value) => {
                    let message = format!("the SLO `{}` stands twice", name.value);
                    report.error(Code::Name, &name.position, message, "keep one of them".to_owned());
                }
                Some(slo) => _ = used.insert(&name.value, slo),
                // An SLO that was refused has no plan.
                None if broken => {}
                None => {
                    let hint = did_you_mean(name.value.as_str(), slos.keys().map(Name::as_str))
                        .unwrap_or_else(|| "put its OpenSLO document into the bundle".to_owned());
                    report.error(Code::Name, &name.position, format!("no SLO has the name `{}`", name.value), hint);
                }
            }
        }
        if budget.slos.value.is_empty() {
            report.error(
                Code::Choice,
                &budget.slos.position,
                "`budget` has no SLOs",
                "name one, or leave `budget` out".to_owned(),
            );
        }
        let freeze_below = budget.freeze_below();
        let later = Share::from_ppm(freeze_below.ppm().saturating_add(HYSTERESIS_PPM));
        let unfreeze_at = budget.unfreeze_at.as_ref().map_or(later, |unfreeze| unfreeze.value);
        if let Some(unfreeze) = budget.unfreeze_at.as_ref().filter(|unfreeze| unfreeze.value < freeze_below) {
            let message = format!("`unfreezeAt` is below `freezeBelow` {freeze_below}");
            report.error(Code::Range, &unfreeze.position, message, "a freeze must not end where it begins".to_owned());
        }
        let burn = budget.burn.as_ref().map_or_else(|| Burn::at(&budget.position), |burn| burn.value.clone());
        Some(Self {
            slos: used.into_values().cloned().collect(),
            page: burn.page(),
            ticket: burn.ticket(),
            freeze_below,
            unfreeze_at,
            exempt: budget.exempt.as_ref().map_or_else(Vec::new, |exempt| exempt.value.clone()),
            thin_traffic: budget.thin_traffic(),
            position: budget.position.clone(),
        })
    }

    /// What a burning pair means.
    pub(crate) fn outcome(&self, urgency: Urgency) -> BurnOutcome {
        match urgency {
            Urgency::Page => self.page,
            Urgency::Ticket => self.ticket,
        }
    }

    /// Whether any burn can fail a release, so that cohorts must be told apart.
    pub(crate) fn attributes(&self, urgency: Urgency) -> bool {
        self.outcome(urgency) == BurnOutcome::Fail
    }
}
