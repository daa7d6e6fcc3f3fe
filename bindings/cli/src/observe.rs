//! Where a snapshot comes from: files, or a Prometheus server that is asked for what the policy needs.

use std::path::{Path, PathBuf};

use clap::Args;
use davy::probe::{answers, feed};
use davy::{Bundle, Cohort, Duration, Engine, ProbeFlows, Requirement, Snapshot, State};
use davy_io::prometheus::Prometheus;
use davy_io::{Auth, ClientConfig, Credential, Deadline, Identity, Sources, merge};

use crate::error::Error;
use crate::probe::Whose;
use crate::release::{ReleaseArgs, now};
use crate::{load, terminal};

/// A Prometheus server and how it is reached.
#[derive(Args)]
pub(crate) struct ServerArgs {
    /// Ask this Prometheus server, whatever the policy's sources say, for what the policy needs
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus: Option<String>,
    /// A file with a bearer token for the server
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    bearer_token: Option<PathBuf>,
    /// A user of the server, for basic authentication
    #[arg(long, value_name = "NAME", requires = "password")]
    user: Option<String>,
    /// A file with the user's password
    #[arg(long, value_name = "FILE", requires = "user")]
    password: Option<PathBuf>,
    /// A PEM file with the authorities to trust, in place of those of the web
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A PEM file with a client certificate
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// A PEM file with the certificate's key
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Results of synthetic flows, as `davy probe run --format json` and `davy probe serve --results` write them: for the
    /// policy's probes, its metrics by `probe`, and SLOs that flows are bound to
    #[arg(long, value_name = "FILE|-")]
    probes: Option<PathBuf>,
    /// Whose answers runs got that asked for no cohort
    #[arg(long, value_enum, value_name = "COHORT", requires = "probes")]
    probed: Option<Whose>,
    /// How long all questions of one look may take together, retries included
    #[arg(long, value_name = "DURATION", default_value = "20s")]
    timeout: Duration,
}

/// Results of flows, read at every look.
pub(crate) struct Runs<'a> {
    path: &'a Path,
    of: Option<Cohort>,
    flows: &'a ProbeFlows,
}

impl Runs<'_> {
    /// Adds what the runs say to a snapshot.
    fn tell(&self, snapshot: &mut Snapshot, wanted: &[Requirement]) -> Result<(), Error> {
        let fed = feed(self.flows, &load::results(self.path)?, wanted, self.of);
        let intervals = std::mem::take(&mut snapshot.intervals).into_iter().chain(fed.intervals);
        snapshot.intervals = merge(intervals)?;
        snapshot.slos.extend(fed.slos);
        snapshot.probes.extend(fed.probes);
        Ok(())
    }
}

/// Where snapshots come from.
pub(crate) enum Eyes<'a> {
    /// A whole snapshot in a file.
    Snapshot(&'a Path),
    /// Intervals in a file.
    Intervals { path: &'a Path, release: &'a ReleaseArgs, runs: Option<Runs<'a>> },
    /// Servers, which are asked at every look.
    Servers { sources: Sources, release: &'a ReleaseArgs, timeout: Duration, runs: Option<Runs<'a>> },
}

impl ServerArgs {
    /// The servers that answer for the policy's sources.
    pub(crate) fn eyes<'a>(
        &'a self,
        bundle: &'a Bundle,
        engine: &Engine,
        release: &'a ReleaseArgs,
    ) -> Result<Eyes<'a>, Error> {
        let sources = match &self.prometheus {
            Some(url) => Sources::one(self.server(url)?),
            None => engine.sources().try_fold(Sources::default(), |sources, (name, source)| {
                Ok::<_, Error>(sources.with(name.clone(), self.server(&source.prometheus.value)?))
            })?,
        };
        Ok(Eyes::Servers { sources, release, timeout: self.timeout, runs: self.runs(bundle) })
    }

    /// Results of flows, where there are any.
    pub(crate) fn runs<'a>(&'a self, bundle: &'a Bundle) -> Option<Runs<'a>> {
        let path = self.probes.as_deref()?;
        Some(Runs { path, of: self.probed.map(Whose::cohort), flows: bundle.probes() })
    }

    fn server(&self, url: &str) -> Result<Prometheus, Error> {
        let file = |path: &PathBuf| Credential::File(path.clone());
        let mut config = ClientConfig::new(url)?;
        config.auth = match (&self.bearer_token, &self.user, &self.password) {
            (Some(token), _, _) => Some(Auth::Bearer(file(token))),
            (None, Some(user), Some(password)) => Some(Auth::Basic { user: user.clone(), password: file(password) }),
            _ => None,
        };
        config.ca.clone_from(&self.ca);
        config.identity = self
            .cert
            .as_ref()
            .zip(self.key.as_ref())
            .map(|(certificate, key)| Identity { certificate: certificate.clone(), key: key.clone() });
        Ok(Prometheus::new(config)?)
    }
}

impl Eyes<'_> {
    /// What is seen now. What could not be had is told on standard error, and missing in the snapshot.
    pub(crate) fn look(&self, engine: &Engine, state: &State) -> Result<Snapshot, Error> {
        let wanted = |snapshot: &Snapshot| {
            engine.requirements(state, &snapshot.release, snapshot.asked, snapshot.stage, snapshot.now)
        };
        let (sources, release, timeout, runs) = match self {
            Self::Snapshot(path) => return load::snapshot(path),
            Self::Intervals { path, release, runs } => {
                let intervals = load::intervals(path)?;
                let mut snapshot = Snapshot { intervals, ..release.snapshot(engine, state, now())? };
                if let Some(runs) = runs {
                    let wanted = wanted(&snapshot);
                    runs.tell(&mut snapshot, &wanted)?;
                }
                look_back(engine, state, &mut snapshot);
                return Ok(snapshot);
            }
            Self::Servers { sources, release, timeout, runs } => (sources, release, timeout, runs),
        };
        let mut snapshot = release.snapshot(engine, state, now())?;
        let (by_runs, by_servers): (Vec<Requirement>, Vec<Requirement>) = wanted(&snapshot)
            .into_iter()
            .partition(|wanted| runs.as_ref().is_some_and(|runs| answers(runs.flows, wanted)));
        let seen = sources.observe(&by_servers, Deadline::within(std::time::Duration::from_millis(timeout.millis())));
        for note in &seen.notes {
            terminal::note(&format!("davy: {}\n", terminal::printable(&note.to_string())));
        }
        (snapshot.intervals, snapshot.slos) = (seen.intervals, seen.slos);
        if let Some(runs) = runs {
            runs.tell(&mut snapshot, &by_runs)?;
        }
        look_back(engine, state, &mut snapshot);
        Ok(snapshot)
    }
}

/// Of a policy with plugins, moves what has been judged, and what lies before the release, to where plugins look back on
/// it. Without plugins nobody would, and intervals that come again are told from those that changed.
fn look_back(engine: &Engine, state: &State, snapshot: &mut Snapshot) {
    if !engine.looks_back(&snapshot.release.environment) {
        return;
    }
    let Some(from) = engine.judged_from(state, &snapshot.release, snapshot.now) else { return };
    let (past, judged) = std::mem::take(&mut snapshot.intervals).into_iter().partition(|one| one.start() < from);
    (snapshot.history, snapshot.intervals) = (past, judged);
}
