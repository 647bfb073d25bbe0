//! In small worlds a plan for an ACL has as few calls as any safe way there is: an exhaustive search
//! over every single-entry call says so.

use super::*;
use snapback_reach::{PacketSet, permitted_by_acl};
use std::collections::{BTreeMap, VecDeque};

type Entries = BTreeMap<EntryKey, NetworkAclEntry>;

/// Three contents over two packets, so that order matters, at three numbers.
const CONTENTS: [&str; 3] = [
    "allow tcp:22 10.0.0.0/8",
    "deny tcp:22 10.1.0.0/16",
    "allow all 10.1.0.0/16",
];
const NUMBERS: [u16; 3] = [100, 110, 120];

fn at(number: u16) -> EntryKey {
    entry_key(&format!("ingress {number}"))
}

fn acl_with(entries: &Entries) -> NetworkAcl {
    let mut acl = acl("acl-1", &["subnet-1"], &[]);
    acl.entries = entries.clone();
    acl
}

fn permitted(entries: &Entries) -> PacketSet {
    permitted_by_acl(&acl_with(entries), Direction::Ingress)
}

/// Every list over the numbers and contents.
fn world() -> Vec<Entries> {
    let mut lists = vec![Entries::new()];
    for number in NUMBERS {
        lists = lists
            .into_iter()
            .flat_map(|list| {
                let with = CONTENTS.iter().map(|content| {
                    let mut list = list.clone();
                    list.insert(at(number), entry(content));
                    list
                });
                with.chain([list.clone()]).collect::<Vec<_>>()
            })
            .collect();
    }
    lists
}

/// The length of the shortest safe way, over single calls at these numbers and one free number in
/// each gap, with these contents.
fn shortest(from: &Entries, to: &Entries, permits: &BTreeMap<String, PacketSet>) -> Option<usize> {
    let known = |list: &Entries| {
        permits
            .get(&format!("{list:?}"))
            .cloned()
            .unwrap_or_else(|| permitted(list))
    };
    let (before, after) = (known(from), known(to));
    let (lower, upper) = (before.intersection(&after), before.union(&after));
    let numbers = [99, 100, 101, 110, 111, 120, 121];
    let mut seen = BTreeSet::from([format!("{from:?}")]);
    let mut queue = VecDeque::from([(from.clone(), 0)]);
    while let Some((list, calls)) = queue.pop_front() {
        if list == *to {
            return Some(calls);
        }
        // No way is longer than one with two detours, as far as these worlds go.
        if calls >= 6 {
            continue;
        }
        for number in numbers {
            let options = CONTENTS
                .iter()
                .map(|content| Some(entry(content)))
                .chain([None]);
            for option in options {
                let mut next = list.clone();
                match option {
                    Some(content) => next.insert(at(number), content),
                    None => next.remove(&at(number)),
                };
                if next == list || !seen.insert(format!("{next:?}")) {
                    continue;
                }
                let now = known(&next);
                if lower.is_subset(&now) && now.is_subset(&upper) {
                    queue.push_back((next, calls + 1));
                }
            }
        }
    }
    None
}

#[test]
fn the_way_of_an_acl_is_the_shortest_there_is_in_a_small_world() {
    let lists = world();
    let permits: BTreeMap<String, PacketSet> = lists
        .iter()
        .map(|list| (format!("{list:?}"), permitted(list)))
        .collect();
    let mut compared = 0;
    let mut detours = 0;
    // Every pair is some four thousand searches; each eleventh keeps the test short.
    let pairs = lists
        .iter()
        .flat_map(|from| lists.iter().map(move |to| (from, to)));
    for (from, to) in pairs.step_by(11) {
        let differing = NUMBERS
            .iter()
            .filter(|number| from.get(&at(**number)) != to.get(&at(**number)))
            .count();
        if differing < 2 {
            continue;
        }
        let live = snapshot([acl_with(from).into_resource()]);
        let good = snapshot([acl_with(to).into_resource()]);
        let plan = plan_between(&live, &good);
        assert_eq!(folded(&live, &plan).resources, good.resources);
        let least = shortest(from, to, &permits);
        let shadow = apis(&plan).contains(&"CreateNetworkAcl");
        match least {
            Some(least) if !shadow => {
                assert_eq!(plan.steps.len(), least, "{from:?} to {to:?}: {plan:#?}");
                assert_eq!(plan.notes, []);
                detours += usize::from(least > differing);
            }
            Some(least) => panic!("{least} calls in place would do: {from:?} to {to:?}: {plan:#?}"),
            // No way in place: a block or a shadow is safe all the same.
            None => assert_eq!(plan.notes, [], "{from:?} to {to:?}"),
        }
        compared += 1;
    }
    assert!(compared > 200 && detours > 0, "{compared} {detours}");
}
