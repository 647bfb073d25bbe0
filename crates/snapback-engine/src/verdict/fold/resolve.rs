//! What the ids and names of an event stand for, and the rules that only ids name.

use super::content::Content;
use super::{Folding, Standing};
use crate::change::{Edit, GroupRef, RuleRef};
use snapback_model::*;
use std::collections::BTreeSet;

impl Folding<'_> {
    /// The group an event names; refused where its name does not tell.
    pub(super) fn group(&mut self, named: &GroupRef) -> Option<SecurityGroupId> {
        let name = match named {
            GroupRef::Id(id) => return Some(id.clone()),
            GroupRef::Name(name) => name,
        };
        let approved = self
            .before
            .by_id
            .values()
            .filter_map(|baseline| baseline.state.as_ref());
        let candidates: BTreeSet<SecurityGroupId> = approved
            .chain(self.live.resources.values())
            .filter_map(|resource| match resource {
                Resource::SecurityGroup(group) if group.name.as_ref() == Some(name) => Some(group),
                _ => None,
            })
            // A name alone stands for a group of the default VPC (cloudtrail-shapes.md 3).
            .filter(|group| {
                group
                    .vpc
                    .as_ref()
                    .is_none_or(|vpc| self.may_be_default(vpc))
            })
            .map(|group| group.id.clone())
            .collect();
        let mut candidates = candidates.into_iter();
        match (candidates.next(), candidates.next()) {
            (Some(id), None) => Some(id),
            (None, _) => {
                self.refuse(format!(
                    "no group named {name:?} is known in the default VPC"
                ));
                None
            }
            (Some(_), Some(_)) => {
                self.refuse(format!("more than one group is named {name:?}"));
                None
            }
        }
    }

    fn may_be_default(&self, vpc: &VpcId) -> bool {
        let known = self.live.topology.vpcs.get(vpc);
        known
            .or_else(|| self.before.context().vpcs.get(vpc))
            .is_none_or(|vpc| vpc.is_default)
    }

    /// The rule that the baseline, else live, knows an id for.
    fn handle(&self, group: &SecurityGroupId, id: &SecurityGroupRuleId) -> Option<RuleKey> {
        let baseline = self.baseline(&group.clone().into());
        baseline
            .and_then(|baseline| baseline.handles.rules.get(id))
            .or_else(|| self.live.handles.rules.get(id))
            .filter(|handle| handle.group == *group)
            .map(|handle| handle.rule.clone())
    }

    /// The group and rule an event names; refused where nothing knows the id.
    pub(super) fn rule(
        &mut self,
        group: &GroupRef,
        named: &RuleRef,
    ) -> Option<(SecurityGroupId, RuleKey)> {
        let group = self.group(group)?;
        let rule = match named {
            RuleRef::Key(key) => Some(key.renamed(&self.lineage)),
            RuleRef::Id(id) => {
                let rule = self.handle(&group, id);
                if rule.is_none() {
                    self.unknown_rule(&group, id);
                }
                rule
            }
        };
        rule.map(|rule| (group, rule))
    }

    fn unknown_rule(&mut self, group: &SecurityGroupId, id: &SecurityGroupRuleId) {
        self.fold.premature = true;
        self.refuse(format!(
            "the baseline of {group} does not know which rule {id} was"
        ));
    }

    /// A rule with the id it has from now on.
    pub(super) fn rule_set(
        &mut self,
        group: SecurityGroupId,
        rule: RuleKey,
        detail: RuleDetail,
        id: Option<&SecurityGroupRuleId>,
    ) {
        let resource = ResourceId::from(group.clone());
        let element = Element::Rule(rule.clone());
        let folded = self.set(&resource, element.clone(), Content::Rule(Some(detail)));
        let Some(id) = id else { return };
        let covered = matches!(self.standing(&resource, &element), Standing::Superseded(_));
        let handle = RuleHandle { group, rule };
        if folded {
            if let Some(baseline) = self.now.get_mut(&resource) {
                baseline.handles.rules.insert(id.clone(), handle);
            }
        } else if covered && matches!(self.since_capture(&resource), Standing::Newest) {
            // The rule is history, but a late event may still tell what became of its id.
            let baseline = self.baseline(&resource).cloned();
            if let Some(mut baseline) =
                baseline.filter(|baseline| !baseline.handles.rules.contains_key(id))
            {
                baseline.handles.rules.insert(id.clone(), handle);
                self.now.insert(resource, baseline);
            }
        }
    }

    /// ModifySecurityGroupRules: each rule id gets a new content. What the id named before is only
    /// in the baseline's handles, as is the direction; all old contents go before the new ones come,
    /// so that rules of one call may trade places.
    pub(super) fn rewrite_rules(&mut self, edits: &[Edit]) {
        let mut coming = Vec::new();
        for edit in edits {
            let Edit::RuleModified {
                group,
                id,
                traffic,
                peer,
                description,
            } = edit
            else {
                continue;
            };
            let Some(group) = self.group(group) else {
                continue;
            };
            let resource = ResourceId::from(group.clone());
            let handles = self.baseline(&resource).map(|baseline| &baseline.handles);
            let Some(old) = handles
                .and_then(|handles| handles.rules.get(id))
                .map(|handle| handle.rule.clone())
            else {
                self.unknown_rule(&group, id);
                continue;
            };
            let element = Element::Rule(old.clone());
            // A newer word on what the id names: the id had moved on, unless another id brought it.
            let is_only = handles.is_some_and(|handles| {
                handles
                    .rules
                    .iter()
                    .all(|(other, handle)| other == id || handle.rule != old)
            });
            let standing = self.standing(&resource, &element);
            if let (true, Standing::Superseded(why)) = (is_only, standing) {
                self.supersede(&format!("{resource} {id}"), &why);
                continue;
            }
            let new = RuleKey {
                direction: old.direction,
                traffic: *traffic,
                peer: peer.renamed(&self.lineage),
            };
            let tags = match self
                .baseline(&resource)
                .and_then(|baseline| baseline.state.as_ref())
            {
                Some(Resource::SecurityGroup(state)) => {
                    state.rules.get(&old).and_then(|detail| detail.tags.clone())
                }
                _ => None,
            };
            if new != old {
                self.set(&resource, element, Content::Rule(None));
            }
            let description = description.clone().filter(|text| !text.is_empty());
            coming.push((group, id.clone(), new, RuleDetail { description, tags }));
        }
        for (group, id, new, detail) in coming {
            self.rule_set(group, new, detail, Some(&id));
        }
    }

    /// Takes over live's ids of parts that the baseline has. Ids known before stay as they were
    /// known: live may hold them under what a stranger made of them.
    pub(super) fn adopt_handles(&self, baseline: &mut Baseline) {
        let handles = self.live.handles.of(&baseline.id);
        let Some(state) = &baseline.state else { return };
        for (id, handle) in handles.rules {
            let ours = matches!(state, Resource::SecurityGroup(group) if group.rules.contains_key(&handle.rule));
            if ours {
                baseline.handles.rules.entry(id).or_insert(handle);
            }
        }
        baseline.adopt_associations(&self.live.handles);
    }
}
