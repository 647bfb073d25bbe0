//! What changes in the middle of a story, and stories that belong together.

use snapback_app::guard::GuardError;
use snapback_engine::incident::{Body, Outcome, Report};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, When};
use snapback_tests::*;
use std::time::Duration;

#[test]
fn a_policy_turned_to_observe_in_the_middle_ends_the_story_without_a_call() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let body = setting.world.deliver_next().remove(0);
        let message = setting.invocation(&body, Duration::from_secs(4));
        // No time for a step: the story is left open.
        let left = setting.guard.handle_message(message).await;
        assert!(
            matches!(left, Err(GuardError::Interrupted { .. })),
            "{left:?}"
        );
        setting.guard.policy = policy(Mode::Observe);
        setting.handle(body).await;
        setting.settle().await;
        assert_eq!(setting.writes(), 0);
        setting.nothing_open("observe");
        setting.ended_as([Outcome::Alerted]);
    });
}

#[test]
fn a_trusted_edit_while_a_group_is_made_again_becomes_part_of_it() {
    run(async {
        let trust = format!("trusted: [\"{}\"]", deployment().arn());
        let mut setting = Setting::new(11, strict(&trust));
        let group = setting.make_group("batch", &["ingress tcp:443 10.0.0.0/16"]);
        setting.capture().await.unwrap();
        let app = setting.layout.app.clone();
        setting.world.interleave(
            When::AfterAct(1),
            deployment(),
            allow(&app, &["ingress tcp:7443 10.7.0.0/16"]),
        );
        setting.play(&stranger(), delete_group(&group)).await;
        setting.later(10 * MINUTE).await;
        let kept = setting.has("ingress tcp:7443 10.7.0.0/16");
        assert!(kept, "{}", setting.told());
        setting.none_ended_badly("a trusted edit");
        assert!(setting.dead.is_empty());
    });
}

#[test]
fn a_chain_of_deleted_groups_is_told_as_one_incident() {
    run(async {
        let mut setting = Setting::new(13, strict(""));
        let groups = setting.make_groups(2);
        let refers = format!("ingress tcp:5432 {}", groups[0]);
        setting.does(&deployment(), allow(&groups[1], &[&refers]));
        setting.capture().await.unwrap();
        setting
            .play_all(
                &stranger(),
                [
                    Call::revoke(&groups[1], [rule(&refers)]),
                    delete_group(&groups[0]),
                ],
            )
            .await;
        setting.all_ended_as(Outcome::Reverted, "all of them");
        let opened: Vec<(IncidentId, Option<IncidentId>)> = setting
            .world
            .journal()
            .into_iter()
            .filter_map(|entry| match entry.body {
                Body::Opened { part_of, .. } => Some((entry.incident, part_of)),
                _ => None,
            })
            .collect();
        assert!(opened.len() >= 2, "{opened:?}");
        let first = &opened[0].0;
        assert_eq!(opened[0].1, None);
        for (_, part_of) in &opened[1..] {
            assert_eq!(part_of.as_ref(), Some(first), "{opened:?}");
        }
        let told = setting.reports();
        let named = |report: &&Report| {
            let next = report.next.join(" ");
            next.contains(&format!("part of {first}"))
        };
        assert_eq!(told.iter().filter(named).count(), opened.len() - 1);
    });
}
