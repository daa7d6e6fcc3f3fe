//! Argo CD: the sync windows of an `AppProject`.
//!
//! Source: argoproj/argo-cd 37ee009, `pkg/apis/application/v1alpha1/types.go`, `SyncWindow`.

use davy::calendar::Length;

use super::calendar::{self, Calendar, Window, list};
use super::text::{self, go_duration, quoted};
use super::tree::Node;
use super::{Becomes, Document, Files, Imported, Refused, Remark, pass_over_kubernetes};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) files: Files,
}

pub(super) fn import(documents: &[Document]) -> Result<Imported, Refused> {
    let mut remarks = Vec::new();
    let mut calendars = Vec::new();
    let mut names = text::Names::default();
    for (within, project) in projects(documents) {
        pass_over_kubernetes(project);
        let spec = project.get("spec");
        // Where applications come from and go to, and who may sync them, says nothing of when.
        for (_, node) in spec.into_iter().flat_map(Node::entries).filter(|(key, _)| *key != "syncWindows") {
            node.pass_over();
        }
        let name = project.at(&["metadata", "name"]).and_then(Node::text).unwrap_or("sync-windows");
        let listed = project.at(&["spec", "syncWindows"]).map_or(&[][..], Node::items);
        let read = |(place, node)| window(node, place, &format!("{within}spec.syncWindows[{place}]"), &mut remarks);
        let windows: Vec<Window> = listed.iter().enumerate().filter_map(read).collect();
        if windows.is_empty() {
            continue;
        }
        let comment = format!(
            "Imported from the AppProject {} of Argo CD. It decides as there, surprises included; `precedence: strict` instead is\nexact when clocks change. A service is an application there, and `manual` a sync by hand.",
            quoted(name)
        );
        let settings =
            "  scope: cluster                # as there, it needs no naming by a rollout\n  precedence: argoCompat\n";
        calendars.push(Calendar { comment, name: names.fresh(name), settings: settings.to_owned(), windows });
    }
    if calendars.is_empty() {
        return Err(Refused::Nothing { what: "sync window that can be imported" });
    }
    Ok(Imported { files: calendars.iter().map(Calendar::file).collect(), remarks, becomes: Becomes::Calendars })
}

/// The projects among the documents, those in lists as well, each with the path that it has there.
fn projects(documents: &[Document]) -> Vec<(String, &Node)> {
    let is_list = |node: &Node| node.get("kind").and_then(Node::scalar).is_some_and(|kind| kind.ends_with("List"));
    let mut found = Vec::new();
    for Document { root } in documents {
        if is_list(root) {
            pass_over_kubernetes(root);
            let items = root.get("items").map_or(&[][..], Node::items).iter().enumerate();
            found.extend(items.map(|(place, item)| (format!("items[{place}]."), item)));
        } else {
            found.push((String::new(), root));
        }
    }
    found.retain(|(_, node)| node.get("kind").and_then(Node::scalar) == Some("AppProject"));
    found
}

fn window(node: &Node, place: usize, path: &str, remarks: &mut Vec<Remark>) -> Option<Window> {
    let mut remark = |node: &Node, path: String, text: &str| {
        remarks.push(Remark { place: node.place(), path, text: text.to_owned() });
    };
    let kind = node.get("kind").filter(|kind| matches!(kind.scalar(), Some("allow" | "deny")))?.text()?;
    let schedule = node.get("schedule")?;
    let Some(cron) = schedule.scalar().filter(|text| !text.contains('=')).and_then(argo_schedule) else {
        let text =
            "is no schedule that Argo CD reads; it denies every sync of these applications, and the window is left out";
        remark(schedule, format!("{path}.schedule"), text);
        return None;
    };
    let duration = node.get("duration")?;
    let length = duration.scalar().and_then(go_duration).filter(|length| Length::exact(*length).is_ok());
    let Some(length) = length else {
        remark(duration, format!("{path}.duration"), "is no duration of at most 366 days, so the window is left out");
        return None;
    };
    let mut selector = Vec::new();
    for (key, own) in [("applications", "services"), ("clusters", "clusters"), ("namespaces", "namespaces")] {
        let Some(listed) = node.get(key) else { continue };
        let mut patterns = Vec::new();
        for pattern in listed.items() {
            let Some(text) = pattern.text() else { continue };
            let (globs, exact) = globs(text);
            if !exact {
                let text = "has characters that a pattern cannot tell apart here: it became wider";
                remark(pattern, format!("{path}.{key}"), text);
            }
            patterns.extend(globs);
        }
        if !patterns.is_empty() {
            selector.push(format!("{own}: {}", list(&patterns)));
        }
    }
    if selector.is_empty() {
        remark(node, path.to_owned(), "selects nothing, so that it has no effect there either; it is left out");
        node.pass_over();
        return None;
    }
    schedule.text();
    duration.text();
    let and = node.get("andOperator").and_then(Node::truth).unwrap_or_default();
    if selector.len() > 1 {
        selector.insert(0, if and { "match: all" } else { "match: any" }.to_owned());
    }
    let zone = node.get("timeZone").and_then(|zone| Some((zone, zone.text()?)));
    let known = zone.map_or(Some("UTC".to_owned()), |(_, name)| calendar::zone(name));
    if let (Some((node, _)), None) = (zone, &known) {
        remark(node, format!("{path}.timeZone"), "is no time zone, which Argo CD takes for UTC");
    }
    let flag = |key: &str| node.get(key).and_then(Node::truth).unwrap_or_default();
    let window = Window::new(&format!("{kind}-{}", place + 1), kind)
        .with("cron", quoted(&cron))
        .with("duration", length.to_string())
        .with("zone", known.unwrap_or_else(|| "UTC".to_owned()))
        .with("selector", format!("{{ {} }}", selector.join(", ")))
        .flag("manual", flag("manualSync"))
        .flag("overrun", flag("syncOverrun"));
    Some(match node.get("description").and_then(Node::text) {
        Some(text) => window.text("reason", text),
        None => window,
    })
}

/// As it is: Argo CD reads no other dialect than davy.
fn argo_schedule(text: &str) -> Option<String> {
    let cron = text.parse::<davy::calendar::Cron>().ok().filter(|cron| !cron.is_descriptor());
    cron.map(|_| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What a pattern of Argo CD's (gobwas/glob) is as patterns of `*` and `?`, and whether they fit the same texts.
fn globs(pattern: &str) -> (Vec<String>, bool) {
    let mut exact = true;
    // Alternatives multiply: each of what there is so far goes on with each of them.
    let mut found = vec![String::new()];
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        let next: Vec<String> = match c {
            '{' if rest.as_str().contains('}') => {
                let inner: String = rest.by_ref().take_while(|c| *c != '}').collect();
                exact &= !inner.contains(['{', '[', '\\']);
                inner.split(',').map(str::to_owned).collect()
            }
            '[' if rest.as_str().contains(']') => {
                rest.by_ref().find(|c| *c == ']');
                exact = false;
                vec!["?".to_owned()]
            }
            '\\' => {
                let escaped = rest.next().unwrap_or('\\');
                exact &= !['*', '?'].contains(&escaped);
                vec![escaped.to_string()]
            }
            c => vec![c.to_string()],
        };
        if found.len() * next.len() > 64 {
            return (vec!["*".to_owned()], false);
        }
        found = found.iter().flat_map(|begin| next.iter().map(move |end| format!("{begin}{end}"))).collect();
    }
    found.retain(|pattern| !pattern.is_empty());
    (found, exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_patterns_of_stars_and_question_marks() {
        for (pattern, expected, exact) in [
            ("*-prod", &["*-prod"][..], true),
            ("web-{eu,us}-*", &["web-eu-*", "web-us-*"], true),
            ("{a,b}{c,d}", &["ac", "ad", "bc", "bd"], true),
            ("web-[0-9]", &["web-?"], false),
            ("a\\{b", &["a{b"], true),
            ("a\\*", &["a*"], false),
            ("https://kubernetes.default.svc", &["https://kubernetes.default.svc"], true),
            ("", &[], true),
        ] {
            assert_eq!(globs(pattern), (expected.iter().map(|text| (*text).to_owned()).collect(), exact), "{pattern}");
        }
        assert_eq!(globs(&"{a,b,c}".repeat(9)), (vec!["*".to_owned()], false));
    }
}
