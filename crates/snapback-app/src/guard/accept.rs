//! A trusted change becomes baseline as its own delta, on the generation it was computed from.

use super::{Ended, Ending, Focus, GuardError, Matter, Scene, Spot, Visit};
use crate::patience::{CONFLICTS_MAX, PREMATURE_WINDOW, SETTLED, between, later};
use crate::port::{StoreError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::change::Change;
use snapback_engine::finding::Severity;
use snapback_engine::incident::{Notice, Outcome};
use snapback_engine::verdict::{self, Overruled};
use snapback_model::{Baseline, Baselines, ResourceId};
use std::borrow::Cow;
use std::collections::BTreeSet;

impl<P: GuardPorts> Visit<'_, P> {
    /// Folds the change into the baselines and leaves the new ones in the scene.
    ///
    /// # Errors
    /// [`GuardError::Early`] while the event that made what the change names may be late. What could
    /// be folded is written by then; folding again folds nothing twice.
    pub(super) async fn accept(
        &self,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Vec<Ended>, GuardError> {
        let Some(change) = matter.change.as_deref() else {
            return Ok(Vec::new());
        };
        let ports = &self.guard.ports;
        if let Some(why) = self.was_made_twice(change, &scene.baselines).await? {
            return self.tell_of_fold(scene, change, matter, &[why]).await;
        }
        for _ in 0..CONFLICTS_MAX {
            let known = self.with_peers(change, &scene.baselines).await?;
            let fold = verdict::fold(change, &known, &scene.live);
            if fold.by_live && self.reads_settled(scene, spot, focus, change).await? {
                continue;
            }
            let overruled = fold.overruled.iter().map(|one| &one.what);
            for line in fold.superseded.iter().chain(overruled) {
                tracing::info!(event = %change.event, line, "superseded");
            }
            let written = if fold.updated.is_empty() {
                Ok(())
            } else {
                self.pace()
                    .retried(|| ports.put_baselines(&fold.updated))
                    .await
            };
            match written {
                Ok(()) => {}
                Err(StoreError::Conflict { what }) => {
                    tracing::info!(what, "baseline written meanwhile: fold again");
                    self.read_again(scene, spot, focus).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            for baseline in &fold.updated {
                scene
                    .baselines
                    .by_id
                    .insert(baseline.id.clone(), baseline.clone());
            }
            // Two moves of one subject may have been folded side by side, onto tables that no write has
            // in common: whoever looks last sees both.
            if fold.moves && !fold.updated.is_empty() {
                self.read_again(scene, spot, focus).await?;
                continue;
            }
            if fold.premature && self.is_early(change, PREMATURE_WINDOW) {
                return Err(GuardError::Early {
                    event: change.event.to_string(),
                    why: fold.refused.join("; "),
                });
            }
            let mut refused = fold.refused;
            refused.extend(self.overruled_by_us(change, &fold.overruled).await?);
            return self.tell_of_fold(scene, change, matter, &refused).await;
        }
        Err(GuardError::Contended {
            what: format!("the baselines that {} edits", change.api),
        })
    }

    /// Reads live again where it may have been read before it showed all edits of the second of a change
    /// (semantics E), and whether that was so.
    async fn reads_settled(
        &self,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        change: &Change,
    ) -> Result<bool, GuardError> {
        let settled = later(change.at, SETTLED);
        if scene.live.observed_at >= settled {
            return Ok(false);
        }
        let pause = between(self.now(), settled);
        if self.time_left() < self.guard.limits.reserve.saturating_add(pause) {
            return Err(GuardError::Early {
                event: change.event.to_string(),
                why: "live is to decide between two edits of one second, and may not show both yet"
                    .into(),
            });
        }
        tracing::info!(event = %change.event, "another edit of the same second is known: live is read once it settled");
        self.guard.ports.sleep(pause).await;
        scene.live = self.read(spot, focus, &scene.baselines).await?;
        Ok(true)
    }

    /// What was written meanwhile. What surrounds the place was read once and stays as it was read.
    async fn read_again(
        &self,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
    ) -> Result<(), GuardError> {
        if let Some(baselines) = self.baselines(&spot.wanted(focus)).await? {
            let before = std::mem::replace(&mut scene.baselines, baselines);
            for (id, known) in before.by_id {
                scene.baselines.by_id.entry(id).or_insert(known);
            }
        }
        Ok(())
    }

    /// The edits that live was read against, where what live shows may be our own doing: a revert made
    /// before this event was heard of. Nothing tells then which of two states is the newer one.
    async fn overruled_by_us(
        &self,
        change: &Change,
        overruled: &[Overruled],
    ) -> Result<Vec<String>, GuardError> {
        let mut refused = Vec::new();
        for edit in overruled {
            for resource in &edit.resources {
                let written = self.record(resource).await?.last_write;
                if written.is_some_and(|at| at.as_second() >= change.at.as_second()) {
                    refused.push(format!(
                        "{}, and Snapback wrote to {resource} since: which of the two is to be is not known; `snapback capture` once it is right",
                        edit.what
                    ));
                    break;
                }
            }
        }
        Ok(refused)
    }

    /// With the baselines of the groups that the change names in rules: one may have been made again,
    /// and a late event names it by the id that it had.
    async fn with_peers<'b>(
        &self,
        change: &Change,
        baselines: &'b Baselines,
    ) -> Result<Cow<'b, Baselines>, GuardError> {
        let mut known = Cow::Borrowed(baselines);
        let mut asked = BTreeSet::new();
        let peers: Vec<ResourceId> = change.peers().cloned().map(ResourceId::from).collect();
        loop {
            let lineage = known.lineage();
            let now = peers.iter().map(|peer| lineage.current_resource(peer));
            let unknown: BTreeSet<ResourceId> = now
                .filter(|id| !known.by_id.contains_key(id) && !asked.contains(id))
                .collect();
            if unknown.is_empty() {
                return Ok(known);
            }
            asked.extend(unknown.iter().cloned());
            let wanted = Wanted {
                resources: unknown,
                only_states: true,
                ..Wanted::default()
            };
            if let Some(more) = self.baselines(&wanted).await? {
                known.to_mut().by_id.extend(more.by_id);
            }
        }
    }

    async fn tell_of_fold(
        &self,
        scene: &Scene,
        change: &Change,
        matter: &Matter,
        refused: &[String],
    ) -> Result<Vec<Ended>, GuardError> {
        let mut ended = Vec::new();
        // By the marks, not by what this try wrote: a crash after the write still gets its entry.
        let accepted: Vec<&Baseline> = scene
            .baselines
            .by_id
            .values()
            .filter(|baseline| {
                let mut marks = baseline.marks.values();
                marks.any(|mark| mark.knows(&change.event))
                    || baseline.provenance.event.as_ref() == Some(&change.event)
            })
            .collect();
        for baseline in accepted {
            let notice = Notice {
                severity: Severity::Info,
                resource: Some(baseline.id.clone()),
                steps: vec![format!(
                    "{} by {} became part of the baseline of {} (generation {})",
                    change.api, change.actor.principal, baseline.id, baseline.generation
                )],
                ..self.about(Outcome::Accepted, label(baseline), matter)
            };
            // Once: what was made again since has the marks that its baseline had.
            let first = first_id(&scene.baselines, &baseline.id);
            let end = self.tell(&(&change.event, first), notice).await?;
            if end.ending != Ending::AlreadyTold {
                ended.push(end);
            }
        }
        if !refused.is_empty() {
            let notice = Notice {
                severity: Severity::Medium,
                problems: refused.to_vec(),
                ..self.about(
                    Outcome::Refused,
                    format!("{} by {}", change.api, change.actor.principal),
                    matter,
                )
            };
            ended.push(self.tell(&(&change.event, refused), notice).await?);
        }
        Ok(ended)
    }
}

/// The id that a resource had before it was made again for the first time, as far as it is known here.
fn first_id<'a>(baselines: &'a Baselines, id: &'a ResourceId) -> &'a ResourceId {
    let before = |id: &&'a ResourceId| baselines.by_id.get(*id)?.predecessor.as_ref();
    // No longer than there are baselines, should two name each other.
    let line = std::iter::successors(Some(id), before);
    line.take(baselines.by_id.len()).last().unwrap_or(id)
}

fn label(baseline: &Baseline) -> String {
    baseline
        .state
        .as_ref()
        .map_or_else(|| baseline.id.to_string(), snapback_model::Resource::label)
}
