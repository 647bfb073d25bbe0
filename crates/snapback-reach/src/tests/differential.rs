//! The algebra against the naive evaluator, packet by packet: a million of them in each run.

use super::random::{self, Edges};
use crate::*;
use fastrand::Rng;
use ipnet::IpNet;
use snapback_model::*;

const STATES: u64 = 400;
const PACKETS: u64 = 1000;

/// Runs one comparison for many states, each from a seed of its own that a failure can name.
fn many(what: &str, compare: impl Fn(u64, &mut Rng) -> u64) {
    let first = random::seed();
    let compared: u64 = (0..STATES)
        .map(|number| {
            let seed = first.wrapping_add(number);
            compare(seed, &mut Rng::with_seed(seed))
        })
        .sum();
    println!("{what}: {compared} packets compared, 0 differences, first seed {first}");
    assert!(compared >= STATES * PACKETS);
}

fn networks_of(group: &SecurityGroup) -> impl Iterator<Item = IpNet> {
    group.rules.keys().filter_map(|rule| rule.peer.as_cidr())
}

#[test]
fn groups_permit_what_the_naive_evaluator_permits() {
    many("groups, two states and their differences", |seed, rng| {
        let topology = random::topology(rng);
        let (before, after) = (random::group(rng), random::group(rng));
        let rules = || before.rules.keys().chain(after.rules.keys());
        let networks = networks_of(&before).chain(networks_of(&after));
        let edges = Edges::of(networks, rules().map(|rule| &rule.traffic), &topology);
        for direction in [Direction::Ingress, Direction::Egress] {
            let was = permitted_by_group(&before, direction, &topology);
            let is = permitted_by_group(&after, direction, &topology);
            let (opened, closed) = (is.difference(&was), was.difference(&is));
            let (either, both) = (was.union(&is), was.intersection(&is));
            let neither = either.complement();
            for _ in 0..PACKETS / 2 {
                let flow = edges.flow(rng);
                let want = [&before, &after]
                    .map(|group| naive::permits_group(group, direction, &topology, &flow));
                let [want_was, want_is] = want;
                let got = [&was, &is, &opened, &closed, &either, &both, &neither]
                    .map(|set| set.contains(&flow));
                let want = [
                    want_was,
                    want_is,
                    want_is && !want_was,
                    want_was && !want_is,
                    want_was || want_is,
                    want_was && want_is,
                    !want_was && !want_is,
                ];
                assert_eq!(
                    got, want,
                    "seed {seed}, {direction} {flow}\nbefore {before:#?}\nafter {after:#?}\n{topology:#?}"
                );
            }
        }
        PACKETS
    });
}

#[test]
fn acls_permit_what_the_naive_evaluator_permits() {
    many("ACLs and their deciding entries", |seed, rng| {
        let acl = random::acl(rng);
        let entries = acl.entries.values();
        let edges = Edges::of(
            entries.clone().map(|entry| entry.cidr),
            entries.map(|entry| &entry.traffic),
            &Topology::default(),
        );
        for direction in [Direction::Ingress, Direction::Egress] {
            let permitted = permitted_by_acl(&acl, direction);
            let effective = effective_entries(&acl, direction);
            for _ in 0..PACKETS / 2 {
                let flow = edges.flow(rng);
                let told = || format!("seed {seed}, {direction} {flow}\n{acl:#?}");
                let want = naive::permits_acl(&acl, direction, &flow);
                assert_eq!(permitted.contains(&flow), want, "{}", told());
                let deciding = naive::deciding_entry(&acl, direction, &flow);
                let holders = effective.iter().filter(|(_, set)| set.contains(&flow));
                let holders: Vec<EntryKey> = holders.map(|(key, _)| *key).collect();
                assert_eq!(holders, Vec::from_iter(deciding), "{}", told());
            }
        }
        PACKETS
    });
}

#[test]
fn tables_send_addresses_where_the_naive_evaluator_sends_them() {
    many(
        "route tables, two states and their difference",
        |seed, rng| {
            let topology = random::topology(rng);
            let (before, after) = (random::table(rng), random::table(rng));
            let destinations = before.routes.keys().chain(after.routes.keys());
            let edges = Edges::of(destinations.filter_map(Destination::as_cidr), [], &topology);
            let (was, is) = (next_hops(&before, &topology), next_hops(&after, &topology));
            let difference = was.difference(&is);
            let told_of = |address| {
                let regions = difference.iter().filter(|region| {
                    region
                        .destination
                        .as_cidr()
                        .is_some_and(|net| net.contains(&address))
                });
                regions.count() > 0
            };
            let mut compared = 0;
            while compared < PACKETS {
                let Host::Address(address) = edges.host(rng) else {
                    continue;
                };
                compared += 1;
                let told = || {
                    format!(
                        "seed {seed}, {address}\nbefore {before:#?}\nafter {after:#?}\n{topology:#?}"
                    )
                };
                let want =
                    [&before, &after].map(|table| naive::next_hop(table, &topology, address));
                let got = [&was, &is].map(|hops| hops.at(address).delivers().cloned());
                assert_eq!(got, want, "{}", told());
                if got[0] != got[1] {
                    assert!(told_of(address), "a change of hop is told: {}", told());
                }
                let deciding = deciding_route(&before, &topology, address);
                let delivers = deciding.filter(|(_, route)| !route.blackhole);
                assert_eq!(
                    delivers.map(|(_, route)| route.target.clone()),
                    want[0],
                    "{}",
                    told()
                );
            }
            compared
        },
    );
}
