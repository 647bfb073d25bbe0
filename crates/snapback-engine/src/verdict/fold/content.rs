//! What one element of a resource is after an edit: read from the edit, found in a state, put into one.

use crate::change::Edit;
use snapback_model::*;

/// The content that an edit gave one element.
#[derive(Clone)]
pub(super) enum Content {
    /// A rule, or its absence.
    Rule(Option<RuleDetail>),
    /// The description of a rule that is there.
    RuleText(Option<String>),
    /// An entry, or its absence.
    Entry(Option<NetworkAclEntry>),
    /// A route's target, or no route.
    Route(Option<RouteTarget>),
    /// A route as it was, whose target was deleted.
    Nowhere,
    /// Propagation on or off.
    Propagation(bool),
    /// A tag's value, or no tag.
    Tag(Option<String>),
}

/// An empty description is none.
pub(super) fn told(description: Option<&String>) -> Option<String> {
    description.filter(|text| !text.is_empty()).cloned()
}

/// The element and content of an edit that names its resource and element itself.
pub(super) fn plain(edit: &Edit) -> Option<(ResourceId, Element, Content)> {
    Some(match edit {
        Edit::EntrySet { acl, key, entry } => {
            let content = Content::Entry(Some(entry.clone()));
            (acl.clone().into(), Element::Entry(*key), content)
        }
        Edit::EntryRemoved { acl, key } => (
            acl.clone().into(),
            Element::Entry(*key),
            Content::Entry(None),
        ),
        Edit::RouteSet {
            table,
            destination,
            target,
        } => {
            let content = Content::Route(Some(target.clone()));
            (
                table.clone().into(),
                Element::Route(destination.clone()),
                content,
            )
        }
        Edit::RouteRemoved { table, destination } => (
            table.clone().into(),
            Element::Route(destination.clone()),
            Content::Route(None),
        ),
        Edit::PropagationSet {
            table,
            gateway,
            enabled,
        } => {
            let content = Content::Propagation(*enabled);
            (
                table.clone().into(),
                Element::Propagation(gateway.clone()),
                content,
            )
        }
        Edit::TagSet {
            resource,
            key,
            value,
        } => (
            resource.clone(),
            Element::Tag(key.clone()),
            Content::Tag(Some(value.clone())),
        ),
        _ => return None,
    })
}

/// Whether a state shows an element as an edit made it.
pub(super) fn shows(found: &Resource, element: &Element, content: &Content) -> bool {
    match (found, element, content) {
        (Resource::SecurityGroup(group), Element::Rule(rule), Content::Rule(made)) => {
            let description = |detail: &RuleDetail| detail.description.clone();
            group.rules.get(rule).map(description) == made.as_ref().map(description)
        }
        (Resource::SecurityGroup(group), Element::Rule(rule), Content::RuleText(text)) => group
            .rules
            .get(rule)
            .is_some_and(|detail| detail.description == *text),
        (Resource::NetworkAcl(acl), Element::Entry(key), Content::Entry(made)) => {
            acl.entries.get(key) == made.as_ref()
        }
        (Resource::RouteTable(table), Element::Route(destination), Content::Route(made)) => {
            let route = table
                .routes
                .get(destination)
                .filter(|route| route.origin != RouteOrigin::Propagated);
            route.map(|route| &route.target) == made.as_ref()
        }
        (Resource::RouteTable(table), Element::Route(destination), Content::Nowhere) => table
            .routes
            .get(destination)
            .is_some_and(|route| route.blackhole),
        (Resource::RouteTable(table), Element::Propagation(gateway), Content::Propagation(on)) => {
            table.propagating.contains(gateway) == *on
        }
        (_, Element::Tag(key), Content::Tag(value)) => found
            .tags()
            .is_some_and(|tags| tags.get(key) == value.as_ref()),
        (_, _, _) => false,
    }
}

/// Puts the content of an element into a state. False where a description has no rule to stand on.
pub(super) fn put(state: Option<&mut Resource>, element: &Element, content: Content) -> bool {
    match (state, element, content) {
        (Some(Resource::SecurityGroup(group)), Element::Rule(rule), Content::Rule(made)) => {
            match made {
                Some(detail) => group.rules.insert(rule.clone(), detail),
                None => group.rules.remove(rule),
            };
        }
        (Some(Resource::SecurityGroup(group)), Element::Rule(rule), Content::RuleText(text)) => {
            match group.rules.get_mut(rule) {
                Some(detail) => detail.description = text,
                None => return false,
            }
        }
        (Some(Resource::NetworkAcl(acl)), Element::Entry(key), Content::Entry(made)) => {
            match made {
                Some(entry) => acl.entries.insert(*key, entry),
                None => acl.entries.remove(key),
            };
        }
        (Some(Resource::RouteTable(table)), Element::Route(destination), Content::Route(made)) => {
            let was = table.routes.get(destination).map(|route| route.origin);
            match made {
                Some(target) => {
                    let mut route = Route::created(target);
                    // The local route stays the table's own wherever it leads (semantics A4).
                    if was == Some(RouteOrigin::Table) || route.target == RouteTarget::Local {
                        route.origin = RouteOrigin::Table;
                    }
                    table.routes.insert(destination.clone(), route);
                }
                None if was != Some(RouteOrigin::Propagated) => {
                    table.routes.remove(destination);
                }
                None => {}
            }
        }
        (Some(Resource::RouteTable(table)), Element::Route(destination), Content::Nowhere) => {
            if let Some(route) = table.routes.get_mut(destination) {
                route.blackhole = true;
            }
        }
        (
            Some(Resource::RouteTable(table)),
            Element::Propagation(gateway),
            Content::Propagation(on),
        ) => {
            if on {
                table.propagating.insert(gateway.clone());
            } else {
                table.propagating.remove(gateway);
            }
        }
        (Some(state), Element::Tag(key), Content::Tag(value)) => {
            // Tags that nobody read are not known by one of them.
            let tags = match state {
                Resource::SecurityGroup(group) => group.tags.as_mut(),
                Resource::NetworkAcl(acl) => Some(&mut acl.tags),
                Resource::RouteTable(table) => Some(&mut table.tags),
            };
            match (tags, value) {
                (Some(tags), Some(value)) => drop(tags.insert(key.clone(), value)),
                (Some(tags), None) => drop(tags.remove(key)),
                (None, _) => {}
            }
        }
        (_, _, _) => {}
    }
    true
}
