//! The figures of `docs/PERFORMANCE.md`.

use crate::checks;
use crate::run::{cargo, run, target};

/// Criterion benches of the pure stages, then the release `guard` under a Runtime API of our own.
pub fn bench(arguments: &[String]) -> Result<(), String> {
    if !arguments.iter().any(|argument| argument == "--guard-only") {
        cargo("algebra", &["bench", "--package", "snapback-reach"])?;
        cargo("stages", &["bench", "--package", "snapback-engine"])?;
    }
    let functions = [
        "build",
        "--release",
        "--locked",
        "--package",
        "guard",
        "--package",
        "sweep",
        "--package",
        "notify",
    ];
    cargo("release functions", &functions)?;
    let python = checks::python()?;
    let binary = target().join("release").join("guard").display().to_string();
    let work = target().join("bench").display().to_string();
    run(
        "guard under a Runtime API",
        python,
        &["tests/bench/guard.py", "--binary", &binary, "--work", &work],
    )
}
