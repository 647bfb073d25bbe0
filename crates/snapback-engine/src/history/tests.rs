#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::change::{Interpretation, Own, interpret};
use crate::event;
use serde_json::{Value, json};

const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const WORLD_SSH: &str = "ingress tcp:22 0.0.0.0/0";

fn at(second: u32) -> String {
    format!("2026-02-03T04:{:02}:{:02}Z", second / 60, second % 60)
}

fn record(second: u32, by: &str, api: &str, request: Value, response: Value) -> Value {
    json!({
        "eventTime": at(second), "eventSource": "ec2.amazonaws.com", "eventName": api,
        "awsRegion": "eu-central-1", "eventID": format!("e-{second}-{api}-{request}"),
        "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "readOnly": false,
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/x/y",
            "sessionContext": {"sessionIssuer": {"arn": by}}},
        "requestParameters": request, "responseElements": response
    })
}

fn step(record: Value) -> Step {
    let record = event::from_value(record).unwrap();
    match interpret(&record, &Own::default()) {
        Interpretation::Change(change) => Step::of(&record, *change),
        other => panic!("{other:?}"),
    }
}

fn by(second: u32, who: &str, api: &str, request: Value, response: Value) -> Step {
    step(record(second, who, api, request, response))
}

fn call(second: u32, api: &str, request: Value) -> Step {
    by(
        second,
        "arn:aws:iam::111122223333:role/someone",
        api,
        request,
        json!({"_return": true}),
    )
}

fn rule(cidr: &str, port: u16) -> Value {
    json!({"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIp": cidr})
}

fn entry(number: u16, action: &str) -> Value {
    json!({"networkAclId": "acl-1", "ruleNumber": number, "egress": false, "ruleAction": action,
        "aclProtocol": "-1", "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {}, "portRange": {}})
}

fn route(to: &str, target: &str) -> Value {
    json!({"routeTableId": "rtb-1", "destinationCidrBlock": to, "gatewayId": target})
}

fn group(rules: &[&str]) -> Resource {
    Resource::SecurityGroup(SecurityGroup {
        id: "sg-1".into(),
        name: Some("web".into()),
        description: None,
        vpc: Some("vpc-1".into()),
        owner: None,
        tags: Some(Tags::new()),
        rules: rules
            .iter()
            .map(|rule| (rule.parse().unwrap(), RuleDetail::default()))
            .collect(),
    })
}

fn acl(entries: &[(&str, &str)]) -> Resource {
    let entry = |text: &str| {
        let parts: Vec<&str> = text.split(' ').collect();
        let action = match parts[0] {
            "allow" => RuleAction::Allow,
            _ => RuleAction::Deny,
        };
        NetworkAclEntry::new(action, parts[1].parse().unwrap(), parts[2].parse().unwrap())
    };
    Resource::NetworkAcl(NetworkAcl {
        id: "acl-1".into(),
        vpc: "vpc-1".into(),
        owner: None,
        is_default: true,
        tags: Tags::new(),
        entries: entries
            .iter()
            .map(|(key, text)| (key.parse().unwrap(), entry(text)))
            .collect(),
        subnets: Default::default(),
    })
}

fn live(resources: impl IntoIterator<Item = Resource>) -> Snapshot {
    Snapshot {
        coverage: Kind::ALL.map(Coverage::Kind).into_iter().collect(),
        resources: resources
            .into_iter()
            .map(|resource| (resource.id(), resource))
            .collect(),
        ..Snapshot::empty("2026-02-03T05:00:00Z".parse().unwrap())
    }
}

fn enforce(more: &str) -> Policy {
    Policy::from_yaml(&format!("mode: enforce\n{more}"), "policy").unwrap()
}

fn outcomes(steps: Vec<Step>, live: Option<&Snapshot>, policy: &Policy) -> Vec<Outcome> {
    let steps = in_order(steps);
    let told = retell(&steps, live, policy);
    told.into_iter().map(|told| told.outcome).collect()
}

fn one(step: Step, live: Option<&Snapshot>) -> Outcome {
    outcomes(vec![step], live, &enforce(""))[0]
}

#[test]
fn a_rule_open_to_the_world_is_harm_whatever_the_state() {
    let step = call(1, "AuthorizeSecurityGroupIngress", rule("0.0.0.0/0", 22));
    let told = retell(&[step], None, &enforce(""));
    assert_eq!(told[0].outcome, Outcome::Reverted);
    assert!(told[0].is_harm() && !told[0].whole);
    assert_eq!(
        told[0].lines,
        ["sg-1: added: ingress tcp 22 from 0.0.0.0/0 (anyone, IPv4)"]
    );
    let harmless = call(1, "AuthorizeSecurityGroupIngress", rule("10.0.0.0/8", 443));
    assert_eq!(one(harmless, None), Outcome::Alerted);
}

#[test]
fn a_revoke_without_a_state_cannot_be_known_and_with_one_it_can() {
    let step = || call(1, "RevokeSecurityGroupIngress", rule("10.0.0.0/8", 443));
    assert_eq!(one(step(), None), Outcome::NotKnown(Reason::NoState));
    let end = live([group(&["egress all 0.0.0.0/0"])]);
    let told = retell(&[step()], Some(&end), &enforce(""));
    assert_eq!(told[0].outcome, Outcome::Reverted);
    assert!(told[0].whole);
}

#[test]
fn a_revoke_that_may_have_found_nothing_is_not_known() {
    let response = json!({"_return": true, "unknownIpPermissionSet": {"items": [{}]}});
    let step = by(
        1,
        DEPLOY,
        "RevokeSecurityGroupIngress",
        rule("10.0.0.0/8", 443),
        response,
    );
    let end = live([group(&[])]);
    assert_eq!(one(step, Some(&end)), Outcome::NotKnown(Reason::OldUntold));
}

#[test]
fn a_rule_that_stands_beside_an_open_one_is_judged_against_the_whole() {
    // Before the authorize everything was open already: the new rule opens nothing.
    let end = live([group(&[WORLD_SSH, "ingress all 0.0.0.0/0"])]);
    let step = call(1, "AuthorizeSecurityGroupIngress", rule("0.0.0.0/0", 22));
    let told = retell(&[step], Some(&end), &enforce(""));
    assert!(!told[0].is_harm(), "{:?}", told[0]);
    assert!(told[0].whole);
}

#[test]
fn what_replaced_an_unknown_entry_is_not_known_until_an_earlier_event_tells() {
    let end = live([acl(&[
        ("ingress 100", "allow all 0.0.0.0/0"),
        ("ingress 50", "deny all 0.0.0.0/0"),
    ])]);
    let replace = || call(20, "ReplaceNetworkAclEntry", entry(50, "deny"));
    assert_eq!(
        one(replace(), Some(&end)),
        Outcome::NotKnown(Reason::OldUntold)
    );
    let create = call(10, "CreateNetworkAclEntry", entry(50, "allow"));
    assert_eq!(
        outcomes(vec![replace(), create], Some(&end), &enforce("")),
        [Outcome::Alerted, Outcome::Reverted]
    );
}

#[test]
fn an_unknown_part_leaves_the_other_changes_of_its_resource_unknown() {
    let end = live([acl(&[
        ("ingress 100", "allow all 0.0.0.0/0"),
        ("ingress 50", "deny all 0.0.0.0/0"),
        ("ingress 60", "allow all 10.0.0.0/8"),
    ])]);
    let steps = vec![
        call(
            10,
            "CreateNetworkAclEntry",
            json!({"networkAclId": "acl-1", "ruleNumber": 60, "egress": false,
            "ruleAction": "allow", "aclProtocol": "-1", "cidrBlock": "10.0.0.0/8"}),
        ),
        call(20, "ReplaceNetworkAclEntry", entry(50, "deny")),
    ];
    let told = outcomes(steps, Some(&end), &enforce(""));
    assert_eq!(told[0], Outcome::NotKnown(Reason::OldUntold));
}

#[test]
fn a_created_entry_is_taken_for_new_and_that_is_said() {
    let end = live([acl(&[
        ("ingress 100", "allow all 0.0.0.0/0"),
        ("ingress 50", "deny all 0.0.0.0/0"),
    ])]);
    let step = call(10, "CreateNetworkAclEntry", entry(50, "deny"));
    let past = Past::of(std::slice::from_ref(&step), Some(&end));
    let id = "acl-1".parse().unwrap();
    let element: Element = "entry ingress 50".parse().unwrap();
    let honest = past.view(&id, step.second(), false);
    assert_eq!(honest.parts[&element], Err(Reason::PerhapsThere));
    let told = retell(&[step], Some(&end), &enforce(""));
    assert_eq!(told[0].outcome, Outcome::Reverted);
    assert!(told[0].assumed);
}

#[test]
fn a_trusted_change_is_accepted_and_its_harm_told() {
    let policy = enforce(&format!("trusted: [\"{DEPLOY}\"]"));
    let open = || {
        by(
            1,
            DEPLOY,
            "AuthorizeSecurityGroupIngress",
            rule("0.0.0.0/0", 22),
            json!({"_return": true}),
        )
    };
    let end = live([group(&[WORLD_SSH])]);
    let told = retell(&[open()], Some(&end), &policy);
    assert_eq!(told[0].outcome, Outcome::Accepted);
    assert!(told[0].is_harm());
    let untold = by(
        1,
        DEPLOY,
        "AuthorizeSecurityGroupIngress",
        Value::Null,
        json!({"groupId": "sg-1"}),
    );
    assert_eq!(outcomes(vec![untold], None, &policy), [Outcome::Alerted]);
}

#[test]
fn a_strangers_change_of_the_same_second_is_told_apart_from_a_trusted_one() {
    let policy = enforce(&format!("trusted: [\"{DEPLOY}\"]"));
    let steps = vec![
        by(
            5,
            DEPLOY,
            "AuthorizeSecurityGroupIngress",
            rule("10.0.0.0/8", 443),
            json!({"_return": true}),
        ),
        call(5, "AuthorizeSecurityGroupIngress", rule("0.0.0.0/0", 22)),
    ];
    let end = live([group(&["ingress tcp:443 10.0.0.0/8", WORLD_SSH])]);
    let mut told = outcomes(steps, Some(&end), &policy);
    told.sort();
    assert_eq!(told, [Outcome::Accepted, Outcome::Reverted]);
}

#[test]
fn two_calls_on_one_part_in_one_second_are_put_in_order_only_where_it_is_told() {
    let add = || call(5, "AuthorizeSecurityGroupIngress", rule("10.0.0.0/8", 443));
    let take = || call(5, "RevokeSecurityGroupIngress", rule("10.0.0.0/8", 443));
    let end = live([group(&[])]);
    let told = outcomes(vec![add(), take()], Some(&end), &enforce(""));
    assert_eq!(told, [Outcome::NotKnown(Reason::SameSecond); 2]);
    let born = by(
        5,
        DEPLOY,
        "CreateSecurityGroup",
        json!({"groupName": "web", "groupDescription": "d", "vpcId": "vpc-1"}),
        json!({"groupId": "sg-1"}),
    );
    let steps = in_order(vec![add(), born]);
    let past = Past::of(&steps, None);
    let view = past.view(&"sg-1".parse().unwrap(), 1 + steps[0].second(), false);
    let element = Element::Rule("ingress tcp:443 10.0.0.0/8".parse().unwrap());
    assert_eq!(view.parts[&element], Ok(true));
    assert_eq!(view.rest, None);
}

#[test]
fn events_that_contradict_each_other_are_named() {
    let steps = vec![
        call(10, "AuthorizeSecurityGroupIngress", rule("10.0.0.0/8", 443)),
        call(20, "AuthorizeSecurityGroupIngress", rule("10.0.0.0/8", 443)),
    ];
    let end = live([group(&["ingress tcp:443 10.0.0.0/8"])]);
    assert_eq!(
        outcomes(steps, Some(&end), &enforce("")),
        [Outcome::NotKnown(Reason::Contradiction); 2]
    );
}

#[test]
fn texts_and_context_move_nothing() {
    let text = call(
        1,
        "UpdateSecurityGroupRuleDescriptionsIngress",
        json!({"UpdateSecurityGroupRuleDescriptionsIngressRequest": {"GroupId": "sg-1",
            "SecurityGroupRuleDescription": {"tag": 1, "SecurityGroupRuleId": "sgr-1", "Description": "x"}}}),
    );
    assert_eq!(one(text, None), Outcome::Nothing);
    let nat = call(
        1,
        "DeleteNatGateway",
        json!({"DeleteNatGatewayRequest": {"NatGatewayId": "nat-1"}}),
    );
    assert_eq!(one(nat, None), Outcome::Context);
}

#[test]
fn a_default_route_to_the_internet_is_one_wherever_it_stands() {
    let open = call(1, "CreateRoute", route("0.0.0.0/0", "igw-1"));
    assert_eq!(one(open, None), Outcome::Reverted);
    let other = call(1, "CreateRoute", route("10.9.0.0/16", "vgw-1"));
    assert!(matches!(one(other, None), Outcome::NotKnown(_)));
    let gone = call(
        1,
        "DeleteRoute",
        json!({"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}),
    );
    assert_eq!(one(gone, None), Outcome::NotKnown(Reason::OldUntold));
}

#[test]
fn a_scope_that_nothing_tells_is_said() {
    let open = || call(1, "AuthorizeSecurityGroupIngress", rule("0.0.0.0/0", 22));
    let policy = enforce("vpcs: [vpc-1]");
    assert_eq!(
        outcomes(vec![open()], None, &policy),
        [Outcome::NotKnown(Reason::ScopeUntold)]
    );
    let end = live([group(&[WORLD_SSH])]);
    assert_eq!(
        outcomes(vec![open()], Some(&end), &policy),
        [Outcome::Reverted]
    );
    let elsewhere = enforce("vpcs: [vpc-2]");
    assert_eq!(
        outcomes(vec![open()], Some(&end), &elsewhere),
        [Outcome::Ignored]
    );
}

#[test]
fn strict_takes_back_what_the_event_alone_proves() {
    let policy = Policy::from_yaml("mode: strict", "policy").unwrap();
    let harmless = call(1, "AuthorizeSecurityGroupIngress", rule("10.0.0.0/8", 443));
    let revoked = call(1, "RevokeSecurityGroupIngress", rule("10.0.0.0/8", 80));
    assert_eq!(outcomes(vec![harmless], None, &policy), [Outcome::Reverted]);
    assert_eq!(outcomes(vec![revoked], None, &policy), [Outcome::Reverted]);
}

#[test]
fn a_rule_id_is_followed_through_its_changes() {
    let modify = |second, cidr: &str| {
        call(
            second,
            "ModifySecurityGroupRules",
            json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule": {"SecurityGroupRuleId": "sgr-1",
                "tag": 1, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": cidr}}}}),
        )
    };
    let mut end = live([group(&[WORLD_SSH])]);
    end.handles.rules.insert(
        "sgr-1".into(),
        RuleHandle {
            group: "sg-1".into(),
            rule: WORLD_SSH.parse().unwrap(),
        },
    );
    // What the first modification found, nothing tells; the second found what the first left.
    assert_eq!(
        outcomes(
            vec![modify(10, "10.0.0.0/8"), modify(20, "0.0.0.0/0")],
            Some(&end),
            &enforce("")
        ),
        [Outcome::NotKnown(Reason::IdUnexplained), Outcome::Reverted]
    );
}

#[test]
fn an_event_counts_once_and_its_correction_before_it() {
    let first = record(
        1,
        DEPLOY,
        "AuthorizeSecurityGroupIngress",
        Value::Null,
        Value::Null,
    );
    let mut corrected = record(
        1,
        DEPLOY,
        "AuthorizeSecurityGroupIngress",
        rule("0.0.0.0/0", 22),
        Value::Null,
    );
    corrected["eventID"] = json!("e-2");
    corrected["addendum"] = json!({"reason": "UPDATED_DATA", "originalEventID": first["eventID"]});
    let steps = in_order(vec![step(first.clone()), step(corrected), step(first)]);
    assert_eq!(steps.len(), 1);
    assert!(steps[0].corrected);
}

#[test]
fn another_regions_resource_is_not_missing_from_this_ones_state() {
    let mut end = live([group(&[])]);
    end.region = Some("eu-central-1".into());
    let mut elsewhere = record(
        1,
        DEPLOY,
        "DeleteRoute",
        json!({"routeTableId": "rtb-9", "destinationCidrBlock": "0.0.0.0/0"}),
        json!({"_return": true}),
    );
    elsewhere["awsRegion"] = json!("us-east-1");
    let steps = [step(elsewhere)];
    let view = |second| Past::of(&steps, Some(&end)).view(&"rtb-9".parse().unwrap(), second, false);
    // After the call the table existed; that it is not in the state of another Region says nothing.
    assert_eq!(view(steps[0].second() + 10).exists, Ok(true));
}

#[test]
fn an_exception_holds_at_the_time_of_the_change() {
    let open = || call(1, "AuthorizeSecurityGroupIngress", rule("0.0.0.0/0", 22));
    let with = |until: &str| {
        enforce(&format!(
            "exceptions: [{{resource: sg-1, until: {until}, why: \"a test\"}}]"
        ))
    };
    let end = live([group(&[WORLD_SSH])]);
    let on = |policy: &Policy| outcomes(vec![open()], Some(&end), policy);
    assert_eq!(on(&with("2026-02-03")), [Outcome::Alerted]);
    assert_eq!(on(&with("2026-02-02")), [Outcome::Reverted]);
}

#[test]
fn whether_anything_carries_a_group_is_asked_only_while_it_exists() {
    let open = || call(10, "AuthorizeSecurityGroupIngress", rule("0.0.0.0/0", 22));
    let gone = || call(20, "DeleteSecurityGroup", json!({"groupId": "sg-1"}));
    let policy = || enforce("enforce: {openings: critical}");
    let mut end = live([group(&[WORLD_SSH])]);
    end.topology.read.extend(ContextKind::ALL);
    // No interface carries it today: it opens nothing now.
    assert_eq!(
        outcomes(vec![open()], Some(&end), &policy()),
        [Outcome::Alerted]
    );
    // It is gone today: whether one carried it then, nothing tells.
    end.resources.clear();
    assert_eq!(
        outcomes(vec![open(), gone()], Some(&end), &policy())[0],
        Outcome::Reverted
    );
}

#[test]
fn each_reason_has_words_of_its_own() {
    let words: BTreeSet<String> = Reason::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), Reason::ALL.len());
    assert!(words.iter().all(|words| words.len() > 10), "{words:?}");
}
