//! A bounded share of the storms; `cargo xtask storm --seeds 100000` plays many.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use snapback_tests::storm::{Storm, Tally, run};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// As many as take some seconds unoptimised.
const SEEDS: u64 = 80;
/// The same for hard storms.
const HARD_SEEDS: u64 = 60;

fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text}: not a number")),
    )
}

/// `SNAPBACK_STORM_SEED` plays another range, `SNAPBACK_STORM_SEEDS` more of it.
#[test]
fn every_invariant_holds_in_every_storm() {
    let seeds = given("SNAPBACK_STORM_SEEDS").unwrap_or(SEEDS);
    plays(seeds, Storm::of, "cargo xtask storm");
}

#[test]
fn every_invariant_holds_in_every_hard_storm() {
    let seeds = given("SNAPBACK_STORM_SEEDS").unwrap_or(HARD_SEEDS);
    plays(seeds, Storm::hard, "cargo xtask storm --hard");
}

fn plays(seeds: u64, draw: fn(u64) -> Storm, story: &str) {
    let from = given("SNAPBACK_STORM_SEED").unwrap_or(1);
    let next = AtomicU64::new(0);
    let sum: Mutex<(Tally, Vec<String>)> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= seeds {
                        return;
                    }
                    let seed = from + number;
                    let verdict = run(&draw(seed), false);
                    let mut sum = sum.lock().unwrap();
                    sum.0.add(&verdict.tally);
                    let lines = verdict.violations.iter();
                    sum.1
                        .extend(lines.map(|violation| format!("seed {seed}: {violation}")));
                }
            });
        }
    });
    let (tally, violated) = sum.into_inner().unwrap();
    assert!(
        violated.is_empty(),
        "from seed {from}; the story: {story} --seed S\n{}",
        violated.join("\n")
    );
    assert_eq!(tally.worlds, seeds);
    // A storm in which nothing goes wrong proves nothing.
    assert!(
        tally.changes > seeds && tally.writes > seeds && tally.crashes > 0,
        "{tally:#?}"
    );
}

/// The same seed is the same world, to the last turn: else no failure could be played again.
#[test]
fn a_storm_repeats() {
    for seed in [3, 7, 11] {
        let (one, other) = (run(&Storm::of(seed), true), run(&Storm::of(seed), true));
        assert_eq!(one.story, other.story, "seed {seed}");
        assert_eq!(one.tally, other.tally, "seed {seed}");
    }
}

/// A storm is a value: what is printed can be played.
#[test]
fn a_printed_storm_is_the_same_storm() {
    let ordinary = (0..50).map(Storm::of);
    for storm in ordinary.chain((0..50).map(Storm::hard)) {
        let text = serde_json::to_string(&storm).unwrap();
        let read: Storm = serde_json::from_str(&text).unwrap();
        assert_eq!(read, storm);
    }
}
