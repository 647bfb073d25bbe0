//! Random networks, made to collide: nested prefixes, entries in the wrong order, dead targets,
//! things that were not read.

mod packets;
mod rules;

pub use packets::{Edges, inside, l4, place, public_address};

use ipnet::IpNet;
use snapback_model::*;
use std::collections::BTreeSet;
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
    rules::groups(&mut snapshot, dice);
    rules::acls(&mut snapshot, dice);
    rules::tables(&mut snapshot, dice);
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
            failure: None,
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
