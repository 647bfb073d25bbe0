//! Route tables from describe-route-tables.

use super::reading::{Reading, said};
use super::shape;
use crate::{
    AssociationHandle, AssociationSubject, Destination, Handles, Kind, ResourceId, Route,
    RouteOrigin, RouteTable, RouteTableId, RouteTarget, VpcId,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// One route table in canonical form.
pub(super) fn route_table(
    described: &shape::RouteTable,
    reading: &mut Reading<'_>,
) -> Option<(RouteTable, Handles)> {
    reading.members("", described);
    let id = reading.guarded("RouteTableId", &described.route_table_id, Kind::RouteTable)?;
    let Some(vpc) = said(&described.vpc_id) else {
        reading.tell("VpcId", "null");
        return None;
    };
    let mut table = RouteTable {
        id: id.as_str().into(),
        vpc: vpc.into(),
        owner: said(&described.owner_id).map(Into::into),
        tags: reading.tags(&described.tags),
        main: false,
        routes: routes(&described.routes, reading),
        subnets: Default::default(),
        gateways: Default::default(),
        propagating: Default::default(),
    };
    for (index, vgw) in described.propagating_vgws.iter().enumerate() {
        let path = format!("PropagatingVgws[{index}]");
        reading.members(&path, vgw);
        match said(&vgw.gateway_id) {
            Some(id) => {
                table.propagating.insert(id.into());
            }
            None => reading.tell(format!("{path}.GatewayId"), "null"),
        }
    }
    let handles = associations(&mut table, &described.associations, reading);
    Some((table, handles))
}

/// Fills the associations of a table; gives the ids they are known by.
fn associations(
    table: &mut RouteTable,
    described: &[shape::RouteTableAssociation],
    reading: &mut Reading<'_>,
) -> Handles {
    let mut handles = Handles::default();
    for (index, association) in described.iter().enumerate() {
        let path = format!("Associations[{index}]");
        reading.members(&path, association);
        let state = association
            .association_state
            .as_ref()
            .and_then(|state| said(&state.state));
        match state {
            // Old outputs have no state; an association on its way in decides already.
            None | Some("associated" | "associating") => {}
            Some("disassociated" | "disassociating" | "failed") => continue,
            Some(other) => reading.tell(format!("{path}.AssociationState.State"), other),
        }
        let Some(subject) = subject(association, &table.vpc) else {
            reading.tell(path, "names no subnet, no gateway and is not main");
            continue;
        };
        match &subject {
            AssociationSubject::Main(_) => table.main = true,
            AssociationSubject::Subnet(subnet) => {
                table.subnets.insert(subnet.clone());
            }
            AssociationSubject::Gateway(gateway) => {
                table.gateways.insert(gateway.clone());
            }
        }
        if let Some(id) = said(&association.route_table_association_id) {
            let resource = ResourceId::from(RouteTableId::clone(&table.id));
            handles
                .associations
                .insert(id.into(), AssociationHandle { resource, subject });
        }
    }
    handles
}

fn subject(association: &shape::RouteTableAssociation, vpc: &VpcId) -> Option<AssociationSubject> {
    if let Some(subnet) = said(&association.subnet_id) {
        Some(AssociationSubject::Subnet(subnet.into()))
    } else if let Some(gateway) = said(&association.gateway_id) {
        Some(AssociationSubject::Gateway(gateway.into()))
    } else {
        association
            .main
            .unwrap_or(false)
            .then(|| AssociationSubject::Main(vpc.clone()))
    }
}

/// Routes by destination. A static route beside a propagated one of the same network decides alone
/// (semantics A4); the other is told.
fn routes(described: &[shape::Route], reading: &mut Reading<'_>) -> BTreeMap<Destination, Route> {
    let mut routes: BTreeMap<Destination, Route> = BTreeMap::new();
    for (index, route) in described.iter().enumerate() {
        let path = format!("Routes[{index}]");
        reading.members(&path, route);
        let Some(destination) = destination(&path, route, reading) else {
            continue;
        };
        let route = self::route(&path, route, &destination, reading);
        match routes.remove(&destination) {
            Some(before) if before != route => {
                let (first, second) = if rank(&before) <= rank(&route) {
                    (before, route)
                } else {
                    (route, before)
                };
                reading.tell(
                    format!("Routes {destination}"),
                    format!(
                        "also to {}, behind the route to {}",
                        second.target, first.target
                    ),
                );
                routes.insert(destination, first);
            }
            Some(_) | None => {
                routes.insert(destination, route);
            }
        }
    }
    routes
}

/// Which of two routes to the same network decides; the rest of the key keeps the choice blind to order.
fn rank(route: &Route) -> (u8, &Route) {
    let class = match route.origin {
        RouteOrigin::Created => 0,
        RouteOrigin::Table => 1,
        RouteOrigin::Propagated => 2,
    };
    (class, route)
}

fn destination(path: &str, route: &shape::Route, reading: &mut Reading<'_>) -> Option<Destination> {
    let mut found = [
        ("DestinationCidrBlock", &route.destination_cidr_block),
        (
            "DestinationIpv6CidrBlock",
            &route.destination_ipv6_cidr_block,
        ),
        ("DestinationPrefixListId", &route.destination_prefix_list_id),
    ]
    .into_iter()
    .filter_map(|(member, text)| said(text).map(|text| (member, text)));
    match (found.next(), found.next()) {
        (Some(("DestinationPrefixListId", id)), None) if id.starts_with("pl-") => {
            Some(Destination::PrefixList(id.into()))
        }
        (Some((member, text)), None) => reading
            .parse(&format!("{path}.{member}"), text)
            .map(Destination::cidr),
        (first, _) => {
            let what = if first.is_none() {
                "no destination"
            } else {
                "more than one destination"
            };
            reading.tell(format!("{path}.Destination"), what);
            None
        }
    }
}

fn route(
    path: &str,
    route: &shape::Route,
    destination: &Destination,
    reading: &mut Reading<'_>,
) -> Route {
    let target = target(path, route, destination, reading);
    let origin = match said(&route.origin) {
        Some("CreateRouteTable") => RouteOrigin::Table,
        Some("CreateRoute") => RouteOrigin::Created,
        Some("EnableVgwRoutePropagation" | "Advertisement") => RouteOrigin::Propagated,
        None if target == RouteTarget::Local => RouteOrigin::Table,
        None => RouteOrigin::Created,
        Some(other) => {
            // Not known to be writable: treated like the routes that are not ours to write.
            reading.tell(format!("{path}.Origin"), other);
            RouteOrigin::Propagated
        }
    };
    let blackhole = match said(&route.state) {
        None | Some("active") => false,
        Some("blackhole") => true,
        Some(other) => {
            reading.tell(format!("{path}.State"), other);
            false
        }
    };
    Route {
        target,
        origin,
        blackhole,
    }
}

/// The one target, by member and id prefix. `GatewayId` holds local, igw-, vgw- and vpce-; an
/// instance route is its ENI (semantics A4, describe quirk).
fn target(
    path: &str,
    route: &shape::Route,
    destination: &Destination,
    reading: &mut Reading<'_>,
) -> RouteTarget {
    type Make = fn(String) -> RouteTarget;
    let instance = if said(&route.network_interface_id).is_some() {
        &None
    } else {
        &route.instance_id
    };
    let members: [(&str, &Option<String>, Option<Make>); 11] = [
        ("GatewayId", &route.gateway_id, None),
        (
            "NatGatewayId",
            &route.nat_gateway_id,
            Some(RouteTarget::NatGateway),
        ),
        (
            "EgressOnlyInternetGatewayId",
            &route.egress_only_internet_gateway_id,
            Some(RouteTarget::EgressOnlyInternetGateway),
        ),
        (
            "NetworkInterfaceId",
            &route.network_interface_id,
            Some(RouteTarget::NetworkInterface),
        ),
        ("InstanceId", instance, Some(RouteTarget::Unrecognized)),
        (
            "VpcPeeringConnectionId",
            &route.vpc_peering_connection_id,
            Some(RouteTarget::VpcPeeringConnection),
        ),
        (
            "TransitGatewayId",
            &route.transit_gateway_id,
            Some(RouteTarget::TransitGateway),
        ),
        ("VpcEndpointId", &route.vpc_endpoint_id, None),
        (
            "CarrierGatewayId",
            &route.carrier_gateway_id,
            Some(RouteTarget::CarrierGateway),
        ),
        (
            "LocalGatewayId",
            &route.local_gateway_id,
            Some(RouteTarget::LocalGateway),
        ),
        (
            "CoreNetworkArn",
            &route.core_network_arn,
            Some(RouteTarget::CoreNetwork),
        ),
    ];
    let mut found = members.into_iter().filter_map(|(member, id, make)| {
        said(id).map(|id| {
            (
                member,
                make.map_or_else(|| by_prefix(id, destination), |make| make(id.to_owned())),
            )
        })
    });
    match (found.next(), found.next()) {
        (Some((member, target)), None) => {
            if let RouteTarget::Unrecognized(id) = &target {
                reading.tell(format!("{path}.{member}"), id);
            }
            target
        }
        (Some((first, one)), Some((second, two))) => {
            let both = format!("{one} and {two}");
            reading.tell(format!("{path}.{first}, {second}"), &both);
            RouteTarget::Unrecognized(both)
        }
        (None, _) => RouteTarget::Unrecognized(unnamed(path, route, reading)),
    }
}

/// A target by the prefix of its id, for the members that hold several kinds.
fn by_prefix(id: &str, destination: &Destination) -> RouteTarget {
    let prefix = id.split_once('-').map_or(id, |(prefix, _)| prefix);
    let id = id.to_owned();
    match (prefix, destination) {
        ("local", _) => RouteTarget::Local,
        ("igw", _) => RouteTarget::InternetGateway(id),
        ("vgw", _) => RouteTarget::VpnGateway(id),
        ("vpce", Destination::PrefixList(_)) => RouteTarget::GatewayEndpoint(id),
        ("vpce", Destination::Ipv4(_) | Destination::Ipv6(_)) => {
            RouteTarget::GatewayLoadBalancerEndpoint(id)
        }
        ("eigw", _) => RouteTarget::EgressOnlyInternetGateway(id),
        ("nat", _) => RouteTarget::NatGateway(id),
        ("cagw", _) => RouteTarget::CarrierGateway(id),
        ("lgw", _) => RouteTarget::LocalGateway(id),
        _ => RouteTarget::Unrecognized(id),
    }
}

/// The id in a target member that this version does not know, so that two such routes still compare.
fn unnamed(path: &str, route: &shape::Route, reading: &mut Reading<'_>) -> String {
    let strings = |(_, value): (&String, &Value)| value.as_str().map(str::to_owned);
    let ids: Vec<String> = route
        .other
        .iter()
        .filter_map(strings)
        .filter(|id| !id.is_empty())
        .collect();
    if ids.is_empty() {
        reading.tell(format!("{path}.target"), "none");
        return "none".to_owned();
    }
    ids.join(" ")
}
