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
            Action::ReplaceNetworkAclAssociation { from, acl, .. } => {
                ids.extend(from.iter().chain([acl]).cloned().map(ResourceId::from));
            }
            Action::ReplaceRouteTableAssociation { from, table, .. } => {
                ids.extend(from.iter().chain([table]).cloned().map(ResourceId::from));
            }
            _ => {}
        }
    }
    let mut state = Snapshot::empty(live.observed_at);
    surround(&mut state.topology, &live.topology, steps);
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

/// What a new resource is born with, and what an endpoint serves: only where a step asks for it.
fn surround(here: &mut Topology, live: &Topology, steps: &[Step]) {
    for step in steps {
        let named = match &step.action {
            Action::CreateSecurityGroup { vpc, .. } | Action::CreateRouteTable { vpc, .. } => {
                let vpc = live.vpcs.get(vpc);
                here.vpcs
                    .extend(vpc.map(|vpc| (vpc.id.clone(), vpc.clone())));
                continue;
            }
            Action::ModifyVpcEndpoint { endpoint, .. } => {
                if here.prefix_lists.is_empty() {
                    here.prefix_lists.clone_from(&live.prefix_lists);
                }
                endpoint.as_str()
            }
            Action::CreateNatGateway { gateway, .. }
            | Action::AssociateNatGatewayAddress { gateway, .. }
            | Action::AssignPrivateNatGatewayAddress { gateway, .. } => {
                if here.addresses.is_none() {
                    here.addresses.clone_from(&live.addresses);
                }
                gateway.as_str()
            }
            _ => continue,
        };
        if let Some(gateway) = live.gateways.get(named) {
            here.gateways.insert(named.to_owned(), gateway.clone());
        }
    }
}
