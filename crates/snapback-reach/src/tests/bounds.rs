//! The bound: what AWS allows is inside it and quick, what is not is refused before it is built, and
//! nothing that was built is larger than predicted.

use super::random;
use crate::bound::{self, LIMIT, check, check_pair, predict};
use crate::*;
use fastrand::Rng;
use ipnet::{IpNet, Ipv4Net};
use snapback_model::*;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[path = "../../benches/worlds/mod.rs"]
mod worlds;

use worlds::Shape;

/// Debug builds on busy machines are slow; a bound that does not hold is slower by orders of magnitude.
const SOON: Duration = Duration::from_secs(20);

fn group(keys: impl IntoIterator<Item = RuleKey>) -> Resource {
    Resource::SecurityGroup(worlds::group_of(keys))
}

fn tcp(port: u32, peer: Peer) -> RuleKey {
    RuleKey {
        direction: Direction::Ingress,
        traffic: Traffic::Tcp(PortRange::single(port as u16)),
        peer,
    }
}

fn host(number: u32) -> IpNet {
    IpNet::V4(Ipv4Net::new(((10 << 24) | (number * 2)).into(), 32).unwrap())
}

fn topology(lists: u32, entries: u32) -> Topology {
    let lists = (0..lists).map(|list| {
        let networks = (0..entries).map(|entry| host(list * entries + entry));
        let list = PrefixList {
            id: format!("pl-{list}").as_str().into(),
            name: None,
            version: Some(1),
            max_entries: Some(entries),
            entries: Some(networks.collect()),
        };
        (list.id.clone(), list)
    });
    Topology {
        prefix_lists: lists.collect(),
        ..Topology::default()
    }
}

fn list(number: u32) -> Peer {
    Peer::PrefixList(format!("pl-{number}").as_str().into())
}

/// Intervals that a set really has: the pieces of each protocol, address segment by segment.
fn size(set: &PacketSet) -> u64 {
    let cells = set.cells().named().values().chain([set.cells().rest()]);
    let cells = cells.map(|cell| {
        let v4 = cell
            .v4
            .segments()
            .map(|(_, _, points)| points.ranges().count());
        let v6 = cell
            .v6
            .segments()
            .map(|(_, _, points)| points.ranges().count());
        let symbols = cell
            .symbols
            .named()
            .values()
            .map(|points| points.ranges().count());
        v4.chain(v6).chain(symbols).sum::<usize>()
    });
    cells.sum::<usize>() as u64
}

/// Builds both states and their differences, as judging a change does, in no more than a bounded time.
fn compare(before: &Resource, after: &Resource, topology: &Topology) {
    check_pair(before, after, topology).unwrap();
    let predicted = predict(&[before, after], topology);
    let began = Instant::now();
    let [was, is] = [before, after].map(|state| match state {
        Resource::SecurityGroup(group) => permitted_by_group(group, Direction::Ingress, topology),
        Resource::NetworkAcl(acl) => permitted_by_acl(acl, Direction::Ingress),
        Resource::RouteTable(_) => PacketSet::empty(),
    });
    let sets = [was.difference(&is), is.difference(&was), was, is];
    for set in sets {
        assert!(size(&set) <= predicted, "{} of {predicted}", size(&set));
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn the_largest_groups_that_aws_allows_are_inside_the_bound() {
    // Half of 1000 rules cut the addresses, half are open in each piece.
    for shape in Shape::ALL {
        let before = worlds::group(1000, shape);
        let after = worlds::edited(&before);
        compare(
            &Resource::SecurityGroup(before),
            &Resource::SecurityGroup(after),
            &Topology::default(),
        );
    }
    // Networks nested 32 deep, each with 31 ports of its own.
    let nested = (1..=32u8).flat_map(|length| {
        let net = Ipv4Net::new([10, 0, 0, 1].into(), length).unwrap().trunc();
        (0..31).map(move |port| tcp((u32::from(length) * 31 + port) * 2, Peer::Ipv4(net)))
    });
    let nested: BTreeSet<RuleKey> = nested.collect();
    let without = nested.iter().skip(1).cloned();
    compare(
        &group(nested.clone()),
        &group(without.collect::<Vec<_>>()),
        &Topology::default(),
    );
    // A list of 1000 entries in each of 1000 rules: more than the quota lets anyone refer to.
    let rules = (0..1000).map(|rule| tcp(rule * 2, list(0)));
    let fewer = (1..1000).map(|rule| tcp(rule * 2, list(0)));
    compare(&group(rules), &group(fewer), &topology(1, 1000));
    // A list of 500 entries below 500 ports of everyone: the worst that a quota of 1000 buys.
    let everyone = || {
        (0..500).map(|rule| {
            tcp(
                rule * 2,
                "0.0.0.0/0".parse::<IpNet>().map(Peer::cidr).unwrap(),
            )
        })
    };
    let rules = everyone().chain([tcp(1, list(0))]);
    compare(&group(rules), &group(everyone()), &topology(1, 500));
}

#[test]
fn an_acl_of_any_quota_is_inside_the_bound() {
    let before = worlds::acl(80);
    let after = worlds::bombed(&before);
    compare(
        &Resource::NetworkAcl(before),
        &Resource::NetworkAcl(after),
        &Topology::default(),
    );
}

#[test]
fn beyond_the_bound_a_resource_is_refused_without_building_it() {
    let wide = worlds::group(4000, Shape::Adversarial);
    let tall = group(
        (0..500)
            .map(|rule| tcp(rule, list(rule)))
            .chain((0..500).map(|rule| tcp(rule * 2, Peer::cidr("0.0.0.0/0".parse().unwrap())))),
    );
    let lists = topology(500, 1000);
    let routes = {
        let mut table = worlds::table(2);
        let route = || Route::created(RouteTarget::NatGateway("nat-1".into()));
        table
            .routes
            .extend((0..500).map(|number| match list(number) {
                Peer::PrefixList(id) => (Destination::PrefixList(id), route()),
                other => panic!("{other:?}"),
            }));
        Resource::RouteTable(table)
    };
    for (resource, topology) in [
        (&Resource::SecurityGroup(wide), &Topology::default()),
        (&tall, &lists),
        (&routes, &lists),
    ] {
        let began = Instant::now();
        let refused = check(resource, topology).unwrap_err();
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert_eq!(refused.resource, resource.id());
        assert!(refused.predicted > LIMIT && refused.limit == LIMIT);
        assert!(check_pair(resource, resource, topology).is_err());
        let told = refused.to_string();
        assert!(
            told.contains(resource.id().as_str()) && told.contains("unknown"),
            "{told}"
        );
    }
}

/// Each state alone is small; laid over each other they are not.
#[test]
fn two_small_states_can_be_a_large_pair() {
    let ports =
        group((0..5000).map(|rule| tcp(rule * 2, Peer::cidr("0.0.0.0/0".parse().unwrap()))));
    let hosts = group((0..5000).map(|rule| tcp(1, Peer::cidr(host(rule)))));
    let topology = Topology::default();
    assert_eq!(
        (check(&ports, &topology), check(&hosts, &topology)),
        (Ok(()), Ok(()))
    );
    assert!(check_pair(&ports, &hosts, &topology).is_err());
}

/// 255 stands for every other number: a rule that names it, even for a group, makes 255 cells.
#[test]
fn a_rule_for_255_costs_all_the_cells_it_makes() {
    let all = (0..200).map(|number| RuleKey {
        traffic: Traffic::All,
        ..tcp(0, Peer::cidr(host(number)))
    });
    let reserved = RuleKey {
        traffic: Traffic::Protocol(255),
        ..tcp(0, "sg-2".parse().unwrap())
    };
    let group = worlds::group_of(all.chain([reserved]));
    let topology = Topology::default();
    let permitted = permitted_by_group(&group, Direction::Ingress, &topology);
    let predicted = predict(&[&Resource::SecurityGroup(group)], &topology);
    assert!(size(&permitted) > 200 * 200 && size(&permitted) <= predicted);
}

#[test]
fn no_set_is_larger_than_predicted() {
    let first = random::seed();
    for number in 0..300 {
        let seed = first.wrapping_add(number);
        let mut rng = Rng::with_seed(seed);
        let topology = random::topology(&mut rng);
        let group = random::group(&mut rng);
        let acl = random::acl(&mut rng);
        let directions = [Direction::Ingress, Direction::Egress];
        let permitted =
            directions.map(|direction| permitted_by_group(&group, direction, &topology));
        let predicted = predict(&[&Resource::SecurityGroup(group)], &topology);
        assert!(
            permitted.iter().map(size).sum::<u64>() <= predicted,
            "seed {seed}"
        );
        let permitted = directions.map(|direction| permitted_by_acl(&acl, direction));
        let predicted = predict(&[&Resource::NetworkAcl(acl)], &topology);
        assert!(
            permitted.iter().map(size).sum::<u64>() <= predicted,
            "seed {seed}"
        );
    }
    assert_eq!(bound::predict(&[], &Topology::default()), 0);
}
