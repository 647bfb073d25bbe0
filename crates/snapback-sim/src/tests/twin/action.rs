//! Calls as the actions of plans.

use crate::{Call, Revoked};
use snapback_engine::plan::Action;
use snapback_model::*;

/// The action of a plan that makes the same call, told what live is now.
pub(super) fn as_action(call: &Call, live: &Snapshot) -> Option<Action> {
    let entry_now = |id: &NetworkAclId, key: &EntryKey| match live.resources.get(&id.clone().into())
    {
        Some(Resource::NetworkAcl(acl)) => acl.entries.get(key).cloned(),
        _ => None,
    };
    let route_now = |id: &RouteTableId, to: &Destination| match live
        .resources
        .get(&id.clone().into())
    {
        Some(Resource::RouteTable(table)) => table.routes.get(to).map(|route| route.target.clone()),
        _ => None,
    };
    let propagates =
        |id: &RouteTableId, gateway: &GatewayId| match live.resources.get(&id.clone().into()) {
            Some(Resource::RouteTable(table)) => table.propagating.contains(gateway),
            _ => false,
        };
    let handle = |id: &AssociationId| live.handles.associations.get(id).cloned();
    let table_of = |handle: &AssociationHandle| RouteTableId::from(handle.resource.as_str());
    Some(match call.clone() {
        Call::AuthorizeSecurityGroup {
            group,
            direction,
            permissions,
            ..
        } => {
            let rules = permissions.into_iter().flat_map(|permission| {
                let key = move |peer| RuleKey {
                    direction,
                    traffic: permission.traffic,
                    peer,
                };
                permission.peers.into_iter().map(move |(peer, text)| {
                    (
                        key(peer),
                        RuleDetail {
                            description: text,
                            tags: Some(Tags::new()),
                        },
                    )
                })
            });
            Action::AuthorizeSecurityGroupRules {
                group: group.as_str().into(),
                direction,
                rules: rules.collect(),
            }
        }
        Call::RevokeSecurityGroup {
            group,
            direction,
            rules: Revoked::Ids(ids),
        } => {
            let rules = ids
                .iter()
                .map(|id| (live.handles.rules[id].rule.clone(), Some(id.clone())))
                .collect();
            Action::RevokeSecurityGroupRules {
                group: group.as_str().into(),
                direction,
                rules,
            }
        }
        Call::CreateNetworkAclEntry { acl, key, entry } if entry_now(&acl, &key).is_none() => {
            Action::CreateNetworkAclEntry { acl, key, entry }
        }
        Call::ReplaceNetworkAclEntry { acl, key, entry } => Action::ReplaceNetworkAclEntry {
            from: entry_now(&acl, &key)?,
            acl,
            key,
            entry,
        },
        Call::DeleteNetworkAclEntry { acl, key } => Action::DeleteNetworkAclEntry {
            entry: entry_now(&acl, &key)?,
            acl,
            key,
        },
        Call::ReplaceNetworkAclAssociation { association, acl } => {
            let held = handle(&association)?;
            let AssociationSubject::Subnet(subnet) = held.subject else {
                return None;
            };
            // Moving a subnet to where it is: EC2 gives a new id, a plan never does it.
            let from = NetworkAclId::from(held.resource.as_str());
            if from == acl {
                return None;
            }
            Action::ReplaceNetworkAclAssociation {
                subnet,
                from: Some(from),
                acl,
            }
        }
        // A plan replaces what is there, the local route too.
        Call::CreateRoute {
            table,
            destination,
            target,
        } if route_now(&table, &destination).is_none() => Action::CreateRoute {
            table,
            destination,
            target,
        },
        Call::ReplaceRoute {
            table,
            destination,
            target,
        } => Action::ReplaceRoute {
            from: route_now(&table, &destination)?,
            table,
            destination,
            target,
        },
        Call::DeleteRoute { table, destination } => Action::DeleteRoute {
            from: route_now(&table, &destination)?,
            table,
            destination,
        },
        Call::AssociateRouteTable { table, subject } => {
            Action::AssociateRouteTable { table, subject }
        }
        Call::DisassociateRouteTable { association } => {
            let held = handle(&association)?;
            Action::DisassociateRouteTable {
                from: table_of(&held),
                subject: held.subject,
            }
        }
        Call::ReplaceRouteTableAssociation { association, table } => {
            let held = handle(&association)?;
            let from = table_of(&held);
            if from == table {
                return None;
            }
            Action::ReplaceRouteTableAssociation {
                from: Some(from),
                subject: held.subject,
                table,
            }
        }
        // EC2 takes it twice; a plan never asks for what is so already.
        Call::EnableVgwRoutePropagation { table, gateway } if !propagates(&table, &gateway) => {
            Action::EnableVgwRoutePropagation { table, gateway }
        }
        Call::DisableVgwRoutePropagation { table, gateway } if propagates(&table, &gateway) => {
            Action::DisableVgwRoutePropagation { table, gateway }
        }
        _ => return None,
    })
}
