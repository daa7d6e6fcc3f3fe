//! Evidence folded at once, one interval at a time, or with stops between, gives the same bits.

use davy::{Asked, Engine, Interval, Observation, Snapshot, State};

use super::support::*;

const METRICS: [&str; 5] = [
    "name: errors, bad: b, total: t, tolerate: 1.1x, unacceptable: 1.5x, importance: 3",
    "name: journey, probe: login, max: 10%",
    "name: latency, histogram: h, tolerate: 5%, unacceptable: 25%",
    "name: restarts, events: crash, max: 2",
    "name: search, buckets: h, tolerate: 1.2x, unacceptable: 2x",
];

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, 2014): from 0 to below `most`.
fn next(seed: &mut u64, most: u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % most
}

/// An hour in which now and then a metric or a whole minute is missing.
fn hour(seed: &mut u64) -> Vec<Interval> {
    let mut hour = Vec::new();
    for end in 1..=60 {
        let mut seen: Vec<Observation> = Vec::new();
        for (of, scale) in [(canary as fn(_, _) -> _, 1), (baseline as fn(_, _) -> _, 9)] {
            let some = |seed: &mut u64| next(seed, 12) != 0;
            let total = 500 * scale + next(seed, 100);
            if some(seed) {
                seen.push(of("errors", counts(next(seed, 12 * scale), total)));
            }
            if some(seed) {
                seen.push(of("journey", counts(next(seed, 2), 3)));
            }
            if some(seed) {
                let shape: Vec<(i32, u64)> = (-20..20).map(|index| (index, 1 + next(seed, 30 * scale))).collect();
                seen.push(of("latency", histogram(4, &shape)));
            }
            seen.push(of("restarts", events(next(seed, 4))));
            if some(seed) {
                let (fast, middle) = (next(seed, 300 * scale), next(seed, 100 * scale));
                let at_most = [(0.1, fast), (0.5, fast + middle), (2.0, fast + middle + 40)];
                seen.push(of("search", buckets(&at_most, fast + middle + 50)));
            }
        }
        if next(seed, 15) != 0 {
            hour.push(interval(end, seen));
        }
    }
    hour
}

/// What the intervals left in the state, as text, where looks come after so many intervals each.
fn folded(engine: &Engine, hour: &[Interval], mut length: impl FnMut() -> usize) -> String {
    let mut state = State::new();
    let mut rest = hour;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(length().clamp(1, rest.len()));
        rest = later;
        let mut seen = Snapshot { intervals: now.to_vec(), ..snapshot(Asked::Keep) };
        seen.now = now.last().unwrap().end();
        let next = engine.decide(&state, &seen).state;
        // A host keeps it as text.
        let text = serde_json::to_string(&next).unwrap();
        state = State::from_json(text.as_bytes()).unwrap();
        assert_eq!(state, next);
    }
    // What came from the course of the decisions may differ: who looks seldom holds seldom.
    let state: serde_json::Value = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    let folded = &state["release"]["folded"];
    assert!(folded["evidence"].is_object(), "{state}");
    folded.to_string()
}

#[test]
fn at_once_or_with_stops_between_the_bits_are_the_same() {
    for judge in ["evidence", "groupSequential"] {
        let metrics = if judge == "evidence" { &METRICS[..] } else { &METRICS[..2] };
        let spec = format!("steps: [{{ weight: 5%, atLeast: 50m }}], {}", health(&format!("judge: {judge}"), metrics));
        let engine = engine(&spec);
        for start in 0..8 {
            let mut seed = start;
            let hour = hour(&mut seed);
            let at_once = folded(&engine, &hour, || usize::MAX);
            assert_eq!(folded(&engine, &hour, || 1), at_once, "{judge} {start}");
            let stops = || 1 + usize::try_from(next(&mut seed, 9)).unwrap();
            assert_eq!(folded(&engine, &hour, stops), at_once, "{judge} {start}");
        }
    }
}
