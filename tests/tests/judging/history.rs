//! Events that never came: CloudTrail's own history tells the sweep who acted.

use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_sim::story::mallory;
use snapback_sim::{Fault, Principal};
use snapback_tests::*;
use std::time::Duration;

/// How many drifts the last sweep found that nobody had told of.
fn missed(setting: &Setting) -> usize {
    setting
        .sweeps
        .last()
        .unwrap()
        .as_ref()
        .unwrap()
        .missed
        .len()
}

/// Somebody opens a port on the application's group, the event is lost, the sweep runs ten minutes later.
async fn lost(who: &Principal, history_is_down: bool) -> Setting {
    let mut setting = guarded(7, Mode::Enforce).await;
    setting.world.advance(60 * MINUTE);
    setting.world.lose_next_events(1);
    setting.does(who, authorize(&setting, &[SSH]));
    setting.world.advance(10 * MINUTE);
    if history_is_down {
        let hour = 60 * MINUTE;
        setting.world.outage("events_about", Fault::Throttled, hour);
    }
    setting.later(Duration::ZERO).await;
    assert_eq!(missed(&setting), 1);
    setting.later(Duration::ZERO).await;
    assert_eq!(missed(&setting), 0, "handled once");
    setting
}

#[test]
fn a_strangers_lost_change_is_taken_back_and_its_author_named() {
    let setting = run(lost(&mallory(), false));
    assert_eq!(setting.world.our_apis(), ["RevokeSecurityGroupIngress"]);
    let reverted = setting.reports_of(Outcome::Reverted).remove(0);
    let actor = reverted.actor.expect("the history names the author");
    assert_eq!(actor.person.as_deref(), Some("mallory"));
}

#[test]
fn a_trusted_change_whose_event_was_lost_becomes_baseline() {
    let setting = run(lost(&deployment(), false));
    let apis = setting.world.our_apis();
    assert!(apis.is_empty(), "nothing is taken back: {apis:?}");
    let accepted = setting.reports_of(Outcome::Accepted);
    assert!(!accepted.is_empty(), "{}", setting.told());
}

#[test]
fn without_a_history_the_drift_is_still_taken_back() {
    let setting = run(lost(&mallory(), true));
    assert_eq!(setting.world.our_apis(), ["RevokeSecurityGroupIngress"]);
    let reverted = setting.reports_of(Outcome::Reverted);
    assert!(reverted.iter().any(|report| report.actor.is_none()));
}

#[test]
fn our_own_call_in_the_history_is_no_answer_to_a_later_drift() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        setting.opens(&mallory(), SSH).await;
        setting.world.advance(20 * MINUTE);
        setting.world.lose_next_events(1);
        let desktop = authorize(&setting, &["ingress tcp:3389 0.0.0.0/0"]);
        setting.does(&mallory(), desktop);
        // The history does not have the lost call yet, only the guard's revert of the first.
        setting.later(Duration::from_secs(30)).await;
        let apis = setting.world.our_apis();
        assert_eq!(apis, ["RevokeSecurityGroupIngress"; 2]);
        assert_eq!(setting.reports_of(Outcome::Reverted).len(), 2);
    });
}
