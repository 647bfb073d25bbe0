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
        1 => group().prop_map(|group| PacketSet::everything().difference(&permitted_by_group(&group, Direction::Ingress, &topology()))),
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
    fn equal_sets_are_equal_values(a in set(), b in set(), c in set()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
        prop_assert_eq!(a.intersection(&b).union(&a.difference(&b)), a.clone());
        let everything = PacketSet::everything();
        let complement = everything.difference(&a);
        prop_assert_eq!(everything.difference(&complement), a.clone());
        prop_assert_eq!(a.union(&complement), everything);
        prop_assert!(a.difference(&a).is_empty() && a.difference(&a) == PacketSet::empty());
        prop_assert!(!a.difference(&b).intersects(&b.difference(&a)));
    }

    #[test]
    fn subset_is_an_empty_difference(a in set(), b in set()) {
        prop_assert_eq!(a.is_subset(&b), a.difference(&b).is_empty());
        prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
    }

    #[test]
    fn a_witness_is_in_the_set(a in set()) {
        match a.witness() {
            Some(flow) => prop_assert!(a.contains(&flow), "{}", flow),
            None => prop_assert!(a.is_empty() || a.peers().has_other_symbols()),
        }
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
