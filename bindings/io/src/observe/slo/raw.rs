//! A window from raw samples.

use davy::document::Operator;
use davy::slo::{self, Mode, Sample, Window};
use davy::{Duration, Instant, Missing, Seen};

use super::{Measured, is_exact, seen, share};
use crate::observe::counter::{no_number, without_code};
use crate::observe::problem::Problem;
use crate::observe::scene::{Scene, Sight};
use crate::observe::target::{Member, Stretch, Target, between};

/// What becomes of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::observe) enum Measure {
    /// Counters rise.
    Counters(Mode),
    /// Each sample is a number of events.
    Numbers,
    /// Each sample is a ratio; all count alike.
    Ratios,
    /// Each sample is good or bad; all count alike.
    Threshold { op: Operator, limit: f64 },
}

/// Sums, or why there is none.
#[derive(Debug, Clone, Copy)]
struct Sum(Result<Option<f64>, Missing>);

/// What was seen in a window, and what was wrong with it.
pub(super) fn measure(scene: &Scene<'_>, measure: Measure, window: Stretch) -> (Measured, Vec<Problem>) {
    let mut sums = [Sum(Ok(None)); 2];
    let mut problems = Vec::new();
    let (mut oldest, mut newest, mut resets) = (None::<Instant>, None::<Instant>, 0);
    for target in scene.targets.iter() {
        for member in &target.members {
            let inside = between(&member.series.samples, |one| one.at, window.start, window.end);
            if member.family == 0 {
                oldest = oldest.into_iter().chain(inside.first().map(|one| one.at)).min();
                newest = newest.into_iter().chain(inside.last().map(|one| one.at)).max();
            }
            match measure {
                Measure::Counters(mode) => match rise(scene.sight(), target, member, mode, window) {
                    Ok(Some(rise)) => {
                        resets += if member.family == 0 { rise.resets } else { 0 };
                        add(&mut sums, member.family, Ok(rise.total));
                    }
                    Ok(None) => {}
                    Err((missing, problem)) => {
                        add(&mut sums, member.family, Err(missing));
                        problems.extend(problem.filter(|problem| !problems.contains(problem)));
                    }
                },
                Measure::Numbers => {
                    for sample in inside.iter().filter(|one| one.at > window.start) {
                        add(&mut sums, member.family, no_number(sample.value).map_or(Ok(sample.value), Err));
                    }
                }
                Measure::Ratios => {
                    for sample in inside.iter().filter(|one| one.at > window.start && !one.value.is_nan()) {
                        if !(0.0..=1.0).contains(&sample.value) {
                            let (series, value) = (member.series.labels.to_string(), sample.value.to_string());
                            let problem = Problem::NotARatio { series, value };
                            problems.extend(Some(problem).filter(|problem| !problems.contains(problem)));
                            add(&mut sums, 0, Err(Missing::NoAnswer));
                        }
                        add(&mut sums, 0, Ok(1.0));
                        add(&mut sums, 1, Ok(sample.value));
                    }
                }
                Measure::Threshold { op, limit } => {
                    for sample in inside.iter().filter(|one| one.at > window.start && !one.value.is_nan()) {
                        let good = match op {
                            Operator::Lte => sample.value <= limit,
                            Operator::Gte => sample.value >= limit,
                            Operator::Lt => sample.value < limit,
                            Operator::Gt => sample.value > limit,
                        };
                        add(&mut sums, 0, Ok(1.0));
                        add(&mut sums, 1, Ok(f64::from(u8::from(good))));
                    }
                }
            }
        }
    }
    let [total, part] = sums.map(Sum::seen);
    (Measured { part, total, coverage: coverage(scene, window), oldest, newest, resets }, problems)
}

fn add(sums: &mut [Sum; 2], family: usize, value: Result<f64, Missing>) {
    let Some(Sum(sum)) = sums.get_mut(family) else { return };
    if let Ok(known) = *sum {
        *sum = value.map(|value| Some(known.unwrap_or(0.0) + value));
    }
}

impl Sum {
    fn seen(self) -> Seen {
        match self.0 {
            Ok(Some(amount)) => seen(amount),
            Ok(None) => Seen::Nothing(Missing::NoData),
            Err(missing) => Seen::Nothing(missing),
        }
    }
}

/// How much a counter rose in the window.
fn rise<'a>(
    sight: Sight<'a>,
    target: &Target<'_>,
    member: &Member<'a>,
    mode: Mode,
    window: Stretch,
) -> Result<Option<slo::Increase>, (Missing, Option<Problem>)> {
    let since = if is_exact(mode) { window.start.minus(window.lookback) } else { window.start };
    let known = between(&member.series.samples, |one| one.at, since, window.end);
    let Some(first) = known.first() else { return Ok(None) };
    if let Some(missing) = known.iter().find_map(|sample| no_number(sample.value)) {
        return Err((missing, None));
    }
    let begins = is_exact(mode) && first.at > window.start && first.value > 0.0;
    let origin = if begins { sight.origin(target, member.series, window).sample(window) } else { Ok(None) };
    let origin = origin.map_err(|missing| (missing, None))?;
    let samples: Vec<Sample> = origin.into_iter().chain(known.iter().copied()).collect();
    let refused = |cause: slo::SeriesError| {
        let (series, cause) = (member.series.labels.to_string(), without_code(&cause.to_string()));
        (Missing::NoAnswer, Some(Problem::NotACounter { series, cause }))
    };
    let checked = slo::Series::new(&samples).map_err(refused)?;
    let span = Window { end: window.end, length: window.end.since(window.start) };
    Ok(slo::increase(checked, span, mode))
}

/// The part of the window that was seen: by any target at all, and by those that lived, whichever is less.
fn coverage(scene: &Scene<'_>, window: Stretch) -> davy::Share {
    let (mut lived, mut covered) = (Duration::ZERO, Duration::ZERO);
    let mut spans: Vec<(Instant, Instant)> = Vec::new();
    for target in scene.targets.iter() {
        let Some((from, to)) = target.life(window, scene.ups()) else { continue };
        lived = lived.plus(to.since(from));
        for (start, end) in target.covered(window).filter(|(start, end)| start < end) {
            covered = covered.plus(end.min(to).since(start.max(from)));
            spans.push((start, end));
        }
    }
    spans.sort_unstable();
    let (mut any, mut reached) = (Duration::ZERO, window.start);
    for (start, end) in spans {
        any = any.plus(end.since(start.max(reached)));
        reached = reached.max(end);
    }
    let length = window.end.since(window.start);
    let of = |part: Duration, whole: Duration| share(part.as_secs_f64(), whole.as_secs_f64());
    of(covered, lived).min(of(any, length))
}
