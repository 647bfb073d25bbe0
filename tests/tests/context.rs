//! What the guard knows of what surrounds a resource, how new it is, and what knowing it costs
//! (docs/decisions/0007).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault, GUARD_ROLE};
use snapback_tests::*;
use std::time::Duration;

const SSH: &str = "ingress tcp:22 0.0.0.0/0";

fn widen(setting: &Setting) -> Call {
    Call::ModifyManagedPrefixList {
        list: setting.layout.office_list.clone(),
        current_version: None,
        add: vec!["0.0.0.0/0".parse().unwrap()],
        remove: Vec::new(),
    }
}

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
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
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
        does(&setting, &deployment(), widen(&setting));
        setting.settle().await;
        let from = setting.world.ec2_calls().len();
        does(&setting, &stranger(), by_list(&setting));
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
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
        does(&setting, &deployment(), widen(&setting));
        does(&setting, &stranger(), by_list(&setting));
        setting.settle().await;
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(setting.live(), before);
    });
}

#[test]
fn a_list_that_cannot_be_read_is_judged_as_it_was_seen_last() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        does(&setting, &deployment(), widen(&setting));
        setting.settle().await;
        setting.sweep().await;
        setting.settle().await;
        let before = setting.live();
        setting
            .world
            .fail("GetManagedPrefixListEntries", Fault::Denied, 8);
        does(&setting, &stranger(), by_list(&setting));
        setting.settle().await;
        assert_eq!(setting.live(), before);
    });
}

#[test]
fn a_rule_that_was_tolerated_is_taken_back_once_its_list_is_widened() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        let before = setting.live();
        does(&setting, &stranger(), by_list(&setting));
        setting.settle().await;
        assert_eq!(outcomes(&setting), [Outcome::Alerted]);
        assert_ne!(setting.live(), before);
        does(&setting, &deployment(), widen(&setting));
        setting.settle().await;
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(setting.live(), before, "{:?}", outcomes(&setting));
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
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        let before = carriers(&setting);
        let attach = Call::CreateNetworkInterface {
            subnet: setting.layout.private_b.clone(),
            groups: vec![setting.layout.app.clone()],
            description: "a second instance".into(),
            tags: Tags::new(),
        };
        does(&setting, &deployment(), attach);
        setting.settle().await;
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        setting.settle().await;
        does(&setting, &stranger(), authorize(&setting, &[SSH]));
        setting.settle().await;
        assert_eq!(carriers(&setting), before + 1);
    });
}

/// The captured context stays the reference: what changed since is told once, however often it was
/// seen, and until it is captured.
#[test]
fn what_a_sweep_saw_is_still_told_as_changed_since_the_capture() {
    run(async {
        let mut setting = guarded(7, Mode::Enforce).await;
        does(&setting, &deployment(), widen(&setting));
        setting.settle().await;
        for _ in 0..3 {
            setting.world.advance(Duration::from_secs(900));
            setting.sweep().await;
            setting.settle().await;
        }
        let found: Vec<bool> = setting
            .sweeps
            .iter()
            .map(|sweep| !sweep.as_ref().unwrap().context.is_empty())
            .collect();
        assert_eq!(found, [true; 3]);
        let told = outcomes(&setting);
        assert!(
            told.iter().all(|outcome| *outcome == Outcome::Context),
            "{told:?}"
        );
        // The list, and what it makes of a rule that names it.
        assert_eq!(told.len(), 2, "once each");
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
        does(&setting, &deployment(), widen(&setting));
        setting.settle().await;
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
        let made = setting.world.call(&stranger(), make).unwrap();
        let subnet = &setting.layout.db_a;
        let swap = Call::ReplaceNetworkAclAssociation {
            association: setting.world.acl_association(subnet).unwrap(),
            acl: NetworkAclId::new(made.first()),
        };
        does(&setting, &stranger(), swap);
        setting.settle().await;
        for _ in 0..2 {
            setting.world.advance(Duration::from_secs(900));
            setting.sweep().await;
            setting.settle().await;
        }
        assert_eq!(setting.world.resource(&id), before);
    });
}
