//! Mutation tests: the code is broken in one place, the crate's own tests must notice.
//!
//! - Owns: which crates, the sample, where the results lie.
//! - Takes: cargo-mutants (installed below `target/` when it is missing).
//! - Gives: `target/mutants/<crate>/mutants.out`: caught, missed, with the missed ones named.
//! - Must not: touch the working tree; be part of CI (hours).

use crate::run::{installed, run_with, target};

const CARGO_MUTANTS: &str = "27.1.0";
/// The rooms in which a wrong line is a wrong revert.
const CRATES: [&str; 2] = ["snapback-reach", "snapback-engine"];

/// Runs a shard of the mutants of each crate, or of those named.
pub fn mutants(arguments: &[String]) -> Result<(), String> {
    let mut shard = "0/1".to_owned();
    let mut wanted: Vec<&str> = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--shard" => {
                shard = arguments
                    .next()
                    .filter(|value| value.contains('/'))
                    .ok_or("--shard needs K/N: 0/40 is every fortieth mutant")?
                    .clone();
            }
            name if CRATES.contains(&name) => wanted.push(name),
            other => return Err(format!("`{other}` is none of {}", CRATES.join(", "))),
        }
    }
    if wanted.is_empty() {
        wanted.extend(CRATES);
    }
    let tool = installed("cargo-mutants", CARGO_MUTANTS)?;
    let mut missed = Vec::new();
    for name in wanted {
        let out = target().join("mutants").join(name);
        std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
        let out = out.display().to_string();
        let arguments = [
            "mutants",
            "--package",
            name,
            "--shard",
            &shard,
            "--sharding",
            "round-robin",
            "--no-shuffle",
            "--timeout-multiplier",
            "4",
            "--output",
            &out,
            "--cargo-test-arg=--lib",
        ];
        // Survivors are no failure of the run: they are what it is made for.
        if let Err(why) = run_with(&format!("mutants of {name}"), &tool, &arguments, &[]) {
            missed.push(format!("{name}: {why}; see {out}/mutants.out/missed.txt"));
        }
    }
    if missed.is_empty() {
        Ok(())
    } else {
        Err(missed.join("\n"))
    }
}
