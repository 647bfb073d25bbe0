//! The emergency variants: the same end, traffic working after fewer calls.

use super::arbitrary::{acls, tables};
use super::*;
use crate::execution::{Verification, verify};
use proptest::prelude::*;

fn goal_of(good: &Snapshot, id: &str) -> Resource {
    good.resources[&id.parse().unwrap()].clone()
}

fn variant(live: &Snapshot, good: &Snapshot, id: &str) -> Option<Emergency> {
    emergency(live, &goal_of(good, id), &baselines(good))
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
    assert!(found.leftover.is_some());
    let after = folded(&live, &found.fast);
    assert_eq!(decides(&after, "subnet-a"), decides(&good, "subnet-a"));
    let end = folded(&after, &found.repair);
    assert_eq!(verify(&good.resources, &end), Verification::Equal);
}

#[test]
fn subnets_of_a_broken_acl_move_to_one_that_says_the_same() {
    let entries = [
        "ingress 100 allow tcp:443 0.0.0.0/0",
        "egress 100 allow all 0.0.0.0/0",
    ];
    let broken = [
        "ingress 50 deny all 0.0.0.0/0",
        "ingress 60 deny all 10.0.0.0/8",
    ];
    let good = snapshot([
        Resource::NetworkAcl(acl("acl-1", &["subnet-a"], &entries)),
        Resource::NetworkAcl(acl("acl-2", &["subnet-b"], &entries)),
    ]);
    let live = snapshot([
        Resource::NetworkAcl(acl("acl-1", &["subnet-a"], &broken)),
        Resource::NetworkAcl(acl("acl-2", &["subnet-b"], &entries)),
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

/// Every emergency variant of a pair of states.
fn variants(live: &Snapshot, good: &Snapshot) -> Vec<(Resource, Emergency)> {
    let baselines = baselines(good);
    let found = good
        .resources
        .values()
        .filter_map(|goal| Some((goal.clone(), emergency(live, goal, &baselines)?)));
    found.collect()
}

fn holds(live: &Snapshot, good: &Snapshot) -> Result<(), TestCaseError> {
    for (goal, found) in variants(live, good) {
        prop_assert!(found.calls < found.ordinary);
        prop_assert!(found.fast.notes.is_empty(), "{:?}", found.fast.notes);
        prop_assert!(found.repair.notes.is_empty(), "{:?}", found.repair.notes);
        let after = folded(live, &found.fast);
        let end = folded(&after, &found.repair);
        let ordinary = plan(
            live,
            &BTreeMap::from([(goal.id(), goal.clone())]),
            &baselines(good),
        );
        let usual = folded(live, &ordinary);
        // The same end, but for a table that stays behind.
        let mut left = end.resources.clone();
        if let Some(leftover) = &found.leftover {
            left.remove(leftover);
        }
        prop_assert_eq!(&left, &usual.resources);
        prop_assert!(verify(&found.repair.goal, &end) == Verification::Equal);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_acl_swap_ends_as_the_ordinary_plan_with_fewer_calls_to_working_traffic((live, good) in acls()) {
        holds(&live, &good)?;
    }

    #[test]
    fn a_table_replacement_ends_as_the_ordinary_plan_with_fewer_calls_to_working_traffic((live, good) in tables()) {
        holds(&live, &good)?;
    }
}
