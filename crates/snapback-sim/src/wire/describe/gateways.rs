//! Gateways, peerings and endpoints.

use super::{Ids, Listing, PAGE, shown, tag_list};
use crate::account::Account;
use ipnet::IpNet;
use serde_json::{Value, json};
use snapback_model::*;

pub(super) const INTERNET: Listing = Listing {
    action: "DescribeInternetGateways",
    member: "InternetGateways",
    key: &["InternetGatewayId"],
    ids: &[Ids {
        parameter: "InternetGatewayId",
        member: "InternetGatewayId",
        code: "InvalidInternetGatewayID.NotFound",
        what: "internetGateway",
    }],
    sizes: PAGE,
    filters: &[
        ("attachment.state", "Attachments.State"),
        ("attachment.vpc-id", "Attachments.VpcId"),
        ("internet-gateway-id", "InternetGatewayId"),
        ("owner-id", "OwnerId"),
    ],
    items: |account| of_kind(account, GatewayKind::Internet, internet),
};

pub(super) const EGRESS_ONLY: Listing = Listing {
    action: "DescribeEgressOnlyInternetGateways",
    member: "EgressOnlyInternetGateways",
    key: &["EgressOnlyInternetGatewayId"],
    ids: &[Ids {
        parameter: "EgressOnlyInternetGatewayId",
        member: "EgressOnlyInternetGatewayId",
        code: "InvalidGatewayID.NotFound",
        what: "egressOnlyInternetGateway",
    }],
    sizes: Some((5, 255)),
    filters: &[],
    items: |account| of_kind(account, GatewayKind::EgressOnlyInternet, egress_only),
};

pub(super) const NAT: Listing = Listing {
    action: "DescribeNatGateways",
    member: "NatGateways",
    key: &["NatGatewayId"],
    ids: &[Ids {
        parameter: "NatGatewayId",
        member: "NatGatewayId",
        code: "NatGatewayNotFound",
        what: "natGateway",
    }],
    sizes: PAGE,
    filters: &[
        ("nat-gateway-id", "NatGatewayId"),
        ("state", "State"),
        ("subnet-id", "SubnetId"),
        ("vpc-id", "VpcId"),
    ],
    items: |account| of_kind(account, GatewayKind::Nat, nat),
};

pub(super) const VPN: Listing = Listing {
    action: "DescribeVpnGateways",
    member: "VpnGateways",
    key: &["VpnGatewayId"],
    ids: &[Ids {
        parameter: "VpnGatewayId",
        member: "VpnGatewayId",
        code: "InvalidVpnGatewayID.NotFound",
        what: "vpnGateway",
    }],
    sizes: None,
    filters: &[
        ("attachment.state", "VpcAttachments.State"),
        ("attachment.vpc-id", "VpcAttachments.VpcId"),
        ("state", "State"),
        ("type", "Type"),
        ("vpn-gateway-id", "VpnGatewayId"),
    ],
    items: |account| of_kind(account, GatewayKind::Vpn, vpn),
};

pub(super) const PEERINGS: Listing = Listing {
    action: "DescribeVpcPeeringConnections",
    member: "VpcPeeringConnections",
    key: &["VpcPeeringConnectionId"],
    ids: &[Ids {
        parameter: "VpcPeeringConnectionId",
        member: "VpcPeeringConnectionId",
        code: "InvalidVpcPeeringConnectionID.NotFound",
        what: "vpcPeeringConnection",
    }],
    sizes: PAGE,
    filters: &[
        ("accepter-vpc-info.cidr-block", "AccepterVpcInfo.CidrBlock"),
        ("accepter-vpc-info.owner-id", "AccepterVpcInfo.OwnerId"),
        ("accepter-vpc-info.vpc-id", "AccepterVpcInfo.VpcId"),
        (
            "requester-vpc-info.cidr-block",
            "RequesterVpcInfo.CidrBlock",
        ),
        ("requester-vpc-info.owner-id", "RequesterVpcInfo.OwnerId"),
        ("requester-vpc-info.vpc-id", "RequesterVpcInfo.VpcId"),
        ("status-code", "Status.Code"),
        ("vpc-peering-connection-id", "VpcPeeringConnectionId"),
    ],
    items: |account| of_kind(account, GatewayKind::Peering, peering),
};

pub(super) const TRANSIT: Listing = Listing {
    action: "DescribeTransitGateways",
    member: "TransitGateways",
    key: &["TransitGatewayId"],
    ids: &[Ids {
        parameter: "TransitGatewayIds",
        member: "TransitGatewayId",
        code: "InvalidTransitGatewayID.NotFound",
        what: "transitGateway",
    }],
    sizes: PAGE,
    filters: &[
        ("owner-id", "OwnerId"),
        ("state", "State"),
        ("transit-gateway-id", "TransitGatewayId"),
    ],
    items: |account| of_kind(account, GatewayKind::Transit, transit),
};

pub(super) const ATTACHMENTS: Listing = Listing {
    action: "DescribeTransitGatewayAttachments",
    member: "TransitGatewayAttachments",
    key: &["TransitGatewayAttachmentId"],
    ids: &[Ids {
        parameter: "TransitGatewayAttachmentIds",
        member: "TransitGatewayAttachmentId",
        code: "InvalidTransitGatewayAttachmentID.NotFound",
        what: "transitGatewayAttachment",
    }],
    sizes: PAGE,
    filters: &[
        ("resource-id", "ResourceId"),
        ("resource-type", "ResourceType"),
        ("state", "State"),
        (
            "transit-gateway-attachment-id",
            "TransitGatewayAttachmentId",
        ),
        ("transit-gateway-id", "TransitGatewayId"),
    ],
    items: |account| of_kind(account, GatewayKind::Transit, attachment),
};

pub(super) const VPC_ATTACHMENTS: Listing = Listing {
    action: "DescribeTransitGatewayVpcAttachments",
    member: "TransitGatewayVpcAttachments",
    filters: &[
        ("state", "State"),
        (
            "transit-gateway-attachment-id",
            "TransitGatewayAttachmentId",
        ),
        ("transit-gateway-id", "TransitGatewayId"),
        ("vpc-id", "VpcId"),
    ],
    items: |account| of_kind(account, GatewayKind::Transit, vpc_attachment),
    ..ATTACHMENTS
};

pub(super) const ENDPOINTS: Listing = Listing {
    action: "DescribeVpcEndpoints",
    member: "VpcEndpoints",
    key: &["VpcEndpointId"],
    ids: &[Ids {
        parameter: "VpcEndpointId",
        member: "VpcEndpointId",
        code: "InvalidVpcEndpointId.NotFound",
        what: "vpcEndpoint",
    }],
    sizes: PAGE,
    filters: &[
        ("service-name", "ServiceName"),
        ("vpc-endpoint-id", "VpcEndpointId"),
        ("vpc-endpoint-state", "State"),
        ("vpc-endpoint-type", "VpcEndpointType"),
        ("vpc-id", "VpcId"),
    ],
    items: |account| of_kind(account, GatewayKind::Endpoint, endpoint),
};

/// The gateways of a kind that `show` has something to say of.
fn of_kind(
    account: &Account,
    kind: GatewayKind,
    show: fn(&Account, &Gateway) -> Option<Value>,
) -> Vec<Value> {
    account
        .topology
        .gateways
        .values()
        .filter(|gateway| gateway.kind == kind)
        .filter_map(|gateway| show(account, gateway))
        .map(shown)
        .collect()
}

/// One gateway, peering or endpoint, as its describe call shows it.
pub(in crate::wire) fn gateway(account: &Account, id: &str) -> Value {
    let Some(held) = account.topology.gateways.get(id) else {
        return Value::Null;
    };
    let show = match held.kind {
        GatewayKind::Internet => internet,
        GatewayKind::EgressOnlyInternet => egress_only,
        GatewayKind::Nat => nat,
        GatewayKind::Vpn => vpn,
        GatewayKind::Peering => peering,
        GatewayKind::Transit => transit,
        GatewayKind::Endpoint => endpoint,
    };
    show(account, held).map_or(Value::Null, shown)
}

fn attachments(gateway: &Gateway, state: &str) -> Value {
    let vpcs = gateway.vpcs.iter();
    vpcs.map(|vpc| json!({"VpcId": vpc, "State": state}))
        .collect()
}

fn internet(account: &Account, gateway: &Gateway) -> Option<Value> {
    Some(json!({
        "InternetGatewayId": gateway.id,
        "OwnerId": account.id,
        // An attached internet gateway is `available`, unlike every other one.
        "Attachments": attachments(gateway, "available"),
        "Tags": tag_list(&gateway.tags),
    }))
}

fn egress_only(_: &Account, gateway: &Gateway) -> Option<Value> {
    Some(json!({
        "EgressOnlyInternetGatewayId": gateway.id,
        "Attachments": attachments(gateway, "attached"),
        "Tags": tag_list(&gateway.tags),
    }))
}

fn vpn(_: &Account, gateway: &Gateway) -> Option<Value> {
    Some(json!({
        "VpnGatewayId": gateway.id,
        "State": gateway.state.as_deref().unwrap_or("available"),
        "Type": "ipsec.1",
        "VpcAttachments": attachments(gateway, "attached"),
        "Tags": tag_list(&gateway.tags),
    }))
}

/// The id under which a NAT gateway holds its Elastic address.
pub(super) fn address_association(gateway: &Gateway) -> String {
    gateway.id.replacen("nat-", "eipassoc-", 1)
}

fn nat_addresses(gateway: &Gateway) -> Value {
    let Some(detail) = &gateway.nat else {
        let public = gateway.public_addresses.iter();
        return public.map(|address| json!({"PublicIp": address})).collect();
    };
    let status = match gateway.state.as_deref() {
        Some("pending") => "associating",
        Some("deleting") => "disassociating",
        _ => "succeeded",
    };
    let mut addresses: Vec<&NatAddress> = detail.addresses.iter().collect();
    addresses.sort_by_key(|address| !address.primary);
    addresses
        .into_iter()
        .map(|address| {
            json!({
                "AllocationId": address.allocation,
                "AssociationId": address.allocation.as_ref().map(|_| address_association(gateway)),
                "PublicIp": address.public,
                "PrivateIp": address.private,
                "NetworkInterfaceId": address.interface,
                "IsPrimary": address.primary,
                "Status": status,
                "AvailabilityZone": address.zone.as_ref().or(detail.zone.as_ref()),
            })
        })
        .collect()
}

fn nat(account: &Account, gateway: &Gateway) -> Option<Value> {
    let failure = account
        .nat_failures
        .get(&gateway.id)
        .filter(|_| gateway.state.as_deref() == Some("failed"));
    let detail = gateway.nat.as_ref();
    let connectivity = detail.map(|detail| match detail.connectivity {
        Connectivity::Public => "public",
        Connectivity::Private => "private",
    });
    let mode = detail.map(|detail| if detail.regional { "regional" } else { "zonal" });
    Some(json!({
        "NatGatewayId": gateway.id,
        "VpcId": gateway.vpcs.first(),
        "SubnetId": gateway.subnets.first(),
        "State": gateway.state.as_deref().unwrap_or("available"),
        "ConnectivityType": connectivity.unwrap_or("public"),
        "AvailabilityMode": mode.unwrap_or("zonal"),
        "NatGatewayAddresses": nat_addresses(gateway),
        "FailureCode": failure.map(|(code, _)| code),
        "FailureMessage": failure.map(|(_, message)| message),
        "Tags": tag_list(&gateway.tags),
    }))
}

fn side(account: &Account, side: &PeeringSide) -> Value {
    let of = |is_v6: bool| {
        let nets = side.cidrs.iter();
        nets.filter(move |net| matches!(net, IpNet::V6(_)) == is_v6)
    };
    let v4: Vec<String> = of(false).map(ToString::to_string).collect();
    json!({
        "VpcId": side.vpc,
        "OwnerId": side.owner.as_ref().unwrap_or(&account.id),
        "Region": side.region.as_ref().unwrap_or(&account.region),
        "CidrBlock": v4.first(),
        "CidrBlockSet": v4.iter().map(|net| json!({"CidrBlock": net})).collect::<Value>(),
        "Ipv6CidrBlockSet": of(true).map(|net| json!({"Ipv6CidrBlock": net.to_string()})).collect::<Value>(),
        "PeeringOptions": side.dns.map(|dns| json!({"AllowDnsResolutionFromRemoteVpc": dns})),
    })
}

/// The sides of a peering of which only VPCs and far networks are known: ours asked.
fn guessed_sides(account: &Account, gateway: &Gateway) -> PeeringDetail {
    let ours = gateway
        .vpcs
        .iter()
        .filter_map(|vpc| account.topology.vpcs.get(vpc));
    let mut sides = ours.map(|vpc| PeeringSide {
        vpc: Some(vpc.id.clone()),
        cidrs: vpc.cidrs.clone(),
        ..PeeringSide::default()
    });
    let requester = sides.next().unwrap_or_default();
    let far = gateway
        .vpcs
        .iter()
        .find(|vpc| !account.topology.vpcs.contains_key(*vpc));
    let accepter = sides.next().unwrap_or_else(|| PeeringSide {
        vpc: far.cloned(),
        cidrs: gateway.peer_cidrs.clone(),
        ..PeeringSide::default()
    });
    PeeringDetail {
        requester,
        accepter,
    }
}

fn peering(account: &Account, gateway: &Gateway) -> Option<Value> {
    let detail = gateway.peering.clone();
    let detail = detail.unwrap_or_else(|| guessed_sides(account, gateway));
    Some(json!({
        "VpcPeeringConnectionId": gateway.id,
        "RequesterVpcInfo": side(account, &detail.requester),
        "AccepterVpcInfo": side(account, &detail.accepter),
        "Status": {"Code": gateway.state, "Message": gateway.state},
        "Tags": tag_list(&gateway.tags),
    }))
}

fn is_attachment(gateway: &Gateway) -> bool {
    gateway.id.starts_with("tgw-attach-")
}

fn transit(account: &Account, gateway: &Gateway) -> Option<Value> {
    (!is_attachment(gateway)).then(|| {
        json!({
            "TransitGatewayId": gateway.id,
            "State": gateway.state.as_deref().unwrap_or("available"),
            "OwnerId": account.id,
            "Tags": tag_list(&gateway.tags),
        })
    })
}

/// The transit gateway of an attachment: the one that joins its VPC, where there is only one.
fn transit_of(account: &Account, attachment: &Gateway) -> Option<String> {
    let mut joining = account.topology.gateways.values().filter(|gateway| {
        gateway.kind == GatewayKind::Transit
            && !is_attachment(gateway)
            && attachment.vpcs.iter().all(|vpc| gateway.vpcs.contains(vpc))
    });
    let first = joining.next()?;
    joining.next().is_none().then(|| first.id.clone())
}

fn attachment(account: &Account, gateway: &Gateway) -> Option<Value> {
    is_attachment(gateway).then(|| {
        json!({
            "TransitGatewayAttachmentId": gateway.id,
            "TransitGatewayId": transit_of(account, gateway),
            "ResourceType": "vpc",
            "ResourceId": gateway.vpcs.first(),
            "State": gateway.state,
            "Tags": tag_list(&gateway.tags),
        })
    })
}

fn vpc_attachment(account: &Account, gateway: &Gateway) -> Option<Value> {
    is_attachment(gateway).then(|| {
        json!({
            "TransitGatewayAttachmentId": gateway.id,
            "TransitGatewayId": transit_of(account, gateway),
            "VpcId": gateway.vpcs.first(),
            "SubnetIds": gateway.subnets,
            "State": gateway.state,
            "Tags": tag_list(&gateway.tags),
        })
    })
}

fn endpoint(account: &Account, gateway: &Gateway) -> Option<Value> {
    let detail = gateway.endpoint.as_ref();
    let kind = match detail.map(|detail| detail.kind) {
        Some(EndpointKind::Interface | EndpointKind::Other) => "Interface",
        Some(EndpointKind::GatewayLoadBalancer) => "GatewayLoadBalancer",
        Some(EndpointKind::Gateway) => "Gateway",
        None if gateway.subnets.is_empty() => "Gateway",
        None => "Interface",
    };
    let groups = gateway.groups.iter().map(|id| {
        let name = account.groups.get(id).map(|group| &group.name);
        json!({"GroupId": id, "GroupName": name})
    });
    Some(json!({
        "VpcEndpointId": gateway.id,
        "VpcEndpointType": kind,
        "VpcId": gateway.vpcs.first(),
        "ServiceName": gateway.service,
        "State": gateway.state.as_deref().unwrap_or("available"),
        "OwnerId": account.id,
        "RouteTableIds": gateway.route_tables,
        "SubnetIds": gateway.subnets,
        "Groups": groups.collect::<Value>(),
        "PrivateDnsEnabled": detail.is_some_and(|detail| detail.private_dns),
        "NetworkInterfaceIds": detail.map(|detail| &detail.interfaces),
        "Tags": tag_list(&gateway.tags),
    }))
}
