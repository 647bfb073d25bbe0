//! What goes wrong: planned faults by operation, faults by chance, stale reads, users in between.

use crate::call::Call;
use crate::principal::Principal;
use snapback_model::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How one operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `RequestLimitExceeded`, or the store's throttling; a channel answers 429 with `Retry-After`.
    Throttled,
    /// Not permitted.
    Denied,
    /// A fault of the service (5xx).
    ServerError,
    /// EC2 refuses with this code, whatever the state; elsewhere a fault of the service.
    Refused(&'static str),
    /// It happened, but the answer is lost.
    LostResponse,
    /// It did not happen, and no answer came.
    LostRequest,
}

/// A fault to inject. `pattern` is an operation, or a prefix with `*`: EC2 API names
/// (`DescribeRouteTables`, `Authorize*`), port methods of the store (`baselines`, `put_baselines`,
/// `put_topology`, `put_seen`, `record`, `lease`, `account`, `activity`, `commit`, `entries`,
/// `is_ours`, `unfinished`, `was_delivered`,
/// `mark_delivered`), `send`, `bury`, and channel names (`sns`, `slack`).
#[derive(Debug, Clone)]
pub(crate) struct PlannedFault {
    pub pattern: String,
    pub fault: Fault,
    /// Matching operations let through first.
    pub skip: u32,
    /// How often it strikes; `None` without limit.
    pub left: Option<u32>,
    /// Until when it strikes.
    pub until: Option<Timestamp>,
}

/// Faults by chance: each value is a probability for each operation that matches.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Chaos {
    /// [`Fault::Throttled`] on EC2 calls.
    pub throttled: f64,
    /// [`Fault::ServerError`] on EC2 calls.
    pub server_error: f64,
    /// [`Fault::LostResponse`] on EC2 calls.
    pub lost_response: f64,
    /// [`Fault::LostRequest`] on EC2 calls.
    pub lost_request: f64,
    /// [`Fault::ServerError`] on store operations.
    pub store_error: f64,
    /// [`Fault::LostResponse`] on store operations: written, but not told.
    pub store_lost: f64,
    /// [`Fault::ServerError`] on channels.
    pub channel_error: f64,
}

/// Reads that lag behind writes (eventual consistency).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Staleness {
    /// A read shows the state of up to this long ago.
    pub window: Duration,
    /// The probability that a read is stale at all.
    pub chance: f64,
}

/// When a user's call comes between two of ours. Counts start at 1 and at the call of
/// [`crate::World::interleave`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Right before the effect of our nth EC2 write.
    BeforeAct(u64),
    /// Right after our nth EC2 write.
    AfterAct(u64),
    /// Right after our nth EC2 read.
    AfterObserve(u64),
}

#[derive(Debug, Clone)]
pub(crate) struct Interleaved {
    pub when: When,
    pub principal: Principal,
    pub call: Call,
}

/// All faults of a world, with the counts that they go by.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub planned: Vec<PlannedFault>,
    pub chaos: Chaos,
    pub staleness: Option<Staleness>,
    pub interleaved: Vec<Interleaved>,
    pub acts: u64,
    pub observes: u64,
    /// Port calls left before the world is killed.
    pub kill_after: Option<u64>,
    /// How often each fault struck, of each family.
    pub struck: BTreeMap<(Family, Fault), u64>,
    pub killed: bool,
}

/// Which chances of [`Chaos`] an operation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Ec2,
    Store,
    Channel,
}

fn matches(pattern: &str, operation: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == operation, |prefix| operation.starts_with(prefix))
}

impl Faults {
    /// The fault that strikes this operation now, if one does; planned ones come first.
    pub fn strike(
        &mut self,
        operation: &str,
        family: Family,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Option<Fault> {
        let fault = self.fault(operation, family, now, rng)?;
        self.count(family, fault);
        Some(fault)
    }

    /// Notes a fault that struck.
    pub fn count(&mut self, family: Family, fault: Fault) {
        let count = self.struck.entry((family, fault)).or_default();
        *count = count.saturating_add(1);
    }

    fn fault(
        &mut self,
        operation: &str,
        family: Family,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Option<Fault> {
        self.planned.retain(|planned| {
            planned.left != Some(0) && planned.until.is_none_or(|until| now < until)
        });
        for planned in self
            .planned
            .iter_mut()
            .filter(|planned| matches(&planned.pattern, operation))
        {
            if planned.skip > 0 {
                planned.skip -= 1;
                continue;
            }
            planned.left = planned.left.map(|left| left.saturating_sub(1));
            return Some(planned.fault);
        }
        let chaos = self.chaos;
        let chances: &[(f64, Fault)] = match family {
            Family::Ec2 => &[
                (chaos.throttled, Fault::Throttled),
                (chaos.server_error, Fault::ServerError),
                (chaos.lost_response, Fault::LostResponse),
                (chaos.lost_request, Fault::LostRequest),
            ],
            Family::Store => &[
                (chaos.store_error, Fault::ServerError),
                (chaos.store_lost, Fault::LostResponse),
            ],
            Family::Channel => &[(chaos.channel_error, Fault::ServerError)],
        };
        chances
            .iter()
            .find(|(chance, _)| *chance > 0.0 && rng.f64() < *chance)
            .map(|(_, fault)| *fault)
    }

    /// Takes the users' calls that are due at this point.
    pub fn due(&mut self, now: When) -> Vec<Interleaved> {
        let (due, later) = self
            .interleaved
            .drain(..)
            .partition(|waiting| waiting.when == now);
        self.interleaved = later;
        due
    }
}
