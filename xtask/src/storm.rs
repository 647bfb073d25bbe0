//! Storms: whole faulty worlds by one seed each (docs/SIMULATOR.md).
//!
//! - Owns: how the runner is built and started.
//! - Takes: the runner's own arguments.
//! - Gives: its summary on stdout, its progress on stderr.
//! - Must not: know what a storm is.

use crate::run::cargo;

/// Builds the runner for speed and plays `--seeds N [--from S]`, or the story of one `--seed S`.
pub fn storm(arguments: &[String]) -> Result<(), String> {
    let mut all = vec![
        "run",
        "--quiet",
        "--profile",
        "storm",
        "-p",
        "snapback-tests",
        "--bin",
        "storm",
        "--",
    ];
    all.extend(arguments.iter().map(String::as_str));
    cargo("storm", &all)
}
