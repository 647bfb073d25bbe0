//! Whether what one rule, entry or route does counts now.

use super::*;

const APP: &str = "sg-app";
const SSH: &str = "ingress tcp:22 0.0.0.0/0";

fn opens(prepare: impl Fn(&mut Snapshot), text: &'static str) -> Impact {
    let told = of(WEB, prepare, |live| {
        rules(live, WEB).insert(rule(text), detail(None));
    });
    told.impact
}

/// The effect of opening `text` on the web group.
fn effect(prepare: impl Fn(&mut Snapshot), text: &'static str) -> Effect {
    let impact = opens(prepare, text);
    assert_eq!(impact.opened.len(), 1, "{:?}", impact.opened);
    let element = Element::Rule(rule(text));
    assert_eq!(impact.opened[0].through, std::slice::from_ref(&element));
    assert_eq!(impact.effect_of(&element), Some(&impact.opened[0].effect));
    impact.opened[0].effect.clone()
}

fn dormant(why: Why) -> Effect {
    Effect::Dormant { why }
}

fn none_carry(good: &mut Snapshot) {
    good.topology.read.insert(ContextKind::Interfaces);
}

fn add(good: &mut Snapshot, id: &str, texts: &[&str]) {
    good.resources.insert(id.parse().unwrap(), group(id, texts));
}

#[test]
fn a_group_that_nobody_carries_opens_nothing_now() {
    assert_eq!(effect(none_carry, SSH), dormant(Why::NoCarrier));
    let words = effect(none_carry, SSH).words(Turn::Opened);
    assert_eq!(
        words,
        "opens nothing now: no network interface carries this group; it opens as soon as one does"
    );
    let detached = |good: &mut Snapshot| {
        carry(good, "eni-1", "subnet-1", &[WEB], true);
        let eni = good.topology.interfaces.get_mut(&"eni-1".into()).unwrap();
        eni.attached = Some(false);
    };
    assert_eq!(effect(detached, SSH), dormant(Why::NoCarrier));
}

#[test]
fn where_interfaces_were_not_read_the_effect_is_unknown() {
    let unknown = effect(nothing, SSH);
    assert!(matches!(unknown, Effect::Unknown { .. }), "{unknown:?}");
}

#[test]
fn a_public_carrier_with_a_way_to_the_internet_faces_it() {
    let public = |good: &mut Snapshot| {
        carry(good, "eni-1", "subnet-2", &[WEB], true);
        online(good, MAIN);
    };
    let Effect::Now(reached) = effect(public, SSH) else {
        panic!()
    };
    assert_eq!(
        (reached.interfaces, reached.subnets, reached.internet_facing),
        (1, 1, 1)
    );
    assert_eq!(reached.on, ["eni-1"]);
    assert_eq!(reached.internet, None);
}

#[test]
fn what_keeps_the_internet_out_is_named() {
    let with = |public: bool, prepare: &dyn Fn(&mut Snapshot)| {
        let effect = effect(
            |good| {
                carry(good, "eni-1", "subnet-2", &[WEB], public);
                prepare(good);
            },
            SSH,
        );
        match effect {
            Effect::Now(reached) => {
                assert_eq!(reached.internet_facing, 0);
                reached.internet
            }
            other => panic!("{other:?}"),
        }
    };
    // Peers inside the VPC come in all the same.
    assert_eq!(with(true, &|_| {}), Some(Why::NoRoute));
    assert_eq!(
        with(false, &|good| online(good, MAIN)),
        Some(Why::NoPublicAddress)
    );
    let nat = |good: &mut Snapshot| {
        let nat = RouteTarget::NatGateway("nat-1".into());
        let routes = &mut table(good, MAIN).routes;
        routes.insert(to("0.0.0.0/0"), Route::created(nat));
    };
    assert_eq!(with(false, &nat), Some(Why::OutboundOnly));
    let blocked = |good: &mut Snapshot| {
        online(good, MAIN);
        good.topology.block_public_access = Some(BlockPublicAccess {
            mode: BlockMode::Ingress,
            exclusions: BTreeMap::new(),
        });
    };
    assert_eq!(with(true, &blocked), Some(Why::BlockPublicAccess));
}

#[test]
fn an_opening_that_only_the_internet_could_use_is_dormant_without_a_way() {
    let private = |good: &mut Snapshot| carry(good, "eni-1", "subnet-2", &[WEB], true);
    let text = "ingress tcp:22 8.8.8.0/24";
    assert_eq!(effect(private, text), dormant(Why::NoRoute));
    let no_address = |good: &mut Snapshot| {
        carry(good, "eni-1", "subnet-2", &[WEB], false);
        online(good, MAIN);
    };
    assert_eq!(effect(no_address, text), dormant(Why::NoPublicAddress));
    let v6 = |good: &mut Snapshot| carry(good, "eni-1", "subnet-2", &[WEB], true);
    assert_eq!(effect(v6, "ingress tcp:22 ::/0"), dormant(Why::NoIpv6));
}

#[test]
fn what_another_group_of_every_carrier_allows_changes_nothing() {
    let both = |good: &mut Snapshot| {
        add(good, APP, &["ingress tcp:20-30 0.0.0.0/0"]);
        carry(good, "eni-1", "subnet-1", &[WEB, APP], false);
    };
    assert_eq!(effect(both, SSH), dormant(Why::OtherGroups));
    let one_alone = |good: &mut Snapshot| {
        both(good);
        carry(good, "eni-2", "subnet-1", &[WEB], false);
    };
    let Effect::Now(reached) = effect(one_alone, SSH) else {
        panic!()
    };
    assert_eq!((reached.interfaces, reached.on), (1, vec!["eni-2".into()]));
}

#[test]
fn a_group_that_was_not_read_makes_the_effect_inexact() {
    let unread = |good: &mut Snapshot| carry(good, "eni-1", "subnet-1", &[WEB, APP], false);
    let impact = opens(unread, SSH);
    assert!(impact.opened[0].effect.is_now());
    assert!(impact.exactness.may_permit_more());
    assert!(impact.inexact[0].contains(APP), "{:?}", impact.inexact);
}

#[test]
fn an_acl_that_denies_keeps_it_dormant_but_not_inside_the_subnet() {
    let denied = |good: &mut Snapshot| {
        carry(good, "eni-1", "subnet-1", &[WEB], false);
        let deny = entry("deny tcp:22 0.0.0.0/0");
        acl(good, ACL).entries.insert(key("ingress 50"), deny);
    };
    assert_eq!(effect(denied, SSH), dormant(Why::Acl(ACL.into())));
    let subnet_known = |good: &mut Snapshot| {
        denied(good);
        let subnet = good.topology.subnets.get_mut(&"subnet-1".into()).unwrap();
        subnet.cidrs = ["10.0.0.0/24".parse().unwrap()].into();
    };
    assert!(effect(subnet_known, SSH).is_now());
}

#[test]
fn a_reference_opens_for_those_who_carry_the_group() {
    let reference = "ingress tcp:5432 sg-app";
    let alone = |good: &mut Snapshot| {
        add(good, APP, &[]);
        carry(good, "eni-1", "subnet-1", &[WEB], false);
    };
    assert_eq!(effect(alone, reference), dormant(Why::NoMember));
    let with_member = |good: &mut Snapshot| {
        alone(good);
        carry(good, "eni-2", "subnet-2", &[APP], false);
    };
    assert!(effect(with_member, reference).is_now());
    let foreign = effect(alone, "ingress tcp:5432 sg-far@999988887777");
    assert!(
        matches!(&foreign, Effect::Unknown { why } if why.contains("999988887777")),
        "{foreign:?}"
    );
    let known_by_address = |good: &mut Snapshot| {
        with_member(good);
        let cidr = "ingress tcp:5432 10.0.0.0/24";
        rules(good, WEB).insert(rule(cidr), detail(None));
    };
    let effect = opens(known_by_address, reference).opened[0].effect.clone();
    assert!(
        effect.is_dormant(),
        "its address is allowed already: {effect:?}"
    );
}

#[test]
fn a_closing_that_another_group_still_allows_is_no_cut() {
    let both = |good: &mut Snapshot| {
        add(good, APP, &["ingress tcp:443 0.0.0.0/0"]);
        carry(good, "eni-1", "subnet-1", &[WEB, APP], false);
    };
    let cut = of(WEB, both, |live| {
        rules(live, WEB).remove(&rule("ingress tcp:443 0.0.0.0/0"));
    });
    assert_eq!(cut.impact.closed[0].effect, dormant(Why::OtherGroups));
    let words = cut.impact.closed[0].line(Turn::Closed);
    assert!(words.contains("cuts nothing now"), "{words}");
}

#[test]
fn an_acl_counts_where_a_group_allows_or_awaits_an_answer() {
    let closes = |prepare: &dyn Fn(&mut Snapshot), text: &'static str| {
        let told = of(ACL, prepare, |live| {
            acl(live, ACL)
                .entries
                .insert(key("ingress 50"), entry(text));
        });
        told.impact.closed[0].effect.clone()
    };
    let nobody = |good: &mut Snapshot| none_carry(good);
    assert_eq!(
        closes(&nobody, "deny tcp:443 0.0.0.0/0"),
        dormant(Why::NoInterface)
    );
    let web = |good: &mut Snapshot| carry(good, "eni-1", "subnet-1", &[WEB], false);
    assert!(closes(&web, "deny tcp:443 10.0.0.0/8").is_now());
    // The group allows no ingress there, but answers to what it sends come that way.
    assert!(closes(&web, "deny tcp:40000-50000 10.0.0.0/8").is_now());
    let silent = |good: &mut Snapshot| {
        web(good);
        rules(good, WEB).remove(&rule("egress all 0.0.0.0/0"));
    };
    assert_eq!(
        closes(&silent, "deny tcp:40000-50000 10.0.0.0/8"),
        dormant(Why::Groups)
    );
    let inside = |good: &mut Snapshot| {
        web(good);
        let subnet = good.topology.subnets.get_mut(&"subnet-1".into()).unwrap();
        subnet.cidrs = ["10.0.0.0/24".parse().unwrap()].into();
    };
    assert_eq!(
        closes(&inside, "deny tcp:443 10.0.0.0/25"),
        dormant(Why::InsideSubnet)
    );
}

#[test]
fn an_acl_without_subnets_and_a_table_without_interfaces_change_nothing_now() {
    let acl = of(OTHER_ACL, none_carry, |live| {
        let allow = entry("allow all 0.0.0.0/0");
        acl(live, OTHER_ACL).entries.insert(key("ingress 9"), allow);
    });
    assert_eq!(acl.impact.opened[0].effect, dormant(Why::NoSubnet));
    let table = of(PRIVATE, none_carry, |live| online(live, PRIVATE));
    assert_eq!(table.impact.opened[0].effect, dormant(Why::NoInterface));
}

#[test]
fn a_deny_that_goes_opens_what_the_entries_behind_it_allow() {
    let told = of(
        ACL,
        |good| {
            carry(good, "eni-1", "subnet-1", &[WEB], false);
            let deny = entry("deny tcp:443 10.0.0.0/8");
            acl(good, ACL).entries.insert(key("ingress 50"), deny);
        },
        |live| {
            acl(live, ACL).entries.remove(&key("ingress 50"));
        },
    );
    let shift = &told.impact.opened[0];
    assert_eq!(shift.through, ["entry ingress 50".parse().unwrap()]);
    assert!(shift.effect.is_now());
    assert_eq!(
        (shift.traffic.as_str(), shift.peers.as_slice()),
        ("tcp 443", ["10.0.0.0/8".to_owned()].as_slice())
    );
    assert_eq!(shift.witness.as_deref(), Some("tcp 443 10.0.0.0"));
}

#[test]
fn a_route_counts_for_interfaces_that_use_it() {
    let online = |prepare: &dyn Fn(&mut Snapshot)| {
        let told = of(PRIVATE, prepare, |live| super::online(live, PRIVATE));
        told.impact.opened[0].effect.clone()
    };
    let private = |good: &mut Snapshot| carry(good, "eni-1", "subnet-1", &[WEB], false);
    assert_eq!(online(&private), dormant(Why::NoPublicAddress));
    let public = |good: &mut Snapshot| carry(good, "eni-1", "subnet-1", &[WEB], true);
    assert_eq!(online(&public).internet_facing(), 1);
    let mute = |good: &mut Snapshot| {
        public(good);
        rules(good, WEB).clear();
    };
    assert_eq!(online(&mute), dormant(Why::Groups));
}

#[test]
fn a_subnet_that_moves_is_weighed_by_both_holders() {
    let moved = of(
        ACL,
        |good| {
            carry(good, "eni-1", "subnet-1", &[WEB], false);
            carry(good, "eni-2", "subnet-2", &[WEB], false);
        },
        |live| move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL)),
    );
    let impact = moved.impact;
    assert_eq!(impact.blast.interfaces, Some(1));
    let Effect::Now(reached) = &impact.closed[0].effect else {
        panic!("{:?}", impact.closed)
    };
    assert_eq!(reached.on, ["eni-1"]);
    let subnet = Element::Subnet("subnet-1".into());
    assert!(impact.moves_of(&subnet).closes.unwrap().is_now());
    let main = of(
        MAIN,
        |good| carry(good, "eni-2", "subnet-2", &[WEB], true),
        |live| {
            super::online(live, "rtb-private");
            table(live, MAIN).main = false;
            table(live, PRIVATE).main = true;
        },
    );
    let opened = &main.impact.opened[0];
    assert_eq!(opened.through, [Element::Main]);
    assert!(opened.text.starts_with("subnet-2"), "{}", opened.text);
    assert_eq!(opened.effect.internet_facing(), 1);
}

#[test]
fn the_blast_radius_names_services_and_who_refers() {
    let impact = opens(
        |good| {
            add(good, APP, &["ingress tcp:8080 sg-web"]);
            carry(good, "eni-1", "subnet-1", &[WEB], false);
            carry(good, "eni-2", "subnet-2", &[WEB], false);
            let topology = &mut good.topology;
            let described = |id: &str, text: &str| (id.to_owned(), text.to_owned());
            for (id, text) in [
                described("eni-1", "ELB app/front/50dc6c495c0c9188"),
                described("eni-2", "RDSNetworkInterface"),
            ] {
                let eni = topology.interfaces.get_mut(&id.as_str().into()).unwrap();
                eni.description = Some(text);
            }
        },
        SSH,
    );
    let blast = impact.blast;
    assert_eq!(
        blast.words().unwrap(),
        "2 network interfaces in 2 subnets: load balancer front (eni-1), RDS database (eni-2); sg-app names this group"
    );
    let services: Vec<(&str, usize)> = blast
        .services
        .iter()
        .map(|(kind, number)| (kind.as_str(), *number))
        .collect();
    assert_eq!(services, [("RDS database", 1), ("load balancer", 1)]);
    assert_eq!(blast.peers.ipv4_addresses, 1 << 32);
}

#[test]
fn interfaces_of_the_last_capture_are_told_as_such() {
    let mut good = account();
    carry(&mut good, "eni-1", "subnet-1", &[WEB], false);
    let mut live = good.clone();
    live.topology = Topology::default();
    rules(&mut live, WEB).insert(rule(SSH), detail(None));
    let impact = between(WEB, &good, &live);
    assert!(impact.opened[0].effect.is_now());
    assert!(
        impact.inexact[0].contains("as an earlier read told them"),
        "{:?}",
        impact.inexact
    );
}

#[test]
fn what_surrounds_a_group_is_asked_for() {
    let mut good = account();
    carry(&mut good, "eni-1", "subnet-1", &[WEB, APP], false);
    let mut baselines = captured(&good);
    let web: ResourceId = WEB.parse().unwrap();
    baselines.by_id.retain(|id, _| *id == web);
    let around = Surroundings::of(&baselines, &web);
    assert_eq!(around.groups, [APP.into()].into());
    let kinds: Vec<Kind> = around.vpcs.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Kind::NetworkAcl, Kind::RouteTable]);
}
