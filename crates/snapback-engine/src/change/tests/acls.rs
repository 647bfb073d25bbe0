use super::*;

fn ok() -> Value {
    json!({"_return": true, "requestId": "r-1"})
}

fn entry(protocol: Value, extra: Value) -> Value {
    let mut entry = json!({"networkAclId": "acl-1", "ruleNumber": 100, "egress": false, "ruleAction": "allow", "aclProtocol": protocol,
        "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {}, "portRange": {}});
    for (name, value) in extra.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

#[test]
fn entries_are_read_in_every_shape() {
    let v6 = |extra: Value| {
        let mut entry = entry(json!("58"), extra);
        entry.as_object_mut().unwrap().remove("cidrBlock");
        entry["ipv6CidrBlock"] = json!("::/0");
        entry
    };
    let cases = [
        (
            entry(json!("17"), json!({"portRange": {"from": 53, "to": 53}})),
            "ingress 100 allow udp:53 0.0.0.0/0",
        ),
        (
            entry(json!("-1"), json!({})),
            "ingress 100 allow all 0.0.0.0/0",
        ),
        (
            entry(json!("-1"), json!({"portRange": {"from": -1, "to": -1}})),
            "ingress 100 allow all 0.0.0.0/0",
        ),
        (
            entry(
                json!(6),
                json!({"egress": true, "ruleAction": "deny", "portRange": {"from": 700, "to": 702}}),
            ),
            "egress 100 deny tcp:700-702 0.0.0.0/0",
        ),
        (
            entry(json!("1"), json!({"icmpTypeCode": {"type": 8, "code": -1}})),
            "ingress 100 allow icmp:8 0.0.0.0/0",
        ),
        (
            entry(
                json!("58"),
                json!({"icmpTypeCode": {"type": 8, "code": -1}}),
            ),
            "ingress 100 allow icmpv6:all 0.0.0.0/0",
        ),
        (
            v6(json!({"icmpTypeCode": {"type": 128, "code": 0}})),
            "ingress 100 allow icmpv6:128/0 ::/0",
        ),
        (
            entry(
                json!("6"),
                json!({"cidrBlock": "10.1.2.3/8", "ruleNumber": "32766"}),
            ),
            "ingress 32766 allow tcp:all 10.0.0.0/8",
        ),
    ];
    for (request, expected) in cases {
        for name in ["CreateNetworkAclEntry", "ReplaceNetworkAclEntry"] {
            let change = change(name, request.clone(), ok());
            let [Edit::EntrySet { acl, key, entry }] = known(&change) else {
                panic!()
            };
            assert_eq!(
                (acl.as_str(), format!("{key} {entry}").as_str()),
                ("acl-1", expected)
            );
            assert_eq!(resources(&change), ["acl-1"]);
        }
    }
}

#[test]
fn a_deleted_entry_is_named_by_direction_and_number() {
    let change = change(
        "DeleteNetworkAclEntry",
        json!({"networkAclId": "acl-1", "ruleNumber": 100, "egress": true}),
        ok(),
    );
    let [Edit::EntryRemoved { key, .. }] = known(&change) else {
        panic!()
    };
    assert_eq!(key.to_string(), "egress 100");
}

#[test]
fn a_created_acl_has_no_editable_entries() {
    let response = json!({"networkAcl": {"networkAclId": "acl-1", "vpcId": "vpc-1", "isDefault": false, "ownerId": ACCOUNT, "entrySet": {"items": [
        {"ruleNumber": 32767, "aclProtocol": "-1", "ruleAction": "deny", "egress": true, "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {}, "portRange": {}},
        {"ruleNumber": 32768, "aclProtocol": "-1", "ruleAction": "deny", "egress": false, "ipv6CidrBlock": "::/0"}]},
        "associationSet": {}, "tagSet": {"items": [{"key": "Name", "value": "dmz"}]}}});
    let change = change("CreateNetworkAcl", json!({"vpcId": "vpc-1"}), response);
    let [Edit::Created { resource }] = known(&change) else {
        panic!()
    };
    let Resource::NetworkAcl(acl) = &**resource else {
        panic!()
    };
    assert!(acl.entries.is_empty() && acl.subnets.is_empty() && !acl.is_default);
    assert_eq!(
        (acl.vpc.as_str(), acl.tags["Name"].as_str()),
        ("vpc-1", "dmz")
    );
    let deleted = super::change("DeleteNetworkAcl", json!({"networkAclId": "acl-1"}), ok());
    assert_eq!(
        known(&deleted),
        [Edit::Deleted {
            resource: DeletedRef::Id("acl-1".parse().unwrap())
        }]
    );
}

#[test]
fn a_reassociation_touches_the_old_id_and_the_new_acl() {
    let change = change(
        "ReplaceNetworkAclAssociation",
        json!({"associationId": "aclassoc-1", "networkAclId": "acl-2"}),
        json!({"requestId": "r", "newAssociationId": "aclassoc-9"}),
    );
    assert_eq!(
        known(&change),
        [Edit::AclReassociated {
            association: "aclassoc-1".into(),
            acl: "acl-2".into(),
            new_association: Some("aclassoc-9".into())
        }]
    );
    assert_eq!(resources(&change), ["acl-2", "aclassoc-1"]);
}

#[test]
fn what_is_not_understood_is_unknown_with_the_acl_it_touched() {
    let cases = [
        (
            entry(json!("-1"), json!({"ruleNumber": 32767})),
            "not a number from 1 to 32766",
        ),
        (
            entry(json!("-1"), json!({"ruleAction": "maybe"})),
            "neither allow nor deny",
        ),
        (
            entry(json!("-1"), json!({"cidrBlock": null})),
            "`cidrBlock` is missing",
        ),
        (
            entry(json!("-1"), json!({"egress": {}})),
            "`egress` is missing",
        ),
        (
            entry(
                json!("6"),
                json!({"portRange": {"from": 70000, "to": 70000}}),
            ),
            "not a port range",
        ),
    ];
    for (request, why) in cases {
        let change = change("CreateNetworkAclEntry", request, ok());
        assert!(unknown(&change).contains(why), "{}", unknown(&change));
        assert_eq!(resources(&change), ["acl-1"]);
    }
    let omitted = change(
        "ReplaceNetworkAclAssociation",
        Value::Null,
        json!({"newAssociationId": "aclassoc-9"}),
    );
    assert!(unknown(&omitted).contains("100 KB"));
}
