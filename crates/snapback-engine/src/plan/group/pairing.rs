//! Rules that are changed in place: an extra rule and the missing one it becomes.

use super::super::Action;
use super::super::apply::same_peer_kind;
use super::super::draft::Draft;
use super::{Rules, rule_words};
use snapback_model::*;
use std::collections::BTreeSet;

impl Rules<'_> {
    /// Pairs an extra rule with the missing rule that its id used to name.
    pub(super) fn pair_by_id(&mut self, baselines: &Baselines) {
        for (key, id) in self.ids.clone() {
            let known = baselines
                .by_id
                .values()
                .find_map(|baseline| baseline.handles.rules.get(id));
            if let Some(known) = known.filter(|known| known.group == self.live.id) {
                self.pair(id, key, &known.rule.clone());
            }
        }
    }

    pub(super) fn pair(&mut self, id: &SecurityGroupRuleId, from: &RuleKey, to: &RuleKey) -> bool {
        // The request names a referenced group without its owner: only within the account.
        let foreign =
            |key: &RuleKey| matches!(&key.peer, Peer::SecurityGroup { owner: Some(_), .. });
        let fits = self.extra.contains(from)
            && self.missing.contains(to)
            && same_peer_kind(&from.peer, &to.peer)
            && !foreign(from)
            && !foreign(to);
        if fits {
            self.extra.remove(from);
            self.missing.remove(to);
            self.pairs.insert(id.clone(), (from.clone(), to.clone()));
        }
        fits
    }

    /// One rule too many and one missing are one call, where they can be: modifying takes it.
    pub(super) fn pair_the_only_two(&mut self) {
        let only = |rules: &BTreeSet<RuleKey>| {
            let one = rules.len() == 1;
            one.then(|| rules.first().cloned()).flatten()
        };
        if let Some((from, to)) = only(&self.extra).zip(only(&self.missing))
            && let Some(id) = self.modifiable(&self.now, &from, &to)
        {
            self.pair(&id, &from, &to);
        }
    }

    /// Where one rule may go now and others must wait for what is missing, there are three calls: two
    /// revokes and an authorise. They are two where the first is changed into the only one missing, or
    /// where two are changed into the two that are.
    pub(super) fn pair_to_save_a_call(&mut self, draft: &mut Draft) {
        let early = self.early();
        let waits: Vec<RuleKey> = self.extra.difference(&early).cloned().collect();
        let (Some(first), Some(last)) = (early.first().cloned(), waits.first()) else {
            return;
        };
        if early.len() != 1 || !self.pairs.is_empty() {
            return;
        }
        let missing: Vec<RuleKey> = self.missing.iter().cloned().collect();
        for (one, other) in missing.iter().zip(missing.iter().rev()) {
            let Some(id) = self.modifiable(&self.now, &first, one) else {
                continue;
            };
            let mut then = self.now.clone();
            then.remove(&first);
            then.insert(one.clone());
            let second = match (missing.len(), waits.len()) {
                (1, _) => None,
                (2, 1) => match self.modifiable(&then, last, other) {
                    Some(second) => Some(second),
                    None => continue,
                },
                _ => return,
            };
            self.pair(&id, &first, one);
            self.modify_safe(draft);
            if let Some(second) = second {
                self.pair(&second, last, other);
            }
            return;
        }
    }

    /// Whether, when these extra rules are gone, one rule is left that can be changed into the only one
    /// missing.
    pub(super) fn rest_is_one_change(&self, gone: &BTreeSet<RuleKey>) -> bool {
        let mut rest = self.extra.difference(gone);
        let (Some(from), None, Some(to)) = (rest.next(), rest.next(), self.missing.first()) else {
            return false;
        };
        let left: BTreeSet<RuleKey> = self.now.difference(gone).cloned().collect();
        self.missing.len() == 1 && self.modifiable(&left, from, to).is_some()
    }

    /// The id of a rule that can be changed in place into another while these are held, with nothing
    /// cut and no other call.
    fn modifiable(
        &self,
        held: &BTreeSet<RuleKey>,
        from: &RuleKey,
        to: &RuleKey,
    ) -> Option<SecurityGroupRuleId> {
        let tags = |group: &SecurityGroup, key: &RuleKey| -> Tags {
            let detail = group.rules.get(key).and_then(|detail| detail.tags.clone());
            detail.unwrap_or_default()
        };
        // The tags stay with the rule: to change them would be the second call.
        let fits = tags(self.live, from) == tags(self.goal, to)
            && same_peer_kind(&from.peer, &to.peer)
            && self.fits(held, from, to)
            && !self.is_awaited(from)
            && self.keeps_of(held, &BTreeSet::from([from]), Some(to));
        fits.then(|| self.ids.get(from).map(|id| (*id).clone()))
            .flatten()
    }

    /// Modifies every pair for which that cuts nothing now.
    pub(super) fn modify_safe(&mut self, draft: &mut Draft) {
        for (id, (from, to)) in self.pairs.clone() {
            let keeps = self.keeps(&BTreeSet::from([&from]), Some(&to));
            if self.is_awaited(&from) || !keeps || !self.fits(&self.now, &from, &to) {
                continue;
            }
            self.pairs.remove(&id);
            self.now.remove(&from);
            self.now.insert(to.clone());
            let action = Action::ModifySecurityGroupRule {
                group: self.live.id.clone(),
                id: id.clone(),
                from: from.clone(),
                to: to.clone(),
                description: self
                    .goal
                    .rules
                    .get(&to)
                    .and_then(|detail| detail.description.clone()),
            };
            let why = format!(
                "put {id} back to {}, it is {}",
                rule_words(&to),
                rule_words(&from)
            );
            draft.step(self.live.id.clone(), action, why);
            self.modified.insert(to, (id, from));
        }
    }

    /// Pairs that cannot be modified without a cut, even when all that is missing is there, come and
    /// go instead.
    pub(super) fn unpair(&mut self) {
        loop {
            let mut later = self.now.clone();
            later.extend(self.missing.iter().cloned());
            let mut left = self.pairs.clone();
            while let Some(id) = left
                .iter()
                .find(|(_, (from, to))| {
                    !self.is_awaited(from)
                        && self.keeps_of(&later, &BTreeSet::from([from]), Some(to))
                })
                .map(|(id, _)| id.clone())
            {
                if let Some((from, to)) = left.remove(&id) {
                    later.remove(&from);
                    later.insert(to);
                }
            }
            if left.is_empty() {
                return;
            }
            for (id, (from, to)) in left {
                self.pairs.remove(&id);
                self.extra.insert(from);
                self.missing.insert(to);
            }
        }
    }
}
