//! Stage `verdict`: what is done about each difference, and why (design.md principle 3).
//!
//! - Owns: [`Verdict`], [`Decision`], the goal of a revert, the fold of trusted changes into baselines.
//! - Takes: diff, findings, the change if any, policy, what was told before.
//! - Gives: [`Decision`].
//! - Must not: plan the way.

mod allowed;
mod author;
mod cause;
mod experiment;
mod fold;
mod goal;
mod judge;
mod obstacle;
#[cfg(test)]
mod tests;
mod traffic;

use crate::change::Change;
use crate::diff::{Difference, ResourceDiff};
use crate::finding::Finding;
use crate::policy::{Mode, Policy};
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

use experiment::Trial;
use judge::Bench;

pub use experiment::Experiment;

/// What is done about one difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Made by a trusted principal: becomes baseline.
    Accept,
    /// Out of scope or exempt: recorded only.
    Ignore,
    /// Stays; a person is told.
    Alert,
    /// Is taken back.
    Revert,
}

/// One difference, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The difference.
    pub difference: Difference,
    /// Its words.
    pub text: String,
    /// The findings it causes.
    pub findings: Vec<Finding>,
    /// What is done.
    pub verdict: Verdict,
    /// Why, one sentence each, most important first.
    pub reasons: Vec<String>,
}

impl Judgement {
    /// What is kept as told of it. A difference that stayed and is to be taken back now (what
    /// surrounds it changed) is news, and so is the other way round.
    pub fn told(&self) -> Digest {
        match self.verdict {
            Verdict::Revert => Digest::of(&("revert", &self.difference)),
            Verdict::Accept | Verdict::Ignore | Verdict::Alert => Digest::of(&self.difference),
        }
    }

    /// Whether what is kept as told tells it to whoever sees more than the one who told it: a full
    /// read shows what stands in a revert's way (a peer that is gone) where the read of one group
    /// does not, so what was told as to be taken back is no news once it only stays.
    pub fn is_known_by(&self, told: &Digest) -> bool {
        *told == self.told() || *told == Digest::of(&("revert", &self.difference))
    }
}

/// All judgements of one resource and the goal that follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The resource.
    pub resource: ResourceId,
    /// For people.
    pub label: String,
    /// The mode that applied.
    pub mode: Mode,
    /// Each difference.
    pub judgements: Vec<Judgement>,
    /// The state a revert leads to: the baseline with the tolerated differences kept. `None` when
    /// nothing is to be reverted (in `observe` it is what a revert would lead to).
    pub goal: Option<Resource>,
    /// Said when the goal fell back to the plain baseline because a tolerated difference would keep the harm.
    pub fallback: Option<String>,
    /// The experiments that differences are part of: what is to be known at the next look.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub experiments: BTreeMap<Element, Experiment>,
}

impl Decision {
    /// The strongest verdict.
    pub fn verdict(&self) -> Verdict {
        self.judgements
            .iter()
            .map(|judgement| judgement.verdict)
            .max()
            .unwrap_or(Verdict::Ignore)
    }

    /// The differences that stay and are listed as outstanding, with a digest each: what was told before is not told again.
    pub fn outstanding(&self) -> BTreeMap<Element, Digest> {
        self.judgements
            .iter()
            .filter(|judgement| judgement.verdict == Verdict::Alert)
            .map(|judgement| (judgement.difference.element(), judgement.told()))
            .collect()
    }
}

/// Judges every difference of one resource.
///
/// - Out of scope (`vpcs`), or the *baseline* carries the opt-out tag: `Ignore`.
/// - A route in one of its allowed states ([`crate::policy::AllowedTargets`]): `Ignore`.
/// - Part of an experiment that AWS FIS runs, as its calls prove ([`crate::policy::Experiments`]):
///   `Ignore`.
/// - Under an exception that holds when live was read: `Alert`, in every mode.
/// - `strict`: whatever can be put back is `Revert`, also what moves no packet.
/// - `enforce`: `Revert` for harm from the policy's thresholds on ([`crate::policy::Enforce`]): openings
///   of a severity, cuts of a severity, and approved elements that are gone, rewritten or moved.
///   Only where it moves a packet: text, tags, what others that are approved permit, forbid or
///   route alike is `Alert`, unless keeping it would keep the harm (`fallback` says so then).
/// - Who waits in what Snapback itself made for the time of a repair ([`Temporary`]): `Revert`, also
///   where that moves no packet.
/// - `observe` never yields `Revert`: what `enforce` would revert is `Alert` with that reason, and
///   the goal is filled so that the plan can be shown.
/// - A deleted resource is `Revert` like any approved element that is gone: it is made again, unless
///   the policy says otherwise ([`crate::policy::Recreate`]) or something stands in the way (its name
///   is taken or was never read, a default ACL or group).
/// - What cannot be put back (see [`Difference`] `Unreviewed`; dead targets; routes that
///   route calls do not write; baselines nobody reviewed) is `Alert` and says why.
///
/// The reasons of a judgement name the line of the policy that decided.
///
/// `change` is the event that led here, if one did and it is not trusted (trusted ones are folded before the diff).
pub fn decide(
    diff: &ResourceDiff,
    findings: &[Finding],
    baselines: &Baselines,
    live: &Snapshot,
    change: Option<&Change>,
    policy: &Policy,
) -> Decision {
    decide_during(
        diff,
        findings,
        baselines,
        live,
        change,
        policy,
        &BTreeMap::new(),
    )
}

/// Judges as [`decide`] does, knowing the experiments that an earlier look found
/// ([`Decision::experiments`]): a later one has no event that proves them.
pub fn decide_during(
    diff: &ResourceDiff,
    findings: &[Finding],
    baselines: &Baselines,
    live: &Snapshot,
    change: Option<&Change>,
    policy: &Policy,
    running: &BTreeMap<Element, Experiment>,
) -> Decision {
    let mode = policy.mode_of(diff.resource.kind());
    let bench = Bench {
        baselines,
        live,
        change,
        policy,
        mode,
        running,
    };
    let mut opinions = bench.hear(diff, findings);
    let (goal, fallback) = goal::settle(&bench, diff, &mut opinions);
    let trials = diff.differences.iter().filter_map(|difference| {
        match (bench.out_of_scope(diff), bench.trial(diff, difference)) {
            (None, Some(Trial::Running(running))) => Some((difference.element(), running)),
            _ => None,
        }
    });
    let experiments = trials.collect();
    let judgements = opinions
        .into_iter()
        .map(|opinion| bench.pronounce(opinion))
        .collect();
    Decision {
        resource: diff.resource.clone(),
        label: diff.label.clone(),
        mode,
        judgements,
        goal,
        fallback,
        experiments,
    }
}

/// What folding a trusted change into the baselines gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// Baselines to write, each on the generation it was computed from (`generation - 1`).
    pub updated: Vec<Baseline>,
    /// What could not be folded and why: alerted, never guessed.
    pub refused: Vec<String>,
    /// Edits skipped because a newer accepted edit or the capture already covers them.
    pub superseded: Vec<String>,
    /// Edits skipped because live shows another state of the same second: not so where Snapback itself
    /// wrote there since.
    #[serde(default)]
    pub overruled: Vec<Overruled>,
    /// Whether live decided between edits of one second: not by a read that may be older than they.
    #[serde(default)]
    pub by_live: bool,
    /// Whether a refused edit names a resource, rule id, association id or rule that no baseline
    /// knows. The event that made it may be late: folding this change again after it succeeds, and
    /// folds nothing twice.
    #[serde(default)]
    pub premature: bool,
    /// Whether what only one ACL or table can hold was moved. Two such moves folded side by side may
    /// write baselines that have none in common: once written, read and fold again, until nothing is
    /// updated.
    #[serde(default)]
    pub moves: bool,
}

/// An edit that live spoke against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overruled {
    /// Whose live state that was.
    pub resources: BTreeSet<ResourceId>,
    /// The edit and why it was skipped, in words.
    pub what: String,
}

/// Folds a trusted change into the baselines as its own delta (design.md principle 2). Live is used
/// only to resolve ids (rule ids, association ids, group names), never as the new state. An edit
/// older than the element's mark or than the capture is superseded; on equal seconds live decides:
/// the edit is folded if live shows what it made. Where Snapback wrote to a resource since, live says
/// nothing against it: what is [`Fold::overruled`] there is the caller's to refuse.
///
/// Whether the actor is trusted is the caller's question ([`Policy::trusts`]); a stranger's change
/// must never come here. `baselines` must hold every ACL (table) of the VPC where a subnet (or the
/// main association) moves.
///
/// Events of any order give the same baseline, with one limit: where a rule is modified in place and
/// its content comes back under another rule id, events of the two ids that overtake each other may
/// leave one of the contents out (it is then told as a difference).
///
/// When a baseline is first folded, the time of its capture is kept as the mark of
/// [`Element::Existence`]: no edit from before it is ever folded.
pub fn fold(change: &Change, baselines: &Baselines, live: &Snapshot) -> Fold {
    fold::fold(change, baselines, live)
}
