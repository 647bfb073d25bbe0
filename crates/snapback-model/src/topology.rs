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
    /// Networks delegated to it: every address in them is its own.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub prefixes: BTreeSet<IpNet>,
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
    /// Whether EC2 drops what comes to it from the internet (`DenyAllIgwTraffic`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internet_denied: bool,
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
            prefixes: BTreeSet::new(),
            public_addresses: BTreeSet::new(),
            requester_managed: false,
            kind: None,
            description: None,
            instance: None,
            instance_name: None,
            source_dest_check: None,
            internet_denied: false,
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
    /// The VPCs of which it tells, where it is a part of what was read; what lies in no VPC is there
    /// too. `None`: the whole account and Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<BTreeSet<VpcId>>,
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
    /// The account's Elastic addresses in this Region by allocation id; `None` where they were not
    /// read. Not kept with a capture: whose they are now is asked when it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<BTreeMap<String, ElasticAddress>>,
    /// Groups whose rules name groups that are gone (behind a peering that ended), with those.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stale_references: BTreeMap<SecurityGroupId, BTreeSet<SecurityGroupId>>,
}

impl Topology {
    /// Whether a kind was read completely, of the whole account and Region: only then does absence
    /// prove anything.
    pub fn has_read(&self, kind: ContextKind) -> bool {
        self.part.is_none() && self.read.contains(&kind)
    }

    /// Whether a kind was read completely as far as it lies in one VPC.
    pub fn has_read_in(&self, kind: ContextKind, vpc: &VpcId) -> bool {
        let within = self.part.as_ref().is_none_or(|part| part.contains(vpc));
        within && self.read.contains(&kind)
    }

    /// What Snapback made again in the place of which NAT gateway, by its tags.
    pub fn lineage(&self) -> crate::Lineage {
        let mut lineage = crate::Lineage::default();
        for gateway in self.gateways.values().filter(|one| one.is_made_again()) {
            if let Some(old) = gateway.predecessor() {
                lineage.record(old, &gateway.id);
            }
        }
        lineage
    }

    /// Adds another part of the same read.
    pub fn join(&mut self, other: Self) {
        self.read.extend(other.read);
        self.vpcs.extend(other.vpcs);
        self.subnets.extend(other.subnets);
        self.interfaces.extend(other.interfaces);
        self.gateways.extend(other.gateways);
        self.prefix_lists.extend(other.prefix_lists);
        self.flow_logs.extend(other.flow_logs);
        let block = other.block_public_access;
        self.block_public_access = block.or(self.block_public_access.take());
        self.addresses = other.addresses.or(self.addresses.take());
        self.stale_references.extend(other.stale_references);
    }

    /// Adds what a later read of the same account saw. The later one wins where both speak of a
    /// thing; what it does not list of a kind that it read completely is gone.
    pub fn merge(&mut self, mut later: Self) {
        self.forget_what_is_gone(&later);
        for (id, list) in &mut later.prefix_lists {
            let known = self.prefix_lists.remove(id);
            let known = known.filter(|known| known.version == list.version);
            list.entries = list.entries.take().or_else(|| known?.entries);
        }
        if later.has_read(ContextKind::PrefixLists) {
            self.prefix_lists.clear();
        }
        self.join(later);
    }

    fn forget_what_is_gone(&mut self, later: &Self) {
        use ContextKind as Kind;
        let gone = |kind, vpc: &VpcId| later.has_read_in(kind, vpc);
        self.vpcs.retain(|id, _| !gone(Kind::Vpcs, id));
        self.subnets
            .retain(|_, subnet| !gone(Kind::Subnets, &subnet.vpc));
        self.interfaces
            .retain(|_, interface| !gone(Kind::Interfaces, &interface.vpc));
        self.gateways.retain(|_, gateway| {
            let kind = gateway.kind.context();
            !later.has_read(kind) && !gateway.vpcs.iter().any(|vpc| gone(kind, vpc))
        });
        if later.has_read(Kind::FlowLogs) {
            self.flow_logs.clear();
        }
        if later.has_read(Kind::StaleReferences) {
            self.stale_references.clear();
        }
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
