//! The ends of a story: closed, given back for now, stopped by a budget.

use super::{Execution, GuardError};
use crate::assessment::Assessment;
use crate::guard::{Ended, Ending, halt};
use crate::ledger;
use crate::patience::{INTERRUPTIONS_MAX, WAIT_PAUSE, WAITS_MAX, between, millis};
use crate::port::{Command, Metric, RecheckReason};
use crate::rights::GuardPorts;
use snapback_engine::brake::{self, Brake, Controller, Stop, Undone};
use snapback_engine::incident::{Body, Outcome, ResourceRecord};
use snapback_engine::plan::Plan;
use snapback_engine::verdict::Verdict;
use snapback_model::{Baseline, Digest, Element};
use std::collections::BTreeMap;

/// Reverts remembered for the breaker, and differences of each: a record is one item of the table.
const UNDONE_MAX: usize = 16;
const DIFFERENCES_MAX: usize = 64;

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// Leaves the story for the next delivery or the sweep and gives the lease back.
    pub(super) async fn interrupt(&mut self, mut bodies: Vec<Body>, why: String) -> GuardError {
        bodies.push(Body::Interrupted { why: why.clone() });
        let draft = self.draft(bodies);
        let record = draft.record.released();
        tracing::warn!(incident = %self.story.incident, why, "interrupted");
        match self.put(draft.released(record)).await {
            // Without this entry the lease runs out by itself and the sweep goes on.
            Ok(()) | Err(GuardError::Store(_)) => GuardError::Interrupted {
                resource: self.story.resource.clone(),
                incident: self.story.incident.clone(),
                why,
            },
            Err(error) => error,
        }
    }

    /// What the next step needs takes minutes: the lease is given back meanwhile, and the story goes on
    /// by a message that comes later, else by the sweep. It does not wait for ever.
    pub(super) async fn wait(
        &mut self,
        mut bodies: Vec<Body>,
        what: String,
    ) -> Result<Ended, GuardError> {
        if between(self.story.arrived_at, self.visit.now()) > WAITS_MAX {
            return self
                .fail(bodies, format!("{what}: waited long enough"))
                .await;
        }
        bodies.push(Body::Waits { what: what.clone() });
        let draft = self.draft(bodies);
        let record = draft.record.released();
        tracing::info!(incident = %self.story.incident, what, "waits");
        self.put(draft.released(record)).await?;
        let (visit, resource) = (self.visit, self.story.resource.clone());
        let command = Command::Recheck {
            resource: resource.clone(),
            why: RecheckReason::Unfinished,
            asked_at: visit.now(),
        };
        let ports = &visit.guard.ports;
        let sent = visit
            .pace()
            .retried(|| ports.send(&command, WAIT_PAUSE))
            .await;
        let incident = self.story.incident.clone();
        match sent {
            Ok(()) => Ok(Ended {
                resource: Some(resource),
                incident: Some(incident),
                ending: Ending::Awaited,
            }),
            Err(error) => Err(GuardError::Interrupted {
                resource,
                incident,
                why: format!("{what}; {error}"),
            }),
        }
    }

    /// EC2 did not do it for now: comes again, unless that was tried often enough.
    pub(super) async fn give_up(
        &mut self,
        bodies: Vec<Body>,
        why: String,
    ) -> Result<Ended, GuardError> {
        let often = self.story.interruptions.saturating_add(1) >= INTERRUPTIONS_MAX;
        if often || self.visit.last_try {
            return self.fail(bodies, why).await;
        }
        Err(self.interrupt(bodies, why).await)
    }

    /// Ends as failed, with what is left.
    pub(super) async fn fail(
        &mut self,
        bodies: Vec<Body>,
        why: String,
    ) -> Result<Ended, GuardError> {
        let mut problems = vec![why];
        if !bodies.is_empty() {
            self.write(bodies).await?;
        }
        match self.observe().await {
            Ok(()) => problems.extend(self.left_behind()),
            Err(error) => problems.push(format!("what is left could not be read: {error}")),
        }
        self.close(Outcome::Failed, Vec::new(), problems).await
    }

    /// Ends as refused before any call; silent where people know all of it.
    pub(super) async fn refuse(
        &mut self,
        assessment: Option<&Assessment>,
        mut bodies: Vec<Body>,
        plan: Plan,
        why: Vec<String>,
    ) -> Result<Ended, GuardError> {
        let by_policy = assessment.filter(|_| self.story.errand.is_none());
        let known = by_policy.is_some_and(|assessment| !assessment.has_news(&self.told));
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

    /// Closes the story and gives the lease back in one commit. What a trusted hand deleted for good is
    /// no revert, whatever was done.
    pub(super) async fn close(
        &mut self,
        outcome: Outcome,
        mut bodies: Vec<Body>,
        mut problems: Vec<String>,
    ) -> Result<Ended, GuardError> {
        if let Err(error) = self.follow_with_baselines().await {
            return Err(self.interrupt(bodies, error.to_string()).await);
        }
        let taken = match self.taken_for_good() {
            None => match self.made_after_a_deleted_one().await {
                Ok(taken) => taken,
                Err(error) => return Err(self.interrupt(bodies, error.to_string()).await),
            },
            taken => taken,
        };
        let outcome = match (outcome, &taken) {
            (Outcome::Reverted, Some(_)) => Outcome::Refused,
            (outcome, _) => outcome,
        };
        problems.extend(taken);
        if outcome == Outcome::Reverted {
            self.know_associations().await;
        }
        let last = self.assess();
        if let Some(last) = &last
            && self.story.errand.is_none()
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
        let mut told = last.as_ref().map(Assessment::tellable).unwrap_or_default();
        if self.story.errand.is_some() {
            // It tells of what was asked for; whatever else differs there is still news.
            told.retain(|element, digest| self.told.get(element) == Some(digest));
        }
        let mut story = self.story.clone();
        for entry in &self.draft(bodies.clone()).entries {
            story.absorb(entry);
        }
        story.problems.extend(problems);
        story.problems.extend(self.temporaries_left());
        let report = story.report(outcome, &self.place, &self.told, self.visit.now());
        bodies.push(Body::Closed {
            report: Box::new(report),
        });
        let mut draft = self.draft(bodies);
        let mut record = draft.record.closed(told, !story.unsettled.is_empty());
        record.allowance = None;
        record.waits_until = None;
        if outcome == Outcome::Reverted {
            self.note_undone(&mut record);
        }
        draft.account = self.account_at_end.take();
        self.put(draft.released(record)).await?;
        self.measure(outcome);
        Ok(Ended {
            resource: Some(self.story.resource.clone()),
            incident: Some(self.story.incident.clone()),
            ending: Ending::Closed(outcome),
        })
    }

    /// The baselines know the association ids that our own moves gave: later events name nothing
    /// else. Without it such an event is told as unknown, so nothing hangs on it.
    async fn know_associations(&mut self) {
        let live = &self.scene.live.handles;
        let all = self.scene.baselines.by_id.values();
        let known = all.filter_map(|before| {
            let mut next = before.clone();
            next.adopt_associations(live);
            (next.handles != before.handles).then(|| {
                next.generation = before.generation.next();
                next.parent = Some(before.digest());
                next
            })
        });
        let known: Vec<Baseline> = known.collect();
        if known.is_empty() {
            return;
        }
        let ports = &self.visit.guard.ports;
        let pace = self.visit.pace();
        match pace.retried(|| ports.put_baselines(&known)).await {
            Ok(()) => {
                let known = known.into_iter().map(|next| (next.id.clone(), next));
                self.scene.baselines.by_id.extend(known);
            }
            Err(error) => tracing::info!(%error, "the baselines do not know the new associations"),
        }
    }

    /// What was taken back, and from whom: it is recognised when it comes again.
    fn note_undone(&self, record: &mut ResourceRecord) {
        let Some(change) = &self.change else {
            return;
        };
        let now = self.visit.now();
        let terms = &self.visit.guard.policy.breaker;
        let differences: BTreeMap<Element, Digest> = self
            .story
            .judgements
            .iter()
            .filter(|(_, judgement)| judgement.verdict == Verdict::Revert)
            .map(|(element, judgement)| (element.clone(), judgement.told()))
            .take(DIFFERENCES_MAX)
            .collect();
        if differences.is_empty() {
            return;
        }
        let mut undone: Vec<Undone> = brake::undone_within(&record.undone, terms, now)
            .cloned()
            .collect();
        undone.push(Undone {
            at: record.last_write.unwrap_or(now),
            incident: self.story.incident.clone(),
            by: Controller::of(&change.actor),
            differences,
        });
        let surplus = undone.len().saturating_sub(UNDONE_MAX);
        undone.drain(..surplus);
        record.undone = undone;
    }

    /// Ends before a call: a budget is used up. The first story that meets it puts the brake on and
    /// says so; what it keeps back is told, and nothing is written in its scope until a person
    /// releases it.
    pub(super) async fn stop(
        &mut self,
        mut bodies: Vec<Body>,
        plan: Plan,
        stop: Stop,
    ) -> Result<Ended, GuardError> {
        let brake = Brake {
            stop,
            since: self.visit.now(),
            incident: self.story.incident.clone(),
        };
        let known = self
            .account
            .brake
            .clone()
            .filter(|_| stop.budget.is_of_account());
        let outcome = match known {
            Some(_) => Outcome::Alerted,
            None => Outcome::Braked,
        };
        let brake = known.unwrap_or(brake);
        if stop.budget.is_of_account() {
            self.account_at_end = Some(self.account.braked(brake.clone(), &self.story.resource));
        } else {
            self.record.brake = Some(brake.clone());
        }
        bodies.push(Body::Planned {
            plan: Box::new(plan),
        });
        self.story.advice.extend(halt::advice(
            &brake,
            &self.lineage.current_resource(&self.story.resource),
        ));
        self.close(outcome, bodies, vec![halt::words(&brake)]).await
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
