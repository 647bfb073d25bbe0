//! One guard at a time in a VPC: who holds the lease, and what it may begin under it.

use snapback_app::guard::GuardError;
use snapback_sim::Call;
use snapback_tests::*;
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn every_step_names_the_lease_it_began_under_and_the_end_gives_it_back() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        for round in 1..=2_u64 {
            setting.opens(&stranger(), SSH).await;
            let numbers = setting.steps_begun();
            let last = numbers.last().map(|(_, fencing)| *fencing);
            assert_eq!(last, Some(round), "{numbers:?}");
            let lease = setting.world.stored_lease(&setting.layout.vpc);
            assert_eq!((lease.holder, lease.until), (None, None));
            assert_eq!(lease.fencing, round);
        }
    });
}

#[test]
fn two_guards_never_write_in_one_vpc_at_the_same_time() {
    run(async {
        for seed in 0..24 {
            let mut setting = guarded_by(seed, strict("")).await;
            let before = setting.live();
            let acl = setting.acl(&setting.layout.db_acl);
            let entry = acl.entries.keys().next().unwrap();
            setting.does(&stranger(), authorize(&setting, &[SSH]));
            setting.does(&stranger(), delete_entry(&acl.id, *entry));
            let bodies = setting.arriving(2);
            let other = setting.another("guard-2");
            let message = |number: usize| setting.invocation(&bodies[number], MINUTE);
            let (one, two) = tokio::join!(
                setting.guard.handle_message(message(0)),
                other.handle_message(message(1))
            );
            for (result, body) in [(one, &bodies[0]), (two, &bodies[1])] {
                if let Err(error) = result {
                    assert!(matches!(error, GuardError::Busy { .. }), "{error}");
                    setting.handle(body.clone()).await;
                }
            }
            setting.settle().await;
            setting.is_as(&before, &format!("seed {seed}"));
            // Stories of one VPC follow each other: the numbers of their steps never go back.
            let numbers = setting.steps_begun();
            assert!(
                numbers.is_sorted_by_key(|(_, fencing)| *fencing),
                "{numbers:?}"
            );
            let stories: BTreeSet<_> = numbers.iter().cloned().collect();
            assert_eq!(stories.len(), 2, "{numbers:?}");
        }
    });
}

#[test]
fn a_guard_whose_lease_was_taken_over_begins_no_further_call() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        // Long enough for several calls; its holder stands still after the first.
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let group = setting.layout.app.clone();
        let gone = setting
            .app_rules()
            .into_iter()
            .find(|text| text != SSH)
            .unwrap();
        setting.does(&stranger(), Call::revoke(&group, [rule(&gone)]));
        let body = setting.world.deliver_next().remove(0);
        // Killed inside its story; another guard goes on once the lease is surely over.
        assert!(setting.dies_handling(&body, 9).await, "killed");
        let held = setting.world.stored_lease(&setting.layout.vpc);
        let record = setting.world.stored_records();
        let open = record[&group.clone().into()].clone();
        if held.holder.is_some() {
            let message = setting.invocation(&body, MINUTE);
            let early = setting.guard.handle_message(message).await;
            assert!(early.is_ok() || matches!(early, Err(GuardError::Busy { .. })));
        }
        assert!(open.open.is_some() || held.holder.is_none());
        setting.later(Duration::from_secs(70)).await;
        assert!(!setting.has(SSH));
        let lease = setting.world.stored_lease(&setting.layout.vpc);
        assert_eq!(lease.holder, None);
    });
}
