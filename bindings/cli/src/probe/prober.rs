//! How flows reach the world, as arguments say.

use std::path::PathBuf;

use davy::plugin::Plugins;
use davy_io::probe::{Prober, ProberConfig, Proxy};

use crate::error::Error;
use crate::plugins::PluginArgs;

/// How flows reach the world.
#[derive(clap::Args)]
pub(crate) struct ProberArgs {
    /// Trust the authorities of this file too, certificates in PEM form
    #[arg(long = "ca", value_name = "FILE")]
    authorities: Vec<PathBuf>,
    /// Go through this HTTP proxy, `http://[user:password@]host:port`; none is taken from the environment
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    #[command(flatten)]
    pub(crate) plugins: PluginArgs,
}

impl ProberArgs {
    /// A prober that has these plugins.
    pub(crate) fn prober(&self, plugins: Plugins) -> Result<Prober, Error> {
        let proxy = self.proxy.as_deref().map(Proxy::new).transpose()?;
        let config = ProberConfig { authorities: self.authorities.clone(), proxy, plugins, ..ProberConfig::default() };
        Ok(Prober::new(config)?)
    }
}
