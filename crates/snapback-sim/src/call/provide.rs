//! Calls that an account is built from: VPCs, gateways, addresses, endpoints, lists, what watches them.

use ipnet::{IpNet, Ipv4Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// `CreateNatGateway`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatRequest {
    /// Where a zonal one stands.
    pub place: NatPlace,
    /// Whether it leads to the internet.
    pub connectivity: Connectivity,
    /// The Elastic address of a public one.
    pub allocation: Option<String>,
    /// Its address in the subnet; chosen where none is named.
    pub private: Option<IpAddr>,
    /// Its tags.
    pub tags: Tags,
}

/// Where a NAT gateway is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatPlace {
    /// In one subnet.
    Subnet(SubnetId),
    /// In every availability zone of a VPC: a regional one, in manual mode with the Elastic addresses
    /// of each zone. Automatic mode is not modelled.
    Regional {
        /// The VPC.
        vpc: VpcId,
        /// Allocations by zone.
        zones: BTreeMap<String, BTreeSet<String>>,
    },
}

impl NatPlace {
    /// The id that the request names for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Subnet(subnet) => subnet.as_str(),
            Self::Regional { vpc, .. } => vpc.as_str(),
        }
    }
}

/// `CreateVpcEndpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRequest {
    /// The VPC it serves.
    pub vpc: VpcId,
    /// `com.amazonaws.eu-central-1.s3`.
    pub service: String,
    /// Gateway or interface.
    pub kind: EndpointKind,
    /// Tables of a gateway endpoint.
    pub tables: Vec<RouteTableId>,
    /// Subnets of an interface endpoint.
    pub subnets: Vec<SubnetId>,
    /// Groups of an interface endpoint; the VPC's default group where none is named.
    pub groups: Vec<SecurityGroupId>,
    /// Whether the service's own names lead to it.
    pub private_dns: bool,
    /// Its tags.
    pub tags: Tags,
}

/// One call that builds or takes down what surrounds the guarded kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "variants and fields are the API's own names and parameters"
)]
pub enum Provide {
    CreateVpc {
        cidr: Ipv4Net,
        tags: Tags,
    },
    DeleteVpc {
        vpc: VpcId,
    },
    DeleteSubnet {
        subnet: SubnetId,
    },
    CreateInternetGateway {
        tags: Tags,
    },
    CreateEgressOnlyInternetGateway {
        vpc: VpcId,
        tags: Tags,
    },
    CreateVpnGateway {
        tags: Tags,
    },
    AttachVpnGateway {
        gateway: String,
        vpc: VpcId,
    },
    DetachVpnGateway {
        gateway: String,
        vpc: VpcId,
    },
    AllocateAddress {
        tags: Tags,
    },
    ReleaseAddress {
        allocation: String,
    },
    CreateVpcPeeringConnection {
        vpc: VpcId,
        peer: VpcId,
        owner: Option<AccountId>,
        region: Option<Region>,
        tags: Tags,
    },
    AcceptVpcPeeringConnection {
        peering: String,
    },
    CreateVpcEndpoint(EndpointRequest),
    DeleteVpcEndpoints {
        endpoints: Vec<String>,
    },
    CreateManagedPrefixList {
        name: String,
        max_entries: u32,
        is_v6: bool,
        entries: Vec<IpNet>,
    },
    DeleteManagedPrefixList {
        list: PrefixListId,
    },
    CreateFlowLogs {
        resources: Vec<String>,
        traffic: FlowLogTraffic,
        tags: Tags,
    },
    DeleteFlowLogs {
        logs: Vec<String>,
    },
    ModifyVpcBlockPublicAccessOptions {
        mode: BlockMode,
    },
}

impl Provide {
    /// The API name.
    pub fn api(&self) -> &'static str {
        match self {
            Self::CreateVpc { .. } => "CreateVpc",
            Self::DeleteVpc { .. } => "DeleteVpc",
            Self::DeleteSubnet { .. } => "DeleteSubnet",
            Self::CreateInternetGateway { .. } => "CreateInternetGateway",
            Self::CreateEgressOnlyInternetGateway { .. } => "CreateEgressOnlyInternetGateway",
            Self::CreateVpnGateway { .. } => "CreateVpnGateway",
            Self::AttachVpnGateway { .. } => "AttachVpnGateway",
            Self::DetachVpnGateway { .. } => "DetachVpnGateway",
            Self::AllocateAddress { .. } => "AllocateAddress",
            Self::ReleaseAddress { .. } => "ReleaseAddress",
            Self::CreateVpcPeeringConnection { .. } => "CreateVpcPeeringConnection",
            Self::AcceptVpcPeeringConnection { .. } => "AcceptVpcPeeringConnection",
            Self::CreateVpcEndpoint(_) => "CreateVpcEndpoint",
            Self::DeleteVpcEndpoints { .. } => "DeleteVpcEndpoints",
            Self::CreateManagedPrefixList { .. } => "CreateManagedPrefixList",
            Self::DeleteManagedPrefixList { .. } => "DeleteManagedPrefixList",
            Self::CreateFlowLogs { .. } => "CreateFlowLogs",
            Self::DeleteFlowLogs { .. } => "DeleteFlowLogs",
            Self::ModifyVpcBlockPublicAccessOptions { .. } => "ModifyVpcBlockPublicAccessOptions",
        }
    }

    /// The id that the request names first; empty where it names none.
    pub fn subject(&self) -> String {
        match self {
            Self::CreateVpc { cidr, .. } => cidr.to_string(),
            Self::DeleteVpc { vpc }
            | Self::CreateEgressOnlyInternetGateway { vpc, .. }
            | Self::CreateVpcPeeringConnection { vpc, .. }
            | Self::CreateVpcEndpoint(EndpointRequest { vpc, .. }) => vpc.to_string(),
            Self::DeleteSubnet { subnet } => subnet.to_string(),
            Self::CreateInternetGateway { .. }
            | Self::CreateVpnGateway { .. }
            | Self::AllocateAddress { .. }
            | Self::ModifyVpcBlockPublicAccessOptions { .. } => String::new(),
            Self::AttachVpnGateway { gateway, .. } | Self::DetachVpnGateway { gateway, .. } => {
                gateway.clone()
            }
            Self::ReleaseAddress { allocation } => allocation.clone(),
            Self::AcceptVpcPeeringConnection { peering } => peering.clone(),
            Self::DeleteVpcEndpoints { endpoints } => endpoints.join(","),
            Self::CreateManagedPrefixList { name, .. } => name.clone(),
            Self::DeleteManagedPrefixList { list } => list.to_string(),
            Self::CreateFlowLogs { resources, .. } => resources.join(","),
            Self::DeleteFlowLogs { logs } => logs.join(","),
        }
    }
}
