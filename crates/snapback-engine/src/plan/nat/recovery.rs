//! The recovery of NAT gateways by itself: shown to people, whatever the policy lets the guard do.

use super::super::{Plan, plan};
use super::lost;
use snapback_model::*;
use std::collections::BTreeMap;

/// A table as live has it, but with the routes of its good state that lead to NAT gateways which are
/// gone. `None` where there is no such route.
pub fn recovery_goal(
    live: &Snapshot,
    table: &ResourceId,
    baselines: &Baselines,
) -> Option<Resource> {
    let Some(Resource::RouteTable(good)) = baselines.state(table) else {
        return None;
    };
    let Some(Resource::RouteTable(now)) = live.resources.get(table) else {
        return None;
    };
    let lost = lost(live, std::iter::once(good));
    let back = good.routes.iter().filter(|(_, route)| {
        !route.blackhole
            && matches!(&route.target, RouteTarget::NatGateway(id) if lost.contains_key(id))
    });
    let mut goal = now.clone();
    goal.routes
        .extend(back.map(|(to, route)| (to.clone(), route.clone())));
    (goal != *now).then_some(Resource::RouteTable(goal))
}

/// The plan that makes again the NAT gateways that a table's good state leads to and leads its routes
/// to them; everything else of the table stays as live has it. `None` where no such gateway is gone.
pub fn recovery(live: &Snapshot, table: &ResourceId, baselines: &Baselines) -> Option<Plan> {
    let goal = recovery_goal(live, table, baselines)?;
    let goal = BTreeMap::from([(table.clone(), goal)]);
    Some(plan(live, &goal, baselines))
}
