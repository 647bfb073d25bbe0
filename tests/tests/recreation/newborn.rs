//! What gets into the way while something deleted is made again: EC2 that does not know it yet, a trusted
//! edit of it, a rule that cannot come back.

use super::{DEEDS, Deed, Loss, deletion};
use snapback_app::port::{BaselineWrite, Clock};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault, When, World, successors, under_old_ids};
use snapback_tests::*;
use std::time::Duration;

/// An enforcing account with a group that nothing carries or refers to.
async fn account(deed: Deed) -> (Setting, Loss) {
    let mut setting = Setting::new(41, policy(Mode::Enforce));
    let batch = setting.make_group("batch", &["ingress tcp:8443 10.0.0.0/16"]);
    let loss = Loss::captured(&mut setting, deed, &batch).await;
    (setting, loss)
}

/// The first write on each newborn, and how EC2 says that it does not know it.
const FIRST_WRITES: [(&str, &str); 3] = [
    ("AuthorizeSecurityGroup*", "InvalidGroup.NotFound"),
    ("CreateNetworkAclEntry", "InvalidNetworkAclID.NotFound"),
    ("CreateRoute", "InvalidRouteTableID.NotFound"),
];

#[test]
fn a_newborn_that_ec2_does_not_know_yet_is_written_to_until_it_does() {
    for (deed, (api, code)) in DEEDS.into_iter().zip(FIRST_WRITES) {
        run(async {
            let (mut setting, loss) = account(deed).await;
            setting.world.fail(api, Fault::Refused(code), 4);
            loss.happens(&setting);
            setting.settle().await;
            loss.successor(&setting, code);
            setting.is_as_by_old_ids(&loss.before, code);
            setting.all_ended_as(Outcome::Reverted, code);
            let refused = setting
                .world
                .ec2_calls()
                .into_iter()
                .filter(|call| call.error.as_deref() == Some(code));
            assert_eq!(refused.count(), 4, "{code}: it was refused in the meantime");
            setting.nothing_open(code);
            setting.baselines_fit(code);
        });
    }
}

#[test]
fn a_newborn_that_ec2_never_knows_is_told_and_not_made_twice() {
    for (deed, (api, code)) in DEEDS.into_iter().zip(FIRST_WRITES) {
        run(async {
            let (mut setting, loss) = account(deed).await;
            setting.world.fail(api, Fault::Refused(code), 10_000);
            loss.happens(&setting);
            setting.rest().await;
            let new = loss.successor(&setting, code);
            assert!(
                setting.outcomes().contains(&Outcome::Failed),
                "{code}: {}",
                setting.told()
            );
            setting.nothing_open("the end");
            // Once EC2 knows it, another look makes it whole.
            setting.world.heal();
            setting.world.post(recheck(&new), Duration::from_secs(1));
            setting.rest().await;
            loss.successor(&setting, code);
            setting.is_as_by_old_ids(&loss.before, code);
        });
    }
}

/// A trusted edit of what is made again, and the state with it.
fn edit(new: &ResourceId, setting: &Setting) -> Call {
    match new {
        ResourceId::SecurityGroup(group) => allow(group, &["ingress tcp:7443 10.0.7.0/24"]),
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
        None => panic!("{victim} was not made again: {}", setting.told()),
    };
    (live, there)
}

#[test]
fn a_trusted_edit_of_what_is_being_made_again_becomes_baseline_and_stays_or_is_told_as_missing() {
    for deed in DEEDS {
        // The same seed makes the same ids: a first run tells under which id it will be made.
        let new = run(async {
            let (mut setting, loss) = account(deed).await;
            loss.happens(&setting);
            setting.settle().await;
            loss.successor(&setting, "first")
        });
        for act in 1..=3 {
            run(async {
                let (mut setting, loss) = account(deed).await;
                let edit = edit(&new, &setting);
                setting
                    .world
                    .interleave(When::AfterAct(act), deployment(), edit);
                loss.happens(&setting);
                setting.rest().await;
                let case = format!("{deed:?} after act {act}: {}", setting.told());
                assert_eq!(loss.successor(&setting, &case), new, "{case}");
                let (live, there) = without_edit(&setting, &loss.victim);
                let made = setting.world.ec2_calls().into_iter().any(|call| {
                    call.by == deployment().arn()
                        && call.error.is_none()
                        && call.resource == new.as_str()
                });
                assert!(made, "the edit was made: {case}");
                assert_eq!(live, loss.before, "{case}");
                // Where the making has taken it out before its event came, it is part of the baseline
                // all the same, and people are told that it is missing.
                let missing = setting
                    .reports_about(&new)
                    .iter()
                    .any(|report| report.outcome == Outcome::Alerted);
                assert!(there != missing, "{there} {case}");
                setting.none_ended_badly(&case);
                setting.nothing_open(&case);
                if there {
                    setting.baselines_fit(&case);
                } else {
                    assert_ne!(deed, Deed::Group, "a group keeps it: {case}");
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
        let peer = setting.make_group("peer", &[]);
        let refers = format!("ingress tcp:5432 {peer}");
        let own = "ingress tcp:8443 10.0.0.0/16";
        let reader = setting.make_group("reader", &[own, &refers]);
        let loss = Loss::captured(&mut setting, Deed::Group, &reader).await;
        for group in [&reader, &peer] {
            let calls = deletion(&setting, &group.clone().into());
            setting.does_all(&stranger(), calls);
        }
        // Its name is somebody else's now: it cannot come back.
        setting.make_group("peer", &[]);
        setting.rest().await;
        let new = loss.successor(&setting, "its peer is gone");
        let ResourceId::SecurityGroup(new) = &new else {
            panic!("{new}");
        };
        let made = setting.group(new);
        assert!(made.rules.contains_key(&rule(own)), "{}", setting.told());
        assert!(!made.rules.contains_key(&rule(&refers)));
        let last = setting.reports_about(&loss.victim).pop().unwrap();
        assert!(
            matches!(last.outcome, Outcome::Refused | Outcome::Failed),
            "{}",
            setting.told()
        );
        let words = last.problems.join(" ");
        assert!(words.contains(peer.as_str()), "{words}");
        setting.nothing_open("the end");
        // What is told as left is tried again by some sweeps, then no more.
        setting.rest().await;
        let (ends, writes) = (setting.outcomes().len(), setting.world.our_write_attempts());
        setting.rest().await;
        assert_eq!(
            (setting.outcomes().len(), setting.world.our_write_attempts()),
            (ends, writes),
            "{}",
            setting.told()
        );
    });
}

/// Another guard folds a trusted change into the baseline of the lost table, once that is being made again:
/// a subnet is to be off it.
async fn folds_once_it_is_made(world: World, victim: ResourceId, subnet: SubnetId) {
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
        if successors(&world.snapshot().resources).is_empty() {
            continue;
        }
        let before = world.stored_baselines()[&victim].clone();
        let mut next = before.clone();
        let Some(Resource::RouteTable(table)) = &mut next.state else {
            panic!("the baselines follow at the end: {before:?}");
        };
        table.subnets.remove(&subnet);
        let mark = Mark::new(world.now(), "a trusted disassociation".into());
        next.marks.insert(Element::Subnet(subnet), mark);
        next.generation = before.generation.next();
        next.parent = Some(before.digest());
        return world.put_baselines(&[next]).await.unwrap();
    }
    panic!("nothing was made again");
}

/// Found by storm 5003335: the story was proved by the baselines that its plan was made on.
#[test]
fn a_trusted_change_that_is_folded_in_while_the_table_is_made_again_counts_at_its_end() {
    run(async {
        let (mut setting, loss) = account(Deed::Table).await;
        let ResourceId::RouteTable(victim) = &loss.victim else {
            panic!("a table: {:?}", loss.victim);
        };
        let subnet = setting.table(victim).subnets.first().unwrap().clone();
        loss.happens(&setting);
        let other =
            folds_once_it_is_made(setting.world.clone(), loss.victim.clone(), subnet.clone());
        tokio::join!(setting.settle(), other);
        let case = setting.told();
        let new = loss.successor(&setting, &case);
        let made = setting.live()[&new].clone();
        let Resource::RouteTable(made) = made else {
            panic!("{made:?}");
        };
        assert!(!made.subnets.contains(&subnet), "{case}");
        assert!(!made.subnets.is_empty(), "{case}");
        // By the story that made it: no other event need come that leads there.
        assert_eq!(setting.reports_about(&new), [], "{case}");
        setting.baselines_fit(&case);
        setting.nothing_open(&case);
        setting.none_ended_badly(&case);
    });
}
