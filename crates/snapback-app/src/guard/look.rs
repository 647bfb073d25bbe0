//! One look at one place: state and EC2 are read side by side, trusted changes become baseline,
//! doubtful reads are repeated, then each resource is attended to.

use super::{Ended, Focus, GuardError, Matter, Spot, Visit};
use crate::patience::{Retry, STALE_PAUSE, STALE_READS_MAX, STALE_WINDOW, between};
use crate::port::{CallError, Scope, StoreError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::diff::{self, ResourceDiff};
use snapback_engine::impact::Surroundings;
use snapback_engine::incident::{AccountRecord, Lease, LeaseScope, ResourceRecord, is_doubtful};
use snapback_engine::policy::Mode;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What was read for one place.
#[derive(Debug)]
pub(crate) struct Scene {
    pub baselines: Baselines,
    pub live: Snapshot,
    /// Records read along; each is used once, then read again.
    pub records: BTreeMap<ResourceId, ResourceRecord>,
    /// Read along, used once as well.
    pub rights: Option<Rights>,
}

/// What a revert needs beside the record of its resource.
#[derive(Debug, Clone)]
pub(crate) struct Rights {
    /// The lease of its VPC.
    pub lease: Lease,
    /// What is counted for the account.
    pub account: AccountRecord,
}

impl<P: GuardPorts> Visit<'_, P> {
    pub(super) async fn look(
        &self,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<Vec<Ended>, GuardError> {
        let Some(mut scene) = self.scene(spot, focus).await? else {
            return Ok(vec![self.uncaptured().await?]);
        };
        let mut ended = Vec::new();
        if matter.trusted {
            ended.extend(self.accept(&mut scene, spot, focus, matter).await?);
        }
        self.believe(&mut scene, spot, focus, matter).await?;
        self.follow_experiment(spot, focus, &scene, matter);
        let mut failed = None;
        for resource in attention(focus, &scene) {
            let attended = Box::pin(self.attend(&resource, &mut scene, spot, focus, matter));
            match attended.await {
                Ok(end) => ended.push(end),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(ended), Err)
    }

    /// Reads state and EC2 side by side; `None` where nothing was ever captured.
    pub(crate) async fn scene(
        &self,
        spot: &Spot,
        focus: &Focus,
    ) -> Result<Option<Scene>, GuardError> {
        // Boxed: many reads side by side make a future of many kilobytes and layers.
        Box::pin(self.scene_now(spot, focus)).await
    }

    async fn scene_now(&self, spot: &Spot, focus: &Focus) -> Result<Option<Scene>, GuardError> {
        let wanted = spot.wanted(focus);
        let scope = spot.scope();
        let (baselines, live, records, lists) = tokio::join!(
            self.surrounded(&wanted, spot, focus),
            self.observe(&scope, focus),
            self.records(&focus.resources),
            self.lists(&focus.lists)
        );
        // A denied read of EC2 is told even where the store fails too.
        let live = live?;
        let records = records?;
        let Some((baselines, rights)) = baselines? else {
            return Ok(None);
        };
        let mut live = self.with_namesakes(live, spot, focus, &baselines).await?;
        live.merge(lists);
        let live = self.with_lists(live, focus, &baselines).await;
        let mut live = self.with_gateways(live, spot, focus, &baselines).await?;
        lend_endpoints(&mut live, &baselines);
        Ok(Some(Scene {
            baselines,
            live,
            records,
            rights,
        }))
    }

    /// Reads a place again.
    pub(crate) async fn read(
        &self,
        spot: &Spot,
        focus: &Focus,
        baselines: &Baselines,
    ) -> Result<Snapshot, GuardError> {
        let live = self.observe(&spot.scope(), focus).await?;
        let live = self.with_namesakes(live, spot, focus, baselines).await?;
        let live = Box::pin(self.with_lists(live, focus, baselines)).await;
        let mut live = self.with_gateways(live, spot, focus, baselines).await?;
        lend_endpoints(&mut live, baselines);
        Ok(live)
    }

    /// Where a group is gone, whoever has its name now: a stranger's group, or what a making of ours
    /// without an answer left behind. Where all is to be read, the group itself: a read of its rules
    /// tells neither its text nor its tags.
    async fn with_namesakes(
        &self,
        mut live: Snapshot,
        spot: &Spot,
        focus: &Focus,
        baselines: &Baselines,
    ) -> Result<Snapshot, GuardError> {
        let Spot::Group(group) = spot else {
            return Ok(live);
        };
        let id = ResourceId::from(group.clone());
        let lost = baselines
            .state(&id)
            .filter(|_| self.is_thorough() || !live.resources.contains_key(&id));
        if let Some(Resource::SecurityGroup(SecurityGroup {
            name: Some(name), ..
        })) = lost
        {
            let named = self
                .observe(&Scope::GroupNamed(name.clone()), focus)
                .await?;
            live.merge(named);
        }
        Ok(live)
    }

    pub(crate) async fn baselines(&self, wanted: &Wanted) -> Result<Option<Baselines>, GuardError> {
        let ports = &self.guard.ports;
        match self.pace().retried(|| ports.baselines(wanted)).await {
            Ok(baselines) => Ok(baselines),
            Err(error) => Err(self.store_is_blind(error).await),
        }
    }

    /// The baselines, and those of what surrounds the resources in focus: other groups of the same
    /// interfaces, ACLs and tables of their subnets. They only make the impact exact, so where they
    /// cannot be read the impact says so and the rest goes on.
    async fn surrounded(
        &self,
        wanted: &Wanted,
        spot: &Spot,
        focus: &Focus,
    ) -> Result<Option<(Baselines, Option<Rights>)>, GuardError> {
        let Some(mut baselines) = self.baselines(wanted).await? else {
            return Ok(None);
        };
        let nothing = Wanted {
            only_states: true,
            ..Wanted::default()
        };
        let mut more = nothing.clone();
        // A message that names only what moved may be about any of the place's resources.
        let all: BTreeSet<&ResourceId> = if focus.subjects.is_empty() {
            focus.resources.iter().collect()
        } else {
            baselines.by_id.keys().collect()
        };
        for resource in all {
            let around = Surroundings::of(&baselines, resource);
            more.resources
                .extend(around.groups.into_iter().map(ResourceId::from));
            more.vpcs.extend(around.vpcs);
        }
        let around = async {
            if more == nothing {
                return Ok(None);
            }
            self.guard.ports.baselines(&more).await
        };
        let (around, rights) = tokio::join!(around, self.rights_at(spot, focus, &baselines));
        match around {
            Ok(around) => {
                for (id, baseline) in around.into_iter().flat_map(|around| around.by_id) {
                    baselines.by_id.entry(id).or_insert(baseline);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what surrounds the resource was not read: the impact is less exact");
            }
        }
        Ok(Some((baselines, rights)))
    }

    /// The rights of a place, read beside EC2 so that a revert need not wait for them. Where they
    /// cannot be read, or nothing is written, there are none: who needs them reads them.
    async fn rights_at(&self, spot: &Spot, focus: &Focus, baselines: &Baselines) -> Option<Rights> {
        let first = focus
            .resources
            .first()
            .or_else(|| baselines.by_id.keys().next())?;
        if self.guard.policy.mode_of(first.kind()) == Mode::Observe {
            return None;
        }
        let vpc = spot
            .vpc()
            .or_else(|| baselines.by_id.get(first)?.vpc.as_ref())?;
        let ports = &self.guard.ports;
        let scope = LeaseScope::Vpc(vpc.clone());
        let (lease, account) = tokio::join!(ports.lease(&scope), ports.account());
        Some(Rights {
            lease: lease.ok()?,
            account: account.ok()?,
        })
    }

    /// The rights that a revert of a resource needs.
    pub(crate) async fn rights(&self, scope: &LeaseScope) -> Result<Rights, GuardError> {
        let ports = &self.guard.ports;
        let lease = match self.pace().retried(|| ports.lease(scope)).await {
            Ok(lease) => lease,
            Err(error) => return Err(self.store_is_blind(error).await),
        };
        Ok(Rights {
            lease,
            account: self.account().await?,
        })
    }

    pub(crate) async fn account(&self) -> Result<AccountRecord, GuardError> {
        let ports = &self.guard.ports;
        match self.pace().retried(|| ports.account()).await {
            Ok(account) => Ok(account),
            Err(error) => Err(self.store_is_blind(error).await),
        }
    }

    pub(crate) async fn record(&self, resource: &ResourceId) -> Result<ResourceRecord, GuardError> {
        let ports = &self.guard.ports;
        match self.pace().retried(|| ports.record(resource)).await {
            Ok(record) => Ok(record),
            Err(error) => Err(self.store_is_blind(error).await),
        }
    }

    async fn records(
        &self,
        resources: &BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, ResourceRecord>, GuardError> {
        let mut records = BTreeMap::new();
        for resource in resources {
            records.insert(resource.clone(), self.record(resource).await?);
        }
        Ok(records)
    }

    /// Reads EC2; where it cannot be read for good, or the message has no further try, people are told.
    pub(crate) async fn observe(
        &self,
        scope: &Scope,
        focus: &Focus,
    ) -> Result<Snapshot, GuardError> {
        let ports = &self.guard.ports;
        match self.pace().retried(|| ports.observe(scope)).await {
            Ok(live) => Ok(live),
            Err(error) => {
                if !error.is_transient() || self.last_try {
                    self.blind(focus.resources.first(), &error).await?;
                }
                Err(error.into())
            }
        }
    }

    async fn store_is_blind(&self, error: StoreError) -> GuardError {
        let told = match &error {
            StoreError::Call(call) if !call.is_transient() || self.last_try => {
                self.blind(None, call).await
            }
            StoreError::Corrupt { what, message } => {
                self.blind(None, &corrupt(what, message)).await
            }
            StoreError::Call(_) | StoreError::Conflict { .. } => Ok(()),
        };
        if let Err(untold) = told {
            tracing::error!(error = %untold, "could not tell that the store cannot be read");
        }
        error.into()
    }

    /// Repeats a read that does not fit its young event until two reads agree (semantics E).
    async fn believe(
        &self,
        scene: &mut Scene,
        spot: &Spot,
        focus: &Focus,
        matter: &Matter,
    ) -> Result<(), GuardError> {
        let Some(change) = matter.change.as_deref() else {
            return Ok(());
        };
        for _ in 0..STALE_READS_MAX {
            let young = between(change.at, self.now()) < STALE_WINDOW;
            let written_since = scene
                .records
                .values()
                .any(|record| record.last_write.is_some_and(|at| at > change.at));
            let diffs = diffs(scene, focus);
            let doubtful = is_doubtful(
                change,
                matter.trusted,
                &diffs,
                &scene.baselines,
                &scene.live,
            );
            if !young || written_since || !doubtful || self.time_left() < self.guard.limits.reserve
            {
                return Ok(());
            }
            tracing::info!(event = %change.event, "the read does not show the event's edit yet: read again");
            self.guard.ports.sleep(STALE_PAUSE).await;
            let again = self.read(spot, focus, &scene.baselines).await?;
            let agrees = again.resources == scene.live.resources;
            scene.live = again;
            if agrees {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The read of a VPC's tables tells no endpoints, and a table that lost its route tells no prefix
/// list: what the baselines know of the gateway endpoints in their tables is lent to live, so that a
/// plan can give a table its endpoint back.
fn lend_endpoints(live: &mut Snapshot, baselines: &Baselines) {
    if live.topology.read.contains(&ContextKind::Endpoints) {
        return;
    }
    let tables = baselines
        .by_id
        .values()
        .filter_map(|baseline| match &baseline.state {
            Some(Resource::RouteTable(table)) => Some(table),
            Some(Resource::SecurityGroup(_) | Resource::NetworkAcl(_)) | None => None,
        });
    for (to, route) in tables.flat_map(|table| &table.routes) {
        if let (Destination::PrefixList(list), RouteTarget::GatewayEndpoint(id)) =
            (to, &route.target)
        {
            let gateways = &mut live.topology.gateways;
            let endpoint = gateways.entry(id.clone()).or_insert_with(|| {
                let known = baselines.context().gateways.get(id).cloned();
                known.unwrap_or_else(|| Gateway::new(id.clone(), GatewayKind::Endpoint))
            });
            let detail = endpoint.endpoint.get_or_insert_with(|| EndpointDetail {
                kind: EndpointKind::Gateway,
                private_dns: false,
                interfaces: BTreeSet::new(),
                prefix_list: None,
            });
            detail.prefix_list = Some(list.clone());
        }
    }
}

/// The diffs of a scene that its focus is about.
pub(super) fn diffs(scene: &Scene, focus: &Focus) -> Vec<ResourceDiff> {
    diffs_of(&scene.baselines, &scene.live, focus)
}

pub(super) fn diffs_of(baselines: &Baselines, live: &Snapshot, focus: &Focus) -> Vec<ResourceDiff> {
    diff::diff(baselines, live, None)
        .into_iter()
        .filter(|diff| focus.includes(diff))
        .collect()
}

/// The resources to attend to: those in focus, differing or not (a story may be open), and those
/// that hold what moved.
fn attention(focus: &Focus, scene: &Scene) -> BTreeSet<ResourceId> {
    let mut all = focus.resources.clone();
    all.extend(diffs(scene, focus).into_iter().map(|diff| diff.resource));
    all
}

fn corrupt(what: &str, message: &str) -> CallError {
    CallError {
        operation: "read".into(),
        resource: what.into(),
        code: "Corrupt".into(),
        message: message.into(),
        class: snapback_engine::execution::ErrorClass::Invalid,
        request: None,
    }
}
