//! All packets that pass from one end to another, as a set (semantics A6, F).

use crate::address::{AddressSet, Family, span_v4, span_v6};
use crate::exactness::{Answer, Exactness, Unknowns};
use crate::network::Network;
use crate::packet_set::PacketSet;
use crate::path::filter::{answerable, readdressed};
use crate::path::{
    Check, ClientRange, Course, Endpoint, Filter, Keyed, Place, Stage, Step, Unresolved, Verdict,
    Way,
};
use crate::pieces::{Coordinate, Pieces};
use crate::route::{Hop, NextHops};
use ipnet::IpNet;
use snapback_model::{RouteTarget, Traffic};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Which end of a course stands for many addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Varying {
    Source,
    Destination,
}

/// Pairs of places that are judged at most; past it the answer is a gap.
pub(super) const MOST_PAIRS: usize = 256;

/// What gets through a course.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passage {
    /// What arrives and is answered.
    pub(crate) passes: PacketSet,
    /// What arrives, answered or not.
    pub(crate) arrives: PacketSet,
}

/// Who stops packets on a course, and which.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub(crate) way: Way,
    pub(crate) stage: Stage,
    pub(crate) at: String,
    pub(crate) words: String,
    pub(crate) packets: PacketSet,
}

impl Stop {
    fn of_fact(step: &Step, left: &PacketSet) -> Self {
        Self {
            way: step.way,
            stage: step.stage,
            at: step.at.clone(),
            words: step.words.clone(),
            packets: left.clone(),
        }
    }

    fn of_filter<'a>(filter: &Filter<'a>, network: &Network<'a>, packets: PacketSet) -> Self {
        let (stage, at) = filter.names(network);
        let words = if stage == Stage::Groups {
            format!("no rule of {at} allows it")
        } else {
            format!("{at} does not let it through")
        };
        Self {
            way: Way::Request,
            stage,
            at,
            words,
            packets,
        }
    }
}

/// In place of a stretch: no reply comes back at all.
const NO_REPLY: u8 = u8::MAX;

impl<'a> Network<'a> {
    /// The packets that pass from one end to another, with at least one port of each client range
    /// to which their replies come back (semantics A6). The peer of each packet is its source
    /// address; where the destination is the internet, its destination address.
    ///
    /// An end of several places (an instance, a group, a subnet) counts as any of them.
    ///
    /// # Errors
    /// An end that is not in the snapshot.
    pub fn passes(
        &self,
        source: &Endpoint,
        destination: &Endpoint,
    ) -> Result<Answer<PacketSet>, Unresolved> {
        let mut all = Answer::exact(PacketSet::empty());
        for (from, to) in self.pairs(source, destination)? {
            let answer = match (source, destination) {
                (Endpoint::Internet, _) => self.passes_from_internet(&to, family(from.address())),
                (_, Endpoint::Internet) => self.passes_to_internet(&from, family(to.called())),
                _ => self.passes_between(&from, &to),
            };
            all.value = all.value.union(&answer.value);
            all.exactness.merge(&answer.exactness);
        }
        Ok(all)
    }

    /// The packets that pass from one place to another, by their source address.
    pub fn passes_between(&self, from: &Place<'a>, to: &Place<'a>) -> Answer<PacketSet> {
        let scope = AddressSet::of([IpNet::from(from.address())]);
        let course = self.course(from, to);
        self.let_pass(&course, from, to, Varying::Source, &scope)
    }

    /// The packets from public addresses of a family that reach a place.
    pub(crate) fn passes_from_internet(&self, to: &Place<'a>, family: Family) -> Answer<PacketSet> {
        let mut all = Answer::exact(PacketSet::empty());
        let Place::Inside(spot) = to else { return all };
        for (scope, example) in self.internet_classes(&[spot.subnet], family) {
            let from = Place::Outside(example);
            let course = self.course(&from, to);
            let answer = self.let_pass(&course, &from, to, Varying::Source, &scope);
            all.value = all.value.union(&answer.value);
            all.exactness.merge(&answer.exactness);
        }
        self.add_ambiguities(&mut all.exactness, spot.subnet);
        all
    }

    /// The packets to public addresses of a family that a place gets out.
    pub(crate) fn passes_to_internet(&self, from: &Place<'a>, family: Family) -> Answer<PacketSet> {
        let mut all = Answer::exact(PacketSet::empty());
        let Place::Inside(spot) = from else {
            return all;
        };
        let mut subnets = vec![spot.subnet];
        subnets.extend(self.nat_subnets(spot.subnet));
        for (scope, example) in self.internet_classes(&subnets, family) {
            let to = Place::Outside(example);
            let course = self.course(from, &to);
            let answer = self.let_pass(&course, from, &to, Varying::Destination, &scope);
            all.value = all.value.union(&answer.value);
            all.exactness.merge(&answer.exactness);
        }
        self.add_ambiguities(&mut all.exactness, spot.subnet);
        all
    }

    /// The subnets of the NAT gateways that a subnet's table leads to.
    pub(crate) fn nat_subnets(
        &self,
        subnet: &snapback_model::SubnetId,
    ) -> BTreeSet<&'a snapback_model::SubnetId> {
        let routes = self
            .table_of(subnet)
            .into_iter()
            .flat_map(|table| table.routes.values());
        routes
            .filter(|route| matches!(route.target, RouteTarget::NatGateway(_)))
            .filter_map(|route| self.gateway(route.target.id())?.subnets.first())
            .collect()
    }

    pub(crate) fn add_ambiguities(
        &self,
        exactness: &mut Exactness,
        subnet: &snapback_model::SubnetId,
    ) {
        let hops = self.hops_of(subnet);
        let random = hops.exactness.gaps().filter(|gap| {
            let Unknowns::AmbiguousRoute(network) = &gap.what else {
                return false;
            };
            network.parse::<IpNet>().is_ok_and(|net| {
                !public_part(&AddressSet::of([net]), family(net.addr())).is_empty()
            })
        });
        exactness.extend(random.cloned());
    }

    /// The public addresses of a family but those of a VPC itself, which its own IPv6 networks are:
    /// what all of the internet is, seen from there.
    pub fn internet_of(&self, vpc: Option<&snapback_model::VpcId>, family: Family) -> AddressSet {
        let own = vpc.and_then(|vpc| self.vpc(vpc));
        let own = own.into_iter().flat_map(|vpc| vpc.cidrs.iter().copied());
        AddressSet::internet(family).difference(&AddressSet::of(own))
    }

    /// The internet in parts that some subnets' tables treat alike, each with an address of it.
    pub(crate) fn internet_classes(
        &self,
        subnets: &[&snapback_model::SubnetId],
        family: Family,
    ) -> Vec<(AddressSet, IpAddr)> {
        let hops: Vec<_> = subnets.iter().map(|subnet| self.hops_of(subnet)).collect();
        let tables: Vec<&NextHops> = hops.iter().map(|hops| &hops.value).collect();
        let parts = classes(&tables, family).into_iter();
        let public = parts.map(|part| public_part(&part, family));
        public
            .filter_map(|part| {
                let example = first_address(&part, family)?;
                Some((part, example))
            })
            .collect()
    }

    /// What a course lets pass, for all addresses of a scope at its varying end.
    pub(crate) fn let_pass(
        &self,
        course: &Course<'a>,
        from: &Place<'a>,
        to: &Place<'a>,
        varying: Varying,
        scope: &AddressSet,
    ) -> Answer<PacketSet> {
        let passage = self.passage(course, from, to, varying, scope, None);
        passage.map(|passage| passage.passes)
    }

    /// The same, with what arrives without regard to replies, and who stops the rest where that is
    /// asked.
    pub(crate) fn passage(
        &self,
        course: &Course<'a>,
        from: &Place<'a>,
        to: &Place<'a>,
        varying: Varying,
        scope: &AddressSet,
        mut stops: Option<&mut Vec<Stop>>,
    ) -> Answer<Passage> {
        let everything = PacketSet::of_peers(&Traffic::All, scope);
        let mut value = everything.clone();
        // What passes at most: without the filters of which more may be permitted in truth.
        let mut most = everything.clone();
        let mut exactness = Exactness::exact();
        let mut replies: BTreeMap<u8, (PacketSet, Vec<ClientRange>)> = BTreeMap::new();
        for check in &course.checks {
            let filter = match check {
                Check::Fact(step) if step.verdict == Verdict::Blocked => {
                    if let Some(stops) = stops.as_mut() {
                        stops.push(Stop::of_fact(step, &value));
                    }
                    if step.way == Way::Request {
                        return Answer::exact(Passage::default());
                    }
                    replies.insert(NO_REPLY, (PacketSet::empty(), Vec::new()));
                    continue;
                }
                Check::Fact(step) => {
                    exactness.merge(&step.exactness);
                    continue;
                }
                Check::Filter(filter) => filter,
            };
            let answer = filter.permits(self);
            exactness.merge(&answer.exactness);
            let seen = keyed_set(filter, &answer.value, from, to, varying, scope);
            match &filter.reply {
                Some(client) => {
                    let known = replies.entry(client.stretch);
                    let (known, _) =
                        known.or_insert_with(|| (everything.clone(), client.ranges.clone()));
                    *known = known.intersection(&seen);
                }
                None => {
                    let less = value.intersection(&seen);
                    if let Some(stops) = stops.as_mut() {
                        stops.push(Stop::of_filter(filter, self, value.difference(&less)));
                    }
                    value = less;
                    if !answer.exactness.may_permit_more() {
                        most = most.intersection(&seen);
                    }
                }
            }
        }
        let arrives = value.clone();
        for (set, ranges) in replies.values() {
            let answered = answerable(set, ranges);
            value = value.intersection(&answered);
            most = most.intersection(&answered);
        }
        if most.is_empty() {
            exactness = Exactness::exact();
        }
        let value = Passage {
            passes: value,
            arrives,
        };
        Answer { value, exactness }
    }

    /// The places of both ends that can talk: of one family, the near ones by private addresses.
    pub(super) fn pairs(
        &self,
        source: &Endpoint,
        destination: &Endpoint,
    ) -> Result<Vec<(Place<'a>, Place<'a>)>, Unresolved> {
        let near = self.vpc_near(destination);
        let mut froms = self.places(source, near)?;
        let near = froms.first().and_then(Place::vpc).or(near);
        let tos = self.places(destination, near)?;
        let mut known = BTreeSet::new();
        froms.retain(|from| known.insert((from.address(), from.vpc())));
        let mut pairs = Vec::new();
        for from in &froms {
            for to in &tos {
                let one_family = from.address().is_ipv4() == to.called().is_ipv4();
                let by_public = to.called() != to.address();
                let asked_so = matches!(destination, Endpoint::Address(_));
                let near = from.vpc().is_some() && from.vpc() == to.vpc();
                if one_family && (asked_so || !by_public || !near) && pairs.len() < MOST_PAIRS {
                    pairs.push((*from, *to));
                }
            }
        }
        if pairs.is_empty() {
            return Err(Unresolved(format!(
                "{source} and {destination} have no addresses of one family"
            )));
        }
        Ok(pairs)
    }

    fn vpc_near(&self, endpoint: &Endpoint) -> Option<&'a snapback_model::VpcId> {
        match endpoint {
            Endpoint::Address(_) | Endpoint::Internet => None,
            other => self.places(other, None).ok()?.first()?.vpc(),
        }
    }
}

/// What a filter lets pass, by the address of the varying end.
pub(crate) fn keyed_set(
    filter: &Filter<'_>,
    set: &PacketSet,
    from: &Place<'_>,
    to: &Place<'_>,
    varying: Varying,
    scope: &AddressSet,
) -> PacketSet {
    let fixed = match (filter.keyed, varying) {
        (Keyed::Source, Varying::Source) | (Keyed::Destination, Varying::Destination) => None,
        (Keyed::Source, Varying::Destination) => Some(from.address()),
        (Keyed::Destination, Varying::Source) => Some(to.called()),
        (Keyed::Fixed(address), _) => Some(address),
    };
    match fixed {
        None => set.with_peers(scope),
        Some(address) => readdressed(set, address, scope),
    }
}

fn family(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    }
}

fn public_part(part: &AddressSet, family: Family) -> AddressSet {
    part.intersection(&AddressSet::internet(family))
}

fn first_address(set: &AddressSet, family: Family) -> Option<IpAddr> {
    match family {
        Family::V4 => set
            .v4
            .ranges()
            .next()
            .map(|(low, _)| IpAddr::V4(low.into())),
        Family::V6 => set
            .v6
            .ranges()
            .next()
            .map(|(low, _)| IpAddr::V6(low.into())),
    }
}

/// The addresses of a family in parts for which each of some tables has one answer.
pub(crate) fn classes(tables: &[&NextHops], family: Family) -> Vec<AddressSet> {
    let regions = NextHops::regions(tables);
    let mut hops: Vec<Vec<Hop>> = vec![vec![Hop::Unrouted; tables.len()]];
    let mut v4: Vec<(u32, u32, usize)> = Vec::new();
    let mut v6: Vec<(u128, u128, usize)> = Vec::new();
    for region in &regions {
        let Some(network) = region.destination.as_cidr() else {
            continue;
        };
        let known = hops.iter().position(|known| *known == region.hops);
        let class = known.unwrap_or_else(|| {
            hops.push(region.hops.clone());
            hops.len() - 1
        });
        match network {
            IpNet::V4(net) => {
                let (low, high) = span_v4(net);
                v4.push((low, high, class));
            }
            IpNet::V6(net) => {
                let (low, high) = span_v6(net);
                v6.push((low, high, class));
            }
        }
    }
    let of = |class: usize| match family {
        Family::V4 => AddressSet {
            v4: painted(&v4).map(|here| *here == class),
            ..AddressSet::default()
        },
        Family::V6 => AddressSet {
            v6: painted(&v6).map(|here| *here == class),
            ..AddressSet::default()
        },
    };
    (0..hops.len())
        .map(of)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The class of every point, where spans are nested and an outer one comes before those in it.
fn painted<A: Coordinate>(spans: &[(A, A, usize)]) -> Pieces<A, usize> {
    let mut cuts: Vec<(A, usize)> = Vec::with_capacity(spans.len() * 2);
    let mut open: Vec<(A, usize)> = Vec::new();
    let close = |open: &mut Vec<(A, usize)>, cuts: &mut Vec<(A, usize)>| {
        let Some((high, _)) = open.pop() else { return };
        let around = open.last().map_or(0, |(_, class)| *class);
        cuts.extend(high.next().map(|next| (next, around)));
    };
    for (low, high, class) in spans {
        while open.last().is_some_and(|(end, _)| end < low) {
            close(&mut open, &mut cuts);
        }
        cuts.push((*low, *class));
        open.push((*high, *class));
    }
    while !open.is_empty() {
        close(&mut open, &mut cuts);
    }
    Pieces::from_cuts(cuts)
}
