//! What the ids and names in events stood for when they were used.

use super::Step;
use crate::change::{Edit, Edits, GroupRef};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// One word on what a rule id means from a second on.
struct Meaning {
    second: i64,
    /// Whether the id is born here, so that nothing comes before it in that second.
    birth: bool,
    rule: RuleKey,
}

/// What ids and names stand for, gathered from all events and the live state.
#[derive(Default)]
pub(super) struct Names {
    /// Group names, fixed for life, of groups that may be in a default VPC.
    groups: BTreeMap<String, BTreeSet<SecurityGroupId>>,
    /// Groups whose name is told.
    told: BTreeSet<SecurityGroupId>,
    /// Groups whose name nothing tells.
    nameless: BTreeSet<SecurityGroupId>,
    rules: BTreeMap<SecurityGroupRuleId, Vec<Meaning>>,
    /// An id is made anew with each association, so it has one meaning for life.
    subjects: BTreeMap<AssociationId, AssociationSubject>,
    holders: BTreeMap<AssociationId, ResourceId>,
}

impl Names {
    pub(super) fn of(steps: &[Step], live: Option<&Snapshot>) -> Self {
        let mut names = Self::default();
        if let Some(live) = live {
            names.learn_live(live);
        }
        let edits = || {
            steps.iter().flat_map(|step| {
                let edits: &[Edit] = match &step.change.edits {
                    Edits::Known(edits) => edits,
                    Edits::Unknown { .. } | Edits::Context => &[],
                };
                edits.iter().map(|edit| (step.second(), edit))
            })
        };
        for (second, edit) in edits() {
            names.learn(second, edit, live);
        }
        // Directions of modified rules and subjects of replaced associations come from another
        // event: an earlier one, or a later one.
        for (second, edit) in edits() {
            names.relate(second, edit);
        }
        let all: Vec<_> = edits().collect();
        for (_, edit) in all.into_iter().rev() {
            names.relate_subjects(edit);
        }
        for meanings in names.rules.values_mut() {
            meanings.sort_by_key(|meaning| meaning.second);
        }
        names
    }

    fn learn_live(&mut self, live: &Snapshot) {
        for resource in live.resources.values() {
            if let Resource::SecurityGroup(group) = resource {
                let vpc = group
                    .vpc
                    .as_ref()
                    .and_then(|vpc| live.topology.vpcs.get(vpc));
                self.learn_group(group, vpc);
            }
        }
        for (id, handle) in &live.handles.rules {
            self.rules.entry(id.clone()).or_default().push(Meaning {
                second: live.observed_at.as_second(),
                birth: false,
                rule: handle.rule.clone(),
            });
        }
        for (id, handle) in &live.handles.associations {
            self.subjects.insert(id.clone(), handle.subject.clone());
            self.holders.insert(id.clone(), handle.resource.clone());
        }
    }

    fn learn_group(&mut self, group: &SecurityGroup, vpc: Option<&Vpc>) {
        let Some(name) = &group.name else {
            self.nameless.insert(group.id.clone());
            return;
        };
        self.nameless.remove(&group.id);
        self.told.insert(group.id.clone());
        // A name alone stands for a group of the default VPC (cloudtrail-shapes.md 3).
        let named = self.groups.entry(name.clone()).or_default();
        if vpc.is_none_or(|vpc| vpc.is_default) {
            named.insert(group.id.clone());
        }
    }

    fn learn(&mut self, second: i64, edit: &Edit, live: Option<&Snapshot>) {
        match edit {
            Edit::RuleAdded {
                rule, id: Some(id), ..
            } => {
                self.rules.entry(id.clone()).or_default().push(Meaning {
                    second,
                    birth: true,
                    rule: rule.clone(),
                });
            }
            Edit::Created { resource } => {
                if let Resource::SecurityGroup(group) = resource.as_ref() {
                    let vpc = live
                        .zip(group.vpc.as_ref())
                        .and_then(|(live, vpc)| live.topology.vpcs.get(vpc));
                    self.learn_group(group, vpc);
                }
            }
            Edit::TableAssociated {
                table,
                subject,
                association: Some(id),
            } => {
                self.subjects.insert(id.clone(), subject.clone());
                self.holders.insert(id.clone(), table.clone().into());
            }
            Edit::AclReassociated {
                acl,
                new_association: Some(id),
                ..
            } => {
                self.holders.insert(id.clone(), acl.clone().into());
            }
            Edit::TableReassociated {
                table,
                new_association: Some(id),
                ..
            } => {
                self.holders.insert(id.clone(), table.clone().into());
            }
            _ => {}
        }
        if let Some(GroupRef::Id(group)) = group_of(edit)
            && !self.told.contains(group)
        {
            self.nameless.insert(group.clone());
        }
    }

    fn relate(&mut self, second: i64, edit: &Edit) {
        if let Edit::RuleModified {
            id, traffic, peer, ..
        } = edit
            && let Some(direction) = self.direction(id)
        {
            let rule = RuleKey {
                direction,
                traffic: *traffic,
                peer: peer.clone(),
            };
            self.rules.entry(id.clone()).or_default().push(Meaning {
                second,
                birth: false,
                rule,
            });
        }
        self.relate_subjects(edit);
    }

    fn relate_subjects(&mut self, edit: &Edit) {
        let (Edit::AclReassociated {
            association: old,
            new_association: Some(new),
            ..
        }
        | Edit::TableReassociated {
            association: old,
            new_association: Some(new),
            ..
        }) = edit
        else {
            return;
        };
        match (
            self.subjects.get(old).cloned(),
            self.subjects.get(new).cloned(),
        ) {
            (Some(subject), None) => {
                self.subjects.insert(new.clone(), subject);
            }
            (None, Some(subject)) => {
                self.subjects.insert(old.clone(), subject);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// The direction of a rule, which nothing changes.
    pub(super) fn direction(&self, id: &SecurityGroupRuleId) -> Option<Direction> {
        let meaning = self.rules.get(id)?.first()?;
        Some(meaning.rule.direction)
    }

    /// The rule that an id meant just before a change of this second.
    pub(super) fn rule_before(&self, id: &SecurityGroupRuleId, second: i64) -> Option<&RuleKey> {
        let meanings = self.rules.get(id)?;
        let same: Vec<&Meaning> = meanings
            .iter()
            .filter(|meaning| meaning.second == second)
            .collect();
        match same.as_slice() {
            [birth] if birth.birth => return Some(&birth.rule),
            // The word of this very change, which tells what the rule became.
            [_] | [] => {}
            _ => return None,
        }
        let mut before = meanings.iter().filter(|meaning| meaning.second < second);
        before.next_back().map(|meaning| &meaning.rule)
    }

    /// The group that an event names, or all that it may mean.
    pub(super) fn group(
        &self,
        named: &GroupRef,
    ) -> Result<SecurityGroupId, BTreeSet<SecurityGroupId>> {
        let name = match named {
            GroupRef::Id(id) => return Ok(id.clone()),
            GroupRef::Name(name) => name,
        };
        let mut candidates = self.nameless.clone();
        candidates.extend(self.groups.get(name).into_iter().flatten().cloned());
        match candidates.first() {
            Some(only) if candidates.len() == 1 && !self.nameless.contains(only) => {
                Ok(only.clone())
            }
            _ => Err(candidates),
        }
    }

    /// What an association id binds.
    pub(super) fn subject(&self, id: &AssociationId) -> Option<&AssociationSubject> {
        self.subjects.get(id)
    }

    /// The ACL or table that an association id binds it to.
    pub(super) fn holder(&self, id: &AssociationId) -> Option<&ResourceId> {
        self.holders.get(id)
    }
}

/// The group that an edit of a rule names.
pub(super) fn group_of(edit: &Edit) -> Option<&GroupRef> {
    match edit {
        Edit::RuleAdded { group, .. }
        | Edit::RuleRemoved { group, .. }
        | Edit::RuleModified { group, .. }
        | Edit::RuleDescribed { group, .. } => Some(group),
        _ => None,
    }
}
