//! CloudTrail's own event history, for drift that no event told of.
//!
//! - Owns: `LookupEvents` by resource name, its pace and bounds.
//! - Takes: a resource id and since when.
//! - Gives: bare CloudTrail records as JSON text, newest first, as the engine's `event` stage reads them.
//! - Must not: be on the guard's path: 2 requests a second for the whole account and Region
//!   (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).

use crate::call::{call_error, not_sent};
use aws_config::SdkConfig;
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use snapback_app::port::{CallError, EventHistory};
use snapback_model::{ResourceId, Timestamp};
use std::time::Duration;

const OPERATION: &str = "LookupEvents";
/// Events of one page, the most CloudTrail gives.
const PAGE: i32 = 50;
/// Pages read for one resource: who did it is best effort.
const PAGES_MAX: usize = 2;
/// Wait before each call: half the account's rate is left to others.
const PACE: Duration = Duration::from_secs(1);

/// Reads the event history of the account and Region.
#[derive(Debug, Clone)]
pub struct CloudTrail {
    client: Client,
    pace: Duration,
}

impl CloudTrail {
    /// A reader at the pace that the quota allows.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self {
            client: Client::new(sdk),
            pace: PACE,
        }
    }
}

impl EventHistory for CloudTrail {
    async fn events_about(
        &self,
        resource: &ResourceId,
        since: Timestamp,
    ) -> Result<Vec<String>, CallError> {
        let name = resource.as_str();
        let about = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ResourceName)
            .attribute_value(name)
            .build()
            .map_err(|error| not_sent(OPERATION, name, "Construction", error.to_string()))?;
        let mut records = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            tokio::time::sleep(self.pace).await;
            let page = self
                .client
                .lookup_events()
                .lookup_attributes(about.clone())
                .start_time(DateTime::from_secs(since.as_second()))
                .max_results(PAGE)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| call_error(OPERATION, name, &error))?;
            let found = page.events.unwrap_or_default();
            records.extend(
                found
                    .into_iter()
                    .filter_map(|event| event.cloud_trail_event),
            );
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(records)
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
    use crate::wire::{Answer, Wire};
    use serde_json::{Value, json};

    #[test]
    fn the_history_is_asked_by_resource_and_bounded() {
        let page = |n: u8| json!({"Events": [{"CloudTrailEvent": format!("{{\"n\":{n}}}")}], "NextToken": "more"});
        let wire = Wire::new([1, 2, 3].map(|n| Answer::json(200, &page(n).to_string())));
        let history = CloudTrail {
            client: Client::new(&wire.sdk()),
            pace: Duration::ZERO,
        };
        let since = "2026-01-02T03:04:05Z".parse().unwrap();
        let records = wire
            .block_on(history.events_about(&"sg-1".parse().unwrap(), since))
            .unwrap();
        assert_eq!(records, [r#"{"n":1}"#, r#"{"n":2}"#]);
        let asked: Value = serde_json::from_str(&wire.requests()[1].body).unwrap();
        assert_eq!(
            asked["LookupAttributes"],
            json!([{"AttributeKey": "ResourceName", "AttributeValue": "sg-1"}])
        );
        assert_eq!(asked["NextToken"], "more");
        assert_eq!(asked["StartTime"], json!(1_767_323_045));
    }
}
