//! `backtest`: a policy tried on the past.

mod files;
mod gather;
mod print;
mod stream;
mod tally;
#[cfg(test)]
mod tests;

use crate::outcome::Outcome;
use crate::policy;
use crate::source::{self, Choice};
use anyhow::{Result, bail};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use snapback_engine::change::Own;
use snapback_engine::history;
use snapback_engine::policy::{Mode, Policy};
use snapback_model::{AccountId, Region, Timestamp};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

/// Try a policy on the past: how often would Snapback have acted, on what, on whom.
///
/// Reads CloudTrail files as they lie in S3 (`AWSLogs/…/*.json.gz`, folders in folders), output of
/// `aws cloudtrail lookup-events`, EventBridge envelopes, one event a line. Where neither the events
/// nor --live tell what was there before a change, it says so and counts it. Exits with 0 when all
/// input was read, 2 when some of it was bad (the rest is still counted).
#[derive(clap::Args)]
pub struct Arguments {
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Files or folders with events; may be given more than once.
    #[arg(long, required = true, value_name = "DIR")]
    events: Vec<PathBuf>,
    /// The state at the end: a capture, or describe outputs.
    #[arg(long, value_name = "STATE")]
    live: Option<PathBuf>,
    /// Report changes from this time on (earlier ones still tell what was there).
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Report changes before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Take only this account's events.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Take only this Region's events.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// An IAM role ARN of Snapback's own functions; may be given more than once.
    #[arg(long, value_name = "ARN")]
    our_role: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Reads the history, judges it and prints the report.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let policy = policy::read(&arguments.policy)?;
    let account = arguments.account.as_deref().map(AccountId::new);
    let live = match &arguments.live {
        Some(path) => {
            let choice = Choice {
                account: arguments.account.clone(),
                region: arguments.region.clone(),
            };
            let state = source::read(path, &choice)?;
            state.tell("live");
            Some(state.snapshot)
        }
        None => None,
    };
    let found = files::find(&arguments.events);
    if found.files.is_empty() && found.bad.is_empty() {
        bail!(
            "{}: no files with events in it (.json, .json.gz, .jsonl, .ndjson, .log)",
            gather::named(&arguments.events)
        );
    }
    let own = Own {
        account,
        region: arguments.region.as_deref().map(Region::new),
        roles: arguments.our_role.iter().cloned().collect(),
        ..Own::default()
    };
    let bar = progress(found.bytes())?;
    let gathered = gather::gather(&found, &own, &bar);
    bar.finish_and_clear();
    let told = history::retell(&gathered.steps, live.as_ref(), &policy);
    let observes = policy.mode == Mode::Observe;
    let enforced = observes.then(|| {
        let enforcing = Policy {
            mode: Mode::Enforce,
            ..policy.clone()
        };
        history::retell(&gathered.steps, live.as_ref(), &enforcing)
    });
    let period = tally::Period {
        since: arguments.since,
        until: arguments.until,
    };
    let report = tally::report(&gathered, &told, enforced.as_deref(), &policy, period);
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Text => out.write_all(print::text(&report).as_bytes())?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
    }
    out.flush()?;
    Ok(match report.bad.is_empty() {
        true => Outcome::Clean,
        false => Outcome::BadInput,
    })
}

/// Progress in bytes on a terminal, nothing elsewhere.
fn progress(bytes: u64) -> Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(8));
    bar.set_style(ProgressStyle::with_template(
        "reading {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    )?);
    bar.enable_steady_tick(Duration::from_millis(250));
    Ok(bar)
}
