//! What anybody may ask EC2 to change: one value a call, in the form the client sent it.

mod names;

use ipnet::IpNet;
use snapback_engine::plan::Action;
use snapback_model::*;

/// A group as a request names it; by name only groups of the default VPC are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// `GroupId`.
    Id(SecurityGroupId),
    /// `GroupName`.
    Name(String),
}

impl From<&SecurityGroupId> for GroupBy {
    fn from(id: &SecurityGroupId) -> Self {
        Self::Id(id.clone())
    }
}

impl GroupBy {
    /// Id or name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Name(name) => name,
        }
    }
}

/// One `IpPermission` of a request: traffic and the peers it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Protocol and ports.
    pub traffic: Traffic,
    /// Each peer with its description.
    pub peers: Vec<(Peer, Option<String>)>,
}

/// Which rules a revoke names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// By `SecurityGroupRuleIds`.
    Ids(Vec<SecurityGroupRuleId>),
    /// By content; `short` is the CLI's `--protocol --port --cidr`.
    Content {
        /// The permissions.
        permissions: Vec<Permission>,
        /// Sent in the short form.
        short: bool,
    },
}

/// A rule of a description update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleBy {
    /// By content.
    Key(RuleKey),
    /// By id.
    Id(SecurityGroupRuleId),
}

/// One rule of `ModifySecurityGroupRules`: what the rule under the id becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    /// The rule id, kept.
    pub id: SecurityGroupRuleId,
    /// New traffic.
    pub traffic: Traffic,
    /// New peer, of the same type as before.
    pub peer: Peer,
    /// New description; `None` clears.
    pub description: Option<String>,
}

/// One mutating EC2 call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "variants and fields are the API's own names and parameters"
)]
pub enum Call {
    AuthorizeSecurityGroup {
        group: GroupBy,
        direction: Direction,
        permissions: Vec<Permission>,
        short: bool,
        tags: Tags,
    },
    RevokeSecurityGroup {
        group: GroupBy,
        direction: Direction,
        rules: Revoked,
    },
    ModifySecurityGroupRules {
        group: SecurityGroupId,
        changes: Vec<RuleChange>,
    },
    UpdateSecurityGroupRuleDescriptions {
        group: GroupBy,
        direction: Direction,
        descriptions: Vec<(RuleBy, Option<String>)>,
    },
    CreateSecurityGroup {
        name: String,
        description: String,
        vpc: Option<VpcId>,
        tags: Tags,
    },
    DeleteSecurityGroup {
        group: GroupBy,
    },
    CreateNetworkAclEntry {
        acl: NetworkAclId,
        key: EntryKey,
        entry: NetworkAclEntry,
    },
    ReplaceNetworkAclEntry {
        acl: NetworkAclId,
        key: EntryKey,
        entry: NetworkAclEntry,
    },
    DeleteNetworkAclEntry {
        acl: NetworkAclId,
        key: EntryKey,
    },
    ReplaceNetworkAclAssociation {
        association: AssociationId,
        acl: NetworkAclId,
    },
    CreateNetworkAcl {
        vpc: VpcId,
        tags: Tags,
    },
    DeleteNetworkAcl {
        acl: NetworkAclId,
    },
    CreateRoute {
        table: RouteTableId,
        destination: Destination,
        target: RouteTarget,
    },
    ReplaceRoute {
        table: RouteTableId,
        destination: Destination,
        target: RouteTarget,
    },
    DeleteRoute {
        table: RouteTableId,
        destination: Destination,
    },
    AssociateRouteTable {
        table: RouteTableId,
        subject: AssociationSubject,
    },
    DisassociateRouteTable {
        association: AssociationId,
    },
    ReplaceRouteTableAssociation {
        association: AssociationId,
        table: RouteTableId,
    },
    CreateRouteTable {
        vpc: VpcId,
        tags: Tags,
    },
    DeleteRouteTable {
        table: RouteTableId,
    },
    EnableVgwRoutePropagation {
        table: RouteTableId,
        gateway: GatewayId,
    },
    DisableVgwRoutePropagation {
        table: RouteTableId,
        gateway: GatewayId,
    },
    CreateTags {
        targets: Vec<String>,
        tags: Tags,
    },
    DeleteTags {
        targets: Vec<String>,
        tags: Tags,
    },
    CreateSubnet {
        vpc: VpcId,
        cidr: IpNet,
        zone: String,
    },
    CreateNetworkInterface {
        subnet: SubnetId,
        groups: Vec<SecurityGroupId>,
        description: String,
    },
    DeleteNetworkInterface {
        interface: NetworkInterfaceId,
    },
    ModifyNetworkInterfaceGroups {
        interface: NetworkInterfaceId,
        groups: Vec<SecurityGroupId>,
    },
    AttachInternetGateway {
        gateway: String,
        vpc: VpcId,
    },
    DetachInternetGateway {
        gateway: String,
        vpc: VpcId,
    },
    DeleteInternetGateway {
        gateway: String,
    },
    CreateNatGateway {
        subnet: SubnetId,
        allocation: String,
    },
    DeleteNatGateway {
        gateway: String,
    },
    DeleteVpcPeeringConnection {
        peering: String,
    },
    ModifyVpcEndpoint {
        endpoint: String,
        add_tables: Vec<RouteTableId>,
        remove_tables: Vec<RouteTableId>,
    },
    ModifyManagedPrefixList {
        list: PrefixListId,
        current_version: Option<i64>,
        add: Vec<IpNet>,
        remove: Vec<IpNet>,
    },
}

fn permissions(rules: impl IntoIterator<Item = (RuleKey, Option<String>)>) -> Vec<Permission> {
    let mut grouped: Vec<Permission> = Vec::new();
    for (rule, description) in rules {
        let peer = (rule.peer, description);
        match grouped
            .iter_mut()
            .find(|permission| permission.traffic == rule.traffic)
        {
            Some(permission) => permission.peers.push(peer),
            None => grouped.push(Permission {
                traffic: rule.traffic,
                peers: vec![peer],
            }),
        }
    }
    grouped
}

impl Call {
    /// Authorizes rules of one direction in the permission form; rules of equal traffic share one item.
    pub fn authorize(
        group: &SecurityGroupId,
        rules: impl IntoIterator<Item = (RuleKey, Option<String>)>,
    ) -> Self {
        let rules: Vec<_> = rules.into_iter().collect();
        let direction = rules
            .first()
            .map_or(Direction::Ingress, |(rule, _)| rule.direction);
        Self::AuthorizeSecurityGroup {
            group: group.into(),
            direction,
            permissions: permissions(rules),
            short: false,
            tags: Tags::new(),
        }
    }

    /// Authorizes one rule as `aws ec2 authorize-security-group-ingress --protocol --port --cidr` does.
    pub fn authorize_short(group: &SecurityGroupId, rule: RuleKey) -> Self {
        let direction = rule.direction;
        Self::AuthorizeSecurityGroup {
            group: group.into(),
            direction,
            permissions: permissions([(rule, None)]),
            short: true,
            tags: Tags::new(),
        }
    }

    /// Revokes rules of one direction by content.
    pub fn revoke(group: &SecurityGroupId, rules: impl IntoIterator<Item = RuleKey>) -> Self {
        let rules: Vec<_> = rules.into_iter().map(|rule| (rule, None)).collect();
        let direction = rules
            .first()
            .map_or(Direction::Ingress, |(rule, _)| rule.direction);
        Self::RevokeSecurityGroup {
            group: group.into(),
            direction,
            rules: Revoked::Content {
                permissions: permissions(rules),
                short: false,
            },
        }
    }

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
                tags,
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
            Action::CreateNetworkAcl { vpc, tags, .. } => Self::CreateNetworkAcl { vpc, tags },
            Action::DeleteNetworkAcl { acl } => Self::DeleteNetworkAcl { acl },
            Action::CreateRouteTable { vpc, tags, .. } => Self::CreateRouteTable { vpc, tags },
            Action::ModifyVpcEndpoint {
                endpoint,
                add,
                remove,
            } => Self::ModifyVpcEndpoint {
                endpoint,
                add_tables: add.into_iter().collect(),
                remove_tables: remove.into_iter().collect(),
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
