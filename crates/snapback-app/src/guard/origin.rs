//! Whether a call made with our role is ours: the journal knows its request id, or an open story
//! holds exactly this call without an answer yet (semantics E).

use super::newborn::created;
use super::{GuardError, Spot, Visit};
use crate::ledger;
use crate::patience::{OWN_CALL_WINDOW, OWN_EVENT_GRACE, between};
use crate::port::{Scope, StoreError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::change::{Change, Touched};
use snapback_engine::execution;
use snapback_engine::incident::{Commit, ResourceRecord, Story};
use snapback_model::{
    INCIDENT, IncidentId, Kind, Resource, ResourceId, Snapshot, Tags, Timestamp, VpcId,
};
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
        if self.is_known(change).await? {
            return Ok(Origin::Ours);
        }
        let ports = &self.guard.ports;
        let unfinished = self.pace().retried(|| ports.unfinished()).await?;
        let any_open = !unfinished.is_empty();
        let skew = self.guard.limits.skew;
        let mut stories = Vec::new();
        let mut candidates = self.candidates(change, &unfinished).await?;
        candidates.extend(created(change).and_then(|made| story_named(made.tags()?)));
        for incident in candidates {
            let story = self.story_of(&incident).await?;
            if story
                .as_ref()
                .is_some_and(|story| explains(story, change, None, skew))
            {
                self.heard_of_newborn(change, &incident).await?;
                return Ok(Origin::Ours);
            }
            stories.extend(story);
        }
        if let Some(live) = self.as_it_is(change).await {
            if let Some(maker) = maker(change, &live)
                && stories.iter().all(|story| story.incident != maker)
            {
                stories.extend(self.story_of(&maker).await?);
            }
            let explains = |story: &&Story| explains(story, change, Some(&live), skew);
            if let Some(story) = stories.iter().find(explains) {
                self.heard_of_newborn(change, &story.incident).await?;
                return Ok(Origin::Ours);
            }
        }
        // While the stories were read, one may have noted the answer: its call is no longer without one.
        if self.is_known(change).await? {
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

    /// Whether the journal knows the request.
    pub(super) async fn is_known(&self, change: &Change) -> Result<bool, GuardError> {
        let Some(request) = &change.request else {
            return Ok(false);
        };
        let ports = &self.guard.ports;
        Ok(self.pace().retried(|| ports.is_ours(request)).await?)
    }

    /// Writes that events of what a record is of may be the echo of a story. Where somebody wrote the
    /// record meanwhile, that is left to the next delivery.
    pub(crate) async fn note_story(
        &self,
        mut record: ResourceRecord,
        incident: &IncidentId,
    ) -> Result<(), GuardError> {
        record.version = record.version.saturating_add(1);
        record.may_be_explained_by(incident.clone());
        let (pace, commit) = (self.pace(), Commit::of(&record, &[]));
        match ledger::commit(&pace, &self.guard.ports, &commit).await {
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn story_of(
        &self,
        incident: &IncidentId,
    ) -> Result<Option<Story>, GuardError> {
        let ports = &self.guard.ports;
        let entries = self.pace().retried(|| ports.entries(incident)).await?;
        Ok(Story::read(&entries))
    }

    /// What the call may have made, as it is now, with its tags. A read that fails explains nothing.
    async fn as_it_is(&self, change: &Change) -> Option<Snapshot> {
        let touched = change.touched.iter().find_map(|touched| match touched {
            Touched::Resource(resource) => Some(resource),
            _ => None,
        });
        let scope = match touched {
            // The read of one group's rules tells no tags.
            Some(group @ ResourceId::SecurityGroup(_)) => {
                Scope::GroupNamed(self.name(group, change).await?)
            }
            Some(resource) => Spot::of(resource, None).scope(),
            None => Scope::NatGatewaysOf(vpc_of_new_gateway(change)?),
        };
        let ports = &self.guard.ports;
        let live = self.pace().retried(|| ports.observe(&scope)).await;
        live.inspect_err(
            |error| tracing::warn!(%error, "what a call with our role made was not read"),
        )
        .ok()
    }

    /// The name of a group: as it was created, or by its baseline.
    async fn name(&self, group: &ResourceId, change: &Change) -> Option<String> {
        if let Some(Resource::SecurityGroup(created)) = created(change) {
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
        let mut holders = BTreeSet::new();
        for touched in &change.touched {
            match touched {
                Touched::Resource(resource) => {
                    incidents.extend(self.record(resource).await?.unsettled);
                    let mut others = self.those_it_may_stand_in_for(resource).await?;
                    others.extend(self.before(resource).await?);
                    for other in others {
                        incidents.extend(self.record(&other).await?.unsettled);
                    }
                }
                // Our calls on context are made for a table. Its good state need not lead there any
                // more: a trusted hand may have changed or deleted it meanwhile.
                Touched::Context { .. } => drop(holders.insert(Kind::RouteTable)),
                // The id of one that a stranger made is known to no baseline.
                Touched::Association(_) => {
                    let of_table = change.api.contains("RouteTable");
                    holders.insert(match of_table {
                        true => Kind::RouteTable,
                        false => Kind::NetworkAcl,
                    });
                }
                Touched::GroupNamed { .. } => {}
            }
        }
        for kind in holders {
            for holder in self.known(kind).await? {
                incidents.extend(self.record(&holder).await?.unsettled);
            }
        }
        Ok(incidents)
    }

    /// What a resource was made in the place of. One that was gone again before the baselines followed has
    /// no story of its own, and no record.
    async fn before(&self, resource: &ResourceId) -> Result<Vec<ResourceId>, GuardError> {
        let mut line: Vec<ResourceId> = Vec::new();
        loop {
            let last = line.last().unwrap_or(resource);
            let wanted = Wanted {
                resources: BTreeSet::from([last.clone()]),
                only_states: true,
                ..Wanted::default()
            };
            let known = self.baselines(&wanted).await?.unwrap_or_default();
            let before = known
                .by_id
                .get(last)
                .and_then(|one| one.predecessor.clone());
            match before.filter(|before| before != resource && !line.contains(before)) {
                Some(before) => line.push(before),
                None => return Ok(line),
            }
        }
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

    /// All resources of a kind that have a baseline, those that an accepted deletion ended too.
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
}

/// Whether a story holds exactly this call without an answer. Live shows what such a call made.
fn explains(story: &Story, change: &Change, live: Option<&Snapshot>, skew: Duration) -> bool {
    let ours = story.unsettled.iter().any(|call| {
        let mut lineage = story.lineage.clone();
        let half_made = live.zip(call.action.makes()).and_then(|(live, old)| {
            let (_, new) = story.half_made(old.as_str(), live)?;
            Some((old, new))
        });
        if let Some((old, new)) = half_made {
            lineage.record(old.as_str(), new.as_str());
        }
        is_near(call.at, change.at, skew)
            && (execution::matches(&call.action, change, &call.handles)
                || execution::made(&call.action, change, &story.incident, &lineage)
                || live.is_some_and(|live| {
                    let gateways = &live.topology.gateways;
                    execution::made_gateway(&call.action, change, &story.incident, gateways)
                }))
    });
    if ours {
        let incident = &story.incident;
        tracing::info!(event = %change.event, %incident, "explained by a call of ours without answer");
    }
    ours
}

/// The story in which one of the things that a call touched was made, as its tag says. Only the
/// journal is believed, the tag tells where to look.
fn maker(change: &Change, live: &Snapshot) -> Option<IncidentId> {
    let tags = |touched: &Touched| match touched {
        Touched::Resource(resource) => live.resources.get(resource)?.tags(),
        Touched::Context { id, .. } => Some(&live.topology.gateways.get(id)?.tags),
        Touched::GroupNamed { .. } | Touched::Association(_) => None,
    };
    let mut marks = change
        .touched
        .iter()
        .filter_map(|touched| story_named(tags(touched)?));
    marks.next()
}

/// The story that the tags of a thing name as its maker's.
fn story_named(tags: &Tags) -> Option<IncidentId> {
    tags.get(INCIDENT).map(IncidentId::new)
}

/// The VPC of the gateway that a call made, as its answer in the event tells.
fn vpc_of_new_gateway(change: &Change) -> Option<VpcId> {
    let mut touched = change.touched.iter();
    let vpc = touched.find_map(|touched| match touched {
        Touched::Context { what, id } if what == "vpc" => Some(VpcId::new(id)),
        _ => None,
    });
    vpc.filter(|_| change.api == "CreateNatGateway")
}

/// Whether an event time, in whole seconds, fits a call begun at `begun` by a clock that is off by
/// up to `skew`.
fn is_near(begun: Timestamp, event: Timestamp, skew: Duration) -> bool {
    let early = between(event, begun) > skew.saturating_add(Duration::from_secs(1));
    !early && between(begun, event) <= OWN_CALL_WINDOW
}
