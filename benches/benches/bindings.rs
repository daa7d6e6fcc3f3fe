//! What C pays over Rust: the functions of `davy.h` beside the calls that they stand for, in one run. They are called
//! through pointers that the optimiser does not know, as a host in C calls them.
//!
//! With `DAVY_OVERHEAD=FOLDER` it is the side of Rust for `bindings/python/benches/overhead.py` instead: it writes into
//! the folder what is measured on, and prints how many nanoseconds each call takes.
#![allow(unsafe_code, reason = "what is measured is unsafe to call")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark, whose handles are its own, and which writes files"
)]

use std::hint::black_box;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Instant;

use davy::{Cohort, Duration, Name, Series, SeriesValues, Snapshot, State, canonical_json};
use davy_benches::{Case, Shape};
use davy_c::{
    DAVY_BASELINE, DAVY_CANARY, DAVY_COUNTS, davy_buffer, davy_buffer_free, davy_bundle_free, davy_bundle_new,
    davy_bytes, davy_decide, davy_engine, davy_engine_new, davy_error, davy_file, davy_series, davy_snapshot,
    davy_snapshot_add_series, davy_snapshot_free, davy_snapshot_from_json, davy_state, davy_state_from_json, davy_step,
    davy_step_decision_json, davy_step_free,
};

/// Deciding, as a pointer.
type Decide = unsafe extern "C" fn(
    *const davy_engine,
    *const davy_state,
    *const davy_snapshot,
    *mut *mut davy_step,
) -> *mut davy_error;

/// What must work.
fn works(error: *mut davy_error) {
    assert!(error.is_null());
}

fn bytes(of: &[u8]) -> davy_bytes {
    davy_bytes { data: of.as_ptr(), len: of.len() }
}

/// Handles of the same policy, state and snapshot.
struct Handles {
    engine: *mut davy_engine,
    state: *mut davy_state,
    snapshot: *mut davy_snapshot,
}

impl Handles {
    fn new(policy: &str, state: &State, snapshot: &[u8]) -> Self {
        let (mut bundle, mut engine, mut kept, mut seen) = (null_mut(), null_mut(), null_mut(), null_mut());
        let file = davy_file { path: bytes(b"rollouts.yaml"), content: bytes(policy.as_bytes()) };
        unsafe {
            works(davy_bundle_new(&raw const file, 1, &raw mut bundle));
            works(davy_engine_new(bundle, null(), &raw mut engine));
            davy_bundle_free(bundle);
            works(davy_state_from_json(bytes(&state.to_json()), &raw mut kept));
            works(davy_snapshot_from_json(bytes(snapshot), &raw mut seen));
        }
        Self { engine, state: kept, snapshot: seen }
    }
}

fn deciding(criterion: &mut criterion::Criterion, case: &Case) {
    let decide = black_box(davy_decide as Decide);
    let latest = case.latest();
    let fresh = State::new();
    let looks = [("from scratch", &fresh, &case.snapshot), ("on folded state", &latest.state, &latest.snapshot)];
    for (name, state, snapshot) in looks {
        let handles = Handles::new(&case.policy, state, &canonical_json(snapshot).unwrap());
        let mut group = criterion.benchmark_group(format!("decide, {name}"));
        group.bench_function("Rust", |b| b.iter(|| case.engine.decide(black_box(state), black_box(snapshot))));
        group.bench_function("C", |b| {
            b.iter(|| {
                let mut step = null_mut();
                unsafe {
                    works(decide(handles.engine, handles.state, handles.snapshot, &raw mut step));
                    davy_step_free(step);
                }
            });
        });
        group.finish();
    }
}

/// Bytes of JSON in, the decision's bytes out.
fn bytes_to_bytes(criterion: &mut criterion::Criterion, case: &Case) {
    let (read, decide) = black_box((davy_snapshot_from_json as unsafe extern "C" fn(_, _) -> _, davy_decide as Decide));
    let json = case.json();
    let fresh = State::new();
    let handles = Handles::new(&case.policy, &fresh, &json);
    let mut group = criterion.benchmark_group("from a snapshot's bytes to a decision's");
    group.bench_function("Rust", |b| {
        b.iter(|| {
            let snapshot = Snapshot::from_json(black_box(&json)).unwrap();
            canonical_json(&case.engine.decide(&fresh, &snapshot).decision).unwrap()
        });
    });
    group.bench_function("C", |b| {
        b.iter(|| {
            let (mut snapshot, mut step) = (null_mut(), null_mut());
            let mut out = davy_buffer { data: null_mut(), len: 0, capacity: 0 };
            unsafe {
                works(read(bytes(black_box(&json)), &raw mut snapshot));
                works(decide(handles.engine, handles.state, snapshot, &raw mut step));
                works(davy_step_decision_json(step, &raw mut out));
                davy_buffer_free(&raw mut out);
                davy_step_free(step);
                davy_snapshot_free(snapshot);
            }
        });
    });
    group.finish();
}

/// Six hundred intervals of one metric and both cohorts, as columns.
fn columns(criterion: &mut criterion::Criterion, case: &Case) {
    const ROWS: usize = 600;
    const EVERY: u64 = 30_000;
    let add = black_box(davy_snapshot_add_series as unsafe extern "C" fn(_, _, _, _) -> _);
    let starts: Vec<i64> = (0..600).map(|row| 1_795_424_400_000 + row * 30_000).collect();
    let (bad, total): (Vec<u64>, Vec<u64>) = (0..600).map(|row| (row % 7, 1000 + row)).unzip();
    let metric: Name = "metric-000".parse().unwrap();
    let rust = |cohort| Series {
        metric: metric.clone(),
        cohort,
        replica: None,
        starts: &starts,
        values: SeriesValues::Counts { bad: &bad, total: &total },
    };
    let ours = |cohort| davy_series {
        size: size_of::<davy_series>(),
        metric: bytes(b"metric-000"),
        replica: davy_bytes { data: null(), len: 0 },
        cohort,
        form: DAVY_COUNTS,
        rows: ROWS,
        starts_ms: starts.as_ptr(),
        bad: bad.as_ptr(),
        total: total.as_ptr(),
        gauge: null(),
        bounds: null(),
        bounds_len: 0,
        schema: 0,
        zero: null(),
        offsets: null(),
        index: null(),
    };
    let bare = Snapshot { intervals: Vec::new(), ..case.snapshot.clone() };
    let json = canonical_json(&bare).unwrap();
    let mut group = criterion.benchmark_group("columns of 600 intervals into a snapshot");
    group.bench_function("Rust", |b| {
        b.iter_batched(
            || bare.clone(),
            |mut snapshot| {
                let views = [rust(Cohort::Canary), rust(Cohort::Baseline)];
                snapshot.intervals.extend(Series::intervals(Duration::from_millis(EVERY), &views).unwrap());
                snapshot
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("C", |b| {
        b.iter_batched(
            || {
                let mut snapshot = null_mut();
                works(unsafe { davy_snapshot_from_json(bytes(&json), &raw mut snapshot) });
                Owned(snapshot)
            },
            |snapshot| {
                let series = [ours(DAVY_CANARY), ours(DAVY_BASELINE)];
                works(unsafe { add(snapshot.0, EVERY, series.as_ptr(), series.len()) });
                snapshot
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A snapshot that is freed as Rust frees its own.
struct Owned(*mut davy_snapshot);

impl Drop for Owned {
    fn drop(&mut self) {
        unsafe { davy_snapshot_free(self.0) };
    }
}

/// The side of Rust, for Python.
fn beside_python(case: &Case, folder: &Path) {
    const ROWS: u32 = 64;
    let latest = case.latest();
    let json = case.json();
    std::fs::write(folder.join("rollouts.yaml"), &case.policy).unwrap();
    std::fs::write(folder.join("snapshot.json"), &json).unwrap();
    std::fs::write(folder.join("newest.json"), canonical_json(&latest.snapshot).unwrap()).unwrap();
    std::fs::write(folder.join("state.json"), latest.state.to_json()).unwrap();

    let fresh = State::new();
    let decide = nanos(10_000, || drop(black_box(case.engine.decide(&latest.state, &latest.snapshot))));
    let bytes = nanos(400, || {
        let snapshot = Snapshot::from_json(black_box(&json)).unwrap();
        drop(black_box(canonical_json(&case.engine.decide(&fresh, &snapshot).decision).unwrap()));
    });
    let row = |_| {
        let snapshot = Snapshot::from_json(black_box(&json)).unwrap();
        let step = case.engine.decide(&fresh, &snapshot);
        (canonical_json(&step.decision).unwrap(), step.state.to_json())
    };
    let batch = nanos(8, || drop(black_box((0..ROWS).map(row).collect::<Vec<_>>())));
    println!("decide {decide:.0}\nbytes {bytes:.0}\nrow {:.0}", batch / f64::from(ROWS));
}

/// Nanoseconds of one call: the median of nine rounds.
fn nanos(calls: u32, mut call: impl FnMut()) -> f64 {
    let round = |_| {
        let began = Instant::now();
        (0..calls).for_each(|_| call());
        began.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    let mut rounds: Vec<f64> = (0..9).map(round).collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(4).copied().unwrap_or_default()
}

fn main() {
    let case = Case::new(Shape::USUAL);
    if let Some(folder) = std::env::var_os("DAVY_OVERHEAD") {
        return beside_python(&case, Path::new(&folder));
    }
    let mut criterion = davy_benches::criterion();
    deciding(&mut criterion, &case);
    bytes_to_bytes(&mut criterion, &case);
    columns(&mut criterion, &case);
    criterion.final_summary();
}
