//! Which windows, whom the change is about, and when it is looked at, as arguments.

use std::path::PathBuf;

use clap::Args;
use davy::calendar::Zone;
use davy::{Instant, Name, PlannedWindow, Target, Text, Whom};

use super::clock;
use crate::error::Error;
use crate::load::{self, Windows};
use crate::release::{label, now};

/// Where the windows are, and whom the change is about.
#[derive(Args)]
pub(super) struct WhichArgs {
    /// Calendars: a file, or a directory with them and perhaps the policy that names them
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    /// The service; of a policy its own
    #[arg(long)]
    service: Option<Name>,
    /// Where it goes; of a policy `prod`, unless given
    #[arg(long)]
    environment: Option<Name>,
    /// The cluster that it goes to
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
    /// As seen at this instant, such as 2026-12-24T08:00:00Z; now, unless given
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
    /// The zone whose clock times are shown in
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = clock::zone)]
    pub(super) zone: Zone,
}

/// Windows, whom the change is about, and when it is looked at.
pub(super) struct Which {
    windows: Windows,
    service: Option<Name>,
    environment: Option<Name>,
    target: Target,
    pub(super) at: Instant,
}

impl WhichArgs {
    pub(super) fn read(&self) -> Result<Which, Error> {
        let windows = load::windows(&self.path)?;
        let (mut service, mut environment) = (self.service.clone(), self.environment.clone());
        if let Windows::Policy(engine) = &windows {
            let expected = engine.service();
            if let Some(service) = service.as_ref().filter(|service| *service != expected) {
                return Err(Error::NoService { service: service.clone(), expected: expected.clone() });
            }
            service = Some(expected.clone());
            environment = environment.or_else(|| "prod".parse().ok());
            if let Some(environment) = environment.as_ref().filter(|it| engine.every(it).is_none()) {
                return Err(Error::NoEnvironment { environment: environment.clone() });
            }
        }
        Ok(Which {
            windows,
            service,
            environment,
            target: Target {
                cluster: self.cluster.clone(),
                server: self.server.clone(),
                namespace: self.namespace.clone(),
                labels: (!self.labels.is_empty()).then(|| self.labels.iter().cloned().collect()),
            },
            at: self.at.unwrap_or_else(now),
        })
    }
}

impl Which {
    pub(super) fn whom(&self) -> Whom<'_> {
        Whom { service: self.service.as_ref(), environment: self.environment.as_ref(), target: &self.target }
    }

    /// Every window, of the environment if there is a policy.
    pub(super) fn all(&self) -> Vec<&PlannedWindow> {
        match (&self.windows, &self.environment) {
            (Windows::Policy(engine), Some(environment)) => engine.windows(environment).collect(),
            (Windows::Policy(_), None) => Vec::new(),
            (Windows::Calendars(calendars), _) => calendars.windows().collect(),
        }
    }
}

/// How what is not known is given.
pub(super) fn option(missing: &str) -> &str {
    match missing {
        "service" => "--service",
        "environment" => "--environment",
        "target.cluster" => "--cluster",
        "target.namespace" => "--namespace",
        "target.labels" => "--label",
        other => other,
    }
}
