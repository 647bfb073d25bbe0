//! The baselines follow what was made again: under which ids all is known now, the captured context,
//! the records of the new ids.

use super::remake::is_led_to;
use super::{Execution, GuardError};
use crate::patience::CONFLICTS_MAX;
use crate::port::{StoreError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::plan;
use snapback_model::*;
use std::borrow::Cow;

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// The incident that this story is a link of: another one, or itself.
    pub(super) fn whole(&self) -> &IncidentId {
        self.story.part_of.as_ref().unwrap_or(&self.story.incident)
    }

    fn succession<'l>(&'l self, lineage: &'l Lineage) -> Succession<'l> {
        Succession {
            lineage,
            incident: &self.story.incident,
            at: self.visit.now(),
        }
    }

    /// What took the place of what: all that this story made, and the NAT gateways that routes lead to
    /// in the place of others.
    fn followed(&self) -> Lineage {
        let mut lineage = self.lineage.clone();
        lineage.extend(&self.gateways_followed());
        lineage
    }

    /// The NAT gateways that routes lead to in the place of others: by their tags, and where the read
    /// does not show the gateway at work yet (semantics B rule 2), by this story, which made it.
    fn gateways_followed(&self) -> Lineage {
        let live = &self.scene.live;
        let mut lineage = plan::successions(live);
        let listed = &live.topology.gateways;
        let made = self.lineage.iter();
        let made = made.filter_map(|(name, new)| Some((plan::predecessor(name)?, new)));
        let is_dead = |new: &str| {
            listed
                .get(new)
                .is_some_and(|one| one.dead_state().is_some())
        };
        for (old, new) in made.filter(|(_, new)| is_led_to(live, new) && !is_dead(new)) {
            lineage.record(old, new);
        }
        lineage
    }

    /// The baselines as they are once they follow.
    pub(super) fn baselines(&self) -> Cow<'_, Baselines> {
        let stored = &self.scene.baselines;
        let lineage = self.followed();
        if lineage.is_empty() {
            return Cow::Borrowed(stored);
        }
        let newer = stored.succeeded(&self.succession(&lineage));
        Cow::Owned(stored.clone().with(newer))
    }

    /// The baselines follow what was made again, the journal's record of the new id begins, and what
    /// refers to it is looked at in this visit. Asking again changes nothing.
    ///
    /// # Errors
    /// What the store did not do.
    pub(super) async fn follow_with_baselines(&mut self) -> Result<(), GuardError> {
        let made = self.successors();
        let gateways = self.gateways_followed();
        if made.is_empty() && gateways.is_empty() {
            return Ok(());
        }
        let wanted = Wanted {
            everything: true,
            only_states: gateways.is_empty(),
            ..Wanted::default()
        };
        let lineage = self.followed();
        let (visit, ports) = (self.visit, &self.visit.guard.ports);
        for _ in 0..CONFLICTS_MAX {
            let Some(stored) = visit.baselines(&wanted).await? else {
                return Ok(());
            };
            self.follow_with_context(&stored.topology, &gateways)
                .await?;
            let updated = stored.succeeded(&self.succession(&lineage));
            let written = if updated.is_empty() {
                Ok(())
            } else {
                visit.pace().retried(|| ports.put_baselines(&updated)).await
            };
            match written {
                Ok(()) => {}
                Err(StoreError::Conflict { what }) => {
                    tracing::info!(what, "baseline written meanwhile: follow again");
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let others = updated.iter().filter(|one| one.id != self.story.resource);
            for table in others.filter(|one| one.state.is_some() && !made.contains(&one.id)) {
                visit.look_at(&table.id, table.vpc.as_ref(), self.whole());
            }
            let stored = stored.with(updated);
            for referrer in made.iter().flat_map(|new| referrers(&stored, new)) {
                visit.look_at(&referrer.id, referrer.vpc.as_ref(), self.whole());
            }
            let here = &mut self.scene.baselines.by_id;
            // What was made and deleted within the story has an end that no read before showed.
            let in_line = |id: &ResourceId| {
                let mut line = self.lineage.iter();
                line.any(|(old, new)| old == id.as_str() || new == id.as_str())
            };
            let known = |id: &ResourceId| here.contains_key(id) || in_line(id);
            let newer: Vec<Baseline> = stored
                .by_id
                .into_values()
                .filter(|baseline| known(&baseline.id))
                .collect();
            here.extend(newer.into_iter().map(|newer| (newer.id.clone(), newer)));
            for new in &made {
                self.begin_record(new).await?;
            }
            return Ok(());
        }
        Err(GuardError::Contended {
            what: "the baselines that follow what was made again".to_owned(),
        })
    }

    /// The captured context knows a NAT gateway that stands in the place of another: should it be
    /// deleted in its turn, it can be made again. One that stood in the place of another in its turn
    /// stays known: a late event may name the first of the line.
    async fn follow_with_context(
        &self,
        captured: &Topology,
        gateways: &Lineage,
    ) -> Result<(), GuardError> {
        let mut topology = captured.clone();
        for (old, new) in gateways.iter() {
            if let Some(gateway) = self.scene.live.topology.gateways.get(new)
                && !captured.gateways.contains_key(new)
            {
                let is_link = captured
                    .gateways
                    .get(old)
                    .is_some_and(Gateway::is_made_again);
                if !is_link {
                    topology.gateways.remove(old);
                }
                topology.gateways.insert(new.to_owned(), gateway.clone());
            }
        }
        if topology == *captured {
            return Ok(());
        }
        let (pace, ports) = (self.visit.pace(), &self.visit.guard.ports);
        pace.retried(|| ports.put_topology(&topology)).await?;
        Ok(())
    }

    /// The record of the new id knows when we wrote, in which story, what was told, and whether a person
    /// is to release it: nobody looks at the old id any more.
    async fn begin_record(&self, new: &ResourceId) -> Result<(), GuardError> {
        let mut record = self.visit.record(new).await?;
        let incident = &self.story.incident;
        let own = *new == self.lineage.current_resource(&self.story.resource);
        let brake = self.record.brake.as_ref().filter(|_| own);
        let begun = record.last_write >= self.record.last_write
            && record.unsettled.contains(incident)
            && (brake.is_none() || record.brake.is_some());
        if record.open.is_some() || begun {
            return Ok(());
        }
        record.brake = record.brake.or_else(|| brake.cloned());
        record.last_write = self.record.last_write;
        record.told = self
            .assess()
            .map(|last| last.tellable())
            .unwrap_or_default();
        self.visit.note_story(record, incident).await
    }
}

/// The other baselines that name an id.
fn referrers<'a>(
    baselines: &'a Baselines,
    named: &'a ResourceId,
) -> impl Iterator<Item = &'a Baseline> {
    let mut probe = Lineage::default();
    probe.record(named.as_str(), "the id looked for");
    let names = move |state: &Resource| state.renamed(&probe) != *state;
    let others = baselines
        .by_id
        .values()
        .filter(move |baseline| baseline.id != *named);
    others.filter(move |baseline| baseline.state.as_ref().is_some_and(&names))
}
