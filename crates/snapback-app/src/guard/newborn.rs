//! What calls of ours without an answer made, and what became of it before the story found it.
//!
//! The story makes another where it finds nothing (`execute/half_made.rs`). A trusted hand that deleted
//! the first meant what is made again: two events tell of that, in either order, and the second one
//! heard says what is left to do.

use super::{GuardError, Matter, Visit};
use crate::port::Wanted;
use crate::rights::GuardPorts;
use snapback_engine::change::{Change, DeletedRef, Edit, Edits};
use snapback_engine::finding::Severity;
use snapback_engine::incident::{Cause, Notice, Outcome};
use snapback_model::{Baselines, Element, IncidentId, Resource, ResourceId};
use std::collections::BTreeSet;

impl<P: GuardPorts> Visit<'_, P> {
    /// The event of a making without an answer. The record of what it made names the story from now on:
    /// should it be deleted before the story finds it, the story knows that it was its own.
    pub(super) async fn heard_of_newborn(
        &self,
        change: &Change,
        incident: &IncidentId,
    ) -> Result<(), GuardError> {
        let Some(newborn) = created(change).map(Resource::id) else {
            return Ok(());
        };
        let record = self.record(&newborn).await?;
        if !record.unsettled.contains(incident) {
            self.note_story(record, incident).await?;
        }
        self.tell_of_deleted_newborn(&newborn, incident).await
    }

    /// The event of its deletion came first, and was accepted as that of something unknown.
    async fn tell_of_deleted_newborn(
        &self,
        newborn: &ResourceId,
        incident: &IncidentId,
    ) -> Result<(), GuardError> {
        let wanted = Wanted {
            resources: BTreeSet::from([newborn.clone()]),
            only_states: true,
            ..Wanted::default()
        };
        let known = self.baselines(&wanted).await?.unwrap_or_default();
        let ended = known.by_id.get(newborn).filter(|one| one.is_tombstone());
        let Some(deletion) = ended.and_then(|one| one.marks.get(&Element::Existence)) else {
            return Ok(());
        };
        let Some(new) = self.made_instead_of(newborn, incident).await? else {
            return Ok(());
        };
        let matter = Matter {
            cause: Cause::Event(deletion.event.clone()),
            change: None,
            trusted: false,
            settled: false,
        };
        let why = made_again(newborn, &new);
        let notice = Notice {
            severity: Severity::Medium,
            resource: Some(new),
            problems: vec![why],
            ..self.about(
                Outcome::Refused,
                format!("the deletion of {newborn}"),
                &matter,
            )
        };
        self.tell(&(&deletion.event, newborn), notice).await?;
        Ok(())
    }

    /// Why a deletion is not accepted: what it deleted was made by a call of ours whose answer was lost,
    /// and the story, which saw it nowhere, made another before this event came.
    pub(super) async fn was_made_twice(
        &self,
        change: &Change,
        baselines: &Baselines,
    ) -> Result<Option<String>, GuardError> {
        let Edits::Known(edits) = &change.edits else {
            return Ok(None);
        };
        let deleted = edits.iter().find_map(|edit| match edit {
            Edit::Deleted {
                resource: DeletedRef::Id(id),
            } => Some(id),
            _ => None,
        });
        let Some(id) = deleted.filter(|id| !baselines.by_id.contains_key(*id)) else {
            return Ok(None);
        };
        for incident in self.record(id).await?.unsettled {
            if let Some(new) = self.made_instead_of(id, &incident).await? {
                return Ok(Some(format!("{}: {}", change.api, made_again(id, &new))));
            }
        }
        Ok(None)
    }

    /// What a story made after the call that made `newborn` had had no answer.
    async fn made_instead_of(
        &self,
        newborn: &ResourceId,
        incident: &IncidentId,
    ) -> Result<Option<ResourceId>, GuardError> {
        let story = self.story_of(incident).await?;
        Ok(story.and_then(|story| story.made_instead_of(newborn)))
    }
}

fn made_again(newborn: &ResourceId, new: &ResourceId) -> String {
    format!(
        "{newborn} had been made again as {new} before its deletion was understood: delete {new} if it is to go"
    )
}

/// What a change made, where that is all that it did.
pub(super) fn created(change: &Change) -> Option<&Resource> {
    match &change.edits {
        Edits::Known(edits) => match edits.as_slice() {
            [Edit::Created { resource }] => Some(resource),
            _ => None,
        },
        Edits::Context | Edits::Unknown { .. } => None,
    }
}
