//! A trusted change becomes baseline as its own delta, on the generation it was computed from.

use super::{Ended, Ending, Focus, GuardError, Matter, Scene, Spot, Visit};
use crate::patience::{CONFLICTS_MAX, PREMATURE_WINDOW};
use crate::port::StoreError;
use crate::rights::GuardPorts;
use snapback_engine::change::Change;
use snapback_engine::finding::Severity;
use snapback_engine::incident::{Notice, Outcome};
use snapback_engine::verdict;
use snapback_model::Baseline;

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
        for _ in 0..CONFLICTS_MAX {
            let fold = verdict::fold(change, &scene.baselines, &scene.live);
            for line in &fold.superseded {
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
                    if let Some(baselines) = self.baselines(&spot.wanted(focus)).await? {
                        scene.baselines = baselines;
                    }
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
            if fold.premature && self.is_early(change, PREMATURE_WINDOW) {
                return Err(GuardError::Early {
                    event: change.event.to_string(),
                    why: fold.refused.join("; "),
                });
            }
            return self
                .tell_of_fold(scene, change, matter, &fold.refused)
                .await;
        }
        Err(GuardError::Contended {
            what: format!("the baselines that {} edits", change.api),
        })
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
                baseline
                    .marks
                    .values()
                    .any(|mark| mark.event == change.event)
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
            let end = self.tell(&(&change.event, &baseline.id), notice).await?;
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

fn label(baseline: &Baseline) -> String {
    baseline
        .state
        .as_ref()
        .map_or_else(|| baseline.id.to_string(), snapback_model::Resource::label)
}
