//! `undo`: back to what Snapback took back.

use crate::outcome::Outcome;
use crate::rollback::source::Tables;
use crate::source::Choice;
use anyhow::Result;
use snapback_model::IncidentId;

/// Undo what Snapback took back in an incident: a checked plan to the state before, for what the
/// incident changed and nothing else. It becomes the baseline, so that the guard does not take it back
/// again.
///
/// The incident's id is in its alert and in `snapback history`. What moved on since is left as it is
/// and told.
///
/// Only where built with `--features aws`: incidents are in the deployed journal. A simulated account
/// keeps its journal no longer than its run, so there is nothing to undo in one.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The incident (`inc-…`).
    #[arg(value_name = "INCIDENT")]
    incident: String,
    #[command(flatten)]
    consent: crate::rollback::Consent,
    #[command(flatten)]
    tables: Tables,
    /// Whose state it is.
    #[command(flatten)]
    choice: Choice,
}

const AFTER: &str = "\
Exit codes: 0 done, or nothing to do, or the plan was shown (--dry-run); 1 refused, or not at the end that was asked for; 2 bad \
arguments or input. The plan goes to stdout, progress to stderr.";

/// Runs the command.
///
/// # Errors
/// No such journal, or bad arguments.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    undo(arguments, IncidentId::new(arguments.incident.clone()))
}

#[cfg(feature = "aws")]
fn undo(arguments: &Arguments, incident: IncidentId) -> Result<Outcome> {
    let Arguments {
        consent,
        tables,
        choice,
        ..
    } = arguments;
    crate::rollback::undo(tables, choice, consent, incident)
}

#[cfg(not(feature = "aws"))]
fn undo(_: &Arguments, incident: IncidentId) -> Result<Outcome> {
    anyhow::bail!(
        "{incident}: this build does not talk to AWS, and incidents are in the deployed journal: build with `--features aws`"
    )
}
