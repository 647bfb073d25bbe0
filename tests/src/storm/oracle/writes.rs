//! Every write: under the lease of its story, the step that the journal says was started.

use super::{Bench, Invariant};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{Body, Entry};
use snapback_engine::plan::{Action, Plan};
use snapback_model::*;
use snapback_sim::{HeldLease, Written};
use std::collections::BTreeMap;
use std::time::Duration;

/// Clocks are at most so far apart.
const SKEW_MAX: Duration = Duration::from_secs(4);

/// Where a story stands in the journal.
#[derive(Default)]
pub(super) struct Standing {
    pub plan: Option<Plan>,
    pub plan_number: u32,
    pub started: Option<usize>,
    /// The number of the lease that the step began under.
    pub fencing: u64,
    pub lineage: Lineage,
    pub closed: bool,
}

impl Standing {
    fn absorb(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Planned { plan } => {
                self.plan = Some(plan.as_ref().clone());
                self.plan_number = entry.sequence;
                self.started = None;
            }
            Body::StepStarted { step, fencing, .. } => {
                (self.started, self.fencing) = (Some(*step), *fencing);
            }
            Body::StepEnded { step, outcome } => {
                let (StepOutcome::Applied { created, .. }
                | StepOutcome::AlreadyInPlace { created }) = outcome
                else {
                    return;
                };
                let steps = self.plan.as_ref().map(|plan| &plan.steps);
                let action = steps.and_then(|steps| steps.get(*step));
                let old = action.and_then(|step| step.action.makes());
                if let Some((old, new)) = old.zip(created.as_ref()) {
                    self.lineage.record(old.as_str(), new.as_str());
                }
            }
            Body::Closed { .. } => self.closed = true,
            _ => {}
        }
    }

    /// The call that the journal says is under way.
    pub fn under_way(&self, incident: &IncidentId) -> Option<Action> {
        let step = self.plan.as_ref()?.steps.get(self.started?)?;
        Some(step.action.renamed(&self.lineage).for_incident(incident))
    }
}

/// The leases that the writer of a call holds, in force by a clock that is off by no more than the
/// storm lets it be.
fn leases(written: &Written) -> Vec<&HeldLease> {
    let holder = format!("{}/", written.by);
    let floor = written.at.checked_sub(SKEW_MAX).unwrap_or(written.at);
    let held = written.held.iter();
    held.filter(|held| held.holder.starts_with(&holder) && held.until >= floor)
        .collect()
}

impl Bench<'_> {
    /// Goes through the writes with the journal as it stood before each.
    pub(super) fn each_write(
        &mut self,
        mut look: impl FnMut(&mut Self, &Written, &BTreeMap<IncidentId, Standing>),
    ) {
        let journal = std::mem::take(&mut self.journal);
        let mut stories: BTreeMap<IncidentId, Standing> = BTreeMap::new();
        let mut read = 0;
        for written in self.played.world.tried() {
            for entry in journal.iter().take(written.journalled).skip(read) {
                stories
                    .entry(entry.incident.clone())
                    .or_default()
                    .absorb(entry);
            }
            read = written.journalled;
            look(self, &written, &stories);
        }
        self.journal = journal;
    }

    pub(super) fn writes(&mut self) {
        self.each_write(|bench, written, stories| {
            bench.looked.at("writes");
            let what = format!(
                "{} by {} at {}",
                written.action.describe(),
                written.by,
                written.at
            );
            let leases = leases(written);
            if leases.is_empty() {
                bench.violated(Invariant::Lease, format!("{what}: held {:?}", written.held));
            }
            if story_of(written, stories).is_none_or(|(_, story)| story.closed) {
                bench.violated(Invariant::Planned, what);
            }
        });
    }
}

/// The story that a write belongs to: its holder tells it, and the step that is under way in it began
/// under the lease that is held.
pub(super) fn story_of<'a>(
    written: &Written,
    stories: &'a BTreeMap<IncidentId, Standing>,
) -> Option<(IncidentId, &'a Standing)> {
    leases(written).into_iter().find_map(|held| {
        held.incidents.iter().find_map(|incident| {
            let story = stories.get(incident)?;
            let is_step = story.under_way(incident).as_ref() == Some(&written.action)
                && story.fencing == held.fencing;
            is_step.then(|| (incident.clone(), story))
        })
    })
}
