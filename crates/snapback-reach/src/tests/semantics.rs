//! The algebra against the naive evaluator, and tables of semantics A1 and A3.

use super::arbitrary::*;
use crate::*;
use proptest::prelude::*;
use proptest::sample::Index;
use snapback_model::*;
use std::collections::BTreeMap;

fn list(entries: &[(i64, &str, &str, &str)]) -> NetworkAcl {
    acl_of(
        entries
            .iter()
            .map(|(number, action, traffic, cidr)| {
                let action = if *action == "allow" {
                    RuleAction::Allow
                } else {
                    RuleAction::Deny
                };
                let entry =
                    NetworkAclEntry::new(action, traffic.parse().unwrap(), cidr.parse().unwrap());
                (key(Direction::Ingress, *number), entry)
            })
            .collect(),
    )
}

fn flow(protocol: u8, point: u16, address: &str) -> Flow {
    Flow {
        peer: Host::Address(address.parse().unwrap()),
        protocol,
        point,
    }
}

/// A rule as two, each for one half of its network.
fn halved(rule: &RuleKey) -> Vec<RuleKey> {
    let network = rule.peer.as_cidr();
    let halves = network.and_then(|net| net.subnets(net.prefix_len() + 1).ok());
    let with = |peer| RuleKey {
        peer,
        ..rule.clone()
    };
    match halves {
        Some(halves) => halves.map(|half| with(Peer::cidr(half))).collect(),
        None => vec![rule.clone()],
    }
}

/// A rule as two, ports below and from a cut; ICMP of one type as its 256 codes.
fn parted(rule: &RuleKey, at: u16) -> Vec<RuleKey> {
    let ranges = |range: PortRange| {
        let below = at
            .checked_sub(1)
            .and_then(|end| PortRange::new(range.from(), end.min(range.to())));
        let above = PortRange::new(range.from().max(at), range.to());
        [below, above].into_iter().flatten().collect::<Vec<_>>()
    };
    let codes = |kind| (0..=u8::MAX).map(move |code| IcmpMatch::TypeCode(kind, code));
    let parts: Vec<Traffic> = match rule.traffic {
        Traffic::Tcp(range) => ranges(range).into_iter().map(Traffic::Tcp).collect(),
        Traffic::Udp(range) => ranges(range).into_iter().map(Traffic::Udp).collect(),
        Traffic::Icmp(IcmpMatch::Type(kind)) => codes(kind).map(Traffic::Icmp).collect(),
        Traffic::Icmpv6(IcmpMatch::Type(kind)) => codes(kind).map(Traffic::Icmpv6).collect(),
        other => vec![other],
    };
    parts
        .into_iter()
        .map(|traffic| RuleKey {
            traffic,
            ..rule.clone()
        })
        .collect()
}

proptest! {
    #[test]
    fn a_group_permits_exactly_what_the_naive_evaluator_permits(group in group(), direction in direction(), flows in flows()) {
        let topology = topology();
        let permitted = permitted_by_group(&group, direction, &topology);
        for flow in flows {
            prop_assert_eq!(permitted.contains(&flow), naive::permits_group(&group, direction, &topology, &flow), "{}", flow);
        }
    }

    #[test]
    fn an_acl_permits_exactly_what_the_naive_evaluator_permits(acl in acl(), direction in direction(), flows in flows()) {
        let permitted = permitted_by_acl(&acl, direction);
        for flow in flows {
            prop_assert_eq!(permitted.contains(&flow), naive::permits_acl(&acl, direction, &flow), "{}", flow);
        }
    }

    #[test]
    fn a_group_is_the_union_of_its_rules_in_any_order(
        rules in prop::collection::vec(rule(), 0..10),
        picks in prop::collection::vec(any::<Index>(), 10),
    ) {
        let topology = topology();
        let group = group_of(rules.clone());
        let one = |rule: &RuleKey| permitted_by_group(&group_of([rule.clone()]), Direction::Ingress, &topology);
        let forward = rules.iter().fold(PacketSet::empty(), |sum, rule| sum.union(&one(rule)));
        let shuffled = shuffled(&rules, &picks).iter().fold(PacketSet::empty(), |sum, rule| one(rule).union(&sum));
        prop_assert_eq!(&forward, &shuffled);
        prop_assert_eq!(&forward, &permitted_by_group(&group, Direction::Ingress, &topology));
    }

    #[test]
    fn networks_cut_in_halves_and_ports_cut_in_ranges_are_the_same_packets(rules in prop::collection::vec(rule(), 0..10), at in any::<u16>()) {
        let topology = topology();
        let cut: Vec<RuleKey> = rules.iter().flat_map(|rule| halved(rule).into_iter().flat_map(|half| parted(&half, at))).collect();
        let of = |rules: &[RuleKey]| permitted_by_rules(rules, &topology);
        prop_assert_eq!(of(&cut), of(&rules));
        let mut mixed = rules.clone();
        mixed.extend(cut);
        mixed.reverse();
        prop_assert_eq!(of(&mixed), of(&rules));
    }

    #[test]
    fn renumbering_that_keeps_the_order_changes_nothing(acl in acl(), direction in direction(), gaps in prop::collection::vec(1i64..50, 20)) {
        let mut number = 0;
        let entries: BTreeMap<EntryKey, NetworkAclEntry> = acl
            .entries
            .iter()
            .zip(gaps)
            .map(|((old, entry), gap)| {
                number += gap;
                (key(old.direction, number), entry.clone())
            })
            .collect();
        prop_assert_eq!(permitted_by_acl(&acl, direction), permitted_by_acl(&acl_of(entries), direction));
    }

    #[test]
    fn dead_entries_can_go_and_effective_ones_make_up_the_acl(acl in acl(), direction in direction()) {
        let permitted = permitted_by_acl(&acl, direction);
        let mut living = acl.clone();
        for dead in dead_entries(&acl, direction) {
            living.entries.remove(&dead);
        }
        prop_assert_eq!(&permitted_by_acl(&living, direction), &permitted);
        let allowed = effective_entries(&acl, direction)
            .into_iter()
            .filter(|(key, _)| acl.entries[key].action == RuleAction::Allow)
            .fold(PacketSet::empty(), |sum, (_, packets)| {
                assert!(!sum.intersects(&packets), "effective sets are disjoint");
                sum.union(&packets)
            });
        prop_assert_eq!(allowed, permitted);
    }
}

#[test]
fn an_icmpv6_entry_with_an_ipv4_network_matches_every_type() {
    let set = permitted_by_acl(
        &list(&[
            (100, "allow", "icmpv6:128/0", "10.0.0.0/8"),
            (101, "allow", "icmpv6:128/0", "::/0"),
        ]),
        Direction::Ingress,
    );
    assert!(
        set.contains(&flow(58, 0x0100, "10.1.1.1")),
        "58 on IPv4 matches all types"
    );
    assert!(
        !set.contains(&flow(58, 0x0100, "2001:db8::1")),
        "58 on IPv6 needs type and code"
    );
    assert!(set.contains(&flow(58, 0x8000, "2001:db8::1")));
}

#[test]
fn a_numbered_protocol_matches_whatever_the_point() {
    let set = permitted_by_acl(
        &list(&[(100, "allow", "protocol:50", "0.0.0.0/0")]),
        Direction::Ingress,
    );
    assert!(set.contains(&flow(50, 0, "10.1.1.1")) && set.contains(&flow(50, 77, "10.1.1.1")));
    assert!(!set.contains(&flow(51, 0, "10.1.1.1")) && !set.contains(&flow(6, 50, "10.1.1.1")));
}

#[test]
fn a_deny_before_an_allow_leaves_the_rest_of_it() {
    let list = list(&[
        (50, "deny", "tcp:443", "0.0.0.0/0"),
        (100, "allow", "all", "0.0.0.0/0"),
        (110, "allow", "tcp:443", "10.0.0.0/8"),
    ]);
    let set = permitted_by_acl(&list, Direction::Ingress);
    assert!(
        !set.contains(&flow(6, 443, "10.0.0.1"))
            && set.contains(&flow(6, 442, "10.0.0.1"))
            && set.contains(&flow(47, 0, "10.0.0.1"))
    );
    assert_eq!(
        dead_entries(&list, Direction::Ingress),
        [key(Direction::Ingress, 110)]
    );
    assert!(permitted_by_acl(&list, Direction::Egress).is_empty());
}

#[test]
fn the_world_is_the_world_however_it_is_cut() {
    let open = |networks: &[&str]| {
        let sets = networks
            .iter()
            .map(|net| PacketSet::of(&Traffic::All, net.parse().unwrap()));
        let set = sets.fold(PacketSet::empty(), |sum, set| sum.union(&set));
        let peers = set.peers_at(6, 22);
        (
            peers.covers_everything(Family::V4),
            peers.covers_internet(Family::V4),
            peers.covers_internet(Family::V6),
        )
    };
    assert_eq!(open(&["0.0.0.0/0"]), (true, true, false));
    assert_eq!(open(&["0.0.0.0/1", "128.0.0.0/1"]), (true, true, false));
    assert_eq!(open(&["0.0.0.0/1"]), (false, false, false));
    assert_eq!(
        open(&[
            "1.0.0.0/8",
            "2.0.0.0/7",
            "4.0.0.0/6",
            "8.0.0.0/7",
            "11.0.0.0/8",
            "12.0.0.0/6",
            "16.0.0.0/4",
            "32.0.0.0/3",
            "64.0.0.0/2",
            "128.0.0.0/2"
        ]),
        (false, false, false)
    );
    assert_eq!(
        open(&[
            "1.0.0.0/8",
            "2.0.0.0/7",
            "4.0.0.0/6",
            "8.0.0.0/7",
            "11.0.0.0/8",
            "12.0.0.0/6",
            "16.0.0.0/4",
            "32.0.0.0/3",
            "64.0.0.0/2",
            "128.0.0.0/2",
            "192.0.0.0/3"
        ]),
        (false, true, false)
    );
    assert_eq!(open(&["2000::/3"]), (false, false, true));
    assert_eq!(open(&["::/1"]), (false, false, true));
    assert_eq!(open(&["2000::/4"]), (false, false, false));
}

#[test]
fn public_addresses_leave_out_private_ones() {
    let count =
        |net: &str, family| AddressSet::of([net.parse().unwrap()]).public_address_count(family);
    assert_eq!(count("10.0.0.0/8", Family::V4), 0);
    assert_eq!(count("100.64.0.0/10", Family::V4), 0);
    assert_eq!(count("8.0.0.0/8", Family::V4), 1 << 24);
    assert_eq!(count("172.0.0.0/8", Family::V4), (1 << 24) - (1 << 20));
    assert_eq!(count("fd00::/8", Family::V6), 0);
    assert_eq!(count("2a00::/16", Family::V6), 1 << 112);
    assert_eq!(
        AddressSet::of(["::/0".parse().unwrap()]).address_count(Family::V6),
        u128::MAX
    );
}
