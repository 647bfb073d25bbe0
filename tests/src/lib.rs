//! What the test package shares: the [`scene`] of the scenarios, the storms, the proof of the planner.
//!
//! - Owns: the runtime of a scenario.
//! - Takes: nothing.
//! - Gives: everything of the scene by its own name.
//! - Must not: know what the flow does inside.

#![allow(clippy::unwrap_used, reason = "a package of tests")]

pub mod prove;
pub mod scene;
pub mod storm;

pub use scene::*;

use std::future::Future;

/// Runs a future to its end on this thread.
///
/// # Panics
/// Where the runtime does not start.
pub fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
