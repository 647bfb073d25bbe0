//! Whatever goes wrong: nothing is lost, nothing is done twice, the end is right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::guard::{GuardError, Message};
use snapback_app::port::Clock;
use snapback_engine::incident::{Body, Outcome};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Chaos, EventFaults, Fault, Staleness, When};
use snapback_tests::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SSH: &str = "ingress tcp:22 0.0.0.0/0";

fn entry(setting: &Setting) -> Call {
    Call::DeleteNetworkAclEntry {
        acl: setting.layout.db_acl.clone(),
        // Unlike ingress 100, no other entry permits what it permits.
        key: "egress 110".parse().unwrap(),
    }
}

/// Several groups of steps: two additions in two families, a removal.
fn many(setting: &Setting) -> Vec<Call> {
    vec![
        authorize(setting, &[SSH, "ingress tcp:3389 ::/0"]),
        Call::revoke(
            &setting.layout.app,
            [rule("ingress tcp:22 198.51.100.0/24")],
        ),
    ]
}

type State = BTreeMap<ResourceId, Resource>;

/// Lets sweeps and messages run until everything had its chance.
async fn rest(setting: &mut Setting) {
    for _ in 0..4 {
        setting.settle().await;
        setting.world.advance(Duration::from_secs(300));
        setting.sweep().await;
    }
    setting.settle().await;
    setting.notify_again(120).await;
}

fn is_right(setting: &Setting, before: &State, case: &str) {
    let show = || {
        let reports: Vec<_> = setting
            .reports()
            .into_iter()
            .map(|report| (report.outcome, report.label, report.problems))
            .collect();
        format!("{case}: {reports:#?}\n{:#?}", setting.delivered)
    };
    assert_eq!(&setting.live(), before, "{}", show());
    let open: Vec<_> = setting
        .world
        .stored_records()
        .into_values()
        .filter(|record| record.open.is_some())
        .collect();
    assert!(open.is_empty(), "{open:?} {}", show());
    assert!(
        !outcomes(setting).contains(&Outcome::Impostor),
        "accused itself: {}",
        show()
    );
}

/// One call of a stranger under one planned fault.
async fn under(pattern: &str, fault: Fault, times: u32) -> (Setting, State) {
    let mut setting = guarded(9, Mode::Enforce).await;
    let before = setting.live();
    setting.world.fail(pattern, fault, times);
    does(&setting, &stranger(), authorize(&setting, &[SSH]));
    setting.settle().await;
    (setting, before)
}

#[test]
fn throttling_and_server_errors_are_waited_out() {
    for pattern in [
        "DescribeSecurityGroupRules",
        "RevokeSecurityGroupIngress",
        "commit",
        "baselines",
        "record",
    ] {
        for fault in [Fault::Throttled, Fault::ServerError] {
            let (setting, before) = run(under(pattern, fault, 2));
            is_right(&setting, &before, pattern);
            assert_eq!(
                outcomes(&setting),
                [Outcome::Reverted],
                "{pattern} {fault:?}"
            );
            assert_eq!(
                setting.delivered[0]
                    .result
                    .as_ref()
                    .unwrap()
                    .endings()
                    .len(),
                1
            );
        }
    }
}

#[test]
fn a_lost_answer_or_request_is_resolved_by_reading() {
    for pattern in [
        "RevokeSecurityGroupIngress",
        "DescribeSecurityGroupRules",
        "commit",
        "baselines",
        "record",
    ] {
        for fault in [Fault::LostResponse, Fault::LostRequest] {
            for times in [1, 2] {
                let (mut setting, before) = run(under(pattern, fault, times));
                run(rest(&mut setting));
                is_right(&setting, &before, &format!("{pattern} {fault:?} {times}"));
                assert_eq!(
                    outcomes(&setting),
                    [Outcome::Reverted],
                    "{pattern} {fault:?} {times}"
                );
            }
        }
    }
}

#[test]
fn every_commit_of_a_story_may_lose_its_answer() {
    for skip in 0..8 {
        run(async {
            let mut setting = guarded(9, Mode::Enforce).await;
            let before = setting.live();
            for call in many(&setting) {
                does(&setting, &stranger(), call);
            }
            setting
                .world
                .fail_later("commit", skip, Fault::LostResponse, 1);
            rest(&mut setting).await;
            is_right(&setting, &before, &format!("commit {skip}"));
        });
    }
}

#[test]
fn a_denied_read_is_told_once_a_day_and_the_message_is_kept() {
    run(async {
        let (mut setting, _) = under("DescribeSecurityGroupRules", Fault::Denied, 100).await;
        assert_eq!(outcomes(&setting), [Outcome::Blind]);
        assert_eq!(
            setting.dead.len(),
            1,
            "given up after its tries, not lost in silence"
        );
        assert!(setting.reports()[0].problems[0].contains("UnauthorizedOperation"));
        setting.world.heal();
        setting.world.advance(Duration::from_secs(600));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Blind, Outcome::Reverted]);
    });
}

#[test]
fn a_read_that_is_denied_for_a_while_delays_the_revert_only() {
    run(async {
        let (setting, before) = under("DescribeSecurityGroupRules", Fault::Denied, 2).await;
        is_right(&setting, &before, "denied twice");
        assert_eq!(outcomes(&setting), [Outcome::Blind, Outcome::Reverted]);
    });
}

#[test]
fn a_denied_sweep_is_told_and_sends_no_heartbeat() {
    run(async {
        let mut setting = guarded(9, Mode::Enforce).await;
        setting
            .world
            .fail("DescribeRouteTables", Fault::Denied, 100);
        for _ in 0..3 {
            setting.sweep().await;
        }
        assert!(setting.sweeps.iter().all(Result::is_err));
        assert_eq!(outcomes(&setting), [Outcome::Blind]);
        assert!(setting.world.total(snapback_app::port::Metric::Heartbeat) < 1.0);
    });
}

#[test]
fn a_denied_write_fails_says_what_is_left_and_is_told_once() {
    run(async {
        let (mut setting, _) = under("RevokeSecurityGroupIngress", Fault::Denied, 100).await;
        assert_eq!(outcomes(&setting), [Outcome::Failed]);
        let report = &setting.reports()[0];
        let problems = report.problems.join("\n");
        assert!(problems.contains("UnauthorizedOperation"), "{problems}");
        assert!(
            problems.contains("left: added: ingress tcp 22"),
            "{problems}"
        );
        assert_eq!(setting.world.our_write_attempts(), 1, "no retry");
        for _ in 0..3 {
            setting.world.advance(Duration::from_secs(300));
            setting.sweep().await;
            setting.settle().await;
        }
        assert_eq!(outcomes(&setting), [Outcome::Failed], "told once");
    });
}

#[test]
fn a_write_that_stays_throttled_is_given_up_after_some_deliveries_and_told() {
    run(async {
        let (mut setting, _) = under("RevokeSecurityGroupIngress", Fault::Throttled, 10_000).await;
        rest(&mut setting).await;
        assert_eq!(outcomes(&setting), [Outcome::Failed]);
    });
}

#[test]
fn a_throttled_hour_ends_well() {
    run(async {
        let mut setting = guarded(9, Mode::Enforce).await;
        let before = setting.live();
        setting
            .world
            .outage("*", Fault::Throttled, Duration::from_secs(3600));
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        for _ in 0..16 {
            setting.settle().await;
            setting.world.advance(Duration::from_secs(300));
            setting.sweep().await;
        }
        rest(&mut setting).await;
        is_right(&setting, &before, "an hour of throttling");
    });
}

#[test]
fn a_stale_read_is_not_believed() {
    for seed in 0..20 {
        run(async {
            let mut setting = guarded(seed, Mode::Enforce).await;
            let before = setting.live();
            setting.world.set_staleness(Staleness {
                window: Duration::from_millis(1500),
                chance: 0.6,
            });
            does(&setting, &stranger(), authorize(&setting, &[SSH]));
            setting.world.advance(Duration::from_millis(100));
            setting.settle().await;
            assert_eq!(setting.live(), before, "seed {seed}");
            let ends = outcomes(&setting);
            assert!(
                ends.ends_with(&[Outcome::Reverted]),
                "seed {seed}: {ends:?}"
            );
        });
    }
}

/// The story with a crash after `calls` port calls; whether it crashed at all.
async fn crashing(calls: u64, deeds: fn(&Setting) -> Vec<Call>) -> bool {
    let mut setting = guarded(11, Mode::Enforce).await;
    let before = setting.live();
    for call in deeds(&setting) {
        does(&setting, &stranger(), call);
    }
    let bodies = setting.world.deliver_next();
    let guard = setting.guard.clone();
    let now = setting.world.now();
    setting.world.kill_after(calls);
    let ended = setting
        .world
        .run_until_crash(guard.handle_message(Message {
            body: &bodies[0],
            arrived: now,
            deadline: now.checked_add(Duration::from_secs(60)).unwrap(),
            last_try: false,
        }))
        .await;
    let crashed = ended.is_none();
    for body in bodies {
        // The queue brings what was not deleted.
        setting.world.post(body, Duration::from_secs(30));
    }
    setting.settle().await;
    let case = format!("crash after {calls} calls");
    is_right(&setting, &before, &case);
    let reverts = outcomes(&setting)
        .iter()
        .filter(|outcome| **outcome == Outcome::Reverted)
        .count();
    assert!(
        (1..=2).contains(&reverts),
        "{case}: {:?}",
        outcomes(&setting)
    );
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
            does(&setting, &stranger(), authorize(&setting, &[SSH]));
            let body = setting.world.deliver_next().remove(0);
            let guard = setting.guard.clone();
            let now = setting.world.now();
            setting.world.kill_after(calls);
            let deadline = now.checked_add(Duration::from_secs(60)).unwrap();
            let _lost = setting
                .world
                .run_until_crash(guard.handle(&body, now, deadline))
                .await;
            setting.world.advance(Duration::from_secs(120));
            setting.sweep().await;
            setting.settle().await;
            is_right(
                &setting,
                &before,
                &format!("crash after {calls} calls, swept"),
            );
            assert_eq!(outcomes(&setting), [Outcome::Reverted]);
        });
    }
}

#[test]
fn three_deliveries_at_the_same_time_make_one_revert() {
    run(async {
        let mut setting = guarded(13, Mode::Enforce).await;
        let before = setting.live();
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        let body = setting.world.deliver_next().remove(0);
        let now = setting.world.now();
        let deadline = now.checked_add(Duration::from_secs(60)).unwrap();
        let guards: Vec<_> = (0..3)
            .map(|number| {
                let mut guard = setting.guard.clone();
                guard.holder = format!("guard-{number}");
                guard
            })
            .collect();
        let (one, two, three) = tokio::join!(
            guards[0].handle(&body, now, deadline),
            guards[1].handle(&body, now, deadline),
            guards[2].handle(&body, now, deadline)
        );
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
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
        assert_eq!(setting.world.our_writes().len(), 1);
    });
}

#[test]
fn work_that_does_not_fit_the_time_is_left_open_and_gone_on_with() {
    for millis in (5000..6500).step_by(50) {
        run(async {
            let mut setting = guarded(13, Mode::Enforce).await;
            let before = setting.live();
            for call in many(&setting) {
                does(&setting, &stranger(), call);
            }
            let bodies = setting.world.deliver_next();
            let now = setting.world.now();
            let deadline = now.checked_add(Duration::from_millis(millis)).unwrap();
            let result = setting.guard.handle(&bodies[0], now, deadline).await;
            if let Err(error) = &result {
                assert!(
                    matches!(error, GuardError::Interrupted { .. }),
                    "{millis} ms: {error}"
                );
            }
            for body in bodies {
                setting.world.post(body, Duration::from_secs(30));
            }
            setting.settle().await;
            is_right(&setting, &before, &format!("{millis} ms"));
        });
    }
}

#[test]
fn an_interruption_gives_the_lease_back() {
    run(async {
        let mut setting = guarded(13, Mode::Enforce).await;
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        let body = setting.world.deliver_next().remove(0);
        let now = setting.world.now();
        let deadline = now.checked_add(Duration::from_secs(4)).unwrap();
        let error = setting
            .guard
            .handle(&body, now, deadline)
            .await
            .unwrap_err();
        assert!(matches!(error, GuardError::Interrupted { .. }), "{error}");
        let record = setting.world.stored_records()[&setting.layout.app.clone().into()].clone();
        assert_eq!((record.holder.as_ref(), record.lease_until), (None, None));
        assert!(record.open.is_some());
        assert_eq!(setting.world.our_write_attempts(), 0);
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn somebody_who_interferes_between_two_of_our_calls_does_not_derail_the_end() {
    let interferences: [fn(&Setting) -> Call; 4] = [
        |setting| authorize(setting, &["ingress tcp:3306 0.0.0.0/0"]),
        |setting| Call::revoke(&setting.layout.app, [rule(SSH)]),
        |setting| Call::revoke(&setting.layout.app, [rule("ingress tcp:8080 10.9.9.9/32")]),
        |setting| {
            Call::revoke(
                &setting.layout.app,
                [format!("ingress tcp:8080 {}", setting.layout.web)
                    .parse()
                    .unwrap()],
            )
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
                for call in many(&setting) {
                    does(&setting, &stranger(), call);
                }
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
        for call in many(&setting) {
            does(&setting, &stranger(), call);
        }
        setting.settle().await;
        let journal = setting.world.journal();
        let begun = journal
            .iter()
            .filter(|entry| matches!(entry.body, Body::StepStarted { .. }))
            .count();
        assert_eq!(begun, setting.world.our_write_attempts());
        for (index, write) in setting
            .world
            .ec2_calls()
            .iter()
            .filter(|call| !call.read && call.by == snapback_sim::GUARD_ROLE)
            .enumerate()
        {
            let started = journal
                .iter()
                .filter(|entry| matches!(entry.body, Body::StepStarted { .. }))
                .nth(index)
                .unwrap();
            assert!(started.at < write.at, "{} before its entry", write.api);
        }
    });
}

#[test]
fn a_channel_that_is_down_for_an_hour_loses_nothing_and_holds_nobody_up() {
    for down in ["sns", "slack"] {
        run(async {
            let mut setting = guarded(19, Mode::Enforce).await;
            let before = setting.live();
            setting
                .world
                .outage(down, Fault::ServerError, Duration::from_secs(3600));
            does(&setting, &stranger(), authorize(&setting, &[SSH]));
            setting.settle().await;
            is_right(&setting, &before, down);
            let other = if down == "sns" { "slack" } else { "sns" };
            assert_eq!(
                setting.shown(other).len(),
                1,
                "the other channel did not wait"
            );
            assert_eq!(setting.shown(down).len(), 0);
            setting.notify_again(120).await;
            assert_eq!(setting.shown(down).len(), 1);
            assert_eq!(setting.shown(other).len(), 1);
        });
    }
}

#[test]
fn a_channel_that_asks_for_patience_gets_it() {
    run(async {
        let mut setting = guarded(19, Mode::Enforce).await;
        setting.world.fail("slack", Fault::Throttled, 2);
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert_eq!(setting.shown("slack").len(), 1);
        setting.world.advance(Duration::from_secs(600));
        setting
            .world
            .outage("slack", Fault::Denied, Duration::from_secs(600));
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert_eq!(
            setting.shown("slack").len(),
            1,
            "refused: kept for the stream"
        );
        assert!(
            setting
                .world
                .total(snapback_app::port::Metric::NotDelivered)
                > 0.0
        );
        setting.notify_again(20).await;
        assert_eq!(setting.shown("slack").len(), 2);
    });
}

#[test]
fn whatever_happens_by_chance_the_end_is_right() {
    for seed in 0..200 {
        run(async {
            let mut setting = guarded(seed, Mode::Enforce).await;
            let before = setting.live();
            setting.world.set_chaos(Chaos {
                throttled: 0.08,
                server_error: 0.05,
                lost_response: 0.05,
                lost_request: 0.03,
                store_error: 0.04,
                store_lost: 0.04,
                channel_error: 0.2,
            });
            setting.world.set_staleness(Staleness {
                window: Duration::from_millis(800),
                chance: 0.3,
            });
            setting.world.set_event_faults(EventFaults {
                delay_max: Duration::from_secs(20),
                late: 0.1,
                late_by: Duration::from_secs(300),
                duplicate: 0.3,
                lose: 0.15,
                ..EventFaults::default()
            });
            for call in many(&setting) {
                does(&setting, &stranger(), call);
            }
            does(&setting, &stranger(), entry(&setting));
            let route = Call::DeleteRoute {
                table: setting.layout.private_table.clone(),
                destination: "0.0.0.0/0".parse().unwrap(),
            };
            does(&setting, &stranger(), route);
            rest(&mut setting).await;
            setting.world.heal();
            rest(&mut setting).await;
            is_right(&setting, &before, &format!("seed {seed}"));
        });
    }
}

fn associate(setting: &Setting, subnet: &SubnetId, table: &RouteTableId) {
    let subject = AssociationSubject::Subnet(subnet.clone());
    let handles = setting.world.snapshot().handles;
    let table = table.clone();
    let call = match handles.association_id(Kind::RouteTable, &subject).cloned() {
        Some(association) => Call::ReplaceRouteTableAssociation { association, table },
        None => Call::AssociateRouteTable { table, subject },
    };
    does(setting, &stranger(), call);
}

/// The event names the association alone, and no baseline knows one that a stranger made.
#[test]
fn the_event_of_a_disassociation_without_an_answer_is_ours() {
    run(async {
        let mut setting = guarded(9, Mode::Strict).await;
        let before = setting.live();
        let layout = setting.layout.clone();
        associate(&setting, &layout.db_a, &layout.public_table);
        let fault = Fault::LostResponse;
        setting.world.fail("DisassociateRouteTable", fault, 1);
        setting.settle().await;
        rest(&mut setting).await;
        assert_eq!(setting.live(), before);
        let writes = setting.world.our_writes();
        let done = writes.iter().map(|write| write.api.as_str());
        assert_eq!(done.collect::<Vec<_>>(), ["DisassociateRouteTable"]);
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

/// Our own move gave the subnet's association an id that its event alone tells otherwise.
#[test]
fn a_trusted_move_of_a_subnet_that_was_put_back_becomes_baseline() {
    run(async {
        let mut setting = guarded(9, Mode::Strict).await;
        let layout = setting.layout.clone();
        associate(&setting, &layout.private_a, &layout.public_table);
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
        // Two moves before the guard hears of the first: live knows neither of its ids any more.
        for table in [&layout.public_table, &layout.main_table] {
            let subject = AssociationSubject::Subnet(layout.private_a.clone());
            let handles = setting.world.snapshot().handles;
            let association = handles.association_id(Kind::RouteTable, &subject);
            let call = Call::ReplaceRouteTableAssociation {
                association: association.cloned().unwrap(),
                table: table.clone(),
            };
            does(&setting, &deployment(), call);
        }
        let wanted = setting.live();
        setting.settle().await;
        assert_eq!(setting.live(), wanted);
        assert!(!outcomes(&setting).contains(&Outcome::Refused));
    });
}
