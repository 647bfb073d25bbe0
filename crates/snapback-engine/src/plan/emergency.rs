//! The emergency variant of a plan: traffic works again after as few calls as can be, the resource is
//! repaired afterwards.
//!
//! A table (ACL) that is far from its goal is not rewritten under traffic: another one that equals the
//! goal takes its subnets over, made anew, or, for an ACL, found among the others of the VPC. The
//! repair then rewrites the old one, which serves nobody, and moves the subnets back. It is moved back,
//! and not succeeded by the new one, because the id is what everything outside names: infrastructure as
//! code, endpoints, scripts. So at the end they see no difference at all.

use super::{Action, Plan, Step, apply, association::settle, plan};
use snapback_model::*;
use snapback_reach::{NextHops, PacketSet, next_hops, permitted_by_acl};
use std::collections::{BTreeMap, BTreeSet};

/// The begin of the made-up ids that what is made for an emergency is known by in its plan.
const STAND_IN: &str = "stand-in-";

/// A fast plan with the repair that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    /// Leads to working traffic.
    pub fast: Plan,
    /// Leads from there to the goal. It names what the fast plan makes by the id it has there.
    pub repair: Plan,
    /// Calls until traffic is as in the goal and stays so.
    pub calls: usize,
    /// The same of the ordinary plan.
    pub ordinary: usize,
    /// A table that stays behind, empty of subnets: no call of this version deletes tables.
    pub leftover: Option<ResourceId>,
}

/// The emergency variant of the plan for one resource; `None` where the ordinary plan has traffic
/// working after as few calls, where the resource is a group or gone, or where no such plan exists.
pub fn emergency(live: &Snapshot, goal: &Resource, baselines: &Baselines) -> Option<Emergency> {
    let found = live.resources.get(&goal.id())?;
    let states = BTreeMap::from([(goal.id(), goal.clone())]);
    let ordinary = plan(live, &states, baselines);
    let mut settled = states.clone();
    settle(&mut settled, live, baselines);
    // What the plan only leaves where it is would be left with the stand-in.
    if settled != states {
        return None;
    }
    let stand_in = match (found, goal) {
        (Resource::NetworkAcl(now), Resource::NetworkAcl(wanted)) => {
            let twin = twin(live, wanted, &ordinary).cloned();
            Resource::NetworkAcl(acl_in_place_of(now, wanted, twin))
        }
        (Resource::RouteTable(now), Resource::RouteTable(wanted)) => {
            Resource::RouteTable(table_in_place_of(now, wanted)?)
        }
        _ => return None,
    };
    let fast = plan(
        live,
        &BTreeMap::from([(stand_in.id(), stand_in.clone())]),
        baselines,
    );
    let after = folded(live, &fast)?;
    let mut repair = plan(&after, &states, baselines);
    let made = !live.resources.contains_key(&stand_in.id());
    let leftover = match &stand_in {
        Resource::NetworkAcl(acl) if made => {
            repair.steps.push(Step {
                resource: stand_in.id(),
                action: Action::DeleteNetworkAcl {
                    acl: acl.id.clone(),
                },
                why: "the stand-in is not needed any more".to_owned(),
            });
            None
        }
        Resource::RouteTable(_) if made => Some(stand_in.id()),
        _ => None,
    };
    let end = folded(&after, &repair)?;
    let subnets = concerned(live, &end);
    let calls = calls_to_working(live, &fast.steps, &end, &subnets)?;
    let ordinary = calls_to_working(live, &ordinary.steps, &end, &subnets)?;
    (calls < ordinary).then_some(Emergency {
        fast,
        repair,
        calls,
        ordinary,
        leftover,
    })
}

/// Another ACL of the VPC with the entries of the goal, which the ordinary plan leaves alone.
fn twin<'a>(live: &'a Snapshot, wanted: &NetworkAcl, ordinary: &Plan) -> Option<&'a NetworkAcl> {
    let touched = |id: &ResourceId| ordinary.steps.iter().any(|step| step.resource == *id);
    let others = live.resources.values().filter_map(|other| match other {
        Resource::NetworkAcl(other) => Some(other),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    });
    let mut same = others.filter(|other| {
        other.id != wanted.id
            && other.vpc == wanted.vpc
            && other.entries == wanted.entries
            && !touched(&other.id.clone().into())
    });
    same.next()
}

/// The twin with the subnets that the goal has, or a new ACL with them.
fn acl_in_place_of(now: &NetworkAcl, wanted: &NetworkAcl, twin: Option<NetworkAcl>) -> NetworkAcl {
    let mut acl = twin.unwrap_or_else(|| NetworkAcl {
        id: NetworkAclId::new(format!("acl-{STAND_IN}{}", now.id)),
        is_default: false,
        subnets: BTreeSet::new(),
        tags: Tags::new(),
        ..wanted.clone()
    });
    acl.subnets.extend(wanted.subnets.iter().cloned());
    acl
}

/// A new table with what the goal routes and serves. Edge associations stay: they take no other routes.
fn table_in_place_of(now: &RouteTable, wanted: &RouteTable) -> Option<RouteTable> {
    if !wanted.gateways.is_empty() || wanted.main != now.main {
        return None;
    }
    let mut table = wanted.clone();
    table.id = RouteTableId::new(format!("rtb-{STAND_IN}{}", now.id));
    table.tags = Tags::new();
    Some(table)
}

fn folded(live: &Snapshot, plan: &Plan) -> Option<Snapshot> {
    if !plan.notes.is_empty() {
        return None;
    }
    let mut state = live.clone();
    for step in &plan.steps {
        apply(&step.action, &mut state).ok()?;
    }
    Some(state)
}

/// What decides about the traffic of a subnet: its ACL both ways, and where its table leads.
#[derive(PartialEq, Eq)]
struct Traffic {
    filters: Option<(PacketSet, PacketSet)>,
    hops: Option<NextHops>,
}

fn traffic(state: &Snapshot, live: &Snapshot, subnet: &SubnetId) -> Traffic {
    let acl = state.acl_of(subnet).map(|id| ResourceId::from(id.clone()));
    let filters = acl.and_then(|id| match state.resources.get(&id)? {
        Resource::NetworkAcl(acl) => Some((
            permitted_by_acl(acl, Direction::Ingress),
            permitted_by_acl(acl, Direction::Egress),
        )),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    });
    let main = || state.main_table_of(&live.topology.subnets.get(subnet)?.vpc);
    let table = state.explicit_table_of(subnet).or_else(main);
    let hops = table.and_then(
        |id| match state.resources.get(&ResourceId::from(id.clone()))? {
            Resource::RouteTable(table) => Some(next_hops(table, &live.topology)),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        },
    );
    Traffic { filters, hops }
}

/// The subnets whose ACL or table is, at either end, one that moves or changes.
fn concerned(live: &Snapshot, end: &Snapshot) -> BTreeSet<SubnetId> {
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
    subnets.retain(|subnet| traffic(live, live, subnet) != traffic(end, live, subnet));
    subnets
}

/// Calls after which the traffic of every subnet is as at the end, and stays so; `None` where it never
/// is.
fn calls_to_working(
    live: &Snapshot,
    steps: &[Step],
    end: &Snapshot,
    subnets: &BTreeSet<SubnetId>,
) -> Option<usize> {
    let works = |state: &Snapshot| {
        let mut all = subnets.iter();
        all.all(|subnet| traffic(state, live, subnet) == traffic(end, live, subnet))
    };
    let mut state = live.clone();
    let mut since = works(&state).then_some(0);
    for (index, step) in steps.iter().enumerate() {
        apply(&step.action, &mut state).ok()?;
        since = works(&state).then(|| since.unwrap_or(index.saturating_add(1)));
    }
    since
}
