//! Paths told by hand: each names the sentence of semantics.md it stands for.

use super::site::*;
use crate::path::{ClientRange, Endpoint, Outcome, Stage, Verdict, Way};
use crate::*;
use snapback_model::*;
use std::net::IpAddr;

#[test]
fn a_public_web_server_is_reached_on_its_port_only() {
    let world = world();
    let path = ask(&world, "internet", "eni-web", tcp(443));
    assert_eq!(
        (path.outcome, path.exactness.is_exact()),
        (Outcome::Passes, true),
        "{path:#?}"
    );
    let closed = ask(&world, "internet", "eni-web", tcp(22));
    assert_eq!(stopped_by(&closed), (Stage::Groups, "eni-web"));
    let network = Network::of(&world);
    let web = network.interface(&"eni-web".into()).unwrap();
    let exposure = network.exposure(web);
    assert!(exposure.exactness.is_exact());
    for family in Family::ALL {
        let all = network.internet_of(Some(&web.vpc), family);
        assert!(
            all.is_subset(&exposure.value.reaches.peers_at(6, 443)),
            "{family}"
        );
    }
    assert!(exposure.value.reaches.peers_at(6, 22).is_empty());
    let stopped = exposure.value.stopped.iter();
    let mut stopped = stopped.filter(|stop| stop.family == Family::V4);
    assert!(stopped.all(|stop| (stop.stage, stop.at.as_str()) == (Stage::Groups, "sg-web")));
}

#[test]
fn without_a_public_address_nobody_comes_in_from_the_internet() {
    let world = world();
    assert_eq!(
        stopped_by(&ask(&world, "internet", "eni-side", tcp(443))),
        (Stage::Address, "eni-side")
    );
    let network = Network::of(&world);
    let side = network.interface(&"eni-side".into()).unwrap();
    let exposure = network.exposure(side);
    assert!(exposure.value.arrives.is_empty());
    let words: Vec<&str> = exposure
        .value
        .stopped
        .iter()
        .map(|stop| stop.words.as_str())
        .collect();
    assert_eq!(words, ["it has no public IPv4 address"]);
}

#[test]
fn replies_that_an_acl_keeps_in_are_told_once_for_each_family() {
    // A3: stateless, replies need an entry of their own.
    let let_in = [
        "ingress 100 allow all 0.0.0.0/0",
        "ingress 101 allow all ::/0",
    ];
    let out = [
        "egress 100 allow all 0.0.0.0/0",
        "egress 101 allow all ::/0",
    ];
    for (lets_out, stopped) in [
        (&out[..0], vec![Family::V4, Family::V6]),
        (&out[..1], vec![Family::V6]),
        (&out[1..], vec![Family::V4]),
        (&out[..], vec![]),
    ] {
        let mut world = world();
        let entries = [&let_in, lets_out].concat();
        acl(
            &mut world,
            "acl-public",
            "vpc-a",
            &["subnet-public"],
            &entries,
        );
        let network = Network::of(&world);
        let web = network.interface(&"eni-web".into()).unwrap();
        let exposure = network.exposure(web);
        let stops = exposure.value.stopped.iter();
        let replies = stops.filter(|stop| stop.way == Way::Reply);
        let families: Vec<Family> = replies.map(|stop| stop.family).collect();
        assert_eq!(families, stopped, "{lets_out:?}");
    }
}

#[test]
fn an_acl_does_not_stand_between_hosts_of_one_subnet() {
    // A3: evaluated only when traffic enters or leaves the subnet.
    let mut world = world();
    acl(&mut world, "acl-public", "vpc-a", &["subnet-public"], &[]);
    assert_eq!(
        ask(&world, "eni-side", "10.1.0.10", tcp(443)).outcome,
        Outcome::Passes
    );
    let across = ask(&world, "eni-side", "eni-db", tcp(5432));
    assert_eq!(stopped_by(&across), (Stage::Acl, "acl-public"));
}

#[test]
fn a_reference_stands_for_private_addresses_of_its_carriers() {
    let world = world();
    assert_eq!(
        ask(&world, "eni-web", "eni-db", tcp(5432)).outcome,
        Outcome::Passes
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-b", "eni-db", tcp(5432))).0,
        Stage::Groups
    );
    // By its public address the server is a stranger (A1: never public addresses).
    let network = Network::of(&world);
    let set = network
        .passes(&Endpoint::Internet, &"eni-db".parse().unwrap())
        .unwrap();
    assert!(set.value.is_empty() && set.exactness.is_exact());
}

#[test]
fn replies_need_the_ports_of_the_client_range_by_range() {
    // A3: stateless; Linux 32768-60999, Windows 49152-65535.
    let mut world = world();
    acl(
        &mut world,
        "acl-private",
        "vpc-a",
        &["subnet-private"],
        &[
            "ingress 100 allow all 0.0.0.0/0",
            "egress 100 allow tcp:32768-60999 0.0.0.0/0",
        ],
    );
    let path = ask(&world, "eni-web", "eni-db", tcp(5432));
    assert_eq!(path.outcome, Outcome::Partly);
    let step = path
        .steps
        .iter()
        .find(|step| step.verdict == Verdict::Partly)
        .unwrap();
    assert_eq!((step.way, step.at.as_str()), (Way::Reply, "acl-private"));
    assert_eq!(
        step.replies,
        [
            (ClientRange::Linux, vec![(32768, 60999)]),
            (ClientRange::Windows, vec![(49152, 60999)])
        ]
    );
    acl(
        &mut world,
        "acl-private",
        "vpc-a",
        &["subnet-private"],
        &[
            "ingress 100 allow all 0.0.0.0/0",
            "egress 100 allow tcp:0-1023 0.0.0.0/0",
        ],
    );
    let path = ask(&world, "eni-web", "eni-db", tcp(5432));
    assert_eq!(
        (path.outcome, path.blocked_at().unwrap().way),
        (Outcome::Blocked, Way::Reply)
    );
    // Two ACLs that are open for different ports let nothing back.
    acl(
        &mut world,
        "acl-private",
        "vpc-a",
        &["subnet-private"],
        &[
            "ingress 100 allow all 0.0.0.0/0",
            "egress 100 allow tcp:1024-50000 0.0.0.0/0",
        ],
    );
    acl(
        &mut world,
        "acl-public",
        "vpc-a",
        &["subnet-public"],
        &[
            "egress 100 allow all 0.0.0.0/0",
            "ingress 100 allow tcp:50001-65535 0.0.0.0/0",
        ],
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-web", "eni-db", tcp(5432))),
        (Stage::Acl, "acl-public")
    );
    // An echo reply is type 0; a host unreachable asks for none.
    assert_eq!(
        stopped_by(&ask(&world, "eni-web", "eni-db", (1, 0x0800))).0,
        Stage::Acl
    );
    assert_eq!(
        ask(&world, "eni-web", "eni-db", (1, 0x0301)).outcome,
        Outcome::Passes
    );
}

#[test]
fn a_private_subnet_gets_out_by_a_nat_gateway_that_lives() {
    // A5.
    let mut world = world();
    let out = ask(&world, "eni-db", "internet", tcp(443));
    assert_eq!(
        (out.outcome, out.exactness.is_exact()),
        (Outcome::Passes, true),
        "{out:#?}"
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-db", "internet", (50, 0))),
        (Stage::Gateway, "nat-a")
    );
    let network = Network::of(&world);
    let db = network.interface(&"eni-db".into()).unwrap();
    let exits = network.outbound(db).value.exits;
    assert_eq!(
        exits.iter().map(|exit| exit.by.id()).collect::<Vec<_>>(),
        ["nat-a"]
    );
    world.topology.gateways.get_mut("nat-a").unwrap().state = Some("deleted".into());
    assert_eq!(
        stopped_by(&ask(&world, "eni-db", "internet", tcp(443))),
        (Stage::Gateway, "nat-a")
    );
    world.topology.gateways.remove("nat-a");
    assert_eq!(
        stopped_by(&ask(&world, "eni-db", "internet", tcp(443))),
        (Stage::Gateway, "nat-a")
    );
    world.topology.read.remove(&ContextKind::NatGateways);
    let path = ask(&world, "eni-db", "internet", tcp(443));
    assert_eq!(
        (path.outcome, path.exactness.may_permit_less()),
        (Outcome::Unknown, true)
    );
}

#[test]
fn a_nat_gateways_own_subnet_must_let_its_replies_in() {
    // A3: NAT gateways take ports from 1024 up.
    let mut world = world();
    acl(
        &mut world,
        "acl-public",
        "vpc-a",
        &["subnet-public"],
        &[
            "ingress 100 allow tcp:32768-60999 0.0.0.0/0",
            "ingress 90 allow all 10.0.0.0/8",
            "egress 100 allow all 0.0.0.0/0",
        ],
    );
    let path = ask(&world, "eni-db", "internet", tcp(443));
    assert_eq!(path.outcome, Outcome::Partly);
    let partly = path
        .steps
        .iter()
        .find(|step| step.verdict == Verdict::Partly)
        .unwrap();
    assert_eq!(
        partly.replies,
        [(ClientRange::Service, vec![(32768, 60999)])]
    );
}

#[test]
fn peerings_lead_to_the_other_vpc_and_no_further() {
    // A5: no transitivity.
    let mut world = world();
    assert_eq!(
        ask(&world, "eni-web", "eni-b", tcp(22)).outcome,
        Outcome::Passes
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-web", "eni-c", tcp(22))),
        (Stage::Gateway, "pcx-ab")
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-b", "internet", tcp(22))).0,
        Stage::Route
    );
    world.topology.gateways.get_mut("pcx-ab").unwrap().state = Some("deleted".into());
    assert_eq!(
        stopped_by(&ask(&world, "eni-web", "eni-b", tcp(22))),
        (Stage::Gateway, "pcx-ab")
    );
}

#[test]
fn block_public_access_lets_nat_gateways_out_and_nobody_in() {
    // A4: mode block-ingress.
    let mut world = world();
    let set = |world: &mut Snapshot, mode| {
        world.topology.block_public_access.as_mut().unwrap().mode = mode
    };
    set(&mut world, BlockMode::Ingress);
    assert_eq!(
        stopped_by(&ask(&world, "internet", "eni-web", tcp(443))).0,
        Stage::PublicAccess
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-web", "internet", tcp(443))).0,
        Stage::PublicAccess
    );
    assert_eq!(
        ask(&world, "eni-db", "internet", tcp(443)).outcome,
        Outcome::Passes
    );
    set(&mut world, BlockMode::Bidirectional);
    assert_eq!(
        stopped_by(&ask(&world, "eni-db", "internet", tcp(443))).0,
        Stage::PublicAccess
    );
    let exclusion = BlockExclusion {
        id: "vpcbpa-exclude-1".into(),
        resource: "subnet-public".into(),
        mode: ExclusionMode::Bidirectional,
        active: true,
    };
    let exclusions = &mut world
        .topology
        .block_public_access
        .as_mut()
        .unwrap()
        .exclusions;
    exclusions.insert(exclusion.id.clone(), exclusion);
    assert_eq!(
        ask(&world, "internet", "eni-web", tcp(443)).outcome,
        Outcome::Passes
    );
    // Whether the NAT gateway's subnet alone is enough is not proved.
    assert_eq!(
        ask(&world, "eni-db", "internet", tcp(443)).outcome,
        Outcome::Unknown
    );
    world.topology.block_public_access = None;
    let unread = ask(&world, "internet", "eni-web", tcp(443));
    assert_eq!(
        (unread.outcome, unread.exactness.may_permit_less()),
        (Outcome::Unknown, true)
    );
}

#[test]
fn an_egress_only_gateway_answers_no_connection_from_outside() {
    let mut world = world();
    table(
        &mut world,
        "rtb-public",
        "vpc-a",
        "subnet-public",
        &[
            ("10.1.0.0/16", "local"),
            ("2600:1f00:a::/48", "local"),
            ("0.0.0.0/0", "igw-a"),
            ("::/0", "eigw-a"),
        ],
    );
    let network = Network::of(&world);
    let web = network.interface(&"eni-web".into()).unwrap();
    let exposure = network.exposure(web);
    assert!(
        exposure
            .value
            .reaches
            .peers_at(6, 443)
            .family(Family::V6)
            .is_empty()
    );
    assert!(
        exposure
            .value
            .reaches
            .peers_at(6, 443)
            .covers_internet(Family::V4)
    );
    let exits = network.outbound(web).value.exits;
    assert_eq!(
        exits.iter().map(|exit| exit.by.id()).collect::<Vec<_>>(),
        ["igw-a", "eigw-a"]
    );
}

#[test]
fn nothing_filters_the_services_of_the_vpc_itself() {
    // A1: never report these as cut.
    let mut world = world();
    group(&mut world, "sg-db", &[]);
    acl(&mut world, "acl-private", "vpc-a", &["subnet-private"], &[]);
    for service in ["169.254.169.254", "10.1.0.2", "169.254.169.123", "10.1.1.1"] {
        assert_eq!(
            ask(&world, "eni-db", service, (17, 53)).outcome,
            Outcome::Passes,
            "{service}"
        );
    }
    group(&mut world, "sg-db", &["egress all 0.0.0.0/0"]);
    acl(
        &mut world,
        "acl-private",
        "vpc-a",
        &["subnet-private"],
        &["egress 1 allow all 0.0.0.0/0"],
    );
    assert_eq!(
        stopped_by(&ask(&world, "eni-db", "169.254.169.7", tcp(80))).0,
        Stage::Route
    );
}

#[test]
fn what_was_not_read_is_a_gap_unless_something_else_decides() {
    let mut world = world();
    world
        .resources
        .remove(&ResourceId::NetworkAcl("acl-private".into()));
    assert_eq!(
        ask(&world, "eni-web", "eni-db", tcp(5432)).outcome,
        Outcome::Unknown
    );
    let blocked = ask(&world, "eni-web", "eni-db", tcp(22));
    assert_eq!(
        (blocked.outcome, blocked.exactness.is_exact()),
        (Outcome::Blocked, true)
    );
    world
        .resources
        .remove(&ResourceId::SecurityGroup("sg-db".into()));
    let unread = ask(&world, "eni-web", "eni-db", tcp(22));
    assert_eq!(
        (unread.outcome, unread.exactness.may_permit_more()),
        (Outcome::Unknown, true)
    );
}

#[test]
fn ten_thousand_interfaces_with_the_same_groups_cost_one_computation() {
    let mut world = world();
    for index in 0..10_000u32 {
        let id = format!("eni-{index:08}");
        let mut one = NetworkInterface::new(id.as_str(), "vpc-a", "subnet-private");
        one.groups = [if index % 2 == 0 {
            "sg-web".into()
        } else {
            "sg-db".into()
        }]
        .into();
        one.addresses = [IpAddr::V4((0x0a01_2000 + index).into())].into();
        world.topology.interfaces.insert(one.id.clone(), one);
    }
    let start = std::time::Instant::now();
    let network = Network::of(&world);
    let made = start.elapsed();
    let carriers = network.carriers(&"sg-db".into());
    let indexed = start.elapsed();
    assert_eq!(carriers.len(), 5_001);
    assert_eq!(
        network.interfaces_in(&"subnet-private".into()).len(),
        10_001
    );
    let first = network.permitted_by_interface(carriers[0], Direction::Ingress);
    let answered = start.elapsed();
    for carrier in &carriers {
        let again = network.permitted_by_interface(carrier, Direction::Ingress);
        assert!(std::sync::Arc::ptr_eq(&first, &again));
    }
    println!(
        "10 000 interfaces: made in {made:?}, indexed by {indexed:?}, first answer by {answered:?}, 5 001 more by {:?}",
        start.elapsed()
    );
}
