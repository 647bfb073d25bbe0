//! What the target of a route does with a packet (semantics A4, A5).

use crate::exactness::{Errs, Unknowns};
use crate::network::{Network, is_active};
use crate::path::course::unknown;
use crate::path::{Stage, Step, Verdict, Way};
use snapback_model::{Gateway, GatewayKind, RouteTarget, VpcId};
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

pub(super) fn fact(stage: Stage, at: &str, verdict: Verdict, words: impl Into<String>) -> Step {
    Step::new(Way::Request, stage, at, verdict, words)
}

pub(super) fn passes(at: &str, words: impl Into<String>) -> Step {
    fact(Stage::Gateway, at, Verdict::Passes, words)
}

pub(super) fn blocked(at: &str, words: impl Into<String>) -> Step {
    fact(Stage::Gateway, at, Verdict::Blocked, words)
}

pub(super) fn beyond(at: &str, words: String) -> Step {
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
    pub(super) fn existing(&self, id: &str, kind: GatewayKind) -> Result<&'a Gateway, Step> {
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
}
