//! VPCs, subnets, interfaces, gateways and prefix lists.

use super::{snapshot, unknown};
use crate::describe::Described;
use crate::*;
use serde_json::{Value, json};

fn topology(output: Value) -> Topology {
    snapshot(&[output]).topology
}

fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

#[test]
fn networks_on_their_way_out_do_not_count() {
    let found = topology(json!({
        "Vpcs": [{ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "IsDefault": true,
            "BlockPublicAccessStates": { "InternetGatewayBlockMode": "off" },
            "CidrBlockAssociationSet": [
                { "CidrBlock": "10.0.0.0/16", "CidrBlockState": { "State": "associated" } },
                { "CidrBlock": "10.1.0.0/16", "CidrBlockState": { "State": "disassociated" } }],
            "Ipv6CidrBlockAssociationSet": [
                { "Ipv6CidrBlock": "2001:db8::/56", "Ipv6CidrBlockState": { "State": "associated" } }] }],
        "Subnets": [{ "SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24",
            "AvailabilityZone": "eu-central-1a", "Ipv6CidrBlockAssociationSet": [
                { "Ipv6CidrBlock": "2001:db8::/64", "Ipv6CidrBlockState": { "State": "failing" } }] }],
    }));
    let vpc = &found.vpcs[&"vpc-1".into()];
    assert_eq!(texts(&vpc.cidrs), ["10.0.0.0/16", "2001:db8::/56"]);
    assert!(vpc.is_default);
    assert_eq!(
        texts(&found.subnets[&"subnet-1".into()].cidrs),
        ["10.0.1.0/24"]
    );
}

#[test]
fn public_access_blocks_of_a_vpc_and_a_subnet_are_read() {
    let states = |mode: &str| json!({ "InternetGatewayBlockMode": mode });
    let read = snapshot(&[json!({
        "Vpcs": [{ "VpcId": "vpc-1", "BlockPublicAccessStates": states("block-ingress") },
            { "VpcId": "vpc-2", "BlockPublicAccessStates": states("block-everything") }],
        "Subnets": [{ "SubnetId": "subnet-1", "VpcId": "vpc-1", "BlockPublicAccessStates": states("off") }],
    })]);
    let vpc = |id: &str| read.topology.vpcs[&id.into()].block;
    assert_eq!(vpc("vpc-1"), Some(BlockMode::Ingress));
    assert_eq!(vpc("vpc-2"), None);
    assert_eq!(
        read.topology.subnets[&"subnet-1".into()].block,
        Some(BlockMode::Off)
    );
    assert_eq!(
        unknown(&read),
        ["vpc-2 BlockPublicAccessStates.InternetGatewayBlockMode"]
    );
}

#[test]
fn interfaces_have_their_public_addresses_from_associations() {
    let read = snapshot(&[json!({ "NetworkInterfaces": [{
        "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "InterfaceType": "nat_gateway",
        "Description": "NAT", "RequesterManaged": true, "SourceDestCheck": false, "Status": "in-use",
        "Groups": [{ "GroupId": "sg-1", "GroupName": "web" }],
        "Association": { "PublicIp": "198.51.100.7", "IpOwnerId": "amazon" },
        "Attachment": { "InstanceId": "i-1", "Status": "attached" },
        "PrivateIpAddress": "10.0.0.5",
        "PrivateIpAddresses": [
            { "PrivateIpAddress": "10.0.0.5", "Primary": true, "Association": { "PublicIp": "198.51.100.7" } },
            { "PrivateIpAddress": "10.0.0.6", "Primary": false, "Association": { "PublicIp": "198.51.100.8" } }],
        "Ipv6Addresses": [{ "Ipv6Address": "2001:db8::5" }],
        "Ipv4Prefixes": [{ "Ipv4Prefix": "10.0.0.16/28" }], "Ipv6Prefixes": [],
    }] })]);
    let interface = &read.topology.interfaces[&"eni-1".into()];
    assert_eq!(
        texts(&interface.addresses),
        ["10.0.0.5", "10.0.0.6", "2001:db8::5"]
    );
    assert_eq!(
        texts(&interface.public_addresses),
        ["198.51.100.7", "198.51.100.8"]
    );
    assert_eq!(texts(&interface.groups), ["sg-1"]);
    assert!(interface.requester_managed);
    assert_eq!(interface.instance.as_deref(), Some("i-1"));
    assert_eq!(interface.source_dest_check, Some(false));
    assert_eq!(
        unknown(&read),
        ["eni-1 Ipv4Prefixes"],
        "delegated prefixes are addresses too"
    );
}

#[test]
fn dead_gateways_keep_their_state_word() {
    let found = topology(json!({
        "NatGateways": [{ "NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "State": "deleted",
            "NatGatewayAddresses": [{ "PublicIp": "198.51.100.9", "PrivateIp": "10.0.0.9" }] }],
        "InternetGateways": [
            { "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] },
            { "InternetGatewayId": "igw-2", "Attachments": [{ "VpcId": "vpc-1", "State": "detached" }] }],
        "VpnGateways": [{ "VpnGatewayId": "vgw-1", "State": "available",
            "VpcAttachments": [{ "VpcId": "vpc-1", "State": "attached" }] }],
    }));
    let nat = &found.gateways["nat-1"];
    assert_eq!(
        (nat.kind, nat.state.as_deref()),
        (GatewayKind::Nat, Some("deleted"))
    );
    assert_eq!(texts(&nat.public_addresses), ["198.51.100.9"]);
    assert_eq!(texts(&found.gateways["igw-1"].vpcs), ["vpc-1"]);
    assert_eq!(texts(&found.gateways["igw-2"].vpcs), Vec::<String>::new());
    assert_eq!(texts(&found.gateways["vgw-1"].vpcs), ["vpc-1"]);
}

#[test]
fn the_far_side_of_a_peering_is_the_one_not_described_here() {
    let side = |vpc: &str, cidr: &str| json!({ "VpcId": vpc, "CidrBlock": cidr, "CidrBlockSet": [{ "CidrBlock": cidr }] });
    let found = topology(json!({
        "Vpcs": [{ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16" }],
        "VpcPeeringConnections": [{ "VpcPeeringConnectionId": "pcx-1", "Status": { "Code": "active", "Message": "Active" },
            "RequesterVpcInfo": side("vpc-1", "10.0.0.0/16"), "AccepterVpcInfo": side("vpc-9", "10.9.0.0/16") }],
    }));
    let peering = &found.gateways["pcx-1"];
    assert_eq!(texts(&peering.peer_cidrs), ["10.9.0.0/16"]);
    assert_eq!(texts(&peering.vpcs), ["vpc-1", "vpc-9"]);
    assert_eq!(peering.state.as_deref(), Some("active"));
}

#[test]
fn the_two_calls_on_an_attachment_make_one() {
    let found = topology(json!({
        "TransitGateways": [{ "TransitGatewayId": "tgw-1", "State": "available" }],
        "TransitGatewayAttachments": [{ "TransitGatewayAttachmentId": "tgw-attach-1", "TransitGatewayId": "tgw-1",
            "ResourceType": "vpc", "ResourceId": "vpc-1", "State": "available" },
            { "TransitGatewayAttachmentId": "tgw-attach-2", "TransitGatewayId": "tgw-1",
            "ResourceType": "vpc", "ResourceId": "vpc-2", "State": "deleted" }],
        "TransitGatewayVpcAttachments": [{ "TransitGatewayAttachmentId": "tgw-attach-1", "TransitGatewayId": "tgw-1",
            "VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "State": "available" }],
    }));
    assert_eq!(texts(&found.gateways["tgw-1"].vpcs), ["vpc-1"]);
    assert_eq!(texts(&found.gateways["tgw-attach-1"].subnets), ["subnet-1"]);
}

#[test]
fn endpoints_tell_tables_groups_and_service() {
    let found = topology(json!({ "VpcEndpoints": [{
        "VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-central-1.s3", "State": "available",
        "VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-1"], "SubnetIds": [], "Groups": [], "PolicyDocument": "{}",
    }] }));
    let endpoint = &found.gateways["vpce-1"];
    assert_eq!(texts(&endpoint.route_tables), ["rtb-1"]);
    assert_eq!(
        endpoint.service.as_deref(),
        Some("com.amazonaws.eu-central-1.s3")
    );
}

#[test]
fn unread_entries_of_a_prefix_list_are_unknown_not_empty() {
    let found = topology(json!({ "PrefixLists": [
        { "PrefixListId": "pl-1", "PrefixListName": "vpn", "MaxEntries": 10, "Version": 3, "State": "create-complete" },
        { "PrefixListId": "pl-2", "Cidrs": ["10.0.0.1/8"] },
        { "PrefixListId": "pl-2", "Version": 7 },
        { "PrefixListId": "pl-3", "Cidrs": ["10.0.0.0/8", "nowhere"] },
    ] }));
    let entries = |id: &str| found.prefix_lists[&id.into()].entries.as_ref().map(texts);
    assert_eq!(entries("pl-1"), None);
    assert_eq!(entries("pl-2"), Some(vec!["10.0.0.0/8".to_owned()]));
    assert_eq!(
        found.prefix_lists[&"pl-2".into()].version,
        Some(7),
        "both kinds of call make one list"
    );
    assert_eq!(
        entries("pl-3"),
        None,
        "a part of the entries would be a false set"
    );
}

#[test]
fn entries_belong_to_the_list_that_the_file_names() {
    let text = json!({ "Entries": [{ "Cidr": "10.0.0.0/8", "Description": "lan" }] }).to_string();
    let read = |place: &str| Described::from_json(&text, place).unwrap();
    let named = read("out/entries-pl-0123456789abcdef0.json");
    assert_eq!(
        named.prefix_lists[0].prefix_list_id.as_deref(),
        Some("pl-0123456789abcdef0")
    );
    let nameless = read("entries.json");
    assert!(nameless.prefix_lists.is_empty());
    assert_eq!(nameless.unknown[0].member, "Entries");
    let text = text.replacen('{', r#"{"PrefixListId": "pl-1", "#, 1);
    assert_eq!(
        Described::from_json(&text, "x").unwrap().prefix_lists[0]
            .prefix_list_id
            .as_deref(),
        Some("pl-1")
    );
}
