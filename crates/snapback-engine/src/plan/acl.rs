//! Entries of one ACL (semantics C2, design.md 3): single calls in place, in an order that the packet
//! algebra has checked; where there is none, or it needs more calls, by a shadow of the goal that
//! guards the subnets while the ACL is rewritten.

use super::Action;
use super::acl_path::{Edit, Path, path, rewrite};
use super::draft::Draft;
use super::temporary::{Room, room};
use snapback_model::*;
use std::collections::BTreeSet;

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// Appends the calls that make the entries of `live` what `goal` says, while it guards `guarded`. The
/// directions are lists of their own; both are put right in one plan.
pub(super) fn entries(
    draft: &mut Draft,
    snapshot: &Snapshot,
    live: &NetworkAcl,
    goal: &NetworkAcl,
    guarded: &BTreeSet<SubnetId>,
) {
    if guarded.is_empty() {
        // It decides no packet: any order will do, and no call more than the differences.
        plain(draft, live, goal);
        return;
    }
    let paths = DIRECTIONS.map(|direction| path(live, goal, direction));
    let in_place = paths
        .iter()
        .fold(0, |sum: usize, path| sum.saturating_add(path.edits.len()));
    let is_safe = paths.iter().all(|path| path.safe);
    if let Some((shadow, calls)) = shadow(snapshot, live, goal, guarded)
        && (!is_safe || calls < in_place)
    {
        draft.append(shadow);
        return;
    }
    for Path { edits, .. } in paths {
        append(draft, &live.id, goal, edits);
    }
}

/// The entries that differ, one call each, in any order that EC2 takes.
pub(super) fn plain(draft: &mut Draft, live: &NetworkAcl, goal: &NetworkAcl) {
    for direction in DIRECTIONS {
        append(draft, &live.id, goal, rewrite(live, goal, direction));
    }
}

fn append(draft: &mut Draft, acl: &NetworkAclId, goal: &NetworkAcl, edits: Vec<Edit>) {
    for edit in edits {
        let (action, why) = call(acl, goal, edit);
        draft.step(acl.clone(), action, why);
    }
}

/// The shadow swap: a temporary ACL equal to the goal takes the subnets, one call each without a gap,
/// the ACL is rewritten while it guards nothing, the subnets come back; with the number of calls, the
/// removal at the end of the plan included. Nothing where a subnet is not to stay, or there can be no
/// such ACL.
fn shadow(
    snapshot: &Snapshot,
    live: &NetworkAcl,
    goal: &NetworkAcl,
    guarded: &BTreeSet<SubnetId>,
) -> Option<(Draft, usize)> {
    if !guarded.is_subset(&goal.subnets) {
        return None;
    }
    let Room {
        acl: shadow,
        mut draft,
        is_new,
    } = room(snapshot, goal, StandIn::Goal)?;
    let shift = |draft: &mut Draft, from: &NetworkAclId, to: &NetworkAclId, words: &str| {
        for subnet in guarded {
            let action = Action::ReplaceNetworkAclAssociation {
                subnet: subnet.clone(),
                from: Some(from.clone()),
                acl: to.clone(),
            };
            draft.step(live.id.clone(), action, format!("{words} {subnet}"));
        }
    };
    shift(&mut draft, &live.id, &shadow, "let it guard");
    plain(&mut draft, live, goal);
    shift(&mut draft, &shadow, &live.id, "move back");
    let calls = draft.steps.len().saturating_add(usize::from(is_new));
    Some((draft, calls))
}

fn call(acl: &NetworkAclId, goal: &NetworkAcl, edit: Edit) -> (Action, String) {
    let acl = acl.clone();
    match edit {
        Edit::Replace { key, from, entry } => {
            let approved = goal.entries.get(&key) == Some(&entry);
            let why = if approved {
                format!("put back {key}: {entry}, it is {from}")
            } else {
                format!("for the time of the repair only, make {key}: {entry}, it is {from}")
            };
            let action = Action::ReplaceNetworkAclEntry {
                acl,
                key,
                from,
                entry,
            };
            (action, why)
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
