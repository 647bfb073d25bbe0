//! A whole VPC goes back in one plan, whoever dies or acts beside.

use super::is_finished;
use snapback_app::rollback::{RollbackError, To, Which, Wish};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_sim::{Call, successors};
use snapback_tests::*;
use std::time::Duration;

/// Changes of every kind all over the VPC, deletions among them.
fn havoc(setting: &Setting) {
    let layout = &setting.layout;
    let mut calls = vec![
        authorize(setting, &[SSH]),
        Call::revoke(&layout.web, [rule("ingress tcp:443 0.0.0.0/0")]),
        delete_entry(&layout.db_acl, "egress 110".parse().unwrap()),
        Call::DeleteRoute {
            table: layout.public_table.clone(),
            destination: default_route(),
        },
    ];
    for subnet in &setting.table(&layout.private_table).subnets {
        calls.push(disassociate(setting, subnet));
    }
    calls.push(Call::DeleteRouteTable {
        table: layout.private_table.clone(),
    });
    setting.does_all(&stranger(), calls);
}

/// Alice's wish for all of the VPC, whatever it interrupts.
fn whole_vpc(setting: &Setting) -> Wish {
    Wish {
        which: Which::Vpc(setting.layout.vpc.clone()),
        interruptions: true,
        ..wish(To::Baseline, &[])
    }
}

#[test]
fn a_whole_vpc_goes_back_in_one_plan_deletions_included() {
    for mode in [Mode::Observe, Mode::Enforce] {
        run(async {
            let mut setting = guarded(7, mode).await;
            let before = setting.live();
            havoc(&setting);
            let done = goes_back(&setting, &whole_vpc(&setting)).await;
            setting.is_as_by_old_ids(&before, &format!("{mode:?}"));
            let next = done.report.next.join("\n");
            let table = setting.layout.private_table.as_str();
            assert!(next.contains(&format!("{table} is rtb-")), "{next}");
            setting.is_quiet(&format!("{mode:?}")).await;
        });
    }
}

/// A crash between any two effects of a person's run.
#[test]
fn a_run_that_dies_anywhere_is_finished_by_the_guard_or_by_asking_again() {
    for again in [false, true] {
        let mut crashes = 0;
        for calls in 0.. {
            let over = run(async {
                let mut setting = guarded(9, Mode::Enforce).await;
                let before = setting.live();
                havoc(&setting);
                // No event comes: the person's run, and whoever goes on with it, are alone.
                setting.world.lose_next_events(1000);
                let wish = whole_vpc(&setting);
                let died = dies_rolling_back(&setting, &wish, calls).await;
                crashes += usize::from(died);
                is_finished(&mut setting, &wish, again).await;
                let case = format!("after {calls} calls, again {again}");
                setting.is_as_by_old_ids(&before, &case);
                let made = successors(&setting.live()).len();
                assert_eq!(made, 1, "made once, {case}");
                setting.is_quiet(&case).await;
                !died
            });
            if over {
                break;
            }
        }
        assert!(crashes > 30, "{crashes}");
    }
}

#[test]
fn in_observe_the_guard_tells_what_a_dead_run_left_and_goes_on_with_nothing() {
    run(async {
        let mut setting = guarded(10, Mode::Observe).await;
        havoc(&setting);
        setting.world.lose_next_events(1000);
        let (count, wish) = (setting.writes(), whole_vpc(&setting));
        assert!(dies_rolling_back(&setting, &wish, 25).await);
        let done = setting.writes();
        assert!(done > count, "midway");
        setting.later(Duration::from_secs(90)).await;
        assert_eq!(setting.writes(), done);
        let refused = setting.reports_of(Outcome::Refused).remove(0);
        let problems = refused.problems.join("\n");
        assert!(
            problems.contains("mode is observe") && problems.contains("left: "),
            "{problems}"
        );
        setting.nothing_open("observe");
    });
}

#[test]
fn the_guard_runs_beside_and_neither_fights_nor_doubles() {
    for seed in 0..12 {
        run(async {
            let mut setting = guarded(20 + seed, Mode::Enforce).await;
            let before = setting.live();
            havoc(&setting);
            let wish = whole_vpc(&setting);
            let alice = alice(&setting);
            // Some of the events are handled first, the others while she runs.
            setting
                .world
                .advance(Duration::from_millis(700 + 60 * seed));
            let bodies = setting.world.deliver();
            let proposal = proposed(&setting, &wish).await;
            let person = says_yes(&alice, &proposal);
            let guard = setting.handle_all(bodies);
            let (done, ()) = tokio::join!(person, guard);
            match done {
                Ok(done) => assert!(
                    matches!(done.report.outcome, Outcome::Reverted | Outcome::Failed),
                    "{:#?}",
                    done.report
                ),
                Err(error) => assert!(
                    matches!(
                        error,
                        RollbackError::Moved(_)
                            | RollbackError::Busy { .. }
                            | RollbackError::Stopped(_)
                    ),
                    "{error}"
                ),
            }
            setting.rest().await;
            setting.is_as_by_old_ids(&before, &seed.to_string());
            setting.nothing_open(&seed.to_string());
            setting.accused_nobody(&seed.to_string());
        });
    }
}
