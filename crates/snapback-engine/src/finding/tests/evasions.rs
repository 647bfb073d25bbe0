//! The cases of peers.md section 4 that are about what a change does. Those about how it is put back
//! (quota, ids, order of calls, repeated or lost events) are with verdict, plan and flow.

use super::site::{add, eni, interface, told};
use super::*;

fn added(approved: &[&str], rules_added: &[&str]) -> Vec<String> {
    let with = |account: &mut Snapshot, texts: &[&str]| {
        rules(account, WEB).extend(texts.iter().map(|text| (rule(text), detail(None))));
    };
    short(&found(
        |good| with(good, approved),
        |live| with(live, rules_added),
    ))
}

#[test]
fn all_protocols_from_the_world() {
    assert_eq!(
        added(&[], &["ingress all 0.0.0.0/0"]),
        ["SG-WORLD-SENSITIVE critical opens rule ingress all 0.0.0.0/0"]
    );
}

#[test]
fn both_families_of_one_permission() {
    assert_eq!(
        added(&[], &["ingress tcp:22 0.0.0.0/0", "ingress tcp:22 ::/0"]),
        [
            "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0",
            "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 ::/0"
        ]
    );
}

#[test]
fn of_two_items_only_the_risky_one() {
    assert_eq!(
        added(
            &[],
            &["ingress tcp:22 0.0.0.0/0", "ingress tcp:443 10.0.0.0/8"]
        ),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0"]
    );
}

#[test]
fn a_port_inside_a_range() {
    for ports in ["tcp:0-65535", "tcp:20-25"] {
        let rule = format!("ingress {ports} 0.0.0.0/0");
        let found = added(&[], &[&rule]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("SG-WORLD-SENSITIVE critical"),
            "{found:?}"
        );
    }
}

#[test]
fn a_rule_widened_in_place() {
    let findings = found(
        |good| {
            rules(good, WEB).insert(rule("ingress tcp:22 203.0.113.7/32"), detail(None));
        },
        |live| {
            rules(live, WEB).remove(&rule("ingress tcp:22 203.0.113.7/32"));
            rules(live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
        },
    );
    assert!(
        short(&findings).contains(
            &"SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0".to_owned()
        ),
        "{findings:?}"
    );
}

#[test]
fn the_world_in_two_halves_or_by_a_prefix_list() {
    assert_eq!(
        added(
            &[],
            &["ingress tcp:22 0.0.0.0/1", "ingress tcp:22 128.0.0.0/1"]
        ),
        [
            "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/1",
            "SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 128.0.0.0/1"
        ]
    );
    let list = |site: &mut Snapshot, networks: &[&str]| {
        let list = PrefixList {
            id: "pl-1".into(),
            name: None,
            version: Some(1),
            max_entries: None,
            entries: Some(networks.iter().map(|net| net.parse().unwrap()).collect()),
        };
        site.topology.prefix_lists.insert("pl-1".into(), list);
    };
    let by_rule = found(
        |good| list(good, &["0.0.0.0/0"]),
        |live| {
            rules(live, WEB).insert(rule("ingress tcp:22 pl-1"), detail(None));
        },
    );
    assert_eq!(
        short(&by_rule),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 pl-1"]
    );
    // No rule changes: the list does.
    let by_list = told(
        |good| {
            list(good, &["203.0.113.0/24"]);
            rules(good, WEB).insert(rule("ingress tcp:22 pl-1"), detail(None));
        },
        |live| list(live, &["0.0.0.0/0"]),
    );
    assert!(by_list.iter().any(|finding| {
        finding.code == FindingCode::PlOpen && finding.severity == Severity::Critical
    }));
}

#[test]
fn a_legitimate_group_reference_beside_the_harm_is_untouched() {
    assert_eq!(
        added(&["ingress all sg-web"], &["ingress tcp:22 0.0.0.0/0"]),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0"]
    );
}

#[test]
fn a_narrow_source_beside_the_world_is_untouched() {
    assert_eq!(
        added(
            &[],
            &["ingress tcp:22 0.0.0.0/0", "ingress tcp:22 10.0.0.0/8"]
        ),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:22 0.0.0.0/0"]
    );
}

#[test]
fn an_ipv6_entry_of_an_acl() {
    let findings = found(nothing, |live| {
        acl(live, ACL)
            .entries
            .insert(key("ingress 90"), entry("allow tcp:22 ::/0"));
    });
    assert!(short(&findings).contains(&"NACL-OPEN medium opens entry ingress 90".to_owned()));
}

#[test]
fn a_rule_that_differs_by_its_description_only() {
    let findings = found(nothing, |live| {
        rules(live, WEB).insert(
            rule("ingress tcp:443 0.0.0.0/0"),
            detail(Some("other words")),
        );
    });
    assert_eq!(short(&findings), [""; 0]);
}

#[test]
fn what_was_open_already_and_is_made_worse() {
    let findings = found(
        |good| {
            rules(good, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
        },
        |live| {
            rules(live, WEB).insert(rule("ingress tcp:3389 0.0.0.0/0"), detail(None));
        },
    );
    assert_eq!(
        short(&findings),
        ["SG-WORLD-SENSITIVE critical opens rule ingress tcp:3389 0.0.0.0/0"]
    );
    assert_eq!(findings[0].since, Since::Worse);
}

#[test]
fn a_group_that_others_name_is_deleted() {
    let named = |good: &mut Snapshot| {
        let db = group("sg-db", &["ingress tcp:5432 sg-app"]);
        let app = group("sg-app", &[]);
        good.resources.insert(db.id(), db);
        good.resources.insert(app.id(), app);
    };
    let gone = |live: &mut Snapshot| {
        live.resources.remove(&"sg-app".parse().unwrap());
    };
    assert_eq!(short(&found(named, gone)), ["DELETED high cuts existence"]);
    let referrer = told(named, gone);
    assert!(
        referrer
            .iter()
            .any(|finding| finding.code == FindingCode::SgRefStale
                && finding.subject == ResourceId::from(SecurityGroupId::from("sg-db")))
    );
}

#[test]
fn another_nat_gateway_on_the_default_route() {
    let findings = found(nothing, |live| {
        let target = RouteTarget::NatGateway("nat-2".into());
        table(live, PRIVATE)
            .routes
            .insert(to("0.0.0.0/0"), Route::created(target));
    });
    assert_eq!(short(&findings), ["NAT-REPLACED high cuts route 0.0.0.0/0"]);
}

/// No rule changes at all: a group is moved onto an interface (peers.md row 35).
#[test]
fn a_group_moved_onto_an_interface() {
    let findings = told(
        |good| {
            let ssh = group("sg-ssh", &["ingress tcp:22 0.0.0.0/0"]);
            good.resources.insert(ssh.id(), ssh);
            let mut host = interface("eni-host", "subnet-2", "10.0.2.40", &[]);
            host.public_addresses
                .insert("198.51.100.40".parse().unwrap());
            add(good, host);
        },
        |live| {
            eni(live, "eni-host").groups.insert("sg-ssh".into());
        },
    );
    assert_eq!(findings[0].code, FindingCode::SgMember);
    assert_eq!(findings[0].severity, Severity::Critical);
}
