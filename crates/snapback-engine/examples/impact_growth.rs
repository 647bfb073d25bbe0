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

/// Nanoseconds that this process was on a processor: on a busy machine the clock on the wall tells
/// of others. The clock where the system does not tell.
fn spent(begun: Instant) -> u128 {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let first = told.and_then(|text| text.split(' ').next()?.parse().ok());
    first.unwrap_or_else(|| begun.elapsed().as_nanos())
}

/// Runs of each point; the median is told.
const RUNS: usize = 9;

fn main() {
    let begun = Instant::now();
    println!("interfaces,change,microseconds");
    for interfaces in [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] {
        for change in vpc::changes(interfaces) {
            let mut took: Vec<u128> = (0..RUNS)
                .map(|_| {
                    let before = spent(begun);
                    black_box(impact(&change.baselines, &change.live, &change.diff));
                    spent(begun).saturating_sub(before) / 1000
                })
                .collect();
            took.sort_unstable();
            let median = took.get(RUNS / 2).expect("runs");
            println!("{interfaces},{},{median}", change.name);
        }
    }
}
