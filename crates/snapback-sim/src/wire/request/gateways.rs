//! Gateways, peerings, endpoints.

use super::{address, invalid, tags};
use crate::account::ApiError;
use crate::call::{Call, EndpointRequest, NatRequest, Provide};
use crate::wire::form::Fields;
use snapback_model::*;

pub(super) fn call(action: &str, fields: &Fields<'_>) -> Option<Result<Call, ApiError>> {
    Some(match action {
        "AttachInternetGateway" => {
            internet(fields).map(|(gateway, vpc)| Call::AttachInternetGateway { gateway, vpc })
        }
        "DetachInternetGateway" => {
            internet(fields).map(|(gateway, vpc)| Call::DetachInternetGateway { gateway, vpc })
        }
        "DeleteInternetGateway" => fields
            .id("InternetGatewayId")
            .map(|gateway| Call::DeleteInternetGateway { gateway }),
        "CreateNatGateway" => nat(fields),
        "DeleteNatGateway" => fields
            .id("NatGatewayId")
            .map(|gateway| Call::DeleteNatGateway { gateway }),
        "DeleteVpcPeeringConnection" => fields
            .id("VpcPeeringConnectionId")
            .map(|peering| Call::DeleteVpcPeeringConnection { peering }),
        "ModifyVpcEndpoint" => modify_endpoint(fields),
        "CreateVpcEndpoint" => create_endpoint(fields)
            .map(|request| Call::Provide(Provide::CreateVpcEndpoint(request))),
        _ => return None,
    })
}

fn internet(fields: &Fields<'_>) -> Result<(String, VpcId), ApiError> {
    Ok((fields.id("InternetGatewayId")?, fields.id("VpcId")?))
}

/// Zonal gateways only.
fn nat(fields: &Fields<'_>) -> Result<Call, ApiError> {
    if let Some(mode) = fields
        .some("AvailabilityMode")
        .filter(|mode| *mode != "zonal")
    {
        return Err(invalid("AvailabilityMode", mode));
    }
    let connectivity = match fields.some("ConnectivityType") {
        None | Some("public") => Connectivity::Public,
        Some("private") => Connectivity::Private,
        Some(other) => return Err(invalid("ConnectivityType", other)),
    };
    Ok(Call::CreateNatGateway(NatRequest {
        subnet: fields.id("SubnetId")?,
        connectivity,
        allocation: fields.some("AllocationId").map(str::to_owned),
        private: address(fields, "PrivateIpAddress")?,
        tags: tags(fields, "natgateway")?,
    }))
}

fn modify_endpoint(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::ModifyVpcEndpoint {
        endpoint: fields.id("VpcEndpointId")?,
        add_tables: fields.ids("AddRouteTableId"),
        remove_tables: fields.ids("RemoveRouteTableId"),
        add_subnets: fields.ids("AddSubnetId"),
        remove_subnets: fields.ids("RemoveSubnetId"),
        add_groups: fields.ids("AddSecurityGroupId"),
        remove_groups: fields.ids("RemoveSecurityGroupId"),
    })
}

fn create_endpoint(fields: &Fields<'_>) -> Result<EndpointRequest, ApiError> {
    let kind = match fields.some("VpcEndpointType") {
        None | Some("Gateway") => EndpointKind::Gateway,
        Some("Interface") => EndpointKind::Interface,
        Some("GatewayLoadBalancer") => EndpointKind::GatewayLoadBalancer,
        Some(other) => return Err(invalid("VpcEndpointType", other)),
    };
    Ok(EndpointRequest {
        vpc: fields.id("VpcId")?,
        service: fields.required("ServiceName")?.to_owned(),
        kind,
        tables: fields.ids("RouteTableId"),
        subnets: fields.ids("SubnetId"),
        groups: fields.ids("SecurityGroupId"),
        private_dns: fields.flag("PrivateDnsEnabled")?.unwrap_or(false),
        tags: tags(fields, "vpc-endpoint")?,
    })
}
