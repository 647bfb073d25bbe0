//! The emergency variants: the same end, traffic working after fewer calls.

use super::arbitrary::{acls, tables};
use super::*;
use crate::execution::{Verification, verify};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

fn goal_of(good: &Snapshot, ids: &[&str]) -> BTreeMap<ResourceId, Resource> {
    let ids = ids.iter().map(|id| id.parse::<ResourceId>().unwrap());
    ids.map(|id| (id.clone(), good.resources[&id].clone()))
        .collect()
}

fn variant(live: &Snapshot, good: &Snapshot, id: &str) -> Option<Emergency> {
    emergency(live, &goal_of(good, &[id]), &baselines(good))
}

/// Traffic of one subnet, told by the plain evaluator's inputs: the entries and routes that decide.
fn decides(state: &Snapshot, subnet: &str) -> (Vec<String>, Vec<String>) {
    let subnet = SubnetId::from(subnet);
    let lines = |id: Option<ResourceId>| -> Vec<String> {
        match id.and_then(|id| state.resources.get(&id)) {
            Some(Resource::NetworkAcl(acl)) => acl
                .entries
                .iter()
                .map(|(key, entry)| format!("{key} {entry}"))
                .collect(),
            Some(Resource::RouteTable(table)) => table
                .routes
                .iter()
                .map(|(to, route)| format!("{to} {}", route.target))
                .collect(),
            _ => Vec::new(),
        }
    };
    (
        lines(state.acl_of(&subnet).map(|id| id.clone().into())),
        lines(state.explicit_table_of(&subnet).map(|id| id.clone().into())),
    )
}

#[test]
fn a_table_full_of_foreign_routes_is_replaced_under_its_subnets() {
    let extra: Vec<String> = (0..9)
        .map(|n| format!("10.{}.0.0/16 igw-9", n + 50))
        .collect();
    let mut routes = vec!["0.0.0.0/0 igw-1"];
    let good = snapshot([Resource::RouteTable(table("rtb-1", &["subnet-a"], &routes))]);
    routes.extend(extra.iter().map(String::as_str));
    let live = snapshot([Resource::RouteTable(table("rtb-1", &["subnet-a"], &routes))]);
    let found = variant(&live, &good, "rtb-1").unwrap();
    assert_eq!(
        apis(&found.fast),
        [
            "CreateRouteTable",
            "CreateRoute",
            "ReplaceRouteTableAssociation"
        ]
    );
    assert_eq!((found.calls, found.ordinary), (3, 9));
    let after = folded(&live, &found.fast);
    assert_eq!(after, found.after(&live));
    assert_eq!(decides(&after, "subnet-a"), decides(&good, "subnet-a"));
    let end = folded(&after, &found.repair);
    assert_eq!(apis(&found.repair).last(), Some(&"DeleteRouteTable"));
    assert_eq!(end.resources, good.resources);
}

#[test]
fn a_table_that_says_the_same_is_preferred_to_a_new_one() {
    let routes: Vec<String> = (0..9)
        .map(|n| format!("10.{}.0.0/16 igw-1", n + 50))
        .collect();
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    let other = || Resource::RouteTable(table("rtb-2", &["subnet-b"], &routes));
    let good = snapshot([
        Resource::RouteTable(table("rtb-1", &["subnet-a"], &routes)),
        other(),
    ]);
    let live = snapshot([
        Resource::RouteTable(table("rtb-1", &["subnet-a"], &[])),
        other(),
    ]);
    let found = variant(&live, &good, "rtb-1").unwrap();
    assert_eq!(apis(&found.fast), ["ReplaceRouteTableAssociation"]);
    assert_eq!((found.calls, found.ordinary), (1, 9));
    let end = folded(&found.after(&live), &found.repair);
    assert_eq!(end.resources, good.resources);
}

#[test]
fn preparing_as_many_routes_elsewhere_is_no_emergency_variant() {
    let routes: Vec<String> = (0..9)
        .map(|n| format!("10.{}.0.0/16 igw-1", n + 50))
        .collect();
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    let good = snapshot([Resource::RouteTable(table("rtb-1", &["subnet-a"], &routes))]);
    let live = snapshot([Resource::RouteTable(table("rtb-1", &["subnet-a"], &[]))]);
    assert_eq!(variant(&live, &good, "rtb-1"), None);
}

#[test]
fn a_main_table_is_succeeded_by_one_call_for_all_its_subnets() {
    let main = |routes: &[&str]| {
        let mut main = table("rtb-1", &[], routes);
        main.main = true;
        let mut state = snapshot([Resource::RouteTable(main)]);
        for subnet in ["subnet-a", "subnet-b"] {
            let subnet = Subnet::new(subnet, vpc());
            state.topology.subnets.insert(subnet.id.clone(), subnet);
        }
        state
    };
    let wrong: Vec<String> = (0..9)
        .map(|n| format!("10.{}.0.0/16 igw-9", n + 50))
        .collect();
    let mut routes: Vec<&str> = wrong.iter().map(String::as_str).collect();
    routes.push("0.0.0.0/0 igw-1");
    let (live, good) = (main(&routes), main(&["0.0.0.0/0 igw-1"]));
    let found = variant(&live, &good, "rtb-1").unwrap();
    assert_eq!((found.calls, found.ordinary), (3, 9));
    let end = folded(&found.after(&live), &found.repair);
    assert_eq!(end.resources, good.resources);
}

#[test]
fn two_broken_tables_are_replaced_together() {
    let wrong: Vec<String> = (0..6)
        .map(|n| format!("10.{}.0.0/16 igw-9", n + 50))
        .collect();
    let mut routes: Vec<&str> = wrong.iter().map(String::as_str).collect();
    routes.push("0.0.0.0/0 igw-1");
    let tables = |routes: &[&str], second: &[&str]| {
        snapshot([
            Resource::RouteTable(table("rtb-1", &["subnet-a"], routes)),
            Resource::RouteTable(table("rtb-2", &["subnet-b"], second)),
        ])
    };
    let good = tables(
        &["0.0.0.0/0 igw-1"],
        &["0.0.0.0/0 igw-1", "10.99.0.0/16 pcx-1"],
    );
    let mut second = routes.clone();
    second.push("10.99.0.0/16 pcx-1");
    let live = tables(&routes, &second);
    let goal = goal_of(&good, &["rtb-1", "rtb-2"]);
    let found = emergency(&live, &goal, &baselines(&good)).unwrap();
    assert_eq!(found.stand_ins.len(), 2);
    assert_eq!((found.calls, found.ordinary), (7, 12));
    let end = folded(&found.after(&live), &found.repair);
    assert_eq!(end.resources, good.resources);
}

#[test]
fn a_stand_in_that_an_earlier_run_made_is_used_and_goes() {
    let wrong: Vec<String> = (0..9)
        .map(|n| format!("10.{}.0.0/16 igw-9", n + 50))
        .collect();
    let mut routes: Vec<&str> = wrong.iter().map(String::as_str).collect();
    routes.push("0.0.0.0/0 igw-1");
    let good = snapshot([Resource::RouteTable(table(
        "rtb-1",
        &["subnet-a"],
        &["0.0.0.0/0 igw-1"],
    ))]);
    let live = |subnets: &[&str], stands: &[&str]| {
        let mut made = table("rtb-7", stands, &[]);
        made.tags = Tags::from([
            (SUCCESSOR_OF.to_owned(), "rtb-stand-in-for-1".to_owned()),
            (INCIDENT.to_owned(), "inc-1".to_owned()),
        ]);
        snapshot([
            Resource::RouteTable(table("rtb-1", subnets, &routes)),
            Resource::RouteTable(made),
        ])
    };
    // Half made: it is finished, no other is made.
    let half = live(&["subnet-a"], &[]);
    let found = variant(&half, &good, "rtb-1").unwrap();
    assert_eq!(
        apis(&found.fast),
        ["CreateRoute", "ReplaceRouteTableAssociation"]
    );
    let end = folded(&found.after(&half), &found.repair);
    assert_eq!(end.resources, good.resources);
    // Traffic works: the repair is what is left, whoever plans it.
    let after = found.after(&half);
    assert_eq!(variant(&after, &good, "rtb-1"), None);
    let rest = plan_between(&after, &good);
    assert_eq!(rest.steps, found.repair.steps);
    // Only the deletion is left.
    let last = live(&[], &[]);
    let rest = tidy(&last, &BTreeSet::from([vpc()]));
    assert_eq!(apis(&rest), ["DeleteRouteTable"]);
    // Somebody moved a subnet of theirs there.
    let used = live(&["subnet-a"], &["subnet-z"]);
    let rest = plan_between(&used, &good);
    assert!(!apis(&rest).contains(&"DeleteRouteTable"));
}

/// A good ACL's entries, and those of one that cuts all.
const ENTRIES: [&str; 2] = [
    "ingress 100 allow tcp:443 0.0.0.0/0",
    "egress 100 allow all 0.0.0.0/0",
];
const BROKEN: [&str; 2] = [
    "ingress 50 deny all 0.0.0.0/0",
    "ingress 60 deny all 10.0.0.0/8",
];

#[test]
fn subnets_of_a_broken_acl_move_to_one_that_says_the_same() {
    let good = snapshot([
        Resource::NetworkAcl(acl("acl-1", &["subnet-a"], &ENTRIES)),
        Resource::NetworkAcl(acl("acl-2", &["subnet-b"], &ENTRIES)),
    ]);
    let live = snapshot([
        Resource::NetworkAcl(acl("acl-1", &["subnet-a"], &BROKEN)),
        Resource::NetworkAcl(acl("acl-2", &["subnet-b"], &ENTRIES)),
    ]);
    let found = variant(&live, &good, "acl-1").unwrap();
    assert_eq!(apis(&found.fast), ["ReplaceNetworkAclAssociation"]);
    assert_eq!(found.calls, 1);
    assert!(found.ordinary > 1, "{}", found.ordinary);
    let end = folded(&folded(&live, &found.fast), &found.repair);
    assert_eq!(verify(&good.resources, &end), Verification::Equal);
    assert_eq!(end.resources.len(), 2);
}

#[test]
fn one_acl_stands_in_for_two_that_are_broken() {
    let acls = |entries_of_two: &[&str]| {
        snapshot([
            Resource::NetworkAcl(acl("acl-1", &["subnet-a"], entries_of_two)),
            Resource::NetworkAcl(acl("acl-2", &["subnet-b"], entries_of_two)),
            Resource::NetworkAcl(acl("acl-3", &["subnet-c"], &ENTRIES)),
        ])
    };
    let (good, live) = (acls(&ENTRIES), acls(&BROKEN));
    let goal = goal_of(&good, &["acl-1", "acl-2"]);
    let found = emergency(&live, &goal, &baselines(&good)).unwrap();
    assert_eq!(
        apis(&found.fast),
        [
            "ReplaceNetworkAclAssociation",
            "ReplaceNetworkAclAssociation"
        ]
    );
    let after = found.after(&live);
    for subnet in ["subnet-a", "subnet-b"] {
        assert_eq!(decides(&after, subnet).0, decides(&good, subnet).0);
    }
    assert_eq!(folded(&after, &found.repair).resources, good.resources);
}

#[test]
fn where_one_call_does_it_nothing_is_replaced() {
    let good = snapshot([Resource::RouteTable(table(
        "rtb-1",
        &["subnet-a"],
        &["0.0.0.0/0 igw-1"],
    ))]);
    let live = snapshot([Resource::RouteTable(table("rtb-1", &["subnet-a"], &[]))]);
    assert_eq!(variant(&live, &good, "rtb-1"), None);
    assert_eq!(variant(&good, &good, "rtb-1"), None);
}

/// Every emergency variant of a pair of states, of one resource and of all together.
fn variants(live: &Snapshot, good: &Snapshot) -> Vec<(BTreeMap<ResourceId, Resource>, Emergency)> {
    let baselines = baselines(good);
    let alone = good
        .resources
        .iter()
        .map(|(id, wanted)| BTreeMap::from([(id.clone(), wanted.clone())]));
    alone
        .chain([good.resources.clone()])
        .filter_map(|goal| Some((goal.clone(), emergency(live, &goal, &baselines)?)))
        .collect()
}

/// How many variants there are; each ends as the ordinary plan does, and nothing of it stays behind.
fn holds(live: &Snapshot, good: &Snapshot) -> Result<usize, TestCaseError> {
    let variants = variants(live, good);
    for (goal, found) in &variants {
        prop_assert!(found.calls < found.ordinary);
        for (state, plan) in [
            (live.clone(), &found.fast),
            (found.after(live), &found.repair),
        ] {
            prop_assert!(plan.notes.is_empty(), "{:?}", plan.notes);
            let safety = safety(&state, plan);
            prop_assert!(safety.iter().all(|step| *step == StepSafety::Safe));
        }
        let end = folded(&found.after(live), &found.repair);
        let usual = folded(live, &plan(live, goal, &baselines(good)));
        prop_assert_eq!(&end.resources, &usual.resources);
        prop_assert!(verify(&found.repair.goal, &end) == Verification::Equal);
    }
    Ok(variants.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_acl_swap_ends_as_the_ordinary_plan_with_fewer_calls_to_working_traffic((live, good) in acls()) {
        holds(&live, &good)?;
    }

    #[test]
    fn a_table_replacement_ends_as_the_ordinary_plan_with_fewer_calls_to_working_traffic((live, good) in tables()) {
        holds(&live, &good)?;
    }
}

/// The properties above look at something: of 200 such pairs of ACLs 78 have a variant, of tables 36.
#[test]
fn random_worlds_have_emergency_variants() {
    fn share(worlds: impl Strategy<Value = (Snapshot, Snapshot)>) -> usize {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let pair = |runner: &mut _| worlds.new_tree(runner).unwrap().current();
        (0..60)
            .map(|_| pair(&mut runner))
            .filter(|(live, good)| !variants(live, good).is_empty())
            .count()
    }
    let found = (share(acls()), share(tables()));
    assert!(found.0 >= 5 && found.1 >= 5, "{found:?}");
}
