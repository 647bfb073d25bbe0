//! Every state on the way of a plan, held against both ends for whoever sends packets: a group, an
//! interface by all its groups, a subnet by its ACL, an interface behind that ACL, and whoever a table
//! leads. Twice: by sampled packets through the naive evaluator, and by the packet algebra. Nothing
//! here asks the planner.

use super::packets::Packets;
use super::seen::{Bounds, Led, Seen};
use super::world::EDGES;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// The resources of a state.
pub(super) type Held<'a> = BTreeMap<&'a ResourceId, &'a Resource>;

/// A subject that packets pass or are led by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Interfaces with these groups, or one group by itself.
    Groups(BTreeSet<SecurityGroupId>),
    Subnet(SubnetId),
    /// Interfaces with these groups behind the ACL of their subnet.
    Behind(BTreeSet<SecurityGroupId>, SubnetId),
    /// Who is led by a table: a subnet, a gateway, and subnets that were not read.
    Traveller(AssociationSubject),
}

/// The resources that decide for a subject, in one state.
type Deciders<'a> = Vec<&'a Resource>;

/// The three states that are compared, but for the one in between.
pub(super) struct Ends<'a> {
    pub(super) live: &'a Snapshot,
    /// As the plan wants it.
    pub(super) goal: &'a BTreeMap<ResourceId, Resource>,
    /// As the plan leaves it.
    pub(super) end: &'a Snapshot,
}

/// What is known of both ends, and what was judged last.
pub(super) struct Prefixes<'a> {
    ends: Ends<'a>,
    subjects: Vec<Who>,
    judged: BTreeMap<usize, Deciders<'a>>,
    bounds: BTreeMap<usize, Bounds>,
    led: BTreeMap<usize, [Led; 2]>,
    seen: Seen<'a>,
    /// Packets and addresses that were judged by the naive evaluator.
    pub(super) packets: u64,
    /// Packet sets and next hops that were compared by the algebra.
    pub(super) sets: u64,
}

impl<'a> Prefixes<'a> {
    pub(super) fn new(ends: Ends<'a>, packets: &'a Packets) -> Self {
        let live = ends.live;
        let mut subjects: BTreeSet<Who> = BTreeSet::new();
        for id in live.resources.keys() {
            if let ResourceId::SecurityGroup(id) = id {
                subjects.insert(Who::Groups(BTreeSet::from([id.clone()])));
            }
        }
        for interface in live.topology.interfaces.values() {
            let groups = interface.groups.clone();
            subjects.insert(Who::Groups(groups.clone()));
            subjects.insert(Who::Behind(groups, interface.subnet.clone()));
        }
        for subnet in live.topology.subnets.keys() {
            subjects.insert(Who::Subnet(subnet.clone()));
            let subject = AssociationSubject::Subnet(subnet.clone());
            subjects.insert(Who::Traveller(subject));
        }
        for edge in EDGES {
            let subject = AssociationSubject::Gateway(edge.into());
            subjects.insert(Who::Traveller(subject));
        }
        for vpc in live.topology.vpcs.keys() {
            let subject = AssociationSubject::Main(vpc.clone());
            subjects.insert(Who::Traveller(subject));
        }
        Self {
            subjects: subjects.into_iter().collect(),
            judged: BTreeMap::new(),
            bounds: BTreeMap::new(),
            led: BTreeMap::new(),
            seen: Seen::new(&live.topology, packets),
            ends,
            packets: 0,
            sets: 0,
        }
    }

    /// Judges a state: what changed since the last one that was judged.
    ///
    /// # Errors
    /// What is cut, opened or led astray.
    pub(super) fn hold(&mut self, now: &Held<'a>) -> Result<(), String> {
        for index in 0..self.subjects.len() {
            let who = self.subjects[index].clone();
            let deciders = self.deciders(&who, now)?;
            let same = |known: &Deciders<'a>| {
                known.len() == deciders.len()
                    && known
                        .iter()
                        .zip(&deciders)
                        .all(|(one, other)| std::ptr::eq(*one, *other))
            };
            if self.judged.get(&index).is_some_and(same) {
                continue;
            }
            match &who {
                Who::Traveller(_) => self.lead(index, &who, &deciders)?,
                _ => self.pass(index, &who, &deciders)?,
            }
            self.judged.insert(index, deciders);
        }
        Ok(())
    }

    fn deciders(&self, who: &Who, now: &Held<'a>) -> Result<Deciders<'a>, String> {
        let of = |id: ResourceId| now.get(&id).copied();
        let groups = |ids: &BTreeSet<SecurityGroupId>| -> Deciders<'a> {
            ids.iter().filter_map(|id| of(id.clone().into())).collect()
        };
        let acl = |subnet: &SubnetId| {
            let holder = now.values().find(|held| guards(held, subnet)).copied();
            holder.ok_or_else(|| format!("{subnet} is in no ACL"))
        };
        Ok(match who {
            Who::Groups(ids) => groups(ids),
            Who::Subnet(subnet) => vec![acl(subnet)?],
            Who::Behind(ids, subnet) => {
                let mut all = groups(ids);
                all.push(acl(subnet)?);
                all
            }
            Who::Traveller(subject) => self
                .leader(subject, now.values().copied())
                .into_iter()
                .collect(),
        })
    }

    fn leader<'r>(
        &self,
        subject: &AssociationSubject,
        mut resources: impl Iterator<Item = &'r Resource> + Clone,
    ) -> Option<&'r Resource> {
        let main = |vpc: &VpcId| AssociationSubject::Main(vpc.clone());
        let own = resources.clone().find(|held| leads(held, subject));
        own.or_else(|| match subject {
            AssociationSubject::Subnet(subnet) => {
                let vpc = &self.ends.live.topology.subnets.get(subnet)?.vpc;
                resources.find(|held| leads(held, &main(vpc)))
            }
            AssociationSubject::Gateway(_) | AssociationSubject::Main(_) => None,
        })
    }

    /// What decides for a subject in live and at the goal.
    fn at_the_ends(&self, who: &Who) -> Result<[Deciders<'a>; 2], String> {
        let (live, goal) = (self.ends.live, self.ends.goal);
        let before: Held<'a> = live.resources.iter().collect();
        let mut after = before.clone();
        after.extend(goal);
        // A subnet that no goal claims stays with its ACL.
        if let Who::Subnet(subnet) | Who::Behind(_, subnet) = who
            && let Some(claimed) = goal.values().find(|held| guards(held, subnet))
        {
            after.retain(|_, held| !guards(held, subnet) || std::ptr::eq(*held, claimed));
        } else if let Who::Subnet(subnet) | Who::Behind(_, subnet) = who {
            let mut deciders = self.deciders(who, &before)?;
            let acl = deciders
                .pop()
                .ok_or_else(|| format!("{subnet} is in no ACL"))?;
            let mut then = match who {
                Who::Behind(groups, _) => self.deciders(&Who::Groups(groups.clone()), &after)?,
                _ => Vec::new(),
            };
            then.push(goal.get(&acl.id()).unwrap_or(acl));
            deciders.push(acl);
            return Ok([deciders, then]);
        }
        Ok([self.deciders(who, &before)?, self.deciders(who, &after)?])
    }

    fn pass(&mut self, index: usize, who: &Who, now: &[&'a Resource]) -> Result<(), String> {
        let behind = matches!(who, Who::Behind(..));
        if !self.bounds.contains_key(&index) {
            let [before, after] = self.at_the_ends(who)?;
            let ends = [before, after].map(|deciders| self.seen.passing(&deciders, behind));
            self.bounds.insert(index, Bounds::of(&ends));
        }
        let now = self.seen.passing(now, behind);
        let Some(bounds) = self.bounds.get(&index) else {
            return Ok(());
        };
        self.packets += 2 * self.seen.flows().len() as u64;
        self.sets += 2;
        bounds
            .hold(&now, self.seen.flows())
            .map_err(|what| format!("{who:?}: {what}"))
    }

    fn lead(&mut self, index: usize, who: &Who, now: &[&'a Resource]) -> Result<(), String> {
        let Who::Traveller(subject) = who else {
            return Ok(());
        };
        if !self.led.contains_key(&index) {
            let (live, end) = (self.ends.live, self.ends.end);
            let of = |state: &'a Snapshot| self.leader(subject, state.resources.values());
            let ends = [of(live), of(end)].map(|table| self.seen.led(table));
            self.led.insert(index, ends);
        }
        let Some([before, after]) = self.led.get(&index) else {
            return Ok(());
        };
        let now = self.seen.led(now.first().copied());
        self.sets += 1;
        for ((address, now), (before, after)) in self
            .seen
            .addresses()
            .iter()
            .zip(now.sampled.iter())
            .zip(before.sampled.iter().zip(after.sampled.iter()))
        {
            self.packets += 1;
            if now != before && now != after {
                return Err(format!(
                    "{subject}: {address} is led to {now:?}, neither {before:?} nor {after:?}"
                ));
            }
        }
        match now.hops.strays_from(&before.hops, &after.hops) {
            Some(strayed) => Err(format!("algebra: {subject}: {strayed} is led astray")),
            None => Ok(()),
        }
    }
}

fn guards(held: &Resource, subnet: &SubnetId) -> bool {
    matches!(held, Resource::NetworkAcl(acl) if acl.subnets.contains(subnet))
}

fn leads(held: &Resource, subject: &AssociationSubject) -> bool {
    let Resource::RouteTable(table) = held else {
        return false;
    };
    match subject {
        AssociationSubject::Subnet(subnet) => table.subnets.contains(subnet),
        AssociationSubject::Gateway(gateway) => table.gateways.contains(gateway),
        AssociationSubject::Main(vpc) => table.main && table.vpc == *vpc,
    }
}
