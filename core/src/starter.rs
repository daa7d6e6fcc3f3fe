//! The commented starter that `davy init` writes.

const STARTER: &str = include_str!("starter.yaml");

/// A commented `rollouts.yaml` for a service; it lints clean.
///
/// The name goes in as it is; [`crate::Bundle::from_files`] says whether it is one.
///
/// ```
/// let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
/// assert!(bundle.warnings().is_empty());
/// # Ok::<(), davy::BundleError>(())
/// ```
#[must_use]
pub fn starter(service: &str) -> String {
    STARTER.replace("SERVICE", service)
}
