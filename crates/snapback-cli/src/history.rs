//! `history`: what a resource was, who made it so, when and why.
//!
//! - Owns: arguments, how generations and stories are printed.
//! - Takes: the deployed tables, or captures.
//! - Gives: generations newest first, or the difference of any two.
//! - Must not: change anything.

use crate::diff as differences;
use crate::outcome::Outcome;
use crate::rollback::{moment, source};
use crate::source::Choice;
use crate::style::{self, BOLD, DIM};
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::{Value, json};
use snapback_app::port::BaselineWrite;
use snapback_app::rollback::{self, Past, RollbackError};
use snapback_engine::diff::{ResourceDiff, diff};
use snapback_model::*;
use snapback_sim::World;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::str::FromStr;

/// Show what a resource was: every generation of its baseline with who made it, when and why, and the
/// incidents on it. Or the difference of any two generations.
///
/// The past is in the deployed tables (only where built with `--features aws`) or in captures; captures
/// tell of no incidents.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The resource (`sg-…`, `acl-…`, `rtb-…`).
    resource: ResourceId,
    /// The difference of two generations: `3..5`.
    #[arg(long, value_name = "A..B")]
    diff: Option<Pair>,
    /// Only what is not older: 2026-11-26T08:00:00Z, `3d ago`.
    #[arg(long, value_name = "TIME", conflicts_with = "diff")]
    since: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    past: source::Past,
    /// Whose state it is.
    #[command(flatten)]
    choice: Choice,
}

const AFTER: &str = "\
Exit codes: 0 shown, or the two generations are equal; 1 they differ; 2 bad arguments or input.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: `generations[]` and `incidents[]`, or `resources[]` as `diff` prints them.
    Json,
}

/// Two generations.
#[derive(Debug, Clone, Copy)]
struct Pair(Generation, Generation);

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once("..")
            .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        let (from, to) = numbers.ok_or("two generations are written 3..5")?;
        Ok(Self(Generation(from), Generation(to)))
    }
}

/// Runs the command.
///
/// # Errors
/// Sources that cannot be read, a resource or generation that nothing knows.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let since = match &arguments.since {
        Some(text) => Some(moment(text, Timestamp::now()).map_err(|why| anyhow::anyhow!(why))?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime")?;
    let past = match runtime.block_on(read(arguments, since)) {
        Ok(past) => past,
        Err(error) => match error.downcast::<RollbackError>() {
            Ok(error) => return crate::rollback::outcome_of(error),
            Err(error) => return Err(error),
        },
    };
    if let Some(Pair(from, to)) = arguments.diff {
        return compare(arguments, &past, from, to);
    }
    match arguments.format {
        Format::Text => text(&past)?,
        Format::Json => writeln!(anstream::stdout().lock(), "{:#}", json_of(&past))?,
    }
    Ok(Outcome::Clean)
}

async fn read(arguments: &Arguments, since: Option<Timestamp>) -> Result<Past> {
    let resource = &arguments.resource;
    if !arguments.past.capture.is_empty() {
        let captures = source::read(&arguments.past.capture, &arguments.choice)?;
        let world = World::from_snapshot(&Snapshot::empty(Timestamp::now()), 1);
        for generation in source::generations(&captures) {
            world.put_baselines(&generation).await?;
        }
        return Ok(rollback::history(&world, resource, since).await?);
    }
    #[cfg(feature = "aws")]
    {
        let (world, _) = arguments.past.tables.person().await?;
        Ok(rollback::history(&world, resource, since).await?)
    }
    #[cfg(not(feature = "aws"))]
    anyhow::bail!(
        "this build does not talk to AWS: give captures with --capture FILE…, or build with `--features aws`"
    )
}

/// The difference of two generations, in the words of `diff`.
fn compare(
    arguments: &Arguments,
    past: &Past,
    from: Generation,
    to: Generation,
) -> Result<Outcome> {
    let diffs = between(past, from, to)?;
    match arguments.format {
        Format::Text => differences::text(&diffs)?,
        Format::Json => {
            let resources: Vec<Value> = diffs.iter().map(differences::resource_json).collect();
            let object = json!({ "from": from, "to": to, "resources": resources });
            writeln!(anstream::stdout().lock(), "{object:#}")?;
        }
    }
    Ok(if diffs.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Differs
    })
}

fn between(past: &Past, from: Generation, to: Generation) -> Result<Vec<ResourceDiff>> {
    let find = |number: Generation| {
        let mut all = past.generations.iter();
        let id = past.ids.first();
        all.find(|kept| kept.generation == number && Some(&kept.id) == id)
            .with_context(|| {
                format!("generation {number} is not kept; leave --diff out to list what is")
            })
    };
    let (from, to) = (find(from)?, find(to)?);
    let mut baselines = Baselines::default();
    baselines.by_id.insert(from.id.clone(), from.clone());
    let mut live = Snapshot::empty(to.provenance.at);
    live.coverage.insert(Coverage::Resource(to.id.clone()));
    if let Some(state) = &to.state {
        live.resources.insert(to.id.clone(), state.clone());
    }
    let only = BTreeSet::from([from.id.clone()]);
    Ok(diff(&baselines, &live, Some(&only)))
}

fn text(past: &Past) -> Result<()> {
    let mut out = anstream::stdout().lock();
    let label = past.generations.iter().find_map(|kept| kept.state.as_ref());
    let ids: Vec<&str> = past.ids.iter().map(ResourceId::as_str).collect();
    let label = label.map_or_else(|| ids.join(", "), Resource::label);
    writeln!(out, "{BOLD}{}{BOLD:#}", style::printable(&label))?;
    let mut shown = past.ids.first();
    for (index, kept) in past.generations.iter().enumerate() {
        if shown != Some(&kept.id) {
            writeln!(out, "{DIM}before it was made again, as {}{DIM:#}", kept.id)?;
            shown = Some(&kept.id);
        }
        let before = past.generations.get(index.saturating_add(1));
        let same = before.is_some_and(|before| before.id == kept.id && before.state == kept.state);
        let made = &kept.provenance;
        let note = match &kept.state {
            None => " [deleted]",
            Some(_) if same => " [same state]",
            Some(_) => "",
        };
        let words = style::printable(&format!("{}: {}{note}", made.by, made.why));
        writeln!(
            out,
            "{:>4}  {}  {:<10}  {words}",
            kept.generation.0,
            seconds(made.at),
            made.origin.to_string()
        )?;
    }
    if past.not_kept > 0 {
        writeln!(
            out,
            "{DIM}{} earlier generations were written before any were kept{DIM:#}",
            past.not_kept
        )?;
    }
    incidents(&mut out, past)
}

/// A moment without its fractions.
fn seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn incidents(out: &mut impl std::io::Write, past: &Past) -> Result<()> {
    if past.incidents.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}incidents{BOLD:#}")?;
    for told in &past.incidents {
        let outcome = told.outcome.map_or_else(
            || "open".to_owned(),
            |outcome| format!("{outcome:?}").to_lowercase(),
        );
        let who = told.who.as_deref().unwrap_or("somebody");
        let words = style::printable(&format!("{who}: {}", told.what.join("; ")));
        writeln!(
            out,
            "  {}  {}  {outcome:<9}  {words}",
            told.incident, told.at
        )?;
    }
    if past.unsearched > 0 {
        writeln!(out, "{DIM}older incidents were not looked for{DIM:#}")?;
    }
    Ok(())
}

fn json_of(past: &Past) -> Value {
    let generation = |kept: &Baseline| {
        json!({
            "resource": kept.id,
            "generation": kept.generation,
            "at": kept.provenance.at,
            "origin": kept.provenance.origin,
            "by": kept.provenance.by,
            "why": kept.provenance.why,
            "event": kept.provenance.event,
            "digest": kept.digest(),
            "parent": kept.parent,
            "state": kept.state,
        })
    };
    let incident = |told: &rollback::Told| {
        json!({
            "incident": told.incident,
            "at": told.at,
            "outcome": told.outcome,
            "who": told.who,
            "what": told.what,
        })
    };
    json!({
        "ids": past.ids,
        "generations": past.generations.iter().map(generation).collect::<Vec<_>>(),
        "incidents": past.incidents.iter().map(incident).collect::<Vec<_>>(),
        "not-kept": past.not_kept,
        "unsearched": past.unsearched,
    })
}
