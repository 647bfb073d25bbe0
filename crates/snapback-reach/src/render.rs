//! Packet sets in few words.

use crate::address::AddressSet;
use crate::flow::{ICMP, ICMPV6, has_points, protocol_name};
use crate::packet_set::{PacketSet, REST};
use crate::pieces::Pieces;
use std::fmt;

/// The protocols an item speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocols {
    /// Every protocol.
    All,
    /// Every protocol but these numbers.
    AllBut(Vec<u8>),
    /// These numbers.
    Only(Vec<u8>),
}

/// One rectangle of a packet set: protocols × points × peers. The items of a set are disjoint and
/// make it up exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The protocols.
    pub protocols: Protocols,
    /// Inclusive ranges of ports, or of ICMP type × 256 + code; empty is all of them.
    pub points: Vec<(u16, u16)>,
    /// The peers.
    pub peers: AddressSet,
}

impl Item {
    /// The traffic in words: `tcp 22, 80-90`, `all icmp`, `all traffic`.
    pub fn traffic(&self) -> String {
        let names = |numbers: &[u8]| {
            numbers
                .iter()
                .map(|number| protocol_name(*number))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        match &self.protocols {
            Protocols::All => "all traffic".into(),
            Protocols::AllBut(numbers) => format!("all traffic but {}", names(numbers)),
            Protocols::Only(numbers) if self.points.is_empty() => match numbers.as_slice() {
                [number] if !has_points(*number) => names(numbers),
                _ => format!("all {}", names(numbers)),
            },
            Protocols::Only(numbers) => {
                let icmp = numbers
                    .iter()
                    .any(|number| matches!(*number, ICMP | ICMPV6));
                let ranges: Vec<String> = self
                    .points
                    .iter()
                    .map(|range| range_words(*range, icmp))
                    .collect();
                format!("{} {}", names(numbers), ranges.join(", "))
            }
        }
    }

    /// The peers as text: the fewest networks, then symbols.
    pub fn peer_words(&self) -> Vec<String> {
        let networks = self
            .peers
            .networks()
            .into_iter()
            .map(|network| network.to_string());
        let symbols = self
            .peers
            .symbols()
            .into_iter()
            .map(|symbol| symbol.to_string())
            .collect::<Vec<_>>();
        let others = self
            .peers
            .has_other_symbols()
            .then(|| "every other group and prefix list".to_owned());
        networks.chain(symbols).chain(others).collect()
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.traffic(), self.peer_words().join(", "))
    }
}

fn range_words((low, high): (u16, u16), icmp: bool) -> String {
    let ([kind, code], [last_kind, last_code]) = (low.to_be_bytes(), high.to_be_bytes());
    match (icmp, low == high) {
        (false, true) => low.to_string(),
        (false, false) => format!("{low}-{high}"),
        (true, true) => format!("type {kind} code {code}"),
        (true, false) if (code, last_code) == (0, u8::MAX) && kind == last_kind => {
            format!("type {kind}")
        }
        (true, false) if (code, last_code) == (0, u8::MAX) => format!("types {kind}-{last_kind}"),
        (true, false) if kind == last_kind => format!("type {kind} codes {code}-{last_code}"),
        (true, false) => format!("type {kind} code {code} to type {last_kind} code {last_code}"),
    }
}

impl PacketSet {
    /// The set as few disjoint rectangles: what holds for all traffic first, then whole protocols,
    /// then ports. Protocols with equal sets are merged.
    pub fn items(&self) -> Vec<Item> {
        let full = |number: &u8| self.cells().at(number).peers(Pieces::is_full);
        let named: Vec<u8> = self.cells().named().keys().copied().collect();
        let core = named
            .iter()
            .fold(full(&REST), |core, number| core.intersection(&full(number)));
        let mut items = Vec::new();
        if !core.is_empty() {
            items.push(Item {
                protocols: Protocols::All,
                points: Vec::new(),
                peers: core.clone(),
            });
        }
        let mut whole: Vec<(Vec<u8>, AddressSet)> = Vec::new();
        for number in named.iter().chain([&REST]) {
            let peers = full(number).difference(&core);
            if peers.is_empty() {
                continue;
            }
            match whole.iter_mut().find(|(_, known)| *known == peers) {
                Some((numbers, _)) => numbers.push(*number),
                None => whole.push((vec![*number], peers)),
            }
        }
        items.extend(whole.into_iter().map(|(numbers, peers)| {
            let protocols = if numbers.contains(&REST) {
                Protocols::AllBut(
                    named
                        .iter()
                        .copied()
                        .filter(|number| !numbers.contains(number))
                        .collect(),
                )
            } else {
                Protocols::Only(numbers)
            };
            Item {
                protocols,
                points: Vec::new(),
                peers,
            }
        }));
        items.extend(self.partial_items(&named));
        items
    }

    /// The packets of peers that have some points of a protocol, not all.
    fn partial_items(&self, named: &[u8]) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for number in named.iter().copied().filter(|number| has_points(*number)) {
            let cell = self.cells().at(&number).map(|points| {
                if points.is_full() {
                    Pieces::default()
                } else {
                    points.clone()
                }
            });
            let mut grouped: Vec<(Vec<(u16, u16)>, AddressSet)> = Vec::new();
            for (low, high, peers) in cell.by_point().segments() {
                match grouped.iter_mut().find(|(_, known)| known == peers) {
                    Some((ranges, _)) => ranges.push((low, high)),
                    None => grouped.push((vec![(low, high)], peers.clone())),
                }
            }
            for (points, peers) in grouped {
                let icmp = |number: u8| matches!(number, ICMP | ICMPV6);
                let same = items.iter_mut().find_map(|item| match &mut item.protocols {
                    Protocols::Only(numbers)
                        if item.points == points
                            && item.peers == peers
                            && numbers.iter().all(|known| icmp(*known) == icmp(number)) =>
                    {
                        Some(numbers)
                    }
                    Protocols::Only(_) | Protocols::All | Protocols::AllBut(_) => None,
                });
                match same {
                    Some(numbers) => numbers.push(number),
                    None => items.push(Item {
                        protocols: Protocols::Only(vec![number]),
                        points,
                        peers,
                    }),
                }
            }
        }
        items
    }

    /// One line for each item: `tcp 22 0.0.0.0/0`.
    pub fn render(&self) -> Vec<String> {
        self.items().iter().map(ToString::to_string).collect()
    }
}
