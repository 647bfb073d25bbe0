//! The growth curves of `docs/PERFORMANCE.md`.

use crate::run::cargo;

/// Measures, and writes CSV and SVG to `docs/figures`. An argument is a part of a figure's name: only
/// those figures are made again.
pub fn growth(arguments: &[String]) -> Result<(), String> {
    let mut command = vec![
        "run",
        "--release",
        "--locked",
        "--package",
        "snapback-engine",
        "--example",
        "growth",
        "--",
        "docs/figures",
    ];
    command.extend(arguments.iter().map(String::as_str));
    cargo("growth curves", &command)
}
