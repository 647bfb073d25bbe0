//! `snapback`: the command line.
//!
//! - Owns: arguments, files, what is printed and the exit code.
//! - Takes: describe outputs, captures, events.
//! - Gives: data on stdout, everything else on stderr.
//! - Must not: decide anything; talk to AWS unless it was asked to and built for it.

#[cfg(feature = "aws")]
mod account;
mod capture;
mod decode;
mod demo;
mod diff;
mod outcome;
mod plan;
mod sim;
mod source;
mod style;

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
Exit codes: 0 done, or no differences; 1 `diff` found differences, or a story of `demo` ended wrong; 2 bad input or arguments (what could not be used is named; the rest was done where it is safe).
Colour follows the terminal; NO_COLOR turns it off.";

#[derive(Subcommand)]
enum Command {
    Capture(capture::Arguments),
    Decode(decode::Arguments),
    Demo(demo::Arguments),
    Diff(diff::Arguments),
    Plan(plan::Arguments),
    Sim(sim::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Capture(arguments) => capture::run(&arguments),
        Command::Decode(arguments) => decode::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
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
