//! Windows of SLOs: what is not known of them, and which of them are looked at.

use davy::{Asked, Duration, HoldKind, Part, Seen, Share, SloWindow, Unclear};

use crate::burn::{asks, kind, of_burn, one_slo, see, why, with_cohorts};
use crate::support::*;

// What is not known.

/// Both windows of the pair, the short one as given; the canary would burn alone if the pair burned.
fn short(window: impl Into<Option<SloWindow>>) -> Vec<SloWindow> {
    let cohorts = [by_canary(self::window("5m", 50.0, 100.0)), by_baseline(self::window("5m", 0.0, 100.0))];
    let whole = [self::window("1h", 2000.0, 10_000.0), month()];
    whole.into_iter().chain(cohorts).chain(window.into()).collect()
}

fn five(bad: f64, total: f64) -> SloWindow {
    window("5m", bad, total)
}

fn of_bad(bad: Seen, total: Seen) -> SloWindow {
    SloWindow { part: Part::Bad(bad), total, ..five(0.0, 0.0) }
}

const NOTHING: Seen = Seen::Nothing(davy::Missing::NoData);

/// Every way in which a window says nothing, and what it is called.
fn unclear() -> Vec<(&'static str, Option<SloWindow>, Unclear)> {
    let aged = |age| SloWindow { newest: Some(now().minus(age)), ..five(200.0, 1000.0) };
    let five_minutes = Duration::from_minutes(5);
    let too_old = five_minutes.plus(Duration::from_millis(1));
    let coverage = share("89.9%");
    let amount = Seen::Amount;
    let missing = Seen::Nothing;
    vec![
        ("", None, Unclear::NoData),
        ("", Some(of_bad(amount(5.0), NOTHING)), Unclear::NoData),
        ("", Some(of_bad(NOTHING, amount(1000.0))), Unclear::NoErrorSeries),
        ("davy/sparseErrors: 'true'", Some(of_bad(NOTHING, NOTHING)), Unclear::NoData),
        ("", Some(SloWindow { part: Part::Good(NOTHING), ..five(0.0, 1000.0) }), Unclear::NoErrorSeries),
        // Only bad events are left out where there are none.
        (
            "davy/sparseErrors: 'true'",
            Some(SloWindow { part: Part::Good(NOTHING), ..five(0.0, 9.0) }),
            Unclear::NoErrorSeries,
        ),
        ("", Some(aged(too_old)), Unclear::Stale { age: Some(too_old) }),
        ("davy/staleness: 1m", Some(aged(five_minutes)), Unclear::Stale { age: Some(five_minutes) }),
        ("", Some(SloWindow { newest: None, ..five(200.0, 1000.0) }), Unclear::Stale { age: None }),
        ("", Some(of_bad(missing(davy::Missing::Nan), amount(10.0))), Unclear::Invalid),
        ("", Some(of_bad(amount(1.0), missing(davy::Missing::PositiveInfinity))), Unclear::Invalid),
        ("", Some(of_bad(amount(1.0), missing(davy::Missing::NegativeInfinity))), Unclear::Invalid),
        ("", Some(of_bad(amount(f64::NAN), amount(10.0))), Unclear::Invalid),
        ("", Some(of_bad(amount(1.0), amount(f64::INFINITY))), Unclear::Invalid),
        ("", Some(of_bad(amount(-1.0), amount(10.0))), Unclear::Invalid),
        ("", Some(of_bad(amount(11.0), amount(10.0))), Unclear::Invalid),
        ("", Some(of_bad(amount(1.0), amount(0.0))), Unclear::Invalid),
        ("", Some(SloWindow { part: Part::Good(amount(11.0)), ..five(0.0, 10.0) }), Unclear::Invalid),
        ("", Some(SloWindow { coverage, ..five(0.0, 1000.0) }), Unclear::Partial { coverage }),
        (
            "davy/coverage: 100%",
            Some(SloWindow { coverage: share("99.9999%"), ..five(0.0, 9.0) }),
            Unclear::Partial { coverage: share("99.9999%") },
        ),
    ]
}

/// Every way in which a window says too little.
fn thin() -> Vec<(&'static str, SloWindow, Unclear)> {
    vec![
        ("", five(0.0, 0.0), Unclear::NoTraffic),
        ("", five(1.0, 2.0), Unclear::FewErrors { bad: 1.0 }),
        ("", five(1.9, 2.5), Unclear::FewErrors { bad: 1.0 }),
        ("davy/minErrors: '20'", five(19.0, 30.0), Unclear::FewErrors { bad: 19.0 }),
        ("davy/minEvents: '1001'", five(200.0, 1000.0), Unclear::FewEvents { total: 1000.0 }),
        ("", five(101.0, 1000.0), Unclear::Unsure),
        ("davy/confidence: 99.99%", five(120.0, 1000.0), Unclear::Unsure),
    ]
}

#[test]
fn what_is_not_known_holds_blind_and_never_fails() {
    for (annotation, seen, expected) in unclear() {
        for asked in asks() {
            let decision = see(annotation, asked, short(seen.clone()));
            assert_eq!(said(&decision), "hold burn.unknown:availability", "{annotation} {seen:?} {}", asked);
            assert_eq!((why(&decision), kind(of_burn(&decision))), (expected, Some(HoldKind::Blind)), "{seen:?}");
        }
    }
}

#[test]
fn too_few_events_wait_where_everyone_is_to_be_served_and_never_fail() {
    for (annotation, seen, expected) in thin() {
        for asked in asks() {
            let decision = see(annotation, asked, short(seen.clone()));
            let waits = asked == Asked::Promote;
            let told = if waits { "hold burn.thin:availability" } else { "proceed" };
            assert_eq!(said(&decision), told, "{annotation} {seen:?} {}", asked);
            assert_eq!((why(&decision), kind(of_burn(&decision))), (expected, Some(HoldKind::Waiting)), "{seen:?}");
        }
    }
}

#[test]
fn thin_traffic_may_pass() {
    let engine = engine_with("budget: { slos: [availability], thinTraffic: pass }", &[slo("availability")]);
    let promote = |seen| look_with(&engine, Asked::Promote, short(seen));
    let thin = promote(five(0.0, 0.0));
    assert_eq!((said(&thin).as_str(), of_burn(&thin).code()), ("proceed", "burn.thin"));
    assert_eq!(
        said(&promote(of_bad(NOTHING, Seen::Amount(9.0)))),
        "hold burn.unknown:availability",
        "this is not thin"
    );
}

#[test]
fn the_same_windows_known_well_enough_burn_or_are_calm() {
    let told = |annotation: &str, seen: SloWindow| see(annotation, Asked::Promote, short(seen)).findings[0].code();
    let gaps = |coverage: &str, bad| SloWindow { coverage: share(coverage), ..five(bad, 1000.0) };
    let aged =
        |minutes| SloWindow { newest: Some(now().minus(Duration::from_minutes(minutes))), ..five(200.0, 1000.0) };
    for (annotation, seen) in [
        ("", five(200.0, 1000.0)),
        ("", aged(5)),
        ("davy/staleness: 1h", aged(60)),
        // What was seen already exceeds, whatever was not.
        ("", gaps("0%", 200.0)),
        ("davy/minErrors: '19'", five(19.0, 30.0)),
        ("davy/minEvents: '100'", five(200.0, 1000.0)),
        ("davy/minErrors: '0', davy/confidence: 0%", five(1.0, 9.0)),
        ("davy/confidence: 0%", five(101.0, 1000.0)),
        ("", SloWindow { part: Part::Good(Seen::Amount(800.0)), ..five(0.0, 1000.0) }),
        // A sample from after the window is as fresh as its end.
        ("", SloWindow { newest: Some(now().plus(Duration::from_minutes(9))), ..five(200.0, 1000.0) }),
    ] {
        assert_eq!(told(annotation, seen.clone()), "burn.canary", "{annotation} {seen:?}");
    }
    for (annotation, seen) in [
        ("", five(0.0, 0.5)),
        ("", gaps("90%", 0.0)),
        ("davy/coverage: 0%", gaps("0%", 0.0)),
        ("davy/sparseErrors: 'true'", of_bad(NOTHING, Seen::Amount(1000.0))),
        ("", SloWindow { part: Part::Good(Seen::Amount(1_000.000_000_1)), ..five(0.0, 1000.0) }),
        ("davy/minEvents: '1001'", five(0.0, 1000.0)),
    ] {
        // Ahead of it stand findings that hold, so none does.
        assert_eq!(
            of_burn(&see(annotation, Asked::Promote, short(seen.clone()))).code(),
            "burn.calm",
            "{annotation} {seen:?}"
        );
    }
}

#[test]
fn the_error_series_is_zero_only_while_the_total_is_fresh() {
    let old =
        SloWindow { newest: Some(now().minus(Duration::from_minutes(6))), ..of_bad(NOTHING, Seen::Amount(1000.0)) };
    let decision = see("davy/sparseErrors: 'true'", Asked::Keep, short(old));
    assert_eq!(why(&decision), Unclear::Stale { age: Some(Duration::from_minutes(6)) });
}

#[test]
fn a_window_that_does_not_burn_decides_whatever_the_other_says() {
    let long_is_calm =
        |short: Option<SloWindow>| [window("1h", 0.0, 10_000.0), month()].into_iter().chain(short).collect::<Vec<_>>();
    for (annotation, seen, _) in unclear() {
        assert_eq!(of_burn(&see(annotation, Asked::Keep, long_is_calm(seen))).code(), "burn.calm");
    }
}

#[test]
fn missing_data_outrank_too_few_events() {
    // With thin traffic alone more traffic is not held up; blind it is.
    let both = |long: SloWindow, short: Option<SloWindow>| {
        said(&see("", advance("25%"), [month(), long].into_iter().chain(short).collect::<Vec<_>>()))
    };
    let (thin, gaps) = (window("1h", 1.0, 2.0), |bad| SloWindow { coverage: share("50%"), ..five(bad, 1000.0) });
    assert_eq!(both(thin.clone(), Some(five(1.0, 2.0))), "proceed");
    for seen in [None, Some(gaps(0.0)), Some(gaps(101.0)), Some(gaps(900.0))] {
        assert_eq!(both(thin.clone(), seen.clone()), "hold burn.unknown:availability", "{seen:?}");
    }
}

#[test]
fn a_share_of_nothing_is_not_seen_whole() {
    // A host that knows nothing of its coverage says so.
    let unknown = SloWindow { coverage: Share::ZERO, ..five(0.0, 1000.0) };
    let decision = see("", Asked::Keep, short(unknown));
    assert_eq!(why(&decision), Unclear::Partial { coverage: Share::ZERO });
}

// Which windows are looked at.

#[test]
fn a_window_given_twice_is_one_and_with_other_numbers_none() {
    let again =
        |second: SloWindow| look_with(&one_slo(), Asked::Keep, [short(five(200.0, 1000.0)), vec![second]].concat());
    assert_eq!(said(&again(five(200.0, 1000.0))), "abort burn.canary:availability");
    for other in [five(0.0, 1000.0), five(200.0, 1001.0), SloWindow { newest: None, ..five(200.0, 1000.0) }] {
        let decision = again(other);
        assert_eq!((said(&decision).as_str(), why(&decision)), ("hold burn.unknown:availability", Unclear::Twice));
    }
    // So it is with cohorts, whose numbers decide too.
    let canaries = [short(five(200.0, 1000.0)), vec![by_canary(five(1.0, 100.0))]].concat();
    let decision = look_with(&one_slo(), Asked::Keep, canaries);
    assert_eq!(said(&decision), "hold burn.unattributed:availability");
    // NaN is the same as the word for it.
    let nan = |bad| of_bad(bad, Seen::Amount(1.0));
    let both = [nan(Seen::Amount(f64::NAN)), nan(Seen::Nothing(davy::Missing::Nan))];
    let decision = look_with(&one_slo(), Asked::Keep, [short(None), both.to_vec()].concat());
    assert_eq!(why(&decision), Unclear::Invalid);
}

#[test]
fn the_newest_window_of_its_length_is_looked_at() {
    let earlier = |minutes: u64, bad| ending(now().minus(Duration::from_minutes(minutes)), five(bad, 1000.0));
    let told =
        |windows: Vec<SloWindow>| of_burn(&look_with(&one_slo(), Asked::Keep, [calm(), windows].concat())).code();
    let base = [window("1h", 2000.0, 10_000.0), month()];
    let with = |more: &[SloWindow]| of_burn(&look_with(&one_slo(), Asked::Keep, [&base, more].concat())).code();
    assert_eq!(with(&[five(0.0, 1000.0), earlier(1, 900.0)]), "burn.calm");
    assert_eq!(with(&[earlier(1, 0.0), five(900.0, 1000.0)]), "burn.unattributed");
    assert_eq!(with(&[earlier(5, 900.0)]), "burn.unattributed", "as fresh as it must be");
    assert_eq!(with(&[earlier(6, 900.0)]), "burn.unknown");
    // From the future, of another length, of another SLO, of another objective: nobody's.
    let future = ending(now().plus(Duration::from_millis(1)), five(900.0, 1000.0));
    assert_eq!(with(std::slice::from_ref(&future)), "burn.unknown");
    assert_eq!(told(vec![future]), "burn.calm");
    assert_eq!(with(&[window("299999ms", 900.0, 1000.0)]), "burn.unknown");
    assert_eq!(with(&[SloWindow { slo: name("latency"), ..five(900.0, 1000.0) }]), "burn.unknown");
    assert_eq!(with(&[SloWindow { objective: 2.try_into().unwrap(), ..five(900.0, 1000.0) }]), "burn.unknown");
}

#[test]
fn the_order_of_windows_and_of_documents_means_nothing() {
    let slos = [slo("availability"), slo("latency"), slo("freshness")];
    let of = |slo: &str, seen: Vec<SloWindow>| {
        seen.into_iter().map(|seen| SloWindow { slo: name(slo), ..seen }).collect::<Vec<_>>()
    };
    let mut windows = [
        of("latency", short(five(0.0, 0.0))),
        of("availability", with_cohorts("burning", "calm")),
        of("freshness", calm()),
    ]
    .concat();
    let decide = |names: &str, slos: &[Slo], windows: &[SloWindow]| {
        let engine = engine_with(&format!("budget: {{ slos: [{names}] }}"), slos);
        let mut decision = look_with(&engine, Asked::Promote, windows);
        decision.findings.iter_mut().for_each(|finding| finding.source = None);
        decision
    };
    let first = decide("availability, latency, freshness", &slos, &windows);
    assert_eq!(said(&first), "abort burn.canary:availability");
    for _ in 0..windows.len() {
        windows.rotate_left(1);
        let swapped = [slos[2].clone(), slos[0].clone(), slos[1].clone()];
        assert_eq!(decide("freshness, availability, latency", &swapped, &windows), first);
        windows.reverse();
        assert_eq!(decide("latency, freshness, availability", &swapped, &windows), first);
    }
}
