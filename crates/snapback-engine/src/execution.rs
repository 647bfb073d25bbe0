//! Stage `execution`: what a call's outcome means and what comes next. The shell only makes the calls.
//!
//! - Owns: error classes (semantics B rules 1–3), limits with names, the check that live equals the goal.
//! - Takes: EC2 error codes, fresh snapshots, the plan.
//! - Gives: [`ErrorClass`], [`StepOutcome`], [`Verification`].
//! - Must not: sleep, call, read a clock.

use serde::{Deserialize, Serialize};
use snapback_model::{CreatedId, RequestId};
use std::time::Duration;

mod classify;
mod own_call;
#[cfg(test)]
mod tests;
mod verify;

pub use classify::classify;
pub use own_call::{made, made_gateway, matches};
pub use verify::{Verification, verify};

/// What an EC2 error means for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// Rule 1: the state may be as wanted already; read and compare.
    AlreadyAsWanted,
    /// Rule 2: throttled or a fault of AWS; try again with backoff.
    Transient,
    /// Rule 2: not permitted; alert, no retry.
    Denied,
    /// Rule 3: the container is gone; the object itself was deleted.
    Gone,
    /// Rule 3: a quota is in the way.
    Quota,
    /// No answer came: it may have happened; read and compare.
    Lost,
    /// Anything else: the request is wrong; alert, no retry.
    Invalid,
}

/// How one step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// EC2 confirmed it.
    Applied {
        /// EC2's request id: tells our own event.
        request: Option<RequestId>,
        /// The id of what a create call made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created: Option<CreatedId>,
    },
    /// It was as wanted already.
    AlreadyInPlace {
        /// What an earlier try of the same create call made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created: Option<CreatedId>,
    },
    /// No answer: resolved by reading later.
    Unknown {
        /// What was seen.
        what: String,
    },
    /// Refused.
    Failed {
        /// EC2's code.
        code: String,
        /// EC2's message.
        message: String,
        /// Its class.
        class: ErrorClass,
    },
}

/// Named limits of one revert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// An observation older than this is read again before a write.
    pub observation_max_age: Duration,
    /// Attempts of one call.
    pub attempts_max: u32,
    /// First backoff; doubles each time, with jitter.
    pub backoff_first: Duration,
    /// Longest backoff.
    pub backoff_max: Duration,
    /// How long verification may take.
    pub verify_deadline: Duration,
    /// Agreeing reads that prove the end.
    pub verify_reads: u32,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How long a call may take until its answer is given up: none begins with less left of the lease.
    pub call: Duration,
    /// How much the clocks of two guards may differ.
    pub skew: Duration,
    /// No new step starts with less than this left of the Lambda's time.
    pub reserve: Duration,
    /// Plans again at most this often when somebody changes things meanwhile.
    pub replans_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            observation_max_age: Duration::from_secs(2),
            attempts_max: 5,
            backoff_first: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            verify_deadline: Duration::from_secs(20),
            verify_reads: 2,
            lease: Duration::from_secs(60),
            call: Duration::from_secs(15),
            skew: Duration::from_secs(5),
            reserve: Duration::from_secs(5),
            replans_max: 3,
        }
    }
}
