//! Network ACLs as numbered, ordered entries for each direction (semantics A3).

use crate::text::{ParseError, serde_by_text};
use crate::{AccountId, Direction, IcmpMatch, NetworkAclId, SubnetId, Tags, Traffic, VpcId};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// An editable entry number, 1 to 32766. The fixed denies 32767 and 32768 are never values of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleNumber(u16);

impl RuleNumber {
    /// The lowest number.
    pub const MIN: u16 = 1;
    /// The highest editable number.
    pub const MAX: u16 = 32766;

    /// The number, if it is an editable one.
    pub fn new(number: i64) -> Option<Self> {
        u16::try_from(number)
            .ok()
            .filter(|n| (Self::MIN..=Self::MAX).contains(n))
            .map(Self)
    }

    /// The number as EC2 takes it.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for RuleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The identity of an entry within its ACL. Sorted per direction by number: the evaluation order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// Ingress or egress list.
    pub direction: Direction,
    /// Its number.
    pub number: RuleNumber,
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.direction, self.number)
    }
}

impl FromStr for EntryKey {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new("a network ACL entry key (`ingress 100`)", text);
        let (direction, number) = text.split_once(' ').ok_or_else(bad)?;
        let number = number
            .parse()
            .ok()
            .and_then(RuleNumber::new)
            .ok_or_else(bad)?;
        Ok(Self {
            direction: direction.parse()?,
            number,
        })
    }
}
serde_by_text!(EntryKey);

/// What an entry does with the packets it matches first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleAction {
    /// Let pass.
    Allow,
    /// Drop.
    Deny,
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// One entry: what it matches and what it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NetworkAclEntry {
    /// Allow or deny.
    pub action: RuleAction,
    /// Protocol and destination ports (both directions match the destination port, semantics A3).
    pub traffic: Traffic,
    /// Source (ingress) or destination (egress) network, host bits cleared.
    pub cidr: IpNet,
}

impl NetworkAclEntry {
    /// An entry in canonical form: host bits cleared; ICMPv6 with an IPv4 network matches every type
    /// (semantics A3).
    pub fn new(action: RuleAction, traffic: Traffic, cidr: IpNet) -> Self {
        let traffic = match (traffic, cidr) {
            (Traffic::Icmpv6(_), IpNet::V4(_)) => Traffic::Icmpv6(IcmpMatch::Any),
            (traffic, _) => traffic,
        };
        Self {
            action,
            traffic,
            cidr: cidr.trunc(),
        }
    }
}

impl fmt::Display for NetworkAclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.action, self.traffic, self.cidr)
    }
}

/// A network ACL: first match by ascending number in each direction, unmatched is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// Its id.
    pub id: NetworkAclId,
    /// Its VPC.
    pub vpc: VpcId,
    /// The account that owns it; older describe outputs do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Whether it is the VPC's default ACL.
    pub is_default: bool,
    /// Its tags.
    pub tags: Tags,
    /// The editable entries, in evaluation order for each direction.
    pub entries: BTreeMap<EntryKey, NetworkAclEntry>,
    /// The subnets it guards. Every subnet has exactly one ACL.
    pub subnets: BTreeSet<SubnetId>,
}
