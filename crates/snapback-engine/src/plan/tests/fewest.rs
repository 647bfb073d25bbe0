//! In small worlds a plan for groups, tables and associations has as few calls as any safe way there
//! is, and where there is none it says so: an exhaustive search over single calls is the judge.

use super::*;
use snapback_reach::{NextHops, PacketSet, next_hops, permitted_by_group};
use std::collections::{BTreeMap, VecDeque};

/// The length of the shortest way on which every state is `kept`.
fn shortest<S: Ord + Clone>(
    from: &S,
    to: &S,
    next: impl Fn(&S, usize) -> Vec<S>,
    kept: impl Fn(&S) -> bool,
) -> Option<usize> {
    let mut seen = BTreeSet::from([from.clone()]);
    let mut queue = VecDeque::from([(from.clone(), 0)]);
    while let Some((state, calls)) = queue.pop_front() {
        if state == *to {
            return Some(calls);
        }
        for after in next(&state, calls) {
            if !seen.contains(&after) && kept(&after) {
                seen.insert(after.clone());
                queue.push_back((after, calls + 1));
            }
        }
    }
    None
}

const RULES: [&str; 5] = [
    "ingress tcp:22 10.0.0.0/8",
    "ingress tcp:22 10.1.0.0/16",
    "ingress tcp:all 10.1.0.0/16",
    "ingress tcp:443 0.0.0.0/0",
    "ingress tcp:22 2001:db8::/32",
];

fn rules_of(mask: u8) -> Vec<&'static str> {
    let rules = RULES.iter().enumerate();
    rules
        .filter(|(index, _)| mask & (1 << index) != 0)
        .map(|(_, rule)| *rule)
        .collect()
}

#[test]
fn the_way_of_a_group_is_the_shortest_that_closes_first_what_it_can() {
    let topology = Topology::default();
    let permits: Vec<PacketSet> = (0..32)
        .map(|mask| {
            permitted_by_group(
                &group("sg-1", &rules_of(mask)),
                Direction::Ingress,
                &topology,
            )
        })
        .collect();
    let at = |mask: u8| &permits[usize::from(mask)];
    let mut figures = [0; 4];
    for (from, to) in (0..32_u8).flat_map(|from| (0..32_u8).map(move |to| (from, to))) {
        let (lower, upper) = (at(from).intersection(at(to)), at(from).union(at(to)));
        let kept = |mask: &u8| lower.is_subset(at(*mask)) && at(*mask).is_subset(&upper);
        // Semantics C1, 1: what opens and can go goes with the first call.
        // Of two that cannot both go at once the first in the order of rules goes.
        let mut extras: Vec<u8> = (0..5)
            .map(|bit| 1 << bit)
            .filter(|bit| from & !to & bit != 0)
            .collect();
        extras.sort_by_key(|bit| key(rules_of(*bit)[0]));
        let all: u8 = extras.iter().sum();
        let mut free = all;
        if !lower.is_subset(at(from & !free)) {
            free = 0;
            for bit in &extras {
                if lower.is_subset(at(from & !free & !bit)) {
                    free |= bit;
                }
            }
        }
        let danger: u8 = extras
            .iter()
            .filter(|bit| free & **bit != 0 && !at(**bit).is_subset(at(to)))
            .sum();
        let next = |state: &u8, calls: usize| -> Vec<u8> {
            let added = (0..32).map(|mask| state | mask);
            let revoked = (0..32).map(|mask| state & !mask);
            // Modified in place: the family of the peer is fixed.
            let modified = (0..5).flat_map(|out| (0..5).map(move |into| (out, into)));
            let modified = modified
                .filter(|(out, into)| state & (1 << out) != 0 && state & (1 << into) == 0)
                .filter(|(out, into)| (*out == 4) == (*into == 4))
                .map(|(out, into)| state & !(1 << out) | 1 << into);
            added
                .chain(revoked)
                .chain(modified)
                .filter(|after| calls > 0 || after & danger == 0)
                .collect()
        };
        let least = shortest(&from, &to, next, kept).unwrap();
        let mut live = snapshot([group("sg-1", &rules_of(from)).into_resource()]);
        let rules = std::mem::take(&mut live.handles.rules).into_iter();
        live.handles.rules = rules
            .map(|(id, handle)| (format!("{id}-new").as_str().into(), handle))
            .collect();
        let good = snapshot([group("sg-1", &rules_of(to)).into_resource()]);
        let plan = plan_between(&live, &good);
        assert_eq!(plan.notes, []);
        assert_eq!(
            plan.steps.len(),
            least,
            "{:?} to {:?}: {:?}",
            rules_of(from),
            rules_of(to),
            plan.steps
                .iter()
                .map(|step| step.action.describe())
                .collect::<Vec<_>>()
        );
        assert!(plan.steps.len() >= lower_bound(&live, &good.resources, &baselines(&good)));
        figures[least.min(3)] += 1;
    }
    assert!(figures.iter().all(|count| *count > 0), "{figures:?}");
}

const DESTINATIONS: [&str; 3] = ["0.0.0.0/0", "172.16.0.0/12", "172.16.1.0/24"];
const TARGETS: [Option<&str>; 3] = [None, Some("igw-1"), Some("tgw-1")];

/// A table by the target of each destination.
fn routed(id: &str, subnets: &[&str], targets: &[usize]) -> RouteTable {
    let lines: Vec<String> = DESTINATIONS
        .iter()
        .zip(targets)
        .filter_map(|(destination, target)| Some(format!("{destination} {}", TARGETS[*target]?)))
        .collect();
    table(
        id,
        subnets,
        &lines.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[test]
fn the_way_of_a_table_is_the_shortest_there_is() {
    let topology = Topology::default();
    let mut worlds = Vec::new();
    for (one, two, three) in (0..27).map(|n| (n / 9, n / 3 % 3, n % 3)) {
        worlds.push(vec![one, two, three]);
    }
    let hops: BTreeMap<Vec<usize>, NextHops> = worlds
        .iter()
        .map(|world| {
            (
                world.clone(),
                next_hops(&routed("rtb-1", &[], world), &topology),
            )
        })
        .collect();
    for (from, to) in worlds
        .iter()
        .flat_map(|from| worlds.iter().map(move |to| (from, to)))
    {
        let next = |state: &Vec<usize>, _: usize| -> Vec<Vec<usize>> {
            let changes = (0..3).flat_map(|place| (0..3).map(move |target| (place, target)));
            changes
                .map(|(place, target)| {
                    let mut after = state.clone();
                    after[place] = target;
                    after
                })
                .collect()
        };
        let kept = |state: &Vec<usize>| hops[state].strays_from(&hops[from], &hops[to]).is_none();
        let least = shortest(from, to, next, kept).unwrap();
        let live = snapshot([routed("rtb-1", &["subnet-1"], from).into_resource()]);
        let good = snapshot([routed("rtb-1", &["subnet-1"], to).into_resource()]);
        let plan = plan_between(&live, &good);
        assert_eq!(
            (plan.steps.len(), plan.notes.len()),
            (least, 0),
            "{from:?} {to:?}"
        );
        assert_eq!(
            least,
            lower_bound(&live, &good.resources, &baselines(&good))
        );
    }
}

/// Two tables with one route each and two subnets: target of each table, table of each subnet (2 is
/// none of its own), and which table is main.
type Pair = ([usize; 2], [usize; 2], usize);

fn pair_of((targets, places, main): &Pair) -> Snapshot {
    let tables = [0, 1].map(|index| {
        let subnets = ["subnet-1", "subnet-2"];
        let here: Vec<&str> = subnets
            .iter()
            .zip(places)
            .filter(|(_, place)| **place == index)
            .map(|(subnet, _)| *subnet)
            .collect();
        let mut table = routed(
            &format!("rtb-{}", index + 1),
            &here,
            &targets[index..=index],
        );
        table.main = index == *main;
        table.into_resource()
    });
    let mut state = snapshot(tables);
    for id in ["subnet-1", "subnet-2"] {
        state
            .topology
            .subnets
            .insert(id.into(), Subnet::new(id, vpc()));
    }
    state
}

/// Where each subnet's default leads, and that of one that was not read.
fn leads((targets, places, main): &Pair) -> [usize; 3] {
    let of = |place: usize| targets[if place == 2 { *main } else { place }];
    [of(places[0]), of(places[1]), targets[*main]]
}

#[test]
fn the_way_of_two_tables_and_their_subnets_is_the_shortest_or_over_a_temporary_table() {
    let mut worlds: Vec<Pair> = Vec::new();
    for number in 0..(3 * 3 * 3 * 3 * 2) {
        let (targets, places) = (
            [number % 3, number / 3 % 3],
            [number / 9 % 3, number / 27 % 3],
        );
        worlds.push((targets, places, number / 81));
    }
    let next = |(targets, places, main): &Pair, _: usize| -> Vec<Pair> {
        let mut after = vec![(*targets, *places, 1 - main)];
        for (index, value) in (0..2).flat_map(|index| (0..3).map(move |value| (index, value))) {
            let (mut routed, mut placed) = (*targets, *places);
            routed[index] = value;
            placed[index] = value;
            after.extend([(routed, *places, *main), (*targets, placed, *main)]);
        }
        after
    };
    let (mut equal, mut shadowed) = (0, 0);
    let pairs = worlds
        .iter()
        .flat_map(|from| worlds.iter().map(move |to| (from, to)));
    for (from, to) in pairs.step_by(13) {
        let ends = [leads(from), leads(to)];
        let kept = |state: &Pair| {
            let now = leads(state);
            (0..3).all(|who| now[who] == ends[0][who] || now[who] == ends[1][who])
        };
        let least = shortest(from, to, next, kept);
        let (live, good) = (pair_of(from), pair_of(to));
        let plan = plan_between(&live, &good);
        assert_eq!(folded(&live, &plan).resources, good.resources);
        let words = || {
            plan.steps
                .iter()
                .map(|step| step.action.describe())
                .collect::<Vec<_>>()
        };
        let bound = lower_bound(&live, &good.resources, &baselines(&good));
        assert!(plan.steps.len() >= bound, "{from:?} {to:?} {:?}", words());
        match least {
            Some(least) if least == bound => {
                assert_eq!(plan.steps.len(), least, "{from:?} {to:?} {:?}", words());
                assert_eq!(plan.notes, [], "{from:?} {to:?} {:?}", words());
                equal += 1;
            }
            // No way has so few calls and is safe: it goes over a temporary table.
            Some(_) | None => {
                assert_eq!(plan.notes, [], "{from:?} {to:?} {:?}", words());
                let made = plan.steps.iter().any(makes_a_table);
                assert!(made, "{from:?} {to:?} {:?}", words());
                shadowed += 1;
            }
        }
    }
    assert!(equal > 1_000 && shadowed > 0, "{equal} {shadowed}");
}

fn makes_a_table(step: &Step) -> bool {
    matches!(step.action, Action::CreateRouteTable { .. })
}
