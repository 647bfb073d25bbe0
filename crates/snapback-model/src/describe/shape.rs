//! The shapes of `aws ec2 describe-*`, member for member, in EC2's own names.
//!
//! - Owns: one struct for each described thing; which members are known to have no say in traffic.
//! - Takes: JSON, or fields filled by the AWS adapter from the SDK.
//! - Gives: values in which an absent, `null` or empty member look alike, and every member that is
//!   not listed here stays in `other`.
//! - Must not: interpret anything.
#![allow(
    missing_docs,
    reason = "members carry EC2's own names and meanings (EC2 API reference, Data Types)"
)]

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What every shape can tell about members that this version does not model.
pub(super) trait Shape {
    /// Members that exist in EC2 and have no say in traffic, identity or membership.
    const HARMLESS: &'static [&'static str];
    /// Members that are not fields of the struct.
    fn other(&self) -> &BTreeMap<String, Value>;
}

/// `null` is absence: tools that print unset members write it (cloudtrail-shapes.md 9).
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? } harmless [$($harmless:literal),* $(,)?])+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $(#[serde(deserialize_with = "nullable")] pub $field: $type,)*
            /// Members this version does not know; always empty when filled from the SDK.
            #[serde(flatten)]
            pub other: BTreeMap<String, Value>,
        }

        impl Shape for $name {
            const HARMLESS: &'static [&'static str] = &[$($harmless),*];
            fn other(&self) -> &BTreeMap<String, Value> {
                &self.other
            }
        }
    )+};
}

/// A member that may be absent.
type Text = Option<String>;

shapes! {
    /// One tag.
    Tag { key: Text, value: Text } harmless ["ResourceId", "ResourceType"]

    /// `SecurityGroups[]` of describe-security-groups.
    SecurityGroup {
        group_id: Text,
        group_name: Text,
        description: Text,
        owner_id: Text,
        vpc_id: Text,
        security_group_arn: Text,
        ip_permissions: Vec<IpPermission>,
        ip_permissions_egress: Vec<IpPermission>,
        tags: Vec<Tag>,
    } harmless []

    /// Rules of one protocol and port range, of any number of peers.
    IpPermission {
        ip_protocol: Text,
        from_port: Option<i64>,
        to_port: Option<i64>,
        ip_ranges: Vec<IpRange>,
        ipv6_ranges: Vec<Ipv6Range>,
        prefix_list_ids: Vec<PrefixListReference>,
        user_id_group_pairs: Vec<UserIdGroupPair>,
    } harmless []

    /// An IPv4 peer.
    IpRange { cidr_ip: Text, description: Text } harmless []

    /// An IPv6 peer.
    Ipv6Range { cidr_ipv6: Text, description: Text } harmless []

    /// A prefix-list peer (`PrefixListId` of the API).
    PrefixListReference { prefix_list_id: Text, description: Text } harmless []

    /// A group peer. The peering members tell where the group lives and are not taken back by Authorize.
    UserIdGroupPair {
        group_id: Text,
        user_id: Text,
        description: Text,
    } harmless ["GroupName", "VpcId", "VpcPeeringConnectionId", "PeeringStatus"]

    /// `SecurityGroupRules[]` of describe-security-group-rules: the only source of rule ids and tags.
    SecurityGroupRule {
        security_group_rule_id: Text,
        security_group_rule_arn: Text,
        group_id: Text,
        group_owner_id: Text,
        is_egress: Option<bool>,
        ip_protocol: Text,
        from_port: Option<i64>,
        to_port: Option<i64>,
        cidr_ipv4: Text,
        cidr_ipv6: Text,
        prefix_list_id: Text,
        referenced_group_info: Option<ReferencedSecurityGroup>,
        description: Text,
        tags: Vec<Tag>,
    } harmless []

    /// A group peer of a [`SecurityGroupRule`].
    ReferencedSecurityGroup { group_id: Text, user_id: Text } harmless ["VpcId", "VpcPeeringConnectionId", "PeeringStatus"]

    /// `NetworkAcls[]` of describe-network-acls.
    NetworkAcl {
        network_acl_id: Text,
        vpc_id: Text,
        owner_id: Text,
        is_default: Option<bool>,
        entries: Vec<NetworkAclEntry>,
        associations: Vec<NetworkAclAssociation>,
        tags: Vec<Tag>,
    } harmless []

    /// One entry, the fixed denies included.
    NetworkAclEntry {
        rule_number: Option<i64>,
        egress: Option<bool>,
        rule_action: Text,
        protocol: Text,
        cidr_block: Text,
        ipv6_cidr_block: Text,
        port_range: Option<PortRange>,
        icmp_type_code: Option<IcmpTypeCode>,
    } harmless []

    /// Destination ports of an ACL entry.
    PortRange { from: Option<i64>, to: Option<i64> } harmless []

    /// ICMP type and code of an ACL entry.
    IcmpTypeCode { r#type: Option<i64>, code: Option<i64> } harmless []

    /// Which subnet an ACL holds.
    NetworkAclAssociation { network_acl_association_id: Text, network_acl_id: Text, subnet_id: Text } harmless []

    /// `RouteTables[]` of describe-route-tables.
    RouteTable {
        route_table_id: Text,
        vpc_id: Text,
        owner_id: Text,
        routes: Vec<Route>,
        associations: Vec<RouteTableAssociation>,
        propagating_vgws: Vec<PropagatingVgw>,
        tags: Vec<Tag>,
    } harmless []

    /// One route: one destination member and one target member are set.
    Route {
        destination_cidr_block: Text,
        destination_ipv6_cidr_block: Text,
        destination_prefix_list_id: Text,
        gateway_id: Text,
        nat_gateway_id: Text,
        egress_only_internet_gateway_id: Text,
        network_interface_id: Text,
        instance_id: Text,
        vpc_peering_connection_id: Text,
        transit_gateway_id: Text,
        vpc_endpoint_id: Text,
        carrier_gateway_id: Text,
        local_gateway_id: Text,
        core_network_arn: Text,
        origin: Text,
        state: Text,
    } harmless ["InstanceOwnerId"]

    /// An association of a table with a subnet, a gateway or (main) its VPC.
    RouteTableAssociation {
        route_table_association_id: Text,
        route_table_id: Text,
        main: Option<bool>,
        subnet_id: Text,
        gateway_id: Text,
        association_state: Option<AssociationState>,
    } harmless []

    /// State of an association: `associated`, `disassociating`, …
    AssociationState { state: Text } harmless ["StatusMessage"]

    /// A VPN gateway that propagates into a table.
    PropagatingVgw { gateway_id: Text } harmless []

    /// `Vpcs[]` of describe-vpcs.
    Vpc {
        vpc_id: Text,
        owner_id: Text,
        cidr_block: Text,
        cidr_block_association_set: Vec<CidrBlockAssociation>,
        ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
        is_default: Option<bool>,
        block_public_access_states: Option<BlockPublicAccessStates>,
        tags: Vec<Tag>,
    } harmless ["State", "DhcpOptionsId", "InstanceTenancy", "EncryptionControl"]

    /// An IPv4 network of a VPC.
    CidrBlockAssociation { cidr_block: Text, cidr_block_state: Option<AssociationState> } harmless ["AssociationId"]

    /// An IPv6 network of a VPC or subnet.
    Ipv6CidrBlockAssociation {
        ipv6_cidr_block: Text,
        ipv6_cidr_block_state: Option<AssociationState>,
    } harmless ["AssociationId", "NetworkBorderGroup", "Ipv6Pool", "Ipv6AddressAttribute", "IpSource"]

    /// VPC Block Public Access as it applies here.
    BlockPublicAccessStates { internet_gateway_block_mode: Text } harmless []

    /// `Subnets[]` of describe-subnets.
    Subnet {
        subnet_id: Text,
        subnet_arn: Text,
        vpc_id: Text,
        owner_id: Text,
        cidr_block: Text,
        ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
        availability_zone: Text,
        block_public_access_states: Option<BlockPublicAccessStates>,
        tags: Vec<Tag>,
    } harmless [
        "AvailabilityZoneId", "AvailableIpAddressCount", "DefaultForAz", "EnableDns64", "EnableLniAtDeviceIndex",
        "Ipv6Native", "MapCustomerOwnedIpOnLaunch", "CustomerOwnedIpv4Pool", "MapPublicIpOnLaunch", "OutpostArn",
        "PrivateDnsNameOptionsOnLaunch", "State", "AssignIpv6AddressOnCreation", "Type",
    ]

    /// `NetworkInterfaces[]` of describe-network-interfaces.
    NetworkInterface {
        network_interface_id: Text,
        vpc_id: Text,
        subnet_id: Text,
        owner_id: Text,
        availability_zone: Text,
        groups: Vec<GroupIdentifier>,
        private_ip_address: Text,
        private_ip_addresses: Vec<PrivateIpAddress>,
        ipv6_addresses: Vec<Ipv6Address>,
        ipv6_address: Text,
        association: Option<AddressAssociation>,
        attachment: Option<NetworkInterfaceAttachment>,
        requester_managed: Option<bool>,
        operator: Option<Operator>,
        interface_type: Text,
        description: Text,
        source_dest_check: Option<bool>,
        tag_set: Vec<Tag>,
    } harmless [
        "AvailabilityZoneId", "ConnectionTrackingConfiguration", "MacAddress", "OutpostArn", "PrivateDnsName",
        "PublicDnsName", "PublicIpDnsNameOptions", "RequesterId", "Status", "DenyAllIgwTraffic", "Ipv6Native",
    ]

    /// A group carried by an interface or endpoint.
    GroupIdentifier { group_id: Text } harmless ["GroupName"]

    /// A private address of an interface, with the public one mapped to it.
    PrivateIpAddress {
        private_ip_address: Text,
        association: Option<AddressAssociation>,
    } harmless ["Primary", "PrivateDnsName"]

    /// An IPv6 address of an interface.
    Ipv6Address { ipv6_address: Text } harmless ["PublicIpv6DnsName", "IsPrimaryIpv6"]

    /// A public address mapped to a private one.
    AddressAssociation {
        public_ip: Text,
        carrier_ip: Text,
    } harmless ["AllocationId", "AssociationId", "IpOwnerId", "PublicDnsName", "CustomerOwnedIp"]

    /// What an interface is attached to.
    NetworkInterfaceAttachment {
        instance_id: Text,
    } harmless [
        "AttachTime", "AttachmentId", "DeleteOnTermination", "DeviceIndex", "NetworkCardIndex", "InstanceOwnerId",
        "Status", "EnaSrdSpecification", "EnaQueueCount",
    ]

    /// The service provider that manages an interface.
    Operator { managed: Option<bool> } harmless ["Principal", "HiddenByDefault"]

    /// `InternetGateways[]` of describe-internet-gateways.
    InternetGateway { internet_gateway_id: Text, owner_id: Text, attachments: Vec<GatewayAttachment>, tags: Vec<Tag> } harmless []

    /// `EgressOnlyInternetGateways[]` of describe-egress-only-internet-gateways.
    EgressOnlyInternetGateway {
        egress_only_internet_gateway_id: Text,
        attachments: Vec<GatewayAttachment>,
        tags: Vec<Tag>,
    } harmless []

    /// Which VPC a gateway is attached to.
    GatewayAttachment { vpc_id: Text, state: Text } harmless []

    /// `NatGateways[]` of describe-nat-gateways.
    NatGateway {
        nat_gateway_id: Text,
        vpc_id: Text,
        subnet_id: Text,
        state: Text,
        connectivity_type: Text,
        nat_gateway_addresses: Vec<NatGatewayAddress>,
        tags: Vec<Tag>,
    } harmless [
        "CreateTime", "DeleteTime", "FailureCode", "FailureMessage", "ProvisionedBandwidth", "AvailabilityMode",
        "AutoScalingIps", "AutoProvisionZones", "RouteTableId",
    ]

    /// An address of a NAT gateway.
    NatGatewayAddress {
        public_ip: Text,
        private_ip: Text,
    } harmless [
        "AllocationId", "NetworkInterfaceId", "AssociationId", "IsPrimary", "FailureMessage", "Status",
        "AvailabilityZone", "AvailabilityZoneId",
    ]

    /// `VpnGateways[]` of describe-vpn-gateways.
    VpnGateway {
        vpn_gateway_id: Text,
        state: Text,
        vpc_attachments: Vec<GatewayAttachment>,
        tags: Vec<Tag>,
    } harmless ["AmazonSideAsn", "Type", "AvailabilityZone"]

    /// `VpcPeeringConnections[]` of describe-vpc-peering-connections.
    VpcPeeringConnection {
        vpc_peering_connection_id: Text,
        accepter_vpc_info: Option<PeeringVpc>,
        requester_vpc_info: Option<PeeringVpc>,
        status: Option<PeeringStatus>,
        tags: Vec<Tag>,
    } harmless ["ExpirationTime"]

    /// One side of a peering.
    PeeringVpc {
        vpc_id: Text,
        owner_id: Text,
        region: Text,
        cidr_block: Text,
        cidr_block_set: Vec<PeeringCidr>,
        ipv6_cidr_block_set: Vec<PeeringIpv6Cidr>,
    } harmless ["PeeringOptions"]

    /// An IPv4 network of a side of a peering.
    PeeringCidr { cidr_block: Text } harmless []

    /// An IPv6 network of a side of a peering.
    PeeringIpv6Cidr { ipv6_cidr_block: Text } harmless []

    /// State of a peering.
    PeeringStatus { code: Text } harmless ["Message"]

    /// `TransitGateways[]` of describe-transit-gateways.
    TransitGateway {
        transit_gateway_id: Text,
        transit_gateway_arn: Text,
        owner_id: Text,
        state: Text,
        tags: Vec<Tag>,
    } harmless ["Description", "CreationTime", "Options"]

    /// `TransitGatewayAttachments[]` of describe-transit-gateway-attachments.
    TransitGatewayAttachment {
        transit_gateway_attachment_id: Text,
        transit_gateway_id: Text,
        resource_type: Text,
        resource_id: Text,
        state: Text,
        tags: Vec<Tag>,
    } harmless ["TransitGatewayOwnerId", "ResourceOwnerId", "Association", "CreationTime"]

    /// `TransitGatewayVpcAttachments[]` of describe-transit-gateway-vpc-attachments.
    TransitGatewayVpcAttachment {
        transit_gateway_attachment_id: Text,
        transit_gateway_id: Text,
        vpc_id: Text,
        subnet_ids: Vec<String>,
        state: Text,
        tags: Vec<Tag>,
    } harmless ["VpcOwnerId", "CreationTime", "Options"]

    /// `VpcEndpoints[]` of describe-vpc-endpoints.
    VpcEndpoint {
        vpc_endpoint_id: Text,
        vpc_id: Text,
        owner_id: Text,
        service_name: Text,
        vpc_endpoint_type: Text,
        state: Text,
        route_table_ids: Vec<String>,
        subnet_ids: Vec<String>,
        groups: Vec<GroupIdentifier>,
        tags: Vec<Tag>,
    } harmless [
        "PolicyDocument", "IpAddressType", "DnsOptions", "PrivateDnsEnabled", "RequesterManaged", "NetworkInterfaceIds",
        "DnsEntries", "CreationTimestamp", "LastError", "Ipv4Prefixes", "Ipv6Prefixes", "FailureReason",
        "ServiceNetworkArn", "ResourceConfigurationArn", "ServiceRegion",
    ]

    /// `PrefixLists[]` of describe-prefix-lists (with `Cidrs`) and describe-managed-prefix-lists
    /// (with `Version`, `MaxEntries`). `Entries` is what get-managed-prefix-list-entries gave.
    PrefixList {
        prefix_list_id: Text,
        prefix_list_name: Text,
        prefix_list_arn: Text,
        owner_id: Text,
        version: Option<i64>,
        max_entries: Option<i64>,
        cidrs: Option<Vec<String>>,
        entries: Option<Vec<PrefixListEntry>>,
    } harmless [
        "AddressFamily", "State", "StateMessage", "Tags", "IpamPrefixListResolverTargetId",
        "IpamPrefixListResolverSyncEnabled",
    ]

    /// One network of a managed prefix list.
    PrefixListEntry { cidr: Text, description: Text } harmless []
}
