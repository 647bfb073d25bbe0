//! `diff`: every element in which live differs from the baseline.

use crate::outcome::Outcome;
use crate::source::{self, Choice, State};
use crate::style::{self, BOLD, DIM, GREEN, RED, YELLOW};
use anyhow::{Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};
use snapback_engine::diff::{Delta, Difference, ResourceDiff, diff};
use snapback_model::*;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// Show every element in which live differs from the baseline.
///
/// Exits with 0 when nothing differs, 1 when something does, 2 when the input, or a part of it, is bad.
#[derive(clap::Args)]
#[command(after_help = source::HELP)]
pub struct Arguments {
    /// The two states.
    #[command(flatten)]
    pub sides: Sides,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// The two states that are compared, and which of their resources.
#[derive(clap::Args)]
pub struct Sides {
    /// The last-known-good state.
    #[arg(long, value_name = "X")]
    baseline: PathBuf,
    /// The state found.
    #[arg(long, value_name = "Y")]
    live: PathBuf,
    /// Only these resources (`sg-…`, `acl-…`, `rtb-…`).
    #[arg(long, value_name = "ID", num_args = 1..)]
    resource: Vec<ResourceId>,
    /// Whose states they are.
    #[command(flatten)]
    choice: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: an object with `resources[]`.
    Json,
}

/// Two states, and what is compared.
pub struct Compared {
    /// The last-known-good state.
    pub baseline: State,
    /// The state found.
    pub live: State,
    /// The resources that both sides can speak of.
    pub only: BTreeSet<ResourceId>,
    /// The differences.
    pub diffs: Vec<ResourceDiff>,
}

impl Compared {
    /// Whether parts of a source could not be used.
    pub fn is_partial(&self) -> bool {
        !self.baseline.problems.is_empty() || !self.live.problems.is_empty()
    }
}

impl Compared {
    /// Compares again, after the baselines took something in.
    pub fn diff_again(&mut self) {
        self.diffs = diff(
            &self.baseline.baselines,
            &self.live.snapshot,
            Some(&self.only),
        );
    }
}

impl Sides {
    /// From the arguments of another command.
    pub fn of(baseline: PathBuf, live: PathBuf, resource: Vec<ResourceId>, choice: Choice) -> Self {
        Self {
            baseline,
            live,
            resource,
            choice,
        }
    }

    /// Reads both sides and compares them.
    ///
    /// # Errors
    /// Sources that cannot be read or do not belong together.
    pub fn compare(&self) -> Result<Compared> {
        let baseline = source::read(&self.baseline, &self.choice)?;
        let live = source::read(&self.live, &self.choice)?;
        belong_together(&baseline.snapshot, &live.snapshot)?;
        baseline.tell("baseline");
        live.tell("live");
        let only = self.comparable(&baseline, &live)?;
        let diffs = diff(&baseline.baselines, &live.snapshot, Some(&only));
        Ok(Compared {
            baseline,
            live,
            only,
            diffs,
        })
    }

    /// What both sides speak of: a kind that only one side was asked for proves nothing.
    fn comparable(&self, baseline: &State, live: &State) -> Result<BTreeSet<ResourceId>> {
        let all: BTreeSet<&ResourceId> = baseline
            .baselines
            .by_id
            .keys()
            .chain(live.snapshot.resources.keys())
            .collect();
        if let Some(missing) = self.resource.iter().find(|id| !all.contains(id)) {
            bail!("{missing} is in neither state");
        }
        let wanted = |id: &&ResourceId| self.resource.is_empty() || self.resource.contains(id);
        let mut only = BTreeSet::new();
        let mut skipped: BTreeSet<(Kind, &str)> = BTreeSet::new();
        for id in all.into_iter().filter(wanted) {
            if !baseline.knows_of(id) {
                skipped.insert((id.kind(), "baseline"));
            } else if !live.knows_of(id) {
                skipped.insert((id.kind(), "live state"));
            } else {
                only.insert(id.clone());
            }
        }
        for (kind, side) in skipped {
            style::warn(&format!(
                "not compared: some {kind}s, of which the {side} tells nothing"
            ));
        }
        Ok(only)
    }
}

/// That a baseline and a live state are of one account and Region.
///
/// # Errors
/// They are not.
pub fn belong_together(baseline: &Snapshot, live: &Snapshot) -> Result<()> {
    same("account", baseline.account.as_ref(), live.account.as_ref())?;
    same("Region", baseline.region.as_ref(), live.region.as_ref())
}

fn same<T: PartialEq + std::fmt::Display>(
    what: &str,
    baseline: Option<&T>,
    live: Option<&T>,
) -> Result<()> {
    match (baseline, live) {
        (Some(baseline), Some(live)) if baseline != live => {
            bail!("the baseline is of {what} {baseline}, the live state of {what} {live}")
        }
        _ => Ok(()),
    }
}

/// Runs the command.
///
/// # Errors
/// Sources that cannot be read or do not belong together.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let compared = arguments.sides.compare()?;
    match arguments.format {
        Format::Text => text(&compared.diffs)?,
        Format::Json => {
            let mut stdout = anstream::stdout().lock();
            writeln!(stdout, "{:#}", json(&compared))?;
        }
    }
    Ok(if compared.is_partial() {
        Outcome::BadInput
    } else if compared.diffs.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Differs
    })
}

/// Differences for people.
///
/// # Errors
/// Standard output is closed.
pub fn text(diffs: &[ResourceDiff]) -> Result<()> {
    let mut stdout = anstream::stdout().lock();
    if diffs.is_empty() {
        writeln!(stdout, "no differences")?;
    }
    for diff in diffs {
        let vpc = diff
            .vpc
            .as_ref()
            .map(|vpc| format!(" in {vpc}"))
            .unwrap_or_default();
        let (kind, label) = (diff.resource.kind(), style::printable(&diff.label));
        writeln!(stdout, "{BOLD}{kind} {label}{BOLD:#}{DIM}{vpc}{DIM:#}")?;
        for difference in &diff.differences {
            let (mark, colour) = mark(difference);
            let words = style::printable(&difference.describe());
            writeln!(stdout, "  {colour}{mark} {words}{colour:#}")?;
        }
    }
    Ok(())
}

/// `+` live has more, `-` live has less, `~` something is otherwise.
fn mark(difference: &Difference) -> (char, anstyle::Style) {
    fn of<T>(delta: &Delta<T>) -> char {
        match delta {
            Delta::Added(_) => '+',
            Delta::Removed(_) => '-',
            Delta::Changed { .. } => '~',
        }
    }
    let mark = match difference {
        Difference::Rule { delta, .. } => of(delta),
        Difference::Entry { delta, .. } => of(delta),
        Difference::Route { delta, .. } => of(delta),
        Difference::Propagation { delta, .. } | Difference::Edge { delta, .. } => of(delta),
        Difference::Tag { delta, .. } => of(delta),
        Difference::Association { .. } | Difference::Main { .. } => '~',
        Difference::Deleted { .. } => '-',
        Difference::Unreviewed { .. } => '+',
    };
    let colour = match mark {
        '+' => RED,
        '-' => GREEN,
        _ => YELLOW,
    };
    (mark, colour)
}

/// The differences of a resource for machines.
pub fn resource_json(diff: &ResourceDiff) -> Value {
    let difference = |difference: &Difference| {
        json!({
            "element": difference.element(),
            "text": difference.describe(),
            "difference": difference,
        })
    };
    json!({
        "resource": diff.resource,
        "kind": diff.resource.kind(),
        "label": diff.label,
        "vpc": diff.vpc,
        "differences": diff.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}

fn json(compared: &Compared) -> Value {
    json!({
        "resources": compared.diffs.iter().map(resource_json).collect::<Vec<_>>(),
        "unknown": unknown(compared),
        "problems": problems(compared),
    })
}

/// The parts of both sources that could not be used.
pub fn problems(compared: &Compared) -> Value {
    let of = |side: &'static str, state: &State| {
        let problems = state.problems.clone();
        problems
            .into_iter()
            .map(move |problem| json!({ "side": side, "file": problem.file, "problem": problem.problem }))
    };
    of("baseline", &compared.baseline)
        .chain(of("live", &compared.live))
        .collect()
}

/// What neither side's reader understood, by side.
pub fn unknown(compared: &Compared) -> Value {
    json!({ "baseline": compared.baseline.snapshot.unknown, "live": compared.live.snapshot.unknown })
}
