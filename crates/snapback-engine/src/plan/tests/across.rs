//! What resources of one plan do together to a packet, and what a plan says of its safety.

use super::*;
use crate::policy::{Interruptions, Policy};

/// Every step says that it is safe, and the end is the goal.
pub(super) fn safe_plan(live: &Snapshot, good: &Snapshot) -> Plan {
    let plan = plan_between(live, good);
    let words: Vec<String> = plan
        .steps
        .iter()
        .map(|step| step.action.describe())
        .collect();
    assert_eq!(plan.notes, [], "{words:#?}");
    assert!(
        safety(live, &plan)
            .iter()
            .all(|safety| *safety == StepSafety::Safe),
        "{words:#?}"
    );
    let end = folded(live, &plan);
    for (id, wanted) in &good.resources {
        assert_eq!(end.resources.get(id), Some(wanted), "{words:#?}");
    }
    plan
}

fn described_steps(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| step.action.describe())
        .collect()
}

/// An interface that carries groups.
fn carrying(state: &mut Snapshot, id: &str, groups: &[&str]) {
    let mut interface = NetworkInterface::new(id, VPC, "subnet-1");
    interface.groups = groups.iter().map(|id| SecurityGroupId::from(*id)).collect();
    state.topology.interfaces.insert(id.into(), interface);
    state.topology.read.insert(ContextKind::Interfaces);
}

/// Ids of rules in live that the baseline never had.
fn with_new_ids(mut state: Snapshot) -> Snapshot {
    let rules = std::mem::take(&mut state.handles.rules).into_iter();
    state.handles.rules = rules
        .map(|(id, handle)| (format!("{id}-new").as_str().into(), handle))
        .collect();
    state
}

#[test]
fn a_rule_moved_to_another_group_of_the_same_interface_is_there_before_it_goes() {
    let rule = "ingress tcp:5432 10.0.0.0/8";
    let groups = |one: &[&str], other: &[&str]| {
        snapshot([
            group("sg-1", one).into_resource(),
            group("sg-2", other).into_resource(),
        ])
    };
    let (mut live, good) = (with_new_ids(groups(&[rule], &[])), groups(&[], &[rule]));
    carrying(&mut live, "eni-1", &["sg-1", "sg-2"]);
    let plan = safe_plan(&live, &good);
    assert_eq!(
        apis(&plan),
        [
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupIngress"
        ]
    );
    // Where no interface carries both, what is open closes first.
    let mut apart = live.clone();
    apart.topology.interfaces.clear();
    carrying(&mut apart, "eni-1", &["sg-1"]);
    carrying(&mut apart, "eni-2", &["sg-2"]);
    assert_eq!(
        apis(&safe_plan(&apart, &good)),
        [
            "RevokeSecurityGroupIngress",
            "AuthorizeSecurityGroupIngress"
        ]
    );
}

#[test]
fn rules_exchanged_in_place_between_two_groups_of_one_interface_are_not_modified_in_turn() {
    let (one, other) = ("ingress tcp:22 10.0.0.0/8", "ingress tcp:443 10.0.0.0/8");
    let groups = |first: &str, second: &str| {
        snapshot([
            group("sg-1", &[first]).into_resource(),
            group("sg-2", &[second]).into_resource(),
        ])
    };
    let (mut live, good) = (groups(one, other), groups(other, one));
    carrying(&mut live, "eni-1", &["sg-1", "sg-2", "sg-3"]);
    let plan = safe_plan(&live, &good);
    assert!(
        !apis(&plan).contains(&"ModifySecurityGroupRules"),
        "{:?}",
        apis(&plan)
    );
}

#[test]
fn the_proof_sees_what_two_groups_cut_together() {
    let rule = "ingress tcp:5432 10.0.0.0/8";
    let groups = |one: &[&str], other: &[&str]| {
        snapshot([
            group("sg-1", one).into_resource(),
            group("sg-2", other).into_resource(),
        ])
    };
    let (mut live, good) = (with_new_ids(groups(&[rule], &[])), groups(&[], &[rule]));
    carrying(&mut live, "eni-1", &["sg-1", "sg-2"]);
    let mut plan = plan_between(&live, &good);
    plan.steps.reverse();
    let told = safety(&live, &plan);
    assert!(
        matches!(&told[0], StepSafety::Interrupts { what, .. } if what.contains("interfaces with sg-1 and sg-2: cuts ingress")),
        "{told:?}"
    );
    assert_eq!(told[1], StepSafety::Safe);
}

#[test]
fn an_acl_is_rewritten_after_those_who_leave_it_have_left() {
    let (web, all) = (
        "ingress 100 allow tcp:443 0.0.0.0/0",
        "ingress 100 allow all 0.0.0.0/0",
    );
    // subnet-2 belongs in acl-3, subnet-1 in acl-2: a chain.
    let live = snapshot([
        acl("acl-1", &["subnet-1"], &[web]).into_resource(),
        acl("acl-2", &["subnet-2"], &[all]).into_resource(),
        acl("acl-3", &[], &[]).into_resource(),
    ]);
    let good = snapshot([
        acl("acl-1", &[], &[]).into_resource(),
        acl("acl-2", &["subnet-1"], &[web]).into_resource(),
        acl("acl-3", &["subnet-2"], &[all]).into_resource(),
    ]);
    let plan = safe_plan(&live, &good);
    assert_eq!(plan.steps.len(), 5);
}

#[test]
fn acls_that_exchange_subnets_and_entries_use_a_temporary_acl() {
    let (web, ssh) = (
        "ingress 100 allow tcp:443 0.0.0.0/0",
        "ingress 100 allow tcp:22 10.0.0.0/8",
    );
    // Each subnet keeps its packets: the ACLs have changed roles.
    let live = snapshot([
        acl("acl-1", &["subnet-1"], &[web]).into_resource(),
        acl("acl-2", &["subnet-2"], &[ssh]).into_resource(),
    ]);
    let good = snapshot([
        acl("acl-1", &["subnet-2"], &[ssh]).into_resource(),
        acl("acl-2", &["subnet-1"], &[web]).into_resource(),
    ]);
    let plan = safe_plan(&live, &good);
    assert!(apis(&plan).contains(&"CreateNetworkAcl"));
    assert_eq!(apis(&plan).last(), Some(&"DeleteNetworkAcl"));
    assert_eq!(folded(&live, &plan).resources, good.resources);
}

/// The first circle is broken by a temporary ACL, a second one by an order of single calls.
#[test]
fn a_temporary_acl_goes_whichever_way_the_last_one_leaves_it() {
    let live = snapshot([
        acl("acl-1", &["subnet-5"], &["ingress 40 allow all 10.0.0.0/8"]).into_resource(),
        acl(
            "acl-2",
            &["subnet-1", "subnet-2", "subnet-4"],
            &["egress 40 allow tcp:all 10.1.2.0/24"],
        )
        .into_resource(),
        acl("acl-3", &["subnet-3"], &[]).into_resource(),
    ]);
    let good = snapshot([
        acl("acl-1", &["subnet-1"], &[]).into_resource(),
        acl(
            "acl-2",
            &["subnet-3", "subnet-4"],
            &["egress 40 allow tcp:22 ::/0"],
        )
        .into_resource(),
        acl(
            "acl-3",
            &["subnet-2", "subnet-5"],
            &["ingress 10 allow udp:53 10.1.2.0/24"],
        )
        .into_resource(),
    ]);
    let plan = safe_plan(&live, &good);
    let count = |api: &str| apis(&plan).iter().filter(|made| **made == api).count();
    assert_eq!(
        (count("CreateNetworkAcl"), count("DeleteNetworkAcl")),
        (1, 1),
        "{:?}",
        described_steps(&plan)
    );
}

#[test]
fn a_table_is_rewritten_after_those_who_leave_it_have_left() {
    let live = snapshot([
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 nat-1"]).into_resource(),
        table("rtb-2", &["subnet-2"], &["0.0.0.0/0 igw-1"]).into_resource(),
        table("rtb-3", &[], &[]).into_resource(),
    ]);
    let good = snapshot([
        table("rtb-1", &[], &[]).into_resource(),
        table("rtb-2", &["subnet-1"], &["0.0.0.0/0 nat-1"]).into_resource(),
        table("rtb-3", &["subnet-2"], &["0.0.0.0/0 igw-1"]).into_resource(),
    ]);
    let plan = safe_plan(&live, &good);
    assert_eq!(
        described_steps(&plan),
        [
            "CreateRoute rtb-3: 0.0.0.0/0 → igw-1",
            "ReplaceRouteTableAssociation subnet-2: rtb-2 → rtb-3",
            "ReplaceRoute rtb-2: 0.0.0.0/0 → nat-1 (was igw-1)",
            "ReplaceRouteTableAssociation subnet-1: rtb-1 → rtb-2",
            "DeleteRoute rtb-1: 0.0.0.0/0 → nat-1",
        ]
    );
}

#[test]
fn tables_that_exchange_subnets_and_routes_without_room_for_another_say_who_is_led_astray_until_when_and_why()
 {
    // As many tables as the quota of the VPC allows: none can stand in.
    let others =
        || (3..=200).map(|number| table(&format!("rtb-{number}"), &[], &[]).into_resource());
    let live = snapshot(others().chain([
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 nat-1"]).into_resource(),
        table("rtb-2", &["subnet-2"], &["0.0.0.0/0 igw-1"]).into_resource(),
    ]));
    let good = snapshot(others().chain([
        table("rtb-1", &["subnet-2"], &["0.0.0.0/0 igw-1"]).into_resource(),
        table("rtb-2", &["subnet-1"], &["0.0.0.0/0 nat-1"]).into_resource(),
    ]));
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    let [
        Note::Interrupts {
            step: 0,
            until: Some(until),
            what,
            why,
        },
    ] = &plan.notes[..]
    else {
        panic!("{:?}", plan.notes)
    };
    assert!(*until < plan.steps.len(), "{plan:#?}");
    assert!(what.contains("subnet-1: 0.0.0.0/0 is led astray"), "{what}");
    assert!(why.contains("exchange subnets"), "{why}");
    // Policy decides.
    let forbid = Policy::default();
    let Permission::Refused(told) = permission(&plan, &forbid) else {
        panic!("an interrupting plan runs")
    };
    assert!(
        told[0].contains("interruptions: forbid") && told[0].contains("subnet-1"),
        "{told:?}"
    );
    let allow = Policy {
        interruptions: Interruptions::Allow,
        ..Policy::default()
    };
    assert_eq!(permission(&plan, &allow), Permission::Granted);
}

#[test]
fn a_full_group_names_the_second_group_that_would_avoid_the_cut() {
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
    carrying(&mut live, "eni-1", &["sg-1"]);
    let why = |live: &Snapshot| match &plan_between(live, &good).notes[..] {
        [
            Note::Interrupts {
                until: Some(1),
                why,
                ..
            },
        ] => why.clone(),
        other => panic!("{other:?}"),
    };
    assert!(
        why(&live).contains("a temporary second group"),
        "{}",
        why(&live)
    );
    carrying(
        &mut live,
        "eni-2",
        &["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"],
    );
    assert!(!why(&live).contains("temporary"), "{}", why(&live));
}

#[test]
fn a_rule_of_a_group_that_can_be_made_again_needs_it() {
    let good = snapshot([
        group("sg-1", &["ingress tcp:5432 sg-2"]).into_resource(),
        group("sg-2", &[]).into_resource(),
    ]);
    let live = snapshot([group("sg-1", &[]).into_resource()]);
    let only = goal([good.resources[&"sg-1".parse().unwrap()].clone()]);
    let plan = plan(&live, &only, &baselines(&good));
    assert!(
        matches!(&plan.notes[..], [Note::Needs { needs, .. }] if needs == "sg-2 made again"),
        "{:?}",
        plan.notes
    );
    // With both in the goal it is made again first.
    let both = plan_between(&live, &good);
    assert_eq!(both.notes, []);
}

#[test]
fn traffic_is_told_step_by_step_against_what_was_before() {
    let rules = ["ingress tcp:443 0.0.0.0/0", "ingress tcp:22 0.0.0.0/0"];
    let mut live = snapshot([group("sg-1", &rules[1..]).into_resource()]);
    live.handles.rules.clear();
    let good = snapshot([group("sg-1", &rules[..1]).into_resource()]);
    let plan = plan_between(&live, &good);
    let told: Vec<String> = traffic(&live, &plan)
        .iter()
        .map(|traffic| traffic.words(2).unwrap())
        .collect();
    assert_eq!(told.len(), 2);
    assert!(
        told[0].starts_with("sg-1: closed ingress tcp 22"),
        "{told:?}"
    );
    assert!(
        told[1].contains("closed ingress tcp 22") && told[1].contains("restored ingress tcp 443"),
        "{told:?}"
    );
}

#[test]
fn a_note_of_a_journal_of_before_reads_back() {
    let old = r#"{"interrupts":{"step":2,"what":"x"}}"#;
    let read: Note = serde_json::from_str(old).unwrap();
    assert_eq!(
        read,
        Note::Interrupts {
            step: 2,
            until: None,
            what: "x".into(),
            why: String::new()
        }
    );
    for note in [
        read,
        Note::Needs {
            resource: "rtb-1".parse().unwrap(),
            what: "route".into(),
            needs: "nat-1 made again".into(),
        },
    ] {
        let text = serde_json::to_string(&note).unwrap();
        assert_eq!(serde_json::from_str::<Note>(&text).unwrap(), note);
    }
}

#[test]
fn an_edge_association_and_the_main_table_that_stand_in_each_others_way_are_told() {
    let tables = |main: &str, edge: &str| {
        let of = |id: &str| {
            let mut table = table(id, &[], &[]);
            table.main = id == main;
            if id == edge {
                table.gateways.insert("igw-1".into());
            }
            table.into_resource()
        };
        snapshot([of("rtb-1"), of("rtb-2")])
    };
    let (live, good) = (tables("rtb-1", "rtb-2"), tables("rtb-2", "rtb-1"));
    // Both together can be put right; what enters by the gateway has no table for two calls.
    let both = plan_between(&live, &good);
    assert_eq!(folded(&live, &both).resources, good.resources);
    assert!(
        matches!(&both.notes[..], [Note::Interrupts { step: 0, until: Some(2), what, .. }] if what.contains("what enters by igw-1")),
        "{:?}",
        both.notes
    );
    // One alone cannot: its edge or its being main waits for the other.
    for (id, needs) in [
        ("rtb-1", "another main table of vpc-1"),
        ("rtb-2", "igw-1 led by another table"),
    ] {
        let only = goal([good.resources[&id.parse().unwrap()].clone()]);
        let plan = plan(&live, &only, &baselines(&good));
        assert_eq!(plan.steps, [], "{id}");
        assert!(
            matches!(&plan.notes[..], [Note::Needs { needs: told, .. }] if told == needs),
            "{:?}",
            plan.notes
        );
    }
}

#[test]
fn a_rule_that_a_group_is_born_with_gets_its_tags_by_being_made_again() {
    let mut good = group("sg-1", &[]);
    let detail = RuleDetail {
        description: None,
        tags: Some(Tags::from([("Owner".to_owned(), "web".to_owned())])),
    };
    good.rules.insert(key("egress all 0.0.0.0/0"), detail);
    let good = snapshot([good.into_resource()]);
    let plan = plan_between(&snapshot([]), &good);
    assert_eq!(
        apis(&plan),
        [
            "CreateSecurityGroup",
            "RevokeSecurityGroupEgress",
            "AuthorizeSecurityGroupEgress"
        ]
    );
    assert_eq!(plan.notes, []);
    // EC2 gives the id: no call may name one.
    let named = plan.steps.iter().any(|step| matches!(&step.action, Action::RevokeSecurityGroupRules { rules, .. } if rules.values().any(Option::is_some)));
    assert!(!named);
}
