//! What a trusted hand deletes stays gone; a tag that it sets is good, though no event tells of it.

use snapback_engine::incident::Outcome;
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{Call, EventFaults, GroupBy};
use snapback_tests::*;
use std::time::Duration;

fn recreating(mode: Mode) -> Policy {
    let mut policy = policy(mode);
    policy.recreate.nat = true;
    policy
}

async fn rest(setting: &mut Setting) {
    for _ in 0..4 {
        setting.settle().await;
        setting.world.advance(Duration::from_secs(300));
        setting.sweep().await;
    }
    setting.settle().await;
}

fn delete_nat(setting: &Setting) -> Call {
    Call::DeleteNatGateway {
        gateway: setting.layout.nat_gateway.clone(),
    }
}

#[test]
fn a_nat_gateway_that_a_trusted_hand_deletes_is_not_made_again() {
    for mode in [Mode::Enforce, Mode::Strict] {
        run(async {
            let mut setting = Setting::new(31, recreating(mode));
            setting.capture().await.unwrap();
            setting.does(&deployment(), delete_nat(&setting));
            rest(&mut setting).await;
            assert_eq!(setting.world.our_write_attempts(), 0, "{}", setting.told());
            let ends = setting.outcomes();
            assert!(ends.contains(&Outcome::Accepted), "{}", setting.told());
            let bad = [Outcome::Alerted, Outcome::Reverted, Outcome::Refused];
            assert!(
                ends.iter().all(|end| !bad.contains(end)),
                "{mode}: {}",
                setting.told()
            );
            let table = setting.layout.private_table.clone().into();
            let good = &setting.world.stored_baselines()[&table];
            assert_eq!(
                good.state.as_ref(),
                setting.live().get(&table),
                "{}",
                setting.told()
            );
        });
    }
}

#[test]
fn a_nat_gateway_that_was_made_again_before_the_trusted_event_came_is_told() {
    run(async {
        let mut setting = Setting::new(31, recreating(Mode::Enforce));
        setting.capture().await.unwrap();
        setting.world.set_event_faults(EventFaults {
            late: 1.0,
            late_by: Duration::from_secs(3_600),
            ..EventFaults::default()
        });
        setting.does(&deployment(), delete_nat(&setting));
        setting.world.set_event_faults(EventFaults::default());
        setting.world.advance(Duration::from_secs(300));
        setting.sweep().await;
        // The sweep's message first, the late event at the end.
        rest(&mut setting).await;
        let refused: Vec<String> = setting
            .reports()
            .into_iter()
            .filter(|report| report.outcome == Outcome::Refused)
            .flat_map(|report| report.problems)
            .collect();
        assert!(
            refused.iter().any(|line| line.contains("if it is to go")),
            "{}",
            setting.told()
        );
    });
}

#[test]
fn what_a_stranger_touched_and_a_trusted_hand_deleted_stays_gone() {
    run(async {
        let mut setting = Setting::new(41, policy(Mode::Strict));
        let group = setting.make_group("batch", &[]);
        setting.capture().await.unwrap();
        let opened = Call::authorize(&group, [(rule("ingress tcp:22 0.0.0.0/0"), None)]);
        setting.does(&stranger(), opened);
        let group = GroupBy::Id(group);
        setting.does(&deployment(), Call::DeleteSecurityGroup { group });
        rest(&mut setting).await;
        assert_eq!(setting.world.our_write_attempts(), 0, "{}", setting.told());
    });
}

/// One call that makes each of these `team: net`.
fn tag(ids: &[ResourceId]) -> Call {
    Call::CreateTags {
        targets: ids.iter().map(ToString::to_string).collect(),
        tags: Tags::from([("team".to_owned(), "net".to_owned())]),
    }
}

fn tagged(setting: &Setting) -> [ResourceId; 3] {
    let layout = &setting.layout;
    [
        layout.app.clone().into(),
        layout.db_acl.clone().into(),
        layout.private_table.clone().into(),
    ]
}

#[test]
fn the_sweep_asks_who_set_a_tag_and_a_trusted_hands_tag_becomes_good() {
    run(async {
        let mut setting = Setting::new(31, policy(Mode::Strict));
        setting.capture().await.unwrap();
        let ids = tagged(&setting);
        setting.does(&deployment(), tag(&ids));
        // A later change does not settle the tag.
        let opened = authorize(&setting, &["ingress tcp:8443 10.0.0.0/16"]);
        setting.does(&deployment(), opened);
        setting.settle().await;
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        rest(&mut setting).await;
        let good = setting.world.stored_baselines();
        let tags = |id: &ResourceId| good[id].state.as_ref().unwrap().tags().cloned();
        for id in &ids {
            assert_eq!(tags(id).unwrap()["team"], "net", "{id}: {}", setting.told());
        }
        assert!(
            !setting.outcomes().contains(&Outcome::Alerted),
            "{}",
            setting.told()
        );
        let untag = Call::DeleteTags {
            targets: ids.iter().map(ToString::to_string).collect(),
            tags: [("team".to_owned(), None)].into_iter().collect(),
        };
        setting.does(&deployment(), untag);
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        rest(&mut setting).await;
        let good = setting.world.stored_baselines();
        for id in &ids {
            let tags = good[id].state.as_ref().unwrap().tags().cloned();
            assert!(
                !tags.unwrap().contains_key("team"),
                "{id}: {}",
                setting.told()
            );
        }
        assert!(
            !setting.outcomes().contains(&Outcome::Alerted),
            "{}",
            setting.told()
        );
    });
}

#[test]
fn of_a_strangers_tag_the_sweep_tells_who_set_it() {
    run(async {
        let mut setting = Setting::new(31, policy(Mode::Enforce));
        setting.capture().await.unwrap();
        let ids = tagged(&setting);
        setting.does(&stranger(), tag(&ids));
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        rest(&mut setting).await;
        let alerts = setting.reports().into_iter();
        let alerts: Vec<_> = alerts
            .filter(|report| report.outcome == Outcome::Alerted)
            .collect();
        assert_eq!(alerts.len(), 3, "{}", setting.told());
        for report in alerts {
            let by = report.actor.map(|actor| actor.principal);
            assert_eq!(by, Some(stranger().arn().to_owned()), "{}", setting.told());
        }
    });
}
