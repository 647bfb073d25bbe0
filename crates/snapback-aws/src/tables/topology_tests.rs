//! Captures beside captures and beside readers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::super::{Condition, Tables, Write};
use super::*;
use crate::dynamo::Dynamo;
use snapback_app::port::{BaselineRead, BaselineWrite, Wanted};
use std::future::Future;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn of(vpc: &str) -> Topology {
    let id = VpcId::from(vpc);
    let value = Vpc::new(id.clone());
    Topology {
        vpcs: BTreeMap::from([(id, value)]),
        ..Topology::default()
    }
}

fn read(tables: &Tables) -> Result<Option<Topology>, StoreError> {
    let wanted = Wanted {
        everything: true,
        ..Wanted::default()
    };
    wait(tables.baselines(&wanted)).map(|found| found.map(|baselines| baselines.topology))
}

#[test]
fn a_capture_that_only_began_is_not_seen() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    wait(tables.put_topology(&of("vpc-1"))).unwrap();
    // Another one claims its number, writes a part and dies.
    let head = wait(tables.head()).unwrap().unwrap();
    let claimed = Head {
        claim: head.claim + 1,
        ..head.clone()
    };
    wait(tables.turn(&claimed, head.claim)).unwrap();
    let key = Head {
        slot: 1 - head.slot,
        ..head
    }
    .key("vpc-1", 0);
    let mut item = key.with(&of("vpc-9")).unwrap();
    item.insert(
        CAPTURE.to_owned(),
        AttributeValue::N(claimed.claim.to_string()),
    );
    let condition = Some(Condition::NotAfter(CAPTURE, claimed.claim));
    wait(tables.write(
        WHAT,
        vec![Write {
            table: "state".into(),
            item,
            condition,
        }],
    ))
    .unwrap();
    let fresh = Tables::new(&dynamo.sdk(), "state", "journal");
    assert_eq!(read(&fresh), Ok(Some(of("vpc-1"))));
    // The next one goes on.
    wait(tables.put_topology(&of("vpc-2"))).unwrap();
    assert_eq!(read(&fresh), Ok(Some(of("vpc-2"))));
}

#[test]
fn a_capture_that_was_overtaken_cannot_turn_the_head_or_write_over_the_later_one() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    let slow = Head {
        claim: 1,
        ..Head::default()
    };
    wait(tables.turn(&slow, 0)).unwrap();
    wait(tables.put_topology(&of("vpc-2"))).unwrap();
    let late = Head {
        capture: 1,
        claim: 1,
        slot: 1,
        parts: BTreeMap::from([("vpc-1".into(), 1)]),
    };
    let mut item = late.key("vpc-2", 0).with(&of("vpc-1")).unwrap();
    item.insert(CAPTURE.to_owned(), AttributeValue::N("1".into()));
    let condition = Some(Condition::NotAfter(CAPTURE, 1));
    let part = wait(tables.write(
        WHAT,
        vec![Write {
            table: "state".into(),
            item,
            condition,
        }],
    ));
    assert!(matches!(part, Err(StoreError::Conflict { .. })), "{part:?}");
    let head = wait(tables.turn(&late, 1));
    assert!(matches!(head, Err(StoreError::Conflict { .. })), "{head:?}");
    assert_eq!(read(&tables), Ok(Some(of("vpc-2"))));
}

#[test]
fn a_reader_that_was_overtaken_begins_again() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    let named = |name: &str| {
        let mut topology = of("vpc-1");
        topology
            .vpcs
            .values_mut()
            .for_each(|vpc| drop(vpc.tags.insert("Name".into(), name.into())));
        topology
    };
    for name in ["first", "second", "third"] {
        wait(tables.put_topology(&named(name))).unwrap();
    }
    // The head as it was two captures ago: its slot has been written over.
    let old = Head {
        capture: 1,
        claim: 1,
        slot: 1,
        parts: BTreeMap::from([("vpc-1".into(), 1)]),
    };
    let fresh = Tables::new(&dynamo.sdk(), "state", "journal");
    assert_eq!(
        wait(fresh.captured_topology(&old, None)),
        Ok(named("third"))
    );
}
