//! Reports that are about no difference of a resource: a denied read, an impostor, a malformed message.

use super::{Body, Cause, Entry, Outcome, Report};
use crate::change::Change;
use crate::finding::{Finding, Severity};
use crate::impact::Impact;
use crate::policy::Mode;
use serde::Serialize;
use snapback_model::*;

/// A story of one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// How it ended.
    pub outcome: Outcome,
    /// How bad.
    pub severity: Severity,
    /// The mode that applies.
    pub mode: Mode,
    /// Why we looked.
    pub cause: Cause,
    /// The event's change, where one led here.
    pub change: Option<Change>,
    /// The resource, where there is one.
    pub resource: Option<ResourceId>,
    /// What it is about, for people.
    pub label: String,
    /// The findings, where it is about any.
    pub findings: Vec<Finding>,
    /// What happened, in words.
    pub problems: Vec<String>,
    /// What was done, one line each.
    pub steps: Vec<String>,
    /// What a person should do next, before what the outcome says by itself.
    pub next: Vec<String>,
    /// Our account, where known.
    pub account: Option<AccountId>,
    /// Our Region, where known.
    pub region: Option<Region>,
    /// When our work on it began.
    pub arrived_at: Timestamp,
}

/// An incident id that is the same for the same matter, so that a second append of it conflicts and
/// stays silent.
pub fn once(outcome: Outcome, matter: &impl Serialize) -> IncidentId {
    IncidentId::new(format!("inc-{}", Digest::of(&(outcome, matter)).short()))
}

impl Notice {
    /// The one entry of the story `incident`.
    pub fn entry(self, incident: IncidentId, at: Timestamp) -> Entry {
        Entry {
            incident,
            sequence: 0,
            at,
            body: Body::Closed {
                report: Box::new(self.report(at)),
            },
        }
    }

    fn report(mut self, ended_at: Timestamp) -> Report {
        self.next.extend(advice(self.outcome));
        let change = self.change;
        Report {
            outcome: self.outcome,
            severity: self.severity,
            mode: self.mode,
            resource: self.resource,
            label: self.label,
            vpc: None,
            account: self
                .account
                .or_else(|| change.as_ref().and_then(|change| change.account.clone())),
            region: self
                .region
                .or_else(|| change.as_ref().map(|change| change.region.clone())),
            cause: self.cause,
            actor: change.as_ref().map(|change| change.actor.clone()),
            api: change.as_ref().map(|change| change.api.clone()),
            event_at: change.as_ref().map(|change| change.at),
            differences: Vec::new(),
            findings: self.findings,
            impact: Impact::default(),
            executed: self.outcome == Outcome::Accepted,
            steps: self.steps,
            problems: self.problems,
            next: self.next,
            arrived_at: self.arrived_at,
            ended_at,
        }
    }
}

fn advice(outcome: Outcome) -> Vec<String> {
    let lines: &[&str] = match outcome {
        Outcome::Impostor => &[
            "Treat the credentials of the guard's role as stolen: revoke its sessions, find who may assume it, look through CloudTrail for its other calls.",
            "Snapback judges the change as a stranger's and takes back what the policy says.",
        ],
        Outcome::Blind => &[
            "Until reads work again, changes to this resource are not judged; the message is kept for another try and the sweep looks again.",
        ],
        Outcome::Malformed => &[
            "The message is in the dead-letter queue with this reason. If it came from EventBridge, keep it and report it; if not, find out who may send to the inbox.",
        ],
        Outcome::Context => &[
            "Snapback does not write gateways, endpoints or interfaces: if this was not meant, put it back by hand. Only a deleted NAT gateway it makes again, where the policy says `recreate: { nat: true }`.",
        ],
        Outcome::Refused => &[
            "If the change was meant, run `snapback capture` so that it becomes the baseline; if not, take it back by hand.",
        ],
        Outcome::Released => {
            &["Snapback judges what waited afresh and takes back what the policy says."]
        }
        Outcome::Reverted
        | Outcome::Alerted
        | Outcome::Accepted
        | Outcome::Failed
        | Outcome::Braked => &[],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}
