//! Stories about too much: a controller that fights, a script that changes everything.

use super::{Scene, parsed, pipeline, policy};
use crate::{ACCOUNT, Call, Principal, SimChannel};
use snapback_app::port::{Braked, Command};
use snapback_engine::policy::Mode;
use snapback_model::*;
use std::time::Duration;

/// Rounds after which the breaker opens, by default.
const ROUNDS: usize = 3;
/// Longer than the breaker's quiet time and than the time that reverts are counted in.
const LATER: Duration = Duration::from_secs(40 * 60);

/// Terraform with a role that the policy does not trust.
fn terraform() -> Principal {
    Principal {
        user_agent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/6.1".into(),
        ..Principal::role(format!("arn:aws:iam::{ACCOUNT}:role/platform"), "run-17")
    }
}

/// The texts of those messages on SNS whose subject says `word`.
fn told(scene: &Scene<'_>, word: &str) -> Vec<String> {
    SimChannel::new(&scene.station.world, "sns")
        .shown()
        .into_iter()
        .filter(|shown| shown.message.subject.contains(word))
        .map(|shown| shown.message.text)
        .collect()
}

pub(super) fn a_fight(scene: &mut Scene<'_>) -> Result<(), String> {
    let app = scene.station.layout.app.clone();
    let rule: RuleKey = parsed("ingress tcp:22 0.0.0.0/0")?;
    for round in 0..=ROUNDS {
        let what = match round {
            0 => "opens ssh to the internet: its code says so".to_owned(),
            _ => format!("plans again, sees its rule missing, opens ssh again: round {round}"),
        };
        let call = Call::authorize(&app, [(rule.clone(), None)]);
        scene
            .station
            .act(&terraform(), "terraform (role platform)", &what, call)?;
        scene.station.settle()?;
        scene.station.world.advance(Duration::from_secs(120));
    }
    let here = |scene: &Scene<'_>| scene.station.world.rule_id(&app, &rule).is_some();
    let so = here(scene) && scene.station.our_apis().len() == ROUNDS;
    scene.demand(
        so,
        "taken back three times; the fourth time the breaker opened and nothing more was written",
    )?;
    scene.station.sweep()?;
    let alerts = told(scene, "BRAKED");
    let named = alerts
        .iter()
        .any(|text| text.contains("role/platform") && text.contains("breaker is open"));
    scene.demand(
        alerts.len() == 1 && named && scene.station.our_apis().len() == ROUNDS,
        "one alert names the controller that fights; a sweep adds none",
    )?;
    scene
        .station
        .note("somebody stops terraform; after half an hour without it the sweep looks again");
    scene.station.world.advance(LATER);
    scene.station.sweep()?;
    scene.demand(
        !here(scene) && scene.station.our_apis().len() == ROUNDS.saturating_add(1),
        "nothing came from it for the quiet time: the breaker closed by itself, the rule is gone",
    )
}

/// Calls of the script.
const CALLS: usize = 1000;
/// Groups that it finds beside those of the account.
const SERVICES: usize = 38;
/// Rules of each.
const RULES: u16 = 2;
/// How often it exchanges each rule.
const PASSES: u8 = 6;
/// How many calls it makes before the messages of those before have arrived.
const BURST: usize = 10;
/// From call to call.
const PACE: Duration = Duration::from_millis(25);

pub(super) fn a_thousand_changes(scene: &mut Scene<'_>) -> Result<(), String> {
    scene.station.guard.policy = policy(Mode::Strict)?;
    for number in 1..=SERVICES {
        service(scene, number)?;
    }
    scene.station.capture("all services are there")?;
    scene.good = scene.station.world.snapshot().resources;
    let deeds: Vec<Vec<Call>> = scene.good.values().map(wreck).collect();
    let touched = deeds.iter().filter(|deeds| !deeds.is_empty()).count();
    let calls = in_turns(&deeds);
    let many = calls.len();
    scene.station.note(format!(
        "a clean-up script (role cost-saver) takes rules, entries and routes out of {touched} resources and puts others in: {many} calls"
    ));
    let script = Principal::role(
        format!("arn:aws:iam::{ACCOUNT}:role/cost-saver"),
        "cleanup.py",
    );
    let mut refused = 0_usize;
    for burst in calls.chunks(BURST) {
        for call in burst {
            // What was put back before the script came by again, EC2 refuses.
            if scene.station.world.call(&script, call.clone()).is_err() {
                refused = refused.saturating_add(1);
            }
            scene.station.world.advance(PACE);
        }
        scene.station.catch_up()?;
    }
    let early = scene.station.world.our_subjects();
    scene.demand(
        many == CALLS && refused < 20 && early.len() < 10,
        "a thousand calls; the first nine were taken back, then it was a mass change: the rest waited",
    )?;
    scene.station.settle()?;
    let alerts = told(scene, "BRAKED");
    let brake = alerts
        .iter()
        .any(|text| text.contains("budgets.resources-reverted-in-ten-minutes"));
    let back = scene.station.world.our_subjects();
    scene.demand(
        alerts.len() == 1 && brake && back.len() == 25,
        "once the script was quiet it was judged as one: 25 resources put back, then the brake, told once and loudly",
    )?;
    let made = scene.station.our_apis().len();
    scene.station.world.advance(LATER);
    scene.station.sweep()?;
    scene.demand(
        scene.station.our_apis().len() == made,
        "time does not take the brake off, a sweep does not",
    )?;
    scene
        .station
        .note("ann stops the script, looks at what is left, and releases the account: snapback release account --why …");
    release(scene)?;
    scene.station.settle()?;
    scene.demand(
        told(scene, "RELEASED").len() == 1 && told(scene, "BRAKED").len() == 1,
        "a person released it, and the rest was put back",
    )
}

/// One group of a service, with its rules.
fn service(scene: &Scene<'_>, number: usize) -> Result<(), String> {
    let world = &scene.station.world;
    let call = |call| {
        let made = world.call(&pipeline(), call);
        made.map_err(|error| error.to_string())
    };
    let made = call(Call::CreateSecurityGroup {
        name: format!("service-{number:02}"),
        description: "one of many".into(),
        vpc: Some(scene.station.layout.vpc.clone()),
        tags: Tags::new(),
    })?;
    let group = SecurityGroupId::new(made.first());
    let rules: Result<Vec<_>, String> = (0..RULES)
        .map(|index| {
            let text = format!("ingress tcp:{} 10.0.0.0/16", 8000 + index);
            Ok((parsed(&text)?, None))
        })
        .collect();
    call(Call::authorize(&group, rules?))?;
    let born = ["egress all 0.0.0.0/0", "egress all ::/0"].map(parsed);
    let [four, six] = born;
    call(Call::revoke(&group, [four?, six?])).map(drop)
}

/// To each resource in turn one thing, then to each the next.
fn in_turns(deeds: &[Vec<Call>]) -> Vec<Call> {
    let longest = deeds.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest)
        .flat_map(|turn| deeds.iter().filter_map(move |deeds| deeds.get(turn)))
        .take(CALLS)
        .cloned()
        .collect()
}

/// All that is allowed goes, and as much comes in for a network that does not exist. Nothing dangerous
/// is opened: that would not wait.
fn wreck(resource: &Resource) -> Vec<Call> {
    match resource {
        Resource::SecurityGroup(group) => wreck_group(group),
        Resource::NetworkAcl(acl) => wreck_acl(acl),
        Resource::RouteTable(table) => wreck_table(table),
    }
}

/// An address of ours that nothing has.
fn nowhere(pass: u8, index: u8) -> ipnet::IpNet {
    let address = std::net::Ipv4Addr::new(10, 0, 200_u8.saturating_add(pass), index);
    ipnet::IpNet::from(std::net::IpAddr::V4(address))
}

fn wreck_group(group: &SecurityGroup) -> Vec<Call> {
    let mut rules: Vec<RuleKey> = group.rules.keys().cloned().collect();
    let mut calls = Vec::new();
    for pass in 0..PASSES {
        for (rule, index) in rules.iter_mut().zip(0_u8..) {
            calls.push(Call::revoke(&group.id, [rule.clone()]));
            rule.peer = Peer::cidr(nowhere(pass, index));
            calls.push(Call::authorize(&group.id, [(rule.clone(), None)]));
        }
    }
    calls
}

fn wreck_acl(acl: &NetworkAcl) -> Vec<Call> {
    let mut calls = Vec::new();
    let allowing = acl.entries.iter();
    for ((key, entry), index) in allowing
        .filter(|(_, entry)| entry.action == RuleAction::Allow)
        .zip(0_u8..)
    {
        calls.push(Call::ReplaceNetworkAclEntry {
            acl: acl.id.clone(),
            key: *key,
            entry: NetworkAclEntry::new(RuleAction::Allow, entry.traffic, nowhere(0, index)),
        });
    }
    calls
}

fn wreck_table(table: &RouteTable) -> Vec<Call> {
    let created = |(_, route): &(&Destination, &Route)| route.origin == RouteOrigin::Created;
    let routes = table.routes.iter().filter(created);
    routes
        .filter(|(destination, _)| !matches!(destination, Destination::PrefixList(_)))
        .map(|(destination, _)| Call::DeleteRoute {
            table: table.id.clone(),
            destination: destination.clone(),
        })
        .collect()
}

/// A person takes the account's brake off.
fn release(scene: &Scene<'_>) -> Result<(), String> {
    let command = Command::Release {
        what: Braked::Account,
        by: "ann".into(),
        why: "the script is stopped".into(),
    };
    let body = serde_json::to_string(&command).map_err(|error| error.to_string())?;
    scene.station.world.post(body, Duration::ZERO);
    Ok(())
}
