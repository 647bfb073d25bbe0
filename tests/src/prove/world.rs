//! Random accounts of one VPC, small enough that parts overlap, shadow and collide.

use super::mutate::Mutation;
use fastrand::Rng;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const VPC: &str = "vpc-1";
const TRAFFIC: [&str; 9] = [
    "all",
    "tcp:22",
    "tcp:443",
    "tcp:0-1024",
    "tcp:all",
    "udp:53",
    "icmp:8",
    "icmpv6:128",
    "protocol:50",
];
const NETWORKS: [&str; 7] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "::/0",
    "2001:db8::/32",
    "2001:db8:1::/48",
];
const DESTINATIONS: [&str; 10] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "172.16.0.0/12",
    "172.16.0.0/16",
    "172.16.1.0/24",
    "192.168.0.0/16",
    "::/0",
    "2001:db8::/32",
    "pl-1",
];

/// One pair of live and baseline, with what the plan is asked for.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is there.
    pub live: Snapshot,
    /// What was there when it was good.
    pub good: Snapshot,
    /// The resources of the baseline that the plan is asked for.
    pub asked: BTreeSet<ResourceId>,
}

impl Case {
    /// The case of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut good = state(&mut rng);
        good.topology = topology(&mut rng);
        name_parts(&mut good, "g");
        let mut live = good.clone();
        live.handles.associations.clear();
        if rng.u8(..3) == 0 {
            let other = state(&mut rng);
            live.resources = other.resources;
            live.handles.rules.clear();
        } else {
            for _ in 0..rng.usize(1..12) {
                Mutation::any(&mut rng).apply(&mut live, &mut rng);
            }
        }
        for _ in 0..[0, 0, 1, 1, 2, 3][rng.usize(..6)] {
            Mutation::deletion(&mut rng).apply(&mut live, &mut rng);
        }
        place_everybody(&mut live);
        carry(&mut rng, &mut live);
        name_parts(&mut live, "l");
        let all: Vec<ResourceId> = good.resources.keys().cloned().collect();
        let asked = if rng.bool() {
            all.into_iter().collect()
        } else {
            all.into_iter().filter(|_| rng.bool()).collect()
        };
        Self { live, good, asked }
    }

    /// The goal.
    pub fn goal(&self) -> BTreeMap<ResourceId, Resource> {
        let asked = self.asked.iter();
        asked
            .filter_map(|id| Some((id.clone(), self.good.resources.get(id)?.clone())))
            .collect()
    }

    /// The baselines.
    pub fn baselines(&self) -> Baselines {
        Baselines::captured(&self.good, "prove", "prove")
    }
}

pub(super) fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}

pub(super) fn tags(rng: &mut Rng) -> Tags {
    let mut tags = Tags::new();
    for _ in 0..rng.usize(..3) {
        tags.insert(
            (*pick(rng, &["Owner", "Stage"])).to_owned(),
            (*pick(rng, &["a", "b"])).to_owned(),
        );
    }
    tags
}

pub(super) fn rule(rng: &mut Rng) -> RuleKey {
    let peer = match rng.u8(..12) {
        0 => "sg-1",
        1 => "sg-2",
        2 => "sg-9@222222222222",
        3 => "pl-1",
        4 => "pl-2",
        _ => pick(rng, &NETWORKS),
    };
    let direction = if rng.bool() { "ingress" } else { "egress" };
    format!("{direction} {} {peer}", pick(rng, &TRAFFIC))
        .parse()
        .unwrap()
}

pub(super) fn detail(rng: &mut Rng) -> RuleDetail {
    RuleDetail {
        description: (rng.u8(..3) == 0).then(|| (*pick(rng, &["web", "ssh"])).to_owned()),
        tags: Some(if rng.u8(..4) == 0 {
            tags(rng)
        } else {
            Tags::new()
        }),
    }
}

pub(super) fn entry(rng: &mut Rng) -> NetworkAclEntry {
    let action = if rng.bool() {
        RuleAction::Allow
    } else {
        RuleAction::Deny
    };
    let network: ipnet::IpNet = pick(rng, &NETWORKS).parse().unwrap();
    let mut traffic = *pick(rng, &TRAFFIC);
    if traffic == "icmpv6:128" && network.addr().is_ipv4() {
        traffic = "tcp:22";
    }
    NetworkAclEntry::new(action, traffic.parse().unwrap(), network)
}

pub(super) fn entry_key(rng: &mut Rng, numbers: u32) -> EntryKey {
    EntryKey {
        direction: if rng.bool() {
            Direction::Ingress
        } else {
            Direction::Egress
        },
        number: RuleNumber::new(i64::from(rng.u32(1..=numbers) * 10)).unwrap(),
    }
}

pub(super) fn target(rng: &mut Rng) -> RouteTarget {
    match rng.u8(..6) {
        0 => RouteTarget::InternetGateway("igw-1".into()),
        1 => RouteTarget::NatGateway("nat-1".into()),
        2 => RouteTarget::VpcPeeringConnection("pcx-1".into()),
        3 => RouteTarget::TransitGateway("tgw-1".into()),
        4 => RouteTarget::VpnGateway("vgw-1".into()),
        _ => RouteTarget::NetworkInterface("eni-1".into()),
    }
}

pub(super) fn destination(rng: &mut Rng) -> Destination {
    pick(rng, &DESTINATIONS).parse().unwrap()
}

/// The route of a gateway endpoint.
pub(super) fn served() -> (Destination, Route) {
    let route = Route::created(RouteTarget::GatewayEndpoint("vpce-1".into()));
    (Destination::PrefixList("pl-3".into()), route)
}

fn group(rng: &mut Rng, id: &str) -> SecurityGroup {
    let mut rules: BTreeMap<RuleKey, RuleDetail> = BTreeMap::new();
    if rng.u8(..24) == 0 {
        // Full, or nearly.
        let bits = *pick(rng, &[8_u8, 9, 16]);
        for port in 0..rng.u16(55..=60) {
            let key = format!("ingress tcp:{} 10.0.0.0/{bits}", port + rng.u16(..2) * 30);
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
        rules.insert(rule(rng), detail(rng));
    }
    SecurityGroup {
        id: id.into(),
        name: Some(format!("name of {id}")),
        description: Some("a group".into()),
        vpc: Some(VPC.into()),
        owner: None,
        tags: Some(tags(rng)),
        rules,
    }
}

fn acl(rng: &mut Rng, id: &str) -> NetworkAcl {
    let (count, numbers) = if rng.u8(..12) == 0 {
        (40, 20)
    } else {
        (rng.usize(..9), 6)
    };
    NetworkAcl {
        id: id.into(),
        vpc: VPC.into(),
        owner: None,
        is_default: id == "acl-1",
        tags: tags(rng),
        entries: (0..count)
            .map(|_| (entry_key(rng, numbers), entry(rng)))
            .collect(),
        subnets: BTreeSet::new(),
    }
}

fn table(rng: &mut Rng, id: &str) -> RouteTable {
    let local = |target| Route {
        target,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    let mut routes: BTreeMap<Destination, Route> = BTreeMap::new();
    for _ in 0..rng.usize(..8) {
        routes.insert(destination(rng), Route::created(target(rng)));
    }
    let redirected = rng.u8(..8) == 0;
    let to = if redirected {
        RouteTarget::NetworkInterface("eni-1".into())
    } else {
        RouteTarget::Local
    };
    routes.insert("10.0.0.0/16".parse().unwrap(), local(to));
    if rng.u8(..4) == 0 {
        routes.extend([served()]);
    }
    let mut propagating = BTreeSet::new();
    if rng.u8(..5) == 0 {
        propagating.insert("vgw-1".into());
    }
    RouteTable {
        id: id.into(),
        vpc: VPC.into(),
        owner: None,
        tags: tags(rng),
        main: false,
        routes,
        subnets: BTreeSet::new(),
        gateways: BTreeSet::new(),
        propagating,
    }
}

pub(super) const SUBNETS: [&str; 5] = ["subnet-1", "subnet-2", "subnet-3", "subnet-4", "subnet-5"];

/// Resources of all kinds, everybody placed.
fn state(rng: &mut Rng) -> Snapshot {
    let mut state = Snapshot::empty("2026-11-26T12:00:00Z".parse().unwrap());
    state.coverage = Kind::ALL
        .into_iter()
        .map(Coverage::Kind)
        .chain([Coverage::Subnets])
        .collect();
    let mut groups: Vec<SecurityGroup> = (1..=rng.usize(1..=3))
        .map(|n| group(rng, &format!("sg-{n}")))
        .collect();
    let mut acls: Vec<NetworkAcl> = (1..=rng.usize(1..=3))
        .map(|n| acl(rng, &format!("acl-{n}")))
        .collect();
    let mut tables: Vec<RouteTable> = (1..=rng.usize(1..=3))
        .map(|n| table(rng, &format!("rtb-{n}")))
        .collect();
    for subnet in SUBNETS {
        let index = rng.usize(..acls.len());
        acls[index].subnets.insert(subnet.into());
        let index = rng.usize(..=tables.len());
        if let Some(table) = tables.get_mut(index) {
            table.subnets.insert(subnet.into());
        }
    }
    let main = rng.usize(..tables.len().min(2));
    tables[main].main = true;
    for gateway in ["igw-1", "vgw-1"] {
        let index = rng.usize(..tables.len() + 2);
        if let Some(table) = tables.get_mut(index).filter(|table| !table.main) {
            table.gateways.insert(gateway.into());
        }
    }
    let resources = groups.drain(..).map(Resource::SecurityGroup);
    let resources = resources.chain(acls.drain(..).map(Resource::NetworkAcl));
    for resource in resources.chain(tables.drain(..).map(Resource::RouteTable)) {
        state.resources.insert(resource.id(), resource);
    }
    state
}

/// What lies around, as it was read with live: all there, or some of it dead.
fn topology(rng: &mut Rng) -> Topology {
    let mut topology = Topology::default();
    let mut vpc = Vpc::new(VPC);
    vpc.cidrs.insert("10.0.0.0/16".parse().unwrap());
    topology.vpcs.insert(VPC.into(), vpc);
    for id in SUBNETS {
        topology.subnets.insert(id.into(), Subnet::new(id, VPC));
    }
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
        ("igw-1", GatewayKind::Internet),
        ("nat-1", GatewayKind::Nat),
        ("pcx-1", GatewayKind::Peering),
        ("tgw-1", GatewayKind::Transit),
        ("vgw-1", GatewayKind::Vpn),
        ("vpce-1", GatewayKind::Endpoint),
    ];
    for (id, kind) in kinds {
        let mut gateway = Gateway::new(id, kind);
        gateway.state = Some("available".into());
        gateway.vpcs.insert(VPC.into());
        if kind == GatewayKind::Endpoint {
            gateway.endpoint = Some(EndpointDetail {
                kind: EndpointKind::Gateway,
                private_dns: false,
                interfaces: BTreeSet::new(),
                prefix_list: Some("pl-3".into()),
            });
        }
        match rng.u8(..40) {
            0 => gateway.state = Some("deleted".into()),
            1 => gateway.vpcs.clear(),
            _ => {}
        }
        topology.gateways.insert(id.to_owned(), gateway);
    }
    topology
}

/// Interfaces that carry the groups of live.
fn carry(rng: &mut Rng, live: &mut Snapshot) {
    let groups: Vec<SecurityGroupId> = live
        .resources
        .values()
        .filter_map(|resource| match resource {
            Resource::SecurityGroup(group) => Some(group.id.clone()),
            Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
        })
        .collect();
    // eni-1 is a target of routes: it exists, whatever it carries.
    for number in 1..=rng.usize(1..5) {
        let mut interface = NetworkInterface::new(
            format!("eni-{number}").as_str(),
            VPC,
            SUBNETS[rng.usize(..5)],
        );
        interface.groups = groups.iter().filter(|_| rng.bool()).cloned().collect();
        live.topology
            .interfaces
            .insert(interface.id.clone(), interface);
    }
    if rng.u8(..5) > 0 {
        live.topology.read.insert(ContextKind::Interfaces);
    }
}

/// A main table there is, and an ACL for every subnet.
fn place_everybody(live: &mut Snapshot) {
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
    if let Some(Resource::NetworkAcl(default)) = live
        .resources
        .get_mut(&ResourceId::NetworkAcl("acl-1".into()))
    {
        let left = SUBNETS
            .map(SubnetId::from)
            .into_iter()
            .filter(|subnet| !placed.contains(subnet));
        default.subnets.extend(left);
    }
}

/// Gives an id to every rule and association that has none.
fn name_parts(state: &mut Snapshot, prefix: &str) {
    let known: Vec<RuleHandle> = state.handles.rules.values().cloned().collect();
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
                    if !known.contains(&handle) {
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
