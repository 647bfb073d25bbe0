//! New harm told apart from harm that was there before: two audits, compared by code, subject and element.

use super::{Finding, FindingCode, Since};

/// Codes whose evidence is one line for each victim: another line is more harm.
const BY_VICTIM: [FindingCode; 7] = [
    FindingCode::NatCrossZone,
    FindingCode::NatDeleted,
    FindingCode::IgwDetached,
    FindingCode::PcxGone,
    FindingCode::NaclMirror,
    FindingCode::RtPeerOverlap,
    FindingCode::SgDefaultUse,
];

/// Marks what an audit found by what an audit of the state before found.
pub(super) fn mark(before: &[Finding], after: Vec<Finding>) -> Vec<Finding> {
    after
        .into_iter()
        .map(|finding| Finding {
            since: since(before, &finding),
            ..finding
        })
        .collect()
}

/// Whether a risk is new to its subject.
pub(super) fn since(before: &[Finding], finding: &Finding) -> Since {
    let same_risk = |one: &&Finding| one.code == finding.code && one.subject == finding.subject;
    let mut same = before.iter().filter(same_risk).peekable();
    if same.peek().is_none() {
        return Since::New;
    }
    let Some(known) = same.find(|one| one.element == finding.element) else {
        return Since::Worse;
    };
    let victims = BY_VICTIM.contains(&finding.code)
        && finding
            .evidence
            .iter()
            .any(|line| !known.evidence.contains(line));
    if finding.severity > known.severity || victims {
        Since::Worse
    } else {
        Since::Before
    }
}
