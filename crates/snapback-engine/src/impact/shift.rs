//! One piece of traffic that a change opened or closed, and whether that counts now.

use serde::{Deserialize, Deserializer, Serialize};
use snapback_model::{Direction, Element};

/// Interfaces named in one effect; what is beyond is counted.
pub(super) const MOST_NAMES: usize = 3;

/// Which way a change moved traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It became possible.
    Opened,
    /// It became impossible, or arrives elsewhere.
    Closed,
}

/// Why traffic that one rule, entry or route lets through does not pass all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason", content = "of")]
pub enum Why {
    /// No network interface carries the group.
    NoCarrier,
    /// No subnet uses the ACL or table.
    NoSubnet,
    /// No network interface is in the subnets.
    NoInterface,
    /// The other side is the members of a group that no network interface carries.
    NoMember,
    /// Rules of other groups of every interface concerned allow the same (semantics A1).
    OtherGroups,
    /// No group of an interface there allows it, and it is no answer to what they allow.
    Groups,
    /// The network ACL of every subnet concerned denies it.
    Acl(String),
    /// It stays inside one subnet, which no network ACL filters (semantics A3).
    InsideSubnet,
    /// No route leads there and back.
    NoRoute,
    /// Only a NAT or egress-only gateway leads there: nothing from there can begin a connection.
    OutboundOnly,
    /// No public address: an internet gateway carries nothing for it.
    NoPublicAddress,
    /// IPv6 traffic, and no IPv6 address.
    NoIpv6,
    /// VPC Block Public Access.
    BlockPublicAccess,
}

/// Where traffic counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Network interfaces.
    pub interfaces: usize,
    /// Subnets they are in.
    pub subnets: usize,
    /// Those of the interfaces that exchange it with the internet through an internet gateway.
    pub internet_facing: usize,
    /// The first of the interfaces, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// Why none of them exchanges it with the internet, where the peers hold internet addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internet: Option<Why>,
}

/// Whether a shift counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "when")]
pub enum Effect {
    /// Packets pass (or no longer pass) now.
    Now(Reached),
    /// Nothing passes (or is cut) now; it would without what stands in the way.
    Dormant {
        /// What stands in the way, of the interface that comes nearest.
        why: Why,
    },
    /// What surrounds the resource is not known well enough.
    Unknown {
        /// What is not known.
        why: String,
    },
}

impl Effect {
    /// How much it counts: for the worst of several. Unknown counts as much as harm seen inside.
    pub fn weight(&self) -> usize {
        match self {
            Self::Dormant { .. } => 0,
            Self::Now(reached) if reached.internet_facing == 0 => 1,
            Self::Unknown { .. } => 2,
            Self::Now(_) => 3,
        }
    }

    /// Whether packets pass or are cut now, as far as is known.
    pub fn is_now(&self) -> bool {
        matches!(self, Self::Now(_))
    }

    /// Whether it is known that nothing passes or is cut now.
    pub fn is_dormant(&self) -> bool {
        matches!(self, Self::Dormant { .. })
    }

    /// How many of the interfaces concerned exchange it with the internet.
    pub fn internet_facing(&self) -> usize {
        match self {
            Self::Now(reached) => reached.internet_facing,
            Self::Dormant { .. } | Self::Unknown { .. } => 0,
        }
    }

    /// For people: `now: on load balancer front (eni-1), facing the internet`.
    pub fn words(&self, turn: Turn) -> String {
        match (self, turn) {
            (Self::Now(reached), _) => reached.words(turn),
            (Self::Dormant { why }, Turn::Opened) => {
                format!("opens nothing now: {}; {}", why.words(), why.until())
            }
            (Self::Dormant { why }, Turn::Closed) => format!("cuts nothing now: {}", why.words()),
            (Self::Unknown { why }, Turn::Opened) => {
                format!("whether it opens something now is not known: {why}")
            }
            (Self::Unknown { why }, Turn::Closed) => {
                format!("whether it cuts something now is not known: {why}")
            }
        }
    }
}

impl Reached {
    fn words(&self, turn: Turn) -> String {
        let names = self.on.join(", ");
        let more = self.interfaces.saturating_sub(self.on.len());
        let on = match (self.on.is_empty(), more) {
            (true, _) => count(self.interfaces, "network interface"),
            (false, 0) => names,
            (false, more) => format!("{names} and {more} more"),
        };
        let places = if self.subnets > 1 {
            format!(", in {} subnets", self.subnets)
        } else {
            String::new()
        };
        let facing = match (turn, self.internet_facing, &self.internet) {
            (Turn::Opened, 1.., _) if self.internet_facing == self.interfaces => {
                ", facing the internet".to_owned()
            }
            (Turn::Opened, facing @ 1.., _) => format!(", {facing} of them facing the internet"),
            (Turn::Opened, 0, Some(why)) => format!(", not from the internet ({})", why.words()),
            _ => String::new(),
        };
        format!("now, on {on}{places}{facing}")
    }
}

/// `1 subnet`, `2 subnets`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

impl Why {
    /// The reason in words.
    pub fn words(&self) -> String {
        match self {
            Self::NoCarrier => "no network interface carries this group".into(),
            Self::NoSubnet => "no subnet uses it".into(),
            Self::NoInterface => "no network interface is in its subnets".into(),
            Self::NoMember => "no network interface carries the group on the other side".into(),
            Self::OtherGroups => "other rules of every interface allow it all the same".into(),
            Self::Groups => "no security group of an interface there allows it".into(),
            Self::Acl(acl) => format!("network ACL {acl} denies it"),
            Self::InsideSubnet => "it stays inside a subnet, where no network ACL filters".into(),
            Self::NoRoute => "no route leads there".into(),
            Self::OutboundOnly => {
                "only a NAT or egress-only gateway leads there, and nothing can begin a connection through it".into()
            }
            Self::NoPublicAddress => "no interface has a public address".into(),
            Self::NoIpv6 => "no interface has an IPv6 address".into(),
            Self::BlockPublicAccess => "VPC Block Public Access stands before it".into(),
        }
    }

    /// When it would open all the same.
    pub fn until(&self) -> String {
        match self {
            Self::NoCarrier => "it opens as soon as one does".into(),
            Self::NoSubnet => "it opens as soon as one does".into(),
            Self::NoInterface => "it opens as soon as one is".into(),
            Self::NoMember => "it opens as soon as one does".into(),
            Self::OtherGroups => "it matters when those go".into(),
            Self::Groups => "it opens when one does".into(),
            Self::Acl(_) => "it opens when the ACL allows it".into(),
            Self::InsideSubnet => "it matters as soon as it comes from another subnet".into(),
            Self::NoRoute => "it opens when one is made".into(),
            Self::OutboundOnly => "it opens with another route".into(),
            Self::NoPublicAddress => "it opens when one gets such an address".into(),
            Self::NoIpv6 => "it opens when one gets such an address".into(),
            Self::BlockPublicAccess => "it opens when that is lifted".into(),
        }
    }
}

/// Traffic that a change opened or closed: one rectangle of a packet set, or one network that a
/// table sends elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// The traffic in one line: `ingress tcp 22 from 0.0.0.0/0 (anyone on the internet, IPv4)`.
    pub text: String,
    /// Ingress or egress; `None` for a route or a binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Protocol and ports: `tcp 22`.
    pub traffic: String,
    /// The other side: networks and groups, the first of them.
    pub peers: Vec<String>,
    /// How many more peers there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_peers: usize,
    /// An example packet: `tcp 22 198.51.100.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// The differences that opened or closed it.
    pub through: Vec<Element>,
    /// Whether that counts now.
    pub effect: Effect,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Shift {
    /// The whole line for people: the traffic, then whether it counts now and where.
    pub fn line(&self, turn: Turn) -> String {
        format!("{}: {}", self.text, self.effect.words(turn))
    }
}

/// A shift as it is stored: since 0.2 with all its parts, before as its line.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Line(String),
    Shift {
        text: String,
        #[serde(default)]
        direction: Option<Direction>,
        #[serde(default)]
        traffic: String,
        #[serde(default)]
        peers: Vec<String>,
        #[serde(default)]
        more_peers: usize,
        #[serde(default)]
        witness: Option<String>,
        #[serde(default)]
        through: Vec<Element>,
        effect: Effect,
    },
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Line(text) => Self::unweighed(text),
            Stored::Shift {
                text,
                direction,
                traffic,
                peers,
                more_peers,
                witness,
                through,
                effect,
            } => Self {
                text,
                direction,
                traffic,
                peers,
                more_peers,
                witness,
                through,
                effect,
            },
        })
    }
}

impl Shift {
    /// A line of which nothing else is known.
    fn unweighed(text: String) -> Self {
        let why = "it was not weighed when this was written".to_owned();
        Self {
            text,
            direction: None,
            traffic: String::new(),
            peers: Vec::new(),
            more_peers: 0,
            witness: None,
            through: Vec::new(),
            effect: Effect::Unknown { why },
        }
    }
}
