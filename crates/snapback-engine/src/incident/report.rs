//! The report of a story about a resource: what people are told when it ends.

use super::story::{Place, Story};
use super::{Cause, Outcome, Report, ReportedDifference};
use crate::finding::{Finding, Severity};
use crate::plan::{predecessor, successor_name};
use crate::policy::Mode;
use crate::verdict::{Judgement, Verdict};
use snapback_model::*;
use std::collections::BTreeMap;

/// Builds the report. `told` are the differences that people were told of before: they are listed
/// as still outstanding, after the new ones.
pub(super) fn report(
    story: &Story,
    outcome: Outcome,
    place: &Place,
    told: &BTreeMap<Element, Digest>,
    ended_at: Timestamp,
) -> Report {
    let judged: Vec<&Judgement> = story
        .judgements
        .values()
        .filter(|judgement| judgement.verdict != Verdict::Ignore)
        .collect();
    let findings = findings(&judged);
    let executed = !story.made.is_empty();
    let mut problems = story.problems.clone();
    if outcome == Outcome::Reverted && !executed && story.errand.is_none() {
        problems
            .push("no call of Snapback was needed: it was back before the first one".to_owned());
    }
    let change = story.change.as_deref();
    Report {
        outcome,
        severity: severity(outcome, &findings),
        mode: story.mode,
        resource: Some(story.resource.clone()),
        label: story.label.clone(),
        vpc: place.vpc.clone(),
        account: place
            .account
            .clone()
            .or_else(|| change.and_then(|change| change.account.clone())),
        region: place
            .region
            .clone()
            .or_else(|| change.map(|change| change.region.clone())),
        cause: story.cause.clone(),
        actor: change.map(|change| change.actor.clone()),
        api: change.map(|change| change.api.clone()),
        event_at: change.map(|change| change.at),
        differences: differences(&judged, told),
        findings,
        impact: story.impact.clone(),
        steps: if executed {
            story.made.clone()
        } else {
            planned(story)
        },
        executed,
        problems,
        next: next(story, outcome, &judged),
        arrived_at: story.arrived_at,
        ended_at,
    }
}

fn planned(story: &Story) -> Vec<String> {
    story
        .plan
        .iter()
        .flat_map(|plan| &plan.steps)
        .map(|step| step.action.describe())
        .collect()
}

fn findings(judged: &[&Judgement]) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in judged.iter().flat_map(|judgement| &judgement.findings) {
        if !all.contains(finding) {
            all.push(finding.clone());
        }
    }
    all.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then(one.code.cmp(&other.code))
    });
    all
}

fn severity(outcome: Outcome, findings: &[Finding]) -> Severity {
    let worst = findings.iter().map(|finding| finding.severity).max();
    let least = match outcome {
        Outcome::Failed | Outcome::Refused | Outcome::Blind => Severity::High,
        Outcome::Impostor | Outcome::Braked => Severity::Critical,
        Outcome::Alerted | Outcome::Malformed | Outcome::Context => Severity::Low,
        Outcome::Reverted | Outcome::Accepted | Outcome::Released => Severity::Info,
    };
    worst.map_or(least, |worst| worst.max(least))
}

fn differences(judged: &[&Judgement], told: &BTreeMap<Element, Digest>) -> Vec<ReportedDifference> {
    let (old, new): (Vec<&Judgement>, Vec<&Judgement>) = judged.iter().partition(|judgement| {
        judgement.verdict == Verdict::Alert
            && told.get(&judgement.difference.element()) == Some(&judgement.told())
    });
    let line = |judgement: &Judgement, text: String| ReportedDifference {
        text,
        verdict: judgement.verdict,
        reason: judgement.reasons.first().cloned().unwrap_or_default(),
    };
    new.into_iter()
        .map(|judgement| line(judgement, judgement.text.clone()))
        .chain(
            old.into_iter()
                .map(|judgement| line(judgement, format!("still outstanding: {}", judgement.text))),
        )
        .collect()
}

fn next(story: &Story, outcome: Outcome, judged: &[&Judgement]) -> Vec<String> {
    let mut lines = successors(story);
    lines.extend(story.advice.iter().cloned());
    lines.extend(story.part_of.iter().map(|whole| {
        format!("This is part of {whole}: one chain of changes, put back in its order.")
    }));
    let stay = judged
        .iter()
        .any(|judgement| judgement.verdict == Verdict::Alert);
    match outcome {
        Outcome::Reverted => {
            lines.push(who(story));
            if stay {
                lines.push(
                    "Some differences stay, listed above: take them back by hand, or run `snapback capture` if they are meant."
                        .to_owned(),
                );
            }
        }
        Outcome::Alerted => lines.extend(alerted(story)),
        Outcome::Refused | Outcome::Failed => {
            lines.push(match &story.errand {
                Some(_) => "It did not reach its end: what is listed as left differs from the baselines, which say what was asked for. Ask again to go on: the same `snapback rollback --to baseline`.".to_owned(),
                None => format!(
                    "{} is not at its baseline: put back by hand what is listed as left, then ask for another look (`recheck`), or run `snapback capture` if it is meant.",
                    story.label
                ),
            });
            lines.push(who(story));
        }
        Outcome::Accepted
        | Outcome::Blind
        | Outcome::Impostor
        | Outcome::Malformed
        | Outcome::Context
        | Outcome::Released
        | Outcome::Braked => {}
    }
    if story.cause == Cause::Missed {
        lines.push(
            "No event told of this change: check that a trail logs write events, that the rules are enabled, and the inbox's dead-letter queue."
                .to_owned(),
        );
    }
    lines
}

/// What was made again is told under both ids, with what cannot follow by itself (semantics B1).
fn successors(story: &Story) -> Vec<String> {
    let olds = story.subjects().into_iter();
    let mut lines = gateways(story);
    lines.extend(olds.flat_map(|old| successor(story, old)));
    lines
}

/// NAT gateways that were made again: routes and baselines follow, their names elsewhere do not.
fn gateways(story: &Story) -> Vec<String> {
    let made = story
        .lineage
        .iter()
        .filter_map(|(name, new)| Some((predecessor(name)?, new)));
    let leads = |old: &str, new: &str| {
        let name = successor_name(old);
        story.made.iter().any(|line| {
            let route = line.starts_with("ReplaceRoute ") || line.starts_with("CreateRoute ");
            route && (line.contains(new) || line.contains(&name))
        })
    };
    let told = made.flat_map(|(old, new)| {
        if !leads(old, new) {
            return vec![format!("{new} was made in the place of {old}, and no route leads to it.")];
        }
        vec![
            format!("{old} is {new} now: the routes that led to it and their baselines follow. The connections through it were lost."),
            format!("What still names {old} does not follow; change it by hand: the state of infrastructure as code, scripts, alarms and dashboards."),
        ]
    });
    told.collect()
}

fn successor(story: &Story, old: &ResourceId) -> Vec<String> {
    let new = story.lineage.current_resource(old);
    if new == *old {
        return Vec::new();
    }
    let others = match old {
        ResourceId::SecurityGroup(_) => {
            "launch templates, the state of infrastructure as code, and rules of other accounts and peered VPCs"
        }
        ResourceId::NetworkAcl(_) | ResourceId::RouteTable(_) => {
            "the state of infrastructure as code and scripts"
        }
    };
    vec![
        format!("{old} is {new} now: the baselines and what they name follow."),
        format!("What still names {old} does not follow; change it by hand: {others}."),
    ]
}

fn alerted(story: &Story) -> Vec<String> {
    let plan = story.plan.as_ref().filter(|plan| !plan.steps.is_empty());
    match (story.mode, plan) {
        (Mode::Observe, Some(_)) => vec![
            "Nothing was changed: the mode is observe. The calls above put it back; `snapback plan --format sh` prints them for a shell.".to_owned(),
            "To have Snapback make them by itself, set the mode to enforce.".to_owned(),
        ],
        (Mode::Enforce | Mode::Strict, Some(_)) => vec![
            "Nothing was changed: the policy leaves these calls to a person. `snapback plan --format sh` prints them for a shell.".to_owned(),
            "To have Snapback make a lost NAT gateway again by itself, set `recreate: { nat: true }` in the policy.".to_owned(),
        ],
        (Mode::Observe | Mode::Enforce | Mode::Strict, _) => vec![
            "The differences stay. If they are meant, run `snapback capture` so that they become the baseline; if not, take them back by hand.".to_owned(),
        ],
    }
}

fn who(story: &Story) -> String {
    if let Some(errand) = &story.errand {
        return format!("{} asked for it: {}.", errand.by, errand.what);
    }
    match story.change.as_deref() {
        Some(change) => {
            let actor = &change.actor;
            let person = actor.person.as_ref().map_or_else(
                || actor.principal.clone(),
                |person| format!("{person} ({})", actor.principal),
            );
            format!(
                "Ask {person} whether it was meant; if so, let a trusted principal make the change, which then becomes the baseline."
            )
        }
        None => "Find out who made the change: CloudTrail's event history of this resource tells."
            .to_owned(),
    }
}
