//! When traffic works: the calls of a plan until it is as at the end.

use super::{Step, apply};
use snapback_model::*;
use snapback_reach::{NextHops, PacketSet, next_hops, permitted_by_acl};
use std::collections::{BTreeMap, BTreeSet};

/// Calls after which the traffic of every subnet, and the rules of every group of the goal, are as at
/// the end, and stay so; `None` where they never are.
pub(super) fn calls_to_working(
    live: &Snapshot,
    steps: &[Step],
    end: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
) -> Option<usize> {
    let mut eyes = Eyes::of(end);
    let subnets = eyes.concerned(live, end);
    let groups: Vec<&ResourceId> = goal
        .keys()
        .filter(|id| id.kind() == Kind::SecurityGroup)
        .collect();
    let mut works = |state: &Snapshot| {
        let rules = |id: &ResourceId| rules(state, id) == rules(end, id);
        groups.iter().all(|id| rules(id))
            && subnets.iter().all(|subnet| eyes.works(state, live, subnet))
    };
    let mut state = live.clone();
    let mut since = works(&state).then_some(0);
    for (index, step) in steps.iter().enumerate() {
        apply(&step.action, &mut state).ok()?;
        since = works(&state).then(|| since.unwrap_or(index.saturating_add(1)));
    }
    since
}

fn rules<'a>(state: &'a Snapshot, id: &ResourceId) -> Option<BTreeSet<&'a RuleKey>> {
    match state.resources.get(id)? {
        Resource::SecurityGroup(group) => Some(group.rules.keys().collect()),
        Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
    }
}

fn acl_of<'a>(state: &'a Snapshot, subnet: &SubnetId) -> Option<&'a NetworkAcl> {
    let id = ResourceId::from(state.acl_of(subnet)?.clone());
    match state.resources.get(&id)? {
        Resource::NetworkAcl(acl) => Some(acl),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    }
}

fn table_of<'a>(state: &'a Snapshot, live: &Snapshot, subnet: &SubnetId) -> Option<&'a RouteTable> {
    let main = || state.main_table_of(&live.topology.subnets.get(subnet)?.vpc);
    let id = state.explicit_table_of(subnet).or_else(main)?;
    match state.resources.get(&ResourceId::from(id.clone()))? {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    }
}

/// What an ACL lets through, in and out.
type Filters = (PacketSet, PacketSet);

/// Compares the traffic of subnets with that at the end. What an ACL permits and where a table leads is
/// worked out once for each of its states.
struct Eyes<'a> {
    end: &'a Snapshot,
    filters: BTreeMap<NetworkAclId, (NetworkAcl, Filters)>,
    hops: BTreeMap<RouteTableId, (RouteTable, NextHops)>,
    at_end: BTreeMap<SubnetId, (Option<Filters>, Option<NextHops>)>,
}

impl<'a> Eyes<'a> {
    fn of(end: &'a Snapshot) -> Self {
        Self {
            end,
            filters: BTreeMap::new(),
            hops: BTreeMap::new(),
            at_end: BTreeMap::new(),
        }
    }

    fn filters(&mut self, acl: &NetworkAcl) -> &Filters {
        let permitted = |acl: &NetworkAcl| {
            let by = |direction| permitted_by_acl(acl, direction);
            (by(Direction::Ingress), by(Direction::Egress))
        };
        let seen = self.filters.entry(acl.id.clone());
        let seen = seen.or_insert_with(|| (acl.clone(), permitted(acl)));
        if seen.0.entries != acl.entries {
            *seen = (acl.clone(), permitted(acl));
        }
        &seen.1
    }

    fn hops(&mut self, table: &RouteTable, topology: &Topology) -> &NextHops {
        let seen = self.hops.entry(table.id.clone());
        let seen = seen.or_insert_with(|| (table.clone(), next_hops(table, topology)));
        if seen.0.routes != table.routes {
            *seen = (table.clone(), next_hops(table, topology));
        }
        &seen.1
    }

    fn works(&mut self, state: &Snapshot, live: &Snapshot, subnet: &SubnetId) -> bool {
        let (filters, hops) = self.wanted(live, subnet);
        let now = acl_of(state, subnet).map(|acl| self.filters(acl).clone());
        if now != filters {
            return false;
        }
        let now = table_of(state, live, subnet).map(|table| self.hops(table, &live.topology));
        now == hops.as_ref()
    }

    fn wanted(
        &mut self,
        live: &Snapshot,
        subnet: &SubnetId,
    ) -> (Option<Filters>, Option<NextHops>) {
        if let Some(known) = self.at_end.get(subnet) {
            return known.clone();
        }
        let end = self.end;
        let filters = acl_of(end, subnet).map(|acl| self.filters(acl).clone());
        let hops =
            table_of(end, live, subnet).map(|table| self.hops(table, &live.topology).clone());
        self.at_end
            .insert(subnet.clone(), (filters.clone(), hops.clone()));
        (filters, hops)
    }

    /// The subnets whose traffic differs between the two ends.
    fn concerned(&mut self, live: &Snapshot, end: &Snapshot) -> BTreeSet<SubnetId> {
        let mut subnets: BTreeSet<SubnetId> = live.topology.subnets.keys().cloned().collect();
        for state in [live, end] {
            for resource in state.resources.values() {
                match resource {
                    Resource::NetworkAcl(acl) => subnets.extend(acl.subnets.iter().cloned()),
                    Resource::RouteTable(table) => subnets.extend(table.subnets.iter().cloned()),
                    Resource::SecurityGroup(_) => {}
                }
            }
        }
        subnets.retain(|subnet| !self.works(live, live, subnet));
        subnets
    }
}
