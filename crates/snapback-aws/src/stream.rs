//! The journal's stream as Lambda hands it over.
//!
//! - Owns: the few members of a stream batch that notify needs, and the answer that Lambda takes.
//! - Takes: the invocation's JSON (`dynamodb:NewImage` view).
//! - Gives: the entries that close stories, with their sequence numbers.
//! - Must not: fail a batch because one record cannot be read.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use crate::tables::item::{BODY, CLOSED};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapback_engine::incident::Entry;

/// A batch of stream records.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Batch {
    /// In stream order.
    #[serde(rename = "Records", default)]
    pub records: Vec<Value>,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An entry that closes a story.
    Closing(Box<Entry>),
    /// Anything else in the journal: nobody is told.
    Other,
    /// An entry that closes a story, so it says, but cannot be read.
    Unreadable {
        /// What is wrong.
        why: String,
    },
}

impl Record {
    /// Reads one record.
    pub fn read(record: &Value) -> Self {
        let image = record.pointer("/dynamodb/NewImage");
        let attribute = |name: &str, kind: &str| image.and_then(|image| image.get(name)?.get(kind));
        let is_new = record
            .get("eventName")
            .and_then(Value::as_str)
            .is_none_or(|name| name == "INSERT");
        if !is_new || attribute(CLOSED, "BOOL") != Some(&Value::Bool(true)) {
            return Self::Other;
        }
        let Some(body) = attribute(BODY, "S").and_then(Value::as_str) else {
            return Self::Unreadable {
                why: "the item has no body".to_owned(),
            };
        };
        match serde_json::from_str(body) {
            Ok(entry) => Self::Closing(Box::new(entry)),
            Err(error) => Self::Unreadable {
                why: format!("the entry does not read back: {error}"),
            },
        }
    }

    /// The record's sequence number, by which Lambda is told where to begin again.
    pub fn sequence(record: &Value) -> Option<&str> {
        record
            .pointer("/dynamodb/SequenceNumber")
            .and_then(Value::as_str)
    }
}

/// What Lambda is answered: the record to begin again at, if any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// One at most: everything from it on comes again.
    pub batch_item_failures: Vec<Failure>,
}

/// Where to begin again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// A sequence number.
    pub item_identifier: String,
}

impl Answer {
    /// Begin again at this record.
    pub fn again_from(sequence: impl Into<String>) -> Self {
        Self {
            batch_item_failures: vec![Failure {
                item_identifier: sequence.into(),
            }],
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(image: Value) -> Value {
        json!({"eventName": "INSERT", "dynamodb": {"SequenceNumber": "100", "NewImage": image}})
    }

    #[test]
    fn only_what_closes_a_story_is_an_entry() {
        assert_eq!(
            Record::read(&record(
                json!({"pk": {"S": "request#r"}, "sk": {"S": "request"}})
            )),
            Record::Other
        );
        assert_eq!(
            Record::read(&record(json!({"body": {"S": "{}"}}))),
            Record::Other
        );
        assert_eq!(
            Record::read(&json!({"eventName": "REMOVE", "dynamodb": {}})),
            Record::Other
        );
        assert_eq!(Record::read(&json!(7)), Record::Other);
        let mut changed = record(json!({"closed": {"BOOL": true}, "body": {"S": "{}"}}));
        changed["eventName"] = json!("MODIFY");
        assert_eq!(Record::read(&changed), Record::Other);
    }

    #[test]
    fn a_closing_entry_that_cannot_be_read_is_told() {
        for image in [
            json!({"closed": {"BOOL": true}}),
            json!({"closed": {"BOOL": true}, "body": {"S": "{}"}}),
        ] {
            assert!(matches!(
                Record::read(&record(image)),
                Record::Unreadable { .. }
            ));
        }
    }

    #[test]
    fn the_answer_has_lambda_s_shape() {
        let answer = serde_json::to_value(Answer::again_from("100")).unwrap();
        assert_eq!(
            answer,
            json!({"batchItemFailures": [{"itemIdentifier": "100"}]})
        );
        assert_eq!(
            serde_json::to_value(Answer::default()).unwrap(),
            json!({"batchItemFailures": []})
        );
    }
}
