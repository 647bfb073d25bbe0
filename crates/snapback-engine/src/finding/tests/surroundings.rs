//! One state: what its groups, tables, gateways, logs and tags tell.

use super::site::*;
use super::*;

type Row = (&'static str, fn(&mut Snapshot), &'static [&'static str]);

fn check(rows: &[Row]) {
    for (name, prepare, expected) in rows {
        let mut site = site();
        prepare(&mut site);
        assert_eq!(audited(&site), *expected, "{name}");
    }
}

fn with_group(site: &mut Snapshot, id: &str, rules: &[&str]) {
    let group = group(id, rules);
    site.resources.insert(group.id(), group);
}

#[test]
fn redundant_rules_are_overlaps_and_no_duplicates() {
    check(&[
        (
            "one within another",
            |site| {
                with_group(
                    site,
                    "sg-1",
                    &["ingress tcp:22 10.0.0.0/8", "ingress tcp:22 10.1.0.0/16"],
                )
            },
            &["SG-OVERLAP info none sg-1 rule ingress tcp:22 10.1.0.0/16"],
        ),
        (
            "several together",
            |site| {
                with_group(
                    site,
                    "sg-1",
                    &[
                        "ingress tcp:22 10.0.0.0/9",
                        "ingress tcp:22 10.128.0.0/9",
                        "ingress tcp:20-30 10.0.0.0/8",
                    ],
                );
            },
            &[
                "SG-OVERLAP info none sg-1 rule ingress tcp:22 10.0.0.0/9",
                "SG-OVERLAP info none sg-1 rule ingress tcp:22 10.128.0.0/9",
            ],
        ),
        (
            "near: another port, direction, family, half of it",
            |site| {
                with_group(
                    site,
                    "sg-1",
                    &[
                        "ingress tcp:22 10.0.0.0/8",
                        "ingress tcp:23 10.1.0.0/16",
                        "egress tcp:22 10.1.0.0/16",
                        "ingress tcp:22 fd00::/8",
                        "ingress tcp:22-24 10.2.0.0/16",
                    ],
                );
            },
            &[],
        ),
    ]);
    let mut site = site();
    with_group(
        &mut site,
        "sg-1",
        &["ingress tcp:22 10.0.0.0/8", "ingress tcp:22 10.1.0.0/16"],
    );
    let found = audit(&site, &HouseRules::default());
    let overlap = found
        .iter()
        .find(|finding| finding.code == FindingCode::SgOverlap)
        .unwrap();
    assert!(
        overlap.advice.contains("AWS refuses exact duplicates"),
        "{}",
        overlap.advice
    );
    assert_eq!(
        overlap.evidence,
        ["`ingress tcp:22 10.0.0.0/8` allows all or part of it"]
    );
}

#[test]
fn references_that_match_nothing_are_stale() {
    check(&[
        (
            "the group is gone",
            |site| with_group(site, "sg-1", &["ingress tcp:22 sg-gone"]),
            &["SG-REF-STALE medium none sg-1 rule ingress tcp:22 sg-gone"],
        ),
        (
            "EC2 says so",
            |site| {
                with_group(site, "sg-1", &["ingress tcp:22 sg-web"]);
                let stale = [(SecurityGroupId::from("sg-1"), [WEB.into()].into())];
                site.topology.stale_references = stale.into();
            },
            &["SG-REF-STALE medium none sg-1 rule ingress tcp:22 sg-web"],
        ),
        (
            "near: it is there",
            |site| with_group(site, "sg-1", &["ingress tcp:22 sg-web"]),
            &[],
        ),
        (
            "near: not all groups were read",
            |site| {
                with_group(site, "sg-1", &["ingress tcp:22 sg-gone"]);
                site.coverage.remove(&Coverage::Kind(Kind::SecurityGroup));
            },
            &[],
        ),
        (
            "another account's is trusted, not stale",
            |site| with_group(site, "sg-1", &["ingress tcp:22 sg-far@999988887777"]),
            &["SG-XACCT-REF medium opens sg-1 rule ingress tcp:22 sg-far@999988887777"],
        ),
    ]);
}

#[test]
fn the_default_group_should_be_empty() {
    check(&[
        (
            "with rules",
            |site| {
                with_group(site, "sg-1", &["egress all 0.0.0.0/0"]);
                name(site, "sg-1", "default");
            },
            &["SG-DEFAULT-USE medium none sg-1"],
        ),
        (
            "near: empty",
            |site| {
                with_group(site, "sg-1", &[]);
                name(site, "sg-1", "default");
            },
            &[],
        ),
        (
            "near: another name",
            |site| {
                with_group(site, "sg-1", &["egress all 0.0.0.0/0"]);
                name(site, "sg-1", "default-web");
            },
            &[],
        ),
    ]);
}

fn name(site: &mut Snapshot, id: &str, name: &str) {
    match site.resources.get_mut(&id.parse().unwrap()) {
        Some(Resource::SecurityGroup(group)) => group.name = Some(name.into()),
        other => panic!("{other:?}"),
    }
}

fn lead(site: &mut Snapshot, id: &str, destination: &str, target: RouteTarget) {
    table(site, id)
        .routes
        .insert(to(destination), Route::created(target));
}

#[test]
fn routes_to_what_is_gone() {
    check(&[
        (
            "NAT deleted",
            |site| gateway(site, "nat-1").state = Some("deleted".into()),
            &["NAT-DELETED critical cuts nat-1"],
        ),
        (
            "NAT no longer listed",
            |site| {
                site.topology.gateways.remove("nat-1");
            },
            &["NAT-DELETED critical cuts nat-1"],
        ),
        (
            "near: NAT gateways were not read",
            |site| {
                site.topology.gateways.remove("nat-1");
                site.topology.read.remove(&ContextKind::NatGateways);
            },
            &[],
        ),
        (
            "near: no subnet uses the table: dormant",
            |site| {
                site.topology.gateways.remove("nat-1");
                move_subnet(site, "subnet-1", Some(PRIVATE), None);
            },
            &["NAT-DELETED high cuts nat-1"],
        ),
        (
            "near: another account's VPC shows no gateways",
            |site| {
                site.topology.gateways.remove("nat-1");
                site.topology.vpcs.get_mut(&"vpc-1".into()).unwrap().owner =
                    Some("999988887777".into());
            },
            &[],
        ),
        (
            "internet gateway detached",
            |site| {
                lead(
                    site,
                    MAIN,
                    "0.0.0.0/0",
                    RouteTarget::InternetGateway("igw-1".into()),
                );
                gateway(site, "igw-1").vpcs.clear();
            },
            &["IGW-DETACH critical cuts igw-1"],
        ),
        (
            "near: attached",
            |site| {
                lead(
                    site,
                    MAIN,
                    "0.0.0.0/0",
                    RouteTarget::InternetGateway("igw-1".into()),
                )
            },
            &[],
        ),
        (
            "near: detached, and no route leads to it",
            |site| gateway(site, "igw-1").vpcs.clear(),
            &[],
        ),
        (
            "peering rejected",
            |site| gateway(site, "pcx-1").state = Some("rejected".into()),
            &["PCX-GONE high cuts pcx-1"],
        ),
        (
            "appliance gone",
            |site| {
                lead(
                    site,
                    MAIN,
                    "10.77.0.0/16",
                    RouteTarget::NetworkInterface("eni-gone".into()),
                )
            },
            &["RT-BLACKHOLE high cuts rtb-main route 10.77.0.0/16"],
        ),
        (
            "near: the appliance is there",
            |site| {
                lead(
                    site,
                    MAIN,
                    "10.77.0.0/16",
                    RouteTarget::NetworkInterface("eni-web".into()),
                )
            },
            &[],
        ),
        (
            "VPN gateway detached",
            |site| gateway(site, "vgw-1").vpcs.clear(),
            &["RT-BLACKHOLE high cuts rtb-private route 172.16.0.0/12"],
        ),
        (
            "traffic of a subnet led to an appliance",
            |site| {
                lead(
                    site,
                    MAIN,
                    "10.0.3.0/24",
                    RouteTarget::NetworkInterface("eni-web".into()),
                )
            },
            &["RT-LOCAL-REPLACED high cuts rtb-main route 10.0.3.0/24"],
        ),
    ]);
}

#[test]
fn nat_gateways_across_zones_and_for_nothing() {
    check(&[
        (
            "another zone",
            |site| move_subnet(site, "subnet-3", None, Some(PRIVATE)),
            &["NAT-CROSS-AZ medium none rtb-private route 0.0.0.0/0"],
        ),
        (
            "near: regional",
            |site| {
                move_subnet(site, "subnet-3", None, Some(PRIVATE));
                let nat = gateway(site, "nat-1").nat.as_mut().unwrap();
                (nat.regional, nat.zone) = (true, None);
            },
            &[],
        ),
        (
            "idle",
            |site| put(site, nat("nat-2", "subnet-3", "eu-1b", "198.51.100.8")),
            &["NAT-IDLE low none nat-2"],
        ),
        (
            "idle, and ours",
            |site| {
                put(site, nat("nat-2", "subnet-3", "eu-1b", "198.51.100.8"));
                let marks = [(SUCCESSOR_OF, "nat-1"), (INCIDENT, "inc-1")];
                let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
                gateway(site, "nat-2").tags = marks.into();
            },
            &["NAT-IDLE medium none nat-2"],
        ),
        (
            "near: pending",
            |site| {
                put(site, nat("nat-2", "subnet-3", "eu-1b", "198.51.100.8"));
                gateway(site, "nat-2").state = Some("pending".into());
            },
            &[],
        ),
        (
            "near: tables were not all read",
            |site| {
                put(site, nat("nat-2", "subnet-3", "eu-1b", "198.51.100.8"));
                site.coverage.remove(&Coverage::Kind(Kind::RouteTable));
            },
            &[],
        ),
    ]);
}

#[test]
fn two_peers_with_one_network() {
    let second = |site: &mut Snapshot, cidr: &str| {
        put(site, peering("pcx-2", "vpc-8", cidr));
        let target = RouteTarget::VpcPeeringConnection("pcx-2".into());
        table(site, MAIN)
            .routes
            .insert(to(cidr), Route::created(target));
    };
    let mut site = site();
    second(&mut site, "10.50.0.0/16");
    assert_eq!(
        audited(&site),
        [
            "RT-PEER-OVERLAP medium none rtb-main route 10.50.0.0/16",
            "RT-PEER-OVERLAP medium none rtb-private route 10.50.0.0/16"
        ]
    );
    let mut apart = super::site::site();
    second(&mut apart, "10.51.0.0/16");
    assert_eq!(audited(&apart), [""; 0]);
    // Longer prefixes tell the two apart.
    let mut longer = super::site::site();
    put(&mut longer, peering("pcx-2", "vpc-8", "10.50.7.0/24"));
    lead(
        &mut longer,
        PRIVATE,
        "10.50.7.0/24",
        RouteTarget::VpcPeeringConnection("pcx-2".into()),
    );
    assert_eq!(audited(&longer), [""; 0]);
}

#[test]
fn a_vpc_that_no_log_watches() {
    check(&[
        (
            "no log",
            |site| site.topology.flow_logs.clear(),
            &["FLOWLOG-MISSING medium none vpc-1"],
        ),
        (
            "not active",
            |site| site.topology.flow_logs.get_mut("fl-1").unwrap().active = false,
            &["FLOWLOG-MISSING medium none vpc-1"],
        ),
        (
            "one subnet only",
            |site| site.topology.flow_logs.get_mut("fl-1").unwrap().resource = "subnet-1".into(),
            &["FLOWLOG-MISSING medium none vpc-1"],
        ),
        (
            "near: every subnet",
            |site| {
                let log = site.topology.flow_logs["fl-1"].clone();
                site.topology.flow_logs = ["subnet-1", "subnet-2", "subnet-3"]
                    .into_iter()
                    .map(|id| {
                        (
                            id.to_owned(),
                            FlowLog {
                                resource: id.into(),
                                ..log.clone()
                            },
                        )
                    })
                    .collect();
            },
            &[],
        ),
        (
            "near: logs were not read",
            |site| {
                site.topology.flow_logs.clear();
                site.topology.read.remove(&ContextKind::FlowLogs);
            },
            &[],
        ),
    ]);
}

#[test]
fn tags_that_house_policy_asks_for() {
    let house = |keys: &[&str]| HouseRules {
        required_tags: keys.iter().map(|key| (*key).to_owned()).collect(),
        now: Some("2026-03-01T12:00:00Z".parse().unwrap()),
    };
    let of = |value: Option<&str>, house: &HouseRules| -> Vec<String> {
        let mut site = site();
        let tags = &mut acl(&mut site, OTHER_ACL).tags;
        tags.extend(value.map(|value| ("Expiry".to_owned(), value.to_owned())));
        let all = audit(&site, house).into_iter();
        all.filter(|finding| finding.subject.as_str() == OTHER_ACL)
            .map(|finding| format!("{} {} {}", finding.code, finding.element, finding.meaning))
            .collect()
    };
    let expiry = house(&["Expiry"]);
    assert_eq!(
        of(None, &expiry),
        ["TAG-MISSING tag Expiry the tag Expiry, which house policy asks for, is not there"]
    );
    assert!(of(Some("  "), &expiry)[0].contains("is not there"));
    assert!(of(Some("2026-02-28"), &expiry)[0].contains("it has expired"));
    assert!(of(Some("2026-03-01T11:59:59Z"), &expiry)[0].contains("it has expired"));
    assert!(of(Some("soon"), &expiry)[0].contains("is no day"));
    for fine in ["2026-03-01", "2026/12/31", "never", "2026-03-01T12:00:00Z"] {
        assert_eq!(of(Some(fine), &expiry), [""; 0], "{fine}");
    }
    assert_eq!(
        of(None, &HouseRules::default()),
        [""; 0],
        "off unless asked for"
    );
    assert_eq!(of(Some("2020-01-01"), &house(&[])), [""; 0]);
}

#[test]
fn bgp_gets_advice_where_a_vpn_gateway_is_seen() {
    let codes = |site: &Snapshot| {
        let all = audit(site, &HouseRules::default()).into_iter();
        all.filter(|finding| finding.code == FindingCode::DxBgp)
            .map(|finding| (finding.severity, finding.subject.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&site()), [(Severity::Info, "vgw-1".to_owned())]);
    let mut without = site();
    without.topology.gateways.remove("vgw-1");
    assert_eq!(codes(&without), []);
}
