//! Risks of resources that came or went, and of a state by itself.

use super::scene::{Scene, Teller};
use super::{Finding, FindingCode, Harm, HouseRules, Severity, audit};
use crate::impact::bounded;
use snapback_model::*;
use snapback_reach::next_hops;

/// Lines of evidence for one finding.
const MOST_EVIDENCE: usize = 12;

/// DELETED and NACL-DELETED, with what was lost.
pub(super) fn deleted(scene: &mut Scene<'_>, lost: &Resource) {
    let (code, severity, harm, meaning, evidence) = match lost {
        Resource::NetworkAcl(acl) => {
            let lines: Vec<String> = acl
                .entries
                .iter()
                .map(|(key, entry)| format!("entry {key} {entry}"))
                .collect();
            let subnets: Vec<&str> = acl.subnets.iter().map(SubnetId::as_str).collect();
            if subnets.is_empty() {
                let meaning = "the ACL was deleted; it guarded no subnet".to_owned();
                (
                    FindingCode::NaclDeleted,
                    Severity::Low,
                    Harm::None,
                    meaning,
                    lines,
                )
            } else {
                let meaning = format!(
                    "the ACL was deleted; it should guard {}, which other ACLs guard now",
                    subnets.join(", ")
                );
                (
                    FindingCode::NaclDeleted,
                    Severity::High,
                    Harm::Cuts,
                    meaning,
                    lines,
                )
            }
        }
        Resource::SecurityGroup(group) => {
            let lines = group
                .rules
                .keys()
                .map(|rule| format!("rule {rule}"))
                .collect();
            let meaning = "the security group was deleted: EC2 allows that only where nothing carries it, but launch \
                           templates and rules of peers may name its id"
                .to_owned();
            (
                FindingCode::Deleted,
                Severity::High,
                Harm::Cuts,
                meaning,
                lines,
            )
        }
        Resource::RouteTable(table) => {
            let lines = table
                .routes
                .iter()
                .map(|(destination, route)| format!("route {destination} to {}", route.target));
            let lines = lines
                .chain(
                    table
                        .subnets
                        .iter()
                        .map(|subnet| format!("association of {subnet}")),
                )
                .collect();
            let meaning =
                "the route table was deleted: the subnets it should route follow other tables"
                    .to_owned();
            (
                FindingCode::Deleted,
                Severity::High,
                Harm::Cuts,
                meaning,
                lines,
            )
        }
    };
    scene.tell(
        code,
        (severity, harm),
        Element::Existence,
        meaning,
        bounded(evidence, MOST_EVIDENCE),
    );
}

/// UNREVIEWED, with what is dangerous in it already. Every finding is about its existence.
pub(super) fn unreviewed(scene: &mut Scene<'_>, found: &Resource) {
    let (kind, label) = (found.kind(), found.label());
    // Who may tag may write Snapback's tags too: they lower nothing.
    let meaning = match Temporary::of(found) {
        Some(made) => format!(
            "{kind} {label} is by its tags Snapback's stand-in for {}, and still there",
            made.of
        ),
        None => format!("{kind} {label} exists and no baseline knows it"),
    };
    scene.tell(
        FindingCode::Unreviewed,
        (Severity::Medium, Harm::None),
        Element::Existence,
        meaning,
        Vec::new(),
    );
    let (_, live) = scene.sides();
    let dangers: Vec<Finding> = audit::of_resource(&live, found, &HouseRules::default())
        .into_iter()
        .map(|finding| Finding {
            element: Element::Existence,
            evidence: bounded(finding.evidence, MOST_EVIDENCE),
            ..finding
        })
        .collect();
    scene.teller.findings.extend(dangers);
}

/// Dead targets, local routes led elsewhere, and prefix lists at odds.
pub(super) fn routes(teller: &mut Teller, lists: &Topology, table: &RouteTable) {
    for (destination, route) in &table.routes {
        let element = Element::Route(destination.clone());
        let target = &route.target;
        if route.blackhole {
            let meaning = format!(
                "the target {target} of the route {destination} is dead: its traffic is dropped"
            );
            teller.tell(
                FindingCode::RtBlackhole,
                (Severity::High, Harm::Cuts),
                element,
                meaning,
                Vec::new(),
            );
        } else if route.origin == RouteOrigin::Table && *target != RouteTarget::Local {
            let meaning = format!(
                "the local route {destination} leads to {target}: traffic inside the VPC is redirected"
            );
            teller.tell(
                FindingCode::RtLocalReplaced,
                (Severity::High, Harm::Cuts),
                element,
                meaning,
                Vec::new(),
            );
        }
    }
    let hops = next_hops(table, lists);
    for (network, targets) in hops.ambiguous() {
        let Some(culprit) = table.routes.iter().find(|(destination, route)| {
            matches!(destination, Destination::PrefixList(_)) && targets.contains(&route.target)
        }) else {
            continue;
        };
        let targets: Vec<&str> = targets.iter().map(RouteTarget::id).collect();
        let meaning = format!(
            "prefix lists send {network} to {}; AWS picks one at random",
            targets.join(" and to ")
        );
        let element = Element::Route(culprit.0.clone());
        teller.tell(
            FindingCode::RtPrefixListAmbiguous,
            (Severity::Medium, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
    }
}
