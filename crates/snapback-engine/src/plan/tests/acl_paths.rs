//! Orders of entries that need more than one edit after the other.

use super::*;

fn planned(live: &[&str], good: &[&str]) -> Plan {
    let live = snapshot([acl("acl-1", &["subnet-1"], live).into_resource()]);
    let good = snapshot([acl("acl-1", &["subnet-1"], good).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    plan
}

#[test]
fn a_wiped_acl_gets_its_denies_before_the_allows_they_narrow() {
    let good = [
        "ingress 90 deny tcp:22 0.0.0.0/0",
        "ingress 100 allow all 0.0.0.0/0",
        "egress 100 allow all 0.0.0.0/0",
    ];
    let plan = planned(&[], &good);
    let lines: Vec<String> = plan
        .steps
        .iter()
        .map(|step| step.action.describe())
        .collect();
    assert_eq!(
        lines[0],
        "CreateNetworkAclEntry acl-1: ingress 90 deny tcp:22 0.0.0.0/0"
    );
    assert_eq!(plan.steps.len(), 3);
    assert_eq!(plan.notes, []);
}

#[test]
fn two_swapped_allows_are_swapped_back_with_one_scratch_entry() {
    let plan = planned(
        &[
            "ingress 100 allow tcp:22 10.0.0.0/8",
            "ingress 110 allow tcp:443 0.0.0.0/0",
        ],
        &[
            "ingress 100 allow tcp:443 0.0.0.0/0",
            "ingress 110 allow tcp:22 10.0.0.0/8",
        ],
    );
    assert_eq!(plan.notes, []);
    assert_eq!(plan.steps.len(), 4);
    assert!(
        plan.steps
            .iter()
            .any(|step| step.why.contains("for the time of the repair"))
    );
}

#[test]
fn entries_mixed_up_beyond_one_scratch_entry_are_rewritten_behind_a_block() {
    let networks = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    ];
    let lines = |shift: usize| -> Vec<String> {
        let number = |index: usize| 100 + 10 * index;
        (0..4)
            .map(|index| {
                format!(
                    "ingress {} allow tcp:{} {}",
                    number(index),
                    400 + (index + shift) % 4 / 2,
                    networks[(index + shift) % 4]
                )
            })
            .collect()
    };
    let (live, good) = (lines(0), lines(2));
    let refs = |lines: &[String]| -> Vec<String> { lines.to_vec() };
    let (live, good) = (refs(&live), refs(&good));
    let plan = planned(
        &live.iter().map(String::as_str).collect::<Vec<_>>(),
        &good.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    assert_eq!(plan.notes, []);
    assert!(plan.steps.len() > 5, "{:?}", apis(&plan));
}

#[test]
fn a_full_acl_without_a_free_slot_is_swapped_for_a_shadow_unless_none_can_be_made() {
    let line = |number: usize, port: usize| format!("ingress {number} allow tcp:{port} 0.0.0.0/0");
    let live: Vec<String> = (1..=20).map(|n| line(n * 10, n)).collect();
    let mut good = live.clone();
    good[0] = line(10, 2);
    good[1] = line(20, 1);
    let refs = |lines: &[String]| -> Vec<&'static str> {
        lines
            .iter()
            .map(|line| &*Box::leak(line.clone().into_boxed_str()))
            .collect()
    };
    let plan = planned(&refs(&live), &refs(&good));
    assert_eq!(plan.notes, []);
    assert_eq!(apis(&plan).len(), 26);
    // The quota of ACLs is full too: the way that cuts least, and it says what.
    let others = || (1..200).map(|n| acl(&format!("acl-full-{n}"), &[], &[]).into_resource());
    let with = |lines: &[String]| {
        let own = acl("acl-1", &["subnet-1"], &refs(lines)).into_resource();
        snapshot(others().chain([own]))
    };
    let plan = plan_between(&with(&live), &with(&good));
    assert_eq!(
        apis(&plan),
        ["ReplaceNetworkAclEntry", "ReplaceNetworkAclEntry"]
    );
    assert!(
        matches!(&plan.notes[..], [Note::Interrupts { step: 0, what, .. }] if what.contains("cuts ingress")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_full_acl_deletes_before_it_creates_where_that_is_safe() {
    let line = |number: usize, port: usize| format!("ingress {number} allow tcp:{port} 0.0.0.0/0");
    let refs = |lines: Vec<String>| -> Vec<&'static str> {
        lines
            .into_iter()
            .map(|line| &*Box::leak(line.into_boxed_str()))
            .collect()
    };
    let live = refs((1..=20).map(|n| line(n * 10, n)).collect());
    let good = refs((2..=21).map(|n| line(n * 10, n)).collect());
    let plan = planned(&live, &good);
    assert_eq!(
        apis(&plan),
        ["DeleteNetworkAclEntry", "CreateNetworkAclEntry"]
    );
    assert_eq!(plan.notes, []);
}
