//! What a trusted principal did becomes the good state, and nothing else does.

use snapback_app::port::{BaselineWrite, Clock};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, GUARD_ROLE, Logged, Staleness, World};
use snapback_tests::*;
use std::time::Duration;

/// What the deployment adds.
const DEPLOYED: &str = "ingress tcp:8443 10.0.0.0/16";

/// Makes a group with the deployment role and opens it to the world, as a deployment does.
fn deploys(setting: &Setting) -> ResourceId {
    setting.make_group("edge", &[SSH]).into()
}

/// Handles what is on its way in its order of arrival or in the other one.
async fn handle_arriving(setting: &mut Setting, crossed: bool) {
    let mut bodies = setting.all_arriving();
    if crossed {
        bodies.reverse();
    }
    setting.handle_all(bodies).await;
    setting.settle().await;
}

/// The baseline of a resource is what was accepted, and live is like it.
fn is_accepted(setting: &Setting, id: &ResourceId, case: &str) {
    let baseline = &setting.world.stored_baselines()[id];
    assert_eq!(baseline.provenance.origin, Origin::Accepted, "{case}");
    assert_eq!(setting.left(Some(id)), [], "{case}");
}

#[test]
fn a_trusted_and_a_strangers_change_in_either_order_end_alike() {
    for trusted_first in [true, false] {
        for events_crossed in [true, false] {
            run(async {
                let mut setting = guarded(5, Mode::Enforce).await;
                let calls = [
                    (deployment(), authorize(&setting, &[DEPLOYED])),
                    (stranger(), authorize(&setting, &[SSH])),
                ];
                let order: [usize; 2] = if trusted_first { [0, 1] } else { [1, 0] };
                for index in order {
                    let (who, call) = calls[index].clone();
                    setting.does(&who, call);
                }
                handle_arriving(&mut setting, events_crossed).await;
                let case = format!("trusted first {trusted_first}, crossed {events_crossed}");
                assert!(setting.has(DEPLOYED), "{case}");
                assert!(!setting.has(SSH), "{case}");
                is_accepted(&setting, &setting.layout.app.clone().into(), &case);
                let reverted = setting.reports_of(Outcome::Reverted).len();
                assert_eq!(reverted, 1, "{case}: {:?}", setting.outcomes());
            });
        }
    }
}

#[test]
fn a_trusted_birth_and_its_rules_end_accepted_in_either_order() {
    for crossed in [false, true] {
        run(async {
            let mut setting = guarded(5, Mode::Enforce).await;
            let id = deploys(&setting);
            let made = setting.world.resource(&id);
            handle_arriving(&mut setting, crossed).await;
            assert_eq!(setting.world.resource(&id), made, "crossed {crossed}");
            is_accepted(&setting, &id, &format!("crossed {crossed}"));
            assert_eq!(setting.world.our_write_attempts(), 0, "crossed {crossed}");
            setting.all_ended_as(Outcome::Accepted, &format!("crossed {crossed}"));
            assert!(setting.dead.is_empty());
        });
    }
}

#[test]
fn trusted_calls_in_a_row_are_not_drift_of_one_another() {
    for crossed in [false, true] {
        run(async {
            let mut setting = guarded(5, Mode::Enforce).await;
            setting.does(&deployment(), authorize(&setting, &[DEPLOYED]));
            setting.does(&deployment(), authorize(&setting, &[SSH]));
            let gone = Call::revoke(&setting.layout.app, [rule(DEPLOYED)]);
            setting.world.advance(Duration::from_secs(1));
            setting.does(&deployment(), gone);
            let made = setting.live();
            handle_arriving(&mut setting, crossed).await;
            assert_eq!(setting.live(), made, "crossed {crossed}");
            assert_eq!(setting.world.our_write_attempts(), 0, "crossed {crossed}");
            setting.all_ended_as(Outcome::Accepted, &format!("crossed {crossed}"));
        });
    }
}

#[test]
fn what_differs_beside_a_trusted_change_is_judged_when_no_event_explains_it() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.lose_next_events(1);
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        setting.opens(&deployment(), DEPLOYED).await;
        assert!(setting.has(DEPLOYED) && !setting.has(SSH));
        setting.ended_as([Outcome::Accepted, Outcome::Reverted]);
        assert!(setting.dead.is_empty());
    });
}

#[test]
fn rules_of_a_trusted_principal_on_a_group_nobody_accepted_are_told_once() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.lose_next_events(1);
        deploys(&setting);
        setting.settle().await;
        let refused = setting.reports_of(Outcome::Refused).len();
        assert_eq!(refused, 1, "{:?}", setting.outcomes());
        assert_eq!(setting.world.our_write_attempts(), 0);
        assert!(setting.dead.is_empty(), "the last try goes on");
    });
}

#[test]
fn a_trusted_removal_stays_removed_however_stale_the_reads() {
    run(async {
        let mut setting = guarded(5, Mode::Enforce).await;
        setting.world.set_staleness(Staleness {
            window: Duration::from_secs(3),
            chance: 0.7,
        });
        let http = rule("ingress tcp:80 0.0.0.0/0");
        let call = Call::revoke(&setting.layout.web, [http.clone()]);
        setting.play(&deployment(), call).await;
        assert_eq!(setting.world.rule_id(&setting.layout.web, &http), None);
        assert!(
            !setting.outcomes().contains(&Outcome::Failed),
            "{:?}",
            setting.outcomes()
        );
    });
}

/// Another guard folds the trusted removal of a rule once this one has read live.
async fn folds_a_removal_once_live_is_read(world: World, group: SecurityGroupId, gone: RuleKey) {
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
        if !world.ec2_calls().iter().any(|call| call.by == GUARD_ROLE) {
            continue;
        }
        let before = world.stored_baselines()[&group.into()].clone();
        let mut next = before.clone();
        let Some(Resource::SecurityGroup(good)) = &mut next.state else {
            panic!("a group: {before:?}");
        };
        assert!(good.rules.remove(&gone).is_some());
        let mark = Mark::new(world.now(), "a trusted removal".into());
        next.marks.insert(Element::Rule(gone), mark);
        next.generation = before.generation.next();
        next.parent = Some(before.digest());
        return world.put_baselines(&[next]).await.unwrap();
    }
    panic!("live was never read");
}

/// Found by hard storm 505022: the rule was put back by what had been good a moment before.
#[test]
fn what_another_guard_accepts_before_the_first_call_is_not_taken_back() {
    run(async {
        let trust = format!("trusted: [\"{}\"]", deployment().arn());
        let mut setting = guarded_by(5, strict(&trust)).await;
        let (world, app) = (setting.world.clone(), setting.layout.app.clone());
        let known = format!("ingress tcp:8080 {}", setting.layout.web);
        setting.does(&deployment(), Call::revoke(&app, [rule(&known)]));
        // Its own event is with the other guard.
        setting.lose_messages();
        setting.does(&stranger(), authorize(&setting, &[SSH]));
        let other = folds_a_removal_once_live_is_read(world.clone(), app, rule(&known));
        tokio::join!(setting.settle(), other);
        let case = setting.told();
        assert!(!setting.has(SSH) && !setting.has(&known), "{case}");
        let calls = world.ec2_calls();
        let wrong = |call: &&Logged| call.by == GUARD_ROLE && call.api.starts_with("Authorize");
        assert_eq!(calls.iter().filter(wrong).count(), 0, "{case}");
        setting.ended_as([Outcome::Reverted]);
    });
}
