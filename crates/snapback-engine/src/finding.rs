//! Stage `finding`: named risks in a diff, with evidence (semantics D).
//!
//! - Owns: the catalogue of semantics D as far as it can be computed from state.
//! - Takes: baselines, live, a resource diff and its impact.
//! - Gives: [`Finding`]s: of a diff ([`assess`], each tied to the difference that caused it), of what
//!   surrounds the guarded resources ([`context`]), of one state ([`audit`], [`standing`]).
//! - Must not: decide what is done about it (that is `verdict`).
//!
//! Not computable from state, so not here: `DX-MTU` (an event of Direct Connect alone), the flow-log
//! part of `SG-CUT-LIVE` and the byte counts of `NAT-IDLE` (no such records are read).

mod acl;
mod advice;
mod association;
mod audit;
mod code;
mod context;
mod existence;
mod exposure;
mod group;
mod route;
mod scene;
mod since;
mod ssm;
mod subject;
mod table;
#[cfg(test)]
mod tests;
mod weigh;
mod world;

pub use code::FindingCode;
pub use subject::Subject;

use crate::diff::{self, Difference, ResourceDiff};
use crate::impact::{self, Impact, bounded};
use scene::Scene;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use snapback_reach::{OverBound, bound};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use world::World;

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Untidy.
    Low,
    /// Should be looked at.
    Medium,
    /// Dangerous.
    High,
    /// Dangerous now.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// Which way a finding harms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// Something dangerous became possible.
    Opens,
    /// Approved traffic became impossible or goes elsewhere.
    Cuts,
    /// Neither: a notice.
    None,
}

/// Whether a risk came with the change or was there before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// The subject did not have it.
    #[default]
    New,
    /// The subject had it, to a lesser extent.
    Worse,
    /// It was there before, as it is now.
    Before,
}

/// One named risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id of `semantics.md` D, `SG-WORLD-SENSITIVE`.
    pub code: FindingCode,
    /// How bad, with what it does to traffic taken into account.
    pub severity: Severity,
    /// Which way it harms.
    pub harm: Harm,
    /// What it is about; the member `resource` of the stored form, by its AWS id.
    #[serde(rename = "resource")]
    pub subject: Subject,
    /// The element that caused it; the difference with this element is the one to take back.
    pub element: Element,
    /// Whether it is new. In an audit of one state there is no before: new.
    #[serde(default)]
    pub since: Since,
    /// One sentence for a person.
    pub meaning: String,
    /// Rules, entries, routes, ports or packets that show it.
    pub evidence: Vec<String>,
    /// What to do.
    pub advice: String,
}

impl Finding {
    fn new(
        code: FindingCode,
        (severity, harm): (Severity, Harm),
        subject: Subject,
        element: Element,
        meaning: String,
        evidence: Vec<String>,
    ) -> Self {
        Self {
            code,
            severity,
            harm,
            subject,
            element,
            since: Since::New,
            meaning,
            evidence,
            advice: advice::of(code, harm).to_owned(),
        }
    }
}

/// What the house asks of tags, for `TAG-MISSING`. The default asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HouseRules {
    /// Keys that must be there with a value. `Expiry` among them: its value is a day (`2026-03-01`),
    /// a moment (RFC 3339) or `never`.
    pub required_tags: BTreeSet<String>,
    /// The moment that an expiry is compared with; `None` compares none.
    pub now: Option<Timestamp>,
}

/// Lines of evidence of one finding of an audit or of context.
const MOST_EVIDENCE: usize = 12;

/// Finds what is dangerous in the differences of one resource.
///
/// Each finding's element is the element of a difference of `diff`. Where several differences make
/// one effect together, each of them gets a finding, so that each can be taken back. A difference
/// counts as harmful if it would be by itself, on the baseline, or if taking back only it would undo
/// a part of the harm: an approved element that is gone is not excused by a stranger's element that
/// happens to do the same for now.
///
/// Severity is weighed by the effect that `impact` gives a difference (see the table in `weigh`):
/// an impact that tells nothing leaves it as the catalogue says.
pub fn assess(
    baselines: &Baselines,
    live: &Snapshot,
    diff: &ResourceDiff,
    impact: &Impact,
) -> Vec<Finding> {
    let mut scene = Scene::new(baselines, live, diff);
    if let Err(over) = within_bound(&scene) {
        unjudged(&mut scene, &over);
        return scene.teller.findings;
    }
    for difference in &diff.differences {
        match difference {
            Difference::Deleted { lost } => existence::deleted(&mut scene, lost),
            Difference::Unreviewed { found } => existence::unreviewed(&mut scene, found),
            Difference::Association {
                subnet,
                baseline,
                live,
            } => association::moved(&mut scene, subnet, baseline.as_ref(), live.as_ref()),
            Difference::Main {
                vpc,
                baseline,
                live,
            } => association::main(&mut scene, vpc, baseline, live.as_ref()),
            Difference::Edge { gateway, delta } => table::edge(&mut scene, gateway, delta),
            Difference::Propagation { gateway, delta } => {
                table::propagation(&mut scene, gateway, delta);
            }
            Difference::Rule { .. }
            | Difference::Entry { .. }
            | Difference::Route { .. }
            | Difference::Tag { .. } => {}
        }
    }
    match (
        baselines.state(&diff.resource),
        live.resources.get(&diff.resource),
    ) {
        (Some(Resource::SecurityGroup(good)), Some(Resource::SecurityGroup(found))) => {
            group::assess(&mut scene, good, found);
        }
        (Some(Resource::NetworkAcl(good)), Some(Resource::NetworkAcl(found))) => {
            acl::assess(&mut scene, good, found);
        }
        (Some(Resource::RouteTable(good)), Some(Resource::RouteTable(found))) => {
            table::assess(&mut scene, good, found);
        }
        (_, _) => {}
    }
    lockouts(&mut scene);
    scene
        .teller
        .findings
        .into_iter()
        .map(|finding| {
            let weight = weigh::weight(impact, &finding);
            weigh::weighed(finding, &weight)
        })
        .collect()
}

/// Whether the sets of both states can be built at all.
fn within_bound(scene: &Scene<'_>) -> Result<(), OverBound> {
    let id = &scene.diff.resource;
    match (scene.baselines.state(id), scene.live.resources.get(id)) {
        (Some(good), Some(found)) => bound::check_pair(good, found, &scene.lists),
        (Some(one), None) | (None, Some(one)) => bound::check(one, &scene.lists),
        (None, None) => Ok(()),
    }
}

/// UNJUDGED on every difference: what is not known alerts, and authorises no write.
fn unjudged(scene: &mut Scene<'_>, over: &OverBound) {
    for difference in &scene.diff.differences {
        scene.tell(
            FindingCode::Unjudged,
            (Severity::High, Harm::None),
            difference.element(),
            "what it does to traffic is not known: the resource is too large to be judged"
                .to_owned(),
            vec![over.to_string()],
        );
    }
}

/// VPCE-SSM-LOCKOUT, told on each difference that cut something, where instances that reached
/// Systems Manager no longer do, and would without the difference. What one resource loses another
/// holds, so what moved is never excused by its new holder.
fn lockouts(scene: &mut Scene<'_>) {
    let cuts: BTreeSet<Element> = scene
        .teller
        .findings
        .iter()
        .filter(|finding| finding.harm == Harm::Cuts)
        .map(|finding| finding.element.clone())
        .filter(carries_https)
        .collect();
    if cuts.is_empty() {
        return;
    }
    let (before, after, rest) = scene.sides_and_rest();
    let concerned = ssm::Concerned::by(&before, &after, &scene.diff.resource);
    let lost = ssm::lost(&before, &after, concerned.as_ref());
    if lost.is_empty() {
        return;
    }
    let anyway = ssm::lost(&before, &rest, concerned.as_ref());
    let by_others = |lost: &Finding| {
        let mut anyway = anyway.iter();
        anyway.any(|one| one.subject == lost.subject && one.evidence == lost.evidence)
    };
    let elsewhere = |lost: &Finding| match (&scene.diff.vpc, &lost.subject) {
        (Some(here), Subject::Vpc(vpc)) => here != vpc,
        _ => false,
    };
    for lost in lost {
        if elsewhere(&lost) {
            continue;
        }
        let by_others = by_others(&lost);
        for element in cuts.iter().filter(|cut| is_move(cut) || !by_others) {
            scene.teller.findings.push(Finding {
                subject: scene.diff.resource.clone().into(),
                element: element.clone(),
                evidence: bounded(lost.evidence.clone(), MOST_EVIDENCE),
                ..lost.clone()
            });
        }
    }
}

/// Whether an element is what only one resource can hold.
fn is_move(element: &Element) -> bool {
    matches!(
        element,
        Element::Subnet(_) | Element::Edge(_) | Element::Main
    )
}

/// Whether the loss of an element can cut tcp 443.
fn carries_https(element: &Element) -> bool {
    match element {
        Element::Rule(rule) => match rule.traffic {
            Traffic::All => true,
            Traffic::Tcp(range) => range.contains(443),
            Traffic::Udp(_) | Traffic::Icmp(_) | Traffic::Icmpv6(_) | Traffic::Protocol(_) => false,
        },
        Element::Tag(_) => false,
        _ => true,
    }
}

/// Finds what the difference of no guarded resource tells: block public access, NAT and internet
/// gateways, peerings, prefix lists, flow logs, groups and checks of interfaces, endpoints; and what
/// these make of resources that did not change themselves.
///
/// `baselines` must be all of them. Only kinds of context that both sides read completely are
/// compared ([`Topology::read`]). Findings that are neither new nor worse are left out. The element
/// of a finding is an element of its subject, of no difference.
pub fn context(baselines: &Baselines, live: &Snapshot) -> Vec<Finding> {
    context::between(baselines, live)
        .into_iter()
        .map(shortened)
        .collect()
}

/// Who depends on a thing around the guarded resources (a gateway, interface, endpoint, prefix list,
/// flow log, by its AWS id), as the baselines have it: evidence for an event that touches it.
pub fn dependents(baselines: &Baselines, id: &str) -> Vec<String> {
    let lines = context::dependents::of(&World::of_baselines(baselines), id);
    bounded(lines, MOST_EVIDENCE)
}

/// Finds what is dangerous in a state by itself: used at first capture ("already dangerous"). The
/// elements are elements of the subjects, of no difference.
///
/// An opening weighs as if it had just been made: critical only where the internet reaches it now, or
/// nobody knows.
pub fn audit(live: &Snapshot, house: &HouseRules) -> Vec<Finding> {
    let mut impacts = BTreeMap::new();
    audit::whole(&World::of_snapshot(live), house)
        .into_iter()
        .map(|finding| shortened(weighed_by_reach(live, finding, &mut impacts)))
        .collect()
}

/// A critical opening of a group, weighed by what the rules of the group do now.
fn weighed_by_reach(
    live: &Snapshot,
    finding: Finding,
    impacts: &mut BTreeMap<ResourceId, Impact>,
) -> Finding {
    let group = match &finding.subject {
        Subject::Resource(id) => match live.resources.get(id) {
            Some(Resource::SecurityGroup(group)) => group,
            _ => return finding,
        },
        _ => return finding,
    };
    if (finding.severity, finding.harm) != (Severity::Critical, Harm::Opens) {
        return finding;
    }
    let impact = impacts
        .entry(group.id.clone().into())
        .or_insert_with(|| impact_of_all_rules(live, group));
    let weight = weigh::weight(impact, &finding);
    weigh::weighed(finding, &weight)
}

/// The impact of every rule of a group, as if it had had none before.
fn impact_of_all_rules(live: &Snapshot, group: &SecurityGroup) -> Impact {
    let bare = SecurityGroup {
        rules: BTreeMap::new(),
        ..group.clone()
    };
    let id = ResourceId::from(group.id.clone());
    let mut before = Snapshot::empty(live.observed_at);
    before
        .resources
        .insert(id.clone(), Resource::SecurityGroup(bare));
    let baselines = Baselines::captured(&before, "nobody", "to weigh an audit");
    let only = BTreeSet::from([id]);
    let diffs = diff::diff(&baselines, live, Some(&only));
    diffs
        .first()
        .map(|diff| impact::impact(&baselines, live, diff))
        .unwrap_or_default()
}

/// What is dangerous in one resource as it is now, each risk told apart by whether it was there in
/// the baseline. [`assess`] tells what the differences do; this tells what else there is.
pub fn standing(
    baselines: &Baselines,
    live: &Snapshot,
    resource: &ResourceId,
    house: &HouseRules,
) -> Vec<Finding> {
    let lists = baselines.context().clone().with_lists_of(&live.topology);
    let (before, after) = World::sides(baselines, live, &lists);
    let of = |world: &World<'_>| {
        world.get(resource).map_or_else(Vec::new, |resource| {
            audit::of_resource(world, resource, house)
        })
    };
    since::mark(&of(&before), of(&after))
        .into_iter()
        .map(shortened)
        .collect()
}

fn shortened(finding: Finding) -> Finding {
    Finding {
        evidence: bounded(finding.evidence, MOST_EVIDENCE),
        ..finding
    }
}
