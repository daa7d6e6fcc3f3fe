//! GitLab: the deploy freeze periods of a project, as `GET /projects/:id/freeze_periods` answers.

use super::calendar::{Calendar, Window, schedule};
use super::rails;
use super::text::{self, quoted};
use super::tree::Node;
use super::{Becomes, Document, Files, Imported, Refused, Remark};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) files: Files,
    /// The calendar's name: rollouts name it in `calendars`
    #[arg(long, default_value = "deploy-freezes")]
    name: String,
}

pub(super) fn import(documents: &[Document], args: &Args) -> Result<Imported, Refused> {
    let mut remarks = Vec::new();
    let mut windows = Vec::new();
    for (place, period) in periods(documents).into_iter().enumerate() {
        windows.extend(window(period, place, &mut remarks));
    }
    if windows.is_empty() {
        return Err(Refused::Nothing { what: "freeze period that can be imported" });
    }
    let comment = "Imported from the deploy freezes of a project of GitLab. There, jobs see `CI_DEPLOY_FREEZE` and may heed it; here,\nnobody begins or goes further, and a freeze that starts twice before it ends is not forgotten.";
    let calendar = Calendar {
        comment: comment.to_owned(),
        name: text::name(&args.name),
        settings: "  selector: { everything: true }\n".to_owned(),
        windows,
    };
    Ok(Imported { files: vec![calendar.file()], remarks, becomes: Becomes::Calendars })
}

/// One period, or a list of them.
fn periods(documents: &[Document]) -> Vec<&Node> {
    let mut found = Vec::new();
    for Document { root } in documents {
        match root.get("freeze_start") {
            Some(_) => found.push(root),
            None => found.extend(root.items()),
        }
    }
    found
}

/// Nothing for what is no period. One that cannot be read never ends: left out, it would be hours in which nothing holds.
fn window(period: &Node, place: usize, remarks: &mut Vec<Remark>) -> Option<Window> {
    period.get("freeze_start").or_else(|| period.get("freeze_end"))?;
    for key in ["created_at", "updated_at"] {
        period.get(key).into_iter().for_each(Node::pass_over);
    }
    let id = period.get("id").and_then(Node::text).map_or_else(|| (place + 1).to_string(), str::to_owned);
    let mut read = |key: &str, fits: &dyn Fn(&str) -> Option<String>, what: &str| {
        let node = period.get(key);
        let value = node.and_then(Node::text).and_then(fits);
        if value.is_none() {
            let names_a_zone = node.and_then(Node::scalar).is_some_and(|text| text.contains("TZ="));
            let hint = if names_a_zone { " (its zone belongs into `cron_timezone`)" } else { "" };
            let text = format!("is {what}{hint}, so the freeze never ends here");
            remarks.push(Remark::held(node.unwrap_or(period), format!("[{place}].{key}"), text));
        }
        value
    };
    let start = read("freeze_start", &schedule, "no schedule that davy reads");
    let end = read("freeze_end", &schedule, "no schedule that davy reads");
    let zone = match period.get("cron_timezone") {
        None => Some("UTC".to_owned()),
        Some(_) => read("cron_timezone", &rails::zone, "no time zone that davy knows"),
    };
    let window = Window::new(&text::name(&format!("freeze-{id}")), "deny");
    let (Some(start), Some(end), Some(zone)) = (start, end, zone) else {
        let window = window.with("cron", quoted("0 0 * * *")).with("duration", "366d".to_owned());
        return Some(window.with("zone", "UTC".to_owned()).text("reason", "a freeze of GitLab that cannot be read"));
    };
    Some(window.with("startCron", quoted(&start)).with("endCron", quoted(&end)).with("zone", zone))
}
