//! Kayenta: a canary config, alone or in the request of a standalone canary analysis.
//!
//! Sources: spinnaker/kayenta, `docs/canary-config.md`; `PrometheusMetricsService` for how a query is built.

use std::collections::BTreeMap;

use super::promql::without_matcher;
use super::text::{self, Names, number, quoted};
use super::tree::Node;
use super::watch::{Beside, Range};
use super::{Becomes, Document, Files, Imported, Refused, Remark, only};
use davy::Duration;

/// Where the name of a side stands in a query.
const SCOPE: &str = "${scope}";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) files: Files,
    /// The service; the first application of the config, unless given
    #[arg(long)]
    name: Option<String>,
    /// The Prometheus server, which a canary config does not know
    #[arg(long, value_name = "URL", default_value = "http://prometheus:9090")]
    prometheus: String,
    /// The step of the points
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    every: Duration,
    /// How long is watched, where the file does not say
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    lifetime: Duration,
    /// Label matchers of the canary's series, for queries without a scope
    #[arg(long, value_name = "MATCHERS", default_value = "version=\"${revision}\"")]
    canary: String,
    /// Label matchers of the baseline's series, for queries without a scope
    #[arg(long, value_name = "MATCHERS", default_value = "version=\"${stable}\"")]
    baseline: String,
}

struct Import<'a> {
    args: &'a Args,
    /// What stands for `${scope}`, of the canary and of the baseline.
    scopes: (String, String),
    templates: BTreeMap<String, String>,
    /// Matchers of both sides: name.
    sources: BTreeMap<(String, String), String>,
    names: Names,
    metrics: String,
    remarks: Vec<Remark>,
}

pub(super) fn import(documents: &[Document], args: &Args) -> Result<Imported, Refused> {
    let documents: Vec<&Document> = documents.iter().collect();
    let root = &only(&documents, "canary config")?.root;
    let config = root.get("canaryConfig").unwrap_or(root);
    let request = root.get("executionRequest");
    for key in [
        "id",
        "createdTimestamp",
        "createdTimestampIso",
        "updatedTimestamp",
        "updatedTimestampIso",
        "isNew",
        "description",
        "configVersion",
    ] {
        config.get(key).into_iter().for_each(Node::pass_over);
    }
    let judge = config.at(&["judge", "name"]);
    if let Some(judge) = judge.filter(|judge| judge.scalar() == Some("NetflixACAJudge-v1.0")) {
        judge.pass_over();
    }
    let application =
        config.get("applications").and_then(|applications| applications.items().first()).and_then(Node::text);
    let own = config.get("name").and_then(Node::text);
    let name = args.name.as_deref().or(application).or(own);
    let name = name.ok_or_else(|| Refused::Missing { what: "`name`".to_owned() })?.to_owned();
    let mut import = Import {
        args,
        scopes: scopes(request),
        templates: config
            .get("templates")
            .iter()
            .flat_map(|templates| templates.entries())
            .filter_map(|(name, text)| Some((name.to_owned(), text.text()?.to_owned())))
            .collect(),
        sources: BTreeMap::new(),
        names: Names::default(),
        metrics: String::new(),
        remarks: Vec::new(),
    };
    for (place, metric) in config.get("metrics").map_or(&[][..], Node::items).iter().enumerate() {
        import.metric(metric, &format!("metrics[{place}]"));
    }
    if import.metrics.is_empty() {
        return Err(Refused::Nothing { what: "metric that can be imported" });
    }
    let document = import.document(&name, own.unwrap_or(&name), config, request);
    Ok(Imported {
        files: vec![("rollouts.yaml".to_owned(), document)],
        remarks: import.remarks,
        becomes: Becomes::Policy,
    })
}

/// Both scopes of a request; what davy fills in where there is none.
fn scopes(request: Option<&Node>) -> (String, String) {
    let first = request
        .and_then(|request| request.get("scopes"))
        .and_then(|scopes| scopes.items().first().or_else(|| scopes.entries().next().map(|(_, scope)| scope)));
    let of = |key: &str, other: &str| {
        let scope = first.and_then(|first| first.get(key));
        let text = scope.and_then(|scope| scope.text().or_else(|| scope.get("scope").and_then(Node::text)));
        text.unwrap_or(other).to_owned()
    };
    (of("experimentScope", "${revision}"), of("controlScope", "${stable}"))
}

impl Import<'_> {
    fn metric(&mut self, metric: &Node, path: &str) {
        let own = metric.get("name").and_then(Node::text).unwrap_or("unnamed");
        let name = self.names.fresh(own);
        let canary = metric.at(&["analysisConfigurations", "canary"]);
        let settings = canary.map_or_else(Settings::default, Settings::read);
        let groups: Vec<String> = metric
            .get("groups")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(Node::text)
            .map(|group| text::word(&text::name(group)))
            .collect();
        let measured = match self.query(metric, path) {
            Some((query, source)) => format!("from: {source}, gauge: {}", text::query(&query)),
            None => {
                let kind = metric.at(&["query", "type"]).and_then(Node::text).unwrap_or("unknown");
                let text = format!("asks `{kind}`, not Prometheus: hand in its values as observations of `{name}`");
                self.remark(metric, &format!("{path}.query"), &text);
                format!("gauge: {}", quoted(own))
            }
        };
        self.metrics += &format!("      - {{ name: {}, {measured}{} }}\n", text::word(&name), settings.keys(&groups));
        let Some((query, source)) = self.query(metric, path) else { return };
        // What is good is told by the direction: a rate that must not fall counts good events.
        let range = Range { min: (settings.direction.as_deref() == Some("decrease")).then_some(0.0), max: None };
        let beside = Beside { query: &query, source: &source, range, compared: true, tolerance: settings.tolerance() };
        if let Some(keys) = beside.keys() {
            let name = text::word(&self.names.fresh(&format!("{name}-davy")));
            self.metrics += &format!("      - {{ name: {name}, judge: evidence, dryRun: true, {keys} }}\n");
        }
    }

    /// The query without its scope, and the source that has it; nothing for what is not asked of Prometheus.
    fn query(&mut self, metric: &Node, path: &str) -> Option<(String, String)> {
        let query = metric.get("query")?;
        let kind = query.get("type").and_then(Node::scalar);
        if kind.is_some_and(|kind| kind != "prometheus") {
            return None;
        }
        query.get("type").into_iter().for_each(Node::pass_over);
        query.get("serviceType").into_iter().for_each(Node::pass_over);
        let inline = query.get("customInlineTemplate").and_then(Node::text).filter(|text| !text.is_empty());
        let text = match inline {
            Some(text) => text.strip_prefix("PromQL:").unwrap_or(text).trim().to_owned(),
            None => {
                let name = query.get("metricName").and_then(Node::text)?;
                let template = query.get("customFilterTemplate").and_then(Node::text).filter(|name| !name.is_empty());
                let filter = match (template.and_then(|name| self.templates.get(name)), template) {
                    (Some(filter), _) => Some(filter.clone()),
                    (None, Some(_)) => {
                        self.remark(query, &format!("{path}.query.customFilterTemplate"), "is not among the templates");
                        None
                    }
                    (None, None) => None,
                };
                let bindings = query.get("labelBindings").map_or(&[][..], Node::items).iter().filter_map(Node::text);
                let labels: Vec<String> = filter.into_iter().chain(bindings.map(str::to_owned)).collect();
                let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                format!("avg({name}{labels})")
            }
        };
        let text = text.replace("$\\{", "${");
        let sides = |matcher: &str| (matcher.replace(SCOPE, &self.scopes.0), matcher.replace(SCOPE, &self.scopes.1));
        let (text, sides) = match without_matcher(&text, SCOPE) {
            Some((text, matcher)) => (text, sides(&matcher)),
            None => (text, (self.args.canary.clone(), self.args.baseline.clone())),
        };
        if text.contains("${") {
            self.remark(query, &format!("{path}.query"), "holds a placeholder that nothing fills in");
        }
        let next = self.sources.len() + 1;
        let source = if next == 1 { "prom".to_owned() } else { format!("prom-{next}") };
        Some((text, self.sources.entry(sides).or_insert(source).clone()))
    }

    fn remark(&mut self, node: &Node, path: &str, text: &str) {
        if !self.remarks.iter().any(|known| known.path == path && known.text == text) {
            self.remarks.push(Remark::note(node, path, text));
        }
    }

    fn document(&mut self, name: &str, config: &str, root: &Node, request: Option<&Node>) -> String {
        let (every, lifetime) = (self.args.every, self.args.lifetime);
        let mut minutes = |key: &str| {
            let node = request?.get(key)?;
            let given = Duration::from_millis((node.number()?.clamp(0.0, 1e6) * 60_000.0) as u64);
            let whole = every.times(given.millis().div_ceil(every.millis().max(1)));
            if whole != given {
                self.remark(node, key, &format!("is {whole} here, a whole number of intervals"));
            }
            Some(whole).filter(|whole| !whole.is_zero())
        };
        let lifetime = minutes("lifetimeDurationMins").unwrap_or(lifetime);
        let (begin, between, lookback) =
            (minutes("beginAfterMins"), minutes("analysisIntervalMins"), minutes("lookbackMins"));
        let threshold = |key: &str| {
            let of_request = request.and_then(|request| request.at(&["thresholds", key]));
            of_request.or_else(|| root.at(&["classifier", "scoreThresholds", key])).and_then(Node::number)
        };
        let mut settings = vec![
            format!("pass: {}", number(threshold("pass").unwrap_or(75.0))),
            format!("marginal: {}", number(threshold("marginal").unwrap_or(50.0))),
        ];
        settings.extend(between.map(|between| format!("analysisEvery: {}", between.min(lifetime))));
        settings.extend(lookback.map(|lookback| format!("lookback: {}", lookback.min(lifetime))));
        let weights: Vec<String> = root
            .at(&["classifier", "groupWeights"])
            .iter()
            .flat_map(|weights| weights.entries())
            .filter_map(|(group, weight)| {
                Some(format!("{}: {}", text::word(&text::name(group)), number(weight.number()?)))
            })
            .collect();
        if !weights.is_empty() {
            settings.push(format!("groupWeights: {{ {} }}", weights.join(", ")));
        }
        let mut out = format!(
            "# Imported from Kayenta's canary config {}: judged as there, with davy's own judge beside it as dry runs.\napiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: {} }}\nspec:\n",
            quoted(config),
            text::word(&text::name(name))
        );
        if !self.sources.is_empty() {
            out += "  sources:\n";
        }
        for ((canary, baseline), source) in &self.sources {
            out += &format!(
                "    {source}: {{ prometheus: {}, canary: {}, baseline: {} }}\n",
                quoted(&self.args.prometheus),
                text::query(canary),
                text::query(baseline)
            );
        }
        let warm_up = begin.unwrap_or(Duration::ZERO);
        out += &format!(
            "  bake: {{ for: 10m, against: retained }}    # Kayenta does not watch what is live\n  holdLimit: {{ after: 12h, then: fail }}       # as long as Spinnaker waits for it\n  health:\n    judge: kayenta\n    every: {every}\n    settle: 0s\n    warmUp: {warm_up}\n    horizon: {lifetime}\n    kayenta: {{ {} }}\n    metrics:\n{}",
            settings.join(", "),
            self.metrics
        );
        out
    }
}

/// What is judged of a metric, as text.
#[derive(Default)]
struct Settings {
    direction: Option<String>,
    critical: bool,
    muted: bool,
    allowed_increase: Option<f64>,
    critical_increase: Option<f64>,
    /// The measure is the ratio of the means.
    ratio: bool,
    keys: Vec<String>,
}

impl Settings {
    /// Words that Kayenta does not know it takes for its default, in silence; here they are not read, and so reported.
    fn read(canary: &Node) -> Self {
        let mut keys = Vec::new();
        let word = |node: Option<&Node>, known: &[&str]| {
            let node = node?;
            let word = node.scalar().filter(|word| known.contains(word))?;
            node.pass_over();
            Some(word.to_owned())
        };
        let direction = word(canary.get("direction"), &["increase", "decrease", "either"]);
        keys.extend(direction.as_ref().map(|direction| format!("direction: {direction}")));
        let nan = word(canary.get("nanStrategy"), &["remove", "replace"]);
        keys.extend(nan.map(|nan| format!("nanStrategy: {nan}")));
        if canary.get("mustHaveData").and_then(Node::truth) == Some(true) {
            keys.push("mustHaveData: true".to_owned());
        }
        let effect = canary.get("effectSize");
        let size = |key: &str| effect.and_then(|effect| effect.get(key)).and_then(Node::number);
        let measure = word(effect.and_then(|effect| effect.get("measure")), &["meanRatio", "cles"]);
        let ratio = measure.as_deref() != Some("cles");
        let mut sizes: Vec<String> = measure.iter().map(|measure| format!("measure: {measure}")).collect();
        for key in ["allowedIncrease", "allowedDecrease", "criticalIncrease", "criticalDecrease"] {
            sizes.extend(size(key).map(|size| format!("{key}: {}", number(size))));
        }
        if !sizes.is_empty() {
            keys.push(format!("effectSize: {{ {} }}", sizes.join(", ")));
        }
        let outliers = canary.get("outliers");
        let strategy = word(outliers.and_then(|outliers| outliers.get("strategy")), &["remove", "keep"]);
        let factor = outliers.and_then(|outliers| outliers.get("outlierFactor")).and_then(Node::number);
        if let Some(strategy) = strategy {
            let factor = factor.map_or(String::new(), |factor| format!(", outlierFactor: {}", number(factor)));
            keys.push(format!("outliers: {{ strategy: {strategy}{factor} }}"));
        }
        let truth = |key: &str| canary.get(key).and_then(Node::truth) == Some(true);
        Self {
            direction,
            critical: truth("critical"),
            muted: truth("muted"),
            allowed_increase: size("allowedIncrease"),
            critical_increase: size("criticalIncrease"),
            ratio,
            keys,
        }
    }

    /// As keys of a metric, each with a comma before it.
    fn keys(&self, groups: &[String]) -> String {
        let mut keys = String::new();
        if self.critical {
            keys += ", critical: true";
        }
        if self.muted {
            keys += ", dryRun: true";
        }
        let mut own = self.keys.clone();
        if !groups.is_empty() {
            own.push(format!("groups: [{}]", groups.join(", ")));
        }
        if own.is_empty() { keys } else { format!("{keys}, kayenta: {{ {} }}", own.join(", ")) }
    }

    /// What davy's own judge tolerates, where the config says what it allows.
    fn tolerance(&self) -> Option<(f64, f64)> {
        let allowed = self.allowed_increase.filter(|allowed| self.ratio && *allowed > 1.0)?;
        let critical = self.critical_increase.filter(|critical| *critical > allowed);
        Some((allowed, critical.unwrap_or(allowed * 1.5)))
    }
}
