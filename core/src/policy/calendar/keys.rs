//! Which keys of a window go together.

use crate::document::decode::Report;
use crate::document::{CalendarWindow, DiagnosticCode as Code, Position, PrecedenceRule, WindowKind};

/// Which keys go together.
pub(super) fn check(window: &CalendarWindow, precedence: PrecedenceRule, report: &mut Report) {
    let keys: Vec<(&str, &Position)> = [
        ("cron", window.cron.as_ref().map(|key| &key.position)),
        ("rrule", window.rrule.as_ref().map(|key| &key.position)),
        ("weekly", window.weekly.as_ref().map(|key| &key.position)),
        ("dates", window.dates.as_ref().map(|key| &key.position)),
        ("startCron", window.start_cron.as_ref().map(|key| &key.position)),
        ("ics", window.ics.as_ref().map(|key| &key.position)),
    ]
    .into_iter()
    .filter_map(|(key, position)| Some((key, position?)))
    .collect();
    let source = match keys.as_slice() {
        [] => {
            let hint = "add one of `cron`, `rrule`, `weekly`, `dates`, `startCron` and `ics`".to_owned();
            report.error(Code::Choice, &window.position, "the window does not say when it is open", hint);
            return;
        }
        [(source, _)] => *source,
        [(first, _), (second, position), ..] => {
            let message = format!("`{first}` and `{second}` exclude each other");
            report.error(Code::Choice, position, message, "make two windows of them".to_owned());
            return;
        }
    };
    let pair = (&window.start_cron, &window.end_cron);
    if let (Some(key), None) | (None, Some(key)) = pair {
        report.error(Code::Choice, &key.position, "`startCron` and `endCron` go together", None);
    }
    let used: &[&str] = match source {
        "cron" => &["duration", "durationMode"],
        "rrule" => &["start", "end", "rdate", "exdate", "duration", "durationMode"],
        _ => &[],
    };
    for (key, position) in [
        ("start", window.start.as_ref().map(|key| &key.position)),
        ("end", window.end.as_ref().map(|key| &key.position)),
        ("rdate", window.rdate.as_ref().map(|key| &key.position)),
        ("exdate", window.exdate.as_ref().map(|key| &key.position)),
        ("duration", window.duration.as_ref().map(|key| &key.position)),
        ("durationMode", window.duration_mode.as_ref().map(|key| &key.position)),
    ] {
        if let Some(position) = position.filter(|_| !used.contains(&key)) {
            report.error(Code::Unused, position, format!("`{key}` is not used with `{source}`"), None);
        }
    }
    if let Some(hard) = window.hard.as_ref().filter(|hard| hard.value) {
        if window.kind.value == WindowKind::Allow {
            report.error(Code::Unused, &hard.position, "only a deny can be hard", None);
        }
        for (key, position) in [
            ("manual", window.manual.as_ref().filter(|key| key.value).map(|key| &key.position)),
            ("overrun", window.overrun.as_ref().filter(|key| key.value).map(|key| &key.position)),
            ("exempt", window.exempt.as_ref().map(|key| &key.position)),
        ] {
            if let Some(position) = position {
                report.error(
                    Code::Unused,
                    position,
                    format!("nothing passes a hard freeze, so `{key}` has no effect"),
                    None,
                );
            }
        }
    }
    if precedence == PrecedenceRule::ArgoCompat {
        if let Some(cron) = window.cron.as_ref().filter(|cron| cron.value.is_descriptor()) {
            let hint = "write the five fields out".to_owned();
            report.error(Code::BadValue, &cron.position, format!("`{}` is not read by Argo CD", cron.value), hint);
        }
        let hint = "`precedence: strict` has it";
        let unknown = [
            (source, (source != "cron").then_some(&window.position)),
            ("gap", window.gap.as_ref().map(|key| &key.position)),
            ("fold", window.fold.as_ref().map(|key| &key.position)),
            ("durationMode", window.duration_mode.as_ref().map(|key| &key.position)),
            ("hard", window.hard.as_ref().map(|key| &key.position)),
        ];
        for (key, position) in unknown {
            if let Some(position) = position {
                report.error(Code::Unused, position, format!("windows of Argo CD have no `{key}`"), hint.to_owned());
            }
        }
    }
}
