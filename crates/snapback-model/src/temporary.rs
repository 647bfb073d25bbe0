//! Tables and ACLs that are made for the time of a repair only: how one is known (design.md 3).
//!
//! One that Snapback made carries its name in [`SUCCESSOR_OF`] and its story in [`INCIDENT`]. So a
//! later run finds it and makes no other, nobody takes it for a stranger's, and nothing that was not
//! made so is ever deleted.

use crate::{INCIDENT, Kind, NetworkAclId, Resource, ResourceId, RouteTableId, SUCCESSOR_OF, Tags};

/// How the names of temporary tables begin. IAM lets Snapback delete no other (`template.yaml`).
pub const TEMPORARY_TABLE: &str = "rtb-stand-in-for-";
/// The same of ACLs.
pub const TEMPORARY_ACL: &str = "acl-stand-in-for-";
/// How the names of those end that say what theirs said before.
const BEFORE: &str = "-before";

/// What a temporary resource says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StandIn {
    /// What the one that it stands in for is to say: its subnets wait there.
    Goal,
    /// What the one that it stands in for said: who leaves that one for good waits there.
    Before,
}

/// A table or ACL that stands in for another while that is repaired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Temporary {
    /// What it stands in for.
    pub of: ResourceId,
    /// What it says.
    pub says: StandIn,
}

impl Temporary {
    /// The name that it has in its plan, and in its tag; groups have none.
    pub fn name(&self) -> Option<ResourceId> {
        let id = self.of.as_str();
        let end = match self.says {
            StandIn::Goal => "",
            StandIn::Before => BEFORE,
        };
        Some(match &self.of {
            ResourceId::RouteTable(_) => {
                let rest = id.strip_prefix("rtb-").unwrap_or(id);
                RouteTableId::new(format!("{TEMPORARY_TABLE}{rest}{end}")).into()
            }
            ResourceId::NetworkAcl(_) => {
                let rest = id.strip_prefix("acl-").unwrap_or(id);
                NetworkAclId::new(format!("{TEMPORARY_ACL}{rest}{end}")).into()
            }
            ResourceId::SecurityGroup(_) => return None,
        })
    }

    /// What a resource was made for, where Snapback made it for the time of a repair: by both its
    /// tags. In a plan it is known by its name until EC2 has given it an id.
    pub fn of(resource: &Resource) -> Option<Self> {
        let tags = resource.tags()?;
        let name = tags.get(SUCCESSOR_OF)?;
        let of = Self::named(name).filter(|of| of.of.kind() == resource.kind())?;
        let is_made = tags.contains_key(INCIDENT) || resource.id().as_str() == name;
        is_made.then_some(of)
    }

    fn named(name: &str) -> Option<Self> {
        let (kind, rest) = [
            (Kind::RouteTable, TEMPORARY_TABLE),
            (Kind::NetworkAcl, TEMPORARY_ACL),
        ]
        .into_iter()
        .find_map(|(kind, prefix)| Some((kind, name.strip_prefix(prefix)?)))?;
        let (rest, says) = match rest.strip_suffix(BEFORE) {
            Some(rest) => (rest, StandIn::Before),
            None => (rest, StandIn::Goal),
        };
        let of = match kind {
            Kind::RouteTable => RouteTableId::new(format!("rtb-{rest}")).into(),
            Kind::NetworkAcl => NetworkAclId::new(format!("acl-{rest}")).into(),
            Kind::SecurityGroup => return None,
        };
        Some(Self { of, says })
    }

    /// Its tags when it is made, without those of a story.
    pub fn tags(&self) -> Tags {
        let name = self
            .name()
            .map(|name| (SUCCESSOR_OF.to_owned(), name.to_string()));
        let words = format!("snapback: while {} is repaired", self.of);
        name.into_iter()
            .chain([("Name".to_owned(), words)])
            .collect()
    }
}
