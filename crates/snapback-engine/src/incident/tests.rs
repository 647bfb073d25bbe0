#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::plan::{Action, Plan, Step};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn table() -> ResourceId {
    RouteTableId::new("rtb-1").into()
}

fn plan() -> Plan {
    Plan {
        goal: BTreeMap::new(),
        based_on: Digest::of(&0),
        steps: vec![Step {
            resource: table(),
            action: Action::DeleteRoute {
                table: "rtb-1".into(),
                destination: "10.9.0.0/16".parse().unwrap(),
                from: RouteTarget::InternetGateway("igw-1".into()),
            },
            why: "take back".into(),
        }],
        notes: Vec::new(),
    }
}

fn entries(bodies: Vec<Body>) -> Vec<Entry> {
    let mut all = vec![
        Body::Opened {
            resource: table(),
            cause: Cause::Missed,
            change: None,
            part_of: None,
        },
        Body::Planned {
            plan: Box::new(plan()),
        },
    ];
    all.extend(bodies);
    all.into_iter()
        .zip(0_u32..)
        .map(|(body, sequence)| Entry {
            incident: "inc-1".into(),
            sequence,
            at: at(sequence.into()),
            body,
        })
        .collect()
}

fn started() -> Body {
    Body::StepStarted {
        step: 0,
        handles: Handles::default(),
        fencing: 1,
    }
}

fn ended(outcome: StepOutcome) -> Body {
    Body::StepEnded { step: 0, outcome }
}

#[test]
fn a_call_that_was_begun_and_never_ended_is_unsettled() {
    let story = Story::read(&entries(vec![started()])).unwrap();
    assert_eq!(story.unsettled.len(), 1);
    assert_eq!(story.unsettled[0].at, at(2));
    assert!(story.made.is_empty());
}

#[test]
fn a_confirmed_call_is_settled_and_told_as_made() {
    let request = Some(RequestId::new("r"));
    let story = Story::read(&entries(vec![
        started(),
        ended(StepOutcome::Applied {
            request,
            created: None,
        }),
    ]))
    .unwrap();
    assert!(story.unsettled.is_empty());
    assert_eq!(story.made.len(), 1);
}

#[test]
fn a_lost_answer_stays_unsettled_even_when_a_repeat_is_confirmed() {
    let what = "no answer".to_owned();
    let story = Story::read(&entries(vec![
        started(),
        ended(StepOutcome::Unknown { what }),
        ended(StepOutcome::Applied {
            request: None,
            created: None,
        }),
    ]))
    .unwrap();
    assert_eq!(story.unsettled.len(), 1);
}

#[test]
fn a_story_without_its_beginning_does_not_read() {
    assert_eq!(Story::read(&entries(Vec::new())[1..]), None);
    assert_eq!(Story::read(&[]), None);
}

#[test]
fn a_new_claim_opens_a_story_and_a_takeover_keeps_it() {
    let fresh = ResourceRecord::new(table());
    let first = fresh.claimed("a", at(60));
    assert_eq!(
        (first.version, first.fencing, first.last_sequence),
        (1, 1, 0)
    );
    assert_eq!(first.open, Some(fresh.next_incident()));
    let skew = Duration::from_secs(5);
    assert!(first.is_held_against("b", at(0), skew));
    assert!(first.is_held_against("b", at(65), skew));
    assert!(!first.is_held_against("b", at(66), skew));
    let second = first.claimed("b", at(120));
    assert_eq!(second.open, first.open);
    assert_eq!((second.version, second.fencing), (2, 2));
    let closed = second.closed(BTreeMap::new(), false);
    assert_eq!((closed.open.clone(), closed.unsettled.len()), (None, 0));
    assert_ne!(closed.next_incident(), first.open.unwrap());
}

#[test]
fn the_same_matter_has_the_same_incident() {
    let one = once(Outcome::Blind, &("sg-1", "UnauthorizedOperation"));
    assert_eq!(
        one,
        once(Outcome::Blind, &("sg-1", "UnauthorizedOperation"))
    );
    assert_ne!(
        one,
        once(Outcome::Blind, &("sg-2", "UnauthorizedOperation"))
    );
    assert_ne!(
        one,
        once(Outcome::Failed, &("sg-1", "UnauthorizedOperation"))
    );
}

#[test]
fn a_record_of_the_first_version_still_reads() {
    let stored = r#"{"resource":"rtb-1","version":3,"holder":null,"lease_until":null,"fencing":2,"open":null,"last_sequence":4,"last_write":null,"told":{}}"#;
    let record: ResourceRecord = serde_json::from_str(stored).unwrap();
    assert!(record.unsettled.is_empty());
}

#[test]
fn stories_with_calls_nobody_answered_are_remembered_the_latest_of_them() {
    let mut record = ResourceRecord::new(table());
    let mut opened = Vec::new();
    for _ in 0..12 {
        record = record.claimed("a", at(60));
        opened.extend(record.open.clone());
        record = record.closed(BTreeMap::new(), true);
    }
    assert_eq!(record.unsettled, opened[4..]);
}

#[test]
fn a_release_lets_a_plan_be_as_large_as_the_one_that_was_stopped() {
    for (budget, allowance) in [
        (brake::Budget::CallsAPlan, Some(130)),
        (brake::Budget::RevertsOfAResourceAnHour, None),
        (brake::Budget::ResourcesRevertedInTenMinutes, None),
    ] {
        let mut record = ResourceRecord::new(table());
        record.count_revert(at(1));
        record.brake = Some(brake::Brake {
            stop: brake::Stop {
                budget,
                count: 130,
                limit: 100,
            },
            since: at(2),
            incident: "inc-1".into(),
        });
        let released = record.unbraked();
        assert_eq!(released.allowance, allowance, "{budget:?}");
        assert!(released.brake.is_none() && released.reverts.is_empty());
        assert_eq!(released.version, record.version + 1);
    }
}
