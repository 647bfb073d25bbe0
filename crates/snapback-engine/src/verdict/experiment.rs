//! Fault injections of AWS FIS: while one runs, what it did is no deviation to fight; what it leaves
//! behind is (docs/decisions/0008).
//!
//! FIS makes a temporary ACL (or table) under a tag, moves subnets to it and moves them back. The tag
//! proves nothing, anybody can set it. What proves it is a call of which AWS says that FIS made it;
//! when the first of them was made, and what FIS had made by then, is kept with the resource's record.

use super::judge::Bench;
use crate::change::{Change, Touched};
use crate::diff::{Difference, ResourceDiff};
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::fmt;
use std::time::Duration;

/// An experiment, as far as one difference is part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// When the first call of it that is known was made.
    pub since: Timestamp,
    /// The role it runs with.
    pub by: String,
    /// What it made: the ACL or table that the subnet is in.
    pub holder: ResourceId,
    /// What that says, without its associations: where it says something else, somebody else wrote.
    pub content: Digest,
}

impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "part of an experiment that AWS FIS runs as {:?} since {} (policy: experiments)",
            self.by, self.since
        )
    }
}

/// What a difference has to do with experiments.
pub(super) enum Trial {
    /// It is part of one that runs.
    Running(Experiment),
    /// It looks like one; why it is judged as ever.
    Refused(String),
}

impl Bench<'_> {
    /// What a difference has to do with an experiment; nothing where it does not look like one.
    pub(super) fn trial(&self, diff: &ResourceDiff, difference: &Difference) -> Option<Trial> {
        let terms = self.policy.experiments.as_ref()?;
        let holder = match difference {
            Difference::Association {
                live: Some(holder), ..
            } => holder,
            Difference::Unreviewed { .. } => &diff.resource,
            _ => return None,
        };
        let state = self.live.resources.get(holder)?;
        let tagged = state.tags().is_some_and(|tags| terms.tag.matches(tags));
        if !tagged || self.is_approved(holder) {
            return None;
        }
        let content = content(state)?;
        let Some(found) = self.known(diff, difference, holder, content) else {
            return Some(Trial::Refused(format!(
                "{holder} carries the tag {:?}, but no call of AWS FIS is known that made it so: the tag exempts nothing",
                terms.tag.to_string()
            )));
        };
        let lasted = self.live.observed_at.duration_since(found.since);
        let lasted = Duration::try_from(lasted).unwrap_or_default();
        if lasted <= terms.longest.duration() {
            return Some(Trial::Running(found));
        }
        Some(Trial::Refused(format!(
            "the experiment of AWS FIS that {:?} began at {} lasted longer than {}: it did not clean up (policy: experiments)",
            found.by, found.since, terms.longest
        )))
    }

    /// Whether somebody said that it is good: what an experiment makes is new.
    fn is_approved(&self, holder: &ResourceId) -> bool {
        let baseline = self.baselines.by_id.get(holder);
        baseline.is_some_and(|baseline| {
            baseline.state.is_some() && baseline.provenance.origin != Origin::Unreviewed
        })
    }

    /// What is known of the experiment: by the event that led here, else from before. Where somebody
    /// else had a hand in it, what was known is void.
    fn known(
        &self,
        diff: &ResourceDiff,
        difference: &Difference,
        holder: &ResourceId,
        content: Digest,
    ) -> Option<Experiment> {
        let terms = self.policy.experiments.as_ref()?;
        let before = self
            .running
            .get(&difference.element())
            .filter(|known| known.holder == *holder);
        let touches = |change: &Change| {
            let holder = Touched::Resource(holder.clone());
            change.touched.contains(&holder)
        };
        match self.change {
            Some(change) if terms.made(change) && touches(change) => Some(Experiment {
                since: before.map_or(change.at, |before| before.since.min(change.at)),
                by: change.actor.principal.clone(),
                holder: holder.clone(),
                content,
            }),
            Some(change)
                if !terms.made(change)
                    && (touches(change) || self.made_by(diff, difference).is_some()) =>
            {
                None
            }
            _ => before.filter(|before| before.content == content).cloned(),
        }
    }
}

/// What an ACL or a table says.
fn content(state: &Resource) -> Option<Digest> {
    match state {
        Resource::NetworkAcl(acl) => Some(Digest::of(&acl.entries)),
        Resource::RouteTable(table) => Some(Digest::of(&table.routes)),
        Resource::SecurityGroup(_) => None,
    }
}
