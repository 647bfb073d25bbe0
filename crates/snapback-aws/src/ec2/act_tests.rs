//! What goes over the wire for each action, word for word, and what comes back of EC2's answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::Ec2;
use crate::wire::{Answer, Wire};
use serde_json::Value;
use snapback_app::port::{Actuate, CallError, Receipt};
use snapback_engine::execution::ErrorClass;
use snapback_engine::plan::Action;
use snapback_model::*;
use std::collections::BTreeMap;

fn rule(text: &str) -> RuleKey {
    text.parse().unwrap()
}

fn detail(description: &str, tags: &[(&str, &str)]) -> RuleDetail {
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    RuleDetail {
        description: Some(description.to_owned()).filter(|text| !text.is_empty()),
        tags: Some(tags),
    }
}

fn entry(action: RuleAction, traffic: &str, cidr: &str) -> NetworkAclEntry {
    NetworkAclEntry::new(action, traffic.parse().unwrap(), cidr.parse().unwrap())
}

fn entry_key(text: &str) -> EntryKey {
    text.parse().unwrap()
}

fn subnet() -> AssociationSubject {
    AssociationSubject::Subnet("subnet-1".into())
}

fn handles() -> Handles {
    let handle = |resource: &str, subject| AssociationHandle {
        resource: resource.parse().unwrap(),
        subject,
    };
    Handles {
        associations: BTreeMap::from([
            ("aclassoc-1".into(), handle("acl-9", subnet())),
            ("rtbassoc-1".into(), handle("rtb-9", subnet())),
            (
                "rtbassoc-2".into(),
                handle("rtb-9", AssociationSubject::Main("vpc-1".into())),
            ),
        ]),
        ..Handles::default()
    }
}

/// Every action with the form it must be sent as (without `Version`).
fn golden() -> Vec<(Action, &'static str)> {
    let mut all = groups();
    all.extend(acls());
    all.extend(routes());
    all.extend(associations_and_tags());
    all
}

fn groups() -> Vec<(Action, &'static str)> {
    let group = || SecurityGroupId::from("sg-1");
    vec![
        (
            Action::AuthorizeSecurityGroupRules {
                group: group(),
                direction: Direction::Ingress,
                rules: BTreeMap::from([
                    (
                        rule("ingress tcp:443 10.0.0.0/8"),
                        detail("web", &[("Owner", "a b")]),
                    ),
                    (
                        rule("ingress tcp:443 2001:db8::/32"),
                        detail("", &[("Owner", "a b")]),
                    ),
                    (
                        rule("ingress udp:53-60 pl-1"),
                        detail("", &[("Owner", "a b")]),
                    ),
                    (
                        rule("ingress all sg-2@210987654321"),
                        detail("peer", &[("Owner", "a b")]),
                    ),
                ]),
            },
            "Action=AuthorizeSecurityGroupIngress GroupId=sg-1 \
             IpPermissions.1.Groups.1.Description=peer IpPermissions.1.Groups.1.GroupId=sg-2 \
             IpPermissions.1.Groups.1.UserId=210987654321 IpPermissions.1.IpProtocol=-1 \
             IpPermissions.2.FromPort=443 IpPermissions.2.IpProtocol=tcp \
             IpPermissions.2.IpRanges.1.CidrIp=10.0.0.0/8 IpPermissions.2.IpRanges.1.Description=web \
             IpPermissions.2.Ipv6Ranges.1.CidrIpv6=2001:db8::/32 IpPermissions.2.ToPort=443 \
             IpPermissions.3.FromPort=53 IpPermissions.3.IpProtocol=udp \
             IpPermissions.3.PrefixListIds.1.PrefixListId=pl-1 IpPermissions.3.ToPort=60 \
             TagSpecification.1.ResourceType=security-group-rule TagSpecification.1.Tag.1.Key=Owner \
             TagSpecification.1.Tag.1.Value=a b",
        ),
        (
            Action::AuthorizeSecurityGroupRules {
                group: group(),
                direction: Direction::Egress,
                rules: BTreeMap::from([(rule("egress icmp:8/0 sg-1"), RuleDetail::default())]),
            },
            "Action=AuthorizeSecurityGroupEgress GroupId=sg-1 IpPermissions.1.FromPort=8 \
             IpPermissions.1.Groups.1.GroupId=sg-1 IpPermissions.1.IpProtocol=icmp IpPermissions.1.ToPort=0",
        ),
        (
            Action::RevokeSecurityGroupRules {
                group: group(),
                direction: Direction::Ingress,
                rules: BTreeMap::from([
                    (rule("ingress tcp:22 0.0.0.0/0"), Some("sgr-2".into())),
                    (rule("ingress tcp:23 0.0.0.0/0"), Some("sgr-1".into())),
                ]),
            },
            "Action=RevokeSecurityGroupIngress GroupId=sg-1 SecurityGroupRuleId.1=sgr-2 SecurityGroupRuleId.2=sgr-1",
        ),
        (
            Action::RevokeSecurityGroupRules {
                group: group(),
                direction: Direction::Egress,
                rules: BTreeMap::from([(rule("egress protocol:50 0.0.0.0/0"), None)]),
            },
            "Action=RevokeSecurityGroupEgress GroupId=sg-1 IpPermissions.1.IpProtocol=50 \
             IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
        ),
        (
            Action::ModifySecurityGroupRule {
                group: group(),
                id: "sgr-1".into(),
                from: rule("ingress tcp:0-65535 0.0.0.0/0"),
                to: rule("ingress tcp:443 0.0.0.0/0"),
                description: Some("web".into()),
            },
            "Action=ModifySecurityGroupRules GroupId=sg-1 SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=0.0.0.0/0 \
             SecurityGroupRule.1.SecurityGroupRule.Description=web SecurityGroupRule.1.SecurityGroupRule.FromPort=443 \
             SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp SecurityGroupRule.1.SecurityGroupRule.ToPort=443 \
             SecurityGroupRule.1.SecurityGroupRuleId=sgr-1",
        ),
        (
            Action::UpdateSecurityGroupRuleDescriptions {
                group: group(),
                direction: Direction::Ingress,
                rules: BTreeMap::from([
                    (rule("ingress tcp:443 10.0.0.0/8"), Some("a&b=c".into())),
                    (rule("ingress tcp:443 10.1.0.0/16"), None),
                ]),
            },
            "Action=UpdateSecurityGroupRuleDescriptionsIngress GroupId=sg-1 IpPermissions.1.FromPort=443 \
             IpPermissions.1.IpProtocol=tcp IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8 \
             IpPermissions.1.IpRanges.1.Description=a&b=c IpPermissions.1.IpRanges.2.CidrIp=10.1.0.0/16 \
             IpPermissions.1.ToPort=443",
        ),
    ]
}

fn acls() -> Vec<(Action, &'static str)> {
    vec![
        (
            Action::CreateNetworkAclEntry {
                acl: "acl-1".into(),
                key: entry_key("ingress 100"),
                entry: entry(RuleAction::Allow, "tcp:22", "10.0.0.0/8"),
            },
            "Action=CreateNetworkAclEntry CidrBlock=10.0.0.0/8 Egress=false NetworkAclId=acl-1 PortRange.From=22 \
             PortRange.To=22 Protocol=6 RuleAction=allow RuleNumber=100",
        ),
        (
            Action::ReplaceNetworkAclEntry {
                acl: "acl-1".into(),
                key: entry_key("egress 50"),
                from: entry(RuleAction::Deny, "all", "0.0.0.0/0"),
                entry: entry(RuleAction::Deny, "icmpv6:128", "::/0"),
            },
            "Action=ReplaceNetworkAclEntry Egress=true Icmp.Code=-1 Icmp.Type=128 Ipv6CidrBlock=::/0 \
             NetworkAclId=acl-1 Protocol=58 RuleAction=deny RuleNumber=50",
        ),
        (
            Action::DeleteNetworkAclEntry {
                acl: "acl-1".into(),
                key: entry_key("ingress 50"),
                entry: entry(RuleAction::Deny, "all", "0.0.0.0/0"),
            },
            "Action=DeleteNetworkAclEntry Egress=false NetworkAclId=acl-1 RuleNumber=50",
        ),
        (
            Action::ReplaceNetworkAclAssociation {
                subnet: "subnet-1".into(),
                from: Some("acl-9".into()),
                acl: "acl-1".into(),
            },
            "Action=ReplaceNetworkAclAssociation AssociationId=aclassoc-1 NetworkAclId=acl-1",
        ),
    ]
}

fn routes() -> Vec<(Action, &'static str)> {
    let create = |destination: &str, target| Action::CreateRoute {
        table: "rtb-1".into(),
        destination: destination.parse().unwrap(),
        target,
    };
    let id = |id: &str| id.to_owned();
    vec![
        (
            Action::DeleteRouteTable {
                table: "rtb-1".into(),
            },
            "Action=DeleteRouteTable RouteTableId=rtb-1",
        ),
        (
            create("0.0.0.0/0", RouteTarget::InternetGateway(id("igw-1"))),
            "Action=CreateRoute DestinationCidrBlock=0.0.0.0/0 GatewayId=igw-1 RouteTableId=rtb-1",
        ),
        (
            create("::/0", RouteTarget::EgressOnlyInternetGateway(id("eigw-1"))),
            "Action=CreateRoute DestinationIpv6CidrBlock=::/0 EgressOnlyInternetGatewayId=eigw-1 RouteTableId=rtb-1",
        ),
        (
            create("pl-1", RouteTarget::TransitGateway(id("tgw-1"))),
            "Action=CreateRoute DestinationPrefixListId=pl-1 RouteTableId=rtb-1 TransitGatewayId=tgw-1",
        ),
        (
            create(
                "10.1.0.0/16",
                RouteTarget::VpcPeeringConnection(id("pcx-1")),
            ),
            "Action=CreateRoute DestinationCidrBlock=10.1.0.0/16 RouteTableId=rtb-1 VpcPeeringConnectionId=pcx-1",
        ),
        (
            create(
                "10.2.0.0/16",
                RouteTarget::GatewayLoadBalancerEndpoint(id("vpce-1")),
            ),
            "Action=CreateRoute DestinationCidrBlock=10.2.0.0/16 RouteTableId=rtb-1 VpcEndpointId=vpce-1",
        ),
        (
            create(
                "10.3.0.0/16",
                RouteTarget::CoreNetwork(id("arn:aws:networkmanager::1:core-network/c")),
            ),
            "Action=CreateRoute CoreNetworkArn=arn:aws:networkmanager::1:core-network/c \
             DestinationCidrBlock=10.3.0.0/16 RouteTableId=rtb-1",
        ),
        (
            Action::ReplaceRoute {
                table: "rtb-1".into(),
                destination: "0.0.0.0/0".parse().unwrap(),
                from: RouteTarget::NetworkInterface(id("eni-1")),
                target: RouteTarget::NatGateway(id("nat-1")),
            },
            "Action=ReplaceRoute DestinationCidrBlock=0.0.0.0/0 NatGatewayId=nat-1 RouteTableId=rtb-1",
        ),
        (
            Action::ReplaceRoute {
                table: "rtb-1".into(),
                destination: "10.0.0.0/16".parse().unwrap(),
                from: RouteTarget::NetworkInterface(id("eni-1")),
                target: RouteTarget::Local,
            },
            "Action=ReplaceRoute DestinationCidrBlock=10.0.0.0/16 LocalTarget=true RouteTableId=rtb-1",
        ),
        (
            Action::DeleteRoute {
                table: "rtb-1".into(),
                destination: "2001:db8::/32".parse().unwrap(),
                from: RouteTarget::VpnGateway(id("vgw-1")),
            },
            "Action=DeleteRoute DestinationIpv6CidrBlock=2001:db8::/32 RouteTableId=rtb-1",
        ),
    ]
}

fn associations_and_tags() -> Vec<(Action, &'static str)> {
    vec![
        (
            Action::AssociateRouteTable {
                table: "rtb-1".into(),
                subject: subnet(),
            },
            "Action=AssociateRouteTable RouteTableId=rtb-1 SubnetId=subnet-1",
        ),
        (
            Action::AssociateRouteTable {
                table: "rtb-1".into(),
                subject: AssociationSubject::Gateway("igw-1".into()),
            },
            "Action=AssociateRouteTable GatewayId=igw-1 RouteTableId=rtb-1",
        ),
        (
            Action::ReplaceRouteTableAssociation {
                subject: AssociationSubject::Main("vpc-1".into()),
                from: Some("rtb-9".into()),
                table: "rtb-1".into(),
            },
            "Action=ReplaceRouteTableAssociation AssociationId=rtbassoc-2 RouteTableId=rtb-1",
        ),
        (
            Action::DisassociateRouteTable {
                subject: subnet(),
                from: "rtb-9".into(),
            },
            "Action=DisassociateRouteTable AssociationId=rtbassoc-1",
        ),
        (
            Action::EnableVgwRoutePropagation {
                table: "rtb-1".into(),
                gateway: "vgw-1".into(),
            },
            "Action=EnableVgwRoutePropagation GatewayId=vgw-1 RouteTableId=rtb-1",
        ),
        (
            Action::DisableVgwRoutePropagation {
                table: "rtb-1".into(),
                gateway: "vgw-1".into(),
            },
            "Action=DisableVgwRoutePropagation GatewayId=vgw-1 RouteTableId=rtb-1",
        ),
        (
            Action::CreateTags {
                target: "sgr-1".into(),
                tags: Tags::from([("Owner".into(), "a".into()), ("Use".into(), String::new())]),
            },
            "Action=CreateTags ResourceId.1=sgr-1 Tag.1.Key=Owner Tag.1.Value=a Tag.2.Key=Use Tag.2.Value=",
        ),
        (
            Action::DeleteTags {
                target: "acl-1".into(),
                tags: Tags::from([("Owner".into(), "a".into())]),
            },
            "Action=DeleteTags ResourceId.1=acl-1 Tag.1.Key=Owner Tag.1.Value=a",
        ),
    ]
}

fn act(action: &Action, answer: Answer) -> (Result<Receipt, CallError>, Wire) {
    let wire = Wire::new([answer]);
    let ec2 = Ec2::new(&wire.sdk(), "123456789012".into(), "eu-central-1".into());
    (wire.block_on(ec2.act(action, &handles())), wire)
}

fn done(action: &Action) -> Answer {
    let api = action.api();
    Answer::xml(
        200,
        &format!(
            "<{api}Response><requestId>req-body</requestId><return>true</return></{api}Response>"
        ),
    )
}

#[test]
fn each_action_is_one_call_word_for_word() {
    for (action, form) in golden() {
        let (receipt, wire) = act(&action, done(&action));
        assert!(receipt.unwrap().request.is_some(), "{action:?}");
        assert_eq!(wire.requests().len(), 1, "{action:?}");
        // Values hold spaces; the golden text joins sorted pairs by one space.
        assert_eq!(wire.requests()[0].form().join(" "), form, "{action:?}");
    }
}

/// The next call on the same subject names it.
#[test]
fn the_association_that_a_call_made_is_told() {
    let members = [
        ("ReplaceNetworkAclAssociation", "newAssociationId"),
        ("ReplaceRouteTableAssociation", "newAssociationId"),
        ("AssociateRouteTable", "associationId"),
    ];
    let mut seen = 0;
    for (action, _) in golden() {
        let api = action.api();
        let Some((_, member)) = members.iter().find(|(of, _)| *of == api) else {
            continue;
        };
        let body = format!("<{api}Response><{member}>assoc-9</{member}></{api}Response>");
        let (receipt, _) = act(&action, Answer::xml(200, &body));
        assert_eq!(
            receipt.unwrap().association,
            Some("assoc-9".into()),
            "{api}"
        );
        seen += 1;
    }
    assert!(seen >= members.len(), "{seen}");
}

/// `aws ec2 … --cli-input-json` and this adapter must ask for the same thing.
#[test]
fn what_a_plan_prints_is_what_is_sent() {
    for (action, _) in golden() {
        let (_, wire) = act(&action, done(&action));
        let mut printed = vec![format!("Action={}", action.api())];
        flatten("", &action.parameters(&handles()), &mut printed);
        printed.sort();
        assert_eq!(wire.requests()[0].form(), printed, "{action:?}");
    }
}

/// EC2's query form of JSON parameters: lists are numbered, some names differ (the service model's
/// `ec2QueryName` and `locationName`).
fn flatten(path: &str, value: &Value, form: &mut Vec<String>) {
    let wire_name = |name: &str| match name {
        "SecurityGroupRuleIds" => "SecurityGroupRuleId".to_owned(),
        "SecurityGroupRules" => "SecurityGroupRule".to_owned(),
        "TagSpecifications" => "TagSpecification".to_owned(),
        "UserIdGroupPairs" => "Groups".to_owned(),
        "Resources" => "ResourceId".to_owned(),
        "IcmpTypeCode" => "Icmp".to_owned(),
        "Tags" => "Tag".to_owned(),
        other => other.to_owned(),
    };
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| flatten(&join(&wire_name(name)), value, form)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, value)| flatten(&join(&(i + 1).to_string()), value, form));
        }
        Value::String(text) => form.push(format!("{path}={text}")),
        other => form.push(format!("{path}={other}")),
    }
}

#[test]
fn a_refusal_carries_ec2_s_code_class_and_request_id() {
    let action = groups().remove(0).0;
    for (status, code, class) in [
        (403, "UnauthorizedOperation", ErrorClass::Denied),
        (
            400,
            "InvalidPermission.Duplicate",
            ErrorClass::AlreadyAsWanted,
        ),
        (503, "RequestLimitExceeded", ErrorClass::Transient),
        (400, "InvalidGroup.NotFound", ErrorClass::Gone),
        (400, "RulesPerSecurityGroupLimitExceeded", ErrorClass::Quota),
        (400, "InvalidParameterValue", ErrorClass::Invalid),
    ] {
        let (receipt, wire) = act(&action, Answer::ec2_error(status, code));
        let error = receipt.unwrap_err();
        assert_eq!((error.code.as_str(), error.class), (code, class));
        assert_eq!(error.operation, "AuthorizeSecurityGroupIngress");
        assert_eq!(error.resource, "sg-1");
        assert!(error.request.is_some());
        assert_eq!(wire.requests().len(), 1, "the flow owns retries");
    }
}

#[test]
fn no_answer_is_lost_not_failed() {
    let (receipt, wire) = act(&groups().remove(0).0, Answer::Broken);
    let error = receipt.unwrap_err();
    assert_eq!(error.class, ErrorClass::Lost);
    assert_eq!(wire.requests().len(), 1);
    let (receipt, _) = act(
        &groups().remove(0).0,
        Answer::xml(200, "<html>a proxy's page</html>"),
    );
    assert_eq!(
        receipt.unwrap_err().class,
        ErrorClass::Lost,
        "whatever answered, it may have happened"
    );
    // A fault of AWS without a readable code may have happened too, and is tried again.
    let (receipt, _) = act(
        &groups().remove(0).0,
        Answer::xml(502, "<html>bad gateway</html>"),
    );
    let class = receipt.unwrap_err().class;
    assert!(
        matches!(class, ErrorClass::Transient | ErrorClass::Lost),
        "{class:?}"
    );
}

#[test]
fn what_cannot_be_said_is_not_sent() {
    let impossible = [
        Action::ReplaceNetworkAclAssociation {
            subnet: "subnet-unknown".into(),
            from: None,
            acl: "acl-1".into(),
        },
        Action::AssociateRouteTable {
            table: "rtb-1".into(),
            subject: AssociationSubject::Main("vpc-1".into()),
        },
        Action::CreateRoute {
            table: "rtb-1".into(),
            destination: "0.0.0.0/0".parse().unwrap(),
            target: RouteTarget::Unrecognized("odb-1".into()),
        },
        Action::AuthorizeSecurityGroupRules {
            group: "sg-1".into(),
            direction: Direction::Ingress,
            rules: BTreeMap::from([
                (rule("ingress tcp:1 10.0.0.0/8"), detail("", &[("a", "1")])),
                (rule("ingress tcp:2 10.0.0.0/8"), detail("", &[("a", "2")])),
            ]),
        },
    ];
    for action in impossible {
        let wire = Wire::new([]);
        let ec2 = Ec2::new(&wire.sdk(), "123456789012".into(), "eu-central-1".into());
        let error = wire.block_on(ec2.act(&action, &handles())).unwrap_err();
        assert_eq!(error.class, ErrorClass::Invalid, "{action:?}");
        assert!(error.message.contains("not sent"), "{error}");
        assert!(wire.requests().is_empty());
    }
}
