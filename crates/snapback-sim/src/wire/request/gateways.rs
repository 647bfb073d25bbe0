//! Gateways, peerings, endpoints.

use super::{address, invalid, tags};
use crate::account::ApiError;
use crate::call::{Call, EndpointRequest, NatPlace, NatRequest, Provide};
use crate::wire::form::Fields;
use snapback_model::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

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
        "AssociateNatGatewayAddress" => fields.id("NatGatewayId").and_then(|gateway| {
            Ok(Call::AssociateNatGatewayAddress {
                gateway,
                allocations: fields.ids("AllocationId"),
                private: private(fields)?,
            })
        }),
        "AssignPrivateNatGatewayAddress" => fields.id("NatGatewayId").and_then(|gateway| {
            let private = private(fields)?;
            Ok(Call::AssignPrivateNatGatewayAddress { gateway, private })
        }),
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

fn private(fields: &Fields<'_>) -> Result<Vec<IpAddr>, ApiError> {
    let named: Vec<String> = fields.ids("PrivateIpAddress");
    let read = |text: &String| text.parse().map_err(|_| invalid("PrivateIpAddress", text));
    named.iter().map(read).collect()
}

fn nat(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let place = match fields.some("AvailabilityMode") {
        None | Some("zonal") => NatPlace::Subnet(fields.id("SubnetId")?),
        Some("regional") => {
            let mut zones = BTreeMap::new();
            for zone in fields.list("AvailabilityZoneAddress") {
                let name = zone.required("AvailabilityZone")?.to_owned();
                let allocations: Vec<String> = zone.ids("AllocationId");
                zones.insert(name, allocations.into_iter().collect());
            }
            let vpc = fields.id("VpcId")?;
            NatPlace::Regional { vpc, zones }
        }
        Some(mode) => return Err(invalid("AvailabilityMode", mode)),
    };
    let connectivity = match fields.some("ConnectivityType") {
        None | Some("public") => Connectivity::Public,
        Some("private") => Connectivity::Private,
        Some(other) => return Err(invalid("ConnectivityType", other)),
    };
    Ok(Call::CreateNatGateway(NatRequest {
        place,
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
