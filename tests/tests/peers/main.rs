//! The inputs on which other products fail (peers.md, section 4), each as a test of its own name, through
//! the whole flow: what comes of it here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod acls;
mod experiments;
mod rules;
mod stories;

use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Permission};
use snapback_tests::*;

/// A rule that opens nothing to the internet.
const OFFICE: &str = "ingress tcp:22 10.0.0.0/8";

/// One `Authorize…Ingress` with its permission items as they are, on the application group.
fn authorize_items(setting: &Setting, items: &[(&str, &[&str])]) -> Call {
    let permissions = items.iter().map(|(traffic, peers)| Permission {
        traffic: rule(&format!("ingress {traffic} 0.0.0.0/0")).traffic,
        peers: peers.iter().map(|text| (peer(text), None)).collect(),
    });
    Call::AuthorizeSecurityGroup {
        group: (&setting.layout.app).into(),
        direction: Direction::Ingress,
        permissions: permissions.collect(),
        short: false,
        tags: Tags::new(),
    }
}

/// An enforcing account, and its state before anything happens.
async fn enforced() -> (Setting, State) {
    let setting = guarded(7, Mode::Enforce).await;
    let before = setting.live();
    (setting, before)
}

/// The same after a stranger's call with permission items as they are, and all that followed from it.
async fn after_items(items: &[(&str, &[&str])]) -> (Setting, State) {
    let (mut setting, before) = enforced().await;
    let call = authorize_items(&setting, items);
    setting.play(&stranger(), call).await;
    (setting, before)
}
