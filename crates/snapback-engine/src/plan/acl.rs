//! Entries of one ACL (semantics C2, design.md 3): single calls in place, in an order that the packet
//! algebra has checked.

use super::Action;
use super::acl_path::{Edit, path};
use super::draft::Draft;
use snapback_model::*;

/// Appends the calls that make the entries of `live` what `goal` says. The directions are lists of
/// their own; both are put right in one plan.
pub(super) fn entries(draft: &mut Draft, live: &NetworkAcl, goal: &NetworkAcl) {
    for direction in [Direction::Ingress, Direction::Egress] {
        for edit in path(live, goal, direction) {
            let (action, why) = call(&live.id, goal, edit);
            draft.step(live.id.clone(), action, why);
        }
    }
}

fn call(acl: &NetworkAclId, goal: &NetworkAcl, edit: Edit) -> (Action, String) {
    let acl = acl.clone();
    match edit {
        Edit::Replace { key, from, entry } => {
            let why = format!("put back {key}: {entry}, it is {from}");
            (
                Action::ReplaceNetworkAclEntry {
                    acl,
                    key,
                    from,
                    entry,
                },
                why,
            )
        }
        Edit::Delete { key, entry } => {
            let why = format!("take away {key}: {entry}");
            (Action::DeleteNetworkAclEntry { acl, key, entry }, why)
        }
        Edit::Create { key, entry } => {
            let approved = goal.entries.get(&key) == Some(&entry);
            let when = if approved {
                "put back"
            } else {
                "for the time of the repair only, add"
            };
            let why = format!("{when} {key}: {entry}");
            (Action::CreateNetworkAclEntry { acl, key, entry }, why)
        }
    }
}
