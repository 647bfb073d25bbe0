//! A fight with a controller is ended by the guard, and what is no fight is none.

use snapback_app::port::Braked;
use snapback_engine::finding::Severity;
use snapback_engine::incident::Outcome;
use snapback_sim::Call;
use snapback_tests::*;
use std::time::Duration;

#[test]
fn terraform_that_applies_the_reverted_change_three_times_opens_the_breaker_once() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        for _ in 0..6 {
            // What is open already is nothing to apply.
            if !setting.has(SSH) {
                setting.opens(&terraform(), SSH).await;
            }
            setting.world.advance(2 * MINUTE);
        }
        setting.ended_as([
            Outcome::Reverted,
            Outcome::Reverted,
            Outcome::Reverted,
            Outcome::Braked,
        ]);
        let report = &setting.reports_of(Outcome::Braked)[0];
        let words = report.problems.join(" ");
        assert!(words.contains("role/platform"), "{words}");
        assert!(words.contains("3 times"), "{words}");
        assert_eq!(report.severity, Severity::Critical);
        assert!(
            report
                .next
                .iter()
                .any(|line| line.contains("closes by itself"))
        );
        // A sweep, another apply, a touch by hand: quiet, nothing is told again, nothing written.
        setting.sweep().await;
        setting.settle().await;
        setting
            .play(&terraform(), Call::revoke(&setting.layout.app, [rule(SSH)]))
            .await;
        setting.opens(&terraform(), SSH).await;
        assert_eq!(
            (setting.writes(), setting.reports().len()),
            (3, 4),
            "{}",
            setting.told()
        );
    });
}

#[test]
fn the_breaker_closes_by_itself_after_a_quiet_time_and_the_sweep_judges_afresh() {
    run(async {
        let mut setting = guarded_by(7, strict("breaker: { quiet: 10m }")).await;
        for _ in 0..4 {
            setting.opens(&terraform(), SSH).await;
            setting.world.advance(MINUTE);
        }
        assert_eq!(setting.reports_of(Outcome::Braked).len(), 1);
        setting.later(5 * MINUTE).await;
        assert!(setting.has(SSH), "not quiet for long enough");
        setting.later(6 * MINUTE).await;
        assert!(!setting.has(SSH), "{}", setting.told());
    });
}

#[test]
fn a_person_may_close_the_breaker() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        for _ in 0..4 {
            setting.opens(&terraform(), SSH).await;
        }
        let group = setting.layout.app.clone().into();
        setting.release(Braked::Resource(group)).await;
        assert!(!setting.has(SSH), "{}", setting.told());
    });
}

#[test]
fn the_same_group_opened_twice_within_a_week_is_reverted_twice() {
    run(async {
        let mut setting = guarded_by(7, strict("")).await;
        for _ in 0..2 {
            setting.opens(&stranger(), SSH).await;
            setting.world.advance(Duration::from_secs(3 * 24 * 3600));
        }
        setting.ended_as([Outcome::Reverted, Outcome::Reverted]);
    });
}

#[test]
fn different_changes_and_different_people_are_no_fight() {
    run(async {
        let mut setting =
            guarded_by(7, strict("budgets: { reverts-of-a-resource-an-hour: 50 }")).await;
        for number in 0..5 {
            setting.opens(&user(number), SSH).await;
            setting
                .opens(
                    &stranger(),
                    &format!("ingress tcp:{} 0.0.0.0/0", 3000 + number),
                )
                .await;
        }
        assert_eq!(setting.writes(), 10, "{}", setting.told());
        assert!(setting.reports_of(Outcome::Braked).is_empty());
    });
}
