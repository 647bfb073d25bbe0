//! The stories of the demo, and what each plan must look like.

use super::*;

/// The plan of a group from live rules to good rules.
fn group_plan(live: SecurityGroup, good: SecurityGroup) -> Plan {
    let (live, good) = (
        snapshot([Resource::SecurityGroup(live)]),
        snapshot([Resource::SecurityGroup(good)]),
    );
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    assert_eq!(plan.notes, []);
    plan
}

#[test]
fn ssh_opened_to_the_world_is_one_revoke_by_id() {
    let web = [
        "ingress tcp:443 0.0.0.0/0",
        "ingress tcp:80 0.0.0.0/0",
        "egress all 0.0.0.0/0",
    ];
    let live = group(
        "sg-1",
        &[
            web[0],
            web[1],
            web[2],
            "ingress tcp:22 0.0.0.0/0",
            "ingress tcp:22 ::/0",
        ],
    );
    let plan = group_plan(live, group("sg-1", &web));
    assert_eq!(apis(&plan), ["RevokeSecurityGroupIngress"]);
    let Action::RevokeSecurityGroupRules { rules, .. } = &plan.steps[0].action else {
        panic!()
    };
    assert_eq!(rules.len(), 2);
    assert!(rules.values().all(Option::is_some));
}

#[test]
fn a_revoked_rule_comes_back_with_its_description_and_tags() {
    let mut good = group("sg-1", &["ingress tcp:80 0.0.0.0/0"]);
    let tags = Tags::from([("Owner".to_owned(), "web".to_owned())]);
    let detail = RuleDetail {
        description: Some("public https".into()),
        tags: Some(tags),
    };
    good.rules.insert(key("ingress tcp:443 0.0.0.0/0"), detail);
    let plan = group_plan(group("sg-1", &["ingress tcp:80 0.0.0.0/0"]), good);
    assert_eq!(apis(&plan), ["AuthorizeSecurityGroupIngress"]);
    let parameters = plan.steps[0].action.parameters(&Handles::default());
    assert_eq!(
        parameters["IpPermissions"][0]["IpRanges"][0]["Description"],
        "public https"
    );
    assert_eq!(
        parameters["TagSpecifications"][0]["Tags"][0]["Value"],
        "web"
    );
}

#[test]
fn a_rule_widened_in_place_is_narrowed_on_its_id() {
    let good = group(
        "sg-1",
        &["egress all 0.0.0.0/0", "ingress tcp:22 10.0.0.0/8"],
    );
    let live = group(
        "sg-1",
        &["egress all 0.0.0.0/0", "ingress tcp:22 0.0.0.0/0"],
    );
    // Both have two rules in the same order of ids, so the ids name the same rules.
    let (before, after) = (
        snapshot([live.clone().into_resource()]),
        snapshot([good.clone().into_resource()]),
    );
    assert!(before.handles.rules.keys().eq(after.handles.rules.keys()));
    let plan = group_plan(live, good);
    assert_eq!(apis(&plan), ["ModifySecurityGroupRules"]);
}

#[test]
fn a_rule_whose_id_is_new_is_put_right_in_one_call_and_without_ids_in_two() {
    let good = group(
        "sg-1",
        &["ingress tcp:443 0.0.0.0/0", "ingress tcp:22 10.0.0.0/8"],
    );
    let live = group(
        "sg-1",
        &["ingress tcp:443 0.0.0.0/0", "ingress tcp:22 0.0.0.0/0"],
    );
    let (mut before, after) = (
        snapshot([live.into_resource()]),
        snapshot([good.into_resource()]),
    );
    let renamed = std::mem::take(&mut before.handles.rules).into_iter();
    before.handles.rules = renamed
        .map(|(id, handle)| (format!("{id}-new").as_str().into(), handle))
        .collect();
    assert_eq!(
        apis(&plan_between(&before, &after)),
        ["ModifySecurityGroupRules"]
    );
    before.handles.rules.clear();
    let plan = plan_between(&before, &after);
    // What both allow, tcp 22 from 10.0.0.0/8, is there all the time.
    assert_eq!(
        apis(&plan),
        [
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupIngress"
        ]
    );
}

#[test]
fn without_rule_ids_a_rule_is_revoked_by_content() {
    let mut live = snapshot([group("sg-1", &["ingress tcp:22 0.0.0.0/0"]).into_resource()]);
    live.handles = Handles::default();
    let plan = plan_between(&live, &snapshot([group("sg-1", &[]).into_resource()]));
    let parameters = plan.steps[0].action.parameters(&live.handles);
    assert_eq!(
        parameters["IpPermissions"][0]["IpRanges"][0]["CidrIp"],
        "0.0.0.0/0"
    );
    assert_eq!(parameters.get("SecurityGroupRuleIds"), None);
}

#[test]
fn descriptions_and_tags_alone_touch_no_traffic() {
    let rule = "ingress tcp:443 0.0.0.0/0";
    let (mut live, mut good) = (group("sg-1", &[rule]), group("sg-1", &[rule]));
    good.rules.insert(key(rule), described("https"));
    live.rules.get_mut(&key(rule)).unwrap().tags =
        Some(Tags::from([("Foreign".into(), "x".into())]));
    good.tags = Some(Tags::from([("Owner".into(), "web".into())]));
    let plan = group_plan(live, good);
    assert_eq!(
        apis(&plan),
        [
            "UpdateSecurityGroupRuleDescriptionsIngress",
            "DeleteTags",
            "CreateTags"
        ]
    );
}

#[test]
fn tags_that_only_aws_writes_are_told_and_not_tried() {
    let (mut live, mut good) = (group("sg-1", &[]), group("sg-1", &[]));
    good.tags = Some(Tags::from([(
        "aws:cloudformation:stack-name".into(),
        "web".into(),
    )]));
    live.tags = Some(Tags::from([("aws:x".into(), "y".into())]));
    let live = snapshot([live.into_resource()]);
    let plan = plan_between(&live, &snapshot([good.into_resource()]));
    assert_eq!(plan.steps, []);
    assert!(
        matches!(&plan.notes[..], [Note::Cannot { what, .. }] if what.contains("aws:cloudformation:stack-name"))
    );
}

#[test]
fn a_rule_of_a_deleted_peer_group_is_told_and_does_not_spoil_its_batch() {
    let good = group(
        "sg-1",
        &["ingress tcp:443 0.0.0.0/0", "ingress tcp:5432 sg-gone"],
    );
    let live = snapshot([group("sg-1", &[]).into_resource()]);
    let plan = plan_between(&live, &snapshot([good.into_resource()]));
    let Action::AuthorizeSecurityGroupRules { rules, .. } = &plan.steps[0].action else {
        panic!()
    };
    assert_eq!(rules.len(), 1);
    assert!(matches!(&plan.notes[..], [Note::Cannot { what, .. }] if what.contains("sg-gone")));
}

#[test]
fn a_full_group_makes_room_before_it_authorises() {
    let many = |range: std::ops::Range<u16>| -> Vec<String> {
        range
            .map(|port| format!("ingress tcp:{port} 10.0.0.0/8"))
            .collect()
    };
    let rules = |texts: &[String]| {
        group(
            "sg-1",
            &texts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    // 60 rules of which 30 are approved; 30 approved ones are missing: no room for all at once, and
    // the extra ones harm nobody by leaving.
    let plan = group_plan(rules(&many(0..60)), rules(&many(30..90)));
    assert_eq!(
        apis(&plan),
        [
            "RevokeSecurityGroupIngress",
            "AuthorizeSecurityGroupIngress"
        ]
    );
}

#[test]
fn a_full_group_whose_extras_carry_approved_traffic_modifies_in_place() {
    // 60 wide rules; the goal has the same 60 narrowed: nothing fits beside, each is narrowed in place.
    let texts = |bits: u8| -> Vec<String> {
        (0..60)
            .map(|n| format!("ingress tcp:{n} 10.0.0.0/{bits}"))
            .collect()
    };
    let of = |texts: Vec<String>| {
        group(
            "sg-1",
            &texts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let mut live = snapshot([of(texts(8)).into_resource()]);
    let handles = std::mem::take(&mut live.handles.rules).into_iter();
    live.handles.rules = handles
        .map(|(id, handle)| (format!("{id}-new").as_str().into(), handle))
        .collect();
    let good = snapshot([of(texts(9)).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    assert_eq!(plan.notes, []);
    assert!(apis(&plan).contains(&"ModifySecurityGroupRules"));
    let mut state = live.clone();
    for step in &plan.steps {
        apply(&step.action, &mut state).unwrap();
        let Resource::SecurityGroup(group) = &state.resources[&"sg-1".parse().unwrap()] else {
            panic!()
        };
        assert!(group.rules.len() <= 60);
    }
}

#[test]
fn a_full_group_without_ids_says_what_it_cuts() {
    let texts = |bits: u8| -> Vec<String> {
        (0..60)
            .map(|n| format!("ingress tcp:{n} 10.0.0.0/{bits}"))
            .collect()
    };
    let of = |texts: Vec<String>| {
        group(
            "sg-1",
            &texts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let mut live = snapshot([of(texts(8)).into_resource()]);
    live.handles = Handles::default();
    let good = snapshot([of(texts(9)).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    assert!(
        matches!(&plan.notes[..], [Note::Interrupts { step: 0, what, .. }] if what.contains("cuts ingress")),
        "{:?}",
        plan.notes
    );
}

/// The plan of one ACL.
fn acl_plan(live: &[&str], good: &[&str]) -> Plan {
    let live = snapshot([acl("acl-1", &["subnet-1"], live).into_resource()]);
    let good = snapshot([acl("acl-1", &["subnet-1"], good).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    plan
}

#[test]
fn a_deleted_entry_comes_back_under_its_number_and_a_foreign_deny_goes() {
    let good = [
        "ingress 100 allow tcp:443 0.0.0.0/0",
        "egress 100 allow all 0.0.0.0/0",
    ];
    let deleted = acl_plan(&good[1..], &good);
    assert_eq!(
        deleted.steps[0].action.describe(),
        "CreateNetworkAclEntry acl-1: ingress 100 allow tcp:443 0.0.0.0/0"
    );
    let denied = acl_plan(&[good[0], good[1], "ingress 50 deny all 0.0.0.0/0"], &good);
    assert_eq!(
        denied.steps[0].action.describe(),
        "DeleteNetworkAclEntry acl-1: ingress 50 deny all 0.0.0.0/0"
    );
    let changed = acl_plan(&["ingress 100 allow tcp:22 0.0.0.0/0", good[1]], &good);
    assert_eq!(apis(&changed), ["ReplaceNetworkAclEntry"]);
}

#[test]
fn a_subnet_in_an_empty_acl_moves_back_after_its_acl_is_whole() {
    let lines = [
        "ingress 100 allow all 0.0.0.0/0",
        "egress 100 allow all 0.0.0.0/0",
    ];
    let live = snapshot([
        acl("acl-1", &["subnet-1"], &lines[..1]).into_resource(),
        acl("acl-evil", &["subnet-2"], &[]).into_resource(),
    ]);
    let good = acl("acl-1", &["subnet-1", "subnet-2"], &lines);
    let plan = plan(
        &live,
        &goal([good.clone().into_resource()]),
        &Baselines::default(),
    );
    assert_eq!(
        apis(&plan),
        ["CreateNetworkAclEntry", "ReplaceNetworkAclAssociation"]
    );
    assert_eq!(plan.notes, []);
    let end = folded(&live, &plan);
    assert_eq!(end.resources[&good.id.clone().into()], good.into_resource());
    let parameters = plan.steps[1].action.parameters(&live.handles);
    assert_eq!(parameters["AssociationId"], "aclassoc-1");
}

#[test]
fn a_subnet_that_no_goal_claims_stays_in_its_acl() {
    let live = snapshot([acl("acl-1", &["subnet-1", "subnet-new"], &[]).into_resource()]);
    let good = acl("acl-1", &["subnet-1"], &[]);
    let plan = plan(&live, &goal([good.into_resource()]), &Baselines::default());
    assert_eq!((plan.steps.len(), plan.notes.len()), (0, 0));
}

#[test]
fn kinds_are_put_right_in_the_order_routes_acls_groups_and_openings_are_closed_first() {
    let good = snapshot([
        group("sg-1", &["ingress tcp:443 0.0.0.0/0"]).into_resource(),
        acl("acl-1", &["subnet-1"], &["ingress 100 allow all 0.0.0.0/0"]).into_resource(),
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 igw-1"]).into_resource(),
    ]);
    let live = snapshot([
        group("sg-1", &["ingress tcp:22 0.0.0.0/0"]).into_resource(),
        acl("acl-1", &["subnet-1"], &[]).into_resource(),
        table("rtb-1", &["subnet-1"], &[]).into_resource(),
    ]);
    let mut live = live;
    live.handles.rules.clear();
    let plan = plan_between(&live, &good);
    assert_eq!(
        apis(&plan),
        [
            "RevokeSecurityGroupIngress",
            "CreateRoute",
            "CreateNetworkAclEntry",
            "AuthorizeSecurityGroupIngress"
        ]
    );
}
