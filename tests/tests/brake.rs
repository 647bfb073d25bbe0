//! What keeps Snapback from doing too much: leases, budgets, the breaker, quiet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::guard::{Ending, GuardError, Message};
use snapback_app::port::{Braked, Clock, Command, Inbox, RecheckReason};
use snapback_engine::finding::Severity;
use snapback_engine::incident::{Body, Outcome, Report};
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{Call, GroupBy, Principal, When};
use snapback_tests::*;
use std::collections::BTreeSet;
use std::time::Duration;

const OPEN: &str = "ingress tcp:22 0.0.0.0/0";
const WITHIN: &str = "ingress tcp:8443 10.9.0.0/16";
const MINUTE: Duration = Duration::from_secs(60);

fn terraform() -> Principal {
    Principal {
        user_agent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/6.1".into(),
        ..Principal::role("arn:aws:iam::111122223333:role/platform", "run-17")
    }
}

fn with(yaml: &str) -> Policy {
    let text = format!("mode: strict\n{yaml}");
    Policy::from_yaml(&text, "test").unwrap()
}

async fn account(yaml: &str) -> Setting {
    let mut setting = Setting::new(7, with(yaml));
    setting.capture().await.unwrap();
    setting
}

fn writes(setting: &Setting) -> usize {
    setting.world.our_writes().len()
}

fn reports_of(setting: &Setting, outcome: Outcome) -> Vec<Report> {
    let mut reports = setting.reports();
    reports.retain(|report| report.outcome == outcome);
    reports
}

fn all_of(setting: &Setting) -> String {
    let lines: Vec<_> = setting
        .reports()
        .into_iter()
        .map(|report| (report.outcome, report.label, report.steps, report.problems))
        .collect();
    format!("{lines:#?}\n{:#?}", setting.delivered)
}

async fn send(setting: &Setting, command: Command) {
    setting.world.send(&command, Duration::ZERO).await.unwrap();
}

async fn release(setting: &mut Setting, what: Braked) {
    let command = Command::Release {
        what,
        by: "ann".into(),
        why: "looked at it".into(),
    };
    send(setting, command).await;
    setting.settle().await;
}

async fn opens(setting: &mut Setting, who: &Principal, text: &str) {
    does(setting, who, authorize(setting, &[text]));
    setting.settle().await;
}

// ---- the lease ----

#[test]
fn every_step_names_the_lease_it_began_under_and_the_end_gives_it_back() {
    run(async {
        let mut setting = account("").await;
        for round in 1..=2_u64 {
            opens(&mut setting, &stranger(), OPEN).await;
            let numbers: Vec<u64> = setting
                .world
                .journal()
                .iter()
                .filter_map(|entry| match entry.body {
                    Body::StepStarted { fencing, .. } => Some(fencing),
                    _ => None,
                })
                .collect();
            assert_eq!(numbers.last(), Some(&round), "{numbers:?}");
            let lease = setting.world.stored_lease(&setting.layout.vpc);
            assert_eq!((lease.holder, lease.until), (None, None));
            assert_eq!(lease.fencing, round);
        }
    });
}

#[test]
fn two_guards_never_write_in_one_vpc_at_the_same_time() {
    run(async {
        for seed in 0..24 {
            let mut setting = Setting::new(seed, with(""));
            setting.capture().await.unwrap();
            let before = setting.live();
            let (group, acl) = (setting.layout.app.clone(), setting.layout.db_acl.clone());
            does(&setting, &stranger(), authorize(&setting, &[OPEN]));
            does(
                &setting,
                &stranger(),
                Call::DeleteNetworkAclEntry {
                    acl: acl.clone(),
                    key: first_entry(&setting, &acl),
                },
            );
            let mut bodies = setting.world.deliver_next();
            while bodies.len() < 2 {
                bodies.extend(setting.world.deliver_next());
            }
            let other = snapback_app::guard::Guard {
                holder: "guard-2".into(),
                ..setting.guard.clone()
            };
            let now = setting.world.now();
            let message = |body| Message {
                body,
                arrived: now,
                deadline: now.checked_add(MINUTE).unwrap(),
                last_try: false,
            };
            let (one, two) = tokio::join!(
                setting.guard.handle_message(message(&bodies[0])),
                other.handle_message(message(&bodies[1]))
            );
            for (result, body) in [(one, &bodies[0]), (two, &bodies[1])] {
                if let Err(error) = result {
                    assert!(matches!(error, GuardError::Busy { .. }), "{error}");
                    setting.handle(body.clone()).await;
                }
            }
            setting.settle().await;
            assert_eq!(setting.live(), before, "seed {seed}: {}", all_of(&setting));
            // Stories of one VPC follow each other: the numbers of their steps never go back.
            let numbers: Vec<(IncidentId, u64)> = setting
                .world
                .journal()
                .into_iter()
                .filter_map(|entry| match entry.body {
                    Body::StepStarted { fencing, .. } => Some((entry.incident, fencing)),
                    _ => None,
                })
                .collect();
            assert!(
                numbers.is_sorted_by_key(|(_, fencing)| *fencing),
                "{numbers:?}"
            );
            let stories: BTreeSet<_> = numbers.iter().cloned().collect();
            assert_eq!(stories.len(), 2, "{numbers:?}");
            let _ = group;
        }
    });
}

fn first_entry(setting: &Setting, acl: &NetworkAclId) -> EntryKey {
    let Some(Resource::NetworkAcl(acl)) = setting.world.resource(&acl.clone().into()) else {
        panic!("the ACL");
    };
    *acl.entries.keys().next().unwrap()
}

#[test]
fn a_guard_whose_lease_was_taken_over_begins_no_further_call() {
    run(async {
        let mut setting = account("").await;
        // Long enough for several calls; its holder stands still after the first.
        does(&setting, &stranger(), authorize(&setting, &[OPEN]));
        let group = setting.layout.app.clone();
        let gone = app_rules(&setting)
            .into_iter()
            .find(|text| text != OPEN)
            .unwrap();
        does(&setting, &stranger(), Call::revoke(&group, [rule(&gone)]));
        let body = setting.world.deliver_next().remove(0);
        let now = setting.world.now();
        let message = Message {
            body: &body,
            arrived: now,
            deadline: now.checked_add(MINUTE).unwrap(),
            last_try: false,
        };
        // Killed inside its story; another guard goes on once the lease is surely over.
        setting.world.kill_after(9);
        let ended = setting
            .world
            .run_until_crash(setting.guard.handle_message(message))
            .await;
        assert!(ended.is_none(), "killed: {ended:?}");
        let held = setting.world.stored_lease(&setting.layout.vpc);
        let record = setting.world.stored_records();
        let open = record[&group.clone().into()].clone();
        if held.holder.is_some() {
            let early = setting.guard.handle_message(message).await;
            assert!(early.is_ok() || matches!(early, Err(GuardError::Busy { .. })));
        }
        assert!(open.open.is_some() || held.holder.is_none());
        setting.world.advance(Duration::from_secs(70));
        setting.sweep().await;
        setting.settle().await;
        assert!(!app_rules(&setting).contains(&OPEN.to_owned()));
        let lease = setting.world.stored_lease(&setting.layout.vpc);
        assert_eq!(lease.holder, None);
    });
}

// ---- budgets ----

#[test]
fn a_resource_reverted_too_often_is_left_alone_told_once_loudly_and_watched() {
    run(async {
        let mut setting = account("budgets: { reverts-of-a-resource-an-hour: 2 }").await;
        // By different people with different changes: no fight, but too much.
        for (number, port) in [22, 3389, 5432, 6379].into_iter().enumerate() {
            let who = Principal::user(&format!("user-{number}"));
            opens(&mut setting, &who, &format!("ingress tcp:{port} 0.0.0.0/0")).await;
            setting.world.advance(MINUTE);
        }
        assert_eq!(
            outcomes(&setting),
            [
                Outcome::Reverted,
                Outcome::Reverted,
                Outcome::Braked,
                Outcome::Alerted
            ],
            "{}",
            all_of(&setting)
        );
        let braked = &reports_of(&setting, Outcome::Braked)[0];
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
        let watched = &reports_of(&setting, Outcome::Alerted)[0];
        assert!(watched.problems.join(" ").contains("the brake is on"));
        let made = writes(&setting);
        // Nothing but a person takes it off: no sweep, no time.
        setting.world.advance(Duration::from_secs(3 * 3600));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(writes(&setting), made);
        assert_eq!(reports_of(&setting, Outcome::Braked).len(), 1);
        let group = setting.layout.app.clone().into();
        release(&mut setting, Braked::Resource(group)).await;
        assert!(
            app_rules(&setting)
                .iter()
                .all(|text| !text.contains("0.0.0.0/0")
                    || text.contains("443")
                    || text.contains("80"))
        );
        let last: Vec<Outcome> = outcomes(&setting).split_off(4);
        assert_eq!(
            last,
            [Outcome::Released, Outcome::Reverted],
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn a_plan_of_too_many_calls_is_not_made_and_may_be_released_as_it_is() {
    run(async {
        let mut setting = account("budgets: { calls-a-plan: 1 }").await;
        let group = setting.layout.app.clone();
        // No call puts both right: a rule for a group does not become one for a network.
        let gone = app_rules(&setting)
            .into_iter()
            .find(|text| text.contains("sg-"))
            .unwrap();
        let before = setting.live();
        does(&setting, &stranger(), Call::revoke(&group, [rule(&gone)]));
        // One call could change the one into the other, were they of one direction.
        let out = "egress tcp:22 0.0.0.0/0";
        does(&setting, &stranger(), authorize(&setting, &[out]));
        setting.settle().await;
        assert_eq!(writes(&setting), 0, "{}", all_of(&setting));
        assert_eq!(
            outcomes(&setting),
            [Outcome::Braked],
            "{}",
            all_of(&setting)
        );
        let report = &setting.reports()[0];
        assert!(report.problems.join(" ").contains("budgets.calls-a-plan"));
        assert!(report.steps.len() >= 2, "{:?}", report.steps);
        release(&mut setting, Braked::Resource(group.into())).await;
        assert_eq!(setting.live(), before, "{}", all_of(&setting));
    });
}

fn make_groups(setting: &Setting, count: usize) -> Vec<SecurityGroupId> {
    (0..count)
        .map(|number| {
            let call = Call::CreateSecurityGroup {
                name: format!("many-{number}"),
                description: "one of many".into(),
                vpc: Some(setting.layout.vpc.clone()),
                tags: Tags::new(),
            };
            SecurityGroupId::new(setting.world.call(&deployment(), call).unwrap().first())
        })
        .collect()
}

#[test]
fn too_many_resources_put_the_brake_on_for_the_account_and_its_release_brings_them_back() {
    run(async {
        let mut setting =
            Setting::new(3, with("budgets: { resources-reverted-in-ten-minutes: 3 }"));
        let groups = make_groups(&setting, 6);
        setting.capture().await.unwrap();
        let before = setting.live();
        for (number, group) in groups.iter().enumerate() {
            let who = Principal::user(&format!("user-{number}"));
            does(&setting, &who, Call::authorize(group, [(rule(OPEN), None)]));
            setting.settle().await;
        }
        let told = outcomes(&setting);
        let count = |outcome| told.iter().filter(|told| **told == outcome).count();
        assert_eq!(
            (
                count(Outcome::Reverted),
                count(Outcome::Braked),
                count(Outcome::Alerted)
            ),
            (3, 1, 2),
            "{}",
            all_of(&setting)
        );
        let braked = &reports_of(&setting, Outcome::Braked)[0];
        assert!(
            braked.problems.join(" ").contains("4 resources"),
            "{:?}",
            braked.problems
        );
        assert_eq!(braked.severity, Severity::Critical);
        setting.world.advance(Duration::from_secs(3600));
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(writes(&setting), 3, "time does not take it off");
        release(&mut setting, Braked::Account).await;
        assert_eq!(setting.live(), before, "{}", all_of(&setting));
        assert_eq!(reports_of(&setting, Outcome::Released).len(), 1);
    });
}

#[test]
fn guards_side_by_side_do_not_revert_more_than_the_account_may() {
    run(async {
        for seed in 0..8 {
            let policy = with("budgets: { resources-reverted-in-ten-minutes: 2 }");
            let mut setting = Setting::new(seed, policy);
            let groups = make_groups(&setting, 4);
            setting.capture().await.unwrap();
            for (number, group) in groups.iter().enumerate() {
                let who = Principal::user(&format!("user-{number}"));
                does(&setting, &who, Call::authorize(group, [(rule(OPEN), None)]));
            }
            let mut bodies = Vec::new();
            while bodies.len() < 4 {
                bodies.extend(setting.world.deliver_next());
            }
            let guards: Vec<_> = (0..4)
                .map(|number| snapback_app::guard::Guard {
                    holder: format!("guard-{number}"),
                    ..setting.guard.clone()
                })
                .collect();
            let now = setting.world.now();
            let message = |number: usize| Message {
                body: &bodies[number],
                arrived: now,
                deadline: now.checked_add(MINUTE).unwrap(),
                last_try: false,
            };
            let results = tokio::join!(
                guards[0].handle_message(message(0)),
                guards[1].handle_message(message(1)),
                guards[2].handle_message(message(2)),
                guards[3].handle_message(message(3)),
            );
            for (number, result) in [results.0, results.1, results.2, results.3]
                .into_iter()
                .enumerate()
            {
                if result.is_err() {
                    setting.handle(bodies[number].clone()).await;
                }
            }
            setting.settle().await;
            assert_eq!(writes(&setting), 2, "seed {seed}: {}", all_of(&setting));
            let braked = reports_of(&setting, Outcome::Braked);
            assert_eq!(braked.len(), 1, "seed {seed}: {}", all_of(&setting));
        }
    });
}

// ---- the breaker ----

#[test]
fn terraform_that_applies_the_reverted_change_three_times_opens_the_breaker_once() {
    run(async {
        let mut setting = account("").await;
        for _ in 0..6 {
            // What is open already is nothing to apply.
            if !app_rules(&setting).contains(&OPEN.to_owned()) {
                opens(&mut setting, &terraform(), OPEN).await;
            }
            setting.world.advance(2 * MINUTE);
        }
        assert_eq!(
            outcomes(&setting),
            [
                Outcome::Reverted,
                Outcome::Reverted,
                Outcome::Reverted,
                Outcome::Braked
            ],
            "{}",
            all_of(&setting)
        );
        let report = &reports_of(&setting, Outcome::Braked)[0];
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
        does(
            &setting,
            &terraform(),
            Call::revoke(&setting.layout.app, [rule(OPEN)]),
        );
        setting.settle().await;
        opens(&mut setting, &terraform(), OPEN).await;
        assert_eq!(
            (writes(&setting), setting.reports().len()),
            (3, 4),
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn the_breaker_closes_by_itself_after_a_quiet_time_and_the_sweep_judges_afresh() {
    run(async {
        let mut setting = account("breaker: { quiet: 10m }").await;
        for _ in 0..4 {
            opens(&mut setting, &terraform(), OPEN).await;
            setting.world.advance(MINUTE);
        }
        assert_eq!(reports_of(&setting, Outcome::Braked).len(), 1);
        setting.world.advance(5 * MINUTE);
        setting.sweep().await;
        setting.settle().await;
        assert!(
            app_rules(&setting).contains(&OPEN.to_owned()),
            "not quiet for long enough"
        );
        setting.world.advance(6 * MINUTE);
        setting.sweep().await;
        setting.settle().await;
        assert!(
            !app_rules(&setting).contains(&OPEN.to_owned()),
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn a_person_may_close_the_breaker() {
    run(async {
        let mut setting = account("").await;
        for _ in 0..4 {
            opens(&mut setting, &terraform(), OPEN).await;
        }
        let group = setting.layout.app.clone().into();
        release(&mut setting, Braked::Resource(group)).await;
        assert!(
            !app_rules(&setting).contains(&OPEN.to_owned()),
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn the_same_group_opened_twice_within_a_week_is_reverted_twice() {
    run(async {
        let mut setting = account("").await;
        for _ in 0..2 {
            opens(&mut setting, &stranger(), OPEN).await;
            setting.world.advance(Duration::from_secs(3 * 24 * 3600));
        }
        assert_eq!(outcomes(&setting), [Outcome::Reverted, Outcome::Reverted]);
    });
}

#[test]
fn different_changes_and_different_people_are_no_fight() {
    run(async {
        let mut setting = account("budgets: { reverts-of-a-resource-an-hour: 50 }").await;
        for number in 0..5 {
            let who = Principal::user(&format!("user-{number}"));
            opens(&mut setting, &who, OPEN).await;
            opens(
                &mut setting,
                &stranger(),
                &format!("ingress tcp:{} 0.0.0.0/0", 3000 + number),
            )
            .await;
        }
        assert_eq!(writes(&setting), 10, "{}", all_of(&setting));
        assert!(reports_of(&setting, Outcome::Braked).is_empty());
    });
}

// ---- quiet ----

#[test]
fn what_a_tool_applies_waits_until_it_is_quiet_and_is_judged_as_one() {
    run(async {
        let mut setting = account("").await;
        let before = setting.live();
        for number in 0..5_u8 {
            let text = format!(
                "ingress tcp:{} 10.{number}.0.0/16",
                9000 + u16::from(number)
            );
            does(&setting, &terraform(), authorize(&setting, &[&text]));
            setting.world.advance(Duration::from_secs(10));
            for body in due(&setting) {
                setting.handle(body).await;
            }
            assert_eq!(writes(&setting), 0, "in the middle: {}", all_of(&setting));
        }
        let held = |delivered: &Delivered| {
            let ok = delivered.result.as_ref().ok();
            ok.is_some_and(|handled| handled.endings() == [Ending::Held])
        };
        assert!(setting.delivered.iter().any(held));
        setting.settle().await;
        assert_eq!(setting.live(), before, "{}", all_of(&setting));
        assert_eq!(
            outcomes(&setting),
            [Outcome::Reverted],
            "{}",
            all_of(&setting)
        );
        let actor = setting.reports()[0].actor.clone().unwrap();
        assert!(actor.principal.contains("platform"));
    });
}

/// What has arrived by now, without waiting for more.
fn due(setting: &Setting) -> Vec<String> {
    setting.world.deliver()
}

#[test]
fn an_opening_to_the_internet_does_not_wait() {
    run(async {
        let mut setting = account("").await;
        let at = setting.world.now();
        does(&setting, &terraform(), authorize(&setting, &[OPEN]));
        while setting.reports().is_empty() {
            for body in setting.world.deliver_next() {
                setting.handle(body).await;
            }
        }
        let took = setting.world.now().duration_since(at);
        assert!(
            took.as_secs() < 30,
            "{took:?} {:#?}",
            setting.reports()[0].findings
        );
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn nothing_waits_for_ever() {
    run(async {
        let mut setting = account("quiet: { after: 60s, longest: 3m }").await;
        let at = setting.world.now();
        let mut port = 9000;
        while setting.reports().is_empty() {
            port += 1;
            let text = format!("ingress tcp:{port} 10.9.0.0/16");
            does(&setting, &terraform(), authorize(&setting, &[&text]));
            setting.world.advance(Duration::from_secs(20));
            for body in due(&setting) {
                setting.handle(body).await;
            }
            setting.notify().await;
            assert!(port < 9040, "{}", all_of(&setting));
        }
        let waited = setting.world.now().duration_since(at);
        assert!((180..300).contains(&waited.as_secs()), "{waited:?}");
    });
}

#[test]
fn a_stack_that_is_deleted_is_judged_once_it_is_gone() {
    run(async {
        let mut setting = Setting::new(5, with(""));
        let groups = make_groups(&setting, 3);
        setting.capture().await.unwrap();
        let stack = Principal::cloudformation("arn:aws:iam::111122223333:role/stacks");
        for group in &groups {
            does(
                &setting,
                &stack,
                Call::DeleteSecurityGroup {
                    group: GroupBy::Id(group.clone()),
                },
            );
            setting.world.advance(Duration::from_secs(15));
            for body in due(&setting) {
                setting.handle(body).await;
            }
        }
        assert_eq!(writes(&setting), 0, "{}", all_of(&setting));
        setting.sweep().await;
        assert_eq!(setting.sweeps[0].as_ref().unwrap().missed, BTreeSet::new());
        setting.settle().await;
        assert_eq!(
            outcomes(&setting),
            [Outcome::Reverted, Outcome::Reverted, Outcome::Reverted],
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn a_mass_change_by_one_author_waits_and_one_change_does_not() {
    run(async {
        let mut setting = account("quiet: { changes: 3 }").await;
        let who = Principal::user("sam");
        for number in 0..6_u16 {
            let text = format!("ingress tcp:{} 10.9.0.0/16", 9000 + number);
            does(&setting, &who, authorize(&setting, &[&text]));
            setting.world.advance(Duration::from_secs(10));
            for body in due(&setting) {
                setting.handle(body).await;
            }
        }
        assert_eq!(outcomes(&setting).len(), 2, "{}", all_of(&setting));
        setting.settle().await;
        assert_eq!(
            outcomes(&setting),
            [Outcome::Reverted; 3],
            "{}",
            all_of(&setting)
        );
        assert!(
            app_rules(&setting)
                .iter()
                .all(|text| !text.contains("10.9."))
        );
    });
}

#[test]
fn what_its_author_took_back_itself_is_no_story() {
    run(async {
        let mut setting = account("").await;
        does(&setting, &terraform(), authorize(&setting, &[WITHIN]));
        setting.world.advance(Duration::from_secs(5));
        for body in due(&setting) {
            setting.handle(body).await;
        }
        does(
            &setting,
            &terraform(),
            Call::revoke(&setting.layout.app, [rule(WITHIN)]),
        );
        setting.settle().await;
        setting.world.advance(20 * MINUTE);
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(
            (setting.reports().len(), writes(&setting)),
            (0, 0),
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn a_message_that_never_came_does_not_leave_what_waits_forgotten() {
    run(async {
        let mut setting = account("").await;
        does(&setting, &terraform(), authorize(&setting, &[WITHIN]));
        for body in setting.world.deliver_next() {
            setting.handle(body).await;
        }
        // The message that looks again is lost.
        while !setting.world.deliver_next().is_empty() {}
        setting.world.advance(15 * MINUTE);
        setting.sweep().await;
        setting.settle().await;
        assert_eq!(
            outcomes(&setting),
            [Outcome::Reverted],
            "{}",
            all_of(&setting)
        );
    });
}

// ---- what changes in the middle ----

#[test]
fn a_policy_turned_to_observe_in_the_middle_ends_the_story_without_a_call() {
    run(async {
        let mut setting = account("").await;
        does(&setting, &stranger(), authorize(&setting, &[OPEN]));
        let body = setting.world.deliver_next().remove(0);
        let now = setting.world.now();
        let message = Message {
            body: &body,
            arrived: now,
            deadline: now.checked_add(Duration::from_secs(4)).unwrap(),
            last_try: false,
        };
        // No time for a step: the story is left open.
        let left = setting.guard.handle_message(message).await;
        assert!(
            matches!(left, Err(GuardError::Interrupted { .. })),
            "{left:?}"
        );
        setting.guard.policy = policy(Mode::Observe);
        setting.handle(body).await;
        setting.settle().await;
        assert_eq!(writes(&setting), 0);
        let open = setting.world.stored_records();
        assert!(
            open.values().all(|record| record.open.is_none()),
            "{open:#?}"
        );
        assert_eq!(
            outcomes(&setting),
            [Outcome::Alerted],
            "{}",
            all_of(&setting)
        );
    });
}

#[test]
fn a_trusted_edit_while_a_group_is_made_again_becomes_part_of_it() {
    run(async {
        let trust = format!("trusted: [\"{}\"]", deployment().arn());
        let mut setting = Setting::new(11, with(&trust));
        let group = make_groups(&setting, 1).remove(0);
        does(
            &setting,
            &deployment(),
            Call::authorize(&group, [(rule("ingress tcp:443 10.0.0.0/16"), None)]),
        );
        setting.capture().await.unwrap();
        let app = setting.layout.app.clone();
        setting.world.interleave(
            When::AfterAct(1),
            deployment(),
            Call::authorize(&app, [(rule("ingress tcp:7443 10.7.0.0/16"), None)]),
        );
        let gone = GroupBy::Id(group);
        does(
            &setting,
            &stranger(),
            Call::DeleteSecurityGroup { group: gone },
        );
        setting.settle().await;
        setting.world.advance(10 * MINUTE);
        setting.sweep().await;
        setting.settle().await;
        let kept = app_rules(&setting).contains(&"ingress tcp:7443 10.7.0.0/16".to_owned());
        assert!(kept, "{}", all_of(&setting));
        let bad = [Outcome::Failed, Outcome::Impostor, Outcome::Refused];
        assert!(
            outcomes(&setting)
                .iter()
                .all(|outcome| !bad.contains(outcome)),
            "{}",
            all_of(&setting)
        );
        assert!(setting.dead.is_empty());
    });
}

#[test]
fn a_recheck_by_a_person_does_not_wait_for_quiet() {
    run(async {
        let mut setting = account("").await;
        does(&setting, &terraform(), authorize(&setting, &[WITHIN]));
        for body in setting.world.deliver_next() {
            setting.handle(body).await;
        }
        assert_eq!(writes(&setting), 0);
        let at = setting.world.now();
        let command = Command::Recheck {
            resource: setting.layout.app.clone().into(),
            why: RecheckReason::Asked("now, please".into()),
            asked_at: at,
        };
        send(&setting, command).await;
        for body in setting.world.deliver_next() {
            setting.handle(body).await;
        }
        assert_eq!(writes(&setting), 1, "{}", all_of(&setting));
    });
}

// ---- chains ----

#[test]
fn a_chain_of_deleted_groups_is_told_as_one_incident() {
    run(async {
        let mut setting = Setting::new(13, with(""));
        let groups = make_groups(&setting, 2);
        let refers = format!("ingress tcp:5432 {}", groups[0]);
        does(
            &setting,
            &deployment(),
            Call::authorize(&groups[1], [(rule(&refers), None)]),
        );
        setting.capture().await.unwrap();
        for call in [
            Call::revoke(&groups[1], [rule(&refers)]),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(groups[0].clone()),
            },
        ] {
            does(&setting, &stranger(), call);
        }
        setting.settle().await;
        assert!(
            outcomes(&setting)
                .iter()
                .all(|outcome| *outcome == Outcome::Reverted),
            "{}",
            all_of(&setting)
        );
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

// ---- what is stored and sent ----

#[test]
fn records_with_brakes_and_fights_read_back_as_they_were_written() {
    run(async {
        let mut setting = account("budgets: { resources-reverted-in-ten-minutes: 1 }").await;
        for _ in 0..4 {
            opens(&mut setting, &terraform(), OPEN).await;
        }
        let account = setting.world.stored_account();
        assert!(!account.reverts.is_empty());
        let text = serde_json::to_string(&account).unwrap();
        let back: snapback_engine::incident::AccountRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(back, account);
        let records = setting.world.stored_records();
        assert!(records.values().any(|record| record.fight.is_some()));
        for record in records.values() {
            let text = serde_json::to_string(record).unwrap();
            let back: snapback_engine::incident::ResourceRecord =
                serde_json::from_str(&text).unwrap();
            assert_eq!(back, *record);
        }
        does(&setting, &terraform(), authorize(&setting, &[WITHIN]));
        for body in setting.world.deliver_next() {
            setting.handle(body).await;
        }
        let lease = setting.world.stored_lease(&setting.layout.vpc);
        let text = serde_json::to_string(&lease).unwrap();
        let back: snapback_engine::incident::Lease = serde_json::from_str(&text).unwrap();
        assert_eq!(back, lease);
    });
}

#[test]
fn what_an_author_is_known_for_reads_back() {
    run(async {
        use snapback_app::port::Journal;
        let mut setting = account("").await;
        does(&setting, &terraform(), authorize(&setting, &[WITHIN]));
        for body in setting.world.deliver_next() {
            setting.handle(body).await;
        }
        let activity = setting.world.activity(&terraform().arn()).await.unwrap();
        assert_eq!(activity.held.len(), 1, "{activity:#?}");
        let text = serde_json::to_string(&activity).unwrap();
        let back: snapback_engine::incident::Activity = serde_json::from_str(&text).unwrap();
        assert_eq!(back, activity);
    });
}

#[test]
fn the_words_that_release_are_a_command() {
    for what in [r#""account""#, r#"{"resource":"sg-0a"}"#] {
        let text = format!(r#"{{"snapback":"release","what":{what},"by":"ann","why":"seen"}}"#);
        let command: Command = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&command).unwrap(), text);
        assert!(matches!(command, Command::Release { .. }));
    }
}
