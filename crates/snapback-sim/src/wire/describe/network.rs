//! VPCs, subnets, network interfaces.

use super::{Ids, Listing, PAGE, shown, tag_list};
use crate::account::Account;
use ipnet::IpNet;
use serde_json::{Value, json};
use snapback_model::*;
use std::net::IpAddr;

pub(super) const VPCS: Listing = Listing {
    action: "DescribeVpcs",
    member: "Vpcs",
    key: &["VpcId"],
    ids: &[Ids {
        parameter: "VpcId",
        member: "VpcId",
        code: "InvalidVpcID.NotFound",
        what: "vpc",
    }],
    sizes: PAGE,
    filters: &[
        ("cidr", "CidrBlock"),
        (
            "cidr-block-association.cidr-block",
            "CidrBlockAssociationSet.CidrBlock",
        ),
        (
            "ipv6-cidr-block-association.ipv6-cidr-block",
            "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock",
        ),
        ("is-default", "IsDefault"),
        ("owner-id", "OwnerId"),
        ("state", "State"),
        ("vpc-id", "VpcId"),
    ],
    items: vpcs,
};

pub(super) const SUBNETS: Listing = Listing {
    action: "DescribeSubnets",
    member: "Subnets",
    key: &["SubnetId"],
    ids: &[Ids {
        parameter: "SubnetId",
        member: "SubnetId",
        code: "InvalidSubnetID.NotFound",
        what: "subnet",
    }],
    sizes: PAGE,
    filters: &[
        ("availability-zone", "AvailabilityZone"),
        ("cidr-block", "CidrBlock"),
        (
            "ipv6-cidr-block-association.ipv6-cidr-block",
            "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock",
        ),
        ("owner-id", "OwnerId"),
        ("state", "State"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
    ],
    items: subnets,
};

pub(super) const INTERFACES: Listing = Listing {
    action: "DescribeNetworkInterfaces",
    member: "NetworkInterfaces",
    key: &["NetworkInterfaceId"],
    ids: &[Ids {
        parameter: "NetworkInterfaceId",
        member: "NetworkInterfaceId",
        code: "InvalidNetworkInterfaceID.NotFound",
        what: "networkInterface",
    }],
    sizes: PAGE,
    filters: &[
        (
            "addresses.private-ip-address",
            "PrivateIpAddresses.PrivateIpAddress",
        ),
        ("association.public-ip", "Association.PublicIp"),
        ("attachment.instance-id", "Attachment.InstanceId"),
        ("attachment.status", "Attachment.Status"),
        ("availability-zone", "AvailabilityZone"),
        ("description", "Description"),
        ("group-id", "Groups.GroupId"),
        ("group-name", "Groups.GroupName"),
        ("interface-type", "InterfaceType"),
        ("network-interface-id", "NetworkInterfaceId"),
        ("owner-id", "OwnerId"),
        ("private-ip-address", "PrivateIpAddress"),
        ("requester-managed", "RequesterManaged"),
        ("source-dest-check", "SourceDestCheck"),
        ("status", "Status"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
    ],
    items: interfaces,
};

/// The id of an association of a network with a VPC or subnet: always the same for the same two.
fn network_association(kind: &str, holder: &str, net: &IpNet) -> String {
    let digest = Digest::of_bytes(format!("{holder} {net}").as_bytes());
    let tail = digest.as_str().get(..17).unwrap_or_default();
    format!("{kind}-cidr-assoc-{tail}")
}

fn ipv6_networks(kind: &str, holder: &str, networks: &[&IpNet]) -> Value {
    networks
        .iter()
        .filter(|net| matches!(net, IpNet::V6(_)))
        .map(|net| {
            json!({
                "AssociationId": network_association(kind, holder, net),
                "Ipv6CidrBlock": net.to_string(),
                "Ipv6CidrBlockState": {"State": "associated"},
            })
        })
        .collect()
}

/// One VPC. Which of its IPv4 networks is the primary one the model does not hold: the first.
pub(in crate::wire) fn vpc(account: &Account, vpc: &Vpc) -> Value {
    let networks: Vec<&IpNet> = vpc.cidrs.iter().collect();
    let v4: Vec<_> = networks
        .iter()
        .filter(|net| matches!(net, IpNet::V4(_)))
        .collect();
    let associations: Vec<_> = v4
        .iter()
        .map(|net| {
            json!({
                "AssociationId": network_association("vpc", vpc.id.as_str(), net),
                "CidrBlock": net.to_string(),
                "CidrBlockState": {"State": "associated"},
            })
        })
        .collect();
    shown(json!({
        "VpcId": vpc.id,
        "OwnerId": vpc.owner.as_ref().unwrap_or(&account.id),
        "State": "available",
        "InstanceTenancy": "default",
        "IsDefault": vpc.is_default,
        "CidrBlock": v4.first().map(ToString::to_string),
        "CidrBlockAssociationSet": associations,
        "Ipv6CidrBlockAssociationSet": ipv6_networks("vpc", vpc.id.as_str(), &networks),
        "Tags": tag_list(&vpc.tags),
    }))
}

fn vpcs(account: &Account) -> Vec<Value> {
    let held = account.topology.vpcs.values();
    held.map(|held| vpc(account, held)).collect()
}

/// Addresses left in a subnet: AWS keeps five.
fn free_addresses(account: &Account, subnet: &Subnet) -> Option<u64> {
    let net = subnet.cidrs.iter().find_map(|net| match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    })?;
    let used = account
        .topology
        .interfaces
        .values()
        .filter(|interface| interface.subnet == subnet.id)
        .flat_map(|interface| &interface.addresses)
        .filter(|address| matches!(address, IpAddr::V4(_)))
        .count();
    let all = 1_u64 << (32 - u32::from(net.prefix_len()));
    Some(
        all.saturating_sub(5)
            .saturating_sub(u64::try_from(used).ok()?),
    )
}

/// One subnet.
pub(in crate::wire) fn subnet(account: &Account, subnet: &Subnet) -> Value {
    let networks: Vec<&IpNet> = subnet.cidrs.iter().collect();
    let v4 = networks.iter().find(|net| matches!(net, IpNet::V4(_)));
    shown(json!({
        "SubnetId": subnet.id,
        "VpcId": subnet.vpc,
        "OwnerId": account.id,
        "State": "available",
        "AvailabilityZone": subnet.zone,
        "AvailableIpAddressCount": free_addresses(account, subnet),
        "CidrBlock": v4.map(ToString::to_string),
        "Ipv6CidrBlockAssociationSet": ipv6_networks("subnet", subnet.id.as_str(), &networks),
        "SubnetArn": format!("arn:aws:ec2:{}:{}:subnet/{}", account.region, account.id, subnet.id),
        "Tags": tag_list(&subnet.tags),
    }))
}

fn subnets(account: &Account) -> Vec<Value> {
    let held = account.topology.subnets.values();
    held.map(|held| subnet(account, held)).collect()
}

/// The private addresses, the public ones mapped to them in order.
fn addresses(account: &Account, interface: &NetworkInterface) -> Vec<Value> {
    let v4 = interface
        .addresses
        .iter()
        .filter(|address| address.is_ipv4());
    let mut public = interface.public_addresses.iter();
    v4.enumerate()
        .map(|(index, address)| {
            let mapped = public.next().map(|address| mapped(account, address));
            json!({"PrivateIpAddress": address, "Primary": index == 0, "Association": mapped})
        })
        .collect()
}

fn mapped(account: &Account, public: &IpAddr) -> Value {
    let held = account
        .addresses
        .values()
        .find(|address| address.public == *public);
    let owner = match held {
        Some(_) => account.id.as_str(),
        None => "amazon",
    };
    json!({"PublicIp": public, "IpOwnerId": owner, "AllocationId": held.map(|held| &held.allocation)})
}

/// One interface. Whether it is attached the model may not hold; then nothing is told of it.
pub(in crate::wire) fn interface(account: &Account, interface: &NetworkInterface) -> Value {
    let attached = interface
        .attached
        .or(interface.instance.as_ref().map(|_| true));
    let groups = interface.groups.iter().map(|id| {
        let name = account.groups.get(id).map(|group| &group.name);
        json!({"GroupId": id, "GroupName": name})
    });
    let v6 = interface
        .addresses
        .iter()
        .filter(|address| address.is_ipv6());
    let private = interface.addresses.iter().find(|address| address.is_ipv4());
    let public = interface.public_addresses.first();
    let attachment = (attached == Some(true)).then(|| {
        json!({
            "InstanceId": interface.instance,
            "InstanceOwnerId": interface.instance.as_ref().map(|_| &account.id),
            "Status": "attached",
        })
    });
    shown(json!({
        "NetworkInterfaceId": interface.id,
        "VpcId": interface.vpc,
        "SubnetId": interface.subnet,
        "OwnerId": account.id,
        "AvailabilityZone": interface.zone,
        "Description": interface.description,
        "InterfaceType": interface.kind,
        "Groups": groups.collect::<Value>(),
        "PrivateIpAddress": private,
        "PrivateIpAddresses": addresses(account, interface),
        "Ipv6Addresses": v6.map(|address| json!({"Ipv6Address": address})).collect::<Value>(),
        "Association": public.map(|address| mapped(account, address)),
        "Attachment": attachment,
        "RequesterManaged": interface.requester_managed,
        "SourceDestCheck": interface.source_dest_check,
        "Status": attached.map(|attached| if attached { "in-use" } else { "available" }),
        "TagSet": tag_list(&interface.tags),
    }))
}

fn interfaces(account: &Account) -> Vec<Value> {
    let held = account.topology.interfaces.values();
    held.map(|held| interface(account, held)).collect()
}
