//! Next hops against the naive evaluator, regions and differences.

use super::arbitrary::*;
use crate::*;
use proptest::prelude::*;
use snapback_model::*;

fn table(routes: &[(&str, &str)]) -> RouteTable {
    let target = |text: &str| match text.split_once('-').map_or(text, |(kind, _)| kind) {
        "local" => RouteTarget::Local,
        "igw" => RouteTarget::InternetGateway(text.into()),
        "nat" => RouteTarget::NatGateway(text.into()),
        "pcx" => RouteTarget::VpcPeeringConnection(text.into()),
        "vpce" => RouteTarget::GatewayEndpoint(text.into()),
        _ => RouteTarget::NetworkInterface(text.into()),
    };
    table_of(
        routes
            .iter()
            .map(|(destination, to)| {
                let (to, blackhole) = to.strip_suffix('!').map_or((*to, false), |to| (to, true));
                (
                    destination.parse().unwrap(),
                    Route {
                        blackhole,
                        ..Route::created(target(to))
                    },
                )
            })
            .collect(),
    )
}

fn told(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
    let topology = Topology::default();
    let (before, after) = (
        next_hops(&table(before), &topology),
        next_hops(&table(after), &topology),
    );
    let word = |hop: &Hop| {
        hop.delivers()
            .map_or("nothing".to_owned(), ToString::to_string)
    };
    before
        .difference(&after)
        .iter()
        .map(|region| {
            format!(
                "{} {} {}",
                region.destination,
                word(&region.hops[0]),
                word(&region.hops[1])
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn a_table_sends_each_address_where_the_naive_evaluator_sends_it(
        table in super::arbitrary::table(),
        addresses in prop::collection::vec(address(), 24),
    ) {
        let topology = topology();
        let hops = next_hops(&table, &topology);
        for address in addresses {
            prop_assert_eq!(hops.at(address).delivers().cloned(), naive::next_hop(&table, &topology, address), "{}", address);
        }
    }

    #[test]
    fn regions_partition_the_routed_addresses(
        one in super::arbitrary::table(),
        other in super::arbitrary::table(),
        addresses in prop::collection::vec(address(), 24),
    ) {
        let topology = topology();
        let (one, other) = (next_hops(&one, &topology), next_hops(&other, &topology));
        let regions = NextHops::regions(&[&one, &other]);
        let holder = |address| {
            let holders = regions.iter().filter_map(|region| Some((region, region.destination.as_cidr()?)));
            holders.filter(|(_, net)| net.contains(&address)).max_by_key(|(_, net)| net.prefix_len()).map(|(region, _)| region)
        };
        let witnesses = regions.iter().filter_map(|region| region.witness);
        for address in addresses.into_iter().chain(witnesses) {
            let want = vec![one.at(address).clone(), other.at(address).clone()];
            let got = holder(address).map_or(vec![Hop::Unrouted, Hop::Unrouted], |region| region.hops.clone());
            prop_assert_eq!(got, want, "{}", address);
        }
        for region in &regions {
            if let Some(witness) = region.witness {
                prop_assert_eq!(holder(witness).map(|region| &region.destination), Some(&region.destination));
            }
        }
    }

    #[test]
    fn no_difference_is_told_exactly_when_every_address_arrives_alike(
        one in super::arbitrary::table(),
        other in super::arbitrary::table(),
        addresses in prop::collection::vec(address(), 24),
    ) {
        let topology = topology();
        let (one, other) = (next_hops(&one, &topology), next_hops(&other, &topology));
        prop_assert!(one.difference(&one).is_empty());
        prop_assert_eq!(one.strays_from(&one, &other), None);
        if one.difference(&other).is_empty() {
            for address in addresses {
                prop_assert_eq!(one.at(address).delivers(), other.at(address).delivers());
            }
        } else {
            prop_assert!(one.strays_from(&other, &other).is_some());
        }
    }
}

#[test]
fn differences_are_told_by_the_routes_that_make_them() {
    let base = &[("10.0.0.0/16", "local"), ("0.0.0.0/0", "igw-1")];
    assert_eq!(told(base, base), Vec::<String>::new());
    assert_eq!(
        told(base, &[("10.0.0.0/16", "local")]),
        ["0.0.0.0/0 igw-1 nothing"]
    );
    assert_eq!(
        told(base, &[("10.0.0.0/16", "local"), ("0.0.0.0/0", "eni-1")]),
        ["0.0.0.0/0 igw-1 eni-1"]
    );
    assert_eq!(
        told(base, &[("10.0.0.0/16", "local"), ("0.0.0.0/0", "igw-1!")]),
        ["0.0.0.0/0 igw-1 nothing"]
    );
    assert_eq!(
        told(
            base,
            &[
                ("10.0.0.0/16", "local"),
                ("0.0.0.0/0", "igw-1"),
                ("8.8.8.0/24", "eni-1")
            ]
        ),
        ["8.8.8.0/24 igw-1 eni-1"]
    );
    // More specific routes to the same target change nothing.
    assert_eq!(
        told(
            base,
            &[
                ("10.0.0.0/16", "local"),
                ("0.0.0.0/0", "igw-1"),
                ("8.8.8.0/24", "igw-1")
            ]
        ),
        Vec::<String>::new()
    );
    // A default split into halves for the same target is the same.
    assert_eq!(
        told(
            base,
            &[
                ("10.0.0.0/16", "local"),
                ("0.0.0.0/1", "igw-1"),
                ("128.0.0.0/1", "igw-1")
            ]
        ),
        Vec::<String>::new()
    );
    // A specific route that is gone falls to the default.
    assert_eq!(
        told(
            &[("0.0.0.0/0", "nat-1"), ("10.2.0.0/16", "pcx-1")],
            &[("0.0.0.0/0", "nat-1")]
        ),
        ["10.2.0.0/16 pcx-1 nat-1"]
    );
    // A dead route on top of a living one drops.
    assert_eq!(
        told(
            &[("0.0.0.0/0", "nat-1")],
            &[("0.0.0.0/0", "nat-1"), ("10.2.0.0/16", "pcx-1!")]
        ),
        ["10.2.0.0/16 nat-1 nothing"]
    );
    // An inner region with the same story as the one around it is not told again.
    assert_eq!(
        told(
            &[("0.0.0.0/0", "igw-1"), ("8.0.0.0/8", "igw-1")],
            &[("0.0.0.0/0", "eni-1")]
        ),
        ["0.0.0.0/0 igw-1 eni-1"]
    );
}

#[test]
fn prefix_lists_with_unread_entries_are_told_by_name() {
    assert_eq!(told(&[("pl-s3", "vpce-1")], &[]), ["pl-s3 vpce-1 nothing"]);
    assert_eq!(
        told(&[("pl-s3", "vpce-1")], &[("pl-s3", "vpce-1")]),
        Vec::<String>::new()
    );
}

#[test]
fn equal_prefixes_of_two_lists_with_different_targets_are_ambiguous() {
    let entries = |nets: &[&str]| Some(nets.iter().map(|net| net.parse().unwrap()).collect());
    let list = |id: &str, entries| PrefixList {
        id: id.into(),
        name: None,
        version: None,
        max_entries: None,
        entries,
    };
    let lists = [
        list("pl-1", entries(&["8.8.8.0/24", "9.9.9.0/24"])),
        list("pl-2", entries(&["8.8.8.0/24"])),
    ];
    let topology = Topology {
        prefix_lists: lists
            .into_iter()
            .map(|list| (list.id.clone(), list))
            .collect(),
        ..Topology::default()
    };
    let hops = next_hops(&table(&[("pl-1", "nat-1"), ("pl-2", "eni-1")]), &topology);
    assert_eq!(
        hops.ambiguous()
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["8.8.8.0/24"]
    );
    // A list with a network inside one of the other's.
    let nested = [
        list("pl-1", entries(&["8.8.0.0/16", "9.9.9.0/24"])),
        list("pl-2", entries(&["8.8.8.0/24"])),
    ];
    let nested = Topology {
        prefix_lists: nested
            .into_iter()
            .map(|list| (list.id.clone(), list))
            .collect(),
        ..Topology::default()
    };
    let hops = next_hops(&table(&[("pl-1", "nat-1"), ("pl-2", "eni-1")]), &nested);
    assert_eq!(
        hops.ambiguous()
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["8.8.8.0/24"]
    );
    let alike = next_hops(&table(&[("pl-1", "nat-1"), ("pl-2", "nat-1")]), &nested);
    assert!(
        alike.ambiguous().is_empty(),
        "both lists send it to the same target"
    );
    let settled = next_hops(
        &table(&[
            ("pl-1", "nat-1"),
            ("pl-2", "eni-1"),
            ("8.8.8.0/24", "igw-1"),
        ]),
        &topology,
    );
    assert!(
        settled.ambiguous().is_empty(),
        "a static route of the same prefix wins"
    );
}
