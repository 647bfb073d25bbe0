//! Route tables.

use super::{Ids, Listing, shown, tag_list};
use crate::account::{Account, Table};
use serde_json::{Map, Value, json};
use snapback_model::*;

pub(super) const TABLES: Listing = Listing {
    action: "DescribeRouteTables",
    member: "RouteTables",
    key: &["RouteTableId"],
    ids: &[Ids {
        parameter: "RouteTableId",
        member: "RouteTableId",
        code: "InvalidRouteTableID.NotFound",
        what: "routeTable",
    }],
    sizes: Some((5, 100)),
    filters: &[
        ("association.gateway-id", "Associations.GatewayId"),
        ("association.main", "Associations.Main"),
        (
            "association.route-table-association-id",
            "Associations.RouteTableAssociationId",
        ),
        ("association.route-table-id", "Associations.RouteTableId"),
        ("association.subnet-id", "Associations.SubnetId"),
        ("owner-id", "OwnerId"),
        ("route-table-id", "RouteTableId"),
        (
            "route.destination-cidr-block",
            "Routes.DestinationCidrBlock",
        ),
        (
            "route.destination-ipv6-cidr-block",
            "Routes.DestinationIpv6CidrBlock",
        ),
        (
            "route.destination-prefix-list-id",
            "Routes.DestinationPrefixListId",
        ),
        (
            "route.egress-only-internet-gateway-id",
            "Routes.EgressOnlyInternetGatewayId",
        ),
        ("route.gateway-id", "Routes.GatewayId"),
        ("route.instance-id", "Routes.InstanceId"),
        ("route.nat-gateway-id", "Routes.NatGatewayId"),
        ("route.network-interface-id", "Routes.NetworkInterfaceId"),
        ("route.origin", "Routes.Origin"),
        ("route.state", "Routes.State"),
        ("route.transit-gateway-id", "Routes.TransitGatewayId"),
        (
            "route.vpc-peering-connection-id",
            "Routes.VpcPeeringConnectionId",
        ),
        ("vpc-id", "VpcId"),
    ],
    items: tables,
};

/// The member that holds a target; `GatewayId` holds endpoints too (semantics A4).
fn target(target: &RouteTarget) -> &'static str {
    match target {
        RouteTarget::Local
        | RouteTarget::InternetGateway(_)
        | RouteTarget::VpnGateway(_)
        | RouteTarget::GatewayEndpoint(_)
        | RouteTarget::GatewayLoadBalancerEndpoint(_)
        | RouteTarget::Unrecognized(_) => "GatewayId",
        RouteTarget::NatGateway(_) => "NatGatewayId",
        RouteTarget::EgressOnlyInternetGateway(_) => "EgressOnlyInternetGatewayId",
        RouteTarget::NetworkInterface(_) => "NetworkInterfaceId",
        RouteTarget::VpcPeeringConnection(_) => "VpcPeeringConnectionId",
        RouteTarget::TransitGateway(_) => "TransitGatewayId",
        RouteTarget::CarrierGateway(_) => "CarrierGatewayId",
        RouteTarget::LocalGateway(_) => "LocalGatewayId",
        RouteTarget::CoreNetwork(_) => "CoreNetworkArn",
    }
}

fn route(account: &Account, destination: &Destination, held: &Route) -> Value {
    let to = match destination {
        Destination::Ipv4(_) => "DestinationCidrBlock",
        Destination::Ipv6(_) => "DestinationIpv6CidrBlock",
        Destination::PrefixList(_) => "DestinationPrefixListId",
    };
    let origin = match held.origin {
        RouteOrigin::Table => "CreateRouteTable",
        RouteOrigin::Created => "CreateRoute",
        RouteOrigin::Propagated => "EnableVgwRoutePropagation",
    };
    let state = if held.blackhole {
        "blackhole"
    } else {
        "active"
    };
    let mut route = Map::from_iter([
        (to.to_owned(), json!(destination.to_string())),
        (target(&held.target).to_owned(), json!(held.target.id())),
        ("Origin".to_owned(), json!(origin)),
        ("State".to_owned(), json!(state)),
    ]);
    // A route to an instance's interface is told with the instance.
    if let RouteTarget::NetworkInterface(id) = &held.target {
        let interface = account
            .topology
            .interfaces
            .get(&NetworkInterfaceId::new(id.as_str()));
        if let Some(instance) = interface.and_then(|interface| interface.instance.as_ref()) {
            route.insert("InstanceId".into(), json!(instance));
            route.insert("InstanceOwnerId".into(), json!(account.id));
        }
    }
    Value::Object(route)
}

fn association(table: &Table, id: &AssociationId, subject: &AssociationSubject) -> Value {
    let (subnet, gateway) = match subject {
        AssociationSubject::Subnet(subnet) => (Some(subnet), None),
        AssociationSubject::Gateway(gateway) => (None, Some(gateway)),
        AssociationSubject::Main(_) => (None, None),
    };
    json!({
        "RouteTableAssociationId": id,
        "RouteTableId": table.id,
        "Main": matches!(subject, AssociationSubject::Main(_)),
        "SubnetId": subnet,
        "GatewayId": gateway,
        "AssociationState": {"State": "associated"},
    })
}

/// One table.
pub(in crate::wire) fn table(account: &Account, table: &Table) -> Value {
    let state = account.table_state(table);
    let routes = state
        .routes
        .iter()
        .map(|(destination, held)| route(account, destination, held));
    let associations = table
        .associations
        .iter()
        .map(|(id, subject)| association(table, id, subject));
    let propagating = table.propagating.iter().map(|id| json!({"GatewayId": id}));
    shown(json!({
        "RouteTableId": table.id,
        "VpcId": table.vpc,
        "OwnerId": account.id,
        "Routes": routes.collect::<Value>(),
        "Associations": associations.collect::<Value>(),
        "PropagatingVgws": propagating.collect::<Value>(),
        "Tags": tag_list(&table.tags),
    }))
}

fn tables(account: &Account) -> Vec<Value> {
    account
        .tables
        .values()
        .map(|held| table(account, held))
        .collect()
}
