//! What is in the middle of being applied waits until its author is quiet.

use super::WITHIN;
use snapback_app::guard::Ending;
use snapback_app::port::{Clock, Command, RecheckReason};
use snapback_engine::incident::Outcome;
use snapback_sim::{Call, Principal};
use snapback_tests::*;
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn what_a_tool_applies_waits_until_it_is_quiet_and_is_judged_as_one() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        let before = setting.live();
        for number in 0..5_u8 {
            let text = format!(
                "ingress tcp:{} 10.{number}.0.0/16",
                9000 + u16::from(number)
            );
            setting.does(&terraform(), authorize(&setting, &[&text]));
            setting.world.advance(Duration::from_secs(10));
            setting.handle_due().await;
            assert_eq!(setting.writes(), 0, "in the middle: {}", setting.told());
        }
        let held = |delivered: &Delivered| {
            let ok = delivered.result.as_ref().ok();
            ok.is_some_and(|handled| handled.endings() == [Ending::Held])
        };
        assert!(setting.delivered.iter().any(held));
        setting.settle().await;
        setting.is_back(&before);
        setting.ended_as([Outcome::Reverted]);
        let actor = setting.reports()[0].actor.clone().unwrap();
        assert!(actor.principal.contains("platform"));
    });
}

#[test]
fn an_opening_to_the_internet_does_not_wait() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        let at = setting.world.now();
        setting.does(&terraform(), authorize(&setting, &[SSH]));
        while setting.reports().is_empty() {
            setting.handle_next().await;
        }
        let took = setting.world.now().duration_since(at);
        assert!(
            took.as_secs() < 30,
            "{took:?} {:#?}",
            setting.reports()[0].findings
        );
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn nothing_waits_for_ever() {
    run(async {
        let mut setting = guarded_by(7, strict("quiet: { after: 60s, longest: 3m }")).await;
        let at = setting.world.now();
        let mut port = 9000;
        while setting.reports().is_empty() {
            port += 1;
            let text = format!("ingress tcp:{port} 10.9.0.0/16");
            setting.does(&terraform(), authorize(&setting, &[&text]));
            setting.world.advance(Duration::from_secs(20));
            setting.handle_due().await;
            setting.notify().await;
            assert!(port < 9040, "{}", setting.told());
        }
        let waited = setting.world.now().duration_since(at);
        assert!((180..300).contains(&waited.as_secs()), "{waited:?}");
    });
}

#[test]
fn a_stack_that_is_deleted_is_judged_once_it_is_gone() {
    run(async {
        let mut setting = Setting::new(5, strict(""));
        let groups = setting.make_groups(3);
        setting.capture().await.unwrap();
        let stack = Principal::cloudformation("arn:aws:iam::111122223333:role/stacks");
        for group in &groups {
            setting.does(&stack, delete_group(group));
            setting.world.advance(Duration::from_secs(15));
            setting.handle_due().await;
        }
        assert_eq!(setting.writes(), 0, "{}", setting.told());
        setting.sweep().await;
        assert_eq!(setting.sweeps[0].as_ref().unwrap().missed, BTreeSet::new());
        setting.settle().await;
        setting.ended_as([Outcome::Reverted, Outcome::Reverted, Outcome::Reverted]);
    });
}

#[test]
fn a_mass_change_by_one_author_waits_and_one_change_does_not() {
    run(async {
        let mut setting = guarded_by(7, strict("quiet: { changes: 3 }")).await;
        let who = Principal::user("sam");
        for number in 0..6_u16 {
            let text = format!("ingress tcp:{} 10.9.0.0/16", 9000 + number);
            setting.does(&who, authorize(&setting, &[&text]));
            setting.world.advance(Duration::from_secs(10));
            setting.handle_due().await;
        }
        assert_eq!(setting.outcomes().len(), 2, "{}", setting.told());
        setting.settle().await;
        setting.ended_as([Outcome::Reverted; 3]);
        assert!(
            setting
                .app_rules()
                .iter()
                .all(|text| !text.contains("10.9."))
        );
    });
}

#[test]
fn what_its_author_took_back_itself_is_no_story() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        setting.does(&terraform(), authorize(&setting, &[WITHIN]));
        setting.world.advance(Duration::from_secs(5));
        setting.handle_due().await;
        setting
            .play(
                &terraform(),
                Call::revoke(&setting.layout.app, [rule(WITHIN)]),
            )
            .await;
        setting.later(20 * MINUTE).await;
        assert_eq!(
            (setting.reports().len(), setting.writes()),
            (0, 0),
            "{}",
            setting.told()
        );
    });
}

#[test]
fn a_message_that_never_came_does_not_leave_what_waits_forgotten() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        setting.does(&terraform(), authorize(&setting, &[WITHIN]));
        setting.handle_next().await;
        // The message that looks again is lost.
        setting.lose_messages();
        setting.later(15 * MINUTE).await;
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn a_recheck_by_a_person_does_not_wait_for_quiet() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        setting.does(&terraform(), authorize(&setting, &[WITHIN]));
        setting.handle_next().await;
        assert_eq!(setting.writes(), 0);
        let at = setting.world.now();
        let command = Command::Recheck {
            resource: setting.layout.app.clone().into(),
            why: RecheckReason::Asked("now, please".into()),
            asked_at: at,
        };
        setting.send(command).await;
        setting.handle_next().await;
        assert_eq!(setting.writes(), 1, "{}", setting.told());
    });
}
