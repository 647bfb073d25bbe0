//! What a person asked Snapback to do: the story that carries it may be finished by another process.

use crate::diff::{self, Difference, Side};
use crate::plan::{self, Emergency, Plan};
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What a person asked for: their baselines were made what they want, and live is to follow.
///
/// It names no states: the goal is what the baselines say, so that whoever finishes it goes by the
/// newest good state, and under the ids of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// Who.
    pub by: String,
    /// What, for people: `rollback to generation 3`.
    pub what: String,
    /// What is to follow its baseline.
    pub parts: BTreeMap<ResourceId, Part>,
    /// Whether steps may cut traffic that both ends allow, or open what neither does.
    pub interruptions: bool,
    /// Whether traffic is to work after as few calls as can be, and the repair to come after.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
}

/// What is planned for an errand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// The plan to all that was asked for.
    pub plan: Plan,
    /// What is run instead, where that was asked for and has traffic working after fewer calls.
    pub emergency: Option<Emergency>,
}

/// What of a resource is to follow its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The generation that the person made, or found: an older one says something else.
    pub generation: Generation,
    /// Only these elements; `None` is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<BTreeSet<Element>>,
}

impl Errand {
    /// The resources whose baseline is not what the person made it (yet): nothing may be done on them.
    pub fn unready(&self, baselines: &Baselines, lineage: &Lineage) -> Vec<ResourceId> {
        let ready = |id: &ResourceId, part: &Part| {
            let current = lineage.current_resource(id);
            // What was made again begins to count anew.
            current != *id
                || baselines
                    .by_id
                    .get(id)
                    .is_some_and(|baseline| baseline.generation >= part.generation)
        };
        let parts = self.parts.iter().filter(|(id, part)| !ready(id, part));
        parts.map(|(id, _)| id.clone()).collect()
    }

    /// What still differs from the baselines, of what was asked for, by the ids of now.
    pub fn left(
        &self,
        baselines: &Baselines,
        live: &Snapshot,
        lineage: &Lineage,
    ) -> BTreeMap<ResourceId, Vec<Difference>> {
        let mut left = BTreeMap::new();
        for (id, part) in &self.parts {
            let current = lineage.current_resource(id);
            if baselines.state(&current).is_none() {
                continue;
            }
            let only = BTreeSet::from([current.clone()]);
            let mut differences: Vec<Difference> = diff::diff(baselines, live, Some(&only))
                .into_iter()
                .flat_map(|diff| diff.differences)
                .collect();
            if let Some(elements) = &part.elements {
                let asked = |difference: &Difference| {
                    matches!(difference, Difference::Deleted { .. })
                        || elements.contains(&difference.element())
                };
                differences.retain(asked);
            }
            if !differences.is_empty() {
                left.insert(current, differences);
            }
        }
        left
    }

    /// The states to lead to, of the resources that are not there yet: live, with what was asked for
    /// as the baselines have it.
    pub fn goal(
        &self,
        baselines: &Baselines,
        live: &Snapshot,
        lineage: &Lineage,
    ) -> BTreeMap<ResourceId, Resource> {
        let mut goal = BTreeMap::new();
        for (id, differences) in self.left(baselines, live, lineage) {
            let mut state = match (live.resources.get(&id), baselines.state(&id)) {
                (Some(found), _) => found.clone(),
                (None, Some(lost)) => lost.clone(),
                (None, None) => continue,
            };
            for difference in &differences {
                difference.apply(&mut state, Side::Baseline);
            }
            goal.insert(id, state);
        }
        give_back(&mut goal, baselines);
        goal
    }

    /// What is planned for it: also the end of whatever stood in for others in its VPCs.
    pub fn commission(
        &self,
        baselines: &Baselines,
        live: &Snapshot,
        lineage: &Lineage,
    ) -> Commission {
        let goal = self.goal(baselines, live, lineage);
        let emergency = self.emergency && !goal.is_empty();
        let plan = if goal.is_empty() {
            plan::tidy(live, &self.vpcs(baselines, live, lineage))
        } else {
            plan::plan(live, &goal, baselines)
        };
        Commission {
            plan,
            emergency: emergency
                .then(|| plan::emergency(live, &goal, baselines))
                .flatten(),
        }
    }

    fn vpcs(&self, baselines: &Baselines, live: &Snapshot, lineage: &Lineage) -> BTreeSet<VpcId> {
        let now = self.parts.keys().map(|id| lineage.current_resource(id));
        let states = now.filter_map(|id| {
            let state = live.resources.get(&id).or_else(|| baselines.state(&id))?;
            state.vpc().cloned()
        });
        states.collect()
    }

    /// One line for each difference that is left.
    pub fn left_in_words(
        &self,
        baselines: &Baselines,
        live: &Snapshot,
        lineage: &Lineage,
    ) -> Vec<String> {
        let left = self.left(baselines, live, lineage);
        let lines = left.iter().flat_map(|(id, differences)| {
            differences
                .iter()
                .map(move |difference| format!("{id}: {}", difference.describe()))
        });
        lines.collect()
    }
}

/// What a resource holds in live and another one of the goal is to hold: it is the other one's difference, and
/// no goal of two.
fn give_back(goal: &mut BTreeMap<ResourceId, Resource>, baselines: &Baselines) {
    let claims = goal.clone();
    for (id, state) in goal.iter_mut() {
        let others = claims.iter().filter(|(other, _)| *other != id);
        for (_, other) in others {
            match (&mut *state, other, baselines.state(id)) {
                (
                    Resource::RouteTable(state),
                    Resource::RouteTable(other),
                    Some(Resource::RouteTable(own)),
                ) => {
                    let keep = |subnet: &SubnetId| {
                        own.subnets.contains(subnet) || !other.subnets.contains(subnet)
                    };
                    state.subnets.retain(keep);
                    let keep = |gateway: &GatewayId| {
                        own.gateways.contains(gateway) || !other.gateways.contains(gateway)
                    };
                    state.gateways.retain(keep);
                    let taken = other.main && other.vpc == state.vpc;
                    state.main &= own.main || !taken;
                }
                (
                    Resource::NetworkAcl(state),
                    Resource::NetworkAcl(other),
                    Some(Resource::NetworkAcl(own)),
                ) => {
                    let keep = |subnet: &SubnetId| {
                        own.subnets.contains(subnet) || !other.subnets.contains(subnet)
                    };
                    state.subnets.retain(keep);
                }
                _ => {}
            }
        }
    }
}
