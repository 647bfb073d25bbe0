//! What a call does to a snapshot: the pure twin of EC2.

use super::Action;
use routing::{
    create_route, delete_route, move_to_acl, reassociate, replace_route, set_propagation, swap_main,
};
use snapback_model::*;
use std::collections::BTreeMap;

mod existence;
mod gateways;
mod routing;

pub(super) use routing::{holder, holds};

/// What a call does to a snapshot: the pure twin of EC2, used to check plans and to expect results.
/// On an error the snapshot is as it was.
///
/// Ids of parts that EC2 would make anew (rules, associations) are synthetic here: well-formed,
/// unique in the snapshot, the same for the same snapshot, and not the ones EC2 will choose. Routes
/// that propagation brings back are not foreseen.
///
/// # Errors
/// What the call finds otherwise than it expects, in words.
pub fn apply(action: &Action, state: &mut Snapshot) -> Result<(), String> {
    match action {
        Action::AuthorizeSecurityGroupRules {
            group,
            direction,
            rules,
        } => authorize(state, group, *direction, rules),
        Action::RevokeSecurityGroupRules {
            group,
            direction,
            rules,
        } => revoke(state, group, *direction, rules),
        Action::ModifySecurityGroupRule {
            group,
            id,
            from,
            to,
            description,
        } => modify(state, group, id, (from, to), description.as_ref()),
        Action::UpdateSecurityGroupRuleDescriptions { group, rules, .. } => {
            describe(state, group, rules)
        }
        Action::CreateNetworkAclEntry { acl, key, entry } => {
            edit_entry(state, acl, *key, None, Some(entry))
        }
        Action::ReplaceNetworkAclEntry {
            acl,
            key,
            from,
            entry,
        } => edit_entry(state, acl, *key, Some(from), Some(entry)),
        Action::DeleteNetworkAclEntry { acl, key, entry } => {
            edit_entry(state, acl, *key, Some(entry), None)
        }
        Action::ReplaceNetworkAclAssociation { subnet, from, acl } => {
            move_to_acl(state, subnet, from.as_ref(), acl)
        }
        Action::CreateRoute {
            table,
            destination,
            target,
        } => create_route(state, table, destination, target),
        Action::ReplaceRoute {
            table,
            destination,
            from,
            target,
        } => replace_route(state, table, destination, (from, target)),
        Action::DeleteRoute {
            table,
            destination,
            from,
        } => delete_route(state, table, destination, from),
        Action::AssociateRouteTable { table, subject } => {
            reassociate(state, subject, None, Some(table))
        }
        Action::ReplaceRouteTableAssociation {
            subject: AssociationSubject::Main(vpc),
            from,
            table,
        } => swap_main(state, vpc, from.as_ref(), table),
        Action::ReplaceRouteTableAssociation {
            subject,
            from,
            table,
        } => {
            let from = match from {
                Some(from) => from.clone(),
                None => holder(state, subject)
                    .ok_or_else(|| format!("{subject} has no explicit table"))?,
            };
            reassociate(state, subject, Some(&from), Some(table))
        }
        Action::DisassociateRouteTable { subject, from } => {
            reassociate(state, subject, Some(from), None)
        }
        Action::EnableVgwRoutePropagation { table, gateway } => {
            set_propagation(state, table, gateway, true)
        }
        Action::DisableVgwRoutePropagation { table, gateway } => {
            set_propagation(state, table, gateway, false)
        }
        Action::CreateTags { target, tags } => tag(state, target, tags, true),
        Action::DeleteTags { target, tags } => tag(state, target, tags, false),
        Action::CreateSecurityGroup { .. }
        | Action::CreateNetworkAcl { .. }
        | Action::CreateRouteTable { .. } => existence::create(state, action),
        Action::CreateNatGateway { gateway, request } => gateways::create(state, gateway, request),
        Action::AssociateNatGatewayAddress { .. }
        | Action::AssignPrivateNatGatewayAddress { .. } => gateways::give(state, action),
        Action::DeleteNetworkAcl { acl } => existence::delete_acl(state, acl),
        Action::DeleteRouteTable { table } => existence::delete_table(state, table),
        Action::ModifyVpcEndpoint {
            endpoint,
            add,
            remove,
        } => existence::serve(state, endpoint, add, remove),
    }
}

fn group_mut<'a>(
    state: &'a mut Snapshot,
    id: &SecurityGroupId,
) -> Result<&'a mut SecurityGroup, String> {
    match state
        .resources
        .get_mut(&ResourceId::SecurityGroup(id.clone()))
    {
        Some(Resource::SecurityGroup(group)) => Ok(group),
        _ => Err(format!("{id} is not in the snapshot")),
    }
}

fn acl_mut<'a>(state: &'a mut Snapshot, id: &NetworkAclId) -> Result<&'a mut NetworkAcl, String> {
    match state.resources.get_mut(&ResourceId::NetworkAcl(id.clone())) {
        Some(Resource::NetworkAcl(acl)) => Ok(acl),
        _ => Err(format!("{id} is not in the snapshot")),
    }
}

fn table_mut<'a>(state: &'a mut Snapshot, id: &RouteTableId) -> Result<&'a mut RouteTable, String> {
    match state.resources.get_mut(&ResourceId::RouteTable(id.clone())) {
        Some(Resource::RouteTable(table)) => Ok(table),
        _ => Err(format!("{id} is not in the snapshot")),
    }
}

fn authorize(
    state: &mut Snapshot,
    id: &SecurityGroupId,
    direction: Direction,
    rules: &BTreeMap<RuleKey, RuleDetail>,
) -> Result<(), String> {
    let group = group_mut(state, id)?;
    for key in rules.keys() {
        if key.direction != direction {
            return Err(format!("`{key}` is no {direction} rule"));
        }
        if group.rules.contains_key(key) {
            return Err(format!("{id} already has `{key}`"));
        }
    }
    group.rules.extend(
        rules
            .iter()
            .map(|(key, detail)| (key.clone(), detail.clone())),
    );
    for key in rules.keys() {
        let rule = fresh("sgr", (id, key), |text| {
            state
                .handles
                .rules
                .contains_key(&SecurityGroupRuleId::new(text))
        });
        let handle = RuleHandle {
            group: id.clone(),
            rule: key.clone(),
        };
        state
            .handles
            .rules
            .insert(SecurityGroupRuleId::new(rule), handle);
    }
    Ok(())
}

fn revoke(
    state: &mut Snapshot,
    id: &SecurityGroupId,
    direction: Direction,
    rules: &BTreeMap<RuleKey, Option<SecurityGroupRuleId>>,
) -> Result<(), String> {
    for (key, named) in rules {
        if key.direction != direction {
            return Err(format!("`{key}` is no {direction} rule"));
        }
        let known = state.handles.rule_id(id, key);
        if named.is_some() && known.is_some() && known != named.as_ref() {
            return Err(format!("`{key}` of {id} has another id now"));
        }
    }
    let group = group_mut(state, id)?;
    if let Some(key) = rules.keys().find(|key| !group.rules.contains_key(*key)) {
        return Err(format!("{id} has no `{key}`"));
    }
    group.rules.retain(|key, _| !rules.contains_key(key));
    state
        .handles
        .rules
        .retain(|_, handle| handle.group != *id || !rules.contains_key(&handle.rule));
    Ok(())
}

fn modify(
    state: &mut Snapshot,
    id: &SecurityGroupId,
    rule: &SecurityGroupRuleId,
    (from, to): (&RuleKey, &RuleKey),
    description: Option<&String>,
) -> Result<(), String> {
    let handle = RuleHandle {
        group: id.clone(),
        rule: from.clone(),
    };
    if state.handles.rules.get(rule) != Some(&handle) {
        return Err(format!("{rule} is not `{from}` of {id}"));
    }
    if from.direction != to.direction || !same_peer_kind(&from.peer, &to.peer) {
        return Err(format!(
            "{rule} cannot change from `{from}` to `{to}`: direction and kind of peer are fixed"
        ));
    }
    let group = group_mut(state, id)?;
    if from != to && group.rules.contains_key(to) {
        return Err(format!("{id} already has `{to}`"));
    }
    let old = group
        .rules
        .remove(from)
        .ok_or_else(|| format!("{id} has no `{from}`"))?;
    group.rules.insert(
        to.clone(),
        RuleDetail {
            description: description.cloned(),
            tags: old.tags,
        },
    );
    state.handles.rules.insert(
        rule.clone(),
        RuleHandle {
            group: id.clone(),
            rule: to.clone(),
        },
    );
    Ok(())
}

/// Whether a rule may be modified from one peer to the other: the kind of peer is fixed (semantics B1).
pub(super) fn same_peer_kind(left: &Peer, right: &Peer) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
}

fn describe(
    state: &mut Snapshot,
    id: &SecurityGroupId,
    rules: &BTreeMap<RuleKey, Option<String>>,
) -> Result<(), String> {
    let group = group_mut(state, id)?;
    if let Some(key) = rules.keys().find(|key| !group.rules.contains_key(*key)) {
        return Err(format!("{id} has no `{key}`"));
    }
    for (key, text) in rules {
        if let Some(detail) = group.rules.get_mut(key) {
            detail.description.clone_from(text);
        }
    }
    Ok(())
}

fn edit_entry(
    state: &mut Snapshot,
    id: &NetworkAclId,
    key: EntryKey,
    from: Option<&NetworkAclEntry>,
    to: Option<&NetworkAclEntry>,
) -> Result<(), String> {
    let acl = acl_mut(state, id)?;
    match (acl.entries.get(&key), from) {
        (found, wanted) if found == wanted => {}
        (Some(found), _) => return Err(format!("{id} {key} is `{found}`")),
        (None, _) => return Err(format!("{id} has no entry {key}")),
    }
    match to {
        Some(entry) => acl.entries.insert(key, entry.clone()),
        None => acl.entries.remove(&key),
    };
    Ok(())
}

fn tag(state: &mut Snapshot, target: &str, tags: &Tags, present: bool) -> Result<(), String> {
    let held = tags_mut(state, target)?;
    for (key, value) in tags {
        if present {
            held.insert(key.clone(), value.clone());
        } else if held.get(key) == Some(value) {
            // EC2 leaves a tag with another value alone and reports success.
            held.remove(key);
        }
    }
    Ok(())
}

fn tags_mut<'a>(state: &'a mut Snapshot, target: &str) -> Result<&'a mut Tags, String> {
    let unread = || format!("the tags of {target} were not read");
    if let Some(handle) = state
        .handles
        .rules
        .get(&SecurityGroupRuleId::new(target))
        .cloned()
    {
        let detail = group_mut(state, &handle.group)?.rules.get_mut(&handle.rule);
        return detail
            .and_then(|detail| detail.tags.as_mut())
            .ok_or_else(unread);
    }
    let id: ResourceId = target
        .parse()
        .map_err(|_| format!("{target} is not in the snapshot"))?;
    match state.resources.get_mut(&id) {
        Some(Resource::SecurityGroup(group)) => group.tags.as_mut().ok_or_else(unread),
        Some(Resource::NetworkAcl(acl)) => Ok(&mut acl.tags),
        Some(Resource::RouteTable(table)) => Ok(&mut table.tags),
        None => Err(format!("{target} is not in the snapshot")),
    }
}

fn fresh(prefix: &str, seed: impl serde::Serialize, taken: impl Fn(&str) -> bool) -> String {
    let numbered =
        (0_u32..).map(|number| format!("{prefix}-{}", Digest::of(&(&seed, number)).short()));
    let mut free = numbered.skip_while(|id| taken(id));
    free.next().unwrap_or_default()
}
