//! What a stranger did: taken back, left and told, or only told.

use super::{BENIGN, after_rules};
use snapback_app::assessment::assess;
use snapback_app::guard::Ending;
use snapback_app::port::Metric;
use snapback_engine::impact::Turn;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use snapback_sim::{Call, GroupBy, Permission};
use snapback_tests::*;

#[test]
fn observe_changes_nothing_and_shows_the_plan() {
    run(async {
        let setting = after_rules(Mode::Observe, &[SSH]).await;
        assert!(setting.has(SSH));
        assert_eq!(setting.world.our_write_attempts(), 0);
        let reports = setting.reports();
        setting.ended_as([Outcome::Alerted]);
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
            setting.play(&stranger(), authorize(&setting, rules)).await;
            setting.is_as(&before, &format!("{rules:?}"));
            assert_eq!(setting.outcomes(), [Outcome::Reverted], "{rules:?}");
        });
    }
}

#[test]
fn of_one_call_only_the_risky_rule_is_taken_back() {
    run(async {
        let setting = after_rules(Mode::Enforce, &[SSH, BENIGN]).await;
        assert!(!setting.has(SSH));
        assert!(setting.has(BENIGN), "harmless: alerted and left");
        let reports = setting.reports();
        setting.ended_as([Outcome::Reverted]);
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
        assert!(!setting.has(SSH) && !setting.has(BENIGN));
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn a_harmless_rule_is_told_once_and_outlives_the_revert_of_a_harmful_one() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[BENIGN]).await;
        setting.ended_as([Outcome::Alerted]);
        setting.later(60 * MINUTE).await;
        assert_eq!(setting.outcomes(), [Outcome::Alerted], "told once");
        setting.opens(&stranger(), SSH).await;
        setting.ended_as([Outcome::Alerted, Outcome::Reverted]);
        assert!(setting.has(BENIGN) && !setting.has(SSH));
        setting.later(60 * MINUTE).await;
        assert_eq!(setting.outcomes().len(), 2, "still told");
    });
}

#[test]
fn what_was_told_and_went_away_is_news_when_it_comes_again() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[BENIGN]).await;
        let revoke = Call::revoke(&setting.layout.app, [rule(BENIGN)]);
        setting.world.advance(MINUTE);
        setting.play(&stranger(), revoke).await;
        setting.world.advance(MINUTE);
        setting.opens(&stranger(), BENIGN).await;
        setting.ended_as([Outcome::Alerted, Outcome::Alerted]);
    });
}

#[test]
fn the_same_group_opened_twice_is_reverted_twice() {
    run(async {
        let mut setting = after_rules(Mode::Enforce, &[SSH]).await;
        setting.world.advance(10 * MINUTE);
        setting.opens(&stranger(), SSH).await;
        setting.ended_as([Outcome::Reverted, Outcome::Reverted]);
        assert!(!setting.has(SSH));
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
            permissions: vec![Permission {
                traffic: Traffic::Tcp(PortRange::single(3389)),
                peers: vec![("0.0.0.0/0".parse().unwrap(), None)],
            }],
            short: true,
            tags: Tags::new(),
        };
        setting.play(&stranger(), call).await;
        setting.is_back(&before);
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn a_deleted_group_is_told_with_everything_that_was_lost() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        let id = setting.make_group("lone", &[]);
        setting.settle().await;
        assert!(
            setting
                .world
                .stored_baselines()
                .contains_key(&id.clone().into()),
            "a trusted birth is a baseline"
        );
        setting.world.advance(MINUTE);
        setting.play(&stranger(), delete_group(&id)).await;
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
        let made = setting.made(&stranger(), create_group(&setting, "shadow"));
        let id = ResourceId::SecurityGroup(made.as_str().into());
        for _ in 0..3 {
            setting.later(5 * MINUTE).await;
        }
        setting.ended_as([Outcome::Alerted]);
        let baseline = &setting.world.stored_baselines()[&id];
        assert_eq!(baseline.provenance.origin, Origin::Unreviewed);
        assert_eq!(setting.world.our_write_attempts(), 0);
    });
}

#[test]
fn without_a_baseline_people_are_told_once_to_capture() {
    run(async {
        let mut setting = Setting::new(5, policy(Mode::Enforce));
        for rules in [SSH, BENIGN] {
            setting.opens(&stranger(), rules).await;
        }
        setting.sweep().await;
        setting.settle().await;
        setting.ended_as([Outcome::Alerted]);
        let next = setting.reports()[0].next.join(" ");
        assert!(next.contains("snapback capture"), "{next}");
        assert_eq!(setting.world.our_write_attempts(), 0);
        assert!(setting.world.total(Metric::Heartbeat) < 1.0);
    });
}

#[test]
fn the_first_mutation_comes_after_one_ec2_read() {
    let calls: [fn(&Setting) -> Call; 4] = [
        |setting| authorize(setting, &[SSH]),
        |setting| delete_entry(&setting.layout.db_acl, "ingress 100".parse().unwrap()),
        |setting| Call::DeleteRoute {
            table: setting.layout.private_table.clone(),
            destination: default_route(),
        },
        |setting| disassociate(setting, &setting.layout.private_a),
    ];
    for call in calls {
        run(async {
            let mut setting = guarded(5, Mode::Enforce).await;
            let before = setting.world.ec2_calls().len();
            setting.play(&stranger(), call(&setting)).await;
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
        setting.does(&stranger(), authorize(&setting, &[&opened]));
        let live = setting.world.snapshot();
        let app = setting.layout.app.clone().into();
        let assessment = assess(
            &setting.baselines(),
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
        setting.world.advance(10 * MINUTE);
        let call = Call::revoke(&setting.layout.app, [rule("ingress tcp:8080 10.0.0.0/8")]);
        assert!(setting.world.call(&stranger(), call).is_err());
        let command = recheck(&setting.layout.app.clone().into());
        setting.handle(command).await;
        let last = setting.delivered.last().unwrap().result.clone().unwrap();
        assert_eq!(last.endings(), [Ending::Nothing]);
    });
}
