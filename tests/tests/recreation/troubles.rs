//! Whatever goes wrong while it is made again, there is one, and it is whole.

use super::{DEEDS, Deed, account};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_sim::{EventFaults, Fault, Staleness, When, successors};
use snapback_tests::*;
use std::time::Duration;

#[test]
fn events_of_a_chain_may_come_in_any_order_or_not_at_all() {
    for deed in DEEDS {
        for (seed, lose) in [(1, 0.0), (2, 0.0), (3, 0.5), (4, 0.5), (5, 1.0)] {
            run(async {
                let (mut setting, loss) = account(deed, seed, policy(Mode::Enforce)).await;
                setting.world.set_event_faults(EventFaults {
                    delay_max: Duration::from_secs(20),
                    late: 0.3,
                    late_by: Duration::from_secs(200),
                    duplicate: 0.4,
                    lose,
                    ..EventFaults::default()
                });
                loss.happens(&setting);
                setting.rest().await;
                loss.is_made_good(&setting, &format!("{deed:?} {seed} {lose}"));
            });
        }
    }
}

/// The story with a crash after `calls` port calls; whether it crashed at all.
async fn crashing(calls: u64, deed: Deed, by_sweep: bool) -> bool {
    let (mut setting, loss) = account(deed, 11, policy(Mode::Enforce)).await;
    loss.happens(&setting);
    // All events are there; that of the deletion leads the guard to it.
    let mut bodies = setting.world.deliver_next();
    setting.world.advance(Duration::from_secs(30));
    bodies.extend(setting.world.deliver());
    let of_deletion = |body: &&String| body.contains(r#""eventName":"Delete"#);
    let first = bodies.iter().find(of_deletion).unwrap();
    let died = setting.dies_handling(first, calls).await;
    if by_sweep {
        setting.world.advance(2 * MINUTE);
        setting.sweep().await;
    } else {
        setting.come_again(bodies);
    }
    setting.rest().await;
    loss.is_made_good(
        &setting,
        &format!("{deed:?}, crash after {calls}, sweep {by_sweep}"),
    );
    died
}

#[test]
fn after_a_crash_at_any_call_there_is_one_new_resource_and_it_is_whole() {
    for deed in DEEDS {
        let mut calls = 0;
        while run(crashing(calls, deed, false)) {
            calls += 1;
        }
        assert!(calls > 15, "{deed:?} crashed at {calls} places");
    }
}

#[test]
fn after_a_crash_the_sweep_leads_there_too() {
    for deed in DEEDS {
        for calls in (3..40).step_by(2) {
            run(crashing(calls, deed, true));
        }
    }
}

#[test]
fn a_create_call_without_an_answer_makes_nothing_twice() {
    let apis = [
        "CreateSecurityGroup",
        "CreateNetworkAcl",
        "CreateRouteTable",
    ];
    for (deed, api) in DEEDS.into_iter().zip(apis) {
        for fault in [Fault::LostResponse, Fault::LostRequest, Fault::Throttled] {
            for times in [1, 3] {
                run(async {
                    let (mut setting, loss) = account(deed, 9, policy(Mode::Enforce)).await;
                    setting.world.fail(api, fault, times);
                    loss.happens(&setting);
                    setting.rest().await;
                    loss.is_made_good(&setting, &format!("{api} {fault:?} {times}"));
                });
            }
        }
    }
}

#[test]
fn the_store_may_fail_while_the_baselines_follow() {
    for deed in DEEDS {
        for fault in [Fault::LostResponse, Fault::LostRequest, Fault::ServerError] {
            for times in [1, 20] {
                run(async {
                    let (mut setting, loss) = account(deed, 9, policy(Mode::Enforce)).await;
                    setting.world.fail("put_baselines", fault, times);
                    loss.happens(&setting);
                    setting.rest().await;
                    loss.is_made_good(&setting, &format!("{deed:?} {fault:?} {times}"));
                });
            }
        }
    }
}

#[test]
fn a_read_that_does_not_show_what_was_just_made_makes_nothing_twice() {
    for deed in DEEDS {
        for seed in 0..12 {
            run(async {
                let (mut setting, loss) = account(deed, seed, policy(Mode::Enforce)).await;
                setting.world.set_staleness(Staleness {
                    window: Duration::from_millis(1500),
                    chance: 0.6,
                });
                loss.happens(&setting);
                setting.world.advance(Duration::from_millis(100));
                setting.settle().await;
                setting.world.heal();
                setting.rest().await;
                loss.is_made_good(&setting, &format!("{deed:?} seed {seed}"));
            });
        }
    }
}

#[test]
fn a_denied_create_is_told_and_tried_again_when_somebody_asks() {
    run(async {
        let (mut setting, loss) = account(Deed::Acl, 31, policy(Mode::Enforce)).await;
        setting.world.fail("CreateNetworkAcl", Fault::Denied, 100);
        loss.happens(&setting);
        setting.rest().await;
        assert!(
            setting.outcomes().contains(&Outcome::Failed),
            "{}",
            setting.told()
        );
        assert_eq!(successors(&setting.live()), []);
        setting.nothing_open("the end");
    });
}

#[test]
fn a_denied_rule_leaves_one_group_that_the_baselines_know() {
    run(async {
        let (mut setting, loss) = account(Deed::Group, 31, policy(Mode::Enforce)).await;
        setting
            .world
            .fail("AuthorizeSecurityGroupEgress", Fault::Denied, 100);
        loss.happens(&setting);
        setting.rest().await;
        assert!(
            setting.outcomes().contains(&Outcome::Failed),
            "{}",
            setting.told()
        );
        assert_eq!(successors(&setting.live()).len(), 1);
        // With the right given, another look at the new id makes it whole.
        setting.world.heal();
        let new = successors(&setting.live())[0].1.clone();
        setting.world.post(recheck(&new), Duration::from_secs(1));
        setting.rest().await;
        loss.is_made_good(&setting, "healed");
    });
}

#[test]
fn somebody_who_edits_what_is_being_made_does_not_derail_the_end() {
    for deed in DEEDS {
        for when in [When::AfterAct(1), When::AfterAct(2), When::AfterObserve(3)] {
            run(async {
                let (mut setting, loss) = account(deed, 17, policy(Mode::Enforce)).await;
                loss.happens(&setting);
                setting
                    .world
                    .interleave(when, stranger(), authorize(&setting, &[SSH]));
                setting.rest().await;
                loss.is_made_good(&setting, &format!("{deed:?} {when:?}"));
            });
        }
    }
}

#[test]
fn whatever_happens_by_chance_there_is_one_new_resource() {
    for seed in 0..40 {
        run(async {
            let deed = DEEDS[usize::try_from(seed % 3).unwrap()];
            let (mut setting, loss) = account(deed, seed, policy(Mode::Enforce)).await;
            setting.goes_wrong_by_chance();
            loss.happens(&setting);
            setting.rest().await;
            setting.world.heal();
            setting.rest().await;
            loss.is_made_good(&setting, &format!("{deed:?} seed {seed}"));
        });
    }
}
