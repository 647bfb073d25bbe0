//! Tables and ACLs of one plan together: whose subnets go where, and when each is put right.

use super::association::{self, Moves, Pairs};
use super::draft::Draft;
use super::order::{Next, Order};
use super::{Action, Step, acl, route};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// The calls on tables: routes and associations.
pub(super) fn tables(draft: &mut Draft, live: &Snapshot, pairs: &Pairs<'_, RouteTable>) {
    let Moves { moves, told } = association::table_moves(live, pairs);
    let mut edits: BTreeMap<ResourceId, Draft> = BTreeMap::new();
    for (id, (now, wanted)) in pairs {
        let mut edit = Draft::default();
        route::routes(&mut edit, now, wanted, &live.topology);
        draft.notes.append(&mut edit.notes);
        if !edit.steps.is_empty() {
            edits.insert(id.clone(), edit);
        }
    }
    draft.append(told);
    let mut order = Order::new(edits.keys().cloned().collect(), &moves);
    while let Some(next) = order.next() {
        match next {
            Next::Edit(id) => draft.append(edits.remove(&id).unwrap_or_default()),
            Next::Move(index) => draft
                .steps
                .extend(moves.get(index).map(|of| of.step.clone())),
            // The proof tells what this leads astray.
            Next::Stuck(_, leavers) => order.free(&leavers),
        }
    }
}

/// The calls on ACLs: entries and the subnets they guard. Where ACLs exchange subnets and their
/// entries change, those who leave wait in a temporary ACL with the entries that they leave.
pub(super) fn acls(draft: &mut Draft, live: &Snapshot, pairs: &Pairs<'_, NetworkAcl>) {
    let Moves { mut moves, told } = association::acl_moves(live, pairs);
    draft.append(told);
    let edits = pairs
        .iter()
        .filter(|(_, (now, wanted))| now.entries != wanted.entries)
        .map(|(id, _)| id.clone())
        .collect();
    let planned = moves.clone();
    let mut order = Order::new(edits, &planned);
    let mut gone: BTreeSet<SubnetId> = BTreeSet::new();
    let mut waiting: BTreeMap<NetworkAclId, (ResourceId, usize)> = BTreeMap::new();
    while let Some(next) = order.next() {
        match next {
            Next::Edit(id) => {
                if let Some((now, wanted)) = pairs.get(&id) {
                    let guarded = now.subnets.difference(&gone).cloned().collect();
                    acl::entries(draft, live, now, wanted, &guarded);
                }
            }
            Next::Move(index) => {
                let Some(of) = moves.get(index) else {
                    continue;
                };
                if let Action::ReplaceNetworkAclAssociation { subnet, from, .. } = &of.step.action {
                    gone.insert(subnet.clone());
                    draft.steps.push(of.step.clone());
                    leave(draft, &mut waiting, from.as_ref());
                }
            }
            Next::Stuck(id, leavers) => {
                order.free(&leavers);
                let Some((now, _)) = pairs.get(&id) else {
                    continue;
                };
                let Some(room) = acl::temporary(live, now, "acl-left") else {
                    // The proof tells what this cuts.
                    continue;
                };
                let temporary = room.acl.clone();
                draft.append(room.draft);
                for index in &leavers {
                    let Some(Step { action, .. }) = moves.get_mut(*index).map(|of| &mut of.step)
                    else {
                        continue;
                    };
                    if let Action::ReplaceNetworkAclAssociation { subnet, from, .. } = action {
                        let call = Action::ReplaceNetworkAclAssociation {
                            subnet: subnet.clone(),
                            from: from.clone(),
                            acl: temporary.clone(),
                        };
                        *from = Some(temporary.clone());
                        gone.insert(subnet.clone());
                        let why = format!("let it guard {subnet} until its own ACL is right");
                        draft.step(id.clone(), call, why);
                    }
                }
                waiting.insert(temporary, (id, leavers.len()));
            }
        }
    }
}

/// Removes a temporary ACL when the last one has left it.
fn leave(
    draft: &mut Draft,
    waiting: &mut BTreeMap<NetworkAclId, (ResourceId, usize)>,
    from: Option<&NetworkAclId>,
) {
    let Some(acl) = from else {
        return;
    };
    let Some((id, left)) = waiting.get_mut(acl) else {
        return;
    };
    *left = left.saturating_sub(1);
    if *left == 0 {
        let (id, action) = (id.clone(), Action::DeleteNetworkAcl { acl: acl.clone() });
        waiting.remove(acl);
        draft.step(id, action, "remove the temporary ACL");
    }
}
