//! A bounded share of `cargo xtask prove`: the planner against random pairs of live and baseline.

use snapback_tests::prove::run;

/// A number from the environment, or what is usual.
fn given(name: &str, usual: u64) -> u64 {
    let read = std::env::var(name).ok();
    read.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn every_plan_reaches_its_goal_and_is_safe_or_says_what_is_not() {
    let (seed, cases) = (
        given("SNAPBACK_PROVE_SEED", 20_261_126),
        given("SNAPBACK_PROVE_CASES", 600),
    );
    let (figures, failures) = run(seed, cases, 2, |_| {});
    let words: Vec<String> = failures
        .iter()
        .take(5)
        .map(|(seed, failure)| {
            format!(
                "{}: {}\nagain: cargo xtask prove --seed {seed} --cases 1",
                failure.what, failure.words
            )
        })
        .collect();
    assert!(failures.is_empty(), "seed {seed}: {}", words.join("\n"));
    // Each kind of ending is among them: none of them is proved by absence.
    assert!(
        figures.equal > 0 && figures.partial > 0 && figures.recreating > 0,
        "{}",
        figures.table()
    );
}
