//! The two queues: the guard's inbox and the place for what is no message.
//!
//! - Owns: `SendMessage` with the command as JSON, or the raw body with its reason as an attribute.
//! - Takes: commands; raw bodies.
//! - Gives: sent, or the call's failure.
//! - Must not: read queues (Lambda's event source does).

use crate::call::{call_error, not_sent};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use snapback_app::port::{CallError, Command, DELAY_MAX, DeadLetter, Inbox};
use std::time::Duration;

const SEND: &str = "SendMessage";
/// Attributes count towards a message's size; a reason is for people and needs no more.
const REASON_MAX: usize = 1024;

/// The guard's inbox.
#[derive(Debug, Clone)]
pub struct InboxQueue {
    client: Client,
    url: String,
}

impl InboxQueue {
    /// The inbox at this queue URL.
    pub fn new(sdk: &SdkConfig, url: impl Into<String>) -> Self {
        Self {
            client: Client::new(sdk),
            url: url.into(),
        }
    }
}

impl InboxQueue {
    /// Lets a message that was not handled come again after this many seconds, not after the
    /// queue's visibility time-out, which is as long as a Lambda could need.
    ///
    /// # Errors
    /// The call's failure: the message then comes after the visibility time-out.
    pub async fn release(&self, receipt: &str, seconds: i32) -> Result<(), CallError> {
        let call = self.client.change_message_visibility().queue_url(&self.url);
        let sent = call
            .receipt_handle(receipt)
            .visibility_timeout(seconds)
            .send()
            .await;
        sent.map(drop)
            .map_err(|error| call_error("ChangeMessageVisibility", &self.url, &error))
    }
}

impl InboxQueue {
    /// Sends a body, to arrive after `delay`.
    async fn put(&self, body: &str, delay: Duration) -> Result<(), CallError> {
        let seconds = i32::try_from(delay.min(DELAY_MAX).as_secs()).unwrap_or(0);
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .set_delay_seconds((seconds > 0).then_some(seconds))
            .send()
            .await;
        sent.map(drop)
            .map_err(|error| call_error(SEND, &self.url, &error))
    }
}

impl Inbox for InboxQueue {
    async fn send(&self, command: &Command, delay: Duration) -> Result<(), CallError> {
        let body = serde_json::to_string(command)
            .map_err(|error| not_sent(SEND, &self.url, "Serialization", error.to_string()))?;
        self.put(&body, delay).await
    }

    async fn forward(&self, record: &str) -> Result<(), CallError> {
        self.put(record, Duration::ZERO).await
    }
}

/// The dead-letter queue.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    client: Client,
    url: String,
}

impl DeadLetterQueue {
    /// The queue at this URL.
    pub fn new(sdk: &SdkConfig, url: impl Into<String>) -> Self {
        Self {
            client: Client::new(sdk),
            url: url.into(),
        }
    }
}

/// SQS takes no empty values and only XML's characters in attributes.
fn reason_value(reason: &str) -> String {
    let clean: String = reason
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') {
                ' '
            } else {
                c
            }
        })
        .scan(0_usize, |length, c| {
            *length += c.len_utf8();
            (*length <= REASON_MAX).then_some(c)
        })
        .collect();
    if clean.trim().is_empty() {
        "unknown".to_owned()
    } else {
        clean
    }
}

impl DeadLetter for DeadLetterQueue {
    async fn bury(&self, body: &str, reason: &str) -> Result<(), CallError> {
        let attribute = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason_value(reason))
            .build()
            .map_err(|error| not_sent(SEND, &self.url, "Construction", error.to_string()))?;
        let body = if body.is_empty() { "(empty)" } else { body };
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_attributes("reason", attribute)
            .send()
            .await;
        sent.map(drop)
            .map_err(|error| call_error(SEND, &self.url, &error))
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

    #[test]
    fn a_reason_is_never_empty_too_long_or_unprintable() {
        assert_eq!(reason_value(""), "unknown");
        assert_eq!(reason_value("a\nb\u{0}c"), "a b c");
        assert!(reason_value(&"ü".repeat(2000)).len() <= REASON_MAX);
    }

    #[test]
    fn what_is_buried_keeps_its_body_and_carries_the_reason() {
        let wire = Wire::new([Answer::json(
            200,
            r#"{"MessageId":"1","MD5OfMessageBody":"9d5ed678fe57bcca610140957afab571"}"#,
        )]);
        let queue = DeadLetterQueue::new(&wire.sdk(), "http://127.0.0.1/queue/dead");
        let _sent = wire.block_on(queue.bury("B", "not JSON at line 1, column 1"));
        let request = &wire.requests()[0];
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["MessageBody"], "B");
        assert_eq!(
            body["MessageAttributes"]["reason"]["StringValue"],
            "not JSON at line 1, column 1"
        );
    }
}
