//! SDK types of the context (VPCs, interfaces, gateways, prefix lists) to the describe shapes.

use super::convert::{each, other, tags, word};
use aws_sdk_ec2::types as sdk;
use serde_json::Value;
use snapback_model::describe as shape;

pub(super) fn vpc(vpc: sdk::Vpc) -> shape::Vpc {
    shape::Vpc {
        vpc_id: vpc.vpc_id,
        owner_id: vpc.owner_id,
        cidr_block: vpc.cidr_block,
        cidr_block_association_set: each(vpc.cidr_block_association_set, |association| {
            shape::CidrBlockAssociation {
                cidr_block: association.cidr_block,
                cidr_block_state: association
                    .cidr_block_state
                    .map(|state| state_of(word!(state.state))),
                ..Default::default()
            }
        }),
        ipv6_cidr_block_association_set: each(vpc.ipv6_cidr_block_association_set, |association| {
            ipv6_block(
                association.ipv6_cidr_block,
                association
                    .ipv6_cidr_block_state
                    .and_then(|state| word!(state.state)),
            )
        }),
        is_default: vpc.is_default,
        block_public_access_states: vpc.block_public_access_states.map(block_public_access),
        tags: tags(vpc.tags),
        ..Default::default()
    }
}

fn state_of(state: Option<String>) -> shape::AssociationState {
    shape::AssociationState {
        state,
        ..Default::default()
    }
}

fn ipv6_block(
    ipv6_cidr_block: Option<String>,
    state: Option<String>,
) -> shape::Ipv6CidrBlockAssociation {
    shape::Ipv6CidrBlockAssociation {
        ipv6_cidr_block,
        ipv6_cidr_block_state: state.map(|state| state_of(Some(state))),
        ..Default::default()
    }
}

fn block_public_access(states: sdk::BlockPublicAccessStates) -> shape::BlockPublicAccessStates {
    shape::BlockPublicAccessStates {
        internet_gateway_block_mode: word!(states.internet_gateway_block_mode),
        ..Default::default()
    }
}

pub(super) fn subnet(subnet: sdk::Subnet) -> shape::Subnet {
    shape::Subnet {
        subnet_id: subnet.subnet_id,
        subnet_arn: subnet.subnet_arn,
        vpc_id: subnet.vpc_id,
        owner_id: subnet.owner_id,
        cidr_block: subnet.cidr_block,
        ipv6_cidr_block_association_set: each(
            subnet.ipv6_cidr_block_association_set,
            |association| {
                ipv6_block(
                    association.ipv6_cidr_block,
                    association
                        .ipv6_cidr_block_state
                        .and_then(|state| word!(state.state)),
                )
            },
        ),
        availability_zone: subnet.availability_zone,
        block_public_access_states: subnet.block_public_access_states.map(block_public_access),
        tags: tags(subnet.tags),
        ..Default::default()
    }
}

pub(super) fn network_interface(interface: sdk::NetworkInterface) -> shape::NetworkInterface {
    shape::NetworkInterface {
        network_interface_id: interface.network_interface_id,
        vpc_id: interface.vpc_id,
        subnet_id: interface.subnet_id,
        owner_id: interface.owner_id,
        availability_zone: interface.availability_zone,
        groups: each(interface.groups, |group| group_identifier(group.group_id)),
        private_ip_address: interface.private_ip_address,
        private_ip_addresses: each(interface.private_ip_addresses, |address| {
            shape::PrivateIpAddress {
                private_ip_address: address.private_ip_address,
                association: address.association.map(address_association),
                ..Default::default()
            }
        }),
        ipv6_addresses: each(interface.ipv6_addresses, |address| shape::Ipv6Address {
            ipv6_address: address.ipv6_address,
            ..Default::default()
        }),
        ipv6_address: interface.ipv6_address,
        ipv4_prefixes: each(interface.ipv4_prefixes, |prefix| shape::Ipv4Prefix {
            ipv4_prefix: prefix.ipv4_prefix,
            ..Default::default()
        }),
        ipv6_prefixes: each(interface.ipv6_prefixes, |prefix| shape::Ipv6Prefix {
            ipv6_prefix: prefix.ipv6_prefix,
            ..Default::default()
        }),
        association: interface.association.map(address_association),
        attachment: interface
            .attachment
            .map(|attachment| shape::NetworkInterfaceAttachment {
                instance_id: attachment.instance_id,
                status: word!(attachment.status),
                ..Default::default()
            }),
        requester_managed: interface.requester_managed,
        operator: interface.operator.map(|operator| shape::Operator {
            managed: operator.managed,
            ..Default::default()
        }),
        interface_type: word!(interface.interface_type),
        description: interface.description,
        source_dest_check: interface.source_dest_check,
        deny_all_igw_traffic: interface.deny_all_igw_traffic,
        status: word!(interface.status),
        tag_set: tags(interface.tag_set),
        other: other([(
            "AssociatedSubnets",
            list(each(interface.associated_subnets, Value::from)),
        )]),
    }
}

/// A JSON list, unless it is empty.
fn list(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}

fn group_identifier(group_id: Option<String>) -> shape::GroupIdentifier {
    shape::GroupIdentifier {
        group_id,
        ..Default::default()
    }
}

fn address_association(association: sdk::NetworkInterfaceAssociation) -> shape::AddressAssociation {
    shape::AddressAssociation {
        public_ip: association.public_ip,
        carrier_ip: association.carrier_ip,
        ..Default::default()
    }
}

pub(super) fn internet_gateway(gateway: sdk::InternetGateway) -> shape::InternetGateway {
    shape::InternetGateway {
        internet_gateway_id: gateway.internet_gateway_id,
        owner_id: gateway.owner_id,
        attachments: each(gateway.attachments, |one| {
            attachment(one.vpc_id, word!(one.state))
        }),
        tags: tags(gateway.tags),
        ..Default::default()
    }
}

pub(super) fn egress_only_internet_gateway(
    gateway: sdk::EgressOnlyInternetGateway,
) -> shape::EgressOnlyInternetGateway {
    shape::EgressOnlyInternetGateway {
        egress_only_internet_gateway_id: gateway.egress_only_internet_gateway_id,
        attachments: each(gateway.attachments, |one| {
            attachment(one.vpc_id, word!(one.state))
        }),
        tags: tags(gateway.tags),
        ..Default::default()
    }
}

fn attachment(vpc_id: Option<String>, state: Option<String>) -> shape::GatewayAttachment {
    shape::GatewayAttachment {
        vpc_id,
        state,
        ..Default::default()
    }
}

pub(super) fn nat_gateway(gateway: sdk::NatGateway) -> shape::NatGateway {
    let appliances = each(gateway.attached_appliances, |one| {
        Value::from(one.appliance_arn)
    });
    shape::NatGateway {
        nat_gateway_id: gateway.nat_gateway_id,
        vpc_id: gateway.vpc_id,
        subnet_id: gateway.subnet_id,
        state: word!(gateway.state),
        connectivity_type: word!(gateway.connectivity_type),
        availability_mode: word!(gateway.availability_mode),
        nat_gateway_addresses: each(gateway.nat_gateway_addresses, |address| {
            shape::NatGatewayAddress {
                allocation_id: address.allocation_id,
                public_ip: address.public_ip,
                private_ip: address.private_ip,
                network_interface_id: address.network_interface_id,
                is_primary: address.is_primary,
                status: word!(address.status),
                availability_zone: address.availability_zone,
                ..Default::default()
            }
        }),
        failure_code: gateway.failure_code,
        failure_message: gateway.failure_message,
        tags: tags(gateway.tags),
        other: other([("AttachedAppliances", list(appliances))]),
    }
}

pub(super) fn address(address: sdk::Address) -> shape::Address {
    shape::Address {
        allocation_id: address.allocation_id,
        public_ip: address.public_ip,
        association_id: address.association_id,
        network_interface_id: address.network_interface_id,
        instance_id: address.instance_id,
        ..Default::default()
    }
}

pub(super) fn vpn_gateway(gateway: sdk::VpnGateway) -> shape::VpnGateway {
    shape::VpnGateway {
        vpn_gateway_id: gateway.vpn_gateway_id,
        state: word!(gateway.state),
        vpc_attachments: each(gateway.vpc_attachments, |one| {
            attachment(one.vpc_id, word!(one.state))
        }),
        tags: tags(gateway.tags),
        ..Default::default()
    }
}

pub(super) fn vpc_peering_connection(
    peering: sdk::VpcPeeringConnection,
) -> shape::VpcPeeringConnection {
    shape::VpcPeeringConnection {
        vpc_peering_connection_id: peering.vpc_peering_connection_id,
        accepter_vpc_info: peering.accepter_vpc_info.map(peering_vpc),
        requester_vpc_info: peering.requester_vpc_info.map(peering_vpc),
        status: peering.status.map(|status| shape::PeeringStatus {
            code: word!(status.code),
            ..Default::default()
        }),
        tags: tags(peering.tags),
        ..Default::default()
    }
}

fn peering_vpc(side: sdk::VpcPeeringConnectionVpcInfo) -> shape::PeeringVpc {
    shape::PeeringVpc {
        vpc_id: side.vpc_id,
        owner_id: side.owner_id,
        region: side.region,
        cidr_block: side.cidr_block,
        cidr_block_set: each(side.cidr_block_set, |block| shape::PeeringCidr {
            cidr_block: block.cidr_block,
            ..Default::default()
        }),
        ipv6_cidr_block_set: each(side.ipv6_cidr_block_set, |block| shape::PeeringIpv6Cidr {
            ipv6_cidr_block: block.ipv6_cidr_block,
            ..Default::default()
        }),
        peering_options: side.peering_options.map(|options| shape::PeeringOptions {
            allow_dns_resolution_from_remote_vpc: options.allow_dns_resolution_from_remote_vpc,
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(super) fn transit_gateway_attachment(
    attachment: sdk::TransitGatewayAttachment,
) -> shape::TransitGatewayAttachment {
    shape::TransitGatewayAttachment {
        transit_gateway_attachment_id: attachment.transit_gateway_attachment_id,
        transit_gateway_id: attachment.transit_gateway_id,
        resource_type: word!(attachment.resource_type),
        resource_id: attachment.resource_id,
        state: word!(attachment.state),
        tags: tags(attachment.tags),
        ..Default::default()
    }
}

pub(super) fn vpc_endpoint(endpoint: sdk::VpcEndpoint) -> shape::VpcEndpoint {
    shape::VpcEndpoint {
        vpc_endpoint_id: endpoint.vpc_endpoint_id,
        vpc_id: endpoint.vpc_id,
        owner_id: endpoint.owner_id,
        service_name: endpoint.service_name,
        vpc_endpoint_type: word!(endpoint.vpc_endpoint_type),
        state: word!(endpoint.state),
        route_table_ids: endpoint.route_table_ids.unwrap_or_default(),
        subnet_ids: endpoint.subnet_ids.unwrap_or_default(),
        groups: each(endpoint.groups, |group| group_identifier(group.group_id)),
        network_interface_ids: endpoint.network_interface_ids.unwrap_or_default(),
        private_dns_enabled: endpoint.private_dns_enabled,
        tags: tags(endpoint.tags),
        ..Default::default()
    }
}

pub(super) fn prefix_list(list: sdk::ManagedPrefixList) -> shape::PrefixList {
    shape::PrefixList {
        prefix_list_id: list.prefix_list_id,
        prefix_list_name: list.prefix_list_name,
        prefix_list_arn: list.prefix_list_arn,
        owner_id: list.owner_id,
        version: list.version,
        max_entries: list.max_entries.map(i64::from),
        ..Default::default()
    }
}

pub(super) fn prefix_list_entry(entry: sdk::PrefixListEntry) -> shape::PrefixListEntry {
    shape::PrefixListEntry {
        cidr: entry.cidr,
        description: entry.description,
        ..Default::default()
    }
}
