//! The ports' promises, against a table in memory that knows the expressions this room writes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::Tables;
use super::item::{BODY_MAX, CLOSED};
use crate::dynamo::Dynamo;
use snapback_app::port::*;
use snapback_engine::execution::{ErrorClass, StepOutcome};
use snapback_engine::incident::{
    AccountRecord, Activity, Body, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

fn tables() -> (Tables, Dynamo) {
    let dynamo = Dynamo::default();
    (Tables::new(&dynamo.sdk(), "state", "journal"), dynamo)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + second).unwrap()
}

fn baseline(id: &str, vpc: Option<&str>, generation: u64, associations: &[&str]) -> Baseline {
    let id: ResourceId = id.parse().unwrap();
    let handle = |association: &&str| {
        let subject =
            AssociationSubject::Subnet(format!("subnet-of-{association}").as_str().into());
        (
            (*association).into(),
            AssociationHandle {
                resource: id.clone(),
                subject,
            },
        )
    };
    Baseline {
        schema: BASELINE_SCHEMA,
        vpc: vpc.map(VpcId::from),
        state: None,
        handles: Handles {
            associations: associations.iter().map(handle).collect(),
            ..Handles::default()
        },
        generation: Generation(generation),
        parent: None,
        provenance: snapback_model::Provenance {
            origin: Origin::Captured,
            by: "me".into(),
            why: "first".into(),
            at: at(0),
            event: None,
        },
        marks: BTreeMap::new(),
        predecessor: None,
        successor: None,
        id,
    }
}

fn ids(baselines: &Baselines) -> Vec<&str> {
    baselines.by_id.keys().map(ResourceId::as_str).collect()
}

fn of(ids: &[&str]) -> Wanted {
    Wanted {
        resources: ids.iter().map(|id| id.parse().unwrap()).collect(),
        ..Wanted::default()
    }
}

fn topology(vpcs: &[&str], subnets: usize) -> Topology {
    let mut topology = Topology::default();
    for vpc in vpcs {
        let id = VpcId::from(*vpc);
        let value = Vpc::new(id.clone());
        topology.vpcs.insert(id.clone(), value);
        for number in 0..subnets {
            let subnet = SubnetId::new(format!("subnet-{vpc}-{number}"));
            let tags = Tags::from([("Name".to_owned(), "x".repeat(200))]);
            let value = Subnet {
                tags,
                ..Subnet::new(subnet.clone(), id.clone())
            };
            topology.subnets.insert(subnet, value);
        }
    }
    topology
}

#[test]
fn nothing_captured_is_told_from_nothing_known() {
    let (tables, _) = tables();
    assert_eq!(wait(tables.baselines(&of(&["sg-1"]))), Ok(None));
    wait(tables.put_topology(&Topology::default())).unwrap();
    assert_eq!(
        wait(tables.baselines(&of(&["sg-1"]))),
        Ok(Some(Baselines::default()))
    );
}

#[test]
fn a_known_resource_is_one_read_when_warm() {
    let (tables, dynamo) = tables();
    wait(tables.put_baselines(&[baseline("sg-1", Some("vpc-1"), 1, &[])])).unwrap();
    wait(tables.put_topology(&topology(&["vpc-1", "vpc-2"], 1))).unwrap();
    let cold = wait(tables.baselines(&of(&["sg-1"]))).unwrap().unwrap();
    assert_eq!(ids(&cold), ["sg-1"]);
    let of_its_vpc = Topology {
        part: Some(["vpc-1".into()].into()),
        ..topology(&["vpc-1"], 1)
    };
    assert_eq!(
        cold.topology, of_its_vpc,
        "its VPC's context only, and it says so"
    );
    let before = dynamo.calls().len();
    assert_eq!(
        wait(tables.baselines(&of(&["sg-1"]))).unwrap().unwrap(),
        cold
    );
    assert_eq!(dynamo.calls()[before..], ["BatchGetItem"]);
}

#[test]
fn baselines_are_found_by_vpc_by_association_and_altogether() {
    let (tables, _) = tables();
    let all = [
        baseline("acl-1", Some("vpc-1"), 1, &["aclassoc-1", "aclassoc-2"]),
        baseline("acl-2", Some("vpc-2"), 1, &["aclassoc-3"]),
        baseline("rtb-1", Some("vpc-1"), 1, &["rtbassoc-1"]),
        baseline("sg-1", None, 1, &[]),
    ];
    wait(tables.put_baselines(&all)).unwrap();
    let read = |wanted: Wanted| {
        let baselines = wait(tables.baselines(&wanted)).unwrap().unwrap();
        ids(&baselines)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let vpcs = BTreeSet::from([(Kind::NetworkAcl, "vpc-1".into())]);
    assert_eq!(
        read(Wanted {
            vpcs,
            ..of(&["sg-1"])
        }),
        ["sg-1", "acl-1"]
    );
    let associations = BTreeSet::from(["aclassoc-3".into(), "rtbassoc-1".into()]);
    assert_eq!(
        read(Wanted {
            associations,
            ..Wanted::default()
        }),
        ["acl-2", "rtb-1"]
    );
    assert_eq!(
        read(Wanted {
            everything: true,
            ..Wanted::default()
        }),
        ["sg-1", "acl-1", "acl-2", "rtb-1"]
    );
}

#[test]
fn a_baseline_is_written_on_the_generation_it_was_computed_from() {
    let (tables, _) = tables();
    let conflict = |result| matches!(result, Err(StoreError::Conflict { .. }));
    wait(tables.put_baselines(&[baseline("sg-1", None, 1, &[])])).unwrap();
    assert!(conflict(wait(tables.put_baselines(&[baseline(
        "sg-1",
        None,
        1,
        &[]
    )]))));
    assert!(conflict(wait(tables.put_baselines(&[baseline(
        "sg-1",
        None,
        3,
        &[]
    )]))));
    // One conflict keeps its whole company out.
    assert!(conflict(wait(tables.put_baselines(&[
        baseline("sg-2", None, 1, &[]),
        baseline("sg-1", None, 1, &[])
    ]))));
    assert!(
        ids(&wait(tables.baselines(&of(&["sg-1", "sg-2"])))
            .unwrap()
            .unwrap())
            == ["sg-1"]
    );
    wait(tables.put_baselines(&[baseline("sg-1", None, 2, &[])])).unwrap();
    let read = wait(tables.baselines(&of(&["sg-1"]))).unwrap().unwrap();
    assert_eq!(
        read.by_id.values().next().unwrap().generation,
        Generation(2)
    );
}

#[test]
fn every_generation_is_kept_and_read_newest_first() {
    let (tables, _) = tables();
    for generation in 1..=20 {
        let mut next = baseline("sg-1", Some("vpc-1"), generation, &[]);
        next.provenance.at = at(i64::try_from(generation).unwrap());
        wait(tables.put_baselines(&[next])).unwrap();
    }
    let id: ResourceId = "sg-1".parse().unwrap();
    let mut all = Vec::new();
    loop {
        let before = all.last().copied();
        let page = wait(tables.generations(&id, before)).unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page.into_iter().map(|baseline| baseline.generation));
    }
    let expected: Vec<Generation> = (1..=20).rev().map(Generation).collect();
    assert_eq!(all, expected);
    let stood = |second| wait(tables.generation_at(&id, at(second))).unwrap();
    assert_eq!(stood(3).unwrap().generation, Generation(3));
    assert_eq!(stood(99).unwrap().generation, Generation(20));
    assert_eq!(stood(0), None);
}

#[test]
fn many_baselines_stop_at_the_first_conflict() {
    let (tables, _) = tables();
    wait(tables.put_baselines(&[baseline("sg-070", None, 1, &[])])).unwrap();
    let many: Vec<Baseline> = (0..120)
        .map(|n| baseline(&format!("sg-{n:03}"), None, 1, &[]))
        .collect();
    assert!(matches!(
        wait(tables.put_baselines(&many)),
        Err(StoreError::Conflict { .. })
    ));
    let read = wait(tables.baselines(&Wanted {
        everything: true,
        ..Wanted::default()
    }))
    .unwrap()
    .unwrap();
    assert_eq!(
        read.by_id.len(),
        51,
        "the first fifty and the one that was there"
    );
}

#[test]
fn a_large_topology_is_split_and_read_back_whole() {
    let (tables, dynamo) = tables();
    let large = topology(&["vpc-1", "vpc-2"], 3000);
    wait(tables.put_topology(&large)).unwrap();
    assert!(
        dynamo.largest_body() <= BODY_MAX,
        "{}",
        dynamo.largest_body()
    );
    let read = wait(tables.baselines(&Wanted {
        everything: true,
        ..Wanted::default()
    }))
    .unwrap()
    .unwrap();
    assert_eq!(read.topology, large);
    // A smaller capture leaves nothing of a larger one behind.
    for small in [
        topology(&["vpc-1"], 2),
        topology(&["vpc-1"], 1),
        topology(&["vpc-2"], 1),
    ] {
        wait(tables.put_topology(&small)).unwrap();
        let read = wait(tables.baselines(&Wanted {
            everything: true,
            ..Wanted::default()
        }))
        .unwrap()
        .unwrap();
        assert_eq!(read.topology, small);
    }
}

fn entry(incident: &str, sequence: u32, body: Body) -> Entry {
    Entry {
        incident: incident.into(),
        sequence,
        at: at(sequence.into()),
        body,
    }
}

fn started(incident: &str, sequence: u32) -> Entry {
    entry(
        incident,
        sequence,
        Body::StepStarted {
            step: 0,
            handles: Handles::default(),
            fencing: 1,
        },
    )
}

fn record(version: u64, open: Option<&str>) -> ResourceRecord {
    ResourceRecord {
        version,
        open: open.map(Into::into),
        ..ResourceRecord::new("sg-1".parse().unwrap())
    }
}

#[test]
fn a_record_and_its_entries_are_written_together_or_not_at_all() {
    let (tables, dynamo) = tables();
    let id: ResourceId = "sg-1".parse().unwrap();
    assert_eq!(
        wait(tables.record(&id)).unwrap(),
        ResourceRecord::new(id.clone())
    );
    wait(tables.commit(&Commit::of(
        &record(1, Some("inc-1")),
        &[started("inc-1", 0), started("inc-1", 1)],
    )))
    .unwrap();
    assert_eq!(
        dynamo.calls(),
        ["GetItem", "TransactWriteItems"],
        "one round trip"
    );
    // A stale writer, and one whose number is taken.
    for (record, entries) in [
        (record(1, None), vec![started("inc-1", 2)]),
        (
            record(2, None),
            vec![started("inc-1", 2), started("inc-1", 1)],
        ),
    ] {
        let refused = wait(tables.commit(&Commit::of(&record, &entries))).unwrap_err();
        assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    }
    assert_eq!(wait(tables.entries(&"inc-1".into())).unwrap().len(), 2);
    assert_eq!(wait(tables.record(&id)).unwrap(), record(1, Some("inc-1")));
}

#[test]
fn a_lease_and_counts_are_written_on_the_version_before_with_the_record() {
    let (tables, dynamo) = tables();
    let scope = LeaseScope::Vpc("vpc-1".into());
    let free = wait(tables.lease(&scope)).unwrap();
    assert_eq!(free, Lease::new(scope.clone()));
    let (held, counted) = (
        free.claimed("a", at(60)),
        AccountRecord::default().counted(&"sg-1".parse().unwrap(), at(0)),
    );
    let of_author = Activity {
        version: 1,
        ..Activity::new("arn:aws:iam::1:role/x")
    };
    let first = record(1, Some("inc-1"));
    let all = Commit {
        lease: Some(&held),
        account: Some(&counted),
        activity: Some(&of_author),
        ..Commit::of(&first, &[])
    };
    wait(tables.commit(&all)).unwrap();
    assert_eq!(dynamo.calls(), ["GetItem", "TransactWriteItems"]);
    assert_eq!(wait(tables.lease(&scope)).unwrap(), held);
    assert_eq!(wait(tables.account()).unwrap(), counted);
    assert_eq!(
        wait(tables.activity("arn:aws:iam::1:role/x")).unwrap(),
        of_author
    );
    // A lease that somebody took meanwhile keeps the record from being written.
    let second = record(2, Some("inc-1"));
    let stale = Commit {
        lease: Some(&held),
        ..Commit::of(&second, &[])
    };
    let refused = wait(tables.commit(&stale)).unwrap_err();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    assert_eq!(wait(tables.record(&first.resource)).unwrap(), first);
}

#[test]
fn entries_come_back_in_order() {
    let (tables, _) = tables();
    let entries: Vec<Entry> = (0..12)
        .rev()
        .map(|sequence| started("inc-1", sequence))
        .collect();
    wait(tables.commit(&Commit::entries(&entries))).unwrap();
    wait(tables.commit(&Commit::entries(&[started("inc-10", 0)]))).unwrap();
    let sequences: Vec<u32> = wait(tables.entries(&"inc-1".into()))
        .unwrap()
        .iter()
        .map(|entry| entry.sequence)
        .collect();
    assert_eq!(sequences, (0..12).collect::<Vec<_>>());
}

#[test]
fn our_request_ids_are_known_with_the_step_that_used_them() {
    let (tables, dynamo) = tables();
    let ended = |request: &str| Body::StepEnded {
        step: 0,
        outcome: StepOutcome::Applied {
            request: Some(request.into()),
            created: None,
        },
    };
    wait(tables.commit(&Commit::entries(&[entry("inc-1", 0, ended("req-1"))]))).unwrap();
    assert!(wait(tables.is_ours(&"req-1".into())).unwrap());
    assert!(!wait(tables.is_ours(&"req-2".into())).unwrap());
    let expires = dynamo.attribute("journal", "request#req-1", "request", "expires");
    assert_eq!(
        expires["N"].as_str().unwrap(),
        (at(90 * 86_400).as_second()).to_string()
    );
}

#[test]
fn only_open_stories_are_unfinished() {
    let (tables, _) = tables();
    wait(tables.commit(&Commit::of(&record(1, Some("inc-1")), &[]))).unwrap();
    let other = ResourceRecord {
        version: 1,
        ..ResourceRecord::new("acl-1".parse().unwrap())
    };
    wait(tables.commit(&Commit::of(&other, &[]))).unwrap();
    assert_eq!(
        wait(tables.unfinished()).unwrap(),
        [record(1, Some("inc-1"))]
    );
    wait(tables.commit(&Commit::of(&record(2, None), &[]))).unwrap();
    assert_eq!(wait(tables.unfinished()).unwrap(), []);
}

#[test]
fn what_is_too_large_is_told_and_not_written() {
    let (tables, dynamo) = tables();
    let huge = entry(
        "inc-1",
        0,
        Body::Interrupted {
            why: "x".repeat(BODY_MAX),
        },
    );
    let StoreError::Call(error) = wait(tables.commit(&Commit::entries(&[huge]))).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(
        (error.code.as_str(), error.class),
        ("ItemTooLarge", ErrorClass::Invalid)
    );
    assert!(error.resource.contains("incident#inc-1"));
    let many: Vec<Entry> = (0..101)
        .map(|sequence| started("inc-1", sequence))
        .collect();
    let StoreError::Call(error) = wait(tables.commit(&Commit::entries(&many))).unwrap_err() else {
        panic!()
    };
    assert_eq!(error.code, "TransactionTooLarge");
    assert!(dynamo.calls().is_empty());
}

#[test]
fn a_message_is_shown_once_on_each_channel() {
    let (tables, _) = tables();
    assert!(!wait(tables.was_delivered("sns", "inc-1#4")).unwrap());
    wait(tables.mark_delivered("sns", "inc-1#4")).unwrap();
    assert!(wait(tables.was_delivered("sns", "inc-1#4")).unwrap());
    assert!(!wait(tables.was_delivered("slack", "inc-1#4")).unwrap());
}

#[test]
fn what_does_not_read_back_is_named() {
    let (tables, dynamo) = tables();
    dynamo.put(
        "state",
        "record",
        "sg-1",
        serde_json::json!({"body": {"S": "{\"resource\":1}"}}),
    );
    let error = wait(tables.record(&"sg-1".parse().unwrap())).unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { what, .. } if what == "record/sg-1"),
        "{error}"
    );
    let body = serde_json::to_string(&Baseline {
        schema: 9,
        ..baseline("sg-1", None, 1, &[])
    })
    .unwrap();
    dynamo.put(
        "state",
        "baseline#security-group",
        "sg-1",
        serde_json::json!({"body": {"S": body}}),
    );
    let error = wait(tables.baselines(&of(&["sg-1"]))).unwrap_err();
    assert!(error.to_string().contains("the form 9"), "{error}");
}

#[test]
fn only_an_entry_that_closes_a_story_is_marked_for_the_stream() {
    let (tables, dynamo) = tables();
    wait(tables.commit(&Commit::entries(&[started("inc-1", 0)]))).unwrap();
    assert!(
        dynamo
            .attribute("journal", "incident#inc-1", "entry#0000000000", CLOSED)
            .is_null()
    );
}
