//! Packets at the edges of what both ends say, judged by the naive evaluator.

use super::world::pick;
use fastrand::Rng;
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{Flow, Host, Symbol};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Packets and addresses of one case.
const FLOWS: usize = 64;
const ADDRESSES: usize = 24;

/// The packets and addresses that a case is judged by.
pub(super) struct Packets {
    pub(super) flows: Vec<Flow>,
    pub(super) addresses: Vec<IpAddr>,
}

impl Packets {
    /// At and beside the edges of every rule, entry and route of some states.
    pub(super) fn of(states: &[&Snapshot], rng: &mut Rng) -> Self {
        let mut nets: BTreeSet<IpNet> = BTreeSet::new();
        let mut symbols: BTreeSet<Symbol> = BTreeSet::new();
        let mut points: BTreeSet<(u8, u16)> = BTreeSet::from([(6, 22), (99, 0)]);
        let mut routed: BTreeSet<IpNet> = BTreeSet::new();
        for state in states {
            let lists = state.topology.prefix_lists.values();
            let listed: Vec<IpNet> = lists
                .flat_map(|list| list.entries.iter().flatten())
                .copied()
                .collect();
            routed.extend(&listed);
            nets.extend(&listed);
            for resource in state.resources.values() {
                match resource {
                    Resource::SecurityGroup(group) => {
                        for key in group.rules.keys() {
                            nets.extend(key.peer.as_cidr());
                            symbols.extend(Symbol::of(&key.peer));
                            edges(&key.traffic, &mut points);
                        }
                    }
                    Resource::NetworkAcl(acl) => {
                        for entry in acl.entries.values() {
                            nets.insert(entry.cidr);
                            edges(&entry.traffic, &mut points);
                        }
                    }
                    Resource::RouteTable(table) => {
                        routed.extend(table.routes.keys().filter_map(Destination::as_cidr))
                    }
                }
            }
        }
        let hosts: Vec<Host> = beside(&nets)
            .into_iter()
            .map(Host::Address)
            .chain(symbols.into_iter().map(Host::Symbol))
            .collect();
        let points: Vec<(u8, u16)> = points.into_iter().collect();
        let mut flows = Vec::new();
        if !hosts.is_empty() {
            flows.extend((0..FLOWS).map(|_| {
                let (protocol, point) = *pick(rng, &points);
                Flow {
                    peer: pick(rng, &hosts).clone(),
                    protocol,
                    point,
                }
            }));
        }
        let mut addresses: Vec<IpAddr> = beside(&routed).into_iter().collect();
        rng.shuffle(&mut addresses);
        addresses.truncate(ADDRESSES);
        Self { flows, addresses }
    }
}

/// First and last address of each network and those beside it.
fn beside(nets: &BTreeSet<IpNet>) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::new();
    for net in nets {
        match net {
            IpNet::V4(net) => {
                let (low, high) = (u32::from(net.network()), u32::from(net.broadcast()));
                let all = [
                    Some(low),
                    Some(high),
                    low.checked_sub(1),
                    high.checked_add(1),
                ];
                found.extend(
                    all.into_iter()
                        .flatten()
                        .map(|address| IpAddr::V4(address.into())),
                );
            }
            IpNet::V6(net) => {
                let (low, high) = (u128::from(net.network()), u128::from(net.broadcast()));
                let all = [
                    Some(low),
                    Some(high),
                    low.checked_sub(1),
                    high.checked_add(1),
                ];
                found.extend(
                    all.into_iter()
                        .flatten()
                        .map(|address| IpAddr::V6(address.into())),
                );
            }
        }
    }
    found
}

fn edges(traffic: &Traffic, points: &mut BTreeSet<(u8, u16)>) {
    let mut ports = |protocol: u8, range: &PortRange| {
        let around = [
            Some(range.from()),
            Some(range.to()),
            range.from().checked_sub(1),
            range.to().checked_add(1),
        ];
        points.extend(around.into_iter().flatten().map(|port| (protocol, port)));
    };
    match traffic {
        Traffic::All => {}
        Traffic::Tcp(range) => ports(6, range),
        Traffic::Udp(range) => ports(17, range),
        Traffic::Icmp(_) => points.extend([(1, 8 * 256), (1, 0), (1, 8 * 256 + 1)]),
        Traffic::Icmpv6(_) => points.extend([(58, 0), (58, 128 * 256)]),
        Traffic::Protocol(number) => points.extend([(*number, 0), (number.wrapping_add(1), 0)]),
    }
}
