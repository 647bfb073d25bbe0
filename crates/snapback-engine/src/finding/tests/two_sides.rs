//! Context: what the difference of no guarded resource tells.

use super::site::*;
use super::*;

type Row = (
    &'static str,
    fn(&mut Snapshot),
    fn(&mut Snapshot),
    &'static [&'static str],
);

fn check(rows: &[Row]) {
    for (name, prepare, change, expected) in rows {
        let findings = told(prepare, change);
        assert_eq!(brief(&findings), *expected, "{name}: {findings:#?}");
        for finding in &findings {
            assert!(!finding.meaning.is_empty() && !finding.advice.is_empty());
            assert_ne!(finding.since, Since::Before);
        }
    }
}

fn put_group(site: &mut Snapshot, id: &str, rules: &[&str]) {
    let group = group(id, rules);
    site.resources.insert(group.id(), group);
}

#[test]
fn public_access_block() {
    fn block(site: &mut Snapshot) -> &mut BlockPublicAccess {
        site.topology.block_public_access.as_mut().unwrap()
    }
    fn exclude(site: &mut Snapshot, mode: ExclusionMode, active: bool) {
        let exclusion = BlockExclusion {
            id: "vpcbpa-exclude-1".into(),
            resource: "subnet-1".into(),
            mode,
            active,
        };
        block(site)
            .exclusions
            .insert("vpcbpa-exclude-1".into(), exclusion);
    }
    check(&[
        (
            "off",
            nothing,
            |live| block(live).mode = BlockMode::Off,
            &["BPA-OFF high opens 123456789012"],
        ),
        (
            "weaker",
            |good| block(good).mode = BlockMode::Bidirectional,
            |live| block(live).mode = BlockMode::Ingress,
            &["BPA-OFF high opens 123456789012"],
        ),
        (
            "near: stronger",
            nothing,
            |live| block(live).mode = BlockMode::Bidirectional,
            &[],
        ),
        (
            "excepted",
            nothing,
            |live| exclude(live, ExclusionMode::Bidirectional, true),
            &["BPA-OFF high opens subnet-1"],
        ),
        (
            "excepted wider",
            |good| exclude(good, ExclusionMode::Egress, true),
            |live| exclude(live, ExclusionMode::Bidirectional, true),
            &["BPA-OFF high opens subnet-1"],
        ),
        (
            "near: excepted from nothing",
            |good| block(good).mode = BlockMode::Off,
            |live| exclude(live, ExclusionMode::Bidirectional, true),
            &[],
        ),
        (
            "near: not active",
            nothing,
            |live| exclude(live, ExclusionMode::Bidirectional, false),
            &[],
        ),
        (
            "near: one side was not read",
            nothing,
            |live| live.topology.block_public_access = None,
            &[],
        ),
    ]);
}

#[test]
fn gateways_and_peerings() {
    check(&[
        (
            "NAT deleted",
            nothing,
            |live| gateway(live, "nat-1").state = Some("deleting".into()),
            &["NAT-DELETED critical cuts nat-1"],
        ),
        (
            "near: it was gone before",
            |good| gateway(good, "nat-1").state = Some("deleted".into()),
            nothing,
            &[],
        ),
        (
            "near: only one side read NAT gateways",
            |good| {
                good.topology.read.remove(&ContextKind::NatGateways);
            },
            |live| {
                live.topology.read.insert(ContextKind::NatGateways);
                live.topology.gateways.remove("nat-1");
            },
            &[],
        ),
        (
            "other public addresses",
            nothing,
            |live| {
                gateway(live, "nat-1").public_addresses = ["198.51.100.99".parse().unwrap()].into()
            },
            &["NAT-REPLACED high cuts nat-1"],
        ),
        (
            "one more address",
            nothing,
            |live| {
                gateway(live, "nat-1")
                    .public_addresses
                    .insert("198.51.100.99".parse().unwrap());
            },
            &["NAT-REPLACED medium none nat-1"],
        ),
        (
            "near: a regional one grows",
            |good| gateway(good, "nat-1").nat.as_mut().unwrap().regional = true,
            |live| {
                gateway(live, "nat-1")
                    .public_addresses
                    .insert("198.51.100.99".parse().unwrap());
            },
            &[],
        ),
        (
            "peering deleted",
            nothing,
            |live| gateway(live, "pcx-1").state = Some("deleted".into()),
            &["PCX-GONE high cuts pcx-1"],
        ),
        (
            "DNS over the peering off",
            nothing,
            |live| {
                gateway(live, "pcx-1")
                    .peering
                    .as_mut()
                    .unwrap()
                    .accepter
                    .dns = Some(false)
            },
            &["PCX-DNS-OFF medium cuts pcx-1"],
        ),
        (
            "near: on",
            |good| {
                gateway(good, "pcx-1")
                    .peering
                    .as_mut()
                    .unwrap()
                    .accepter
                    .dns = Some(false)
            },
            |live| {
                gateway(live, "pcx-1")
                    .peering
                    .as_mut()
                    .unwrap()
                    .accepter
                    .dns = Some(true)
            },
            &[],
        ),
        (
            "near: no longer told",
            nothing,
            |live| {
                gateway(live, "pcx-1")
                    .peering
                    .as_mut()
                    .unwrap()
                    .accepter
                    .dns = None
            },
            &[],
        ),
        (
            "flow log deleted",
            nothing,
            |live| live.topology.flow_logs.clear(),
            &["FLOWLOG-MISSING medium none vpc-1"],
        ),
        (
            "near: there was none before",
            |good| good.topology.flow_logs.clear(),
            nothing,
            &[],
        ),
    ]);
}

#[test]
fn checks_of_interfaces() {
    fn flip(live: &mut Snapshot) {
        eni(live, "eni-web").source_dest_check = Some(false);
    }
    fn led(good: &mut Snapshot) {
        let target = RouteTarget::NetworkInterface("eni-web".into());
        table(good, MAIN)
            .routes
            .insert(to("10.77.0.0/16"), Route::created(target));
    }
    check(&[
        ("off", nothing, flip, &["ENI-SRCDST medium opens eni-web"]),
        (
            "off, a route leads to it",
            led,
            flip,
            &["ENI-SRCDST high opens eni-web"],
        ),
        (
            "on, a route leads to it",
            |good| {
                led(good);
                flip(good);
            },
            |live| eni(live, "eni-web").source_dest_check = Some(true),
            &["ENI-SRCDST high cuts eni-web"],
        ),
        (
            "near: not told",
            nothing,
            |live| eni(live, "eni-web").source_dest_check = None,
            &[],
        ),
    ]);
}

#[test]
fn access_by_membership() {
    fn clients(good: &mut Snapshot) {
        put_group(good, "sg-clients", &[]);
        put_group(good, "sg-db", &["ingress tcp:5432 sg-clients"]);
        add(
            good,
            interface("eni-db", "subnet-1", "10.0.1.30", &["sg-db"]),
        );
    }
    fn join(live: &mut Snapshot) {
        eni(live, "eni-web").groups.insert("sg-clients".into());
    }
    fn ssh(good: &mut Snapshot) {
        put_group(good, "sg-ssh", &["ingress tcp:22 0.0.0.0/0"]);
    }
    check(&[
        (
            "into a group that another lets in",
            clients,
            join,
            &["SG-MEMBER high opens eni-web"],
        ),
        (
            "out of it",
            |good| {
                clients(good);
                join(good);
            },
            |live| {
                eni(live, "eni-web").groups.remove(&"sg-clients".into());
            },
            &["SG-MEMBER high cuts eni-web"],
        ),
        (
            "into a world-open group, with a public address",
            |good| {
                ssh(good);
                eni(good, "eni-web")
                    .public_addresses
                    .insert("198.51.100.9".parse().unwrap());
            },
            |live| {
                eni(live, "eni-web").groups.insert("sg-ssh".into());
            },
            &["SG-MEMBER critical opens eni-web"],
        ),
        (
            "into it, without one",
            ssh,
            |live| {
                eni(live, "eni-web").groups.insert("sg-ssh".into());
            },
            &["SG-MEMBER high opens eni-web"],
        ),
        (
            "near: a group that moves no packet",
            |good| put_group(good, "sg-clients", &[]),
            join,
            &[],
        ),
        (
            "near: a new interface is a launch",
            clients,
            |live| {
                add(
                    live,
                    interface("eni-new", "subnet-1", "10.0.1.31", &["sg-clients"]),
                )
            },
            &[],
        ),
        (
            "a group that was not read",
            nothing,
            |live| {
                eni(live, "eni-web").groups.insert("sg-unread".into());
            },
            &["SG-MEMBER high none eni-web"],
        ),
    ]);
    let findings = told(clients, join);
    assert_eq!(
        findings[0].evidence,
        ["opened: at members of sg-db: ingress tcp 5432 from 10.0.2.10/32"]
    );
}

#[test]
fn edits_of_prefix_lists() {
    fn list(site: &mut Snapshot, name: Option<&str>, networks: &[&str]) {
        let list = PrefixList {
            id: "pl-1".into(),
            name: name.map(Into::into),
            version: Some(2),
            max_entries: Some(10),
            entries: Some(networks.iter().map(|net| net.parse().unwrap()).collect()),
        };
        site.topology.prefix_lists.insert("pl-1".into(), list);
    }
    fn office(good: &mut Snapshot) {
        list(good, None, &["203.0.113.0/24"]);
        rules(good, WEB).insert(rule("ingress tcp:22 pl-1"), detail(None));
    }
    check(&[
        (
            "wider",
            office,
            |live| list(live, None, &["203.0.113.0/24", "10.0.0.0/8"]),
            &["PL-OPEN high opens pl-1"],
        ),
        (
            "the whole internet",
            office,
            |live| list(live, None, &["0.0.0.0/1", "128.0.0.0/1"]),
            &[
                "SG-WORLD-SENSITIVE critical opens sg-web rule ingress tcp:22 pl-1",
                "PL-OPEN critical opens pl-1",
            ],
        ),
        (
            "narrower",
            office,
            |live| list(live, None, &["203.0.113.0/25"]),
            &["PL-OPEN high cuts pl-1"],
        ),
        (
            "by AWS itself",
            |good| {
                office(good);
                list(good, Some("com.amazonaws.eu-1.s3"), &["203.0.113.0/24"]);
            },
            |live| {
                list(
                    live,
                    Some("com.amazonaws.eu-1.s3"),
                    &["203.0.113.0/24", "198.51.100.0/24"],
                )
            },
            &["PL-OPEN info none pl-1"],
        ),
        (
            "near: nobody names it",
            |good| list(good, None, &["203.0.113.0/24"]),
            |live| list(live, None, &["0.0.0.0/0"]),
            &[],
        ),
        (
            "near: the same networks otherwise",
            office,
            |live| list(live, None, &["203.0.113.0/25", "203.0.113.128/25"]),
            &[],
        ),
        (
            "near: entries were not read before",
            |good| {
                office(good);
                good.topology
                    .prefix_lists
                    .get_mut(&"pl-1".into())
                    .unwrap()
                    .entries = None;
            },
            |live| list(live, None, &["0.0.0.0/0"]),
            &[],
        ),
        (
            "routes",
            |good| {
                list(good, None, &["10.60.0.0/16"]);
                let target = RouteTarget::VpcPeeringConnection("pcx-1".into());
                table(good, MAIN)
                    .routes
                    .insert(to("pl-1"), Route::created(target));
            },
            |live| list(live, None, &["10.60.0.0/16", "10.61.0.0/16"]),
            &["PL-OPEN high opens pl-1"],
        ),
    ]);
}

#[test]
fn what_surroundings_make_of_a_resource_that_did_not_change() {
    check(&[
        (
            "a subnet of another zone comes to the main table",
            |good| {
                let target = RouteTarget::NatGateway("nat-1".into());
                table(good, MAIN)
                    .routes
                    .insert(to("0.0.0.0/0"), Route::created(target));
                good.topology.subnets.remove(&"subnet-3".into());
            },
            |live| {
                let subnet = Subnet {
                    zone: Some("eu-1b".into()),
                    ..Subnet::new("subnet-3", "vpc-1")
                };
                live.topology.subnets.insert("subnet-3".into(), subnet);
            },
            &["NAT-CROSS-AZ medium none rtb-main route 0.0.0.0/0"],
        ),
        (
            "a group that a rule names is deleted",
            |good| {
                put_group(good, "sg-app", &[]);
                rules(good, WEB).insert(rule("ingress tcp:22 sg-app"), detail(None));
            },
            |live| {
                live.resources.remove(&"sg-app".parse().unwrap());
            },
            &["SG-REF-STALE medium none sg-web rule ingress tcp:22 sg-app"],
        ),
        // The difference of the table tells this.
        (
            "near: a blackhole of a route that the diff has",
            nothing,
            |live| {
                table(live, PRIVATE)
                    .routes
                    .get_mut(&to("10.50.0.0/16"))
                    .unwrap()
                    .blackhole = true;
            },
            &[],
        ),
    ]);
}

#[test]
fn who_depends_on_what_an_event_touches() {
    let mut good = site();
    let list = PrefixList {
        id: "pl-1".into(),
        name: None,
        version: Some(1),
        max_entries: None,
        entries: None,
    };
    good.topology.prefix_lists.insert("pl-1".into(), list);
    rules(&mut good, WEB).insert(rule("ingress tcp:22 pl-1"), detail(None));
    let of = |id: &str| dependents(&captured(&good), id);
    assert_eq!(
        of("nat-1"),
        ["rtb-private: route 0.0.0.0/0 to nat-1, used by subnet-1"]
    );
    assert_eq!(of("pl-1"), ["sg-web: rule ingress tcp:22 pl-1"]);
    assert_eq!(of("eni-web"), ["eni-web should carry sg-web"]);
    assert_eq!(of("fl-1"), ["fl-1 watches vpc-1"]);
    assert_eq!(of("nat-9"), [""; 0]);
}
