//! Tables and ACLs that stand in for others while those are repaired: how one is made, or found where
//! an earlier run left it, and when it goes again. How one is known, [`Temporary`] says.
//!
//! Every plan ends with the removal of those of its VPCs that nothing is bound to any more, whoever made
//! them. Nothing else is ever deleted.

use super::draft::Draft;
use super::{Action, Plan, Step, acl, apply};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// ACLs and tables of one VPC unless the quota was raised (semantics A3, A4).
const SIBLINGS_MAX: usize = 200;

/// Whether the quota leaves room for another one of this kind in this VPC.
pub(super) fn has_room(live: &Snapshot, kind: Kind, vpc: Option<&VpcId>) -> bool {
    let siblings = live.resources.values();
    let siblings = siblings.filter(|other| other.kind() == kind && other.vpc() == vpc);
    siblings.count() < SIBLINGS_MAX
}

/// What stands in for a resource with what its goal says, in this story or one that did not come to
/// its end.
pub fn stand_in_of<'a>(live: &'a Snapshot, of: &ResourceId) -> Option<&'a Resource> {
    let wanted = Temporary {
        of: of.clone(),
        says: StandIn::Goal,
    };
    found(live, &wanted)
}

pub(super) fn found<'a>(live: &'a Snapshot, wanted: &Temporary) -> Option<&'a Resource> {
    let mut all = live.resources.values();
    all.find(|resource| Temporary::of(resource).as_ref() == Some(wanted))
}

/// A temporary ACL that guards nobody else's packets otherwise, and the calls that make it so.
pub(super) struct Room {
    pub(super) acl: NetworkAclId,
    pub(super) draft: Draft,
    /// Whether the calls make it: then its removal is one more.
    pub(super) is_new: bool,
}

/// A temporary ACL with the entries of `of`: the one that an earlier run left, else a new one. Nothing
/// where the one that is there guards subnets by other entries, or the quota of ACLs is known to be
/// full.
pub(super) fn room(live: &Snapshot, of: &NetworkAcl, says: StandIn) -> Option<Room> {
    let wanted = Temporary {
        of: of.id.clone().into(),
        says,
    };
    if let Some(Resource::NetworkAcl(left)) = found(live, &wanted) {
        let mut draft = Draft::default();
        if left.entries != of.entries {
            if !left.subnets.is_empty() {
                return None;
            }
            acl::plain(&mut draft, left, of);
        }
        return Some(Room {
            acl: left.id.clone(),
            draft,
            is_new: false,
        });
    }
    if !has_room(live, Kind::NetworkAcl, Some(&of.vpc)) {
        return None;
    }
    let ResourceId::NetworkAcl(name) = wanted.name()? else {
        return None;
    };
    let mut draft = Draft::default();
    let create = Action::CreateNetworkAcl {
        acl: name.clone(),
        vpc: of.vpc.clone(),
        tags: wanted.tags(),
        token: None,
    };
    let why = format!(
        "make a temporary ACL to guard the subnets of {} meanwhile",
        of.id
    );
    draft.step(of.id.clone(), create, why);
    for (key, entry) in &of.entries {
        let action = Action::CreateNetworkAclEntry {
            acl: name.clone(),
            key: *key,
            entry: entry.clone(),
        };
        draft.step(of.id.clone(), action, format!("give it {key}: {entry}"));
    }
    Some(Room {
        acl: name,
        draft,
        is_new: true,
    })
}

/// Why a table or ACL is not deleted; `None` for one that was made for the time of a repair and that
/// nothing is bound to.
pub(super) fn kept(resource: &Resource) -> Option<String> {
    let id = resource.id();
    if Temporary::of(resource).is_none() {
        return Some(format!(
            "{id} was not made by Snapback to stand in for another"
        ));
    }
    match resource {
        Resource::NetworkAcl(acl) if acl.is_default => Some(format!("{id} is the default ACL")),
        Resource::NetworkAcl(acl) => {
            let subnet = acl.subnets.first()?;
            Some(format!("{id} guards {subnet}"))
        }
        Resource::RouteTable(table) if table.main => Some(format!("{id} is the main table")),
        Resource::RouteTable(table) => {
            let subnet = table.subnets.first().map(SubnetId::as_str);
            let gateway = table.gateways.first().map(GatewayId::as_str);
            let bound = subnet.or(gateway)?;
            Some(format!("{id} routes {bound}"))
        }
        Resource::SecurityGroup(_) => Some(format!("{id} stands in for nothing")),
    }
}

/// The plan that removes what earlier runs left in these VPCs, where nothing is bound to it.
pub fn tidy(live: &Snapshot, vpcs: &BTreeSet<VpcId>) -> Plan {
    let goal: BTreeMap<ResourceId, Resource> = BTreeMap::new();
    let states: BTreeMap<&ResourceId, Option<&Resource>> = BTreeMap::new();
    Plan {
        based_on: Digest::of(&states),
        steps: removal(live, vpcs, &goal),
        goal,
        notes: Vec::new(),
    }
}

/// The calls that end a plan: they remove what stood in for others in the VPCs of its goal, as far as
/// nothing is bound to it then.
pub(super) fn last_steps(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    steps: &[Step],
) -> Vec<Step> {
    let makes = |step: &Step| match &step.action {
        Action::CreateNetworkAcl { acl, .. } => acl.as_str().starts_with(TEMPORARY_ACL),
        Action::CreateRouteTable { table, .. } => table.as_str().starts_with(TEMPORARY_TABLE),
        _ => false,
    };
    let left = |resource: &Resource| Temporary::of(resource).is_some();
    if !steps.iter().any(makes) && !live.resources.values().any(left) {
        return Vec::new();
    }
    let mut end = live.clone();
    for step in steps {
        if apply(&step.action, &mut end).is_err() {
            return Vec::new();
        }
    }
    let vpcs = goal.values().filter_map(Resource::vpc).cloned().collect();
    removal(&end, &vpcs, goal)
}

fn removal(
    end: &Snapshot,
    vpcs: &BTreeSet<VpcId>,
    goal: &BTreeMap<ResourceId, Resource>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (id, resource) in &end.resources {
        let is_here = resource.vpc().is_some_and(|vpc| vpcs.contains(vpc));
        if !is_here || goal.contains_key(id) || kept(resource).is_some() {
            continue;
        }
        let calls = calls_to_remove(resource);
        steps.extend(calls.into_iter().map(|(action, why)| Step {
            resource: id.clone(),
            action,
            why: why.to_owned(),
        }));
    }
    steps
}

fn calls_to_remove(resource: &Resource) -> Vec<(Action, &'static str)> {
    let why = "nothing needs what stood in any more";
    match resource {
        Resource::NetworkAcl(acl) => {
            let acl = acl.id.clone();
            vec![(Action::DeleteNetworkAcl { acl }, why)]
        }
        Resource::RouteTable(table) => {
            let endpoints: BTreeSet<&str> = table
                .routes
                .values()
                .filter(|route| matches!(route.target, RouteTarget::GatewayEndpoint(_)))
                .map(|route| route.target.id())
                .collect();
            let leave = endpoints.into_iter().map(|endpoint| {
                let action = Action::ModifyVpcEndpoint {
                    endpoint: endpoint.to_owned(),
                    add: BTreeSet::new(),
                    remove: BTreeSet::from([table.id.clone()]),
                };
                (action, "it no longer serves the stand-in")
            });
            let table = table.id.clone();
            leave
                .chain([(Action::DeleteRouteTable { table }, why)])
                .collect()
        }
        Resource::SecurityGroup(_) => Vec::new(),
    }
}

/// One line for each that stands in for one of these resources and is still there.
pub fn still_there(live: &Snapshot, of: &BTreeSet<ResourceId>) -> Vec<String> {
    let made = live
        .resources
        .iter()
        .filter_map(|(id, resource)| Some((id, Temporary::of(resource)?)))
        .filter(|(_, temporary)| of.contains(&temporary.of));
    made.map(|(id, temporary)| {
        format!(
            "{id} was made to stand in for {} and is still there: it goes with the next repair in its VPC once nothing is bound to it, or delete it by hand then",
            temporary.of
        )
    })
    .collect()
}
