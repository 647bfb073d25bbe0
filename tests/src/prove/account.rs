//! Random accounts: one VPC or two, with what lies around.

use super::world::{
    announced, destination, detail, entry, entry_key, pick, rule, served, tags, target,
};
use fastrand::Rng;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// The IPv6 network of a VPC that has one.
const V6: &str = "2001:db8:1::/56";

/// A VPC and how its things are named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    second: bool,
    v6: bool,
    /// ACLs that guard nothing: the quota of ACLs is full, or nearly.
    more_acls: usize,
}

impl Home {
    /// One VPC, or two.
    pub(super) fn some(rng: &mut Rng) -> Vec<Self> {
        let count = if rng.u8(..4) == 0 { 2 } else { 1 };
        (0..count)
            .map(|index| Self {
                second: index == 1,
                v6: rng.u8(..3) == 0,
                more_acls: if index == 0 && rng.u8(..100) == 0 {
                    rng.usize(196..=199)
                } else {
                    0
                },
            })
            .collect()
    }

    /// The home of a VPC; whether it has IPv6 tells only how it is furnished.
    pub(super) fn of(vpc: Option<&VpcId>) -> Self {
        Self {
            second: vpc.is_some_and(|vpc| vpc.as_str() == "vpc-2"),
            v6: false,
            more_acls: 0,
        }
    }

    pub(super) fn vpc(self) -> VpcId {
        if self.second { "vpc-2" } else { "vpc-1" }.into()
    }

    /// The id of its n-th thing of a kind.
    pub(super) fn id(self, kind: &str, number: usize) -> String {
        format!("{kind}-{}", number + usize::from(self.second) * 10)
    }

    pub(super) fn subnets(self) -> Vec<SubnetId> {
        let count = if self.second { 2 } else { 5 };
        (1..=count)
            .map(|number| SubnetId::from(self.id("subnet", number).as_str()))
            .collect()
    }
}

fn group(rng: &mut Rng, home: Home, id: &str) -> SecurityGroup {
    let mut rules: BTreeMap<RuleKey, RuleDetail> = BTreeMap::new();
    if rng.u8(..20) == 0 {
        // Full, or nearly.
        let peers = ["10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/16", "2001:db8::/32"];
        let peer = *pick(rng, &peers);
        for port in 0..rng.u16(52..=60) {
            let key = format!("ingress tcp:{} {peer}", port + rng.u16(..2) * 30);
            rules.insert(
                key.parse().unwrap(),
                RuleDetail {
                    description: None,
                    tags: Some(Tags::new()),
                },
            );
        }
    }
    for _ in 0..rng.usize(..8) {
        rules.insert(rule(rng, home), detail(rng));
    }
    SecurityGroup {
        id: id.into(),
        name: Some(format!("name of {id}")),
        description: Some("a group".into()),
        vpc: Some(home.vpc()),
        owner: None,
        tags: Some(tags(rng)),
        rules,
    }
}

fn acl(rng: &mut Rng, home: Home, id: &str) -> NetworkAcl {
    let entries: BTreeMap<EntryKey, NetworkAclEntry> = if rng.u8(..12) == 0 {
        // Full, or nearly.
        let mut keys = BTreeSet::new();
        for _ in 0..rng.usize(30..90) {
            keys.insert(entry_key(rng, 22));
        }
        let mut room = [rng.usize(17..=20), rng.usize(17..=20)];
        let kept = keys.into_iter().filter(|key| {
            let room = &mut room[usize::from(key.direction.is_egress())];
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        });
        kept.map(|key| (key, entry(rng))).collect()
    } else {
        let count = rng.usize(..9);
        (0..count)
            .map(|_| (entry_key(rng, 6), entry(rng)))
            .collect()
    };
    NetworkAcl {
        id: id.into(),
        vpc: home.vpc(),
        owner: None,
        is_default: id == home.id("acl", 1),
        tags: tags(rng),
        entries,
        subnets: BTreeSet::new(),
    }
}

fn table(rng: &mut Rng, home: Home, id: &str) -> RouteTable {
    let local = |target| Route {
        target,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    let mut routes: BTreeMap<Destination, Route> = BTreeMap::new();
    for _ in 0..rng.usize(..8) {
        routes.insert(destination(rng), Route::created(target(rng, home)));
    }
    let redirected = rng.u8(..8) == 0;
    let to = if redirected {
        RouteTarget::NetworkInterface(home.id("eni", 1))
    } else {
        RouteTarget::Local
    };
    routes.insert("10.0.0.0/16".parse().unwrap(), local(to));
    if home.v6 {
        routes.insert(V6.parse().unwrap(), local(RouteTarget::Local));
    }
    if rng.u8(..4) == 0 {
        routes.extend([served(home)]);
    }
    let mut propagating = BTreeSet::new();
    if rng.u8(..5) == 0 {
        propagating.insert(GatewayId::new(home.id("vgw", 1)));
        for _ in 0..rng.usize(..3) {
            let (destination, route) = announced(rng, home);
            routes.entry(destination).or_insert(route);
        }
    }
    RouteTable {
        id: id.into(),
        vpc: home.vpc(),
        owner: None,
        tags: tags(rng),
        main: false,
        routes,
        subnets: BTreeSet::new(),
        gateways: BTreeSet::new(),
        propagating,
    }
}

/// The resources of all kinds of some VPCs, everybody placed, and what lies around.
pub(super) fn account(rng: &mut Rng, homes: &[Home]) -> Snapshot {
    let mut state = Snapshot::empty("2026-11-26T12:00:00Z".parse().unwrap());
    state.coverage = Kind::ALL
        .into_iter()
        .map(Coverage::Kind)
        .chain([Coverage::Subnets])
        .collect();
    for home in homes {
        settle(rng, *home, &mut state);
        surround(rng, *home, &mut state.topology);
    }
    share(rng, homes, &mut state.topology);
    state
}

fn settle(rng: &mut Rng, home: Home, state: &mut Snapshot) {
    let ids = |rng: &mut Rng, kind: &str| -> Vec<String> {
        (1..=rng.usize(1..=3)).map(|n| home.id(kind, n)).collect()
    };
    let (groups, acls, tables) = (ids(rng, "sg"), ids(rng, "acl"), ids(rng, "rtb"));
    let groups: Vec<SecurityGroup> = groups.iter().map(|id| group(rng, home, id)).collect();
    let mut acls: Vec<NetworkAcl> = acls.iter().map(|id| acl(rng, home, id)).collect();
    let mut tables: Vec<RouteTable> = tables.iter().map(|id| table(rng, home, id)).collect();
    for subnet in home.subnets() {
        let index = rng.usize(..acls.len());
        acls[index].subnets.insert(subnet.clone());
        let index = rng.usize(..=tables.len());
        if let Some(table) = tables.get_mut(index) {
            table.subnets.insert(subnet);
        }
    }
    for number in 0..home.more_acls {
        acls.push(NetworkAcl {
            id: NetworkAclId::new(home.id("acl", 1_000 + number)),
            entries: BTreeMap::new(),
            subnets: BTreeSet::new(),
            is_default: false,
            ..acls[0].clone()
        });
    }
    let main = rng.usize(..tables.len().min(2));
    tables[main].main = true;
    for gateway in ["igw", "vgw"] {
        let index = rng.usize(..tables.len() + 2);
        if let Some(table) = tables.get_mut(index).filter(|table| !table.main) {
            table.gateways.insert(GatewayId::new(home.id(gateway, 1)));
        }
    }
    let resources = groups.into_iter().map(Resource::SecurityGroup);
    let resources = resources.chain(acls.into_iter().map(Resource::NetworkAcl));
    for resource in resources.chain(tables.into_iter().map(Resource::RouteTable)) {
        state.resources.insert(resource.id(), resource);
    }
}

/// The VPC with its subnets and gateways: all there, or some of it dead.
fn surround(rng: &mut Rng, home: Home, topology: &mut Topology) {
    let mut vpc = Vpc::new(home.vpc());
    vpc.cidrs.insert("10.0.0.0/16".parse().unwrap());
    if home.v6 {
        vpc.cidrs.insert(V6.parse().unwrap());
    }
    topology.vpcs.insert(home.vpc(), vpc);
    for id in home.subnets() {
        topology
            .subnets
            .insert(id.clone(), Subnet::new(id, home.vpc()));
    }
    let kinds = [
        ("igw", GatewayKind::Internet),
        ("nat", GatewayKind::Nat),
        ("vgw", GatewayKind::Vpn),
        ("vpce", GatewayKind::Endpoint),
    ];
    for (name, kind) in kinds {
        let id = home.id(name, 1);
        let mut gateway = alive(rng, &id, kind, &[home]);
        match kind {
            GatewayKind::Endpoint => {
                gateway.endpoint = Some(EndpointDetail {
                    kind: EndpointKind::Gateway,
                    private_dns: false,
                    interfaces: BTreeSet::new(),
                    prefix_list: Some("pl-3".into()),
                });
            }
            GatewayKind::Nat => {
                gateway.state = Some("available".into());
                gateway.vpcs.insert(home.vpc());
                address(rng, home, &mut gateway, topology);
            }
            _ => {}
        }
        topology.gateways.insert(id, gateway);
    }
}

fn alive(rng: &mut Rng, id: &str, kind: GatewayKind, homes: &[Home]) -> Gateway {
    let mut gateway = Gateway::new(id, kind);
    gateway.state = Some("available".into());
    gateway.vpcs.extend(homes.iter().map(|home| home.vpc()));
    match rng.u8(..40) {
        0 => gateway.state = Some("deleted".into()),
        1 => gateway.vpcs.clear(),
        _ => {}
    }
    gateway
}

/// The place and addresses of a NAT gateway.
fn address(rng: &mut Rng, home: Home, gateway: &mut Gateway, topology: &mut Topology) {
    let interface = NetworkInterfaceId::new(home.id("eni", 99));
    let connectivity = if rng.u8(..5) == 0 {
        Connectivity::Private
    } else {
        Connectivity::Public
    };
    let one = |number: u8| NatAddress {
        allocation: (connectivity == Connectivity::Public)
            .then(|| home.id("eipalloc", number.into())),
        public: (connectivity == Connectivity::Public)
            .then(|| [203, 0, 113, number + u8::from(home.second) * 10].into()),
        private: Some([10, 0, 200, number].into()),
        primary: number == 1,
        interface: Some(interface.clone()),
        zone: None,
    };
    let addresses: BTreeSet<NatAddress> = (1..=rng.u8(1..=2)).map(one).collect();
    let elastic = topology.addresses.get_or_insert_default();
    for one in &addresses {
        if let Some(allocation) = &one.allocation {
            let address = ElasticAddress {
                allocation: allocation.clone(),
                public: one.public,
                holder: Some(interface.to_string()),
            };
            elastic.insert(allocation.clone(), address);
        }
    }
    gateway.subnets.extend(home.subnets().into_iter().take(1));
    gateway.nat = Some(NatDetail {
        connectivity,
        regional: false,
        zone: None,
        addresses,
        failure: None,
    });
}

/// What belongs to no single VPC.
fn share(rng: &mut Rng, homes: &[Home], topology: &mut Topology) {
    let lists: [(&str, &[&str]); 2] = [
        ("pl-1", &["172.16.1.0/24", "192.168.0.0/16"]),
        ("pl-3", &["3.5.0.0/19"]),
    ];
    for (id, entries) in lists {
        // Sometimes only the name of a list is known.
        let read = rng.u8(..4) > 0;
        let list = PrefixList {
            id: id.into(),
            name: None,
            version: None,
            max_entries: Some(5),
            entries: read.then(|| entries.iter().map(|net| net.parse().unwrap()).collect()),
        };
        topology.prefix_lists.insert(id.into(), list);
    }
    let kinds = [
        ("pcx-1", GatewayKind::Peering),
        ("tgw-1", GatewayKind::Transit),
    ];
    for (id, kind) in kinds {
        let gateway = alive(rng, id, kind, homes);
        topology.gateways.insert(id.to_owned(), gateway);
    }
}

/// Interfaces that carry the groups of live.
pub(super) fn carry(rng: &mut Rng, live: &mut Snapshot, homes: &[Home]) {
    for home in homes {
        let groups: Vec<SecurityGroupId> = live
            .resources
            .values()
            .filter_map(|resource| match resource {
                Resource::SecurityGroup(group) if group.vpc == Some(home.vpc()) => {
                    Some(group.id.clone())
                }
                _ => None,
            })
            .collect();
        let subnets = home.subnets();
        // The first is a target of routes: it exists, whatever it carries.
        for number in 1..=rng.usize(1..5) {
            let mut interface = NetworkInterface::new(
                home.id("eni", number).as_str(),
                home.vpc(),
                pick(rng, &subnets).clone(),
            );
            interface.groups = groups.iter().filter(|_| rng.bool()).cloned().collect();
            live.topology
                .interfaces
                .insert(interface.id.clone(), interface);
        }
    }
    if rng.u8(..5) > 0 {
        live.topology.read.insert(ContextKind::Interfaces);
    }
}

/// Routes to NAT gateways that are gone are blackholes.
pub(super) fn mark_dead(live: &mut Snapshot) {
    let alive: BTreeSet<String> = live
        .topology
        .gateways
        .values()
        .filter(|gateway| gateway.state.as_deref() == Some("available"))
        .map(|gateway| gateway.id.clone())
        .collect();
    for resource in live.resources.values_mut() {
        if let Resource::RouteTable(table) = resource {
            for route in table.routes.values_mut() {
                if let RouteTarget::NatGateway(id) = &route.target {
                    route.blackhole = !alive.contains(id);
                }
            }
        }
    }
}

/// There is an ACL for every subnet.
pub(super) fn place_everybody(live: &mut Snapshot, homes: &[Home]) {
    let placed: BTreeSet<SubnetId> = live
        .resources
        .values()
        .filter_map(|resource| match resource {
            Resource::NetworkAcl(acl) => Some(&acl.subnets),
            Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
        })
        .flatten()
        .cloned()
        .collect();
    for home in homes {
        let default = ResourceId::NetworkAcl(NetworkAclId::new(home.id("acl", 1)));
        if let Some(Resource::NetworkAcl(default)) = live.resources.get_mut(&default) {
            let subnets = home.subnets().into_iter();
            default
                .subnets
                .extend(subnets.filter(|subnet| !placed.contains(subnet)));
        }
    }
}

/// Gives an id to every rule and association that has none.
pub(super) fn name_parts(state: &mut Snapshot, prefix: &str) {
    let known = state.handles.rules.values();
    let known: BTreeSet<(SecurityGroupId, RuleKey)> = known
        .map(|handle| (handle.group.clone(), handle.rule.clone()))
        .collect();
    let mut associations = Vec::new();
    for resource in state.resources.values() {
        let id = resource.id();
        let mut bind = |subject| {
            associations.push(AssociationHandle {
                resource: id.clone(),
                subject,
            })
        };
        match resource {
            Resource::SecurityGroup(group) => {
                for rule in group.rules.keys() {
                    let handle = RuleHandle {
                        group: group.id.clone(),
                        rule: rule.clone(),
                    };
                    if !known.contains(&(group.id.clone(), rule.clone())) {
                        let id = SecurityGroupRuleId::new(format!(
                            "sgr-{prefix}{}",
                            state.handles.rules.len()
                        ));
                        state.handles.rules.insert(id, handle);
                    }
                }
            }
            Resource::NetworkAcl(acl) => {
                acl.subnets
                    .iter()
                    .cloned()
                    .map(AssociationSubject::Subnet)
                    .for_each(&mut bind);
            }
            Resource::RouteTable(table) => {
                table
                    .subnets
                    .iter()
                    .cloned()
                    .map(AssociationSubject::Subnet)
                    .for_each(&mut bind);
                table
                    .gateways
                    .iter()
                    .cloned()
                    .map(AssociationSubject::Gateway)
                    .for_each(&mut bind);
                if table.main {
                    bind(AssociationSubject::Main(table.vpc.clone()));
                }
            }
        }
    }
    for (number, handle) in associations.into_iter().enumerate() {
        let kind = if handle.resource.kind() == Kind::NetworkAcl {
            "aclassoc"
        } else {
            "rtbassoc"
        };
        let id = AssociationId::new(format!("{kind}-{prefix}{number}"));
        state.handles.associations.insert(id, handle);
    }
}
