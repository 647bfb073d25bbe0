//! Rules that no packet needs. "Duplicates" in AWS's sense cannot exist; overlaps can (semantics A1).

use crate::flow::{Points, protocol_and_points};
use crate::nest::nest;
use crate::permit::{Line, by_peer, lines_of, permitted_by_rules};
use crate::pieces::{Coordinate, Pieces};
use snapback_model::{Direction, Peer, RuleKey, SecurityGroup, Topology};
use std::collections::BTreeSet;

/// A rule whose removal changes no packet, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redundant<'a> {
    /// The rule.
    pub rule: &'a RuleKey,
    /// What permits its packets without it: the first rule that permits all of them alone, else every
    /// rule that permits some. Empty where the rule permits nothing: a prefix list without entries.
    pub covered_by: Vec<&'a RuleKey>,
}

/// The rules of a direction that the others make redundant, one by one: without any one of them the
/// group permits the same. Two rules can be redundant for each other: then only one may go.
///
/// A prefix list whose entries are not known is covered only by another rule for the same list.
pub fn redundant_rules<'a>(
    group: &'a SecurityGroup,
    direction: Direction,
    topology: &Topology,
) -> Vec<Redundant<'a>> {
    let rules = group.rules.keys();
    let rules: Vec<&RuleKey> = rules.filter(|rule| rule.direction == direction).collect();
    let needed = needed(&rules, topology);
    let redundant = rules.iter().enumerate();
    let redundant = redundant.filter(|(index, _)| !needed.contains(index));
    redundant
        .map(|(index, rule)| {
            let others = rules.iter().enumerate();
            let others = others.filter(|(other, rival)| *other != index && may_meet(rule, rival));
            Redundant {
                rule,
                covered_by: covers(rule, others.map(|(_, rule)| *rule), topology),
            }
        })
        .collect()
}

fn covers<'a>(
    rule: &RuleKey,
    others: impl Iterator<Item = &'a RuleKey>,
    topology: &Topology,
) -> Vec<&'a RuleKey> {
    let own = permitted_by_rules([rule], topology);
    let mut covers = Vec::new();
    for other in others {
        let permitted = permitted_by_rules([other], topology);
        if !own.intersects(&permitted) {
            continue;
        }
        if own.is_subset(&permitted) {
            return vec![other];
        }
        covers.push(other);
    }
    covers
}

/// Whether two rules can have a packet in common, told cheaply.
fn may_meet(one: &RuleKey, other: &RuleKey) -> bool {
    let families = match (&one.peer, &other.peer) {
        (Peer::Ipv4(one), Peer::Ipv4(other)) => one.contains(other) || other.contains(one),
        (Peer::Ipv6(one), Peer::Ipv6(other)) => one.contains(other) || other.contains(one),
        (Peer::Ipv4(_), Peer::Ipv6(_)) | (Peer::Ipv6(_), Peer::Ipv4(_)) => false,
        (Peer::SecurityGroup { .. }, _) | (_, Peer::SecurityGroup { .. }) => one.peer == other.peer,
        (Peer::PrefixList(_), _) | (_, Peer::PrefixList(_)) => true,
    };
    let numbers = [one, other].map(|rule| protocol_and_points(&rule.traffic).0);
    families
        && match numbers {
            [Some(one), Some(other)] => one == other,
            _ => true,
        }
}

/// Which rules permit something: none, one alone, or several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Permitting {
    #[default]
    None,
    /// Only the rule at this index.
    Only(usize),
    Several,
}

impl Permitting {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, one) | (one, Self::None) => one,
            _ => Self::Several,
        }
    }
}

type Counts = Pieces<u16, Permitting>;

/// A rule's line: its index and points.
type Numbered<'l> = (usize, &'l Points);

/// The rules that alone permit some packet, by index.
fn needed(rules: &[&RuleKey], topology: &Topology) -> BTreeSet<usize> {
    // Rule by rule: rules of one prefix list must not count as one.
    let lines: Vec<(usize, Line<'_>)> = rules
        .iter()
        .enumerate()
        .flat_map(|(index, rule)| {
            let lines = lines_of([*rule], topology).into_iter();
            lines.map(move |line| (index, line))
        })
        .collect();
    let named: BTreeSet<u8> = lines.iter().filter_map(|(_, line)| line.protocol).collect();
    let mut needed = BTreeSet::new();
    for class in named.into_iter().map(Some).chain([None]) {
        let holds = lines
            .iter()
            .filter(|(_, line)| line.protocol.is_none() || line.protocol == class);
        let lines = by_peer(holds.map(|(index, line)| (line, (*index, &line.points))));
        for (_, counts) in count(lines.v4).cuts() {
            alone(counts, &mut needed);
        }
        for (_, counts) in count(lines.v6).cuts() {
            alone(counts, &mut needed);
        }
        for same in lines.symbols.into_values() {
            alone(&counted(same.into_iter()), &mut needed);
        }
    }
    needed
}

fn alone(counts: &Counts, needed: &mut BTreeSet<usize>) {
    for (_, permitting) in counts.cuts() {
        if let Permitting::Only(index) = permitting {
            needed.insert(*index);
        }
    }
}

fn count<A: Coordinate>(lines: Vec<(A, A, Numbered<'_>)>) -> Pieces<A, Counts> {
    nest(lines, |same| counted(same.iter().map(|line| line.2)), both)
}

fn counted<'p>(lines: impl Iterator<Item = Numbered<'p>>) -> Counts {
    let counts = lines.map(|(index, points)| {
        points.map(|inside| {
            if *inside {
                Permitting::Only(index)
            } else {
                Permitting::None
            }
        })
    });
    counts
        .reduce(|sum, counts| both(&sum, counts))
        .unwrap_or_default()
}

fn both(one: &Counts, other: Counts) -> Counts {
    one.zip_with(&other, |one, other| one.and(*other))
}
