//! The EC2 model: what exists, and what each call does to it or is refused with (semantics A–C).

mod acls;
mod endpoints;
mod groups;
mod load;
mod nat;
mod nat_addresses;
mod provide;
mod read;
mod tables;
mod tags;
mod targets;
mod teardown;
mod topology;

pub(crate) use nat::Address;
pub(crate) use read::{apis as read_apis, gap_of};

use crate::call::Call;
use snapback_model::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

/// A refusal in EC2's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// EC2's code, without `Client.`.
    pub code: &'static str,
    /// EC2's message.
    pub message: String,
}

impl ApiError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// Whose fault EC2 says it is: what stands before the code in CloudTrail.
    pub(crate) fn fault(&self) -> &'static str {
        match self.code {
            "InternalError" | "InternalFailure" | "Unavailable" | "ServiceUnavailable" => "Server",
            _ => "Client",
        }
    }
}

/// A security group with its rules by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub id: SecurityGroupId,
    pub name: String,
    pub description: String,
    pub vpc: VpcId,
    pub tags: Tags,
    pub rules: BTreeMap<SecurityGroupRuleId, Rule>,
}

/// A rule under an `sgr-` id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub key: RuleKey,
    pub description: Option<String>,
    pub tags: Tags,
}

/// A network ACL with its associations by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acl {
    pub id: NetworkAclId,
    pub vpc: VpcId,
    pub is_default: bool,
    pub tags: Tags,
    pub entries: BTreeMap<EntryKey, NetworkAclEntry>,
    pub associations: BTreeMap<AssociationId, SubnetId>,
}

/// A route table: static and local routes are stored, propagated ones are computed when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub id: RouteTableId,
    pub vpc: VpcId,
    pub tags: Tags,
    pub routes: BTreeMap<Destination, StoredRoute>,
    pub associations: BTreeMap<AssociationId, AssociationSubject>,
    pub propagating: BTreeSet<GatewayId>,
}

/// A stored route; whether it is a blackhole depends on its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRoute {
    pub target: RouteTarget,
    pub origin: RouteOrigin,
}

impl Table {
    /// Whether a gateway is associated with it.
    pub(crate) fn has_edge(&self) -> bool {
        let mut subjects = self.associations.values();
        subjects.any(|subject| matches!(subject, AssociationSubject::Gateway(_)))
    }

    pub(crate) fn is_main(&self) -> bool {
        self.associations
            .values()
            .any(|subject| matches!(subject, AssociationSubject::Main(_)))
    }
}

/// Quotas of an account (semantics A1, A3, A4), lowered by tests that need to meet them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Rules of a group for each direction and address family.
    pub rules_per_group: usize,
    /// Groups of a network interface.
    pub groups_per_interface: usize,
    /// Editable entries of an ACL for each direction.
    pub entries_per_acl: usize,
    /// Network ACLs of a VPC.
    pub acls_per_vpc: usize,
    /// Static routes of a table for each address family.
    pub routes_per_table: usize,
    /// NAT gateways of an availability zone; those being deleted count (semantics B1).
    pub nat_gateways_per_zone: usize,
    /// Elastic addresses of a public NAT gateway (semantics A5).
    pub addresses_per_nat: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            rules_per_group: 60,
            groups_per_interface: 5,
            entries_per_acl: 20,
            acls_per_vpc: 200,
            routes_per_table: 500,
            nat_gateways_per_zone: 5,
            addresses_per_nat: 2,
        }
    }
}

/// Makes AWS-shaped ids.
#[derive(Debug, Clone)]
pub(crate) struct Mint(fastrand::Rng);

impl Mint {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// `prefix-0` and sixteen hex digits.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{:016x}", self.0.u64(..))
    }
}

/// What a call gave back; the CloudTrail response is made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Response {
    Done,
    Authorized(Vec<(SecurityGroupRuleId, Rule)>),
    Revoked {
        group: SecurityGroupId,
        removed: Vec<(SecurityGroupRuleId, Rule)>,
        unknown: Vec<RuleKey>,
    },
    Group(SecurityGroupId),
    Acl(NetworkAclId),
    Table(RouteTableId),
    Association(AssociationId),
    Subnet(SubnetId),
    Interface(NetworkInterfaceId),
    Nat(String),
    Vpc(VpcId),
    /// A gateway, peering or endpoint.
    Gateway(String),
    Address(String),
    FlowLogs(Vec<String>),
    PrefixList {
        id: PrefixListId,
        version: i64,
    },
}

/// Everything of one account and Region.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub id: AccountId,
    pub region: Region,
    pub topology: Topology,
    pub groups: BTreeMap<SecurityGroupId, Group>,
    pub acls: BTreeMap<NetworkAclId, Acl>,
    pub tables: BTreeMap<RouteTableId, Table>,
    pub quotas: Quotas,
    /// Whether CreateRoute of an identical route succeeds (open point G2 of semantics.md).
    pub identical_route_succeeds: bool,
    pub mint: Mint,
    /// Gateways that change state by themselves: when, which, to what.
    pub transitions: Vec<(Timestamp, String, &'static str)>,
    /// Elastic addresses by allocation id.
    pub addresses: BTreeMap<String, Address>,
    /// Why a NAT gateway is `failed`, or will be: EC2's code and message.
    pub nat_failures: BTreeMap<String, (&'static str, String)>,
    /// How long a NAT gateway is `pending` or `deleting`.
    pub nat_settles: Duration,
    /// Calls made with a client token, with what they gave back.
    pub tokens: BTreeMap<String, (Call, Response)>,
}

impl Account {
    pub(crate) fn new(id: AccountId, region: Region, seed: u64) -> Self {
        Self {
            id,
            region,
            topology: Topology::default(),
            groups: BTreeMap::new(),
            acls: BTreeMap::new(),
            tables: BTreeMap::new(),
            quotas: Quotas::default(),
            identical_route_succeeds: false,
            mint: Mint::new(seed),
            transitions: Vec::new(),
            addresses: BTreeMap::new(),
            nat_failures: BTreeMap::new(),
            nat_settles: nat::SETTLES,
            tokens: BTreeMap::new(),
        }
    }

    /// Runs one call. On an error the account may be half changed: run it on a copy.
    pub(crate) fn execute(&mut self, call: &Call, now: Timestamp) -> Result<Response, ApiError> {
        match call {
            Call::AuthorizeSecurityGroup {
                group,
                direction,
                permissions,
                tags,
                ..
            } => self.authorize(group, *direction, permissions, tags),
            Call::RevokeSecurityGroup {
                group,
                direction,
                rules,
            } => self.revoke(group, *direction, rules),
            Call::ModifySecurityGroupRules { group, changes } => self.modify_rules(group, changes),
            Call::UpdateSecurityGroupRuleDescriptions {
                group,
                direction,
                descriptions,
            } => self.describe_rules(group, *direction, descriptions),
            Call::CreateSecurityGroup {
                name,
                description,
                vpc,
                tags,
            } => self.create_group(name, description, vpc.as_ref(), tags),
            Call::DeleteSecurityGroup { group } => self.delete_group(group),
            Call::CreateNetworkAclEntry { acl, key, entry } => self.create_entry(acl, *key, entry),
            Call::ReplaceNetworkAclEntry { acl, key, entry } => {
                self.replace_entry(acl, *key, entry)
            }
            Call::DeleteNetworkAclEntry { acl, key } => self.delete_entry(acl, *key),
            Call::ReplaceNetworkAclAssociation { association, acl } => {
                self.replace_acl_association(association, acl)
            }
            Call::CreateNetworkAcl { vpc, tags } => self.create_acl(vpc, tags),
            Call::DeleteNetworkAcl { acl } => self.delete_acl(acl),
            Call::CreateRoute {
                table,
                destination,
                target,
            } => self.create_route(table, destination, target),
            Call::ReplaceRoute {
                table,
                destination,
                target,
            } => self.replace_route(table, destination, target),
            Call::DeleteRoute { table, destination } => self.delete_route(table, destination),
            Call::AssociateRouteTable { table, subject } => self.associate_table(table, subject),
            Call::DisassociateRouteTable { association } => self.disassociate_table(association),
            Call::ReplaceRouteTableAssociation { association, table } => {
                self.replace_table_association(association, table)
            }
            Call::CreateRouteTable { vpc, tags } => self.create_table(vpc, tags),
            Call::DeleteRouteTable { table } => self.delete_table(table),
            Call::EnableVgwRoutePropagation { table, gateway } => {
                self.propagate(table, gateway, true)
            }
            Call::DisableVgwRoutePropagation { table, gateway } => {
                self.propagate(table, gateway, false)
            }
            Call::CreateTags { targets, tags } => self.create_tags(targets, tags),
            Call::DeleteTags { targets, tags } => self.delete_tags(targets, tags),
            call => self.execute_context(call, now),
        }
    }

    fn execute_context(&mut self, call: &Call, now: Timestamp) -> Result<Response, ApiError> {
        match call {
            Call::CreateSubnet {
                vpc,
                cidr,
                zone,
                tags,
            } => self.create_subnet(vpc, *cidr, zone, tags),
            Call::CreateNetworkInterface {
                subnet,
                groups,
                description,
                tags,
            } => self.create_interface(subnet, groups, description, tags),
            Call::DeleteNetworkInterface { interface } => self.delete_interface(interface),
            Call::ModifyNetworkInterfaceGroups { interface, groups } => {
                self.set_interface_groups(interface, groups)
            }
            Call::ModifyNetworkInterfaceSourceDestCheck { interface, check } => {
                self.set_source_dest_check(interface, *check)
            }
            Call::AttachInternetGateway { gateway, vpc } => {
                self.attach_internet_gateway(gateway, vpc)
            }
            Call::DetachInternetGateway { gateway, vpc } => {
                self.detach_internet_gateway(gateway, vpc)
            }
            Call::DeleteInternetGateway { gateway } => self.delete_internet_gateway(gateway),
            Call::CreateNatGateway(request) => self.create_nat(request, now),
            Call::DeleteNatGateway { gateway } => self.delete_nat(gateway, now),
            Call::AssociateNatGatewayAddress {
                gateway,
                allocations,
                private,
            } => self.associate_nat_addresses(gateway, allocations, private),
            Call::AssignPrivateNatGatewayAddress { gateway, private } => {
                self.assign_nat_addresses(gateway, private)
            }
            Call::DeleteVpcPeeringConnection { peering } => self.delete_peering(peering),
            Call::ModifyVpcEndpoint { .. } => self.modify_endpoint(call),
            Call::ModifyManagedPrefixList {
                list,
                current_version,
                add,
                remove,
            } => self.modify_prefix_list(list, *current_version, add, remove),
            Call::Provide(provide) => self.provide(provide),
            Call::Idempotent { token, call } => self.execute_once(token, call, now),
            other => Err(ApiError::new(
                "InvalidAction",
                format!(
                    "The action {} is not valid for this web service.",
                    other.api()
                ),
            )),
        }
    }

    /// A call with a client token: the first one acts, an equal one gives the same answer while what
    /// it made is there, a different one under the same token is refused (semantics E).
    fn execute_once(
        &mut self,
        token: &str,
        call: &Call,
        now: Timestamp,
    ) -> Result<Response, ApiError> {
        if let Some((before, response)) = self.tokens.get(token)
            && self.has(response)
        {
            if before == call {
                return Ok(response.clone());
            }
            return Err(ApiError::new(
                "IdempotentParameterMismatch",
                "The client token you have provided is associated with a resource that was created with different parameters.",
            ));
        }
        let response = self.execute(call, now)?;
        self.tokens
            .insert(token.to_owned(), (call.clone(), response.clone()));
        Ok(response)
    }

    /// Whether what a call made is still there.
    fn has(&self, response: &Response) -> bool {
        match response {
            Response::Acl(id) => self.acls.contains_key(id),
            Response::Table(id) => self.tables.contains_key(id),
            Response::Group(id) => self.groups.contains_key(id),
            Response::Interface(id) => self.topology.interfaces.contains_key(id),
            Response::Nat(id) | Response::Gateway(id) => {
                self.topology.gateways.get(id).is_some_and(|gateway| {
                    !matches!(gateway.state.as_deref(), Some("deleted" | "failed"))
                })
            }
            Response::PrefixList { id, .. } => self.topology.prefix_lists.contains_key(id),
            Response::FlowLogs(ids) => ids
                .iter()
                .all(|id| self.topology.flow_logs.contains_key(id)),
            Response::Done
            | Response::Authorized(_)
            | Response::Revoked { .. }
            | Response::Association(_)
            | Response::Subnet(_)
            | Response::Vpc(_)
            | Response::Address(_) => true,
        }
    }
}
