//! Windows of SLOs: short ones from raw samples, long ones and time slices computed by the server.

mod facts;
mod indicator;
mod raw;
mod slices;

use davy::slo::{Mode, Target};
use davy::{Budgeting, Duration, Instant, Missing, Part, Requirement, Seen, Share, SloQuery, SloWindow};

use super::counts;
use super::fetch::{Answers, AskId};
use super::plan::Asker;
use super::problem::{Notes, Problem};
use super::scene::Scene;
use super::target::Stretch;
use crate::prometheus::{PrometheusError, Series};
use crate::promql::Matcher;
use indicator::Indicator;

/// How one window is computed.
pub(super) struct SloPlan {
    way: Way,
    /// Whether the indicator counts good events.
    good: bool,
}

enum Way {
    /// From raw samples of the part, if there is one apart, and of the whole.
    Raw { part: Option<AskId>, total: AskId, is_part: bool, measure: raw::Measure },
    /// From an answer that names every fact.
    Facts { facts: AskId, expected: u64 },
    /// From the part and the whole of each slice, and the newest sample.
    Slices { part: AskId, total: AskId, newest: AskId, slices: slices::Slicing },
}

/// What was seen in a window.
struct Measured {
    part: Seen,
    total: Seen,
    coverage: Share,
    oldest: Option<Instant>,
    newest: Option<Instant>,
    resets: usize,
}

/// What to ask for one window.
pub(super) fn plan(
    asker: &mut Asker<'_>,
    requirement: &Requirement,
    query: &SloQuery,
    matchers: &[Matcher],
) -> Result<SloPlan, Problem> {
    let Requirement { from, to, .. } = *requirement;
    let length = to.since(from);
    let indicator = Indicator::new(&query.sli, matchers)?;
    let good = indicator.part_is_good();
    let way = match query.budgeting {
        Budgeting::Occurrences => match indicator.raw(query.increase) {
            Some(raw) if length <= asker.settings.raw_windows => {
                let since = from.minus(asker.settings.lookback);
                let is_part = raw.part.is_some_and(|part| part.narrows(raw.total).is_some());
                let part = raw.part.map(|part| asker.raw(part.clone(), since, to));
                Way::Raw { part, total: asker.raw(raw.total.clone(), since, to), is_part, measure: raw.measure }
            }
            _ => {
                let (query, expected) = facts::query(&indicator, length);
                Way::Facts { facts: asker.once(query, to), expected }
            }
        },
        Budgeting::Timeslices { slice, good } => sliced(asker, &indicator, (from, to), slice, Some(good))?,
        Budgeting::RatioTimeslices { slice } => sliced(asker, &indicator, (from, to), slice, None)?,
    };
    Ok(SloPlan { way, good })
}

fn sliced(
    asker: &mut Asker<'_>,
    indicator: &Indicator,
    (from, to): (Instant, Instant),
    slice: Duration,
    good: Option<Target>,
) -> Result<Way, Problem> {
    let slices =
        slices::Slicing::new(from, to, slice, good).ok_or(Problem::NoSlice { window: to.since(from), slice })?;
    let (part, total) = indicator.over(slice);
    let mut at_ends = |query| asker.at_steps(query, slices.first_end, slices.last_end, slice);
    let (part, total) = (at_ends(part), at_ends(total));
    let newest = asker.once(facts::newest(indicator), to);
    Ok(Way::Slices { part, total, newest, slices })
}

impl SloPlan {
    /// Whether counters are counted event by event.
    pub(super) fn counts_exactly(&self) -> bool {
        matches!(self.way, Way::Raw { measure: raw::Measure::Counters(mode), .. } if is_exact(mode))
    }

    /// The raw series, if there are any: the whole, then the part.
    pub(super) fn families<'a>(
        &self,
        answers: &'a Answers,
    ) -> Result<Option<Vec<Vec<&'a Series>>>, &'a PrometheusError> {
        let Way::Raw { part, total, is_part, .. } = &self.way else { return Ok(None) };
        let total = answers.get(*total)?;
        Ok(Some(match part {
            Some(part) => counts::families(total, answers.get(*part)?, *is_part).into(),
            None => vec![total.iter().collect()],
        }))
    }
}

/// One window from its answers.
pub(super) fn window(
    plan: &SloPlan,
    requirement: &Requirement,
    stretch: Stretch,
    scene: Option<Scene<'_>>,
    answers: &Answers,
    notes: &mut Notes,
) -> Result<SloWindow, Problem> {
    let about = Some(&requirement.about);
    let measured = match (&plan.way, scene) {
        (Way::Raw { measure, .. }, Some(scene)) => {
            let (measured, problems) = raw::measure(&scene, *measure, stretch);
            problems.into_iter().for_each(|problem| notes.add(about, problem));
            measured
        }
        (Way::Raw { .. }, None) => Measured::NOTHING,
        (Way::Facts { facts, expected }, _) => facts::measure(answers.get(*facts)?, *expected)?,
        (Way::Slices { part, total, newest, slices }, _) => {
            let good = plan.good;
            slices.measure(answers.get(*part)?, answers.get(*total)?, answers.get(*newest)?, good)?
        }
    };
    // Slices are bad or good by themselves.
    let good = plan.good && !matches!(plan.way, Way::Slices { .. });
    Ok(SloWindow {
        slo: requirement.about.clone(),
        objective: requirement.objective.unwrap_or(std::num::NonZeroU32::MIN),
        cohort: requirement.cohort,
        from: requirement.from,
        end: requirement.to,
        part: if good { Part::Good(measured.part) } else { Part::Bad(measured.part) },
        total: measured.total,
        coverage: measured.coverage,
        oldest: measured.oldest,
        newest: measured.newest,
        resets: u32::try_from(measured.resets).unwrap_or(u32::MAX).into(),
    })
}

impl Measured {
    const NOTHING: Self = Self {
        part: Seen::Nothing(Missing::NoData),
        total: Seen::Nothing(Missing::NoData),
        coverage: Share::ZERO,
        oldest: None,
        newest: None,
        resets: 0,
    };
}

/// An amount, unless it is no number.
fn seen(value: f64) -> Seen {
    super::counter::no_number(value).map_or(Seen::Amount(value), Seen::Nothing)
}

/// A part of a whole, rounded down; more than the whole is the whole.
fn share(part: f64, whole: f64) -> Share {
    if whole <= 0.0 {
        return Share::ZERO;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and a million")]
    Share::from_ppm((part / whole * 1e6).floor().clamp(0.0, 1e6) as u32)
}

/// Seconds since the epoch as an instant.
fn instant(seconds: f64) -> Instant {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then held within four digits of a year")]
    Instant::from_millis((seconds * 1000.0).round() as i64)
}

/// The mode for which nothing is extrapolated.
const fn is_exact(mode: Mode) -> bool {
    matches!(mode, Mode::Exact)
}
