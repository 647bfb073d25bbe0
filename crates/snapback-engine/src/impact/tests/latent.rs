//! What becomes of connections (semantics A2).

use super::*;

fn latent(prepare: impl Fn(&mut Snapshot), change: impl Fn(&mut Snapshot)) -> Vec<Latent> {
    let prepare = |good: &mut Snapshot| {
        carry(good, "eni-1", "subnet-1", &[WEB], false);
        prepare(good);
    };
    of(WEB, prepare, change).impact.latent
}

fn fates(latent: &[Latent]) -> Vec<(Turn, &str, &Dies)> {
    latent
        .iter()
        .map(|latent| (latent.of, latent.what.as_str(), &latent.when))
        .collect()
}

fn open(text: &'static str) -> impl Fn(&mut Snapshot) {
    move |live| {
        rules(live, WEB).insert(rule(text), detail(None));
    }
}

fn close(text: &'static str) -> impl Fn(&mut Snapshot) {
    move |live| {
        rules(live, WEB).remove(&rule(text));
    }
}

const EGRESS: &str = "egress all 0.0.0.0/0";

#[test]
fn a_world_rule_answered_by_everything_is_untracked_and_ends_at_once() {
    let cut = latent(nothing, close("ingress tcp:443 0.0.0.0/0"));
    assert_eq!(fates(&cut), [(Turn::Closed, "ingress tcp 443", &Dies::Now)]);
    assert!(
        cut[0]
            .words()
            .contains("ended at once: they are not tracked")
    );
    let opened = latent(nothing, open("ingress tcp:22 0.0.0.0/0"));
    assert_eq!(
        fates(&opened),
        [(Turn::Opened, "ingress tcp 22", &Dies::Now)]
    );
    assert_eq!(opened[0].evicts, None);
}

#[test]
fn tracked_sessions_survive_the_revert_and_what_ends_them_is_named() {
    let tcp = Dies::AtIdleTimeout(vec![Idle::Tcp]);
    for text in ["ingress tcp:22 198.51.0.0/16", "ingress tcp:22 10.0.0.0/8"] {
        let opened = latent(
            |good| {
                online(good, PRIVATE);
                let eni = good.topology.interfaces.get_mut(&"eni-1".into()).unwrap();
                eni.public_addresses = ["203.0.113.9".parse().unwrap()].into();
            },
            open(text),
        );
        assert_eq!(fates(&opened), [(Turn::Opened, "ingress tcp 22", &tcp)]);
        let evicts = opened[0].evicts.as_ref().unwrap();
        assert!(
            evicts.contains(ACL) && evicts.contains("isolate"),
            "{evicts}"
        );
        let words = opened[0].words();
        assert!(
            words.contains("432000 s (5 days; 350 s on Nitro v6)"),
            "{words}"
        );
    }
    // No egress to the world: the same rule is tracked.
    let closed_out = latent(close(EGRESS), open("ingress tcp:22 0.0.0.0/0"));
    assert_eq!(fates(&closed_out), [(Turn::Opened, "ingress tcp 22", &tcp)]);
}

#[test]
fn icmp_is_always_tracked_and_so_is_what_nlb_and_lambda_carry() {
    let icmp = latent(nothing, open("ingress icmp:8/0 0.0.0.0/0"));
    assert_eq!(icmp[0].when, Dies::AtIdleTimeout(vec![Idle::Other]));
    let udp = latent(nothing, open("ingress udp:53 10.0.0.0/8"));
    assert_eq!(udp[0].when, Dies::AtIdleTimeout(vec![Idle::Udp]));
    let lambda = latent(
        |good| {
            let eni = good.topology.interfaces.get_mut(&"eni-1".into()).unwrap();
            eni.kind = Some("lambda".into());
        },
        close("ingress tcp:443 0.0.0.0/0"),
    );
    assert_eq!(lambda[0].when, Dies::AtIdleTimeout(vec![Idle::Tcp]));
}

#[test]
fn the_union_of_a_carriers_groups_decides_about_tracking() {
    // The web group alone has no egress; another group of the interface has it all.
    let cut = latent(
        |good| {
            close(EGRESS)(good);
            let out = group("sg-out", &[EGRESS]);
            good.resources.insert("sg-out".parse().unwrap(), out);
            let eni = good.topology.interfaces.get_mut(&"eni-1".into()).unwrap();
            eni.groups.insert("sg-out".into());
        },
        close("ingress tcp:443 0.0.0.0/0"),
    );
    assert_eq!(cut[0].when, Dies::Now);
}

#[test]
fn what_another_group_still_allows_goes_on() {
    let cut = latent(
        |good| {
            let same = group("sg-same", &["ingress tcp:443 0.0.0.0/0", EGRESS]);
            good.resources.insert("sg-same".parse().unwrap(), same);
            let eni = good.topology.interfaces.get_mut(&"eni-1".into()).unwrap();
            eni.groups.insert("sg-same".into());
        },
        close("ingress tcp:443 0.0.0.0/0"),
    );
    assert_eq!(
        fates(&cut),
        [(Turn::Closed, "ingress tcp 443", &Dies::NotAtAll)]
    );
}

#[test]
fn without_egress_untracked_inbound_flows_lose_their_answers() {
    let cut = latent(nothing, close(EGRESS));
    let answered: Vec<&Latent> = cut
        .iter()
        .filter(|latent| latent.what == "ingress tcp 443")
        .collect();
    assert_eq!(answered.len(), 1, "{cut:?}");
    assert_eq!(answered[0].when, Dies::Now);
    assert!(answered[0].why.contains("answers"), "{}", answered[0].why);
    // The outbound connections themselves were tracked: ingress does not allow everything.
    let outbound: Vec<&Latent> = cut
        .iter()
        .filter(|latent| latent.what == "egress all traffic")
        .collect();
    assert!(
        matches!(outbound[0].when, Dies::AtIdleTimeout(_)),
        "{cut:?}"
    );
}

#[test]
fn an_all_traffic_rule_both_ways_promises_nothing() {
    let cut = latent(open("ingress all 0.0.0.0/0"), close(EGRESS));
    let unknown = cut
        .iter()
        .any(|latent| matches!(latent.when, Dies::Unknown(_)));
    assert!(unknown, "{cut:?}");
}

#[test]
fn what_never_passed_has_no_connections() {
    let unreachable = of(
        WEB,
        |good| {
            good.topology.read.insert(ContextKind::Interfaces);
        },
        open("ingress tcp:22 10.0.0.0/8"),
    );
    assert!(unreachable.impact.latent.is_empty());
}

#[test]
fn acls_and_routes_act_on_existing_connections_at_once() {
    let carried = |good: &mut Snapshot| carry(good, "eni-1", "subnet-1", &[WEB], false);
    let acl = of(ACL, carried, |live| {
        let deny = entry("deny tcp:443 0.0.0.0/0");
        acl(live, ACL).entries.insert(key("ingress 50"), deny);
    });
    assert_eq!(
        fates(&acl.impact.latent),
        [(Turn::Closed, "ingress tcp 443", &Dies::Now)]
    );
    let table = of(PRIVATE, carried, |live| {
        table(live, PRIVATE).routes.remove(&to("0.0.0.0/0"));
    });
    let latent = &table.impact.latent[0];
    assert_eq!(
        (latent.of, &latent.when, latent.what.as_str()),
        (Turn::Closed, &Dies::Now, "the former way to 0.0.0.0/0")
    );
}
