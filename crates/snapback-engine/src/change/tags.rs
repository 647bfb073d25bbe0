//! CreateTags and DeleteTags of guarded resources (cloudtrail-shapes.md 2, the flat style). No rule of
//! the event bus brings them: every tag of every resource of the account would wake the guard. Where a
//! tag differs the sweep fetches them from the history, so that it is known who did it.

use super::params::Node;
use super::reading::Reading;
use super::{Edit, Touched};
use crate::event::Record;
use snapback_model::ResourceId;

/// What the call did to guarded resources; `None` where it named none, or does not tell.
pub(super) fn retagged(record: &Record) -> Option<Reading> {
    let sets = match record.name.as_str() {
        "CreateTags" => true,
        "DeleteTags" => false,
        _ => return None,
    };
    let request = Node::new(&record.request_parameters);
    let named = request.get("resourcesSet").list().into_iter();
    let resources: Vec<ResourceId> = named
        .filter_map(|one| one.get("resourceId").text()?.parse().ok())
        .collect();
    let tags: Vec<(String, Option<String>)> = request
        .get("tagSet")
        .list()
        .into_iter()
        .filter_map(|tag| Some((tag.get("key").text()?, tag.get("value").text())))
        .collect();
    let edits = resources.iter().flat_map(|resource| {
        tags.iter().map(move |(key, value)| match sets {
            true => Edit::TagSet {
                resource: resource.clone(),
                key: key.clone(),
                value: value.clone().unwrap_or_default(),
            },
            false => Edit::TagRemoved {
                resource: resource.clone(),
                key: key.clone(),
                value: value.clone(),
            },
        })
    });
    let edits: Vec<Edit> = edits.collect();
    let touched = resources.iter().cloned().map(Touched::Resource);
    (!edits.is_empty()).then(|| Reading::known(touched, edits))
}
