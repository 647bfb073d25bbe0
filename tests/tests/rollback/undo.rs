//! What the guard took back is let stand again.

use super::app;
use snapback_app::rollback;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::Call;
use snapback_tests::*;

#[test]
fn a_revert_is_undone_and_stays_undone() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let opened = setting.live();
        setting.settle().await;
        setting.ended_as([Outcome::Reverted]);
        let incident = setting.world.journal()[0].incident.clone();
        let alice = alice(&setting);
        let undo = rollback::undo(&alice.ports, &incident, "alice", "it was meant", false)
            .await
            .unwrap();
        assert_eq!(undo.plan.steps.len(), 1, "{:?}", undo.plan);
        let done = goes_through(&setting, &undo).await;
        assert_eq!(setting.live(), opened);
        setting.is_quiet("undone").await;
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
        setting.opens(&stranger(), SSH).await;
        let incident = setting.world.journal()[0].incident.clone();
        // Tolerated by the policy: it moves no packet.
        let tag = Call::CreateTags {
            targets: vec![setting.layout.app.to_string()],
            tags: Tags::from([("Seen".to_owned(), "yes".to_owned())]),
        };
        setting.play(&stranger(), tag).await;
        let alice = alice(&setting);
        let undo = rollback::undo(&alice.ports, &incident, "alice", "", false)
            .await
            .unwrap();
        assert!(
            undo.remarks.iter().any(|line| line.contains("Seen")),
            "{:?}",
            undo.remarks
        );
        goes_through(&setting, &undo).await;
        assert!(setting.has(SSH));
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
