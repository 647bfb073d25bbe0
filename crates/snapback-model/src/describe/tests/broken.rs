//! Outputs with members of any type in any place: told or refused, never a panic.

use crate::describe::Described;
use crate::{Resource, Snapshot, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

fn whole() -> Value {
    let tags = json!([{ "Key": "Name", "Value": "x" }]);
    json!({
        "SecurityGroups": [{ "GroupId": "sg-1", "OwnerId": "1", "VpcId": "vpc-1", "Tags": tags, "IpPermissions": [{
            "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }],
            "Ipv6Ranges": [{ "CidrIpv6": "::/0" }], "PrefixListIds": [{ "PrefixListId": "pl-1" }],
            "UserIdGroupPairs": [{ "GroupId": "sg-2", "UserId": "1" }] }] }],
        "SecurityGroupRules": [{ "SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "GroupOwnerId": "1",
            "IsEgress": false, "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIpv4": "10.0.0.0/8", "Tags": tags }],
        "NetworkAcls": [{ "NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true, "Tags": tags,
            "Entries": [{ "RuleNumber": 1, "Egress": true, "Protocol": "1", "RuleAction": "deny",
                "CidrBlock": "0.0.0.0/0", "IcmpTypeCode": { "Type": 8, "Code": 0 } }],
            "Associations": [{ "NetworkAclAssociationId": "aclassoc-1", "SubnetId": "subnet-1" }] }],
        "RouteTables": [{ "RouteTableId": "rtb-1", "VpcId": "vpc-1", "PropagatingVgws": [{ "GatewayId": "vgw-1" }],
            "Routes": [{ "DestinationCidrBlock": "10.0.0.0/8", "GatewayId": "local", "Origin": "CreateRouteTable" }],
            "Associations": [{ "RouteTableAssociationId": "rtbassoc-1", "Main": true,
                "AssociationState": { "State": "associated" } }] }],
        "NetworkInterfaces": [{ "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1",
            "PrivateIpAddresses": [{ "PrivateIpAddress": "10.0.0.1", "Association": { "PublicIp": "1.2.3.4" } }] }],
        "VpcPeeringConnections": [{ "VpcPeeringConnectionId": "pcx-1", "Status": { "Code": "active" },
            "AccepterVpcInfo": { "VpcId": "vpc-2", "CidrBlock": "10.0.0.0/8" } }],
        "NatGateways": [{ "NatGatewayId": "nat-1", "SubnetId": "subnet-1", "ConnectivityType": "public",
            "NatGatewayAddresses": [{ "PublicIp": "1.2.3.4", "IsPrimary": true }] }],
        "VpcEndpoints": [{ "VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "NetworkInterfaceIds": ["eni-1"] }],
        "FlowLogs": [{ "FlowLogId": "fl-1", "ResourceId": "vpc-1", "TrafficType": "ALL" }],
        "VpcBlockPublicAccessOptions": { "AwsAccountId": "1", "InternetGatewayBlockMode": "block-ingress" },
        "VpcBlockPublicAccessExclusions": [{ "ExclusionId": "x-1", "ResourceArn": "arn:aws:ec2:eu-central-1:1:vpc/vpc-1",
            "InternetGatewayExclusionMode": "allow-egress", "State": "create-complete" }],
        "StaleSecurityGroupSet": [{ "GroupId": "sg-1", "VpcId": "vpc-1",
            "StaleIpPermissions": [{ "UserIdGroupPairs": [{ "GroupId": "sg-9" }] }] }],
        "Reservations": [{ "Instances": [{ "InstanceId": "i-1", "Tags": tags }] }],
        "Tags": [{ "Key": "Name", "Value": "x", "ResourceId": "i-1", "ResourceType": "instance" }],
        "PrefixLists": [{ "PrefixListId": "pl-1", "Cidrs": ["10.0.0.0/8"], "MaxEntries": 5 }],
    })
}

/// Every place of a JSON value, depth first.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => members
            .iter()
            .for_each(|(key, item)| places(item, &format!("{at}/{key}"), found)),
        _ => {}
    }
}

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!({ "Key": "x" })),
        Just(json!(["x"])),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn one_strange_member_anywhere_never_panics(place in any::<prop::sample::Index>(), strange in strange()) {
        let mut output = whole();
        let mut all = Vec::new();
        places(&output, "", &mut all);
        let place: &String = place.get(&all);
        *output.pointer_mut(place).unwrap() = strange;
        match Described::from_json(&output.to_string(), "x.json") {
            Ok(described) => {
                let _scope = described.scope(None, "x.json");
                let coverage = described.coverage();
                let _snapshot = described.into_snapshot(Timestamp::UNIX_EPOCH, coverage, None, None);
            }
            Err(error) => prop_assert!(error.to_string().starts_with("x.json: ")),
        }
    }

    #[test]
    fn a_cut_off_output_is_refused_with_the_spot(at in 0..100_usize) {
        let text = whole().to_string();
        let cut: String = text.chars().take(text.len() * at / 100).collect();
        let error = Described::from_json(&cut, "x.json").unwrap_err().to_string();
        prop_assert!(error.contains("line 1, column"), "{}", error);
    }
}

#[test]
fn an_id_of_another_kind_is_told_and_left_out() {
    // Found by the fuzz target `describe`: such ids were stored in a form that is not read back.
    let text = json!({
        "SecurityGroups": [
            {"GroupId": "acl-1", "GroupName": "n"},
            {"GroupId": "sg-1", "GroupName": "n", "IpPermissions": [{
                "IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "sg-9"}],
                "UserIdGroupPairs": [{"GroupId": "10.0.0.0/8"}, {"GroupId": "sg-2@1"}, {"GroupId": "sg-3"}]
            }]}
        ],
        "SecurityGroupRules": [{"GroupId": "ach-1", "SecurityGroupRuleId": "sgr-1"}],
        "NetworkAcls": [{"NetworkAclId": "ach-1", "VpcId": "vpc-1"}],
        "RouteTables": [
            {"RouteTableId": "sg-5", "VpcId": "vpc-1"},
            {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [{"DestinationPrefixListId": "list", "GatewayId": "igw-1"}]}
        ]
    });
    let described = Described::from_json(&text.to_string(), "x").unwrap();
    let coverage = described.coverage();
    let snapshot = described.into_snapshot(Timestamp::UNIX_EPOCH, coverage, None, None);
    let ids: Vec<String> = snapshot.resources.keys().map(ToString::to_string).collect();
    assert_eq!(ids, ["sg-1", "rtb-1"]);
    let Resource::SecurityGroup(group) = &snapshot.resources[&"sg-1".parse().unwrap()] else {
        panic!()
    };
    let rules: Vec<String> = group.rules.keys().map(ToString::to_string).collect();
    assert_eq!(rules, ["ingress all sg-3"]);
    let told: Vec<&str> = snapshot
        .unknown
        .iter()
        .map(|unknown| unknown.value.as_str())
        .collect();
    for value in [
        "acl-1",
        "sg-9",
        "10.0.0.0/8",
        "sg-2@1",
        "ach-1",
        "sg-5",
        "list",
    ] {
        assert!(
            told.iter().any(|told| told.contains(value)),
            "{value}: {told:?}"
        );
    }
    let stored = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&stored).unwrap(), snapshot);
}
