//! Gateways, peerings and endpoints: what routes may lead to.

use super::Described;
use super::reading::{Reading, said};
use super::shape::{self, GatewayAttachment, Shape};
use super::topology::{groups, ips, networks, reading};
use crate::{Gateway, GatewayKind, SubnetId, Unknown, VpcId};
use std::collections::{BTreeMap, BTreeSet};

/// Every gateway by id.
pub(super) fn gateways(
    described: &Described,
    unknown: &mut Vec<Unknown>,
) -> BTreeMap<String, Gateway> {
    let mut gateways: BTreeMap<String, Gateway> = BTreeMap::new();
    for gateway in attached(described, unknown)
        .into_iter()
        .chain(joining(described, unknown))
    {
        let gateway = match gateways.remove(&gateway.id) {
            Some(before) => both_gateways(before, gateway),
            None => gateway,
        };
        gateways.insert(gateway.id.clone(), gateway);
    }
    gateways
}

/// The same gateway from two describe calls (an attachment has two).
fn both_gateways(mut before: Gateway, after: Gateway) -> Gateway {
    before.vpcs.extend(after.vpcs);
    before.subnets.extend(after.subnets);
    before.route_tables.extend(after.route_tables);
    before.groups.extend(after.groups);
    before.public_addresses.extend(after.public_addresses);
    before.peer_cidrs.extend(after.peer_cidrs);
    before.state = after.state.or(before.state);
    before.service = after.service.or(before.service);
    before.nat = after.nat.or(before.nat);
    before.endpoint = after.endpoint.or(before.endpoint);
    before.peering = after.peering.or(before.peering);
    before.tags.extend(after.tags);
    before
}

/// Reads the members every gateway shape has; the rest is filled by the caller.
fn start<S: Shape>(
    kind: GatewayKind,
    (key, index): (&str, usize),
    id: &Option<String>,
    tags: &[shape::Tag],
    shape: &S,
    unknown: &mut Vec<Unknown>,
) -> Option<Gateway> {
    let mut reading = reading(key, index, id, unknown);
    reading.members("", shape);
    let Some(id) = said(id) else {
        reading.tell("id", "null");
        return None;
    };
    Some(Gateway {
        tags: reading.tags(tags),
        ..Gateway::new(id, kind)
    })
}

/// VPCs a gateway is attached to now.
fn attached_to(attachments: &[GatewayAttachment]) -> BTreeSet<VpcId> {
    let now =
        |one: &&GatewayAttachment| !matches!(said(&one.state), Some("detached" | "detaching"));
    attachments
        .iter()
        .filter(now)
        .filter_map(|one| said(&one.vpc_id))
        .map(VpcId::from)
        .collect()
}

fn state(state: &Option<String>) -> Option<String> {
    said(state).map(str::to_owned)
}

/// Gateways that belong to one VPC.
fn attached(described: &Described, unknown: &mut Vec<Unknown>) -> Vec<Gateway> {
    let mut found = Vec::new();
    for (index, one) in described.internet_gateways.iter().enumerate() {
        let at = ("InternetGateways", index);
        let gateway = start(
            GatewayKind::Internet,
            at,
            &one.internet_gateway_id,
            &one.tags,
            one,
            unknown,
        );
        found.extend(gateway.map(|gateway| Gateway {
            vpcs: attached_to(&one.attachments),
            ..gateway
        }));
    }
    for (index, one) in described.egress_only_internet_gateways.iter().enumerate() {
        let (at, id) = (
            ("EgressOnlyInternetGateways", index),
            &one.egress_only_internet_gateway_id,
        );
        let gateway = start(
            GatewayKind::EgressOnlyInternet,
            at,
            id,
            &one.tags,
            one,
            unknown,
        );
        found.extend(gateway.map(|gateway| Gateway {
            vpcs: attached_to(&one.attachments),
            ..gateway
        }));
    }
    for (index, one) in described.vpn_gateways.iter().enumerate() {
        let gateway = start(
            GatewayKind::Vpn,
            ("VpnGateways", index),
            &one.vpn_gateway_id,
            &one.tags,
            one,
            unknown,
        );
        let vpcs = attached_to(&one.vpc_attachments);
        found.extend(gateway.map(|gateway| Gateway {
            vpcs,
            state: state(&one.state),
            ..gateway
        }));
    }
    for (index, one) in described.nat_gateways.iter().enumerate() {
        let at = ("NatGateways", index);
        let Some(gateway) = start(
            GatewayKind::Nat,
            at,
            &one.nat_gateway_id,
            &one.tags,
            one,
            unknown,
        ) else {
            continue;
        };
        let mut reading = Reading::new(&gateway.id, unknown);
        one.nat_gateway_addresses
            .iter()
            .for_each(|address| reading.members("NatGatewayAddresses", address));
        let public = one
            .nat_gateway_addresses
            .iter()
            .map(|address| &address.public_ip)
            .collect();
        found.push(Gateway {
            vpcs: said(&one.vpc_id).map(VpcId::from).into_iter().collect(),
            subnets: said(&one.subnet_id)
                .map(SubnetId::from)
                .into_iter()
                .collect(),
            public_addresses: ips("NatGatewayAddresses.PublicIp", public, &mut reading),
            state: state(&one.state),
            ..gateway
        });
    }
    found
}

/// Gateways that join a VPC to something else: peerings, transit gateways, endpoints.
fn joining(described: &Described, unknown: &mut Vec<Unknown>) -> Vec<Gateway> {
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
        let mut reading = Reading::new(&gateway.id, unknown);
        found.push(Gateway {
            vpcs: said(&one.vpc_id).map(VpcId::from).into_iter().collect(),
            subnets: one.subnet_ids.iter().map(|id| id.as_str().into()).collect(),
            route_tables: one
                .route_table_ids
                .iter()
                .map(|id| id.as_str().into())
                .collect(),
            groups: groups(&one.groups, &mut reading),
            service: said(&one.service_name).map(str::to_owned),
            state: state(&one.state),
            ..gateway
        });
    }
    found
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
    let mut vpcs = BTreeSet::new();
    let mut peer_cidrs = BTreeSet::new();
    for side in [&described.accepter_vpc_info, &described.requester_vpc_info]
        .into_iter()
        .flatten()
    {
        reading.members("VpcInfo", side);
        let ipv4 = side
            .cidr_block_set
            .iter()
            .map(|one| (&one.cidr_block, &None));
        let ipv6 = side
            .ipv6_cidr_block_set
            .iter()
            .map(|one| (&one.ipv6_cidr_block, &None));
        let all = networks(
            std::iter::once((&side.cidr_block, &None))
                .chain(ipv4)
                .chain(ipv6),
            &mut reading,
        );
        if !own
            .iter()
            .any(|vpc| vpc.vpc_id.is_some() && vpc.vpc_id == side.vpc_id)
        {
            peer_cidrs.extend(all);
        }
        vpcs.extend(said(&side.vpc_id).map(VpcId::from));
    }
    if let Some(status) = &described.status {
        reading.members("Status", status);
    }
    let state = described
        .status
        .as_ref()
        .and_then(|status| state(&status.code));
    Some(Gateway {
        vpcs,
        peer_cidrs,
        state,
        ..gateway
    })
}
