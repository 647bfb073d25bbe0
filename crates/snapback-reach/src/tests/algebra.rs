//! Laws of the algebra, and its canonical form.

use super::arbitrary::*;
use crate::pieces::Coordinate;
use crate::*;
use proptest::prelude::*;
use snapback_model::*;

fn set() -> impl Strategy<Value = PacketSet> {
    prop_oneof![
        3 => group().prop_map(|group| permitted_by_group(&group, Direction::Ingress, &topology())),
        3 => acl().prop_map(|acl| permitted_by_acl(&acl, Direction::Ingress)),
        1 => group().prop_map(|group| permitted_by_group(&group, Direction::Ingress, &topology()).complement()),
        1 => (traffic(), peer()).prop_map(|(traffic, peer)| PacketSet::of_peer(&traffic, &peer)),
    ]
}

proptest! {
    #[test]
    fn operations_are_what_they_are_for_every_packet(a in set(), b in set(), flows in flows()) {
        let (union, both, only) = (a.union(&b), a.intersection(&b), a.difference(&b));
        for flow in &flows {
            let (in_a, in_b) = (a.contains(flow), b.contains(flow));
            prop_assert_eq!(union.contains(flow), in_a || in_b);
            prop_assert_eq!(both.contains(flow), in_a && in_b);
            prop_assert_eq!(only.contains(flow), in_a && !in_b);
        }
    }

    #[test]
    fn the_laws_of_sets_hold_as_equalities_of_values(a in set(), b in set(), c in set()) {
        let (or, and) = (PacketSet::union, PacketSet::intersection);
        let (none, everything) = (PacketSet::empty(), PacketSet::everything());
        // Commutative, associative, idempotent, with neutral elements.
        prop_assert_eq!(or(&a, &b), or(&b, &a));
        prop_assert_eq!(and(&a, &b), and(&b, &a));
        prop_assert_eq!(or(&or(&a, &b), &c), or(&a, &or(&b, &c)));
        prop_assert_eq!(and(&and(&a, &b), &c), and(&a, &and(&b, &c)));
        prop_assert_eq!([or(&a, &a), and(&a, &a), or(&a, &none), and(&a, &everything)], [(); 4].map(|()| a.clone()));
        prop_assert_eq!((and(&a, &none), or(&a, &everything)), (none.clone(), everything.clone()));
        // Absorption, distribution both ways.
        prop_assert_eq!([or(&a, &and(&a, &b)), and(&a, &or(&a, &b))], [(); 2].map(|()| a.clone()));
        prop_assert_eq!(and(&a, &or(&b, &c)), or(&and(&a, &b), &and(&a, &c)));
        prop_assert_eq!(or(&a, &and(&b, &c)), and(&or(&a, &b), &or(&a, &c)));
        // Complement: twice is nothing, De Morgan, nothing between.
        prop_assert_eq!(a.complement().complement(), a.clone());
        prop_assert_eq!(or(&a, &b).complement(), and(&a.complement(), &b.complement()));
        prop_assert_eq!(and(&a, &b).complement(), or(&a.complement(), &b.complement()));
        prop_assert_eq!((or(&a, &a.complement()), and(&a, &a.complement())), (everything, none));
    }

    #[test]
    fn the_laws_of_differences_hold(before in set(), after in set(), other in set()) {
        let (opened, closed) = (after.difference(&before), before.difference(&after));
        prop_assert!(!opened.intersects(&closed));
        prop_assert_eq!(before.intersection(&after).union(&closed), before.clone());
        prop_assert_eq!(before.difference(&closed).union(&opened), after.clone());
        prop_assert_eq!(&opened, &after.intersection(&before.complement()));
        prop_assert_eq!(after.difference(&before.union(&other)), opened.difference(&other));
        prop_assert_eq!(after.difference(&before.intersection(&other)), opened.union(&after.difference(&other)));
        prop_assert_eq!(opened.is_empty() && closed.is_empty(), before == after);
        prop_assert_eq!(before.difference(&before), PacketSet::empty());
    }

    #[test]
    fn being_a_subset_is_an_order(a in set(), b in set(), c in set()) {
        let (below, above) = (a.intersection(&b), a.union(&b));
        prop_assert!(below.is_subset(&a) && a.is_subset(&above) && a.is_subset(&a));
        prop_assert!(below.intersection(&c).is_subset(&below) && below.is_subset(&above.union(&c)));
        for (one, other) in [(&a, &b), (&below, &a), (&a, &above), (&a, &a)] {
            prop_assert_eq!(one.is_subset(other) && other.is_subset(one), one == other);
            prop_assert_eq!(one.is_subset(other), one.union(other) == *other);
        }
    }

    #[test]
    fn having_packets_in_common_is_a_common_set_that_is_not_empty(a in set(), b in set()) {
        prop_assert_eq!(a.intersects(&b), !a.intersection(&b).is_empty());
        prop_assert!(!a.intersects(&a.complement()));
    }

    #[test]
    fn every_set_that_is_not_empty_has_a_witness_in_it(a in set(), b in set()) {
        for set in [a.clone(), a.complement(), a.difference(&b), a.complement().difference(&b.complement())] {
            match set.witness() {
                Some(flow) => prop_assert!(set.contains(&flow), "{}", flow),
                None => prop_assert!(set.is_empty()),
            }
        }
    }

    #[test]
    fn subset_is_an_empty_difference(a in set(), b in set()) {
        prop_assert_eq!(a.is_subset(&b), a.difference(&b).is_empty());
        prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
    }

    #[test]
    fn projections_agree_with_packets(a in set(), flows in flows()) {
        for flow in &flows {
            let Host::Address(address) = flow.peer else { continue };
            prop_assert_eq!(a.peers_at(flow.protocol, flow.point).contains(address), a.contains(flow));
            if matches!(flow.protocol, 6 | 17) {
                let by_point = a.by_point(flow.protocol);
                let at = by_point.at(flow.point);
                prop_assert_eq!(at.is_some_and(|peers| peers.contains(address)), a.contains(flow));
            }
        }
    }

    #[test]
    fn networks_are_the_fewest_that_make_up_the_addresses(nets in prop::collection::vec(network(), 0..8)) {
        let set = AddressSet::of(nets);
        let networks = set.networks();
        prop_assert_eq!(&AddressSet::of(networks.clone()), &set);
        let mut aggregated = ipnet::IpNet::aggregate(&networks);
        aggregated.sort();
        let mut sorted = networks;
        sorted.sort();
        prop_assert_eq!(sorted, aggregated);
    }

    #[test]
    fn pieces_answer_like_a_list_of_ranges(ranges in prop::collection::vec((any::<u16>(), any::<u16>()), 0..6), points in prop::collection::vec(any::<u16>(), 8)) {
        let ranges: Vec<(u16, u16)> = ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        let pieces = Pieces::from_ranges(ranges.clone());
        let edges = ranges.iter().flat_map(|(low, high)| [low.previous(), Some(*low), Some(*high), high.next()]).flatten();
        for point in edges.chain(points) {
            prop_assert_eq!(pieces.contains(point), ranges.iter().any(|(low, high)| (*low..=*high).contains(&point)));
        }
    }
}

#[test]
fn the_union_of_many_sets_is_that_of_one_after_the_other() {
    let of = |number: u8| {
        let traffic = format!("tcp:{}-{}", u16::from(number) * 3, u16::from(number) * 5);
        let net = format!("10.{}.0.0/{}", number / 2, 12 + number % 5);
        PacketSet::of(&traffic.parse().unwrap(), net.parse().unwrap())
    };
    for count in 0..20 {
        let sum = (0..count).fold(PacketSet::empty(), |sum, number| sum.union(&of(number)));
        assert_eq!(PacketSet::union_of((0..count).map(of)), sum, "{count}");
    }
}

#[test]
fn naming_every_protocol_is_all_traffic() {
    let net = "10.0.0.0/8".parse().unwrap();
    let named = (0..=u8::MAX).fold(PacketSet::empty(), |sum, number| {
        sum.union(&PacketSet::of(&Traffic::Protocol(number), net))
    });
    assert_eq!(named, PacketSet::of(&Traffic::All, net));
    let without =
        PacketSet::of(&Traffic::All, net).difference(&PacketSet::of(&Traffic::Protocol(255), net));
    let others = (0..u8::MAX).fold(PacketSet::empty(), |sum, number| {
        sum.union(&PacketSet::of(&Traffic::Protocol(number), net))
    });
    assert_eq!(without, others);
}

#[test]
fn a_symbol_is_a_peer_of_its_own() {
    let traffic = "tcp:22".parse().unwrap();
    let group = |id: &str| Symbol::SecurityGroup {
        id: id.into(),
        owner: None,
    };
    let (one, two) = (
        PacketSet::of_symbol(&traffic, group("sg-1")),
        PacketSet::of_symbol(&traffic, group("sg-2")),
    );
    assert!(!one.intersects(&two) && one != two);
    assert!(!one.is_subset(&PacketSet::of(&Traffic::All, "0.0.0.0/0".parse().unwrap())));
    assert!(one.union(&two).is_subset(&PacketSet::everything()));
    assert_eq!(one.union(&two).difference(&two), one);
}

#[test]
fn sets_made_of_what_nobody_names_have_a_witness_too() {
    let world = ["0.0.0.0/0", "::/0"].map(|net| PacketSet::of(&Traffic::All, net.parse().unwrap()));
    let symbols = world
        .iter()
        .fold(PacketSet::everything(), |left, set| left.difference(set));
    let other = |id: &str| Symbol::SecurityGroup {
        id: id.into(),
        owner: None,
    };
    // Only symbols, all of them: also when the ones that come to mind are taken.
    let taken = PacketSet::of_symbol(&Traffic::All, other("sg-other"));
    // Only the protocol numbers that nobody names.
    let rest = [1, 6, 17, 58, 50]
        .into_iter()
        .fold(world[0].clone(), |left, number| {
            left.difference(&PacketSet::of(
                &Traffic::Protocol(number),
                "0.0.0.0/0".parse().unwrap(),
            ))
        });
    // Only 255 itself, whose cell otherwise stands for the rest.
    let reserved = PacketSet::of(&Traffic::Protocol(255), "10.0.0.0/8".parse().unwrap());
    for set in [
        symbols.clone(),
        symbols.difference(&taken),
        rest,
        reserved.clone(),
        reserved.complement(),
    ] {
        let flow = set.witness().unwrap();
        assert!(set.contains(&flow), "{flow}");
    }
    assert_eq!(symbols.difference(&symbols).witness(), None);
}

#[test]
fn protocols_by_number_are_the_protocols_by_name() {
    let net = "10.0.0.0/8".parse().unwrap();
    for (number, named) in [
        (6, Traffic::Tcp(PortRange::ALL)),
        (17, Traffic::Udp(PortRange::ALL)),
        (1, Traffic::Icmp(IcmpMatch::Any)),
        (58, Traffic::Icmpv6(IcmpMatch::Any)),
    ] {
        assert_eq!(
            PacketSet::of(&Traffic::Protocol(number), net),
            PacketSet::of(&named, net)
        );
    }
}

/// Every union of the aligned blocks of an 8-address world, and the fewest blocks that make it up.
fn fewest_blocks() -> Vec<Option<u32>> {
    let blocks: Vec<u8> = (0..=3)
        .flat_map(|bits| {
            (0..8 >> bits).map(move |at| (((1u16 << (1 << bits)) - 1) << (at << bits)) as u8)
        })
        .collect();
    let mut fewest = vec![None; 256];
    for chosen in 0u32..1 << blocks.len() {
        let picked = blocks
            .iter()
            .enumerate()
            .filter(|(index, _)| chosen >> index & 1 == 1);
        let mask = picked.fold(0, |mask, (_, block)| mask | block);
        let best = &mut fewest[usize::from(mask)];
        *best = Some(best.map_or(chosen.count_ones(), |best: u32| {
            best.min(chosen.count_ones())
        }));
    }
    fewest
}

#[test]
fn no_smaller_set_of_networks_makes_up_the_addresses() {
    let fewest = fewest_blocks();
    let corners: [std::net::IpAddr; 6] = [
        "0.0.0.0",
        "10.0.0.8",
        "255.255.255.248",
        "::",
        "2001:db8::8",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8",
    ]
    .map(|text| text.parse().unwrap());
    for corner in corners {
        let host = |index: u32| {
            let address = match corner {
                std::net::IpAddr::V4(at) => std::net::IpAddr::V4((u32::from(at) + index).into()),
                std::net::IpAddr::V6(at) => {
                    std::net::IpAddr::V6((u128::from(at) + u128::from(index)).into())
                }
            };
            ipnet::IpNet::from(address)
        };
        for (mask, fewest) in fewest.iter().enumerate() {
            let set = AddressSet::of((0..8).filter(|index| mask >> index & 1 == 1).map(host));
            let networks = set.networks();
            assert_eq!(
                networks.len(),
                fewest.unwrap() as usize,
                "{corner} {mask:08b} {networks:?}"
            );
            assert_eq!(AddressSet::of(networks), set);
        }
    }
}
