//! The plan while it is being made.

use super::{Action, Note, Step};
use snapback_model::ResourceId;

/// Steps and notes in the order they were decided.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) steps: Vec<Step>,
    pub(super) notes: Vec<Note>,
}

impl Draft {
    pub(super) fn step(
        &mut self,
        resource: impl Into<ResourceId>,
        action: Action,
        why: impl Into<String>,
    ) {
        self.steps.push(Step {
            resource: resource.into(),
            action,
            why: why.into(),
        });
    }

    pub(super) fn cannot(&mut self, resource: impl Into<ResourceId>, what: impl Into<String>) {
        self.notes.push(Note::Cannot {
            resource: resource.into(),
            what: what.into(),
        });
    }

    pub(super) fn needs(
        &mut self,
        resource: impl Into<ResourceId>,
        what: impl Into<String>,
        needs: impl Into<String>,
    ) {
        self.notes.push(Note::Needs {
            resource: resource.into(),
            what: what.into(),
            needs: needs.into(),
        });
    }

    pub(super) fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.notes.extend(other.notes);
    }
}
