//! The hard draw: what people do to many resources at once. The ordinary draw seldom makes two tables
//! exchange everybody while both change, or fills a group and rewrites all of it.

use super::account::Home;
use super::mutate::{Mutation, any_of, delete_group, tables};
use super::world::{destination, entry, entry_key, pick, rule, target};
use fastrand::Rng;
use snapback_model::*;
use std::collections::BTreeMap;

/// One thing done to several resources, or to the whole of one.
#[derive(Debug, Clone, Copy)]
enum Upheaval {
    /// Tables give their subnets, gateways or the main place round.
    RotateTables,
    /// ACLs give their subnets round.
    RotateAcls,
    /// Two of a kind have one another's rules, entries or routes.
    ExchangeContents,
    /// The entries of an ACL stand under other numbers, or in the opposite order.
    Renumber,
    /// What an ACL allowed it denies, and the other way round.
    Flip,
    /// Every rule of a group is another, and it is as full as before.
    Rewrite,
    /// A group is filled to its quota.
    Fill,
    /// A table or an ACL of a stranger takes subnets over, perhaps as the main one.
    Stranger,
    /// Several of one kind are deleted.
    DeleteMany,
}

const ALL: [Upheaval; 9] = [
    Upheaval::RotateTables,
    Upheaval::RotateAcls,
    Upheaval::ExchangeContents,
    Upheaval::Renumber,
    Upheaval::Flip,
    Upheaval::Rewrite,
    Upheaval::Fill,
    Upheaval::Stranger,
    Upheaval::DeleteMany,
];

/// Two to five upheavals, and small changes between them.
pub(super) fn upset(live: &mut Snapshot, rng: &mut Rng) {
    for _ in 0..rng.usize(2..=5) {
        pick(rng, &ALL).apply(live, rng);
        for _ in 0..rng.usize(..3) {
            Mutation::any(rng).apply(live, rng);
        }
    }
}

impl Upheaval {
    fn apply(self, live: &mut Snapshot, rng: &mut Rng) {
        match self {
            Self::RotateTables => rotate_tables(live, rng),
            Self::RotateAcls => rotate_acls(live, rng),
            Self::ExchangeContents => exchange(live, rng),
            Self::Renumber | Self::Flip => rewrite_acl(self, live, rng),
            Self::Rewrite | Self::Fill => rewrite_group(self, live, rng),
            Self::Stranger => stranger(live, rng),
            Self::DeleteMany => {
                let kind = *pick(rng, &Kind::ALL);
                for _ in 0..rng.usize(2..=3) {
                    match kind {
                        Kind::SecurityGroup => delete_group(live, rng),
                        Kind::NetworkAcl => Mutation::DeleteAcl.apply(live, rng),
                        Kind::RouteTable => Mutation::DeleteTable.apply(live, rng),
                    }
                }
            }
        }
    }
}

/// Some resources of a kind in the VPC of one of them.
fn neighbours(live: &Snapshot, rng: &mut Rng, kind: Kind) -> Vec<ResourceId> {
    let vpc = |id: &ResourceId| live.resources.get(id).and_then(Resource::vpc).cloned();
    let Some(one) = any_of(live, rng, kind) else {
        return Vec::new();
    };
    let mut all: Vec<ResourceId> = live
        .resources
        .keys()
        .filter(|id| id.kind() == kind && vpc(id) == vpc(&one))
        .cloned()
        .collect();
    rng.shuffle(&mut all);
    all.truncate(rng.usize(2..=4));
    all
}

fn table_mut<'s>(live: &'s mut Snapshot, id: &ResourceId) -> Option<&'s mut RouteTable> {
    match live.resources.get_mut(id) {
        Some(Resource::RouteTable(table)) => Some(table),
        _ => None,
    }
}

fn acl_mut<'s>(live: &'s mut Snapshot, id: &ResourceId) -> Option<&'s mut NetworkAcl> {
    match live.resources.get_mut(id) {
        Some(Resource::NetworkAcl(acl)) => Some(acl),
        _ => None,
    }
}

fn group_mut<'s>(live: &'s mut Snapshot, id: &ResourceId) -> Option<&'s mut SecurityGroup> {
    match live.resources.get_mut(id) {
        Some(Resource::SecurityGroup(group)) => Some(group),
        _ => None,
    }
}

fn rotate_tables(live: &mut Snapshot, rng: &mut Rng) {
    let ids = neighbours(live, rng, Kind::RouteTable);
    let held: Vec<RouteTable> = ids
        .iter()
        .filter_map(|id| table_mut(live, id).cloned())
        .collect();
    let (subnets, gateways, main) = (rng.u8(..4) > 0, rng.bool(), rng.u8(..3) == 0);
    for (id, from) in ids.iter().zip(held.iter().cycle().skip(1)) {
        let Some(table) = table_mut(live, id) else {
            continue;
        };
        if subnets {
            table.subnets.clone_from(&from.subnets);
        }
        // The main table has no gateway (semantics B3).
        if main {
            table.main = from.main;
            table.gateways.clone_from(&from.gateways);
        } else if gateways && held.iter().all(|one| !one.main) {
            table.gateways.clone_from(&from.gateways);
        }
        let home = Home::of(Some(&table.vpc));
        for _ in 0..rng.usize(..3) {
            let to = Route::created(target(rng, home));
            table.routes.insert(destination(rng), to);
        }
    }
}

fn rotate_acls(live: &mut Snapshot, rng: &mut Rng) {
    let ids = neighbours(live, rng, Kind::NetworkAcl);
    let held: Vec<NetworkAcl> = ids
        .iter()
        .filter_map(|id| acl_mut(live, id).cloned())
        .collect();
    for (id, from) in ids.iter().zip(held.iter().cycle().skip(1)) {
        let Some(acl) = acl_mut(live, id) else {
            continue;
        };
        acl.subnets.clone_from(&from.subnets);
        for _ in 0..rng.usize(..3) {
            acl.entries.insert(entry_key(rng, 7), entry(rng));
        }
    }
}

fn exchange(live: &mut Snapshot, rng: &mut Rng) {
    let kind = *pick(rng, &Kind::ALL);
    let ids = neighbours(live, rng, kind);
    let [one, other, ..] = ids.as_slice() else {
        return;
    };
    let (Some(mut first), Some(mut second)) = (
        live.resources.get(one).cloned(),
        live.resources.get(other).cloned(),
    ) else {
        return;
    };
    match (&mut first, &mut second) {
        (Resource::SecurityGroup(first), Resource::SecurityGroup(second)) => {
            std::mem::swap(&mut first.rules, &mut second.rules);
            // Rules do not move between groups: these are new ones.
            let ours = [first.id.clone(), second.id.clone()];
            live.handles
                .rules
                .retain(|_, handle| !ours.contains(&handle.group));
        }
        (Resource::NetworkAcl(first), Resource::NetworkAcl(second)) => {
            std::mem::swap(&mut first.entries, &mut second.entries);
        }
        (Resource::RouteTable(first), Resource::RouteTable(second)) => {
            std::mem::swap(&mut first.routes, &mut second.routes);
            std::mem::swap(&mut first.propagating, &mut second.propagating);
        }
        _ => {}
    }
    live.resources.insert(one.clone(), first);
    live.resources.insert(other.clone(), second);
}

fn rewrite_acl(how: Upheaval, live: &mut Snapshot, rng: &mut Rng) {
    let Some(acl) = any_of(live, rng, Kind::NetworkAcl).and_then(|id| acl_mut(live, &id)) else {
        return;
    };
    if let Upheaval::Flip = how {
        for entry in acl.entries.values_mut() {
            entry.action = match entry.action {
                RuleAction::Allow => RuleAction::Deny,
                RuleAction::Deny => RuleAction::Allow,
            };
        }
        return;
    }
    let shift = i64::from(rng.u8(1..30));
    let turned = rng.bool();
    for direction in [Direction::Ingress, Direction::Egress] {
        let of: Vec<EntryKey> = acl
            .entries
            .keys()
            .filter(|key| key.direction == direction)
            .copied()
            .collect();
        let entries: Vec<NetworkAclEntry> = of
            .iter()
            .filter_map(|key| acl.entries.remove(key))
            .collect();
        let places: Vec<EntryKey> = if turned {
            of.into_iter().rev().collect()
        } else {
            of.into_iter()
                .map(|key| EntryKey {
                    number: RuleNumber::new(i64::from(key.number.get()) + shift).unwrap(),
                    ..key
                })
                .collect()
        };
        acl.entries.extend(places.into_iter().zip(entries));
    }
}

fn rewrite_group(how: Upheaval, live: &mut Snapshot, rng: &mut Rng) {
    let Some(id) = any_of(live, rng, Kind::SecurityGroup) else {
        return;
    };
    let Some(group) = group_mut(live, &id) else {
        return;
    };
    let home = Home::of(group.vpc.as_ref());
    let mut rules: BTreeMap<RuleKey, RuleDetail> = BTreeMap::new();
    let mut kept = group.rules.clone();
    if let Upheaval::Rewrite = how {
        for (old, detail) in std::mem::take(&mut kept) {
            let mut new = rule(rng, home);
            new.direction = old.direction;
            rules.entry(new).or_insert(detail);
        }
    }
    rules.extend(kept);
    let peer = *pick(rng, &["10.0.0.0/9", "10.0.0.0/16", "192.0.2.0/24"]);
    for direction in ["ingress", "egress"] {
        let held = |rules: &BTreeMap<RuleKey, RuleDetail>| {
            let of = rules.keys();
            of.filter(|key| key.direction.is_egress() == (direction == "egress"))
                .map(weight)
                .sum::<usize>()
        };
        let mut port = rng.u16(1_000..2_000);
        let full = rng.usize(50..=60);
        while matches!(how, Upheaval::Fill) && held(&rules) < full {
            let key = format!("{direction} tcp:{port} {peer}").parse().unwrap();
            rules.entry(key).or_default();
            port += 2;
        }
    }
    group.rules = rules;
    let group = group.clone();
    live.handles
        .rules
        .retain(|_, handle| handle.group != group.id || group.rules.contains_key(&handle.rule));
}

/// What a rule counts against the quota: a prefix list counts as all it may hold.
fn weight(rule: &RuleKey) -> usize {
    match &rule.peer {
        Peer::PrefixList(_) => 5,
        _ => 1,
    }
}

fn stranger(live: &mut Snapshot, rng: &mut Rng) {
    let kind = *pick(rng, &[Kind::NetworkAcl, Kind::RouteTable]);
    let ids = neighbours(live, rng, kind);
    let Some(mut new) = ids.first().and_then(|id| live.resources.get(id)).cloned() else {
        return;
    };
    match &mut new {
        Resource::NetworkAcl(acl) => {
            acl.id = NetworkAclId::new(Home::of(Some(&acl.vpc)).id("acl", 8));
            acl.is_default = false;
            acl.subnets.clear();
            for id in &ids {
                if let Some(from) = acl_mut(live, id) {
                    acl.subnets.append(&mut from.subnets);
                }
            }
            acl.entries.insert(entry_key(rng, 7), entry(rng));
        }
        Resource::RouteTable(table) => {
            let home = Home::of(Some(&table.vpc));
            table.id = RouteTableId::new(home.id("rtb", 8));
            if live.resources.contains_key(&table.id.clone().into()) {
                return; // It may be the main table, and a VPC always has one.
            }
            table.subnets.clear();
            table.gateways.clear();
            table.main = rng.bool();
            if table.main {
                let vpc = table.vpc.clone();
                tables(live)
                    .filter(|one| one.vpc == vpc)
                    .for_each(|one| one.main = false);
            }
            for id in &ids {
                if let Some(from) = table_mut(live, id) {
                    table.subnets.append(&mut from.subnets);
                }
            }
            let to = Route::created(target(rng, home));
            table.routes.insert(destination(rng), to);
        }
        Resource::SecurityGroup(_) => return,
    }
    live.resources.insert(new.id(), new);
}
