//! What the target of a route does with a packet (semantics A4, A5).

use crate::address::Family;
use crate::exactness::{Errs, Unknowns};
use crate::network::{Network, is_active};
use crate::path::course::{Course, family_of, is_public, unknown};
use crate::path::place::Spot;
use crate::path::public_access::{Access, Crossing};
use crate::path::{Check, Client, ClientRange, Keyed, Place, Stage, Step, Verdict, Way, What};
use snapback_model::{
    Connectivity, ContextKind, Direction, Gateway, GatewayKind, RouteTarget, SubnetId, VpcId,
};
use std::net::IpAddr;

/// Where a target leads.
pub(super) enum Leg {
    /// Into a VPC: the same one, or over a peering that the step names.
    Within(Option<Step>),
    /// Further than the state tells.
    Beyond(Step),
    /// Nowhere.
    Dropped(Step),
    /// To an internet gateway, egress-only internet gateway, NAT gateway or AWS service.
    Internet,
}

fn fact(stage: Stage, at: &str, verdict: Verdict, words: impl Into<String>) -> Step {
    Step::new(Way::Request, stage, at, verdict, words)
}

fn passes(at: &str, words: impl Into<String>) -> Step {
    fact(Stage::Gateway, at, Verdict::Passes, words)
}

fn blocked(at: &str, words: impl Into<String>) -> Step {
    fact(Stage::Gateway, at, Verdict::Blocked, words)
}

fn beyond(at: &str, words: String) -> Step {
    unknown(
        Way::Request,
        Stage::Gateway,
        at,
        Unknowns::Target(at.to_owned()),
        words,
    )
}

impl<'a> Network<'a> {
    /// What a target does with a packet for an address that is in `to`, where that is known.
    pub(super) fn leg(
        &self,
        vpc: &VpcId,
        target: &RouteTarget,
        address: IpAddr,
        to: Option<&VpcId>,
    ) -> Leg {
        let id = target.id();
        match target {
            RouteTarget::Local => match to {
                Some(to) if to != vpc => Leg::Dropped(blocked(
                    vpc.as_str(),
                    format!("the local route keeps it in {vpc}; the destination is in {to}"),
                )),
                _ => Leg::Within(None),
            },
            RouteTarget::VpcPeeringConnection(_) => self.peering_leg(vpc, id, address, to),
            RouteTarget::InternetGateway(_)
            | RouteTarget::EgressOnlyInternetGateway(_)
            | RouteTarget::NatGateway(_)
            | RouteTarget::GatewayEndpoint(_) => Leg::Internet,
            RouteTarget::NetworkInterface(_) => Leg::Beyond(beyond(
                id,
                format!(
                    "{id} is an appliance: whether it forwards, and as whom, is not known; group references do not hold behind it"
                ),
            )),
            RouteTarget::GatewayLoadBalancerEndpoint(_) => Leg::Beyond(beyond(
                id,
                format!(
                    "{id} leads to an appliance that may drop it; group references do not hold behind it"
                ),
            )),
            RouteTarget::TransitGateway(_) => Leg::Beyond(beyond(
                id,
                match to {
                    Some(to) => format!("whether {id} routes {address} to {to} was not read"),
                    None => format!("where {id} routes {address} was not read"),
                },
            )),
            RouteTarget::VpnGateway(_)
            | RouteTarget::CarrierGateway(_)
            | RouteTarget::LocalGateway(_)
            | RouteTarget::CoreNetwork(_)
            | RouteTarget::Unrecognized(_) => {
                Leg::Beyond(beyond(id, format!("what is beyond {id} is not known")))
            }
        }
    }

    /// A peering leads into the other VPC and nowhere further (semantics A5).
    fn peering_leg(&self, vpc: &VpcId, id: &str, address: IpAddr, to: Option<&VpcId>) -> Leg {
        let peering = match self.existing(id, GatewayKind::Peering) {
            Ok(peering) => peering,
            Err(step) if step.verdict == Verdict::Blocked => return Leg::Dropped(step),
            Err(step) => return Leg::Beyond(step),
        };
        let state = peering.state.as_deref().unwrap_or_default();
        match is_active(peering) {
            Some(false) => {
                return Leg::Dropped(blocked(
                    id,
                    format!("the peering {id} is {state}, not active"),
                ));
            }
            None => {
                return Leg::Beyond(beyond(
                    id,
                    format!("whether the peering {id} is active was not told"),
                ));
            }
            Some(true) => {}
        }
        let not_of = |vpc: &VpcId| !peering.vpcs.contains(vpc);
        if not_of(vpc) {
            return Leg::Dropped(blocked(id, format!("the peering {id} does not join {vpc}")));
        }
        match to {
            Some(to) if to == vpc || not_of(to) => Leg::Dropped(blocked(
                id,
                format!("{to} is not on the other side of {id}, and peerings lead no further"),
            )),
            Some(to) => Leg::Within(Some(passes(id, format!("{id} leads to {to}")))),
            None => {
                let known = !peering.peer_cidrs.is_empty();
                let within = peering.peer_cidrs.iter().any(|net| net.contains(&address));
                if known && !within {
                    Leg::Dropped(blocked(
                        id,
                        format!(
                            "{address} is not in the VPC on the other side of {id}, and peerings lead no further"
                        ),
                    ))
                } else {
                    Leg::Beyond(beyond(
                        id,
                        format!("the VPC on the other side of {id} is not in the state"),
                    ))
                }
            }
        }
    }

    /// A gateway that exists, or the step that says that it does not or may not.
    fn existing(&self, id: &str, kind: GatewayKind) -> Result<&'a Gateway, Step> {
        self.gateway(id)
            .ok_or_else(|| match self.unread(kind.context(), Errs::MayPermitLess) {
                None => blocked(id, format!("{id} does not exist")),
                Some(gap) => unknown(
                    Way::Request,
                    Stage::Gateway,
                    id,
                    gap.what,
                    format!("whether {id} exists is not known: {}", gap.words),
                ),
            })
    }

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
    fn through_gateway(
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

    fn access_check(
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

    /// By a NAT gateway: into its subnet, through it, and out of its subnet (semantics A5).
    fn by_nat(&self, course: &mut Course<'a>, from: &Spot<'a>, to: &Place<'a>, id: &str) {
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
        let called = to.called();
        let regional = nat.nat.as_ref().is_some_and(|detail| detail.regional);
        let subnet = nat.subnets.first().filter(|_| !regional);
        let step = match nat.state.as_deref() {
            Some("available") if family_of(called) == Family::V6 => {
                blocked(id, format!("{id} translates IPv4; NAT64 is not judged"))
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
                format!(
                    "{id} is regional, or its subnet was not read: its own routes are not known"
                ),
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
        };
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

    /// From the internet into the VPC of a place that was called by its public address, for a sender
    /// who is in the state too.
    fn back_in(
        &self,
        course: &mut Course<'a>,
        seen: Option<IpAddr>,
        to: &Spot<'a>,
        client: &Client,
    ) {
        match seen {
            Some(seen) => self.into_vpc(course, seen, to, Keyed::Fixed(seen), client),
            None => course.fact(beyond(
                to.subnet.as_str(),
                "as which public address it comes back in is not known".to_owned(),
            )),
        }
    }

    /// From a place outside.
    pub(super) fn from_outside(&self, course: &mut Course<'a>, source: IpAddr, to: &Spot<'a>) {
        let client = Client::sender(ClientRange::ALL.to_vec());
        if is_public(source) {
            return self.into_vpc(course, source, to, Keyed::Source, &client);
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
    fn into_vpc(
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
fn public_address(interface: &snapback_model::NetworkInterface) -> Step {
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
