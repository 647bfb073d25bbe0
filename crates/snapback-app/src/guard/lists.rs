//! Prefix lists that a difference names, read before it is judged: whoever may edit a list could
//! otherwise make the guard believe what a capture or sweep once saw (docs/decisions/0007).

use super::look::diffs_of;
use super::{Focus, Matter, Visit};
use crate::port::Scope;
use crate::rights::GuardPorts;
use snapback_engine::change::{Edit, Edits, RuleRef};
use snapback_engine::diff::Difference;
use snapback_model::*;
use std::collections::BTreeSet;

/// The lists that a stranger's event names: they can be read beside the place itself. A trusted
/// change is folded, not judged.
pub(super) fn hinted(matter: &Matter) -> BTreeSet<PrefixListId> {
    let Some(Edits::Known(edits)) = matter.stranger().map(|change| &change.edits) else {
        return BTreeSet::new();
    };
    let lists = edits.iter().filter_map(|edit| match edit {
        Edit::RuleAdded { rule, .. }
        | Edit::RuleRemoved {
            rule: RuleRef::Key(rule),
            ..
        } => of_peer(&rule.peer),
        Edit::RuleModified { peer, .. } => of_peer(peer),
        Edit::RouteSet { destination, .. } | Edit::RouteRemoved { destination, .. } => {
            of_destination(destination)
        }
        _ => None,
    });
    lists.cloned().collect()
}

fn of_peer(peer: &Peer) -> Option<&PrefixListId> {
    match peer {
        Peer::PrefixList(list) => Some(list),
        Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::SecurityGroup { .. } => None,
    }
}

fn of_destination(destination: &Destination) -> Option<&PrefixListId> {
    match destination {
        Destination::PrefixList(list) => Some(list),
        Destination::Ipv4(_) | Destination::Ipv6(_) => None,
    }
}

fn named(difference: &Difference) -> Option<&PrefixListId> {
    match difference {
        Difference::Rule { rule, .. } => of_peer(&rule.peer),
        Difference::Route { destination, .. } => of_destination(destination),
        Difference::Entry { .. }
        | Difference::Propagation { .. }
        | Difference::Association { .. }
        | Difference::Edge { .. }
        | Difference::Main { .. }
        | Difference::Tag { .. }
        | Difference::Deleted { .. }
        | Difference::Unreviewed { .. } => None,
    }
}

impl<P: GuardPorts> Visit<'_, P> {
    /// Reads lists; where that fails, what was seen of them last has to do, and the log says so.
    pub(super) async fn lists(&self, lists: &BTreeSet<PrefixListId>) -> Snapshot {
        let nothing = Snapshot::empty(self.now());
        if lists.is_empty() {
            return nothing;
        }
        let (ports, scope) = (&self.guard.ports, Scope::Lists(lists.clone()));
        match self.pace().retried(|| ports.observe(&scope)).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%error, "prefix lists were not read: judged as they were seen last");
                nothing
            }
        }
    }

    /// What was read of a place, with the lists that its differences name and that were not read yet.
    pub(super) async fn with_lists(
        &self,
        mut live: Snapshot,
        focus: &Focus,
        baselines: &Baselines,
    ) -> Snapshot {
        let diffs = diffs_of(baselines, &live, focus);
        let all = diffs.iter().flat_map(|diff| &diff.differences);
        let known = &live.topology.prefix_lists;
        let lists = all
            .filter_map(named)
            .filter(|list| !known.contains_key(*list));
        let lists: BTreeSet<PrefixListId> = lists.cloned().collect();
        live.merge(self.lists(&lists).await);
        live
    }
}
