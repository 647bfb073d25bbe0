//! What is in the middle of a deployment or a mass change waits until its author is quiet, and is
//! then judged as one (semantics C5). Dangerous openings do not wait (docs/decisions/0005).

use super::{Ended, Ending, GuardError, Handled, Matter, Visit};
use crate::assessment::Assessment;
use crate::ledger;
use crate::patience::{CONFLICTS_MAX, later};
use crate::port::{Command, StoreError};
use crate::rights::GuardPorts;
use snapback_engine::brake::{self, Pulse};
use snapback_engine::change::{Change, Edits, Touched};
use snapback_engine::finding::{Harm, Severity};
use snapback_engine::incident::{Activity, Cause, Commit, Held, ResourceRecord};
use snapback_engine::verdict::Verdict;
use snapback_model::{ResourceId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the sweep grants beyond the longest wait before it calls something forgotten.
const GRACE: Duration = Duration::from_secs(60);
/// Edits of a held change are kept up to this size; beyond, live alone tells.
const EDITS_MAX: usize = 2048;
/// Resources held of one author: one item of the table holds them. More are judged at once.
const HELD_MAX: usize = 50;
/// Events of one author that are known as counted.
const COUNTED_MAX: usize = 64;

/// Whether a revert would close something dangerous. Also what no packet can use yet: the rest of
/// an apply may make it usable a second later.
fn is_urgent(assessment: &Assessment) -> bool {
    let judgements = assessment.decision.judgements.iter();
    judgements
        .filter(|judgement| judgement.verdict == Verdict::Revert)
        .flat_map(|judgement| &judgement.findings)
        .any(|finding| finding.harm == Harm::Opens && finding.severity >= Severity::High)
}

fn held(resource: &ResourceId) -> Ended {
    Ended {
        resource: Some(resource.clone()),
        incident: None,
        ending: Ending::Held,
    }
}

/// A change as it is kept: what it edits only where that is little.
fn kept(change: &Change) -> Box<Change> {
    let mut change = change.clone();
    let size = serde_json::to_vec(&change.edits).map_or(usize::MAX, |edits| edits.len());
    if size > EDITS_MAX {
        change.edits = Edits::Unknown {
            why: "too many to be kept while the change waited".into(),
        };
    }
    Box::new(change)
}

impl<P: GuardPorts> Visit<'_, P> {
    /// Whether what differs waits: `Some` where it does, and a message comes when it may be over.
    pub(super) async fn hold(
        &self,
        record: &ResourceRecord,
        assessment: &Assessment,
        matter: &Matter,
    ) -> Result<Option<Ended>, GuardError> {
        if matter.settled || is_urgent(assessment) {
            return Ok(None);
        }
        let resource = &record.resource;
        let waits = record.waits_until.is_some_and(|until| until > self.now());
        let Some(change) = matter.stranger() else {
            return Ok(waits.then(|| held(resource)));
        };
        let terms = &self.guard.policy.quiet;
        for _ in 0..CONFLICTS_MAX {
            let (now, before) = (self.now(), self.activity(&change.actor.principal).await?);
            let mut activity = before.clone();
            activity.version = before.version.saturating_add(1);
            let pulse = self.count(&mut activity, change);
            let since = self.since(&mut activity);
            let full = before.held.len() >= HELD_MAX && !before.held.contains_key(resource);
            let hold = brake::hold(terms, &change.actor, &pulse, since, now).filter(|_| !full);
            let mut waiting = record.clone();
            let mut asked = None;
            if let Some((why, wait)) = hold {
                activity.since = Some(since);
                let change = kept(change);
                activity.held.insert(resource.clone(), Held { change, why });
                waiting.version = record.version.saturating_add(1);
                let until = later(since, terms.longest.duration());
                waiting.waits_until = Some(later(until, GRACE));
                if activity.due.is_none_or(|due| due <= now) {
                    let due = later(now, wait);
                    activity.due = Some(due);
                    asked = Some((wait, due));
                }
            } else if activity.counted == before.counted {
                return Ok(waits.then(|| held(resource)));
            }
            // Asked for first: a crash in between asks twice, never not at all.
            if let Some((wait, due)) = asked {
                self.ask_when_quiet(&change.actor.principal, wait, due)
                    .await?;
            }
            let commit = Commit {
                record: hold.map(|_| &waiting),
                activity: Some(&activity),
                ..Commit::default()
            };
            match ledger::commit(&self.pace(), &self.guard.ports, &commit).await {
                Ok(()) => {
                    if let Some((why, wait)) = hold {
                        tracing::info!(%resource, author = change.actor.principal, %why, ?wait, "waits for quiet");
                    }
                    return Ok((hold.is_some() || waits).then(|| held(resource)));
                }
                // Another resource of the same author, or this record: which one shows at the next try.
                Err(StoreError::Conflict { what }) if hold.is_some() => {
                    if self.record(resource).await? != *record {
                        return Err(StoreError::Conflict { what }.into());
                    }
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GuardError::Contended {
            what: format!("the activity of {}", change.actor.principal),
        })
    }

    /// Counts an event once.
    fn count(&self, activity: &mut Activity, change: &Change) -> Pulse {
        let terms = &self.guard.policy.quiet;
        let known = activity.counted.contains(&change.event);
        let pulse = match activity.pulse {
            Some(pulse) if known => pulse,
            Some(pulse) => pulse.beaten(change.at, terms),
            None => Pulse::new(change.at),
        };
        if !known {
            activity.counted.push(change.event.clone());
            let surplus = activity.counted.len().saturating_sub(COUNTED_MAX);
            activity.counted.drain(..surplus);
        }
        activity.pulse = Some(pulse);
        pulse
    }

    async fn activity(&self, principal: &str) -> Result<Activity, GuardError> {
        let ports = &self.guard.ports;
        Ok(self.pace().retried(|| ports.activity(principal)).await?)
    }

    async fn ask_when_quiet(
        &self,
        principal: &str,
        wait: Duration,
        due: Timestamp,
    ) -> Result<(), GuardError> {
        let command = Command::Quiet {
            principal: principal.to_owned(),
            due,
        };
        let ports = &self.guard.ports;
        // A little later than the moment itself: times of events are whole seconds.
        let wait = wait.saturating_add(Duration::from_secs(1));
        self.pace().retried(|| ports.send(&command, wait)).await?;
        Ok(())
    }

    /// The author goes on: one message comes later, however many asked by now. Which one is told by
    /// the moment it carries, not by a clock: that moment may still be to come by the clock of who
    /// reads it, and the message would be the last.
    async fn ask_again(
        &self,
        activity: Activity,
        wait: Duration,
        due: Timestamp,
    ) -> Result<(), GuardError> {
        let now = self.now();
        let is_asked =
            |due_now: Option<Timestamp>| due_now.is_some_and(|other| other != due && other > now);
        if is_asked(activity.due) {
            return Ok(());
        }
        let (principal, next) = (activity.principal.clone(), later(now, wait));
        self.ask_when_quiet(&principal, wait, next).await?;
        let mut before = activity;
        for _ in 0..CONFLICTS_MAX {
            // Asked for by somebody else meanwhile, or judged: theirs comes, and mine finds it so.
            if is_asked(before.due) || before.held.is_empty() {
                return Ok(());
            }
            let mut asked = before.clone();
            asked.version = before.version.saturating_add(1);
            asked.due = Some(next);
            let commit = Commit {
                activity: Some(&asked),
                ..Commit::default()
            };
            match ledger::commit(&self.pace(), &self.guard.ports, &commit).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict { .. }) => before = self.activity(&principal).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(GuardError::Contended {
            what: format!("the activity of {principal}"),
        })
    }

    /// Since when something of this author waits. What waited so long that its message must be lost
    /// is forgotten here: the sweep has judged it, by its record.
    fn since(&self, activity: &mut Activity) -> Timestamp {
        let (now, longest) = (self.now(), self.guard.policy.quiet.longest.duration());
        match activity.since {
            Some(since) if now <= later(later(since, longest), GRACE) => since,
            _ => {
                activity.held.clear();
                now
            }
        }
    }

    /// An author may be quiet: what waited is judged now, all of it in one visit; or it goes on.
    pub(super) async fn quiet(
        &self,
        principal: &str,
        due: Timestamp,
    ) -> Result<Handled, GuardError> {
        let activity = self.activity(principal).await?;
        let (Some(pulse), Some(since)) = (activity.pulse, activity.since) else {
            return Ok(Handled::Judged(Vec::new()));
        };
        let terms = &self.guard.policy.quiet;
        let now = self.now();
        let latest = activity.held.values().max_by_key(|held| held.change.at);
        let wait =
            latest.and_then(|held| brake::hold(terms, &held.change.actor, &pulse, since, now));
        if let Some((_, wait)) = wait {
            let waiting = activity.held.keys().map(held).collect();
            self.ask_again(activity, wait, due).await?;
            return Ok(Handled::Judged(waiting));
        }
        let mut ended = Vec::new();
        let mut done = BTreeMap::new();
        let mut failed = None;
        for (resource, waiting) in activity.held {
            let matter = Matter {
                cause: Cause::Event(waiting.change.event.clone()),
                change: Some(waiting.change.clone()),
                trusted: false,
                settled: true,
            };
            let touched = BTreeSet::from([Touched::Resource(resource.clone())]);
            match self.follow(&touched, &matter).await {
                Ok(handled) => {
                    if let Handled::Judged(more) = handled {
                        ended.extend(more);
                    }
                    done.insert(resource, waiting);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.let_go(principal, &done).await?;
        failed.map_or(Ok(Handled::Judged(ended)), Err)
    }

    /// What was judged waits no more, unless its author changed it again meanwhile.
    async fn let_go(
        &self,
        principal: &str,
        done: &BTreeMap<ResourceId, Held>,
    ) -> Result<(), GuardError> {
        for _ in 0..CONFLICTS_MAX {
            let before = self.activity(principal).await?;
            let mut activity = before.clone();
            activity.version = before.version.saturating_add(1);
            activity
                .held
                .retain(|resource, held| done.get(resource) != Some(held));
            let (now, after) = (self.now(), self.guard.policy.quiet.after.duration());
            let next = (!activity.held.is_empty()).then(|| later(now, after));
            activity.due = next;
            activity.since = next.map(|_| now);
            // Asked for first, as above.
            if let Some(due) = next {
                self.ask_when_quiet(principal, after, due).await?;
            }
            let commit = Commit {
                activity: Some(&activity),
                ..Commit::default()
            };
            match ledger::commit(&self.pace(), &self.guard.ports, &commit).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GuardError::Contended {
            what: format!("the activity of {principal}"),
        })
    }
}
