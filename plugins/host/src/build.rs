//! From core modules to components: what `davy plugin build` does, and tests do.
//!
//! Compilers for WebAssembly make core modules. A module whose exports follow the canonical ABI of a world, by
//! hand or by `wit-bindgen`, becomes a component here, without any tool beside the compiler.

use thiserror::Error;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::description::World;

const METRIC: &str = include_str!("../../wit/metric.wit");
const PROBE_STEP: &str = include_str!("../../wit/probe-step.wit");

/// Why no component could be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The text format cannot be read.
    #[error("W020: the module's text cannot be read: {0}")]
    Text(String),
    /// The module's exports are not those of the world.
    #[error("W021: the module does not fit the world `{world}`: {why}")]
    World {
        /// The world's name.
        world: &'static str,
        /// What does not fit.
        why: String,
    },
    /// It is not of one world.
    #[error(
        "W022: the module has {0}: a metric exports `davy:plugin/measure@0.1.0#describe` and `…#evaluate`, a probe step \
         `davy:plugin/step@0.1.0#describe` and `…#turn`"
    )]
    NoWorld(&'static str),
}

/// The text of a world's package.
#[must_use]
pub const fn wit(world: World) -> &'static str {
    match world {
        World::Metric => METRIC,
        World::ProbeStep => PROBE_STEP,
    }
}

/// A component from a core module, binary or text. What is a component already stays as it is.
///
/// # Errors
/// [`BuildError`] for text that cannot be read and exports that do not fit.
pub fn component(module: &[u8], world: World) -> Result<Vec<u8>, BuildError> {
    let module = wat::parse_bytes(module).map_err(|error| BuildError::Text(error.to_string()))?;
    if matches!(module.get(..8), Some([0, b'a', b's', b'm', _, _, 1, 0])) {
        return Ok(module.into_owned());
    }
    encode(module.into_owned(), wit(world), world.as_str())
        .map_err(|error| BuildError::World { world: world.as_str(), why: format!("{error:#}") })
}

/// The world whose functions a core module exports, in binary or text.
///
/// # Errors
/// [`BuildError`] for text that cannot be read, and modules that export neither world's functions.
pub fn world_of(module: &[u8]) -> Result<World, BuildError> {
    let module = wat::parse_bytes(module).map_err(|error| BuildError::Text(error.to_string()))?;
    let exports = |name: &str| module.windows(name.len()).any(|part| part == name.as_bytes());
    match (exports("davy:plugin/measure@"), exports("davy:plugin/step@")) {
        (true, false) => Ok(World::Metric),
        (false, true) => Ok(World::ProbeStep),
        (true, true) => Err(BuildError::NoWorld("the functions of both worlds")),
        (false, false) => Err(BuildError::NoWorld("the functions of neither world")),
    }
}

fn encode(mut module: Vec<u8>, wit: &str, world: &str) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    // What wit-bindgen generated says of itself which world it is of.
    if !has_metadata(&module) {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("davy-plugin.wit", wit)?;
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    }
    Ok(ComponentEncoder::default().validate(true).module(&module)?.encode()?)
}

fn has_metadata(module: &[u8]) -> bool {
    module.windows(14).any(|part| part == b"component-type")
}
