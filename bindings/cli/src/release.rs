//! Which release a command is about, and where it is, as arguments.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use davy::{Asked, Engine, Instant, Name, Release, Share, Snapshot, Stage, State, Target, Text};

use crate::error::Error;
use crate::load;

/// A release and what is asked of it; what a snapshot says beside its observations.
#[derive(Args)]
pub(crate) struct ReleaseArgs {
    /// The service; the policy's, unless given
    #[arg(long)]
    service: Option<Name>,
    /// Where it goes
    #[arg(long, default_value = "prod")]
    environment: Name,
    /// The new revision
    #[arg(long, requires = "stable")]
    revision: Option<Name>,
    /// The revision that serves until now
    #[arg(long, requires = "revision")]
    stable: Option<Name>,
    /// Which try of this revision
    #[arg(long, default_value = "1")]
    attempt: NonZeroU32,
    /// What kind of change it is, such as `security`: freezes may let some kinds through
    #[arg(long, value_name = "CLASS")]
    change_class: Option<Name>,
    /// A person asks for it: some change windows let that pass
    #[arg(long)]
    manual: bool,
    /// The cluster that it goes to, for the selectors of change windows
    #[arg(long, value_name = "NAME")]
    cluster: Option<Text>,
    /// The URL of the cluster's API server
    #[arg(long, value_name = "URL")]
    server: Option<Text>,
    /// The namespace that it goes to
    #[arg(long)]
    namespace: Option<Name>,
    /// A label of what it goes to; give all of them, once each
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(Name, Text)>,
    /// When the attempt began; what the state says, or else now
    #[arg(long, value_name = "INSTANT")]
    started: Option<Instant>,
    /// What is asked: `start`, `promote`, `keep`, or the weight to advance to, such as `25%`
    #[arg(long, value_name = "ASKED", default_value = "keep", value_parser = asked)]
    asked: Asked,
    /// How far it is
    #[arg(long, value_enum, default_value = "canary")]
    stage: StageArg,
    /// The canary's present share of the traffic
    #[arg(long, default_value = "0%")]
    weight: Share,
    /// What past rollouts showed of the noise, as `davy policy learn` prints it
    #[arg(long, value_name = "FILE")]
    noise_history: Option<PathBuf>,
    /// Since when it has this stage and weight; when the attempt began, unless given
    #[arg(long, value_name = "INSTANT")]
    since: Option<Instant>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StageArg {
    /// The new revision serves a part of the traffic
    Canary,
    /// The new revision serves everyone
    Live,
}

fn asked(text: &str) -> Result<Asked, String> {
    match text {
        "start" => Ok(Asked::Start),
        "promote" => Ok(Asked::Promote),
        "keep" => Ok(Asked::Keep),
        weight => weight
            .parse()
            .map(|to| Asked::Advance { to })
            .map_err(|_| "use `start`, `promote`, `keep`, or a weight such as `25%`".to_owned()),
    }
}

pub(crate) fn label(text: &str) -> Result<(Name, Text), String> {
    let (key, value) = text.split_once('=').ok_or("use `KEY=VALUE`")?;
    let key = key.parse().map_err(|error: davy::NameError| error.to_string())?;
    Ok((key, value.parse().map_err(|error: davy::TextError| error.to_string())?))
}

impl ReleaseArgs {
    /// Whether nothing is asked but to watch.
    pub(crate) fn only_watches(&self) -> bool {
        self.asked == Asked::Keep
    }

    /// The snapshot of this release at `now`, without observations.
    pub(crate) fn snapshot(&self, engine: &Engine, state: &State, now: Instant) -> Result<Snapshot, Error> {
        let release = self.release(engine, state, now)?;
        Ok(Snapshot {
            now,
            asked: self.asked,
            stage: match self.stage {
                StageArg::Canary => Stage::Canary,
                StageArg::Live => Stage::Live,
            },
            weight: self.weight,
            since: self.since.unwrap_or(release.started_at),
            release,
            intervals: Vec::new(),
            replica_starts: Vec::new(),
            noise_history: self.noise_history.as_deref().map(load::history).transpose()?,
            history: Vec::new(),
            plugins: Vec::new(),
            slos: Vec::new(),
            probes: Vec::new(),
            running: Vec::new(),
            passed: Vec::new(),
            overrides: Vec::new(),
            facts: davy::Facts::default(),
            manual: self.manual,
            target: Target {
                cluster: self.cluster.clone(),
                server: self.server.clone(),
                namespace: self.namespace.clone(),
                labels: (!self.labels.is_empty()).then(|| self.labels.iter().cloned().collect()),
            },
        })
    }

    fn release(&self, engine: &Engine, state: &State, now: Instant) -> Result<Release, Error> {
        let needed = |value: &Option<Name>, argument| value.clone().ok_or(Error::Argument { argument });
        let mut release = Release {
            service: self.service.clone().unwrap_or_else(|| engine.service().clone()),
            environment: self.environment.clone(),
            revision: needed(&self.revision, "--revision")?,
            stable: needed(&self.stable, "--stable")?,
            attempt: self.attempt,
            started_at: self.started.unwrap_or(now),
            change_class: self.change_class.clone(),
        };
        // The state remembers when the attempt began, so that it need not be said again at every look.
        if let (None, Some(known)) = (self.started, state.release()) {
            let began = Release { started_at: known.started_at, ..release.clone() };
            if *known == began {
                release = began;
            }
        }
        Ok(release)
    }
}

/// The host's clock.
pub(crate) fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
