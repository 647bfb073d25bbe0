//! The journal and the records that guard it.

use super::item::{CLOSED, EXPIRES, Item, Key, value};
use super::{Condition, Query, Tables, Write};
use aws_sdk_dynamodb::types::AttributeValue;
use snapback_app::port::{Journal, StoreError};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{Body, Entry, ResourceRecord};
use snapback_model::*;

/// How long a request id is known to be ours. Events come minutes after their calls; archives may be
/// replayed for weeks.
const REQUEST_DAYS: i64 = 90;
const DAY: i64 = 86_400;

/// All records are one partition: the sweep asks for the open ones, guard for one by its id.
const RECORD: &str = "record";
/// The open story of a record; absent where none is open.
const INCIDENT: &str = "incident";

fn record_key(resource: &ResourceId) -> Key {
    Key::new(RECORD, resource.as_str())
}

fn partition(incident: &IncidentId) -> String {
    format!("incident#{incident}")
}

fn request_key(request: &RequestId) -> Key {
    Key::new(format!("request#{request}"), "request")
}

/// The time after which an item may go.
pub(super) fn expiry(at: Timestamp, days: i64) -> AttributeValue {
    AttributeValue::N(
        at.as_second()
            .saturating_add(days.saturating_mul(DAY))
            .to_string(),
    )
}

fn entry_item(entry: &Entry) -> Result<Item, StoreError> {
    let mut item = Key::new(
        partition(&entry.incident),
        format!("entry#{:010}", entry.sequence),
    )
    .with(entry)?;
    if matches!(entry.body, Body::Closed { .. }) {
        item.insert(CLOSED.to_owned(), AttributeValue::Bool(true));
    }
    Ok(item)
}

/// The request id that an entry makes known.
fn request_of(entry: &Entry) -> Option<&RequestId> {
    match &entry.body {
        Body::StepEnded {
            outcome: StepOutcome::Applied { request, .. },
            ..
        } => request.as_ref(),
        _ => None,
    }
}

fn record_item(record: &ResourceRecord) -> Result<Item, StoreError> {
    let mut item = record_key(&record.resource).with(record)?;
    item.insert(
        "version".to_owned(),
        AttributeValue::N(record.version.to_string()),
    );
    item.insert(
        "fencing".to_owned(),
        AttributeValue::N(record.fencing.to_string()),
    );
    if let Some(open) = &record.open {
        item.insert(INCIDENT.to_owned(), AttributeValue::S(open.to_string()));
    }
    Ok(item)
}

impl Journal for Tables {
    async fn record(&self, resource: &ResourceId) -> Result<ResourceRecord, StoreError> {
        match self.get(&self.state, &record_key(resource)).await? {
            Some(item) => value(&item),
            None => Ok(ResourceRecord::new(resource.clone())),
        }
    }

    async fn commit(
        &self,
        record: Option<&ResourceRecord>,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(entries.len() + 1);
        if let Some(record) = record {
            let condition = Some(Condition::follows(
                "version",
                record.version.saturating_sub(1),
            ));
            writes.push(Write {
                table: self.state.clone(),
                item: record_item(record)?,
                condition,
            });
        }
        for entry in entries {
            let condition = Some(Condition::Absent);
            writes.push(Write {
                table: self.journal.clone(),
                item: entry_item(entry)?,
                condition,
            });
            if let Some(request) = request_of(entry) {
                let mut item = request_key(request).item();
                item.insert(EXPIRES.to_owned(), expiry(entry.at, REQUEST_DAYS));
                writes.push(Write {
                    table: self.journal.clone(),
                    item,
                    condition: None,
                });
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        let what = record.map_or_else(
            || {
                entries.first().map_or_else(String::new, |entry| {
                    format!("journal of {}", entry.incident)
                })
            },
            |record| format!("record of {}", record.resource),
        );
        self.write(&what, writes).await
    }

    async fn entries(&self, incident: &IncidentId) -> Result<Vec<Entry>, StoreError> {
        let pk = partition(incident);
        let items = self
            .query(
                &self.journal,
                Query {
                    pk: &pk,
                    ..Query::default()
                },
            )
            .await?;
        items.iter().map(value).collect()
    }

    async fn is_ours(&self, request: &RequestId) -> Result<bool, StoreError> {
        Ok(self
            .get(&self.journal, &request_key(request))
            .await?
            .is_some())
    }

    async fn unfinished(&self) -> Result<Vec<ResourceRecord>, StoreError> {
        let query = Query {
            pk: RECORD,
            prefix: None,
            filter: Some(("attribute_exists(incident)", None)),
        };
        let items = self.query(&self.state, query).await?;
        items.iter().map(value).collect()
    }
}
