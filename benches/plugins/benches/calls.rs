//! Calls of a metric over 1000 values, fresh and reused, beside Extism 1.30.0 and beside wasmtime alone.
//!
//! Both sides run the same logic: written in WAT, and written in Rust with its standard library on either side's kit
//! (`guests/`, which `run` builds). davy canonicalises NaNs and counts fuel, which its results need; Extism does
//! neither. davy never reuses an instance: its reused row is the engine's under davy's settings, as a floor.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use davy::plugin::{Data, MetricInput, MetricPlugin, Plugins, Series};
use davy_plugins::{Cache, PluginHost, World, build};

const VALUES: u32 = 1000;

/// The sum of the first series' gauges, on davy's world.
const OURS: &str = r#"(module
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $len i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $at) (local.get $len)))
    (local.get $at))
  (data (i32.const 16) "sum" "1.0.0" "sum" "samples" "1")
  (data (i32.const 64)
    "\10\00\00\00\03\00\00\00" "\13\00\00\00\05\00\00\00" "\18\00\00\00\03\00\00\00"
    "\01\00\00\00\22\00\00\00\01\00\00\00" "\01\00\00\00" "\80\00\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")
  (data (i32.const 128) "\1b\00\00\00\07\00\00\00" "\18\00\00\00\03\00\00\00" "\02\00\00\00")
  (func (export "davy:plugin/measure@0.1.0#describe") (result i32) (i32.const 64))
  (func (export "davy:plugin/measure@0.1.0#evaluate")
    (param i32 i32 i64 i64 i32) (param $series i32) (param i32 i32 i32) (result i32)
    (local $at i32) (local $end i32) (local $sum f64)
    (local.set $at (i32.load offset=32 (local.get $series)))
    (local.set $end (i32.add (local.get $at) (i32.shl (i32.load offset=36 (local.get $series)) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $sum (f64.add (local.get $sum) (f64.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
    (i32.store8 (i32.const 192) (i32.const 0))
    (i32.store8 (i32.const 200) (i32.const 0))
    (f64.store (i32.const 208) (local.get $sum))
    (i32.const 192))
  (func (export "cabi_post_davy:plugin/measure@0.1.0#evaluate") (param i32) (global.set $heap (i32.const 4096))))"#;

/// The sum of its input's values, on Extism's kernel.
const THEIRS: &str = r#"(module
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $load (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "evaluate") (result i32)
    (local $at i64) (local $end i64) (local $sum f64) (local $place i64)
    (local.set $end (call $length))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $at) (local.get $end)))
      (local.set $sum (f64.add (local.get $sum) (f64.reinterpret_i64 (call $load (local.get $at)))))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br $next)))
    (local.set $place (call $alloc (i64.const 8)))
    (call $store (local.get $place) (i64.reinterpret_f64 (local.get $sum)))
    (call $output (local.get $place) (i64.const 8))
    (i32.const 0)))"#;

struct Input {
    name: davy::Name,
    at: Vec<u32>,
    values: Vec<f64>,
}

impl Input {
    fn new() -> Self {
        let values = (0..VALUES).map(|number| f64::from(number) * 0.5).collect();
        Self { name: "samples".parse().unwrap(), at: (0..VALUES).collect(), values }
    }

    fn of(&self) -> MetricInput<'_> {
        let data = Data::Gauge(self.values.clone());
        let series = vec![Series { input: &self.name, replica: None, at: self.at.clone(), data }];
        MetricInput {
            parameters: "{}",
            start: davy::Instant::EPOCH,
            every: davy::Duration::from_secs(30),
            window: VALUES,
            series,
            baseline: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The floor: wasmtime with the same settings and the same component, called through its own typed functions.
mod floor {
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

    pub mod world {
        wasmtime::component::bindgen!({
            path: "../../plugins/wit",
            world: "metric",
            ownership: Borrowing { duplicate_if_necessary: true },
        });
    }
    use world::exports::davy::plugin::measure;

    pub struct Floor {
        engine: Engine,
        pre: world::MetricPre<()>,
    }

    impl Floor {
        pub fn new(bytes: &[u8]) -> Self {
            let mut config = Config::new();
            config.cranelift_nan_canonicalization(true).consume_fuel(true).epoch_interruption(true);
            config.wasm_relaxed_simd(false).wasm_memory64(false).max_wasm_stack(256 << 10);
            let mut pool = PoolingAllocationConfig::new();
            pool.total_component_instances(64).total_core_instances(256).total_memories(128).total_tables(256);
            pool.max_memory_size(64 << 20).max_unused_warm_slots(8);
            if PoolingAllocationConfig::is_pagemap_scan_available() {
                pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(1 << 20).table_keep_resident(1 << 20);
            }
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
            let engine = Engine::new(&config).unwrap();
            let component = Component::new(&engine, bytes).unwrap();
            let pre = Linker::new(&engine).instantiate_pre(&component).unwrap();
            Self { pre: world::MetricPre::new(pre).unwrap(), engine }
        }

        pub fn instance(&self) -> (Store<()>, world::Metric) {
            let mut store = Store::new(&self.engine, ());
            store.set_fuel(100_000_000).unwrap();
            store.set_epoch_deadline(1 << 40);
            let metric = self.pre.instantiate(&mut store).unwrap();
            (store, metric)
        }
    }

    pub fn call(store: &mut Store<()>, metric: &world::Metric, at: &[u32], values: &[f64]) -> f64 {
        let series = [measure::Series { input: "samples", replica: None, at, data: measure::Data::Gauge(values) }];
        let observed = measure::Observed { start: 0, every: 30_000, window: 1000, series: &series, baseline: &[] };
        match metric.davy_plugin_measure().call_evaluate(store, "{}", observed).unwrap() {
            Ok(measure::Outcome::Value(value)) => value,
            _ => f64::NAN,
        }
    }
}

fn extism(bytes: &[u8]) -> extism::CompiledPlugin {
    let manifest =
        extism::Manifest::new([extism::Wasm::data(bytes.to_vec())]).with_timeout(std::time::Duration::from_secs(1));
    extism::PluginBuilder::new(manifest).with_cache_disabled().with_wasi(false).compile().unwrap()
}

/// The same logic on both sides: a component of davy's world, a module of Extism's.
struct Pair {
    language: &'static str,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

fn pairs() -> Vec<Pair> {
    let ours = build::component(OURS.as_bytes(), World::Metric).unwrap();
    let mut pairs = vec![Pair { language: "WAT", ours, theirs: wat::parse_str(THEIRS).unwrap() }];
    match std::env::var_os("DAVY_BENCH_GUESTS") {
        Some(folder) => {
            let read = |name: &str| std::fs::read(std::path::Path::new(&folder).join(name)).unwrap();
            let ours = build::component(&read("sum_davy.wasm"), World::Metric).unwrap();
            pairs.push(Pair { language: "Rust", ours, theirs: read("sum_extism.wasm") });
        }
        None => {
            eprintln!("SKIPPED: the guests in Rust: DAVY_BENCH_GUESTS names no folder; `benches/plugins/run` makes one")
        }
    }
    pairs
}

fn calls(criterion: &mut Criterion) {
    for pair in pairs() {
        calls_of(criterion, &pair);
    }
}

fn calls_of(criterion: &mut Criterion, pair: &Pair) {
    let input = Input::new();
    let host = PluginHost::new().unwrap();
    let metric = host.plugin(&pair.ours).unwrap().metric().unwrap();
    let ours = input.of();
    let floor = floor::Floor::new(&pair.ours);
    let theirs = extism(&pair.theirs);
    let (raw, expected) = (input.bytes(), input.values.iter().sum::<f64>());
    assert_eq!(metric.evaluate(&ours).result, Ok(davy::plugin::Measured::Value(expected)));
    let told = extism::Plugin::new_from_compiled(&theirs).unwrap().call::<&[u8], Vec<u8>>("evaluate", &raw).unwrap();
    assert_eq!(told, expected.to_le_bytes());

    let mut fresh =
        criterion.benchmark_group(format!("{}: a fresh instance and a call over 1000 values", pair.language));
    fresh.bench_function("davy", |b| b.iter(|| black_box(metric.evaluate(black_box(&ours)))));
    fresh.bench_function("wasmtime alone", |b| {
        b.iter(|| {
            let (mut store, instance) = floor.instance();
            black_box(floor::call(&mut store, &instance, &input.at, &input.values))
        });
    });
    fresh.bench_function("Extism 1.30.0", |b| {
        b.iter(|| {
            let mut plugin = extism::Plugin::new_from_compiled(&theirs).unwrap();
            black_box(plugin.call::<&[u8], Vec<u8>>("evaluate", &raw).unwrap())
        });
    });
    fresh.finish();

    let group = format!("{}: a call over 1000 values of an instance that was called before", pair.language);
    let mut reused = criterion.benchmark_group(group);
    let (mut store, instance) = floor.instance();
    reused.bench_function("wasmtime alone", |b| {
        b.iter(|| {
            store.set_fuel(100_000_000).unwrap();
            black_box(floor::call(&mut store, &instance, &input.at, &input.values))
        });
    });
    let mut plugin = extism::Plugin::new_from_compiled(&theirs).unwrap();
    reused.bench_function("Extism 1.30.0", |b| {
        b.iter(|| black_box(plugin.call::<&[u8], Vec<u8>>("evaluate", &raw).unwrap()));
    });
    reused.finish();
}

fn loading(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("davy-bench-{}", std::process::id()));
    for pair in pairs() {
        let mut group = criterion.benchmark_group(format!("{}: loading a plugin", pair.language));
        let host = PluginHost::new().unwrap();
        group.bench_function("compiled anew", |b| b.iter(|| black_box(host.plugin(&pair.ours).unwrap())));
        let cached = PluginHost::builder().cache(Cache::new(&folder).unwrap()).build().unwrap();
        drop(cached.plugin(&pair.ours).unwrap());
        group.bench_function("from the cache", |b| b.iter(|| black_box(cached.plugin(&pair.ours).unwrap())));
        group.bench_function("Extism 1.30.0, compiled anew", |b| b.iter(|| black_box(extism(&pair.theirs))));
        group.finish();
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// Three metrics of one interval, measured into a snapshot.
fn measuring(criterion: &mut Criterion) {
    for pair in pairs() {
        measuring_with(criterion, &pair);
    }
}

fn measuring_with(criterion: &mut Criterion, pair: &Pair) {
    let bytes = &pair.ours;
    let digest = davy::Digest::of(bytes);
    let metrics: String = ["a", "b", "c"]
        .map(|name| {
            format!(
                "      - name: {name}\n        max: 100\n        plugin: {{ path: sum.wasm, digest: {digest}, \
                 inputs: [{{ name: samples, gauge: g }}] }}\n"
            )
        })
        .concat();
    let policy = format!(
        "apiVersion: davy/v1\nkind: Rollout\nmetadata: {{ name: checkout }}\nspec:\n  health:\n    judge: threshold\n    \
         every: 1m\n    settle: 0s\n    warmUp: 0s\n    metrics:\n{metrics}"
    );
    let bundle =
        davy::Bundle::from_files([("rollouts.yaml", policy.as_bytes()), ("sum.wasm", bytes.as_slice())]).unwrap();
    let snapshot = davy::Snapshot::from_json(
        br#"{ "now": "2026-11-23T09:03:00Z", "asked": "keep", "stage": "canary", "weight": "5%",
        "since": "2026-11-23T09:00:00Z", "release": { "service": "checkout", "environment": "prod", "revision": "r2",
        "stable": "r1", "startedAt": "2026-11-23T09:00:00Z" }, "intervals": [{
        "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T09:01:00Z", "observations": [
        { "metric": "a.samples", "cohort": "canary", "gauge": 1 }, { "metric": "b.samples", "cohort": "canary", "gauge": 2 },
        { "metric": "c.samples", "cohort": "canary", "gauge": 3 }] }] }"#,
    )
    .unwrap();
    let plugins: Plugins = PluginHost::new().unwrap().load(&bundle).unwrap();
    let engine = davy::Engine::new(&bundle);
    criterion.bench_function(&format!("{}: measuring three plugins of one interval", pair.language), |b| {
        b.iter_batched(
            || snapshot.clone(),
            |mut snapshot| {
                davy_plugins::measure(&engine, &plugins, &mut snapshot);
                assert_eq!(snapshot.plugins.len(), 3);
                snapshot
            },
            criterion::BatchSize::SmallInput,
        );
    });
}

/// How many times one thread's calls two threads make in the same time.
fn scaling(_: &mut Criterion) {
    const CALLS: u32 = 20_000;
    let input = Input::new();
    for pair in pairs() {
        let metric = Arc::new(PluginHost::new().unwrap().plugin(&pair.ours).unwrap().metric().unwrap());
        let run = |threads: u32| {
            let began = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let ours = input.of();
                        (0..CALLS).for_each(|_| drop(black_box(metric.evaluate(black_box(&ours)))));
                    });
                }
            });
            f64::from(threads * CALLS) / began.elapsed().as_secs_f64()
        };
        let ratio = |_| {
            let one = run(1);
            run(2) / one
        };
        let mut ratios: Vec<f64> = (0..9).map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        println!("{}: two threads make {:.2} times the calls of one (median of 9)", pair.language, ratios[4]);
    }
}

criterion_group!(benches, calls, loading, measuring, scaling);
criterion_main!(benches);
