//! What folding one change gives.

use super::*;
use crate::change::{DeletedRef, GroupRef, RuleRef};
use crate::fixture::*;
use crate::verdict::{Fold, fold};

fn web() -> GroupRef {
    GroupRef::Id(WEB.into())
}

fn added(text: &str) -> Edit {
    Edit::RuleAdded {
        group: web(),
        rule: rule(text),
        detail: detail(Some("new")),
        id: Some("sgr-new".into()),
    }
}

fn removed(text: &str) -> Edit {
    Edit::RuleRemoved {
        group: web(),
        rule: RuleRef::Key(rule(text)),
    }
}

fn one(fold: &Fold) -> &Baseline {
    assert_eq!((fold.updated.len(), fold.refused.len()), (1, 0), "{fold:?}");
    &fold.updated[0]
}

fn accept(baselines: &mut Baselines, fold: &Fold) {
    let updated = fold
        .updated
        .iter()
        .map(|baseline| (baseline.id.clone(), baseline.clone()));
    baselines.by_id.extend(updated);
}

fn web_of(baselines: &mut Baselines) -> &mut Baseline {
    baselines.by_id.get_mut(&WEB.parse().unwrap()).unwrap()
}

fn rules_of(baseline: &Baseline) -> Vec<String> {
    match &baseline.state {
        Some(Resource::SecurityGroup(group)) => {
            group.rules.keys().map(ToString::to_string).collect()
        }
        other => panic!("no group: {other:?}"),
    }
}

#[test]
fn an_accepted_rule_becomes_baseline_and_a_strangers_rule_in_live_does_not() {
    let mut live = account();
    let baselines = captured(&live);
    rules(&mut live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
    rules(&mut live, WEB).insert(rule("ingress tcp:8443 10.0.0.0/8"), detail(Some("new")));
    let fold = fold(
        &change(5, vec![added("ingress tcp:8443 10.0.0.0/8")]),
        &baselines,
        &live,
    );
    let baseline = one(&fold);
    let expected = [
        "ingress tcp:443 0.0.0.0/0",
        "ingress tcp:8443 10.0.0.0/8",
        "egress all 0.0.0.0/0",
    ];
    assert_eq!(rules_of(baseline), expected);
    let before = &baselines.by_id[&WEB.parse().unwrap()];
    assert_eq!(baseline.generation, Generation(2));
    assert_eq!(baseline.parent, Some(before.digest()));
    assert_eq!(baseline.provenance.origin, Origin::Accepted);
    assert_eq!(
        baseline.provenance.by,
        "arn:aws:iam::123456789012:role/deploy (ann)"
    );
    assert_eq!(baseline.provenance.event, Some("event-5".into()));
    assert_eq!(
        baseline.handles.rules[&"sgr-new".into()].rule,
        rule("ingress tcp:8443 10.0.0.0/8")
    );
    assert_eq!(
        baseline.marks[&Element::Existence].at,
        at(0),
        "the capture is remembered"
    );
}

#[test]
fn an_event_from_before_the_capture_is_superseded_also_after_another_was_folded() {
    let live = account();
    let mut baselines = captured(&live);
    let early = change(-5, vec![added("ingress tcp:22 0.0.0.0/0")]);
    let told = fold(&early, &baselines, &live);
    assert!(told.updated.is_empty() && told.refused.is_empty());
    assert_eq!(told.superseded.len(), 1);
    let newer = fold(
        &change(9, vec![removed("egress all 0.0.0.0/0")]),
        &baselines,
        &live,
    );
    accept(&mut baselines, &newer);
    assert_eq!(fold(&early, &baselines, &live), told);
}

#[test]
fn on_equal_seconds_live_decides() {
    let mut live = account();
    let mut baselines = captured(&live);
    let mark = Mark::new(at(5), "other".into());
    let element = Element::Rule(rule("ingress tcp:8443 10.0.0.0/8"));
    web_of(&mut baselines).marks.insert(element, mark);
    let event = change(5, vec![added("ingress tcp:8443 10.0.0.0/8")]);
    let against = fold(&event, &baselines, &live).overruled;
    let of: Vec<_> = against.iter().flat_map(|edit| &edit.resources).collect();
    assert_eq!(of, [&ResourceId::from(SecurityGroupId::new(WEB))]);
    rules(&mut live, WEB).insert(rule("ingress tcp:8443 10.0.0.0/8"), detail(Some("new")));
    assert_eq!(rules_of(one(&fold(&event, &baselines, &live))).len(), 3);
    live.resources.remove(&WEB.parse().unwrap());
    let unread = fold(&event, &baselines, &live);
    assert!(unread.updated.is_empty() && unread.refused.len() == 1);
}

/// Found by hard storm 505022.
#[test]
fn of_two_edits_of_one_second_the_first_is_over_when_it_comes_again() {
    let mut live = account();
    let mut baselines = captured(&live);
    let came = "ingress tcp:8443 10.0.0.0/8";
    let added = change(5, vec![added(came)]);
    let mut removed = change(5, vec![removed(came)]);
    removed.event = "event-5b".into();
    for event in [&added, &removed] {
        let folded = fold(event, &baselines, &live);
        accept(&mut baselines, &folded);
    }
    assert_eq!(rules_of(web_of(&mut baselines)).len(), 2);
    // Live shows it because somebody put it back since.
    rules(&mut live, WEB).insert(rule(came), detail(None));
    let again = fold(&added, &baselines, &live);
    assert!(again.updated.is_empty() && again.refused.is_empty());
    assert_eq!(again.superseded.len(), 1, "{again:?}");
}

#[test]
fn an_event_without_its_parameters_is_refused_and_live_not_photographed() {
    let mut live = account();
    let baselines = captured(&live);
    rules(&mut live, WEB).clear();
    let mut event = change(5, vec![]);
    event.edits = Edits::Unknown {
        why: "omitted above 100 KB".into(),
    };
    let fold = fold(&event, &baselines, &live);
    assert!(fold.updated.is_empty() && fold.refused[0].contains("omitted above 100 KB"));
}

#[test]
fn a_resource_without_baseline_is_refused_and_may_be_premature() {
    let live = account();
    let edit = Edit::EntryRemoved {
        acl: "acl-new".into(),
        key: key("ingress 100"),
    };
    let fold = fold(&change(5, vec![edit]), &captured(&live), &live);
    assert!(fold.updated.is_empty() && fold.premature);
    assert!(fold.refused[0].contains("no baseline knows acl-new"));
}

#[test]
fn a_group_made_by_a_trusted_principal_is_baseline_from_birth() {
    let live = account();
    let mut baselines = captured(&live);
    let resource = group("sg-new", &["egress all 0.0.0.0/0"]);
    let birth = change(
        5,
        vec![Edit::Created {
            resource: Box::new(resource.clone()),
        }],
    );
    let born = fold(&birth, &baselines, &live);
    assert_eq!(one(&born).state, Some(resource));
    assert_eq!(
        (one(&born).generation, one(&born).parent.clone()),
        (Generation(1), None)
    );
    accept(&mut baselines, &born);
    assert!(fold(&birth, &baselines, &live).updated.is_empty());
}

#[test]
fn an_accepted_deletion_leaves_a_tombstone_even_before_the_birth_is_told() {
    let mut live = account();
    live.resources.remove(&WEB.parse().unwrap());
    let mut baselines = captured(&account());
    let delete = |id: &str| Edit::Deleted {
        resource: DeletedRef::Id(id.parse().unwrap()),
    };
    assert_eq!(
        one(&fold(&change(5, vec![delete(WEB)]), &baselines, &live)).state,
        None
    );
    let never = fold(&change(6, vec![delete("sg-brief")]), &baselines, &live);
    accept(&mut baselines, &never);
    let birth = Edit::Created {
        resource: Box::new(group("sg-brief", &[])),
    };
    assert!(
        fold(&change(4, vec![birth]), &baselines, &live)
            .updated
            .is_empty()
    );
}

#[test]
fn an_edit_after_an_accepted_deletion_is_refused() {
    let live = account();
    let mut baselines = captured(&live);
    web_of(&mut baselines).state = None;
    let fold = fold(
        &change(5, vec![added("ingress tcp:22 0.0.0.0/0")]),
        &baselines,
        &live,
    );
    assert!(fold.updated.is_empty() && fold.refused[0].contains("deletion"));
}

#[test]
fn a_trusted_edit_does_not_review_an_unreviewed_baseline() {
    let live = account();
    let mut baselines = captured(&live);
    web_of(&mut baselines).provenance.origin = Origin::Unreviewed;
    let first = fold(
        &change(9, vec![added("ingress tcp:8443 10.0.0.0/8")]),
        &baselines,
        &live,
    );
    assert_eq!(one(&first).provenance.origin, Origin::Unreviewed);
    accept(&mut baselines, &first);
    let late = fold(
        &change(5, vec![removed("egress all 0.0.0.0/0")]),
        &baselines,
        &live,
    );
    assert_eq!(
        rules_of(one(&late)).len(),
        2,
        "newer than the read, though older than the last fold"
    );
}

fn with_handle(live: &mut Snapshot, id: &str, text: &str) {
    live.handles.rules.insert(
        id.into(),
        RuleHandle {
            group: WEB.into(),
            rule: rule(text),
        },
    );
}

fn modified(id: &str, traffic: &str, peer: &str) -> Edit {
    Edit::RuleModified {
        group: web(),
        id: id.into(),
        traffic: traffic.parse().unwrap(),
        peer: peer.parse().unwrap(),
        description: Some("narrow".into()),
    }
}

#[test]
fn a_rule_modified_in_place_takes_its_direction_and_old_content_from_the_baseline() {
    let mut live = account();
    with_handle(&mut live, "sgr-1", "ingress tcp:443 0.0.0.0/0");
    let baselines = captured(&live);
    with_handle(&mut live, "sgr-1", "ingress tcp:443 10.0.0.0/8");
    let fold = fold(
        &change(5, vec![modified("sgr-1", "tcp:443", "10.0.0.0/8")]),
        &baselines,
        &live,
    );
    assert_eq!(
        rules_of(one(&fold)),
        ["ingress tcp:443 10.0.0.0/8", "egress all 0.0.0.0/0"]
    );
    assert_eq!(
        one(&fold).handles.rules[&"sgr-1".into()].rule,
        rule("ingress tcp:443 10.0.0.0/8")
    );
}

#[test]
fn a_modified_rule_that_only_live_knows_is_refused() {
    let mut live = account();
    let baselines = captured(&live);
    with_handle(&mut live, "sgr-1", "ingress tcp:443 10.0.0.0/8");
    let fold = fold(
        &change(5, vec![modified("sgr-1", "tcp:443", "10.0.0.0/8")]),
        &baselines,
        &live,
    );
    assert!(fold.updated.is_empty() && fold.refused[0].contains("sgr-1"));
}

#[test]
fn rules_of_one_call_may_trade_places() {
    let mut live = account();
    with_handle(&mut live, "sgr-1", "ingress tcp:443 0.0.0.0/0");
    rules(&mut live, WEB).insert(rule("ingress tcp:80 0.0.0.0/0"), detail(None));
    with_handle(&mut live, "sgr-2", "ingress tcp:80 0.0.0.0/0");
    let edits = vec![
        modified("sgr-1", "tcp:80", "0.0.0.0/0"),
        modified("sgr-2", "tcp:443", "0.0.0.0/0"),
    ];
    let fold = fold(&change(5, edits), &captured(&live), &live);
    assert_eq!(rules_of(one(&fold)).len(), 3);
    assert_eq!(
        one(&fold).handles.rules[&"sgr-2".into()].rule,
        rule("ingress tcp:443 0.0.0.0/0")
    );
}

#[test]
fn a_rule_is_removed_by_the_id_the_baseline_knows() {
    let mut live = account();
    with_handle(&mut live, "sgr-1", "ingress tcp:443 0.0.0.0/0");
    let baselines = captured(&live);
    live.handles = Handles::default();
    let edit = |id: &str| Edit::RuleRemoved {
        group: web(),
        rule: RuleRef::Id(id.into()),
    };
    let known = fold(&change(5, vec![edit("sgr-1")]), &baselines, &live);
    assert_eq!(rules_of(one(&known)), ["egress all 0.0.0.0/0"]);
    let unknown = fold(&change(5, vec![edit("sgr-9")]), &baselines, &live);
    assert!(unknown.updated.is_empty() && unknown.premature && unknown.refused.len() == 1);
}

#[test]
fn a_group_by_name_stands_for_the_one_of_the_default_vpc() {
    let mut live = account();
    for (id, vpc) in [("sg-a", "vpc-1"), ("sg-b", "vpc-2")] {
        let Resource::SecurityGroup(mut named) = group(id, &[]) else {
            panic!("group")
        };
        named.name = Some("web".into());
        named.vpc = Some(vpc.into());
        live.resources
            .insert(named.id.clone().into(), Resource::SecurityGroup(named));
    }
    let vpc = |id: &str, is_default| {
        let vpc = Vpc {
            is_default,
            ..Vpc::new(id)
        };
        (VpcId::new(id), vpc)
    };
    let event = change(
        5,
        vec![Edit::RuleAdded {
            group: GroupRef::Name("web".into()),
            rule: rule("ingress tcp:22 10.0.0.0/8"),
            detail: detail(None),
            id: None,
        }],
    );
    let doubtful = fold(&event, &captured(&live), &live);
    assert!(doubtful.updated.is_empty() && doubtful.refused[0].contains("more than one"));
    live.topology.vpcs = [vpc("vpc-1", false), vpc("vpc-2", true)].into();
    assert_eq!(
        one(&fold(&event, &captured(&live), &live)).id.as_str(),
        "sg-b"
    );
    live.topology.vpcs = [vpc("vpc-1", false), vpc("vpc-2", false)].into();
    assert!(fold(&event, &captured(&live), &live).refused[0].contains("no group named"));
}

fn associated(live: &mut Snapshot, id: &str, holder: &str, subnet: &str) {
    let handle = AssociationHandle {
        resource: holder.parse().unwrap(),
        subject: AssociationSubject::Subnet(subnet.into()),
    };
    live.handles.associations.insert(id.into(), handle);
}

#[test]
fn a_subnet_moved_between_acls_changes_both_baselines() {
    let mut live = account();
    associated(&mut live, "aclassoc-1", ACL, "subnet-1");
    let baselines = captured(&live);
    live.handles = Handles::default();
    let edit = Edit::AclReassociated {
        association: "aclassoc-1".into(),
        acl: OTHER_ACL.into(),
        new_association: Some("aclassoc-2".into()),
    };
    let fold = fold(&change(5, vec![edit]), &baselines, &live);
    let of = |id: &str| {
        fold.updated
            .iter()
            .find(|baseline| baseline.id.as_str() == id)
            .unwrap()
    };
    let subnets = |id: &str| -> Vec<String> {
        match &of(id).state {
            Some(Resource::NetworkAcl(acl)) => {
                acl.subnets.iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(subnets(ACL), ["subnet-2"]);
    assert_eq!(subnets(OTHER_ACL), ["subnet-1"]);
    assert!(
        of(OTHER_ACL)
            .handles
            .associations
            .contains_key(&"aclassoc-2".into())
    );
}

#[test]
fn a_move_to_a_table_not_yet_known_is_finished_when_it_is() {
    let mut live = account();
    associated(&mut live, "rtbassoc-1", PRIVATE, "subnet-1");
    let mut baselines = captured(&live);
    let event = change(
        5,
        vec![Edit::TableReassociated {
            association: "rtbassoc-1".into(),
            table: "rtb-new".into(),
            new_association: None,
        }],
    );
    let first = fold(&event, &baselines, &live);
    assert!(first.premature && first.updated.len() == 1 && first.updated[0].id.as_str() == PRIVATE);
    accept(&mut baselines, &first);
    let mut born = table(&mut account(), MAIN).clone();
    born.id = "rtb-new".into();
    born.main = false;
    let birth = Edit::Created {
        resource: Box::new(Resource::RouteTable(born)),
    };
    let birth = fold(&change(4, vec![birth]), &baselines, &live);
    accept(&mut baselines, &birth);
    let second = fold(&event, &baselines, &live);
    assert!(!second.premature);
    match &one(&second).state {
        Some(Resource::RouteTable(table)) => assert!(table.subnets.contains(&"subnet-1".into())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_local_route_stays_the_tables_own_wherever_it_leads() {
    let live = account();
    let set = |destination: &str| Edit::RouteSet {
        table: PRIVATE.into(),
        destination: to(destination),
        target: RouteTarget::NetworkInterface("eni-1".into()),
    };
    let gone = Edit::RouteRemoved {
        table: PRIVATE.into(),
        destination: to("10.50.0.0/16"),
    };
    let edits = vec![set("10.0.0.0/16"), set("172.16.0.0/12"), gone];
    let fold = fold(&change(5, edits), &captured(&live), &live);
    let Some(Resource::RouteTable(table)) = &one(&fold).state else {
        panic!("table")
    };
    assert_eq!(table.routes[&to("10.0.0.0/16")].origin, RouteOrigin::Table);
    assert_eq!(
        table.routes[&to("172.16.0.0/12")].origin,
        RouteOrigin::Created
    );
    assert!(!table.routes.contains_key(&to("10.50.0.0/16")));
}

#[test]
fn a_birth_holds_the_ipv6_egress_rule_that_no_event_tells_of() {
    let both = ["egress all 0.0.0.0/0", "egress all ::/0"];
    let (told, found) = (group("sg-new", &both[..1]), group("sg-new", &both));
    let birth = change(
        5,
        vec![Edit::Created {
            resource: Box::new(told),
        }],
    );
    let vpc = found.vpc().unwrap().clone();
    let mut live = account();
    live.topology.vpcs.clear();
    live.resources.insert(found.id(), found);
    let born = |live: &Snapshot| -> Vec<RuleKey> {
        let folded = fold(&birth, &captured(&account()), live);
        match one(&folded).state.clone() {
            Some(Resource::SecurityGroup(group)) => group.rules.into_keys().collect(),
            _ => Vec::new(),
        }
    };
    assert_eq!(born(&live), both.map(rule));
    let without_ipv6 = Vpc {
        cidrs: ["10.0.0.0/16".parse().unwrap()].into(),
        ..Vpc::new(vpc.clone())
    };
    live.topology.vpcs.insert(vpc, without_ipv6);
    assert_eq!(born(&live), [rule(both[0])]);
}
