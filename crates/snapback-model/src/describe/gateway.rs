//! Gateways of one VPC, and every gateway by id.

use super::joining::joining;
use super::reading::{Reading, said};
use super::shape::{self, GatewayAttachment, Shape};
use super::{Described, topology};
use crate::{
    Connectivity, ElasticAddress, Gateway, GatewayKind, NatAddress, NatDetail, Subnet, SubnetId,
    Unknown, VpcId,
};
use std::collections::{BTreeMap, BTreeSet};

/// Every gateway by id.
pub(super) fn gateways(
    described: &Described,
    subnets: &BTreeMap<SubnetId, Subnet>,
    unknown: &mut Vec<Unknown>,
) -> BTreeMap<String, Gateway> {
    let mut gateways: BTreeMap<String, Gateway> = BTreeMap::new();
    for gateway in attached(described, unknown)
        .into_iter()
        .chain(nats(described, subnets, unknown))
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
pub(super) fn start<S: Shape>(
    kind: GatewayKind,
    (key, index): (&str, usize),
    id: &Option<String>,
    tags: &[shape::Tag],
    shape: &S,
    unknown: &mut Vec<Unknown>,
) -> Option<Gateway> {
    let mut reading = topology::reading(key, index, id, unknown);
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

pub(super) fn state(state: &Option<String>) -> Option<String> {
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
    found
}

/// NAT gateways. One that lives in no subnet is regional (semantics A5).
fn nats(
    described: &Described,
    subnets: &BTreeMap<SubnetId, Subnet>,
    unknown: &mut Vec<Unknown>,
) -> Vec<Gateway> {
    let mut found = Vec::new();
    for (index, one) in described.nat_gateways.iter().enumerate() {
        let (at, id) = (("NatGateways", index), &one.nat_gateway_id);
        let Some(gateway) = start(GatewayKind::Nat, at, id, &one.tags, one, unknown) else {
            continue;
        };
        let mut reading = Reading::new(&gateway.id, unknown);
        let subnet = said(&one.subnet_id).map(SubnetId::from);
        let nat = nat(
            one,
            subnet.as_ref().and_then(|id| subnets.get(id)),
            &mut reading,
        );
        found.push(Gateway {
            vpcs: said(&one.vpc_id).map(VpcId::from).into_iter().collect(),
            subnets: subnet.into_iter().collect(),
            public_addresses: nat.addresses.iter().filter_map(|one| one.public).collect(),
            state: state(&one.state),
            nat: Some(nat),
            ..gateway
        });
    }
    found
}

fn nat(
    described: &shape::NatGateway,
    subnet: Option<&Subnet>,
    reading: &mut Reading<'_>,
) -> NatDetail {
    let connectivity = match said(&described.connectivity_type) {
        // Absent in old dumps, when there was no other.
        Some("public") | None => Connectivity::Public,
        Some("private") => Connectivity::Private,
        Some(other) => {
            reading.tell("ConnectivityType", other);
            Connectivity::Public
        }
    };
    let regional = match said(&described.availability_mode) {
        Some("regional") => true,
        Some("zonal") | None => false,
        Some(other) => {
            reading.tell("AvailabilityMode", other);
            false
        }
    };
    let all = &described.nat_gateway_addresses;
    let lone = all.len() == 1;
    let mut addresses = BTreeSet::new();
    for address in all {
        reading.members("NatGatewayAddresses", address);
        if said(&address.status) == Some("failed") {
            continue;
        }
        let mut ip = |member: &str, text| {
            said(text)
                .and_then(|text| reading.parse(&format!("NatGatewayAddresses.{member}"), text))
        };
        addresses.insert(NatAddress {
            allocation: state(&address.allocation_id),
            public: ip("PublicIp", &address.public_ip),
            private: ip("PrivateIp", &address.private_ip),
            primary: address.is_primary.unwrap_or(lone),
            interface: said(&address.network_interface_id).map(Into::into),
            zone: state(&address.availability_zone).filter(|_| regional),
        });
    }
    let told = all
        .iter()
        .find_map(|address| state(&address.availability_zone));
    let zone = told.or_else(|| subnet?.zone.clone()).filter(|_| !regional);
    let failure = match (
        said(&described.failure_code),
        said(&described.failure_message),
    ) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (code, message) => code.or(message).map(str::to_owned),
    };
    NatDetail {
        connectivity,
        regional,
        zone,
        addresses,
        failure,
    }
}

/// The account's Elastic addresses; nothing where they were not read.
pub(super) fn addresses(
    described: &Described,
    unknown: &mut Vec<Unknown>,
) -> Option<BTreeMap<String, ElasticAddress>> {
    let mut found = BTreeMap::new();
    for (index, one) in described.addresses.iter().enumerate() {
        let mut reading = topology::reading("Addresses", index, &one.allocation_id, unknown);
        reading.members("", one);
        let Some(allocation) = state(&one.allocation_id) else {
            reading.tell("AllocationId", "null");
            continue;
        };
        // An address of which only the association is told is held all the same.
        let holder = state(&one.network_interface_id)
            .or_else(|| state(&one.instance_id))
            .or_else(|| state(&one.association_id));
        let public = said(&one.public_ip).and_then(|text| reading.parse("PublicIp", text));
        let address = ElasticAddress {
            allocation: allocation.clone(),
            public,
            holder,
        };
        found.insert(allocation, address);
    }
    described.is_whole("Addresses").then_some(found)
}
