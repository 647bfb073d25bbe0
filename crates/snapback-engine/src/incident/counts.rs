//! What is counted beside the resources: reverts of the account, changes of an author.

use crate::brake::{self, Brake, Hold, Pulse};
use crate::change::Change;
use serde::{Deserialize, Serialize};
use snapback_model::{EventId, ResourceId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept for the whole account and Region: written only on the version it was read at, with
/// the first call of each revert. So it is right however many guards run; who meets another one
/// reads it again, and since each meeting means that the other's revert was counted, the budget
/// itself bounds how often that can happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Counts writes. 0 is not yet stored.
    pub version: u64,
    /// When the latest revert of each resource began, those of the last ten minutes.
    pub reverts: BTreeMap<ResourceId, Timestamp>,
    /// The brake, where it is on.
    pub brake: Option<Brake>,
    /// What waits for the brake's release.
    pub waiting: BTreeSet<ResourceId>,
}

impl AccountRecord {
    fn next(&self) -> Self {
        Self {
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// The record once a revert of `resource` has begun.
    #[must_use]
    pub fn counted(&self, resource: &ResourceId, now: Timestamp) -> Self {
        let mut next = self.next();
        next.reverts
            .retain(|_, at| brake::is_within(*at, brake::TEN_MINUTES, now));
        next.reverts.insert(resource.clone(), now);
        next
    }

    /// The record once the brake is on, or was, and `resource` waits for its release.
    #[must_use]
    pub fn braked(&self, brake: Brake, resource: &ResourceId) -> Self {
        let mut next = self.next();
        next.brake.get_or_insert(brake);
        next.waiting.insert(resource.clone());
        next
    }

    /// The record once a person released the brake; counting begins anew. What waits is still to be
    /// looked at.
    #[must_use]
    pub fn released(&self) -> Self {
        Self {
            reverts: BTreeMap::new(),
            brake: None,
            ..self.next()
        }
    }
}

/// A change that waits for its author to be quiet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The latest change of the author here; its edits only where they are few.
    pub change: Box<Change>,
    /// Why it waits.
    pub why: Hold,
}

/// What is kept for one author of changes that are not trusted. Written only on the version it was
/// read at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The author, as the breaker knows it.
    pub principal: String,
    /// Counts writes. 0 is not yet stored.
    pub version: u64,
    /// The run of changes.
    pub pulse: Option<Pulse>,
    /// The latest events that were counted: an event that comes again is one change.
    pub counted: Vec<EventId>,
    /// Since when something waits.
    pub since: Option<Timestamp>,
    /// When the message comes that looks at it again.
    pub due: Option<Timestamp>,
    /// What waits.
    pub held: BTreeMap<ResourceId, Held>,
}

impl Activity {
    /// An author of whom nothing is known.
    pub fn new(principal: impl Into<String>) -> Self {
        Self {
            principal: principal.into(),
            version: 0,
            pulse: None,
            counted: Vec::new(),
            since: None,
            due: None,
            held: BTreeMap::new(),
        }
    }
}
