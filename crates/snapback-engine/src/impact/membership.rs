//! What interfaces gain and lose that carry other groups than at capture, and what that does to the
//! groups that name those: access without any rule change (semantics A1, D: SG-MEMBER).

use super::around::{Positions, knows_interfaces, merged};
use super::blast::name_of;
use super::sets::Sets;
use super::shift::{Shift, Turn, Why};
use super::weigh::Layer;
use super::work::{Moved, Work};
use super::{DIRECTIONS, Impact};
use crate::diff::ResourceDiff;
use snapback_model::*;
use snapback_reach::{AddressSet, Exactness, Network, PacketSet, permitted_by_rules};
use std::collections::{BTreeMap, BTreeSet};

/// One interface that carries other groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regrouped {
    /// The interface.
    pub interface: NetworkInterfaceId,
    /// As people know it.
    pub name: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its subnet.
    pub subnet: SubnetId,
    /// Groups it carries now and did not.
    pub gained: BTreeSet<SecurityGroupId>,
    /// Groups it carried.
    pub lost: BTreeSet<SecurityGroupId>,
    /// What it may now receive and send that it could not, by the rules as they are now.
    pub opened: Vec<Shift>,
    /// What it may no longer receive and send.
    pub closed: Vec<Shift>,
}

/// A group whose rules name one that interfaces joined or left: its members have other peers now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The group that holds the rules.
    pub group: SecurityGroupId,
    /// The group they name.
    pub named: SecurityGroupId,
    /// The rules.
    pub rules: Vec<RuleKey>,
    /// Interfaces that are peers of them now, with their addresses.
    pub joined: BTreeMap<NetworkInterfaceId, BTreeSet<std::net::IpAddr>>,
    /// Interfaces that are peers of them no longer.
    pub left: BTreeMap<NetworkInterfaceId, BTreeSet<std::net::IpAddr>>,
    /// How many interfaces carry the group that holds the rules.
    pub carriers: usize,
}

/// All changes of membership since the capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// By interface.
    pub interfaces: Vec<Regrouped>,
    /// By group that names a changed one.
    pub referrers: Vec<Referrer>,
    /// What was not known.
    pub exactness: Exactness,
}

/// Compares the groups of the interfaces that both the captured topology and `live` know. Rules are
/// those of `live` on both sides, so that only membership tells: what rules did, their own impact says.
pub fn membership(baselines: &Baselines, live: &Snapshot) -> Membership {
    let mut membership = Membership::default();
    let moved: Vec<(&NetworkInterface, &NetworkInterface)> = live
        .topology
        .interfaces
        .values()
        .filter_map(|now| Some((baselines.topology.interfaces.get(&now.id)?, now)))
        .filter(|(then, now)| then.groups != now.groups)
        .collect();
    if moved.is_empty() {
        return membership;
    }
    let nothing = ResourceDiff {
        resource: ResourceId::from(SecurityGroupId::new(String::new())),
        label: String::new(),
        vpc: None,
        differences: Vec::new(),
    };
    let around = merged(baselines, live);
    let network = Network::with_context(&around, baselines.context());
    let lists = Topology {
        prefix_lists: baselines.context().prefix_lists.clone(),
        ..Topology::default()
    };
    let lists = lists.with_lists_of(&live.topology);
    let access = live.topology.block_public_access.as_ref();
    for (then, now) in &moved {
        let work = Work {
            baselines,
            live,
            diff: &nothing,
            sets: Sets::new(&network, &lists, &now.vpc),
            access: access.or(baselines.context().block_public_access.as_ref()),
            is_known: knows_interfaces(baselines, live),
            is_old: false,
            peers: AddressSet::empty(),
            impact: Impact::default(),
        };
        let (told, exactness) = regrouped(work, then, now);
        membership.exactness.merge(&exactness);
        membership.interfaces.push(told);
    }
    membership.referrers = referrers(&network, &moved);
    membership
}

fn regrouped<'a>(
    mut work: Work<'_, 'a>,
    then: &NetworkInterface,
    now: &'a NetworkInterface,
) -> (Regrouped, Exactness) {
    let (network, lists) = (work.sets.network, work.sets.lists);
    let found = Positions::of(&mut work.sets, work.access, [now], None);
    for direction in DIRECTIONS {
        let permitted = |groups: &BTreeSet<SecurityGroupId>| -> PacketSet {
            let rules = groups
                .iter()
                .filter_map(|id| network.group(id))
                .flat_map(|group| group.rules.keys())
                .filter(|rule| rule.direction == direction);
            permitted_by_rules(rules, lists)
        };
        let (was, is) = (permitted(&then.groups), permitted(&now.groups));
        for (turn, packets) in [
            (Turn::Opened, is.difference(&was)),
            (Turn::Closed, was.difference(&is)),
        ] {
            work.tell(&Moved {
                turn,
                layer: Layer::Interface,
                direction,
                packets: &packets,
                kept: &was.intersection(&is),
                positions: &found,
                whom: None,
                elements: &[],
                nobody: Why::NoCarrier,
            });
        }
    }
    let impact = work.finish();
    let regrouped = Regrouped {
        interface: now.id.clone(),
        name: name_of(now),
        vpc: now.vpc.clone(),
        subnet: now.subnet.clone(),
        gained: now.groups.difference(&then.groups).cloned().collect(),
        lost: then.groups.difference(&now.groups).cloned().collect(),
        opened: impact.opened,
        closed: impact.closed,
    };
    (regrouped, impact.exactness)
}

fn referrers(
    network: &Network<'_>,
    moved: &[(&NetworkInterface, &NetworkInterface)],
) -> Vec<Referrer> {
    type Peers = BTreeMap<NetworkInterfaceId, BTreeSet<std::net::IpAddr>>;
    let mut changed: BTreeMap<&SecurityGroupId, (Peers, Peers)> = BTreeMap::new();
    for (then, now) in moved {
        for group in now.groups.difference(&then.groups) {
            let (joined, _) = changed.entry(group).or_default();
            joined.insert(now.id.clone(), now.addresses.clone());
        }
        for group in then.groups.difference(&now.groups) {
            let (_, left) = changed.entry(group).or_default();
            left.insert(then.id.clone(), then.addresses.clone());
        }
    }
    let mut referrers = Vec::new();
    for (named, (joined, left)) in changed {
        for group in network.referrers(named) {
            let names = |rule: &&RuleKey| matches!(&rule.peer, Peer::SecurityGroup { id, .. } if id == named);
            let rules = network.group(group).into_iter();
            let rules = rules.flat_map(|group| group.rules.keys()).filter(names);
            referrers.push(Referrer {
                group: group.clone(),
                named: named.clone(),
                rules: rules.cloned().collect(),
                joined: joined.clone(),
                left: left.clone(),
                carriers: network.carriers(group).len(),
            });
        }
    }
    referrers
}
