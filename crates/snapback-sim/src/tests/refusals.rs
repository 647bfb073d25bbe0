//! What EC2 refuses, by code (semantics A, B): a table for each family of calls.

use super::{mallory, rule, shop};
use crate::{Builder, Call, GroupBy, Layout, Quotas, Revoked, RuleBy, RuleChange, World};
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

#[test]
fn route_calls() {
    check(|_, layout| {
        let table = &layout.public_table;
        let igw = RouteTarget::InternetGateway(layout.internet_gateway.clone());
        let nat = RouteTarget::NatGateway(layout.nat_gateway.clone());
        let eni = RouteTarget::NetworkInterface(layout.app_interface.to_string());
        let create = |text: &str, target: &RouteTarget| Call::CreateRoute {
            table: table.clone(),
            destination: to(text),
            target: target.clone(),
        };
        let replace = |text: &str, target: &RouteTarget| Call::ReplaceRoute {
            table: table.clone(),
            destination: to(text),
            target: target.clone(),
        };
        let delete = |table: &RouteTableId, text: &str| Call::DeleteRoute {
            table: table.clone(),
            destination: to(text),
        };
        let s3 = layout.s3_list.as_str();
        vec![
            ("a new route", create("10.20.0.0/16", &nat), ""),
            (
                "a taken destination",
                create("0.0.0.0/0", &nat),
                "RouteAlreadyExists",
            ),
            (
                "the identical route",
                create("0.0.0.0/0", &igw),
                "RouteAlreadyExists",
            ),
            (
                "inside the VPC, a subnet, to an interface",
                create("10.0.20.0/24", &eni),
                "",
            ),
            (
                "inside the VPC, not a subnet",
                create("10.0.20.0/25", &eni),
                "InvalidParameterValue",
            ),
            (
                "inside the VPC, to the internet",
                create("10.0.20.0/24", &igw),
                "InvalidParameterValue",
            ),
            (
                "no gateway",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::InternetGateway("igw-0gone".into()),
                ),
                "InvalidGatewayID.NotFound",
            ),
            (
                "no NAT gateway",
                create("10.9.0.0/16", &RouteTarget::NatGateway("nat-0gone".into())),
                "InvalidNatGatewayID.NotFound",
            ),
            (
                "no interface",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::NetworkInterface("eni-0gone".into()),
                ),
                "InvalidNetworkInterfaceID.NotFound",
            ),
            (
                "no peering",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::VpcPeeringConnection("pcx-0gone".into()),
                ),
                "InvalidVpcPeeringConnectionID.NotFound",
            ),
            (
                "no transit gateway",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::TransitGateway("tgw-0gone".into()),
                ),
                "InvalidTransitGatewayID.NotFound",
            ),
            (
                "an endpoint route",
                create(s3, &RouteTarget::GatewayEndpoint(layout.endpoint.clone())),
                "InvalidParameterValue",
            ),
            ("replace", replace("0.0.0.0/0", &nat), ""),
            (
                "replace nothing",
                replace("10.9.0.0/16", &nat),
                "InvalidParameterValue",
            ),
            ("replace the local route", replace("10.0.0.0/16", &eni), ""),
            ("delete", delete(table, "0.0.0.0/0"), ""),
            (
                "delete nothing",
                delete(table, "10.9.0.0/16"),
                "InvalidRoute.NotFound",
            ),
            (
                "delete a propagated route",
                delete(&layout.private_table, "192.168.0.0/16"),
                "InvalidRoute.NotFound",
            ),
            (
                "delete the local route",
                delete(table, "10.0.0.0/16"),
                "InvalidParameterValue",
            ),
            (
                "delete an endpoint route",
                delete(&layout.private_table, s3),
                "InvalidParameterValue",
            ),
            (
                "no table",
                delete(&"rtb-0gone".into(), "0.0.0.0/0"),
                "InvalidRouteTableID.NotFound",
            ),
        ]
    });
}

#[test]
fn route_table_association_calls() {
    check(|world, layout| {
        let subnet = |id: &SubnetId| AssociationSubject::Subnet(id.clone());
        let main = world
            .table_association(&AssociationSubject::Main(layout.vpc.clone()))
            .unwrap();
        let public = world.table_association(&subnet(&layout.public_a)).unwrap();
        let associate = |table: &RouteTableId, subject| Call::AssociateRouteTable {
            table: table.clone(),
            subject,
        };
        let disassociate = |id: &AssociationId| Call::DisassociateRouteTable {
            association: id.clone(),
        };
        let replace =
            |id: &AssociationId, table: &RouteTableId| Call::ReplaceRouteTableAssociation {
                association: id.clone(),
                table: table.clone(),
            };
        let delete = |table: &RouteTableId| Call::DeleteRouteTable {
            table: table.clone(),
        };
        let vgw = |enabled, gateway: &str| match enabled {
            true => Call::EnableVgwRoutePropagation {
                table: layout.public_table.clone(),
                gateway: gateway.into(),
            },
            false => Call::DisableVgwRoutePropagation {
                table: layout.private_table.clone(),
                gateway: gateway.into(),
            },
        };
        vec![
            (
                "an implicit subnet",
                associate(&layout.private_table, subnet(&layout.db_a)),
                "",
            ),
            (
                "an explicit subnet",
                associate(&layout.private_table, subnet(&layout.public_a)),
                "Resource.AlreadyAssociated",
            ),
            (
                "no subnet",
                associate(&layout.private_table, subnet(&"subnet-0gone".into())),
                "InvalidSubnetID.NotFound",
            ),
            ("disassociate", disassociate(&public), ""),
            (
                "disassociate main",
                disassociate(&main),
                "InvalidParameterValue",
            ),
            (
                "disassociate nothing",
                disassociate(&"rtbassoc-0gone".into()),
                "InvalidAssociationID.NotFound",
            ),
            ("replace", replace(&public, &layout.private_table), ""),
            ("replace main", replace(&main, &layout.public_table), ""),
            (
                "replace nothing",
                replace(&"rtbassoc-0gone".into(), &layout.public_table),
                "InvalidAssociationID.NotFound",
            ),
            (
                "replace by no table",
                replace(&main, &"rtb-0gone".into()),
                "InvalidRouteTableID.NotFound",
            ),
            (
                "delete the main table",
                delete(&layout.main_table),
                "DependencyViolation",
            ),
            (
                "delete a table with subnets",
                delete(&layout.public_table),
                "DependencyViolation",
            ),
            ("propagate", vgw(true, layout.vpn_gateway.as_str()), ""),
            (
                "propagate from nowhere",
                vgw(true, "vgw-0gone"),
                "InvalidGatewayID.NotFound",
            ),
            (
                "propagate no more",
                vgw(false, layout.vpn_gateway.as_str()),
                "",
            ),
        ]
    });
}

#[test]
fn gateways_and_interfaces() {
    check(|_, layout| {
        let groups = |ids: &[&str]| Call::ModifyNetworkInterfaceGroups {
            interface: layout.app_interface.clone(),
            groups: ids.iter().map(|id| SecurityGroupId::from(*id)).collect(),
        };
        let (igw, vpc) = (layout.internet_gateway.clone(), layout.vpc.clone());
        vec![
            (
                "other groups",
                groups(&[layout.app.as_str(), layout.web.as_str()]),
                "",
            ),
            ("no groups", groups(&[]), "MissingParameter"),
            (
                "no such group",
                groups(&["sg-0gone"]),
                "InvalidGroup.NotFound",
            ),
            (
                "six groups",
                groups(&["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"]),
                "SecurityGroupsPerInterfaceLimitExceeded",
            ),
            (
                "a requester-managed interface",
                Call::ModifyNetworkInterfaceGroups {
                    interface: layout.db_interface.clone(),
                    groups: vec![layout.web.clone()],
                },
                "AuthFailure",
            ),
            (
                "detach with public addresses",
                Call::DetachInternetGateway {
                    gateway: igw.clone(),
                    vpc: vpc.clone(),
                },
                "DependencyViolation",
            ),
            (
                "attach twice",
                Call::AttachInternetGateway {
                    gateway: igw.clone(),
                    vpc,
                },
                "Resource.AlreadyAssociated",
            ),
            (
                "delete attached",
                Call::DeleteInternetGateway { gateway: igw },
                "DependencyViolation",
            ),
            (
                "no NAT gateway",
                Call::DeleteNatGateway {
                    gateway: "nat-0gone".into(),
                },
                "NatGatewayNotFound",
            ),
            (
                "a stale prefix list version",
                Call::ModifyManagedPrefixList {
                    list: layout.office_list.clone(),
                    current_version: Some(2),
                    add: vec![],
                    remove: vec![],
                },
                "PrefixListVersionMismatch",
            ),
            (
                "tags of nothing",
                Call::CreateTags {
                    targets: vec!["sg-0gone".into()],
                    tags: [("a".to_owned(), "b".to_owned())].into(),
                },
                "InvalidGroup.NotFound",
            ),
        ]
    });
}

#[test]
fn quotas_count_families_apart_and_prefix_lists_by_their_size() {
    let (world, layout) = shop();
    let quotas = Quotas {
        rules_per_group: 14,
        entries_per_acl: 4,
        routes_per_table: 2,
        ..Quotas::default()
    };
    world.set_quotas(quotas);
    let code = |call| {
        world
            .call(&mallory(), call)
            .err()
            .map_or(String::new(), |error| error.code)
    };
    // `app` has a group reference, one IPv4 rule and a list of ten: twelve in IPv4, one in IPv6.
    assert_eq!(
        code(sg(
            &layout.app,
            &["ingress tcp:1 10.0.0.0/8", "ingress tcp:2 10.0.0.0/8"]
        )),
        ""
    );
    assert_eq!(
        code(sg(&layout.app, &["ingress tcp:3 10.0.0.0/8"])),
        "RulesPerSecurityGroupLimitExceeded"
    );
    assert_eq!(
        code(sg(&layout.app, &["ingress tcp:3 2001:db8::/32"])),
        "",
        "IPv6 counts apart"
    );
    let more = |text: &str| Call::CreateNetworkAclEntry {
        acl: layout.db_acl.clone(),
        key: key(text),
        entry: entry(RuleAction::Deny, "all", "10.0.0.0/8"),
    };
    assert_eq!(code(more("ingress 50")), "NetworkAclEntryLimitExceeded");
    assert_eq!(code(more("egress 50")), "", "directions count apart");
    let route = |text: &str| Call::CreateRoute {
        table: layout.public_table.clone(),
        destination: to(text),
        target: RouteTarget::InternetGateway(layout.internet_gateway.clone()),
    };
    assert_eq!(code(route("10.9.0.0/16")), "");
    assert_eq!(code(route("10.10.0.0/16")), "RouteLimitExceeded");
}

#[test]
fn in_a_default_vpc_groups_have_names_and_revokes_are_lenient() {
    let (world, _) = Builder::new(1).with_default_vpc().build();
    let revoke = |rules: &[&str]| {
        let Call::RevokeSecurityGroup {
            direction, rules, ..
        } = Call::revoke(&"sg-x".into(), rules.iter().map(|text| rule(text)))
        else {
            panic!("not a revoke")
        };
        Call::RevokeSecurityGroup {
            group: GroupBy::Name("launch-wizard-1".into()),
            direction,
            rules,
        }
    };
    let before = world.snapshot();
    world
        .call(&mallory(), revoke(&["ingress tcp:23 0.0.0.0/0"]))
        .unwrap();
    assert_eq!(
        world.snapshot(),
        before,
        "an unknown permission is no error there"
    );
    world
        .call(&mallory(), revoke(&["ingress tcp:22 198.51.100.0/24"]))
        .unwrap();
    assert_ne!(world.snapshot(), before);
}

#[test]
fn a_dead_target_is_a_blackhole_until_it_lives_again() {
    let (world, layout) = shop();
    let dead = |table: &RouteTableId| {
        let Some(Resource::RouteTable(table)) = world.resource(&table.clone().into()) else {
            panic!("no table")
        };
        table
            .routes
            .iter()
            .filter(|(_, route)| route.blackhole)
            .map(|(to, _)| to.to_string())
            .collect::<Vec<_>>()
    };
    world
        .call(
            &mallory(),
            Call::DeleteNatGateway {
                gateway: layout.nat_gateway.clone(),
            },
        )
        .unwrap();
    assert_eq!(dead(&layout.private_table), ["0.0.0.0/0"]);
    world
        .call(
            &mallory(),
            Call::DeleteVpcPeeringConnection {
                peering: layout.peering,
            },
        )
        .unwrap();
    assert_eq!(dead(&layout.private_table), ["0.0.0.0/0", "10.20.0.0/16"]);
    let made = world
        .call(
            &mallory(),
            Call::CreateNatGateway {
                subnet: layout.public_a,
                allocation: "eipalloc-1".into(),
            },
        )
        .unwrap();
    let target = RouteTarget::NatGateway(made.first().to_owned());
    world
        .call(
            &mallory(),
            Call::ReplaceRoute {
                table: layout.private_table.clone(),
                destination: to("0.0.0.0/0"),
                target,
            },
        )
        .unwrap();
    assert_eq!(dead(&layout.private_table), ["10.20.0.0/16"]);
    let state = |id: &str| {
        world
            .snapshot()
            .topology
            .gateways
            .get(id)
            .and_then(|gateway| gateway.state.clone())
    };
    assert_eq!(state(made.first()).as_deref(), Some("pending"));
    world.advance(std::time::Duration::from_secs(120));
    assert_eq!(
        (
            state(made.first()).as_deref(),
            state(&layout.nat_gateway).as_deref()
        ),
        (Some("available"), Some("deleted"))
    );
    world.advance(std::time::Duration::from_secs(3600));
    assert_eq!(state(&layout.nat_gateway), None);
}

#[test]
fn a_new_group_is_open_outwards_and_a_new_subnet_takes_main_table_and_default_acl() {
    let (world, layout) = shop();
    let group = Call::CreateSecurityGroup {
        name: "new".into(),
        description: "n".into(),
        vpc: Some(layout.vpc.clone()),
        tags: Tags::new(),
    };
    let id = SecurityGroupId::from(world.call(&mallory(), group).unwrap().first());
    let Some(Resource::SecurityGroup(group)) = world.resource(&id.into()) else {
        panic!("no group")
    };
    let rules: Vec<_> = group.rules.keys().map(RuleKey::to_string).collect();
    assert_eq!(rules, ["egress all 0.0.0.0/0", "egress all ::/0"]);
    let subnet = Call::CreateSubnet {
        vpc: layout.vpc,
        cidr: "10.0.30.0/24".parse().unwrap(),
        zone: "eu-central-1a".into(),
    };
    let subnet = SubnetId::from(world.call(&mallory(), subnet).unwrap().first());
    let seen = world.snapshot();
    assert_eq!(seen.acl_of(&subnet), Some(&layout.default_acl));
    assert_eq!(seen.table_of(&subnet), Some((&layout.main_table, false)));
    assert_eq!(world.inconsistencies(), Vec::<String>::new());
}
