//! Calls on route tables (cloudtrail-shapes.md 5), all of the flat style.

use super::params::{Node, network, prefix_list_id};
use super::reading::{Reading, omitted};
use super::{DeletedRef, Edit, Touched};
use crate::event::Record;
use snapback_model::*;
use std::collections::BTreeMap;

/// CreateRoute, ReplaceRoute.
pub(super) fn route_set(record: &Record) -> Reading {
    on_table(record, |table, request| {
        let destination = destination(request)?;
        let target = target(request, &destination)?;
        Ok(vec![Edit::RouteSet {
            table: table.clone(),
            destination,
            target,
        }])
    })
}

/// DeleteRoute.
pub(super) fn route_removed(record: &Record) -> Reading {
    on_table(record, |table, request| {
        Ok(vec![Edit::RouteRemoved {
            table: table.clone(),
            destination: destination(request)?,
        }])
    })
}

/// DeleteRouteTable.
pub(super) fn deleted(record: &Record) -> Reading {
    on_table(record, |table, _| {
        Ok(vec![Edit::Deleted {
            resource: DeletedRef::Id(table.clone().into()),
        }])
    })
}

/// AssociateRouteTable, with a subnet or (edge) a gateway.
pub(super) fn associated(record: &Record) -> Reading {
    on_table(record, |table, request| {
        let subnet = request
            .get("subnetId")
            .text()
            .map(|id| AssociationSubject::Subnet(SubnetId::new(id)));
        let gateway = || {
            request
                .get("gatewayId")
                .text()
                .map(|id| AssociationSubject::Gateway(GatewayId::new(id)))
        };
        let subject = subnet
            .or_else(gateway)
            .ok_or("`subnetId` or `gatewayId` is missing")?;
        let association = Node::new(&record.response_elements)
            .get("associationId")
            .text()
            .map(AssociationId::new);
        Ok(vec![Edit::TableAssociated {
            table: table.clone(),
            subject,
            association,
        }])
    })
}

/// EnableVgwRoutePropagation, DisableVgwRoutePropagation.
pub(super) fn propagation(record: &Record, enabled: bool) -> Reading {
    on_table(record, |table, request| {
        let gateway = GatewayId::new(request.need("gatewayId")?);
        Ok(vec![Edit::PropagationSet {
            table: table.clone(),
            gateway,
            enabled,
        }])
    })
}

/// DisassociateRouteTable: names neither subnet nor table.
pub(super) fn disassociated(record: &Record) -> Reading {
    match Node::new(&record.request_parameters)
        .get("associationId")
        .text()
        .map(AssociationId::new)
    {
        Some(association) => {
            let touched = [Touched::Association(association.clone())];
            Reading::known(touched, vec![Edit::TableDisassociated { association }])
        }
        None => Reading::unknown(
            [],
            omitted(record).unwrap_or_else(|| "`associationId` is missing".into()),
        ),
    }
}

/// ReplaceRouteTableAssociation, the main association included: names the new table only.
pub(super) fn reassociated(record: &Record) -> Reading {
    let request = Node::new(&record.request_parameters);
    let table = request.get("routeTableId").text().and_then(table_id);
    let association = request.get("associationId").text().map(AssociationId::new);
    let mut touched: Vec<Touched> = table
        .iter()
        .map(|table| Touched::Resource(table.clone().into()))
        .collect();
    touched.extend(association.clone().map(Touched::Association));
    let (Some(table), Some(association)) = (table, association) else {
        let why = omitted(record)
            .unwrap_or_else(|| "`associationId` or `routeTableId` is missing".into());
        return Reading::unknown(touched, why);
    };
    let new_association = Node::new(&record.response_elements)
        .get("newAssociationId")
        .text()
        .map(AssociationId::new);
    Reading::known(
        touched,
        vec![Edit::TableReassociated {
            association,
            table,
            new_association,
        }],
    )
}

/// CreateRouteTable: born with the local routes.
pub(super) fn created(record: &Record) -> Reading {
    let request = Node::new(&record.request_parameters);
    let table = Node::new(&record.response_elements).get("routeTable");
    let Some(id) = table.get("routeTableId").text().and_then(table_id) else {
        return Reading::unknown(
            [],
            "the response does not tell the id of the new route table",
        );
    };
    let touched = [Touched::Resource(id.clone().into())];
    match born(id, table, request) {
        Ok(table) => Reading::known(
            touched,
            vec![Edit::Created {
                resource: Box::new(Resource::RouteTable(table)),
            }],
        ),
        Err(why) => Reading::unknown(touched, why),
    }
}

fn on_table(
    record: &Record,
    edits: impl FnOnce(&RouteTableId, Node<'_>) -> Result<Vec<Edit>, String>,
) -> Reading {
    let request = Node::new(&record.request_parameters);
    let Some(table) = request.get("routeTableId").text().and_then(table_id) else {
        return Reading::unknown(
            [],
            omitted(record).unwrap_or_else(|| "the event names no route table".into()),
        );
    };
    let touched = [Touched::Resource(table.clone().into())];
    match edits(&table, request) {
        Ok(edits) => Reading::known(touched, edits),
        Err(why) => Reading::unknown(touched, why),
    }
}

fn born(id: RouteTableId, table: Node<'_>, request: Node<'_>) -> Result<RouteTable, String> {
    let vpc = table
        .get("vpcId")
        .text()
        .or_else(|| request.get("vpcId").text())
        .ok_or("`vpcId` is missing")?;
    let tags = table.get("tagSet").tags();
    let mut routes = BTreeMap::new();
    for node in table.get("routeSet").list() {
        let destination = destination(node)?;
        let target = target(node, &destination)?;
        let origin = match node.get("origin").text().as_deref() {
            Some("CreateRouteTable") => RouteOrigin::Table,
            Some("CreateRoute") => RouteOrigin::Created,
            Some("EnableVgwRoutePropagation" | "Advertisement") => RouteOrigin::Propagated,
            None if target == RouteTarget::Local => RouteOrigin::Table,
            None => RouteOrigin::Created,
            Some(other) => {
                return Err(format!(
                    "a route has the origin `{other}`, which this version does not know"
                ));
            }
        };
        let blackhole = node.get("state").text().as_deref() == Some("blackhole");
        routes.insert(
            destination,
            Route {
                target,
                origin,
                blackhole,
            },
        );
    }
    let associations = table.get("associationSet").list();
    let ids = |member: &'static str| {
        associations
            .iter()
            .filter_map(move |node| node.get(member).text())
    };
    let propagating = table
        .get("propagatingVgwSet")
        .list()
        .into_iter()
        .filter_map(|node| node.get("gatewayId").text());
    Ok(RouteTable {
        id,
        vpc: VpcId::new(vpc),
        owner: table.get("ownerId").account(),
        tags: if tags.is_empty() {
            request.tags_for("route-table")
        } else {
            tags
        },
        main: associations
            .iter()
            .any(|node| node.get("main").boolean() == Some(true)),
        routes,
        subnets: ids("subnetId").map(SubnetId::new).collect(),
        gateways: ids("gatewayId").map(GatewayId::new).collect(),
        propagating: propagating.map(GatewayId::new).collect(),
    })
}

fn destination(node: Node<'_>) -> Result<Destination, String> {
    if let Some(list) = node.get("destinationPrefixListId").text() {
        return prefix_list_id(list).map(Destination::PrefixList);
    }
    let cidr = node
        .any(&["destinationCidrBlock", "destinationIpv6CidrBlock"])
        .text();
    network(&cidr.ok_or("the route's destination is missing")?).map(Destination::cidr)
}

/// Members of a route or route request that are no target.
const NO_TARGETS: [&str; 11] = [
    "routeTableId",
    "destinationCidrBlock",
    "destinationIpv6CidrBlock",
    "destinationPrefixListId",
    "dryRun",
    "state",
    "origin",
    "instanceOwnerId",
    "localTarget",
    "instanceId",
    "clientToken",
];

/// The next hop. `gatewayId` holds local, igw-, vgw- and vpce- (semantics A4).
fn target(node: Node<'_>, destination: &Destination) -> Result<RouteTarget, String> {
    type Make = fn(String) -> RouteTarget;
    const BY_MEMBER: [(&str, Make); 9] = [
        ("natGatewayId", RouteTarget::NatGateway),
        ("networkInterfaceId", RouteTarget::NetworkInterface),
        ("transitGatewayId", RouteTarget::TransitGateway),
        ("vpcPeeringConnectionId", RouteTarget::VpcPeeringConnection),
        (
            "egressOnlyInternetGatewayId",
            RouteTarget::EgressOnlyInternetGateway,
        ),
        ("vpcEndpointId", RouteTarget::GatewayLoadBalancerEndpoint),
        ("localGatewayId", RouteTarget::LocalGateway),
        ("carrierGatewayId", RouteTarget::CarrierGateway),
        ("coreNetworkArn", RouteTarget::CoreNetwork),
    ];
    if let Some(id) = node.get("gatewayId").text() {
        return Ok(by_gateway(id, destination));
    }
    if node.get("localTarget").boolean() == Some(true) {
        return Ok(RouteTarget::Local);
    }
    for (member, make) in BY_MEMBER {
        if let Some(id) = node.get(member).text() {
            return Ok(make(id));
        }
    }
    if let Some(instance) = node.get("instanceId").text() {
        return Err(format!(
            "the route leads to instance {instance}; the event does not tell its network interface"
        ));
    }
    node.members()
        .filter(|(name, _)| !NO_TARGETS.contains(name))
        .find_map(|(_, value)| value.text())
        .map(RouteTarget::Unrecognized)
        .ok_or_else(|| "the route's target is missing".into())
}

fn by_gateway(id: String, destination: &Destination) -> RouteTarget {
    match (id.split_once('-').map(|(prefix, _)| prefix), destination) {
        (None, _) if id == "local" => RouteTarget::Local,
        (Some("igw"), _) => RouteTarget::InternetGateway(id),
        (Some("vgw"), _) => RouteTarget::VpnGateway(id),
        (Some("vpce"), Destination::PrefixList(_)) => RouteTarget::GatewayEndpoint(id),
        (Some("vpce"), _) => RouteTarget::GatewayLoadBalancerEndpoint(id),
        _ => RouteTarget::Unrecognized(id),
    }
}

fn table_id(text: String) -> Option<RouteTableId> {
    text.starts_with("rtb-").then(|| RouteTableId::new(text))
}
