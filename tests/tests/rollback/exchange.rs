//! Tables that exchanged subnets while their routes changed: those who leave wait on a temporary table.

use super::is_finished;
use snapback_app::rollback::{To, Wish};
use snapback_engine::plan::{StepSafety, safety};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::Call;
use snapback_tests::*;

/// A subnet of each table goes to the other one, and both lead elsewhere.
fn exchange(setting: &Setting) -> Wish {
    let layout = &setting.layout;
    let tables = [&layout.public_table, &layout.private_table];
    let [first, second] = tables.map(|id| setting.table(id).subnets.first().unwrap().clone());
    let calls = [
        move_to_table(setting, &first, &layout.private_table),
        move_to_table(setting, &second, &layout.public_table),
    ];
    setting.does_all(&stranger(), calls.to_vec());
    let elsewhere = [
        RouteTarget::VpcPeeringConnection(layout.peering.clone()),
        RouteTarget::InternetGateway(layout.internet_gateway.clone()),
    ];
    for (table, target) in tables.into_iter().zip(elsewhere) {
        let call = Call::ReplaceRoute {
            table: table.clone(),
            destination: default_route(),
            target,
        };
        setting.does(&stranger(), call);
    }
    let ids: Vec<ResourceId> = tables.map(|id| id.clone().into()).to_vec();
    wish(To::Baseline, &ids)
}

fn made(setting: &Setting) -> usize {
    let calls = setting.world.ec2_calls();
    let made =
        |call: &&snapback_sim::Logged| call.api == "CreateRouteTable" && call.error.is_none();
    calls.iter().filter(made).count()
}

#[test]
fn tables_that_exchanged_subnets_go_back_safely_by_a_temporary_table() {
    run(async {
        let mut setting = guarded(11, Mode::Observe).await;
        let before = setting.live();
        let wish = exchange(&setting);
        let proposal = proposed(&setting, &wish).await;
        for leg in &proposal.legs {
            let told = safety(&proposal.live, &leg.plan);
            assert!(
                told.iter().all(|step| *step == StepSafety::Safe),
                "{told:?}"
            );
        }
        goes_through(&setting, &proposal).await;
        setting.is_back(&before);
        assert_eq!(made(&setting), 1);
        setting.is_quiet("exchanged").await;
    });
}

#[test]
fn a_run_that_dies_anywhere_leaves_no_temporary_table_once_it_is_finished() {
    let mut crashes = 0;
    for calls in 0.. {
        let over = run(async {
            let mut setting = guarded(12, Mode::Enforce).await;
            let before = setting.live();
            let wish = exchange(&setting);
            setting.world.lose_next_events(1000);
            let died = dies_rolling_back(&setting, &wish, calls).await;
            crashes += usize::from(died);
            is_finished(&mut setting, &wish, true).await;
            setting.is_back(&before);
            assert_eq!(made(&setting), 1, "after {calls} calls");
            setting.is_quiet(&format!("after {calls} calls")).await;
            !died
        });
        if over {
            break;
        }
    }
    assert!(crashes > 20, "{crashes}");
}

#[test]
fn acls_that_exchanged_subnets_go_back() {
    run(async {
        let mut setting = guarded(13, Mode::Observe).await;
        let before = setting.live();
        let layout = &setting.layout;
        let acls = [&layout.db_acl, &layout.default_acl];
        let [first, second] = acls.map(|id| setting.acl(id).subnets.first().unwrap().clone());
        let calls = [
            move_to_acl(&setting, &first, &layout.default_acl),
            move_to_acl(&setting, &second, &layout.db_acl),
        ];
        setting.does_all(&stranger(), calls.to_vec());
        for (acl, key) in [
            (&layout.db_acl, "egress 110"),
            (&layout.default_acl, "ingress 100"),
        ] {
            setting.does(&stranger(), delete_entry(acl, key.parse().unwrap()));
        }
        let ids: Vec<ResourceId> = acls.map(|id| id.clone().into()).to_vec();
        goes_back(&setting, &wish(To::Baseline, &ids)).await;
        setting.is_back(&before);
        setting.is_quiet("exchanged").await;
    });
}
