//! Whether a route may be led to a target: a dead target is never restored (design.md 3).

use snapback_model::*;

/// What the context of a snapshot tells about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// Seen, and in a state that carries traffic.
    Alive,
    /// The context does not tell: EC2 will, when the call is made.
    Unknown,
    /// Seen dead, or absent from a context that lists its kind.
    Dead(Dead),
}

/// A target that carries nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dead {
    /// Why, in words.
    pub(super) why: String,
    /// What has to be done first, in words.
    pub(super) needs: String,
}

impl Dead {
    pub(super) fn gone(id: &str) -> Self {
        Self {
            why: format!("{id} does not exist any more"),
            needs: format!("{id} made again"),
        }
    }

    pub(super) fn in_state(id: &str, state: &str) -> Self {
        let passing = ["detached", "detaching", "inactive"];
        let needs = if passing.iter().any(|word| state.eq_ignore_ascii_case(word)) {
            format!("{id} in service again")
        } else {
            format!("{id} made again")
        };
        Self {
            why: format!("{id} is {state}"),
            needs,
        }
    }

    fn detached(id: &str, vpc: &VpcId) -> Self {
        Self {
            why: format!("{id} is not attached to {vpc}"),
            needs: format!("{id} attached to {vpc} again"),
        }
    }
}

/// The health of a target for a table of `vpc`.
pub(super) fn health(target: &RouteTarget, vpc: &VpcId, topology: &Topology) -> Health {
    let (id, kind) = match target {
        RouteTarget::Local => return Health::Alive,
        RouteTarget::NetworkInterface(id) => return interface(id, topology),
        RouteTarget::InternetGateway(id) => (id, GatewayKind::Internet),
        RouteTarget::VpnGateway(id) => (id, GatewayKind::Vpn),
        RouteTarget::NatGateway(id) => (id, GatewayKind::Nat),
        RouteTarget::EgressOnlyInternetGateway(id) => (id, GatewayKind::EgressOnlyInternet),
        RouteTarget::VpcPeeringConnection(id) => (id, GatewayKind::Peering),
        RouteTarget::TransitGateway(id) => (id, GatewayKind::Transit),
        RouteTarget::GatewayLoadBalancerEndpoint(id) => (id, GatewayKind::Endpoint),
        RouteTarget::GatewayEndpoint(_)
        | RouteTarget::CarrierGateway(_)
        | RouteTarget::LocalGateway(_)
        | RouteTarget::CoreNetwork(_)
        | RouteTarget::Unrecognized(_) => return Health::Unknown,
    };
    let Some(gateway) = topology.gateways.get(id) else {
        // A transit gateway may be known by its attachment only, and may belong to another account.
        let listed = kind != GatewayKind::Transit
            && topology.gateways.values().any(|other| other.kind == kind);
        return if listed {
            Health::Dead(Dead::gone(id))
        } else {
            Health::Unknown
        };
    };
    if let Some(state) = gateway.dead_state() {
        return Health::Dead(Dead::in_state(id, state));
    }
    match kind {
        GatewayKind::Internet | GatewayKind::Vpn if !gateway.vpcs.contains(vpc) => {
            Health::Dead(Dead::detached(id, vpc))
        }
        _ => Health::Alive,
    }
}

fn interface(id: &str, topology: &Topology) -> Health {
    if topology
        .interfaces
        .contains_key(&NetworkInterfaceId::new(id))
    {
        Health::Alive
    } else if topology.interfaces.is_empty() {
        Health::Unknown
    } else {
        Health::Dead(Dead::gone(id))
    }
}
