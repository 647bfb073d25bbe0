//! Rules that no packet needs. "Duplicates" in AWS's sense cannot exist; overlaps can (semantics A1).

use crate::flow::Points;
use crate::nest::nest;
use crate::packet_set::{Cell, PacketSet};
use crate::permit::{by_peer, lines_of, permitted_by_rules};
use crate::pieces::{Coordinate, Pieces, Total};
use snapback_model::{Direction, RuleKey, SecurityGroup, Topology};
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
    let rules: Vec<&RuleKey> = group
        .rules
        .keys()
        .filter(|rule| rule.direction == direction)
        .collect();
    let alone = permitted_by_one(&rules, topology);
    let sets: Vec<PacketSet> = rules
        .iter()
        .map(|rule| permitted_by_rules([*rule], topology))
        .collect();
    let redundant = rules.iter().zip(&sets).enumerate();
    let redundant = redundant.filter(|(_, (_, set))| !set.intersects(&alone));
    redundant
        .map(|(index, (rule, set))| {
            let others = || {
                let all = rules.iter().zip(&sets).enumerate();
                all.filter(|(other, _)| *other != index)
                    .map(|(_, (rule, set))| (*rule, set))
            };
            let alone = others().find(|(_, other)| set.is_subset(other) && !set.is_empty());
            let covered_by = match alone {
                Some((rule, _)) => vec![rule],
                None => others()
                    .filter(|(_, other)| set.intersects(other))
                    .map(|(rule, _)| rule)
                    .collect(),
            };
            Redundant { rule, covered_by }
        })
        .collect()
}

/// How many rules permit something: none, one, or more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Permitting {
    #[default]
    None,
    One,
    More,
}

impl Permitting {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, one) | (one, Self::None) => one,
            _ => Self::More,
        }
    }
}

type Counts = Pieces<u16, Permitting>;

/// The packets that exactly one of the rules permits.
fn permitted_by_one(rules: &[&RuleKey], topology: &Topology) -> PacketSet {
    // Rule by rule: rules of one prefix list must not count as one.
    let lines: Vec<_> = rules
        .iter()
        .flat_map(|rule| lines_of([*rule], topology))
        .collect();
    let named: BTreeSet<u8> = lines.iter().filter_map(|line| line.protocol).collect();
    let cell = |protocol: Option<u8>| {
        let holds = lines
            .iter()
            .filter(|line| line.protocol.is_none() || line.protocol == protocol);
        let lines = by_peer(holds);
        let symbols = lines.symbols.into_iter();
        Cell {
            v4: once(lines.v4),
            v6: once(lines.v6),
            symbols: Total::new(
                symbols.map(|(symbol, points)| {
                    let counts = counted(points.into_iter());
                    (symbol.clone(), is_one(&counts))
                }),
                Points::default(),
            ),
        }
    };
    PacketSet::from_cells(
        named
            .iter()
            .map(|protocol| (*protocol, cell(Some(*protocol)))),
        cell(None),
    )
}

fn once<A: Coordinate>(lines: Vec<(A, A, &Points)>) -> Pieces<A, Points> {
    let own = |same: &[(A, A, &Points)]| counted(same.iter().map(|line| line.2));
    nest(lines, own, both).map(is_one)
}

fn is_one(counts: &Counts) -> Points {
    counts.map(|count| *count == Permitting::One)
}

fn counted<'p>(lines: impl Iterator<Item = &'p Points>) -> Counts {
    let one = |inside: &bool| {
        if *inside {
            Permitting::One
        } else {
            Permitting::None
        }
    };
    let counts = lines.map(|points| points.map(one));
    counts
        .reduce(|sum, counts| both(&sum, counts))
        .unwrap_or_default()
}

fn both(one: &Counts, other: Counts) -> Counts {
    one.zip_with(&other, |one, other| one.and(*other))
}
