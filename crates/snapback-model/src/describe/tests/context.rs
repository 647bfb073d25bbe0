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
        "AvailabilityZone": "eu-central-1a", "TagSet": [{ "Key": "Name", "Value": "nat" }], "DenyAllIgwTraffic": true,
        "AssociatedSubnets": ["subnet-9"],
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
        texts(&interface.prefixes),
        ["10.0.0.16/28"],
        "delegated networks are addresses too"
    );
    assert_eq!(interface.zone.as_deref(), Some("eu-central-1a"));
    assert_eq!(interface.tags["Name"], "nat");
    assert_eq!(interface.attached, Some(true));
    assert!(interface.internet_denied);
    assert_eq!(unknown(&read), ["eni-1 AssociatedSubnets"]);
}

#[test]
fn whether_an_interface_is_attached_is_told_by_its_status_or_its_attachment() {
    for (members, expected) in [
        (json!({ "Status": "available" }), Some(false)),
        (json!({ "Status": "in-use" }), Some(true)),
        (
            json!({ "Attachment": { "Status": "attached" } }),
            Some(true),
        ),
        (
            json!({ "Attachment": { "Status": "detached" } }),
            Some(false),
        ),
        (json!({}), None),
    ] {
        let mut interface =
            json!({ "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1" });
        for (member, value) in members.as_object().unwrap() {
            interface[member] = value.clone();
        }
        let found = topology(json!({ "NetworkInterfaces": [interface] }));
        assert_eq!(
            found.interfaces[&"eni-1".into()].attached,
            expected,
            "{members}"
        );
    }
}

#[test]
fn instances_have_the_name_that_either_call_tells() {
    let interface = |id: &str, instance: &str| {
        json!({ "NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": "subnet-1",
            "Attachment": { "InstanceId": instance } })
    };
    let name = |value: &str| json!({ "Key": "Name", "Value": value });
    let read = snapshot(&[
        json!({ "NetworkInterfaces": [interface("eni-1", "i-1"), interface("eni-2", "i-2"), interface("eni-3", "i-3")] }),
        json!({ "Reservations": [{ "ReservationId": "r-1", "Instances": [
            { "InstanceId": "i-1", "InstanceType": "t3.micro", "Tags": [{ "Key": "Owner", "Value": "a" }, name("web")] }] }] }),
        json!({ "Tags": [
            { "Key": "Name", "Value": "db", "ResourceId": "i-2", "ResourceType": "instance" },
            { "Key": "Name", "Value": "disk", "ResourceId": "vol-1", "ResourceType": "volume" }] }),
    ]);
    let named = |id: &str| read.topology.interfaces[&id.into()].instance_name.clone();
    assert_eq!(
        ["eni-1", "eni-2", "eni-3"].map(named),
        [Some("web".to_owned()), Some("db".to_owned()), None]
    );
    assert_eq!(unknown(&read), Vec::<String>::new());
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

#[test]
fn nat_gateways_tell_how_they_translate() {
    let found = topology(json!({
        "Subnets": [{ "SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-central-1b" }],
        "NatGateways": [
            { "NatGatewayId": "nat-old", "VpcId": "vpc-1", "SubnetId": "subnet-1", "State": "available",
                "NatGatewayAddresses": [{ "AllocationId": "eipalloc-1", "PublicIp": "198.51.100.9", "PrivateIp": "10.0.0.9",
                    "NetworkInterfaceId": "eni-1" }] },
            { "NatGatewayId": "nat-regional", "VpcId": "vpc-1", "State": "available", "ConnectivityType": "public",
                "AvailabilityMode": "regional", "AutoProvisionZones": "enabled", "NatGatewayAddresses": [
                    { "PublicIp": "198.51.100.1", "AvailabilityZone": "eu-central-1a", "Status": "succeeded" },
                    { "PublicIp": "198.51.100.2", "AvailabilityZone": "eu-central-1b", "Status": "failed" }] },
            { "NatGatewayId": "nat-private", "VpcId": "vpc-1", "SubnetId": "subnet-9", "ConnectivityType": "private",
                "NatGatewayAddresses": [
                    { "PrivateIp": "10.0.0.5", "IsPrimary": true, "AvailabilityZone": "eu-central-1c" },
                    { "PrivateIp": "10.0.0.6", "IsPrimary": false }] },
        ],
    }));
    let nat = |id: &str| found.gateways[id].nat.clone().unwrap();
    let old = nat("nat-old");
    assert_eq!(
        (old.connectivity, old.regional, old.zone.as_deref()),
        (Connectivity::Public, false, Some("eu-central-1b")),
        "old dumps tell neither; the zone is the subnet's"
    );
    let address = NatAddress {
        zone: None,
        allocation: Some("eipalloc-1".into()),
        public: Some("198.51.100.9".parse().unwrap()),
        private: Some("10.0.0.9".parse().unwrap()),
        primary: true,
        interface: Some("eni-1".into()),
    };
    assert_eq!(old.addresses, [address].into());
    let regional = nat("nat-regional");
    assert_eq!((regional.regional, regional.zone.as_deref()), (true, None));
    assert!(found.gateways["nat-regional"].subnets.is_empty());
    assert_eq!(
        texts(&found.gateways["nat-regional"].public_addresses),
        ["198.51.100.1"],
        "an address that failed is none"
    );
    let private = nat("nat-private");
    assert_eq!(
        (private.connectivity, private.zone.as_deref()),
        (Connectivity::Private, Some("eu-central-1c"))
    );
    let primary = private.addresses.iter().filter(|one| one.primary);
    assert_eq!(
        primary
            .filter_map(|one| one.private)
            .map(|ip| ip.to_string())
            .collect::<Vec<_>>(),
        ["10.0.0.5"]
    );
}

#[test]
fn endpoints_tell_where_they_answer() {
    let found = topology(json!({
        "PrefixLists": [{ "PrefixListId": "pl-1", "PrefixListName": "com.amazonaws.eu-central-1.s3" }],
        "VpcEndpoints": [
            { "VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-central-1.s3",
                "VpcEndpointType": "Gateway", "State": "Available", "RouteTableIds": ["rtb-1"] },
            { "VpcEndpointId": "vpce-2", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-central-1.ssm",
                "VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": true,
                "NetworkInterfaceIds": ["eni-1", "eni-2"], "SubnetIds": ["subnet-1"], "Groups": [{ "GroupId": "sg-1" }] },
            { "VpcEndpointId": "vpce-3", "VpcId": "vpc-1", "RouteTableIds": ["rtb-1"] },
            { "VpcEndpointId": "vpce-4", "VpcId": "vpc-1", "VpcEndpointType": "GatewayLoadBalancer" },
        ],
    }));
    let detail = |id: &str| found.gateways[id].endpoint.clone().unwrap();
    assert_eq!(
        (detail("vpce-1").kind, detail("vpce-1").prefix_list),
        (EndpointKind::Gateway, Some("pl-1".into()))
    );
    assert_eq!(found.gateways["vpce-1"].state.as_deref(), Some("available"));
    let ssm = detail("vpce-2");
    assert_eq!((ssm.kind, ssm.private_dns), (EndpointKind::Interface, true));
    assert_eq!(texts(&ssm.interfaces), ["eni-1", "eni-2"]);
    assert_eq!(detail("vpce-3").kind, EndpointKind::Gateway, "an old dump");
    assert_eq!(detail("vpce-4").kind, EndpointKind::GatewayLoadBalancer);
}

#[test]
fn both_sides_of_a_peering_are_read() {
    let read = snapshot(&[json!({ "VpcPeeringConnections": [{
        "VpcPeeringConnectionId": "pcx-1", "Status": { "Code": "active" },
        "RequesterVpcInfo": { "VpcId": "vpc-1", "OwnerId": "111122223333", "Region": "eu-central-1", "CidrBlock": "10.0.0.0/16",
            "PeeringOptions": { "AllowDnsResolutionFromRemoteVpc": true,
                "AllowEgressFromLocalClassicLinkToRemoteVpc": false } },
        "AccepterVpcInfo": { "VpcId": "vpc-2", "OwnerId": "444455556666", "Region": "eu-west-1", "CidrBlock": "10.1.0.0/16",
            "Ipv6CidrBlockSet": [{ "Ipv6CidrBlock": "2001:db8::/56" }] },
    }] })]);
    let detail = read.topology.gateways["pcx-1"].peering.clone().unwrap();
    assert_eq!(
        detail.requester,
        PeeringSide {
            vpc: Some("vpc-1".into()),
            owner: Some(AccountId::new("111122223333")),
            region: Some(Region::new("eu-central-1")),
            cidrs: ["10.0.0.0/16".parse().unwrap()].into(),
            dns: Some(true),
        }
    );
    assert_eq!(
        texts(&detail.accepter.cidrs),
        ["10.1.0.0/16", "2001:db8::/56"]
    );
    assert_eq!(detail.accepter.dns, None);
    assert_eq!(unknown(&read), Vec::<String>::new());
}

#[test]
fn flow_logs_tell_what_they_watch_and_whether_they_work() {
    let read = snapshot(&[json!({ "FlowLogs": [
        { "FlowLogId": "fl-1", "FlowLogStatus": "ACTIVE", "ResourceId": "vpc-1", "TrafficType": "REJECT",
            "DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error", "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": "flows", "MaxAggregationInterval": 600, "LogFormat": "${version}", "Tags": [] },
        { "FlowLogId": "fl-2", "FlowLogStatus": "ACTIVE", "ResourceId": "tgw-1" },
        { "FlowLogId": "fl-3", "ResourceId": "subnet-1", "TrafficType": "SOME" }] })]);
    let log = |id: &str| read.topology.flow_logs[id].clone();
    assert_eq!(
        (
            log("fl-1").resource.as_str(),
            log("fl-1").active,
            log("fl-1").delivery_failed,
            log("fl-1").traffic
        ),
        ("vpc-1", true, true, FlowLogTraffic::Reject)
    );
    assert_eq!(log("fl-2").traffic, FlowLogTraffic::All);
    assert!(!log("fl-2").delivery_failed);
    assert_eq!(unknown(&read), ["fl-3 TrafficType"]);
}

#[test]
fn block_public_access_is_read_with_its_exclusions() {
    let options = |mode: &str| {
        json!({ "VpcBlockPublicAccessOptions": { "AwsAccountId": "111122223333",
        "AwsRegion": "eu-central-1", "State": "update-complete", "InternetGatewayBlockMode": mode, "ManagedBy": "account",
        "ExclusionsAllowed": "allowed" } })
    };
    let exclusion = |id: &str, state: &str| {
        json!({ "ExclusionId": id, "InternetGatewayExclusionMode": "allow-egress", "State": state,
            "ResourceArn": "arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1" })
    };
    let exclusions = json!({ "VpcBlockPublicAccessExclusions": [
        exclusion("vpcbpa-exclude-1", "create-complete"), exclusion("vpcbpa-exclude-2", "delete-complete"),
        exclusion("vpcbpa-exclude-3", "delete-in-progress")] });
    let read = snapshot(&[options("block-bidirectional"), exclusions.clone()]);
    assert_eq!(read.account, Some(AccountId::new("111122223333")));
    assert_eq!(read.region, Some(Region::new("eu-central-1")));
    let block = read.topology.block_public_access.clone().unwrap();
    assert_eq!(block.mode, BlockMode::Bidirectional);
    let one = &block.exclusions["vpcbpa-exclude-1"];
    assert_eq!(
        (one.resource.as_str(), one.mode),
        ("subnet-1", ExclusionMode::Egress)
    );
    let active: Vec<bool> = block.exclusions.values().map(|one| one.active).collect();
    assert_eq!(active, [true, false, true]);
    assert!(read.topology.has_read(ContextKind::BlockPublicAccess));
    assert_eq!(unknown(&read), Vec::<String>::new());
    let without = |mode: &str| snapshot(&[options(mode)]).topology;
    assert!(!without("block-ingress").has_read(ContextKind::BlockPublicAccess));
    assert!(
        without("off").has_read(ContextKind::BlockPublicAccess),
        "exclusions from nothing change nothing"
    );
    let only = snapshot(&[exclusions]);
    assert_eq!(only.topology.block_public_access, None);
    assert_eq!(
        unknown(&only),
        ["VpcBlockPublicAccessExclusions InternetGatewayBlockMode"]
    );
}

#[test]
fn stale_references_are_complete_where_every_vpc_was_asked() {
    let vpcs = |ids: &[&str]| json!({ "Vpcs": ids.iter().map(|id| json!({ "VpcId": id })).collect::<Vec<_>>() });
    let stale = json!({ "StaleSecurityGroupSet": [{ "GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1",
        "StaleIpPermissions": [{ "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp",
            "UserIdGroupPairs": [{ "GroupId": "sg-9", "UserId": "444455556666", "VpcId": "vpc-9", "PeeringStatus": "deleted" }] }],
        "StaleIpPermissionsEgress": [{ "UserIdGroupPairs": [{ "GroupId": "sg-8" }] }] }] });
    let read = snapshot(&[stale.clone(), vpcs(&["vpc-1"])]);
    assert_eq!(
        texts(&read.topology.stale_references[&"sg-1".into()]),
        ["sg-8", "sg-9"]
    );
    assert_eq!(unknown(&read), Vec::<String>::new());
    let complete = |outputs: &[Value]| {
        snapshot(outputs)
            .topology
            .has_read(ContextKind::StaleReferences)
    };
    assert!(complete(&[stale.clone(), vpcs(&["vpc-1"])]));
    assert!(
        !complete(&[stale.clone(), vpcs(&["vpc-1", "vpc-2"])]),
        "nobody knows whether vpc-2 was asked"
    );
    assert!(!complete(&[stale]));
}

#[test]
fn what_was_read_is_what_was_given_whole() {
    let read = snapshot(&[
        json!({ "Vpcs": [], "Subnets": [], "NatGateways": [] }),
        json!({ "NetworkInterfaces": [], "NextToken": "more" }),
        json!({ "TransitGatewayVpcAttachments": [] }),
    ]);
    let expected = [
        ContextKind::Vpcs,
        ContextKind::Subnets,
        ContextKind::NatGateways,
        ContextKind::Transit,
    ];
    assert_eq!(read.topology.read, expected.into());
}
