#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::fixture::*;
use proptest::prelude::*;

fn lines(baselines: &Baselines, live: &Snapshot) -> Vec<String> {
    diff(baselines, live, None)
        .iter()
        .flat_map(|resource| resource.differences.iter())
        .map(Difference::describe)
        .collect()
}

fn after(change: impl FnOnce(&mut Snapshot)) -> Vec<String> {
    let good = account();
    let baselines = captured(&good);
    let mut live = good;
    change(&mut live);
    lines(&baselines, &live)
}

#[test]
fn every_kind_of_difference_has_one_plain_line() {
    type Change = Box<dyn FnOnce(&mut Snapshot)>;
    let table: Vec<(Change, &[&str])> = vec![
        (
            Box::new(|live| {
                rules(live, WEB).insert(
                    rule("ingress tcp:22 0.0.0.0/0"),
                    detail(Some("x\u{202e}\ny")),
                );
            }),
            &["added: ingress tcp 22 from 0.0.0.0/0 (anyone, IPv4), described \"x\\u{202e}\\ny\""],
        ),
        (
            Box::new(|live| {
                rules(live, WEB).remove(&rule("ingress tcp:443 0.0.0.0/0"));
            }),
            &["removed: ingress tcp 443 from 0.0.0.0/0 (anyone, IPv4), described \"shop\""],
        ),
        (
            Box::new(|live| {
                rules(live, WEB).insert(rule("ingress tcp:443 0.0.0.0/0"), detail(None));
            }),
            &[
                "changed: text of ingress tcp 443 from 0.0.0.0/0 (anyone, IPv4): description was \"shop\", is none",
            ],
        ),
        (
            Box::new(|live| {
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 50"), entry("deny tcp:22-25 0.0.0.0/0"));
                acl(live, ACL).entries.remove(&key("egress 100"));
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 100"), entry("allow tcp:443 10.0.0.0/8"));
            }),
            &[
                "added: ingress entry 50: deny tcp 22-25 from 0.0.0.0/0 (anyone, IPv4)",
                "changed: ingress entry 100: was allow all traffic from 0.0.0.0/0 (anyone, IPv4), is allow tcp 443 from 10.0.0.0/8",
                "removed: egress entry 100: allow all traffic to 0.0.0.0/0 (anyone, IPv4)",
            ],
        ),
        (
            Box::new(|live| {
                let routes = &mut table(live, PRIVATE).routes;
                routes.insert(
                    to("0.0.0.0/0"),
                    Route::created(RouteTarget::NetworkInterface("eni-9".into())),
                );
                routes.get_mut(&to("10.50.0.0/16")).unwrap().blackhole = true;
                routes.insert(
                    to("10.60.0.0/16"),
                    Route::created(RouteTarget::Unrecognized("new\"thing".into())),
                );
            }),
            &[
                "changed: default route 0.0.0.0/0: was to nat-1, is to eni-9",
                "changed: route 10.50.0.0/16 is dead: its target pcx-1 is gone (blackhole)",
                "added: route 10.60.0.0/16 to a target this version does not know, \"new\\\"thing\"",
            ],
        ),
        (
            Box::new(|live| move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL))),
            &["moved: subnet-1: was on acl-1, is on acl-2"],
        ),
        (
            Box::new(|live| move_subnet(live, "subnet-1", Some(PRIVATE), None)),
            &[
                "moved: subnet-1: was on rtb-private, is on no explicit table (the main table applies)",
            ],
        ),
        (
            Box::new(|live| move_subnet(live, "subnet-2", None, Some(PRIVATE))),
            &[
                "moved: subnet-2: was on no explicit table (the main table applies), is on rtb-private",
            ],
        ),
        (
            Box::new(|live| {
                table(live, MAIN).main = false;
                table(live, PRIVATE).main = true;
            }),
            &["changed: the main table of vpc-1 was rtb-main, is rtb-private"],
        ),
        (
            Box::new(|live| {
                table(live, PRIVATE).propagating.remove(&"vgw-1".into());
                table(live, PRIVATE).gateways.insert("igw-1".into());
            }),
            &[
                "removed: route propagation from vgw-1 was turned off",
                "added: edge association: this table routes what enters by igw-1",
            ],
        ),
        (
            Box::new(|live| {
                acl(live, ACL).tags = [("Name", "b"), ("aws:x", "y")]
                    .map(|(k, v)| (k.into(), v.into()))
                    .into();
            }),
            &["added: tag \"Name\" = \"b\""],
        ),
        (
            Box::new(|live| {
                live.resources.remove(&WEB.parse().unwrap());
            }),
            &[
                "deleted: the security group sg-web is gone, with 2 rules (ingress tcp 443 from 0.0.0.0/0 (anyone, IPv4); egress all traffic to 0.0.0.0/0 (anyone, IPv4))",
            ],
        ),
        (
            Box::new(|live| {
                let id = ResourceId::SecurityGroup("sg-new".into());
                live.resources
                    .insert(id, group("sg-new", &["ingress udp:53 sg-web"]));
            }),
            &[
                "unreviewed: the security group sg-new has no approved state; it holds 1 rule (ingress udp 53 from members of sg-web)",
            ],
        ),
    ];
    for (change, expected) in table {
        assert_eq!(after(change), expected);
    }
}

#[test]
fn what_nobody_can_change_is_no_difference() {
    let nothing: Vec<String> = Vec::new();
    assert_eq!(
        after(|live| {
            let routes = &mut table(live, PRIVATE).routes;
            routes.remove(&to("172.16.0.0/12"));
            routes.insert(to("172.20.0.0/16"), propagated("vgw-1"));
            routes.insert(to("10.9.0.0/16"), local());
            routes.remove(&to("10.0.0.0/16"));
            let Some(Resource::SecurityGroup(group)) =
                live.resources.get_mut(&WEB.parse().unwrap())
            else {
                panic!("fixture");
            };
            group.name = None;
            group.tags = None;
            for detail in group.rules.values_mut() {
                detail.tags = None;
            }
        }),
        nothing
    );
}

#[test]
fn a_local_route_that_leads_elsewhere_and_a_static_route_over_a_propagated_one_are_differences() {
    assert_eq!(
        after(|live| {
            let routes = &mut table(live, PRIVATE).routes;
            routes.get_mut(&to("10.0.0.0/16")).unwrap().target =
                RouteTarget::NetworkInterface("eni-9".into());
            routes.insert(
                to("172.16.0.0/12"),
                Route::created(RouteTarget::NetworkInterface("eni-9".into())),
            );
            routes.insert(to("10.50.0.0/16"), propagated("vgw-1"));
        }),
        [
            "changed: route 10.0.0.0/16: was to local (inside the VPC), is to eni-9",
            "removed: route 10.50.0.0/16 to pcx-1",
            "added: route 172.16.0.0/12 to eni-9",
        ]
    );
}

#[test]
fn absence_proves_nothing_where_the_read_did_not_cover() {
    let good = account();
    let baselines = captured(&good);
    let mut live = good.clone();
    live.coverage = [Coverage::AclsOf("vpc-1".into())].into();
    live.resources.retain(|id, _| id.as_str() == OTHER_ACL);
    let deleted: Vec<ResourceId> = diff(&baselines, &live, None)
        .into_iter()
        .map(|diff| diff.resource)
        .collect();
    assert_eq!(deleted, [ACL.parse().unwrap()]);
}

#[test]
fn only_the_named_resources_are_told() {
    let good = account();
    let baselines = captured(&good);
    let mut live = good;
    rules(&mut live, WEB).clear();
    live.resources.insert(
        ResourceId::SecurityGroup("sg-new".into()),
        group("sg-new", &[]),
    );
    let named = |ids: &[&str]| {
        let only = ids.iter().map(|id| id.parse().unwrap()).collect();
        diff(&baselines, &live, Some(&only)).len()
    };
    assert_eq!(
        (
            named(&[WEB]),
            named(&["sg-new"]),
            named(&[ACL]),
            named(&["sg-nowhere"])
        ),
        (1, 1, 0, 0)
    );
}

#[test]
fn a_moved_subnet_is_told_once_on_the_holder_that_lost_it() {
    let good = account();
    let baselines = captured(&good);
    let mut live = good;
    move_subnet(&mut live, "subnet-1", Some(ACL), Some(OTHER_ACL));
    let told: Vec<ResourceId> = diff(&baselines, &live, None)
        .into_iter()
        .map(|diff| diff.resource)
        .collect();
    assert_eq!(told, [ACL.parse().unwrap()]);
}

#[test]
fn of_two_claims_on_one_subnet_the_newer_one_counts() {
    let good = account();
    let mut baselines = captured(&good);
    let mut live = good;
    move_subnet(&mut live, "subnet-1", Some(ACL), Some(OTHER_ACL));
    let mut newer = baseline_of(&live, &OTHER_ACL.parse().unwrap());
    newer.provenance.at = at(900);
    baselines.by_id.insert(newer.id.clone(), newer);
    assert_eq!(lines(&baselines, &live), Vec::<String>::new());
    baselines
        .by_id
        .get_mut(&ACL.parse().unwrap())
        .unwrap()
        .provenance
        .at = at(901);
    assert_eq!(
        lines(&baselines, &live),
        ["moved: subnet-1: was on acl-1, is on acl-2"]
    );
}

/// The sweep records what it finds; by that alone a subnet that was moved there is not approved there.
#[test]
fn a_claim_that_nobody_reviewed_takes_nothing_from_an_approved_one() {
    let good = account();
    let mut baselines = captured(&good);
    let mut live = good;
    move_subnet(&mut live, "subnet-1", Some(ACL), Some(OTHER_ACL));
    let mut found = baseline_of(&live, &OTHER_ACL.parse().unwrap());
    found.provenance.at = at(900);
    found.provenance.origin = Origin::Unreviewed;
    baselines.by_id.insert(found.id.clone(), found);
    assert_eq!(
        lines(&baselines, &live),
        ["moved: subnet-1: was on acl-1, is on acl-2"]
    );
}

#[test]
fn a_resource_whose_deletion_was_accepted_is_unreviewed_when_it_is_there_again() {
    let live = account();
    let mut baselines = captured(&live);
    baselines
        .by_id
        .get_mut(&WEB.parse().unwrap())
        .unwrap()
        .state = None;
    assert!(matches!(
        diff(&baselines, &live, None)[0].differences[..],
        [Difference::Unreviewed { .. }]
    ));
}

proptest! {
    #[test]
    fn a_state_does_not_differ_from_itself(live in snapshots()) {
        prop_assert_eq!(diff(&captured(&live), &live, None), vec![]);
    }

    #[test]
    fn taking_the_baselines_side_of_every_difference_leaves_no_difference(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        let mut repaired = live.clone();
        for resource in diff(&baselines, &live, None) {
            for difference in &resource.differences {
                take(&mut repaired, &resource.resource, difference, Side::Baseline);
            }
        }
        prop_assert_eq!(diff(&baselines, &repaired, None), vec![]);
    }

    #[test]
    fn taking_lives_side_changes_nothing_in_live(good in snapshots(), live in snapshots()) {
        for resource in diff(&captured(&good), &live, None) {
            let Some(found) = live.resources.get(&resource.resource) else { continue };
            let mut state = found.clone();
            for difference in &resource.differences {
                difference.apply(&mut state, Side::Live);
            }
            prop_assert_eq!(&state, found);
        }
    }

    #[test]
    fn differences_stand_in_canonical_order_and_survive_storage(good in snapshots(), live in snapshots()) {
        let told = diff(&captured(&good), &live, None);
        for resource in &told {
            let elements: Vec<Element> = resource.differences.iter().map(Difference::element).collect();
            prop_assert!(elements.is_sorted());
            prop_assert!(elements.windows(2).all(|pair| pair[0] != pair[1]));
        }
        let stored = serde_json::to_string(&told).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<ResourceDiff>>(&stored).unwrap(), told);
    }
}
