//! When the planner expects a scenario to be detected, from what the simulation knows of its traffic.

use davy::plan::{Effect, Estimate, PlanRefused, plan, plan_from};
use davy::{Bundle, Cohort, Duration, Factor, Interval, Name, Observation, Share};

use super::cell::Cell;
use super::plan::Plan;
use super::scenario::Onset;
use super::traffic::Load;

/// In seconds from the first judged interval; nothing where no plan speaks of it.
pub(super) fn planned(bundle: &Bundle, environment: Option<&Name>, simulated: &Plan, cell: &Cell) -> Option<f64> {
    let scenario = cell.scenario.scenario(cell.noise);
    let starts_at_once = matches!(scenario.onset, Onset::At(0));
    let factor = |times: f64| Factor::from_thousandths((1000.0 * times).round() as u32);
    let effect = match (scenario.effect.errors, scenario.effect.latency) {
        (errors, _) if errors.is_infinite() => Effect::Share(Share::ALL),
        (errors, 1.0) => Effect::Times(factor(errors)),
        (_, latency) => Effect::Slower(factor(latency)),
    };
    let (replicas, noise) = cell.noise.planned()?;
    let estimate = Estimate { replicas, noise, ..estimate(&cell.load)? };
    let usual = usual(simulated, &cell.load)?;
    let planned = match plan_from(bundle, environment, estimate, &[usual]) {
        Err(PlanRefused::NothingSeen) => plan(bundle, environment, estimate),
        planned => planned,
    };
    let plan = planned.ok()?;
    plan.detected(effect).filter(|_| starts_at_once && !cell.scenario.is_good()).map(Duration::as_secs_f64)
}

fn estimate(load: &Load) -> Option<Estimate> {
    Some(Estimate {
        requests: Some(format!("{:.3}/s", load.rate).parse().ok()?),
        bad: Some(Share::from_ppm((1e6 * load.errors).round() as u32)),
        ..Estimate::default()
    })
}

/// What an interval shows of latencies on average.
fn usual(simulated: &Plan, load: &Load) -> Option<Interval> {
    let observation = |metric: &super::plan::Measured| {
        let observed = load.usual(&metric.form)?;
        Some(Observation { metric: metric.name.clone(), cohort: Cohort::Baseline, replica: None, observed })
    };
    let observations = simulated.metrics.iter().filter_map(observation).collect();
    Interval::new(simulated.first, simulated.first.plus(simulated.every), observations).ok()
}
