//! Quotas, leniency, blackholes, births.

use super::super::{mallory, rule, shop};
use super::{entry, key, sg, to};
use crate::{Builder, Call, GroupBy, NatPlace, NatRequest, Quotas};
use snapback_model::*;

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
            Call::CreateNatGateway(NatRequest {
                place: NatPlace::Subnet(layout.public_a),
                connectivity: Connectivity::Public,
                allocation: Some(layout.spare_address),
                private: None,
                tags: Tags::new(),
            }),
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
        tags: Tags::new(),
    };
    let subnet = SubnetId::from(world.call(&mallory(), subnet).unwrap().first());
    let seen = world.snapshot();
    assert_eq!(seen.acl_of(&subnet), Some(&layout.default_acl));
    assert_eq!(seen.table_of(&subnet), Some((&layout.main_table, false)));
    assert_eq!(world.inconsistencies(), Vec::<String>::new());
}
