//! Bodies as botocore 1.43 writes them, and the calls that they are.

use crate::account::Account;
use crate::call::{Call, GroupBy, NatPlace, NatRequest, Permission, Revoked, RuleChange};
use crate::wire::form::Form;
use crate::wire::request;
use snapback_model::*;
use std::collections::BTreeMap;

fn account() -> Account {
    Account::new("111122223333".into(), "eu-central-1".into(), 1)
}

fn read(body: &str) -> Result<Call, String> {
    let form = Form::parse(body);
    let fields = form.fields();
    let action = fields.required("Action").unwrap();
    let call = request::call(action, &fields, &account())
        .map_err(|error| format!("{}: {}", error.code, error.message))?;
    match form.left_over() {
        Some(name) => Err(format!("left over: {name}")),
        None => Ok(call),
    }
}

fn traffic(text: &str) -> Traffic {
    text.parse().unwrap()
}

fn peer(text: &str) -> Peer {
    Peer::cidr(text.parse().unwrap())
}

fn group(id: &str, owner: Option<&str>) -> Peer {
    Peer::SecurityGroup {
        id: id.into(),
        owner: owner.map(AccountId::from),
    }
}

#[test]
fn permissions_keep_every_peer_with_its_description_and_our_own_account_is_no_owner() {
    let body = "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=443&IpPermissions.1.ToPort=443&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0&IpPermissions.1.IpRanges.1.Description=a+%26+b+%3D+c%2Bd&IpPermissions.1.IpRanges.2.CidrIp=10.0.0.7%2F8&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=%3A%3A%2F0&IpPermissions.1.PrefixListIds.1.PrefixListId=pl-1&IpPermissions.1.PrefixListIds.1.Description=office&IpPermissions.1.Groups.1.GroupId=sg-2&IpPermissions.1.Groups.1.UserId=111122223333&IpPermissions.1.Groups.2.GroupId=sg-3&IpPermissions.1.Groups.2.UserId=999999999999&IpPermissions.2.IpProtocol=-1&IpPermissions.2.IpRanges.1.CidrIp=192.0.2.0%2F24&TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=Why&TagSpecification.1.Tag.1.Value=%C3%BC";
    let expected = Call::AuthorizeSecurityGroup {
        group: GroupBy::Id("sg-1".into()),
        direction: Direction::Ingress,
        permissions: vec![
            Permission {
                traffic: traffic("tcp:443"),
                peers: vec![
                    (peer("0.0.0.0/0"), Some("a & b = c+d".into())),
                    (peer("10.0.0.0/8"), None),
                    (peer("::/0"), None),
                    (Peer::PrefixList("pl-1".into()), Some("office".into())),
                    (group("sg-2", None), None),
                    (group("sg-3", Some("999999999999")), None),
                ],
            },
            Permission {
                traffic: Traffic::All,
                peers: vec![(peer("192.0.2.0/24"), None)],
            },
        ],
        short: false,
        tags: Tags::from([("Why".to_owned(), "ü".to_owned())]),
    };
    assert_eq!(read(body), Ok(expected));
}

#[test]
fn each_body_is_the_call_that_it_says() {
    let acl_entry = |number: i64, direction, action, traffic_text: &str, cidr: &str| {
        let key = EntryKey {
            direction,
            number: RuleNumber::new(number).unwrap(),
        };
        let entry = NetworkAclEntry::new(action, traffic(traffic_text), cidr.parse().unwrap());
        Call::CreateNetworkAclEntry {
            acl: "acl-1".into(),
            key,
            entry,
        }
    };
    let cases = [
        (
            "Action=AuthorizeSecurityGroupIngress&Version=2016-11-15&GroupName=web&IpProtocol=tcp&FromPort=22&ToPort=22&CidrIp=192.0.2.0%2F24",
            Call::AuthorizeSecurityGroup {
                group: GroupBy::Name("web".into()),
                direction: Direction::Ingress,
                permissions: vec![Permission {
                    traffic: traffic("tcp:22"),
                    peers: vec![(peer("192.0.2.0/24"), None)],
                }],
                short: true,
                tags: Tags::new(),
            },
        ),
        (
            "Action=RevokeSecurityGroupEgress&Version=2016-11-15&GroupId=sg-1&SecurityGroupRuleId.1=sgr-1&SecurityGroupRuleId.2=sgr-2",
            Call::RevokeSecurityGroup {
                group: GroupBy::Id("sg-1".into()),
                direction: Direction::Egress,
                rules: Revoked::Ids(vec!["sgr-1".into(), "sgr-2".into()]),
            },
        ),
        (
            "Action=ModifySecurityGroupRules&Version=2016-11-15&GroupId=sg-1&SecurityGroupRule.1.SecurityGroupRuleId=sgr-1&SecurityGroupRule.1.SecurityGroupRule.IpProtocol=icmp&SecurityGroupRule.1.SecurityGroupRule.FromPort=8&SecurityGroupRule.1.SecurityGroupRule.ToPort=-1&SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.0.0.0%2F8&SecurityGroupRule.1.SecurityGroupRule.Description=ping",
            Call::ModifySecurityGroupRules {
                group: "sg-1".into(),
                changes: vec![RuleChange {
                    id: "sgr-1".into(),
                    traffic: traffic("icmp:8"),
                    peer: peer("10.0.0.0/8"),
                    description: Some("ping".into()),
                }],
            },
        ),
        (
            "Action=CreateNetworkAclEntry&Version=2016-11-15&NetworkAclId=acl-1&RuleNumber=100&Protocol=58&RuleAction=deny&Egress=true&Ipv6CidrBlock=2001%3Adb8%3A%3A%2F32&Icmp.Type=2&Icmp.Code=0",
            acl_entry(
                100,
                Direction::Egress,
                RuleAction::Deny,
                "icmpv6:2/0",
                "2001:db8::/32",
            ),
        ),
        (
            "Action=CreateNetworkAclEntry&Version=2016-11-15&NetworkAclId=acl-1&RuleNumber=90&Protocol=6&RuleAction=allow&Egress=false&CidrBlock=10.0.0.0%2F8&PortRange.From=22&PortRange.To=23",
            acl_entry(
                90,
                Direction::Ingress,
                RuleAction::Allow,
                "tcp:22-23",
                "10.0.0.0/8",
            ),
        ),
        (
            "Action=ReplaceRoute&Version=2016-11-15&RouteTableId=rtb-1&DestinationCidrBlock=10.0.0.0%2F16&LocalTarget=true",
            Call::ReplaceRoute {
                table: "rtb-1".into(),
                destination: "10.0.0.0/16".parse().unwrap(),
                target: RouteTarget::Local,
            },
        ),
        (
            "Action=CreateRoute&Version=2016-11-15&RouteTableId=rtb-1&DestinationPrefixListId=pl-1&TransitGatewayId=tgw-1",
            Call::CreateRoute {
                table: "rtb-1".into(),
                destination: "pl-1".parse().unwrap(),
                target: RouteTarget::TransitGateway("tgw-1".into()),
            },
        ),
        (
            "Action=CreateRouteTable&Version=2016-11-15&VpcId=vpc-1&ClientToken=once",
            Call::CreateRouteTable {
                vpc: "vpc-1".into(),
                tags: Tags::new(),
            }
            .once(Some("once".into())),
        ),
        (
            "Action=DeleteTags&Version=2016-11-15&ResourceId.1=sg-1&ResourceId.2=rtb-1&Tag.1.Key=A&Tag.2.Key=B&Tag.2.Value=&Tag.3.Key=C&Tag.3.Value=c",
            Call::DeleteTags {
                targets: vec!["sg-1".into(), "rtb-1".into()],
                tags: BTreeMap::from([
                    ("A".to_owned(), None),
                    ("B".to_owned(), Some(String::new())),
                    ("C".to_owned(), Some("c".to_owned())),
                ]),
            },
        ),
        (
            "Action=ModifyNetworkInterfaceAttribute&Version=2016-11-15&NetworkInterfaceId=eni-1&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2",
            Call::ModifyNetworkInterfaceGroups {
                interface: "eni-1".into(),
                groups: vec!["sg-1".into(), "sg-2".into()],
            },
        ),
        (
            "Action=ModifyVpcEndpoint&Version=2016-11-15&VpcEndpointId=vpce-1&AddRouteTableId.1=rtb-1&RemoveRouteTableId.1=rtb-2&RemoveRouteTableId.2=rtb-3",
            Call::ModifyVpcEndpoint {
                endpoint: "vpce-1".into(),
                add_tables: vec!["rtb-1".into()],
                remove_tables: vec!["rtb-2".into(), "rtb-3".into()],
                add_subnets: Vec::new(),
                remove_subnets: Vec::new(),
                add_groups: Vec::new(),
                remove_groups: Vec::new(),
            },
        ),
        (
            "Action=CreateNatGateway&Version=2016-11-15&SubnetId=subnet-1&AllocationId=eipalloc-1&ClientToken=t&PrivateIpAddress=10.0.0.9&TagSpecification.1.ResourceType=natgateway&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=x",
            Call::CreateNatGateway(NatRequest {
                place: NatPlace::Subnet("subnet-1".into()),
                connectivity: Connectivity::Public,
                allocation: Some("eipalloc-1".into()),
                private: Some("10.0.0.9".parse().unwrap()),
                tags: Tags::from([("Name".to_owned(), "x".to_owned())]),
            })
            .once(Some("t".into())),
        ),
    ];
    for (body, call) in cases {
        assert_eq!(read(body), Ok(call), "{body}");
    }
}

#[test]
fn a_list_goes_by_its_numbers_and_not_by_the_order_of_the_body() {
    let body = "Action=RevokeSecurityGroupIngress&GroupId=sg-1&SecurityGroupRuleId.10=c&SecurityGroupRuleId.2=b&SecurityGroupRuleId.1=a";
    let Ok(Call::RevokeSecurityGroup {
        rules: Revoked::Ids(ids),
        ..
    }) = read(body)
    else {
        panic!("{body}")
    };
    let ids: Vec<_> = ids.iter().map(SecurityGroupRuleId::as_str).collect();
    assert_eq!(ids, ["a", "b", "c"]);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let cases = [
        (
            "Action=DeleteNetworkAclEntry&NetworkAclId=acl-1&Egress=false",
            "MissingParameter: The request must contain the parameter RuleNumber",
        ),
        (
            "Action=DeleteNetworkAclEntry&NetworkAclId=acl-1&RuleNumber=x&Egress=false",
            "InvalidParameterValue: Value (x) for parameter RuleNumber is invalid.",
        ),
        (
            "Action=DeleteNetworkAclEntry&NetworkAclId=acl-1&RuleNumber=32767&Egress=false",
            "InvalidParameterValue: Value (32767) for parameter ruleNumber is invalid.",
        ),
        (
            "Action=DeleteNetworkAclEntry&NetworkAclId=acl-1&RuleNumber=1&Egress=perhaps",
            "InvalidParameterValue: Value (perhaps) for parameter Egress is invalid.",
        ),
        (
            "Action=DeleteRoute&RouteTableId=rtb-1",
            "MissingParameter: The request must contain exactly one of DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId",
        ),
        (
            "Action=DeleteRoute&RouteTableId=rtb-1&DestinationCidrBlock=::/0",
            "InvalidParameterValue: CIDR block ::/0 is malformed",
        ),
        (
            "Action=CreateRoute&RouteTableId=rtb-1&DestinationCidrBlock=0.0.0.0/0&NatGatewayId=nat-1&GatewayId=igw-1",
            "InvalidParameterCombination: The parameters NatGatewayId and GatewayId cannot be used together",
        ),
        (
            "Action=DeleteRouteTable&RouteTableId=rtb-1&Colour=blue",
            "left over: Colour",
        ),
        (
            "Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=1&IpPermissions.1.ToPort=1&IpPermissions.1.IpRanges.1.Cidr=10.0.0.0/8",
            "InvalidParameterValue: Value () for parameter IpPermissions.1.IpRanges.1.CidrIp is invalid.",
        ),
        (
            "Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=70000&IpPermissions.1.ToPort=70000",
            "InvalidParameterValue: Invalid port range for tcp: Some(70000) to Some(70000)",
        ),
        (
            "Action=CreateTags&ResourceId.1=sg-1&Tag.1.Key=aws:x",
            "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use: aws:x",
        ),
        (
            "Action=CreateNetworkAcl&VpcId=vpc-1&TagSpecification.1.ResourceType=vpc",
            "InvalidParameterValue: 'vpc' is not a valid taggable resource type for this operation.",
        ),
        (
            "Action=RunInstances",
            "InvalidAction: The action RunInstances is not valid for this web service.",
        ),
    ];
    for (body, why) in cases {
        assert_eq!(read(body), Err(why.to_owned()), "{body}");
    }
}
