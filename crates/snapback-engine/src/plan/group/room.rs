//! Room within the quota of a group (semantics C1 a to c).

use super::super::apply::same_peer_kind;
use super::super::draft::Draft;
use super::{RULES_MAX, Rules};
use snapback_model::*;
use snapback_reach::Family;
use std::collections::BTreeSet;

impl Rules<'_> {
    /// The rules that a direction holds at most, by family: the default, or more where one end shows
    /// that the quota was raised.
    fn quota(&self) -> (u32, u32) {
        let of = |group: &SecurityGroup| {
            self.cost(
                group
                    .rules
                    .keys()
                    .filter(|key| key.direction == self.direction),
            )
        };
        let ((live4, live6), (goal4, goal6)) = (of(self.live), of(self.goal));
        (
            live4.max(goal4).max(RULES_MAX),
            live6.max(goal6).max(RULES_MAX),
        )
    }

    /// What rules cost, by family. A prefix list costs its maximum, a group one, both in either
    /// family: whether EC2 counts so is not known (semantics A1), and too much is the safe side.
    fn cost<'k>(&self, rules: impl Iterator<Item = &'k RuleKey>) -> (u32, u32) {
        rules
            .map(|key| self.cost_of(key))
            .fold((0, 0), |(v4, v6), (more4, more6)| {
                (v4.saturating_add(more4), v6.saturating_add(more6))
            })
    }

    fn cost_of(&self, key: &RuleKey) -> (u32, u32) {
        match &key.peer {
            Peer::Ipv4(_) => (1, 0),
            Peer::Ipv6(_) => (0, 1),
            Peer::SecurityGroup { .. } => (1, 1),
            Peer::PrefixList(id) => {
                let cost = self
                    .topology
                    .prefix_lists
                    .get(id)
                    .and_then(|list| list.max_entries)
                    .unwrap_or(1);
                (cost, cost)
            }
        }
    }

    /// Whether the group would be too full once all that is missing is there, and every pair changed.
    pub(super) fn is_over_quota(&self) -> bool {
        let (mut v4, mut v6) = self.cost(self.now.iter().chain(&self.missing));
        for (from, to) in self.pairs.values() {
            let ((from4, from6), (to4, to6)) = (self.cost_of(from), self.cost_of(to));
            v4 = v4.saturating_add(to4.saturating_sub(from4));
            v6 = v6.saturating_add(to6.saturating_sub(from6));
        }
        let (max4, max6) = self.quota();
        v4 > max4 || v6 > max6
    }

    /// Whether a rule that is changed in place needs more room than it had: a prefix list costs what
    /// it may hold at most.
    fn grows(&self, from: &RuleKey, to: &RuleKey) -> bool {
        let ((from4, from6), (to4, to6)) = (self.cost_of(from), self.cost_of(to));
        to4 > from4 || to6 > from6
    }

    /// Whether these rules, with one changed into another, are within the quota.
    pub(super) fn fits(&self, held: &BTreeSet<RuleKey>, from: &RuleKey, to: &RuleKey) -> bool {
        if !self.grows(from, to) {
            return true;
        }
        let left = held.iter().filter(|key| *key != from);
        let (v4, v6) = self.cost(left.chain([to]));
        let (max4, max6) = self.quota();
        v4 <= max4 && v6 <= max6
    }

    /// Pairs that need more room where there is none come and go instead.
    pub(super) fn unpair_those_that_grow(&mut self) {
        if !self.is_over_quota() {
            return;
        }
        for (id, (from, to)) in self.pairs.clone() {
            if self.grows(&from, &to) {
                self.pairs.remove(&id);
                self.extra.insert(from);
                self.missing.insert(to);
            }
        }
    }

    /// (b) Changes extra rules in place into missing ones, where that cuts nothing: no extra slot.
    pub(super) fn pair_for_room(&mut self, draft: &mut Draft) {
        for to in self.missing.clone() {
            let partner = self.extra.iter().find_map(|from| {
                let id = (*self.ids.get(from)?).clone();
                let fits = same_peer_kind(&from.peer, &to.peer)
                    && !self.grows(from, &to)
                    && !self.is_awaited(from)
                    && self.keeps(&BTreeSet::from([from]), Some(&to));
                fits.then(|| (id, from.clone()))
            });
            if let Some((id, from)) = partner
                && self.is_over_quota()
                && self.pair(&id, &from, &to)
            {
                self.modify_safe(draft);
            }
        }
    }

    /// (c) Revokes as few extra rules as make room, those first that cut the least: the proof of the
    /// plan tells what.
    pub(super) fn make_room(&mut self, draft: &mut Draft) {
        let (max4, max6) = self.quota();
        let mut gone = BTreeSet::new();
        let mut left = self.extra.clone();
        loop {
            let (v4, v6) = self.cost(
                self.now
                    .iter()
                    .filter(|key| !gone.contains(*key))
                    .chain(&self.missing),
            );
            let (over4, over6) = (v4 > max4, v6 > max6);
            let helps = |key: &&RuleKey| {
                let (cost4, cost6) = self.cost_of(key);
                over4 && cost4 > 0 || over6 && cost6 > 0
            };
            let cut = |key: &RuleKey| {
                let others = self
                    .now
                    .iter()
                    .filter(|other| !gone.contains(*other) && *other != key);
                let peers = self.lower.difference(&self.permitted(others)).peers();
                let addresses = [Family::V4, Family::V6].map(|family| peers.address_count(family));
                (
                    peers.symbols().len(),
                    addresses.into_iter().fold(0, u128::saturating_add),
                )
            };
            let Some(next) = left
                .iter()
                .filter(helps)
                .min_by_key(|key| cut(key))
                .cloned()
            else {
                break;
            };
            left.remove(&next);
            gone.insert(next);
        }
        self.revoke(draft, gone);
    }
}
