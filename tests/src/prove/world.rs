//! Random rules, entries, routes and cases, small enough that parts overlap, shadow and collide.

use super::account::{Home, account, carry, mark_dead, name_parts, place_everybody};
use super::hard::upset;
use super::mutate::{Mutation, lose_nat};
use fastrand::Rng;
use snapback_engine::policy::Recreate;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// Gateways that may have an edge association.
pub(super) const EDGES: [&str; 4] = ["igw-1", "vgw-1", "igw-11", "vgw-11"];

const TRAFFIC: [&str; 9] = [
    "all",
    "tcp:22",
    "tcp:443",
    "tcp:0-1024",
    "tcp:all",
    "udp:53",
    "icmp:8",
    "icmpv6:128",
    "protocol:50",
];
const NETWORKS: [&str; 7] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "::/0",
    "2001:db8::/32",
    "2001:db8:1::/48",
];
const DESTINATIONS: [&str; 10] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "172.16.0.0/12",
    "172.16.0.0/16",
    "172.16.1.0/24",
    "192.168.0.0/16",
    "::/0",
    "2001:db8::/32",
    "pl-1",
];

/// How much is done to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Some small changes, or all of it is another.
    Ordinary,
    /// Also what people do to many resources at once.
    Hard,
}

/// One pair of live and baseline, with what the plan is asked for.
#[derive(Debug, Clone)]
pub struct Case {
    /// The number that it is made from.
    pub seed: u64,
    /// What is there.
    pub live: Snapshot,
    /// What was there when it was good.
    pub good: Snapshot,
    /// The resources of the baseline that the plan is asked for.
    pub asked: BTreeSet<ResourceId>,
    /// What the policy lets the plan make again.
    pub recreate: Recreate,
}

impl Case {
    /// The case of a seed, by one of the draws.
    pub fn drawn(seed: u64, draw: Draw) -> Self {
        let mut rng = Rng::with_seed(seed);
        let homes = Home::some(&mut rng);
        let mut good = account(&mut rng, &homes);
        name_parts(&mut good, "g");
        let mut live = good.clone();
        live.handles.associations.clear();
        if rng.u8(..3) == 0 {
            live.resources = account(&mut rng, &homes).resources;
            live.handles.rules.clear();
        } else {
            for _ in 0..rng.usize(1..12) {
                Mutation::any(&mut rng).apply(&mut live, &mut rng);
            }
        }
        if let Draw::Hard = draw {
            upset(&mut live, &mut rng);
        }
        for _ in 0..[0, 0, 1, 1, 2, 3][rng.usize(..6)] {
            Mutation::deletion(&mut rng).apply(&mut live, &mut rng);
        }
        if rng.u8(..6) == 0 {
            lose_nat(&mut live, &mut rng);
        }
        mark_dead(&mut live);
        place_everybody(&mut live, &homes);
        carry(&mut rng, &mut live, &homes);
        name_parts(&mut live, "l");
        let all: Vec<ResourceId> = good.resources.keys().cloned().collect();
        let asked = if rng.bool() {
            all.into_iter().collect()
        } else {
            all.into_iter().filter(|_| rng.bool()).collect()
        };
        let recreate = Recreate {
            nat: rng.u8(..4) > 0,
            ..Recreate::default()
        };
        Self {
            seed,
            live,
            good,
            asked,
            recreate,
        }
    }

    /// The goal.
    pub fn goal(&self) -> BTreeMap<ResourceId, Resource> {
        let asked = self.asked.iter();
        asked
            .filter_map(|id| Some((id.clone(), self.good.resources.get(id)?.clone())))
            .collect()
    }

    /// The baselines.
    pub fn baselines(&self) -> Baselines {
        Baselines::captured(&self.good, "prove", "prove")
    }
}

pub(super) fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}

pub(super) fn tags(rng: &mut Rng) -> Tags {
    let mut tags = Tags::new();
    for _ in 0..rng.usize(..3) {
        tags.insert(
            (*pick(rng, &["Owner", "Stage"])).to_owned(),
            (*pick(rng, &["a", "b"])).to_owned(),
        );
    }
    tags
}

pub(super) fn rule(rng: &mut Rng, home: Home) -> RuleKey {
    let peer = match rng.u8(..12) {
        0 => home.id("sg", 1),
        1 => home.id("sg", 2),
        2 => "sg-9@222222222222".to_owned(),
        3 => "pl-1".to_owned(),
        4 => "pl-2".to_owned(),
        _ => (*pick(rng, &NETWORKS)).to_owned(),
    };
    let direction = if rng.bool() { "ingress" } else { "egress" };
    format!("{direction} {} {peer}", pick(rng, &TRAFFIC))
        .parse()
        .unwrap()
}

pub(super) fn detail(rng: &mut Rng) -> RuleDetail {
    RuleDetail {
        description: (rng.u8(..3) == 0).then(|| (*pick(rng, &["web", "ssh"])).to_owned()),
        tags: Some(if rng.u8(..4) == 0 {
            tags(rng)
        } else {
            Tags::new()
        }),
    }
}

pub(super) fn entry(rng: &mut Rng) -> NetworkAclEntry {
    let action = if rng.bool() {
        RuleAction::Allow
    } else {
        RuleAction::Deny
    };
    let network: ipnet::IpNet = pick(rng, &NETWORKS).parse().unwrap();
    let mut traffic = *pick(rng, &TRAFFIC);
    if traffic == "icmpv6:128" && network.addr().is_ipv4() {
        traffic = "tcp:22";
    }
    NetworkAclEntry::new(action, traffic.parse().unwrap(), network)
}

pub(super) fn entry_key(rng: &mut Rng, numbers: u32) -> EntryKey {
    EntryKey {
        direction: if rng.bool() {
            Direction::Ingress
        } else {
            Direction::Egress
        },
        number: RuleNumber::new(i64::from(rng.u32(1..=numbers) * 10)).unwrap(),
    }
}

pub(super) fn target(rng: &mut Rng, home: Home) -> RouteTarget {
    match rng.u8(..6) {
        0 => RouteTarget::InternetGateway(home.id("igw", 1)),
        1 => RouteTarget::NatGateway(home.id("nat", 1)),
        2 => RouteTarget::VpcPeeringConnection("pcx-1".into()),
        3 => RouteTarget::TransitGateway("tgw-1".into()),
        4 => RouteTarget::VpnGateway(home.id("vgw", 1)),
        _ => RouteTarget::NetworkInterface(home.id("eni", 1)),
    }
}

pub(super) fn destination(rng: &mut Rng) -> Destination {
    pick(rng, &DESTINATIONS).parse().unwrap()
}

/// The route of a gateway endpoint.
pub(super) fn served(home: Home) -> (Destination, Route) {
    let route = Route::created(RouteTarget::GatewayEndpoint(home.id("vpce", 1)));
    (Destination::PrefixList("pl-3".into()), route)
}

/// A route that a VPN gateway announces.
pub(super) fn announced(rng: &mut Rng, home: Home) -> (Destination, Route) {
    let network = *pick(rng, &["192.168.0.0/16", "172.20.0.0/16", "172.16.1.0/24"]);
    let route = Route {
        target: RouteTarget::VpnGateway(home.id("vgw", 1)),
        origin: RouteOrigin::Propagated,
        blackhole: false,
    };
    (network.parse().unwrap(), route)
}
