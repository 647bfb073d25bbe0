//! The check of a finished plan: each prefix of its steps is folded over live, and what a step cuts
//! or opens that it should not is told (design.md principle 4).

use super::{Action, Note, Step, apply};
use snapback_model::*;
use snapback_reach::{NextHops, PacketSet, next_hops, permitted_by_acl, permitted_by_group};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of packets that a note names.
const LINES_MAX: usize = 5;

/// A note for every step after which `allow(goal) ∩ allow(live) ⊆ allow(S) ⊆ allow(goal) ∪ allow(live)`
/// does not hold, or an address is led where neither live nor the goal leads it.
pub(super) fn interruptions(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    steps: &[Step],
) -> Vec<Note> {
    let state = reduced(live, goal, steps);
    let mut end = state.clone();
    for step in steps {
        // A refusal is told below.
        let _told = apply(&step.action, &mut end);
    }
    let rerouted = rerouted(&state, &end, live);
    let mut proof = Proof {
        live,
        goal,
        state,
        end,
        rerouted,
        ends: BTreeMap::new(),
        bounds: BTreeMap::new(),
    };
    let mut notes: Vec<Note> = Vec::new();
    let mut last = None;
    for (
        step,
        Step {
            resource, action, ..
        },
    ) in steps.iter().enumerate()
    {
        if let Err(why) = apply(action, &mut proof.state) {
            let what = format!("step {} would be refused: {why}", step.saturating_add(1));
            notes.push(Note::Cannot {
                resource: resource.clone(),
                what,
            });
            continue;
        }
        let what = proof.harm(action);
        if let Some(what) = what.as_ref().filter(|what| last.as_ref() != Some(*what)) {
            notes.push(Note::Interrupts {
                step,
                what: what.clone(),
            });
        }
        last = what;
    }
    notes
}

/// The table of a subnet, told by the subnets and main tables that live knows.
fn table_of(state: &Snapshot, live: &Snapshot, subnet: &SubnetId) -> Option<RouteTableId> {
    let main = || state.main_table_of(&live.topology.subnets.get(subnet)?.vpc);
    state.explicit_table_of(subnet).or_else(main).cloned()
}

/// The subnets that the plan moves, by the tables between which.
fn rerouted(
    before: &Snapshot,
    after: &Snapshot,
    live: &Snapshot,
) -> BTreeMap<(RouteTableId, RouteTableId), BTreeSet<SubnetId>> {
    let mut moving: BTreeMap<_, BTreeSet<SubnetId>> = BTreeMap::new();
    let explicit = before
        .resources
        .values()
        .chain(after.resources.values())
        .filter_map(|resource| match resource {
            Resource::RouteTable(table) => Some(&table.subnets),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        });
    for subnet in explicit.flatten().chain(live.topology.subnets.keys()) {
        let ends = table_of(before, live, subnet).zip(table_of(after, live, subnet));
        if let Some(ends) = ends.filter(|(from, to)| from != to) {
            moving.entry(ends).or_default().insert(subnet.clone());
        }
    }
    moving
}

/// Only what the steps touch: a snapshot of an account is large.
fn reduced(live: &Snapshot, goal: &BTreeMap<ResourceId, Resource>, steps: &[Step]) -> Snapshot {
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

struct Proof<'a> {
    live: &'a Snapshot,
    goal: &'a BTreeMap<ResourceId, Resource>,
    state: Snapshot,
    end: Snapshot,
    rerouted: BTreeMap<(RouteTableId, RouteTableId), BTreeSet<SubnetId>>,
    /// Where each table leads in live and at the end.
    ends: BTreeMap<RouteTableId, Option<(NextHops, NextHops)>>,
    /// What both ends permit and what either does, by the two ends and direction.
    bounds: BTreeMap<(ResourceId, ResourceId, Direction), (PacketSet, PacketSet)>,
}

impl Proof<'_> {
    /// What the state after this call cuts or opens, in words.
    fn harm(&mut self, action: &Action) -> Option<String> {
        match action {
            Action::AuthorizeSecurityGroupRules {
                group, direction, ..
            }
            | Action::RevokeSecurityGroupRules {
                group, direction, ..
            } => self.policy_harm(&group.clone().into(), None, *direction),
            Action::ModifySecurityGroupRule { group, to, .. } => {
                self.policy_harm(&group.clone().into(), None, to.direction)
            }
            Action::CreateNetworkAclEntry { acl, key, .. }
            | Action::ReplaceNetworkAclEntry { acl, key, .. }
            | Action::DeleteNetworkAclEntry { acl, key, .. } => {
                let id = acl.clone().into();
                let moving = self.movers(|state, subnet| state.acl_of(subnet) == Some(acl));
                let subnets = moving
                    .iter()
                    .map(|subnet| self.policy_harm(&id, Some(subnet), key.direction));
                subnets
                    .collect::<Vec<_>>()
                    .into_iter()
                    .flatten()
                    .next()
                    .or_else(|| self.policy_harm(&id, None, key.direction))
            }
            Action::ReplaceNetworkAclAssociation { subnet, acl, .. } => {
                let directions = [Direction::Ingress, Direction::Egress];
                directions.into_iter().find_map(|direction| {
                    self.policy_harm(&acl.clone().into(), Some(subnet), direction)
                })
            }
            Action::CreateRoute { table, .. }
            | Action::ReplaceRoute { table, .. }
            | Action::DeleteRoute { table, .. } => {
                self.route_harm(table).or_else(|| self.reroute_harm())
            }
            Action::ModifyVpcEndpoint { add, remove, .. } => add
                .iter()
                .chain(remove)
                .find_map(|table| self.route_harm(table))
                .or_else(|| self.reroute_harm()),
            Action::AssociateRouteTable { .. }
            | Action::ReplaceRouteTableAssociation { .. }
            | Action::DisassociateRouteTable { .. } => self.reroute_harm(),
            _ => None,
        }
    }

    /// Subnets of the goal that change their ACL and satisfy a test now.
    fn movers(&self, test: impl Fn(&Snapshot, &SubnetId) -> bool) -> Vec<SubnetId> {
        let acls = self.goal.values().filter_map(|resource| match resource {
            Resource::NetworkAcl(acl) => Some(acl),
            Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
        });
        let moving = acls.flat_map(|acl| {
            acl.subnets
                .iter()
                .filter(|subnet| self.live.acl_of(subnet) != Some(&acl.id))
        });
        moving
            .filter(|subnet| test(&self.state, subnet))
            .cloned()
            .collect()
    }

    fn policy_harm(
        &mut self,
        id: &ResourceId,
        subnet: Option<&SubnetId>,
        direction: Direction,
    ) -> Option<String> {
        let (live, goal) = match subnet {
            None => (id.clone(), id.clone()),
            Some(subnet) => (
                self.live.acl_of(subnet)?.clone().into(),
                self.goal_acl_of(subnet)?,
            ),
        };
        let held = self.state.resources.get(id)?;
        if matches!(held, Resource::NetworkAcl(acl) if subnet.is_none() && acl.subnets.is_empty()) {
            // It guards nothing now; a subnet that comes to it is looked at when it comes.
            return None;
        }
        if subnet.is_none()
            && self
                .goal
                .get(id)
                .is_some_and(|goal| same_policy(held, goal))
        {
            return None;
        }
        let now = permitted(held, direction, &self.live.topology)?;
        let (lower, upper) = self.bounds(live, goal, direction)?;
        let (cut, opened) = (lower.difference(&now), now.difference(upper));
        let of = subnet.map_or_else(|| id.to_string(), ToString::to_string);
        match (cut.is_empty(), opened.is_empty()) {
            (true, true) => None,
            (false, _) => Some(format!(
                "{of}: cuts {direction} for a moment: {}",
                lines(&cut)
            )),
            (true, false) => Some(format!(
                "{of}: opens {direction} for a moment: {}",
                lines(&opened)
            )),
        }
    }

    fn goal_acl_of(&self, subnet: &SubnetId) -> Option<ResourceId> {
        let holds = |resource: &Resource| matches!(resource, Resource::NetworkAcl(acl) if acl.subnets.contains(subnet));
        self.goal
            .values()
            .find(|resource| holds(resource))
            .map(Resource::id)
    }

    fn bounds(
        &mut self,
        live: ResourceId,
        goal: ResourceId,
        direction: Direction,
    ) -> Option<&(PacketSet, PacketSet)> {
        let before = self.live.resources.get(&live)?;
        let after = self.goal.get(&goal)?;
        let topology = &self.live.topology;
        let entry = self.bounds.entry((live, goal, direction));
        Some(match entry {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                let before = permitted(before, direction, topology)?;
                let after = permitted(after, direction, topology)?;
                free.insert((before.intersection(&after), before.union(&after)))
            }
        })
    }

    /// An address that a table leads astray.
    fn route_harm(&mut self, id: &RouteTableId) -> Option<String> {
        let (live, topology) = (self.live, &self.live.topology);
        let (now, end) = (table(&self.state, id)?, table(&self.end, id)?);
        if now.routes == end.routes {
            return None;
        }
        let ends = self.ends.entry(id.clone()).or_insert_with(|| {
            hops(live, id, topology).map(|before| (before, next_hops(end, topology)))
        });
        let (before, after) = ends.as_ref()?;
        let strayed = next_hops(now, topology).strays_from(before, after)?;
        Some(format!("{id}: {strayed} is led astray for a moment"))
    }

    /// An address that a moving subnet's table of now leads astray.
    fn reroute_harm(&self) -> Option<String> {
        let topology = &self.live.topology;
        self.rerouted.iter().find_map(|((from, to), subnets)| {
            let before = hops(self.live, from, topology)?;
            let after = hops(&self.end, to, topology)?;
            let now = |subnet| Some((table_of(&self.state, self.live, subnet)?, subnet));
            let tables: BTreeMap<RouteTableId, &SubnetId> =
                subnets.iter().rev().filter_map(now).collect();
            tables.into_iter().find_map(|(table, subnet)| {
                let strayed = hops(&self.state, &table, topology)?.strays_from(&before, &after)?;
                Some(format!("{subnet}: {strayed} is led astray for a moment"))
            })
        })
    }
}

fn table<'a>(state: &'a Snapshot, id: &RouteTableId) -> Option<&'a RouteTable> {
    match state.resources.get(&id.clone().into())? {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    }
}

fn hops(state: &Snapshot, id: &RouteTableId, topology: &Topology) -> Option<NextHops> {
    table(state, id).map(|table| next_hops(table, topology))
}

/// Whether two states permit the same by having the same lines.
fn same_policy(one: &Resource, other: &Resource) -> bool {
    match (one, other) {
        (Resource::SecurityGroup(one), Resource::SecurityGroup(other)) => {
            one.rules.keys().eq(other.rules.keys())
        }
        (Resource::NetworkAcl(one), Resource::NetworkAcl(other)) => one.entries == other.entries,
        _ => false,
    }
}

fn permitted(resource: &Resource, direction: Direction, topology: &Topology) -> Option<PacketSet> {
    match resource {
        Resource::SecurityGroup(group) => Some(permitted_by_group(group, direction, topology)),
        Resource::NetworkAcl(acl) => Some(permitted_by_acl(acl, direction)),
        Resource::RouteTable(_) => None,
    }
}

fn lines(packets: &PacketSet) -> String {
    let lines = packets.render();
    let more = lines.len().saturating_sub(LINES_MAX);
    let mut text = lines
        .into_iter()
        .take(LINES_MAX)
        .collect::<Vec<_>>()
        .join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
