//! A batch over a world that only buries.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use serde_json::json;
use snapback_app::port::*;
use snapback_engine::change::Own;
use snapback_engine::execution::ErrorClass;
use snapback_engine::incident::{
    AccountRecord, Activity, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_engine::plan::Action;
use snapback_engine::policy::Policy;
use snapback_model::*;
use std::sync::Mutex;
use std::time::Duration;

/// Buries everything but what asks not to be; can do nothing else.
#[derive(Debug, Default)]
struct World {
    buried: Mutex<Vec<(String, String)>>,
}

fn down(operation: &str) -> CallError {
    CallError {
        operation: operation.into(),
        resource: "test".into(),
        code: "Down".into(),
        message: "not here".into(),
        class: ErrorClass::Invalid,
        request: None,
    }
}

impl DeadLetter for World {
    async fn bury(&self, body: &str, reason: &str) -> Result<(), CallError> {
        assert!(!body.contains("panic"), "a fault of ours");
        if body.contains("stubborn") {
            return Err(down("SendMessage"));
        }
        self.buried
            .lock()
            .unwrap()
            .push((body.into(), reason.into()));
        Ok(())
    }
}

impl Observe for World {
    async fn observe(&self, _: &Scope) -> Result<Snapshot, CallError> {
        Err(down("Describe"))
    }
}

impl Actuate for World {
    async fn act(&self, _: &Action, _: &Handles) -> Result<Receipt, CallError> {
        Err(down("Act"))
    }
}

impl BaselineRead for World {
    async fn baselines(&self, _: &Wanted) -> Result<Option<Baselines>, StoreError> {
        Err(down("BatchGetItem").into())
    }
}

impl BaselineWrite for World {
    async fn put_baselines(&self, _: &[Baseline]) -> Result<(), StoreError> {
        Err(down("TransactWriteItems").into())
    }

    async fn put_topology(&self, _: &Topology) -> Result<(), StoreError> {
        Err(down("TransactWriteItems").into())
    }

    async fn put_seen(&self, _: &Topology) -> Result<(), StoreError> {
        Err(down("TransactWriteItems").into())
    }
}

impl Journal for World {
    async fn record(&self, _: &ResourceId) -> Result<ResourceRecord, StoreError> {
        Err(down("GetItem").into())
    }

    async fn lease(&self, _: &LeaseScope) -> Result<Lease, StoreError> {
        Err(down("GetItem").into())
    }

    async fn account(&self) -> Result<AccountRecord, StoreError> {
        Err(down("GetItem").into())
    }

    async fn activity(&self, _: &str) -> Result<Activity, StoreError> {
        Err(down("GetItem").into())
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        // What is told of a buried message has no record.
        let record = commit.record;
        record.map_or(Ok(()), |_| Err(down("TransactWriteItems").into()))
    }

    async fn entries(&self, _: &IncidentId) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    async fn is_ours(&self, _: &RequestId) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn unfinished(&self) -> Result<Vec<ResourceRecord>, StoreError> {
        Ok(Vec::new())
    }
}

impl Inbox for World {
    async fn send(&self, _: &Command, _: Duration) -> Result<(), CallError> {
        Err(down("SendMessage"))
    }

    async fn forward(&self, _: &str) -> Result<(), CallError> {
        Err(down("SendMessage"))
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, _: Duration) {}
}

impl Meter for World {
    fn measure(&self, _: Metric, _: f64) {}
}

fn batch(bodies: &[&str]) -> SqsEvent {
    let record =
        |(index, body): (usize, &&str)| json!({"messageId": format!("m{index}"), "body": body});
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({"Records": records})).unwrap()
}

fn run(batch: &SqsEvent) -> (Vec<String>, Vec<(String, String)>) {
    let guard = Arc::new(Guard::new(
        World::default(),
        Policy::default(),
        Own::default(),
        "test",
    ));
    let deadline = Timestamp::now()
        .checked_add(jiff::Span::new().seconds(50))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let failed = runtime.block_on(batch_of(&guard, batch, deadline));
    let failed = failed
        .iter()
        .map(|message| message.message_id.clone().unwrap())
        .collect();
    let buried = guard.ports.buried.lock().unwrap().clone();
    (failed, buried)
}

#[test]
fn one_malformed_message_spoils_nothing() {
    let command = r#"{"snapback":"recheck","resource":"sg-1","why":"missed","asked_at":"2026-01-02T03:04:05Z"}"#;
    let (failed, buried) = run(&batch(&["not JSON", command, "stubborn", "panic", "{}"]));
    assert_eq!(
        failed,
        ["m1", "m2", "m3"],
        "what was not handled comes again, and only that"
    );
    let bodies: Vec<&str> = buried.iter().map(|(body, _)| body.as_str()).collect();
    assert_eq!(bodies, ["not JSON", "{}"]);
    assert!(buried[0].1.contains("line 1"), "{buried:?}");
}

#[test]
fn the_answer_names_what_failed() {
    let failed = batch(&["a", "b"]).records;
    let answer = serde_json::to_value(answer(&failed).unwrap()).unwrap();
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]})
    );
}

#[test]
fn a_message_waits_longer_each_time() {
    assert_eq!([1, 2, 3, 4, 5].map(wait_after), [10, 40, 160, 640, 900]);
}

/// The guard tells people on the last try: it must know which one that is.
#[test]
fn the_template_gives_a_message_up_after_as_many_tries() {
    let template = include_str!("../../../template.yaml");
    let inbox = template.split("\n  Inbox:").nth(1).unwrap();
    assert!(inbox.contains(&format!("maxReceiveCount: {TRIES}")));
}
