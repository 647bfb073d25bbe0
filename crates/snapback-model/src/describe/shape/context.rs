//! The shapes of the context: what surrounds the guarded kinds.

use super::{AssociationState, Shape, Tag, Text, nullable};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

shapes! {
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
        ipv4_prefixes: Vec<Ipv4Prefix>,
        ipv6_prefixes: Vec<Ipv6Prefix>,
        association: Option<AddressAssociation>,
        attachment: Option<NetworkInterfaceAttachment>,
        requester_managed: Option<bool>,
        operator: Option<Operator>,
        interface_type: Text,
        description: Text,
        source_dest_check: Option<bool>,
        deny_all_igw_traffic: Option<bool>,
        status: Text,
        tag_set: Vec<Tag>,
    } harmless [
        "AvailabilityZoneId", "ConnectionTrackingConfiguration", "MacAddress", "OutpostArn", "PrivateDnsName",
        "PublicDnsName", "PublicIpDnsNameOptions", "RequesterId", "Ipv6Native",
    ]

    /// IPv4 addresses delegated to an interface.
    Ipv4Prefix { ipv4_prefix: Text } harmless []

    /// IPv6 addresses delegated to an interface.
    Ipv6Prefix { ipv6_prefix: Text } harmless []

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
        status: Text,
    } harmless [
        "AttachTime", "AttachmentId", "DeleteOnTermination", "DeviceIndex", "NetworkCardIndex", "InstanceOwnerId",
        "EnaSrdSpecification", "EnaQueueCount",
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
        availability_mode: Text,
        nat_gateway_addresses: Vec<NatGatewayAddress>,
        failure_code: Text,
        failure_message: Text,
        tags: Vec<Tag>,
    } harmless [
        "CreateTime", "DeleteTime", "ProvisionedBandwidth", "AutoScalingIps", "AutoProvisionZones", "RouteTableId",
    ]

    /// An address of a NAT gateway.
    NatGatewayAddress {
        allocation_id: Text,
        public_ip: Text,
        private_ip: Text,
        network_interface_id: Text,
        is_primary: Option<bool>,
        status: Text,
        availability_zone: Text,
    } harmless ["AssociationId", "FailureMessage", "AvailabilityZoneId"]

    /// `Addresses[]` of describe-addresses.
    Address {
        allocation_id: Text,
        public_ip: Text,
        association_id: Text,
        network_interface_id: Text,
        instance_id: Text,
    } harmless [
        "Domain", "NetworkInterfaceOwnerId", "PrivateIpAddress", "Tags", "PublicIpv4Pool", "NetworkBorderGroup",
        "CustomerOwnedIp", "CustomerOwnedIpv4Pool", "CarrierIp", "SubnetId", "ServiceManaged",
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
        peering_options: Option<PeeringOptions>,
    } harmless []

    /// What one side of a peering allows.
    PeeringOptions {
        allow_dns_resolution_from_remote_vpc: Option<bool>,
    } harmless ["AllowEgressFromLocalClassicLinkToRemoteVpc", "AllowEgressFromLocalVpcToRemoteClassicLink"]

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
        network_interface_ids: Vec<String>,
        private_dns_enabled: Option<bool>,
        tags: Vec<Tag>,
    } harmless [
        "PolicyDocument", "IpAddressType", "DnsOptions", "RequesterManaged", "DnsEntries", "CreationTimestamp", "LastError", "Ipv4Prefixes", "Ipv6Prefixes", "FailureReason",
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

    /// `FlowLogs[]` of describe-flow-logs.
    FlowLog {
        flow_log_id: Text,
        flow_log_status: Text,
        resource_id: Text,
        traffic_type: Text,
        deliver_logs_status: Text,
        tags: Vec<Tag>,
    } harmless [
        "CreationTime", "DeliverLogsErrorMessage", "DeliverLogsPermissionArn", "DeliverCrossAccountRole", "LogGroupName",
        "LogDestinationType", "LogDestination", "LogFormat", "MaxAggregationInterval", "DestinationOptions",
        "TagFieldSpecifications",
    ]

    /// `VpcBlockPublicAccessOptions` of describe-vpc-block-public-access-options: one object.
    VpcBlockPublicAccessOptions {
        aws_account_id: Text,
        aws_region: Text,
        internet_gateway_block_mode: Text,
    } harmless ["State", "Reason", "LastUpdateTimestamp", "ManagedBy", "ExclusionsAllowed"]

    /// `VpcBlockPublicAccessExclusions[]` of describe-vpc-block-public-access-exclusions.
    VpcBlockPublicAccessExclusion {
        exclusion_id: Text,
        internet_gateway_exclusion_mode: Text,
        resource_arn: Text,
        state: Text,
    } harmless ["Reason", "CreationTimestamp", "LastUpdateTimestamp", "DeletionTimestamp", "Tags"]

    /// `StaleSecurityGroupSet[]` of describe-stale-security-groups.
    StaleSecurityGroup {
        group_id: Text,
        vpc_id: Text,
        stale_ip_permissions: Vec<StaleIpPermission>,
        stale_ip_permissions_egress: Vec<StaleIpPermission>,
    } harmless ["Description", "GroupName"]

    /// A rule that names a group that is gone.
    StaleIpPermission {
        user_id_group_pairs: Vec<super::UserIdGroupPair>,
    } harmless ["FromPort", "ToPort", "IpProtocol", "IpRanges", "PrefixListIds"]

    /// `Reservations[]` of describe-instances.
    Reservation { instances: Vec<Instance> } harmless []

    /// An instance: only its name is read, for people; its interfaces have a call of their own.
    Instance { instance_id: Text, tags: Vec<Tag> } harmless []

    /// `Tags[]` of describe-tags: only the names of instances are read, for people.
    TagDescription { key: Text, value: Text, resource_id: Text, resource_type: Text } harmless []
}
