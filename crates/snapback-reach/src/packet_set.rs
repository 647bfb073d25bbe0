//! Exact packet sets: protocol class × peer × L4 point, as slabs (semantics F).

use crate::address::{AddressSet, Family, span_v4, span_v6};
use crate::flow::{
    Flow, Host, ICMP, ICMPV6, Points, Symbol, TCP, UDP, has_points, protocol_and_points,
};
use crate::pieces::{Pieces, Region, SetOperation, Total};
use ipnet::IpNet;
use snapback_model::{Peer, Traffic};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The protocol number whose cell stands for every number not named: 255 is reserved by IANA, and
/// taking always the same one keeps the form canonical.
pub(crate) const REST: u8 = u8::MAX;

/// What is in a set for one protocol: which points for which peer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) v4: Pieces<u32, Points>,
    pub(crate) v6: Pieces<u128, Points>,
    pub(crate) symbols: Total<Symbol, Points>,
}

impl Cell {
    pub(crate) fn everything() -> Self {
        Self {
            v4: Pieces::constant(Points::full()),
            v6: Pieces::constant(Points::full()),
            symbols: Total::new([], Points::full()),
        }
    }

    /// The peers whose points satisfy a test.
    pub(crate) fn peers(&self, test: impl Fn(&Points) -> bool) -> AddressSet {
        AddressSet {
            v4: self.v4.map(&test),
            v6: self.v6.map(&test),
            symbols: self.symbols.map(&test),
        }
    }

    /// Each peer's points replaced by a function of them.
    pub(crate) fn map(&self, of: impl Fn(&Points) -> Points) -> Self {
        Self {
            v4: self.v4.map(&of),
            v6: self.v6.map(&of),
            symbols: self.symbols.map(&of),
        }
    }

    /// The peers of each point.
    pub(crate) fn by_point(&self) -> Pieces<u16, AddressSet> {
        let symbols = self.symbols.named().values().chain([self.symbols.rest()]);
        let v4 = self.v4.cuts().iter().map(|(_, points)| points);
        let v6 = self.v6.cuts().iter().map(|(_, points)| points);
        let cuts: BTreeSet<u16> = v4
            .chain(v6)
            .chain(symbols)
            .flat_map(|points| points.cuts().iter().map(|(at, _)| *at))
            .collect();
        Pieces::from_cuts(
            cuts.into_iter()
                .map(|at| (at, self.peers(|points| points.contains(at)))),
        )
    }

    fn points_of(&self, host: &Host) -> Option<&Points> {
        match host {
            Host::Address(IpAddr::V4(address)) => self.v4.at((*address).into()),
            Host::Address(IpAddr::V6(address)) => self.v6.at((*address).into()),
            Host::Symbol(symbol) => Some(self.symbols.at(symbol)),
        }
    }

    /// A symbol that the set does not name, for the packets of all those: a group of that name is as
    /// good as any.
    fn other_symbol(&self) -> Symbol {
        let mut id = "sg-other".to_owned();
        loop {
            let symbol = Symbol::SecurityGroup {
                id: id.as_str().into(),
                owner: None,
            };
            if !self.symbols.named().contains_key(&symbol) {
                return symbol;
            }
            id.push('-');
        }
    }

    /// Some peer in use with its lowest point. Documentation addresses first: they read as examples.
    fn witness(&self) -> Option<(Host, u16)> {
        let lowest = |points: &Points| points.cuts().first().map(|(at, _)| *at);
        let examples = [
            IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        ];
        let examples = examples.into_iter().map(Host::Address);
        let v4 = self
            .v4
            .segments()
            .map(|(low, _, _)| Host::Address(IpAddr::V4(low.into())));
        let v6 = self
            .v6
            .segments()
            .map(|(low, _, _)| Host::Address(IpAddr::V6(low.into())));
        let symbols = self.symbols.named().keys().cloned();
        let symbols = symbols.chain([self.other_symbol()]).map(Host::Symbol);
        examples
            .chain(v4)
            .chain(v6)
            .chain(symbols)
            .find_map(|host| {
                let point = self.points_of(&host).and_then(lowest)?;
                Some((host, point))
            })
    }
}

impl Region for Cell {
    fn combine(&self, other: &Self, operation: SetOperation) -> Self {
        Self {
            v4: self.v4.combine(&other.v4, operation),
            v6: self.v6.combine(&other.v6, operation),
            symbols: self.symbols.combine(&other.symbols, operation),
        }
    }
    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty() && self.symbols.is_empty()
    }
    fn is_subset(&self, other: &Self) -> bool {
        self.v4.is_subset(&other.v4)
            && self.v6.is_subset(&other.v6)
            && self.symbols.is_subset(&other.symbols)
    }
    fn is_disjoint(&self, other: &Self) -> bool {
        self.v4.is_disjoint(&other.v4)
            && self.v6.is_disjoint(&other.v6)
            && self.symbols.is_disjoint(&other.symbols)
    }
}

/// A set of packets: protocol × peer × L4 point, both families. Exact, and canonical: `==` is
/// equality of meaning.
///
/// Symbols (group references, prefix lists with unread entries) are peers of their own, disjoint
/// from all addresses: the algebra is exact for each symbol, and says nothing about which addresses
/// one stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PacketSet {
    cells: Total<u8, Cell>,
}

impl PacketSet {
    /// No packet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every packet of both families and of every symbol.
    pub fn everything() -> Self {
        Self {
            cells: Total::new([], Cell::everything()),
        }
    }

    /// The packets a rule with this traffic and network matches.
    pub fn of(traffic: &Traffic, network: IpNet) -> Self {
        let (protocol, points) = protocol_and_points(traffic);
        let cell = match network {
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
        Self::of_cell(protocol, cell)
    }

    /// The packets a rule with this traffic and symbolic peer matches.
    pub fn of_symbol(traffic: &Traffic, symbol: Symbol) -> Self {
        let (protocol, points) = protocol_and_points(traffic);
        let symbols = Total::new([(symbol, points)], Points::default());
        Self::of_cell(
            protocol,
            Cell {
                symbols,
                ..Cell::default()
            },
        )
    }

    /// The packets of some peers with this traffic.
    pub fn of_peers(traffic: &Traffic, peers: &AddressSet) -> Self {
        let (protocol, points) = protocol_and_points(traffic);
        let of = |inside: &bool| {
            if *inside {
                points.clone()
            } else {
                Points::default()
            }
        };
        let cell = Cell {
            v4: peers.v4.map(of),
            v6: peers.v6.map(of),
            symbols: peers.symbols.map(of),
        };
        Self::of_cell(protocol, cell)
    }

    /// The packets a rule with this traffic and peer matches; prefix lists stay symbols.
    pub fn of_peer(traffic: &Traffic, peer: &Peer) -> Self {
        match (peer.as_cidr(), Symbol::of(peer)) {
            (Some(network), _) => Self::of(traffic, network),
            (None, Some(symbol)) => Self::of_symbol(traffic, symbol),
            (None, None) => Self::empty(),
        }
    }

    pub(crate) fn of_cell(protocol: Option<u8>, cell: Cell) -> Self {
        match protocol {
            None => Self::from_cells([], cell),
            Some(protocol) => Self::from_cells([(protocol, cell)], Cell::default()),
        }
    }

    /// From the cells of named protocols and the one of all others.
    pub(crate) fn from_cells(named: impl IntoIterator<Item = (u8, Cell)>, rest: Cell) -> Self {
        let cells = Total::new(named, rest);
        let Some(of_rest) = cells.named().get(&REST) else {
            return Self { cells };
        };
        // 255 itself is named: every other number is named instead, and 255's cell becomes the rest.
        let others: Vec<(u8, Cell)> = (0..REST)
            .map(|number| (number, cells.at(&number).clone()))
            .collect();
        Self {
            cells: Total::new(others, of_rest.clone()),
        }
    }

    /// In either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Union)
    }

    /// In any of some sets. Two by two, so that many small sets do not each go through a large one.
    pub fn union_of(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut sets: Vec<Self> = sets.into_iter().collect();
        while sets.len() > 1 {
            let (pairs, alone) = sets.as_chunks::<2>();
            let sums = pairs.iter().map(|[one, other]| one.union(other));
            sets = sums.chain(alone.iter().cloned()).collect();
        }
        sets.pop().unwrap_or_else(Self::empty)
    }

    /// In both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Intersection)
    }

    /// In this one only.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Difference)
    }

    /// Every packet that is not in it, of both families and of every symbol.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::everything().difference(self)
    }

    /// Whether no packet is in it.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether all of it is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.cells.is_subset(&other.cells)
    }

    /// Whether both have a packet in common.
    pub fn intersects(&self, other: &Self) -> bool {
        !self.cells.is_disjoint(&other.cells)
    }

    /// Whether a packet is in it.
    pub fn contains(&self, flow: &Flow) -> bool {
        let point = if has_points(flow.protocol) {
            flow.point
        } else {
            0
        };
        self.cells
            .at(&flow.protocol)
            .points_of(&flow.peer)
            .is_some_and(|points| points.contains(point))
    }

    /// Some packet of it: an example for people. Every set that is not empty has one. `sg-other` is a
    /// group that the set does not name, 255 a protocol number that it does not name.
    pub fn witness(&self) -> Option<Flow> {
        [TCP, UDP, ICMP, ICMPV6]
            .into_iter()
            .chain(self.cells.named().keys().copied())
            .chain([REST])
            .find_map(|protocol| {
                let (peer, point) = self.cells.at(&protocol).witness()?;
                Some(Flow {
                    peer,
                    protocol,
                    point: if has_points(protocol) { point } else { 0 },
                })
            })
    }

    /// The peers of packets with this protocol number and L4 point.
    pub fn peers_at(&self, protocol: u8, point: u16) -> AddressSet {
        let point = if has_points(protocol) { point } else { 0 };
        self.cells
            .at(&protocol)
            .peers(|points| points.contains(point))
    }

    /// The peers of each L4 point of a protocol number. Protocols without ports have one piece, 0–65535.
    pub fn by_point(&self, protocol: u8) -> Pieces<u16, AddressSet> {
        self.cells.at(&protocol).by_point()
    }

    /// The L4 points of a protocol number that any packet in it has.
    pub fn points(&self, protocol: u8) -> Pieces<u16, bool> {
        let cell = self.cells.at(&protocol);
        let v4 = cell.v4.cuts().iter().map(|(_, points)| points);
        let v6 = cell.v6.cuts().iter().map(|(_, points)| points);
        let symbols = cell.symbols.named().values().chain([cell.symbols.rest()]);
        Pieces::from_ranges(v4.chain(v6).chain(symbols).flat_map(Points::ranges))
    }

    /// The peers of each L4 point of a protocol number, for some points only.
    pub fn by_point_within(
        &self,
        protocol: u8,
        points: &Pieces<u16, bool>,
    ) -> Pieces<u16, AddressSet> {
        self.cells
            .at(&protocol)
            .map(|all| all.intersection(points))
            .by_point()
    }

    /// The peers of any packet in it.
    pub fn peers(&self) -> AddressSet {
        let cells = self.cells.named().values().chain([self.cells.rest()]);
        cells.fold(AddressSet::empty(), |sum, cell| {
            sum.union(&cell.peers(|points| !points.is_empty()))
        })
    }

    /// The addresses of one family of any packet in it.
    pub fn addresses(&self, family: Family) -> AddressSet {
        self.peers().family(family)
    }

    /// The protocol numbers of packets in it; 255 stands for every number that the set treats like
    /// no named one.
    pub fn protocols(&self) -> BTreeSet<u8> {
        let known = [TCP, UDP, ICMP, ICMPV6, REST];
        let numbers: BTreeSet<u8> = self.cells.named().keys().copied().chain(known).collect();
        numbers
            .into_iter()
            .filter(|number| !self.cells.at(number).is_empty())
            .collect()
    }

    /// Only the packets of peers that are addresses of these.
    #[must_use]
    pub fn with_peers(&self, peers: &AddressSet) -> Self {
        self.intersection(&Self::of_peers(&Traffic::All, peers))
    }

    pub(crate) fn cells(&self) -> &Total<u8, Cell> {
        &self.cells
    }

    fn combine(&self, other: &Self, operation: SetOperation) -> Self {
        Self {
            cells: self.cells.combine(&other.cells, operation),
        }
    }
}
