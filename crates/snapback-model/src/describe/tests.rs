#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod broken;
mod canonical;
mod context;
mod documents;
mod print;
mod real;
mod rules;
mod tables;

use super::Described;
use crate::{Snapshot, Timestamp};
use serde_json::Value;

/// The snapshot of one or more describe outputs, as the command line makes it.
fn snapshot(outputs: &[Value]) -> Snapshot {
    let mut described = Described::default();
    for output in outputs {
        described.merge(Described::from_json(&output.to_string(), "test.json").unwrap());
    }
    let scope = described.scope(None, "test").unwrap();
    let coverage = described.coverage();
    described.into_snapshot(Timestamp::UNIX_EPOCH, coverage, scope.account, scope.region)
}

/// What was not understood, as `place member`.
fn unknown(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .unknown
        .iter()
        .map(|unknown| format!("{} {}", unknown.place, unknown.member))
        .collect()
}
