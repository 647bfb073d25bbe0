//! Addresses that are gone, answers that are lost, guards that die.

use super::{
    about_tables, alive, calls, captured, create_public, delete, is_whole, old, primary, problems,
    recreating, route, site,
};
use crate::deletion;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Chaos, Fault, Provide, Staleness, When};
use snapback_tests::*;
use std::time::Duration;

#[test]
fn an_address_that_was_released_is_told_and_no_other_is_taken() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let allocation = primary(&site);
        delete(&site);
        site.setting.world.advance(Duration::from_secs(100));
        let call = Call::Provide(Provide::ReleaseAddress { allocation });
        site.setting.does(&stranger(), call);
        site.setting.rest().await;
        assert_eq!(
            site.setting.world.our_write_attempts(),
            0,
            "{}",
            site.setting.told()
        );
        assert_eq!(alive(&site.setting), []);
        let reports = about_tables(&site);
        assert_eq!(reports.len(), 2, "{}", site.setting.told());
        for report in reports {
            assert_eq!(report.outcome, Outcome::Refused);
            let problems = report.problems.join("\n");
            assert!(problems.contains("is not ours any more"), "{problems}");
            assert!(problems.contains("must be told first"), "{problems}");
        }
    });
}

#[test]
fn an_address_that_somebody_else_took_is_told_and_left_to_them() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let allocation = primary(&site);
        delete(&site);
        site.setting.world.advance(Duration::from_secs(100));
        // As if it were ours: only the journal is believed.
        let tags = Tags::from([
            (SUCCESSOR_OF.to_owned(), site.nat.clone()),
            (INCIDENT.to_owned(), "inc-forged".to_owned()),
        ]);
        let thief = create_public(&site.setting, &allocation, tags);
        site.setting.does(&stranger(), thief);
        site.setting.rest().await;
        assert_eq!(
            site.setting.world.our_write_attempts(),
            0,
            "{}",
            site.setting.told()
        );
        for table in &site.tables {
            let now = route(&site.setting, table);
            assert!(now.blackhole && now.target.id() == site.nat, "{now:?}");
        }
        for report in about_tables(&site) {
            let problems = report.problems.join("\n");
            assert!(problems.contains("is held by"), "{problems}");
        }
    });
}

#[test]
fn an_address_that_is_taken_between_our_read_and_our_call_makes_a_gateway_fail_and_that_is_told() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let allocation = primary(&site);
        delete(&site);
        let thief = create_public(&site.setting, &allocation, Tags::new());
        site.setting
            .world
            .interleave(When::BeforeAct(1), stranger(), thief);
        site.setting.settle().await;
        assert_eq!(
            calls(&site.setting, "CreateNatGateway"),
            1,
            "{}",
            site.setting.told()
        );
        assert!(
            problems(&site)
                .iter()
                .any(|line| line.contains("Resource.AlreadyAssociated")),
            "{}",
            site.setting.told()
        );
        site.setting.nothing_open("taken");
    });
}

#[test]
fn a_gateway_that_does_not_come_up_is_told_with_ec2s_words() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let allocation = primary(&site);
        delete(&site);
        let release = Call::Provide(Provide::ReleaseAddress { allocation });
        site.setting
            .world
            .interleave(When::BeforeAct(1), stranger(), release);
        site.setting.rest().await;
        assert!(
            problems(&site)
                .iter()
                .any(|line| line.contains("InvalidAllocationID.NotFound")),
            "{}",
            site.setting.told()
        );
        assert_eq!(calls(&site.setting, "CreateNatGateway"), 1);
        let next: Vec<String> = about_tables(&site)
            .into_iter()
            .flat_map(|report| report.next)
            .collect();
        assert!(
            next.iter()
                .any(|line| line.contains("no route leads to it")),
            "{next:#?}"
        );
        for table in &site.tables {
            assert!(route(&site.setting, table).blackhole);
        }
    });
}

#[test]
fn a_lost_answer_makes_one_gateway() {
    for fault in [Fault::LostResponse, Fault::LostRequest] {
        for api in [
            "CreateNatGateway",
            "AssociateNatGatewayAddress",
            "ReplaceRoute",
        ] {
            run(async {
                let mut site = site(31, recreating(Mode::Enforce)).await;
                let before = old(&site);
                site.setting.world.fail(api, fault, 1);
                delete(&site);
                site.setting.rest().await;
                let what = format!("{fault:?} of {api}");
                is_whole(&site, &before, &what);
                assert_eq!(calls(&site.setting, "CreateNatGateway"), 1, "{what}");
                site.setting.accused_nobody(&what);
            });
        }
    }
}

/// Its event comes when no good route leads to the gateway any more: the stories of the tables that
/// went still hold the call.
#[test]
fn the_late_event_of_a_lost_answer_is_ours_though_the_tables_were_deleted_meanwhile() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        site.setting
            .world
            .fail("CreateNatGateway", Fault::LostResponse, 1);
        delete(&site);
        let mut late = Vec::new();
        loop {
            let bodies = site.setting.world.deliver_next();
            if bodies.is_empty() {
                break;
            }
            for body in bodies {
                match body.contains("\"CreateNatGateway\"") {
                    true => late.push(body),
                    false => site.setting.handle(body).await,
                }
            }
        }
        assert_eq!(late.len(), 1, "{}", site.setting.told());
        for table in site.tables.clone() {
            let calls = deletion(&site.setting, &table.clone().into());
            site.setting.does_all(&deployment(), calls);
            site.setting.settle().await;
            assert_eq!(site.setting.baselines().state(&table.into()), None);
        }
        for body in late {
            site.setting.handle(body).await;
        }
        site.setting.rest().await;
        site.setting.accused_nobody("late");
        site.setting.nothing_open("late");
    });
}

/// The story with a crash in its message number `message`, after `port_calls` calls; whether it came to that.
async fn crashing(message: usize, port_calls: u64) -> bool {
    let mut site = Box::pin(site(11, recreating(Mode::Enforce))).await;
    let before = old(&site);
    delete(&site);
    let mut crashed = false;
    let mut number = 0;
    'all: for _ in 0..30 {
        let bodies = site.setting.world.deliver_next();
        if bodies.is_empty() {
            break;
        }
        for body in bodies {
            number += 1;
            if number != message + 1 {
                Box::pin(site.setting.handle(body)).await;
                continue;
            }
            crashed = site.setting.dies_handling(&body, port_calls).await;
            if crashed {
                site.setting.come_again(vec![body]);
            }
            break 'all;
        }
    }
    Box::pin(site.setting.rest()).await;
    let what = format!("crash in message {message} after {port_calls}");
    is_whole(&site, &before, &what);
    assert_eq!(calls(&site.setting, "CreateNatGateway"), 1, "{what}");
    crashed
}

#[test]
fn after_a_crash_at_any_call_of_any_message_there_is_one_gateway() {
    for message in 0_u64..10 {
        for port_calls in (message % 2..200).step_by(2) {
            if !run(crashing(usize::try_from(message).unwrap(), port_calls)) {
                break;
            }
        }
    }
}

#[test]
fn whatever_happens_by_chance_there_is_one_gateway() {
    for seed in 0..30 {
        run(async {
            let mut site = site(seed, recreating(Mode::Enforce)).await;
            let before = old(&site);
            site.setting.world.set_chaos(Chaos {
                throttled: 0.06,
                server_error: 0.04,
                lost_response: 0.04,
                lost_request: 0.03,
                store_error: 0.03,
                store_lost: 0.03,
                channel_error: 0.1,
            });
            site.setting.world.set_staleness(Staleness {
                window: Duration::from_millis(800),
                chance: 0.3,
            });
            delete(&site);
            site.setting.rest().await;
            site.setting.world.heal();
            site.setting.rest().await;
            is_whole(&site, &before, &format!("seed {seed}"));
        });
    }
}

#[test]
fn an_event_that_never_came_is_made_good_by_the_sweep() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let before = old(&site);
        site.setting.world.lose_next_events(1);
        delete(&site);
        site.setting.rest().await;
        is_whole(&site, &before, "by the sweep");
    });
}

/// Until storm 8004222 the call that EC2 refused ended the story, with the subnets on another table.
#[test]
fn a_gateway_that_died_unheard_is_looked_at_once_its_table_is_made_again() {
    run(async {
        let setting = Setting::new(31, recreating(Mode::Enforce));
        let (nat, table) = (
            setting.layout.nat_gateway.clone(),
            setting.layout.private_table.clone(),
        );
        let mut site = captured(setting, nat, vec![table]).await;
        let before = old(&site);
        site.setting.world.lose_next_events(1);
        delete(&site);
        let victim = ResourceId::from(site.tables[0].clone());
        let calls = deletion(&site.setting, &victim);
        site.setting.does_all(&stranger(), calls);
        site.setting.rest().await;
        let baselines = site.setting.world.stored_baselines();
        let new = baselines[&victim].successor.clone().unwrap();
        let Some(ResourceId::RouteTable(new)) = Some(new) else {
            panic!("{}", site.setting.told());
        };
        site.tables[0] = new;
        is_whole(&site, &before, "by the refused route");
        let outcomes: Vec<Outcome> = site
            .setting
            .reports()
            .into_iter()
            .map(|one| one.outcome)
            .collect();
        assert!(
            !outcomes.contains(&Outcome::Failed),
            "{}",
            site.setting.told()
        );
    });
}
