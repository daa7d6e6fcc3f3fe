//! `davy demo`: three looks at one release of an embedded example, and what to try next.

use crate::ExitCode;
use std::path::Path;

use davy::render::{self, Colour};
use davy::{Bundle, Decision, Engine, Snapshot, State};

use crate::error::Error;
use crate::terminal::{Stream, paint, printable};
use crate::{Ended, terminal};

const POLICY: &str = include_str!("../../../policies/checkout/rollouts.yaml");

/// Name, what was observed, snapshot.
const LOOKS: [(&str, &str, &str); 3] = [
    ("healthy", "every metric is within its limits", include_str!("../../../policies/checkout/snapshots/healthy.json")),
    (
        "inconclusive",
        "the errors are neither few enough to go on nor enough to stop",
        include_str!("../../../policies/checkout/snapshots/inconclusive.json"),
    ),
    (
        "regressed",
        "more errors and a higher latency than the baseline",
        include_str!("../../../policies/checkout/snapshots/regressed.json"),
    ),
];

/// Decide an embedded example: a healthy, an inconclusive and a regressed release
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run() -> Ended {
    let path = Path::new("policies/checkout");
    let bundle = Bundle::from_files([("rollouts.yaml", POLICY)])
        .map_err(|error| Error::Policy { path: path.to_owned(), errors: error.diagnostics().len() })?;
    let engine = Engine::new(&bundle);
    let colour = Stream::Out.colour();
    let mut out =
        format!("One release of `{}`, seen three times under policies/checkout/rollouts.yaml.\n\n", bundle.service());
    for (name, observed, json) in LOOKS {
        let path = path.join("snapshots").join(name).with_extension("json");
        let snapshot = Snapshot::from_json(json.as_bytes()).map_err(Error::json(&path))?;
        let decision = engine.decide(&State::new(), &snapshot).decision;
        out.push_str(&paint(colour, "1", &format!("── {name}: {observed}")));
        out.push_str("\n\n");
        out.push_str(&reasons(decision, colour));
    }
    out.push_str(&next(&program()));
    terminal::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// The decision with the findings that made it, and the number of the others.
fn reasons(decision: Decision, colour: Colour) -> String {
    let reasons: Vec<_> = decision.reasons().cloned().collect();
    let others = decision.findings.len() - reasons.len();
    let mut text = render::text_with(&Decision { findings: reasons, ..decision }, colour);
    if others > 0 {
        text.push_str(&format!("\n  and {others} findings that weigh less\n"));
    }
    text.push('\n');
    text
}

/// As it was called, so that the commands below can be copied.
fn program() -> String {
    std::env::args_os().next().map_or_else(|| "davy".to_owned(), |name| printable(&name.to_string_lossy()))
}

fn next(davy: &str) -> String {
    format!(
        "\
Try next, in the repository:
  {davy} decide --policy policies/checkout --snapshot policies/checkout/snapshots/regressed.json --record records.jsonl
  {davy} replay records.jsonl
  {davy} policy show policies/checkout
and for a service of your own:
  {davy} init my-service
  {davy} lint my-service
"
    )
}
