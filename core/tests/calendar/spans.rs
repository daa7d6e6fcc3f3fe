//! Stretches of time without a gap, as people and calendar applications see them.

use davy::calendar::{Effect, Fold, Gap, Precedence, Span, Timing, Window};

use crate::{at, cron, exact, minutes, window, zone};

fn berlin(schedule: &str, length: &str) -> Window {
    let timing = Timing::new(cron(schedule), exact(length), zone("Europe/Berlin"), Gap::FirstAfter, Fold::Span);
    window("freeze", Effect::Deny, timing)
}

/// Those of a month and a half, seen from ever later: each edition holds the end of the one before.
fn stay_the_same(window: &Window) -> Vec<Span> {
    let until = at("2026-05-01T00:00:00Z");
    let first: Vec<Span> = window.spans(at("2026-03-16T00:00:00Z"), until).collect();
    let mut from = at("2026-03-16T00:00:00Z");
    while from < until {
        let seen: Vec<Span> = window.spans(from, until).collect();
        let expected: Vec<Span> = first.iter().copied().filter(|span| span.end > from).collect();
        assert_eq!(seen, expected, "{from}");
        from = from.plus(minutes(7 * 60 + 13));
    }
    first
}

#[test]
fn a_run_of_windows_has_one_beginning_wherever_one_looks_from() {
    // Touching, overlapping, apart, and across a change of the clock.
    let weeks = stay_the_same(&berlin("0 0 * * MON-FRI", "24h"));
    assert_eq!(weeks.first().map(|span| span.start), Some(at("2026-03-15T23:00:00Z")));
    assert_eq!(weeks.len(), 7);
    stay_the_same(&berlin("0 0 * * MON-FRI", "30h"));
    stay_the_same(&berlin("0 9 * * *", "8h"));
    stay_the_same(&berlin("0 */6 1-20 * *", "6h"));
    let bounded = Window { valid_from: Some(at("2026-03-18T12:00:00Z")), ..berlin("0 0 * * MON-FRI", "24h") };
    let weeks = stay_the_same(&bounded);
    assert_eq!(weeks.first().map(|span| span.start), Some(at("2026-03-18T12:00:00Z")));
}

#[test]
fn windows_of_argo_that_touch_stay_apart_by_their_first_instant() {
    let hours = Window { precedence: Precedence::ArgoCompat, ..berlin("0 * * * *", "1h") };
    let spans: Vec<Span> = hours.spans(at("2026-03-16T10:30:00Z"), at("2026-03-16T12:30:00Z")).collect();
    let starts: Vec<String> = spans.iter().map(|span| span.start.to_string()).collect();
    assert_eq!(starts, ["2026-03-16T10:00:00Z", "2026-03-16T11:00:00Z", "2026-03-16T12:00:00Z"]);
}

#[test]
fn a_run_that_has_gone_on_for_very_long_is_one_without_a_beginning() {
    let hours = berlin("0 * * * *", "1h");
    for from in ["2026-03-16T10:30:00Z", "2026-03-17T10:30:00Z"] {
        let spans: Vec<Span> = hours.spans(at(from), at("2026-04-16T00:00:00Z")).collect();
        let starts: Vec<String> = spans.iter().map(|span| span.start.to_string()).collect();
        assert_eq!(starts, ["1970-01-01T00:00:00Z"], "{from}");
    }
}
