//! Why a plugin is not loaded.

use std::path::PathBuf;

use davy::plugin::PluginFault;
use thiserror::Error;

/// Why a plugin, or what runs it, cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PluginError {
    /// No engine for this machine.
    #[error("W001: WebAssembly cannot be run here: {0}")]
    Engine(String),
    /// Larger than the limit.
    #[error("W002: the plugin has {bytes} bytes; at most {limit} are allowed ({way_out})")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
        /// What can be done about it.
        way_out: String,
    },
    /// A core module instead of a component.
    #[error("W003: this is a core module, not a component: `davy plugin build` makes one of it")]
    CoreModule,
    /// Native code.
    #[error("W004: this is precompiled code, which nobody can check: give the component that it was made from")]
    Precompiled,
    /// Neither a component nor anything near it.
    #[error(
        "W005: this is no WebAssembly component: `davy plugin build` makes one of a core module, in binary or text"
    )]
    NotWasm,
    /// The component is broken, or needs more of WebAssembly than is allowed.
    #[error("W006: the component is not valid: {0}")]
    Invalid(String),
    /// It wants something from outside.
    #[error("W007: the plugin imports {}, and a plugin may import nothing: build it with its imports stubbed out", .names.join(", "))]
    Imports {
        /// The names, in backticks.
        names: Vec<String>,
    },
    /// It exports none of the worlds.
    #[error("W008: this is no davy plugin: it exports {}; a metric exports `davy:plugin/measure@0.1.0`, a probe step `davy:plugin/step@0.1.0`", .exports)]
    NoWorld {
        /// What it exports.
        exports: String,
    },
    /// It exports a world of another version.
    #[error("W009: the plugin exports `{found}`; this version of davy runs {}", crate::WORLD_VERSION)]
    WorldVersion {
        /// The export.
        found: String,
    },
    /// Functions or types other than the world's.
    #[error("W010: the plugin's exports are not those of its world: {0}")]
    WorldType(String),
    /// It cannot say what it is.
    #[error("W011: the plugin fails to describe itself: {}: {detail}", .fault.as_str())]
    Describe {
        /// In what way.
        fault: PluginFault,
        /// More about it.
        detail: String,
    },
    /// What it says of itself cannot be used.
    #[error("W012: the plugin's description cannot be used: {0}")]
    Description(String),
    /// Its parameters' schema cannot be used.
    #[error("W013: the schema of the plugin's parameters cannot be used: {0}")]
    Schema(#[from] SchemaError),
    /// A metric where a probe step is expected, or the other way round.
    #[error("W014: the plugin is a {found}, not a {expected}")]
    OtherWorld {
        /// What is needed.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The folder for compiled code cannot be trusted.
    #[error("W015: compiled code cannot be kept in {}: {why}", .path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Code that was compiled before cannot be used; it is compiled anew.
    #[error("W017: compiled code in {} is not used: {why}", .path.display())]
    CacheEntry {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The component has more parts than it may, or begins with more than it may ever have.
    #[error("W018: the component asks for too much: {why} ({way_out})")]
    TooMuch {
        /// Of what.
        why: String,
        /// What can be done about it.
        way_out: String,
    },
    /// The plugins do not fit the documents that use them.
    #[error("W016: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Documents(Vec<davy::Diagnostic>),
}

/// Why a JSON Schema cannot be used, or parameters do not fit one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {what}", if .at.is_empty() { "at the top" } else { .at })]
pub struct SchemaError {
    /// Where, as keys and indexes: `limits[0].max`.
    pub at: String,
    /// What is wrong there.
    pub what: String,
}
