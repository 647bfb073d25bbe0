//! Time limits and retries of the flow, with names.
//!
//! - Owns: how long the flow waits for what; backoff with jitter that follows from ids, so that runs repeat.
//! - Takes: a clock, [`Limits`], a deadline.
//! - Gives: the result of a call, or its last error.
//! - Must not: retry what is not transient, or past the deadline.

use crate::port::{CallError, Clock, StoreError};
use snapback_engine::execution::{ErrorClass, Limits};
use snapback_model::{Digest, Timestamp};
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

/// A read that does not show an event's own edit is doubted while the event is younger than this
/// (semantics E, eventual consistency).
pub const STALE_WINDOW: Duration = Duration::from_secs(30);
/// The pause before a doubted read is repeated.
pub const STALE_PAUSE: Duration = Duration::from_secs(1);
/// A read this long after an edit shows it (semantics E, eventual consistency): where live is to decide
/// between two edits, no older one does.
pub const SETTLED: Duration = Duration::from_secs(5);
/// How often a doubted read is repeated until two agree.
pub const STALE_READS_MAX: u32 = 4;
/// An event of our role that the journal does not know is retried, not accused, while it is younger
/// than this and a story is open.
pub const OWN_EVENT_GRACE: Duration = Duration::from_secs(60);
/// An event explains a call without answer only within this time of its start.
pub const OWN_CALL_WINDOW: Duration = Duration::from_secs(120);
/// A trusted change that names what no baseline knows yet comes again while it is younger than this:
/// the event that made the thing may be late.
pub const PREMATURE_WINDOW: Duration = Duration::from_secs(300);
/// What differs beside a trusted change that is younger than this may be the work of a trusted call
/// whose event is on its way: the message comes again before it is judged.
pub const SIBLING_WINDOW: Duration = Duration::from_secs(60);
/// How long the sweep waits for the events of drift that it saw before it calls them missed.
pub const MISSED_GRACE: Duration = Duration::from_secs(20);
/// A story that EC2 or the store stopped this often by transient errors ends as failed.
pub const INTERRUPTIONS_MAX: u32 = 5;
/// When a story is looked at again that waits for what takes minutes in EC2.
pub const WAIT_PAUSE: Duration = Duration::from_secs(30);
/// A story waits no longer than this: a regional NAT gateway may take an hour (semantics A5).
pub const WAITS_MAX: Duration = Duration::from_secs(75 * 60);
/// How often a decision is made again because a record or baseline was written meanwhile.
pub const CONFLICTS_MAX: u32 = 4;
/// The pause between two agreeing reads of a verification.
pub const VERIFY_PAUSE: Duration = Duration::from_millis(25);
/// Verification reads that differ in the same way for this long call for a new plan.
pub const VERIFY_SETTLED: Duration = Duration::from_secs(5);

/// A moment later by `by`; the end of time where there is none.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The time from `from` to `to`; nothing where `to` is earlier.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// Milliseconds, for metrics.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The wait before attempt `attempt + 1` (the first attempt is 0): doubles up to the longest, the
/// upper half of it spread by `seed`.
pub fn backoff(limits: &Limits, attempt: u32, seed: &str) -> Duration {
    let full = limits
        .backoff_first
        .saturating_mul(2_u32.saturating_pow(attempt))
        .min(limits.backoff_max);
    let digest = Digest::of(&(seed, attempt));
    let spread = u32::from_str_radix(digest.short().get(..4).unwrap_or("0"), 16).unwrap_or(0);
    let half = full / 2;
    half + half * spread / 0xffff
}

/// Whether trying again can help.
pub(crate) trait Retry: Display {
    /// True for throttling, faults of the service and calls without an answer.
    fn is_transient(&self) -> bool;
}

impl Retry for CallError {
    fn is_transient(&self) -> bool {
        matches!(self.class, ErrorClass::Transient | ErrorClass::Lost)
    }
}

impl Retry for StoreError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Call(error) => error.is_transient(),
            Self::Conflict { .. } | Self::Corrupt { .. } => false,
        }
    }
}

/// What bounds the retries of one message.
pub(crate) struct Pace<'a, C> {
    pub clock: &'a C,
    pub limits: &'a Limits,
    /// No wait reaches beyond it.
    pub deadline: Timestamp,
    /// What jitter follows from.
    pub seed: &'a str,
}

impl<C: Clock + Sync> Pace<'_, C> {
    /// Waits before the next attempt, unless attempts or time are used up.
    pub async fn wait(&self, attempt: u32) -> bool {
        let pause = backoff(self.limits, attempt, self.seed);
        let fits = later(self.clock.now(), pause) < self.deadline;
        let more = attempt.saturating_add(1) < self.limits.attempts_max && fits;
        if more {
            self.clock.sleep(pause).await;
        }
        more
    }

    /// Makes a call that may be repeated freely until it succeeds, fails for good, or time is up.
    ///
    /// # Errors
    /// The last error.
    pub async fn retried<T, E, F, Fut>(&self, call: F) -> Result<T, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Retry,
    {
        let mut attempt = 0;
        loop {
            match call().await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(attempt, %error, "transient error");
                    if !self.wait(attempt).await {
                        return Err(error);
                    }
                    attempt = attempt.saturating_add(1);
                }
                result => return result,
            }
        }
    }
}
