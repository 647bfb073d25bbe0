//! What was deleted is made again with all that hung on it.

use super::*;

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| step.action.describe())
        .collect()
}

/// Everything as in the good state, but for the tag that tells the successor.
fn assert_reached(live: &Snapshot, plan: &Plan, good: &Snapshot) {
    use crate::execution::{Verification, verify};
    assert_eq!(
        verify(&good.resources, &folded(live, plan)),
        Verification::Equal,
        "{plan:#?}"
    );
}

fn ipv6_egress() -> RuleKey {
    key("egress all ::/0")
}

#[test]
fn a_deleted_group_comes_back_with_name_rules_and_tags_and_without_the_egress_it_is_born_with() {
    let mut web = group(
        "sg-1",
        &["ingress tcp:443 0.0.0.0/0", "egress tcp:443 10.0.0.0/8"],
    );
    web.tags = Some(Tags::from([("Owner".to_owned(), "web".to_owned())]));
    web.rules
        .insert(key("ingress tcp:22 10.0.0.0/8"), described("ssh"));
    let good = snapshot([web.into_resource()]);
    let live = snapshot([]);
    let plan = plan_between(&live, &good);
    assert_reached(&live, &plan, &good);
    assert_eq!(plan.notes, []);
    assert_eq!(
        lines(&plan)[0],
        "CreateSecurityGroup \"name of sg-1\" in vpc-1, in the place of sg-1"
    );
    let Action::CreateSecurityGroup { tags, .. } = &plan.steps[0].action else {
        panic!("{plan:#?}")
    };
    assert_eq!(tags.get("Owner").map(String::as_str), Some("web"));
    assert_eq!(tags.get(SUCCESSOR_OF).map(String::as_str), Some("sg-1"));
    let revoked = plan.steps.iter().any(|step| matches!(&step.action, Action::RevokeSecurityGroupRules { rules, .. } if rules.contains_key(&key("egress all 0.0.0.0/0"))));
    assert!(revoked, "{plan:#?}");
}

#[test]
fn the_egress_that_a_group_is_born_with_stays_where_it_is_approved() {
    let good = snapshot([group("sg-1", &["egress all 0.0.0.0/0"]).into_resource()]);
    let plan = plan_between(&snapshot([]), &good);
    assert_eq!(apis(&plan), ["CreateSecurityGroup"]);
    let mut good = snapshot([group("sg-1", &["egress all 0.0.0.0/0"]).into_resource()]);
    good.topology.vpcs.insert(vpc(), vpc_with_ipv6());
    let mut live = snapshot([]);
    live.topology.vpcs.insert(vpc(), vpc_with_ipv6());
    let plan = plan_between(&live, &good);
    assert_reached(&live, &plan, &good);
    let Action::RevokeSecurityGroupRules { rules, .. } = &plan.steps[1].action else {
        panic!("{plan:#?}")
    };
    assert!(rules.contains_key(&ipv6_egress()));
}

fn vpc_with_ipv6() -> Vpc {
    let mut vpc = Vpc::new(VPC);
    vpc.cidrs = ["10.0.0.0/16", "2600:1f00::/56"]
        .iter()
        .map(|net| net.parse().unwrap())
        .collect();
    vpc
}

#[test]
fn groups_that_refer_to_each_other_are_all_made_before_any_rule() {
    let good = snapshot([
        group("sg-1", &["ingress tcp:443 sg-2"]).into_resource(),
        group("sg-2", &["ingress tcp:5432 sg-1"]).into_resource(),
        group("sg-3", &["ingress tcp:22 sg-1"]).into_resource(),
    ]);
    // The references of sg-3 were revoked first: only so could sg-1 be deleted (semantics B1).
    let live = snapshot([group("sg-3", &[]).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_reached(&live, &plan, &good);
    let apis = apis(&plan);
    let last_birth = apis.iter().rposition(|api| *api == "CreateSecurityGroup");
    let first_rule = apis.iter().position(|api| api.starts_with("Authorize"));
    assert!(last_birth < first_rule, "{plan:#?}");
    assert_eq!(plan.notes, []);
}

#[test]
fn a_group_whose_name_was_taken_or_never_read_is_told() {
    let good = snapshot([group("sg-1", &[]).into_resource()]);
    let mut thief = group("sg-9", &[]);
    thief.name = Some("name of sg-1".into());
    let live = snapshot([thief.into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(plan.steps, []);
    assert!(
        matches!(&plan.notes[..], [Note::Cannot { what, .. }] if what.contains("sg-9 has its name")),
        "{:?}",
        plan.notes
    );
    let mut nameless = group("sg-1", &[]);
    nameless.name = None;
    let plan = plan_between(&snapshot([]), &snapshot([nameless.into_resource()]));
    assert!(
        matches!(&plan.notes[..], [Note::Cannot { what, .. }] if what.contains("name was never read")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_deleted_acl_has_all_its_entries_before_the_first_subnet_moves_back() {
    let entries = [
        "ingress 90 deny tcp:22 0.0.0.0/0",
        "ingress 100 allow all 0.0.0.0/0",
        "egress 100 allow all 0.0.0.0/0",
    ];
    let open = [
        "ingress 100 allow all 0.0.0.0/0",
        "egress 100 allow all 0.0.0.0/0",
    ];
    let good = snapshot([
        acl("acl-1", &["subnet-1", "subnet-2"], &entries).into_resource(),
        acl("acl-2", &[], &open).into_resource(),
    ]);
    let live = snapshot([acl("acl-2", &["subnet-1", "subnet-2"], &open).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_reached(&live, &plan, &good);
    assert_eq!(
        apis(&plan),
        [
            "CreateNetworkAcl",
            "CreateNetworkAclEntry",
            "CreateNetworkAclEntry",
            "CreateNetworkAclEntry",
            "ReplaceNetworkAclAssociation",
            "ReplaceNetworkAclAssociation",
        ]
    );
    assert_eq!(plan.notes, []);
}

#[test]
fn a_deleted_table_is_whole_before_its_subnets_and_gateways_come_back() {
    let mut main = table("rtb-main", &[], &[]);
    main.main = true;
    let mut private = table(
        "rtb-1",
        &["subnet-1"],
        &["0.0.0.0/0 nat-1", "10.1.0.0/16 pcx-1"],
    );
    private.propagating.insert("vgw-1".into());
    private.routes.insert(
        Destination::PrefixList("pl-s3".into()),
        Route::created(RouteTarget::GatewayEndpoint("vpce-s3".into())),
    );
    let mut good = snapshot([main.clone().into_resource(), private.into_resource()]);
    let endpoint = |tables: &[&str]| {
        let (_, mut gateway) =
            table_stories::gateway("vpce-s3", GatewayKind::Endpoint, Some("available"), true);
        gateway.service = Some("com.amazonaws.eu-central-1.s3".into());
        gateway.route_tables = tables.iter().map(|id| RouteTableId::from(*id)).collect();
        gateway
    };
    let list = PrefixList {
        id: "pl-s3".into(),
        name: Some("com.amazonaws.eu-central-1.s3".into()),
        version: None,
        max_entries: None,
        entries: None,
    };
    good.topology
        .gateways
        .insert("vpce-s3".into(), endpoint(&["rtb-1"]));
    let mut live = snapshot([main.into_resource()]);
    live.topology = good.topology.clone();
    live.topology
        .gateways
        .insert("vpce-s3".into(), endpoint(&[]));
    live.topology.prefix_lists.insert("pl-s3".into(), list);
    let plan = plan_between(&live, &good);
    assert_reached(&live, &plan, &good);
    let apis = apis(&plan);
    assert_eq!(apis.first(), Some(&"CreateRouteTable"));
    assert_eq!(apis.last(), Some(&"AssociateRouteTable"));
    assert!(apis.contains(&"ModifyVpcEndpoint"), "{apis:?}");
    assert!(apis.contains(&"EnableVgwRoutePropagation"), "{apis:?}");
    assert_eq!(plan.notes, []);
}

#[test]
fn a_table_is_made_again_without_the_routes_whose_targets_are_gone() {
    let mut main = table("rtb-main", &[], &[]);
    main.main = true;
    let good = snapshot([
        main.clone().into_resource(),
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 nat-1"]).into_resource(),
    ]);
    let mut live = snapshot([main.into_resource()]);
    live.topology.subnets = good.topology.subnets.clone();
    live.topology.gateways.extend([table_stories::gateway(
        "nat-1",
        GatewayKind::Nat,
        Some("deleted"),
        true,
    )]);
    let plan = plan_between(&live, &good);
    assert!(!apis(&plan).contains(&"CreateRoute"), "{plan:#?}");
    assert!(
        plan.notes
            .iter()
            .any(|note| matches!(note, Note::Needs { needs, .. } if needs == "nat-1 made again")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_making_that_was_begun_is_found_by_its_tags_and_not_made_twice() {
    let good = snapshot([group("sg-1", &[]).into_resource()]);
    let plan = plan_between(&snapshot([]), &good);
    let incident = IncidentId::new("inc-1");
    let action = plan.steps[0].action.for_incident(&incident);
    let mut live = snapshot([]);
    let made = CreatedId::new("sg-new");
    apply(&action.made_as(&made), &mut live).unwrap();
    assert_eq!(readiness(&action, &live), Readiness::AlreadyInPlace);
    assert_eq!(born(&action, &live), Some(made));
    // Another incident's making is none of ours.
    let other = plan.steps[0].action.for_incident(&IncidentId::new("inc-2"));
    assert_eq!(born(&other, &live), None);
}

#[test]
fn every_call_follows_the_new_ids() {
    let mut lineage = Lineage::default();
    lineage.record("sg-1", "sg-8");
    lineage.record("sg-8", "sg-9");
    lineage.record("acl-1", "acl-9");
    lineage.record("rtb-1", "rtb-9");
    lineage.record("nat-1", "nat-9");
    let good = snapshot([
        group(
            "sg-1",
            &["ingress tcp:443 sg-1", "ingress tcp:80 10.0.0.0/8"],
        )
        .into_resource(),
        acl("acl-1", &["subnet-1"], &["ingress 100 allow all 0.0.0.0/0"]).into_resource(),
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 nat-1"]).into_resource(),
    ]);
    let live = snapshot([acl("acl-2", &["subnet-1"], &[]).into_resource()]);
    let plan = plan_between(&live, &good);
    for step in &plan.steps {
        let renamed = step.action.renamed(&lineage);
        if renamed.makes().is_some() {
            continue;
        }
        let text = format!(
            "{} {}",
            renamed.describe(),
            renamed.parameters(&Handles::default())
        );
        for old in ["sg-1", "acl-1", "rtb-1", "nat-1"] {
            assert!(!text.contains(old), "{old} in {text}");
        }
    }
    // A circle is refused, so that following always ends.
    lineage.record("sg-9", "sg-1");
    assert_eq!(lineage.current("sg-1"), "sg-9");
}

#[test]
fn a_full_acl_that_no_order_puts_right_is_swapped_for_a_shadow_and_keeps_its_id() {
    // Twenty entries: no free slot for a scratch entry or a block.
    let filler: Vec<String> = (0..18)
        .map(|n| format!("ingress {} allow tcp:{} 10.0.0.0/8", 200 + n, 8000 + n))
        .collect();
    let with = |first: [&str; 2]| -> Vec<String> {
        first
            .iter()
            .map(ToString::to_string)
            .chain(filler.clone())
            .collect()
    };
    let live_lines = with([
        "ingress 100 deny tcp:22 10.0.0.0/8",
        "ingress 110 deny tcp:443 10.1.0.0/16",
    ]);
    let good_lines = with([
        "ingress 100 deny tcp:443 10.1.0.0/16",
        "ingress 110 deny tcp:22 10.0.0.0/8",
    ]);
    let refs = |lines: &[String]| -> Vec<&'static str> {
        lines
            .iter()
            .map(|line| &*Box::leak(line.clone().into_boxed_str()))
            .collect()
    };
    let subnets = ["subnet-1", "subnet-2"];
    let live = snapshot([acl("acl-1", &subnets, &refs(&live_lines)).into_resource()]);
    let good = snapshot([acl("acl-1", &subnets, &refs(&good_lines)).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    assert_eq!(plan.notes, [], "{:#?}", lines(&plan));
}
