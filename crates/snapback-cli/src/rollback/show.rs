//! What is shown of a proposal, of its run, and of its end.

use crate::plan;
use crate::style::{self, BOLD, DIM, YELLOW};
use anyhow::Result;
use serde_json::{Value, json};
use snapback_app::rollback::{Done, Proposal};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{Body, Entry, Outcome};
use snapback_engine::plan::{Emergency, Plan};
use snapback_model::*;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// A proposal for people: what becomes the good state, what is left alone, the plan with its proof.
pub fn text(proposal: &Proposal) -> Result<()> {
    let mut out = anstream::stdout().lock();
    if let Some(leg) = proposal.legs.first() {
        let what = style::printable(&leg.errand.what);
        writeln!(out, "{BOLD}{what}{BOLD:#}")?;
    }
    for next in proposal.promoted() {
        writeln!(
            out,
            "{DIM}becomes the baseline: {} generation {}{DIM:#}",
            next.id, next.generation
        )?;
    }
    for remark in &proposal.remarks {
        let remark = style::printable(remark);
        writeln!(out, "{YELLOW}! {remark}{YELLOW:#}")?;
    }
    let by_leg = proposal.legs.iter().any(|leg| leg.emergency.is_some()) || proposal.legs.len() > 1;
    if !by_leg {
        return plan::text(&mut out, &proposal.live, &proposal.plan);
    }
    for leg in &proposal.legs {
        if proposal.legs.len() > 1 {
            let ids: Vec<&str> = leg.errand.parts.keys().map(ResourceId::as_str).collect();
            writeln!(out, "{BOLD}{}{BOLD:#}", ids.join(", "))?;
        }
        match &leg.emergency {
            Some(found) => emergency(&mut out, &proposal.live, found)?,
            None => plan::text(&mut out, &proposal.live, &leg.plan)?,
        }
    }
    Ok(())
}

/// Both plans of an emergency, and why they are worth it.
fn emergency(out: &mut impl Write, live: &Snapshot, found: &Emergency) -> Result<()> {
    let Emergency {
        calls,
        ordinary,
        fast,
        repair,
        ..
    } = found;
    writeln!(
        out,
        "{BOLD}emergency: traffic works after {calls} of {} calls{BOLD:#}, the ordinary plan has it working after {ordinary}",
        fast.steps.len().saturating_add(repair.steps.len())
    )?;
    for (of, with) in &found.stand_ins {
        let made = if live.resources.contains_key(with) {
            "which exists"
        } else {
            "which is made for it"
        };
        writeln!(
            out,
            "{DIM}{with}, {made}, stands in for {of} while that is repaired{DIM:#}"
        )?;
    }
    writeln!(
        out,
        "{BOLD}first, to working traffic: {} calls{BOLD:#}",
        fast.steps.len()
    )?;
    plan::steps(out, live, fast)?;
    writeln!(
        out,
        "{BOLD}then the repair: {} calls{BOLD:#}",
        repair.steps.len()
    )?;
    plan::steps(out, &found.after(live), repair)
}

/// The same, and how it ended, for machines.
pub fn json(proposal: &Proposal, done: &[Done]) -> Result<()> {
    let promoted: Vec<Value> = proposal
        .promoted()
        .map(|next| json!({ "resource": next.id, "generation": next.generation }))
        .collect();
    let ended: Vec<Value> = done
        .iter()
        .map(|ended| {
            json!({
                "incident": ended.incident,
                "outcome": ended.report.outcome,
                "steps": ended.report.steps,
                "problems": ended.report.problems,
                "next": ended.report.next,
                "referrers": ended.referrers,
            })
        })
        .collect();
    let emergency: Vec<Value> = proposal
        .legs
        .iter()
        .filter_map(|leg| leg.emergency.as_ref())
        .map(|found| {
            json!({
                "fast": found.fast.to_json_with_traffic(&proposal.live),
                "repair": found.repair.to_json_with_traffic(&found.after(&proposal.live)),
                "calls": found.calls,
                "ordinary": found.ordinary,
                "stand-ins": found.stand_ins,
            })
        })
        .collect();
    let what = proposal.legs.first().map(|leg| &leg.errand.what);
    let object = json!({
        "what": what,
        "plan": proposal.plan.to_json_with_traffic(&proposal.live),
        "emergency": emergency,
        "promoted": promoted,
        "remarks": proposal.remarks,
        "ended": ended,
    });
    writeln!(anstream::stdout().lock(), "{object:#}")?;
    Ok(())
}

/// Tells a run on stderr while it goes, from what is journalled.
#[derive(Default)]
pub struct Progress {
    plan: Mutex<Option<Plan>>,
}

impl Progress {
    /// Hears one entry.
    pub fn hear(&self, entry: &Entry) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        match &entry.body {
            Body::Opened { .. } => {
                style::note(&format!("story {}: the lease is held", entry.incident))
            }
            Body::Planned { plan: made } => {
                let calls = made.steps.len();
                style::note(&format!("a plan of {calls} calls is in the journal"));
                *plan = Some(made.as_ref().clone());
            }
            Body::StepStarted { step, .. } => {
                let number = step.saturating_add(1);
                let steps = plan.as_ref().map(|plan| &plan.steps);
                let count = steps.map_or(0, Vec::len);
                let call = steps.and_then(|steps| steps.get(*step));
                let call = call.map(|step| step.action.describe()).unwrap_or_default();
                style::note(&format!("{number}/{count} {call}"));
            }
            Body::StepEnded { outcome, .. } => ended_step(outcome),
            Body::Interrupted { why } => style::warn(&format!("stopped: {why}")),
            Body::Waits { what } => style::note(&format!("waits: {what}")),
            Body::Asked { .. } | Body::Decided { .. } | Body::Closed { .. } => {}
        }
    }
}

fn ended_step(outcome: &StepOutcome) {
    match outcome {
        StepOutcome::Applied { created: None, .. } => {}
        StepOutcome::Applied {
            created: Some(id), ..
        } => style::note(&format!("  made: {id}")),
        StepOutcome::AlreadyInPlace { .. } => style::note("  it is so already"),
        StepOutcome::Unknown { what } => {
            style::warn(&format!("no answer, it is read again: {what}"))
        }
        StepOutcome::Failed { code, message, .. } => {
            style::warn(&format!("EC2 refused: {code}: {message}"));
        }
    }
}

/// How a leg ended, on stderr.
pub fn ended(done: &Done) {
    let report = &done.report;
    let calls = if report.executed {
        report.steps.len()
    } else {
        0
    };
    match report.outcome {
        Outcome::Reverted => style::note(&format!(
            "done: {calls} calls, live was read back as asked for ({})",
            done.incident
        )),
        other => style::warn(&format!(
            "not at its end ({}): {other:?} after {calls} calls",
            done.incident
        )),
    }
    for problem in &report.problems {
        style::warn(problem);
    }
    for next in &report.next {
        style::note(next);
    }
    if !done.referrers.is_empty() {
        let ids: Vec<&str> = done.referrers.iter().map(ResourceId::as_str).collect();
        let ids = ids.join(" ");
        style::warn(&format!(
            "what was made again is referred to by others, whose baselines name the new id: `snapback rollback --to baseline {ids}` puts their references back (the sweep also finds them)"
        ));
    }
}
