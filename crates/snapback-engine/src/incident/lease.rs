//! The right to write in a VPC: one holder at a time, told from every earlier one by a number.
//!
//! EC2 has no compare-and-swap (semantics B rule 0), so writes of two guards in one VPC must not
//! meet (C4). What makes it safe, and under which bounds:
//! - A lease is written only on the version it was read at, in the transaction that begins a call;
//!   whoever lost it cannot begin another one.
//! - A holder begins a call only while the lease outlasts the longest call ([`Lease::covers`]).
//! - Others take it only when it is over by more than clocks may differ ([`Lease::is_held_against`]).
//! - What no lease can stop: a call that EC2 itself carries out later than its time-out.

use serde::{Deserialize, Serialize};
use snapback_model::{ResourceId, Timestamp, VpcId};
use std::fmt;
use std::time::Duration;

/// What a lease is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseScope {
    /// Everything in a VPC.
    Vpc(VpcId),
    /// One resource: its VPC is not known.
    Resource(ResourceId),
}

impl LeaseScope {
    /// The scope of a resource's lease.
    pub fn of(resource: &ResourceId, vpc: Option<&VpcId>) -> Self {
        match vpc {
            Some(vpc) => Self::Vpc(vpc.clone()),
            None => Self::Resource(resource.clone()),
        }
    }

    /// The AWS id: it tells one scope from another.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Vpc(vpc) => vpc.as_str(),
            Self::Resource(resource) => resource.as_str(),
        }
    }
}

impl fmt::Display for LeaseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The lease of a scope, as it is stored. Written only on the version it was read at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lease {
    /// What it is about.
    pub scope: LeaseScope,
    /// Counts writes; a write names the version it replaces. 0 is not yet stored.
    pub version: u64,
    /// Who holds it, if anybody.
    pub holder: Option<String>,
    /// Until when, by the holder's clock.
    pub until: Option<Timestamp>,
    /// Counts holders: stands in every step that began under it.
    pub fencing: u64,
}

impl Lease {
    /// A lease that was never held.
    pub fn new(scope: LeaseScope) -> Self {
        Self {
            scope,
            version: 0,
            holder: None,
            until: None,
            fencing: 0,
        }
    }

    /// Whether somebody else holds it. `skew` is how much two clocks may differ.
    pub fn is_held_against(&self, holder: &str, now: Timestamp, skew: Duration) -> bool {
        self.holder
            .as_deref()
            .is_some_and(|current| current != holder)
            && self.until.is_some_and(|until| is_before(now, until, skew))
    }

    /// Whether a call of at most `call` that begins now ends while the lease is held.
    pub fn covers(&self, now: Timestamp, call: Duration) -> bool {
        self.holder.is_some()
            && self
                .until
                .is_some_and(|until| now.checked_add(call).is_ok_and(|end| end <= until))
    }

    /// The lease as it is once `holder` has taken it.
    #[must_use]
    pub fn claimed(&self, holder: &str, until: Timestamp) -> Self {
        Self {
            holder: Some(holder.to_owned()),
            fencing: self.fencing.saturating_add(1),
            ..self.renewed(until)
        }
    }

    /// The lease as it is once its holder keeps it until later.
    #[must_use]
    pub fn renewed(&self, until: Timestamp) -> Self {
        Self {
            version: self.version.saturating_add(1),
            until: Some(until),
            ..self.clone()
        }
    }

    /// The lease as it is once it is given back.
    #[must_use]
    pub fn released(&self) -> Self {
        Self {
            version: self.version.saturating_add(1),
            holder: None,
            until: None,
            ..self.clone()
        }
    }
}

/// Whether a moment of another clock may not have come yet.
pub(super) fn is_before(now: Timestamp, until: Timestamp, skew: Duration) -> bool {
    // At the very moment too: a call that ends then may still be under way.
    until.checked_add(skew).is_ok_and(|over| over >= now)
}
