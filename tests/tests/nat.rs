//! A NAT gateway that is deleted comes back with its addresses, once, and every table leads to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::guard::Message;
use snapback_app::port::Clock;
use snapback_engine::incident::{Outcome, Report};
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{Call, Chaos, Fault, NatPlace, NatRequest, Provide, Staleness, When};
use snapback_tests::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn recreating(mode: Mode) -> Policy {
    let mut policy = policy(mode);
    policy.recreate.nat = true;
    policy
}

/// The account with a second table that leads to its NAT gateway, which has two public addresses.
struct Site {
    setting: Setting,
    nat: String,
    tables: Vec<RouteTableId>,
    secondary: String,
}

fn made(setting: &Setting, call: Call) -> String {
    let outcome = setting.world.call(&deployment(), call).unwrap();
    outcome.first().to_owned()
}

fn default_route() -> Destination {
    "0.0.0.0/0".parse().unwrap()
}

fn lead(setting: &Setting, table: &RouteTableId, nat: &str) {
    let call = Call::CreateRoute {
        table: table.clone(),
        destination: default_route(),
        target: RouteTarget::NatGateway(nat.to_owned()),
    };
    does(setting, &deployment(), call);
}

async fn site(seed: u64, policy: Policy) -> Site {
    let mut setting = Setting::new(seed, policy);
    let layout = setting.layout.clone();
    let tags = Tags::new();
    let secondary = made(
        &setting,
        Call::Provide(Provide::AllocateAddress { tags: tags.clone() }),
    );
    let call = Call::AssociateNatGatewayAddress {
        gateway: layout.nat_gateway.clone(),
        allocations: vec![secondary.clone()],
        private: Vec::new(),
    };
    does(&setting, &deployment(), call);
    let vpc = layout.vpc.clone();
    let table = RouteTableId::new(made(&setting, Call::CreateRouteTable { vpc, tags }));
    lead(&setting, &table, &layout.nat_gateway);
    let subject = AssociationSubject::Subnet(layout.private_b.clone());
    let association = setting.world.table_association(&subject).unwrap();
    let moved = Call::ReplaceRouteTableAssociation {
        association,
        table: table.clone(),
    };
    does(&setting, &deployment(), moved);
    setting.capture().await.unwrap();
    Site {
        nat: layout.nat_gateway,
        tables: vec![layout.private_table, table],
        secondary,
        setting,
    }
}

fn delete(site: &Site) {
    let gateway = site.nat.clone();
    does(
        &site.setting,
        &stranger(),
        Call::DeleteNatGateway { gateway },
    );
}

/// Lets everything come to rest: NAT gateways take minutes, so do messages that come again.
async fn rest(setting: &mut Setting) {
    for _ in 0..4 {
        setting.settle().await;
        setting.world.advance(Duration::from_secs(300));
        setting.sweep().await;
    }
    setting.settle().await;
    setting.notify_again(120).await;
}

fn gateways(setting: &Setting) -> Vec<Gateway> {
    let topology = setting.world.snapshot().topology;
    let nats = topology.gateways.into_values();
    nats.filter(|gateway| gateway.kind == GatewayKind::Nat)
        .collect()
}

fn alive(setting: &Setting) -> Vec<Gateway> {
    let mut all = gateways(setting);
    all.retain(|gateway| matches!(gateway.state.as_deref(), Some("available" | "pending")));
    all
}

fn route(setting: &Setting, table: &RouteTableId) -> Route {
    match setting.world.resource(&table.clone().into()) {
        Some(Resource::RouteTable(table)) => table.routes[&default_route()].clone(),
        other => panic!("{other:?}"),
    }
}

fn calls(setting: &Setting, api: &str) -> usize {
    let calls = setting.world.ec2_calls().into_iter();
    calls
        .filter(|call| call.by.contains("Snapback") || call.by == snapback_sim::GUARD_ROLE)
        .filter(|call| call.api == api && call.error.is_none())
        .count()
}

fn told(setting: &Setting) -> String {
    let lines: Vec<_> = setting
        .reports()
        .into_iter()
        .map(|report| {
            (
                report.outcome,
                report.label,
                report.steps,
                report.problems,
                report.next,
            )
        })
        .collect();
    format!("{lines:#?}\n{:#?}", setting.delivered)
}

/// One gateway stands in the place of the old one, every table leads to it, the baselines name it, and
/// nothing is left open.
fn is_whole(site: &Site, before: &Gateway, what: &str) -> String {
    let setting = &site.setting;
    let all = alive(setting);
    let [new] = all.as_slice() else {
        panic!("{what}: {all:#?}\n{}", told(setting));
    };
    assert_ne!(new.id, site.nat, "{what}");
    let addresses =
        |gateway: &Gateway| -> BTreeSet<(Option<String>, Option<std::net::IpAddr>, bool)> {
            let nat = gateway.nat.as_ref().unwrap();
            let addresses = nat.addresses.iter();
            addresses
                .map(|one| {
                    (
                        one.allocation.clone(),
                        one.public.or(one.private),
                        one.primary,
                    )
                })
                .collect()
        };
    assert_eq!(
        addresses(new),
        addresses(before),
        "{what}: {}",
        told(setting)
    );
    assert_eq!(new.subnets, before.subnets, "{what}");
    for table in &site.tables {
        let wanted = Route::created(RouteTarget::NatGateway(new.id.clone()));
        assert_eq!(route(setting, table), wanted, "{what}: {}", told(setting));
        let baseline = &setting.world.stored_baselines()[&table.clone().into()];
        let Some(Resource::RouteTable(good)) = &baseline.state else {
            panic!("{what}");
        };
        assert_eq!(good.routes[&default_route()], wanted, "{what}");
    }
    let records = setting.world.stored_records();
    let open: Vec<_> = records.values().filter(|one| one.open.is_some()).collect();
    assert!(open.is_empty(), "{what}: {open:#?}");
    new.id.clone()
}

fn old(site: &Site) -> Gateway {
    let mut all = gateways(&site.setting);
    all.retain(|gateway| gateway.id == site.nat);
    all.pop().unwrap()
}

fn about_tables(site: &Site) -> Vec<Report> {
    let tables: BTreeSet<ResourceId> = site.tables.iter().cloned().map(Into::into).collect();
    let mut reports = site.setting.reports();
    reports.retain(|report| {
        report.outcome != Outcome::Context
            && report
                .resource
                .as_ref()
                .is_some_and(|id| tables.contains(id))
    });
    reports
}

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
        assert_eq!(reverted.count(), 2, "{}", told(&site.setting));
        let next: Vec<&String> = reports.iter().flat_map(|report| &report.next).collect();
        let says = format!("{} is {new} now", site.nat);
        assert!(next.iter().any(|line| line.contains(&says)), "{next:#?}");
        assert!(
            next.iter().any(|line| line.contains("does not follow")),
            "{next:#?}"
        );
        assert_eq!(site.setting.dead, Vec::<String>::new());
        // Nothing is left for the sweep, and its own events accuse nobody.
        rest(&mut site.setting).await;
        assert_eq!(is_whole(&site, &before, "rested"), new);
        assert!(!outcomes(&site.setting).contains(&Outcome::Impostor));
        // It can be lost again.
        site.nat = new;
        let before = old(&site);
        delete(&site);
        rest(&mut site.setting).await;
        is_whole(&site, &before, "again");
        assert_eq!(calls(&site.setting, "CreateNatGateway"), 2);
    });
}

#[test]
fn nothing_is_held_while_it_waits() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        delete(&site);
        let bodies = site.setting.world.deliver_next();
        for body in bodies {
            site.setting.handle(body).await;
        }
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
        let call = authorize(&site.setting, &["ingress tcp:22 0.0.0.0/0"]);
        does(&site.setting, &stranger(), call);
        let bodies = site.setting.world.deliver_next();
        for body in bodies {
            site.setting.handle(body).await;
        }
        assert!(
            !app_rules(&site.setting).contains(&"ingress tcp:22 0.0.0.0/0".to_owned()),
            "{}",
            told(&site.setting)
        );
    });
}

#[test]
fn without_the_policy_it_is_told_with_the_whole_recovery_and_nothing_is_called() {
    for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
        run(async {
            let mut site = site(31, policy(mode)).await;
            delete(&site);
            rest(&mut site.setting).await;
            assert_eq!(site.setting.world.our_write_attempts(), 0, "{mode}");
            let reports = about_tables(&site);
            assert_eq!(reports.len(), 2, "{mode}: {}", told(&site.setting));
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
        rest(&mut site.setting).await;
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
        let mut setting = Setting::new(31, recreating(Mode::Enforce));
        let layout = setting.layout.clone();
        let nat = made(
            &setting,
            Call::CreateNatGateway(NatRequest {
                place: NatPlace::Subnet(layout.private_a.clone()),
                connectivity: Connectivity::Private,
                allocation: None,
                private: Some("10.0.10.240".parse().unwrap()),
                tags: Tags::from([("Name".to_owned(), "inside".to_owned())]),
            }),
        );
        setting.world.advance(Duration::from_secs(120));
        let call = Call::AssignPrivateNatGatewayAddress {
            gateway: nat.clone(),
            private: vec!["10.0.10.241".parse().unwrap()],
        };
        does(&setting, &deployment(), call);
        let call = Call::CreateRoute {
            table: layout.main_table.clone(),
            destination: default_route(),
            target: RouteTarget::NatGateway(nat.clone()),
        };
        does(&setting, &deployment(), call);
        let call = Call::DeleteNatGateway {
            gateway: layout.nat_gateway.clone(),
        };
        does(&setting, &deployment(), call);
        let call = Call::DeleteRoute {
            table: layout.private_table.clone(),
            destination: default_route(),
        };
        does(&setting, &deployment(), call);
        setting.world.advance(Duration::from_secs(120));
        setting.capture().await.unwrap();
        let mut site = Site {
            nat,
            tables: vec![layout.main_table],
            secondary: String::new(),
            setting,
        };
        let before = old(&site);
        delete(&site);
        rest(&mut site.setting).await;
        is_whole(&site, &before, "private");
        let made = alive(&site.setting).pop().unwrap();
        assert_eq!(made.tags["Name"], "inside");
    });
}

#[test]
fn a_regional_gateway_comes_back_with_the_addresses_of_its_zones() {
    run(async {
        let mut setting = Setting::new(31, recreating(Mode::Enforce));
        let layout = setting.layout.clone();
        let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for zone in ["eu-central-1a", "eu-central-1b"] {
            let tags = Tags::new();
            let call = Call::Provide(Provide::AllocateAddress { tags });
            zones.insert(zone.to_owned(), BTreeSet::from([made(&setting, call)]));
        }
        let nat = made(
            &setting,
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
        setting.world.advance(Duration::from_secs(120));
        let call = Call::ReplaceRoute {
            table: layout.private_table.clone(),
            destination: default_route(),
            target: RouteTarget::NatGateway(nat.clone()),
        };
        does(&setting, &deployment(), call);
        let call = Call::DeleteNatGateway {
            gateway: layout.nat_gateway.clone(),
        };
        does(&setting, &deployment(), call);
        setting.world.advance(Duration::from_secs(120));
        setting.capture().await.unwrap();
        let mut site = Site {
            nat,
            tables: vec![layout.private_table],
            secondary: String::new(),
            setting,
        };
        let before = old(&site);
        delete(&site);
        rest(&mut site.setting).await;
        is_whole(&site, &before, "regional");
    });
}

#[test]
fn an_address_that_was_released_is_told_and_no_other_is_taken() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let primary = old(&site).nat.unwrap().addresses.into_iter();
        let primary = primary
            .filter(|one| one.primary)
            .find_map(|one| one.allocation)
            .unwrap();
        delete(&site);
        site.setting.world.advance(Duration::from_secs(100));
        let call = Call::Provide(Provide::ReleaseAddress {
            allocation: primary.clone(),
        });
        does(&site.setting, &stranger(), call);
        rest(&mut site.setting).await;
        assert_eq!(
            site.setting.world.our_write_attempts(),
            0,
            "{}",
            told(&site.setting)
        );
        assert_eq!(alive(&site.setting), []);
        let reports = about_tables(&site);
        assert_eq!(reports.len(), 2, "{}", told(&site.setting));
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
        let nat = old(&site).nat.unwrap();
        let primary = nat.addresses.iter().find(|one| one.primary).unwrap();
        delete(&site);
        site.setting.world.advance(Duration::from_secs(100));
        let thief = Call::CreateNatGateway(NatRequest {
            place: NatPlace::Subnet(site.setting.layout.public_b.clone()),
            connectivity: Connectivity::Public,
            allocation: primary.allocation.clone(),
            private: None,
            // As if it were ours: only the journal is believed.
            tags: Tags::from([
                (SUCCESSOR_OF.to_owned(), site.nat.clone()),
                (INCIDENT.to_owned(), "inc-forged".to_owned()),
            ]),
        });
        does(&site.setting, &stranger(), thief);
        rest(&mut site.setting).await;
        assert_eq!(
            site.setting.world.our_write_attempts(),
            0,
            "{}",
            told(&site.setting)
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
        let nat = old(&site).nat.unwrap();
        let primary = nat.addresses.iter().find(|one| one.primary).unwrap();
        delete(&site);
        let thief = Call::CreateNatGateway(NatRequest {
            place: NatPlace::Subnet(site.setting.layout.public_b.clone()),
            connectivity: Connectivity::Public,
            allocation: primary.allocation.clone(),
            private: None,
            tags: Tags::new(),
        });
        site.setting
            .world
            .interleave(When::BeforeAct(1), stranger(), thief);
        site.setting.settle().await;
        assert_eq!(
            calls(&site.setting, "CreateNatGateway"),
            1,
            "{}",
            told(&site.setting)
        );
        let problems: Vec<String> = about_tables(&site)
            .into_iter()
            .flat_map(|report| report.problems)
            .collect();
        assert!(
            problems
                .iter()
                .any(|line| line.contains("Resource.AlreadyAssociated")),
            "{}",
            told(&site.setting)
        );
        let open = site.setting.world.stored_records().into_values();
        assert_eq!(
            open.filter(|one| one.open.is_some()).count(),
            0,
            "{}",
            told(&site.setting)
        );
    });
}

#[test]
fn a_gateway_that_does_not_come_up_is_told_with_ec2s_words() {
    run(async {
        let mut site = site(31, recreating(Mode::Enforce)).await;
        let nat = old(&site).nat.unwrap();
        let primary = nat.addresses.iter().find(|one| one.primary).unwrap();
        let allocation = primary.allocation.clone().unwrap();
        delete(&site);
        let release = Call::Provide(Provide::ReleaseAddress { allocation });
        site.setting
            .world
            .interleave(When::BeforeAct(1), stranger(), release);
        rest(&mut site.setting).await;
        let problems: Vec<String> = about_tables(&site)
            .into_iter()
            .flat_map(|report| report.problems)
            .collect();
        assert!(
            problems
                .iter()
                .any(|line| line.contains("InvalidAllocationID.NotFound")),
            "{}",
            told(&site.setting)
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
                rest(&mut site.setting).await;
                let what = format!("{fault:?} of {api}");
                is_whole(&site, &before, &what);
                assert_eq!(calls(&site.setting, "CreateNatGateway"), 1, "{what}");
                assert!(
                    !outcomes(&site.setting).contains(&Outcome::Impostor),
                    "{what}"
                );
            });
        }
    }
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
            let guard = site.setting.guard.clone();
            let now = site.setting.world.now();
            site.setting.world.kill_after(port_calls);
            let ended = site
                .setting
                .world
                .run_until_crash(Box::pin(guard.handle_message(Message {
                    body: &body,
                    arrived: now,
                    deadline: now.checked_add(Duration::from_secs(120)).unwrap(),
                    last_try: false,
                })))
                .await;
            crashed = ended.is_none();
            if crashed {
                site.setting.world.post(body, Duration::from_secs(30));
            }
            break 'all;
        }
    }
    Box::pin(rest(&mut site.setting)).await;
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
            rest(&mut site.setting).await;
            site.setting.world.heal();
            rest(&mut site.setting).await;
            is_whole(&site, &before, &format!("seed {seed}"));
            assert!(!site.secondary.is_empty());
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
        rest(&mut site.setting).await;
        is_whole(&site, &before, "by the sweep");
    });
}
