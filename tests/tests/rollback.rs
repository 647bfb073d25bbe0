//! People lead resources back to what was good before, beside a guard that does not fight them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::port::Clock;
use snapback_app::rollback::{self, RollbackError, To, Which, Wish};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, GroupBy, When};
use snapback_tests::*;
use std::time::Duration;

const SSH: &str = "ingress tcp:22 0.0.0.0/0";
const METRICS: &str = "ingress tcp:9100 10.0.0.0/16";

fn app(setting: &Setting) -> ResourceId {
    setting.layout.app.clone().into()
}

fn generation(setting: &Setting, id: &ResourceId) -> Generation {
    setting.world.stored_baselines()[id].generation
}

/// The application group after a trusted change became its second generation.
async fn after_a_deployment(seed: u64) -> (Setting, State) {
    let mut setting = guarded(seed, Mode::Enforce).await;
    let before = setting.live();
    does(&setting, &deployment(), authorize(&setting, &[METRICS]));
    setting.settle().await;
    assert_eq!(generation(&setting, &app(&setting)), Generation(2));
    (setting, before)
}

#[test]
fn a_group_goes_back_to_an_older_generation_and_the_guard_lets_it() {
    run(async {
        let (mut setting, before) = after_a_deployment(1).await;
        let id = app(&setting);
        let to = To::Generation(Generation(1));
        let done = rolls_back(&setting, &wish(to, std::slice::from_ref(&id)))
            .await
            .unwrap();
        assert_eq!(done.report.outcome, Outcome::Reverted, "{:?}", done.report);
        assert_eq!(setting.live(), before);
        let baseline = &setting.world.stored_baselines()[&id];
        assert_eq!(baseline.generation, Generation(3));
        assert_eq!(baseline.provenance.origin, Origin::Promoted);
        assert_eq!(baseline.provenance.by, "alice");
        assert!(
            baseline.provenance.why.contains("as agreed"),
            "{:?}",
            baseline.provenance
        );
        // Her calls are hers in CloudTrail.
        let calls = setting.world.ec2_calls();
        assert!(
            calls
                .iter()
                .any(|call| !call.read && call.by.ends_with("user/alice"))
        );
        is_quiet(&mut setting, "generation 1").await;
    });
}

#[test]
fn a_time_means_the_baseline_that_stood_then() {
    run(async {
        let mut setting = guarded(2, Mode::Enforce).await;
        let before = setting.live();
        let good = setting.world.now();
        setting.world.advance(Duration::from_secs(600));
        does(&setting, &deployment(), authorize(&setting, &[METRICS]));
        setting.settle().await;
        let id = app(&setting);
        rolls_back(&setting, &wish(To::At(good), std::slice::from_ref(&id)))
            .await
            .unwrap();
        assert_eq!(setting.live(), before);
        is_quiet(&mut setting, "time").await;
        let long_ago = Timestamp::from_second(0).unwrap();
        let refused = rolls_back(&setting, &wish(To::At(long_ago), &[id]))
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("no generation is kept"),
            "{refused}"
        );
    });
}

#[test]
fn what_was_not_shown_is_not_run() {
    run(async {
        let (mut setting, _) = after_a_deployment(3).await;
        let alice = alice(&setting);
        let to = To::Generation(Generation(1));
        let wish = wish(to, &[app(&setting)]);
        let proposal = rollback::propose(&alice.ports, &wish).await.unwrap();
        let shown: Vec<&str> = proposal
            .plan
            .steps
            .iter()
            .map(|step| step.action.api())
            .collect();
        assert_eq!(shown, ["RevokeSecurityGroupIngress"]);
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        let refused = says_yes(&alice, &proposal).await.unwrap_err();
        assert!(matches!(refused, RollbackError::Moved(_)), "{refused}");
        assert_eq!(setting.world.our_writes().len(), 0);
        // The baseline as well.
        setting.settle().await;
        let proposal = rollback::propose(&alice.ports, &wish).await.unwrap();
        let other = rolls_back(&setting, &wish).await.unwrap();
        assert_eq!(other.report.outcome, Outcome::Reverted);
        let refused = says_yes(&alice, &proposal).await.unwrap_err();
        assert!(matches!(refused, RollbackError::Moved(_)), "{refused}");
    });
}

#[test]
fn somebody_elses_call_in_the_middle_is_planned_around() {
    for number in 1..=2 {
        run(async {
            let (mut setting, before) = after_a_deployment(4).await;
            does(
                &setting,
                &deployment(),
                Call::revoke(
                    &setting.layout.app,
                    [rule("ingress tcp:22 198.51.100.0/24")],
                ),
            );
            setting.settle().await;
            let wish = wish(To::Generation(Generation(1)), &[app(&setting)]);
            setting.world.interleave(
                When::BeforeAct(number),
                stranger(),
                authorize(&setting, &[SSH]),
            );
            let done = rolls_back(&setting, &wish).await.unwrap();
            assert_eq!(done.report.outcome, Outcome::Reverted, "{:?}", done.report);
            setting.settle().await;
            assert_eq!(setting.live(), before, "{number}");
            is_quiet(&mut setting, "in the middle").await;
        });
    }
}

#[test]
fn a_revert_is_undone_and_stays_undone() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        let opened = setting.live();
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
        let incident = setting.world.journal()[0].incident.clone();
        let alice = alice(&setting);
        let undo = rollback::undo(&alice.ports, &incident, "alice", "it was meant", false)
            .await
            .unwrap();
        assert_eq!(undo.plan.steps.len(), 1, "{:?}", undo.plan);
        let done = says_yes(&alice, &undo).await.unwrap();
        assert_eq!(done.report.outcome, Outcome::Reverted);
        assert_eq!(setting.live(), opened);
        is_quiet(&mut setting, "undone").await;
        // Undoing it once more: there is nothing left to do.
        let again = rollback::undo(&alice.ports, &incident, "alice", "", false)
            .await
            .unwrap();
        assert!(again.is_empty(), "{again:?}");
        // The undo itself is a person's.
        let refused = rollback::undo(&alice.ports, &done.incident, "alice", "", false)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("alice asked for it"),
            "{refused}"
        );
    });
}

#[test]
fn an_undo_touches_only_what_the_incident_changed() {
    run(async {
        let mut setting = guarded(6, Mode::Enforce).await;
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        let incident = setting.world.journal()[0].incident.clone();
        // Tolerated by the policy: it moves no packet.
        let tag = Call::CreateTags {
            targets: vec![setting.layout.app.to_string()],
            tags: Tags::from([("Seen".to_owned(), "yes".to_owned())]),
        };
        does(&setting, &stranger(), tag);
        setting.settle().await;
        let alice = alice(&setting);
        let undo = rollback::undo(&alice.ports, &incident, "alice", "", false)
            .await
            .unwrap();
        assert!(
            undo.remarks.iter().any(|line| line.contains("Seen")),
            "{:?}",
            undo.remarks
        );
        says_yes(&alice, &undo).await.unwrap();
        assert!(app_rules(&setting).contains(&SSH.to_owned()));
        let live = &setting.live()[&app(&setting)];
        assert_eq!(
            live.tags().unwrap().get("Seen").map(String::as_str),
            Some("yes")
        );
        let baseline = setting.world.stored_baselines()[&app(&setting)]
            .state
            .clone()
            .unwrap();
        assert!(!baseline.tags().unwrap().contains_key("Seen"));
    });
}

/// Changes of every kind all over the VPC, deletions among them.
fn havoc(setting: &Setting) {
    let layout = &setting.layout;
    let Some(Resource::RouteTable(private)) =
        setting.world.resource(&layout.private_table.clone().into())
    else {
        panic!("the private table");
    };
    let mut calls = vec![
        authorize(setting, &[SSH]),
        Call::revoke(&layout.web, [rule("ingress tcp:443 0.0.0.0/0")]),
        Call::DeleteNetworkAclEntry {
            acl: layout.db_acl.clone(),
            key: "egress 110".parse().unwrap(),
        },
        Call::DeleteRoute {
            table: layout.public_table.clone(),
            destination: "0.0.0.0/0".parse().unwrap(),
        },
    ];
    for subnet in &private.subnets {
        let subject = AssociationSubject::Subnet(subnet.clone());
        let association = setting.world.table_association(&subject).unwrap();
        calls.push(Call::DisassociateRouteTable { association });
    }
    calls.push(Call::DeleteRouteTable {
        table: layout.private_table.clone(),
    });
    for call in calls {
        does(setting, &stranger(), call);
    }
}

/// A state under the ids of the beginning, without the tags that tell the successor.
fn as_before(setting: &Setting) -> State {
    let live = setting.live();
    let mut back = Lineage::default();
    for resource in live.values() {
        if let Some(old) = resource.tags().and_then(|tags| tags.get(SUCCESSOR_OF)) {
            back.record(resource.id().as_str(), old);
        }
    }
    let plain = |resource: &Resource| {
        let mut resource = resource.renamed(&back);
        match &mut resource {
            Resource::SecurityGroup(group) => {
                group
                    .tags
                    .as_mut()
                    .unwrap()
                    .retain(|key, _| !is_lineage_tag(key));
            }
            Resource::NetworkAcl(acl) => acl.tags.retain(|key, _| !is_lineage_tag(key)),
            Resource::RouteTable(table) => table.tags.retain(|key, _| !is_lineage_tag(key)),
        }
        (resource.id(), resource)
    };
    live.values().map(plain).collect()
}

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
            let done = rolls_back(&setting, &whole_vpc(&setting)).await.unwrap();
            assert_eq!(done.report.outcome, Outcome::Reverted, "{:#?}", done.report);
            assert_eq!(as_before(&setting), before, "{mode:?}");
            let next = done.report.next.join("\n");
            let table = setting.layout.private_table.as_str();
            assert!(next.contains(&format!("{table} is rtb-")), "{next}");
            is_quiet(&mut setting, &format!("{mode:?}")).await;
        });
    }
}

#[test]
fn a_deleted_group_comes_back_as_it_was_in_an_older_generation() {
    run(async {
        let mut setting = Setting::new(8, policy(Mode::Observe));
        let made = setting.world.call(
            &deployment(),
            Call::CreateSecurityGroup {
                name: "batch".into(),
                description: "batch jobs".into(),
                vpc: Some(setting.layout.vpc.clone()),
                tags: Tags::new(),
            },
        );
        let batch = SecurityGroupId::new(made.unwrap().first());
        does(
            &setting,
            &deployment(),
            Call::authorize(&batch, [(rule(METRICS), None)]),
        );
        setting.capture().await.unwrap();
        let before = setting.live();
        does(
            &setting,
            &deployment(),
            Call::authorize(&batch, [(rule("ingress tcp:9200 10.0.0.0/16"), None)]),
        );
        setting.settle().await;
        does(
            &setting,
            &stranger(),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(batch.clone()),
            },
        );
        setting.settle().await;
        let id: ResourceId = batch.clone().into();
        let done = rolls_back(
            &setting,
            &wish(To::Generation(Generation(1)), std::slice::from_ref(&id)),
        )
        .await
        .unwrap();
        assert_eq!(done.report.outcome, Outcome::Reverted, "{:#?}", done.report);
        assert_eq!(as_before(&setting), before);
        is_quiet(&mut setting, "made again").await;
        // The old id still names it, and its generations are those of the new one.
        let heir = setting.world.stored_baselines()[&id]
            .successor
            .clone()
            .unwrap();
        let past = rollback::history(&setting.world, &heir, None)
            .await
            .unwrap();
        assert_eq!(past.ids, [heir.clone(), id.clone()]);
        assert_eq!(past.not_kept, 0);
        let done = rolls_back(&setting, &wish(To::Generation(Generation(2)), &[id]))
            .await
            .unwrap();
        assert_eq!(done.report.outcome, Outcome::Reverted, "{:#?}", done.report);
        let Resource::SecurityGroup(group) = &setting.live()[&heir] else {
            panic!("{heir}")
        };
        assert!(
            group
                .rules
                .contains_key(&rule("ingress tcp:9200 10.0.0.0/16"))
        );
    });
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
                let person = rolls_back(&setting, &wish);
                setting.world.kill_after(calls);
                let ended = setting.world.run_until_crash(person).await;
                crashes += usize::from(ended.is_none());
                setting.world.advance(Duration::from_secs(90));
                if again {
                    let alice = alice(&setting);
                    let proposal = rollback::propose(&alice.ports, &wish).await.unwrap();
                    if !proposal.is_empty() {
                        let done = says_yes(&alice, &proposal).await;
                        let done = done.unwrap_or_else(|error| panic!("{calls}: {error}"));
                        assert_eq!(
                            done.report.outcome,
                            Outcome::Reverted,
                            "{calls}: {}",
                            told(&setting)
                        );
                    }
                }
                rest(&mut setting).await;
                let unlike = unlike(&as_before(&setting), &before);
                assert!(
                    unlike.is_empty(),
                    "after {calls} calls, again {again}: {unlike:#?} {}",
                    told(&setting)
                );
                let made = setting
                    .live()
                    .values()
                    .filter(|resource| {
                        resource
                            .tags()
                            .is_some_and(|tags| tags.contains_key(SUCCESSOR_OF))
                    })
                    .count();
                assert_eq!(made, 1, "made once, after {calls} calls");
                is_quiet(&mut setting, &format!("after {calls} calls")).await;
                ended.is_some()
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
        let (count, wish) = (setting.world.our_writes().len(), whole_vpc(&setting));
        let person = rolls_back(&setting, &wish);
        setting.world.kill_after(25);
        assert!(setting.world.run_until_crash(person).await.is_none());
        let done = setting.world.our_writes().len();
        assert!(done > count, "midway");
        setting.world.advance(Duration::from_secs(90));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(setting.world.our_writes().len(), done);
        let refused = setting
            .reports()
            .into_iter()
            .find(|report| report.outcome == Outcome::Refused);
        let problems = refused.unwrap().problems.join("\n");
        assert!(
            problems.contains("mode is observe") && problems.contains("left: "),
            "{problems}"
        );
        nothing_open(&setting, "observe");
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
            let proposal = rollback::propose(&alice.ports, &wish).await.unwrap();
            let person = says_yes(&alice, &proposal);
            let guard = async {
                for body in bodies {
                    setting.handle(body).await;
                }
            };
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
            rest(&mut setting).await;
            let unlike = unlike(&as_before(&setting), &before);
            assert!(unlike.is_empty(), "{seed}: {unlike:#?} {}", told(&setting));
            nothing_open(&setting, &seed.to_string());
            assert!(!outcomes(&setting).contains(&Outcome::Impostor));
        });
    }
}

#[test]
fn history_tells_who_when_and_why() {
    run(async {
        let (mut setting, _) = after_a_deployment(11).await;
        let id = app(&setting);
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        rolls_back(
            &setting,
            &wish(To::Generation(Generation(1)), std::slice::from_ref(&id)),
        )
        .await
        .unwrap();
        let past = rollback::history(&setting.world, &id, None).await.unwrap();
        let told: Vec<(u64, Origin, &str)> = past
            .generations
            .iter()
            .map(|kept| {
                (
                    kept.generation.0,
                    kept.provenance.origin,
                    kept.provenance.by.as_str(),
                )
            })
            .collect();
        assert_eq!(told[0], (3, Origin::Promoted, "alice"));
        assert_eq!((told[1].0, told[1].1), (2, Origin::Accepted));
        assert_eq!(told[2], (1, Origin::Captured, "admin"));
        let stories: Vec<_> = past
            .incidents
            .iter()
            .map(|told| (told.outcome, told.who.clone()))
            .collect();
        assert_eq!(stories.len(), 2, "{:#?}", past.incidents);
        assert_eq!(stories[0], (Some(Outcome::Reverted), Some("alice".into())));
        assert!(
            past.incidents[1].what[0].contains("tcp 22"),
            "{:?}",
            past.incidents
        );
        let since = past.generations[0].provenance.at;
        let recent = rollback::history(&setting.world, &id, Some(since))
            .await
            .unwrap();
        assert_eq!(recent.generations.len(), 1);
    });
}
