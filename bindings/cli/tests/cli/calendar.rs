//! `davy calendar`: what people, programs and calendar applications see of change windows.

use davy::calendar::{Fold, Gap, Ics, Zone};
use serde_json::Value;

use crate::support::{Place, Ran};

const OFFICE: &str = "\
apiVersion: davy/v1
kind: Calendar
metadata: { name: office-hours }
spec:
  zone: Europe/Berlin
  owner: payments on-call
  selector: { everything: true }
  windows:
    - name: weekdays
      kind: allow
      weekly: [{ days: [mon, tue, wed, thu, fri], from: \"09:00\", until: \"17:00\" }]
      manual: true
      reason: somebody is there; to look, of course
";

const ORGANISATION: &str = "\
apiVersion: davy/v1
kind: Calendar
metadata: { name: organisation }
spec:
  scope: organisation
  zone: Europe/Berlin
  owner: release management
  windows:
    - name: black-friday
      kind: deny
      hard: true
      dates: [{ from: 2026-11-27T00:00, until: 2026-12-01T00:00 }]
      selector: { everything: true }
      ticket: CHG-1042
    - name: backups
      kind: deny
      cron: \"30 1 * * *\"
      duration: 2h
      selector: { clusters: [\"prod-*\"] }
      gates: [start]
";

/// Thursday, 26 November 2026, 11:00 in Berlin.
const NOW: [&str; 2] = ["--at", "2026-11-26T10:00:00Z"];

fn place() -> Place {
    let place = Place::new();
    place.write("calendars/office-hours.yaml", OFFICE);
    place.write("calendars/organisation.yaml", ORGANISATION);
    place
}

fn run(place: &Place, verb: &str, more: &[&str]) -> Ran {
    let now = if more.contains(&"--at") { &[] } else { &NOW[..] };
    place.run(&[&["calendar", verb, "calendars"], now, more].concat())
}

fn json(place: &Place, verb: &str, more: &[&str]) -> (i32, Value) {
    let ran = run(place, verb, &[&["--format", "json"], more].concat());
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err)))
}

#[test]
fn next_says_whether_a_change_may_go_on_and_when_that_turns() {
    let ran = run(&place(), "next", &["--cluster", "test-1", "--zone", "Europe/Berlin"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out,
        "\
from                         may it go on  why
Thu 2026-11-26 11:00 +01:00  yes           within `office-hours/weekdays` (somebody is there; to look, of course, owner payments on-call)
Thu 2026-11-26 17:00 +01:00  no            outside `office-hours/weekdays` (somebody is there; to look, of course, owner payments on-call)
Tue 2026-12-01 09:00 +01:00  yes           within `office-hours/weekdays` (somebody is there; to look, of course, owner payments on-call)
It turns at Tue 2026-12-01 17:00 +01:00.
"
    );
    // The end of a freeze is not the next opening, and a person passes the hours but not the freeze.
    let (code, stretches) = json(&place(), "next", &["--cluster", "test-1", "--at", "2026-11-27T10:00:00Z"]);
    assert_eq!(code, 3);
    assert_eq!(
        (&stretches[0]["ruling"], &stretches[1]["from"]),
        (&"hardFrozen".into(), &"2026-12-01T08:00:00Z".into())
    );
    let (code, stretches) =
        json(&place(), "next", &["--cluster", "test-1", "--manual", "--at", "2026-11-27T10:00:00Z"]);
    assert_eq!(
        (code, &stretches[1]["from"], &stretches[1]["ruling"]),
        (3, &"2026-11-30T23:00:00Z".into(), &"manual".into())
    );
    // Every turn up to an instant.
    let (_, stretches) = json(&place(), "next", &["--cluster", "test-1", "--until", "2026-12-03T00:00:00Z"]);
    let turns: Vec<(&str, bool)> = stretches
        .as_array()
        .unwrap()
        .iter()
        .map(|stretch| (stretch["from"].as_str().unwrap(), stretch["open"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        turns,
        [
            ("2026-11-26T10:00:00Z", true),
            ("2026-11-26T16:00:00Z", false),
            ("2026-12-01T08:00:00Z", true),
            ("2026-12-01T16:00:00Z", false),
            ("2026-12-02T08:00:00Z", true),
            ("2026-12-02T16:00:00Z", false)
        ]
    );
}

#[test]
fn what_is_not_known_holds_and_says_what_to_give() {
    let ran = run(&place(), "next", &[]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("11-26 10:00 UTC  unclear       within `office-hours"), "{}", ran.out);
    assert_eq!(
        ran.err,
        "davy: whether `organisation/backups` concerns the change is not known, which holds it: give `--cluster`\n"
    );
    // It gates nothing but the start.
    assert_eq!(run(&place(), "next", &["--asked", "advance"]).code, 0);
}

#[test]
fn explain_tells_of_every_window_what_it_does() {
    let ran = run(&place(), "explain", &["--cluster", "prod-1", "--at", "2026-11-27T01:00:00Z"]);
    assert_eq!(ran.code, 3);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(
        lines[0],
        "At Fri 2026-11-27 01:00 UTC the change is held: frozen without exceptions by `organisation/black-friday` (until \
         2026-11-30T23:00:00Z, owner release management, CHG-1042); it may go on at 2026-12-01T08:00:00Z"
    );
    let row = |name: &str| lines.iter().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{}", ran.out));
    assert!(row("organisation/black-friday").contains("deny, hard  in the way"), "{}", ran.out);
    assert!(row("organisation/backups").contains("deny        silent"), "{}", ran.out);
    assert!(row("organisation/backups").contains("Fri 2026-11-27 00:30 UTC … Fri 2026-11-27 02:30 UTC"), "{}", ran.out);
    let (_, explained) = json(&place(), "explain", &["--cluster", "prod-1", "--change-class", "security"]);
    assert_eq!((explained["windows"].as_array().unwrap().len(), explained["tzdb"].is_string()), (3, true));
}

#[test]
fn it_says_what_a_decision_finds() {
    let place = place();
    place.write(
        "calendars/rollouts.yaml",
        &crate::support::POLICY.replace("spec:\n", "spec:\n  calendars: [office-hours]\n"),
    );
    for (at, code) in [("2026-11-26T10:00:00Z", 0), ("2026-11-26T20:00:00Z", 3), ("2026-11-27T10:00:00Z", 3)] {
        let which = ["--at", at, "--cluster", "test-1"];
        let explained = place.run(&[&["calendar", "explain", "calendars", "--format", "json"], &which[..]].concat());
        assert_eq!(explained.code, code, "{at}: {}", explained.err);
        let explained: Value = serde_json::from_str(&explained.out).unwrap();
        let snapshot = format!(
            "{{\"now\":\"{at}\",\"asked\":\"start\",\"stage\":\"canary\",\"weight\":\"0%\",\"since\":\"{at}\",\"target\":{{\"cluster\":\"test-1\"}},\"release\":{{\"service\":\"checkout\",\"environment\":\"prod\",\"revision\":\"r2\",\"stable\":\"r1\",\"startedAt\":\"{at}\"}}}}"
        );
        place.write("snapshot.json", &snapshot);
        let decided =
            place.run(&["decide", "--policy", "calendars", "--snapshot", "snapshot.json", "--format", "json"]);
        let decided: Value =
            serde_json::from_str(&decided.out).unwrap_or_else(|error| panic!("{error}: {}", decided.err));
        let findings = decided["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["code"].as_str().unwrap().starts_with("calendar.")).unwrap();
        assert_eq!(found["facts"]["windows"], explained["windows"], "{at}");
        assert_eq!(found["facts"]["turns"], explained["turns"], "{at}");
    }
    let ran = place.run(&["calendar", "list", "calendars", "--environment", "nowhere"]);
    assert_eq!(ran.code, 0, "a policy for every environment: {}", ran.err);
}

#[test]
fn list_shows_the_coming_weeks() {
    let ran = run(&place(), "list", &["--until", "2026-11-28T00:00:00Z"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "\
from                            until                     kind        window                     why
since Thu 2026-11-26 08:00 UTC  Thu 2026-11-26 16:00 UTC  allow       office-hours/weekdays      somebody is there; to look, of course, owner payments on-call
Thu 2026-11-26 23:00 UTC        Mon 2026-11-30 23:00 UTC  deny, hard  organisation/black-friday  owner release management, CHG-1042
Fri 2026-11-27 00:30 UTC        Fri 2026-11-27 02:30 UTC  deny        organisation/backups       owner release management, may concern others alone: give `--cluster`
Fri 2026-11-27 08:00 UTC        Fri 2026-11-27 16:00 UTC  allow       office-hours/weekdays      somebody is there; to look, of course, owner payments on-call
"
    );
    let (_, listed) = json(&place(), "list", &["--kind", "deny", "--cluster", "test-1"]);
    let spans = listed["spans"].as_array().unwrap();
    assert_eq!(
        (spans.len(), &spans[0]["window"], &spans[0]["hard"]),
        (1, &"organisation/black-friday".into(), &true.into())
    );
    assert_eq!(listed["until"], "2026-12-24T10:00:00Z", "four weeks");
}

#[test]
fn an_exported_calendar_is_one_that_applications_read() {
    let exported = |at: &str| {
        let more = ["--at", at, "--until", "2027-02-01T00:00:00Z", "--format", "ics"];
        let ran = place().run(&[&["calendar", "list", "calendars"], &more[..]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ran.out
    };
    let text = exported("2026-11-26T10:00:00Z");
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{text}");
    assert!(text.contains("\r\nDTSTAMP:20261126T100000Z\r\n"), "{text}");
    let unfolded = text.replace("\r\n ", "");
    assert!(
        unfolded
            .contains("\r\nSUMMARY:Change window office-hours/weekdays: somebody is there\\; to look\\, of course\r\n"),
        "{text}"
    );
    let (_, listed) = json(&place(), "list", &["--until", "2027-02-01T00:00:00Z"]);
    let spans = listed["spans"].as_array().unwrap();
    let read = |text: &str| {
        let zone = Zone::new("Europe/Berlin").unwrap();
        Ics::parse(text.as_bytes()).unwrap().events(&zone, Gap::Shift, Fold::First).unwrap()
    };
    let events = read(&text);
    assert_eq!(events.len(), spans.len());
    for (event, span) in events.iter().zip(spans) {
        let start = span["start"].as_str().unwrap().parse().unwrap();
        let found = event.timing.active(start).unwrap();
        assert_eq!((found.start, found.end.to_string()), (start, span["end"].as_str().unwrap().to_owned()));
    }
    // Tomorrow's edition holds the same events under the same names.
    let later = read(&exported("2026-11-30T10:00:00Z"));
    let uids: Vec<&str> = events.iter().map(|event| event.uid.as_str()).collect();
    assert!(later.len() < events.len() && later.iter().all(|event| uids.contains(&event.uid.as_str())));
    let mut distinct = uids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), uids.len());
    // It is a source of windows itself.
    let place = Place::new();
    place.write("next/freezes.ics", &text);
    let calendar = "apiVersion: davy/v1\nkind: Calendar\nmetadata: { name: c }\nspec:\n  zone: UTC\n  selector: { everything: true }\n  windows: [{ name: w, kind: deny, ics: freezes.ics }]\n";
    place.write("next/c.yaml", calendar);
    let ran = place.run(&["calendar", "next", "next", "--at", "2026-11-28T12:00:00Z"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
}

#[test]
fn an_event_keeps_its_name_however_far_into_a_run_of_windows_one_looks() {
    let place = Place::new();
    let weeks = ORGANISATION
        .replace("cron: \"30 1 * * *\"", "cron: \"0 0 * * MON-FRI\"")
        .replace("duration: 2h", "duration: 24h");
    place.write("calendars/organisation.yaml", &weeks);
    let uids = |at: &str| {
        let more = ["--cluster", "prod-1", "--kind", "deny", "--format", "ics", "--until", "2026-12-12T00:00:00Z"];
        let ran = run(&place, "list", &[&["--at", at][..], &more].concat());
        let uids = ran.out.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned);
        uids.collect::<Vec<_>>()
    };
    let monday = uids("2026-12-07T12:00:00Z");
    assert_eq!((monday.len(), uids("2026-12-09T12:00:00Z")), (1, monday));
}

#[test]
fn a_policy_is_asked_about_its_own_service() {
    let place = place();
    place.write("calendars/rollouts.yaml", crate::support::POLICY);
    for verb in ["next", "explain", "list"] {
        let ran = run(&place, verb, &["--service", "search", "--cluster", "test-1"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{verb}");
        assert!(ran.err.contains("about the service `checkout`, not about `search`"), "{verb}: {}", ran.err);
    }
}

#[test]
fn a_list_that_would_be_too_long_is_refused_and_never_cut() {
    let place = Place::new();
    let minutes =
        ORGANISATION.replace("cron: \"30 1 * * *\"", "cron: \"* * * * *\"").replace("duration: 2h", "duration: 30s");
    place.write("calendars/organisation.yaml", &minutes);
    for verb in ["next", "list"] {
        let ran = run(&place, verb, &["--cluster", "prod-1", "--until", "2027-01-26T10:00:00Z"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{verb}");
        assert!(ran.err.contains("ask for an earlier end with `--until`"), "{verb}: {}", ran.err);
    }
}

#[test]
fn a_calendar_alone_finds_the_file_that_it_reads() {
    let place = Place::new();
    place.write("c/freezes.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261126T000000Z\r\nDURATION:P1D\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    place.write("c/a.yaml", "apiVersion: davy/v1\nkind: Calendar\nmetadata: { name: a }\nspec: { zone: UTC, selector: { everything: true }, windows: [{ name: w, kind: deny, ics: freezes.ics }] }\n");
    let ran = place.run(&["calendar", "next", "c/a.yaml", "--at", "2026-11-26T12:00:00Z"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
}

#[test]
fn what_has_no_end_is_cut_to_what_is_listed() {
    let place = Place::new();
    let calendar = ORGANISATION.replace("cron: \"30 1 * * *\"", "cron: \"* * * * *\"");
    place.write("calendars/organisation.yaml", &calendar);
    let ran = run(&place, "list", &["--cluster", "prod-1", "--format", "ics", "--until", "2026-11-27T00:00:00Z"]);
    assert!(ran.out.contains("\r\nDTSTART:20261126T100000Z\r\nDTEND:20261127T000000Z\r\n"), "{}", ran.out);
    let ran = run(&place, "list", &["--cluster", "prod-1", "--until", "2026-11-26T12:00:00Z"]);
    assert!(ran.out.contains("\nalways  for ever  deny  organisation/backups"), "{}", ran.out);
}

#[test]
fn bad_input_is_told() {
    let place = place();
    place.write("bad/c.yaml", &OFFICE.replace("Europe/Berlin", "Europe/Berlim"));
    for (args, code, expected) in [
        (&["calendar", "list"][..], 2, "<DIR|FILE>"),
        (&["calendar", "list", "nowhere"], 1, "cannot read `nowhere`"),
        (&["calendar", "list", "bad"], 1, "Europe/Berlin"),
        (&["calendar", "next", "calendars", "--at", "yesterday"], 2, "--at <INSTANT>"),
        (&["calendar", "next", "calendars", "--zone", "Mars"], 2, "--zone <ZONE>"),
        (
            &["calendar", "list", "calendars", "--at", "2026-11-26T10:00:00Z", "--until", "2026-11-26T10:00:00Z"],
            1,
            "not after",
        ),
        (
            &["calendar", "next", "calendars", "--at", "2026-11-26T10:00:00Z", "--until", "2026-11-25T10:00:00Z"],
            1,
            "not after",
        ),
        (
            &["calendar", "list", "calendars", "--at", "2026-11-26T10:00:00Z", "--until", "2028-11-26T10:00:00Z"],
            1,
            "366 days",
        ),
        (&["calendar", "explain", "calendars", "--label", "x"], 2, "KEY=VALUE"),
        (&["calendar", "explain", "calendars", "--asked", "rollback"], 2, "start, advance, promote"),
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
    }
}
