//! Interfaces behind the ACL of their subnet. A packet passes where a group and the ACL both let it:
//! each of them may keep its own bounds while both together pass what neither end passes, one still as
//! live has it and the other already as the goal has it.
//!
//! Held by address only: which addresses a group reference stands for is not known here.

use super::{DIRECTIONS, union_of};
use crate::plan::{Action, Step};
use snapback_model::*;
use snapback_reach::{PacketSet, permitted_by_acl};
use std::collections::{BTreeMap, BTreeSet};

/// The interfaces of one subnet that carry the same groups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::plan) struct Guarded {
    pub(in crate::plan) groups: BTreeSet<SecurityGroupId>,
    pub(in crate::plan) subnet: SubnetId,
}

/// Packets of one direction that pass at neither end, though at one end a group lets them and at one
/// end the ACL does.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Danger {
    pub(in crate::plan) who: Guarded,
    pub(in crate::plan) direction: Direction,
    pub(in crate::plan) packets: PacketSet,
}

impl Danger {
    /// Of these packets, those that a state's groups let pass.
    pub(in crate::plan) fn by_groups(&self, state: &Snapshot, live: &Snapshot) -> PacketSet {
        let of = |id: &ResourceId| state.resources.get(id).or_else(|| live.resources.get(id));
        self.packets.intersection(&union_of(
            &self.who.groups,
            self.direction,
            &live.topology,
            of,
        ))
    }

    /// Whether a call may change what the groups let pass.
    pub(in crate::plan) fn hears_groups(&self, action: &Action) -> bool {
        written_group(action).is_some_and(|id| self.who.groups.contains(id))
    }

    /// What the ACL that holds the subnet in a state lets pass.
    pub(in crate::plan) fn by_acl(&self, state: &Snapshot, live: &Snapshot) -> PacketSet {
        let subnet = &self.who.subnet;
        let of = |snapshot: &Snapshot| {
            let acl = snapshot.acl_of(subnet)?;
            as_acl(snapshot.resources.get(&acl.clone().into()))
                .map(|acl| permitted_by_acl(acl, self.direction))
        };
        of(state).or_else(|| of(live)).unwrap_or_default()
    }
}

/// What is in danger while a plan writes groups and ACLs; nothing where it writes only one of them.
pub(in crate::plan) fn dangers(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    steps: &[Step],
) -> Vec<Danger> {
    let groups: BTreeSet<&SecurityGroupId> = steps
        .iter()
        .filter_map(|step| written_group(&step.action))
        .collect();
    if groups.is_empty() || !steps.iter().any(|step| filters(&step.action)) {
        return Vec::new();
    }
    let mut before: BTreeMap<&SubnetId, &NetworkAcl> = BTreeMap::new();
    for acl in live
        .resources
        .values()
        .filter_map(|resource| as_acl(Some(resource)))
    {
        before.extend(acl.subnets.iter().map(|subnet| (subnet, acl)));
    }
    let mut after = before.clone();
    for acl in after.values_mut() {
        *acl = as_acl(goal.get(&acl.id.clone().into())).unwrap_or(acl);
    }
    for acl in goal.values().filter_map(|resource| as_acl(Some(resource))) {
        after.extend(acl.subnets.iter().map(|subnet| (subnet, acl)));
    }
    let guarded: BTreeSet<Guarded> = live
        .topology
        .interfaces
        .values()
        .filter(|interface| interface.groups.iter().any(|id| groups.contains(id)))
        .map(|interface| Guarded {
            groups: interface.groups.clone(),
            subnet: interface.subnet.clone(),
        })
        .collect();
    let mut known = BTreeMap::new();
    let mut dangers = Vec::new();
    for who in guarded {
        let (Some(before), Some(after)) = (before.get(&who.subnet), after.get(&who.subnet)) else {
            continue;
        };
        if before.entries == after.entries {
            continue;
        }
        let ends = (who.groups.clone(), &before.id, &after.id);
        let packets = known.entry(ends).or_insert_with(|| {
            DIRECTIONS.map(|direction| danger(live, goal, &who.groups, (before, after), direction))
        });
        for (direction, packets) in DIRECTIONS.into_iter().zip(packets) {
            if !packets.is_empty() {
                dangers.push(Danger {
                    who: who.clone(),
                    direction,
                    packets: packets.clone(),
                });
            }
        }
    }
    dangers
}

fn danger(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    groups: &BTreeSet<SecurityGroupId>,
    (before, after): (&NetworkAcl, &NetworkAcl),
    direction: Direction,
) -> PacketSet {
    let topology = &live.topology;
    let held = |id: &ResourceId| live.resources.get(id);
    let now = union_of(groups, direction, topology, held);
    let then = union_of(groups, direction, topology, |id| {
        goal.get(id).or_else(|| held(id))
    });
    if now == then {
        return PacketSet::empty();
    }
    let [before, after] = [before, after].map(|acl| permitted_by_acl(acl, direction));
    let mixed = now.intersection(&after).union(&then.intersection(&before));
    mixed
        .difference(&now.intersection(&before))
        .difference(&then.intersection(&after))
}

fn written_group(action: &Action) -> Option<&SecurityGroupId> {
    match action {
        Action::AuthorizeSecurityGroupRules { group, .. }
        | Action::RevokeSecurityGroupRules { group, .. }
        | Action::ModifySecurityGroupRule { group, .. } => Some(group),
        _ => None,
    }
}

fn as_acl(resource: Option<&Resource>) -> Option<&NetworkAcl> {
    match resource? {
        Resource::NetworkAcl(acl) => Some(acl),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    }
}

/// Whether a call may change what an ACL lets pass, or which ACL it is.
pub(in crate::plan) fn filters(action: &Action) -> bool {
    matches!(
        action,
        Action::CreateNetworkAclEntry { .. }
            | Action::ReplaceNetworkAclEntry { .. }
            | Action::DeleteNetworkAclEntry { .. }
            | Action::ReplaceNetworkAclAssociation { .. }
    )
}
