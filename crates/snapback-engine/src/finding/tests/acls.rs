use super::*;

/// An entry by its key (`ingress 100`) and content (`allow tcp:443 0.0.0.0/0`).
type Line = (&'static str, &'static str);

/// Live differs from a good ACL of these entries by these: `None` takes one away.
fn listed(good: &[Line], changes: &[(&str, Option<&str>)]) -> Vec<Finding> {
    found(
        |account| {
            // Replies pass: what this is about are the entries of requests.
            let out = [
                ("egress 1", "allow tcp:1024-65535 0.0.0.0/0"),
                ("egress 2", "allow tcp:1024-65535 ::/0"),
                ("egress 3", "allow udp:1024-65535 0.0.0.0/0"),
            ];
            acl(account, ACL).entries = good
                .iter()
                .chain(&out)
                .map(|(number, text)| (key(number), entry(text)))
                .collect();
        },
        |live| {
            for (number, content) in changes {
                match content {
                    Some(text) => acl(live, ACL).entries.insert(key(number), entry(text)),
                    None => acl(live, ACL).entries.remove(&key(number)),
                };
            }
        },
    )
}

const WEB_AND_REST: &[Line] = &[
    ("ingress 50", "deny all 192.0.2.0/24"),
    ("ingress 100", "allow tcp:443 0.0.0.0/0"),
    ("ingress 110", "allow tcp:1024-65535 0.0.0.0/0"),
    ("ingress 200", "deny all 0.0.0.0/0"),
];

#[test]
fn a_deny_before_an_approved_allow_is_a_bomb_and_names_what_it_shadows() {
    let findings = listed(
        WEB_AND_REST,
        &[("ingress 60", Some("deny tcp:443 0.0.0.0/0"))],
    );
    assert_eq!(short(&findings), ["NACL-BOMB high cuts entry ingress 60"]);
    assert_eq!(
        findings[0].evidence,
        [
            "ingress tcp 443 from 0.0.0.0/0 except 192.0.2.0/24 (anyone on the internet, IPv4)",
            "entry ingress 100 (allow tcp:443 0.0.0.0/0) no longer decides anything"
        ]
    );
    let part = listed(WEB_AND_REST, &[("ingress 60", Some("deny all 10.0.0.0/8"))]);
    assert_eq!(short(&part), ["NACL-BOMB high cuts entry ingress 60"]);
    assert!(part[0].evidence.contains(
        &"entry ingress 110 (allow tcp:1024-65535 0.0.0.0/0) decides less than before".to_owned()
    ));
    let total = listed(WEB_AND_REST, &[("ingress 1", Some("deny all 0.0.0.0/0"))]);
    assert_eq!(short(&total), ["NACL-BOMB critical cuts entry ingress 1"]);
}

/// Found by `laws::what_is_gone_is_harm_or_proved_idle`.
#[test]
fn a_deny_of_everything_that_is_gone_opens_where_an_allow_came_behind_it() {
    let closed = [("ingress 1", "deny all ::/0")];
    let behind = ("ingress 5", Some("allow tcp:443 2001:db8::/32"));
    assert_eq!(
        short(&listed(&closed, &[("ingress 1", None), behind])),
        ["NACL-OPEN medium opens entry ingress 1"]
    );
    assert_eq!(
        short(&listed(&closed, &[("ingress 1", None)])),
        ["NACL-OPEN low none entry ingress 1"]
    );
}

#[test]
fn a_deny_that_shadows_nothing_harms_nobody() {
    assert_eq!(
        short(&listed(
            WEB_AND_REST,
            &[("ingress 150", Some("deny tcp:443 10.0.0.0/8"))]
        )),
        [""; 0]
    );
    assert_eq!(
        short(&listed(
            WEB_AND_REST,
            &[("ingress 10", Some("deny udp:53 0.0.0.0/0"))]
        )),
        [""; 0]
    );
    assert_eq!(
        short(&listed(
            WEB_AND_REST,
            &[("ingress 60", Some("deny tcp:443 2001:db8::/32"))]
        )),
        [""; 0]
    );
}

#[test]
fn each_of_two_denies_is_blamed_though_one_hides_the_other() {
    let findings = listed(
        WEB_AND_REST,
        &[
            ("ingress 60", Some("deny tcp:443 0.0.0.0/0")),
            ("ingress 61", Some("deny tcp:443 0.0.0.0/0")),
        ],
    );
    assert_eq!(
        short(&findings),
        [
            "NACL-BOMB high cuts entry ingress 60",
            "NACL-BOMB high cuts entry ingress 61"
        ]
    );
}

#[test]
fn an_approved_allow_that_is_gone_is_a_bomb_unless_others_do_what_it_did() {
    assert_eq!(
        short(&listed(WEB_AND_REST, &[("ingress 100", None)])),
        ["NACL-BOMB high cuts entry ingress 100"]
    );
    // Moved to another number by a stranger: the approved one is gone all the same.
    let moved = listed(
        WEB_AND_REST,
        &[
            ("ingress 100", None),
            ("ingress 105", Some("allow tcp:443 0.0.0.0/0")),
        ],
    );
    assert_eq!(short(&moved), ["NACL-BOMB high cuts entry ingress 100"]);
    let doubled = &[
        ("ingress 100", "allow tcp:443 0.0.0.0/0"),
        ("ingress 101", "allow tcp:443 10.0.0.0/8"),
    ];
    assert_eq!(
        short(&listed(doubled, &[("ingress 101", None)])),
        ["NACL-BOMB low none entry ingress 101"]
    );
}

#[test]
fn what_an_approved_deny_keeps_out_must_stay_out() {
    assert_eq!(
        short(&listed(WEB_AND_REST, &[("ingress 50", None)])),
        ["NACL-OPEN high opens entry ingress 50"]
    );
    assert_eq!(
        short(&listed(
            WEB_AND_REST,
            &[("ingress 40", Some("allow tcp:22 192.0.2.0/28"))]
        )),
        ["NACL-OPEN high opens entry ingress 40"],
        "even what no later allow would let pass"
    );
    assert_eq!(
        short(&listed(
            WEB_AND_REST,
            &[("ingress 50", Some("deny all 192.0.2.0/25"))]
        )),
        ["NACL-OPEN high opens entry ingress 50"]
    );
    // The deny-all at the end does what the end does: it goes without effect, and allows before it are allows.
    assert_eq!(
        short(&listed(WEB_AND_REST, &[("ingress 200", None)])),
        ["NACL-OPEN low none entry ingress 200"]
    );
    assert_eq!(
        short(&listed(
            WEB_AND_REST,
            &[("ingress 150", Some("allow tcp:22 10.9.0.0/16"))]
        )),
        [""; 0]
    );
}

#[test]
fn an_admin_port_of_the_world_is_told() {
    let opened = |changes: &[(&str, Option<&str>)]| short(&listed(WEB_AND_REST, changes));
    assert_eq!(
        opened(&[("ingress 150", Some("allow tcp:22 ::/0"))]),
        ["NACL-OPEN medium opens entry ingress 150"]
    );
    // The approved deny of 192.0.2.0/24 keeps no host of the internet out.
    assert_eq!(
        opened(&[
            ("ingress 150", Some("allow tcp:20-30 0.0.0.0/1")),
            ("ingress 151", Some("allow tcp:22 128.0.0.0/1"))
        ]),
        [
            "NACL-OPEN medium opens entry ingress 150",
            "NACL-OPEN medium opens entry ingress 151"
        ]
    );
    assert_eq!(
        opened(&[("ingress 150", Some("allow tcp:20-30 0.0.0.0/1"))]),
        [""; 0]
    );
    assert_eq!(
        opened(&[("ingress 150", Some("allow tcp:23 0.0.0.0/0"))]),
        [""; 0]
    );
}

#[test]
fn an_entry_that_was_changed_in_place_is_judged_by_what_it_does() {
    let findings = |text| short(&listed(WEB_AND_REST, &[("ingress 100", Some(text))]));
    assert_eq!(
        findings("deny tcp:443 0.0.0.0/0"),
        ["NACL-BOMB high cuts entry ingress 100"]
    );
    assert_eq!(
        findings("allow tcp:443 10.0.0.0/8"),
        ["NACL-BOMB high cuts entry ingress 100"]
    );
    assert_eq!(
        findings("allow tcp:400-500 0.0.0.0/0"),
        ["NACL-OPEN medium opens entry ingress 100"]
    );
    assert_eq!(
        findings("allow tcp:444 0.0.0.0/0"),
        [
            "NACL-BOMB high cuts entry ingress 100",
            "NACL-OPEN medium opens entry ingress 100"
        ]
    );
}

#[test]
fn a_deleted_acl_weighs_by_the_subnets_it_guarded() {
    let unused = found(nothing, |live| {
        live.resources.remove(&OTHER_ACL.parse().unwrap());
    });
    assert_eq!(short(&unused), ["NACL-DELETED low none existence"]);
    let used = found(
        |good| move_subnet(good, "subnet-2", Some(ACL), Some(OTHER_ACL)),
        |live| {
            live.resources.remove(&OTHER_ACL.parse().unwrap());
            acl(live, ACL).subnets.insert("subnet-2".into());
        },
    );
    assert_eq!(short(&used), ["NACL-DELETED high cuts existence"]);
}

#[test]
fn an_audit_tells_admin_ports_of_an_acl_that_filters() {
    let mut live = account();
    acl(&mut live, ACL).entries = [(key("ingress 100"), entry("allow tcp:22 0.0.0.0/0"))].into();
    assert_eq!(
        short(&dangers(&live)),
        ["NACL-OPEN medium opens entry ingress 100"]
    );
    acl(&mut live, ACL).entries = [(key("ingress 100"), entry("allow tcp:22 10.0.0.0/8"))].into();
    assert_eq!(short(&dangers(&live)), [""; 0]);
}
