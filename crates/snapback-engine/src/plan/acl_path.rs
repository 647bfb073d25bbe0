//! The order of single-entry edits from one list of an ACL to another (design.md 3).
//!
//! Every state S on the way keeps `allow(goal) ∩ allow(live) ⊆ allow(S) ⊆ allow(goal) ∪ allow(live)`.
//! First the edits alone are ordered by search: no way has fewer calls. Else one of them takes a
//! detour by another content (one call more), else two do, or an entry is parked at a free number or
//! in the place of an approved one (two calls more); else behind a prefix block (the goal's entries
//! in order and a deny-all at free numbers below the lowest: each packet is then always decided by a
//! prefix of the goal or by live). Where none of them fits, the caller may swap the subnets to a
//! shadow of the goal; the way that cuts least is the last resort, and the proof of the plan tells
//! what it cuts.

use super::quota::ENTRIES_MAX;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use snapback_reach::{Family, PacketSet, permitted_by_acl};
use std::collections::{BTreeMap, BTreeSet};

/// Checked states of the search over the edits alone.
const CHECKS_MAX: u32 = 2_000;
/// Checked states of the search with one given detour, and with all of one length together.
const DETOUR_CHECKS_MAX: u32 = 300;
const ALL_DETOURS_CHECKS_MAX: u32 = 3_000;
/// Edits up to which two detours at once are tried: their number grows with the fourth power.
const PAIRED_DETOURS_EDITS_MAX: usize = 5;

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

/// A way from live to the goal in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The edits in the order in which they are made.
    pub(super) edits: Vec<Edit>,
    /// Whether every state on it keeps the bounds.
    pub(super) safe: bool,
}

impl Path {
    fn safe(edits: Vec<Edit>) -> Self {
        Self { edits, safe: true }
    }
}

/// The edits in any order that EC2 takes: replaces, deletes, creates. For an ACL that guards nothing.
pub(super) fn rewrite(live: &NetworkAcl, goal: &NetworkAcl, direction: Direction) -> Vec<Edit> {
    let edits = edits(&entries_of(live, direction), &entries_of(goal, direction));
    let (creates, others): (Vec<Edit>, Vec<Edit>) = edits
        .into_iter()
        .partition(|edit| matches!(edit, Edit::Create { .. }));
    others.into_iter().chain(creates).collect()
}

fn entries_of(acl: &NetworkAcl, direction: Direction) -> Entries {
    let entries = acl
        .entries
        .iter()
        .filter(|(key, _)| key.direction == direction);
    entries.map(|(key, entry)| (*key, entry.clone())).collect()
}

/// The way from live to goal in one direction: the fewest calls that keep the bounds, as far as the
/// search looks.
pub(super) fn path(live: &NetworkAcl, goal: &NetworkAcl, direction: Direction) -> Path {
    let (from, to) = (entries_of(live, direction), entries_of(goal, direction));
    let edits = edits(&from, &to);
    if edits.len() < 2 {
        return Path::safe(edits);
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
    let found = way
        .ordered(&edits, CHECKS_MAX)
        .0
        .or_else(|| way.first_of(way.one_detour(&edits)))
        .or_else(|| way.first_of(way.two_calls_more(&edits)))
        .or_else(|| way.behind_block(&edits));
    match found {
        Some(edits) => Path::safe(edits),
        None => Path {
            edits: way.least_cut(edits),
            safe: false,
        },
    }
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

/// One edit in two: by way of another content, or of being absent for a while.
fn detours(edit: &Edit, contents: &[NetworkAclEntry]) -> Vec<Vec<Edit>> {
    let (key, from, to) = match edit {
        Edit::Create { key, entry } => (*key, None, Some(entry)),
        Edit::Replace { key, from, entry } => (*key, Some(from), Some(entry)),
        Edit::Delete { key, entry } => (*key, Some(entry), None),
    };
    let step = |from: Option<&NetworkAclEntry>, to: Option<&NetworkAclEntry>| match (from, to) {
        (None, Some(to)) => Some(Edit::Create {
            key,
            entry: to.clone(),
        }),
        (Some(from), Some(to)) => Some(Edit::Replace {
            key,
            from: from.clone(),
            entry: to.clone(),
        }),
        (Some(from), None) => Some(Edit::Delete {
            key,
            entry: from.clone(),
        }),
        (None, None) => None,
    };
    let by = contents.iter().map(Some).chain([None]);
    by.filter(|by| *by != from && *by != to)
        .filter_map(|by| Some(vec![step(from, by)?, step(by, to)?]))
        .collect()
}

/// Two different edits, each with a detour.
fn paired_detours(edits: &[Edit], contents: &[NetworkAclEntry]) -> Vec<Vec<Edit>> {
    let mut sets = Vec::new();
    for (i, one) in edits.iter().enumerate() {
        for (j, other) in edits.iter().enumerate().skip(i.saturating_add(1)) {
            let rest = || {
                let rest = edits.iter().enumerate();
                rest.filter(move |(index, _)| *index != i && *index != j)
                    .map(|(_, edit)| edit.clone())
            };
            for first in detours(one, contents) {
                for second in detours(other, contents) {
                    sets.push(first.iter().cloned().chain(second).chain(rest()).collect());
                }
            }
        }
    }
    sets
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

    /// The first set of edits that has an order, within a budget for all of them.
    fn first_of(&self, sets: impl IntoIterator<Item = Vec<Edit>>) -> Option<Vec<Edit>> {
        let mut checks = ALL_DETOURS_CHECKS_MAX;
        for edits in sets {
            let budget = DETOUR_CHECKS_MAX.min(checks);
            let (found, left) = self.ordered(&edits, budget);
            if found.is_some() {
                return found;
            }
            // A set costs something even where its first states fail at once.
            checks = checks.saturating_sub(budget.saturating_sub(left).max(1));
            if checks == 0 {
                return None;
            }
        }
        None
    }

    /// The contents that an entry may have for a while: those of live and the goal. What is in
    /// question comes first.
    fn contents(&self, edits: &[Edit]) -> Vec<NetworkAclEntry> {
        let approved = edits.iter().filter_map(|edit| match edit {
            Edit::Create { entry, .. } | Edit::Replace { entry, .. } => Some(entry),
            Edit::Delete { .. } => None,
        });
        let foreign = edits.iter().filter_map(|edit| match edit {
            Edit::Delete { entry: from, .. } | Edit::Replace { from, .. } => Some(from),
            Edit::Create { .. } => None,
        });
        let others = self.to.values().chain(self.from.values());
        let mut contents: Vec<NetworkAclEntry> = Vec::new();
        for entry in approved.chain(foreign).chain(others) {
            if !contents.contains(entry) {
                contents.push(entry.clone());
            }
        }
        contents
    }

    /// Each edit by way of each other content, or of being absent: one call more.
    fn one_detour<'e>(&'e self, edits: &'e [Edit]) -> impl Iterator<Item = Vec<Edit>> + 'e {
        let contents = self.contents(edits);
        (0..edits.len()).flat_map(move |index| {
            let detours: Vec<Vec<Edit>> = edits
                .get(index)
                .map(|edit| detours(edit, &contents))
                .unwrap_or_default();
            detours.into_iter().map(move |detour| {
                let others = edits.iter().enumerate().filter(move |(i, _)| *i != index);
                detour
                    .into_iter()
                    .chain(others.map(|(_, edit)| edit.clone()))
                    .collect()
            })
        })
    }

    /// Two calls more: an entry parked at a free number, an approved entry that has another content
    /// for a while, or two detours.
    fn two_calls_more<'e>(&'e self, edits: &'e [Edit]) -> impl Iterator<Item = Vec<Edit>> + 'e {
        let contents = self.contents(edits);
        let with =
            move |more: [Edit; 2]| -> Vec<Edit> { edits.iter().cloned().chain(more).collect() };
        let parked = contents.clone().into_iter().flat_map(move |entry| {
            self.free_keys().into_iter().map(move |key| {
                let entry = entry.clone();
                let create = Edit::Create {
                    key,
                    entry: entry.clone(),
                };
                with([create, Edit::Delete { key, entry }])
            })
        });
        let kept = self
            .to
            .iter()
            .filter(|(key, entry)| self.from.get(*key) == Some(*entry));
        let stand_ins = contents.clone();
        let borrowed = kept.flat_map(move |(key, held)| {
            let others: Vec<NetworkAclEntry> = stand_ins
                .iter()
                .filter(|entry| *entry != held)
                .cloned()
                .collect();
            others.into_iter().map(move |entry| {
                let (key, held) = (*key, held.clone());
                let there = Edit::Replace {
                    key,
                    from: held.clone(),
                    entry: entry.clone(),
                };
                let back = Edit::Replace {
                    key,
                    from: entry,
                    entry: held,
                };
                with([there, back])
            })
        });
        let paired = (edits.len() <= PAIRED_DETOURS_EDITS_MAX)
            .then(|| paired_detours(edits, &contents))
            .into_iter()
            .flatten();
        parked.chain(borrowed).chain(paired)
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
