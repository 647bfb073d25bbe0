//! What a group or an ACL permits, as packet sets.

use crate::address::{span_v4, span_v6};
use crate::flow::{ICMPV6, Points, Symbol, protocol_and_points};
use crate::packet_set::{Cell, PacketSet, sweep};
use crate::pieces::{Region, SetOperation, Total};
use ipnet::IpNet;
use snapback_model::{
    Direction, EntryKey, NetworkAcl, NetworkAclEntry, Peer, PrefixListId, RuleAction, RuleKey,
    SecurityGroup, Topology,
};
use std::collections::{BTreeMap, BTreeSet};

/// One matching line of a list.
struct Line {
    protocol: Option<u8>,
    points: Points,
    peer: LinePeer,
    action: RuleAction,
}

enum LinePeer {
    Network(IpNet),
    Symbol(Symbol),
}

/// The packets a group's rules permit in a direction (semantics A1): the union of its rules. Prefix
/// lists are expanded where the topology has their entries, else they stay symbols.
pub fn permitted_by_group(
    group: &SecurityGroup,
    direction: Direction,
    topology: &Topology,
) -> PacketSet {
    permitted_by_rules(
        group
            .rules
            .keys()
            .filter(|rule| rule.direction == direction),
        topology,
    )
}

/// The packets some rules permit together, whatever their direction: callers pass rules of one.
pub fn permitted_by_rules<'a>(
    rules: impl IntoIterator<Item = &'a RuleKey>,
    topology: &Topology,
) -> PacketSet {
    let mut lines = Vec::new();
    for rule in rules {
        let (protocol, points) = protocol_and_points(&rule.traffic);
        let mut line = |peer| {
            lines.push(Line {
                protocol,
                points: points.clone(),
                peer,
                action: RuleAction::Allow,
            })
        };
        match (&rule.peer, entries_of(&rule.peer, topology)) {
            (_, Some(entries)) => entries
                .iter()
                .for_each(|entry| line(LinePeer::Network(*entry))),
            (peer, None) => {
                let network = peer.as_cidr().map(LinePeer::Network);
                if let Some(peer) = network.or_else(|| Symbol::of(peer).map(LinePeer::Symbol)) {
                    line(peer);
                }
            }
        }
    }
    first_match(&lines)
}

fn entries_of<'a>(peer: &Peer, topology: &'a Topology) -> Option<&'a BTreeSet<IpNet>> {
    let Peer::PrefixList(id) = peer else {
        return None;
    };
    topology.prefix_lists.get(id)?.entries.as_ref()
}

/// The prefix lists a group refers to whose entries the topology does not have: what they permit is
/// known only by name.
pub fn unread_prefix_lists<'a>(
    group: &'a SecurityGroup,
    topology: &Topology,
) -> BTreeSet<&'a PrefixListId> {
    let lists = group
        .rules
        .keys()
        .filter(|rule| entries_of(&rule.peer, topology).is_none());
    lists
        .filter_map(|rule| match &rule.peer {
            Peer::PrefixList(id) => Some(id),
            Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::SecurityGroup { .. } => None,
        })
        .collect()
}

/// The packets an ACL permits in a direction (semantics A3): first match by ascending number,
/// unmatched is denied.
pub fn permitted_by_acl(acl: &NetworkAcl, direction: Direction) -> PacketSet {
    let entries = acl
        .entries
        .iter()
        .filter(|(key, _)| key.direction == direction);
    let lines: Vec<Line> = entries.map(|(_, entry)| line_of(entry)).collect();
    first_match(&lines)
}

fn line_of(entry: &NetworkAclEntry) -> Line {
    let (protocol, points) = protocol_and_points(&entry.traffic);
    // 58 with an IPv4 CIDR matches all types (semantics A3).
    let all_types = protocol == Some(ICMPV6) && matches!(entry.cidr, IpNet::V4(_));
    let points = if all_types { Points::full() } else { points };
    Line {
        protocol,
        points,
        peer: LinePeer::Network(entry.cidr),
        action: entry.action,
    }
}

/// The packets that each entry of a direction decides, in evaluation order: those it matches and no
/// earlier one does.
pub fn effective_entries(acl: &NetworkAcl, direction: Direction) -> Vec<(EntryKey, PacketSet)> {
    let mut seen = PacketSet::empty();
    let mut effective = Vec::new();
    for (key, entry) in acl
        .entries
        .iter()
        .filter(|(key, _)| key.direction == direction)
    {
        let mut line = line_of(entry);
        line.action = RuleAction::Allow;
        let matched = first_match(&[line]);
        effective.push((*key, matched.difference(&seen)));
        seen = seen.union(&matched);
    }
    effective
}

/// Entries that decide no packet at all: earlier ones match everything they match.
pub fn dead_entries(acl: &NetworkAcl, direction: Direction) -> Vec<EntryKey> {
    let effective = effective_entries(acl, direction);
    effective
        .into_iter()
        .filter(|(_, packets)| packets.is_empty())
        .map(|(key, _)| key)
        .collect()
}

/// First match over lines. Where all allow, that is their union.
fn first_match(lines: &[Line]) -> PacketSet {
    let named: BTreeSet<u8> = lines.iter().filter_map(|line| line.protocol).collect();
    let cell = |protocol: Option<u8>| {
        cell_of(
            lines
                .iter()
                .filter(|line| line.protocol.is_none() || line.protocol == protocol),
        )
    };
    PacketSet::from_cells(
        named
            .iter()
            .map(|protocol| (*protocol, cell(Some(*protocol)))),
        cell(None),
    )
}

fn cell_of<'a>(lines: impl Iterator<Item = &'a Line>) -> Cell {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    let mut symbols: BTreeMap<Symbol, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        match &line.peer {
            LinePeer::Network(IpNet::V4(net)) => {
                let (low, high) = span_v4(*net);
                v4.push((low, high, line));
            }
            LinePeer::Network(IpNet::V6(net)) => {
                let (low, high) = span_v6(*net);
                v6.push((low, high, line));
            }
            LinePeer::Symbol(symbol) => symbols.entry(symbol.clone()).or_default().push(line),
        }
    }
    Cell {
        v4: sweep(&v4, allowed),
        v6: sweep(&v6, allowed),
        symbols: Total::new(
            symbols
                .into_iter()
                .map(|(symbol, lines)| (symbol, allowed(&lines.iter().collect::<Vec<_>>()))),
            Points::default(),
        ),
    }
}

/// The points that a list of lines for one address allows.
fn allowed(lines: &[&&Line]) -> Points {
    match lines {
        [] => return Points::default(),
        [line] if line.action == RuleAction::Allow => return line.points.clone(),
        _ => {}
    }
    if lines.iter().all(|line| line.action == RuleAction::Allow) {
        if let Some(line) = lines.iter().find(|line| line.points.is_full()) {
            return line.points.clone();
        }
        return Points::from_ranges(lines.iter().flat_map(|line| line.points.ranges()));
    }
    // Nothing behind a line that matches every point counts. Painted from the last line to the
    // first, so that earlier lines end on top.
    let end = lines.iter().position(|line| line.points.is_full());
    let deciding = lines.iter().take(end.map_or(lines.len(), |end| end + 1));
    let operation = |line: &Line| match line.action {
        RuleAction::Allow => SetOperation::Union,
        RuleAction::Deny => SetOperation::Difference,
    };
    deciding.rev().fold(Points::default(), |allowed, line| {
        allowed.combine(&line.points, operation(line))
    })
}
