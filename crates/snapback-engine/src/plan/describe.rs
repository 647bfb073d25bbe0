//! The name of the API behind an action, and the action in one line.

use super::Action;
use snapback_model::*;
use std::fmt::Display;

impl Action {
    /// The EC2 API name (`AuthorizeSecurityGroupIngress`).
    pub fn api(&self) -> &'static str {
        match self {
            Self::AuthorizeSecurityGroupRules {
                direction: Direction::Ingress,
                ..
            } => "AuthorizeSecurityGroupIngress",
            Self::AuthorizeSecurityGroupRules {
                direction: Direction::Egress,
                ..
            } => "AuthorizeSecurityGroupEgress",
            Self::RevokeSecurityGroupRules {
                direction: Direction::Ingress,
                ..
            } => "RevokeSecurityGroupIngress",
            Self::RevokeSecurityGroupRules {
                direction: Direction::Egress,
                ..
            } => "RevokeSecurityGroupEgress",
            Self::ModifySecurityGroupRule { .. } => "ModifySecurityGroupRules",
            Self::UpdateSecurityGroupRuleDescriptions {
                direction: Direction::Ingress,
                ..
            } => "UpdateSecurityGroupRuleDescriptionsIngress",
            Self::UpdateSecurityGroupRuleDescriptions {
                direction: Direction::Egress,
                ..
            } => "UpdateSecurityGroupRuleDescriptionsEgress",
            Self::CreateNetworkAclEntry { .. } => "CreateNetworkAclEntry",
            Self::ReplaceNetworkAclEntry { .. } => "ReplaceNetworkAclEntry",
            Self::DeleteNetworkAclEntry { .. } => "DeleteNetworkAclEntry",
            Self::ReplaceNetworkAclAssociation { .. } => "ReplaceNetworkAclAssociation",
            Self::CreateRoute { .. } => "CreateRoute",
            Self::ReplaceRoute { .. } => "ReplaceRoute",
            Self::DeleteRoute { .. } => "DeleteRoute",
            Self::AssociateRouteTable { .. } => "AssociateRouteTable",
            Self::ReplaceRouteTableAssociation { .. } => "ReplaceRouteTableAssociation",
            Self::DisassociateRouteTable { .. } => "DisassociateRouteTable",
            Self::EnableVgwRoutePropagation { .. } => "EnableVgwRoutePropagation",
            Self::DisableVgwRoutePropagation { .. } => "DisableVgwRoutePropagation",
            Self::CreateSecurityGroup { .. } => "CreateSecurityGroup",
            Self::CreateNetworkAcl { .. } => "CreateNetworkAcl",
            Self::DeleteNetworkAcl { .. } => "DeleteNetworkAcl",
            Self::DeleteRouteTable { .. } => "DeleteRouteTable",
            Self::CreateRouteTable { .. } => "CreateRouteTable",
            Self::CreateNatGateway { .. } => "CreateNatGateway",
            Self::AssociateNatGatewayAddress { .. } => "AssociateNatGatewayAddress",
            Self::AssignPrivateNatGatewayAddress { .. } => "AssignPrivateNatGatewayAddress",
            Self::ModifyVpcEndpoint { .. } => "ModifyVpcEndpoint",
            Self::CreateTags { .. } => "CreateTags",
            Self::DeleteTags { .. } => "DeleteTags",
        }
    }

    /// One line for a person: the API, what it is called on, what it changes.
    pub fn describe(&self) -> String {
        let api = self.api();
        match self {
            Self::AuthorizeSecurityGroupRules { group, rules, .. } => {
                format!("{api} {group}: {}", joined(rules.keys().map(rule)))
            }
            Self::RevokeSecurityGroupRules { group, rules, .. } => {
                let named = rules.iter().map(|(key, id)| match id {
                    Some(id) => format!("{} ({id})", rule(key)),
                    None => rule(key),
                });
                format!("{api} {group}: {}", joined(named))
            }
            Self::ModifySecurityGroupRule {
                group,
                id,
                from,
                to,
                ..
            } => {
                format!("{api} {group}: {id} {} → {}", rule(from), rule(to))
            }
            Self::UpdateSecurityGroupRuleDescriptions { group, rules, .. } => {
                let named = rules.iter().map(|(key, text)| match text {
                    Some(text) => format!("{} described as {text:?}", rule(key)),
                    None => format!("{} without description", rule(key)),
                });
                format!("{api} {group}: {}", joined(named))
            }
            Self::CreateNetworkAclEntry { acl, key, entry }
            | Self::DeleteNetworkAclEntry { acl, key, entry } => {
                format!("{api} {acl}: {key} {entry}")
            }
            Self::ReplaceNetworkAclEntry {
                acl,
                key,
                from,
                entry,
            } => format!("{api} {acl}: {key} {from} → {entry}"),
            Self::CreateTags { target, tags } | Self::DeleteTags { target, tags } => {
                format!(
                    "{api} {target}: {}",
                    joined(tags.iter().map(|(key, value)| format!("{key}={value}")))
                )
            }
            Self::ReplaceNetworkAclAssociation { .. }
            | Self::CreateRoute { .. }
            | Self::ReplaceRoute { .. }
            | Self::DeleteRoute { .. }
            | Self::AssociateRouteTable { .. }
            | Self::ReplaceRouteTableAssociation { .. }
            | Self::DisassociateRouteTable { .. }
            | Self::EnableVgwRoutePropagation { .. }
            | Self::DisableVgwRoutePropagation { .. } => self.describe_routing(api),
            Self::CreateSecurityGroup { .. }
            | Self::CreateNetworkAcl { .. }
            | Self::DeleteNetworkAcl { .. }
            | Self::CreateRouteTable { .. }
            | Self::DeleteRouteTable { .. }
            | Self::CreateNatGateway { .. }
            | Self::AssociateNatGatewayAddress { .. }
            | Self::AssignPrivateNatGatewayAddress { .. }
            | Self::ModifyVpcEndpoint { .. } => self.describe_existence(api),
        }
    }

    fn describe_existence(&self, api: &str) -> String {
        match self {
            Self::CreateSecurityGroup {
                group, name, vpc, ..
            } => {
                format!("{api} {name:?} in {vpc}, in the place of {group}")
            }
            Self::CreateNetworkAcl { acl, vpc, .. } => {
                format!("{api} in {vpc}, in the place of {acl}")
            }
            Self::CreateRouteTable { table, vpc, .. } => {
                format!("{api} in {vpc}, in the place of {table}")
            }
            Self::DeleteNetworkAcl { acl } => format!("{api} {acl}"),
            Self::DeleteRouteTable { table } => format!("{api} {table}"),
            Self::CreateNatGateway { gateway, request } => {
                let place = request.subnet.as_ref().map_or_else(
                    || format!("for all zones of {}", request.vpc),
                    |subnet| format!("in {subnet}"),
                );
                let zones = request.zones.values().flatten();
                let allocations = joined(request.allocation.iter().chain(zones).cloned());
                let with = match (allocations.as_str(), request.public) {
                    ("", _) => String::new(),
                    (all, Some(public)) => format!(" with {public} ({all})"),
                    (all, None) => format!(" with {all}"),
                };
                let old = request.predecessor().unwrap_or(gateway.as_str());
                format!("{api} {place}{with}, in the place of {old}")
            }
            Self::AssociateNatGatewayAddress { gateway, addresses } => {
                format!("{api} {gateway}: +{}", joined(addresses.keys().cloned()))
            }
            Self::AssignPrivateNatGatewayAddress { gateway, addresses } => {
                let addresses = addresses.iter().map(ToString::to_string);
                format!("{api} {gateway}: +{}", joined(addresses))
            }
            Self::ModifyVpcEndpoint {
                endpoint,
                add,
                remove,
            } => {
                let add = add.iter().map(|table| format!("+{table}"));
                let remove = remove.iter().map(|table| format!("-{table}"));
                format!("{api} {endpoint}: {}", joined(add.chain(remove)))
            }
            other => other.api().to_owned(),
        }
    }

    fn describe_routing(&self, api: &str) -> String {
        match self {
            Self::ReplaceNetworkAclAssociation { subnet, from, acl } => {
                format!("{api} {subnet}: {} → {acl}", or_unknown(from.as_ref()))
            }
            Self::CreateRoute {
                table,
                destination,
                target,
            } => format!("{api} {table}: {destination} → {target}"),
            Self::ReplaceRoute {
                table,
                destination,
                from,
                target,
            } => {
                format!("{api} {table}: {destination} → {target} (was {from})")
            }
            Self::DeleteRoute {
                table,
                destination,
                from,
            } => format!("{api} {table}: {destination} → {from}"),
            Self::AssociateRouteTable { table, subject } => format!("{api} {subject}: {table}"),
            Self::ReplaceRouteTableAssociation {
                subject,
                from,
                table,
            } => {
                format!("{api} {subject}: {} → {table}", or_unknown(from.as_ref()))
            }
            Self::DisassociateRouteTable { subject, from } => {
                format!("{api} {subject}: from {from}")
            }
            Self::EnableVgwRoutePropagation { table, gateway }
            | Self::DisableVgwRoutePropagation { table, gateway } => {
                format!("{api} {table}: {gateway}")
            }
            other => other.api().to_owned(),
        }
    }
}

fn rule(key: &RuleKey) -> String {
    format!("{} {}", key.traffic, key.peer)
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn or_unknown(id: Option<&impl Display>) -> String {
    id.map_or_else(|| "?".to_owned(), ToString::to_string)
}
