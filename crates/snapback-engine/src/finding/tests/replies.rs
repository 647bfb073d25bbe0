//! What an ACL as a whole stops that belongs to what it lets pass.

use super::site::{add, audited, interface, site};
use super::*;

/// The ACL of all subnets has these entries; findings of its audit that are about `code`.
fn of(code: FindingCode, prepare: impl Fn(&mut Snapshot), lines: &[(&str, &str)]) -> Vec<Finding> {
    let mut site = site();
    prepare(&mut site);
    acl(&mut site, ACL).entries = lines
        .iter()
        .map(|(number, text)| (key(number), entry(text)))
        .collect();
    let all = audit(&site, &HouseRules::default()).into_iter();
    all.filter(|finding| finding.code == code).collect()
}

fn severities(findings: &[Finding]) -> Vec<Severity> {
    findings.iter().map(|finding| finding.severity).collect()
}

const PING: [(&str, &str); 2] = [
    ("ingress 900", "allow icmp:all 0.0.0.0/0"),
    ("egress 900", "allow icmp:all 0.0.0.0/0"),
];

#[test]
fn replies_to_clients_must_go_out() {
    type Case = (&'static [(&'static str, &'static str)], &'static [Severity]);
    const WEB: (&str, &str) = ("ingress 100", "allow tcp:443 0.0.0.0/0");
    let cases: [Case; 6] = [
        // None, only what clients of one system use, all.
        (&[WEB], &[Severity::High]),
        (
            &[WEB, ("egress 100", "allow tcp:443 0.0.0.0/0")],
            &[Severity::High],
        ),
        (
            &[WEB, ("egress 100", "allow tcp:32768-60999 0.0.0.0/0")],
            &[Severity::Medium],
        ),
        (
            &[WEB, ("egress 100", "allow tcp:1024-65535 0.0.0.0/0")],
            &[],
        ),
        // Enough for the clients that may come in.
        (
            &[
                ("ingress 100", "allow tcp:443 10.0.0.0/8"),
                ("egress 100", "allow tcp:1024-65535 10.0.0.0/8"),
            ],
            &[],
        ),
        // What comes in for replies offers no service.
        (
            &[
                ("ingress 100", "allow tcp:1024-65535 0.0.0.0/0"),
                ("egress 100", "allow tcp:443 0.0.0.0/0"),
            ],
            &[],
        ),
    ];
    for (lines, expected) in cases {
        let found = of(FindingCode::NaclEphemeralOut, nothing, lines);
        assert_eq!(severities(&found), expected, "{lines:?}: {found:#?}");
    }
}

#[test]
fn the_share_of_each_range_is_told() {
    let found = of(
        FindingCode::NaclEphemeralOut,
        nothing,
        &[
            ("ingress 100", "allow tcp:443 0.0.0.0/0"),
            ("egress 100", "allow tcp:32768-60999 0.0.0.0/0"),
        ],
    );
    assert_eq!(
        found[0].evidence[0],
        "tcp: of the replies to or from 0.0.0.0/0 (anyone on the internet, IPv4) pass 43 % of 1024-65535 (NAT, ELB, \
         Lambda), 100 % of 32768-60999 (Linux), 72 % of 49152-65535 (Windows), 0 % of 1025-5000 (Windows 2003 and \
         older)"
    );
    assert!(
        found[0].evidence[1].contains("is dropped"),
        "{:?}",
        found[0]
    );
}

#[test]
fn only_what_groups_of_the_subnets_serve_is_a_request() {
    let lines = [
        ("ingress 100", "allow tcp:8080 0.0.0.0/0"),
        ("egress 100", "allow tcp:443 0.0.0.0/0"),
        ("ingress 110", "allow tcp:1024-65535 0.0.0.0/0"),
    ];
    // sg-web serves 443 and not 8080.
    assert_eq!(of(FindingCode::NaclEphemeralOut, nothing, &lines), []);
    let serving = |site: &mut Snapshot| {
        rules(site, WEB).insert(rule("ingress tcp:8080 0.0.0.0/0"), detail(None));
    };
    let found = of(FindingCode::NaclEphemeralOut, serving, &lines);
    assert_eq!(severities(&found), [Severity::High]);
}

#[test]
fn replies_to_what_goes_out_must_come_in_for_the_hosts_that_are_there() {
    let out = ("egress 100", "allow tcp:443 0.0.0.0/0");
    let back = |ports: &'static str| ("ingress 100", ports);
    let of = |prepare: fn(&mut Snapshot), line: (&'static str, &'static str)| {
        severities(&of(FindingCode::NaclEphemeralIn, prepare, &[out, line]))
    };
    let instances: fn(&mut Snapshot) = nothing;
    assert_eq!(of(instances, back("deny all 0.0.0.0/0")), [Severity::High]);
    assert_eq!(
        of(instances, back("allow tcp:49152-65535 0.0.0.0/0")),
        [Severity::Medium]
    );
    assert_eq!(of(instances, back("allow tcp:32768-65535 0.0.0.0/0")), []);
    // A NAT gateway chooses from more.
    for (kind, description) in [
        ("nat_gateway", "Interface for NAT Gateway nat-1"),
        ("interface", "ELB app/front/1"),
        ("lambda", "AWS Lambda VPC ENI-f"),
    ] {
        let found = super::replies::of(
            FindingCode::NaclEphemeralIn,
            |site: &mut Snapshot| {
                let mut one = interface("eni-nat", "subnet-2", "10.0.2.5", &[]);
                one.kind = Some(kind.into());
                one.description = Some(description.into());
                add(site, one);
            },
            &[out, back("allow tcp:32768-65535 0.0.0.0/0")],
        );
        assert_eq!(severities(&found), [Severity::High], "{kind}");
        assert!(
            found[0]
                .evidence
                .iter()
                .any(|line| line.contains("eni-nat"))
        );
    }
}

#[test]
fn an_acl_without_subnets_stops_nothing() {
    let mut site = site();
    acl(&mut site, OTHER_ACL).entries =
        [(key("ingress 100"), entry("allow tcp:443 0.0.0.0/0"))].into();
    assert_eq!(audited(&site), [""; 0]);
}

#[test]
fn path_mtu_discovery_needs_its_messages_both_ways() {
    let tcp = [
        ("ingress 100", "allow tcp:all 0.0.0.0/0"),
        ("egress 100", "allow tcp:all 0.0.0.0/0"),
    ];
    let of = |more: &[(&str, &str)]| {
        let lines: Vec<(&str, &str)> = tcp.iter().chain(more).copied().collect();
        severities(&of(FindingCode::NaclPmtud, nothing, &lines))
    };
    assert_eq!(of(&[]), [Severity::Medium]);
    assert_eq!(of(&PING[..1]), [Severity::Medium], "in and not out");
    assert_eq!(of(&PING), []);
    assert_eq!(
        of(&[
            ("ingress 901", "allow icmp:3/4 0.0.0.0/0"),
            ("egress 901", "allow icmp:3/4 0.0.0.0/0")
        ]),
        []
    );
}

#[test]
fn ipv6_that_a_changed_default_acl_denies_is_told() {
    let with = |cidr: &'static str, is_default: bool, line: Option<(&str, &str)>| {
        let mut site = site();
        let vpc = site.topology.vpcs.get_mut(&"vpc-1".into()).unwrap();
        vpc.cidrs.insert(cidr.parse().unwrap());
        acl(&mut site, ACL).is_default = is_default;
        if let Some((number, text)) = line {
            acl(&mut site, ACL).entries.insert(key(number), entry(text));
        }
        audited(&site)
    };
    assert_eq!(
        with("2001:db8::/56", true, None),
        ["NACL-DEFAULT-V6 medium cuts acl-1"]
    );
    assert_eq!(with("10.1.0.0/16", true, None), [""; 0]);
    assert_eq!(with("2001:db8::/56", false, None), [""; 0]);
    let some = with(
        "2001:db8::/56",
        true,
        Some(("ingress 101", "allow all ::/0")),
    );
    assert!(
        !some.iter().any(|line| line.starts_with("NACL-DEFAULT-V6")),
        "{some:?}"
    );
}

/// Two subnets with ACLs of their own, whose hosts talk by groups.
fn two_acls(site: &mut Snapshot, far: &[(&str, &str)]) {
    move_subnet(site, "subnet-1", Some(ACL), Some(OTHER_ACL));
    acl(site, OTHER_ACL).entries = far
        .iter()
        .map(|(number, text)| (key(number), entry(text)))
        .collect();
    for (id, peer) in [("sg-app", None), ("sg-db", Some("ingress tcp:5432 sg-app"))] {
        let rules: Vec<&str> = peer.into_iter().chain(["egress all 0.0.0.0/0"]).collect();
        let group = group(id, &rules);
        site.resources.insert(group.id(), group);
    }
    add(
        site,
        interface("eni-db", "subnet-1", "10.0.1.20", &["sg-db"]),
    );
    add(
        site,
        interface("eni-client", "subnet-2", "10.0.2.20", &["sg-app"]),
    );
}

#[test]
fn the_acl_of_the_other_subnet_must_have_the_counterpart() {
    let mirror = |far: &[(&str, &str)]| {
        let mut site = site();
        two_acls(&mut site, far);
        let all = audit(&site, &HouseRules::default()).into_iter();
        all.filter(|finding| finding.code == FindingCode::NaclMirror)
            .map(|finding| (finding.subject.to_string(), finding.evidence))
            .collect::<Vec<_>>()
    };
    let request = ("ingress 100", "allow tcp:5432 10.0.2.0/24");
    let reply = ("egress 100", "allow tcp:1024-65535 10.0.2.0/24");
    assert_eq!(mirror(&[request, reply]), []);
    assert_eq!(
        mirror(&[request]),
        [(
            OTHER_ACL.to_owned(),
            vec![
                "sg-app to sg-db tcp:5432: the reply may come in there and not leave here"
                    .to_owned()
            ]
        )]
    );
    assert_eq!(
        mirror(&[reply]),
        [(
            OTHER_ACL.to_owned(),
            vec![
                "sg-app to sg-db tcp:5432: the request may leave there and not come in here"
                    .to_owned()
            ]
        )]
    );
}

#[test]
fn an_entry_that_takes_the_way_of_replies_is_told_for_what_it_does() {
    let good = [
        ("ingress 100", "allow tcp:443 0.0.0.0/0"),
        ("ingress 110", "allow tcp:1024-65535 0.0.0.0/0"),
        ("egress 100", "allow tcp:443 0.0.0.0/0"),
        ("egress 110", "allow tcp:1024-65535 0.0.0.0/0"),
    ];
    let change = |line: (&'static str, Option<&'static str>)| {
        found(
            |account| {
                acl(account, ACL).entries = good
                    .iter()
                    .map(|(number, text)| (key(number), entry(text)))
                    .collect();
            },
            |live| match line {
                (number, Some(text)) => {
                    acl(live, ACL).entries.insert(key(number), entry(text));
                }
                (number, None) => {
                    acl(live, ACL).entries.remove(&key(number));
                }
            },
        )
    };
    assert_eq!(
        short(&change(("egress 110", None))),
        [
            "NACL-BOMB high cuts entry egress 110",
            "NACL-EPH-OUT high cuts entry egress 110"
        ]
    );
    assert_eq!(
        short(&change((
            "ingress 110",
            Some("allow tcp:1024-49151 0.0.0.0/0")
        ))),
        [
            "NACL-BOMB high cuts entry ingress 110",
            "NACL-EPH-IN medium cuts entry ingress 110"
        ]
    );
    // A new service whose replies cannot leave: told, no harm.
    assert_eq!(
        short(&change(("ingress 120", Some("allow udp:53 0.0.0.0/0")))),
        ["NACL-EPH-OUT high none entry ingress 120"]
    );
}

#[test]
fn dead_entries_are_named_with_what_comes_first() {
    let mut site = site();
    acl(&mut site, ACL).entries.extend([
        (key("ingress 50"), entry("deny tcp:22 0.0.0.0/0")),
        (key("ingress 60"), entry("allow tcp:22 10.0.0.0/8")),
        (key("ingress 70"), entry("deny tcp:22 10.0.0.0/8")),
        // Dead too, and only because an allow does the same.
        (key("ingress 120"), entry("allow tcp:443 0.0.0.0/0")),
    ]);
    acl(&mut site, ACL).entries.remove(&key("ingress 70"));
    acl(&mut site, ACL)
        .entries
        .insert(key("ingress 40"), entry("allow udp:53 0.0.0.0/0"));
    acl(&mut site, ACL)
        .entries
        .insert(key("ingress 110"), entry("allow udp:53 10.0.0.0/8"));
    let found = audit(&site, &HouseRules::default());
    let dead: Vec<(String, Vec<String>)> = found
        .into_iter()
        .filter(|finding| finding.code == FindingCode::NaclBomb)
        .map(|finding| (finding.element.to_string(), finding.evidence))
        .collect();
    assert_eq!(
        dead,
        [(
            "entry ingress 60".to_owned(),
            vec!["entry ingress 50 (deny tcp:22 0.0.0.0/0) comes first".to_owned()]
        )]
    );
}
