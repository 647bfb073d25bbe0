//! What gets into the way while something deleted is made again: EC2 that does not know it yet, a trusted
//! edit of it, a rule that cannot come back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_engine::incident::{Outcome, Report};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault, GroupBy, When, successors, under_old_ids};
use snapback_tests::*;
use std::collections::BTreeMap;
use std::time::Duration;

type State = BTreeMap<ResourceId, Resource>;

fn make(setting: &Setting, name: &str, rules: &[String]) -> SecurityGroupId {
    let call = Call::CreateSecurityGroup {
        name: name.into(),
        description: format!("{name} jobs"),
        vpc: Some(setting.layout.vpc.clone()),
        tags: Tags::new(),
    };
    let made = setting.world.call(&deployment(), call).unwrap();
    let group = SecurityGroupId::new(made.first());
    for text in rules {
        does(
            setting,
            &deployment(),
            Call::authorize(&group, [(rule(text), None)]),
        );
    }
    group
}

/// An enforcing account with a group that nothing carries or refers to.
async fn account() -> (Setting, SecurityGroupId) {
    let mut setting = Setting::new(41, policy(Mode::Enforce));
    let batch = make(&setting, "batch", &["ingress tcp:8443 10.0.0.0/16".into()]);
    setting.capture().await.unwrap();
    (setting, batch)
}

/// Deletes a group, the databases' ACL, or the private table; what hangs on it goes first.
fn delete(setting: &Setting, victim: &ResourceId) {
    let layout = &setting.layout;
    let mut calls = Vec::new();
    match victim {
        ResourceId::SecurityGroup(group) => calls.push(Call::DeleteSecurityGroup {
            group: GroupBy::Id(group.clone()),
        }),
        ResourceId::NetworkAcl(acl) => {
            calls.extend([&layout.db_a, &layout.db_b].map(|subnet| {
                Call::ReplaceNetworkAclAssociation {
                    association: setting.world.acl_association(subnet).unwrap(),
                    acl: layout.default_acl.clone(),
                }
            }));
            calls.push(Call::DeleteNetworkAcl { acl: acl.clone() });
        }
        ResourceId::RouteTable(table) => {
            calls.extend([&layout.private_a, &layout.private_b].map(|subnet| {
                let subject = AssociationSubject::Subnet(subnet.clone());
                Call::DisassociateRouteTable {
                    association: setting.world.table_association(&subject).unwrap(),
                }
            }));
            calls.push(Call::DeleteRouteTable {
                table: table.clone(),
            });
        }
    }
    for call in calls {
        does(setting, &stranger(), call);
    }
}

fn victims(setting: &Setting, batch: &SecurityGroupId) -> [ResourceId; 3] {
    [
        batch.clone().into(),
        setting.layout.db_acl.clone().into(),
        setting.layout.private_table.clone().into(),
    ]
}

async fn rest(setting: &mut Setting) {
    for _ in 0..4 {
        setting.settle().await;
        setting.world.advance(Duration::from_secs(300));
        setting.sweep().await;
    }
    setting.settle().await;
}

fn told(setting: &Setting) -> String {
    let lines: Vec<_> = setting
        .reports()
        .into_iter()
        .map(|report| (report.outcome, report.label, report.steps, report.problems))
        .collect();
    format!("{lines:#?}\n{:#?}", setting.delivered)
}

fn nothing_is_open(setting: &Setting) {
    let records = setting.world.stored_records();
    let open = records.values().filter(|record| record.open.is_some());
    assert_eq!(open.count(), 0, "{}", told(setting));
}

fn baselines_fit(setting: &Setting) {
    let baselines = Baselines {
        by_id: setting.world.stored_baselines(),
        ..Baselines::default()
    };
    let differences = snapback_engine::diff::diff(&baselines, &setting.world.snapshot(), None);
    assert_eq!(differences, [], "{}", told(setting));
}

/// The one thing that was made again.
fn newborn(setting: &Setting, victim: &ResourceId) -> ResourceId {
    let made = successors(&setting.live());
    assert_eq!(made.len(), 1, "{made:?} {}", told(setting));
    assert_eq!(made[0].0, victim.as_str());
    made[0].1.clone()
}

/// The first write on each newborn, and how EC2 says that it does not know it.
const FIRST_WRITES: [(&str, &str); 3] = [
    ("AuthorizeSecurityGroup*", "InvalidGroup.NotFound"),
    ("CreateNetworkAclEntry", "InvalidNetworkAclID.NotFound"),
    ("CreateRoute", "InvalidRouteTableID.NotFound"),
];

#[test]
fn a_newborn_that_ec2_does_not_know_yet_is_written_to_until_it_does() {
    for (index, (api, code)) in FIRST_WRITES.into_iter().enumerate() {
        run(async {
            let (mut setting, batch) = account().await;
            let before = setting.live();
            let victim = victims(&setting, &batch)[index].clone();
            setting.world.fail(api, Fault::Refused(code), 4);
            delete(&setting, &victim);
            setting.settle().await;
            newborn(&setting, &victim);
            assert_eq!(under_old_ids(&setting.live()), before, "{}", told(&setting));
            assert!(
                outcomes(&setting)
                    .iter()
                    .all(|end| *end == Outcome::Reverted),
                "{code}: {}",
                told(&setting)
            );
            let refused = setting
                .world
                .ec2_calls()
                .into_iter()
                .filter(|call| call.error.as_deref() == Some(code));
            assert_eq!(refused.count(), 4, "{code}: it was refused in the meantime");
            nothing_is_open(&setting);
            baselines_fit(&setting);
        });
    }
}

#[test]
fn a_newborn_that_ec2_never_knows_is_told_and_not_made_twice() {
    for (index, (api, code)) in FIRST_WRITES.into_iter().enumerate() {
        run(async {
            let (mut setting, batch) = account().await;
            let before = setting.live();
            let victim = victims(&setting, &batch)[index].clone();
            setting.world.fail(api, Fault::Refused(code), 10_000);
            delete(&setting, &victim);
            rest(&mut setting).await;
            let new = newborn(&setting, &victim);
            assert!(
                outcomes(&setting).contains(&Outcome::Failed),
                "{code}: {}",
                told(&setting)
            );
            nothing_is_open(&setting);
            // Once EC2 knows it, another look makes it whole.
            setting.world.heal();
            let recheck = format!(
                r#"{{"snapback":"recheck","resource":"{new}","why":{{"asked":"again"}},"asked_at":"2026-03-02T10:00:00Z"}}"#
            );
            setting.world.post(recheck, Duration::from_secs(1));
            rest(&mut setting).await;
            newborn(&setting, &victim);
            assert_eq!(under_old_ids(&setting.live()), before, "{}", told(&setting));
        });
    }
}

/// A trusted edit of what is made again, and the state with it.
fn edit(new: &ResourceId, setting: &Setting) -> Call {
    match new {
        ResourceId::SecurityGroup(group) => {
            Call::authorize(group, [(rule("ingress tcp:7443 10.0.7.0/24"), None)])
        }
        ResourceId::NetworkAcl(acl) => Call::CreateNetworkAclEntry {
            acl: acl.clone(),
            key: "ingress 777".parse().unwrap(),
            entry: NetworkAclEntry::new(
                RuleAction::Allow,
                rule("ingress tcp:7443 10.0.7.0/24").traffic,
                "10.0.7.0/24".parse().unwrap(),
            ),
        },
        ResourceId::RouteTable(table) => Call::CreateRoute {
            table: table.clone(),
            destination: "10.20.7.0/24".parse().unwrap(),
            target: RouteTarget::VpcPeeringConnection(setting.layout.peering.clone()),
        },
    }
}

/// Live without the edit, under old ids; whether it was there.
fn without_edit(setting: &Setting, victim: &ResourceId) -> (State, bool) {
    let mut live = under_old_ids(&setting.live());
    let there = match live.get_mut(victim) {
        Some(Resource::SecurityGroup(group)) => group
            .rules
            .remove(&rule("ingress tcp:7443 10.0.7.0/24"))
            .is_some(),
        Some(Resource::NetworkAcl(acl)) => acl
            .entries
            .remove(&"ingress 777".parse().unwrap())
            .is_some(),
        Some(Resource::RouteTable(table)) => table
            .routes
            .remove(&"10.20.7.0/24".parse().unwrap())
            .is_some(),
        None => panic!("{victim} was not made again: {}", told(setting)),
    };
    (live, there)
}

#[test]
fn a_trusted_edit_of_what_is_being_made_again_becomes_baseline_and_stays_or_is_told_as_missing() {
    for index in 0..3 {
        // The same seed makes the same ids: a first run tells under which id it will be made.
        let new = run(async {
            let (mut setting, batch) = account().await;
            let victim = victims(&setting, &batch)[index].clone();
            delete(&setting, &victim);
            setting.settle().await;
            newborn(&setting, &victim)
        });
        for act in 1..=3 {
            run(async {
                let (mut setting, batch) = account().await;
                let before = setting.live();
                let victim = victims(&setting, &batch)[index].clone();
                let edit = edit(&new, &setting);
                setting
                    .world
                    .interleave(When::AfterAct(act), deployment(), edit);
                delete(&setting, &victim);
                rest(&mut setting).await;
                let case = format!("{victim} after act {act}: {}", told(&setting));
                assert_eq!(newborn(&setting, &victim), new, "{case}");
                let (live, there) = without_edit(&setting, &victim);
                let made = setting.world.ec2_calls().into_iter().any(|call| {
                    call.by == deployment().arn()
                        && call.error.is_none()
                        && call.resource == new.as_str()
                });
                assert!(made, "the edit was made: {case}");
                assert_eq!(live, before, "{case}");
                // Where the making has taken it out before its event came, it is part of the baseline
                // all the same, and people are told that it is missing.
                let missing = setting.reports().into_iter().any(|report| {
                    report.outcome == Outcome::Alerted && report.resource.as_ref() == Some(&new)
                });
                assert!(there != missing, "{there} {case}");
                let bad = [Outcome::Failed, Outcome::Impostor, Outcome::Refused];
                assert!(
                    outcomes(&setting).iter().all(|end| !bad.contains(end)),
                    "{case}"
                );
                nothing_is_open(&setting);
                if there {
                    baselines_fit(&setting);
                } else {
                    assert_ne!(index, 0, "a group keeps it: {case}");
                    let known = setting.world.stored_baselines()[&new].clone();
                    assert_ne!(known.state.as_ref(), setting.live().get(&new), "{case}");
                }
                assert!(setting.dead.is_empty(), "{case}");
            });
        }
    }
}

#[test]
fn of_a_group_whose_peer_is_gone_for_ever_the_rest_is_made_and_the_rule_is_told() {
    run(async {
        let mut setting = Setting::new(43, policy(Mode::Enforce));
        let peer = make(&setting, "peer", &[]);
        let refers = format!("ingress tcp:5432 {peer}");
        let own = "ingress tcp:8443 10.0.0.0/16";
        let reader = make(&setting, "reader", &[own.into(), refers.clone()]);
        setting.capture().await.unwrap();
        for group in [&reader, &peer] {
            delete(&setting, &group.clone().into());
        }
        // Its name is somebody else's now: it cannot come back.
        make(&setting, "peer", &[]);
        rest(&mut setting).await;
        let victim = ResourceId::from(reader);
        let new = newborn(&setting, &victim);
        let Some(Resource::SecurityGroup(made)) = setting.world.resource(&new) else {
            panic!("{new}");
        };
        assert!(made.rules.contains_key(&rule(own)), "{}", told(&setting));
        assert!(!made.rules.contains_key(&rule(&refers)));
        let about: Vec<Report> = setting
            .reports()
            .into_iter()
            .filter(|report| report.resource.as_ref() == Some(&victim))
            .collect();
        let last = about.last().unwrap();
        assert!(
            matches!(last.outcome, Outcome::Refused | Outcome::Failed),
            "{}",
            told(&setting)
        );
        let words = last.problems.join(" ");
        assert!(words.contains(peer.as_str()), "{words}");
        nothing_is_open(&setting);
        // What is told as left is tried again by some sweeps, then no more.
        rest(&mut setting).await;
        let (ends, writes) = (outcomes(&setting).len(), setting.world.our_write_attempts());
        rest(&mut setting).await;
        assert_eq!(
            (outcomes(&setting).len(), setting.world.our_write_attempts()),
            (ends, writes),
            "{}",
            told(&setting)
        );
    });
}
