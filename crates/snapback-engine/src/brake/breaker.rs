//! The breaker: a controller that puts its change back again is named and no more fought.

use super::is_within;
use crate::change::Actor;
use crate::policy::Breaker;
use serde::{Deserialize, Serialize};
use snapback_model::{Digest, Element, IncidentId, Timestamp};
use std::collections::BTreeMap;

/// Who makes a change, as it is recognised when it comes again: the role behind a session, a user,
/// or an AWS service. Session names and user agents change from run to run and tell nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Controller {
    /// The role ARN, user ARN or service.
    pub principal: String,
    /// The service that acted for it, if one did.
    pub via: Option<String>,
}

impl Controller {
    /// The controller behind an event.
    pub fn of(actor: &Actor) -> Self {
        Self {
            principal: actor.principal.clone(),
            via: actor.on_behalf_via.clone(),
        }
    }
}

impl std::fmt::Display for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.via {
            Some(via) => write!(f, "{} (through {via})", self.principal),
            None => f.write_str(&self.principal),
        }
    }
}

/// What was taken back once, and from whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// When its latest call began.
    pub at: Timestamp,
    /// The story.
    pub incident: IncidentId,
    /// Whose change it was, by its event.
    pub by: Controller,
    /// The differences taken back, by element.
    pub differences: BTreeMap<Element, Digest>,
}

/// A fight that is not fought any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fight {
    /// Who puts it back.
    pub by: Controller,
    /// How often it came again after a revert.
    pub rounds: u32,
    /// When the latest call of each revert began that it undid.
    pub times: Vec<Timestamp>,
    /// The differences that it wants.
    pub differences: BTreeMap<Element, Digest>,
    /// When the breaker opened.
    pub opened: Timestamp,
    /// When it last made a change here.
    pub seen: Timestamp,
}

impl Fight {
    /// Whether nothing came for so long that the breaker closes by itself.
    pub fn is_over(&self, terms: &Breaker, now: Timestamp) -> bool {
        !is_within(self.seen, terms.quiet.duration(), now)
    }
}

/// Whether `by` puts the same change back once too often. `differences` are those that a revert would
/// take back now; one that was taken back before, from the same identity, is the same change. Others'
/// changes and other changes are no fight: they are what the budgets are for.
pub fn fight(
    terms: &Breaker,
    undone: &[Undone],
    by: &Controller,
    differences: &BTreeMap<Element, Digest>,
    now: Timestamp,
) -> Option<Fight> {
    let mut again = BTreeMap::new();
    let mut times = Vec::new();
    for before in undone_within(undone, terms, now).filter(|before| before.by == *by) {
        let same = before
            .differences
            .iter()
            .filter(|(element, digest)| differences.get(element) == Some(digest));
        let known = again.len();
        let mut any = false;
        for (element, digest) in same {
            again.insert(element.clone(), digest.clone());
            any = true;
        }
        if any || again.len() > known {
            times.push(before.at);
        }
    }
    let rounds = u32::try_from(times.len()).unwrap_or(u32::MAX);
    (rounds >= terms.rounds.get()).then(|| Fight {
        by: by.clone(),
        rounds,
        times,
        differences: again,
        opened: now,
        seen: now,
    })
}

/// The reverts that still count for a fight.
pub fn undone_within<'a>(
    undone: &'a [Undone],
    terms: &Breaker,
    now: Timestamp,
) -> impl Iterator<Item = &'a Undone> {
    let window = terms.window.duration();
    undone
        .iter()
        .filter(move |before| is_within(before.at, window, now))
}
