//! The precondition of a call on a fresh snapshot.

use super::Action;
use super::apply::holder;
use super::existence::born;
use super::nat;
use super::temporary::kept;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::BTreeSet;
use std::fmt::Display;

/// How the elements a call touches stand in a fresh snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// As planned: make the call.
    Ready,
    /// Already as wanted: skip it.
    AlreadyInPlace,
    /// What it needs is on its way: stop, and come again later.
    NotYet(String),
    /// Somebody changed it meanwhile: stop and plan again.
    Changed(String),
}

/// The precondition of a call, checked on a fresh snapshot that covers the resource.
pub fn readiness(action: &Action, live: &Snapshot) -> Readiness {
    match action {
        Action::AuthorizeSecurityGroupRules { group: id, .. }
        | Action::RevokeSecurityGroupRules { group: id, .. }
        | Action::ModifySecurityGroupRule { group: id, .. }
        | Action::UpdateSecurityGroupRuleDescriptions { group: id, .. } => match live
            .resources
            .get(&id.clone().into())
        {
            Some(Resource::SecurityGroup(group)) => group_readiness(action, group, &live.handles),
            _ => gone(id),
        },
        Action::CreateNetworkAclEntry {
            acl: id,
            key,
            entry,
        } => entry_readiness(live, id, *key, None, Some(entry)),
        Action::ReplaceNetworkAclEntry {
            acl: id,
            key,
            from,
            entry,
        } => entry_readiness(live, id, *key, Some(from), Some(entry)),
        Action::DeleteNetworkAclEntry {
            acl: id,
            key,
            entry,
        } => entry_readiness(live, id, *key, Some(entry), None),
        Action::ReplaceNetworkAclAssociation { subnet, from, acl } => {
            if !live.resources.contains_key(&acl.clone().into()) {
                return gone(acl);
            }
            let now = live.acl_of(subnet);
            moved(subnet, now, from.as_ref().or(now), Some(acl))
        }
        Action::CreateRoute {
            table,
            destination,
            target,
        } => led(
            route_readiness(live, table, destination, None, Some(target)),
            target,
            live,
        ),
        Action::ReplaceRoute {
            table,
            destination,
            from,
            target,
        } => led(
            route_readiness(live, table, destination, Some(from), Some(target)),
            target,
            live,
        ),
        Action::DeleteRoute {
            table,
            destination,
            from,
        } => route_readiness(live, table, destination, Some(from), None),
        Action::AssociateRouteTable { table, subject } => {
            table_readiness(live, subject, None, Some(table))
        }
        Action::ReplaceRouteTableAssociation {
            subject,
            from,
            table,
        } => {
            let now = holder(live, subject);
            table_readiness(live, subject, from.as_ref().or(now.as_ref()), Some(table))
        }
        Action::DisassociateRouteTable { subject, from } => {
            table_readiness(live, subject, Some(from), None)
        }
        Action::EnableVgwRoutePropagation { table, gateway } => {
            propagation_readiness(live, table, gateway, true)
        }
        Action::DisableVgwRoutePropagation { table, gateway } => {
            propagation_readiness(live, table, gateway, false)
        }
        Action::CreateTags { target, tags } => tag_readiness(live, target, tags, true),
        Action::DeleteTags { target, tags } => tag_readiness(live, target, tags, false),
        Action::CreateSecurityGroup { .. }
        | Action::CreateNetworkAcl { .. }
        | Action::CreateRouteTable { .. } => birth_readiness(action, live),
        Action::CreateNatGateway { request, .. } => nat::birth_readiness(request, live),
        Action::AssociateNatGatewayAddress { .. }
        | Action::AssignPrivateNatGatewayAddress { .. } => nat::address_readiness(action, live),
        Action::DeleteNetworkAcl { acl } => death_readiness(live, &acl.clone().into()),
        Action::DeleteRouteTable { table } => death_readiness(live, &table.clone().into()),
        Action::ModifyVpcEndpoint {
            endpoint,
            add,
            remove,
        } => endpoint_readiness(live, endpoint, add, remove),
    }
}

/// What a create call asks for: made already by an earlier try of ours, in the way of another, or open.
fn birth_readiness(action: &Action, live: &Snapshot) -> Readiness {
    if born(action, live).is_some() {
        return Readiness::AlreadyInPlace;
    }
    let made = action.makes().and_then(|id| id.as_str().parse().ok());
    if let Some(id) = made.filter(|id: &ResourceId| live.resources.contains_key(id)) {
        return Readiness::Changed(format!("{id} exists"));
    }
    if let Action::CreateSecurityGroup { name, vpc, .. } = action {
        let taken = live.resources.values().find(|other| matches!(other, Resource::SecurityGroup(other) if other.name.as_ref() == Some(name) && other.vpc.as_ref() == Some(vpc)));
        if let Some(other) = taken {
            return Readiness::Changed(format!("{} has the name {name:?} now", other.id()));
        }
    }
    Readiness::Ready
}

/// A route waits for the gateway that it is to lead to.
fn led(ready: Readiness, target: &RouteTarget, live: &Snapshot) -> Readiness {
    match ready {
        Readiness::Ready => nat::target_readiness(target, live).unwrap_or(Readiness::Ready),
        other => other,
    }
}

fn death_readiness(live: &Snapshot, id: &ResourceId) -> Readiness {
    match live.resources.get(id) {
        None => Readiness::AlreadyInPlace,
        Some(found) => kept(found).map_or(Readiness::Ready, Readiness::Changed),
    }
}

fn endpoint_readiness(
    live: &Snapshot,
    endpoint: &str,
    add: &BTreeSet<RouteTableId>,
    remove: &BTreeSet<RouteTableId>,
) -> Readiness {
    let serves = |id: &RouteTableId| match live.resources.get(&id.clone().into()) {
        Some(Resource::RouteTable(table)) => Some(
            table
                .routes
                .values()
                .any(|route| route.target.id() == endpoint),
        ),
        _ => None,
    };
    let parts = add.iter().map(|id| (id, true));
    let parts = parts.chain(remove.iter().map(|id| (id, false)));
    together(parts.map(|(id, wanted)| match serves(id) {
        None => gone(id),
        Some(now) if now == wanted => Readiness::AlreadyInPlace,
        Some(_) => Readiness::Ready,
    }))
}

fn gone(id: &impl Display) -> Readiness {
    Readiness::Changed(format!("{id} is gone"))
}

/// One value that goes from `from` to `to`: as planned, done already, or neither.
fn step<T: PartialEq + Display>(
    what: impl Display,
    now: Option<&T>,
    from: Option<&T>,
    to: Option<&T>,
) -> Readiness {
    if now == to {
        Readiness::AlreadyInPlace
    } else if now == from {
        Readiness::Ready
    } else {
        Readiness::Changed(now.map_or_else(
            || format!("{what} is gone"),
            |now| format!("{what} is `{now}` now"),
        ))
    }
}

fn moved<T: PartialEq + Display>(
    subject: &impl Display,
    now: Option<&T>,
    from: Option<&T>,
    to: Option<&T>,
) -> Readiness {
    step(format!("the place of {subject}"), now, from, to)
}

/// Several elements that one call changes together: all as planned, all done, or mixed.
fn together(parts: impl Iterator<Item = Readiness>) -> Readiness {
    let mut whole: Option<Readiness> = None;
    for part in parts {
        whole = Some(match (whole, part) {
            (_, Readiness::Changed(what)) => return Readiness::Changed(what),
            (None, part) => part,
            (Some(before), part) if before == part => part,
            (Some(_), _) => return Readiness::Changed("only a part of it is in place".into()),
        });
    }
    whole.unwrap_or(Readiness::AlreadyInPlace)
}

fn group_readiness(action: &Action, group: &SecurityGroup, handles: &Handles) -> Readiness {
    match action {
        Action::AuthorizeSecurityGroupRules { rules, .. } => together(rules.keys().map(|key| {
            if group.rules.contains_key(key) {
                Readiness::AlreadyInPlace
            } else {
                Readiness::Ready
            }
        })),
        Action::RevokeSecurityGroupRules { rules, .. } => {
            together(rules.iter().map(|(key, id)| {
                if !group.rules.contains_key(key) {
                    return Readiness::AlreadyInPlace;
                }
                match (id, handles.rule_id(&group.id, key)) {
                    (Some(planned), Some(now)) if planned != now => {
                        Readiness::Changed(format!("`{key}` was made anew as {now}"))
                    }
                    _ => Readiness::Ready,
                }
            }))
        }
        Action::ModifySecurityGroupRule {
            id,
            from,
            to,
            description,
            ..
        } => match handles.rules.get(id).map(|handle| &handle.rule) {
            Some(now)
                if now == to
                    && group
                        .rules
                        .get(to)
                        .is_some_and(|detail| detail.description == *description) =>
            {
                Readiness::AlreadyInPlace
            }
            Some(now) if now == from && (from == to || !group.rules.contains_key(to)) => {
                Readiness::Ready
            }
            Some(now) => Readiness::Changed(format!("{id} is `{now}` now")),
            None => gone(id),
        },
        Action::UpdateSecurityGroupRuleDescriptions { rules, .. } => {
            if let Some(key) = rules.keys().find(|key| !group.rules.contains_key(*key)) {
                return Readiness::Changed(format!("`{key}` is gone"));
            }
            let in_place = rules.iter().all(|(key, text)| {
                group
                    .rules
                    .get(key)
                    .is_some_and(|now| now.description == *text)
            });
            if in_place {
                Readiness::AlreadyInPlace
            } else {
                Readiness::Ready
            }
        }
        other => Readiness::Changed(format!("{} is no call on a group", other.api())),
    }
}

fn entry_readiness(
    live: &Snapshot,
    id: &NetworkAclId,
    key: EntryKey,
    from: Option<&NetworkAclEntry>,
    to: Option<&NetworkAclEntry>,
) -> Readiness {
    match live.resources.get(&id.clone().into()) {
        Some(Resource::NetworkAcl(acl)) => {
            step(format!("{id} {key}"), acl.entries.get(&key), from, to)
        }
        _ => gone(id),
    }
}

fn route_readiness(
    live: &Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    from: Option<&RouteTarget>,
    to: Option<&RouteTarget>,
) -> Readiness {
    let Some(Resource::RouteTable(table)) = live.resources.get(&id.clone().into()) else {
        return gone(id);
    };
    // A propagated route stands beside a static one (semantics B1): it is not what the call is about.
    let now = table
        .routes
        .get(destination)
        .filter(|route| route.origin != RouteOrigin::Propagated);
    step(
        format!("{id} {destination}"),
        now.map(|route| &route.target),
        from,
        to,
    )
}

fn table_readiness(
    live: &Snapshot,
    subject: &AssociationSubject,
    from: Option<&RouteTableId>,
    to: Option<&RouteTableId>,
) -> Readiness {
    if let Some(table) = to.filter(|table| {
        !live
            .resources
            .contains_key(&ResourceId::RouteTable((*table).clone()))
    }) {
        return gone(table);
    }
    moved(subject, holder(live, subject).as_ref(), from, to)
}

fn propagation_readiness(
    live: &Snapshot,
    id: &RouteTableId,
    gateway: &GatewayId,
    enabled: bool,
) -> Readiness {
    match live.resources.get(&id.clone().into()) {
        Some(Resource::RouteTable(table)) if table.propagating.contains(gateway) == enabled => {
            Readiness::AlreadyInPlace
        }
        Some(Resource::RouteTable(_)) => Readiness::Ready,
        _ => gone(id),
    }
}

fn tag_readiness(live: &Snapshot, target: &str, tags: &Tags, present: bool) -> Readiness {
    let Some(now) = tags_of(live, target) else {
        return gone(&target);
    };
    let done = |(key, value): (&String, &String)| (now.get(key) == Some(value)) == present;
    if tags.iter().all(done) {
        Readiness::AlreadyInPlace
    } else {
        Readiness::Ready
    }
}

/// The tags of a resource or rule, where they were read.
fn tags_of<'a>(live: &'a Snapshot, target: &str) -> Option<&'a Tags> {
    if let Some(handle) = live.handles.rules.get(&SecurityGroupRuleId::new(target)) {
        return match live.resources.get(&handle.group.clone().into())? {
            Resource::SecurityGroup(group) => group.rules.get(&handle.rule)?.tags.as_ref(),
            Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
        };
    }
    live.resources
        .get(&target.parse::<ResourceId>().ok()?)?
        .tags()
}
