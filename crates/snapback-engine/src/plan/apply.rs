//! What a call does to a snapshot: the pure twin of EC2.

use super::Action;
use snapback_model::*;
use std::collections::BTreeMap;

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

fn move_to_acl(
    state: &mut Snapshot,
    subnet: &SubnetId,
    from: Option<&NetworkAclId>,
    to: &NetworkAclId,
) -> Result<(), String> {
    let now = state.acl_of(subnet).cloned();
    if let (Some(now), Some(from)) = (&now, from)
        && now != from
    {
        return Err(format!("{subnet} is in {now}, not in {from}"));
    }
    if now.is_none() && from.is_some_and(|from| acl_mut(state, from).is_ok()) {
        return Err(format!("{subnet} is in no ACL of the snapshot"));
    }
    if now.as_ref() == Some(to) {
        return Err(format!("{subnet} is in {to} already"));
    }
    let vpc = acl_mut(state, to)?.vpc.clone();
    if let Some(now) = &now {
        let acl = acl_mut(state, now)?;
        if acl.vpc != vpc {
            return Err(format!("{now} and {to} are in different VPCs"));
        }
        acl.subnets.remove(subnet);
    }
    acl_mut(state, to)?.subnets.insert(subnet.clone());
    rebind(
        state,
        Kind::NetworkAcl,
        &AssociationSubject::Subnet(subnet.clone()),
        Some(to.clone().into()),
    );
    Ok(())
}

fn create_route(
    state: &mut Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    target: &RouteTarget,
) -> Result<(), String> {
    writable(target)?;
    if *target == RouteTarget::Local {
        return Err("a local route is made with its table only".into());
    }
    let table = table_mut(state, id)?;
    // A propagated route of the same destination does not block a static one (semantics B1).
    if let Some(found) = table
        .routes
        .get(destination)
        .filter(|found| found.origin != RouteOrigin::Propagated)
    {
        return Err(format!(
            "{id} already has a route {destination} to {}",
            found.target
        ));
    }
    table
        .routes
        .insert(destination.clone(), Route::created(target.clone()));
    Ok(())
}

fn replace_route(
    state: &mut Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    (from, to): (&RouteTarget, &RouteTarget),
) -> Result<(), String> {
    writable(to)?;
    let table = table_mut(state, id)?;
    let found = found_route(table, destination, from)?;
    if *to == RouteTarget::Local && found.origin != RouteOrigin::Table {
        return Err(format!(
            "{id} {destination} is no network of the VPC: it cannot be local"
        ));
    }
    found.target = to.clone();
    found.blackhole = false;
    Ok(())
}

fn delete_route(
    state: &mut Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    from: &RouteTarget,
) -> Result<(), String> {
    let table = table_mut(state, id)?;
    if found_route(table, destination, from)?.origin == RouteOrigin::Table {
        return Err(format!(
            "{id} {destination} is the VPC's own route: it cannot be deleted"
        ));
    }
    table.routes.remove(destination);
    Ok(())
}

fn found_route<'a>(
    table: &'a mut RouteTable,
    destination: &Destination,
    target: &RouteTarget,
) -> Result<&'a mut Route, String> {
    let id = table.id.clone();
    let found = table
        .routes
        .get_mut(destination)
        .ok_or_else(|| format!("{id} has no route {destination}"))?;
    if found.origin == RouteOrigin::Propagated {
        return Err(format!(
            "{id} {destination} is propagated: route calls do not write it"
        ));
    }
    writable(&found.target)?;
    if found.target != *target {
        return Err(format!(
            "{id} {destination} leads to {}, not to {target}",
            found.target
        ));
    }
    Ok(found)
}

fn writable(target: &RouteTarget) -> Result<(), String> {
    match target {
        RouteTarget::GatewayEndpoint(id) => Err(format!(
            "a route to the gateway endpoint {id} is changed by ModifyVpcEndpoint only"
        )),
        RouteTarget::Unrecognized(id) => Err(format!(
            "{id} is a kind of target this version does not know"
        )),
        _ => Ok(()),
    }
}

/// The table that a subnet or gateway is explicitly on, or the main table of a VPC.
pub(super) fn holder(state: &Snapshot, subject: &AssociationSubject) -> Option<RouteTableId> {
    state
        .resources
        .values()
        .find_map(|resource| match resource {
            Resource::RouteTable(table) if holds(table, subject) => Some(table.id.clone()),
            Resource::RouteTable(_) | Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        })
}

pub(super) fn holds(table: &RouteTable, subject: &AssociationSubject) -> bool {
    match subject {
        AssociationSubject::Subnet(subnet) => table.subnets.contains(subnet),
        AssociationSubject::Gateway(gateway) => table.gateways.contains(gateway),
        AssociationSubject::Main(vpc) => table.main && table.vpc == *vpc,
    }
}

/// Moves a subnet or gateway: from nowhere (associate), to nowhere (disassociate) or between tables.
fn reassociate(
    state: &mut Snapshot,
    subject: &AssociationSubject,
    from: Option<&RouteTableId>,
    to: Option<&RouteTableId>,
) -> Result<(), String> {
    let now = holder(state, subject);
    if now.as_ref() != from {
        let now = now.map_or_else(|| "no table".to_owned(), |table| table.to_string());
        return Err(format!("{subject} is explicitly on {now}"));
    }
    if from == to {
        return Err(format!("{subject} is there already"));
    }
    let receiver = to
        .map(|id| table_mut(state, id).map(|table| (table.main, table.vpc.clone())))
        .transpose()?;
    if let Some((true, _)) = receiver
        && matches!(subject, AssociationSubject::Gateway(_))
    {
        return Err("the main table takes no edge association".into());
    }
    if let Some(from) = from {
        let table = table_mut(state, from)?;
        if receiver.is_some_and(|(_, vpc)| vpc != table.vpc) {
            return Err(format!("{subject} cannot leave its VPC"));
        }
        set_held(table, subject, false)?;
    }
    if let Some(to) = to {
        set_held(table_mut(state, to)?, subject, true)?;
    }
    rebind(
        state,
        Kind::RouteTable,
        subject,
        to.cloned().map(ResourceId::RouteTable),
    );
    Ok(())
}

fn set_held(
    table: &mut RouteTable,
    subject: &AssociationSubject,
    held: bool,
) -> Result<(), String> {
    match (subject, held) {
        (AssociationSubject::Subnet(subnet), true) => table.subnets.insert(subnet.clone()),
        (AssociationSubject::Subnet(subnet), false) => table.subnets.remove(subnet),
        (AssociationSubject::Gateway(gateway), true) => table.gateways.insert(gateway.clone()),
        (AssociationSubject::Gateway(gateway), false) => table.gateways.remove(gateway),
        (AssociationSubject::Main(_), _) => {
            return Err("the main association can only be replaced".into());
        }
    };
    Ok(())
}

fn swap_main(
    state: &mut Snapshot,
    vpc: &VpcId,
    from: Option<&RouteTableId>,
    to: &RouteTableId,
) -> Result<(), String> {
    let subject = AssociationSubject::Main(vpc.clone());
    let now = holder(state, &subject);
    if from.is_some() && now.as_ref() != from || now.as_ref() == Some(to) {
        let now = now.map_or_else(|| "not known".to_owned(), |table| table.to_string());
        return Err(format!("the main table of {vpc} is {now}"));
    }
    let receiver = table_mut(state, to)?;
    if receiver.vpc != *vpc {
        return Err(format!("{to} is not in {vpc}"));
    }
    if !receiver.gateways.is_empty() {
        return Err(format!("{to} has an edge association: it cannot be main"));
    }
    receiver.main = true;
    if let Some(now) = &now {
        table_mut(state, now)?.main = false;
    }
    rebind(state, Kind::RouteTable, &subject, Some(to.clone().into()));
    Ok(())
}

fn set_propagation(
    state: &mut Snapshot,
    id: &RouteTableId,
    gateway: &GatewayId,
    enabled: bool,
) -> Result<(), String> {
    let table = table_mut(state, id)?;
    if table.propagating.contains(gateway) == enabled {
        let word = if enabled { "on" } else { "off" };
        return Err(format!(
            "propagation from {gateway} into {id} is {word} already"
        ));
    }
    if enabled {
        table.propagating.insert(gateway.clone());
    } else {
        table.propagating.remove(gateway);
        let target = RouteTarget::VpnGateway(gateway.as_str().to_owned());
        table
            .routes
            .retain(|_, route| route.origin != RouteOrigin::Propagated || route.target != target);
    }
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

/// Gives a subject a new association id, or none: every replace gives a new one (semantics B1).
fn rebind(
    state: &mut Snapshot,
    kind: Kind,
    subject: &AssociationSubject,
    resource: Option<ResourceId>,
) {
    state
        .handles
        .associations
        .retain(|_, handle| handle.subject != *subject || handle.resource.kind() != kind);
    if let Some(resource) = resource {
        let prefix = if kind == Kind::NetworkAcl {
            "aclassoc"
        } else {
            "rtbassoc"
        };
        let taken = |text: &str| {
            state
                .handles
                .associations
                .contains_key(&AssociationId::new(text))
        };
        let id = fresh(prefix, (&resource, subject), taken);
        let handle = AssociationHandle {
            resource,
            subject: subject.clone(),
        };
        state
            .handles
            .associations
            .insert(AssociationId::new(id), handle);
    }
}

fn fresh(prefix: &str, seed: impl serde::Serialize, taken: impl Fn(&str) -> bool) -> String {
    let numbered =
        (0_u32..).map(|number| format!("{prefix}-{}", Digest::of(&(&seed, number)).short()));
    let mut free = numbered.skip_while(|id| taken(id));
    free.next().unwrap_or_default()
}
