//! Entries of one ACL (semantics C2, design.md 3): single calls in place, in an order that the packet
//! algebra has checked; where there is none, or it needs more calls, by a shadow of the goal that
//! guards the subnets while the ACL is rewritten.

use super::acl_path::{Edit, Path, path, rewrite};
use super::draft::Draft;
use super::{Action, SUCCESSOR_OF};
use snapback_model::*;
use std::collections::BTreeSet;

/// ACLs of one VPC unless the quota was raised (semantics A3).
const ACLS_MAX: usize = 200;
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
    if let Some(shadow) = shadow(snapshot, live, goal, guarded)
        && (!is_safe || shadow.steps.len() < in_place)
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

/// A temporary ACL and the calls that make it.
pub(super) struct Temporary {
    pub(super) acl: NetworkAclId,
    pub(super) draft: Draft,
}

/// A temporary ACL with the entries of `of`; nothing where the quota of ACLs is known to be full.
/// `kind` begins its made-up name.
pub(super) fn temporary(snapshot: &Snapshot, of: &NetworkAcl, kind: &str) -> Option<Temporary> {
    let siblings = snapshot
        .resources
        .values()
        .filter(|other| matches!(other, Resource::NetworkAcl(acl) if acl.vpc == of.vpc));
    if siblings.count() >= ACLS_MAX {
        return None;
    }
    let id = of.id.as_str();
    let name = id.strip_prefix("acl-").unwrap_or(id);
    let acl = NetworkAclId::new(format!("{kind}-of-{name}"));
    let mut draft = Draft::default();
    let create = Action::CreateNetworkAcl {
        acl: acl.clone(),
        vpc: of.vpc.clone(),
        tags: Tags::from([
            (SUCCESSOR_OF.to_owned(), acl.to_string()),
            (
                "Name".to_owned(),
                format!("snapback: while {id} is repaired"),
            ),
        ]),
        token: None,
    };
    let why = format!("make a temporary ACL to guard the subnets of {id} meanwhile");
    draft.step(of.id.clone(), create, why);
    for (key, entry) in &of.entries {
        let action = Action::CreateNetworkAclEntry {
            acl: acl.clone(),
            key: *key,
            entry: entry.clone(),
        };
        draft.step(of.id.clone(), action, format!("give it {key}: {entry}"));
    }
    Some(Temporary { acl, draft })
}

/// The shadow swap: a temporary ACL equal to the goal takes the subnets, one call each without a gap,
/// the ACL is rewritten while it guards nothing, the subnets come back. Nothing where a subnet is not
/// to stay, or the quota of ACLs is known to be full.
fn shadow(
    snapshot: &Snapshot,
    live: &NetworkAcl,
    goal: &NetworkAcl,
    guarded: &BTreeSet<SubnetId>,
) -> Option<Draft> {
    if !guarded.is_subset(&goal.subnets) {
        return None;
    }
    let Temporary {
        acl: shadow,
        mut draft,
    } = temporary(snapshot, goal, "acl-shadow")?;
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
    let remove = Action::DeleteNetworkAcl {
        acl: shadow.clone(),
    };
    draft.step(live.id.clone(), remove, "remove the temporary ACL");
    Some(draft)
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
