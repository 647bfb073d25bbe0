//! Messages that are no change of anybody: failed, forged, our own, no event at all.

use super::after_rules;
use snapback_app::guard::Handled;
use snapback_engine::change::IgnoreReason;
use snapback_engine::finding::Severity;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_sim::{ACCOUNT, Principal};
use snapback_tests::*;

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
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let genuine = setting.world.deliver_next().remove(0);
        let forged = genuine.replace(ACCOUNT, "999999999999");
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
        setting.opens(&Principal::guard(), SSH).await;
        assert!(!setting.has(SSH));
        setting.ended_as([Outcome::Impostor, Outcome::Reverted]);
        let severity = setting.reports()[0].severity;
        assert_eq!(severity, Severity::Critical);
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
            setting.outcomes(),
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
