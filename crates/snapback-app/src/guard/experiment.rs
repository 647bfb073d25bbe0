//! A stranger's hand in what a fault injection made: what is tolerated of the experiment is looked at
//! at once, not when the next event or sweep comes (docs/decisions/0008).

use super::{Focus, Matter, Scene, Spot, Visit};
use crate::rights::GuardPorts;
use snapback_model::*;

impl<P: GuardPorts> Visit<'_, P> {
    /// Asks for a look at the whole place where a stranger's event names an ACL or table under the
    /// tag of experiments that no baseline knows: the read so far covers it alone, not the subnets
    /// that were moved to it.
    pub(super) fn follow_experiment(
        &self,
        spot: &Spot,
        focus: &Focus,
        scene: &Scene,
        matter: &Matter,
    ) {
        let (Some(terms), Some(change)) = (&self.guard.policy.experiments, matter.stranger())
        else {
            return;
        };
        let resource: ResourceId = match spot {
            Spot::Acl(id) => id.clone().into(),
            Spot::Table(id) => id.clone().into(),
            Spot::Group(_) | Spot::Acls(_) | Spot::Tables(_) | Spot::Everywhere => return,
        };
        let Some(found) = scene.live.resources.get(&resource) else {
            return;
        };
        let tagged = found.tags().is_some_and(|tags| terms.tag.matches(tags));
        if let Some(vpc) = found.vpc().filter(|_| tagged && !terms.made(change)) {
            self.come_back(&Spot::of(&resource, Some(vpc)), focus);
        }
    }
}
