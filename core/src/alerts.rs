//! The alert rules that say what the burn gate says: Prometheus recording and alerting rules under the names
//! that Sloth uses, so that dashboards made for Sloth show these SLOs too.
//!
//! Source of the names: Sloth, `internal/prometheus` (`slo:sli_error:ratio_rate5m`, `slo:error_budget:ratio`,
//! …; labels `sloth_id`, `sloth_service`, `sloth_slo`, `sloth_severity`). Unlike Sloth's, thresholds are
//! one number (`0.0144`, not `14.4 * 0.0009999…`), and the period's ratio counts every event once instead of
//! averaging the ratios of five minutes.

use std::fmt::{self, Write as _};

use crate::bundle::Bundle;
use crate::document::Operator;
use crate::policy::{Budgeting, ObjectivePlan, Sli, SloPlan};
use crate::slo::{Condition, Period, Urgency};
use crate::{Duration, Name};

/// A Prometheus rule file for every SLO of a bundle, used by its rollout or not.
///
/// An alert fires under the same condition as the burn gate, without the gate's guards: Prometheus has no
/// word for *unknown*. Of an SLO with several objectives each is a rule of its own, numbered from the second
/// on. Where the gate counts samples of values or time slices, the rules do with a subquery of one minute, or
/// of one slice. Calendar periods have no rule for what is left: PromQL knows no calendars.
///
/// ```
/// let files = [
///     ("rollouts.yaml", include_str!("../../policies/slos/rollouts.yaml")),
///     ("availability.yaml", include_str!("../../policies/slos/availability.yaml")),
///     ("latency.yaml", include_str!("../../policies/slos/latency.yaml")),
///     ("freshness.yaml", include_str!("../../policies/slos/freshness.yaml")),
/// ];
/// let rules = davy::prometheus_rules(&davy::Bundle::from_files(files)?);
/// assert!(rules.contains("slo:sli_error:ratio_rate5m{sloth_id=\"checkout-checkout-availability\"} > 0.0144"));
/// # Ok::<(), davy::BundleError>(())
/// ```
#[must_use]
pub fn prometheus_rules(bundle: &Bundle) -> String {
    let mut out = String::from("groups:\n");
    // Writing to a string cannot fail.
    let _ = write_rules(&mut out, bundle);
    if bundle.policies().slos.is_empty() { "groups: []\n".to_owned() } else { out }
}

fn write_rules(out: &mut String, bundle: &Bundle) -> fmt::Result {
    for slo in bundle.policies().slos.values() {
        for objective in &slo.objectives {
            let rules = Rules { service: bundle.service(), slo, objective };
            rules.recordings(out)?;
            rules.meta(out)?;
            rules.alerts(out)?;
        }
    }
    Ok(())
}

/// The rules of one objective.
struct Rules<'a> {
    service: &'a Name,
    slo: &'a SloPlan,
    objective: &'a ObjectivePlan,
}

impl Rules<'_> {
    /// The SLO's name, numbered from the second objective on.
    fn slo(&self) -> String {
        match self.objective.number.get() {
            1 => self.slo.name.to_string(),
            number => format!("{}-{number}", self.slo.name),
        }
    }

    fn id(&self) -> String {
        format!("{}-{}", self.service, self.slo())
    }

    fn group(&self, out: &mut String, what: &str) -> fmt::Result {
        writeln!(out, "  - name: \"sloth-slo-{what}-{}\"\n    rules:", self.id())
    }

    fn labels(&self, out: &mut String, more: &[(&str, &str)]) -> fmt::Result {
        writeln!(out, "        labels:")?;
        let (id, slo) = (self.id(), self.slo());
        let own = [("sloth_id", id.as_str()), ("sloth_service", self.service.as_str()), ("sloth_slo", slo.as_str())];
        own.iter().chain(more).try_for_each(|(label, value)| writeln!(out, "          {label}: \"{value}\""))
    }

    fn record(&self, out: &mut String, record: &str, expr: &str, more: &[(&str, &str)]) -> fmt::Result {
        writeln!(out, "      - record: \"{record}\"\n        expr: |")?;
        expr.lines().try_for_each(|line| writeln!(out, "          {line}"))?;
        self.labels(out, more)
    }

    /// The ratio of bad events in every window, and in the period.
    fn recordings(&self, out: &mut String) -> fmt::Result {
        let mut windows: Vec<Duration> =
            self.objective.pairs.iter().flat_map(|(_, condition)| windows(condition)).collect();
        if let Period::Rolling(period) = self.slo.period {
            windows.push(period);
        }
        windows.sort_unstable();
        windows.dedup();
        self.group(out, "sli-recordings")?;
        for window in windows {
            let expr = self.bad_ratio(window);
            self.record(out, &recorded(window), &expr, &[("sloth_window", &window.to_string())])?;
        }
        Ok(())
    }

    /// Target, budget and what is left of it.
    fn meta(&self, out: &mut String) -> fmt::Result {
        let (id, budget) = (self.id(), self.objective.budget.as_fraction());
        let selector = format!("{{sloth_id=\"{id}\"}}");
        let period = self.slo.period.nominal();
        self.group(out, "meta-recordings")?;
        self.record(out, "slo:objective:ratio", &format!("vector({})", self.objective.target.as_fraction()), &[])?;
        self.record(out, "slo:error_budget:ratio", &format!("vector({budget})"), &[])?;
        self.record(out, "slo:time_period:days", &format!("vector({})", period.as_secs_f64() / 86_400.0), &[])?;
        let by = "/ on(sloth_id, sloth_slo, sloth_service) group_left";
        if let Some(shortest) = self.objective.pairs.iter().map(|(_, condition)| condition.pair().short).min() {
            let expr = format!("{}{selector}\n{by}\nslo:error_budget:ratio{selector}", recorded(shortest));
            self.record(out, "slo:current_burn_rate:ratio", &expr, &[])?;
        }
        if matches!(self.slo.period, Period::Rolling(_)) {
            let expr = format!("{}{selector}\n{by}\nslo:error_budget:ratio{selector}", recorded(period));
            self.record(out, "slo:period_burn_rate:ratio", &expr, &[])?;
            let expr = format!("1 - slo:period_burn_rate:ratio{selector}");
            self.record(out, "slo:period_error_budget_remaining:ratio", &expr, &[])?;
        }
        let objective = self.objective.target.to_string();
        let info = [("sloth_mode", "davy"), ("sloth_objective", objective.trim_end_matches('%'))];
        self.record(out, "sloth_slo_info", "vector(1)", &info)
    }

    /// One alert for the pairs that page, one for those that open a ticket.
    fn alerts(&self, out: &mut String) -> fmt::Result {
        self.group(out, "alerts")?;
        for (urgency, severity) in [(Urgency::Page, "page"), (Urgency::Ticket, "ticket")] {
            let pairs = self.objective.pairs.iter().filter(|(known, _)| *known == urgency);
            let pairs: Vec<String> = pairs.map(|(_, condition)| self.burning(condition)).collect();
            if pairs.is_empty() {
                continue;
            }
            writeln!(out, "      - alert: \"{}\"\n        expr: |", self.slo())?;
            pairs.join("\nor\n").lines().try_for_each(|line| writeln!(out, "          {line}"))?;
            writeln!(out, "        labels:\n          sloth_severity: \"{severity}\"")?;
            writeln!(out, "        annotations:")?;
            let title = format!("({severity}) the error budget of {} burns too fast", self.slo());
            writeln!(out, "          title: \"{title}\"")?;
            writeln!(out, "          summary: \"{} '{}' burns its error budget too fast\"", self.service, self.slo())?;
        }
        Ok(())
    }

    /// Both windows above the limit.
    fn burning(&self, condition: &Condition) -> String {
        let above = |window| {
            let id = self.id();
            let (recorded, limit) = (recorded(window), condition.limit());
            format!("  max({recorded}{{sloth_id=\"{id}\"}} > {limit}) without (sloth_window)")
        };
        let [long, short] = windows(condition);
        format!("(\n{}\n  and\n{}\n)", above(short), above(long))
    }

    /// Bad events per event in a window. What was not there at all gives nothing, as in the gate.
    fn bad_ratio(&self, window: Duration) -> String {
        match self.objective.query.budgeting {
            Budgeting::Occurrences => self.of_events(window),
            Budgeting::RatioTimeslices { slice } => {
                format!("avg_over_time((\n{}\n)[{window}:{slice}])", indented(&self.of_events(slice)))
            }
            Budgeting::Timeslices { slice, good } => {
                let bad = good.budget().as_fraction();
                format!("avg_over_time((\n{}\n  > bool {bad}\n)[{window}:{slice}])", indented(&self.of_events(slice)))
            }
        }
    }

    fn of_events(&self, window: Duration) -> String {
        let sum = |of: &str, counter: bool| {
            let function = if counter { "increase" } else { "sum_over_time" };
            format!("sum({function}({of}[{window}]))")
        };
        let samples = |of: &str| format!("sum(sum_over_time({of}[{window}])) / sum(count_over_time({of}[{window}]))");
        match &self.objective.query.sli {
            Sli::Bad { bad, total, counter } if self.slo.sparse => {
                let total = sum(total, *counter);
                format!("({} or 0 * {total})\n/\n({total} > 0)", sum(bad, *counter))
            }
            Sli::Bad { bad, total, counter } => {
                format!("{}\n/\n({} > 0)", sum(bad, *counter), sum(total, *counter))
            }
            Sli::Good { good, total, counter } => {
                let total = sum(total, *counter);
                format!("({total} - {})\n/\n({total} > 0)", sum(good, *counter))
            }
            Sli::Raw { ratio, of_good: true } => format!("1 - {}", samples(ratio)),
            Sli::Raw { ratio, of_good: false } => samples(ratio),
            Sli::Threshold { value, op, limit } => {
                // What is not good, without turning NaN into good.
                let good = match op {
                    Operator::Lte => "<=",
                    Operator::Gte => ">=",
                    Operator::Lt => "<",
                    Operator::Gt => ">",
                };
                let step = window.min(Duration::from_minutes(1));
                format!("1 - avg(avg_over_time((({value}) {good} bool {limit})[{window}:{step}]))")
            }
        }
    }
}

fn windows(condition: &Condition) -> [Duration; 2] {
    [condition.pair().long, condition.pair().short]
}

fn recorded(window: Duration) -> String {
    format!("slo:sli_error:ratio_rate{window}")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
