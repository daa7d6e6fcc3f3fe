//! When which flow is due. It knows no clock: time is an argument.
//!
//! Runs lie on a grid of whole multiples of `every` since 1970, moved by an offset that only the flow and its target
//! decide. So all probers, wherever they stand, agree on which turn it is without speaking to each other, and a
//! location that takes its turn (`mode: rotate`) leaves no gap. Jitter moves each run behind its place on the grid.

use std::sync::Arc;

use davy::document::probe::Overlap;
use davy::probe::{Plan, Shapes};
use davy::{Digest, Duration, Instant, Name};

/// A flow that is run again and again against one target from one place.
#[derive(Debug, Clone)]
pub struct Job {
    /// The flow; one without a schedule is never due.
    pub plan: Arc<Plan>,
    /// Its target.
    pub target: Name,
    /// Where this prober stands.
    pub location: Option<Name>,
    /// Whether canary and baseline are asked at the same time.
    pub paired: bool,
    /// The shapes of answers that were recorded, to compare new ones with.
    pub baseline: Option<Arc<Shapes>>,
}

/// The jobs of a prober and when each is due.
#[derive(Debug)]
pub struct Timetable {
    seed: u64,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    job: Arc<Job>,
    every: u64,
    offset: u64,
    jitter: u64,
    overlap: Overlap,
    /// For `mode: rotate`: which turns are this location's, of how many.
    turns: Option<(u64, u64)>,
    /// The next turn and when it begins.
    turn: u64,
    at: Instant,
    running: bool,
    waiting: Option<Instant>,
}

/// What has become due.
#[derive(Debug, Clone)]
pub enum Due {
    /// This run begins.
    Run(Run),
    /// The last run is not over, and the schedule says `overlap: skip`, or another one waits for it already, or it was
    /// waited for until none may begin any more.
    Overlaps(Arc<Job>),
    /// The prober itself was too late: the next run is due already, or none may begin any more.
    Missed(Arc<Job>),
}

/// A run that is due.
#[derive(Debug, Clone)]
pub struct Run {
    /// Which job it is of; for [`Timetable::ended`].
    pub number: usize,
    /// The job.
    pub job: Arc<Job>,
    /// When it should begin.
    pub at: Instant,
}

impl Job {
    /// Whether a run may begin now. One that has waited may be too late: its window has closed.
    #[must_use]
    pub fn may_begin(&self, now: Instant) -> bool {
        self.plan.schedule().is_none_or(|schedule| schedule.windows.is_open(now))
    }
}

/// Of so many turns that fall into closed windows, none may follow that begins: windows may leave less time open than
/// there is between two runs.
const MOST_CLOSED: usize = 1000;

impl Timetable {
    /// Jobs from `now` on. The seed decides the jitter.
    #[must_use]
    pub fn new(jobs: impl IntoIterator<Item = Job>, seed: u64, now: Instant) -> Self {
        let mut table = Self { seed, entries: Vec::new() };
        for job in jobs {
            let Some(schedule) = job.plan.schedule() else { continue };
            let every = schedule.every.millis().max(1);
            let places = u64::try_from(schedule.locations.len()).unwrap_or(u64::MAX);
            let own = job.location.as_ref().and_then(|own| schedule.locations.iter().position(|known| known == own));
            let turns = own.filter(|_| schedule.rotate).and_then(|own| Some((u64::try_from(own).ok()?, places)));
            let offset = number(&[job.plan.name().as_str(), job.target.as_str()]) % every;
            let jitter = every.saturating_mul(schedule.jitter.ppm().into()) / 1_000_000;
            let overlap = schedule.overlap;
            let mut entry = Entry {
                job: Arc::new(job),
                every,
                offset,
                jitter,
                overlap,
                turns,
                turn: 0,
                at: now,
                running: false,
                waiting: None,
            };
            entry.turn = entry.turn_at(now);
            entry.go_on(seed);
            if entry.at < now {
                entry.turn += 1;
                entry.go_on(seed);
            }
            table.entries.push(entry);
        }
        table
    }

    /// When to ask next; nothing where no job has a schedule.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.at).min()
    }

    /// How many jobs have a schedule.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no job has a schedule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What has become due by `now`.
    pub fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        for (number, entry) in self.entries.iter_mut().enumerate() {
            while entry.at <= now {
                let (at, job) = (entry.at, Arc::clone(&entry.job));
                entry.turn += 1;
                entry.go_on(self.seed);
                if entry.at <= now || !job.may_begin(now) {
                    due.push(Due::Missed(job));
                } else if !entry.running {
                    entry.running = true;
                    due.push(Due::Run(Run { number, job, at }));
                } else if entry.overlap == Overlap::Wait && entry.waiting.is_none() {
                    entry.waiting = Some(at);
                } else {
                    due.push(Due::Overlaps(job));
                }
            }
        }
        due
    }

    /// A run is over, and one that waited for it begins unless its window has closed meanwhile. Nothing where none
    /// waited.
    pub fn ended(&mut self, number: usize, now: Instant) -> Option<Due> {
        let entry = self.entries.get_mut(number)?;
        entry.running = false;
        let at = entry.waiting.take()?;
        let job = Arc::clone(&entry.job);
        if !job.may_begin(now) {
            return Some(Due::Overlaps(job));
        }
        entry.running = true;
        Some(Due::Run(Run { number, job, at }))
    }
}

impl Entry {
    fn turn_at(&self, now: Instant) -> u64 {
        now.millis().saturating_sub(self.offset) / self.every
    }

    /// Moves to this turn, or the next one that is this location's and may begin.
    fn go_on(&mut self, seed: u64) {
        let plan = Arc::clone(&self.job.plan);
        let Some(schedule) = plan.schedule() else { return };
        for _ in 0..MOST_CLOSED {
            self.place(seed);
            match schedule.windows.opening(self.at) {
                Some(opening) if opening > self.at => self.turn = self.turn_at(opening).max(self.turn + 1),
                Some(_) => return,
                None => break,
            }
        }
        self.at = Instant::MAX;
    }

    /// Moves to this turn, or the next one that is this location's.
    fn place(&mut self, seed: u64) {
        if let Some((own, places)) = self.turns {
            self.turn += (own + places - self.turn % places) % places;
        }
        let place = self.turn.saturating_mul(self.every).saturating_add(self.offset);
        let random = number(&[
            &seed.to_string(),
            self.job.plan.name().as_str(),
            self.job.target.as_str(),
            &self.turn.to_string(),
        ]);
        let moved = random.checked_rem(self.jitter).unwrap_or_default();
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        self.at = Instant::from_millis(place).plus(Duration::from_millis(moved));
    }
}

/// A number that looks like chance and is always the same for the same words.
fn number(words: &[&str]) -> u64 {
    let digest = Digest::of(words.join("\n").as_bytes()).to_string();
    let hex = digest.rsplit(':').next().unwrap_or_default();
    hex.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(schedule: &str, location: Option<&str>) -> Job {
        let flow = format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: home }}\nspec:\n  targets: {{ prod: {{ baseUrl: https://shop.example }} }}\n  schedule: {{ {schedule}, timeout: 5s, teardownTimeout: 1s }}\n  steps: [{{ id: a, request: {{ path: / }}, expect: {{ status: 200, body: {{ contains: a }} }} }}]\n"
        );
        let flows = davy::ProbeFlows::from_files([("home.yaml", flow)]).unwrap_or_else(|error| panic!("{error}"));
        let target = "prod".parse().unwrap();
        let location = location.map(|location| location.parse().unwrap());
        Job { plan: Arc::clone(flows.get("home").unwrap()), target, location, paired: false, baseline: None }
    }

    fn start() -> Instant {
        "2026-11-26T10:00:00Z".parse().unwrap()
    }

    fn second(seconds: u64) -> Instant {
        start().plus(Duration::from_secs(seconds))
    }

    /// Whether each run ends at once, and all that was due in an hour.
    fn an_hour(job: Job, seed: u64) -> Vec<Instant> {
        let mut table = Timetable::new([job], seed, start());
        let mut runs = Vec::new();
        while let Some(next) = table.next().filter(|next| *next < second(3600)) {
            for due in table.due(next) {
                let Due::Run(run) = due else { panic!("{due:?}") };
                assert!(table.ended(run.number, next).is_none());
                runs.push(run.at);
            }
        }
        runs
    }

    #[test]
    fn every_turn_has_one_run_within_its_jitter() {
        let exact = an_hour(job("every: 30s", None), 1);
        assert_eq!(exact.len(), 120);
        let moved = an_hour(job("every: 30s, jitter: 20%", None), 1);
        assert!(moved.len() == 120 || moved.len() == 121, "{}", moved.len());
        let behind: Vec<u64> = moved.iter().map(|at| (at.millis() + 3_600_000 - exact[0].millis()) % 30_000).collect();
        assert!(behind.iter().all(|behind| *behind < 6_000));
        assert!(behind.iter().collect::<std::collections::BTreeSet<_>>().len() > 100, "jitter that does not vary");
        assert_ne!(moved, an_hour(job("every: 30s, jitter: 20%", None), 2));
        assert_eq!(moved, an_hour(job("every: 30s, jitter: 20%", None), 1));
    }

    #[test]
    fn locations_that_rotate_take_every_turn_once_between_them() {
        let schedule = "every: 30s, locations: [eu, us, ap], mode: rotate";
        let mut all: Vec<Instant> =
            ["eu", "us", "ap"].into_iter().flat_map(|location| an_hour(job(schedule, Some(location)), 1)).collect();
        all.sort();
        assert_eq!(all, an_hour(job("every: 30s", None), 1));
        assert_eq!(an_hour(job(schedule, Some("eu")), 1).len(), 40);
    }

    #[test]
    fn a_run_that_is_not_over_lets_the_next_one_be_skipped_or_wait() {
        for (overlap, waits) in [("skip", false), ("wait", true)] {
            let mut table = Timetable::new([job(&format!("every: 30s, overlap: {overlap}"), None)], 1, start());
            let first = table.next().unwrap();
            let [Due::Run(run)] = &table.due(first)[..] else { panic!() };
            let second = table.due(table.next().unwrap());
            let third = table.due(table.next().unwrap());
            if waits {
                // One waits; more than one would only pile up.
                assert!(second.is_empty() && matches!(third[..], [Due::Overlaps(_)]));
                let Some(Due::Run(waited)) = table.ended(run.number, first.plus(Duration::from_secs(70))) else {
                    panic!()
                };
                assert_eq!(waited.at, first.plus(Duration::from_secs(30)));
            } else {
                assert!(matches!(second[..], [Due::Overlaps(_)]) && matches!(third[..], [Due::Overlaps(_)]));
                assert!(table.ended(run.number, first.plus(Duration::from_secs(70))).is_none());
            }
        }
    }

    #[test]
    fn a_run_that_waits_until_its_window_has_closed_never_begins() {
        let windows = "windows: [{ kind: allow, weekly: [{ from: \"10:10\", until: \"10:20\" }], zone: UTC }]";
        for (ends, begins) in [(second(1199), true), (second(1200), false)] {
            let mut table = Timetable::new([job(&format!("every: 30s, overlap: wait, {windows}"), None)], 1, start());
            let [Due::Run(run)] = &table.due(table.next().unwrap())[..] else { panic!() };
            assert!(table.due(table.next().unwrap()).is_empty());
            match table.ended(run.number, ends) {
                Some(Due::Run(_)) => assert!(begins),
                Some(Due::Overlaps(_)) => assert!(!begins),
                other => panic!("{other:?}"),
            }
            assert!(table.ended(run.number, ends).is_none());
        }
    }

    #[test]
    fn a_prober_that_slept_until_a_window_closed_has_missed_its_runs() {
        let windows = "windows: [{ kind: allow, weekly: [{ from: \"10:10\", until: \"10:20\" }], zone: UTC }]";
        let mut table = Timetable::new([job(&format!("every: 30s, {windows}"), None)], 1, start());
        let due = table.due(second(1500));
        assert!(due.len() >= 19 && due.iter().all(|due| matches!(due, Due::Missed(_))), "{due:?}");
        assert!(table.next().unwrap() > second(1500));
    }

    #[test]
    fn a_prober_that_slept_has_missed_runs_and_begins_one() {
        let mut table = Timetable::new([job("every: 30s", None)], 1, start());
        let first = table.next().unwrap();
        let due = table.due(first.plus(Duration::from_secs(95)));
        let missed = due.iter().filter(|due| matches!(due, Due::Missed(_))).count();
        assert!(missed == 3 && matches!(due.last(), Some(Due::Run(_))), "{due:?}");
    }

    #[test]
    fn no_run_begins_in_a_window_that_denies_it_or_outside_those_that_allow_it() {
        let deny = "windows: [{ kind: deny, weekly: [{ from: \"10:10\", until: \"10:20\" }], zone: UTC }]";
        let allow = "windows: [{ kind: allow, weekly: [{ from: \"10:10\", until: \"10:20\" }], zone: UTC }]";
        for jitter in ["0%", "50%"] {
            let of = |windows: &str| an_hour(job(&format!("every: 30s, jitter: {jitter}, {windows}"), None), 1);
            let inside = |at: &Instant| second(600) <= *at && *at < second(1200);
            let all = of("windows: []");
            let (denied, allowed) = (of(deny), of(allow));
            assert_eq!(denied, all.iter().copied().filter(|at| !inside(at)).collect::<Vec<_>>());
            assert_eq!(allowed, all.iter().copied().filter(inside).collect::<Vec<_>>());
            assert!(denied.len() > 95 && allowed.len() > 15, "{} {}", denied.len(), allowed.len());
        }
    }

    #[test]
    fn a_pause_is_as_long_as_the_clock_says_and_nothing_is_missed_in_it() {
        // Berlin's clock shows 02:00 twice in that night.
        let windows = "windows: [{ kind: deny, weekly: [{ days: [sun], from: \"02:00\", until: \"03:00\" }], zone: Europe/Berlin }]";
        let now = "2026-10-24T23:50:00Z".parse().unwrap();
        let mut table = Timetable::new([job(&format!("every: 30s, {windows}"), None)], 1, now);
        let mut last = now;
        let mut pause = Duration::ZERO;
        while let Some(next) = table.next().filter(|next| *next < now.plus(Duration::from_minutes(180))) {
            let [Due::Run(run)] = &table.due(next)[..] else { panic!() };
            assert!(table.ended(run.number, next).is_none());
            pause = pause.max(next.since(last));
            last = next;
        }
        assert_eq!(pause, Duration::from_minutes(120).plus(Duration::from_secs(30)));
    }

    #[test]
    fn what_has_no_schedule_is_never_due() {
        let flow = "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: { name: home }\nspec:\n  targets: { prod: { baseUrl: https://shop.example } }\n  steps: [{ id: a, request: { path: / }, expect: { status: 200, body: { contains: a } } }]\n";
        let flows = davy::ProbeFlows::from_files([("home.yaml", flow)]).unwrap();
        let plan = Arc::clone(flows.get("home").unwrap());
        let job = Job { plan, target: "prod".parse().unwrap(), location: None, paired: false, baseline: None };
        let mut table = Timetable::new([job], 1, start());
        assert!(table.is_empty() && table.next().is_none() && table.due(second(9999)).is_empty());
    }
}
