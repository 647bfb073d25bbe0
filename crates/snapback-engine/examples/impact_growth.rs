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

/// Runs of each point; the median is told.
const RUNS: usize = 9;

fn main() {
    println!("interfaces,change,microseconds");
    for interfaces in [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] {
        for change in vpc::changes(interfaces) {
            let mut took: Vec<u128> = (0..RUNS)
                .map(|_| {
                    let begun = Instant::now();
                    black_box(impact(&change.baselines, &change.live, &change.diff));
                    begun.elapsed().as_micros()
                })
                .collect();
            took.sort_unstable();
            let median = took.get(RUNS / 2).expect("runs");
            println!("{interfaces},{},{median}", change.name);
        }
    }
}
