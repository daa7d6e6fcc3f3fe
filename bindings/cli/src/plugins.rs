//! The plugins that policies and flows use: loaded where there are any, checked, and kept compiled for the next time.

use std::fs;
use std::path::{Path, PathBuf};

use davy::plugin::Plugins;
use davy::{Bundle, Diagnostic, ProbeFlows};
use davy_plugins::{Cache, Limits, PluginError, PluginHost};

use crate::error::Error;
use crate::load::Documents;
use crate::terminal;

/// How plugins are run.
#[derive(clap::Args)]
pub(crate) struct PluginArgs {
    /// Give plugins the fuel, time, memory and size that interpreters need: for those of Python and JavaScript
    #[arg(long)]
    interpreters: bool,
    /// Keep compiled plugins in this folder, which must be closed to others; in the user's cache folder unless given
    #[arg(long, value_name = "DIR")]
    plugin_cache: Option<PathBuf>,
}

impl PluginArgs {
    /// What runs plugins here. Without a folder of one's own, compiled code is kept for nobody.
    pub(crate) fn host(&self) -> Result<PluginHost, PluginError> {
        let mut builder = PluginHost::builder().limits(self.limits());
        if let Some(cache) = self.cache()? {
            builder = builder.cache(cache);
        }
        builder.build()
    }

    /// The same, without a folder for compiled code.
    pub(crate) fn host_without_cache(&self) -> Result<PluginHost, PluginError> {
        PluginHost::builder().limits(self.limits()).build()
    }

    pub(crate) const fn limits(&self) -> Limits {
        if self.interpreters { Limits::INTERPRETERS } else { Limits::DEFAULT }
    }

    /// The folder for compiled code: the one that is given, which must do, or the user's, if there is one that does.
    pub(crate) fn cache(&self) -> Result<Option<Cache>, PluginError> {
        match (&self.plugin_cache, of_the_user()) {
            (Some(given), _) => Cache::new(given).map(Some),
            (None, own) => Ok(own.and_then(|folder| Cache::new(folder).ok())),
        }
    }

    /// The plugins of these bundles. What is wrong with one is shown on standard error; a plugin that is not loaded measures
    /// nothing, so that its metric holds, and what else is observed still ends a bad release.
    pub(crate) fn of<'a>(&self, bundles: impl Iterator<Item = (&'a Documents, &'a Bundle)>) -> Plugins {
        let mut plugins = Plugins::new();
        for (documents, bundle) in bundles.filter(|(_, bundle)| bundle.plugins().next().is_some()) {
            match self.host() {
                Ok(host) => {
                    let (loaded, wrong) = host.load_what_fits(bundle);
                    documents.show(&wrong.iter().map(|diagnostic| documents.locate(diagnostic)).collect::<Vec<_>>());
                    plugins = plugins.and(loaded);
                }
                Err(error) => terminal::complain(&error),
            }
        }
        plugins
    }

    /// The plugins of these flows.
    pub(crate) fn of_flows(&self, documents: &Documents, flows: &ProbeFlows) -> Result<Plugins, Error> {
        if !flows.iter().any(|plan| plan.plugins().any(|used| used.digest.is_some())) {
            return Ok(Plugins::new());
        }
        self.host()?.load_steps(flows, documents.components()).map_err(|error| match error {
            PluginError::Documents(wrong) => {
                documents.refuse(&wrong.iter().map(|diagnostic| documents.locate(diagnostic)).collect::<Vec<_>>())
            }
            error => error.into(),
        })
    }

    /// Everything in which a bundle does not use its plugins as they say of themselves.
    pub(crate) fn check(&self, bundle: &Bundle) -> Result<Vec<Diagnostic>, Error> {
        if bundle.plugins().next().is_none() {
            return Ok(Vec::new());
        }
        Ok(self.host()?.load_what_fits(bundle).1)
    }

    /// The same of flows.
    pub(crate) fn check_flows(&self, documents: &Documents, flows: &ProbeFlows) -> Result<Vec<Diagnostic>, Error> {
        if documents.components().next().is_none() {
            return Ok(Vec::new());
        }
        match self.host()?.load_steps(flows, documents.components()) {
            Err(PluginError::Documents(wrong)) => Ok(wrong),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Vec::new()),
        }
    }
}

/// The user's own folder for compiled plugins, made if it is missing.
fn of_the_user() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let davy = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("davy");
    fs::create_dir_all(&davy).ok()?;
    Some(davy.join("plugins"))
}

/// Where the user's compiled plugins are kept, for people.
pub(crate) fn shown_cache(args: &PluginArgs) -> String {
    let folder = args.plugin_cache.clone().or_else(of_the_user);
    folder.as_deref().map_or_else(|| "nowhere".to_owned(), |path: &Path| path.display().to_string())
}
