//! CloudTrail records: the shapes of cloudtrail-shapes.md, the actors, the way to the inbox.

use super::{mallory, open_ssh, rule, shop};
use crate::{
    Call, Chaos, EventFaults, Fault, GUARD_ROLE, Principal, Revoked, RuleBy, RuleChange, World,
};
use serde_json::{Value, json};
use snapback_app::port::{Actuate, Clock, Command, Inbox, RecheckReason};
use snapback_engine::change::{Actor, Interpretation, Own, interpret};
use snapback_engine::event;
use snapback_engine::plan::Action;
use snapback_model::*;
use std::time::Duration;

/// The `detail` of the one event that a call makes.
fn detail(world: &World, principal: &Principal, call: Call) -> Value {
    let _told_by_the_record = world.call(principal, call);
    let bodies = world.deliver_next();
    assert_eq!(bodies.len(), 1);
    let mut envelope: Value = serde_json::from_str(&bodies[0]).unwrap();
    assert_eq!(envelope["detail-type"], "AWS API Call via CloudTrail");
    assert_eq!(
        (&envelope["source"], &envelope["account"]),
        (&json!("aws.ec2"), &json!("111122223333"))
    );
    assert_eq!(envelope["resources"], json!([]));
    envelope["detail"].take()
}

fn actor(principal: &Principal) -> Actor {
    let (world, layout) = shop();
    let record = event::from_value(detail(&world, principal, open_ssh(&layout))).unwrap();
    let own = Own {
        account: Some(crate::ACCOUNT.into()),
        region: Some(crate::REGION.into()),
        roles: [GUARD_ROLE.to_owned()].into(),
        ..Own::default()
    };
    match interpret(&record, &own) {
        Interpretation::Change(change) | Interpretation::WithOurRole(change) => change.actor,
        Interpretation::Ignored(reason) => panic!("{reason:?}"),
    }
}

#[test]
fn flat_records_have_items_and_empty_collections() {
    let (world, layout) = shop();
    let detail = detail(&world, &mallory(), open_ssh(&layout));
    let asked = json!({"groupId": layout.app, "ipPermissions": {"items": [{
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
        "ipv6Ranges": {}, "prefixListIds": {},
    }]}});
    assert_eq!(detail["requestParameters"], asked);
    let rule_id = world
        .rule_id(&layout.app, &rule("ingress tcp:22 0.0.0.0/0"))
        .unwrap();
    let made = &detail["responseElements"]["securityGroupRuleSet"]["items"][0];
    assert_eq!(made["securityGroupRuleId"], json!(rule_id));
    assert_eq!(
        (&made["groupId"], &made["isEgress"], &made["fromPort"]),
        (&json!(layout.app), &json!(false), &json!(22))
    );
    assert_eq!(detail["responseElements"]["_return"], json!(true));
    assert_eq!(detail["eventTime"], "2026-03-02T09:00:00Z");
    assert!(detail.get("errorCode").is_none());
}

#[test]
fn all_traffic_has_no_ports_in_the_request_and_minus_one_in_the_response() {
    let (world, layout) = shop();
    let rules = ["ingress all 0.0.0.0/0", "ingress all ::/0"].map(|text| (rule(text), None));
    let detail = detail(&world, &mallory(), Call::authorize(&layout.app, rules));
    let item = &detail["requestParameters"]["ipPermissions"]["items"];
    assert_eq!(
        item.as_array().unwrap().len(),
        1,
        "one item for both families"
    );
    assert!(item[0].get("fromPort").is_none());
    let made = detail["responseElements"]["securityGroupRuleSet"]["items"]
        .as_array()
        .unwrap();
    assert_eq!(made.len(), 2);
    assert!(
        made.iter()
            .all(|rule| rule["fromPort"] == -1 && rule["toPort"] == -1)
    );
}

#[test]
fn the_short_form_leaves_permissions_empty_and_a_revoke_by_id_names_ids() {
    let (world, layout) = shop();
    let short = detail(
        &world,
        &mallory(),
        Call::authorize_short(&layout.app, rule("ingress tcp:23 0.0.0.0/0")),
    );
    let asked = json!({"groupId": layout.app, "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 23, "toPort": 23, "cidrIp": "0.0.0.0/0"});
    assert_eq!(short["requestParameters"], asked);
    let id = world
        .rule_id(&layout.app, &rule("ingress tcp:23 0.0.0.0/0"))
        .unwrap();
    let revoke = Call::RevokeSecurityGroup {
        group: (&layout.app).into(),
        direction: Direction::Ingress,
        rules: Revoked::Ids(vec![id.clone()]),
    };
    let revoked = detail(&world, &mallory(), revoke);
    assert_eq!(
        revoked["requestParameters"]["securityGroupRuleIds"],
        json!({"items": [{"securityGroupRuleId": id}]})
    );
    assert_eq!(
        revoked["responseElements"]["revokedSecurityGroupRuleSet"]["items"][0]["cidrIpv4"],
        "0.0.0.0/0"
    );
}

#[test]
fn wrapped_records_have_tags_and_guessed_types() {
    let (world, layout) = shop();
    let id = world
        .rule_id(&layout.app, &rule("ingress tcp:22 198.51.100.0/24"))
        .unwrap();
    let change = RuleChange {
        id: id.clone(),
        traffic: "all".parse().unwrap(),
        peer: "0.0.0.0/0".parse().unwrap(),
        description: Some("true".into()),
    };
    let modify = Call::ModifySecurityGroupRules {
        group: layout.app.clone(),
        changes: vec![change],
    };
    let modified = detail(&world, &mallory(), modify);
    let asked = json!({"ModifySecurityGroupRulesRequest": {"GroupId": layout.app, "SecurityGroupRule": {
        "SecurityGroupRuleId": id, "tag": 1, "SecurityGroupRule": {"IpProtocol": -1, "CidrIpv4": "0.0.0.0/0", "Description": true},
    }}});
    assert_eq!(modified["requestParameters"], asked);
    assert_eq!(
        modified["responseElements"]["ModifySecurityGroupRulesResponse"]["return"],
        json!(true)
    );
    let describe = Call::UpdateSecurityGroupRuleDescriptions {
        group: (&layout.app).into(),
        direction: Direction::Ingress,
        descriptions: ["ingress all 0.0.0.0/0", "ingress tcp:9100 pl-x"]
            .map(|text| (RuleBy::Key(rule(text)), None))
            .to_vec(),
    };
    let failed = detail(&world, &mallory(), describe);
    let list = &failed["requestParameters"]["UpdateSecurityGroupRuleDescriptionsIngressRequest"]["IpPermissions"];
    assert_eq!((&list[0]["tag"], &list[1]["tag"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&failed["errorCode"], &failed["responseElements"]),
        (&json!("Client.InvalidPermission.NotFound"), &Value::Null)
    );
}

#[test]
fn acl_and_route_records_are_flat_with_their_own_names() {
    let (world, layout) = shop();
    let entry = NetworkAclEntry::new(
        RuleAction::Deny,
        "icmp:8".parse().unwrap(),
        "0.0.0.0/0".parse().unwrap(),
    );
    let create = Call::CreateNetworkAclEntry {
        acl: layout.db_acl.clone(),
        key: "ingress 50".parse().unwrap(),
        entry,
    };
    let asked = json!({"networkAclId": layout.db_acl, "ruleNumber": 50, "egress": false, "ruleAction": "deny", "aclProtocol": "1",
        "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {"type": 8, "code": -1}, "portRange": {}});
    assert_eq!(
        detail(&world, &mallory(), create)["requestParameters"],
        asked
    );
    let made = detail(
        &world,
        &mallory(),
        Call::CreateNetworkAcl {
            vpc: layout.vpc.clone(),
            tags: Tags::new(),
        },
    );
    let entries = made["responseElements"]["networkAcl"]["entrySet"]["items"]
        .as_array()
        .unwrap();
    let numbers: Vec<_> = entries
        .iter()
        .map(|entry| entry["ruleNumber"].as_i64().unwrap())
        .collect();
    assert_eq!(
        numbers,
        [32767, 32768, 32767, 32768],
        "the fixed denies of both families"
    );
    let route = Call::ReplaceRoute {
        table: layout.public_table.clone(),
        destination: "0.0.0.0/0".parse().unwrap(),
        target: RouteTarget::NatGateway(layout.nat_gateway.clone()),
    };
    let asked = json!({"routeTableId": layout.public_table, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": layout.nat_gateway});
    assert_eq!(
        detail(&world, &mallory(), route)["requestParameters"],
        asked
    );
    let association = world
        .table_association(&AssociationSubject::Subnet(layout.public_a))
        .unwrap();
    let cut = detail(
        &world,
        &mallory(),
        Call::DisassociateRouteTable {
            association: association.clone(),
        },
    );
    assert_eq!(
        cut["requestParameters"],
        json!({"associationId": association}),
        "neither subnet nor table"
    );
}

#[test]
fn every_identity_is_read_back_as_the_actor_it_is() {
    let deploy = "arn:aws:iam::111122223333:role/ci/deploy";
    let role = actor(&Principal::role(deploy, "gitlab-42").with_source_identity("ana"));
    assert_eq!(
        (
            role.principal.as_str(),
            role.kind.as_str(),
            role.person.as_deref()
        ),
        (deploy, "AssumedRole", Some("ana"))
    );
    let stack = actor(&Principal::cloudformation(deploy));
    assert_eq!(
        (stack.principal.as_str(), stack.on_behalf_via.as_deref()),
        (deploy, Some("cloudformation.amazonaws.com"))
    );
    let user = actor(&mallory());
    assert_eq!(
        (user.principal.as_str(), user.kind.as_str(), user.console),
        ("arn:aws:iam::111122223333:user/mallory", "IAMUser", false)
    );
    let person = actor(&Principal::identity_center("Admin", "ana@example.com"));
    assert_eq!(
        (person.person.as_deref(), person.console),
        (Some("ana@example.com"), true)
    );
    assert!(person.principal.contains("AWSReservedSSO_Admin_"));
    assert_eq!(actor(&Principal::root()).kind, "Root");
    assert_eq!(actor(&Principal::guard()).principal, GUARD_ROLE);
}

#[test]
fn our_own_calls_are_recorded_with_the_request_id_of_the_receipt() {
    let (world, layout) = shop();
    let action = Action::DeleteRoute {
        table: layout.public_table.clone(),
        destination: "0.0.0.0/0".parse().unwrap(),
        from: RouteTarget::InternetGateway(layout.internet_gateway),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let receipt = runtime
        .block_on(world.act(&action, &Handles::default()))
        .unwrap();
    world.fail("DeleteRoute", Fault::Denied, 1);
    runtime
        .block_on(world.act(&action, &Handles::default()))
        .unwrap_err();
    world.advance(Duration::from_secs(10));
    let records: Vec<_> = world
        .deliver()
        .iter()
        .map(|body| event::parse(body.as_bytes()).unwrap())
        .collect();
    assert_eq!(records.len(), 2);
    assert!(
        records
            .iter()
            .any(|record| record.request == receipt.request && record.error.is_none())
    );
    assert!(
        records
            .iter()
            .any(|record| record.error.as_deref() == Some("UnauthorizedOperation"))
    );
}

fn storm(seed: u64) -> (World, Vec<String>) {
    let (world, layout) = crate::Builder::new(seed).build();
    world.set_event_faults(EventFaults {
        late: 0.3,
        late_by: Duration::from_secs(60),
        duplicate: 0.3,
        lose: 0.2,
        ..EventFaults::default()
    });
    world.set_chaos(Chaos::default());
    for port in 1..=40_u16 {
        let text = format!("ingress tcp:{port} 0.0.0.0/0");
        world
            .call(
                &mallory(),
                Call::authorize(&layout.web, [(rule(&text), None)]),
            )
            .unwrap();
        world.advance(Duration::from_millis(500));
    }
    let mut arrived = Vec::new();
    while world.pending() > 0 {
        arrived.extend(world.deliver_next());
    }
    (world, arrived)
}

#[test]
fn a_storm_loses_doubles_and_reorders_the_same_way_for_the_same_seed() {
    let ((_, first), (_, again), (_, other)) = (storm(3), storm(3), storm(4));
    assert_eq!(first, again);
    assert_ne!(first, other);
    let ports: Vec<_> = first
        .iter()
        .map(|body| serde_json::from_str::<Value>(body).unwrap()["detail"]["requestParameters"]["ipPermissions"]["items"][0]["fromPort"].as_i64().unwrap())
        .collect();
    let mut sorted = ports.clone();
    sorted.sort_unstable();
    assert_ne!(ports, sorted, "out of order");
    sorted.dedup();
    assert!(sorted.len() < ports.len(), "doubled");
    assert!(sorted.len() < 40, "lost");
}

#[test]
fn commands_come_through_the_same_inbox_and_planned_losses_hit_the_next_events() {
    let (world, layout) = shop();
    world.lose_next_events(1);
    world.duplicate_next_event(2);
    world.call(&mallory(), open_ssh(&layout)).unwrap();
    assert_eq!(world.pending(), 0, "lost");
    world
        .call(
            &mallory(),
            Call::revoke(&layout.app, [rule("ingress tcp:22 0.0.0.0/0")]),
        )
        .unwrap();
    assert_eq!(world.pending(), 3, "three copies");
    let command = Command::Recheck {
        resource: layout.app.into(),
        why: RecheckReason::Missed,
        asked_at: world.now(),
    };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(world.send(&command, std::time::Duration::ZERO))
        .unwrap();
    let first = world.deliver_next();
    assert_eq!(first.len(), 1);
    assert_eq!(serde_json::from_str::<Command>(&first[0]).unwrap(), command);
}
