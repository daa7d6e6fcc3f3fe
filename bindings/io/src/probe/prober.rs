//! Runs flows: does what the machine asks, and tells it what came of it.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant as Moment};

use davy::probe::{
    CancelReason, Effect, Event, FlowResult, Inputs, Next, Plan, ProbeError, ProbeRun, Recording, Sessions,
    TransportError, TransportFault,
};
use davy::{Cohort, Instant, Name};

use super::lines::Lines;
use super::secrets;
use super::settings::{ProberConfig, ProberError, Settings};
use super::stop::Stop;
use crate::client::wall_clock;

/// Runs flows over HTTP. It is shared between threads: each call of [`Prober::run`] is one run.
///
/// ```no_run
/// use davy_io::probe::{Prober, ProberConfig, Stop, Target};
///
/// let flows = davy::ProbeFlows::from_files([("home.yaml", std::fs::read("home.yaml")?)])?;
/// let prober = Prober::new(ProberConfig::default())?;
/// let plan = flows.get("home").ok_or("no such flow")?;
/// let ran = prober.run(plan, &Target::new("prod".parse()?), &Stop::new())?;
/// println!("{}", ran.result.verdict.as_str());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Prober {
    settings: Arc<Settings>,
    /// Results of shared actions, for the next run.
    sessions: Mutex<Sessions>,
    /// Connections that no run uses at the moment.
    idle: Mutex<Vec<Lines>>,
    seeds: RandomState,
    runs: AtomicU64,
}

/// Against what a flow runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// One of the flow's targets.
    pub name: Name,
    /// Where it runs from.
    pub location: Option<Name>,
    /// Whose answers it asks for; the target says how they are reached.
    pub cohort: Option<Cohort>,
    /// Whether a recording is kept.
    pub record: bool,
    /// Where its random numbers come from; new ones each time unless given.
    pub seed: Option<u64>,
}

/// What a run left.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it found out.
    pub result: FlowResult,
    /// What it was told, if that was asked for.
    pub recording: Option<Recording>,
}

/// The same flow against both cohorts at the same time.
#[derive(Debug, Clone)]
pub struct RanPair {
    /// Against the canary.
    pub canary: Ran,
    /// Against the baseline.
    pub baseline: Ran,
}

impl Target {
    /// A run against this target, with nothing else to say.
    #[must_use]
    pub const fn new(name: Name) -> Self {
        Self { name, location: None, cohort: None, record: false, seed: None }
    }
}

impl Prober {
    /// A prober. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ProberError`] for authorities that cannot be read.
    pub fn new(config: ProberConfig) -> Result<Self, ProberError> {
        Ok(Self {
            settings: Arc::new(Settings::new(config)?),
            sessions: Mutex::default(),
            idle: Mutex::default(),
            seeds: RandomState::new(),
            runs: AtomicU64::new(0),
        })
    }

    /// Runs a flow once and waits for its end. Once `stop` is set, the run is cancelled; its teardown still runs.
    ///
    /// # Errors
    /// [`ProbeError`] for a target or a cohort that the flow does not have.
    pub fn run(&self, plan: &Arc<Plan>, target: &Target, stop: &Stop) -> Result<Ran, ProbeError> {
        let clock = Clock::new();
        let inputs = Inputs {
            target: target.name.clone(),
            location: target.location.clone(),
            cohort: target.cohort,
            seed: target.seed.unwrap_or_else(|| self.seed()),
            sessions: self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            record: target.record,
        };
        let mut run = ProbeRun::new(Arc::clone(plan), inputs, clock.now())?;
        let kept = if self.settings.keep_connections { lock(&self.idle).pop() } else { None };
        let mut lines = kept.unwrap_or_else(|| Lines::new(Arc::clone(&self.settings)));
        lines.forget_addresses();
        let result = drive(&mut run, &mut lines, &self.settings, &clock, stop);
        if self.settings.keep_connections {
            lock(&self.idle).push(lines);
        }
        let mut sessions = lock(&self.sessions);
        sessions.merge(run.sessions().clone());
        sessions.prune(clock.now());
        drop(sessions);
        Ok(Ran { result, recording: run.recording() })
    }

    /// Runs a flow against canary and baseline at the same time, so that what fails for both is told from what fails
    /// for the canary alone.
    ///
    /// # Errors
    /// [`ProbeError`] for a target that the flow does not have, or that does not say how the two are reached.
    pub fn run_pair(&self, plan: &Arc<Plan>, target: &Target, stop: &Stop) -> Result<RanPair, ProbeError> {
        let of = |cohort| {
            let target = Target { cohort: Some(cohort), ..target.clone() };
            self.run(plan, &target, stop)
        };
        let (canary, baseline) = thread::scope(|scope| {
            let baseline = thread::Builder::new().spawn_scoped(scope, || of(Cohort::Baseline));
            let canary = of(Cohort::Canary);
            let baseline = baseline.ok().and_then(|running| running.join().ok());
            (canary, baseline)
        });
        // Without a thread for both at the same time, one after the other is the next best.
        Ok(RanPair { canary: canary?, baseline: baseline.unwrap_or_else(|| of(Cohort::Baseline))? })
    }

    /// A seed that no other run has.
    fn seed(&self) -> u64 {
        let mut hasher = self.seeds.build_hasher();
        hasher.write_u64(self.runs.fetch_add(1, Ordering::Relaxed));
        hasher.finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long before its deadline an exchange is given up, at most.
const MARGIN: Duration = Duration::from_millis(5);

/// Does what the run asks until it is over.
fn drive(run: &mut ProbeRun, lines: &mut Lines, settings: &Settings, clock: &Clock, stop: &Stop) -> FlowResult {
    let mut cancelled = false;
    loop {
        if !cancelled && stop.is_set() {
            run.cancel(clock.now(), CancelReason::Stopping);
            cancelled = true;
        }
        match run.poll(clock.now()) {
            Next::Done(result) => return *result,
            Next::Wait { until, .. } => {
                let time = Duration::from_millis(until.since(clock.now()).millis());
                if cancelled {
                    thread::sleep(time);
                } else {
                    stop.wait(time);
                }
            }
            Next::Effect(id, effect) => {
                let event = match &effect {
                    Effect::Secret { source, .. } => secrets::look_up(source, &*settings.secrets),
                    Effect::Http(request) => lines.exchange(request, clock.until(request.deadline)),
                    Effect::Turn(turn) => Event::Turned(Box::new(settings.plugins.turn(turn))),
                    _ => Event::HttpFailed(TransportError {
                        kind: TransportFault::Prober,
                        detail: "this prober cannot do what the flow asks".to_owned(),
                        timings: davy::probe::Timings::default(),
                    }),
                };
                // An answer that came too late is refused; the next poll says so.
                let _ = run.handle(clock.now(), id, event);
            }
        }
    }
}

/// The wall clock at the start of a run, carried on by a clock that nobody sets.
struct Clock {
    started: Instant,
    since: Moment,
}

impl Clock {
    fn new() -> Self {
        Self { started: wall_clock(), since: Moment::now() }
    }

    fn now(&self) -> Instant {
        let gone = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.started.plus(davy::Duration::from_millis(gone))
    }

    /// How long until a little before then: word of what happened has to be there in time.
    fn until(&self, deadline: Instant) -> Duration {
        let left = Duration::from_millis(deadline.since(self.started).millis()).saturating_sub(self.since.elapsed());
        left - (left / 10).min(MARGIN)
    }
}

/// Without the results of shared actions, which are secrets.
impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").field("proxy", &self.settings.proxy).finish_non_exhaustive()
    }
}
