//! Every decision of Argo CD's own code, in `argoCompat`.

use std::collections::BTreeSet;

use davy::calendar::{Change, Moment, Window, rule};
use davy::{Calendars, Duration, Instant};

/// A window as a document would have it, or why that is refused at load.
fn read(line: &str) -> Result<Window, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[kind, schedule, duration, zone, manual, overrun] = &fields[..] else { panic!("{line}") };
    let (manual, overrun) = (manual == "manual", overrun == "overrun");
    let calendar = format!(
        "apiVersion: davy/v1\nkind: Calendar\nmetadata: {{ name: argo }}\nspec:\n  precedence: argoCompat\n  windows:\n    \
         - {{ name: w, kind: {kind}, cron: \"{schedule}\", duration: {duration}, zone: {zone}, manual: {manual}, \
         overrun: {overrun}, selector: {{ everything: true }} }}\n"
    );
    let calendars = Calendars::from_files([("argo.yaml", calendar)]);
    let calendars = calendars.map_err(|error| error.diagnostics()[0].message.clone())?;
    Ok(calendars.windows().next().unwrap().window().clone())
}

/// An instant; davy's are whole milliseconds, so one between two of them is the later: Argo's windows begin and end on
/// whole seconds, and there is none in which the two would differ.
fn instant(text: &str) -> Instant {
    let at: Instant = text.parse().unwrap();
    match text.split_once('.') {
        Some((_, fraction))
            if fraction.trim_end_matches('Z').len() > 3
                && !fraction[3..].trim_end_matches('Z').bytes().all(|b| b == b'0') =>
        {
            at.plus(Duration::from_millis(u64::from(!fraction.starts_with("999"))))
        }
        _ => at,
    }
}

#[test]
fn every_decision_is_argos_except_where_a_window_is_refused() {
    let text = include_str!("../data/argocd_sync_windows.tsv");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let windows: Vec<Result<Window, String>> = lines.by_ref().take_while(|line| !line.is_empty()).map(read).collect();
    let (mut equal, mut refused, mut refused_by_argo, mut reasons) = (0, 0, 0, BTreeSet::new());
    let mut differing = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[now, began, manual, listed, argo] = &fields[..] else { panic!("{line}") };
        let listed: Vec<(usize, bool)> = listed
            .split(' ')
            .map(|listed| (listed[..listed.len() - 1].parse().unwrap(), listed.ends_with('+')))
            .collect();
        let mut good = Vec::new();
        for (number, active) in &listed {
            match &windows[*number] {
                Ok(window) => good.push((window, *active)),
                Err(reason) => _ = reasons.insert(reason.clone()),
            }
        }
        if good.len() < listed.len() {
            refused += 1;
            refused_by_argo += usize::from(argo == "error");
            continue;
        }
        let now = instant(now);
        let began = (began != "-").then(|| instant(began));
        let change = Change { moment: Moment::Advance, manual: manual == "manual", class: None, began };
        let listed: Vec<&Window> = good.iter().map(|(window, _)| *window).collect();
        let answer = rule(&listed, &change, now).is_open();
        let states = good.iter().all(|(window, active)| window.phase(now).open.is_some() == *active);
        if states && answer == (argo == "allow") {
            equal += 1;
        } else {
            differing.push(line);
        }
    }
    for reason in &reasons {
        println!("refused: {reason}");
    }
    println!(
        "{equal} equal, {} differ, {refused} refused at load, of which Argo errs on {refused_by_argo}",
        differing.len()
    );
    assert_eq!(differing, Vec::<&str>::new());
    assert_eq!((equal, refused, refused_by_argo), (EQUAL, REFUSED, REFUSED_BY_ARGO));
    assert_eq!(reasons.len(), 4, "{reasons:?}");
}

const EQUAL: usize = 4084;
const REFUSED: usize = 722;
/// The others have an unknown zone, which Argo reads as UTC.
const REFUSED_BY_ARGO: usize = 720;
