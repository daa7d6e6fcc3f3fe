//! `kind: ProbeLibrary`: actions that flows share, such as a login.

use super::flow::{Import, ProbeMetadata};
use super::step::ProbeStep;
use super::value::Template;
use crate::document::declare::{keywords, record};
use crate::document::decode::Named;
use crate::document::rollout::ApiVersion;

keywords! {
    /// The kind of a document that holds a library.
    pub enum LibraryKind {
        /// Shared actions.
        ProbeLibrary = "ProbeLibrary",
    }
}

record! {
    /// Actions that flows share. A flow imports the library and calls them with `use`.
    pub struct ProbeLibrary {
        /// The version of the language.
        api_version: ApiVersion = "apiVersion", required;
        /// The kind of the document.
        kind: LibraryKind = "kind", required;
        /// Its name, and notes about it.
        metadata: ProbeMetadata = "metadata", required;
        /// The actions.
        spec: LibrarySpec = "spec", required;
    }
}

record! {
    /// The actions of a library.
    pub struct LibrarySpec {
        /// Libraries that its actions use.
        imports: Named<Import> = "imports", optional;
        /// The actions by name.
        actions: Named<Action> = "actions", required;
    }
}

record! {
    /// An action: steps with parameters and results. It sees nothing of the flow but its inputs and the target.
    pub struct Action {
        /// What it takes; `${inputs.name}` stands for one.
        inputs: Named<Input> = "inputs", optional;
        /// What it does.
        steps: Vec<ProbeStep> = "steps", required;
        /// What it gives; the caller sees `${as.name}`.
        outputs: Named<Output> = "outputs", optional;
    }
}

record! {
    /// A parameter of an action.
    pub struct Input {
        /// What it is, for people.
        description: String = "description", optional;
        /// Its value where the caller gives none; without it the caller must.
        default: Template = "default", optional;
    }
}

record! {
    /// A result of an action. Short form: its value alone.
    pub struct Output short "value" {
        /// Its value, such as `${token}`.
        value: Template = "value", required;
    }
}
