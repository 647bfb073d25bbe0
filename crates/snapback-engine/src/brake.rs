//! Stage `brake`: whether a revert may run at all, now.
//!
//! - Owns: budgets (anchors.md rule 10), the breaker for fights, quiet (semantics C5): the decisions,
//!   not the records they are made from.
//! - Takes: the policy's limits, times of recent reverts, who did what, now.
//! - Gives: [`Permit`], [`Fight`], [`Hold`].
//! - Must not: store, count or wait by itself.

mod breaker;
mod quiet;

#[cfg(test)]
mod tests;

pub use breaker::{Controller, Fight, Undone, fight, undone_within};
pub use quiet::{Hold, Pulse, hold};

use crate::policy::Budgets;
use serde::{Deserialize, Serialize};
use snapback_model::{IncidentId, ResourceId, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The time that reverts of one resource are counted in.
pub const HOUR: Duration = Duration::from_secs(3600);
/// The time that reverted resources are counted in.
pub const TEN_MINUTES: Duration = Duration::from_secs(600);

/// A limit of what is written before a person must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// EC2 calls of one plan.
    CallsAPlan,
    /// Reverts of one resource within an hour.
    RevertsOfAResourceAnHour,
    /// Resources of the account and Region reverted within ten minutes.
    ResourcesRevertedInTenMinutes,
}

impl Budget {
    /// The key in the policy.
    pub fn key(self) -> &'static str {
        match self {
            Self::CallsAPlan => "budgets.calls-a-plan",
            Self::RevertsOfAResourceAnHour => "budgets.reverts-of-a-resource-an-hour",
            Self::ResourcesRevertedInTenMinutes => "budgets.resources-reverted-in-ten-minutes",
        }
    }

    /// Whether it stops the whole account, not one resource.
    pub fn is_of_account(self) -> bool {
        self == Self::ResourcesRevertedInTenMinutes
    }
}

/// A budget that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stop {
    /// Which.
    pub budget: Budget,
    /// What it would have come to.
    pub count: u32,
    /// What is allowed.
    pub limit: u32,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.budget {
            Budget::CallsAPlan => "EC2 calls in one plan",
            Budget::RevertsOfAResourceAnHour => "reverts of this resource within an hour",
            Budget::ResourcesRevertedInTenMinutes => {
                "resources of this account and Region reverted within ten minutes"
            }
        };
        let Self { count, limit, .. } = self;
        let key = self.budget.key();
        write!(f, "{count} {what}, the limit is {limit} ({key})")
    }
}

/// A brake that is on until a person releases it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// Why.
    pub stop: Stop,
    /// Since when.
    pub since: Timestamp,
    /// The story that told of it.
    pub incident: IncidentId,
}

/// Whether one more revert may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Go,
    /// It may not, and nothing else in the budget's scope until a person releases it.
    Stop(Stop),
}

/// What was reverted lately.
#[derive(Debug, Clone, Copy)]
pub struct Recent<'a> {
    /// When reverts of the resource began.
    pub of_resource: &'a [Timestamp],
    /// When the latest revert of each resource of the account began.
    pub of_account: &'a BTreeMap<ResourceId, Timestamp>,
}

/// Whether a revert of `resource` may begin now. It is not among the recent ones yet.
pub fn permit(
    budgets: &Budgets,
    recent: Recent<'_>,
    resource: &ResourceId,
    now: Timestamp,
) -> Permit {
    let of_resource = within(recent.of_resource.iter(), HOUR, now);
    let others = recent.of_account.iter().filter(|(id, _)| *id != resource);
    let of_account = within(others.map(|(_, at)| at), TEN_MINUTES, now);
    let counts = [
        (
            Budget::RevertsOfAResourceAnHour,
            of_resource,
            budgets.reverts_of_a_resource_an_hour.get(),
        ),
        (
            Budget::ResourcesRevertedInTenMinutes,
            of_account,
            budgets.resources_reverted_in_ten_minutes.get(),
        ),
    ];
    let over = counts.into_iter().find_map(|(budget, before, limit)| {
        let count = before.saturating_add(1);
        (count > limit).then_some(Stop {
            budget,
            count,
            limit,
        })
    });
    over.map_or(Permit::Go, Permit::Stop)
}

/// Whether a plan of so many calls may run. `allowance` is what a person released it up to.
pub fn permit_plan(budgets: &Budgets, calls: usize, allowance: Option<u32>) -> Permit {
    let limit = budgets.calls_a_plan.get();
    let count = u32::try_from(calls).unwrap_or(u32::MAX);
    if count <= limit.max(allowance.unwrap_or(0)) {
        return Permit::Go;
    }
    Permit::Stop(Stop {
        budget: Budget::CallsAPlan,
        count,
        limit,
    })
}

fn within<'a>(times: impl Iterator<Item = &'a Timestamp>, span: Duration, now: Timestamp) -> u32 {
    let recent = times.filter(|at| is_within(**at, span, now));
    u32::try_from(recent.count()).unwrap_or(u32::MAX)
}

/// Whether a moment is less than `span` ago. One that clocks place in the future is.
pub fn is_within(at: Timestamp, span: Duration, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(at)).map_or(true, |age| age < span)
}
