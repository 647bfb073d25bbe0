//! What is not judged yet, because the message that tells of it is on its way.

use super::{GuardError, Matter, Scene, Visit};
use crate::assessment::Assessment;
use crate::ledger;
use crate::patience::{PREMATURE_WINDOW, SIBLING_WINDOW};
use crate::rights::GuardPorts;
use snapback_engine::incident::ResourceRecord;

impl<P: GuardPorts> Visit<'_, P> {
    /// A trusted change may name what an event tells of that is on its way still: an association that
    /// was made and ended within a second.
    pub(super) fn wait_for_what_it_names(
        &self,
        ids: &[String],
        matter: &Matter,
    ) -> Result<(), GuardError> {
        match matter.change.as_deref().filter(|_| matter.trusted) {
            Some(change) if self.is_early(change, PREMATURE_WINDOW) => Err(GuardError::Early {
                event: change.event.to_string(),
                why: format!("nothing known tells what {} is", ids.join(", ")),
            }),
            _ => Ok(()),
        }
    }

    /// What no baseline knows may be what an open story is making again: that story tells of it.
    pub(super) async fn wait_for_its_maker(
        &self,
        record: &ResourceRecord,
        scene: &Scene,
    ) -> Result<(), GuardError> {
        let strange = scene.live.resources.contains_key(&record.resource)
            && scene.baselines.state(&record.resource).is_none();
        if !strange || self.last_try {
            return Ok(());
        }
        let maker =
            ledger::maker_of(&self.pace(), &self.guard.ports, record.resource.kind()).await?;
        match maker {
            Some(maker) => Err(GuardError::Busy {
                resource: record.resource.clone(),
                holder: maker.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// A deployment makes many calls in a row, and the event of the first comes when live shows the
    /// work of all: what differs beside a young trusted change is judged by its own event, or when
    /// this one comes again. Not so where we wrote since: then it may be our own write that differs.
    pub(super) fn wait_for_siblings(
        &self,
        record: &ResourceRecord,
        assessment: Option<&Assessment>,
        matter: &Matter,
    ) -> Result<(), GuardError> {
        let Some(change) = matter.change.as_deref().filter(|_| matter.trusted) else {
            return Ok(());
        };
        let written_since = record.last_write.is_some_and(|at| at >= change.at);
        let news = assessment.is_some_and(|assessment| assessment.has_news(&record.told));
        if news && !written_since && self.is_early(change, SIBLING_WINDOW) {
            return Err(GuardError::Early {
                event: change.event.to_string(),
                why: format!("{} differs beside it", record.resource),
            });
        }
        Ok(())
    }

    /// Whoever deletes something takes away first what hangs on it, and each call has its event. What
    /// is gone is made again once the event of its deletion tells who did that, or had its time to
    /// come: a trusted hand may have, and what is made again is never unmade by us.
    pub(super) fn wait_for_its_end(
        &self,
        record: &ResourceRecord,
        scene: &Scene,
        matter: &Matter,
    ) -> Result<(), GuardError> {
        let Some(change) = matter.change.as_deref() else {
            return Ok(());
        };
        let gone = !scene.live.resources.contains_key(&record.resource)
            && scene.baselines.state(&record.resource).is_some();
        // A chain of deletions is put back as one, by the event of any of them.
        let is_told = change.tells_of_a_deletion();
        if gone && !is_told && self.is_early(change, SIBLING_WINDOW) {
            return Err(GuardError::Early {
                event: change.event.to_string(),
                why: format!(
                    "{} is gone, and this event does not tell by whom",
                    record.resource
                ),
            });
        }
        Ok(())
    }
}
