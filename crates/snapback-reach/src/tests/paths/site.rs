//! A small network, and how it is asked: what the stories of paths are told on.

use crate::path::{Endpoint, L4, Path, Stage};
use crate::*;
use snapback_model::*;

/// A VPC with a public subnet (a web server, a NAT gateway), a private one (a database), all open;
/// a peered VPC behind it, and one peered with that only.
pub fn world() -> Snapshot {
    let mut world = Snapshot::empty(Timestamp::UNIX_EPOCH);
    world.coverage = Kind::ALL.map(Coverage::Kind).into();
    let topology = &mut world.topology;
    topology.read = ContextKind::ALL.into();
    topology.block_public_access = Some(BlockPublicAccess {
        mode: BlockMode::Off,
        exclusions: Default::default(),
    });
    for (vpc, cidr) in [
        ("vpc-a", "10.1.0.0/16"),
        ("vpc-b", "10.2.0.0/16"),
        ("vpc-c", "10.3.0.0/16"),
    ] {
        let mut made = Vpc::new(vpc);
        made.cidrs = [net(cidr)].into();
        topology.vpcs.insert(made.id.clone(), made);
    }
    topology
        .vpcs
        .get_mut(&"vpc-a".into())
        .unwrap()
        .cidrs
        .insert(net("2600:1f00:a::/48"));
    for (id, vpc, cidrs) in [
        (
            "subnet-public",
            "vpc-a",
            vec!["10.1.0.0/24", "2600:1f00:a::/64"],
        ),
        ("subnet-private", "vpc-a", vec!["10.1.1.0/24"]),
        ("subnet-b", "vpc-b", vec!["10.2.0.0/24"]),
        ("subnet-c", "vpc-c", vec!["10.3.0.0/24"]),
    ] {
        let mut subnet = Subnet::new(id, vpc);
        subnet.cidrs = cidrs.into_iter().map(net).collect();
        topology.subnets.insert(subnet.id.clone(), subnet);
    }
    for (id, vpc, subnet, group, addresses, public) in [
        (
            "eni-web",
            "vpc-a",
            "subnet-public",
            "sg-web",
            vec!["10.1.0.10", "2600:1f00:a::10"],
            Some("52.0.0.1"),
        ),
        (
            "eni-side",
            "vpc-a",
            "subnet-public",
            "sg-web",
            vec!["10.1.0.11"],
            None,
        ),
        (
            "eni-db",
            "vpc-a",
            "subnet-private",
            "sg-db",
            vec!["10.1.1.10"],
            None,
        ),
        (
            "eni-b",
            "vpc-b",
            "subnet-b",
            "sg-all",
            vec!["10.2.0.10"],
            None,
        ),
        (
            "eni-c",
            "vpc-c",
            "subnet-c",
            "sg-all",
            vec!["10.3.0.10"],
            None,
        ),
    ] {
        let mut interface = NetworkInterface::new(id, vpc, subnet);
        interface.groups = [group.into()].into();
        interface.addresses = addresses
            .into_iter()
            .map(|text| text.parse().unwrap())
            .collect();
        interface.public_addresses = public
            .map(|text| text.parse().unwrap())
            .into_iter()
            .collect();
        topology.interfaces.insert(interface.id.clone(), interface);
    }
    let mut add = |gateway: Gateway| topology.gateways.insert(gateway.id.clone(), gateway);
    let vpcs = |ids: &[&str]| ids.iter().map(|id| VpcId::from(*id)).collect();
    add(Gateway {
        vpcs: vpcs(&["vpc-a"]),
        ..Gateway::new("igw-a", GatewayKind::Internet)
    });
    add(Gateway {
        vpcs: vpcs(&["vpc-a"]),
        ..Gateway::new("eigw-a", GatewayKind::EgressOnlyInternet)
    });
    for (id, ends) in [
        ("pcx-ab", ["vpc-a", "vpc-b"]),
        ("pcx-bc", ["vpc-b", "vpc-c"]),
    ] {
        let state = Some("active".to_owned());
        add(Gateway {
            vpcs: vpcs(&ends),
            state,
            ..Gateway::new(id, GatewayKind::Peering)
        });
    }
    let mut nat = Gateway::new("nat-a", GatewayKind::Nat);
    nat.vpcs = vpcs(&["vpc-a"]);
    nat.subnets = ["subnet-public".into()].into();
    nat.state = Some("available".into());
    nat.public_addresses = ["54.0.0.1".parse().unwrap()].into();
    add(nat);
    group(
        &mut world,
        "sg-web",
        &[
            "ingress tcp:443 0.0.0.0/0",
            "ingress tcp:443 ::/0",
            "egress all 0.0.0.0/0",
            "egress all ::/0",
        ],
    );
    group(
        &mut world,
        "sg-db",
        &[
            "ingress tcp:5432 sg-web",
            "ingress icmp:all 10.0.0.0/8",
            "egress all 0.0.0.0/0",
        ],
    );
    group(
        &mut world,
        "sg-all",
        &["ingress all 0.0.0.0/0", "egress all 0.0.0.0/0"],
    );
    for (id, vpc, subnets) in [
        ("acl-public", "vpc-a", ["subnet-public"]),
        ("acl-private", "vpc-a", ["subnet-private"]),
        ("acl-b", "vpc-b", ["subnet-b"]),
        ("acl-c", "vpc-c", ["subnet-c"]),
    ] {
        acl(
            &mut world,
            id,
            vpc,
            &subnets,
            &[
                "ingress 100 allow all 0.0.0.0/0",
                "ingress 101 allow all ::/0",
                "egress 100 allow all 0.0.0.0/0",
                "egress 101 allow all ::/0",
            ],
        );
    }
    table(
        &mut world,
        "rtb-public",
        "vpc-a",
        "subnet-public",
        &[
            ("10.1.0.0/16", "local"),
            ("2600:1f00:a::/48", "local"),
            ("0.0.0.0/0", "igw-a"),
            ("::/0", "igw-a"),
            ("10.2.0.0/15", "pcx-ab"),
        ],
    );
    table(
        &mut world,
        "rtb-private",
        "vpc-a",
        "subnet-private",
        &[("10.1.0.0/16", "local"), ("0.0.0.0/0", "nat-a")],
    );
    table(
        &mut world,
        "rtb-b",
        "vpc-b",
        "subnet-b",
        &[
            ("10.2.0.0/16", "local"),
            ("10.1.0.0/16", "pcx-ab"),
            ("10.3.0.0/16", "pcx-bc"),
        ],
    );
    table(
        &mut world,
        "rtb-c",
        "vpc-c",
        "subnet-c",
        &[("10.3.0.0/16", "local"), ("10.2.0.0/16", "pcx-bc")],
    );
    world
}

pub fn net(text: &str) -> ipnet::IpNet {
    text.parse().unwrap()
}

pub fn put(world: &mut Snapshot, resource: Resource) {
    world.resources.insert(resource.id(), resource);
}

pub fn group(world: &mut Snapshot, id: &str, rules: &[&str]) {
    let rules = rules
        .iter()
        .map(|rule| (rule.parse().unwrap(), RuleDetail::default()));
    let group = SecurityGroup {
        id: id.into(),
        name: None,
        description: None,
        vpc: None,
        owner: None,
        tags: None,
        rules: rules.collect(),
    };
    put(world, Resource::SecurityGroup(group));
}

pub fn acl(world: &mut Snapshot, id: &str, vpc: &str, subnets: &[&str], entries: &[&str]) {
    let entries = entries.iter().map(|text| {
        let parts: Vec<&str> = text.split(' ').collect();
        let key = format!("{} {}", parts[0], parts[1]).parse().unwrap();
        let action = if parts[2] == "allow" {
            RuleAction::Allow
        } else {
            RuleAction::Deny
        };
        (
            key,
            NetworkAclEntry::new(action, parts[3].parse().unwrap(), net(parts[4])),
        )
    });
    let acl = NetworkAcl {
        id: id.into(),
        vpc: vpc.into(),
        owner: None,
        is_default: false,
        tags: Tags::new(),
        entries: entries.collect(),
        subnets: subnets.iter().map(|id| SubnetId::from(*id)).collect(),
    };
    put(world, Resource::NetworkAcl(acl));
}

pub fn table(world: &mut Snapshot, id: &str, vpc: &str, subnet: &str, routes: &[(&str, &str)]) {
    let target = |text: &str| match text.split('-').next().unwrap() {
        "local" => RouteTarget::Local,
        "igw" => RouteTarget::InternetGateway(text.into()),
        "eigw" => RouteTarget::EgressOnlyInternetGateway(text.into()),
        "nat" => RouteTarget::NatGateway(text.into()),
        _ => RouteTarget::VpcPeeringConnection(text.into()),
    };
    let routes = routes
        .iter()
        .map(|(to, by)| (to.parse().unwrap(), Route::created(target(by))));
    let table = RouteTable {
        id: id.into(),
        vpc: vpc.into(),
        owner: None,
        tags: Tags::new(),
        main: false,
        routes: routes.collect(),
        subnets: [subnet.into()].into(),
        gateways: Default::default(),
        propagating: Default::default(),
    };
    put(world, Resource::RouteTable(table));
}

pub fn ask(world: &Snapshot, from: &str, to: &str, traffic: (u8, u16)) -> Path {
    let end = |text: &str| text.parse::<Endpoint>().unwrap();
    let l4 = L4 {
        protocol: traffic.0,
        point: traffic.1,
    };
    Network::of(world).trace(&end(from), &end(to), l4).unwrap()
}

pub fn stopped_by(path: &Path) -> (Stage, &str) {
    let step = path.blocked_at().unwrap_or_else(|| panic!("{path:#?}"));
    (step.stage, step.at.as_str())
}

pub fn tcp(port: u16) -> (u8, u16) {
    (6, port)
}
