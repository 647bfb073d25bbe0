//! What a person asked for, in the hands of the executor: the same lease, journal, steps and proof as a
//! revert; only the goal is theirs.

use super::{Ended, Execution, GuardError};
use crate::assessment::Assessment;
use crate::port::StoreError;
use crate::rights::GuardPorts;
use snapback_engine::incident::{Body, Commission, Errand, Outcome};
use snapback_engine::plan::Plan;
use snapback_engine::policy::{Interruptions, Mode, Policy};
use snapback_model::Baseline;
use std::borrow::Cow;

/// The next plan of a person's story.
pub(super) struct Commissioned {
    pub plan: Plan,
    /// Whether it only has traffic working, and the repair comes after it.
    pub then_repair: bool,
}

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// Begins a person's story and runs it to the end. The lease comes first, then the baselines that
    /// the person makes (so that no guard fights them), then the calls.
    ///
    /// # Errors
    /// [`GuardError`] with the story left open for the next.
    pub async fn run_errand(
        mut self,
        errand: Errand,
        promoted: &[Baseline],
    ) -> Result<Ended, GuardError> {
        let mut bodies = self.opening();
        bodies.push(Body::Asked {
            errand: Box::new(errand),
        });
        self.write(bodies).await?;
        if let Err(why) = self.promote(promoted).await? {
            return self.close(Outcome::Refused, Vec::new(), vec![why]).await;
        }
        Box::pin(self.rounds(Vec::new())).await
    }

    /// Writes the baselines; the words where somebody wrote one of them meanwhile.
    async fn promote(&mut self, promoted: &[Baseline]) -> Result<Result<(), String>, GuardError> {
        if promoted.is_empty() {
            return Ok(Ok(()));
        }
        let (visit, ports) = (self.visit, &self.visit.guard.ports);
        let written = visit.pace().retried(|| ports.put_baselines(promoted)).await;
        match written {
            Ok(()) => {}
            // Perhaps by our own first try, whose answer was lost.
            Err(StoreError::Conflict { what }) if !self.is_promoted(promoted).await? => {
                return Ok(Err(format!(
                    "{what} was written by somebody else meanwhile; no call was made: look again, then ask again"
                )));
            }
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(self.interrupt(Vec::new(), error.to_string()).await),
        }
        let newer = promoted.iter().cloned();
        let newer = newer.map(|baseline| (baseline.id.clone(), baseline));
        self.scene.baselines.by_id.extend(newer);
        Ok(Ok(()))
    }

    async fn is_promoted(&self, promoted: &[Baseline]) -> Result<bool, GuardError> {
        let wanted = crate::port::Wanted {
            resources: promoted
                .iter()
                .map(|baseline| baseline.id.clone())
                .collect(),
            only_states: true,
            ..crate::port::Wanted::default()
        };
        let stored = self.visit.baselines(&wanted).await?.unwrap_or_default();
        let same = |baseline: &Baseline| stored.by_id.get(&baseline.id) == Some(baseline);
        Ok(promoted.iter().all(same))
    }

    /// Why nothing more may be done for a person, if it may not.
    pub(super) fn hindrance(&self) -> Option<Vec<String>> {
        let errand = self.story.errand.as_deref()?;
        let unready = errand.unready(&self.scene.baselines, &self.lineage);
        if !unready.is_empty() {
            let ids: Vec<String> = unready.iter().map(ToString::to_string).collect();
            return Some(vec![format!(
                "the work stopped before the baselines were written ({}); no call was made for them: ask again",
                ids.join(", ")
            )]);
        }
        let policy = &self.visit.guard.policy;
        let observed = |id: &snapback_model::ResourceId| policy.mode_of(id.kind()) == Mode::Observe;
        if !self.visit.by_person && errand.parts.keys().any(observed) {
            let mut why = vec![
                "the person's run stopped midway, and the mode is observe: the guard does not go on with it"
                    .to_owned(),
            ];
            why.extend(self.left_behind());
            return Some(why);
        }
        None
    }

    /// The plan for what a person asked for; nothing where it is done, or where nobody asked. Where an
    /// emergency plan comes first, whoever plans after it goes on from the truth: with the repair.
    pub(super) fn commission(&self) -> Option<Commissioned> {
        let errand = self.story.errand.as_deref()?;
        let baselines = self.baselines();
        let Commission { plan, emergency } =
            errand.commission(&baselines, &self.scene.live, &self.lineage);
        if let Some(emergency) = emergency {
            return Some(Commissioned {
                plan: emergency.fast,
                then_repair: true,
            });
        }
        if plan.goal.is_empty() && plan.steps.is_empty() {
            return None;
        }
        Some(Commissioned {
            plan,
            then_repair: false,
        })
    }

    /// How often a plan may be made: two are meant in an emergency.
    pub(super) fn plans_max(&self) -> u32 {
        let errand = self.story.errand.as_deref();
        let more = u32::from(errand.is_some_and(|errand| errand.emergency));
        self.limits()
            .replans_max
            .saturating_add(1)
            .saturating_add(more)
    }

    /// The policy by which a plan may run: where a person asked, what they allow counts.
    pub(super) fn policy(&self) -> Cow<'_, Policy> {
        let policy = &self.visit.guard.policy;
        let Some(errand) = self.story.errand.as_deref() else {
            return Cow::Borrowed(policy);
        };
        let mut policy = policy.clone();
        policy.interruptions = if errand.interruptions {
            Interruptions::Allow
        } else {
            Interruptions::Forbid
        };
        Cow::Owned(policy)
    }

    /// What is left to do, in words.
    pub(super) fn left_behind(&self) -> Vec<String> {
        let left = match self.errand_left() {
            Some(left) => left,
            None => self.assess().iter().flat_map(Assessment::reverts).collect(),
        };
        let lines = left.into_iter().map(|line| format!("left: {line}"));
        lines.collect()
    }

    /// What is left of what a person asked for, in words; nothing where nobody asked.
    pub(super) fn errand_left(&self) -> Option<Vec<String>> {
        let errand = self.story.errand.as_deref()?;
        Some(errand.left_in_words(&self.baselines(), &self.scene.live, &self.lineage))
    }
}
