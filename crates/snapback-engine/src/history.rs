//! Stage `history`: what a policy would have done about changes that lie in the past.
//!
//! - Owns: what was there before each change, as far as the changes and a live state tell; the
//!   judgement of each change against that; the named reasons why it cannot be told.
//! - Takes: changes of any order, the state at the end if there is one, a policy.
//! - Gives: [`Retold`], one for each change.
//! - Must not: read files; take for known what no event and no state tells.
//!
//! A part of a resource (a rule, an entry, a route, a subnet's place) does not change between two
//! events that touch it. So what was there in between is told by the event before (what it left),
//! by the event after (what it found), or by the live state. Where neither tells, or they
//! contradict each other, it is not known. Events have a resolution of one second (semantics E):
//! what happened within one second is judged as one step.

mod judge;
mod names;
mod past;
#[cfg(test)]
mod tests;
mod told;
mod touch;
mod view;

use crate::change::{Change, Edits};
use crate::event::Record;
use crate::finding::{FindingCode, Harm, Severity};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::BTreeSet;
use std::fmt;

pub use past::Past;
pub use view::View;

/// A change with what its record tells beyond the edits.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The change.
    pub change: Change,
    /// Whether everything that a revoke names was really there. In a default VPC EC2 takes a revoke
    /// of rules that are not there and lists them as unknown (semantics B1); older records do not
    /// list what was removed.
    pub confirmed: bool,
    /// Whether the record corrects one that was delivered before (`addendum`).
    pub corrected: bool,
}

impl Step {
    /// The change of a record.
    pub fn of(record: &Record, change: Change) -> Self {
        let answer = &record.response_elements;
        let has = |member: &str| {
            answer
                .get(member)
                .is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
        };
        Self {
            confirmed: has("revokedSecurityGroupRuleSet") || !has("unknownIpPermissionSet"),
            corrected: record.addendum.is_some(),
            change,
        }
    }

    /// The second in which it happened.
    pub(crate) fn second(&self) -> i64 {
        self.change.at.as_second()
    }
}

/// Puts steps into the one order that every run has, and drops what was delivered twice: a
/// corrected record counts before the first one, one that tells its edits before one that does not.
pub fn in_order(mut steps: Vec<Step>) -> Vec<Step> {
    steps.sort_by_cached_key(|step| {
        let untold = !matches!(step.change.edits, Edits::Known(_));
        (
            step.change.at,
            step.change.event.clone(),
            !step.corrected,
            untold,
            step.change.api.clone(),
        )
    });
    let mut seen = BTreeSet::new();
    steps.retain(|step| seen.insert(step.change.event.clone()));
    steps
}

/// Why something about the past cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No live state was given that covers it, and no other event tells of it.
    NoState,
    /// The event says what it set, not what it found (Replace…, Modify…, Delete…), and nothing else tells.
    OldUntold,
    /// EC2 also takes such a Create where the very same thing is there already.
    PerhapsThere,
    /// The event does not carry what was changed.
    EditsUntold,
    /// A rule id, association id or group name that nothing explains.
    IdUnexplained,
    /// Several calls in one second: their order is not told.
    SameSecond,
    /// Two events, or an event and the live state, contradict each other: an event between is missing.
    Contradiction,
    /// The policy asks for the VPC or the tags of the resource, which nothing tells.
    ScopeUntold,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::NoState,
        Self::OldUntold,
        Self::PerhapsThere,
        Self::EditsUntold,
        Self::IdUnexplained,
        Self::SameSecond,
        Self::Contradiction,
        Self::ScopeUntold,
    ];
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoState => "no state of that time, and no other event tells",
            Self::OldUntold => "the events do not tell what was there before",
            Self::PerhapsThere => "it may have been there already",
            Self::EditsUntold => "the event does not carry what was changed",
            Self::IdUnexplained => "an id or name that nothing explains",
            Self::SameSecond => "several calls in one second, their order is not told",
            Self::Contradiction => "events contradict each other or the state: one is missing",
            Self::ScopeUntold => "the policy asks for its VPC or tags, which nothing tells",
        })
    }
}

/// What would have come of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// It moved nothing that is guarded: a description, or what was there already.
    Nothing,
    /// A call on context only (a gateway, an interface); no guarded resource is edited.
    Context,
    /// Out of scope or exempt.
    Ignored,
    /// By a trusted principal: folded into the baseline.
    Accepted,
    /// A person would have been told.
    Alerted,
    /// It cannot be told what would have been done.
    NotKnown(Reason),
    /// At least one difference would have been taken back.
    Reverted,
}

/// A finding of one change, without its evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Harmful {
    /// Which risk.
    pub code: FindingCode,
    /// How bad.
    pub severity: Severity,
    /// Which way.
    pub harm: Harm,
}

impl Harmful {
    /// Whether it opens or cuts, and badly: what `enforce` acts on.
    pub fn is_harm(&self) -> bool {
        self.harm != Harm::None && self.severity >= Severity::High
    }
}

/// One change with what would have come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retold {
    /// Its place in the steps.
    pub step: usize,
    /// What would have come of it.
    pub outcome: Outcome,
    /// The guarded resources it touched, as far as names and ids are explained.
    pub resources: BTreeSet<ResourceId>,
    /// What it would have been found to be; also told for trusted principals.
    pub findings: BTreeSet<Harmful>,
    /// One line for each difference that would have been taken back or told.
    pub lines: Vec<String>,
    /// Whether the judgement rests on the whole state before and after, rather than on what the
    /// event alone proves.
    pub whole: bool,
    /// Whether it rests on taking a Create call that succeeded for one that made something new.
    pub assumed: bool,
}

impl Retold {
    /// Whether it did harm, as far as is known.
    pub fn is_harm(&self) -> bool {
        self.findings.iter().any(Harmful::is_harm)
    }
}

/// Judges every step against the state before it. `steps` must come from [`in_order`].
///
/// Each change is judged as if everything before it had stood: had Snapback taken one back, later
/// events might not exist. The surroundings (interfaces, gateways, prefix lists, tags) are those of
/// `live`, for no event tells what they were. A gateway that is gone by then counts as alive.
pub fn retell(steps: &[Step], live: Option<&Snapshot>, policy: &Policy) -> Vec<Retold> {
    let past = Past::of(steps, live);
    judge::judge(&past, steps, live, policy)
}
