//! The checks of CI, in the order in which they fail fastest.

use crate::run::{cargo, cargo_with, installed, root, run, target};
use std::path::PathBuf;
use std::time::Instant;

/// The command line that talks to AWS too: one set of features for all, or crates are compiled twice.
const AWS: &str = "snapback-cli/aws";
const CARGO_DENY: &str = "0.20.0";
/// Where proptest takes its seed from.
const SEED: &str = "PROPTEST_RNG_SEED";
/// The seed of CI: a red run is red again, for the same reason.
const DEFAULT_SEED: &str = "20261123";

/// Everything.
pub fn test() -> Result<(), String> {
    let began = Instant::now();
    cargo("format", &["fmt", "--all", "--", "--check"])?;
    template()?;
    cargo(
        "lints",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            AWS,
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    build()?;
    let seed = std::env::var(SEED).unwrap_or_else(|_| DEFAULT_SEED.to_owned());
    eprintln!(
        "\n== randomised tests use {SEED}={seed}; another one is as good: {SEED}=$RANDOM cargo xtask test"
    );
    cargo_with(
        "tests",
        &["test", "--workspace", "--features", AWS, "--locked"],
        &[(SEED, &seed)],
    )?;
    crate::fuzz::bounded()?;
    compare(&[])?;
    play(&[])?;
    deny()?;
    eprintln!(
        "\n== all checks passed in {:.0} s",
        began.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Builds every target at once: the same features as the tests resolve to, or aws-sdk-ec2 would be
/// compiled a second time for the functions alone.
fn build() -> Result<(), String> {
    cargo(
        "build",
        &[
            "build",
            "--workspace",
            "--all-targets",
            "--features",
            AWS,
            "--locked",
        ],
    )
}

/// The template: translated, linted, and what linters miss; the parameters of our EC2 calls.
pub fn template() -> Result<(), String> {
    let python = python()?;
    run("template", &python, &["tests/template/check_template.py"])?;
    run(
        "parameters",
        python,
        &["tests/template/check_parameters.py"],
    )
}

/// The simulator's wire face against moto: one script of calls, every difference known.
pub fn wire(arguments: &[String]) -> Result<(), String> {
    cargo(
        "build snapback",
        &["build", "--locked", "-p", "snapback-cli"],
    )?;
    compare(arguments)
}

fn compare(arguments: &[String]) -> Result<(), String> {
    let python = python()?;
    let (binary, work) = (target().join("debug/snapback"), target().join("wire"));
    let (binary, work) = (binary.display().to_string(), work.display().to_string());
    let mut command = vec![
        "tests/wire/compare.py",
        "--snapback",
        &binary,
        "--work",
        &work,
    ];
    command.extend(arguments.iter().map(String::as_str));
    run("wire", python, &command)
}

/// The real binaries against emulators.
pub fn end_to_end(arguments: &[String]) -> Result<(), String> {
    build()?;
    play(arguments)
}

fn play(arguments: &[String]) -> Result<(), String> {
    let python = python()?;
    let (binaries, work) = (target().join("debug"), target().join("e2e"));
    let (binaries, work) = (binaries.display().to_string(), work.display().to_string());
    let mut command = vec!["tests/e2e/run.py", "--binaries", &binaries, "--work", &work];
    command.extend(arguments.iter().map(String::as_str));
    run("end to end", python, &command)
}

/// Licences, sources and banned crates. Advisories need GitHub, which not every machine reaches:
/// they are a command of their own (`cargo deny check advisories`).
pub fn deny() -> Result<(), String> {
    let deny = installed("cargo-deny", CARGO_DENY)?;
    let check = [
        "--config",
        "deny.toml",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    run("supply chain", &deny, &check)?;
    let fuzz = ["--manifest-path", "fuzz/Cargo.toml"];
    run("supply chain of fuzz", deny, &[&fuzz[..], &check].concat())
}

/// The Python of the project's own environment, made when its pinned requirements are new.
pub fn python() -> Result<PathBuf, String> {
    let environment = target().join("python");
    let python = environment.join("bin").join("python");
    let wanted = root().join("tests/e2e/requirements.txt");
    let wanted = std::fs::read_to_string(&wanted)
        .map_err(|error| format!("{}: {error}", wanted.display()))?;
    let stamp = environment.join("requirements.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let directory = environment.display().to_string();
    run("python", "python3", &["-m", "venv", "--clear", &directory])?;
    run(
        "python packages",
        &python,
        &[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            "tests/e2e/requirements.txt",
        ],
    )?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(python)
}
