//! Judges that look at the same rollout side by side: the policy, and what it is compared with.

use std::fmt::Write as _;

use davy::{Bundle, Engine, Finding, Outcome, Snapshot, State};

use super::Refused;
use super::peeking::Peeking;
use super::plan::{Form, Plan};
use super::traffic::Load;
use crate::load;

/// One judge and what it remembers of the rollout.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    pub(super) name: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Engine {
        engine: Engine,
        state: Box<State>,
    },
    Peeking(Peeking),
    /// A mistake that a test plants: whether it would abort after these intervals.
    #[cfg(test)]
    Planted {
        seen: Vec<davy::Interval>,
        fails: fn(&[davy::Interval]) -> bool,
    },
}

/// What a judge says at one look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What was asked may be done.
    pub(super) proceed: bool,
    /// The release ends here.
    pub(super) fails: bool,
    /// It ends only because nothing was decided in time.
    pub(super) inconclusive: bool,
    /// Every metric is good enough, now.
    pub(super) proved: bool,
}

/// The gates that the simulation feeds. What others say, such as budgets and required flows, is not counted.
const SIMULATED: [&str; 8] = ["asked", "clock", "data", "health", "hold", "release", "state", "steps"];
/// Failures that say that nothing was decided.
const UNDECIDED: [&str; 2] = ["health.horizon", "hold.limit"];

impl Judge {
    /// The policy itself.
    pub(super) fn policy(bundle: &Bundle) -> Self {
        Self::engine("policy", bundle)
    }

    /// What the policy is compared with, all on the same metrics: cumulative counts tested at every look, davy's
    /// fixed limits, Argo's and Flagger's, with the limits of their documentation and with limits that know the
    /// load, and Kayenta's scores, which one of several metrics alone does not make marginal unless it is critical.
    pub(super) fn others(plan: &Plan, load: &Load) -> Result<Vec<Self>, Refused> {
        let known = Limits { errors: 2.0 * load.errors, seconds: 1.25 * load.latency.exceeded_by(0.01) };
        let argo = Limits { errors: 0.05, seconds: 0.5 };
        let flagger = Limits { errors: 0.01, seconds: 0.5 };
        let failures = ", argo: { failureLimit: 3 }";
        let made = [
            ("threshold, 2 × errors, 1.25 × p99, patience 3", "judge: threshold", known, ", patience: 3"),
            ("argo, 5 %, 500 ms, failureLimit 3", "judge: argo", argo, failures),
            ("argo, 2 × errors, 1.25 × p99, failureLimit 3", "judge: argo", known, failures),
            ("flagger, 99 %, 500 ms, threshold 5", "judge: flagger, flagger: { threshold: 5 }", flagger, ""),
        ];
        let mut judges = vec![Self { name: "peeking, pooled tests", kind: Kind::Peeking(Peeking::new(plan)) }];
        for (name, judge, limits, rule) in made {
            let text = document(plan, judge, limits, rule);
            let bundle = Bundle::from_files([("rollouts.yaml", text)]).map_err(|_| Refused::Internal)?;
            judges.push(Self::engine(name, &bundle));
        }
        for (name, rule) in
            [("kayenta, 6 analyses, 75/50", ""), ("kayenta, 6 analyses, every metric critical", ", critical: true")]
        {
            let bundle = Bundle::from_files([("rollouts.yaml", kayenta(plan, rule))]).map_err(|_| Refused::Internal)?;
            judges.push(Self::engine(name, &bundle));
        }
        Ok(judges)
    }

    fn engine(name: &'static str, bundle: &Bundle) -> Self {
        // Where a rule cannot be compiled, it holds.
        let engine = load::engine_of(bundle).unwrap_or_else(|_| Engine::new(bundle));
        Self { name, kind: Kind::Engine { engine, state: Box::default() } }
    }

    /// Forgets what it has seen.
    pub(super) fn begin(&mut self) {
        match &mut self.kind {
            Kind::Engine { state, .. } => **state = State::new(),
            Kind::Peeking(peeking) => peeking.begin(),
            #[cfg(test)]
            Kind::Planted { seen, .. } => seen.clear(),
        }
    }

    pub(super) fn look(&mut self, snapshot: &Snapshot) -> Said {
        match &mut self.kind {
            Kind::Engine { engine, state } => {
                let step = engine.decide(state, snapshot);
                let said = said(&step.decision.findings);
                **state = step.state;
                said
            }
            Kind::Peeking(peeking) => peeking.look(snapshot),
            #[cfg(test)]
            Kind::Planted { seen, fails } => {
                seen.extend(snapshot.intervals.iter().cloned());
                Said { fails: fails(seen), ..Said::default() }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn planted(name: &'static str, fails: fn(&[davy::Interval]) -> bool) -> Self {
        Self { name, kind: Kind::Planted { seen: Vec::new(), fails } }
    }
}

fn said(findings: &[Finding]) -> Said {
    let mut said = Said { proceed: true, fails: false, inconclusive: true, proved: true };
    for finding in findings {
        let code = finding.code();
        let (gate, _) = code.split_once('.').unwrap_or_default();
        said.proved &= !matches!(code, "health.not-proved" | "health.reversed");
        match finding.effective() {
            _ if !SIMULATED.contains(&gate) => {}
            Outcome::Pass => {}
            Outcome::Hold(_) => said.proceed = false,
            Outcome::Fail => {
                (said.proceed, said.fails) = (false, true);
                said.inconclusive &= UNDECIDED.contains(&code);
            }
        }
    }
    said.inconclusive &= said.fails;
    said
}

/// Fixed limits: the share of errors, and the 99th percentile in seconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    errors: f64,
    seconds: f64,
}

/// Ramp and grid of the plan, up to the metrics.
fn heading(plan: &Plan) -> String {
    let (every, settle) = (plan.every, plan.settle);
    let warm_up = plan.first.since(plan.release.started_at);
    let mut text = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: \"{}\" }}\nspec:\n  steps:\n",
        plan.release.service
    );
    for stay in &plan.ramp {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    - {{ weight: {}, atLeast: {} }}", stay.weight, stay.at_least);
    }
    let _ = writeln!(text, "  health:\n    every: {every}\n    settle: {settle}\n    warmUp: {warm_up}");
    text
}

/// The same metrics as Kayenta's users have them: one value per interval, a growing window, six analyses until the
/// horizon, its default thresholds, every metric a group of its own.
fn kayenta(plan: &Plan, rule: &str) -> String {
    // Not more points than it keeps.
    let six = (plan.intervals(1) / 6).clamp(1, 833);
    let (between, horizon) = (plan.every.times(six), plan.every.times(six * 6));
    let mut text = heading(plan);
    let _ = writeln!(
        text,
        "    judge: kayenta\n    horizon: {horizon}\n    kayenta: {{ analysisEvery: {between} }}\n    metrics:"
    );
    for metric in &plan.metrics {
        let form = match &metric.form {
            Form::Errors { good: false } => "bad: a, total: b",
            Form::Errors { good: true } => "good: a, total: b",
            Form::Native => "histogram: a",
            Form::Classic(_) => "buckets: a",
            Form::Probe => "probe: a",
            Form::Gauge => "gauge: a",
            Form::Events => "events: a",
        };
        let direction = if matches!(metric.form, Form::Errors { good: true }) { "decrease" } else { "increase" };
        let name = &metric.name;
        let _ = writeln!(
            text,
            "      - {{ name: \"{name}\", {form}{rule}, kayenta: {{ direction: {direction}, groups: [\"{name}\"] }} }}"
        );
    }
    text
}

/// The same metrics under fixed limits. What is queried is not asked for.
fn document(plan: &Plan, judge: &str, limits: Limits, rule: &str) -> String {
    let mut text = heading(plan);
    let (judge, settings) = judge.split_once(", ").unwrap_or((judge, ""));
    let _ = writeln!(text, "    {judge}\n    {settings}\n    metrics:");
    let share = |share: f64| format!("{:.4}%", 100.0 * share.min(1.0));
    let latency = format!("max: {}ms", (1000.0 * limits.seconds).round());
    for metric in &plan.metrics {
        let form = match &metric.form {
            Form::Errors { good: false } => format!("bad: a, total: b, max: {}", share(limits.errors)),
            Form::Errors { good: true } => format!("good: a, total: b, min: {}", share(1.0 - limits.errors)),
            Form::Native => format!("histogram: a, {latency}"),
            Form::Classic(_) => format!("buckets: a, {latency}"),
            Form::Probe => "probe: a, max: 50%".to_owned(),
            // Neither has a limit that would say what the peers would do.
            Form::Gauge | Form::Events => continue,
        };
        let _ = writeln!(text, "      - {{ name: \"{}\", {form}{rule} }}", metric.name);
    }
    text
}
