//! What a shadow would have decided, in one sentence.

use crate::comparison::Shadowed;
use crate::decision::{Decision, Finding, Outcome};

/// What the shadow of a decision says: that it agrees, or what it would decide and why. Nothing without a shadow.
#[must_use]
pub fn shadow_sentence(decision: &Decision) -> Option<String> {
    let shadow = decision.shadow.as_ref()?;
    if shadow.agrees_with(decision) {
        return Some("the shadow agrees".to_owned());
    }
    let mut said = vec![if shadow.verdict == decision.verdict {
        format!("the shadow would {} too", shadow.verdict)
    } else {
        format!("the shadow would {}", shadow.verdict)
    }];
    said.extend(differences(shadow));
    Some(said.join("; "))
}

fn differences(shadow: &Shadowed) -> impl Iterator<Item = String> {
    let adds: Vec<String> =
        shadow.adds.iter().map(|finding| format!("{} {}", word(finding), finding.label())).collect();
    let adds = (!adds.is_empty()).then(|| format!("it finds {}", adds.join(", ")));
    let lacks = (!shadow.lacks.is_empty()).then(|| format!("it does not find {}", shadow.lacks.join(", ")));
    adds.into_iter().chain(lacks)
}

fn word(finding: &Finding) -> &'static str {
    match finding.effective() {
        Outcome::Pass => "pass",
        Outcome::Hold(_) => "hold",
        Outcome::Fail => "fail",
    }
}
