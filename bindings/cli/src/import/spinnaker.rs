//! Spinnaker: the execution windows of a pipeline's stages.
//!
//! Source: spinnaker/orca 2fdb327, `RestrictExecutionDuringTimeWindow`.

use super::calendar::{self, Calendar, Window};
use super::text::{self, quoted};
use super::tree::Node;
use super::{Becomes, Document, Files, Imported, Refused};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) files: Files,
    /// The zone of all windows: `tasks.execution-window.timezone` of Orca
    #[arg(long, value_name = "ZONE", default_value = "America/Los_Angeles", value_parser = known_zone)]
    zone: String,
}

fn known_zone(name: &str) -> Result<String, String> {
    calendar::zone(name).ok_or_else(|| "it is no IANA time zone".to_owned())
}

pub(super) fn import(documents: &[Document], args: &Args) -> Result<Imported, Refused> {
    let mut calendars = Vec::new();
    let mut names = text::Names::default();
    for pipeline in documents.iter().flat_map(|document| pipelines(&document.root)) {
        // What a pipeline does says nothing of when it may.
        for (_, node) in pipeline.entries().filter(|(key, _)| *key != "stages") {
            node.pass_over();
        }
        let named = |key: &str| pipeline.get(key).and_then(Node::scalar);
        let of = [named("application"), named("name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        for (place, stage) in pipeline.get("stages").map_or(&[][..], Node::items).iter().enumerate() {
            let path = format!("stages[{place}]");
            let name = stage.get("name").or_else(|| stage.get("type")).and_then(Node::scalar).unwrap_or(&path);
            let Some(window) = window(stage, &path, &args.zone)? else { continue };
            let comment = format!(
                "Imported from the stage {} of the pipeline {} of Spinnaker. A stage that has begun goes on there: without `gates`,\nthe window holds the ramp as well. Whoever may skip the wait there needs an override here.",
                quoted(name),
                quoted(&of)
            );
            let settings = "  selector: { everything: true }\n".to_owned();
            let name = names.fresh(&[of.as_str(), name].join(" "));
            calendars.push(Calendar { comment, name, settings, windows: vec![window] });
        }
    }
    if calendars.is_empty() {
        return Err(Refused::Nothing { what: "stage with an execution window" });
    }
    let files = calendars.iter().map(Calendar::file).collect();
    Ok(Imported { files, remarks: Vec::new(), becomes: Becomes::Calendars })
}

/// One pipeline, or a list of them.
fn pipelines(root: &Node) -> Vec<&Node> {
    match root.get("stages") {
        Some(_) => vec![root],
        None => root.items().iter().collect(),
    }
}

/// What cannot be read is refused: left out, it would be hours or days in which nothing holds.
fn window(stage: &Node, path: &str, zone: &str) -> Result<Option<Window>, Refused> {
    const KEYS: [&str; 2] = ["restrictExecutionDuringTimeWindow", "restrictedExecutionWindow"];
    for (_, node) in stage.entries().filter(|(key, _)| !KEYS.contains(key)) {
        node.pass_over();
    }
    let [restrict, window] = KEYS.map(|key| stage.get(key));
    let restricted = match restrict {
        None => false,
        Some(node) => {
            node.truth().ok_or_else(|| unreadable(node, format!("{path}.{}", KEYS[0]), "is no truth value"))?
        }
    };
    if !restricted {
        // It has no effect there.
        window.into_iter().for_each(Node::pass_over);
        return Ok(None);
    }
    let path = format!("{path}.{}", KEYS[1]);
    let none = "names neither hours nor days, so that the stage fails there";
    let window = window.ok_or_else(|| unreadable(stage, path.clone(), none))?;
    let mut days = Vec::new();
    for (place, day) in items(window, "days", &path)?.iter().enumerate() {
        let name = day.text().and_then(weekday);
        days.push(name.ok_or_else(|| unreadable(day, format!("{path}.days[{place}]"), "is no day from 1 to 7"))?);
    }
    let mut ranges = Vec::new();
    for (place, range) in items(window, "whitelist", &path)?.iter().enumerate() {
        let path = format!("{path}.whitelist[{place}]");
        if range.entries().next().is_none() {
            return Err(unreadable(range, path, "names no hours"));
        }
        let [from, to] = [("startHour", "startMin"), ("endHour", "endMin")].map(|(hour, minute)| {
            Ok::<_, Refused>((number(range, hour, 23, &path)?, number(range, minute, 59, &path)?))
        });
        let (from, to) = (from?, to?);
        let [start, end] = [from, to].map(|(hour, minute)| hour * 60 + minute);
        // The whole last minute is in it. What goes over midnight is two ranges there, each on the days that are named.
        if from.0 > to.0 {
            ranges.extend([(start, 1440), (0, end + 1)]);
        } else if start <= end {
            ranges.push((start, end + 1));
        } else {
            return Err(unreadable(range, path, "ends before it begins, so that it is never open there"));
        }
    }
    if ranges.is_empty() && days.is_empty() {
        return Err(unreadable(window, path, none));
    }
    if ranges.is_empty() {
        ranges.push((0, 1440));
    }
    let days =
        if days.is_empty() || days.len() == 7 { String::new() } else { format!("days: [{}], ", days.join(", ")) };
    let clock = |minutes: u32| format!("\"{:02}:{:02}\"", minutes / 60, minutes % 60);
    let range = |(from, until): &(u32, u32)| format!("{{ {days}from: {}, until: {} }}", clock(*from), clock(*until));
    let weekly = ranges.iter().map(range).collect::<Vec<_>>().join(", ");
    Ok(Some(
        Window::new("hours", "allow")
            .with("weekly", format!("[{weekly}]"))
            .with("zone", zone.to_owned())
            .with("gates", "[start]".to_owned()),
    ))
}

fn unreadable(node: &Node, path: String, text: &'static str) -> Refused {
    Refused::Unreadable { path, line: node.place().line, text }
}

/// What is listed under a key, if that is there.
fn items<'a>(window: &'a Node, key: &str, path: &str) -> Result<&'a [Node], Refused> {
    match window.get(key) {
        None => Ok(&[]),
        Some(node) => node.list().ok_or_else(|| unreadable(node, format!("{path}.{key}"), "is no list")),
    }
}

/// An hour or a minute; 0 where there is none, as there.
fn number(range: &Node, key: &str, most: u32, path: &str) -> Result<u32, Refused> {
    let Some(node) = range.get(key) else { return Ok(0) };
    let number = node.text().and_then(|text| text.parse::<u32>().ok()).filter(|number| *number <= most);
    number.ok_or_else(|| unreadable(node, format!("{path}.{key}"), "is no hour or minute of a day"))
}

/// Sunday is 1.
fn weekday(number: &str) -> Option<&'static str> {
    let place = number.parse::<usize>().ok()?.checked_sub(1)?;
    ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].get(place).copied()
}
