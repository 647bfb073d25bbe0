//! What a group permits, as packet sets (semantics A1).

use crate::address::{span_v4, span_v6};
use crate::flow::{Points, Symbol, protocol_and_points};
use crate::nest::{ByPeer, nest};
use crate::packet_set::{Cell, PacketSet};
use crate::pieces::{Region, Total};
use ipnet::IpNet;
use snapback_model::{Direction, Peer, PrefixListId, RuleKey, SecurityGroup, Topology};
use std::collections::{BTreeMap, BTreeSet};

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
    let lines = lines_of(rules, topology);
    let named: BTreeSet<u8> = lines.iter().filter_map(|line| line.protocol).collect();
    let cell = |protocol: Option<u8>| {
        let holds = |line: &&Line| line.protocol.is_none() || line.protocol == protocol;
        union_of(lines.iter().filter(holds))
    };
    PacketSet::from_cells(
        named
            .iter()
            .map(|protocol| (*protocol, cell(Some(*protocol)))),
        cell(None),
    )
}

/// All that some rules say of one protocol number (`None`: of every number) and one kind of peer.
pub(crate) struct Line<'a> {
    pub(crate) protocol: Option<u8>,
    pub(crate) points: Points,
    pub(crate) peer: LinePeer<'a>,
}

/// Where a line's packets come from or go to.
pub(crate) enum LinePeer<'a> {
    Network(IpNet),
    /// A prefix list whose entries are known.
    Networks(&'a BTreeSet<IpNet>),
    Symbol(Symbol),
}

/// The lines of some rules. Rules with the same prefix list are one line: a list of a thousand
/// entries in a thousand rules is expanded once for each protocol.
pub(crate) fn lines_of<'r, 't>(
    rules: impl IntoIterator<Item = &'r RuleKey>,
    topology: &'t Topology,
) -> Vec<Line<'t>> {
    type Expanded<'t> = (&'t BTreeSet<IpNet>, Vec<(u16, u16)>);
    let mut lines = Vec::new();
    let mut lists: BTreeMap<(Option<u8>, &PrefixListId), Expanded<'t>> = BTreeMap::new();
    for rule in rules {
        let (protocol, points) = protocol_and_points(&rule.traffic);
        let peer = match &rule.peer {
            Peer::Ipv4(net) => LinePeer::Network(IpNet::V4(*net)),
            Peer::Ipv6(net) => LinePeer::Network(IpNet::V6(*net)),
            Peer::SecurityGroup { id, owner } => LinePeer::Symbol(Symbol::SecurityGroup {
                id: id.clone(),
                owner: owner.clone(),
            }),
            Peer::PrefixList(id) => match entries_of(id, topology) {
                None => LinePeer::Symbol(Symbol::PrefixList(id.clone())),
                Some(entries) => {
                    let (_, ranges) = lists.entry((protocol, id)).or_insert((entries, Vec::new()));
                    ranges.extend(points.ranges());
                    continue;
                }
            },
        };
        lines.push(Line {
            protocol,
            points,
            peer,
        });
    }
    lines.extend(
        lists
            .into_iter()
            .map(|((protocol, _), (entries, ranges))| Line {
                protocol,
                points: Points::from_ranges(ranges),
                peer: LinePeer::Networks(entries),
            }),
    );
    lines
}

/// The entries of a prefix list, where they were read. Not read is unknown, never empty.
pub(crate) fn entries_of<'a>(
    id: &PrefixListId,
    topology: &'a Topology,
) -> Option<&'a BTreeSet<IpNet>> {
    topology.prefix_lists.get(id)?.entries.as_ref()
}

/// What lines say, by peer.
pub(crate) fn by_peer<'l, T: Copy>(
    lines: impl Iterator<Item = (&'l Line<'l>, T)>,
) -> ByPeer<'l, T> {
    let mut sorted = ByPeer::default();
    for (line, said) in lines {
        let mut add = |network: &IpNet| match network {
            IpNet::V4(net) => {
                let (low, high) = span_v4(*net);
                sorted.v4.push((low, high, said));
            }
            IpNet::V6(net) => {
                let (low, high) = span_v6(*net);
                sorted.v6.push((low, high, said));
            }
        };
        match &line.peer {
            LinePeer::Network(network) => add(network),
            LinePeer::Networks(networks) => networks.iter().for_each(add),
            LinePeer::Symbol(symbol) => sorted.symbols.entry(symbol).or_default().push(said),
        }
    }
    sorted
}

fn union_of<'l>(lines: impl Iterator<Item = &'l Line<'l>>) -> Cell {
    let lines = by_peer(lines.map(|line| (line, &line.points)));
    let join = |outer: &Points, inner: Points| {
        if outer.is_full() {
            outer.clone()
        } else if inner.is_full() {
            inner
        } else {
            outer.union(&inner)
        }
    };
    let symbols = lines.symbols.into_iter();
    let symbols = symbols.map(|(symbol, points)| (symbol.clone(), together(points.into_iter())));
    Cell {
        symbols: Total::new(symbols, Points::default()),
        v4: nest(
            lines.v4,
            |same| together(same.iter().map(|line| line.2)),
            join,
        ),
        v6: nest(
            lines.v6,
            |same| together(same.iter().map(|line| line.2)),
            join,
        ),
    }
}

/// The union of the points of lines for one peer.
fn together<'l>(mut lines: impl Iterator<Item = &'l Points> + Clone) -> Points {
    let mut rest = lines.clone().skip(1);
    match (lines.next(), rest.next()) {
        (None, _) => Points::default(),
        (Some(only), None) => only.clone(),
        (Some(first), Some(second)) => {
            let all = || [first, second].into_iter().chain(rest.clone());
            let full = all().find(|points| points.is_full());
            full.cloned()
                .unwrap_or_else(|| Points::from_ranges(all().flat_map(Points::ranges)))
        }
    }
}

/// The prefix lists a group refers to whose entries the topology does not have: what they permit is
/// known only by name.
pub fn unread_prefix_lists<'a>(
    group: &'a SecurityGroup,
    topology: &Topology,
) -> BTreeSet<&'a PrefixListId> {
    let lists = group.rules.keys().filter_map(|rule| match &rule.peer {
        Peer::PrefixList(id) => Some(id),
        Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::SecurityGroup { .. } => None,
    });
    lists
        .filter(|id| entries_of(id, topology).is_none())
        .collect()
}
