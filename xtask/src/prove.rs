//! The proof of the planner by numbers.

use crate::run::run;

/// Builds the prover for speed and runs it; the options are its own.
pub fn prove(arguments: &[String]) -> Result<(), String> {
    let mut words = vec![
        "run",
        "--profile",
        "storm",
        "-q",
        "-p",
        "snapback-tests",
        "--bin",
        "prove",
        "--",
    ];
    words.extend(arguments.iter().map(String::as_str));
    run("prove", "cargo", &words)
}
