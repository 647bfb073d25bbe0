//! `execute`: one revert, from the lease to the verified end.
//!
//! - Owns: the lease and its fencing, journal before effect, fresh preconditions, what each error
//!   leads to, verification, the time that is left.
//! - Takes: a scene, the resource's record, a story (new or taken over).
//! - Gives: how it ended, or [`GuardError`] with the story left open for the next.
//! - Must not: report `Reverted` before live was read back equal; write without the lease, or over a
//!   budget.

mod course;
mod end;
mod errand;
mod follow;
mod half_made;
mod prove;
mod remake;
mod tidy;
mod walk;
mod write;

use course::{Course, course};

use crate::assessment::{Assessment, assess};
use crate::guard::{Ended, Focus, GuardError, Rights, Scene, Spot, Visit};
use crate::rights::GuardPorts;
use snapback_engine::brake::{self, Permit, Stop};
use snapback_engine::change::Change;
use snapback_engine::execution::Limits;
use snapback_engine::incident::{
    AccountRecord, Body, Lease, Outcome, Place, ResourceRecord, Story,
};
use snapback_engine::plan::{self, Plan};
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The right to write in the VPC, as it is stored.
    lease: Lease,
    /// What is counted for the account, as it was read.
    account: AccountRecord,
    /// What the end writes of it.
    account_at_end: Option<AccountRecord>,
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
    /// Groups that rules name and EC2 knows no more.
    gone: BTreeSet<SecurityGroupId>,
}

/// How a walk through a plan ended; the bodies are still to be written.
enum Walk {
    Done(Vec<Body>),
    /// Somebody changed things meanwhile.
    Changed(Vec<Body>, String),
    /// EC2 refused for good.
    Failed(Vec<Body>, String),
    /// What the next step needs is on its way in EC2.
    Waiting(Vec<Body>, String),
    /// EC2 did not do it for now.
    Exhausted(Vec<Body>, String),
    /// A budget is used up since the plan was made: no call was begun.
    Stopped(Vec<Body>, Stop),
}

/// A story with all that it is worked on with.
pub(crate) struct Claim {
    pub record: ResourceRecord,
    pub rights: Rights,
    pub story: Story,
    pub place: Place,
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
        claim: Claim,
    ) -> Self {
        let Claim {
            record,
            rights,
            story,
            place,
        } = claim;
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
            lease: rights.lease,
            account: rights.account,
            account_at_end: None,
            story,
            place,
            claimed: false,
            next_sequence,
            gone: BTreeSet::new(),
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
    pub async fn run(self) -> Result<Ended, GuardError> {
        let bodies = self.opening();
        // On the heap: whoever waits for it would be as large as it.
        Box::pin(self.rounds(bodies)).await
    }

    async fn rounds(mut self, mut bodies: Vec<Body>) -> Result<Ended, GuardError> {
        let mut left = Vec::new();
        for round in 0..self.plans_max() {
            if round > 0 || self.has_successor() {
                tracing::info!(incident = %self.story.incident, round, "plan again from the truth");
                self.reread(&mut bodies).await?;
            }
            self.find_half_made(&mut bodies).await?;
            let in_its_middle = round > 0 || self.resumed;
            let mut awaited = self.vanished().filter(|_| in_its_middle);
            if awaited.is_none() {
                awaited = self.in_other_hands().await?;
            }
            if let Some(what) = awaited {
                return self.wait(bodies, what).await;
            }
            let assessment = self.assess();
            if let Some(why) = self.hindrance() {
                return self.close(Outcome::Refused, bodies, why).await;
            }
            let (plan, then_repair) = match self.commission() {
                Some(next) => (Some(next.plan), next.then_repair),
                None => match self.completion() {
                    Some(plan) => (Some(plan), false),
                    None => (self.decided(assessment.as_ref(), &mut bodies), false),
                },
            };
            let done = plan.as_ref().is_none_or(|plan| self.is_completed(plan));
            let (plan, only_tidies) = match plan.filter(|_| !done) {
                None => (self.tidying(), true),
                plan => (plan, false),
            };
            let Some(plan) = plan else {
                match self.prove(None, std::mem::take(&mut bodies)).await? {
                    Proof::Proven => return self.conclude(bodies).await,
                    Proof::Differs(differs) => left = differs,
                }
                continue;
            };
            let policy = &self.policy();
            let (target, partial) = match course(&plan, &self.scene.live, policy) {
                Course::Go { target, partial } => (target, partial),
                Course::Refused(why) => {
                    return self.refuse(assessment.as_ref(), bodies, plan, why).await;
                }
            };
            if let Permit::Stop(stop) = self.permit_plan(&plan) {
                return self.stop(bodies, plan, stop).await;
            }
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
                Walk::Waiting(carried, what) => return self.wait(carried, what).await,
                Walk::Stopped(carried, stop) => return self.stop(carried, plan, stop).await,
            };
            let target = Some(self.named_now(target)).filter(|_| !only_tidies);
            match self.prove(target.as_ref(), carried).await? {
                Proof::Proven if only_tidies => return self.conclude(bodies).await,
                Proof::Proven if then_repair => {
                    left = vec!["traffic works by a stand-in, the repair is not done".to_owned()];
                }
                Proof::Proven if partial || !self.gone.is_empty() => {
                    let lacks = self.out_of_reach();
                    return self.close(Outcome::Refused, bodies, lacks).await;
                }
                Proof::Proven => {
                    left = self.outrun().await?;
                    if left.is_empty() {
                        return self.close(Outcome::Reverted, bodies, Vec::new()).await;
                    }
                }
                Proof::Differs(differs) => left = differs,
            }
        }
        let why = format!(
            "live did not stay at its goal through {} plans: {}",
            self.plans_max(),
            left.join("; ")
        );
        self.fail(bodies, why).await
    }

    /// Whether a plan may run: by its size, and by what was reverted lately.
    fn permit_plan(&self, plan: &Plan) -> Permit {
        if self.story.errand.is_some() {
            return Permit::Go;
        }
        let budgets = &self.visit.guard.policy.budgets;
        match brake::permit_plan(budgets, plan.steps.len(), self.record.allowance) {
            Permit::Go => self.permit(),
            stop @ Permit::Stop(_) => stop,
        }
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
            part_of: self.story.part_of.clone(),
        }]
    }

    fn assess(&self) -> Option<Assessment> {
        assess(
            &self.baselines(),
            &self.scene.live,
            &self.lineage.current_resource(&self.story.resource),
            self.change.as_ref(),
            &self.visit.guard.policy,
            &self.record.experiments,
        )
    }

    /// Notes the decision where it says something new, and plans where something is to be reverted.
    fn decided(&self, assessment: Option<&Assessment>, bodies: &mut Vec<Body>) -> Option<Plan> {
        let assessment = assessment.filter(|_| self.story.errand.is_none())?;
        if self.is_news(assessment) {
            bodies.push(Body::Decided {
                decision: Box::new(assessment.decision.clone()),
                impact: Box::new(assessment.impact.clone()),
            });
        }
        if assessment.decision.verdict() != Verdict::Revert {
            return None;
        }
        let goal = self.within_reach(assessment.decision.goal.clone()?);
        let goal = BTreeMap::from([(goal.id(), goal)]);
        let recreate = self.visit.guard.policy.recreate;
        Some(plan::plan_within(
            &self.scene.live,
            &goal,
            &self.scene.baselines,
            recreate,
        ))
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
}
