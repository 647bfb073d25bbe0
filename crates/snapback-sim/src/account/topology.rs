//! What surrounds the guarded kinds: VPCs, subnets, interfaces, gateways, prefix lists.

use super::{Account, ApiError, Response};
use ipnet::IpNet;
use snapback_model::*;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) fn missing(code: &'static str, what: &str, id: &str) -> ApiError {
    ApiError::new(code, format!("The {what} ID '{id}' does not exist"))
}

impl Account {
    pub(super) fn vpc(&self, id: &VpcId) -> Result<&Vpc, ApiError> {
        self.topology
            .vpcs
            .get(id)
            .ok_or_else(|| missing("InvalidVpcID.NotFound", "vpc", id.as_str()))
    }

    pub(super) fn is_default_vpc(&self, id: &VpcId) -> bool {
        self.topology.vpcs.get(id).is_some_and(|vpc| vpc.is_default)
    }

    /// Whether an active peering joins two VPCs of this Region.
    pub(super) fn are_joined(&self, one: &VpcId, other: &VpcId) -> bool {
        self.topology.gateways.values().any(|gateway| {
            gateway.kind == GatewayKind::Peering
                && gateway.state.as_deref() == Some("active")
                && gateway.vpcs.contains(one)
                && gateway.vpcs.contains(other)
        })
    }

    /// What a reference to a prefix list costs, and whether that is in IPv6.
    pub(super) fn prefix_list_cost(&self, id: &PrefixListId) -> (usize, bool) {
        let list = self.topology.prefix_lists.get(id);
        let entries = list.and_then(|list| list.entries.as_ref());
        let cost = list
            .and_then(|list| list.max_entries)
            .and_then(|max| usize::try_from(max).ok())
            .or_else(|| entries.map(BTreeSet::len))
            .unwrap_or(1);
        (
            cost,
            entries.is_some_and(|entries| entries.iter().any(|net| matches!(net, IpNet::V6(_)))),
        )
    }

    /// A new subnet silently takes the main table and the default ACL.
    pub(super) fn create_subnet(
        &mut self,
        vpc: &VpcId,
        cidr: IpNet,
        zone: &str,
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        let cidr = cidr.trunc();
        if !self.vpc(vpc)?.cidrs.iter().any(|net| net.contains(&cidr)) {
            return Err(ApiError::new(
                "InvalidSubnet.Range",
                format!("The CIDR '{cidr}' is invalid."),
            ));
        }
        let overlaps = |net: &IpNet| net.contains(&cidr) || cidr.contains(net);
        if self
            .topology
            .subnets
            .values()
            .any(|subnet| subnet.vpc == *vpc && subnet.cidrs.iter().any(overlaps))
        {
            return Err(ApiError::new(
                "InvalidSubnet.Conflict",
                format!("The CIDR '{cidr}' conflicts with another subnet"),
            ));
        }
        let id = SubnetId::new(self.mint.id("subnet"));
        let subnet = Subnet {
            cidrs: BTreeSet::from([cidr]),
            zone: Some(zone.to_owned()),
            tags: tags.clone(),
            ..Subnet::new(id.clone(), vpc.clone())
        };
        self.topology.subnets.insert(id.clone(), subnet);
        self.place_subnet(vpc, &id);
        Ok(Response::Subnet(id))
    }

    /// Puts a subnet under the default ACL of its VPC.
    pub(crate) fn place_subnet(&mut self, vpc: &VpcId, subnet: &SubnetId) {
        let association = AssociationId::new(self.mint.id("aclassoc"));
        if let Some(acl) = self
            .acls
            .values_mut()
            .find(|acl| acl.is_default && acl.vpc == *vpc)
        {
            acl.associations.insert(association, subnet.clone());
        }
    }

    fn check_interface_groups(
        &self,
        vpc: &VpcId,
        groups: &[SecurityGroupId],
    ) -> Result<BTreeSet<SecurityGroupId>, ApiError> {
        if groups.is_empty() {
            return Err(ApiError::new(
                "MissingParameter",
                "The request must contain the parameter groups",
            ));
        }
        if groups.len() > self.quotas.groups_per_interface {
            return Err(ApiError::new(
                "SecurityGroupsPerInterfaceLimitExceeded",
                "The maximum number of security groups per interface has been reached.",
            ));
        }
        for id in groups {
            if self.groups.get(id).is_none_or(|group| group.vpc != *vpc) {
                return Err(ApiError::new(
                    "InvalidGroup.NotFound",
                    format!("The security group '{id}' does not exist"),
                ));
            }
        }
        Ok(groups.iter().cloned().collect())
    }

    /// An address of a subnet that nothing holds: the one named, else the lowest free one.
    pub(super) fn free_address(
        &self,
        subnet: &Subnet,
        wanted: Option<IpAddr>,
    ) -> Result<IpAddr, ApiError> {
        let taken: BTreeSet<_> = self
            .topology
            .interfaces
            .values()
            .filter(|interface| interface.vpc == subnet.vpc)
            .flat_map(|interface| interface.addresses.iter().copied())
            .collect();
        let v4 = subnet.cidrs.iter().find(|net| matches!(net, IpNet::V4(_)));
        // The first four addresses of a subnet are AWS's own.
        let mut usable = v4.into_iter().flat_map(|net| net.hosts().skip(3));
        let Some(wanted) = wanted else {
            let free = usable.find(|address| !taken.contains(address));
            return free.ok_or_else(|| {
                ApiError::new(
                    "InsufficientFreeAddressesInSubnet",
                    format!(
                        "The specified subnet does not have enough free addresses to satisfy the request: {}",
                        subnet.id
                    ),
                )
            });
        };
        if taken.contains(&wanted) {
            return Err(ApiError::new(
                "InvalidIPAddress.InUse",
                format!("Address {wanted} is in use."),
            ));
        }
        if !usable.any(|address| address == wanted) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Address {wanted} does not fall within the subnet's address range"),
            ));
        }
        Ok(wanted)
    }

    /// A new interface carries the VPC's default group where none is named.
    pub(super) fn create_interface(
        &mut self,
        subnet: &SubnetId,
        groups: &[SecurityGroupId],
        description: &str,
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        let subnet = self
            .topology
            .subnets
            .get(subnet)
            .cloned()
            .ok_or_else(|| missing("InvalidSubnetID.NotFound", "subnet", subnet.as_str()))?;
        let default: Vec<_> = self.default_group(&subnet.vpc).into_iter().collect();
        let groups = if groups.is_empty() { &default } else { groups };
        let groups = self.check_interface_groups(&subnet.vpc, groups)?;
        let address = self.free_address(&subnet, None)?;
        let id = NetworkInterfaceId::new(self.mint.id("eni"));
        let interface = NetworkInterface {
            groups,
            addresses: BTreeSet::from([address]),
            kind: Some("interface".into()),
            description: Some(description.to_owned()),
            source_dest_check: Some(true),
            zone: subnet.zone,
            attached: Some(false),
            tags: tags.clone(),
            ..NetworkInterface::new(id.clone(), subnet.vpc, subnet.id)
        };
        self.topology.interfaces.insert(id.clone(), interface);
        Ok(Response::Interface(id))
    }

    /// The group that a VPC is born with.
    pub(super) fn default_group(&self, vpc: &VpcId) -> Option<SecurityGroupId> {
        self.groups
            .values()
            .find(|group| group.vpc == *vpc && group.name == "default")
            .map(|group| group.id.clone())
    }

    pub(super) fn delete_interface(
        &mut self,
        id: &NetworkInterfaceId,
    ) -> Result<Response, ApiError> {
        let interface = self.topology.interfaces.get(id);
        let interface = interface.ok_or_else(|| {
            missing(
                "InvalidNetworkInterfaceID.NotFound",
                "networkInterface",
                id.as_str(),
            )
        })?;
        if interface.instance.is_some() || interface.requester_managed {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Network interface '{id}' is currently in use."),
            ));
        }
        self.topology.interfaces.remove(id);
        Ok(Response::Done)
    }

    /// An interface that its owner may edit: not one that a service manages (semantics B1).
    fn editable_interface(
        &mut self,
        id: &NetworkInterfaceId,
    ) -> Result<&mut NetworkInterface, ApiError> {
        let interface = self.topology.interfaces.get_mut(id);
        let interface = interface.ok_or_else(|| {
            missing(
                "InvalidNetworkInterfaceID.NotFound",
                "networkInterface",
                id.as_str(),
            )
        })?;
        if interface.requester_managed {
            return Err(ApiError::new(
                "AuthFailure",
                format!("You do not have permission to access the specified resource: {id}"),
            ));
        }
        Ok(interface)
    }

    pub(super) fn set_interface_groups(
        &mut self,
        id: &NetworkInterfaceId,
        groups: &[SecurityGroupId],
    ) -> Result<Response, ApiError> {
        let vpc = self.editable_interface(id)?.vpc.clone();
        let groups = self.check_interface_groups(&vpc, groups)?;
        self.editable_interface(id)?.groups = groups;
        Ok(Response::Done)
    }

    pub(super) fn set_source_dest_check(
        &mut self,
        id: &NetworkInterfaceId,
        check: bool,
    ) -> Result<Response, ApiError> {
        self.editable_interface(id)?.source_dest_check = Some(check);
        Ok(Response::Done)
    }

    pub(super) fn gateway_mut(
        &mut self,
        id: &str,
        kind: GatewayKind,
        code: &'static str,
        what: &str,
    ) -> Result<&mut Gateway, ApiError> {
        self.topology
            .gateways
            .get_mut(id)
            .filter(|gateway| gateway.kind == kind)
            .ok_or_else(|| missing(code, what, id))
    }

    fn internet_gateway_mut(&mut self, id: &str) -> Result<&mut Gateway, ApiError> {
        self.gateway_mut(
            id,
            GatewayKind::Internet,
            "InvalidInternetGatewayID.NotFound",
            "internetGateway",
        )
    }

    pub(super) fn attach_internet_gateway(
        &mut self,
        id: &str,
        vpc: &VpcId,
    ) -> Result<Response, ApiError> {
        self.vpc(vpc)?;
        let taken = self
            .topology
            .gateways
            .values()
            .any(|other| other.kind == GatewayKind::Internet && other.vpcs.contains(vpc));
        let gateway = self.internet_gateway_mut(id)?;
        if taken || !gateway.vpcs.is_empty() {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!("resource {id} is already attached to network {vpc}"),
            ));
        }
        gateway.vpcs.insert(vpc.clone());
        Ok(Response::Done)
    }

    pub(super) fn detach_internet_gateway(
        &mut self,
        id: &str,
        vpc: &VpcId,
    ) -> Result<Response, ApiError> {
        let public = self
            .topology
            .interfaces
            .values()
            .any(|interface| interface.vpc == *vpc && !interface.public_addresses.is_empty());
        let gateway = self.internet_gateway_mut(id)?;
        if !gateway.vpcs.contains(vpc) {
            return Err(ApiError::new(
                "Gateway.NotAttached",
                format!("resource {id} is not attached to network {vpc}"),
            ));
        }
        if public {
            return Err(ApiError::new(
                "DependencyViolation",
                format!(
                    "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
                ),
            ));
        }
        gateway.vpcs.remove(vpc);
        Ok(Response::Done)
    }

    pub(super) fn delete_internet_gateway(&mut self, id: &str) -> Result<Response, ApiError> {
        if !self.internet_gateway_mut(id)?.vpcs.is_empty() {
            return Err(ApiError::new(
                "DependencyViolation",
                format!("The internetGateway '{id}' has dependencies and cannot be deleted."),
            ));
        }
        self.topology.gateways.remove(id);
        Ok(Response::Done)
    }

    pub(super) fn delete_peering(&mut self, id: &str) -> Result<Response, ApiError> {
        let code = "InvalidVpcPeeringConnectionID.NotFound";
        let peering = self.gateway_mut(id, GatewayKind::Peering, code, "vpcPeeringConnection")?;
        if peering.state.as_deref() != Some("active") {
            return Err(ApiError::new(
                "InvalidStateTransition",
                format!("Invalid state transition for {id}"),
            ));
        }
        peering.state = Some("deleted".into());
        Ok(Response::Done)
    }

    /// The only compare-and-swap of EC2: a stale version is refused.
    pub(super) fn modify_prefix_list(
        &mut self,
        id: &PrefixListId,
        current: Option<i64>,
        add: &[IpNet],
        remove: &[IpNet],
    ) -> Result<Response, ApiError> {
        let list = self.topology.prefix_lists.get_mut(id);
        let list = list
            .ok_or_else(|| missing("InvalidPrefixListID.NotFound", "prefix list", id.as_str()))?;
        let version = list.version.ok_or_else(|| {
            ApiError::new(
                "UnauthorizedOperation",
                "AWS-managed prefix lists cannot be modified.",
            )
        })?;
        if current.is_some_and(|current| current != version) {
            return Err(ApiError::new(
                "PrefixListVersionMismatch",
                format!("The prefix list {id} has version {version}."),
            ));
        }
        let mut entries = list.entries.clone().unwrap_or_default();
        entries.retain(|net| !remove.contains(net));
        entries.extend(add.iter().map(IpNet::trunc));
        if list
            .max_entries
            .and_then(|max| usize::try_from(max).ok())
            .is_some_and(|max| entries.len() > max)
        {
            return Err(ApiError::new(
                "PrefixListMaxEntriesExceeded",
                "You've reached the maximum number of entries for the prefix list.",
            ));
        }
        list.entries = Some(entries);
        list.version = Some(version.saturating_add(1));
        Ok(Response::PrefixList {
            id: id.clone(),
            version: version.saturating_add(1),
        })
    }
}
