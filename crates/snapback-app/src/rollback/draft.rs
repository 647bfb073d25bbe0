//! The proposal in the making: what becomes baseline, and the plan of each story.

use super::{Known, Leg, Proposal, RollbackError};
use crate::port::ITEM_MAX;
use snapback_engine::incident::{Body, Commission, Errand, LeaseScope, Part};
use snapback_engine::plan::Plan;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What an entry holds beside its body, in bytes, at most.
const FRAME: usize = 512;

/// What a person allows and asks of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Steps may interrupt traffic.
    pub interruptions: bool,
    /// Traffic is to work after as few calls as can be.
    pub emergency: bool,
}

/// A proposal in the making.
pub(super) struct Draft<'a> {
    known: &'a Known,
    what: String,
    by: String,
    pub(super) parts: BTreeMap<ResourceId, Part>,
    pub(super) promoted: Vec<Baseline>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(known: &'a Known, what: String, by: String) -> Self {
        Self {
            known,
            what,
            by,
            parts: BTreeMap::new(),
            promoted: Vec::new(),
        }
    }

    /// All of a resource is to be `state`.
    pub(super) fn whole(&mut self, id: &ResourceId, state: Resource, now: Timestamp) {
        self.part(id, state, None, now);
    }

    /// A resource, or some elements of it, is to be as in `state`; its baseline becomes that where it
    /// is another.
    pub(super) fn part(
        &mut self,
        id: &ResourceId,
        state: Resource,
        elements: Option<BTreeSet<Element>>,
        now: Timestamp,
    ) {
        let Some(standing) = self.known.baselines.by_id.get(id) else {
            return;
        };
        let mut generation = standing.generation;
        if standing.state.as_ref() != Some(&state) {
            let promotion = Promotion {
                state,
                elements: elements.clone(),
                by: self.by.clone(),
                why: self.what.clone(),
                at: now,
            };
            let next = standing.promoted(promotion);
            generation = next.generation;
            self.promoted.push(next);
        }
        let part = Part {
            generation,
            elements,
        };
        self.parts.insert(id.clone(), part);
    }

    /// The plans for it, by story.
    ///
    /// # Errors
    /// [`RollbackError::TooLarge`].
    pub(super) fn proposal(
        self,
        terms: Terms,
        mut remarks: Vec<String>,
    ) -> Result<Proposal, RollbackError> {
        let whole = Errand {
            by: self.by.clone(),
            what: self.what.clone(),
            parts: self.parts.clone(),
            interruptions: terms.interruptions,
            emergency: terms.emergency,
        };
        let after = self.known.baselines.clone().with(self.promoted.clone());
        let mut scopes: BTreeMap<LeaseScope, BTreeMap<ResourceId, Part>> = BTreeMap::new();
        for (id, part) in &whole.parts {
            let vpc = after
                .by_id
                .get(id)
                .and_then(|standing| standing.vpc.as_ref());
            let parts = scopes.entry(LeaseScope::of(id, vpc)).or_default();
            parts.insert(id.clone(), part.clone());
        }
        let mut legs = Vec::new();
        for parts in scopes.into_values() {
            legs.extend(self.legs(&whole, parts, &after)?);
        }
        legs.retain(|leg| !leg.is_empty());
        if terms.emergency {
            let ordinary = legs.iter().filter(|leg| leg.emergency.is_none());
            remarks.extend(ordinary.map(|leg| {
                let ids: Vec<&str> = leg.errand.parts.keys().map(ResourceId::as_str).collect();
                format!(
                    "no other way has traffic working after fewer calls: the ordinary plan for {}",
                    ids.join(", ")
                )
            }));
        }
        let live = &self.known.live;
        let commission = whole.commission(&after, live, &Lineage::default());
        Ok(Proposal {
            legs,
            plan: commission.plan,
            remarks,
            live: live.clone(),
        })
    }

    /// The story for what one lease is about; one for each kind where the journal cannot hold it in one.
    fn legs(
        &self,
        whole: &Errand,
        parts: BTreeMap<ResourceId, Part>,
        after: &Baselines,
    ) -> Result<Vec<Leg>, RollbackError> {
        let leg = self.leg(whole, parts.clone(), after);
        if leg.bytes() <= ITEM_MAX {
            return Ok(vec![leg]);
        }
        let of_kind = |kind: Kind| -> BTreeMap<ResourceId, Part> {
            let parts = parts.iter().filter(|(id, _)| id.kind() == kind);
            parts.map(|(id, part)| (id.clone(), part.clone())).collect()
        };
        // Where packets go, then what is let through: as in one plan (semantics C4).
        [Kind::RouteTable, Kind::NetworkAcl, Kind::SecurityGroup]
            .map(of_kind)
            .into_iter()
            .filter(|parts| !parts.is_empty())
            .map(|parts| {
                let leg = self.leg(whole, parts, after);
                match leg.bytes() {
                    bytes if bytes <= ITEM_MAX => Ok(leg),
                    bytes => Err(RollbackError::TooLarge {
                        count: leg.errand.parts.len(),
                        calls: leg.plan.steps.len(),
                        bytes,
                    }),
                }
            })
            .collect()
    }

    fn leg(&self, whole: &Errand, parts: BTreeMap<ResourceId, Part>, after: &Baselines) -> Leg {
        let promoted = self.promoted.iter();
        let promoted = promoted
            .filter(|next| parts.contains_key(&next.id))
            .cloned();
        let promoted = promoted.collect();
        let errand = Errand {
            parts,
            ..whole.clone()
        };
        let Commission { plan, emergency } =
            errand.commission(after, &self.known.live, &Lineage::default());
        Leg {
            errand,
            plan,
            emergency,
            promoted,
        }
    }
}

impl Leg {
    fn is_empty(&self) -> bool {
        self.plan.steps.is_empty() && self.plan.notes.is_empty() && self.promoted.is_empty()
    }

    /// The size of its largest entry in the journal.
    fn bytes(&self) -> usize {
        let emergency = self.emergency.iter();
        let plans = emergency.flat_map(|emergency| [&emergency.fast, &emergency.repair]);
        let planned = |plan: &Plan| Body::Planned {
            plan: Box::new(plan.clone()),
        };
        let asked = Body::Asked {
            errand: Box::new(self.errand.clone()),
        };
        let bodies = plans.chain([&self.plan]).map(planned).chain([asked]);
        let sizes = bodies.map(|body| {
            serde_json::to_string(&body).map_or(usize::MAX, |json| json.len().saturating_add(FRAME))
        });
        sizes.max().unwrap_or_default()
    }
}
