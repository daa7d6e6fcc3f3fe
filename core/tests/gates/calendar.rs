//! Change windows and freezes: what they hold, what passes them, what is said of them, and what they never touch.

use davy::calendar::{Ruling, TZDB_VERSION, Turn};
use davy::{
    AgendaError, AgendaTooLong, Asked, Bundle, Cause, ChangeStretch, ChangeWindow, Decision, Duration, Engine, Finding,
    HoldKind, Snapshot, Stage, State, Target, Verdict, WindowRole, WindowSpan,
};

use crate::support::*;

/// A calendar with these windows, in flow style.
fn calendar(name: &str, settings: &str, windows: &[&str]) -> (String, String) {
    let windows: Vec<String> = windows.iter().map(|window| format!("{{ {window} }}")).collect();
    let text = format!(
        "apiVersion: davy/v1\nkind: Calendar\nmetadata: {{ name: {name} }}\nspec: {{ {settings} windows: [{}] }}\n",
        windows.join(", ")
    );
    (format!("{name}.yaml"), text)
}

const BERLIN: &str = "zone: Europe/Berlin, selector: { everything: true },";

fn bundle_of(spec: &str, calendars: &[(String, String)]) -> Bundle {
    let rollout = ("rollouts.yaml".to_owned(), document(spec));
    Bundle::from_files(calendars.iter().cloned().chain([rollout])).unwrap_or_else(|error| panic!("{error}"))
}

/// One look under calendars that the rollout names.
fn under(calendars: &[(String, String)], asked: Asked, change: impl FnOnce(&mut Snapshot)) -> Decision {
    let names: Vec<&str> = calendars.iter().map(|(file, _)| file.trim_end_matches(".yaml")).collect();
    let engine = Engine::new(&bundle_of(&format!("calendars: [{}]", names.join(", ")), calendars));
    let mut seen = snapshot(asked);
    change(&mut seen);
    engine.decide(&State::new(), &seen).decision
}

fn windows(finding: &Finding) -> &[ChangeWindow] {
    match &finding.cause {
        Cause::CalendarOpen { windows, .. }
        | Cause::CalendarClosed { windows, .. }
        | Cause::CalendarHardFrozen { windows, .. } => windows,
        other => panic!("{other:?}"),
    }
}

fn turns(finding: &Finding) -> Turn {
    match &finding.cause {
        Cause::CalendarOpen { turns, .. }
        | Cause::CalendarClosed { turns, .. }
        | Cause::CalendarHardFrozen { turns, .. } => *turns,
        other => panic!("{other:?}"),
    }
}

// Monday, 23 November 2026, 09:00 UTC is 10:00 in Berlin.

const OFFICE: &str =
    "name: office, kind: allow, weekly: [{ days: [mon, tue, wed, thu, fri], from: \"09:00\", until: \"17:00\" }]";
const TODAY: &str = "name: today, kind: deny, dates: [{ from: 2026-11-23T09:00, until: 2026-11-23T12:00 }]";

#[test]
fn a_release_goes_on_within_a_window_and_is_told_until_when() {
    let decision = under(&[calendar("office-hours", BERLIN, &[OFFICE])], Asked::Start, |_| {});
    assert_eq!(said(&decision), "proceed");
    let open = finding(&decision, "calendar.open");
    assert_eq!(turns(open), Turn::At { at: at("16:00"), ruling: Ruling::Outside });
    let [window] = windows(open) else { panic!("one window") };
    assert_eq!((window.window.as_str(), window.role), ("office-hours/office", WindowRole::Allows));
    let span = window.open.unwrap();
    assert_eq!((span.start, span.end), (at("08:00"), at("16:00")));
    assert_eq!(davy::render::sentence(open), "within `office-hours/office`; that ends at 2026-11-23T16:00:00Z");
}

#[test]
fn outside_every_window_it_holds_until_the_next_opens_and_says_who_is_responsible() {
    let settings = format!("owner: release management, {BERLIN}");
    let office = format!("{OFFICE}, reason: people are there, ticket: CHG-7");
    let decision = under(&[calendar("office-hours", &settings, &[&office])], advance("25%"), |seen| {
        seen.now = at("16:00");
    });
    assert_eq!(said(&decision), "hold calendar.closed:office-hours/office");
    let hold = decision.hold.unwrap();
    let opens = "2026-11-24T08:00:00Z".parse().unwrap();
    assert_eq!((hold.kind, hold.until), (HoldKind::Blocked, Some(opens)));
    let closed = finding(&decision, "calendar.closed");
    assert_eq!(turns(closed), Turn::At { at: opens, ruling: Ruling::Within });
    assert_eq!(
        davy::render::sentence(closed),
        "outside `office-hours/office` (people are there, owner release management, CHG-7); it may go on at 2026-11-24T08:00:00Z"
    );
    assert_eq!(closed.source.as_ref().unwrap().to_string(), "office-hours.yaml:4:99");
}

#[test]
fn the_end_of_a_freeze_is_not_the_next_opening_while_no_window_is_open() {
    let late = "name: today, kind: deny, dates: [{ from: 2026-11-23T09:00, until: 2026-11-23T20:00 }]";
    let decision = under(&[calendar("c", BERLIN, &[OFFICE, late])], Asked::Start, |_| {});
    assert_eq!(said(&decision), "hold calendar.closed:c/today");
    assert_eq!(decision.hold.unwrap().until, Some("2026-11-24T08:00:00Z".parse().unwrap()));
}

#[test]
fn a_freeze_that_begins_mid_ramp_holds_the_ramp_where_it_is() {
    let midway = TODAY.replace("T09:00", "T10:20");
    let calendars = [calendar("freezes", BERLIN, &[&midway])];
    let names = "calendars: [freezes], steps: [{ weight: 5% }, { weight: 25% }, { weight: 50% }]";
    let engine = Engine::new(&bundle_of(names, &calendars));
    let mut seen = snapshot(advance("25%"));
    seen.now = at("09:10");
    let new = State::new();
    let first = engine.decide(&new, &seen);
    assert_eq!(said(&first.decision), "proceed");
    let mut later = Snapshot { asked: advance("50%"), weight: share("25%"), ..seen.clone() };
    (later.now, later.since) = (at("09:20"), at("09:10"));
    let second = engine.decide(&first.state, &later);
    assert_eq!(said(&second.decision), "hold calendar.closed:freezes/today");
    assert_eq!((second.decision.weight, second.decision.hold.unwrap().until), (share("25%"), Some(at("11:00"))));
    // Watching it goes on.
    let mut watching = Snapshot { asked: Asked::Keep, ..later.clone() };
    watching.now = at("09:30");
    let kept = engine.decide(&second.state, &watching);
    assert_eq!(said(&kept.decision), "proceed");
}

#[test]
fn a_freeze_never_blocks_an_abort_or_a_rollback() {
    let always = "name: always, kind: deny, hard: true, cron: \"* * * * *\", duration: 1h";
    let calendars = [calendar("freezes", BERLIN, &[always])];
    let spec = format!("calendars: [freezes], {}", threshold(&[ERRORS]));
    let engine = Engine::new(&bundle_of(&spec, &calendars));
    for (stage, asked, verdict) in [
        (Stage::Canary, Asked::Promote, Verdict::Abort),
        (Stage::Canary, Asked::Keep, Verdict::Abort),
        (Stage::Live, Asked::Keep, Verdict::Rollback),
    ] {
        let seen = Snapshot {
            now: at("09:30"),
            stage,
            intervals: vec![interval(30, [canary("errors", counts(9, 100))])],
            ..snapshot(asked)
        };
        let decision = engine.decide(&State::new(), &seen).decision;
        assert_eq!(decision.verdict, verdict, "{decision}");
    }
}

#[test]
fn windows_gate_what_they_name() {
    let gated = |gates: &str, asked: Asked| {
        let window = format!("{TODAY}, gates: [{gates}]");
        let decision = under(&[calendar("c", BERLIN, &[&window])], asked, |seen| {
            seen.weight = if asked == Asked::Start { share("0%") } else { share("5%") };
        });
        said(&decision) == "hold calendar.closed:c/today"
    };
    let moments = [("start", Asked::Start), ("advance", advance("25%")), ("promote", Asked::Promote)];
    for (gate, _) in moments {
        let held: Vec<bool> = moments.iter().map(|(_, asked)| gated(gate, *asked)).collect();
        let named: Vec<bool> = moments.iter().map(|(name, _)| *name == gate).collect();
        assert_eq!(held, named, "{gate}");
    }
    assert!(!gated("start, advance, promote", Asked::Keep));
}

#[test]
fn a_person_a_class_and_a_release_under_way_pass_where_the_window_lets_them() {
    let look = |flags: &str, change: fn(&mut Snapshot)| {
        let window = format!("{TODAY}{flags}");
        under(&[calendar("c", BERLIN, &[&window])], advance("25%"), change)
    };
    let by_hand = |seen: &mut Snapshot| seen.manual = true;
    let secure = |seen: &mut Snapshot| seen.release.change_class = Some(name("security"));
    let under_way = |seen: &mut Snapshot| seen.release.started_at = at("07:30");
    for (flag, change) in [
        (", manual: true", by_hand as fn(&mut Snapshot)),
        (", exempt: [security]", secure),
        (", overrun: true", under_way),
    ] {
        assert_eq!(said(&look(flag, change)), "proceed", "{flag}");
        assert_eq!(said(&look("", change)), "hold calendar.closed:c/today", "{flag}");
        assert_eq!(said(&look(flag, |_| {})), "hold calendar.closed:c/today", "{flag}");
    }
    let exempt = look(", exempt: [security]", secure);
    assert_eq!(windows(finding(&exempt, "calendar.open"))[0].role, WindowRole::Exempts);
}

#[test]
fn calendars_of_the_organisation_the_cluster_and_the_service_are_one_and_deny_wins() {
    let organisation = calendar("org", &format!("scope: organisation, {BERLIN}"), &[TODAY]);
    let cluster = calendar("eu1", &format!("scope: cluster, {BERLIN}"), &[&OFFICE.replace("09:00", "06:00")]);
    let service = calendar("shop", BERLIN, &[OFFICE]);
    let decide = |spec: &str, calendars: &[(String, String)], clock: &str| {
        let engine = Engine::new(&bundle_of(spec, calendars));
        let mut seen = Snapshot { now: at(clock), since: at(clock), ..snapshot(Asked::Start) };
        seen.release.started_at = at(clock);
        said(&engine.decide(&State::new(), &seen).decision)
    };
    let all = [organisation.clone(), cluster.clone(), service.clone()];
    // The freeze of the organisation wins over every allow window, named or not.
    assert_eq!(decide("calendars: [shop]", &all, "09:00"), "hold calendar.closed:org/today");
    // An allow window of any calendar suffices once no freeze is on.
    assert_eq!(decide("calendars: [shop]", &all, "11:30"), "proceed");
    assert_eq!(decide("calendars: [shop]", &all, "15:30"), "proceed");
    assert_eq!(decide("calendars: [shop]", &[cluster.clone(), service.clone()], "05:30"), "proceed");
    // Calendars of a service apply where they are named.
    assert_eq!(
        decide("calendars: [shop]", std::slice::from_ref(&service), "16:30"),
        "hold calendar.closed:shop/office"
    );
    assert_eq!(decide("", &[service], "16:30"), "proceed");
}

#[test]
fn environments_refine_which_calendars_apply() {
    let calendars = [calendar("a", BERLIN, &[TODAY]), calendar("b", BERLIN, &[OFFICE])];
    let spec = "calendars: [a], environments: { staging: { calendars: [] }, prod: {}, canary: { calendars: [b] } }";
    let engine = Engine::new(&bundle_of(spec, &calendars));
    for (environment, expected) in
        [("staging", "proceed"), ("prod", "hold calendar.closed:a/today"), ("canary", "proceed")]
    {
        let mut seen = snapshot(Asked::Start);
        seen.release.environment = name(environment);
        assert_eq!(said(&engine.decide(&State::new(), &seen).decision), expected, "{environment}");
    }
}

#[test]
fn selectors_combine_by_all_or_any_and_hold_blind_on_what_is_not_known() {
    let look = |selector: &str, target: Target| {
        let settings = format!("zone: Europe/Berlin, selector: {{ {selector} }},");
        said(&under(&[calendar("c", &settings, &[TODAY])], Asked::Start, |seen| seen.target = target))
    };
    let eu = || Target { cluster: Some(text("eu-1")), namespace: Some(name("shop")), ..Target::default() };
    let labelled = |tier: &str| Target { labels: Some([(name("tier"), text(tier))].into()), ..Target::default() };
    let (frozen, blind) = ("hold calendar.closed:c/today", "hold calendar.target-unknown:c/today");
    for (selector, target, expected) in [
        ("services: [check*]", Target::default(), frozen),
        ("services: [search]", Target::default(), "proceed"),
        ("services: [search, \"*out\"]", Target::default(), frozen),
        ("environments: [prod], clusters: [\"eu-?\"]", eu(), frozen),
        ("environments: [prod], clusters: [us-*]", eu(), "proceed"),
        ("environments: [prod], clusters: [us-*], match: any", eu(), frozen),
        ("environments: [staging], clusters: [us-*], match: any", eu(), "proceed"),
        // What is not known holds, unless the rest decides.
        ("clusters: [eu-*]", Target::default(), blind),
        ("namespaces: [shop]", Target::default(), blind),
        ("namespaces: [shop]", eu(), frozen),
        ("environments: [staging], clusters: [eu-*]", Target::default(), "proceed"),
        ("environments: [prod], clusters: [eu-*], match: any", Target::default(), frozen),
        ("environments: [staging], clusters: [eu-*], match: any", Target::default(), blind),
        ("labels: { tier: gold }", labelled("gold"), frozen),
        ("labels: { tier: gold }", labelled("lead"), "proceed"),
        ("labels: { team: \"*\" }", labelled("gold"), "proceed"),
        ("labels: { tier: gold }", Target::default(), blind),
    ] {
        assert_eq!(look(selector, target.clone()), expected, "{selector} {target:?}");
    }
}

#[test]
fn an_override_passes_a_freeze_and_a_hard_one_only_by_name() {
    let look = |flags: &str, waived: &str| {
        let window = format!("{TODAY}{flags}");
        said(&under(&[calendar("c", BERLIN, &[&window])], Asked::Start, |seen| seen.overrides = vec![waive(&[waived])]))
    };
    assert_eq!(look("", "calendar.closed"), "proceed");
    assert_eq!(look("", "calendar.closed:c/today"), "proceed");
    assert_eq!(look(", hard: true", "calendar.closed"), "hold calendar.hard-frozen:c/today");
    assert_eq!(look(", hard: true", "calendar.hard-frozen"), "proceed");
}

#[test]
fn an_icalendar_file_is_a_source_of_freezes() {
    let events = "BEGIN:VCALENDAR\r\nX-WR-TIMEZONE:Europe/Berlin\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Year end\\, all of it\r\n\
        DTSTART;VALUE=DATE:20261121\r\nDTEND;VALUE=DATE:20261124\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let file = ("freezes.ics".to_owned(), events.to_owned());
    let calendar = calendar("c", BERLIN, &["name: year-end, kind: deny, ics: freezes.ics"]);
    let engine = Engine::new(&bundle_of("calendars: [c]", &[calendar, file]));
    let decision = engine.decide(&State::new(), &snapshot(Asked::Start)).decision;
    assert_eq!(said(&decision), "hold calendar.closed:c/year-end/1");
    assert_eq!(decision.hold.unwrap().until, Some(at("23:00")));
    let sentence = davy::render::sentence(finding(&decision, "calendar.closed"));
    assert_eq!(
        sentence,
        "frozen by `c/year-end/1` (until 2026-11-23T23:00:00Z, Year end, all of it); it may go on at 2026-11-23T23:00:00Z"
    );
}

#[test]
fn a_warning_about_a_calendar_does_not_hide_that_another_is_not_there() {
    let never = calendar("c", BERLIN, &["name: never, kind: deny, cron: \"0 0 30 2 *\", duration: 1h"]);
    let rollout = ("rollouts.yaml".to_owned(), document("calendars: [c, offcie-hours]"));
    let error = Bundle::from_files([never, rollout]).unwrap_err();
    let messages: Vec<&str> = error.diagnostics().iter().map(|it| it.message.as_str()).collect();
    assert!(messages.contains(&"no calendar has the name `offcie-hours`"), "{messages:?}");
}

#[test]
fn an_icalendar_file_without_events_allows_nothing_and_freezes_nothing() {
    let cancelled = "BEGIN:VEVENT\r\nUID:1\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20261121\r\n\
        DTEND;VALUE=DATE:20261124\r\nEND:VEVENT\r\n";
    for events in ["", cancelled] {
        for (kind, expected) in [("allow", "hold calendar.closed:c/w"), ("deny", "proceed")] {
            let file = ("events.ics".to_owned(), format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n"));
            let calendar = calendar("c", BERLIN, &[&format!("name: w, kind: {kind}, ics: events.ics")]);
            let bundle = bundle_of("calendars: [c]", &[calendar, file]);
            assert!(bundle.warnings().iter().any(|warning| warning.code.as_str() == "L015"), "{kind}");
            let decision = Engine::new(&bundle).decide(&State::new(), &snapshot(Asked::Start)).decision;
            assert_eq!(said(&decision), expected, "{kind} {events:?}");
        }
    }
}

#[test]
fn the_record_holds_the_zone_database_and_the_instants_of_every_window_and_replays() {
    let engine = Engine::new(&bundle_of("calendars: [c]", &[calendar("c", BERLIN, &[OFFICE, TODAY])]));
    let (state, seen) = (
        State::new(),
        Snapshot {
            target: Target { cluster: Some(text("eu-1")), ..Target::default() },
            manual: true,
            ..snapshot(Asked::Start)
        },
    );
    let record = engine.decide(&state, &seen).seal().unwrap();
    let json: serde_json::Value = serde_json::from_slice(record.bytes()).unwrap();
    let facts = &json["decision"]["findings"][0]["facts"];
    assert_eq!(facts["tzdb"], TZDB_VERSION);
    assert_eq!(facts["windows"][1]["open"]["start"], "2026-11-23T08:00:00Z");
    assert_eq!(facts["windows"][1]["open"]["end"], "2026-11-23T11:00:00Z");
    let read = davy::Record::from_bytes(record.bytes()).unwrap();
    read.replay(&engine, &state, &seen).unwrap();
    // What selects windows is one of the inputs.
    let elsewhere = Snapshot { target: Target::default(), ..seen.clone() };
    assert!(read.replay(&engine, &state, &elsewhere).is_err());
    assert!(read.replay(&engine, &state, &Snapshot { manual: false, ..seen }).is_err());
}

#[test]
fn a_list_that_would_be_too_long_is_refused_and_never_cut() {
    let window = "name: half-minutes, kind: deny, cron: \"* * * * *\", duration: 30s";
    let engine = Engine::new(&bundle_of("calendars: [c]", &[calendar("c", BERLIN, &[window])]));
    let seen = snapshot(Asked::Start);
    let (moment, minutes) = (Duration::from_millis(1), |count| seen.now.plus(Duration::from_minutes(count)));
    // Two turns and one window a minute.
    let turns = engine.next_windows(&seen, Some(minutes(5000))).unwrap();
    assert_eq!((turns.len(), ChangeStretch::MOST), (10_000, 10_000));
    let refused = engine.next_windows(&seen, Some(minutes(5000).plus(moment))).unwrap_err();
    assert_eq!(refused, AgendaError::TooLong(AgendaTooLong { most: 10_000 }));
    let spans = engine.list_windows(&seen, minutes(20_000)).unwrap();
    assert_eq!((spans.len(), WindowSpan::MOST), (20_000, 20_000));
    let refused = engine.list_windows(&seen, minutes(20_000).plus(moment)).unwrap_err();
    assert_eq!(refused, AgendaError::TooLong(AgendaTooLong { most: 20_000 }));
}

#[test]
fn windows_of_a_service_or_an_environment_that_the_policy_does_not_know_are_an_error_and_not_open() {
    let engine =
        Engine::new(&bundle_of("environments: { prod: { calendars: [c] } }", &[calendar("c", BERLIN, &[TODAY])]));
    let errors = |seen: &Snapshot| {
        let until = seen.now.plus(Duration::from_minutes(60));
        [
            engine.explain_windows(seen).map(drop),
            engine.next_windows(seen, None).map(drop),
            engine.list_windows(seen, until).map(drop),
        ]
    };
    for asked in [Asked::Start, Asked::Keep] {
        let known = snapshot(asked);
        assert_eq!(errors(&known), [Ok(()), Ok(()), Ok(())]);
        let mut elsewhere = known.clone();
        elsewhere.release.environment = name("attic");
        let unknown = AgendaError::UnknownEnvironment { environment: name("attic") };
        assert_eq!(errors(&elsewhere), [(); 3].map(|()| Err(unknown.clone())));
        let mut other = known.clone();
        other.release.service = name("search");
        let unknown = AgendaError::UnknownService { service: name("search"), expected: known.release.service };
        assert_eq!(errors(&other), [(); 3].map(|()| Err(unknown.clone())));
    }
}

#[test]
fn what_one_precedence_lets_pass_is_not_said_to_be_in_the_way_when_the_other_holds() {
    let ours = calendar("ours", BERLIN, &[&format!("{TODAY}, manual: true")]);
    let settings = "zone: UTC, precedence: argoCompat, selector: { everything: true },";
    let freeze = calendar("theirs", settings, &["name: nightly, kind: deny, cron: \"0 7 * * *\", duration: 5h"]);
    let closed = calendar("theirs", settings, &["name: night, kind: allow, cron: \"0 22 * * *\", duration: 5h"]);
    let look = |theirs: &(String, String)| {
        let decision = under(&[ours.clone(), theirs.clone()], Asked::Start, |seen| seen.manual = true);
        let found = finding(&decision, "calendar.closed");
        let roles: Vec<WindowRole> = windows(found).iter().map(|window| window.role).collect();
        (said(&decision), roles, davy::render::sentence(found))
    };
    let (held, roles, why) = look(&freeze);
    assert_eq!(
        (held.as_str(), roles),
        ("hold calendar.closed:theirs/nightly", vec![WindowRole::Silent, WindowRole::Blocks])
    );
    assert!(why.starts_with("frozen by `theirs/nightly` (until 2026-11-23T12:00:00Z)"), "{why}");
    let (held, roles, why) = look(&closed);
    assert_eq!(
        (held.as_str(), roles),
        ("hold calendar.closed:theirs/night", vec![WindowRole::Silent, WindowRole::Blocks])
    );
    assert!(why.starts_with("outside `theirs/night`"), "{why}");
}
