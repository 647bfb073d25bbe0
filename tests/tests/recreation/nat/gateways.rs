//! Gateways of each kind, and what the policy says.

use super::{
    about_tables, alive, allocate, calls, captured, delete, is_whole, lead, old, recreating, site,
};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, NatPlace, NatRequest};
use snapback_tests::*;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_deleted_gateway_comes_back_with_its_addresses_and_every_table_leads_to_it() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let before = old(&site);
        delete(&site);
        site.setting.settle().await;
        let new = is_whole(&site, &before, "settled");
        assert_eq!(calls(&site.setting, "CreateNatGateway"), 1);
        assert_eq!(calls(&site.setting, "AssociateNatGatewayAddress"), 1);
        assert_eq!(calls(&site.setting, "ReplaceRoute"), 2);
        let reports = about_tables(&site);
        let reverted = reports
            .iter()
            .filter(|report| report.outcome == Outcome::Reverted);
        assert_eq!(reverted.count(), 2, "{}", site.setting.told());
        let next: Vec<&String> = reports.iter().flat_map(|report| &report.next).collect();
        let says = format!("{} is {new} now", site.nat);
        assert!(next.iter().any(|line| line.contains(&says)), "{next:#?}");
        assert!(
            next.iter().any(|line| line.contains("does not follow")),
            "{next:#?}"
        );
        assert_eq!(site.setting.dead, Vec::<String>::new());
        // Nothing is left for the sweep, and its own events accuse nobody.
        site.setting.rest().await;
        assert_eq!(is_whole(&site, &before, "rested"), new);
        site.setting.accused_nobody("rested");
        // It can be lost again.
        site.nat = new;
        let before = old(&site);
        delete(&site);
        site.setting.rest().await;
        is_whole(&site, &before, "again");
        assert_eq!(calls(&site.setting, "CreateNatGateway"), 2);
    });
}

#[test]
fn nothing_is_held_while_it_waits() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        delete(&site);
        site.setting.handle_next().await;
        let waiting = site.setting.delivered.last().unwrap().clone();
        assert!(waiting.result.is_ok(), "{waiting:?}");
        assert_eq!(
            calls(&site.setting, "CreateNatGateway"),
            0,
            "it is still deleting"
        );
        let lease = site.setting.world.stored_lease(&site.setting.layout.vpc);
        assert_eq!(lease.holder, None, "{lease:?}");
        // Harm elsewhere in the VPC is taken back meanwhile.
        let call = authorize(&site.setting, &[SSH]);
        site.setting.does(&stranger(), call);
        site.setting.handle_next().await;
        assert!(!site.setting.has(SSH), "{}", site.setting.told());
    });
}

#[test]
fn without_the_policy_it_is_told_with_the_whole_recovery_and_nothing_is_called() {
    for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
        run(async {
            let mut site = site(31, policy(mode)).await;
            delete(&site);
            site.setting.rest().await;
            assert_eq!(site.setting.world.our_write_attempts(), 0, "{mode}");
            let reports = about_tables(&site);
            assert_eq!(reports.len(), 2, "{mode}: {}", site.setting.told());
            for report in reports {
                assert_eq!(report.outcome, Outcome::Alerted);
                let apis: Vec<&str> = report
                    .steps
                    .iter()
                    .filter_map(|step| step.split(' ').next())
                    .collect();
                assert_eq!(
                    apis,
                    [
                        "CreateNatGateway",
                        "AssociateNatGatewayAddress",
                        "ReplaceRoute"
                    ],
                    "{mode}"
                );
                assert!(!report.executed);
                let reason = &report.differences[0].reason;
                assert!(reason.contains("recreate: { nat: false }"), "{reason}");
            }
        });
    }
}

#[test]
fn observe_changes_nothing_whatever_may_be_made_again() {
    run(async {
        let mut site = site(31, recreating(Mode::Observe)).await;
        delete(&site);
        site.setting.rest().await;
        assert_eq!(site.setting.world.our_write_attempts(), 0);
        let reports = about_tables(&site);
        assert!(
            reports.iter().all(|report| report.steps.len() == 3),
            "{reports:#?}"
        );
    });
}

#[test]
fn a_private_gateway_comes_back_with_its_private_addresses() {
    run(async {
        let setting = Setting::new(31, recreating(Mode::Enforce));
        let layout = setting.layout.clone();
        let nat = setting.made(
            &deployment(),
            Call::CreateNatGateway(NatRequest {
                place: NatPlace::Subnet(layout.private_a.clone()),
                connectivity: Connectivity::Private,
                allocation: None,
                private: Some("10.0.10.240".parse().unwrap()),
                tags: Tags::from([("Name".to_owned(), "inside".to_owned())]),
            }),
        );
        setting.world.advance(2 * MINUTE);
        let call = Call::AssignPrivateNatGatewayAddress {
            gateway: nat.clone(),
            private: vec!["10.0.10.241".parse().unwrap()],
        };
        setting.does(&deployment(), call);
        lead(&setting, &layout.main_table, &nat);
        setting.does(&deployment(), delete_nat(&setting));
        let call = Call::DeleteRoute {
            table: layout.private_table.clone(),
            destination: default_route(),
        };
        setting.does(&deployment(), call);
        setting.world.advance(2 * MINUTE);
        let mut site = captured(setting, nat, vec![layout.main_table]).await;
        let before = old(&site);
        delete(&site);
        site.setting.rest().await;
        is_whole(&site, &before, "private");
        let made = alive(&site.setting).pop().unwrap();
        assert_eq!(made.tags["Name"], "inside");
    });
}

#[test]
fn a_regional_gateway_comes_back_with_the_addresses_of_its_zones() {
    run(async {
        let setting = Setting::new(31, recreating(Mode::Enforce));
        let layout = setting.layout.clone();
        let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for zone in ["eu-central-1a", "eu-central-1b"] {
            zones.insert(zone.to_owned(), BTreeSet::from([allocate(&setting)]));
        }
        let nat = setting.made(
            &deployment(),
            Call::CreateNatGateway(NatRequest {
                place: NatPlace::Regional {
                    vpc: layout.vpc.clone(),
                    zones,
                },
                connectivity: Connectivity::Public,
                allocation: None,
                private: None,
                tags: Tags::new(),
            }),
        );
        setting.world.advance(2 * MINUTE);
        let call = Call::ReplaceRoute {
            table: layout.private_table.clone(),
            destination: default_route(),
            target: RouteTarget::NatGateway(nat.clone()),
        };
        setting.does(&deployment(), call);
        setting.does(&deployment(), delete_nat(&setting));
        setting.world.advance(2 * MINUTE);
        let mut site = captured(setting, nat, vec![layout.private_table]).await;
        let before = old(&site);
        delete(&site);
        site.setting.rest().await;
        is_whole(&site, &before, "regional");
    });
}
