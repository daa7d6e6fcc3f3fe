//! When the planner expects a scenario to be detected, from what the simulation knows of its traffic.

use davy::plan::{Effect, Estimate, plan};
use davy::{Bundle, Duration, Factor, Name, Share};

use super::cell::Cell;
use super::scenario::Onset;
use super::traffic::{Load, SCHEMA};

/// In seconds from the first judged interval; nothing where no plan speaks of it.
pub(super) fn planned(bundle: &Bundle, environment: Option<&Name>, cell: &Cell) -> Option<f64> {
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
    let plan = plan(bundle, environment, estimate).ok()?;
    plan.detected(effect).filter(|_| starts_at_once && !cell.scenario.is_good()).map(Duration::as_secs_f64)
}

fn estimate(load: &Load) -> Option<Estimate> {
    let exceeded_by = |share| Some(Duration::from_millis((1000.0 * load.latency.exceeded_by(share)).round() as u64));
    Some(Estimate {
        requests: Some(format!("{:.3}/s", load.rate).parse().ok()?),
        bad: Some(Share::from_ppm((1e6 * load.errors).round() as u32)),
        p50: exceeded_by(0.5),
        p90: exceeded_by(0.1),
        p99: exceeded_by(0.01),
        schema: u8::try_from(SCHEMA).ok(),
        ..Estimate::default()
    })
}
