//! Seeded random states, and packets at the edges of what a state names. Quicker than proptest's
//! strategies, without shrinking: for many packets in each of many states.

use crate::{Flow, Host, Symbol};
use fastrand::Rng;
use ipnet::IpNet;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::arbitrary::{acl_of, group_of, key, table_of};

/// The seed of proptest where it is given, else a new one. Failures name it.
pub fn seed() -> u64 {
    let given = std::env::var("PROPTEST_RNG_SEED").ok();
    given
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..))
}

/// Few bases, so that networks nest and touch.
const V4_BASES: [u32; 5] = [0, 10 << 24, (10 << 24) | 0x0100, 192 << 24, u32::MAX];
const V6_BASES: [u128; 4] = [
    0,
    0x2001_0db8 << 96,
    (0x2001_0db8 << 96) | (1 << 80),
    u128::MAX,
];

pub fn network(rng: &mut Rng) -> IpNet {
    if rng.u8(0..3) == 0 {
        let base = *rng.choice(&V6_BASES).unwrap() ^ (rng.u128(..) & rng.u128(..) & 0xff);
        let length = *rng
            .choice(&[0, 1, 3, 32, 33, 47, 48, 64, 120, 124, 127, 128])
            .unwrap();
        return IpNet::new(IpAddr::V6(base.into()), length).unwrap().trunc();
    }
    let base = match rng.u8(0..8) {
        0 => rng.u32(..),
        _ => *rng.choice(&V4_BASES).unwrap() ^ (rng.u32(..) & rng.u32(..) & 0x01ff),
    };
    let length = *rng
        .choice(&[0, 1, 2, 8, 9, 16, 23, 24, 25, 28, 30, 31, 32])
        .unwrap();
    IpNet::new(IpAddr::V4(base.into()), length).unwrap().trunc()
}

fn port(rng: &mut Rng) -> u16 {
    match rng.u8(0..4) {
        0 => rng.u16(..),
        1 => rng.u16(20..26),
        _ => *rng
            .choice(&[0, 1, 2, 22, 80, 443, 1023, 1024, 32767, 32768, 65534, 65535])
            .unwrap(),
    }
}

fn ports(rng: &mut Rng) -> PortRange {
    let (a, b) = (port(rng), port(rng));
    match rng.u8(0..4) {
        0 => PortRange::ALL,
        1 => PortRange::single(a),
        _ => PortRange::new(a.min(b), a.max(b)).unwrap(),
    }
}

fn icmp(rng: &mut Rng) -> IcmpMatch {
    let mut byte = || *rng.choice(&[0, 1, 3, 4, 8, 128, 254, 255]).unwrap();
    let (kind, code) = (byte(), byte());
    match rng.u8(0..4) {
        0 => IcmpMatch::Any,
        1 => IcmpMatch::Type(kind),
        _ => IcmpMatch::TypeCode(kind, code),
    }
}

const NUMBERS: [u8; 10] = [0, 1, 2, 6, 17, 47, 50, 58, 254, 255];

pub fn traffic(rng: &mut Rng) -> Traffic {
    match rng.u8(0..10) {
        0 => Traffic::All,
        1..=4 => Traffic::Tcp(ports(rng)),
        5 | 6 => Traffic::Udp(ports(rng)),
        7 => Traffic::Icmp(icmp(rng)),
        8 => Traffic::Icmpv6(icmp(rng)),
        _ => Traffic::Protocol(*rng.choice(&NUMBERS).unwrap()),
    }
}

const GROUPS: [(&str, Option<&str>); 4] = [
    ("sg-1", None),
    ("sg-2", None),
    ("sg-1", Some("222222222222")),
    ("sg-9", None),
];
const LISTS: [&str; 4] = ["pl-1", "pl-2", "pl-empty", "pl-unread"];

fn peer(rng: &mut Rng) -> Peer {
    match rng.u8(0..10) {
        0 | 1 => Peer::PrefixList((*rng.choice(&LISTS).unwrap()).into()),
        2 => {
            let (id, owner) = *rng.choice(&GROUPS[..3]).unwrap();
            Peer::SecurityGroup {
                id: id.into(),
                owner: owner.map(Into::into),
            }
        }
        _ => Peer::cidr(network(rng)),
    }
}

fn direction(rng: &mut Rng) -> Direction {
    if rng.bool() {
        Direction::Ingress
    } else {
        Direction::Egress
    }
}

pub fn rule(rng: &mut Rng) -> RuleKey {
    RuleKey {
        direction: direction(rng),
        traffic: traffic(rng),
        peer: peer(rng),
    }
}

pub fn group(rng: &mut Rng) -> SecurityGroup {
    let rules = rng.usize(0..16);
    group_of((0..rules).map(|_| rule(rng)).collect::<Vec<_>>())
}

pub fn acl(rng: &mut Rng) -> NetworkAcl {
    let entries = (0..rng.usize(0..24)).map(|_| {
        let action = if rng.bool() {
            RuleAction::Allow
        } else {
            RuleAction::Deny
        };
        let entry = NetworkAclEntry::new(action, traffic(rng), network(rng));
        (key(direction(rng), rng.i64(1..60)), entry)
    });
    acl_of(entries.collect())
}

pub fn table(rng: &mut Rng) -> RouteTable {
    let targets = [
        RouteTarget::Local,
        RouteTarget::InternetGateway("igw-1".into()),
        RouteTarget::NatGateway("nat-1".into()),
        RouteTarget::NetworkInterface("eni-1".into()),
    ];
    let origins = [
        RouteOrigin::Table,
        RouteOrigin::Created,
        RouteOrigin::Propagated,
    ];
    let routes = (0..rng.usize(0..20)).map(|_| {
        let destination = if rng.u8(0..5) == 0 {
            Destination::PrefixList((*rng.choice(&LISTS).unwrap()).into())
        } else {
            Destination::cidr(network(rng))
        };
        let route = Route {
            target: rng.choice(&targets).unwrap().clone(),
            origin: *rng.choice(&origins).unwrap(),
            blackhole: rng.u8(0..7) == 0,
        };
        (destination, route)
    });
    table_of(routes.collect())
}

/// Two prefix lists that were read, one that is empty, one that was not read.
pub fn topology(rng: &mut Rng) -> Topology {
    let mut entries = || Some((0..rng.usize(1..6)).map(|_| network(rng)).collect());
    let known = [entries(), entries(), Some(BTreeSet::new()), None];
    let lists = LISTS.into_iter().zip(known).map(|(id, entries)| {
        let list = PrefixList {
            id: id.into(),
            name: None,
            version: None,
            max_entries: None,
            entries,
        };
        (list.id.clone(), list)
    });
    Topology {
        prefix_lists: lists.collect::<BTreeMap<_, _>>(),
        ..Topology::default()
    }
}

/// Where packets of a state are drawn from: the edges of its networks and points, and one beyond.
pub struct Edges {
    hosts: Vec<Host>,
    points: Vec<u16>,
}

impl Edges {
    pub fn of<'a>(
        networks: impl IntoIterator<Item = IpNet>,
        traffic: impl IntoIterator<Item = &'a Traffic>,
        topology: &Topology,
    ) -> Self {
        let lists = topology.prefix_lists.values();
        let entries = lists.flat_map(|list| list.entries.iter().flatten().copied());
        let networks: BTreeSet<IpNet> = networks.into_iter().chain(entries).collect();
        let mut hosts: Vec<Host> = networks.into_iter().flat_map(edges).collect();
        hosts.extend(GROUPS.map(|(id, owner)| {
            Host::Symbol(Symbol::SecurityGroup {
                id: id.into(),
                owner: owner.map(Into::into),
            })
        }));
        hosts.extend(LISTS.map(|id| Host::Symbol(Symbol::PrefixList(id.into()))));
        let mut points = vec![0, 1, 0x0300, 0x0800, 0x08ff, 65534, 65535];
        for traffic in traffic {
            let (low, high) = match traffic {
                Traffic::Tcp(range) | Traffic::Udp(range) => (range.from(), range.to()),
                Traffic::Icmp(IcmpMatch::Type(kind)) | Traffic::Icmpv6(IcmpMatch::Type(kind)) => {
                    (u16::from(*kind) << 8, u16::from(*kind) << 8 | 255)
                }
                Traffic::Icmp(IcmpMatch::TypeCode(kind, code))
                | Traffic::Icmpv6(IcmpMatch::TypeCode(kind, code)) => {
                    let point = u16::from_be_bytes([*kind, *code]);
                    (point, point)
                }
                Traffic::All
                | Traffic::Protocol(_)
                | Traffic::Icmp(IcmpMatch::Any)
                | Traffic::Icmpv6(IcmpMatch::Any) => continue,
            };
            let around = [low.wrapping_sub(1), low, high, high.wrapping_add(1)];
            points.extend(around);
        }
        Self { hosts, points }
    }

    pub fn host(&self, rng: &mut Rng) -> Host {
        match rng.u8(0..16) {
            0 => Host::Address(IpAddr::V4(rng.u32(..).into())),
            1 => Host::Address(IpAddr::V6(rng.u128(..).into())),
            _ => rng.choice(&self.hosts).unwrap().clone(),
        }
    }

    pub fn flow(&self, rng: &mut Rng) -> Flow {
        let protocol = match rng.u8(0..8) {
            0..=2 => 6,
            3 | 4 => 17,
            5 => *rng.choice(&[1, 58]).unwrap(),
            6 => *rng.choice(&NUMBERS).unwrap(),
            _ => rng.u8(..),
        };
        let point = match rng.u8(0..8) {
            0 => rng.u16(..),
            _ => *rng.choice(&self.points).unwrap(),
        };
        Flow {
            peer: self.host(rng),
            protocol,
            point,
        }
    }
}

fn edges(network: IpNet) -> [Host; 4] {
    let beyond = |address: IpAddr, up: bool| match address {
        IpAddr::V4(at) => {
            let at = u32::from(at);
            IpAddr::V4(
                if up {
                    at.wrapping_add(1)
                } else {
                    at.wrapping_sub(1)
                }
                .into(),
            )
        }
        IpAddr::V6(at) => {
            let at = u128::from(at);
            IpAddr::V6(
                if up {
                    at.wrapping_add(1)
                } else {
                    at.wrapping_sub(1)
                }
                .into(),
            )
        }
    };
    let (first, last) = (network.network(), network.broadcast());
    [beyond(first, false), first, last, beyond(last, true)].map(Host::Address)
}
