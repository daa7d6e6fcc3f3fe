//! Every expansion of python-dateutil.

use davy::calendar::{Local, Recurrence, Rule};

/// `20260101T090000Z`.
fn local(text: &str) -> Local {
    let part = |from: usize, to: usize| &text[from..to];
    let (date, time) =
        ([part(0, 4), part(4, 6), part(6, 8)].join("-"), [part(9, 11), part(11, 13), part(13, 15)].join(":"));
    format!("{date}T{time}").parse().unwrap()
}

fn recurrence(case: &serde_json::Value) -> Recurrence {
    let start = local(case["dtstart"].as_str().unwrap());
    let lines = case["rrule"].as_str().or(case["set"].as_str()).unwrap();
    let (mut rule, mut dates, mut except) = (None, Vec::new(), Vec::new());
    for line in lines.lines() {
        match line.split_once(':') {
            Some(("RDATE", list)) => dates.extend(list.split(',').map(local)),
            Some(("EXDATE", list)) => except.extend(list.split(',').map(local)),
            _ => rule = Some(line.parse::<Rule>().unwrap_or_else(|error| panic!("{error}"))),
        }
    }
    Recurrence::new(start, rule, dates, except)
}

#[test]
fn every_expansion_is_dateutils_forward_and_back() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("../data/rrule.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    for case in cases {
        let recurrence = recurrence(case);
        let expected: Vec<Local> =
            case["occurrences"].as_array().unwrap().iter().map(|text| local(text.as_str().unwrap())).collect();
        let next = |after: &Local| recurrence.first_at_or_after(*after);
        let start = local(case["dtstart"].as_str().unwrap());
        let later = |at: Local| format!("{at}:01").get(..19).unwrap().parse::<Local>().unwrap();
        let mut found: Vec<Local> = next(&start).into_iter().collect();
        while let Some(more) =
            found.last().and_then(|last| next(&later(*last))).filter(|_| found.len() <= expected.len())
        {
            found.push(more);
        }
        assert_eq!(found, expected, "{case}");
        for pair in expected.windows(2) {
            let between = later(pair[0]);
            assert_eq!(recurrence.last_at_or_before(between), Some(pair[0]), "{case}");
            assert_eq!(recurrence.last_at_or_before(pair[1]), Some(pair[1]), "{case}");
            assert_eq!(recurrence.first_at_or_after(between), Some(pair[1]), "{case}");
        }
    }
    assert_eq!(cases.len(), 58);
}
