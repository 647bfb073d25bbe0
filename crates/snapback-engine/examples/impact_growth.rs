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

/// Runs of each point; their mean is told.
const RUNS: u128 = 40;

/// Nanoseconds that this process was on a processor: on a busy machine the clock on the wall tells
/// of others. The clock on the wall where the system does not tell.
fn spent(begun: Instant) -> u128 {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let first = told.and_then(|text| text.split(' ').next()?.parse().ok());
    first.unwrap_or_else(|| begun.elapsed().as_nanos())
}

fn main() {
    let begun = Instant::now();
    println!("interfaces,change,microseconds");
    for interfaces in [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] {
        for change in vpc::changes(interfaces) {
            let before = spent(begun);
            for _ in 0..RUNS {
                black_box(impact(&change.baselines, &change.live, &change.diff));
            }
            let mean = spent(begun).saturating_sub(before) / RUNS / 1000;
            println!("{interfaces},{},{mean}", change.name);
        }
    }
}
