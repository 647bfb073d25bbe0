#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod deciding;
mod deleted;
mod folding;
mod gone;
mod harm;
mod history;
mod side_by_side;
mod states;
mod thresholds;

use crate::change::{Actor, Change, Edit, Edits};
use crate::fixture::at;
use snapback_model::*;
use std::collections::BTreeSet;

fn actor(principal: &str) -> Actor {
    Actor {
        principal: principal.into(),
        kind: "AssumedRole".into(),
        session: None,
        person: Some("ann".into()),
        on_behalf_via: None,
        console: false,
        source_ip: None,
        user_agent: None,
    }
}

/// A change of one or more edits, `second` seconds after the fixture's beginning.
fn change(second: i64, edits: Vec<Edit>) -> Change {
    Change {
        event: EventId::new(format!("event-{second}")),
        request: None,
        at: at(second),
        account: None,
        region: Region::new("eu-central-1"),
        api: "SomeApi".into(),
        actor: actor("arn:aws:iam::123456789012:role/deploy"),
        touched: BTreeSet::new(),
        edits: Edits::Known(edits),
    }
}
