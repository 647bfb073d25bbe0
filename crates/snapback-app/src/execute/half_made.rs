//! What a making without an answer left behind: it is found again, so that nothing is made twice.

use super::{Execution, GuardError};
use crate::patience::{STALE_PAUSE, STALE_READS_MAX, between};
use crate::port::{Scope, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::Body;
use snapback_engine::plan::Action;
use snapback_model::*;
use std::collections::BTreeSet;

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// Finds what a making without an answer left behind, so that nothing is made twice.
    ///
    /// # Errors
    /// What a read failed of; the story is left open.
    pub(super) async fn find_half_made(
        &mut self,
        bodies: &mut Vec<Body>,
    ) -> Result<(), GuardError> {
        let mut begun = self.begun();
        begun.retain(|id| self.lineage.current_resource(id) == *id);
        self.find_half_made_gateways(bodies);
        for lost in begun {
            if let Err(error) = self.find_one_half_made(&lost, bodies).await {
                let why = error.to_string();
                return Err(self.interrupt(std::mem::take(bodies), why).await);
            }
        }
        Ok(())
    }

    async fn find_one_half_made(
        &mut self,
        lost: &ResourceId,
        bodies: &mut Vec<Body>,
    ) -> Result<(), GuardError> {
        for _ in 0..STALE_READS_MAX {
            self.see_namesakes(lost).await?;
            if self.scene.live.resources.contains_key(lost) {
                return Ok(());
            }
            if let Some(found) = self.story.half_made(lost.as_str(), &self.scene.live) {
                self.half_made(lost.as_str(), found, bodies);
                return Ok(());
            }
            self.visit.guard.ports.sleep(STALE_PAUSE).await;
            self.observe().await?;
        }
        let step = self.step_that_makes(lost);
        if let (Some(step), Some(newborn)) = (step, self.deleted_newborn(lost).await?) {
            let made = CreatedId::new(newborn.id.as_str());
            self.half_made(lost.as_str(), (step, made), bodies);
            let known = &mut self.scene.baselines.by_id;
            known.insert(newborn.id.clone(), newborn);
        }
        Ok(())
    }

    /// The step of the latest plan that makes a resource again.
    fn step_that_makes(&self, lost: &ResourceId) -> Option<usize> {
        let mut steps = self.story.plan.iter().flat_map(|plan| &plan.steps);
        steps.position(|step| step.action.makes_as(lost.as_str()))
    }

    /// What a call without an answer made and a trusted hand deleted since: the event of the making
    /// told whose it was, that of the deletion ended it. It is not made once more.
    async fn deleted_newborn(&self, lost: &ResourceId) -> Result<Option<Baseline>, GuardError> {
        let mut calls = self.story.unsettled.iter();
        let Some(call) = calls.find(|call| call.action.makes_as(lost.as_str())) else {
            return Ok(None);
        };
        let wanted = Wanted {
            everything: true,
            only_states: true,
            ..Wanted::default()
        };
        let known = self.visit.baselines(&wanted).await?.unwrap_or_default();
        let since = |baseline: &Baseline| {
            let mark = baseline.marks.get(&Element::Existence);
            mark.is_some_and(|mark| between(mark.at, call.at) <= self.limits().skew)
        };
        let ended = known.by_id.into_values().filter(|baseline| {
            let same = baseline.id.kind() == lost.kind() && baseline.id != *lost;
            same && baseline.is_tombstone() && since(baseline)
        });
        for newborn in ended {
            let record = self.visit.record(&newborn.id).await?;
            if record.unsettled.contains(&self.story.incident) {
                return Ok(Some(newborn));
            }
        }
        Ok(None)
    }

    /// What this story made after a call without an answer had made another, which a trusted hand deleted:
    /// the event of that came while the next try was on its way.
    pub(super) async fn made_after_a_deleted_one(&self) -> Result<Option<String>, GuardError> {
        for lost in self.begun() {
            let new = self.lineage.current_resource(&lost);
            if new == lost {
                continue;
            }
            let deleted = self.deleted_newborn(&lost).await?;
            let newborn = deleted.map(|one| one.id).filter(|id| *id != new);
            if let Some(newborn) = newborn {
                return Ok(Some(format!(
                    "left: {new} was made in the place of {lost} after {newborn} was, which a trusted hand deleted: delete {new} if it is to go"
                )));
            }
        }
        Ok(None)
    }

    /// The guarded resources whose making was begun and had no answer.
    fn begun(&self) -> BTreeSet<ResourceId> {
        let calls = self.story.unsettled.iter();
        let makings = calls.filter(|call| call.action.makes_kind().is_some());
        makings
            .filter_map(|call| call.action.makes()?.as_str().parse().ok())
            .collect()
    }

    /// A group is read by its id, and one that was made again is found by its name: by what the call
    /// asked for, since a trusted deletion may have ended the good state meanwhile.
    async fn see_namesakes(&mut self, lost: &ResourceId) -> Result<(), GuardError> {
        let name = self.story.unsettled.iter().find_map(|call| {
            let makes = call.action.makes()?;
            match &call.action {
                Action::CreateSecurityGroup { name, .. } if makes.as_str() == lost.as_str() => {
                    Some(name.clone())
                }
                _ => None,
            }
        });
        let known = self.scene.baselines.state(lost).is_some();
        if let (Some(name), false) = (name, known) {
            let named = Scope::GroupNamed(name);
            let found = self.visit.observe(&named, self.focus).await?;
            self.scene.live.merge(found);
        }
        Ok(())
    }

    /// The NAT gateways that calls without an answer made: the plan finds them by itself, the story
    /// tells of them.
    fn find_half_made_gateways(&mut self, bodies: &mut Vec<Body>) {
        let asked: BTreeSet<CreatedId> = self
            .story
            .unsettled
            .iter()
            .filter(|call| matches!(call.action, Action::CreateNatGateway { .. }))
            .filter_map(|call| call.action.makes())
            .filter(|name| self.lineage.current(name.as_str()) == name.as_str())
            .collect();
        for name in asked {
            if let Some(found) = self.story.half_made(name.as_str(), &self.scene.live) {
                self.half_made(name.as_str(), found, bodies);
            }
        }
    }

    /// Notes what a call without an answer made. Where the work stopped before that was noted, the call
    /// is told as one without an answer: its event may still come, and is ours.
    fn half_made(&mut self, old: &str, (step, new): (usize, CreatedId), bodies: &mut Vec<Body>) {
        tracing::info!(old, %new, "made by a call of ours without an answer");
        if self.resumed {
            bodies.push(Body::StepEnded {
                step,
                outcome: StepOutcome::Unknown {
                    what: "the work stopped before the answer was written down".into(),
                },
            });
        }
        self.lineage.record(old, new.as_str());
        bodies.push(Body::StepEnded {
            step,
            outcome: StepOutcome::AlreadyInPlace { created: Some(new) },
        });
    }
}
