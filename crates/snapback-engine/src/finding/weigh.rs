//! Severity takes the impact into account.
//!
//! | what the difference does | reached by the internet now, or not known | reached from inside only | nothing passes or is cut now |
//! |---|---|---|---|
//! | opens, critical | critical | high | high |
//! | cuts, critical | critical | critical | high |
//! | anything else | as the catalogue says | as the catalogue says | as the catalogue says |
//!
//! A dormant danger is one step less, and never less than high: who opens a rule first and attaches
//! the group then must find the rule taken back. Harm stays what it is, so `enforce` acts alike.

use super::{Finding, Harm, Severity};
use crate::impact::{Effect, Impact, Turn};

/// Where the effect of a difference is felt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Weight {
    /// By the internet, or that is not known.
    Full,
    /// By hosts inside only; with the words for it.
    Inside(String),
    /// By nobody now; with the words for it.
    Dormant(String),
}

/// What the impact says of the difference that a finding is about.
pub(super) fn weight(impact: &Impact, finding: &Finding) -> Weight {
    let moves = impact.moves_of(&finding.element);
    let (effect, turn) = match finding.harm {
        Harm::Opens => (moves.opens, Turn::Opened),
        Harm::Cuts => (moves.closes, Turn::Closed),
        Harm::None => return Weight::Full,
    };
    match effect {
        Some(effect @ Effect::Dormant { .. }) => Weight::Dormant(effect.words(turn)),
        Some(Effect::Now(reached)) if turn == Turn::Opened && reached.internet_facing == 0 => {
            let words = Effect::Now(reached.clone()).words(turn);
            // Where the peers are of the inside, the inside is all there is to reach.
            reached
                .internet
                .map_or(Weight::Full, |_| Weight::Inside(words))
        }
        Some(Effect::Now(_) | Effect::Unknown { .. }) | None => Weight::Full,
    }
}

/// The finding with the severity that its effect gives it.
pub(super) fn weighed(mut finding: Finding, weight: &Weight) -> Finding {
    match (finding.harm, weight) {
        (Harm::None, _) | (_, Weight::Full) => return finding,
        (Harm::Opens, Weight::Inside(words) | Weight::Dormant(words))
        | (Harm::Cuts, Weight::Dormant(words)) => {
            finding.severity = finding.severity.min(Severity::High);
            finding.evidence.push(words.clone());
        }
        (Harm::Cuts, Weight::Inside(words)) => finding.evidence.push(words.clone()),
    }
    finding
}
