//! What a group and the ACL before it let pass together: nothing that neither end lets pass.

use super::*;

/// `eni-1` in `subnet-1` behind `acl-1`, with `sg-1`; ids of rules that the baseline never had.
fn worlds(groups: [&[&str]; 2], acls: [&[&str]; 2]) -> (Snapshot, Snapshot) {
    let of = |side: usize| {
        snapshot([
            group("sg-1", groups[side]).into_resource(),
            acl("acl-1", &["subnet-1"], acls[side]).into_resource(),
        ])
    };
    let (mut live, good) = (of(0), of(1));
    let rules = std::mem::take(&mut live.handles.rules).into_iter();
    live.handles.rules = rules
        .map(|(id, handle)| (format!("{id}-new").as_str().into(), handle))
        .collect();
    let mut interface = NetworkInterface::new("eni-1", VPC, "subnet-1");
    interface.groups.insert("sg-1".into());
    live.topology.interfaces.insert("eni-1".into(), interface);
    live.topology.read.insert(ContextKind::Interfaces);
    (live, good)
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| step.action.describe())
        .collect()
}

const WORLD: &str = "ingress 100 allow tcp:22 0.0.0.0/0";

#[test]
fn a_group_that_is_too_open_closes_before_the_acl_behind_which_it_hides_opens() {
    let (live, good) = worlds(
        [
            &["ingress tcp:22 0.0.0.0/0"],
            &["ingress tcp:22 10.0.0.0/8"],
        ],
        [&[], &[WORLD]],
    );
    let plan = plan_between(&live, &good);
    assert_eq!(
        apis(&plan),
        ["ModifySecurityGroupRules", "CreateNetworkAclEntry"],
        "{:?}",
        lines(&plan)
    );
    assert_eq!(plan.notes, []);
}

#[test]
fn an_acl_that_is_too_open_closes_before_the_group_behind_it_opens() {
    let (live, good) = worlds(
        [&[], &["ingress tcp:22 0.0.0.0/0"]],
        [&[WORLD], &["ingress 100 allow tcp:22 10.0.0.0/8"]],
    );
    let plan = plan_between(&live, &good);
    assert_eq!(
        apis(&plan),
        ["ReplaceNetworkAclEntry", "AuthorizeSecurityGroupIngress"],
        "{:?}",
        lines(&plan)
    );
    assert_eq!(plan.notes, []);
}

#[test]
fn the_proof_sees_what_a_group_and_an_acl_open_together() {
    let (live, good) = worlds(
        [
            &["ingress tcp:22 0.0.0.0/0"],
            &["ingress tcp:22 10.0.0.0/8"],
        ],
        [&[], &[WORLD]],
    );
    let mut plan = plan_between(&live, &good);
    plan.steps.reverse();
    let told = safety(&live, &plan);
    let [StepSafety::Interrupts { what, why }, StepSafety::Safe] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        what.contains("interfaces with sg-1 in subnet-1: opens ingress for a moment"),
        "{what}"
    );
    assert!(what.contains("from 0.0.0.0/0 except 10.0.0.0/8"), "{what}");
    assert!(why.contains("no order of the calls"), "{why}");
    // Where no interface in the subnet carries the group, nothing is open.
    let mut apart = live.clone();
    apart.topology.interfaces.clear();
    assert_eq!(safety(&apart, &plan), [StepSafety::Safe, StepSafety::Safe]);
}

#[test]
fn both_directions_are_woven_by_themselves() {
    let (live, good) = worlds(
        [
            &["ingress tcp:22 0.0.0.0/0"],
            &["ingress tcp:22 10.0.0.0/8", "egress tcp:443 0.0.0.0/0"],
        ],
        [
            &["egress 100 allow tcp:443 0.0.0.0/0"],
            &[WORLD, "egress 100 allow tcp:443 10.0.0.0/8"],
        ],
    );
    let plan = plan_between(&live, &good);
    assert_eq!(plan.notes, [], "{:?}", lines(&plan));
    assert_eq!(plan.steps.len(), 4, "{:?}", lines(&plan));
}
