//! What comes back, under which conditions, and what is told of it.

use super::{DEEDS, Deed, Loss, account, make};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, When, successors};
use snapback_tests::*;

#[test]
fn what_was_deleted_comes_back_whole_and_is_told_under_both_ids() {
    for deed in DEEDS {
        run(async {
            let (mut setting, loss) = account(deed, 31, policy(Mode::Enforce)).await;
            loss.happens(&setting);
            setting.settle().await;
            let new = loss.is_made_good(&setting, &format!("{deed:?}"));
            setting.all_ended_as(Outcome::Reverted, &format!("{deed:?}"));
            let line = format!("{} is {new} now", loss.victim);
            let report = setting
                .reports()
                .into_iter()
                .find(|report| report.next.iter().any(|next| next.contains(&line)));
            let report = report.unwrap_or_else(|| panic!("{line}: {}", setting.told()));
            assert_eq!(report.resource.as_ref(), Some(&loss.victim));
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
            let attempts = setting.world.our_write_attempts();
            let ends = setting.outcomes();
            setting.rest().await;
            assert_eq!(setting.world.our_write_attempts(), attempts, "{deed:?}");
            assert_eq!(setting.outcomes(), ends, "{deed:?} {}", setting.told());
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
            let (mut setting, loss) = account(deed, 31, policy).await;
            loss.happens(&setting);
            setting.rest().await;
            assert_eq!(successors(&setting.live()), [], "{deed:?}");
            let told = setting.reports_about(&loss.victim).remove(0);
            let reasons: Vec<String> = told
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
            let (mut setting, loss) = account(deed, 31, policy(Mode::Observe)).await;
            loss.happens(&setting);
            setting.settle().await;
            assert_eq!(setting.world.our_write_attempts(), 0);
            let report = setting.reports_about(&loss.victim).remove(0);
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
        let (mut setting, loss) = account(Deed::Group, 31, policy(Mode::Enforce)).await;
        loss.happens(&setting);
        setting.settle().await;
        let new = loss.is_made_good(&setting, "first");
        setting.world.advance(10 * MINUTE);
        let ResourceId::SecurityGroup(group) = &new else {
            panic!("{new}")
        };
        setting.play(&stranger(), allow(group, &[SSH])).await;
        setting.is_as_by_old_ids(&loss.before, "harmed");
        // And deleted again, it comes back again: the baselines follow to the third id.
        setting.world.advance(10 * MINUTE);
        let again = Loss {
            before: renamed(&loss.before, &loss.victim, &new),
            victim: new,
        };
        again.happens(&setting);
        setting.rest().await;
        again.is_made_good(&setting, "again");
    });
}

/// A state in which a resource has another id.
fn renamed(state: &State, old: &ResourceId, new: &ResourceId) -> State {
    let mut lineage = Lineage::default();
    lineage.record(old.as_str(), new.as_str());
    let renamed =
        |resource: &Resource| (resource.renamed(&lineage).id(), resource.renamed(&lineage));
    state.values().map(renamed).collect()
}

#[test]
fn groups_that_refer_to_each_other_both_come_back() {
    run(async {
        let mut setting = Setting::new(31, policy(Mode::Enforce));
        let one = make(&setting, "one", &[]);
        let two = make(&setting, "two", &[&format!("ingress tcp:1 {one}")]);
        let back = format!("ingress tcp:2 {two}");
        setting.does(&deployment(), allow(&one, &[&back]));
        setting.capture().await.unwrap();
        let before = setting.live();
        setting.does(&stranger(), Call::revoke(&one, [rule(&back)]));
        setting.does(&stranger(), delete_group(&two));
        setting.does(&stranger(), delete_group(&one));
        setting.rest().await;
        assert_eq!(successors(&setting.live()).len(), 2, "{}", setting.told());
        setting.is_as_by_old_ids(&before, "both");
        setting.all_ended_as(Outcome::Reverted, "all of them");
    });
}

#[test]
fn a_name_that_somebody_else_has_now_is_told_and_left_to_its_owner() {
    run(async {
        let (mut setting, loss) = account(Deed::Group, 31, policy(Mode::Enforce)).await;
        loss.happens(&setting);
        let thief = make(&setting, "batch", &[]);
        setting.rest().await;
        assert_eq!(successors(&setting.live()), []);
        let report = setting.reports_about(&loss.victim).remove(0);
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
        let (mut setting, loss) = account(Deed::Group, 31, policy(Mode::Enforce)).await;
        let thief = create_group(&setting, "batch");
        loss.happens(&setting);
        // The first event leads to the reader, whose rule cannot come back before its group.
        setting
            .world
            .interleave(When::BeforeAct(2), stranger(), thief);
        setting.rest().await;
        assert_eq!(successors(&setting.live()), [], "{}", setting.told());
        let report = setting.reports_about(&loss.victim).remove(0);
        assert!(
            matches!(report.outcome, Outcome::Refused | Outcome::Failed),
            "{}",
            setting.told()
        );
        setting.nothing_open("the end");
    });
}
