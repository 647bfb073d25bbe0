//! The part of a snapshot that a plan touches.

use super::super::{Action, Step};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// Only what the steps touch: a snapshot of an account is large.
pub(in crate::plan) fn reduced(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    steps: &[Step],
) -> Snapshot {
    let mut ids: BTreeSet<ResourceId> = goal.keys().cloned().collect();
    for step in steps {
        ids.insert(step.resource.clone());
        match &step.action {
            Action::ReplaceNetworkAclAssociation {
                from: Some(from), ..
            } => {
                ids.insert(from.clone().into());
            }
            Action::ReplaceRouteTableAssociation {
                from: Some(from), ..
            } => {
                ids.insert(from.clone().into());
            }
            _ => {}
        }
    }
    let mut state = Snapshot::empty(live.observed_at);
    // What a new resource is born with, and what an endpoint serves.
    state.topology.vpcs.clone_from(&live.topology.vpcs);
    state.topology.gateways.clone_from(&live.topology.gateways);
    state
        .topology
        .prefix_lists
        .clone_from(&live.topology.prefix_lists);
    let vpcs: BTreeSet<&VpcId> = goal
        .values()
        .filter(|resource| resource.kind() == Kind::RouteTable)
        .filter_map(Resource::vpc)
        .collect();
    let neighbours = live
        .resources
        .values()
        .filter(|resource| resource.kind() == Kind::RouteTable);
    ids.extend(
        neighbours
            .filter(|table| table.vpc().is_some_and(|vpc| vpcs.contains(vpc)))
            .map(Resource::id),
    );
    let held = ids
        .iter()
        .filter_map(|id| Some((id.clone(), live.resources.get(id)?.clone())));
    state.resources = held.collect();
    let rules = live
        .handles
        .rules
        .iter()
        .filter(|(_, handle)| ids.contains(&handle.group.clone().into()));
    state.handles.rules = rules
        .map(|(id, handle)| (id.clone(), handle.clone()))
        .collect();
    let associations = live
        .handles
        .associations
        .iter()
        .filter(|(_, handle)| ids.contains(&handle.resource));
    state.handles.associations = associations
        .map(|(id, handle)| (id.clone(), handle.clone()))
        .collect();
    state
}
