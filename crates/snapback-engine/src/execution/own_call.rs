//! Whether an event is the event of one of our own steps.

use crate::change::{Change, DeletedRef, Edit, Edits, GroupRef, RuleRef, Touched};
use crate::plan::Action;
use snapback_model::*;
use std::collections::BTreeMap;

/// Whether the change is exactly what this call asked for: tells the event of a call of ours whose
/// response (and with it the request id) was lost. `handles` are those the call was made with: they
/// know the association ids that the event names. Who made the call is the caller's to check. Tag
/// calls are never changes, so never match.
pub fn matches(action: &Action, change: &Change, handles: &Handles) -> bool {
    let context = match action {
        Action::ModifyVpcEndpoint { endpoint, .. } => Some(endpoint.as_str()),
        Action::AssociateNatGatewayAddress { gateway, .. }
        | Action::AssignPrivateNatGatewayAddress { gateway, .. } => Some(gateway.as_str()),
        _ => None,
    };
    if let Some(context) = context {
        // The event of a call on context tells what it touched, not its edits.
        let touches =
            |touched: &Touched| matches!(touched, Touched::Context { id, .. } if id == context);
        return change.api == action.api() && change.touched.iter().any(touches);
    }
    let Edits::Known(edits) = &change.edits else {
        return false;
    };
    change.api == action.api()
        && edits.len() == edit_count(action)
        && edits.iter().all(|edit| is_part(action, edit, handles))
}

/// Whether the change made what this create call of ours asked for: by the id that the story of the
/// call found it under, or by the tags that it was asked for with. Tells the event of a making whose
/// answer was lost. One call can make two: what a lost answer made may have been deleted before the next
/// try made another. EC2 takes no client token for a group (semantics E); what it does with a token whose
/// resource is gone is not proved, so the marks are asked there too.
pub fn made(action: &Action, change: &Change, story: &IncidentId, lineage: &Lineage) -> bool {
    if let Action::CreateNatGateway { gateway, .. } = action {
        // The event of a call on context tells what it touched: the gateway that it made.
        let new = lineage.current(gateway.as_str());
        let touches =
            |touched: &Touched| matches!(touched, Touched::Context { id, .. } if id == new);
        return change.api == action.api() && change.touched.iter().any(touches);
    }
    let Edits::Known(edits) = &change.edits else {
        return false;
    };
    let [Edit::Created { resource }] = edits.as_slice() else {
        return false;
    };
    let Some(old) = action.makes() else {
        return false;
    };
    let in_its_vpc = match action {
        Action::CreateSecurityGroup { vpc, .. }
        | Action::CreateNetworkAcl { vpc, .. }
        | Action::CreateRouteTable { vpc, .. } => resource.vpc().is_none_or(|found| found == vpc),
        _ => false,
    };
    let successors: Vec<&str> = lineage
        .iter()
        .filter(|(from, _)| *from == old.as_str())
        .map(|(_, to)| to)
        .collect();
    let found = successors == [resource.id().as_str()] || is_asked_for(action, story, resource);
    change.api == action.api() && in_its_vpc && found
}

/// Whether the change made a NAT gateway that carries the marks this create call of ours asks for: its event
/// tells no tags, but EC2 lists a gateway for an hour after its deletion (VPC User Guide). Tells the
/// event of a making without an answer whose gateway was deleted before the next try made another.
pub fn made_gateway(
    action: &Action,
    change: &Change,
    story: &IncidentId,
    gateways: &BTreeMap<String, Gateway>,
) -> bool {
    let Action::CreateNatGateway { request, .. } = action.for_incident(story) else {
        return false;
    };
    let mut listed = change.touched.iter().filter_map(|touched| match touched {
        Touched::Context { id, .. } => gateways.get(id),
        _ => None,
    });
    change.api == action.api() && listed.any(|gateway| carries(Some(&gateway.tags), &request.tags))
}

/// Whether tags hold the marks of a making, as they were asked for.
fn carries(found: Option<&Tags>, asked: &Tags) -> bool {
    let marks = [SUCCESSOR_OF, INCIDENT];
    marks.iter().all(|mark| {
        let carried = found.and_then(|found| found.get(*mark));
        carried.is_some() && carried == asked.get(*mark)
    })
}

/// Whether what was made carries the marks that a call of this story asks for.
fn is_asked_for(action: &Action, story: &IncidentId, resource: &Resource) -> bool {
    let asked = action.for_incident(story);
    let (Action::CreateSecurityGroup { tags, .. }
    | Action::CreateNetworkAcl { tags, .. }
    | Action::CreateRouteTable { tags, .. }) = &asked
    else {
        return false;
    };
    let named = match (&asked, resource) {
        (Action::CreateSecurityGroup { name, .. }, Resource::SecurityGroup(group)) => {
            group.name.as_ref() == Some(name)
        }
        _ => asked.makes_kind() == Some(resource.kind()),
    };
    named && carries(resource.tags(), tags)
}

fn edit_count(action: &Action) -> usize {
    match action {
        Action::AuthorizeSecurityGroupRules { rules, .. } => rules.len(),
        Action::RevokeSecurityGroupRules { rules, .. } => rules.len(),
        Action::UpdateSecurityGroupRuleDescriptions { rules, .. } => rules.len(),
        _ => 1,
    }
}

fn is_part(action: &Action, edit: &Edit, handles: &Handles) -> bool {
    match (action, edit) {
        (
            Action::AuthorizeSecurityGroupRules { group, rules, .. },
            Edit::RuleAdded {
                group: on, rule, ..
            },
        ) => is_group(on, group) && rules.contains_key(rule),
        (
            Action::RevokeSecurityGroupRules { group, rules, .. },
            Edit::RuleRemoved { group: on, rule },
        ) => {
            is_group(on, group)
                && match rule {
                    RuleRef::Key(key) => rules.contains_key(key),
                    RuleRef::Id(id) => rules.values().flatten().any(|known| known == id),
                }
        }
        (
            Action::ModifySecurityGroupRule { group, id, to, .. },
            Edit::RuleModified {
                group: on,
                id: modified,
                traffic,
                peer,
                ..
            },
        ) => is_group(on, group) && id == modified && to.traffic == *traffic && to.peer == *peer,
        (
            Action::UpdateSecurityGroupRuleDescriptions { group, rules, .. },
            Edit::RuleDescribed {
                group: on,
                rule,
                description,
            },
        ) => {
            let key = match rule {
                RuleRef::Key(key) => Some(key),
                RuleRef::Id(id) => handles.rules.get(id).map(|handle| &handle.rule),
            };
            is_group(on, group)
                && key
                    .and_then(|key| rules.get(key))
                    .is_some_and(|text| text == description)
        }
        (
            Action::CreateNetworkAclEntry { acl, key, entry }
            | Action::ReplaceNetworkAclEntry {
                acl, key, entry, ..
            },
            Edit::EntrySet {
                acl: on,
                key: number,
                entry: set,
            },
        ) => acl == on && key == number && entry == set,
        (
            Action::DeleteNetworkAclEntry { acl, key, .. },
            Edit::EntryRemoved {
                acl: on,
                key: number,
            },
        ) => acl == on && key == number,
        (Action::DeleteNetworkAcl { acl }, Edit::Deleted { resource }) => {
            *resource == DeletedRef::Id(acl.clone().into())
        }
        (Action::DeleteRouteTable { table }, Edit::Deleted { resource }) => {
            *resource == DeletedRef::Id(table.clone().into())
        }
        _ => is_routing_part(action, edit, handles),
    }
}

fn is_routing_part(action: &Action, edit: &Edit, handles: &Handles) -> bool {
    let names = |association: &AssociationId, kind: Kind, subject: &AssociationSubject| {
        let known = handles.associations.get(association);
        known.is_some_and(|handle| handle.resource.kind() == kind && handle.subject == *subject)
    };
    match (action, edit) {
        (
            Action::ReplaceNetworkAclAssociation { subnet, acl, .. },
            Edit::AclReassociated {
                association,
                acl: to,
                ..
            },
        ) => {
            acl == to
                && names(
                    association,
                    Kind::NetworkAcl,
                    &AssociationSubject::Subnet(subnet.clone()),
                )
        }
        (
            Action::CreateRoute {
                table,
                destination,
                target,
            }
            | Action::ReplaceRoute {
                table,
                destination,
                target,
                ..
            },
            Edit::RouteSet {
                table: on,
                destination: for_,
                target: to,
            },
        ) => table == on && destination == for_ && target == to,
        (
            Action::DeleteRoute {
                table, destination, ..
            },
            Edit::RouteRemoved {
                table: on,
                destination: for_,
            },
        ) => table == on && destination == for_,
        (
            Action::AssociateRouteTable { table, subject },
            Edit::TableAssociated {
                table: on,
                subject: of,
                ..
            },
        ) => table == on && subject == of,
        (
            Action::ReplaceRouteTableAssociation { subject, table, .. },
            Edit::TableReassociated {
                association,
                table: to,
                ..
            },
        ) => table == to && names(association, Kind::RouteTable, subject),
        (
            Action::DisassociateRouteTable { subject, .. },
            Edit::TableDisassociated { association },
        ) => names(association, Kind::RouteTable, subject),
        (
            Action::EnableVgwRoutePropagation { table, gateway }
            | Action::DisableVgwRoutePropagation { table, gateway },
            Edit::PropagationSet {
                table: on,
                gateway: from,
                ..
            },
        ) => table == on && gateway == from,
        _ => false,
    }
}

fn is_group(reference: &GroupRef, group: &SecurityGroupId) -> bool {
    matches!(reference, GroupRef::Id(id) if id == group)
}
