//! The way: every write leaves the account between what it was when the plan was made and the plan's
//! goal, judged by the packet algebra on the account itself, not by the plan's own proof.

use super::writes::{Standing, story_of};
use super::{Bench, Invariant};
use snapback_app::port::Scope;
use snapback_engine::plan::{Action, Note, Plan, Step};
use snapback_model::*;
use snapback_reach::{PacketSet, next_hops, permitted_by_acl, permitted_by_group};
use snapback_sim::{GUARD_ROLE, Logged, Planned, Written};
use std::collections::{BTreeMap, BTreeSet};

impl Bench<'_> {
    pub(super) fn path(&mut self) {
        let plans: BTreeMap<(IncidentId, u32), Planned> = self
            .played
            .world
            .planned()
            .into_iter()
            .map(|planned| ((planned.incident.clone(), planned.sequence), planned))
            .collect();
        let calls = self.played.world.ec2_calls();
        let mut before: Vec<Written> = Vec::new();
        self.each_write(|bench, written, stories| {
            before.push(written.clone());
            if !written.took_effect() {
                return;
            }
            let Some((incident, story)) = story_of(written, stories) else {
                return;
            };
            let Some(planned) = plans.get(&(incident, story.plan_number)) else {
                return;
            };
            let others = before.iter().any(|other| {
                other.at >= planned.at && other.by != written.by && other.took_effect()
            });
            if others || is_disturbed(&calls, planned, written) {
                bench.looked.at("writes whose path somebody else crossed");
                return;
            }
            bench.follow(written, story, planned);
        });
    }

    fn follow(&mut self, written: &Written, story: &Standing, planned: &Planned) {
        let Some(plan) = &story.plan else { return };
        let (Some(from), Some(step)) = (truth(plan, planned), story.started) else {
            self.looked.at("writes of plans made on a stale read");
            return;
        };
        let interrupts = plan
            .notes
            .iter()
            .any(|note| matches!(note, Note::Interrupts { step: at, .. } if *at <= step));
        if interrupts {
            self.looked
                .at("writes of plans that say what they interrupt");
            return;
        }
        self.looked.at("writes on a safe path");
        let to = goal(&from, plan, &story.lineage);
        let (was, is) = (written.before(), written.after());
        for what in strayed(&from, &to, &was, &is) {
            let call = written.action.describe();
            self.violated(Invariant::SafePath, format!("{call}: {what}"));
        }
    }
}

/// Whether somebody else changed something since the plan was journalled.
fn is_disturbed(calls: &[Logged], planned: &Planned, written: &Written) -> bool {
    let between = calls.iter().take(written.called).skip(planned.called);
    between
        .into_iter()
        .any(|call| !call.read && call.error.is_none() && call.by != GUARD_ROLE)
}

/// The account when the plan was made, if the plan was made on it.
fn truth(plan: &Plan, planned: &Planned) -> Option<Snapshot> {
    let all = planned.live(&Scope::Everything);
    let shows = |live: &Snapshot| {
        let states: BTreeMap<_, _> = plan
            .goal
            .keys()
            .map(|id| (id, live.resources.get(id)))
            .collect();
        Digest::of(&states) == plan.based_on
    };
    let groups = plan.goal.keys().filter_map(|id| match id {
        ResourceId::SecurityGroup(group) => Some(Scope::Group(group.clone())),
        _ => None,
    });
    let as_read = groups
        .map(|scope| planned.live(&scope))
        .reduce(|mut one, other| {
            one.merge(other);
            one
        });
    let is_true = shows(&all) || as_read.is_some_and(|live| shows(&live));
    is_true.then_some(all)
}

/// The account as the plan wants it.
fn goal(from: &Snapshot, plan: &Plan, lineage: &Lineage) -> Snapshot {
    let mut to = from.clone();
    for wanted in plan.goal.values() {
        for other in to.resources.values_mut() {
            match (wanted, other) {
                (Resource::NetworkAcl(wanted), Resource::NetworkAcl(other)) => {
                    other
                        .subnets
                        .retain(|subnet| !wanted.subnets.contains(subnet));
                }
                (Resource::RouteTable(wanted), Resource::RouteTable(other)) => {
                    other
                        .subnets
                        .retain(|subnet| !wanted.subnets.contains(subnet));
                    other.main = other.main && !(wanted.main && wanted.vpc == other.vpc);
                }
                _ => {}
            }
        }
    }
    let creates = |step: &Step| matches!(step.action, Action::CreateNatGateway { .. });
    let makes_a_gateway = plan.steps.iter().any(creates);
    for wanted in plan.goal.values() {
        let mut wanted = wanted.renamed(lineage);
        if !makes_a_gateway {
            without_dead_gateways(&mut wanted, &from.topology);
        }
        to.resources.insert(wanted.id(), wanted);
    }
    to
}

/// A good route to a NAT gateway that is gone is none until somebody makes the gateway again.
fn without_dead_gateways(wanted: &mut Resource, topology: &Topology) {
    let Resource::RouteTable(table) = wanted else {
        return;
    };
    table.routes.retain(|_, route| match &route.target {
        RouteTarget::NatGateway(id) => {
            let listed = topology.gateways.get(id);
            listed.is_some_and(super::gone::is_alive)
        }
        _ => true,
    });
}

fn group<'a>(state: &'a Snapshot, id: &ResourceId) -> Option<&'a SecurityGroup> {
    match state.resources.get(id)? {
        Resource::SecurityGroup(group) => Some(group),
        _ => None,
    }
}

fn acl_of<'a>(state: &'a Snapshot, subnet: &SubnetId) -> Option<&'a NetworkAcl> {
    match state.resources.get(&state.acl_of(subnet)?.clone().into())? {
        Resource::NetworkAcl(acl) => Some(acl),
        _ => None,
    }
}

fn table_of<'a>(state: &'a Snapshot, subnet: &SubnetId) -> Option<&'a RouteTable> {
    match state
        .resources
        .get(&state.table_of(subnet)?.0.clone().into())?
    {
        Resource::RouteTable(table) => Some(table),
        _ => None,
    }
}

/// The table without its propagated routes: they come and go by themselves, no plan holds them.
fn written_routes(table: &RouteTable) -> RouteTable {
    let mut table = table.clone();
    let written = |route: &Route| route.origin != RouteOrigin::Propagated;
    table.routes.retain(|_, route| written(route));
    table
}

/// What a set cuts or opens that it should not.
fn outside(now: &PacketSet, from: &PacketSet, to: &PacketSet) -> Option<String> {
    let cut = from.intersection(to).difference(now);
    let opened = now.difference(&from.union(to));
    match (cut.is_empty(), opened.is_empty()) {
        (true, true) => None,
        (false, _) => Some(format!("cuts {:?}", cut.render())),
        (true, false) => Some(format!("opens {:?}", opened.render())),
    }
}

fn strayed(from: &Snapshot, to: &Snapshot, was: &Snapshot, is: &Snapshot) -> Vec<String> {
    let mut strayed = Vec::new();
    let changed = |id: &ResourceId| was.resources.get(id) != is.resources.get(id);
    let carried: BTreeSet<&SecurityGroupId> = is
        .topology
        .interfaces
        .values()
        .flat_map(|interface| &interface.groups)
        .collect();
    let both = [Direction::Ingress, Direction::Egress];
    let topology = &from.topology;
    for id in is.resources.keys().filter(|id| changed(id)) {
        let (Some(now), Some(before), Some(after)) =
            (group(is, id), group(from, id), group(to, id))
        else {
            continue;
        };
        if !carried.contains(&now.id) {
            continue;
        }
        for direction in both {
            let of = |group| permitted_by_group(group, direction, topology);
            let outside = outside(&of(now), &of(before), &of(after));
            strayed.extend(outside.map(|what| format!("{id} {direction}: {what}")));
        }
    }
    for subnet in is.topology.subnets.keys() {
        if let (Some(now), Some(then)) = (acl_of(is, subnet), acl_of(was, subnet))
            && now != then
            && let (Some(before), Some(after)) = (acl_of(from, subnet), acl_of(to, subnet))
        {
            for direction in both {
                let of = |acl| permitted_by_acl(acl, direction);
                let outside = outside(&of(now), &of(before), &of(after));
                strayed.extend(outside.map(|what| format!("{subnet} {direction}: {what}")));
            }
        }
        if let (Some(now), Some(then)) = (table_of(is, subnet), table_of(was, subnet))
            && now != then
            && let (Some(before), Some(after)) = (table_of(from, subnet), table_of(to, subnet))
        {
            let of = |table: &RouteTable| next_hops(&written_routes(table), topology);
            if let Some(led) = of(now).strays_from(&of(before), &of(after)) {
                strayed.push(format!("{subnet}: {led} is led astray"));
            }
        }
    }
    strayed
}
