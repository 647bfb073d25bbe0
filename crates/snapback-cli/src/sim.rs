//! `sim`: the simulator by itself.

mod deliver;
mod listen;
mod serve;

use crate::outcome::Outcome;
use anyhow::Result;

/// The simulated account by itself: serve it to the AWS CLI, boto3 or real Lambdas.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Serve(serve::Arguments),
}

/// Runs the subcommand.
///
/// # Errors
/// Those of the subcommand.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    match &arguments.command {
        Command::Serve(arguments) => serve::run(arguments),
    }
}
