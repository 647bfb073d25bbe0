//! Security groups and ACLs: the traps of real outputs.

use super::{snapshot, unknown};
use crate::*;
use serde_json::{Value, json};

fn rules(snapshot: &Snapshot, id: &str) -> Vec<String> {
    match &snapshot.resources[&id.parse().unwrap()] {
        Resource::SecurityGroup(group) => group.rules.keys().map(ToString::to_string).collect(),
        Resource::NetworkAcl(acl) => acl
            .entries
            .iter()
            .map(|(key, entry)| format!("{key} {entry}"))
            .collect(),
        Resource::RouteTable(_) => panic!("not a table"),
    }
}

fn group(permissions: Value) -> Value {
    json!({ "SecurityGroups": [{
        "GroupId": "sg-1", "GroupName": "web", "OwnerId": "111122223333", "VpcId": "vpc-1",
        "IpPermissions": permissions, "IpPermissionsEgress": [],
    }] })
}

#[test]
fn one_permission_is_one_rule_for_each_peer() {
    let read = snapshot(&[group(json!([{
        "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "IpRanges": [{ "CidrIp": "10.1.2.3/8" }, { "CidrIp": "0.0.0.0/0", "Description": "" }],
        "Ipv6Ranges": [{ "CidrIpv6": "2001:DB8::/32" }],
        "PrefixListIds": [{ "PrefixListId": "pl-1" }],
        "UserIdGroupPairs": [
            { "GroupId": "sg-2", "UserId": "111122223333" },
            { "GroupId": "sg-3", "UserId": "999988887777", "VpcId": "vpc-9",
              "VpcPeeringConnectionId": "pcx-1", "PeeringStatus": "active" },
        ],
    }]))]);
    assert_eq!(
        rules(&read, "sg-1"),
        [
            "ingress tcp:443 0.0.0.0/0",
            "ingress tcp:443 10.0.0.0/8",
            "ingress tcp:443 2001:db8::/32",
            "ingress tcp:443 pl-1",
            "ingress tcp:443 sg-2",
            "ingress tcp:443 sg-3@999988887777",
        ]
    );
    assert_eq!(unknown(&read), Vec::<String>::new());
    let Resource::SecurityGroup(found) = &read.resources[&"sg-1".parse().unwrap()] else {
        panic!()
    };
    assert!(
        found
            .rules
            .values()
            .all(|detail| *detail == RuleDetail::default()),
        "an empty description is none"
    );
}

#[test]
fn unset_members_printed_as_null_are_absent() {
    let read = snapshot(&[group(json!([{
        "IpProtocol": "-1", "FromPort": null, "ToPort": null, "PrefixListIds": null, "Ipv6Ranges": null,
        "UserIdGroupPairs": null, "IpRanges": [{ "CidrIp": "0.0.0.0/0", "Description": null }],
    }]))]);
    assert_eq!(rules(&read, "sg-1"), ["ingress all 0.0.0.0/0"]);
}

#[test]
fn a_rule_that_cannot_be_read_is_named_and_its_neighbours_stay() {
    let read = snapshot(&[group(json!([
        { "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
          "IpRanges": [{ "CidrIp": "10.0.0.0/33" }, { "CidrIp": "10.0.0.0/8" }],
          "UserIdGroupPairs": [{ "GroupName": "classic", "UserId": "1" }] },
        { "IpProtocol": "quic", "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] },
        { "IpProtocol": "-1", "MacRanges": [{ "Mac": "00:00" }], "IpRanges": [] },
    ]))]);
    assert_eq!(rules(&read, "sg-1"), ["ingress tcp:22 10.0.0.0/8"]);
    assert_eq!(
        unknown(&read),
        [
            "sg-1 IpPermissions[0].IpRanges[0].CidrIp",
            "sg-1 IpPermissions[0].UserIdGroupPairs[0].GroupId",
            "sg-1 IpPermissions[1].IpProtocol",
            "sg-1 IpPermissions[2].MacRanges",
        ]
    );
}

fn rule(id: &str, port: u16, peer: (&str, Value)) -> Value {
    json!({
        "SecurityGroupRuleId": id, "GroupId": "sg-1", "GroupOwnerId": "111122223333", "IsEgress": false,
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Tags": [{ "Key": "why", "Value": "web" }],
        peer.0: peer.1,
    })
}

fn cidr(text: &str) -> (&'static str, Value) {
    ("CidrIpv4", json!(text))
}

#[test]
fn the_rules_call_adds_ids_descriptions_and_tags() {
    let mut described = rule("sgr-1", 443, cidr("0.0.0.0/0"));
    described["Description"] = json!("TLS");
    let read = snapshot(&[
        group(
            json!([{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]),
        ),
        json!({ "SecurityGroupRules": [described] }),
    ]);
    let Resource::SecurityGroup(found) = &read.resources[&"sg-1".parse().unwrap()] else {
        panic!()
    };
    let (key, detail) = found.rules.first_key_value().unwrap();
    assert_eq!(detail.description.as_deref(), Some("TLS"));
    assert_eq!(detail.tags.as_ref().unwrap()["why"], "web");
    assert_eq!(
        read.handles.rule_id(&found.id, key).unwrap().as_str(),
        "sgr-1"
    );
    assert_eq!(found.name.as_deref(), Some("web"));
}

#[test]
fn two_reads_of_one_group_that_disagree_are_told_and_nothing_is_lost() {
    let read = snapshot(&[
        group(
            json!([{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]),
        ),
        json!({ "SecurityGroupRules": [rule("sgr-2", 22, cidr("0.0.0.0/0"))] }),
    ]);
    assert_eq!(
        rules(&read, "sg-1"),
        ["ingress tcp:22 0.0.0.0/0", "ingress tcp:443 0.0.0.0/0"]
    );
    assert_eq!(
        unknown(&read),
        ["sg-1 IpPermissions", "sg-1 SecurityGroupRules"]
    );
}

#[test]
fn rules_alone_prove_only_the_groups_they_name() {
    let read =
        snapshot(&[json!({ "SecurityGroupRules": [rule("sgr-1", 22, cidr("10.0.0.0/8"))] })]);
    let id: ResourceId = "sg-1".parse().unwrap();
    assert!(read.covers(&id, None));
    assert!(!read.covers(&"sg-2".parse().unwrap(), None));
    let Resource::SecurityGroup(found) = &read.resources[&id] else {
        panic!()
    };
    assert_eq!(
        (&found.name, &found.tags),
        (&None, &None),
        "untold is not empty"
    );
}

#[test]
fn half_a_group_is_no_state() {
    let strange = rule("sgr-2", 22, ("PeerOfTheFuture", json!("x-1")));
    let read = snapshot(&[
        json!({ "SecurityGroupRules": [rule("sgr-1", 22, cidr("10.0.0.0/8")), strange] }),
    ]);
    assert!(read.resources.is_empty());
    assert!(
        !read.covers(&"sg-1".parse().unwrap(), None),
        "a group that was not read is not a deleted group"
    );
    assert_eq!(
        unknown(&read),
        [
            "sg-1 SecurityGroupRules",
            "sg-1 sgr-2.PeerOfTheFuture",
            "sg-1 sgr-2.peer"
        ]
    );
    let cut = json!({ "SecurityGroupRules": [rule("sgr-1", 22, cidr("10.0.0.0/8"))], "NextToken": "more" });
    let read = snapshot(&[cut]);
    assert!(read.resources.is_empty() && read.coverage.is_empty());
}

fn acl(entries: Value) -> Value {
    json!({ "NetworkAcls": [{ "NetworkAclId": "acl-1", "VpcId": "vpc-1", "Entries": entries, "Associations": [] }] })
}

#[test]
fn acl_entries_are_ordered_and_the_fixed_denies_left_out() {
    let read = snapshot(&[acl(json!([
        { "RuleNumber": 32767, "Egress": false, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0" },
        { "RuleNumber": 32768, "Egress": true, "Protocol": "-1", "RuleAction": "deny", "Ipv6CidrBlock": "::/0" },
        { "RuleNumber": 100, "Egress": false, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "10.1.1.1/16",
          "PortRange": { "From": 443, "To": 443 } },
        { "RuleNumber": 100, "Egress": true, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0",
          "PortRange": { "From": -1, "To": -1 } },
        { "RuleNumber": 50, "Egress": false, "Protocol": "1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0",
          "IcmpTypeCode": { "Type": 8, "Code": -1 } },
        { "RuleNumber": 60, "Egress": false, "Protocol": "58", "RuleAction": "allow", "Ipv6CidrBlock": "::/0",
          "IcmpTypeCode": { "Type": 128, "Code": 0 } },
        { "RuleNumber": 70, "Egress": false, "Protocol": "58", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0",
          "IcmpTypeCode": { "Type": 128, "Code": 0 } },
    ]))]);
    assert_eq!(
        rules(&read, "acl-1"),
        [
            "ingress 50 deny icmp:8 0.0.0.0/0",
            "ingress 60 allow icmpv6:128/0 ::/0",
            "ingress 70 allow icmpv6:all 0.0.0.0/0",
            "ingress 100 allow tcp:443 10.1.0.0/16",
            "egress 100 allow all 0.0.0.0/0",
        ]
    );
    assert_eq!(unknown(&read), Vec::<String>::new());
}

#[test]
fn acl_entries_that_cannot_be_read_are_named() {
    let entry = |number: i64, protocol: &str, action: &str, cidr: &str| json!({ "RuleNumber": number, "Egress": false, "Protocol": protocol, "RuleAction": action, "CidrBlock": cidr });
    let read = snapshot(&[acl(json!([
        entry(1, "6", "allow", "10.0.0.0/8"),
        entry(0, "6", "allow", "10.0.0.0/8"),
        entry(2, "ospf", "allow", "10.0.0.0/8"),
        entry(3, "6", "count", "10.0.0.0/8"),
        entry(4, "6", "allow", "anywhere"),
        entry(1, "6", "deny", "10.0.0.0/8"),
        { "RuleNumber": 5, "Egress": false, "Protocol": "6", "RuleAction": "allow" },
        { "RuleNumber": 6, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8" },
    ]))]);
    assert_eq!(
        rules(&read, "acl-1"),
        ["ingress 1 allow tcp:all 10.0.0.0/8"]
    );
    assert_eq!(
        unknown(&read),
        [
            "acl-1 Entries[1].RuleNumber",
            "acl-1 Entries[2].Protocol",
            "acl-1 Entries[3].RuleAction",
            "acl-1 Entries[4].CidrBlock",
            "acl-1 Entries[5]",
            "acl-1 Entries[6].CidrBlock",
            "acl-1 Entries[7].Egress",
        ]
    );
}
