//! One state of an account, as the catalogue looks at it: resources, what surrounds them, and what
//! their absence proves.

use super::scene::{as_acl, as_table};
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{AddressSet, PacketSet, permitted_by_acl, permitted_by_rules};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What an ACL permits: ingress, egress.
pub(super) type AclSets = (PacketSet, PacketSet);

/// The addresses of those that carry a group, by the ACL of their subnet.
pub(super) type HostsByAcl<'a> = BTreeMap<&'a NetworkAclId, AddressSet>;

/// One state. Indexes are made when first asked for.
pub(super) struct World<'a> {
    states: BTreeMap<&'a ResourceId, &'a Resource>,
    pub(super) topology: &'a Topology,
    /// Prefix lists to expand by.
    pub(super) lists: &'a Topology,
    /// Kinds of resources of which all are in it.
    whole: BTreeSet<Kind>,
    /// Kinds of context of which all are in it.
    read: BTreeSet<ContextKind>,
    pub(super) account: Option<&'a AccountId>,
    carriers: OnceCell<BTreeMap<&'a SecurityGroupId, Vec<&'a NetworkInterface>>>,
    by_subnet: OnceCell<BTreeMap<&'a SubnetId, Vec<&'a NetworkInterface>>>,
    hosts_by_acl: OnceCell<BTreeMap<&'a SecurityGroupId, HostsByAcl<'a>>>,
    acl_sets: OnceCell<BTreeMap<&'a NetworkAclId, AclSets>>,
    holders: OnceCell<Holders<'a>>,
}

#[derive(Default)]
struct Holders<'a> {
    acls: BTreeMap<&'a SubnetId, &'a NetworkAcl>,
    tables: BTreeMap<&'a SubnetId, &'a RouteTable>,
    mains: BTreeMap<&'a VpcId, &'a RouteTable>,
}

impl<'a> World<'a> {
    fn new(
        states: impl IntoIterator<Item = (&'a ResourceId, &'a Resource)>,
        topology: &'a Topology,
    ) -> Self {
        Self {
            states: states.into_iter().collect(),
            topology,
            lists: topology,
            whole: BTreeSet::new(),
            read: topology.read.clone(),
            account: None,
            carriers: OnceCell::new(),
            by_subnet: OnceCell::new(),
            hosts_by_acl: OnceCell::new(),
            acl_sets: OnceCell::new(),
            holders: OnceCell::new(),
        }
    }

    /// What was read.
    pub(super) fn of_snapshot(live: &'a Snapshot) -> Self {
        Self {
            whole: Kind::ALL
                .into_iter()
                .filter(|kind| live.coverage.contains(&Coverage::Kind(*kind)))
                .collect(),
            account: live.account.as_ref(),
            ..Self::new(&live.resources, &live.topology)
        }
    }

    /// What should be, with the context of the capture. Baselines that hold everything of a kind
    /// are for the caller to know: see [`Self::comparable`].
    pub(super) fn of_baselines(baselines: &'a Baselines) -> Self {
        let states = baselines
            .by_id
            .iter()
            .filter_map(|(id, baseline)| Some((id, baseline.state.as_ref()?)));
        Self {
            whole: Kind::ALL.into_iter().collect(),
            ..Self::new(states, &baselines.topology)
        }
    }

    /// Makes two states speak of the same kinds only: what one of them did not read is a difference
    /// of no account.
    pub(super) fn comparable(&mut self, other: &mut Self) {
        let read: BTreeSet<ContextKind> = self.read.intersection(&other.read).copied().collect();
        let whole: BTreeSet<Kind> = self.whole.intersection(&other.whole).copied().collect();
        let account = self.account.or(other.account);
        for world in [self, other] {
            world.read.clone_from(&read);
            world.whole.clone_from(&whole);
            world.account = account;
        }
    }

    /// The two sides of one difference, in the same surroundings: what should be, and the same with
    /// what live has of the resources that were read. The context is that of the read where it has
    /// interfaces, else the newest that was seen.
    pub(super) fn sides(
        baselines: &'a Baselines,
        live: &'a Snapshot,
        lists: &'a Topology,
    ) -> (Self, Self) {
        let (good, found, _) = Self::sides_and_rest(baselines, live, lists, None);
        (good, found)
    }

    /// The two sides of one difference, and what is but for one resource, which is as it should be: what
    /// differs there too is no doing of that resource.
    pub(super) fn sides_and_rest(
        baselines: &'a Baselines,
        live: &'a Snapshot,
        lists: &'a Topology,
        one: Option<&'a ResourceId>,
    ) -> (Self, Self, Self) {
        let context = if live.topology.interfaces.is_empty() {
            baselines.context()
        } else {
            &live.topology
        };
        let good = || {
            baselines
                .by_id
                .iter()
                .filter_map(|(id, baseline)| Some((id, baseline.state.as_ref()?)))
        };
        let gone = |id: &ResourceId, state: &Resource| live.covers(id, state.vpc());
        let found = || {
            good()
                .filter(|(id, state)| !gone(id, state))
                .chain(&live.resources)
        };
        let others = found().filter(|(id, _)| Some(*id) != one);
        let rest = others.chain(good().filter(|(id, _)| Some(*id) == one));
        let side = |states: Vec<(&'a ResourceId, &'a Resource)>| Self {
            lists,
            account: live.account.as_ref(),
            ..Self::new(states, context)
        };
        let (should, is) = (side(good().collect()), side(found().collect()));
        (should, is, side(rest.collect()))
    }

    /// Whether every resource of a kind is in it.
    pub(super) fn has_all(&self, kind: Kind) -> bool {
        self.whole.contains(&kind)
    }

    /// Whether a kind of context was read completely.
    pub(super) fn has_read(&self, kind: ContextKind) -> bool {
        self.read.contains(&kind)
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = &'a Resource> + '_ {
        self.states.values().copied()
    }

    pub(super) fn get(&self, id: &ResourceId) -> Option<&'a Resource> {
        self.states.get(id).copied()
    }

    pub(super) fn group(&self, id: &SecurityGroupId) -> Option<&'a SecurityGroup> {
        match self.get(&ResourceId::from(id.clone()))? {
            Resource::SecurityGroup(group) => Some(group),
            Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
        }
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &'a SecurityGroup> + '_ {
        self.resources().filter_map(|resource| match resource {
            Resource::SecurityGroup(group) => Some(group),
            Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
        })
    }

    pub(super) fn acls(&self) -> impl Iterator<Item = &'a NetworkAcl> + '_ {
        self.resources().filter_map(as_acl)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &'a RouteTable> + '_ {
        self.resources().filter_map(as_table)
    }

    fn holders(&self) -> &Holders<'a> {
        self.holders.get_or_init(|| {
            let mut holders = Holders::default();
            for acl in self.acls() {
                holders
                    .acls
                    .extend(acl.subnets.iter().map(|subnet| (subnet, acl)));
            }
            for table in self.tables() {
                holders
                    .tables
                    .extend(table.subnets.iter().map(|subnet| (subnet, table)));
                if table.main {
                    holders.mains.insert(&table.vpc, table);
                }
            }
            holders
        })
    }

    pub(super) fn acl_of(&self, subnet: &SubnetId) -> Option<&'a NetworkAcl> {
        self.holders().acls.get(subnet).copied()
    }

    /// The table that routes a subnet: its own, else the main one of its VPC.
    pub(super) fn table_of(&self, subnet: &SubnetId) -> Option<&'a RouteTable> {
        let holders = self.holders();
        holders.tables.get(subnet).copied().or_else(|| {
            let vpc = &self.topology.subnets.get(subnet)?.vpc;
            holders.mains.get(vpc).copied()
        })
    }

    /// The subnets that a table routes, the implicit ones of a main table included.
    pub(super) fn subnets_of(&self, table: &RouteTable) -> BTreeSet<&'a SubnetId> {
        self.topology
            .subnets
            .keys()
            .filter(|subnet| {
                self.table_of(subnet)
                    .is_some_and(|routing| routing.id == table.id)
            })
            .collect()
    }

    /// What an ACL permits, made once.
    pub(super) fn acl_sets(&self, acl: &NetworkAclId) -> Option<&AclSets> {
        let all = self.acl_sets.get_or_init(|| {
            let both = |acl: &NetworkAcl| {
                (
                    permitted_by_acl(acl, Direction::Ingress),
                    permitted_by_acl(acl, Direction::Egress),
                )
            };
            self.acls().map(|acl| (&acl.id, both(acl))).collect()
        });
        all.get(acl)
    }

    /// The addresses of those that carry a group, by the ACL of their subnet.
    pub(super) fn hosts_by_acl(&self, group: &SecurityGroupId) -> Option<&HostsByAcl<'a>> {
        let index = self.hosts_by_acl.get_or_init(|| {
            let by_acl = |carriers: &[&'a NetworkInterface]| {
                let mut networks: BTreeMap<&NetworkAclId, Vec<IpNet>> = BTreeMap::new();
                for interface in carriers {
                    if let Some(acl) = self.acl_of(&interface.subnet) {
                        let own = interface.addresses.iter().copied().map(IpNet::from);
                        networks.entry(&acl.id).or_default().extend(own);
                    }
                }
                let hosts = networks.into_iter();
                hosts.map(|(acl, own)| (acl, AddressSet::of(own))).collect()
            };
            let all = self.carriers_by_group().iter();
            all.map(|(group, carriers)| (*group, by_acl(carriers)))
                .collect()
        });
        index.get(group)
    }

    /// The interfaces that carry a group.
    pub(super) fn carriers(&self, group: &SecurityGroupId) -> &[&'a NetworkInterface] {
        let index = self.carriers_by_group();
        index.get(group).map_or(&[], Vec::as_slice)
    }

    fn carriers_by_group(&self) -> &BTreeMap<&'a SecurityGroupId, Vec<&'a NetworkInterface>> {
        self.carriers.get_or_init(|| {
            let mut index: BTreeMap<&SecurityGroupId, Vec<&NetworkInterface>> = BTreeMap::new();
            for interface in self.topology.interfaces.values() {
                for group in &interface.groups {
                    index.entry(group).or_default().push(interface);
                }
            }
            index
        })
    }

    /// The interfaces in some subnets, by id.
    pub(super) fn interfaces_in(&self, subnets: &BTreeSet<SubnetId>) -> Vec<&'a NetworkInterface> {
        let index = self.by_subnet.get_or_init(|| {
            let mut index: BTreeMap<&SubnetId, Vec<&NetworkInterface>> = BTreeMap::new();
            for interface in self.topology.interfaces.values() {
                index.entry(&interface.subnet).or_default().push(interface);
            }
            index
        });
        let held = subnets.iter().filter_map(|subnet| index.get(subnet));
        let mut held: Vec<&NetworkInterface> = held.flatten().copied().collect();
        held.sort_by_key(|interface| &interface.id);
        held
    }

    /// What a group permits in a direction, its references to groups expanded to the addresses of
    /// those that carry them.
    pub(super) fn permitted(&self, group: &SecurityGroup, direction: Direction) -> PacketSet {
        self.permitted_by(group.rules.keys(), direction)
    }

    fn permitted_by<'r>(
        &self,
        rules: impl Iterator<Item = &'r RuleKey>,
        direction: Direction,
    ) -> PacketSet {
        let mut plain: Vec<&RuleKey> = Vec::new();
        let mut named: BTreeMap<Traffic, BTreeSet<&SecurityGroupId>> = BTreeMap::new();
        for rule in rules.filter(|rule| rule.direction == direction) {
            match &rule.peer {
                Peer::SecurityGroup { id, .. } => {
                    named.entry(rule.traffic).or_default().insert(id);
                }
                _ => plain.push(rule),
            }
        }
        let by_members = named.into_iter().map(|(traffic, groups)| {
            let carriers = groups.into_iter().flat_map(|group| self.carriers(group));
            let addresses = carriers.flat_map(|interface| &interface.addresses);
            let members = AddressSet::of(addresses.copied().map(IpNet::from));
            PacketSet::of_peers(&traffic, &members)
        });
        PacketSet::union_of(by_members).union(&permitted_by_rules(plain, self.lists))
    }

    /// What an interface may receive or send by all of its groups. `None` where one was not read.
    pub(super) fn permitted_by_all<'g>(
        &self,
        groups: impl IntoIterator<Item = &'g SecurityGroupId>,
        direction: Direction,
    ) -> Option<PacketSet> {
        let groups = groups.into_iter().map(|id| self.group(id));
        let groups: Vec<&SecurityGroup> = groups.collect::<Option<_>>()?;
        let rules = groups.into_iter().flat_map(|group| group.rules.keys());
        Some(self.permitted_by(rules, direction))
    }

    /// The resources that are not the same in both; `None` where what surrounds them is not the same.
    pub(super) fn differing(&self, other: &Self) -> Option<BTreeSet<&'a ResourceId>> {
        let around = std::ptr::eq(self.topology, other.topology)
            && std::ptr::eq(self.lists, other.lists)
            && self.read == other.read
            && self.account == other.account;
        if !around {
            return None;
        }
        let same = |id: &ResourceId, state: &Resource| {
            let there = other.states.get(id);
            there.is_some_and(|there| std::ptr::eq(*there, state) || *there == state)
        };
        let here = self.states.iter().filter(|(id, state)| !same(id, state));
        let gained = other.states.keys();
        let gained = gained.filter(|id| !self.states.contains_key(*id));
        Some(here.map(|(id, _)| *id).chain(gained.copied()).collect())
    }

    /// Whether a VPC is ours to see all of: of a VPC that another account shares with us we see
    /// tables, and no gateways.
    pub(super) fn is_ours(&self, vpc: &VpcId) -> bool {
        let owner = self
            .topology
            .vpcs
            .get(vpc)
            .and_then(|vpc| vpc.owner.as_ref());
        owner
            .zip(self.account)
            .is_none_or(|(owner, account)| owner == account)
    }

    /// The state word of a route target that is dead, where the read tells: `deleted`, or `gone`
    /// where everything of its kind was read and it is not there.
    pub(super) fn dead(&self, table: &RouteTable, target: &RouteTarget) -> Option<&'a str> {
        let (kind, alive): (ContextKind, &[&str]) = match target {
            RouteTarget::NatGateway(_) => (ContextKind::NatGateways, &["available", "pending"]),
            RouteTarget::InternetGateway(_) => (ContextKind::InternetGateways, &["available"]),
            RouteTarget::EgressOnlyInternetGateway(_) => {
                (ContextKind::EgressOnlyGateways, &["attached", "available"])
            }
            RouteTarget::VpcPeeringConnection(_) => (ContextKind::Peerings, &["active"]),
            RouteTarget::VpnGateway(_) => (ContextKind::VpnGateways, &["available", "pending"]),
            RouteTarget::GatewayEndpoint(_) | RouteTarget::GatewayLoadBalancerEndpoint(_) => (
                ContextKind::Endpoints,
                &["available", "Available", "pending"],
            ),
            RouteTarget::NetworkInterface(_) => {
                let read = self.has_read(ContextKind::Interfaces) && self.is_ours(&table.vpc);
                let id = NetworkInterfaceId::new(target.id());
                let gone = read && !self.topology.interfaces.contains_key(&id);
                return gone.then_some("gone");
            }
            RouteTarget::Local
            | RouteTarget::TransitGateway(_)
            | RouteTarget::CarrierGateway(_)
            | RouteTarget::LocalGateway(_)
            | RouteTarget::CoreNetwork(_)
            | RouteTarget::Unrecognized(_) => return None,
        };
        let Some(gateway) = self.topology.gateways.get(target.id()) else {
            let gone = self.has_read(kind) && self.is_ours(&table.vpc);
            return gone.then_some("gone");
        };
        if let Some(state) = gateway.state.as_deref()
            && !alive.contains(&state)
        {
            return Some(state);
        }
        let elsewhere = matches!(
            target,
            RouteTarget::InternetGateway(_) | RouteTarget::VpnGateway(_)
        ) && self.has_read(kind)
            && !gateway.vpcs.contains(&table.vpc);
        elsewhere.then_some("not attached to the VPC")
    }
}

/// What somebody calls a service's interface: NAT, load balancer and Lambda answer from all of
/// 1024-65535 (semantics A3).
pub(super) fn is_wide(interface: &NetworkInterface) -> bool {
    let kind = interface.kind.as_deref().unwrap_or_default();
    let description = interface.description.as_deref().unwrap_or_default();
    [
        "nat_gateway",
        "network_load_balancer",
        "lambda",
        "load_balancer",
        "gateway_load_balancer",
    ]
    .contains(&kind)
        || description.starts_with("ELB ")
        || description.starts_with("AWS Lambda VPC ENI")
        || description.starts_with("Interface for NAT Gateway")
}

/// Whether an address can be a host on the internet by itself (IPv6).
pub(super) fn is_global(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(_) => {
            snapback_reach::AddressSet::internet(snapback_reach::Family::V6).contains(*address)
        }
    }
}
