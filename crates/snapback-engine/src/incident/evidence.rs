//! Whether a live read can be believed right after an event (semantics E, eventual consistency).

use crate::change::{Change, DeletedRef, Edit, Edits, RuleRef};
use crate::diff::ResourceDiff;
use snapback_model::*;
use std::collections::BTreeSet;

/// The elements that a change says it edited, as far as its ids can be resolved. Empty where the
/// event does not tell.
pub fn edited(change: &Change, baselines: &Baselines, live: &Snapshot) -> BTreeSet<Element> {
    let edits = match &change.edits {
        Edits::Known(edits) => edits,
        Edits::Unknown { .. } | Edits::Context => return BTreeSet::new(),
    };
    edits
        .iter()
        .flat_map(|edit| elements(edit, baselines, live))
        .collect()
}

/// Whether a read right after an event proves nothing yet: a stranger's edit that cannot be seen,
/// or a trusted edit, already part of the baseline, that live seems not to have.
pub fn is_doubtful(
    change: &Change,
    trusted: bool,
    diffs: &[ResourceDiff],
    baselines: &Baselines,
    live: &Snapshot,
) -> bool {
    let edited = edited(change, baselines, live);
    if edited.is_empty() {
        return false;
    }
    let seen = diffs
        .iter()
        .flat_map(|diff| &diff.differences)
        .any(|difference| edited.contains(&difference.element()));
    seen == trusted
}

fn elements(edit: &Edit, baselines: &Baselines, live: &Snapshot) -> Vec<Element> {
    match edit {
        Edit::RuleAdded { rule, .. } => vec![Element::Rule(rule.clone())],
        Edit::RuleRemoved { rule, .. } | Edit::RuleDescribed { rule, .. } => match rule {
            RuleRef::Key(key) => vec![Element::Rule(key.clone())],
            RuleRef::Id(id) => rule_of(id, baselines, live)
                .map(Element::Rule)
                .into_iter()
                .collect(),
        },
        Edit::RuleModified {
            id, traffic, peer, ..
        } => rule_of(id, baselines, live).map_or_else(Vec::new, |old| {
            let new = RuleKey {
                direction: old.direction,
                traffic: *traffic,
                peer: peer.clone(),
            };
            vec![Element::Rule(old), Element::Rule(new)]
        }),
        Edit::EntrySet { key, .. } | Edit::EntryRemoved { key, .. } => vec![Element::Entry(*key)],
        Edit::RouteSet { destination, .. } | Edit::RouteRemoved { destination, .. } => {
            vec![Element::Route(destination.clone())]
        }
        Edit::AclReassociated {
            association,
            new_association,
            ..
        }
        | Edit::TableReassociated {
            association,
            new_association,
            ..
        } => subject_of(association, baselines, live)
            .or_else(|| {
                new_association
                    .as_ref()
                    .and_then(|id| subject_of(id, baselines, live))
            })
            .map(element_of)
            .into_iter()
            .collect(),
        Edit::TableDisassociated { association } => subject_of(association, baselines, live)
            .map(element_of)
            .into_iter()
            .collect(),
        Edit::TableAssociated { subject, .. } => vec![element_of(subject.clone())],
        Edit::PropagationSet { gateway, .. } => vec![Element::Propagation(gateway.clone())],
        Edit::TagSet { key, .. } | Edit::TagRemoved { key, .. } => {
            vec![Element::Tag(key.clone())]
        }
        Edit::Created { .. } => vec![Element::Existence],
        Edit::Deleted { resource } => match resource {
            DeletedRef::Id(_) | DeletedRef::GroupNamed(_) => vec![Element::Existence],
        },
    }
}

fn rule_of(id: &SecurityGroupRuleId, baselines: &Baselines, live: &Snapshot) -> Option<RuleKey> {
    baselines
        .by_id
        .values()
        .find_map(|baseline| baseline.handles.rules.get(id))
        .or_else(|| live.handles.rules.get(id))
        .map(|handle| handle.rule.clone())
}

fn subject_of(
    id: &AssociationId,
    baselines: &Baselines,
    live: &Snapshot,
) -> Option<AssociationSubject> {
    baselines
        .association(id)
        .or_else(|| live.handles.associations.get(id))
        .map(|handle| handle.subject.clone())
}

fn element_of(subject: AssociationSubject) -> Element {
    match subject {
        AssociationSubject::Subnet(subnet) => Element::Subnet(subnet),
        AssociationSubject::Gateway(gateway) => Element::Edge(gateway),
        AssociationSubject::Main(_) => Element::Main,
    }
}
