//! The same questions answered packet by packet, straight from the text of semantics A1, A3 and A4.
//!
//! Slow and independent of the algebra on purpose: property tests hold the two against each other.

pub mod path;

use crate::flow::{Flow, Host, Symbol};
use ipnet::IpNet;
use snapback_model::{
    Destination, Direction, EntryKey, IcmpMatch, NetworkAcl, Peer, Route, RouteOrigin, RouteTable,
    RouteTarget, RuleAction, SecurityGroup, Topology, Traffic,
};
use std::net::IpAddr;

/// Whether some rule of the group allows the packet.
pub fn permits_group(
    group: &SecurityGroup,
    direction: Direction,
    topology: &Topology,
    flow: &Flow,
) -> bool {
    group.rules.keys().any(|rule| {
        rule.direction == direction
            && matches_traffic(&rule.traffic, flow, false)
            && matches_peer(&rule.peer, &flow.peer, topology)
    })
}

/// Whether the first entry that matches the packet allows it.
pub fn permits_acl(acl: &NetworkAcl, direction: Direction, flow: &Flow) -> bool {
    let deciding = deciding_entry(acl, direction, flow);
    deciding
        .and_then(|key| acl.entries.get(&key))
        .is_some_and(|entry| entry.action == RuleAction::Allow)
}

/// The first entry that matches the packet; `None` is the deny at the end of the list.
pub fn deciding_entry(acl: &NetworkAcl, direction: Direction, flow: &Flow) -> Option<EntryKey> {
    let Host::Address(address) = &flow.peer else {
        return None;
    };
    for (key, entry) in &acl.entries {
        let any_type = matches!(entry.cidr, IpNet::V4(_));
        if key.direction == direction
            && entry.cidr.contains(address)
            && matches_traffic(&entry.traffic, flow, any_type)
        {
            return Some(*key);
        }
    }
    None
}

/// Where packets for the address arrive; `None` where they are dropped. Prefix lists without entries
/// in the topology match nothing.
pub fn next_hop(table: &RouteTable, topology: &Topology, address: IpAddr) -> Option<RouteTarget> {
    let mut best: Option<(u8, u8, &Route)> = None;
    for (destination, route) in &table.routes {
        let length = match destination {
            Destination::Ipv4(net) => matching_length(&IpNet::V4(*net), address),
            Destination::Ipv6(net) => matching_length(&IpNet::V6(*net), address),
            Destination::PrefixList(id) => {
                let list = topology.prefix_lists.get(id);
                let entries = list.and_then(|list| list.entries.as_ref());
                let lengths = entries
                    .into_iter()
                    .flatten()
                    .filter_map(|net| matching_length(net, address));
                lengths.max()
            }
        };
        let preference = match (destination, route.origin) {
            (Destination::PrefixList(_), _) => 1,
            (_, RouteOrigin::Propagated) => 0,
            (_, RouteOrigin::Table | RouteOrigin::Created) => 2,
        };
        let better =
            |length| best.is_none_or(|(known, rank, _)| (length, preference) > (known, rank));
        if let Some(length) = length.filter(|length| better(*length)) {
            best = Some((length, preference, route));
        }
    }
    best.filter(|(_, _, route)| !route.blackhole)
        .map(|(_, _, route)| route.target.clone())
}

fn matching_length(network: &IpNet, address: IpAddr) -> Option<u8> {
    network.contains(&address).then_some(network.prefix_len())
}

fn matches_traffic(traffic: &Traffic, flow: &Flow, icmpv6_any_type: bool) -> bool {
    let [kind, code] = flow.point.to_be_bytes();
    let icmp = |wanted: &IcmpMatch| match wanted {
        IcmpMatch::Any => true,
        IcmpMatch::Type(wanted) => *wanted == kind,
        IcmpMatch::TypeCode(wanted, wanted_code) => *wanted == kind && *wanted_code == code,
    };
    match traffic {
        Traffic::All => true,
        Traffic::Tcp(ports) => flow.protocol == 6 && ports.contains(flow.point),
        Traffic::Udp(ports) => flow.protocol == 17 && ports.contains(flow.point),
        Traffic::Icmp(wanted) => flow.protocol == 1 && icmp(wanted),
        Traffic::Icmpv6(wanted) => flow.protocol == 58 && (icmpv6_any_type || icmp(wanted)),
        Traffic::Protocol(number) => flow.protocol == *number,
    }
}

fn matches_peer(peer: &Peer, host: &Host, topology: &Topology) -> bool {
    let entries = |id| {
        topology
            .prefix_lists
            .get(id)
            .and_then(|list| list.entries.as_ref())
    };
    match (peer, host) {
        (Peer::Ipv4(net), Host::Address(IpAddr::V4(address))) => net.contains(address),
        (Peer::Ipv6(net), Host::Address(IpAddr::V6(address))) => net.contains(address),
        (Peer::PrefixList(id), Host::Address(address)) => {
            entries(id).is_some_and(|entries| entries.iter().any(|entry| entry.contains(address)))
        }
        (Peer::PrefixList(id), Host::Symbol(Symbol::PrefixList(other))) => {
            id == other && entries(id).is_none()
        }
        (
            Peer::SecurityGroup { id, owner },
            Host::Symbol(Symbol::SecurityGroup {
                id: other,
                owner: other_owner,
            }),
        ) => id == other && owner == other_owner,
        (Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::SecurityGroup { .. } | Peer::PrefixList(_), _) => {
            false
        }
    }
}
