//! Context from the other describe calls: VPCs, subnets, interfaces, gateways, prefix lists.

use super::reading::{Reading, said};
use super::shape::{self, BlockPublicAccessStates, GroupIdentifier};
use super::{Described, gateway, visibility};
use crate::{
    AccountId, BlockMode, EndpointKind, NetworkInterface, PrefixList, PrefixListId, Subnet,
    Topology, Unknown, Vpc,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// All context of a bag.
pub(super) fn topology(described: &Described, unknown: &mut Vec<Unknown>) -> Topology {
    let mut topology = Topology::default();
    for (index, vpc) in described.vpcs.iter().enumerate() {
        let mut reading = reading("Vpcs", index, &vpc.vpc_id, unknown);
        topology
            .vpcs
            .extend(self::vpc(vpc, &mut reading).map(|vpc| (vpc.id.clone(), vpc)));
    }
    for (index, subnet) in described.subnets.iter().enumerate() {
        let mut reading = reading("Subnets", index, &subnet.subnet_id, unknown);
        topology
            .subnets
            .extend(self::subnet(subnet, &mut reading).map(|subnet| (subnet.id.clone(), subnet)));
    }
    for (index, interface) in described.network_interfaces.iter().enumerate() {
        let mut reading = reading(
            "NetworkInterfaces",
            index,
            &interface.network_interface_id,
            unknown,
        );
        topology.interfaces.extend(
            self::interface(interface, &mut reading).map(|found| (found.id.clone(), found)),
        );
    }
    for (index, list) in described.prefix_lists.iter().enumerate() {
        let mut reading = reading("PrefixLists", index, &list.prefix_list_id, unknown);
        if let Some(list) = prefix_list(list, &mut reading) {
            match topology.prefix_lists.remove(&list.id) {
                Some(before) => topology
                    .prefix_lists
                    .insert(list.id.clone(), both_lists(before, list)),
                None => topology.prefix_lists.insert(list.id.clone(), list),
            };
        }
    }
    topology.gateways = gateway::gateways(described, &topology.subnets, unknown);
    topology.addresses = gateway::addresses(described, unknown);
    find_endpoint_lists(&mut topology);
    visibility::visibility(described, &mut topology, unknown);
    topology.read = described.context_read();
    topology
}

/// The routes of a gateway endpoint go by the prefix list that is named as its service is.
fn find_endpoint_lists(topology: &mut Topology) {
    let named = topology.prefix_lists.values();
    let named: BTreeMap<&str, &PrefixListId> = named
        .filter_map(|list| Some((list.name.as_deref()?, &list.id)))
        .collect();
    for gateway in topology.gateways.values_mut() {
        if let Some(detail) = &mut gateway.endpoint
            && detail.kind == EndpointKind::Gateway
        {
            let service = gateway.service.as_deref();
            let list = service.and_then(|service| named.get(service));
            detail.prefix_list = list.map(|list| (*list).clone());
        }
    }
}

pub(super) fn reading<'a>(
    key: &str,
    index: usize,
    id: &Option<String>,
    unknown: &'a mut Vec<Unknown>,
) -> Reading<'a> {
    Reading::new(
        said(id).map_or_else(|| format!("{key}[{index}]"), str::to_owned),
        unknown,
    )
}

/// Networks in a state in which they count: associated, or on the way.
pub(super) fn networks<'a>(
    associations: impl Iterator<Item = (&'a Option<String>, &'a Option<shape::AssociationState>)>,
    reading: &mut Reading<'_>,
) -> BTreeSet<IpNet> {
    let mut networks = BTreeSet::new();
    for (cidr, state) in associations {
        let state = state.as_ref().and_then(|state| said(&state.state));
        if matches!(
            state,
            Some("disassociated" | "disassociating" | "failed" | "failing")
        ) {
            continue;
        }
        if let Some(cidr) = said(cidr) {
            networks.extend(
                reading
                    .parse::<IpNet>("CidrBlock", cidr)
                    .map(|net| net.trunc()),
            );
        }
    }
    networks
}

/// What block public access stops at one VPC or subnet: it cuts traffic beside groups, ACLs and
/// routes.
fn public_access(
    states: &Option<BlockPublicAccessStates>,
    reading: &mut Reading<'_>,
) -> Option<BlockMode> {
    let states = states.as_ref()?;
    reading.members("BlockPublicAccessStates", states);
    block_mode(
        "BlockPublicAccessStates.InternetGatewayBlockMode",
        &states.internet_gateway_block_mode,
        reading,
    )
}

/// EC2's word for what block public access stops.
pub(super) fn block_mode(
    path: &str,
    mode: &Option<String>,
    reading: &mut Reading<'_>,
) -> Option<BlockMode> {
    match said(mode)? {
        "off" => Some(BlockMode::Off),
        "block-bidirectional" => Some(BlockMode::Bidirectional),
        "block-ingress" => Some(BlockMode::Ingress),
        other => {
            reading.tell(path, other);
            None
        }
    }
}

fn vpc(described: &shape::Vpc, reading: &mut Reading<'_>) -> Option<Vpc> {
    reading.members("", described);
    let block = public_access(&described.block_public_access_states, reading);
    let ipv4 = &described.cidr_block_association_set;
    let ipv6 = &described.ipv6_cidr_block_association_set;
    ipv4.iter()
        .for_each(|shape| reading.members("CidrBlockAssociationSet", shape));
    ipv6.iter()
        .for_each(|shape| reading.members("Ipv6CidrBlockAssociationSet", shape));
    let primary = std::iter::once((&described.cidr_block, &None));
    let all = primary
        .chain(
            ipv4.iter()
                .map(|one| (&one.cidr_block, &one.cidr_block_state)),
        )
        .chain(
            ipv6.iter()
                .map(|one| (&one.ipv6_cidr_block, &one.ipv6_cidr_block_state)),
        );
    let cidrs = networks(all, reading);
    let Some(id) = said(&described.vpc_id) else {
        reading.tell("VpcId", "null");
        return None;
    };
    Some(Vpc {
        id: id.into(),
        owner: said(&described.owner_id).map(AccountId::from),
        cidrs,
        is_default: described.is_default.unwrap_or(false),
        block,
        tags: reading.tags(&described.tags),
    })
}

fn subnet(described: &shape::Subnet, reading: &mut Reading<'_>) -> Option<Subnet> {
    reading.members("", described);
    let block = public_access(&described.block_public_access_states, reading);
    let ipv6 = &described.ipv6_cidr_block_association_set;
    ipv6.iter()
        .for_each(|shape| reading.members("Ipv6CidrBlockAssociationSet", shape));
    let primary = std::iter::once((&described.cidr_block, &None));
    let all = primary.chain(
        ipv6.iter()
            .map(|one| (&one.ipv6_cidr_block, &one.ipv6_cidr_block_state)),
    );
    let cidrs = networks(all, reading);
    let (Some(id), Some(vpc)) = (said(&described.subnet_id), said(&described.vpc_id)) else {
        reading.tell("SubnetId, VpcId", "null");
        return None;
    };
    Some(Subnet {
        id: id.into(),
        vpc: vpc.into(),
        cidrs,
        zone: said(&described.availability_zone).map(str::to_owned),
        block,
        tags: reading.tags(&described.tags),
    })
}

fn interface(
    described: &shape::NetworkInterface,
    reading: &mut Reading<'_>,
) -> Option<NetworkInterface> {
    reading.members("", described);
    if let Some(attachment) = &described.attachment {
        reading.members("Attachment", attachment);
    }
    if let Some(operator) = &described.operator {
        reading.members("Operator", operator);
    }
    let (addresses, public_addresses) = addresses(described, reading);
    let groups = groups(&described.groups, reading);
    let (Some(id), Some(vpc), Some(subnet)) = (
        said(&described.network_interface_id),
        said(&described.vpc_id),
        said(&described.subnet_id),
    ) else {
        reading.tell("NetworkInterfaceId, VpcId, SubnetId", "null");
        return None;
    };
    let ipv4 = described.ipv4_prefixes.iter();
    let ipv6 = described.ipv6_prefixes.iter();
    ipv4.clone()
        .for_each(|one| reading.members("Ipv4Prefixes", one));
    ipv6.clone()
        .for_each(|one| reading.members("Ipv6Prefixes", one));
    let prefixes = ipv4
        .map(|one| (&one.ipv4_prefix, &None))
        .chain(ipv6.map(|one| (&one.ipv6_prefix, &None)));
    let prefixes = networks(prefixes, reading);
    let operated = described
        .operator
        .as_ref()
        .and_then(|operator| operator.managed);
    Some(NetworkInterface {
        groups,
        addresses,
        prefixes,
        public_addresses,
        requester_managed: described.requester_managed.unwrap_or(false)
            || operated.unwrap_or(false),
        kind: said(&described.interface_type).map(str::to_owned),
        description: said(&described.description).map(str::to_owned),
        instance: described
            .attachment
            .as_ref()
            .and_then(|one| said(&one.instance_id))
            .map(str::to_owned),
        source_dest_check: described.source_dest_check,
        internet_denied: described.deny_all_igw_traffic.unwrap_or(false),
        zone: said(&described.availability_zone).map(str::to_owned),
        attached: is_attached(described),
        tags: reading.tags(&described.tag_set),
        ..NetworkInterface::new(id, vpc, subnet)
    })
}

/// Whether an interface is attached, as far as its status and its attachment tell.
fn is_attached(described: &shape::NetworkInterface) -> Option<bool> {
    let attachment = described.attachment.as_ref();
    match said(&described.status) {
        Some("in-use" | "associated" | "attaching" | "detaching") => Some(true),
        Some("available") => Some(false),
        _ => match attachment.and_then(|one| said(&one.status)) {
            Some("attached" | "attaching" | "detaching") => Some(true),
            Some("detached") => Some(false),
            _ => None,
        },
    }
}

/// Private (and IPv6) addresses, and the public ones mapped to them.
fn addresses(
    described: &shape::NetworkInterface,
    reading: &mut Reading<'_>,
) -> (BTreeSet<IpAddr>, BTreeSet<IpAddr>) {
    let mut own = vec![&described.private_ip_address, &described.ipv6_address];
    let mut mapped: Vec<&shape::AddressAssociation> = described.association.iter().collect();
    for address in &described.private_ip_addresses {
        reading.members("PrivateIpAddresses", address);
        own.push(&address.private_ip_address);
        mapped.extend(&address.association);
    }
    for address in &described.ipv6_addresses {
        reading.members("Ipv6Addresses", address);
        own.push(&address.ipv6_address);
    }
    let mut public = Vec::new();
    for association in mapped {
        reading.members("Association", association);
        public.extend([&association.public_ip, &association.carrier_ip]);
    }
    (
        ips("PrivateIpAddress", own, reading),
        ips("Association.PublicIp", public, reading),
    )
}

pub(super) fn ips(
    path: &str,
    texts: Vec<&Option<String>>,
    reading: &mut Reading<'_>,
) -> BTreeSet<IpAddr> {
    texts
        .into_iter()
        .filter_map(said)
        .filter_map(|text| reading.parse(path, text))
        .collect()
}

pub(super) fn groups(
    described: &[GroupIdentifier],
    reading: &mut Reading<'_>,
) -> BTreeSet<crate::SecurityGroupId> {
    described
        .iter()
        .for_each(|group| reading.members("Groups", group));
    described
        .iter()
        .filter_map(|group| said(&group.group_id))
        .map(Into::into)
        .collect()
}

fn prefix_list(described: &shape::PrefixList, reading: &mut Reading<'_>) -> Option<PrefixList> {
    reading.members("", described);
    let Some(id) = said(&described.prefix_list_id) else {
        reading.tell("PrefixListId", "null");
        return None;
    };
    let managed = described
        .entries
        .as_ref()
        .map(|entries| entries.iter().map(|one| one.cidr.as_deref()).collect());
    let cidrs = described
        .cidrs
        .as_ref()
        .map(|cidrs| cidrs.iter().map(|one| Some(one.as_str())).collect());
    let texts: Option<Vec<Option<&str>>> = managed.or(cidrs);
    let entries = texts.and_then(|texts| {
        // One unreadable entry makes the set unknown: a smaller set would be a false one.
        let nets = texts
            .into_iter()
            .map(|text| reading.parse::<IpNet>("Cidrs", text.unwrap_or("null")));
        nets.map(|net| net.map(|net| net.trunc()))
            .collect::<Vec<_>>()
            .into_iter()
            .collect()
    });
    Some(PrefixList {
        id: id.into(),
        name: said(&described.prefix_list_name).map(str::to_owned),
        version: described.version,
        max_entries: described
            .max_entries
            .and_then(|most| u32::try_from(most).ok()),
        entries,
    })
}

fn both_lists(before: PrefixList, after: PrefixList) -> PrefixList {
    PrefixList {
        id: after.id,
        name: after.name.or(before.name),
        version: after.version.or(before.version),
        max_entries: after.max_entries.or(before.max_entries),
        entries: after.entries.or(before.entries),
    }
}
