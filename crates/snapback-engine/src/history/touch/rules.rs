//! What the edits of rules say, by key or by the id that a rule had.

use super::{Reader, Wide};
use crate::change::{Edit, GroupRef, RuleRef};
use crate::history::Reason;
use crate::history::told::{Atom, Thing, Told};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

impl Reader<'_> {
    pub(super) fn rule_removed(&mut self, group: &GroupRef, rule: &RuleRef) {
        let Some(group) = self.group(group, Reason::IdUnexplained) else {
            return;
        };
        let key = match rule {
            RuleRef::Key(key) => Some(key),
            RuleRef::Id(id) => self.names.rule_before(id, self.step.second()),
        };
        let id = ResourceId::from(group);
        match key {
            Some(key) => {
                let before = match self.step.confirmed {
                    true => Told::there(Thing::Set),
                    false => Told::Unknown(Reason::OldUntold),
                };
                self.part(id, Element::Rule(key.clone()), before, Told::ABSENT);
            }
            None => {
                self.edits(&id);
                self.witness(&id);
                self.touches.unexplained.insert(self.index);
                self.lose(Wide::Resource(id), Reason::IdUnexplained);
            }
        }
    }

    /// The modified rules of one call, one after the other as EC2 takes them.
    pub(super) fn rules_modified(&mut self, edits: &[Edit]) {
        let mut by_group: BTreeMap<SecurityGroupId, Vec<(&SecurityGroupRuleId, &Traffic, &Peer)>> =
            BTreeMap::new();
        for edit in edits {
            let Edit::RuleModified {
                group,
                id,
                traffic,
                peer,
                ..
            } = edit
            else {
                continue;
            };
            if let Some(group) = self.group(group, Reason::IdUnexplained) {
                by_group.entry(group).or_default().push((id, traffic, peer));
            }
        }
        for (group, changes) in by_group {
            let resource = ResourceId::from(group);
            self.edits(&resource);
            self.witness(&resource);
            if self.modified(&resource, &changes).is_none() {
                self.touches.unexplained.insert(self.index);
                self.lose(Wide::Resource(resource), Reason::IdUnexplained);
            }
        }
    }

    fn modified(
        &mut self,
        resource: &ResourceId,
        changes: &[(&SecurityGroupRuleId, &Traffic, &Peer)],
    ) -> Option<()> {
        let second = self.step.second();
        let mut first = BTreeMap::new();
        let mut last = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (id, traffic, peer) in changes {
            let old = match first.get(*id) {
                Some(old) => RuleKey::clone(old),
                None => self.names.rule_before(id, second)?.clone(),
            };
            let new = RuleKey {
                direction: old.direction,
                traffic: **traffic,
                peer: (*peer).clone(),
            };
            all.extend([old.clone(), new.clone()]);
            first.entry(*id).or_insert(old);
            last.insert(*id, new);
        }
        let (first, last): (BTreeSet<_>, BTreeSet<_>) =
            (first.into_values().collect(), last.into_values().collect());
        for key in all {
            let told = |there: bool| match there {
                true => Told::there(Thing::Set),
                false => Told::ABSENT,
            };
            let (before, after) = (told(first.contains(&key)), told(last.contains(&key)));
            self.say(
                Atom::Part(resource.clone(), Element::Rule(key)),
                before,
                after,
            );
        }
        Some(())
    }
}
