//! Sets of peers: addresses of both families and symbols.

use crate::flow::Symbol;
use crate::pieces::{Coordinate, Pieces, Region, SetOperation, Total};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family. A rule of one never matches the other (semantics A1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// A set of peers. `==` is equality of meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressSet {
    pub(crate) v4: Pieces<u32, bool>,
    pub(crate) v6: Pieces<u128, bool>,
    pub(crate) symbols: Total<Symbol, bool>,
}

/// IPv4 networks that are never an address on the internet: RFC 6890 special purpose, RFC 1918,
/// RFC 6598, multicast and class E.
const NOT_PUBLIC_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Global unicast, RFC 4291: everything else is local, multicast or unassigned.
const PUBLIC_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

pub(crate) fn span_v4(net: Ipv4Net) -> (u32, u32) {
    (net.network().into(), net.broadcast().into())
}

pub(crate) fn span_v6(net: Ipv6Net) -> (u128, u128) {
    (net.network().into(), net.broadcast().into())
}

impl AddressSet {
    /// Nobody.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every address of both families and every symbol.
    pub fn everybody() -> Self {
        Self {
            v4: Pieces::full(),
            v6: Pieces::full(),
            symbols: Total::new([], true),
        }
    }

    /// Everybody who is not in it.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::everybody().difference(self)
    }

    /// The addresses of networks.
    pub fn of(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(net) => v4.push(span_v4(net)),
                IpNet::V6(net) => v6.push(span_v6(net)),
            }
        }
        Self {
            v4: Pieces::from_ranges(v4),
            v6: Pieces::from_ranges(v6),
            symbols: Total::default(),
        }
    }

    /// Every address of a family that can be a host on the internet.
    pub fn internet(family: Family) -> Self {
        match family {
            Family::V4 => {
                let local = NOT_PUBLIC_V4
                    .iter()
                    .filter_map(|(at, length)| Ipv4Net::new(*at, *length).ok());
                let local = Pieces::from_ranges(local.map(span_v4));
                Self {
                    v4: Pieces::full().difference(&local),
                    ..Self::default()
                }
            }
            Family::V6 => {
                let (at, length) = PUBLIC_V6;
                Self::of(Ipv6Net::new(at, length).ok().map(IpNet::V6))
            }
        }
    }

    /// In either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Union)
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

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        Region::is_empty(self)
    }

    /// Whether all of it is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        Region::is_subset(self, other)
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.into()),
            IpAddr::V6(address) => self.v6.contains(address.into()),
        }
    }

    /// Only the addresses of one family; no symbols.
    #[must_use]
    pub fn family(&self, family: Family) -> Self {
        match family {
            Family::V4 => Self {
                v4: self.v4.clone(),
                ..Self::default()
            },
            Family::V6 => Self {
                v6: self.v6.clone(),
                ..Self::default()
            },
        }
    }

    /// Whether every address of a family is in it.
    pub fn covers_everything(&self, family: Family) -> bool {
        match family {
            Family::V4 => self.v4.is_full(),
            Family::V6 => self.v6.is_full(),
        }
    }

    /// Whether every host of a family on the internet is in it, however the ranges are cut.
    pub fn covers_internet(&self, family: Family) -> bool {
        Self::internet(family).is_subset(self)
    }

    /// How many addresses of a family it has. Saturates at `u128::MAX`.
    pub fn address_count(&self, family: Family) -> u128 {
        match family {
            Family::V4 => self
                .v4
                .ranges()
                .map(|(low, high)| u128::from(high - low) + 1)
                .sum(),
            Family::V6 => self.v6.ranges().fold(0, |sum: u128, (low, high)| {
                sum.saturating_add((high - low).saturating_add(1))
            }),
        }
    }

    /// How many addresses of a family it has that can be hosts on the internet.
    pub fn public_address_count(&self, family: Family) -> u128 {
        self.intersection(&Self::internet(family))
            .address_count(family)
    }

    /// The fewest networks that cover exactly its addresses, IPv4 first.
    pub fn networks(&self) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for (low, high) in self.v4.ranges() {
            for (at, length) in blocks(low.into(), high.into(), 32) {
                let at = u32::try_from(at).map(Ipv4Addr::from);
                networks.extend(
                    at.ok()
                        .and_then(|at| Ipv4Net::new(at, length).ok())
                        .map(IpNet::V4),
                );
            }
        }
        for (low, high) in self.v6.ranges() {
            for (at, length) in blocks(low, high, 128) {
                networks.extend(Ipv6Net::new(at.into(), length).ok().map(IpNet::V6));
            }
        }
        networks
    }

    /// The symbols in it.
    pub fn symbols(&self) -> BTreeSet<&Symbol> {
        self.symbols
            .named()
            .iter()
            .filter(|(_, inside)| **inside)
            .map(|(symbol, _)| symbol)
            .collect()
    }

    /// Whether it has all symbols but finitely many (only complements do).
    pub fn has_other_symbols(&self) -> bool {
        *self.symbols.rest()
    }
}

impl Region for AddressSet {
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

/// The fewest aligned blocks (first point, prefix length) that make up `low..=high` on a line of `width` bits.
fn blocks(low: u128, high: u128, width: u8) -> Vec<(u128, u8)> {
    let mut blocks = Vec::new();
    let mut at = Some(low);
    while let Some(low) = at.filter(|low| *low <= high) {
        let aligned = if low == 0 {
            u32::from(width)
        } else {
            low.trailing_zeros()
        };
        let mut bits = aligned.min(u32::from(width));
        while bits > 0 && block_end(low, bits) > high {
            bits -= 1;
        }
        blocks.push((
            low,
            width.saturating_sub(u8::try_from(bits).unwrap_or(width)),
        ));
        at = block_end(low, bits).next();
    }
    blocks
}

fn block_end(low: u128, bits: u32) -> u128 {
    low | 1u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1)
}
