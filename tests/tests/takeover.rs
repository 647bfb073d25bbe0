//! Guards beside each other at the ports themselves: one that stood still while another took its lease
//! over, and those of two VPCs that share nothing but the account's count.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::guard::{Guard, Message};
use snapback_app::port::Clock;
use snapback_engine::incident::{Body, Outcome};
use snapback_engine::policy::Policy;
use snapback_model::*;
use snapback_sim::{Call, Principal, World};
use snapback_tests::*;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const OPEN: &str = "ingress tcp:22 0.0.0.0/0";

fn strict(yaml: &str) -> Policy {
    Policy::from_yaml(&format!("mode: strict\n{yaml}"), "test").unwrap()
}

fn another(setting: &Setting, holder: &str) -> Guard<World> {
    Guard {
        holder: holder.into(),
        ..setting.guard.clone()
    }
}

fn message<'a>(body: &'a str, setting: &Setting, lasts: Duration) -> Message<'a> {
    let now = setting.world.now();
    Message {
        body,
        arrived: now,
        deadline: now.checked_add(lasts).unwrap(),
        last_try: false,
    }
}

/// The calls that began, each by the number of the lease that it began under, in the order of the journal.
fn begun(setting: &Setting) -> Vec<u64> {
    let entries = setting.world.journal().into_iter();
    entries
        .filter_map(|entry| match entry.body {
            Body::StepStarted { fencing, .. } => Some(fencing),
            _ => None,
        })
        .collect()
}

/// How a guard stood that stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stood {
    /// Between two calls of its plan.
    Between,
    /// Inside a call: its step is in the journal, EC2 has not got it yet.
    Inside,
    /// It had ended.
    Ended,
}

/// Three entries of an ACL are gone: a plan of three calls. The first guard stands still after so many
/// of its port calls, until its lease is over and another guard has put all back; then it goes on.
async fn stands_still(calls: u32) -> Stood {
    let mut setting = Setting::new(5, strict(""));
    setting.capture().await.unwrap();
    let before = setting.live();
    let acl = setting.layout.db_acl.clone();
    let Some(Resource::NetworkAcl(state)) = setting.world.resource(&acl.clone().into()) else {
        panic!("the ACL");
    };
    for key in state.entries.keys().take(3) {
        let call = Call::DeleteNetworkAclEntry {
            acl: acl.clone(),
            key: *key,
        };
        does(&setting, &stranger(), call);
    }
    let body = setting.world.deliver_next().remove(0);
    let first = another(&setting, "guard-1");
    // Its invocation lasts long enough: what stops it is the lease and nothing else.
    let given = message(&body, &setting, Duration::from_secs(3600));
    let mut still = pin!(first.handle_message(given));
    for _ in 0..calls {
        let polled = poll_fn(|context| Poll::Ready(still.as_mut().poll(context))).await;
        if polled.is_ready() {
            return Stood::Ended;
        }
    }
    let begun_by_first = begun(&setting);
    let tried_by_first = setting.world.our_write_attempts();
    setting.world.advance(Duration::from_secs(70));
    let second = another(&setting, "guard-2");
    let given = message(&body, &setting, Duration::from_secs(120));
    let done = second.handle_message(given).await;
    assert!(done.is_ok(), "after {calls}: {done:?}");
    assert_eq!(setting.live(), before, "after {calls}");
    let (begun_by_both, tried) = (begun(&setting), setting.world.our_write_attempts());
    let inside = begun_by_first.len() > tried_by_first;
    let ended = still.await;
    // A call that it was in cannot be called back. None begins.
    assert_eq!(begun(&setting), begun_by_both, "after {calls}: {ended:?}");
    let more = setting.world.our_write_attempts() - tried;
    assert!(
        more <= usize::from(inside),
        "after {calls}: {more} calls, {ended:?}"
    );
    assert!(begun_by_both.is_sorted(), "{begun_by_both:?}");
    setting.settle().await;
    setting.world.advance(Duration::from_secs(600));
    setting.sweep().await;
    setting.settle().await;
    assert_eq!(setting.live(), before, "after {calls}");
    let records = setting.world.stored_records();
    assert!(records.values().all(|record| record.open.is_none()));
    assert!(
        outcomes(&setting)
            .iter()
            .all(|end| *end == Outcome::Reverted),
        "after {calls}: {:?}",
        outcomes(&setting)
    );
    if inside {
        Stood::Inside
    } else {
        Stood::Between
    }
}

#[test]
fn a_guard_that_stood_still_while_its_lease_was_taken_over_begins_no_further_call() {
    let mut seen = Vec::new();
    for calls in 1..200 {
        let stood = run(stands_still(calls));
        seen.push(stood);
        if stood == Stood::Ended {
            break;
        }
    }
    let count = |stood| seen.iter().filter(|seen| **seen == stood).count();
    assert_eq!(count(Stood::Ended), 1, "{seen:?}");
    assert!(count(Stood::Inside) >= 3, "in each of its calls: {seen:?}");
    assert!(count(Stood::Between) >= 8, "{seen:?}");
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
    (0..each)
        .flat_map(|number| {
            [
                (number, setting.layout.vpc.clone()),
                (number, other.clone()),
            ]
        })
        .map(|(number, vpc)| {
            let call = Call::CreateSecurityGroup {
                name: format!("many-{number}"),
                description: "one of many".into(),
                vpc: Some(vpc),
                tags: Tags::new(),
            };
            SecurityGroupId::new(setting.world.call(&deployment(), call).unwrap().first())
        })
        .collect()
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
                for (number, group) in groups.iter().enumerate() {
                    let who = Principal::user(&format!("user-{number}"));
                    does(&setting, &who, Call::authorize(group, [(rule(OPEN), None)]));
                }
                let mut bodies = Vec::new();
                while bodies.len() < 4 {
                    bodies.extend(setting.world.deliver_next());
                }
                let guards: Vec<_> = (0..4)
                    .map(|number| another(&setting, &format!("guard-{number}")))
                    .collect();
                let lasts = Duration::from_secs(60);
                let handle = |number: usize| {
                    guards[number].handle_message(message(&bodies[number], &setting, lasts))
                };
                let results = tokio::join!(handle(0), handle(1), handle(2), handle(3));
                let failed =
                    [results.0, results.1, results.2, results.3].map(|result| result.is_err());
                for (body, _) in bodies.iter().zip(failed).filter(|(_, failed)| *failed) {
                    setting.handle(body.clone()).await;
                }
                setting.settle().await;
                let case = format!("seed {seed}, limit {limit}: {:#?}", setting.delivered);
                assert_eq!(setting.world.our_writes().len(), limit, "{case}");
                let ends = outcomes(&setting);
                let braked = ends.iter().filter(|end| **end == Outcome::Braked).count();
                assert_eq!(braked, 1, "{ends:?} {case}");
                // Counting begins anew each time a person releases it.
                for _ in 0..4 {
                    let release =
                        r#"{"snapback":"release","what":"account","by":"ann","why":"seen"}"#;
                    setting.world.advance(Duration::from_secs(900));
                    setting.world.post(release, Duration::ZERO);
                    setting.settle().await;
                }
                assert_eq!(setting.live(), before, "{case}");
            });
        }
    }
}
