//! The journal and the records that guard it.

use super::item::{CLOSED, EXPIRES, Item, Key, value};
use super::{Condition, Query, Tables, Write};
use aws_sdk_dynamodb::types::AttributeValue;
use snapback_app::port::{Journal, StoreError};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{
    AccountRecord, Activity, Body, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
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

fn lease_key(scope: &LeaseScope) -> Key {
    Key::new("lease", scope.as_str())
}

fn account_key() -> Key {
    Key::new("account", "head")
}

fn activity_key(principal: &str) -> Key {
    Key::new("activity", principal)
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
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
    item.insert("fencing".to_owned(), number(record.fencing));
    if let Some(open) = &record.open {
        item.insert(INCIDENT.to_owned(), AttributeValue::S(open.to_string()));
    }
    Ok(item)
}

fn lease_item(lease: &Lease) -> Result<Item, StoreError> {
    let mut item = lease_key(&lease.scope).with(lease)?;
    item.insert("fencing".to_owned(), number(lease.fencing));
    Ok(item)
}

impl Tables {
    /// A record that is written on the version before its own.
    fn versioned(&self, mut item: Item, version: u64) -> Write {
        item.insert("version".to_owned(), number(version));
        Write {
            table: self.state.clone(),
            item,
            condition: Some(Condition::follows("version", version.saturating_sub(1))),
        }
    }

    /// The records of a commit.
    fn records(&self, commit: &Commit<'_>) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        if let Some(record) = commit.record {
            writes.push(self.versioned(record_item(record)?, record.version));
        }
        if let Some(lease) = commit.lease {
            writes.push(self.versioned(lease_item(lease)?, lease.version));
        }
        if let Some(account) = commit.account {
            writes.push(self.versioned(account_key().with(account)?, account.version));
        }
        if let Some(activity) = commit.activity {
            writes.push(self.versioned(
                activity_key(&activity.principal).with(activity)?,
                activity.version,
            ));
        }
        Ok(writes)
    }
}

impl Journal for Tables {
    async fn record(&self, resource: &ResourceId) -> Result<ResourceRecord, StoreError> {
        match self.get(&self.state, &record_key(resource)).await? {
            Some(item) => value(&item),
            None => Ok(ResourceRecord::new(resource.clone())),
        }
    }

    async fn lease(&self, scope: &LeaseScope) -> Result<Lease, StoreError> {
        match self.get(&self.state, &lease_key(scope)).await? {
            Some(item) => value(&item),
            None => Ok(Lease::new(scope.clone())),
        }
    }

    async fn account(&self) -> Result<AccountRecord, StoreError> {
        match self.get(&self.state, &account_key()).await? {
            Some(item) => value(&item),
            None => Ok(AccountRecord::default()),
        }
    }

    async fn activity(&self, principal: &str) -> Result<Activity, StoreError> {
        match self.get(&self.state, &activity_key(principal)).await? {
            Some(item) => value(&item),
            None => Ok(Activity::new(principal)),
        }
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let mut writes = self.records(commit)?;
        for entry in commit.entries {
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
        let what = match (commit.record, commit.entries.first()) {
            (Some(record), _) => format!("record of {}", record.resource),
            (None, Some(entry)) => format!("journal of {}", entry.incident),
            (None, None) => "counts".to_owned(),
        };
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
