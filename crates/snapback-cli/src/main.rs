//! `snapback`: the command line.
//!
//! - Owns: arguments, files, what is printed and the exit code.
//! - Takes: describe outputs, captures, events.
//! - Gives: data on stdout, everything else on stderr.
//! - Must not: decide anything; talk to AWS unless it was asked to and built for it.

#[cfg(feature = "aws")]
mod account;
mod backtest;
mod can;
mod capture;
mod decode;
mod demo;
mod diff;
mod explain;
mod history;
mod inbox;
mod outcome;
mod plan;
mod policy;
mod recheck;
mod release;
mod rollback;
mod sim;
mod source;
mod style;
mod undo;

use clap::{Parser, Subcommand};
use outcome::Outcome;
use std::process::ExitCode;

/// Keeps security groups, network ACLs and route tables at their last-known-good state.
#[derive(Parser)]
#[command(name = "snapback", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What the exit codes of every command mean.
const EXIT_CODES: &str = "\
Exit codes: 0 done, or no differences, or `can`: it passes; 1 `diff` or `explain` found differences, an audit found something of severity high or worse, `can`: it does not pass, a story of `demo` ended wrong, or `rollback` and `undo` were refused or did not reach their end, or `release` and `recheck` were not taken by the inbox; 2 bad input or arguments (what could not be used is named; the rest was done where it is safe); 3 `can`: too little was read to tell.
Colour follows the terminal; NO_COLOR turns it off.";

#[derive(Subcommand)]
enum Command {
    Backtest(backtest::Arguments),
    Can(can::Arguments),
    Capture(capture::Arguments),
    Decode(decode::Arguments),
    Demo(demo::Arguments),
    Diff(diff::Arguments),
    Explain(explain::Arguments),
    History(history::Arguments),
    Plan(plan::Arguments),
    Policy(policy::Arguments),
    Recheck(recheck::Arguments),
    Release(release::Arguments),
    Rollback(rollback::Arguments),
    Sim(sim::Arguments),
    Undo(undo::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Backtest(arguments) => backtest::run(&arguments),
        Command::Can(arguments) => can::run(&arguments),
        Command::Capture(arguments) => capture::run(&arguments),
        Command::Decode(arguments) => decode::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::Recheck(arguments) => recheck::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
        Command::Rollback(arguments) => rollback::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Undo(arguments) => undo::run(&arguments),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) if outcome::is_closed_pipe(&error) => Outcome::Clean.into(),
        Err(error) => {
            style::error(&error);
            ExitCode::from(2)
        }
    }
}
