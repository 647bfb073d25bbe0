//! Storms: whole faulty worlds by one number each, judged when they are over.
//!
//! - Owns: what a storm is, how it is played, what must be true then, how it is made smaller.
//! - Takes: a seed, or a [`Storm`].
//! - Gives: [`Verdict`]: what was violated, figures; the story of one world.
//! - Must not: know how the flow does it; use any chance but the seed's.

pub mod deed;
pub mod oracle;
pub mod plan;
mod shrink;
pub mod stage;
pub mod stroke;
pub mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use oracle::{Invariant, Violation};
pub use plan::Storm;
pub use shrink::shrink;
pub use tally::Tally;

/// What came of a storm.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Invariants that did not hold.
    pub violations: Vec<Violation>,
    /// Figures.
    pub tally: Tally,
    /// What happened; empty unless asked for.
    pub story: Vec<String>,
}

/// Plays a storm and judges it. `tell`: with its story.
pub fn run(storm: &Storm, tell: bool) -> Verdict {
    let judged = catch_unwind(AssertUnwindSafe(|| {
        let played = stage::play(storm, tell)?;
        let (violations, looked) = oracle::judge(&played);
        Ok(Verdict {
            tally: Tally::of(&played, &violations, &looked),
            violations,
            story: played.story,
        })
    }));
    match judged.unwrap_or_else(|_| Err("the world panicked".to_owned())) {
        Ok(verdict) => verdict,
        Err(what) => Verdict {
            violations: vec![Violation {
                invariant: Invariant::Simulator,
                what,
            }],
            tally: Tally {
                worlds: 1,
                failed: 1,
                ..Tally::default()
            },
            story: Vec::new(),
        },
    }
}
