//! Two moves of one subnet, each folded by a guard that had not seen the other.

use super::*;
use crate::fixture::*;
use crate::verdict::fold;

const THIRD: &str = "rtb-third";
const SUBNET: &str = "subnet-9";

/// An account with a subnet of no explicit table; live shows it where the second move put it.
fn worlds() -> (Baselines, Snapshot) {
    let mut good = account();
    let mut third = table(&mut account(), PRIVATE).clone();
    third.id = THIRD.into();
    third.subnets.clear();
    let id = ResourceId::RouteTable(THIRD.into());
    good.resources
        .insert(id.clone(), Resource::RouteTable(third));
    let mut live = good.clone();
    table(&mut live, THIRD).subnets.insert(SUBNET.into());
    let handle = AssociationHandle {
        resource: id,
        subject: AssociationSubject::Subnet(SUBNET.into()),
    };
    live.handles
        .associations
        .insert("rtbassoc-2".into(), handle);
    (Baselines::captured(&good, "test", "test"), live)
}

/// Associated with one table, and led from there to the third.
fn moves(seconds: [i64; 2]) -> [Change; 2] {
    let edits = [
        Edit::TableAssociated {
            table: PRIVATE.into(),
            subject: AssociationSubject::Subnet(SUBNET.into()),
            association: Some("rtbassoc-1".into()),
        },
        Edit::TableReassociated {
            association: "rtbassoc-1".into(),
            table: THIRD.into(),
            new_association: Some("rtbassoc-2".into()),
        },
    ];
    let mut moves = seconds.map(|second| change(second, Vec::new()));
    for (number, (one, edit)) in moves.iter_mut().zip(edits).enumerate() {
        one.event = EventId::new(format!("move-{number}"));
        one.edits = Edits::Known(vec![edit]);
    }
    moves
}

fn written(baselines: &mut Baselines, change: &Change, live: &Snapshot) -> bool {
    let fold = fold(change, baselines, live);
    assert!(fold.moves && fold.refused.is_empty(), "{fold:?}");
    let updated = fold.updated.into_iter();
    let updated: Vec<_> = updated.map(|one| (one.id.clone(), one)).collect();
    let any = !updated.is_empty();
    baselines.by_id.extend(updated);
    any
}

fn holders(baselines: &Baselines) -> Vec<String> {
    let tables = baselines.by_id.values();
    let tables = tables.filter_map(|baseline| match &baseline.state {
        Some(Resource::RouteTable(table)) => Some(table),
        _ => None,
    });
    let holding = tables.filter(|table| table.subnets.contains(&SUBNET.into()));
    holding.map(|table| table.id.to_string()).collect()
}

#[test]
fn whoever_looks_last_leaves_the_subnet_on_the_table_of_the_newer_move() {
    for seconds in [[5, 6], [5, 5]] {
        for last in 0..2 {
            let (good, live) = worlds();
            let moves = moves(seconds);
            let mut both = good.clone();
            for one in &moves {
                let mut alone = good.clone();
                assert!(written(&mut alone, one, &live));
                let new = alone.by_id.into_iter();
                both.by_id
                    .extend(new.filter(|(id, one)| good.by_id.get(id) != Some(one)));
            }
            assert_eq!(holders(&both), [PRIVATE, THIRD], "nobody saw the other");
            let case = format!("{seconds:?}, move {last} looks last");
            assert!(written(&mut both, &moves[last], &live), "{case}");
            assert_eq!(holders(&both), [THIRD], "{case}");
            // The newer one may still note on the first table that it left; then nothing is folded twice.
            written(&mut both, &moves[1], &live);
            for one in &moves {
                assert!(!written(&mut both, one, &live), "folded twice: {case}");
            }
            assert_eq!(holders(&both), [THIRD], "{case}");
        }
    }
}

#[test]
fn nobody_takes_back_what_no_other_table_holds_or_another_move_made() {
    let (good, live) = worlds();
    let [first, second] = moves([5, 6]);
    let newer = |known: &mut Baselines| {
        let third = known.by_id.get_mut(&ResourceId::RouteTable(THIRD.into()));
        let mark = Mark::new(second.at, second.event.clone());
        third
            .unwrap()
            .marks
            .insert(Element::Subnet(SUBNET.into()), mark);
    };
    // A newer move is known, and the subnet is on no other table.
    let mut known = good.clone();
    assert!(written(&mut known, &first, &live));
    newer(&mut known);
    assert!(!written(&mut known, &first, &live));
    assert_eq!(holders(&known), [PRIVATE]);
    // The older move is new here, and the subnet is where the newer one put it.
    let mut known = good;
    newer(&mut known);
    table_in(&mut known, THIRD);
    assert!(!written(&mut known, &first, &live));
    assert_eq!(holders(&known), [THIRD]);
}

fn table_in(known: &mut Baselines, id: &str) {
    let baseline = known.by_id.get_mut(&ResourceId::RouteTable(id.into()));
    match &mut baseline.unwrap().state {
        Some(Resource::RouteTable(table)) => table.subnets.insert(SUBNET.into()),
        other => panic!("{other:?}"),
    };
}

/// The chain of associations does not tell when a person decided.
#[test]
fn a_move_of_the_second_of_a_persons_word_is_not_put_after_it_by_its_association() {
    let (good, mut live) = worlds();
    let [first, second] = moves([5, 5]);
    let mut known = good;
    assert!(written(&mut known, &first, &live));
    // It went on from there in another second's time, as live shows no more.
    table(&mut live, THIRD).subnets.clear();
    live.handles.associations.clear();
    let chained = fold(&second, &known, &live);
    assert!(!chained.updated.is_empty() && chained.overruled.is_empty());
    let element = Element::Subnet(SUBNET.into());
    let third = known.by_id.get_mut(&ResourceId::RouteTable(THIRD.into()));
    let word = Mark::new(second.at, "promoted".into());
    third.unwrap().marks.insert(element, word);
    let against = fold(&second, &known, &live);
    assert!(against.updated.is_empty() && against.by_live, "{against:?}");
    assert_eq!(against.overruled.len(), 1);
}

/// What it ended is made by an event that is on its way: until then nothing tells which was first.
#[test]
fn a_move_that_ended_what_nothing_knows_waits_for_the_event_between() {
    let (good, mut live) = worlds();
    let [first, mut third] = moves([5, 5]);
    third.edits = Edits::Known(vec![Edit::TableReassociated {
        association: "rtbassoc-9".into(),
        table: THIRD.into(),
        new_association: Some("rtbassoc-2".into()),
    }]);
    let mut known = good;
    assert!(written(&mut known, &first, &live));
    // Somebody led it elsewhere since: live does not speak for the move.
    table(&mut live, THIRD).subnets.clear();
    let waits = fold(&third, &known, &live);
    assert!(waits.premature && waits.updated.is_empty(), "{waits:?}");
    assert_eq!(waits.refused.len(), 1);
    table(&mut live, THIRD).subnets.insert(SUBNET.into());
    let agreed = fold(&third, &known, &live);
    assert!(!agreed.premature && !agreed.updated.is_empty());
}

#[test]
fn that_a_subnet_left_a_deleted_table_is_remembered_there_by_its_newest_leaving() {
    let (good, live) = worlds();
    let [first, second] = moves([5, 6]);
    let mut known = good;
    assert!(written(&mut known, &first, &live));
    let gone = ResourceId::RouteTable(PRIVATE.into());
    known.by_id.get_mut(&gone).unwrap().state = None;
    assert!(written(&mut known, &second, &live));
    let mark = &known.by_id[&gone].marks[&Element::Subnet(SUBNET.into())];
    assert_eq!((mark.at, &mark.event), (second.at, &second.event));
    assert_eq!(known.by_id[&gone].state, None);
    assert_eq!(holders(&known), [THIRD]);
}
