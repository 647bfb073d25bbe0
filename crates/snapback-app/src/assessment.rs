//! The stages diff, impact, finding and verdict in a row, for one resource.
//!
//! - Owns: their order.
//! - Takes: baselines, a fresh snapshot, the stranger's change if one led here, the policy.
//! - Gives: a decision with its impact, or nothing where live is as the baseline says.
//! - Must not: add judgement of its own, do I/O.

use snapback_engine::change::Change;
use snapback_engine::diff::{self, ResourceDiff};
use snapback_engine::finding;
use snapback_engine::impact::{self, Impact};
use snapback_engine::policy::Policy;
use snapback_engine::verdict::{self, Decision, Experiment, Verdict};
use snapback_model::{Baselines, Digest, Element, ResourceId, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be said about one resource that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Each difference judged, and the goal.
    pub decision: Decision,
    /// What it opened and closed.
    pub impact: Impact,
}

impl Assessment {
    /// The differences that a person is to know of, with a digest each: all but the ignored.
    pub fn tellable(&self) -> BTreeMap<Element, Digest> {
        self.decision
            .judgements
            .iter()
            .filter(|judgement| judgement.verdict != Verdict::Ignore)
            .map(|judgement| (judgement.difference.element(), judgement.told()))
            .collect()
    }

    /// Whether there is something to tell that `told` does not hold.
    pub fn has_news(&self, told: &BTreeMap<Element, Digest>) -> bool {
        self.tellable()
            .iter()
            .any(|(element, digest)| told.get(element) != Some(digest))
    }

    /// Whether `told` holds everything, by [`snapback_engine::verdict::Judgement::is_known_by`].
    pub fn is_known_by(&self, told: &BTreeMap<Element, Digest>) -> bool {
        let judgements = self.decision.judgements.iter();
        judgements
            .filter(|judgement| judgement.verdict != Verdict::Ignore)
            .all(|judgement| {
                let told = told.get(&judgement.difference.element());
                told.is_some_and(|told| judgement.is_known_by(told))
            })
    }

    /// One line for each difference that a revert would take back.
    pub fn reverts(&self) -> Vec<String> {
        self.decision
            .judgements
            .iter()
            .filter(|judgement| judgement.verdict == Verdict::Revert)
            .map(|judgement| judgement.text.clone())
            .collect()
    }
}

/// Assesses one resource, knowing the experiments that an earlier look found; `None` where nothing differs or the snapshot does not cover it.
pub fn assess(
    baselines: &Baselines,
    live: &Snapshot,
    resource: &ResourceId,
    change: Option<&Change>,
    policy: &Policy,
    running: &BTreeMap<Element, Experiment>,
) -> Option<Assessment> {
    let only = BTreeSet::from([resource.clone()]);
    let diff = diff::diff(baselines, live, Some(&only))
        .into_iter()
        .find(|diff| diff.resource == *resource && !diff.differences.is_empty())?;
    Some(assess_diff(baselines, live, &diff, change, policy, running))
}

/// Assesses a diff that is already made.
pub fn assess_diff(
    baselines: &Baselines,
    live: &Snapshot,
    diff: &ResourceDiff,
    change: Option<&Change>,
    policy: &Policy,
    running: &BTreeMap<Element, Experiment>,
) -> Assessment {
    let impact = impact::impact(baselines, live, diff);
    let findings = finding::assess(baselines, live, diff, &impact);
    let decision =
        verdict::decide_during(diff, &findings, baselines, live, change, policy, running);
    Assessment { decision, impact }
}
