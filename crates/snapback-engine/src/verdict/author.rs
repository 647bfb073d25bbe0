//! Who made a difference, where the event that led here tells.

use super::judge::Bench;
use crate::change::{Edit, Edits, GroupRef, RuleRef};
use crate::diff::{Difference, ResourceDiff};
use snapback_model::*;

impl Bench<'_> {
    /// Who made it, where the event that led here names this element.
    pub(super) fn made_by(&self, diff: &ResourceDiff, difference: &Difference) -> Option<String> {
        let change = self.change?;
        let Edits::Known(edits) = &change.edits else {
            return None;
        };
        let element = difference.element();
        let named = edits
            .iter()
            .any(|edit| self.names(edit, &diff.resource, &element));
        named.then(|| {
            format!(
                "{} by {:?} at {} made it, who is not trusted to",
                change.api, change.actor.principal, change.at
            )
        })
    }

    fn names(&self, edit: &Edit, resource: &ResourceId, element: &Element) -> bool {
        let group = |named: &GroupRef| match named {
            GroupRef::Id(id) => resource.as_str() == id.as_str(),
            GroupRef::Name(name) => matches!(
                self.baselines.state(resource),
                Some(Resource::SecurityGroup(group)) if group.name.as_ref() == Some(name)
            ),
        };
        let rule = |named: &RuleRef| match (named, element) {
            (RuleRef::Key(key), Element::Rule(rule)) => key == rule,
            (RuleRef::Id(id), Element::Rule(rule)) => self.is_rule(id, rule),
            _ => false,
        };
        let table = |id: &RouteTableId| resource.as_str() == id.as_str();
        let acl = |id: &NetworkAclId| resource.as_str() == id.as_str();
        let subject = |id: &AssociationId| {
            let handle = self
                .baselines
                .association(id)
                .or_else(|| self.live.handles.associations.get(id));
            handle.is_some_and(|handle| match (&handle.subject, element) {
                (AssociationSubject::Subnet(subnet), Element::Subnet(moved)) => subnet == moved,
                (AssociationSubject::Gateway(gateway), Element::Edge(moved)) => gateway == moved,
                (AssociationSubject::Main(_), Element::Main) => true,
                _ => false,
            } && handle.resource.kind() == resource.kind())
        };
        match edit {
            Edit::RuleAdded {
                group: named, rule, ..
            } => group(named) && *element == Element::Rule(rule.clone()),
            Edit::RuleRemoved {
                group: named,
                rule: gone,
            } => group(named) && rule(gone),
            Edit::RuleDescribed {
                group: named,
                rule: told,
                ..
            } => group(named) && rule(told),
            Edit::RuleModified {
                group: named, id, ..
            } => group(named) && rule(&RuleRef::Id(id.clone())),
            Edit::EntrySet { acl: id, key, .. } | Edit::EntryRemoved { acl: id, key } => {
                acl(id) && *element == Element::Entry(*key)
            }
            Edit::RouteSet {
                table: id,
                destination,
                ..
            }
            | Edit::RouteRemoved {
                table: id,
                destination,
            } => table(id) && *element == Element::Route(destination.clone()),
            Edit::PropagationSet {
                table: id, gateway, ..
            } => table(id) && *element == Element::Propagation(gateway.clone()),
            Edit::AclReassociated { association, .. }
            | Edit::TableReassociated { association, .. }
            | Edit::TableDisassociated { association } => subject(association),
            Edit::TableAssociated {
                table: id, subject, ..
            } => match subject {
                AssociationSubject::Subnet(subnet) => {
                    resource.kind() == Kind::RouteTable
                        && *element == Element::Subnet(subnet.clone())
                }
                AssociationSubject::Gateway(gateway) => {
                    table(id) && *element == Element::Edge(gateway.clone())
                }
                AssociationSubject::Main(_) => false,
            },
            Edit::TagSet {
                resource: id, key, ..
            }
            | Edit::TagRemoved {
                resource: id, key, ..
            } => id == resource && *element == Element::Tag(key.clone()),
            Edit::Created { .. } | Edit::Deleted { .. } => *element == Element::Existence,
        }
    }

    fn is_rule(&self, id: &SecurityGroupRuleId, rule: &RuleKey) -> bool {
        let known = self
            .baselines
            .by_id
            .values()
            .map(|baseline| &baseline.handles);
        known
            .chain([&self.live.handles])
            .filter_map(|handles| handles.rules.get(id))
            .any(|handle| handle.rule == *rule)
    }
}
