//! What should be decided, by counting events and comparing whole numbers; written without the library.

use std::collections::BTreeSet;

use davy::{Asked, Cohort, Stage, Verdict};

use super::events::{PAIRS, PERIOD, Traffic};

/// The limits of the pairs as fractions of events, and whether they page.
const LIMITS: [((u64, u64), bool); 3] = [((1, 10), true), ((15, 1000), false), ((2, 100), true)];

/// What lasts from look to look.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Pairs that were not calm when the live stage began, and have not been since; nothing before the first look.
    uneasy: Option<BTreeSet<usize>>,
    frozen: bool,
    latched: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Tri {
    Burning,
    Calm,
    Unknown,
}

impl Model {
    /// The verdict, and what the gates find.
    pub(super) fn look(
        &mut self,
        traffic: &Traffic,
        minute: usize,
        stage: Stage,
        asked: Asked,
    ) -> (Verdict, BTreeSet<&'static str>) {
        let mut found = BTreeSet::new();
        let mut uneasy = BTreeSet::new();
        for (number, ((long, short), (limit, pages))) in PAIRS.into_iter().zip(LIMITS).enumerate() {
            let burns = |cohort, length| exceeds(traffic.count(cohort, length, minute), limit);
            let code = match both(burns(None, long), burns(None, short)) {
                Tri::Calm => continue,
                Tri::Unknown => "burn.thin",
                Tri::Burning if !pages => "burn.burning",
                Tri::Burning if stage == Stage::Live => {
                    let before = self.uneasy.as_ref().is_none_or(|uneasy| uneasy.contains(&number));
                    if before { "burn.before" } else { "burn.live" }
                }
                Tri::Burning => match (burns(Some(Cohort::Canary), short), burns(Some(Cohort::Baseline), short)) {
                    (Tri::Burning, Tri::Calm) => "burn.canary",
                    (Tri::Burning, Tri::Burning) => "burn.shared",
                    _ => "burn.unattributed",
                },
            };
            found.insert(code);
            uneasy.insert(number);
        }
        if let (Stage::Live, Some(before)) = (stage, &self.uneasy) {
            uneasy.retain(|number| before.contains(number));
        }
        self.uneasy = Some(uneasy);
        if found.is_empty() {
            found.insert("burn.calm");
        }

        let (bad, total) = traffic.count(None, PERIOD, minute);
        if total > 0 {
            // A hundredth of all events may be bad; a freeze ends when a twentieth of that is left.
            self.frozen = if self.frozen { 100 * 100 * bad > 95 * total } else { 100 * bad > total };
        }
        found.insert(match (self.frozen, total) {
            (true, _) => "budget.frozen",
            (false, 0) => "budget.thin",
            (false, _) => "budget.left",
        });

        self.latched.extend(found.iter().filter(|code| ["burn.canary", "burn.live"].contains(code)));
        found.extend(&self.latched);
        let holds = found.iter().any(|code| counts(code, asked)) || (stage == Stage::Live && asked != Asked::Keep);
        let verdict = match (self.latched.is_empty(), stage) {
            (false, Stage::Canary) => Verdict::Abort,
            (false, Stage::Live) => Verdict::Rollback,
            (true, _) if holds => Verdict::Hold,
            (true, _) => Verdict::Proceed,
        };
        (verdict, found)
    }
}

fn exceeds((bad, total): (u64, u64), (above, below): (u64, u64)) -> Tri {
    match total {
        0 => Tri::Unknown,
        _ if bad * below > above * total => Tri::Burning,
        _ => Tri::Calm,
    }
}

fn both(long: Tri, short: Tri) -> Tri {
    match (long, short) {
        (Tri::Calm, _) | (_, Tri::Calm) => Tri::Calm,
        (Tri::Burning, Tri::Burning) => Tri::Burning,
        _ => Tri::Unknown,
    }
}

/// Whether a hold with this code counts.
fn counts(code: &str, asked: Asked) -> bool {
    match code {
        "burn.thin" | "budget.thin" => asked == Asked::Promote,
        "burn.shared" | "burn.unattributed" | "burn.before" | "burn.burning" | "budget.frozen" => asked != Asked::Keep,
        _ => false,
    }
}
