//! Between a VPC and the internet: out by an internet gateway, an egress-only one or a gateway
//! endpoint, and in by an internet gateway (semantics A4, A5).

use crate::exactness::{Errs, Unknowns};
use crate::network::Network;
use crate::path::course::{Course, is_public, unknown};
use crate::path::gateway::{beyond, blocked, fact, passes};
use crate::path::place::Spot;
use crate::path::public_access::{Access, Crossing};
use crate::path::{Check, Client, ClientRange, Keyed, Place, Stage, Step, Verdict, Way, What};
use snapback_model::{
    ContextKind, Direction, Gateway, GatewayKind, NetworkInterface, RouteTarget, SubnetId, VpcId,
};
use std::net::IpAddr;

impl<'a> Network<'a> {
    /// Out of a VPC towards the internet or a service of AWS.
    pub(super) fn to_internet(
        &self,
        course: &mut Course<'a>,
        from: &Spot<'a>,
        to: &Place<'a>,
        target: &RouteTarget,
    ) {
        let id = target.id();
        let called = to.called();
        match target {
            RouteTarget::NatGateway(_) => return self.by_nat(course, from, to, id),
            RouteTarget::GatewayEndpoint(_) => {
                let step = match self.existing(id, GatewayKind::Endpoint) {
                    Ok(_) => passes(
                        id,
                        format!("{id} leads to the service; its policy is not judged"),
                    ),
                    Err(step) => step,
                };
                let stops = step.verdict == Verdict::Blocked;
                course.fact(step);
                if stops {
                    return;
                }
            }
            _ => {
                if !is_public(called) {
                    return course.fact(blocked(
                        id,
                        format!("{called} is no address on the internet"),
                    ));
                }
                let crossing = if matches!(target, RouteTarget::EgressOnlyInternetGateway(_)) {
                    Crossing::OutOnly
                } else {
                    Crossing::Out
                };
                if !self.through_gateway(course, from.vpc, from.subnet, id, crossing)
                    || !Self::sender(course, from, id, crossing)
                {
                    return;
                }
                if let Place::Inside(to) = to {
                    let public = from.interface.and_then(|one| one.public_addresses.first());
                    let seen = match from.address {
                        IpAddr::V4(_) => public.copied(),
                        IpAddr::V6(_) => Some(from.address),
                    };
                    self.back_in(course, seen, to, &from.client());
                }
                self.edge(course, Way::Reply, id, from.address);
            }
        }
        course.reply(
            from.subnet,
            Direction::Ingress,
            Keyed::Destination,
            &from.client(),
        );
    }

    /// The gateway itself and block public access. Tells whether to go on.
    pub(super) fn through_gateway(
        &self,
        course: &mut Course<'a>,
        vpc: &VpcId,
        subnet: &SubnetId,
        id: &str,
        crossing: Crossing,
    ) -> bool {
        let kind = if id.starts_with("eigw-") {
            GatewayKind::EgressOnlyInternet
        } else {
            GatewayKind::Internet
        };
        let step = match self.existing(id, kind) {
            Ok(gateway) if gateway.vpcs.contains(vpc) => {
                passes(id, format!("{id} is attached to {vpc}"))
            }
            Ok(_) => blocked(id, format!("{id} is not attached to {vpc}")),
            Err(step) => step,
        };
        let stops = step.verdict == Verdict::Blocked;
        course.fact(step);
        if !stops {
            course
                .checks
                .extend(self.access_check(vpc, subnet, crossing));
        }
        !stops
    }

    pub(super) fn access_check(
        &self,
        vpc: &VpcId,
        subnet: &SubnetId,
        crossing: Crossing,
    ) -> Option<Check<'a>> {
        let step = match self.public_access(vpc, subnet, crossing) {
            Access::Open => return None,
            Access::Stopped(words) => fact(
                Stage::PublicAccess,
                subnet.as_str(),
                Verdict::Blocked,
                format!("block public access stops it: {words}"),
            ),
            Access::Unknown(words) => unknown(
                Way::Request,
                Stage::PublicAccess,
                subnet.as_str(),
                Unknowns::Context(ContextKind::BlockPublicAccess),
                words,
            ),
        };
        Some(Check::Fact(step))
    }

    /// Whether the sender has an address that an internet gateway lets out.
    fn sender(course: &mut Course<'a>, from: &Spot<'a>, id: &str, crossing: Crossing) -> bool {
        let (at, own) = (from.subnet.as_str(), from.address);
        let step = match (own, from.interface) {
            (IpAddr::V4(_), _) if crossing == Crossing::OutOnly => {
                blocked(id, format!("{id} takes IPv6 only"))
            }
            (IpAddr::V6(_), _) if is_public(own) => return true,
            (IpAddr::V6(_), _) => fact(
                Stage::Address,
                at,
                Verdict::Blocked,
                format!("{own} is no address on the internet"),
            ),
            (IpAddr::V4(_), None) => unknown(
                Way::Request,
                Stage::Address,
                at,
                Unknowns::Subnet(from.subnet.clone()),
                format!(
                    "whether the host has a public address is not known: no interface of {at} was named"
                ),
            ),
            (IpAddr::V4(_), Some(interface)) => public_address(interface),
        };
        let stops = step.verdict == Verdict::Blocked;
        course.fact(step);
        !stops
    }

    /// The route table of the gateway itself (edge association), for what it lets in.
    fn edge(&self, course: &mut Course<'a>, way: Way, id: &str, address: IpAddr) {
        let Some(table) = self.edge_table_of(id) else {
            return;
        };
        let hops = crate::route::next_hops(table, &self.lists);
        let step = match hops.at(address).delivers() {
            Some(RouteTarget::Local) => return,
            Some(target) => unknown(
                way,
                Stage::Route,
                table.id.as_str(),
                Unknowns::Target(target.id().to_owned()),
                format!(
                    "{} of {id} sends it to the appliance {target} first",
                    table.id
                ),
            ),
            None => Step::new(
                way,
                Stage::Route,
                table.id.as_str(),
                Verdict::Blocked,
                format!("{} of {id} has no living route to {address}", table.id),
            ),
        };
        course.fact(step);
    }

    /// From the internet into the VPC of a place that was called by its public address, for a sender
    /// who is in the state too.
    pub(super) fn back_in(
        &self,
        course: &mut Course<'a>,
        seen: Option<IpAddr>,
        to: &Spot<'a>,
        client: &Client,
    ) {
        match seen {
            Some(seen) => self.enter_vpc(course, seen, to, Keyed::Fixed(seen), client),
            None => course.fact(beyond(
                to.subnet.as_str(),
                "as which public address it comes back in is not known".to_owned(),
            )),
        }
    }

    /// From a place outside.
    pub(super) fn outside_in(&self, course: &mut Course<'a>, source: IpAddr, to: &Spot<'a>) {
        let client = Client::sender(ClientRange::ALL.to_vec());
        if is_public(source) {
            return self.enter_vpc(course, source, to, Keyed::Source, &client);
        }
        course.fact(beyond(
            to.vpc.as_str(),
            format!(
                "how {source} gets into {} is not known: it is in no subnet of the state",
                to.vpc
            ),
        ));
        self.in_and_answer(course, to, Keyed::Source, &client);
        let (step, hop) = self.route_step(Way::Reply, to.vpc, to.subnet, source);
        course.fact(step);
        match hop {
            Some(RouteTarget::InternetGateway(_) | RouteTarget::EgressOnlyInternetGateway(_)) => {
                course.fact(Step {
                    way: Way::Reply,
                    ..blocked(
                        to.subnet.as_str(),
                        format!("{source} is no address on the internet"),
                    )
                });
            }
            Some(RouteTarget::Local) => course.fact(Step {
                way: Way::Reply,
                ..blocked(
                    to.vpc.as_str(),
                    format!("the local route keeps replies to {source} in {}", to.vpc),
                )
            }),
            Some(_) | None => {}
        }
    }

    /// What lets a request in and its reply out of the subnet.
    fn in_and_answer(&self, course: &mut Course<'a>, to: &Spot<'a>, keyed: Keyed, client: &Client) {
        course.request(What::Acl(to.subnet, Direction::Ingress), keyed);
        self.host(course, to);
        course.groups(to, Direction::Ingress, keyed);
        course.reply(to.subnet, Direction::Egress, keyed, client);
    }

    /// From a public address to a place in a VPC: internet exposure (semantics A4).
    fn enter_vpc(
        &self,
        course: &mut Course<'a>,
        seen: IpAddr,
        to: &Spot<'a>,
        keyed: Keyed,
        client: &Client,
    ) {
        if !self.reachable_address(course, to) {
            return;
        }
        let mut attached = self
            .gateways(GatewayKind::Internet)
            .filter(|one| one.vpcs.contains(to.vpc));
        let Some(gateway) = attached.next() else {
            course.fact(
                match self.unread(ContextKind::InternetGateways, Errs::MayPermitLess) {
                    None => blocked(
                        to.vpc.as_str(),
                        format!("no internet gateway is attached to {}", to.vpc),
                    ),
                    Some(gap) => unknown(
                        Way::Request,
                        Stage::Gateway,
                        to.vpc.as_str(),
                        gap.what,
                        format!(
                            "whether {} has an internet gateway is not known: {}",
                            to.vpc, gap.words
                        ),
                    ),
                },
            );
            return self.answered_by(course, None, seen, to, keyed, client);
        };
        course.fact(passes(
            &gateway.id,
            format!("{} is attached to {}", gateway.id, to.vpc),
        ));
        course
            .checks
            .extend(self.access_check(to.vpc, to.subnet, Crossing::In));
        self.edge(course, Way::Request, &gateway.id, to.address);
        self.answered_by(course, Some(gateway), seen, to, keyed, client);
    }

    fn answered_by(
        &self,
        course: &mut Course<'a>,
        gateway: Option<&Gateway>,
        seen: IpAddr,
        to: &Spot<'a>,
        keyed: Keyed,
        client: &Client,
    ) {
        self.in_and_answer(course, to, keyed, client);
        let (step, hop) = self.route_step(Way::Reply, to.vpc, to.subnet, seen);
        course.fact(step);
        let step = match (&hop, gateway) {
            (None, _) => return,
            (Some(RouteTarget::InternetGateway(id)), Some(gateway)) if *id == gateway.id => return,
            (Some(RouteTarget::InternetGateway(id)), None) => beyond(
                id,
                format!("whether {id} is attached to {} is not known", to.vpc),
            ),
            (
                Some(
                    RouteTarget::NetworkInterface(id)
                    | RouteTarget::GatewayLoadBalancerEndpoint(id),
                ),
                _,
            ) => beyond(
                id,
                format!("replies go to the appliance {id}: whether it forwards them is not known"),
            ),
            (Some(RouteTarget::Unrecognized(id)), _) => {
                beyond(id, format!("what {id} is, is not known"))
            }
            (Some(target), _) => blocked(
                target.id(),
                format!(
                    "replies leave by {target}, not by the internet gateway of {}",
                    to.vpc
                ),
            ),
        };
        course.fact(Step {
            way: Way::Reply,
            ..step
        });
    }

    /// Whether a place has an address that the internet can call. Tells whether to go on.
    fn reachable_address(&self, course: &mut Course<'a>, to: &Spot<'a>) -> bool {
        let step = match (to.address, to.interface) {
            (IpAddr::V6(own), _) if is_public(IpAddr::V6(own)) => return true,
            (IpAddr::V6(own), _) => fact(
                Stage::Address,
                to.subnet.as_str(),
                Verdict::Blocked,
                format!("{own} is no address on the internet"),
            ),
            (IpAddr::V4(_), None) => unknown(
                Way::Request,
                Stage::Address,
                to.subnet.as_str(),
                Unknowns::Subnet(to.subnet.clone()),
                format!(
                    "whether the host has a public address is not known: no interface of {} was named",
                    to.subnet
                ),
            ),
            (IpAddr::V4(_), Some(interface)) => public_address(interface),
        };
        let stops = step.verdict == Verdict::Blocked;
        course.fact(step);
        !stops
    }
}

/// Whether an interface has a public IPv4 address; which of several private ones is behind it is
/// not told.
fn public_address(interface: &NetworkInterface) -> Step {
    let own = interface
        .addresses
        .iter()
        .filter(|own| own.is_ipv4())
        .count();
    let public: Vec<String> = interface
        .public_addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let id = interface.id.as_str();
    if public.is_empty() {
        return fact(
            Stage::Address,
            id,
            Verdict::Blocked,
            "it has no public IPv4 address",
        );
    }
    if own > public.len() {
        return unknown(
            Way::Request,
            Stage::Address,
            id,
            Unknowns::Interface(interface.id.clone()),
            format!(
                "which of its private addresses is behind {} was not told",
                public.join(", ")
            ),
        );
    }
    fact(
        Stage::Address,
        id,
        Verdict::Passes,
        format!("its public address is {}", public.join(", ")),
    )
}
