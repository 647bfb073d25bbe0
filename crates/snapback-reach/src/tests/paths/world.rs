//! Random networks, made to collide: nested prefixes, entries in the wrong order, dead targets,
//! things that were not read.

use crate::path::{L4, Place, Spot};
use crate::{AddressSet, Family};
use ipnet::IpNet;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Random numbers from one seed (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
    pub fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
    pub fn of<T: Clone>(&mut self, items: &[T]) -> T {
        let index = self.below(items.len());
        items[index].clone()
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// Where a VPC's addresses begin: the third may overlap the first.
fn base(vpc: usize, overlaps: bool) -> u8 {
    if vpc == 3 && overlaps {
        1
    } else {
        u8::try_from(vpc).unwrap()
    }
}

fn v4_net(second: u8, third: u8, length: u8) -> IpNet {
    IpNet::new(IpAddr::V4(Ipv4Addr::new(10, second, third, 0)), length).unwrap()
}

fn v6_net(vpc: usize, subnet: usize, length: u8) -> IpNet {
    let (vpc, subnet) = (u16::try_from(vpc).unwrap(), u16::try_from(subnet).unwrap());
    IpNet::new(
        IpAddr::V6(Ipv6Addr::new(0x2600, 0x1f00, vpc, subnet, 0, 0, 0, 0)),
        length,
    )
    .unwrap()
}

pub fn world(dice: &mut Dice) -> Snapshot {
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    snapshot.coverage = Kind::ALL.map(Coverage::Kind).into();
    let overlaps = dice.one_in(5);
    let whole = dice.percent(75);
    let topology = &mut snapshot.topology;
    topology.read = ContextKind::ALL
        .into_iter()
        .filter(|_| whole || dice.percent(70))
        .collect();
    for vpc in 1..=3 {
        let mut made = Vpc::new(format!("vpc-{vpc}").as_str());
        made.cidrs = [v4_net(base(vpc, overlaps), 0, 16), v6_net(vpc, 0, 48)].into();
        made.block = dice
            .one_in(6)
            .then(|| dice.of(&[BlockMode::Off, BlockMode::Ingress]));
        topology.vpcs.insert(made.id.clone(), made);
        for index in 0..dice.below(2) + 2 {
            let mut subnet = Subnet::new(
                format!("subnet-{vpc}{index}").as_str(),
                format!("vpc-{vpc}").as_str(),
            );
            let third = u8::try_from(index).unwrap();
            subnet.cidrs.insert(v4_net(base(vpc, overlaps), third, 24));
            if dice.percent(70) {
                subnet.cidrs.insert(v6_net(vpc, index, 64));
            }
            subnet.block = dice.percent(60).then(|| {
                dice.of(&[
                    BlockMode::Off,
                    BlockMode::Off,
                    BlockMode::Off,
                    BlockMode::Ingress,
                    BlockMode::Bidirectional,
                ])
            });
            topology.subnets.insert(subnet.id.clone(), subnet);
        }
    }
    lists(topology);
    interfaces(topology, dice);
    gateways(topology, dice);
    block(topology, dice);
    groups(&mut snapshot, dice);
    acls(&mut snapshot, dice);
    tables(&mut snapshot, dice);
    snapshot
}

fn lists(topology: &mut Topology) {
    let of = |id: &str, entries: Option<&[&str]>| PrefixList {
        id: id.into(),
        name: None,
        version: None,
        max_entries: None,
        entries: entries.map(|all| all.iter().map(|text| net(text)).collect()),
    };
    for list in [
        of(
            "pl-read",
            Some(&[
                "10.1.0.0/24",
                "52.0.0.0/24",
                "3.5.0.0/16",
                "2600:1f00:2::/64",
            ]),
        ),
        of("pl-other", Some(&["52.0.0.0/24", "10.2.0.0/16"])),
        of("pl-unread", None),
    ] {
        topology.prefix_lists.insert(list.id.clone(), list);
    }
}

fn interfaces(topology: &mut Topology, dice: &mut Dice) {
    let subnets: Vec<Subnet> = topology.subnets.values().cloned().collect();
    let mut public = 0u8;
    for subnet in subnets {
        for index in 0..dice.below(3) + 1 {
            let id = format!(
                "eni-{}{index}",
                subnet.id.as_str().trim_start_matches("subnet-")
            );
            let mut made =
                NetworkInterface::new(id.as_str(), subnet.vpc.clone(), subnet.id.clone());
            for network in &subnet.cidrs {
                let host = 4 + index * 2;
                made.addresses.extend(network.hosts().nth(host));
                if dice.one_in(6) {
                    made.addresses.extend(network.hosts().nth(host + 1));
                }
            }
            if dice.percent(65) {
                public += 1;
                made.public_addresses
                    .insert(IpAddr::V4(Ipv4Addr::new(52, 0, 0, public)));
            }
            made.kind = match dice.below(12) {
                0 => Some("lambda".to_owned()),
                1 => Some("nat_gateway".to_owned()),
                _ => None,
            };
            let carried = if made.kind.as_deref() == Some("nat_gateway") || dice.one_in(25) {
                0
            } else {
                dice.below(3) + 1
            };
            for _ in 0..carried {
                made.groups.insert(
                    dice.of(&["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-gone"])
                        .into(),
                );
            }
            topology.interfaces.insert(made.id.clone(), made);
        }
    }
}

fn gateways(topology: &mut Topology, dice: &mut Dice) {
    let subnets: Vec<Subnet> = topology.subnets.values().cloned().collect();
    let mut add = |gateway: Gateway| topology.gateways.insert(gateway.id.clone(), gateway);
    for vpc in 1..=3 {
        let id: VpcId = format!("vpc-{vpc}").as_str().into();
        let attached = |dice: &mut Dice| -> BTreeSet<VpcId> {
            if dice.percent(90) {
                [id.clone()].into()
            } else {
                BTreeSet::new()
            }
        };
        if dice.percent(95) {
            add(Gateway {
                vpcs: attached(dice),
                ..Gateway::new(format!("igw-{vpc}"), GatewayKind::Internet)
            });
        }
        if dice.percent(90) {
            add(Gateway {
                vpcs: attached(dice),
                ..Gateway::new(format!("eigw-{vpc}"), GatewayKind::EgressOnlyInternet)
            });
        }
        let own: Vec<&Subnet> = subnets.iter().filter(|subnet| subnet.vpc == id).collect();
        let mut nat = Gateway::new(format!("nat-{vpc}"), GatewayKind::Nat);
        nat.vpcs = [id.clone()].into();
        nat.subnets = [dice.of(&own).id.clone()].into();
        nat.state = match dice.below(12) {
            0 => None,
            1 => Some("deleted".into()),
            _ => Some("available".into()),
        };
        if dice.percent(80) {
            nat.public_addresses.insert(IpAddr::V4(Ipv4Addr::new(
                54,
                0,
                0,
                u8::try_from(vpc).unwrap(),
            )));
        }
        nat.nat = dice.percent(60).then(|| NatDetail {
            connectivity: if dice.one_in(5) {
                Connectivity::Private
            } else {
                Connectivity::Public
            },
            regional: dice.one_in(8),
            zone: None,
            addresses: BTreeSet::new(),
        });
        if dice.percent(92) {
            add(nat);
        }
    }
    for (one, other) in [(1, 2), (1, 3), (2, 3)] {
        let mut peering = Gateway::new(format!("pcx-{one}{other}"), GatewayKind::Peering);
        peering.vpcs = [one, other]
            .map(|vpc| VpcId::from(format!("vpc-{vpc}").as_str()))
            .into();
        peering.state = match dice.below(8) {
            0 => None,
            1 => Some("deleted".into()),
            _ => Some("active".into()),
        };
        if dice.percent(75) {
            add(peering);
        }
    }
    let mut foreign = Gateway::new("pcx-far", GatewayKind::Peering);
    foreign.vpcs = ["vpc-1", "vpc-far"].map(VpcId::from).into();
    foreign.state = Some("active".into());
    if dice.percent(50) {
        foreign.peer_cidrs.insert(net("172.16.0.0/16"));
    }
    add(foreign);
    let mut transit = Gateway::new("tgw-1", GatewayKind::Transit);
    transit.vpcs = (1..=3)
        .filter(|_| dice.percent(60))
        .map(|vpc| VpcId::from(format!("vpc-{vpc}").as_str()))
        .collect();
    add(transit);
    if dice.percent(70) {
        add(Gateway::new("vpce-1", GatewayKind::Endpoint));
    }
}

fn block(topology: &mut Topology, dice: &mut Dice) {
    let modes = [
        BlockMode::Off,
        BlockMode::Off,
        BlockMode::Bidirectional,
        BlockMode::Ingress,
    ];
    topology.block_public_access = dice.percent(65).then(|| BlockPublicAccess {
        mode: if dice.percent(60) {
            BlockMode::Off
        } else {
            dice.of(&modes)
        },
        exclusions: (0..dice.below(4))
            .map(|index| {
                let exclusion = BlockExclusion {
                    id: format!("vpcbpa-exclude-{index}"),
                    resource: dice
                        .of(&[
                            "vpc-1",
                            "vpc-2",
                            "subnet-10",
                            "subnet-11",
                            "subnet-20",
                            "subnet-31",
                        ])
                        .into(),
                    mode: dice.of(&[ExclusionMode::Bidirectional, ExclusionMode::Egress]),
                    active: dice.percent(85),
                };
                (exclusion.id.clone(), exclusion)
            })
            .collect(),
    });
}

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

fn groups(snapshot: &mut Snapshot, dice: &mut Dice) {
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

fn acls(snapshot: &mut Snapshot, dice: &mut Dice) {
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

fn tables(snapshot: &mut Snapshot, dice: &mut Dice) {
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

/// An interface at one of its addresses, or some host of a subnet.
pub fn inside<'a>(world: &'a Snapshot, dice: &mut Dice) -> Place<'a> {
    let topology = &world.topology;
    if dice.one_in(10) {
        let all: Vec<&Subnet> = topology.subnets.values().collect();
        let subnet = dice.of(&all);
        let nets: Vec<IpNet> = subnet.cidrs.iter().copied().collect();
        let host = dice.of(&[0usize, 1, 4, 9, 60]);
        let address = dice.of(&nets).hosts().nth(host).unwrap();
        return Place::Inside(Spot {
            vpc: &subnet.vpc,
            subnet: &subnet.id,
            interface: None,
            address,
            called: address,
        });
    }
    let all: Vec<&NetworkInterface> = topology.interfaces.values().collect();
    let one = dice.of(&all);
    let own: Vec<IpAddr> = one.addresses.iter().copied().collect();
    let address = dice.of(&own);
    let public = one
        .public_addresses
        .first()
        .filter(|_| address.is_ipv4() && dice.percent(30));
    Place::Inside(Spot {
        vpc: &one.vpc,
        subnet: &one.subnet,
        interface: Some(one),
        address,
        called: public.copied().unwrap_or(address),
    })
}

/// Where a world's states change their minds.
pub struct Edges {
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
}

impl Edges {
    pub fn of(world: &Snapshot) -> Self {
        let mut networks = vec![
            net("3.5.0.0/16"),
            net("8.8.8.8/32"),
            net("2001:4860:4860::8888/128"),
        ];
        let mut traffics = Vec::new();
        for resource in world.resources.values() {
            match resource {
                Resource::RouteTable(table) => {
                    networks.extend(table.routes.keys().filter_map(Destination::as_cidr))
                }
                Resource::NetworkAcl(acl) => {
                    networks.extend(acl.entries.values().map(|entry| entry.cidr));
                    traffics.extend(acl.entries.values().map(|entry| entry.traffic));
                }
                Resource::SecurityGroup(group) => {
                    networks.extend(group.rules.keys().filter_map(|rule| rule.peer.as_cidr()));
                    traffics.extend(group.rules.keys().map(|rule| rule.traffic));
                }
            }
        }
        let ports = traffics.into_iter().flat_map(|traffic| match traffic {
            Traffic::Tcp(ports) | Traffic::Udp(ports) => vec![ports.from(), ports.to()],
            _ => Vec::new(),
        });
        Self {
            addresses: networks
                .iter()
                .flat_map(|net| [net.network(), net.broadcast()])
                .collect(),
            ports: ports.chain([22, 443, 443]).collect(),
        }
    }
}

pub fn public_address(edges: &Edges, dice: &mut Dice, family: Family) -> IpAddr {
    for _ in 0..64 {
        let at = match dice.of(&edges.addresses) {
            IpAddr::V4(at) => IpAddr::V4(
                u32::from(at)
                    .wrapping_add(u32::try_from(dice.below(3)).unwrap())
                    .wrapping_sub(1)
                    .into(),
            ),
            IpAddr::V6(at) => IpAddr::V6(
                u128::from(at)
                    .wrapping_add(dice.below(3) as u128)
                    .wrapping_sub(1)
                    .into(),
            ),
        };
        if AddressSet::internet(family).contains(at) {
            return at;
        }
    }
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)),
        Family::V6 => "2620:fe::9".parse().unwrap(),
    }
}

/// An end of a path; for a destination with the source it should be able to talk to.
pub fn place<'a>(
    world: &'a Snapshot,
    edges: &Edges,
    dice: &mut Dice,
    source: Option<Place<'a>>,
) -> Place<'a> {
    let v4 = source.is_none_or(|source| source.address().is_ipv4());
    let family = if v4 { Family::V4 } else { Family::V6 };
    match dice.below(20) {
        0 | 1 => Place::Outside(public_address(edges, dice, family)),
        2 if v4 => Place::Outside(
            dice.of(&[
                "172.16.0.5",
                "192.168.3.1",
                "10.1.200.1",
                "10.9.0.1",
                "172.17.0.1",
            ])
            .parse()
            .unwrap(),
        ),
        3 if source.is_some() && dice.one_in(3) => Place::Outside(
            dice.of(&[
                "169.254.169.254",
                "169.254.169.7",
                "10.1.0.2",
                "10.2.0.2",
                "fd00:ec2::253",
                "fd00:ec2::9",
                "169.254.172.1",
            ])
            .parse()
            .unwrap(),
        ),
        _ => {
            let mut found = inside(world, dice);
            for _ in 0..6 {
                if source
                    .is_none_or(|source| source.address().is_ipv4() == found.called().is_ipv4())
                {
                    break;
                }
                found = inside(world, dice);
            }
            found
        }
    }
}

pub fn l4(edges: &Edges, dice: &mut Dice) -> L4 {
    let protocol = dice.of(&[6u8, 6, 6, 6, 6, 17, 17, 1, 58, 50, 47, 2]);
    let point = match protocol {
        6 | 17 => dice
            .of(&edges.ports)
            .wrapping_add(u16::try_from(dice.below(3)).unwrap())
            .wrapping_sub(1),
        1 | 58 => dice.of(&[0x0800u16, 0x0800, 0x0000, 0x0304, 0x8000, 0x8100, 0x0801]),
        _ => 0,
    };
    L4 { protocol, point }
}
