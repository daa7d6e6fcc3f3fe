//! `davy probe serve`: flows on their schedules, with metrics for Prometheus and OpenTelemetry.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use davy::Name;
use davy::plugin::Plugins;
use davy::probe::{Recording, Shapes, json_lines};
use davy_io::probe::{Board, Endpoint, Job, Push, Ran, ServiceConfig, Sink, Stop, Timetable, serve};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::prober::ProberArgs;
use super::recordings;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::release::now;
use crate::{Ended, load, terminal};

/// Run flows on their schedules until told to stop (SIGTERM, SIGINT)
///
/// `GET /metrics` answers with the newest results under the names of Prometheus' blackbox exporter, our own, and how
/// reliable this prober itself is; `GET /healthz` with `ok`. A second signal cancels what is under way.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Flows: files, or directories with their *.yaml, *.yml and *.json files; what they import is found by itself
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// Against these targets, where flows have them; all, unless given
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<Name>,
    /// Where this prober stands; a flow that names its locations is run if this is one of them
    #[arg(long = "location", value_name = "NAME")]
    locations: Vec<Name>,
    /// Ask canary and baseline at the same time, where targets say how they are reached
    #[arg(long)]
    pair: bool,
    #[command(flatten)]
    prober: ProberArgs,
    /// Answer Prometheus at this address
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Send metrics to this OpenTelemetry collector, OTLP over HTTP in JSON
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// How often they are sent
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "otlp")]
    otlp_every: davy::Duration,
    /// Append every result as a line of JSON; `-` is standard output
    #[arg(long, value_name = "FILE|-")]
    results: Option<PathBuf>,
    /// Append recordings of the runs that flows want recorded
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// How many flows run at the same time, at most
    #[arg(long, value_name = "NUMBER", default_value = "8")]
    workers: usize,
    /// How long runs that are under way may go on once it is told to stop
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    grace: davy::Duration,
    /// Stop by itself after this time
    #[arg(long = "for", value_name = "DURATION")]
    time: Option<davy::Duration>,
}

pub(crate) fn run(args: &Args) -> Ended {
    let (mut jobs, mut plugins) = (Vec::new(), Plugins::new());
    for path in &args.paths {
        plugins = plugins.and(args.jobs(path, &mut jobs)?);
    }
    let table = Timetable::new(jobs, seed(), now());
    if table.is_empty() {
        return Err(Error::NothingScheduled);
    }
    let prober = args.prober.prober(plugins)?;
    let push = args.otlp.as_deref().map(|url| Push::new(url, duration(args.otlp_every))).transpose()?;
    let endpoint = args.listen.as_deref().map(listen).transpose()?;
    if let Some(address) = endpoint.as_ref().and_then(|endpoint| endpoint.address().ok()) {
        terminal::note(&format!("davy: metrics at http://{address}/metrics\n"));
    }
    let mut files = Files::open(args)?;
    let board = Mutex::new(Board::new(now()));
    let (stop, cancel, ended) = (Stop::new(), Stop::new(), Stop::new());
    let config = ServiceConfig { workers: args.workers, grace: duration(args.grace) };
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(|cause| Error::Signals { cause })?;
    let handle = signals.handle();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in signals.forever() {
                if stop.is_set() {
                    cancel.stop();
                }
                stop.stop();
            }
        });
        if let Some(time) = args.time {
            let (stop, ended) = (stop.clone(), ended.clone());
            scope.spawn(move || {
                if !ended.wait(duration(time)) {
                    stop.stop();
                }
            });
        }
        if let Some(endpoint) = &endpoint {
            scope.spawn(|| endpoint.serve(&board, &ended));
        }
        if let Some(push) = &push {
            scope.spawn(|| {
                push.keep_sending(&board, &ended, |why| {
                    terminal::note(&format!("davy: metrics not sent: {}\n", terminal::printable(why)))
                })
            });
        }
        serve(&prober, table, config, &board, &mut files, &stop, &cancel);
        ended.stop();
        handle.close();
    });
    let counts = board.lock().unwrap_or_else(PoisonError::into_inner).prober();
    terminal::note(&format!(
        "davy: {} runs carried out, {} failed by the prober, {} missed, {} overlapping, {} cancelled\n",
        counts.carried_out, counts.failed, counts.missed, counts.overlapping, counts.cancelled
    ));
    Ok(if counts.unwritten == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    /// Adds the jobs of a path's flows; the plugins that take their steps.
    fn jobs(&self, path: &Path, jobs: &mut Vec<Job>) -> Result<Plugins, Error> {
        let (documents, flows) = load::flows_with_files(path)?;
        for plan in flows.iter() {
            let Some(schedule) = plan.schedule() else { continue };
            let own: Vec<Option<Name>> = if schedule.locations.is_empty() {
                vec![self.locations.first().cloned()]
            } else {
                let own = schedule.locations.iter().filter(|known| self.locations.contains(known));
                own.cloned().map(Some).collect()
            };
            if own.is_empty() && self.locations.is_empty() {
                let known: Vec<String> = schedule.locations.iter().map(|name| format!("`{name}`")).collect();
                return Err(Error::WhichLocation { flow: plan.name().to_string(), known: known.join(", ") });
            }
            let baseline = match plan.drift() {
                None => None,
                Some(drift) => {
                    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
                    let recordings = recordings::read(&folder.join(&drift.baseline))?;
                    Some(Arc::new(Shapes::of(plan, &recordings)))
                }
            };
            for target in plan.targets().filter(|target| self.targets.is_empty() || self.targets.contains(target)) {
                for location in &own {
                    jobs.push(Job {
                        plan: Arc::clone(plan),
                        target: target.clone(),
                        location: location.clone(),
                        paired: self.pair && plan.is_paired(target),
                        baseline: baseline.clone(),
                    });
                }
            }
        }
        self.prober.plugins.of_flows(&documents, &flows)
    }
}

/// Where results and recordings are written: opened once, a line at a time.
struct Files {
    results: Option<Box<dyn Write + Send>>,
    recordings: Option<File>,
}

impl Files {
    fn open(args: &Args) -> Result<Self, Error> {
        let append =
            |path: &PathBuf| OpenOptions::new().create(true).append(true).open(path).map_err(Error::write(path));
        let results = match &args.results {
            None => None,
            Some(path) if path == Path::new("-") => Some(Box::new(io::stdout()) as Box<dyn Write + Send>),
            Some(path) => Some(Box::new(append(path)?) as Box<dyn Write + Send>),
        };
        Ok(Self { results, recordings: args.record.as_ref().map(append).transpose()? })
    }
}

impl Sink for Files {
    fn take(&mut self, ran: &Ran, recording: Option<&Recording>) -> Result<(), String> {
        let words = |cause: io::Error| cause.to_string();
        if let Some(file) = &mut self.results {
            file.write_all(json_lines(std::slice::from_ref(&ran.result)).as_bytes())
                .and_then(|()| file.flush())
                .map_err(words)?;
        }
        if let (Some(file), Some(recording)) = (&mut self.recordings, recording) {
            file.write_all((recording.to_line() + "\n").as_bytes()).map_err(words)?;
        }
        Ok(())
    }
}

fn listen(address: &str) -> Result<Endpoint, Error> {
    Endpoint::bind(address).map_err(|cause| Error::Listen { address: address.to_owned(), cause })
}

const fn duration(duration: davy::Duration) -> Duration {
    Duration::from_millis(duration.millis())
}

/// Another one for every process.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
