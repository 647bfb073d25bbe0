//! The order of edits and moves across resources of one kind (semantics C3, C4).
//!
//! A table or ACL is put right completely before anybody moves to it, and after everybody who leaves
//! it has left: then each subnet is held, at every moment, by what held it in live or by what holds it
//! at the goal, and a resource is only ever edited under those who stay. Where two exchange subnets
//! and both are edited there is no such order; the caller breaks the circle.

use super::association::{Move, Passage};
use snapback_model::ResourceId;
use std::collections::BTreeSet;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Put a resource right; everybody who leaves it has left.
    Edit(ResourceId),
    /// Make this move.
    Move(usize),
    /// Nothing can go first: this resource waits for these moves, and one of them for it.
    Stuck(ResourceId, Vec<usize>),
}

/// Edits and moves that are still to be done.
#[derive(Debug)]
pub(super) struct Order<'a> {
    edits: BTreeSet<ResourceId>,
    moves: &'a [Move],
    left: BTreeSet<usize>,
    /// Moves that no edit waits for any more.
    freed: BTreeSet<usize>,
}

impl<'a> Order<'a> {
    pub(super) fn new(edits: BTreeSet<ResourceId>, moves: &'a [Move]) -> Self {
        Self {
            edits,
            moves,
            left: (0..moves.len()).collect(),
            freed: BTreeSet::new(),
        }
    }

    /// The next thing, which counts as done then; a stuck resource stays.
    pub(super) fn next(&mut self) -> Option<Next> {
        if let Some(id) = self.edits.iter().find(|id| self.leavers(id).is_empty()) {
            let id = id.clone();
            self.edits.remove(&id);
            return Some(Next::Edit(id));
        }
        if let Some(index) = self
            .left
            .iter()
            .copied()
            .find(|index| self.can_move(*index))
        {
            self.left.remove(&index);
            return Some(Next::Move(index));
        }
        let stuck = self
            .edits
            .iter()
            .map(|id| (self.leavers(id), id))
            .min_by_key(|(leavers, _)| leavers.len());
        if let Some((leavers, id)) = stuck {
            return Some(Next::Stuck(id.clone(), leavers));
        }
        // Only moves wait for each other: any is as good.
        let index = self.left.pop_first()?;
        Some(Next::Move(index))
    }

    /// The resource need not wait for its leavers any more.
    pub(super) fn free(&mut self, leavers: &[usize]) {
        self.freed.extend(leavers);
    }

    /// What is still to be done: the resources to put right, and the moves.
    pub(super) fn left(&self) -> (&BTreeSet<ResourceId>, &BTreeSet<usize>) {
        (&self.edits, &self.left)
    }

    /// Moves that are still to be made away from a resource.
    pub(super) fn leavers(&self, id: &ResourceId) -> Vec<usize> {
        let waiting = self.left.difference(&self.freed).copied();
        waiting
            .filter(|index| {
                self.of(*index)
                    .is_some_and(|of| of.from.as_ref() == Some(id))
            })
            .collect()
    }

    fn of(&self, index: usize) -> Option<&Move> {
        self.moves.get(index)
    }

    fn can_move(&self, index: usize) -> bool {
        let Some(of) = self.of(index) else {
            return true;
        };
        let prepared = of.to.as_ref().is_none_or(|to| !self.edits.contains(to));
        // What happens in another VPC is nothing to it.
        let others = || {
            let left = self.left.iter().filter_map(|left| self.of(*left));
            left.filter(|other| other.vpc == of.vpc)
        };
        let swap = || others().find(|other| other.passage == Passage::Main);
        let in_time = match of.passage {
            Passage::Explicit | Passage::Arrives => true,
            // Who gets a table of his own must not pass through the new main table, and the main table
            // takes no edge association.
            Passage::Main => !others().any(|other| {
                other.passage == Passage::Arrives
                    || other.passage == Passage::Edge && other.from == of.to
            }),
            Passage::Returns => swap().is_none(),
            Passage::Edge => swap().is_none_or(|swap| swap.from != of.to || of.to.is_none()),
        };
        prepared && in_time
    }
}
