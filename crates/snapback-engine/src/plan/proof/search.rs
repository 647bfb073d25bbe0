//! An order of given calls in which every state is safe, found by search.

use super::super::{Step, quota};
use super::Proof;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// States that are looked at.
const CHECKS_MAX: u32 = 600;

/// An order of `left`, made after `done`, in which every state keeps the bounds; `None` where the
/// search found none.
pub(in crate::plan) fn safe_order(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    done: &[Step],
    left: &[Step],
) -> Option<Vec<Step>> {
    if u32::try_from(left.len()).is_ok_and(|count| count >= u128::BITS) {
        return None;
    }
    let all: Vec<Step> = done.iter().chain(left).cloned().collect();
    let mut start = Proof::new(live, goal, &all);
    for step in done {
        start.step(&step.action).ok()?;
    }
    let mut search = Search {
        steps: left,
        dead: BTreeSet::new(),
        checks_left: CHECKS_MAX,
        order: Vec::new(),
    };
    search.descend(&start, 0).then_some(search.order)
}

fn is_over_quota(state: &Proof<'_>, id: &ResourceId) -> bool {
    let ends = [state.live.resources.get(id), state.goal.get(id)];
    let now = state.state.resources.get(id);
    now.is_some_and(|now| quota::is_over(now, ends, &state.live.topology))
}

/// A depth-first search; a set of steps already made is a bit mask.
struct Search<'a> {
    steps: &'a [Step],
    dead: BTreeSet<u128>,
    checks_left: u32,
    order: Vec<Step>,
}

impl Search<'_> {
    fn descend(&mut self, state: &Proof<'_>, done: u128) -> bool {
        if self.order.len() == self.steps.len() {
            return true;
        }
        let steps = self.steps;
        for (index, step) in steps.iter().enumerate() {
            let bit = 1_u128 << index;
            let next = done | bit;
            if done & bit != 0 || self.dead.contains(&next) {
                continue;
            }
            if self.checks_left == 0 {
                return false;
            }
            self.checks_left -= 1;
            let mut after = state.clone();
            if after.step(&step.action).is_err() {
                continue;
            }
            if after.harms.is_empty() && !is_over_quota(&after, &step.resource) {
                self.order.push(step.clone());
                if self.descend(&after, next) {
                    return true;
                }
                self.order.pop();
            }
            self.dead.insert(next);
        }
        false
    }
}
