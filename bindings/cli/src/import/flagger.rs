//! Flagger: a `Canary`, with the `MetricTemplate`s that it names.
//!
//! Sources: fluxcd/flagger, `pkg/apis/flagger/v1beta1`, `pkg/metrics/observers` (the queries of the built-in metrics),
//! `pkg/controller/scheduler.go` (how a check fails).

use std::collections::BTreeMap;

use super::promql::without_matcher;
use super::text::{self, Names, go_duration, number, quoted};
use super::tree::Node;
use super::watch::{self, Beside, Range};
use super::{Becomes, Document, Files, Imported, Refused, Remark, of_kind, only, pass_over_kubernetes};
use davy::Duration;

/// Where the canary's name stands in a query.
const TARGET: &str = "{{ target }}";
/// A matcher that any series meets, for queries that name no cohort.
const ANY: &str = "job=~\".*\"";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) files: Files,
    /// The Prometheus server of the built-in metrics, Flagger's `-metrics-server`
    #[arg(long, value_name = "URL", default_value = "http://prometheus:9090")]
    prometheus: String,
}

/// What is known so far.
struct Import<'a> {
    args: &'a Args,
    canary: &'a Node,
    templates: Vec<&'a Document>,
    /// What placeholders stand for, but for the target.
    words: BTreeMap<String, String>,
    target: String,
    provider: String,
    /// Sources by server and matcher: name.
    sources: BTreeMap<(String, String), String>,
    names: Names,
    metrics: String,
    beside: bool,
    remarks: Vec<Remark>,
}

pub(super) fn import(documents: &[Document], args: &Args) -> Result<Imported, Refused> {
    let canary = &only(&of_kind(documents, &["Canary"]), "Canary")?.root;
    let templates = of_kind(documents, &["MetricTemplate"]);
    let text = |keys: &[&str]| canary.at(keys).and_then(Node::text).map(str::to_owned);
    let missing = |what: &str| Refused::Missing { what: format!("`{what}`") };
    let name = text(&["metadata", "name"]).ok_or_else(|| missing("metadata.name"))?;
    let namespace = text(&["metadata", "namespace"]).unwrap_or_else(|| "default".to_owned());
    let target = text(&["spec", "targetRef", "name"]).ok_or_else(|| missing("spec.targetRef.name"))?;
    let service = text(&["spec", "service", "name"]).unwrap_or_else(|| target.clone());
    let ingress = text(&["spec", "ingressRef", "name"]).unwrap_or_else(|| name.clone());
    pass_over_kubernetes(canary);
    // Where it runs is not how it is judged.
    for keys in [["spec", "targetRef"], ["spec", "autoscalerRef"], ["spec", "ingressRef"], ["spec", "service"]] {
        canary.at(&keys).into_iter().for_each(Node::pass_over);
    }
    let words = [("name", &name), ("namespace", &namespace), ("service", &service), ("ingress", &ingress)];
    let mut import = Import {
        args,
        canary,
        templates,
        words: words.into_iter().map(|(word, value)| (word.to_owned(), value.clone())).collect(),
        target,
        provider: text(&["spec", "provider"]).unwrap_or_else(|| "istio".to_owned()),
        sources: BTreeMap::new(),
        names: Names::default(),
        metrics: String::new(),
        beside: false,
        remarks: Vec::new(),
    };
    let analysis = canary.at(&["spec", "analysis"]).ok_or_else(|| missing("spec.analysis"))?;
    let every = import.interval(analysis);
    for (place, metric) in analysis.get("metrics").map_or(&[][..], Node::items).iter().enumerate() {
        import.metric(metric, &format!("spec.analysis.metrics[{place}]"))?;
    }
    if import.metrics.is_empty() {
        return Err(Refused::Nothing { what: "metric that can be imported" });
    }
    let document = import.document(&name, analysis, every);
    Ok(Imported {
        files: vec![("rollouts.yaml".to_owned(), document)],
        remarks: import.remarks,
        becomes: Becomes::Policy,
    })
}

impl Import<'_> {
    /// How often is checked: a minute, and never more often than every ten seconds.
    fn interval(&mut self, analysis: &Node) -> Duration {
        let (default, least) = (Duration::from_minutes(1), Duration::from_secs(10));
        let Some(node) = analysis.get("interval") else { return default };
        let given = node.text().and_then(go_duration).filter(|given| !given.is_zero()).unwrap_or(default).max(least);
        let whole = Duration::from_secs(given.millis() / 1000);
        if whole > Duration::from_minutes(60) {
            self.remark(node, "spec.analysis.interval", "is held to an hour, the longest interval");
        }
        whole.min(Duration::from_minutes(60))
    }

    fn remark(&mut self, node: &Node, path: &str, text: &str) {
        self.remarks.push(Remark::note(node, path, text));
    }

    fn metric(&mut self, metric: &Node, path: &str) -> Result<(), Refused> {
        let Some(name) = metric.get("name").and_then(Node::scalar) else { return Ok(()) };
        let Some((server, query, built_in)) = self.query(metric, name, path) else { return Ok(()) };
        metric.get("name").into_iter().for_each(Node::pass_over);
        let window = metric.get("interval").and_then(Node::text).unwrap_or("1m").to_owned();
        let mut words = self.words.clone();
        words.insert("interval".to_owned(), window);
        for (variable, value) in metric.get("templateVariables").iter().flat_map(|variables| variables.entries()) {
            words.insert(format!("variables.{variable}"), value.text().unwrap_or_default().to_owned());
        }
        let query = watch::filled(&query, |word| match word {
            "target" => Some(TARGET.to_owned()),
            word => words.get(word).cloned(),
        })?;
        let range = self.range(metric, built_in, path);
        let (query, matcher) =
            without_matcher(&query, TARGET).unwrap_or_else(|| (query.replace(TARGET, &self.target), ANY.to_owned()));
        let compared = matcher != ANY;
        let source = self.source(server, matcher);
        // Flagger cuts a duration to whole milliseconds before it compares.
        let shown = if built_in == Some(BuiltIn::Duration) { format!("floor({query})") } else { query.clone() };
        let name = self.names.fresh(name);
        let limits = range.keys();
        self.metrics.push_str(&format!(
            "      - {{ name: {}, from: {source}, gauge: {}{limits} }}\n",
            text::word(&name),
            text::query(&shown)
        ));
        let beside = Beside { query: &query, source: &source, range, compared, tolerance: None };
        if let Some(keys) = beside.keys() {
            let name = text::word(&self.names.fresh(&format!("{name}-davy")));
            self.metrics.push_str(&format!("      - {{ name: {name}, judge: evidence, dryRun: true, {keys} }}\n"));
            self.beside = true;
        }
        Ok(())
    }

    /// The server, the query and which built-in metric it is; nothing for what cannot be asked of Prometheus.
    fn query(&mut self, metric: &Node, name: &str, path: &str) -> Option<(String, String, Option<BuiltIn>)> {
        let own = || self.args.prometheus.clone();
        if let Some(query) = metric.get("query").and_then(Node::text) {
            return Some((own(), query.to_owned(), None));
        }
        if let Some(reference) = metric.get("templateRef") {
            let wanted = reference.get("name").and_then(Node::scalar)?;
            let named =
                |document: &&&Document| document.root.at(&["metadata", "name"]).and_then(Node::text) == Some(wanted);
            let Some(template) = self.templates.iter().find(named).map(|document| &document.root) else {
                self.remark(
                    reference,
                    &format!("{path}.templateRef"),
                    "is not among the documents given, so the metric is left out",
                );
                return None;
            };
            if template.at(&["spec", "provider", "type"]).and_then(Node::scalar) != Some("prometheus") {
                self.remark(
                    reference,
                    &format!("{path}.templateRef"),
                    "does not ask Prometheus, so the metric is left out",
                );
                return None;
            }
            reference.pass_over();
            pass_over_kubernetes(template);
            template.at(&["spec", "provider", "type"]).into_iter().for_each(Node::pass_over);
            let server = template.at(&["spec", "provider", "address"]).and_then(Node::text);
            let server = server.map_or_else(own, str::to_owned);
            return Some((server, template.at(&["spec", "query"])?.text()?.to_owned(), None));
        }
        let built_in = match name {
            "request-success-rate" => BuiltIn::SuccessRate,
            "request-duration" => BuiltIn::Duration,
            _ => {
                self.remark(metric, path, "has neither a query nor a template, so it is left out");
                return None;
            }
        };
        let Some(query) = built_in.query(&self.provider) else {
            let text = format!(
                "is built into Flagger for `{}`, whose query is not known here, so it is left out; give it as a MetricTemplate",
                self.provider
            );
            self.remark(metric, path, &text);
            return None;
        };
        Some((own(), query, Some(built_in)))
    }

    /// The limits; Flagger's defaults, where nothing is given, are a trap of its own.
    fn range(&mut self, metric: &Node, built_in: Option<BuiltIn>, path: &str) -> Range {
        let limit = |keys: &[&str]| metric.at(keys).and_then(Node::number);
        if metric.get("thresholdRange").is_some() {
            let range = Range { min: limit(&["thresholdRange", "min"]), max: limit(&["thresholdRange", "max"]) };
            if range.min.is_some() || range.max.is_some() {
                return range;
            }
        }
        let given = limit(&["threshold"]);
        if given.is_none() {
            self.remark(metric, path, "has no threshold, which Flagger takes for 0, and so does this");
        }
        let limit = Some(given.unwrap_or(0.0));
        match built_in {
            Some(BuiltIn::SuccessRate) => Range { min: limit, max: None },
            Some(BuiltIn::Duration) | None => Range { min: None, max: limit },
        }
    }

    fn source(&mut self, server: String, matcher: String) -> String {
        let next = self.sources.len() + 1;
        let name = || if next == 1 { "prom".to_owned() } else { format!("prom-{next}") };
        self.sources.entry((server, matcher)).or_insert_with(name).clone()
    }

    fn document(&mut self, name: &str, analysis: &Node, every: Duration) -> String {
        let mut out = format!(
            "# Imported from Flagger's Canary {}: judged as there, with davy's own judge beside it as dry runs.\napiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: {} }}\nspec:\n  sources:\n",
            quoted(name),
            text::word(&text::name(name))
        );
        for ((server, matcher), source) in &self.sources {
            let of = |target: &str| text::query(&matcher.replace(TARGET, target));
            let (canary, baseline) = (of(&self.target), of(&format!("{}-primary", self.target)));
            out += &format!(
                "    {source}: {{ prometheus: {}, canary: {canary}, baseline: {baseline} }}\n",
                quoted(server)
            );
        }
        let weights = self.weights(analysis);
        if !weights.is_empty() {
            out += "  steps:\n";
            for weight in &weights {
                out += &format!("    - {{ weight: {weight}%, atLeast: {every} }}\n");
            }
        }
        let deadline = self.canary.at(&["spec", "progressDeadlineSeconds"]);
        let after = deadline.and_then(Node::number).unwrap_or(600.0).clamp(1.0, 1e7);
        if let Some(node) = deadline {
            self.remark(
                node,
                "spec.progressDeadlineSeconds",
                "is about readiness there; here it limits how long a hold may last",
            );
        }
        let threshold = analysis.get("threshold").and_then(Node::number).filter(|threshold| *threshold >= 1.0);
        out += &format!(
            "  holdLimit: {{ after: {}, then: fail }}\n  health:\n    judge: flagger\n    every: {every}\n    settle: 0s\n    warmUp: 0s\n",
            Duration::from_secs(after as u64)
        );
        if self.beside {
            let ramp = every.times(weights.len() as u64 + 1).max(Duration::from_minutes(60));
            out += &format!("    horizon: {ramp}                       # for davy's own judge, to plan with\n");
        }
        out += &format!("    flagger: {{ threshold: {} }}\n    metrics:\n", number(threshold.unwrap_or(1.0).floor()));
        out + &self.metrics
    }

    /// The weights of the ramp: as listed, or step by step until the most is reached.
    fn weights(&self, analysis: &Node) -> Vec<u32> {
        let whole =
            |node: &Node| node.number().filter(|weight| (1.0..=100.0).contains(weight)).map(|weight| weight as u32);
        let listed: Vec<u32> =
            analysis.get("stepWeights").map_or(&[][..], Node::items).iter().filter_map(whole).collect();
        let most = analysis.get("maxWeight").and_then(whole).unwrap_or(100);
        let mut weights = match analysis.get("stepWeight").and_then(whole) {
            _ if !listed.is_empty() => listed,
            Some(step) => (1..=100)
                .map(|steps: u32| steps.saturating_mul(step).min(100))
                .take_while(|weight| *weight < most + step)
                .collect(),
            None => Vec::new(),
        };
        weights.dedup();
        let mut highest = 0;
        weights.retain(|weight| {
            let rises = *weight > highest;
            highest = highest.max(*weight);
            rises
        });
        weights
    }
}

/// The metrics that Flagger knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuiltIn {
    SuccessRate,
    Duration,
}

impl BuiltIn {
    /// Its query for a mesh or an ingress, without line breaks.
    fn query(self, provider: &str) -> Option<String> {
        let success = |name: &str, labels: &str, failed: &str| {
            format!(
                "sum(rate({name}{{{labels},{failed}}}[{{{{ interval }}}}])) / sum(rate({name}{{{labels}}}[{{{{ interval }}}}])) * 100"
            )
        };
        let p99 = |name: &str, labels: &str| {
            format!("histogram_quantile(0.99, sum(rate({name}{{{labels}}}[{{{{ interval }}}}])) by (le))")
        };
        let istio = "reporter=\"destination\",destination_workload_namespace=\"{{ namespace }}\",destination_workload=~\"{{ target }}\"";
        let linkerd = "namespace=\"{{ namespace }}\",deployment=~\"{{ target }}\",direction=\"inbound\"";
        let nginx = "namespace=\"{{ namespace }}\",ingress=\"{{ ingress }}\"";
        Some(match (provider, self) {
            ("istio", Self::SuccessRate) => success("istio_requests_total", istio, "response_code!~\"5.*\""),
            ("istio", Self::Duration) => p99("istio_request_duration_milliseconds_bucket", istio),
            ("linkerd", Self::SuccessRate) => success("response_total", linkerd, "classification!=\"failure\""),
            ("linkerd", Self::Duration) => p99("response_latency_ms_bucket", linkerd),
            ("nginx", Self::SuccessRate) => success("nginx_ingress_controller_requests", nginx, "status!~\"5.*\""),
            ("nginx", Self::Duration) => {
                let sum = |of: &str| {
                    format!(
                        "sum(rate(nginx_ingress_controller_ingress_upstream_latency_seconds_{of}{{{nginx}}}[{{{{ interval }}}}]))"
                    )
                };
                format!("{} / {} * 1000", sum("sum"), sum("count"))
            }
            _ => return None,
        })
    }
}
