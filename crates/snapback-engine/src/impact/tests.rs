#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::fixture::*;

mod effects;
mod latent;
mod laws;
mod membership;

/// What one resource of the fixture tells when it changes.
struct Told {
    opened: Vec<String>,
    closed: Vec<String>,
    inexact: Vec<String>,
    impact: Impact,
}

/// The impact on one resource of a good account when it changes.
fn between(id: &str, good: &Snapshot, live: &Snapshot) -> Impact {
    let id: ResourceId = id.parse().unwrap();
    let baselines = captured(good);
    let only = [id].into();
    let diffs = crate::diff::diff(&baselines, live, Some(&only));
    diffs
        .first()
        .map(|diff| impact(&baselines, live, diff))
        .unwrap_or_default()
}

fn of(id: &str, prepare: impl Fn(&mut Snapshot), change: impl Fn(&mut Snapshot)) -> Told {
    let mut good = account();
    prepare(&mut good);
    let mut live = good.clone();
    change(&mut live);
    let impact = between(id, &good, &live);
    let texts = |shifts: &[Shift]| shifts.iter().map(|shift| shift.text.clone()).collect();
    Told {
        opened: texts(&impact.opened),
        closed: texts(&impact.closed),
        inexact: impact.inexact.clone(),
        impact,
    }
}

fn nothing(_: &mut Snapshot) {}

/// An interface that carries groups in a subnet, with a private address and perhaps a public one.
fn carry(snapshot: &mut Snapshot, id: &str, subnet: &str, groups: &[&str], public: bool) {
    let mut interface = NetworkInterface::new(id, "vpc-1", subnet);
    interface.groups = groups.iter().map(|id| (*id).into()).collect();
    let last = snapshot.topology.interfaces.len() + 10;
    interface.addresses = [format!("10.0.0.{last}").parse().unwrap()].into();
    if public {
        interface.public_addresses = [format!("203.0.113.{last}").parse().unwrap()].into();
    }
    snapshot.topology.interfaces.insert(id.into(), interface);
    snapshot.topology.read.insert(ContextKind::Interfaces);
}

fn online(snapshot: &mut Snapshot, table: &str) {
    let internet = RouteTarget::InternetGateway("igw-1".into());
    super::tests::table(snapshot, table)
        .routes
        .insert(to("0.0.0.0/0"), Route::created(internet));
}

#[test]
fn rules_are_told_by_the_packets_they_open_and_close() {
    let open = of(WEB, nothing, |live| {
        rules(live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
        rules(live, WEB).insert(rule("ingress tcp:22 10.0.0.0/8"), detail(None));
        rules(live, WEB).insert(rule("ingress tcp:5432 sg-db"), detail(None));
    });
    assert_eq!(
        open.opened,
        [
            "ingress tcp 22 from 0.0.0.0/0 (anyone on the internet, IPv4)",
            "ingress tcp 5432 from members of sg-db"
        ]
    );
    assert!(open.closed.is_empty() && open.inexact.is_empty());
    let closed = of(WEB, nothing, |live| rules(live, WEB).clear());
    assert_eq!(
        closed.closed,
        [
            "ingress tcp 443 from 0.0.0.0/0 (anyone on the internet, IPv4)",
            "egress all traffic to 0.0.0.0/0 (anyone on the internet, IPv4)"
        ]
    );
    let covered = of(WEB, nothing, |live| {
        rules(live, WEB).insert(rule("ingress tcp:443 10.0.0.0/8"), detail(None));
    });
    assert!(covered.opened.is_empty() && covered.closed.is_empty());
    assert!(covered.impact.moves.is_empty() && covered.impact.latent.is_empty());
}

#[test]
fn a_world_with_a_hole_is_still_the_world() {
    let open = of(
        WEB,
        |good| {
            rules(good, WEB).insert(rule("ingress tcp:22 10.0.0.0/8"), detail(None));
        },
        |live| {
            rules(live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
            rules(live, WEB).insert(rule("ingress tcp:22 ::/0"), detail(None));
        },
    );
    assert_eq!(
        open.opened,
        [
            "ingress tcp 22 from 0.0.0.0/0 except 10.0.0.0/8 (anyone on the internet, IPv4), ::/0 (anyone on the internet, IPv6)"
        ]
    );
}

#[test]
fn long_lists_are_bounded() {
    let open = of(WEB, nothing, |live| {
        for port in 0..20 {
            rules(live, WEB).insert(
                rule(&format!("ingress tcp:{} 10.{port}.0.0/24", 1000 + port * 2)),
                detail(None),
            );
        }
        for net in 0..9 {
            rules(live, WEB).insert(
                rule(&format!("ingress udp:53 10.{net}.7.0/24")),
                detail(None),
            );
        }
    });
    assert_eq!(open.opened.len(), 21);
    let lines = open.impact.lines(Turn::Opened, 12);
    assert_eq!((lines.len(), lines[12].as_str()), (13, "and 9 more"));
    let networks = of(WEB, nothing, |live| {
        for net in 0..9 {
            rules(live, WEB).insert(
                rule(&format!("ingress udp:53 10.{net}.7.0/24")),
                detail(None),
            );
        }
    });
    assert_eq!(
        networks.opened,
        ["ingress udp 53 from 10.0.7.0/24, 10.1.7.0/24, 10.2.7.0/24, 10.3.7.0/24, 5 more networks"]
    );
}

#[test]
fn an_unread_prefix_list_makes_it_inexact() {
    let open = |entries: Option<&str>| {
        of(
            WEB,
            |good| {
                let entries = entries.map(|net| [net.parse().unwrap()].into());
                let list = PrefixList {
                    id: "pl-1".into(),
                    name: None,
                    version: None,
                    max_entries: None,
                    entries,
                };
                good.topology.prefix_lists.insert("pl-1".into(), list);
            },
            |live| {
                rules(live, WEB).insert(rule("ingress tcp:22 pl-1"), detail(None));
            },
        )
    };
    let known = open(Some("10.0.0.0/8"));
    assert_eq!(
        (known.opened, known.inexact.len()),
        (vec!["ingress tcp 22 from 10.0.0.0/8".to_owned()], 0)
    );
    let unread = open(None);
    assert_eq!(
        unread.opened,
        ["ingress tcp 22 from prefix list pl-1 (entries not read)"]
    );
    assert!(unread.inexact[0].contains("pl-1"));
}

#[test]
fn an_acl_is_told_by_packets_and_subnets() {
    let bombed = of(ACL, nothing, |live| {
        acl(live, ACL)
            .entries
            .insert(key("ingress 50"), entry("deny tcp:443 0.0.0.0/0"));
    });
    assert_eq!(
        bombed.closed,
        ["ingress tcp 443 from 0.0.0.0/0 (anyone on the internet, IPv4)"]
    );
    assert!(bombed.opened.is_empty());
    let moved = of(ACL, nothing, |live| {
        move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL))
    });
    assert_eq!(
        moved.closed,
        [
            "subnet-1: ingress all traffic from 0.0.0.0/0 (anyone on the internet, IPv4)",
            "subnet-1: egress all traffic to 0.0.0.0/0 (anyone on the internet, IPv4)"
        ]
    );
}

#[test]
fn a_table_is_told_by_where_networks_go() {
    let route = |net: &'static str, target: Option<RouteTarget>| {
        of(PRIVATE, nothing, move |live| {
            let routes = &mut table(live, PRIVATE).routes;
            match target.clone() {
                Some(target) => routes.insert(to(net), Route::created(target)),
                None => routes.remove(&to(net)),
            };
        })
    };
    let eni = || Some(RouteTarget::NetworkInterface("eni-1".into()));
    assert_eq!(
        route("0.0.0.0/0", eni()).closed,
        ["0.0.0.0/0 now goes to eni-1 instead of nat-1"]
    );
    assert_eq!(
        route("0.0.0.0/0", None).closed,
        ["0.0.0.0/0 has no route any more (it went to nat-1)"]
    );
    assert_eq!(
        route("10.50.0.0/16", None).closed,
        ["10.50.0.0/16 now goes to nat-1 instead of pcx-1"]
    );
    assert_eq!(
        route("2001:db8::/32", eni()).opened,
        ["2001:db8::/32 now goes to eni-1 (it had no route)"]
    );
    let igw = Some(RouteTarget::InternetGateway("igw-1".into()));
    assert_eq!(
        route("0.0.0.0/0", igw).opened,
        ["0.0.0.0/0 now goes to igw-1 instead of nat-1"]
    );
    let dead = of(PRIVATE, nothing, |live| {
        table(live, PRIVATE)
            .routes
            .get_mut(&Destination::cidr("0.0.0.0/0".parse().unwrap()))
            .unwrap()
            .blackhole = true;
    });
    assert_eq!(
        dead.closed,
        ["0.0.0.0/0 is dropped: its target nat-1 is dead"]
    );
}

#[test]
fn the_subnets_of_a_table_that_is_gone_are_routed_by_the_main_one() {
    let gone = |live: &mut Snapshot| {
        live.resources.remove(&PRIVATE.parse().unwrap());
    };
    let told = of(PRIVATE, nothing, gone);
    assert_eq!(
        told.closed,
        [
            "0.0.0.0/0 has no route any more (it went to nat-1)",
            "10.50.0.0/16 has no route any more (it went to pcx-1)",
            "172.16.0.0/12 has no route any more (it went to vgw-1)",
            "routes that vgw-1 learns no longer come into this table"
        ],
        "the network of the VPC is routed by every table"
    );
    let elsewhere = of(
        PRIVATE,
        |good| online(good, MAIN),
        |live| {
            gone(live);
            move_subnet(live, "subnet-1", None, Some(MAIN));
        },
    );
    assert!(
        elsewhere
            .opened
            .contains(&"0.0.0.0/0 now goes to igw-1 instead of nat-1".to_owned()),
        "{:?}",
        elsewhere.opened
    );
}

#[test]
fn absence_permits_nothing_and_routes_nothing() {
    let gone = of(WEB, nothing, |live| {
        live.resources.remove(&WEB.parse().unwrap());
    });
    assert_eq!((gone.opened.len(), gone.closed.len()), (0, 2));
    let moves = gone.impact.moves_of(&Element::Existence);
    assert!(moves.opens.is_none() && moves.closes.is_some());
    let born = of(
        PRIVATE,
        |good| {
            good.resources.remove(&PRIVATE.parse().unwrap());
        },
        |live| {
            let account = account();
            let id = PRIVATE.parse().unwrap();
            live.resources
                .insert(PRIVATE.parse().unwrap(), account.resources[&id].clone());
        },
    );
    assert!(
        born.opened
            .contains(&"0.0.0.0/0 now goes to nat-1 (it had no route)".to_owned()),
        "{:?}",
        born.opened
    );
}

#[test]
fn an_impact_of_the_first_form_still_reads() {
    let stored = r#"{"opened":["ingress tcp 22 from 0.0.0.0/0"],"closed":[],"inexact":["pl-1"]}"#;
    let read: Impact = serde_json::from_str(stored).unwrap();
    assert_eq!(read.opened[0].text, "ingress tcp 22 from 0.0.0.0/0");
    assert!(matches!(read.opened[0].effect, Effect::Unknown { .. }));
    assert_eq!((read.inexact.len(), read.latent.len()), (1, 0));
}

#[test]
fn an_impact_is_stored_and_read_back() {
    let told = of(
        WEB,
        |good| carry(good, "eni-1", "subnet-1", &[WEB], false),
        |live| {
            rules(live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
        },
    );
    let stored = serde_json::to_string(&told.impact).unwrap();
    let read: Impact = serde_json::from_str(&stored).unwrap();
    let mut expected = told.impact;
    expected.moves.clear();
    expected.exactness = Exactness::exact();
    assert_eq!(read, expected);
}

#[test]
fn states_too_large_to_compute_are_unknown_both_ways() {
    let told = of(WEB, nothing, |live| {
        for port in 0..4000_u16 {
            let text = format!("ingress tcp:{} 10.0.0.0/8", port * 4);
            rules(live, WEB).insert(rule(&text), detail(None));
            let text = format!("ingress tcp:1-60000 10.{}.{}.0/24", port / 250, port % 250);
            rules(live, WEB).insert(rule(&text), detail(None));
        }
    });
    let added: Element = "rule ingress tcp:4 10.0.0.0/8".parse().unwrap();
    let moves = told.impact.moves_of(&added);
    for effect in [moves.opens, moves.closes] {
        assert!(matches!(effect, Some(Effect::Unknown { .. })), "{effect:?}");
    }
    assert!(told.inexact[0].contains("unknown"), "{:?}", told.inexact);
}
