//! What single calls find and do: the twin of EC2 and the precondition.

use super::*;

/// A group, an ACL and a table, and the subnets they hold.
fn account() -> Snapshot {
    let mut table = table("rtb-1", &["subnet-1"], &["0.0.0.0/0 igw-1"]);
    table.main = true;
    snapshot([
        group(
            "sg-1",
            &["ingress tcp:22 10.0.0.0/8", "ingress tcp:443 0.0.0.0/0"],
        )
        .into_resource(),
        acl("acl-1", &["subnet-1"], &["ingress 100 allow all 0.0.0.0/0"]).into_resource(),
        acl("acl-2", &[], &[]).into_resource(),
        table.into_resource(),
        super::table("rtb-2", &[], &[]).into_resource(),
    ])
}

fn revoke(rule: &str, id: Option<&str>) -> Action {
    Action::RevokeSecurityGroupRules {
        group: "sg-1".into(),
        direction: Direction::Ingress,
        rules: BTreeMap::from([(key(rule), id.map(SecurityGroupRuleId::from))]),
    }
}

fn authorize(rules: &[&str]) -> Action {
    let rules = rules
        .iter()
        .map(|rule| (key(rule), RuleDetail::default()))
        .collect();
    Action::AuthorizeSecurityGroupRules {
        group: "sg-1".into(),
        direction: Direction::Ingress,
        rules,
    }
}

fn modify(from: &str, to: &str) -> Action {
    let description = Some("new".to_owned());
    Action::ModifySecurityGroupRule {
        group: "sg-1".into(),
        id: "sgr-0".into(),
        from: key(from),
        to: key(to),
        description,
    }
}

fn replace_entry(from: &str, to: &str) -> Action {
    Action::ReplaceNetworkAclEntry {
        acl: "acl-1".into(),
        key: entry_key("ingress 100"),
        from: entry(from),
        entry: entry(to),
    }
}

fn move_acl(from: &str, to: &str) -> Action {
    Action::ReplaceNetworkAclAssociation {
        subnet: "subnet-1".into(),
        from: Some(from.into()),
        acl: to.into(),
    }
}

fn create_route(at: &str, to: RouteTarget) -> Action {
    Action::CreateRoute {
        table: "rtb-1".into(),
        destination: at.parse().unwrap(),
        target: to,
    }
}

fn replace_route(at: &str, from: &str, to: &str) -> Action {
    Action::ReplaceRoute {
        table: "rtb-1".into(),
        destination: at.parse().unwrap(),
        from: target(from),
        target: target(to),
    }
}

fn delete_route(at: &str, from: &str) -> Action {
    Action::DeleteRoute {
        table: "rtb-1".into(),
        destination: at.parse().unwrap(),
        from: target(from),
    }
}

fn rebind(subject: AssociationSubject, from: Option<&str>, to: &str) -> Action {
    Action::ReplaceRouteTableAssociation {
        subject,
        from: from.map(RouteTableId::from),
        table: to.into(),
    }
}

fn subnet() -> AssociationSubject {
    AssociationSubject::Subnet("subnet-1".into())
}

#[test]
fn a_call_that_finds_something_else_is_refused_in_words_and_changes_nothing() {
    let cases: Vec<(Action, &str)> = vec![
        (
            authorize(&["ingress udp:53 10.0.0.0/8", "ingress tcp:443 0.0.0.0/0"]),
            "already has",
        ),
        (authorize(&["egress udp:53 10.0.0.0/8"]), "no ingress rule"),
        (revoke("ingress tcp:80 0.0.0.0/0", None), "has no"),
        (
            revoke("ingress tcp:443 0.0.0.0/0", Some("sgr-other")),
            "another id",
        ),
        (
            modify("ingress tcp:22 10.0.0.0/8", "ingress tcp:443 0.0.0.0/0"),
            "already has",
        ),
        (
            modify("ingress tcp:22 10.0.0.0/8", "ingress tcp:22 ::/0"),
            "kind of peer",
        ),
        (
            modify("ingress tcp:443 0.0.0.0/0", "ingress tcp:80 0.0.0.0/0"),
            "is not",
        ),
        (
            replace_entry("deny all 0.0.0.0/0", "allow tcp:443 0.0.0.0/0"),
            "is `allow all 0.0.0.0/0`",
        ),
        (move_acl("acl-2", "acl-1"), "is in acl-1"),
        (move_acl("acl-1", "acl-1"), "already"),
        (move_acl("acl-1", "acl-gone"), "not in the snapshot"),
        (
            create_route("0.0.0.0/0", target("nat-1")),
            "already has a route",
        ),
        (
            create_route("10.1.0.0/16", RouteTarget::Unrecognized("odb-1".into())),
            "does not know",
        ),
        (
            create_route("pl-1", RouteTarget::GatewayEndpoint("vpce-1".into())),
            "ModifyVpcEndpoint",
        ),
        (
            replace_route("0.0.0.0/0", "nat-1", "tgw-1"),
            "leads to igw-1",
        ),
        (
            replace_route("0.0.0.0/0", "igw-1", "local"),
            "cannot be local",
        ),
        (
            replace_route("10.1.0.0/16", "igw-1", "nat-1"),
            "has no route",
        ),
        (delete_route("10.0.0.0/16", "local"), "cannot be deleted"),
        (
            Action::AssociateRouteTable {
                table: "rtb-2".into(),
                subject: subnet(),
            },
            "explicitly on rtb-1",
        ),
        (rebind(subnet(), Some("rtb-1"), "rtb-1"), "already"),
        (
            rebind(AssociationSubject::Main(vpc()), None, "rtb-1"),
            "main table",
        ),
        (
            Action::DisassociateRouteTable {
                subject: subnet(),
                from: "rtb-2".into(),
            },
            "explicitly on rtb-1",
        ),
        (
            Action::AssociateRouteTable {
                table: "rtb-1".into(),
                subject: AssociationSubject::Gateway("igw-1".into()),
            },
            "edge",
        ),
        (
            Action::DisableVgwRoutePropagation {
                table: "rtb-1".into(),
                gateway: "vgw-1".into(),
            },
            "off already",
        ),
        (
            Action::CreateTags {
                target: "sgr-other".into(),
                tags: Tags::new(),
            },
            "not in the snapshot",
        ),
    ];
    for (action, words) in cases {
        let mut state = account();
        let why = apply(&action, &mut state).expect_err(&action.describe());
        assert!(why.contains(words), "{}: {why}", action.describe());
        assert_eq!(state, account(), "{}", action.describe());
    }
}

#[test]
fn a_call_is_ready_in_place_or_overtaken() {
    use Readiness::{AlreadyInPlace, Changed, Ready};
    let changed = |readiness: Readiness| matches!(readiness, Changed(_));
    let ready = [
        authorize(&["ingress udp:53 10.0.0.0/8"]),
        revoke("ingress tcp:443 0.0.0.0/0", None),
        revoke("ingress tcp:443 0.0.0.0/0", Some("sgr-1")),
        modify("ingress tcp:22 10.0.0.0/8", "ingress tcp:22 10.1.0.0/16"),
        replace_entry("allow all 0.0.0.0/0", "deny all 0.0.0.0/0"),
        move_acl("acl-1", "acl-2"),
        create_route("::/0", target("igw-1")),
        rebind(subnet(), None, "rtb-2"),
        rebind(AssociationSubject::Main(vpc()), None, "rtb-2"),
    ];
    let in_place = [
        authorize(&["ingress tcp:443 0.0.0.0/0"]),
        revoke("ingress tcp:80 0.0.0.0/0", Some("sgr-7")),
        replace_entry("deny all 0.0.0.0/0", "allow all 0.0.0.0/0"),
        move_acl("acl-2", "acl-1"),
        create_route("0.0.0.0/0", target("igw-1")),
        delete_route("::/0", "igw-1"),
        rebind(subnet(), None, "rtb-1"),
        rebind(AssociationSubject::Main(vpc()), None, "rtb-1"),
        Action::DisableVgwRoutePropagation {
            table: "rtb-1".into(),
            gateway: "vgw-1".into(),
        },
    ];
    let overtaken = [
        authorize(&["ingress udp:53 10.0.0.0/8", "ingress tcp:443 0.0.0.0/0"]),
        revoke("ingress tcp:443 0.0.0.0/0", Some("sgr-old")),
        modify("ingress tcp:22 0.0.0.0/0", "ingress tcp:22 10.1.0.0/16"),
        replace_entry("deny tcp:22 0.0.0.0/0", "deny all 0.0.0.0/0"),
        move_acl("acl-2", "acl-gone"),
        create_route("0.0.0.0/0", target("nat-1")),
        replace_route("::/0", "nat-1", "igw-1"),
        delete_route("0.0.0.0/0", "nat-1"),
        rebind(subnet(), Some("rtb-2"), "rtb-gone"),
    ];
    let live = account();
    for action in ready {
        assert_eq!(readiness(&action, &live), Ready, "{}", action.describe());
    }
    for action in in_place {
        assert_eq!(
            readiness(&action, &live),
            AlreadyInPlace,
            "{}",
            action.describe()
        );
    }
    for action in overtaken {
        assert!(changed(readiness(&action, &live)), "{}", action.describe());
    }
}

#[test]
fn parts_made_anew_get_new_ids_and_modified_rules_keep_theirs() {
    let mut state = account();
    apply(
        &modify("ingress tcp:22 10.0.0.0/8", "ingress tcp:22 10.1.0.0/16"),
        &mut state,
    )
    .unwrap();
    assert_eq!(
        state.handles.rules[&"sgr-0".into()].rule,
        key("ingress tcp:22 10.1.0.0/16")
    );
    let rule = "ingress tcp:443 0.0.0.0/0";
    apply(&revoke(rule, Some("sgr-1")), &mut state).unwrap();
    apply(&authorize(&[rule]), &mut state).unwrap();
    let id = state.handles.rule_id(&"sg-1".into(), &key(rule)).unwrap();
    assert_ne!(id.as_str(), "sgr-1");
    let before = state
        .handles
        .association_id(Kind::NetworkAcl, &subnet())
        .cloned();
    apply(&move_acl("acl-1", "acl-2"), &mut state).unwrap();
    let after = state
        .handles
        .association_id(Kind::NetworkAcl, &subnet())
        .cloned();
    assert!(after.is_some() && before != after);
    // The same subnet's association with its table is another one.
    assert!(
        state
            .handles
            .association_id(Kind::RouteTable, &subnet())
            .is_some()
    );
}

#[test]
fn propagation_turned_off_takes_its_routes_with_it() {
    let mut live = table("rtb-1", &[], &[]);
    let propagated = Route {
        target: target("vgw-1"),
        origin: RouteOrigin::Propagated,
        blackhole: false,
    };
    live.routes
        .insert("192.168.0.0/16".parse().unwrap(), propagated);
    live.propagating.insert("vgw-1".into());
    let mut state = snapshot([live.into_resource()]);
    apply(
        &Action::DisableVgwRoutePropagation {
            table: "rtb-1".into(),
            gateway: "vgw-1".into(),
        },
        &mut state,
    )
    .unwrap();
    assert_eq!(
        state.resources,
        goal([table("rtb-1", &[], &[]).into_resource()])
    );
}

#[test]
fn a_tag_with_another_value_is_not_deleted() {
    let mut state = account();
    let tags = |value: &str| Tags::from([("Owner".to_owned(), value.to_owned())]);
    apply(
        &Action::CreateTags {
            target: "acl-1".into(),
            tags: tags("web"),
        },
        &mut state,
    )
    .unwrap();
    apply(
        &Action::DeleteTags {
            target: "acl-1".into(),
            tags: tags("ops"),
        },
        &mut state,
    )
    .unwrap();
    assert_eq!(
        state.resources[&"acl-1".parse().unwrap()].tags(),
        Some(&tags("web"))
    );
}
