//! The calls on ACLs and those on groups in one order, so that together they open nothing
//! (design.md 3, semantics C4).
//!
//! Each of the two lists keeps its own order, in which it is safe by itself; only how they are woven is
//! chosen. The states that the weave may pass through are the cells of a grid (so many calls on groups,
//! so many on ACLs); a cell in which some interface lets pass what it does at neither end is bad, and
//! the way with the fewest bad cells is taken. Among equals the ACL goes first.

use super::proof::behind::{Danger, dangers, filters};
use super::proof::reduced::reduced;
use super::{Action, Step, apply};
use snapback_model::*;
use snapback_reach::PacketSet;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Cells that are looked at, over all interfaces. Where there are more, ACLs go first: the proof of
/// the plan tells what that opens.
const CELLS_MAX: usize = 50_000;

/// `acls` and `groups` in one list, to be made after `done`.
pub(super) fn woven(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    done: &[Step],
    acls: Vec<Step>,
    groups: Vec<Step>,
) -> Vec<Step> {
    let all: Vec<Step> = [done, &acls, &groups].concat();
    let dangers = dangers(live, goal, &all);
    let cells = acls
        .len()
        .saturating_add(1)
        .saturating_mul(groups.len().saturating_add(1));
    if dangers.is_empty() || cells.saturating_mul(dangers.len()) > CELLS_MAX {
        return acls.into_iter().chain(groups).collect();
    }
    let mut start = reduced(live, goal, &all);
    for step in done {
        // A refusal is told with the finished plan.
        let _told = apply(&step.action, &mut start);
    }
    let by_acl = states(&start, &acls, &dangers, |danger, state, action| {
        let heard = action.is_none_or(filters);
        heard.then(|| danger.by_acl(state, live))
    });
    let by_groups = states(&start, &groups, &dangers, |danger, state, action| {
        let heard = action.is_none_or(|action| danger.hears_groups(action));
        heard.then(|| danger.by_groups(state, live))
    });
    let grid = Grid::of(&by_groups, &by_acl);
    let mut woven = Vec::with_capacity(acls.len().saturating_add(groups.len()));
    let (mut acls, mut groups) = (acls.into_iter().rev(), groups.into_iter().rev());
    for is_acl in grid.backwards() {
        woven.extend(if is_acl { acls.next() } else { groups.next() });
    }
    woven.reverse();
    woven
}

/// What passes before the first step and after each, one set for each danger; `of` gives nothing where
/// a step changes nothing.
fn states(
    start: &Snapshot,
    steps: &[Step],
    dangers: &[Danger],
    of: impl Fn(&Danger, &Snapshot, Option<&Action>) -> Option<PacketSet>,
) -> Vec<Vec<Rc<PacketSet>>> {
    let mut state = start.clone();
    let first = dangers.iter().map(|danger| {
        let set = of(danger, &state, None);
        Rc::new(set.unwrap_or_default())
    });
    let mut now: Vec<Rc<PacketSet>> = first.collect();
    let mut all = vec![now.clone()];
    for Step { action, .. } in steps {
        let _told = apply(action, &mut state);
        for (danger, now) in dangers.iter().zip(&mut now) {
            if let Some(set) = of(danger, &state, Some(action)) {
                *now = Rc::new(set);
            }
        }
        all.push(now.clone());
    }
    all
}

/// The number of bad cells on the best way to each cell: a row for each number of calls on groups.
struct Grid(Vec<Vec<usize>>);

impl Grid {
    fn of(by_groups: &[Vec<Rc<PacketSet>>], by_acl: &[Vec<Rc<PacketSet>>]) -> Self {
        let mut rows: Vec<Vec<usize>> = Vec::with_capacity(by_groups.len());
        for groups in by_groups {
            let mut row: Vec<usize> = Vec::with_capacity(by_acl.len());
            for (index, acls) in by_acl.iter().enumerate() {
                let above = rows.last().and_then(|row| row.get(index)).copied();
                let behind = row.last().copied();
                let before = above.into_iter().chain(behind).min().unwrap_or(0);
                let bad = groups
                    .iter()
                    .zip(acls)
                    .any(|(one, other)| one.intersects(other));
                row.push(before.saturating_add(usize::from(bad)));
            }
            rows.push(row);
        }
        Self(rows)
    }

    fn at(&self, groups: Option<usize>, acls: Option<usize>) -> usize {
        let row = groups.and_then(|groups| self.0.get(groups));
        row.zip(acls)
            .and_then(|(row, acls)| row.get(acls))
            .copied()
            .unwrap_or(usize::MAX)
    }

    /// The best way from the end to the start: whether the call before is one on an ACL.
    fn backwards(&self) -> Vec<bool> {
        let mut groups = self.0.len().saturating_sub(1);
        let mut acls = self.0.first().map_or(0, |row| row.len().saturating_sub(1));
        let mut way = Vec::new();
        while groups > 0 || acls > 0 {
            let without_group = self.at(groups.checked_sub(1), Some(acls));
            let without_acl = self.at(Some(groups), acls.checked_sub(1));
            let is_acl = acls > 0 && without_acl < without_group || groups == 0;
            if is_acl {
                acls = acls.saturating_sub(1);
            } else {
                groups = groups.saturating_sub(1);
            }
            way.push(is_acl);
        }
        way
    }
}
