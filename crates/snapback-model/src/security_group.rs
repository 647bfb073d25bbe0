//! Security groups as sets of atomic rules (semantics A1).

use crate::text::{ParseError, serde_by_text};
use crate::{AccountId, Direction, PrefixListId, SecurityGroupId, Tags, Traffic, VpcId};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The one peer of an atomic rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// An IPv4 network, host bits cleared.
    Ipv4(Ipv4Net),
    /// An IPv6 network, host bits cleared.
    Ipv6(Ipv6Net),
    /// The addresses of a managed prefix list.
    PrefixList(PrefixListId),
    /// The private addresses of the ENIs that carry a group.
    SecurityGroup {
        /// The group referred to.
        id: SecurityGroupId,
        /// Its owner, only where that is not the owner of the group that holds the rule.
        owner: Option<AccountId>,
    },
}

impl Peer {
    /// A network peer in canonical form (host bits cleared, as AWS does).
    pub fn cidr(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::Ipv4(net.trunc()),
            IpNet::V6(net) => Self::Ipv6(net.trunc()),
        }
    }

    /// The network, where the peer is one.
    pub fn as_cidr(&self) -> Option<IpNet> {
        match self {
            Self::Ipv4(net) => Some(IpNet::V4(*net)),
            Self::Ipv6(net) => Some(IpNet::V6(*net)),
            Self::PrefixList(_) | Self::SecurityGroup { .. } => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(net) => write!(f, "{net}"),
            Self::Ipv6(net) => write!(f, "{net}"),
            Self::PrefixList(id) => write!(f, "{id}"),
            Self::SecurityGroup { id, owner: None } => write!(f, "{id}"),
            Self::SecurityGroup {
                id,
                owner: Some(owner),
            } => write!(f, "{id}@{owner}"),
        }
    }
}

impl FromStr for Peer {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.starts_with("pl-") {
            return Ok(Self::PrefixList(text.into()));
        }
        if text.starts_with("sg-") {
            return Ok(match text.split_once('@') {
                Some((id, owner)) => Self::SecurityGroup {
                    id: id.into(),
                    owner: Some(owner.into()),
                },
                None => Self::SecurityGroup {
                    id: text.into(),
                    owner: None,
                },
            });
        }
        text.parse::<IpNet>()
            .map(Self::cidr)
            .map_err(|_| ParseError::new("a peer (CIDR, pl-…, sg-…)", text))
    }
}
serde_by_text!(Peer);

/// The identity of a rule: direction, traffic and exactly one peer. Description, tags and `sgr-` id
/// are not part of it (semantics A1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleKey {
    /// Ingress or egress.
    pub direction: Direction,
    /// Protocol and ports.
    pub traffic: Traffic,
    /// The other side.
    pub peer: Peer,
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.direction, self.traffic, self.peer)
    }
}

impl FromStr for RuleKey {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parts = text.splitn(3, ' ');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(direction), Some(traffic), Some(peer)) => Ok(Self {
                direction: direction.parse()?,
                traffic: traffic.parse()?,
                peer: peer.parse()?,
            }),
            _ => Err(ParseError::new(
                "a security group rule (`ingress tcp:443 10.0.0.0/8`)",
                text,
            )),
        }
    }
}
serde_by_text!(RuleKey);

/// What a rule carries besides its identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleDetail {
    /// The rule's own description; empty counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The rule's own tags. `None` where the source does not tell (describe-security-groups does not).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

/// A security group: an allow-only union of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its name, fixed for life. `None` where the source does not tell (a read of rules alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its description, fixed for life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcId>,
    /// The account that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Its tags. `None` where the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// Its rules by identity.
    pub rules: BTreeMap<RuleKey, RuleDetail>,
}
