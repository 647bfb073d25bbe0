//! Every story of the demo ends as it should, whatever the seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use snapback_sim::story::STORIES;

#[test]
fn every_story_ends_verified_for_many_seeds() {
    let mut wrong = Vec::new();
    for seed in 1..=20 {
        for story in STORIES {
            let ended = story.play(seed, &mut |_| {});
            if !ended.is_right() {
                wrong.push(format!(
                    "seed {seed}, {}: {} {:?}",
                    ended.name, ended.outcome, ended.why
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        20 * STORIES.len(),
        wrong.join("\n")
    );
}
