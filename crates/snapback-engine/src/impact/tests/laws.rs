//! Laws: equal packets are no impact however they are written; grouping interfaces changes nothing.

use super::*;
use proptest::prelude::*;
use snapback_reach::{PacketSet, permitted_by_group, permitted_by_rules};
use std::collections::BTreeSet;

/// The rules of the web group, written in one way and in another.
fn same(one: &[&str], other: &[&str]) {
    let with = |texts: &[&str]| {
        let mut snapshot = account();
        carry(&mut snapshot, "eni-1", "subnet-1", &[WEB], false);
        let list = PrefixList {
            id: "pl-1".into(),
            name: None,
            version: Some(1),
            max_entries: None,
            entries: Some(
                [
                    "10.0.0.0/9".parse().unwrap(),
                    "10.128.0.0/9".parse().unwrap(),
                ]
                .into(),
            ),
        };
        snapshot.topology.prefix_lists.insert("pl-1".into(), list);
        let rules = rules(&mut snapshot, WEB);
        rules.clear();
        rules.extend(texts.iter().map(|text| (rule(text), detail(None))));
        snapshot
    };
    let impact = between(WEB, &with(one), &with(other));
    assert!(
        impact.opened.is_empty() && impact.closed.is_empty() && impact.latent.is_empty(),
        "{one:?} {other:?}: {impact:?}"
    );
    assert!(impact.moves.is_empty(), "{:?}", impact.moves);
}

#[test]
fn differently_written_equal_states_have_no_impact() {
    same(
        &["ingress tcp:22 0.0.0.0/0"],
        &["ingress tcp:22 0.0.0.0/1", "ingress tcp:22 128.0.0.0/1"],
    );
    same(
        &["ingress all 10.0.0.0/8"],
        &["ingress all 10.0.0.0/8", "ingress tcp:22 10.1.0.0/16"],
    );
    same(&["ingress udp:53 10.0.0.0/8"], &["ingress udp:53 pl-1"]);
    same(
        &[
            "ingress tcp:1-100 10.0.0.0/8",
            "ingress tcp:50-200 10.0.0.0/8",
        ],
        &["ingress tcp:1-200 10.0.0.0/8"],
    );
    same(
        &["ingress tcp:0-65535 1.0.0.0/8", "ingress all 1.0.0.0/8"],
        &["ingress all 1.0.0.0/8"],
    );
}

#[test]
fn an_acl_renumbered_in_the_same_order_has_no_impact() {
    let told = of(
        ACL,
        |good| {
            carry(good, "eni-1", "subnet-1", &[WEB], false);
            let deny = entry("deny tcp:22 10.0.0.0/8");
            acl(good, ACL).entries.insert(key("ingress 50"), deny);
        },
        |live| {
            let entries = &mut acl(live, ACL).entries;
            let deny = entries.remove(&key("ingress 50")).unwrap();
            entries.insert(key("ingress 70"), deny);
        },
    );
    assert!(told.opened.is_empty() && told.closed.is_empty());
}

prop_compose! {
    /// Four groups with a few rules each, six interfaces that carry some of them.
    fn worlds()(
        groups in proptest::collection::vec(
            proptest::collection::btree_set(rule_keys(), 0..5), 4),
        carried in proptest::collection::vec(
            proptest::collection::btree_set(0..4_usize, 1..4), 6),
        added in proptest::collection::btree_set(rule_keys(), 1..4),
        subnets in proptest::collection::vec(1..3_usize, 6),
    ) -> (Snapshot, Snapshot) {
        let mut good = account();
        let name = |index: usize| if index == 0 { WEB.to_owned() } else { format!("sg-{index}") };
        for (index, keys) in groups.iter().enumerate() {
            let id = name(index);
            let texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            good.resources.insert(id.parse().unwrap(), group(&id, &texts));
        }
        for (index, (held, subnet)) in carried.iter().zip(&subnets).enumerate() {
            let held: Vec<String> = held.iter().map(|index| name(*index)).collect();
            let held: Vec<&str> = held.iter().map(String::as_str).collect();
            carry(&mut good, &format!("eni-{index}"), &format!("subnet-{subnet}"), &held, index % 2 == 0);
        }
        // Nothing but groups decides: no ACL and no table is known.
        good.resources.retain(|id, _| id.kind() == Kind::SecurityGroup);
        let mut live = good.clone();
        let rules = rules(&mut live, WEB);
        let old: Vec<RuleKey> = rules.keys().take(1).cloned().collect();
        for key in old {
            rules.remove(&key);
        }
        rules.extend(added.into_iter().map(|key| (key, detail(None))));
        (good, live)
    }
}

/// Only the plain addresses of IPv4: every interface has one, and references are another test's.
fn plain(packets: &PacketSet) -> PacketSet {
    let everyone = snapback_reach::AddressSet::of(["0.0.0.0/0".parse().unwrap()]);
    packets.with_peers(&everyone)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_interface_weighed_by_itself_gives_the_same_counts((good, live) in worlds()) {
        let impact = between(WEB, &good, &live);
        let lists = Topology::default();
        let state = |snapshot: &Snapshot, id: &str| match &snapshot.resources[&id.parse().unwrap()] {
            Resource::SecurityGroup(group) => group.clone(),
            other => panic!("{id} is {other:?}"),
        };
        for (turn, shifts) in [(Turn::Opened, &impact.opened), (Turn::Closed, &impact.closed)] {
            for shift in shifts {
                // Symbols and IPv6 aside: the peers of the part are IPv4 networks.
                let networks: Option<Vec<ipnet::IpNet>> = shift.peers.iter().map(|peer| peer.parse().ok()).collect();
                let Some(networks) = networks.filter(|nets| nets.iter().all(|net| matches!(net, ipnet::IpNet::V4(_)))) else { continue };
                let direction = shift.direction.unwrap();
                let of = |snapshot: &Snapshot| permitted_by_group(&state(snapshot, WEB), direction, &lists);
                let moved = match turn {
                    Turn::Opened => of(&live).difference(&of(&good)),
                    Turn::Closed => of(&good).difference(&of(&live)),
                };
                let peers = snapback_reach::AddressSet::of(networks);
                let items = moved.items();
                let item = items.iter().find(|item| item.traffic() == shift.traffic && item.peers == peers).unwrap();
                let part = plain(&super::super::sets::packets_of(item));
                let passes = live.topology.interfaces.values().filter(|eni| {
                    let others: BTreeSet<RuleKey> = eni
                        .groups
                        .iter()
                        .filter(|id| id.as_str() != WEB)
                        .flat_map(|id| state(&live, id.as_str()).rules.into_keys())
                        .filter(|key| key.direction == direction && !matches!(key.peer, Peer::SecurityGroup { .. }))
                        .collect();
                    let left = part.difference(&permitted_by_rules(&others, &lists));
                    eni.groups.iter().any(|id| id.as_str() == WEB) && !left.is_empty()
                });
                let expected = passes.count();
                let told = match &shift.effect { Effect::Now(reached) => reached.interfaces, _ => 0 };
                // A reference of another group may cover single addresses of a part, never all of these.
                prop_assert_eq!(told, expected, "{:?}", shift);
            }
        }
    }
}
