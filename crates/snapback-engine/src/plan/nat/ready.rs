//! What a call on a NAT gateway, or a route to one, finds now: gateways take minutes to come and go,
//! and no call is made before its turn.

use super::super::{Action, Readiness};
use super::{NatRequest, born, is_alive, listed, successors, told_failure, words};
use snapback_model::*;

/// Whether the gateway may be made: the old one must have let go of its addresses (semantics B1).
pub(in crate::plan) fn birth_readiness(request: &NatRequest, live: &Snapshot) -> Readiness {
    if born(request, live).is_some() {
        return Readiness::AlreadyInPlace;
    }
    let Some(old) = request.predecessor() else {
        return Readiness::Ready;
    };
    let heirs = || successors(live, old);
    if heirs().any(is_alive) {
        let ids = words(heirs().map(|one| &one.id));
        return Readiness::Changed(format!("{ids} stands in the place of {old} already"));
    }
    if heirs().next().is_some() {
        return Readiness::Changed(words(heirs().map(told_failure)));
    }
    match listed(live, old) {
        Some((_, "deleting")) => {
            return Readiness::NotYet(format!(
                "{old} is still being deleted and holds its address"
            ));
        }
        Some((gateway, state)) if is_alive(gateway) => {
            return Readiness::Changed(format!("{old} is {state}"));
        }
        _ => {}
    }
    // The plan was made with free addresses, or with those of the gateway that leaves.
    let held = request.allocations().find_map(|allocation| {
        let address = live.topology.addresses.as_ref()?.get(allocation)?;
        Some(format!(
            "{allocation} is still held by {}",
            address.holder.as_ref()?
        ))
    });
    held.map_or(Readiness::Ready, Readiness::NotYet)
}

/// Whether addresses may be given to a gateway: it must be available, and it may have them.
pub(in crate::plan) fn address_readiness(action: &Action, live: &Snapshot) -> Readiness {
    let (Action::AssociateNatGatewayAddress { gateway: id, .. }
    | Action::AssignPrivateNatGatewayAddress { gateway: id, .. }) = action
    else {
        return Readiness::Changed(format!("{} gives no address", action.api()));
    };
    let held = live.topology.gateways.get(id.as_str());
    if held
        .and_then(|gateway| gateway.nat.as_ref())
        .is_some_and(|nat| has_all(action, nat))
    {
        return Readiness::AlreadyInPlace;
    }
    standing(id.as_str(), live).unwrap_or(Readiness::Ready)
}

/// Whether a gateway has every address that a call gives.
fn has_all(action: &Action, nat: &NatDetail) -> bool {
    match action {
        Action::AssociateNatGatewayAddress { addresses, .. } => addresses.keys().all(|wanted| {
            let mut held = nat.addresses.iter();
            held.any(|one| one.allocation.as_ref() == Some(wanted))
        }),
        Action::AssignPrivateNatGatewayAddress { addresses, .. } => {
            addresses.iter().all(|wanted| {
                let mut held = nat.addresses.iter();
                held.any(|one| one.private == Some(*wanted))
            })
        }
        _ => false,
    }
}

/// What stands against leading a route to a target, where it is a NAT gateway.
pub(in crate::plan) fn target_readiness(
    target: &RouteTarget,
    live: &Snapshot,
) -> Option<Readiness> {
    match target {
        RouteTarget::NatGateway(id) => standing(id, live).or_else(|| unseen(id, live)),
        _ => None,
    }
}

/// A gateway that is not among those that were read was just made: EC2 shows it soon.
fn unseen(id: &str, live: &Snapshot) -> Option<Readiness> {
    let gateways = &live.topology.gateways;
    let read = gateways
        .values()
        .any(|other| other.kind == GatewayKind::Nat);
    (read && !gateways.contains_key(id)).then(|| Readiness::NotYet(format!("{id} is not seen yet")))
}

/// What stands against using a gateway now; nothing where it is available or not listed.
fn standing(id: &str, live: &Snapshot) -> Option<Readiness> {
    let (gateway, state) = listed(live, id)?;
    match state {
        "available" => None,
        "pending" => Some(Readiness::NotYet(format!("{id} is not available yet"))),
        _ => Some(Readiness::Changed(told_failure(gateway))),
    }
}
