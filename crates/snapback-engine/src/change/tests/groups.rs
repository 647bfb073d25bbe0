use super::*;

fn ok() -> Value {
    json!({"requestId": "r-1", "_return": true})
}

fn item(protocol: &str, extra: Value) -> Value {
    let mut item = json!({"ipProtocol": protocol, "groups": {}, "ipRanges": {}, "ipv6Ranges": {}, "prefixListIds": {}});
    for (name, value) in extra.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn permissions(items: Vec<Value>) -> Value {
    json!({"groupId": "sg-1", "ipPermissions": {"items": items}})
}

fn v4(cidr: &str) -> Value {
    json!({"items": [{"cidrIp": cidr}]})
}

#[test]
fn requests_give_one_rule_for_each_source() {
    let tcp = |port: i32, extra: Value| {
        let mut item = item("tcp", extra);
        item["fromPort"] = json!(port);
        item["toPort"] = json!(port);
        item
    };
    let all = json!({"ipRanges": v4("0.0.0.0/0"), "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}});
    let mut zero_ports = item("-1", json!({"ipRanges": v4("0.0.0.0/0")}));
    zero_ports["fromPort"] = json!(0);
    zero_ports["toPort"] = json!(0);
    let mut ping = item("icmp", json!({"ipRanges": v4("10.0.0.0/8")}));
    ping["fromPort"] = json!(8);
    ping["toPort"] = json!(-1);
    let cases: Vec<(&str, Value, Vec<&str>)> = vec![
        (
            "permission form",
            permissions(vec![tcp(
                443,
                json!({"ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": "TLS"}]}}),
            )]),
            vec!["sg-1 + ingress tcp:443 0.0.0.0/0 (TLS)"],
        ),
        (
            "all traffic, both families in one item",
            permissions(vec![item("-1", all)]),
            vec!["sg-1 + ingress all 0.0.0.0/0", "sg-1 + ingress all ::/0"],
        ),
        (
            "console sends two items",
            permissions(vec![
                tcp(22, json!({"ipRanges": v4("0.0.0.0/0")})),
                tcp(22, json!({"ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}})),
            ]),
            vec![
                "sg-1 + ingress tcp:22 0.0.0.0/0",
                "sg-1 + ingress tcp:22 ::/0",
            ],
        ),
        (
            "short form",
            json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"}),
            vec!["sg-1 + ingress tcp:22 0.0.0.0/0"],
        ),
        (
            "ports beside -1 mean nothing",
            permissions(vec![zero_ports]),
            vec!["sg-1 + ingress all 0.0.0.0/0"],
        ),
        (
            "icmp type with every code",
            permissions(vec![ping]),
            vec!["sg-1 + ingress icmp:8 10.0.0.0/8"],
        ),
        (
            "icmpv6 as a number",
            permissions(vec![item(
                "58",
                json!({"ipv6Ranges": {"items": [{"cidrIpv6": "2001:DB8::/32"}]}}),
            )]),
            vec!["sg-1 + ingress icmpv6:all 2001:db8::/32"],
        ),
        (
            "another protocol",
            permissions(vec![item("50", json!({"ipRanges": v4("10.0.0.0/8")}))]),
            vec!["sg-1 + ingress protocol:50 10.0.0.0/8"],
        ),
        (
            "host bits",
            permissions(vec![tcp(22, json!({"ipRanges": v4("1.2.3.4/0")}))]),
            vec!["sg-1 + ingress tcp:22 0.0.0.0/0"],
        ),
        (
            "groups of our account, of none, of another, and a prefix list",
            permissions(vec![tcp(
                5432,
                json!({
                "groups": {"items": [{"groupId": "sg-2", "userId": ACCOUNT, "description": "app"}, {"groupId": "sg-3"}, {"groupId": "sg-4", "userId": "999988887777"}]},
                "prefixListIds": {"items": [{"prefixListId": "pl-1", "description": "office"}]}}),
            )]),
            vec![
                "sg-1 + ingress tcp:5432 pl-1 (office)",
                "sg-1 + ingress tcp:5432 sg-2 (app)",
                "sg-1 + ingress tcp:5432 sg-3",
                "sg-1 + ingress tcp:5432 sg-4@999988887777",
            ],
        ),
        (
            "one risky and one benign item",
            permissions(vec![
                tcp(22, json!({"ipRanges": v4("0.0.0.0/0")})),
                tcp(22, json!({"ipRanges": v4("10.9.0.0/16")})),
            ]),
            vec![
                "sg-1 + ingress tcp:22 0.0.0.0/0",
                "sg-1 + ingress tcp:22 10.9.0.0/16",
            ],
        ),
        (
            "lists as an array or a bare object",
            json!({"groupId": "sg-1", "ipPermissions": [{"ipProtocol": "tcp", "fromPort": "22", "toPort": "22", "ipRanges": {"cidrIp": "0.0.0.0/0"}}]}),
            vec!["sg-1 + ingress tcp:22 0.0.0.0/0"],
        ),
    ];
    for (name, request, expected) in cases {
        let change = change("AuthorizeSecurityGroupIngress", request.clone(), ok());
        assert_eq!(rules(&change), expected, "{name}");
        assert_eq!(resources(&change), ["sg-1"], "{name}");
        let revoked = super::change("RevokeSecurityGroupEgress", request, ok());
        let expected: Vec<String> = expected
            .into_iter()
            .map(|line| {
                line.split(" (")
                    .next()
                    .unwrap()
                    .replace(" + ingress", " - egress")
            })
            .collect();
        assert_eq!(rules(&revoked), expected, "{name}, revoked");
    }
}

#[test]
fn the_response_of_authorize_is_preferred_to_what_was_sent() {
    let request = permissions(vec![item(
        "-1",
        json!({"ipRanges": v4("208.236.235.254/0"), "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}),
    )]);
    let response = json!({"requestId": "r-1", "_return": true, "securityGroupRuleSet": {"items": [
        {"groupOwnerId": ACCOUNT, "groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": true, "ipProtocol": "-1", "fromPort": -1,
         "toPort": -1, "cidrIpv4": "0.0.0.0/0", "securityGroupRuleArn": "arn:aws:ec2:…", "tagSet": {"items": [{"key": "k", "value": "v"}]}},
        {"groupOwnerId": ACCOUNT, "groupId": "sg-1", "securityGroupRuleId": "sgr-2", "isEgress": true, "ipProtocol": "-1", "fromPort": -1,
         "toPort": -1, "cidrIpv6": "::/0", "description": "all"},
        {"groupOwnerId": ACCOUNT, "groupId": "sg-1", "securityGroupRuleId": "sgr-3", "isEgress": true, "ipProtocol": "tcp", "fromPort": 5,
         "toPort": 6, "referencedGroupInfo": {"groupId": "sg-9", "userId": ACCOUNT}},
        {"groupOwnerId": ACCOUNT, "groupId": "sg-1", "securityGroupRuleId": "sgr-4", "isEgress": true, "ipProtocol": "tcp", "fromPort": 5,
         "toPort": 6, "referencedGroupInfo": {"groupId": "sg-9", "userId": "999988887777"}}]}});
    let change = change("AuthorizeSecurityGroupEgress", request, response);
    assert_eq!(
        rules(&change),
        [
            "sg-1 + egress all 0.0.0.0/0 sgr-1",
            "sg-1 + egress all ::/0 sgr-2 (all)",
            "sg-1 + egress tcp:5-6 sg-9 sgr-3",
            "sg-1 + egress tcp:5-6 sg-9@999988887777 sgr-4"
        ]
    );
    let Edit::RuleAdded { detail, .. } = &known(&change)[0] else {
        panic!()
    };
    assert_eq!(detail.tags.as_ref().unwrap()["k"], "v");
}

#[test]
fn a_group_named_only_is_found_by_the_response_or_stays_a_name() {
    let mut request = permissions(vec![item("-1", json!({"ipRanges": v4("0.0.0.0/0")}))]);
    request.as_object_mut().unwrap().remove("groupId");
    request["groupName"] = json!("web");
    let answered = json!({"_return": true, "securityGroupRuleSet": {"items": [{"groupId": "sg-7", "securityGroupRuleId": "sgr-1",
        "isEgress": false, "ipProtocol": "-1", "fromPort": -1, "toPort": -1, "cidrIpv4": "0.0.0.0/0"}]}});
    let by_response = change("AuthorizeSecurityGroupIngress", request.clone(), answered);
    assert_eq!(
        (resources(&by_response), rules(&by_response)),
        (
            vec!["sg-7".into()],
            vec!["sg-7 + ingress all 0.0.0.0/0 sgr-1".into()]
        )
    );
    let by_name = change("RevokeSecurityGroupIngress", request, ok());
    assert_eq!(
        (resources(&by_name), rules(&by_name)),
        (
            vec!["named web".into()],
            vec!["name:web - ingress all 0.0.0.0/0".into()]
        )
    );
}

#[test]
fn revokes_tell_what_was_removed_by_response_or_by_id() {
    let listed = json!({"_return": true, "revokedSecurityGroupRuleSet": {"items": [{"groupId": "sg-1", "securityGroupRuleId": "sgr-1",
        "isEgress": false, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"}]}});
    let ids = json!({"groupId": "sg-1", "ipPermissions": {}, "securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}, {"securityGroupRuleId": "sgr-2"}]}});
    assert_eq!(
        rules(&change("RevokeSecurityGroupIngress", ids.clone(), listed)),
        ["sg-1 - ingress tcp:22 0.0.0.0/0"]
    );
    assert_eq!(
        rules(&change("RevokeSecurityGroupIngress", ids, ok())),
        ["sg-1 - sgr-1", "sg-1 - sgr-2"]
    );
    let scalars = json!({"groupId": "sg-1", "ipPermissions": {}, "securityGroupRuleIds": {"items": ["sgr-1"]}});
    assert_eq!(
        rules(&change("RevokeSecurityGroupIngress", scalars, ok())),
        ["sg-1 - sgr-1"]
    );
}

#[test]
fn modify_reads_one_or_several_rules_of_the_wrapped_style() {
    let modify = |rule: Value| {
        let request = json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule": rule}});
        change(
            "ModifySecurityGroupRules",
            request,
            json!({"ModifySecurityGroupRulesResponse": {"xmlns": "…", "requestId": "r", "return": true}}),
        )
    };
    let one = modify(
        json!({"SecurityGroupRuleId": "sgr-1", "tag": 1, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "127.0.0.1/32"}}),
    );
    assert_eq!(rules(&one), ["sg-1 = sgr-1 tcp:443 127.0.0.1/32 -"]);
    let several = modify(json!([
        {"SecurityGroupRuleId": "sgr-1", "tag": 1, "SecurityGroupRule": {"IpProtocol": -1, "CidrIpv6": "::/0", "Description": 7}},
        {"SecurityGroupRuleId": "sgr-2", "tag": 2, "SecurityGroupRule": {"IpProtocol": 6, "FromPort": 1, "ToPort": 2, "PrefixListId": "pl-1"}},
        {"SecurityGroupRuleId": "sgr-3", "tag": 3, "SecurityGroupRule": {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "ReferencedGroupId": "999988887777/sg-2"}}]));
    assert_eq!(
        rules(&several),
        [
            "sg-1 = sgr-1 all ::/0 7",
            "sg-1 = sgr-2 tcp:1-2 pl-1 -",
            "sg-1 = sgr-3 udp:53 sg-2@999988887777 -"
        ]
    );
}

#[test]
fn descriptions_are_read_by_content_and_by_id_wrapped_and_flat() {
    let name = "UpdateSecurityGroupRuleDescriptionsIngress";
    let wrapped = json!({"UpdateSecurityGroupRuleDescriptionsIngressRequest": {"GroupId": "sg-1", "IpPermissions":
        {"tag": 1, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": {"tag": 1, "CidrIp": "0.0.0.0/0", "Description": "x"}}}});
    assert_eq!(
        rules(&change(name, wrapped, Value::Null)),
        ["sg-1 ~ ingress tcp:22 0.0.0.0/0 x"]
    );
    let by_id = json!({"UpdateSecurityGroupRuleDescriptionsIngressRequest": {"GroupId": "sg-1", "SecurityGroupRuleDescription": {"tag": 1, "SecurityGroupRuleId": "sgr-1", "Description": ""}}});
    assert_eq!(rules(&change(name, by_id, Value::Null)), ["sg-1 ~ sgr-1 -"]);
    let flat = permissions(vec![item(
        "-1",
        json!({"ipRanges": {"items": [{"cidrIp": "10.0.0.0/8", "description": "y"}]}}),
    )]);
    let egress = change("UpdateSecurityGroupRuleDescriptionsEgress", flat, ok());
    assert_eq!(rules(&egress), ["sg-1 ~ egress all 10.0.0.0/8 y"]);
}

#[test]
fn a_group_is_born_with_its_egress_rule_and_tags() {
    let request = json!({"groupName": "web", "groupDescription": "d", "vpcId": "vpc-1", "tagSpecificationSet":
        {"items": [{"resourceType": "security-group", "tags": [{"key": "Owner", "value": "net"}]}]}});
    let created = change(
        "CreateSecurityGroup",
        request,
        json!({"_return": true, "groupId": "sg-8"}),
    );
    let [Edit::Created { resource }] = known(&created) else {
        panic!()
    };
    let Resource::SecurityGroup(group) = &**resource else {
        panic!()
    };
    assert_eq!(
        (
            group.name.as_deref(),
            group.vpc.as_ref().unwrap().as_str(),
            group.owner.as_ref().unwrap().as_str()
        ),
        (Some("web"), "vpc-1", ACCOUNT)
    );
    assert_eq!(group.tags.as_ref().unwrap()["Owner"], "net");
    assert_eq!(
        group
            .rules
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["egress all 0.0.0.0/0"]
    );
    let default_vpc = change(
        "CreateSecurityGroup",
        json!({"groupName": "n", "groupDescription": "d"}),
        json!({"groupId": "sg-8"}),
    );
    assert_eq!(resources(&default_vpc), ["sg-8"]);
    let silent = change(
        "CreateSecurityGroup",
        json!({"groupName": "n"}),
        Value::Null,
    );
    assert!(unknown(&silent).contains("id of the new group"));
}

#[test]
fn a_group_is_deleted_by_id_or_by_name() {
    let by_id = change("DeleteSecurityGroup", json!({"groupId": "sg-1"}), ok());
    assert_eq!(
        known(&by_id),
        [Edit::Deleted {
            resource: DeletedRef::Id("sg-1".parse().unwrap())
        }]
    );
    let by_name = change("DeleteSecurityGroup", json!({"groupName": "old"}), ok());
    assert_eq!(
        known(&by_name),
        [Edit::Deleted {
            resource: DeletedRef::GroupNamed("old".into())
        }]
    );
    assert_eq!(resources(&by_name), ["named old"]);
}

#[test]
fn what_is_not_understood_is_unknown_with_the_group_it_touched() {
    let peerless = permissions(vec![item("-1", json!({}))]);
    let named_peer = permissions(vec![item(
        "tcp",
        json!({"groups": {"items": [{"groupName": "app", "userId": ACCOUNT}]}}),
    )]);
    let cases: Vec<(Value, &str)> = vec![
        (peerless, "without a source"),
        (named_peer, "by name only"),
        (
            permissions(vec![item("tcpp", json!({"ipRanges": v4("0.0.0.0/0")}))]),
            "`tcpp` is not a protocol",
        ),
        (
            permissions(vec![item(
                "tcp",
                json!({"fromPort": "x", "ipRanges": v4("0.0.0.0/0")}),
            )]),
            "`fromPort` is `x`",
        ),
        (
            permissions(vec![item("-1", json!({"ipRanges": v4("everywhere")}))]),
            "`everywhere` is not a network",
        ),
        (
            json!({"groupId": "sg-1", "ipPermissions": {}, "sourceSecurityGroupName": "app", "sourceSecurityGroupOwnerId": "1"}),
            "by name only",
        ),
        (json!({"groupId": "sg-1"}), "names no rules"),
    ];
    for (request, why) in cases {
        let change = change("AuthorizeSecurityGroupIngress", request, ok());
        assert!(
            unknown(&change).contains(why),
            "{} in {}",
            why,
            unknown(&change)
        );
        assert_eq!(resources(&change), ["sg-1"]);
    }
}

#[test]
fn omitted_parameters_are_unknown_unless_the_response_tells_all() {
    let rule_set = json!({"items": [{"groupId": "sg-1", "securityGroupRuleId": "sgr-1", "isEgress": false, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}]});
    let told = change(
        "AuthorizeSecurityGroupIngress",
        Value::Null,
        json!({"_return": true, "securityGroupRuleSet": rule_set}),
    );
    assert_eq!(rules(&told), ["sg-1 + ingress all 0.0.0.0/0 sgr-1"]);
    for name in [
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupEgress",
        "ModifySecurityGroupRules",
        "DeleteSecurityGroup",
    ] {
        let change = change(name, Value::Null, Value::Null);
        assert!(unknown(&change).contains("omits it above 100 KB"), "{name}");
        assert!(change.touched.is_empty(), "{name}");
    }
    let refused = change(
        "DeleteSecurityGroup",
        json!({"groupId": "sg-1"}),
        json!({"requestId": "r", "_return": false}),
    );
    assert!(unknown(&refused).contains("return: false"));
}
