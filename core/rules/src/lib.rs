//! Rules in Rego and CEL for `davy`.
//!
//! ```
//! use davy::{Bundle, Engine, Snapshot, State};
//!
//! let rollout = r#"
//! apiVersion: davy/v1
//! kind: Rollout
//! metadata: { name: checkout }
//! spec:
//!   rules:
//!     - ticket.rego
//!     - { name: replicas, cel: "facts.replicas >= 3", message: at least three replicas, outcome: hold }
//! "#;
//! let ticket = r#"
//! package ticket
//! deny contains "a change of production needs a ticket" if not input.facts.ticket
//! "#;
//! let bundle = Bundle::from_files([("rollouts.yaml", rollout), ("ticket.rego", ticket)])?;
//! let engine = Engine::builder(&bundle).rules(davy_rules::languages()).build()?;
//! # let json = br#"{ "now": "2026-11-23T10:00:00Z", "asked": "start", "stage": "canary", "weight": "0%",
//! #   "since": "2026-11-23T10:00:00Z", "facts": { "replicas": 2, "ticket": "CHG-1" }, "release": { "service": "checkout",
//! #   "environment": "prod", "revision": "r2", "stable": "r1", "startedAt": "2026-11-23T10:00:00Z" } }"#;
//! # let snapshot = Snapshot::from_json(json)?;
//! let state = State::new();
//! let step = engine.decide(&state, &snapshot);
//! assert!(step.decision.to_string().contains("replicas: at least three replicas: facts.replicas >= 3 (facts.replicas is 2)"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a rule can do
//!
//! A rule reads one document, the same in both languages: `input` in Rego, variables in CEL. [`davy::rule_input_schema`]
//! is its schema. It sees the findings of every gate and never those of another rule.
//!
//! In Rego (v1) a rule fills the sets `fail`, `deny`, `hold` and `warn` with strings, or with objects that have `msg` and
//! `code`. In CEL it is an expression that is true of a release that may go on; its file may begin with
//! `// message: …` and `// outcome: deny`.
//!
//! # What is missing is not false
//!
//! Every path that a rule reads is known when it is loaded. Where one of them has no value, and the rule does not ask
//! whether it has, the rule holds the release as `blind` and names the path: in both languages the comparison of
//! something that is not there would otherwise quietly not be true. A rule asks with `not input.a.b` or
//! `object.get` in Rego, with `has(a.b)` or `"b" in a` in CEL; a default answers for what it has, and what it lacks must be
//! there. What is read by a name that is only known when the rule is judged is declared in a comment,
//! `# reads: facts.approvals[*].by`; where several declarations can be meant, all of it must be there.
//!
//! So is a key of the input that is looked up in a table which the rule writes out: in `facts.n < floor[facts.region]`, `floor` must
//! have that region. `not floor[input.facts.region]` asks whether it has, as do `object.get`, a default for a rule that is
//! nothing but the look-up, and the look-up as a condition of its own. What a function of the rule has no clause for, and a key that is
//! computed, are not looked for. Where either is compared, lint warns (L035): end the function with an `else`, and use `object.get`.
//!
//! What has no answer is not false either: where values of different kinds are put in order, or `in` looks into what is no list,
//! map or set, or a rule or function in Rego has two values that differ, the rule holds the release as well. A loop in Rego is not negated itself, but as a rule of its own, for of an empty
//! list there is nothing to negate: `not input.facts.checks[_].ok` is refused.
//!
//! # Tests
//!
//! Tests of policies count which parts of rules they reach: of Rego each statement, and each member or value that a rule is where
//! its statements hold; of CEL each condition between `&&`, `||`, `!` and `? :`, once for being true and once for being
//! false. [`RegoTests`] runs tests in Rego itself.
//!
//! # Answers of probed services
//!
//! CEL is also the language of the expectation `cel` in flows, under the same limits. [`davy::probe::ANSWER`] is what an
//! expression reads there. An expectation whose expression reads what is not there, without asking whether it is, is not met.
//!
//! # Limits
//!
//! Nothing that a rule says can take long, take much memory, or depend on anything but the document. See [`limits`].

mod cel;
mod compile;
mod declared;
pub mod limits;
mod read;
mod rego;
mod text;
mod value;

use std::sync::Arc;

use davy::RuleLanguage;
use davy::probe::ExpectationLanguage;

pub use cel::Cel;
pub use rego::{Rego, RegoTestOutcome, RegoTestRun, RegoTests};

/// Rego and CEL, for [`davy::EngineBuilder::rules`].
#[must_use]
pub fn languages() -> [Arc<dyn RuleLanguage>; 2] {
    [Arc::new(Rego), Arc::new(Cel)]
}

/// CEL, for the expectation `cel` of flows: for [`davy::Bundle::with_languages`] and [`davy::ProbeFlows::with_languages`].
#[must_use]
pub fn expectations() -> [Arc<dyn ExpectationLanguage>; 1] {
    [Arc::new(Cel)]
}
