//! One resource at one time, as far as it is known.

use super::told::{Atom, Content, Thing};
use super::{Past, Reason};
use snapback_model::*;
use std::collections::BTreeMap;

/// A resource just before a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Whether it existed.
    pub exists: Result<bool, Reason>,
    /// For every part that anything names: whether it was there.
    pub parts: BTreeMap<Element, Result<bool, Reason>>,
    /// Why it is not known what was there besides; `None` where nothing was.
    pub rest: Option<Reason>,
    /// The known parts, on what nothing changes or no event follows (name, VPC, tags, texts,
    /// propagated routes) as it was told last. `None` where it did not exist.
    pub state: Option<Resource>,
    /// Whether its VPC is told.
    pub has_vpc: bool,
    /// Whether its tags are told.
    pub has_tags: bool,
    /// Whether a part is taken for absent because a later Create call for it succeeded.
    pub assumed: bool,
}

impl View {
    /// The first reason why a part that matters is not known; subnets' places are told apart.
    pub(super) fn gap(&self) -> Option<Reason> {
        if let Err(reason) = self.exists {
            return Some(reason);
        }
        let parts = self.parts.iter().filter(|(element, _)| is_own(element));
        let mut gaps = parts.filter_map(|(_, told)| told.err());
        gaps.next().or(self.rest)
    }
}

/// Whether a part is the resource's own and no endpoint's: endpoints write their prefix-list routes
/// by themselves, and no event tells which.
fn is_own(element: &Element) -> bool {
    !matches!(
        element,
        Element::Route(Destination::PrefixList(_)) | Element::Subnet(_) | Element::Main
    )
}

impl Past {
    /// A resource just before a second. `assume` takes a Create call that succeeded for one that
    /// made something new.
    pub fn view(&self, id: &ResourceId, second: i64, assume: bool) -> View {
        let exists = match self.content(&Atom::Existence(id.clone()), second) {
            Ok(content) => Ok(matches!(content, Content::There(_))),
            Err(reason) => Err(reason),
        };
        let shell = self.shells.get(id);
        let mut state = shell.map_or_else(|| bare(id), |shell| emptied(shell.clone()));
        let mut parts = BTreeMap::new();
        let mut assumed = false;
        for element in self.elements(id) {
            let told = self.content(&Atom::Part(id.clone(), element.clone()), second);
            let told = match told {
                Ok(Content::There(thing)) => {
                    put(&mut state, shell, element, thing);
                    Ok(true)
                }
                Ok(Content::Absent | Content::NoResource) => Ok(false),
                Err(Reason::PerhapsThere) if assume => {
                    assumed = true;
                    Ok(false)
                }
                Err(reason) => Err(reason),
            };
            parts.insert(element.clone(), told);
        }
        self.settle(&mut state, second, &mut parts);
        View {
            rest: self.content(&Atom::Rest(id.clone()), second).err(),
            state: (exists != Ok(false)).then_some(state),
            has_vpc: shell.is_some_and(|shell| shell.vpc().is_some()),
            has_tags: shell.is_some_and(|shell| shell.tags().is_some()),
            exists,
            parts,
            assumed,
        }
    }

    /// Subnets, and whether it is the main table.
    fn settle(
        &self,
        state: &mut Resource,
        second: i64,
        parts: &mut BTreeMap<Element, Result<bool, Reason>>,
    ) {
        let id = state.id();
        let held = |told: Result<Content, Reason>| {
            told.map(|content| content == Content::There(Thing::HeldBy(id.clone())))
        };
        let subnets = match state {
            Resource::NetworkAcl(acl) => &mut acl.subnets,
            Resource::RouteTable(table) => {
                let main = held(self.content(&Atom::Main(table.vpc.clone()), second));
                table.main = main == Ok(true);
                if main != Err(Reason::NoState) {
                    parts.insert(Element::Main, main);
                }
                &mut table.subnets
            }
            Resource::SecurityGroup(_) => return,
        };
        for subnet in self.places(id.kind()) {
            let told = held(self.content(&Atom::Holder(id.kind(), subnet.clone()), second));
            if told == Ok(true) {
                subnets.insert(subnet.clone());
            }
            parts.insert(Element::Subnet(subnet.clone()), told);
        }
    }
}

/// A resource of which nothing but its id is told.
fn bare(id: &ResourceId) -> Resource {
    match id {
        ResourceId::SecurityGroup(id) => Resource::SecurityGroup(SecurityGroup {
            id: id.clone(),
            name: None,
            description: None,
            vpc: None,
            owner: None,
            tags: None,
            rules: BTreeMap::new(),
        }),
        ResourceId::NetworkAcl(id) => Resource::NetworkAcl(NetworkAcl {
            id: id.clone(),
            vpc: VpcId::from("vpc-untold"),
            owner: None,
            is_default: false,
            tags: Tags::new(),
            entries: BTreeMap::new(),
            subnets: Default::default(),
        }),
        ResourceId::RouteTable(id) => Resource::RouteTable(RouteTable {
            id: id.clone(),
            vpc: VpcId::from("vpc-untold"),
            owner: None,
            tags: Tags::new(),
            main: false,
            routes: BTreeMap::new(),
            subnets: Default::default(),
            gateways: Default::default(),
            propagating: Default::default(),
        }),
    }
}

/// What of a resource no event follows.
fn emptied(mut resource: Resource) -> Resource {
    match &mut resource {
        Resource::SecurityGroup(group) => group.rules.clear(),
        Resource::NetworkAcl(acl) => {
            acl.entries.clear();
            acl.subnets.clear();
        }
        Resource::RouteTable(table) => {
            let propagated = |route: &Route| route.origin == RouteOrigin::Propagated;
            table.routes.retain(|_, route| propagated(route));
            table.subnets.clear();
            table.gateways.clear();
            table.propagating.clear();
        }
    }
    resource
}

fn put(state: &mut Resource, shell: Option<&Resource>, element: &Element, thing: Thing) {
    match (state, element, thing) {
        (Resource::SecurityGroup(group), Element::Rule(rule), _) => {
            group.rules.insert(rule.clone(), RuleDetail::default());
        }
        (Resource::NetworkAcl(acl), Element::Entry(key), Thing::Entry(entry)) => {
            acl.entries.insert(*key, entry);
        }
        (Resource::RouteTable(table), Element::Route(to), Thing::Route(target)) => {
            let of_table = match shell {
                Some(Resource::RouteTable(shell)) => shell
                    .routes
                    .get(to)
                    .is_some_and(|route| route.origin == RouteOrigin::Table),
                _ => false,
            };
            let origin = match of_table || target == RouteTarget::Local {
                true => RouteOrigin::Table,
                false => RouteOrigin::Created,
            };
            // Whether a target was dead then, no event tells.
            let blackhole = false;
            table.routes.insert(
                to.clone(),
                Route {
                    target,
                    origin,
                    blackhole,
                },
            );
        }
        (Resource::RouteTable(table), Element::Propagation(gateway), _) => {
            table.propagating.insert(gateway.clone());
        }
        (Resource::RouteTable(table), Element::Edge(gateway), _) => {
            table.gateways.insert(gateway.clone());
        }
        (_, _, _) => {}
    }
}
