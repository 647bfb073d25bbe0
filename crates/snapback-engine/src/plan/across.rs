//! Tables and ACLs of one plan together: whose subnets go where, and when each is put right.

use super::association::{self, Move, Moves, Pairs};
use super::draft::Draft;
use super::order::{Next, Order};
use super::proof::search::safe_order;
use super::temporary::room;
use super::waiting::{Waiting, waiting};
use super::{Action, Step, acl, route};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What is planned so far and for what.
pub(super) struct Scene<'a> {
    /// The snapshot that the plan is made for.
    pub(super) found: &'a Snapshot,
    /// The same with what is made again.
    pub(super) live: &'a Snapshot,
    pub(super) goal: &'a BTreeMap<ResourceId, Resource>,
}

impl Scene<'_> {
    /// A safe order of single calls where whole resources stand in each other's way.
    fn interleaved(&self, draft: &Draft, left: &[Step]) -> Option<Vec<Step>> {
        // Resources of another kind change nothing here: what they do together is woven later.
        let kind = left.first()?.resource.kind();
        let done = draft
            .steps
            .iter()
            .filter(|step| step.resource.kind() == kind);
        let done: Vec<Step> = done.cloned().collect();
        let goal = self.goal.iter().filter(|(id, _)| id.kind() == kind);
        let goal = goal
            .map(|(id, wanted)| (id.clone(), wanted.clone()))
            .collect();
        safe_order(self.found, &goal, &done, left)
    }
}

/// The calls on tables: routes and associations. Where tables exchange subnets and their routes change,
/// those who leave wait on a temporary table with the routes that they leave; the plan ends with its removal.
pub(super) fn tables(draft: &mut Draft, scene: &Scene<'_>, pairs: &Pairs<'_, RouteTable>) {
    let live = scene.live;
    let Moves { mut moves, told } = association::table_moves(live, pairs);
    let mut edits: BTreeMap<ResourceId, Draft> = BTreeMap::new();
    for (id, (now, wanted)) in pairs {
        let mut edit = Draft::default();
        let carries = association::carries(live, now, &moves);
        route::routes(&mut edit, (now, wanted), &live.topology, carries);
        draft.notes.append(&mut edit.notes);
        if !edit.steps.is_empty() {
            edits.insert(id.clone(), edit);
        }
    }
    draft.append(told);
    let planned = moves.clone();
    let mut order = Order::new(edits.keys().cloned().collect(), &planned);
    while let Some(next) = order.next() {
        match next {
            Next::Edit(id) => draft.append(edits.remove(&id).unwrap_or_default()),
            Next::Move(index) => draft
                .steps
                .extend(moves.get(index).map(|of| of.step.clone())),
            Next::Stuck(_, leavers) => {
                let (edited, moved) = order.left();
                let steps = edited
                    .iter()
                    .filter_map(|id| edits.get(id))
                    .flat_map(|edit| &edit.steps);
                let moved = moved.iter().filter_map(|index| moves.get(*index));
                let left: Vec<Step> = steps.chain(moved.map(|of| &of.step)).cloned().collect();
                if let Some(found) = scene.interleaved(draft, &left) {
                    draft.steps.extend(found);
                    return;
                }
                let Some((id, way)) = way_out(live, pairs, &order, &moves) else {
                    // The proof tells what this leads astray.
                    order.free(&leavers);
                    continue;
                };
                draft.append(way.draft);
                for (index, there, on) in way.detours {
                    let why = "let a temporary table lead it until its own is right";
                    draft.step(id.clone(), there, why.to_owned());
                    order.free(&[index]);
                    if let Some(of) = moves.get_mut(index) {
                        of.step.action = on;
                    }
                }
            }
        }
    }
}

/// The table whose leavers can wait elsewhere, with the fewest of them.
fn way_out(
    live: &Snapshot,
    pairs: &Pairs<'_, RouteTable>,
    order: &Order<'_>,
    moves: &[Move],
) -> Option<(ResourceId, Waiting)> {
    let (edited, _) = order.left();
    let mut stuck: Vec<(Vec<usize>, &ResourceId)> = edited
        .iter()
        .map(|id| (order.leavers(id), id))
        .filter(|(leavers, _)| !leavers.is_empty())
        .collect();
    stuck.sort_by_key(|(leavers, _)| leavers.len());
    stuck.into_iter().find_map(|(leavers, id)| {
        let (now, _) = pairs.get(id)?;
        Some((id.clone(), waiting(live, now, &leavers, moves)?))
    })
}

/// The calls on ACLs: entries and the subnets they guard. Where ACLs exchange subnets and their
/// entries change, those who leave wait in a temporary ACL with the entries that they leave; the plan
/// ends with its removal.
pub(super) fn acls(draft: &mut Draft, scene: &Scene<'_>, pairs: &Pairs<'_, NetworkAcl>) {
    let live = scene.live;
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
                if let Action::ReplaceNetworkAclAssociation { subnet, .. } = &of.step.action {
                    gone.insert(subnet.clone());
                    draft.steps.push(of.step.clone());
                }
            }
            Next::Stuck(id, leavers) => {
                if let Some(found) = interleaved_acls(draft, scene, pairs, &order, &moves) {
                    draft.steps.extend(found);
                    return;
                }
                order.free(&leavers);
                let Some((now, _)) = pairs.get(&id) else {
                    continue;
                };
                let Some(room) = room(live, now, StandIn::Before) else {
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
            }
        }
    }
}

/// The entries and moves that are left, one call each, in a safe order if there is one.
fn interleaved_acls(
    draft: &Draft,
    scene: &Scene<'_>,
    pairs: &Pairs<'_, NetworkAcl>,
    order: &Order<'_>,
    moves: &[association::Move],
) -> Option<Vec<Step>> {
    let (edited, moved) = order.left();
    let mut left = Draft::default();
    for (now, wanted) in edited.iter().filter_map(|id| pairs.get(id)) {
        acl::plain(&mut left, now, wanted);
    }
    let moved = moved.iter().filter_map(|index| moves.get(*index));
    left.steps.extend(moved.map(|of| of.step.clone()));
    scene.interleaved(draft, &left.steps)
}
