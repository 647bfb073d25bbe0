//! Worlds to measure: groups, ACLs and tables of any size, typical and adversarial, always the same
//! for the same size. Benches, growth curves and the bound's tests use them.
#![allow(dead_code, reason = "each user takes some of them")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "measurements and tests"
)]

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What the rules of a group look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// IPv4 networks of /8 to /32 in 10.0.0.0/8 and around, few protocols, mixed port ranges.
    RandomV4,
    /// The same in IPv6, /32 to /128.
    RandomV6,
    /// The worst of slabs: half of the rules open one port each to everyone, no two ports adjacent;
    /// the other half cut the line into single addresses.
    Adversarial,
}

impl Shape {
    pub const ALL: [Self; 3] = [Self::RandomV4, Self::RandomV6, Self::Adversarial];

    pub fn name(self) -> &'static str {
        match self {
            Self::RandomV4 => "random v4",
            Self::RandomV6 => "random v6",
            Self::Adversarial => "adversarial",
        }
    }
}

fn traffic(rng: &mut fastrand::Rng) -> Traffic {
    let ports = |rng: &mut fastrand::Rng| {
        let from = rng.u16(..);
        match rng.u8(0..4) {
            0 => PortRange::ALL,
            1 => PortRange::new(from, from.saturating_add(rng.u16(..1000))).unwrap(),
            _ => PortRange::single(*rng.choice(&[22, 80, 443, 3306, 5432, 8080, from]).unwrap()),
        }
    };
    match rng.u8(0..10) {
        0 => Traffic::All,
        1 | 2 => Traffic::Udp(ports(rng)),
        3 => Traffic::Icmp(IcmpMatch::Type(rng.u8(..12))),
        _ => Traffic::Tcp(ports(rng)),
    }
}

fn network(rng: &mut fastrand::Rng, v6: bool) -> IpNet {
    if v6 {
        let at = (0x2001_0db8_u128 << 96) | (rng.u128(..) >> 32);
        let net = Ipv6Net::new(Ipv6Addr::from(at), rng.u8(32..=128)).unwrap();
        return IpNet::V6(net.trunc());
    }
    let at = if rng.u8(0..4) == 0 {
        rng.u32(..)
    } else {
        (10 << 24) | rng.u32(..1 << 24)
    };
    IpNet::V4(Ipv4Net::new(at.into(), rng.u8(8..=32)).unwrap().trunc())
}

fn adversarial(number: u32) -> (Traffic, IpNet) {
    let step = number / 2;
    if number.is_multiple_of(2) {
        let port = PortRange::single((step * 2 % 65_536) as u16);
        let everyone = Ipv4Net::new(Ipv4Addr::UNSPECIFIED, 0).unwrap();
        return (Traffic::Tcp(port), IpNet::V4(everyone));
    }
    let host = Ipv4Net::new(((10 << 24) | (step * 2)).into(), 32).unwrap();
    (Traffic::Tcp(PortRange::single(1)), IpNet::V4(host))
}

fn ingress(traffic: Traffic, network: IpNet) -> RuleKey {
    RuleKey {
        direction: Direction::Ingress,
        traffic,
        peer: Peer::cidr(network),
    }
}

/// A group with exactly this many ingress rules.
pub fn group(rules: u32, shape: Shape) -> SecurityGroup {
    let mut rng = fastrand::Rng::with_seed(u64::from(rules));
    let mut keys = BTreeSet::new();
    let mut number = 0;
    while keys.len() < rules as usize {
        keys.insert(match shape {
            Shape::RandomV4 => ingress(traffic(&mut rng), network(&mut rng, false)),
            Shape::RandomV6 => ingress(traffic(&mut rng), network(&mut rng, true)),
            Shape::Adversarial => {
                let (traffic, network) = adversarial(number);
                ingress(traffic, network)
            }
        });
        number += 1;
    }
    group_of(keys)
}

pub fn group_of(keys: impl IntoIterator<Item = RuleKey>) -> SecurityGroup {
    SecurityGroup {
        id: "sg-1".into(),
        name: None,
        description: None,
        vpc: None,
        owner: None,
        tags: None,
        rules: keys
            .into_iter()
            .map(|rule| (rule, RuleDetail::default()))
            .collect(),
    }
}

/// The group after an edit: one rule in a hundred (at least one) gone, and ssh opened to everyone.
pub fn edited(group: &SecurityGroup) -> SecurityGroup {
    let kept = group
        .rules
        .keys()
        .enumerate()
        .filter(|(index, _)| index % 100 != 7)
        .map(|(_, rule)| rule.clone());
    let ssh = "ingress tcp:22 0.0.0.0/0".parse().unwrap();
    group_of(kept.chain([ssh]))
}

/// An ACL with this many ingress entries, a third of them denies.
pub fn acl(entries: u32) -> NetworkAcl {
    let mut rng = fastrand::Rng::with_seed(u64::from(entries));
    let entries = (0..entries).map(|number| {
        let action = if rng.u8(0..3) == 0 {
            RuleAction::Deny
        } else {
            RuleAction::Allow
        };
        let v6 = rng.u8(0..5) == 0;
        let entry = NetworkAclEntry::new(action, traffic(&mut rng), network(&mut rng, v6));
        (key(i64::from(number) * 10 + 10), entry)
    });
    acl_of(entries.collect())
}

pub fn key(number: i64) -> EntryKey {
    EntryKey {
        direction: Direction::Ingress,
        number: RuleNumber::new(number).unwrap(),
    }
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

/// The ACL with its first entries swapped for a deny of everything: the rule-order bomb.
pub fn bombed(acl: &NetworkAcl) -> NetworkAcl {
    let mut bombed = acl.clone();
    let deny = NetworkAclEntry::new(
        RuleAction::Deny,
        "tcp:443".parse().unwrap(),
        "0.0.0.0/0".parse().unwrap(),
    );
    bombed.entries.insert(key(5), deny);
    bombed
}

/// A table with this many routes: the local one, a default, random networks to a few targets.
pub fn table(routes: u32) -> RouteTable {
    let mut rng = fastrand::Rng::with_seed(u64::from(routes));
    let targets = [
        RouteTarget::NatGateway("nat-1".into()),
        RouteTarget::VpcPeeringConnection("pcx-1".into()),
        RouteTarget::NetworkInterface("eni-1".into()),
    ];
    let mut all = BTreeMap::from([
        (
            "10.0.0.0/16".parse().unwrap(),
            Route::created(RouteTarget::Local),
        ),
        (
            "0.0.0.0/0".parse().unwrap(),
            Route::created(RouteTarget::InternetGateway("igw-1".into())),
        ),
    ]);
    while all.len() < routes as usize {
        let network = network(&mut rng, false);
        let target = rng.choice(&targets).unwrap().clone();
        all.insert(Destination::cidr(network), Route::created(target));
    }
    RouteTable {
        id: "rtb-1".into(),
        vpc: "vpc-1".into(),
        owner: None,
        tags: Tags::new(),
        main: false,
        routes: all,
        subnets: BTreeSet::new(),
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    }
}

/// The table with the default route led elsewhere, and a more specific one to an appliance.
pub fn hijacked(table: &RouteTable) -> RouteTable {
    let mut hijacked = table.clone();
    for network in ["0.0.0.0/0", "8.8.8.0/24"] {
        let appliance = RouteTarget::NetworkInterface("eni-9".into());
        hijacked
            .routes
            .insert(network.parse().unwrap(), Route::created(appliance));
    }
    hijacked
}
