//! NAT gateways that are made, and their addresses.

use super::super::{Action, NatRequest};
use snapback_model::*;

/// Makes the gateway, under the id that the plan knows it by. It is `pending`: when it comes up, no
/// plan knows.
pub(super) fn create(
    state: &mut Snapshot,
    id: &GatewayId,
    request: &NatRequest,
) -> Result<(), String> {
    let gateways = &mut state.topology.gateways;
    if gateways.contains_key(id.as_str()) {
        return Err(format!("{id} exists"));
    }
    gateways.insert(id.as_str().to_owned(), request.made(id));
    Ok(())
}

/// Gives a gateway secondary addresses.
pub(super) fn give(state: &mut Snapshot, action: &Action) -> Result<(), String> {
    let (Action::AssociateNatGatewayAddress { gateway: id, .. }
    | Action::AssignPrivateNatGatewayAddress { gateway: id, .. }) = action
    else {
        return Err(format!("{} gives no address", action.api()));
    };
    let known = state.topology.addresses.clone().unwrap_or_default();
    let gateway = state.topology.gateways.get_mut(id.as_str());
    let nat = gateway.and_then(|gateway| gateway.nat.as_mut());
    let nat = nat.ok_or_else(|| format!("{id} is no NAT gateway of the snapshot"))?;
    let secondary = |allocation: Option<&String>, private| NatAddress {
        allocation: allocation.cloned(),
        public: allocation.and_then(|id| known.get(id)?.public),
        private,
        primary: false,
        interface: None,
        zone: None,
    };
    match action {
        Action::AssociateNatGatewayAddress { addresses, .. } => nat.addresses.extend(
            addresses
                .iter()
                .map(|(allocation, private)| secondary(Some(allocation), *private)),
        ),
        Action::AssignPrivateNatGatewayAddress { addresses, .. } => nat.addresses.extend(
            addresses
                .iter()
                .map(|private| secondary(None, Some(*private))),
        ),
        _ => {}
    }
    Ok(())
}
