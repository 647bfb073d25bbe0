//! Prints how the time of one impact grows with the interfaces of a VPC, as CSV:
//! `cargo run --release -p snapback-engine --example impact_growth`.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "an example for a plot"
)]

#[path = "../benches/vpc/mod.rs"]
mod vpc;

use snapback_engine::impact::impact;
use std::hint::black_box;
use std::time::Instant;

/// Runs of each point; the shortest is told: on a busy machine the others tell of others.
const RUNS: usize = 25;

fn main() {
    println!("interfaces,change,microseconds");
    for interfaces in [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] {
        for change in vpc::changes(interfaces) {
            let run = |_| {
                let begun = Instant::now();
                black_box(impact(&change.baselines, &change.live, &change.diff));
                begun.elapsed().as_micros()
            };
            let shortest = (0..RUNS).map(run).min().expect("runs");
            println!("{interfaces},{},{shortest}", change.name);
        }
    }
}
