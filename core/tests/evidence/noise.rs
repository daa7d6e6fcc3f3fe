//! The second key: what replicas, their starts and past rollouts leave of the evidence.

use davy::{
    Asked, Assumption, Cohort, Decision, Engine, Guarantee, Interval, Key, Method, NoiseHistory, NoiseSeen,
    Observation, ReplicaStart, State,
};

use super::support::*;

const ERRORS: &str = "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x";

fn watch(settings: &str) -> Watch {
    Watch::of(&health(&format!("judge: evidence{settings}"), &[ERRORS])).asks(Asked::Keep)
}

/// One canary replica, and these of the baseline: bad requests of a thousand each.
fn seen(bad: u64, of_baseline: &[u64]) -> Vec<Observation> {
    let mut all = vec![of("canary-0", canary("errors", counts(bad, 1000)))];
    for (number, bad) in of_baseline.iter().enumerate() {
        all.push(of(&format!("pod-{number}"), baseline("errors", counts(*bad, 1000))));
    }
    all
}

fn noise(decision: &Decision) -> NoiseSeen {
    let davy::Cause::HealthNoise { seen, .. } = &finding(decision, "health.noise").cause else { panic!("{decision}") };
    **seen
}

/// After how many minutes of the same it aborts.
fn aborts(watch: &mut Watch, most: u64, seen: &[Observation]) -> Option<u64> {
    (1..=most).find(|_| said(&watch.sees(seen.to_vec())).starts_with("abort"))
}

const CALM: [u64; 10] = [10, 11, 9, 10, 12, 8, 10, 9, 11, 10];
/// As many errors in all, but every replica has a rate of its own.
const NOISY: [u64; 10] = [3, 22, 5, 14, 2, 20, 9, 4, 15, 6];

#[test]
fn the_same_counts_abort_only_where_replicas_are_alike() {
    let (calm, noisy) = (seen(20, &CALM), seen(20, &NOISY));
    let after = aborts(&mut watch(""), 40, &calm);
    assert!(after.is_some_and(|after| after < 25), "{after:?}");
    let mut release = watch("");
    assert_eq!(aborts(&mut release, 40, &noisy), None);
    let seen = noise(&release.looks());
    assert_eq!((seen.method, seen.blocks, seen.replicas.get()), (Method::Replicas, Key::Second, 10));
    assert!(seen.deviation > 0.4 && seen.counted < 0.3 && seen.needs_replicas, "{seen:?}");
    assert!(seen.detectable.is_some_and(|ratio| ratio > 3.0), "{seen:?}");
    assert!(seen.placebo.is_some_and(|placebo| (1.1..1.3).contains(&placebo)), "{seen:?}");
}

#[test]
fn an_outage_aborts_at_once_however_many_replicas_there_are() {
    for replicas in [&NOISY[..], &NOISY[..7], &CALM[..3], &NOISY[..3], &CALM[..1]] {
        for bad in [600, 1000] {
            let mut release = watch("");
            assert_eq!(aborts(&mut release, 30, &seen(bad, replicas)), Some(1), "{bad} beside {replicas:?}");
            let decision = release.looks();
            assert!(noise(&decision).outage && decision.to_string().contains("both are enough"), "{decision}");
        }
    }
}

#[test]
fn what_is_bad_and_no_outage_is_discounted_as_noise_is() {
    // Less than half of the requests fail; everything fails everywhere.
    for (bad, beside) in [(400, [10, 11, 9]), (990, [300, 310, 290])] {
        let mut release = watch("");
        release.sees(seen(bad, &beside));
        let seen = noise(&release.looks());
        assert!(!seen.outage && seen.counted < 0.5, "{seen:?}");
    }
}

#[test]
fn an_outage_that_begins_late_aborts_at_once_too() {
    let mut release = watch("");
    for _ in 0..20 {
        release.sees(seen(10, &CALM[..3]));
    }
    assert_eq!(said(&release.sees(seen(1000, &CALM[..3]))), "abort health.harm");
}

#[test]
fn an_outage_does_not_make_what_was_noise_before_it_count() {
    let mut release = watch("");
    assert_eq!(aborts(&mut release, 40, &seen(20, &NOISY)), None);
    // Five of ten requests, where replicas have up to nine of a hundred: an outage, and no evidence of much by itself.
    let mut small = seen(0, &NOISY.map(|bad| 4 * bad));
    small[0] = of("canary-0", canary("errors", counts(5, 10)));
    let decision = release.sees(small);
    let seen_now = noise(&decision);
    assert!(seen_now.outage && seen_now.counted < 0.3, "{seen_now:?}");
    assert_eq!(seen_now.blocks, Key::Second, "the evidence itself is enough since long before");
    assert!(!said(&decision).starts_with("abort"), "{decision}");
    assert!(decision.to_string().contains("all of what the outage says"), "{decision}");
    // What came before does not keep a real one from being seen.
    assert_eq!(said(&release.sees(seen(1000, &NOISY))), "abort health.harm");
}

#[test]
fn an_outage_that_is_over_counts_no_longer() {
    let mut release = watch("");
    assert_eq!(aborts(&mut release, 40, &seen(20, &NOISY)), None);
    let mut small = seen(0, &NOISY.map(|bad| 4 * bad));
    small[0] = of("canary-0", canary("errors", counts(5, 10)));
    for _ in 0..6 {
        let decision = release.sees(small.clone());
        assert!(!said(&decision).starts_with("abort"), "{decision}");
        // A bet that is lost with each interval that is no outage.
        let calm = release.sees(seen(10, &NOISY));
        assert!(!noise(&calm).outage && !said(&calm).starts_with("abort"), "{calm}");
    }
}

#[test]
fn an_abort_by_an_outage_is_guaranteed_for_independent_requests_alone() {
    for (bad, assumption) in [(20, Assumption::IndependentRequestsOrReplicas), (1000, Assumption::IndependentRequests)]
    {
        // Three replicas that differ leave next to nothing of an outage; ten that are alike leave enough of anything.
        let replicas = if bad == 20 { &CALM[..] } else { &NOISY[..3] };
        let mut release = watch("");
        assert!(aborts(&mut release, 40, &seen(bad, replicas)).is_some(), "{}", release.looks());
        let decision = release.looks();
        assert_eq!(finding(&decision, "health.harm").guarantee, Guarantee::Declared(assumption), "{decision}");
    }
}

#[test]
fn the_method_follows_from_the_data_and_says_whether_it_is_guaranteed() {
    let replicas = Assumption::IndependentRequestsOrReplicas;
    for (number, method, assumption) in [
        (10, Method::Replicas, replicas),
        (8, Method::Replicas, replicas),
        (7, Method::FewReplicas, replicas),
        (3, Method::FewReplicas, replicas),
        (2, Method::Declared, Assumption::IndependentRequests),
        (1, Method::Declared, Assumption::IndependentRequests),
    ] {
        let mut release = watch("");
        let mut decision = release.sees(seen(10, &CALM[..number]));
        for _ in 0..3 {
            decision = release.sees(seen(10, &CALM[..number]));
        }
        assert_eq!(noise(&decision).method, method, "{number} replicas");
        assert_eq!(finding(&decision, "health.no-harm").guarantee, Guarantee::Declared(assumption), "{number}");
        assert!(decision.to_string().contains("no sign beyond chance and noise"), "{decision}");
    }
    let whole = [canary("errors", counts(10, 1000)), baseline("errors", counts(100, 10_000))];
    let decision = watch("").sees(whole);
    assert_eq!(noise(&decision).method, Method::Declared);
    assert!(decision.to_string().contains("outside the guarantee"), "{decision}");
}

#[test]
fn evidence_within_the_noise_holds_after_a_while_and_says_why() {
    let mut release = watch(", recentIntervals: 5").asks(advance("25%"));
    let said: Vec<String> = (0..40).map(|_| said(&release.sees(seen(30, &NOISY)))).collect();
    let held = said.iter().position(|said| said.contains("health.within-noise"));
    assert!(held.is_some_and(|held| held >= 5), "{said:?}");
    assert!(said[held.unwrap()..].iter().all(|said| said.starts_with("hold")), "{said:?}");
    let decision = release.looks();
    let text = decision.to_string();
    assert!(text.contains("the evidence is within the noise: for"), "{text}");
    assert!(text.contains("an abort takes both, and what the noise leaves is not enough now"), "{text}");
}

#[test]
fn an_abort_points_at_what_aborted_and_not_at_what_the_noise_explains() {
    const FAILURES: &str = "name: failures, bad: f, total: t, tolerate: 1.1x, unacceptable: 1.5x";
    let mut release = Watch::of(&health("judge: evidence", &[ERRORS, FAILURES])).asks(Asked::Keep);
    // More errors than failures, but errors differ from replica to replica, and failures do not.
    let mut both = seen(30, &NOISY);
    both.extend(seen(20, &CALM).into_iter().map(|seen| Observation { metric: name("failures"), ..seen }));
    assert!(aborts(&mut release, 60, &both).is_some(), "{}", release.looks());
    let decision = release.looks();
    let davy::Cause::HealthHarm { suspect, .. } = &finding(&decision, "health.harm").cause else {
        panic!("{decision}")
    };
    assert_eq!(suspect.as_ref(), Some(&name("failures")), "{decision}");
}

#[test]
fn a_young_replica_is_left_out_whether_its_start_is_given_or_seen() {
    // It is cold: half of its requests fail.
    let cold = |all: &mut Vec<Observation>| all.push(of("canary-1", canary("errors", counts(500, 1000))));
    for named in [true, false] {
        let spec =
            "health: { judge: evidence, every: 1m, settle: 0s, warmUp: 2m, metrics: [{ ".to_owned() + ERRORS + " }] }";
        let mut release = Watch::of(&spec).asks(Asked::Keep);
        for _ in 0..5 {
            release.sees(seen(10, &CALM));
        }
        if named {
            release.snapshot.replica_starts =
                vec![ReplicaStart { cohort: Cohort::Canary, replica: name("canary-1"), started_at: minute(5) }];
        }
        for _ in 0..2 {
            let mut all = seen(10, &CALM);
            cold(&mut all);
            assert_eq!(said(&release.sees(all)), "proceed", "{named}");
        }
        assert_eq!(noise(&release.looks()).young.get(), 2);
        let mut all = seen(10, &CALM);
        cold(&mut all);
        assert_eq!(said(&release.sees(all)), "abort health.harm", "it is warm now, and fails all the same");
    }
}

#[test]
fn a_sick_replica_of_many_is_left_out_and_of_few_it_holds() {
    let with_sick = |replicas: usize| {
        let mut all = CALM[..replicas].to_vec();
        all[0] = 60;
        seen(20, &all)
    };
    let mut many = watch("");
    let after = aborts(&mut many, 60, &with_sick(10));
    assert!(after.is_some(), "{}", many.looks());
    let decision = many.looks();
    let davy::Cause::HealthReplicasLeftOut { replicas } = &finding(&decision, "health.replicas-left-out").cause else {
        panic!("{decision}")
    };
    assert_eq!(replicas.iter().map(ToString::to_string).collect::<Vec<_>>(), ["pod-0"]);
    let mut few = watch("");
    let last = (0..10).map(|_| said(&few.sees(with_sick(5)))).last().unwrap();
    assert_eq!(last, "hold health.sick-replicas");
}

#[test]
fn promotion_waits_for_what_the_noise_leaves_too() {
    let promoted = |replicas: &[u64]| {
        let mut release = watch("").asks(Asked::Promote);
        (1..=60).find(|_| said(&release.sees(seen(10, replicas))) == "proceed")
    };
    let (calm, noisy) = (promoted(&CALM), promoted(&NOISY));
    assert!(calm.is_some(), "{calm:?}");
    assert!(noisy.is_none_or(|noisy| noisy > calm.unwrap()), "{calm:?} {noisy:?}");
}

/// Healthy rollouts with a few replicas that differ a little.
fn rollouts(number: u64, engine: &Engine) -> NoiseHistory {
    let mut history = NoiseHistory::default();
    for rollout in 0..number {
        let intervals: Vec<Interval> = (1..=30)
            .map(|end| {
                let wobble = |replica: u64| 8 + (rollout * 7 + replica * 5 + end * 3) % 5;
                interval(end, seen(wobble(9), &[wobble(0), wobble(1), wobble(2)]))
            })
            .collect();
        history.merge(&engine.learn(&snapshot(Asked::Keep).release, &intervals, &[]).unwrap());
    }
    history
}

#[test]
fn history_stands_in_for_replicas_and_finds_what_three_of_them_do_not() {
    let engine = engine(&health("judge: evidence", &[ERRORS]));
    let with = |history: Option<NoiseHistory>| {
        let mut release = Watch::by(engine.clone()).asks(Asked::Keep);
        release.snapshot.noise_history = history;
        let after = aborts(&mut release, 60, &seen(20, &[9, 10, 11]));
        (after, noise(&release.looks()).method)
    };
    let (alone, few) = with(None);
    let (helped, by_history) = with(Some(rollouts(25, &engine)));
    assert_eq!((few, by_history), (Method::FewReplicas, Method::History));
    assert!(helped.is_some_and(|helped| alone.is_none_or(|alone| helped < alone)), "{helped:?} {alone:?}");
    assert_eq!(with(Some(rollouts(19, &engine))).1, Method::FewReplicas, "19 rollouts are one too few");
}

#[test]
fn history_that_comes_or_goes_between_looks_counts_at_once() {
    let engine = engine(&health("judge: evidence", &[ERRORS]));
    let history = rollouts(25, &engine);
    let mut release = Watch::by(engine.clone()).asks(Asked::Keep);
    for _ in 0..10 {
        release.sees(seen(20, &[9, 10, 11]));
    }
    for (history, method) in
        [(None, Method::FewReplicas), (Some(history), Method::History), (None, Method::FewReplicas)]
    {
        release.snapshot.noise_history = history;
        // What a state keeps for the next look is not written, and makes no difference.
        let read = State::from_json(&release.state.to_json()).unwrap();
        let anew = engine.decide(&read, &release.snapshot).decision;
        assert_eq!(release.looks(), anew);
        assert_eq!(noise(&anew).method, method);
    }
}

#[test]
fn many_healthy_rollouts_rank_this_one() {
    let engine = engine(&health("judge: evidence", &[ERRORS]));
    let mut release = Watch::by(engine.clone()).asks(Asked::Keep);
    release.snapshot.noise_history = Some(rollouts(199, &engine));
    let after = aborts(&mut release, 60, &seen(20, &[9, 10, 11]));
    assert!(after.is_some(), "{}", release.looks());
    assert_eq!(noise(&release.looks()).method, Method::Ranked);
    // Past rollouts were ranked with everything discounted.
    assert!(!noise(&release.sees(seen(1000, &[9, 10, 11]))).outage);
}

#[test]
fn the_past_of_the_baseline_is_history_too() {
    let spec = format!(
        "steps: [{{ weight: 5%, atLeast: 2m }}], health: {{ judge: evidence, every: 1m, settle: 0s, warmUp: 0s, \
         horizon: 10m, metrics: [{{ {ERRORS} }}] }}"
    );
    let engine = engine(&spec);
    let past: Vec<Interval> = (1..=205)
        .map(|end| {
            let pods = seen(10, &[8 + end % 5, 9 + end % 3, 12 - end % 4]).split_off(1);
            interval(end, pods)
        })
        .collect();
    let history = engine.learn_from_baseline(&name("prod"), &past).unwrap();
    assert_eq!(history.rollouts(), 20, "whole spans alone");
    assert!(engine.learn_from_baseline(&name("prod"), &past[..9]).is_none());
}

#[test]
fn strict_noise_asks_for_as_many_times_more_as_so_many_replicas_need() {
    let second = |settings: &str, replicas: &[u64]| {
        let mut release = watch(settings);
        let decision = (0..6).map(|_| release.sees(seen(15, replicas))).last().unwrap();
        let davy::Cause::HealthNoise { second, .. } = finding(&decision, "health.noise").cause else {
            panic!("{decision}")
        };
        second
    };
    for (replicas, times) in [(10, 2.1), (5, 3.1), (3, 3.7)] {
        let less = second("", &CALM[..replicas]) - second(", strictNoise: true", &CALM[..replicas]);
        assert!((less - libm::log10(times)).abs() < 1e-9, "{replicas}: {less}");
    }
}

#[test]
fn how_strict_the_noise_is_taken_is_told() {
    let told = |mut release: Watch, replicas: &[u64]| {
        let decision = release.sees(seen(15, replicas));
        (noise(&decision), decision.to_string())
    };
    let (plain, text) = told(watch(""), &CALM[..]);
    assert!(plain.strictness.is_none() && !text.contains("strictNoise"), "{text}");
    for (replicas, times) in [(10, "2.1"), (5, "3.1"), (3, "3.7")] {
        let (strict, text) = told(watch(", strictNoise: true"), &CALM[..replicas]);
        assert_eq!(strict.strictness, times.parse::<f64>().ok());
        assert!(text.contains(&format!("with the noise and divided by {times}, as `strictNoise` asks")), "{text}");
    }
    // What past rollouts rank needs no bound.
    let engine = engine(&health("judge: evidence, strictNoise: true", &[ERRORS]));
    let mut ranked = Watch::by(engine.clone()).asks(Asked::Keep);
    ranked.snapshot.noise_history = Some(rollouts(199, &engine));
    let (ranked, text) = told(ranked, &CALM[..]);
    assert_eq!((ranked.method, ranked.strictness), (Method::Ranked, None), "{text}");
}

#[test]
fn strict_noise_hides_more() {
    let detectable = |settings: &str| {
        let mut release = watch(settings);
        assert_eq!(aborts(&mut release, 40, &seen(20, &NOISY)), None);
        noise(&release.looks()).detectable
    };
    assert!(detectable(", strictNoise: true") > detectable(""));
}

#[test]
fn the_order_and_the_names_of_replicas_change_nothing() {
    let run = |rename: fn(usize) -> usize| {
        let mut release = watch("");
        let mut last = None;
        for minute in 0..20 {
            let mut all = vec![of("canary-0", canary("errors", counts(15, 1000)))];
            for (number, bad) in NOISY.iter().enumerate() {
                let pod = format!("pod-{}", rename(number));
                all.push(of(&pod, baseline("errors", counts((bad + minute * (number as u64 + 1)) % 25, 1000))));
            }
            last = Some(release.sees(all));
        }
        noise(&last.unwrap())
    };
    let (plain, renamed) = (run(|number| number), run(|number| 9 - number));
    assert!((plain.counted - renamed.counted).abs() < 1e-9, "{plain:?} {renamed:?}");
}

#[test]
fn a_state_with_replicas_is_small_and_survives() {
    let mut release = watch("");
    for _ in 0..60 {
        release.sees(seen(10, &CALM));
    }
    let json = release.state.to_json();
    assert!(json.len() < 9000, "{}", json.len());
    assert_eq!(State::from_json(&json).unwrap(), release.state);
}
