//! RT-BLACKHOLE by a dead target, RT-LOCAL-REPLACED by a subnet route, RT-PEER-OVERLAP, NAT-CROSS-AZ
//! of a table by itself.

use super::super::scene::Teller;
use super::super::world::World;
use crate::finding::{FindingCode, Harm, Severity};
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::AddressSet;

pub(super) fn audit(teller: &mut Teller, world: &World<'_>, table: &RouteTable) {
    for (destination, route) in &table.routes {
        dead_target(teller, world, table, destination, route);
        inside_vpc(teller, world, table, destination, route);
        overlapping_peers(teller, world, table, destination, route);
        cross_zone(teller, world, table, destination, route);
    }
}

/// Targets that have a code of their own when they die are told there.
fn dead_target(
    teller: &mut Teller,
    world: &World<'_>,
    table: &RouteTable,
    destination: &Destination,
    route: &Route,
) {
    let target = &route.target;
    let own_code = matches!(
        target,
        RouteTarget::NatGateway(_)
            | RouteTarget::InternetGateway(_)
            | RouteTarget::VpcPeeringConnection(_)
    );
    if route.blackhole || own_code {
        return;
    }
    if let Some(state) = world.dead(table, target) {
        teller.tell(
            FindingCode::RtBlackhole,
            (Severity::High, Harm::Cuts),
            Element::Route(destination.clone()),
            format!(
                "the target {target} of the route {destination} is {state}: its traffic is dropped"
            ),
            Vec::new(),
        );
    }
}

/// A route for a network inside the VPC: allowed for a whole subnet, to a NAT gateway, interface or
/// Gateway Load Balancer endpoint (semantics A4).
fn inside_vpc(
    teller: &mut Teller,
    world: &World<'_>,
    table: &RouteTable,
    destination: &Destination,
    route: &Route,
) {
    let redirects = matches!(
        route.target,
        RouteTarget::NetworkInterface(_)
            | RouteTarget::GatewayLoadBalancerEndpoint(_)
            | RouteTarget::NatGateway(_)
    );
    let Some(network) = destination.as_cidr().filter(|_| redirects) else {
        return;
    };
    let inside = world
        .topology
        .vpcs
        .get(&table.vpc)
        .is_some_and(|vpc| vpc.cidrs.iter().any(|cidr| cidr.contains(&network)));
    if inside && route.origin != RouteOrigin::Table {
        let target = &route.target;
        teller.tell(
            FindingCode::RtLocalReplaced,
            (Severity::High, Harm::Cuts),
            Element::Route(destination.clone()),
            format!("traffic inside the VPC for {destination} is led to {target}"),
            Vec::new(),
        );
    }
}

/// The networks of the far side of a peering, seen from a VPC.
fn far_side(gateway: &Gateway, vpc: &VpcId) -> AddressSet {
    let detail = gateway.peering.as_ref();
    let side = detail.and_then(|detail| {
        let sides = [&detail.requester, &detail.accepter];
        sides
            .into_iter()
            .find(|side| side.vpc.as_ref() != Some(vpc) && !side.cidrs.is_empty())
    });
    let networks = side.map_or(&gateway.peer_cidrs, |side| &side.cidrs);
    AddressSet::of(networks.iter().copied())
}

/// RT-PEER-OVERLAP: two VPCs that do not peer each other may have equal networks; what the second
/// sends is answered to the first (semantics A5).
fn overlapping_peers(
    teller: &mut Teller,
    world: &World<'_>,
    table: &RouteTable,
    destination: &Destination,
    route: &Route,
) {
    let (RouteTarget::VpcPeeringConnection(id), Some(network)) =
        (&route.target, destination.as_cidr())
    else {
        return;
    };
    let gateways = &world.topology.gateways;
    let Some(here) = gateways.get(id) else {
        return;
    };
    let covered = far_side(here, &table.vpc).intersection(&AddressSet::of([network]));
    let routed = |other: &Gateway| {
        let leads = |route: &Route| route.target.id() == other.id;
        world
            .tables()
            .any(|table| here.vpcs.contains(&table.vpc) && table.routes.values().any(leads))
    };
    let mut evidence = Vec::new();
    for other in gateways.values() {
        let joins = other.kind == GatewayKind::Peering
            && other.id != *id
            && other.state.as_deref().is_none_or(|state| state == "active")
            && other.vpcs.contains(&table.vpc);
        if !joins {
            continue;
        }
        let both = covered.intersection(&far_side(other, &table.vpc));
        // Where this table leads to the other peer too, by a longer or shorter prefix, it tells them apart.
        let told_apart = table
            .routes
            .iter()
            .filter(|(_, route)| route.target.id() == other.id)
            .filter_map(|(destination, _)| destination.as_cidr());
        let both = both.difference(&AddressSet::of(told_apart));
        if !both.is_empty() && routed(other) {
            let networks: Vec<String> = both.networks().iter().map(IpNet::to_string).collect();
            let networks = crate::impact::bounded(networks, 4).join(", ");
            evidence.push(format!("{} has {networks} too", other.id));
        }
    }
    if !evidence.is_empty() {
        teller.tell(
            FindingCode::RtPeerOverlap,
            (Severity::Medium, Harm::None),
            Element::Route(destination.clone()),
            format!(
                "the route {destination} to {id} covers networks that another peer of the VPC has too: replies to that \
                 peer go to {id}"
            ),
            evidence,
        );
    }
}

/// The zone of a NAT gateway; none of a regional one.
fn zone_of<'w>(world: &'w World<'_>, gateway: &'w Gateway) -> Option<&'w str> {
    let detail = gateway.nat.as_ref();
    if detail.is_some_and(|detail| detail.regional) {
        return None;
    }
    let told = detail.and_then(|detail| detail.zone.as_deref());
    told.or_else(|| {
        let subnet = world.topology.subnets.get(gateway.subnets.first()?)?;
        subnet.zone.as_deref()
    })
}

/// NAT-CROSS-AZ: subnets that a zonal NAT gateway of another zone serves.
fn cross_zone(
    teller: &mut Teller,
    world: &World<'_>,
    table: &RouteTable,
    destination: &Destination,
    route: &Route,
) {
    let RouteTarget::NatGateway(id) = &route.target else {
        return;
    };
    let Some(gateway) = world.topology.gateways.get(id) else {
        return;
    };
    let Some(zone) = zone_of(world, gateway) else {
        return;
    };
    let evidence: Vec<String> = world
        .subnets_of(table)
        .into_iter()
        .filter_map(|subnet| {
            let own = world.topology.subnets.get(subnet)?.zone.as_deref()?;
            (own != zone).then(|| format!("{subnet} is in {own}, {id} in {zone}"))
        })
        .collect();
    if !evidence.is_empty() {
        teller.tell(
            FindingCode::NatCrossZone,
            (Severity::Medium, Harm::None),
            Element::Route(destination.clone()),
            format!(
                "subnets use the NAT gateway {id} of another zone: they fall with that zone, and every byte is paid \
                 for between zones"
            ),
            evidence,
        );
    }
}
