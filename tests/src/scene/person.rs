//! A person at the command line, beside the guard.

use super::Setting;
use snapback_app::guard::Guard;
use snapback_app::port::Clock;
use snapback_app::rollback::{self, Done, Proposal, RollbackError, To, Which, Wish};
use snapback_engine::incident::{Entry, Outcome};
use snapback_model::*;
use snapback_sim::{Principal, World};
use std::time::Duration;

/// How long a person's run may take.
const RUN: Duration = Duration::from_secs(1800);

/// Alice with her own credentials.
pub fn alice(setting: &Setting) -> Guard<World> {
    let mut guard = setting.guard.clone();
    guard.ports = setting.world.in_hands_of(Principal::user("alice"));
    guard.holder = "alice@cli".into();
    guard
}

/// Alice's wish for some resources.
pub fn wish(to: To, ids: &[ResourceId]) -> Wish {
    Wish {
        to,
        which: Which::Resources(ids.iter().cloned().collect()),
        by: "alice".into(),
        why: "as agreed".into(),
        interruptions: false,
        emergency: false,
    }
}

/// Shows what would be done, and does it.
///
/// # Errors
/// What kept it from being done.
pub async fn rolls_back(setting: &Setting, wish: &Wish) -> Result<Done, RollbackError> {
    let alice = alice(setting);
    let proposal = Box::pin(rollback::propose(&alice.ports, wish)).await?;
    Box::pin(says_yes(&alice, &proposal)).await
}

/// Runs what was shown, VPC by VPC; how the last one ended.
///
/// # Errors
/// What kept it from being done.
///
/// # Panics
/// Where there is nothing to do.
pub async fn says_yes(alice: &Guard<World>, proposal: &Proposal) -> Result<Done, RollbackError> {
    let now = alice.ports.now();
    let deadline = now.checked_add(RUN).unwrap_or(now);
    let listener = |_: &Entry| {};
    let mut done = None;
    for leg in &proposal.legs {
        done = Some(Box::pin(rollback::run(alice, leg, deadline, &listener)).await?);
    }
    Ok(done.unwrap())
}

/// Shows what would be done.
///
/// # Panics
/// Where it cannot be told.
pub async fn proposed(setting: &Setting, wish: &Wish) -> Proposal {
    let ports = alice(setting).ports;
    rollback::propose(&ports, wish).await.unwrap()
}

/// Runs what was shown, to its good end.
///
/// # Panics
/// Where it does not come to that.
pub async fn goes_through(setting: &Setting, proposal: &Proposal) -> Done {
    let done = says_yes(&alice(setting), proposal).await;
    let done = done.unwrap_or_else(|error| panic!("{error}: {}", setting.told()));
    let report = &done.report;
    assert_eq!(report.outcome, Outcome::Reverted, "{report:#?}");
    done
}

/// Shows what would be done, and does it to its good end.
///
/// # Panics
/// Where it does not come to that.
pub async fn goes_back(setting: &Setting, wish: &Wish) -> Done {
    let proposal = Box::pin(proposed(setting, wish)).await;
    Box::pin(goes_through(setting, &proposal)).await
}

/// Alice's machine dies after so many port calls of her run; whether that was before its end.
pub async fn dies_rolling_back(setting: &Setting, wish: &Wish, calls: u64) -> bool {
    let run = Box::pin(rolls_back(setting, wish));
    setting.world.kill_after(calls);
    setting.world.run_until_crash(run).await.is_none()
}
