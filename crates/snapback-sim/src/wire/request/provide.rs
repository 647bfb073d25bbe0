//! Calls that an account is built from.

use super::context::entries;
use super::{invalid, network, tags};
use crate::account::ApiError;
use crate::call::{Call, Provide};
use crate::wire::form::Fields;
use ipnet::IpNet;
use snapback_model::*;

pub(super) fn call(action: &str, fields: &Fields<'_>) -> Option<Result<Call, ApiError>> {
    let provide = match action {
        "CreateVpc" => create_vpc(fields),
        "DeleteVpc" => fields.id("VpcId").map(|vpc| Provide::DeleteVpc { vpc }),
        "DeleteSubnet" => fields
            .id("SubnetId")
            .map(|subnet| Provide::DeleteSubnet { subnet }),
        "CreateInternetGateway" => {
            tags(fields, "internet-gateway").map(|tags| Provide::CreateInternetGateway { tags })
        }
        "CreateEgressOnlyInternetGateway" => egress_only(fields),
        "CreateVpnGateway" => vpn(fields),
        "AttachVpnGateway" => {
            attached(fields).map(|(gateway, vpc)| Provide::AttachVpnGateway { gateway, vpc })
        }
        "DetachVpnGateway" => {
            attached(fields).map(|(gateway, vpc)| Provide::DetachVpnGateway { gateway, vpc })
        }
        "AllocateAddress" => allocate(fields),
        "ReleaseAddress" => fields
            .id("AllocationId")
            .map(|allocation| Provide::ReleaseAddress { allocation }),
        "CreateVpcPeeringConnection" => peering(fields),
        "AcceptVpcPeeringConnection" => fields
            .id("VpcPeeringConnectionId")
            .map(|peering| Provide::AcceptVpcPeeringConnection { peering }),
        "DeleteVpcEndpoints" => endpoints(fields),
        "CreateManagedPrefixList" => prefix_list(fields),
        "DeleteManagedPrefixList" => fields
            .id("PrefixListId")
            .map(|list| Provide::DeleteManagedPrefixList { list }),
        "CreateFlowLogs" => flow_logs(fields),
        "DeleteFlowLogs" => delete_flow_logs(fields),
        "ModifyVpcBlockPublicAccessOptions" => block(fields),
        _ => return None,
    };
    Some(provide.map(Call::Provide))
}

fn create_vpc(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    if let Some(other) = fields
        .some("InstanceTenancy")
        .filter(|tenancy| *tenancy != "default")
    {
        return Err(invalid("InstanceTenancy", other));
    }
    if fields.flag("AmazonProvidedIpv6CidrBlock")? == Some(true) {
        return Err(invalid("AmazonProvidedIpv6CidrBlock", "true"));
    }
    match network(fields, "CidrBlock", false)? {
        Some(IpNet::V4(cidr)) => Ok(Provide::CreateVpc {
            cidr,
            tags: tags(fields, "vpc")?,
        }),
        Some(IpNet::V6(_)) | None => Err(invalid("CidrBlock", fields.required("CidrBlock")?)),
    }
}

fn egress_only(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    Ok(Provide::CreateEgressOnlyInternetGateway {
        vpc: fields.id("VpcId")?,
        tags: tags(fields, "egress-only-internet-gateway")?,
    })
}

fn vpn(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    match fields.required("Type")? {
        "ipsec.1" => Ok(Provide::CreateVpnGateway {
            tags: tags(fields, "vpn-gateway")?,
        }),
        other => Err(invalid("Type", other)),
    }
}

fn attached(fields: &Fields<'_>) -> Result<(String, VpcId), ApiError> {
    Ok((fields.id("VpnGatewayId")?, fields.id("VpcId")?))
}

/// The address itself is ours to choose.
fn allocate(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    match fields.some("Domain") {
        None | Some("vpc") => Ok(Provide::AllocateAddress {
            tags: tags(fields, "elastic-ip")?,
        }),
        Some(other) => Err(invalid("Domain", other)),
    }
}

fn peering(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    Ok(Provide::CreateVpcPeeringConnection {
        vpc: fields.id("VpcId")?,
        peer: fields.id("PeerVpcId")?,
        owner: fields.some("PeerOwnerId").map(AccountId::from),
        region: fields.some("PeerRegion").map(Region::from),
        tags: tags(fields, "vpc-peering-connection")?,
    })
}

fn endpoints(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    let endpoints: Vec<String> = fields.ids("VpcEndpointId");
    if endpoints.is_empty() {
        fields.required("VpcEndpointId")?;
    }
    Ok(Provide::DeleteVpcEndpoints { endpoints })
}

fn prefix_list(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    let is_v6 = match fields.required("AddressFamily")? {
        "IPv4" => false,
        "IPv6" => true,
        other => return Err(invalid("AddressFamily", other)),
    };
    Ok(Provide::CreateManagedPrefixList {
        name: fields.required("PrefixListName")?.to_owned(),
        max_entries: fields.required_parsed("MaxEntries")?,
        is_v6,
        entries: entries(fields, "Entry")?,
    })
}

/// Where the records go is no part of the model.
fn flow_logs(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    for elsewhere in [
        "LogDestination",
        "LogDestinationType",
        "LogGroupName",
        "DeliverLogsPermissionArn",
        "LogFormat",
        "MaxAggregationInterval",
        "ResourceType",
    ] {
        fields.text(elsewhere);
    }
    let traffic = match fields.some("TrafficType") {
        None | Some("ALL") => FlowLogTraffic::All,
        Some("ACCEPT") => FlowLogTraffic::Accept,
        Some("REJECT") => FlowLogTraffic::Reject,
        Some(other) => return Err(invalid("TrafficType", other)),
    };
    let resources: Vec<String> = fields.ids("ResourceId");
    if resources.is_empty() {
        fields.required("ResourceId")?;
    }
    Ok(Provide::CreateFlowLogs {
        resources,
        traffic,
        tags: tags(fields, "vpc-flow-log")?,
    })
}

fn delete_flow_logs(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    let logs: Vec<String> = fields.ids("FlowLogId");
    if logs.is_empty() {
        fields.required("FlowLogId")?;
    }
    Ok(Provide::DeleteFlowLogs { logs })
}

fn block(fields: &Fields<'_>) -> Result<Provide, ApiError> {
    let mode = match fields.required("InternetGatewayBlockMode")? {
        "off" => BlockMode::Off,
        "block-bidirectional" => BlockMode::Bidirectional,
        "block-ingress" => BlockMode::Ingress,
        other => return Err(invalid("InternetGatewayBlockMode", other)),
    };
    Ok(Provide::ModifyVpcBlockPublicAccessOptions { mode })
}
