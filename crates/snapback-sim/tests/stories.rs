//! Every story of the demo ends as it should, whatever the seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use snapback_sim::story::{STORIES, Story};

/// The story whose account is large: a thousand judgements take seconds unoptimised,
/// so one seed is enough here.
const LARGE: &str = "a-thousand-changes";

fn wrong(seed: u64, story: &Story) -> Option<String> {
    let ended = story.play(seed, &mut |_| {});
    (!ended.is_right()).then(|| {
        let (name, outcome, why) = (ended.name, ended.outcome, ended.why);
        format!("seed {seed}, {name}: {outcome} {why:?}")
    })
}

#[test]
fn every_story_ends_verified_for_many_seeds() {
    let mut failures = Vec::new();
    for seed in 1..=20 {
        let small = STORIES.iter().filter(|story| story.name != LARGE);
        failures.extend(small.filter_map(|story| wrong(seed, story)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_large_story_ends_verified() {
    let large = STORIES.iter().find(|story| story.name == LARGE).unwrap();
    assert_eq!(wrong(3, large), None);
}
