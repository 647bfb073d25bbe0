//! Random states and packets, biased to the edges of what the states name.

use crate::{Flow, Host, Symbol};
use ipnet::IpNet;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

const NETWORKS: [&str; 18] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.1.0/24",
    "10.0.1.7/32",
    "10.0.1.6/31",
    "192.168.0.0/16",
    "255.255.255.255/32",
    "0.0.0.0/32",
    "::/0",
    "::/1",
    "8000::/1",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8:1::1/128",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
];

pub fn network() -> impl Strategy<Value = IpNet> {
    prop_oneof![
        4 => select(NETWORKS.to_vec()).prop_map(|text| text.parse::<IpNet>().unwrap()),
        1 => (any::<u32>(), 0u8..=32).prop_map(|(at, length)| IpNet::new(IpAddr::V4(at.into()), length).unwrap().trunc()),
        1 => (any::<u128>(), 0u8..=128).prop_map(|(at, length)| IpNet::new(IpAddr::V6(at.into()), length).unwrap().trunc()),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![
        select(vec![0, 1, 22, 23, 80, 443, 1023, 1024, 65534, 65535]),
        any::<u16>()
    ]
}

fn ports() -> impl Strategy<Value = PortRange> {
    prop_oneof![
        Just(PortRange::ALL),
        port().prop_map(PortRange::single),
        (port(), port()).prop_map(|(a, b)| PortRange::new(a.min(b), a.max(b)).unwrap()),
    ]
}

fn icmp() -> impl Strategy<Value = IcmpMatch> {
    let byte = || select(vec![0u8, 3, 8, 128, 255]);
    prop_oneof![
        Just(IcmpMatch::Any),
        byte().prop_map(IcmpMatch::Type),
        (byte(), byte()).prop_map(|(kind, code)| IcmpMatch::TypeCode(kind, code)),
    ]
}

pub fn traffic() -> impl Strategy<Value = Traffic> {
    prop_oneof![
        1 => Just(Traffic::All),
        4 => ports().prop_map(Traffic::Tcp),
        2 => ports().prop_map(Traffic::Udp),
        1 => icmp().prop_map(Traffic::Icmp),
        1 => icmp().prop_map(Traffic::Icmpv6),
        1 => select(vec![0u8, 1, 2, 6, 17, 47, 50, 58, 254, 255]).prop_map(Traffic::Protocol),
    ]
}

pub fn peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        6 => network().prop_map(Peer::cidr),
        1 => select(vec!["pl-read", "pl-unread"]).prop_map(|id| Peer::PrefixList(id.into())),
        1 => select(vec!["sg-1", "sg-2"]).prop_map(|id| Peer::SecurityGroup { id: id.into(), owner: None }),
        1 => Just(Peer::SecurityGroup { id: "sg-1".into(), owner: Some("222222222222".into()) }),
    ]
}

pub fn direction() -> impl Strategy<Value = Direction> {
    select(vec![Direction::Ingress, Direction::Egress])
}

pub fn topology() -> Topology {
    let entries: BTreeSet<IpNet> = ["10.0.0.0/24", "203.0.113.0/25", "2001:db8:2::/48"]
        .map(|net| net.parse().unwrap())
        .into();
    let list = |id: &str, entries| PrefixList {
        id: id.into(),
        name: None,
        version: None,
        max_entries: None,
        entries,
    };
    let lists = [list("pl-read", Some(entries)), list("pl-unread", None)];
    Topology {
        prefix_lists: lists
            .into_iter()
            .map(|list| (list.id.clone(), list))
            .collect(),
        ..Topology::default()
    }
}

pub fn group_of(rules: impl IntoIterator<Item = RuleKey>) -> SecurityGroup {
    SecurityGroup {
        id: "sg-1".into(),
        name: None,
        description: None,
        vpc: None,
        owner: None,
        tags: None,
        rules: rules
            .into_iter()
            .map(|rule| (rule, RuleDetail::default()))
            .collect(),
    }
}

pub fn rule() -> impl Strategy<Value = RuleKey> {
    (direction(), traffic(), peer()).prop_map(|(direction, traffic, peer)| RuleKey {
        direction,
        traffic,
        peer,
    })
}

pub fn group() -> impl Strategy<Value = SecurityGroup> {
    prop::collection::vec(rule(), 0..12).prop_map(group_of)
}

pub fn acl_of(entries: BTreeMap<EntryKey, NetworkAclEntry>) -> NetworkAcl {
    NetworkAcl {
        id: "acl-1".into(),
        vpc: "vpc-1".into(),
        owner: None,
        is_default: false,
        tags: Tags::new(),
        entries,
        subnets: BTreeSet::new(),
    }
}

pub fn entry() -> impl Strategy<Value = NetworkAclEntry> {
    (
        select(vec![RuleAction::Allow, RuleAction::Deny]),
        traffic(),
        network(),
    )
        .prop_map(|(action, traffic, cidr)| NetworkAclEntry::new(action, traffic, cidr))
}

pub fn key(direction: Direction, number: i64) -> EntryKey {
    EntryKey {
        direction,
        number: RuleNumber::new(number).unwrap(),
    }
}

pub fn acl() -> impl Strategy<Value = NetworkAcl> {
    prop::collection::btree_map(
        (direction(), 1i64..40).prop_map(|(direction, number)| key(direction, number)),
        entry(),
        0..14,
    )
    .prop_map(acl_of)
}

pub fn table_of(routes: BTreeMap<Destination, Route>) -> RouteTable {
    RouteTable {
        id: "rtb-1".into(),
        vpc: "vpc-1".into(),
        owner: None,
        tags: Tags::new(),
        main: false,
        routes,
        subnets: BTreeSet::new(),
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    }
}

pub fn table() -> impl Strategy<Value = RouteTable> {
    let destination = prop_oneof![
        8 => network().prop_map(Destination::cidr),
        1 => select(vec!["pl-read", "pl-unread"]).prop_map(|id| Destination::PrefixList(id.into())),
    ];
    let target = select(vec![
        RouteTarget::Local,
        RouteTarget::InternetGateway("igw-1".into()),
        RouteTarget::NatGateway("nat-1".into()),
        RouteTarget::NetworkInterface("eni-1".into()),
    ]);
    let origin = select(vec![
        RouteOrigin::Table,
        RouteOrigin::Created,
        RouteOrigin::Propagated,
    ]);
    let route =
        (target, origin, prop::bool::weighted(0.15)).prop_map(|(target, origin, blackhole)| {
            Route {
                target,
                origin,
                blackhole,
            }
        });
    prop::collection::btree_map(destination, route, 0..10).prop_map(table_of)
}

/// Addresses at and just outside the bounds of the networks that random states use.
pub fn address() -> impl Strategy<Value = IpAddr> {
    let near_edge = (network(), any::<bool>(), 0u8..3).prop_map(|(net, last, step)| {
        let edge = if last { net.broadcast() } else { net.network() };
        match edge {
            IpAddr::V4(at) => {
                let at = u32::from(at);
                IpAddr::V4([at, at.wrapping_add(1), at.wrapping_sub(1)][usize::from(step)].into())
            }
            IpAddr::V6(at) => {
                let at = u128::from(at);
                IpAddr::V6([at, at.wrapping_add(1), at.wrapping_sub(1)][usize::from(step)].into())
            }
        }
    });
    prop_oneof![
        6 => near_edge,
        1 => any::<u32>().prop_map(|at| IpAddr::V4(at.into())),
        1 => any::<u128>().prop_map(|at| IpAddr::V6(at.into())),
    ]
}

pub fn flow() -> impl Strategy<Value = Flow> {
    let group = |id: &str, owner: Option<&str>| Symbol::SecurityGroup {
        id: id.into(),
        owner: owner.map(Into::into),
    };
    let symbols = vec![
        group("sg-1", None),
        group("sg-2", None),
        group("sg-1", Some("222222222222")),
        group("sg-9", None),
        Symbol::PrefixList("pl-read".into()),
        Symbol::PrefixList("pl-unread".into()),
    ];
    let host = prop_oneof![6 => address().prop_map(Host::Address), 1 => select(symbols).prop_map(Host::Symbol)];
    let point = prop_oneof![
        select(vec![
            0u16, 21, 22, 23, 24, 79, 80, 443, 1024, 65535, 0x0800, 0x0803, 0x08ff, 0x0900, 0x0300,
            0xff00
        ]),
        any::<u16>()
    ];
    let protocol = prop_oneof![4 => Just(6u8), 2 => select(vec![17u8, 1, 58]), 1 => select(vec![0u8, 2, 47, 50, 254, 255])];
    (host, protocol, point).prop_map(|(peer, protocol, point)| Flow {
        peer,
        protocol,
        point,
    })
}

/// Many packets from one draw: the cross product of a few hosts and points.
pub fn flows() -> impl Strategy<Value = Vec<Flow>> {
    prop::collection::vec(flow(), 24)
}

pub fn shuffled<T: Clone>(items: &[T], picks: &[Index]) -> Vec<T> {
    let mut left = items.to_vec();
    let mut order = Vec::new();
    for pick in picks {
        if left.is_empty() {
            break;
        }
        order.push(left.remove(pick.index(left.len())));
    }
    order.extend(left);
    order
}
