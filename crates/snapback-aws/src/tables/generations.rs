//! Every generation of every baseline: one partition a resource, never written twice, never deleted.
//!
//! All are kept. One is as large as its baseline (a group of 60 rules: some 12 KB), so a thousand
//! generations of it are 12 MB.

use super::baselines::read;
use super::item::{Item, Key};
use super::{Tables, text};
use crate::call::call_error;
use aws_sdk_dynamodb::types::AttributeValue;
use snapback_app::port::{GENERATIONS_PAGE, Generations, StoreError};
use snapback_model::*;

/// The item that keeps a generation.
pub(super) fn key(resource: &ResourceId, generation: Generation) -> Key {
    Key::new(partition(resource), sort(generation))
}

fn partition(resource: &ResourceId) -> String {
    format!("generation#{resource}")
}

/// Numbers in the order of their text.
fn sort(generation: Generation) -> String {
    format!("{:020}", generation.0)
}

impl Tables {
    /// One page of a resource's generations, newest first.
    async fn newest(
        &self,
        resource: &ResourceId,
        before: Option<Generation>,
    ) -> Result<Vec<Item>, StoreError> {
        let pk = partition(resource);
        let query = self
            .client
            .query()
            .table_name(&self.state)
            .expression_attribute_values(":pk", text(&pk))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::try_from(GENERATIONS_PAGE).unwrap_or(i32::MAX));
        let query = match before {
            None => query.key_condition_expression("pk = :pk"),
            Some(before) => query
                .key_condition_expression("pk = :pk AND sk < :sk")
                .expression_attribute_values(":sk", AttributeValue::S(sort(before))),
        };
        let answer = query
            .send()
            .await
            .map_err(|error| call_error("Query", &pk, &error))?;
        Ok(answer.items.unwrap_or_default())
    }
}

impl Generations for Tables {
    async fn generations(
        &self,
        resource: &ResourceId,
        before: Option<Generation>,
    ) -> Result<Vec<Baseline>, StoreError> {
        let items = self.newest(resource, before).await?;
        items.iter().map(read).collect()
    }

    async fn generation_at(
        &self,
        resource: &ResourceId,
        at: Timestamp,
    ) -> Result<Option<Baseline>, StoreError> {
        let mut before = None;
        loop {
            let page = self.generations(resource, before).await?;
            let Some(last) = page.last() else {
                return Ok(None);
            };
            before = Some(last.generation);
            let stood = page
                .into_iter()
                .find(|baseline| baseline.provenance.at <= at);
            if stood.is_some() {
                return Ok(stood);
            }
        }
    }
}
