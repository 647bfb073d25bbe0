//! Out by a NAT gateway: into its subnet, through it, and on (semantics A5).

use crate::exactness::Unknowns;
use crate::network::Network;
use crate::path::course::{Course, is_public, unknown};
use crate::path::gateway::{Leg, beyond, blocked, passes};
use crate::path::place::Spot;
use crate::path::public_access::{Access, Crossing};
use crate::path::{Client, Keyed, Place, Stage, Step, Verdict, Way, What};
use snapback_model::{
    Connectivity, ContextKind, Direction, Gateway, GatewayKind, RouteTarget, SubnetId,
};
use std::net::IpAddr;

impl<'a> Network<'a> {
    /// By a NAT gateway: into its subnet, through it, and out of its subnet (semantics A5).
    pub(super) fn by_nat(
        &self,
        course: &mut Course<'a>,
        from: &Spot<'a>,
        to: &Place<'a>,
        id: &str,
    ) {
        let nat = match self.existing(id, GatewayKind::Nat) {
            Ok(nat) => nat,
            Err(step) => {
                let stops = step.verdict == Verdict::Blocked;
                course.fact(step);
                if !stops {
                    course.reply(
                        from.subnet,
                        Direction::Ingress,
                        Keyed::Destination,
                        &from.client(),
                    );
                }
                return;
            }
        };
        let regional = nat.nat.as_ref().is_some_and(|detail| detail.regional);
        let subnet = nat
            .subnets
            .first()
            .filter(|_| !regional && !is_nat64(to.called()));
        let step = nat_step(nat, subnet, from, to);
        let stops = step.verdict == Verdict::Blocked;
        course.fact(step);
        if stops {
            return;
        }
        course.request(What::NatProtocols(&nat.id), Keyed::Destination);
        match subnet {
            Some(subnet) => self.through_nat(course, from, to, nat, subnet),
            None => course.reply(
                from.subnet,
                Direction::Ingress,
                Keyed::Destination,
                &from.client(),
            ),
        }
    }

    fn through_nat(
        &self,
        course: &mut Course<'a>,
        from: &Spot<'a>,
        to: &Place<'a>,
        nat: &'a Gateway,
        subnet: &'a SubnetId,
    ) {
        let id = nat.id.as_str();
        let called = to.called();
        let crosses = subnet != from.subnet;
        if crosses {
            course.request(What::Acl(subnet, Direction::Ingress), Keyed::Source);
            course.request(What::Acl(subnet, Direction::Egress), Keyed::Destination);
        }
        let (step, hop) = self.route_step(Way::Request, from.vpc, subnet, called);
        course.fact(step);
        match hop {
            None => return,
            Some(RouteTarget::InternetGateway(igw)) => {
                if let Some(step) = not_public(nat) {
                    let stops = step.verdict == Verdict::Blocked;
                    course.fact(step);
                    if stops {
                        return;
                    }
                }
                if !is_public(called) {
                    return course.fact(blocked(
                        &igw,
                        format!("{called} is no address on the internet"),
                    ));
                }
                if !self.nat_gateway_out(course, from, subnet, &igw) {
                    return;
                }
                if let Place::Inside(to) = to {
                    let addresses = &nat.public_addresses;
                    let seen = addresses.first().copied().filter(|_| addresses.len() == 1);
                    self.back_in(course, seen, to, &Client::nat_gateway());
                }
            }
            Some(target) => course.fact(beyond(
                target.id(),
                format!("{id} sends it on to {target}: not followed further"),
            )),
        }
        self.nat_replies(course, from, subnet);
    }

    /// Replies to the NAT gateway, and from it to the sender.
    fn nat_replies(&self, course: &mut Course<'a>, from: &Spot<'a>, subnet: &'a SubnetId) {
        let crosses = subnet != from.subnet;
        let nat_gateway = Client::nat_gateway();
        course.reply(subnet, Direction::Ingress, Keyed::Destination, &nat_gateway);
        if crosses {
            let (step, hop) = self.route_step(Way::Reply, from.vpc, subnet, from.address);
            course.fact(step);
            match hop.map(|target| self.leg(from.vpc, &target, from.address, Some(from.vpc))) {
                Some(Leg::Within(_)) => {}
                Some(Leg::Beyond(step) | Leg::Dropped(step)) => course.fact(Step {
                    way: Way::Reply,
                    ..step
                }),
                Some(Leg::Internet) => course.fact(Step {
                    way: Way::Reply,
                    ..blocked(
                        subnet.as_str(),
                        format!(
                            "the route of {subnet} to {} leads out of the VPC",
                            from.address
                        ),
                    )
                }),
                None => {}
            }
            course.reply(subnet, Direction::Egress, Keyed::Source, &from.client());
            course.reply(
                from.subnet,
                Direction::Ingress,
                Keyed::Destination,
                &from.client(),
            );
        }
    }

    /// The internet gateway for a NAT gateway's packets; block public access must let both subnets
    /// out, or which of the two counts is not known. Tells whether to go on.
    fn nat_gateway_out(
        &self,
        course: &mut Course<'a>,
        from: &Spot<'a>,
        nat: &SubnetId,
        igw: &str,
    ) -> bool {
        let before = course.checks.len();
        if !self.through_gateway(course, from.vpc, nat, igw, Crossing::OutOnly) {
            return false;
        }
        course.checks.truncate(before.saturating_add(1));
        let of_nat = self.public_access(from.vpc, nat, Crossing::OutOnly);
        let of_sender = self.public_access(from.vpc, from.subnet, Crossing::OutOnly);
        let differs = matches!(
            (&of_nat, &of_sender),
            (Access::Open, Access::Stopped(_)) | (Access::Stopped(_), Access::Open)
        );
        if differs {
            course.fact(unknown(
                Way::Request,
                Stage::PublicAccess,
                from.subnet.as_str(),
                Unknowns::Context(ContextKind::BlockPublicAccess),
                format!("block public access excepts only one of {} and {nat}: which one counts is not proved", from.subnet),
            ));
        } else {
            course
                .checks
                .extend(self.access_check(from.vpc, nat, Crossing::OutOnly));
        }
        true
    }
}

/// That a NAT gateway does not lead to the internet, or may not (semantics A5).
fn not_public(nat: &Gateway) -> Option<Step> {
    let id = nat.id.as_str();
    let connectivity = nat.nat.as_ref().map(|detail| detail.connectivity);
    match connectivity {
        Some(Connectivity::Public) => None,
        Some(Connectivity::Private) => Some(blocked(
            id,
            format!("{id} is private: an internet gateway drops what it sends"),
        )),
        None if !nat.public_addresses.is_empty() => None,
        None => Some(beyond(id, format!("whether {id} is public was not told"))),
    }
}

/// Whether a NAT gateway takes the packet at all.
fn nat_step(nat: &Gateway, subnet: Option<&SubnetId>, from: &Spot<'_>, to: &Place<'_>) -> Step {
    let called = to.called();
    let id = nat.id.as_str();
    match nat.state.as_deref() {
        Some("available") if is_nat64(called) => beyond(
            id,
            format!("{id} translates it to IPv4 (NAT64): not followed further"),
        ),
        Some("available") if called.is_ipv6() => {
            blocked(id, format!("{id} takes no IPv6 but NAT64"))
        }
        Some("available") if !nat.vpcs.is_empty() && !nat.vpcs.contains(from.vpc) => blocked(
            id,
            format!(
                "{id} is not in {}: a NAT gateway serves its own VPC",
                from.vpc
            ),
        ),
        Some("available") if subnet.is_none() => beyond(
            id,
            format!("{id} is regional, or its subnet was not read: its own routes are not known"),
        ),
        Some("available") => passes(
            id,
            format!(
                "{id} translates it in {}",
                subnet.map_or("", SubnetId::as_str)
            ),
        ),
        Some(state) => blocked(id, format!("the NAT gateway {id} is {state}")),
        None => beyond(
            id,
            format!("the state of the NAT gateway {id} was not told"),
        ),
    }
}

/// Whether an address is one that a NAT gateway translates to IPv4: 64:ff9b::/96.
fn is_nat64(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(at) if at.octets().starts_with(&[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]))
}
