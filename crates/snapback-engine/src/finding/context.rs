//! What the difference of no guarded resource tells: baseline topology against live topology, and
//! what it makes of resources that did not change themselves.
//!
//! Only what both sides read completely is compared: what one of them did not look at is no change.

mod access;
pub(super) mod dependents;
mod gateways;
mod interfaces;
mod lists;
mod members;

use super::world::World;
use super::{Finding, FindingCode, HouseRules, Since, Subject, audit, since, ssm};
use crate::diff::diff;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// Codes that appear on a resource because something around it changed.
const BY_SURROUNDINGS: [FindingCode; 6] = [
    FindingCode::RtBlackhole,
    FindingCode::RtPeerOverlap,
    FindingCode::SgRefStale,
    FindingCode::NaclMirror,
    FindingCode::NaclDefaultV6,
    FindingCode::NatCrossZone,
];

pub(super) fn between(baselines: &Baselines, live: &Snapshot) -> Vec<Finding> {
    let mut before = World::of_baselines(baselines);
    let mut after = World::of_snapshot(live);
    before.comparable(&mut after);
    let (then, now) = (
        known_lists(&baselines.topology, &live.topology),
        known_lists(&live.topology, &baselines.topology),
    );
    (before.lists, after.lists) = (&then, &now);
    let mut findings = emerged(baselines, live, (&before, &after));
    findings.extend(members::changed(&before, &after));
    findings.extend(lists::changed(&before, &after));
    findings.extend(access::lowered(&before, &after));
    findings.extend(gateways::changed(&before, &after));
    findings.extend(interfaces::changed(&before, &after));
    findings.extend(ssm::lost(&before, &after, None));
    findings
}

/// The prefix lists of one side; entries that it did not read are those of the other: reading them is
/// no change.
fn known_lists(own: &Topology, other: &Topology) -> Topology {
    let mut prefix_lists = own.prefix_lists.clone();
    for (id, known) in &other.prefix_lists {
        let list = prefix_lists
            .entry(id.clone())
            .or_insert_with(|| known.clone());
        if list.entries.is_none() {
            list.entries.clone_from(&known.entries);
        }
    }
    Topology {
        prefix_lists,
        ..Topology::default()
    }
}

/// Risks of the state that are new or worse and that no difference of a resource accounts for.
fn emerged(
    baselines: &Baselines,
    live: &Snapshot,
    (before, after): (&World<'_>, &World<'_>),
) -> Vec<Finding> {
    let house = HouseRules::default();
    let was = audit::whole(before, &house);
    let differ: BTreeMap<ResourceId, BTreeSet<Element>> = diff(baselines, live, None)
        .into_iter()
        .map(|diff| {
            let elements = diff
                .differences
                .iter()
                .map(crate::diff::Difference::element);
            (diff.resource.clone(), elements.collect())
        })
        .collect();
    let accounted_for = |finding: &Finding| match finding.subject.resource() {
        None => false,
        Some(id) => differ.get(id).is_some_and(|elements| {
            elements.contains(&finding.element)
                || elements.contains(&Element::Existence)
                || !BY_SURROUNDINGS.contains(&finding.code)
        }),
    };
    since::mark(&was, audit::whole(after, &house))
        .into_iter()
        .filter(|finding| finding.since != Since::Before || is_left_by_us(finding, after))
        // Compared for itself: a VPC without endpoints is told by it too.
        .filter(|finding| finding.code != FindingCode::VpceSsmLockout)
        .filter(|finding| !accounted_for(finding))
        .collect()
}

/// What Snapback made and a change that was accepted since left without use is told although it is part
/// of the good state: nobody else knows that it is there.
fn is_left_by_us(finding: &Finding, world: &World<'_>) -> bool {
    let Subject::Gateway(id) = &finding.subject else {
        return false;
    };
    let gateway = world.topology.gateways.get(id);
    finding.code == FindingCode::NatIdle && gateway.is_some_and(Gateway::is_made_again)
}
