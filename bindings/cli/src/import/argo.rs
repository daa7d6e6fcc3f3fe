//! Argo Rollouts: an `AnalysisTemplate`.
//!
//! Sources: argoproj/argo-rollouts, `pkg/apis/rollouts/v1alpha1/analysis_types.go`, `utils/evaluate/evaluate.go`.

use std::collections::BTreeMap;

use super::text::{self, Names, go_duration, quoted};
use super::tree::Node;
use super::watch::{self, Beside, Range};
use super::{Becomes, Document, Files, Imported, Refused, Remark, of_kind, only, pass_over_kubernetes};
use davy::Duration;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) files: Files,
    /// The value of an argument of the template; may be given several times
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
    /// The service; the template's name, unless given
    #[arg(long)]
    name: Option<String>,
    /// Label matchers of the canary's series, for davy's own judge
    #[arg(long, value_name = "MATCHERS", default_value = "job=~\".*\"")]
    canary: String,
    /// Label matchers of the baseline's series; with them, davy's own judge compares
    #[arg(long, value_name = "MATCHERS")]
    baseline: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

struct Import<'a> {
    args: &'a Args,
    values: BTreeMap<String, String>,
    dry_runs: Vec<String>,
    every: Duration,
    /// Servers: name.
    sources: BTreeMap<String, String>,
    names: Names,
    metrics: String,
    remarks: Vec<Remark>,
}

pub(super) fn import(documents: &[Document], args: &Args) -> Result<Imported, Refused> {
    const KINDS: [&str; 2] = ["AnalysisTemplate", "ClusterAnalysisTemplate"];
    let template = &only(&of_kind(documents, &KINDS), "AnalysisTemplate")?.root;
    let own = template.at(&["metadata", "name"]).and_then(Node::text);
    let name = args.name.clone().or_else(|| own.map(str::to_owned));
    let name = name.ok_or_else(|| Refused::Missing { what: "`metadata.name`".to_owned() })?;
    pass_over_kubernetes(template);
    let metrics = template.at(&["spec", "metrics"]).map_or(&[][..], Node::items);
    let intervals =
        metrics.iter().filter_map(|metric| metric.get("interval").and_then(Node::scalar)).filter_map(go_duration);
    let every = intervals.min().unwrap_or(Duration::from_minutes(1));
    let every =
        Duration::from_secs(every.millis().div_ceil(1000)).clamp(Duration::from_secs(1), Duration::from_minutes(60));
    let mut import = Import {
        args,
        values: values(template, args),
        dry_runs: dry_runs(template, metrics),
        every,
        sources: BTreeMap::new(),
        names: Names::default(),
        metrics: String::new(),
        remarks: Vec::new(),
    };
    let mut warm_up = Duration::ZERO;
    for (place, metric) in metrics.iter().enumerate() {
        if let Some(delay) = import.metric(metric, &format!("spec.metrics[{place}]"))? {
            warm_up = warm_up.max(delay);
        }
    }
    if import.metrics.is_empty() {
        return Err(Refused::Nothing { what: "metric that can be imported" });
    }
    let mut document = format!(
        "# Imported from the AnalysisTemplate {} of Argo Rollouts: judged as there, with davy's own judge beside it as dry runs.\napiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: {} }}\nspec:\n  sources:\n",
        quoted(own.unwrap_or(&name)),
        text::word(&text::name(&name))
    );
    let canary = text::query(&args.canary);
    let baseline =
        args.baseline.as_ref().map_or(String::new(), |baseline| format!(", baseline: {}", text::query(baseline)));
    for (server, source) in &import.sources {
        document += &format!("    {source}: {{ prometheus: {}, canary: {canary}{baseline} }}\n", quoted(server));
    }
    document += &format!(
        "  holdLimit: {{ after: 1d, then: hold }}     # an inconclusive analysis waits for a person there, however long\n  health:\n    judge: argo\n    every: {every}\n    settle: 0s\n    warmUp: {warm_up}\n    metrics:\n{}",
        import.metrics
    );
    Ok(Imported {
        files: vec![("rollouts.yaml".to_owned(), document)],
        remarks: import.remarks,
        becomes: Becomes::Policy,
    })
}

/// What arguments stand for: as given, or as the template defaults them.
fn values(template: &Node, args: &Args) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for argument in template.at(&["spec", "args"]).map_or(&[][..], Node::items) {
        let Some(name) = argument.get("name").and_then(Node::text) else { continue };
        if let Some(value) = argument.get("value").and_then(Node::text) {
            values.insert(name.to_owned(), value.to_owned());
        }
    }
    values.extend(args.values.iter().cloned());
    values
}

/// Names of metrics that are dry runs. A pattern is understood where it is a name, or stands for all.
fn dry_runs(template: &Node, metrics: &[Node]) -> Vec<String> {
    let all = || metrics.iter().filter_map(|metric| metric.get("name").and_then(Node::scalar)).map(str::to_owned);
    let mut names = Vec::new();
    for entry in template.at(&["spec", "dryRun"]).map_or(&[][..], Node::items) {
        let Some(node) = entry.get("metricName") else { continue };
        let Some(pattern) = node.scalar() else { continue };
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        let found: Vec<String> = all().filter(|name| pattern == ".*" || name == pattern).collect();
        if !found.is_empty() {
            node.pass_over();
            names.extend(found);
        }
    }
    names
}

impl Import<'_> {
    /// Writes one metric; how long it waits before it begins, if it was imported.
    fn metric(&mut self, metric: &Node, path: &str) -> Result<Option<Duration>, Refused> {
        let Some(prometheus) = metric.at(&["provider", "prometheus"]) else {
            self.remark(metric, path, "does not ask Prometheus, so it is left out");
            return Ok(None);
        };
        let argument = |word: &str| word.strip_prefix("args.").and_then(|name| self.values.get(name)).cloned();
        let fill = |text: &str| {
            watch::filled(text, argument).map_err(|refused| match refused {
                Refused::Argument { name } => {
                    Refused::Argument { name: name.strip_prefix("args.").unwrap_or(&name).to_owned() }
                }
                other => other,
            })
        };
        let condition = |key: &str| metric.get(key).and_then(Node::scalar).map(fill).transpose();
        let (success, failure) = (condition("successCondition")?, condition("failureCondition")?);
        let read = match (&success, &failure) {
            (Some(text), _) => Condition::success(text).map(|condition| ("successCondition", condition)),
            (None, Some(text)) => Condition::failure(text).map(|condition| ("failureCondition", condition)),
            (None, None) => None,
        };
        let Some((key, condition)) = read else {
            self.remark(metric, path, "has no condition that is a comparison with numbers, so it is left out");
            return Ok(None);
        };
        let required = |key: &str| {
            let missing = || Refused::Missing { what: format!("`{path}.provider.prometheus.{key}`") };
            prometheus.get(key).and_then(Node::text).ok_or_else(missing)
        };
        let (query, server) = (fill(required("query")?)?, fill(required("address")?)?);
        let number = |key: &str| -> Result<Option<String>, Refused> {
            let text = metric.get(key).and_then(Node::text).map(fill).transpose()?;
            Ok(text.filter(|text| text.parse::<i64>().is_ok()))
        };
        let mut argo = Vec::new();
        for key in ["count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit"] {
            argo.extend(number(key)?.map(|value| format!("{key}: {value}")));
        }
        let delay = metric.get("initialDelay").and_then(Node::text).map(fill).transpose()?;
        let interval = metric.get("interval").and_then(Node::text).map(fill).transpose()?;
        // Without an interval there is one measurement.
        if interval.is_none() && metric.get("count").is_none() {
            argo.push("count: 1".to_owned());
        }
        if condition.nan_succeeds {
            argo.push("condition: failure".to_owned());
        }
        let own = metric.get("name").and_then(Node::text).unwrap_or("unnamed");
        metric.get(key).into_iter().for_each(Node::pass_over);
        if let (Some(node), true) = (metric.get(key), condition.strict) {
            self.remark(node, &format!("{path}.{key}"), "excludes its limit there; here the limit itself is within");
        }
        if let (Some(node), true) =
            (metric.get("interval"), interval.and_then(|text| go_duration(&text)) != Some(self.every))
        {
            self.remark(node, &format!("{path}.interval"), &format!("is {} here, for all metrics", self.every));
        }
        let next = self.sources.len() + 1;
        let source = if next == 1 { "prom".to_owned() } else { format!("prom-{next}") };
        let source = self.sources.entry(server).or_insert(source).clone();
        let dry = if self.dry_runs.iter().any(|dry| dry == own) { ", dryRun: true" } else { "" };
        let name = self.names.fresh(own);
        let argo = if argo.is_empty() { String::new() } else { format!(", argo: {{ {} }}", argo.join(", ")) };
        self.metrics += &format!(
            "      - {{ name: {}, from: {source}, gauge: {}{}{dry}{argo} }}\n",
            text::word(&name),
            text::query(&query),
            condition.range.keys()
        );
        let compared = self.args.baseline.is_some();
        let beside = Beside { query: &query, source: &source, range: condition.range, compared, tolerance: None };
        if let Some(keys) = beside.keys() {
            let name = text::word(&self.names.fresh(&format!("{name}-davy")));
            self.metrics += &format!("      - {{ name: {name}, judge: evidence, dryRun: true, {keys} }}\n");
        }
        Ok(Some(delay.and_then(|delay| go_duration(&delay)).unwrap_or(Duration::ZERO)))
    }

    fn remark(&mut self, node: &Node, path: &str, text: &str) {
        self.remarks.push(Remark::note(node, path, text));
    }
}

/// A condition as limits.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Condition {
    range: Range,
    /// Whether the limit itself is on the other side there.
    strict: bool,
    /// Whether NaN counts as healthy.
    nan_succeeds: bool,
}

impl Condition {
    /// `result[0] >= 0.95`, `a && b`, and either after `isNaN(result[0]) ||`.
    fn success(text: &str) -> Option<Self> {
        let text = without_space(text);
        let (comparisons, nan_succeeds) = match text.split_once("||") {
            Some((first, rest)) if is_nan(first) => (rest.to_owned(), true),
            _ => (text, false),
        };
        let parts: Option<Vec<_>> = comparisons.split("&&").map(|part| comparison(unwrapped(part))).collect();
        let mut condition = Self { range: Range::default(), strict: false, nan_succeeds };
        for (low, limit, strict) in parts? {
            condition.narrow(low, limit)?;
            condition.strict |= strict;
        }
        Some(condition)
    }

    /// `result[0] > 5`, `a || b`, with or without `isNaN(result[0])` among them.
    fn failure(text: &str) -> Option<Self> {
        let text = without_space(text);
        let mut condition = Self { range: Range::default(), strict: false, nan_succeeds: true };
        for part in text.split("||").map(unwrapped) {
            if is_nan(part) {
                condition.nan_succeeds = false;
                continue;
            }
            // What fails below a limit is healthy from it on.
            let (low, limit, strict) = comparison(part)?;
            condition.narrow(!low, limit)?;
            condition.strict |= !strict;
        }
        (condition.range != Range::default()).then_some(condition)
    }

    fn narrow(&mut self, low: bool, limit: f64) -> Option<()> {
        let end = if low { &mut self.range.min } else { &mut self.range.max };
        end.is_none().then(|| *end = Some(limit))
    }
}

fn is_nan(text: &str) -> bool {
    ["isNaN(result[0])", "isNaN(result)", "isNaN(asFloat(result))", "isNaN(asFloat(result[0]))"].contains(&text)
}

/// Whether it is a lower limit, the limit, and whether that is excluded.
fn comparison(text: &str) -> Option<(bool, f64, bool)> {
    let (at, operator) =
        [">=", "<=", ">", "<"].into_iter().find_map(|operator| Some((text.find(operator)?, operator)))?;
    let (left, right) = (text.get(..at)?, text.get(at + operator.len()..)?);
    let is_result = |text: &str| {
        let inner = ["asFloat(", "asInt("].iter().find_map(|call| text.strip_prefix(call)?.strip_suffix(')'));
        ["result", "result[0]"].contains(&inner.unwrap_or(text))
    };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let lower = operator.starts_with('>');
    let strict = operator.len() == 1;
    if is_result(left) {
        Some((lower, number(right)?, strict))
    } else if is_result(right) {
        Some((!lower, number(left)?, strict))
    } else {
        None
    }
}

fn unwrapped(text: &str) -> &str {
    match text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) if !inner.contains(['(', ')']) => inner,
        _ => text,
    }
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(min: Option<f64>, max: Option<f64>, strict: bool, nan_succeeds: bool) -> Option<Condition> {
        Some(Condition { range: Range { min, max }, strict, nan_succeeds })
    }

    #[test]
    fn conditions_become_limits() {
        for (text, expected) in [
            ("result[0] >= 0.95", of(Some(0.95), None, false, false)),
            ("result >= .95", of(Some(0.95), None, false, false)),
            ("result[0] < 5", of(None, Some(5.0), true, false)),
            ("0.95 <= asFloat(result)", of(Some(0.95), None, false, false)),
            ("result[0] >= 0.9 && result[0] <= 1.1", of(Some(0.9), Some(1.1), false, false)),
            ("isNaN(result[0]) || result[0] >= 0.95", of(Some(0.95), None, false, true)),
            ("isNaN(result[0]) || (result[0] <= 2)", of(None, Some(2.0), false, true)),
        ] {
            assert_eq!(Condition::success(text), expected, "{text}");
        }
        for (text, expected) in [
            ("result[0] > 5", of(None, Some(5.0), false, true)),
            ("result[0] >= 5", of(None, Some(5.0), true, true)),
            ("result[0] < 1 || result[0] > 5", of(Some(1.0), Some(5.0), false, true)),
            ("isNaN(result[0]) || result[0] < 0.95", of(Some(0.95), None, false, false)),
        ] {
            assert_eq!(Condition::failure(text), expected, "{text}");
        }
        for text in
            ["", "true", "len(result) > 0", "result[0] > result[1]", "result[0] == 1", "result[0] > 1 && result[0] > 2"]
        {
            assert_eq!(Condition::success(text), None, "{text}");
        }
        assert_eq!(Condition::failure("isNaN(result[0])"), None);
    }
}
