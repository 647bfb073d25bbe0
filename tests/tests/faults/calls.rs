//! EC2 and the store answer late, wrongly, or not at all.

use super::{entry, is_right, many};
use snapback_app::port::Metric;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_sim::{Call, Fault, Staleness};
use snapback_tests::*;
use std::time::Duration;

/// One call of a stranger under one planned fault.
async fn under(pattern: &str, fault: Fault, times: u32) -> (Setting, State) {
    let mut setting = guarded(9, Mode::Enforce).await;
    let before = setting.live();
    setting.world.fail(pattern, fault, times);
    setting.opens(&stranger(), SSH).await;
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
                setting.outcomes(),
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
                run(setting.rest());
                is_right(&setting, &before, &format!("{pattern} {fault:?} {times}"));
                assert_eq!(
                    setting.outcomes(),
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
            setting.does_all(&stranger(), many(&setting));
            setting
                .world
                .fail_later("commit", skip, Fault::LostResponse, 1);
            setting.rest().await;
            is_right(&setting, &before, &format!("commit {skip}"));
        });
    }
}

#[test]
fn a_denied_read_is_told_once_a_day_and_the_message_is_kept() {
    run(async {
        let (mut setting, _) = under("DescribeSecurityGroupRules", Fault::Denied, 100).await;
        setting.ended_as([Outcome::Blind]);
        assert_eq!(
            setting.dead.len(),
            1,
            "given up after its tries, not lost in silence"
        );
        assert!(setting.reports()[0].problems[0].contains("UnauthorizedOperation"));
        setting.world.heal();
        setting.later(10 * MINUTE).await;
        setting.ended_as([Outcome::Blind, Outcome::Reverted]);
    });
}

#[test]
fn a_read_that_is_denied_for_a_while_delays_the_revert_only() {
    run(async {
        let (setting, before) = under("DescribeSecurityGroupRules", Fault::Denied, 2).await;
        is_right(&setting, &before, "denied twice");
        setting.ended_as([Outcome::Blind, Outcome::Reverted]);
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
        setting.ended_as([Outcome::Blind]);
        assert!(setting.world.total(Metric::Heartbeat) < 1.0);
    });
}

#[test]
fn a_denied_write_fails_says_what_is_left_and_is_told_once() {
    run(async {
        let (mut setting, _) = under("RevokeSecurityGroupIngress", Fault::Denied, 100).await;
        setting.ended_as([Outcome::Failed]);
        let report = &setting.reports()[0];
        let problems = report.problems.join("\n");
        assert!(problems.contains("UnauthorizedOperation"), "{problems}");
        assert!(
            problems.contains("left: added: ingress tcp 22"),
            "{problems}"
        );
        assert_eq!(setting.world.our_write_attempts(), 1, "no retry");
        for _ in 0..3 {
            setting.later(5 * MINUTE).await;
        }
        assert_eq!(setting.outcomes(), [Outcome::Failed], "told once");
    });
}

#[test]
fn a_write_that_stays_throttled_is_given_up_after_some_deliveries_and_told() {
    run(async {
        let (mut setting, _) = under("RevokeSecurityGroupIngress", Fault::Throttled, 10_000).await;
        setting.rest().await;
        setting.ended_as([Outcome::Failed]);
    });
}

#[test]
fn a_throttled_hour_ends_well() {
    run(async {
        let mut setting = guarded(9, Mode::Enforce).await;
        let before = setting.live();
        setting.world.outage("*", Fault::Throttled, 60 * MINUTE);
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        for _ in 0..16 {
            setting.settle().await;
            setting.world.advance(5 * MINUTE);
            setting.sweep().await;
        }
        setting.rest().await;
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
            setting.does(&stranger(), authorize(&setting, &[SSH]));
            setting.world.advance(Duration::from_millis(100));
            setting.settle().await;
            setting.is_as(&before, &format!("seed {seed}"));
            let ends = setting.outcomes();
            assert!(
                ends.ends_with(&[Outcome::Reverted]),
                "seed {seed}: {ends:?}"
            );
        });
    }
}

#[test]
fn whatever_happens_by_chance_the_end_is_right() {
    for seed in 0..200 {
        run(async {
            let mut setting = guarded(seed, Mode::Enforce).await;
            let before = setting.live();
            setting.goes_wrong_by_chance();
            setting.does_all(&stranger(), many(&setting));
            setting.does(&stranger(), entry(&setting));
            let route = Call::DeleteRoute {
                table: setting.layout.private_table.clone(),
                destination: default_route(),
            };
            setting.does(&stranger(), route);
            setting.rest().await;
            setting.world.heal();
            setting.rest().await;
            is_right(&setting, &before, &format!("seed {seed}"));
        });
    }
}
