//! What anybody may ask EC2 to change: one value a call, in the form the client sent it.

mod action;
mod names;
mod provide;

pub use provide::{EndpointRequest, NatPlace, NatRequest, Provide};

use ipnet::IpNet;
use snapback_model::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

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
    /// A tag goes whatever its value where none is named; without tags, all of them go.
    DeleteTags {
        targets: Vec<String>,
        tags: BTreeMap<String, Option<String>>,
    },
    CreateSubnet {
        vpc: VpcId,
        cidr: IpNet,
        zone: String,
        tags: Tags,
    },
    CreateNetworkInterface {
        subnet: SubnetId,
        groups: Vec<SecurityGroupId>,
        description: String,
        tags: Tags,
    },
    DeleteNetworkInterface {
        interface: NetworkInterfaceId,
    },
    ModifyNetworkInterfaceGroups {
        interface: NetworkInterfaceId,
        groups: Vec<SecurityGroupId>,
    },
    ModifyNetworkInterfaceSourceDestCheck {
        interface: NetworkInterfaceId,
        check: bool,
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
    CreateNatGateway(NatRequest),
    DeleteNatGateway {
        gateway: String,
    },
    AssociateNatGatewayAddress {
        gateway: String,
        allocations: Vec<String>,
        private: Vec<IpAddr>,
    },
    AssignPrivateNatGatewayAddress {
        gateway: String,
        private: Vec<IpAddr>,
    },
    DeleteVpcPeeringConnection {
        peering: String,
    },
    ModifyVpcEndpoint {
        endpoint: String,
        add_tables: Vec<RouteTableId>,
        remove_tables: Vec<RouteTableId>,
        add_subnets: Vec<SubnetId>,
        remove_subnets: Vec<SubnetId>,
        add_groups: Vec<SecurityGroupId>,
        remove_groups: Vec<SecurityGroupId>,
    },
    ModifyManagedPrefixList {
        list: PrefixListId,
        current_version: Option<i64>,
        add: Vec<IpNet>,
        remove: Vec<IpNet>,
    },
    /// What an account is built from; no plan holds these.
    Provide(Provide),
    /// A call with a `ClientToken`: made once however often it is sent (semantics E).
    Idempotent {
        token: String,
        call: Box<Call>,
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
    /// The call with a client token, where there is one.
    #[must_use]
    pub fn once(self, token: Option<String>) -> Self {
        match token {
            Some(token) => Self::Idempotent {
                token,
                call: Box::new(self),
            },
            None => self,
        }
    }

    /// The call itself, without its client token.
    pub(crate) fn plain(&self) -> &Self {
        match self {
            Self::Idempotent { call, .. } => call.plain(),
            call => call,
        }
    }

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
}
