//! A bounded share of `cargo xtask prove`: the planner against random pairs of live and baseline.

use snapback_tests::prove::{Draw, Figures, run};

/// A number from the environment, or what is usual.
fn given(name: &str, usual: u64) -> u64 {
    let read = std::env::var(name).ok();
    read.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn all_hold(draw: Draw, cases: u64) -> Figures {
    let seed = given("SNAPBACK_PROVE_SEED", 20_261_126);
    let option = if draw == Draw::Hard { " --hard" } else { "" };
    let (figures, failures) = run(seed, cases, draw, 2, |_| {});
    let words: Vec<String> = failures
        .iter()
        .take(5)
        .map(|(seed, failure)| {
            format!(
                "{}: {}\nagain: cargo xtask prove{option} --seed {seed} --cases 1",
                failure.what, failure.words
            )
        })
        .collect();
    assert!(failures.is_empty(), "seed {seed}: {}", words.join("\n"));
    figures
}

#[test]
fn every_plan_reaches_its_goal_and_is_safe_or_says_what_is_not() {
    let figures = all_hold(Draw::Ordinary, given("SNAPBACK_PROVE_CASES", 600));
    // Each kind of ending is among them: none of them is proved by absence.
    assert!(
        figures.equal > 0 && figures.partial > 0 && figures.recreating > 0,
        "{}",
        figures.table()
    );
}

#[test]
fn so_does_every_plan_after_an_upheaval() {
    let figures = all_hold(Draw::Hard, given("SNAPBACK_PROVE_HARD_CASES", 300));
    assert!(figures.equal > 0, "{}", figures.table());
}
