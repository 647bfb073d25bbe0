//! What joins a VPC to something else: peerings, transit gateways, endpoints.

use super::Described;
use super::gateway::{start, state};
use super::reading::{Reading, said};
use super::shape;
use super::topology::{groups, networks};
use crate::{
    AccountId, EndpointDetail, EndpointKind, Gateway, GatewayKind, PeeringDetail, PeeringSide,
    Region, Unknown, VpcId,
};
use std::collections::BTreeSet;

/// Gateways that join a VPC to something else: peerings, transit gateways, endpoints.
pub(super) fn joining(described: &Described, unknown: &mut Vec<Unknown>) -> Vec<Gateway> {
    let mut found: Vec<Gateway> = described
        .vpc_peering_connections
        .iter()
        .enumerate()
        .filter_map(|(index, one)| peering(one, index, &described.vpcs, unknown))
        .collect();
    for (index, one) in described.transit_gateways.iter().enumerate() {
        let (at, id) = (("TransitGateways", index), &one.transit_gateway_id);
        let gateway = start(GatewayKind::Transit, at, id, &one.tags, one, unknown);
        found.extend(gateway.map(|gateway| Gateway {
            state: state(&one.state),
            ..gateway
        }));
    }
    for (index, one) in described.transit_gateway_attachments.iter().enumerate() {
        let (at, id) = (
            ("TransitGatewayAttachments", index),
            &one.transit_gateway_attachment_id,
        );
        let gateway = start(GatewayKind::Transit, at, id, &one.tags, one, unknown);
        let vpcs: BTreeSet<VpcId> = match said(&one.resource_type) {
            Some("vpc") => said(&one.resource_id)
                .map(VpcId::from)
                .into_iter()
                .collect(),
            _ => BTreeSet::new(),
        };
        found.extend(gateway.map(|gateway| Gateway {
            vpcs,
            state: state(&one.state),
            ..gateway
        }));
    }
    for (index, one) in described.transit_gateway_vpc_attachments.iter().enumerate() {
        let (at, id) = (
            ("TransitGatewayVpcAttachments", index),
            &one.transit_gateway_attachment_id,
        );
        let gateway = start(GatewayKind::Transit, at, id, &one.tags, one, unknown);
        found.extend(gateway.map(|gateway| Gateway {
            vpcs: said(&one.vpc_id).map(VpcId::from).into_iter().collect(),
            subnets: one.subnet_ids.iter().map(|id| id.as_str().into()).collect(),
            state: state(&one.state),
            ..gateway
        }));
    }
    found.extend(attached_transit_gateways(described));
    for (index, one) in described.vpc_endpoints.iter().enumerate() {
        let (at, id) = (("VpcEndpoints", index), &one.vpc_endpoint_id);
        let Some(gateway) = start(GatewayKind::Endpoint, at, id, &one.tags, one, unknown) else {
            continue;
        };
        found.push(endpoint(
            one,
            gateway.clone(),
            &mut Reading::new(&gateway.id, unknown),
        ));
    }
    found
}

/// An endpoint. Its prefix list is found later, by the service's name, where all lists are known.
fn endpoint(
    described: &shape::VpcEndpoint,
    gateway: Gateway,
    reading: &mut Reading<'_>,
) -> Gateway {
    let kind = match said(&described.vpc_endpoint_type) {
        Some("Gateway") => EndpointKind::Gateway,
        Some("Interface") => EndpointKind::Interface,
        Some("GatewayLoadBalancer") => EndpointKind::GatewayLoadBalancer,
        Some("Resource" | "ServiceNetwork") => EndpointKind::Other,
        // Old dumps have no type: what it has tells it.
        None if !described.network_interface_ids.is_empty() => EndpointKind::Interface,
        None if !described.route_table_ids.is_empty() => EndpointKind::Gateway,
        None => EndpointKind::Other,
        Some(other) => {
            reading.tell("VpcEndpointType", other);
            EndpointKind::Other
        }
    };
    let interfaces = described.network_interface_ids.iter();
    let detail = EndpointDetail {
        kind,
        private_dns: described.private_dns_enabled.unwrap_or(false),
        interfaces: interfaces.map(|id| id.as_str().into()).collect(),
        prefix_list: None,
    };
    let subnets = described.subnet_ids.iter();
    let tables = described.route_table_ids.iter();
    Gateway {
        vpcs: said(&described.vpc_id)
            .map(VpcId::from)
            .into_iter()
            .collect(),
        subnets: subnets.map(|id| id.as_str().into()).collect(),
        route_tables: tables.map(|id| id.as_str().into()).collect(),
        groups: groups(&described.groups, reading),
        service: said(&described.service_name).map(str::to_owned),
        // The CLI says `available`, the SDK `Available`.
        state: state(&described.state).map(|state| state.to_ascii_lowercase()),
        endpoint: Some(detail),
        ..gateway
    }
}

/// Transit gateways with the VPCs their living attachments join.
fn attached_transit_gateways(described: &Described) -> Vec<Gateway> {
    let dead = |state: &Option<String>| {
        matches!(
            said(state),
            Some("deleted" | "deleting" | "failed" | "rejected")
        )
    };
    let general = described
        .transit_gateway_attachments
        .iter()
        .filter(|one| said(&one.resource_type) == Some("vpc") && !dead(&one.state))
        .map(|one| (said(&one.transit_gateway_id), said(&one.resource_id)));
    let of_vpcs = described
        .transit_gateway_vpc_attachments
        .iter()
        .filter(|one| !dead(&one.state))
        .map(|one| (said(&one.transit_gateway_id), said(&one.vpc_id)));
    general
        .chain(of_vpcs)
        .filter_map(|(gateway, vpc)| {
            let vpcs = BTreeSet::from([VpcId::from(vpc?)]);
            Some(Gateway {
                vpcs,
                ..Gateway::new(gateway?, GatewayKind::Transit)
            })
        })
        .collect()
}

/// A peering. The far side is the one whose VPC is not described here.
fn peering(
    described: &shape::VpcPeeringConnection,
    index: usize,
    own: &[shape::Vpc],
    unknown: &mut Vec<Unknown>,
) -> Option<Gateway> {
    let (at, id) = (
        ("VpcPeeringConnections", index),
        &described.vpc_peering_connection_id,
    );
    let gateway = start(
        GatewayKind::Peering,
        at,
        id,
        &described.tags,
        described,
        unknown,
    )?;
    let mut reading = Reading::new(&gateway.id, unknown);
    let mut side = |side: &Option<shape::PeeringVpc>| {
        let side = side.as_ref().map(|side| peering_side(side, &mut reading));
        side.unwrap_or_default()
    };
    let accepter = side(&described.accepter_vpc_info);
    let requester = side(&described.requester_vpc_info);
    if let Some(status) = &described.status {
        reading.members("Status", status);
    }
    let status = described.status.as_ref();
    let is_own = |side: &&PeeringSide| {
        let id = side.vpc.as_ref().map(VpcId::as_str);
        id.is_some() && own.iter().any(|vpc| said(&vpc.vpc_id) == id)
    };
    let sides = [&requester, &accepter];
    let far = sides.into_iter().filter(|side| !is_own(side));
    Some(Gateway {
        vpcs: sides
            .into_iter()
            .filter_map(|side| side.vpc.clone())
            .collect(),
        peer_cidrs: far.flat_map(|side| side.cidrs.iter().copied()).collect(),
        state: status.and_then(|status| state(&status.code)),
        peering: Some(PeeringDetail {
            requester,
            accepter,
        }),
        ..gateway
    })
}

fn peering_side(described: &shape::PeeringVpc, reading: &mut Reading<'_>) -> PeeringSide {
    reading.members("VpcInfo", described);
    let options = described.peering_options.as_ref();
    if let Some(options) = options {
        reading.members("VpcInfo.PeeringOptions", options);
    }
    let first = std::iter::once((&described.cidr_block, &None));
    let ipv4 = described.cidr_block_set.iter();
    let ipv6 = described.ipv6_cidr_block_set.iter();
    let all = first
        .chain(ipv4.map(|one| (&one.cidr_block, &None)))
        .chain(ipv6.map(|one| (&one.ipv6_cidr_block, &None)));
    PeeringSide {
        vpc: said(&described.vpc_id).map(VpcId::from),
        owner: said(&described.owner_id).map(AccountId::from),
        region: said(&described.region).map(Region::from),
        cidrs: networks(all, reading),
        dns: options.and_then(|options| options.allow_dns_resolution_from_remote_vpc),
    }
}
