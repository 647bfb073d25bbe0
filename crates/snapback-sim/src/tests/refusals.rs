//! What EC2 refuses, by code (semantics A, B): a table for each family of calls.

mod routes;
mod states;

use super::{mallory, rule, shop};
use crate::{Call, GroupBy, Layout, Revoked, RuleBy, RuleChange, World};
use snapback_model::*;

type Case = (&'static str, Call, &'static str);

/// Runs each case on a fresh account: `""` stands for success; a refusal changes nothing.
fn check(cases: impl Fn(&World, &Layout) -> Vec<Case>) {
    let (world, layout) = shop();
    let names: Vec<_> = cases(&world, &layout)
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    for (index, name) in names.into_iter().enumerate() {
        let (world, layout) = shop();
        let (_, call, expected) = cases(&world, &layout).swap_remove(index);
        let before = world.snapshot();
        let code = world
            .call(&mallory(), call)
            .err()
            .map_or(String::new(), |error| error.code);
        assert_eq!(code, expected, "{name}");
        assert_eq!(
            world.snapshot() == before,
            !expected.is_empty(),
            "{name}: effect"
        );
        assert_eq!(world.inconsistencies(), Vec::<String>::new(), "{name}");
    }
}

fn sg(layout_group: &SecurityGroupId, rules: &[&str]) -> Call {
    Call::authorize(layout_group, rules.iter().map(|text| (rule(text), None)))
}

#[test]
fn security_group_calls() {
    check(|world, layout| {
        let app = &layout.app;
        let ssh = world
            .rule_id(app, &rule("ingress tcp:22 198.51.100.0/24"))
            .unwrap();
        let foreign = world
            .rule_id(&layout.web, &rule("ingress tcp:80 0.0.0.0/0"))
            .unwrap();
        let gone = SecurityGroupId::from("sg-0gone");
        let change = |id: &SecurityGroupRuleId, text: &str| Call::ModifySecurityGroupRules {
            group: app.clone(),
            changes: vec![RuleChange {
                id: id.clone(),
                traffic: rule(text).traffic,
                peer: rule(text).peer,
                description: None,
            }],
        };
        let by_id = |id: &SecurityGroupRuleId, direction| Call::RevokeSecurityGroup {
            group: app.into(),
            direction,
            rules: Revoked::Ids(vec![id.clone()]),
        };
        let describe = |by| Call::UpdateSecurityGroupRuleDescriptions {
            group: app.into(),
            direction: Direction::Ingress,
            descriptions: vec![(by, Some("x".into()))],
        };
        let delete = |id: &SecurityGroupId| Call::DeleteSecurityGroup { group: id.into() };
        vec![
            ("a new rule", sg(app, &["ingress tcp:22 0.0.0.0/0"]), ""),
            (
                "an overlapping rule",
                sg(app, &["ingress tcp:22 198.51.100.0/25"]),
                "",
            ),
            (
                "the same rule again",
                sg(app, &["ingress tcp:22 198.51.100.0/24"]),
                "InvalidPermission.Duplicate",
            ),
            (
                "all or nothing",
                sg(
                    app,
                    &["ingress tcp:23 0.0.0.0/0", "ingress tcp:22 198.51.100.0/24"],
                ),
                "InvalidPermission.Duplicate",
            ),
            (
                "twice in one call",
                sg(
                    app,
                    &["ingress tcp:23 0.0.0.0/0", "ingress tcp:23 0.0.0.0/0"],
                ),
                "InvalidParameterValue",
            ),
            ("no rule", sg(app, &[]), "MissingParameter"),
            (
                "no group",
                sg(&gone, &["ingress tcp:22 0.0.0.0/0"]),
                "InvalidGroup.NotFound",
            ),
            (
                "no such peer group",
                sg(app, &["ingress tcp:22 sg-0gone"]),
                "InvalidGroup.NotFound",
            ),
            (
                "a group of another account",
                sg(app, &["ingress tcp:22 sg-0abc@999900001111"]),
                "",
            ),
            (
                "no such prefix list",
                sg(app, &["ingress tcp:22 pl-0gone"]),
                "InvalidPrefixListID.NotFound",
            ),
            (
                "revoke what is not there",
                Call::revoke(app, [rule("ingress tcp:23 0.0.0.0/0")]),
                "InvalidPermission.NotFound",
            ),
            (
                "revoke nothing of a batch with one missing",
                Call::revoke(
                    app,
                    [
                        rule("ingress tcp:22 198.51.100.0/24"),
                        rule("ingress tcp:23 0.0.0.0/0"),
                    ],
                ),
                "InvalidPermission.NotFound",
            ),
            ("revoke by id", by_id(&ssh, Direction::Ingress), ""),
            (
                "revoke by id in the other direction",
                by_id(&ssh, Direction::Egress),
                "InvalidSecurityGroupRuleId.NotFound",
            ),
            (
                "revoke by another group's id",
                by_id(&foreign, Direction::Ingress),
                "InvalidSecurityGroupRuleId.NotFound",
            ),
            ("modify", change(&ssh, "ingress tcp:22 0.0.0.0/0"), ""),
            (
                "modify to another peer type",
                change(&ssh, "ingress tcp:22 ::/0"),
                "InvalidParameterValue",
            ),
            (
                "modify a rule of another group",
                change(&foreign, "ingress tcp:80 10.0.0.0/8"),
                "InvalidSecurityGroupRuleId.NotFound",
            ),
            ("describe", describe(RuleBy::Id(ssh.clone())), ""),
            (
                "describe no rule",
                describe(RuleBy::Key(rule("ingress tcp:23 0.0.0.0/0"))),
                "InvalidPermission.NotFound",
            ),
            (
                "describe no rule id",
                describe(RuleBy::Id("sgr-0gone".into())),
                "InvalidSecurityGroupRuleId.NotFound",
            ),
            (
                "delete the default group",
                delete(&layout.default_group),
                "CannotDelete",
            ),
            (
                "delete a group in use",
                delete(&layout.db),
                "DependencyViolation",
            ),
            (
                "delete a referenced group",
                delete(&layout.web),
                "DependencyViolation",
            ),
            ("delete no group", delete(&gone), "InvalidGroup.NotFound"),
            (
                "a name that is taken",
                Call::CreateSecurityGroup {
                    name: "web".into(),
                    description: "x".into(),
                    vpc: Some(layout.vpc.clone()),
                    tags: Tags::new(),
                },
                "InvalidGroup.Duplicate",
            ),
            (
                "no default VPC",
                Call::CreateSecurityGroup {
                    name: "new".into(),
                    description: "x".into(),
                    vpc: None,
                    tags: Tags::new(),
                },
                "VPCIdNotSpecified",
            ),
            (
                "by name outside the default VPC",
                Call::DeleteSecurityGroup {
                    group: GroupBy::Name("web".into()),
                },
                "InvalidGroup.NotFound",
            ),
        ]
    });
}

fn key(text: &str) -> EntryKey {
    text.parse().unwrap()
}

fn entry(action: RuleAction, traffic: &str, cidr: &str) -> NetworkAclEntry {
    NetworkAclEntry::new(action, traffic.parse().unwrap(), cidr.parse().unwrap())
}

#[test]
fn network_acl_calls() {
    check(|world, layout| {
        let acl = &layout.db_acl;
        let allow = entry(RuleAction::Allow, "tcp:5432", "10.0.10.0/23");
        let create = |text: &str, entry: &NetworkAclEntry| Call::CreateNetworkAclEntry {
            acl: acl.clone(),
            key: key(text),
            entry: entry.clone(),
        };
        let replace = |text: &str| Call::ReplaceNetworkAclEntry {
            acl: acl.clone(),
            key: key(text),
            entry: entry(RuleAction::Deny, "all", "0.0.0.0/0"),
        };
        let delete = |text: &str| Call::DeleteNetworkAclEntry {
            acl: acl.clone(),
            key: key(text),
        };
        let association = world.acl_association(&layout.db_a).unwrap();
        let swap = |id: &AssociationId, to: &str| Call::ReplaceNetworkAclAssociation {
            association: id.clone(),
            acl: to.into(),
        };
        vec![
            ("a free number", create("ingress 50", &allow), ""),
            (
                "the number of the other direction",
                create("egress 90", &allow),
                "",
            ),
            (
                "a taken number",
                create("ingress 90", &allow),
                "NetworkAclEntryAlreadyExists",
            ),
            ("replace", replace("ingress 100"), ""),
            (
                "replace nothing",
                replace("ingress 101"),
                "InvalidNetworkAclEntry.NotFound",
            ),
            ("delete", delete("egress 100"), ""),
            (
                "delete nothing",
                delete("egress 90"),
                "InvalidNetworkAclEntry.NotFound",
            ),
            (
                "no ACL",
                Call::DeleteNetworkAcl {
                    acl: "acl-0gone".into(),
                },
                "InvalidNetworkAclID.NotFound",
            ),
            (
                "the default ACL",
                Call::DeleteNetworkAcl {
                    acl: layout.default_acl.clone(),
                },
                "InvalidParameterValue",
            ),
            (
                "an ACL with subnets",
                Call::DeleteNetworkAcl { acl: acl.clone() },
                "DependencyViolation",
            ),
            (
                "move a subnet",
                swap(&association, layout.default_acl.as_str()),
                "",
            ),
            (
                "move to no ACL",
                swap(&association, "acl-0gone"),
                "InvalidNetworkAclID.NotFound",
            ),
            (
                "a stale association",
                swap(&"aclassoc-0gone".into(), layout.default_acl.as_str()),
                "InvalidAssociationID.NotFound",
            ),
        ]
    });
}

#[test]
fn creating_an_identical_entry_succeeds_and_every_swap_gives_a_new_association() {
    let (world, layout) = shop();
    let same = entry(RuleAction::Allow, "tcp:5432", "10.0.10.0/23");
    let before = world.snapshot();
    world
        .call(
            &mallory(),
            Call::CreateNetworkAclEntry {
                acl: layout.db_acl.clone(),
                key: key("ingress 100"),
                entry: same,
            },
        )
        .unwrap();
    assert_eq!(world.snapshot(), before);
    let old = world.acl_association(&layout.db_a).unwrap();
    let swap = Call::ReplaceNetworkAclAssociation {
        association: old.clone(),
        acl: layout.db_acl,
    };
    let outcome = world.call(&mallory(), swap.clone()).unwrap();
    assert_eq!(
        world.acl_association(&layout.db_a).unwrap().as_str(),
        outcome.first()
    );
    assert_eq!(
        world.call(&mallory(), swap).unwrap_err().code,
        "InvalidAssociationID.NotFound"
    );
}

fn to(text: &str) -> Destination {
    text.parse().unwrap()
}
