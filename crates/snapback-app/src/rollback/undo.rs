//! `undo`: back to what a revert took back. The differences become baseline, so that no guard takes
//! them back again; only what the incident changed is touched.

use super::draft::{Draft, Terms};
use super::{Known, Proposal, RollbackError, known, pace};
use crate::rights::RollbackPorts;
use snapback_engine::diff::{self, Difference, Side};
use snapback_engine::execution::Limits;
use snapback_engine::incident::Story;
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What undoing an incident would do. Nothing is written.
///
/// # Errors
/// [`RollbackError`]; nothing was changed.
pub async fn undo<P: RollbackPorts>(
    ports: &P,
    incident: &IncidentId,
    by: &str,
    why: &str,
    interruptions: bool,
) -> Result<Proposal, RollbackError> {
    let refused = |why: String| RollbackError::NotUndone {
        incident: incident.clone(),
        why,
    };
    let story = story(ports, incident, by).await?;
    let known = known(ports, by).await?;
    let subject = known.lineage.current_resource(&story.resource);
    if !known.baselines.by_id.contains_key(&subject) {
        return Err(RollbackError::Unknown(subject));
    }
    let mut undoing = Undoing::new(&known, subject);
    for judgement in story.judgements.values() {
        if judgement.verdict == Verdict::Revert {
            undoing.take(&judgement.difference);
        }
    }
    if undoing.elements.is_empty() {
        let mut lines = vec!["nothing of it can be undone".to_owned()];
        lines.extend(undoing.remarks);
        return Err(refused(lines.join("; ")));
    }
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(": {why}")
    };
    let mut draft = Draft::new(&known, format!("undo of {incident}{why}"), by.to_owned());
    for (id, state) in undoing.states {
        let elements = undoing.elements.remove(&id).unwrap_or_default();
        draft.part(&id, state, Some(elements), ports.now());
    }
    let mut remarks = undoing.remarks;
    remarks.extend(besides(&known, &draft));
    let terms = Terms {
        interruptions,
        emergency: false,
    };
    draft.proposal(terms, remarks)
}

/// The story to undo: one that is over and in which calls were made, by Snapback's own decision.
async fn story<P: RollbackPorts>(
    ports: &P,
    incident: &IncidentId,
    by: &str,
) -> Result<Story, RollbackError> {
    let limits = Limits::default();
    let entries = pace(ports, &limits, by)
        .retried(|| ports.entries(incident))
        .await?;
    let refused = |why: &str| RollbackError::NotUndone {
        incident: incident.clone(),
        why: why.to_owned(),
    };
    if entries.is_empty() {
        return Err(refused("no such incident is in the journal"));
    }
    let Some(story) = Story::read(&entries) else {
        return Err(refused("it is a notice: Snapback changed nothing in it"));
    };
    if let Some(errand) = &story.errand {
        return Err(refused(&format!(
            "{} asked for it ({}): `snapback history` lists the generations before it, `snapback rollback --to` goes back to one",
            errand.by, errand.what
        )));
    }
    if !story.closed {
        return Err(refused("it is not over yet: look again when it is"));
    }
    if story.made.is_empty() {
        return Err(refused("Snapback made no call in it"));
    }
    Ok(story)
}

/// What else differs on the same resources.
fn besides(known: &Known, draft: &Draft<'_>) -> Vec<String> {
    let baselines = known.baselines.clone().with(draft.promoted.clone());
    let mut lines = Vec::new();
    for (id, part) in &draft.parts {
        let only = BTreeSet::from([id.clone()]);
        let asked = |difference: &Difference| {
            let elements = part.elements.as_ref();
            elements.is_none_or(|elements| elements.contains(&difference.element()))
        };
        let differences = diff::diff(&baselines, &known.live, Some(&only))
            .into_iter()
            .flat_map(|diff| diff.differences);
        let others = differences.filter(|difference| !asked(difference));
        lines.extend(others.map(|other| {
            let words = other.describe();
            format!("{id} differs in more, which is left as it is: {words}")
        }));
    }
    lines
}

/// The baselines with the incident's differences in them again.
struct Undoing<'a> {
    known: &'a Known,
    subject: ResourceId,
    states: BTreeMap<ResourceId, Resource>,
    elements: BTreeMap<ResourceId, BTreeSet<Element>>,
    remarks: Vec<String>,
    /// What differs now.
    now: BTreeMap<Element, Difference>,
}

impl<'a> Undoing<'a> {
    fn new(known: &'a Known, subject: ResourceId) -> Self {
        let only = BTreeSet::from([subject.clone()]);
        let now = diff::diff(&known.baselines, &known.live, Some(&only))
            .into_iter()
            .flat_map(|diff| diff.differences)
            .map(|difference| (difference.element(), difference))
            .collect();
        Self {
            known,
            subject,
            states: BTreeMap::new(),
            elements: BTreeMap::new(),
            remarks: Vec::new(),
            now,
        }
    }

    fn take(&mut self, difference: &Difference) {
        let words = difference.describe();
        if let Difference::Deleted { .. } | Difference::Unreviewed { .. } = difference {
            let made = &self.subject;
            self.remarks.push(format!(
                "{words}: Snapback made it again as {made}, and deletes nothing; delete it by hand, then run `snapback capture`"
            ));
            return;
        }
        // It differs otherwise than the incident found it: that is somebody's newer work.
        if let Some(newer) = self.now.get(&difference.element())
            && newer != difference
        {
            self.remarks.push(format!(
                "moved on since, left as it is: {} (the incident had: {words})",
                newer.describe()
            ));
            return;
        }
        let ids = self.holders(difference);
        let unknown = |id: &&ResourceId| self.known.baselines.state(id).is_none();
        if let Some(gone) = ids.iter().find(unknown) {
            self.remarks.push(format!(
                "{words}: {gone} has no baseline to put it in; it stays taken back"
            ));
            return;
        }
        for id in ids {
            let Some(state) = self.known.baselines.state(&id) else {
                continue;
            };
            let state = self
                .states
                .entry(id.clone())
                .or_insert_with(|| state.clone());
            difference.apply(state, Side::Live);
            let elements = self.elements.entry(id).or_default();
            elements.insert(difference.element());
        }
    }

    /// The resources whose state tells of it: an association is also the other holder's.
    fn holders(&self, difference: &Difference) -> BTreeSet<ResourceId> {
        let mut ids = BTreeSet::from([self.subject.clone()]);
        match difference {
            Difference::Association { live, .. } => ids.extend(live.clone()),
            Difference::Main { live, .. } => ids.extend(live.clone().map(ResourceId::from)),
            _ => {}
        }
        ids
    }
}
