//! What is done about one resource: nothing, an alert, a revert, or the end of an unfinished story.

use super::{Ended, Ending, Focus, GuardError, Matter, Rights, Scene, Spot, Visit};
use crate::assessment::{Assessment, assess};
use crate::execute::{Claim, Execution};
use crate::ledger;
use crate::patience::{CONFLICTS_MAX, STALE_PAUSE, STALE_READS_MAX, STALE_WINDOW, between};
use crate::rights::GuardPorts;
use snapback_engine::incident::{Commit, LeaseScope, Outcome, Place, ResourceRecord, Story};
use snapback_engine::plan::{self, Plan};
use snapback_engine::verdict::{Experiment, Verdict};
use snapback_model::{Digest, Element, Resource, ResourceId};
use std::collections::BTreeMap;

impl<P: GuardPorts> Visit<'_, P> {
    /// Decides on the record as it is; where somebody writes it meanwhile, looks again.
    pub(super) async fn attend(
        &self,
        resource: &ResourceId,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        let (mut waits, mut conflicts) = (0, 0);
        loop {
            match self.attend_once(resource, scene, spot, focus, matter).await {
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => {
                    tracing::info!(%resource, %error, "record written meanwhile: look again");
                    conflicts += 1;
                }
                Err(GuardError::Busy { .. }) if self.may_wait(waits).await => waits += 1,
                Err(error) if error.is_conflict() => {
                    return Err(GuardError::Contended {
                        what: resource.to_string(),
                    });
                }
                result => return result,
            }
            self.refresh(scene, spot, focus).await?;
        }
    }

    /// Waits a little for another guard, unless the tries or the time are used up.
    async fn may_wait(&self, waits: u32) -> bool {
        self.time_left() > self.guard.limits.reserve && self.pace().wait(waits).await
    }

    async fn attend_once(
        &self,
        resource: &ResourceId,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        let record = match scene.records.remove(resource) {
            Some(record) => record,
            None => self.record(resource).await?,
        };
        let limits = &self.guard.limits;
        if record.is_held_against(&self.holder, self.now(), limits.skew) {
            return Err(GuardError::Busy {
                resource: resource.clone(),
                holder: record.holder.unwrap_or_default(),
            });
        }
        let written_since = record
            .last_write
            .is_some_and(|at| at >= scene.live.observed_at);
        // Of a tag that people know of a quick read of a group would say that it is as it was.
        let tags = |element: &Element| matches!(element, Element::Tag(_));
        let unseen = !self.is_thorough() && record.told.keys().any(tags);
        if unseen {
            self.be_thorough();
        }
        // Another guard may have made it again since the baselines were read.
        let gone = !scene.live.resources.contains_key(resource);
        let lately = |at| between(at, self.now()) < STALE_WINDOW;
        let remade = gone && record.open.is_none() && record.last_write.is_some_and(lately);
        if written_since || unseen || remade {
            self.refresh(scene, spot, focus).await?;
        }
        if record.open.is_none() {
            self.confirm(&record, scene, spot, focus, matter).await?;
        }
        self.settle(record, scene, spot, focus, matter).await
    }

    /// Right after a write of ours a read may still show what it took back: harm is believed once
    /// two reads agree (semantics E, eventual consistency). So is always that something is gone: what
    /// is made again is never unmade.
    async fn confirm(
        &self,
        record: &ResourceRecord,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<(), GuardError> {
        for _ in 0..STALE_READS_MAX {
            let fresh_write = record
                .last_write
                .is_some_and(|at| between(at, self.now()) < STALE_WINDOW);
            let gone = !scene.live.resources.contains_key(&record.resource)
                && scene.baselines.state(&record.resource).is_some();
            if !(fresh_write || gone) || self.time_left() < self.guard.limits.reserve {
                return Ok(());
            }
            let harm = self
                .assess(record, scene, matter)
                .is_some_and(|assessment| assessment.decision.verdict() == Verdict::Revert);
            if !harm {
                return Ok(());
            }
            tracing::info!(resource = %record.resource, gone, "harm that one read does not prove: read again");
            self.guard.ports.sleep(STALE_PAUSE).await;
            let again = self.read(spot, focus, &scene.baselines).await?;
            let agrees = again.resources == scene.live.resources;
            scene.live = again;
            if agrees {
                return Ok(());
            }
        }
        Ok(())
    }

    fn assess(
        &self,
        record: &ResourceRecord,
        scene: &Scene,
        matter: &Matter,
    ) -> Option<Assessment> {
        assess(
            &scene.baselines,
            &scene.live,
            &record.resource,
            matter.stranger(),
            &self.guard.policy,
            &record.experiments,
        )
    }

    /// Reads the place again.
    pub(crate) async fn refresh(
        &self,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
    ) -> Result<(), GuardError> {
        if let Some(mut fresh) = self.scene(spot, focus).await? {
            // Records are read when they are needed: one read here may be old by then.
            fresh.records.clear();
            *scene = fresh;
        }
        Ok(())
    }

    async fn settle(
        &self,
        mut record: ResourceRecord,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        if let Some(incident) = record.open.clone() {
            return self
                .resume(record, incident, scene, spot, focus, matter)
                .await;
        }
        let assessment = self.assess(&record, scene, matter);
        self.wait_for_its_maker(&record, scene).await?;
        self.wait_for_siblings(&record, assessment.as_ref(), matter)?;
        self.wait_for_its_end(&record, scene, matter)?;
        let verdict = assessment
            .as_ref()
            .map(|assessment| assessment.decision.verdict());
        let experiments = assessment
            .as_ref()
            .map(|assessment| assessment.decision.experiments.clone())
            .unwrap_or_default();
        let known = std::mem::replace(&mut record.experiments, experiments);
        match (assessment, verdict) {
            (Some(assessment), Some(Verdict::Revert)) => {
                if let Some(lead) = self.errand_over(&record.resource, scene).await? {
                    // A person's unfinished story may have made it again already: it goes on first.
                    return Box::pin(self.attend(&lead, scene, spot, focus, matter)).await;
                }
                self.take_back(record, &assessment, scene, spot, focus, matter)
                    .await
            }
            (Some(assessment), Some(Verdict::Alert)) => {
                self.alert(record, &known, scene, matter, &assessment).await
            }
            _ => self.forget(record, &known).await,
        }
    }

    /// The resource in whose name a person's open story is told that is to bring back a deleted one.
    async fn errand_over(
        &self,
        resource: &ResourceId,
        scene: &Scene,
    ) -> Result<Option<ResourceId>, GuardError> {
        if scene.live.resources.contains_key(resource) {
            return Ok(None);
        }
        let open = ledger::open_stories(&self.pace(), &self.guard.ports).await?;
        let over = |story: &Story| {
            let parts = story.errand.as_deref().map(|errand| &errand.parts);
            parts.is_some_and(|parts| parts.contains_key(resource))
        };
        let found = open.into_iter().find(|(_, story)| over(story));
        Ok(found
            .map(|(record, _)| record.resource)
            .filter(|lead| lead != resource))
    }

    /// Takes back, unless it waits, a brake is on, or a controller fights.
    async fn take_back(
        &self,
        mut record: ResourceRecord,
        assessment: &Assessment,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        if let Some(ended) = self.hold(&record, assessment, matter).await? {
            return Ok(ended);
        }
        let rights = self.rights_of(&record.resource, scene).await?;
        let account = &rights.account;
        if let Some(halt) = self.halted(&record, account, assessment, matter) {
            return self
                .halt(&record, account, scene, matter, assessment, halt)
                .await;
        }
        // A breaker that is still noted here has closed by itself.
        record.fight = None;
        self.is_free(&record.resource, &rights)?;
        tracing::info!(resource = %record.resource, reverts = assessment.reverts().len(), "harm: take back");
        let story = self.story(&record, matter);
        let place = self.place(scene, &record.resource);
        let claim = Claim {
            record,
            rights,
            story,
            place,
        };
        Execution::new(self, spot, focus, scene, claim).run().await
    }

    /// The lease of the resource's VPC and the account's counts: as read along, or read now.
    pub(crate) async fn rights_of(
        &self,
        resource: &ResourceId,
        scene: &mut Scene,
    ) -> Result<Rights, GuardError> {
        let place = self.place(scene, resource);
        let scope = LeaseScope::of(resource, place.vpc.as_ref());
        let along = scene.rights.take();
        match along.filter(|rights| rights.lease.scope == scope) {
            Some(rights) => Ok(rights),
            None => self.rights(&scope).await,
        }
    }

    /// Whether nobody else writes in the VPC.
    pub(crate) fn is_free(&self, resource: &ResourceId, rights: &Rights) -> Result<(), GuardError> {
        let (lease, skew) = (&rights.lease, self.guard.limits.skew);
        if lease.is_held_against(&self.holder, self.now(), skew) {
            return Err(GuardError::Busy {
                resource: resource.clone(),
                holder: lease.holder.clone().unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Nothing to tell: what was told before and is gone now would be news again.
    async fn forget(
        &self,
        record: ResourceRecord,
        known: &BTreeMap<Element, Experiment>,
    ) -> Result<Ended, GuardError> {
        self.remember(&record, known, BTreeMap::new()).await?;
        Ok(Ended {
            resource: Some(record.resource),
            incident: None,
            ending: Ending::Nothing,
        })
    }

    /// Writes what is known now; `known` are the experiments as the record is stored with. A breaker
    /// whose fight is over has closed by itself.
    async fn remember(
        &self,
        record: &ResourceRecord,
        known: &BTreeMap<Element, Experiment>,
        told: BTreeMap<Element, Digest>,
    ) -> Result<(), GuardError> {
        let same = record.told == told && record.experiments == *known;
        let terms = &self.guard.policy.breaker;
        let over = record.fight.as_ref();
        let over = over.is_some_and(|fight| fight.is_over(terms, self.now()));
        if same && record.waits_until.is_none() && !over {
            return Ok(());
        }
        let mut next = record.clone();
        next.fight = next.fight.filter(|_| !over);
        next.version = record.version.saturating_add(1);
        next.told = told;
        next.waits_until = None;
        ledger::commit(&self.pace(), &self.guard.ports, &Commit::of(&next, &[])).await?;
        Ok(())
    }

    async fn alert(
        &self,
        record: ResourceRecord,
        known: &BTreeMap<Element, Experiment>,
        scene: &Scene,
        matter: &Matter,
        assessment: &Assessment,
    ) -> Result<Ended, GuardError> {
        let outstanding = assessment.decision.outstanding();
        let news = outstanding
            .iter()
            .any(|(element, digest)| record.told.get(element) != Some(digest));
        if !news {
            self.remember(&record, known, outstanding).await?;
            return Ok(Ended {
                resource: Some(record.resource),
                incident: None,
                ending: Ending::AlreadyTold,
            });
        }
        let place = self.place(scene, &record.resource);
        let incident = ledger::alert(
            &self.pace(),
            &self.guard.ports,
            ledger::Alert {
                record: &record,
                holder: &self.holder,
                story: self.story(&record, matter),
                place: &place,
                assessment,
                plan: proposal(scene, assessment),
                outcome: Outcome::Alerted,
                told: outstanding,
                account: None,
            },
        )
        .await?;
        Ok(Ended {
            resource: Some(record.resource),
            incident: Some(incident),
            ending: Ending::Closed(Outcome::Alerted),
        })
    }

    /// Goes on with a story that nobody holds: from the truth, under its own incident.
    async fn resume(
        &self,
        record: ResourceRecord,
        incident: snapback_model::IncidentId,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        let ports = &self.guard.ports;
        let entries = self.pace().retried(|| ports.entries(&incident)).await?;
        tracing::info!(%incident, resource = %record.resource, entries = entries.len(), "go on with an unfinished story");
        let story = Story::read(&entries).unwrap_or_else(|| {
            let mut story = self.story(&record, matter);
            story.incident = incident;
            story
        });
        let rights = self.rights_of(&record.resource, scene).await?;
        self.is_free(&record.resource, &rights)?;
        let place = self.place(scene, &record.resource);
        let claim = Claim {
            record,
            rights,
            story,
            place,
        };
        if let Some(errand) = &claim.story.errand {
            let focus = Focus {
                resources: errand.parts.keys().cloned().collect(),
                ..Focus::default()
            };
            let mut whole = Box::pin(self.scene(&Spot::Everywhere, &focus)).await?;
            let whole = whole.as_mut().unwrap_or(scene);
            let errand = Execution::new(self, &Spot::Everywhere, &focus, whole, claim).run();
            // Of its own size: a future holds all that it may wait for.
            return Box::pin(errand).await;
        }
        Execution::new(self, spot, focus, scene, claim)
            .judged_by(matter.stranger())
            .run()
            .await
    }

    pub(super) fn story(&self, record: &ResourceRecord, matter: &Matter) -> Story {
        let mut story = Story::new(
            record.next_incident(),
            record.resource.clone(),
            matter.cause.clone(),
            matter.stranger().cloned().map(Box::new),
            self.arrived,
        );
        let whole = self.whole_of(&record.resource);
        story.part_of = whole.filter(|whole| *whole != story.incident);
        story
    }

    pub(crate) fn place(&self, scene: &Scene, resource: &ResourceId) -> Place {
        let baseline = scene.baselines.by_id.get(resource);
        Place {
            vpc: baseline
                .and_then(|baseline| baseline.vpc.clone())
                .or_else(|| {
                    scene
                        .live
                        .resources
                        .get(resource)
                        .and_then(Resource::vpc)
                        .cloned()
                }),
            account: self.guard.own.account.clone(),
            region: self.guard.own.region.clone(),
        }
    }
}

/// The calls that would lead to the goal, where there is one (mode `observe`), or make a lost NAT
/// gateway again.
pub(super) fn proposal(scene: &Scene, assessment: &Assessment) -> Option<Plan> {
    let Some(goal) = assessment.decision.goal.clone() else {
        // What the policy leaves to a person is shown whole.
        let resource = &assessment.decision.resource;
        return plan::recovery(&scene.live, resource, &scene.baselines);
    };
    let goal = BTreeMap::from([(goal.id(), goal)]);
    Some(plan::plan(&scene.live, &goal, &scene.baselines))
}
