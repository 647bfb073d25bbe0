//! Differences that are no deviation: one of several allowed states of a route.

use super::judge::Bench;
use crate::diff::{Difference, ResourceDiff, Side};
use snapback_model::*;

impl Bench<'_> {
    /// The line of the policy by which a route may be as it is.
    pub(super) fn allowed_state(
        &self,
        diff: &ResourceDiff,
        difference: &Difference,
    ) -> Option<String> {
        let (ResourceId::RouteTable(table), Difference::Route { destination, delta }) =
            (&diff.resource, difference)
        else {
            return None;
        };
        let route = delta.on(Side::Live)?;
        let tags = self
            .baselines
            .state(&diff.resource)
            .and_then(Resource::tags);
        let mut allowed = self.policy.allowed_targets.iter();
        let line = allowed
            .find(|allowed| allowed.covers(table, tags, destination) && allowed.allows(route))?;
        Some(format!(
            "{} is one of the allowed states of this route (policy: allowed-targets: {line})",
            route.target.id()
        ))
    }
}
