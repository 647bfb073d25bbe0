//! `recheck`: a person asks the guard to look at a resource now.

use crate::inbox::{self, Letter};
use crate::outcome::Outcome;
use anyhow::Result;
use snapback_app::port::{Command, RecheckReason};
use snapback_model::{ResourceId, Timestamp};

/// Ask the guard to look at a resource now: after a right was given, a quota raised, a hand-made repair;
/// or so that a change that waits for quiet is judged at once.
///
/// It is judged as ever, by the baseline and the policy. Where all is as it should be, or was told before,
/// nothing is told.
#[derive(clap::Args)]
#[command(after_help = inbox::AFTER)]
pub struct Arguments {
    /// The resource (`sg-…`, `acl-…`, `rtb-…`).
    #[arg(value_name = "RESOURCE")]
    resource: ResourceId,
    #[command(flatten)]
    letter: Letter,
}

/// Runs the command.
///
/// # Errors
/// No way to send it.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let Arguments { resource, letter } = arguments;
    let words = format!("{} asked: {}", letter.by(), letter.why());
    letter.send(&Command::Recheck {
        resource: resource.clone(),
        why: RecheckReason::Asked(words),
        asked_at: Timestamp::now(),
    })
}
