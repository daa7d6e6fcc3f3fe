//! What a metric is run on: intervals of a file, measured as a policy that uses the plugin would.

use std::path::Path;
use std::sync::Arc;

use davy::plugin::{Form, Measures, Plugins};
use davy::{Bundle, Cohort, Duration, Engine, Interval, Observation, Observed, Snapshot};
use davy_plugins::{Description, Plugin};
use serde_json::{Map, Value as Json, json};

use crate::error::Error;
use crate::load;

/// A policy that uses the plugin, and what it is shown.
pub(super) struct Look {
    engine: Engine,
    snapshot: Snapshot,
    plugins: Plugins,
}

impl Look {
    /// The intervals of a file, whose observations are named as the plugin names its inputs.
    pub(super) fn new(plugin: &Arc<Plugin>, parameters: &Json, input: &Path) -> Result<Self, Error> {
        let refuse = |cause: String| Error::PluginInput { path: input.to_owned(), cause };
        let said = plugin.description();
        let intervals = load::intervals(input)?;
        let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else {
            return Err(refuse("there is no interval".to_owned()));
        };
        let all = || intervals.iter().flat_map(Interval::observations);
        for one in all() {
            check(one, said).map_err(refuse)?;
        }
        let compares = all().any(|one| one.cohort == Cohort::Baseline);
        let policy = policy(plugin, parameters, first.end().since(first.start()), compares).to_string();
        let component = ("plugin.wasm".to_owned(), plugin.digest());
        let bundle = Bundle::with_components([("rollouts.yaml", policy.as_bytes())], [component])
            .map_err(|error| refuse(error.to_string()))?;
        let snapshot = json!({
            "now": last.end(), "asked": "keep", "stage": "canary", "weight": "1%", "since": first.start(),
            "release": {
                "service": "plugin", "environment": "run", "revision": "new", "stable": "old", "startedAt": first.start(),
            },
            "intervals": intervals.iter().map(renamed).collect::<Result<Vec<Json>, _>>()?,
        });
        let snapshot = Snapshot::from_json(snapshot.to_string().as_bytes());
        let snapshot = snapshot.map_err(|error| refuse(error.to_string()))?;
        let plugins = Plugins::new().pinned(plugin.digest(), Arc::new(plugin.metric()?));
        Ok(Self { engine: Engine::new(&bundle), snapshot, plugins })
    }

    /// The snapshot with what the plugin measured in it, interval by interval.
    pub(super) fn measure(&self) -> Snapshot {
        let mut snapshot = self.snapshot.clone();
        davy_plugins::measure(&self.engine, &self.plugins, &mut snapshot);
        snapshot
    }
}

/// Whether the plugin reads an observation.
fn check(one: &Observation, said: &Description) -> Result<(), String> {
    let Some(input) = said.inputs.iter().find(|input| input.name == one.metric) else {
        let names: Vec<String> = said.inputs.iter().map(|input| format!("`{}`", input.name)).collect();
        return Err(format!("the plugin does not read `{}`; it reads {}", one.metric, names.join(", ")));
    };
    let form = match &one.observed {
        Observed::Counts { .. } => Form::Counts,
        Observed::Events(_) => Form::Events,
        Observed::Gauge(_) => Form::Gauge,
        Observed::Buckets(_) => Form::Buckets,
        Observed::Histogram(_) => Form::Histogram,
        Observed::Missing(_) => return Ok(()),
    };
    if form == input.form {
        return Ok(());
    }
    Err(format!("the plugin reads `{}` as {}, and the file has it as {form}", one.metric, input.form))
}

/// A policy whose only metric is measured by the plugin; its limits judge nobody.
fn policy(plugin: &Plugin, parameters: &Json, every: Duration, compares: bool) -> Json {
    let said: &Description = plugin.description();
    let inputs: Vec<Json> = said
        .inputs
        .iter()
        .map(|input| {
            let (name, optional) = (&input.name, input.optional);
            match input.form {
                Form::Counts => json!({ "name": name, "optional": optional, "bad": "bad", "total": "total" }),
                Form::Events => json!({ "name": name, "optional": optional, "events": "events" }),
                Form::Gauge => json!({ "name": name, "optional": optional, "gauge": "gauge" }),
                Form::Buckets => json!({ "name": name, "optional": optional, "buckets": "buckets" }),
                Form::Histogram => json!({ "name": name, "optional": optional, "histogram": "histogram" }),
            }
        })
        .collect();
    let measures = said.measures.unwrap_or(Measures::Value);
    let mut measured = Map::from_iter([
        ("path".to_owned(), json!("plugin.wasm")),
        ("digest".to_owned(), json!(plugin.digest())),
        ("measures".to_owned(), json!(measures.to_string())),
        ("parameters".to_owned(), parameters.clone()),
        ("inputs".to_owned(), json!(inputs)),
    ]);
    if said.window > 1 {
        measured.insert("window".to_owned(), json!(said.window));
    }
    // A metric that is compared is measured of both cohorts.
    let metric = match measures {
        Measures::Counts if compares => {
            json!({ "name": "plugin", "plugin": measured, "tolerate": "1.1x", "unacceptable": "1.5x" })
        }
        Measures::Counts => json!({ "name": "plugin", "plugin": measured, "max": "100%" }),
        _ => json!({ "name": "plugin", "plugin": measured, "max": 1e9 }),
    };
    let judge = if compares && measures == Measures::Counts { "evidence" } else { "threshold" };
    json!({
        "apiVersion": "davy/v1", "kind": "Rollout", "metadata": { "name": "plugin" },
        "spec": { "health": {
            "judge": judge, "every": every.to_string(), "settle": "0s", "warmUp": "0s", "metrics": [metric],
        } },
    })
}

/// An interval whose observations are named as inputs of the metric.
fn renamed(interval: &Interval) -> Result<Json, serde_json::Error> {
    let mut interval = serde_json::to_value(interval)?;
    if let Some(observations) = interval.get_mut("observations").and_then(Json::as_array_mut) {
        for observation in observations {
            if let Some(metric) = observation.get("metric").and_then(Json::as_str) {
                observation["metric"] = json!(format!("plugin.{metric}"));
            }
        }
    }
    Ok(interval)
}
