//! The steps of a plan, one by one: journalled, checked fresh, made, and what each answer means.

use super::{Execution, GuardError, Walk};
use crate::patience::{STALE_PAUSE, between};
use crate::port::{CallError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::execution::{ErrorClass, StepOutcome};
use snapback_engine::incident::Body;
use snapback_engine::plan::{self, Action, Plan, Readiness};
use snapback_model::{
    AssociationHandle, AssociationId, AssociationSubject, CreatedId, Handles, Renamed, ResourceId,
    Snapshot,
};
use std::collections::BTreeSet;

/// What became of one call.
enum Act {
    /// It is in place; with the id of the association that it made, where EC2 told it.
    Made(Vec<StepOutcome>, Option<AssociationId>),
    /// Somebody changed its element meanwhile.
    Changed(Vec<StepOutcome>, String),
    /// EC2 refused it for good.
    Failed(Vec<StepOutcome>, String),
    /// Tries or time are used up.
    Exhausted(Vec<StepOutcome>, String),
}

/// What a read says after an error.
enum Look {
    InPlace,
    NotYet,
    Changed(String),
}

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// Walks the plan. `bodies` are to be written before the first call; what is still unwritten at
    /// the end is given back, so that the journal costs one round trip a step.
    pub(super) async fn walk(
        &mut self,
        plan: &Plan,
        mut bodies: Vec<Body>,
    ) -> Result<Walk, GuardError> {
        // Whose association of now only a read tells: EC2's answer to our own move was lost.
        let mut unnamed = BTreeSet::new();
        let mut untouched = true;
        for (index, step) in plan.steps.iter().enumerate() {
            if self.visit.time_left() < self.limits().reserve {
                let why = format!("no time for step {}", index.saturating_add(1));
                return Err(self.interrupt(bodies, why).await);
            }
            let action = self.current(&step.action);
            match bound_by(&action).filter(|subject| unnamed.contains(subject)) {
                Some(_) => {
                    self.observe_or_interrupt(&mut bodies).await?;
                    unnamed.clear();
                }
                None => self.freshen(&mut bodies).await?,
            }
            match plan::readiness(&action, &self.scene.live) {
                Readiness::Ready => {}
                Readiness::AlreadyInPlace => {
                    let created = plan::born(&action, &self.scene.live);
                    self.succeed(&action, created.as_ref());
                    bodies.push(ended(index, StepOutcome::AlreadyInPlace { created }));
                    continue;
                }
                Readiness::NotYet(what) => return Ok(Walk::Waiting(bodies, what)),
                Readiness::Changed(why) => return Ok(Walk::Changed(bodies, why)),
            }
            if let Some(why) = self.is_overtaken(&action, untouched, &mut bodies).await? {
                return Ok(Walk::Changed(bodies, why));
            }
            untouched = false;
            bodies.push(Body::StepStarted {
                step: index,
                handles: named_by(&action, &self.scene.live.handles),
                fencing: 0,
            });
            if let Some(stop) = self.begin(&bodies).await? {
                bodies.pop();
                return Ok(Walk::Stopped(bodies, stop));
            }
            bodies.clear();
            let act = self.act(&action).await?;
            let (Act::Made(outcomes, _)
            | Act::Changed(outcomes, _)
            | Act::Failed(outcomes, _)
            | Act::Exhausted(outcomes, _)) = &act;
            bodies.extend(outcomes.iter().map(|outcome| ended(index, outcome.clone())));
            match act {
                Act::Made(outcomes, association) => {
                    self.follow(&action, &outcomes);
                    match association {
                        Some(association) => self.name(&action, association),
                        None => unnamed.extend(bound_by(&action)),
                    }
                }
                Act::Changed(_, why) => return Ok(Walk::Changed(bodies, why)),
                Act::Failed(_, why) => return Ok(Walk::Failed(bodies, why)),
                Act::Exhausted(_, why) => return Ok(Walk::Exhausted(bodies, why)),
            }
        }
        Ok(Walk::Done(bodies))
    }

    /// Why the plan is not to go on: what is good changed since it was read. Asked before the first call,
    /// and before each that makes something.
    async fn is_overtaken(
        &mut self,
        action: &Action,
        untouched: bool,
        bodies: &mut Vec<Body>,
    ) -> Result<Option<String>, GuardError> {
        if let Some(made) = action.makes() {
            // Under the lease: what was true when we read may be another story's work by now.
            self.write(std::mem::take(bodies)).await?;
            return match made.as_str().parse() {
                Ok(gone) => self.outdated(&gone).await,
                // A gateway has no baseline.
                Err(_) => Ok(None),
            };
        }
        if untouched && self.story.errand.is_none() {
            return self.outdated(&self.story.resource).await;
        }
        Ok(None)
    }

    /// The baselines gave the resource a successor, forgot it, or took a trusted change of it, since they
    /// were read for the plan: EC2 does not tell that.
    async fn outdated(&self, id: &ResourceId) -> Result<Option<String>, GuardError> {
        let Some(planned) = self.scene.baselines.state(id) else {
            return Ok(None);
        };
        let wanted = Wanted {
            resources: BTreeSet::from([id.clone()]),
            only_states: true,
            ..Wanted::default()
        };
        let now = self.visit.baselines(&wanted).await?;
        let now = now.as_ref().and_then(|now| now.by_id.get(id));
        let succeeded = now.is_some_and(|now| now.successor.is_some());
        Ok(match now.and_then(|now| now.state.as_ref()) {
            Some(good) if good == planned => None,
            None if succeeded => Some(format!("{id} was made again by another story")),
            _ => Some(format!("what is good of {id} changed meanwhile")),
        })
    }

    /// Reads again where the observation is too old to write on.
    async fn freshen(&mut self, bodies: &mut Vec<Body>) -> Result<(), GuardError> {
        let age = between(self.scene.live.observed_at, self.visit.now());
        if age <= self.limits().observation_max_age {
            return Ok(());
        }
        self.observe_or_interrupt(bodies).await
    }

    async fn observe_or_interrupt(&mut self, bodies: &mut Vec<Body>) -> Result<(), GuardError> {
        match self.observe().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self
                .interrupt(std::mem::take(bodies), error.to_string())
                .await),
        }
    }

    pub(super) async fn observe(&mut self) -> Result<(), GuardError> {
        self.scene.live = self.read().await?;
        Ok(())
    }

    /// The call with the ids of now, and the marks of this incident on what it makes.
    fn current(&self, action: &Action) -> Action {
        action
            .renamed(&self.lineage)
            .for_incident(&self.story.incident)
    }

    fn succeed(&mut self, action: &Action, created: Option<&CreatedId>) {
        if let Some((old, new)) = action.makes().zip(created) {
            self.lineage.record(old.as_str(), new.as_str());
        }
    }

    /// The observation follows our own confirmed call; what it made is known by its new id.
    fn follow(&mut self, action: &Action, outcomes: &[StepOutcome]) {
        let created = outcomes.iter().find_map(|outcome| match outcome {
            StepOutcome::Applied { created, .. } | StepOutcome::AlreadyInPlace { created } => {
                created.clone()
            }
            StepOutcome::Unknown { .. } | StepOutcome::Failed { .. } => None,
        });
        self.succeed(action, created.as_ref());
        let action = &created
            .as_ref()
            .map_or_else(|| action.clone(), |created| action.made_as(created));
        if let Err(why) = plan::apply(action, &mut self.scene.live) {
            // Already there by a read; anything else shows at the next precondition or the proof.
            tracing::debug!(why, "the observation has it already");
        }
    }

    /// The observation knows the association that our own call made: the next call on its subject
    /// names it, and is refused where somebody moved the subject meanwhile (semantics B1).
    fn name(&mut self, action: &Action, association: AssociationId) {
        let Some((subject, resource)) = bound_by(action).zip(bound_to(action)) else {
            return;
        };
        let known = &mut self.scene.live.handles.associations;
        known.retain(|_, handle| {
            handle.subject != subject || handle.resource.kind() != resource.kind()
        });
        known.insert(association, AssociationHandle { resource, subject });
    }

    async fn act(&mut self, action: &Action) -> Result<Act, GuardError> {
        let mut outcomes = Vec::new();
        let mut attempt = 0;
        loop {
            self.renew().await?;
            if !self.is_covered() {
                let why = "the lease would not outlast the call".to_owned();
                return Ok(Act::Exhausted(outcomes, why));
            }
            let ports = &self.visit.guard.ports;
            let error = match ports.act(action, &self.scene.live.handles).await {
                Ok(receipt) => {
                    outcomes.push(StepOutcome::Applied {
                        request: receipt.request,
                        created: receipt.created,
                    });
                    return Ok(Act::Made(outcomes, receipt.association));
                }
                Err(error) => error,
            };
            tracing::warn!(api = action.api(), attempt, class = ?error.class, %error, "call not confirmed");
            match error.class {
                ErrorClass::Transient => {}
                ErrorClass::Gone if self.is_of_newborn(action, &error) => {}
                ErrorClass::Gone if self.awaits_peers(action) => {
                    outcomes.push(failed(&error));
                    // So that they can refer to what this story made.
                    self.follow_with_baselines().await?;
                    let why = format!("{error}: what the rules refer to is looked at first");
                    return Ok(Act::Exhausted(outcomes, why));
                }
                ErrorClass::Gone if self.doubts_target(action) => {
                    outcomes.push(failed(&error));
                    let why = format!("{error}: the gateway is looked at first");
                    return Ok(Act::Changed(outcomes, why));
                }
                ErrorClass::Gone if self.gives_up_peers(action, &error) => {
                    outcomes.push(failed(&error));
                    return Ok(Act::Changed(outcomes, error.to_string()));
                }
                ErrorClass::AlreadyAsWanted | ErrorClass::Lost => {
                    if error.class == ErrorClass::Lost {
                        outcomes.push(StepOutcome::Unknown {
                            what: error.to_string(),
                        });
                    }
                    match self.resolve(action).await {
                        Ok(Look::InPlace) => {
                            let created = plan::born(action, &self.scene.live);
                            if error.class == ErrorClass::AlreadyAsWanted || created.is_some() {
                                outcomes.push(StepOutcome::AlreadyInPlace { created });
                            }
                            return Ok(Act::Made(outcomes, None));
                        }
                        Ok(Look::Changed(why)) => {
                            outcomes.push(failed(&error));
                            return Ok(Act::Changed(outcomes, why));
                        }
                        Ok(Look::NotYet) => {}
                        Err(unread) => {
                            return Ok(Act::Exhausted(outcomes, unread.to_string()));
                        }
                    }
                }
                ErrorClass::Gone | ErrorClass::Quota | ErrorClass::Denied | ErrorClass::Invalid => {
                    let why = refusal(action, &error);
                    outcomes.push(failed(&error));
                    return Ok(Act::Failed(outcomes, why));
                }
            }
            if !self.visit.pace().wait(attempt).await {
                if error.class != ErrorClass::Lost {
                    outcomes.push(failed(&error));
                }
                return Ok(Act::Exhausted(outcomes, error.to_string()));
            }
            attempt = attempt.saturating_add(1);
        }
    }

    /// Reads and compares (semantics B rules 0 and 1).
    async fn resolve(&mut self, action: &Action) -> Result<Look, GuardError> {
        let named = named_by(action, &self.scene.live.handles);
        self.observe().await?;
        let ready = |live: &Snapshot| plan::readiness(action, live) == Readiness::Ready;
        if action.makes().is_some() && ready(&self.scene.live) {
            // What was just made may not be seen at once: only two reads say that it was not.
            self.visit.guard.ports.sleep(STALE_PAUSE).await;
            self.observe().await?;
        }
        Ok(match plan::readiness(action, &self.scene.live) {
            Readiness::AlreadyInPlace => Look::InPlace,
            // Somebody moved it meanwhile. The journal says which association the call names, and its
            // event names nothing else: another one is another step.
            _ if named_by(action, &self.scene.live.handles) != named => Look::Changed(format!(
                "{} names another association now",
                action.describe()
            )),
            Readiness::Ready | Readiness::NotYet(_) => Look::NotYet,
            Readiness::Changed(why) => Look::Changed(why),
        })
    }
}

/// The association that a call names: its event will name it, when live has long forgotten it.
fn named_by(action: &Action, handles: &Handles) -> Handles {
    let subject = match action {
        // It makes an association and names none.
        Action::AssociateRouteTable { .. } => None,
        action => bound_by(action),
    };
    let Some(subject) = subject else {
        return Handles::default();
    };
    Handles {
        associations: handles
            .associations
            .iter()
            .filter(|(_, handle)| handle.subject == subject)
            .map(|(id, handle)| (id.clone(), handle.clone()))
            .collect(),
        ..Handles::default()
    }
}

/// Whose association a call makes, replaces or takes away.
fn bound_by(action: &Action) -> Option<AssociationSubject> {
    match action {
        Action::ReplaceNetworkAclAssociation { subnet, .. } => {
            Some(AssociationSubject::Subnet(subnet.clone()))
        }
        Action::ReplaceRouteTableAssociation { subject, .. }
        | Action::DisassociateRouteTable { subject, .. }
        | Action::AssociateRouteTable { subject, .. } => Some(subject.clone()),
        _ => None,
    }
}

/// What a call binds its subject to.
fn bound_to(action: &Action) -> Option<ResourceId> {
    match action {
        Action::ReplaceNetworkAclAssociation { acl, .. } => Some(acl.clone().into()),
        Action::ReplaceRouteTableAssociation { table, .. }
        | Action::AssociateRouteTable { table, .. } => Some(table.clone().into()),
        _ => None,
    }
}

fn ended(step: usize, outcome: StepOutcome) -> Body {
    Body::StepEnded { step, outcome }
}

fn failed(error: &CallError) -> StepOutcome {
    StepOutcome::Failed {
        code: error.code.clone(),
        message: error.message.clone(),
        class: error.class,
    }
}

fn refusal(action: &Action, error: &CallError) -> String {
    let advice = match error.class {
        ErrorClass::Denied => "give the guard's role this right, then ask for another look",
        ErrorClass::Quota => "raise the quota or make room, then ask for another look",
        ErrorClass::Gone => "what it names was deleted: see what is left",
        _ => "see what is left",
    };
    format!("{}: {error}: {advice}", action.describe())
}
