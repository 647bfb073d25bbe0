//! All that is told of every part, in order of time.

use super::names::Names;
use super::told::{Atom, Cluster, Content, Thing, Told, Touch, clusters, content_before};
use super::touch::{Reader, Touches, Wide, parts};
use super::{Reason, Step};
use crate::change::{Edit, Edits};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What a set of changes and a live state tell of the time between.
pub struct Past {
    lines: BTreeMap<Atom, Line>,
    /// The parts of each resource that anything names.
    elements: BTreeMap<ResourceId, BTreeSet<Element>>,
    /// Subnets whose place anything names.
    places: BTreeSet<(Kind, SubnetId)>,
    /// What nothing changes: names, VPC, and what no event follows: texts, tags, propagated routes.
    pub(super) shells: BTreeMap<ResourceId, Resource>,
    edited: BTreeMap<usize, BTreeSet<ResourceId>>,
    unexplained: BTreeSet<usize>,
}

/// Everything that is told of one part.
struct Line {
    clusters: Vec<Cluster>,
    /// The steps that speak of it, with their seconds, in order.
    speakers: Vec<(i64, usize)>,
}

impl Past {
    /// Gathers everything. `steps` must come from [`super::in_order`].
    pub fn of(steps: &[Step], live: Option<&Snapshot>) -> Self {
        let names = Names::of(steps, live);
        let mut touches = Touches::default();
        let shells = shells(steps, live);
        for (index, step) in steps.iter().enumerate() {
            let mut reader = Reader {
                touches: &mut touches,
                names: &names,
                shells: &shells,
                live,
                index,
                step,
            };
            reader.read();
        }
        if let Some(live) = live {
            Ending { live, steps }.tell(&mut touches);
        }
        Self::gathered(touches, shells)
    }

    fn gathered(touches: Touches, shells: BTreeMap<ResourceId, Resource>) -> Self {
        let Touches {
            mut single,
            wide,
            edited,
            unexplained,
        } = touches;
        let mut elements: BTreeMap<ResourceId, BTreeSet<Element>> = BTreeMap::new();
        let mut places = BTreeSet::new();
        let mut atoms: BTreeSet<Atom> = single.keys().cloned().collect();
        for resources in edited.values() {
            for id in resources {
                elements.entry(id.clone()).or_default();
                atoms.insert(Atom::Rest(id.clone()));
            }
        }
        for covered in wide.keys() {
            if let Wide::Resource(id) = covered {
                elements.entry(id.clone()).or_default();
                atoms.insert(Atom::Rest(id.clone()));
            }
        }
        for atom in single.keys() {
            match atom {
                Atom::Part(id, element) => {
                    elements
                        .entry(id.clone())
                        .or_default()
                        .insert(element.clone());
                }
                Atom::Holder(kind, subnet) => {
                    places.insert((*kind, subnet.clone()));
                }
                Atom::Existence(_) | Atom::Rest(_) | Atom::Main(_) => {}
            }
        }
        let mut lines = BTreeMap::new();
        for atom in atoms {
            let mut said = single.remove(&atom).unwrap_or_default();
            let spoken: BTreeSet<Option<usize>> = said.iter().map(|touch| touch.step).collect();
            for covered in covering(&atom) {
                let wide = wide.get(&covered).into_iter().flatten();
                said.extend(wide.filter(|touch| !spoken.contains(&touch.step)).cloned());
            }
            let mut speakers: Vec<(i64, usize)> = said
                .iter()
                .filter_map(|touch| Some((touch.second, touch.step?)))
                .collect();
            speakers.sort_unstable();
            speakers.dedup();
            let clusters = clusters(said);
            lines.insert(atom, Line { clusters, speakers });
        }
        Self {
            lines,
            elements,
            places,
            shells,
            edited,
            unexplained,
        }
    }

    pub(super) fn content(&self, atom: &Atom, second: i64) -> Result<Content, Reason> {
        let line = self.lines.get(atom);
        content_before(line.map_or(&[], |line| line.clusters.as_slice()), second)
    }

    /// The steps that speak of a part in a second.
    pub(super) fn speakers(&self, atom: &Atom, second: i64) -> impl Iterator<Item = usize> + '_ {
        let all = self.lines.get(atom).map_or(&[][..], |line| &line.speakers);
        let from = all.partition_point(|(at, _)| *at < second);
        let later = all.iter().skip(from);
        later
            .take_while(move |(at, _)| *at == second)
            .map(|(_, step)| *step)
    }

    pub(super) fn elements(&self, id: &ResourceId) -> impl Iterator<Item = &Element> {
        self.elements.get(id).into_iter().flatten()
    }

    /// The subnets whose place in ACLs or tables anything names.
    pub(super) fn places(&self, kind: Kind) -> impl Iterator<Item = &SubnetId> {
        let places = self.places.iter();
        places.filter_map(move |(of, subnet)| (*of == kind).then_some(subnet))
    }

    /// The resources that a step edits.
    pub fn edited(&self, step: usize) -> impl Iterator<Item = &ResourceId> {
        self.edited.get(&step).into_iter().flatten()
    }

    /// Whether an id or name that a step uses stays unexplained.
    pub(super) fn is_unexplained(&self, step: usize) -> bool {
        self.unexplained.contains(&step)
    }
}

/// Each resource as it was told last: live, else at its birth.
fn shells(steps: &[Step], live: Option<&Snapshot>) -> BTreeMap<ResourceId, Resource> {
    let mut shells = BTreeMap::new();
    for step in steps {
        if let Edits::Known(edits) = &step.change.edits {
            shells.extend(edits.iter().filter_map(|edit| match edit {
                Edit::Created { resource } => Some((resource.id(), Resource::clone(resource))),
                _ => None,
            }));
        }
    }
    shells.extend(live.into_iter().flat_map(|live| live.resources.clone()));
    shells
}

/// The wide words that cover a part.
fn covering(atom: &Atom) -> Vec<Wide> {
    match atom {
        Atom::Existence(_) => Vec::new(),
        Atom::Rest(id) => vec![Wide::Resource(id.clone())],
        Atom::Part(id, element) => {
            let mut wide = vec![Wide::Resource(id.clone())];
            match (id, element) {
                (ResourceId::RouteTable(table), Element::Route(Destination::PrefixList(_))) => {
                    wide.extend([Wide::EndpointRoutes(table.clone()), Wide::AllEndpointRoutes]);
                }
                (_, Element::Edge(_)) => wide.push(Wide::Holders(Kind::RouteTable)),
                _ => {}
            }
            wide
        }
        Atom::Holder(kind, _) => vec![Wide::Holders(*kind)],
        Atom::Main(_) => vec![Wide::Holders(Kind::RouteTable)],
    }
}

/// The live state as the last word.
struct Ending<'a> {
    live: &'a Snapshot,
    steps: &'a [Step],
}

impl Ending<'_> {
    fn tell(&self, touches: &mut Touches) {
        let second = self.live.observed_at.as_second();
        let word = |content: Content| Touch {
            second,
            step: None,
            before: Told::Known(content.clone()),
            after: Told::Known(content),
        };
        let there = |thing: Thing| word(Content::There(thing));
        for (id, resource) in &self.live.resources {
            let mut say = |atom, touch| touches.single.entry(atom).or_default().push(touch);
            say(Atom::Existence(id.clone()), there(Thing::Set));
            for (element, thing) in parts(resource) {
                say(Atom::Part(id.clone(), element), there(thing));
            }
            let wide = Wide::Resource(id.clone());
            touches
                .wide
                .entry(wide)
                .or_default()
                .push(word(Content::Absent));
        }
        for id in self.missing(touches) {
            let existence = touches.single.entry(Atom::Existence(id.clone()));
            existence.or_default().push(word(Content::NoResource));
            let wide = touches.wide.entry(Wide::Resource(id));
            wide.or_default().push(word(Content::NoResource));
        }
        let atoms: BTreeSet<Atom> = touches.single.keys().cloned().collect();
        let places = atoms
            .into_iter()
            .chain(self.live.topology.subnets.keys().flat_map(|subnet| {
                [Kind::NetworkAcl, Kind::RouteTable].map(|kind| Atom::Holder(kind, subnet.clone()))
            }));
        let places: BTreeSet<Atom> = places.chain(self.held()).collect();
        for atom in places {
            if let Some(content) = self.place(&atom) {
                touches.single.entry(atom).or_default().push(word(content));
            }
        }
    }

    /// Resources that steps edit and that live would show if they existed.
    fn missing(&self, touches: &Touches) -> BTreeSet<ResourceId> {
        let regions: BTreeSet<&Region> =
            self.steps.iter().map(|step| &step.change.region).collect();
        let mut missing = BTreeSet::new();
        for (index, resources) in &touches.edited {
            let Some(step) = self.steps.get(*index) else {
                continue;
            };
            let here = match &self.live.region {
                Some(region) => *region == step.change.region,
                None => regions.len() == 1,
            };
            let ours = match (&self.live.account, &step.change.account) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            };
            if here && ours {
                missing.extend(
                    resources
                        .iter()
                        .filter(|id| !self.live.resources.contains_key(id))
                        .filter(|id| self.live.covers(id, None))
                        .cloned(),
                );
            }
        }
        missing
    }

    /// Every place that live shows.
    fn held(&self) -> Vec<Atom> {
        let mut held = Vec::new();
        for resource in self.live.resources.values() {
            match resource {
                Resource::NetworkAcl(acl) => held.extend(
                    acl.subnets
                        .iter()
                        .map(|subnet| Atom::Holder(Kind::NetworkAcl, subnet.clone())),
                ),
                Resource::RouteTable(table) => {
                    held.extend(
                        table
                            .subnets
                            .iter()
                            .map(|subnet| Atom::Holder(Kind::RouteTable, subnet.clone())),
                    );
                    if table.main {
                        held.push(Atom::Main(table.vpc.clone()));
                    }
                }
                Resource::SecurityGroup(_) => {}
            }
        }
        held
    }

    fn place(&self, atom: &Atom) -> Option<Content> {
        let all = |kind| self.live.coverage.contains(&Coverage::Kind(kind));
        let found = match atom {
            Atom::Holder(Kind::NetworkAcl, subnet) => {
                self.live.acl_of(subnet).cloned().map(ResourceId::from)
            }
            Atom::Holder(Kind::RouteTable, subnet) => self
                .live
                .explicit_table_of(subnet)
                .cloned()
                .map(ResourceId::from),
            Atom::Main(vpc) => self.live.main_table_of(vpc).cloned().map(ResourceId::from),
            _ => return None,
        };
        match (found, atom) {
            (Some(holder), _) => Some(Content::There(Thing::HeldBy(holder))),
            // Absence proves something only where all were read; and of a subnet that live knows.
            (None, Atom::Holder(kind, subnet)) => (all(*kind)
                && self.live.topology.subnets.contains_key(subnet))
            .then_some(Content::Absent),
            (None, _) => None,
        }
    }
}
