//! The same story for machines. Top-level keys are stable: added to, never renamed or removed.

use super::plain::line;
use super::story::Story;
use crate::incident::{Cause, Outcome};
use serde_json::{Value, json};

/// Longest JSON text in bytes.
const MAX: usize = 64_000;

/// Elements of a list and characters of a text, tried in order until the whole fits.
const CAPS: [(usize, usize); 4] = [(100, 400), (25, 300), (8, 200), (2, 100)];

pub(super) fn json(story: &Story<'_>) -> Value {
    let mut smallest = Value::Null;
    for (elements, characters) in CAPS {
        smallest = capped(story, elements, characters);
        if smallest.to_string().len() <= MAX {
            break;
        }
    }
    smallest
}

fn capped(story: &Story<'_>, elements: usize, characters: usize) -> Value {
    let report = story.report;
    let text = |text: &str| line(text, characters);
    let list = |texts: &[String]| {
        texts
            .iter()
            .take(elements)
            .map(|item| text(item))
            .collect::<Vec<_>>()
    };
    let (kind, id) = match &report.cause {
        Cause::Event(id) => ("event", Some(text(id.as_str()))),
        Cause::Missed => ("missed", None),
        Cause::Unfinished(incident) => ("unfinished", Some(text(incident.as_str()))),
        Cause::Asked(by) => ("asked", Some(text(by))),
    };
    let actor = report.actor.as_ref().map(|actor| {
        let told = |value: &Option<String>| value.as_deref().map(text);
        json!({
            "principal": text(&actor.principal), "kind": text(&actor.kind), "session": told(&actor.session),
            "person": told(&actor.person), "via": told(&actor.on_behalf_via), "console": actor.console,
            "source_ip": told(&actor.source_ip), "user_agent": told(&actor.user_agent),
        })
    });
    let differences = report.differences.iter().take(elements).map(|told| {
        json!({"text": text(&told.text), "verdict": told.verdict, "reason": text(&told.reason)})
    });
    let findings = report.findings.iter().take(elements).map(|finding| {
        json!({
            "code": finding.code, "severity": finding.severity, "harm": finding.harm, "resource": finding.subject,
            "since": finding.since,
            "element": text(&finding.element.to_string()), "meaning": text(&finding.meaning),
            "evidence": list(&finding.evidence), "advice": text(&finding.advice),
        })
    });
    let counted = [
        report.differences.len(),
        report.findings.len(),
        report.steps.len(),
        report.problems.len(),
        report.next.len(),
        report.impact.opened.len(),
        report.impact.more_opened.saturating_add(elements),
        report.impact.closed.len(),
        report.impact.more_closed.saturating_add(elements),
        report.impact.latent.len(),
        report.impact.inexact.len(),
    ];
    json!({
        "schema": 1,
        "incident": story.entry.incident,
        "sequence": story.entry.sequence,
        "outcome": report.outcome,
        "severity": report.severity,
        "mode": report.mode,
        "summary": text(&story.headline()),
        "resource": report.resource,
        "kind": report.resource.as_ref().map(snapback_model::ResourceId::kind),
        "label": text(&report.label),
        "vpc": report.vpc,
        "account": report.account,
        "region": report.region,
        "cause": {"kind": kind, "id": id},
        "api": report.api.as_deref().map(text),
        "actor": actor,
        "differences": differences.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "opened": clean(&report.impact.opened, elements, characters),
        "closed": clean(&report.impact.closed, elements, characters),
        "blast_radius": clean(&report.impact.blast, elements, characters),
        "inexact": list(&report.impact.inexact),
        "executed": report.executed,
        "verified": report.outcome == Outcome::Reverted,
        "steps": list(&report.steps),
        "problems": list(&report.problems),
        "latent": clean(&report.impact.latent, elements, characters),
        "next": list(&report.next),
        "event_at": report.event_at,
        "arrived_at": report.arrived_at,
        "ended_at": report.ended_at,
        "event_to_arrival_ms": story.event_to_arrival().and_then(|took| u64::try_from(took.as_millis()).ok()),
        "arrival_to_end_ms": u64::try_from(story.arrival_to_end().as_millis()).ok(),
        "omitted": counted.iter().map(|count| count.saturating_sub(elements)).sum::<usize>(),
    })
}

/// A value as JSON with every text made harmless and every list cut.
fn clean(value: &impl serde::Serialize, elements: usize, characters: usize) -> Value {
    fn cut(value: Value, elements: usize, characters: usize) -> Value {
        match value {
            Value::String(text) => Value::String(line(&text, characters)),
            Value::Array(list) => list
                .into_iter()
                .take(elements)
                .map(|item| cut(item, elements, characters))
                .collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (line(&name, characters), cut(value, elements, characters)))
                .collect(),
            other => other,
        }
    }
    serde_json::to_value(value)
        .map(|value| cut(value, elements, characters))
        .unwrap_or_default()
}
