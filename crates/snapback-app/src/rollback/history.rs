//! `history`: what a resource was, who made it so, when and why.

use super::{RollbackError, line, pace};
use crate::port::Wanted;
use crate::rights::HistoryPorts;
use snapback_engine::execution::Limits;
use snapback_engine::incident::{Body, Entry, Outcome};
use snapback_model::*;

/// Stories of a resource that are looked for, the latest ones.
const STORIES_MAX: usize = 50;

/// What is known of a resource's past.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// The ids it had, the one asked for first.
    pub ids: Vec<ResourceId>,
    /// Its generations, newest first, those of earlier ids after those of later ones.
    pub generations: Vec<Baseline>,
    /// Generations that were written before any were kept.
    pub not_kept: u64,
    /// Its stories that the journal has, newest first: those opened on it. A rollback of several
    /// resources is a story of the one in whose name it was told; the generations of all name it.
    pub incidents: Vec<Told>,
    /// Leases older than the stories that were looked for.
    pub unsearched: u64,
}

/// One story, as its end tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Which.
    pub incident: IncidentId,
    /// When it began.
    pub at: Timestamp,
    /// How it ended; `None` while it is open.
    pub outcome: Option<Outcome>,
    /// Who made what it is about, where known.
    pub who: Option<String>,
    /// What it is about.
    pub what: Vec<String>,
}

/// Reads the past of a resource; with `since`, only what is not older.
///
/// # Errors
/// [`RollbackError`]: no baseline knows it, or the store did not answer.
pub async fn history<P: HistoryPorts>(
    ports: &P,
    resource: &ResourceId,
    since: Option<Timestamp>,
) -> Result<Past, RollbackError> {
    let limits = Limits::default();
    let pace = pace(ports, &limits, resource.as_str());
    let wanted = Wanted {
        everything: true,
        only_states: true,
        ..Wanted::default()
    };
    let baselines = pace.retried(|| ports.baselines(&wanted)).await?;
    let baselines = baselines.ok_or(RollbackError::Uncaptured)?;
    if !baselines.by_id.contains_key(resource) {
        return Err(RollbackError::Unknown(resource.clone()));
    }
    let mut past = Past {
        ids: line(&baselines, resource),
        ..Past::default()
    };
    for id in past.ids.clone() {
        let mut kept = kept(ports, &id).await?;
        // The present one stands by itself where generations were not kept yet when it was written.
        if kept.is_empty() {
            kept.extend(baselines.by_id.get(&id).cloned());
        }
        let oldest = kept.last().map_or(0, |oldest| oldest.generation.0);
        past.not_kept += oldest.saturating_sub(1);
        past.generations.extend(kept);
        let record = pace.retried(|| ports.record(&id)).await?;
        for incident in record.past_incidents().take(STORIES_MAX) {
            let entries = pace.retried(|| ports.entries(&incident)).await?;
            past.incidents.extend(told(incident, &entries));
        }
        let searched = u64::try_from(STORIES_MAX).unwrap_or(u64::MAX);
        past.unsearched += record.fencing.saturating_sub(searched);
    }
    if let Some(since) = since {
        past.generations
            .retain(|baseline| baseline.provenance.at >= since);
        past.incidents.retain(|told| told.at >= since);
    }
    Ok(past)
}

/// Every generation that is kept of an id, newest first.
async fn kept<P: HistoryPorts>(ports: &P, id: &ResourceId) -> Result<Vec<Baseline>, RollbackError> {
    let limits = Limits::default();
    let pace = pace(ports, &limits, id.as_str());
    let mut kept: Vec<Baseline> = Vec::new();
    loop {
        let before = kept.last().map(|last| last.generation);
        let page = pace.retried(|| ports.generations(id, before)).await?;
        if page.is_empty() {
            return Ok(kept);
        }
        kept.extend(page);
    }
}

fn told(incident: IncidentId, entries: &[Entry]) -> Option<Told> {
    let first = entries.first()?;
    let mut report = None;
    let mut errand = None;
    for entry in entries {
        match &entry.body {
            Body::Closed { report: end } => report = Some(end),
            Body::Asked { errand: asked } => errand = Some(asked),
            _ => {}
        }
    }
    let actor = report.and_then(|report| report.actor.as_ref());
    let actor = actor.map(|actor| actor.person.as_ref().unwrap_or(&actor.principal));
    let differences = report.iter().flat_map(|report| &report.differences);
    Some(Told {
        incident,
        at: first.at,
        outcome: report.map(|report| report.outcome),
        who: errand.map(|errand| &errand.by).or(actor).cloned(),
        what: match errand {
            Some(errand) => vec![errand.what.clone()],
            None => differences.map(|line| line.text.clone()).collect(),
        },
    })
}
