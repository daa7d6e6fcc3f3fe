//! Flows run again and again: a timetable, a few workers, and a sink for what they find out.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant as Moment};

use davy::document::probe::Keep;
use davy::probe::{Recording, Shapes};
use davy::{Instant, ProbeVerdict, Share};

use super::board::Board;
use super::prober::{Prober, Ran, Target};
use super::stop::Stop;
use super::timetable::{Due, Job, Run, Timetable};
use crate::client::wall_clock;

/// How a service of probes runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceConfig {
    /// How many flows run at the same time, at most.
    pub workers: usize,
    /// How long runs that are under way may go on once it is time to stop; then they are cancelled, and their teardown
    /// still runs.
    pub grace: Duration,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self { workers: 8, grace: Duration::from_secs(10) }
    }
}

/// Where results go. It is called by one worker at a time.
pub trait Sink: Send {
    /// Takes the result of a run, and its recording where the flow asks for one of this run.
    ///
    /// # Errors
    /// In words, where it could not be written; it is counted and told on the board.
    fn take(&mut self, ran: &Ran, recording: Option<&Recording>) -> Result<(), String>;
}

/// What the workers and the clock share.
struct Shared<'a> {
    table: Mutex<Timetable>,
    queue: Mutex<VecDeque<Run>>,
    /// There is something in the queue, or nothing will ever be.
    told: Condvar,
    board: &'a Mutex<Board>,
    sink: Mutex<&'a mut dyn Sink>,
    /// No further run begins.
    closing: &'a Stop,
    /// Runs that are under way are cancelled.
    cancelling: &'a Stop,
    idle: (Mutex<usize>, Condvar),
}

/// Runs what is due until it is time to stop, and returns when the last run has ended. Once `cancel` is set, at the
/// latest when the grace is over, runs that are under way are cancelled.
pub fn serve(
    prober: &Prober,
    table: Timetable,
    config: ServiceConfig,
    board: &Mutex<Board>,
    sink: &mut dyn Sink,
    stop: &Stop,
    cancel: &Stop,
) {
    let shared = Shared {
        table: Mutex::new(table),
        queue: Mutex::default(),
        told: Condvar::new(),
        board,
        sink: Mutex::new(sink),
        closing: stop,
        cancelling: cancel,
        idle: (Mutex::new(0), Condvar::new()),
    };
    let workers = config.workers.max(1);
    thread::scope(|scope| {
        let mut begun = 0;
        for _ in 0..workers {
            let worker = thread::Builder::new().name("davy-probe".to_owned());
            begun += usize::from(worker.spawn_scoped(scope, || shared.work(prober)).is_ok());
        }
        if begun == 0 {
            // Not one thread: this one does the work, one run after the other.
            shared.alone(prober);
            return;
        }
        shared.keep_time(workers);
        shared.wind_up(config.grace, begun);
    });
}

impl Shared<'_> {
    /// Puts what is due into the queue, until it is time to stop.
    fn keep_time(&self, workers: usize) {
        loop {
            let next = lock(&self.table).next();
            let pause = next.map_or(Duration::from_secs(60), |next| until(next, wall_clock()));
            if self.closing.wait(pause) {
                return;
            }
            self.queue_due(workers);
        }
    }

    fn queue_due(&self, workers: usize) {
        let due = lock(&self.table).due(wall_clock());
        for due in due {
            match due {
                Due::Run(run) => {
                    let mut queue = lock(&self.queue);
                    // Whatever waits longer than a whole round of the workers is better missed than late.
                    if queue.len() >= workers.saturating_mul(64) {
                        drop(queue);
                        lock(self.board).prober_mut().missed += 1;
                        let _ = lock(&self.table).ended(run.number, wall_clock());
                    } else {
                        queue.push_back(run);
                        drop(queue);
                        self.told.notify_one();
                    }
                }
                Due::Overlaps(_) => lock(self.board).prober_mut().overlapping += 1,
                Due::Missed(_) => lock(self.board).prober_mut().missed += 1,
            }
        }
    }

    /// Takes runs from the queue until there will be none.
    fn work(&self, prober: &Prober) {
        while let Some(run) = self.next() {
            self.run(prober, &run);
        }
        *lock(&self.idle.0) += 1;
        self.idle.1.notify_all();
    }

    fn next(&self) -> Option<Run> {
        let mut queue = lock(&self.queue);
        loop {
            if self.closing.is_set() {
                // What has not begun when it is time to stop never does, and is nobody's failure.
                return None;
            }
            if let Some(run) = queue.pop_front() {
                return Some(run);
            }
            let waited = self.told.wait_timeout(queue, Duration::from_millis(200));
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Carries out a run that has waited for a worker, unless it has waited for too long.
    fn run(&self, prober: &Prober, run: &Run) {
        if run.job.may_begin(wall_clock()) {
            self.carry_out(prober, &run.job);
        } else {
            lock(self.board).prober_mut().missed += 1;
        }
        let waited = lock(&self.table).ended(run.number, wall_clock());
        match waited.filter(|_| !self.closing.is_set()) {
            Some(Due::Run(next)) => {
                lock(&self.queue).push_back(next);
                self.told.notify_one();
            }
            Some(Due::Overlaps(_)) => lock(self.board).prober_mut().overlapping += 1,
            Some(Due::Missed(_)) => lock(self.board).prober_mut().missed += 1,
            None => {}
        }
    }

    fn carry_out(&self, prober: &Prober, job: &Job) {
        let (keep, sample) = job.plan.records();
        let mut target = Target::new(job.target.clone());
        target.location.clone_from(&job.location);
        target.record = keep != Keep::None || sample.ppm() > 0 || job.baseline.is_some();
        let ran = if job.paired {
            prober.run_pair(&job.plan, &target, self.cancelling).map(|pair| vec![pair.canary, pair.baseline])
        } else {
            prober.run(&job.plan, &target, self.cancelling).map(|ran| vec![ran])
        };
        match ran {
            Ok(ran) => {
                self.compare(job, &ran);
                ran.iter().for_each(|ran| self.tell(ran, keep, sample));
            }
            // A target that the flow does not have is found out before serving begins.
            Err(_) => lock(self.board).prober_mut().failed += 1,
        }
    }

    /// Compares the shapes of the answers with those that were recorded.
    fn compare(&self, job: &Job, ran: &[Ran]) {
        let Some(baseline) = &job.baseline else { return };
        let recordings: Vec<Recording> = ran.iter().filter_map(|ran| ran.recording.clone()).collect();
        let differences = baseline.compare(&Shapes::of(&job.plan, &recordings));
        lock(self.board).set_drift(job, differences);
    }

    fn tell(&self, ran: &Ran, keep: Keep, sample: Share) {
        let is_kept = match keep {
            Keep::None => false,
            Keep::All => true,
            Keep::Failures => ran.result.verdict != ProbeVerdict::Pass,
        };
        let recording = ran.recording.as_ref().filter(|_| is_kept || is_drawn(&ran.result.run, sample));
        lock(self.board).add(&ran.result);
        let taken = lock(&self.sink).take(ran, recording);
        if taken.is_err() {
            lock(self.board).prober_mut().unwritten += 1;
        }
    }

    /// Waits for runs that are under way; once the grace is over, they are cancelled.
    fn wind_up(&self, grace: Duration, workers: usize) {
        let begun = Moment::now();
        self.told.notify_all();
        let mut idle = lock(&self.idle.0);
        while *idle < workers {
            let left = grace.saturating_sub(begun.elapsed());
            if left.is_zero() {
                self.cancelling.stop();
                return;
            }
            idle = self.idle.1.wait_timeout(idle, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn alone(&self, prober: &Prober) {
        while !self.closing.is_set() {
            self.queue_due(1);
            let run = lock(&self.queue).pop_front();
            match run {
                Some(run) => self.run(prober, &run),
                None => _ = self.closing.wait(Duration::from_millis(100)),
            }
        }
    }
}

/// Whether a run is among those that are recorded by chance. Its name is chance enough.
fn is_drawn(run: &str, sample: Share) -> bool {
    let number = run.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    number.is_some_and(|number| number % 1_000_000 < sample.ppm())
}

fn until(at: Instant, now: Instant) -> Duration {
    Duration::from_millis(at.since(now).millis())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps nothing: for hosts that read the board alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn take(&mut self, _: &Ran, _: Option<&Recording>) -> Result<(), String> {
        Ok(())
    }
}
