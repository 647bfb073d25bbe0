//! The state that a revert leads to, and whether what is tolerated may stay in it.

use super::Verdict;
use super::judge::{Bench, Opinion, STAYS, is_of_traffic};
use crate::diff::{self, Delta, Difference, ResourceDiff, Side};
use crate::finding::{self, Finding};
use crate::impact::Impact;
use snapback_model::*;
use snapback_reach::permitted_by_acl;
use std::collections::BTreeSet;

/// The goal, and what is said when the tolerated differences could not be kept in it. Where they
/// cannot, they are taken back too and their opinions changed.
///
/// The goal is live with the baseline's side of every difference to be taken back. So everything
/// that is not this resource's to tell (propagated routes, text the read did not tell, subnets that
/// another baseline claims) stands in it as in live, and the plan leaves it alone.
pub(super) fn settle(
    bench: &Bench<'_>,
    diff: &ResourceDiff,
    opinions: &mut [Opinion],
) -> (Option<Resource>, Option<String>) {
    let Some(found) = bench.live.resources.get(&diff.resource) else {
        return (lost(opinions), None);
    };
    if !opinions
        .iter()
        .any(|opinion| opinion.verdict == Verdict::Revert)
    {
        return (None, None);
    }
    let goal = reverted(found, opinions);
    let tolerates =
        |opinion: &Opinion| opinion.may_come_back() && is_of_traffic(&opinion.difference);
    if !opinions.iter().any(tolerates) {
        return (Some(goal), None);
    }
    let Some(why) = keeps_harm(bench, diff, opinions, found, &goal) else {
        return (Some(goal), None);
    };
    for opinion in opinions.iter_mut().filter(|opinion| tolerates(opinion)) {
        opinion.verdict = Verdict::Revert;
        opinion.reasons.retain(|reason| !reason.ends_with(STAYS));
        opinion.reasons.insert(
            0,
            format!("harmless by itself, but it would keep the harm: {why}"),
        );
    }
    (
        Some(reverted(found, opinions)),
        Some(format!(
            "put back to the plain baseline, additions included: {why}"
        )),
    )
}

/// What was deleted is to be as it was. What of it cannot come back, the plan says.
fn lost(opinions: &[Opinion]) -> Option<Resource> {
    opinions
        .iter()
        .find_map(|opinion| match &opinion.difference {
            Difference::Deleted { lost } if opinion.verdict == Verdict::Revert => {
                Some(lost.as_ref().clone())
            }
            _ => None,
        })
}

fn reverted(found: &Resource, opinions: &[Opinion]) -> Resource {
    let mut goal = found.clone();
    for opinion in opinions
        .iter()
        .filter(|opinion| opinion.verdict == Verdict::Revert)
    {
        opinion.difference.apply(&mut goal, Side::Baseline);
    }
    goal
}

/// Why the tolerated differences must not stay in the goal, if they must not: what was harmless
/// beside the harm may do harm without it (the order of an ACL, a longer prefix).
fn keeps_harm(
    bench: &Bench<'_>,
    diff: &ResourceDiff,
    opinions: &[Opinion],
    found: &Resource,
    goal: &Resource,
) -> Option<String> {
    let by_kind = match (bench.baselines.state(&diff.resource), found, goal) {
        (
            Some(Resource::NetworkAcl(good)),
            Resource::NetworkAcl(found),
            Resource::NetworkAcl(goal),
        ) => [Direction::Ingress, Direction::Egress]
            .into_iter()
            .find_map(|direction| order_keeps_harm(good, found, goal, direction)),
        (_, Resource::RouteTable(_), _) => longer_prefix_keeps_harm(opinions),
        (_, _, _) => None,
    };
    by_kind.or_else(|| still_harmful(bench, diff, goal))
}

/// The goal must permit all that the baseline permits, and open nothing that live does not: what
/// live opens was judged, what only the goal opens was not.
fn order_keeps_harm(
    good: &NetworkAcl,
    found: &NetworkAcl,
    goal: &NetworkAcl,
    direction: Direction,
) -> Option<String> {
    let approved = permitted_by_acl(good, direction);
    let reached = permitted_by_acl(goal, direction);
    if !approved.is_subset(&reached) {
        return Some(format!(
            "by the order of the {direction} entries, approved traffic would stay cut"
        ));
    }
    let judged = approved.union(&permitted_by_acl(found, direction));
    (!reached.is_subset(&judged)).then(|| {
        format!("by the order of the {direction} entries, traffic would open that neither the baseline nor live permits")
    })
}

/// An added route within a destination that is put back takes part of its traffic. Within a default
/// route that is what any route does: there it counts only where it leads to where the harm led.
fn longer_prefix_keeps_harm(opinions: &[Opinion]) -> Option<String> {
    let back = opinions
        .iter()
        .filter_map(|opinion| match &opinion.difference {
            Difference::Route { destination, delta } if opinion.verdict == Verdict::Revert => {
                Some((destination, delta.on(Side::Baseline)?, delta.on(Side::Live)))
            }
            _ => None,
        });
    let stays: Vec<(&Destination, &Route)> = opinions
        .iter()
        .filter_map(|opinion| match &opinion.difference {
            Difference::Route {
                destination,
                delta: Delta::Added(route),
            } if opinion.may_come_back() => Some((destination, route)),
            _ => None,
        })
        .collect();
    for (destination, good, harm) in back {
        for (longer, route) in &stays {
            let within = destination
                .as_cidr()
                .zip(longer.as_cidr())
                .is_some_and(|(outer, inner)| outer != inner && outer.contains(&inner));
            let same_harm = harm.is_some_and(|harm| harm.target == route.target);
            if within && route.target != good.target && (same_harm || !destination.is_default()) {
                return Some(format!(
                    "the longer prefix {longer} to {:?} would go on taking traffic of {destination}",
                    route.target.id()
                ));
            }
        }
    }
    None
}

/// Judges the goal as if it were live: whatever would be taken back from it must not stay in it.
/// Only harm that live does not have counts, however bad: what live has was judged already, with
/// the weight that its impact gives it.
fn still_harmful(bench: &Bench<'_>, diff: &ResourceDiff, goal: &Resource) -> Option<String> {
    let mut reached = bench.live.clone();
    reached
        .resources
        .insert(diff.resource.clone(), goal.clone());
    let only = BTreeSet::from([diff.resource.clone()]);
    let rest = diff::diff(bench.baselines, &reached, Some(&only))
        .into_iter()
        .next()?;
    let unweighed = Impact::default();
    let known = finding::assess(bench.baselines, bench.live, diff, &unweighed);
    let mut findings = finding::assess(bench.baselines, &reached, &rest, &unweighed);
    findings.retain(|finding| {
        let told = |known: &Finding| {
            (known.code, known.harm, &known.element)
                == (finding.code, finding.harm, &finding.element)
                && known.severity >= finding.severity
        };
        !known.iter().any(told)
    });
    let after = Bench {
        live: &reached,
        ..*bench
    };
    after
        .hear(&rest, &findings)
        .into_iter()
        .find(|opinion| opinion.verdict == Verdict::Revert && is_of_traffic(&opinion.difference))
        .map(|opinion| {
            let meaning = opinion.reasons.first().cloned().unwrap_or_default();
            format!(
                "{} would then be harmful: {meaning}",
                opinion.difference.describe()
            )
        })
}
