//! Argo CD: the sync windows of an `AppProject`.
//!
//! Source: argoproj/argo-cd 37ee009, `pkg/apis/application/v1alpha1/types.go`, `SyncWindow`.

use davy::Duration;
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
    let (mut calendars, mut of_projects) = (Vec::new(), Vec::new());
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
        let read = |(place, node)| windows(node, place, &format!("{within}spec.syncWindows[{place}]"), &mut remarks);
        let windows: Vec<Window> = listed.iter().enumerate().flat_map(read).collect();
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
        of_projects.push((project, format!("{within}spec.syncWindows")));
    }
    if of_projects.len() > 1 {
        // There, windows of one project never speak of applications of another.
        let text = "is one of several: give a service the calendar of its own project alone, for all that a bundle holds apply";
        remarks.extend(of_projects.into_iter().map(|(project, path)| Remark::held(project, path, text)));
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

/// One window as one; two, or a freeze, where a pattern or a schedule has no exact equal: what comes of it never holds less.
fn windows(node: &Node, place: usize, path: &str, remarks: &mut Vec<Remark>) -> Vec<Window> {
    let kind = node.get("kind").filter(|kind| matches!(kind.scalar(), Some("allow" | "deny"))).and_then(Node::text);
    let Some(kind) = kind else { return Vec::new() };
    let selection = Selection::of(node);
    let Some(wide) = selection.wide() else {
        remarks.push(Remark::note(
            node,
            path,
            "selects nothing, so that it has no effect there either; it is left out",
        ));
        node.pass_over();
        return Vec::new();
    };
    let flag = |key: &str| node.get(key).and_then(Node::truth).unwrap_or_default();
    let (manual, overrun) = (flag("manualSync"), flag("syncOverrun"));
    let reason = node.get("description").and_then(Node::text).unwrap_or_default();
    let Some(When { cron, length, zone }) = When::of(node, path, remarks) else {
        let window = Window::new(&format!("unread-{}", place + 1), "deny")
            .with("cron", quoted("0 0 * * *"))
            .with("duration", "366d".to_owned())
            .with("zone", "UTC".to_owned())
            .with("selector", wide);
        return vec![window.text("reason", "a window of Argo CD that cannot be read")];
    };
    let window = |name: String, length: Duration, selector: String, flags: bool| {
        Window::new(&name, kind)
            .with("cron", quoted(&cron))
            .with("duration", length.to_string())
            .with("zone", zone.clone())
            .with("selector", selector)
            .flag("manual", manual && flags)
            .flag("overrun", overrun && flags)
            .text("reason", reason)
    };
    let name = format!("{kind}-{}", place + 1);
    let unclear = selection.unclear();
    for (key, pattern) in &unclear {
        let text = match kind {
            "deny" if manual || overrun => {
                "has characters that a pattern cannot tell apart here: it became wider, and lets nothing pass"
            }
            "deny" => "has characters that a pattern cannot tell apart here: it became wider",
            _ => {
                "has characters that a pattern cannot tell apart here: whatever it may fit has a window that never opens"
            }
        };
        remarks.push(Remark::held(pattern, format!("{path}.{key}"), text));
    }
    match (unclear.is_empty(), kind) {
        (true, _) => vec![window(name, length, wide, true)],
        // With `manual`, a wider one could let pass what a closed allow window holds.
        (false, "deny") => vec![window(name, length, wide, false)],
        // A wider allow window could open what its own holds, a narrower one would not hold what it should.
        (false, _) => {
            let never = window(format!("{name}-unclear"), Duration::ZERO, wide, true);
            let exact = selection.exact().map(|exact| window(name, length, exact, true));
            exact.into_iter().chain([never]).collect()
        }
    }
}

/// When a window is open.
struct When {
    cron: String,
    length: Duration,
    zone: String,
}

impl When {
    /// Nothing for what cannot be read, which is told.
    fn of(node: &Node, path: &str, remarks: &mut Vec<Remark>) -> Option<Self> {
        let text = |key: &str| node.get(key).and_then(Node::text);
        let unread = |key: &str, what: &str| {
            let text = format!(
                "is {what}: as Argo CD does with what it cannot read, the window denies every sync of what it selects"
            );
            Remark::held(node.get(key).unwrap_or(node), format!("{path}.{key}"), text)
        };
        let (schedule, duration) = (text("schedule").unwrap_or_default(), text("duration").unwrap_or_default());
        let given = text("timeZone").map(calendar::zone);
        if let (Some(place), Some(None)) = (node.get("timeZone"), &given) {
            let text = "is no time zone, which Argo CD takes for UTC";
            remarks.push(Remark::note(place, format!("{path}.timeZone"), text));
        }
        let given = given.flatten().unwrap_or_else(|| "UTC".to_owned());
        let (own, fields) = own_zone(schedule);
        let Some(cron) = argo_schedule(fields) else {
            remarks.push(unread("schedule", "no schedule that davy reads"));
            return None;
        };
        let Some(length) = argo_duration(duration) else {
            remarks.push(unread("duration", "no duration that Argo CD reads, of at most 366 days"));
            return None;
        };
        let zone = match own.map(calendar::zone) {
            None => given,
            Some(Some(own)) if ["UTC", "Etc/UTC"].contains(&given.as_str()) => {
                let text = "names a zone of its own, which became the window's: when its clock changes, a day may differ by an hour";
                remarks.push(Remark::held(node.get("schedule").unwrap_or(node), format!("{path}.schedule"), text));
                own
            }
            Some(Some(_)) => {
                remarks.push(unread("schedule", "in a zone of its own beside `timeZone`"));
                return None;
            }
            Some(None) => {
                remarks.push(unread("schedule", "in no time zone that davy knows"));
                return None;
            }
        };
        Some(Self { cron, length, zone })
    }
}

/// The zone that a schedule names before its fields, and the fields: what robfig's parser makes of `TZ=` and `CRON_TZ=`.
fn own_zone(schedule: &str) -> (Option<&str>, &str) {
    let named = schedule.strip_prefix("CRON_TZ=").or_else(|| schedule.strip_prefix("TZ="));
    match named.and_then(|rest| rest.split_once(' ')) {
        Some((zone, fields)) => (Some(zone), fields),
        None => (None, schedule),
    }
}

/// As it is: Argo CD reads no other dialect than davy.
fn argo_schedule(text: &str) -> Option<String> {
    let cron = text.parse::<davy::calendar::Cron>().ok().filter(|cron| !cron.is_descriptor());
    cron.map(|_| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Go knows no days.
fn argo_duration(text: &str) -> Option<Duration> {
    let length = go_duration(text).filter(|_| !text.contains('d') && text.trim() == text);
    length.filter(|length| Length::exact(*length).is_ok())
}

/// Whom a window concerns.
struct Selection<'a> {
    /// Whether all keys must fit, or any.
    all: bool,
    keys: Vec<Key<'a>>,
}

/// The patterns of a key that has any.
struct Key<'a> {
    there: &'static str,
    here: &'static str,
    /// Those that fit the same texts, and those that fit more.
    exact: Vec<String>,
    wider: Vec<String>,
    /// Of the wider ones, what they were.
    unclear: Vec<&'a Node>,
}

impl<'a> Selection<'a> {
    fn of(node: &'a Node) -> Self {
        let mut keys = Vec::new();
        for (there, here) in [("applications", "services"), ("clusters", "clusters"), ("namespaces", "namespaces")] {
            let Some(listed) = node.get(there) else { continue };
            let mut key = Key { there, here, exact: Vec::new(), wider: Vec::new(), unclear: Vec::new() };
            for pattern in listed.list().unwrap_or(std::slice::from_ref(listed)) {
                let (globs, exact) = pattern.text().map_or_else(anything, globs);
                if exact {
                    key.exact.extend(globs);
                } else {
                    key.wider.extend(globs);
                    key.unclear.push(pattern);
                }
            }
            if !(key.exact.is_empty() && key.wider.is_empty()) {
                keys.push(key);
            }
        }
        Self { all: node.get("andOperator").and_then(Node::truth).unwrap_or_default(), keys }
    }

    /// A selector that fits at least what this does there; nothing where that is nothing.
    fn wide(&self) -> Option<String> {
        self.written(|key| key.exact.iter().chain(&key.wider).cloned().collect())
    }

    /// A selector that fits nothing else than this does there.
    fn exact(&self) -> Option<String> {
        self.written(|key| key.exact.clone())
    }

    fn unclear(&self) -> Vec<(&'static str, &'a Node)> {
        self.keys.iter().flat_map(|key| key.unclear.iter().map(move |node| (key.there, *node))).collect()
    }

    fn written(&self, patterns: impl Fn(&Key<'a>) -> Vec<String>) -> Option<String> {
        let mut keys = Vec::new();
        for key in &self.keys {
            let patterns = patterns(key);
            match (patterns.is_empty(), self.all) {
                (false, _) => keys.push(format!("{}: {}", key.here, list(&patterns))),
                // Nothing fits all of them.
                (true, true) => return None,
                (true, false) => {}
            }
        }
        if keys.is_empty() {
            return None;
        }
        if keys.len() > 1 {
            keys.insert(0, if self.all { "match: all" } else { "match: any" }.to_owned());
        }
        Some(format!("{{ {} }}", keys.join(", ")))
    }
}

/// A pattern for what cannot be told apart here.
fn anything() -> (Vec<String>, bool) {
    (vec!["*".to_owned()], false)
}

/// What a pattern of Argo CD's (gobwas/glob) is as patterns of `*` and `?`, and whether they fit the same texts; they never
/// fit fewer.
fn globs(pattern: &str) -> (Vec<String>, bool) {
    let mut exact = true;
    // Alternatives multiply: each of what there is so far goes on with each of them.
    let mut found = vec![String::new()];
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let next: Vec<String> = match c {
            '{' => match rest.split_once('}') {
                Some((inner, after)) if !inner.contains(['{', '[', ']', '\\']) => {
                    rest = after;
                    inner.split(',').map(str::to_owned).collect()
                }
                _ => return anything(),
            },
            '[' => match rest.split_once(']') {
                Some((inner, after)) if !inner.is_empty() && !inner.contains(['[', '\\']) => {
                    rest = after;
                    exact = false;
                    vec!["?".to_owned()]
                }
                _ => return anything(),
            },
            '\\' => {
                let Some(escaped) = rest.chars().next() else { return anything() };
                rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                exact &= !['*', '?'].contains(&escaped);
                vec![escaped.to_string()]
            }
            ']' | '}' => return anything(),
            c => vec![c.to_string()],
        };
        if found.len() * next.len() > 64 {
            return anything();
        }
        found = found.iter().flat_map(|begin| next.iter().map(move |end| format!("{begin}{end}"))).collect();
    }
    // What has no name has none here either, and no pattern is empty.
    if found.iter().any(String::is_empty) { anything() } else { (found, exact) }
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
            // What is not sure to be read as there fits anything.
            ("{a,{b,c}}", &["*"], false),
            ("{[ab],c}", &["*"], false),
            ("a[]b]", &["*"], false),
            ("a[", &["*"], false),
            ("a}", &["*"], false),
            ("a\\", &["*"], false),
            ("{,a}", &["*"], false),
            ("https://kubernetes.default.svc", &["https://kubernetes.default.svc"], true),
            ("", &["*"], false),
        ] {
            assert_eq!(globs(pattern), (expected.iter().map(|text| (*text).to_owned()).collect(), exact), "{pattern}");
        }
        assert_eq!(globs(&"{a,b,c}".repeat(9)), (vec!["*".to_owned()], false));
    }
}
