//! `davy plugin check`: what a component is, and whether a policy may depend on it.

use std::fmt::Write as _;
use std::path::PathBuf;

use davy::plugin::Measures;
use davy_plugins::{Description, Limits, Plugin, World};
use serde_json::{Value as Json, json};

use crate::exit::ExitCode;
use crate::plugins::PluginArgs;
use crate::terminal::Format;
use crate::{Ended, load, terminal};

/// Check plugins: their world, imports, limits, what they say of themselves, and the digest that policies pin
///
/// Exit codes: 0 if every file is a plugin, 1 if one is not, 2 usage.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Components
    #[arg(required = true, value_name = "FILE.wasm")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,
    /// How they are described
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Ended {
    // What is checked may be anything: nothing of it is kept.
    let host = args.plugins.host_without_cache()?;
    let (mut all, mut text, mut failed) = (Vec::new(), String::new(), false);
    for path in &args.files {
        let bytes = load::bytes(path)?;
        match super::plugin(&host, path, &bytes) {
            Ok(plugin) if args.format == Format::Json => {
                all.push(as_json(&path.display().to_string(), &plugin, bytes.len(), host.limits()));
            }
            Ok(plugin) => {
                text.push_str(&as_text(&path.display().to_string(), &plugin, bytes.len(), host.limits()));
            }
            Err(error) => {
                terminal::complain(&error);
                failed = true;
            }
        }
    }
    match args.format {
        Format::Json => terminal::print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?,
        Format::Text => terminal::print(&text)?,
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The plugin as lines for people, ending with what a document says to use it.
pub(super) fn as_text(path: &str, plugin: &Plugin, bytes: usize, limits: &Limits) -> String {
    let said = plugin.description();
    let mut lines = vec![
        ("plugin", format!("{} {}, {}", said.name, said.version, said.summary)),
        ("world", format!("davy:plugin/{}@{}", said.world.as_str(), davy_plugins::WORLD_VERSION)),
        ("imports", "none".to_owned()),
        ("size", format!("{bytes} bytes of at most {}", limits.component)),
        ("digest", plugin.digest().to_string()),
    ];
    if let Some(measures) = said.measures {
        let unit = if said.unit.is_empty() { String::new() } else { format!(" in `{}`", said.unit) };
        lines.push(("measures", format!("{measures}{unit}")));
        lines.push(("window", crate::lint::plural(said.window as usize, "interval")));
    }
    for input in &said.inputs {
        let optional = if input.optional { ", optional" } else { "" };
        lines.push(("input", format!("{} ({}{optional}): {}", input.name, input.form, input.summary)));
    }
    for capture in &said.captures {
        lines.push(("capture", capture.to_string()));
    }
    lines.push(("limits", limits_of(limits)));
    lines.push(("schema", said.schema.as_json().to_string()));
    let mut out = format!("{path}\n");
    for (what, value) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {what:9} {value}");
    }
    out = out.lines().map(|line| terminal::printable(line) + "\n").collect();
    out.push_str("  use       ");
    out.push_str(&terminal::printable(&usage(path, plugin)));
    out.push('\n');
    out
}

fn limits_of(limits: &Limits) -> String {
    format!(
        "{} fuel, {} memory, {} table elements, {} stack, {} result, {:?} by the clock",
        limits.fuel,
        size(limits.memory),
        limits.table_elements,
        size(limits.stack),
        size(limits.output),
        limits.deadline
    )
}

fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// How a document uses it.
fn usage(path: &str, plugin: &Plugin) -> String {
    let said = plugin.description();
    let file = path.rsplit('/').next().unwrap_or(path);
    let mut keys = format!("path: {file}, digest: {}", plugin.digest());
    match said.world {
        World::ProbeStep => {
            if !said.captures.is_empty() {
                let captures: Vec<&str> = said.captures.iter().map(davy::Name::as_str).collect();
                keys.push_str(&format!(", captures: [{}]", captures.join(", ")));
            }
            format!("wasm: {{ {keys} }}")
        }
        World::Metric => {
            if let Some(measures) = said.measures.filter(|measures| *measures != Measures::Value) {
                keys.push_str(&format!(", measures: {measures}"));
            }
            if said.window > 1 {
                keys.push_str(&format!(", window: {}", said.window));
            }
            let inputs: Vec<String> =
                said.inputs.iter().map(|input| format!("{{ name: {}, {} }}", input.name, query(input.form))).collect();
            format!("plugin: {{ {keys}, inputs: [{}] }}", inputs.join(", "))
        }
    }
}

/// The keys of a query of this form, to be filled in.
const fn query(form: davy::plugin::Form) -> &'static str {
    use davy::plugin::Form;
    match form {
        Form::Counts => "bad: …, total: …",
        Form::Events => "events: …",
        Form::Gauge => "gauge: …",
        Form::Buckets => "buckets: …",
        Form::Histogram => "histogram: …",
    }
}

fn as_json(path: &str, plugin: &Plugin, bytes: usize, limits: &Limits) -> Json {
    let said: &Description = plugin.description();
    let inputs: Vec<Json> = said
        .inputs
        .iter()
        .map(|input| {
            json!({ "name": input.name, "form": input.form.to_string(), "optional": input.optional, "summary": input.summary })
        })
        .collect();
    json!({
        "file": path,
        "name": said.name,
        "version": said.version,
        "summary": said.summary,
        "world": format!("davy:plugin/{}@{}", said.world.as_str(), davy_plugins::WORLD_VERSION),
        "imports": [],
        "bytes": bytes,
        "digest": plugin.digest(),
        "measures": said.measures.map(|measures| measures.to_string()),
        "unit": said.unit,
        "window": said.window,
        "inputs": inputs,
        "captures": said.captures,
        "parameters": said.schema.as_json(),
        "limits": {
            "fuel": limits.fuel,
            "milliseconds": u64::try_from(limits.deadline.as_millis()).unwrap_or(u64::MAX),
            "memory": limits.memory,
            "tableElements": limits.table_elements,
            "stack": limits.stack,
            "output": limits.output,
            "component": limits.component,
        },
    })
}
