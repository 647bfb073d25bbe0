//! The state table and the journal table in DynamoDB.
//!
//! - Owns: the layout below, conditional and transactional writes, consistent reads.
//! - Takes: baselines, topology, records, entries, marks; two table names.
//! - Gives: the ports `BaselineRead`, `BaselineWrite`, `Generations`, `Journal`, `Deliveries`.
//! - Must not: scan, delete, or interpret what it stores. Each item holds the value's canonical JSON in
//!   `body`; other attributes exist only for conditions, filters and expiry.
//!
//! | table | pk | sk | other attributes | what |
//! |---|---|---|---|---|
//! | state | `baseline#<kind>` | id | `generation` | a baseline: by id in one batch read, all of a kind in one query |
//! | state | `generation#<id>` | `<number, 20 digits>` | | every generation of a baseline, written with it |
//! | state | `index#<kind>` | `<vpc>#<id>` | `associations` | finds baselines by VPC and by association id |
//! | state | `record` | id | `version`, `fencing`, `incident` | open story and limits of a resource |
//! | state | `lease` | VPC id, else resource id | `version`, `fencing` | who may write in a VPC |
//! | state | `account` | `head` | `version` | reverts lately, and the brake |
//! | state | `activity` | principal | `version` | changes of an author lately, and what waits |
//! | state | `topology` | `head` | `claim` | which capture is current and in which parts |
//! | state | `topology#<slot>#<vpc>` | `<part>` | `capture` | one part of the captured context |
//! | state | `topology` | `seen` | `claim` | what the last sweep saw: of which capture, what differs, in which parts |
//! | state | `seen#<slot>#<vpc>` | `<part>` | `capture` | one part of what it saw |
//! | journal | `incident#<id>` | `entry#<sequence>` | `closed` | an entry; the stream feeds notify |
//! | journal | `request#<id>` | `request` | `expires` | a request id of ours |
//! | journal | `delivery#<channel>#<key>` | `delivery` | `expires` | what a channel has shown |

mod atom;
mod baselines;
mod deliveries;
mod generations;
pub mod item;
mod journal;
mod topology;

#[cfg(test)]
#[path = "tables/tests.rs"]
mod tests;

use crate::call::{call_error, not_sent};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};
use item::{Item, Key};
use snapback_app::port::{CallError, StoreError};
use snapback_engine::execution::ErrorClass;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Items of one `TransactWriteItems`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const TRANSACTION_MAX: usize = 100;
/// Keys of one `BatchGetItem`.
const BATCH_MAX: usize = 100;
/// Rounds for keys that DynamoDB left unprocessed, and the first wait between them.
const ROUNDS_MAX: u32 = 6;
const ROUND_WAIT: Duration = Duration::from_millis(40);

/// Both tables.
#[derive(Debug, Clone)]
pub struct Tables {
    client: Client,
    state: String,
    journal: String,
    topology: Arc<topology::Cache>,
    seen: Arc<topology::Cache>,
}

impl Tables {
    /// The tables with these names.
    pub fn new(sdk: &SdkConfig, state: impl Into<String>, journal: impl Into<String>) -> Self {
        Self {
            client: Client::new(sdk),
            state: state.into(),
            journal: journal.into(),
            topology: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// One item of a table, read consistently.
    async fn get(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(table)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| call_error("GetItem", &key.to_string(), &error))?;
        Ok(answer.item)
    }

    /// Items of the state table, read consistently; absent keys give nothing.
    async fn batch_get(&self, keys: &BTreeSet<Key>) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        let keys: Vec<&Key> = keys.iter().collect();
        for chunk in keys.chunks(BATCH_MAX) {
            let mut wanted: Vec<Item> = chunk.iter().map(|key| key.item()).collect();
            let mut round = 0;
            while !wanted.is_empty() {
                if round > 0 {
                    tokio::time::sleep(ROUND_WAIT.saturating_mul(2_u32.saturating_pow(round)))
                        .await;
                }
                if round == ROUNDS_MAX {
                    return Err(throttled("BatchGetItem", &self.state, wanted.len()).into());
                }
                round += 1;
                let (found, left) = self.batch_round(wanted).await?;
                items.extend(found);
                wanted = left;
            }
        }
        Ok(items)
    }

    async fn batch_round(&self, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), StoreError> {
        const OPERATION: &str = "BatchGetItem";
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .map_err(|error| not_sent(OPERATION, &self.state, "Construction", error.to_string()))?;
        let answer = self
            .client
            .batch_get_item()
            .request_items(&self.state, keys)
            .send()
            .await;
        let mut answer = answer.map_err(|error| call_error(OPERATION, &self.state, &error))?;
        let found = answer
            .responses
            .as_mut()
            .and_then(|tables| tables.remove(&self.state))
            .unwrap_or_default();
        let left = answer
            .unprocessed_keys
            .as_mut()
            .and_then(|tables| tables.remove(&self.state));
        Ok((found, left.map(|left| left.keys).unwrap_or_default()))
    }

    /// All items of one partition, read consistently to the last page.
    async fn query(&self, table: &str, query: Query<'_>) -> Result<Vec<Item>, StoreError> {
        let mut values = HashMap::from([(":pk".to_owned(), text(query.pk))]);
        let mut condition = "pk = :pk".to_owned();
        if let Some(prefix) = query.prefix {
            condition.push_str(" AND begins_with(sk, :sk)");
            values.insert(":sk".to_owned(), text(prefix));
        }
        let filter = query.filter.map(|(expression, value)| {
            values.extend(value.map(|value| (":value".to_owned(), text(value))));
            expression.to_owned()
        });
        self.client
            .query()
            .table_name(table)
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .set_filter_expression(filter)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| call_error("Query", query.pk, &error).into())
    }

    /// Writes all or nothing. A transaction even for one item: its idempotency token makes the SDK's
    /// retry after a lost answer safe, where a conditional put would meet its own first attempt.
    async fn write(&self, what: &str, writes: Vec<Write>) -> Result<(), StoreError> {
        const OPERATION: &str = "TransactWriteItems";
        if writes.len() > TRANSACTION_MAX {
            let message = format!(
                "nothing was written: {} items, DynamoDB takes {TRANSACTION_MAX}",
                writes.len()
            );
            return Err(not_sent(OPERATION, what, "TransactionTooLarge", message).into());
        }
        let mut items = Vec::with_capacity(writes.len());
        for write in writes {
            let put = write
                .build()
                .map_err(|error| not_sent(OPERATION, what, "Construction", error.to_string()))?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await;
        sent.map(drop)
            .map_err(|error| match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled
                        .cancellation_reasons()
                        .iter()
                        .filter_map(|reason| reason.code());
                    cancelled_because(what, reasons)
                        .unwrap_or_else(|| call_error(OPERATION, what, &error).into())
                }
                _ => call_error(OPERATION, what, &error).into(),
            })
    }
}

/// What DynamoDB's reasons for cancelling mean; nothing where they are no reason this version knows.
fn cancelled_because<'a>(what: &str, reasons: impl Iterator<Item = &'a str>) -> Option<StoreError> {
    let reasons: BTreeSet<&str> = reasons.filter(|reason| *reason != "None").collect();
    if reasons.contains("ConditionalCheckFailed") || reasons.contains("TransactionConflict") {
        return Some(StoreError::Conflict {
            what: what.to_owned(),
        });
    }
    let busy = ["ThrottlingError", "ProvisionedThroughputExceeded"];
    let code = busy.into_iter().find(|code| reasons.contains(code))?;
    Some(StoreError::Call(CallError {
        operation: "TransactWriteItems".to_owned(),
        resource: what.to_owned(),
        code: code.to_owned(),
        message: "DynamoDB cancelled the transaction".to_owned(),
        class: ErrorClass::Transient,
        request: None,
    }))
}

fn throttled(operation: &str, table: &str, left: usize) -> CallError {
    CallError {
        operation: operation.to_owned(),
        resource: table.to_owned(),
        code: "UnprocessedKeys".to_owned(),
        message: format!("{left} keys stayed unprocessed after {ROUNDS_MAX} rounds"),
        class: ErrorClass::Transient,
        request: None,
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// What to query: a partition, a prefix of its sort keys, a filter (`:value` is its value).
#[derive(Debug, Clone, Copy, Default)]
struct Query<'a> {
    pk: &'a str,
    prefix: Option<&'a str>,
    filter: Option<(&'a str, Option<&'a str>)>,
}

/// One item of a transaction, with its condition.
#[derive(Debug)]
struct Write {
    table: String,
    item: Item,
    condition: Option<Condition>,
}

/// What must hold for an item to be written.
#[derive(Debug)]
enum Condition {
    /// No item has this key.
    Absent,
    /// The stored attribute has this value.
    Counter(&'static str, u64),
    /// There is no such item, or its attribute is not greater.
    NotAfter(&'static str, u64),
}

impl Write {
    fn build(self) -> Result<Put, aws_sdk_dynamodb::error::BuildError> {
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(self.item));
        match self.condition {
            None => put,
            Some(Condition::Absent) => put.condition_expression("attribute_not_exists(pk)"),
            Some(Condition::Counter(attribute, value)) => put
                .condition_expression("#counter = :counter")
                .expression_attribute_names("#counter", attribute)
                .expression_attribute_values(":counter", AttributeValue::N(value.to_string())),
            Some(Condition::NotAfter(attribute, value)) => put
                .condition_expression("attribute_not_exists(pk) OR #counter <= :counter")
                .expression_attribute_names("#counter", attribute)
                .expression_attribute_values(":counter", AttributeValue::N(value.to_string())),
        }
        .build()
    }
}

impl Condition {
    /// The stored counter is `before`; 0 is not stored yet.
    fn follows(attribute: &'static str, before: u64) -> Self {
        if before == 0 {
            Self::Absent
        } else {
            Self::Counter(attribute, before)
        }
    }
}
