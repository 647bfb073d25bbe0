//! What we did to the account, as it was at that moment: the evidence that a storm is judged by.

use crate::account::Account;
use crate::world::{Inner, World};
use snapback_app::port::Scope;
use snapback_engine::incident::{Activity, Body, Entry, LeaseScope};
use snapback_engine::plan::Action;
use snapback_model::*;
use std::sync::Arc;

/// A lease that a process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLease {
    /// What it is on.
    pub scope: LeaseScope,
    /// The open stories that its holder works on.
    pub incidents: Vec<IncidentId>,
    /// Who holds it.
    pub holder: String,
    /// Until when, by the holder's clock.
    pub until: Timestamp,
    /// Its number.
    pub fencing: u64,
}

/// A resource that waited for an author to be quiet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The author.
    pub principal: String,
    /// What waited.
    pub resource: ResourceId,
    /// From when.
    pub from: Timestamp,
    /// Until when; it waits still where there is none.
    pub until: Option<Timestamp>,
}

/// One write that a process of ours tried.
#[derive(Clone)]
pub struct Written {
    /// When, by the true clock.
    pub at: Timestamp,
    /// Which process ([`World::seen_by`]).
    pub by: Arc<str>,
    /// The API.
    pub api: String,
    /// The call.
    pub action: Action,
    /// Entries of the journal before it.
    pub journalled: usize,
    /// Calls of everybody before it.
    pub called: usize,
    /// The leases held by anybody at that moment.
    pub held: Vec<HeldLease>,
    pub(crate) before: Arc<Account>,
    pub(crate) after: Arc<Account>,
}

impl Written {
    /// Whether EC2 took it.
    pub fn took_effect(&self) -> bool {
        !Arc::ptr_eq(&self.before, &self.after)
    }

    /// The account before it.
    pub fn before(&self) -> Snapshot {
        self.before.read(&Scope::Everything, self.at)
    }

    /// The account after it.
    pub fn after(&self) -> Snapshot {
        self.after.read(&Scope::Everything, self.at)
    }
}

/// The account at the moment when a plan was journalled.
#[derive(Clone)]
pub struct Planned {
    /// The story.
    pub incident: IncidentId,
    /// The number of its entry.
    pub sequence: u32,
    /// When, by the true clock.
    pub at: Timestamp,
    /// Calls of everybody before it.
    pub called: usize,
    account: Arc<Account>,
}

impl Planned {
    /// The account then, as a read of `scope` shows it.
    pub fn live(&self, scope: &Scope) -> Snapshot {
        self.account.read(scope, self.at)
    }
}

impl Inner {
    /// Keeps since when what waits, once an author's record was written.
    pub fn keep_holds(&mut self, activity: Option<&Activity>) {
        let Some(activity) = activity else { return };
        for hold in &mut self.holds {
            let of = hold.principal == activity.principal && hold.until.is_none();
            if of && !activity.held.contains_key(&hold.resource) {
                hold.until = Some(self.now);
            }
        }
        for resource in activity.held.keys() {
            let waits = self.holds.iter().any(|hold| {
                hold.principal == activity.principal
                    && hold.until.is_none()
                    && hold.resource == *resource
            });
            if !waits {
                self.holds.push(Hold {
                    principal: activity.principal.clone(),
                    resource: resource.clone(),
                    from: self.now,
                    until: None,
                });
            }
        }
    }

    /// Keeps the account for each plan among what was just journalled.
    pub fn keep_plans(&mut self, entries: &[Entry]) {
        for entry in entries {
            if matches!(entry.body, Body::Planned { .. }) {
                self.planned.push(Planned {
                    incident: entry.incident.clone(),
                    sequence: entry.sequence,
                    at: self.now,
                    called: self.log.len(),
                    account: Arc::clone(&self.account),
                });
            }
        }
    }
}

impl World {
    /// Every write that we tried, in order.
    pub fn tried(&self) -> Vec<Written> {
        self.with(|inner| inner.trail.clone())
    }

    /// Every plan that was journalled, with the account at that moment.
    pub fn planned(&self) -> Vec<Planned> {
        self.with(|inner| inner.planned.clone())
    }
}
