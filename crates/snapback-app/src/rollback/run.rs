//! The run of a proposal that a person said yes to.

use super::{Leg, RollbackError};
use crate::execute::{Claim, Execution};
use crate::guard::{Focus, Guard, GuardError, Listener, Scene, Spot, Visit};
use crate::ledger;
use crate::rights::RollbackPorts;
use snapback_engine::incident::{Body, Cause, Report, ResourceRecord, Story};
use snapback_engine::plan::Plan;
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

/// Runs one leg of what was shown, and only that: where live or a baseline moved since, nothing is done.
/// Once it runs, what others change meanwhile is planned around, as in a revert.
///
/// `guard` holds the ports with the person's rights; its `holder` names the person's process.
///
/// # Errors
/// [`RollbackError::Stopped`] where work stopped midway: the story is open, and whoever asks again, or
/// the guard, goes on. All others: nothing of this leg was done.
pub async fn run<P: RollbackPorts>(
    guard: &Guard<P>,
    leg: &Leg,
    deadline: Timestamp,
    listener: Listener<'_>,
) -> Result<Done, RollbackError> {
    let visit = Visit::of_person(guard, deadline, listener);
    let focus = Focus {
        resources: leg.errand.parts.keys().cloned().collect(),
        ..Focus::default()
    };
    let spot = Spot::Everywhere;
    let mut waited = 0;
    let (mut scene, claim) = loop {
        let scene = visit.scene(&spot, &focus).await?;
        let mut scene = scene.ok_or(RollbackError::Uncaptured)?;
        match claim(&visit, leg, &mut scene).await {
            Err(RollbackError::Busy { .. }) if waited < WAITS => {
                waited += 1;
                guard.ports.sleep(WAIT).await;
            }
            claim => break (scene, claim?),
        }
    };
    is_as_shown(leg, &scene, &claim)?;
    let incident = claim.story.incident.clone();
    let errand = Execution::new(&visit, &spot, &focus, &mut scene, claim)
        .run_errand(leg.errand.clone(), &leg.promoted);
    Box::pin(errand).await?;
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

/// The story to write in, with the rights for it; nothing is written yet.
async fn claim<P: RollbackPorts>(
    visit: &Visit<'_, P>,
    leg: &Leg,
    scene: &mut Scene,
) -> Result<Claim, RollbackError> {
    let (record, story) = match going_on(visit, leg).await? {
        Some((record, story)) => (record, story),
        None => {
            let parts = &leg.errand.parts;
            let lead = leg.plan.goal.keys().find(|id| parts.contains_key(*id));
            let lead = lead.or_else(|| parts.keys().next());
            let lead = lead.ok_or_else(|| RollbackError::Moved("nothing is asked for".into()))?;
            let record = visit.record(lead).await?;
            let story = begun(visit, &record, leg);
            (record, story)
        }
    };
    let resource = record.resource.clone();
    if record.is_held_against(&visit.holder, visit.now(), visit.guard.limits.skew) {
        let holder = record.holder.unwrap_or_default();
        return Err(RollbackError::Busy { resource, holder });
    }
    let rights = visit.rights_of(&resource, scene).await?;
    match visit.is_free(&resource, &rights) {
        Err(GuardError::Busy { resource, holder }) => {
            return Err(RollbackError::Busy { resource, holder });
        }
        free => free?,
    }
    Ok(Claim {
        place: visit.place(scene, &resource),
        record,
        rights,
        story,
    })
}

/// The open story that has to do with what is asked for: it may hold half-made things, so it is gone on
/// with. What was asked for last counts.
async fn going_on<P: RollbackPorts>(
    visit: &Visit<'_, P>,
    leg: &Leg,
) -> Result<Option<(ResourceRecord, Story)>, RollbackError> {
    let open = ledger::open_stories(&visit.pace(), &visit.guard.ports).await?;
    let parts = &leg.errand.parts;
    let concerns = |story: &Story| story.subjects().iter().any(|id| parts.contains_key(*id));
    let mut ours: Vec<(ResourceRecord, Story)> = open
        .into_iter()
        .filter(|(_, story)| concerns(story))
        .collect();
    let makes = |story: &Story| {
        let mut steps = story.plan.iter().flat_map(|plan| &plan.steps);
        !story.makes.is_empty() || steps.any(|step| step.action.makes().is_some())
    };
    let making = ours.iter().filter(|(_, story)| makes(story));
    if let Some((record, story)) = making.clone().nth(1) {
        // Each may have made something: they end first, each by itself.
        return Err(RollbackError::Busy {
            resource: record.resource.clone(),
            holder: story.incident.to_string(),
        });
    }
    ours.sort_by_key(|(_, story)| !makes(story));
    Ok(ours.into_iter().next())
}

/// A story that begins.
fn begun<P: RollbackPorts>(visit: &Visit<'_, P>, record: &ResourceRecord, leg: &Leg) -> Story {
    let errand = &leg.errand;
    let incident = record.open.clone();
    Story::new(
        incident.unwrap_or_else(|| record.next_incident()),
        record.resource.clone(),
        Cause::Asked(format!("{} by {}", errand.what, errand.by)),
        None,
        visit.now(),
    )
}

/// Whether what would be done now is what was shown. A story that is gone on with may have made things
/// that the plan shown would make again: those are its own.
fn is_as_shown(leg: &Leg, scene: &Scene, claim: &Claim) -> Result<(), RollbackError> {
    for promoted in &leg.promoted {
        let standing = scene.baselines.by_id.get(&promoted.id);
        let standing = standing.map_or(Generation(0), |standing| standing.generation);
        if standing.next() != promoted.generation {
            let what = format!("the baseline of {} was written", promoted.id);
            return Err(RollbackError::Moved(what));
        }
    }
    let baselines = scene.baselines.clone().with(leg.promoted.clone());
    let now = leg
        .errand
        .commission(&baselines, &scene.live, &Lineage::default());
    let same = is_same(&now.plan, &leg.plan)
        && match (&now.emergency, &leg.emergency) {
            (Some(now), Some(shown)) => {
                is_same(&now.fast, &shown.fast) && is_same(&now.repair, &shown.repair)
            }
            (now, shown) => now.is_none() && shown.is_none(),
        };
    if same || !claim.story.unsettled.is_empty() {
        return Ok(());
    }
    Err(RollbackError::Moved("live changed".into()))
}

fn is_same(now: &Plan, shown: &Plan) -> bool {
    now.steps == shown.steps && now.notes == shown.notes && now.based_on == shown.based_on
}
