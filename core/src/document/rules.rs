//! Rules of a policy, written in Rego or CEL.

use super::declare::{keywords, record};
use crate::{Name, Text};

keywords! {
    /// What a rule that fires asks for.
    pub enum RuleOutcome {
        /// The release fails: abort, or rollback in the live stage.
        Fail = "fail",
        /// The release does not begin: it fails at `start`, and holds at every other request.
        Deny = "deny",
        /// The release holds.
        Hold = "hold",
        /// The release goes on, with a message.
        Warn = "warn",
    }
}

record! {
    /// A rule. Short form: the name of its file.
    pub struct RuleEntry short "file" {
        /// A file of the bundle that ends with `.rego` or `.cel`.
        file: String = "file", optional;
        /// A CEL expression that is true of a release that may go on.
        cel: String = "cel", optional;
        /// The rule's name; that of its file without the ending, unless given.
        name: Name = "name", optional;
        /// Of CEL: why the expression is asked for.
        message: Text = "message", optional;
        /// Of CEL: what follows when the expression is false. `deny` unless the file says otherwise.
        outcome: RuleOutcome = "outcome", optional;
        /// The rule is shown and never counts; the decision says where it would have been another.
        shadow: bool = "shadow", default(false);
        /// Of a shadow: the rule that it would replace.
        instead_of: Name = "insteadOf", optional;
    }
}
