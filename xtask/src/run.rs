//! Running other programs, visibly.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The workspace root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."))
        .to_path_buf()
}

/// Where builds go.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Runs a program in the workspace root, showing the command and its time.
///
/// # Errors
/// The command, when it cannot start or fails.
pub fn run(what: &str, program: impl AsRef<Path>, arguments: &[&str]) -> Result<(), String> {
    run_with(what, program, arguments, &[])
}

/// Runs a program with more environment variables.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    what: &str,
    program: impl AsRef<Path>,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<(), String> {
    let program = program.as_ref();
    let shown = format!("{} {}", program.display(), arguments.join(" "));
    eprintln!("\n== {what}: {shown}");
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|error| format!("{what}: cannot start `{shown}`: {error}"))?;
    let seconds = began.elapsed().as_secs_f32();
    if status.success() {
        eprintln!("== {what}: ok in {seconds:.0} s");
        Ok(())
    } else {
        Err(format!(
            "{what}: `{shown}` ended with {status} after {seconds:.0} s"
        ))
    }
}

/// Runs cargo.
///
/// # Errors
/// As [`run`].
pub fn cargo(what: &str, arguments: &[&str]) -> Result<(), String> {
    cargo_with(what, arguments, &[])
}

/// Runs cargo with more environment variables.
///
/// # Errors
/// As [`run`].
pub fn cargo_with(
    what: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    run_with(what, cargo, arguments, variables)
}

/// A cargo tool of the project's own, below `target/tools`; installed where it is not there yet.
///
/// # Errors
/// As [`run`].
pub fn installed(name: &str, version: &str) -> Result<PathBuf, String> {
    let tools = target().join("tools");
    let tool = tools.join("bin").join(name);
    if !tool.exists() {
        let (root, build) = (tools.display().to_string(), tools.join("build"));
        let (wanted, build) = (format!("{name}@{version}"), build.display().to_string());
        let arguments = [
            "install",
            "--locked",
            "--debug",
            "--quiet",
            &wanted,
            "--root",
            &root,
            "--target-dir",
            &build,
        ];
        cargo(&format!("install {name}"), &arguments)?;
        // Hundreds of megabytes that only another version would use.
        let _absent = std::fs::remove_dir_all(build);
    }
    Ok(tool)
}
