//! The state table and the journal: conditional writes exactly as the port says.

use crate::trail::HeldLease;
use snapback_app::port::{GENERATIONS_PAGE, StoreError, Wanted};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{
    AccountRecord, Activity, Body, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What one conditional batch holds (DynamoDB transactions; the port's promise).
const BATCH: usize = 50;

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub baselines: BTreeMap<ResourceId, Baseline>,
    /// Every generation that was ever written.
    pub generations: BTreeMap<(ResourceId, Generation), Baseline>,
    pub topology: Option<Topology>,
    /// As the last sweep saw it, void with the next capture.
    pub seen: Option<Topology>,
    pub records: BTreeMap<ResourceId, ResourceRecord>,
    pub leases: BTreeMap<LeaseScope, Lease>,
    pub account: AccountRecord,
    pub activities: BTreeMap<String, Activity>,
    pub entries: BTreeMap<(IncidentId, u32), Entry>,
    /// Every entry in commit order.
    pub stream: Vec<Entry>,
    /// How much of the stream was drained.
    pub drained: usize,
    pub requests: BTreeSet<RequestId>,
    pub delivered: BTreeSet<(String, String)>,
}

fn conflict(what: impl std::fmt::Display) -> StoreError {
    StoreError::Conflict {
        what: what.to_string(),
    }
}

impl Store {
    pub fn wanted(&self, wanted: &Wanted) -> Option<Baselines> {
        if self.baselines.is_empty() && self.topology.is_none() {
            return None;
        }
        let is_wanted = |baseline: &Baseline| {
            wanted.everything
                || wanted.resources.contains(&baseline.id)
                || wanted
                    .associations
                    .iter()
                    .any(|id| baseline.handles.associations.contains_key(id))
                || baseline
                    .vpc
                    .as_ref()
                    .is_some_and(|vpc| wanted.vpcs.contains(&(baseline.id.kind(), vpc.clone())))
        };
        let by_id: BTreeMap<_, _> = self
            .baselines
            .iter()
            .filter(|(_, baseline)| is_wanted(baseline))
            .map(|(id, baseline)| (id.clone(), baseline.clone()))
            .collect();
        let mut vpcs: BTreeSet<VpcId> = wanted.vpcs.iter().map(|(_, vpc)| vpc.clone()).collect();
        vpcs.extend(by_id.values().filter_map(|baseline| baseline.vpc.clone()));
        let part = |topology: Topology| match wanted.everything {
            true => topology,
            false => of_vpcs(topology, &vpcs),
        };
        Some(Baselines {
            by_id,
            topology: part(self.topology.clone().unwrap_or_default()),
            seen: self.seen.clone().map(part),
        })
    }

    /// Each batch is all or nothing; a conflict stops what follows.
    pub fn put_baselines(&mut self, baselines: &[Baseline]) -> Result<(), StoreError> {
        for batch in baselines.chunks(BATCH) {
            for baseline in batch {
                let stored = self
                    .baselines
                    .get(&baseline.id)
                    .map_or(Generation(0), |stored| stored.generation);
                if stored.next() != baseline.generation {
                    return Err(conflict(format!("baseline of {}", baseline.id)));
                }
            }
            for baseline in batch {
                let kept = (baseline.id.clone(), baseline.generation);
                self.generations.insert(kept, baseline.clone());
                self.baselines.insert(baseline.id.clone(), baseline.clone());
            }
        }
        Ok(())
    }

    /// One page, newest first.
    pub fn generations(&self, resource: &ResourceId, before: Option<Generation>) -> Vec<Baseline> {
        self.line(resource)
            .filter(|baseline| before.is_none_or(|before| baseline.generation < before))
            .take(GENERATIONS_PAGE)
            .cloned()
            .collect()
    }

    pub fn generation_at(&self, resource: &ResourceId, at: Timestamp) -> Option<Baseline> {
        self.line(resource)
            .find(|baseline| baseline.provenance.at <= at)
            .cloned()
    }

    /// The generations of a resource, newest first.
    fn line<'a>(&'a self, resource: &'a ResourceId) -> impl Iterator<Item = &'a Baseline> {
        let all = self.generations.iter().rev();
        all.filter(move |((id, _), _)| id == resource)
            .map(|(_, baseline)| baseline)
    }

    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.check(commit)?;
        let entries = commit.entries;
        let mut numbers = BTreeSet::new();
        for entry in entries {
            let key = (entry.incident.clone(), entry.sequence);
            if self.entries.contains_key(&key) || !numbers.insert(key) {
                return Err(conflict(format!(
                    "entry {} of {}",
                    entry.sequence, entry.incident
                )));
            }
        }
        if let Some(record) = commit.record {
            self.records.insert(record.resource.clone(), record.clone());
        }
        if let Some(lease) = commit.lease {
            self.leases.insert(lease.scope.clone(), lease.clone());
        }
        if let Some(account) = commit.account {
            self.account = account.clone();
        }
        if let Some(activity) = commit.activity {
            self.activities
                .insert(activity.principal.clone(), activity.clone());
        }
        for entry in entries {
            if let Body::StepEnded {
                outcome:
                    StepOutcome::Applied {
                        request: Some(request),
                        ..
                    },
                ..
            } = &entry.body
            {
                self.requests.insert(request.clone());
            }
            self.entries
                .insert((entry.incident.clone(), entry.sequence), entry.clone());
            self.stream.push(entry.clone());
        }
        Ok(())
    }

    /// The condition of each record: its stored version is the one before.
    fn check(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let mut versions = Vec::new();
        if let Some(record) = commit.record {
            let stored = self.record(&record.resource).version;
            versions.push((
                stored,
                record.version,
                format!("record of {}", record.resource),
            ));
        }
        if let Some(lease) = commit.lease {
            let stored = self.lease(&lease.scope).version;
            versions.push((stored, lease.version, format!("lease of {}", lease.scope)));
        }
        if let Some(account) = commit.account {
            let stored = self.account.version;
            versions.push((stored, account.version, "account record".to_owned()));
        }
        if let Some(activity) = commit.activity {
            let stored = self.activity(&activity.principal).version;
            let what = format!("activity of {}", activity.principal);
            versions.push((stored, activity.version, what));
        }
        let unfit = versions
            .into_iter()
            .find(|(stored, written, _)| stored.checked_add(1) != Some(*written));
        unfit.map_or(Ok(()), |(_, _, what)| Err(conflict(what)))
    }

    pub fn lease(&self, scope: &LeaseScope) -> Lease {
        let stored = self.leases.get(scope).cloned();
        stored.unwrap_or_else(|| Lease::new(scope.clone()))
    }

    pub fn activity(&self, principal: &str) -> Activity {
        let stored = self.activities.get(principal).cloned();
        stored.unwrap_or_else(|| Activity::new(principal))
    }

    pub fn record(&self, resource: &ResourceId) -> ResourceRecord {
        self.records
            .get(resource)
            .cloned()
            .unwrap_or_else(|| ResourceRecord::new(resource.clone()))
    }

    pub fn entries_of(&self, incident: &IncidentId) -> Vec<Entry> {
        self.entries
            .iter()
            .filter(|((id, _), _)| id == incident)
            .map(|(_, entry)| entry.clone())
            .collect()
    }

    /// The leases that somebody holds, in force or run out, each with the story that its holder tells.
    pub fn held(&self) -> Vec<HeldLease> {
        let held = self.leases.values().filter_map(|lease| {
            let holder = lease.holder.clone()?;
            let stories = self
                .records
                .values()
                .filter(|record| record.holder.as_ref() == Some(&holder))
                .filter_map(|record| record.open.clone());
            Some(HeldLease {
                scope: lease.scope.clone(),
                incidents: stories.collect(),
                holder,
                until: lease.until?,
                fencing: lease.fencing,
            })
        });
        held.collect()
    }

    pub fn unfinished(&self) -> Vec<ResourceRecord> {
        self.records
            .values()
            .filter(|record| record.open.is_some())
            .cloned()
            .collect()
    }

    pub fn drain(&mut self) -> Vec<Entry> {
        let fresh = self.stream.get(self.drained..).unwrap_or_default().to_vec();
        self.drained = self.stream.len();
        fresh
    }
}

/// The part of a topology that belongs to some VPCs; prefix lists belong to none and stay.
fn of_vpcs(mut topology: Topology, vpcs: &BTreeSet<VpcId>) -> Topology {
    topology.vpcs.retain(|id, _| vpcs.contains(id));
    topology
        .subnets
        .retain(|_, subnet| vpcs.contains(&subnet.vpc));
    topology
        .interfaces
        .retain(|_, interface| vpcs.contains(&interface.vpc));
    topology
        .gateways
        .retain(|_, gateway| gateway.vpcs.iter().any(|vpc| vpcs.contains(vpc)));
    topology
}
