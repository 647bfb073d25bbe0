//! States of which parts were made again: who took whose place.
//!
//! - Owns: reading the successor tags of a state, the state under the ids of before.
//! - Takes: states by id.
//! - Gives: what a story or a test compares with the state of before.
//! - Must not: ask Snapback.

use snapback_model::*;
use std::collections::BTreeMap;

/// Everything that was made in the place of another by its tags: the old id, the new one.
pub fn successors(state: &BTreeMap<ResourceId, Resource>) -> Vec<(String, ResourceId)> {
    let named = |resource: &Resource| resource.tags()?.get(SUCCESSOR_OF).cloned();
    let found = state
        .values()
        .filter_map(|resource| Some((named(resource)?, resource.id())));
    found.collect()
}

/// A state under the old ids, without the tags that tell the successor.
pub fn under_old_ids(state: &BTreeMap<ResourceId, Resource>) -> BTreeMap<ResourceId, Resource> {
    let mut back = Lineage::default();
    for (old, new) in successors(state) {
        back.record(new.as_str(), &old);
    }
    let plain = |resource: &Resource| {
        let mut resource = resource.renamed(&back);
        let tags = match &mut resource {
            Resource::SecurityGroup(group) => group.tags.as_mut(),
            Resource::NetworkAcl(acl) => Some(&mut acl.tags),
            Resource::RouteTable(table) => Some(&mut table.tags),
        };
        if let Some(tags) = tags {
            tags.retain(|key, _| !is_lineage_tag(key));
        }
        (resource.id(), resource)
    };
    state.values().map(plain).collect()
}
