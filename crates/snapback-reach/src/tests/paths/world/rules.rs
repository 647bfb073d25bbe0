//! Groups, ACLs and tables of a random world.

use super::{Dice, net, v6_net};
use ipnet::IpNet;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

fn ports(dice: &mut Dice) -> PortRange {
    let (from, to) = dice.of(&[
        (0, 65535),
        (22, 22),
        (443, 443),
        (80, 443),
        (1024, 65535),
        (32768, 60999),
        (49152, 65535),
        (32768, 40000),
        (0, 1023),
        (61000, 65535),
        (53, 53),
        (65535, 65535),
    ]);
    PortRange::new(from, to).unwrap()
}

fn traffic(dice: &mut Dice) -> Traffic {
    match dice.below(12) {
        0..=2 => Traffic::All,
        3..=7 => Traffic::Tcp(ports(dice)),
        8 => Traffic::Udp(ports(dice)),
        9 => Traffic::Icmp(dice.of(&[
            IcmpMatch::Any,
            IcmpMatch::Type(8),
            IcmpMatch::TypeCode(0, 0),
            IcmpMatch::Type(3),
        ])),
        10 => Traffic::Icmpv6(dice.of(&[
            IcmpMatch::Any,
            IcmpMatch::Type(128),
            IcmpMatch::TypeCode(129, 0),
        ])),
        _ => Traffic::Protocol(dice.of(&[50, 47])),
    }
}

const NETWORKS: [&str; 17] = [
    "0.0.0.0/0",
    "0.0.0.0/0",
    "::/0",
    "::/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.2.0.0/16",
    "10.1.0.0/24",
    "10.1.1.0/25",
    "10.1.0.8/29",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "52.0.0.0/24",
    "8.8.8.0/24",
    "2600:1f00::/32",
    "2600:1f00:1::/64",
    "2001:4860::/32",
];

fn network(dice: &mut Dice, topology: &Topology) -> IpNet {
    if dice.one_in(8) {
        let all: Vec<IpAddr> = topology
            .interfaces
            .values()
            .flat_map(|one| one.addresses.iter().copied())
            .collect();
        return IpNet::from(dice.of(&all));
    }
    net(dice.of(&NETWORKS))
}

pub fn groups(snapshot: &mut Snapshot, dice: &mut Dice) {
    for id in ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"] {
        let mut rules = BTreeMap::new();
        if dice.percent(85) {
            let open = |peer: &str| RuleKey {
                direction: Direction::Egress,
                traffic: Traffic::All,
                peer: peer.parse().unwrap(),
            };
            rules.insert(open("0.0.0.0/0"), RuleDetail::default());
            rules.insert(open("::/0"), RuleDetail::default());
        }
        if dice.percent(55) {
            let from = |peer: &str| RuleKey {
                direction: Direction::Ingress,
                traffic: Traffic::All,
                peer: peer.parse().unwrap(),
            };
            rules.insert(
                from(dice.of(&["0.0.0.0/0", "10.0.0.0/8"])),
                RuleDetail::default(),
            );
            rules.insert(from("::/0"), RuleDetail::default());
        }
        for _ in 0..dice.below(6) + 1 {
            let peer = match dice.below(16) {
                0..=2 => Peer::SecurityGroup {
                    id: dice.of(&["sg-1", "sg-2", "sg-3", "sg-9"]).into(),
                    owner: None,
                },
                3 if dice.one_in(3) => Peer::SecurityGroup {
                    id: "sg-1".into(),
                    owner: Some("222222222222".into()),
                },
                4 => Peer::PrefixList("pl-read".into()),
                5 if dice.one_in(3) => Peer::PrefixList("pl-unread".into()),
                _ => Peer::cidr(network(dice, &snapshot.topology)),
            };
            let direction = if dice.percent(70) {
                Direction::Ingress
            } else {
                Direction::Egress
            };
            rules.insert(
                RuleKey {
                    direction,
                    traffic: traffic(dice),
                    peer,
                },
                RuleDetail::default(),
            );
        }
        let group = SecurityGroup {
            id: id.into(),
            name: None,
            description: None,
            vpc: None,
            owner: None,
            tags: None,
            rules,
        };
        let resource = Resource::SecurityGroup(group);
        snapshot.resources.insert(resource.id(), resource);
    }
}

pub fn acls(snapshot: &mut Snapshot, dice: &mut Dice) {
    let subnets: Vec<Subnet> = snapshot.topology.subnets.values().cloned().collect();
    for vpc in 1..=3 {
        let own = subnets
            .iter()
            .filter(|subnet| subnet.vpc.as_str() == format!("vpc-{vpc}"));
        let mut held: [BTreeSet<SubnetId>; 3] = Default::default();
        for subnet in own {
            let index = if dice.one_in(40) {
                continue;
            } else {
                dice.of(&[0, 0, 1, 2, 2])
            };
            held[index].insert(subnet.id.clone());
        }
        for (index, subnets) in held.into_iter().enumerate() {
            let mut entries = BTreeMap::new();
            for direction in [Direction::Ingress, Direction::Egress] {
                let key = |number: i64| EntryKey {
                    direction,
                    number: RuleNumber::new(number).unwrap(),
                };
                if index > 0 {
                    for _ in 0..dice.below(if index == 2 { 3 } else { 6 }) {
                        let action = if dice.percent(55) {
                            RuleAction::Allow
                        } else {
                            RuleAction::Deny
                        };
                        let number = i64::try_from(dice.below(12) + 1).unwrap();
                        let cidr = network(dice, &snapshot.topology);
                        entries.insert(
                            key(number),
                            NetworkAclEntry::new(action, traffic(dice), cidr),
                        );
                    }
                }
                if index == 2 && dice.percent(70) {
                    let range = dice.of(&[
                        (1024, 65535),
                        (32768, 60999),
                        (40000, 65535),
                        (32768, 50000),
                    ]);
                    let range = PortRange::new(range.0, range.1).unwrap();
                    let entry = |cidr| {
                        NetworkAclEntry::new(RuleAction::Allow, Traffic::Tcp(range), net(cidr))
                    };
                    entries.insert(key(90), entry("0.0.0.0/0"));
                    entries.insert(key(91), entry("::/0"));
                    let entry = |cidr| {
                        NetworkAclEntry::new(
                            RuleAction::Allow,
                            Traffic::Tcp(PortRange::new(0, 1023).unwrap()),
                            net(cidr),
                        )
                    };
                    entries.insert(key(92), entry("0.0.0.0/0"));
                }
                if index < 2 {
                    entries.insert(
                        key(100),
                        NetworkAclEntry::new(RuleAction::Allow, Traffic::All, net("0.0.0.0/0")),
                    );
                    entries.insert(
                        key(101),
                        NetworkAclEntry::new(RuleAction::Allow, Traffic::All, net("::/0")),
                    );
                }
            }
            let acl = NetworkAcl {
                id: format!("acl-{vpc}{index}").as_str().into(),
                vpc: format!("vpc-{vpc}").as_str().into(),
                owner: None,
                is_default: false,
                tags: Tags::new(),
                entries,
                subnets,
            };
            let resource = Resource::NetworkAcl(acl);
            snapshot.resources.insert(resource.id(), resource);
        }
    }
}

fn target(dice: &mut Dice, vpc: usize) -> RouteTarget {
    match dice.below(20) {
        0..=6 => RouteTarget::InternetGateway(format!("igw-{vpc}")),
        7..=10 => RouteTarget::NatGateway(format!("nat-{vpc}")),
        11..=13 => RouteTarget::VpcPeeringConnection(
            dice.of(&["pcx-12", "pcx-13", "pcx-23", "pcx-far"]).into(),
        ),
        14 => RouteTarget::TransitGateway("tgw-1".into()),
        15 => RouteTarget::NetworkInterface("eni-100".into()),
        16 => RouteTarget::GatewayLoadBalancerEndpoint("vpce-gwlb".into()),
        17 => RouteTarget::VpnGateway("vgw-1".into()),
        18 => RouteTarget::Unrecognized("odb-1".into()),
        _ => RouteTarget::NatGateway("nat-gone".into()),
    }
}

fn route(dice: &mut Dice, target: RouteTarget) -> Route {
    Route {
        blackhole: dice.one_in(14),
        origin: if dice.one_in(10) {
            RouteOrigin::Propagated
        } else {
            RouteOrigin::Created
        },
        target,
    }
}

fn routes(dice: &mut Dice, vpc: usize, topology: &Topology) -> BTreeMap<Destination, Route> {
    let mut routes = BTreeMap::new();
    for _ in 0..dice.below(4) {
        let to = target(dice, vpc);
        routes.insert(Destination::cidr(network(dice, topology)), route(dice, to));
    }
    if dice.percent(75) {
        let to = if dice.percent(60) {
            RouteTarget::InternetGateway(format!("igw-{vpc}"))
        } else {
            target(dice, vpc)
        };
        routes.insert(Destination::cidr(net("0.0.0.0/0")), route(dice, to));
    }
    if dice.percent(70) {
        let to = dice.of(&[
            RouteTarget::InternetGateway(format!("igw-{vpc}")),
            RouteTarget::EgressOnlyInternetGateway(format!("eigw-{vpc}")),
        ]);
        routes.insert(Destination::cidr(net("::/0")), route(dice, to));
    }
    for (peer, other) in [(1, "10.1.0.0/16"), (2, "10.2.0.0/16"), (3, "10.3.0.0/16")] {
        if peer != vpc && dice.percent(70) {
            let (low, high) = (peer.min(vpc), peer.max(vpc));
            let to = RouteTarget::VpcPeeringConnection(format!("pcx-{low}{high}"));
            routes.insert(Destination::cidr(net(other)), route(dice, to.clone()));
            routes.insert(Destination::cidr(v6_net(peer, 0, 48)), Route::created(to));
        }
    }
    for list in ["pl-read", "pl-other", "pl-unread"] {
        if dice.one_in(10) {
            let to = if dice.one_in(2) {
                RouteTarget::GatewayEndpoint("vpce-1".into())
            } else {
                target(dice, vpc)
            };
            routes.insert(Destination::PrefixList(list.into()), route(dice, to));
        }
    }
    let id: VpcId = format!("vpc-{vpc}").as_str().into();
    for cidr in topology
        .vpcs
        .get(&id)
        .into_iter()
        .flat_map(|vpc| &vpc.cidrs)
    {
        if dice.percent(97) {
            let local = Route {
                target: RouteTarget::Local,
                origin: RouteOrigin::Table,
                blackhole: false,
            };
            routes.insert(Destination::cidr(*cidr), local);
        }
    }
    routes
}

pub fn tables(snapshot: &mut Snapshot, dice: &mut Dice) {
    let subnets: Vec<Subnet> = snapshot.topology.subnets.values().cloned().collect();
    for vpc in 1..=3 {
        let name = format!("vpc-{vpc}");
        let mut free: Vec<SubnetId> = subnets
            .iter()
            .filter(|one| one.vpc.as_str() == name)
            .map(|one| one.id.clone())
            .collect();
        for index in 0..4 {
            let edge = index == 3;
            let main = index == 0 && !dice.one_in(30);
            let mut held = BTreeSet::new();
            if !edge && index > 0 && dice.percent(70) {
                held.extend(free.pop());
            }
            let mut routes = routes(dice, vpc, &snapshot.topology);
            if edge {
                routes.retain(|_, route| {
                    matches!(
                        route.target,
                        RouteTarget::Local
                            | RouteTarget::NetworkInterface(_)
                            | RouteTarget::GatewayLoadBalancerEndpoint(_)
                    )
                });
            }
            let gateways = if edge && dice.one_in(4) {
                [format!("igw-{vpc}").as_str().into()].into()
            } else {
                BTreeSet::new()
            };
            let table = RouteTable {
                id: format!("rtb-{vpc}{index}").as_str().into(),
                vpc: name.as_str().into(),
                owner: None,
                tags: Tags::new(),
                main,
                routes,
                subnets: held,
                gateways,
                propagating: BTreeSet::new(),
            };
            let resource = Resource::RouteTable(table);
            snapshot.resources.insert(resource.id(), resource);
        }
    }
}
