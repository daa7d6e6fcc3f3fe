//! The plugins that policies and flows use: loaded where there are any, checked, and kept compiled for the next time.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

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
    // What runs them: an engine reserves much, and is made once.
    #[arg(skip)]
    host: OnceLock<PluginHost>,
}

impl PluginArgs {
    /// What runs plugins here, with compiled code from where it is kept. A folder that is given must do for it; where the
    /// user's own does not, that is told, and plugins are compiled.
    pub(crate) fn host(&self) -> Result<PluginHost, PluginError> {
        self.once(|| match self.cache() {
            Ok(cache) => Ok(Some(cache.telling(tell_once()))),
            Err(unkept) if self.plugin_cache.is_some() => Err(unkept),
            Err(unkept) => {
                terminal::warn(&unkept);
                Ok(None)
            }
        })
    }

    /// The same, for a command that keeps compiled code or fails; `tell` hears what keeps it from that.
    pub(crate) fn host_that_keeps(
        &self,
        tell: impl Fn(&PluginError) + Send + Sync + 'static,
    ) -> Result<PluginHost, PluginError> {
        self.once(|| Ok(Some(self.cache()?.telling(tell))))
    }

    /// The same, for commands that look at what others made: nothing of it is kept.
    pub(crate) fn host_without_cache(&self) -> Result<PluginHost, PluginError> {
        self.once(|| Ok(None))
    }

    /// The folder for compiled code: the one that is given, or the user's own.
    pub(crate) fn cache_folder(&self) -> Result<PathBuf, PluginError> {
        self.plugin_cache.clone().map_or_else(of_the_user, Ok)
    }

    const fn limits(&self) -> Limits {
        if self.interpreters { Limits::INTERPRETERS } else { Limits::DEFAULT }
    }

    fn cache(&self) -> Result<Cache, PluginError> {
        Cache::new(self.cache_folder()?)
    }

    /// The process's host, which is made when it is first asked for.
    fn once(&self, cache: impl FnOnce() -> Result<Option<Cache>, PluginError>) -> Result<PluginHost, PluginError> {
        if let Some(host) = self.host.get() {
            return Ok(host.clone());
        }
        let mut builder = PluginHost::builder().limits(self.limits());
        if let Some(cache) = cache()? {
            builder = builder.cache(cache);
        }
        let host = builder.build()?;
        Ok(self.host.get_or_init(|| host).clone())
    }

    /// The plugins of these bundles. What is wrong with one is shown on standard error; a plugin that is not loaded measures
    /// nothing, so that its metric holds, and what else is observed still ends a bad release.
    pub(crate) fn of<'a>(&self, bundles: impl Iterator<Item = (&'a Documents, &'a Bundle)>) -> Plugins {
        let mut plugins = Plugins::new();
        for (documents, bundle) in bundles.filter(|(_, bundle)| bundle.plugins().next().is_some()) {
            let host = match self.host() {
                Ok(host) => host,
                Err(error) => {
                    terminal::complain(&error);
                    return plugins;
                }
            };
            let (loaded, wrong) = host.load_what_fits(bundle);
            documents.show(&wrong.iter().map(|diagnostic| documents.locate(diagnostic)).collect::<Vec<_>>());
            plugins = plugins.and(loaded);
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

/// Warns of everything that cannot be used, and of a folder once, however many plugins it cannot keep.
fn tell_once() -> impl Fn(&PluginError) + Send + Sync + 'static {
    let told = AtomicBool::new(false);
    move |fault: &PluginError| {
        if !matches!(fault, PluginError::Cache { .. }) || !told.swap(true, Ordering::Relaxed) {
            terminal::warn(fault);
        }
    }
}

/// The user's own folder for compiled plugins; what it lies in is made if it is missing.
fn of_the_user() -> Result<PathBuf, PluginError> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let refused = |path: &Path, why: &dyn Display| PluginError::Cache {
        path: path.to_owned(),
        why: format!("{why}; `--plugin-cache` names another folder"),
    };
    let Some(caches) = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))) else {
        return Err(refused(Path::new("~/.cache/davy"), &"no home folder is known"));
    };
    let davy = caches.join("davy");
    fs::create_dir_all(&davy).map_err(|error| refused(&davy, &error))?;
    Ok(davy.join("plugins"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn a_process_makes_one_host() {
        let args = PluginArgs { interpreters: false, plugin_cache: None, host: OnceLock::new() };
        let (first, second) = (args.host_without_cache().unwrap(), args.host().unwrap());
        // Hosts that share what they loaded share the name of what runs it.
        assert!(std::ptr::eq(first.engine(), second.engine()));
    }
}
