//! Whether a call made with our role is ours: the journal knows its request id, or an open story
//! holds exactly this call without an answer yet (semantics E).

use super::{GuardError, Spot, Visit};
use crate::patience::{OWN_CALL_WINDOW, OWN_EVENT_GRACE, between};
use crate::port::{Scope, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::change::{Change, Edit, Edits, Touched};
use snapback_engine::execution;
use snapback_engine::incident::{ResourceRecord, Story};
use snapback_model::{INCIDENT, IncidentId, Kind, Resource, ResourceId, Snapshot, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// Whose call it was.
pub(super) enum Origin {
    Ours,
    Stranger,
}

impl<P: GuardPorts> Visit<'_, P> {
    /// # Errors
    /// [`GuardError::PerhapsOwn`] while it may still be the echo of a running call.
    pub(super) async fn origin(&self, change: &Change) -> Result<Origin, GuardError> {
        let ports = &self.guard.ports;
        if let Some(request) = &change.request
            && self.pace().retried(|| ports.is_ours(request)).await?
        {
            return Ok(Origin::Ours);
        }
        let unfinished = self.pace().retried(|| ports.unfinished()).await?;
        let any_open = !unfinished.is_empty();
        for incident in self.candidates(change, &unfinished).await? {
            if self.explains(&incident, change, None).await? {
                return Ok(Origin::Ours);
            }
        }
        if let Some((incident, live)) = self.maker(change).await
            && self.explains(&incident, change, Some(&live)).await?
        {
            return Ok(Origin::Ours);
        }
        let young = between(change.at, self.now()) < OWN_EVENT_GRACE;
        if young && any_open && !self.last_try {
            return Err(GuardError::PerhapsOwn {
                event: change.event.to_string(),
            });
        }
        Ok(Origin::Stranger)
    }

    /// Whether a story holds exactly this call without an answer. Live shows what such a call made.
    async fn explains(
        &self,
        incident: &IncidentId,
        change: &Change,
        live: Option<&Snapshot>,
    ) -> Result<bool, GuardError> {
        let ports = &self.guard.ports;
        let entries = self.pace().retried(|| ports.entries(incident)).await?;
        let ours = Story::read(&entries).is_some_and(|story| {
            story.unsettled.iter().any(|call| {
                let mut lineage = story.lineage.clone();
                let half_made = live.zip(call.action.makes()).and_then(|(live, old)| {
                    let (_, new) = story.half_made(old.as_str(), live)?;
                    Some((old, new))
                });
                if let Some((old, new)) = half_made {
                    lineage.record(old.as_str(), new.as_str());
                }
                is_near(call.at, change.at, self.guard.limits.skew)
                    && (execution::matches(&call.action, change, &call.handles)
                        || execution::made(&call.action, change, &lineage))
            })
        });
        if ours {
            tracing::info!(event = %change.event, %incident, "explained by a call of ours without answer");
        }
        Ok(ours)
    }

    /// The story in which the resource was made, as its tag says, and the read that showed it. Only
    /// the journal is believed, the tag tells where to look. A read that fails explains nothing.
    async fn maker(&self, change: &Change) -> Option<(IncidentId, Snapshot)> {
        let touched = change.touched.iter().find_map(|touched| match touched {
            Touched::Resource(resource) => Some(resource),
            _ => None,
        })?;
        let scope = match touched {
            // The read of one group's rules tells no tags.
            ResourceId::SecurityGroup(_) => Scope::GroupNamed(self.name(touched, change).await?),
            ResourceId::NetworkAcl(_) | ResourceId::RouteTable(_) => {
                Spot::of(touched, None).scope()
            }
        };
        let live = self.guard.ports.observe(&scope).await.ok()?;
        let incident = live.resources.get(touched)?.tags()?.get(INCIDENT)?;
        Some((IncidentId::new(incident), live))
    }

    /// The name of a group: as it was created, or by its baseline.
    async fn name(&self, group: &ResourceId, change: &Change) -> Option<String> {
        if let Edits::Known(edits) = &change.edits
            && let [Edit::Created { resource }] = edits.as_slice()
            && let Resource::SecurityGroup(created) = resource.as_ref()
        {
            return created.name.clone();
        }
        let wanted = Wanted {
            resources: BTreeSet::from([group.clone()]),
            only_states: true,
            ..Wanted::default()
        };
        let known = self.guard.ports.baselines(&wanted).await.ok()??;
        match known.state(group) {
            Some(Resource::SecurityGroup(known)) => known.name.clone(),
            _ => None,
        }
    }

    /// The stories that may hold the call: all open ones, and the closed ones of each resource
    /// touched that hold calls without an answer.
    async fn candidates(
        &self,
        change: &Change,
        unfinished: &[ResourceRecord],
    ) -> Result<BTreeSet<IncidentId>, GuardError> {
        let mut incidents: BTreeSet<IncidentId> = unfinished
            .iter()
            .filter_map(|record| record.open.clone())
            .collect();
        for touched in &change.touched {
            match touched {
                Touched::Resource(resource) => {
                    incidents.extend(self.record(resource).await?.unsettled);
                    for other in self.those_it_may_stand_in_for(resource).await? {
                        incidents.extend(self.record(&other).await?.unsettled);
                    }
                }
                Touched::Context { id, .. } => {
                    for table in self.tables_leading_to(id).await? {
                        incidents.extend(self.record(&table).await?.unsettled);
                    }
                }
                Touched::Association(_) => {
                    // The id of one that a stranger made is known to no baseline.
                    let kind = match change.api.contains("RouteTable") {
                        true => Kind::RouteTable,
                        false => Kind::NetworkAcl,
                    };
                    for holder in self.known(kind).await? {
                        incidents.extend(self.record(&holder).await?.unsettled);
                    }
                }
                Touched::GroupNamed { .. } => {}
            }
        }
        Ok(incidents)
    }

    /// The resources in whose stories one that no baseline knows may have come and gone: what stands
    /// in for another while that is repaired has no story of its own.
    async fn those_it_may_stand_in_for(
        &self,
        resource: &ResourceId,
    ) -> Result<Vec<ResourceId>, GuardError> {
        let kind = resource.kind();
        if kind == Kind::SecurityGroup {
            return Ok(Vec::new());
        }
        let known = self.known(kind).await?;
        Ok(Some(known)
            .filter(|known| !known.contains(resource))
            .unwrap_or_default())
    }

    /// All resources of a kind that have a baseline.
    async fn known(&self, kind: Kind) -> Result<Vec<ResourceId>, GuardError> {
        let wanted = Wanted {
            everything: true,
            only_states: true,
            ..Wanted::default()
        };
        let baselines = self.baselines(&wanted).await?.unwrap_or_default();
        let all = baselines.by_id.into_keys();
        Ok(all.filter(|resource| resource.kind() == kind).collect())
    }

    /// The tables whose good state leads to a gateway or endpoint: calls of ours that name it are
    /// made for one of them.
    async fn tables_leading_to(&self, id: &str) -> Result<Vec<ResourceId>, GuardError> {
        let wanted = Wanted {
            everything: true,
            only_states: true,
            ..Wanted::default()
        };
        let baselines = self.baselines(&wanted).await?.unwrap_or_default();
        let leads = |state: &Resource| match state {
            Resource::RouteTable(table) => {
                table.routes.values().any(|route| route.target.id() == id)
            }
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => false,
        };
        let found = baselines.by_id.into_values();
        let found = found.filter(|baseline| baseline.state.as_ref().is_some_and(leads));
        Ok(found.map(|baseline| baseline.id).collect())
    }
}

/// Whether an event time, in whole seconds, fits a call begun at `begun` by a clock that is off by
/// up to `skew`.
fn is_near(begun: Timestamp, event: Timestamp, skew: Duration) -> bool {
    let early = between(event, begun) > skew.saturating_add(Duration::from_secs(1));
    !early && between(begun, event) <= OWN_CALL_WINDOW
}
