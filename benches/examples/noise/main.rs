//! Both keys of an abort under noise: false aborts and detection over a grid of services, many rollouts a cell.
//!
//! `cargo run --release -p davy-benches --example noise -- [--runs N] [--seed S] [--threads T] [--power]`
//!
//! It draws the counts of every replica and feeds the library's arithmetic with them, interval by interval, as the
//! health gate does: the e-process by its running maximum, and the discounted evidence. `davy policy simulate` does
//! the same through the whole engine, and is slower.
#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a simulation that cannot go on should stop"
)]

mod judge;
mod model;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use judge::{Column, Judges, Past};
use model::{Cell, Effect, Scenario};

struct Effort {
    runs: u64,
    seed: u64,
    threads: usize,
    power: bool,
    only: Option<String>,
}

fn main() {
    let effort = effort();
    let cells = if effort.power { power() } else { false_aborts() };
    let cells: Vec<Cell> = cells
        .into_iter()
        .filter(|cell| effort.only.as_ref().is_none_or(|only| cell.name().contains(only.as_str())))
        .collect();
    let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
    println!("| rate | K | scenario | {} |", names.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(names.len()));
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..effort.threads {
            let (send, next, cells, effort) = (send.clone(), &next, &cells, &effort);
            scope.spawn(move || {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let _ = send.send(row(cell, effort));
                }
            });
        }
        drop(send);
        for row in receive {
            println!("{row}");
        }
    });
}

fn row(cell: &Cell, effort: &Effort) -> String {
    let past = Past::learn(cell, effort.seed);
    let mut aborted: Vec<Vec<u32>> = vec![Vec::new(); Column::ALL.len()];
    for run in 0..effort.runs {
        let mut rollout = cell.begin(effort.seed, run);
        let mut judges = Judges::new(cell);
        for k in 0..model::INTERVALS {
            judges.look(k, &rollout.interval(k), &past);
            if judges.all_aborted() {
                break;
            }
        }
        for (all, first) in aborted.iter_mut().zip(judges.aborted()) {
            all.extend(first);
        }
    }
    let text = |first: &mut Vec<u32>| {
        let part = 100.0 * first.len() as f64 / effort.runs as f64;
        if effort.power {
            first.sort_unstable();
            let median = first.get((effort.runs / 2) as usize).map(|interval| f64::from(interval + 1) * 0.5);
            format!("{part:.0}/{}", median.map_or("–".to_owned(), |minutes| format!("{minutes:.1}")))
        } else {
            let (low, high) = wilson(first.len() as f64, effort.runs as f64);
            format!("{part:.2} [{low:.2},{high:.2}]")
        }
    };
    let columns: Vec<String> = aborted.iter_mut().map(text).collect();
    format!("| {} | {} | {} | {} |", cell.rate, cell.replicas, cell.scenario.name, columns.join(" | "))
}

/// The 95 % interval of E. B. Wilson (1927), in per cent: that of the study which this is compared with.
fn wilson(of: f64, runs: f64) -> (f64, f64) {
    let z = 1.959_963_984_540_054;
    let share = of / runs;
    let middle = (share + z * z / (2.0 * runs)) / (1.0 + z * z / runs);
    let half = z / (1.0 + z * z / runs) * libm::sqrt(share * (1.0 - share) / runs + z * z / (4.0 * runs * runs));
    (100.0 * (middle - half).max(0.0), 100.0 * (middle + half))
}

const RATES: [f64; 3] = [5.0, 50.0, 500.0];
const REPLICAS: [usize; 3] = [3, 10, 30];

fn grid(scenarios: &[Scenario]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for rate in RATES {
        for replicas in REPLICAS {
            cells.extend(scenarios.iter().map(|scenario| Cell { rate, replicas, scenario: *scenario }));
        }
    }
    cells
}

fn false_aborts() -> Vec<Cell> {
    grid(&Scenario::healthy())
}

fn power() -> Vec<Cell> {
    let mut scenarios = Vec::new();
    for noise in [Scenario::still(), Scenario::clean(), Scenario::mixed(), Scenario::hard()] {
        for (name, errors, latency) in [
            ("err_x2", 2.0, 1.0),
            ("err_x5", 5.0, 1.0),
            ("outage", f64::INFINITY, 1.0),
            ("lat+25%", 1.0, 1.25),
            ("lat_x2", 1.0, 2.0),
        ] {
            let name: &'static str = Box::leak(format!("{name}\\|{}", noise.name).into_boxed_str());
            scenarios.push(noise.with(name, Effect { errors, latency }));
        }
    }
    grid(&scenarios)
}

fn effort() -> Effort {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, default: u64| value(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let power = arguments.iter().any(|argument| argument == "--power");
    Effort {
        runs: number("--runs", if power { 1000 } else { 10_000 }),
        seed: number("--seed", 20_261_126),
        threads: usize::try_from(number("--threads", 1)).unwrap_or(1),
        power,
        only: value("--only"),
    }
}
