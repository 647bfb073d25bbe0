//! Fault injections by AWS FIS, and whoever hides behind one.

use super::enforced;
use snapback_engine::policy::Policy;
use snapback_model::*;
use snapback_sim::{ACCOUNT, Call, Principal};
use snapback_tests::*;

/// AWS FIS with the role of an experiment.
fn fis() -> Principal {
    Principal {
        via: Some("fis.amazonaws.com".into()),
        source_ip: "fis.amazonaws.com".into(),
        ..Principal::role(
            format!("arn:aws:iam::{ACCOUNT}:role/experiments"),
            "EXPa1b2c3",
        )
    }
}

/// An enforcing account whose policy knows experiments of an hour.
async fn with_experiments() -> (Setting, State) {
    let (mut setting, before) = enforced().await;
    let text = "experiments: { tag: managedByFIS, longest: 1h }";
    let read = Policy::from_yaml(text, "test").expect("a policy");
    setting.guard.policy.experiments = read.experiments;
    (setting, before)
}

/// Makes an empty ACL under the tag of FIS and moves both database subnets to it.
fn disrupt(setting: &Setting, who: &Principal) -> NetworkAclId {
    let make = Call::CreateNetworkAcl {
        vpc: setting.layout.vpc.clone(),
        tags: Tags::from([("managedByFIS".to_owned(), "true".to_owned())]),
    };
    let acl = NetworkAclId::new(setting.made(who, make));
    for subnet in [&setting.layout.db_a, &setting.layout.db_b] {
        setting.does(who, move_to_acl(setting, subnet, &acl));
    }
    acl
}

#[test]
fn a_fault_injection_in_progress_is_left_alone() {
    run(async {
        let (mut setting, before) = with_experiments().await;
        let acl = disrupt(&setting, &fis());
        let during = setting.live();
        setting.settle().await;
        for _ in 0..3 {
            setting.later(15 * MINUTE).await;
        }
        assert_eq!(setting.live(), during);
        assert_eq!(setting.shown("sns"), [], "nobody is called for it");
        for subnet in [&setting.layout.db_a, &setting.layout.db_b] {
            let back = move_to_acl(&setting, subnet, &setting.layout.db_acl);
            setting.does(&fis(), back);
        }
        setting.play(&fis(), Call::DeleteNetworkAcl { acl }).await;
        setting.later(60 * MINUTE).await;
        setting.is_back(&before);
        assert_eq!(setting.world.our_apis(), Vec::<String>::new());
    });
}

#[test]
fn a_fault_injection_that_did_not_clean_up_is_put_back() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        let wanted = setting.acl(&setting.layout.db_acl);
        let left = disrupt(&setting, &fis());
        setting.settle().await;
        setting.later(50 * MINUTE).await;
        assert_eq!(setting.world.our_apis(), Vec::<String>::new());
        setting.later(15 * MINUTE).await;
        assert_eq!(setting.acl(&setting.layout.db_acl), wanted);
        assert_eq!(
            setting.world.our_apis(),
            ["ReplaceNetworkAclAssociation"; 2]
        );
        // What it made stays: nobody says that it may go. It is told.
        assert!(setting.live().contains_key(&left.clone().into()));
        assert!(format!("{:?}", setting.shown("sns")).contains(left.as_str()));
    });
}

#[test]
fn a_fault_injection_that_no_event_told_of_is_left_alone() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        setting.world.lose_next_events(3);
        disrupt(&setting, &fis());
        let during = setting.live();
        setting.settle().await;
        setting.later(20 * MINUTE).await;
        assert_eq!(setting.live(), during);
        setting.later(60 * MINUTE).await;
        assert_eq!(
            setting.world.our_apis(),
            ["ReplaceNetworkAclAssociation"; 2]
        );
    });
}

#[test]
fn the_tag_of_fault_injections_is_no_pass_for_a_stranger() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        let wanted = setting.acl(&setting.layout.db_acl);
        disrupt(&setting, &stranger());
        setting.settle().await;
        assert_eq!(setting.acl(&setting.layout.db_acl), wanted);
        assert_eq!(
            setting.world.our_apis(),
            ["ReplaceNetworkAclAssociation"; 2]
        );
        let told = format!("{:?}", setting.world.journal());
        assert!(told.contains("the tag exempts nothing"));
    });
}

#[test]
fn a_stranger_in_a_fault_injection_ends_what_is_tolerated_of_it() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        let wanted = setting.acl(&setting.layout.db_acl);
        let made = disrupt(&setting, &fis());
        setting.settle().await;
        assert_eq!(setting.world.our_apis(), Vec::<String>::new());
        let open = Call::CreateNetworkAclEntry {
            acl: made,
            key: "ingress 1".parse().expect("a key"),
            entry: NetworkAclEntry {
                cidr: "0.0.0.0/0".parse().expect("a net"),
                ..wanted.entries.values().next().expect("an entry").clone()
            },
        };
        setting.play(&stranger(), open).await;
        assert_eq!(setting.acl(&setting.layout.db_acl), wanted);
    });
}
