//! Stage `incident`: the durable story of one deviation, as appended entries.
//!
//! - Owns: [`Entry`], [`ResourceRecord`], [`Lease`], [`AccountRecord`], [`Activity`], [`Report`], the fold of entries into where a story stands.
//! - Takes: what the stages before gave, outcomes of calls, times.
//! - Gives: entries to append, records to write conditionally, the report that people are told.
//! - Must not: store or send anything.

mod commit;
mod counts;
mod errand;
mod evidence;
mod lease;
mod notice;
mod report;
mod story;

pub use commit::Commit;
pub use counts::{AccountRecord, Activity, Held};
pub use errand::{Commission, Errand, Part};
pub use evidence::{edited, is_doubtful};
pub use lease::{Lease, LeaseScope};
pub use notice::{Notice, once};
pub use story::{Place, Story, Unsettled};

use crate::brake::{self, Brake, Fight, Undone};
use crate::change::{Actor, Change};
use crate::execution::StepOutcome;
use crate::finding::{Finding, Severity};
use crate::impact::Impact;
use crate::plan::Plan;
use crate::policy::Mode;
use crate::verdict::{Decision, Experiment};
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// What made us look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An event.
    Event(EventId),
    /// The sweep found it; no event told of it.
    Missed,
    /// A story that a crash or a time limit left unfinished goes on.
    Unfinished(IncidentId),
    /// A person asked.
    Asked(String),
}

/// How a story ended. `Reverted` only after verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Live was put back and read back equal to the goal.
    Reverted,
    /// Differences stay; a person is told.
    Alerted,
    /// A trusted change became baseline (told quietly: journal only, no message).
    Accepted,
    /// The trusted change could not be folded in, or the plan cannot do what is needed.
    Refused,
    /// A write failed or verification did not converge.
    Failed,
    /// A read was denied or kept failing: nothing is known.
    Blind,
    /// A call was made with our role that is not in the journal.
    Impostor,
    /// A message that is no event and no command.
    Malformed,
    /// Context changed (a gateway, an endpoint): told, nothing to revert.
    Context,
    /// A budget is used up or a controller fights back: nothing is written until a person releases
    /// the brake, or the controller is quiet.
    Braked,
    /// A person released a brake.
    Released,
}

/// One entry of the journal; never changed after it was appended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The story.
    pub incident: IncidentId,
    /// Counts from 0 without gaps: an append names the next number, so two writers cannot both succeed.
    pub sequence: u32,
    /// When it was appended.
    pub at: Timestamp,
    /// What happened.
    pub body: Body,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// A deviation was seen.
    Opened {
        /// Where.
        resource: ResourceId,
        /// Why we looked.
        cause: Cause,
        /// The event's change, where one led here.
        change: Option<Box<Change>>,
        /// The incident that led here: both are links of one chain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part_of: Option<IncidentId>,
    },
    /// A person asked for it: whoever goes on with the story goes by this, not by the policy's verdict.
    Asked {
        /// What for.
        errand: Box<Errand>,
    },
    /// It was judged.
    Decided {
        /// The decision.
        decision: Box<Decision>,
        /// What it opened and closed.
        impact: Box<Impact>,
    },
    /// A plan was made; stored before its first call.
    Planned {
        /// The plan.
        plan: Box<Plan>,
    },
    /// A step is about to run; stored before the call.
    StepStarted {
        /// Index in the latest plan.
        step: usize,
        /// The association that the call names, if it does: a later event names it too.
        #[serde(default)]
        handles: Handles,
        /// The number of the lease that it begins under.
        #[serde(default)]
        fencing: u64,
    },
    /// A step ended.
    StepEnded {
        /// Index in the latest plan.
        step: usize,
        /// How.
        outcome: StepOutcome,
    },
    /// Work stopped for now; another delivery or the sweep goes on.
    Interrupted {
        /// Why.
        why: String,
    },
    /// What a step needs is on its way and takes minutes (a NAT gateway that comes or goes): another
    /// delivery or the sweep goes on. No failure, so it is not counted as one.
    Waits {
        /// What is waited for.
        what: String,
    },
    /// The story is over; this is the entry that people are told of.
    Closed {
        /// Everything a message needs.
        report: Box<Report>,
    },
}

/// Everything a person is told; notify needs nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// How bad, the worst finding.
    pub severity: Severity,
    /// The mode that applied.
    pub mode: Mode,
    /// The resource, where there is one.
    pub resource: Option<ResourceId>,
    /// For people.
    pub label: String,
    /// Its VPC.
    pub vpc: Option<VpcId>,
    /// Account.
    pub account: Option<AccountId>,
    /// Region.
    pub region: Option<Region>,
    /// Why we looked.
    pub cause: Cause,
    /// Who did it, where known.
    pub actor: Option<Actor>,
    /// The API, where an event told.
    pub api: Option<String>,
    /// When it was done, by the event.
    pub event_at: Option<Timestamp>,
    /// One line for each difference, with its verdict and first reason.
    pub differences: Vec<ReportedDifference>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// What it opened and cut.
    pub impact: Impact,
    /// The calls made (or, in `observe`, that would be made), one line each.
    pub steps: Vec<String>,
    /// Whether the steps were made.
    pub executed: bool,
    /// What went wrong or is left, in words.
    pub problems: Vec<String>,
    /// What a person should do next.
    pub next: Vec<String>,
    /// When our work on it began (message received).
    pub arrived_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// A judged difference as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedDifference {
    /// The difference in words.
    pub text: String,
    /// The verdict.
    pub verdict: crate::verdict::Verdict,
    /// Its first reason.
    pub reason: String,
}

/// What is kept for each resource beside its baseline: who works on its story, the open story, what
/// was told and taken back. The right to write is the [`Lease`] of its VPC.
/// Written only on the version it was read at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// The resource.
    pub resource: ResourceId,
    /// Counts writes of this record; a write names the version it replaces. 0 is not yet stored.
    pub version: u64,
    /// Who works on its story (a Lambda invocation), if anybody.
    pub holder: Option<String>,
    /// Until when.
    pub lease_until: Option<Timestamp>,
    /// Counts those who worked on its stories: each story's id follows from it.
    pub fencing: u64,
    /// The story that is not over.
    pub open: Option<IncidentId>,
    /// Closed stories that hold calls without an answer, the latest last: they explain late events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<IncidentId>,
    /// Number of the last entry of the open story.
    pub last_sequence: u32,
    /// When a write to EC2 by us was last begun on it: an observation from before proves nothing.
    pub last_write: Option<Timestamp>,
    /// Tolerated differences that people were told of.
    pub told: BTreeMap<Element, Digest>,
    /// Experiments that differences were part of when it was looked at last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub experiments: BTreeMap<Element, Experiment>,
    /// When reverts of it began, those of the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverts: Vec<Timestamp>,
    /// What was taken back lately, and from whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Undone>,
    /// The fight that is given up here, where the breaker is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fight: Option<Fight>,
    /// The brake, where it is on for this resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<Brake>,
    /// Calls of a plan that a person allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<u32>,
    /// Until when it waits for an author to be quiet, at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Timestamp>,
}

/// Stories kept in [`ResourceRecord::unsettled`]: events of older ones have long arrived.
const UNSETTLED_MAX: usize = 8;

impl ResourceRecord {
    /// A record that is not stored yet.
    pub fn new(resource: ResourceId) -> Self {
        Self {
            resource,
            version: 0,
            holder: None,
            lease_until: None,
            fencing: 0,
            open: None,
            unsettled: Vec::new(),
            last_sequence: 0,
            last_write: None,
            told: BTreeMap::new(),
            experiments: BTreeMap::new(),
            reverts: Vec::new(),
            undone: Vec::new(),
            fight: None,
            brake: None,
            allowance: None,
            waits_until: None,
        }
    }

    /// Whether somebody else works on its story. `skew` is how much two clocks may differ.
    pub fn is_held_against(&self, holder: &str, now: Timestamp, skew: Duration) -> bool {
        self.holder
            .as_deref()
            .is_some_and(|current| current != holder)
            && self
                .lease_until
                .is_some_and(|until| lease::is_before(now, until, skew))
    }

    /// The incident id that the next lease opens: the same for the same resource and fencing number.
    pub fn next_incident(&self) -> IncidentId {
        self.incident_of(self.fencing.saturating_add(1))
    }

    /// The ids of all stories that a lease on this resource may have opened, the latest first: a lease
    /// that went on with a story opened none, so not each of them exists.
    pub fn past_incidents(&self) -> impl Iterator<Item = IncidentId> + '_ {
        let numbers = (1..=self.fencing).rev();
        numbers.map(|number| self.incident_of(number))
    }

    fn incident_of(&self, fencing: u64) -> IncidentId {
        let seed = (&self.resource, fencing);
        IncidentId::new(format!("inc-{}", Digest::of(&seed).short()))
    }

    /// The record as it is once `holder` has taken the lease: a new story, or the open one taken over.
    #[must_use]
    pub fn claimed(&self, holder: &str, until: Timestamp) -> Self {
        let mut next = self.clone();
        next.version = self.version.saturating_add(1);
        next.fencing = self.fencing.saturating_add(1);
        next.holder = Some(holder.to_owned());
        next.lease_until = Some(until);
        if next.open.is_none() {
            next.open = Some(self.next_incident());
            next.last_sequence = 0;
        }
        next
    }

    /// The record as it is once its story is over and `told` was told. `unsettled`: the story holds
    /// calls of which nobody knows whether EC2 took them.
    #[must_use]
    pub fn closed(&self, told: BTreeMap<Element, Digest>, unsettled: bool) -> Self {
        let mut next = self.clone();
        next.version = self.version.saturating_add(1);
        if let Some(incident) = next.open.take().filter(|_| unsettled) {
            next.may_be_explained_by(incident);
        }
        next.holder = None;
        next.lease_until = None;
        next.told = told;
        next
    }

    /// Counts a revert that begins now.
    pub fn count_revert(&mut self, now: Timestamp) {
        self.reverts
            .retain(|at| brake::is_within(*at, brake::HOUR, now));
        self.reverts.push(now);
    }

    /// The record as it is once a person released its brake and breaker: counting begins anew, and a
    /// plan may be as large as the one that was stopped.
    #[must_use]
    pub fn unbraked(&self) -> Self {
        let mut next = self.clone();
        next.version = self.version.saturating_add(1);
        next.allowance = self
            .brake
            .as_ref()
            .filter(|brake| brake.stop.budget == brake::Budget::CallsAPlan)
            .map(|brake| brake.stop.count);
        next.brake = None;
        next.fight = None;
        next.reverts.clear();
        next.undone.clear();
        next
    }

    /// Notes a story whose calls without an answer may explain late events of the resource.
    pub fn may_be_explained_by(&mut self, incident: IncidentId) {
        self.unsettled.retain(|known| *known != incident);
        self.unsettled.push(incident);
        let surplus = self.unsettled.len().saturating_sub(UNSETTLED_MAX);
        self.unsettled.drain(..surplus);
    }

    /// The record as it is once the lease is given back and the story waits for somebody to go on.
    #[must_use]
    pub fn released(&self) -> Self {
        let mut next = self.clone();
        next.version = self.version.saturating_add(1);
        next.holder = None;
        next.lease_until = None;
        next
    }
}

#[cfg(test)]
mod tests;
