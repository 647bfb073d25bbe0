//! `capture`: the good state of everything, as a new generation of each baseline.
//!
//! - Owns: when a read may become a baseline, generations and parents.
//! - Takes: who captures and why.
//! - Gives: [`Captured`], with what is dangerous already.
//! - Must not: store a read that is incomplete, judge what it finds away.

use crate::patience::{Pace, later};
use crate::port::{CallError, Scope, StoreError, Wanted};
use crate::rights::CapturePorts;
use snapback_engine::execution::Limits;
use snapback_engine::finding::{self, Finding};
use snapback_engine::policy::Policy;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a capture may take.
const TIME: Duration = Duration::from_secs(600);

/// What a capture stored and found.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// Baselines written, by kind.
    pub written: BTreeMap<Kind, usize>,
    /// Resources that had a baseline and are gone: their deletion is accepted by this capture.
    pub gone: BTreeSet<ResourceId>,
    /// What is dangerous already.
    pub findings: Vec<Finding>,
    /// What was not understood, kept by name.
    pub unknown: Vec<Unknown>,
    /// When the state was read.
    pub at: Timestamp,
}

/// Why nothing was captured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The read does not cover everything: a baseline from it would call the rest deleted.
    #[error("the read is incomplete, nothing was stored: missing {}", .missing.join(", "))]
    Incomplete {
        /// What is missing.
        missing: Vec<String>,
    },
    /// EC2 did not do it.
    #[error("{0}; nothing was stored")]
    Call(#[from] CallError),
    /// The store did not do it; where a write conflicted, run the capture again.
    #[error("{0}; capture again")]
    Store(#[from] StoreError),
}

/// Reads everything and stores it as the baselines.
///
/// # Errors
/// [`CaptureError`]: nothing, or in a conflict beyond the first fifty a part, was stored.
pub async fn run<P: CapturePorts>(
    ports: &P,
    who: &str,
    why: &str,
    policy: &Policy,
) -> Result<Captured, CaptureError> {
    let limits = Limits::default();
    let pace = Pace {
        clock: ports,
        limits: &limits,
        deadline: later(ports.now(), TIME),
        seed: who,
    };
    let wanted = Wanted {
        everything: true,
        ..Wanted::default()
    };
    let (before, live) = tokio::join!(
        pace.retried(|| ports.baselines(&wanted)),
        pace.retried(|| ports.observe(&Scope::Everything))
    );
    let live = live?;
    let before = before?.unwrap_or_default();
    let missing = missing(&live);
    if !missing.is_empty() {
        return Err(CaptureError::Incomplete { missing });
    }
    let provenance = Provenance {
        origin: Origin::Captured,
        by: who.to_owned(),
        why: why.to_owned(),
        at: live.observed_at,
        event: None,
    };
    let baselines = baselines(&before, &live, &provenance);
    pace.retried(|| ports.put_topology(&live.topology)).await?;
    pace.retried(|| ports.put_baselines(&baselines)).await?;
    tracing::info!(baselines = baselines.len(), who, "captured");
    let mut written = BTreeMap::new();
    for baseline in &baselines {
        *written.entry(baseline.id.kind()).or_insert(0) += 1;
    }
    Ok(Captured {
        written,
        gone: baselines
            .iter()
            .filter(|baseline| baseline.state.is_none())
            .map(|baseline| baseline.id.clone())
            .collect(),
        findings: finding::audit(&live, &policy.house(live.observed_at)),
        unknown: live.unknown,
        at: live.observed_at,
    })
}

fn missing(live: &Snapshot) -> Vec<String> {
    let mut missing: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|kind| !live.coverage.contains(&Coverage::Kind(*kind)))
        .map(|kind| format!("{kind}s"))
        .collect();
    if !live.coverage.contains(&Coverage::Subnets) {
        missing.push("subnets".into());
    }
    missing
}

/// The next generation of every baseline; gone resources get one without a state.
fn baselines(before: &Baselines, live: &Snapshot, provenance: &Provenance) -> Vec<Baseline> {
    // What stands in for another while that is repaired is to go again.
    let lasting = live
        .resources
        .iter()
        .filter(|(_, state)| Temporary::of(state).is_none());
    let ids: BTreeSet<&ResourceId> = lasting
        .map(|(id, _)| id)
        .chain(
            before
                .by_id
                .iter()
                .filter(|(_, old)| old.state.is_some())
                .map(|(id, _)| id),
        )
        .collect();
    ids.into_iter()
        .map(|id| {
            let old = before.by_id.get(id);
            let state = live.resources.get(id).cloned();
            // Old ids are kept: an event may name one that live forgot.
            let mut handles = old.map(|old| old.handles.clone()).unwrap_or_default();
            handles.extend(live.handles.of(id));
            Baseline {
                schema: BASELINE_SCHEMA,
                id: id.clone(),
                vpc: state
                    .as_ref()
                    .and_then(Resource::vpc)
                    .cloned()
                    .or_else(|| old.and_then(|old| old.vpc.clone())),
                state,
                handles,
                generation: old.map_or(Generation(1), |old| old.generation.next()),
                parent: old.map(Baseline::digest),
                provenance: provenance.clone(),
                marks: BTreeMap::new(),
                predecessor: old.and_then(|old| old.predecessor.clone()),
                successor: None,
            }
        })
        .collect()
}
