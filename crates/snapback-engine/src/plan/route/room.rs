//! Room in a full table (semantics A4, C3): which foreign routes go before approved ones are written.
//!
//! A search for an order in which the table never holds more than it may, and every address leads at
//! every moment where live or the goal leads it. Where there is none, or it is not found soon, the
//! least specific foreign routes make room, and the proof of the plan tells what that leads astray.

use super::super::quota::{cost, routes};
use super::{Delete, Set};
use crate::plan::Action;
use snapback_model::*;
use snapback_reach::{NextHops, next_hops};
use std::collections::BTreeSet;

/// States that are looked at; each is a walk through three tables.
const CHECKS_MAX: u32 = 400;

/// One of the calls, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// An approved route is written.
    Set(usize),
    /// A foreign route goes.
    Delete(usize),
}

/// The search.
struct Search<'a> {
    sets: &'a [Set],
    deletes: &'a [Delete],
    topology: &'a Topology,
    live: NextHops,
    goal: NextHops,
    most: [usize; 2],
    dead: BTreeSet<BTreeSet<Turn>>,
    checks_left: u32,
    order: Vec<Turn>,
}

/// The order of the calls until the last of `sets` is made; foreign routes that are not in it go
/// after. A table holds `quota` routes of a family, or more where an end shows that it was raised.
pub(super) fn order(
    (live, goal): (&RouteTable, &RouteTable),
    sets: &[Set],
    deletes: &[Delete],
    topology: &Topology,
    quota: usize,
) -> Vec<Turn> {
    let most = sums(routes(live, topology), routes(goal, topology), usize::max);
    let most = most.map(|most| most.max(quota));
    let written = || (0..sets.len()).map(Turn::Set);
    let created = sets.iter().filter_map(|set| match &set.action {
        Action::CreateRoute { destination, .. } => Some(cost(destination, topology)),
        _ => None,
    });
    let peak = created.fold(routes(live, topology), |peak, more| {
        sums(peak, more, usize::saturating_add)
    });
    if fits(peak, most) {
        return written().collect();
    }
    let mut search = Search {
        sets,
        deletes,
        topology,
        live: next_hops(live, topology),
        goal: next_hops(goal, topology),
        most,
        dead: BTreeSet::new(),
        checks_left: CHECKS_MAX,
        order: Vec::new(),
    };
    let left: BTreeSet<Turn> = written()
        .chain((0..deletes.len()).map(Turn::Delete))
        .collect();
    if search.descend(live, &left) {
        return search.order;
    }
    search.forced(live)
}

fn sums(one: [usize; 2], other: [usize; 2], sum: fn(usize, usize) -> usize) -> [usize; 2] {
    let ([v4, v6], [other4, other6]) = (one, other);
    [sum(v4, other4), sum(v6, other6)]
}

fn fits(holds: [usize; 2], most: [usize; 2]) -> bool {
    holds
        .into_iter()
        .zip(most)
        .all(|(holds, most)| holds <= most)
}

impl Search<'_> {
    /// Whether the sets that are left can be made, in the order that is found. Approved routes are
    /// tried first, most specific first, then foreign ones, least specific first.
    fn descend(&mut self, now: &RouteTable, left: &BTreeSet<Turn>) -> bool {
        if !left.iter().any(|turn| matches!(turn, Turn::Set(_))) {
            return true;
        }
        for turn in left {
            let after = self.after(now, *turn);
            if !fits(routes(&after, self.topology), self.most) {
                continue;
            }
            let mut rest = left.clone();
            rest.remove(turn);
            if self.dead.contains(&rest) {
                continue;
            }
            if self.checks_left == 0 {
                return false;
            }
            self.checks_left = self.checks_left.saturating_sub(1);
            let hops = next_hops(&after, self.topology);
            if hops.strays_from(&self.live, &self.goal).is_none() {
                self.order.push(*turn);
                if self.descend(&after, &rest) {
                    return true;
                }
                self.order.pop();
            }
            self.dead.insert(rest);
        }
        false
    }

    /// The order in which the least specific foreign routes make room.
    fn forced(&self, live: &RouteTable) -> Vec<Turn> {
        let mut now = live.clone();
        let mut order = Vec::new();
        let mut deletes: BTreeSet<usize> = (0..self.deletes.len()).collect();
        for set in (0..self.sets.len()).map(Turn::Set) {
            let mut after = self.after(&now, set);
            // Where nothing foreign is left to go, EC2 has the last word.
            while let Some(gone) = self.in_the_way(&after, &deletes) {
                deletes.remove(&gone);
                order.push(Turn::Delete(gone));
                now = self.after(&now, Turn::Delete(gone));
                after = self.after(&now, set);
            }
            order.push(set);
            now = after;
        }
        order
    }

    /// The first foreign route of a family in which a table holds too much.
    fn in_the_way(&self, table: &RouteTable, deletes: &BTreeSet<usize>) -> Option<usize> {
        let holds = routes(table, self.topology).into_iter();
        let family = holds
            .zip(self.most)
            .position(|(holds, most)| holds > most)?;
        let helps = |index: &usize| {
            let delete = self.deletes.get(*index)?;
            let cost = cost(&delete.destination, self.topology);
            cost.get(family).copied().filter(|cost| *cost > 0)
        };
        deletes.iter().copied().find(|index| helps(index).is_some())
    }

    fn after(&self, now: &RouteTable, turn: Turn) -> RouteTable {
        let mut after = now.clone();
        match turn {
            Turn::Set(index) => {
                if let Some(set) = self.sets.get(index) {
                    write(&mut after, &set.action);
                }
            }
            Turn::Delete(index) => {
                if let Some(delete) = self.deletes.get(index) {
                    after.routes.remove(&delete.destination);
                }
            }
        }
        after
    }
}

fn write(table: &mut RouteTable, action: &Action) {
    match action {
        Action::CreateRoute {
            destination,
            target,
            ..
        } => {
            let route = Route::created(target.clone());
            table.routes.insert(destination.clone(), route);
        }
        Action::ReplaceRoute {
            destination,
            target,
            ..
        } => {
            if let Some(route) = table.routes.get_mut(destination) {
                route.target = target.clone();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
