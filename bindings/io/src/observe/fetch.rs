//! Questions to servers, each asked once, a few at a time, until one deadline.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use davy::{Duration, Instant};

use crate::client::{CONNECTIONS, ClientError, Deadline};
use crate::prometheus::{Data, Labels, Prometheus, PrometheusError, Series};
use crate::promql::Selector;

/// The longest span of raw samples that is asked for at once.
const LONGEST: Duration = Duration::from_minutes(60);

/// One question to one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// Its place among the servers.
    pub(super) server: usize,
    pub(super) what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// What time it is.
    Clock,
    /// The raw samples of series.
    Raw { selector: Selector, from: Instant, to: Instant },
    /// An expression at every step.
    Steps { query: String, from: Instant, to: Instant, step: Duration },
    /// An expression at one instant.
    Once { query: String, at: Instant },
}

/// Questions, none of which stands twice.
#[derive(Debug, Default)]
pub(super) struct Asks(Vec<Ask>);

/// The place of a question, and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AskId(usize);

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    pub(super) series: Vec<Series>,
    pub(super) infos: Vec<String>,
}

/// The answers, by question.
pub(super) struct Answers(Vec<Result<Answered, PrometheusError>>);

impl Asks {
    /// Asks for what is not asked yet; a span that touches one of the same series makes it longer.
    pub(super) fn add(&mut self, ask: Ask) -> AskId {
        let joined = |known: &Ask| match (&known.what, &ask.what) {
            (What::Raw { selector, from, to }, What::Raw { selector: other, from: start, to: end })
                if selector == other && known.server == ask.server && from <= end && start <= to =>
            {
                Some(What::Raw { selector: selector.clone(), from: *from.min(start), to: *to.max(end) })
            }
            _ => (*known == ask).then(|| ask.what.clone()),
        };
        for (place, known) in self.0.iter_mut().enumerate() {
            if let Some(what) = joined(known) {
                known.what = what;
                return AskId(place);
            }
        }
        self.0.push(ask);
        AskId(self.0.len() - 1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Ask> {
        self.0.iter()
    }

    /// Asks everything, over a few connections at once. A server that does not tell the time, or another
    /// time than ours, is not asked on, and nothing that it said is used.
    pub(super) fn run(&self, servers: &[&Prometheus], deadline: Deadline) -> Answers {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|place| self.0.get(*place).is_none_or(|ask| ask.what != What::Clock));
        let next = AtomicUsize::new(0);
        let distrusted: Mutex<BTreeMap<usize, PrometheusError>> = Mutex::default();
        let answers: Mutex<Vec<Option<Result<Answered, PrometheusError>>>> = Mutex::new(vec![None; self.0.len()]);
        let work = || {
            while let Some(place) = order.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                let Some((ask, server)) = self.0.get(place).and_then(|ask| Some((ask, servers.get(ask.server)?)))
                else {
                    continue;
                };
                let known = locked(&distrusted).get(&ask.server).cloned();
                let answer = known.map_or_else(|| ask.what.ask(server, deadline), Err);
                if let (What::Clock, Err(error)) = (&ask.what, &answer) {
                    locked(&distrusted).insert(ask.server, error.clone());
                }
                if let Some(slot) = locked(&answers).get_mut(place) {
                    *slot = Some(answer);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS.min(self.0.len()) {
                scope.spawn(work);
            }
        });
        let distrusted = std::mem::take(&mut *locked(&distrusted));
        let answers = std::mem::take(&mut *locked(&answers));
        let trusted = self.0.iter().zip(answers).map(|(ask, answer)| match (distrusted.get(&ask.server), answer) {
            (Some(error), Some(Ok(_)) | None) => Err(error.clone()),
            (_, Some(answer)) => answer,
            (None, None) => Err(ClientError::Deadline { host: "the server".to_owned() }.into()),
        });
        Answers(trusted.collect())
    }

    /// The remarks of the servers.
    pub(super) fn infos<'a>(&'a self, answers: &'a Answers) -> impl Iterator<Item = (usize, &'a str)> {
        let answered =
            self.0.iter().zip(&answers.0).filter_map(|(ask, answer)| Some((ask.server, answer.as_ref().ok()?)));
        answered.flat_map(|(server, answered)| answered.infos.iter().map(move |info| (server, info.as_str())))
    }
}

impl Answers {
    pub(super) fn get(&self, id: AskId) -> Result<&[Series], &PrometheusError> {
        match self.0.get(id.0) {
            Some(Ok(answered)) => Ok(&answered.series),
            Some(Err(error)) => Err(error),
            None => Ok(&[]),
        }
    }
}

impl What {
    fn ask(&self, server: &Prometheus, deadline: Deadline) -> Result<Answered, PrometheusError> {
        match self {
            Self::Clock => server.check_clock(deadline).map(|()| Answered { series: Vec::new(), infos: Vec::new() }),
            Self::Raw { selector, from, to } => raw(server, selector, *from, *to, deadline),
            Self::Steps { query, from, to, step } => {
                let answer = server.range(query, *from, *to, *step, deadline)?;
                match answer.data {
                    Data::Matrix(series) => Ok(Answered { series, infos: answer.infos }),
                    _ => Err(server.unasked("the result is no matrix")),
                }
            }
            Self::Once { query, at } => {
                let answer = server.instant(query, *at, deadline)?;
                match answer.data {
                    Data::Vector(series) => Ok(Answered { series, infos: answer.infos }),
                    _ => Err(server.unasked("the result is no vector")),
                }
            }
        }
    }
}

/// Nothing that holds these locks can panic half-way.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The raw samples of a span, asked for in parts. Every sample of the answer must be one that was asked for.
fn raw(
    server: &Prometheus,
    selector: &Selector,
    from: Instant,
    to: Instant,
    deadline: Deadline,
) -> Result<Answered, PrometheusError> {
    let mut joined: BTreeMap<Labels, Series> = BTreeMap::new();
    let mut infos = Vec::new();
    let mut start = from;
    loop {
        let end = start.plus(LONGEST).min(to);
        // A range without length is none.
        let length = end.since(start).millis().max(1);
        let length = if length.is_multiple_of(1000) { format!("{}s", length / 1000) } else { format!("{length}ms") };
        let part = server.instant(&format!("{selector}[{length}]"), end, deadline)?;
        let Data::Matrix(all) = part.data else { return Err(server.unasked("the result is no matrix")) };
        infos.extend(part.infos);
        for series in all {
            check(server, selector, &series, (start, end))?;
            let Some(known) = joined.get_mut(&series.labels) else {
                joined.insert(series.labels.clone(), series);
                continue;
            };
            // Up to version 2 a range holds its first instant, which is the last one of the part before.
            let last = known.samples.last().map(|sample| sample.at);
            known.samples.extend(series.samples.into_iter().filter(|sample| Some(sample.at) > last));
            let last = known.histograms.last().map(|histogram| histogram.at);
            known.histograms.extend(series.histograms.into_iter().filter(|histogram| Some(histogram.at) > last));
        }
        if end >= to {
            break;
        }
        start = end;
    }
    Ok(Answered { series: joined.into_values().collect(), infos })
}

fn check(
    server: &Prometheus,
    selector: &Selector,
    series: &Series,
    (start, end): (Instant, Instant),
) -> Result<(), PrometheusError> {
    if let Some((label, value)) = selector.exact().find(|(label, value)| series.labels.get(label) != *value) {
        return Err(server.unasked(format!("`{}` does not have {label}={value:?}", series.labels)));
    }
    let mut times = series.samples.iter().map(|sample| sample.at).chain(series.histograms.iter().map(|one| one.at));
    // The server's millisecond may be rounded.
    let slack = Duration::from_millis(1);
    if times.any(|at| at.plus(slack) < start || at > end.plus(slack)) {
        return Err(server.unasked(format!("samples of `{}` lie outside of the range", series.labels)));
    }
    Ok(())
}
