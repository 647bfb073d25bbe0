//! One packet, as rules see it.

use snapback_model::{AccountId, IcmpMatch, Peer, PrefixListId, SecurityGroupId, Traffic};
use std::fmt;
use std::net::IpAddr;

use crate::pieces::Pieces;

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMPV6: u8 = 58;

/// Points of the L4 line: a destination port, or ICMP type × 256 + code; whole or empty for every
/// other protocol (semantics F).
pub(crate) type Points = Pieces<u16, bool>;

/// A peer that stands for addresses the state itself does not tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// The private addresses of the ENIs that carry a group.
    SecurityGroup {
        /// The group.
        id: SecurityGroupId,
        /// Its owner, only where that is another account.
        owner: Option<AccountId>,
    },
    /// The networks of a prefix list whose entries were not read.
    PrefixList(PrefixListId),
}

impl Symbol {
    /// The symbol of a peer; `None` for networks.
    pub fn of(peer: &Peer) -> Option<Self> {
        match peer {
            Peer::SecurityGroup { id, owner } => Some(Self::SecurityGroup {
                id: id.clone(),
                owner: owner.clone(),
            }),
            Peer::PrefixList(id) => Some(Self::PrefixList(id.clone())),
            Peer::Ipv4(_) | Peer::Ipv6(_) => None,
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecurityGroup { id, owner: None } => write!(f, "{id}"),
            Self::SecurityGroup {
                id,
                owner: Some(owner),
            } => write!(f, "{id} of account {owner}"),
            Self::PrefixList(id) => write!(f, "{id}"),
        }
    }
}

/// The other side of a packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A known address.
    Address(IpAddr),
    /// Some address that a symbol stands for.
    Symbol(Symbol),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Symbol(symbol) => write!(f, "{symbol}"),
        }
    }
}

/// One packet as groups and ACLs see it: peer, protocol, L4 point (Batfish's word).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Source of an ingress packet, destination of an egress packet.
    pub peer: Host,
    /// IP protocol number.
    pub protocol: u8,
    /// Destination port of tcp and udp; type × 256 + code of ICMP; 0 and without meaning for the rest.
    pub point: u16,
}

/// A protocol as people name it: `tcp`, `udp`, `icmp`, `icmpv6`, else `protocol 50`.
pub fn protocol_name(protocol: u8) -> String {
    match protocol {
        TCP => "tcp".into(),
        UDP => "udp".into(),
        ICMP => "icmp".into(),
        ICMPV6 => "icmpv6".into(),
        number => format!("protocol {number}"),
    }
}

/// Whether the L4 point of a protocol means something.
pub(crate) fn has_points(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP | ICMP | ICMPV6)
}

/// Protocol and L4 point in words: `tcp 443`, `icmp type 8 code 0`, `protocol 50`.
pub(crate) fn l4_words(protocol: u8, point: u16) -> String {
    let name = protocol_name(protocol);
    match protocol {
        TCP | UDP => format!("{name} {point}"),
        ICMP | ICMPV6 => {
            let [kind, code] = point.to_be_bytes();
            format!("{name} type {kind} code {code}")
        }
        _ => name,
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", l4_words(self.protocol, self.point), self.peer)
    }
}

/// Protocol number (`None` is every protocol) and points that a rule matches.
pub(crate) fn protocol_and_points(traffic: &Traffic) -> (Option<u8>, Points) {
    let icmp = |icmp: &IcmpMatch| match *icmp {
        IcmpMatch::Any => Points::full(),
        IcmpMatch::Type(kind) => Points::span(
            u16::from_be_bytes([kind, 0]),
            u16::from_be_bytes([kind, u8::MAX]),
            true,
        ),
        IcmpMatch::TypeCode(kind, code) => {
            let point = u16::from_be_bytes([kind, code]);
            Points::span(point, point, true)
        }
    };
    match traffic {
        Traffic::All => (None, Points::full()),
        Traffic::Tcp(range) => (Some(TCP), Points::span(range.from(), range.to(), true)),
        Traffic::Udp(range) => (Some(UDP), Points::span(range.from(), range.to(), true)),
        Traffic::Icmp(kind) => (Some(ICMP), icmp(kind)),
        Traffic::Icmpv6(kind) => (Some(ICMPV6), icmp(kind)),
        Traffic::Protocol(number) => (Some(*number), Points::full()),
    }
}
