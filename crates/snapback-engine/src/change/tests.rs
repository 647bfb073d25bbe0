#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::event::{self, Record};
use serde_json::{Value, json};

mod acls;
mod actor;
mod any_json;
mod context;
mod groups;
mod ignored;
mod real_records;
mod tables;
mod tags;
mod words;

const ACCOUNT: &str = "111122223333";

/// A record as CloudTrail writes it, in the shapes of cloudtrail-shapes.md.
fn json_record(name: &str, request: Value, response: Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDA1", "arn": "arn:aws:iam::111122223333:user/ann",
                         "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLEEXAMPLE00", "userName": "ann"},
        "eventTime": "2026-02-03T04:05:06Z", "eventSource": "ec2.amazonaws.com", "eventName": name,
        "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15",
        "requestParameters": request, "responseElements": response,
        "requestID": "r-1", "eventID": "e-1", "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"
    })
}

fn record(name: &str, request: Value, response: Value) -> Record {
    event::from_value(json_record(name, request, response)).unwrap()
}

fn change_of(record: &Record) -> Change {
    match interpret(record, &Own::default()) {
        Interpretation::Change(change) => *change,
        other => panic!("{other:?}"),
    }
}

fn change(name: &str, request: Value, response: Value) -> Change {
    change_of(&record(name, request, response))
}

fn known(change: &Change) -> &[Edit] {
    match &change.edits {
        Edits::Known(edits) => edits,
        other => panic!("{}: {other:?}", change.api),
    }
}

fn unknown(change: &Change) -> &str {
    match &change.edits {
        Edits::Unknown { why } => why,
        other => panic!("{}: {other:?}", change.api),
    }
}

fn resources(change: &Change) -> Vec<String> {
    change
        .touched
        .iter()
        .map(|touched| match touched {
            Touched::Resource(id) => id.to_string(),
            Touched::GroupNamed { name } => format!("named {name}"),
            Touched::Association(id) => id.to_string(),
            Touched::Context { what, id } => format!("{what} {id}"),
        })
        .collect()
}

/// Rule edits in words: `+` added, `-` removed.
fn rules(change: &Change) -> Vec<String> {
    let name = |group: &GroupRef| match group {
        GroupRef::Id(id) => id.to_string(),
        GroupRef::Name(name) => format!("name:{name}"),
    };
    let rule = |rule: &RuleRef| match rule {
        RuleRef::Key(key) => key.to_string(),
        RuleRef::Id(id) => id.to_string(),
    };
    known(change)
        .iter()
        .map(|edit| match edit {
            Edit::RuleAdded {
                group,
                rule,
                detail,
                id,
            } => {
                let id = id.as_ref().map_or_else(String::new, |id| format!(" {id}"));
                let text = detail
                    .description
                    .as_ref()
                    .map_or_else(String::new, |text| format!(" ({text})"));
                format!("{} + {rule}{id}{text}", name(group))
            }
            Edit::RuleRemoved {
                group,
                rule: removed,
            } => format!("{} - {}", name(group), rule(removed)),
            Edit::RuleModified {
                group,
                id,
                traffic,
                peer,
                description,
            } => {
                format!(
                    "{} = {id} {traffic} {peer} {}",
                    name(group),
                    description.as_deref().unwrap_or("-")
                )
            }
            Edit::RuleDescribed {
                group,
                rule: described,
                description,
            } => {
                format!(
                    "{} ~ {} {}",
                    name(group),
                    rule(described),
                    description.as_deref().unwrap_or("-")
                )
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

/// One request and response of every API in [`EVENT_NAMES`] that edits, for the property tests.
fn fixtures() -> Vec<Value> {
    let ok = || json!({"requestId": "r-1", "_return": true});
    let permissions = json!({"items": [
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {"items": [{"groupId": "sg-2", "userId": ACCOUNT}]},
         "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": "web"}]},
         "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}, "prefixListIds": {"items": [{"prefixListId": "pl-1"}]}}]});
    let rule_set = json!({"items": [{"groupOwnerId": ACCOUNT, "groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": false,
        "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"}]});
    let entry = json!({"networkAclId": "acl-1", "ruleNumber": 100, "egress": false, "ruleAction": "allow", "aclProtocol": "17",
        "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {}, "portRange": {"from": 53, "to": 53}});
    vec![
        json_record(
            "AuthorizeSecurityGroupIngress",
            json!({"groupId": "sg-1", "ipPermissions": permissions}),
            ok(),
        ),
        json_record(
            "AuthorizeSecurityGroupIngress",
            json!({"groupId": "sg-1", "ipPermissions": permissions}),
            json!({"_return": true, "securityGroupRuleSet": rule_set}),
        ),
        json_record(
            "RevokeSecurityGroupEgress",
            json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22,
            "toPort": 22, "cidrIp": "0.0.0.0/0"}),
            ok(),
        ),
        json_record(
            "ModifySecurityGroupRules",
            json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule":
            {"SecurityGroupRuleId": "sgr-1", "tag": 1, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIpv4": "10.0.0.0/8"}}}}),
            json!({"ModifySecurityGroupRulesResponse": {"return": true}}),
        ),
        json_record("CreateNetworkAclEntry", entry, ok()),
        json_record(
            "CreateNetworkAcl",
            json!({"vpcId": "vpc-1"}),
            json!({"networkAcl": {"networkAclId": "acl-1", "vpcId": "vpc-1",
            "isDefault": false, "entrySet": {"items": [{"ruleNumber": 32767, "aclProtocol": "-1", "ruleAction": "deny", "egress": true,
            "cidrBlock": "0.0.0.0/0"}]}, "associationSet": {}, "tagSet": {}}}),
        ),
        json_record(
            "ReplaceRoute",
            json!({"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}),
            ok(),
        ),
        json_record(
            "CreateRouteTable",
            json!({"vpcId": "vpc-1"}),
            json!({"routeTable": {"routeTableId": "rtb-1", "vpcId": "vpc-1",
            "routeSet": {"items": [{"destinationCidrBlock": "10.0.0.0/16", "gatewayId": "local", "state": "active", "origin": "CreateRouteTable"}]},
            "associationSet": {}, "propagatingVgwSet": {}, "tagSet": {}}}),
        ),
        json_record(
            "ReplaceRouteTableAssociation",
            json!({"associationId": "rtbassoc-1", "routeTableId": "rtb-2"}),
            json!({"newAssociationId": "rtbassoc-2"}),
        ),
        json_record(
            "CreateVpcEndpoint",
            json!({"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "RouteTableId": {"content": "rtb-1", "tag": 1}}}),
            json!({"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": "vpce-1", "ownerId": 200_802_171_337_u64}}}),
        ),
        json_record(
            "ModifyNetworkInterfaceAttribute",
            json!({"networkInterfaceId": "eni-1", "groupSet": {"items": [{"groupId": "sg-1"}]}}),
            ok(),
        ),
    ]
}
