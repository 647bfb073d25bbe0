//! Route table records (cloudtrail-shapes.md 5): all flat.

use super::{items, tag_items, with_tag_specification};
use crate::account::Account;
use crate::call::Call;
use serde_json::{Map, Value, json};
use snapback_model::*;

fn destination(destination: &Destination) -> (String, Value) {
    let key = match destination {
        Destination::Ipv4(_) => "destinationCidrBlock",
        Destination::Ipv6(_) => "destinationIpv6CidrBlock",
        Destination::PrefixList(_) => "destinationPrefixListId",
    };
    (key.to_owned(), json!(destination.to_string()))
}

fn target(target: &RouteTarget) -> (String, Value) {
    let key = match target {
        RouteTarget::Local => return ("localTarget".to_owned(), json!(true)),
        RouteTarget::InternetGateway(_)
        | RouteTarget::VpnGateway(_)
        | RouteTarget::GatewayEndpoint(_)
        | RouteTarget::Unrecognized(_) => "gatewayId",
        RouteTarget::NatGateway(_) => "natGatewayId",
        RouteTarget::EgressOnlyInternetGateway(_) => "egressOnlyInternetGatewayId",
        RouteTarget::NetworkInterface(_) => "networkInterfaceId",
        RouteTarget::VpcPeeringConnection(_) => "vpcPeeringConnectionId",
        RouteTarget::TransitGateway(_) => "transitGatewayId",
        RouteTarget::GatewayLoadBalancerEndpoint(_) => "vpcEndpointId",
        RouteTarget::CarrierGateway(_) => "carrierGatewayId",
        RouteTarget::LocalGateway(_) => "localGatewayId",
        RouteTarget::CoreNetwork(_) => "coreNetworkArn",
    };
    (key.to_owned(), json!(target.id()))
}

pub(super) fn request(call: &Call) -> Value {
    match call {
        Call::CreateRoute {
            table,
            destination: to,
            target: via,
        }
        | Call::ReplaceRoute {
            table,
            destination: to,
            target: via,
        } => {
            let id = ("routeTableId".to_owned(), json!(table));
            Value::Object(Map::from_iter([id, destination(to), target(via)]))
        }
        Call::DeleteRoute {
            table,
            destination: to,
        } => Value::Object(Map::from_iter([
            ("routeTableId".to_owned(), json!(table)),
            destination(to),
        ])),
        Call::AssociateRouteTable { table, subject } => match subject {
            AssociationSubject::Subnet(subnet) => {
                json!({"routeTableId": table, "subnetId": subnet})
            }
            AssociationSubject::Gateway(gateway) => {
                json!({"routeTableId": table, "gatewayId": gateway})
            }
            AssociationSubject::Main(_) => json!({"routeTableId": table}),
        },
        Call::DisassociateRouteTable { association } => json!({"associationId": association}),
        Call::ReplaceRouteTableAssociation { association, table } => {
            json!({"associationId": association, "routeTableId": table})
        }
        Call::CreateRouteTable { vpc, tags } => {
            with_tag_specification(json!({"vpcId": vpc}), "route-table", tags)
        }
        Call::DeleteRouteTable { table } => json!({"routeTableId": table}),
        Call::EnableVgwRoutePropagation { table, gateway }
        | Call::DisableVgwRoutePropagation { table, gateway } => {
            json!({"routeTableId": table, "gatewayId": gateway})
        }
        _ => Value::Null,
    }
}

/// The response of CreateRouteTable: only the local routes.
pub(super) fn created(id: &RouteTableId, account: &Account, request: &RequestId) -> Value {
    let Some(table) = account.tables.get(id) else {
        return Value::Null;
    };
    let routes = table
        .routes
        .keys()
        .map(|to| {
            let fixed =
                json!({"gatewayId": "local", "state": "active", "origin": "CreateRouteTable"});
            let mut route = Map::from_iter([destination(to)]);
            if let Value::Object(members) = fixed {
                route.extend(members);
            }
            Value::Object(route)
        })
        .collect();
    json!({"requestId": request, "routeTable": {
        "routeTableId": id,
        "vpcId": table.vpc,
        "ownerId": account.id,
        "routeSet": items(routes),
        "associationSet": {},
        "propagatingVgwSet": {},
        "tagSet": items(tag_items(&table.tags)),
    }})
}
