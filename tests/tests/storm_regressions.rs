//! Storms that found something, by the seed that found it.
#![allow(clippy::unwrap_used, reason = "tests")]

use snapback_tests::storm::{Storm, run};

fn holds(seed: u64) {
    let verdict = run(&Storm::of(seed), false);
    assert!(verdict.violations.is_empty(), "{:#?}", verdict.violations);
}

/// A quick read of a group tells no tags: the sweep asked for it again for ever, nobody was told.
#[test]
fn a_tag_of_a_group_is_told_once_though_events_are_read_quickly() {
    for seed in [134, 163, 1268, 1668] {
        holds(seed);
    }
}

/// The event of our own call came, by EC2's clock, before we had begun it by ours.
#[test]
fn a_call_without_an_answer_is_ours_though_clocks_differ() {
    for seed in [368, 1189, 1996] {
        holds(seed);
    }
}

/// The second guard had read the baselines before the first one's story ended, and EC2 after it.
#[test]
fn two_guards_make_a_deleted_table_again_once() {
    holds(2676);
}
