//! The fold of entries into where a story stands: the same for the invocation that writes them and
//! for the one that takes the story over.

use super::{Body, Cause, Entry, Errand, Outcome, Report};
use crate::change::Change;
use crate::execution::StepOutcome;
use crate::impact::Impact;
use crate::plan::{self, Action, Note, Plan};
use crate::policy::Mode;
use crate::verdict::{Judgement, Verdict};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// A call of ours of which nobody knows whether EC2 took it: begun and not ended, or without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The call.
    pub action: Action,
    /// The association ids it was made with.
    pub handles: Handles,
    /// When it was begun.
    pub at: Timestamp,
}

/// A call that was begun and has no end yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Running {
    step: usize,
    handles: Handles,
    at: Timestamp,
}

/// What a story has found and done so far: all that its report needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// The incident.
    pub incident: IncidentId,
    /// The resource.
    pub resource: ResourceId,
    /// For people.
    pub label: String,
    /// The mode that applied.
    pub mode: Mode,
    /// Why we looked.
    pub cause: Cause,
    /// The event's change, where one led here.
    pub change: Option<Box<Change>>,
    /// What a person asked for, where one did.
    pub errand: Option<Box<Errand>>,
    /// The incident that led here: both are links of one chain.
    pub part_of: Option<IncidentId>,
    /// When our work on it began.
    pub arrived_at: Timestamp,
    /// Every difference that was judged in it, by element, the latest judgement.
    pub judgements: BTreeMap<Element, Judgement>,
    /// Every element that it once set out to take back, whatever was judged later.
    pub aims: BTreeSet<Element>,
    /// What it opened and cut, all decisions together.
    pub impact: Impact,
    /// The latest plan.
    pub plan: Option<Plan>,
    /// The kinds of what it makes, all plans together: what is there without a baseline may be its.
    pub makes: BTreeSet<Kind>,
    /// The calls made, one line each, all plans together.
    pub made: Vec<String>,
    /// Calls of ours whose outcome nobody knows.
    pub unsettled: Vec<Unsettled>,
    /// What was made again, under which id.
    pub lineage: Lineage,
    /// How often work on it stopped for now.
    pub interruptions: u32,
    /// What went wrong or is left, in words.
    pub problems: Vec<String>,
    /// What a person is to do, beside what its outcome says.
    pub advice: Vec<String>,
    /// Whether it is over.
    pub closed: bool,
    /// Whether a call of it was begun.
    pub begun: bool,
    running: Option<Running>,
    waited: BTreeMap<String, Timestamp>,
}

impl Story {
    /// A story that begins.
    pub fn new(
        incident: IncidentId,
        resource: ResourceId,
        cause: Cause,
        change: Option<Box<Change>>,
        arrived_at: Timestamp,
    ) -> Self {
        Self {
            incident,
            label: resource.to_string(),
            resource,
            mode: Mode::Observe,
            cause,
            change,
            errand: None,
            part_of: None,
            arrived_at,
            judgements: BTreeMap::new(),
            aims: BTreeSet::new(),
            impact: Impact::default(),
            plan: None,
            makes: BTreeSet::new(),
            made: Vec::new(),
            unsettled: Vec::new(),
            lineage: Lineage::default(),
            interruptions: 0,
            problems: Vec::new(),
            advice: Vec::new(),
            closed: false,
            begun: false,
            running: None,
            waited: BTreeMap::new(),
        }
    }

    /// Reads a story back from its entries; `None` where they do not begin with an `Opened`.
    pub fn read(entries: &[Entry]) -> Option<Self> {
        let (first, rest) = entries.split_first()?;
        let Body::Opened {
            resource,
            cause,
            change,
            part_of,
        } = &first.body
        else {
            return None;
        };
        let mut story = Self::new(
            first.incident.clone(),
            resource.clone(),
            cause.clone(),
            change.clone(),
            first.at,
        );
        story.part_of.clone_from(part_of);
        for entry in rest {
            story.absorb(entry);
        }
        story.settle_running();
        Some(story)
    }

    /// Takes in one more entry.
    pub fn absorb(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Opened { .. } => {}
            Body::Asked { errand } => {
                // A person's word counts in every mode.
                self.mode = Mode::Enforce;
                self.label.clone_from(&errand.what);
                self.errand = Some(errand.clone());
            }
            Body::Decided { decision, impact } => {
                self.label.clone_from(&decision.label);
                self.mode = decision.mode;
                for judgement in &decision.judgements {
                    let element = judgement.difference.element();
                    if judgement.verdict == Verdict::Revert {
                        self.aims.insert(element.clone());
                    }
                    self.judgements.insert(element, judgement.clone());
                }
                self.impact.absorb(impact);
                self.problems.extend(decision.fallback.clone());
            }
            Body::Planned { plan } => {
                self.settle_running();
                self.problems.extend(
                    plan.notes
                        .iter()
                        .map(note)
                        .filter(|line| !self.problems.contains(line))
                        .collect::<Vec<_>>(),
                );
                let kinds = plan.steps.iter();
                self.makes
                    .extend(kinds.filter_map(|step| step.action.makes_kind()));
                self.plan = Some(plan.as_ref().clone());
            }
            Body::StepStarted { step, handles, .. } => {
                self.begun = true;
                self.settle_running();
                self.running = Some(Running {
                    step: *step,
                    handles: handles.clone(),
                    at: entry.at,
                });
            }
            Body::StepEnded { step, outcome } => self.step_ended(*step, outcome),
            Body::Interrupted { why } => {
                self.interruptions = self.interruptions.saturating_add(1);
                self.problems
                    .push(format!("work stopped for a while: {why}"));
            }
            Body::Waits { what } => {
                if !self.waited.contains_key(what) {
                    self.waited.insert(what.clone(), entry.at);
                    self.problems.push(format!("waited: {what}"));
                }
            }
            Body::Closed { .. } => self.closed = true,
        }
    }

    /// Since when it waits, or waited, for this.
    pub fn waited_since(&self, what: &str) -> Option<Timestamp> {
        self.waited.get(what).copied()
    }

    /// What an unanswered making of `resource` left behind in live, with the step of the latest plan
    /// that made it.
    pub fn half_made(&self, resource: &str, live: &Snapshot) -> Option<(usize, CreatedId)> {
        let steps = self.plan.iter().flat_map(|plan| &plan.steps);
        let made = |action: &Action| plan::born(&action.for_incident(&self.incident), live);
        steps
            .enumerate()
            .filter(|(_, step)| step.action.makes_as(resource))
            .find_map(|(index, step)| Some((index, made(&step.action)?)))
    }

    /// What this story made after a making without an answer, which made `newborn`: what stands in its
    /// place now.
    pub fn made_instead_of(&self, newborn: &ResourceId) -> Option<ResourceId> {
        let mut calls = self.unsettled.iter().map(|call| &call.action);
        calls.find_map(|action| {
            let same_kind = action.makes_kind() == Some(newborn.kind());
            let lost: ResourceId = action
                .makes()
                .filter(|_| same_kind)?
                .as_str()
                .parse()
                .ok()?;
            let new = self.lineage.current_resource(&lost);
            (new != lost && new != *newborn).then_some(new)
        })
    }

    /// What the story is about, by the ids that it began with.
    pub fn subjects(&self) -> Vec<&ResourceId> {
        let mut subjects = vec![&self.resource];
        let parts = self.errand.iter().flat_map(|errand| errand.parts.keys());
        subjects.extend(parts.filter(|id| **id != self.resource));
        subjects
    }

    /// The elements that this story set out to take back.
    pub fn reverting(&self) -> BTreeSet<Element> {
        self.judgements
            .iter()
            .filter(|(_, judgement)| judgement.verdict == Verdict::Revert)
            .map(|(element, _)| element.clone())
            .collect()
    }

    /// The report that ends the story.
    pub fn report(
        &self,
        outcome: Outcome,
        place: &Place,
        told: &BTreeMap<Element, Digest>,
        ended_at: Timestamp,
    ) -> Report {
        super::report::report(self, outcome, place, told, ended_at)
    }

    /// A call that was begun and has no end yet may have happened, once something else follows it.
    fn settle_running(&mut self) {
        if let Some(running) = self.running.take() {
            self.unsettle(running);
        }
    }

    fn unsettle(&mut self, running: Running) {
        if let Some(action) = self.action(running.step) {
            self.unsettled.push(Unsettled {
                action: action.renamed(&self.lineage),
                handles: running.handles,
                at: running.at,
            });
        }
    }

    fn step_ended(&mut self, step: usize, outcome: &StepOutcome) {
        let Some(action) = self.action(step) else {
            return;
        };
        let line = action.describe();
        match outcome {
            // The call goes on after an answer that was lost: it stays running.
            StepOutcome::Unknown { what } => {
                self.made.push(format!("{line} (no answer: {what})"));
                if let Some(running) = self.running.clone().filter(|running| running.step == step) {
                    self.unsettle(running);
                }
                return;
            }
            StepOutcome::Applied { created, .. } => {
                self.made.push(match created {
                    Some(id) => format!("{line}: {id}"),
                    None => line,
                });
                self.succeed(&action, created.as_ref());
            }
            StepOutcome::AlreadyInPlace { created } => self.succeed(&action, created.as_ref()),
            StepOutcome::Failed { code, message, .. } => {
                self.problems
                    .push(format!("{line}: EC2 refused: {code}: {message}"));
            }
        }
        self.running = None;
    }

    fn succeed(&mut self, action: &Action, created: Option<&CreatedId>) {
        if let Some((old, new)) = action.makes().zip(created) {
            self.lineage.record(old.as_str(), new.as_str());
        }
    }

    fn action(&self, step: usize) -> Option<Action> {
        self.plan
            .as_ref()?
            .steps
            .get(step)
            .map(|step| step.action.clone())
    }
}

/// Where a resource lies, as the shell knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its VPC.
    pub vpc: Option<VpcId>,
    /// Our account.
    pub account: Option<AccountId>,
    /// Our Region.
    pub region: Option<Region>,
}

fn note(note: &Note) -> String {
    note.left_undone().unwrap_or_else(|| note.words())
}
