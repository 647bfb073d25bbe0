//! `undo`: back to what Snapback took back.

use crate::outcome::Outcome;
use crate::rollback::source::Source;
use anyhow::Result;
use snapback_model::IncidentId;

/// Undo what Snapback took back in an incident: a checked plan to the state before, for what the
/// incident changed and nothing else. It becomes the baseline, so that the guard does not take it back
/// again.
///
/// The incident's id is in its alert and in `snapback history`. What moved on since is left as it is
/// and told. Needs a build with `--features aws`: incidents are in the deployed journal.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The incident (`inc-…`).
    #[arg(value_name = "INCIDENT")]
    incident: String,
    #[command(flatten)]
    consent: crate::rollback::Consent,
    #[command(flatten)]
    source: Source,
}

const AFTER: &str = "\
Exit codes: 0 done, or nothing to do, or the plan was shown (--dry-run); 1 refused, or not at the end that was asked for; 2 bad \
arguments or input. The plan goes to stdout, progress to stderr.";

/// Runs the command.
///
/// # Errors
/// No such journal, or bad arguments.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let incident = IncidentId::new(arguments.incident.clone());
    if arguments.source.is_simulated() {
        anyhow::bail!("{incident}: a simulated account has no journal to undo from");
    }
    undo(arguments, incident)
}

#[cfg(feature = "aws")]
fn undo(arguments: &Arguments, incident: IncidentId) -> Result<Outcome> {
    let task = crate::rollback::Task::Undo(incident);
    crate::rollback::execute(&arguments.source, &arguments.consent, task)
}

#[cfg(not(feature = "aws"))]
fn undo(_: &Arguments, _: IncidentId) -> Result<Outcome> {
    Err(crate::rollback::source::not_built())
}
