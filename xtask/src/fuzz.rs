//! The fuzz targets: a bounded run of each for the tests, a longer one by itself.
//!
//! - Owns: how the targets are built and run, where their corpus lies.
//! - Takes: cargo-fuzz (installed below `target/` when it is missing), the seeds in `fuzz/seeds`.
//! - Gives: findings as files below `target/fuzz/artifacts`.
//! - Must not: write below `fuzz/`; need a nightly compiler.

use crate::run::{installed, root, run_with, target};
use std::path::PathBuf;

const CARGO_FUZZ: &str = "0.13.1";
/// The targets, with the runs of the bounded test: so many that each takes some seconds, and no
/// clock decides whether it is red.
const TARGETS: [(&str, u32); 3] = [("decode", 60_000), ("describe", 30_000), ("algebra", 2_000)];
/// libFuzzer's seed in the bounded run: a red run is red again.
const SEED: &str = "20261123";
const SECONDS: u32 = 300;

/// A bounded run of each target.
pub fn bounded() -> Result<(), String> {
    for (name, runs) in TARGETS {
        let seed = format!("-seed={SEED}");
        run_target(name, &[&format!("-runs={runs}"), &seed], false)?;
    }
    Ok(())
}

/// A longer run: every target in turn, or one.
pub fn fuzz(arguments: &[String]) -> Result<(), String> {
    let mut seconds = SECONDS;
    let mut wanted: Vec<&str> = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => {
                let value = arguments.next().ok_or("--seconds needs a number")?;
                seconds = value
                    .parse()
                    .map_err(|_| format!("--seconds {value}: not a number"))?;
            }
            name if TARGETS.iter().any(|(target, _)| *target == name) => wanted.push(name),
            other => {
                let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
                return Err(format!("`{other}` is no fuzz target: {}", names.join(", ")));
            }
        }
    }
    let all = TARGETS.iter().map(|(name, _)| *name);
    let turn: Vec<&str> = match wanted.is_empty() {
        true => all.collect(),
        false => wanted,
    };
    for (index, name) in turn.iter().enumerate() {
        eprintln!(
            "\n== fuzz {}/{}: {name}, {seconds} s",
            index.saturating_add(1),
            turn.len()
        );
        run_target(name, &[&format!("-max_total_time={seconds}")], true)?;
    }
    Ok(())
}

/// Runs one target. The corpus that a longer run finds is kept below `target/`; the bounded run
/// starts from the seeds alone, so that it is the same everywhere.
fn run_target(name: &str, limits: &[&str], grows: bool) -> Result<(), String> {
    let tool = installed("cargo-fuzz", CARGO_FUZZ)?;
    let home = target().join("fuzz");
    let corpus = home.join("corpus").join(if grows {
        name.into()
    } else {
        format!("{name}-bounded")
    });
    let artifacts = home.join("artifacts").join(name);
    if !grows {
        let _absent = std::fs::remove_dir_all(&corpus);
    }
    for folder in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let seeds = root().join("fuzz").join("seeds").join(name);
    let text = |path: &PathBuf| path.display().to_string();
    let prefix = format!("-artifact_prefix={}/", artifacts.display());
    let (home, corpus, seeds) = (text(&home), text(&corpus), text(&seeds));
    let mut arguments = vec![
        "run",
        "--sanitizer",
        "none",
        "--target-dir",
        &home,
        name,
        &corpus,
        &seeds,
        "--",
        "-max_len=4096",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        &prefix,
    ];
    arguments.extend(limits);
    // All code here is safe Rust, so no sanitizer is needed; libFuzzer's counters need a compiler
    // flag that only this variable opens in a stable compiler.
    let bootstrap = [("RUSTC_BOOTSTRAP", "1")];
    run_with(&format!("fuzz {name}"), tool, &arguments, &bootstrap)
}
