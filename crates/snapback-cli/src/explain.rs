//! `explain`: what a change did, how bad it is, to whom, and what would be done; or what is there.

mod json;
mod text;

use crate::diff::{Compared, Sides, problems, unknown};
use crate::outcome::Outcome;
use crate::source::{self, Choice, State};
use crate::{decode, policy};
use anyhow::{Result, bail};
use clap::ValueEnum;
use snapback_app::assessment::{Assessment, assess_diff};
use snapback_engine::change::{Change, Interpretation, Own, interpret};
use snapback_engine::finding::{self, Finding};
use snapback_engine::plan::{self, Plan};
use snapback_engine::policy::Policy;
use snapback_engine::verdict;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Explain a change: what it opened and cut, for whom, how bad that is, what the policy would do
/// about it and by which calls. With one state only, audit what is there.
///
/// Exits with 0 when nothing differs (of one state: nothing of severity high or worse is found), 1
/// when something does, 2 when part of the input is bad (the rest is explained).
#[derive(clap::Args)]
#[command(after_help = source::HELP)]
pub struct Arguments {
    /// The last-known-good state; without it, `--live` is audited by itself.
    #[arg(long, value_name = "X")]
    baseline: Option<PathBuf>,
    /// The state found.
    #[arg(long, value_name = "Y")]
    live: PathBuf,
    /// The event that led here: an EventBridge envelope or a CloudTrail record.
    #[arg(long, value_name = "E", requires = "baseline")]
    event: Option<PathBuf>,
    /// The policy that judges; without one, what `enforce` would do is told and nothing decided.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Only these resources (`sg-…`, `acl-…`, `rtb-…`).
    #[arg(long, value_name = "ID", num_args = 1..)]
    resource: Vec<ResourceId>,
    /// Whose states they are.
    #[command(flatten)]
    choice: Choice,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: `findings[]`, `opened[]`, `closed[]`, `resources[]`, `plan`.
    Json,
}

/// What the event is to us.
enum Event {
    /// A change by somebody; `trusted` by the policy.
    Change { change: Box<Change>, trusted: bool },
    /// No change, and why.
    Ignored(String),
}

/// One resource that differs.
struct Explained {
    /// For people: where it lies.
    vpc: Option<VpcId>,
    /// Judgements and impact.
    assessment: Assessment,
    /// Risks of the resource as it is that no difference was blamed for.
    standing: Vec<Finding>,
}

/// Everything there is to say about two states.
struct Explanation {
    event: Option<Event>,
    /// What became of a trusted change: baselines that follow it, and what was refused.
    accepted: Vec<String>,
    resources: Vec<Explained>,
    /// Findings of no single resource's difference.
    context: Vec<Finding>,
    /// The calls that lead to the goals; `None` where nothing is to be taken back.
    plan: Option<Plan>,
}

impl Explanation {
    /// All findings, the worst first.
    fn findings(&self) -> Vec<&Finding> {
        let judged = self
            .resources
            .iter()
            .flat_map(|one| &one.assessment.decision.judgements)
            .flat_map(|judgement| &judgement.findings);
        let standing = self.resources.iter().flat_map(|one| &one.standing);
        worst_first(judged.chain(standing).chain(&self.context))
    }
}

fn worst_first<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<&'a Finding> {
    let mut all: Vec<&Finding> = Vec::new();
    for finding in findings {
        if !all.contains(&finding) {
            all.push(finding);
        }
    }
    all.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then(one.since.cmp(&other.since))
            .then(one.code.cmp(&other.code))
            .then(one.subject.cmp(&other.subject))
    });
    all
}

/// Runs the command.
///
/// # Errors
/// Sources, an event or a policy that cannot be read or do not belong together.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let policy = policy::read_or_default(arguments.policy.as_deref())?;
    match &arguments.baseline {
        Some(baseline) => {
            let sides = Sides::of(
                baseline.clone(),
                arguments.live.clone(),
                arguments.resource.clone(),
                arguments.choice.clone(),
            );
            explain(arguments, &sides, &policy)
        }
        None => audit(arguments, &policy),
    }
}

fn explain(arguments: &Arguments, sides: &Sides, policy: &Policy) -> Result<Outcome> {
    let mut compared = sides.compare()?;
    let event = arguments
        .event
        .as_ref()
        .map(|path| read_event(path, policy))
        .transpose()?;
    let accepted = accept(event.as_ref(), &mut compared);
    let explanation = explained(event, accepted, &compared, policy);
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Text => {
            let live = &compared.live.snapshot;
            text::explanation(&mut out, &explanation, live, arguments.policy.is_some())?;
        }
        Format::Json => json::explanation(&mut out, &explanation, &compared)?,
    }
    Ok(if compared.is_partial() {
        Outcome::BadInput
    } else if explanation.resources.is_empty() && explanation.context.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Differs
    })
}

fn audit(arguments: &Arguments, policy: &Policy) -> Result<Outcome> {
    let state = source::read(&arguments.live, &arguments.choice)?;
    state.tell("live");
    let findings = audited(&state, &arguments.resource, policy)?;
    let findings = worst_first(findings.iter());
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Text => text::audit(&mut out, &findings, &state)?,
        Format::Json => json::audit(&mut out, &findings, &state)?,
    }
    let dangerous = findings
        .iter()
        .any(|finding| finding.severity >= finding::Severity::High);
    Ok(if !state.problems.is_empty() {
        Outcome::BadInput
    } else if dangerous {
        Outcome::Differs
    } else {
        Outcome::Clean
    })
}

fn audited(state: &State, only: &[ResourceId], policy: &Policy) -> Result<Vec<Finding>> {
    if let Some(missing) = only
        .iter()
        .find(|id| !state.snapshot.resources.contains_key(*id))
    {
        bail!("{missing} is not in the state");
    }
    let mut findings = finding::audit(&state.snapshot, &policy.house(state.snapshot.observed_at));
    if !only.is_empty() {
        findings.retain(|finding| {
            finding
                .subject
                .resource()
                .is_some_and(|id| only.contains(id))
        });
    }
    Ok(findings)
}

fn read_event(path: &std::path::Path, policy: &Policy) -> Result<Event> {
    let record = decode::only(path)?;
    let place = || path.display().to_string();
    Ok(match interpret(&record, &Own::default()) {
        Interpretation::Change(change) | Interpretation::WithOurRole(change) => Event::Change {
            trusted: policy.trusts(&change.actor.principal),
            change,
        },
        Interpretation::Ignored(reason) => {
            Event::Ignored(format!("{}: no change: {reason}", place()))
        }
    })
}

/// A trusted change becomes baseline before anything is judged, as in the guard.
fn accept(event: Option<&Event>, compared: &mut Compared) -> Vec<String> {
    let Some(Event::Change {
        change,
        trusted: true,
    }) = event
    else {
        return Vec::new();
    };
    // An output does not tell when it was made: the event that led away from it came later.
    let undated = compared.baseline.baselines.by_id.values_mut();
    for baseline in undated.filter(|baseline| baseline.provenance.by == source::DESCRIBED) {
        baseline.provenance.at = Timestamp::UNIX_EPOCH;
    }
    let fold = verdict::fold(
        change,
        &compared.baseline.baselines,
        &compared.live.snapshot,
    );
    let mut lines: Vec<String> = fold
        .updated
        .iter()
        .map(|baseline| {
            format!(
                "{}: becomes part of the baseline (generation {})",
                baseline.id, baseline.generation
            )
        })
        .collect();
    lines.extend(fold.superseded);
    lines.extend(fold.overruled.into_iter().map(|edit| edit.what));
    lines.extend(fold.refused);
    for baseline in fold.updated {
        compared
            .baseline
            .baselines
            .by_id
            .insert(baseline.id.clone(), baseline);
    }
    compared.diff_again();
    lines
}

fn explained(
    event: Option<Event>,
    accepted: Vec<String>,
    compared: &Compared,
    policy: &Policy,
) -> Explanation {
    let (baselines, live) = (&compared.baseline.baselines, &compared.live.snapshot);
    let stranger = match &event {
        Some(Event::Change {
            change,
            trusted: false,
        }) => Some(change.as_ref()),
        _ => None,
    };
    let resources: Vec<Explained> = compared
        .diffs
        .iter()
        .map(|diff| {
            let assessment = assess_diff(baselines, live, diff, stranger, policy, &BTreeMap::new());
            Explained {
                vpc: diff.vpc.clone(),
                standing: standing(compared, &assessment, policy),
                assessment,
            }
        })
        .collect();
    let goals: BTreeMap<ResourceId, Resource> = resources
        .iter()
        .filter_map(|one| {
            let decision = &one.assessment.decision;
            // What the policy leaves to a person is shown whole.
            let recovery = || plan::recovery_goal(live, &decision.resource, baselines);
            decision.goal.clone().or_else(recovery)
        })
        .map(|goal| (goal.id(), goal))
        .collect();
    let plan = (!goals.is_empty()).then(|| plan::plan(live, &goals, baselines));
    let mut around = context(compared);
    // What a resource's difference was blamed for is told there.
    around.retain(|finding| {
        let same = |other: &Finding| other.code == finding.code && other.meaning == finding.meaning;
        let mut judged = resources
            .iter()
            .flat_map(|one| &one.assessment.decision.judgements)
            .flat_map(|judgement| &judgement.findings);
        !judged.any(same)
    });
    Explanation {
        context: around,
        event,
        accepted,
        resources,
        plan,
    }
}

/// What else is risky in a resource, apart from what its differences do.
fn standing(compared: &Compared, assessment: &Assessment, policy: &Policy) -> Vec<Finding> {
    let live = &compared.live.snapshot;
    let id = &assessment.decision.resource;
    let house = policy.house(live.observed_at);
    let mut findings = finding::standing(&compared.baseline.baselines, live, id, &house);
    let told: Vec<&Finding> = assessment
        .decision
        .judgements
        .iter()
        .flat_map(|judgement| &judgement.findings)
        .collect();
    findings.retain(|finding| {
        let same =
            |other: &&Finding| other.code == finding.code && other.element == finding.element;
        !told.iter().any(same)
    });
    findings
}

/// What stands around the resources is compared only where nothing was picked out.
fn context(compared: &Compared) -> Vec<Finding> {
    let all: BTreeSet<&ResourceId> = compared
        .baseline
        .baselines
        .by_id
        .keys()
        .chain(compared.live.snapshot.resources.keys())
        .collect();
    if all.len() != compared.only.len() {
        return Vec::new();
    }
    finding::context(&compared.baseline.baselines, &compared.live.snapshot)
}

/// Both sides' problems and what was not understood, for machines.
fn sources(compared: &Compared) -> [(&'static str, serde_json::Value); 2] {
    [
        ("unknown", unknown(compared)),
        ("problems", problems(compared)),
    ]
}
