//! `davy import` of change windows: what comes in decides as there, and what has no equal is named.

use crate::support::{Place, Ran};

const PROJECTS: &str = include_str!("../data/import/projects.yaml");
const PERIODS: &str = include_str!("../data/import/freeze_periods.json");
const PIPELINE: &str = include_str!("../data/import/pipeline.json");

fn import(place: &Place, format: &str, text: &str, more: &[&str]) -> Ran {
    place.write("in", text);
    place.run(&[&["import", format, "in", "--out", "calendars"], more].concat())
}

fn notes(ran: &Ran, expected: &[&str]) {
    let found: Vec<&str> = ran.err.lines().collect();
    assert_eq!(found, expected, "{}", ran.out);
}

/// Whether a change may begin.
fn may(place: &Place, at: &str, more: &[&str]) -> bool {
    let ran = place.run(&[&["calendar", "next", "calendars", "--at", at], more].concat());
    assert!([0, 3].contains(&ran.code) && ran.err.is_empty(), "{}{}", ran.out, ran.err);
    ran.code == 0
}

#[test]
fn sync_windows_of_argo_cd_decide_as_there() {
    let place = Place::new();
    let ran = import(&place, "argocd", PROJECTS, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    notes(
        &ran,
        &[
            "davy: in:38:41: `items[0].spec.syncWindows[2].applications` has characters that a pattern cannot tell apart here: it became wider",
            "davy: in:39:21: `items[0].spec.syncWindows[2].timeZone` is no time zone, which Argo CD takes for UTC",
            "davy: in:40:11: `items[0].spec.syncWindows[3]` selects nothing, so that it has no effect there either; it is left out",
            "davy: in:44:21: `items[0].spec.syncWindows[4].schedule` is no schedule that davy reads: as Argo CD does with what it cannot read, the window denies every sync of what it selects",
            "davy: in:47:11: `items[0].spec.syncWindows[5]` has no equal",
        ],
    );
    assert_eq!(
        place.read("calendars/payments.yaml"),
        "\
# Imported from the AppProject \"payments\" of Argo CD. It decides as there, surprises included; `precedence: strict` instead is
# exact when clocks change. A service is an application there, and `manual` a sync by hand.
apiVersion: davy/v1
kind: Calendar
metadata: { name: payments }
spec:
  scope: cluster                # as there, it needs no naming by a rollout
  precedence: argoCompat
  windows:
    - name: allow-1
      kind: allow
      cron: \"0 9 * * 1-5\"
      duration: 8h
      zone: Europe/Berlin
      selector: { services: [\"*-prod\"] }
      manual: true
    - name: deny-2
      kind: deny
      cron: \"0 22 * * *\"
      duration: 1h30m
      zone: UTC
      selector: { match: all, clusters: [\"in-cluster\", \"https://10.0.0.1\"], namespaces: [\"default\"] }
      overrun: true
      reason: \"Nightly backups, see CHG-7\"
    - name: deny-3
      kind: deny
      cron: \"0 0 * * 0\"
      duration: 1d
      zone: UTC
      selector: { services: [\"web-eu\", \"web-us\", \"api-?\"] }
    - name: unread-5
      kind: deny
      cron: \"0 0 * * *\"
      duration: 366d
      zone: UTC
      selector: { services: [\"legacy-*\"] }
      reason: \"a window of Argo CD that cannot be read\"
"
    );
    let of = |service: &'static str| ["--service", service, "--cluster", "in-cluster", "--namespace", "default"];
    // A Thursday; ten in the evening is a time of backups.
    for (service, at, expected) in [
        ("shop-prod", "2026-11-26T10:00:00Z", true),
        ("shop-prod", "2026-11-26T17:00:00Z", false),
        ("other", "2026-11-26T17:00:00Z", true),
        ("other", "2026-11-26T22:30:00Z", false),
        ("web-eu", "2026-11-29T12:00:00Z", false),
        ("web-asia", "2026-11-29T12:00:00Z", true),
        ("legacy-1", "2026-11-26T10:00:00Z", false),
        ("legacy-1", "2026-11-26T00:00:00Z", false),
    ] {
        assert_eq!(may(&place, at, &of(service)), expected, "{service} {at}");
    }
    assert!(may(&place, "2026-11-26T17:00:00Z", &[&of("shop-prod")[..], &["--manual"]].concat()));
    // Argo's first instant is not in the window.
    assert!(!may(&place, "2026-11-26T08:00:00Z", &of("shop-prod")));
}

/// One project with one window.
fn project(window: &str) -> String {
    format!("kind: AppProject\nmetadata: {{ name: p }}\nspec: {{ syncWindows: [{{ {window} }}] }}\n")
}

const ALWAYS: &str = "schedule: '* * * * *', duration: 1h";

#[test]
fn a_deny_window_of_argo_cd_holds_at_least_what_it_held() {
    // Applications that it denied there.
    for (window, service) in [
        ("applications: ['{a,{b,c}}']", "b"),
        ("applications: ['{[ab],c}-x']", "a-x"),
        ("applications: ['a[^b]']", "ac"),
        ("applications: ['web-[0-9]']", "web-7"),
        ("applications: 'web-*'", "web-7"),
        ("applications: ['x'], clusters: ['in-[a-z]luster']", "other"),
        ("applications: ['o*'], clusters: ['in-[a-z]luster'], andOperator: true", "other"),
    ] {
        let place = Place::new();
        let ran = import(&place, "argocd", &project(&format!("kind: deny, {ALWAYS}, {window}")), &[]);
        assert_eq!(ran.code, 0, "{window}: {}", ran.err);
        let of = ["--service", service, "--cluster", "in-cluster"];
        assert!(!may(&place, "2026-11-26T10:00:30Z", &of), "{window}");
    }
    // A wider one lets nothing pass: where an allow window is closed, that would open it.
    let place = Place::new();
    let windows = format!(
        "kind: deny, {ALWAYS}, applications: ['web-[0-9]'], manualSync: true }}, {{ kind: allow, schedule: '0 22 * * *', duration: 1h, applications: ['*']"
    );
    assert_eq!(import(&place, "argocd", &project(&windows), &[]).code, 0);
    assert!(!may(&place, "2026-11-26T10:00:30Z", &["--service", "web-x", "--manual"]));
}

#[test]
fn what_argo_cd_cannot_read_denies_here_as_there() {
    for window in [
        "kind: deny, schedule: '@daily', duration: 1h",
        "kind: allow, schedule: '0 0 * * 7', duration: 24h",
        "kind: allow, schedule: '* * * * *', duration: 1d",
        "kind: allow, schedule: '* * * * *'",
        "kind: deny, duration: 1h",
        "kind: allow, schedule: 'TZ=Mars/Olympus * * * * *', duration: 1h",
        "kind: allow, schedule: 'TZ=Europe/Berlin * * * * *', duration: 1h, timeZone: Asia/Tokyo",
    ] {
        let place = Place::new();
        let text = project(&format!("{window}, applications: ['a']"));
        let ran = import(&place, "argocd", &text, &[]);
        assert!(ran.code == 0 && ran.err.contains("denies every sync"), "{window}: {}", ran.err);
        assert!(!may(&place, "2026-11-26T10:00:30Z", &["--service", "a"]), "{window}");
        assert!(may(&place, "2026-11-26T10:00:30Z", &["--service", "b"]), "{window}");
        assert_eq!(import(&Place::new(), "argocd", &text, &["--strict"]).code, 1, "{window}");
    }
}

#[test]
fn a_zone_before_the_schedule_is_the_windows() {
    let place = Place::new();
    let window =
        "kind: deny, schedule: 'CRON_TZ=Asia/Tokyo 0 9 * * *', duration: 1h, applications: ['a'], timeZone: UTC";
    let ran = import(&place, "argocd", &project(window), &[]);
    assert!(ran.code == 0 && ran.err.contains("names a zone of its own"), "{}", ran.err);
    assert!(!may(&place, "2026-11-26T00:30:00Z", &["--service", "a"]));
    assert!(may(&place, "2026-11-26T09:30:00Z", &["--service", "a"]));
}

#[test]
fn an_allow_window_of_argo_cd_opens_at_most_what_it_opened() {
    let place = Place::new();
    let text = project(&format!("kind: allow, {ALWAYS}, applications: ['web-[0-9]', shop]"));
    let ran = import(&place, "argocd", &text, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for (service, expected) in [("shop", true), ("web-7", false), ("web-x", false), ("other", true)] {
        assert_eq!(may(&place, "2026-11-26T10:00:30Z", &["--service", service]), expected, "{service}");
    }
    // What became of it is one of the things that a strict import refuses.
    let strict = import(&Place::new(), "argocd", &text, &["--strict"]);
    assert_eq!(
        (strict.code, strict.err.contains("1 values have no equal, or no exact one")),
        (1, true),
        "{}",
        strict.err
    );
    let exact = project(&format!("kind: allow, {ALWAYS}, applications: [shop]"));
    assert_eq!(import(&Place::new(), "argocd", &exact, &["--strict"]).code, 0);
}

#[test]
fn windows_of_several_projects_are_told_apart() {
    let one = project(&format!("kind: allow, {ALWAYS}, applications: ['*']"));
    let text = format!("{one}---\n{}", one.replace("name: p", "name: q"));
    let ran = import(&Place::new(), "argocd", &text, &[]);
    assert_eq!((ran.code, ran.err.matches("the calendar of its own project alone").count()), (0, 2), "{}", ran.err);
    assert_eq!(import(&Place::new(), "argocd", &text, &["--strict"]).code, 1);
}

#[test]
fn deploy_freezes_of_gitlab_are_freezes() {
    let place = Place::new();
    let ran = import(&place, "gitlab", &PERIODS.replace("0 12 L * *", "0 12 29 2 *"), &["--name", "shop"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    let calendar = place.read("calendars/shop.yaml");
    assert!(calendar.contains("    - name: freeze-1\n      kind: deny\n      startCron: \"0 23 * * 5\"\n      endCron: \"0 7 * * 1\"\n      zone: Europe/Berlin\n"), "{calendar}");
    for (at, expected) in [
        ("2026-11-27T21:59:00Z", true),
        ("2026-11-27T22:00:00Z", false),
        ("2026-11-29T12:00:00Z", false),
        ("2026-11-30T06:00:00Z", true),
        ("2026-12-22T12:00:00Z", false),
        ("2027-01-03T07:59:00Z", false),
        ("2027-01-04T08:00:00Z", true),
    ] {
        assert_eq!(may(&place, at, &[]), expected, "{at}");
    }
    // One period alone.
    let one = import(&Place::new(), "gitlab", r#"{"freeze_start":"0 23 * * 7","freeze_end":"0 7 * * 1"}"#, &[]);
    assert_eq!((one.code, one.err.as_str()), (0, ""));
}

#[test]
fn a_freeze_of_gitlab_that_cannot_be_read_holds_all_the_time() {
    let place = Place::new();
    let ran = import(&place, "gitlab", PERIODS, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    notes(&ran, &["davy: in:20:22: `[2].freeze_start` is no schedule that davy reads, so the freeze never ends here"]);
    // Neither of the others is on.
    assert!(!may(&place, "2026-11-25T12:00:00Z", &[]));
    let strict = import(&Place::new(), "gitlab", PERIODS, &["--strict"]);
    assert_eq!((strict.code, strict.err.contains("1 values have no equal")), (1, true), "{}", strict.err);
    for period in [
        r#"{"freeze_start":"0 23 * * 5"}"#,
        r#"{"freeze_start":null,"freeze_end":"0 7 * * 1"}"#,
        r#"{"freeze_start":["0 23 * * 5"],"freeze_end":"0 7 * * 1"}"#,
        r#"{"freeze_start":"0 23 * * 5","freeze_end":"0 7 * * 1","cron_timezone":"Mars"}"#,
    ] {
        let place = Place::new();
        let ran = import(&place, "gitlab", &format!("[{period}]"), &[]);
        assert!(ran.code == 0 && ran.err.contains("so the freeze never ends here"), "{period}: {}", ran.err);
        assert!(!may(&place, "2026-11-25T12:00:00Z", &[]), "{period}");
    }
}

#[test]
fn execution_windows_of_spinnaker_are_hours() {
    let place = Place::new();
    let ran = import(&place, "spinnaker", PIPELINE, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    notes(&ran, &["davy: in:17:19: `stages[1].restrictedExecutionWindow.jitter` has no equal"]);
    let calendar = place.read("calendars/shop-Deploy-to-prod-Deploy.yaml");
    assert!(calendar.contains("weekly: [{ days: [mon, tue, wed, thu], from: \"09:00\", until: \"16:00\" }]\n      zone: America/Los_Angeles\n      gates: [start]\n"), "{calendar}");
    let overnight = place.read("calendars/shop-Deploy-to-prod-Clean-up.yaml");
    assert!(
        overnight.contains(
            "[{ days: [fri], from: \"22:30\", until: \"24:00\" }, { days: [fri], from: \"00:00\", until: \"02:01\" }]"
        ),
        "{overnight}"
    );
    assert_eq!(std::fs::read_dir(place.path("calendars")).unwrap().count(), 2);
    std::fs::remove_file(place.path("calendars/shop-Deploy-to-prod-Clean-up.yaml")).unwrap();
    for (at, expected) in [
        ("2026-11-26T16:59:00Z", false),
        ("2026-11-26T17:00:00Z", true),
        ("2026-11-26T23:59:59Z", true),
        ("2026-11-27T00:00:00Z", false),
        ("2026-11-27T18:00:00Z", false),
    ] {
        assert_eq!(may(&place, at, &[]), expected, "{at}");
    }
    // What has begun goes on.
    assert!(may(&place, "2026-11-27T18:00:00Z", &["--asked", "promote"]));
    let listed = import(&Place::new(), "spinnaker", &format!("[{PIPELINE}]"), &["--zone", "Europe/Berlin"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
}

#[test]
fn hours_and_days_of_spinnaker_that_cannot_be_read_are_refused_and_never_open() {
    for (window, expected) in [
        ("{\"days\":[9]}", "days[0]` in line 1 is no day from 1 to 7"),
        ("{\"days\":[2,\"x\"]}", "days[1]` in line 1 is no day from 1 to 7"),
        ("{\"days\":2}", "days` in line 1 is no list"),
        ("{\"whitelist\":[{\"startHour\":24,\"endHour\":3}]}", "whitelist[0].startHour` in line 1 is no hour"),
        ("{\"whitelist\":[{\"startHour\":1,\"startMin\":\"x\",\"endHour\":3}]}", "startMin` in line 1 is no hour"),
        ("{\"whitelist\":[\"9-17\"]}", "whitelist[0]` in line 1 names no hours"),
        ("{\"whitelist\":{\"startHour\":1}}", "whitelist` in line 1 is no list"),
        ("{\"whitelist\":[{\"startHour\":9,\"startMin\":30,\"endHour\":9,\"endMin\":0}]}", "ends before it begins"),
        ("{\"whitelist\":[],\"days\":[]}", "names neither hours nor days"),
        ("null", "names neither hours nor days"),
    ] {
        let text = format!(
            "{{\"stages\":[{{\"restrictExecutionDuringTimeWindow\":true,\"restrictedExecutionWindow\":{window}}}]}}"
        );
        let ran = import(&Place::new(), "spinnaker", &text, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{window}");
        assert!(ran.err.contains(expected), "{window}: {}", ran.err);
    }
    let maybe =
        r#"{"stages":[{"restrictExecutionDuringTimeWindow":"maybe","restrictedExecutionWindow":{"days":[2]}}]}"#;
    let ran = import(&Place::new(), "spinnaker", maybe, &[]);
    assert!(ran.code == 1 && ran.err.contains("is no truth value"), "{}", ran.err);
}

#[test]
fn a_zone_in_a_freeze_of_gitlab_is_never_ignored() {
    let freezes = r#"[{"freeze_start":"0 23 * * 5","freeze_end":"0 7 * * 1"},
        {"freeze_start":"TZ=Asia/Tokyo 23 * * 5","freeze_end":"CRON_TZ=Asia/Tokyo 0 7 * * 1"}]"#;
    let ran = import(&Place::new(), "gitlab", freezes, &[]);
    assert_eq!((ran.code, ran.err.matches("(its zone belongs into `cron_timezone`)").count()), (0, 2), "{}", ran.err);
    assert_eq!(import(&Place::new(), "gitlab", freezes, &["--strict"]).code, 1);
}

#[test]
fn what_has_no_windows_is_refused() {
    for (format, text, code, expected) in [
        ("argocd", "kind: AppProject\n", 1, "there is no sync window that can be imported"),
        ("argocd", "kind: Application\n", 1, "there is no sync window that can be imported"),
        ("argocd", "a: [", 1, "not well-formed"),
        ("gitlab", "[]", 1, "there is no freeze period that can be imported"),
        ("gitlab", "{\"message\":\"401 Unauthorized\"}", 1, "there is no freeze period that can be imported"),
        ("spinnaker", "{\"stages\":[]}", 1, "there is no stage with an execution window"),
        ("spinnaker", "{}", 1, "there is no stage with an execution window"),
    ] {
        let ran = import(&Place::new(), format, text, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{format} {text}");
        assert!(ran.err.contains(expected), "{format} {text}: {}", ran.err);
    }
}
