//! Rendering.

use super::arbitrary::*;
use crate::*;
use proptest::prelude::*;
use snapback_model::*;

fn packets(rules: &[&str]) -> PacketSet {
    let rules = rules
        .iter()
        .map(|rule| format!("ingress {rule}").parse().unwrap());
    permitted_by_group(&group_of(rules), Direction::Ingress, &Topology::default())
}

/// The packets an item speaks of.
fn of_item(item: &Item) -> PacketSet {
    let everything = |number: u8| PacketSet::of_peers(&Traffic::Protocol(number), &item.peers);
    let numbers = match &item.protocols {
        Protocols::All => return PacketSet::of_peers(&Traffic::All, &item.peers),
        Protocols::AllBut(numbers) => {
            let all = PacketSet::of_peers(&Traffic::All, &item.peers);
            return numbers
                .iter()
                .fold(all, |set, number| set.difference(&everything(*number)));
        }
        Protocols::Only(numbers) => numbers,
    };
    let point = |number: u8, (low, high): (u16, u16)| {
        let range = PortRange::new(low, high).unwrap();
        match number {
            6 => vec![Traffic::Tcp(range)],
            17 => vec![Traffic::Udp(range)],
            _ => (low..=high)
                .map(|point| {
                    let [kind, code] = point.to_be_bytes();
                    let icmp = IcmpMatch::TypeCode(kind, code);
                    if number == 1 {
                        Traffic::Icmp(icmp)
                    } else {
                        Traffic::Icmpv6(icmp)
                    }
                })
                .collect(),
        }
    };
    let mut set = PacketSet::empty();
    for number in numbers {
        if item.points.is_empty() {
            set = set.union(&everything(*number));
        }
        for range in &item.points {
            let parts: Vec<PacketSet> = point(*number, *range)
                .iter()
                .map(|traffic| PacketSet::of_peers(traffic, &item.peers))
                .collect();
            set = parts.iter().fold(set, |sum, part| sum.union(part));
        }
    }
    set
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn items_are_disjoint_and_make_up_the_set(acl in acl(), group in group()) {
        for set in [permitted_by_acl(&acl, Direction::Ingress), permitted_by_group(&group, Direction::Ingress, &topology())] {
            let mut sum = PacketSet::empty();
            for item in set.items() {
                let part = of_item(&item);
                prop_assert!(!part.intersects(&sum), "{}", item);
                sum = sum.union(&part);
            }
            prop_assert_eq!(sum, set);
        }
    }
}

#[test]
fn sets_are_told_in_few_words() {
    let table: &[(&[&str], &[&str])] = &[
        (&["tcp:22 0.0.0.0/0"], &["tcp 22 0.0.0.0/0"]),
        (
            &["tcp:22 0.0.0.0/1", "tcp:22 128.0.0.0/1"],
            &["tcp 22 0.0.0.0/0"],
        ),
        (
            &[
                "tcp:80 0.0.0.0/0",
                "tcp:443 0.0.0.0/0",
                "tcp:443 ::/0",
                "tcp:80 ::/0",
            ],
            &["tcp 80, 443 0.0.0.0/0, ::/0"],
        ),
        (&["all 10.0.0.0/8"], &["all traffic 10.0.0.0/8"]),
        (
            &["all 10.0.0.0/8", "tcp:22 0.0.0.0/0"],
            &[
                "all traffic 10.0.0.0/8",
                "tcp 22 0.0.0.0/5, 8.0.0.0/7, 11.0.0.0/8, 12.0.0.0/6, 16.0.0.0/4, 32.0.0.0/3, 64.0.0.0/2, 128.0.0.0/1",
            ],
        ),
        (
            &["tcp:53 10.0.0.0/8", "udp:53 10.0.0.0/8"],
            &["tcp and udp 53 10.0.0.0/8"],
        ),
        (
            &["tcp:all 10.0.0.0/8", "udp:all 10.0.0.0/8"],
            &["all tcp and udp 10.0.0.0/8"],
        ),
        (&["protocol:50 10.0.0.0/8"], &["protocol 50 10.0.0.0/8"]),
        (
            &["icmp:8/0 10.0.0.0/8", "icmp:3 10.0.0.0/8"],
            &["icmp type 3, type 8 code 0 10.0.0.0/8"],
        ),
        (
            &["tcp:22 sg-2", "tcp:22 10.0.0.0/8", "tcp:22 pl-9"],
            &["tcp 22 10.0.0.0/8, sg-2, pl-9"],
        ),
        (
            &["tcp:20-30 10.0.0.0/8", "tcp:25-40 10.0.0.0/8"],
            &["tcp 20-40 10.0.0.0/8"],
        ),
        (&[], &[]),
    ];
    for (rules, words) in table {
        assert_eq!(packets(rules).render(), *words, "{rules:?}");
    }
    let all_but_ssh = packets(&["all 10.0.0.0/8"]).difference(&packets(&["tcp:22 10.0.0.0/8"]));
    assert_eq!(
        all_but_ssh.render(),
        [
            "all traffic but tcp 10.0.0.0/8",
            "tcp 0-21, 23-65535 10.0.0.0/8"
        ]
    );
}

#[test]
fn a_flow_reads_as_a_packet() {
    let witness = |rules: &[&str]| packets(rules).witness().map(|flow| flow.to_string());
    assert_eq!(
        witness(&["tcp:22-25 0.0.0.0/0"]).as_deref(),
        Some("tcp 22 198.51.100.1")
    );
    assert_eq!(
        witness(&["icmp:8/0 10.0.0.0/8"]).as_deref(),
        Some("icmp type 8 code 0 10.0.0.0")
    );
    assert_eq!(
        witness(&["protocol:50 sg-2"]).as_deref(),
        Some("protocol 50 sg-2")
    );
    assert_eq!(witness(&[]), None);
}
