//! What the guard knows of what surrounds a resource, how new it is, and what knowing it costs
//! (docs/decisions/0007).

use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault, GUARD_ROLE};
use snapback_tests::*;

/// Opens remote desktop to whatever the office's prefix list holds.
fn by_list(setting: &Setting) -> Call {
    let rule = format!("ingress tcp:3389 {}", setting.layout.office_list);
    authorize(setting, &[&rule])
}

/// Our reads of EC2 from a place in the log to our first write.
fn reads_before_the_first_write(setting: &Setting, from: usize) -> Vec<String> {
    let calls = setting.world.ec2_calls().into_iter().skip(from);
    let ours = calls.filter(|call| call.by == GUARD_ROLE);
    ours.take_while(|call| call.read)
        .map(|call| call.api)
        .collect()
}

#[test]
fn the_first_write_comes_after_one_read() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        let from = setting.world.ec2_calls().len();
        setting.opens(&stranger(), SSH).await;
        setting.ended_as([Outcome::Reverted]);
        assert_eq!(
            reads_before_the_first_write(&setting, from),
            ["DescribeSecurityGroupRules"]
        );
    });
}

#[test]
fn only_a_difference_that_names_a_prefix_list_has_it_read() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        setting
            .play(&deployment(), widen_office_list(&setting))
            .await;
        let from = setting.world.ec2_calls().len();
        setting.play(&stranger(), by_list(&setting)).await;
        setting.ended_as([Outcome::Reverted]);
        let mut read = reads_before_the_first_write(&setting, from);
        read.sort();
        assert_eq!(
            read,
            [
                "DescribeManagedPrefixLists",
                "DescribeSecurityGroupRules",
                "GetManagedPrefixListEntries"
            ],
            "once, beside the group"
        );
    });
}

/// The sweep's command names no list: the difference does.
#[test]
fn a_list_is_read_where_no_event_names_it() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        let before = setting.live();
        setting.world.lose_next_events(2);
        setting.does(&deployment(), widen_office_list(&setting));
        setting.play(&stranger(), by_list(&setting)).await;
        setting.later(15 * MINUTE).await;
        setting.is_back(&before);
    });
}

#[test]
fn a_list_that_cannot_be_read_is_judged_as_it_was_seen_last() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        setting
            .play(&deployment(), widen_office_list(&setting))
            .await;
        setting.sweep().await;
        setting.settle().await;
        let before = setting.live();
        setting
            .world
            .fail("GetManagedPrefixListEntries", Fault::Denied, 8);
        setting.play(&stranger(), by_list(&setting)).await;
        setting.is_back(&before);
    });
}

#[test]
fn a_rule_that_was_tolerated_is_taken_back_once_its_list_is_widened() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        let before = setting.live();
        setting.play(&stranger(), by_list(&setting)).await;
        setting.ended_as([Outcome::Alerted]);
        assert_ne!(setting.live(), before);
        setting
            .play(&deployment(), widen_office_list(&setting))
            .await;
        setting.later(15 * MINUTE).await;
        setting.is_as(&before, "widened");
    });
}

#[test]
fn what_was_attached_since_the_capture_counts_from_the_next_sweep() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        let carriers = |setting: &Setting| {
            let impact = setting.reports().pop().unwrap().impact;
            impact.blast.interfaces.expect("they are known")
        };
        setting.opens(&stranger(), SSH).await;
        let before = carriers(&setting);
        let attach = Call::CreateNetworkInterface {
            subnet: setting.layout.private_b.clone(),
            groups: vec![setting.layout.app.clone()],
            description: "a second instance".into(),
            tags: Tags::new(),
        };
        setting.play(&deployment(), attach).await;
        setting.later(15 * MINUTE).await;
        setting.opens(&stranger(), SSH).await;
        assert_eq!(carriers(&setting), before + 1);
    });
}

/// The captured context stays the reference: what changed since is told once, however often it was
/// seen, and until it is captured.
#[test]
fn what_a_sweep_saw_is_still_told_as_changed_since_the_capture() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        setting
            .play(&deployment(), widen_office_list(&setting))
            .await;
        for _ in 0..3 {
            setting.later(15 * MINUTE).await;
        }
        let found: Vec<bool> = setting
            .sweeps
            .iter()
            .map(|sweep| !sweep.as_ref().unwrap().context.is_empty())
            .collect();
        assert_eq!(found, [true; 3]);
        setting.all_ended_as(Outcome::Context, "changed since the capture");
        // The list, and what it makes of a rule that names it.
        assert_eq!(setting.outcomes().len(), 2, "once each");
        setting.capture().await.unwrap();
        setting.sweep().await;
        let last = setting.sweeps.pop().unwrap().unwrap();
        assert!(last.context.is_empty(), "{:?}", last.context);
    });
}

/// Decisions would go by an old context and nobody would know.
#[test]
fn a_sweep_that_cannot_store_what_it_saw_has_no_heartbeat() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        setting
            .play(&deployment(), widen_office_list(&setting))
            .await;
        setting.world.fail("put_seen", Fault::Denied, 8);
        setting.sweep().await;
        assert!(setting.sweeps.pop().unwrap().is_err());
    });
}

/// The sweep records the stranger's ACL as found; that makes it nobody's good state.
#[test]
fn subnets_moved_to_an_acl_that_no_event_told_of_come_back() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        let id = setting.layout.db_acl.clone().into();
        let before = setting.world.resource(&id);
        setting.world.lose_next_events(2);
        let vpc = setting.layout.vpc.clone();
        let tags = Tags::new();
        let make = Call::CreateNetworkAcl { vpc, tags };
        let acl = NetworkAclId::new(setting.made(&stranger(), make));
        let swap = move_to_acl(&setting, &setting.layout.db_a, &acl);
        setting.play(&stranger(), swap).await;
        for _ in 0..2 {
            setting.later(15 * MINUTE).await;
        }
        assert_eq!(setting.world.resource(&id), before);
    });
}

#[test]
fn context_changes_are_told_once_and_name_what_depends_on_them() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.duplicate_next_event(2);
        setting.play(&stranger(), delete_nat(&setting)).await;
        let contexts = setting.reports_of(Outcome::Context);
        assert_eq!(contexts.len(), 1);
        assert!(
            contexts[0]
                .problems
                .iter()
                .any(|line| line.contains("private")),
            "{:?}",
            contexts[0].problems
        );
        setting.later(10 * MINUTE).await;
        let table = setting.layout.private_table.clone().into();
        let told = setting
            .reports_about(&table)
            .iter()
            .any(|report| matches!(report.outcome, Outcome::Alerted | Outcome::Refused));
        assert!(told, "the dead route is told: {:?}", setting.outcomes());
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
        setting.does(&stranger(), delete_nat(&setting));
        for _ in 0..3 {
            setting.later(10 * MINUTE).await;
        }
        let told: Vec<_> = setting
            .reports_of(Outcome::Context)
            .into_iter()
            .flat_map(|report| report.findings)
            .map(|finding| finding.code.to_string())
            .collect();
        // Instances had no other way to Systems Manager.
        assert_eq!(told, ["VPCE-SSM-LOCKOUT", "NAT-DELETED"]);
        assert_eq!(setting.world.our_write_attempts(), 0);
    });
}
