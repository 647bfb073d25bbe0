//! An explanation for machines.

use super::{Event, Explained, Explanation, sources};
use crate::diff::Compared;
use crate::source::State;
use anyhow::Result;
use serde_json::{Value, json};
use snapback_engine::finding::Finding;
use snapback_engine::impact::{Shift, Turn};
use snapback_engine::verdict::Judgement;
use snapback_model::ResourceId;
use std::io::Write;

/// `event`, `accepted[]`, `findings[]`, `opened[]`, `closed[]`, `resources[]`, `plan`, `unknown`, `problems`.
pub(super) fn explanation(
    out: &mut impl Write,
    explanation: &Explanation,
    compared: &Compared,
) -> Result<()> {
    let live = &compared.live.snapshot;
    let mut document = json!({
        "event": explanation.event.as_ref().map(event),
        "accepted": explanation.accepted,
        "findings": explanation.findings(),
        "opened": shifts(&explanation.resources, Turn::Opened),
        "closed": shifts(&explanation.resources, Turn::Closed),
        "resources": explanation.resources.iter().map(resource).collect::<Vec<_>>(),
        "plan": explanation.plan.as_ref().map(|plan| plan.to_json_with_traffic(live)),
    });
    if let Some(members) = document.as_object_mut() {
        members.extend(sources(compared).map(|(name, value)| (name.to_owned(), value)));
    }
    Ok(writeln!(out, "{document:#}")?)
}

/// `findings[]`, `unknown[]`, `problems[]`.
pub(super) fn audit(out: &mut impl Write, findings: &[&Finding], state: &State) -> Result<()> {
    let document = json!({
        "findings": findings,
        "unknown": state.snapshot.unknown,
        "problems": state.problems,
    });
    Ok(writeln!(out, "{document:#}")?)
}

fn event(event: &Event) -> Value {
    match event {
        Event::Change { change, trusted } => json!({ "change": change, "trusted": trusted }),
        Event::Ignored(why) => json!({ "ignored": why }),
    }
}

/// Each shift with the resource it is of.
fn shifts(resources: &[Explained], turn: Turn) -> Vec<Value> {
    let of = |id: &ResourceId, shift: &Shift| {
        let mut value = json!(shift);
        if let Some(members) = value.as_object_mut() {
            members.insert("resource".into(), json!(id));
            members.insert("line".into(), json!(shift.line(turn)));
        }
        value
    };
    let lists = resources.iter().flat_map(|one| {
        let impact = &one.assessment.impact;
        let list = match turn {
            Turn::Opened => &impact.opened,
            Turn::Closed => &impact.closed,
        };
        list.iter()
            .map(|shift| (&one.assessment.decision.resource, shift))
    });
    lists.map(|(id, shift)| of(id, shift)).collect()
}

fn resource(one: &Explained) -> Value {
    let decision = &one.assessment.decision;
    let judgement = |judgement: &Judgement| {
        json!({
            "element": judgement.difference.element(),
            "text": judgement.text,
            "verdict": judgement.verdict,
            "reasons": judgement.reasons,
            "difference": judgement.difference,
        })
    };
    json!({
        "resource": decision.resource,
        "kind": decision.resource.kind(),
        "label": decision.label,
        "vpc": one.vpc,
        "mode": decision.mode,
        "verdict": decision.verdict(),
        "fallback": decision.fallback,
        "differences": decision.judgements.iter().map(judgement).collect::<Vec<_>>(),
        "impact": one.assessment.impact,
    })
}
