//! What is taken back, what stays, what is only told: through the whole flow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod context;
mod gone;
mod history;
mod messages;
mod strangers;
mod trusted;

use snapback_engine::policy::Mode;
use snapback_tests::*;

/// A rule that the policy tolerates: it is told and stays.
const BENIGN: &str = "ingress tcp:22 10.9.0.0/16";

/// An account in which a stranger has made one call on the application group, with all that followed.
async fn after_rules(mode: Mode, rules: &[&str]) -> Setting {
    let mut setting = guarded(3, mode).await;
    setting.play(&stranger(), authorize(&setting, rules)).await;
    setting
}
