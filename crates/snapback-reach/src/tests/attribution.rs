//! Who decides what, what decides nothing, and what symbols stand for.

use super::arbitrary::*;
use super::random;
use crate::*;
use fastrand::Rng;
use proptest::prelude::*;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

fn rules(texts: &[&str]) -> SecurityGroup {
    group_of(
        texts
            .iter()
            .map(|text| format!("ingress {text}").parse().unwrap()),
    )
}

fn entries(texts: &[(i64, &str, &str, &str)]) -> NetworkAcl {
    let entries = texts.iter().map(|(number, action, traffic, cidr)| {
        let action = match *action {
            "allow" => RuleAction::Allow,
            _ => RuleAction::Deny,
        };
        let entry = NetworkAclEntry::new(action, traffic.parse().unwrap(), cidr.parse().unwrap());
        (key(Direction::Ingress, *number), entry)
    });
    acl_of(entries.collect())
}

fn number(key: &EntryKey) -> u16 {
    key.number.get()
}

proptest! {
    #[test]
    fn deciding_rules_make_up_what_the_group_permits(group in group(), other in group(), flows in flows()) {
        let topology = topology();
        let of = |group| permitted_by_group(group, Direction::Ingress, &topology);
        let opened = of(&group).difference(&of(&other));
        let rules = group.rules.keys().filter(|rule| rule.direction == Direction::Ingress);
        let deciding = deciding_rules(rules, &topology, &opened);
        let sum = deciding.iter().fold(PacketSet::empty(), |sum, (_, part)| sum.union(part));
        prop_assert_eq!(&sum, &opened);
        for flow in flows {
            let by_set: Vec<_> = deciding.iter().filter(|(_, part)| part.contains(&flow)).map(|(rule, _)| *rule).collect();
            let by_flow = matching_rules(&group, Direction::Ingress, &topology, &flow);
            prop_assert_eq!(by_set.clone(), if opened.contains(&flow) { by_flow } else { Vec::new() });
            for rule in by_set {
                prop_assert!(naive::permits_group(&group_of([rule.clone()]), Direction::Ingress, &topology, &flow));
            }
        }
    }

    #[test]
    fn redecided_entries_are_disjoint_make_up_the_packets_and_name_both_sides(before in acl(), after in acl(), flows in flows()) {
        let of = |acl| permitted_by_acl(acl, Direction::Ingress);
        let closed = of(&before).difference(&of(&after));
        let redecided = redecided_entries(&before, &after, Direction::Ingress, &closed);
        let mut sum = PacketSet::empty();
        for part in &redecided {
            prop_assert!(!part.packets.is_empty() && !part.packets.intersects(&sum));
            sum = sum.union(&part.packets);
            let allowed = part.before.and_then(|key| before.entries.get(&key)).map(|entry| entry.action);
            prop_assert_eq!(allowed, Some(RuleAction::Allow));
            let denies = part.after.and_then(|key| after.entries.get(&key)).map_or(RuleAction::Deny, |entry| entry.action);
            prop_assert_eq!(denies, RuleAction::Deny);
        }
        prop_assert_eq!(&sum, &closed);
        for flow in flows {
            let part = redecided.iter().find(|part| part.packets.contains(&flow));
            let Some(part) = part else { continue };
            prop_assert_eq!(part.before, naive::deciding_entry(&before, Direction::Ingress, &flow));
            prop_assert_eq!(part.after, naive::deciding_entry(&after, Direction::Ingress, &flow));
            prop_assert_eq!(part.after, deciding_entry(&after, Direction::Ingress, &flow));
        }
    }

    #[test]
    fn a_rule_is_redundant_exactly_when_the_group_permits_the_same_without_it(group in group(), direction in direction()) {
        let topology = topology();
        let all = permitted_by_group(&group, direction, &topology);
        let found = redundant_rules(&group, direction, &topology);
        for rule in group.rules.keys().filter(|rule| rule.direction == direction) {
            let mut without = group.clone();
            without.rules.remove(rule);
            let same = permitted_by_group(&without, direction, &topology) == all;
            let told = found.iter().find(|redundant| redundant.rule == rule);
            prop_assert_eq!(told.is_some(), same, "{}", rule);
            if let Some(told) = told {
                let covers = permitted_by_rules(told.covered_by.iter().copied(), &topology);
                let own = permitted_by_rules([rule], &topology);
                prop_assert!(own.is_subset(&covers) && !told.covered_by.contains(&rule));
            }
        }
    }

    #[test]
    fn shadowed_entries_match_only_what_those_that_shadow_them_match(acl in acl(), direction in direction()) {
        let shadowed = shadowed_entries(&acl, direction);
        prop_assert_eq!(shadowed.iter().map(|dead| dead.entry).collect::<Vec<_>>(), dead_entries(&acl, direction));
        for dead in shadowed {
            let allow = |key: &EntryKey| {
                let mut entry = acl.entries[key].clone();
                entry.action = RuleAction::Allow;
                (*key, entry)
            };
            prop_assert!(dead.by.iter().all(|key| *key < dead.entry));
            let covers = permitted_by_acl(&acl_of(dead.by.iter().map(allow).collect()), direction);
            let own = permitted_by_acl(&acl_of([allow(&dead.entry)].into()), direction);
            prop_assert!(own.is_subset(&covers), "{:?}", dead);
        }
    }
}

#[test]
fn opened_and_closed_pieces_name_the_entries_of_both_states() {
    let before = entries(&[(100, "allow", "all", "0.0.0.0/0")]);
    let after = entries(&[
        (90, "deny", "tcp:22", "10.0.0.0/8"),
        (100, "allow", "tcp:all", "0.0.0.0/0"),
    ]);
    let of = |acl| permitted_by_acl(acl, Direction::Ingress);
    let closed = of(&before).difference(&of(&after));
    let told: Vec<String> = redecided_entries(&before, &after, Direction::Ingress, &closed)
        .iter()
        .map(|part| {
            let name = |key: &Option<EntryKey>| key.as_ref().map_or(0, number);
            let packets = part.packets.render().join("; ");
            format!("{} {} {packets}", name(&part.before), name(&part.after))
        })
        .collect();
    assert_eq!(
        told,
        [
            "100 90 tcp 22 10.0.0.0/8",
            "100 0 all traffic but tcp 0.0.0.0/0"
        ]
    );
}

#[test]
fn shadowed_entries_name_the_entries_in_front() {
    let acl = entries(&[
        (10, "deny", "tcp:0-1023", "10.0.0.0/8"),
        (20, "allow", "tcp:1024-65535", "0.0.0.0/0"),
        (25, "allow", "udp:all", "0.0.0.0/0"),
        (30, "allow", "tcp:443", "10.1.0.0/16"),
        (40, "allow", "tcp:all", "10.2.0.0/16"),
        (50, "allow", "tcp:443", "0.0.0.0/0"),
    ]);
    let told: Vec<(u16, Vec<u16>)> = shadowed_entries(&acl, Direction::Ingress)
        .iter()
        .map(|dead| (number(&dead.entry), dead.by.iter().map(number).collect()))
        .collect();
    assert_eq!(told, [(30, vec![10]), (40, vec![10, 20])]);
}

#[test]
fn redundant_rules_name_what_covers_them() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a [&'a str])]);
    let table: &[Case<'_>] = &[
        (
            &["tcp:22 10.0.0.0/8", "tcp:22 10.1.0.0/16"],
            &[("tcp:22 10.1.0.0/16", &["tcp:22 10.0.0.0/8"])],
        ),
        (
            &[
                "tcp:22 10.0.0.0/9",
                "tcp:22 10.128.0.0/9",
                "tcp:22 10.0.0.0/8",
            ],
            &[
                (
                    "tcp:22 10.0.0.0/8",
                    &["tcp:22 10.0.0.0/9", "tcp:22 10.128.0.0/9"],
                ),
                ("tcp:22 10.0.0.0/9", &["tcp:22 10.0.0.0/8"]),
                ("tcp:22 10.128.0.0/9", &["tcp:22 10.0.0.0/8"]),
            ],
        ),
        (
            &[
                "tcp:22 10.0.0.0/8",
                "tcp:23 10.0.0.0/8",
                "tcp:22 11.0.0.0/8",
            ],
            &[],
        ),
        (
            &["all sg-1", "tcp:22 sg-1", "tcp:22 sg-2"],
            &[("tcp:22 sg-1", &["all sg-1"])],
        ),
        // A group reference is not the addresses it stands for: they change without the rule.
        (&["tcp:22 0.0.0.0/0", "tcp:22 sg-1"], &[]),
        // An unread prefix list is unknown, not empty.
        (
            &["tcp:22 0.0.0.0/0", "tcp:22 ::/0", "tcp:22 pl-unread"],
            &[],
        ),
        (
            &["tcp:20-30 pl-unread", "tcp:22 pl-unread"],
            &[("tcp:22 pl-unread", &["tcp:20-30 pl-unread"])],
        ),
        (
            &["tcp:22 0.0.0.0/0", "tcp:22 ::/0", "tcp:22 pl-read"],
            &[("tcp:22 pl-read", &["tcp:22 0.0.0.0/0", "tcp:22 ::/0"])],
        ),
    ];
    for (texts, want) in table {
        let group = rules(texts);
        let topology = topology();
        let mut told: Vec<(String, Vec<String>)> =
            redundant_rules(&group, Direction::Ingress, &topology)
                .iter()
                .map(|redundant| {
                    let covers = redundant.covered_by.iter().map(ToString::to_string);
                    (redundant.rule.to_string(), covers.collect())
                })
                .collect();
        told.sort();
        let text = |rule: &&str| format!("ingress {rule}");
        let mut want: Vec<(String, Vec<String>)> = want
            .iter()
            .map(|(rule, covers)| (text(rule), covers.iter().map(text).collect()))
            .collect();
        want.sort();
        assert_eq!(told, want, "{texts:?}");
    }
}

#[test]
fn shadowed_routes_are_those_that_no_address_takes() {
    let first = random::seed();
    for number in 0..300 {
        let seed = first.wrapping_add(number);
        let mut rng = Rng::with_seed(seed);
        let (topology, table) = (random::topology(&mut rng), random::table(&mut rng));
        let shadowed = shadowed_routes(&table, &topology);
        let hops = next_hops(&table, &topology);
        let regions = NextHops::regions(&[&hops]);
        let witnesses = regions.iter().filter_map(|region| region.witness);
        let alive: BTreeSet<&Destination> = witnesses
            .filter_map(|address| deciding_route(&table, &topology, address))
            .map(|(destination, _)| destination)
            .collect();
        for destination in table.routes.keys() {
            let unread = matches!(destination, Destination::PrefixList(id) if hops.unread().contains_key(id));
            let dead = shadowed.iter().find(|dead| dead.destination == destination);
            assert_eq!(
                dead.is_some(),
                !unread && !alive.contains(destination),
                "seed {seed} {destination}\n{table:#?}\n{topology:#?}"
            );
            if let Some(dead) = dead {
                let empty =
                    matches!(destination, Destination::PrefixList(id) if id.as_str() == "pl-empty");
                assert_eq!(dead.by.is_empty(), empty, "seed {seed} {dead:?}");
            }
        }
    }
}

#[test]
fn symbols_expand_to_the_addresses_they_stand_for() {
    let group = |id: &str| Symbol::SecurityGroup {
        id: id.into(),
        owner: None,
    };
    let address = |text: &str| AddressSet::of([text.parse().unwrap()]);
    let members = BTreeMap::from([
        (group("sg-1"), address("10.0.0.5/32")),
        (group("sg-2"), AddressSet::empty()),
    ]);
    let permitted = |texts: &[&str]| {
        permitted_by_group(&rules(texts), Direction::Ingress, &Topology::default())
    };
    let all = permitted(&[
        "tcp:22 sg-1",
        "tcp:80 sg-2",
        "udp:53 sg-3",
        "tcp:443 10.0.0.0/24",
        "tcp:1 pl-9",
    ]);
    let expansion = all.expand(&members);
    assert_eq!(
        expansion.packets,
        permitted(&[
            "tcp:22 10.0.0.5/32",
            "udp:53 sg-3",
            "tcp:443 10.0.0.0/24",
            "tcp:1 pl-9"
        ])
    );
    let unexpanded: Vec<String> = expansion
        .unexpanded
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(unexpanded, ["sg-3", "pl-9"]);
    assert!(!expansion.others && !expansion.is_exact());
    assert!(permitted(&["tcp:22 sg-1"]).expand(&members).is_exact());
    // A complement holds every group that it does not name: what those stand for is unknown.
    let complement = permitted(&["tcp:22 sg-9"]).complement().expand(&members);
    assert!(complement.others && !complement.is_exact());
}

#[test]
fn an_expansion_permits_what_a_member_or_the_address_itself_permits() {
    let first = random::seed();
    for number in 0..200 {
        let seed = first.wrapping_add(number);
        let mut rng = Rng::with_seed(seed);
        let topology = random::topology(&mut rng);
        let set = permitted_by_group(&random::group(&mut rng), Direction::Ingress, &topology);
        let symbols: Vec<Symbol> = set.peers().symbols().into_iter().cloned().collect();
        let members: BTreeMap<Symbol, AddressSet> = symbols
            .iter()
            .map(|symbol| (symbol.clone(), AddressSet::of([random::network(&mut rng)])))
            .collect();
        let expansion = set.expand(&members);
        assert!(expansion.is_exact(), "seed {seed}");
        let nets = members.values().flat_map(AddressSet::networks);
        let edges = random::Edges::of(nets, [], &topology);
        for _ in 0..200 {
            let flow = edges.flow(&mut rng);
            let Host::Address(address) = flow.peer else {
                continue;
            };
            let by_symbol = members.iter().any(|(symbol, addresses)| {
                let peer = Host::Symbol(symbol.clone());
                addresses.contains(address)
                    && set.contains(&Flow {
                        peer,
                        ..flow.clone()
                    })
            });
            assert_eq!(
                expansion.packets.contains(&flow),
                set.contains(&flow) || by_symbol,
                "seed {seed} {flow}"
            );
        }
    }
}
