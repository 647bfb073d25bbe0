//! How much may be reverted, call by call, resource by resource, and by all guards together.

use snapback_app::port::Braked;
use snapback_engine::finding::Severity;
use snapback_engine::incident::Outcome;
use snapback_model::*;
use snapback_sim::Call;
use snapback_tests::*;
use std::time::Duration;

#[test]
fn a_resource_reverted_too_often_is_left_alone_told_once_loudly_and_watched() {
    run(async {
        let mut setting =
            guarded_by(7, strict("budgets: { reverts-of-a-resource-an-hour: 2 }")).await;
        // By different people with different changes: no fight, but too much.
        for (number, port) in [22, 3389, 5432, 6379].into_iter().enumerate() {
            setting
                .opens(&user(number), &format!("ingress tcp:{port} 0.0.0.0/0"))
                .await;
            setting.world.advance(MINUTE);
        }
        setting.ended_as([
            Outcome::Reverted,
            Outcome::Reverted,
            Outcome::Braked,
            Outcome::Alerted,
        ]);
        let braked = &setting.reports_of(Outcome::Braked)[0];
        assert_eq!(braked.severity, Severity::Critical);
        assert!(!braked.executed);
        let words = braked.problems.join(" ");
        assert!(
            words.contains("budgets.reverts-of-a-resource-an-hour"),
            "{words}"
        );
        assert!(
            words.contains("3 reverts") && words.contains("limit is 2"),
            "{words}"
        );
        let next = braked.next.join(" ");
        assert!(next.contains(r#""snapback":"release""#), "{next}");
        let watched = &setting.reports_of(Outcome::Alerted)[0];
        assert!(watched.problems.join(" ").contains("the brake is on"));
        let made = setting.writes();
        // Nothing but a person takes it off: no sweep, no time.
        setting.later(Duration::from_secs(3 * 3600)).await;
        assert_eq!(setting.writes(), made);
        assert_eq!(setting.reports_of(Outcome::Braked).len(), 1);
        let group = setting.layout.app.clone().into();
        setting.release(Braked::Resource(group)).await;
        assert!(
            setting
                .app_rules()
                .iter()
                .all(|text| !text.contains("0.0.0.0/0")
                    || text.contains("443")
                    || text.contains("80"))
        );
        let last: Vec<Outcome> = setting.outcomes().split_off(4);
        assert_eq!(
            last,
            [Outcome::Released, Outcome::Reverted],
            "{}",
            setting.told()
        );
    });
}

#[test]
fn a_plan_of_too_many_calls_is_not_made_and_may_be_released_as_it_is() {
    run(async {
        let mut setting = guarded_by(7, strict("budgets: { calls-a-plan: 1 }")).await;
        let group = setting.layout.app.clone();
        // No call puts both right: a rule for a group does not become one for a network.
        let gone = setting
            .app_rules()
            .into_iter()
            .find(|text| text.contains("sg-"))
            .unwrap();
        let before = setting.live();
        setting.does(&stranger(), Call::revoke(&group, [rule(&gone)]));
        // One call could change the one into the other, were they of one direction.
        let out = "egress tcp:22 0.0.0.0/0";
        setting.opens(&stranger(), out).await;
        assert_eq!(setting.writes(), 0, "{}", setting.told());
        setting.ended_as([Outcome::Braked]);
        let report = &setting.reports()[0];
        assert!(report.problems.join(" ").contains("budgets.calls-a-plan"));
        assert!(report.steps.len() >= 2, "{:?}", report.steps);
        setting.release(Braked::Resource(group.into())).await;
        setting.is_back(&before);
    });
}

#[test]
fn too_many_resources_put_the_brake_on_for_the_account_and_its_release_brings_them_back() {
    run(async {
        let mut setting = Setting::new(
            3,
            strict("budgets: { resources-reverted-in-ten-minutes: 3 }"),
        );
        let groups = setting.make_groups(6);
        setting.capture().await.unwrap();
        let before = setting.live();
        for (number, group) in groups.iter().enumerate() {
            setting.play(&user(number), allow(group, &[SSH])).await;
        }
        let count = |outcome| setting.reports_of(outcome).len();
        assert_eq!(
            (
                count(Outcome::Reverted),
                count(Outcome::Braked),
                count(Outcome::Alerted)
            ),
            (3, 1, 2),
            "{}",
            setting.told()
        );
        let braked = &setting.reports_of(Outcome::Braked)[0];
        assert!(
            braked.problems.join(" ").contains("4 resources"),
            "{:?}",
            braked.problems
        );
        assert_eq!(braked.severity, Severity::Critical);
        setting.later(60 * MINUTE).await;
        assert_eq!(setting.writes(), 3, "time does not take it off");
        setting.release(Braked::Account).await;
        setting.is_back(&before);
        assert_eq!(setting.reports_of(Outcome::Released).len(), 1);
    });
}

#[test]
fn guards_side_by_side_do_not_revert_more_than_the_account_may() {
    run(async {
        for seed in 0..8 {
            let policy = strict("budgets: { resources-reverted-in-ten-minutes: 2 }");
            let mut setting = Setting::new(seed, policy);
            let groups = setting.make_groups(4);
            setting.capture().await.unwrap();
            setting.open_all(&groups);
            all_four_at_once(&mut setting).await;
            assert_eq!(setting.writes(), 2, "seed {seed}: {}", setting.told());
            let braked = setting.reports_of(Outcome::Braked);
            assert_eq!(braked.len(), 1, "seed {seed}: {}", setting.told());
        }
    });
}

/// Groups of the shop's VPC and of the default VPC, by turns.
fn groups_of_two_vpcs(setting: &Setting, each: usize) -> Vec<SecurityGroupId> {
    let live = setting.live();
    let found = live.values().find_map(|resource| match resource {
        Resource::SecurityGroup(group) => {
            group.vpc.clone().filter(|vpc| *vpc != setting.layout.vpc)
        }
        _ => None,
    });
    let other = found.expect("the default VPC");
    let vpcs = [setting.layout.vpc.clone(), other];
    let turns = (0..each).flat_map(|number| vpcs.iter().map(move |vpc| (number, vpc)));
    turns
        .map(|(number, vpc)| {
            let call = Call::CreateSecurityGroup {
                name: format!("many-{number}"),
                description: "one of many".into(),
                vpc: Some(vpc.clone()),
                tags: Tags::new(),
            };
            SecurityGroupId::new(setting.made(&deployment(), call))
        })
        .collect()
}

/// Four guards handle a message each at the same time; what fails comes again.
async fn all_four_at_once(setting: &mut Setting) {
    let bodies = setting.arriving(4);
    let guards = [0, 1, 2, 3].map(|number| setting.another(&format!("guard-{number}")));
    let handle = |number: usize| {
        let message = setting.invocation(&bodies[number], MINUTE);
        guards[number].handle_message(message)
    };
    let results = tokio::join!(handle(0), handle(1), handle(2), handle(3));
    let failed = [results.0, results.1, results.2, results.3].map(|result| result.is_err());
    for (body, _) in bodies.iter().zip(failed).filter(|(_, failed)| *failed) {
        setting.handle(body.clone()).await;
    }
    setting.settle().await;
}

#[test]
fn guards_of_two_vpcs_share_no_lease_and_still_keep_the_accounts_budget_exactly() {
    for seed in 0..12 {
        for limit in [1, 2, 3] {
            run(async {
                let text = format!("budgets: {{ resources-reverted-in-ten-minutes: {limit} }}");
                let mut setting = Setting::new(seed, strict(&text));
                let groups = groups_of_two_vpcs(&setting, 2);
                setting.capture().await.unwrap();
                let before = setting.live();
                setting.open_all(&groups);
                all_four_at_once(&mut setting).await;
                let case = format!("seed {seed}, limit {limit}: {}", setting.told());
                assert_eq!(setting.writes(), limit, "{case}");
                assert_eq!(setting.reports_of(Outcome::Braked).len(), 1, "{case}");
                // Counting begins anew each time a person releases it.
                for _ in 0..4 {
                    setting.world.advance(15 * MINUTE);
                    setting.release(Braked::Account).await;
                }
                setting.is_as(&before, &case);
            });
        }
    }
}
