//! What a rule or entry matches besides the peer: direction, protocol, ports (semantics A1, A3).

use crate::text::{ParseError, serde_by_text};
use std::fmt;
use std::str::FromStr;

/// Ingress or egress, as seen from the ENI (group) or the subnet (ACL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the ENI or subnet.
    Ingress,
    /// Away from the ENI or subnet.
    Egress,
}

impl Direction {
    /// From EC2's `IsEgress` / `egress` flag.
    pub fn from_egress(egress: bool) -> Self {
        if egress { Self::Egress } else { Self::Ingress }
    }

    /// EC2's `egress` flag.
    pub fn is_egress(self) -> bool {
        self == Self::Egress
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_egress() {
            "egress"
        } else {
            "ingress"
        })
    }
}

impl FromStr for Direction {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "ingress" => Ok(Self::Ingress),
            "egress" => Ok(Self::Egress),
            _ => Err(ParseError::new("a direction (ingress, egress)", text)),
        }
    }
}
serde_by_text!(Direction);

/// Inclusive destination ports of tcp or udp; `from <= to` always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    from: u16,
    to: u16,
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self {
        from: 0,
        to: u16::MAX,
    };

    /// `from..=to`, or nothing when they are the wrong way round.
    pub fn new(from: u16, to: u16) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// One port.
    pub fn single(port: u16) -> Self {
        Self {
            from: port,
            to: port,
        }
    }

    /// The first port.
    pub fn from(self) -> u16 {
        self.from
    }

    /// The last port, included.
    pub fn to(self) -> u16 {
        self.to
    }

    /// Whether the port lies inside.
    pub fn contains(self, port: u16) -> bool {
        self.from <= port && port <= self.to
    }
}

/// ICMP type and code; a code needs a type (type −1 forces code −1, semantics A1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IcmpMatch {
    /// Every type and code.
    Any,
    /// One type, every code.
    Type(u8),
    /// One type and code.
    TypeCode(u8, u8),
}

/// Protocol and L4 point that a rule or entry matches. Canonical: 6, 17, 1 and 58 are always the
/// named variants, any other number matches all ports (semantics A1, A3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traffic {
    /// Protocol −1: everything.
    All,
    /// TCP destination ports.
    Tcp(PortRange),
    /// UDP destination ports.
    Udp(PortRange),
    /// ICMP for IPv4.
    Icmp(IcmpMatch),
    /// ICMP for IPv6.
    Icmpv6(IcmpMatch),
    /// Any other IP protocol number, all of it.
    Protocol(u8),
}

impl Traffic {
    /// Reads a protocol as EC2 writes it (name, number, `-1`) with its from/to pair, which is
    /// ports for tcp and udp, type and code for ICMP, and meaningless for the rest. Absent means all.
    ///
    /// # Errors
    /// A protocol that is neither a known name nor a number, or ports out of range.
    pub fn new(protocol: &str, from: Option<i64>, to: Option<i64>) -> Result<Self, ParseError> {
        let lower = protocol.trim().to_ascii_lowercase();
        let number: u8 = match lower.as_str() {
            "-1" | "all" | "-1.0" => return Ok(Self::All),
            "tcp" => 6,
            "udp" => 17,
            "icmp" => 1,
            "icmpv6" => 58,
            number => number.parse().map_err(|_| {
                ParseError::new(
                    "a protocol (tcp, udp, icmp, icmpv6, a number, -1)",
                    protocol,
                )
            })?,
        };
        Ok(match number {
            6 => Self::Tcp(ports(from, to)?),
            17 => Self::Udp(ports(from, to)?),
            1 => Self::Icmp(icmp(from, to)?),
            58 => Self::Icmpv6(icmp(from, to)?),
            other => Self::Protocol(other),
        })
    }

    /// The protocol as security group calls take it: `tcp`, `udp`, `icmp`, `icmpv6`, a number, `-1`.
    pub fn protocol_name(&self) -> String {
        match self {
            Self::All => "-1".into(),
            Self::Tcp(_) => "tcp".into(),
            Self::Udp(_) => "udp".into(),
            Self::Icmp(_) => "icmp".into(),
            Self::Icmpv6(_) => "icmpv6".into(),
            Self::Protocol(number) => number.to_string(),
        }
    }

    /// The protocol as network ACL calls take it: always a number, `-1` for all.
    pub fn protocol_number(&self) -> String {
        match self {
            Self::All => "-1".into(),
            Self::Tcp(_) => "6".into(),
            Self::Udp(_) => "17".into(),
            Self::Icmp(_) => "1".into(),
            Self::Icmpv6(_) => "58".into(),
            Self::Protocol(number) => number.to_string(),
        }
    }

    /// EC2's FromPort/ToPort pair (ports, or ICMP type and code); none where they mean nothing.
    pub fn from_to(&self) -> Option<(i32, i32)> {
        match self {
            Self::Tcp(range) | Self::Udp(range) => Some((range.from().into(), range.to().into())),
            Self::Icmp(icmp) | Self::Icmpv6(icmp) => Some(match icmp {
                IcmpMatch::Any => (-1, -1),
                IcmpMatch::Type(kind) => ((*kind).into(), -1),
                IcmpMatch::TypeCode(kind, code) => ((*kind).into(), (*code).into()),
            }),
            Self::All | Self::Protocol(_) => None,
        }
    }
}

fn ports(from: Option<i64>, to: Option<i64>) -> Result<PortRange, ParseError> {
    match (from, to) {
        (None | Some(-1), None | Some(-1)) => Ok(PortRange::ALL),
        (from, to) => {
            let bad = || ParseError::new("a port range", format!("{from:?}-{to:?}"));
            let from_port = u16::try_from(from.or(to).ok_or_else(bad)?).map_err(|_| bad())?;
            let to_port = u16::try_from(to.or(from).ok_or_else(bad)?).map_err(|_| bad())?;
            PortRange::new(from_port, to_port).ok_or_else(bad)
        }
    }
}

fn icmp(from: Option<i64>, to: Option<i64>) -> Result<IcmpMatch, ParseError> {
    let bad = || ParseError::new("an ICMP type and code", format!("{from:?}/{to:?}"));
    let byte = |value: i64| u8::try_from(value).map_err(|_| bad());
    Ok(match (from, to) {
        (None | Some(-1), _) => IcmpMatch::Any,
        (Some(kind), None | Some(-1)) => IcmpMatch::Type(byte(kind)?),
        (Some(kind), Some(code)) => IcmpMatch::TypeCode(byte(kind)?, byte(code)?),
    })
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.protocol_name();
        match self {
            Self::All => f.write_str("all"),
            Self::Tcp(range) | Self::Udp(range) if *range == PortRange::ALL => {
                write!(f, "{name}:all")
            }
            Self::Tcp(range) | Self::Udp(range) if range.from == range.to => {
                write!(f, "{name}:{}", range.from)
            }
            Self::Tcp(range) | Self::Udp(range) => write!(f, "{name}:{}-{}", range.from, range.to),
            Self::Icmp(icmp) | Self::Icmpv6(icmp) => match icmp {
                IcmpMatch::Any => write!(f, "{name}:all"),
                IcmpMatch::Type(kind) => write!(f, "{name}:{kind}"),
                IcmpMatch::TypeCode(kind, code) => write!(f, "{name}:{kind}/{code}"),
            },
            Self::Protocol(number) => write!(f, "protocol:{number}"),
        }
    }
}

impl FromStr for Traffic {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || {
            ParseError::new(
                "traffic (`tcp:443`, `udp:53-60`, `icmp:8/0`, `protocol:50`, `all`)",
                text,
            )
        };
        if text == "all" {
            return Ok(Self::All);
        }
        let (name, rest) = text.split_once(':').ok_or_else(bad)?;
        let number = |part: &str| part.parse::<i64>().map_err(|_| bad());
        if name == "protocol" {
            return Self::new(rest, None, None);
        }
        let (from, to) = match rest {
            "all" => (None, None),
            _ if name.starts_with("icmp") => match rest.split_once('/') {
                Some((kind, code)) => (Some(number(kind)?), Some(number(code)?)),
                None => (Some(number(rest)?), None),
            },
            _ => match rest.split_once('-') {
                Some((from, to)) => (Some(number(from)?), Some(number(to)?)),
                None => (Some(number(rest)?), Some(number(rest)?)),
            },
        };
        Self::new(name, from, to)
    }
}
serde_by_text!(Traffic);
