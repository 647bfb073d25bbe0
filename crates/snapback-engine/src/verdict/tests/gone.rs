//! What folding a deletion by a trusted hand gives.

use super::*;
use crate::change::{DeletedRef, GroupRef, RuleRef, Touched};
use crate::fixture::*;
use crate::verdict::{Fold, fold};

const AGAIN: &str = "sg-again";
const NAT: &str = "nat-1";

fn deletion(of: &str) -> Change {
    let resource = DeletedRef::Id(of.parse().unwrap());
    change(5, vec![Edit::Deleted { resource }])
}

/// What is good once the group was made again.
fn made_again() -> Baselines {
    made_again_in(&account())
}

fn made_again_in(account: &Snapshot) -> Baselines {
    let mut lineage = Lineage::default();
    lineage.record(WEB, AGAIN);
    let baselines = captured(account);
    let newer = baselines.succeeded(&Succession {
        lineage: &lineage,
        incident: &IncidentId::new("inc-1"),
        at: at(3),
    });
    baselines.with(newer)
}

#[test]
fn a_deletion_that_was_taken_back_before_its_event_came_is_refused_with_the_new_id() {
    let baselines = made_again();
    let mut live = account();
    live.resources.remove(&WEB.parse().unwrap());
    let fold = fold(&deletion(WEB), &baselines, &live);
    assert_eq!(fold.updated, []);
    assert_eq!(fold.refused.len(), 1, "{fold:?}");
    let says = format!("delete {AGAIN} if it is to go");
    assert!(fold.refused[0].contains(&says), "{fold:?}");
}

/// Found by storm 1001292: the rule that the event takes away names the successor by now.
#[test]
fn a_late_event_names_a_peer_by_the_id_that_it_had() {
    let mut before = account();
    let named = format!("ingress tcp:5432 {WEB}");
    let db = group("sg-db", &[&named]);
    before.resources.insert(db.id(), db.clone());
    let baselines = made_again_in(&before);
    let rules = |baseline: &Baseline| match &baseline.state {
        Some(Resource::SecurityGroup(group)) => group.rules.keys().cloned().collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        rules(&baselines.by_id[&db.id()]),
        [rule(&format!("ingress tcp:5432 {AGAIN}"))]
    );
    let group = GroupRef::Id("sg-db".into());
    let taken = RuleRef::Key(rule(&named));
    let revoked = change(2, vec![Edit::RuleRemoved { group, rule: taken }]);
    let folded = fold(&revoked, &baselines, &before);
    assert_eq!(folded.updated.len(), 1, "{folded:?}");
    assert_eq!(rules(&folded.updated[0]), [], "{folded:?}");
}

#[test]
fn the_deletion_of_what_was_made_again_is_accepted() {
    let mut baselines = made_again();
    let mut live = account();
    live.resources.remove(&WEB.parse().unwrap());
    let gone = fold(&deletion(AGAIN), &baselines, &live);
    assert_eq!((gone.updated.len(), gone.refused.len()), (1, 0), "{gone:?}");
    assert_eq!(gone.updated[0].state, None);
    baselines = baselines.with(gone.updated);
    // Then the late event of the first one is no longer news.
    let late = fold(&deletion(WEB), &baselines, &live);
    assert_eq!(late.refused, Vec::<String>::new());
}

#[test]
fn a_late_deletion_of_what_was_made_again_twice_is_refused_with_the_last_id() {
    let mut lineage = Lineage::default();
    lineage.record(AGAIN, "sg-last");
    let baselines = made_again();
    let newer = baselines.succeeded(&Succession {
        lineage: &lineage,
        incident: &IncidentId::new("inc-2"),
        at: at(4),
    });
    let baselines = baselines.with(newer);
    let mut live = account();
    live.resources.remove(&WEB.parse().unwrap());
    for gone in [WEB, AGAIN] {
        let fold = fold(&deletion(gone), &baselines, &live);
        assert_eq!(fold.updated, []);
        let says = "delete sg-last if it is to go";
        assert!(fold.refused[0].contains(says), "{fold:?}");
    }
}

fn of_gateway(api: &str) -> Change {
    let (what, id) = ("nat-gateway".into(), NAT.into());
    Change {
        api: api.into(),
        touched: BTreeSet::from([Touched::Context { what, id }]),
        edits: Edits::Context,
        ..change(5, Vec::new())
    }
}

fn leading(baseline: &Baseline) -> Vec<bool> {
    let Some(Resource::RouteTable(table)) = &baseline.state else {
        panic!("no table: {baseline:?}");
    };
    let routes = table.routes.values();
    let leading = routes.filter(|route| route.target.id() == NAT);
    leading.map(|route| route.blackhole).collect()
}

fn one(fold: &Fold) -> &Baseline {
    assert_eq!((fold.updated.len(), fold.refused.len()), (1, 0), "{fold:?}");
    &fold.updated[0]
}

#[test]
fn a_good_route_to_a_gateway_that_a_trusted_hand_deleted_leads_nowhere() {
    let live = account();
    let baselines = captured(&live);
    let gone = of_gateway("DeleteNatGateway");
    let first = fold(&gone, &baselines, &live);
    let table = one(&first);
    assert_eq!(table.id, PRIVATE.parse().unwrap());
    assert_eq!(leading(table), [true]);
    assert_eq!(table.provenance.event.as_ref(), Some(&gone.event));
    let again = fold(&gone, &baselines.clone().with(first.updated), &live);
    assert_eq!(again.updated, [], "once");
    let other = fold(&of_gateway("AssociateNatGatewayAddress"), &baselines, &live);
    assert_eq!(other, Fold::default());
}

#[test]
fn a_gateway_that_a_story_in_work_made_again_keeps_its_good_routes() {
    let mut live = account();
    let baselines = captured(&live);
    let heir = Gateway {
        tags: Tags::from([(SUCCESSOR_OF.to_owned(), NAT.to_owned())]),
        state: Some("pending".into()),
        ..Gateway::new("nat-2", GatewayKind::Nat)
    };
    live.topology.gateways.insert("nat-2".into(), heir.clone());
    let late = fold(&of_gateway("DeleteNatGateway"), &baselines, &live);
    assert_eq!(late.updated, []);
    assert!(late.refused[0].contains("delete nat-2"), "{late:?}");

    let gone = Gateway {
        state: Some("deleted".into()),
        ..heir
    };
    live.topology.gateways.insert("nat-2".into(), gone);
    let due = fold(&of_gateway("DeleteNatGateway"), &baselines, &live);
    assert_eq!(leading(one(&due)), [true], "its successor is gone as well");
}

#[test]
fn a_gateway_that_was_made_again_before_the_event_of_its_deletion_came_stays_and_that_is_told() {
    let live = account();
    let mut baselines = captured(&live);
    let heir = Gateway {
        tags: Tags::from([(SUCCESSOR_OF.to_owned(), NAT.to_owned())]),
        ..Gateway::new("nat-2", GatewayKind::Nat)
    };
    baselines.topology.gateways.insert("nat-2".into(), heir);
    let mut lineage = Lineage::default();
    lineage.record(NAT, "nat-2");
    let newer = baselines.succeeded(&Succession {
        lineage: &lineage,
        incident: &IncidentId::new("inc-1"),
        at: at(3),
    });
    let late = fold(
        &of_gateway("DeleteNatGateway"),
        &baselines.with(newer),
        &live,
    );
    assert_eq!(late.updated, []);
    assert_eq!(late.refused.len(), 1, "{late:?}");
    assert!(late.refused[0].contains("delete nat-2"), "{late:?}");
}

/// A story made it and led a route to it; the baselines had not followed when a trusted hand deleted it.
#[test]
fn a_good_route_to_a_gateway_whose_successor_a_trusted_hand_deleted_leads_nowhere() {
    let mut live = account();
    let baselines = captured(&live);
    let dead = |id: &str, old: &str| Gateway {
        tags: Tags::from([(SUCCESSOR_OF.to_owned(), old.to_owned())]),
        state: Some("deleting".into()),
        ..Gateway::new(id, GatewayKind::Nat)
    };
    let gone = Gateway {
        state: Some("deleted".into()),
        ..Gateway::new(NAT, GatewayKind::Nat)
    };
    let deletion = |id: &str| Change {
        touched: BTreeSet::from([Touched::Context {
            what: "nat-gateway".into(),
            id: id.into(),
        }]),
        ..of_gateway("DeleteNatGateway")
    };
    let gateways = [gone, dead("nat-2", NAT), dead("nat-3", "nat-2")];
    for gateway in gateways {
        live.topology.gateways.insert(gateway.id.clone(), gateway);
    }
    let untouched = fold(&deletion("nat-3"), &baselines, &live);
    assert_eq!(
        leading(one(&untouched)),
        [true],
        "live still leads to the first"
    );

    let table = crate::fixture::table(&mut live, PRIVATE);
    for route in table
        .routes
        .values_mut()
        .filter(|route| route.target.id() == NAT)
    {
        route.target = RouteTarget::NatGateway("nat-3".into());
        route.blackhole = true;
    }
    let led = fold(&deletion("nat-3"), &baselines, &live);
    let Some(Resource::RouteTable(table)) = &one(&led).state else {
        panic!("{led:?}");
    };
    let mut routes = table.routes.values();
    assert!(routes.any(|route| route.target.id() == "nat-3" && route.blackhole));
    assert_eq!(leading(one(&led)), [] as [bool; 0]);

    let alive = live.topology.gateways.get_mut(NAT).unwrap();
    alive.state = Some("available".into());
    let kept = fold(&deletion("nat-3"), &baselines, &live);
    assert_eq!(kept.updated, [], "the first one works");
}
