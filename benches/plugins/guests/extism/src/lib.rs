//! The sum of all values, as a plugin of Extism.

use extism_pdk::{FnResult, plugin_fn};

#[plugin_fn]
pub fn evaluate(input: Vec<u8>) -> FnResult<Vec<u8>> {
    let values = input.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap_or_default()));
    Ok(values.sum::<f64>().to_le_bytes().to_vec())
}
