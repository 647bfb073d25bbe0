//! A resource goes back to an older generation of its baseline.

use super::{METRICS, after_a_deployment, app, to_generation};
use snapback_app::port::Clock;
use snapback_app::rollback::{self, RollbackError, To};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, When};
use snapback_tests::*;

/// A rule of a second generation.
const SEARCH: &str = "ingress tcp:9200 10.0.0.0/16";

#[test]
fn a_group_goes_back_to_an_older_generation_and_the_guard_lets_it() {
    run(async {
        let (mut setting, before) = after_a_deployment(1).await;
        let id = app(&setting);
        goes_back(&setting, &to_generation(1, &id)).await;
        setting.is_back(&before);
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
        setting.is_quiet("generation 1").await;
    });
}

#[test]
fn a_time_means_the_baseline_that_stood_then() {
    run(async {
        let mut setting = guarded(2, Mode::Enforce).await;
        let before = setting.live();
        let good = setting.world.now();
        setting.world.advance(10 * MINUTE);
        setting.opens(&deployment(), METRICS).await;
        let id = app(&setting);
        goes_back(&setting, &wish(To::At(good), std::slice::from_ref(&id))).await;
        setting.is_back(&before);
        setting.is_quiet("time").await;
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
        let wish = to_generation(1, &app(&setting));
        let proposal = proposed(&setting, &wish).await;
        let shown: Vec<&str> = proposal
            .plan
            .steps
            .iter()
            .map(|step| step.action.api())
            .collect();
        assert_eq!(shown, ["RevokeSecurityGroupIngress"]);
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let refused = says_yes(&alice, &proposal).await.unwrap_err();
        assert!(matches!(refused, RollbackError::Moved(_)), "{refused}");
        assert_eq!(setting.writes(), 0);
        // The baseline as well.
        setting.settle().await;
        let proposal = proposed(&setting, &wish).await;
        goes_back(&setting, &wish).await;
        let refused = says_yes(&alice, &proposal).await.unwrap_err();
        assert!(matches!(refused, RollbackError::Moved(_)), "{refused}");
    });
}

#[test]
fn somebody_elses_call_in_the_middle_is_planned_around() {
    for number in 1..=2 {
        run(async {
            let (mut setting, before) = after_a_deployment(4).await;
            let office = rule("ingress tcp:22 198.51.100.0/24");
            let call = Call::revoke(&setting.layout.app, [office]);
            setting.play(&deployment(), call).await;
            let wish = to_generation(1, &app(&setting));
            setting.world.interleave(
                When::BeforeAct(number),
                stranger(),
                authorize(&setting, &[SSH]),
            );
            goes_back(&setting, &wish).await;
            setting.settle().await;
            setting.is_as(&before, &format!("{number}"));
            setting.is_quiet("in the middle").await;
        });
    }
}

#[test]
fn a_deleted_group_comes_back_as_it_was_in_an_older_generation() {
    run(async {
        let mut setting = Setting::new(8, policy(Mode::Observe));
        let batch = setting.make_group("batch", &[METRICS]);
        setting.capture().await.unwrap();
        let before = setting.live();
        setting.play(&deployment(), allow(&batch, &[SEARCH])).await;
        setting.play(&stranger(), delete_group(&batch)).await;
        let id: ResourceId = batch.clone().into();
        goes_back(&setting, &to_generation(1, &id)).await;
        setting.is_as_by_old_ids(&before, "generation 1");
        setting.is_quiet("made again").await;
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
        goes_back(&setting, &to_generation(2, &id)).await;
        let ResourceId::SecurityGroup(heir) = &heir else {
            panic!("{heir}")
        };
        let group = setting.group(heir);
        assert!(group.rules.contains_key(&rule(SEARCH)));
    });
}

#[test]
fn history_tells_who_when_and_why() {
    run(async {
        let (mut setting, _) = after_a_deployment(11).await;
        let id = app(&setting);
        setting.opens(&stranger(), SSH).await;
        goes_back(&setting, &to_generation(1, &id)).await;
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
