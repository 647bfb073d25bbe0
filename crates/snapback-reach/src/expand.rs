//! Symbols replaced by the addresses they stand for, for explanation.

use crate::address::AddressSet;
use crate::flow::{Points, Symbol};
use crate::packet_set::{Cell, PacketSet};
use crate::pieces::{Coordinate, Pieces, Region, Total};
use std::collections::{BTreeMap, BTreeSet};

/// A packet set after its symbols were replaced by addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The packets. Symbols that nothing is known of are still in it.
    pub packets: PacketSet,
    /// The symbols that are still in it: which addresses they stand for is unknown.
    pub unexpanded: BTreeSet<Symbol>,
    /// Whether every symbol not named is still in it, too (only complements have those).
    pub others: bool,
}

impl Expansion {
    /// Whether every symbol was replaced: the packets are exact.
    pub fn is_exact(&self) -> bool {
        self.unexpanded.is_empty() && !self.others
    }
}

impl PacketSet {
    /// Replaces symbols by the addresses they stand for: group references by the private addresses of
    /// the ENIs that carry the group (semantics A1), prefix lists by their networks. Symbols that
    /// `members` does not have stay. One whose set is empty stands for nobody and goes.
    ///
    /// Expand states, then compare them: an address that two symbols share can be in the expansion of
    /// a difference though both states permit it.
    pub fn expand(&self, members: &BTreeMap<Symbol, AddressSet>) -> Expansion {
        let cells = self.cells().map(|cell| expand(cell, members));
        let packets = Self::from_cells(
            cells
                .named()
                .iter()
                .map(|(number, cell)| (*number, cell.clone())),
            cells.rest().clone(),
        );
        let peers = packets.peers();
        Expansion {
            unexpanded: peers.symbols().into_iter().cloned().collect(),
            others: peers.has_other_symbols(),
            packets,
        }
    }
}

fn expand(cell: &Cell, members: &BTreeMap<Symbol, AddressSet>) -> Cell {
    let mut expanded = cell.clone();
    for (symbol, addresses) in members {
        let points = cell.symbols.at(symbol);
        if !points.is_empty() {
            expanded.v4 = expanded.v4.union(&with(&addresses.v4, points));
            expanded.v6 = expanded.v6.union(&with(&addresses.v6, points));
        }
    }
    let replaced = members.keys().map(|symbol| (symbol, Points::default()));
    let named = cell.symbols.named().iter();
    let mut symbols: BTreeMap<&Symbol, Points> = named
        .map(|(symbol, points)| (symbol, points.clone()))
        .collect();
    symbols.extend(replaced);
    let symbols = symbols
        .into_iter()
        .map(|(symbol, points)| (symbol.clone(), points));
    expanded.symbols = Total::new(symbols, cell.symbols.rest().clone());
    expanded
}

fn with<A: Coordinate>(addresses: &Pieces<A, bool>, points: &Points) -> Pieces<A, Points> {
    addresses.map(|inside| {
        if *inside {
            points.clone()
        } else {
            Points::default()
        }
    })
}
