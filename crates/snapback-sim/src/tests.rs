//! Tests of the simulator itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod history;
mod ports;
mod records;
mod refusals;
pub(crate) mod twin;

use crate::{Builder, Call, Layout, Principal, World};
use snapback_model::*;

/// A world and its layout, seed 7.
pub(crate) fn shop() -> (World, Layout) {
    Builder::new(7).build()
}

pub(crate) fn rule(text: &str) -> RuleKey {
    text.parse().unwrap()
}

pub(crate) fn mallory() -> Principal {
    Principal::user("mallory")
}

/// Opens ssh to the world on the application group.
pub(crate) fn open_ssh(layout: &Layout) -> Call {
    Call::authorize(&layout.app, [(rule("ingress tcp:22 0.0.0.0/0"), None)])
}
