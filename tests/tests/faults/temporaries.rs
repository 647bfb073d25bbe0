//! A network ACL that stands in for another while that is rewritten: one is made, whoever dies or
//! interferes, and it goes.
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault, When};
use snapback_tests::*;
use std::time::Duration;

/// Entries of one direction that an ACL may hold, unless the quota was raised.
const FULL: usize = 20;

fn listed(port: u16) -> NetworkAclEntry {
    let traffic = Traffic::Tcp(PortRange::new(port, port).unwrap());
    NetworkAclEntry::new(RuleAction::Allow, traffic, "10.0.0.0/16".parse().unwrap())
}

fn ingress(number: u16) -> EntryKey {
    format!("ingress {number}").parse().unwrap()
}

/// The account with a full list: no single call exchanges two of its entries without a cut, and no
/// number is free for a block before them.
async fn full(seed: u64, mode: Mode) -> Setting {
    let mut setting = Setting::new(seed, policy(mode));
    let acl = setting.layout.db_acl.clone();
    let found = setting.acl(&acl);
    let held = found
        .entries
        .keys()
        .filter(|key| key.direction == Direction::Ingress)
        .count();
    // What it covers stands for itself then.
    setting.does(&deployment(), delete_entry(&acl, ingress(100)));
    for (number, port) in (held - 1..FULL).zip(21_u16..) {
        let call = Call::CreateNetworkAclEntry {
            acl: acl.clone(),
            key: ingress(200 + 10 * u16::try_from(number).unwrap()),
            entry: listed(port),
        };
        setting.does(&deployment(), call);
    }
    setting.capture().await.unwrap();
    setting
}

/// Two of the entries change places.
fn exchange(setting: &Setting) {
    let acl = setting.layout.db_acl.clone();
    let found = setting.acl(&acl);
    let at = |port: u16| {
        let mut all = found.entries.iter();
        let found = all.find(|(_, entry)| **entry == listed(port));
        *found.unwrap().0
    };
    for (key, port) in [(at(21), 22), (at(22), 21)] {
        let call = Call::ReplaceNetworkAclEntry {
            acl: acl.clone(),
            key,
            entry: listed(port),
        };
        setting.does(&stranger(), call);
    }
}

fn made(setting: &Setting) -> usize {
    let calls = setting.world.ec2_calls();
    let done = calls
        .iter()
        .filter(|call| call.api == "CreateNetworkAcl" && call.error.is_none());
    done.count()
}

fn temporaries(setting: &Setting) -> Vec<NetworkAcl> {
    let live = setting.live();
    let left = live
        .into_values()
        .filter(|resource| Temporary::of(resource).is_some());
    left.map(|resource| match resource {
        Resource::NetworkAcl(acl) => acl,
        other => panic!("{other:?}"),
    })
    .collect()
}

/// As before, with one made at most, and nobody has more to say.
async fn is_over(setting: &mut Setting, before: &State, most: usize, case: &str) {
    setting.is_as(before, case);
    assert!(made(setting) <= most, "{case}: {}", setting.told());
    setting.is_quiet(case).await;
}

/// The messages of what was just done.
fn events(setting: &mut Setting) -> Vec<String> {
    let mut bodies = setting.world.deliver_next();
    setting.world.advance(Duration::from_secs(30));
    bodies.extend(setting.world.deliver());
    bodies
}

fn findings(setting: &Setting) -> String {
    let reports = setting.reports().into_iter();
    let all = reports.flat_map(|report| report.findings);
    all.map(|finding| finding.meaning + "\n").collect()
}

/// The story with a crash after `calls` port calls; whether it crashed, and whether it left one behind.
async fn crashing(calls: u64, by_sweep: bool) -> (bool, bool) {
    let mut setting = full(21, Mode::Enforce).await;
    let before = setting.live();
    exchange(&setting);
    let bodies = events(&mut setting);
    let crashed = setting.dies_handling(&bodies[0], calls).await;
    let left = !temporaries(&setting).is_empty();
    if by_sweep {
        setting.world.lose_next_events(1000);
        setting.world.advance(Duration::from_secs(120));
        setting.rest().await;
    } else {
        setting.come_again(bodies);
        setting.settle().await;
    }
    let case = format!("crash after {calls} calls, by sweep {by_sweep}");
    is_over(&mut setting, &before, 1, &case).await;
    assert!(!setting.outcomes().contains(&Outcome::Failed), "{case}");
    (crashed, left)
}

#[test]
fn after_a_crash_at_any_call_one_was_made_and_none_is_left() {
    let (mut crashes, mut halves) = (0, 0);
    for calls in 0.. {
        let (crashed, left) = run(crashing(calls, false));
        if !crashed {
            break;
        }
        crashes += 1;
        halves += usize::from(left);
    }
    assert!(crashes > 60 && halves > 40, "{crashes} {halves}");
}

#[test]
fn after_a_crash_the_sweep_leads_there_too() {
    for calls in (6..130).step_by(9) {
        run(crashing(calls, true));
    }
}

/// EC2's answer to the first move of a subnet tells the association that the move back names: no read
/// comes between.
#[test]
fn the_way_back_needs_no_read_between() {
    run(async {
        let mut setting = full(20, Mode::Enforce).await;
        let before = setting.live();
        exchange(&setting);
        setting.settle().await;
        let calls = setting.world.ec2_calls();
        let moves: Vec<usize> = (0..calls.len())
            .filter(|index| calls[*index].api == "ReplaceNetworkAclAssociation")
            .collect();
        let (first, last) = (moves[0], *moves.last().unwrap());
        // What is older than two seconds is read again; six calls take less.
        let between = calls[first..last].iter().filter(|call| call.read);
        assert!(between.count() <= 1, "{calls:#?}");
        assert_eq!(moves.len(), 4);
        is_over(&mut setting, &before, 1, "two subnets").await;
    });
}

/// A user changes the ACL, or moves a subnet away from what stands in, before any of the calls.
#[test]
fn whoever_interferes_none_is_left() {
    let mut interfered = 0;
    for number in (1..60).step_by(3) {
        for moves in [false, true] {
            run(async {
                let mut setting = full(22, Mode::Enforce).await;
                let before = setting.live();
                exchange(&setting);
                let (acl, subnet) = (setting.layout.db_acl.clone(), &setting.layout.db_a);
                let call = if moves {
                    // The association of now, which is another one once the subnet was moved.
                    let association = setting.world.acl_association(subnet).unwrap();
                    let acl = setting.layout.default_acl.clone();
                    Call::ReplaceNetworkAclAssociation { association, acl }
                } else {
                    Call::DeleteNetworkAclEntry {
                        acl,
                        key: "egress 100".parse().unwrap(),
                    }
                };
                setting
                    .world
                    .interleave(When::BeforeAct(number), stranger(), call);
                let case = format!("before call {number}, moves {moves}");
                setting.rest().await;
                is_over(&mut setting, &before, 2, &case).await;
                let by = setting.world.ec2_calls().into_iter();
                interfered += by
                    .filter(|call| call.by.contains("mallory") && call.error.is_none())
                    .count()
                    - 2;
            });
        }
    }
    assert!(interfered > 12, "{interfered}");
}

/// The right to remove it is missing: that is told, and the next story of the VPC removes it.
#[test]
fn one_that_could_not_be_removed_is_told_and_goes_with_the_next_repair() {
    run(async {
        let mut setting = full(23, Mode::Enforce).await;
        let before = setting.live();
        setting.world.fail(
            "DeleteNetworkAcl",
            Fault::Refused("UnauthorizedOperation"),
            1,
        );
        exchange(&setting);
        setting.rest().await;
        let [left] = temporaries(&setting).try_into().unwrap();
        assert!(left.subnets.is_empty());
        let words = setting.told();
        assert!(words.contains("was made to stand in for"), "{words}");
        let told = findings(&setting);
        assert!(
            told.contains("is by its tags Snapback's stand-in for"),
            "{told}"
        );
        let stored = setting.world.stored_baselines();
        assert!(!stored.contains_key(&left.id.clone().into()));
        let deny = Call::CreateNetworkAclEntry {
            acl: setting.layout.default_acl.clone(),
            key: ingress(1),
            entry: NetworkAclEntry::new(
                RuleAction::Deny,
                Traffic::All,
                "0.0.0.0/0".parse().unwrap(),
            ),
        };
        setting.world.advance(Duration::from_secs(600));
        setting.does(&stranger(), deny);
        setting.rest().await;
        is_over(&mut setting, &before, 1, "not removed").await;
    });
}

/// The story fails while subnets stand behind it: nobody says that a stranger took them, and the next
/// story uses it.
#[test]
fn one_that_guards_subnets_when_a_story_fails_is_told_as_ours_and_used_again() {
    run(async {
        let mut setting = full(24, Mode::Enforce).await;
        let before = setting.live();
        let refused = Fault::Refused("UnauthorizedOperation");
        setting
            .world
            .fail_later("ReplaceNetworkAclEntry", 1, refused, 1);
        exchange(&setting);
        // The other event is lost.
        let bodies = events(&mut setting);
        setting.handle(bodies[0].clone()).await;
        setting.notify().await;
        let words = setting.told();
        let [left] = temporaries(&setting).try_into().unwrap();
        assert!(!left.subnets.is_empty(), "{words}");
        assert!(setting.outcomes().contains(&Outcome::Failed), "{words}");
        let ours = format!("{}, by its tags Snapback's stand-in for", left.id);
        let shown = format!("{:?}", setting.shown("slack"));
        assert!(shown.contains("was made to stand in for"), "{shown}");
        assert!(!shown.contains("was moved from"), "{shown}");
        setting.world.advance(Duration::from_secs(600));
        let more = Call::DeleteNetworkAclEntry {
            acl: setting.layout.db_acl.clone(),
            key: "egress 100".parse().unwrap(),
        };
        setting.does(&stranger(), more);
        setting.rest().await;
        is_over(&mut setting, &before, 1, "failed").await;
        let told = findings(&setting);
        assert!(told.contains(&ours), "{told}");
    });
}

/// Only what stands in for another is ever deleted, by the guard and by a person.
#[test]
fn a_network_acl_may_be_deleted_only_where_it_was_made_to_stand_in() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    for file in ["template.yaml", "infra/operator-policy.json"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let statements: Vec<&str> = text
            .split("Sid")
            .filter(|statement| {
                statement.contains("ec2:DeleteNetworkAcl\n")
                    || statement.contains("\"ec2:DeleteNetworkAcl\"")
            })
            .collect();
        let [statement] = statements.as_slice() else {
            panic!("{file}: {statements:?}");
        };
        for needed in [
            "aws:ResourceTag/snapback:incident\": \"false\"",
            &format!("{TEMPORARY_ACL}*"),
        ] {
            assert!(statement.contains(needed), "{file}: {needed}: {statement}");
        }
    }
}
