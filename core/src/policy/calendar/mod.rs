//! Calendars of a bundle, ready to be asked: windows with their selectors, and which environments they concern.

mod compile;
mod keys;
mod selector;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::compile::{Compiler, MOST_WINDOWS};
use self::selector::Selects;
pub use self::selector::{Concerns, Whom};
pub(crate) use self::sources::weekly_in;
use crate::bundle::{check_kind, scalar_at};
use crate::calendar::{CalendarError, Effect, Ics, Window};
use crate::document::decode::{Decode, Report};
use crate::document::diagnostic::{self, did_you_mean};
use crate::document::yaml::{self, Node};
use crate::document::{
    ApiVersion, BundleError, CalendarDocument, CalendarScope, CalendarWindow, Diagnostic, DiagnosticCode as Code,
    Position, Severity, Spanned, WindowKind,
};
use crate::{Name, Text};

/// The calendars and iCalendar files of a bundle as they were read.
#[derive(Debug, Default)]
pub(crate) struct CalendarDocuments {
    documents: Vec<CalendarDocument>,
    /// By path; nothing for a file that was refused.
    ics: BTreeMap<String, Option<Ics>>,
}

/// The windows of one environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CalendarPlan {
    /// By calendar and name.
    pub(crate) windows: Vec<Arc<PlannedWindow>>,
}

/// A window of a calendar, whom it concerns, and what people say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedWindow {
    pub(crate) calendar: Name,
    pub(crate) scope: CalendarScope,
    pub(crate) window: Window,
    pub(crate) reason: Option<Text>,
    pub(crate) owner: Option<Text>,
    pub(crate) ticket: Option<Text>,
    pub(crate) position: Position,
    selector: Selects,
}

/// Calendars of change windows and freezes: read, checked and compiled.
///
/// ```
/// let calendar = "
/// apiVersion: davy/v1
/// kind: Calendar
/// metadata: { name: office-hours }
/// spec:
///   zone: Europe/Berlin
///   selector: { everything: true }
///   windows:
///     - { name: weekdays, kind: allow, cron: '0 9 * * MON-FRI', duration: 8h }
/// ";
/// let calendars = davy::Calendars::from_files([("office-hours.yaml", calendar)])?;
/// let weekdays = calendars.windows().next().ok_or("no window")?;
/// let mut spans = weekdays.window().spans("2026-11-27T12:00:00Z".parse()?, "2026-12-04T00:00:00Z".parse()?);
/// assert_eq!(spans.next().map(|span| span.end.to_string()).as_deref(), Some("2026-11-27T16:00:00Z"));
/// assert_eq!(spans.next().map(|span| span.start.to_string()).as_deref(), Some("2026-11-30T08:00:00Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    known: BTreeMap<Name, Calendar>,
    /// Whether one was refused and is missing.
    broken: bool,
    warnings: Vec<Diagnostic>,
}

#[derive(Debug, Clone)]
struct Calendar {
    scope: CalendarScope,
    windows: Vec<Arc<PlannedWindow>>,
    position: Position,
}

impl PlannedWindow {
    /// The name of its calendar.
    #[must_use]
    pub fn calendar(&self) -> &Name {
        &self.calendar
    }

    /// Who decides its calendar.
    #[must_use]
    pub fn scope(&self) -> CalendarScope {
        self.scope
    }

    /// When it is open, and what that means.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Why it exists.
    #[must_use]
    pub fn reason(&self) -> Option<&Text> {
        self.reason.as_ref()
    }

    /// Who is responsible.
    #[must_use]
    pub fn owner(&self) -> Option<&Text> {
        self.owner.as_ref()
    }

    /// Where it was agreed.
    #[must_use]
    pub fn ticket(&self) -> Option<&Text> {
        self.ticket.as_ref()
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// `calendar/window`, as findings name it.
    #[must_use]
    pub fn id(&self) -> Name {
        let begin: String = self.calendar.as_str().chars().take(120).collect();
        let end: String = self.window.name.as_str().chars().take(130).collect();
        format!("{begin}/{end}").parse().unwrap_or_else(|_| self.window.name.clone())
    }

    /// Whether it concerns a change.
    #[must_use]
    pub fn concerns(&self, whom: Whom<'_>) -> Concerns {
        self.selector.concerns(whom)
    }
}

impl CalendarDocuments {
    /// The kind that is read here.
    pub(crate) const KIND: &str = "Calendar";

    /// Whether a path is that of an iCalendar file.
    pub(crate) fn is_ics(path: &str) -> bool {
        path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("ics"))
    }

    /// Reads a document.
    pub(crate) fn read(&mut self, node: &Node, report: &mut Report) {
        self.documents.extend(CalendarDocument::decode(node, report));
    }

    /// Reads an iCalendar file.
    pub(crate) fn read_ics(&mut self, path: &str, bytes: &[u8], report: &mut Report) {
        let ics = Ics::parse(bytes).map_err(|error| report_ics(path, &error, report)).ok();
        self.ics.insert(path.to_owned(), ics);
    }

    /// Checks and compiles every calendar, used or not.
    pub(crate) fn compile(&self, sound: bool, report: &mut Report) -> Calendars {
        let mut calendars = Calendars { broken: !sound, ..Calendars::default() };
        let mut zones = BTreeMap::new();
        let mut used = Vec::new();
        let mut left = MOST_WINDOWS;
        for document in &self.documents {
            let name = &document.metadata.value.name;
            if let Some(first) = calendars.known.get(&name.value) {
                let message =
                    format!("a second calendar is called `{}`; the first is in {}", name.value, first.position.file);
                report.error(Code::Name, &name.position, message, "rename one of them".to_owned());
                continue;
            }
            let spec = &document.spec.value;
            let before = report.diagnostics.len();
            let mut compiler = Compiler {
                documents: self,
                spec,
                name: &name.value,
                zones: &mut zones,
                used: &mut used,
                left: &mut left,
            };
            let windows = compiler.windows(report);
            // A warning leaves nothing out.
            let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
            calendars.broken |= report.diagnostics.iter().skip(before).any(is_error);
            let calendar = Calendar { scope: spec.scope(), windows, position: document.position.clone() };
            calendars.known.insert(name.value.clone(), calendar);
        }
        for path in self.ics.keys().filter(|path| sound && !used.contains(*path)) {
            let position = Position { file: path.as_str().into(), line: 1, column: 1 };
            report.warn(
                Code::LintUnusedCalendar,
                &position,
                "no window reads this file",
                "name it in a window's `ics`, or remove it",
            );
        }
        calendars
    }
}

impl Calendars {
    /// Reads calendars and the iCalendar files that they name, given as paths and contents.
    ///
    /// # Errors
    /// [`BundleError`] with everything that is wrong, not only the first thing.
    pub fn from_files<P: Into<String>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self, BundleError> {
        let mut files: Vec<(String, B)> = files.into_iter().map(|(path, bytes)| (path.into(), bytes)).collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut report = Report::default();
        let mut documents = CalendarDocuments::default();
        for (path, bytes) in &files {
            let bytes = bytes.as_ref();
            if CalendarDocuments::is_ics(path) {
                documents.read_ics(path, bytes, &mut report);
                continue;
            }
            let Some(node) = yaml::parse(&path.as_str().into(), bytes, &mut report) else { continue };
            if check_kind(&node, ApiVersion::V1.as_str(), &[CalendarDocuments::KIND], &mut report).is_none() {
                continue;
            }
            match scalar_at(&node, "kind") {
                Some(_) => documents.read(&node, &mut report),
                None => report.error(Code::MissingKey, &node.position, "the key `kind` is missing", None),
            }
        }
        if documents.documents.is_empty() && report.diagnostics.is_empty() {
            let file = files.first().map_or("calendars", |(path, _)| path.as_str());
            let position = Position { file: file.into(), line: 1, column: 1 };
            report.error(Code::DocumentCount, &position, "there is no calendar", None);
        }
        let sound = report.diagnostics.is_empty();
        let calendars = documents.compile(sound, &mut report);
        diagnostic::sort(&mut report.diagnostics);
        if report.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(BundleError::new(report.diagnostics));
        }
        Ok(Self { warnings: report.diagnostics, ..calendars })
    }

    /// Every window, by calendar, in the order of the documents.
    pub fn windows(&self) -> impl Iterator<Item = &PlannedWindow> {
        self.known.values().flat_map(|calendar| &calendar.windows).map(Arc::as_ref)
    }

    /// What probably does not do what its author expects, in the order of files and lines.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The windows of an environment: of the calendars that it names, and of those that need no naming.
    pub(crate) fn plan(
        &self,
        named: Option<&Spanned<Vec<Spanned<Name>>>>,
        report: &mut Report,
    ) -> Option<CalendarPlan> {
        let named: &[Spanned<Name>] = named.map_or(&[], |named| &named.value);
        for (index, name) in named.iter().enumerate() {
            if named.iter().take(index).any(|earlier| earlier.value == name.value) {
                let message = format!("the calendar `{}` stands twice", name.value);
                report.error(Code::Name, &name.position, message, "keep one of them".to_owned());
            } else if !self.known.contains_key(&name.value) && !self.broken {
                let known = self.known.keys().map(Name::as_str);
                let hint = did_you_mean(name.value.as_str(), known)
                    .unwrap_or_else(|| "put its `kind: Calendar` document into the bundle".to_owned());
                report.error(Code::Name, &name.position, format!("no calendar has the name `{}`", name.value), hint);
            }
        }
        let applies = |(name, calendar): &(&Name, &Calendar)| {
            calendar.scope != CalendarScope::Service || named.iter().any(|named| named.value == **name)
        };
        let applying: Vec<&Calendar> = self.known.iter().filter(applies).map(|(_, calendar)| calendar).collect();
        let windows = applying.iter().flat_map(|calendar| calendar.windows.iter().cloned()).collect();
        (!applying.is_empty()).then_some(CalendarPlan { windows })
    }

    /// Warns of calendars that nothing names.
    pub(crate) fn lint<'a>(&self, named: impl Iterator<Item = &'a Spanned<Name>> + Clone, report: &mut Report) {
        for (name, calendar) in &self.known {
            if calendar.scope == CalendarScope::Service && !named.clone().any(|named| named.value == *name) {
                let hint = "add it to the rollout's `calendars`, or give it `scope: organisation`";
                report.warn(
                    Code::LintUnusedCalendar,
                    &calendar.position,
                    format!("nothing names the calendar `{name}`"),
                    hint,
                );
            }
        }
    }
}

fn report_ics(path: &str, error: &CalendarError, report: &mut Report) {
    let (line, message) = match error {
        CalendarError::Ics { line, problem } => (*line, problem.clone()),
        other => (1, other.to_string()),
    };
    let position = Position { file: path.into(), line, column: 1 };
    report.error(Code::Ics, &position, message, "export the calendar again, or correct the file".to_owned());
}

fn effect(window: &CalendarWindow) -> Effect {
    match window.kind.value {
        WindowKind::Allow => Effect::Allow,
        WindowKind::Deny => Effect::Deny,
    }
}

fn not_empty<T>(list: &Spanned<Vec<T>>, key: &str, report: &mut Report) {
    if list.value.is_empty() {
        report.error(Code::Choice, &list.position, format!("`{key}` is empty"), "name at least one".to_owned());
    }
}
