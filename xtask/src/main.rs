//! `cargo xtask`: what is done to the project rather than by it.
//!
//! - Owns: the order of the checks, the project's own Python environment and tools below `target/`.
//! - Takes: a Rust toolchain, Python 3, the package registries.
//! - Gives: `test` (everything CI runs), `e2e`, `wire`, `template`, `deny`, `bench`, `growth`, `fuzz`,
//!   `prove`, `mutants`, `account`, `history`, `storm`.
//! - Must not: hide a failing check; every command is shown, timed, and its failure ends the run.
#![allow(
    clippy::print_stderr,
    reason = "a command-line tool reports its progress on stderr"
)]

mod account;
mod bench;
mod checks;
mod fuzz;
mod growth;
mod history;
mod mutants;
mod options;
mod prove;
mod run;
mod storm;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  test        everything CI runs: format, template, clippy, all tests, fuzz, wire, end to end, supply chain
  e2e [ARGS]  the end-to-end run alone (--story NAME, --no-auth)
  wire [ARGS] `snapback sim serve` against moto (--table prints the table of docs/SIMULATOR.md)
  template    translate template.yaml, lint it, and what linters miss
  deny        licences, sources, banned crates
  bench       the figures of docs/PERFORMANCE.md: criterion, and the release guard under a Runtime API
  growth [F]  the growth curves of docs/PERFORMANCE.md: CSV and SVG in docs/figures
  fuzz [TARGET] [--seconds N]
              the fuzz targets for a while (each N seconds, 300 unless told)
  mutants [CRATE…] [--shard K/N]
              breaks engine and reach in one place after the other: their tests must notice (hours; a shard for a sample)
  prove [--cases N] [--seed S] [--threads N] [--format table|json]
              random pairs of live and baseline: each plan must reach its goal, every prefix safe
  history --out DIR [--records N] [--seed N]
              a year of a busy account's CloudTrail files, made up, to measure `snapback backtest` on
  account --out DIR [--interfaces N] [--groups N] [--changed N] [--seed N]
              a large account before and after somebody opened N groups, as describe files, to measure `snapback explain` on
  storm [--seeds N] [--from S] [--seed S] [--hard] [--format json]
              faulty worlds, each by one seed: many with a summary, or the whole story of one
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "test" => checks::test(),
        "e2e" => checks::end_to_end(&rest),
        "wire" => checks::wire(&rest),
        "template" => checks::template(),
        "deny" => checks::deny(),
        "bench" => bench::bench(&rest),
        "growth" => growth::growth(&rest),
        "fuzz" => fuzz::fuzz(&rest),
        "account" => account::account(&rest),
        "history" => history::history(&rest),
        "storm" => storm::storm(&rest),
        "mutants" => mutants::mutants(&rest),
        "prove" => prove::prove(&rest),
        "" | "help" | "--help" => {
            eprint!("{HELP}");
            Ok(())
        }
        other => Err(format!("unknown command `{other}`\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
