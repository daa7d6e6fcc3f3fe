//! A decision as a piece of HTML, for a notebook or a page.

use std::fmt::Write as _;

use super::sentence::{flip_sentence, sentence, until};
use super::shadow::shadow_sentence;
use super::text::{hold_word, standing_note};
use crate::decision::{Decision, Finding, Outcome};

/// The decision as HTML without scripts or styles of its own: a headline and a table of findings. Every text is escaped.
#[must_use]
pub fn html(decision: &Decision) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_html(&mut out, decision);
    out
}

fn write_html(out: &mut String, decision: &Decision) -> std::fmt::Result {
    let release = &decision.release;
    write!(
        out,
        "<div class=\"davy\"><p><strong>{}</strong>: {} {} → {}</p><p>Asked to {} at {}, stage {}, attempt {}, {}",
        decision.verdict,
        escaped(release.service.as_str()),
        escaped(release.revision.as_str()),
        escaped(release.environment.as_str()),
        decision.asked,
        decision.weight,
        decision.stage,
        release.attempt,
        decision.at
    )?;
    if let Some(score) = decision.score {
        write!(out, ", health score {}/100", score.get())?;
    }
    if let Some(hold) = decision.hold {
        write!(out, "; {}{}", hold_word(hold.kind), escaped(&until(hold.until)))?;
    }
    if let Some(shadow) = shadow_sentence(decision) {
        write!(out, "; {}", escaped(&shadow))?;
    }
    out.push_str(".</p><table><thead><tr>");
    ["", "finding", "passes with", "code", "policy"].iter().try_for_each(|head| write!(out, "<th>{head}</th>"))?;
    out.push_str("</tr></thead><tbody>");
    decision.findings.iter().try_for_each(|finding| write_row(out, finding))?;
    out.push_str("</tbody></table></div>");
    Ok(())
}

fn write_row(out: &mut String, finding: &Finding) -> std::fmt::Result {
    let word = match finding.effective() {
        Outcome::Pass => "pass",
        Outcome::Hold(_) => "<strong>hold</strong>",
        Outcome::Fail => "<strong>fail</strong>",
    };
    let note = standing_note(finding).map_or(String::new(), |note| format!(" ({note})"));
    let flip = if finding.flip.is_ok() { flip_sentence(finding) } else { String::new() };
    let source = finding.source.as_ref().map_or(String::new(), ToString::to_string);
    write!(
        out,
        "<tr><td>{word}</td><td>{}{}</td><td>{}</td><td><code>{}</code></td><td><code>{}</code></td></tr>",
        escaped(&sentence(finding)),
        escaped(&note),
        escaped(&flip),
        escaped(finding.code()),
        escaped(&source)
    )
}

/// Text that stays text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn free_text_cannot_become_markup() {
        assert_eq!(escaped("<b onclick=\"x\">&"), "&lt;b onclick=&quot;x&quot;&gt;&amp;");
    }
}
