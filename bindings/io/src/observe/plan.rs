//! From requirements to questions: each series once, whoever needs it.

use std::collections::BTreeMap;

use davy::{Cohort, Duration, Instant, Name, Query, Requirement};

use super::Sources;
use super::counts::{self, Ratio};
use super::fetch::{Answers, Ask, AskId, Asks, What};
use super::gauge::WHICH;
use super::problem::Problem;
use super::scene::Scene;
use super::slo::{self, SloPlan};
use super::target::Stretch;
use crate::prometheus::{Prometheus, Settings};
use crate::promql::{Expression, Matcher, Selector, TextError, matchers};

/// More intervals than anybody judges at once; a day has 2880 of half a minute.
const MOST_INTERVALS: u64 = 20_000;

/// What is asked, of whom, and for what.
pub(super) struct Plan<'a> {
    pub(super) servers: Vec<&'a Prometheus>,
    pub(super) asks: Asks,
    pub(super) tasks: Vec<Task<'a>>,
}

/// One requirement, and the questions that answer it.
pub(super) struct Task<'a> {
    pub(super) requirement: &'a Requirement,
    pub(super) kind: Kind,
    /// The server's place among those asked.
    pub(super) server: usize,
    pub(super) settings: Settings,
}

/// What a requirement asks for.
pub(super) enum Kind {
    Counts {
        total: AskId,
        part: AskId,
        ratio: Ratio,
    },
    Events(AskId),
    Buckets(AskId),
    Native(AskId),
    Gauge(AskId),
    Steps {
        values: AskId,
        fresh: AskId,
        selectors: usize,
    },
    Slo(SloPlan),
    /// It cannot be asked.
    Broken(Problem),
    /// Somebody else knows it.
    Elsewhere(&'static str),
}

impl Task<'_> {
    /// Whether intervals are wanted.
    pub(super) fn is_on_grid(&self) -> bool {
        self.requirement.every.is_some() && !matches!(self.kind, Kind::Broken(Problem::TooMany { .. }))
    }

    /// Whether counters are counted, so that it matters where they began.
    pub(super) fn counts(&self) -> bool {
        match &self.kind {
            Kind::Counts { .. } | Kind::Events(_) | Kind::Buckets(_) | Kind::Native(_) => true,
            Kind::Slo(slo) => slo.counts_exactly(),
            _ => false,
        }
    }

    /// The answers, sorted to targets, if they are raw samples.
    pub(super) fn scene<'s>(&'s self, answers: &'s Answers) -> Result<Option<Scene<'s>>, Problem> {
        let families = match &self.kind {
            Kind::Counts { total, part, ratio } => {
                counts::families(answers.get(*total)?, answers.get(*part)?, ratio.narrowing.is_some()).into()
            }
            Kind::Events(one) | Kind::Buckets(one) | Kind::Native(one) | Kind::Gauge(one) => {
                vec![answers.get(*one)?.iter().collect()]
            }
            Kind::Slo(slo) => match slo.families(answers)? {
                Some(families) => families,
                None => return Ok(None),
            },
            Kind::Broken(problem) => return Err(problem.clone()),
            Kind::Steps { .. } | Kind::Elsewhere(_) => return Ok(None),
        };
        Ok(Some(Scene::new(self.requirement.replica.as_ref(), &families)))
    }

    /// The whole span that it is about.
    pub(super) fn whole(&self) -> Stretch {
        let Requirement { from, to, .. } = *self.requirement;
        Stretch { start: from, end: to, lookback: self.settings.lookback }
    }

    /// The stretches of time that it is about: intervals, or one window.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Stretch> {
        let Requirement { from, to, every, .. } = *self.requirement;
        let every = every.unwrap_or(to.since(from)).max(Duration::from_millis(1));
        let lookback = self.settings.lookback;
        let starts = std::iter::successors(Some(from), move |start| Some(start.plus(every)));
        starts
            .map(move |start| Stretch { start, end: start.plus(every), lookback })
            .take_while(move |stretch| stretch.end <= to && stretch.start < stretch.end)
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(sources: &'a Sources, requirements: &'a [Requirement]) -> Self {
        let mut plan = Self { servers: Vec::new(), asks: Asks::default(), tasks: Vec::new() };
        let mut places: BTreeMap<Option<&Name>, usize> = BTreeMap::new();
        for requirement in requirements {
            let name = requirement.source.as_ref();
            let Some(server) = sources.get(name) else {
                let problem = Problem::NoServer { source_name: name.cloned() };
                plan.push(requirement, elsewhere(requirement).unwrap_or(Kind::Broken(problem)), 0, Settings::default());
                continue;
            };
            let known = places.get(&name).copied();
            let place = known.unwrap_or(plan.servers.len());
            let kind = elsewhere(requirement).unwrap_or_else(|| {
                let mut asker = Asker { asks: &mut plan.asks, server: place, settings: server.settings() };
                asker.kind(requirement).unwrap_or_else(Kind::Broken)
            });
            if known.is_none() && !matches!(kind, Kind::Broken(_) | Kind::Elsewhere(_)) {
                plan.servers.push(server);
                places.insert(name, place);
                plan.asks.add(Ask { server: place, what: What::Clock });
            }
            plan.push(requirement, kind, place, server.settings());
        }
        plan
    }

    fn push(&mut self, requirement: &'a Requirement, kind: Kind, server: usize, settings: Settings) {
        self.tasks.push(Task { requirement, kind, server, settings });
    }
}

/// Runs of flows, and events of no source, are not Prometheus'.
fn elsewhere(requirement: &Requirement) -> Option<Kind> {
    match &requirement.query {
        Query::Probe(_) => Some(Kind::Elsewhere("runs of flows")),
        Query::Events(_) if requirement.source.is_none() => Some(Kind::Elsewhere("events without a source")),
        _ => None,
    }
}

/// Asks one server on behalf of requirements.
pub(super) struct Asker<'p> {
    asks: &'p mut Asks,
    server: usize,
    pub(super) settings: Settings,
}

impl Asker<'_> {
    fn kind(&mut self, requirement: &Requirement) -> Result<Kind, Problem> {
        let matchers = cohort_matchers(requirement)?;
        if let Query::Slo(query) = &requirement.query {
            return Ok(Kind::Slo(slo::plan(self, requirement, query, &matchers)?));
        }
        let length = requirement.to.since(requirement.from).millis();
        let intervals = requirement.every.map_or(1, |every| length / every.millis().max(1));
        if intervals > MOST_INTERVALS {
            return Err(Problem::TooMany { intervals });
        }
        let from = requirement.from.minus(self.settings.lookback);
        let mut raw = |selector: Selector| self.raw(selector, from, requirement.to);
        let selector = |text: &str| Selector::raw(text, &matchers);
        Ok(match &requirement.query {
            Query::Bad { bad: part, total } | Query::Good { good: part, total } => {
                let (part, total) = (selector(part)?, selector(total)?);
                let narrowing = part.narrows(&total).map(|labels| labels.into_iter().map(str::to_owned).collect());
                let good = matches!(requirement.query, Query::Good { .. });
                let asked = (raw(total), raw(part.clone()));
                Kind::Counts { total: asked.0, part: asked.1, ratio: Ratio { part, narrowing, good } }
            }
            Query::Buckets(text) => Kind::Buckets(raw(selector(text)?)),
            Query::Histogram(text) => Kind::Native(raw(selector(text)?)),
            Query::Events(name) => Kind::Events(raw(Selector::named(name.as_str(), &matchers)?)),
            Query::Gauge(text) => match selector(text) {
                Ok(selector) => Kind::Gauge(raw(selector)),
                Err(TextError::NotRaw { .. }) => self.steps(text, &matchers, requirement)?,
                Err(error) => return Err(error.into()),
            },
            Query::Probe(_) | Query::Slo(_) => Kind::Elsewhere("runs of flows"),
        })
    }

    /// The raw samples of a span.
    pub(super) fn raw(&mut self, selector: Selector, from: Instant, to: Instant) -> AskId {
        self.asks.add(Ask { server: self.server, what: What::Raw { selector, from, to } })
    }

    /// An expression at one instant.
    pub(super) fn once(&mut self, query: String, at: Instant) -> AskId {
        self.asks.add(Ask { server: self.server, what: What::Once { query, at } })
    }

    /// An expression at every step.
    pub(super) fn at_steps(&mut self, query: String, from: Instant, to: Instant, step: Duration) -> AskId {
        self.asks.add(Ask { server: self.server, what: What::Steps { query, from, to, step } })
    }

    /// An expression at the end of every interval, and the newest sample of each of its selectors then.
    fn steps(&mut self, text: &str, matchers: &[Matcher], requirement: &Requirement) -> Result<Kind, Problem> {
        let expression = Expression::narrowed(text, matchers)?;
        let every = requirement.every.unwrap_or(requirement.to.since(requirement.from));
        let (first, last) = (requirement.from.plus(every), requirement.to);
        let by = requirement.replica.as_ref().map(|label| format!(" by ({label})")).unwrap_or_default();
        let newest = expression.selectors.iter().enumerate().map(|(which, selector)| {
            format!("label_replace(max{by} (timestamp({selector})), \"{WHICH}\", \"{which}\", \"\", \"\")")
        });
        let newest: Vec<String> = newest.collect();
        let selectors = newest.len();
        let values = self.at_steps(expression.text, first, last, every);
        let fresh = self.at_steps(newest.join(" or "), first, last, every);
        Ok(Kind::Steps { values, fresh, selectors })
    }
}

/// What selects the series of a requirement's cohort; nothing for the whole service.
fn cohort_matchers(requirement: &Requirement) -> Result<Vec<Matcher>, TextError> {
    let Some(cohort) = requirement.cohort else { return Ok(Vec::new()) };
    match &requirement.selector {
        Some(text) => matchers(text),
        None => Err(TextError::NoMatchers {
            cohort: match cohort {
                Cohort::Canary => "the canary's",
                Cohort::Baseline => "the baseline's",
            },
        }),
    }
}
