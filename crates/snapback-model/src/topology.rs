//! What surrounds the guarded resources: read as context, never written.

use crate::{AccountId, NetworkInterfaceId, PrefixListId, SecurityGroupId, SubnetId, Tags, VpcId};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Its id.
    pub id: VpcId,
    /// The account that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Its associated networks, IPv4 and IPv6.
    pub cidrs: BTreeSet<IpNet>,
    /// Whether it is the account's default VPC.
    #[serde(default)]
    pub is_default: bool,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its networks, IPv4 and IPv6.
    pub cidrs: BTreeSet<IpNet>,
    /// Its availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its id.
    pub id: NetworkInterfaceId,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// The groups it carries.
    pub groups: BTreeSet<SecurityGroupId>,
    /// Its private addresses and IPv6 addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// Its public IPv4 addresses (auto-assigned or Elastic).
    #[serde(default)]
    pub public_addresses: BTreeSet<IpAddr>,
    /// Whether a service manages it (RDS, ELB, NAT, Lambda, …): such an ENI cannot be edited.
    #[serde(default)]
    pub requester_managed: bool,
    /// EC2's `InterfaceType`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its description: names the service behind a requester-managed ENI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The instance it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// EC2's source/destination check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dest_check: Option<bool>,
}

/// Something a route may lead to, or that serves a VPC: gateways, peerings, endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its id: the prefix tells the kind (`igw-`, `nat-`, `pcx-`, `tgw-`, `tgw-attach-`, `vpce-`, …).
    pub id: String,
    /// What it is, by the describe key it came from.
    pub kind: GatewayKind,
    /// VPCs it is attached to, or that it joins.
    pub vpcs: BTreeSet<VpcId>,
    /// EC2's state word (`available`, `deleted`, `active`, …), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Subnets it lives in (NAT gateway, interface endpoint, attachment).
    #[serde(default)]
    pub subnets: BTreeSet<SubnetId>,
    /// Route tables a gateway endpoint serves.
    #[serde(default)]
    pub route_tables: BTreeSet<crate::RouteTableId>,
    /// Groups of an interface endpoint.
    #[serde(default)]
    pub groups: BTreeSet<SecurityGroupId>,
    /// Public addresses (NAT gateway).
    #[serde(default)]
    pub public_addresses: BTreeSet<IpAddr>,
    /// Networks on the far side (peering).
    #[serde(default)]
    pub peer_cidrs: BTreeSet<IpNet>,
    /// Service name of an endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// The kinds of [`Gateway`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GatewayKind {
    /// Internet gateway.
    Internet,
    /// Egress-only internet gateway.
    EgressOnlyInternet,
    /// NAT gateway.
    Nat,
    /// VPN gateway.
    Vpn,
    /// VPC peering connection.
    Peering,
    /// Transit gateway, or its attachment to a VPC.
    Transit,
    /// VPC endpoint of any type.
    Endpoint,
}

/// A managed prefix list. Unknown entries are unknown, not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixList {
    /// Its id.
    pub id: PrefixListId,
    /// Its name (`com.amazonaws.eu-central-1.s3`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version, of customer-managed lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What a reference costs against the rule quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_entries: Option<u32>,
    /// Its networks; `None` where they were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<BTreeSet<IpNet>>,
}

/// All context of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// VPCs by id.
    #[serde(default)]
    pub vpcs: BTreeMap<VpcId, Vpc>,
    /// Subnets by id.
    #[serde(default)]
    pub subnets: BTreeMap<SubnetId, Subnet>,
    /// Network interfaces by id.
    #[serde(default)]
    pub interfaces: BTreeMap<NetworkInterfaceId, NetworkInterface>,
    /// Gateways, peerings and endpoints by id.
    #[serde(default)]
    pub gateways: BTreeMap<String, Gateway>,
    /// Prefix lists by id.
    #[serde(default)]
    pub prefix_lists: BTreeMap<PrefixListId, PrefixList>,
}

impl Topology {
    /// With the prefix lists as a later read knows them: their entries as read last, else as read
    /// before.
    #[must_use]
    pub fn with_lists_of(mut self, later: &Self) -> Self {
        for (id, list) in &later.prefix_lists {
            let known = self
                .prefix_lists
                .get(id)
                .is_some_and(|known| known.entries.is_some());
            if list.entries.is_some() || !known {
                self.prefix_lists.insert(id.clone(), list.clone());
            }
        }
        self
    }
}
