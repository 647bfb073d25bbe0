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
        ..Head::default()
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
        ..Head::default()
    };
    let fresh = Tables::new(&dynamo.sdk(), "state", "journal");
    assert_eq!(
        wait(fresh.captured_topology(&old, None)),
        Ok(named("third"))
    );
}

/// An account of 10 000 interfaces, and one of everything else.
fn large() -> Topology {
    let mut topology = of("vpc-1");
    topology.join(of("vpc-2"));
    topology.read = ContextKind::ALL.into();
    let subnet = Subnet::new("subnet-1", "vpc-1");
    topology.subnets.insert(subnet.id.clone(), subnet);
    for number in 0..10_000_u32 {
        let interface = NetworkInterface {
            description: Some("ELB app/front/50dc6c495c0c9188 ".repeat(3)),
            addresses: [std::net::IpAddr::from(number.to_be_bytes())].into(),
            tags: [("Name".to_owned(), "x".repeat(100))].into(),
            ..NetworkInterface::new(format!("eni-{number:05}").as_str(), "vpc-1", "subnet-1")
        };
        topology.interfaces.insert(interface.id.clone(), interface);
    }
    for (id, resource) in [("fl-1", "subnet-1"), ("fl-2", "vpc-2"), ("fl-3", "tgw-1")] {
        let log = FlowLog {
            id: id.into(),
            resource: resource.into(),
            active: true,
            delivery_failed: false,
            traffic: FlowLogTraffic::All,
            tags: Tags::new(),
        };
        topology.flow_logs.insert(id.into(), log);
    }
    topology.block_public_access = Some(BlockPublicAccess {
        mode: BlockMode::Ingress,
        exclusions: BTreeMap::new(),
    });
    topology.stale_references = [("sg-1".into(), ["sg-9".into()].into())].into();
    topology
}

#[test]
fn ten_thousand_interfaces_and_all_that_watches_them_are_stored_in_parts_and_read_back() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    let all = large();
    wait(tables.put_topology(&all)).unwrap();
    let fresh = Tables::new(&dynamo.sdk(), "state", "journal");
    assert_eq!(read(&fresh), Ok(Some(all)));
    assert!(
        dynamo.largest_body() <= BODY_MAX,
        "{}",
        dynamo.largest_body()
    );
}

#[test]
fn a_part_says_of_which_vpcs_it_tells() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    wait(tables.put_topology(&large())).unwrap();
    let head = wait(tables.head()).unwrap().unwrap();
    let part = |vpcs: &[&str]| {
        let vpcs = vpcs.iter().map(|vpc| VpcId::from(*vpc)).collect();
        wait(tables.captured_topology(&head, Some(vpcs))).unwrap()
    };
    let one = part(&["vpc-2"]);
    assert_eq!(one.flow_logs.keys().collect::<Vec<_>>(), ["fl-2", "fl-3"]);
    assert!(one.has_read_in(ContextKind::Interfaces, &"vpc-2".into()));
    assert!(!one.has_read_in(ContextKind::Interfaces, &"vpc-1".into()));
    assert!(!one.has_read(ContextKind::Interfaces));
    assert!(part(&["vpc-1", "vpc-2"]).has_read(ContextKind::Interfaces));
}

/// What was captured and what was seen since, of some VPCs or all.
fn both(tables: &Tables, vpcs: Option<&[&str]>) -> (Topology, Option<Topology>) {
    let wanted = Wanted {
        everything: vpcs.is_none(),
        vpcs: vpcs
            .unwrap_or_default()
            .iter()
            .map(|vpc| (Kind::RouteTable, VpcId::from(*vpc)))
            .collect(),
        ..Wanted::default()
    };
    let read = wait(tables.baselines(&wanted)).unwrap().unwrap();
    (read.topology, read.seen)
}

/// Two VPCs, and a prefix list with one network.
fn listed(network: &str) -> Topology {
    let mut topology = of("vpc-1");
    topology.join(of("vpc-2"));
    let id = PrefixListId::from("pl-1");
    let list = PrefixList {
        id: id.clone(),
        name: None,
        version: Some(1),
        max_entries: None,
        entries: Some([network.parse().unwrap()].into()),
    };
    topology.prefix_lists.insert(id, list);
    topology
}

#[test]
fn what_a_sweep_saw_stands_beside_the_capture_until_the_next_capture() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    let (good, wide) = (listed("10.0.0.0/8"), listed("0.0.0.0/0"));
    wait(tables.put_seen(&wide)).unwrap();
    wait(tables.put_topology(&good)).unwrap();
    assert_eq!(both(&tables, None), (good.clone(), None));
    wait(tables.put_seen(&wide)).unwrap();
    let fresh = Tables::new(&dynamo.sdk(), "state", "journal");
    assert_eq!(both(&fresh, None), (good.clone(), Some(wide.clone())));
    let (_, seen) = both(&fresh, Some(&["vpc-1"]));
    let seen = seen.unwrap();
    assert_eq!(seen.prefix_lists, wide.prefix_lists);
    assert_eq!(seen.vpcs.len(), 1, "its VPC's context only");
    assert_eq!(seen.part, Some(["vpc-1".into()].into()));
    wait(tables.put_seen(&good)).unwrap();
    assert_eq!(both(&fresh, None), (good, None), "nothing is new any more");
    wait(tables.put_topology(&wide)).unwrap();
    assert_eq!(both(&fresh, None), (wide, None), "a capture is newer");
}

#[test]
fn only_what_a_sweep_saw_otherwise_is_stored_and_read_again() {
    let dynamo = Dynamo::default();
    let tables = Tables::new(&dynamo.sdk(), "state", "journal");
    let good = listed("10.0.0.0/8");
    wait(tables.put_topology(&good)).unwrap();
    let mut now = good.clone();
    now.vpcs.remove(&VpcId::from("vpc-2"));
    now.join(of("vpc-3"));
    wait(tables.put_seen(&now)).unwrap();
    let head = wait(tables.heads()).unwrap().seen.unwrap();
    assert_eq!(head.parts.keys().collect::<Vec<_>>(), ["vpc-3"]);
    assert_eq!(both(&tables, None), (good, Some(now)));
    // A VPC that is gone is seen as gone, one that is as it was costs no read.
    let (_, gone) = both(&tables, Some(&["vpc-2"]));
    assert_eq!(gone.unwrap().vpcs, BTreeMap::new());
    let before = dynamo.calls().len();
    assert_eq!(both(&tables, Some(&["vpc-1"])).1, None);
    let one = both(&tables, Some(&["vpc-3"])).1.unwrap();
    assert_eq!(one.vpcs.len(), 1);
    assert_eq!(
        dynamo.calls().len() - before,
        4,
        "for each the heads and the index of its VPC: what was seen is remembered"
    );
}
