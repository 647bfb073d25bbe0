//! What the internet reaches, and what reaches the internet (semantics A4, A5, A6).
//!
//! - Owns: [`Exposure`], [`Outbound`], and who stops the rest.
//! - Takes: a [`Network`] and an interface.
//! - Gives: exact packet sets, IPv4 and IPv6 judged apart.
//! - Must not: say how bad it is.

use crate::address::{AddressSet, Family};
use crate::exactness::{Answer, Exactness};
use crate::network::Network;
use crate::packet_set::PacketSet;
use crate::path::{Place, Spot, Stage, Stop, Varying, Way};
use snapback_model::{NetworkInterface, RouteTarget, SecurityGroupId, SubnetId};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Packets that do not get through, and who stops them first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Of which family.
    pub family: Family,
    /// Whether the request is stopped or only its reply.
    pub way: Way,
    /// What decides.
    pub stage: Stage,
    /// The element by its AWS id: groups, an ACL, a table, a gateway; the subnet for what the
    /// interface itself lacks.
    pub at: String,
    /// Why, in words.
    pub words: String,
    /// The packets that get so far and no further.
    pub packets: PacketSet,
}

/// What reaches an interface from public addresses. The VPC's own IPv6 networks are no part of the
/// internet here: see [`Network::internet_of`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// The packets that arrive and whose replies get out to some port of 1024–65535.
    pub reaches: PacketSet,
    /// The packets that arrive, whether their replies get out or not: for what needs none.
    pub arrives: PacketSet,
    /// What does not reach it, by who stops it first.
    pub stopped: Vec<Stopped>,
}

/// One way out to the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The target of the route: an internet gateway, a NAT gateway, an egress-only internet gateway,
    /// or what leads further than is known (then there is a gap).
    pub by: RouteTarget,
    /// The packets to public addresses that get out there and whose replies come back.
    pub packets: PacketSet,
}

/// What gets out of an interface to public addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    /// The ways out.
    pub exits: Vec<Exit>,
    /// What does not get out, by who stops it first.
    pub stopped: Vec<Stopped>,
}

impl Outbound {
    /// All that gets out.
    pub fn packets(&self) -> PacketSet {
        let empty = PacketSet::empty();
        self.exits
            .iter()
            .fold(empty, |sum, exit| sum.union(&exit.packets))
    }
}

/// What interfaces have in common that are exposed alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Likeness<'a> {
    subnet: &'a SubnetId,
    groups: &'a BTreeSet<SecurityGroupId>,
    kind: Option<&'a str>,
    v4: Option<bool>,
    v6: Option<bool>,
    /// Where which private address is public was not told: alone.
    alone: Option<&'a str>,
}

impl<'a> Likeness<'a> {
    fn of(interface: &'a NetworkInterface) -> Self {
        let v4 = interface
            .addresses
            .iter()
            .filter(|one| one.is_ipv4())
            .count();
        let public = interface.public_addresses.len();
        let mut v6 = interface
            .addresses
            .iter()
            .filter(|one| one.is_ipv6())
            .peekable();
        let has_v6 = v6.peek().is_some();
        Self {
            subnet: &interface.subnet,
            groups: &interface.groups,
            kind: interface
                .kind
                .as_deref()
                .filter(|_| interface.groups.is_empty()),
            v4: (v4 > 0).then_some(public > 0),
            v6: has_v6.then(|| v6.any(|one| crate::path::is_public(*one))),
            alone: ((public > 0 && v4 > public) || interface.groups.is_empty())
                .then(|| interface.id.as_str()),
        }
    }
}

impl<'a> Network<'a> {
    /// What reaches an interface from the internet: an internet gateway that is attached, a public
    /// address, block public access, the ACL both ways, the groups, and a route for the replies by
    /// that internet gateway (semantics A4). Computed once for all interfaces of a subnet that carry
    /// the same groups.
    pub fn exposure(&self, interface: &'a NetworkInterface) -> Arc<Answer<Exposure>> {
        let likeness = Likeness::of(interface);
        if let Some(known) = self.exposures.borrow().get(&likeness) {
            return Arc::clone(known);
        }
        let mut all = Answer::exact(Exposure::default());
        for (family, address) in ends(interface) {
            self.expose(&mut all, interface, family, address);
        }
        let all = Arc::new(all);
        self.exposures
            .borrow_mut()
            .insert(likeness, Arc::clone(&all));
        all
    }

    fn expose(
        &self,
        all: &mut Answer<Exposure>,
        interface: &'a NetworkInterface,
        family: Family,
        address: IpAddr,
    ) {
        let to = place(interface, address);
        let mut found = Vec::new();
        let mut exactness = Exactness::exact();
        for (scope, example) in self.internet_classes(&[&interface.subnet], family) {
            let from = Place::Outside(example);
            let course = self.course(&from, &to);
            let mut stops = Vec::new();
            let varying = Varying::Source;
            let passage = self.passage(&course, &from, &to, varying, &scope, Some(&mut stops));
            exactness.merge(&passage.exactness);
            let value = passage.value;
            all.value.reaches = all.value.reaches.union(&value.passes);
            all.value.arrives = all.value.arrives.union(&value.arrives);
            found.extend(stops);
        }
        self.add_ambiguities(&mut exactness, &interface.subnet);
        all.exactness.merge(&exactness);
        let internet = self.internet_of(Some(&interface.vpc), family);
        all.value
            .stopped
            .extend(told(found, family, &internet, &interface.subnet));
        let unanswered = all.value.arrives.difference(&all.value.reaches);
        let unanswered = unanswered.with_peers(&internet);
        let known = all
            .value
            .stopped
            .iter()
            .any(|stop| stop.way == Way::Reply && stop.family == family);
        let unanswered = only(&unanswered, family);
        if !unanswered.is_empty() && !known {
            let acl = self.acl_of(&interface.subnet);
            let at = acl.map_or(interface.subnet.as_str(), |acl| acl.id.as_str());
            all.value.stopped.push(Stopped {
                family,
                way: Way::Reply,
                stage: Stage::Acl,
                at: at.to_owned(),
                words: format!("{at} lets no reply out to ports 1024-65535"),
                packets: unanswered,
            });
        }
    }

    /// What gets out of an interface to the internet, by which target, and what comes back
    /// (semantics A4, A5): directly, by a NAT gateway that is alive, public and routed to an internet
    /// gateway, by an egress-only internet gateway. What is beyond a transit gateway or an appliance
    /// is a gap.
    pub fn outbound(&self, interface: &'a NetworkInterface) -> Answer<Outbound> {
        let mut all = Answer::exact(Outbound::default());
        for (family, address) in ends(interface) {
            let from = place(interface, address);
            let mut subnets = vec![&interface.subnet];
            subnets.extend(self.nat_subnets(&interface.subnet));
            let mut found = Vec::new();
            for (scope, example) in self.internet_classes(&subnets, family) {
                let to = Place::Outside(example);
                let course = self.course(&from, &to);
                let mut stops = Vec::new();
                let varying = Varying::Destination;
                let passage = self.passage(&course, &from, &to, varying, &scope, Some(&mut stops));
                all.exactness.merge(&passage.exactness);
                found.extend(stops);
                let hops = self.hops_of(&interface.subnet);
                let packets = passage.value.passes;
                if let Some(by) = hops.value.at(example).delivers()
                    && !packets.is_empty()
                {
                    all.value.add(by, packets);
                }
            }
            self.add_ambiguities(&mut all.exactness, &interface.subnet);
            let internet = self.internet_of(Some(&interface.vpc), family);
            all.value
                .stopped
                .extend(told(found, family, &internet, &interface.subnet));
        }
        all
    }
}

impl Outbound {
    fn add(&mut self, by: &RouteTarget, packets: PacketSet) {
        match self.exits.iter_mut().find(|exit| exit.by == *by) {
            Some(exit) => exit.packets = exit.packets.union(&packets),
            None => self.exits.push(Exit {
                by: by.clone(),
                packets,
            }),
        }
    }
}

/// One address of each family, a public one where there is one.
fn ends(interface: &NetworkInterface) -> Vec<(Family, IpAddr)> {
    let v4 = interface.addresses.iter().find(|one| one.is_ipv4());
    let v6 = || interface.addresses.iter().filter(|one| one.is_ipv6());
    let public = v6().find(|one| crate::path::is_public(**one));
    let v4 = v4.map(|one| (Family::V4, *one));
    let v6 = public.or_else(|| v6().next()).map(|one| (Family::V6, *one));
    v4.into_iter().chain(v6).collect()
}

fn place(interface: &NetworkInterface, address: IpAddr) -> Place<'_> {
    Place::Inside(Spot {
        vpc: &interface.vpc,
        subnet: &interface.subnet,
        interface: Some(interface),
        address,
        called: address,
    })
}

fn only(packets: &PacketSet, family: Family) -> PacketSet {
    packets.with_peers(&crate::AddressSet::internet(family))
}

/// Stops of several parts of the internet, those of one element together; who stops nothing is left
/// out.
fn told(
    stops: Vec<Stop>,
    family: Family,
    internet: &AddressSet,
    subnet: &SubnetId,
) -> Vec<Stopped> {
    let mut told: Vec<Stopped> = Vec::new();
    for mut stop in stops {
        // Who claims an address of the VPC's own IPv6 networks is not told of as the internet.
        stop.packets = stop.packets.with_peers(internet);
        if stop.packets.is_empty() {
            continue;
        }
        let at = if stop.stage == Stage::Address {
            subnet.as_str().to_owned()
        } else {
            stop.at
        };
        let alike = |known: &&mut Stopped| {
            (known.stage, known.way, known.at.as_str()) == (stop.stage, stop.way, at.as_str())
        };
        match told.iter_mut().find(alike) {
            Some(known) => known.packets = known.packets.union(&stop.packets),
            None => told.push(Stopped {
                family,
                way: stop.way,
                stage: stop.stage,
                at,
                words: stop.words,
                packets: stop.packets,
            }),
        }
    }
    told
}
