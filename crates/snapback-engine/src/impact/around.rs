//! What stands around a resource: the interfaces concerned, grouped by all that decides for them.

use super::blast::BlastRadius;
use super::sets::Sets;
use snapback_model::*;
use snapback_reach::{Errs, Gap, Network, Unknowns};
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

/// The baselines that the impact on a resource needs beside its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The groups that the interfaces behind it carry.
    pub groups: BTreeSet<SecurityGroupId>,
    /// All ACLs or tables of VPCs.
    pub vpcs: BTreeSet<(Kind, VpcId)>,
}

/// Groups read beside a resource for its impact; what is beyond is told as not read.
const MOST_GROUPS: usize = 100;

impl Surroundings {
    /// What surrounds a resource by the newest context seen, without what `baselines` has.
    pub fn of(baselines: &Baselines, resource: &ResourceId) -> Self {
        let Some(baseline) = baselines.by_id.get(resource) else {
            return Self::default();
        };
        let holds = |interface: &NetworkInterface| match baseline.state.as_ref() {
            Some(Resource::SecurityGroup(group)) => interface.groups.contains(&group.id),
            Some(Resource::NetworkAcl(acl)) => acl.subnets.contains(&interface.subnet),
            Some(Resource::RouteTable(table)) => {
                table.vpc == interface.vpc
                    && (table.main || table.subnets.contains(&interface.subnet))
            }
            None => false,
        };
        let interfaces = baselines.context().interfaces.values();
        let carried = interfaces
            .filter(|interface| holds(interface))
            .flat_map(|interface| &interface.groups);
        let mut groups: BTreeSet<&SecurityGroupId> = BTreeSet::new();
        for group in carried {
            if groups.len() < MOST_GROUPS {
                groups.insert(group);
            }
        }
        let known = |id: &SecurityGroupId| baselines.by_id.contains_key(&id.clone().into());
        let kinds = [Kind::NetworkAcl, Kind::RouteTable].into_iter();
        let kinds = kinds.filter(|kind| *kind != resource.kind());
        Self {
            groups: groups
                .into_iter()
                .filter(|id| !known(id))
                .cloned()
                .collect(),
            vpcs: kinds
                .filter_map(|kind| Some((kind, baseline.vpc.clone()?)))
                .collect(),
        }
    }
}

/// Whether the interfaces are known: read now or before.
pub(super) fn knows_interfaces(baselines: &Baselines, live: &Snapshot) -> bool {
    [&live.topology, baselines.context()]
        .iter()
        .any(|topology| lists_interfaces(topology))
}

fn lists_interfaces(topology: &Topology) -> bool {
    topology.has_read(ContextKind::Interfaces) || !topology.interfaces.is_empty()
}

/// Whether the interfaces are those of an earlier read, not of this one.
pub(super) fn interfaces_are_old(live: &Snapshot) -> bool {
    !lists_interfaces(&live.topology)
}

/// What block public access stops at the internet gateways of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Blocked {
    pub(super) ingress: bool,
    pub(super) egress: bool,
}

/// What decides for every interface of a subnet, beside groups.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) acl: Option<&'a NetworkAcl>,
    pub(super) table: Option<&'a RouteTable>,
    pub(super) blocked: Blocked,
    /// Some subnet of it.
    pub(super) subnet: &'a SubnetId,
}

/// What decides for an interface beside groups, as a key: one answer serves all that share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Index of the place.
    pub(super) place: usize,
    /// Whether they have public IPv4 addresses.
    pub(super) public_v4: bool,
    /// Whether they have IPv6 addresses.
    pub(super) has_v6: bool,
}

/// Interfaces with the same groups at the same spot.
pub(super) struct Position<'a> {
    /// Indexes of the groups they carry.
    pub(super) groups: Vec<usize>,
    pub(super) spot: Spot,
    /// Whether their flows are always tracked, whatever the rules (semantics A2).
    pub(super) tracked: bool,
    /// The interfaces by subnet.
    pub(super) subnets: Vec<(&'a SubnetId, Vec<&'a NetworkInterface>)>,
}

impl<'a> Position<'a> {
    fn add(&mut self, interface: &'a NetworkInterface) {
        let subnet = &interface.subnet;
        match self.subnets.iter_mut().find(|(known, _)| *known == subnet) {
            Some((_, here)) => here.push(interface),
            None => self.subnets.push((subnet, vec![interface])),
        }
    }
}

/// The interfaces that a change concerns, grouped by what decides for them.
#[derive(Default)]
pub(super) struct Positions<'a> {
    pub(super) places: Vec<Place<'a>>,
    pub(super) all: Vec<Position<'a>>,
}

impl<'a> Positions<'a> {
    /// Groups interfaces. Detached ones carry no traffic and are left out. `blast` counts all: one
    /// look at each interface is what large VPCs cost.
    pub(super) fn of(
        sets: &mut Sets<'_, 'a>,
        access: Option<&BlockPublicAccess>,
        interfaces: impl IntoIterator<Item = &'a NetworkInterface>,
        mut blast: Option<&mut BlastRadius>,
    ) -> Self {
        let mut places = Places::default();
        let mut carried: BTreeMap<&BTreeSet<SecurityGroupId>, usize> = BTreeMap::new();
        let mut found: BTreeMap<(usize, Spot, bool), Position<'a>> = BTreeMap::new();
        let mut last: Option<(&BTreeSet<SecurityGroupId>, usize)> = None;
        for interface in interfaces {
            if let Some(blast) = blast.as_deref_mut() {
                blast.add(interface);
            }
            if interface.attached == Some(false) {
                continue;
            }
            // Interfaces come sorted by their groups where that is cheap: most are like the last.
            let known = last.filter(|(groups, _)| *groups == &interface.groups);
            let next = carried.len();
            let set = match known {
                Some((_, set)) => set,
                None => *carried.entry(&interface.groups).or_insert(next),
            };
            last = Some((&interface.groups, set));
            let spot = Spot {
                place: places.find(sets, access, interface),
                public_v4: interface.public_addresses.iter().any(|ip| ip.is_ipv4()),
                has_v6: interface.addresses.iter().any(|ip| ip.is_ipv6()),
            };
            let tracked = is_always_tracked(interface);
            let position = found
                .entry((set, spot, tracked))
                .or_insert_with(|| Position {
                    groups: sets.indexes(&interface.groups),
                    spot,
                    tracked,
                    subnets: Vec::new(),
                });
            position.add(interface);
        }
        let mut all: Vec<Position<'a>> = found.into_values().collect();
        // What many carry is asked first: one answer serves them all.
        let mut carriers: BTreeMap<usize, usize> = BTreeMap::new();
        for index in all.iter().flat_map(|position| &position.groups) {
            *carriers.entry(*index).or_default() += 1;
        }
        for position in &mut all {
            let rank = |index: &usize| carriers.get(index).copied().unwrap_or_default();
            position
                .groups
                .sort_by_key(|index| (std::cmp::Reverse(rank(index)), *index));
            position.subnets.sort_by_key(|(subnet, _)| *subnet);
        }
        Self {
            places: places.all,
            all,
        }
    }

    /// The ACLs around them.
    pub(super) fn acls(&self) -> BTreeSet<&'a str> {
        let acls = self.places.iter().filter_map(|place| place.acl);
        acls.map(|acl| acl.id.as_str()).collect()
    }
}

type PlaceKey<'a> = (Option<&'a NetworkAclId>, Option<&'a RouteTableId>, Blocked);

#[derive(Default)]
struct Places<'a> {
    all: Vec<Place<'a>>,
    by_subnet: BTreeMap<&'a SubnetId, usize>,
    last: Option<(&'a SubnetId, usize)>,
    by_key: BTreeMap<PlaceKey<'a>, usize>,
}

impl<'a> Places<'a> {
    fn find(
        &mut self,
        sets: &mut Sets<'_, 'a>,
        access: Option<&BlockPublicAccess>,
        interface: &'a NetworkInterface,
    ) -> usize {
        let subnet = &interface.subnet;
        if let Some((_, known)) = self.last.filter(|(last, _)| *last == subnet) {
            return known;
        }
        if let Some(known) = self.by_subnet.get(subnet).copied() {
            self.last = Some((subnet, known));
            return known;
        }
        let (acl, table) = (sets.network.acl_of(subnet), sets.network.table_of(subnet));
        let mut unread = |what: Unknowns, noun: &str| {
            let words =
                format!("the {noun} of {subnet} was not read, so it is taken to let all through");
            sets.gaps.add(Gap::new(what, Errs::MayPermitLess, words));
        };
        if acl.is_none() {
            unread(Unknowns::Acl(subnet.clone()), "network ACL");
        }
        if table.is_none() {
            unread(Unknowns::Table(subnet.clone()), "route table");
        }
        let blocked = blocked(sets.network, access, interface);
        let key = (
            acl.map(|acl| &acl.id),
            table.map(|table| &table.id),
            blocked,
        );
        let next = self.all.len();
        let index = *self.by_key.entry(key).or_insert(next);
        if index == next {
            self.all.push(Place {
                acl,
                table,
                blocked,
                subnet,
            });
        }
        self.by_subnet.insert(subnet, index);
        index
    }
}

/// What block public access does for the subnet of an interface: as the subnet itself tells, else by
/// the account's mode and its exclusions (semantics A4).
fn blocked(
    network: &Network<'_>,
    access: Option<&BlockPublicAccess>,
    interface: &NetworkInterface,
) -> Blocked {
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
    let Some(access) = access else {
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
    let is = |kind: &str| KINDS.contains(&kind);
    let description = interface.description.as_deref().unwrap_or_default();
    interface.kind.as_deref().is_some_and(is)
        || description.starts_with("AWS Lambda VPC ENI")
        || description.starts_with("ELB net/")
}
