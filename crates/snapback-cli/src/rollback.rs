//! `rollback`: leads resources back to a state that was good before.
//!
//! - Owns: arguments, what is shown before and after, the question, the progress on stderr.
//! - Takes: generations (the deployed tables, or captures), a live account (with your AWS credentials), or
//!   a simulated one.
//! - Gives: the plan on stdout; the account at the state that was asked for.
//! - Must not: call anything that was not shown and answered with yes.

mod run;
mod show;
pub mod source;

use crate::outcome::Outcome;
use anyhow::{Result, bail};
use clap::ValueEnum;

use snapback_app::rollback::{RollbackError, To, Which, Wish};
use snapback_model::*;
use source::Source;
use std::collections::BTreeSet;
use std::str::FromStr;

pub use run::Consent;
use run::rollback;
#[cfg(feature = "aws")]
pub use run::undo;

/// Lead resources back to a state that was good before: a generation of their baselines, or the
/// baselines as they stood at a time. Deleted resources are made again.
///
/// The plan is printed with its proof: each call is safe, or what it interrupts. It runs after you
/// typed yes: the good state becomes the baseline first, so that the guard does not fight you.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// Where to: `baseline`, the number of a generation (one resource; see `snapback history`), or a
    /// time: 2026-11-26T08:00:00Z, `2h ago`, `3d ago`.
    #[arg(long, value_name = "BASELINE|TIME")]
    to: Target,
    /// The resources (`sg-…`, `acl-…`, `rtb-…`).
    #[arg(value_name = "RESOURCE", conflicts_with_all = ["vpc", "kind"], required_unless_present_any = ["vpc", "kind"])]
    resource: Vec<ResourceId>,
    /// All resources of this VPC.
    #[arg(long, value_name = "ID", conflicts_with = "kind")]
    vpc: Option<String>,
    /// All resources of this kind.
    #[arg(long, value_enum)]
    kind: Option<OfKind>,
    /// First have traffic working after as few calls as can be, by a table or ACL that stands in for the
    /// one that is broken; then repair that one and move the subnets back. Both plans are shown. Where
    /// it is no faster, the ordinary plan is run.
    #[arg(long)]
    emergency: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    source: Source,
}

const AFTER: &str = "\
Exit codes: 0 done, or nothing to do, or the plan was shown (--dry-run); 1 refused, or not at the end that was asked for (stderr tells \
what is left); 2 bad arguments or input. The plan goes to stdout, progress to stderr.

If it stops midway, ask again: it goes on. If nobody does, the guard goes on to the same end (in mode observe it tells what \
is left).";

#[derive(Clone, Copy, ValueEnum)]
enum OfKind {
    SecurityGroup,
    NetworkAcl,
    RouteTable,
}

/// Where to, as it is written.
#[derive(Debug, Clone, Copy)]
struct Target(To);

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "baseline" {
            return Ok(Self(To::Baseline));
        }
        if let Ok(number) = text.parse() {
            return Ok(Self(To::Generation(Generation(number))));
        }
        moment(text, Timestamp::now()).map(|at| Self(To::At(at)))
    }
}

/// A time: RFC 3339, or so long ago.
///
/// # Errors
/// It is neither.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "`{text}` is no time: write it as 2026-11-26T08:00:00Z, `2h ago`, `90m ago` or `3d ago`"
        )
    };
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let span = text.strip_suffix("ago").ok_or_else(wrong)?.trim();
    let span: jiff::Span = span.parse().map_err(|_| wrong())?;
    let ago = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())?;
    now.checked_sub(ago).map_err(|_| wrong())
}

/// Runs the command.
///
/// # Errors
/// Sources that cannot be read; a generation, resource or VPC that nothing knows.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let wish = Wish {
        to: arguments.to.0,
        which: arguments.which(),
        by: arguments.consent.by(),
        why: arguments.consent.why().to_owned(),
        interruptions: arguments.consent.allow_interruptions,
        emergency: arguments.emergency,
    };
    rollback(&arguments.source, &arguments.consent, wish)
}

impl Arguments {
    fn which(&self) -> Which {
        if let Some(vpc) = &self.vpc {
            return Which::Vpc(VpcId::new(vpc.clone()));
        }
        match self.kind {
            Some(OfKind::SecurityGroup) => Which::Kind(Kind::SecurityGroup),
            Some(OfKind::NetworkAcl) => Which::Kind(Kind::NetworkAcl),
            Some(OfKind::RouteTable) => Which::Kind(Kind::RouteTable),
            None => Which::Resources(self.resource.iter().cloned().collect::<BTreeSet<_>>()),
        }
    }
}

/// An error about what was asked for is the asker's; others are told with exit code 1.
pub fn outcome_of(error: RollbackError) -> Result<Outcome> {
    match error {
        RollbackError::Unknown(_)
        | RollbackError::NothingThere(_)
        | RollbackError::NoGeneration { .. }
        | RollbackError::OneResource(_)
        | RollbackError::Uncaptured => bail!(error),
        error => {
            crate::style::error(&anyhow::Error::new(error));
            Ok(Outcome::NotDone)
        }
    }
}
