//! Tables and ACLs that stand in for others while those are repaired: how one is known, and when it
//! goes again.
//!
//! One that Snapback made carries its name in [`SUCCESSOR_OF`] and its story in [`INCIDENT`]. So a
//! second run finds it and makes no other, and nothing else is ever deleted.

use super::{Action, Plan, Step, apply, plan};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// How the names of tables that stand in for others begin. IAM lets Snapback delete no other
/// (`template.yaml`).
pub const TABLE_STAND_IN: &str = "rtb-stand-in-for-";
/// The same of ACLs.
const ACL_STAND_IN: &str = "acl-stand-in-for-";

/// The name that what stands in for a resource has in its plan; groups have none.
pub(super) fn name(of: &ResourceId) -> Option<ResourceId> {
    let id = of.as_str();
    Some(match of {
        ResourceId::RouteTable(_) => {
            let rest = id.strip_prefix("rtb-").unwrap_or(id);
            RouteTableId::new(format!("{TABLE_STAND_IN}{rest}")).into()
        }
        ResourceId::NetworkAcl(_) => {
            let rest = id.strip_prefix("acl-").unwrap_or(id);
            NetworkAclId::new(format!("{ACL_STAND_IN}{rest}")).into()
        }
        ResourceId::SecurityGroup(_) => return None,
    })
}

/// What Snapback made to stand in for a resource, in this story or one that did not come to its end.
pub fn stand_in_of<'a>(live: &'a Snapshot, of: &ResourceId) -> Option<&'a Resource> {
    let name = name(of)?;
    live.resources.values().find(|resource| {
        resource.kind() == of.kind()
            && resource.tags().is_some_and(|tags| {
                tags.contains_key(INCIDENT)
                    && tags.get(SUCCESSOR_OF).map(String::as_str) == Some(name.as_str())
            })
    })
}

/// Whether it stands in for any other, by its tags.
pub fn is_stand_in(resource: &Resource) -> bool {
    let known = |name: &String| name.starts_with(TABLE_STAND_IN) || name.starts_with(ACL_STAND_IN);
    let name = resource.tags().and_then(|tags| tags.get(SUCCESSOR_OF));
    name.is_some_and(known)
}

/// Why a table is not deleted; `None` for one that was made to stand in and that nothing needs any more.
pub(super) fn kept(table: &RouteTable) -> Option<String> {
    let id = &table.id;
    let made = table.tags.get(SUCCESSOR_OF);
    if !made.is_some_and(|name| name.starts_with(TABLE_STAND_IN)) {
        return Some(format!(
            "{id} was not made by Snapback to stand in for another"
        ));
    }
    if table.main {
        return Some(format!("{id} is the main table"));
    }
    let subnet = table.subnets.first().map(SubnetId::as_str);
    let gateway = table.gateways.first().map(GatewayId::as_str);
    let bound = subnet.or(gateway)?;
    Some(format!("{id} routes {bound}"))
}

/// The plan to the goal; what stood in for a resource of `parts` goes at its end, where nothing needs
/// it any more.
pub fn plan_without_stand_ins(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    parts: &BTreeSet<ResourceId>,
    baselines: &Baselines,
) -> Plan {
    let mut plan = plan(live, goal, baselines);
    let made: BTreeSet<ResourceId> = parts
        .iter()
        .filter_map(|of| stand_in_of(live, of))
        .map(Resource::id)
        .collect();
    if !made.is_empty() {
        remove(&mut plan, live, &made);
    }
    plan
}

/// Appends the calls that remove what stood in, as far as nothing needs it at the end of the plan.
pub(super) fn remove(plan: &mut Plan, live: &Snapshot, made: &BTreeSet<ResourceId>) {
    let mut end = live.clone();
    for step in &plan.steps {
        if apply(&step.action, &mut end).is_err() {
            return;
        }
    }
    for id in made {
        let calls = removal(&end, id);
        plan.steps
            .extend(calls.into_iter().map(|(action, why)| Step {
                resource: id.clone(),
                action,
                why,
            }));
    }
}

fn removal(end: &Snapshot, id: &ResourceId) -> Vec<(Action, String)> {
    let why = || "nothing needs the stand-in any more".to_owned();
    match end.resources.get(id) {
        Some(Resource::NetworkAcl(acl)) if acl.subnets.is_empty() && !acl.is_default => {
            let acl = acl.id.clone();
            vec![(Action::DeleteNetworkAcl { acl }, why())]
        }
        Some(Resource::RouteTable(table)) if kept(table).is_none() => {
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
                (action, "it no longer serves the stand-in".to_owned())
            });
            let table = table.id.clone();
            leave
                .chain([(Action::DeleteRouteTable { table }, why())])
                .collect()
        }
        _ => Vec::new(),
    }
}
