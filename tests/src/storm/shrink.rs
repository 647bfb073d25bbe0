//! A failing storm made smaller: part after part is left out while the same invariant still fails.

use super::{Invariant, Storm, run};

fn fails(storm: &Storm, invariant: Invariant) -> bool {
    let verdict = run(storm, false);
    verdict
        .violations
        .iter()
        .any(|violation| violation.invariant == invariant)
}

/// Every storm that is one step smaller.
fn smaller(storm: &Storm) -> Vec<Storm> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Storm)| {
        let mut next = storm.clone();
        change(&mut next);
        if next != *storm {
            all.push(next);
        }
    };
    for index in 0..storm.mishaps.len() {
        with(&|next| {
            next.mishaps.remove(index);
        });
    }
    for index in 0..storm.troubles.len() {
        with(&|next| {
            next.troubles.remove(index);
        });
    }
    for index in 0..storm.crashes.len() {
        with(&|next| {
            next.crashes.remove(index);
        });
    }
    for index in 0..storm.releases.len() {
        with(&|next| {
            next.releases.remove(index);
        });
    }
    with(&|next| next.limits = None);
    with(&|next| next.released_at_end = false);
    with(&|next| next.recreate_nat = false);
    with(&|next| next.guards = 1);
    with(&|next| next.ahead = [0; 3]);
    with(&|next| next.default_vpc = false);
    with(&|next| next.room = None);
    with(&|next| next.spare_groups = 0);
    with(&|next| next.spare_acl = false);
    with(&|next| next.spare_table = false);
    for index in 0..storm.mishaps.len() {
        with(&|next| {
            if let Some(mishap) = next.mishaps.get_mut(index) {
                mishap.again = mishap.again.min(1);
            }
        });
    }
    all
}

/// The smallest storm that is found in which the invariant still fails.
pub fn shrink(storm: &Storm, invariant: Invariant) -> Storm {
    let mut best = storm.clone();
    while let Some(next) = smaller(&best)
        .into_iter()
        .find(|next| fails(next, invariant))
    {
        best = next;
    }
    best
}
