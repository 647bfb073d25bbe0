//! Where to look: from the ids that a message names to the reads that bring what they are about.

use super::{GuardError, Visit};
use crate::port::{Scope, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::change::Touched;
use snapback_engine::diff::{Difference, ResourceDiff};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// One place that one EC2 read covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spot {
    /// One group.
    Group(SecurityGroupId),
    /// All ACLs of a VPC.
    Acls(VpcId),
    /// All route tables of a VPC.
    Tables(VpcId),
    /// An ACL of an unknown VPC.
    Acl(NetworkAclId),
    /// A table of an unknown VPC.
    Table(RouteTableId),
    /// The whole account: what a person asked for may lie anywhere.
    Everywhere,
}

/// What is looked at in a place: others' changes there have their own events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Focus {
    pub resources: BTreeSet<ResourceId>,
    pub subjects: BTreeSet<AssociationSubject>,
    /// Prefix lists that the event names: read beside the place.
    pub lists: BTreeSet<PrefixListId>,
}

/// Where a message points.
#[derive(Debug, Default)]
pub(super) struct Located {
    pub spots: BTreeMap<Spot, Focus>,
    /// Gateways and other context, `(what, id)`.
    pub context: Vec<(String, String)>,
    /// Ids that nothing known explains.
    pub unresolved: Vec<String>,
}

impl Spot {
    /// The place of a resource whose VPC may be known.
    pub fn of(resource: &ResourceId, vpc: Option<&VpcId>) -> Self {
        match (resource, vpc) {
            (ResourceId::SecurityGroup(id), _) => Self::Group(id.clone()),
            (ResourceId::NetworkAcl(_), Some(vpc)) => Self::Acls(vpc.clone()),
            (ResourceId::NetworkAcl(id), None) => Self::Acl(id.clone()),
            (ResourceId::RouteTable(_), Some(vpc)) => Self::Tables(vpc.clone()),
            (ResourceId::RouteTable(id), None) => Self::Table(id.clone()),
        }
    }

    /// The read that covers it.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Group(id) => Scope::Group(id.clone()),
            Self::Acls(vpc) => Scope::AclsOf(vpc.clone()),
            Self::Tables(vpc) => Scope::TablesOf(vpc.clone()),
            Self::Acl(id) => Scope::Acl(id.clone()),
            Self::Table(id) => Scope::Table(id.clone()),
            Self::Everywhere => Scope::Everything,
        }
    }

    /// Its VPC, where the place is one.
    pub fn vpc(&self) -> Option<&VpcId> {
        match self {
            Self::Acls(vpc) | Self::Tables(vpc) => Some(vpc),
            Self::Group(_) | Self::Acl(_) | Self::Table(_) | Self::Everywhere => None,
        }
    }

    /// The place as it is named once resources were made again.
    pub fn succeeded(&self, lineage: &Lineage) -> Self {
        match self {
            Self::Group(id) => Self::Group(id.renamed(lineage)),
            Self::Acl(id) => Self::Acl(id.renamed(lineage)),
            Self::Table(id) => Self::Table(id.renamed(lineage)),
            Self::Acls(_) | Self::Tables(_) | Self::Everywhere => self.clone(),
        }
    }

    /// The baselines that it is compared with.
    pub fn wanted(&self, focus: &Focus) -> Wanted {
        let mut wanted = Wanted {
            resources: focus.resources.clone(),
            ..Wanted::default()
        };
        match self {
            Self::Acls(vpc) => {
                wanted.vpcs.insert((Kind::NetworkAcl, vpc.clone()));
            }
            Self::Tables(vpc) => {
                wanted.vpcs.insert((Kind::RouteTable, vpc.clone()));
            }
            Self::Everywhere => wanted.everything = true,
            Self::Group(_) | Self::Acl(_) | Self::Table(_) => {}
        }
        wanted
    }
}

impl Located {
    /// Adds a place to look at.
    pub fn point(&mut self, spot: Spot, focus: Focus) {
        self.spots.entry(spot).or_default().extend(focus);
    }

    /// One event is about one VPC: an ACL or table that no baseline knows lies where the others do.
    fn gather(&mut self) {
        let acls = self
            .spots
            .keys()
            .find(|spot| matches!(spot, Spot::Acls(_)))
            .cloned();
        let tables = self
            .spots
            .keys()
            .find(|spot| matches!(spot, Spot::Tables(_)))
            .cloned();
        for (spot, focus) in std::mem::take(&mut self.spots) {
            let home = match &spot {
                Spot::Acl(_) => acls.clone(),
                Spot::Table(_) => tables.clone(),
                Spot::Group(_) | Spot::Acls(_) | Spot::Tables(_) | Spot::Everywhere => None,
            };
            self.point(home.unwrap_or(spot), focus);
        }
    }
}

impl Focus {
    /// A focus on one resource.
    pub fn on(resource: ResourceId) -> Self {
        Self {
            resources: BTreeSet::from([resource]),
            ..Self::default()
        }
    }

    /// The focus on the old and all newer ids of resources that were made again.
    pub fn succeeded(&self, lineage: &Lineage) -> Self {
        let mut focus = self.clone();
        let heirs = self
            .resources
            .iter()
            .flat_map(|id| lineage.heirs(id.as_str()));
        focus
            .resources
            .extend(heirs.filter_map(|id| id.parse().ok()));
        focus
    }

    /// Takes over what another focus looks at.
    pub fn extend(&mut self, other: Self) {
        self.resources.extend(other.resources);
        self.subjects.extend(other.subjects);
        self.lists.extend(other.lists);
    }

    /// Whether a diff is about what is looked at: its resource, or a subject or the other end of
    /// an association that moved.
    pub fn includes(&self, diff: &ResourceDiff) -> bool {
        self.resources.contains(&diff.resource)
            || diff
                .differences
                .iter()
                .any(|difference| self.moved(difference))
    }

    fn moved(&self, difference: &Difference) -> bool {
        match difference {
            Difference::Association { subnet, live, .. } => {
                self.subjects
                    .contains(&AssociationSubject::Subnet(subnet.clone()))
                    || live
                        .as_ref()
                        .is_some_and(|live| self.resources.contains(live))
            }
            Difference::Main { vpc, live, .. } => {
                self.subjects
                    .contains(&AssociationSubject::Main(vpc.clone()))
                    || live
                        .as_ref()
                        .is_some_and(|live| self.resources.contains(&live.clone().into()))
            }
            Difference::Edge { gateway, .. } => self
                .subjects
                .contains(&AssociationSubject::Gateway(gateway.clone())),
            Difference::Rule { .. }
            | Difference::Entry { .. }
            | Difference::Route { .. }
            | Difference::Propagation { .. }
            | Difference::Tag { .. }
            | Difference::Deleted { .. }
            | Difference::Unreviewed { .. } => false,
        }
    }
}

impl<P: GuardPorts> Visit<'_, P> {
    /// Finds the places; `None` where nothing was ever captured. Security groups need no read for it.
    pub(super) async fn locate(
        &self,
        touched: &BTreeSet<Touched>,
    ) -> Result<Option<Located>, GuardError> {
        let wanted = first_wanted(touched);
        let baselines = if wanted == Wanted::default() {
            Baselines::default()
        } else {
            match self.baselines(&wanted).await? {
                Some(baselines) => baselines,
                None => return Ok(None),
            }
        };
        let mut groups = BTreeMap::new();
        for touched in touched {
            if let Touched::GroupNamed { name } = touched {
                groups.insert(name.clone(), self.groups_named(name, &baselines).await?);
            }
        }
        Ok(Some(located(touched, &baselines, &groups)))
    }

    /// The groups that have a name now, and those that had it when they were captured: the event
    /// may have deleted it.
    async fn groups_named(
        &self,
        name: &str,
        baselines: &Baselines,
    ) -> Result<BTreeSet<ResourceId>, GuardError> {
        let scope = Scope::GroupNamed(name.to_owned());
        let live = self.observe(&scope, &Focus::default()).await?;
        let named = |resource: &Resource| match resource {
            Resource::SecurityGroup(group) => group.name.as_deref() == Some(name),
            Resource::NetworkAcl(_) | Resource::RouteTable(_) => false,
        };
        let known = baselines
            .by_id
            .iter()
            .filter(|(_, baseline)| baseline.state.as_ref().is_some_and(named))
            .map(|(id, _)| id.clone());
        Ok(live.resources.keys().cloned().chain(known).collect())
    }
}

fn first_wanted(touched: &BTreeSet<Touched>) -> Wanted {
    let mut wanted = Wanted::default();
    for touched in touched {
        match touched {
            Touched::Resource(ResourceId::SecurityGroup(_)) | Touched::Context { .. } => {}
            // A name is no key of the store.
            Touched::GroupNamed { .. } => wanted.everything = true,
            Touched::Resource(resource) => {
                wanted.resources.insert(resource.clone());
            }
            Touched::Association(association) => {
                wanted.associations.insert(association.clone());
            }
        }
    }
    wanted
}

fn located(
    touched: &BTreeSet<Touched>,
    baselines: &Baselines,
    groups: &BTreeMap<String, BTreeSet<ResourceId>>,
) -> Located {
    let mut located = Located::default();
    let mut strange = Vec::new();
    for touched in touched {
        match touched {
            Touched::Resource(resource) => {
                let vpc = vpc_of(resource, baselines);
                let spot = Spot::of(resource, vpc.as_ref());
                located.point(spot, Focus::on(resource.clone()));
            }
            Touched::GroupNamed { name } => {
                let groups = groups.get(name).into_iter().flatten();
                let known = located.spots.len();
                for group in groups {
                    located.point(Spot::of(group, None), Focus::on(group.clone()));
                }
                if located.spots.len() == known {
                    strange.push(format!("security group named {name:?}"));
                }
            }
            Touched::Association(id) => match baselines.association(id) {
                Some(handle) => {
                    let vpc = vpc_of(&handle.resource, baselines);
                    let mut focus = Focus::on(handle.resource.clone());
                    focus.subjects.insert(handle.subject.clone());
                    located.point(Spot::of(&handle.resource, vpc.as_ref()), focus);
                }
                None => strange.push(id.to_string()),
            },
            Touched::Context { what, id } => located.context.push((what.clone(), id.clone())),
        }
    }
    located.gather();
    // A new association id is known to nobody yet; the resource named beside it leads there too.
    if located.spots.is_empty() && located.context.is_empty() {
        located.unresolved = strange;
    }
    located
}

fn vpc_of(resource: &ResourceId, baselines: &Baselines) -> Option<VpcId> {
    baselines.by_id.get(resource)?.vpc.clone()
}
