//! What is taken back, what stays, what is only told: through the whole flow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::assessment::assess;
use snapback_app::guard::{Ending, Handled};
use snapback_engine::change::IgnoreReason;
use snapback_engine::diff::diff;
use snapback_engine::impact::Turn;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use snapback_sim::{Call, GroupBy, Principal};
use snapback_tests::*;
use std::time::Duration;

const SSH: &str = "ingress tcp:22 0.0.0.0/0";
const BENIGN: &str = "ingress tcp:22 10.9.0.0/16";

/// A setting in which a stranger has made one call on the application group, and it was settled.
async fn after_rules(mode: Mode, rules: &[&str]) -> Setting {
    let mut setting = guarded(3, mode).await;
    does(&setting, &stranger(), authorize(&setting, rules));
    setting.settle().await;
    setting
}

fn has(setting: &Setting, text: &str) -> bool {
    app_rules(setting).iter().any(|rule| rule == text)
}

#[test]
fn observe_changes_nothing_and_shows_the_plan() {
    run(async {
        let setting = after_rules(Mode::Observe, &[SSH]).await;
        assert!(has(&setting, SSH));
        assert_eq!(setting.world.our_write_attempts(), 0);
        let reports = setting.reports();
        assert_eq!(outcomes(&setting), [Outcome::Alerted]);
        assert!(!reports[0].executed);
        assert_eq!(reports[0].steps.len(), 1, "{:?}", reports[0].steps);
        assert!(reports[0].steps[0].contains("RevokeSecurityGroupIngress"));
    });
}

#[test]
fn every_way_of_opening_to_the_world_is_taken_back() {
    let ways: [&[&str]; 5] = [
        &["ingress all 0.0.0.0/0"],
        &[SSH, "ingress tcp:22 ::/0"],
        &["ingress tcp:20-25 0.0.0.0/0"],
        &["ingress tcp:22 0.0.0.0/1", "ingress tcp:22 128.0.0.0/1"],
        &["ingress tcp:0-65535 ::/0"],
    ];
    for rules in ways {
        run(async {
            let mut setting = guarded(3, Mode::Enforce).await;
            let before = setting.live();
            does(&setting, &stranger(), authorize(&setting, rules));
            setting.settle().await;
            assert_eq!(setting.live(), before, "{rules:?}");
            assert_eq!(outcomes(&setting), [Outcome::Reverted], "{rules:?}");
        });
    }
}

#[test]
fn of_one_call_only_the_risky_rule_is_taken_back() {
    run(async {
        let setting = after_rules(Mode::Enforce, &[SSH, BENIGN]).await;
        assert!(!has(&setting, SSH));
        assert!(has(&setting, BENIGN), "harmless: alerted and left");
        let reports = setting.reports();
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
        let stays: Vec<_> = reports[0]
            .differences
            .iter()
            .filter(|difference| difference.verdict == Verdict::Alert)
            .collect();
        assert_eq!(stays.len(), 1, "{:?}", reports[0].differences);
    });
}

#[test]
fn strict_takes_back_everything() {
    run(async {
        let setting = after_rules(Mode::Strict, &[SSH, BENIGN]).await;
        assert!(!has(&setting, SSH) && !has(&setting, BENIGN));
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn a_harmless_rule_is_told_once_and_outlives_the_revert_of_a_harmful_one() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[BENIGN]).await;
        assert_eq!(outcomes(&setting), [Outcome::Alerted]);
        setting.world.advance(Duration::from_secs(3600));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Alerted], "told once");
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Alerted, Outcome::Reverted]);
        assert!(has(&setting, BENIGN) && !has(&setting, SSH));
        setting.world.advance(Duration::from_secs(3600));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(outcomes(&setting).len(), 2, "still told");
    });
}

#[test]
fn what_was_told_and_went_away_is_news_when_it_comes_again() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[BENIGN]).await;
        let revoke = Call::revoke(&setting.layout.app, [rule(BENIGN)]);
        setting.world.advance(Duration::from_secs(60));
        does(&setting, &stranger(), revoke);
        setting.settle().await;
        setting.world.advance(Duration::from_secs(60));
        does(&setting, &stranger(), authorize(&setting, &[BENIGN]));
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Alerted, Outcome::Alerted]);
    });
}

#[test]
fn the_same_group_opened_twice_is_reverted_twice() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[SSH]).await;
        setting.world.advance(Duration::from_secs(600));
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Reverted, Outcome::Reverted]);
        assert!(!has(&setting, SSH));
    });
}

const DEPLOYED: &str = "ingress tcp:8443 10.0.0.0/16";

#[test]
fn a_trusted_and_a_strangers_change_in_either_order_end_alike() {
    for trusted_first in [true, false] {
        for events_crossed in [true, false] {
            run(async {
                let mut setting = guarded(5, Mode::Enforce).await;
                let calls = [
                    (deployment(), authorize(&setting, &[DEPLOYED])),
                    (stranger(), authorize(&setting, &[SSH])),
                ];
                let order: [usize; 2] = if trusted_first { [0, 1] } else { [1, 0] };
                for index in order {
                    let (who, call) = calls[index].clone();
                    does(&setting, &who, call);
                }
                let mut bodies = Vec::new();
                while setting.world.pending() > 0 {
                    bodies.extend(setting.world.deliver_next());
                }
                if events_crossed {
                    bodies.reverse();
                }
                for body in bodies {
                    setting.handle(body).await;
                }
                setting.settle().await;
                let case = format!("trusted first {trusted_first}, crossed {events_crossed}");
                assert!(has(&setting, DEPLOYED), "{case}");
                assert!(!has(&setting, SSH), "{case}");
                let app: ResourceId = setting.layout.app.clone().into();
                let baseline = &setting.world.stored_baselines()[&app];
                assert_eq!(baseline.provenance.origin, Origin::Accepted, "{case}");
                let good = Baselines {
                    by_id: [(app.clone(), baseline.clone())].into(),
                    ..Baselines::default()
                };
                let only = [app].into();
                let left = diff(&good, &setting.world.snapshot(), Some(&only));
                assert!(left.is_empty(), "{case}: {left:?}");
                let reverted = outcomes(&setting)
                    .iter()
                    .filter(|outcome| **outcome == Outcome::Reverted)
                    .count();
                assert_eq!(reverted, 1, "{case}: {:?}", outcomes(&setting));
            });
        }
    }
}

/// Makes a group with the deployment role and opens it to the world, as a deployment does.
fn deploys(setting: &Setting) -> ResourceId {
    let create = Call::CreateSecurityGroup {
        name: "edge".into(),
        description: "the new edge".into(),
        vpc: Some(setting.layout.vpc.clone()),
        tags: Tags::new(),
    };
    let made = setting.world.call(&deployment(), create).unwrap();
    let id = SecurityGroupId::new(made.first());
    let open = Call::authorize(&id, [(rule(SSH), None)]);
    does(setting, &deployment(), open);
    id.into()
}

/// Handles what is on its way in this order of arrival or in the other one.
async fn handle_all(setting: &mut Setting, crossed: bool) {
    let mut bodies = Vec::new();
    while setting.world.pending() > 0 {
        bodies.extend(setting.world.deliver_next());
    }
    if crossed {
        bodies.reverse();
    }
    for body in bodies {
        setting.handle(body).await;
    }
    setting.settle().await;
}

#[test]
fn a_trusted_birth_and_its_rules_end_accepted_in_either_order() {
    for crossed in [false, true] {
        run(async {
            let mut setting = guarded(5, Mode::Enforce).await;
            let id = deploys(&setting);
            let made = setting.world.resource(&id);
            handle_all(&mut setting, crossed).await;
            assert_eq!(setting.world.resource(&id), made, "crossed {crossed}");
            let baseline = &setting.world.stored_baselines()[&id];
            assert_eq!(baseline.provenance.origin, Origin::Accepted);
            let good = Baselines {
                by_id: [(id.clone(), baseline.clone())].into(),
                ..Baselines::default()
            };
            let left = diff(&good, &setting.world.snapshot(), Some(&[id].into()));
            assert!(left.is_empty(), "crossed {crossed}: {left:?}");
            assert_eq!(setting.world.our_write_attempts(), 0, "crossed {crossed}");
            let told: Vec<_> = outcomes(&setting)
                .into_iter()
                .filter(|outcome| *outcome != Outcome::Accepted)
                .collect();
            assert_eq!(told, [], "crossed {crossed}");
            assert!(setting.dead.is_empty());
        });
    }
}

#[test]
fn trusted_calls_in_a_row_are_not_drift_of_one_another() {
    for crossed in [false, true] {
        run(async {
            let mut setting = guarded(5, Mode::Enforce).await;
            does(&setting, &deployment(), authorize(&setting, &[DEPLOYED]));
            does(&setting, &deployment(), authorize(&setting, &[SSH]));
            let gone = Call::revoke(&setting.layout.app, [rule(DEPLOYED)]);
            setting.world.advance(Duration::from_secs(1));
            does(&setting, &deployment(), gone);
            let made = setting.live();
            handle_all(&mut setting, crossed).await;
            assert_eq!(setting.live(), made, "crossed {crossed}");
            assert_eq!(setting.world.our_write_attempts(), 0, "crossed {crossed}");
            let quiet = outcomes(&setting)
                .iter()
                .all(|outcome| *outcome == Outcome::Accepted);
            assert!(quiet, "crossed {crossed}: {:?}", outcomes(&setting));
        });
    }
}

#[test]
fn what_differs_beside_a_trusted_change_is_judged_when_no_event_explains_it() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.lose_next_events(1);
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        does(&setting, &deployment(), authorize(&setting, &[DEPLOYED]));
        setting.settle().await;
        assert!(has(&setting, DEPLOYED) && !has(&setting, SSH));
        assert_eq!(outcomes(&setting), [Outcome::Accepted, Outcome::Reverted]);
        assert!(setting.dead.is_empty());
    });
}

#[test]
fn rules_of_a_trusted_principal_on_a_group_nobody_accepted_are_told_once() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.lose_next_events(1);
        deploys(&setting);
        setting.settle().await;
        let refused = outcomes(&setting)
            .into_iter()
            .filter(|outcome| *outcome == Outcome::Refused)
            .count();
        assert_eq!(refused, 1, "{:?}", outcomes(&setting));
        assert_eq!(setting.world.our_write_attempts(), 0);
        assert!(setting.dead.is_empty(), "the last try goes on");
    });
}

#[test]
fn a_trusted_removal_stays_removed_however_stale_the_reads() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.set_staleness(snapback_sim::Staleness {
            window: Duration::from_secs(3),
            chance: 0.7,
        });
        let http = rule("ingress tcp:80 0.0.0.0/0");
        let call = Call::revoke(&setting.layout.web, [http.clone()]);
        does(&setting, &deployment(), call);
        setting.settle().await;
        assert_eq!(setting.world.rule_id(&setting.layout.web, &http), None);
        assert!(
            !outcomes(&setting).contains(&Outcome::Failed),
            "{:?}",
            outcomes(&setting)
        );
    });
}

#[test]
fn failed_and_forged_calls_are_no_changes() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        let twice = authorize(&setting, &["ingress tcp:22 198.51.100.0/24"]);
        assert!(
            setting.world.call(&stranger(), twice).is_err(),
            "a duplicate"
        );
        setting.settle().await;
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        let genuine = setting.world.deliver_next().remove(0);
        let forged = genuine.replace("111122223333", "999999999999");
        setting.handle(forged).await;
        let handled: Vec<_> = setting
            .delivered
            .iter()
            .map(|delivered| delivered.result.clone().unwrap())
            .collect();
        assert!(
            matches!(&handled[0], Handled::Ignored(IgnoreReason::Failed { code }) if code == "InvalidPermission.Duplicate"),
            "{handled:?}"
        );
        assert!(
            matches!(
                &handled[1],
                Handled::Ignored(IgnoreReason::OtherAccount { .. })
            ),
            "{handled:?}"
        );
        assert_eq!(setting.world.our_write_attempts(), 0);
    });
}

#[test]
fn our_role_used_by_somebody_else_is_a_critical_alert_and_its_change_is_taken_back() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        does(&setting, &Principal::guard(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert!(!has(&setting, SSH));
        assert_eq!(outcomes(&setting), [Outcome::Impostor, Outcome::Reverted]);
        let severity = setting.reports()[0].severity;
        assert_eq!(severity, snapback_engine::finding::Severity::Critical);
    });
}

#[test]
fn our_own_events_are_ours_and_start_nothing() {
    run(async {
        let setting = after_rules(Mode::Enforce, &[SSH]).await;
        let own = setting
            .delivered
            .iter()
            .filter(|delivered| delivered.result == Ok(Handled::Ignored(IgnoreReason::OwnCall)))
            .count();
        assert_eq!(own, 1);
        assert_eq!(setting.world.our_write_attempts(), 1);
    });
}

#[test]
fn a_group_named_only_by_its_name_is_guarded() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        let before = setting.live();
        let call = Call::AuthorizeSecurityGroup {
            group: GroupBy::Name("launch-wizard-1".into()),
            direction: Direction::Ingress,
            permissions: vec![snapback_sim::Permission {
                traffic: Traffic::Tcp(PortRange::single(3389)),
                peers: vec![("0.0.0.0/0".parse().unwrap(), None)],
            }],
            short: true,
            tags: Tags::new(),
        };
        does(&setting, &stranger(), call);
        setting.settle().await;
        assert_eq!(setting.live(), before);
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn a_deleted_group_is_told_with_everything_that_was_lost() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        let trusted = deployment();
        let lone = Call::CreateSecurityGroup {
            name: "lone".into(),
            description: "nobody uses it".into(),
            vpc: Some(setting.layout.vpc.clone()),
            tags: Tags::new(),
        };
        let made = setting.world.call(&trusted, lone).unwrap();
        let id = SecurityGroupId::new(made.first());
        setting.settle().await;
        assert!(
            setting
                .world
                .stored_baselines()
                .contains_key(&id.clone().into()),
            "a trusted birth is a baseline"
        );
        setting.world.advance(Duration::from_secs(60));
        does(
            &setting,
            &stranger(),
            Call::DeleteSecurityGroup {
                group: (&id).into(),
            },
        );
        setting.settle().await;
        let report = setting.reports().pop().unwrap();
        assert_eq!(
            (report.outcome, report.resource),
            (Outcome::Reverted, Some(id.into()))
        );
        assert!(report.label.contains("lone"), "{}", report.label);
        let lost = &report.differences[0].text;
        assert!(lost.contains("egress all traffic to 0.0.0.0/0"), "{lost}");
    });
}

#[test]
fn a_group_that_nobody_reviewed_is_told_once_and_recorded_not_trusted() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.lose_next_events(1);
        let call = Call::CreateSecurityGroup {
            name: "shadow".into(),
            description: "who made this".into(),
            vpc: Some(setting.layout.vpc.clone()),
            tags: Tags::new(),
        };
        let made = setting.world.call(&stranger(), call).unwrap();
        let id = ResourceId::SecurityGroup(made.first().into());
        for _ in 0..3 {
            setting.world.advance(Duration::from_secs(300));
            setting.sweep().await;
            setting.settle().await;
        }
        assert_eq!(outcomes(&setting), [Outcome::Alerted]);
        let baseline = &setting.world.stored_baselines()[&id];
        assert_eq!(baseline.provenance.origin, Origin::Unreviewed);
        assert_eq!(setting.world.our_write_attempts(), 0);
    });
}

#[test]
fn context_changes_are_told_once_and_name_what_depends_on_them() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.duplicate_next_event(2);
        let gateway = setting.layout.nat_gateway.clone();
        does(&setting, &stranger(), Call::DeleteNatGateway { gateway });
        setting.settle().await;
        let contexts: Vec<_> = setting
            .reports()
            .into_iter()
            .filter(|report| report.outcome == Outcome::Context)
            .collect();
        assert_eq!(contexts.len(), 1);
        assert!(
            contexts[0]
                .problems
                .iter()
                .any(|line| line.contains("private")),
            "{:?}",
            contexts[0].problems
        );
        setting.world.advance(Duration::from_secs(600));
        setting.sweep().await;
        setting.settle().await;
        let told = setting.reports().into_iter().any(|report| {
            report.resource == Some(setting.layout.private_table.clone().into())
                && matches!(report.outcome, Outcome::Alerted | Outcome::Refused)
        });
        assert!(told, "the dead route is told: {:?}", outcomes(&setting));
        assert_eq!(
            setting.world.our_write_attempts(),
            0,
            "a dead target is never restored"
        );
    });
}

#[test]
fn what_changed_around_the_resources_is_told_by_the_sweep_once() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.lose_next_events(1);
        let gateway = setting.layout.nat_gateway.clone();
        does(&setting, &stranger(), Call::DeleteNatGateway { gateway });
        for _ in 0..3 {
            setting.world.advance(Duration::from_secs(600));
            setting.sweep().await;
            setting.settle().await;
        }
        let told: Vec<_> = setting
            .reports()
            .into_iter()
            .filter(|report| report.outcome == Outcome::Context)
            .flat_map(|report| report.findings)
            .map(|finding| finding.code.to_string())
            .collect();
        // Instances had no other way to Systems Manager.
        assert_eq!(told, ["VPCE-SSM-LOCKOUT", "NAT-DELETED"]);
        assert_eq!(setting.world.our_write_attempts(), 0);
    });
}

#[test]
fn without_a_baseline_people_are_told_once_to_capture() {
    run(async {
        let mut setting = Setting::new(5, policy(Mode::Enforce));
        for rules in [SSH, BENIGN] {
            does(&setting, &stranger(), authorize(&setting, &[rules]));
            setting.settle().await;
        }
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Alerted]);
        let next = setting.reports()[0].next.join(" ");
        assert!(next.contains("snapback capture"), "{next}");
        assert_eq!(setting.world.our_write_attempts(), 0);
        assert!(setting.world.total(snapback_app::port::Metric::Heartbeat) < 1.0);
    });
}

#[test]
fn a_message_that_is_no_event_is_buried_with_its_reason_and_told() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        for body in [
            "{\"detail\":",
            "[]",
            r#"{"snapback":"recheck","resource":"i-1"}"#,
        ] {
            setting.handle(body.to_owned()).await;
            setting.handle(body.to_owned()).await;
        }
        setting.settle().await;
        assert_eq!(
            outcomes(&setting),
            [Outcome::Malformed; 3],
            "each told once"
        );
        assert_eq!(setting.world.buried().len(), 6, "none lost");
        assert!(
            setting
                .delivered
                .iter()
                .all(|delivered| delivered.result.is_ok())
        );
        assert_eq!(setting.shown("sns").len(), 3);
    });
}

#[test]
fn the_first_mutation_comes_after_one_ec2_read() {
    let calls: [fn(&Setting) -> Call; 4] = [
        |setting| authorize(setting, &[SSH]),
        |setting| Call::DeleteNetworkAclEntry {
            acl: setting.layout.db_acl.clone(),
            key: "ingress 100".parse().unwrap(),
        },
        |setting| Call::DeleteRoute {
            table: setting.layout.private_table.clone(),
            destination: "0.0.0.0/0".parse().unwrap(),
        },
        |setting| Call::DisassociateRouteTable {
            association: setting
                .world
                .table_association(&AssociationSubject::Subnet(
                    setting.layout.private_a.clone(),
                ))
                .unwrap(),
        },
    ];
    for call in calls {
        run(async {
            let mut setting = guarded(5, Mode::Enforce).await;
            let before = setting.world.ec2_calls().len();
            does(&setting, &stranger(), call(&setting));
            setting.settle().await;
            let ours: Vec<_> = setting.world.ec2_calls().split_off(before + 1);
            let reads = ours.iter().take_while(|call| call.read).count();
            assert_eq!(reads, 1, "{ours:?}");
        });
    }
}

#[test]
fn prefix_lists_that_only_live_knows_are_told_by_their_networks() {
    run(async {
        let setting = guarded(5, Mode::Enforce).await;
        let list = setting.layout.office_list.to_string();
        let opened = format!("ingress tcp:5000 {list}");
        does(&setting, &stranger(), authorize(&setting, &[&opened]));
        let baselines = Baselines {
            by_id: setting.world.stored_baselines(),
            ..Baselines::default()
        };
        let live = setting.world.snapshot();
        let app = setting.layout.app.clone().into();
        let assessment = assess(
            &baselines,
            &live,
            &app,
            None,
            &policy(Mode::Enforce),
            &Default::default(),
        )
        .unwrap();
        let opened = assessment.impact.lines(Turn::Opened, 9).join("; ");
        assert!(opened.contains("tcp 5000"), "{opened}");
        assert!(!opened.contains("not read"), "{opened}");
        assert_eq!(assessment.impact.inexact, Vec::<String>::new());
    });
}

#[test]
fn nothing_differs_ends_as_nothing() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[SSH]).await;
        setting.world.advance(Duration::from_secs(600));
        let call = Call::revoke(&setting.layout.app, [rule("ingress tcp:8080 10.0.0.0/8")]);
        assert!(setting.world.call(&stranger(), call).is_err());
        let command = serde_json::json!({"snapback": "recheck", "resource": setting.layout.app, "why": {"asked": "to be sure"}, "asked_at": "2026-03-02T10:00:00Z"});
        setting.handle(command.to_string()).await;
        let last = setting.delivered.last().unwrap().result.clone().unwrap();
        assert_eq!(last.endings(), [Ending::Nothing]);
    });
}
