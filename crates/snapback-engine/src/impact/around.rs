//! What stands around a resource: the interfaces concerned, grouped by all that decides for them.

use super::Gaps;
use snapback_model::*;
use snapback_reach::{AddressSet, Network};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Everything known, as one snapshot: live where it was read, else as the baselines have it.
///
/// `baselines` holds all ACLs (tables) of a VPC or none.
pub(super) fn merged<'a>(baselines: &Baselines, live: &'a Snapshot) -> Cow<'a, Snapshot> {
    let whole = |kind: Kind| live.coverage.contains(&Coverage::Kind(kind));
    if Kind::ALL.into_iter().all(whole) {
        return Cow::Borrowed(live);
    }
    let mut merged = Snapshot {
        handles: Handles::default(),
        topology: Topology::default(),
        resources: BTreeMap::new(),
        coverage: live.coverage.clone(),
        unknown: Vec::new(),
        schema: live.schema,
        account: live.account.clone(),
        region: live.region.clone(),
        observed_at: live.observed_at,
    };
    for (id, baseline) in &baselines.by_id {
        let gone = !live.resources.contains_key(id) && live.covers(id, baseline.vpc.as_ref());
        if let Some(state) = baseline.state.as_ref().filter(|_| !gone) {
            merged.resources.insert(id.clone(), state.clone());
        }
        if let (ResourceId::RouteTable(_), Some(vpc)) = (id, &baseline.vpc) {
            merged.coverage.insert(Coverage::TablesOf(vpc.clone()));
        }
    }
    merged.resources.extend(
        live.resources
            .iter()
            .map(|(id, resource)| (id.clone(), resource.clone())),
    );
    merged.topology = live.topology.clone();
    Cow::Owned(merged)
}

/// Whether the interfaces are known: read now or at the last capture.
pub(super) fn knows_interfaces(baselines: &Baselines, live: &Snapshot) -> bool {
    [&live.topology, &baselines.topology]
        .iter()
        .any(|topology| lists_interfaces(topology))
}

fn lists_interfaces(topology: &Topology) -> bool {
    topology.has_read(ContextKind::Interfaces) || !topology.interfaces.is_empty()
}

/// Whether the interfaces are those of the last capture, not of this read.
pub(super) fn interfaces_are_old(live: &Snapshot) -> bool {
    !lists_interfaces(&live.topology)
}

/// What block public access stops at the internet gateways of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Blocked {
    pub(super) ingress: bool,
    pub(super) egress: bool,
}

/// Interfaces for which the same groups, ACL, table, addresses and block decide: one answer serves all.
pub(super) struct Position<'a> {
    pub(super) groups: &'a BTreeSet<SecurityGroupId>,
    pub(super) acl: Option<&'a NetworkAcl>,
    pub(super) table: Option<&'a RouteTable>,
    /// Whether they have public IPv4 addresses.
    pub(super) public_v4: bool,
    /// Whether they have IPv6 addresses.
    pub(super) has_v6: bool,
    pub(super) blocked: Blocked,
    /// Whether their flows are always tracked, whatever the rules (semantics A2).
    pub(super) tracked: bool,
    /// The interfaces by subnet.
    pub(super) subnets: BTreeMap<&'a SubnetId, Vec<&'a NetworkInterface>>,
}

impl<'a> Position<'a> {
    pub(super) fn first(&self) -> impl Iterator<Item = &'a NetworkInterface> + '_ {
        self.subnets.values().flatten().copied()
    }

    /// Interfaces that no group filters: those of NAT gateways and the like (semantics A5).
    pub(super) fn is_unfiltered(&self) -> bool {
        self.groups.is_empty()
    }
}

/// The interfaces that a change concerns, grouped. Detached ones carry no traffic and are left out.
pub(super) fn positions<'a>(
    network: &Network<'a>,
    interfaces: impl IntoIterator<Item = &'a NetworkInterface>,
    gaps: &mut Gaps,
) -> Vec<Position<'a>> {
    let mut places: BTreeMap<&SubnetId, Place<'a>> = BTreeMap::new();
    let mut found: BTreeMap<_, Position<'a>> = BTreeMap::new();
    for interface in interfaces {
        if interface.attached == Some(false) {
            continue;
        }
        let place = places
            .entry(&interface.subnet)
            .or_insert_with(|| Place::of(network, interface, gaps));
        let public_v4 = interface.public_addresses.iter().any(|ip| ip.is_ipv4());
        let has_v6 = interface.addresses.iter().any(|ip| ip.is_ipv6());
        let tracked = is_always_tracked(interface);
        let key = (
            place.acl.map(|acl| &acl.id),
            place.table.map(|table| &table.id),
            (public_v4, has_v6, tracked, place.blocked),
            &interface.groups,
        );
        let position = found.entry(key).or_insert_with(|| Position {
            groups: &interface.groups,
            acl: place.acl,
            table: place.table,
            public_v4,
            has_v6,
            blocked: place.blocked,
            tracked,
            subnets: BTreeMap::new(),
        });
        position
            .subnets
            .entry(&interface.subnet)
            .or_default()
            .push(interface);
    }
    found.into_values().collect()
}

/// What decides for every interface of a subnet.
#[derive(Clone, Copy)]
struct Place<'a> {
    acl: Option<&'a NetworkAcl>,
    table: Option<&'a RouteTable>,
    blocked: Blocked,
}

impl<'a> Place<'a> {
    fn of(network: &Network<'a>, interface: &'a NetworkInterface, gaps: &mut Gaps) -> Self {
        let subnet = &interface.subnet;
        let (acl, table) = (network.acl_of(subnet), network.table_of(subnet));
        if acl.is_none() {
            gaps.acl(subnet);
        }
        if table.is_none() {
            gaps.table(subnet);
        }
        Self {
            acl,
            table,
            blocked: blocked(network, interface),
        }
    }
}

/// What block public access does for the subnet of an interface: as the subnet itself tells, else by
/// the account's mode and its exclusions (semantics A4).
fn blocked(network: &Network<'_>, interface: &NetworkInterface) -> Blocked {
    let of_mode = |mode: BlockMode| Blocked {
        ingress: mode != BlockMode::Off,
        egress: mode == BlockMode::Bidirectional,
    };
    if let Some(mode) = network
        .subnet(&interface.subnet)
        .and_then(|subnet| subnet.block)
    {
        return of_mode(mode);
    }
    let Some(access) = network.block_public_access() else {
        return of_mode(BlockMode::Off);
    };
    let mut blocked = of_mode(access.mode);
    let here = |exclusion: &&BlockExclusion| {
        exclusion.active
            && (exclusion.resource == interface.vpc.as_str()
                || exclusion.resource == interface.subnet.as_str())
    };
    for exclusion in access.exclusions.values().filter(here) {
        blocked.egress = false;
        if exclusion.mode == ExclusionMode::Bidirectional {
            blocked.ingress = false;
        }
    }
    blocked
}

/// Interfaces whose flows are tracked whatever the rules say: NLB, PrivateLink, Lambda, NAT, Global
/// Accelerator (semantics A2).
fn is_always_tracked(interface: &NetworkInterface) -> bool {
    const KINDS: [&str; 7] = [
        "network_load_balancer",
        "vpc_endpoint",
        "gateway_load_balancer_endpoint",
        "lambda",
        "nat_gateway",
        "global_accelerator_managed",
        "gateway_load_balancer",
    ];
    let kind = interface.kind.as_deref().unwrap_or_default();
    let description = interface.description.as_deref().unwrap_or_default();
    KINDS.contains(&kind)
        || description.starts_with("AWS Lambda VPC ENI")
        || description.starts_with("ELB net/")
}

/// Most addresses of a group's members taken one by one; beyond, the networks of their subnets.
const MOST_MEMBERS: usize = 1024;

/// The private addresses of the interfaces that carry a group (semantics A1). The flag tells that
/// there are too many, and their subnets were taken instead.
pub(super) fn members(network: &Network<'_>, group: &SecurityGroupId) -> (AddressSet, bool) {
    let carriers = network.carriers(group);
    let here = carriers
        .iter()
        .filter(|interface| interface.attached != Some(false));
    if carriers.len() <= MOST_MEMBERS {
        let addresses = here.flat_map(|interface| &interface.addresses);
        return (AddressSet::of(addresses.map(|ip| (*ip).into())), false);
    }
    let subnets: BTreeSet<&SubnetId> = here.map(|interface| &interface.subnet).collect();
    let networks = subnets
        .into_iter()
        .filter_map(|subnet| network.subnet(subnet))
        .flat_map(|subnet| &subnet.cidrs);
    (AddressSet::of(networks.copied()), true)
}
