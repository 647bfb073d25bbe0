//! From the proposal to its end: show, ask, run, tell.

use super::source::Source;
#[cfg(feature = "aws")]
use super::source::Tables;
use super::{outcome_of, show};
use crate::outcome::Outcome;
#[cfg(feature = "aws")]
use crate::source::Choice;
use crate::{capture, style};
use anyhow::{Context, Result};
use clap::ValueEnum;
use snapback_app::guard::Guard;
use snapback_app::rights::RollbackPorts;
use snapback_app::rollback::{self, Proposal, Wish};
use snapback_engine::incident::Outcome as Ended;
use snapback_engine::plan::Note;
#[cfg(feature = "aws")]
use snapback_model::IncidentId;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;

/// How long one run may take.
const RUN: Duration = Duration::from_secs(3600);

/// How a person agrees to what is shown.
#[derive(clap::Args)]
pub struct Consent {
    /// Show the plan and end.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask: for scripts, where standard input is no terminal.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Run a plan that interrupts traffic on its way; without it, such a plan is refused.
    #[arg(long)]
    pub allow_interruptions: bool,
    /// Who asks [default: the user running this].
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Why: it stands in the history.
    #[arg(long, value_name = "WHY", default_value = "")]
    why: String,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How a plan and its end are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one object with `plan`, `emergency`, `promoted`, `remarks` and, after a run, `ended`.
    Json,
}

impl Consent {
    /// Who asks.
    pub fn by(&self) -> String {
        self.by.clone().unwrap_or_else(capture::user)
    }

    /// Why.
    pub fn why(&self) -> &str {
        &self.why
    }
}

/// What is asked for.
enum Task {
    /// A rollback.
    Rollback(Wish),
    /// The undoing of an incident.
    #[cfg(feature = "aws")]
    Undo(IncidentId),
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime")
}

/// Proposes a rollback, asks and runs, wherever the source has its account.
///
/// # Errors
/// Sources that cannot be read, what nothing knows, a closed standard output.
pub fn rollback(source: &Source, consent: &Consent, wish: Wish) -> Result<Outcome> {
    let task = Task::Rollback(wish);
    runtime()?.block_on(async {
        if source.is_simulated() {
            let guard = source.simulated(&consent.by()).await?;
            return Box::pin(on(&guard, consent, &task)).await;
        }
        #[cfg(feature = "aws")]
        {
            let guard = source.deployed(&consent.by()).await?;
            Box::pin(on(&guard, consent, &task)).await
        }
        #[cfg(not(feature = "aws"))]
        Err(super::source::not_built())
    })
}

/// Proposes the undoing of an incident, asks and runs.
///
/// # Errors
/// No such journal, what nothing knows, a closed standard output.
#[cfg(feature = "aws")]
pub fn undo(
    tables: &Tables,
    choice: &Choice,
    consent: &Consent,
    incident: IncidentId,
) -> Result<Outcome> {
    let task = Task::Undo(incident);
    runtime()?.block_on(async {
        let guard = tables.guard(choice, &consent.by()).await?;
        Box::pin(on(&guard, consent, &task)).await
    })
}

async fn on<P: RollbackPorts>(guard: &Guard<P>, consent: &Consent, task: &Task) -> Result<Outcome> {
    let proposed = match task {
        Task::Rollback(wish) => rollback::propose(&guard.ports, wish).await,
        #[cfg(feature = "aws")]
        Task::Undo(incident) => {
            let (by, why) = (consent.by(), consent.why());
            let interruptions = consent.allow_interruptions;
            rollback::undo(&guard.ports, incident, &by, why, interruptions).await
        }
    };
    let proposal = match proposed {
        Ok(proposal) => proposal,
        Err(error) => return outcome_of(error),
    };
    if consent.format == Format::Text {
        show::text(&proposal)?;
    }
    let agreed = agreed(consent, &proposal)?;
    if agreed != Agreed::Yes {
        if consent.format == Format::Json {
            show::json(&proposal, &[])?;
        }
        return Ok(match agreed {
            Agreed::No => Outcome::NotDone,
            Agreed::Yes | Agreed::NothingToRun => Outcome::Clean,
        });
    }
    let now = guard.ports.now();
    let deadline = now.checked_add(RUN).unwrap_or(now);
    let progress = show::Progress::default();
    let mut done = Vec::new();
    for leg in &proposal.legs {
        match rollback::run(guard, leg, deadline, &|entry| progress.hear(entry)).await {
            // Told as it ends: a later one may fail.
            Ok(ended) => {
                show::ended(&ended);
                done.push(ended);
            }
            Err(error) => {
                if consent.format == Format::Json {
                    show::json(&proposal, &done)?;
                }
                return outcome_of(error);
            }
        }
    }
    if consent.format == Format::Json {
        show::json(&proposal, &done)?;
    }
    let whole = done
        .iter()
        .all(|ended| ended.report.outcome == Ended::Reverted);
    Ok(if whole {
        Outcome::Clean
    } else {
        Outcome::NotDone
    })
}

/// What the person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agreed {
    Yes,
    No,
    NothingToRun,
}

fn agreed(consent: &Consent, proposal: &Proposal) -> Result<Agreed> {
    if consent.dry_run || proposal.is_empty() {
        return Ok(Agreed::NothingToRun);
    }
    let ordinary = proposal.legs.iter().filter(|leg| leg.emergency.is_none());
    let mut notes = ordinary.flat_map(|leg| &leg.plan.notes);
    let interrupts = notes.any(|note| matches!(note, Note::Interrupts { .. }));
    if interrupts && !consent.allow_interruptions {
        style::warn(
            "refused: the plan interrupts traffic on its way, as shown; --allow-interruptions accepts that",
        );
        return Ok(Agreed::No);
    }
    if consent.yes {
        return Ok(Agreed::Yes);
    }
    if !std::io::stdin().is_terminal() {
        style::warn(
            "refused: standard input is no terminal, so nobody can say yes; give --yes once the plan was read (--dry-run shows it)",
        );
        return Ok(Agreed::No);
    }
    let calls: usize = proposal.legs.iter().map(|leg| leg.calls()).sum();
    let mut stderr = anstream::stderr();
    write!(stderr, "Make these {calls} calls? Type yes: ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(Agreed::Yes);
    }
    style::warn("nothing was changed");
    Ok(Agreed::No)
}
