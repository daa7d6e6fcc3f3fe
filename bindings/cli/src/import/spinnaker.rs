//! Spinnaker: the execution windows of a pipeline's stages.
//!
//! Source: spinnaker/orca 2fdb327, `RestrictExecutionDuringTimeWindow`.

use super::calendar::{self, Calendar, Window};
use super::text::{self, quoted};
use super::tree::Node;
use super::{Becomes, Document, Files, Imported, Refused, Remark};

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
    let mut remarks = Vec::new();
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
            let Some(window) = window(stage, &path, &args.zone, &mut remarks) else { continue };
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
    Ok(Imported { files: calendars.iter().map(Calendar::file).collect(), remarks, becomes: Becomes::Calendars })
}

/// One pipeline, or a list of them.
fn pipelines(root: &Node) -> Vec<&Node> {
    match root.get("stages") {
        Some(_) => vec![root],
        None => root.items().iter().collect(),
    }
}

fn window(stage: &Node, path: &str, zone: &str, remarks: &mut Vec<Remark>) -> Option<Window> {
    const KEYS: [&str; 2] = ["restrictExecutionDuringTimeWindow", "restrictedExecutionWindow"];
    for (_, node) in stage.entries().filter(|(key, _)| !KEYS.contains(key)) {
        node.pass_over();
    }
    let restricted = stage.get(KEYS[0]).and_then(Node::truth).unwrap_or_default();
    let window = stage.get(KEYS[1]);
    if !restricted {
        // It has no effect there.
        window.into_iter().for_each(Node::pass_over);
        return None;
    }
    let window = window?;
    let mut days = Vec::new();
    for (place, day) in window.get("days").map_or(&[][..], Node::items).iter().enumerate() {
        match day.scalar().and_then(weekday) {
            Some(name) => {
                day.text();
                days.push(name);
            }
            None => {
                let path = format!("{path}.restrictedExecutionWindow.days[{place}]");
                remarks.push(Remark { place: day.place(), path, text: "is no day from 1 to 7".to_owned() });
            }
        }
    }
    let mut ranges = Vec::new();
    for range in window.get("whitelist").map_or(&[][..], Node::items) {
        let number = |key: &str, most: f64| {
            let node = range.get(key)?;
            let number = node.scalar()?.parse::<f64>().ok().filter(|number| (0.0..=most).contains(number))?;
            node.text();
            Some(number as u32)
        };
        let time = |hour, minute| Some(number(hour, 23.0)? * 60 + number(minute, 59.0).unwrap_or_default());
        let (Some(start), Some(end)) = (time("startHour", "startMin"), time("endHour", "endMin")) else { continue };
        // The whole last minute is in it. What goes over midnight is two ranges there, each on the days that are named.
        if start <= end {
            ranges.push((start, end + 1));
        } else {
            ranges.extend([(start, 1440), (0, end + 1)]);
        }
    }
    if ranges.is_empty() && days.is_empty() {
        let text = "names neither hours nor days, so that it has no effect there either; it is left out";
        remarks.push(Remark { place: window.place(), path: format!("{path}.{}", KEYS[1]), text: text.to_owned() });
        return None;
    }
    if ranges.is_empty() {
        ranges.push((0, 1440));
    }
    let days =
        if days.is_empty() || days.len() == 7 { String::new() } else { format!("days: [{}], ", days.join(", ")) };
    let clock = |minutes: u32| format!("\"{:02}:{:02}\"", minutes / 60, minutes % 60);
    let range = |(from, until): &(u32, u32)| format!("{{ {days}from: {}, until: {} }}", clock(*from), clock(*until));
    let weekly = ranges.iter().map(range).collect::<Vec<_>>().join(", ");
    Some(
        Window::new("hours", "allow")
            .with("weekly", format!("[{weekly}]"))
            .with("zone", zone.to_owned())
            .with("gates", "[start]".to_owned()),
    )
}

/// Sunday is 1.
fn weekday(number: &str) -> Option<&'static str> {
    let place = number.parse::<usize>().ok()?.checked_sub(1)?;
    ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].get(place).copied()
}
