//! BPA-OFF: VPC block public access was lowered.

use crate::finding::world::World;
use crate::finding::{Finding, FindingCode, Harm, Severity, Subject};
use snapback_model::*;

/// How much a mode blocks.
fn strength(mode: BlockMode) -> u8 {
    match mode {
        BlockMode::Off => 0,
        BlockMode::Ingress => 1,
        BlockMode::Bidirectional => 2,
    }
}

fn words(mode: BlockMode) -> &'static str {
    match mode {
        BlockMode::Off => "off",
        BlockMode::Ingress => "block-ingress",
        BlockMode::Bidirectional => "block-bidirectional",
    }
}

fn weaker(was: ExclusionMode, is: ExclusionMode) -> bool {
    was == ExclusionMode::Egress && is == ExclusionMode::Bidirectional
}

pub(super) fn lowered(before: &World<'_>, after: &World<'_>) -> Vec<Finding> {
    let (Some(was), Some(is)) = (
        &before.topology.block_public_access,
        &after.topology.block_public_access,
    ) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if strength(is.mode) < strength(was.mode) {
        findings.push(Finding::new(
            FindingCode::BpaOff,
            (Severity::High, Harm::Opens),
            Subject::Account(after.account.cloned()),
            Element::Existence,
            format!(
                "VPC block public access was {} and is {}: internet gateways of the whole Region let more pass",
                words(was.mode),
                words(is.mode)
            ),
            Vec::new(),
        ));
    }
    // An exclusion from nothing changes nothing.
    if is.mode == BlockMode::Off {
        return findings;
    }
    for exclusion in is.exclusions.values().filter(|exclusion| exclusion.active) {
        let covered = was.exclusions.values().any(|known| {
            known.active
                && known.resource == exclusion.resource
                && !weaker(known.mode, exclusion.mode)
        });
        if covered {
            continue;
        }
        let subject = exclusion
            .resource
            .parse()
            .unwrap_or_else(|_| Subject::Account(after.account.cloned()));
        let way = match exclusion.mode {
            ExclusionMode::Bidirectional => "both ways",
            ExclusionMode::Egress => "for outbound connections",
        };
        findings.push(Finding::new(
            FindingCode::BpaOff,
            (Severity::High, Harm::Opens),
            subject,
            Element::Existence,
            format!(
                "{} was excepted from VPC block public access, {way}",
                exclusion.resource
            ),
            vec![format!("exclusion {}", exclusion.id)],
        ));
    }
    findings
}
