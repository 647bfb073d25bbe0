//! What groups permit at an interface, what the ACL permits at a subnet, where its table leads.

use super::Network;
use crate::address::AddressSet;
use crate::bound;
use crate::exactness::{Answer, Errs, Exactness, Gap, Unknowns};
use crate::first_match::permitted_by_acl;
use crate::flow::Symbol;
use crate::packet_set::PacketSet;
use crate::permit::permitted_by_rules;
use crate::route::{NextHops, next_hops};
use snapback_model::{
    Direction, NetworkInterface, Peer, ResourceId, RuleKey, SecurityGroupId, SubnetId, Traffic,
    VpcId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Kinds of interfaces that carry no groups at all, where they have none (semantics A5; EC2's
/// `InterfaceType`): nothing filters there but the ACL.
const WITHOUT_GROUPS: [&str; 5] = [
    "nat_gateway",
    "transit_gateway",
    "network_load_balancer",
    "gateway_load_balancer",
    "gateway_load_balancer_endpoint",
];

/// Whether an interface is of a kind that no groups filter.
pub(crate) fn is_without_groups(interface: &NetworkInterface) -> bool {
    let kind = interface.kind.as_deref();
    interface.groups.is_empty() && kind.is_some_and(|kind| WITHOUT_GROUPS.contains(&kind))
}

impl<'a> Network<'a> {
    /// What the groups of an interface permit in a direction: the union of the allows of all of them
    /// (semantics A1). Group references are expanded to the addresses of who carries them; prefix
    /// lists that were not read stay symbols, with a gap. A group that was not read is a gap.
    pub fn permitted_by_interface(
        &self,
        interface: &'a NetworkInterface,
        direction: Direction,
    ) -> Arc<Answer<PacketSet>> {
        let key = (&interface.groups, &interface.vpc, direction);
        if interface.groups.is_empty() {
            return Arc::new(if is_without_groups(interface) {
                Answer::exact(PacketSet::everything())
            } else {
                Answer::with_gap(
                    PacketSet::empty(),
                    Gap::new(
                        Unknowns::Interface(interface.id.clone()),
                        Errs::MayPermitMore,
                        format!("which groups {} carries was not read", interface.id),
                    ),
                )
            });
        }
        if let Some(known) = self.of_groups.borrow().get(&key) {
            return Arc::clone(known);
        }
        let answer = Arc::new(self.union_of(&interface.groups, &interface.vpc, direction));
        self.of_groups.borrow_mut().insert(key, Arc::clone(&answer));
        answer
    }

    /// What a group alone permits at interfaces of a VPC, references expanded.
    pub fn permitted_by_groups(
        &self,
        groups: &'a BTreeSet<SecurityGroupId>,
        vpc: &'a VpcId,
        direction: Direction,
    ) -> Answer<PacketSet> {
        self.union_of(groups, vpc, direction)
    }

    fn union_of(
        &self,
        groups: &'a BTreeSet<SecurityGroupId>,
        vpc: &'a VpcId,
        direction: Direction,
    ) -> Answer<PacketSet> {
        let mut exactness = Exactness::exact();
        let mut plain: Vec<&RuleKey> = Vec::new();
        let mut references: BTreeMap<&Traffic, AddressSet> = BTreeMap::new();
        for id in groups {
            let Some(group) = self.group(id) else {
                exactness.add(unread_group(id));
                continue;
            };
            if let Some(gap) = self.too_large(id.clone(), Errs::MayPermitMore) {
                exactness.add(gap);
                continue;
            }
            for rule in group.rules.keys() {
                if rule.direction != direction {
                    continue;
                }
                let Peer::SecurityGroup { id, owner } = &rule.peer else {
                    plain.push(rule);
                    continue;
                };
                let members = self.members(id, owner.as_ref(), vpc, direction);
                exactness.merge(&members.exactness);
                let peers = references.entry(&rule.traffic).or_default();
                *peers = peers.union(&members.value);
            }
        }
        let start = permitted_by_rules(plain, &self.lists);
        for symbol in start.peers().symbols() {
            if let Symbol::PrefixList(id) = symbol {
                exactness.add(Gap::new(
                    Unknowns::PrefixList(id.clone()),
                    Errs::MayPermitMore,
                    format!(
                        "the entries of {id}, which rules of {} name, were not read",
                        list(groups)
                    ),
                ));
            }
        }
        let value = references.iter().fold(start, |sum, (traffic, peers)| {
            sum.union(&PacketSet::of_peers(traffic, peers))
        });
        Answer { value, exactness }
    }

    /// That a resource is past the bound up to which sets are computed.
    fn too_large(&self, id: impl Into<ResourceId>, errs: Errs) -> Option<Gap> {
        let resource = self.snapshot.resources.get(&id.into())?;
        let over = bound::check(resource, &self.lists).err()?;
        Some(Gap::new(
            Unknowns::Size(over.resource.to_string()),
            errs,
            over.to_string(),
        ))
    }

    /// What the ACL of a subnet permits in a direction (semantics A3). It is asked only of traffic
    /// that enters or leaves the subnet. An ACL that was not read is taken to permit everything,
    /// with a gap.
    pub fn permitted_by_subnet(
        &self,
        subnet: &SubnetId,
        direction: Direction,
    ) -> Arc<Answer<PacketSet>> {
        let Some(acl) = self.acl_of(subnet) else {
            return Arc::new(Answer::with_gap(
                PacketSet::everything(),
                Gap::new(
                    Unknowns::Acl(subnet.clone()),
                    Errs::MayPermitLess,
                    format!("the ACL of {subnet} was not read"),
                ),
            ));
        };
        let key = (&acl.id, direction);
        if let Some(known) = self.of_acls.borrow().get(&key) {
            return Arc::clone(known);
        }
        let answer = Arc::new(match self.too_large(acl.id.clone(), Errs::MayPermitLess) {
            Some(gap) => Answer::with_gap(PacketSet::everything(), gap),
            None => Answer::exact(permitted_by_acl(acl, direction)),
        });
        self.of_acls.borrow_mut().insert(key, Arc::clone(&answer));
        answer
    }

    /// Where the table of a subnet leads: its own, else the main one of its VPC (semantics A4). A
    /// table that was not read leads nowhere, with a gap; so do lists that were not read, and
    /// networks for which AWS picks at random.
    pub fn hops_of(&self, subnet: &SubnetId) -> Arc<Answer<NextHops>> {
        let Some(table) = self.table_of(subnet) else {
            return Arc::new(Answer::with_gap(
                NextHops::default(),
                Gap::new(
                    Unknowns::Table(subnet.clone()),
                    Errs::MayPermitMore,
                    format!("the route table of {subnet} was not read"),
                ),
            ));
        };
        if let Some(known) = self.of_tables.borrow().get(&table.id) {
            return Arc::clone(known);
        }
        if let Some(gap) = self.too_large(table.id.clone(), Errs::Either) {
            return Arc::new(Answer::with_gap(NextHops::default(), gap));
        }
        let hops = next_hops(table, &self.lists);
        let lists = hops.unread().keys().map(|id| {
            Gap::new(
                Unknowns::PrefixList(id.clone()),
                Errs::Either,
                format!(
                    "the entries of {id}, which {} routes, were not read",
                    table.id
                ),
            )
        });
        let ambiguous = hops.ambiguous().keys().map(|network| {
            Gap::new(
                Unknowns::AmbiguousRoute(network.to_string()),
                Errs::Either,
                format!("{} sends {network} to several targets by prefix lists: AWS picks one at random", table.id),
            )
        });
        let exactness = lists.chain(ambiguous).collect();
        let answer = Arc::new(Answer {
            value: hops,
            exactness,
        });
        self.of_tables
            .borrow_mut()
            .insert(&table.id, Arc::clone(&answer));
        answer
    }
}

pub(crate) fn unread_group(id: &SecurityGroupId) -> Gap {
    Gap::new(
        Unknowns::Group(id.clone()),
        Errs::MayPermitMore,
        format!("the rules of {id} were not read"),
    )
}

fn list(groups: &BTreeSet<SecurityGroupId>) -> String {
    let names: Vec<&str> = groups.iter().map(SecurityGroupId::as_str).collect();
    names.join(", ")
}
