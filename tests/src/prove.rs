//! The proof of the planner by numbers: random pairs of live and baseline, planned and folded.
//!
//! - Owns: the worlds, what is checked of a plan, the shrinking of a case that fails.
//! - Takes: a seed for each case.
//! - Gives: [`Figures`], and [`Failure`] with the case that shows it.
//! - Must not: ask the planner's own proof whether a step is safe; it asks the naive evaluator and the packet algebra.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a package of tests"
)]

mod account;
mod check;
mod figures;
mod hard;
mod mutate;
mod packets;
mod prefix;
mod seen;
mod shrink;
mod world;

pub use check::{Failure, check};
pub use figures::Figures;
pub use shrink::shrink;
pub use world::{Case, Draw};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes and checks one case; a panic of the planner is a failure like any other.
///
/// # Errors
/// What is wrong.
pub fn prove(seed: u64, draw: Draw) -> Result<Figures, Failure> {
    match catch_unwind(|| Case::drawn(seed, draw)) {
        Ok(case) => judged(&case),
        Err(_) => Err(Failure {
            what: "the world was not made",
            words: format!("seed {seed}"),
        }),
    }
}

pub(crate) fn judged(case: &Case) -> Result<Figures, Failure> {
    catch_unwind(AssertUnwindSafe(|| check(case))).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "without words".to_owned());
        Err(Failure {
            what: "the planner panicked",
            words,
        })
    })
}

/// Checks the cases `seed`, `seed + 1`, … of a draw on `threads` threads; `told` hears the number of cases done
/// now and then. Gives the figures and the seeds that failed, the lowest first.
pub fn run(
    seed: u64,
    cases: u64,
    draw: Draw,
    threads: usize,
    told: impl Fn(u64) + Sync,
) -> (Figures, Vec<(u64, Failure)>) {
    let next = AtomicU64::new(0);
    let found = Mutex::new((Figures::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut figures = Figures::default();
                let mut failures = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= cases {
                        break;
                    }
                    let seed = seed.wrapping_add(index);
                    match prove(seed, draw) {
                        Ok(one) => figures.add(&one),
                        Err(failure) => failures.push((seed, failure)),
                    }
                    if index.is_multiple_of(64) {
                        told(index);
                    }
                }
                let mut found = found.lock().unwrap();
                found.0.add(&figures);
                found.1.extend(failures);
            });
        }
    });
    let (figures, mut failures) = found.into_inner().unwrap();
    failures.sort_by_key(|(seed, _)| *seed);
    (figures, failures)
}
