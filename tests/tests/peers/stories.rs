//! What takes more than one call: deletions, fail-overs, controllers, events that come as they like.

use super::{authorize_items, enforced};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{Call, EventFaults, NatPlace, NatRequest};
use snapback_tests::*;
use std::time::Duration;

#[test]
fn a_deleted_group_comes_back_and_what_referred_to_it_follows() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let batch = setting.make_group("batch", &[]);
        let refers = format!("ingress tcp:5432 {batch}");
        let reader = setting.make_group("reader", &[&refers]);
        setting.capture().await.unwrap();
        let calls = vec![Call::revoke(&reader, [rule(&refers)]), delete_group(&batch)];
        setting.play_all(&stranger(), calls).await;
        let live = setting.live();
        let Some(Resource::SecurityGroup(successor)) = live.values().find(
            |resource| matches!(resource, Resource::SecurityGroup(group) if group.name.as_deref() == Some("batch")),
        ) else {
            panic!("batch is not there: {:?}", live.keys());
        };
        assert_ne!(successor.id, batch, "EC2 gives a new id");
        let group = setting.group(&reader);
        let follows = rule(&format!("ingress tcp:5432 {}", successor.id));
        assert!(
            group.rules.contains_key(&follows),
            "{:?}",
            group.rules.keys()
        );
        let baselines = setting.world.stored_baselines();
        assert!(
            baselines.contains_key(&successor.id.clone().into()),
            "lineage is kept"
        );
        let told = format!("{:?}", setting.shown("sns"));
        assert!(told.contains(batch.as_str()) && told.contains(successor.id.as_str()));
    });
}

#[test]
fn a_nat_fail_over_flips_the_default_route_and_nobody_fights_it() {
    run(async {
        let (mut setting, before) = enforced().await;
        let spare = Call::CreateNatGateway(NatRequest {
            place: NatPlace::Subnet(setting.layout.public_b.clone()),
            connectivity: Connectivity::Public,
            allocation: Some(setting.layout.spare_address.clone()),
            private: None,
            tags: Tags::new(),
        });
        let nat = setting.made(&deployment(), spare);
        let table = setting.layout.private_table.clone();
        setting.world.advance(5 * MINUTE);
        setting.settle().await;
        let text = format!(
            "allowed-targets: [{{ tables: [{table}], destination: 0.0.0.0/0, targets: [{}, {nat}] }}]",
            setting.layout.nat_gateway
        );
        let read = Policy::from_yaml(&text, "test").expect("a policy");
        setting.guard.policy.allowed_targets = read.allowed_targets;
        let lead_to = |target: RouteTarget| Call::ReplaceRoute {
            table: table.clone(),
            destination: default_route(),
            target,
        };
        let told = setting.shown("sns");
        setting
            .play(&stranger(), lead_to(RouteTarget::NatGateway(nat)))
            .await;
        setting.later(15 * MINUTE).await;
        assert_ne!(setting.live(), before, "the fail-over stays");
        assert_eq!(setting.world.our_apis(), Vec::<String>::new());
        assert_eq!(setting.shown("sns"), told, "nobody is called for it");
        let foreign = setting.layout.app_interface.to_string();
        let flip = lead_to(RouteTarget::NetworkInterface(foreign));
        setting.play(&stranger(), flip).await;
        setting.is_back(&before);
        assert_eq!(setting.world.our_apis(), ["ReplaceRoute"]);
    });
}

#[test]
fn an_event_twice_late_or_never_is_one_deviation() {
    run(async {
        let (mut setting, before) = enforced().await;
        setting.world.set_event_faults(EventFaults {
            duplicate: 1.0,
            ..EventFaults::default()
        });
        let open = authorize(&setting, &[SSH]);
        setting.does(&stranger(), open.clone());
        let stale = setting.world.deliver_next();
        setting.handle_all(stale.clone()).await;
        setting.settle().await;
        assert_eq!(
            (setting.live(), setting.outcomes()),
            (before.clone(), vec![Outcome::Reverted])
        );
        let calls = setting.world.our_write_attempts();
        // Hours later the queue brings it again: live is as it should be, so it means nothing.
        setting.world.advance(Duration::from_secs(6 * 3_600));
        setting.handle_all(stale).await;
        assert_eq!(setting.world.our_write_attempts(), calls);
        setting.ended_as([Outcome::Reverted]);
        setting.world.lose_next_events(1);
        setting.play(&stranger(), open).await;
        assert_ne!(setting.live(), before, "nobody told of it");
        setting.later(15 * MINUTE).await;
        setting.is_back(&before);
    });
}

#[test]
fn terraform_that_applies_the_reverted_change_three_times_opens_the_breaker_with_one_alert() {
    run(async {
        let (mut setting, before) = enforced().await;
        for _ in 0..4 {
            let call = authorize_items(&setting, &[("tcp:22", &["0.0.0.0/0"])]);
            setting.play(&terraform(), call).await;
            setting.later(2 * MINUTE).await;
        }
        assert_ne!(setting.live(), before, "the fourth time it stays");
        assert_eq!(setting.world.our_apis(), ["RevokeSecurityGroupIngress"; 3]);
        let braked = || {
            let shown = setting.shown("sns").into_iter();
            let subjects = shown.map(|shown| (shown.message.subject, shown.message.text));
            subjects
                .filter(|(subject, _)| subject.contains("BRAKED"))
                .map(|(_, text)| text)
                .collect::<Vec<_>>()
        };
        let alerts = braked();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(alerts[0].contains("role/platform"), "{}", alerts[0]);
        assert_eq!(setting.shown("sns").len(), 4, "three reverts and one alert");
        // Once it was quiet for long enough the breaker closes, and the account is as it was.
        setting.later(45 * MINUTE).await;
        setting.is_back(&before);
    });
}
