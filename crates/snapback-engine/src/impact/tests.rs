#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::fixture::*;
use snapback_model::{Destination, PrefixList, ResourceId, Route, RouteTarget, Snapshot};

/// The impact on one resource of the fixture when it changes.
fn of(id: &str, prepare: impl Fn(&mut Snapshot), change: impl Fn(&mut Snapshot)) -> Impact {
    let mut good = account();
    prepare(&mut good);
    let mut live = good.clone();
    change(&mut live);
    let id: ResourceId = id.parse().unwrap();
    impact(
        good.resources.get(&id),
        live.resources.get(&id),
        &live.topology,
    )
}

fn nothing(_: &mut Snapshot) {}

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
    assert_eq!(covered, Impact::default());
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
    assert_eq!(open.opened.len(), 13);
    assert_eq!(open.opened[12], "and 9 more");
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
    assert_eq!(moved.closed, ["subnet-1 is no longer guarded by this ACL"]);
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
fn absence_permits_nothing_and_routes_nothing() {
    let account = account();
    let resource = |id: &str| account.resources.get(&id.parse().unwrap());
    let gone = impact(resource(WEB), None, &account.topology);
    assert_eq!((gone.opened.len(), gone.closed.len()), (0, 2));
    let born = impact(None, resource(PRIVATE), &account.topology);
    assert!(
        born.opened
            .contains(&"0.0.0.0/0 now goes to nat-1 (it had no route)".to_owned())
    );
    assert!(born.closed.is_empty());
    assert_eq!(impact(None, None, &account.topology), Impact::default());
}
