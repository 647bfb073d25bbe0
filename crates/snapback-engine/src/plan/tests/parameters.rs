//! The request of every call, held against `parameters.json`. `cargo xtask template`
//! validates that file against botocore's model of EC2.

use super::*;
use serde_json::Value;

const GOLDEN: &str = include_str!("parameters.json");

fn rules(keys: &[&str]) -> BTreeMap<RuleKey, RuleDetail> {
    keys.iter()
        .map(|text| (key(text), RuleDetail::default()))
        .collect()
}

/// A call of every variant, and of every form that its parameters take.
fn every_call() -> Vec<Action> {
    let mut calls = group_calls();
    calls.extend(acl_calls());
    calls.extend(table_calls());
    let tags = Tags::from([
        ("Owner".to_owned(), "web".to_owned()),
        ("Stage".to_owned(), String::new()),
    ]);
    calls.push(Action::CreateTags {
        target: "sgr-1".into(),
        tags: tags.clone(),
    });
    calls.push(Action::DeleteTags {
        target: "acl-1".into(),
        tags,
    });
    calls
}

fn group_calls() -> Vec<Action> {
    let group = || SecurityGroupId::from("sg-1");
    let tags = Some(Tags::from([("Owner".to_owned(), "web".to_owned())]));
    let many = [
        "ingress tcp:443 0.0.0.0/0",
        "ingress tcp:443 ::/0",
        "ingress tcp:443 pl-1",
        "ingress tcp:443 sg-2",
        "ingress udp:53-54 sg-3@222222222222",
        "ingress icmp:8 10.0.0.0/8",
        "ingress icmpv6:all ::/0",
        "ingress protocol:50 10.0.0.0/8",
        "ingress all 10.0.0.0/8",
    ];
    let mut described = rules(&many);
    described.insert(
        key("ingress tcp:22 10.0.0.0/8"),
        RuleDetail {
            description: Some("it's \"ssh\"".into()),
            tags: tags.clone(),
        },
    );
    for detail in described.values_mut() {
        detail.tags.clone_from(&tags);
    }
    let modify = |from: &str, to: &str| Action::ModifySecurityGroupRule {
        group: group(),
        id: "sgr-1".into(),
        from: key(from),
        to: key(to),
        description: Some("ssh".into()),
    };
    let by_id = BTreeMap::from([(key("ingress tcp:22 0.0.0.0/0"), Some("sgr-1".into()))]);
    let mut mixed = by_id.clone();
    mixed.insert(key("ingress tcp:22 ::/0"), None);
    let texts = |direction: &str| {
        BTreeMap::from([
            (
                key(&format!("{direction} tcp:22 10.0.0.0/8")),
                Some("ssh".to_owned()),
            ),
            (key(&format!("{direction} tcp:443 sg-2")), None),
        ])
    };
    vec![
        Action::AuthorizeSecurityGroupRules {
            group: group(),
            direction: Direction::Ingress,
            rules: described,
        },
        Action::AuthorizeSecurityGroupRules {
            group: group(),
            direction: Direction::Egress,
            rules: rules(&["egress all 0.0.0.0/0"]),
        },
        Action::RevokeSecurityGroupRules {
            group: group(),
            direction: Direction::Ingress,
            rules: by_id,
        },
        Action::RevokeSecurityGroupRules {
            group: group(),
            direction: Direction::Ingress,
            rules: mixed,
        },
        Action::RevokeSecurityGroupRules {
            group: group(),
            direction: Direction::Egress,
            rules: BTreeMap::from([(key("egress all 0.0.0.0/0"), None)]),
        },
        modify("ingress tcp:22 0.0.0.0/0", "ingress tcp:22 10.0.0.0/8"),
        modify("egress tcp:22 ::/0", "egress all 2001:db8::/32"),
        modify("ingress tcp:22 pl-1", "ingress tcp:23 pl-2"),
        modify("ingress tcp:22 sg-2", "ingress icmp:3/4 sg-3"),
        Action::UpdateSecurityGroupRuleDescriptions {
            group: group(),
            direction: Direction::Ingress,
            rules: texts("ingress"),
        },
        Action::UpdateSecurityGroupRuleDescriptions {
            group: group(),
            direction: Direction::Egress,
            rules: texts("egress"),
        },
    ]
}

fn acl_calls() -> Vec<Action> {
    let acl = || NetworkAclId::from("acl-1");
    let create = |at: &str, what: &str| Action::CreateNetworkAclEntry {
        acl: acl(),
        key: entry_key(at),
        entry: entry(what),
    };
    vec![
        create("ingress 100", "allow tcp:443 0.0.0.0/0"),
        create("egress 100", "deny all ::/0"),
        create("ingress 110", "allow icmp:3/4 0.0.0.0/0"),
        create("ingress 120", "allow icmpv6:2 ::/0"),
        create("ingress 130", "allow protocol:50 10.0.0.0/8"),
        Action::ReplaceNetworkAclEntry {
            acl: acl(),
            key: entry_key("egress 200"),
            from: entry("deny all 0.0.0.0/0"),
            entry: entry("allow udp:53 0.0.0.0/0"),
        },
        Action::DeleteNetworkAclEntry {
            acl: acl(),
            key: entry_key("ingress 50"),
            entry: entry("deny all 0.0.0.0/0"),
        },
        Action::ReplaceNetworkAclAssociation {
            subnet: "subnet-1".into(),
            from: None,
            acl: acl(),
        },
        Action::ReplaceNetworkAclAssociation {
            subnet: "subnet-unread".into(),
            from: None,
            acl: acl(),
        },
    ]
}

fn table_calls() -> Vec<Action> {
    let table = || RouteTableId::from("rtb-1");
    let destination = |text: &str| text.parse::<Destination>().unwrap();
    let targets = [
        "igw-1", "vgw-1", "nat-1", "eni-1", "pcx-1", "tgw-1", "vpce-1",
    ]
    .map(target);
    let rare = [
        RouteTarget::CarrierGateway("cagw-1".into()),
        RouteTarget::LocalGateway("lgw-1".into()),
        RouteTarget::CoreNetwork(
            "arn:aws:networkmanager::111111111111:core-network/core-network-1".into(),
        ),
    ];
    let create = |at: &str, target: RouteTarget| Action::CreateRoute {
        table: table(),
        destination: destination(at),
        target,
    };
    let mut calls: Vec<Action> = targets
        .into_iter()
        .chain(rare)
        .map(|target| create("0.0.0.0/0", target))
        .collect();
    calls.push(create("::/0", target("eigw-1")));
    calls.push(create("pl-1", target("tgw-1")));
    for (at, to) in [("10.0.0.0/16", "local"), ("::/0", "igw-1")] {
        calls.push(Action::ReplaceRoute {
            table: table(),
            destination: destination(at),
            from: target("eni-1"),
            target: target(to),
        });
    }
    for at in ["0.0.0.0/0", "::/0", "pl-1"] {
        calls.push(Action::DeleteRoute {
            table: table(),
            destination: destination(at),
            from: target("eni-1"),
        });
    }
    let subnet = AssociationSubject::Subnet("subnet-1".into());
    let gateway = AssociationSubject::Gateway("igw-1".into());
    let main = AssociationSubject::Main(vpc());
    for subject in [&subnet, &gateway] {
        calls.push(Action::AssociateRouteTable {
            table: table(),
            subject: subject.clone(),
        });
        calls.push(Action::DisassociateRouteTable {
            subject: subject.clone(),
            from: table(),
        });
    }
    for subject in [subnet, gateway, main] {
        calls.push(Action::ReplaceRouteTableAssociation {
            subject,
            from: None,
            table: table(),
        });
    }
    calls.push(Action::EnableVgwRoutePropagation {
        table: table(),
        gateway: "vgw-1".into(),
    });
    calls.push(Action::DisableVgwRoutePropagation {
        table: table(),
        gateway: "vgw-1".into(),
    });
    calls.push(Action::DeleteRouteTable { table: table() });
    calls
}

fn handles() -> Handles {
    let mut table = table("rtb-old", &["subnet-1"], &[]);
    table.main = true;
    table.gateways.insert("igw-1".into());
    snapshot([
        acl("acl-old", &["subnet-1"], &[]).into_resource(),
        table.into_resource(),
    ])
    .handles
}

#[test]
fn every_call_takes_the_parameters_that_the_cli_and_boto3_take() {
    let handles = handles();
    let made: Vec<Value> = every_call()
        .iter()
        .map(|call| serde_json::json!({ "action": call.api(), "parameters": call.parameters(&handles) }))
        .collect();
    let golden: Vec<Value> = serde_json::from_str(GOLDEN).unwrap();
    for (made, golden) in made.iter().zip(&golden) {
        assert_eq!(made, golden);
    }
    assert_eq!(
        made.len(),
        golden.len(),
        "{}",
        serde_json::to_string_pretty(&made).unwrap()
    );
}

#[test]
fn every_call_survives_its_stored_form() {
    for call in every_call() {
        let stored = serde_json::to_string(&call).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&stored).unwrap(), call);
    }
}

#[test]
fn every_call_is_told_in_one_line_that_names_the_api_and_the_element() {
    let lines: BTreeSet<String> = every_call().iter().map(Action::describe).collect();
    assert_eq!(lines.len(), every_call().len(), "two calls read alike");
    for call in every_call() {
        let line = call.describe();
        assert!(
            line.starts_with(call.api())
                && line.len() > call.api().len() + 3
                && !line.contains('\n'),
            "{line}"
        );
    }
}
