//! The run of a proposal that a person said yes to.

use super::{Proposal, RollbackError, plan_of};
use crate::execute::Execution;
use crate::guard::{Focus, Guard, Listener, Scene, Spot, Visit};
use crate::rights::RollbackPorts;
use snapback_engine::incident::{Body, Cause, Report, ResourceRecord, Story};
use snapback_model::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often and how long a story in work is waited for.
const WAITS: u32 = 20;
const WAIT: Duration = Duration::from_secs(2);

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The story in the journal.
    pub incident: IncidentId,
    /// Its end.
    pub report: Report,
    /// Resources that refer to what was made again and were not asked for: their baselines name the new
    /// ids, live is to follow.
    pub referrers: BTreeSet<ResourceId>,
}

/// Runs what was shown, and only that: where live or a baseline moved since, nothing is done. Once it
/// runs, what others change meanwhile is planned around, as in a revert.
///
/// `guard` holds the ports with the person's rights; its `holder` names the person's process.
///
/// # Errors
/// [`RollbackError::Stopped`] where work stopped midway: the story is open, and whoever asks again, or
/// the guard, goes on. All others: nothing was changed.
pub async fn run<P: RollbackPorts>(
    guard: &Guard<P>,
    proposal: &Proposal,
    deadline: Timestamp,
    listener: Listener<'_>,
) -> Result<Done, RollbackError> {
    let Some(lead) = proposal.lead() else {
        return Err(RollbackError::Moved("nothing is asked for".into()));
    };
    let visit = Visit::of_person(guard, deadline, listener);
    let focus = Focus {
        resources: proposal.errand.parts.keys().cloned().collect(),
        ..Focus::default()
    };
    let record = unheld(&visit, lead).await?;
    let spot = Spot::Everywhere;
    let mut scene = visit
        .scene(&spot, &focus)
        .await?
        .ok_or(RollbackError::Uncaptured)?;
    is_as_shown(proposal, &scene)?;
    let story = story(&visit, &record, proposal).await?;
    let incident = story.incident.clone();
    let place = visit.place(&scene, lead);
    Execution::new(&visit, &spot, &focus, &mut scene, record, story, place)
        .run_errand(proposal.errand.clone(), &proposal.promoted)
        .await?;
    let entries = visit
        .pace()
        .retried(|| guard.ports.entries(&incident))
        .await?;
    let report = entries
        .into_iter()
        .rev()
        .find_map(|entry| match entry.body {
            Body::Closed { report } => Some(*report),
            _ => None,
        });
    let asked_for = visit.asked_for();
    let referrers = asked_for.difference(&focus.resources).cloned().collect();
    Ok(Done {
        report: report.ok_or_else(|| RollbackError::Untold(incident.clone()))?,
        incident,
        referrers,
    })
}

/// The record of the lead, once nobody holds it.
async fn unheld<P: RollbackPorts>(
    visit: &Visit<'_, P>,
    lead: &ResourceId,
) -> Result<ResourceRecord, RollbackError> {
    let mut waited = 0;
    loop {
        let record = visit.record(lead).await?;
        if !record.is_held_against(&visit.holder, visit.now()) {
            return Ok(record);
        }
        if waited == WAITS {
            return Err(RollbackError::Busy {
                resource: lead.clone(),
                holder: record.holder.unwrap_or_default(),
            });
        }
        waited += 1;
        visit.guard.ports.sleep(WAIT).await;
    }
}

/// A new story, or the open one of the lead: what was asked for last counts.
async fn story<P: RollbackPorts>(
    visit: &Visit<'_, P>,
    record: &ResourceRecord,
    proposal: &Proposal,
) -> Result<Story, RollbackError> {
    if let Some(open) = &record.open {
        let ports = &visit.guard.ports;
        let entries = visit.pace().retried(|| ports.entries(open)).await?;
        if let Some(story) = Story::read(&entries) {
            tracing::info!(incident = %open, "go on with an unfinished story");
            return Ok(story);
        }
    }
    let errand = &proposal.errand;
    let incident = record.open.clone();
    Ok(Story::new(
        incident.unwrap_or_else(|| record.next_incident()),
        record.resource.clone(),
        Cause::Asked(format!("{} by {}", errand.what, errand.by)),
        None,
        visit.now(),
    ))
}

/// Whether what would be done now is what was shown.
fn is_as_shown(proposal: &Proposal, scene: &Scene) -> Result<(), RollbackError> {
    for promoted in &proposal.promoted {
        let standing = scene.baselines.by_id.get(&promoted.id);
        let standing = standing.map_or(Generation(0), |standing| standing.generation);
        if standing.next() != promoted.generation {
            let what = format!("the baseline of {} was written", promoted.id);
            return Err(RollbackError::Moved(what));
        }
    }
    let baselines = scene.baselines.clone().with(proposal.promoted.clone());
    let now = plan_of(&proposal.errand, &baselines, &scene.live);
    let shown = &proposal.plan;
    if now.steps == shown.steps && now.notes == shown.notes && now.based_on == shown.based_on {
        return Ok(());
    }
    Err(RollbackError::Moved("live changed".into()))
}
