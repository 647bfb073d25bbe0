//! A person in an emergency: first working traffic after few calls, then the repair, and nothing stays
//! behind, whoever dies in the middle.

use super::is_finished;
use snapback_app::rollback::{Proposal, RollbackError, To, Wish};
use snapback_engine::incident::{Body, Outcome};
use snapback_engine::plan::{Emergency, StepSafety, safety};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault};
use snapback_tests::*;
use std::collections::BTreeSet;

/// Alice's wish in an emergency.
fn emergency(ids: &[ResourceId]) -> Wish {
    Wish {
        emergency: true,
        ..wish(To::Baseline, ids)
    }
}

/// The table of the public subnets.
fn public(setting: &Setting) -> ResourceId {
    setting.layout.public_table.clone().into()
}

/// Routes of a stranger that lead parts of the internet elsewhere.
fn hijack(setting: &Setting, table: &RouteTableId, count: u32) {
    for n in 0..count {
        let call = Call::CreateRoute {
            table: table.clone(),
            destination: format!("198.51.{n}.0/24").parse().unwrap(),
            target: RouteTarget::VpcPeeringConnection(setting.layout.peering.clone()),
        };
        setting.does(&stranger(), call);
    }
}

/// The fast variant of the plan that was shown.
fn found(proposal: &Proposal) -> &Emergency {
    let legs = proposal.legs.iter();
    let mut found = legs.filter_map(|leg| leg.emergency.as_ref());
    found
        .next()
        .unwrap_or_else(|| panic!("{:?}", proposal.remarks))
}

/// No step of it interrupts what is permitted before and after.
fn is_all_safe(proposal: &Proposal) {
    let found = found(proposal);
    let after = found.after(&proposal.live);
    for (live, plan) in [(&proposal.live, &found.fast), (&after, &found.repair)] {
        let told = safety(live, plan);
        assert_eq!(told.len(), plan.steps.len());
        assert!(
            told.iter().all(|step| *step == StepSafety::Safe),
            "{told:?}"
        );
    }
}

/// How many plans each story had, and the tables and ACLs made in all.
fn story(setting: &Setting) -> (Vec<usize>, Vec<String>) {
    let (mut plans, mut made) = (Vec::new(), Vec::new());
    let mut stories: Vec<IncidentId> = Vec::new();
    for entry in setting.world.journal() {
        if !stories.contains(&entry.incident) {
            stories.push(entry.incident.clone());
            plans.push(0);
        }
        if let Body::Planned { .. } = entry.body {
            *plans.last_mut().unwrap() += 1;
        }
    }
    for call in setting.world.ec2_calls() {
        let makes = ["CreateRouteTable", "CreateNetworkAcl"].contains(&call.api.as_str());
        if makes && call.error.is_none() && call.by.contains("alice") {
            made.push(call.api);
        }
    }
    (plans, made)
}

#[test]
fn a_table_full_of_foreign_routes_is_replaced_then_repaired_in_one_story() {
    run(async {
        let mut setting = guarded(1, Mode::Enforce).await;
        let before = setting.live();
        setting.world.lose_next_events(1000);
        hijack(&setting, &setting.layout.public_table, 30);
        let wish = emergency(&[public(&setting)]);
        let proposal = proposed(&setting, &wish).await;
        let emergency = found(&proposal);
        assert_eq!(emergency.ordinary, 30);
        assert!(emergency.calls < 8, "{}", emergency.calls);
        assert_eq!(emergency.calls, emergency.fast.steps.len());
        is_all_safe(&proposal);
        let done = goes_through(&setting, &proposal).await;
        assert_eq!(done.report.problems, Vec::<String>::new());
        setting.is_back(&before);
        let (plans, made) = story(&setting);
        assert_eq!((plans, made.len()), (vec![2], 1));
        let calls = emergency.fast.steps.len() + emergency.repair.steps.len();
        assert_eq!(setting.writes(), calls, "as shown");
        setting.is_quiet("table").await;
    });
}

#[test]
fn an_acl_full_of_denies_is_replaced_then_repaired() {
    run(async {
        let mut setting = guarded(2, Mode::Observe).await;
        let before = setting.live();
        for number in 1..=10 {
            let call = Call::CreateNetworkAclEntry {
                acl: setting.layout.db_acl.clone(),
                key: format!("ingress {number}").parse().unwrap(),
                entry: NetworkAclEntry::new(
                    RuleAction::Deny,
                    "all".parse().unwrap(),
                    format!("10.0.{number}.0/24").parse().unwrap(),
                ),
            };
            setting.does(&stranger(), call);
        }
        let wish = emergency(&[setting.layout.db_acl.clone().into()]);
        let proposal = proposed(&setting, &wish).await;
        is_all_safe(&proposal);
        goes_through(&setting, &proposal).await;
        setting.is_back(&before);
        setting.is_quiet("ACL").await;
    });
}

#[test]
fn a_table_of_the_vpc_that_says_the_same_takes_the_subnets_over() {
    run(async {
        let mut setting = Setting::new(3, policy(Mode::Observe));
        let made = Call::CreateRouteTable {
            vpc: setting.layout.vpc.clone(),
            tags: Tags::new(),
        };
        let spare = RouteTableId::new(setting.made(&deployment(), made));
        let target = RouteTarget::InternetGateway(setting.layout.internet_gateway.clone());
        let like = setting.table(&setting.layout.public_table);
        for (destination, route) in &like.routes {
            if route.target == target {
                let call = Call::CreateRoute {
                    table: spare.clone(),
                    destination: destination.clone(),
                    target: target.clone(),
                };
                setting.does(&deployment(), call);
            }
        }
        setting.capture().await.unwrap();
        let before = setting.live();
        hijack(&setting, &setting.layout.public_table, 5);
        let proposal = proposed(&setting, &emergency(&[public(&setting)])).await;
        let emergency = found(&proposal);
        let apis: BTreeSet<&str> = emergency
            .fast
            .steps
            .iter()
            .map(|step| step.action.api())
            .collect();
        assert_eq!(apis, BTreeSet::from(["ReplaceRouteTableAssociation"]));
        assert_eq!((emergency.calls, emergency.ordinary), (2, 5));
        says_yes(&alice(&setting), &proposal).await.unwrap();
        setting.is_back(&before);
        assert_eq!(story(&setting).1, Vec::<String>::new());
        setting.is_quiet("twin").await;
    });
}

#[test]
fn where_it_is_no_faster_the_ordinary_plan_is_run_and_said_so() {
    run(async {
        let mut setting = guarded(4, Mode::Observe).await;
        let before = setting.live();
        hijack(&setting, &setting.layout.public_table, 2);
        let proposal = proposed(&setting, &emergency(&[public(&setting)])).await;
        assert!(proposal.legs.iter().all(|leg| leg.emergency.is_none()));
        let remarks = proposal.remarks.join("\n");
        assert!(remarks.contains("the ordinary plan"), "{remarks}");
        goes_through(&setting, &proposal).await;
        setting.is_back(&before);
        setting.is_quiet("ordinary").await;
    });
}

#[test]
fn what_was_not_shown_is_not_run_in_an_emergency_either() {
    run(async {
        let setting = guarded(5, Mode::Observe).await;
        hijack(&setting, &setting.layout.public_table, 12);
        let proposal = proposed(&setting, &emergency(&[public(&setting)])).await;
        found(&proposal);
        hijack(&setting, &setting.layout.private_table, 1);
        says_yes(&alice(&setting), &proposal).await.unwrap();
        let setting = guarded(6, Mode::Observe).await;
        hijack(&setting, &setting.layout.public_table, 12);
        let proposal = proposed(&setting, &emergency(&[public(&setting)])).await;
        let call = Call::DeleteRoute {
            table: setting.layout.public_table.clone(),
            destination: "198.51.3.0/24".parse().unwrap(),
        };
        setting.does(&stranger(), call);
        let refused = says_yes(&alice(&setting), &proposal).await.unwrap_err();
        assert!(matches!(refused, RollbackError::Moved(_)), "{refused}");
        assert_eq!(setting.writes(), 0);
    });
}

/// A crash between any two effects, the one between the two plans among them: whoever goes on comes to
/// the end, with one stand-in at most, and it goes.
#[test]
fn a_run_that_dies_anywhere_is_finished_and_leaves_no_stand_in() {
    for again in [false, true] {
        let (mut crashes, mut half) = (0, 0);
        for calls in 0.. {
            let over = run(async {
                let mut setting = guarded(7, Mode::Enforce).await;
                let before = setting.live();
                setting.world.lose_next_events(1000);
                hijack(&setting, &setting.layout.public_table, 6);
                let wish = emergency(&[public(&setting)]);
                let died = dies_rolling_back(&setting, &wish, calls).await;
                crashes += usize::from(died);
                half += usize::from(setting.live().len() > before.len());
                is_finished(&mut setting, &wish, again).await;
                let words = format!("after {calls} calls, again {again}");
                setting.is_as(&before, &words);
                let calls_made = setting.world.ec2_calls();
                let made = calls_made
                    .iter()
                    .filter(|call| call.api == "CreateRouteTable" && call.error.is_none());
                assert!(made.count() <= 1, "{words}");
                setting.is_quiet(&words).await;
                !died
            });
            if over {
                break;
            }
        }
        assert!(crashes > 30 && half > 15, "{crashes} {half}");
    }
}

/// The story ended before its end: the next run uses what it made, and removes it.
#[test]
fn a_stand_in_that_a_failed_run_left_is_told_and_used_by_the_next() {
    run(async {
        let mut setting = guarded(8, Mode::Observe).await;
        let before = setting.live();
        hijack(&setting, &setting.layout.public_table, 20);
        let wish = emergency(&[public(&setting)]);
        let refused = Fault::Refused("UnauthorizedOperation");
        setting
            .world
            .fail("ReplaceRouteTableAssociation", refused, 1);
        let done = rolls_back(&setting, &wish).await.unwrap();
        assert_eq!(done.report.outcome, Outcome::Failed);
        let problems = done.report.problems.join("\n");
        assert!(problems.contains("was made to stand in for"), "{problems}");
        assert_eq!(setting.live().len(), before.len() + 1);
        // It is told as something without a baseline, and is given none.
        setting.rest().await;
        let told = setting.told();
        assert!(told.contains("snapback: while "), "{told}");
        assert_eq!(setting.world.stored_baselines().len(), before.len());
        goes_back(&setting, &wish).await;
        setting.is_back(&before);
        assert_eq!(story(&setting).1, ["CreateRouteTable"]);
        setting.is_quiet("failed").await;
    });
}

/// A table that leads to an endpoint, a NAT gateway and a peering: its stand-in does as well. What a VPN
/// gateway propagates no call makes: such a table has no variant.
#[test]
fn a_table_with_an_endpoint_is_stood_in_for_too() {
    run(async {
        let mut setting = Setting::new(9, policy(Mode::Observe));
        let propagation = Call::DisableVgwRoutePropagation {
            table: setting.layout.private_table.clone(),
            gateway: setting.layout.vpn_gateway.clone(),
        };
        setting.does(&deployment(), propagation);
        setting.capture().await.unwrap();
        let before = setting.live();
        hijack(&setting, &setting.layout.private_table, 40);
        let wish = emergency(&[setting.layout.private_table.clone().into()]);
        let proposal = proposed(&setting, &wish).await;
        is_all_safe(&proposal);
        let made: Vec<&str> = found(&proposal)
            .fast
            .steps
            .iter()
            .map(|step| step.action.api())
            .collect();
        assert!(made.contains(&"ModifyVpcEndpoint"), "{made:?}");
        goes_through(&setting, &proposal).await;
        setting.is_back(&before);
        setting.is_quiet("endpoint").await;
    });
}

/// A plan that no entry of the journal can hold is refused before anything is written, in plain words.
#[test]
fn a_goal_too_large_for_the_journal_is_refused_before_the_lease() {
    run(async {
        let mut setting = Setting::new(10, policy(Mode::Observe));
        let tags = |fill: &str| -> Tags {
            (0..40)
                .map(|n| (format!("{n:0>100}"), fill.repeat(250)))
                .collect()
        };
        let mut groups = Vec::new();
        for n in 0..16 {
            let call = create_tagged_group(&setting, &format!("large-{n}"), tags("a"));
            groups.push(SecurityGroupId::new(setting.made(&deployment(), call)));
        }
        setting.capture().await.unwrap();
        for group in &groups {
            let call = Call::CreateTags {
                targets: vec![group.to_string()],
                tags: tags("b"),
            };
            setting.does(&stranger(), call);
        }
        let ids: Vec<ResourceId> = groups.iter().cloned().map(Into::into).collect();
        let refused = rolls_back(&setting, &wish(To::Baseline, &ids))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, RollbackError::TooLarge { count: 16, .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("fewer resources"), "{refused}");
        assert!(setting.world.journal().is_empty());
        goes_back(&setting, &wish(To::Baseline, &ids[..4])).await;
    });
}
