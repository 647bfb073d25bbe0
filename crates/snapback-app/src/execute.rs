//! `execute`: one revert, from the lease to the verified end.
//!
//! - Owns: the lease and its fencing, journal before effect, fresh preconditions, what each error
//!   leads to, verification, the time that is left.
//! - Takes: a scene, the resource's record, a story (new or taken over).
//! - Gives: how it ended, or [`GuardError`] with the story left open for the next.
//! - Must not: report `Reverted` before live was read back equal; write without the lease.

mod course;
mod prove;
mod remake;
mod walk;

use course::{Course, course};

use crate::assessment::{Assessment, assess};
use crate::guard::{Ended, Ending, Focus, GuardError, Scene, Spot, Visit};
use crate::ledger;
use crate::patience::{INTERRUPTIONS_MAX, between, later, millis};
use crate::port::{Metric, StoreError};
use crate::rights::GuardPorts;
use snapback_engine::change::Change;
use snapback_engine::execution::Limits;
use snapback_engine::incident::{Body, Entry, Outcome, Place, ResourceRecord, Story};
use snapback_engine::plan::{self, Plan};
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use std::collections::BTreeMap;

/// The states that a verification reads for.
type Target = BTreeMap<ResourceId, Resource>;

/// One revert in work.
pub(crate) struct Execution<'a, 'g, P> {
    visit: &'a Visit<'g, P>,
    spot: &'a Spot,
    focus: &'a Focus,
    scene: &'a mut Scene,
    /// As it is stored.
    record: ResourceRecord,
    story: Story,
    place: Place,
    change: Option<Change>,
    /// Told before this story.
    told: BTreeMap<Element, Digest>,
    /// What was made again so far, under which id.
    lineage: Lineage,
    /// Whether the lease is ours.
    claimed: bool,
    /// Whether somebody else began the story.
    resumed: bool,
    next_sequence: u32,
}

/// How a walk through a plan ended; the bodies are still to be written.
enum Walk {
    Done(Vec<Body>),
    /// Somebody changed things meanwhile.
    Changed(Vec<Body>, String),
    /// EC2 refused for good.
    Failed(Vec<Body>, String),
    /// EC2 did not do it for now.
    Exhausted(Vec<Body>, String),
}

/// What a verification showed.
enum Proof {
    Proven,
    Differs(Vec<String>),
}

impl<'a, 'g, P: GuardPorts> Execution<'a, 'g, P> {
    pub fn new(
        visit: &'a Visit<'g, P>,
        spot: &'a Spot,
        focus: &'a Focus,
        scene: &'a mut Scene,
        record: ResourceRecord,
        story: Story,
        place: Place,
    ) -> Self {
        let next_sequence = if record.open.is_some() {
            record.last_sequence.saturating_add(1)
        } else {
            0
        };
        Self {
            visit,
            spot,
            focus,
            scene,
            told: record.told.clone(),
            resumed: record.open.is_some(),
            change: story.change.as_deref().cloned(),
            lineage: story.lineage.clone(),
            record,
            story,
            place,
            claimed: false,
            next_sequence,
        }
    }

    /// Judges by another change than the one that opened the story.
    pub fn judged_by(mut self, change: Option<&Change>) -> Self {
        if let Some(change) = change {
            self.change = Some(change.clone());
        }
        self
    }

    /// Runs to the end: plans from the truth, walks, proves; again where somebody interferes.
    ///
    /// # Errors
    /// [`GuardError`] where the next delivery or the sweep is to go on.
    pub async fn run(mut self) -> Result<Ended, GuardError> {
        let mut bodies = self.opening();
        let mut left = Vec::new();
        for round in 0..=self.limits().replans_max {
            if round > 0 || self.successor().is_some() {
                tracing::info!(incident = %self.story.incident, round, "plan again from the truth");
                self.reread(&mut bodies).await?;
            }
            self.find_half_made(&mut bodies).await?;
            let assessment = self.assess();
            let plan = match self.completion() {
                Some(plan) => Some(plan),
                None => self.decided(assessment.as_ref(), &mut bodies),
            };
            let done = plan.as_ref().is_none_or(|plan| self.is_completed(plan));
            let Some(plan) = plan.filter(|_| !done) else {
                match self.prove(None, std::mem::take(&mut bodies)).await? {
                    Proof::Proven => {
                        let (outcome, lacks) = self.completed();
                        return self.close(outcome, bodies, lacks).await;
                    }
                    Proof::Differs(differs) => left = differs,
                }
                continue;
            };
            let policy = &self.visit.guard.policy;
            let (target, partial) = match course(&plan, &self.scene.live, self.limits(), policy) {
                Course::Go { target, partial } => (target, partial),
                Course::Refused(why) => {
                    return self.refuse(assessment.as_ref(), bodies, plan, why).await;
                }
            };
            bodies.push(Body::Planned {
                plan: Box::new(plan.clone()),
            });
            let carried = match self.walk(&plan, std::mem::take(&mut bodies)).await? {
                Walk::Done(carried) => carried,
                Walk::Changed(carried, why) => {
                    bodies = carried;
                    left = vec![why];
                    continue;
                }
                Walk::Failed(carried, why) => return self.fail(carried, why).await,
                Walk::Exhausted(carried, why) => return self.give_up(carried, why).await,
            };
            let target = self.named_now(target);
            match self.prove(Some(&target), carried).await? {
                Proof::Proven if partial => {
                    return self.close(Outcome::Refused, bodies, Vec::new()).await;
                }
                Proof::Proven => return self.close(Outcome::Reverted, bodies, Vec::new()).await,
                Proof::Differs(differs) => left = differs,
            }
        }
        let why = format!(
            "live did not stay at its goal through {} plans: {}",
            self.limits().replans_max.saturating_add(1),
            left.join("; ")
        );
        self.fail(bodies, why).await
    }

    fn limits(&self) -> &Limits {
        &self.visit.guard.limits
    }

    /// What a new story begins with; a story that is taken over has begun.
    fn opening(&self) -> Vec<Body> {
        if self.record.open.is_some() {
            return Vec::new();
        }
        vec![Body::Opened {
            resource: self.story.resource.clone(),
            cause: self.story.cause.clone(),
            change: self.story.change.clone(),
        }]
    }

    fn assess(&self) -> Option<Assessment> {
        assess(
            &self.baselines(),
            &self.scene.live,
            &self.lineage.current_resource(&self.story.resource),
            self.change.as_ref(),
            &self.visit.guard.policy,
        )
    }

    /// Notes the decision where it says something new, and plans where something is to be reverted.
    fn decided(&self, assessment: Option<&Assessment>, bodies: &mut Vec<Body>) -> Option<Plan> {
        let assessment = assessment?;
        if self.is_news(assessment) {
            bodies.push(Body::Decided {
                decision: Box::new(assessment.decision.clone()),
                impact: Box::new(assessment.impact.clone()),
            });
        }
        if assessment.decision.verdict() != Verdict::Revert {
            return None;
        }
        let goal = assessment.decision.goal.clone()?;
        let goal = BTreeMap::from([(goal.id(), goal)]);
        Some(plan::plan(&self.scene.live, &goal, &self.scene.baselines))
    }

    fn is_news(&self, assessment: &Assessment) -> bool {
        assessment.decision.judgements.iter().any(|judgement| {
            self.story.judgements.get(&judgement.difference.element()) != Some(judgement)
        })
    }

    /// Reads state and EC2 again. What was not written yet is written first where it cannot wait.
    async fn reread(&mut self, bodies: &mut Vec<Body>) -> Result<(), GuardError> {
        if !bodies.is_empty() {
            self.write(std::mem::take(bodies)).await?;
        }
        let (spot, focus) = self.here();
        let read = match self.visit.scene(&spot, &focus).await {
            Ok(Some(scene)) => {
                *self.scene = scene;
                self.scene.records.clear();
                self.await_newborn().await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match read {
            Ok(()) => Ok(()),
            Err(error) => Err(self.interrupt(Vec::new(), error.to_string()).await),
        }
    }

    // ---- the record and the journal ----

    /// Drafts the next entries with the record that goes with them.
    fn draft(&self, bodies: Vec<Body>) -> (ResourceRecord, Vec<Entry>) {
        let now = self.visit.now();
        let until = later(now, self.limits().lease);
        let mut record = if self.claimed {
            let mut record = self.record.clone();
            record.version = self.record.version.saturating_add(1);
            record.lease_until = Some(until);
            record
        } else {
            self.record.claimed(&self.visit.holder, until)
        };
        let mut sequence = self.next_sequence;
        let mut entries = Vec::with_capacity(bodies.len());
        for body in bodies {
            if matches!(body, Body::StepStarted { .. }) {
                record.last_write = Some(now);
            }
            record.last_sequence = sequence;
            entries.push(Entry {
                incident: self.story.incident.clone(),
                sequence,
                at: now,
                body,
            });
            sequence = sequence.saturating_add(1);
        }
        (record, entries)
    }

    /// Takes over what was written.
    fn adopt(&mut self, record: ResourceRecord, entries: &[Entry]) {
        self.claimed = true;
        self.record = record;
        for entry in entries {
            self.story.absorb(entry);
            self.next_sequence = entry.sequence.saturating_add(1);
        }
    }

    /// Writes entries and renews the lease with them.
    async fn write(&mut self, bodies: Vec<Body>) -> Result<(), GuardError> {
        let (record, entries) = self.draft(bodies);
        let written = ledger::commit(
            &self.visit.pace(),
            &self.visit.guard.ports,
            Some(&record),
            &entries,
        )
        .await;
        self.written(written, record, &entries)
    }

    fn written(
        &mut self,
        result: Result<(), StoreError>,
        record: ResourceRecord,
        entries: &[Entry],
    ) -> Result<(), GuardError> {
        match result {
            Ok(()) => {
                self.adopt(record, entries);
                Ok(())
            }
            Err(StoreError::Conflict { .. }) if self.claimed => Err(GuardError::LeaseLost {
                resource: self.story.resource.clone(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Renews the lease when half of it is used up.
    async fn renew(&mut self) -> Result<(), GuardError> {
        let left = self
            .record
            .lease_until
            .map_or(std::time::Duration::ZERO, |until| {
                between(self.visit.now(), until)
            });
        if self.claimed && left < self.limits().lease / 2 {
            self.write(Vec::new()).await?;
        }
        Ok(())
    }

    // ---- the ends ----

    /// Leaves the story for the next delivery or the sweep and gives the lease back.
    async fn interrupt(&mut self, mut bodies: Vec<Body>, why: String) -> GuardError {
        bodies.push(Body::Interrupted { why: why.clone() });
        let (mut record, entries) = self.draft(bodies);
        let version = record.version;
        record = record.released();
        record.version = version;
        let written = ledger::commit(
            &self.visit.pace(),
            &self.visit.guard.ports,
            Some(&record),
            &entries,
        )
        .await;
        tracing::warn!(incident = %self.story.incident, why, "interrupted");
        match self.written(written, record, &entries) {
            // Without this entry the lease runs out by itself and the sweep goes on.
            Ok(()) | Err(GuardError::Store(_)) => GuardError::Interrupted {
                resource: self.story.resource.clone(),
                incident: self.story.incident.clone(),
                why,
            },
            Err(error) => error,
        }
    }

    /// EC2 did not do it for now: comes again, unless that was tried often enough.
    async fn give_up(&mut self, bodies: Vec<Body>, why: String) -> Result<Ended, GuardError> {
        let often = self.story.interruptions.saturating_add(1) >= INTERRUPTIONS_MAX;
        if often || self.visit.last_try {
            return self.fail(bodies, why).await;
        }
        Err(self.interrupt(bodies, why).await)
    }

    /// Ends as failed, with what is left.
    async fn fail(&mut self, bodies: Vec<Body>, why: String) -> Result<Ended, GuardError> {
        let mut problems = vec![why];
        if !bodies.is_empty() {
            self.write(bodies).await?;
        }
        match self.observe().await {
            Ok(()) => {
                problems.extend(
                    self.assess()
                        .iter()
                        .flat_map(Assessment::reverts)
                        .map(|line| format!("left: {line}")),
                );
            }
            Err(error) => problems.push(format!("what is left could not be read: {error}")),
        }
        self.close(Outcome::Failed, Vec::new(), problems).await
    }

    /// Ends as refused before any call; silent where people know all of it.
    async fn refuse(
        &mut self,
        assessment: Option<&Assessment>,
        mut bodies: Vec<Body>,
        plan: Plan,
        why: Vec<String>,
    ) -> Result<Ended, GuardError> {
        let known = assessment.is_some_and(|assessment| !assessment.has_news(&self.told));
        if known && !self.claimed && self.record.open.is_none() {
            return Ok(Ended {
                resource: Some(self.story.resource.clone()),
                incident: None,
                ending: Ending::AlreadyTold,
            });
        }
        bodies.push(Body::Planned {
            plan: Box::new(plan),
        });
        self.close(Outcome::Refused, bodies, why).await
    }

    /// Closes the story and gives the lease back in one commit.
    async fn close(
        &mut self,
        outcome: Outcome,
        mut bodies: Vec<Body>,
        problems: Vec<String>,
    ) -> Result<Ended, GuardError> {
        if let Err(error) = self.follow_with_baselines().await {
            return Err(self.interrupt(bodies, error.to_string()).await);
        }
        let last = self.assess();
        if let Some(last) = &last
            && self.is_news(last)
            && !bodies
                .iter()
                .any(|body| matches!(body, Body::Decided { .. }))
        {
            bodies.push(Body::Decided {
                decision: Box::new(last.decision.clone()),
                impact: Box::new(last.impact.clone()),
            });
        }
        let told = last.as_ref().map(Assessment::tellable).unwrap_or_default();
        let (_, drafted) = self.draft(bodies.clone());
        let mut story = self.story.clone();
        for entry in &drafted {
            story.absorb(entry);
        }
        story.problems.extend(problems);
        let report = story.report(outcome, &self.place, &self.told, self.visit.now());
        bodies.push(Body::Closed {
            report: Box::new(report),
        });
        let (record, entries) = self.draft(bodies);
        let version = record.version;
        let mut record = record.closed(told, !story.unsettled.is_empty());
        record.version = version;
        let written = ledger::commit(
            &self.visit.pace(),
            &self.visit.guard.ports,
            Some(&record),
            &entries,
        )
        .await;
        self.written(written, record, &entries)?;
        self.measure(outcome);
        Ok(Ended {
            resource: Some(self.story.resource.clone()),
            incident: Some(self.story.incident.clone()),
            ending: Ending::Closed(outcome),
        })
    }

    fn measure(&self, outcome: Outcome) {
        let ports = &self.visit.guard.ports;
        ledger::count(ports, outcome);
        let took = millis(between(self.story.arrived_at, self.visit.now()));
        if outcome == Outcome::Reverted {
            ports.measure(Metric::GuardMillis, took);
        }
        tracing::info!(
            incident = %self.story.incident,
            resource = %self.story.resource,
            ?outcome,
            millis = took,
            "story closed"
        );
    }
}
