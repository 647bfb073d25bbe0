#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod acls;
mod associations;
mod bound;
mod evasions;
mod groups;
mod laws;
mod lockout;
mod replies;
mod since;
mod site;
mod surroundings;
mod tables;
mod two_sides;

use super::*;
use crate::diff::diff;
use crate::fixture::*;
use std::collections::BTreeSet;

/// What is found when `change` happens to an account whose good state `prepare` made.
fn found(prepare: impl Fn(&mut Snapshot), change: impl Fn(&mut Snapshot)) -> Vec<Finding> {
    let mut good = account();
    prepare(&mut good);
    let mut live = good.clone();
    change(&mut live);
    all(&captured(&good), &live)
}

/// The findings of every resource; each must name an element of its diff.
fn all(baselines: &Baselines, live: &Snapshot) -> Vec<Finding> {
    diff(baselines, live, None)
        .iter()
        .flat_map(|diff| {
            let findings = assess(baselines, live, diff, &Impact::default());
            let elements: BTreeSet<Element> =
                diff.differences.iter().map(Difference::element).collect();
            for finding in &findings {
                assert!(
                    elements.contains(&finding.element),
                    "{finding:?} is about no difference of {diff:?}"
                );
                assert!(finding.subject == diff.resource);
                assert!(!finding.meaning.is_empty() && !finding.advice.is_empty());
            }
            findings
        })
        .collect()
}

/// Findings in short: `SG-WORLD-ANY high opens rule ingress tcp:22 0.0.0.0/0`.
fn short(findings: &[Finding]) -> Vec<String> {
    let word = |harm| match harm {
        Harm::Opens => "opens",
        Harm::Cuts => "cuts",
        Harm::None => "none",
    };
    findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {} {}",
                finding.code,
                finding.severity,
                word(finding.harm),
                finding.element
            )
        })
        .collect()
}

/// What is dangerous in a state by itself, without the risks that a small account has anyway.
fn dangers(live: &Snapshot) -> Vec<Finding> {
    let usual = [
        FindingCode::SgOverlap,
        FindingCode::SgRefStale,
        FindingCode::SgXacctRef,
        FindingCode::NaclPmtud,
        FindingCode::NaclEphemeralIn,
        FindingCode::NaclEphemeralOut,
    ];
    let all = audit(live, &HouseRules::default()).into_iter();
    all.filter(|finding| !usual.contains(&finding.code))
        .collect()
}

fn nothing(_: &mut Snapshot) {}
