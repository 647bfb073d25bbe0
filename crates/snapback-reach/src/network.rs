//! One snapshot, indexed for questions about packets (semantics A).
//!
//! - Owns: who carries which group, what guards and routes each subnet, and what was not read.
//! - Takes: a [`Snapshot`], and where it lacks context a second [`Topology`].
//! - Gives: what groups permit at an interface, what the ACL permits at a subnet, where its table
//!   leads; each with its exactness.
//! - Must not: change while it is asked. What is asked twice is computed once.

mod context;
mod members;
mod permitted;

use crate::address::AddressSet;
use crate::exactness::Answer;
use crate::exposure::{Exposure, Likeness};
use crate::packet_set::PacketSet;
use crate::route::NextHops;
use snapback_model::{
    ContextKind, Direction, NetworkAcl, NetworkInterface, NetworkInterfaceId, Resource, RouteTable,
    RouteTableId, SecurityGroup, SecurityGroupId, Snapshot, Subnet, SubnetId, Topology, VpcId,
};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use members::Pairing;
pub(crate) use members::is_active;
pub(crate) use permitted::{is_without_groups, unread_group};

type Groups<'a> = &'a BTreeSet<SecurityGroupId>;
type Cache<K, V> = RefCell<BTreeMap<K, Arc<Answer<V>>>>;

/// An index over one snapshot. Made once, then asked; what is costly is computed when it is first
/// asked and kept, once for all interfaces with the same groups and for all subnets of one ACL or
/// table.
pub struct Network<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) context: Option<&'a Topology>,
    groups: BTreeMap<&'a SecurityGroupId, &'a SecurityGroup>,
    acls: BTreeMap<&'a SubnetId, &'a NetworkAcl>,
    tables: BTreeMap<&'a SubnetId, &'a RouteTable>,
    main_tables: BTreeMap<&'a VpcId, &'a RouteTable>,
    edge_tables: BTreeMap<&'a str, &'a RouteTable>,
    /// The prefix lists of both sources, as the set functions take them.
    pub(crate) lists: Topology,
    index: OnceCell<Index<'a>>,
    referrers: OnceCell<BTreeMap<&'a SecurityGroupId, BTreeSet<&'a SecurityGroupId>>>,
    by_address: OnceCell<BTreeMap<IpAddr, Vec<&'a NetworkInterface>>>,
    pairings: OnceCell<BTreeMap<(&'a VpcId, &'a VpcId), Pairing>>,
    members: Cache<(&'a SecurityGroupId, bool, &'a VpcId, Direction), AddressSet>,
    of_groups: Cache<(Groups<'a>, &'a VpcId, Direction), PacketSet>,
    of_acls: Cache<(&'a snapback_model::NetworkAclId, Direction), PacketSet>,
    of_tables: Cache<&'a RouteTableId, NextHops>,
    pub(crate) exposures: Cache<Likeness<'a>, Exposure>,
}

/// Interfaces by what they belong to.
#[derive(Default)]
struct Index<'a> {
    /// All interfaces that carry the same groups.
    by_groups: BTreeMap<Groups<'a>, Vec<&'a NetworkInterface>>,
    /// The sets of groups that hold a group.
    sets: BTreeMap<&'a SecurityGroupId, Vec<Groups<'a>>>,
    by_subnet: BTreeMap<&'a SubnetId, Vec<&'a NetworkInterface>>,
}

impl<'a> Network<'a> {
    /// An index over a snapshot, in time linear in its size.
    pub fn of(snapshot: &'a Snapshot) -> Self {
        Self::indexed(snapshot, None)
    }

    /// With a second topology for context that the snapshot lacks: the snapshot wins where both
    /// know a thing, and alone counts for kinds that it read completely.
    pub fn with_context(snapshot: &'a Snapshot, context: &'a Topology) -> Self {
        Self::indexed(snapshot, Some(context))
    }

    fn indexed(snapshot: &'a Snapshot, context: Option<&'a Topology>) -> Self {
        let mut lists = Topology {
            prefix_lists: snapshot.topology.prefix_lists.clone(),
            ..Topology::default()
        };
        for (id, list) in context.iter().flat_map(|context| &context.prefix_lists) {
            let known = lists.prefix_lists.get(id);
            if known.is_none_or(|known| known.entries.is_none()) {
                lists.prefix_lists.insert(id.clone(), list.clone());
            }
        }
        let mut network = Self {
            snapshot,
            context,
            groups: BTreeMap::new(),
            acls: BTreeMap::new(),
            tables: BTreeMap::new(),
            main_tables: BTreeMap::new(),
            edge_tables: BTreeMap::new(),
            lists,
            index: OnceCell::new(),
            referrers: OnceCell::new(),
            by_address: OnceCell::new(),
            pairings: OnceCell::new(),
            members: RefCell::default(),
            of_groups: RefCell::default(),
            of_acls: RefCell::default(),
            of_tables: RefCell::default(),
            exposures: RefCell::default(),
        };
        for resource in snapshot.resources.values() {
            network.enter(resource);
        }
        network
    }

    fn enter(&mut self, resource: &'a Resource) {
        match resource {
            Resource::SecurityGroup(group) => {
                self.groups.insert(&group.id, group);
            }
            Resource::NetworkAcl(acl) => {
                self.acls
                    .extend(acl.subnets.iter().map(|subnet| (subnet, acl)));
            }
            Resource::RouteTable(table) => {
                self.tables
                    .extend(table.subnets.iter().map(|subnet| (subnet, table)));
                let edges = table.gateways.iter();
                self.edge_tables
                    .extend(edges.map(|gateway| (gateway.as_str(), table)));
                if table.main {
                    self.main_tables.insert(&table.vpc, table);
                }
            }
        }
    }

    /// The snapshot it is about.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// A group whose rules were read.
    pub fn group(&self, id: &SecurityGroupId) -> Option<&'a SecurityGroup> {
        self.groups.get(id).copied()
    }

    /// Every group that was read.
    pub fn groups(&self) -> impl Iterator<Item = &'a SecurityGroup> {
        self.groups.values().copied()
    }

    /// The interfaces that carry a group.
    pub fn carriers(&self, group: &SecurityGroupId) -> Vec<&'a NetworkInterface> {
        let index = self.index();
        let sets = index.sets.get(group).into_iter().flatten();
        sets.filter_map(|set| index.by_groups.get(set))
            .flatten()
            .copied()
            .collect()
    }

    /// The different sets of groups in which a group is carried, each with the interfaces that
    /// carry exactly these: 10 000 interfaces with the same groups are one entry.
    pub fn carried_with(
        &self,
        group: &SecurityGroupId,
    ) -> impl Iterator<Item = (Groups<'a>, &[&'a NetworkInterface])> {
        let index = self.index();
        let sets = index.sets.get(group).into_iter().flatten();
        sets.filter_map(|set| Some((*set, index.by_groups.get(set)?.as_slice())))
    }

    /// The groups that have a rule which names a group.
    pub fn referrers(&self, group: &SecurityGroupId) -> BTreeSet<&'a SecurityGroupId> {
        let all = self.referrers.get_or_init(|| {
            let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
            for (referrer, rules) in &self.groups {
                for rule in rules.rules.keys() {
                    if let snapback_model::Peer::SecurityGroup { id, .. } = &rule.peer {
                        all.entry(id).or_default().insert(*referrer);
                    }
                }
            }
            all
        });
        all.get(group).cloned().unwrap_or_default()
    }

    /// The interfaces in a subnet.
    pub fn interfaces_in(&self, subnet: &SubnetId) -> &[&'a NetworkInterface] {
        let found = self.index().by_subnet.get(subnet);
        found.map_or(&[], Vec::as_slice)
    }

    /// The interfaces that have an address, private or public: more than one where VPCs overlap.
    pub fn interfaces_at(&self, address: IpAddr) -> &[&'a NetworkInterface] {
        let all = self.by_address.get_or_init(|| {
            let mut all: BTreeMap<IpAddr, Vec<&'a NetworkInterface>> = BTreeMap::new();
            for interface in self.interfaces() {
                let own = interface.addresses.iter();
                for address in own.chain(&interface.public_addresses) {
                    all.entry(*address).or_default().push(interface);
                }
            }
            all
        });
        all.get(&address).map_or(&[], Vec::as_slice)
    }

    fn index(&self) -> &Index<'a> {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            for interface in self.interfaces() {
                let with = index.by_groups.entry(&interface.groups).or_default();
                with.push(interface);
                let subnet = index.by_subnet.entry(&interface.subnet).or_default();
                subnet.push(interface);
            }
            for set in index.by_groups.keys() {
                for group in *set {
                    index.sets.entry(group).or_default().push(*set);
                }
            }
            index
        })
    }

    /// The ACL that guards a subnet; `None` where it was not read.
    pub fn acl_of(&self, subnet: &SubnetId) -> Option<&'a NetworkAcl> {
        self.acls.get(subnet).copied()
    }

    /// The table that routes a subnet: its own, else the main one of its VPC (semantics A4); `None`
    /// where it was not read.
    pub fn table_of(&self, subnet: &SubnetId) -> Option<&'a RouteTable> {
        let explicit = self.tables.get(subnet).copied();
        explicit.or_else(|| {
            let vpc = self.vpc_of(subnet)?;
            // Another table that was not read may hold the subnet explicitly.
            let whole = self.reads_tables_of(vpc);
            self.main_table_of(vpc).filter(|_| whole)
        })
    }

    /// The main table of a VPC.
    pub fn main_table_of(&self, vpc: &VpcId) -> Option<&'a RouteTable> {
        self.main_tables.get(vpc).copied()
    }

    /// The table of an internet or VPN gateway (edge association).
    pub fn edge_table_of(&self, gateway: &str) -> Option<&'a RouteTable> {
        self.edge_tables.get(gateway).copied()
    }

    /// The subnets that a table routes, those of a main table included.
    pub fn subnets_of_table(&self, table: &RouteTable) -> Vec<&'a SubnetId> {
        let subnets = self.subnets().map(|subnet| &subnet.id);
        let routed = subnets.filter(|subnet| {
            self.table_of(subnet)
                .is_some_and(|found| found.id == table.id)
        });
        routed.collect()
    }

    fn vpc_of(&self, subnet: &SubnetId) -> Option<&'a VpcId> {
        self.subnet(subnet)
            .map(|subnet| &subnet.vpc)
            .or_else(|| Some(&self.interfaces_in(subnet).first()?.vpc))
            .or_else(|| Some(&self.acls.get(subnet)?.vpc))
    }

    fn reads_tables_of(&self, vpc: &VpcId) -> bool {
        let coverage = &self.snapshot.coverage;
        let all = snapback_model::Coverage::Kind(snapback_model::Kind::RouteTable);
        coverage.contains(&all)
            || coverage.contains(&snapback_model::Coverage::TablesOf(vpc.clone()))
    }

    /// The subnet of a VPC that holds an address.
    pub fn subnet_at(&self, vpc: &VpcId, address: IpAddr) -> Option<&'a Subnet> {
        self.subnets().find(|subnet| {
            subnet.vpc == *vpc && subnet.cidrs.iter().any(|net| net.contains(&address))
        })
    }

    /// An interface by its id.
    pub fn interface(&self, id: &NetworkInterfaceId) -> Option<&'a NetworkInterface> {
        self.known(
            |topology| topology.interfaces.get(id),
            ContextKind::Interfaces,
        )
    }
}
