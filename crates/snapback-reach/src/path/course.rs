//! The course of a packet between two places: everything that has a say, in order, there and back
//! (semantics A6).

use crate::address::{AddressSet, Family};
use crate::exactness::{Errs, Exactness, Gap, Unknowns};
use crate::network::Network;
use crate::path::gateway::Leg;
use crate::path::place::Spot;
use crate::path::service::{Service, is_never_forwarded};
use crate::path::{Client, Filter, Keyed, Place, Stage, Step, Verdict, Way, What};
use crate::route::{Hop, NextHops};
use crate::shadow::deciding_route;
use ipnet::IpNet;
use snapback_model::{
    ContextKind, Destination, Direction, RouteTable, RouteTarget, SubnetId, VpcId,
};
use std::net::IpAddr;

/// One thing that has a say.
#[derive(Debug, Clone)]
pub(crate) enum Check<'a> {
    /// Decided by where the packet goes, whatever it carries.
    Fact(Step),
    /// Looks at the packet.
    Filter(Filter<'a>),
}

/// Everything that has a say, in order. Past a fact that blocks there may be nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Course<'a> {
    pub(crate) checks: Vec<Check<'a>>,
}

impl<'a> Course<'a> {
    pub(super) fn fact(&mut self, step: Step) {
        self.checks.push(Check::Fact(step));
    }

    pub(super) fn request(&mut self, what: What<'a>, keyed: Keyed) {
        self.checks
            .push(Check::Filter(Filter::request(what, keyed)));
    }

    pub(super) fn reply(
        &mut self,
        subnet: &'a SubnetId,
        direction: Direction,
        keyed: Keyed,
        client: &Client,
    ) {
        self.checks.push(Check::Filter(Filter {
            what: What::Acl(subnet, direction),
            keyed,
            reply: Some(client.clone()),
        }));
    }

    /// Groups, or that nobody's groups are asked.
    pub(super) fn groups(&mut self, spot: &Spot<'a>, direction: Direction, keyed: Keyed) {
        match spot.interface {
            Some(interface) => self.request(What::Groups(interface, direction), keyed),
            None => self.fact(Step::new(
                Way::Request,
                Stage::Groups,
                spot.subnet.as_str(),
                Verdict::Passes,
                format!(
                    "groups are not asked: no interface of {} was named",
                    spot.subnet
                ),
            )),
        }
    }
}

/// That something is not known, as a step.
pub(super) fn unknown(way: Way, stage: Stage, at: &str, what: Unknowns, words: String) -> Step {
    Step {
        exactness: Exactness::gap(Gap::new(what, Errs::MayPermitLess, words.clone())),
        ..Step::new(way, stage, at, Verdict::Unknown, words)
    }
}

/// Whether an address can be a host on the internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    AddressSet::internet(family_of(address)).contains(address)
}

pub(crate) fn family_of(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    }
}

impl<'a> Network<'a> {
    /// The course of a packet from one place to another.
    pub(crate) fn course(&self, from: &Place<'a>, to: &Place<'a>) -> Course<'a> {
        let mut course = Course::default();
        match (from, to) {
            (Place::Inside(from), to) => self.inside_out(&mut course, from, to),
            (Place::Outside(source), Place::Inside(to)) => {
                self.outside_in(&mut course, *source, to);
            }
            (Place::Outside(_), Place::Outside(destination)) => course.fact(Step::new(
                Way::Request,
                Stage::Address,
                destination.to_string(),
                Verdict::Blocked,
                "neither end is in a subnet of the state",
            )),
        }
        course
    }

    fn inside_out(&self, course: &mut Course<'a>, from: &Spot<'a>, to: &Place<'a>) {
        let called = to.called();
        if let Some(service) = Service::at(self, from.vpc, called) {
            return course.fact(Step::new(
                Way::Request,
                Stage::Service,
                called.to_string(),
                Verdict::Passes,
                format!("{service}: neither groups nor ACLs filter it"),
            ));
        }
        if let Place::Inside(to) = to
            && from.interface.is_some()
            && from.interface == to.interface
        {
            return course.fact(Step::new(
                Way::Request,
                Stage::Address,
                called.to_string(),
                Verdict::Passes,
                "it does not leave its interface",
            ));
        }
        course.groups(from, Direction::Egress, Keyed::Destination);
        if let Place::Inside(to) = to
            && from.subnet == to.subnet
            && to.called == to.address
        {
            self.host(course, to);
            return course.groups(to, Direction::Ingress, Keyed::Source);
        }
        course.request(
            What::Acl(from.subnet, Direction::Egress),
            Keyed::Destination,
        );
        self.leave(course, from, to);
    }

    /// From the subnet's edge on: the route and where it leads.
    fn leave(&self, course: &mut Course<'a>, from: &Spot<'a>, to: &Place<'a>) {
        let (step, hop) = self.route_step(Way::Request, from.vpc, from.subnet, to.called());
        course.fact(step);
        let Some(target) = hop else { return };
        match (self.leg(from.vpc, &target, to.called(), to.vpc()), to) {
            (Leg::Within(step), Place::Inside(to)) => {
                course.checks.extend(step.map(Check::Fact));
                self.arrive(course, from, to);
            }
            (Leg::Within(step), Place::Outside(address)) => {
                course.checks.extend(step.map(Check::Fact));
                course.fact(self.no_subnet(from.vpc, *address));
            }
            (Leg::Beyond(step), Place::Inside(to)) => {
                course.fact(step);
                self.arrive(course, from, to);
            }
            (Leg::Beyond(step), Place::Outside(_)) => {
                course.fact(step);
                course.reply(
                    from.subnet,
                    Direction::Ingress,
                    Keyed::Destination,
                    &from.client(),
                );
            }
            (Leg::Dropped(step), _) => course.fact(step),
            (Leg::Internet, _) => self.to_internet(course, from, to, &target),
        }
    }

    /// Into the destination's subnet by a private network, and the reply back.
    fn arrive(&self, course: &mut Course<'a>, from: &Spot<'a>, to: &Spot<'a>) {
        course.request(What::Acl(to.subnet, Direction::Ingress), Keyed::Source);
        self.host(course, to);
        course.groups(to, Direction::Ingress, Keyed::Source);
        let client = from.client();
        course.reply(to.subnet, Direction::Egress, Keyed::Source, &client);
        let (step, hop) = self.route_step(Way::Reply, to.vpc, to.subnet, from.address);
        course.fact(step);
        if let Some(target) = hop {
            match self.leg(to.vpc, &target, from.address, Some(from.vpc)) {
                Leg::Within(step) => course
                    .checks
                    .extend(step.map(|step| Check::Fact(on_reply(step)))),
                Leg::Beyond(step) | Leg::Dropped(step) => course.fact(on_reply(step)),
                Leg::Internet => course.fact(Step::new(
                    Way::Reply,
                    Stage::Gateway,
                    target.id(),
                    Verdict::Blocked,
                    format!(
                        "{} leads to the internet, where {} is not",
                        target.id(),
                        from.address
                    ),
                )),
            }
        }
        course.reply(from.subnet, Direction::Ingress, Keyed::Destination, &client);
    }

    /// Whether anybody has the destination's address.
    pub(super) fn host(&self, course: &mut Course<'a>, to: &Spot<'a>) {
        let named = to.interface.is_some() || !self.interfaces_at(to.address).is_empty();
        if named || to.called != to.address {
            return;
        }
        course.fact(
            match self.unread(ContextKind::Interfaces, Errs::MayPermitLess) {
                Some(gap) => unknown(
                    Way::Request,
                    Stage::Address,
                    &to.address.to_string(),
                    gap.what,
                    format!(
                        "whether an interface has {} is not known: {}",
                        to.address, gap.words
                    ),
                ),
                None => Step::new(
                    Way::Request,
                    Stage::Address,
                    to.address.to_string(),
                    Verdict::Blocked,
                    format!("no interface has {}", to.address),
                ),
            },
        );
    }

    fn no_subnet(&self, vpc: &VpcId, address: IpAddr) -> Step {
        match self.unread(ContextKind::Subnets, Errs::MayPermitLess) {
            Some(gap) => unknown(
                Way::Request,
                Stage::Address,
                vpc.as_str(),
                gap.what,
                format!(
                    "which subnet of {vpc} has {address} is not known: {}",
                    gap.words
                ),
            ),
            None => Step::new(
                Way::Request,
                Stage::Address,
                vpc.as_str(),
                Verdict::Blocked,
                format!("no subnet of {vpc} has {address}"),
            ),
        }
    }

    /// Which route of a subnet's table decides for an address, and where it leads: `None` where
    /// nowhere.
    pub(super) fn route_step(
        &self,
        way: Way,
        vpc: &VpcId,
        subnet: &SubnetId,
        address: IpAddr,
    ) -> (Step, Option<RouteTarget>) {
        let hops = self.hops_of(subnet);
        let Some(table) = self.table_of(subnet) else {
            let words = format!("the route table of {subnet} in {vpc} was not read");
            let what = Unknowns::Table(subnet.clone());
            return (
                unknown(way, Stage::Route, subnet.as_str(), what, words),
                None,
            );
        };
        let too_large = |gap: &&Gap| matches!(gap.what, Unknowns::Size(_));
        if let Some(gap) = hops.exactness.gaps().find(too_large) {
            let words = gap.words.clone();
            let step = unknown(
                way,
                Stage::Route,
                table.id.as_str(),
                gap.what.clone(),
                words,
            );
            return (step, None);
        }
        let hop = hops.value.at(address);
        let deciding = self.deciding(table, address);
        let rule = deciding.as_ref().map(|(destination, _)| match hop {
            Hop::To(target) | Hop::Blackhole(target) => format!("{destination} -> {target}"),
            Hop::Unrouted => destination.to_string(),
        });
        let named = rule.clone().unwrap_or_default();
        let step = |verdict, words| Step {
            rule: rule.clone(),
            ..Step::new(way, Stage::Route, table.id.as_str(), verdict, words)
        };
        if is_never_forwarded(address) {
            let words = format!("{address} is never forwarded by a route table");
            return (step(Verdict::Blocked, words), None);
        }
        let unsure = Self::unsure_route(&hops.value, table, address, deciding.map(|(_, net)| net));
        if let Some(gap) = unsure {
            let words = gap.words.clone();
            let step = Step {
                exactness: Exactness::gap(gap),
                ..step(Verdict::Unknown, words)
            };
            return (step, hop.delivers().cloned());
        }
        match hop {
            Hop::Unrouted => (
                step(
                    Verdict::Blocked,
                    format!("{} has no route to {address}", table.id),
                ),
                None,
            ),
            Hop::Blackhole(_) => (
                step(
                    Verdict::Blocked,
                    format!("{} drops it: {named} is a blackhole", table.id),
                ),
                None,
            ),
            Hop::To(target) => (
                step(Verdict::Passes, format!("{} routes it: {named}", table.id)),
                Some(target.clone()),
            ),
        }
    }

    /// Why the hop of an address may be another than the map says: prefix lists with unread entries,
    /// lists that overlap.
    fn unsure_route(
        hops: &NextHops,
        table: &RouteTable,
        address: IpAddr,
        network: Option<IpNet>,
    ) -> Option<Gap> {
        let hop = hops.at(address);
        let list = hops.unread().iter().find(|(_, of_list)| {
            // Lists of AWS services hold public addresses only.
            let of_service = matches!(
                of_list,
                Hop::To(RouteTarget::GatewayEndpoint(_))
                    | Hop::Blackhole(RouteTarget::GatewayEndpoint(_))
            );
            of_list.delivers() != hop.delivers() && (!of_service || is_public(address))
        });
        if let Some((id, _)) = list {
            return Some(Gap::new(
                Unknowns::PrefixList(id.clone()),
                Errs::Either,
                format!(
                    "{} routes {id}, whose entries were not read: {address} may be in it",
                    table.id
                ),
            ));
        }
        let network = network.filter(|network| hops.ambiguous().contains_key(network))?;
        Some(Gap::new(
            Unknowns::AmbiguousRoute(network.to_string()),
            Errs::Either,
            format!(
                "{} sends {network} to several targets by prefix lists: AWS picks one",
                table.id
            ),
        ))
    }

    /// The route of a table that decides for an address, with the network by which it does.
    fn deciding(&self, table: &'a RouteTable, address: IpAddr) -> Option<(&'a Destination, IpNet)> {
        let (destination, _) = deciding_route(table, &self.lists, address)?;
        let Destination::PrefixList(id) = destination else {
            return Some((destination, destination.as_cidr()?));
        };
        let entries = self.lists.prefix_lists.get(id)?.entries.iter().flatten();
        let holding = entries.filter(|entry| entry.contains(&address));
        let network = holding.max_by_key(|entry| entry.prefix_len())?;
        Some((destination, network.trunc()))
    }
}

fn on_reply(step: Step) -> Step {
    Step {
        way: Way::Reply,
        ..step
    }
}
