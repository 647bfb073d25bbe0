//! Events that never came: CloudTrail's own history tells the sweep who acted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use snapback_engine::incident::{Outcome, Report};
use snapback_engine::policy::Mode;
use snapback_model::RuleKey;
use snapback_sim::station::{Moment, Station};
use snapback_sim::story::{mallory, pipeline, policy};
use snapback_sim::{Call, Fault, Principal};
use std::time::Duration;

/// Somebody opens a port on the application's group, the event is lost, the sweep runs ten minutes later.
fn lost(who: &Principal, rule: &str, history_is_down: bool) -> (Vec<Report>, Vec<String>) {
    let rule: RuleKey = rule.parse().unwrap();
    let mut reports = Vec::new();
    let mut hear = |moment: &Moment| {
        if let Moment::Closed(report) = moment {
            reports.push((**report).clone());
        }
    };
    let mut station = Station::start(7, policy(Mode::Enforce).unwrap(), &mut hear).unwrap();
    station.world.advance(Duration::from_secs(3600));
    station.world.lose_next_events(1);
    let call = Call::authorize(&station.layout.app.clone(), [(rule, None)]);
    station.act(who, "somebody", "opens a port", call).unwrap();
    station.world.advance(Duration::from_secs(600));
    if history_is_down {
        station
            .world
            .outage("events_about", Fault::Throttled, Duration::from_secs(3600));
    }
    let swept = station.sweep().unwrap();
    assert_eq!(swept.missed.len(), 1);
    let again = station.sweep().unwrap();
    assert_eq!(again.missed.len(), 0, "handled once");
    let apis = station.our_apis();
    drop(station);
    (reports, apis)
}

#[test]
fn a_strangers_lost_change_is_taken_back_and_its_author_named() {
    let (reports, apis) = lost(&mallory(), "ingress tcp:22 0.0.0.0/0", false);
    assert_eq!(apis, ["RevokeSecurityGroupIngress"]);
    let reverted = reports
        .iter()
        .find(|report| report.outcome == Outcome::Reverted)
        .unwrap();
    let actor = reverted
        .actor
        .as_ref()
        .expect("the history names the author");
    assert_eq!(actor.person.as_deref(), Some("mallory"));
}

#[test]
fn a_trusted_change_whose_event_was_lost_becomes_baseline() {
    let (reports, apis) = lost(&pipeline(), "ingress tcp:22 0.0.0.0/0", false);
    assert!(apis.is_empty(), "nothing is taken back: {apis:?}");
    assert!(
        reports
            .iter()
            .any(|report| report.outcome == Outcome::Accepted),
        "{reports:#?}"
    );
}

#[test]
fn without_a_history_the_drift_is_still_taken_back() {
    let (reports, apis) = lost(&mallory(), "ingress tcp:22 0.0.0.0/0", true);
    assert_eq!(apis, ["RevokeSecurityGroupIngress"]);
    assert!(
        reports
            .iter()
            .any(|report| report.outcome == Outcome::Reverted && report.actor.is_none())
    );
}

#[test]
fn our_own_call_in_the_history_is_no_answer_to_a_later_drift() {
    let (mut reverted, rule) = (0, |text: &str| text.parse::<RuleKey>().unwrap());
    let mut hear = |moment: &Moment| {
        if let Moment::Closed(report) = moment {
            reverted += usize::from(report.outcome == Outcome::Reverted);
        }
    };
    let mut station = Station::start(7, policy(Mode::Enforce).unwrap(), &mut hear).unwrap();
    let app = station.layout.app.clone();
    let ssh = Call::authorize(&app, [(rule("ingress tcp:22 0.0.0.0/0"), None)]);
    station
        .act(&mallory(), "mallory", "opens ssh", ssh)
        .unwrap();
    station.settle().unwrap();
    station.world.advance(Duration::from_secs(1200));
    station.world.lose_next_events(1);
    let desktop = Call::authorize(&app, [(rule("ingress tcp:3389 0.0.0.0/0"), None)]);
    station
        .act(&mallory(), "mallory", "opens remote desktop", desktop)
        .unwrap();
    // The history does not have the lost call yet, only the guard's revert of the first.
    station.world.advance(Duration::from_secs(30));
    station.sweep().unwrap();
    assert_eq!(station.our_apis(), ["RevokeSecurityGroupIngress"; 2]);
    drop(station);
    assert_eq!(reverted, 2);
}
