//! The call behind each action of a plan.

use super::{Call, GroupBy, NatPlace, NatRequest, Revoked, RuleBy, RuleChange, permissions};
use snapback_engine::plan::{self, Action};
use snapback_model::*;

impl Call {
    /// The call that an action of a plan makes; `None` where `handles` lack the association it needs.
    pub fn from_action(action: &Action, handles: &Handles) -> Option<Self> {
        Some(match action.clone() {
            Action::AuthorizeSecurityGroupRules {
                group,
                direction,
                rules,
            } => {
                let tags = rules
                    .values()
                    .find_map(|detail| detail.tags.clone())
                    .unwrap_or_default();
                let rules = rules
                    .into_iter()
                    .map(|(key, detail)| (key, detail.description));
                Self::AuthorizeSecurityGroup {
                    group: GroupBy::Id(group),
                    direction,
                    permissions: permissions(rules),
                    short: false,
                    tags,
                }
            }
            Action::RevokeSecurityGroupRules {
                group,
                direction,
                rules,
            } => Self::RevokeSecurityGroup {
                group: GroupBy::Id(group),
                direction,
                rules: match rules.values().cloned().collect::<Option<Vec<_>>>() {
                    Some(ids) => Revoked::Ids(ids),
                    None => Revoked::Content {
                        permissions: permissions(rules.into_keys().map(|key| (key, None))),
                        short: false,
                    },
                },
            },
            Action::ModifySecurityGroupRule {
                group,
                id,
                from: _,
                to,
                description,
            } => Self::ModifySecurityGroupRules {
                group,
                changes: vec![RuleChange {
                    id,
                    traffic: to.traffic,
                    peer: to.peer,
                    description,
                }],
            },
            Action::UpdateSecurityGroupRuleDescriptions {
                group,
                direction,
                rules,
            } => Self::UpdateSecurityGroupRuleDescriptions {
                group: GroupBy::Id(group),
                direction,
                descriptions: rules
                    .into_iter()
                    .map(|(key, text)| (RuleBy::Key(key), text))
                    .collect(),
            },
            Action::CreateNetworkAclEntry { acl, key, entry } => {
                Self::CreateNetworkAclEntry { acl, key, entry }
            }
            Action::ReplaceNetworkAclEntry {
                acl,
                key,
                from: _,
                entry,
            } => Self::ReplaceNetworkAclEntry { acl, key, entry },
            Action::DeleteNetworkAclEntry { acl, key, entry: _ } => {
                Self::DeleteNetworkAclEntry { acl, key }
            }
            Action::ReplaceNetworkAclAssociation {
                subnet,
                from: _,
                acl,
            } => Self::ReplaceNetworkAclAssociation {
                association: handles
                    .association_id(Kind::NetworkAcl, &AssociationSubject::Subnet(subnet))?
                    .clone(),
                acl,
            },
            Action::CreateTags { target, tags } => Self::CreateTags {
                targets: vec![target],
                tags,
            },
            Action::DeleteTags { target, tags } => Self::DeleteTags {
                targets: vec![target],
                tags: tags
                    .into_iter()
                    .map(|(key, value)| (key, Some(value)))
                    .collect(),
            },
            Action::CreateSecurityGroup {
                group: _,
                name,
                description,
                vpc,
                tags,
            } => Self::CreateSecurityGroup {
                name,
                description,
                vpc: Some(vpc),
                tags,
            },
            Action::CreateNetworkAcl {
                acl: _,
                vpc,
                tags,
                token,
            } => Self::CreateNetworkAcl { vpc, tags }.once(token),
            Action::DeleteNetworkAcl { acl } => Self::DeleteNetworkAcl { acl },
            Action::DeleteRouteTable { table } => Self::DeleteRouteTable { table },
            Action::CreateRouteTable {
                table: _,
                vpc,
                tags,
                token,
            } => Self::CreateRouteTable { vpc, tags }.once(token),
            Action::CreateNatGateway {
                gateway: _,
                request,
            } => nat(*request),
            Action::AssociateNatGatewayAddress { gateway, addresses } => {
                Self::AssociateNatGatewayAddress {
                    gateway: gateway.as_str().to_owned(),
                    // One for each allocation, or none.
                    private: addresses
                        .values()
                        .copied()
                        .collect::<Option<_>>()
                        .unwrap_or_default(),
                    allocations: addresses.into_keys().collect(),
                }
            }
            Action::AssignPrivateNatGatewayAddress { gateway, addresses } => {
                Self::AssignPrivateNatGatewayAddress {
                    gateway: gateway.as_str().to_owned(),
                    private: addresses.into_iter().collect(),
                }
            }
            Action::ModifyVpcEndpoint {
                endpoint,
                add,
                remove,
            } => Self::ModifyVpcEndpoint {
                endpoint,
                add_tables: add.into_iter().collect(),
                remove_tables: remove.into_iter().collect(),
                add_subnets: Vec::new(),
                remove_subnets: Vec::new(),
                add_groups: Vec::new(),
                remove_groups: Vec::new(),
            },
            action => return Self::from_route_action(action, handles),
        })
    }

    fn from_route_action(action: Action, handles: &Handles) -> Option<Self> {
        let association = |subject: &AssociationSubject| {
            handles.association_id(Kind::RouteTable, subject).cloned()
        };
        Some(match action {
            Action::CreateRoute {
                table,
                destination,
                target,
            } => Self::CreateRoute {
                table,
                destination,
                target,
            },
            Action::ReplaceRoute {
                table,
                destination,
                from: _,
                target,
            } => Self::ReplaceRoute {
                table,
                destination,
                target,
            },
            Action::DeleteRoute {
                table,
                destination,
                from: _,
            } => Self::DeleteRoute { table, destination },
            Action::AssociateRouteTable { table, subject } => {
                Self::AssociateRouteTable { table, subject }
            }
            Action::ReplaceRouteTableAssociation {
                subject,
                from: _,
                table,
            } => Self::ReplaceRouteTableAssociation {
                association: association(&subject)?,
                table,
            },
            Action::DisassociateRouteTable { subject, from: _ } => Self::DisassociateRouteTable {
                association: association(&subject)?,
            },
            Action::EnableVgwRoutePropagation { table, gateway } => {
                Self::EnableVgwRoutePropagation { table, gateway }
            }
            Action::DisableVgwRoutePropagation { table, gateway } => {
                Self::DisableVgwRoutePropagation { table, gateway }
            }
            _ => return None,
        })
    }
}

fn nat(request: plan::NatRequest) -> Call {
    let place = match request.subnet {
        Some(subnet) => NatPlace::Subnet(subnet),
        None => NatPlace::Regional {
            vpc: request.vpc,
            zones: request.zones,
        },
    };
    let call = Call::CreateNatGateway(NatRequest {
        place,
        connectivity: request.connectivity,
        allocation: request.allocation,
        private: request.private,
        tags: request.tags,
    });
    call.once(request.token)
}
