//! The order of single-entry edits from one list of an ACL to another (design.md 3).
//!
//! Every state S on the way keeps `allow(goal) ∩ allow(live) ⊆ allow(S) ⊆ allow(goal) ∪ allow(live)`.
//! First the edits alone are ordered by search; else with one scratch entry at a free number; else
//! behind a prefix block (the goal's entries in order and a deny-all at free numbers below the lowest:
//! each packet is then always decided by a prefix of the goal or by live). Where none of them fits,
//! the way that cuts least is taken, and the proof of the plan tells what it cuts.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use snapback_reach::{Family, PacketSet, permitted_by_acl};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of one direction that an ACL takes unless its quota was raised (semantics A3).
const ENTRIES_MAX: usize = 20;
/// Checked states of the search over the edits alone.
const CHECKS_MAX: u32 = 2_000;
/// Checked states of the search with one given scratch entry, and with all of them together.
const SCRATCH_CHECKS_MAX: u32 = 300;
const ALL_SCRATCH_CHECKS_MAX: u32 = 3_000;

/// One single-entry call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    Create {
        key: EntryKey,
        entry: NetworkAclEntry,
    },
    Replace {
        key: EntryKey,
        from: NetworkAclEntry,
        entry: NetworkAclEntry,
    },
    Delete {
        key: EntryKey,
        entry: NetworkAclEntry,
    },
}

type Entries = BTreeMap<EntryKey, NetworkAclEntry>;

/// The edits from live to goal in one direction, in the order in which they are made.
pub(super) fn path(live: &NetworkAcl, goal: &NetworkAcl, direction: Direction) -> Vec<Edit> {
    let of = |acl: &NetworkAcl| -> Entries {
        let entries = acl
            .entries
            .iter()
            .filter(|(key, _)| key.direction == direction);
        entries.map(|(key, entry)| (*key, entry.clone())).collect()
    };
    let (from, to) = (of(live), of(goal));
    let edits = edits(&from, &to);
    if edits.len() < 2 {
        return edits;
    }
    let (before, after) = (
        permitted_by_acl(live, direction),
        permitted_by_acl(goal, direction),
    );
    let way = Way {
        acl: live,
        direction,
        quota: ENTRIES_MAX.max(from.len()).max(to.len()),
        lower: before.intersection(&after),
        upper: before.union(&after),
        from,
        to,
    };
    way.ordered(&edits, CHECKS_MAX)
        .0
        .or_else(|| way.with_scratch(&edits))
        .or_else(|| way.behind_block(&edits))
        .unwrap_or_else(|| way.least_cut(edits))
}

/// What differs, in the order in which it is tried: replaces and creates by ascending number, then
/// deletes by descending number, so that a deny leaves after what it covers.
fn edits(from: &Entries, to: &Entries) -> Vec<Edit> {
    let replaced = to.iter().filter_map(|(key, entry)| {
        let held = from.get(key).filter(|held| *held != entry)?;
        Some(Edit::Replace {
            key: *key,
            from: held.clone(),
            entry: entry.clone(),
        })
    });
    let created = to.iter().filter(|(key, _)| !from.contains_key(key));
    let created = created.map(|(key, entry)| Edit::Create {
        key: *key,
        entry: entry.clone(),
    });
    let deleted = from.iter().rev().filter(|(key, _)| !to.contains_key(key));
    let deleted = deleted.map(|(key, entry)| Edit::Delete {
        key: *key,
        entry: entry.clone(),
    });
    replaced.chain(created).chain(deleted).collect()
}

/// One list to be put right, and what holds on the way.
struct Way<'a> {
    acl: &'a NetworkAcl,
    direction: Direction,
    quota: usize,
    lower: PacketSet,
    upper: PacketSet,
    from: Entries,
    to: Entries,
}

/// A depth-first search over orders; a set of edits already made is a bit mask.
struct Search<'a> {
    way: &'a Way<'a>,
    edits: &'a [Edit],
    dead: BTreeSet<u128>,
    checks_left: u32,
    order: Vec<Edit>,
}

impl Way<'_> {
    fn permitted(&self, entries: &Entries) -> PacketSet {
        let acl = NetworkAcl {
            id: self.acl.id.clone(),
            vpc: self.acl.vpc.clone(),
            owner: None,
            is_default: false,
            tags: Tags::new(),
            entries: entries.clone(),
            subnets: BTreeSet::new(),
        };
        permitted_by_acl(&acl, self.direction)
    }

    fn keeps(&self, entries: &Entries) -> bool {
        let permitted = self.permitted(entries);
        self.lower.is_subset(&permitted) && permitted.is_subset(&self.upper)
    }

    /// The list after an edit, if the edit can be made on it.
    fn after(&self, edit: &Edit, entries: &Entries) -> Option<Entries> {
        let mut after = entries.clone();
        match edit {
            Edit::Create { key, entry } => {
                let room = !entries.contains_key(key) && entries.len() < self.quota;
                room.then(|| after.insert(*key, entry.clone()))?;
            }
            Edit::Replace { key, from, entry } => {
                (entries.get(key) == Some(from)).then(|| after.insert(*key, entry.clone()))?;
            }
            Edit::Delete { key, entry } => {
                (entries.get(key) == Some(entry)).then(|| after.remove(key))?;
            }
        }
        Some(after)
    }

    /// An order of the edits in which every state keeps the bounds; and how many checks were left.
    fn ordered(&self, edits: &[Edit], checks: u32) -> (Option<Vec<Edit>>, u32) {
        if u32::try_from(edits.len()).is_ok_and(|count| count < u128::BITS) {
            let mut search = Search {
                way: self,
                edits,
                dead: BTreeSet::new(),
                checks_left: checks,
                order: Vec::new(),
            };
            let found = search.descend(&self.from, 0);
            return (found.then_some(search.order), search.checks_left);
        }
        (None, checks)
    }

    /// The same with a copy of one of the entries in question parked at a free number for a while.
    fn with_scratch(&self, edits: &[Edit]) -> Option<Vec<Edit>> {
        let mut checks = ALL_SCRATCH_CHECKS_MAX;
        let approved = edits.iter().filter_map(|edit| match edit {
            Edit::Create { entry, .. } | Edit::Replace { entry, .. } => Some(entry),
            Edit::Delete { .. } => None,
        });
        let foreign = edits.iter().filter_map(|edit| match edit {
            Edit::Delete { entry: from, .. } | Edit::Replace { from, .. } => Some(from),
            Edit::Create { .. } => None,
        });
        let parked: BTreeSet<&NetworkAclEntry> = approved.chain(foreign).collect();
        for entry in parked {
            for key in self.free_keys() {
                let entry = entry.clone();
                let mut edits = edits.to_vec();
                edits.push(Edit::Create {
                    key,
                    entry: entry.clone(),
                });
                edits.push(Edit::Delete { key, entry });
                let budget = SCRATCH_CHECKS_MAX.min(checks);
                let (found, left) = self.ordered(&edits, budget);
                if found.is_some() {
                    return found;
                }
                checks = checks.saturating_sub(budget.saturating_sub(left));
                if checks == 0 {
                    return None;
                }
            }
        }
        None
    }

    /// One free key in each gap between the numbers that live or the goal use.
    fn free_keys(&self) -> Vec<EntryKey> {
        let used: BTreeSet<u16> = self
            .from
            .keys()
            .chain(self.to.keys())
            .map(|key| key.number.get())
            .collect();
        let starts = std::iter::once(0).chain(used.iter().copied());
        let free = starts.filter_map(|number| self.key(number.saturating_add(1)));
        free.filter(|key| !used.contains(&key.number.get()))
            .collect()
    }

    fn key(&self, number: u16) -> Option<EntryKey> {
        RuleNumber::new(number.into()).map(|number| EntryKey {
            direction: self.direction,
            number,
        })
    }

    /// The prefix block, where there are numbers and quota for it.
    fn behind_block(&self, edits: &[Edit]) -> Option<Vec<Edit>> {
        let lowest = self
            .from
            .keys()
            .chain(self.to.keys())
            .map(|key| key.number.get())
            .min()?;
        let deny = |cidr: IpNet| NetworkAclEntry::new(RuleAction::Deny, Traffic::All, cidr);
        let denies = [
            deny(Ipv4Net::default().into()),
            deny(Ipv6Net::default().into()),
        ];
        let block = self.to.values().cloned().chain(denies);
        let block: Option<Vec<(EntryKey, NetworkAclEntry)>> = (1..)
            .zip(block)
            .map(|(number, entry)| {
                (number < lowest)
                    .then(|| self.key(number))
                    .flatten()
                    .map(|key| (key, entry))
            })
            .collect();
        let block = block?;
        if self
            .from
            .len()
            .max(self.to.len())
            .saturating_add(block.len())
            > self.quota
        {
            return None;
        }
        let built = block.iter().map(|(key, entry)| Edit::Create {
            key: *key,
            entry: entry.clone(),
        });
        let (deletes, others): (Vec<&Edit>, Vec<&Edit>) = edits
            .iter()
            .partition(|edit| matches!(edit, Edit::Delete { .. }));
        let rewritten = deletes.into_iter().chain(others).cloned();
        let removed = block.iter().rev().map(|(key, entry)| Edit::Delete {
            key: *key,
            entry: entry.clone(),
        });
        Some(built.chain(rewritten).chain(removed).collect())
    }

    /// The edits in an order that opens nothing where that can be, and each time cuts the least.
    fn least_cut(&self, edits: Vec<Edit>) -> Vec<Edit> {
        let mut entries = self.from.clone();
        let mut left = edits;
        let mut order = Vec::new();
        while let Some((index, after)) = self.least_harm(&left, &entries) {
            order.push(left.remove(index));
            entries = after;
        }
        order
    }

    fn least_harm(&self, left: &[Edit], entries: &Entries) -> Option<(usize, Entries)> {
        let possible = left
            .iter()
            .enumerate()
            .filter_map(|(index, edit)| Some((index, self.after(edit, entries)?)));
        possible.min_by_key(|(_, after)| {
            let permitted = self.permitted(after);
            let size = |packets: PacketSet| {
                let peers = packets.peers();
                peers
                    .address_count(Family::V4)
                    .saturating_add(peers.address_count(Family::V6))
            };
            (
                size(permitted.difference(&self.upper)),
                size(self.lower.difference(&permitted)),
            )
        })
    }
}

impl Search<'_> {
    fn descend(&mut self, entries: &Entries, done: u128) -> bool {
        if self.order.len() == self.edits.len() {
            return true;
        }
        let edits = self.edits;
        for (index, edit) in edits.iter().enumerate() {
            let bit = 1_u128 << index;
            let next = done | bit;
            if done & bit != 0 || self.dead.contains(&next) {
                continue;
            }
            let Some(after) = self.way.after(edit, entries) else {
                continue;
            };
            if self.checks_left == 0 {
                return false;
            }
            self.checks_left -= 1;
            if !self.way.keeps(&after) {
                self.dead.insert(next);
                continue;
            }
            self.order.push(edit.clone());
            if self.descend(&after, next) {
                return true;
            }
            self.order.pop();
            self.dead.insert(next);
        }
        false
    }
}
