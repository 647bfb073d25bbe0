//! The state table and the journal: conditional writes exactly as the port says.

use crate::trail::Held;
use snapback_app::port::{StoreError, Wanted};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{Body, Entry, ResourceRecord};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What one conditional batch holds (DynamoDB transactions; the port's promise).
const BATCH: usize = 50;

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub baselines: BTreeMap<ResourceId, Baseline>,
    pub topology: Option<Topology>,
    pub records: BTreeMap<ResourceId, ResourceRecord>,
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
        let topology = self.topology.clone().unwrap_or_default();
        let topology = if wanted.everything {
            topology
        } else {
            of_vpcs(topology, &vpcs)
        };
        Some(Baselines { by_id, topology })
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
            self.baselines.extend(
                batch
                    .iter()
                    .map(|baseline| (baseline.id.clone(), baseline.clone())),
            );
        }
        Ok(())
    }

    pub fn commit(
        &mut self,
        record: Option<&ResourceRecord>,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        if let Some(record) = record {
            let stored = self
                .records
                .get(&record.resource)
                .map_or(0, |stored| stored.version);
            if stored.checked_add(1) != Some(record.version) {
                return Err(conflict(format!("record of {}", record.resource)));
            }
        }
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
        if let Some(record) = record {
            self.records.insert(record.resource.clone(), record.clone());
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

    /// The leases that somebody holds, in force or run out.
    pub fn held(&self) -> Vec<Held> {
        let held = self.records.values().filter_map(|record| {
            Some(Held {
                what: record.resource.to_string(),
                incident: record.open.clone(),
                holder: record.holder.clone()?,
                until: record.lease_until?,
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
