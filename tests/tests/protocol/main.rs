//! The incident and lease protocol, searched exhaustively: two guards, one message and its duplicate,
//! crashes anywhere, answers and requests that are lost, clocks that differ.
//!
//! What is modelled is the order of steps in `snapback_app::execute`. What a record or a lease becomes,
//! who is held off, whether a call may begin, and what a story's entries say, is asked of the functions
//! that the flow uses: `ResourceRecord`, `Lease`, `Story`. The work is the making again of a deleted
//! group: a call that is not idempotent, then one that is.
//!
//! Reading EC2 and writing what follows is one step here: a record that was written after the read sends
//! the flow back to read again, so a call of another guard in between makes the write fail as well.
//!
//! Left out, because no protocol can hold it: a call that EC2 carries out after its time-out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod moves;
mod real;
mod search;
mod state;

use search::{Bounds, SKEW, USUAL, Without, search};

#[test]
fn no_interleaving_of_two_guards_breaks_the_protocol() {
    for ahead in -SKEW..=SKEW {
        let states =
            search(Without::Nothing, ahead, Bounds::asked()).unwrap_or_else(|why| panic!("{why}"));
        println!("clock ahead by {ahead}: {states} states");
        assert!(
            states > 10_000,
            "the search is too small to prove anything: {states}"
        );
    }
}

#[test]
fn the_search_finds_what_each_part_of_the_protocol_is_for() {
    let wide = Bounds {
        horizon: 6,
        ..USUAL
    };
    let small = Bounds {
        horizon: 5,
        crashes: 1,
        losses: 0,
    };
    let cases = [
        (Without::Cover, 0, wide, "written under"),
        (Without::Skew, SKEW, wide, "written under"),
        (Without::Condition, 0, wide, ""),
        (Without::HalfMade, 0, wide, "made twice"),
        (Without::Sweep, 0, small, "no good end"),
    ];
    for (without, ahead, bounds, words) in cases {
        let found = search(without, ahead, bounds).expect_err(&format!("{without:?}"));
        let why = found.lines().next().unwrap_or_default();
        println!("{without:?}: {why}");
        assert!(
            words.is_empty() || why.starts_with(words) || why.starts_with("two holders"),
            "{without:?}: {why}"
        );
    }
}
