//! What the test package shares: running the flow on a simulated account and saying how it ended.
//!
//! - Owns: the runtime, the account under guard, the words of assertions.
//! - Takes: a policy, a seed.
//! - Gives: a captured [`Setting`].
//! - Must not: know what the flow does inside.

#![allow(clippy::unwrap_used, reason = "a package of tests")]

mod person;
pub mod prove;
mod quiet;
mod setting;
pub mod storm;

pub use person::{alice, rolls_back, says_yes, wish};
pub use quiet::{State, is_quiet, nothing_open, rest, told, unlike};
pub use setting::{Delivered, Setting};

use snapback_engine::incident::Outcome;
use snapback_engine::policy::{Mode, Policy};
use snapback_model::{Direction, RuleKey};
use snapback_sim::{Call, Principal, story};
use std::future::Future;

/// Runs a future to its end on this thread.
///
/// # Panics
/// Where the runtime does not start.
pub fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// The stories' policy in another mode.
///
/// # Panics
/// Where it is not accepted.
pub fn policy(mode: Mode) -> Policy {
    story::policy(mode).unwrap()
}

/// The realistic account, captured, under guard.
///
/// # Panics
/// Where it cannot be captured.
pub async fn guarded(seed: u64, mode: Mode) -> Setting {
    let mut setting = Setting::new(seed, policy(mode));
    setting.capture().await.unwrap();
    setting
}

/// A rule by its text form.
///
/// # Panics
/// Where it is none.
pub fn rule(text: &str) -> RuleKey {
    text.parse().unwrap()
}

/// Authorizes rules of one direction on the application group.
pub fn authorize(setting: &Setting, rules: &[&str]) -> Call {
    let rules = rules.iter().map(|text| (rule(text), None));
    Call::authorize(&setting.layout.app, rules)
}

/// Makes a call that must succeed.
///
/// # Panics
/// Where EC2 refuses it.
pub fn does(setting: &Setting, who: &Principal, call: Call) {
    setting.world.call(who, call).unwrap();
}

/// A stranger.
pub fn stranger() -> Principal {
    Principal::user("mallory")
}

/// The deployment role, which is trusted.
pub fn deployment() -> Principal {
    story::pipeline()
}

/// Every outcome of the journal, in order.
pub fn outcomes(setting: &Setting) -> Vec<Outcome> {
    setting
        .reports()
        .iter()
        .map(|report| report.outcome)
        .collect()
}

/// The rules of the application group, as text, of one direction.
pub fn app_rules(setting: &Setting) -> Vec<String> {
    let id = setting.layout.app.clone().into();
    match setting.world.resource(&id) {
        Some(snapback_model::Resource::SecurityGroup(group)) => group
            .rules
            .keys()
            .filter(|rule| rule.direction == Direction::Ingress)
            .map(ToString::to_string)
            .collect(),
        _ => Vec::new(),
    }
}
