//! Our own stored forms as state sources: captures and snapshots.

use super::{Problem, State};
use anyhow::{Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// The version of [`Capture`]'s stored form.
const CAPTURE_SCHEMA: u32 = 1;

/// A capture file: baselines with what they were read from.
#[derive(Serialize, Deserialize)]
pub struct Capture {
    /// Version of this form; absent in a bare set of baselines.
    #[serde(default)]
    schema: u32,
    /// The account, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    /// The Region, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
    /// When the state was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed_at: Option<Timestamp>,
    /// What was read completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coverage: Option<BTreeSet<Coverage>>,
    /// The baselines.
    by_id: BTreeMap<ResourceId, Baseline>,
    /// Their context.
    #[serde(default)]
    topology: Topology,
    /// What was not understood when it was captured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Unknown>,
}

impl Capture {
    /// Everything of a snapshot, taken for good.
    pub fn of(mut snapshot: Snapshot, problems: &[Problem], by: &str, why: &str) -> Self {
        // What was missing then is not there for whoever compares later.
        let missing = problems.iter().map(|problem| Unknown {
            place: problem.file.clone(),
            member: "(file)".to_owned(),
            value: problem.problem.clone(),
        });
        snapshot.unknown.extend(missing);
        let Baselines {
            by_id, topology, ..
        } = Baselines::captured(&snapshot, by, why);
        Self {
            schema: CAPTURE_SCHEMA,
            account: snapshot.account,
            region: snapshot.region,
            observed_at: Some(snapshot.observed_at),
            coverage: Some(snapshot.coverage),
            by_id,
            topology,
            unknown: snapshot.unknown,
        }
    }

    /// The state that is captured. A bare set of baselines is taken as everything of its kinds.
    fn snapshot(&self, now: Timestamp) -> Snapshot {
        let states = self
            .by_id
            .values()
            .filter_map(|baseline| baseline.state.as_ref());
        let mut handles = Handles::default();
        for baseline in self.by_id.values() {
            handles.extend(baseline.handles.clone());
        }
        let kinds = || {
            self.by_id
                .keys()
                .map(|id| Coverage::Kind(id.kind()))
                .collect()
        };
        Snapshot {
            account: self.account.clone(),
            region: self.region.clone(),
            coverage: self.coverage.clone().unwrap_or_else(kinds),
            resources: states.map(|state| (state.id(), state.clone())).collect(),
            handles,
            topology: self.topology.clone(),
            unknown: self.unknown.clone(),
            ..Snapshot::empty(self.observed_at.unwrap_or(now))
        }
    }
}

/// Reads one of our own forms; nothing where the text is none.
///
/// # Errors
/// A form that is broken, with member and spot, or of a newer version.
pub(super) fn read(text: &str, place: &str, now: Timestamp) -> Result<Option<State>> {
    let members: Option<BTreeMap<String, Value>> = serde_json::from_str(text).ok();
    let has = |member: &str| {
        members
            .as_ref()
            .is_some_and(|members| members.contains_key(member))
    };
    if has("by_id") {
        let capture: Capture = stored(text)?;
        known_schema("capture", capture.schema, CAPTURE_SCHEMA)?;
        for baseline in capture.by_id.values() {
            known_schema("baseline", baseline.schema, BASELINE_SCHEMA)?;
        }
        let snapshot = capture.snapshot(now);
        let baselines = Baselines {
            by_id: capture.by_id,
            topology: capture.topology,
            seen: None,
        };
        return Ok(Some(State {
            snapshot,
            baselines,
            problems: Vec::new(),
        }));
    }
    if has("resources") && has("observed_at") {
        let snapshot: Snapshot = stored(text)?;
        known_schema("snapshot", snapshot.schema, SNAPSHOT_SCHEMA)?;
        let baselines = Baselines::captured(&snapshot, "snapshot", place);
        return Ok(Some(State {
            snapshot,
            baselines,
            problems: Vec::new(),
        }));
    }
    Ok(None)
}

/// Reads one of our own stored forms; errors tell the member and the spot.
fn stored<T: DeserializeOwned>(text: &str) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        anyhow!("member {path}: {}", error.into_inner())
    })
}

fn known_schema(what: &str, found: u32, known: u32) -> Result<()> {
    if found > known {
        bail!("{what} of schema {found}; this version reads up to {known}: use a newer snapback");
    }
    Ok(())
}
