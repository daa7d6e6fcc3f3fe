//! `davy policy plan`: what a policy can detect, and when, as tables or JSON.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;
use davy::plan::{Effect, Estimate, Plan, PlannedMetric, PlannedTest, Prospect, Unknown, plan, plan_from};
use davy::{Duration, Name, Rate, Share};

use crate::error::Error;
use crate::load;
use crate::policy::columns;
use crate::simulate::NoiseKind;
use crate::terminal::Format;

/// For which traffic.
#[derive(Args)]
pub(crate) struct PlanArgs {
    /// The policy: a file, or a directory with its *.yaml, *.yml and *.json files
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
    /// The environment; the only one, unless given
    #[arg(long)]
    environment: Option<Name>,
    /// Requests of the whole service, such as 50/s; what the policy expects, unless given
    #[arg(long, value_name = "RATE")]
    traffic: Option<Rate>,
    /// The share of bad requests; what the policy expects, unless given
    #[arg(long, value_name = "SHARE")]
    bad: Option<Share>,
    /// The latency that half of the requests exceed
    #[arg(long, value_name = "DURATION")]
    p50: Option<Duration>,
    /// The latency that a tenth of the requests exceed
    #[arg(long, value_name = "DURATION")]
    p90: Option<Duration>,
    /// The latency that a hundredth of the requests exceed
    #[arg(long, value_name = "DURATION")]
    p99: Option<Duration>,
    /// Replicas of the baseline whose counts are told apart; what the policy expects, unless given, and without it none
    #[arg(long, value_name = "K")]
    replicas: Option<NonZeroU32>,
    /// What was observed of a healthy service, a file or `-`: requests, bad ones, replicas and the whole shape of latencies count where
    /// no option and no metric's own `expect` says them; how much replicas differ is up to `--noise`
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// How replicas are assumed to differ, as in `simulate`
    #[arg(long, value_enum, default_value = "none")]
    noise: NoiseKind,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl PlanArgs {
    pub(crate) fn answer(&self) -> Result<String, Error> {
        let bundle = load::bundle(&self.path)?;
        let Self { traffic: requests, bad, p50, p90, p99, replicas, .. } = *self;
        let noise = self.noise.variation();
        let estimate = Estimate { requests, bad, p50, p90, p99, schema: None, replicas, noise };
        let environment = self.environment.as_ref();
        let plan = match &self.snapshot {
            Some(path) => plan_from(&bundle, environment, estimate, &load::snapshot(path)?.intervals)?,
            None => plan(&bundle, environment, estimate)?,
        };
        Ok(match self.format {
            Format::Json => format!("{}\n", serde_json::to_string_pretty(&plan)?),
            Format::Text => text(&plan, self.snapshot.is_some()),
        })
    }
}

fn text(plan: &Plan, is_seen: bool) -> String {
    let mut text = title(plan, is_seen);
    if is_seen {
        text.push_str(&reckoned_with(plan));
    }
    text.push_str("\nDetected after, counted from the first judged interval, by one metric alone\n\n");
    text.push_str(&detected(plan));
    text.push_str("\nOn the ramp: the least that is seen by the end of each step, and when a good canary is proved good enough\n\n");
    text.push_str(&on_ramp(plan));
    text.push('\n');
    match plan.promoted {
        Some(after) => {
            text.push_str(&format!("A good canary is promoted after {after}; the horizon is {}.\n", plan.horizon))
        }
        None => text.push_str(&format!(
            "That a good canary is promoted before the horizon of {} is not expected.\n",
            plan.horizon
        )),
    }
    for shortfall in &plan.shortfalls {
        text.push_str(&format!("\n{shortfall}\n  {}\n", shortfall.hint()));
    }
    text.push_str(LEGEND);
    text
}

const LEGEND: &str = "\nTimes are about medians, by both keys and for a ramp that follows the clock; `-` is later than any plan looks, or than \
the horizon.\n";

/// The traffic of each metric that is planned for; what others lack the table says.
fn reckoned_with(plan: &Plan) -> String {
    let planned = plan.metrics.iter().filter(|metric| matches!(metric.prospect, Prospect::Tests(_)));
    planned
        .map(|metric| format!("{}: {}, {}\n", metric.name, traffic(&metric.estimate), replicas(&metric.estimate)))
        .collect()
}

fn traffic(estimate: &Estimate) -> String {
    let Estimate { requests, bad, p50, p90, p99, .. } = *estimate;
    let mut known: Vec<String> = Vec::new();
    known.extend(requests.map(|requests| format!("{requests} requests")));
    known.extend(bad.map(|bad| format!("{bad} bad")));
    let latencies = [("p50", p50), ("p90", p90), ("p99", p99)];
    known.extend(latencies.into_iter().filter_map(|(name, latency)| Some(format!("{name} {}", latency?))));
    if known.is_empty() {
        return "nothing is known of the traffic: say `expect` in the policy, or `--traffic` and `--bad`".to_owned();
    }
    known.join(", ")
}

fn replicas(estimate: &Estimate) -> String {
    match estimate.replicas {
        Some(replicas) => format!("{replicas} replicas{}", if estimate.noise.is_some() { " with noise" } else { "" }),
        None => "no replicas told apart, so that noise is assumed".to_owned(),
    }
}

fn title(plan: &Plan, is_seen: bool) -> String {
    let place = plan.environment.as_ref().map_or_else(String::new, |name| format!(" in {name}"));
    // What was seen is said of each metric.
    let known = if is_seen {
        "traffic as it was seen".to_owned()
    } else {
        format!("{}, {}", traffic(&plan.estimate), replicas(&plan.estimate))
    };
    format!(
        "{}{place}: {known}\nat most {} false aborts and {} false promotions; intervals of {}, the first judged from {} on\n",
        plan.service, plan.false_aborts, plan.false_promotions, plan.every, plan.first_judged
    )
}

fn detected(plan: &Plan) -> String {
    let mut head = vec!["metric".to_owned(), "canary".to_owned()];
    head.extend(plan.steps.iter().map(|step| format!("at {}", step.weight)));
    head.push("on the ramp".to_owned());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for metric in &plan.metrics {
        let Some(tests) = tests(metric) else {
            rows.push(vec![metric.name.to_string(), without_plan(metric)]);
            continue;
        };
        for effect in tests.iter().flat_map(|test| &test.effects) {
            let unacceptable = if effect.unacceptable { ", unacceptable" } else { "" };
            let mut row = vec![metric.name.to_string(), format!("{}{unacceptable}", effect.effect)];
            row.extend(effect.at_step.iter().map(|takes| time(*takes)));
            row.push(time(effect.on_ramp));
            rows.push(row);
        }
    }
    columns(&head, &rows)
}

fn on_ramp(plan: &Plan) -> String {
    let mut head = vec!["metric".to_owned()];
    head.extend(plan.steps.iter().map(|step| format!("{} until {}", step.weight, step.until)));
    head.push("proved".to_owned());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for metric in &plan.metrics {
        for test in tests(metric).into_iter().flatten() {
            let mut row = vec![metric.name.to_string()];
            row.extend(
                test.seen_by.iter().map(|effect| effect.as_ref().map_or_else(|| "-".to_owned(), Effect::to_string)),
            );
            row.push(time(test.proved));
            rows.push(row);
        }
    }
    columns(&head, &rows)
}

fn tests(metric: &PlannedMetric) -> Option<&[PlannedTest]> {
    match &metric.prospect {
        Prospect::Tests(tests) => Some(tests),
        Prospect::Unknown(_) | Prospect::Outside => None,
    }
}

fn without_plan(metric: &PlannedMetric) -> String {
    match metric.prospect {
        Prospect::Unknown(Unknown::Requests) => "not known how often: say `expect: { requests: ... }`",
        Prospect::Unknown(Unknown::Bad) => "not known how many are bad: say `expect: { bad: ... }`",
        Prospect::Unknown(Unknown::Latencies) => {
            "not known how long requests take: say `expect: { p50: ..., p99: ... }`"
        }
        Prospect::Unknown(Unknown::Looks) => "tested at looks that are fixed beforehand, of which no plan speaks",
        Prospect::Tests(_) | Prospect::Outside => "judged by its limits, outside the guarantee",
    }
    .to_owned()
}

fn time(takes: Option<Duration>) -> String {
    takes.map_or_else(|| "-".to_owned(), |takes| takes.to_string())
}
