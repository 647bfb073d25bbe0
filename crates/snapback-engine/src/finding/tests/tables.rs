use super::*;

fn target(text: &str) -> RouteTarget {
    match text.split_once('-').map_or(text, |(kind, _)| kind) {
        "local" => RouteTarget::Local,
        "igw" => RouteTarget::InternetGateway(text.into()),
        "nat" => RouteTarget::NatGateway(text.into()),
        "pcx" => RouteTarget::VpcPeeringConnection(text.into()),
        "tgw" => RouteTarget::TransitGateway(text.into()),
        "vpce" => RouteTarget::GatewayEndpoint(text.into()),
        "eni" => RouteTarget::NetworkInterface(text.into()),
        other => panic!("no target {other}"),
    }
}

/// `nat-1!` is dead.
fn route(text: &str) -> Route {
    let (text, blackhole) = text
        .strip_suffix('!')
        .map_or((text, false), |text| (text, true));
    Route {
        blackhole,
        ..Route::created(target(text))
    }
}

/// Routes approved besides the fixture's, changes of live (`None` takes a route away), what is found.
type Row = (
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, Option<&'static str>)],
    &'static [&'static str],
);

fn check(rows: &[Row]) {
    for (approved, changes, expected) in rows {
        let findings = found(
            |good| {
                table(good, PRIVATE).routes.extend(
                    approved
                        .iter()
                        .map(|(net, to_text)| (to(net), route(to_text))),
                );
            },
            |live| {
                let routes = &mut table(live, PRIVATE).routes;
                for (net, content) in *changes {
                    match content {
                        Some(text) => routes.insert(to(net), route(text)),
                        None => routes.remove(&to(net)),
                    };
                }
            },
        );
        assert_eq!(
            short(&findings),
            *expected,
            "approved {approved:?}, changed {changes:?}"
        );
    }
}

#[test]
fn approved_routes_that_are_gone_are_missed_by_what_they_carried() {
    check(&[
        (
            &[],
            &[("0.0.0.0/0", None)],
            &["RT-DEFAULT-GONE high cuts route 0.0.0.0/0"],
        ),
        (
            &[("::/0", "eni-6")],
            &[("::/0", None)],
            &["RT-DEFAULT-GONE high cuts route ::/0"],
        ),
        (
            &[],
            &[("10.50.0.0/16", None)],
            &["RT-ROUTE-GONE high cuts route 10.50.0.0/16"],
        ),
        (
            &[("pl-s3", "vpce-1")],
            &[("pl-s3", None)],
            &["VPCE-GW-OFF medium cuts route pl-s3"],
        ),
        // Another approved route sends its traffic the same way.
        (
            &[("8.8.8.0/24", "nat-1")],
            &[("8.8.8.0/24", None)],
            &["RT-ROUTE-GONE low none route 8.8.8.0/24"],
        ),
        (
            &[("0.0.0.0/1", "nat-1"), ("128.0.0.0/1", "nat-1")],
            &[("0.0.0.0/0", None)],
            &["RT-DEFAULT-GONE low none route 0.0.0.0/0"],
        ),
        // A stranger's halves of the default route are no excuse for the whole one that is gone.
        (
            &[],
            &[
                ("0.0.0.0/0", None),
                ("0.0.0.0/1", Some("nat-1")),
                ("128.0.0.0/1", Some("nat-1")),
            ],
            &["RT-DEFAULT-GONE high cuts route 0.0.0.0/0"],
        ),
    ]);
}

#[test]
fn traffic_that_goes_elsewhere_is_hijacked() {
    check(&[
        (
            &[],
            &[("0.0.0.0/0", Some("eni-1"))],
            &["RT-HIJACK high cuts route 0.0.0.0/0"],
        ),
        (
            &[],
            &[("10.50.0.0/16", Some("tgw-1"))],
            &["RT-HIJACK high cuts route 10.50.0.0/16"],
        ),
        (
            &[],
            &[("10.50.7.0/24", Some("eni-1"))],
            &["RT-HIJACK high cuts route 10.50.7.0/24"],
        ),
        (
            &[],
            &[("8.8.8.0/24", Some("eni-1"))],
            &["RT-HIJACK high cuts route 8.8.8.0/24"],
        ),
        (
            &[],
            &[("8.8.8.0/24", Some("nat-2"))],
            &["RT-HIJACK medium cuts route 8.8.8.0/24"],
        ),
        (
            &[],
            &[("0.0.0.0/1", Some("eni-1")), ("128.0.0.0/1", Some("eni-1"))],
            &[
                "RT-HIJACK high cuts route 0.0.0.0/1",
                "RT-HIJACK high cuts route 128.0.0.0/1",
            ],
        ),
        // A longer prefix to the same target, and one under approved longer prefixes, change nothing.
        (&[], &[("8.8.8.0/24", Some("nat-1"))], &[]),
        (
            &[("8.8.8.0/25", "nat-1"), ("8.8.8.128/25", "nat-1")],
            &[("8.8.8.0/24", Some("eni-1"))],
            &[],
        ),
        // An approved route that no traffic uses.
        (
            &[
                ("8.8.8.0/25", "nat-1"),
                ("8.8.8.128/25", "nat-1"),
                ("8.8.8.0/24", "nat-1"),
            ],
            &[("8.8.8.0/24", Some("eni-1"))],
            &["RT-HIJACK low none route 8.8.8.0/24"],
        ),
    ]);
}

#[test]
fn traffic_inside_the_vpc_is_told_apart() {
    check(&[
        (
            &[],
            &[("10.0.0.0/16", Some("eni-1"))],
            &["RT-LOCAL-REPLACED high cuts route 10.0.0.0/16"],
        ),
        (
            &[],
            &[("10.0.1.0/24", Some("eni-1"))],
            &["RT-LOCAL-REPLACED high cuts route 10.0.1.0/24"],
        ),
        (&[], &[("10.1.0.0/24", Some("nat-1"))], &[]),
    ]);
}

#[test]
fn dead_targets_drop_traffic() {
    check(&[
        (
            &[],
            &[("0.0.0.0/0", Some("nat-1!"))],
            &["RT-BLACKHOLE high cuts route 0.0.0.0/0"],
        ),
        (
            &[],
            &[("8.8.8.0/24", Some("pcx-9!"))],
            &["RT-BLACKHOLE high cuts route 8.8.8.0/24"],
        ),
        // Dead then, dead now; dead then, alive now; dead with nothing behind it.
        (
            &[("10.60.0.0/16", "pcx-2!")],
            &[("10.61.0.0/16", Some("nat-1"))],
            &[],
        ),
        (
            &[("198.18.0.0/16", "nat-1!")],
            &[("198.18.0.0/16", Some("nat-1"))],
            &["RT-NEW-REACH medium opens route 198.18.0.0/16"],
        ),
        (&[], &[("2001:db8::/32", Some("eni-1!"))], &[]),
    ]);
}

#[test]
fn networks_that_become_reachable_are_told() {
    check(&[
        (
            &[],
            &[("2001:db8::/32", Some("pcx-1"))],
            &["RT-NEW-REACH medium opens route 2001:db8::/32"],
        ),
        (
            &[],
            &[("0.0.0.0/0", Some("igw-1"))],
            &[
                "RT-HIJACK high cuts route 0.0.0.0/0",
                "RT-IGW-PRIVATE high opens route 0.0.0.0/0",
            ],
        ),
        (
            &[],
            &[("::/0", Some("igw-1"))],
            &["RT-IGW-PRIVATE high opens route ::/0"],
        ),
        // A table that has an internet route is public already.
        (
            &[("8.8.8.0/24", "igw-1")],
            &[("::/0", Some("igw-1"))],
            &["RT-NEW-REACH medium opens route ::/0"],
        ),
    ]);
}

#[test]
fn an_internet_route_is_critical_where_hosts_can_be_reached() {
    let severity = |public: bool, open: bool| {
        let findings = found(nothing, |live| {
            if !open {
                rules(live, WEB).retain(|rule, _| rule.direction == Direction::Egress);
            }
            let interface = NetworkInterface {
                groups: [WEB.into()].into(),
                public_addresses: if public {
                    ["198.51.100.9".parse().unwrap()].into()
                } else {
                    BTreeSet::new()
                },
                ..NetworkInterface::new("eni-1", "vpc-1", "subnet-1")
            };
            live.topology
                .interfaces
                .insert(interface.id.clone(), interface);
            table(live, PRIVATE)
                .routes
                .insert(to("0.0.0.0/0"), route("igw-1"));
        });
        findings
            .iter()
            .find(|finding| finding.code == FindingCode::RtIgwPrivate)
            .unwrap()
            .severity
    };
    assert_eq!(severity(true, true), Severity::Critical);
    assert_eq!(severity(false, true), Severity::High);
    assert_eq!(severity(true, false), Severity::High);
}

#[test]
fn propagation_and_edges_are_told() {
    let off = found(nothing, |live| {
        table(live, PRIVATE).propagating.clear();
    });
    assert_eq!(
        short(&off),
        ["RT-PROPAGATION-OFF high cuts propagation vgw-1"]
    );
    let on = found(nothing, |live| {
        table(live, MAIN).propagating.insert("vgw-1".into());
    });
    assert_eq!(short(&on), ["RT-NEW-REACH medium opens propagation vgw-1"]);
    let inspect = |account: &mut Snapshot| {
        table(account, PRIVATE).gateways.insert("igw-1".into());
    };
    let bypassed = found(inspect, |live| table(live, PRIVATE).gateways.clear());
    assert_eq!(short(&bypassed), ["RT-EDGE high opens edge igw-1"]);
    assert_eq!(
        short(&found(nothing, inspect)),
        ["RT-EDGE high cuts edge igw-1"]
    );
    let inert = found(nothing, |live| {
        table(live, MAIN).gateways.insert("igw-1".into());
    });
    assert_eq!(
        short(&inert),
        ["RT-EDGE low none edge igw-1"],
        "nothing but local routes"
    );
}

#[test]
fn prefix_lists_at_odds_are_told() {
    let lists = |account: &mut Snapshot| {
        for id in ["pl-1", "pl-2"] {
            let entries = Some(["8.8.8.0/24".parse().unwrap()].into());
            let list = PrefixList {
                id: id.into(),
                name: None,
                version: None,
                max_entries: None,
                entries,
            };
            account.topology.prefix_lists.insert(id.into(), list);
        }
        table(account, PRIVATE)
            .routes
            .insert(to("pl-1"), route("tgw-1"));
    };
    let odds = |target: &'static str| {
        found(lists, move |live| {
            table(live, PRIVATE)
                .routes
                .insert(to("pl-2"), route(target));
        })
    };
    assert_eq!(
        short(&odds("pcx-1")),
        ["RT-PL-AMBIG medium none route pl-2"]
    );
    assert_eq!(short(&odds("tgw-1")), [""; 0]);
    let mut live = account();
    lists(&mut live);
    assert_eq!(short(&dangers(&live)), [""; 0]);
    table(&mut live, PRIVATE)
        .routes
        .insert(to("pl-2"), route("pcx-1"));
    assert_eq!(
        short(&dangers(&live)),
        ["RT-PL-AMBIG medium none route pl-1"]
    );
}

#[test]
fn an_audit_finds_dead_and_redirected_routes() {
    let mut live = account();
    table(&mut live, PRIVATE)
        .routes
        .insert(to("0.0.0.0/0"), route("nat-1!"));
    let redirected = Route {
        origin: RouteOrigin::Table,
        ..route("eni-1")
    };
    table(&mut live, MAIN)
        .routes
        .insert(to("10.0.0.0/16"), redirected);
    assert_eq!(
        short(&dangers(&live)),
        [
            "RT-LOCAL-REPLACED high cuts route 10.0.0.0/16",
            "RT-BLACKHOLE high cuts route 0.0.0.0/0"
        ]
    );
}

#[test]
fn a_table_that_is_gone_is_told_with_what_was_lost() {
    let findings = found(nothing, |live| {
        live.resources.remove(&PRIVATE.parse().unwrap());
    });
    assert_eq!(short(&findings), ["DELETED high cuts existence"]);
    assert!(
        findings[0]
            .evidence
            .contains(&"route 0.0.0.0/0 to nat-1".to_owned())
    );
    assert!(
        findings[0]
            .evidence
            .contains(&"association of subnet-1".to_owned())
    );
}
