//! What an ACL permits, and which entry decides what: first match (semantics A3).

use crate::address::{span_v4, span_v6};
use crate::flow::{ICMPV6, Points, protocol_and_points};
use crate::nest::nest;
use crate::packet_set::{Cell, PacketSet};
use crate::pieces::{Coordinate, Pieces};
use ipnet::IpNet;
use snapback_model::{Direction, EntryKey, NetworkAcl, NetworkAclEntry, RuleAction};
use std::collections::{BTreeMap, BTreeSet};

/// The rank of the entry that decides a point, in evaluation order; `None` is the deny at the end.
type Rank = Option<usize>;
type Ranks = Pieces<u16, Rank>;

/// An entry as the sweep needs it.
struct Line<'a> {
    rank: usize,
    key: EntryKey,
    entry: &'a NetworkAclEntry,
    protocol: Option<u8>,
    points: Points,
}

fn lines_of(acl: &NetworkAcl, direction: Direction) -> Vec<Line<'_>> {
    let entries = acl.entries.iter();
    let entries = entries.filter(|(key, _)| key.direction == direction);
    entries
        .enumerate()
        .map(|(rank, (key, entry))| {
            let (protocol, points) = matched(entry);
            Line {
                rank,
                key: *key,
                entry,
                protocol,
                points,
            }
        })
        .collect()
}

/// Protocol number and points an entry matches.
fn matched(entry: &NetworkAclEntry) -> (Option<u8>, Points) {
    let (protocol, points) = protocol_and_points(&entry.traffic);
    // 58 with an IPv4 CIDR matches all types (semantics A3).
    if protocol == Some(ICMPV6) && matches!(entry.cidr, IpNet::V4(_)) {
        return (protocol, Points::full());
    }
    (protocol, points)
}

/// Which entry decides each point of each address, for one protocol class.
struct Decisions {
    v4: Pieces<u32, Ranks>,
    v6: Pieces<u128, Ranks>,
}

impl Decisions {
    fn of<'l>(lines: impl Iterator<Item = &'l Line<'l>>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for line in lines {
            match line.entry.cidr {
                IpNet::V4(net) => {
                    let (low, high) = span_v4(net);
                    v4.push((low, high, line));
                }
                IpNet::V6(net) => {
                    let (low, high) = span_v6(net);
                    v6.push((low, high, line));
                }
            }
        }
        Self {
            v4: first_of(v4),
            v6: first_of(v6),
        }
    }
}

fn first_of<A: Coordinate>(lines: Vec<(A, A, &Line<'_>)>) -> Pieces<A, Ranks> {
    let own = |same: &[(A, A, &Line<'_>)]| {
        let ranks = same
            .iter()
            .map(|(_, _, line)| line.points.map(|inside| inside.then_some(line.rank)));
        ranks
            .reduce(|first, second| earlier(&first, second))
            .unwrap_or_default()
    };
    nest(lines, own, earlier)
}

/// The earlier of two deciding entries at each point.
fn earlier(one: &Ranks, other: Ranks) -> Ranks {
    one.zip_with(&other, |one, other| match (one, other) {
        (Some(one), Some(other)) => Some(*one.min(other)),
        (one, other) => one.or(*other),
    })
}

/// The decisions for each protocol number that an entry names, and for all others.
fn by_protocol(lines: &[Line<'_>]) -> (Vec<(u8, Decisions)>, Decisions) {
    let named: BTreeSet<u8> = lines.iter().filter_map(|line| line.protocol).collect();
    let of = |protocol: Option<u8>| {
        let holds = |line: &&Line<'_>| line.protocol.is_none() || line.protocol == protocol;
        Decisions::of(lines.iter().filter(holds))
    };
    let named = named.into_iter().map(|number| (number, of(Some(number))));
    (named.collect(), of(None))
}

/// The packets an ACL permits in a direction (semantics A3): first match by ascending number,
/// unmatched is denied.
pub fn permitted_by_acl(acl: &NetworkAcl, direction: Direction) -> PacketSet {
    let lines = lines_of(acl, direction);
    let allows = |rank: &Rank| {
        rank.and_then(|rank| lines.get(rank))
            .is_some_and(|line| line.entry.action == RuleAction::Allow)
    };
    let cell = |decisions: &Decisions| Cell {
        v4: decisions.v4.map(|ranks| ranks.map(allows)),
        v6: decisions.v6.map(|ranks| ranks.map(allows)),
        ..Cell::default()
    };
    let (named, rest) = by_protocol(&lines);
    PacketSet::from_cells(
        named
            .iter()
            .map(|(number, decisions)| (*number, cell(decisions))),
        cell(&rest),
    )
}

/// The packets that each entry of a direction decides, in evaluation order: those it matches and no
/// earlier one does. Disjoint; what no entry decides, the deny at the end does.
pub fn effective_entries(acl: &NetworkAcl, direction: Direction) -> Vec<(EntryKey, PacketSet)> {
    let lines = lines_of(acl, direction);
    let (named, rest) = by_protocol(&lines);
    let cells = |decisions: &Decisions| {
        let v4 = split(&decisions.v4, lines.len());
        let v6 = split(&decisions.v6, lines.len());
        let cells = v4.into_iter().zip(v6);
        cells
            .map(|(v4, v6)| Cell {
                v4,
                v6,
                ..Cell::default()
            })
            .collect::<Vec<_>>()
    };
    let mut named: Vec<(u8, std::vec::IntoIter<Cell>)> = named
        .iter()
        .map(|(number, decisions)| (*number, cells(decisions).into_iter()))
        .collect();
    let mut rest = cells(&rest).into_iter();
    lines
        .iter()
        .map(|line| {
            let named = named
                .iter_mut()
                .map(|(number, cells)| (*number, cells.next().unwrap_or_default()));
            let packets =
                PacketSet::from_cells(named.collect::<Vec<_>>(), rest.next().unwrap_or_default());
            (line.key, packets)
        })
        .collect()
}

/// The points that each rank decides, in one pass over the line.
fn split<A: Coordinate>(decisions: &Pieces<A, Ranks>, ranks: usize) -> Vec<Pieces<A, Points>> {
    let mut cuts: Vec<Vec<(A, Points)>> = vec![Vec::new(); ranks];
    let mut before: Vec<usize> = Vec::new();
    for (at, decided) in decisions.cuts() {
        let mut here: BTreeMap<usize, Vec<(u16, u16)>> = BTreeMap::new();
        for (low, high, rank) in decided.segments() {
            if let Some(rank) = rank {
                here.entry(*rank).or_default().push((low, high));
            }
        }
        for rank in before.drain(..).filter(|rank| !here.contains_key(rank)) {
            if let Some(cuts) = cuts.get_mut(rank) {
                cuts.push((*at, Points::default()));
            }
        }
        before.extend(here.keys());
        for (rank, ranges) in here {
            if let Some(cuts) = cuts.get_mut(rank) {
                cuts.push((*at, Points::from_ranges(ranges)));
            }
        }
    }
    cuts.into_iter().map(Pieces::from_cuts).collect()
}

/// An entry that decides no packet, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// The dead entry.
    pub entry: EntryKey,
    /// The earlier entries that decide the packets it matches, in evaluation order.
    pub by: Vec<EntryKey>,
}

/// Entries that decide no packet at all, each with the earlier ones that decide what it matches
/// (Batfish's blocking lines).
pub fn shadowed_entries(acl: &NetworkAcl, direction: Direction) -> Vec<Shadowed> {
    let effective = effective_entries(acl, direction);
    let dead = effective.iter().enumerate();
    let dead = dead.filter(|(_, (_, packets))| packets.is_empty());
    dead.filter_map(|(rank, (dead, _))| {
        let matched = matched_by(acl.entries.get(dead)?);
        let earlier = effective.iter().take(rank);
        let by = earlier.filter(|(_, packets)| packets.intersects(&matched));
        Some(Shadowed {
            entry: *dead,
            by: by.map(|(key, _)| *key).collect(),
        })
    })
    .collect()
}

/// Every packet an entry matches, whatever comes before it.
fn matched_by(entry: &NetworkAclEntry) -> PacketSet {
    let (protocol, points) = matched(entry);
    let cell = match entry.cidr {
        IpNet::V4(net) => {
            let (low, high) = span_v4(net);
            Cell {
                v4: Pieces::span(low, high, points),
                ..Cell::default()
            }
        }
        IpNet::V6(net) => {
            let (low, high) = span_v6(net);
            Cell {
                v6: Pieces::span(low, high, points),
                ..Cell::default()
            }
        }
    };
    PacketSet::of_cell(protocol, cell)
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
