//! How a prober reaches the world.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use davy::plugin::Plugins;
use thiserror::Error;

use super::encryption::Encryption;
use super::lookup::{Lookup, SystemLookup};
use super::proxy::Proxy;
use super::secrets::{NoStore, SecretStore};

/// How a prober reaches the world, as whoever runs it says.
#[derive(Debug, Clone)]
pub struct ProberConfig {
    /// Authorities to trust besides those of the web, as files with certificates in PEM form.
    pub authorities: Vec<PathBuf>,
    /// A proxy to go through. None is taken from the environment.
    pub proxy: Option<Proxy>,
    /// Whether connections are kept for the next run. A run that takes up an old connection sees neither a new
    /// certificate nor that nobody answers a new one, so they are not unless asked for.
    pub keep_connections: bool,
    /// How hosts are looked up.
    pub lookup: Arc<dyn Lookup>,
    /// Where secrets from `host:name` come from.
    pub secrets: Arc<dyn SecretStore>,
    /// The plugins of custom steps.
    pub plugins: Plugins,
}

impl Default for ProberConfig {
    fn default() -> Self {
        Self {
            authorities: Vec::new(),
            proxy: None,
            keep_connections: false,
            lookup: Arc::new(SystemLookup::default()),
            secrets: Arc::new(NoStore),
            plugins: Plugins::new(),
        }
    }
}

/// A prober that cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProberError {
    /// A file that cannot be read.
    #[error("I020: cannot read `{}`: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: ErrorKind,
    },
    /// A file without certificates.
    #[error("I021: `{}` holds no certificate in PEM form", path.display())]
    Authority {
        /// Which.
        path: PathBuf,
    },
    /// Not a proxy. What was given is not shown, for it may hold a password.
    #[error("I022: a proxy is `http://host:port`, perhaps with `user:password@` before the host")]
    Proxy,
}

/// What a prober's connections share.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) encryption: Encryption,
    pub(super) proxy: Option<Proxy>,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) secrets: Arc<dyn SecretStore>,
    pub(super) plugins: Plugins,
    pub(super) keep_connections: bool,
}

impl Settings {
    pub(super) fn new(config: ProberConfig) -> Result<Self, ProberError> {
        Ok(Self {
            encryption: Encryption::new(&config.authorities)?,
            proxy: config.proxy,
            lookup: config.lookup,
            secrets: config.secrets,
            plugins: config.plugins,
            keep_connections: config.keep_connections,
        })
    }
}
