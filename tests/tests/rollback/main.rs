//! People lead resources back to what was good before, beside a guard that does not fight them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod emergency;
mod exchange;
mod generations;
mod undo;
mod vpc;

use snapback_app::rollback::{To, Wish};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_tests::*;
use std::time::Duration;

/// What the deployment adds: a second generation.
const METRICS: &str = "ingress tcp:9100 10.0.0.0/16";

/// The application group.
fn app(setting: &Setting) -> ResourceId {
    setting.layout.app.clone().into()
}

/// The generation of a resource's baseline.
fn generation(setting: &Setting, id: &ResourceId) -> Generation {
    setting.world.stored_baselines()[id].generation
}

/// The application group after a trusted change became its second generation.
async fn after_a_deployment(seed: u64) -> (Setting, State) {
    let mut setting = guarded(seed, Mode::Enforce).await;
    let before = setting.live();
    setting.opens(&deployment(), METRICS).await;
    assert_eq!(generation(&setting, &app(&setting)), Generation(2));
    (setting, before)
}

/// Alice's wish for one resource as a generation had it.
fn to_generation(number: u64, id: &ResourceId) -> Wish {
    let to = To::Generation(Generation(number));
    wish(to, std::slice::from_ref(id))
}

/// What a dead run left is finished: by the guard alone, or by alice, who asks again first.
async fn is_finished(setting: &mut Setting, wish: &Wish, by_alice: bool) {
    setting.world.advance(Duration::from_secs(90));
    if by_alice {
        let proposal = proposed(setting, wish).await;
        if !proposal.is_empty() {
            goes_through(setting, &proposal).await;
        }
    }
    setting.rest().await;
}
