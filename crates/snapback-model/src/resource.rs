//! The guarded kinds under one name.

use crate::text::{ParseError, serde_by_text};
use crate::{
    AssociationSubject, NetworkAcl, NetworkAclId, RouteTable, RouteTableId, SecurityGroup,
    SecurityGroupId, Tags, VpcId,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A guarded kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Security group.
    SecurityGroup,
    /// Network ACL.
    NetworkAcl,
    /// Route table.
    RouteTable,
}

impl Kind {
    /// Every kind, in the order of `semantics.md` C4 (routes, ACLs, groups).
    pub const ALL: [Self; 3] = [Self::RouteTable, Self::NetworkAcl, Self::SecurityGroup];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecurityGroup => "security group",
            Self::NetworkAcl => "network ACL",
            Self::RouteTable => "route table",
        })
    }
}

/// The id of a guarded resource; its text form is the AWS id, whose prefix tells the kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceId {
    /// `sg-…`
    SecurityGroup(SecurityGroupId),
    /// `acl-…`
    NetworkAcl(NetworkAclId),
    /// `rtb-…`
    RouteTable(RouteTableId),
}

impl ResourceId {
    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::SecurityGroup(_) => Kind::SecurityGroup,
            Self::NetworkAcl(_) => Kind::NetworkAcl,
            Self::RouteTable(_) => Kind::RouteTable,
        }
    }

    /// The id as AWS writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SecurityGroup(id) => id.as_str(),
            Self::NetworkAcl(id) => id.as_str(),
            Self::RouteTable(id) => id.as_str(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ResourceId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.starts_with("sg-") {
            Ok(Self::SecurityGroup(text.into()))
        } else if text.starts_with("acl-") {
            Ok(Self::NetworkAcl(text.into()))
        } else if text.starts_with("rtb-") {
            Ok(Self::RouteTable(text.into()))
        } else {
            Err(ParseError::new(
                "a guarded resource id (sg-…, acl-…, rtb-…)",
                text,
            ))
        }
    }
}
serde_by_text!(ResourceId);

impl From<SecurityGroupId> for ResourceId {
    fn from(id: SecurityGroupId) -> Self {
        Self::SecurityGroup(id)
    }
}
impl From<NetworkAclId> for ResourceId {
    fn from(id: NetworkAclId) -> Self {
        Self::NetworkAcl(id)
    }
}
impl From<RouteTableId> for ResourceId {
    fn from(id: RouteTableId) -> Self {
        Self::RouteTable(id)
    }
}

/// The canonical state of a guarded resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// A security group.
    SecurityGroup(SecurityGroup),
    /// A network ACL.
    NetworkAcl(NetworkAcl),
    /// A route table.
    RouteTable(RouteTable),
}

impl Resource {
    /// Its id.
    pub fn id(&self) -> ResourceId {
        match self {
            Self::SecurityGroup(group) => group.id.clone().into(),
            Self::NetworkAcl(acl) => acl.id.clone().into(),
            Self::RouteTable(table) => table.id.clone().into(),
        }
    }

    /// Whether it is an ACL or table that holds the subject of an association.
    pub fn holds(&self, subject: &AssociationSubject) -> bool {
        match (self, subject) {
            (Self::NetworkAcl(acl), AssociationSubject::Subnet(subnet)) => {
                acl.subnets.contains(subnet)
            }
            (Self::RouteTable(table), AssociationSubject::Subnet(subnet)) => {
                table.subnets.contains(subnet)
            }
            (Self::RouteTable(table), AssociationSubject::Gateway(gateway)) => {
                table.gateways.contains(gateway)
            }
            (Self::RouteTable(table), AssociationSubject::Main(_)) => table.main,
            (Self::SecurityGroup(_) | Self::NetworkAcl(_), _) => false,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::SecurityGroup(_) => Kind::SecurityGroup,
            Self::NetworkAcl(_) => Kind::NetworkAcl,
            Self::RouteTable(_) => Kind::RouteTable,
        }
    }

    /// Its VPC, where known.
    pub fn vpc(&self) -> Option<&VpcId> {
        match self {
            Self::SecurityGroup(group) => group.vpc.as_ref(),
            Self::NetworkAcl(acl) => Some(&acl.vpc),
            Self::RouteTable(table) => Some(&table.vpc),
        }
    }

    /// Its tags, where the source told them.
    pub fn tags(&self) -> Option<&Tags> {
        match self {
            Self::SecurityGroup(group) => group.tags.as_ref(),
            Self::NetworkAcl(acl) => Some(&acl.tags),
            Self::RouteTable(table) => Some(&table.tags),
        }
    }

    /// A name for people: the `Name` tag or the group name, with the id.
    pub fn label(&self) -> String {
        let id = self.id();
        let name = self
            .tags()
            .and_then(|tags| tags.get("Name"))
            .or(match self {
                Self::SecurityGroup(group) => group.name.as_ref(),
                Self::NetworkAcl(_) | Self::RouteTable(_) => None,
            });
        name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    }
}
