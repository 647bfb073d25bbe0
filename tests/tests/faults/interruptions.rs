//! The guard dies, runs out of time, or is not alone.

use super::{entry, is_right, many};
use snapback_app::guard::GuardError;
use snapback_engine::incident::{Body, Entry, Outcome};
use snapback_engine::policy::Mode;
use snapback_sim::{Call, GUARD_ROLE, When};
use snapback_tests::*;
use std::time::Duration;

/// The story with a crash after `calls` port calls; whether it crashed at all.
async fn crashing(calls: u64, deeds: fn(&Setting) -> Vec<Call>) -> bool {
    let mut setting = guarded(11, Mode::Enforce).await;
    let before = setting.live();
    setting.does_all(&stranger(), deeds(&setting));
    let bodies = setting.world.deliver_next();
    let crashed = setting.dies_handling(&bodies[0], calls).await;
    setting.come_again(bodies);
    setting.settle().await;
    let case = format!("crash after {calls} calls");
    is_right(&setting, &before, &case);
    let reverts = setting.reports_of(Outcome::Reverted).len();
    assert!((1..=2).contains(&reverts), "{case}: {}", setting.told());
    crashed
}

#[test]
fn after_a_crash_at_any_call_the_next_delivery_finishes() {
    let deeds: [fn(&Setting) -> Vec<Call>; 3] = [
        |setting| vec![authorize(setting, &[SSH])],
        |setting| vec![entry(setting)],
        many,
    ];
    for deeds in deeds {
        let mut calls = 0;
        while run(crashing(calls, deeds)) {
            calls += 1;
        }
        assert!(calls > 6, "crashed at {calls} places");
    }
}

#[test]
fn after_a_crash_the_sweep_finishes_when_no_message_comes() {
    for calls in 4..12 {
        run(async {
            let mut setting = guarded(11, Mode::Enforce).await;
            let before = setting.live();
            setting.does(&stranger(), authorize(&setting, &[SSH]));
            let body = setting.world.deliver_next().remove(0);
            setting.dies_handling(&body, calls).await;
            setting.later(2 * MINUTE).await;
            is_right(
                &setting,
                &before,
                &format!("crash after {calls} calls, swept"),
            );
            setting.ended_as([Outcome::Reverted]);
        });
    }
}

#[test]
fn three_deliveries_at_the_same_time_make_one_revert() {
    run(async {
        let mut setting = guarded(13, Mode::Enforce).await;
        let before = setting.live();
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let body = setting.world.deliver_next().remove(0);
        let guards = [0, 1, 2].map(|number| setting.another(&format!("guard-{number}")));
        let handle =
            |number: usize| guards[number].handle_message(setting.invocation(&body, MINUTE));
        let (one, two, three) = tokio::join!(handle(0), handle(1), handle(2));
        for result in [one, two, three] {
            if let Err(error) = &result {
                assert!(
                    matches!(
                        error,
                        GuardError::Busy { .. } | GuardError::Contended { .. }
                    ),
                    "{error}"
                );
                setting.again(body.clone(), 0);
            }
        }
        setting.settle().await;
        is_right(&setting, &before, "three at once");
        setting.ended_as([Outcome::Reverted]);
        assert_eq!(setting.writes(), 1);
    });
}

#[test]
fn work_that_does_not_fit_the_time_is_left_open_and_gone_on_with() {
    for millis in (5000..6500).step_by(50) {
        run(async {
            let mut setting = guarded(13, Mode::Enforce).await;
            let before = setting.live();
            setting.does_all(&stranger(), many(&setting));
            let bodies = setting.world.deliver_next();
            let message = setting.invocation(&bodies[0], Duration::from_millis(millis));
            let result = setting.guard.handle_message(message).await;
            if let Err(error) = &result {
                assert!(
                    matches!(error, GuardError::Interrupted { .. }),
                    "{millis} ms: {error}"
                );
            }
            setting.come_again(bodies);
            setting.settle().await;
            is_right(&setting, &before, &format!("{millis} ms"));
        });
    }
}

#[test]
fn an_interruption_gives_the_lease_back() {
    run(async {
        let mut setting = guarded(13, Mode::Enforce).await;
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let body = setting.world.deliver_next().remove(0);
        let message = setting.invocation(&body, Duration::from_secs(4));
        let error = setting.guard.handle_message(message).await.unwrap_err();
        assert!(matches!(error, GuardError::Interrupted { .. }), "{error}");
        let record = setting.world.stored_records()[&setting.layout.app.clone().into()].clone();
        assert_eq!((record.holder.as_ref(), record.lease_until), (None, None));
        assert!(record.open.is_some());
        assert_eq!(setting.world.our_write_attempts(), 0);
        setting.sweep().await;
        setting.settle().await;
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn somebody_who_interferes_between_two_of_our_calls_does_not_derail_the_end() {
    let interferences: [fn(&Setting) -> Call; 4] = [
        |setting| authorize(setting, &["ingress tcp:3306 0.0.0.0/0"]),
        |setting| Call::revoke(&setting.layout.app, [rule(SSH)]),
        |setting| Call::revoke(&setting.layout.app, [rule("ingress tcp:8080 10.9.9.9/32")]),
        |setting| {
            let known = format!("ingress tcp:8080 {}", setting.layout.web);
            Call::revoke(&setting.layout.app, [rule(&known)])
        },
    ];
    for whens in [
        When::BeforeAct(1),
        When::AfterAct(1),
        When::AfterObserve(1),
        When::AfterObserve(2),
    ] {
        for interference in interferences {
            run(async {
                let mut setting = guarded(17, Mode::Enforce).await;
                let before = setting.live();
                setting.does_all(&stranger(), many(&setting));
                let call = interference(&setting);
                setting.world.interleave(whens, stranger(), call.clone());
                setting.settle().await;
                is_right(&setting, &before, &format!("{whens:?} {call:?}"));
            });
        }
    }
}

#[test]
fn a_journal_is_written_before_each_effect() {
    run(async {
        let mut setting = guarded(17, Mode::Enforce).await;
        setting.play_all(&stranger(), many(&setting)).await;
        let journal = setting.world.journal();
        let begun: Vec<&Entry> = journal
            .iter()
            .filter(|entry| matches!(entry.body, Body::StepStarted { .. }))
            .collect();
        assert_eq!(begun.len(), setting.world.our_write_attempts());
        let calls = setting.world.ec2_calls();
        let writes = calls
            .iter()
            .filter(|call| !call.read && call.by == GUARD_ROLE);
        for (started, write) in begun.iter().zip(writes) {
            assert!(started.at < write.at, "{} before its entry", write.api);
        }
    });
}
