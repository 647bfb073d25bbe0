//! The SNS channel.
//!
//! - Owns: `Publish` with subject, message and the machine form as the attribute `json`.
//! - Takes: a notification whose text and subject are within limits already.
//! - Gives: delivered, or why not and whether to try again.
//! - Must not: retry for longer than the SDK does in one call.

use crate::call::call_error;
use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use snapback_app::port::{CallError, Channel, DeliverError};
use snapback_engine::execution::ErrorClass;
use snapback_engine::notification::Notification;

/// SNS takes 256 KB for message and attributes together
/// (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).
const MESSAGE_MAX: usize = 256 * 1024;

/// Publishes to one topic.
#[derive(Debug, Clone)]
pub struct Sns {
    client: Client,
    topic: String,
}

impl Sns {
    /// A channel to the topic with this ARN.
    pub fn new(sdk: &SdkConfig, topic: impl Into<String>) -> Self {
        Self {
            client: Client::new(sdk),
            topic: topic.into(),
        }
    }
}

/// Attributes: `json` where it fits beside the text, and the words subscription filters want.
fn attributes(message: &Notification) -> Vec<(&'static str, String)> {
    let word = |key: &str| {
        message
            .json
            .get(key)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    let mut attributes = vec![("key", message.key.clone())];
    for (name, key) in [
        ("outcome", "outcome"),
        ("severity", "severity"),
        ("resource", "resource"),
    ] {
        attributes.extend(
            word(key)
                .filter(|word| !word.is_empty())
                .map(|word| (name, word)),
        );
    }
    let json = message.json.to_string();
    let used: usize = attributes
        .iter()
        .map(|(name, value)| name.len() + value.len() + 16)
        .sum();
    if used + message.text.len() + message.subject.len() + json.len() + 16 <= MESSAGE_MAX {
        attributes.push(("json", json));
    } else {
        attributes.push((
            "json-omitted",
            "the machine form does not fit; read the incident from the journal".to_owned(),
        ));
    }
    attributes
}

fn deliver_error(error: &CallError) -> DeliverError {
    DeliverError {
        channel: "sns",
        message: error.to_string(),
        retry: matches!(
            error.class,
            ErrorClass::Lost | ErrorClass::Transient | ErrorClass::Denied
        ),
        retry_after: None,
    }
}

impl Channel for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    async fn deliver(&self, message: &Notification) -> Result<(), DeliverError> {
        let mut publish = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(&message.subject)
            .message(&message.text);
        for (name, value) in attributes(message) {
            let attribute = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| DeliverError {
                    channel: "sns",
                    message: error.to_string(),
                    retry: false,
                    retry_after: None,
                })?;
            publish = publish.message_attributes(name, attribute);
        }
        publish
            .send()
            .await
            .map(drop)
            .map_err(|error| deliver_error(&call_error("Publish", &self.topic, &error)))
    }
}
