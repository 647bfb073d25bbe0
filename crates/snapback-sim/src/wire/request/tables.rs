//! Route table calls.

use super::{exactly_one, network, tags};
use crate::account::{Account, ApiError};
use crate::call::Call;
use crate::wire::form::Fields;
use snapback_model::*;

pub(super) fn call(
    action: &str,
    fields: &Fields<'_>,
    account: &Account,
) -> Option<Result<Call, ApiError>> {
    Some(match action {
        "CreateRoute" => {
            route(fields, account, false).map(|(table, destination, target)| Call::CreateRoute {
                table,
                destination,
                target,
            })
        }
        "ReplaceRoute" => {
            route(fields, account, true).map(|(table, destination, target)| Call::ReplaceRoute {
                table,
                destination,
                target,
            })
        }
        "DeleteRoute" => delete(fields),
        "AssociateRouteTable" => associate(fields),
        "DisassociateRouteTable" => fields
            .id("AssociationId")
            .map(|association| Call::DisassociateRouteTable { association }),
        "ReplaceRouteTableAssociation" => replace_association(fields),
        "CreateRouteTable" => create(fields),
        "DeleteRouteTable" => fields
            .id("RouteTableId")
            .map(|table| Call::DeleteRouteTable { table }),
        "EnableVgwRoutePropagation" => propagation(fields)
            .map(|(table, gateway)| Call::EnableVgwRoutePropagation { table, gateway }),
        "DisableVgwRoutePropagation" => propagation(fields)
            .map(|(table, gateway)| Call::DisableVgwRoutePropagation { table, gateway }),
        _ => return None,
    })
}

fn destination(fields: &Fields<'_>) -> Result<Destination, ApiError> {
    let v4 = network(fields, "DestinationCidrBlock", false)?
        .map(|net| ("DestinationCidrBlock", Destination::cidr(net)));
    let v6 = network(fields, "DestinationIpv6CidrBlock", true)?
        .map(|net| ("DestinationIpv6CidrBlock", Destination::cidr(net)));
    let list = fields.some("DestinationPrefixListId").map(|id| {
        let list = Destination::PrefixList(id.into());
        ("DestinationPrefixListId", list)
    });
    exactly_one(
        [v4, v6, list].into_iter().flatten().collect(),
        "DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId",
    )
}

/// What `GatewayId` holds goes by its prefix (semantics A4).
fn gateway(id: &str) -> RouteTarget {
    let id = id.to_owned();
    match id.split('-').next() {
        Some("local") => RouteTarget::Local,
        Some("igw") => RouteTarget::InternetGateway(id),
        Some("vgw") => RouteTarget::VpnGateway(id),
        Some("vpce") => RouteTarget::GatewayLoadBalancerEndpoint(id),
        _ => RouteTarget::Unrecognized(id),
    }
}

/// An instance is its one interface.
fn interface_of(account: &Account, instance: &str) -> Result<RouteTarget, ApiError> {
    let mut held = account
        .topology
        .interfaces
        .values()
        .filter(|interface| interface.instance.as_deref() == Some(instance));
    match (held.next(), held.next()) {
        (Some(interface), None) => Ok(RouteTarget::NetworkInterface(interface.id.to_string())),
        (Some(_), Some(_)) => Err(ApiError::new(
            "InvalidInstanceID",
            format!(
                "There are multiple interfaces attached to instance '{instance}'. Please specify an interface ID for the operation instead."
            ),
        )),
        (None, _) => Err(ApiError::new(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{instance}' does not exist"),
        )),
    }
}

/// A target and the member it is sent as.
type Member = (&'static str, fn(String) -> RouteTarget);

const TARGETS: [Member; 9] = [
    ("NatGatewayId", RouteTarget::NatGateway),
    (
        "EgressOnlyInternetGatewayId",
        RouteTarget::EgressOnlyInternetGateway,
    ),
    ("NetworkInterfaceId", RouteTarget::NetworkInterface),
    ("VpcPeeringConnectionId", RouteTarget::VpcPeeringConnection),
    ("TransitGatewayId", RouteTarget::TransitGateway),
    ("VpcEndpointId", RouteTarget::GatewayLoadBalancerEndpoint),
    ("CarrierGatewayId", RouteTarget::CarrierGateway),
    ("LocalGatewayId", RouteTarget::LocalGateway),
    ("CoreNetworkArn", RouteTarget::CoreNetwork),
];

/// The target; only a replacement may name the local one.
fn target(fields: &Fields<'_>, account: &Account, replaces: bool) -> Result<RouteTarget, ApiError> {
    let mut found: Vec<(&str, RouteTarget)> = TARGETS
        .into_iter()
        .filter_map(|(name, make)| Some((name, make(fields.some(name)?.to_owned()))))
        .collect();
    found.extend(
        fields
            .some("GatewayId")
            .map(|id| ("GatewayId", gateway(id))),
    );
    if let Some(instance) = fields.some("InstanceId") {
        found.push(("InstanceId", interface_of(account, instance)?));
    }
    if replaces && fields.flag("LocalTarget")? == Some(true) {
        found.push(("LocalTarget", RouteTarget::Local));
    }
    exactly_one(
        found,
        "a gateway, NAT gateway, interface, instance, peering or other target",
    )
}

fn route(
    fields: &Fields<'_>,
    account: &Account,
    replaces: bool,
) -> Result<(RouteTableId, Destination, RouteTarget), ApiError> {
    let table = fields.id("RouteTableId")?;
    Ok((
        table,
        destination(fields)?,
        target(fields, account, replaces)?,
    ))
}

fn delete(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::DeleteRoute {
        table: fields.id("RouteTableId")?,
        destination: destination(fields)?,
    })
}

fn associate(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let subnet = fields
        .some("SubnetId")
        .map(|id| ("SubnetId", AssociationSubject::Subnet(id.into())));
    let gateway = fields
        .some("GatewayId")
        .map(|id| ("GatewayId", AssociationSubject::Gateway(id.into())));
    Ok(Call::AssociateRouteTable {
        table: fields.id("RouteTableId")?,
        subject: exactly_one(
            subnet.into_iter().chain(gateway).collect(),
            "SubnetId, GatewayId",
        )?,
    })
}

fn replace_association(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::ReplaceRouteTableAssociation {
        association: fields.id("AssociationId")?,
        table: fields.id("RouteTableId")?,
    })
}

fn create(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::CreateRouteTable {
        vpc: fields.id("VpcId")?,
        tags: tags(fields, "route-table")?,
    })
}

fn propagation(fields: &Fields<'_>) -> Result<(RouteTableId, GatewayId), ApiError> {
    Ok((fields.id("RouteTableId")?, fields.id("GatewayId")?))
}
