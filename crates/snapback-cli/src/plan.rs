//! `plan`: the EC2 calls that lead from live to the baseline.

use crate::diff::{Compared, Sides, problems, unknown};
use crate::outcome::Outcome;
use crate::source;
use crate::style::{self, BOLD, DIM, GREEN, RED, YELLOW};
use anyhow::{Result, bail};
use clap::ValueEnum;
use snapback_engine::plan::{self, Note, Plan, StepSafety};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Show the EC2 calls that lead from the live state to the baseline, in the order in which nothing good
/// is cut on the way; for each call whether it is safe or what it interrupts, and what has been closed
/// and restored by then. Nothing is called.
///
/// What exists in live only is left alone and noted.
#[derive(clap::Args)]
#[command(after_help = source::HELP)]
pub struct Arguments {
    /// The two states.
    #[command(flatten)]
    sides: Sides,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Lines of packets that the text shows of one step.
const TRAFFIC_LINES_MAX: usize = 2;

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: `steps[]` with `action` and `parameters` as the AWS CLI and boto3 take them, `safety` and `traffic`.
    Json,
    /// A shell script of `aws ec2` calls.
    Sh,
}

/// Runs the command.
///
/// # Errors
/// Sources that cannot be read or do not belong together.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let compared = arguments.sides.compare()?;
    if compared.is_partial() && matches!(arguments.format, Format::Sh) {
        bail!(
            "no script is made from a part of the input: mend it, or read the plan as text or JSON"
        );
    }
    let plan = make(&compared);
    let live = &compared.live.snapshot;
    let mut stdout = anstream::stdout().lock();
    match arguments.format {
        Format::Text => text(&mut stdout, live, &plan)?,
        Format::Json => {
            let mut json = plan.to_json_with_traffic(live);
            if let Some(members) = json.as_object_mut() {
                members.insert("unknown".into(), unknown(&compared));
                members.insert("problems".into(), problems(&compared));
            }
            writeln!(stdout, "{json:#}")?;
        }
        Format::Sh => {
            let baseline = &compared.baseline.snapshot;
            write!(
                stdout,
                "{}",
                plan.to_shell(live.region.as_ref().or(baseline.region.as_ref()))
            )?;
        }
    }
    Ok(if compared.is_partial() {
        Outcome::BadInput
    } else {
        Outcome::Clean
    })
}

/// The plan to the baseline itself, with what it leaves alone.
fn make(compared: &Compared) -> Plan {
    let baselines = &compared.baseline.baselines;
    let unread = misread(compared);
    let goal: BTreeMap<ResourceId, Resource> = compared
        .only
        .iter()
        .filter(|id| !unread.contains_key(id))
        .filter_map(|id| Some((id.clone(), baselines.state(id)?.clone())))
        .collect();
    let mut plan = plan::plan(&compared.live.snapshot, &goal, baselines);
    let cannot = |resource: &ResourceId, what: String| Note::Cannot {
        resource: resource.clone(),
        what,
    };
    plan.notes.extend(unread.iter().map(|(id, parts)| {
        cannot(id, format!("its baseline has parts that were not understood ({parts}); nothing is planned for it"))
    }));
    let differing: BTreeSet<&ResourceId> =
        compared.diffs.iter().map(|diff| &diff.resource).collect();
    let extra = differing
        .into_iter()
        .filter(|id| baselines.state(id).is_none());
    plan.notes.extend(extra.map(|id| {
        cannot(
            id,
            "is in live and not in the baseline; it is left alone".to_owned(),
        )
    }));
    plan
}

/// Resources whose baseline has parts that its reader did not understand and live does not have
/// alike: what is not known authorises no write.
fn misread(compared: &Compared) -> BTreeMap<ResourceId, String> {
    let live = &compared.live.snapshot.unknown;
    let mut parts: BTreeMap<ResourceId, String> = BTreeMap::new();
    for unknown in &compared.baseline.snapshot.unknown {
        let alike = |other: &&Unknown| other.place == unknown.place && other.value == unknown.value;
        let Ok(id) = unknown.place.parse::<ResourceId>() else {
            continue;
        };
        if compared.only.contains(&id) && !live.iter().any(|other| alike(&other)) {
            let list = parts.entry(id).or_default();
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(&unknown.member);
        }
    }
    parts
}

/// A plan for people. `live` is the snapshot that it was made for.
pub fn text(out: &mut impl Write, live: &Snapshot, plan: &Plan) -> Result<()> {
    match plan.steps.len() {
        0 => writeln!(out, "nothing to do")?,
        1 => writeln!(out, "{BOLD}1 call{BOLD:#} from live to the baseline")?,
        count => writeln!(out, "{BOLD}{count} calls{BOLD:#} from live to the baseline")?,
    }
    steps(out, live, plan)
}

/// The steps of a plan with the safety of each, and what it cannot do.
pub fn steps(out: &mut impl Write, live: &Snapshot, plan: &Plan) -> Result<()> {
    let told = plan::safety(live, plan)
        .into_iter()
        .zip(plan::traffic(live, plan));
    for (index, (step, (safety, traffic))) in plan.steps.iter().zip(told).enumerate() {
        let number = index.saturating_add(1);
        let (call, why) = (
            style::printable(&step.action.describe()),
            style::printable(&step.why),
        );
        writeln!(out, "{number:>3}. {call}\n     {DIM}{why}{DIM:#}")?;
        let so_far = traffic.words(TRAFFIC_LINES_MAX).map_or_else(
            || "traffic as before the plan".to_owned(),
            |words| format!("so far {words}"),
        );
        let so_far = style::printable(&so_far);
        match &safety {
            StepSafety::Safe => writeln!(out, "     {GREEN}safe{GREEN:#}; {DIM}{so_far}{DIM:#}")?,
            StepSafety::Interrupts { what, .. } => {
                let what = style::printable(what);
                writeln!(
                    out,
                    "     {RED}interrupts{RED:#} {what}; {DIM}{so_far}{DIM:#}"
                )?;
            }
            StepSafety::Unproved { why } => {
                let why = style::printable(why);
                writeln!(out, "     {YELLOW}unproved{YELLOW:#}: {why}")?;
            }
        }
    }
    for note in &plan.notes {
        let words = note.words();
        writeln!(out, "{YELLOW}! {}{YELLOW:#}", style::printable(&words))?;
    }
    Ok(())
}
