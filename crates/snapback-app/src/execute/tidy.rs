//! What was made for the time of a repair goes again, also where the work stopped between the last
//! subnet's return and the removal.

use super::{Ended, Execution, GuardError};
use crate::rights::GuardPorts;
use snapback_engine::incident::Body;
use snapback_engine::plan::{self, Plan};
use snapback_engine::policy::Mode;
use snapback_model::ResourceId;
use std::collections::BTreeSet;

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// The plan of a story that has nothing else left to do: to remove what stood in for others. The
    /// plan of an errand holds it already; `observe`, set meanwhile, leaves it there.
    pub(super) fn tidying(&self) -> Option<Plan> {
        let policy = &self.visit.guard.policy;
        if self.story.errand.is_some()
            || policy.mode_of(self.story.resource.kind()) == Mode::Observe
        {
            return None;
        }
        let vpcs = self.place.vpc.iter().cloned().collect();
        let plan = plan::tidy(&self.scene.live, &vpcs);
        Some(plan).filter(|plan| !plan.steps.is_empty())
    }

    /// Ends a story that has nothing left to do.
    ///
    /// # Errors
    /// [`GuardError`] where its end is not written.
    pub(super) async fn conclude(&mut self, bodies: Vec<Body>) -> Result<Ended, GuardError> {
        let (outcome, mut lacks) = self.completed();
        lacks.extend(self.out_of_reach());
        self.close(outcome, bodies, lacks).await
    }

    /// What was made to stand in for something of this story and is still there, in words.
    pub(super) fn temporaries_left(&self) -> Vec<String> {
        let subjects = self.story.subjects().into_iter();
        let ids: BTreeSet<ResourceId> = subjects
            .flat_map(|id| [id.clone(), self.lineage.current_resource(id)])
            .collect();
        plan::still_there(&self.scene.live, &ids)
    }
}
