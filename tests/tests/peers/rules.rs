//! Rules of groups.

use super::{OFFICE, after_items, authorize_items, enforced};
use snapback_app::port::Clock;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use snapback_sim::{Call, RuleBy, RuleChange};
use snapback_tests::*;
use std::time::Duration;

#[test]
fn protocol_minus_one_from_anywhere_is_taken_back() {
    run(async {
        let (setting, before) = after_items(&[("all", &["0.0.0.0/0"])]).await;
        setting.is_back(&before);
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn one_item_with_ranges_of_both_families_loses_both() {
    run(async {
        let (setting, before) = after_items(&[("tcp:22", &["0.0.0.0/0", "::/0"])]).await;
        setting.is_back(&before);
    });
}

#[test]
fn of_two_items_only_the_risky_one_is_taken_back() {
    run(async {
        let items: [(&str, &[&str]); 2] =
            [("tcp:22", &["0.0.0.0/0"]), ("tcp:8443", &["10.3.0.0/16"])];
        let (setting, _) = after_items(&items).await;
        let rules = setting.app_rules();
        assert!(!rules.contains(&SSH.to_owned()), "{rules:?}");
        assert!(
            rules.contains(&"ingress tcp:8443 10.3.0.0/16".to_owned()),
            "{rules:?}"
        );
    });
}

#[test]
fn a_port_range_around_a_risky_port_is_taken_back() {
    for traffic in ["tcp:0-65535", "tcp:20-25"] {
        run(async {
            let (setting, before) = after_items(&[(traffic, &["0.0.0.0/0"])]).await;
            setting.is_as(&before, traffic);
        });
    }
}

#[test]
fn a_rule_widened_in_place_is_narrowed_again_under_its_id() {
    run(async {
        let (mut setting, before) = enforced().await;
        let narrow = rule("ingress tcp:22 198.51.100.0/24");
        let app = setting.layout.app.clone();
        let id = setting
            .world
            .rule_id(&app, &narrow)
            .expect("the office's rule");
        let call = Call::ModifySecurityGroupRules {
            group: app.clone(),
            changes: vec![RuleChange {
                id: id.clone(),
                traffic: narrow.traffic,
                peer: peer("0.0.0.0/0"),
                description: Some("temporarily".into()),
            }],
        };
        setting.play(&stranger(), call).await;
        setting.is_back(&before);
        assert_eq!(
            setting.world.rule_id(&app, &narrow),
            Some(id),
            "its id is kept"
        );
        assert_eq!(setting.world.our_apis(), ["ModifySecurityGroupRules"]);
    });
}

#[test]
fn two_halves_of_the_internet_are_the_internet() {
    run(async {
        let (setting, before) = after_items(&[("tcp:22", &["0.0.0.0/1", "128.0.0.0/1"])]).await;
        setting.is_back(&before);
    });
}

#[test]
fn a_prefix_list_that_holds_the_internet_is_the_internet() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let list = setting.layout.office_list.clone();
        setting.does(&deployment(), widen_office_list(&setting));
        setting.capture().await.unwrap();
        let before = setting.live();
        setting
            .play(
                &stranger(),
                authorize_items(&setting, &[("tcp:3389", &[list.as_str()])]),
            )
            .await;
        setting.is_back(&before);
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn a_prefix_list_widened_since_the_capture_is_the_internet() {
    run(async {
        let (mut setting, _) = enforced().await;
        let list = setting.layout.office_list.clone();
        setting
            .play(&deployment(), widen_office_list(&setting))
            .await;
        let before = setting.live();
        setting
            .play(
                &stranger(),
                authorize_items(&setting, &[("tcp:3389", &[list.as_str()])]),
            )
            .await;
        setting.is_back(&before);
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn all_traffic_from_a_group_beside_an_open_port_is_untouched() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let everything = format!("ingress all {}", setting.layout.web);
        setting.does(&deployment(), authorize(&setting, &[&everything]));
        setting.capture().await.unwrap();
        let before = setting.live();
        setting.opens(&stranger(), SSH).await;
        setting.is_back(&before);
        assert!(setting.has(&everything));
    });
}

#[test]
fn a_private_range_in_the_same_permission_as_the_internet_stays() {
    run(async {
        let (setting, _) = after_items(&[("tcp:22", &["0.0.0.0/0", "10.0.0.0/8"])]).await;
        let rules = setting.app_rules();
        assert!(
            rules.contains(&OFFICE.to_owned()) && !rules.contains(&SSH.to_owned()),
            "{rules:?}"
        );
    });
}

#[test]
fn a_group_opened_twice_within_a_week_is_taken_back_and_told_twice() {
    run(async {
        let (mut setting, before) = enforced().await;
        let open = authorize(&setting, &[SSH]);
        setting.play(&stranger(), open.clone()).await;
        setting.world.advance(Duration::from_secs(3 * 86_400));
        setting.play(&stranger(), open).await;
        setting.is_back(&before);
        setting.ended_as([Outcome::Reverted, Outcome::Reverted]);
        assert_eq!(setting.shown("sns").len(), 2);
    });
}

#[test]
fn a_new_description_moves_no_traffic_and_neither_does_its_revert() {
    run(async {
        let mut setting = guarded(7, Mode::Strict).await;
        let before = setting.live();
        let office = rule("ingress tcp:22 198.51.100.0/24");
        let call = Call::UpdateSecurityGroupRuleDescriptions {
            group: (&setting.layout.app).into(),
            direction: Direction::Ingress,
            descriptions: vec![(RuleBy::Key(office), Some("mine now".into()))],
        };
        setting.play(&stranger(), call).await;
        let made = setting.world.our_apis();
        assert!(
            made.iter()
                .all(|api| api == "UpdateSecurityGroupRuleDescriptionsIngress"),
            "no rule is written: {made:?}"
        );
        setting.is_back(&before);
    });
}

#[test]
fn a_group_that_was_open_already_and_is_opened_further_is_caught() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        setting.does(&deployment(), authorize(&setting, &[SSH]));
        setting.capture().await.unwrap();
        let before = setting.live();
        setting
            .opens(&stranger(), "ingress tcp:3389 0.0.0.0/0")
            .await;
        setting.is_back(&before);
        assert!(setting.has(SSH), "what was approved stays");
        setting.ended_as([Outcome::Reverted]);
    });
}

#[test]
fn what_is_left_alone_is_told_as_left_alone() {
    run(async {
        let (setting, _) = after_items(&[("tcp:22", &["0.0.0.0/0", "10.0.0.0/8"])]).await;
        let report = setting.reports().remove(0);
        let verdict_of = |text: &str| {
            let found = report
                .differences
                .iter()
                .find(|difference| difference.text.contains(text));
            found.map(|difference| difference.verdict)
        };
        assert_eq!(
            verdict_of("0.0.0.0/0"),
            Some(Verdict::Revert),
            "{:?}",
            report.differences
        );
        assert_eq!(
            verdict_of("10.0.0.0/8"),
            Some(Verdict::Alert),
            "{:?}",
            report.differences
        );
        assert!(report.ended_at <= setting.world.now());
    });
}
