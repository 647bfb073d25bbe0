//! What surrounds the guarded resources: read as context, never written.

mod gateway;
mod visibility;

pub use gateway::*;
pub use visibility::*;

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
    /// What block public access stops here, as describe-vpcs tells it beside the VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockMode>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

impl Vpc {
    /// A VPC of which only the id is known.
    pub fn new(id: impl Into<VpcId>) -> Self {
        Self {
            id: id.into(),
            owner: None,
            cidrs: BTreeSet::new(),
            is_default: false,
            block: None,
            tags: Tags::new(),
        }
    }
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
    /// What block public access stops here, as describe-subnets tells it beside the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockMode>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

impl Subnet {
    /// A subnet of which only the place is known.
    pub fn new(id: impl Into<SubnetId>, vpc: impl Into<VpcId>) -> Self {
        Self {
            id: id.into(),
            vpc: vpc.into(),
            cidrs: BTreeSet::new(),
            zone: None,
            block: None,
            tags: Tags::new(),
        }
    }
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
    /// The `Name` tag of that instance, where describe-instances or describe-tags was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// EC2's source/destination check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_dest_check: Option<bool>,
    /// Its availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether it is attached to anything: `Some(false)` is an interface that carries no traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<bool>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl NetworkInterface {
    /// An interface of which only the place is known.
    pub fn new(
        id: impl Into<NetworkInterfaceId>,
        vpc: impl Into<VpcId>,
        subnet: impl Into<SubnetId>,
    ) -> Self {
        Self {
            id: id.into(),
            vpc: vpc.into(),
            subnet: subnet.into(),
            groups: BTreeSet::new(),
            addresses: BTreeSet::new(),
            public_addresses: BTreeSet::new(),
            requester_managed: false,
            kind: None,
            description: None,
            instance: None,
            instance_name: None,
            source_dest_check: None,
            zone: None,
            attached: None,
            tags: Tags::new(),
        }
    }
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

/// One kind of context, as one describe call (or two that belong together) lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextKind {
    /// [`Topology::vpcs`].
    Vpcs,
    /// [`Topology::subnets`].
    Subnets,
    /// [`Topology::interfaces`].
    Interfaces,
    /// Internet gateways.
    InternetGateways,
    /// Egress-only internet gateways.
    EgressOnlyGateways,
    /// NAT gateways.
    NatGateways,
    /// VPN gateways.
    VpnGateways,
    /// VPC peering connections.
    Peerings,
    /// Transit gateways and their attachments to VPCs.
    Transit,
    /// VPC endpoints.
    Endpoints,
    /// [`Topology::prefix_lists`]; whether the entries of one were read, the list tells itself.
    PrefixLists,
    /// [`Topology::flow_logs`].
    FlowLogs,
    /// [`Topology::block_public_access`], exclusions included.
    BlockPublicAccess,
    /// [`Topology::stale_references`], of every VPC.
    StaleReferences,
}

impl ContextKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Vpcs,
        Self::Subnets,
        Self::Interfaces,
        Self::InternetGateways,
        Self::EgressOnlyGateways,
        Self::NatGateways,
        Self::VpnGateways,
        Self::Peerings,
        Self::Transit,
        Self::Endpoints,
        Self::PrefixLists,
        Self::FlowLogs,
        Self::BlockPublicAccess,
        Self::StaleReferences,
    ];

    /// As a person says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Vpcs => "VPCs",
            Self::Subnets => "subnets",
            Self::Interfaces => "network interfaces",
            Self::InternetGateways => "internet gateways",
            Self::EgressOnlyGateways => "egress-only internet gateways",
            Self::NatGateways => "NAT gateways",
            Self::VpnGateways => "VPN gateways",
            Self::Peerings => "peering connections",
            Self::Transit => "transit gateways and their attachments",
            Self::Endpoints => "VPC endpoints",
            Self::PrefixLists => "prefix lists",
            Self::FlowLogs => "flow logs",
            Self::BlockPublicAccess => "VPC block public access",
            Self::StaleReferences => "stale security group references",
        }
    }
}

/// All context of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// The kinds of context that were read completely, of the whole account and Region. That a thing
    /// is not there proves that it does not exist only where its kind is here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub read: BTreeSet<ContextKind>,
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
    /// Flow logs by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flow_logs: BTreeMap<String, FlowLog>,
    /// VPC block public access of the account in this Region; `None` where it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_public_access: Option<BlockPublicAccess>,
    /// Groups whose rules name groups that are gone (behind a peering that ended), with those.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stale_references: BTreeMap<SecurityGroupId, BTreeSet<SecurityGroupId>>,
}

impl Topology {
    /// Whether a kind was read completely: only then does absence prove anything.
    pub fn has_read(&self, kind: ContextKind) -> bool {
        self.read.contains(&kind)
    }

    /// Adds what a later read of the same account saw. The later one wins where both speak of a
    /// thing; where it read a kind completely, what it does not list is gone.
    pub fn merge(&mut self, later: Self) {
        let whole = |kind: ContextKind| later.read.contains(&kind);
        if whole(ContextKind::Vpcs) {
            self.vpcs.clear();
        }
        if whole(ContextKind::Subnets) {
            self.subnets.clear();
        }
        if whole(ContextKind::Interfaces) {
            self.interfaces.clear();
        }
        self.gateways
            .retain(|_, gateway| !whole(gateway.kind.context()));
        let entries = |id: &PrefixListId| self.prefix_lists.get(id)?.entries.clone();
        let mut lists = later.prefix_lists;
        for (id, list) in &mut lists {
            let same_version = |known: &PrefixList| known.version == list.version;
            if list.entries.is_none() && self.prefix_lists.get(id).is_some_and(same_version) {
                list.entries = entries(id);
            }
        }
        if whole(ContextKind::PrefixLists) {
            self.prefix_lists.clear();
        }
        if whole(ContextKind::FlowLogs) {
            self.flow_logs.clear();
        }
        if whole(ContextKind::StaleReferences) {
            self.stale_references.clear();
        }
        self.read.extend(later.read);
        self.vpcs.extend(later.vpcs);
        self.subnets.extend(later.subnets);
        self.interfaces.extend(later.interfaces);
        self.gateways.extend(later.gateways);
        self.prefix_lists.extend(lists);
        self.flow_logs.extend(later.flow_logs);
        self.block_public_access = later
            .block_public_access
            .or(self.block_public_access.take());
        self.stale_references.extend(later.stale_references);
    }

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
