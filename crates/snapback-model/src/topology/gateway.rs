//! What a route may lead to, and what serves a VPC.

use super::ContextKind;
use crate::{
    AccountId, INCIDENT, NetworkInterfaceId, PrefixListId, Region, SUCCESSOR_OF, SecurityGroupId,
    SubnetId, Tags, VpcId,
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

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
    /// Of a NAT gateway: how it translates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatDetail>,
    /// Of an endpoint: what it is and where it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointDetail>,
    /// Of a peering: its two sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering: Option<PeeringDetail>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

impl Gateway {
    /// A gateway of which only id and kind are known.
    pub fn new(id: impl Into<String>, kind: GatewayKind) -> Self {
        Self {
            id: id.into(),
            kind,
            vpcs: BTreeSet::new(),
            state: None,
            subnets: BTreeSet::new(),
            route_tables: BTreeSet::new(),
            groups: BTreeSet::new(),
            public_addresses: BTreeSet::new(),
            peer_cidrs: BTreeSet::new(),
            service: None,
            nat: None,
            endpoint: None,
            peering: None,
            tags: Tags::new(),
        }
    }

    /// The NAT gateway in whose place this one was made, by its tag. Anybody may set a
    /// tag: who acts on it asks the journal.
    pub fn predecessor(&self) -> Option<&str> {
        let is_nat = self.kind == GatewayKind::Nat;
        let old = self.tags.get(SUCCESSOR_OF).filter(|_| is_nat)?;
        Some(old)
    }

    /// Whether it is a NAT gateway that Snapback made in the place of another, by its two tags.
    pub fn is_made_again(&self) -> bool {
        self.predecessor().is_some() && self.tags.contains_key(INCIDENT)
    }

    /// Its state, where nothing is carried by it any more.
    pub fn dead_state(&self) -> Option<&str> {
        self.state.as_deref().filter(|state| {
            let mut dead = DEAD_STATES.iter();
            dead.any(|dead| state.eq_ignore_ascii_case(dead))
        })
    }
}

/// EC2's words for gateways, peerings, endpoints and attachments that carry nothing any more, and will
/// not by themselves (semantics A5). It spells those of endpoints with and without capitals.
const DEAD_STATES: [&str; 10] = [
    "deleting",
    "deleted",
    "failing",
    "failed",
    "rejecting",
    "rejected",
    "expired",
    "detaching",
    "detached",
    "inactive",
];

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

impl GatewayKind {
    /// The kind of context whose complete read lists gateways of this kind.
    pub fn context(self) -> ContextKind {
        match self {
            Self::Internet => ContextKind::InternetGateways,
            Self::EgressOnlyInternet => ContextKind::EgressOnlyGateways,
            Self::Nat => ContextKind::NatGateways,
            Self::Vpn => ContextKind::VpnGateways,
            Self::Peering => ContextKind::Peerings,
            Self::Transit => ContextKind::Transit,
            Self::Endpoint => ContextKind::Endpoints,
        }
    }
}

/// How a NAT gateway translates (semantics A5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatDetail {
    /// Whether it leads to the internet.
    pub connectivity: Connectivity,
    /// Whether it is regional: in no subnet, in no one zone, with a route table of its own.
    #[serde(default)]
    pub regional: bool,
    /// Its availability zone: that of its addresses or of its subnet. `None` where it is regional, or
    /// where neither was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Its addresses.
    #[serde(default)]
    pub addresses: BTreeSet<NatAddress>,
    /// Why it is `failed`, in EC2's words (semantics A5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Where a NAT gateway leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connectivity {
    /// To the internet, by Elastic addresses.
    Public,
    /// To other networks only: what goes on to an internet gateway is dropped.
    Private,
}

/// One address of a NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NatAddress {
    /// The Elastic address's allocation (`eipalloc-…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<String>,
    /// What the world sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<IpAddr>,
    /// Its address in the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<IpAddr>,
    /// Whether it is the one that is fixed for the gateway's life.
    #[serde(default)]
    pub primary: bool,
    /// The requester-managed interface that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<NetworkInterfaceId>,
    /// Of a regional gateway: the availability zone it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// An Elastic address of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElasticAddress {
    /// `eipalloc-…`.
    pub allocation: String,
    /// What the world sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<IpAddr>,
    /// What it is associated with: an interface, else an instance. `None`: it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// What a VPC endpoint is and where it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointDetail {
    /// Its type.
    pub kind: EndpointKind,
    /// Whether the service's own DNS names lead to it within the VPC.
    #[serde(default)]
    pub private_dns: bool,
    /// Its interfaces (interface and Gateway Load Balancer endpoints).
    #[serde(default)]
    pub interfaces: BTreeSet<NetworkInterfaceId>,
    /// Of a gateway endpoint: the prefix list its routes go by, where a list that was read has the
    /// service's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_list: Option<PrefixListId>,
}

/// EC2's types of VPC endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointKind {
    /// Routes in tables lead to the service (S3, DynamoDB).
    Gateway,
    /// Interfaces in subnets answer for the service.
    Interface,
    /// Interfaces that a route may lead to, for appliances.
    GatewayLoadBalancer,
    /// A type this version does not model (`Resource`, `ServiceNetwork`, a new one).
    Other,
}

/// The two sides of a VPC peering connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeeringDetail {
    /// Who asked.
    pub requester: PeeringSide,
    /// Who accepted, or is asked to.
    pub accepter: PeeringSide,
}

/// One side of a VPC peering connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeeringSide {
    /// Its VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcId>,
    /// The account that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Its Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Its networks, IPv4 and IPv6. Told of an active peering only.
    #[serde(default)]
    pub cidrs: BTreeSet<IpNet>,
    /// Whether this side resolves its public DNS names to private addresses for the other side
    /// (`AllowDnsResolutionFromRemoteVpc`). `None` where EC2 does not tell, as of a foreign side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<bool>,
}
