//! Reading and compiling the example bundle, beside the bare YAML events of the same text.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

use criterion::Throughput;
use davy::{Bundle, Engine};
use granit_parser::Parser;
use std::hint::black_box;

const CHECKOUT: &str = include_str!("../../policies/checkout/rollouts.yaml");

fn main() {
    let mut criterion = davy_benches::criterion();
    let mut group = criterion.benchmark_group("compile");
    group.throughput(Throughput::Bytes(CHECKOUT.len() as u64));
    group.bench_function("floor: granit-parser, events", |bencher| {
        bencher.iter(|| Parser::new_from_str(black_box(CHECKOUT)).for_each(|item| drop(black_box(item.unwrap()))));
    });
    group.bench_function("policies/checkout", |bencher| {
        bencher.iter(|| Engine::new(&Bundle::from_files([("rollouts.yaml", black_box(CHECKOUT))]).unwrap()));
    });
    group.finish();
    criterion.final_summary();
}
