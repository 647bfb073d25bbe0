//! The emergency variant of a plan: traffic works again after as few calls as can be, the resources are
//! repaired afterwards.
//!
//! A table (ACL) that is far from its goal is not rewritten under traffic: another one that equals the
//! goal takes its subnets over, one of the VPC that says the same, or one made anew. The repair then
//! rewrites the old one, which serves nobody, and moves the subnets back. It is moved back, and not
//! succeeded by the new one, because the id is what everything outside names: infrastructure as code,
//! endpoints, scripts. So at the end they see no difference at all, and nothing stays behind.
//!
//! What counts is the number of calls until the last subnet has the traffic of the goal. A stand-in
//! that has to be made first costs as many calls as the goal has entries or routes, so it only helps
//! where live holds many that the goal lacks.

use super::temporary::{has_room, stand_in_of};
use super::working::calls_to_working;
use super::{Action, Plan, Step, apply, association::settle, plan};
use snapback_model::*;
use std::collections::BTreeMap;

type Goal = BTreeMap<ResourceId, Resource>;

/// A fast plan with the repair that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    /// Leads to working traffic.
    pub fast: Plan,
    /// Leads from there to the goal. It names what the fast plan makes by the id it has there.
    pub repair: Plan,
    /// Calls until traffic is as in the goal and stays so.
    pub calls: usize,
    /// The same of the ordinary plan.
    pub ordinary: usize,
    /// What stands in for which resource of the goal.
    pub stand_ins: BTreeMap<ResourceId, ResourceId>,
}

impl Emergency {
    /// The state that the fast plan leads to from `live`, which it was made for.
    pub fn after(&self, live: &Snapshot) -> Snapshot {
        folded(live, &self.fast).unwrap_or_else(|| live.clone())
    }
}

/// The emergency variant of the plan to the goal; `None` where the ordinary plan has traffic working
/// after as few calls, or where no such plan is proved safe in every step.
pub fn emergency(live: &Snapshot, goal: &Goal, baselines: &Baselines) -> Option<Emergency> {
    let ordinary = plan(live, goal, baselines);
    let mut settled = goal.clone();
    settle(&mut settled, live, baselines);
    let mut stand_ins = BTreeMap::new();
    for (id, wanted) in goal {
        // What the plan only leaves where it is would be left with the stand-in.
        if settled.get(id) != Some(wanted) {
            continue;
        }
        let alone = Goal::from([(id.clone(), wanted.clone())]);
        let variants = candidates(live, wanted, &ordinary)
            .into_iter()
            .filter_map(|candidate| {
                let with = BTreeMap::from([(id.clone(), candidate)]);
                let variant = variant(live, &alone, &with, baselines)?;
                Some((variant.calls, with))
            });
        if let Some((_, with)) = variants.min_by_key(|(calls, _)| *calls) {
            stand_ins.extend(with);
        }
    }
    if stand_ins.is_empty() {
        return None;
    }
    variant(live, goal, &stand_ins, baselines)
}

/// The variant with these stand-ins, where it needs fewer calls.
fn variant(
    live: &Snapshot,
    goal: &Goal,
    stand_ins: &Goal,
    baselines: &Baselines,
) -> Option<Emergency> {
    let mut fast = plan(live, &merged(stand_ins), baselines);
    let makes_gateway = |step: &Step| matches!(step.action, Action::CreateNatGateway { .. });
    if fast.steps.is_empty() || fast.steps.iter().any(makes_gateway) {
        return None;
    }
    tell(&mut fast, stand_ins);
    let after = folded(live, &fast)?;
    let repair = plan(&after, goal, baselines);
    let end = folded(&after, &repair)?;
    let whole: Vec<Step> = fast.steps.iter().chain(&repair.steps).cloned().collect();
    let calls = calls_to_working(live, &whole, &end, goal)?;
    let ordinary = calls_to_working(live, &plan(live, goal, baselines).steps, &end, goal)?;
    let stand_ins = stand_ins.iter().map(|(of, with)| (of.clone(), with.id()));
    (calls < ordinary).then(|| Emergency {
        fast,
        repair,
        calls,
        ordinary,
        stand_ins: stand_ins.collect(),
    })
}

/// The stand-ins by their ids; one that stands in for several takes all their subnets.
fn merged(stand_ins: &Goal) -> Goal {
    let mut merged = Goal::new();
    for with in stand_ins.values() {
        match (merged.get_mut(&with.id()), with) {
            (Some(Resource::NetworkAcl(one)), Resource::NetworkAcl(other)) => {
                one.subnets.extend(other.subnets.iter().cloned());
            }
            (Some(Resource::RouteTable(one)), Resource::RouteTable(other)) => {
                one.subnets.extend(other.subnets.iter().cloned());
                one.main |= other.main;
            }
            _ => {
                merged.insert(with.id(), with.clone());
            }
        }
    }
    merged
}

/// What could stand in for a resource, in the order of preference: what was made for it already, what
/// the VPC has anyway, a new one.
fn candidates(live: &Snapshot, wanted: &Resource, ordinary: &Plan) -> Vec<Resource> {
    let id = wanted.id();
    let Some(now) = live.resources.get(&id) else {
        return Vec::new();
    };
    let ours = stand_in_of(live, &id);
    let mut found: Vec<Resource> = ours
        .and_then(|ours| shaped(ours, wanted))
        .into_iter()
        .collect();
    found.extend(twin(live, wanted, ordinary).and_then(|twin| shaped(twin, wanted)));
    match (now, wanted) {
        // Edge associations stay: they take no other routes.
        (Resource::RouteTable(now), Resource::RouteTable(wanted))
            if !wanted.gateways.is_empty() || wanted.main != now.main =>
        {
            return Vec::new();
        }
        (Resource::RouteTable(_), Resource::RouteTable(_))
        | (Resource::NetworkAcl(_), Resource::NetworkAcl(_)) => {}
        _ => return Vec::new(),
    }
    if ours.is_none() && has_room(live, id.kind(), wanted.vpc()) {
        found.extend(new(wanted));
    }
    found
}

/// Another one of the VPC that says what the goal says, and which the ordinary plan leaves alone.
fn twin<'a>(live: &'a Snapshot, wanted: &Resource, ordinary: &Plan) -> Option<&'a Resource> {
    let touched = |id: &ResourceId| {
        let steps = ordinary.steps.iter().map(|step| &step.resource);
        steps
            .chain(ordinary.goal.keys())
            .any(|touched| touched == id)
    };
    let alike = |other: &Resource| match (other, wanted) {
        (Resource::NetworkAcl(other), Resource::NetworkAcl(wanted)) => {
            other.vpc == wanted.vpc && other.entries == wanted.entries
        }
        (Resource::RouteTable(other), Resource::RouteTable(wanted)) => {
            other.vpc == wanted.vpc
                && other.routes == wanted.routes
                && other.propagating == wanted.propagating
                && other.gateways.is_empty()
                && !(wanted.main && other.main)
        }
        _ => false,
    };
    live.resources
        .values()
        .find(|other| alike(other) && !touched(&other.id()) && Temporary::of(other).is_none())
}

/// A stand-in that exists, with what the goal says and whom it serves beside its own.
fn shaped(found: &Resource, wanted: &Resource) -> Option<Resource> {
    Some(match (found, wanted) {
        (Resource::NetworkAcl(found), Resource::NetworkAcl(wanted)) => {
            let mut acl = found.clone();
            acl.entries = wanted.entries.clone();
            acl.subnets.extend(wanted.subnets.iter().cloned());
            Resource::NetworkAcl(acl)
        }
        (Resource::RouteTable(found), Resource::RouteTable(wanted)) => {
            let mut table = found.clone();
            table.routes = wanted.routes.clone();
            table.propagating = wanted.propagating.clone();
            table.subnets.extend(wanted.subnets.iter().cloned());
            table.main |= wanted.main;
            Resource::RouteTable(table)
        }
        _ => return None,
    })
}

/// A new one with what the goal says and whom it serves.
fn new(wanted: &Resource) -> Option<Resource> {
    let temporary = Temporary {
        of: wanted.id(),
        says: StandIn::Goal,
    };
    let tags = temporary.tags();
    Some(match (wanted, temporary.name()?) {
        (Resource::NetworkAcl(wanted), ResourceId::NetworkAcl(id)) => {
            Resource::NetworkAcl(NetworkAcl {
                id,
                is_default: false,
                tags,
                ..wanted.clone()
            })
        }
        (Resource::RouteTable(wanted), ResourceId::RouteTable(id)) => {
            Resource::RouteTable(RouteTable {
                id,
                tags,
                ..wanted.clone()
            })
        }
        _ => return None,
    })
}

/// Says why each call of the fast plan is made.
fn tell(fast: &mut Plan, stand_ins: &Goal) {
    let of: BTreeMap<ResourceId, Vec<&str>> =
        stand_ins
            .iter()
            .fold(BTreeMap::new(), |mut all, (of, with)| {
                all.entry(with.id())
                    .or_insert_with(Vec::new)
                    .push(of.as_str());
                all
            });
    for step in &mut fast.steps {
        let whom = of.get(&step.resource).map(|of| of.join(" and "));
        let whom = whom.unwrap_or_default();
        match &step.action {
            Action::CreateNetworkAcl { .. } | Action::CreateRouteTable { .. } => {
                step.why = format!("make what stands in for {whom} while it is repaired");
            }
            Action::ReplaceNetworkAclAssociation { subnet, .. } => {
                step.why = format!("let it take {subnet} over from {whom}");
            }
            Action::AssociateRouteTable { subject, .. }
            | Action::ReplaceRouteTableAssociation { subject, .. } => {
                step.why = format!("let it take {subject} over from {whom}");
            }
            _ => {}
        }
    }
}

/// The end of a plan that is safe in every step.
fn folded(live: &Snapshot, plan: &Plan) -> Option<Snapshot> {
    if !plan.notes.is_empty() {
        return None;
    }
    let mut state = live.clone();
    for step in &plan.steps {
        apply(&step.action, &mut state).ok()?;
    }
    Some(state)
}
