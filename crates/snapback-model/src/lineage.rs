//! Which id took the place of which: what was deleted comes back under a new id (semantics B1).

use crate::{
    AssociationSubject, Destination, GatewayId, NetworkAcl, Peer, Resource, ResourceId, Route,
    RouteTable, RouteTarget, RuleKey, SecurityGroup,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The tag of a resource made in the place of another: the id that the plan knew it by.
pub const SUCCESSOR_OF: &str = "snapback:successor-of";
/// The tag of a resource made by us: the incident.
pub const INCIDENT: &str = "snapback:incident";

/// Whether a tag only tells that we made the resource again: no difference, nobody takes it back.
pub fn is_lineage_tag(key: &str) -> bool {
    key == SUCCESSOR_OF || key == INCIDENT
}

/// Old ids with the id that took their place. Any AWS id may be in it: groups, ACLs, tables, NAT
/// gateways. A successor may have a successor; [`Lineage::current`] follows to the last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lineage {
    successors: BTreeMap<String, String>,
}

impl Lineage {
    /// Whether nothing was succeeded.
    pub fn is_empty(&self) -> bool {
        self.successors.is_empty()
    }

    /// Notes that `new` took the place of `old`. A step that would close a circle is left out: it
    /// would make `old` its own successor.
    pub fn record(&mut self, old: &str, new: &str) {
        if self.current(new) != old && old != new {
            self.successors.insert(old.to_owned(), new.to_owned());
        }
    }

    /// Takes over what another lineage knows.
    pub fn extend(&mut self, other: &Self) {
        for (old, new) in &other.successors {
            self.record(old, new);
        }
    }

    /// Old and new ids, one step each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.successors
            .iter()
            .map(|(old, new)| (old.as_str(), new.as_str()))
    }

    /// The id that stands in the place of this one now: itself where nothing succeeded it.
    pub fn current<'a>(&'a self, id: &'a str) -> &'a str {
        let mut current = id;
        // A lineage has no circles, so this ends after at most as many steps as it has entries.
        for _ in 0..self.successors.len() {
            match self.successors.get(current) {
                Some(next) => current = next,
                None => break,
            }
        }
        current
    }

    /// All that took the place of this id, one after the other; [`Lineage::current`] is the last.
    pub fn heirs<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let next = |id: &&str| self.successors.get(*id).map(String::as_str);
        // A lineage has no circles, so this ends after at most as many steps as it has entries.
        std::iter::successors(next(&id), next).take(self.successors.len())
    }

    /// The guarded resource that stands in the place of this one now.
    pub fn current_resource(&self, id: &ResourceId) -> ResourceId {
        self.current(id.as_str())
            .parse()
            .unwrap_or_else(|_| id.clone())
    }
}

/// A value that names ids, with each id replaced by the one that took its place.
pub trait Renamed {
    /// The value with current ids.
    #[must_use]
    fn renamed(&self, lineage: &Lineage) -> Self;
}

macro_rules! renamed_ids {
    ($($name:ident),+ $(,)?) => {$(
        impl Renamed for crate::$name {
            fn renamed(&self, lineage: &Lineage) -> Self {
                Self::new(lineage.current(self.as_str()))
            }
        }
    )+};
}
renamed_ids!(
    SecurityGroupId,
    NetworkAclId,
    RouteTableId,
    SubnetId,
    GatewayId,
    NetworkInterfaceId,
    PrefixListId,
);

impl Renamed for ResourceId {
    fn renamed(&self, lineage: &Lineage) -> Self {
        lineage.current_resource(self)
    }
}

impl Renamed for Peer {
    fn renamed(&self, lineage: &Lineage) -> Self {
        match self {
            Self::SecurityGroup { id, owner } => Self::SecurityGroup {
                id: id.renamed(lineage),
                owner: owner.clone(),
            },
            Self::PrefixList(id) => Self::PrefixList(id.renamed(lineage)),
            Self::Ipv4(_) | Self::Ipv6(_) => self.clone(),
        }
    }
}

impl Renamed for RuleKey {
    fn renamed(&self, lineage: &Lineage) -> Self {
        Self {
            peer: self.peer.renamed(lineage),
            ..self.clone()
        }
    }
}

impl Renamed for RouteTarget {
    fn renamed(&self, lineage: &Lineage) -> Self {
        self.with_id(lineage.current(self.id()))
    }
}

impl Renamed for Destination {
    fn renamed(&self, lineage: &Lineage) -> Self {
        match self {
            Self::PrefixList(id) => Self::PrefixList(id.renamed(lineage)),
            Self::Ipv4(_) | Self::Ipv6(_) => self.clone(),
        }
    }
}

impl Renamed for AssociationSubject {
    fn renamed(&self, lineage: &Lineage) -> Self {
        match self {
            Self::Gateway(id) => Self::Gateway(id.renamed(lineage)),
            Self::Subnet(_) | Self::Main(_) => self.clone(),
        }
    }
}

impl Renamed for Route {
    fn renamed(&self, lineage: &Lineage) -> Self {
        Self {
            target: self.target.renamed(lineage),
            ..self.clone()
        }
    }
}

fn renamed_set(gateways: &BTreeSet<GatewayId>, lineage: &Lineage) -> BTreeSet<GatewayId> {
    gateways.iter().map(|id| id.renamed(lineage)).collect()
}

impl Renamed for Resource {
    fn renamed(&self, lineage: &Lineage) -> Self {
        match self {
            Self::SecurityGroup(group) => Self::SecurityGroup(SecurityGroup {
                id: group.id.renamed(lineage),
                rules: group
                    .rules
                    .iter()
                    .map(|(key, detail)| (key.renamed(lineage), detail.clone()))
                    .collect(),
                ..group.clone()
            }),
            Self::NetworkAcl(acl) => Self::NetworkAcl(NetworkAcl {
                id: acl.id.renamed(lineage),
                ..acl.clone()
            }),
            Self::RouteTable(table) => Self::RouteTable(RouteTable {
                id: table.id.renamed(lineage),
                routes: table
                    .routes
                    .iter()
                    .map(|(to, route)| (to.renamed(lineage), route.renamed(lineage)))
                    .collect(),
                gateways: renamed_set(&table.gateways, lineage),
                propagating: renamed_set(&table.propagating, lineage),
                ..table.clone()
            }),
        }
    }
}
