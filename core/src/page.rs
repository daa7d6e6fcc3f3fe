//! A bundle as a page that people can publish: what is promised, and what is watched.

use std::fmt::Write as _;

use crate::Text;
use crate::bundle::Bundle;
use crate::calendar::Effect;
use crate::document::{AfterHold, BakeReference, CountedHold, OnInconclusive, Spanned};
use crate::plugin::PluginKey;
use crate::policy::{
    BudgetPlan, Criterion, HealthPlan, LatencyLimit, Means, MetricPlan, PlannedWindow, Policy, Query, Relative, Rule,
    Sli,
};
use crate::slo::{Period, Urgency};

/// Promotion criteria, guardrails and freeze conditions per environment, as Markdown.
///
/// ```
/// let bundle = davy::Bundle::from_files([("rollouts.yaml", davy::starter("checkout"))])?;
/// assert!(davy::page(&bundle).contains("## prod"));
/// # Ok::<(), davy::BundleError>(())
/// ```
#[must_use]
pub fn page(bundle: &Bundle) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, bundle);
    out
}

fn write_page(out: &mut String, bundle: &Bundle) -> std::fmt::Result {
    let metadata = &bundle.rollout().metadata.value;
    writeln!(out, "# How `{}` is released\n", bundle.service())?;
    if let Some(annotations) = &metadata.annotations {
        for (key, value) in &annotations.value.0 {
            writeln!(out, "- {}: {}", key.value, escape(value))?;
        }
        out.push('\n');
    }
    writeln!(
        out,
        "Policy `{}`. A failure aborts a canary and rolls back what is live; nothing below ever stops that.\n",
        bundle.digest()
    )?;
    let policies = bundle.policies();
    for (name, policy) in policies.any.iter().map(|policy| ("every environment", policy)) {
        write_policy(out, name, policy)?;
    }
    for (name, policy) in &policies.named {
        write_policy(out, name.as_str(), policy)?;
    }
    Ok(())
}

fn write_policy(out: &mut String, name: &str, policy: &Policy) -> std::fmt::Result {
    writeln!(out, "## {name}\n\n### Promotion criteria\n")?;
    for step in &policy.steps {
        write!(out, "- at {}: at least {}", step.weight.value, step.at_least())?;
        match step.min_requests() {
            crate::Count::ZERO => out.push('\n'),
            requests => writeln!(out, " and {requests} judged requests of the canary since the start")?,
        }
    }
    for probe in &policy.probes {
        writeln!(out, "- the flow `{}` has passed within the last {}", probe.flow.value, probe.within())?;
    }
    for dependency in &policy.requires {
        writeln!(
            out,
            "- `{}` was passed by the same revision at least {} ago",
            dependency.environment.value,
            dependency.soak()
        )?;
    }
    for rule in &policy.rules {
        let shadow = if rule.shadow { ", a shadow that is shown and never counts" } else { "" };
        writeln!(out, "- the rule `{}` in {} has nothing against it{shadow}", rule.name, rule.text.language)?;
    }
    if let Some(bake) = &policy.bake {
        let against = match bake.against.as_ref().map(|against| against.value) {
            Some(BakeReference::Slo) => ", judged by the error budgets".to_owned(),
            Some(against) => format!(", compared with the {against} baseline"),
            None => String::new(),
        };
        writeln!(out, "- after promotion: watched for {}{against}", bake.duration.value)?;
    }
    writeln!(out, "\n### Guardrails\n")?;
    match &policy.health {
        Some(plan) => write_health(out, plan)?,
        None => writeln!(out, "- no metric is judged")?,
    }
    if let Some(plan) = &policy.budget {
        write_budget(out, plan)?;
    }
    if let Some(radius) = &policy.blast_radius {
        if let Some(Spanned { value, .. }) = &radius.max_weight {
            writeln!(out, "- a canary gets at most {value} of the traffic")?;
        }
        if let Some(Spanned { value, .. }) = &radius.concurrent {
            writeln!(out, "- at most {value} releases at once")?;
        }
    }
    writeln!(out, "\n### Freeze conditions\n")?;
    write_holds(out, policy)
}

fn write_holds(out: &mut String, policy: &Policy) -> std::fmt::Result {
    writeln!(out, "- data that is missing, late or contradictory holds the release")?;
    if let Some(plan) = &policy.budget {
        let exempt: Vec<String> = plan.exempt.iter().map(|class| format!("`{class}`")).collect();
        let exempt = if exempt.is_empty() { String::new() } else { format!(", except {}", exempt.join(", ")) };
        writeln!(
            out,
            "- an error budget with less than {} left freezes releases until {} of it is left again{exempt}",
            plan.freeze_below, plan.unfreeze_at
        )?;
    }
    for plan in policy.calendar.iter().flat_map(|calendar| &calendar.windows) {
        write_window(out, plan)?;
    }
    match &policy.hold_limit {
        None => writeln!(out, "- a hold may last for ever")?,
        Some(limit) => {
            let default = [CountedHold::Waiting, CountedHold::Blind];
            let kinds = limit.kinds.as_ref().map_or(&default[..], |kinds| &kinds.value);
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let then = match limit.then.value {
                AfterHold::Fail => "fails the release",
                AfterHold::Hold => "waits for a person",
            };
            writeln!(out, "- a hold ({}) that lasts {} {then}", kinds.join(" or "), limit.after.value)?;
        }
    }
    let waivable = policy.overrides.iter().flat_map(|overrides| &overrides.waive_fails).flat_map(|codes| &codes.value);
    let waivable: Vec<String> = waivable.map(|code| format!("`{}`", code.value)).collect();
    if waivable.is_empty() {
        writeln!(out, "- a signed override may waive holds, and no failure\n")
    } else {
        writeln!(out, "- a signed override may waive holds, and the failures {}\n", waivable.join(", "))
    }
}

fn write_window(out: &mut String, plan: &PlannedWindow) -> std::fmt::Result {
    let window = &plan.window;
    let does = match (window.effect, window.hard) {
        (Effect::Allow, _) => "lets releases go further",
        (Effect::Deny, false) => "freezes releases",
        (Effect::Deny, true) => "freezes releases without exceptions",
    };
    let exempt: Vec<String> = window.exempt.iter().map(|class| format!("`{class}`")).collect();
    let exempt = if exempt.is_empty() { String::new() } else { format!(", except {}", exempt.join(", ")) };
    let note = |before: &str, text: &Option<Text>| {
        text.as_ref().map_or(String::new(), |text| format!("; {before}{}", escape(text.as_str())))
    };
    writeln!(
        out,
        "- the window `{}/{}` ({}) {does}{exempt}{}{}{}",
        plan.calendar,
        window.name,
        window.timing.zone(),
        note("", &plan.reason),
        note("owner ", &plan.owner),
        note("", &plan.ticket)
    )
}

fn write_health(out: &mut String, plan: &HealthPlan) -> std::fmt::Result {
    let grid = plan.grid;
    let undecided = match plan.on_inconclusive {
        OnInconclusive::Hold => "holds",
        OnInconclusive::Fail => "fails",
        OnInconclusive::Promote => "may be promoted all the same",
    };
    writeln!(
        out,
        "Judged every {} after a warm-up of {}; what is undecided after {} {undecided}.\n",
        grid.every(),
        grid.warm_up(),
        plan.horizon
    )?;
    writeln!(out, "| metric | measured by | healthy | fails | weight |\n|---|---|---|---|---|")?;
    for metric in &plan.metrics {
        let weight = match (metric.dry_run, metric.critical) {
            (true, _) => "dry run".to_owned(),
            (false, true) => format!("{}, critical", f64::from(metric.importance) / 1000.0),
            (false, false) => (f64::from(metric.importance) / 1000.0).to_string(),
        };
        let fails = fails(plan, metric);
        writeln!(
            out,
            "| {} | {} | {} | {fails} | {weight} |",
            metric.name,
            means(&metric.means),
            healthy(&metric.criterion)
        )?;
    }
    let (pass, fail) = (plan.pass_score.get(), plan.fail_score.get());
    if pass < 100 || fail < 100 {
        writeln!(
            out,
            "\nThe health score fails the release below {fail} and tolerates failed metrics from {pass} on; critical metrics always fail it."
        )?;
    }
    out.push('\n');
    Ok(())
}

fn means(means: &Means) -> String {
    match means {
        Means::Query(query) => measured(query),
        Means::Plugin(plugin) => {
            let inputs: Vec<String> =
                plugin.inputs.iter().map(|input| format!("{}: {}", input.name, measured(&input.query))).collect();
            let name = match (&plugin.path, &plugin.key) {
                (Some(path), _) => code(path),
                (None, PluginKey::Native(name)) => code(name.as_str()),
                (None, PluginKey::Pinned(digest)) => code(&digest.to_string()),
            };
            format!("plugin {name} from {}", inputs.join("; "))
        }
    }
}

fn write_budget(out: &mut String, plan: &BudgetPlan) -> std::fmt::Result {
    writeln!(out, "\n| SLO | measured by | allowed bad | of | too fast |\n|---|---|---|---|---|")?;
    for slo in &plan.slos {
        let period = match &slo.period {
            Period::Rolling(length) => format!("the last {length}"),
            Period::Calendar(_) => format!("a calendar period of about {}", slo.period.nominal()),
        };
        for objective in &slo.objectives {
            let pairs = objective.pairs.iter().map(|(urgency, condition)| {
                let (pair, outcome) = (condition.pair(), plan.outcome(*urgency));
                let urgency = match urgency {
                    Urgency::Page => "page",
                    Urgency::Ticket => "ticket",
                };
                format!("{} in {} and {} ({urgency}: {outcome})", pair.threshold, pair.long, pair.short)
            });
            writeln!(
                out,
                "| {} | {} | {} % | {period} | {} |",
                slo.name,
                indicator(&objective.query.sli),
                objective.budget.as_fraction() * 100.0,
                pairs.collect::<Vec<_>>().join(", ")
            )?;
        }
    }
    out.push('\n');
    Ok(())
}

fn measured(expression: &Query) -> String {
    match expression {
        Query::Bad { bad, total } => format!("{} of {}", code(bad), code(total)),
        Query::Good { good, total } => format!("{} of {}, good", code(good), code(total)),
        Query::Histogram(text) | Query::Buckets(text) | Query::Gauge(text) => code(text),
        Query::Probe(name) => format!("probe {}", code(name.as_str())),
        Query::Events(name) => format!("events {}", code(name.as_str())),
        Query::Slo(query) => indicator(&query.sli),
    }
}

fn indicator(sli: &Sli) -> String {
    match sli {
        Sli::Bad { bad, total, .. } => format!("{} of {}", code(bad), code(total)),
        Sli::Good { good, total, .. } => format!("{} of {}, good", code(good), code(total)),
        Sli::Raw { ratio, of_good: true } => format!("{}, good", code(ratio)),
        Sli::Raw { ratio, of_good: false } => code(ratio),
        Sli::Threshold { value, op, limit } => format!("{} `{op}` {limit}, good", code(value)),
    }
}

fn healthy(criterion: &Criterion) -> String {
    let times = |relative: &Relative| format!("≤ {} of the baseline", relative.tolerate);
    match criterion {
        Criterion::BadShare { max, relative } => {
            let absolute = max.map(|max| format!("≤ {max} bad"));
            absolute.into_iter().chain(relative.as_ref().map(times)).collect::<Vec<_>>().join(" and ")
        }
        Criterion::Latency { limit: LatencyLimit::Quantile { quantile, max }, .. } => format!("{quantile} ≤ {max} s"),
        Criterion::Latency { limit: LatencyLimit::Shift { quantile, tolerate, .. }, .. } => {
            format!("{quantile} ≤ {tolerate} slower than the baseline")
        }
        Criterion::Latency { limit: LatencyLimit::Slow(slow), .. } => {
            format!("slower than {} s: {}", slow.above, times(&slow.relative))
        }
        Criterion::Latency { limit: LatencyLimit::Slower { relative, .. }, .. } => {
            format!("slow requests: {}", times(relative))
        }
        Criterion::Gauge { min, max, relative } => {
            let min = min.map(|min| format!("≥ {min}"));
            let max = max.map(|max| format!("≤ {max}"));
            min.into_iter().chain(max).chain(relative.as_ref().map(times)).collect::<Vec<_>>().join(" and ")
        }
        Criterion::Events { max } => format!("≤ {max} per interval"),
        Criterion::Values { .. } => "like the baseline".to_owned(),
    }
}

fn fails(plan: &HealthPlan, metric: &MetricPlan) -> String {
    match metric.rule {
        Rule::Threshold(rule) => {
            let run = if rule.patience > 1 {
                format!("{} bad intervals in a row", rule.patience)
            } else {
                "a bad interval".to_owned()
            };
            match (rule.failure_limit, rule.consecutive_failure_limit) {
                (Some(0), _) => run,
                (Some(limit), None) => format!("{run}, more than {limit} times"),
                (None, Some(limit)) => format!("{run}, more than {limit} times in a row"),
                (Some(limit), Some(row)) => format!("{run}, more than {limit} times or {row} times in a row"),
                (None, None) => "never".to_owned(),
            }
        }
        Rule::Evidence => "by the evidence of all metrics together".to_owned(),
        Rule::Argo(_) => "as Argo Rollouts counts".to_owned(),
        Rule::Kayenta(_) => "as Kayenta scores".to_owned(),
        Rule::Flagger => format!("after {} failed checks, as Flagger counts", plan.flagger_threshold.unwrap_or(1)),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace('\n', " "))
}

fn escape(text: &str) -> String {
    text.replace('<', "&lt;").replace('\n', " ")
}
