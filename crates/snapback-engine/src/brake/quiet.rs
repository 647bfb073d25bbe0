//! Quiet: what is in the middle of a deployment or a mass change is taken back once it is over.

use super::is_within;
use crate::change::Actor;
use crate::policy::Quiet;
use serde::{Deserialize, Serialize};
use snapback_model::Timestamp;
use std::time::Duration;

/// What is known of one author's recent changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// When the run of changes began: each within the quiet time of the one before.
    pub began: Timestamp,
    /// The latest of them.
    pub last: Timestamp,
    /// How many.
    pub changes: u32,
}

impl Pulse {
    /// A run that begins.
    pub fn new(at: Timestamp) -> Self {
        Self {
            began: at,
            last: at,
            changes: 1,
        }
    }

    /// The run with one more change; a new one where the author was quiet in between. Events come in
    /// any order.
    #[must_use]
    pub fn beaten(self, at: Timestamp, terms: &Quiet) -> Self {
        let after = terms.after.duration();
        if !is_within(self.last, after, at) || !is_within(at, after, self.began) {
            return Self::new(at.max(self.last));
        }
        Self {
            began: self.began.min(at),
            last: self.last.max(at),
            changes: self.changes.saturating_add(1),
        }
    }

    /// Whether the author was quiet for long enough.
    pub fn is_quiet(&self, terms: &Quiet, now: Timestamp) -> bool {
        !is_within(self.last, terms.after.duration(), now)
    }
}

/// Why a change waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// CloudFormation makes or deletes a stack.
    Stack,
    /// A tool applies a plan.
    Apply,
    /// One author changes a great deal.
    Mass,
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stack => "a stack is being made, changed or deleted",
            Self::Apply => "a tool is applying its plan",
            Self::Mass => "one author is changing a great deal",
        })
    }
}

/// Tools that apply plans, as their user agents say.
const TOOLS: [&str; 6] = [
    "terraform",
    "opentofu",
    "pulumi",
    "aws-cdk",
    "ansible",
    "crossplane",
];

/// Whether a change of `actor` is to wait, and how long from now until it is looked at again. `since`
/// is when the first change was held that still waits. What opens something dangerous never waits: the
/// caller does not ask (docs/decisions/0005).
pub fn hold(
    terms: &Quiet,
    actor: &Actor,
    pulse: &Pulse,
    since: Timestamp,
    now: Timestamp,
) -> Option<(Hold, Duration)> {
    let longest = terms.longest.duration();
    if pulse.is_quiet(terms, now) || !is_within(since, longest, now) {
        return None;
    }
    let why = if is_by_stack(actor) {
        Hold::Stack
    } else if is_by_tool(actor) {
        Hold::Apply
    } else if pulse.changes >= terms.changes.get() {
        Hold::Mass
    } else {
        return None;
    };
    let left = |from: Timestamp, span: Duration| {
        let age = Duration::try_from(now.duration_since(from)).unwrap_or(Duration::ZERO);
        span.saturating_sub(age)
    };
    let wait = left(pulse.last, terms.after.duration()).min(left(since, longest));
    Some((why, wait.max(Duration::from_secs(1))))
}

fn is_by_stack(actor: &Actor) -> bool {
    let service = "cloudformation.amazonaws.com";
    actor.on_behalf_via.as_deref() == Some(service)
        || actor.principal == service
        || actor.user_agent.as_deref() == Some(service)
}

fn is_by_tool(actor: &Actor) -> bool {
    actor.user_agent.as_deref().is_some_and(|agent| {
        let agent = agent.to_ascii_lowercase();
        TOOLS.iter().any(|tool| agent.contains(tool))
    })
}
