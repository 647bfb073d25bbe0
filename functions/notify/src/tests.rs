//! A batch over a channel that takes, refuses for now, or refuses for good.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use serde_json::json;
use snapback_app::port::{CallError, DeliverError, StoreError};
use snapback_engine::incident::{Body, Cause, Entry, Outcome, Report};
use snapback_engine::notification::Notification;
use std::sync::Mutex;

#[derive(Default)]
struct Fake {
    /// Incidents refused, and whether to try again.
    refused: Vec<(&'static str, bool)>,
    shown: Mutex<Vec<String>>,
    marked: Mutex<Vec<String>>,
    buried: Mutex<Vec<String>>,
}

impl Channel for &Fake {
    fn name(&self) -> &'static str {
        "sns"
    }

    async fn deliver(&self, message: &Notification) -> Result<(), DeliverError> {
        match self
            .refused
            .iter()
            .find(|(incident, _)| message.key.contains(incident))
        {
            // Slack's own wait is longer than the time that is left, so that no test sleeps.
            Some((_, retry)) => Err(DeliverError {
                channel: "sns",
                message: "no".into(),
                retry: *retry,
                retry_after: Some(Duration::from_secs(300)),
            }),
            None => {
                self.shown.lock().unwrap().push(message.key.clone());
                Ok(())
            }
        }
    }
}

impl Deliveries for &Fake {
    async fn was_delivered(&self, _: &str, key: &str) -> Result<bool, StoreError> {
        Ok(self.marked.lock().unwrap().contains(&key.to_owned()))
    }

    async fn mark_delivered(&self, _: &str, key: &str) -> Result<(), StoreError> {
        self.marked.lock().unwrap().push(key.to_owned());
        Ok(())
    }
}

impl DeadLetter for &Fake {
    async fn bury(&self, body: &str, _: &str) -> Result<(), CallError> {
        self.buried.lock().unwrap().push(body.to_owned());
        Ok(())
    }
}

fn closing(incident: &str) -> Entry {
    let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let report: Report = serde_json::from_value(json!({
        "outcome": Outcome::Alerted, "severity": "high", "mode": "observe", "resource": null, "label": "sg-1",
        "vpc": null, "account": null, "region": null, "cause": Cause::Missed, "actor": null, "api": null,
        "event_at": null, "differences": [], "findings": [], "impact": snapback_engine::impact::Impact::default(),
        "steps": [], "executed": false, "problems": [], "next": [], "arrived_at": at, "ended_at": at,
    }))
    .unwrap();
    Entry {
        incident: incident.into(),
        sequence: 3,
        at,
        body: Body::Closed {
            report: Box::new(report),
        },
    }
}

fn record(sequence: u32, image: &Value) -> Value {
    json!({"eventName": "INSERT", "dynamodb": {"SequenceNumber": sequence.to_string(), "NewImage": image}})
}

fn closing_record(sequence: u32, incident: &str) -> Value {
    let body = serde_json::to_string(&closing(incident)).unwrap();
    record(
        sequence,
        &json!({"closed": {"BOOL": true}, "body": {"S": body}}),
    )
}

fn run(fake: &Fake, records: Vec<Value>, seconds: i64) -> Answer {
    let notify = Notify {
        channel: fake,
        deliveries: fake,
        dead_letters: fake,
    };
    let deadline = Timestamp::now()
        .checked_add(jiff::Span::new().seconds(seconds))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(notify.batch(&Batch { records }, deadline))
        .unwrap()
}

fn held(list: &Mutex<Vec<String>>) -> Vec<String> {
    list.lock().unwrap().clone()
}

#[test]
fn each_closing_entry_is_shown_once() {
    let fake = Fake::default();
    let records = || {
        vec![
            closing_record(1, "inc-a"),
            record(2, &json!({"pk": {"S": "request#r"}})),
            closing_record(3, "inc-b"),
            closing_record(4, "inc-a"),
        ]
    };
    assert_eq!(run(&fake, records(), 50), Answer::default());
    assert_eq!(run(&fake, records(), 50), Answer::default());
    assert_eq!(held(&fake.shown).len(), 2);
}

#[test]
fn a_channel_that_is_down_brings_the_rest_again() {
    let fake = Fake {
        refused: vec![("inc-b", true)],
        ..Fake::default()
    };
    let records = vec![
        closing_record(1, "inc-a"),
        closing_record(2, "inc-b"),
        closing_record(3, "inc-c"),
    ];
    assert_eq!(run(&fake, records, 50), Answer::again_from("2"));
    assert_eq!(held(&fake.shown).len(), 1);
    assert!(held(&fake.buried).is_empty());
}

#[test]
fn what_is_refused_for_good_or_unreadable_is_buried_and_holds_up_nothing() {
    let fake = Fake {
        refused: vec![("inc-b", false)],
        ..Fake::default()
    };
    let unreadable = record(2, &json!({"closed": {"BOOL": true}, "body": {"S": "{"}}));
    let records = vec![
        closing_record(1, "inc-b"),
        unreadable,
        closing_record(3, "inc-c"),
    ];
    assert_eq!(run(&fake, records, 50), Answer::default());
    assert_eq!(held(&fake.shown).len(), 1);
    assert_eq!(held(&fake.buried).len(), 2);
}

#[test]
fn without_time_nothing_begins() {
    let fake = Fake::default();
    assert_eq!(
        run(&fake, vec![closing_record(7, "inc-a")], 2),
        Answer::again_from("7")
    );
    assert!(held(&fake.shown).is_empty());
}
