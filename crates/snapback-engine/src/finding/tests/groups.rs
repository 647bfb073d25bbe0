use super::*;

/// Rules approved besides the fixture's, rules added, rules removed, and what is found.
type Row = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

fn check(rows: &[Row]) {
    for (approved, added, removed, expected) in rows {
        let findings = found(
            |good| {
                rules(good, WEB).extend(approved.iter().map(|text| (rule(text), detail(None))));
            },
            |live| {
                let rules = rules(live, WEB);
                rules.extend(added.iter().map(|text| (rule(text), detail(None))));
                for text in *removed {
                    assert!(rules.remove(&rule(text)).is_some(), "{text} is approved");
                }
            },
        );
        assert_eq!(
            short(&findings),
            *expected,
            "approved {approved:?}, added {added:?}, removed {removed:?}"
        );
    }
}

const SHOP: &str = "ingress tcp:443 0.0.0.0/0";
const OUT: &str = "egress all 0.0.0.0/0";

#[test]
fn a_port_that_the_whole_internet_may_reach_is_found_however_it_was_opened() {
    check(&[
        (
            &[],
            &["ingress tcp:22 0.0.0.0/0"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress tcp:22 ::/0"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 ::/0"],
        ),
        (
            &[],
            &["ingress all 0.0.0.0/0"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress all 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress tcp:all 0.0.0.0/0"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:all 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress tcp:3000-4000 ::/0"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:3000-4000 ::/0"],
        ),
        (
            &[],
            &["ingress udp:11211 0.0.0.0/0"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress udp:11211 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress tcp:22 2000::/3"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 2000::/3"],
        ),
        (
            &[],
            &["ingress tcp:8443 0.0.0.0/0"],
            &[],
            &["SG-WORLD-ANY high opens rule ingress tcp:8443 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress protocol:47 0.0.0.0/0"],
            &[],
            &["SG-WORLD-ANY high opens rule ingress protocol:47 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress tcp:80-81 0.0.0.0/0"],
            &[],
            &["SG-WORLD-ANY high opens rule ingress tcp:80-81 0.0.0.0/0"],
        ),
    ]);
}

#[test]
fn what_may_be_open_to_the_world_and_what_is_no_world_harms_nobody() {
    check(&[
        (
            &[],
            &["ingress tcp:443 ::/0", "ingress tcp:80 0.0.0.0/0"],
            &[],
            &[],
        ),
        (&[], &["ingress tcp:22 10.9.0.0/16"], &[], &[]),
        (&[], &["ingress tcp:22 203.0.113.7/32"], &[], &[]),
        (&[], &["ingress tcp:22 sg-other"], &[], &[]),
        (&[], &["ingress tcp:22 pl-unread"], &[], &[]),
        (&[], &["egress tcp:22 ::/0"], &[], &[]),
        (
            &[],
            &["ingress tcp:22 10.0.0.0/8", "ingress tcp:22 fd00::/8"],
            &[],
            &[],
        ),
        // What was approved for the world stays approved for a part of it.
        (
            &["ingress tcp:22 0.0.0.0/0"],
            &["ingress tcp:22 8.0.0.0/8", "ingress tcp:22 0.0.0.0/1"],
            &[],
            &[],
        ),
        (
            &[],
            &["ingress icmp:8/0 0.0.0.0/0"],
            &[],
            &["SG-WORLD-ANY low none rule ingress icmp:8/0 0.0.0.0/0"],
        ),
    ]);
}

#[test]
fn an_opening_made_by_several_rules_blames_each_of_them_and_no_bystander() {
    check(&[
        (
            &[],
            &["ingress tcp:22 0.0.0.0/1", "ingress tcp:22 128.0.0.0/1"],
            &[],
            &[
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/1",
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 128.0.0.0/1",
            ],
        ),
        // Found by `laws::what_is_left_after_taking_back_harm_opens_nothing`.
        (
            &[],
            &["ingress all ::/0", "ingress protocol:50 ::/0"],
            &[],
            &[
                "SG-WORLD-SENSITIVE critical opens rule ingress all ::/0",
                "SG-WORLD-ANY high opens rule ingress protocol:50 ::/0",
            ],
        ),
        // One half was approved: the other completes the world.
        (
            &["ingress tcp:22 0.0.0.0/1"],
            &["ingress tcp:22 128.0.0.0/1"],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 128.0.0.0/1"],
        ),
        (
            &[],
            &[
                "ingress tcp:22 0.0.0.0/0",
                "ingress tcp:22 8.8.8.0/24",
                "ingress tcp:22 10.9.0.0/16",
            ],
            &[],
            &["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0"],
        ),
        (
            &[],
            &["ingress tcp:22 0.0.0.0/0", "ingress tcp:20-30 0.0.0.0/0"],
            &[],
            &[
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:20-30 0.0.0.0/0",
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0",
            ],
        ),
        (
            &[],
            &[
                "ingress tcp:22 0.0.0.0/1",
                "ingress tcp:22 128.0.0.0/1",
                "ingress tcp:22 203.0.0.0/24",
            ],
            &[],
            &[
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/1",
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 128.0.0.0/1",
            ],
        ),
    ]);
}

#[test]
fn a_huge_part_of_the_internet_is_as_good_as_the_world() {
    check(&[
        (
            &[],
            &["ingress tcp:22 8.0.0.0/8"],
            &[],
            &["SG-NEAR-WORLD high opens rule ingress tcp:22 8.0.0.0/8"],
        ),
        (&[], &["ingress tcp:22 8.0.0.0/9"], &[], &[]),
        (
            &[],
            &[
                "ingress tcp:22 8.0.0.0/9",
                "ingress tcp:22 9.0.0.0/9",
                "ingress tcp:22 11.0.0.0/24",
            ],
            &[],
            &[
                "SG-NEAR-WORLD high opens rule ingress tcp:22 8.0.0.0/9",
                "SG-NEAR-WORLD high opens rule ingress tcp:22 9.0.0.0/9",
            ],
        ),
        (
            &[],
            &["ingress tcp:22 2a00::/16"],
            &[],
            &["SG-NEAR-WORLD high opens rule ingress tcp:22 2a00::/16"],
        ),
        (&[], &["ingress tcp:22 2a00::/17"], &[], &[]),
        (
            &[],
            &["ingress tcp:443 8.0.0.0/7", "ingress tcp:80 8.0.0.0/7"],
            &[],
            &[],
        ),
        (&[], &["ingress tcp:22 10.0.0.0/8"], &[], &[]),
    ]);
}

#[test]
fn prefix_lists_count_by_what_they_hold() {
    let with_list = |entries: &[&str]| {
        let list = PrefixList {
            id: "pl-1".into(),
            name: None,
            version: None,
            max_entries: None,
            entries: Some(entries.iter().map(|net| net.parse().unwrap()).collect()),
        };
        found(
            move |good| {
                good.topology
                    .prefix_lists
                    .insert("pl-1".into(), list.clone());
            },
            |live| {
                rules(live, WEB).insert(rule("ingress tcp:22 pl-1"), detail(None));
            },
        )
    };
    assert_eq!(
        short(&with_list(&["0.0.0.0/1", "128.0.0.0/1"])),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 pl-1"]
    );
    assert_eq!(short(&with_list(&["10.0.0.0/8", "192.0.2.0/24"])), [""; 0]);
}

#[test]
fn an_approved_rule_that_is_gone_cuts_unless_approved_rules_carry_its_traffic() {
    check(&[
        (
            &[],
            &[],
            &[SHOP],
            &["SG-CUT-LIVE high cuts rule ingress tcp:443 0.0.0.0/0"],
        ),
        (
            &["ingress tcp:440-450 0.0.0.0/0"],
            &[],
            &[SHOP],
            &["SG-CUT-LIVE low none rule ingress tcp:443 0.0.0.0/0"],
        ),
        // A stranger's rule that does the same for now is no excuse.
        (
            &["ingress tcp:22 10.0.0.0/16"],
            &["ingress tcp:22 10.0.0.0/8"],
            &["ingress tcp:22 10.0.0.0/16"],
            &["SG-CUT-LIVE high cuts rule ingress tcp:22 10.0.0.0/16"],
        ),
        // Widened in place.
        (
            &["ingress tcp:22 10.0.0.0/8"],
            &["ingress tcp:22 0.0.0.0/0"],
            &["ingress tcp:22 10.0.0.0/8"],
            &[
                "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0",
                "SG-CUT-LIVE high cuts rule ingress tcp:22 10.0.0.0/8",
            ],
        ),
    ]);
}

#[test]
fn a_changed_description_harms_nobody() {
    let findings = found(nothing, |live| {
        rules(live, WEB).insert(rule(SHOP), detail(Some("mallory was here")));
    });
    assert_eq!(short(&findings), [""; 0]);
}

#[test]
fn the_last_egress_rule_and_the_self_reference_are_missed_by_name() {
    check(&[
        (
            &[],
            &[],
            &[OUT],
            &[
                "SG-CUT-LIVE high cuts rule egress all 0.0.0.0/0",
                "SG-EGRESS-NONE high cuts rule egress all 0.0.0.0/0",
            ],
        ),
        (
            &["egress tcp:443 ::/0"],
            &[],
            &[OUT],
            &["SG-CUT-LIVE high cuts rule egress all 0.0.0.0/0"],
        ),
        (
            &["ingress all sg-web"],
            &[],
            &["ingress all sg-web"],
            &[
                "SG-CUT-LIVE high cuts rule ingress all sg-web",
                "SG-SELF-REF high cuts rule ingress all sg-web",
            ],
        ),
        (
            &["ingress tcp:22 sg-web", "ingress udp:53 sg-web"],
            &[],
            &["ingress tcp:22 sg-web"],
            &["SG-CUT-LIVE high cuts rule ingress tcp:22 sg-web"],
        ),
        (
            &["ingress all sg-other"],
            &[],
            &["ingress all sg-other"],
            &["SG-CUT-LIVE high cuts rule ingress all sg-other"],
        ),
    ]);
}

#[test]
fn trust_in_another_account_is_told() {
    check(&[
        (
            &[],
            &["ingress tcp:22 sg-9@999999999999"],
            &[],
            &["SG-XACCT-REF medium opens rule ingress tcp:22 sg-9@999999999999"],
        ),
        (&[], &["ingress tcp:22 sg-9"], &[], &[]),
        (
            &["ingress tcp:all sg-9@999999999999"],
            &["ingress tcp:22 sg-9@999999999999"],
            &[],
            &[],
        ),
    ]);
}

#[test]
fn a_cut_of_untracked_flows_is_said_to_be_at_once() {
    let meaning = |approved: &'static [&'static str], removed: &'static str| {
        let findings = found(
            |good| rules(good, WEB).extend(approved.iter().map(|text| (rule(text), detail(None)))),
            |live| {
                rules(live, WEB).remove(&rule(removed)).unwrap();
            },
        );
        findings[0].meaning.clone()
    };
    assert!(
        meaning(&[], SHOP).contains("at once"),
        "world ingress, everything may leave: no tracking"
    );
    assert!(
        meaning(&["ingress tcp:22 10.0.0.0/8"], "ingress tcp:22 10.0.0.0/8")
            .contains("idle timeout")
    );
    assert!(
        meaning(
            &["ingress icmp:all 0.0.0.0/0"],
            "ingress icmp:all 0.0.0.0/0"
        )
        .contains("idle timeout")
    );
    assert!(
        meaning(&["ingress tcp:443 ::/0"], "ingress tcp:443 ::/0").contains("idle timeout"),
        "no IPv6 egress: tracked"
    );
}

#[test]
fn the_words_are_for_a_person() {
    let findings = found(nothing, |live| {
        rules(live, WEB).insert(rule("ingress tcp:20-25 0.0.0.0/0"), detail(None));
        let interface = NetworkInterface {
            groups: [WEB.into()].into(),
            public_addresses: ["198.51.100.9".parse().unwrap()].into(),
            ..NetworkInterface::new("eni-1", "vpc-1", "subnet-1")
        };
        live.topology
            .interfaces
            .insert(interface.id.clone(), interface);
    });
    assert_eq!(
        findings[0].meaning,
        "anyone on the internet (IPv4) may now connect to ports 22 (SSH), 23 (Telnet), 20, 21, 25"
    );
    assert_eq!(
        findings[0].evidence,
        [
            "ingress tcp 20-25 from 0.0.0.0/0 (anyone on the internet, IPv4)",
            "1 network interface carries this group, 1 with a public address"
        ]
    );
}

#[test]
fn an_audit_finds_what_is_open_at_first_sight() {
    let mut live = account();
    assert_eq!(
        short(&dangers(&live)),
        [""; 0],
        "a shop on 443 and default ACLs are no danger"
    );
    rules(&mut live, WEB).insert(rule("ingress tcp:3389 0.0.0.0/0"), detail(None));
    assert_eq!(
        short(&dangers(&live)),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:3389 0.0.0.0/0"]
    );
}

#[test]
fn a_group_that_came_or_went_is_told_by_its_existence() {
    let gone = found(nothing, |live| {
        live.resources.remove(&WEB.parse().unwrap());
    });
    assert_eq!(short(&gone), ["DELETED high cuts existence"]);
    assert_eq!(
        gone[0].evidence,
        [
            "rule ingress tcp:443 0.0.0.0/0",
            "rule egress all 0.0.0.0/0"
        ]
    );
    let harmless = found(nothing, |live| {
        let new = group("sg-new", &["ingress tcp:443 0.0.0.0/0"]);
        live.resources.insert(new.id(), new);
    });
    assert_eq!(short(&harmless), ["UNREVIEWED medium none existence"]);
    let dangerous = found(nothing, |live| {
        let new = group("sg-new", &["ingress tcp:22 0.0.0.0/0"]);
        live.resources.insert(new.id(), new);
    });
    assert_eq!(
        short(&dangerous),
        [
            "UNREVIEWED medium none existence",
            "SG-WORLD-SENSITIVE critical opens existence"
        ]
    );
}
