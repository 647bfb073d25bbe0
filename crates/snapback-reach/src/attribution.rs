//! Which rule or entry decides which part of a packet set (semantics F: to each piece the rule that
//! opened or closed it).

use crate::first_match::effective_entries;
use crate::flow::{Flow, Host};
use crate::packet_set::PacketSet;
use crate::permit::permitted_by_rules;
use snapback_model::{Direction, EntryKey, NetworkAcl, RuleKey, SecurityGroup, Topology};

/// The rules that permit some of these packets, each with the part it permits. Parts overlap where
/// several rules match: of a group all that match decide (semantics A1). Rules without a part are
/// left out.
///
/// For what a change opened, pass the rules of the state after it; for what it closed, those of the
/// state before it.
pub fn deciding_rules<'a>(
    rules: impl IntoIterator<Item = &'a RuleKey>,
    topology: &Topology,
    packets: &PacketSet,
) -> Vec<(&'a RuleKey, PacketSet)> {
    let parts = rules.into_iter().map(|rule| {
        let matched = permitted_by_rules([rule], topology);
        (rule, matched.intersection(packets))
    });
    parts.filter(|(_, part)| !part.is_empty()).collect()
}

/// All rules of a group that permit one packet.
pub fn matching_rules<'a>(
    group: &'a SecurityGroup,
    direction: Direction,
    topology: &Topology,
    flow: &Flow,
) -> Vec<&'a RuleKey> {
    let rules = group.rules.keys();
    rules
        .filter(|rule| rule.direction == direction)
        .filter(|rule| permitted_by_rules([*rule], topology).contains(flow))
        .collect()
}

/// The entries that decide some of these packets, each with the part it decides: the first match
/// (semantics A3). `None` is the deny at the end of the list. The parts are disjoint and make up the
/// packets; entries without a part are left out.
pub fn deciding_entries(
    acl: &NetworkAcl,
    direction: Direction,
    packets: &PacketSet,
) -> Vec<(Option<EntryKey>, PacketSet)> {
    parts(&effective_entries(acl, direction), packets)
}

fn parts(
    effective: &[(EntryKey, PacketSet)],
    packets: &PacketSet,
) -> Vec<(Option<EntryKey>, PacketSet)> {
    let mut left = packets.clone();
    let mut parts = Vec::new();
    for (key, decided) in effective {
        if left.is_empty() {
            break;
        }
        let part = decided.intersection(&left);
        if !part.is_empty() {
            left = left.difference(&part);
            parts.push((Some(*key), part));
        }
    }
    if !left.is_empty() {
        parts.push((None, left));
    }
    parts
}

/// The entry that decides one packet; `None` is the deny at the end of the list.
pub fn deciding_entry(acl: &NetworkAcl, direction: Direction, flow: &Flow) -> Option<EntryKey> {
    let Host::Address(_) = flow.peer else {
        return None;
    };
    let effective = effective_entries(acl, direction);
    let mut deciding = effective
        .into_iter()
        .filter(|(_, packets)| packets.contains(flow));
    deciding.next().map(|(key, _)| key)
}

/// Packets of an ACL with the entries that decide them in two states. `None` is the deny at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redecided {
    /// The entry that decided before.
    pub before: Option<EntryKey>,
    /// The entry that decides after.
    pub after: Option<EntryKey>,
    /// The packets.
    pub packets: PacketSet,
}

/// Packets by the entry that decided them before and the one that decides them after: for what was
/// closed, the entry that allowed and the one that denies now; for what was opened, the reverse. The
/// parts are disjoint and make up the packets.
pub fn redecided_entries(
    before: &NetworkAcl,
    after: &NetworkAcl,
    direction: Direction,
    packets: &PacketSet,
) -> Vec<Redecided> {
    let now = effective_entries(after, direction);
    let was = parts(&effective_entries(before, direction), packets);
    let redecided = was.into_iter().flat_map(|(before, part)| {
        let parts = parts(&now, &part).into_iter();
        parts.map(move |(after, packets)| Redecided {
            before,
            after,
            packets,
        })
    });
    redecided.collect()
}
