//! What was deleted comes back with everything on it, once, and everything that knew it follows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::guard::Message;
use snapback_app::port::Clock;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{
    Call, Chaos, EventFaults, Fault, GroupBy, Staleness, When, successors, under_old_ids,
};
use snapback_tests::*;
use std::collections::BTreeMap;
use std::time::Duration;

type State = BTreeMap<ResourceId, Resource>;

/// A group that nothing carries, and one whose rules refer to it.
struct Groups {
    batch: SecurityGroupId,
    reader: SecurityGroupId,
}

fn make(setting: &Setting, name: &str, rules: &[&str]) -> SecurityGroupId {
    let call = Call::CreateSecurityGroup {
        name: name.into(),
        description: format!("{name} jobs"),
        vpc: Some(setting.layout.vpc.clone()),
        tags: Tags::from([("Owner".to_owned(), name.to_owned())]),
    };
    let made = setting.world.call(&deployment(), call).unwrap();
    let group = SecurityGroupId::new(made.first());
    for text in rules {
        let described = Some(format!("for {name}"));
        does(
            setting,
            &deployment(),
            Call::authorize(&group, [(rule(text), described)]),
        );
    }
    let born = ["egress all 0.0.0.0/0", "egress all ::/0"].map(rule);
    does(setting, &deployment(), Call::revoke(&group, born));
    group
}

async fn account(seed: u64, policy: Policy) -> (Setting, Groups) {
    let mut setting = Setting::new(seed, policy);
    let batch = make(
        &setting,
        "batch",
        &["ingress tcp:8443 10.0.0.0/16", "egress tcp:443 0.0.0.0/0"],
    );
    let reader = make(&setting, "reader", &[&format!("ingress tcp:5432 {batch}")]);
    setting.capture().await.unwrap();
    (setting, Groups { batch, reader })
}

/// One deletion, whole: what hangs on the resource goes first, as EC2 asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Group,
    Acl,
    Table,
}

const DEEDS: [Deed; 3] = [Deed::Group, Deed::Acl, Deed::Table];

fn victim(deed: Deed, setting: &Setting, groups: &Groups) -> ResourceId {
    match deed {
        Deed::Group => groups.batch.clone().into(),
        Deed::Acl => setting.layout.db_acl.clone().into(),
        Deed::Table => setting.layout.private_table.clone().into(),
    }
}

fn delete(deed: Deed, setting: &Setting, groups: &Groups) {
    let layout = &setting.layout;
    let mut calls = Vec::new();
    match deed {
        Deed::Group => {
            let refers = format!("ingress tcp:5432 {}", groups.batch);
            calls.push(Call::revoke(&groups.reader, [rule(&refers)]));
            calls.push(Call::DeleteSecurityGroup {
                group: GroupBy::Id(groups.batch.clone()),
            });
        }
        Deed::Acl => {
            for subnet in [&layout.db_a, &layout.db_b] {
                calls.push(Call::ReplaceNetworkAclAssociation {
                    association: setting.world.acl_association(subnet).unwrap(),
                    acl: layout.default_acl.clone(),
                });
            }
            calls.push(Call::DeleteNetworkAcl {
                acl: layout.db_acl.clone(),
            });
        }
        Deed::Table => {
            let Some(Resource::RouteTable(table)) =
                setting.world.resource(&layout.private_table.clone().into())
            else {
                panic!("the private table");
            };
            for (index, subnet) in table.subnets.iter().enumerate() {
                let subject = AssociationSubject::Subnet(subnet.clone());
                let association = setting.world.table_association(&subject).unwrap();
                calls.push(if index == 0 {
                    let table = layout.public_table.clone();
                    Call::ReplaceRouteTableAssociation { association, table }
                } else {
                    Call::DisassociateRouteTable { association }
                });
            }
            calls.push(Call::DeleteRouteTable {
                table: layout.private_table.clone(),
            });
        }
    }
    for call in calls {
        does(setting, &stranger(), call);
    }
}

async fn rest(setting: &mut Setting) {
    for _ in 0..4 {
        setting.settle().await;
        setting.world.advance(Duration::from_secs(300));
        setting.sweep().await;
    }
    setting.settle().await;
    setting.notify_again(120).await;
}

fn told(setting: &Setting) -> String {
    let lines: Vec<_> = setting
        .reports()
        .into_iter()
        .map(|report| (report.outcome, report.label, report.steps, report.problems))
        .collect();
    format!("{lines:#?}\n{:#?}", setting.delivered)
}

/// What differs between two states, the second wanted.
fn unlike(found: &State, wanted: &State) -> Vec<(Option<Resource>, Option<Resource>)> {
    let ids: std::collections::BTreeSet<&ResourceId> = found.keys().chain(wanted.keys()).collect();
    let pair = |id: &ResourceId| (found.get(id).cloned(), wanted.get(id).cloned());
    ids.into_iter()
        .map(pair)
        .filter(|(found, wanted)| found != wanted)
        .collect()
}

/// Live is as before under new ids, once; baselines say so; no story is open; nobody is accused.
fn is_whole(setting: &Setting, before: &State, victim: &ResourceId, case: &str) -> ResourceId {
    let live = setting.live();
    let made = successors(&live);
    assert_eq!(
        made.len(),
        1,
        "{case}: made once: {made:?}\n{}",
        told(setting)
    );
    assert_eq!(made[0].0, victim.as_str(), "{case}");
    let unlike = unlike(&under_old_ids(&live), before);
    assert!(unlike.is_empty(), "{case}: {unlike:#?} {}", told(setting));
    let new = made[0].1.clone();
    let baselines = Baselines {
        by_id: setting.world.stored_baselines(),
        ..Baselines::default()
    };
    assert_eq!(baselines.state(victim), None, "{case}");
    let differences = snapback_engine::diff::diff(&baselines, &setting.world.snapshot(), None);
    assert_eq!(differences, [], "{case}");
    let open = setting
        .world
        .stored_records()
        .into_values()
        .filter(|record| record.open.is_some());
    assert_eq!(open.count(), 0, "{case}: {}", told(setting));
    let ends = outcomes(setting);
    assert!(
        !ends.contains(&Outcome::Impostor),
        "{case} accused itself: {}",
        told(setting)
    );
    new
}

#[test]
fn what_was_deleted_comes_back_whole_and_is_told_under_both_ids() {
    for deed in DEEDS {
        run(async {
            let (mut setting, groups) = account(31, policy(Mode::Enforce)).await;
            let before = setting.live();
            let victim = victim(deed, &setting, &groups);
            delete(deed, &setting, &groups);
            setting.settle().await;
            let new = is_whole(&setting, &before, &victim, &format!("{deed:?}"));
            let ends = outcomes(&setting);
            assert!(
                ends.iter().all(|end| *end == Outcome::Reverted),
                "{deed:?} {}",
                told(&setting)
            );
            let line = format!("{victim} is {new} now");
            let report = setting
                .reports()
                .into_iter()
                .find(|report| report.next.iter().any(|next| next.contains(&line)));
            let report = report.unwrap_or_else(|| panic!("{line}: {}", told(&setting)));
            assert_eq!(report.resource.as_ref(), Some(&victim));
            assert!(
                report
                    .next
                    .iter()
                    .any(|next| next.contains("infrastructure as code"))
            );
            assert!(
                setting
                    .shown("slack")
                    .iter()
                    .any(|shown| format!("{shown:?}").contains(&line))
            );
            // Nobody has anything more to say.
            let (writes, told_before) = (setting.world.our_write_attempts(), ends.len());
            rest(&mut setting).await;
            assert_eq!(setting.world.our_write_attempts(), writes, "{deed:?}");
            assert_eq!(
                outcomes(&setting).len(),
                told_before,
                "{deed:?} {}",
                told(&setting)
            );
            let last = setting.sweeps.last().unwrap().as_ref().unwrap();
            assert!(
                last.unreviewed.is_empty() && last.missed.is_empty(),
                "{last:?}"
            );
        });
    }
}

#[test]
fn the_policy_can_leave_deleted_things_alone() {
    for deed in DEEDS {
        run(async {
            let mut policy = policy(Mode::Enforce);
            policy.recreate.security_group = false;
            policy.recreate.network_acl = false;
            policy.recreate.route_table = false;
            let (mut setting, groups) = account(31, policy).await;
            let victim = victim(deed, &setting, &groups);
            delete(deed, &setting, &groups);
            rest(&mut setting).await;
            assert_eq!(successors(&setting.live()), [], "{deed:?}");
            let told_of = setting
                .reports()
                .into_iter()
                .find(|report| report.resource.as_ref() == Some(&victim));
            let reasons: Vec<String> = told_of
                .unwrap()
                .differences
                .into_iter()
                .map(|line| line.reason)
                .collect();
            assert!(
                reasons.iter().any(|reason| reason.contains("recreate: {")),
                "{reasons:?}"
            );
        });
    }
}

#[test]
fn observe_shows_the_calls_and_makes_none() {
    for deed in DEEDS {
        run(async {
            let (mut setting, groups) = account(31, policy(Mode::Observe)).await;
            let victim = victim(deed, &setting, &groups);
            delete(deed, &setting, &groups);
            setting.settle().await;
            assert_eq!(setting.world.our_write_attempts(), 0);
            let report = setting
                .reports()
                .into_iter()
                .find(|report| report.resource.as_ref() == Some(&victim))
                .unwrap();
            assert!(
                report.steps[0].contains("in the place of"),
                "{:?}",
                report.steps
            );
            assert!(!report.executed);
        });
    }
}

#[test]
fn the_harm_done_to_what_came_back_is_taken_back_under_its_new_id() {
    run(async {
        let (mut setting, groups) = account(31, policy(Mode::Enforce)).await;
        let before = setting.live();
        let victim = victim(Deed::Group, &setting, &groups);
        delete(Deed::Group, &setting, &groups);
        setting.settle().await;
        let new = is_whole(&setting, &before, &victim, "first");
        setting.world.advance(Duration::from_secs(600));
        let ResourceId::SecurityGroup(group) = &new else {
            panic!("{new}")
        };
        does(
            &setting,
            &stranger(),
            Call::authorize(group, [(rule("ingress tcp:22 0.0.0.0/0"), None)]),
        );
        setting.settle().await;
        assert_eq!(under_old_ids(&setting.live()), before, "{}", told(&setting));
        // And deleted again, it comes back again: the baselines follow to the third id.
        setting.world.advance(Duration::from_secs(600));
        let refers = format!("ingress tcp:5432 {group}");
        does(
            &setting,
            &stranger(),
            Call::revoke(&groups.reader, [rule(&refers)]),
        );
        does(
            &setting,
            &stranger(),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(group.clone()),
            },
        );
        rest(&mut setting).await;
        is_whole(&setting, &renamed(&before, &victim, &new), &new, "again");
    });
}

fn renamed(state: &State, old: &ResourceId, new: &ResourceId) -> State {
    let mut lineage = Lineage::default();
    lineage.record(old.as_str(), new.as_str());
    let renamed =
        |resource: &Resource| (resource.renamed(&lineage).id(), resource.renamed(&lineage));
    state.values().map(renamed).collect()
}

#[test]
fn events_of_a_chain_may_come_in_any_order_or_not_at_all() {
    for deed in DEEDS {
        for (seed, lose) in [(1, 0.0), (2, 0.0), (3, 0.5), (4, 0.5), (5, 1.0)] {
            run(async {
                let (mut setting, groups) = account(seed, policy(Mode::Enforce)).await;
                let before = setting.live();
                let victim = victim(deed, &setting, &groups);
                setting.world.set_event_faults(EventFaults {
                    delay_max: Duration::from_secs(20),
                    late: 0.3,
                    late_by: Duration::from_secs(200),
                    duplicate: 0.4,
                    lose,
                    ..EventFaults::default()
                });
                delete(deed, &setting, &groups);
                rest(&mut setting).await;
                is_whole(
                    &setting,
                    &before,
                    &victim,
                    &format!("{deed:?} {seed} {lose}"),
                );
            });
        }
    }
}

#[test]
fn groups_that_refer_to_each_other_both_come_back() {
    run(async {
        let mut setting = Setting::new(31, policy(Mode::Enforce));
        let one = make(&setting, "one", &[]);
        let two = make(&setting, "two", &[&format!("ingress tcp:1 {one}")]);
        let back = format!("ingress tcp:2 {two}");
        does(
            &setting,
            &deployment(),
            Call::authorize(&one, [(rule(&back), None)]),
        );
        setting.capture().await.unwrap();
        let before = setting.live();
        does(&setting, &stranger(), Call::revoke(&one, [rule(&back)]));
        does(
            &setting,
            &stranger(),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(two.clone()),
            },
        );
        does(
            &setting,
            &stranger(),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(one.clone()),
            },
        );
        rest(&mut setting).await;
        let live = setting.live();
        assert_eq!(successors(&live).len(), 2, "{}", told(&setting));
        assert_eq!(under_old_ids(&live), before, "{}", told(&setting));
        assert!(
            outcomes(&setting)
                .iter()
                .all(|end| *end == Outcome::Reverted),
            "{}",
            told(&setting)
        );
    });
}

/// The story with a crash after `calls` port calls; whether it crashed at all.
async fn crashing(calls: u64, deed: Deed, by_sweep: bool) -> bool {
    let (mut setting, groups) = account(11, policy(Mode::Enforce)).await;
    let before = setting.live();
    let victim = victim(deed, &setting, &groups);
    delete(deed, &setting, &groups);
    // All events are there; that of the deletion leads the guard to it.
    let mut bodies = setting.world.deliver_next();
    setting.world.advance(Duration::from_secs(30));
    bodies.extend(setting.world.deliver());
    let guard = setting.guard.clone();
    let now = setting.world.now();
    setting.world.kill_after(calls);
    let of_deletion = |body: &&String| body.contains(r#""eventName":"Delete"#);
    let ended = setting
        .world
        .run_until_crash(guard.handle_message(Message {
            body: bodies.iter().find(of_deletion).unwrap(),
            arrived: now,
            deadline: now.checked_add(Duration::from_secs(120)).unwrap(),
            last_try: false,
        }))
        .await;
    if by_sweep {
        setting.world.advance(Duration::from_secs(120));
        setting.sweep().await;
    } else {
        for body in bodies {
            setting.world.post(body, Duration::from_secs(30));
        }
    }
    rest(&mut setting).await;
    is_whole(
        &setting,
        &before,
        &victim,
        &format!("{deed:?}, crash after {calls}, sweep {by_sweep}"),
    );
    ended.is_none()
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
                    let (mut setting, groups) = account(9, policy(Mode::Enforce)).await;
                    let before = setting.live();
                    let victim = victim(deed, &setting, &groups);
                    setting.world.fail(api, fault, times);
                    delete(deed, &setting, &groups);
                    rest(&mut setting).await;
                    is_whole(
                        &setting,
                        &before,
                        &victim,
                        &format!("{api} {fault:?} {times}"),
                    );
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
                    let (mut setting, groups) = account(9, policy(Mode::Enforce)).await;
                    let before = setting.live();
                    let victim = victim(deed, &setting, &groups);
                    setting.world.fail("put_baselines", fault, times);
                    delete(deed, &setting, &groups);
                    rest(&mut setting).await;
                    is_whole(
                        &setting,
                        &before,
                        &victim,
                        &format!("{deed:?} {fault:?} {times}"),
                    );
                });
            }
        }
    }
}

#[test]
fn a_name_that_somebody_else_has_now_is_told_and_left_to_its_owner() {
    run(async {
        let (mut setting, groups) = account(31, policy(Mode::Enforce)).await;
        delete(Deed::Group, &setting, &groups);
        let thief = make(&setting, "batch", &[]);
        rest(&mut setting).await;
        assert_eq!(successors(&setting.live()), []);
        let victim = groups.batch.into();
        let report = setting
            .reports()
            .into_iter()
            .find(|report| report.resource.as_ref() == Some(&victim))
            .unwrap();
        assert_eq!(report.outcome, Outcome::Alerted);
        let reason = &report.differences[0].reason;
        assert!(
            reason.contains(thief.as_str()) && reason.contains("has its name"),
            "{reason}"
        );
    });
}

#[test]
fn a_name_that_is_taken_between_our_read_and_our_call_is_told() {
    run(async {
        let (mut setting, groups) = account(31, policy(Mode::Enforce)).await;
        let thief = Call::CreateSecurityGroup {
            name: "batch".into(),
            description: "mine".into(),
            vpc: Some(setting.layout.vpc.clone()),
            tags: Tags::new(),
        };
        delete(Deed::Group, &setting, &groups);
        // The first event leads to the reader, whose rule cannot come back before its group.
        setting
            .world
            .interleave(When::BeforeAct(2), stranger(), thief);
        rest(&mut setting).await;
        assert_eq!(successors(&setting.live()), [], "{}", told(&setting));
        let victim: ResourceId = groups.batch.into();
        let report = setting
            .reports()
            .into_iter()
            .find(|report| report.resource.as_ref() == Some(&victim))
            .unwrap();
        assert!(
            matches!(report.outcome, Outcome::Refused | Outcome::Failed),
            "{}",
            told(&setting)
        );
        let open = setting
            .world
            .stored_records()
            .into_values()
            .filter(|record| record.open.is_some());
        assert_eq!(open.count(), 0, "{}", told(&setting));
    });
}

#[test]
fn a_read_that_does_not_show_what_was_just_made_makes_nothing_twice() {
    for deed in DEEDS {
        for seed in 0..12 {
            run(async {
                let (mut setting, groups) = account(seed, policy(Mode::Enforce)).await;
                let before = setting.live();
                let victim = victim(deed, &setting, &groups);
                setting.world.set_staleness(Staleness {
                    window: Duration::from_millis(1500),
                    chance: 0.6,
                });
                delete(deed, &setting, &groups);
                setting.world.advance(Duration::from_millis(100));
                setting.settle().await;
                setting.world.heal();
                rest(&mut setting).await;
                is_whole(&setting, &before, &victim, &format!("{deed:?} seed {seed}"));
            });
        }
    }
}

#[test]
fn a_denied_create_is_told_and_tried_again_when_somebody_asks() {
    run(async {
        let (mut setting, groups) = account(31, policy(Mode::Enforce)).await;
        setting.world.fail("CreateNetworkAcl", Fault::Denied, 100);
        delete(Deed::Acl, &setting, &groups);
        rest(&mut setting).await;
        assert!(
            outcomes(&setting).contains(&Outcome::Failed),
            "{}",
            told(&setting)
        );
        assert_eq!(successors(&setting.live()), []);
        let open = setting
            .world
            .stored_records()
            .into_values()
            .filter(|record| record.open.is_some());
        assert_eq!(open.count(), 0, "{}", told(&setting));
    });
}

#[test]
fn a_denied_rule_leaves_one_group_that_the_baselines_know() {
    run(async {
        let (mut setting, groups) = account(31, policy(Mode::Enforce)).await;
        let before = setting.live();
        let victim = victim(Deed::Group, &setting, &groups);
        setting
            .world
            .fail("AuthorizeSecurityGroupEgress", Fault::Denied, 100);
        delete(Deed::Group, &setting, &groups);
        rest(&mut setting).await;
        assert!(
            outcomes(&setting).contains(&Outcome::Failed),
            "{}",
            told(&setting)
        );
        assert_eq!(successors(&setting.live()).len(), 1);
        // With the right given, another look at the new id makes it whole.
        setting.world.heal();
        let new = successors(&setting.live())[0].1.clone();
        let recheck = format!(
            r#"{{"snapback":"recheck","resource":"{new}","why":{{"asked":"again"}},"asked_at":"2026-03-02T10:00:00Z"}}"#
        );
        setting.world.post(recheck, Duration::from_secs(1));
        rest(&mut setting).await;
        is_whole(&setting, &before, &victim, "healed");
    });
}

#[test]
fn somebody_who_edits_what_is_being_made_does_not_derail_the_end() {
    for deed in DEEDS {
        for when in [When::AfterAct(1), When::AfterAct(2), When::AfterObserve(3)] {
            run(async {
                let (mut setting, groups) = account(17, policy(Mode::Enforce)).await;
                let before = setting.live();
                let victim = victim(deed, &setting, &groups);
                delete(deed, &setting, &groups);
                setting.world.interleave(
                    when,
                    stranger(),
                    authorize(&setting, &["ingress tcp:22 0.0.0.0/0"]),
                );
                rest(&mut setting).await;
                is_whole(&setting, &before, &victim, &format!("{deed:?} {when:?}"));
            });
        }
    }
}

#[test]
fn whatever_happens_by_chance_there_is_one_new_resource() {
    for seed in 0..40 {
        run(async {
            let deed = DEEDS[usize::try_from(seed % 3).unwrap()];
            let (mut setting, groups) = account(seed, policy(Mode::Enforce)).await;
            let before = setting.live();
            let victim = victim(deed, &setting, &groups);
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
            delete(deed, &setting, &groups);
            rest(&mut setting).await;
            setting.world.heal();
            rest(&mut setting).await;
            is_whole(&setting, &before, &victim, &format!("{deed:?} seed {seed}"));
        });
    }
}
